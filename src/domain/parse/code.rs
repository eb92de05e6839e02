//! One-time codes at the end of a text, and quotes around words.

use std::borrow::Cow;

/// Letters of a code that a security key types: the same keys on every keyboard.
const MODHEX: &[u8] = b"cbdefghijklnrtuv";

/// Between words.
pub(super) fn is_gap(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// Invisible, of no width: copied along with other text, never meant.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Whether a word alone is shaped like a one-time code: 6 to 8 digits, or 32 to 48 modhex letters of any case.
pub fn is_code(word: &str) -> bool {
    let digits = (6..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    let modhex = (32..=48).contains(&word.len()) && word.bytes().all(|byte| MODHEX.contains(&byte.to_ascii_lowercase()));
    digits || modhex
}

/// A text that is a one-time code and nothing else, blanks within it or not, as apps show them; without the blanks.
pub fn code_alone(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| !is_gap(*c) && !is_invisible(*c)).collect();
    is_code(&bare).then_some(bare)
}

/// The code in a word, also where a chat has made a telephone link of it, or where something invisible was copied along.
fn code_in(word: &str) -> Option<Cow<'_, str>> {
    let word = visible(word);
    let within = word.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    match within.map(|link| link.rsplit(['|', ':']).next().unwrap_or(link)) {
        Some(inner) => is_code(inner).then(|| Cow::Owned(inner.to_owned())),
        None => is_code(&word).then_some(word),
    }
}

/// What can be seen of a word.
fn visible(word: &str) -> Cow<'_, str> {
    if word.contains(is_invisible) { word.chars().filter(|c| !is_invisible(*c)).collect::<String>().into() } else { word.into() }
}

/// Splits a one-time code off the end of a text, before anything else looks at it. The last word that is shaped like a
/// code is one, whatever stands before it, also alone; in quotes it is none.
pub fn split_code(text: &str) -> (&str, Option<Cow<'_, str>>) {
    let bare = unfenced(text.trim_matches(|c| is_gap(c) || is_invisible(c)));
    let start = bare.char_indices().rev().find(|(_, c)| is_gap(*c)).map_or(0, |(at, c)| at.saturating_add(c.len_utf8()));
    let (before, last) = bare.split_at_checked(start).unwrap_or((bare, ""));
    match code_in(last) {
        Some(code) => (before.trim_end_matches(is_gap), Some(code)),
        None => (text, None),
    }
}

/// Without the fences of pasted code around the whole.
pub(super) fn unfenced(text: &str) -> &str {
    if text.len() < 2 || !text.starts_with('`') || !text.ends_with('`') {
        return text;
    }
    text.trim_matches('`').trim_matches(is_gap)
}

#[derive(PartialEq)]
enum Quote {
    Double,
    Single,
    Fence,
}

fn quote(c: char) -> Option<Quote> {
    match c {
        '"' | '“' | '”' | '„' | '‟' | '«' | '»' => Some(Quote::Double),
        '\'' | '‘' | '’' | '‚' | '‛' => Some(Quote::Single),
        '`' => Some(Quote::Fence),
        _ => None,
    }
}

/// Whether it is a quote of any kind, curly or straight.
pub(super) fn is_quote(c: char) -> bool {
    quote(c).is_some()
}

/// What stands between the first and the last character, where both are quotes of one kind.
fn between_quotes(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    let kind = quote(chars.next()?)?;
    (quote(chars.next_back()?)? == kind).then_some(chars.as_str())
}

/// A reason without the quotes around the whole of it. Quotes around its parts stay: `"a" and "b"` is left alone, while
/// one more pair around something quoted, or around something that ends like a code, comes off.
pub fn unquoted(text: &str) -> &str {
    let Some(inner) = between_quotes(text) else { return text };
    let whole = !inner.contains(is_quote) || between_quotes(inner).is_some() || split_code(inner).1.is_some();
    if whole { inner } else { text }
}

/// A word without quotes around it.
pub(super) fn unquoted_word(word: &str) -> &str {
    between_quotes(word).filter(|inner| !inner.is_empty()).unwrap_or(word)
}

/// The text with everything that is shaped like a code made unreadable, byte for byte of the same length.
pub(super) fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_gap) {
        let word = piece.trim_matches(|c| is_gap(c) || is_invisible(c) || is_quote(c));
        if is_code(&visible(word)) {
            masked.push_str(&piece.replace(word, &"*".repeat(word.len())));
        } else {
            masked.push_str(piece);
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "cccccckdvvulgjvtkjdhtlrbjjctggdihuevikehtlil";

    fn split_code(text: &str) -> (&str, Option<String>) {
        let (before, code) = super::split_code(text);
        (before, code.map(Cow::into_owned))
    }

    fn some(code: &str) -> Option<String> {
        Some(code.to_owned())
    }

    #[test]
    fn the_last_word_that_looks_like_a_code_is_one() {
        assert_eq!(split_code("deploy web to production 123456"), ("deploy web to production", some("123456")));
        assert_eq!(split_code("deploy web 12345678 \n"), ("deploy web", some("12345678")));
        assert_eq!(split_code("deploy! web because it is ticket 123456"), ("deploy! web because it is ticket", some("123456")));
        let upper = KEY.to_uppercase();
        for key in [KEY, upper.as_str()] {
            assert_eq!(split_code(&format!("deploy web\u{a0}{key}")), ("deploy web", some(key)));
        }
        assert_eq!(split_code("123456"), ("", some("123456")));
        assert_eq!(split_code("`deploy web 123456`"), ("deploy web", some("123456")));
        assert_eq!(split_code("deploy web <tel:123456|123456>"), ("deploy web", some("123456")));
        assert_eq!(split_code("deploy web 123456\u{200b}"), ("deploy web", some("123456")));
        assert_eq!(split_code("deploy web 12\u{200b}34\u{2060}56"), ("deploy web", some("123456")));
        assert_eq!(split_code("deploy web because \"see 123456\" 654321"), ("deploy web because \"see 123456\"", some("654321")));
    }

    #[test]
    fn other_words_are_none() {
        for text in [
            "",
            "deploy web",
            "deploy web#123456",
            "deploy web/123456",
            "deploy web #123456",
            "deploy web to staging/123456",
            "deploy web because \"it is ticket 123456\"",
            "deploy web because “it is ticket 123456”",
            "deploy web 12345",
            "deploy web 123456789",
            "deploy web/27bd10a",
            "deploy web 123456 to staging",
            "deploy web cccccckdvvulgjvtkjdhtlrbjjctgga",
        ] {
            assert_eq!(split_code(text), (text, None), "{text}");
        }
    }

    #[test]
    fn quotes_around_a_whole_reason_come_off() {
        assert_eq!(unquoted("\"a b\""), "a b");
        assert_eq!(unquoted("“a b”"), "a b");
        assert_eq!(unquoted("\"a\" and \"b\""), "\"a\" and \"b\"");
        assert_eq!(unquoted("\"\"a\"\""), "\"a\"");
        assert_eq!(unquoted("\"say \"x\" 123456\""), "say \"x\" 123456");
        assert_eq!(unquoted("\""), "\"");
        assert_eq!(unquoted("\"a'"), "\"a'");
    }

    #[test]
    fn a_code_in_the_wrong_place_is_not_repeated() {
        assert_eq!(masked("deploy web 123456 to \"654321\""), "deploy web ****** to \"******\"");
        assert_eq!(masked("deploy web 12\u{200b}3456 to"), "deploy web ********* to");
        assert_eq!(masked("deploy web/123456"), "deploy web/123456");
    }
}
