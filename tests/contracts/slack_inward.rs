//! Recordings of what Slack asks of us: the treaty with its sides exchanged. Our door, asked what was recorded, must answer exactly that and
//! hand in what the file says it means; the simulated workspace, in which somebody types or presses, must ask alike.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Response, StatusCode};
use axum::routing::any;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::Sha256;
use slash_heroku::adapters::slack::{Sealer, SlackInbound, router};
use slash_heroku::domain::actor::Origin;
use slash_heroku::domain::form::{Draft, FieldName, Form, Objection, Suggestion, Topic};
use slash_heroku::domain::names::{AppId, AppName, RefName};
use slash_heroku::domain::pipeline::{App, Environment, PipelineKey};
use slash_heroku::domain::speech::{self, KnownOfPipeline};
use slash_heroku::ports::{Clock, Hears, Inbox, Incoming, Submitted};
use slash_heroku::sandbox::serve::Servers;
use slash_heroku::sandbox::slack::ServiceAddress;
use slash_heroku::testing::inbox::Kept;
use slash_heroku::testing::installation_store::Heard;

use super::recordings::{self, Recording};
use super::recordings_bodies as bodies;
use super::recordings_replay::{Jumping, NOW, TOKEN};
use super::recordings_simulated::{Got, Stage, differences, faults_of};
use super::shapes::Shapes;
use super::slack_states::workspace;

const SIGNING_SECRET: &str = "the-signing-secret-of-the-app";

/// What requests are signed with while they are replayed.
pub fn signing_secret() -> SecretString {
    SecretString::from(SIGNING_SECRET)
}

/// The signature of a body that is sent at a second, by the scheme `v0`.
fn signature(second: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_SECRET.as_bytes()).unwrap();
    mac.update(format!("v0:{second}:{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={hex}")
}

/// What takes requests, and knows what may stand in forms.
#[derive(Debug)]
struct Knowing {
    inbox: Arc<Kept>,
    asked: Mutex<Vec<Value>>,
}

#[async_trait]
impl Inbox for Knowing {
    async fn submit(&self, incoming: Incoming) -> Submitted {
        self.inbox.submit(incoming).await
    }

    async fn suggest(&self, by: &Origin, topic: &Topic, field: FieldName) -> Vec<Suggestion> {
        self.asked.lock().unwrap().push(json!({ "person": by.person, "topic": topic, "field": field.as_str() }));
        ["hubot", "shop"].map(Suggestion::plain).into()
    }

    async fn looked_at(&self, page_of: &Origin) -> bool {
        self.asked.lock().unwrap().push(json!({ "person": page_of.person, "conversation": page_of.channel }));
        true
    }

    async fn next_form(&self, by: &Origin, pipeline: &PipelineKey, draft: &Draft) -> Result<Form, Vec<Objection>> {
        self.asked.lock().unwrap().push(json!({ "person": by.person, "pipeline": pipeline, "draft": draft }));
        let app = |environment: Environment| {
            let name = format!("hubot-{environment}");
            App { id: AppId::parse(&name).unwrap(), name: AppName::parse(&name).unwrap(), environment, web_url: None }
        };
        let apps = [Environment::Staging, Environment::Production].map(app).into();
        let known = KnownOfPipeline { default_branch: Some(RefName::parse("main").unwrap()), apps };
        Ok(speech::ship_from_form(pipeline, draft, &known))
    }
}

/// The way in from Slack, served, and what comes in by it.
pub struct Door {
    pub inbox: Arc<Kept>,
    pub heard: Arc<Heard>,
    asked: Arc<Knowing>,
    address: String,
    _servers: Servers,
}

impl Door {
    /// What takes everything.
    pub fn accepts() -> Arc<Kept> {
        Kept::saying(Submitted::Accepted)
    }

    /// Opens it.
    pub async fn at(sealer: &Arc<Sealer>, inbox: Arc<Kept>) -> Self {
        let servers = Servers::default();
        let (listener, address) = Servers::listen(0).await.unwrap();
        let heard = Arc::new(Heard::default());
        let asked = Arc::new(Knowing { inbox: Arc::clone(&inbox), asked: Mutex::default() });
        let inbound = SlackInbound {
            secrets: vec![signing_secret()],
            inbox: Arc::<Knowing>::clone(&asked) as Arc<dyn Inbox>,
            hears: Arc::<Heard>::clone(&heard) as Arc<dyn Hears>,
            clock: Jumping::new(),
            sealer: Arc::clone(sealer),
            command_word: "/h".to_owned(),
            allow_loopback_response_url: true,
        };
        servers.serve(listener, router(inbound));
        Self { inbox, heard, asked, address: format!("http://{address}"), _servers: servers }
    }

    /// Asks it what was recorded, signed as Slack does. `hooks` is where answer addresses are.
    pub async fn puts(&self, recording: &Recording, hooks: &str) -> Got {
        let addresses = BTreeMap::from([("service", self.address.clone()), ("hooks", hooks.to_owned())]);
        let mut stage = Stage { addresses, names: Vec::new(), token: TOKEN.to_owned() };
        let second = Jumping::new().now().as_second().to_string();
        let signature = signature(&second, &stage.body(recording));
        stage.names = vec![("{now}".to_owned(), second), ("{signature}".to_owned(), signature)];
        stage.ask(recording).await
    }
}

