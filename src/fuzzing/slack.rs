//! What comes to the chat's door: a forged request changes nothing, a true one is answered, and a code in it is not repeated.
//!
//! The first byte says which address, the second how it is signed and called; the rest is the body.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use secrecy::SecretString;
use sha2::Sha256;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::adapters::slack::{Sealer, SlackInbound, router};
use crate::domain::installation::Happening;
use crate::domain::parse::split_code;
use crate::ports::{Clock, Hears, Inbox, Incoming, StoreError, Submitted};

use super::answers::{Jumping, runtime};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const FORM: &str = "application/x-www-form-urlencoded";

#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Incoming>>);

impl Kept {
    fn take(&self) -> Vec<Incoming> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Inbox for Kept {
    async fn submit(&self, incoming: Incoming) -> Submitted {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(incoming);
        Submitted::Accepted
    }
}

#[async_trait]
impl Hears for Kept {
    async fn heard(&self, _: Happening) -> Result<(), StoreError> {
        Ok(())
    }
}

struct Way {
    runtime: Runtime,
    router: Router,
    inbox: Arc<Kept>,
    clock: Arc<Jumping>,
}

thread_local! {
    static WAY: Way = Way::new();
}

/// How a request is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signed {
    Truly,
    /// Before the body was altered.
    Before,
    /// By whatever the body's first line says.
    Wildly,
    Not,
}

impl Way {
    fn new() -> Self {
        let secrets = vec![SecretString::from(SECRET)];
        let (inbox, clock) = (Arc::new(Kept::default()), Jumping::new());
        let inbound = SlackInbound {
            sealer: Arc::new(Sealer::new(&secrets).unwrap_or_else(|error| fail(&error))),
            secrets,
            inbox: inbox.clone(),
            hears: inbox.clone(),
            clock: clock.clone(),
            command_word: "/h".to_owned(),
            allow_loopback_response_url: true,
        };
        Self { runtime: runtime(), router: router(inbound), inbox, clock }
    }

    fn answer(&self, request: Request<Body>) -> (StatusCode, Vec<u8>) {
        self.runtime.block_on(async {
            let response = match self.router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let status = response.status();
            let body = response.into_body().collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
            (status, body)
        })
    }
}

/// What is set up here cannot fail; if it does, the run shall stop.
fn fail<T>(error: &dyn std::fmt::Display) -> T {
    std::panic::panic_any(error.to_string())
}

fn signature(time: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap_or_else(|error| fail(&error));
    for part in [b"v0:", time.as_bytes(), b":", body] {
        mac.update(part);
    }
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={digits}")
}

pub(super) fn holds(bytes: &[u8]) {
    let (place, rest) = super::first(bytes);
    let (how, body) = super::first(rest);
    let path = ["/slack/commands", "/slack/actions", "/slack/events"].get(usize::from(place) % 3).copied().unwrap_or_default();
    let signed = match how % 4 {
        0 => Signed::Truly,
        1 => Signed::Before,
        2 => Signed::Wildly,
        _ => Signed::Not,
    };
    let media = if how & 4 == 0 { FORM } else { "application/json" };
    WAY.with(|way| {
        let answer = way.answer(request(path, media, signed, body, way.clock.now().as_second()));
        judge(signed, body, &answer, &way.inbox.take());
    });
}

fn request(path: &str, media: &str, signed: Signed, body: &[u8], now: i64) -> Request<Body> {
    let mut request = Request::new(Body::from(body.to_vec()));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = path.parse().unwrap_or_default();
    let headers = request.headers_mut();
    headers.extend(HeaderValue::from_str(media).ok().map(|media| (http::header::CONTENT_TYPE, media)));
    let (time, sign) = match signed {
        Signed::Truly => (now.to_string(), signature(&now.to_string(), body)),
        Signed::Before => {
            let before = body.split_last().map_or(b"x".as_slice(), |(_, before)| before);
            (now.to_string(), signature(&now.to_string(), before))
        }
        Signed::Wildly => {
            let line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line);
            let (time, sign) = line.split_once(' ').unwrap_or((&line, ""));
            (time.to_owned(), sign.to_owned())
        }
        Signed::Not => return request,
    };
    for (name, value) in [("x-slack-request-timestamp", time), ("x-slack-signature", sign)] {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) {
            headers.insert(name, value);
        }
    }
    request
}

fn judge(signed: Signed, body: &[u8], (status, said): &(StatusCode, Vec<u8>), got: &[Incoming]) {
    let known = [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED];
    assert!(known.contains(status), "an answer that is none of ours: {status}");
    if signed != Signed::Truly {
        assert!(got.is_empty() && said.is_empty(), "a forged request has an effect");
        let is_check = form_urlencoded::parse(body).any(|(name, value)| name == "ssl_check" && value == "1");
        assert!(*status == StatusCode::UNAUTHORIZED || is_check, "a forged request is refused");
        return;
    }
    assert!(*status != StatusCode::UNAUTHORIZED, "a true request is let in");
    assert!(got.len() <= 1, "one request at most");
    let text = form_urlencoded::parse(body).filter(|(name, _)| name == "text").last().map(|(_, text)| text.into_owned());
    let Some((before, Some(code))) = text.as_deref().map(split_code) else { return };
    let all = format!("{} {got:?}", String::from_utf8_lossy(said));
    let elsewhere = form_urlencoded::parse(body).any(|(name, value)| name != "text" && value.contains(&*code)) || before.contains(&*code);
    assert!(elsewhere || !all.contains(&*code), "a code is repeated");
}
