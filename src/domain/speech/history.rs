//! What was done: deploys that are over or go on, who overrode, stopped and freed what, and changes of the rules.

use jiff::Timestamp;

use crate::domain::deployment::{Deployment, Phase};
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, strong, text};
use crate::domain::names::OfferId;
use crate::domain::pipeline::Pipeline;
use crate::domain::rights::{Did, Entry};

use super::card::commit;
use super::help::typed;
use super::reasons::in_short;
use super::rights::entry_line;
use super::words::{list, moment};

fn answer(headline: Line) -> Message {
    Message::new(Tone::Info, Audience::Asker, headline)
}

/// The words on the button that shows what came before.
pub const OLDER: &str = "Older";

/// How a page goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Older {
    /// The next page shows what was done before this; `None`: there is no more.
    pub before: Option<Timestamp>,
    /// What shows it.
    pub button: Option<OfferId>,
    /// How far back deploys were looked through, where there may be more.
    pub looked_back_to: Option<Timestamp>,
}

impl Older {
    /// Says that there is more, or how far was looked.
    fn told(&self, mut message: Message, pipeline: Option<&Pipeline>, command_word: &str, now: Timestamp) -> Message {
        if let Some(back_to) = self.looked_back_to {
            message = message.line(vec![
                text("There are very many deploys: I looked back to those of "),
                moment(back_to, now),
                text(", and what was done before is not listed yet."),
            ]);
        }
        let Some(before) = self.before else { return message };
        let of = pipeline.map(|pipeline| format!("{} ", pipeline.name)).unwrap_or_default();
        message = message.line(vec![text("Older: "), code(typed(command_word, &format!("history {of}before {before}")))]);
        match self.button {
            Some(id) => message.button(OLDER, Act::Take(id), ButtonStyle::Plain),
            None => message,
        }
    }
}

/// A page of the deploys of a pipeline, newest first, with what was done meanwhile: locks that were taken over or freed by others, changes
/// of where its notices go, and of the rules.
pub fn history(
    pipeline: &Pipeline,
    deployments: &[Deployment],
    entries: &[Entry],
    before: Option<Timestamp>,
    older: &Older,
    command_word: &str,
    now: Timestamp,
) -> Message {
    let mut message = answer(match (deployments, older.before, before) {
        ([], Some(back_to), _) => vec![text("No deploy in "), code(&pipeline.name), text(" since "), moment(back_to, now), text(".")],
        ([], None, None) => {
            vec![text("Nothing has been deployed in "), code(&pipeline.name), text(" by this service yet, or not within 24 months.")]
        }
        ([], None, Some(before)) => {
            vec![text("No deploy in "), code(&pipeline.name), text(" is on record from before "), moment(before, now), text(".")]
        }
        ([_, ..], _, None) => vec![text("The last deploys in "), code(&pipeline.name), text(", the newest first:")],
        ([_, ..], _, Some(before)) => {
            vec![text("The deploys in "), code(&pipeline.name), text(" before "), moment(before, now), text(", the newest first:")]
        }
    });
    message.lines.extend(deployments.iter().map(|deployment| deployed(deployment, now)));
    let of = |wanted: fn(&Did) -> bool| entries.iter().filter(move |entry| wanted(&entry.did)).collect::<Vec<_>>();
    for (title, entries) in [
        ("Locks that others have ended", of(|did| matches!(did, Did::EndedLock { .. }))),
        ("Changes of where notices go", of(|did| matches!(did, Did::Routed { .. }))),
        ("Changes of the rules", of(|did| matches!(did, Did::Rules { .. }))),
    ] {
        if !entries.is_empty() {
            message.lines.push(vec![strong(title)]);
            message.lines.extend(entries.into_iter().map(|entry| entry_line(entry, now)));
        }
    }
    older.told(message, Some(pipeline), command_word, now)
}

/// Something that somebody did by a right that others may ask about.
#[derive(Clone, Debug)]
pub enum Deed {
    /// A deploy past its checks, one that somebody else stopped or moved, or one whose app was freed.
    Deploy(Box<Deployment>),
    /// A change of the rules, or of where notices go, or the end of somebody else's lock.
    Entry(Box<Entry>),
}

