//! A form as meaning: what somebody is asked for, without any chat's way of asking.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::message::Line;
use super::names::DeploymentId;
use super::parse;
use super::request::Ask;
use super::speech;

/// What a form is about. Holds ids and no authority: whoever sends it is judged when they send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// The one-time code that a deployment waits for.
    Code(DeploymentId),
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(id) => write!(f, "code:{id}"),
        }
    }
}

/// The name of a form that is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this form is not one of ours")]
pub struct ForeignForm;

impl FromStr for Topic {
    type Err = ForeignForm;

    fn from_str(text: &str) -> Result<Self, ForeignForm> {
        match text.split_once(':') {
            Some(("code", id)) => id.parse().map(DeploymentId).map(Self::Code).map_err(|_| ForeignForm),
            Some(_) | None => Err(ForeignForm),
        }
    }
}

/// The name of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldName {
    /// A one-time code.
    Code,
}

impl FieldName {
    /// As it is called between a chat and us.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
        }
    }
}

/// What may be put into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Something that nobody else may see and that is kept nowhere: never shown again, never filled in beforehand.
    Secret {
        /// The longest that makes sense, in characters.
        longest: u16,
    },
}

/// One thing to fill in. It has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: FieldName,
    /// What it is called, at most 48 characters.
    pub label: String,
    /// A help, in a sentence.
    pub hint: String,
    /// What may be put into it.
    pub entry: Entry,
}

/// A form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// What it is about.
    pub topic: Topic,
    /// What it is called, at most 24 characters.
    pub title: String,
    /// What stands above the fields.
    pub lines: Vec<Line>,
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// The words on the button that sends it, at most 24 characters.
    pub submit: String,
}

/// What a form that was sent asks for.
pub struct Filled {
    /// What is asked.
    pub ask: Ask,
    /// The one-time code: spent at once, never stored.
    pub code: Option<String>,
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filled").field("ask", &self.ask).field("code", &self.code.as_ref().map(|_| "…")).finish()
    }
}

/// Why a field cannot be taken as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// The field.
    pub field: FieldName,
    /// What is wrong and what would do. Never what was put into it.
    pub words: &'static str,
}

impl Topic {
    /// Reads what was put into the fields: what is asked for, or everything that is wrong with it.
    pub fn filled<'a>(self, value: impl Fn(FieldName) -> Option<&'a str>) -> Result<Filled, Vec<Objection>> {
        match self {
            Self::Code(_) => match value(FieldName::Code).and_then(parse::code_alone) {
                Some(code) => Ok(Filled { ask: Ask::Form(self), code: Some(code) }),
                None => Err(vec![Objection { field: FieldName::Code, words: speech::no_code_shape() }]),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_survives_the_way_through_a_chat() {
        let topic = Topic::Code(DeploymentId(uuid::Uuid::from_u128(7)));
        assert_eq!(topic.to_string().parse(), Ok(topic));
        for foreign in ["", "code", "code:1", "codes:00000000-0000-0000-0000-000000000007"] {
            assert_eq!(foreign.parse::<Topic>(), Err(ForeignForm), "{foreign}");
        }
    }

    #[test]
    fn a_code_is_read_and_anything_else_is_objected_to() {
        let topic = Topic::Code(DeploymentId(uuid::Uuid::from_u128(7)));
        let read = |text: Option<&str>| topic.filled(|FieldName::Code| text);
        for text in ["123456", " 123 456\n", "12\u{200b}3456", "12345678"] {
            let filled = read(Some(text)).unwrap_or_else(|objections| panic!("{text:?}: {objections:?}"));
            assert_eq!((filled.ask, filled.code.is_some_and(|code| code.starts_with("123456"))), (Ask::Form(topic), true), "{text:?}");
        }
        for text in [None, Some(""), Some("12345"), Some("123456789"), Some("deploy web 123456"), Some("soon")] {
            let objections = read(text).err().unwrap_or_default();
            assert_eq!(objections.iter().map(|one| one.field).collect::<Vec<_>>(), [FieldName::Code], "{text:?}");
        }
    }
}
