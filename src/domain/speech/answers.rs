//! What we say to commands and presses about deployments that exist.

use jiff::Timestamp;

use crate::domain::deployment::{Deployment, Phase, Stage, Target, WaitingFor, Watched};
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Tone, code, link, text};
use crate::domain::names::{CommitSha, DeploymentId, OfferId};
use crate::domain::pipeline::{Pipeline, Place};
use crate::domain::source::CommitRef;

use super::card::{Pages, commit, noun};
use super::line::call_buttons;
use super::services::{HEROKU, service};
use super::words::{duration, sentence};

fn answer(tone: Tone, headline: Line) -> Message {
    Message::new(tone, Audience::Asker, headline)
}

/// `27bd10a (main) to hubot-staging`
fn which(deployment: &Deployment) -> Line {
    let mut line = commit(&deployment.cargo.commit, &deployment.cargo.named_by);
    line.extend([text(" to "), code(&deployment.target.app_name)]);
    line
}

fn about(before: &str, deployment: &Deployment, after: &str) -> Line {
    let mut line = vec![text(before)];
    line.extend(which(deployment));
    line.push(text(after));
    line
}

/// Asked a second time.
pub fn joined(deployment: &Deployment, ahead: Option<usize>) -> Message {
    let state = match (&deployment.phase, ahead) {
        (Phase::NeedsCode { .. }, _) => " already waits for a one-time code: type the command again with the code at its end.".to_owned(),
        (Phase::Waiting(WaitingFor::Checks { .. }), _) => {
            " already waits for its checks. Nothing was added. To ship past them, `cancel` this one first.".to_owned()
        }
        (Phase::Waiting(WaitingFor::Answer { .. }), _) => " has its turn. Nothing was added: say whether it ships.".to_owned(),
        (Phase::Waiting(WaitingFor::BuildSlot { .. }), _) => " already waits for a build slot. Nothing was added.".to_owned(),
        (Phase::Waiting(WaitingFor::Allowance { of, .. }), _) => {
            format!(" already waits, since {} takes no more for now. Nothing was added.", service(*of))
        }
        (Phase::Waiting(_), Some(ahead)) if ahead > 0 => format!(" already waits in line, {ahead} ahead. Nothing was added."),
        (_, _) => " is already on its way. Nothing was started a second time.".to_owned(),
    };
    let mut headline = about(&format!("Your {} of ", noun(deployment)), deployment, "");
    headline.extend(sentence(&state));
    let message = answer(Tone::Info, headline);
    if matches!(deployment.phase, Phase::Waiting(WaitingFor::Answer { .. })) { call_buttons(message, deployment) } else { message }
}

/// A code was accepted for a deployment that waits or goes on.
pub fn code_taken(deployment: &Deployment) -> Message {
    answer(Tone::Good, about(&format!("The code was accepted. Your {} of ", noun(deployment)), deployment, " goes on."))
}

/// A code was not accepted. `waits`: the deploy waits for one.
pub fn code_refused(waits: bool) -> Message {
    let so = format!("{HEROKU} did not accept that code. It is used up and was not kept. {} (code-refused)", after_a_code(waits));
    answer(Tone::Bad, vec![text(so)])
}

/// A code was lost on the way. `waits`: the deploy waits for one.
pub fn code_lost(waits: bool) -> Message {
    answer(
        Tone::Attention,
        vec![text(format!("The one-time code could not be handed over: it was not kept. {} (code-lost)", after_a_code(waits)))],
    )
}

fn after_a_code(waits: bool) -> &'static str {
    if waits {
        "Type the command again with a new one."
    } else {
        "The deploy goes on without it; if the app wants a code you are asked for a new one."
    }
}

/// Stopped.
pub fn stopped(deployment: &Deployment) -> Message {
    answer(Tone::Good, about(&format!("Stopped your {} of ", noun(deployment)), deployment, ". Nothing had changed on the app."))
}

