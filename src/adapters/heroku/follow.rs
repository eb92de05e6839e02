//! Listening to an output stream: it costs nothing of the allowance, and tells when there is a reason to look.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::poll;
use http::header::{HeaderValue, LOCATION, RANGE};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use reqwest::Response;
use secrecy::ExposeSecret;
use url::Url;

use crate::adapters::http::call::{Call, open};
use crate::adapters::http::retry::{later, retry_after};
use crate::ports::{Follower, Heard, Listener, Service, StreamKey};

use super::streams::{Miss, Place, Streams};

/// How long a stream may be silent before it counts as broken. A quiet one sends a sign of life every ten seconds.
const SILENCE: SignedDuration = SignedDuration::from_secs(45);
/// How long the beginning of an answer may take.
const HEAD: Duration = Duration::from_secs(10);
/// How long one that was listened to without a break is taken for sound: earlier breaks do not count any more.
const SOUND: SignedDuration = SignedDuration::from_secs(30);
/// How often in a row it may break before it counts as not listened to.
const BREAKS: u32 = 3;
/// How long until somebody who found no place tries again, in seconds.
const NO_PLACE: u32 = 10;
/// Running and finished streams lie on different hosts: how often one leads to the other.
const REDIRECTS: usize = 3;
/// What the stream's address is called in the log.
const PATH: &str = "(output stream)";

/// Somebody who listens to the stream of one build or release.
pub(super) struct StreamFollower {
    streams: Arc<Streams>,
    of: String,
    /// A release, which is nearer to its end than a build.
    first: bool,
    open: Option<Open>,
    /// Whether it was told that it is listened to.
    listening: bool,
}

/// A stream that is open.
struct Open {
    response: Response,
    key: StreamKey,
    /// How many bytes of this answer were heard, signs of life included.
    heard: u64,
    since: Timestamp,
    /// When something was last heard.
    last: Timestamp,
    place: Place,
}

/// What became of an attempt to open a stream.
enum Opened {
    Open(Response),
    /// There is nothing beyond what was heard.
    Over,
    Missed(Miss, Option<Timestamp>),
}

/// Why an open stream is not listened to any more.
enum Left {
    Ended,
    Cut,
    Silent,
    /// Somebody else needs the place.
    Evicted,
}

impl fmt::Debug for StreamFollower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamFollower").field("of", &self.of).field("open", &self.open.is_some()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Follower for StreamFollower {
    async fn heard(&mut self) -> Heard {
        let mut listener = self.streams.clock.listener();
        // Whoever waits beside this stands in their wait by then.
        tokio::task::yield_now().await;
        let heard = self.hear(&mut *listener).await;
        self.listening = heard == Heard::Begun;
        listener.turn().await;
        heard
    }
}

impl StreamFollower {
    pub(super) fn new(streams: Arc<Streams>, of: &str, first: bool) -> Self {
        Self { streams, of: of.to_owned(), first, open: None, listening: false }
    }

    async fn hear(&mut self, listener: &mut dyn Listener) -> Heard {
        loop {
            if let Some(open) = &mut self.open {
                let left = listen(&self.streams, &self.of, open, listener).await;
                // From here on it is not known what becomes of it.
                listener.asks();
                self.open = None;
                let miss = match left {
                    Left::Ended => Miss::Ended,
                    Left::Cut => Miss::Cut,
                    Left::Silent => Miss::Silent,
                    Left::Evicted => return Heard::Reason,
                };
                tracing::debug!(of = %self.of, ?miss, "a stream is not listened to any more");
                if self.missed(miss, None) {
                    return Heard::Reason;
                }
            } else if let Some(heard) = self.begin(listener).await {
                return heard;
            }
        }
    }

    /// Remembers a miss; says whether it is a reason to look.
    fn missed(&self, miss: Miss, not_before: Option<Timestamp>) -> bool {
        let now = self.streams.clock.now();
        let known = self.streams.known(&self.of, |known| {
            let news = !known.ended;
            known.missed(miss, now);
            known.rest_until = known.rest_until.max(not_before);
            (news, known.offset, known.misses)
        });
        let Some((news, offset, misses)) = known else { return self.listening };
        match miss {
            Miss::Ended => news || self.listening,
            Miss::Silent => true,
            Miss::NotThere => self.listening || offset > 0 && misses == 1,
            Miss::Cut | Miss::Trouble => self.listening && misses >= BREAKS,
            // A look tells the address anew.
            Miss::Refused => self.listening || misses == 1,
        }
    }

