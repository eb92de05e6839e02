//! The secrets that a simulated world hands out. What it makes up itself carries a mark, so that one search finds whatever got
//! to where it must not be, also a secret that nobody thought of when the search was written.

use super::world::World;

/// What the secrets of a simulated world carry.
pub const MARK: &str = "5ec4e75041";

/// A secret, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret {
    /// What it is, for whoever finds it somewhere.
    pub what: &'static str,
    /// The secret.
    pub text: String,
}

impl Secret {
    pub(super) fn new(what: &'static str, text: impl Into<String>) -> Self {
        Self { what, text: text.into() }
    }
}

/// A secret made of something that nobody else has.
pub(super) fn marked(own: impl std::fmt::Display) -> String {
    format!("{MARK}{own}")
}

impl World {
    /// Everything that was handed out so far and must stay where it was given to.
    pub fn secrets(&self) -> Vec<Secret> {
        [self.slack.secrets(), self.github.secrets(), self.heroku.secrets()].concat()
    }
}
