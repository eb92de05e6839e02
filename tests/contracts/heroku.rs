//! Recordings of Heroku: replayed against the adapter.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use slash_heroku::adapters::heroku::{Heroku, HerokuSettings, HerokuSignIn, HerokuSignInSettings};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::domain::release::{Access, Build, BuildState, Dyno, Running};
use slash_heroku::ports::{
    ArchiveBody, BuildOrder, BuildStart, Heard, Platform, Printed, PromotionOrder, PromotionSeen, PromotionStart, ReturnOrder, ReturnStart,
    SourceArchive, UploadedSource,
};

use super::github::sign_in_call;
use super::heroku_stage::stage;
use super::recordings::{self, Recording};
use super::recordings_replay::{Jumping, NOW, Replay, TOKEN, outcome};
use super::shapes::Shapes;

/// What is uploaded in the recordings.
pub const SOURCE: &str = "in place of an archive";

/// A source in memory.
#[derive(Debug)]
struct Text(Option<Bytes>);

#[async_trait]
impl ArchiveBody for Text {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        Ok(self.0.take())
    }

    async fn rewind(&mut self) -> std::io::Result<()> {
        self.0 = Some(Bytes::from_static(SOURCE.as_bytes()));
        Ok(())
    }
}

/// The SHA-256 of [`SOURCE`].
fn sha256() -> String {
    sha256_of(SOURCE.as_bytes())
}

/// The SHA-256 of something, in hexadecimal digits.
pub fn sha256_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn arg<T: DeserializeOwned>(with: &Value, name: &str) -> T {
    serde_json::from_value(with[name].clone()).unwrap_or_else(|error| panic!("{name} of {with}: {error}"))
}

fn of_build(build: Build) -> Value {
    let Build { id, state, created_at } = build;
    let (state, release) = match state {
        BuildState::Pending => ("pending", None),
        BuildState::Succeeded { release } => ("succeeded", release),
        BuildState::Failed => ("failed", None),
    };
    json!({ "id": id, "state": state, "release": release, "created_at": created_at })
}

fn of_start(start: BuildStart) -> Value {
    match start {
        BuildStart::Started(build) => json!({ "started": of_build(build) }),
        BuildStart::NeedsCode => json!("it needs a code"),
        BuildStart::NoSlot => json!("there is no slot"),
    }
}

fn of_dyno(dyno: Dyno) -> Value {
    let Dyno { name, kind, state, release } = dyno;
    json!({ "name": name, "kind": format!("{kind:?}"), "state": format!("{state:?}"), "release": release })
}

fn order(with: &Value, replay: &Replay) -> BuildOrder {
    let address = arg::<String>(with, "address").replace("{storage}", replay.at("storage"));
    BuildOrder {
        source: UploadedSource { address: address.into(), sha256: sha256(), at: NOW.parse().unwrap() },
        commit: arg(with, "commit"),
        repository: arg(with, "repository"),
        deployment: arg(with, "deployment"),
    }
}

fn way_back(with: &Value) -> ReturnOrder {
    ReturnOrder { to: arg(with, "to"), code: arg(with, "code"), newest: arg(with, "newest"), since: arg(with, "since") }
}

fn promotion(with: &Value) -> PromotionOrder {
    PromotionOrder {
        pipeline: arg(with, "pipeline"),
        from: arg(with, "from"),
        release: arg(with, "release"),
        commit: arg(with, "commit"),
        newest: arg(with, "newest"),
        since: arg(with, "since"),
    }
}

