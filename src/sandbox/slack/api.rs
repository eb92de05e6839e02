//! The Web API over HTTP: who may call, in which form, with which faults.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Map, Value, json};

use super::SlackWorkspace;
use super::faults::Fault;
use super::methods::{self, Arguments};
use super::seen::SeenRequest;

/// A call of `/api/{method}`.
pub(super) async fn call(
    State(workspace): State<Arc<SlackWorkspace>>,
    Path(method): Path<String>,
    verb: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(kind) = methods::kind(&method) else {
        return (StatusCode::NOT_IMPLEMENTED, format!("this simulator does not know {}", uri.path())).into_response();
    };
    let fault = workspace.change(|state| state.faults.take(&method));
    let act = || match arguments(kind, &verb, &uri, &headers, &body) {
        Ok((arguments, warning)) => perform(&workspace, &method, &headers, arguments, warning),
        Err(error) => refusal(error),
    };
    match fault {
        None => match too_fast(&workspace, &method, arguments(kind, &verb, &uri, &headers, &body).ok()) {
            Some(seconds) => failed(Fault::RateLimited(seconds)).await,
            None => answer(&act()),
        },
        Some(Fault::CutAfter) => {
            act();
            cut()
        }
        Some(fault) => {
            let error = format!("{fault:?}");
            let seen = arguments(kind, &verb, &uri, &headers, &body).map(|(arguments, _)| arguments.0).unwrap_or_default();
            workspace.change(|state| state.requests.push(SeenRequest { method, arguments: Value::Object(seen), error: Some(error) }));
            failed(fault).await
        }
    }
}

/// The seconds that a call has to wait because it comes too fast, where that is watched.
fn too_fast(workspace: &SlackWorkspace, method: &str, arguments: Option<(Arguments, Option<&str>)>) -> Option<u32> {
    let (now, arguments) = (workspace.clock.now(), arguments?.0.0);
    let conversation = arguments.get("channel").and_then(Value::as_str).map(str::to_owned);
    workspace.change(|state| {
        let seconds = state.limits.as_mut()?.take(method, conversation.as_deref(), now).err()?;
        let error = Some("ratelimited".to_owned());
        state.requests.push(SeenRequest { method: method.to_owned(), arguments: Value::Object(arguments), error });
        Some(seconds)
    })
}

/// The answer of a call that fails on purpose and is not done.
pub(super) async fn failed(fault: Fault) -> Response {
    match fault {
        Fault::Error(name) => answer(&refusal(&name)),
        Fault::RateLimited(seconds) => {
            let body = json!({"ok": false, "error": "ratelimited"}).to_string();
            let headers = [(header::RETRY_AFTER, seconds.to_string()), (header::CONTENT_TYPE, JSON.to_owned())];
            (StatusCode::TOO_MANY_REQUESTS, headers, body).into_response()
        }
        Fault::Status(status) => StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response(),
        Fault::CutBefore | Fault::CutAfter => cut(),
        Fault::Hang => std::future::pending().await,
    }
}

/// An answer that never gets onto the wire: the connection ends before its first byte.
pub(super) fn cut() -> Response {
    let broken: Result<Bytes, std::io::Error> = Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
    Body::from_stream(stream::iter([broken])).into_response()
}

const JSON: &str = "application/json; charset=utf-8";

fn answer(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, JSON)], value.to_string()).into_response()
}

fn refusal(error: &str) -> Value {
    json!({"ok": false, "error": error})
}

fn perform(workspace: &SlackWorkspace, method: &str, headers: &HeaderMap, arguments: Arguments, warning: Option<&str>) -> Value {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let seen = Value::Object(arguments.0.clone());
    let result = match sent.map(|value| value.strip_prefix("Bearer ")) {
        None => Err(refusal("not_authed")),
        Some(token) if token != Some(workspace.seed().bot_token.as_str()) => Err(refusal("invalid_auth")),
        Some(_) => methods::perform(workspace, method, &arguments),
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
        let structured = matches!(&*name, "blocks" | "attachments" | "metadata").then(|| serde_json::from_str(&value).ok()).flatten();
        (name.into_owned(), structured.unwrap_or_else(|| Value::String(value.into_owned())))
    });
    Arguments(pairs.collect())
}
