//! What the head of a branch told of its commit. A commit never changes: one whose only parent is what runs is one ahead of it, and
//! nobody has to be asked to compare the two.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use secrecy::SecretString;

use crate::adapters::http::call::digest;
use crate::domain::names::CommitSha;

use super::shapes::{ComparedCommit, Tip};

/// How many commits are remembered.
const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

/// A credential, as a digest, and a commit that was read with it.
type Place = ([u8; 32], CommitSha);

/// Commits with one parent. Each credential knows only those that were read with it.
pub(super) struct Lineage(Mutex<LruCache<Place, (CommitSha, ComparedCommit)>>);

impl fmt::Debug for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lineage").finish_non_exhaustive()
    }
}

impl Default for Lineage {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MOST)))
    }
}

impl Lineage {
    /// Remembers the head of a branch, if it says that it has exactly one parent.
    pub(super) fn learn(&self, token: &SecretString, head: &CommitSha, tip: Tip) {
        let [parent] = tip.parents.as_slice() else { return };
        if let Ok(parent) = CommitSha::parse(&parent.sha) {
            let place = (digest(token), head.clone());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).put(place, (parent, tip.body));
        }
    }

    /// Forgets what was read with a credential.
    pub(super) fn forget(&self, token: &SecretString) {
        let of = digest(token);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs: Vec<Place> = known.iter().map(|(place, _)| place.clone()).filter(|(credential, _)| *credential == of).collect();
        theirs.iter().for_each(|place| {
            known.pop(place);
        });
    }

    /// The commit `head`, if it is known that nothing but `base` came right before it.
    pub(super) fn follows(&self, token: &SecretString, base: &CommitSha, head: &CommitSha) -> Option<ComparedCommit> {
        let place = (digest(token), head.clone());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&place).filter(|(parent, _)| parent == base).map(|(_, body)| body.clone())
    }
}
