//! What a person asked for, as it lies on disk until it is answered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::Origin;
use super::command::{Because, Command};
use super::deployment::MessageRef;
use super::form::{Draft, Reasoned, Topic};
use super::message::Act;
use super::names::DeliveryId;
use super::page::PageAct;

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// A command was typed.
    Command(Command),
    /// A button was pressed.
    Press {
        /// What it does.
        act: Act,
        /// The message it stands under, where that message can be edited.
        on: Option<MessageRef>,
    },
    /// A button on the presser's own page was pressed.
    OnPage(PageAct),
    /// A form about this was filled in and sent.
    Form(Topic),
    /// A form was filled in and sent that asks for this.
    Filled(Command),
    /// A form was filled in and sent that asks for this, and says why.
    Reasoned {
        /// What.
        what: Reasoned,
        /// Why.
        because: Because,
    },
    /// Somebody wants to ship something, and to be asked what.
    Ship(Draft),
}

/// A request that was accepted: the chat was told that we have it only after this lay on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What the chat delivered it as. The same delivery is accepted once.
    pub id: DeliveryId,
    /// The version of this record in the store; 0: never stored.
    pub version: u64,
    /// Who asked, where, and how to answer.
    pub origin: Origin,
    /// What was asked.
    pub ask: Ask,
    /// A one-time code came with it. The code itself is never kept: after a restart it is lost, and we say so.
    pub came_with_code: bool,
    /// When it came.
    pub received_at: Timestamp,
    /// Whether it was answered. Kept for a while after that, so that a repeated delivery is known.
    pub answered: bool,
}

impl Request {
    /// It was answered: whatever allowed to answer it is forgotten.
    #[must_use]
    pub fn answered_now(&self) -> Self {
        let mut request = self.clone();
        request.answered = true;
        request.origin.reply = None;
        request
    }
}
