//! What Heroku allows an account, and what it says of that.

use http::StatusCode;
use secrecy::SecretString;

use crate::adapters::http::call::Answer;
use crate::adapters::http::retry::retry_after;
use crate::domain::allowance::{Limits, Refill};
use crate::ports::Service;

use super::wire::Wire;

/// An account's requests an hour, all its clients together; they come back all the time.
pub const LIMITS: Limits = Limits { requests: 4500, refill: Refill::Steady, writes: None, deploy: 12 };

impl Wire {
    /// Tells what an answer says of the allowance.
    pub(super) fn note_allowance(&self, answer: &Answer, token: &SecretString) {
        let now = self.clock().now();
        if let Some(left) = answer.header("ratelimit-remaining").and_then(|left| left.trim().parse().ok()) {
            self.allowances.heard(Service::Platform, token, left, None, now);
        }
        if answer.status == StatusCode::TOO_MANY_REQUESTS
            && let Some(until) = retry_after(&answer.headers, now)
        {
            self.allowances.shut(Service::Platform, token, until);
        }
    }
}
