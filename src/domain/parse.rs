//! Words to commands, with errors that point at the word and suggest.

mod changes;
mod code;
mod mentions;
mod reader;
mod tidy;

#[cfg(test)]
mod tests;

use super::command::{COMMANDS, Command, Verb};
use super::pipeline::{PipelineKey, Place};
use super::source::AskedRef;

use reader::Reader;

pub use changes::changes_in;
pub use code::{code_alone, is_code, is_invisible, split_code, unquoted};
pub use mentions::{Mention, Mentions};

/// How many slips in one text are mended for a suggestion.
const REPAIRS: usize = 4;

/// What was not understood, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misunderstood {
    /// The text as it was read: on one line, without the chat's mark-up, and with everything that is shaped like a
    /// one-time code made unreadable.
    pub text: String,
    /// Where in the text, in bytes: start and end of the word. Empty at the end where something is missing.
    pub at: std::ops::Range<usize>,
    /// What would have been understood there, as the end of a sentence. Our own words; what is typed stands in backticks.
    pub expected: String,
    /// What was probably meant in place of the word.
    pub nearest: Option<String>,
    /// The command it was read as, for its usage.
    pub verb: Option<Verb>,
}

impl Misunderstood {
    /// The text before the word, the word, and the text behind it.
    pub fn parts(&self) -> (&str, &str, &str) {
        let part = |range: std::ops::Range<usize>| self.text.get(range).unwrap_or_default();
        (part(0..self.at.start), part(self.at.clone()), part(self.at.end..self.text.len()))
    }

    /// The text with what was probably meant, other slips mended as well; `None`: no idea.
    pub fn corrected(&self) -> Option<String> {
        let mut text = self.mended()?;
        for _ in 1..REPAIRS {
            let Some(better) = parse(&text).err().and_then(|next| next.mended()) else { break };
            text = better;
        }
        Some(text)
    }

    fn mended(&self) -> Option<String> {
        let meant = self.nearest.as_deref()?;
        let (before, _, behind) = self.parts();
        let gap = if before.is_empty() || before.ends_with(char::is_whitespace) || !self.at.is_empty() { "" } else { " " };
        Some(format!("{before}{gap}{meant}{behind}"))
    }
}

/// Understands a text from which a code has been split off already. Nothing at all asks for help.
pub fn parse(text: &str) -> Result<Command, Misunderstood> {
    parse_mentioning(text, &Mentions::default())
}

/// The same, where the chat says beside the text whom and what some of its words name.
pub fn parse_mentioning(text: &str, mentions: &Mentions) -> Result<Command, Misunderstood> {
    let text = tidy::tidy(text);
    let mut reader = Reader::new(&text, mentions);
    let Some((verb, passing_checks)) = reader.verb()? else { return Ok(Command::Help { about: None }) };
    let command = match verb {
        Verb::Help => Command::Help { about: reader.about()? },
        Verb::Login => Command::Login,
        Verb::Logout => Command::Logout,
        Verb::WhoAmI => Command::WhoAmI,
        Verb::Pipelines => Command::Pipelines,
        Verb::Info => Command::Info { pipeline: reader.pipeline()? },
        Verb::Plan => Command::Plan(reader.wish()?),
        Verb::Deploy => {
            let wish = reader.wish()?;
            let terms = reader.terms(passing_checks)?;
            Command::Deploy { wish, passing_checks, because: reader.because(passing_checks)?, terms }
        }
        Verb::Status => Command::Status { pipeline: if reader.is_at_end() { None } else { Some(reader.pipeline()?) } },
        Verb::Queue => reader.queue()?,
        Verb::Leave => Command::Leave { line: if reader.is_at_end() { None } else { Some(reader.place_in_pipeline()?) } },
        Verb::Cancel => Command::Cancel { place: reader.place_in_pipeline()?, because: reader.because(false)? },
        Verb::Free => Command::Free { place: reader.place_in_pipeline()?, because: reader.why()? },
        Verb::Releases => Command::Releases(reader.place_in_pipeline()?),
        Verb::Where => Command::Where(reader.seek()?),
        Verb::Diff => Command::Diff(reader.stretch()?),
        Verb::Promote => reader.promote(passing_checks)?,
        Verb::Rollback => reader.rollback()?,
        Verb::Lock => Command::Lock(reader.lock()?),
        Verb::Unlock => reader.unlock()?,
        Verb::Locks => Command::Locks,
        Verb::Mute => Command::Mute { end: reader.mute()? },
        Verb::Unmute => Command::Unmute,
        Verb::Route => Command::Route(reader.route()?),
        Verb::Routes => Command::Routes,
        Verb::Unroute => reader.unroute()?,
        Verb::History => reader.history()?,
        Verb::Rules => Command::Rules { wish: reader.rules_wish()? },
        Verb::Privacy => Command::Privacy { wish: reader.privacy_wish()? },
        Verb::Doctor => Command::Doctor,
    };
    reader.end()?;
    Ok(command)
}

/// Whether a text asks for nothing in particular: it is empty, or the chat's own command word alone.
pub fn says_nothing(text: &str) -> bool {
    let gap = |c: char| c.is_whitespace() || c.is_control() || is_invisible(c);
    let bare = text.trim_matches(gap);
    bare.is_empty() || (bare.starts_with('/') && !bare.contains(gap))
}

/// A pipeline by its name or its id, and nothing else.
pub fn pipeline_alone(text: &str) -> Option<PipelineKey> {
    alone(text, "", |reader| reader.pipeline())
}

/// A branch, a tag, a commit or the `#123` of a pull request, and nothing else.
pub fn ref_alone(text: &str) -> Option<AskedRef> {
    alone(text, "pipeline/", |reader| reader.wish()).map(|wish| wish.what)
}

/// An environment, and an app in it if one is named, and nothing else.
pub fn place_alone(text: &str) -> Option<Place> {
    alone(text, "pipeline to ", |reader| reader.wish()).and_then(|wish| wish.to)
}

/// One word behind what makes it a part of a command.
fn alone<T>(word: &str, before: &str, read: impl FnOnce(&mut Reader<'_>) -> Result<T, Misunderstood>) -> Option<T> {
    let word = word.trim();
    if word.is_empty() || word.contains(char::is_whitespace) {
        return None;
    }
    let (text, nobody) = (tidy::tidy(&format!("{before}{word}")), Mentions::default());
    let mut reader = Reader::new(&text, &nobody);
    let read = read(&mut reader).ok()?;
    reader.end().ok().map(|()| read)
}

/// All first words, with or without `!`.
fn verb_words(passing_checks: bool) -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().flat_map(|row| row.words.iter().copied()).filter(move |word| word.ends_with('!') == passing_checks)
}
