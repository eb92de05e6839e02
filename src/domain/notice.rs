//! Notices: what people are told without having asked for it just then, and who does not want to be told for a while.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::Person;

/// What a person is told directly, because something of theirs has gone on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The turn of their deploy came.
    Turn,
    /// Their deploy has ended by itself or by them, and its card says so.
    End,
    /// Their deploy has ended, and nothing else in the chat says so.
    EndUnseen,
    /// Their deploy waits for an answer, or nobody knows how it stands: somebody has to act.
    ToActOn,
    /// Their lock ends soon, or goes on and on.
    LockReminder,
    /// Their lock has run out.
    LockRanOut,
    /// Somebody else stopped, freed, took over or took back something of theirs.
    ByOthers,
}

/// That a person does not want to be told for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// Who.
    pub person: Person,
    /// When they said so last.
    pub since: Timestamp,
    /// Until when; `None`: until they take it back.
    pub until: Option<Timestamp>,
}

impl Mute {
    /// Whether it holds at a moment.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether it keeps a notice from them: news of what is theirs, and never what somebody has to act on, what others did to what is
    /// theirs, or what is said nowhere else.
    pub fn hides(&self, notice: Notice, now: Timestamp) -> bool {
        self.holds(now)
            && match notice {
                Notice::Turn | Notice::End | Notice::LockReminder | Notice::LockRanOut => true,
                Notice::EndUnseen | Notice::ToActOn | Notice::ByOthers => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::samples::{at, person};

    #[test]
    fn news_are_kept_from_whoever_is_muted_and_nothing_else() {
        let mute = |until| Mute { person: person("ana"), since: at(0), until };
        for (notice, hidden) in [
            (Notice::Turn, true),
            (Notice::End, true),
            (Notice::LockReminder, true),
            (Notice::LockRanOut, true),
            (Notice::EndUnseen, false),
            (Notice::ToActOn, false),
            (Notice::ByOthers, false),
        ] {
            assert_eq!(mute(None).hides(notice, at(1_000_000)), hidden, "{notice:?}");
            assert_eq!(mute(Some(at(9))).hides(notice, at(8)), hidden, "{notice:?}");
            assert!(!mute(Some(at(9))).hides(notice, at(9)), "{notice:?}");
        }
    }
}