/// What was handed in, as recordings say it. What is not of the request itself, as a sealed address, is only said to be there.
fn of_incoming(incoming: &Incoming) -> Value {
    let Incoming { id, origin, ask, code } = incoming;
    json!({
        "id": id, "person": origin.person, "channel": origin.channel, "can be answered": origin.reply.is_some(), "ask": ask,
        "with a code": code.is_some(),
    })
}

fn inward(all: &BTreeMap<String, Recording>) -> impl Iterator<Item = &Recording> {
    all.values().filter(|recording| recording.request.host == "service")
}

#[tokio::test]
async fn the_door_keeps_its_side() {
    let (shapes, all) = (Shapes::of("slack"), recordings::of("slack"));
    let sealer = Arc::new(Sealer::new(&[signing_secret()]).unwrap());
    let mut wrong = Vec::new();
    for recording in inward(&all) {
        let hears = recording.call.as_deref() == Some("Hears::heard");
        let prompts = matches!(recording.call.as_deref(), Some("Inbox::suggest" | "Inbox::next_form" | "Inbox::looked_at"));
        let known = hears || prompts || recording.call.as_deref() == Some("Inbox::submit");
        assert!(known, "slack/{}: there is no other call", recording.name);
        let says = match recording.with["inbox"].as_str() {
            None => Submitted::Accepted,
            Some("repeated") => Submitted::Repeated,
            Some("unavailable") => Submitted::Unavailable,
            Some(other) => panic!("slack/{}: a way in is never {other}", recording.name),
        };
        let door = Door::at(&sealer, Kept::saying(says)).await;
        let got = door.puts(recording, "http://127.0.0.1:9").await;
        let mut faults = faults_of(&got, &shapes, recording);
        // What we answer is ours to say, to the letter.
        let (found, wanted) = (bodies::recorded(&got.body, got.header("content-type").as_deref()), &recording.response.body);
        if found != *wanted {
            faults.push(format!("answers\n{found:#}\nin place of\n{wanted:#}"));
        }
        wrong.extend(faults.into_iter().map(|fault| format!("slack/{}: our door {fault}", recording.name)));
        let submitted: Vec<Value> = door.inbox.take().iter().map(of_incoming).collect();
        let heard = door.heard.take();
        // Whatever comes in is one or the other.
        let asked = std::mem::take(&mut *door.asked.asked.lock().unwrap());
        let lengths = (submitted.is_empty() || !(hears || prompts), heard.is_empty() || hears, asked.is_empty() || prompts);
        assert_eq!(lengths, (true, true, true), "slack/{}: goes elsewhere", recording.name);
        let found = if hears {
            json!(heard)
        } else if prompts {
            json!(asked)
        } else {
            json!(submitted)
        };
        recordings::holds("slack", recording, &found);
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// What was asked of a service that answers what was recorded.
#[derive(Debug, Default)]
struct Caught(Vec<(String, BTreeMap<String, String>, Value)>);

async fn caught(caught: Arc<Mutex<Caught>>, answer: Recording, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let body = to_bytes(body, 1 << 24).await.unwrap();
    let body = bodies::recorded(&body, header("content-type").as_deref());
    let headers = parts.headers.keys().map(|name| (name.to_string(), header(name.as_str()).unwrap())).collect();
    caught.lock().unwrap().0.push((format!("{} {}", parts.method, parts.uri), headers, body));
    let mut response = Response::new(Body::from(answer.response.bytes(str::to_owned)));
    *response.status_mut() = StatusCode::from_u16(answer.response.status).unwrap();
    response
}

#[tokio::test]
async fn the_simulated_workspace_asks_alike() {
    let (shapes, all) = (Shapes::of("slack"), recordings::of("slack"));
    let mut wrong = Vec::new();
    for recording in inward(&all).filter(|recording| recording.not_simulated.is_none()) {
        let (name, wanted) = (&recording.name, &recording.request);
        let (servers, seen) = (Servers::default(), Arc::new(Mutex::new(Caught::default())));
        let (listener, address) = Servers::listen(0).await.unwrap();
        let (answer, keeps) = (recording.clone(), Arc::clone(&seen));
        servers.serve(listener, Router::new().route("/{*path}", any(move |request| caught(keeps, answer, request))));
        let mut workspace = workspace().await;
        workspace.service = ServiceAddress::new(&format!("http://{address}"));
        for what in &recording.state {
            workspace.happens(what).await.unwrap_or_else(|error| panic!("slack/{name}: {error}"));
        }
        let asked = std::mem::take(&mut seen.lock().unwrap().0);
        let [(line, headers, body)] = asked.as_slice() else { panic!("slack/{name}: the simulator asked {asked:#?}") };
        let mut faults = differences(&wanted.body, body);
        faults.extend(shapes.faults_of_request(&wanted.method, &wanted.path, body));
        if *line != format!("{} {}", wanted.method, wanted.path) {
            faults.push(format!("asks {line}"));
        }
        faults.extend(wanted.headers.keys().filter(|name| !headers.contains_key(*name)).map(|name| format!("sends no {name}")));
        if headers.get("content-type").map(String::as_str) != wanted.content_type() {
            faults.push(format!("sends {:?}", headers.get("content-type")));
        }
        wrong.extend(faults.into_iter().map(|fault| format!("slack/{name}: the simulator: {fault}")));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn requests_are_signed_as_documented() {
    // Another secret, moment or letter is another signature; that ours is Slack's is shown by the vectors of `signing.json`.
    let second = NOW.parse::<jiff::Timestamp>().unwrap().as_second().to_string();
    assert_ne!(signature(&second, "a"), signature(&second, "b"));
    assert_ne!(signature("1", "a"), signature(&second, "a"));
}
