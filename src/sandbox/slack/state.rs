//! The workspace as plain state.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::faults::Called;
use super::homes::Home;
use super::installs::Installs;
use super::limits::Limits;
use super::seen::{Below, How, SeenMessage, SeenRequest, Via};
use super::views::{OpenForm, Trigger};
use crate::sandbox::answers::Answers;
use crate::sandbox::fault::{Faults, Late};

#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) team: String,
    pub(super) kind: MemberKind,
}

/// What somebody is in their workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// One like others.
    Plain,
    /// Looks after the workspace.
    Admin,
    /// Owns the workspace.
    Owner,
    /// Sees some channels only.
    Guest,
    /// Sees one channel only.
    SingleChannelGuest,
    /// The account was closed.
    Deactivated,
}

/// A user group.
#[derive(Debug)]
pub(super) struct UserGroup {
    pub(super) id: String,
    pub(super) handle: String,
    pub(super) team: String,
    /// Ids of people.
    pub(super) users: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Channel {
    /// The workspace that it is in.
    pub(super) team: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) bot_in: bool,
    pub(super) archived: bool,
    /// Whether another company has people in it.
    pub(super) shared: bool,
    /// Whether it is for those who were invited, and for nobody else to see.
    pub(super) private: bool,
    /// The name of the person whose conversation with the app this is.
    pub(super) with: Option<String>,
}

/// An answer address, given out with a command or a press.
#[derive(Debug)]
pub(super) struct Hook {
    pub(super) person: String,
    pub(super) channel: String,
    pub(super) given_at: Timestamp,
    pub(super) used: u32,
    /// The message it replaces or deletes: the one with the button, or the last one said by this way.
    pub(super) source: Option<(String, String)>,
    pub(super) of_button: bool,
}

/// The words of a message.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    pub(super) text: String,
    pub(super) blocks: Vec<Value>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) people: Vec<Member>,
    pub(super) channels: Vec<Channel>,
    pub(super) groups: Vec<UserGroup>,
    pub(super) messages: Vec<SeenMessage>,
    pub(super) log: Vec<SeenMessage>,
    pub(super) hooks: BTreeMap<String, Hook>,
    pub(super) faults: Faults,
    /// What was asked for and is done later.
    pub(super) late: Late<Called>,
    /// How far this clock is ahead of everybody's.
    pub(super) skew: SignedDuration,
    /// How fast calls may come, where that is watched.
    pub(super) limits: Option<Limits>,
    pub(super) requests: Vec<SeenRequest>,
    pub(super) answers: Answers,
    pub(super) violations: Vec<String>,
    /// The addresses of calls of the Web API, as they were asked for.
    pub(super) addresses: Vec<String>,
    pub(super) installs: Installs,
    /// The scopes that the app from the settings does not have.
    pub(super) lacking: Vec<String>,
    /// What people did that may open a form.
    pub(super) triggers: BTreeMap<String, Trigger>,
    /// The forms on their screens, one for each person.
    pub(super) forms: Vec<OpenForm>,
    /// Their pages with the app, by their names.
    pub(super) homes: BTreeMap<String, Home>,
    /// The id and the body of the event that was told last.
    pub(super) last_event: Option<(String, String)>,
    pub(super) counter: u64,
}

