//! The commands, and the one table of them from which the parser, the help, the README and the chat manifests come.

use serde::{Deserialize, Serialize};

use super::names::NameError;
use super::pipeline::{PipelineKey, Place};
use super::source::AskedRef;

/// What a command does: its first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Usage.
    Help,
    /// What can I deploy.
    Pipelines,
    /// One pipeline.
    Info,
    /// What a deploy would do.
    Plan,
    /// Ship it.
    Deploy,
    /// What is going on.
    Status,
    /// Who waits.
    Queue,
    /// Step out of the line.
    Leave,
    /// Stop.
    Cancel,
    /// The last releases.
    Releases,
}

/// Why somebody does what they do, in their words: 1 to 200 characters, one line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Because(String);

impl Because {
    /// Checks and keeps a reason; spaces around it are dropped.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError { text: text.chars().take(100).collect(), expected: "a reason: 1 to 200 characters on one line" })
        }
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Because {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<Because> for String {
    fn from(because: Because) -> String {
        because.0
    }
}

/// What to ship, and where to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// What.
    pub what: AskedRef,
    /// Where to, if it was said.
    pub to: Option<Place>,
}

/// A pipeline and a place in it, if one was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Where {
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// The place in it.
    pub place: Option<Place>,
}

/// A command, understood. Has no place for a one-time code: the edge splits that off before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// `help [COMMAND]`
    Help {
        /// The command to explain.
        about: Option<Verb>,
    },
    /// `pipelines`
    Pipelines,
    /// `info PIPELINE`
    Info {
        /// The pipeline.
        pipeline: PipelineKey,
    },
    /// `plan PIPELINE[/REF] [to ENV[/APP]]`
    Plan(Wish),
    /// `deploy[!] PIPELINE[/REF] [to ENV[/APP]] [because WHY]`
    Deploy {
        /// What and where to.
        wish: Wish,
        /// `!`: pass failed, pending and missing checks. Always comes with a reason.
        passing_checks: bool,
        /// Why.
        because: Option<Because>,
    },
    /// `status [PIPELINE]`
    Status {
        /// The pipeline; `None`: all.
        pipeline: Option<PipelineKey>,
    },
    /// `queue PIPELINE [in ENV[/APP]]`
    Queue(Where),
    /// `leave [PIPELINE [in ENV[/APP]]]`
    Leave {
        /// Which line; `None`: the only one I stand in.
        line: Option<Where>,
    },
    /// `cancel PIPELINE [in ENV[/APP]]`
    Cancel(Where),
    /// `releases PIPELINE [in ENV[/APP]]`
    Releases(Where),
}

impl Command {
    /// Its first word.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Help { .. } => Verb::Help,
            Self::Pipelines => Verb::Pipelines,
            Self::Info { .. } => Verb::Info,
            Self::Plan(_) => Verb::Plan,
            Self::Deploy { .. } => Verb::Deploy,
            Self::Status { .. } => Verb::Status,
            Self::Queue(_) => Verb::Queue,
            Self::Leave { .. } => Verb::Leave,
            Self::Cancel(_) => Verb::Cancel,
            Self::Releases(_) => Verb::Releases,
        }
    }
}
