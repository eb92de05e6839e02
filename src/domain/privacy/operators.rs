//! What operators ask about people, for requests that do not come by the chat.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::actor::Person;
use crate::domain::speech::operators;

use super::notes::{Deed, Did, Note};

/// What an operator wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// How much is kept about somebody.
    Look(Person),
    /// All of it.
    Export(Person),
    /// To have it removed.
    Remove(Person),
    /// What operators have done.
    List,
    /// How far upkeep is.
    State,
    /// A backup: this puts on record that it is taken.
    Backup,
}

/// What an operator asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorAsks {
    /// What they want.
    pub wanted: Wanted,
    /// The name they give.
    pub by: String,
    /// Why.
    pub because: String,
}

impl OperatorAsks {
    /// For a backup of everything; nothing said where it is made by itself.
    pub fn backup(by: Option<String>, because: Option<String>) -> Self {
        Self { wanted: Wanted::Backup, by: by.unwrap_or_default(), because: because.unwrap_or_default() }
    }

    /// That it is done, as it is put on record. `system_user`: whom the system says that it is.
    pub fn on_record(&self, did: Did, about: Option<&Person>, system_user: u32, at: Timestamp, id: Uuid) -> Note {
        let by = operators::who(system_user, &self.by);
        Note::Deed(Deed { id, at, by, did, about: about.cloned(), because: self.because.clone() })
    }
}
