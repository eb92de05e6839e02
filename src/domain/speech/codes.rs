//! What we say about one-time codes beside the answer to the command that brought one.

use crate::domain::message::{Line, text};

use super::services::HEROKU;

/// A code came with a command that has no use for it, or that failed before the code was needed.
pub fn code_unused() -> Line {
    vec![text(format!(
        "The last word looks like a one-time code: it was not kept and not given to {HEROKU}. Only a deploy that goes on takes one. (code-unused)"
    ))]
}

/// A code was accepted, and then the deploy was not to be.
pub fn code_used_up() -> Line {
    vec![text(format!("{HEROKU} accepted the one-time code, so it is used up: the next try may want a new one. (code-used-up)"))]
}
