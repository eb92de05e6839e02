//! The simulator over real HTTP, with a clock that the test sets.

mod access;
mod deploys;
mod faults;
mod promotions;
mod streams;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use uuid::Uuid;

use super::*;
use crate::ports::WakeKey;

const TOKEN: &str = "HRKU-test-of-ana";

/// A clock that stands until it is set.
#[derive(Debug)]
struct Settable(watch::Sender<Timestamp>);

impl Settable {
    fn go_on(&self, seconds: i64) {
        self.0.send_modify(|now| *now += SignedDuration::from_secs(seconds));
    }

    fn go_to(&self, at: Timestamp) {
        self.0.send_replace(at);
    }
}

#[async_trait]
impl Clock for Settable {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    async fn wait(&self, _: WakeKey, until: Option<Timestamp>) {
        self.pause_until(until.unwrap_or(Timestamp::MAX)).await;
    }

    fn wake(&self, _: WakeKey) {}

    async fn pause_until(&self, until: Timestamp) {
        self.0.subscribe().wait_for(|now| *now >= until).await.unwrap();
    }
}

/// A small company: ana may deploy, and there are a pipeline and an app.
struct Stage {
    _servers: Servers,
    clock: Arc<Settable>,
    heroku: Arc<Heroku>,
    http: reqwest::Client,
    pipeline: Uuid,
}

impl Stage {
    async fn new(seed: AppSeed) -> Self {
        let servers = Servers::default();
        let clock = Arc::new(Settable(watch::channel("2026-11-02T10:00:00Z".parse().unwrap()).0));
        let heroku = Heroku::start(&servers, Arc::clone(&clock) as Arc<dyn Clock>, HerokuPorts::default()).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        heroku.add_user(TOKEN, "ana@example.com", &["123456", "234567"], true);
        let pipeline =
            heroku.add_pipeline(PipelineSeed { name: "hubot".to_owned(), owner_type: "team".to_owned(), owner: "acme".to_owned() });
        let seed = AppSeed { name: "hubot-staging".to_owned(), pipeline_id: Some(pipeline), stage: "staging".to_owned(), ..seed };
        heroku.add_app(seed).unwrap();
        heroku.grant("ana@example.com", "hubot-staging", AppRight::Deploy).unwrap();
        Self { _servers: servers, clock, heroku, http, pipeline }
    }

    /// An app with one dyno that builds in 60 s, runs its release command for 30 s and boots in 10 s.
    async fn usual() -> Self {
        Self::new(AppSeed { dynos: 1, release_phase: true, build_seconds: 60, release_seconds: 30, boot_seconds: 10, ..AppSeed::default() })
            .await
    }

    /// A request as it should be.
    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.ask_as(TOKEN, "3", method, path)
    }

    fn ask_as(&self, token: &str, version: &str, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.heroku.api_url()));
        request.bearer_auth(token).header("accept", format!("application/vnd.heroku+json; version={version}"))
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// Uploads a source; gives its address.
    async fn upload(&self, bytes: &'static [u8]) -> String {
        let source: Value = self.ask(Method::POST, "/sources").send().await.unwrap().json().await.unwrap();
        let put = source["source_blob"]["put_url"].as_str().unwrap();
        let answer = self.http.put(put).header("content-type", "").body(bytes).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        source["source_blob"]["get_url"].as_str().unwrap().to_owned()
    }

    fn order(&self, url: &str) -> RequestBuilder {
        let body = json!({"source_blob": {"url": url, "version": "27bd10a5ab", "version_description": "deployment 1"}});
        self.ask(Method::POST, "/apps/hubot-staging/builds").json(&body)
    }

    /// Uploads and orders a build; gives its path.
    async fn build(&self) -> String {
        let url = self.upload(b"source").await;
        let answer = self.order(&url).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        let build: Value = answer.json().await.unwrap();
        assert_eq!(build["status"], "pending");
        format!("/apps/hubot-staging/builds/{}", build["id"].as_str().unwrap())
    }

    /// The states of the dynos, as `name version state`.
    async fn dynos(&self) -> Vec<String> {
        let dynos = self.get("/apps/hubot-staging/dynos").await;
        let text = |dyno: &Value| format!("{} v{} {}", text(&dyno["type"]), dyno["release"]["version"], text(&dyno["state"]));
        let mut dynos: Vec<String> = dynos.as_array().unwrap().iter().map(text).collect();
        dynos.sort();
        dynos
    }

    /// Lets everything pending happen.
    fn finish(&self) {
        while let Some(at) = self.heroku.next_event_at() {
            self.clock.go_to(at);
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

async fn refusal(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn sha256(bytes: &[u8]) -> String {
    state::hex(&Sha256::digest(bytes))
}
