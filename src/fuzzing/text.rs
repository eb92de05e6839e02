//! Text from outside that is shown: no token in it survives, and cleaning twice is cleaning once.

use crate::adapters::http::scrub;

/// One of each shape that must never survive, whatever stands around it.
pub(super) const TOKENS: [&str; 8] = [
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_11AAAAAAA0abcdefghijkl_MNOPQRSTUVWXYZ0123456789abcdefghijklmnopq",
    "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy",
    "xapp-1-A0123-4567890-0123456789abcdef0123456789abcdef",
    "HRKU-AAp1aXbC2dE3fG4hI5jK6lM7nO8pQ9rS0tU1vW2xY3zA4bC5dE6f",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
];

pub(super) fn holds(bytes: &[u8]) {
    let (which, rest) = super::first(bytes);
    let (place, rest) = super::first(rest);
    let text = String::from_utf8_lossy(rest);
    is_clean(&text);
    let token = TOKENS.get(usize::from(which) % TOKENS.len()).copied().unwrap_or_default();
    let at = text.char_indices().map(|(at, _)| at).nth(usize::from(place)).unwrap_or(text.len());
    let (before, behind) = text.split_at_checked(at).unwrap_or((&text, ""));
    // A token that runs on into letters is another, longer word.
    let gap = |beside: Option<char>| if beside.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) { " " } else { "" };
    let sown = format!("{before}{}{token}{}{behind}", gap(before.chars().next_back()), gap(behind.chars().next()));
    is_clean(&sown);
    if holds_secret(&text, token) {
        return; // Half a token by itself is a word like any other.
    }
    for cleaned in [scrub::clean(&sown, 4000), scrub::clean(&sown, 30), scrub::last_lines(&sown, 50)] {
        assert!(!holds_secret(&cleaned, token), "{token} survives in {cleaned:?}");
    }
}

/// Whether what makes the token worth something is there: more than its beginning.
fn holds_secret(cleaned: &str, token: &str) -> bool {
    let tail = token.len() / 2;
    token.get(tail..).is_some_and(|secret| cleaned.contains(secret))
}

fn is_clean(text: &str) {
    for most in [usize::MAX, 300, 20] {
        let once = scrub::clean(text, most);
        assert_eq!(scrub::clean(&once, most), once, "cleaning is done once");
        assert!(once.chars().count() <= most, "it is as short as asked for");
        assert!(!once.chars().any(char::is_control), "no control characters");
    }
    let lines = scrub::last_lines(text, 20);
    assert!(lines.lines().count() <= 20 && !lines.chars().any(|c| c.is_control() && c != '\n'));
    assert_eq!(scrub::last_lines(&lines, 20), lines, "cleaning is done once");
    if let Some(link) = scrub::link(text) {
        assert_eq!(scrub::clean(&link, usize::MAX), link, "a link for people holds no key");
    }
}
