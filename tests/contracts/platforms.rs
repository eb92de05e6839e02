//! Platforms, held to what the port promises: Heroku, simulated.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Value, json};
use slash_heroku::adapters::heroku::{Heroku, HerokuSettings};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::domain::names::{AppId, AppName, PipelineId, RepoName};
use slash_heroku::ports::{Clock, Platform};
use slash_heroku::sandbox::heroku::{
    self as simulated, AppRight, AppSeed, Fault, FaultRule, Held, HerokuPorts, Limit, LinkService, PipelineSeed, planted_secrets,
};
use slash_heroku::sandbox::serve::Servers;
use slash_heroku::testing::Arranged;
use slash_heroku::testing::platform::{Stage, all};
use uuid::Uuid;

use super::recordings_replay::Jumping;
use super::recordings_simulated::client;

const ANA: &str = "ana@example.com";
const TOKEN: &str = "the-token-of-ana";
const TOKEN_OF_BOB: &str = "the-token-of-bob";
const CODE: &str = "918273";
const APP: &str = "contract-staging";
const NEXT: &str = "contract-production";

/// The apps: name, stage, and whether the first pipeline has it.
const APPS: [(&str, &str, bool); 5] = [
    (NEXT, "production", true),
    (APP, "staging", true),
    ("another-staging", "staging", true),
    ("contract-test", "test", true),
    ("elsewhere", "development", false),
];

struct Simulated {
    heroku: Arc<simulated::Heroku>,
    adapter: Arc<Heroku>,
    clock: Arc<Jumping>,
    pipeline: Uuid,
    app: Uuid,
    next: Uuid,
    _servers: Servers,
}

impl Simulated {
    async fn new() -> Self {
        let (servers, clock) = (Servers::default(), Jumping::new());
        let heroku = simulated::Heroku::start(&servers, Arc::<Jumping>::clone(&clock), HerokuPorts::default()).await.unwrap();
        heroku.add_user(TOKEN, ANA, &[CODE], true);
        heroku.add_user(TOKEN_OF_BOB, "bob@example.com", &[], true);
        let seed = |name: &str| PipelineSeed { name: name.to_owned(), owner_type: "user".to_owned(), owner: ANA.to_owned() };
        let (pipeline, other) = (heroku.add_pipeline(seed("contract")), heroku.add_pipeline(seed("another")));
        let (mut app, mut next) = (None, None);
        for (name, stage, first) in APPS {
            let id = heroku
                .add_app(AppSeed {
                    name: name.to_owned(),
                    pipeline_id: Some(if first { pipeline } else { other }),
                    stage: stage.to_owned(),
                    dynos: 1,
                    second_factor: false,
                    release_phase: name == APP,
                    build_seconds: 20,
                    release_seconds: 5,
                    boot_seconds: 5,
                })
                .unwrap();
            next = next.or((name == NEXT).then_some(id));
            app = app.or((name == APP).then_some(id));
            heroku.grant(ANA, name, AppRight::Deploy).unwrap();
            heroku.grant("bob@example.com", name, AppRight::Deploy).unwrap();
        }
        let base = |text: &str| BaseUrl::parse(text).unwrap();
        let settings =
            HerokuSettings { api: base(heroku.api_url()), links: base(heroku.link_url()), dashboard: base("https://dashboard.heroku.com") };
        let adapter = Arc::new(Heroku::new(settings, Arc::<Jumping>::clone(&clock)).unwrap());
        Self { heroku, adapter, clock, pipeline, app: app.unwrap(), next: next.unwrap(), _servers: servers }
    }

    fn fails(&self, method: &str, path: &str, fault: Fault) -> Arranged {
        self.heroku.fail(FaultRule { method: Some(method.to_owned()), path_contains: path.to_owned(), spared: 0, times: 1, fault });
        Arranged::Done
    }

    async fn posted_by_bob(&self, path: &str, body: &Value) -> Value {
        let request = client().post(format!("{}{path}", self.heroku.api_url())).bearer_auth(TOKEN_OF_BOB);
        let request = request.header("accept", "application/vnd.heroku+json; version=3").body(body.to_string());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201);
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }
}