impl Deed {
    /// By when it is listed: for a deploy, when it was asked for.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Deploy(deployment) => deployment.asked_at,
            Self::Entry(entry) => entry.at,
        }
    }
}

/// A page of all of that in a workspace, newest first.
pub fn history_of_all(deeds: &[Deed], before: Option<Timestamp>, older: &Older, command_word: &str, now: Timestamp) -> Message {
    let mut message = answer(match (deeds, older.before, before) {
        ([], Some(back_to), _) => {
            let words = "Nothing was overridden, stopped or freed by others or changed in the rules since ";
            vec![text(words), moment(back_to, now), text(".")]
        }
        ([], None, None) => {
            vec![text("Nothing was overridden, stopped or freed by others or changed in the rules here, or not within 24 months.")]
        }
        ([], None, Some(before)) => vec![
            text("Nothing that was overridden, stopped or freed by others or changed in the rules is on record from before "),
            moment(before, now),
            text("."),
        ],
        ([_, ..], _, None) => vec![text("What was done past checks, to what is somebody else's, and by admins, the newest first:")],
        ([_, ..], _, Some(before)) => vec![
            text("What was done past checks, to what is somebody else's, and by admins before "),
            moment(before, now),
            text(", the newest first:"),
        ],
    });
    for deed in deeds {
        message.lines.push(match deed {
            Deed::Deploy(deployment) => deployed(deployment, now),
            Deed::Entry(entry) => entry_line(entry, now),
        });
    }
    message = older.told(message, None, command_word, now);
    message.line(vec![text("The last deploys of a pipeline: "), code(typed(command_word, "history PIPELINE"))])
}

fn deployed(deployment: &Deployment, now: Timestamp) -> Line {
    let mut line = vec![moment(deployment.asked_at, now), text(": "), Span::Person(deployment.origin.person.clone()), text(", ")];
    line.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    line.extend([text(" to "), code(&deployment.target.app_name), text(format!(" ({}): ", deployment.target.environment))]);
    line.extend(outcome(deployment, now));
    if let Some(overriding) = &deployment.overriding {
        let passed = if overriding.skipped.is_empty() { "no check that was in the way".to_owned() } else { list(&overriding.skipped) };
        line.push(text(format!(". Overrode {passed}: {}", overriding.because)));
    } else if let Some(because) = &deployment.because {
        line.push(text(format!(". Because {because}")));
    }
    if let Some(moved) = &deployment.moved {
        line.extend([text(". Given another place in the line by "), Span::Person(moved.by.clone()), text(", "), moment(moved.at, now)]);
    }
    line
}

fn outcome(deployment: &Deployment, now: Timestamp) -> Line {
    let by = |words: &str, by: &crate::domain::actor::Person| {
        vec![text(format!("{words} by ")), Span::Person(by.clone()), text(", "), moment(deployment.since, now)]
    };
    match &deployment.phase {
        Phase::Succeeded { version, .. } => vec![text(format!("out as v{version}"))],
        Phase::Failed { why, .. } => vec![text(format!("did not work, {}", in_short(why)))],
        Phase::Cancelled { by: who, .. } => {
            let because = deployment.cancel.as_ref().and_then(|cancel| cancel.because.as_ref());
            let mut line = by("stopped", who);
            line.extend(because.map(|because| text(format!(" (because {because})"))));
            line
        }
        Phase::Freed { by: who, .. } if deployment.is_orphaned() && *who == deployment.origin.person => {
            vec![
                text("nobody knows how it ended; the app was freed once nothing of it could run any more, "),
                moment(deployment.since, now),
            ]
        }
        Phase::Freed { by: who, because, .. } => {
            let mut line = by("nobody knows how it ended; the app was freed", who);
            line.extend(because.iter().map(|because| text(format!(" (because {because})"))));
            line
        }
        Phase::Unknown(_) => vec![text("unknown")],
        Phase::Waiting(_) | Phase::NeedsCode { .. } => vec![text("waiting")],
        Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. } => vec![text("going on")],
    }
}
