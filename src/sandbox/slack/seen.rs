//! What happened in the workspace, for people, scripts and tests to look at.

use serde_json::Value;

/// What happened to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It was said.
    Posted,
    /// It was changed in place.
    Updated,
    /// It was taken away.
    Deleted,
}

/// By which way it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A call of the Web API.
    Api,
    /// The acknowledgement of a command.
    Ack,
    /// An answer address.
    Hook,
    /// A person's own words, shown to the channel because the acknowledgement asked for it.
    Echo,
    /// Slack itself: the service failed to answer.
    Slack,
}

/// Where a message stands below another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Below {
    /// The name of that one.
    pub ts: String,
    /// Whether everybody in the conversation sees it there once more.
    pub for_all: bool,
}

/// A message as it stood right after something happened to it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenMessage {
    /// The number of the event, from 1.
    pub seq: u64,
    /// What happened.
    pub how: How,
    /// By which way it came.
    pub via: Via,
    /// The id of the conversation.
    pub channel: String,
    /// Its name there: seconds, a dot, six digits.
    pub ts: String,
    /// The message that it stands below, and whether it stands in the conversation as well; `None`: below none.
    pub below: Option<Below>,
    /// The name of the only person who sees it; `None`: everybody in the conversation.
    pub to: Option<String>,
    /// What notifications show, and the whole message where there are no blocks.
    pub text: String,
    /// The blocks.
    pub blocks: Vec<Value>,
    /// Whether it was ever changed.
    pub edited: bool,
}

impl SeenMessage {
    /// The labels of its buttons, in order.
    pub fn buttons(&self) -> Vec<String> {
        super::render::buttons(&self.blocks).into_iter().filter_map(super::render::label).collect()
    }
}

/// A call of the service.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenRequest {
    /// A method of the Web API, or `response_url`.
    pub method: String,
    /// Its arguments.
    pub arguments: Value,
    /// The error it was answered with; `None`: it went well.
    pub error: Option<String>,
}
