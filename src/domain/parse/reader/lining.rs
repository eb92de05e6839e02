//! The words of a line: who stands in it, and where somebody is to stand.

use crate::domain::command::{Command, MoveWish, Spot};
use crate::domain::pipeline::{Environment, nearest};
use crate::domain::source::AskedRef;

use super::{Misunderstood, Reader, Word, is_preposition};

const A_SPOT: &str = "`first`, `last`, or a place among those who wait, as `2`";

impl Reader<'_> {
    /// A line to show, or a place in it to change.
    pub(in crate::domain::parse) fn queue(&mut self) -> Result<Command, Misunderstood> {
        // A pipeline may be called so: then nothing or a place follows.
        let mut ahead = self.words.clone();
        let moves = ahead.next().is_some_and(|word| word.lower() == "move")
            && ahead.next().is_some_and(|word| !is_preposition(&word) || !ahead.next().is_some_and(|word| is_environment(&word)));
        if !moves {
            return self.place_in_pipeline().map(Command::Queue);
        }
        self.words.next();
        let (word, pipeline, rest) = self.key()?;
        let what = match rest {
            None => AskedRef::Default,
            Some(at) => self.asked_ref(&word, at)?,
        };
        let place = if self.words.next_if(is_preposition).is_some() { Some(self.named_place()?) } else { None };
        Ok(Command::QueueMove(MoveWish { pipeline, what, place, to: self.spot()? }))
    }

    fn spot(&mut self) -> Result<Spot, Misunderstood> {
        let Some(word) = self.words.next() else { return Err(self.missing(A_SPOT, Some("last"))) };
        match word.lower().as_str() {
            "first" => Ok(Spot::First),
            "last" => Ok(Spot::Last),
            lower => match lower.parse() {
                Ok(place) if place > 0 => Ok(Spot::Nth(place)),
                Ok(_) | Err(_) => Err(self.wrong(word.at, A_SPOT, nearest(lower, ["first", "last"]))),
            },
        }
    }
}

/// Whether a word names an environment, with an app behind it or without.
fn is_environment(word: &Word) -> bool {
    word.lower().split('/').next().is_some_and(|first| Environment::from_word(first).is_some())
}
