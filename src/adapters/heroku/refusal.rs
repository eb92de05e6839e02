//! What went wrong, read from the answer: by the error's id, and by the status only where there is none.

use http::StatusCode;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::adapters::http::call::Answer;
use crate::adapters::http::retry::retry_after;
use crate::adapters::http::scrub::clean_without;
use crate::ports::{Fault, PortError, Service};

/// How much of what was said is kept, in characters.
const LONGEST: usize = 300;

/// A call that brought nothing.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    /// The answer's status, if there was one.
    pub(super) status: Option<StatusCode>,
    /// The error's id; empty if it had none.
    pub(super) id: String,
    /// What the port tells.
    pub(super) error: Box<PortError>,
    /// When the service lets us try again, if it says.
    pub(super) retry_at: Option<Timestamp>,
}

impl Refused {
    /// A fault that no answer stands behind.
    pub(super) fn unanswered(error: PortError) -> Self {
        Self { status: None, id: String::new(), error: Box::new(error), retry_at: None }
    }

    /// An answer that says success and cannot be read.
    pub(super) fn unreadable(what: &str, answer: &Answer, why: &str) -> Self {
        let detail = format!("{what}: {} cannot be read: {why}, request {}", answer.status.as_u16(), answer.request_id());
        Self { status: Some(answer.status), ..Self::unanswered(PortError::new(Service::Platform, Fault::Nonsense, detail)) }
    }

    /// Reads a refusal. `secrets` are what was sent and must not come back.
    pub(super) fn read(what: &str, answer: &Answer, now: Timestamp, secrets: &[&SecretString]) -> Self {
        let body = serde_json::from_slice::<Value>(&answer.body).ok();
        let text = |name: &str| body.as_ref().and_then(|body| body.get(name)).and_then(Value::as_str);
        let id: String = text("id").unwrap_or_default().chars().filter(|c| c.is_ascii_lowercase() || *c == '_').take(40).collect();
        let retry_at = retry_after(&answer.headers, now);
        // A page in place of words is not the API speaking, but something on the way to it.
        let spoken = !answer.body.trim_ascii_start().starts_with(b"<");
        let fault = fault(answer.status, &id, spoken, retry_at);
        let secrets: Vec<&str> = secrets.iter().map(|secret| secret.expose_secret()).collect();
        let said = text("message").or_else(|| text("error")).map(|said| clean_without(said, LONGEST, &secrets));
        // It names an app that this person may not see: repeating it would tell them that it exists.
        let said = said.filter(|said| !said.is_empty() && !said.contains("do not have access to the"));
        let named = if id.is_empty() { "no id" } else { id.as_str() };
        let detail = format!("{what}: {} {named}, request {}", answer.status.as_u16(), answer.request_id());
        let error = Box::new(PortError { said, ..PortError::new(Service::Platform, fault, detail) });
        Self { status: Some(answer.status), id, error, retry_at }
    }

    /// Whether a one-time code is wanted. Some answer so with 412 and nothing else to go by.
    pub(super) fn wants_code(&self) -> bool {
        self.id == "two_factor" || self.status == Some(StatusCode::PRECONDITION_FAILED)
    }

    /// Whether the code that was sent is wrong.
    pub(super) fn is_wrong_code(&self) -> bool {
        let about_it = self.said().contains("two-factor") || self.said().contains("second authentication factor");
        let refused = matches!(self.status, Some(StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY));
        self.id == "invalid_two_factor_code" || self.wants_code() || (refused && about_it)
    }

    /// Whether the account's concurrent builds are used up.
    pub(super) fn is_no_slot(&self) -> bool {
        let refused = matches!(self.status, Some(StatusCode::TOO_MANY_REQUESTS | StatusCode::UNPROCESSABLE_ENTITY));
        refused && self.said().contains("concurrent build")
    }

    /// Whether the order that was asked for is not known.
    pub(super) fn is_bad_range(&self) -> bool {
        self.status == Some(StatusCode::RANGE_NOT_SATISFIABLE) || self.id == "requested_range_not_satisfiable"
    }

    /// Whether the thing is in another state than the request needs.
    pub(super) fn is_wrong_state(&self) -> bool {
        let wrong = [StatusCode::CONFLICT, StatusCode::GONE, StatusCode::UNPROCESSABLE_ENTITY, StatusCode::BAD_REQUEST];
        self.status.is_some_and(|status| wrong.contains(&status))
    }

    fn said(&self) -> String {
        self.error.said.as_deref().unwrap_or_default().to_lowercase()
    }
}

impl From<Refused> for PortError {
    fn from(refused: Refused) -> Self {
        *refused.error
    }
}

fn fault(status: StatusCode, id: &str, spoken: bool, retry_at: Option<Timestamp>) -> Fault {
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return Fault::Unclear;
    }
    if !status.is_client_error() {
        return Fault::Nonsense;
    }
    match id {
        "unauthorized" | "device_trust_required" | "password_expired" => Fault::SignInLost,
        "forbidden" | "two_factor" | "invalid_two_factor_code" => Fault::Forbidden,
        "not_found" => Fault::NotFound,
        "rate_limit" => Fault::RateLimited { until: retry_at },
        "suspended"
        | "delinquent"
        | "verification_needed"
        | "confirmation_required"
        | "invalid_params"
        | "bad_request"
        | "conflict"
        | "gone"
        | "unprocessable_entity" => Fault::Refused,
        _ => match status {
            StatusCode::UNAUTHORIZED => Fault::SignInLost,
            StatusCode::TOO_MANY_REQUESTS => Fault::RateLimited { until: retry_at },
            StatusCode::FORBIDDEN if spoken => Fault::Forbidden,
            StatusCode::NOT_FOUND if spoken => Fault::NotFound,
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Fault::Nonsense,
            _ => Fault::Refused,
        },
    }
}
