//! The few sentences that only a chat like this has to say: what it could not do, and the way out.

use crate::domain::message::{Audience, Line, Message, Tone, code, text};

/// The request is certainly not kept.
pub(super) fn not_kept() -> Message {
    let headline = vec![text("Your request could not be put on disk, so nothing was started. Please ask again in a moment.")];
    Message::new(Tone::Bad, Audience::Asker, headline)
}

/// Nobody knows whether the request is kept: putting it on disk took too long.
pub(super) fn perhaps_kept(command_word: &str) -> Message {
    let headline = vec![text("Putting your request on disk takes too long; it may not be kept.")];
    Message::new(Tone::Unknown, Audience::Asker, headline).line(vec![
        text("Look at "),
        code(format!("{command_word} status")),
        text(" before you ask again."),
    ])
}

/// Under a card that had to go by the command's reply address.
pub(super) fn card_by_reply() -> Line {
    vec![
        text("I may not post in this conversation, so this message will not move; the end comes to whoever asked, as a direct message. "),
        code("/invite"),
        text(" me here and the next one will."),
    ]
}

/// Under a message that was meant for a conversation and comes to one person instead.
pub(super) fn directly_instead() -> Line {
    vec![
        text("I may not post in the conversation where you asked, so this comes to you alone. "),
        code("/invite"),
        text(" me there to change that."),
    ]
}
