//! What a service asked while it was played with, and what the simulators answered, held to the published shapes: no call that they do
//! not know, and bodies as they are.

use std::collections::BTreeSet;

use serde_json::Value;
use slash_heroku::sandbox::answers::SeenAnswer;
use slash_heroku::sandbox::company::HEROKU_TOKEN;
use slash_heroku::sandbox::heroku::Host;
use slash_heroku::sandbox::world::World;

use super::shapes::Shapes;

/// The shapes of all hosts.
pub struct Published {
    github: Shapes,
    heroku: Shapes,
    slack: Shapes,
}

impl Published {
    pub fn read() -> Self {
        Self { github: Shapes::of("github"), heroku: Shapes::of("heroku"), slack: Shapes::of("slack") }
    }

    /// What the service in this world asked that nobody has published so.
    pub fn faults_of(&self, world: &World) -> Vec<String> {
        // People's browsers ask for the pages of the sign-in, and storage gives out addresses of its own making.
        let github = world.github.requests().into_iter().filter(|request| !request.path.starts_with("/login/") && is_of_api(&request.path));
        let github = github.map(|request| (request.method, own_name(&without_query(&request.path)), Sent::of(&request.body)));
        let heroku = world.heroku.requests().into_iter().filter(|request| matches!(request.host, Host::Api | Host::Link));
        let heroku = heroku.map(|request| (request.method, request.path, request.body.as_deref().map_or(Sent::Unread, Sent::of)));
        let slack = world.slack.requests().into_iter().map(|request| {
            if request.method == "response_url" {
                return ("POST".to_owned(), "/commands/T1/1/key".to_owned(), Sent::Json(request.arguments));
            }
            // What is handed over for tokens is not kept.
            let sent = if request.method == "oauth.v2.access" { Sent::Unread } else { Sent::Json(request.arguments) };
            ("POST".to_owned(), format!("/api/{}", request.method), sent)
        });
        let mut faults = faults_of(&self.github, github);
        faults.extend(faults_of(&self.heroku, heroku));
        faults.extend(faults_of(&self.slack, slack));
        // A script can have a word said that no list has: that is its own business.
        let said = world.heroku.said_instead();
        let is_said = |fault: &String| said.iter().any(|word| fault.contains(&format!("{word:?} in place of")));
        for (host, shapes, (answers, left_out)) in [
            ("github", &self.github, world.github.answers()),
            ("heroku", &self.heroku, world.heroku.answers()),
            ("slack", &self.slack, world.slack.answers()),
        ] {
            let found = answers.iter().flat_map(|answer| faults_of_answer(shapes, answer)).filter(|fault| !is_said(fault));
            faults.extend(found.map(|fault| format!("{host} answers {fault}")));
            if left_out > 0 {
                faults.insert(format!("{host} gave {left_out} answers that nobody looked at"));
            }
        }
        faults.into_iter().collect()
    }
}

/// The body of a request.
enum Sent {
    /// It is not known.
    Unread,
    /// `null`: there is none.
    Json(Value),
    Other,
}

impl Sent {
    fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() { Self::Json(Value::Null) } else { serde_json::from_slice(bytes).map_or(Self::Other, Self::Json) }
    }
}

fn faults_of(shapes: &Shapes, asked: impl Iterator<Item = (String, String, Sent)>) -> BTreeSet<String> {
    let mut faults = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for (method, path, sent) in asked {
        let text = if let Sent::Json(body) = &sent { body.to_string() } else { String::new() };
        if !seen.insert(format!("{method} {path} {text}")) {
            continue;
        }
        let Some(call) = shapes.known_call(&method, &path) else {
            faults.insert(format!("{method} {path} is not in shapes.json"));
            continue;
        };
        match sent {
            Sent::Unread => {}
            Sent::Json(body) => faults.extend(shapes.faults_of_request(&method, &path, &body)),
            Sent::Other => drop(faults.insert(format!("{call}: its body is no JSON"))),
        }
    }
    faults
}

/// What is wrong with an answer. That a call is not known is told of the request.
fn faults_of_answer(shapes: &Shapes, answer: &SeenAnswer) -> Vec<String> {
    let Some(body) = serde_json::from_slice(&answer.body).ok().filter(|_| shapes.known_call(&answer.method, &answer.path).is_some()) else {
        return Vec::new();
    };
    shapes.faults_of_answer(&answer.method, &answer.path, answer.status, &body)
}

fn without_query(path: &str) -> String {
    path.split('?').next().unwrap_or_default().to_owned()
}

/// Whether this is an address of GitHub's API, and not one of those that it gives out for archives.
fn is_of_api(path: &str) -> bool {
    ["/repos/", "/repositories/", "/user", "/applications/"].iter().any(|start| path.starts_with(start))
}

/// What has moved is asked for by its number, and means the same.
fn own_name(path: &str) -> String {
    let Some((_, rest)) = path.strip_prefix("/repositories/").and_then(|rest| rest.split_once('/')) else { return path.to_owned() };
    format!("/repos/owner/moved/{rest}")
}

#[tokio::test]
async fn what_nobody_has_published_is_found() {
    let clock = slash_heroku::sandbox::clock::SteppedClock::new();
    let world = World::start(clock.for_the_world(), 0).await.unwrap();
    let published = Published::read();
    assert_eq!(published.faults_of(&world), [""; 0]);
    let client = reqwest::Client::builder().no_proxy().user_agent("a test").build().unwrap();
    let (github, heroku) = (world.github.api_url(), world.heroku.api_url());
    for (address, body) in [
        (format!("{github}/repos/acme/hubot/deployments"), r#"{"ref": 1}"#),
        (format!("{github}/repos/acme/hubot/novelties"), "{}"),
        (format!("{heroku}/apps/hubot-staging/builds"), "half of it"),
    ] {
        client.post(address).header("content-type", "application/json").body(body).send().await.unwrap();
    }
    let faults = published.faults_of(&world);
    for part in ["novelties is not in shapes.json", ".ref: number in place of string", "its body is no JSON"] {
        assert!(faults.iter().any(|fault| fault.contains(part)), "{part}: {faults:#?}");
    }
}

#[tokio::test]
async fn an_answer_that_nobody_has_published_is_found() {
    let clock = slash_heroku::sandbox::clock::SteppedClock::new();
    let world = World::start(clock.for_the_world(), 0).await.unwrap();
    let published = Published::read();
    let client = reqwest::Client::builder().no_proxy().user_agent("a test").build().unwrap();
    let dynos = format!("{}/apps/hubot-staging/dynos", world.heroku.api_url());
    let ask = || client.get(&dynos).bearer_auth(HEROKU_TOKEN).header("accept", "application/vnd.heroku+json; version=3").send();
    assert!(ask().await.unwrap().status().is_success());
    assert_eq!(published.faults_of(&world), [""; 0]);
    world.heroku.extra_fields(true);
    assert!(ask().await.unwrap().status().is_success());
    let faults = published.faults_of(&world);
    assert!(
        faults.iter().any(|fault| fault.starts_with("heroku answers") && fault.contains("`something_new` is not known")),
        "{faults:#?}"
    );
}
