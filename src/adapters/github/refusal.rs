//! What GitHub means when it does not do what it was asked.

use http::StatusCode;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::call::{Answer, CallFault};
use crate::adapters::http::{retry, scrub};
use crate::ports::{Fault, PortError, Service};

/// How long to keep off where GitHub says "too many" and not for how long.
const KEEP_OFF_SECONDS: u32 = 60;

/// Why there is nothing to read.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The status, if there was a whole answer.
    pub(super) status: Option<StatusCode>,
    /// Whether the answer was too long to be taken.
    pub(super) too_long: bool,
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
    /// Whether the answer had this status.
    pub(super) fn is(&self, status: StatusCode) -> bool {
        self.status == Some(status)
    }

    /// Whether GitHub said clearly that it has no such thing, or has it not for this person, or not for this question.
    pub(super) fn is_no(&self) -> bool {
        matches!(self.error.fault, Fault::NotFound | Fault::Forbidden | Fault::Refused)
    }

    /// An answer that makes no sense, or does not fit what was asked.
    pub(super) fn nonsense(what: &str, why: &str) -> Self {
        let error = PortError::new(Service::SourceControl, Fault::Nonsense, format!("{what}: {why}"));
        Self { status: None, too_long: false, again: false, error }
    }

    /// An answer that leads to where we do not go. A write had no effect then.
    pub(super) fn astray(what: &str, why: &str, write: bool) -> Self {
        let mut refusal = Self::nonsense(what, why);
        if write {
            refusal.error.fault = Fault::Refused;
        }
        refusal
    }

    /// No answer.
    pub(super) fn unanswered(fault: &CallFault, what: &str, write: bool) -> Self {
        let too_long = matches!(fault, CallFault::TooLong(_));
        Self { status: None, too_long, again: !too_long, error: fault.error(Service::SourceControl, what, write) }
    }

    /// A token that is none.
    pub(super) fn no_token(what: &str) -> Self {
        let error = PortError::new(Service::SourceControl, Fault::SignInLost, format!("{what}: the token cannot stand in a header"));
        Self { status: None, too_long: false, again: false, error }
    }
}

/// Judges an answer that is no success.
pub(super) fn judge(answer: &Answer, what: &str, token: &SecretString, now: Timestamp, web: &BaseUrl) -> Refusal {
    let said = said(&answer.body);
    let fault = fault(answer, said.as_deref().unwrap_or_default(), now);
    let detail = format!("{what}: {}, request {}", answer.status.as_u16(), answer.request_id());
    let mut error = PortError::new(Service::SourceControl, fault, detail);
    error.said = said.map(|mut said| {
        if let Some(needed) = answer.header("x-accepted-github-permissions").filter(|_| said.contains("not accessible by")) {
            said = format!("{said} (needs {needed})");
        }
        scrub::clean_without(&said, 300, &[token.expose_secret()])
    });
    let lets_no_app_in =
        fault == Fault::Forbidden && error.said.as_ref().is_some_and(|said| said.contains("OAuth App access restrictions"));
    let sign_on = answer.header("x-github-sso").and_then(|header| sign_on_page(header, web));
    error.mend_at = sign_on.or_else(|| lets_no_app_in.then(|| access_page(web)));
    let again = answer.status.is_server_error() || matches!(fault, Fault::RateLimited { .. });
    Refusal { status: Some(answer.status), too_long: false, again, error }
}

/// What GitHub's many refusals mean, in the order in which they have to be told apart.
fn fault(answer: &Answer, said: &str, now: Timestamp) -> Fault {
    let status = answer.status;
    let has = |words: &str| said.to_ascii_lowercase().contains(words);
    if matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        if answer.headers.contains_key(http::header::RETRY_AFTER) || has("secondary rate limit") {
            let until = retry::retry_after(&answer.headers, now).or_else(|| retry::later(now, KEEP_OFF_SECONDS));
            return Fault::RateLimited { until };
        }
        if answer.header("x-ratelimit-remaining") == Some("0") {
            return Fault::RateLimited { until: reset(answer).or_else(|| retry::later(now, KEEP_OFF_SECONDS)) };
        }
        // After several wrong tokens GitHub turns away good ones too, for a while.
        if status == StatusCode::TOO_MANY_REQUESTS || has("login attempts") {
            return Fault::RateLimited { until: retry::later(now, KEEP_OFF_SECONDS) };
        }
    }
    match status {
        StatusCode::UNAUTHORIZED => Fault::SignInLost,
        StatusCode::FORBIDDEN if has("user-agent") => Fault::Refused,
        StatusCode::FORBIDDEN | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => Fault::Forbidden,
        StatusCode::NOT_FOUND | StatusCode::GONE => Fault::NotFound,
        StatusCode::REQUEST_TIMEOUT => Fault::Unclear,
        status if status.is_client_error() => Fault::Refused,
        status if status.is_server_error() => Fault::Unclear,
        _ => Fault::Nonsense,
    }
}

