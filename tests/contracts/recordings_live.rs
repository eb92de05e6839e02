//! Recordings renewed at the real services: `LIVE=1` with throw-away credentials, told in CONTRIBUTING.md.
//!
//! Each recording whose state can be brought about over the services' own interfaces is asked again; what is answered is held to the
//! recording, scrubbed and written in its place, and the adapters are held to what it means. Without `LIVE=1` the same is done with a
//! sandbox that runs as a process of its own, and what comes of it is written beside the repository and looked at.

pub mod account;
mod github;
mod heroku;
mod meanings;
mod renewal;
mod slack;

use std::collections::BTreeMap;
use std::process::Stdio;

use slash_heroku::adapters::slack::outbound::API;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use self::account::Account;
pub use self::account::is_real;
use self::meanings::{Understood, understood};
use self::renewal::{Renewal, renew, told};
use super::recordings::{self, Recording, folder};
use super::recordings_simulated::{Got, Stage, faults_of};
use super::shapes::Shapes;
use crate::support::folders;

/// The settings, and what they are where they are not set.
const SETTINGS: [(&str, &str); 15] = [
    ("LIVE_GITHUB_API", "https://api.github.com"),
    ("LIVE_GITHUB_WEB", "https://github.com"),
    ("LIVE_GITHUB_TOKEN", ""),
    ("LIVE_GITHUB_REPOSITORY", ""),
    ("LIVE_HEROKU_API", "https://api.heroku.com"),
    ("LIVE_HEROKU_LINKS", "https://kolkrabbi.heroku.com"),
    ("LIVE_HEROKU_TOKEN", ""),
    ("LIVE_HEROKU_PIPELINE", ""),
    ("LIVE_HEROKU_STAGING", ""),
    ("LIVE_HEROKU_PRODUCTION", ""),
    ("LIVE_HEROKU_SOURCE", ""),
    ("LIVE_SLACK_API", API),
    ("LIVE_SLACK_TOKEN", ""),
    ("LIVE_SLACK_CHANNEL", ""),
    ("LIVE_SLACK_USER", ""),
];

pub type Settings = BTreeMap<&'static str, String>;

fn settings(given: impl Fn(&str) -> Option<String>) -> Settings {
    SETTINGS.into_iter().map(|(name, otherwise)| (name, given(name).unwrap_or_else(|| otherwise.to_owned()))).collect()
}

fn from_environment(name: &str) -> Option<String> {
    std::env::vars_os().find(|(known, _)| known == name).map(|(_, value)| value.into_string().unwrap())
}

/// The simulated services as a process of their own, and settings that lead there.
async fn sandbox() -> (tokio::process::Child, Settings) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slash-heroku"));
    command.args(["sandbox", "--serve", "--port", "0", "--child"]).env_clear();
    // It ends with its input, also when this process is killed.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut exported = BTreeMap::new();
    let last = "SLASH_HEROKU_HEROKU_LINKS";
    while !exported.contains_key(last) {
        let line = lines.next_line().await.unwrap().expect("it says where it is");
        if let Some((name, value)) = line.strip_prefix("export ").and_then(|rest| rest.split_once('=')) {
            exported.insert(name.to_owned(), value.to_owned());
        }
    }
    let settings = settings(|name| match name {
        "LIVE_GITHUB_REPOSITORY" => Some("acme/hubot".to_owned()),
        "LIVE_HEROKU_PIPELINE" => Some("hubot".to_owned()),
        "LIVE_HEROKU_STAGING" => Some("hubot-staging".to_owned()),
        "LIVE_HEROKU_PRODUCTION" => Some("hubot-production".to_owned()),
        "LIVE_SLACK_CHANNEL" => Some("C1".to_owned()),
        "LIVE_SLACK_USER" => Some("U1".to_owned()),
        "LIVE_SLACK_TOKEN" => exported.get("SLASH_HEROKU_SLACK_BOT_TOKEN").cloned(),
        _ => exported.get(&name.replace("LIVE_", "SLASH_HEROKU_")).cloned(),
    });
    (process, settings)
}

/// Whether the real services are meant.
fn is_live() -> bool {
    from_environment("LIVE").is_some_and(|value| value == "1")
}

