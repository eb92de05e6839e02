//! The page that a chat has for one person and us, as meaning, and what its buttons do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::lock::Scope;
use super::message::{Act, ButtonStyle, ForeignAct, Line, Message};
use super::names::{ChannelId, PipelineId};
use super::pipeline::Environment;

/// What a button on somebody's own page does. Holds ids and no authority: whoever presses is judged when they press.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageAct {
    /// The same as a button under a message.
    Press(Act),
    /// Frees what the presser holds there.
    Unlock {
        /// The pipeline.
        pipeline: PipelineId,
        /// All of it, or one environment.
        on: Scope,
    },
    /// Frees everything that the presser holds.
    UnlockAll,
    /// Tells the presser's notices again.
    Unmute,
}

impl fmt::Display for PageAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Press(act) => act.fmt(f),
            Self::Unlock { pipeline, on: Scope::Pipeline } => write!(f, "unlock:all:{pipeline}"),
            Self::Unlock { pipeline, on: Scope::Environment(environment) } => write!(f, "unlock:{environment}:{pipeline}"),
            Self::UnlockAll => f.write_str("unlock-all"),
            Self::Unmute => f.write_str("unmute"),
        }
    }
}

impl FromStr for PageAct {
    type Err = ForeignAct;

    fn from_str(text: &str) -> Result<Self, ForeignAct> {
        if let Some((on, pipeline)) = text.strip_prefix("unlock:").and_then(|rest| rest.split_once(':')) {
            let on = match on {
                "all" => Scope::Pipeline,
                environment => Scope::Environment(Environment::from_word(environment).ok_or(ForeignAct)?),
            };
            return Ok(Self::Unlock { pipeline: PipelineId::parse(pipeline).map_err(|_| ForeignAct)?, on });
        }
        match text {
            "unlock-all" => Ok(Self::UnlockAll),
            "unmute" => Ok(Self::Unmute),
            press => press.parse().map(Self::Press),
        }
    }
}

/// A button on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageButton {
    /// The words on it, at most 30 characters.
    pub label: String,
    /// What it does.
    pub act: PageAct,
    /// How it looks.
    pub style: ButtonStyle,
}

/// Lines with the buttons that belong to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The lines.
    pub lines: Vec<Line>,
    /// The buttons, in order.
    pub buttons: Vec<PageButton>,
}

/// What stands under one title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The title, at most 150 characters.
    pub title: String,
    /// What stands under it, in order.
    pub rows: Vec<Row>,
}

/// A page for one person, who alone sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What came of what was just done on it, or why there is no more to see.
    pub note: Option<Message>,
    /// The parts, in order.
    pub parts: Vec<Part>,
    /// The conversation with that person, for whatever is pressed here; `None`: nothing can be.
    pub conversation: Option<ChannelId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::DeploymentId;

    #[test]
    fn what_a_button_does_survives_the_way_through_a_chat() {
        let pipeline = PipelineId::parse("0:1/production").unwrap();
        let unlock = |on| PageAct::Unlock { pipeline: pipeline.clone(), on };
        for act in [
            PageAct::Press(Act::Cancel(DeploymentId(uuid::Uuid::from_u128(7)))),
            unlock(Scope::Pipeline),
            unlock(Scope::Environment(Environment::Staging)),
            PageAct::UnlockAll,
            PageAct::Unmute,
        ] {
            assert_eq!(act.to_string().parse(), Ok(act));
        }
        for foreign in ["unlock:moon:1", "unlock:all:", "unlock:all", "unlock", "mute", ""] {
            assert!(foreign.parse::<PageAct>().is_err(), "{foreign}");
        }
    }
}
