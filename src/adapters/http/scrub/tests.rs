//! What is taken out, and what stays.

use super::*;

/// Random letters and digits.
const LONG: &str = "a1B2c3D4e5F6g7H8i9J0";

#[test]
fn secrets_are_taken_out() {
    for (dirty, clean_text) in [
        (format!("bad token ghp_{LONG} given"), "bad token [hidden] given"),
        (format!("x=ghs_123_eyJ{LONG}.{LONG}.{LONG}!"), "x=[hidden]!"),
        (format!("github_pat_{LONG}_{LONG}"), "[hidden]"),
        (format!("HRKU-AA{LONG}"), "[hidden]"),
        (format!("xoxb-12-{LONG}, xoxe.xoxp-1-{LONG}"), "[hidden], [hidden]"),
        ("key AKIAABCDEFGHIJKLMNOP.".to_owned(), "key [hidden]."),
        (format!("Authorization: Bearer {LONG}"), "Authorization: [hidden]"),
        (format!("sent bearer {LONG}"), "sent bearer [hidden]"),
        ("see https://user:pa/ss@example.com/x".to_owned(), "see https://[hidden]@example.com/x"),
        ("git+https://tok@example.com/x.git".to_owned(), "git+https://[hidden]@example.com/x.git"),
        ("https://c.example.com/a?token=abc&x=1 went".to_owned(), "https://c.example.com/a?[hidden] went"),
        ("https://s.example.com/a?X-Amz-Signature=ab".to_owned(), "https://s.example.com/a?[hidden]"),
        ("https://hooks.slack.com/services/T/B/x".to_owned(), "https://hooks.slack.com/[hidden]"),
        ("SECRET_KEY_BASE=abc def".to_owned(), "SECRET_KEY_BASE=[hidden]"),
        (r#"{"access_token": "abc", "a": 1}"#.to_owned(), r#"{"access_token": "[hidden]", "a": 1}"#),
    ] {
        assert_eq!(clean(&dirty, 300), clean_text);
    }
}

#[test]
fn control_characters_and_terminal_sequences_go() {
    assert_eq!(clean("\u{1b}[31mred\u{1b}[0m\0 \u{1b}]8;;http://x\u{7}link\u{202e}\r\n end", 300), "red link end");
}

#[test]
fn long_text_is_cut_on_a_character() {
    assert_eq!(clean("ééééé", 3), "éé…");
    assert_eq!(clean(&format!("{} ghp_{}", "x".repeat(10), "y".repeat(400)), 20), "xxxxxxxxxx [hidden]");
}

#[test]
fn a_known_secret_goes_in_whatever_form() {
    assert_eq!(clean_without("no such token 0123-4567", 300, &["0123-4567"]), "no such token [hidden]");
}

#[test]
fn the_last_lines_of_an_output() {
    let output =
        "one\r\n\u{1b}[1mtwo\u{1b}[0m\n10%\r50%\r100%\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nend\n\0\n";
    assert_eq!(last_lines(output, 100), "one\ntwo\n100%\n[hidden]\nend");
    assert_eq!(last_lines(output, 2), "[hidden]\nend");
    assert_eq!(last_lines("", 5), "");
}

#[test]
fn links_for_people_hold_no_key() {
    assert_eq!(link("https://example.com/a"), Some("https://example.com/a".to_owned()));
    let hook = "https://hooks.slack.com/services/T00000000/B00000000/XXXX";
    for bad in ["/a", "ftp://example.com", "https://u:p@example.com", "https://example.com?token=1", "javascript:alert(1)", hook] {
        assert_eq!(link(bad), None, "{bad}");
    }
}

#[test]
fn whoever_types_a_secret_is_told_its_kind_and_whoever_types_none_is_left_alone() {
    use crate::domain::fault::Service;
    use crate::domain::secret::SecretKind::{Cloud, Link, Of, Other, PrivateKey};
    let because = |words: &str| secret_in(&format!("deploy hubot to staging because {words}"));
    for (words, kind) in [
        ("ghp_0123456789012345678901234567890123ab is the key", Of(Service::SourceControl)),
        ("of `github_pat_11AAAAAAA0aaaaaaaaaaaa_bbbb`", Of(Service::SourceControl)),
        ("(gho_16C7e42F292c6912E7710c838347Ae178B4a)", Of(Service::SourceControl)),
        ("ghp_\u{200b}0123456789012345678901234567890123ab", Of(Service::SourceControl)),
        ("xghs_0123456789012345678901234567890123ab", Of(Service::SourceControl)),
        ("HRKU-AAbbccdd-0123-4567-8901-abcdefabcdef", Of(Service::Platform)),
        ("xoxb-123456789012-abcdefABCDEF", Of(Service::Chat)),
        ("xapp-1-A0123-456-abcdef", Of(Service::Chat)),
        ("xwfp-123456789012-abcdefABCDEF", Of(Service::Chat)),
        ("AKIAIOSFODNN7EXAMPLE", Cloud),
        ("https://ana:hunter2@example.com/hook", Link),
        ("postgres://hubot:hunter2@db.example.com:5432/hubot", Link),
        ("https://example.com/x?access_token=abcdef12", Link),
        ("https://example.com/x?X-Amz-Signature=abcdef12", Link),
        ("https://hooks.slack.com/services/T0/B0/abcdef", Link),
        ("-----BEGIN PRIVATE KEY----- abc", PrivateKey),
        ("password=hunter2secret", Other),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", Other),
        ("npm_abcdefghijklmnop0123456789abcdefghij", Other),
    ] {
        assert_eq!(because(words), Some(kind), "{words}");
    }
    for words in [
        "the flaky test is known",
        "the login token of staging ran out",
        "of the password reset",
        "secret: we ship on Fridays",
        "27bd10ae4b0a6e5d2c1f9a8b7c6d5e4f3a2b1c0d is green",
        "of https://github.com/acme/hubot/commits?author=ana&until=2026-11-29",
        "of https://example.com/search?keyword=passwords&page=2",
        "of https://ana@example.com/x",
        "of https://github.com/acme/hubot/pull/12#discussion_r123456789",
        "fix-highs_and_lows is merged",
        "EURASIAN markets open at nine",
        "token: soon",
        "123456",
        "vvcccccbtdkhkgfdhchuelvrrcnjjhbfkvfhbkrklcdl",
    ] {
        assert_eq!(because(words), None, "{words}");
    }
}
