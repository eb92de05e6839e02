//! Who asked, from where, and how to answer.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::{ChannelId, UserId, WorkspaceId};

/// A person in a chat. A user id means nothing without its workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Person {
    /// The workspace the id belongs to.
    pub workspace: WorkspaceId,
    /// The person's id there.
    pub user: UserId,
}

/// An address that a chat gave for the answers to one command: opaque here, sealed by the chat's adapter.
///
/// It lets anybody who holds it speak in the conversation, so it is never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReplyAddress(String);

impl ReplyAddress {
    /// Keeps an address that the adapter has sealed.
    pub fn sealed(text: String) -> Self {
        Self(text)
    }

    /// The sealed text, for the adapter that made it.
    pub fn as_sealed(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ReplyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyAddress(…)")
    }
}

/// Where a command was typed or a button pressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Who did it.
    pub person: Person,
    /// The conversation it was done in.
    pub channel: ChannelId,
    /// How to answer this one command, if the chat has such a way.
    pub reply: Option<ReplyAddress>,
}
