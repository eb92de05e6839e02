//! Text from outside, made fit to be shown: no control characters, no secrets, not too long.
//!
//! What a secret is told by: its own shape (`tokens`), the link it stands in (`links`), the block around it (`pem`), or
//! the words before it (`named`). In doubt it goes: whoever needs the text as it was finds it at the service.

mod links;
mod named;
mod pem;
mod tokens;
mod visible;

#[cfg(test)]
mod shapes_tests;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::domain::secret::SecretKind;

use visible::{Lines, visible};

/// What stands where something was taken out.
pub const HIDDEN: &str = "[hidden]";

/// The longest text that is looked at, in bytes; what comes after is dropped.
const LONGEST: usize = 256 * 1024;

/// The longest line of an output, in characters.
const LONGEST_LINE: usize = 500;

/// How often a text is looked at again because something was taken out of it.
const ROUNDS: usize = 4;

/// One line of at most `most` characters.
pub fn clean(text: &str, most: usize) -> String {
    let lines = hidden(&visible(head(text)));
    let one_line = lines.split_whitespace().collect::<Vec<_>>().join(" ");
    // What stood in several lines reads on now.
    cut(&hidden(&one_line), most)
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
    let text = hidden(&visible(text));
    let last_state = |line: &str| line.rsplit('\r').find(|state| !state.trim().is_empty()).unwrap_or_default().trim_end().to_owned();
    let mut lines: Vec<String> = text.split('\n').map(|line| cut(&last_state(line), LONGEST_LINE)).collect();
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

/// What a text looks like to hold that is to be kept nowhere; `None`: nothing. Surer than what is taken out of texts from outside: people
/// are refused for it.
pub fn secret_in(text: &str) -> Option<SecretKind> {
    let text = visible(head(text));
    let lines = Lines::of(&text);
    let mut blocks = Vec::new();
    pem::find(&lines, &mut blocks);
    let key = (!blocks.is_empty()).then_some(SecretKind::PrivateKey);
    let named = || lines.each().any(|line| named::assigns(part(lines.joined(), line))).then_some(SecretKind::Other);
    key.or_else(|| tokens::surely(&lines)).or_else(|| links::opens(&lines).then_some(SecretKind::Link)).or_else(named)
}

/// An address that people can open: absolute, `http` or `https`, without a user or password, without the keys that a signed
/// query holds, and none that is a key itself.
pub fn link(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let fit = matches!(url.scheme(), "http" | "https") && url.host().is_some() && url.username().is_empty() && url.password().is_none();
    let open = !text.chars().any(char::is_control) && text.len() <= 2000;
    let url = String::from(url);
    (fit && open && hidden(&url) == url).then_some(url)
}

/// The beginning of a text. Where it is cut, the last word goes: it may have lost what it would be known by.
fn head(text: &str) -> &str {
    if text.len() <= LONGEST {
        return text;
    }
    let whole = within(text, LONGEST);
    part(whole, 0..whole.rfind(char::is_whitespace).unwrap_or_default())
}

/// A text without secrets. Line ends stay, but for those within what was taken out.
fn hidden(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..ROUNDS {
        let lines = Lines::of(&text);
        let mut spans = Vec::new();
        pem::find(&lines, &mut spans);
        tokens::find(&lines, &mut spans);
        links::find(&lines, &mut spans);
        for line in lines.each() {
            named::find(part(lines.joined(), line.clone()), line.start, &mut spans);
        }
        spans.retain(|span| !is_hidden(part(lines.joined(), span.clone())));
        let next = lines.without(merged(spans));
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// Whether this is our own mark, whole or cut, and nothing else that says something.
fn is_hidden(text: &str) -> bool {
    let rest = text.strip_prefix(HIDDEN).or_else(|| text.strip_suffix('…').filter(|cut| HIDDEN.starts_with(cut)).map(|_| ""));
    rest.is_some_and(|rest| !rest.contains(char::is_alphanumeric))
}

/// The spans in order, those that overlap as one.
fn merged(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.sort_by_key(|span| (span.start, span.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            Some(_) | None => merged.push(span),
        }
    }
    merged
}

/// A part of a text; nothing where there is none.
fn part(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

/// The beginning of a text, at most so many bytes of it.
fn within(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    part(text, 0..end)
}

/// How many bytes from the start are made of such characters.
fn run(text: &str, such: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !such(c)).unwrap_or(text.len())
}
