//! Calls of Slack's Web API and of its answer addresses, and what their answers mean.

use std::sync::Arc;
use std::time::Duration;

use http::header;
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::client::read_body;
use crate::adapters::http::retry::date;
use crate::domain::names::WorkspaceId;
use crate::ports::{BotTokens, Clock, Fault, PortError, Service};

/// How long a whole call may take.
pub(super) const CALL: Duration = Duration::from_secs(10);

/// How long we wait, in all, until Slack takes a call that was too many.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// How often a call is tried that came too soon; each time Slack said when.
const WAITS: u32 = 5;

/// How often a call is made that may be repeated without harm.
const REPEATS: u32 = 3;

/// Answers are small; longer ones are none.
const LONGEST: usize = 1024 * 1024;

/// Why a call did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CallFault {
    /// Slack said no, by this name.
    Said(String),
    /// Too many calls.
    Limited(Timestamp),
    /// It certainly had no effect.
    Unreachable(&'static str),
    /// It may have had an effect.
    Unclear(&'static str),
    /// There is nothing to speak with in that workspace.
    NoToken(PortError),
}

/// Whether a call may be made again when nobody knows whether it had an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// It says something: twice would be wrong.
    Never,
    /// Whoever keeps a card has something newer to show soon, and a deploy goes on meanwhile: one try, without waiting for
    /// anything. When to try again is for the caller to say.
    NotHere,
    /// Done twice it is as if done once.
    Harmless,
}

/// What Slack says of a token.
pub(super) struct Told {
    /// The scopes that it has, between commas.
    pub(super) scopes: Option<String>,
    /// When it said so, by its own clock.
    pub(super) at: Option<Timestamp>,
}

/// Slack, over HTTP.
pub(super) struct Api {
    pub(super) http: reqwest::Client,
    pub(super) base: BaseUrl,
    pub(super) tokens: Arc<dyn BotTokens>,
    pub(super) clock: Arc<dyn Clock>,
}

/// What is sent along with a call.
#[derive(Clone, Copy)]
enum Sent<'a> {
    /// To methods that write.
    Json(&'a Value),
    /// To methods that read: they take nothing else.
    Form(&'a [(&'a str, &'a str)]),
}

impl Sent<'_> {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json(_) => "application/json; charset=utf-8",
            Self::Form(_) => "application/x-www-form-urlencoded",
        }
    }

    fn body(self) -> String {
        match self {
            Self::Json(body) => body.to_string(),
            Self::Form(fields) => form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish(),
        }
    }
}

impl Api {
    /// Calls a method that writes, with what the app speaks with in a workspace.
    pub(super) async fn call(&self, workspace: &WorkspaceId, method: &str, body: &Value, again: Again) -> Result<Value, CallFault> {
        self.called(workspace, method, Sent::Json(body), again).await
    }

    /// Calls a method that reads.
    pub(super) async fn read(
        &self,
        workspace: &WorkspaceId,
        method: &str,
        fields: &[(&str, &str)],
        again: Again,
    ) -> Result<Value, CallFault> {
        self.called(workspace, method, Sent::Form(fields), again).await
    }

    async fn called(&self, workspace: &WorkspaceId, method: &str, body: Sent<'_>, again: Again) -> Result<Value, CallFault> {
        let token = self.tokens.token(workspace).await.map_err(CallFault::NoToken)?;
        match self.call_with(&token, method, body, again).await {
            // What was refused for its token was not done: it may be tried once more with another one.
            Err(CallFault::Said(error)) if error == "token_expired" => {
                let other = self.tokens.ran_out(workspace, &token).await.map_err(CallFault::NoToken)?;
                self.call_with(&other, method, body, again).await
            }
            Err(CallFault::Said(error)) => {
                if is_about_token(&error) {
                    self.tokens.refused(workspace, &token, &error).await;
                }
                Err(CallFault::Said(error))
            }
            other => other,
        }
    }

    async fn call_with(&self, token: &SecretString, method: &str, body: Sent<'_>, again: Again) -> Result<Value, CallFault> {
        let answer = self
            .patiently(again, || async {
                let request = self.http.post(self.base.at([method])).bearer_auth(token.expose_secret());
                let (status, answer) = self.send(request, body).await?;
                let answer: Option<Value> = serde_json::from_slice(&answer).ok();
                match (answer.as_ref().and_then(|answer| answer.get("ok")?.as_bool()), answer) {
                    (Some(true), Some(answer)) => Ok(answer),
                    (Some(false), Some(answer)) => Err(said_no(method, &answer, self.clock.now())),
                    _ if status.is_client_error() => Err(CallFault::Said(format!("http_{}", status.as_u16()))),
                    _ => Err(CallFault::Unclear("the answer is none of Slack's")),
                }
            })
            .await;
        if let Err(fault) = &answer {
            tracing::debug!(method, ?fault, "Slack did not do it");
        }
        answer
    }

