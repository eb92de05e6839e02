//! The host of output streams.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use jiff::Timestamp;
use uuid::Uuid;

use crate::ports::{Sent, StreamKey, WakeKey};

use super::http::{Answer, Asked, Reply};
use super::outputs::Output;
use super::state::{later, signature};
use super::{Shared, StreamStyle};
use crate::sandbox::fault::broken_after;

/// How long a stream is silent before a keep-alive.
const KEEP_ALIVE: u32 = 10;
/// How long between two bytes that drip.
const DRIP: u32 = 30;

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
    let style = world.stream_style(of);
    let output = world.output(of, now).filter(|_| style != StreamStyle::NeverBegin);
    let Some(Output { text, finished, .. }) = output else {
        return Reply::Answer(Answer::text(404, "Channel is not registered.\n"));
    };
    let events = asked.header("accept").contains("text/event-stream");
    let offset = offset(asked, events);
    let Some(rest) = text.get(offset..).filter(|rest| !(rest.is_empty() && finished)) else {
        // At the end of a finished stream there is nothing; beyond what there is, nothing yet.
        return Reply::Answer(Answer::text(if finished { 204 } else { 416 }, ""));
    };
    if style == (StreamStyle::Cut { once: true }) && !finished {
        world.streams_are_live(of);
    }
    // What is sent piece by piece is noted as it goes.
    let at_once = if finished || matches!(style, StreamStyle::EndEarly | StreamStyle::Cut { .. }) { rest.len() } else { 0 };
    let sent = world.streamed.len();
    world.streamed.push(offset..offset.saturating_add(at_once));
    drop(world);
    let start = if events { Bytes::from(as_events(rest, offset)) } else { Bytes::copy_from_slice(rest) };
    let idle = if events { Bytes::from_static(b":keepalive\n\n") } else { Bytes::from_static(b"\0") };
    let body = match style {
        _ if finished => Body::from(start),
        StreamStyle::EndEarly => Body::from([start, idle].concat()),
        StreamStyle::Cut { .. } => broken_after(Some([start, idle].concat().into())),
        StreamStyle::Live | StreamStyle::NeverBegin | StreamStyle::Drip | StreamStyle::Silent | StreamStyle::Ahead(_) => {
            let key = Key::new(shared, &asked.request_id);
            Sender { key, of, offset, sent, events, idle, style, said_at: now }.body()
        }
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

/// What an open stream is known by, as long as it is open.
struct Key {
    shared: Arc<Shared>,
    key: StreamKey,
}

impl Key {
    fn new(shared: &Arc<Shared>, id: &str) -> Self {
        let key = StreamKey(id.to_owned());
        shared.clock.sends(&key, Sent::Begun);
        shared.open().insert(id.to_owned());
        Self { shared: Arc::clone(shared), key }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.shared.open().remove(&self.key.0);
        self.shared.clock.sends(&self.key, Sent::Ended);
    }
}

/// A stream that stays open until the work is over.
struct Sender {
    key: Key,
    of: Uuid,
    offset: usize,
    /// The number of this answer among all of them.
    sent: usize,
    events: bool,
    idle: Bytes,
    style: StreamStyle,
    said_at: Timestamp,
}

impl Sender {
    fn body(self) -> Body {
        Body::from_stream(stream::unfold(self, |mut sender| async move {
            let piece = sender.next().await?;
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            sender.key.shared.clock.sends(&sender.key.key, Sent::Bytes(length));
            Some((Ok::<Bytes, std::io::Error>(piece), sender))
        }))
    }

    /// The next piece; `None`: that was all.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let (output, now) = look(&self.key.shared, self.of);
            let output = output?;
            let rest = output.text.get(self.offset..).unwrap_or_default();
            let (drips, silent) = (self.style == StreamStyle::Drip, self.style == StreamStyle::Silent && self.offset > 0);
            let next_drop = later(self.said_at, DRIP);
            let said = match rest {
                [] => &[],
                [drop, ..] if drips && !output.finished => {
                    if now >= next_drop || self.offset == 0 {
                        std::slice::from_ref(drop)
                    } else {
                        &[]
                    }
                }
                _ if silent => &[],
                rest => rest,
            };
            if !said.is_empty() {
                let piece = if self.events { Bytes::from(as_events(said, self.offset)) } else { Bytes::copy_from_slice(said) };
                self.offset = self.offset.saturating_add(said.len());
                if let Some(part) = self.key.shared.world().0.streamed.get_mut(self.sent) {
                    part.end = self.offset;
                }
                self.said_at = now;
                return Some(piece);
            }
            if output.finished && !silent {
                return None;
            }
            let keep_alive = later(self.said_at, KEEP_ALIVE);
            if !drips && !silent && now >= keep_alive {
                self.said_at = now;
                return Some(self.idle.clone());
            }
            let until = match (drips, silent) {
                (_, true) => None,
                (true, _) => Some(output.next.map_or(next_drop, |next| next.min(next_drop)).max(later(now, 1))),
                (false, false) => Some(output.next.map_or(keep_alive, |next| next.min(keep_alive))),
            };
            self.key.shared.clock.wait(WakeKey::Stream(self.key.key.clone()), until).await;
        }
    }
}

fn look(shared: &Shared, of: Uuid) -> (Option<Output>, Timestamp) {
    let (world, now) = shared.world();
    (world.output(of, now), now)
}
