//! Text from outside, made fit to be shown: no control characters, no secrets, not too long.

/// What stands where something was taken out.
pub const HIDDEN: &str = "[hidden]";

/// The longest text that is looked at, in bytes; what comes after is dropped.
const LONGEST: usize = 256 * 1024;

/// The longest line of an output, in characters.
const LONGEST_LINE: usize = 500;

/// How tokens of the services we speak to begin, with the shortest tail that makes one.
const TOKENS: [(&str, usize); 18] = [
    ("github_pat_", 10),
    ("ghp_", 10),
    ("gho_", 10),
    ("ghu_", 10),
    ("ghs_", 10),
    ("ghr_", 10),
    ("HRKU-", 8),
    ("xoxa-", 8),
    ("xoxb-", 8),
    ("xoxp-", 8),
    ("xoxe-", 8),
    ("xoxe.", 8),
    ("xoxr-", 8),
    ("xoxs-", 8),
    ("xoxc-", 8),
    ("xapp-", 8),
    ("AKIA", 16),
    ("ASIA", 16),
];

/// Words that make a name the name of a secret.
const SECRET_NAMES: [&str; 9] =
    ["password", "passwd", "secret", "token", "api_key", "apikey", "access_key", "private_key", "authorization"];

/// Words in the query of a link that make it a key to something.
const SECRET_KEYS: [&str; 11] =
    ["token", "sig", "secret", "pass", "key", "code", "credential", "auth", "x-amz", "session", "awsaccesskeyid"];

/// One line of at most `most` characters.
pub fn clean(text: &str, most: usize) -> String {
    let text = hide_tokens(&hide_links(&visible(head(text))));
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&one_line, most)
}

/// One line of at most `most` characters, without `secrets` in whatever form they stand.
pub fn clean_without(text: &str, most: usize, secrets: &[&str]) -> String {
    let mut text = head(text).to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= 6) {
        text = text.replace(secret, HIDDEN);
    }
    clean(&text, most)
}

/// The last lines of an output, at most `most`, each on its own. Of a line that was written over with carriage returns the
/// last state is kept; empty lines at the end are dropped.
pub fn last_lines(text: &str, most: usize) -> String {
    let mut in_key = false;
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let line = line.trim_end_matches('\r');
        let line = visible(line.rsplit('\r').find(|state| !state.trim().is_empty()).unwrap_or_default());
        let (begins, ends) = (line.contains("-----BEGIN "), line.contains("-----END "));
        if in_key || (begins && line.contains("PRIVATE KEY")) {
            in_key = !ends;
            if lines.last().map(String::as_str) != Some(HIDDEN) {
                lines.push(HIDDEN.to_owned());
            }
            continue;
        }
        lines.push(cut(hide_tokens(&hide_links(&line)).trim_end(), LONGEST_LINE));
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let first = lines.len().saturating_sub(most);
    lines.into_iter().skip(first).collect::<Vec<_>>().join("\n")
}

/// At most `most` characters; what was cut ends in an ellipsis.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// An address that people can open: absolute, `http` or `https`, without a user or password, and without the keys that a
/// signed query holds.
pub fn link(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let fit = matches!(url.scheme(), "http" | "https") && url.host().is_some() && url.username().is_empty() && url.password().is_none();
    let open = !url.query().is_some_and(is_key) && !text.chars().any(char::is_control) && text.len() <= 2000;
    (fit && open).then(|| url.into())
}

fn head(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

/// Drops terminal sequences, control characters, and characters that turn or hide text.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                Some('[') => while chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
                Some(']' | 'P' | 'X' | '^' | '_') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                Some('(' | ')' | '*' | '+' | '#' | '%') => drop(chars.next()),
                Some(_) | None => {}
            },
            '\u{9b}' => while chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
            '\n' | '\r' | '\t' => out.push(' '),
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Takes credentials and signed queries out of links.
fn hide_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = split(rest, at.saturating_add(3));
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '|')).unwrap_or(after.len());
        let (body, tail) = split(after, end);
        out.push_str(before);
        out.push_str(&hide_in_link(body));
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn hide_in_link(body: &str) -> String {
    let authority = body.find(['/', '?', '#']).unwrap_or(body.len());
    let user = match split(body, authority).0.rfind('@') {
        Some(at) => Some(at),
        // A password with a slash in it: what follows the colon is no port.
        None => split(body, authority)
            .0
            .split_once(':')
            .filter(|(_, port)| !port.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|_| body.find('@')),
    };
    let (hidden_user, body) = match user {
        Some(at) => (true, split(body, at.saturating_add(1)).1),
        None => (false, body),
    };
    let mut out = if hidden_user { format!("{HIDDEN}@") } else { String::new() };
    if body.starts_with("hooks.slack.com/") {
        out.push_str("hooks.slack.com/");
        out.push_str(HIDDEN);
        return out;
    }
    match body.split_once('?') {
        Some((path, query)) if is_key(query) => {
            out.push_str(path);
            out.push('?');
            out.push_str(HIDDEN);
        }
        Some(_) | None => out.push_str(body),
    }
    out
}

/// Whether a query opens something.
fn is_key(query: &str) -> bool {
    query.split(['&', ';', '#']).any(|pair| {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        SECRET_KEYS.iter().any(|key| name.contains(key))
    })
}