    /// What Slack says of what the app speaks with in a workspace: the rights that it has, and when it said so.
    pub(super) async fn told(&self, workspace: &WorkspaceId) -> Result<Told, CallFault> {
        let mut token = self.tokens.token(workspace).await.map_err(CallFault::NoToken)?;
        let told = match self.told_with(&token).await {
            Err(CallFault::Said(error)) if error == "token_expired" => {
                token = self.tokens.ran_out(workspace, &token).await.map_err(CallFault::NoToken)?;
                self.told_with(&token).await
            }
            other => other,
        };
        if let Err(CallFault::Said(error)) = &told
            && is_about_token(error)
        {
            self.tokens.refused(workspace, &token, error).await;
        }
        told
    }

    async fn told_with(&self, token: &SecretString) -> Result<Told, CallFault> {
        const METHOD: &str = "auth.test";
        self.patiently(Again::Harmless, || async {
            let request = self.http.post(self.base.at([METHOD])).bearer_auth(token.expose_secret());
            let (headers, status, answer) = self.sent(request.header(header::CONTENT_LENGTH, "0")).await?;
            let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
            match answer.get("ok").and_then(Value::as_bool) {
                Some(true) => {
                    let field = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
                    Ok(Told { scopes: field("x-oauth-scopes").map(str::to_owned), at: field("date").and_then(date) })
                }
                Some(false) => Err(said_no(METHOD, &answer, self.clock.now())),
                None if status.is_client_error() => Err(CallFault::Said(format!("http_{}", status.as_u16()))),
                None => Err(CallFault::Unclear("the answer is none of Slack's")),
            }
        })
        .await
    }

    /// Posts to an answer address. The address is a secret: it is named nowhere.
    pub(super) async fn answer(&self, url: &SecretString, body: &Value) -> Result<(), CallFault> {
        self.patiently(Again::Never, || async {
            let (status, answer) = self.send(self.http.post(url.expose_secret()), Sent::Json(body)).await?;
            let json: Option<Value> = serde_json::from_slice(&answer).ok();
            match json.as_ref().and_then(|answer| answer.get("ok")?.as_bool()) {
                Some(false) => Err(said_no("response_url", json.as_ref().unwrap_or(&Value::Null), self.clock.now())),
                Some(true) | None if status.is_success() => Ok(()),
                Some(true) | None => Err(CallFault::Said(word_of(&answer).unwrap_or_else(|| format!("http_{}", status.as_u16())))),
            }
        })
        .await
    }

