//! A record out of a backup, on its way into a store: without those who were removed since, and without what has left since.

use jiff::Timestamp;

use crate::adapters::clock::RandomIds;
use crate::domain::account::Account;
use crate::domain::actor::Person;
use crate::domain::deployment::Deployment;
use crate::domain::installation::{Happening, Installation};
use crate::domain::line::Line;
use crate::domain::lock::Locks;
use crate::domain::names::WorkspaceId;
use crate::domain::offer::Offer;
use crate::domain::privacy::{Note, Noted, departed};
use crate::domain::request::Request;
use crate::domain::sign_in::SignIn;
use crate::ports::Ids as _;

use super::desk::{Tx, TxResult};
use super::records::Record;
use super::removals::Removals;

/// A record out of a backup.
pub enum Restored {
    /// One of these.
    Request(Request),
    /// One of these.
    Deployment(Box<Deployment>),
    /// One of these.
    Line(Line),
    /// One of these.
    Offer(Offer),
    /// One of these.
    Account(Box<Account>),
    /// One of these.
    SignIn(Box<SignIn>),
    /// One of these.
    Note(Box<Noted>),
    /// One of these.
    Installation(Box<Installation>),
    /// One of these.
    Happening(Box<Happening>),
    /// One of these.
    Locks(Box<Locks>),
}

impl Restored {
    /// Its tree, key and version.
    pub fn identity(&self) -> (&'static str, Vec<u8>, u64) {
        fn of<T: Record>(record: &T) -> (&'static str, Vec<u8>, u64) {
            (T::SHELF.tree(), record.key(), record.version())
        }
        match self {
            Self::Request(record) => of(record),
            Self::Deployment(record) => of(record.as_ref()),
            Self::Line(record) => of(record),
            Self::Offer(record) => of(record),
            Self::Account(record) => of(record.as_ref()),
            Self::SignIn(record) => of(record.as_ref()),
            Self::Note(record) => of(record.as_ref()),
            Self::Installation(record) => of(record.as_ref()),
            Self::Happening(record) => of(record.as_ref()),
            Self::Locks(record) => of(record.as_ref()),
        }
    }

    /// Puts it into the store.
    pub fn put(&self, tx: &Tx<'_>) -> TxResult<()> {
        match self {
            Self::Request(record) => tx.restore(record),
            Self::Deployment(record) => tx.restore(record.as_ref()),
            Self::Line(record) => tx.restore(record),
            Self::Offer(record) => tx.restore(record),
            Self::Account(record) => tx.restore(record.as_ref()),
            Self::SignIn(record) => tx.restore(record.as_ref()),
            Self::Note(record) => tx.restore(record.as_ref()),
            Self::Installation(record) => tx.restore(record.as_ref()),
            Self::Happening(record) => tx.restore(record.as_ref()),
            Self::Locks(record) => tx.restore(record.as_ref()),
        }
    }

    /// The same without those who were removed and what has left; `None`: it is about one of them.
    pub fn without(self, removals: &mut Removals) -> Option<Self> {
        self.without_departed(removals)?.without_removed(removals)
    }

