//! The door: takes requests in, lets them go wrong where that was asked for, and sends the answers.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::routing::any;
use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::answer::Answer;
use super::asked::{Asked, Caller, Confined, Scene};
use super::seen::SeenRequest;
use super::world::World;
use super::{Github, advertisement, applications, archive, graph, guard, routes, sign_in};
use crate::sandbox::fault::{Doing, Fault, Limit, cut, date, spoil};

/// No request of a client is longer.
const LONGEST_BODY: usize = 4 << 20;

/// Every path of the interface.
pub(super) fn api(github: Arc<Github>) -> Router {
    Router::new().route("/", any(at_api)).route("/{*path}", any(at_api)).with_state(github)
}

/// Every path of the web and archive host.
pub(super) fn web(github: Arc<Github>) -> Router {
    Router::new().route("/", any(at_web)).route("/{*path}", any(at_web)).with_state(github)
}

async fn at_api(State(github): State<Arc<Github>>, request: Request) -> Response<Body> {
    github.receive(request, Host::Api).await
}

async fn at_web(State(github): State<Arc<Github>>, request: Request) -> Response<Body> {
    github.receive(request, Host::Web).await
}

/// Which of the two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// The interface.
    Api,
    /// Web pages and archives.
    Web,
}

impl Github {
    async fn receive(&self, request: Request, host: Host) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, LONGEST_BODY).await else { return cut() };
        let asked = Asked::new(parts, body);
        let (place, fault) = self.note(&asked);
        let Some(fault) = fault else { return self.send(place, self.work_now(host, &asked)) };
        match fault.doing() {
            Doing::Now => {
                let (answer, charged) = self.work_now(host, &asked);
                let heard = !matches!(fault, Fault::CutAfter | Fault::TimedOut { .. });
                self.lock().settle(place, if heard { answer.status } else { 0 }, charged);
                spoil(&fault, whole(&answer), &self.clock).await
            }
            Doing::Late(seconds) => {
                let now = self.now();
                self.lock().late.add(now, seconds, (host, asked));
                cut()
            }
            Doing::Never if fault == Fault::Hang => {
                let mut gate = self.gate.subscribe();
                // An error would mean that the sender is gone, and it lives as long as `self`.
                if gate.changed().await.is_err() {
                    return cut();
                }
                self.send(place, self.work_now(host, &asked))
            }
            Doing::Never => {
                let refusal = self.refusal(&asked, &fault);
                let mut response = spoil(&fault, whole(&refusal), &self.clock).await;
                if !matches!(fault, Fault::CutBefore | Fault::TimedOut { .. }) {
                    self.lock().settle(place, response.status().as_u16(), false);
                    if let Ok(id) = HeaderValue::try_from(request_id(place)) {
                        response.headers_mut().insert("x-github-request-id", id);
                    }
                }
                response
            }
        }
    }

    /// What the service itself says where a fault is a refusal of its own.
    fn refusal(&self, asked: &Asked, fault: &Fault) -> Answer {
        if let Fault::RateLimited { retry_after, limit } = fault {
            return self.limited(asked, *retry_after, *limit);
        }
        if *fault == Fault::TokenRefused {
            return advertisement::refused(asked).unwrap_or_else(|| Answer::error(401, "Bad credentials"));
        }
        Answer::empty(500)
    }

    fn work_now(&self, host: Host, asked: &Asked) -> (Answer, bool) {
        let now = self.now();
        self.work(&mut self.lock(), host, asked, now)
    }

    /// Does what was asked. Says whether it counts against the hourly limit.
    pub(super) fn work(&self, world: &mut World, host: Host, asked: &Asked, now: Timestamp) -> (Answer, bool) {
        let (answer, charged) = match host {
            Host::Api => self.api_answer(world, asked, now),
            Host::Web => (self.web_answer(world, asked, now), false),
        };
        (answer.with("date", date(now)), charged)
    }

    /// Keeps the request in mind and looks whether it is to go wrong.
    fn note(&self, asked: &Asked) -> (usize, Option<Fault>) {
        let mut world = self.lock();
        let shown = asked.shown();
        let place = world.requests.len();
        let (method, body) = (asked.method.clone(), asked.body.clone());
        world.requests.push(SeenRequest { method, path: shown.clone(), body, status: 0, charged: false });
        // The pages of the sign-in take forms.
        if !asked.reads()
            && !asked.body.is_empty()
            && !asked.path.starts_with("/login/oauth/")
            && !asked.header("content-type").is_some_and(|kind| kind.starts_with("application/json"))
        {
            world.violations.push(format!("{} {shown}: the body is not sent as application/json", asked.method));
        }
        if guard::user_agent(asked).is_err() {
            world.violations.push(format!("{} {shown}: no User-Agent", asked.method));
        }
        let fault = world.faults.take(&asked.method, &shown);
        (place, fault)
    }

    fn send(&self, place: usize, (answer, charged): (Answer, bool)) -> Response<Body> {
        self.lock().settle(place, answer.status, charged);
        if let Some(archive) = answer.archive.clone() {
            return response(&answer, Body::from_stream(stream::iter(archive.map(io::Result::Ok))));
        }
        let body = Body::from(answer.body.clone());
        response(&answer, body)
    }

    fn limited(&self, asked: &Asked, retry_after: Option<u32>, limit: Limit) -> Answer {
        let answer = advertisement::limited(asked).unwrap_or_else(|| self.limited_at_api(asked, limit));
        match retry_after {
            Some(seconds) if answer.status != 401 => answer.with("retry-after", seconds.to_string()),
            Some(_) | None => answer,
        }
    }

    fn limited_at_api(&self, asked: &Asked, limit: Limit) -> Answer {
        let now = self.now();
        let mut world = self.lock();
        let caller = match guard::caller(&world, asked, now) {
            Ok(caller) => caller,
            Err(refused) => return refused,
        };
        let mut answer = match limit {
            Limit::Primary => guard::exhausted(&caller),
            Limit::Secondary => guard::too_fast(403),
            Limit::SecondaryAs429 => guard::too_fast(429),
        };
        answer.headers.extend(guard::limit_headers(&mut world, &caller.token, now, limit == Limit::Primary));
        answer
    }

    /// The answer of the interface, and whether it counts against the hourly limit.
    fn api_answer(&self, world: &mut World, asked: &Asked, now: Timestamp) -> (Answer, bool) {
        if let Err(refused) = guard::user_agent(asked) {
            return (refused, false);
        }
        if asked.segments.first().is_some_and(|first| first == "applications") {
            return (applications::answer(world, asked, &self.api, &self.web), false);
        }
        let id = request_id(world.requests.len());
        let (version, caller) = match guard::version(asked).and_then(|version| Ok((version, guard::caller(world, asked, now)?))) {
            Ok(passed) => passed,
            Err(refused) => {
                world.answers.note(&asked.method, &asked.path, refused.status, &refused.body);
                return (refused.with("x-github-request-id", id), false);
            }
        };
        let (budget, limit) = guard::budget(world, &caller.token);
        budget.turn(now);
        let free = asked.segments.first().is_some_and(|first| first == "rate_limit");
        let spent = budget.used >= limit && !free;
        let scene = Scene { api: &self.api, web: &self.web, now, caller: &caller, newer: version != guard::VERSIONS[0], asked };
        let too_much = guard::creates_too_much(world, &caller.token, asked, now).filter(|_| !spent);
        let answer = if spent {
            guard::exhausted(&caller)
        } else if let Some(seconds) = too_much {
            guard::too_fast(403).with("retry-after", seconds.to_string())
        } else {
            let (Ok(answer) | Err(answer)) = routes::answer(world, &scene);
            answer
        };
        world.answers.note(&asked.method, &asked.path, answer.status, &answer.body);
        let answer = cached(answer, &caller, asked);
        let charged = !free && !spent && answer.status != 501 && (answer.status != 304 || caller.login.is_none());
        if charged {
            let (budget, _) = guard::budget(world, &caller.token);
            budget.used = budget.used.saturating_add(1);
        }
        let mut answer = answer.with("x-github-request-id", id).with("x-github-api-version-selected", version);
        answer = answer.with("x-github-media-type", "github.v3; format=json");
        answer.headers.extend(guard::limit_headers(world, &caller.token, now, spent));
        if caller.login.is_some() && !caller.token.starts_with("github_pat_") && !caller.token.starts_with("ghu_") {
            let scopes = match &caller.confined {
                Some(Confined::Scopes(scopes)) => scopes.iter().cloned().collect::<Vec<_>>().join(", "),
                Some(Confined::Owners(_)) | None => "repo".to_owned(),
            };
            answer = answer.with("x-oauth-scopes", scopes).with("x-accepted-oauth-scopes", "repo");
        }
        (answer, charged)
    }

    /// The answer of the web host: nothing there counts against the hourly limit.
    fn web_answer(&self, world: &mut World, asked: &Asked, now: Timestamp) -> Answer {
        if let Some(answer) = sign_in::answer(world, asked, now).or_else(|| advertisement::answer(world, &self.web, asked, now)) {
            return answer;
        }
        if asked.header("authorization").is_some() {
            world.violations.push(format!("{} {}: Authorization sent to the archive host", asked.method, asked.shown()));
        }
        archive::from_web(world, asked, now)
    }
}

