//! Every shape of a secret in whatever stands around it, and what looks like one and is none.

#![expect(clippy::string_slice, reason = "what is cut here is ASCII")]

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;

use super::*;

/// Secrets that are known by themselves, in the shapes that the services give them. All are invented.
const TOKENS: [&str; 25] = [
    "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy",
    "xoxp-17653672481-19874698323-19874698324-0123456789abcdef0123456789abcdef",
    "xoxe.xoxp-1-Mi0yLTE3NjUzNjcyNDgxLTE5ODc0Njk4MzIzLTE5ODc0Njk4MzI0LTAxMjM",
    "xoxe-1-My0xLTE3NjUzNjcyNDgxLTE5ODc0Njk4MzIzLTE5ODc0Njk4MzI0LTAxMjM0NTY3",
    "xapp-1-A0123456789-1234567890123-0123456789abcdef0123456789abcdef0123456789abcdef",
    "xwfp-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy",
    "xoxs-17653672481-19874698323-19874698324-0a1b2c3d4e",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "gho_16C7e42F292c6912E7710c838347Ae178B4b",
    "ghu_16C7e42F292c6912E7710c838347Ae178B4c",
    "ghs_16C7e42F292c6912E7710c838347Ae178B4d",
    "ghr_1B4a2e77838347a7E420ce178F2E7c6912E169246c34E1ccbF66C46812d16D5B1A9Dc86A1498",
    "github_pat_11AAAAAAA0abcdefghijkl_MNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz012345678",
    "HRKU-01234567-89ab-cdef-0123-456789abcdef",
    "HRKU-AAc1dE2fG3hI4jK5lM6nO7pQ8rS9tU0vW1xY2zA3bC4dE5fG6hI7jK8lM9nO0p",
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "npm_0123456789abcdefABCDEF0123456789abcd",
    "glpat-0123456789abcdefABCD",
    "sk_live_0123456789abcdefABCDEF01",
    "whsec_0123456789abcdefABCDEF0123456789",
    "SG.0123456789abcdefABCDEF.0123456789abcdefABCDEF0123456789abcdefABCDE",
    "AIza0123456789abcdefABCDEF0123456789abc",
    "shpat_0123456789abcdef0123456789abcdef",
];

/// The secret itself, and lines that say what it is.
const TOLD: [(&str, &str); 38] = [
    ("hunter2+/=&x", "DB_PASSWORD=hunter2+/=&x"),
    ("correct horse", "export ADMIN_PASSPHRASE=correct horse"),
    ("4eC39HqLyjW", "STRIPE_KEY=4eC39HqLyjW"),
    ("4eC39HqLyjW", "RAILS_MASTER_KEY:   4eC39HqLyjW"),
    ("abc", "SECRET_KEY_BASE: abc"),
    ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "the secret key is wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("FwoGZXIvYXdzEBYaDHabcdefghij0123456789", "\"SessionToken\": \"FwoGZXIvYXdzEBYaDHabcdefghij0123456789\""),
    ("0123456789abcdef0123456789abcdef01234567", "token 0123456789abcdef0123456789abcdef01234567"),
    ("0123456789abcdef0123456789abcdef01234567", "with the OAuth token `0123456789abcdef0123456789abcdef01234567`"),
    ("01234567-89ab-cdef-0123-456789abcdef", "HEROKU_API_KEY=01234567-89ab-cdef-0123-456789abcdef"),
    ("01234567-89ab-cdef-0123-456789abcdef", "API key: 01234567-89ab-cdef-0123-456789abcdef"),
    ("01234567-89ab-cdef-0123-456789abcdef", "machine api.heroku.com login me password 01234567-89ab-cdef-0123-456789abcdef"),
    ("dXNlcjpwYXNzd29yZA==", "AUTHORIZATION: BASIC dXNlcjpwYXNzd29yZA=="),
    ("dXNlcjpwYXNzd29yZA==", "authorization: basic dXNlcjpwYXNzd29yZA=="),
    ("dXNlcjpwYXNzd29yZA==", "> Proxy-Authorization: Basic dXNlcjpwYXNzd29yZA=="),
    ("0a1b2c3d4e", "curl -H 'authorization:Bearer 0a1b2c3d4e' x"),
    ("0a1b2c3d4e", "BEARER 0a1b2c3d4e"),
    ("0a1b2c3d4e", "X-Api-Key: 0a1b2c3d4e"),
    ("0a1b2c3d4e", "< set-cookie: session=0a1b2c3d4e; Path=/"),
    ("abc", "{\"access_token\": \"abc\", \"a\": 1}"),
    ("abc", "{\\\"access_token\\\":\\\"abc\\\",\\\"a\\\":1}"),
    ("ab\\\"cd", "{\"password\": \"ab\\\"cd\"}"),
    ("abc", "{'client_secret' => 'abc'}"),
    ("hunter22", "mysql --user x --password hunter22"),
    ("hunter22", "--password=hunter22"),
    ("hunter2!", "password: hunter2!"),
    ("s3cr3t", "postgres://user:s3cr3t@db.example.com:5432/app"),
    ("s3/cr3t", "redis://:s3/cr3t@cache.example.com"),
    ("ghtok", "fatal: could not read from https://ghtok@github.com/acme/hubot.git/"),
    ("0a1b2c", "https://s3.example.com/a/b?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1&Signature=0a1b2c"),
    ("0a1b2c", "https://s3.example.com/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=0a1b2c"),
    ("0a1b2c", "https://codeload.github.com/acme/hubot/legacy.tar.gz/main?token=0a1b2c"),
    ("0a1b2c", "https://example.com/#access_token=0a1b2c"),
    ("T0/B0/0a1b2c", "POST https://hooks.slack.com/services/T0/B0/0a1b2c"),
    ("T0/B0/0a1b2c", "hooks.slack.com/services/T0/B0/0a1b2c is gone"),
    ("0a1b2c", "see https://build-output.heroku.com/streams/0a1b2c"),
    ("MIIEpAIBAAKCAQEA", "-----BEGIN PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA\\n-----END PRIVATE KEY-----"),
];

