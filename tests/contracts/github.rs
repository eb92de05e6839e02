//! Recordings of GitHub: replayed against the adapter, and put to the simulator.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use slash_heroku::adapters::github::{GitHub, GitHubSettings};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::domain::names::{AnnouncementId, CommitSha, RefName, RepoName};
use slash_heroku::domain::source::{Report, Repository, Resolution};
use slash_heroku::ports::{AnnouncementOrder, ArchiveFault, SourceControl};
use slash_heroku::sandbox::clock::SteppedClock;
use slash_heroku::sandbox::company::GITHUB_TOKEN;
use slash_heroku::sandbox::github::{Fault, FaultRule, Protection, RepoSeed};
use slash_heroku::sandbox::script::{Outside, TABLE, read};
use slash_heroku::sandbox::world::World;

use super::recordings::{self, Recording};
use super::recordings_replay::{Jumping, Replay, TOKEN, fault, outcome};
use super::recordings_simulated::{Stage, client};
use super::shapes::Shapes;

pub const REPO: &str = "acme/hubot";

/// The commits of the recordings.
pub const MAIN: &str = "8fcbedd0c1a54e6f9b27d3104c8e5f6a7b9d0e11";
pub const OLDER: &str = "3d5c07be92f14a68b0e7c9d2458f6a13c7e0b922";
pub const TOPIC: &str = "27bd10a4e6c85f3971d2b0a8c4f6e5d3921b7a33";
pub const SLASHED: &str = "5e2f9b8c07d4416a83e9c1b6d0f7a5243b8e9c66";
pub const FORK: &str = "c40f6e21b7d95a830e4c1f2d6b8a7593e0d4c144";
pub const TAG: &str = "e19a7d5c30b8462f9e1d0c7a5b3f8264d9c0a255";
pub const LONE: &str = "9b64d2e7f0a1c3584e6d7b8091f2a3c4d5e6f777";
/// The number of the repository, and of the deployment.
pub const NUMBER: &str = "91430001";
pub const DEPLOYMENT: &str = "42700001";

fn arg<T: DeserializeOwned>(with: &Value, name: &str) -> T {
    serde_json::from_value(with[name].clone()).unwrap_or_else(|error| panic!("{name} of {with}: {error}"))
}

fn repository(with: &Value) -> Repository {
    Repository {
        name: RepoName::parse(with["repository"].as_str().unwrap_or(REPO)).unwrap(),
        default_branch: RefName::parse("main").unwrap(),
        may_deploy: Some(true),
        archived: false,
        web_url: format!("https://github.com/{REPO}"),
    }
}

fn order(with: &Value) -> AnnouncementOrder {
    AnnouncementOrder {
        deployment: arg(with, "deployment"),
        commit: arg(with, "commit"),
        environment: arg(with, "environment"),
        app: arg(with, "app"),
        description: arg(with, "description"),
    }
}

fn of_resolution(resolution: Resolution) -> Value {
    match resolution {
        Resolution::Found(found) => json!({ "commit": found.commit, "named_by": found.named_by, "provenance": found.provenance }),
        Resolution::Unknown { nearest } => json!({ "unknown": { "nearest": nearest } }),
        Resolution::BranchAndTag { branch, tag } => json!({ "both": { "branch": branch, "tag": tag } }),
        Resolution::AmbiguousHash => json!("several commits begin so"),
        Resolution::EmptyRepository => json!("the repository is empty"),
    }
}

