//! What the head of a branch told of its commit. A commit never changes: one whose only parent is what runs is one ahead of it, and
//! nobody has to be asked to compare the two.

use std::num::NonZeroUsize;

use secrecy::SecretString;

use crate::adapters::http::remembered::{Before, Remembered};
use crate::domain::names::CommitSha;

use super::shapes::{ComparedCommit, Tip};

/// How many commits are remembered.
const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

/// Commits with one parent.
#[derive(Debug)]
pub(super) struct Lineage(Remembered<CommitSha, (CommitSha, ComparedCommit)>);

impl Default for Lineage {
    fn default() -> Self {
        Self(Remembered::with_room_for(MOST))
    }
}

impl Lineage {
    /// Marks the moment before the head of a branch is read.
    pub(super) fn before(&self) -> Before {
        self.0.before()
    }

    /// Remembers the head of a branch, if it says that it has exactly one parent.
    pub(super) fn learn(&self, token: &SecretString, head: &CommitSha, tip: Tip, before: Before) {
        let [parent] = tip.parents.as_slice() else { return };
        if let Ok(parent) = CommitSha::parse(&parent.sha) {
            self.0.put(token, head.clone(), (parent, tip.body), before);
        }
    }

    /// Forgets what was read with a credential.
    pub(super) fn forget(&self, token: &SecretString) {
        self.0.forget(token);
    }

    /// The commit `head`, if it is known that nothing but `base` came right before it.
    pub(super) fn follows(&self, token: &SecretString, base: &CommitSha, head: &CommitSha) -> Option<ComparedCommit> {
        self.0.get(token, head.clone()).filter(|(parent, _)| parent == base).map(|(_, body)| body)
    }
}
