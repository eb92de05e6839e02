//! How calls of the simulated services go wrong: one list of faults for all of them, and what a fault makes of an answer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use crate::ports::{Clock, WakeKey};

/// How long a call may go without its answer before the simulator hangs up: longer than any caller waits. On a stepped clock no
/// caller's own limit runs out.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The media type of an answer that was put in the place of the real one.
pub(super) const JSON: &str = "application/json; charset=utf-8";

/// How a call goes wrong. Where it is not said that the work is done, nothing is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This answer instead of the real one.
    Status {
        /// The HTTP status.
        code: u16,
        /// The body.
        body: String,
        /// Its media type.
        content_type: String,
        /// More headers.
        headers: Vec<(String, String)>,
    },
    /// Too many calls, in the words of the service.
    RateLimited {
        /// Seconds to wait, told in `Retry-After`; not everybody says.
        retry_after: Option<u32>,
        /// Which of GitHub's limits; the others have one.
        limit: Limit,
    },
    /// The token is not taken, in the words of the service.
    TokenRefused,
    /// An error with this name, as Slack has them.
    Named(String),
    /// The connection is closed without an answer.
    CutBefore,
    /// The work is done, then the connection is closed without an answer: the reply is lost.
    CutAfter,
    /// The work is done, and half the answer's body arrives before the connection is closed.
    CutWithin,
    /// No answer for longer than anybody waits.
    TimedOut {
        /// Whether the work is done all the same, when the call comes in.
        done: bool,
    },
    /// The connection is closed without an answer, and the work is done this many seconds later.
    DoneLate(u32),
    /// The work is done, and the answer drips byte by byte, for longer than anybody waits.
    Drips,
    /// The work is done, and the answer is whole by its length and stops in mid-JSON.
    TruncatedJson,
    /// The work is done, and the answer is JSON of another shape.
    OtherJson,
    /// Something on the way answers with 200 and a page.
    NotJson,
    /// No answer until hanging calls are let go.
    Hang,
}

/// A limit on requests, as GitHub has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The allowance of the hour: 403, and nothing remains until it turns.
    Primary,
    /// The limit on bursts: 403, and the allowance is untouched.
    Secondary,
    /// The same in the status that is made for it: 429.
    SecondaryAs429,
}

/// Whether the work of a call is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// As always.
    Now,
    /// Not at all.
    Never,
    /// This many seconds later.
    Late(u32),
}

impl Fault {
    /// An error status with a body that the service's clients can read.
    pub fn status(code: u16) -> Self {
        let body = r#"{"id":"unavailable","message":"made to fail"}"#.to_owned();
        Self::Status { code, body, content_type: JSON.to_owned(), headers: Vec::new() }
    }

    /// An error status from something on the way to the service, which speaks in pages.
    pub fn page(code: u16) -> Self {
        let body = format!("<html><head><title>{code}</title></head><body><h1>made to fail</h1></body></html>");
        Self::Status { code, body, content_type: "text/html".to_owned(), headers: Vec::new() }
    }

    /// Whether the work of the call is done, now or later, and its caller gets no answer that says so.
    pub fn may_be_done(&self) -> bool {
        self.doing() != Doing::Never
    }

    /// Whether the work of the call is done.
    pub(super) fn doing(&self) -> Doing {
        match self {
            Self::Status { .. }
            | Self::RateLimited { .. }
            | Self::TokenRefused
            | Self::Named(_)
            | Self::CutBefore
            | Self::TimedOut { done: false }
            | Self::NotJson
            | Self::Hang => Doing::Never,
            Self::CutAfter | Self::CutWithin | Self::TimedOut { done: true } | Self::Drips | Self::TruncatedJson | Self::OtherJson => {
                Doing::Now
            }
            Self::DoneLate(seconds) => Doing::Late(*seconds),
        }
    }
}

/// Which calls go wrong, how often, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// Only calls of this method; `None`: of any.
    pub method: Option<String>,
    /// Only calls whose path contains this. With `$` at its end the path (without the query) has to end so, and `*` is any one
    /// part of it. Links to archives contain `legacy.tar.gz`.
    pub path_contains: String,
    /// How many such calls come first that this rule leaves alone.
    pub spared: u32,
    /// How many calls; then the rule is over.
    pub times: u32,
    /// How they go wrong.
    pub fault: Fault,
}

impl FaultRule {
    fn strikes(&self, method: &str, path: &str) -> bool {
        let by_method = self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        let by_path = match self.path_contains.strip_suffix('$') {
            None => path.contains(&self.path_contains),
            Some(end) => {
                let path = path.split('?').next().unwrap_or_default();
                let (mut end, mut parts) = (end.rsplit('/'), path.rsplit('/'));
                end.all(|wanted| parts.next().is_some_and(|part| wanted == "*" || wanted == part || wanted.is_empty()))
            }
        };
        self.times > 0 && by_method && by_path
    }
}

