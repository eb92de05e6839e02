//! What GitHub allows a token, and what it says of that.

use secrecy::SecretString;

use crate::adapters::http::call::Answer;
use crate::domain::allowance::{Limits, Refill, Writes};
use crate::ports::{Fault, Service};

use super::GitHub;

/// A token's requests an hour; records and statuses are content, of which 80 a minute and 500 an hour may be created.
pub const LIMITS: Limits = Limits { requests: 5000, refill: Refill::AtOnce, writes: Some(Writes { minute: 80, hour: 500 }), deploy: 12 };

impl GitHub {
    /// Tells what an answer says of the allowance.
    pub(super) fn note_allowance(&self, answer: &Answer, token: &SecretString, write: bool) {
        let now = self.clock.now();
        let number = |name: &str| answer.header(name).and_then(|text| text.trim().parse::<i64>().ok());
        let core = answer.header("x-ratelimit-resource").is_none_or(|resource| resource == "core");
        if let Some(left) = number("x-ratelimit-remaining").filter(|_| core).and_then(|left| u32::try_from(left).ok()) {
            let resets_at = number("x-ratelimit-reset").and_then(|second| jiff::Timestamp::from_second(second).ok());
            self.allowances.heard(Service::SourceControl, token, left, resets_at, now);
        }
        if write && answer.status.is_success() {
            self.allowances.wrote(Service::SourceControl, token, now);
        }
        if answer.status.is_client_error()
            && let Fault::RateLimited { until: Some(until) } = self.refusal(answer, "", token).error.fault
        {
            self.allowances.shut(Service::SourceControl, token, until);
        }
    }

    /// A write without an answer may have created something.
    pub(super) fn note_unanswered(&self, token: &SecretString, write: bool) {
        if write {
            self.allowances.wrote(Service::SourceControl, token, self.clock.now());
        }
    }
}
