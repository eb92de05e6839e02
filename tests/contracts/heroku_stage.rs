//! The simulated Heroku in the states that recordings name.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};
use slash_heroku::ports::Clock;
use slash_heroku::sandbox::company::HEROKU_TOKEN;
use slash_heroku::sandbox::heroku::{AppRight, AppSeed, ClientSeed, Closed, Fault, FaultRule, Heroku};
use slash_heroku::sandbox::script::{Outside, TABLE, read};
use slash_heroku::sandbox::world::World;

use super::heroku::{SOURCE, sha256_of};
use super::recordings::Recording;
use super::recordings_replay::Jumping;
use super::recordings_simulated::{Stage, client};

const ANA: &str = "ana@example.com";

/// The names of pipelines and apps, by the ids that they have in recordings.
pub const PIPELINES: [(&str, &str); 2] =
    [("11111111-aaaa-4aaa-8aaa-000000000001", "hubot"), ("11111111-aaaa-4aaa-8aaa-000000000002", "shop")];
pub const APPS: [(&str, &str); 4] = [
    ("22222222-bbbb-4bbb-8bbb-000000000001", "hubot-staging"),
    ("22222222-bbbb-4bbb-8bbb-000000000002", "hubot-production"),
    ("22222222-bbbb-4bbb-8bbb-000000000003", "shop-staging"),
    ("22222222-bbbb-4bbb-8bbb-000000000004", "vault-production"),
];
pub const BUILD: &str = "33333333-cccc-4ccc-8ccc-000000000001";
pub const RELEASE: &str = "44444444-dddd-4ddd-8ddd-000000000001";
pub const PROMOTION: &str = "77777777-aaaa-4aaa-8aaa-000000000001";
pub const SLUG: &str = "55555555-eeee-4eee-8eee-000000000001";
/// Paths and queries that are secrets: of a source, to put and to get it, and of an output stream.
pub const PUT: &str = "/uploads/INVENTED?signature=INVENTED-PUT";
pub const GET: &str = "/uploads/INVENTED?signature=INVENTED-GET";
pub const STREAM: &str = "/streams/INVENTED/logs/INVENTED.log?signature=INVENTED";

/// What is asked and answered while the stage is set.
pub struct Asking {
    pub api: String,
    pub token: String,
    /// The archive that is uploaded.
    pub source: Vec<u8>,
    pub names: Vec<(String, String)>,
}