/// How many calls a rule has made go wrong: told on after the rule is over or was taken back, too.
#[derive(Clone, Debug, Default)]
pub struct Strikes(Arc<AtomicU32>);

impl Strikes {
    /// How many, up to now.
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The faults that are to come.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(FaultRule, Strikes)>);

impl Faults {
    pub(super) fn add(&mut self, rule: FaultRule) -> Strikes {
        let strikes = Strikes::default();
        self.0.push((rule, strikes.clone()));
        strikes
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault of this call, if it has one; uses up one time of its rule. The rule that was added first and fits wins.
    pub(super) fn take(&mut self, method: &str, path: &str) -> Option<Fault> {
        let mut fault = None;
        for (rule, strikes) in self.0.iter_mut().filter(|(rule, _)| rule.strikes(method, path)) {
            if rule.spared > 0 {
                rule.spared = rule.spared.saturating_sub(1);
                continue;
            }
            if fault.is_none() {
                rule.times = rule.times.saturating_sub(1);
                strikes.0.fetch_add(1, Ordering::SeqCst);
                fault = Some(rule.fault.clone());
            }
        }
        self.0.retain(|(rule, _)| rule.times > 0);
        fault
    }
}

/// Work that is done later than its caller knows.
#[derive(Debug)]
pub(super) struct Late<W>(Vec<(Timestamp, W)>);

impl<W> Default for Late<W> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<W> Late<W> {
    pub(super) fn add(&mut self, now: Timestamp, seconds: u32, work: W) {
        let at = now.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX);
        self.0.push((at, work));
        self.0.sort_by_key(|(at, _)| *at);
    }

    /// The next work that was due by `now`, and when.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<(Timestamp, W)> {
        self.0.first().is_some_and(|(at, _)| *at <= now).then(|| self.0.remove(0))
    }
}