    /// The same as far as it is of no workspace that the app was removed from. What was going on there keeps its app until it cannot run any
    /// more, with nobody behind it.
    fn without_departed(self, removals: &mut Removals) -> Option<Self> {
        let mut stays = |workspace: &WorkspaceId| removals.has_left(workspace).is_none();
        match self {
            Self::Request(record) => stays(&record.origin.person.workspace).then_some(Self::Request(record)),
            Self::Offer(record) => stays(&record.to.workspace).then_some(Self::Offer(record)),
            Self::Account(record) => stays(&record.person.workspace).then_some(Self::Account(record)),
            Self::SignIn(record) => stays(&record.person.workspace).then_some(Self::SignIn(record)),
            Self::Line(_) | Self::Happening(_) => Some(self),
            Self::Installation(mut record) => {
                record.workspaces.retain(|workspace| stays(workspace));
                removals.left(&record.tenant).is_none().then_some(Self::Installation(record))
            }
            Self::Locks(mut record) => {
                let workspaces: Vec<WorkspaceId> = record.mentioned().map(|person| person.workspace.clone()).collect();
                for workspace in workspaces.iter().filter(|workspace| !stays(workspace)) {
                    if let Some(without) = record.without_workspace(workspace, Timestamp::MAX) {
                        *record = without;
                    }
                }
                Some(Self::Locks(record))
            }
            Self::Deployment(record) => {
                let Some(left_at) = removals.has_left(&record.origin.person.workspace) else { return Some(Self::Deployment(record)) };
                if !record.is_open() {
                    return None;
                }
                removals.went_on.insert(record.origin.person.workspace.clone(), left_at);
                let name = departed(RandomIds.fresh())?;
                let people: Vec<Person> = record.mentioned().cloned().collect();
                let without = people.iter().fold(*record, |record, person| record.without(person, &name).unwrap_or(record));
                Some(Self::Deployment(Box::new(without)))
            }
            Self::Note(record) => {
                let workspace = match &record.note {
                    Note::Told(told) => Some(&told.person.workspace),
                    Note::Removal(removal) => Some(&removal.person.workspace),
                    Note::Export(export) => Some(&export.person.workspace),
                    Note::Mute(mute) => Some(&mute.person.workspace),
                    Note::Rules(rules) => Some(&rules.workspace),
                    Note::Entry(entry) => Some(&entry.workspace),
                    Note::Routes(routes) => Some(&routes.workspace),
                    // What operators did is kept as long as is promised.
                    Note::Deed(_) | Note::Upkeep(_) | Note::Counts(_) => None,
                };
                workspace.is_none_or(stays).then_some(Self::Note(record))
            }
        }
    }

    fn without_removed(self, removals: &mut Removals) -> Option<Self> {
        let mut stays = |person: &Person| removals.of(person).is_none();
        match self {
            Self::Request(record) => stays(&record.origin.person).then_some(Self::Request(record)),
            Self::Offer(record) => stays(&record.to).then_some(Self::Offer(record)),
            Self::Account(record) => stays(&record.person).then_some(Self::Account(record)),
            Self::SignIn(record) => stays(&record.person).then_some(Self::SignIn(record)),
            Self::Line(record) => Some(Self::Line(record)),
            Self::Installation(mut record) => {
                for workspace in record.serving() {
                    if let Some(name) = removals.of(&Person { workspace, user: record.by.clone() }) {
                        record.by = name;
                    }
                }
                Some(Self::Installation(record))
            }
            // Whoever is named in it is named so that they are removed.
            Self::Happening(record) => Some(Self::Happening(record)),
            Self::Locks(mut record) => {
                let people: Vec<Person> = record.mentioned().cloned().collect();
                for person in people {
                    if let Some(without) = removals.of(&person).and_then(|name| record.without(&person, &name)) {
                        *record = without;
                    }
                }
                Some(Self::Locks(record))
            }
            Self::Deployment(mut record) => {
                let people: Vec<Person> = record.mentioned().cloned().collect();
                for person in people {
                    if let Some(without) = removals.of(&person).and_then(|name| record.without(&person, &name)) {
                        *record = without;
                    }
                }
                Some(Self::Deployment(record))
            }
            Self::Note(mut record) => match record.note {
                Note::Deed(_) | Note::Rules(_) | Note::Entry(_) | Note::Routes(_) => {
                    for person in record.note.named() {
                        if let Some(note) = removals.of(&person).and_then(|name| record.note.without(&person, &name)) {
                            record.note = note;
                        }
                    }
                    Some(Self::Note(record))
                }
                Note::Told(_) | Note::Removal(_) | Note::Export(_) | Note::Mute(_) | Note::Upkeep(_) | Note::Counts(_) => {
                    record.note.person().is_none_or(stays).then_some(Self::Note(record))
                }
            },
        }
    }
}
