//! What was done: deploys that are over or go on, who overrode, stopped and freed what, and changes of the rules.

use jiff::Timestamp;

use crate::domain::deployment::{Deployment, Phase};
use crate::domain::lock::{End, Ended, Scope};
use crate::domain::message::{Audience, Line, Message, Span, Tone, code, strong, text};
use crate::domain::names::PipelineName;
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

/// The last deploys of a pipeline, newest first, locks that were taken over or freed by others, the last changes of where
/// its notices go, and of the rules.
pub fn history(pipeline: &Pipeline, deployments: &[Deployment], over: &[Ended], entries: &[Entry], now: Timestamp) -> Message {
    let mut message = answer(match deployments {
        [] => vec![text("Nothing has been deployed in "), code(&pipeline.name), text(" by this service yet.")],
        [_, ..] => vec![text("The last deploys in "), code(&pipeline.name), text(", the newest first:")],
    });
    message.lines.extend(deployments.iter().map(|deployment| deployed(deployment, now)));
    if !over.is_empty() {
        message.lines.push(vec![strong("Locks that others have ended")]);
        message.lines.extend(over.iter().map(|ended| lock_ended(ended, now)));
    }
    let (rules, routes): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| matches!(entry.did, Did::Rules { .. }));
    for (title, entries) in [("Changes of where notices go", routes), ("Changes of the rules", rules)] {
        if !entries.is_empty() {
            message.lines.push(vec![strong(title)]);
            message.lines.extend(entries.into_iter().map(|entry| entry_line(entry, now)));
        }
    }
    message
}

/// Something that somebody did by a right that others may ask about.
#[derive(Clone, Debug)]
pub enum Deed {
    /// A deploy past its checks, one that somebody else stopped or moved, or one whose app was freed.
    Deploy(Box<Deployment>),
    /// A lock of this pipeline that somebody else has ended.
    Lock(PipelineName, Box<Ended>),
    /// A change of the rules, or of where notices go.
    Entry(Box<Entry>),
}

impl Deed {
    /// When it was done.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Deploy(deployment) => deployment.remarkable_at(),
            Self::Lock(_, ended) => ended.at,
            Self::Entry(entry) => entry.at,
        }
    }
}

/// All of that in a workspace, newest first.
pub fn history_of_all(deeds: &[Deed], command_word: &str, now: Timestamp) -> Message {
    let mut message = answer(vec![text(match deeds {
        [] => "Nothing was overridden, stopped or freed by others or changed in the rules here, or not within 24 months.",
        [_, ..] => "What was done past checks, to what is somebody else's, and by admins, the newest first:",
    })]);
    for deed in deeds {
        message.lines.push(match deed {
            Deed::Deploy(deployment) => deployed(deployment, now),
            Deed::Lock(pipeline, ended) => {
                let mut line = lock_ended(ended, now);
                line.extend([text(", in "), code(pipeline)]);
                line
            }
            Deed::Entry(entry) => entry_line(entry, now),
        });
    }
    message.line(vec![text("The last deploys of a pipeline: "), code(typed(command_word, "history PIPELINE"))])
}

fn lock_ended(ended: &Ended, now: Timestamp) -> Line {
    let on = match ended.lock.on {
        Scope::Pipeline => "the pipeline".to_owned(),
        Scope::Environment(environment) => environment.to_string(),
    };
    let holder = || Span::Person(ended.lock.holder.clone());
    let told = |by: Span, did: &str| vec![moment(ended.at, now), text(": "), by, text(format!(" {did} ")), holder()];
    let (mut line, because) = match &ended.how {
        End::TakenOver { by, because } => (told(Span::Person(by.clone()), "took over the lock of"), because.as_ref()),
        End::FreedBy { by, because } => (told(Span::Person(by.clone()), "freed the lock of"), because.as_ref()),
        End::RanOut | End::Freed => (told(text("the time"), "ended the lock of"), None),
    };
    line.push(text(format!(" on {on}")));
    line.extend(because.map(|because| text(format!(" (because {because})"))));
    line
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
