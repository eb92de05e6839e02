//! What we say of a person's own notices.

use jiff::Timestamp;

use crate::domain::message::{Audience, Line, Message, Tone, code, text};
use crate::domain::notice::Mute;

use super::help::typed;
use super::words::{duration, moment, sentence};

fn private(tone: Tone, headline: Line) -> Message {
    Message::new(tone, Audience::Asker, headline)
}

/// Until when, as the end of a sentence.
fn until(mute: &Mute, now: Timestamp) -> Line {
    match mute.until {
        Some(until) => {
            let left = duration(until.duration_since(now).as_secs());
            vec![text(" until "), moment(until, now), text(format!(" ({left})"))]
        }
        None => vec![text(" until you take that back")],
    }
}

/// Somebody's notices are muted.
pub fn muted(mute: &Mute, command_word: &str, now: Timestamp) -> Message {
    private(Tone::Good, [vec![text("Your notices are muted")], until(mute, now), vec![text(".")]].concat())
        .line(sentence("Not told meanwhile: how your deploys end, which their cards show all the same, that your turn came, and reminders and ends of your locks."))
        .line(sentence("Still told: whatever you ask for, what waits for you to act, what others do to what is yours, and an end that no card shows."))
        .line(vec![text("To be told again: "), code(typed(command_word, "unmute"))])
}

/// They are told again.
pub fn unmuted(command_word: &str) -> Message {
    private(Tone::Good, vec![text("Your notices are told again.")]).line(vec![
        text("What was not told meanwhile is not told any more. How your last deploys ended: "),
        code(typed(command_word, "history PIPELINE")),
    ])
}

/// They were not muted.
pub fn not_muted() -> Message {
    private(Tone::Info, vec![text("Your notices are not muted.")])
}

/// The moment that was named is over, or too far away.
pub fn no_such_mute() -> Message {
    private(Tone::Bad, vec![text("It ends in the future, and within 90 days. Nothing was muted. (no-such-end)")])
}

/// For whoever asks who they are.
pub(super) fn mute_line(mute: &Mute, command_word: &str, now: Timestamp) -> Line {
    [vec![text("Your notices are muted")], until(mute, now), vec![text(": "), code(typed(command_word, "unmute"))]].concat()
}
