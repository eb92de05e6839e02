//! What we say where something is said aside: people of other companies read along where it was asked for, or may.

use crate::domain::actor::Origin;
use crate::domain::deployment::Deployment;
use crate::domain::message::{Audience, Line, Message, Span, Tone, code, text};
use crate::domain::rights::Aside;

use super::card::noun;
use super::help::typed;

const OPEN: &str = "rules outsiders yes because …";

/// Why it is not said there; `None`: that is plain to see.
fn why(aside: Aside, origin: &Origin) -> Option<Line> {
    let there = || Span::Channel(origin.channel.clone());
    match aside {
        Aside::Shared => Some(vec![
            text("People of other companies read along in "),
            there(),
            text(", and the rules of this workspace let them see nothing. (shared-conversation)"),
        ]),
        Aside::Unseen => Some(vec![
            text("Nobody knows whether people of other companies read along in "),
            there(),
            text(": the chat does not tell me. (conversation-unreadable)"),
        ]),
        Aside::Direct => None,
    }
}

/// What opens it.
fn way_out(aside: Aside, command_word: &str) -> Line {
    match aside {
        Aside::Shared => vec![text("Admins of the workspace can let others read along: "), code(OPEN)],
        Aside::Unseen => vec![
            code("/invite"),
            text(" me there; "),
            code(typed(command_word, "doctor")),
            text(" says what else I lack. Or admins of the workspace let others read along: "),
            code(OPEN),
        ],
        Aside::Direct => vec![text("In a conversation between two I say nothing to the other one.")],
    }
}

/// A card that stands in direct messages.
pub fn card_aside(card: Message, why_not: Aside, deployment: &Deployment) -> Message {
    match why(why_not, &deployment.origin) {
        Some(line) => card.line(line),
        None => card,
    }
}

/// To whoever asked, where they asked: the card stands elsewhere.
pub fn shown_aside(deployment: &Deployment, why_not: Aside, command_word: &str) -> Message {
    let what = noun(deployment);
    let headline = vec![text(format!("The card of your {what} stands in your direct messages with me, and not here."))];
    let mut message = Message::new(Tone::Attention, Audience::Asker, headline);
    message.lines.extend(why(why_not, &deployment.origin));
    message.line(way_out(why_not, command_word))
}

/// In the place of a card, where people of other companies have come to read along.
pub fn goes_on_aside() -> Message {
    let words = "This is told elsewhere from now on: people of other companies read along here.";
    Message::new(Tone::Info, Audience::Channel, vec![text(words)])
}

/// An answer that was meant for all, to whoever asked alone.
pub fn to_asker_alone(message: Message, why_not: Aside, origin: &Origin) -> Message {
    let mut message = Message { audience: Audience::Asker, ..message };
    if let Some(why) = why(why_not, origin) {
        message.lines.push(vec![text("Only you see this: tell others of it.")]);
        message.lines.push(why);
    }
    message
}