/// Makes the call that a recording names, and says what came of it.
async fn made(github: &GitHub, recording: &Recording) -> Value {
    let token = SecretString::from(TOKEN);
    let with = &recording.with;
    let whole = repository(with);
    let name = &whole.name;
    match recording.call.as_deref().unwrap() {
        "SourceControl::repository" => outcome(github.repository(&token, name).await, |found| {
            let Repository { name, default_branch, may_deploy, archived, web_url } = found;
            json!({ "name": name, "default_branch": default_branch, "may_deploy": may_deploy, "archived": archived, "web_url": web_url })
        }),
        "SourceControl::resolve" => outcome(github.resolve(&token, &whole, &arg(with, "asked")).await, of_resolution),
        "SourceControl::checks" => {
            let checks = github.checks(&token, &whole, &arg(with, "named_by"), &arg(with, "commit")).await;
            outcome(checks, |checks| json!({ "required": checks.required, "reported": checks.reported }))
        }
        "SourceControl::compare" => {
            let (base, head): (CommitSha, CommitSha) = (arg(with, "base"), arg(with, "head"));
            outcome(github.compare(&token, name, &base, &head).await, |comparison| json!(comparison))
        }
        "SourceControl::announce" => outcome(github.announce(&token, name, &order(with)).await, |id| json!(id)),
        "SourceControl::find_announcement" => outcome(github.find_announcement(&token, name, &order(with)).await, |id| json!(id)),
        "SourceControl::report" => {
            let report = Report {
                state: arg(with, "state"),
                description: arg(with, "description"),
                log_url: arg(with, "log_url"),
                environment_url: arg(with, "environment_url"),
            };
            let to: AnnouncementId = arg(with, "to");
            outcome(github.report(&token, name, &to, &report).await, |()| Value::Null)
        }
        "SourceControl::archive" => match github.archive(&token, name, &arg(with, "commit")).await {
            Ok(archive) => json!({ "ok": { "length": archive.length, "sha256": archive.sha256 } }),
            Err(ArchiveFault::TooLarge { limit }) => json!({ "too_large": limit }),
            Err(ArchiveFault::DiskFull) => json!("the disk is full"),
            Err(ArchiveFault::Port(error)) => json!({ "fault": fault(&error) }),
        },
        other => panic!("{}: there is no call {other}", recording.name),
    }
}

