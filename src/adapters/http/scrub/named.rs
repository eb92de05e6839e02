//! Secrets that are known by the words before them: `NAME=value`, headers, switches of commands, and talk of a key.

use std::ops::Range;

use super::tokens::is_random;
use super::{HIDDEN, part, run, within};

/// Words that make a name the name of a secret.
const NAMES: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "access_key",
    "private_key",
    "authorization",
    "credential",
    "cookie",
    "_dsn",
    "signature",
    "client_key",
];

/// Words after which something random is a secret.
const TALK: [&str; 8] = ["password", "secret", "token", "key", "credential", "credentials", "oauth", "login"];

/// Words after which something random is none, whatever stands before them.
const HARMLESS: [&str; 15] =
    ["commit", "sha", "sha1", "sha256", "hash", "checksum", "digest", "ref", "release", "slug", "build", "cache", "id", "app", "pipeline"];

/// The longest name, in bytes.
const LONGEST: usize = 100;

/// How many words before something random say what it is.
const BEFORE: usize = 3;

/// Looks at one line, which begins at `start`.
pub(super) fn find(line: &str, start: usize, spans: &mut Vec<Range<usize>>) {
    let mut at = 0;
    let mut before: Vec<String> = Vec::new();
    while at < line.len() {
        let rest = part(line, at..line.len());
        let gap = run(rest, |c| !in_word(c));
        if gap > 0 {
            at += gap;
            continue;
        }
        let long = run(rest, in_word);
        let (word, tail) = rest.split_at_checked(long).unwrap_or((rest, ""));
        let told = told(word, &before).map(|range| at + range.start..at + range.end);
        let found = told.or_else(|| value(line, at, word, tail).map(|range| at + long + range.start..at + long + range.end));
        if let Some(range) = found {
            spans.push(start + range.start..start + range.end);
            before.clear();
            at = range.end.max(at + long);
            continue;
        }
        if before.len() == BEFORE {
            before.remove(0);
        }
        before.push(word.to_ascii_lowercase());
        at += long;
    }
}

/// Whether a line gives a value to the name of a secret, as settings do.
pub(super) fn assigns(line: &str) -> bool {
    let mut at = 0;
    while at < line.len() {
        let rest = part(line, at..line.len());
        let long = run(rest, in_word);
        let (word, tail) = rest.split_at_checked(long).unwrap_or((rest, ""));
        let assigned = tail.trim_start_matches(['"', '\'', '`']).starts_with(['=', ':']);
        if long > 0 && assigned && value(line, at, word, tail).is_some() {
            return true;
        }
        at += long.max(run(rest, |c| !in_word(c)));
    }
    false
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/')
}

/// A secret by what was talked about before: a random word, or one of 40 hexadecimal digits, or a UUID.
fn told(word: &str, before: &[String]) -> Option<Range<usize>> {
    let of_talk =
        |word: &String| word.split(['_', '-', '.', '/']).any(|piece| TALK.contains(&piece.trim_end_matches('s')) || TALK.contains(&piece));
    let harmless = |word: &String| HARMLESS.contains(&word.trim_end_matches('s')) || HARMLESS.contains(&word.as_str());
    let talk = before.iter().any(of_talk) && !before.iter().any(harmless);
    let word = word.trim_end_matches('.');
    (talk && is_random(word)).then_some(0..word.len())
}

