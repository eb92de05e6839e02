//! The records that privacy itself needs: who was told what, what is to be removed, what operators did, and how far upkeep is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::actor::Person;
use crate::domain::names::{PipelineId, UserId, WorkspaceId};
use crate::domain::notice::Mute;
use crate::domain::rights::{Entry, Rules};
use crate::domain::route::Routes;
use crate::domain::sign_in::Digest;

use super::counts::Counts;
use super::month::Month;

/// How far upkeep is. There is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upkeep {
    /// The version of the privacy page that people know of whom no word is kept.
    pub known_version: u32,
    /// The month whose numbers are kept and whose deployments are going.
    pub dropping: Option<Month>,
    /// When everything was last found as it should be.
    pub settled_at: Option<Timestamp>,
    /// How many deployments have gone because their time was over.
    pub dropped: u64,
    /// How many people were removed.
    pub removed: u64,
    /// Since when something that was removed is perhaps still in the files.
    pub rewrite_since: Option<Timestamp>,
    /// When the files were last written anew.
    pub rewritten_at: Option<Timestamp>,
}

/// Which version of the privacy page a person knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Who.
    pub person: Person,
    /// The version that they were told of last, or that was the newest when they came.
    pub version: u32,
    /// The last month in which they asked for something.
    pub seen: Month,
    /// When they came, or were told first. Older records do not say.
    #[serde(default)]
    pub since: Option<Timestamp>,
}

/// How far the removal of a person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovalStage {
    /// It was asked for. What they have going on ends first.
    Asked,
    /// It is done, and they are to be told.
    Done {
        /// When.
        at: Timestamp,
    },
}

/// Somebody who is being removed. Gone when they were told that it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Who.
    pub person: Person,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// What stands for them in deployments; random.
    pub seed: Uuid,
    /// How far it is.
    pub stage: RemovalStage,
}

/// A link by which a person gets everything that is kept about them, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// What the link is known by.
    pub link: Digest,
    /// Whose.
    pub person: Person,
    /// Until when.
    pub until: Timestamp,
}

/// What an operator did with somebody's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// Looked at how much there is.
    Looked,
    /// Took all of it.
    Exported,
    /// Had it removed.
    Removed,
    /// Took a backup of everything.
    BackedUp,
}

/// That an operator did something with somebody's records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Which operator: the system's number of the user who asked, and the name they gave.
    pub by: String,
    /// What.
    pub did: Did,
    /// With whose records; the name that stands for them, once they are removed. `None`: with everybody's.
    pub about: Option<Person>,
    /// Why, in the operator's words.
    pub because: String,
}

/// One of these records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// How far upkeep is.
    Upkeep(Upkeep),
    /// The numbers of a month.
    Counts(Counts),
    /// What a person was told.
    Told(Told),
    /// A person who is being removed.
    Removal(Removal),
    /// A link to everything about a person.
    Export(Export),
    /// What an operator did.
    Deed(Deed),
    /// The rules of a workspace.
    Rules(Rules),
    /// What somebody did with a right of theirs.
    Entry(Entry),
    /// That a person does not want to be told news.
    Mute(Mute),
    /// Where notices of a pipeline go.
    Routes(Routes),
}

/// A note as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// The version of this record in the store; 0: never stored.
    pub version: u64,
    /// What it says.
    pub note: Note,
}

impl Noted {
    /// One that was never stored.
    pub fn new(note: Note) -> Self {
        Self { version: 0, note }
    }

    /// The same record, saying something else.
    #[must_use]
    pub fn saying(&self, note: Note) -> Self {
        Self { version: self.version, note }
    }
}

/// What a note is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteKey {
    /// How far upkeep is.
    Upkeep,
    /// By month.
    Counts(Month),
    /// By person.
    Told(Person),
    /// By person.
    Removal(Person),
    /// By what the link is known by.
    Export(Digest),
    /// By id.
    Deed(Uuid),
    /// By workspace.
    Rules(WorkspaceId),
    /// By workspace and id.
    Entry(WorkspaceId, Uuid),
    /// By person.
    Mute(Person),
    /// By workspace and pipeline.
    Routes(WorkspaceId, PipelineId),
}

/// A kind of notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// How far upkeep is.
    Upkeep,
    /// Numbers of months.
    Counts,
    /// What people were told.
    Told,
    /// People who are being removed.
    Removal,
    /// Links to everything about a person.
    Export,
    /// What operators did.
    Deed,
    /// Rules of workspaces.
    Rules,
    /// What people did with rights of theirs.
    Entry,
    /// Who does not want to be told news.
    Mute,
    /// Where notices go.
    Routes,
}

