//! The adapter against prepared answers: the traps in them, one by one.

mod access;
mod builds;
mod faults;
mod follow;
mod followed;
mod lists;
mod output;
mod upload;

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::{Heroku, HerokuSettings};
use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::testing::ProbeClock;
use crate::domain::names::{AppId, CommitSha, DeploymentId, PipelineId, RepoName};
use crate::ports::{BuildOrder, Clock, UploadedSource};

const TOKEN: &str = "HRKU-AAabcdefghijklmnopqrstuvwxyz0123456789";
const SHA: &str = "27bd10a27bd10a27bd10a27bd10a27bd10a27bd1";

/// An adapter, and the servers that it speaks to: one for the API, one for the links.
struct Stage {
    api: MockServer,
    links: MockServer,
    clock: Arc<ProbeClock>,
    heroku: Heroku,
}

impl Stage {
    async fn new() -> Self {
        let (api, links) = (MockServer::start().await, MockServer::start().await);
        let clock = ProbeClock::new();
        let heroku = heroku(&api.uri(), &links.uri(), Arc::<ProbeClock>::clone(&clock));
        Self { api, links, clock, heroku }
    }

    /// Prepares an answer for all requests to a path.
    async fn on(&self, verb: &str, at: &str, answer: ResponseTemplate) {
        Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(&self.api).await;
    }

    /// Prepares an answer for the next request to a path that has none before it.
    async fn next(&self, verb: &str, at: &str, answer: ResponseTemplate) {
        Mock::given(method(verb)).and(path(at)).respond_with(answer).up_to_n_times(1).mount(&self.api).await;
    }

    async fn seen(&self) -> Vec<Request> {
        self.api.received_requests().await.unwrap()
    }
}

fn heroku(api: &str, links: &str, clock: Arc<dyn Clock>) -> Heroku {
    let base = |text: &str| BaseUrl::parse(text).unwrap();
    let settings = HerokuSettings { api: base(api), links: base(links), dashboard: base("https://dashboard.heroku.com") };
    Heroku::new(settings, clock).unwrap()
}

fn token() -> SecretString {
    SecretString::from(TOKEN)
}

fn app() -> AppId {
    AppId::parse("01234567-89ab-cdef-0123-456789abcdef").unwrap()
}

fn pipeline() -> PipelineId {
    PipelineId::parse("99999999-89ab-cdef-0123-456789abcdef").unwrap()
}

fn deployment() -> DeploymentId {
    "0190b3a8-0000-7000-8000-000000000001".parse().unwrap()
}

fn order() -> BuildOrder {
    BuildOrder {
        source: UploadedSource {
            address: SecretString::from("https://storage.example.com/get?X-Amz-Signature=verysecret"),
            sha256: "ab".repeat(32),
            at: "2026-11-20T10:00:00Z".parse().unwrap(),
        },
        commit: CommitSha::parse(SHA).unwrap(),
        repository: RepoName::parse("acme/web").unwrap(),
        deployment: deployment(),
    }
}

/// A path below the app.
fn below(rest: &str) -> String {
    format!("/apps/{}/{rest}", app())
}

fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn refusal(status: u16, id: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"id": id, "message": message, "url": "https://devcenter.heroku.com/"}))
}

fn page_of_html(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw("<html><body>Something went wrong</body></html>", "text/html")
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).map_or("", |value| value.to_str().unwrap())
}
