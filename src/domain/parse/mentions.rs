//! Whom and what words of a text name, as the chat says beside it.

use std::collections::BTreeMap;

use crate::domain::names::{ChannelId, UserId};
use crate::domain::rights::Group;

/// Somebody or something of the chat that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mention {
    /// A person of the workspace that was asked in.
    Person(UserId),
    /// A group of people.
    Group(Group),
    /// A conversation.
    Channel(ChannelId),
}

/// The words of a text that name somebody or something, with what they name: `@ana`, `#ops`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions(BTreeMap<String, Vec<Mention>>);

impl Mentions {
    /// Adds a word as it stands in the text, sign included.
    pub fn add(&mut self, word: &str, names: Mention) {
        let all = self.0.entry(word.to_owned()).or_default();
        if !all.contains(&names) {
            all.push(names);
        }
    }

    /// Whether a word names anything.
    pub fn knows(&self, word: &str) -> bool {
        self.0.contains_key(word)
    }

    /// What a word names; `None`: nothing, or several.
    pub fn of(&self, word: &str) -> Option<Mention> {
        match self.0.get(word)?.as_slice() {
            [only] => Some(only.clone()),
            [] | [_, ..] => None,
        }
    }
}