impl Note {
    /// What it is found by.
    pub fn key(&self) -> NoteKey {
        match self {
            Self::Upkeep(_) => NoteKey::Upkeep,
            Self::Counts(counts) => NoteKey::Counts(counts.month),
            Self::Told(told) => NoteKey::Told(told.person.clone()),
            Self::Removal(removal) => NoteKey::Removal(removal.person.clone()),
            Self::Export(export) => NoteKey::Export(export.link),
            Self::Deed(deed) => NoteKey::Deed(deed.id),
            Self::Rules(rules) => NoteKey::Rules(rules.workspace.clone()),
            Self::Entry(entry) => NoteKey::Entry(entry.workspace.clone(), entry.id),
            Self::Mute(mute) => NoteKey::Mute(mute.person.clone()),
            Self::Routes(routes) => NoteKey::Routes(routes.workspace.clone(), routes.pipeline.clone()),
        }
    }

    /// Whom it is about; `None`: nobody, or whoever is named in it among others.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Self::Upkeep(_) | Self::Counts(_) | Self::Rules(_) | Self::Entry(_) | Self::Routes(_) => None,
            Self::Told(told) => Some(&told.person),
            Self::Removal(removal) => Some(&removal.person),
            Self::Export(export) => Some(&export.person),
            Self::Deed(deed) => deed.about.as_ref(),
            Self::Mute(mute) => Some(&mute.person),
        }
    }

    /// What an operator did with records of somebody in this workspace, if it is that.
    pub fn deed_about(&self, workspace: &WorkspaceId) -> Option<&Deed> {
        if let Self::Deed(deed) = self {
            Some(deed).filter(|deed| deed.about.as_ref().is_some_and(|about| about.workspace == *workspace))
        } else {
            None
        }
    }

    /// Everybody who is named in it, where it stays without them when they are removed.
    pub fn named(&self) -> Vec<Person> {
        match self {
            Self::Upkeep(_) | Self::Counts(_) | Self::Told(_) | Self::Removal(_) | Self::Export(_) | Self::Mute(_) => Vec::new(),
            Self::Deed(deed) => deed.about.iter().cloned().collect(),
            Self::Rules(rules) => rules.mentioned(),
            Self::Entry(entry) => entry.mentioned(),
            Self::Routes(routes) => routes.mentioned(),
        }
    }

    /// Of what was set in a workspace, one thing at a time: what was set from a moment on. `None`: it is not of that kind, or nothing of it is older.
    pub fn set_since(&self, workspace: &WorkspaceId, from: Timestamp) -> Option<Self> {
        match self {
            Self::Rules(rules) if rules.workspace == *workspace && rules.kept.iter().any(|kept| kept.at < from) => {
                let kept = rules.kept.iter().filter(|kept| kept.at >= from).cloned().collect();
                Some(Self::Rules(Rules { kept, ..rules.clone() }))
            }
            Self::Routes(routes) if routes.workspace == *workspace && routes.kept.iter().any(|route| route.at < from) => {
                let kept = routes.kept.iter().filter(|route| route.at >= from).cloned().collect();
                Some(Self::Routes(Routes { kept, ..routes.clone() }))
            }
            Self::Rules(_)
            | Self::Routes(_)
            | Self::Upkeep(_)
            | Self::Counts(_)
            | Self::Told(_)
            | Self::Removal(_)
            | Self::Export(_)
            | Self::Deed(_)
            | Self::Entry(_)
            | Self::Mute(_) => None,
        }
    }

    /// The same without a person, under the name that stands for them; `None`: they are not named in it, or it is about them alone.
    #[must_use]
    pub fn without(&self, person: &Person, pseudonym: &UserId) -> Option<Self> {
        if !self.named().contains(person) {
            return None;
        }
        match self {
            Self::Upkeep(_) | Self::Counts(_) | Self::Told(_) | Self::Removal(_) | Self::Export(_) | Self::Mute(_) => None,
            Self::Deed(deed) => {
                let about = Some(Person { workspace: person.workspace.clone(), user: pseudonym.clone() });
                Some(Self::Deed(Deed { about, ..deed.clone() }))
            }
            Self::Rules(rules) => Some(Self::Rules(rules.without(person, pseudonym))),
            Self::Entry(entry) => Some(Self::Entry(entry.without(person, pseudonym))),
            Self::Routes(routes) => Some(Self::Routes(routes.without(person, pseudonym))),
        }
    }
}
