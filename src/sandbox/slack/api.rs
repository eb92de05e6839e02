//! The Web API over HTTP: who may call, in which form, with which faults.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use super::SlackWorkspace;
use super::faults::Called;
use super::installs;
use super::methods::{self, Arguments, Bot};
use super::seen::SeenRequest;
use crate::sandbox::fault::date;

/// A call of `/api/{method}`.
pub(super) async fn call(
    State(workspace): State<Arc<SlackWorkspace>>,
    Path(method): Path<String>,
    verb: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if methods::kind(&method).is_none() {
        return (StatusCode::NOT_IMPLEMENTED, format!("this simulator does not know {}", uri.path())).into_response();
    }
    workspace.receive(Called { method, verb, uri, headers, body }).await
}

/// Does what was asked, and answers.
pub(super) fn answer(workspace: &SlackWorkspace, called: &Called) -> Response<Bytes> {
    let Called { method, verb, uri, headers, body } = called;
    let Some(kind) = methods::kind(method) else { return refused(method, "unknown_method") };
    if let Some(seconds) = too_fast(workspace, method, arguments(kind, verb, uri, headers, body).ok()) {
        return limited(Some(seconds));
    }
    let value = match arguments(kind, verb, uri, headers, body) {
        Ok((arguments, warning)) => perform(workspace, method, headers, arguments, warning),
        Err(error) => refusal(error),
    };
    let mut answer = json_answer(StatusCode::OK, &value);
    workspace.change(|state| state.answers.note("POST", &format!("/api/{method}"), 200, answer.body()));
    if method == "auth.test"
        && value.get("ok") == Some(&Value::Bool(true))
        && let Ok(scopes) = HeaderValue::try_from(workspace.look(methods::scopes))
    {
        answer.headers_mut().insert("x-oauth-scopes", scopes);
    }
    if let Ok(date) = HeaderValue::try_from(date(workspace.now())) {
        answer.headers_mut().insert(header::DATE, date);
    }
    answer
}

/// The seconds that a call has to wait because it comes too fast, where that is watched.
fn too_fast(workspace: &SlackWorkspace, method: &str, arguments: Option<(Arguments, Option<&str>)>) -> Option<u32> {
    let (now, arguments) = (workspace.now(), arguments?.0.0);
    let conversation = arguments.get("channel").and_then(Value::as_str).map(str::to_owned);
    workspace.change(|state| {
        let seconds = state.limits.as_mut()?.take(method, conversation.as_deref(), now).err()?;
        let error = Some("ratelimited".to_owned());
        state.requests.push(SeenRequest { method: method.to_owned(), arguments: Value::Object(arguments), error });
        Some(seconds)
    })
}

/// The arguments of a call that is not done.
pub(super) fn arguments_of(called: &Called) -> Value {
    let Called { method, verb, uri, headers, body } = called;
    if method == "oauth.v2.access" {
        return Value::Null;
    }
    let kind = methods::kind(method).unwrap_or(methods::Kind::Writes);
    Value::Object(arguments(kind, verb, uri, headers, body).map(|(arguments, _)| arguments.0).unwrap_or_default())
}

/// A refusal of a method by its name.
pub(super) fn refused(method: &str, error: &str) -> Response<Bytes> {
    let mut value = refusal(error);
    if let ("missing_scope", Some(fields)) = (error, value.as_object_mut()) {
        fields.insert("needed".to_owned(), json!(methods::scope(method)));
        fields.insert("provided".to_owned(), json!("commands"));
    }
    json_answer(StatusCode::OK, &value)
}

/// Too many calls.
pub(super) fn limited(retry_after: Option<u32>) -> Response<Bytes> {
    let mut answer = json_answer(StatusCode::TOO_MANY_REQUESTS, &refusal("ratelimited"));
    if let Some(seconds) = retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

fn json_answer(status: StatusCode, value: &Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(value.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    answer
}

fn refusal(error: &str) -> Value {
    json!({"ok": false, "error": error})
}

fn perform(workspace: &SlackWorkspace, method: &str, headers: &HeaderMap, arguments: Arguments, warning: Option<&str>) -> Value {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    // What is shown for tokens is nobody else's to see.
    let seen = if method == "oauth.v2.access" { Value::Null } else { Value::Object(arguments.0.clone()) };
    let result = match sent.map(|value| value.strip_prefix("Bearer ")) {
        _ if method == "oauth.v2.access" => installs::access(workspace, headers, &arguments),
        None => Err(refusal("not_authed")),
        Some(token) => {
            let (token, now) = (token.unwrap_or_default(), workspace.now());
            match workspace.look(|state| installs::reach(workspace, state, token, now)) {
                Ok(teams) => methods::perform(workspace, method, &arguments, &Bot { token, teams }),
                Err(error) => Err(refusal(error)),
            }
        }
    };
    let error = result.as_ref().err().map(|refusal| refusal.get("error").and_then(Value::as_str).unwrap_or_default().to_owned());
    workspace.change(|state| state.requests.push(SeenRequest { method: method.to_owned(), arguments: seen, error }));
    let mut value = result.unwrap_or_else(|refusal| refusal);
    if let (Some(warning), Some(fields)) = (warning, value.as_object_mut()) {
        fields.insert("warning".to_owned(), json!(warning));
        fields
            .entry("response_metadata")
            .or_insert_with(|| json!({}))
            .as_object_mut()
            .map(|meta| meta.insert("warnings".to_owned(), json!([warning])));
    }
    value
}

/// Reads arguments as Slack does: JSON for methods that write, forms for all, queries for those that read.
fn arguments(
    kind: methods::Kind,
    verb: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Arguments, Option<&'static str>), &'static str> {
    if verb == Method::GET && kind == methods::Kind::Reads {
        return Ok((form(uri.query().unwrap_or_default().as_bytes()), None));
    }
    if verb != Method::POST {
        return Err("invalid_http_method");
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/json" => {
            let charset = (!content_type.contains("charset")).then_some("missing_charset");
            // A method that reads does not look into a JSON body.
            if kind == methods::Kind::Reads {
                return Ok((Arguments(Map::new()), charset));
            }
            match serde_json::from_slice(body) {
                Ok(Value::Object(map)) => Ok((Arguments(map), charset)),
                Ok(_) => Err("json_not_object"),
                Err(_) => Err("invalid_json"),
            }
        }
        "application/x-www-form-urlencoded" => Ok((form(body), None)),
        "" if body.is_empty() => Ok((Arguments(Map::new()), None)),
        "" => Err("missing_post_type"),
        _ => Err("invalid_post_type"),
    }
}

fn form(body: &[u8]) -> Arguments {
    let pairs = form_urlencoded::parse(body).map(|(name, value)| {
        let structured =
            matches!(&*name, "blocks" | "attachments" | "metadata" | "view").then(|| serde_json::from_str(&value).ok()).flatten();
        (name.into_owned(), structured.unwrap_or_else(|| Value::String(value.into_owned())))
    });
    Arguments(pairs.collect())
}