/// Where the services are: the real ones with `LIVE=1`, else a sandbox, which ends when it is dropped.
pub async fn services() -> (Option<tokio::process::Child>, Settings) {
    if is_live() {
        return (None, settings(from_environment));
    }
    let (process, settings) = sandbox().await;
    (Some(process), settings)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_are_renewed_and_hold_no_secret() {
    let live = is_live();
    let beside = folders::in_memory();
    let (_sandbox, settings) = services().await;
    let fixtures = if live { folder("github").parent().unwrap().to_owned() } else { beside.path().to_owned() };
    let mut accounts = Vec::new();
    if !settings["LIVE_GITHUB_TOKEN"].is_empty() {
        accounts.push(github::account(&settings, fixtures.clone()).await.unwrap());
    }
    if !settings["LIVE_HEROKU_TOKEN"].is_empty() {
        accounts.push(heroku::account(&settings, fixtures.clone()).await.unwrap());
    }
    if !settings["LIVE_SLACK_TOKEN"].is_empty() {
        accounts.push(slack::account(&settings, fixtures.clone()).await.unwrap());
    }
    assert!(!accounts.is_empty(), "LIVE=1 wants a token of a service and what belongs to it: see CONTRIBUTING.md");
    let (mut report, mut broken) = (String::new(), Vec::new());
    for account in &accounts {
        let renewal = renew(account).await;
        let Understood { alike, otherwise } = understood(account, &renewal).await;
        report += &told(account.service.host(), &renewal);
        report += &format!("{alike} calls understand the answers as before\nunderstood otherwise:\n  {}\n", otherwise.join("\n  "));
        if !live {
            looked_at(account, &renewal, alike);
        }
        let host = account.service.host();
        broken.extend(renewal.broken(host).into_iter().chain(otherwise).map(|what| format!("{host}/{what}")));
    }
    // Whoever renews reads this, with `--nocapture`.
    println!("{report}");
    assert!(broken.is_empty(), "what was recorded is not true any more:\n{}", broken.join("\n"));
}

/// What the sandbox gave is like what was recorded, and nothing of it is told that was not known.
#[track_caller]
fn looked_at(account: &Account, renewal: &Renewal, alike: usize) {
    let host = account.service.host();
    let all = recordings::of(host);
    // How many are renewed, how many calls these belong to, and how many texts the sandbox has of its own.
    let (least, calls, names) = match host {
        "github" => (61, 90, 20),
        "heroku" => (80, 84, 20),
        _ => (40, 53, 5),
    };
    assert!(renewal.renewed.len() >= least, "{}", told(host, renewal));
    assert!(alike >= calls, "{host}: {alike} calls understand what is answered");
    // A sandbox has all that recordings show.
    assert!(renewal.another.is_empty(), "{:#?}", renewal.another);
    assert_eq!(renewal.renewed.len() + renewal.left.len(), all.len(), "each is renewed or has a reason");
    let shapes = Shapes::of(host);
    let before: String = all.keys().map(|name| std::fs::read_to_string(folder(host).join(format!("{name}.json"))).unwrap()).collect();
    let words = std::fs::read_to_string(folder(host).join("shapes.json")).unwrap();
    let news: Vec<&String> =
        renewal.answered.iter().filter(|text| text.len() > 6 && !before.contains(*text) && !words.contains(*text)).collect();
    assert!(news.len() > names, "the sandbox has names of its own: {news:?}");
    for name in &renewal.renewed {
        let text = std::fs::read_to_string(account.fixtures.join(host).join(format!("{name}.json"))).unwrap();
        let renewed: Recording = serde_json::from_str(&text).unwrap();
        assert_eq!(renewed.provenance, "simulated", "{host}/{name}: nothing that a sandbox says is live");
        assert_eq!(renewed.request.path, all[name].request.path, "{host}/{name}: what is asked stays as it is");
        let got = Got {
            status: renewed.response.status,
            headers: renewed.response.headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
            body: renewed.response.body.to_string().into_bytes(),
        };
        if renewed.response.is_json() {
            let faults = faults_of(&got, &shapes, &all[name]);
            assert!(faults.is_empty(), "{host}/{name}: {faults:#?}\n{text}");
        }
        let told: Vec<&&String> = news.iter().filter(|news| text.contains(news.as_str())).collect();
        assert!(told.is_empty(), "{host}/{name} tells {told:?}\n{text}");
        for secret in account.secrets.iter().chain([&"127.0.0.1".to_owned()]) {
            assert!(!text.contains(secret.as_str()) || before.contains(secret.as_str()), "{host}/{name} tells a secret");
        }
    }
}

#[test]
fn only_the_services_themselves_are_live() {
    for (api, real) in [
        ("https://api.github.com", true),
        ("https://github.example.com/api/v3", true),
        ("http://127.0.0.1:7102", false),
        ("https://127.0.0.1:7102", false),
        ("http://localhost:1", false),
        ("http://api.github.com", false),
        ("nonsense", false),
    ] {
        assert_eq!(is_real(api), real, "{api}");
    }
}

#[tokio::test]
#[should_panic(expected = "only a real service renews the repository's fixtures")]
async fn a_sandbox_never_writes_into_the_repository() {
    let stage =
        Stage { addresses: BTreeMap::from([("api", "http://127.0.0.1:9".to_owned())]), names: Vec::new(), token: "none".to_owned() };
    let fixtures = folder("github").parent().unwrap().to_owned();
    let account = Account { service: Box::new(github::GitHub), stage, secrets: Vec::new(), fixtures };
    renew(&account).await;
}
