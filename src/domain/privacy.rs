//! Every kind of stored record: what it holds, about whom, why, for how long and where it goes. `PRIVACY.md` carries this table.

mod counts;
mod kinds;
mod month;
mod naming;
mod notes;
mod operators;
mod removal;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
mod texts;

use std::fmt;

pub use counts::{Counting, Counts, Ended, Group, SMALLEST_GROUP};
pub use kinds::RECORD_KINDS;
pub use month::{KEPT_MONTHS, Month, NoMonth};
pub use naming::without_name;
pub use notes::{Deed, Did, Export, Note, NoteKey, NoteKind, Noted, Removal, RemovalStage, Told, Upkeep};
pub use operators::{OperatorAsks, Wanted};
pub use removal::{departed, is_departed, is_pseudonym, pseudonym};
pub use texts::{CURRENT_TEXT, PrivacyPage, TEXTS, Text, changed_since, text_of};

/// Within how many days after a removal nothing of it is left in the store's files.
pub const FILES_WITHIN_DAYS: i64 = 7;

/// Whom a field tells something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The person who asked, or whose record it is.
    You,
    /// Other people.
    Others,
    /// Nobody: the work, or the service itself.
    Work,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::You => "you",
            Self::Others => "other people",
            Self::Work => "the work",
        })
    }
}

/// Fields of a record that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// What they hold, in words.
    pub what: &'static str,
    /// About whom.
    pub about: About,
    /// Where in the record, as names with dots between; `[]` stands for all of a list and `*` for one name that differs.
    pub places: &'static [&'static str],
    /// Where in each of these places, `.` for the place itself. None: the places are all there is.
    pub parts: &'static [&'static str],
}

impl Field {
    /// Every path that it declares.
    pub fn all_paths(&self) -> impl Iterator<Item = String> {
        let whole: &[&str] = if self.parts.is_empty() { &["."] } else { self.parts };
        self.places
            .iter()
            .flat_map(move |place| whole.iter().map(move |part| if *part == "." { (*place).to_owned() } else { format!("{place}.{part}") }))
    }
}

/// The fields of everything that lies in a tree.
pub fn fields_of(tree: &str) -> impl Iterator<Item = &'static Field> {
    RECORD_KINDS.iter().filter(move |kind| kind.tree == tree).flat_map(|kind| kind.fields)
}

/// One kind of record in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordKind {
    /// What people call it.
    pub name: &'static str,
    /// The name of its tree, or of its table in the history. Several kinds may share one.
    pub tree: &'static str,
    /// What one of them is, and about whom.
    pub holds: &'static str,
    /// Why.
    pub why: &'static str,
    /// How long.
    pub kept: &'static str,
    /// Who outside the store gets something of it.
    pub goes: &'static str,
    /// Everything that is in one, as a list that lacks nothing.
    pub fields: &'static [Field],
}
