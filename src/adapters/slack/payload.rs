//! What Slack sends when a button is pressed, as far as we look at it. Everything may be absent; the unknown is ignored.

use serde::Deserialize;
use serde_json::Value;

use super::{markup, view};
use crate::domain::deployment::MessageRef;
use crate::domain::message::Act;
use crate::domain::names::{ChannelId, UserId, WorkspaceId};
use crate::domain::page::PageAct;

/// The `payload` field of an interaction.
#[derive(Deserialize)]
pub(super) struct Interaction {
    #[serde(default)]
    user: Option<UserPart>,
    #[serde(default)]
    team: Option<IdPart>,
    #[serde(default)]
    enterprise: Option<IdPart>,
    #[serde(default)]
    channel: Option<IdPart>,
    #[serde(default)]
    container: Option<Container>,
    #[serde(default)]
    pub(super) trigger_id: Option<String>,
    #[serde(default)]
    pub(super) response_url: Option<String>,
    /// The message that a shortcut was picked at. Kept loose: it is anybody's.
    #[serde(default)]
    message: Value,
    /// The view that was pressed on. Kept loose: it may be one of any kind.
    #[serde(default)]
    view: Value,
    /// Kept loose: elements of kinds that we do not use look different.
    #[serde(default)]
    actions: Vec<Value>,
}

#[derive(Deserialize)]
struct UserPart {
    id: String,
    #[serde(default)]
    team_id: Option<String>,
}

#[derive(Deserialize)]
struct IdPart {
    id: String,
}

#[derive(Deserialize)]
struct Container {
    #[serde(default)]
    channel_id: Option<String>,
    #[serde(default)]
    message_ts: Option<String>,
    #[serde(default)]
    is_ephemeral: bool,
}

impl Interaction {
    /// The presser's id.
    pub(super) fn user(&self) -> Option<UserId> {
        self.user.as_ref().and_then(|user| UserId::parse(&user.id).ok())
    }

    /// The presser's own workspace: in a shared channel it may be another one than the message's.
    pub(super) fn workspace(&self) -> Option<WorkspaceId> {
        let own = self.user.as_ref().and_then(|user| user.team_id.as_deref());
        own.and_then(|id| WorkspaceId::parse(id).ok()).or_else(|| self.home())
    }

    /// The workspace that the app is installed in.
    fn home(&self) -> Option<WorkspaceId> {
        let id = self.team.as_ref().or(self.enterprise.as_ref())?;
        WorkspaceId::parse(&id.id).ok()
    }

    /// The conversation.
    pub(super) fn channel(&self) -> Option<ChannelId> {
        let id = self.channel.as_ref().map(|channel| channel.id.as_str());
        let id = id.or_else(|| self.container.as_ref().and_then(|container| container.channel_id.as_deref()))?;
        ChannelId::parse(id).ok()
    }

    /// The first button of ours that was pressed.
    pub(super) fn act(&self) -> Option<Act> {
        self.actions.iter().filter_map(|action| action.get("value")?.as_str()?.parse().ok()).next()
    }

    /// The first button of a page of ours that was pressed, and the conversation that the page belongs to; `None`: it was on no page.
    pub(super) fn on_page(&self) -> Option<(PageAct, ChannelId)> {
        let conversation = view::conversation_of_page(&self.view)?;
        let act = self.actions.iter().filter_map(|action| action.get("value")?.as_str()?.parse().ok()).next()?;
        Some((act, conversation))
    }

    /// The words of the message that a shortcut was picked at, its links and attachments included.
    pub(super) fn said(&self) -> String {
        let mut words = String::new();
        gather(&self.message, &mut words);
        words
    }

    /// The message that the button stands under, if it is one that can be edited.
    pub(super) fn on(&self) -> Option<MessageRef> {
        let container = self.container.as_ref().filter(|container| !container.is_ephemeral)?;
        Some(MessageRef {
            workspace: self.home().or_else(|| self.workspace())?,
            channel: self.channel()?,
            message: container.message_ts.clone()?,
        })
    }
}

/// The longest that is looked through of a message.
const WORDS: usize = 20_000;
/// Where the words of a message stand, in it and in its blocks and attachments.
const SAID_IN: [&str; 8] = ["text", "url", "title", "title_link", "pretext", "fallback", "value", "from_url"];

/// All words of a message, one piece a line, without mark-up.
fn gather(message: &Value, words: &mut String) {
    match message {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(said) = value.as_str().filter(|_| SAID_IN.contains(&name.as_str()) && words.len() < WORDS) {
                    words.extend(markup::plain(said).0.chars().take(WORDS).chain(['\n']));
                } else if !value.is_string() {
                    gather(value, words);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