#[async_trait]
impl Stage for Simulated {
    fn platform(&self) -> Arc<dyn Platform> {
        self.adapter.clone()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    fn token(&self) -> SecretString {
        SecretString::from(TOKEN)
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned(), TOKEN_OF_BOB.to_owned()]
    }

    fn pipeline(&self) -> PipelineId {
        PipelineId::parse(&self.pipeline.to_string()).unwrap()
    }

    fn app(&self) -> (AppId, AppName) {
        (AppId::parse(&self.app.to_string()).unwrap(), AppName::parse(APP).unwrap())
    }

    async fn next_app(&mut self) -> Result<AppId, &'static str> {
        Ok(AppId::parse(&self.next.to_string()).unwrap())
    }

    async fn names(&mut self) -> Vec<String> {
        // Apps of tests are left out.
        let apps = APPS.iter().filter(|(_, stage, _)| *stage != "test");
        let apps = apps.map(|(name, _, first)| format!("{}/{name}", if *first { "contract" } else { "another" }));
        apps.chain(["another", "contract"].map(str::to_owned)).collect()
    }

    async fn small_pages(&mut self) -> Arranged {
        self.heroku.page_size(1);
        Arranged::Done
    }

    async fn link(&mut self, repository: &RepoName) -> Arranged {
        self.heroku.link(self.pipeline, repository.as_str(), LinkService::Newer).unwrap();
        Arranged::Done
    }

    async fn finish(&mut self) {
        while let Some(at) = self.heroku.next_event_at() {
            self.clock.pause_until(at).await;
        }
        let violations = self.heroku.violations();
        assert!(violations.is_empty(), "{violations:?}");
    }

    async fn hold_builds(&mut self) -> Arranged {
        self.heroku.hold(APP, Held::Build).unwrap();
        Arranged::Done
    }

    async fn fail_next_build(&mut self) -> Result<Vec<String>, &'static str> {
        self.heroku.next_build_fails(APP).unwrap();
        Ok(planted_secrets().to_vec())
    }

    async fn fail_next_release(&mut self) -> Arranged {
        self.heroku.next_release_fails(APP).unwrap();
        Arranged::Done
    }

    async fn builds(&mut self) -> usize {
        self.heroku.builds(APP).len()
    }

    async fn builds_of_others(&mut self, many: usize) -> Arranged {
        for number in 0..many {
            let source = self.posted_by_bob("/sources", &Value::Null).await;
            let (put, get) = (&source["source_blob"]["put_url"], &source["source_blob"]["get_url"]);
            assert!(client().put(put.as_str().unwrap()).body("source").send().await.unwrap().status().is_success());
            let blob = json!({ "url": get, "version": "d".repeat(40), "version_description": format!("number {number} of somebody else") });
            self.posted_by_bob(&format!("/apps/{APP}/builds"), &json!({ "source_blob": blob })).await;
            self.clock.pause_until(self.clock.now() + jiff::SignedDuration::from_secs(1)).await;
        }
        Arranged::Done
    }

    async fn demand_code(&mut self) -> Result<SecretString, &'static str> {
        self.heroku.second_factor(APP, true).unwrap();
        Ok(SecretString::from(CODE))
    }

    async fn demand_code_of_next(&mut self) -> Result<SecretString, &'static str> {
        self.heroku.second_factor(NEXT, true).unwrap();
        Ok(SecretString::from(CODE))
    }

    async fn fill_slots(&mut self) -> Arranged {
        self.heroku.build_slots(0);
        Arranged::Done
    }

    async fn stumble(&mut self) -> Arranged {
        let fault = Fault::Status { code: 503, body: "{}".to_owned(), content_type: "application/json".to_owned(), headers: Vec::new() };
        self.fails("GET", "", fault)
    }

    async fn lose_answer(&mut self) -> Arranged {
        self.fails("POST", "/builds", Fault::CutAfter)
    }

    async fn limit(&mut self) -> Arranged {
        self.fails("POST", "/builds", Fault::RateLimited { retry_after: None, limit: Limit::Primary })
    }

    async fn withdraw_token(&mut self) -> Arranged {
        assert!(self.heroku.revoke_token(TOKEN));
        Arranged::Done
    }
}

#[tokio::test]
async fn heroku_keeps_the_promises_of_a_platform() {
    assert_eq!(all(Simulated::new).await.parts(), [""; 0]);
}
