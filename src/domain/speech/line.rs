//! What we say of places in a line that change.

use crate::domain::actor::Person;
use crate::domain::deployment::Deployment;
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, text};
use crate::domain::names::OfferId;
use crate::domain::pipeline::Pipeline;

use super::card::commit;
use super::words::sentence;

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
