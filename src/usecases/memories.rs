//! Everything that remembers something in memory, told as one when somebody leaves.

use std::sync::Arc;

use secrecy::SecretString;

use crate::domain::actor::Person;
use crate::domain::names::WorkspaceId;
use crate::ports::Forgets;

/// All memories of the process.
#[derive(Clone, Debug, Default)]
pub struct Memories(Arc<[Arc<dyn Forgets>]>);

impl Memories {
    /// These.
    pub fn new(all: Vec<Arc<dyn Forgets>>) -> Self {
        Self(all.into())
    }
}

impl Forgets for Memories {
    fn forget_credential(&self, token: &SecretString) {
        self.0.iter().for_each(|one| one.forget_credential(token));
    }

    fn forget_person(&self, person: &Person) {
        self.0.iter().for_each(|one| one.forget_person(person));
    }

    fn forget_workspace(&self, workspace: &WorkspaceId) {
        self.0.iter().for_each(|one| one.forget_workspace(workspace));
    }
}
