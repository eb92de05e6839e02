//! Words to commands, with errors that point at the word and suggest.

use super::command::{Command, Verb};

/// What was not understood, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misunderstood {
    /// The text, without a code.
    pub text: String,
    /// Where in the text, in bytes: start and end of the word. Empty at the end where something is missing.
    pub at: std::ops::Range<usize>,
    /// What would have been understood there, as the end of a sentence.
    pub expected: String,
    /// The word that was probably meant.
    pub nearest: Option<String>,
    /// The command it was read as, for its usage.
    pub verb: Option<Verb>,
}

/// Splits a one-time code off the end of a text, before anything else looks at it.
pub fn split_code(text: &str) -> (&str, Option<&str>) {
    (text, None)
}

/// Understands a text.
pub fn parse(text: &str) -> Result<Command, Misunderstood> {
    let _ = text;
    Ok(Command::Help { about: None })
}
