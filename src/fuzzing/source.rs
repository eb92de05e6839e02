//! Answers of the source control: a value or a typed error, whatever comes.

use std::sync::Arc;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::adapters::github::{GitHub, GitHubSettings};
use crate::adapters::http::base_url::BaseUrl;
use crate::domain::names::DeploymentId;
use crate::domain::pipeline::Environment;
use crate::domain::source::{AskedRef, Report, ReportState, Repository};
use crate::ports::{AnnouncementOrder, ArchiveFault, PortError, SourceControl};

use super::answers::{Host, Jumping, TOKEN, runtime, tells_no_token};

const SHA: &str = "27bd10a127bd10a127bd10a127bd10a127bd10a1";

/// The largest archive that is taken.
const ARCHIVE: u64 = 64 * 1024;

struct Stage {
    runtime: Runtime,
    host: Host,
    github: GitHub,
    clock: Arc<Jumping>,
}

thread_local! {
    static STAGE: Stage = Stage::set().unwrap_or_else(|error| std::panic::panic_any(error));
}

impl Stage {
    fn set() -> Result<Self, String> {
        let runtime = runtime();
        let host = runtime.block_on(Host::open()).map_err(|error| error.to_string())?;
        let base = BaseUrl::parse(host.address()).map_err(|error| error.to_string())?;
        let clock = Jumping::new();
        let settings = GitHubSettings { api: base.clone(), web: base, archive_limit: ARCHIVE, spool_dir: None };
        let github = GitHub::new(settings, clock.clone()).map_err(|error| error.to_string())?;
        Ok(Self { runtime, host, github, clock })
    }
}

pub(super) fn holds(bytes: &[u8]) {
    let (call, answers) = super::first(bytes);
    STAGE.with(|stage| {
        stage.clock.begin_again();
        stage.runtime.block_on(stage.host.while_answering(answers, made(&stage.github, call)));
    });
}

fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap_or_else(|error| std::panic::panic_any(error.to_string()))
}

fn judged<T>(outcome: &Result<T, PortError>) {
    outcome.as_ref().err().into_iter().for_each(|error| tells_no_token(error, &error.to_string()));
}

/// The number of a call in [`made`], by the name that recordings have for it.
pub(super) fn number(call: &str, with: &Value) -> Option<u8> {
    Some(match call {
        "SourceControl::repository" => 0,
        "SourceControl::resolve" => match with.get("asked") {
            Some(Value::Object(asked)) if asked.contains_key("pull") => 2,
            Some(Value::Object(asked)) if asked.contains_key("pinned") => 3,
            _ => 1,
        },
        "SourceControl::checks" => 4,
        "SourceControl::compare" => 5,
        "SourceControl::announce" => 6,
        "SourceControl::find_announcement" => 7,
        "SourceControl::report" => 8,
        "SourceControl::archive" => 9,
        _ => return None,
    })
}

async fn made(github: &GitHub, call: u8) {
    let token = SecretString::from(TOKEN);
    let repository = Repository {
        name: of(json!("acme/hubot")),
        default_branch: of(json!("main")),
        may_deploy: None,
        archived: false,
        web_url: "https://github.com/acme/hubot".to_owned(),
    };
    let name = &repository.name;
    let order = || AnnouncementOrder {
        deployment: DeploymentId(uuid::Uuid::from_u128(7)),
        commit: of(json!(SHA)),
        environment: Environment::Staging,
        app: "hubot-staging".to_owned(),
        description: "a deploy".to_owned(),
    };
    match call % 11 {
        0 => judged(&github.repository(&token, name).await),
        1 => judged(&github.resolve(&token, &repository, &of::<AskedRef>(json!({ "named": "topic" }))).await),
        2 => judged(&github.resolve(&token, &repository, &AskedRef::Pull(7)).await),
        3 => {
            let pinned = of::<AskedRef>(json!({ "pinned": { "of": { "branch": "main" }, "commit": SHA } }));
            judged(&github.resolve(&token, &repository, &pinned).await);
        }
        4 => judged(&github.checks(&token, &repository, &of(json!({ "branch": "main" })), &of(json!(SHA))).await),
        5 => judged(&github.compare(&token, name, &of(json!("1".repeat(40))), &of(json!(SHA))).await),
        6 => judged(&github.announce(&token, name, &order()).await),
        7 => judged(&github.find_announcement(&token, name, &order()).await),
        8 => {
            let (description, link) = ("done".to_owned(), Some("https://example.com/log".to_owned()));
            let report = Report { state: ReportState::Success, description, log_url: link.clone(), environment_url: link };
            judged(&github.report(&token, name, &of(json!("42")), &report).await);
        }
        9 => match github.archive(&token, name, &of(json!(SHA))).await {
            Ok(archive) => assert!(archive.length <= ARCHIVE, "an archive is bounded"),
            Err(ArchiveFault::Port(error)) => tells_no_token(&error, &error.to_string()),
            Err(ArchiveFault::TooLarge { .. } | ArchiveFault::DiskFull) => {}
        },
        _ => judged(&github.resolve(&token, &repository, &of::<AskedRef>(json!({ "named": "27bd10a" }))).await),
    }
}
