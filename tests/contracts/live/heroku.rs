//! A pipeline to throw away, at which platforms are held to what the port promises as far as that builds nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::Value;
use slash_heroku::adapters::clock::SystemClock;
use slash_heroku::adapters::heroku::{Heroku, HerokuSettings};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::domain::names::{AppId, AppName, PipelineId, RepoName};
use slash_heroku::ports::{Clock, Platform};
use slash_heroku::testing::Arranged;
use slash_heroku::testing::platform::{Stage, all};

use super::{NO_FAULTS, NO_LIMIT, services_with};
use crate::contracts::recordings_live::Settings;
use crate::contracts::recordings_live::account::read;

const JSON: &str = "application/vnd.heroku+json; version=3";

/// Nobody's token.
const WRONG: &str = "HRKU-not-a-token-of-any-account";

/// The pipeline and the staging app of the settings.
struct Real {
    adapter: Arc<Heroku>,
    clock: Arc<SystemClock>,
    api: String,
    token: String,
    pipeline: PipelineId,
    app: (AppId, AppName),
    linked: RepoName,
}

impl Real {
    async fn new(settings: &Settings) -> Self {
        let (api, token) = (settings["LIVE_HEROKU_API"].clone(), settings["LIVE_HEROKU_TOKEN"].clone());
        let id_of = async |kind: &str, name: &str| {
            let found = read(format!("{api}/{kind}/{name}"), &token, JSON).await.unwrap();
            found["id"].as_str().unwrap().to_owned()
        };
        let name = AppName::parse(&settings["LIVE_HEROKU_STAGING"]).unwrap();
        let pipeline = PipelineId::parse(&id_of("pipelines", &settings["LIVE_HEROKU_PIPELINE"]).await).unwrap();
        let app = AppId::parse(&id_of("apps", name.as_str()).await).unwrap();
        let base = |text: &str| BaseUrl::parse(text).unwrap();
        let links = base(&settings["LIVE_HEROKU_LINKS"]);
        let wired = HerokuSettings { api: base(&api), links, dashboard: base("https://dashboard.heroku.com") };
        let clock = Arc::new(SystemClock::default());
        let adapter = Arc::new(Heroku::new(wired, Arc::<SystemClock>::clone(&clock)).unwrap());
        let linked =
            RepoName::parse(&settings["LIVE_GITHUB_REPOSITORY"]).expect("LIVE_GITHUB_REPOSITORY is what the pipeline is linked to");
        Self { adapter, clock, api, token, pipeline, app: (app, name), linked }
    }

    async fn listed(&self, path: &str) -> Vec<Value> {
        let found = read(format!("{}{path}", self.api), &self.token, JSON).await.unwrap();
        found.as_array().unwrap().clone()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

const BUILDS_COST: &str = "builds take a real platform minutes, and what the suite uploads is no app";
const STAYS: &str = "what the account's other app runs stays as it is";
const STAYS_LINKED: &str = "the pipeline stays linked as it is";
const THEIR_PAGES: &str = "how long pages are is the service's to say";
const NO_CODES: &str = "a one-time code is on its owner's telephone";

#[async_trait]
impl Stage for Real {
    fn platform(&self) -> Arc<dyn Platform> {
        self.adapter.clone()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    fn token(&self) -> SecretString {
        SecretString::from(self.token.clone())
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.token.clone()]
    }

    fn pipeline(&self) -> PipelineId {
        self.pipeline.clone()
    }

    fn app(&self) -> (AppId, AppName) {
        self.app.clone()
    }

    fn builds_go(&self) -> Arranged {
        Arranged::Cannot(BUILDS_COST)
    }

    fn linked(&self) -> Option<RepoName> {
        Some(self.linked.clone())
    }

    async fn next_app(&mut self) -> Result<AppId, &'static str> {
        Err(STAYS)
    }

    async fn names(&mut self) -> Vec<String> {
        let apps = self.listed("/apps").await;
        let apps: BTreeMap<String, String> = apps.iter().map(|app| (text(&app["id"]), text(&app["name"]))).collect();
        let mut names = Vec::new();
        for pipeline in self.listed("/pipelines").await {
            let name = text(&pipeline["name"]);
            let couplings = self.listed(&format!("/pipelines/{}/pipeline-couplings", text(&pipeline["id"]))).await;
            // Apps of tests are left out.
            let seen = couplings.iter().filter(|coupling| coupling["stage"] != "test").filter_map(|it| apps.get(&text(&it["app"]["id"])));
            names.extend(seen.map(|app| format!("{name}/{app}")));
            names.push(name);
        }
        names
    }

    async fn small_pages(&mut self) -> Arranged {
        Arranged::Cannot(THEIR_PAGES)
    }

    async fn link(&mut self, _: &RepoName) -> Arranged {
        Arranged::Cannot(STAYS_LINKED)
    }

    async fn finish(&mut self) {
        panic!("nothing is begun where no build goes");
    }

    async fn hold_builds(&mut self) -> Arranged {
        Arranged::Cannot(BUILDS_COST)
    }

    async fn fail_next_build(&mut self) -> Result<Vec<String>, &'static str> {
        Err(BUILDS_COST)
    }

    async fn fail_next_release(&mut self) -> Arranged {
        Arranged::Cannot(BUILDS_COST)
    }

    async fn builds(&mut self) -> usize {
        panic!("no build is ordered");
    }

    async fn builds_of_others(&mut self, _: usize) -> Arranged {
        Arranged::Cannot(BUILDS_COST)
    }

    async fn demand_code(&mut self) -> Result<SecretString, &'static str> {
        Err(NO_CODES)
    }

    async fn demand_code_of_next(&mut self) -> Result<SecretString, &'static str> {
        Err(NO_CODES)
    }

    async fn fill_slots(&mut self) -> Arranged {
        Arranged::Cannot(NO_LIMIT)
    }

    async fn stumble(&mut self) -> Arranged {
        Arranged::Cannot(NO_FAULTS)
    }

    async fn lose_answer(&mut self) -> Arranged {
        Arranged::Cannot(NO_FAULTS)
    }

    async fn limit(&mut self) -> Arranged {
        Arranged::Cannot(NO_LIMIT)
    }

    async fn withdraw_token(&mut self) -> Arranged {
        WRONG.clone_into(&mut self.token);
        Arranged::Done
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heroku_itself_keeps_the_promises_of_a_platform() {
    let Some((_sandbox, settings)) = services_with("LIVE_HEROKU_TOKEN").await else { return };
    let left_out = all(async || Real::new(&settings).await).await;
    assert_eq!(
        left_out.reasons(),
        [
            ("a build", BUILDS_COST),
            ("what a build prints", BUILDS_COST),
            ("an id of ours", BUILDS_COST),
            ("a build that is over", BUILDS_COST),
            ("new releases", BUILDS_COST),
            ("a way back", BUILDS_COST),
            ("a promotion", STAYS),
            ("a promotion with a code", STAYS),
            ("small pages", BUILDS_COST),
            ("builds of others", BUILDS_COST),
            ("a linked repository", STAYS_LINKED),
            ("a running build", BUILDS_COST),
            ("a failed build", BUILDS_COST),
            ("a failed release", BUILDS_COST),
            ("a code", NO_CODES),
            ("no slot", NO_LIMIT),
            ("a read that stumbles", NO_FAULTS),
            ("a lost answer", NO_FAULTS),
            ("a limit", NO_LIMIT),
        ]
    );
}