/// It will be stopped.
pub fn stopping(deployment: &Deployment) -> Message {
    answer(
        Tone::Working,
        about(
            &format!("Stopping the {} of ", noun(deployment)),
            deployment,
            &format!(" as soon as {HEROKU} lets go. The card shows how it ends."),
        ),
    )
}

/// It cannot be stopped.
pub fn cannot_stop(deployment: &Deployment, stage: Stage) -> Message {
    let why = match stage {
        Stage::Release => " cannot be stopped: the build is done and the release phase runs. It ends by itself within the hour.",
        Stage::Dynos => " cannot be stopped: the release is out and its dynos are restarting. To go back, deploy the earlier commit.",
        Stage::Line | Stage::Code | Stage::Checks | Stage::Announcement | Stage::Source | Stage::Build => " cannot be stopped now.",
    };
    answer(Tone::Bad, about(&format!("The {} of ", noun(deployment)), deployment, &format!("{why} (too-late)")))
}

/// What is known about an unknown deployment, and that it can be freed.
pub fn unknown_evidence(deployment: &Deployment, watched: &Watched, pages: &Pages, now: Timestamp) -> Message {
    let last = match watched {
        Watched::Order => "A build was ordered, and no answer ever came; no build with our id has been found.",
        Watched::Build { .. } => "The build was going on when it was last seen.",
        Watched::Release { .. } => "The release phase was going on when it was last seen.",
        Watched::Dynos { .. } => "The release was out and its dynos were coming up when it was last seen.",
    };
    let waited = duration(now.duration_since(deployment.since).as_secs() / 60 * 60);
    let mut links = vec![link("app", &pages.app)];
    for (label, page) in [("build", &pages.build), ("release", &pages.release)] {
        if let Some(page) = page {
            links.extend([text(" · "), link(label, page)]);
        }
    }
    answer(
        Tone::Unknown,
        about(&format!("Nobody knows how the {} of ", noun(deployment)), deployment, &format!(" stands, for {waited} now.")),
    )
    .line(vec![text(last)])
    .line(links)
    .line(vec![text("Look there first. If nothing goes on any more, free the app for the next deploy.")])
    .button("Free the app", Act::Free(deployment.id), ButtonStyle::Danger)
}

/// Freed.
pub fn freed(deployment: &Deployment) -> Message {
    answer(Tone::Attention, about(&format!("Freed the app. Nobody knows how the {} of ", noun(deployment)), deployment, " ended."))
}

/// It is not unknown.
pub fn is_not_unknown(deployment: &Deployment) -> Message {
    if matches!(deployment.phase, Phase::Freed { .. }) {
        return answer(
            Tone::Info,
            about(&format!("The app was freed already. Nobody knows how the {} of ", noun(deployment)), deployment, " ended."),
        );
    }
    answer(
        Tone::Info,
        about(
            &format!("It is known how the {} of ", noun(deployment)),
            deployment,
            " stands; there is nothing to free. The card shows it.",
        ),
    )
}

/// It is over.
pub fn is_over(deployment: &Deployment) -> Message {
    answer(
        Tone::Info,
        about(&format!("The {} of ", noun(deployment)), deployment, " is over; there is nothing to stop. The card shows how it ended."),
    )
}

/// It still goes on.
pub fn still_going(deployment: &Deployment) -> Message {
    answer(Tone::Info, about(&format!("The {} of ", noun(deployment)), deployment, " still goes on; there is nothing to repeat."))
}

/// The presser may not.
pub fn may_not_touch(deployment: &Deployment) -> Message {
    answer(
        Tone::Bad,
        about(
            &format!("The {} of ", noun(deployment)),
            deployment,
            " is somebody else's, and you may not deploy to that app. (may-not-deploy)",
        ),
    )
}

/// A button of a deployment that we do not know.
pub fn no_such_deployment() -> Message {
    answer(Tone::Bad, vec![text("That deploy is not known here any more. (unknown-deployment)")])
}

/// Nothing to stop.
pub fn nothing_to_stop(pipeline: &Pipeline, place: Option<&Place>) -> Message {
    let mut headline = vec![text("Nothing is running or waiting in "), code(&pipeline.name)];
    headline.extend(place.into_iter().flat_map(|place| [text(" in "), code(place)]));
    headline.push(text("."));
    answer(Tone::Info, headline)
}

