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