impl Asking {
    pub async fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = client().request(method.parse().unwrap(), format!("{}{path}", self.api)).bearer_auth(&self.token);
        let request = request.header("accept", "application/vnd.heroku+json; version=3");
        let request = if body.is_null() { request } else { request.body(body.to_string()) };
        serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap()
    }

    pub fn name(&mut self, recorded: &str, own: &str) {
        self.names.retain(|(known, _)| known != recorded);
        self.names.push((recorded.to_owned(), own.to_owned()));
    }

    /// Ana agrees to what our app asks for.
    pub fn agreed(&mut self, heroku: &Heroku) {
        let (id, secret) = ("66666666-6666-4666-8666-000000000001".to_owned(), "INVENTED-SECRET".to_owned());
        let page = format!("?client_id={id}&response_type=code&scope=identity%20write&state=s");
        heroku.add_client(ClientSeed { id, secret, redirect_uri: "https://ship.example.com/back".to_owned() });
        let back = heroku.agrees(Some(ANA), &page).unwrap();
        let code = back.split(['?', '&']).find_map(|part| part.strip_prefix("code=")).unwrap();
        self.name("INVENTED-CODE", code);
    }

    /// What she agreed to brings tokens.
    pub async fn signed_in(&mut self) {
        let code = self.names.iter().find(|(recorded, _)| recorded == "INVENTED-CODE").unwrap().1.clone();
        let body = json!({ "client": { "secret": "INVENTED-SECRET" }, "grant": { "type": "authorization_code", "code": code } });
        let told = self.ask("POST", "/oauth/tokens", &body).await;
        for (recorded, own) in [
            ("INVENTED-ACCESS", &told["access_token"]["token"]),
            ("INVENTED-REFRESH", &told["refresh_token"]["token"]),
            ("66666666-1111-4111-8111-000000000001", &told["authorization"]["id"]),
        ] {
            self.name(recorded, own.as_str().unwrap());
        }
    }

    pub async fn source(&mut self) -> (String, String) {
        let made = self.ask("POST", "/sources", &Value::Null).await;
        let url = |name: &str| made["source_blob"][name].as_str().unwrap().to_owned();
        let (put, get) = (url("put_url"), url("get_url"));
        self.name(PUT, path_of(&put));
        self.name(GET, path_of(&get));
        (put, get)
    }

    pub async fn uploaded(&mut self) -> String {
        let (put, get) = self.source().await;
        assert!(client().put(put).body(self.source.clone()).send().await.unwrap().status().is_success());
        get
    }

    pub async fn build_of(&mut self, app: &str) {
        let get = self.uploaded().await;
        let commit = "8fcbedd0c1a54e6f9b27d3104c8e5f6a7b9d0e11";
        let description = format!("acme/hubot:{commit} slash-heroku:01890000-0000-7000-8000-000000000001");
        let blob = json!({ "url": get, "version": commit, "version_description": description, "checksum": format!("SHA256:{}", sha256_of(&self.source)) });
        let build = self.ask("POST", &format!("/apps/{app}/builds"), &json!({ "source_blob": blob })).await;
        self.name(BUILD, build["id"].as_str().unwrap());
        self.name(STREAM, path_of(build["output_stream_url"].as_str().unwrap()));
    }

    /// The release of one app is taken over by another; both are of the first pipeline.
    pub async fn promotion_of(&mut self, from: &str, to: &str) {
        let known = |recorded: &str| self.names.iter().find(|(known, _)| known == recorded).unwrap().1.clone();
        let id_of = |name: &str| known(APPS.iter().find(|(_, known)| *known == name).unwrap().0);
        let body = json!({
            "pipeline": { "id": known(PIPELINES[0].0) }, "source": { "app": { "id": id_of(from) } },
            "targets": [{ "app": { "id": id_of(to) } }],
        });
        let made = self.ask("POST", "/pipeline-promotions", &body).await;
        self.name(PROMOTION, made["id"].as_str().unwrap());
    }

    /// The newest release of an app: it, its code and its stream.
    pub async fn newest_of(&mut self, app: &str) {
        let request = client().get(format!("{}/apps/{app}/releases", self.api)).bearer_auth(&self.token);
        let request = request.header("accept", "application/vnd.heroku+json; version=3").header("range", "version ..; order=desc, max=1");
        let newest: Value = serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
        let id = newest[0]["id"].as_str().unwrap();
        let release = self.ask("GET", &format!("/apps/{app}/releases/{id}"), &Value::Null).await;
        self.name(RELEASE, id);
        if let Some(slug) = release["slug"]["id"].as_str() {
            self.name(SLUG, slug);
        }
        if let Some(stream) = release["output_stream_url"].as_str() {
            self.name(STREAM, path_of(stream));
        }
    }
}

/// An address without its host.
fn path_of(url: &str) -> &str {
    let host = url.find("//").unwrap() + 2;
    &url[host + url[host..].find('/').unwrap()..]
}

/// An app without code; its id.
fn never_deployed(heroku: &Heroku) -> String {
    let name = "brand-new".to_owned();
    let seed = AppSeed {
        name: name.clone(),
        pipeline_id: None,
        stage: "development".to_owned(),
        dynos: 1,
        second_factor: false,
        release_phase: false,
        build_seconds: 20,
        release_seconds: 5,
        boot_seconds: 5,
    };
    let id = heroku.add_app(seed).unwrap();
    heroku.grant(ANA, &name, AppRight::Deploy).unwrap();
    id.to_string()
}

