//! What a person types: understood or pointed at, and a code in it is never repeated.

use crate::domain::command::Command;
use crate::domain::message::Message;
use crate::domain::parse::{self, Misunderstood, is_code, is_invisible, split_code};
use crate::domain::speech;

/// A code that comes behind any text.
const CODE: &str = "94037182";

pub(super) fn holds(bytes: &[u8]) {
    let typed = String::from_utf8_lossy(bytes);
    understood_or_pointed_at(&typed);
    let (before, code) = split_code(&typed);
    assert!(typed.contains(before), "what stands before a code was typed");
    if let Some(code) = code {
        assert!(is_code(&code), "a code is one");
        not_repeated(before, &code);
    }
    let with_code = format!("{typed} {CODE}");
    let (before, code) = split_code(&with_code);
    assert_eq!(code.as_deref(), Some(CODE), "a code at the end is found behind anything");
    not_repeated(before, CODE);
}

fn understood_or_pointed_at(text: &str) {
    match parse::parse(text) {
        Ok(command) => reads_back(&command),
        Err(wrong) => points_into_the_text(&wrong),
    }
}

fn reads_back(command: &Command) {
    let shown = command.to_string();
    assert_eq!(split_code(&shown).1, None, "what is shown ends in no code: {shown}");
    assert_eq!(parse::parse(&shown).as_ref(), Ok(command), "what is shown reads back: {shown}");
}

fn points_into_the_text(wrong: &Misunderstood) {
    assert!(wrong.text.get(wrong.at.clone()).is_some(), "the word stands in the text, whole characters of it: {wrong:?}");
    let (before, word, behind) = wrong.parts();
    assert_eq!(format!("{before}{word}{behind}"), wrong.text);
    assert!(!wrong.expected.is_empty());
    for word in words(&wrong.text).chain(words(&wrong.corrected().unwrap_or_default())) {
        assert!(!is_code(&word), "a word like a code is repeated in {:?}", wrong.text);
    }
    let said = format!("{:?}", speech::misunderstood(wrong, "/h"));
    assert!(said.len() < 20_000, "an answer is short, however long the text");
}

/// Words as a person sees them.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| c.is_whitespace() || c.is_control()).map(|word| word.chars().filter(|c| !is_invisible(*c)).collect())
}

/// A code that was split off is in nothing that comes of what stood before it.
fn not_repeated(before: &str, code: &str) {
    if before.to_ascii_lowercase().contains(&code.to_ascii_lowercase()) {
        return;
    }
    let outcome = parse::parse(before);
    let said: Option<Message> = outcome.as_ref().err().map(|wrong| speech::misunderstood(wrong, "/h"));
    let all = format!("{outcome:?} {said:?}");
    assert!(!all.to_ascii_lowercase().contains(&code.to_ascii_lowercase()), "a code is repeated");
}
