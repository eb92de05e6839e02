//! Forms that people fill in and send: what they are offered while they type, and what comes of it.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use secrecy::SecretString;
use serde_json::Value;

use super::super::payload::Interaction;
use super::super::{manifest, view};
use super::{Door, as_json, nothing};
use crate::domain::actor::Person;
use crate::domain::form::{Draft, Objection, Sent, offered};
use crate::domain::names::DeliveryId;
use crate::domain::parse;
use crate::domain::request::Ask;
use crate::domain::speech;
use crate::ports::{Incoming, Submitted};

/// How long may be found out what stands in a form: Slack waits three seconds, network included.
const THOUGHT: Duration = Duration::from_millis(2200);

/// A form that was sent. It closes when it is on disk; until then it stays, with what is wrong at its fields.
pub(super) async fn sent(door: &Door, value: Value) -> Response {
    let Ok(sent) = serde_json::from_value::<view::Sent>(value) else { return nothing(StatusCode::BAD_REQUEST) };
    let Some(view::Read { id, origin, first, filled }) = sent.read() else { return nothing(StatusCode::OK) };
    let filled = match filled {
        Ok(Sent::Asks(filled)) => filled,
        Ok(Sent::GoesOn { pipeline, draft }) => {
            let asked = door.inbound.inbox.next_form(&origin, &pipeline, &draft);
            let next = tokio::time::timeout(door.patience.min(THOUGHT), asked).await;
            return as_json(&match next {
                Ok(Ok(form)) => view::instead(&origin, &form),
                Ok(Err(objections)) => view::objections(&objections),
                Err(_) => view::objections(&[Objection::new(first, speech::not_found_out())]),
            });
        }
        Err(objections) => return as_json(&view::objections(&objections)),
    };
    let incoming = Incoming { id, origin, ask: filled.ask, code: filled.code.map(SecretString::from) };
    match tokio::time::timeout(door.patience, door.inbound.inbox.submit(incoming)).await {
        Ok(Submitted::Accepted | Submitted::Repeated) => nothing(StatusCode::OK),
        Ok(Submitted::Unavailable) => as_json(&view::objections(&[Objection::new(first, speech::form_not_kept())])),
        Err(_) => {
            tracing::error!("putting a form on disk took too long");
            nothing(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

/// Somebody types into a field of a form: they are offered what is known by the time that Slack waits for, and what they typed themselves.
pub(super) async fn sought(door: &Door, value: Value) -> Response {
    let Ok(seeking) = serde_json::from_value::<view::Seeking>(value) else { return nothing(StatusCode::BAD_REQUEST) };
    let Some((by, topic, field, typed)) = seeking.read() else { return as_json(&view::suggestions(&[])) };
    let asked = door.inbound.inbox.suggest(&by, &topic, field);
    let all = tokio::time::timeout(door.patience.min(THOUGHT), asked).await.unwrap_or_default();
    as_json(&view::suggestions(&offered(field, typed, all)))
}

/// Somebody picked our shortcut at a message: what it names is kept, and nothing else of it.
pub(super) async fn picked(door: &Door, value: Value) -> Response {
    // One of somebody else, or of an older version of ours.
    if value.get("callback_id").and_then(Value::as_str) != Some(manifest::SHORTCUT) {
        return nothing(StatusCode::OK);
    }
    let Ok(interaction) = serde_json::from_value::<Interaction>(value) else { return nothing(StatusCode::BAD_REQUEST) };
    let (Some(user), Some(workspace), Some(channel)) = (interaction.user(), interaction.workspace(), interaction.channel()) else {
        return nothing(StatusCode::BAD_REQUEST);
    };
    let Some(id) = interaction.trigger_id.as_deref().and_then(|id| DeliveryId::parse(id).ok()) else {
        return nothing(StatusCode::BAD_REQUEST);
    };
    let origin = door.inbound.origin(Person { workspace, user }, channel, interaction.response_url.as_deref());
    let ask = Ask::Ship(Draft::of_found(parse::changes_in(&interaction.said())));
    match tokio::time::timeout(door.patience, door.inbound.inbox.submit(Incoming { id, origin, ask, code: None })).await {
        Ok(Submitted::Accepted | Submitted::Repeated) => nothing(StatusCode::OK),
        // The body of this answer is never shown; an error is.
        Ok(Submitted::Unavailable) => nothing(StatusCode::SERVICE_UNAVAILABLE),
        Err(_) => {
            tracing::error!("putting a shortcut on disk took too long");
            nothing(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}
