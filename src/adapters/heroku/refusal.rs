//! What Heroku means when it does not do what it was asked. Its own word (`id`) counts, not the status: 403 alone has many.

use http::StatusCode;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::adapters::http::call::{Answer, CallFault};
use crate::adapters::http::{retry, scrub};
use crate::ports::{Fault, PortError, Service};

/// Why there is nothing to read, or nothing was done.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The status, if there was a whole answer.
    pub(super) status: Option<StatusCode>,
    /// Heroku's word for it.
    pub(super) id: Option<String>,
    /// Whether a read may be tried again.
    pub(super) again: bool,
    /// What to tell.
    pub(super) error: PortError,
}

impl From<Refusal> for PortError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

impl Refusal {
    /// An answer that makes no sense, or does not fit what was asked.
    pub(super) fn nonsense(what: &str, why: &str) -> Self {
        Self::of(Fault::Nonsense, what, why)
    }

    /// A fault that another try does not mend.
    pub(super) fn of(fault: Fault, what: &str, why: &str) -> Self {
        Self { status: None, id: None, again: false, error: PortError::new(Service::Platform, fault, format!("{what}: {why}")) }
    }

    /// The same, but another try may help.
    #[must_use]
    pub(super) fn worth_another_try(mut self) -> Self {
        self.again = true;
        self
    }

    /// No answer.
    pub(super) fn unanswered(fault: &CallFault, what: &str, write: bool) -> Self {
        let again = !matches!(fault, CallFault::TooLong(_));
        Self { status: None, id: None, again, error: fault.error(Service::Platform, what, write) }
    }

    /// Whether the answer had this status.
    pub(super) fn is(&self, status: StatusCode) -> bool {
        self.status == Some(status)
    }

    /// Whether Heroku used this word.
    pub(super) fn says(&self, id: &str) -> bool {
        self.id.as_deref() == Some(id)
    }

    /// Whether a one-time code is wanted. Some answers say so by 412 alone.
    pub(super) fn wants_code(&self) -> bool {
        self.says("two_factor") || (self.id.is_none() && self.is(StatusCode::PRECONDITION_FAILED))
    }

    /// Whether the account's concurrent builds are used up. There is no word of its own for it.
    pub(super) fn is_no_slot(&self) -> bool {
        let said = self.error.said.as_deref().unwrap_or_default().to_ascii_lowercase();
        self.status.is_some_and(|status| status.is_client_error()) && said.contains("concurrent build")
    }
}

/// Judges an answer that is no success; `secrets` are what went out with the question.
pub(super) fn judge(answer: &Answer, what: &str, secrets: &[&SecretString], now: Timestamp) -> Refusal {
    // A body that is not JSON (a proxy's page, for one) says nothing.
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let id = text("id").map(str::to_owned);
    let status = answer.status;
    let fault = fault(answer, id.as_deref(), now);
    let word: String = id.as_deref().unwrap_or("-").chars().filter(char::is_ascii_graphic).take(60).collect();
    let detail = format!("{what}: {} {word}, request {}", status.as_u16(), answer.request_id());
    let mut error = PortError::new(Service::Platform, fault, detail);
    let said = text("message").or_else(|| text("error"));
    let secrets: Vec<&str> = secrets.iter().map(|secret| secret.expose_secret()).collect();
    error.said = said.map(|said| scrub::clean_without(said, 300, &secrets)).filter(|said| !said.is_empty());
    let again = status.is_server_error() || matches!(fault, Fault::RateLimited { .. });
    Refusal { status: Some(status), id, again, error }
}

fn fault(answer: &Answer, id: Option<&str>, now: Timestamp) -> Fault {
    let limited = || Fault::RateLimited { until: retry::retry_after(&answer.headers, now) };
    match (id, answer.status) {
        (Some("rate_limit"), _) => limited(),
        (Some("unauthorized" | "password_expired" | "device_trust_required"), _) => Fault::SignInLost,
        (Some("forbidden" | "two_factor" | "invalid_two_factor_code"), _) => Fault::Forbidden,
        (Some("not_found"), _) => Fault::NotFound,
        (Some("suspended" | "delinquent" | "verification_needed" | "conflict" | "invalid_params"), _) => Fault::Refused,
        (Some("server_error" | "service_unavailable"), _) => Fault::Unclear,
        (_, StatusCode::UNAUTHORIZED) => Fault::SignInLost,
        (_, StatusCode::FORBIDDEN) => Fault::Forbidden,
        (_, StatusCode::NOT_FOUND) => Fault::NotFound,
        (_, StatusCode::REQUEST_TIMEOUT) => Fault::Unclear,
        (_, StatusCode::TOO_MANY_REQUESTS) => limited(),
        (_, status) if status.is_client_error() => Fault::Refused,
        (_, status) if status.is_server_error() => Fault::Unclear,
        (_, _) => Fault::Nonsense,
    }
}
