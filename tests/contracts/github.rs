//! Recordings of GitHub: replayed against the adapter, and put to the simulator.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use slash_heroku::adapters::github::{AppKind, GitHub, GitHubSettings, GitHubSignIn, GitHubSignInSettings};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::domain::names::{AnnouncementId, CommitSha, RefName, RepoName};
use slash_heroku::domain::source::{Report, Repository, Resolution};
use slash_heroku::ports::{AnnouncementOrder, ArchiveFault, Extent, Granted, Proof, Revoked, SignInAt, SourceControl, Tokens};
use slash_heroku::sandbox::clock::SteppedClock;
use slash_heroku::sandbox::company::GITHUB_TOKEN;
use slash_heroku::sandbox::github::{self as simulated, AppSeed, Fault, FaultRule, Github, Limit, Protection, RepoSeed};
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

fn of_repository(found: Repository) -> Value {
    let Repository { name, default_branch, may_deploy, archived, web_url } = found;
    json!({ "name": name, "default_branch": default_branch, "may_deploy": may_deploy, "archived": archived, "web_url": web_url })
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

/// Our app, as it is registered in the recordings.
const CLIENT_ID: &str = "Iv1.INVENTED";
const CLIENT_SECRET: &str = "INVENTED-SECRET";
const CALLBACK: &str = "https://ship.example.com/back";

/// The same for a call of a sign-in.
async fn sign_in_made(recording: &Recording, replay: &Replay) -> Value {
    let with = &recording.with;
    let settings = GitHubSignInSettings {
        api: BaseUrl::parse(replay.at("api")).unwrap(),
        web: BaseUrl::parse(replay.at("login")).unwrap(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.into(),
        kind: match with["kind"].as_str().unwrap() {
            "github_app" => AppKind::GitHubApp,
            "oauth" => AppKind::OAuth { expiring: false },
            other => panic!("{}: there is no app {other}", recording.name),
        },
        callback: CALLBACK.parse().unwrap(),
    };
    sign_in_call(&GitHubSignIn::new(settings, Jumping::new()).unwrap(), recording).await
}

/// Makes the call of a sign-in that a recording names.
pub async fn sign_in_call(sign_in: &dyn SignInAt, recording: &Recording) -> Value {
    let with = &recording.with;
    let secret = |name: &str| with[name].as_str().map(SecretString::from);
    let tokens = || Tokens { access: secret("access").unwrap_or_else(|| TOKEN.into()), refresh: secret("refresh") };
    let proof = || Proof { verifier: secret("verifier").unwrap_or_else(|| "".into()), challenge: String::new() };
    match recording.call.as_deref().unwrap() {
        "SignInAt::exchange" => outcome(sign_in.exchange(secret("code").unwrap(), &proof()).await, of_granted),
        "SignInAt::renew" => outcome(sign_in.renew(&tokens()).await, of_granted),
        "SignInAt::who" => outcome(sign_in.who(&tokens().access).await, |who| json!({ "id": who.id, "name": who.name })),
        "SignInAt::revoke" => {
            let grant = with.get("grant").map(|_| arg(with, "grant"));
            let extent = if with.get("alone").is_some() { Extent::TheseTokens } else { Extent::Everything };
            outcome(sign_in.revoke(&tokens(), grant, extent).await, |revoked| match revoked {
                Revoked::Gone => json!("gone"),
                Revoked::OnlyByHand { page } => json!({ "only_by_hand": page }),
            })
        }
        other => panic!("{}: there is no call {other}", recording.name),
    }
}

fn of_granted(granted: Granted) -> Value {
    let Granted { tokens, life, scopes, rights, grant } = granted;
    let refresh = tokens.refresh.map(|refresh| refresh.expose_secret().to_owned());
    json!({ "access": tokens.access.expose_secret(), "refresh": refresh, "life": life, "scopes": scopes, "rights": rights, "grant": grant })
}

/// Makes the call that a recording names, and says what came of it.
async fn made(github: &GitHub, recording: &Recording, replay: &Replay) -> Value {
    let token = SecretString::from(TOKEN);
    let with = &recording.with;
    let whole = repository(with);
    let name = &whole.name;
    match recording.call.as_deref().unwrap() {
        "SourceControl::repository" => outcome(github.repository(&token, name).await, of_repository),
        "SourceControl::repository_for_deploy" => outcome(github.repository_for_deploy(&token, name).await, of_repository),
        "SourceControl::resolve" => outcome(github.resolve(&token, &whole, &arg(with, "asked")).await, of_resolution),
        "SourceControl::points_at" => outcome(github.points_at(&token, name, &arg(with, "named_by")).await, |commit| json!(commit)),
        "SourceControl::tags" => outcome(github.tags(&token, name).await, |names| json!(names)),
        "SourceControl::pulls" => outcome(github.pulls(&token, name).await, |pulls| json!(pulls)),
        "SourceControl::branches" => outcome(github.branches(&token, name).await, |names| json!(names)),
        "SourceControl::checks" => {
            let checks = github.checks(&token, &whole, &arg(with, "named_by"), &arg(with, "commit")).await;
            outcome(checks, |checks| json!({ "required": checks.required, "reported": checks.reported }))
        }
        "SourceControl::compare" => {
            let (base, head): (CommitSha, CommitSha) = (arg(with, "base"), arg(with, "head"));
            outcome(github.compare(&token, name, &base, &head).await, |comparison| json!(comparison))
        }
        "SourceControl::difference" => {
            let (base, head): (CommitSha, CommitSha) = (arg(with, "base"), arg(with, "head"));
            outcome(github.difference(&token, name, &base, &head).await, |difference| json!(difference))
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
        call if call.starts_with("SignInAt::") => sign_in_made(recording, replay).await,
        "SourceControl::archive" => match github.archive(&token, name, &arg(with, "commit")).await {
            Ok(archive) => json!({ "ok": { "length": archive.length, "sha256": archive.sha256 } }),
            Err(ArchiveFault::TooLarge { limit }) => json!({ "too_large": limit }),
            Err(ArchiveFault::DiskFull) => json!("the disk is full"),
            Err(ArchiveFault::Port(error)) => json!({ "fault": fault(&error) }),
        },
        other => panic!("{}: there is no call {other}", recording.name),
    }
}

/// What comes of the call that a recording begins, and what the adapter asks otherwise than it is recorded.
pub async fn replayed(all: &BTreeMap<String, Recording>, recording: &Recording) -> (Value, Vec<String>) {
    let replay = Replay::of(&["api", "web", "git", "login"], recording.takes().iter().map(|name| all[*name].clone())).await;
    let settings = GitHubSettings {
        api: BaseUrl::parse(replay.at("api")).unwrap(),
        web: BaseUrl::parse("https://github.com").unwrap(),
        git: Some(BaseUrl::parse(replay.at("git")).unwrap()),
        archive_limit: recording.with["limit"].as_u64().unwrap_or(1 << 20),
        spool_dir: None,
    };
    let github = GitHub::new(settings, Jumping::new()).unwrap();
    if recording.is_made_again() {
        made(&github, recording, &replay).await;
    }
    let found = made(&github, recording, &replay).await;
    (found, replay.wrong())
}

#[tokio::test]
async fn the_adapter_keeps_its_side() {
    let all = recordings::of("github");
    let mut wrong = Vec::new();
    for recording in all.values().filter(|recording| recording.call.is_some()) {
        let (found, otherwise) = replayed(&all, recording).await;
        wrong.extend(otherwise.into_iter().map(|wrong| format!("github/{}: {wrong}", recording.name)));
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
        "acme/hubot demands single sign-on" => github.require_saml(REPO, true),
        "ana's hour is used up" => github.set_remaining(GITHUB_TOKEN, 0),
        "ana is too fast" | "ana is to slow down" => {
            let limit = if what == "ana is too fast" { Limit::Secondary } else { Limit::SecondaryAs429 };
            let fault = Fault::RateLimited { retry_after: Some(60), limit };
            github.fail(FaultRule { method: None, path_contains: REPO.to_owned(), spared: 0, times: 1, fault });
            Ok(())
        }
        "many tags" => (0..31).try_for_each(|number| github.tag(REPO, &format!("v1.0-rc.{number}"), "main", false).map(drop)),
        "many rules of main" => (0..51).try_for_each(|number| github.require_besides(REPO, "main", &format!("part-{number}"))),
        "a part of acme/hubot is hidden" => github.hide_a_part(REPO),
        "acme/hubot is on a free plan" => github.free_plan(REPO),
        "a page of markup comes in place of the repository" => {
            github.fail(FaultRule { method: None, path_contains: format!("{REPO}$"), spared: 0, times: 1, fault: Fault::page(502) });
            Ok(())
        }
        "the fork of #8 is deleted" => github.delete_fork(REPO, 8),
        "a plain tag v1.0" => github.tag(REPO, "v1.0", "main", false).map(drop),
        "many statuses" => (0..101).try_for_each(|number| github.set_status(REPO, "main", &format!("ci/part-{number}"), "success")),
        "many runs" => (0..101)
            .try_for_each(|number| github.add_check_run(REPO, "main", &format!("part-{number}"), "completed", Some("success"), 15368)),
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

/// What happens at signing in.
const OF_SIGN_IN: [&str; 7] = [
    "an app whose tokens last",
    "a GitHub App",
    "an app with another secret",
    "ana agrees",
    "the code is used",
    "ana has signed in",
    "ana has withdrawn it",
];

/// Makes what a recording names happen at signing in; gives what stands for what was recorded. `None`: nothing happens there.
async fn sign_in_happens(github: &Github, state: &[String]) -> Option<Vec<(String, String)>> {
    let is = |what: &str| state.iter().any(|named| named == what);
    let other = is("an app with another secret");
    let kind = match (is("a GitHub App"), is("an app whose tokens last") || other) {
        (true, _) => simulated::AppKind::GitHubApp,
        (false, true) => simulated::AppKind::OAuth { expiring: false },
        (false, false) => return None,
    };
    let client_secret = if other { "ANOTHER-SECRET" } else { CLIENT_SECRET }.to_owned();
    github.add_app(AppSeed { client_id: CLIENT_ID, client_secret: client_secret.clone(), kind, callback: CALLBACK.to_owned() });
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let page = format!("?client_id={CLIENT_ID}&scope=repo&state=s&code_challenge={challenge}&code_challenge_method=S256");
    let back = github.agrees(Some("ana"), &page).unwrap();
    let code = back.split(['?', '&']).find_map(|part| part.strip_prefix("code=")).unwrap().to_owned();
    let mut names = vec![("INVENTED-CODE".to_owned(), code.clone())];
    if is("the code is used") || is("ana has signed in") {
        let form = format!("client_id={CLIENT_ID}&client_secret={client_secret}&code={code}&code_verifier={VERIFIER}");
        let asked = client().post(format!("{}/login/oauth/access_token", github.web_url())).header("accept", "application/json").body(form);
        let told: Value = serde_json::from_str(&asked.send().await.unwrap().text().await.unwrap()).unwrap();
        for (recorded, key) in [("INVENTED-ACCESS", "access_token"), ("INVENTED-REFRESH", "refresh_token")] {
            names.extend(told[key].as_str().map(|own| (recorded.to_owned(), own.to_owned())));
        }
    }
    if is("ana has withdrawn it") {
        github.withdraw_app("ana", CLIENT_ID);
    }
    Some(names)
}

/// The verifier of the recordings.
const VERIFIER: &str = "the-verifier-of-this-way-000000000000000000";

/// What happens as the stage is set.
pub const OF_STAGE: [&str; 5] =
    ["a deployment", "the branch of the lone commit stands", "many deployments of others", "topic is far ahead", "ana acts by the app"];

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
    let at_sign_in = sign_in_happens(&github, &recording.state).await;
    names.extend(at_sign_in.into_iter().flatten());
    let mut token = GITHUB_TOKEN.to_owned();
    let mut deployment = a_deployment_of(&names.iter().find(|(recorded, _)| recorded == MAIN).unwrap().1);
    let deployments = format!("/repos/{REPO}/deployments");
    for what in recording.state.iter().map(String::as_str).filter(|what| *what != OF_STAGE[1] && !OF_SIGN_IN.contains(what)) {
        if what == OF_STAGE[0] {
            names.push((DEPLOYMENT.to_owned(), posted(&world, &deployments, &deployment).await));
        } else if what == OF_STAGE[2] {
            deployment["payload"] = json!({ "somebody": 1 });
            for _ in 0..100 {
                posted(&world, &deployments, &deployment).await;
            }
        } else if what == OF_STAGE[3] {
            let mut newest = String::new();
            for number in 0..101 {
                newest = github.push(REPO, "topic", &format!("Step {number}"), "ana").unwrap();
            }
            names.retain(|(recorded, _)| recorded != TOPIC);
            names.insert(0, (TOPIC.to_owned(), newest));
        } else if what == OF_STAGE[4] {
            token.clone_from(&names.iter().find(|(recorded, _)| recorded == "INVENTED-ACCESS").unwrap().1);
        } else {
            happens(&mut world, what).unwrap_or_else(|error| panic!("github/{}: {error}", recording.name));
        }
    }
    if recording.request.host == "web" {
        // A link that was just given out; the recorded one has run out long ago.
        let sha = &names.iter().find(|(recorded, _)| recorded == MAIN).unwrap().1;
        let link = client().get(format!("{}/repos/{REPO}/tarball/{sha}", github.api_url())).bearer_auth(GITHUB_TOKEN);
        let link = link.send().await.unwrap().headers()["location"].to_str().unwrap().to_owned();
        names.push(("token=ARCHIVE-LINK-1".to_owned(), link.split_once('?').unwrap().1.to_owned()));
    }
    let addresses =
        BTreeMap::from([("api", github.api_url()), ("web", github.web_url()), ("git", github.web_url()), ("login", github.web_url())]);
    (world, Stage { addresses, names, token })
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
