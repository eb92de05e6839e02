//! A small company, so that there is something to ship: people, repositories, pipelines, apps and their past.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::github::{self, Permission, Protection, RepoSeed};
use super::heroku::{AppRight, AppSeed, ClientSeed, LinkService, PipelineSeed, ReleaseSeed};
use super::slack;
use super::world::World;

/// The workspace of the person the service works for, and her id there.
pub const ANA: (&str, &str) = ("T1", "U1");
/// Ana's token at GitHub. Make-believe, like all that follows.
pub const GITHUB_TOKEN: &str = "sandbox-github-token-of-ana-5ec4e75041";
/// Ana's token at Heroku.
pub const HEROKU_TOKEN: &str = "sandbox-heroku-token-of-ana-5ec4e75041";
/// Where the service says that it is, where people sign in.
pub const PUBLIC: &str = "https://ship.example.com";
/// Where services send people back to.
const BACK: &str = "https://ship.example.com/login/back";
/// Our GitHub App.
pub const GITHUB_APP: &str = "Iv23lisandboxgithubapp";
/// Our OAuth app at GitHub, in its place.
pub const OAUTH_APP: &str = "Ov23lisandboxoauthapp0";
/// The client id of one whose tokens end by themselves.
pub const ENDING_APP: &str = "Ov23lisandboxoauthends";
/// All of them.
pub const APPS: [&str; 3] = [GITHUB_APP, OAUTH_APP, ENDING_APP];
/// The secret of either.
const GITHUB_APP_SECRET: &str = "sandbox-github-app-secret-5ec4e75041";
/// Our client at Heroku.
pub const HEROKU_CLIENT: &str = "11110000-aaaa-4aaa-8aaa-00005ec4e750";
/// Its secret.
const HEROKU_CLIENT_SECRET: &str = "sandbox-heroku-client-secret-5ec4e75041";
/// What tokens are sealed with, and the key that comes after it. 32 bytes in base64.
pub const KEYS: [&str; 2] = ["first:5ec4e75041keysandboxkeysandboxkeysandboxkeA=", "second:5ec4e75041twosandboxtwosandboxtwosandboxtwA="];

/// How Slack knows the app.
const SLACK_CLIENT: &str = "1111111111.2222222222";
const SLACK_CLIENT_SECRET: &str = "5ec4e75041of-our-app-at-slack";

/// The settings with which people sign in, in place of one person's tokens.
pub fn sign_in_settings(app: &str) -> Vec<(&'static str, String)> {
    let kind = match app {
        GITHUB_APP => "github-app",
        ENDING_APP => "oauth-expiring",
        _ => "oauth",
    };
    let settings = [
        ("SLASH_HEROKU_PERSON_WORKSPACE", ""),
        ("SLASH_HEROKU_PERSON_USER", ""),
        ("SLASH_HEROKU_GITHUB_TOKEN", ""),
        ("SLASH_HEROKU_HEROKU_TOKEN", ""),
        ("SLASH_HEROKU_PUBLIC_URL", PUBLIC),
        ("SLASH_HEROKU_SEALING_KEYS", KEYS[0]),
        ("SLASH_HEROKU_GITHUB_APP", kind),
        ("SLASH_HEROKU_GITHUB_CLIENT_ID", app),
        ("SLASH_HEROKU_GITHUB_CLIENT_SECRET", GITHUB_APP_SECRET),
        ("SLASH_HEROKU_HEROKU_CLIENT_ID", HEROKU_CLIENT),
        ("SLASH_HEROKU_HEROKU_CLIENT_SECRET", HEROKU_CLIENT_SECRET),
    ];
    settings.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}

/// Has services send people back to a service at this address, in place of [`PUBLIC`].
pub fn people_come_back_to(world: &World, public: &str) -> Result<(), String> {
    let back = format!("{public}/login/back");
    APPS.into_iter().try_for_each(|app| world.github.sends_back_to(app, &back))?;
    world.heroku.sends_back_to(HEROKU_CLIENT, &back)
}

/// The settings with which workspaces install the app, beside those with which people sign in.
pub fn install_settings() -> Vec<(&'static str, String)> {
    let own = [
        ("SLASH_HEROKU_SLACK_BOT_TOKEN", ""),
        ("SLASH_HEROKU_SLACK_CLIENT_ID", SLACK_CLIENT),
        ("SLASH_HEROKU_SLACK_CLIENT_SECRET", SLACK_CLIENT_SECRET),
    ];
    own.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}

