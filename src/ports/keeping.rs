//! What is kept about people, as a whole: looked at, taken out, removed, and written anew so that what was removed is gone.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::deployment::Deployment;
use crate::domain::names::{DeploymentId, UserId};
use crate::domain::privacy::{NoteKey, NoteKind, Noted};

use super::store::{Lease, StoreError};

/// Notes to save together or not at all, each over the version that it was read with.
#[derive(Clone, Debug, Default)]
pub struct NoteBatch {
    /// Those to save.
    pub save: Vec<Noted>,
    /// Those to remove, if they are there as they were read.
    pub remove: Vec<Noted>,
    /// Saves only if this lease is still the newest of its work.
    pub under: Option<Lease>,
}

/// How much is kept about a person, by kind of record as the privacy page names it; kinds of which there is nothing are left out.
pub type HowMuch = Vec<(&'static str, u64)>;

/// What is kept about people.
///
/// Promises: `Ok` means on disk. What takes long is done piece by piece, so that others go on meanwhile; whoever asks for the same
/// again after a crash gets it to its end.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Keeping: Send + Sync + std::fmt::Debug {
    /// Whether this store is a new one: nothing has ever been kept in it.
    async fn is_new(&self) -> Result<bool, StoreError>;

    /// A note.
    async fn note(&self, key: &NoteKey) -> Result<Option<Noted>, StoreError>;

    /// All notes of a kind, in some order that stays.
    async fn notes(&self, kind: NoteKind) -> Result<Vec<Noted>, StoreError>;

    /// Saves notes. The caller's copies keep their old versions: add one to go on with them.
    async fn save_notes(&self, batch: NoteBatch) -> Result<(), StoreError>;

    /// Deployments that are over and told, oldest first, from behind `after`, at most `limit`.
    async fn closed_after(&self, after: Option<DeploymentId>, limit: usize) -> Result<Vec<Deployment>, StoreError>;

    /// Removes the deployments that are over and told and were asked for before a moment; returns how many.
    async fn drop_closed(&self, asked_before: Timestamp) -> Result<u64, StoreError>;

    /// How much is kept about a person.
    async fn how_much(&self, person: &Person) -> Result<HowMuch, StoreError>;

    /// Everything that is kept about a person, as JSON for them to read: without what is sealed and without digests.
    async fn everything(&self, person: &Person) -> Result<String, StoreError>;

    /// Removes a person: their answered requests, offers, visits, account, what they were told, links; deployments that are over and
    /// told stay under `pseudonym`, and so does what operators did. What is still open stays. Returns in how many deployments they
    /// stood.
    async fn remove_person(&self, person: &Person, pseudonym: &UserId) -> Result<u64, StoreError>;

    /// Remembers, outside the store, that a person was removed, so that a restore of an older backup removes them again.
    async fn remember_removal(&self, person: &Person, at: Timestamp) -> Result<(), StoreError>;

    /// Writes all files anew: what was removed before is in none of them afterwards.
    async fn rewrite(&self) -> Result<(), StoreError>;
}

/// Keeps nothing: for stages on which privacy plays no part.
#[derive(Clone, Copy, Debug, Default)]
pub struct NothingKept;

#[async_trait]
impl Keeping for NothingKept {
    async fn is_new(&self) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn note(&self, _: &NoteKey) -> Result<Option<Noted>, StoreError> {
        Ok(None)
    }

    async fn notes(&self, _: NoteKind) -> Result<Vec<Noted>, StoreError> {
        Ok(Vec::new())
    }

    async fn save_notes(&self, _: NoteBatch) -> Result<(), StoreError> {
        Ok(())
    }

    async fn closed_after(&self, _: Option<DeploymentId>, _: usize) -> Result<Vec<Deployment>, StoreError> {
        Ok(Vec::new())
    }

    async fn drop_closed(&self, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn how_much(&self, _: &Person) -> Result<HowMuch, StoreError> {
        Ok(Vec::new())
    }

    async fn everything(&self, _: &Person) -> Result<String, StoreError> {
        Ok("{}".to_owned())
    }

    async fn remove_person(&self, _: &Person, _: &UserId) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn remember_removal(&self, _: &Person, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn rewrite(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
