//! One exchange: a request out, an answer in, both bounded, with a trace that holds no secret.

use std::fmt;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use reqwest::{Body, Client, Response};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tracing::field::Empty;
use tracing::{Instrument, Span};
use url::Url;

use crate::ports::{Fault, PortError, Service};

use super::client::{BodyFault, read_body};
use super::shelf::Key;

/// The longest JSON answer that is read, in bytes.
pub const JSON_LIMIT: usize = 2 * 1024 * 1024;

/// Headers in which services number their answers.
const REQUEST_IDS: [&str; 2] = ["x-github-request-id", "request-id"];

/// A request to send.
pub struct Call {
    /// Whom it goes to, for the trace.
    pub service: Service,
    /// The method.
    pub method: Method,
    /// The address. Never traced: it may hold a secret.
    pub url: Url,
    /// What is traced in place of the address: the path with its variable parts by name.
    pub path: &'static str,
    /// Headers beside those of the client.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<Body>,
    /// A time limit for the whole exchange in place of the client's.
    pub within: Option<Duration>,
}

impl Call {
    /// A request without headers and body.
    pub fn new(service: Service, method: Method, url: Url, path: &'static str) -> Self {
        Self { service, method, url, path, headers: HeaderMap::new(), body: None, within: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Adds a JSON body.
    #[must_use]
    pub fn json(mut self, body: &serde_json::Value) -> Self {
        self.headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = Some(Body::from(body.to_string()));
        self
    }

    /// Adds a form as the body.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        self.body = Some(Body::from(body));
        self
    }

    /// Bounds the whole exchange.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = Some(limit);
        self
    }

    /// The call as it is told in the log: method and path, no more.
    pub fn what(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("service", &self.service).field("what", &self.what()).finish_non_exhaustive()
    }
}

/// An answer, read to its end.
#[derive(Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Under what it is kept for the next time, if it is.
    pub kept_as: Option<Key>,
}

impl Answer {
    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The number that the service gave the answer, fit for a log.
    pub fn request_id(&self) -> String {
        request_id(&self.headers)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("length", &self.body.len()).finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFault {
    /// The request certainly never left.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The request may have arrived; no whole answer came.
    #[error("no whole answer: {0}")]
    NoAnswer(String),
    /// The answer is longer than we take, in bytes.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}

impl CallFault {
    /// The fault as a port tells it. A write that was sent may have had its effect.
    pub fn error(&self, service: Service, what: &str, write: bool) -> PortError {
        let fault = match self {
            Self::NotSent(_) => Fault::Unreachable,
            Self::TooLong(_) if !write => Fault::Nonsense,
            Self::NoAnswer(_) | Self::TooLong(_) => Fault::Unclear,
        };
        PortError::new(service, fault, format!("{what}: {self}"))
    }
}

/// The header by which a token is shown. `None`: the token cannot stand in a header, so it is none.
pub fn bearer(token: &SecretString) -> Option<HeaderValue> {
    sensitive(&secrecy::zeroize::Zeroizing::new(format!("Bearer {}", token.expose_secret())))
}

/// The header by which an app shows its own name and secret. `None`: they cannot stand in a header.
pub fn basic(name: &str, secret: &SecretString) -> Option<HeaderValue> {
    let both = secrecy::zeroize::Zeroizing::new(format!("{name}:{}", secret.expose_secret()));
    sensitive(&secrecy::zeroize::Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(both.as_bytes()))))
}

/// A digest of a token, by which what was read with it is told from what was read with another. It does not lead back to the token.
pub fn digest(token: &SecretString) -> [u8; 32] {
    Sha256::digest(token.expose_secret()).into()
}

/// A header value that is never printed.
pub fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Adds the bearer header to a request. `None`: the token is none.
pub fn authorized(mut call: Call, token: &SecretString) -> Option<Call> {
    call.headers.insert(AUTHORIZATION, bearer(token)?);
    Some(call)
}

/// Sends a request and returns as soon as the head of the answer is there.
pub async fn open(client: &Client, call: Call) -> Result<Response, CallFault> {
    let span = span(&call);
    send(client, call).instrument(span).await
}

/// Sends a request and reads the whole answer, at most `limit` bytes of body.
///
/// A refusal (4xx) is an answer even if its body breaks off.
pub async fn exchange(client: &Client, call: Call, limit: usize) -> Result<Answer, CallFault> {
    let span = span(&call);
    async {
        let response = send(client, call).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match read_body(response, limit).await {
            Ok(body) => body,
            Err(_) if status.is_client_error() => Bytes::new(),
            Err(BodyFault::TooLong(limit)) => return Err(CallFault::TooLong(limit)),
            Err(BodyFault::Broken(error)) => return Err(CallFault::NoAnswer(innermost(&error))),
        };
        Ok(Answer { status, headers, body, kept_as: None })
    }
    .instrument(span)
    .await
}

/// Sends a request and reads the beginning of the answer: what goes on after `limit` bytes of body is left.
pub async fn beginning(client: &Client, call: Call, limit: usize) -> Result<Answer, CallFault> {
    let span = span(&call);
    async {
        let response = send(client, call).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = BytesMut::new();
        let mut pieces = response.bytes_stream();
        while body.len() < limit
            && let Some(piece) = pieces.next().await
        {
            body.extend_from_slice(&piece.map_err(|error| CallFault::NoAnswer(innermost(&error.without_url())))?);
        }
        body.truncate(limit);
        Ok(Answer { status, headers, body: body.freeze(), kept_as: None })
    }
    .instrument(span)
    .await
}

fn span(call: &Call) -> Span {
    tracing::info_span!("call", service = ?call.service, method = %call.method, path = call.path, status = Empty, request_id = Empty)
}

async fn send(client: &Client, call: Call) -> Result<Response, CallFault> {
    let mut request = client.request(call.method, call.url).headers(call.headers);
    if let Some(body) = call.body {
        request = request.body(body);
    }
    if let Some(limit) = call.within {
        request = request.timeout(limit);
    }
    let response = request.send().await.map_err(|error| {
        let never_left = error.is_connect() || error.is_builder();
        let told = innermost(&error.without_url());
        tracing::debug!(never_left, "no answer");
        if never_left { CallFault::NotSent(told) } else { CallFault::NoAnswer(told) }
    })?;
    let span = Span::current();
    span.record("status", response.status().as_u16());
    span.record("request_id", request_id(response.headers()));
    tracing::debug!(status = response.status().as_u16(), "answered");
    Ok(response)
}

fn request_id(headers: &HeaderMap) -> String {
    let id = REQUEST_IDS.iter().find_map(|name| headers.get(*name)?.to_str().ok()).unwrap_or("-");
    id.chars().filter(char::is_ascii_graphic).take(100).collect()
}

/// The deepest cause of an error: the outer ones say only that there was one.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    super::scrub::clean(&deepest.to_string(), 200)
}
