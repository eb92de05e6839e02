//! The door of all servers: what came in, what goes out, faults in between.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use futures_util::StreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::look::SeenRequest;
use super::records::Closed;
use super::state::{World, hex, id_of};
use super::{Shared, api, link, sign_in, storage, streams};
use crate::sandbox::fault::{Doing, Fault, cut, date, spoil};

/// The largest body that the API takes.
const BODY_LIMIT: usize = 1 << 20;

/// Which of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// The Platform API.
    Api,
    /// The older link service.
    Link,
    /// Storage for sources.
    Storage,
    /// Output streams.
    Streams,
    /// Sign-in.
    Id,
}

/// What was asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    /// The number that the answer will have.
    pub(super) request_id: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The length and SHA-256 of a body that was not kept.
    pub(super) hashed: Option<(u64, String)>,
}

impl Asked {
    /// A header's text; empty if it is not there or no text.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// A value of the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The token, if there is one.
    pub(super) fn token(&self) -> Option<String> {
        token_in(&self.headers)
    }

    /// The segments of the path, decoded nowhere: nothing here needs it.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }
}

/// What is answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl Answer {
    /// JSON.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: "application/json", headers: Vec::new(), body: Bytes::from(body.to_string()) }
    }

    /// Plain text.
    pub(super) fn text(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, content_type: "text/plain", headers: Vec::new(), body: body.into() }
    }

    /// What the simulator answers to what it does not know.
    pub(super) fn unknown(asked: &Asked) -> Self {
        Self::text(501, format!("this simulator does not know {} {}", asked.method, asked.path))
    }

    /// The same with one more header.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// A refusal, in the API's form.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) id: &'static str,
    pub(super) message: String,
    /// More members of the body.
    pub(super) more: Vec<(&'static str, Value)>,
}

impl Refusal {
    pub(super) fn new(status: u16, id: &'static str, message: impl Into<String>) -> Self {
        Self { status, id, message: message.into(), more: Vec::new() }
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "not_found", "Not found.")
    }

    pub(super) fn closed(why: Closed) -> Self {
        match why {
            Closed::Suspended => Self::new(403, "suspended", "Your account has been suspended."),
            Closed::Delinquent => Self::new(402, "delinquent", "Your account is delinquent. Please pay your open invoices."),
            Closed::DeviceNotTrusted => Self::new(401, "device_trust_required", "The device is not trusted."),
        }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(422, "invalid_params", message)
    }

    pub(super) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.more.push((name, value));
        self
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let mut body = json!({"id": refusal.id, "message": refusal.message});
        if let Some(members) = body.as_object_mut() {
            members.extend(refusal.more.into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
        Self::json(refusal.status, &body)
    }
}

/// What a server gives back: an answer, or a stream that goes on.
pub(super) enum Reply {
    Answer(Answer),
    Stream(Response),
}

/// All paths of a server go through one door.
pub(super) fn router(shared: Arc<Shared>, host: Host) -> Router {
    Router::new().route("/", any(door)).route("/{*path}", any(door)).with_state((shared, host))
}

