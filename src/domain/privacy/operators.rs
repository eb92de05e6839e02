//! What operators ask about people, for requests that do not come by the chat.

use serde::{Deserialize, Serialize};

use crate::domain::actor::Person;

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
