//! Scripts: whole conversations as files that are their own expectation.
//!
//! ```text
//! # A comment.
//! * hold hubot-staging build          what happens outside; see `table::TABLE`
//! ana> deploy hubot to staging        a command in #general
//! ana in #quiet> status               a command somewhere else
//!   [..] @ana is deploying …          what everybody sees then: the player compares it, or writes it
//! ana presses [Cancel]                the newest button of that label that she can see
//! ana presses [Cancel] again          the same press once more, even if the button is gone
//! meanwhile bob> lock hubot           in the same moment as the line before, before anything more comes of that
//! ana fills in [Code] with 123456     a field of the form that came up on her screen
//! ana sends [Hand over]               that form
//! ana opens [Link your logins]        the newest link of these words that she was given, in her browser
//! bob opens ana's first [Link …]      a link in other hands; `first`: the oldest; `… in another browser` than before
//! ana looks at /slack/install         a page of the service, in her browser
//! ana clicks [Begin]                  a button or a link of the page that her browser shows
//! ana signs in                        all of that, from `login` to the passcode
//! ana> login {passcode}               with the passcode that it shows; `{passcode of bob}`: that bob's shows
//! ~ 10m                               time passes
//! = builds of hubot-staging: 1        must be so
//! ```

pub mod checks;
pub mod compare;
pub mod directives;
mod failing;
mod outside;
pub mod parse;
pub mod player;
pub mod shapes;
pub mod table;
pub mod transcript;

pub use checks::{CHECKS, Check, Tally};
pub use compare::{compare, update};
pub use directives::{Directive, Vendor, read};
pub use parse::{Act, Script, Step};
pub use player::{Outside, Played, Player, Service};
pub use table::TABLE;

/// Something is wrong with a script or its play, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {what}")]
pub struct ScriptError {
    /// The script's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}
