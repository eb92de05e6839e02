//! Answers of the platform, those of its sign-in, and bytes of its streams: a value or a typed error, whatever comes.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::adapters::heroku::{Heroku, HerokuSettings, HerokuSignIn, HerokuSignInSettings};
use crate::domain::names::{AppId, BuildId, DeploymentId};
use crate::ports::{ArchiveBody, BuildOrder, Platform, Printed, PromotionOrder, ReturnOrder, SourceArchive, UploadedSource};

use super::answers::{Jumping, Stage, TOKEN, judged, of};
use super::sign_in;

const ID: &str = "22222222-bbbb-4bbb-8bbb-000000000001";
const TARGET: &str = "22222222-bbbb-4bbb-8bbb-000000000002";
const RELEASE: &str = "44444444-dddd-4ddd-8ddd-000000000001";
const SLUG: &str = "55555555-eeee-4eee-8eee-000000000001";
const CODE: &str = "94037182";

/// How many calls there are in [`made`]; those of the sign-in come behind.
const OWN: u8 = 22;

thread_local! {
    static STAGE: Stage<(Heroku, HerokuSignIn), Jumping> = Stage::set(Jumping::new(), |base, clock| {
        let sign_in = HerokuSignInSettings {
            api: base.clone(),
            id: base.clone(),
            dashboard: base.clone(),
            client_id: "client".to_owned(),
            client_secret: "secret".into(),
        };
        let sign_in = HerokuSignIn::new(sign_in, clock.clone()).map_err(|error| error.to_string())?;
        let heroku = Heroku::new(HerokuSettings { api: base.clone(), links: base.clone(), dashboard: base }, clock);
        heroku.map(|heroku| (heroku, sign_in)).map_err(|error| error.to_string())
    });
}

/// A source that is given at once.
#[derive(Debug)]
struct Text(Option<&'static [u8]>);

#[async_trait]
impl ArchiveBody for Text {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        Ok(self.0.take().map(Bytes::from_static))
    }

    async fn rewind(&mut self) -> std::io::Result<()> {
        self.0 = Some(b"source");
        Ok(())
    }
}

pub(super) fn holds(bytes: &[u8]) {
    let (call, answers) = super::first(bytes);
    STAGE.with(|stage| {
        stage.clock.begin_again();
        let (heroku, sign_in) = &stage.adapter;
        match (call % (OWN + sign_in::CALLS)).checked_sub(OWN) {
            Some(call) => stage.answering(answers, sign_in::made(sign_in, call)),
            None => stage.answering(answers, made(heroku, stage.host.address(), call % (OWN + sign_in::CALLS))),
        }
    });
}

/// The number of a call in [`made`], by the name that recordings have for it.
pub(super) fn number(call: &str, with: &Value) -> Option<u8> {
    Some(match call {
        "Platform::pipelines" => 0,
        "Platform::apps" => 1,
        "Platform::linked_repository" => 2,
        "Platform::access" => 3,
        "Platform::spend_code" => 4,
        "Platform::upload" => 5,
        "Platform::start_build" => 6,
        "Platform::find_build" => 7,
        "Platform::build" => 8,
        "Platform::stop_build" => 9,
        "Platform::release" => 10,
        "Platform::releases" => 11,
        "Platform::running" => 12,
        "Platform::dynos" => 13,
        "Platform::output" if with.get("release").is_some() => 15,
        "Platform::output" => 14,
        "Platform::roll_back" => 16,
        "Platform::find_return" => 17,
        "Platform::promote" => 18,
        "Platform::promotion" => 19,
        "Platform::find_promoted" => 20,
        "Platform::commit_of" => 21,
        _ => return sign_in::number(call, with).map(|number| OWN + number),
    })
}

/// A way back, as recordings have it.
fn way_back() -> ReturnOrder {
    ReturnOrder { to: of(json!(RELEASE)), code: of(json!(SLUG)), newest: 2, since: Timestamp::UNIX_EPOCH }
}

/// A promotion, as recordings have it.
fn promotion() -> PromotionOrder {
    PromotionOrder {
        pipeline: of(json!(ID)),
        from: of(json!(ID)),
        release: of(json!(RELEASE)),
        commit: of(json!("8fcbedd0c1a54e6f9b27d3104c8e5f6a7b9d0e11")),
        newest: 2,
        since: Timestamp::UNIX_EPOCH,
    }
}

async fn made(heroku: &Heroku, host: &str, call: u8) {
    let token = SecretString::from(TOKEN);
    let (app, build): (AppId, BuildId) = (of(json!(ID)), of(json!(ID)));
    let deployment = DeploymentId(uuid::Uuid::from_u128(7));
    match call {
        0 => judged(&heroku.pipelines(&token).await),
        1 => judged(&heroku.apps(&token, &of(json!(ID))).await),
        2 => judged(&heroku.linked_repository(&token, &of(json!(ID))).await),
        3 => _ = heroku.access(&token, &app).await,
        4 => {
            let outcome = heroku.spend_code(&token, &app, SecretString::from(CODE)).await;
            assert!(!format!("{outcome:?}").contains(CODE), "a code is repeated");
            judged(&outcome);
        }
        5 => {
            let archive = SourceArchive { length: 6, sha256: "0".repeat(64), body: Box::new(Text(Some(b"source"))) };
            judged(&heroku.upload(&token, archive).await);
        }
        6 => {
            let address = format!("{host}/source?signature=Zm9vYmFyYmF6cXV4");
            let source = UploadedSource { address: address.as_str().into(), sha256: "0".repeat(64), at: Timestamp::UNIX_EPOCH };
            let order = BuildOrder { source, commit: of(json!("2".repeat(40))), repository: of(json!("acme/hubot")), deployment };
            let outcome = heroku.start_build(&token, &app, &order).await;
            assert!(!format!("{outcome:?}").contains("Zm9vYmFyYmF6cXV4"), "a link to a source is repeated");
            judged(&outcome);
        }
        7 => judged(&heroku.find_build(&token, &app, deployment, Timestamp::UNIX_EPOCH).await),
        8 => judged(&heroku.build(&token, &app, &build).await),
        9 => judged(&heroku.stop_build(&token, &app, &build).await),
        10 => judged(&heroku.release(&token, &app, &of(json!(ID))).await),
        11 => judged(&heroku.releases(&token, &app, 10).await),
        12 => judged(&heroku.running(&token, &app).await),
        13 => judged(&heroku.dynos(&token, &app).await),
        16 => judged(&heroku.roll_back(&token, &app, &way_back()).await),
        17 => judged(&heroku.find_return(&token, &app, &way_back()).await),
        18 => judged(&heroku.promote(&token, &of(json!(TARGET)), &promotion()).await),
        19 => judged(&heroku.promotion(&token, &of(json!(TARGET)), &build).await),
        20 => judged(&heroku.find_promoted(&token, &of(json!(TARGET)), &promotion()).await),
        21 => judged(&heroku.commit_of(&token, &app, &of(json!(ID))).await),
        other => {
            let printed = if other == 15 { Printed::Release(of(json!(ID))) } else { Printed::Build(build) };
            let outcome = heroku.output(&token, &app, &printed, 30).await;
            judged(&outcome);
            let output = outcome.ok().flatten().unwrap_or_default();
            assert!(output.lines().count() <= 30 && !output.contains(TOKEN), "an output is bounded and cleaned");
        }
    }
}