fn reset(answer: &Answer) -> Option<Timestamp> {
    Timestamp::from_second(answer.header("x-ratelimit-reset")?.trim().parse().ok()?).ok()
}

/// The message of an error, with the reasons that come with it: objects or plain texts.
fn said(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut said = body.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    for reason in body.get("errors").and_then(Value::as_array).into_iter().flatten().take(5) {
        let text = |key: &str| reason.get(key).and_then(Value::as_str);
        let reason = match (reason.as_str(), text("message"), text("field"), text("code")) {
            (Some(plain), _, _, _) | (None, Some(plain), _, _) => plain.to_owned(),
            (None, None, Some(field), Some(code)) => format!("{field}: {code}"),
            (None, None, _, _) => continue,
        };
        said = if said.is_empty() { reason } else { format!("{said}; {reason}") };
    }
    (!said.is_empty()).then_some(said)
}

/// The page on which a person asks their organisation to let an app in: no answer names it.
fn access_page(web: &BaseUrl) -> String {
    web.at(["settings", "applications"]).into()
}

/// The sign-on page of an organisation. Only pages of this very GitHub are passed on.
fn sign_on_page(header: &str, web: &BaseUrl) -> Option<String> {
    let url = header.split(';').find_map(|part| part.trim().strip_prefix("url="))?;
    let url = Url::parse(url).ok()?;
    (web.same_origin(&url) && web.may_lead_to(&url)).then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, headers: &[(&str, &str)], body: &str) -> Refusal {
        let mut map = http::HeaderMap::new();
        for (name, value) in headers {
            map.insert(http::header::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let answer = Answer { status: StatusCode::from_u16(status).unwrap(), headers: map, body: body.to_owned().into(), kept_as: None };
        let now = "2026-11-20T10:00:00Z".parse().unwrap();
        judge(&answer, "GET /x", &"plain-token-1".into(), now, &BaseUrl::parse("https://github.com").unwrap())
    }

    #[test]
    fn the_many_refusals_are_told_apart() {
        let at = |text: &str| Fault::RateLimited { until: Some(text.parse().unwrap()) };
        for (status, headers, message, fault) in [
            (403, vec![("retry-after", "30")], "x", at("2026-11-20T10:00:30Z")),
            (403, vec![], "You have exceeded a secondary rate limit", at("2026-11-20T10:01:00Z")),
            (403, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795168920")], "API rate limit", at("2026-11-20T10:02:00Z")),
            (429, vec![], "", at("2026-11-20T10:01:00Z")),
            (403, vec![], "Maximum number of login attempts exceeded.", at("2026-11-20T10:01:00Z")),
            (403, vec![], "Resource not accessible by integration", Fault::Forbidden),
            (403, vec![], "the `x` organization has an IP allow list enabled", Fault::Forbidden),
            (401, vec![], "Bad credentials", Fault::SignInLost),
            (404, vec![], "Not Found", Fault::NotFound),
            (422, vec![], "Validation Failed", Fault::Refused),
            (409, vec![], "Git Repository is empty.", Fault::Refused),
            (502, vec![], "", Fault::Unclear),
            (202, vec![], "Auto-merged", Fault::Nonsense),
        ] {
            let body = serde_json::json!({"message": message}).to_string();
            assert_eq!(judged(status, &headers, &body).error.fault, fault, "{status} {message}");
        }
        assert!(judged(502, &[], "<html>bad gateway</html>").again);
        assert_eq!(judged(502, &[], "<html>bad gateway</html>").error.said, None);
    }

    #[test]
    fn the_page_that_mends_it_is_passed_on_only_if_it_is_this_githubs() {
        let own = "required; url=https://github.com/orgs/acme/sso?authorization_request=A";
        let error = judged(403, &[("x-github-sso", own)], r#"{"message":"SAML"}"#).error;
        assert_eq!((error.fault, error.mend_at.as_deref()), (Fault::Forbidden, own.strip_prefix("required; url=")));
        let walled = judged(403, &[], r#"{"message":"The acme organization has enabled OAuth App access restrictions."}"#).error;
        assert_eq!((walled.fault, walled.mend_at.as_deref()), (Fault::Forbidden, Some("https://github.com/settings/applications")));
        let foreign = "required; url=https://github.com.example.com/orgs";
        assert_eq!(judged(403, &[("x-github-sso", foreign)], "{}").error.mend_at, None);
    }

    #[test]
    fn reasons_are_told_and_tokens_are_not() {
        let said = |body: &str| judged(422, &[], body).error.said.unwrap();
        assert_eq!(
            said(r#"{"message":"Validation Failed","errors":[{"resource":"Label","code":"invalid","field":"color"},"plain"]}"#),
            "Validation Failed; color: invalid; plain"
        );
        assert_eq!(said(r#"{"message":"no plain-token-1 or ghp_aaaaaaaaaaaaaaaaaaaa"}"#), "no [hidden] or [hidden]");
    }
}
