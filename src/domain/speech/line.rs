//! What we say of places in a line that change.

use crate::domain::actor::Person;
use crate::domain::deployment::{Deployment, Failure, Phase, WaitingFor};
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, text};
use crate::domain::names::OfferId;
use crate::domain::pipeline::Pipeline;

use super::card::{CardView, commit};
use super::words::{moment, sentence};

fn answer(tone: Tone, headline: Line) -> Message {
    Message::new(tone, Audience::Asker, headline)
}

/// `27bd10a (main) by @ana to hubot-staging`
fn which(deployment: &Deployment) -> Line {
    let mut line = commit(&deployment.cargo.commit, &deployment.cargo.named_by);
    line.extend([text(" by "), Span::Person(deployment.origin.person.clone()), text(" to "), code(&deployment.target.app_name)]);
    line
}

fn ahead_words(ahead: usize) -> String {
    if ahead == 0 { "nobody is ahead of it".to_owned() } else { format!("{ahead} ahead") }
}

/// Nothing that waits there is meant. `own`: nothing was named, so one's own was meant.
pub fn nobody_to_move(pipeline: &Pipeline, own: bool) -> Message {
    let words = if own { "You wait in no line there. (not-in-line)" } else { "Nothing of that name waits there. (not-in-line)" };
    answer(Tone::Bad, vec![code(&pipeline.name), text(": "), text(words)])
        .line(sentence("`queue` shows who waits. Say which with what it ships, as in `queue move hubot/topic in staging last`."))
}

/// Several that wait are meant. The buttons name each.
pub fn which_to_move(deployments: &[Deployment], buttons: &[(String, OfferId)]) -> Message {
    let mut message = answer(Tone::Info, vec![text("Several deploys fit. Which one?")]);
    message.lines.extend(deployments.iter().map(which));
    for (label, offer) in buttons {
        message = message.button(label, Act::Take(*offer), ButtonStyle::Plain);
    }
    message
}

/// The button for one of several.
pub fn move_this(deployment: &Deployment) -> String {
    let app: String = deployment.target.app_name.as_str().chars().take(22).collect();
    format!("{app} {}", deployment.cargo.commit.short())
}

/// Only admins change the places of others. `known`: the chat says who asks.
pub fn may_not_move(deployment: &Deployment, known: bool) -> Message {
    let mut headline = which(deployment);
    headline.push(text(" stays where it is. "));
    if known {
        headline.push(text("You may let others go before yours; only admins of this workspace change it otherwise. (may-not-move)"));
        return answer(Tone::Bad, headline)
            .line(sentence("Ask whoever waits to let you go first (`queue move … last`), or an admin: `rules` names them."));
    }
    headline.push(text("The chat does not say who you are, so nobody knows whether you may change it. (people-unreadable)"));
    answer(Tone::Bad, headline).line(sentence("Ask again in a moment."))
}

/// It has begun, or is there already.
pub fn stays_there(deployment: &Deployment) -> Message {
    let mut headline = which(deployment);
    headline.push(text(" stands there already. Nothing was changed."));
    answer(Tone::Info, headline)
}

/// Done.
pub fn moved(deployment: &Deployment, ahead: usize) -> Message {
    let mut headline = which(deployment);
    headline.push(text(format!(" has another place in the line now: {}.", ahead_words(ahead))));
    answer(Tone::Good, headline).line(sentence("Everybody whose place changed is told, and `history` tells who did it."))
}

/// To somebody whose place somebody else has changed.
pub fn place_changed(yours: &Deployment, moved: &Deployment, by: &Person, (before, now): (usize, usize)) -> Message {
    let mut headline = vec![Span::Person(by.clone()), text(" gave ")];
    if yours.id == moved.id {
        headline.push(text("your deploy of "));
        headline.extend(commit(&yours.cargo.commit, &yours.cargo.named_by));
    } else {
        headline.extend(commit(&moved.cargo.commit, &moved.cargo.named_by));
        headline.extend([text(" by "), Span::Person(moved.origin.person.clone())]);
    }
    headline.extend([text(" another place in the line of "), code(&yours.target.app_name), text(". ")]);
    if yours.id != moved.id {
        headline.push(text("Your deploy of "));
        headline.extend(commit(&yours.cargo.commit, &yours.cargo.named_by));
        headline.push(text(": "));
    }
    headline.push(text(format!("{} now, it was {before}.", ahead_words(now))));
    answer(Tone::Info, headline)
}

/// With the button that says that it ships.
pub(super) fn ship_now(message: Message, deployment: &Deployment) -> Message {
    message.button("Ship it now", Act::ShipNow(deployment.id), ButtonStyle::Primary)
}

/// With the two answers to the question at its turn.
pub(super) fn call_buttons(message: Message, deployment: &Deployment) -> Message {
    ship_now(message, deployment).button("Leave the line", Act::StepOut(deployment.id), ButtonStyle::Plain)
}

/// To somebody who wanted to be asked: their turn has come.
pub fn called(view: &CardView<'_>) -> Message {
    let deployment = view.deployment;
    let mut headline = vec![text("It is your turn: shall ")];
    headline.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    headline.push(text(format!(" ship to {} ({})?", deployment.target.environment, deployment.target.app_name)));
    let mut message = answer(Tone::Attention, headline);
    if let Phase::Waiting(WaitingFor::Answer { until }) = &deployment.phase {
        message.lines.push(vec![
            text("The app is kept for you until "),
            moment(*until, view.now),
            text(". Without an answer by then your place goes to the next, and you are told."),
        ]);
    }
    call_buttons(message.line(vec![text("Everything is judged once more when you say yes.")]), deployment)
}

/// It ships at its asker's word.
pub fn ships_now(deployment: &Deployment) -> Message {
    let mut headline = vec![text("Your deploy of ")];
    headline.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    headline.extend([text(" to "), code(&deployment.target.app_name), text(" starts now.")]);
    answer(Tone::Good, headline)
}

/// Somebody else answers in their place.
pub fn not_your_call(deployment: &Deployment) -> Message {
    let asker = Span::Person(deployment.origin.person.clone());
    answer(Tone::Bad, vec![text("Only "), asker, text(", who asked for that deploy, says whether it ships. (not-your-turn)")])
}

/// Nobody is asked about it just now: how it stands instead.
pub fn not_called(deployment: &Deployment) -> Message {
    let mut headline = vec![text("Your deploy of ")];
    headline.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    headline.extend([text(" to "), code(&deployment.target.app_name)]);
    let again = |message: Message| message.button("Deploy again", Act::Retry(deployment.id), ButtonStyle::Plain);
    let (tone, words) = match &deployment.phase {
        Phase::Failed { why: Failure::NoAnswer, .. } | Phase::Waiting(WaitingFor::Answer { .. }) => {
            headline.push(text(" is out of the line: no answer came in time. (no-answer)"));
            return again(answer(Tone::Bad, headline)).line(sentence("Deployed again, it waits at the end of the line."));
        }
        Phase::Cancelled { .. } => {
            headline.push(text(" is out of the line: it was stopped."));
            return again(answer(Tone::Info, headline));
        }
        Phase::Waiting(_) => (Tone::Waiting, " waits. You are asked at its turn."),
        Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Freed { .. } => (Tone::Info, " is over. Its card shows how it ended."),
        Phase::NeedsCode { .. }
        | Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. }
        | Phase::Unknown(_) => (Tone::Info, " is on its way already. Its card shows how it stands."),
    };
    headline.push(text(words));
    answer(tone, headline)
}
