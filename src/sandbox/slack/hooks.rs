//! The answer addresses: five answers within thirty minutes, from whoever holds the address.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::faults::Called;
use super::methods::note_habits;
use super::seen::{SeenRequest, Via};
use super::state::{Content, Hook, State};
use super::{SlackWorkspace, blocks};

const USES: u32 = 5;
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(30);
pub(super) const NAME: &str = "response_url";

/// A post to an answer address.
pub(super) async fn answer(Shared(workspace): Shared<Arc<SlackWorkspace>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    workspace.receive(Called { method: NAME.to_owned(), verb: Method::POST, uri, headers, body }).await
}

/// Does what was asked, and answers.
pub(super) fn use_up(workspace: &SlackWorkspace, called: &Called) -> Response<Bytes> {
    let path = called.uri.path();
    let sent = sent(called);
    let seen = seen(called);
    let now = workspace.now();
    let result = workspace.change(|state| {
        let result = match &sent {
            Some(sent) => deliver(now, state, path, sent),
            None => Err((StatusCode::BAD_REQUEST, "invalid_payload")),
        };
        let error = result.err().map(|(_, error)| error.to_owned());
        state.requests.push(SeenRequest { method: NAME.to_owned(), arguments: seen, error });
        result
    });
    let (status, words) = result.err().unwrap_or((StatusCode::OK, "ok"));
    worded(status, words)
}

/// What was sent, where it can be read.
fn sent(called: &Called) -> Option<Map<String, Value>> {
    let content_type = called.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    serde_json::from_slice(&called.body).ok().filter(|_| content_type.starts_with("application/json"))
}

/// The same, as it is noted.
pub(super) fn seen(called: &Called) -> Value {
    Value::Object(sent(called).unwrap_or_default())
}

/// A refusal by its name.
pub(super) fn refusal(name: &str) -> Response<Bytes> {
    worded(StatusCode::NOT_FOUND, name)
}

fn worded(status: StatusCode, words: &str) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::copy_from_slice(words.as_bytes()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

type Refusal = (StatusCode, &'static str);

fn deliver(now: Timestamp, state: &mut State, path: &str, sent: &Map<String, Value>) -> Result<(), Refusal> {
    let Some(hook) = state.hooks.get(path) else { return Err((StatusCode::NOT_FOUND, "no_service")) };
    if now.duration_since(hook.given_at) > GOOD_FOR {
        return Err((StatusCode::GONE, "expired_url"));
    }
    if hook.used >= USES {
        return Err((StatusCode::NOT_FOUND, "used_url"));
    }
    let said = words(sent)?;
    let Hook { person, channel, source, of_button, .. } = hook;
    let (person, channel, source, of_button) = (person.clone(), channel.clone(), source.clone(), *of_button);
    let flag = |name: &str| sent.get(name).and_then(Value::as_bool);
    if of_button && flag("replace_original").is_none() && flag("delete_original").is_none() {
        state.violation(format!("{NAME}: an answer to a button has to say whether it replaces the message"));
    }
    let delete = flag("delete_original").unwrap_or(false);
    let replace = flag("replace_original").unwrap_or(of_button) && !delete;
    if let Some(said) = &said {
        note_habits(state, NAME, &said.text, &said.blocks);
    }
    if let (true, Some((channel, ts))) = (delete, &source) {
        state.delete(Via::Hook, channel, ts);
    }
    let mut stands = source.clone();
    match (said, &source) {
        (None, _) if delete => stands = None,
        (None, _) => return Err((StatusCode::BAD_REQUEST, "no_text")),
        (Some(said), Some((channel, ts))) if replace && state.find(channel, ts).is_some() => {
            state.edit(Via::Hook, channel, ts, said);
        }
        (Some(said), _) => {
            let to = (sent.get("response_type").and_then(Value::as_str) != Some("in_channel")).then_some(person);
            let ts = state.say(now, Via::Hook, &channel, to, said);
            if !of_button {
                stands = Some((channel, ts));
            }
        }
    }
    if let Some(hook) = state.hooks.get_mut(path) {
        hook.used += 1;
        hook.source = stands;
    }
    Ok(())
}

/// The words of an answer; `None` if it has none.
pub(super) fn words(sent: &Map<String, Value>) -> Result<Option<Content>, Refusal> {
    let text = sent.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    let given = sent.get("blocks").and_then(Value::as_array).cloned().unwrap_or_default();
    if !blocks::faults(&given).is_empty() {
        return Err((StatusCode::BAD_REQUEST, "invalid_blocks"));
    }
    Ok((!text.is_empty() || !given.is_empty()).then_some(Content { text, blocks: given }))
}