/// A company in which all that a recording names has happened, in that order.
pub async fn stage(recording: &Recording) -> (World, Stage) {
    let clock = Jumping::new();
    let mut world = World::start(Arc::<Jumping>::clone(&clock), 0).await.unwrap();
    let heroku = world.heroku.clone();
    let mut asking =
        Asking { api: heroku.api_url().to_owned(), token: HEROKU_TOKEN.to_owned(), source: SOURCE.as_bytes().to_vec(), names: Vec::new() };
    for (path, known) in [("/pipelines", &PIPELINES[..]), ("/apps", &APPS[..])] {
        let all = asking.ask("GET", path, &Value::Null).await;
        for (recorded, name) in known {
            let own = all.as_array().unwrap().iter().find(|one| one["name"] == *name).unwrap();
            asking.name(recorded, own["id"].as_str().unwrap());
        }
    }
    asking.newest_of("hubot-staging").await;
    for what in &recording.state {
        let words: Vec<&str> = what.split(' ').collect();
        let done = match words.as_slice() {
            ["an", "address", "for", "a", "source"] => {
                asking.source().await;
                Ok(())
            }
            ["a", "source"] => {
                asking.uploaded().await;
                Ok(())
            }
            ["a", "build", "of", app] => {
                asking.build_of(app).await;
                Ok(())
            }
            ["a", "promotion", "of", from, "to", to] => {
                asking.promotion_of(from, to).await;
                Ok(())
            }
            ["the", "newest", "release", "of", app] => {
                asking.newest_of(app).await;
                Ok(())
            }
            ["time", "passes"] => {
                clock.pause_until(clock.now() + SignedDuration::from_secs(30)).await;
                Ok(())
            }
            ["an", "hour", "passes"] => {
                clock.pause_until(clock.now() + SignedDuration::from_secs(3601)).await;
                Ok(())
            }
            ["a", "moment", "passes"] => {
                clock.pause_until(clock.now() + SignedDuration::from_secs(2)).await;
                Ok(())
            }
            ["lists", "come", "one", "by", "one"] => {
                heroku.page_size(1);
                Ok(())
            }
            ["apps", "may", "end", "authorizations"] => {
                heroku.apps_may_end_authorizations(true);
                Ok(())
            }
            ["ana", "agrees"] => {
                asking.agreed(&heroku);
                Ok(())
            }
            ["the", "code", "is", "used"] => {
                asking.signed_in().await;
                Ok(())
            }
            ["ana", "has", "signed", "in"] => {
                asking.agreed(&heroku);
                asking.signed_in().await;
                Ok(())
            }
            ["ana", "has", "withdrawn", "it"] => {
                heroku.withdraw_apps(ANA);
                Ok(())
            }
            ["ana's", "calls", "are", "used", "up"] => heroku.calls_left(ANA, 0),
            ["ana", "is", "suspended"] => heroku.suspend(ANA, true),
            ["a", "page", "of", "markup", "comes", "in", "place", "of", "the", "pipelines"] => {
                heroku.fail(FaultRule {
                    method: None,
                    path_contains: "/pipelines$".to_owned(),
                    spared: 0,
                    times: 1,
                    fault: Fault::page(503),
                });
                Ok(())
            }
            ["ana", "has", "not", "paid"] => heroku.close(ANA, Some(Closed::Delinquent)),
            ["ana's", "device", "is", "not", "trusted"] => heroku.close(ANA, Some(Closed::DeviceNotTrusted)),
            ["builds", "cannot", "be", "sorted", "by", "when", "they", "were", "made"] => {
                heroku.builds_by_time(false);
                Ok(())
            }
            ["ana", "has", "no", "newer", "links"] => {
                heroku.add_user(HEROKU_TOKEN, ANA, &[], false);
                Ok(())
            }
            ["nobody", "knows", "newer", "links"] => {
                heroku.add_user(HEROKU_TOKEN, ANA, &[], false);
                heroku.feature_known(false);
                Ok(())
            }
            [app, "wants", "a", "code"] => heroku.second_factor(app, true),
            ["old", "dynos", "of", app, "stay"] => heroku.preboot(app, true),
            ["a", "console", "of", app] => heroku.add_oneoff(app),
            ["the", "code", "of", app, "is", "gone"] => heroku.lose_code(app),
            ["an", "app", "that", "was", "never", "deployed"] => {
                asking.name(APPS[0].0, &never_deployed(&heroku));
                Ok(())
            }
            ["the", "old", "releases", "of", app, "expire"] => heroku.expire_old_releases(app),
            _ => read(TABLE, what).and_then(|directive| world.perform(&directive)),
        };
        done.unwrap_or_else(|error| panic!("heroku/{}: {error}", recording.name));
    }
    let addresses =
        [("api", heroku.api_url()), ("links", heroku.link_url()), ("storage", heroku.storage_url()), ("streams", heroku.streams_url())];
    let addresses = addresses.map(|(host, address)| (host, address.to_owned()));
    (world, Stage { addresses: BTreeMap::from(addresses), names: asking.names, token: HEROKU_TOKEN.to_owned() })
}