/// The app as Slack knows it, whose tokens end by themselves or not.
pub fn slack_app(rotates: bool) -> slack::AppSeed {
    let (client_id, client_secret) = (SLACK_CLIENT.to_owned(), SLACK_CLIENT_SECRET.to_owned());
    slack::AppSeed { client_id, client_secret, redirect: format!("{PUBLIC}/slack/installed"), rotates }
}

/// Registers our apps, so that people can sign in with them.
fn apps(world: &World) -> Result<(), String> {
    for client_id in APPS {
        let kind = match client_id {
            GITHUB_APP => github::AppKind::GitHubApp,
            other => github::AppKind::OAuth { expiring: other == ENDING_APP },
        };
        let (client_secret, callback) = (GITHUB_APP_SECRET.to_owned(), BACK.to_owned());
        world.github.add_app(github::AppSeed { client_id, client_secret, kind, callback });
    }
    world.heroku.add_client(ClientSeed {
        id: HEROKU_CLIENT.to_owned(),
        secret: HEROKU_CLIENT_SECRET.to_owned(),
        redirect_uri: BACK.to_owned(),
    });
    world.github.install_app(GITHUB_APP, TEAM)
}

/// Ana's one-time codes at Heroku; each works once.
pub const CODES: [&str; 2] = ["123456", "654321"];
/// The system that reports check runs.
pub const CI_APP: u64 = 15368;
/// The status that tells whether a commit is good.
pub const CI: &str = "ci/circleci";

const TEAM: &str = "acme";

/// An app as the company has it.
struct Plan {
    name: &'static str,
    stage: &'static str,
    dynos: u32,
    second_factor: bool,
    release_phase: bool,
}

const fn app(name: &'static str, stage: &'static str) -> Plan {
    Plan { name, stage, dynos: 1, second_factor: false, release_phase: false }
}