/// What must be read as it is.
const HARMLESS: [&str; 46] = [
    "Bad credentials",
    "token expired: sign in again",
    "Invalid token: 401 Unauthorized",
    "see https://example.com:8080/a/b@v1?page=2",
    "No commit found for SHA: xyz",
    "Basic authentication is off",
    "Basic Authentication is off",
    "Bearer authentication is required",
    "Résumé ✓ für alle",
    "commit 27bd10a127bd10a127bd10a127bd10a127bd10a1",
    "HEAD is now at 27bd10a Try a kinder greeting",
    "-----> Building on the Heroku-24 stack",
    "remote: Using buildpack: heroku/ruby",
    "Installing dependencies using bundler 2.5.6",
    "build 01234567-89ab-cdef-0123-456789abcdef failed",
    "release 22222222-bbbb-4bbb-8bbb-000000000001 of the app",
    "https://hubot-staging-0a1b2c3d4e5f.herokuapp.com/ deployed to Heroku",
    "https://dashboard.heroku.com/apps/hubot/activity/builds/01234567-89ab-cdef-0123-456789abcdef",
    "https://github.com/acme/hubot/commit/27bd10a127bd10a127bd10a127bd10a127bd10a1",
    "https://github.com/acme/hubot/compare/27bd10a...8fcbedd",
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "Digest: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "cache key 27bd10a127bd10a127bd10a127bd10a127bd10a1",
    "token for release 22222222-bbbb-4bbb-8bbb-000000000001",
    "Set SECRET_TOKEN, DATABASE_URL config vars",
    "Promote hubot-staging v3 27bd10a1",
    "Rollback to v10",
    "Attach DATABASE (@ref:postgresql-flat-12345)",
    "-----BEGIN CERTIFICATE-----",
    "npm warn deprecated har-validator@5.1.5: this library is no longer supported",
    "npm install finished in 12.3 s",
    "added 1204 packages, and audited 1205 packages in 14s",
    "ana@example.com",
    "git@github.com:acme/hubot.git",
    "RAILS_ENV=production NODE_ENV=production",
    "WEB_CONCURRENCY=2 PORT=5000",
    "MONKEY=banana",
    "the keyboard layout: us-intl",
    "Missing `secret_key_base` for 'production' environment",
    "password authentication failed for user \"app\"",
    "the tokenizer read 12 tokens",
    "SGML. AIzawa. ASIATIC. Akia. npm_ ghp_ xoxb-",
    "2026-11-24T10:00:00.123456+00:00 app[web.1]: GET /a?page=2 200 in 12ms",
    "heroku/nodejs@2.1.0 layer=dist:sha-27bd10a",
    "Fetching rake 13.2.1, minitest 5.25.4, concurrent-ruby 1.3.5",
    "feature/auth-tokens-2026 was merged",
];

#[test]
fn what_is_told_by_its_shape() {
    for token in TOKENS {
        for (before, behind) in
            [("", ""), ("using ", " now"), ("x=", "&y"), ("(", ")"), ("\"", "\""), ("…", "é"), ("-u ", ":x"), ("[", "]")]
        {
            let text = format!("{before}{token}{behind}");
            assert!(!clean(&text, 300).contains(&token[token.len() / 3..]), "{text} → {}", clean(&text, 300));
        }
    }
}

#[test]
fn what_is_told_by_the_words_around_it() {
    for (secret, text) in TOLD {
        for text in [text.to_owned(), format!("one line\n{text}\nanother"), format!("\u{1b}[1m{text}\u{1b}[0m"), format!("{text}\r\n")] {
            assert!(!last_lines(&text, 10).contains(secret), "{text} → {}", last_lines(&text, 10));
            assert!(!clean(&text, 300).contains(secret), "{text} → {}", clean(&text, 300));
        }
    }
}

#[test]
fn what_is_none_stays() {
    for text in HARMLESS {
        assert_eq!(clean(text, 300), text);
        assert_eq!(last_lines(text, 5), text);
    }
}

