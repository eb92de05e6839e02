//! For tests of adapters, here and elsewhere: what each port promises, as a suite that any adapter of it can be held to, beside
//! the mocks in [`crate::ports`]. Only there with the feature `testing`.
//!
//! A suite is written once. Whoever has an adapter implements the suite's stage (how to bring about what has to have happened
//! outside, and how to look at what came of it) and calls `all` in a test; each part of the suite gets a stage of its own. A
//! promise that is broken panics and says which.
//!
//! What cannot be brought about in some outside, a stage says: the part is then left out, and told in what `all` gives back, so
//! that a test can say which gaps it knows of.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "a suite is a test: it stops at the first promise that is broken"
)]

pub mod account_store;
pub mod accounts;
pub mod allowances;
pub mod archive;
pub mod bot_tokens;
pub mod chat;
pub mod clock;
pub mod directory;
pub mod doorbell;
pub mod exports;
pub mod forgets;
pub mod hears;
pub mod inbox;
pub mod install;
pub mod installation_store;
pub mod installing;
pub mod keeping;
pub mod lock_store;
pub mod operating;
pub mod platform;
pub mod privacy;
pub mod records;
pub mod rights;
pub mod sign_in;
pub mod source;
pub mod store;
pub mod tally;
pub mod vault;
pub mod visits;

use std::fmt::Debug;

use crate::domain::fault::{Fault, PortError};

/// What became of a wish to bring something about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a part that cannot be set up has to be left out"]
pub enum Arranged {
    /// It is so now.
    Done,
    /// It cannot be brought about in this outside, for this reason.
    Cannot(&'static str),
}

/// The parts of a suite that were left out, and why: none, where everything could be brought about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut(Vec<(&'static str, &'static str)>);

impl LeftOut {
    /// Notes what became of a part.
    fn note(&mut self, part: &'static str, arranged: Arranged) {
        if let Arranged::Cannot(why) = arranged {
            self.0.push((part, why));
        }
    }

    /// The names of the parts, in order.
    pub fn parts(&self) -> Vec<&'static str> {
        self.0.iter().map(|(part, _)| *part).collect()
    }

    /// Each part with its reason.
    pub fn reasons(&self) -> &[(&'static str, &'static str)] {
        &self.0
    }
}

/// Leaves the part where something cannot be brought about.
macro_rules! or_leave_out {
    ($arranged:expr) => {
        match $arranged {
            $crate::testing::Arranged::Done => {}
            cannot @ $crate::testing::Arranged::Cannot(_) => return cannot,
        }
    };
}
use or_leave_out;

/// The fault of a call that has to fail.
#[track_caller]
fn fault_of<T: Debug>(outcome: Result<T, PortError>, promise: &str) -> Fault {
    match outcome {
        Ok(value) => panic!("broken: {promise}; the call went well with {value:?}"),
        Err(error) => error.fault,
    }
}

/// The value of a call that has to go well.
#[track_caller]
fn value_of<T>(outcome: Result<T, PortError>, promise: &str) -> T {
    outcome.unwrap_or_else(|error| panic!("broken: {promise}; the call failed with {error}, which said {:?}", error.said))
}

/// Looks for secrets in everything that is told of an error.
#[track_caller]
fn tells_no_secret(error: &PortError, secrets: &[String]) {
    let told = format!("{error} {error:?} {:?} {:?}", error.said, error.mend_at);
    for secret in secrets {
        assert!(secret.len() > 5, "a stage's secret is too short to be looked for");
        assert!(
            !told.contains(secret.as_str()),
            "broken: nothing that is said holds a secret; {} tells one",
            error.detail.replace(secret.as_str(), "***")
        );
    }
}