impl World {
    fn settle(&mut self, place: usize, status: u16, charged: bool) {
        if let Some(request) = self.requests.get_mut(place) {
            request.status = status;
            request.charged = charged;
        }
    }
}

fn request_id(number: usize) -> String {
    format!("0F0F:{number:04X}:00C0FFEE:00C0FFEE:6500{number:04X}")
}

/// Gives the answer of a read its `ETag`, which depends on token and `Accept`, and answers 304 where the caller has it.
fn cached(answer: Answer, caller: &Caller, asked: &Asked) -> Answer {
    if answer.status != 200 || !asked.reads() {
        return answer;
    }
    let own = answer.headers.iter().find(|(name, _)| name == "etag").map(|(_, value)| value.clone());
    let tag = own.clone().unwrap_or_else(|| {
        let mut digest = Sha256::new();
        for part in [caller.token.as_bytes(), asked.header("accept").unwrap_or_default().as_bytes(), &answer.body] {
            digest.update(part);
            digest.update([0]);
        }
        format!("W/\"{}\"", graph::hex(&digest.finalize()))
    });
    let known = asked.header("if-none-match").is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag));
    let mut answer = if known { Answer::empty(304) } else { answer };
    if known || own.is_none() {
        answer = answer.with("etag", tag);
    }
    answer.with("cache-control", "private, max-age=60, s-maxage=60").with("vary", "Accept, Authorization, Cookie, X-GitHub-OTP")
}

/// An answer in one piece, also where it is an archive.
fn whole(answer: &Answer) -> Response<Bytes> {
    let (head, _) = response(answer, Body::empty()).into_parts();
    let body = match answer.archive.clone() {
        Some(archive) => Bytes::from(archive.flatten().collect::<Vec<u8>>()),
        None => answer.body.clone(),
    };
    Response::from_parts(head, body)
}

fn response(answer: &Answer, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