    /// Opens the stream, or waits before that is tried again.
    async fn begin(&mut self, listener: &mut dyn Listener) -> Option<Heard> {
        let clock = Arc::clone(&self.streams.clock);
        let now = clock.now();
        let Some((address, offset, rest)) = self.streams.known(&self.of, |known| (known.address.clone(), known.offset, known.rest_until))
        else {
            listener.rests();
            return std::future::pending().await;
        };
        if let Some(rest) = rest.filter(|rest| now < *rest) {
            pause(&self.streams, rest, listener).await;
            return None;
        }
        let Some(place) = self.streams.place(self.first) else {
            pause(&self.streams, later(now, NO_PLACE).unwrap_or(Timestamp::MAX), listener).await;
            return None;
        };
        match opened(&self.streams, address.expose_secret(), offset).await {
            Opened::Open(response) => {
                let whole = response.status() != StatusCode::PARTIAL_CONTENT;
                self.streams.known(&self.of, |known| {
                    known.ended = false;
                    // It does not go on where it was left, but begins anew.
                    if whole {
                        known.offset = 0;
                    }
                });
                let id = response.headers().get("request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
                let key = StreamKey(id.to_owned());
                self.open = Some(Open { response, key, heard: 0, since: now, last: now, place });
                Some(Heard::Begun)
            }
            Opened::Over => self.missed(Miss::Ended, None).then_some(Heard::Reason),
            Opened::Missed(miss, not_before) => self.missed(miss, not_before).then_some(Heard::Reason),
        }
    }
}

/// Pauses, beside another wait of the clock.
async fn pause(streams: &Streams, until: Timestamp, listener: &mut dyn Listener) {
    let mut pause = pin!(streams.clock.pause_until(until));
    if poll!(pause.as_mut()).is_pending() {
        listener.rests();
        pause.await;
    }
    listener.asks();
}

/// Listens to an open stream for as long as it lasts.
async fn listen(streams: &Streams, of: &str, open: &mut Open, listener: &mut dyn Listener) -> Left {
    // What came while nobody listened is not heard yet: it is no silence.
    open.last = streams.clock.now();
    loop {
        let until = open.last.checked_add(SILENCE).unwrap_or(Timestamp::MAX);
        let mut silence = pin!(streams.clock.wait(open.place.key(), Some(until)));
        if poll!(silence.as_mut()).is_pending() {
            listener.listens(&open.key, open.heard);
            loop {
                let piece = tokio::select! {
                    biased;
                    piece = open.response.chunk() => piece,
                    () = &mut silence => break,
                };
                match piece {
                    Ok(Some(piece)) => {
                        let now = streams.clock.now();
                        open.last = now;
                        open.heard = open.heard.saturating_add(length(piece.len()));
                        // A sign of life is no part of the output.
                        let said = piece.iter().filter(|byte| **byte != 0).count();
                        streams.known(of, |known| {
                            known.offset = known.offset.saturating_add(length(said));
                            if now.duration_since(open.since) >= SOUND {
                                known.misses = 0;
                            }
                        });
                        listener.listens(&open.key, open.heard);
                    }
                    Ok(None) => return Left::Ended,
                    Err(_) => return Left::Cut,
                }
            }
        }
        if open.place.is_evicted() {
            return Left::Evicted;
        }
        if streams.clock.now().duration_since(open.last) >= SILENCE {
            return Left::Silent;
        }
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Opens a stream where it was left.
async fn opened(streams: &Streams, address: &str, offset: u64) -> Opened {
    let safe = |url: Url| Some(url).filter(|url| streams.api.may_lead_to(url));
    let Some(mut url) = Url::parse(address).ok().and_then(safe) else {
        tracing::warn!("a stream has an address that must not be opened");
        return Opened::Missed(Miss::Refused, None);
    };
    for _ in 0..=REDIRECTS {
        let mut call = Call::new(Service::Platform, Method::GET, url.clone(), PATH);
        if offset > 0 {
            call = call.header(RANGE, HeaderValue::from_str(&format!("{offset}-")).unwrap_or(HeaderValue::from_static("0-")));
        }
        let response = match tokio::time::timeout(HEAD, open(&streams.client, call)).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) | Err(_) => return Opened::Missed(Miss::Trouble, None),
        };
        match response.status() {
            // Nothing follows; nothing lies there.
            StatusCode::NO_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => return Opened::Over,
            StatusCode::NOT_FOUND | StatusCode::GONE => return Opened::Missed(Miss::NotThere, None),
            status if status.is_success() => return Opened::Open(response),
            status if status.is_redirection() => {
                let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| url.join(to).ok());
                let Some(to) = to.and_then(safe) else { return Opened::Missed(Miss::Refused, None) };
                url = to;
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Opened::Missed(Miss::Trouble, retry_after(response.headers(), streams.clock.now()));
            }
            _ => return Opened::Missed(Miss::Refused, None),
        }
    }
    Opened::Missed(Miss::Refused, None)
}