/// A pipeline: its name, its repository, which service knows that, and its apps.
struct Line {
    name: &'static str,
    owner: Option<&'static str>,
    repository: Option<(&'static str, LinkService)>,
    apps: &'static [Plan],
}

const COMPANY: &[Line] = &[
    Line {
        name: "hubot",
        owner: None,
        repository: Some(("acme/hubot", LinkService::Newer)),
        apps: &[app("hubot-staging", "staging"), app("hubot-production", "production")],
    },
    Line {
        name: "web",
        owner: None,
        repository: Some(("acme/web", LinkService::Newer)),
        apps: &[
            app("web-pr-7", "review"),
            app("web-dev", "development"),
            app("web-staging", "staging"),
            Plan { dynos: 2, ..app("web-eu", "production") },
            Plan { dynos: 2, ..app("web-us", "production") },
        ],
    },
    Line {
        name: "shop",
        owner: None,
        repository: Some(("acme/shop", LinkService::Older)),
        apps: &[
            Plan { release_phase: true, ..app("shop-staging", "staging") },
            Plan { release_phase: true, ..app("shop-production", "production") },
        ],
    },
    Line {
        name: "vault",
        owner: None,
        repository: Some(("acme/vault", LinkService::Newer)),
        apps: &[app("vault-staging", "staging"), Plan { second_factor: true, ..app("vault-production", "production") }],
    },
    Line {
        name: "cron",
        owner: None,
        repository: Some(("acme/cron", LinkService::Older)),
        apps: &[Plan { dynos: 0, ..app("cron-staging", "staging") }],
    },
    Line { name: "legacy", owner: None, repository: Some(("acme/legacy", LinkService::Newer)), apps: &[app("legacy-staging", "staging")] },
    Line {
        name: "site",
        owner: None,
        repository: Some(("acme/site", LinkService::Newer)),
        apps: &[app("site-staging", "staging"), app("site-production", "production")],
    },
    Line {
        name: "site",
        owner: Some("ana@example.com"),
        repository: Some(("acme/site-sketch", LinkService::Older)),
        apps: &[app("site-sketch", "staging")],
    },
    Line { name: "orphan", owner: None, repository: None, apps: &[app("orphan-staging", "staging")] },
];

/// Fills a world. `now` is when it begins; the past of the apps lies before it.
pub fn seed(world: &World, now: Timestamp) -> Result<(), String> {
    people(world);
    apps(world)?;
    for line in COMPANY {
        let heads = match line.repository {
            Some((repository, _)) => Some(repository_of(world, repository)?),
            None => None,
        };
        pipeline(world, line, heads.as_ref(), now)?;
    }
    world.github.require("acme/hubot", "main", &[CI], Protection::Classic)?;
    world.github.require("acme/web", "main", &[CI], Protection::Ruleset)?;
    world.heroku.next_build_fails("legacy-staging")
}

fn people(world: &World) {
    let slack = &world.slack;
    slack.add_user(ANA.1, "ana", ANA.0);
    slack.add_user("U2", "bob", ANA.0);
    // The same id in another workspace is another person.
    slack.add_user(ANA.1, "mallory", "T2");
    slack.add_channel("C1", "general", true);
    slack.add_channel("C2", "quiet", false);
    slack.add_channel_in("T2", "C3", "elsewhere", true);
    world.github.add_user(GITHUB_TOKEN, "ana");
    world.github.add_user("sandbox-github-token-of-bob-5ec4e75041", "bob");
    world.heroku.add_user(HEROKU_TOKEN, "ana@example.com", &CODES, true);
    world.heroku.add_user("sandbox-heroku-token-of-bob-5ec4e75041", "bob@example.com", &[], true);
}

/// The commits that the past of the apps shipped.
struct Heads {
    first: String,
    second: String,
}

/// A private repository with branches in every state, tags and pull requests.
fn repository_of(world: &World, name: &str) -> Result<Heads, String> {
    let github = &world.github;
    github.add_repository(RepoSeed { name, private: true, default_branch: "main" })?;
    github.grant("ana", name, Permission::Admin)?;
    github.grant("bob", name, Permission::Read)?;
    let first = github.push(name, "main", "Begin", "ana")?;
    let second = github.push(name, "main", "Greet people by their names", "bob")?;
    github.tag(name, "v1.0", "main", true)?;
    github.push(name, "main", "Answer faster", "ana")?;
    for (branch, message, author) in [
        ("topic", "Try a kinder greeting", "bob"),
        ("red", "Break a test", "bob"),
        ("pending", "Change and wait", "ana"),
        ("feature/with/slash", "Start a feature", "ana"),
    ] {
        github.push(name, branch, message, author)?;
    }
    for (branch, state) in
        [("main", "success"), ("topic", "success"), ("red", "failure"), ("pending", "pending"), ("feature/with/slash", "success")]
    {
        github.set_status(name, branch, CI, state)?;
        github.add_check_run(name, branch, "build", "completed", Some("success"), CI_APP)?;
    }
    github.set_status(name, &second, CI, "success")?;
    github.open_pull(name, 7, "topic", false)?;
    github.open_pull(name, 8, "outside-idea", true)?;
    Ok(Heads { first, second })
}

fn pipeline(world: &World, line: &Line, heads: Option<&Heads>, now: Timestamp) -> Result<(), String> {
    let heroku = &world.heroku;
    let (owner_type, owner) = line.owner.map_or(("team", TEAM), |email| ("user", email));
    let seed = PipelineSeed { name: line.name.to_owned(), owner_type: owner_type.to_owned(), owner: owner.to_owned() };
    let id = heroku.add_pipeline(seed);
    if let Some((repository, service)) = line.repository {
        heroku.link(id, repository, service)?;
    }
    line.apps.iter().try_for_each(|plan| add_app(world, id, plan, heads, now))
}

fn add_app(world: &World, pipeline: Uuid, plan: &Plan, heads: Option<&Heads>, now: Timestamp) -> Result<(), String> {
    let heroku = &world.heroku;
    heroku.add_app(AppSeed {
        name: plan.name.to_owned(),
        pipeline_id: Some(pipeline),
        stage: plan.stage.to_owned(),
        dynos: plan.dynos,
        second_factor: plan.second_factor,
        release_phase: plan.release_phase,
        build_seconds: 4,
        release_seconds: 2,
        boot_seconds: 2,
    })?;
    heroku.made_at(plan.name, now.checked_sub(SignedDuration::from_hours(24 * 30)).unwrap_or(now))?;
    heroku.grant("ana@example.com", plan.name, AppRight::Deploy)?;
    heroku.grant("bob@example.com", plan.name, AppRight::View)?;
    let Some(heads) = heads else { return Ok(()) };
    let commit = if plan.stage == "production" { &heads.first } else { &heads.second };
    let description = format!("Deploy {}", commit.chars().take(8).collect::<String>());
    let at = now.checked_sub(SignedDuration::from_hours(24 * 7)).unwrap_or(now);
    heroku.add_release(
        plan.name,
        ReleaseSeed { description, commit: Some(commit.clone()), by: "bob@example.com".to_owned(), at, failed: false },
    )?;
    Ok(())
}
