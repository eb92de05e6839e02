//! What we say to those who ride along with somebody else's deploy.

use crate::domain::command::Because;
use crate::domain::deployment::{Deployment, Rider, Target};
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, text};
use crate::domain::names::{CommitSha, OfferId};
use crate::domain::source::Resolved;

use super::card::commit;
use super::refusals::commit_words;

/// The button that rides along.
pub const RIDE_ALONG: &str = "Ride along";
/// The button that ships by itself.
pub const DEPLOY_MINE: &str = "Deploy mine by itself";
/// So many are named on a card.
const NAMED: usize = 3;

fn answer(tone: Tone, headline: Line) -> Message {
    Message::new(tone, Audience::Asker, headline)
}

/// ` with @bo`, where somebody rides along.
pub(super) fn with_riders(deployment: &Deployment) -> Line {
    let mut line = Line::new();
    for (place, rider) in deployment.riders.iter().take(NAMED).enumerate() {
        line.extend([text(if place == 0 { " with " } else { ", " }), Span::Person(rider.person.clone())]);
    }
    let more = deployment.riders.len().saturating_sub(NAMED);
    line.extend((more > 0).then(|| text(format!(" and {more} more"))));
    line
}

/// `@ana's deploy of 27bd10a (main) to hubot-staging`
fn whose(deployment: &Deployment) -> Line {
    let mut line = vec![text("the deploy of ")];
    line.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    line.extend([text(" to "), code(&deployment.target.app_name), text(" by "), Span::Person(deployment.origin.person.clone())]);
    line
}

/// They ride along.
pub fn rides(deployment: &Deployment, wants: &CommitSha) -> Message {
    let mut headline = vec![text("You ride along with ")];
    headline.extend(whose(deployment));
    if *wants == deployment.cargo.commit {
        headline.push(text(": the same commit ships once."));
    } else {
        headline.extend([text(", which contains "), code(wants.short()), text(".")]);
    }
    answer(Tone::Good, headline).line(vec![text("You are told how it ends. To step out: "), code("leave")]).button(
        "Ride no more",
        Act::StepOut(deployment.id),
        ButtonStyle::Plain,
    )
}

/// They ride along no more.
pub fn rides_no_more(deployment: &Deployment) -> Message {
    let mut headline = vec![text("You ride no more with ")];
    headline.extend(whose(deployment));
    headline.push(text(". It goes on."));
    answer(Tone::Good, headline)
}

/// They neither ride along nor wait with it.
pub fn rides_not(deployment: &Deployment) -> Message {
    let mut headline = vec![text("You neither ride along nor wait with ")];
    headline.extend(whose(deployment));
    headline.push(text(". (not-in-line)"));
    answer(Tone::Info, headline)
}

/// A commit is part of one that ships before it.
pub fn may_ride(other: &Deployment, resolved: &Resolved, buttons: &[(String, OfferId)]) -> Message {
    let mut headline = commit_words(resolved);
    headline.push(text(" is part of "));
    headline.extend(commit(&other.cargo.commit, &other.cargo.named_by));
    headline.extend([text(", with which "), Span::Person(other.origin.person.clone()), text(" stands before you in the line of ")]);
    headline.extend([code(&other.target.app_name), text(". Ride along?")]);
    let message = answer(Tone::Attention, headline)
        .line(vec![text("Nothing has begun. It ships with that one then; by itself after it, yours would take commits away again.")]);
    with_buttons(message, buttons)
}

/// To somebody who waits: theirs is part of one that was asked for behind it.
pub fn ships_behind(yours: &Deployment, later: &Deployment, buttons: &[(String, OfferId)]) -> Message {
    let mut headline = vec![Span::Person(later.origin.person.clone()), text(" waits behind you in the line of ")];
    headline.extend([code(&yours.target.app_name), text(" with ")]);
    headline.extend(commit(&later.cargo.commit, &later.cargo.named_by));
    headline.push(text(", which contains your "));
    headline.extend([commit(&yours.cargo.commit, &yours.cargo.named_by), vec![text(". Ride along?")]].concat());
    let message = answer(Tone::Info, headline)
        .line(vec![text("Your own deploy is stopped then, and yours ships with that one. Otherwise nothing changes.")]);
    with_buttons(message, buttons)
}

/// It is over, full or being stopped.
pub fn takes_nobody_along(target: &Target, wants: &CommitSha, buttons: &[(String, OfferId)]) -> Message {
    let mut headline = vec![text("The deploy that "), code(wants.short()), text(" was to ride along with to "), code(&target.app_name)];
    headline.push(text(" takes nobody along any more. Nothing has begun. (no-ride)"));
    with_buttons(answer(Tone::Bad, headline), buttons)
}

fn with_buttons(mut message: Message, buttons: &[(String, OfferId)]) -> Message {
    for (label, id) in buttons {
        let style = if label == RIDE_ALONG { ButtonStyle::Primary } else { ButtonStyle::Plain };
        message = message.button(label, Act::Take(*id), style);
    }
    message
}

/// Why one's own deploy is stopped that rides along instead.
pub fn rides_instead(other: &Deployment) -> Option<Because> {
    Because::parse(&format!("it rides along with {}", other.cargo.commit.short())).ok()
}

/// What a rider is told before how it ended.
pub(super) fn what_they_rode(deployment: &Deployment, rider: &Rider) -> Line {
    let mut line = vec![text("The deploy of ")];
    line.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    line.extend([text(format!(" to {} (", deployment.target.environment)), text(deployment.target.app_name.as_str()), text(") by ")]);
    line.push(Span::Person(deployment.origin.person.clone()));
    if rider.wants == deployment.cargo.commit {
        line.push(text(", with which you ride,"));
    } else {
        line.extend([text(", with which your "), code(rider.wants.short()), text(" rides,")]);
    }
    line
}
