//! A form as meaning: what somebody is asked for, without any chat's way of asking.

mod ship;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::command::Because;
use super::message::Line;
use super::names::DeploymentId;
use super::parse;
use super::pipeline::PipelineKey;
use super::request::Ask;
use super::speech;

pub use ship::{Change, Checks, Draft, Turn, offered};

/// What is done to something that is somebody else's, or that nobody knows the end of. It wants a reason, which goes on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reasoned {
    /// To free the app of a deployment whose end nobody knows.
    Free(DeploymentId),
    /// To stop somebody else's deployment.
    Stop(DeploymentId),
}

/// What a form is about. Holds ids and names and no authority: whoever sends it is judged when they send it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// The one-time code that a deployment waits for.
    Code(DeploymentId),
    /// The pipeline that something is to ship from.
    Ship(Draft),
    /// What is to ship from a pipeline, and where to.
    ShipFrom {
        /// The pipeline.
        pipeline: PipelineKey,
        /// What was known before.
        draft: Draft,
    },
    /// Why something is to be done.
    Why(Reasoned),
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(id) => write!(f, "code:{id}"),
            Self::Ship(draft) => write!(f, "ship:{draft}"),
            Self::ShipFrom { pipeline, draft } => write!(f, "ship-from:{pipeline} {draft}"),
            Self::Why(Reasoned::Free(id)) => write!(f, "why-free:{id}"),
            Self::Why(Reasoned::Stop(id)) => write!(f, "why-stop:{id}"),
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
        let (kind, rest) = text.split_once(':').ok_or(ForeignForm)?;
        match kind {
            "code" => rest.parse().map(DeploymentId).map(Self::Code).map_err(|_| ForeignForm),
            "ship" => rest.parse().map(Self::Ship),
            "ship-from" => {
                let (pipeline, draft) = rest.split_once(' ').ok_or(ForeignForm)?;
                let pipeline = parse::pipeline_alone(pipeline).ok_or(ForeignForm)?;
                Ok(Self::ShipFrom { pipeline, draft: draft.parse()? })
            }
            "why-free" => rest.parse().map(DeploymentId).map(|id| Self::Why(Reasoned::Free(id))).map_err(|_| ForeignForm),
            "why-stop" => rest.parse().map(DeploymentId).map(|id| Self::Why(Reasoned::Stop(id))).map_err(|_| ForeignForm),
            _ => Err(ForeignForm),
        }
    }
}

/// The name of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldName {
    /// A one-time code.
    Code,
    /// A pipeline.
    Pipeline,
    /// A branch, a tag, a commit or a pull request.
    Ref,
    /// An environment, and an app in it.
    Place,
    /// What to do about checks that are not green.
    Checks,
    /// What to do at one's turn.
    Turn,
    /// A reason.
    Because,
}

impl FieldName {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Code, Self::Pipeline, Self::Ref, Self::Place, Self::Checks, Self::Turn, Self::Because];

    /// As it is called between a chat and us.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Pipeline => "pipeline",
            Self::Ref => "ref",
            Self::Place => "place",
            Self::Checks => "checks",
            Self::Turn => "turn",
            Self::Because => "because",
        }
    }

    /// The field that is called so.
    pub fn called(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

/// Something that may be put into a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What people read.
    pub label: String,
    /// What is put in.
    pub value: String,
}

impl Suggestion {
    /// One that is read as it is put in.
    pub fn plain(value: impl Into<String>) -> Self {
        let value = value.into();
        Self { label: value.clone(), value }
    }
}

/// What may be put into a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Something that nobody else may see and that is kept nowhere: never shown again, never filled in beforehand.
    Secret {
        /// The longest that makes sense, in characters.
        longest: u16,
    },
    /// Words.
    Words {
        /// The longest, in characters.
        longest: u16,
    },
    /// One of these.
    OneOf(Vec<Suggestion>),
    /// Something that is looked for while it is typed, see [`crate::ports::Inbox::suggest`].
    Sought,
}

/// One thing to fill in.
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
    /// Whether it may be left empty.
    pub optional: bool,
    /// What stands in it from the beginning. Never in a secret one.
    pub given: Option<Suggestion>,
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

/// What comes of a form that was sent.
#[derive(Debug)]
pub enum Sent {
    /// It asks for something.
    Asks(Filled),
    /// It goes on with another form in its place, see [`crate::ports::Inbox::next_form`].
    GoesOn {
        /// The pipeline that was chosen.
        pipeline: PipelineKey,
        /// What was known before.
        draft: Draft,
    },
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
    /// What is wrong and what would do. Never a code that was put into it.
    pub words: String,
}

impl Objection {
    /// What is wrong with a field.
    pub fn new(field: FieldName, words: impl Into<String>) -> Self {
        Self { field, words: words.into() }
    }
}

impl Topic {
    /// Its first field: what is wrong with no field in particular is said there.
    pub fn first(&self) -> FieldName {
        match self {
            Self::Code(_) => FieldName::Code,
            Self::Ship(_) => FieldName::Pipeline,
            Self::ShipFrom { .. } => FieldName::Ref,
            Self::Why(_) => FieldName::Because,
        }
    }

    /// Reads what was put into the fields: what comes of it, or everything that is wrong with it.
    pub fn filled<'a>(&self, value: impl Fn(FieldName) -> Option<&'a str>) -> Result<Sent, Vec<Objection>> {
        match self {
            Self::Code(_) => match value(FieldName::Code).and_then(parse::code_alone) {
                Some(code) => Ok(Sent::Asks(Filled { ask: Ask::Form(self.clone()), code: Some(code) })),
                None => Err(vec![Objection::new(FieldName::Code, speech::no_code_shape())]),
            },
            Self::Ship(draft) => match value(FieldName::Pipeline).and_then(parse::pipeline_alone) {
                Some(pipeline) => Ok(Sent::GoesOn { pipeline, draft: draft.clone() }),
                None => Err(vec![Objection::new(FieldName::Pipeline, speech::no_pipeline_shape())]),
            },
            Self::ShipFrom { pipeline, draft: _ } => ship::filled(pipeline, value).map(Sent::Asks),
            Self::Why(what) => match reason(value(FieldName::Because).unwrap_or_default()) {
                Ok(because) => Ok(Sent::Asks(Filled { ask: Ask::Reasoned { what: *what, because }, code: None })),
                Err(words) => Err(vec![Objection::new(FieldName::Because, words)]),
            },
        }
    }
}

/// A reason that was put into a field. Whatever ends like a code may be one in the wrong field, and is neither kept nor repeated.
fn reason(given: &str) -> Result<Because, &'static str> {
    if parse::split_code(given).1.is_some() {
        return Err(speech::code_in_another_field());
    }
    Because::parse(given).map_err(|_| speech::no_reason_shape())
}
