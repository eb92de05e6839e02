//! Faults on demand: what goes wrong with the next requests.

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::{StreamExt, stream};

use super::state::World;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This answer instead; nothing is done.
    Status {
        /// The status.
        code: u16,
        /// The body.
        body: String,
        /// The body's type.
        content_type: String,
        /// More headers.
        headers: Vec<(String, String)>,
    },
    /// 429, as when the account's calls are used up; nothing is done.
    RateLimited {
        /// Seconds to say in `Retry-After`; the real one says nothing.
        retry_after: Option<u32>,
    },
    /// The connection closes without an answer; nothing is done.
    CutBefore,
    /// The work is done, then the connection closes without an answer.
    CutAfter,
    /// No answer, until [`super::Heroku::let_go_hanging`]; nothing is done.
    Hang,
    /// The work is done, the answer breaks off in the middle.
    TruncatedBody,
}

/// When something goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// Only requests of this method; `None`: of any.
    pub method: Option<String>,
    /// Only requests whose path (without query) contains this; on every server.
    pub path_contains: String,
    /// How many requests it strikes.
    pub times: u32,
    /// What goes wrong.
    pub fault: Fault,
}

impl World {
    /// The fault that strikes a request, if any.
    pub(super) fn take_fault(&mut self, method: &str, path: &str) -> Option<Fault> {
        let rule = self.faults.iter_mut().find(|rule| {
            rule.times > 0
                && rule.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
                && path.contains(&rule.path_contains)
        })?;
        rule.times -= 1;
        Some(rule.fault.clone())
    }
}

/// An answer whose body fails before its first byte: the server closes the connection before it has written anything.
pub(super) fn cut() -> Response {
    Response::new(broken_after(None))
}

/// The same answer with only the first half of its body, then a broken connection. Bodies of one byte lose it.
pub(super) fn truncate(answer: &mut Response, body: &Bytes) {
    let half = body.slice(..body.len() / 2);
    answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len().max(1)));
    *answer.body_mut() = broken_after(Some(half));
}

/// A body that sends `start`, if there is one, and fails once that is out.
pub(super) fn broken_after(start: Option<Bytes>) -> Body {
    let end = stream::once(async { Err::<Bytes, std::io::Error>(std::io::Error::other("cut on demand")) });
    let Some(start) = start.filter(|start| !start.is_empty()) else { return Body::from_stream(end) };
    // Without the pause, the server would drop what it has not written yet.
    let written = stream::once(tokio::task::yield_now()).filter_map(|()| std::future::ready(None));
    Body::from_stream(stream::iter([Ok(start)]).chain(written).chain(end))
}

/// The answer that a [`Fault::Status`] asks for.
pub(super) fn answer_of(code: u16, body: String, content_type: &str, headers: &[(String, String)]) -> Response {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = HeaderValue::from_str(content_type) {
        answer.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}
