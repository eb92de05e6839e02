//! Who people are in Slack: members, guests, people of other companies, admins, and who is in a user group.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

use super::api::{Again, Api, CallFault, port_error};
use super::outbound::SlackSettings;
use crate::adapters::http::client::client;
use crate::domain::actor::Person;
use crate::domain::names::{ChannelId, GroupId, UserId, WorkspaceId};
use crate::domain::rights::{Conversation, Member, Standing};
use crate::ports::{Clock, Directory, Fault, PortError, Service};

/// How long a look may take: somebody waits for an answer.
const LOOK: Duration = Duration::from_secs(5);

/// The people of Slack's workspaces.
pub struct SlackDirectory {
    api: Api,
}

impl std::fmt::Debug for SlackDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlackDirectory").field("api", &self.api.base).finish_non_exhaustive()
    }
}

impl SlackDirectory {
    /// Looks as the bot. Fails only where no HTTP client can be built.
    pub fn new(settings: &SlackSettings, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let api = Api { http: client(Some(LOOK))?, base: settings.api.clone(), tokens: Arc::clone(&settings.tokens), clock };
        Ok(Self { api })
    }
}

/// A person as `users.info` tells them, as far as we look at it: no name, no address.
#[derive(Deserialize)]
struct User {
    team_id: String,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    is_stranger: bool,
    is_restricted: Option<bool>,
    is_ultra_restricted: Option<bool>,
    #[serde(default)]
    is_admin: bool,
    #[serde(default)]
    is_owner: bool,
    #[serde(default)]
    is_primary_owner: bool,
    #[serde(default)]
    enterprise_user: Option<Enterprise>,
}

/// What an organisation says of one of its people.
#[derive(Deserialize)]
struct Enterprise {
    #[serde(default)]
    teams: Vec<String>,
}

/// A conversation as `conversations.info` tells it, as far as we look at it.
#[derive(Deserialize)]
struct Channel {
    #[serde(default)]
    is_archived: bool,
    #[serde(default)]
    is_ext_shared: bool,
    #[serde(default)]
    is_pending_ext_shared: bool,
}

impl User {
    fn belongs_to(&self, workspace: &WorkspaceId) -> bool {
        let teams = self.enterprise_user.as_ref().map(|of| of.teams.as_slice()).unwrap_or_default();
        self.team_id == workspace.as_str() || teams.iter().any(|team| team == workspace.as_str())
    }

    /// What they are in a workspace; `None`: it does not say.
    fn standing(&self, workspace: &WorkspaceId, person: &Person) -> Option<Standing> {
        // Ids are of one workspace: somebody else may have the same in another.
        if self.is_stranger || !self.belongs_to(workspace) || !self.belongs_to(&person.workspace) {
            return Some(Standing::Outsider);
        }
        if self.deleted {
            return Some(Standing::Gone);
        }
        match (self.is_restricted, self.is_ultra_restricted) {
            (Some(true), _) | (_, Some(true)) => Some(Standing::Guest),
            (Some(false), Some(false) | None) => Some(Standing::Member),
            (None, _) => None,
        }
    }
}

fn nonsense(call: &str) -> PortError {
    PortError::new(Service::Chat, Fault::Nonsense, format!("{call}: the answer does not tell what was asked"))
}

#[async_trait]
impl Directory for SlackDirectory {
    async fn member(&self, workspace: &WorkspaceId, person: &Person) -> Result<Member, PortError> {
        const METHOD: &str = "users.info";
        let told = match self.api.read(workspace, METHOD, &[("user", person.user.as_str())], Again::Harmless).await {
            Ok(told) => told,
            Err(CallFault::Said(error)) if error == "user_not_found" => return Ok(Member { standing: Standing::Gone, admin: false }),
            // Somebody who is there, and not for us to see.
            Err(CallFault::Said(error)) if error == "user_not_visible" => {
                return Ok(Member { standing: Standing::Outsider, admin: false });
            }
            Err(fault) => return Err(port_error(METHOD, fault)),
        };
        let user: User = told.get("user").and_then(|user| User::deserialize(user).ok()).ok_or_else(|| nonsense(METHOD))?;
        let standing = user.standing(workspace, person).ok_or_else(|| nonsense(METHOD))?;
        let admin = standing == Standing::Member && (user.is_admin || user.is_owner || user.is_primary_owner);
        Ok(Member { standing, admin })
    }

    async fn conversation(&self, workspace: &WorkspaceId, channel: &ChannelId) -> Result<Conversation, PortError> {
        const METHOD: &str = "conversations.info";
        // Of those between two nothing more is to be known, and asking would take a right of its own.
        if channel.as_str().starts_with('D') {
            return Ok(Conversation { direct: true, ..Conversation::OWN });
        }
        let told = self.api.read(workspace, METHOD, &[("channel", channel.as_str())], Again::Harmless).await;
        let told = told.map_err(|fault| port_error(METHOD, fault))?;
        let about: Channel = told.get("channel").and_then(|channel| Channel::deserialize(channel).ok()).ok_or_else(|| nonsense(METHOD))?;
        Ok(Conversation { shared: about.is_ext_shared || about.is_pending_ext_shared, archived: about.is_archived, direct: false })
    }

    async fn group(&self, workspace: &WorkspaceId, group: &GroupId) -> Result<BTreeSet<UserId>, PortError> {
        const METHOD: &str = "usergroups.users.list";
        let fields = [("usergroup", group.as_str()), ("team_id", workspace.as_str())];
        let told = match self.api.read(workspace, METHOD, &fields, Again::Harmless).await {
            Ok(told) => told,
            Err(CallFault::Said(error)) if error == "no_such_subteam" => {
                return Err(PortError::new(Service::Chat, Fault::NotFound, format!("{METHOD}: {error}")));
            }
            Err(fault) => return Err(port_error(METHOD, fault)),
        };
        let users = told.get("users").and_then(Value::as_array).ok_or_else(|| nonsense(METHOD))?;
        users.iter().map(|user| user.as_str().and_then(|id| UserId::parse(id).ok()).ok_or_else(|| nonsense(METHOD))).collect()
    }
}