#[test]
fn a_block_of_a_private_key_goes_also_when_it_was_cut() {
    let body = "MIIEpAIBAAKCAQEA0123456789+/abcdefghij\n".repeat(12);
    for kind in
        ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK", "ENCRYPTED PRIVATE KEY"]
    {
        let block = format!("-----BEGIN {kind}-----\n{body}-----END {kind}-----\n");
        assert_eq!(last_lines(&format!("before\n{block}after"), 50), "before\n[hidden]\nafter", "{kind}");
        assert_eq!(clean(&format!("before {block} after"), 300), "before [hidden] after", "{kind}");
        for cut in 0..block.len() {
            for text in [format!("a\n{}", &block[..cut]), format!("{}b", &block[cut..])] {
                let shown = last_lines(&text, 50);
                let whole = block[..cut].contains("PRIVATE KEY") || block[cut..].contains(&format!("-----END {kind}"));
                assert!(!whole || !shown.contains("0123456789+/abcdefghij\nMIIEp"), "{kind} cut at {cut}: {shown}");
            }
        }
    }
}

/// Long enough that whatever is quadratic shows.
const SIZE: usize = 16 * 1024;

#[test]
fn it_takes_bounded_time() {
    let long = |piece: &str| piece.repeat(SIZE / piece.len());
    let fits = |piece: &str| [piece.to_owned(), format!("{piece}\n")];
    #[expect(clippy::disallowed_methods, reason = "the test measures real time")]
    let begun = std::time::Instant::now();
    for piece in [
        "a-",
        "://",
        "token:",
        "token=",
        "\"",
        "token\"",
        "ghp_",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "eyJ",
        "-----BEGIN ",
        "-----END ",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "hooks.slack.com/",
        "https://u:p",
        "https://u@",
        "bearer ",
        "key ",
        "\u{1b}[",
        "\u{1b}]",
        "\r",
        "é",
        "password='",
        "[hidden]",
        "AKIA",
        "0a",
        "token ",
        "?sig=",
        "\\\"token\\\":\\\"",
        "authorization:",
    ] {
        for piece in fits(piece) {
            let text = long(&piece);
            assert!(last_lines(&text, 50).len() <= 50 * 2100);
        }
    }
    // Quadratic, each of these would take minutes.
    assert!(begun.elapsed() < std::time::Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// What a terminal, a log or a cut puts into a text.
const WITHIN: [&str; 10] = ["\u{1b}[0m", "\u{1b}[1;31m", "\n", "\r\n", "\u{200b}", "\0", "\u{8}", "\u{1b}(B", "\u{ad}", "\r"];

fn around() -> impl Strategy<Value = String> {
    let words = select(
        &["remote: ", "\n", "{\"a\": \"", "https://example.com/", " ", "=", "é", "…", "export A=", "\t", "'", "\u{1b}[32m", "-----> "][..],
    );
    prop_oneof![Just(String::new()), proptest::collection::vec(words, 0..4).prop_map(|words| words.concat()), "\\PC{0,12}"]
}

#[test]
fn a_line_that_begins_with_a_token_is_no_word_with_the_line_before() {
    for token in TOKENS {
        let shown = clean(&format!("caf\u{e9}\n{token}"), 4000);
        assert!(!shown.contains(token), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, rng_seed: RngSeed::Fixed(0x5ec7e7), ..ProptestConfig::default() })]

    #[test]
    fn no_token_survives(
        token in select(&TOKENS[..]),
        before in around(),
        behind in around(),
        within in proptest::option::of((any::<Index>(), select(&WITHIN[..]))),
        most in 1..200_usize,
    ) {
        let mut sown = token.to_owned();
        if let Some((at, what)) = within {
            sown.insert_str(1 + at.index(token.len() - 1), what);
        }
        // A letter beside it would make another word of it.
        let gap = |c: Option<char>| if c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) { " " } else { "" };
        let text = format!("{before}{}{sown}{}{behind}", gap(before.chars().next_back()), gap(behind.chars().next()));
        for shown in [clean(&text, 4000), clean(&text, most), last_lines(&text, 50), clean(&last_lines(&text, 50), most)] {
            let bare: String = shown.chars().filter(|c| !c.is_whitespace()).collect();
            prop_assert!(!bare.contains(&token[token.len() / 2..]), "{:?} → {}", text, shown);
            prop_assert!(!bare.contains(&token[..token.len() / 2]), "{:?} → {}", text, shown);
        }
        prop_assert_eq!(clean(&clean(&text, most), most), clean(&text, most));
    }

    #[test]
    fn nor_one_that_words_tell(told in select(&TOLD[..]), before in "[a-z ]{0,10}\n", behind in "\n[a-z ]{0,10}", most in 1..200_usize) {
        let (secret, line) = told;
        let text = format!("{before}{line}{behind}");
        prop_assert!(!last_lines(&text, 50).contains(secret));
        prop_assert!(!clean(&text, most).contains(secret));
        prop_assert_eq!(clean(&clean(&text, most), most), clean(&text, most));
    }
}
