//! Side A: a server that must be asked exactly what was recorded, in order, and answers what was recorded.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Response, StatusCode};
use axum::routing::any;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use slash_heroku::domain::fault::{Fault, PortError};
use slash_heroku::ports::{Clock, WakeKey};
use slash_heroku::sandbox::serve::Servers;

use super::recordings::Recording;
use super::recordings_bodies as bodies;

/// The headers of requests that matter: each is as recorded, or is not there.
const HEADERS: [&str; 9] = [
    "accept",
    "authorization",
    "content-type",
    "cookie",
    "heroku-two-factor-code",
    "if-none-match",
    "range",
    "x-github-api-version",
    "content-length",
];

/// What stands for the token in recordings, while they are replayed.
pub const TOKEN: &str = "the-token-of-ana";

/// The moment at which recordings are replayed.
pub const NOW: &str = "2026-11-20T10:00:00Z";

/// A clock that stands at [`NOW`] until somebody pauses.
#[derive(Debug)]
pub struct Jumping(Mutex<Timestamp>);

impl Jumping {
    /// Stands.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(NOW.parse().unwrap())))
    }
}

#[async_trait]
impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn wait(&self, key: WakeKey, until: Option<Timestamp>) {
        // Whoever listens gives up after a while, which never comes.
        if let WakeKey::Pause(_) = key {
            return std::future::pending().await;
        }
        if let Some(until) = until {
            self.pause_until(until).await;
        }
    }

    fn wake(&self, _: WakeKey) {}

    async fn pause_until(&self, until: Timestamp) {
        let mut now = self.0.lock().unwrap();
        *now = until.max(*now);
    }
}

/// What is still to come, and what was wrong.
#[derive(Debug, Default)]
struct Script {
    left: VecDeque<Recording>,
    wrong: Vec<String>,
}

/// The hosts of a service, on loopback.
pub struct Replay {
    addresses: BTreeMap<&'static str, String>,
    script: Arc<Mutex<Script>>,
    _servers: Servers,
}

impl Replay {
    /// Opens a server for each host.
    pub async fn of(hosts: &[&'static str], recordings: impl IntoIterator<Item = Recording>) -> Self {
        let servers = Servers::default();
        let script = Arc::new(Mutex::new(Script { left: recordings.into_iter().collect(), wrong: Vec::new() }));
        let mut opened = Vec::new();
        for host in hosts {
            let (listener, address) = Servers::listen(0).await.unwrap();
            opened.push((*host, listener, format!("http://{address}")));
        }
        let addresses: BTreeMap<&'static str, String> = opened.iter().map(|(host, _, address)| (*host, address.clone())).collect();
        for (host, listener, _) in opened {
            let (script, addresses) = (Arc::clone(&script), addresses.clone());
            let answer = move |request: Request| answer(host, Arc::clone(&script), addresses.clone(), request);
            servers.serve(listener, Router::new().route("/", any(answer.clone())).route("/{*path}", any(answer)));
        }
        Self { addresses, script, _servers: servers }
    }

    /// The address of a host.
    pub fn at(&self, host: &str) -> &str {
        &self.addresses[host]
    }

    /// What was not as recorded.
    pub fn wrong(&self) -> Vec<String> {
        let script = self.script.lock().unwrap();
        let left = script.left.iter().map(|recording| format!("never asked what {} recorded", recording.name));
        script.wrong.iter().cloned().chain(left).collect()
    }
}

/// A text with the addresses of the hosts in their places.
pub fn filled(text: &str, addresses: &BTreeMap<&'static str, String>) -> String {
    addresses.iter().fold(with_token(text, TOKEN), |text, (host, address)| text.replace(&format!("{{{host}}}"), address))
}

/// A text with the token in its places: as it is, or as git is shown it.
pub fn with_token(text: &str, token: &str) -> String {
    text.replace("{token}", token).replace("{token for git}", &BASE64_STANDARD.encode(format!("x-access-token:{token}")))
}

async fn answer(
    host: &'static str,
    script: Arc<Mutex<Script>>,
    addresses: BTreeMap<&'static str, String>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 24).await.unwrap_or_default();
    let mut script = script.lock().unwrap();
    let asked = format!("{} {host} {}", parts.method, parts.uri);
    let Some(recording) = script.left.pop_front() else {
        script.wrong.push(format!("asked {asked} when nothing was left"));
        return status(418);
    };
    let fill = |text: &str| filled(text, &addresses);
    let wanted = &recording.request;
    let query = parts.uri.query().unwrap_or_default();
    let mut wrong = Vec::new();
    let mut same = |what: &str, found: String, wanted: String| {
        if found != wanted {
            wrong.push(format!("{}: {what} is\n  {found}\nin place of\n  {wanted}", recording.name));
        }
    };
    same(
        "the request",
        format!("{} {host} {}", parts.method, parts.uri.path()),
        format!("{} {} {}", wanted.method, wanted.host, wanted.path),
    );
    same("the query", query.to_owned(), wanted.query.clone());
    for header in HEADERS {
        let found = text(&parts.headers, header).filter(|_| header != "content-length" || wanted.headers.contains_key(header));
        same(
            header,
            found.unwrap_or_else(|| "none".to_owned()),
            wanted.headers.get(header).map_or_else(|| "none".to_owned(), |text| fill(text)),
        );
    }
    let agent = text(&parts.headers, "user-agent").unwrap_or_default();
    // GitHub speaks git only to clients whose name begins so.
    let ours = agent.strip_prefix(if host == "git" { "git/" } else { "" }).unwrap_or_default();
    same("the user agent", ours.split('/').next().unwrap_or_default().to_owned(), "slash-heroku".to_owned());
    let found = bodies::recorded(&body, text(&parts.headers, "content-type").as_deref());
    same("the body", format!("{found:#}"), fill(&format!("{:#}", wanted.body)));
    let unknown: Vec<_> = wanted.headers.keys().filter(|header| !HEADERS.contains(&header.as_str())).collect();
    same("headers that do not matter", format!("{unknown:?}"), "[]".to_owned());
    script.wrong.extend(wrong);
    let mut response = status(recording.response.status);
    for (name, value) in &recording.response.headers {
        response.headers_mut().append(name.parse::<HeaderName>().unwrap(), fill(value).parse().unwrap());
    }
    *response.body_mut() = Body::from(recording.response.bytes(fill));
    response
}

fn status(code: u16) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// What came of a call, as recordings say it.
pub fn outcome<T>(result: Result<T, PortError>, meaning: impl FnOnce(T) -> Value) -> Value {
    match result {
        Ok(value) => json!({ "ok": meaning(value) }),
        Err(error) => json!({ "fault": fault(&error) }),
    }
}

/// A fault, with everything that is told of it but the words for the log.
pub fn fault(error: &PortError) -> Value {
    let (name, until) = match error.fault {
        Fault::RateLimited { until } => ("RateLimited".to_owned(), until.map(|until| until.to_string())),
        other => (format!("{other:?}"), None),
    };
    json!({ "is": name, "until": until, "said": error.said, "mend_at": error.mend_at })
}