#[tokio::test]
async fn the_adapter_keeps_its_side() {
    let all = recordings::of("github");
    let mut wrong = Vec::new();
    for recording in all.values().filter(|recording| recording.call.is_some()) {
        let replay = Replay::of(&["api", "web"], recording.takes().iter().map(|name| all[*name].clone())).await;
        let settings = GitHubSettings {
            api: BaseUrl::parse(replay.at("api")).unwrap(),
            web: BaseUrl::parse("https://github.com").unwrap(),
            archive_limit: recording.with["limit"].as_u64().unwrap_or(1 << 20),
            spool_dir: None,
        };
        let github = GitHub::new(settings, Jumping::new()).unwrap();
        if recording.is_made_again() {
            made(&github, recording).await;
        }
        let found = made(&github, recording).await;
        wrong.extend(replay.wrong().into_iter().map(|wrong| format!("github/{}: {wrong}", recording.name)));
        recordings::holds("github", recording, &found);
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Makes one thing happen: a directive of scripts, or one of the few that no script needs.
fn happens(world: &mut World, what: &str) -> Result<(), String> {
    let github = world.github.clone();
    match what {
        "an empty acme/empty" => {
            github.add_repository(RepoSeed { name: "acme/empty", private: true, default_branch: "main" })?;
            github.grant("ana", "acme/empty", slash_heroku::sandbox::github::Permission::Write)
        }
        "acme/hubot demands single sign-on" => github.require_saml(REPO),
        "ana's hour is used up" => github.set_remaining(GITHUB_TOKEN, 0),
        "ana is too fast" => {
            let fault = Fault::RateLimited { retry_after: Some(60), secondary: true };
            github.fail(FaultRule { method: None, path_contains: REPO.to_owned(), times: 1, fault });
            Ok(())
        }
        "the fork of #8 is deleted" => github.delete_fork(REPO, 8),
        "a plain tag v1.0" => github.tag(REPO, "v1.0", "main", false).map(drop),
        "many statuses" => (0..101).try_for_each(|number| github.set_status(REPO, "main", &format!("ci/part-{number}"), "success")),
        "main requires lint of one app by a ruleset" => {
            github.require(REPO, "main", &["ci/circleci"], Protection::Ruleset)?;
            github.require_from_app(REPO, "main", "lint", 15368, Protection::Ruleset)
        }
        "main requires lint of one app" => github.require_from_app(REPO, "main", "lint", 15368, Protection::Classic),
        "nothing protects main" => github.unprotect(REPO, "main"),
        "topic cannot be merged" => github.conflict(REPO, "topic"),
        directive => world.perform(&read(TABLE, directive)?),
    }
}

/// Posts as ana; gives the number of what was made.
async fn posted(world: &World, path: &str, body: &Value) -> String {
    let request = client().post(format!("{}{path}", world.github.api_url())).bearer_auth(GITHUB_TOKEN);
    let request = request.header("content-type", "application/json").body(body.to_string());
    let made: Value = serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
    made["id"].to_string()
}

/// The order of the deployment that recordings of deployments are about.
pub fn a_deployment_of(commit: &str) -> Value {
    json!({
        "ref": commit, "auto_merge": false, "required_contexts": [], "environment": "staging", "production_environment": false,
        "payload": { "slash_heroku": { "deployment": "01890000-0000-7000-8000-000000000001", "app": "hubot-staging" } },
    })
}

/// What happens as the stage is set.
pub const OF_STAGE: [&str; 2] = ["a deployment", "the branch of the lone commit stands"];

/// A company in which all that a recording names has happened.
async fn stage(recording: &Recording) -> (World, Stage) {
    let mut world = World::start(SteppedClock::new().for_the_world(), 0).await.unwrap();
    let mut names = Vec::new();
    let github = world.github.clone();
    // The company's tag stands at the commit before the newest; from now on it stands at the newest.
    let older = github.point(REPO, "older", "v1.0").unwrap();
    github.delete_branch(REPO, "older").unwrap();
    let tag = github.tag(REPO, "v1.0", "main", true).unwrap();
    // Asked for before anything happens that could change them.
    let repository = client().get(format!("{}/repos/{REPO}", github.api_url())).bearer_auth(GITHUB_TOKEN);
    let repository: Value = serde_json::from_slice(&repository.send().await.unwrap().bytes().await.unwrap()).unwrap();
    names.push((NUMBER.to_owned(), repository["id"].to_string()));
    names.push((TAG.to_owned(), tag));
    let heads = [(MAIN, "main"), (TOPIC, "topic"), (SLASHED, "feature/with/slash")]
        .map(|(recorded, branch)| (recorded, github.head(REPO, branch).unwrap()));
    let lone = github.push(REPO, "lone", "A branch that is gone", "ana").unwrap();
    if !recording.state.iter().any(|what| what == OF_STAGE[1]) {
        github.delete_branch(REPO, "lone").unwrap();
    }
    let fork = github.open_pull(REPO, 9, "other-idea", true).unwrap();
    let commits = heads.into_iter().chain([(OLDER, older), (FORK, fork), (LONE, lone)]);
    names.extend(commits.flat_map(|(recorded, own)| {
        // Short hashes too.
        let short = recorded[..7].to_owned();
        let own_short = own[..7].to_owned();
        [(recorded.to_owned(), own), (short, own_short)]
    }));
    for what in recording.state.iter().filter(|what| !OF_STAGE.contains(&what.as_str())) {
        happens(&mut world, what).unwrap_or_else(|error| panic!("github/{}: {error}", recording.name));
    }
    if recording.state.iter().any(|what| what == OF_STAGE[0]) {
        let body = a_deployment_of(&names.iter().find(|(recorded, _)| recorded == MAIN).unwrap().1);
        names.push((DEPLOYMENT.to_owned(), posted(&world, &format!("/repos/{REPO}/deployments"), &body).await));
    }
    if recording.request.host == "web" {
        // A link that was just given out; the recorded one has run out long ago.
        let sha = &names.iter().find(|(recorded, _)| recorded == MAIN).unwrap().1;
        let link = client().get(format!("{}/repos/{REPO}/tarball/{sha}", github.api_url())).bearer_auth(GITHUB_TOKEN);
        let link = link.send().await.unwrap().headers()["location"].to_str().unwrap().to_owned();
        names.push(("token=ARCHIVE-LINK-1".to_owned(), link.split_once('?').unwrap().1.to_owned()));
    }
    let addresses = BTreeMap::from([("api", github.api_url()), ("web", github.web_url())]);
    (world, Stage { addresses, names, token: GITHUB_TOKEN.to_owned() })
}

#[tokio::test]
async fn the_simulator_keeps_its_side() {
    let (shapes, all) = (Shapes::of("github"), recordings::of("github"));
    let mut wrong = Vec::new();
    for recording in all.values().filter(|recording| recording.not_simulated.is_none()) {
        let (_world, stage) = stage(recording).await;
        let faults = stage.faults(&shapes, recording).await;
        wrong.extend(faults.into_iter().map(|fault| format!("github/{}: the simulator {fault}", recording.name)));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