async fn door(State((shared, host)): State<(Arc<Shared>, Host)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let method = parts.method.as_str().to_owned();
    let path = parts.uri.path().to_owned();
    let (number, fault, hanging, at) = {
        let (mut world, now) = shared.world();
        let token_email = token_in(&parts.headers).and_then(|token| world.whose(&token, now));
        let with_code = parts.headers.contains_key("heroku-two-factor-code");
        let number = world.requests.len();
        let query = parts.uri.query().map(str::to_owned);
        let seen =
            SeenRequest { host, method: method.clone(), path: path.clone(), query, body: None, status: 0, token_email, with_code, at: now };
        world.requests.push(seen);
        (number, world.faults.take(&method, &path), world.hanging.clone(), now)
    };
    let request_id = id_of("request", &number.to_string()).to_string();
    if fault == Some(Fault::Hang) {
        hanging.cancelled().await;
        return cut();
    }
    let doing = fault.as_ref().map_or(Doing::Now, Fault::doing);
    let reply = if doing == Doing::Never {
        let refusal = if fault == Some(Fault::TokenRefused) { token_refused() } else { api::rate_limited() };
        let answer = Answer::from(refusal);
        Reply::Answer(match fault {
            Some(Fault::RateLimited { retry_after: Some(seconds), .. }) => answer.with("retry-after", seconds.to_string()),
            _ => answer,
        })
    } else {
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or("").as_bytes()).into_owned().collect();
        let mut asked =
            Asked { method, path, request_id: request_id.clone(), query, headers: parts.headers, body: Bytes::new(), hashed: None };
        let read = match host {
            Host::Storage => hash(body).await.map(|hashed| asked.hashed = Some(hashed)),
            Host::Api | Host::Link | Host::Streams | Host::Id => to_bytes(body, BODY_LIMIT).await.map(|body| asked.body = body).ok(),
        };
        if read.is_none() {
            return cut();
        }
        if let Some(seen) = shared.world().0.requests.get_mut(number) {
            seen.body = Some(asked.body.clone());
        }
        match doing {
            Doing::Late(seconds) => {
                shared.world().0.late.add(at, seconds, (host, asked));
                return cut();
            }
            Doing::Now | Doing::Never => {}
        }
        match host {
            Host::Streams => streams::answer(&shared, &asked),
            Host::Api | Host::Link | Host::Storage | Host::Id => {
                let (mut world, now) = shared.world();
                let answer = work(&mut world, host, &asked, now);
                drop(world);
                if asked.method == "DELETE" {
                    shared.stir();
                }
                Reply::Answer(answer)
            }
        }
    };
    let (response, body) = match reply {
        Reply::Answer(answer) => {
            let body = answer.body.clone();
            (answer.into_response(), body)
        }
        Reply::Stream(response) => (response, Bytes::new()),
    };
    let mut response = match &fault {
        None => response,
        Some(fault) => spoil(fault, response.map(|_| body), &shared.clock).await,
    };
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("request-id", value);
    }
    let (mut world, now) = shared.world();
    if let Ok(date) = HeaderValue::from_str(&date(now)) {
        response.headers_mut().insert(header::DATE, date);
    }
    if !matches!(fault, Some(Fault::CutBefore | Fault::CutAfter | Fault::TimedOut { .. }))
        && let Some(seen) = world.requests.get_mut(number)
    {
        seen.status = response.status().as_u16();
    }
    response
}

/// Does what was asked.
pub(super) fn work(world: &mut World, host: Host, asked: &Asked, now: Timestamp) -> Answer {
    let answer = match host {
        Host::Api => api::answer(world, asked, now),
        Host::Link => link::answer(world, asked, now),
        Host::Storage => return storage::answer(world, asked, now),
        Host::Id => return sign_in::answer(world, asked, now),
        Host::Streams => return Answer::unknown(asked),
    };
    world.answers.note(&asked.method, &asked.path, answer.status, &answer.body);
    answer
}

fn token_refused() -> Refusal {
    Refusal::new(401, "unauthorized", "Invalid credentials provided.")
}

/// Reads a body to its end and keeps only its length and SHA-256. `None`: it broke off.
async fn hash(body: Body) -> Option<(u64, String)> {
    let mut pieces = body.into_data_stream();
    let (mut length, mut digest) = (0_u64, Sha256::new());
    while let Some(piece) = pieces.next().await {
        let piece = piece.ok()?;
        length = length.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        digest.update(&piece);
    }
    Some((length, hex(&digest.finalize())))
}

/// The token of a request: by itself, or as the password of whoever asks.
fn token_in(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    if let Some(token) = header.strip_prefix("Bearer ") {
        return Some(token.to_owned());
    }
    let both = String::from_utf8(BASE64_STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    both.split_once(':').map(|(_, password)| password.to_owned())
}
