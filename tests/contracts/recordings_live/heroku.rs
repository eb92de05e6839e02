//! A throw-away account at Heroku.

use std::collections::BTreeMap;
use std::path::PathBuf;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::Value;
use slash_heroku::ports::Clock;

use super::Settings;
use super::account::{Account, Arranging, Service, read};
use crate::contracts::heroku::{self, SOURCE};
use crate::contracts::heroku_stage::{APPS, Asking, BUILD, GET, PIPELINES, RELEASE, SLUG};
use crate::contracts::recordings::Recording;
use crate::contracts::recordings_simulated::Stage;

const JSON: &str = "application/vnd.heroku+json; version=3";

struct Heroku {
    /// What is built.
    archive: Vec<u8>,
}

/// The pipeline and apps of the settings.
pub async fn account(settings: &Settings, fixtures: PathBuf) -> Result<Account, String> {
    let (api, token) = (&settings["LIVE_HEROKU_API"], &settings["LIVE_HEROKU_TOKEN"]);
    let mut names = Vec::new();
    for (path, own, known) in [
        ("pipelines", &settings["LIVE_HEROKU_PIPELINE"], PIPELINES[0]),
        ("apps", &settings["LIVE_HEROKU_STAGING"], APPS[0]),
        ("apps", &settings["LIVE_HEROKU_PRODUCTION"], APPS[1]),
    ] {
        if own.is_empty() {
            continue;
        }
        let found = read(format!("{api}/{path}/{own}"), token, JSON).await?;
        names.push((known.0.to_owned(), found["id"].as_str().unwrap_or_default().to_owned()));
        names.push((known.1.to_owned(), own.clone()));
    }
    let me = read(format!("{api}/account"), token, JSON).await?;
    let mail = me["email"].as_str().unwrap_or_default().to_owned();
    let source = &settings["LIVE_HEROKU_SOURCE"];
    let archive = if source.is_empty() { SOURCE.as_bytes().to_vec() } else { std::fs::read(source).map_err(|error| error.to_string())? };
    let addresses = BTreeMap::from([("api", api.clone()), ("links", settings["LIVE_HEROKU_LINKS"].clone())]);
    let stage = Stage { addresses, names, token: token.clone() };
    Ok(Account { service: Box::new(Heroku { archive }), stage, secrets: vec![token.clone(), mail], fixtures })
}

impl Heroku {
    /// What asks as the account; its names go back to the stage with [`returned`].
    fn asking(&self, arranging: &mut Arranging) -> Asking {
        let names = std::mem::take(&mut arranging.stage.names);
        Asking { api: arranging.api(), token: arranging.token.clone(), source: self.archive.clone(), names }
    }
}

fn returned(asking: Asking, arranging: &mut Arranging) {
    arranging.stage.names = asking.names;
}

/// Waits until the build is over and what it released is as well.
async fn until_built(asking: &Asking, app: &str, build: &str, clock: &dyn Clock) {
    loop {
        let state = asking.ask("GET", &format!("/apps/{app}/builds/{build}"), &Value::Null).await;
        if state["status"] != "pending" {
            return;
        }
        clock.pause_until(clock.now() + SignedDuration::from_millis(250)).await;
    }
}

#[async_trait]
impl Service for Heroku {
    fn host(&self) -> &'static str {
        "heroku"
    }

    fn can_be_so(&self, what: &str) -> bool {
        let app = |words: &str| what == format!("{words} {}", APPS[0].1);
        ["an address for a source", "a source", "time passes", "heroku has no token"].contains(&what)
            || app("a build of")
            || app("the newest release of")
    }

    fn names(&self) -> Vec<&'static str> {
        vec![PIPELINES[0].0, PIPELINES[1].0, APPS[0].0, APPS[1].0, APPS[2].0, APPS[3].0, BUILD, RELEASE, SLUG]
    }

    fn comes_to_be(&self, name: &str, recording: &Recording) -> bool {
        match name {
            BUILD => recording.state.iter().any(|what| what.starts_with("a build of")),
            // The newest release is looked up first of all.
            RELEASE | SLUG => true,
            _ => false,
        }
    }

    async fn begins(&self, arranging: &mut Arranging) {
        let app = arranging.own(APPS[0].1);
        let mut asking = self.asking(arranging);
        asking.newest_of(&app).await;
        returned(asking, arranging);
    }

    async fn replayed(&self, all: &BTreeMap<String, Recording>, recording: &Recording) -> (Value, Vec<String>) {
        heroku::replayed(all, recording).await
    }

    async fn happens(&self, what: &str, arranging: &mut Arranging) {
        let (app, build) = (arranging.own(APPS[0].1), arranging.own(BUILD));
        let mut asking = self.asking(arranging);
        match what {
            "heroku has no token" => arranging.lose_token(),
            "an address for a source" => drop(asking.source().await),
            "a source" => {
                let get = asking.uploaded().await;
                // Where storage is, is told with each address only.
                asking.names.insert(0, (format!("{{storage}}{GET}"), get));
            }
            "time passes" => until_built(&asking, &app, &build, &arranging.clock).await,
            _ if what.starts_with("a build of") => asking.build_of(&app).await,
            _ if what.starts_with("the newest release of") => asking.newest_of(&app).await,
            _ => panic!("{what} cannot be brought about"),
        }
        returned(asking, arranging);
    }
}