    /// Waits out what came too soon, within a bound, and repeats what may be repeated.
    async fn patiently<T, F>(&self, again: Again, attempt: impl Fn() -> F) -> Result<T, CallFault>
    where
        F: Future<Output = Result<T, CallFault>>,
    {
        let until = later(self.clock.now(), PATIENCE);
        let (mut waits, mut repeats) = (0, 0);
        loop {
            let fault = match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(fault) if again == Again::NotHere => return Err(fault),
                Err(fault) => fault,
            };
            let pause = match &fault {
                CallFault::Limited(free) if *free <= until && waits < WAITS => {
                    waits += 1;
                    *free
                }
                CallFault::Unreachable(_) | CallFault::Unclear(_) if again == Again::Harmless && repeats + 1 < REPEATS => {
                    repeats += 1;
                    later(self.clock.now(), SignedDuration::from_secs(i64::from(repeats)))
                }
                CallFault::Said(_) | CallFault::Limited(_) | CallFault::Unreachable(_) | CallFault::Unclear(_) | CallFault::NoToken(_) => {
                    return Err(fault);
                }
            };
            self.clock.pause_until(pause).await;
        }
    }

    /// Sends; sorts out what is no answer at all.
    async fn send(&self, request: reqwest::RequestBuilder, body: Sent<'_>) -> Result<(StatusCode, bytes::Bytes), CallFault> {
        let request = request.header(header::CONTENT_TYPE, body.content_type()).body(body.body());
        self.sent(request).await.map(|(_, status, answer)| (status, answer))
    }

    async fn sent(&self, request: reqwest::RequestBuilder) -> Result<(http::HeaderMap, StatusCode, bytes::Bytes), CallFault> {
        let response = request.send().await.map_err(|error| {
            if error.is_connect() || error.is_builder() { CallFault::Unreachable("no connection") } else { CallFault::Unclear("no answer") }
        })?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(CallFault::Limited(self.retry_after(&response)));
        }
        if status.is_server_error() {
            return Err(CallFault::Unclear("Slack has an error of its own"));
        }
        let headers = response.headers().clone();
        let answer = read_body(response, LONGEST).await.map_err(|_| CallFault::Unclear("the answer broke off"))?;
        Ok((headers, status, answer))
    }

    fn retry_after(&self, response: &reqwest::Response) -> Timestamp {
        let seconds = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        // At least a moment, or a zero would make us ask at once and again.
        later(self.clock.now(), SignedDuration::from_secs(seconds.unwrap_or(1).clamp(1, 24 * 3600)))
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// What a refusal in words means for the next step.
fn said_no(method: &str, answer: &Value, now: Timestamp) -> CallFault {
    let error = answer.get("error").and_then(Value::as_str).and_then(word).unwrap_or_else(|| "unnamed_error".to_owned());
    let about_trigger = || answer.pointer("/response_metadata/messages").is_some_and(|said| said.to_string().contains("trigger_id"));
    if is_about_form(&error) || (error == "invalid_arguments" && !about_trigger()) {
        // Slack names places in our blocks here, not what they say.
        let reasons = answer.get("response_metadata").and_then(|more| more.get("messages")).map(Value::to_string).unwrap_or_default();
        let reasons: String = reasons.chars().take(300).collect();
        tracing::error!(method, error, reasons, "Slack does not take our rendering");
    }
    match error.as_str() {
        "invalid_arguments" if about_trigger() => CallFault::Said("invalid_trigger_id".to_owned()),
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => CallFault::Limited(later(now, SignedDuration::from_secs(1))),
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => CallFault::Unclear("Slack has an error of its own"),
        "team_added_to_org" | "org_login_required" => CallFault::Unreachable("the workspace is moving"),
        _ => CallFault::Said(error),
    }
}

/// Whether Slack refuses how a message is built: our fault, and plain text may still pass.
pub(super) fn is_about_form(error: &str) -> bool {
    matches!(error, "invalid_blocks" | "invalid_blocks_format" | "msg_blocks_too_long" | "msg_too_long" | "no_text")
}

/// Whether Slack refuses to open a form because it is too late for it, or because it was opened. The names are those that are sent and
/// those that its guides give.
pub(super) fn is_about_trigger(error: &str) -> bool {
    matches!(error, "expired_trigger_id" | "exchanged_trigger_id" | "invalid_trigger_id" | "trigger_expired" | "trigger_exchanged")
}

/// Whether Slack refuses the token for good.
fn is_about_token(error: &str) -> bool {
    matches!(error, "token_revoked" | "account_inactive" | "invalid_auth")
}

/// Whether Slack refuses the place, so that another way to the person may work.
pub(super) fn is_about_place(error: &str) -> bool {
    matches!(error, "channel_not_found" | "not_in_channel" | "is_archived" | "is_inactive" | "user_not_in_channel" | "no_permission")
        || error.starts_with("restricted_action")
}

/// The name of an error, if it looks like one.
fn word(text: &str) -> Option<String> {
    let text = text.trim();
    let named = (1..=80).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    named.then(|| text.to_owned())
}

/// The name of an error as the whole body of an answer.
fn word_of(body: &[u8]) -> Option<String> {
    std::str::from_utf8(body).ok().and_then(word)
}

/// A fault as the core understands it.
pub(super) fn port_error(call: &str, fault: CallFault) -> PortError {
    let (fault, why, said) = match fault {
        CallFault::Said(error) => (meaning(&error), error.clone(), Some(error)),
        CallFault::Limited(until) => (Fault::RateLimited { until: Some(until) }, "ratelimited".to_owned(), None),
        CallFault::Unreachable(why) => (Fault::Unreachable, why.to_owned(), None),
        CallFault::Unclear(why) => (Fault::Unclear, why.to_owned(), None),
        CallFault::NoToken(error) => return PortError { detail: format!("{call}: {}", error.detail), ..error },
    };
    PortError { said, ..PortError::new(Service::Chat, fault, format!("{call}: {why}")) }
}

fn meaning(error: &str) -> Fault {
    match error {
        "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired" | "http_401" => Fault::SignInLost,
        "missing_scope"
        | "team_access_not_granted"
        | "enterprise_is_restricted"
        | "not_allowed_token_type"
        | "ekm_access_denied"
        | "no_permission"
        | "http_403" => Fault::Forbidden,
        "channel_not_found"
        | "not_in_channel"
        | "is_archived"
        | "is_inactive"
        | "user_not_in_channel"
        | "user_not_found"
        | "message_not_found"
        | "cant_update_message"
        | "edit_window_closed" => Fault::NotFound,
        other if other.starts_with("restricted_action") => Fault::Forbidden,
        _ => Fault::Refused,
    }
}
