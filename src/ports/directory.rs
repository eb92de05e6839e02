//! Who people are in a chat: members, guests, people of other companies, admins, and who is in which group.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::domain::actor::Person;
use crate::domain::fault::PortError;
use crate::domain::names::{ChannelId, GroupId, UserId, WorkspaceId};
use crate::domain::rights::{Conversation, Member};

/// The people of a chat.
///
/// Promises: every answer is the chat's own of this moment; whoever is not there is [`crate::domain::rights::Standing::Gone`], and whoever
/// has the id of somebody else in another workspace is not taken for them; what cannot be read is a fault and never an answer; nothing is
/// told of anybody but what they are.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Directory: Send + Sync + std::fmt::Debug {
    /// What a person is in a workspace, which may be another one than their own.
    async fn member(&self, workspace: &WorkspaceId, person: &Person) -> Result<Member, PortError>;

    /// What a conversation of a workspace is now; of one between two, that it is such a one. [`super::Fault::NotFound`]: there is no such conversation, or it is not for us to see.
    async fn conversation(&self, workspace: &WorkspaceId, channel: &ChannelId) -> Result<Conversation, PortError>;

    /// Who is in a group of a workspace now. [`super::Fault::NotFound`]: there is no such group, or not any more.
    async fn group(&self, workspace: &WorkspaceId, group: &GroupId) -> Result<BTreeSet<UserId>, PortError>;
}
