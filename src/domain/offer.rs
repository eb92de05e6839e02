//! A command that a button stands for.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::Person;
use super::command::Command;
use super::names::{DeliveryId, OfferId};

/// A command kept for one person until they press, once, or it is too late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its id: what the button carries.
    pub id: OfferId,
    /// The version of this record in the store; 0: never stored.
    pub version: u64,
    /// The command.
    pub command: Command,
    /// Who may take it.
    pub to: Person,
    /// When it is over.
    pub until: Timestamp,
    /// The press that took it; another one comes too late.
    pub taken_by: Option<DeliveryId>,
}
