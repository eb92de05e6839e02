//! The simulated GitHub over real HTTP.

mod checks;
mod code;
mod deployments;
mod doorway;
mod faults;
mod git;
mod writes;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use super::{Github, Permission, RepoSeed};
use crate::ports::{Clock, WakeKey};
use crate::sandbox::serve::Servers;

/// A clock that stands still until it is moved.
#[derive(Debug)]
struct StandingClock(Mutex<Timestamp>);

impl StandingClock {
    fn go(&self, time: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now += time;
    }
}

#[async_trait]
impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn wait(&self, _: WakeKey, _: Option<Timestamp>) {}

    fn wake(&self, _: WakeKey) {}

    async fn pause_until(&self, _: Timestamp) {}
}

/// A GitHub with one private repository and three people.
struct Stage {
    github: Arc<Github>,
    clock: Arc<StandingClock>,
    client: reqwest::Client,
    _servers: Servers,
}

const REPO: &str = "acme/hubot";

impl Stage {
    async fn new() -> Self {
        let servers = Servers::default();
        let clock = Arc::new(StandingClock(Mutex::new("2026-11-23T10:00:00Z".parse().unwrap())));
        let github = Github::start(&servers, Arc::clone(&clock) as Arc<dyn Clock>, 0).await.unwrap();
        github.add_user("gho_ana", "ana");
        github.add_user("gho_root", "root");
        github.add_user("gho_reader", "reader");
        github.add_user("gho_stranger", "stranger");
        github.add_repository(RepoSeed { name: REPO, private: true, default_branch: "main" }).unwrap();
        github.grant("ana", REPO, Permission::Write).unwrap();
        github.grant("root", REPO, Permission::Admin).unwrap();
        github.grant("reader", REPO, Permission::Read).unwrap();
        github.push(REPO, "main", "Begin", "ana").unwrap();
        let client = reqwest::Client::builder().user_agent("tests").redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { github, clock, client, _servers: servers }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.github.api_url())).bearer_auth("gho_ana")
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        read(self.ask(Method::GET, path).send().await.unwrap()).await
    }

    async fn get_as(&self, token: &str, path: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.github.api_url());
        read(self.client.get(url).bearer_auth(token).send().await.unwrap()).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        read(self.ask(Method::POST, path).json(&body).send().await.unwrap()).await
    }

    fn pass(&self, minutes: i64) {
        self.clock.go(SignedDuration::from_mins(minutes));
    }
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}
