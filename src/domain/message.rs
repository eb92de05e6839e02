//! A message as meaning: spans, lines, buttons, tone and audience, without any chat's markup.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::Person;
use super::names::{ChannelId, DeploymentId, OfferId};

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Plain words. May hold text from outside: adapters escape it.
    Text(String),
    /// Words that matter most.
    Strong(String),
    /// A name, a hash, a command: shown as typed.
    Code(String),
    /// Somebody in the chat, shown in the chat's own way.
    Person(Person),
    /// A conversation of the chat, shown in the chat's own way.
    Channel(ChannelId),
    /// A moment. A chat that knows in which zone its readers live shows it in theirs; all others show the words.
    Moment {
        /// When.
        at: Timestamp,
        /// The same in words of ours, in UTC.
        words: String,
    },
    /// A link. The address is absolute `http` or `https`.
    Link {
        /// The words to show.
        label: String,
        /// Where it leads.
        url: String,
    },
}

/// One line of a message.
pub type Line = Vec<Span>;

/// What a message says at a glance: shown as a glyph and a word, never as colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// A plain answer.
    Info,
    /// Something goes on.
    Working,
    /// Something waits: for its turn, for a code.
    Waiting,
    /// It ended well.
    Good,
    /// A refusal, or a failure.
    Bad,
    /// It ended or goes on, but somebody should look.
    Attention,
    /// Nobody knows.
    Unknown,
}

/// Who may see a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Only the person who asked.
    Asker,
    /// Everybody in the conversation.
    Channel,
}

/// What a button does. Holds ids and no authority: whoever presses is judged when they press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Stop what can still be stopped of a deployment.
    Cancel(DeploymentId),
    /// Free the app of a deployment whose end is unknown, after the evidence was shown.
    Free(DeploymentId),
    /// Show the last lines of a deployment's output to the presser.
    ShowOutput(DeploymentId),
    /// Ask for the same deploy again.
    Retry(DeploymentId),
    /// Show what the app of a deployment can go back to.
    RollBack(DeploymentId),
    /// Run the command that is kept under this id.
    Take(OfferId),
    /// Let the command that is kept under this id be: nobody runs it any more.
    Decline(OfferId),
    /// Begin a deployment whose asker is asked at its turn.
    ShipNow(DeploymentId),
    /// Step out of the line with a deployment, as long as it waits.
    StepOut(DeploymentId),
    /// Ask the presser, in a form, for the one-time code that a deployment waits for.
    EnterCode(DeploymentId),
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancel(id) => write!(f, "cancel:{id}"),
            Self::Free(id) => write!(f, "free:{id}"),
            Self::ShowOutput(id) => write!(f, "output:{id}"),
            Self::Retry(id) => write!(f, "retry:{id}"),
            Self::RollBack(id) => write!(f, "back:{id}"),
            Self::Take(id) => write!(f, "take:{id}"),
            Self::Decline(id) => write!(f, "decline:{id}"),
            Self::ShipNow(id) => write!(f, "ship:{id}"),
            Self::StepOut(id) => write!(f, "leave:{id}"),
            Self::EnterCode(id) => write!(f, "code:{id}"),
        }
    }
}

/// A button's value that is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this button is not one of ours")]
pub struct ForeignAct;

impl FromStr for Act {
    type Err = ForeignAct;

    fn from_str(text: &str) -> Result<Self, ForeignAct> {
        let (kind, id) = text.split_once(':').ok_or(ForeignAct)?;
        let deployment = || id.parse().map(DeploymentId).map_err(|_| ForeignAct);
        match kind {
            "cancel" => deployment().map(Self::Cancel),
            "free" => deployment().map(Self::Free),
            "output" => deployment().map(Self::ShowOutput),
            "retry" => deployment().map(Self::Retry),
            "back" => deployment().map(Self::RollBack),
            "ship" => deployment().map(Self::ShipNow),
            "leave" => deployment().map(Self::StepOut),
            "code" => deployment().map(Self::EnterCode),
            "take" => id.parse().map(OfferId).map(Self::Take).map_err(|_| ForeignAct),
            "decline" => id.parse().map(OfferId).map(Self::Decline).map_err(|_| ForeignAct),
            _ => Err(ForeignAct),
        }
    }
}

/// How a button looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonStyle {
    /// Like any other.
    Plain,
    /// The expected way on.
    Primary,
    /// Takes something away.
    Danger,
}

/// A button under a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// The words on it, at most 30 characters.
    pub label: String,
    /// What it does.
    pub act: Act,
    /// How it looks.
    pub style: ButtonStyle,
}

/// Something we say, in any chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The glyph and the word.
    pub tone: Tone,
    /// Who may see it.
    pub audience: Audience,
    /// The first line: all that a notification shows.
    pub headline: Line,
    /// The lines below.
    pub lines: Vec<Line>,
    /// The last lines of an output, shown verbatim and never interpreted; already cleaned.
    pub output: Option<String>,
    /// The buttons, in order.
    pub buttons: Vec<Button>,
}

impl Message {
    /// A message of one line.
    pub fn new(tone: Tone, audience: Audience, headline: Line) -> Self {
        Self { tone, audience, headline, lines: Vec::new(), output: None, buttons: Vec::new() }
    }

    /// Adds a line.
    #[must_use]
    pub fn line(mut self, line: Line) -> Self {
        self.lines.push(line);
        self
    }

    /// Adds a button.
    #[must_use]
    pub fn button(mut self, label: &str, act: Act, style: ButtonStyle) -> Self {
        self.buttons.push(Button { label: label.to_owned(), act, style });
        self
    }
}

/// Plain words.
pub fn text(words: impl Into<String>) -> Span {
    Span::Text(words.into())
}

/// A name or a command, shown as typed.
pub fn code(words: impl ToString) -> Span {
    Span::Code(words.to_string())
}

/// Words that matter most.
pub fn strong(words: impl Into<String>) -> Span {
    Span::Strong(words.into())
}

/// A link.
pub fn link(label: impl Into<String>, url: impl Into<String>) -> Span {
    Span::Link { label: label.into(), url: url.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_survives_the_way_through_a_chat() {
        let id = uuid::Uuid::from_u128(7);
        for act in [
            Act::Cancel(DeploymentId(id)),
            Act::Free(DeploymentId(id)),
            Act::ShowOutput(DeploymentId(id)),
            Act::Retry(DeploymentId(id)),
            Act::RollBack(DeploymentId(id)),
            Act::Take(OfferId(id)),
            Act::Decline(OfferId(id)),
            Act::ShipNow(DeploymentId(id)),
            Act::StepOut(DeploymentId(id)),
            Act::EnterCode(DeploymentId(id)),
        ] {
            assert_eq!(act.to_string().parse(), Ok(act));
        }
        assert!("cancel:1".parse::<Act>().is_err());
        assert!("drop:00000000-0000-0000-0000-000000000007".parse::<Act>().is_err());
    }
}