/// The value behind a name, as a range of `tail`.
fn value(line: &str, at: usize, name: &str, tail: &str) -> Option<Range<usize>> {
    let word = part(name, name.len().saturating_sub(LONGEST)..name.len());
    let plain = word.trim_start_matches('-').to_ascii_lowercase().replace('-', "_");
    match plain.as_str() {
        "bearer" | "basic" => return scheme(&plain, tail),
        _ if !is_secret(word, &plain) => return None,
        _ => {}
    }
    let quoted = run(tail, |c| matches!(c, '"' | '\'' | '\\' | ']' | '`'));
    let gap = run(part(tail, quoted..tail.len()), |c| matches!(c, ' ' | '=' | ':' | '>'));
    let sign = part(tail, quoted..quoted + gap);
    let (from, value) = (quoted + gap, part(tail, quoted + gap..tail.len()));
    let header = ["authorization", "cookie"].iter().any(|header| plain.ends_with(header));
    let is_switch = name.starts_with("--") && !sign.is_empty();
    let opening = run(value, |c| matches!(c, '"' | '\'' | '\\' | '`'));
    if !(sign.contains('=') || sign.contains(':') || is_switch) || (sign.is_empty() && quoted == 0) {
        return None;
    }
    if let Some(mark) = part(value, 0..opening).chars().next_back() {
        let inner = part(value, opening..value.len());
        return filled(from + opening, closing(inner, mark, opening > 1));
    }
    if (header && !value.is_empty()) || (sign.contains('=') && begins_the_line(line, at) && is_variable(word)) {
        return filled(from, value.trim_end().len());
    }
    let such = |c: char| !c.is_whitespace() && !matches!(c, '"' | '\'' | '`');
    let said = within(value, LONGEST);
    let said = part(said, 0..run(said, such));
    if sign.contains('=') || is_switch || quoted > 0 || is_variable(word) || plain.contains('_') || has_more_than_letters(said) {
        return filled(from, part(value, 0..run(value, such)).trim_end_matches([')', '}', ',', ';']).len());
    }
    None
}

fn filled(from: usize, long: usize) -> Option<Range<usize>> {
    (long > 0).then_some(from..from + long)
}

/// `Bearer` or `Basic` and what follows, if that looks like a credential.
fn scheme(word: &str, tail: &str) -> Option<Range<usize>> {
    let gap = run(tail, |c| matches!(c, ' ' | ':'));
    let behind = part(tail, gap..tail.len());
    let long = run(behind, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '+' | '/' | '='));
    let said = part(behind, 0..long);
    let mixed = said.chars().skip(1).any(|c| c.is_ascii_uppercase()) && said.chars().any(|c| c.is_ascii_lowercase());
    let random = said.bytes().any(|byte| byte.is_ascii_digit() || matches!(byte, b'=' | b'_' | b'+' | b'/')) || mixed || long >= 20;
    let shortest = if word == "basic" { 8 } else { 6 };
    if gap > 0 && random && long >= shortest { filled(gap, long) } else { None }
}

/// Whether a name is that of a secret. `plain` is the same in small letters.
fn is_secret(word: &str, plain: &str) -> bool {
    let known = NAMES.iter().any(|name| plain.contains(name));
    known || (is_variable(word) && (word.ends_with("_KEY") || word.ends_with("_AUTH") || word.ends_with("_PASS") || word == "KEY"))
}

/// A name as variables of the environment have it.
fn is_variable(word: &str) -> bool {
    word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn begins_the_line(line: &str, at: usize) -> bool {
    matches!(part(line, 0..at).trim(), "" | "export" | "remote:" | "export:" | "-e" | "ENV" | "set" | "+" | "+ export")
}

fn has_more_than_letters(said: &str) -> bool {
    said.len() >= 6
        && said.bytes().any(|byte| byte.is_ascii_digit() || matches!(byte, b'_' | b'+' | b'/' | b'=' | b'$' | b'!' | b'@' | b'#'))
        || said.starts_with(HIDDEN)
}

/// How long the text before a closing quotation mark is. A mark behind a backslash closes only what such a one has opened.
fn closing(inner: &str, mark: char, escaped: bool) -> usize {
    let mut slashed = false;
    for (at, c) in inner.char_indices() {
        if c == mark && (!slashed || escaped) {
            return if slashed { at.saturating_sub(1) } else { at };
        }
        slashed = c == '\\' && !slashed;
    }
    inner.len()
}