/// Takes tokens out, and the values of what is named like a secret.
fn hide_tokens(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let begins = !before.is_alphanumeric() && before != '_';
        let found = token(rest).or_else(|| begins.then(|| named(rest).or_else(|| bearer(rest)).or_else(|| signed(rest))).flatten());
        let (kept, length) = found.unwrap_or((c.len_utf8(), 0));
        out.push_str(split(rest, kept).0);
        if length > 0 {
            out.push_str(HIDDEN);
            before = ']';
        } else {
            before = c;
        }
        rest = split(rest, kept.saturating_add(length)).1;
    }
    out
}

/// How many bytes stay and how many go, if a token stands here.
fn token(rest: &str) -> Option<(usize, usize)> {
    TOKENS.iter().find_map(|(prefix, shortest)| {
        let tail = rest.strip_prefix(prefix)?;
        let long = run(tail, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
        (long >= *shortest).then_some((0, prefix.len().saturating_add(long)))
    })
}

/// `Bearer` or `Basic` and what follows, if that looks like a credential.
fn bearer(rest: &str) -> Option<(usize, usize)> {
    let word = run(rest, |c| c.is_ascii_alphabetic());
    let (word, tail) = split(rest, word);
    let shortest = match word.to_ascii_lowercase().as_str() {
        "bearer" => 6,
        "basic" => 16,
        _ => return None,
    };
    let gap = run(tail, |c| matches!(c, ' ' | ':'));
    let long = run(split(tail, gap).1, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '+' | '/' | '='));
    (gap > 0 && long >= shortest).then_some((word.len().saturating_add(gap), long))
}

/// A signed token of three parts.
fn signed(rest: &str) -> Option<(usize, usize)> {
    let long = run(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let whole = split(rest, long).0;
    (whole.starts_with("eyJ") && long >= 30 && whole.matches('.').count() >= 2).then_some((0, long))
}

/// The value after `NAME=` or `"name": "`, if the name is that of a secret.
fn named(rest: &str) -> Option<(usize, usize)> {
    let name = run(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let (word, tail) = split(rest, name);
    let word = word.to_ascii_lowercase().replace('-', "_");
    if !SECRET_NAMES.iter().any(|secret| word.contains(secret)) {
        return None;
    }
    let quoted = run(tail, |c| matches!(c, '"' | '\''));
    let after = split(tail, quoted).1;
    let gap = run(after, |c| matches!(c, ' ' | '=' | ':' | '>'));
    let sign = split(after, gap).0;
    let (value, mark) = quote(split(after, gap).1);
    let assigned = sign.contains('=') || (sign.contains(':') && (quoted > 0 || mark.is_some() || word == "authorization"));
    let long = match mark {
        Some(mark) => value.find(mark).unwrap_or(value.len()),
        None if word == "authorization" => value.len(),
        None => run(value, |c| !c.is_whitespace() && !matches!(c, '"' | '\'' | '&' | ',' | ';' | ')' | '}')),
    };
    let kept = name.saturating_add(quoted).saturating_add(gap).saturating_add(usize::from(mark.is_some()));
    (assigned && long > 0).then_some((kept, long))
}

/// The text behind a quotation mark, and the mark.
fn quote(text: &str) -> (&str, Option<char>) {
    match text.chars().next() {
        Some(mark @ ('"' | '\'')) => (split(text, 1).1, Some(mark)),
        Some(_) | None => (text, None),
    }
}

/// How many bytes from the start are made of such characters.
fn run(text: &str, such: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !such(c)).unwrap_or(text.len())
}

fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out() {
        let long = "a1B2c3D4e5F6g7H8i9J0";
        for (dirty, clean_text) in [
            (format!("bad token ghp_{long} given"), "bad token [hidden] given"),
            (format!("x=ghs_123_eyJ{long}.{long}.{long}!"), "x=[hidden]!"),
            (format!("github_pat_{long}_{long}"), "[hidden]"),
            (format!("HRKU-AA{long}"), "[hidden]"),
            (format!("xoxb-12-{long}, xoxe.xoxp-1-{long}"), "[hidden], [hidden]"),
            ("key AKIAABCDEFGHIJKLMNOP.".to_owned(), "key [hidden]"),
            (format!("Authorization: Bearer {long}"), "Authorization: [hidden]"),
            (format!("sent bearer {long}"), "sent bearer [hidden]"),
            ("see https://user:pa/ss@example.com/x".to_owned(), "see https://[hidden]@example.com/x"),
            ("git+https://tok@example.com/x.git".to_owned(), "git+https://[hidden]@example.com/x.git"),
            ("https://c.example.com/a?token=abc&x=1 went".to_owned(), "https://c.example.com/a?[hidden] went"),
            ("https://s.example.com/a?X-Amz-Signature=ab".to_owned(), "https://s.example.com/a?[hidden]"),
            ("https://hooks.slack.com/services/T/B/x".to_owned(), "https://hooks.slack.com/[hidden]"),
            ("SECRET_KEY_BASE=abcdef next".to_owned(), "SECRET_KEY_BASE=[hidden] next"),
            (r#"{"access_token": "abc", "a": 1}"#.to_owned(), r#"{"access_token": "[hidden]", "a": 1}"#),
        ] {
            assert_eq!(clean(&dirty, 300), clean_text);
        }
    }

    #[test]
    fn plain_words_stay() {
        for text in [
            "Bad credentials",
            "token expired: sign in again",
            "see https://example.com:8080/a/b@v1?page=2",
            "No commit found for SHA: xyz",
            "Basic authentication is off",
            "Résumé ✓ für alle",
        ] {
            assert_eq!(clean(text, 300), text);
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
        for bad in ["/a", "ftp://example.com", "https://u:p@example.com", "https://example.com?token=1", "javascript:alert(1)"] {
            assert_eq!(link(bad), None, "{bad}");
        }
    }
}