/// What is sent to the caller in place of `answer`, which is the real one where the work was done, and the service's own refusal
/// where the fault is one.
pub(super) async fn spoil(fault: &Fault, answer: Response<Bytes>, clock: &Arc<dyn Clock>) -> Response<Body> {
    match fault {
        Fault::Status { code, body, content_type, headers } => instead(*code, body, content_type, headers),
        Fault::NotJson => instead(200, "<html><body>We will be back soon.</body></html>", "text/html", &[]),
        Fault::RateLimited { .. } | Fault::TokenRefused | Fault::Named(_) => answer.map(Body::from),
        Fault::CutBefore | Fault::CutAfter | Fault::DoneLate(_) | Fault::Hang => cut(),
        Fault::TimedOut { .. } => {
            wait(clock.as_ref(), PATIENCE).await;
            cut()
        }
        Fault::CutWithin => {
            let (mut answer, body) = with_length(answer, None);
            *answer.body_mut() = broken_after(Some(body.slice(..body.len() / 2)));
            answer
        }
        Fault::TruncatedJson => {
            let length = answer.body().len() / 2;
            let (mut answer, body) = with_length(answer, Some(length));
            *answer.body_mut() = Body::from(body.slice(..length));
            answer
        }
        Fault::OtherJson => {
            let other = Bytes::from_static(br#"{"something":["else",null,{"id":{}}],"of":true}"#);
            let (mut answer, _) = with_length(answer, Some(other.len()));
            answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
            *answer.body_mut() = Body::from(other);
            answer
        }
        Fault::Drips => {
            let (mut answer, body) = with_length(answer, None);
            *answer.body_mut() = dripping(body, Arc::clone(clock));
            answer
        }
    }
}

/// An answer whose body fails before its first byte: the server closes the connection before it has written anything.
pub(super) fn cut() -> Response<Body> {
    Response::new(broken_after(None))
}

/// A body that sends `start`, if there is one, and fails once that is out.
pub(super) fn broken_after(start: Option<Bytes>) -> Body {
    let end = stream::once(async { Err::<Bytes, io::Error>(io::Error::other("cut on demand")) });
    let Some(start) = start.filter(|start| !start.is_empty()) else { return Body::from_stream(end) };
    // Without the pause, the server would drop what it has not written yet.
    let written = stream::once(tokio::task::yield_now()).filter_map(|()| std::future::ready(None));
    Body::from_stream(stream::iter([Ok(start)]).chain(written).chain(end))
}

/// A byte each second until nobody waits any more; then the connection is closed, however much is left.
fn dripping(body: Bytes, clock: Arc<dyn Clock>) -> Body {
    let drops = usize::try_from(PATIENCE.as_secs()).unwrap_or(usize::MAX).min(body.len().saturating_sub(1));
    let stretch = PATIENCE.checked_div(u32::try_from(drops).unwrap_or(1).max(1)).unwrap_or(PATIENCE);
    Body::from_stream(stream::unfold(Some(0_usize), move |place| {
        let (clock, body) = (Arc::clone(&clock), body.clone());
        async move {
            let place = place?;
            if place >= drops {
                if drops == 0 {
                    wait(clock.as_ref(), PATIENCE).await;
                }
                return Some((Err(io::Error::other("too slow")), None));
            }
            wait(clock.as_ref(), stretch).await;
            Some((Ok(body.slice(place..=place)), Some(place.saturating_add(1))))
        }
    }))
}

/// Waits in the time of the world, while a caller waits for its answer.
async fn wait(clock: &dyn Clock, time: Duration) {
    static PAUSES: AtomicU64 = AtomicU64::new(1 << 63);
    let until = SignedDuration::try_from(time).ok().and_then(|time| clock.now().checked_add(time).ok());
    clock.wait(WakeKey::Pause(PAUSES.fetch_add(1, Ordering::Relaxed)), until).await;
}

/// What a clock shows that is `ahead`.
pub(super) fn skewed(now: Timestamp, ahead: SignedDuration) -> Timestamp {
    now.checked_add(ahead).unwrap_or(now)
}

/// A time as the `Date` header has it.
pub(super) fn date(now: Timestamp) -> String {
    now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn instead(code: u16, body: &str, content_type: &str, headers: &[(String, String)]) -> Response<Body> {
    let mut answer = Response::new(Body::from(body.to_owned()));
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

/// The head of an answer that says how long its body is, and the body. Bodies of one byte lose it where they are cut.
fn with_length(answer: Response<Bytes>, length: Option<usize>) -> (Response<Body>, Bytes) {
    let (head, body) = answer.into_parts();
    let mut answer = Response::from_parts(head, Body::empty());
    answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length.unwrap_or(body.len().max(1))));
    (answer, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(path: &str) -> FaultRule {
        FaultRule { method: None, path_contains: path.to_owned(), spared: 0, times: 1, fault: Fault::CutBefore }
    }

    #[test]
    fn rules_strike_what_they_name() {
        assert!(rule("builds").strikes("GET", "/apps/a/builds/b"));
        assert!(!rule("/builds$").strikes("GET", "/apps/a/builds/b"));
        assert!(rule("/builds/*$").strikes("GET", "/apps/a/builds/b?x=/y"));
        assert!(!rule("/builds/*$").strikes("GET", "/apps/a/builds"));
        assert!(rule("/repos/acme/hubot$").strikes("GET", "/repos/acme/hubot"));
        assert!(!rule("/repos/acme/hubot$").strikes("GET", "/repos/acme/hubot2"));
        assert!(!FaultRule { method: Some("POST".to_owned()), ..rule("builds") }.strikes("GET", "/builds"));
    }

    #[test]
    fn a_rule_is_over_after_its_times_and_late_work_comes_in_order() {
        let mut faults = Faults::default();
        faults.add(FaultRule { times: 2, ..rule("a") });
        assert_eq!([0, 1, 2].map(|_| faults.take("GET", "/a").is_some()), [true, true, false]);
        let (now, mut late) = (Timestamp::UNIX_EPOCH, Late::default());
        late.add(now, 30, 'b');
        late.add(now, 10, 'a');
        assert_eq!(late.due(now), None);
        let after = now + SignedDuration::from_secs(60);
        let due: Vec<(i64, char)> = std::iter::from_fn(|| late.due(after)).map(|(at, work)| (at.as_second(), work)).collect();
        assert_eq!(due, [(10, 'a'), (30, 'b')]);
    }

    #[test]
    fn a_rule_leaves_the_first_calls_alone_and_counts_its_strikes() {
        let mut faults = Faults::default();
        let first = faults.add(FaultRule { fault: Fault::CutAfter, ..rule("a") });
        let later = faults.add(FaultRule { spared: 1, ..rule("a") });
        let other = faults.add(rule("b"));
        let struck = [0, 1, 2].map(|_| faults.take("GET", "/a"));
        assert_eq!(struck, [Some(Fault::CutAfter), Some(Fault::CutBefore), None]);
        faults.clear();
        assert_eq!([first, later, other].map(|strikes| strikes.count()), [1, 1, 0]);
    }
}
