//! A text that was not understood.

use crate::domain::message::{Audience, Message, Tone, code, text};
use crate::domain::parse::Misunderstood;

use super::help::typed;
use super::words::{cut, sentence};

/// How much is shown on either side of the word, in characters.
const AROUND: usize = 60;
/// How much of the word is shown.
const WORD: usize = 60;

/// Shows the wrong word, what would have been understood there, what was probably meant, and the usage. For the asker only.
pub fn misunderstood(wrong: &Misunderstood, command_word: &str) -> Message {
    let headline = vec![text("I do not understand "), code(marked(wrong, command_word))];
    let mut message = Message::new(Tone::Bad, Audience::Asker, headline);
    let mut expected = vec![text(if wrong.at.is_empty() { "Missing there: " } else { "Expected there: " })];
    expected.extend(sentence(&wrong.expected));
    expected.push(text("."));
    message.lines.push(expected);
    if let Some(corrected) = wrong.corrected() {
        message.lines.push(vec![text("Did you mean "), code(typed(command_word, &corrected)), text("?")]);
    }
    message.lines.push(match wrong.verb {
        Some(verb) => vec![text("Usage: "), code(typed(command_word, verb.row().usage))],
        None => vec![code(typed(command_word, "help")), text(" lists the commands.")],
    });
    message
}

/// The text around the word, the word between marks.
fn marked(wrong: &Misunderstood, command_word: &str) -> String {
    let (before, word, behind) = wrong.parts();
    let skipped = before.chars().count().saturating_sub(AROUND);
    let mut shown = if skipped > 0 {
        "…".to_owned()
    } else if command_word.is_empty() || before.starts_with('/') {
        String::new()
    } else {
        format!("{command_word} ")
    };
    shown.extend(before.chars().skip(skipped));
    let gap = word.is_empty() && !shown.is_empty() && !shown.ends_with([' ', '/']);
    shown.push_str(if gap { " »" } else { "»" });
    shown.push_str(&cut(if word.is_empty() { "…" } else { word }, WORD));
    shown.push('«');
    shown.push_str(&cut(behind, AROUND));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::parse::parse;
    use crate::domain::speech::testing::plain;

    fn said(words: &str) -> String {
        plain(&misunderstood(&parse(words).unwrap_err(), "/h"))
    }

    #[test]
    fn the_word_is_marked_and_the_command_mended() {
        assert_eq!(
            said("deploy web to stagin"),
            "I do not understand /h deploy web to »stagin«\n\
             Expected there: an environment: review, development, staging or production.\n\
             Did you mean /h deploy web to staging?\n\
             Usage: /h deploy[!] PIPELINE[/REF] [to ENV[/APP]] [when green] [ask me] [because WHY] [CODE]"
        );
        assert_eq!(said("frobnicate"), "I do not understand /h »frobnicate«\nExpected there: a command.\n/h help lists the commands.");
        assert!(said("deploy").starts_with("I do not understand /h deploy »…«\nMissing there: the name of a pipeline."));
        assert!(said("deploy! web").contains("Did you mean /h deploy! web because …?"));
    }

    #[test]
    fn long_texts_are_cut_around_the_word() {
        let long = format!("deploy web to {} {}", "x".repeat(500), "y ".repeat(500));
        let message = misunderstood(&parse(&long).unwrap_err(), "/h");
        assert!(plain(&Message { lines: vec![], ..message }).chars().count() < 250);
    }

    #[test]
    fn a_code_in_the_wrong_place_is_not_repeated() {
        assert!(!said("deploy web 123456 to staging").contains("123456"));
    }
}