/// Makes the call that a recording names, and says what came of it.
async fn made(heroku: &Heroku, recording: &Recording, replay: &Replay) -> Value {
    let token = SecretString::from(TOKEN);
    let with = &recording.with;
    match recording.call.as_deref().unwrap() {
        call if call.starts_with("SignInAt::") => {
            let base = |text: &str| BaseUrl::parse(text).unwrap();
            let settings = HerokuSignInSettings {
                api: base(replay.at("api")),
                id: base("https://id.heroku.com"),
                dashboard: base("https://dashboard.heroku.com"),
                client_id: "66666666-6666-4666-8666-000000000001".to_owned(),
                client_secret: "INVENTED-SECRET".into(),
            };
            sign_in_call(&HerokuSignIn::new(settings, Jumping::new()).unwrap(), recording).await
        }
        "Platform::pipelines" => outcome(heroku.pipelines(&token).await, |all| json!(all)),
        "Platform::apps" => outcome(heroku.apps(&token, &arg(with, "pipeline")).await, |all| json!(all)),
        "Platform::linked_repository" => outcome(heroku.linked_repository(&token, &arg(with, "pipeline")).await, |name| json!(name)),
        "Platform::access" => {
            let Access { may_deploy, needs_code } = heroku.access(&token, &arg(with, "app")).await;
            json!({ "may_deploy": may_deploy, "needs_code": needs_code })
        }
        "Platform::spend_code" => {
            let code = SecretString::from(arg::<String>(with, "code"));
            outcome(heroku.spend_code(&token, &arg(with, "app"), code).await, |right| json!(right))
        }
        "Platform::upload" => {
            let mut body = Text(None);
            body.rewind().await.unwrap();
            let archive = SourceArchive { length: u64::try_from(SOURCE.len()).unwrap(), sha256: sha256(), body: Box::new(body) };
            outcome(heroku.upload(&token, archive).await, |source| {
                let address = source.address.expose_secret().replace(replay.at("storage"), "{storage}");
                json!({ "address": address, "sha256": source.sha256 })
            })
        }
        "Platform::start_build" => outcome(heroku.start_build(&token, &arg(with, "app"), &order(with, replay)).await, of_start),
        "Platform::find_build" => {
            let found = heroku.find_build(&token, &arg(with, "app"), arg(with, "deployment"), arg(with, "since")).await;
            outcome(found, |build| json!(build.map(of_build)))
        }
        "Platform::roll_back" => outcome(heroku.roll_back(&token, &arg(with, "app"), &way_back(with)).await, |start| match start {
            ReturnStart::Started(release) => json!({ "started": release }),
            ReturnStart::NeedsCode => json!("it needs a code"),
        }),
        "Platform::find_return" => outcome(heroku.find_return(&token, &arg(with, "app"), &way_back(with)).await, |found| json!(found)),
        "Platform::promote" => outcome(heroku.promote(&token, &arg(with, "app"), &promotion(with)).await, |start| match start {
            PromotionStart::Started(id) => json!({ "started": id }),
            PromotionStart::NeedsCode => json!("it needs a code"),
        }),
        "Platform::promotion" => outcome(heroku.promotion(&token, &arg(with, "app"), &arg(with, "promotion")).await, |seen| match seen {
            PromotionSeen::Pending => json!("pending"),
            PromotionSeen::Released(release) => json!({ "released": release }),
            PromotionSeen::Refused(said) => json!({ "refused": said }),
        }),
        "Platform::find_promoted" => outcome(heroku.find_promoted(&token, &arg(with, "app"), &promotion(with)).await, |found| json!(found)),
        "Platform::commit_of" => outcome(heroku.commit_of(&token, &arg(with, "app"), &arg(with, "code")).await, |commit| json!(commit)),
        "Platform::build" => outcome(heroku.build(&token, &arg(with, "app"), &arg(with, "build")).await, of_build),
        "Platform::stop_build" => outcome(heroku.stop_build(&token, &arg(with, "app"), &arg(with, "build")).await, |()| Value::Null),
        "Platform::release" => outcome(heroku.release(&token, &arg(with, "app"), &arg(with, "release")).await, |release| json!(release)),
        "Platform::releases" => outcome(heroku.releases(&token, &arg(with, "app"), arg(with, "limit")).await, |releases| json!(releases)),
        "Platform::running" => outcome(heroku.running(&token, &arg(with, "app")).await, |running| {
            json!(running.map(|Running { version, commit, code: _ }| json!({ "version": version, "commit": commit })))
        }),
        "Platform::dynos" => outcome(heroku.dynos(&token, &arg(with, "app")).await, |all| all.into_iter().map(of_dyno).collect()),
        "Platform::follow" => {
            heroku.build(&token, &arg(with, "app"), &arg(with, "build")).await.unwrap();
            let mut follower = heroku.follow(&arg(with, "app"), &arg(with, "build"), None);
            let mut heard = Vec::new();
            for _ in 0..arg(with, "times") {
                heard.push(match follower.heard().await {
                    Heard::Begun => "begun",
                    Heard::Reason => "reason",
                });
            }
            json!({ "ok": heard })
        }
        "Platform::output" => {
            let of = match with.get("release") {
                Some(_) => Printed::Release(arg(with, "release")),
                None => Printed::Build(arg(with, "build")),
            };
            let output = heroku.output(&token, &arg(with, "app"), &of, arg(with, "lines")).await;
            outcome(output, |text| json!(text))
        }
        other => panic!("{}: there is no call {other}", recording.name),
    }
}

/// What comes of the call that a recording begins, and what the adapter asks otherwise than it is recorded.
pub async fn replayed(all: &BTreeMap<String, Recording>, recording: &Recording) -> (Value, Vec<String>) {
    let hosts = ["api", "links", "storage", "streams"];
    let replay = Replay::of(&hosts, recording.takes().iter().map(|name| all[*name].clone())).await;
    let base = |text: &str| BaseUrl::parse(text).unwrap();
    let (api, links) = (base(replay.at("api")), base(replay.at("links")));
    let settings = HerokuSettings { api, links, dashboard: base("https://dashboard.heroku.com") };
    let heroku = Heroku::new(settings, Jumping::new()).unwrap();
    if recording.is_made_again() {
        made(&heroku, recording, &replay).await;
    }
    let found = made(&heroku, recording, &replay).await;
    (found, replay.wrong())
}

#[tokio::test]
async fn the_adapter_keeps_its_side() {
    let all = recordings::of("heroku");
    let mut wrong = Vec::new();
    for recording in all.values().filter(|recording| recording.call.is_some()) {
        let (found, otherwise) = replayed(&all, recording).await;
        wrong.extend(otherwise.into_iter().map(|wrong| format!("heroku/{}: {wrong}", recording.name)));
        recordings::holds("heroku", recording, &found);
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[tokio::test]
async fn the_simulator_keeps_its_side() {
    let (shapes, all) = (Shapes::of("heroku"), recordings::of("heroku"));
    let mut wrong = Vec::new();
    for recording in all.values().filter(|recording| recording.not_simulated.is_none()) {
        let (_world, stage) = stage(recording).await;
        let faults = stage.faults(&shapes, recording).await;
        wrong.extend(faults.into_iter().map(|fault| format!("heroku/{}: the simulator {fault}", recording.name)));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
