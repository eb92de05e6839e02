//! Answers of the source control, and of its sign-in: a value or a typed error, whatever comes.

use secrecy::SecretString;
use serde_json::{Value, json};

use crate::adapters::github::{AppKind, GitHub, GitHubSettings, GitHubSignIn, GitHubSignInSettings};
use crate::domain::names::DeploymentId;
use crate::domain::pipeline::Environment;
use crate::domain::source::{AskedRef, CommitRef, Report, ReportState, Repository};
use crate::ports::{AnnouncementOrder, ArchiveFault, Forgets as _, SourceControl};

use super::answers::{Jumping, Stage, TOKEN, judged, of, tells_no_token};
use super::sign_in;

const SHA: &str = "27bd10a127bd10a127bd10a127bd10a127bd10a1";

/// How many calls there are in [`made`]; those of the sign-in come behind.
const OWN: u8 = 19;

/// The largest archive that is taken.
const ARCHIVE: u64 = 64 * 1024;

thread_local! {
    static STAGE: Stage<(GitHub, GitHubSignIn), Jumping> = Stage::set(Jumping::new(), |base, clock| {
        let sign_in = GitHubSignInSettings {
            api: base.clone(),
            web: base.clone(),
            client_id: "client".to_owned(),
            client_secret: "secret".into(),
            kind: AppKind::OAuth { expiring: true },
            callback: base.at(["back"]),
        };
        let sign_in = GitHubSignIn::new(sign_in, clock.clone()).map_err(|error| error.to_string())?;
        let github = GitHubSettings { api: base.clone(), web: base.clone(), git: Some(base), archive_limit: ARCHIVE, spool_dir: None };
        GitHub::new(github, clock).map(|github| (github, sign_in)).map_err(|error| error.to_string())
    });
}

pub(super) fn holds(bytes: &[u8]) {
    let (call, answers) = super::first(bytes);
    STAGE.with(|stage| {
        stage.clock.begin_again();
        let (github, sign_in) = &stage.adapter;
        match (call % (OWN + sign_in::CALLS)).checked_sub(OWN) {
            Some(call) => stage.answering(answers, sign_in::made(sign_in, call)),
            None => stage.answering(answers, made(github, call % (OWN + sign_in::CALLS))),
        }
    });
}

/// The number of a call in [`made`], by the name that recordings have for it.
pub(super) fn number(call: &str, with: &Value) -> Option<u8> {
    Some(match call {
        "SourceControl::repository" => 0,
        "SourceControl::repository_for_deploy" => 18,
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
        "SourceControl::branches" => 11,
        "SourceControl::tags" => 12,
        "SourceControl::pulls" => 13,
        "SourceControl::difference" => 14,
        "SourceControl::points_at" => match with.get("named_by") {
            Some(Value::Object(by)) if by.contains_key("tag") => 16,
            Some(Value::Object(by)) if by.contains_key("pull") => 17,
            _ => 15,
        },
        _ => return sign_in::number(call, with).map(|number| OWN + number),
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
    match call {
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
        11 => judged(&github.branches(&token, name).await),
        12 => judged(&github.tags(&token, name).await),
        13 => judged(&github.pulls(&token, name).await),
        14 => judged(&github.difference(&token, name, &of(json!("1".repeat(40))), &of(json!(SHA))).await),
        15 => judged(&github.points_at(&token, name, &CommitRef::Branch(of(json!("main")))).await),
        16 => judged(&github.points_at(&token, name, &CommitRef::Tag(of(json!("v1.0")))).await),
        17 => judged(&github.points_at(&token, name, &of(json!({ "pull": { "number": 7, "branch": "topic" } }))).await),
        18 => {
            // Only a repository that was described before is asked for at git itself, and not again for a while where that told nothing:
            // each case begins with nothing known.
            github.forget_credential(&token);
            judged(&github.repository_for_deploy(&token, name).await);
            judged(&github.repository_for_deploy(&token, name).await);
        }
        _ => judged(&github.resolve(&token, &repository, &of::<AskedRef>(json!({ "named": "27bd10a" }))).await),
    }
}