impl State {
    /// A number that nothing else has.
    pub(super) fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A name for a message, unique in the workspace and growing.
    pub(super) fn next_ts(&mut self, now: Timestamp) -> String {
        format!("{}.{:06}", now.as_second(), self.next())
    }

    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.people.iter().find(|member| member.name == name)
    }

    pub(super) fn member_by_id(&self, id: &str, team: &str) -> Option<&Member> {
        self.people.iter().find(|member| member.id == id && member.team == team)
    }

    pub(super) fn channel(&self, name_or_id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == name_or_id || (channel.name == name_or_id && channel.with.is_none()))
    }

    pub(super) fn channel_mut(&mut self, name_or_id: &str) -> Option<&mut Channel> {
        self.channels.iter_mut().find(|channel| channel.id == name_or_id || (channel.name == name_or_id && channel.with.is_none()))
    }

    pub(super) fn channel_label(&self, id: &str) -> String {
        match self.channels.iter().find(|channel| channel.id == id) {
            Some(Channel { with: Some(person), .. }) => format!("@{person}"),
            Some(channel) => format!("#{}", channel.name),
            None => id.to_owned(),
        }
    }

    /// The conversation of the app with one person, opened if need be.
    pub(super) fn direct(&mut self, user: &str, team: &str) -> Option<String> {
        let member = self.member_by_id(user, team)?;
        let (id, person, team) = (format!("D{}", member.id), member.name.clone(), team.to_owned());
        // Somebody else in another workspace may have the same id.
        let taken = self.channels.iter().any(|channel| channel.id == id && channel.team != team);
        let id = if taken { format!("{id}{team}") } else { id };
        if !self.channels.iter().any(|channel| channel.id == id) {
            self.channels.push(Channel {
                team,
                id: id.clone(),
                name: person.clone(),
                bot_in: true,
                archived: false,
                shared: false,
                private: false,
                with: Some(person),
            });
        }
        Some(id)
    }

    pub(super) fn say(&mut self, now: Timestamp, via: Via, channel: &str, to: Option<String>, content: Content) -> String {
        self.say_below(now, via, channel, to, None, content)
    }

    pub(super) fn say_below(
        &mut self,
        now: Timestamp,
        via: Via,
        channel: &str,
        to: Option<String>,
        below: Option<Below>,
        content: Content,
    ) -> String {
        let ts = self.next_ts(now);
        let message = SeenMessage {
            seq: 0,
            how: How::Posted,
            via,
            channel: channel.to_owned(),
            ts: ts.clone(),
            below,
            to,
            text: content.text,
            blocks: self.with_ids(content.blocks),
            edited: false,
        };
        self.messages.push(message.clone());
        self.record(message);
        ts
    }

    pub(super) fn find(&self, channel: &str, ts: &str) -> Option<&SeenMessage> {
        self.messages.iter().find(|message| message.channel == channel && message.ts == ts)
    }

    /// Changes a message in place; says whether there is one. What stands there already is said once more without that anybody
    /// sees a difference: that is no event.
    pub(super) fn edit(&mut self, via: Via, channel: &str, ts: &str, content: Content) -> bool {
        let Some(stands) = self.find(channel, ts) else { return false };
        let is_news = stands.text != content.text || without_ids(&stands.blocks) != without_ids(&content.blocks);
        let blocks = self.with_ids(content.blocks);
        let Some(message) = self.messages.iter_mut().find(|message| message.channel == channel && message.ts == ts) else { return false };
        message.how = How::Updated;
        message.via = via;
        message.text = content.text;
        message.blocks = blocks;
        message.edited = true;
        let now_stands = message.clone();
        if is_news {
            self.record(now_stands);
        }
        true
    }

    pub(super) fn delete(&mut self, via: Via, channel: &str, ts: &str) -> bool {
        let Some(place) = self.messages.iter().position(|message| message.channel == channel && message.ts == ts) else { return false };
        let mut message = self.messages.remove(place);
        message.how = How::Deleted;
        message.via = via;
        self.record(message);
        true
    }

    pub(super) fn violation(&mut self, what: String) {
        self.violations.push(what);
    }

    fn record(&mut self, mut message: SeenMessage) {
        message.seq = self.log.last().map_or(1, |event| event.seq + 1);
        if let Some(standing) = self.messages.iter_mut().find(|other| other.channel == message.channel && other.ts == message.ts) {
            standing.seq = message.seq;
        }
        self.log.push(message);
    }

    /// Slack gives every block and every element an id where the sender gave none.
    fn with_ids(&mut self, mut blocks: Vec<Value>) -> Vec<Value> {
        for block in blocks.iter_mut().filter_map(Value::as_object_mut) {
            if !block.contains_key("block_id") {
                let id = format!("b{}", self.next());
                block.insert("block_id".to_owned(), Value::String(id));
            }
            for element in block.get_mut("elements").and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
                if element.get("type").and_then(Value::as_str) == Some("button") && !element.contains_key("action_id") {
                    let id = format!("a{}", self.next());
                    element.insert("action_id".to_owned(), Value::String(id));
                }
            }
        }
        blocks
    }
}

/// Blocks without the names of their parts, which nobody sees.
fn without_ids(blocks: &[Value]) -> Vec<Value> {
    let mut blocks = blocks.to_vec();
    for block in blocks.iter_mut().filter_map(Value::as_object_mut) {
        block.remove("block_id");
        for element in block.get_mut("elements").and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
            element.remove("action_id");
        }
    }
    blocks
}