/// There is no deploy whose end nobody knows.
pub fn nothing_to_free(pipeline: &Pipeline, place: Option<&Place>) -> Message {
    let mut headline = vec![text("Of everything that is deployed in "), code(&pipeline.name)];
    headline.extend(place.into_iter().flat_map(|place| [text(" in "), code(place)]));
    headline.push(text(", it is known how it stands: there is nothing to free."));
    answer(Tone::Info, headline)
}

/// Several could be meant.
pub fn which_to_free(deployments: &[Deployment]) -> Message {
    let mut message = answer(Tone::Info, vec![text("Several apps could be freed. Name the one: behind `in`, as below.")]);
    for deployment in deployments {
        let mut line = which(deployment);
        line.extend([text(": "), code(format!("in {}/{}", deployment.target.environment, deployment.target.app_name))]);
        message = message.line(line);
    }
    message
}

/// Nothing waits.
pub fn not_waiting(place_named: bool) -> Message {
    answer(Tone::Info, vec![text(if place_named { "You do not wait in any line there." } else { "You do not wait in any line." })])
}

/// Several could be meant.
pub fn which_to_stop(deployments: &[Deployment]) -> Message {
    which_one(deployments, Act::Cancel)
}

/// Several lines could be meant, or rides.
pub fn which_to_leave(deployments: &[Deployment]) -> Message {
    which_one(deployments, Act::StepOut)
}

fn which_one(deployments: &[Deployment], act: fn(DeploymentId) -> Act) -> Message {
    let mut message = answer(Tone::Info, vec![text("Several deploys fit. Which one?")]);
    for deployment in deployments {
        message = message.line(which(deployment));
        let label: String = deployment.target.app_name.as_str().chars().take(22).collect();
        message = message.button(&format!("{label} {}", deployment.cargo.commit.short()), act(deployment.id), ButtonStyle::Danger);
    }
    message
}

/// The last lines of an output.
pub fn output(deployment: &Deployment, output: String, page: &str) -> Message {
    let mut message = answer(Tone::Info, about(&format!("The last lines of the {} of ", noun(deployment)), deployment, ":"));
    message.output = Some(output);
    message.line(vec![link("All of it", page)])
}

/// There is none.
pub fn no_output(deployment: &Deployment) -> Message {
    answer(Tone::Info, about(&format!("There is no output of the {} of ", noun(deployment)), deployment, " (yet)."))
}

/// A button that is too old.
pub fn offer_gone() -> Message {
    answer(Tone::Bad, vec![text("That button is too old. Type the command again. (offer-gone)")])
}

/// A button of somebody else.
pub fn offer_not_yours() -> Message {
    answer(Tone::Bad, vec![text("That button is for the person who asked. (offer-not-yours)")])
}

/// A button that was pressed before.
pub fn offer_taken() -> Message {
    answer(Tone::Info, vec![text("That button was pressed already; it does its work once.")])
}

/// The button that ships the commit that was asked for, although its ref has moved.
pub fn ship_as_asked(asked: &CommitSha) -> String {
    format!("Ship {}, as asked", asked.short())
}

/// The button that ships what the ref stands for now.
pub fn ship_new_head(now: &CommitSha) -> String {
    format!("Ship {}, the new head", now.short())
}

/// A ref moved between asking and starting: two ways on.
pub fn ref_moved(target: &Target, by: &CommitRef, asked: &CommitSha, now: &CommitSha, buttons: &[(String, OfferId)]) -> Message {
    let mut message = answer(
        Tone::Attention,
        vec![
            code(by),
            text(" moved from "),
            code(asked.short()),
            text(" to "),
            code(now.short()),
            text(" since you asked to ship it to "),
            code(&target.app_name),
            text(". Nothing was built. (ref-moved)"),
        ],
    );
    for (label, id) in buttons {
        message = message.button(label, Act::Take(*id), ButtonStyle::Plain);
    }
    message
}
