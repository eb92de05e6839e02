//! The host of output streams.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use jiff::Timestamp;
use uuid::Uuid;

use super::http::{Answer, Asked, Reply};
use super::outputs::Output;
use super::state::{later, signature};
use super::{Shared, StreamStyle};
use crate::sandbox::fault::broken_after;

/// How long a stream is silent before a keep-alive.
const KEEP_ALIVE: u32 = 10;

pub(super) fn answer(shared: &Arc<Shared>, asked: &Asked) -> Reply {
    let segments = asked.segments();
    let ("GET", ["streams", _, "logs", file]) = (asked.method.as_str(), segments.as_slice()) else {
        return Reply::Answer(Answer::unknown(asked));
    };
    let (mut world, now) = shared.world();
    if asked.headers.contains_key(header::AUTHORIZATION) || asked.headers.contains_key("heroku-two-factor-code") {
        world.violations.push("a token or code was sent to the host of output streams".to_owned());
    }
    let of = file.strip_suffix(".log").and_then(|id| Uuid::parse_str(id).ok());
    let Some(of) = of.filter(|of| asked.query("X-Amz-Signature") == Some(signature(&format!("stream {of}")).as_str())) else {
        return Reply::Answer(Answer::text(403, "Forbidden."));
    };
    let Some(Output { text, finished }) = world.output(of, now) else {
        return Reply::Answer(Answer::text(404, "Channel is not registered.\n"));
    };
    let style = world.streams;
    drop(world);
    let events = asked.header("accept").contains("text/event-stream");
    let offset = offset(asked, events);
    let Some(rest) = text.get(offset..).filter(|rest| !(rest.is_empty() && finished)) else {
        // At the end of a finished stream there is nothing; beyond what there is, nothing yet.
        return Reply::Answer(Answer::text(if finished { 204 } else { 416 }, ""));
    };
    let start = if events { Bytes::from(as_events(rest, offset)) } else { Bytes::copy_from_slice(rest) };
    let idle = if events { Bytes::from_static(b":keepalive\n\n") } else { Bytes::from_static(b"\0") };
    let body = match style {
        _ if finished => Body::from(start),
        StreamStyle::EndEarly => Body::from([start, idle].concat()),
        StreamStyle::Cut => broken_after(Some([start, idle].concat().into())),
        StreamStyle::Live => live(Arc::clone(shared), of, offset, events, idle),
    };
    let mut response = Response::new(body);
    *response.status_mut() = if offset == 0 { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    let kind = HeaderValue::from_static(if events { "text/event-stream" } else { "text/plain" });
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Reply::Stream(response)
}

/// Where to go on: `Range: 12-` (also with `bytes=`), or `Last-Event-ID: 12` for events.
fn offset(asked: &Asked, events: bool) -> usize {
    let text = if events { asked.header("last-event-id") } else { asked.header("range").trim_start_matches("bytes=") };
    text.trim_end_matches('-').parse().unwrap_or(0)
}

/// Server-sent events; the id of each is the offset behind it.
fn as_events(text: &[u8], offset: usize) -> String {
    let mut at = offset;
    let mut events = String::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        let line = String::from_utf8_lossy(line);
        events.push_str(&format!("id: {at}\ndata: {}\n\n", line.trim_end_matches('\n')));
    }
    events
}

/// A stream that stays open until the work is over.
fn live(shared: Arc<Shared>, of: Uuid, offset: usize, events: bool, idle: Bytes) -> Body {
    let pieces = stream::unfold(Some(offset), move |offset| {
        let (shared, idle) = (Arc::clone(&shared), idle.clone());
        async move {
            let offset = offset?;
            let mut silent_until = None;
            loop {
                let (output, now) = look(&shared, of);
                let output = output?;
                let rest = output.text.get(offset..).unwrap_or_default();
                if !rest.is_empty() {
                    let next = (!output.finished).then_some(output.text.len());
                    let piece = if events { Bytes::from(as_events(rest, offset)) } else { Bytes::copy_from_slice(rest) };
                    return Some((Ok::<Bytes, std::io::Error>(piece), next));
                }
                if output.finished {
                    return None;
                }
                let until = *silent_until.get_or_insert(later(now, KEEP_ALIVE));
                if now >= until {
                    return Some((Ok(idle), Some(offset)));
                }
                shared.clock.pause_until(later(now, 1).min(until)).await;
            }
        }
    });
    Body::from_stream(pieces)
}

fn look(shared: &Shared, of: Uuid) -> (Option<Output>, Timestamp) {
    let (world, now) = shared.world();
    (world.output(of, now), now)
}
