//! Recordings renewed at the real services: `LIVE=1` with throw-away credentials, told in CONTRIBUTING.md.
//!
//! Each recording whose state can be brought about over the services' own interfaces is asked again; what is answered is held to the
//! recording, scrubbed and written in its place. Without `LIVE=1` the same is done with a sandbox that runs as a process of its own, and
//! what comes of it is written beside the repository and looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use jiff::SignedDuration;
use serde_json::{Map, Value};
use slash_heroku::adapters::clock::SystemClock;
use slash_heroku::adapters::http::base_url::is_loopback;
use slash_heroku::ports::Clock;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::github::{self, DEPLOYMENT, MAIN, NUMBER, OLDER, SLASHED, TAG, TOPIC, a_deployment_of};
use super::heroku::SOURCE;
use super::heroku_stage::{APPS, Asking, BUILD, GET, PIPELINES, RELEASE, SLUG};
use super::recordings::{self, Recording, folder, in_form};
use super::recordings_scrubbed::Scrubber;
use super::recordings_simulated::{Got, Stage, client, faults_of};
use super::shapes::Shapes;
use crate::support::folders;

/// The settings, and what they are where they are not set.
const SETTINGS: [(&str, &str); 11] = [
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
];

type Settings = BTreeMap<&'static str, String>;

fn settings(given: impl Fn(&str) -> Option<String>) -> Settings {
    SETTINGS.into_iter().map(|(name, otherwise)| (name, given(name).unwrap_or_else(|| otherwise.to_owned()))).collect()
}

fn from_environment(name: &str) -> Option<String> {
    std::env::vars_os().find(|(known, _)| known == name).map(|(_, value)| value.into_string().unwrap())
}

/// Whether what answers there is the service itself. What runs on this machine never is.
fn is_real(api: &str) -> bool {
    url::Url::parse(api).is_ok_and(|url| url.scheme() == "https" && !is_loopback(&url))
}

/// What came of renewing a host's recordings.
#[derive(Debug, Default)]
struct Renewal {
    renewed: BTreeSet<String>,
    /// What was answered otherwise than recorded: the files that were renewed all the same say how the service answers now.
    otherwise: Vec<String>,
    /// What was not renewed, and why.
    left: BTreeMap<String, String>,
    /// All texts that were answered.
    answered: BTreeSet<String>,
}

/// A throw-away account, and what of it stands for what the recordings name.
struct Account {
    host: &'static str,
    stage: Stage,
    real: bool,
    /// What no file may hold.
    secrets: Vec<String>,
    /// Where files are written: `FOLDER/<host>/NAME.json`.
    fixtures: PathBuf,
    archive: Vec<u8>,
}

/// Asks for JSON, as the person.
async fn read(url: String, token: &str, accept: &str) -> Result<Value, String> {
    let response = client().get(&url).bearer_auth(token).header("accept", accept).send().await.map_err(|error| error.to_string())?;
    let status = response.status();
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
    if status.is_success() { Ok(body) } else { Err(format!("{url} answers {status}")) }
}

const GITHUB_JSON: &str = "application/vnd.github+json";
const HEROKU_JSON: &str = "application/vnd.heroku+json; version=3";

impl Account {
    /// The repository of the settings. It needs a branch `main` of two commits or more; `topic`, `feature/with/slash` and an annotated tag
    /// `v1.0` are used where it has them.
    async fn github(settings: &Settings, fixtures: PathBuf) -> Result<Self, String> {
        let (api, token, name) = (&settings["LIVE_GITHUB_API"], &settings["LIVE_GITHUB_TOKEN"], &settings["LIVE_GITHUB_REPOSITORY"]);
        let get = |path: String| read(format!("{api}/repos/{name}{path}"), token, GITHUB_JSON);
        let repository = get(String::new()).await?;
        let head = get("/commits/main".to_owned()).await?;
        let mut names = vec![("acme/hubot".to_owned(), name.clone()), (NUMBER.to_owned(), repository["id"].to_string())];
        let mut commit = |recorded: &str, own: &Value| {
            let Some(own) = own.as_str() else { return };
            names.push((recorded.to_owned(), own.to_owned()));
            names.push((recorded[..7].to_owned(), own[..7].to_owned()));
        };
        commit(MAIN, &head["sha"]);
        commit(OLDER, &head["parents"][0]["sha"]);
        for (recorded, path) in [(TOPIC, "heads/topic"), (SLASHED, "heads/feature/with/slash"), (TAG, "tags/v1.0")] {
            if let Ok(found) = get(format!("/git/ref/{path}")).await {
                commit(recorded, &found["object"]["sha"]);
            }
        }
        let me = read(format!("{api}/user"), token, GITHUB_JSON).await?;
        let secrets =
            [token.clone(), me["email"].as_str().unwrap_or_default().to_owned()].into_iter().filter(|text| text.len() > 5).collect();
        let web = settings["LIVE_GITHUB_WEB"].clone();
        let addresses = BTreeMap::from([("api", api.clone()), ("web", web)]);
        let stage = Stage { addresses, names, token: token.clone() };
        Ok(Self { host: "github", stage, real: is_real(api), secrets, fixtures, archive: Vec::new() })
    }

    /// The pipeline and apps of the settings.
    async fn heroku(settings: &Settings, fixtures: PathBuf) -> Result<Self, String> {
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
            let found = read(format!("{api}/{path}/{own}"), token, HEROKU_JSON).await?;
            names.push((known.0.to_owned(), found["id"].as_str().unwrap_or_default().to_owned()));
            names.push((known.1.to_owned(), own.clone()));
        }
        let me = read(format!("{api}/account"), token, HEROKU_JSON).await?;
        let mail = me["email"].as_str().unwrap_or_default().to_owned();
        let source = &settings["LIVE_HEROKU_SOURCE"];
        let archive =
            if source.is_empty() { SOURCE.as_bytes().to_vec() } else { std::fs::read(source).map_err(|error| error.to_string())? };
        let addresses = BTreeMap::from([("api", api.clone()), ("links", settings["LIVE_HEROKU_LINKS"].clone())]);
        let stage = Stage { addresses, names, token: token.clone() };
        Ok(Self { host: "heroku", stage, real: is_real(api), secrets: vec![token.clone(), mail], fixtures, archive })
    }

    /// Why a recording cannot be renewed here; nothing, if it can.
    fn obstacle(&self, recording: &Recording) -> Option<String> {
        if let Some(why) = &recording.not_simulated {
            return Some(format!("a service cannot be made to: {why}"));
        }
        let hosts_are_there = self.stage.addresses.contains_key(recording.request.host.as_str());
        if !hosts_are_there {
            return Some(format!("the address of {} is a secret of a moment", recording.request.host));
        }
        if self.host == "github" && recording.request.host == "web" {
            return Some("the link to an archive is a secret of a moment".to_owned());
        }
        if let Some(what) = recording.state.iter().find(|what| !self.can_be_so(what)) {
            return Some(format!("nobody can bring about on a real account: {what}"));
        }
        let asked = format!("{} {} {}", recording.request.path, recording.request.query, recording.request.body);
        let missing = self.unknown_names(&asked, recording);
        // What is not found need not be there.
        (!missing.is_empty() && recording.response.status != 404).then(|| format!("the account has nothing for {}", missing.join(", ")))
    }

    fn can_be_so(&self, what: &str) -> bool {
        match self.host {
            "github" => ["a deployment", "github has no token"].contains(&what),
            _ => {
                let app = |words: &str| what == format!("{words} {}", APPS[0].1);
                ["an address for a source", "a source", "time passes", "heroku has no token"].contains(&what)
                    || app("a build of")
                    || app("the newest release of")
            }
        }
    }

    /// Names of recordings that stand in a request and of which the account has none.
    fn unknown_names(&self, asked: &str, recording: &Recording) -> Vec<&'static str> {
        let all: &[&'static str] = if self.host == "github" {
            &[MAIN, OLDER, TOPIC, SLASHED, TAG, github::FORK, github::LONE, DEPLOYMENT, NUMBER, "pulls/7", "pulls/8", "pulls/9"]
        } else {
            &[PIPELINES[0].0, PIPELINES[1].0, APPS[0].0, APPS[1].0, APPS[2].0, APPS[3].0, BUILD, RELEASE, SLUG]
        };
        let brought_about = |name: &str| {
            let by = |words: &str| recording.state.iter().any(|what| what.starts_with(words));
            match name {
                DEPLOYMENT => by("a deployment"),
                BUILD => by("a build of"),
                // The newest release is looked up first of all.
                RELEASE | SLUG => true,
                _ => false,
            }
        };
        let there = |name: &str| self.stage.names.iter().any(|(recorded, _)| recorded == name);
        // Commits are asked for by their short hashes too.
        let short = |name: &str| if name.len() == 40 { name[..7].to_owned() } else { name.to_owned() };
        all.iter().copied().filter(|name| asked.contains(&short(name)) && !there(name) && !brought_about(name)).collect()
    }
}

/// Brings about what recordings name, one thing after the other.
struct Arranging<'a> {
    account: &'a Account,
    asking: Asking,
    token: String,
    clock: SystemClock,
}

impl<'a> Arranging<'a> {
    async fn begin(account: &'a Account) -> Self {
        let Stage { addresses, names, token } = &account.stage;
        let asking = Asking { api: addresses["api"].clone(), token: token.clone(), source: account.archive.clone(), names: names.clone() };
        let mut arranging = Self { account, asking, token: token.clone(), clock: SystemClock::default() };
        if account.host == "heroku" {
            let app = arranging.own(APPS[0].1);
            arranging.asking.newest_of(&app).await;
        }
        arranging
    }

    /// The account's own name.
    fn own(&self, recorded: &str) -> String {
        self.asking.names.iter().find(|(known, _)| known == recorded).map_or_else(|| recorded.to_owned(), |(_, own)| own.clone())
    }

    async fn happens(&mut self, what: &str) {
        let app = self.own(APPS[0].1);
        match what {
            "github has no token" | "heroku has no token" => self.token = "not-a-token-of-anybody".to_owned(),
            "a deployment" => {
                let url = format!("{}/repos/{}/deployments", self.asking.api, self.own("acme/hubot"));
                let body = a_deployment_of(&self.own(MAIN));
                let made = client().post(url).bearer_auth(&self.asking.token).header("content-type", "application/json");
                let made = made.body(body.to_string()).send().await.unwrap();
                assert_eq!(made.status(), 201, "a deployment is made");
                let made: Value = serde_json::from_slice(&made.bytes().await.unwrap()).unwrap();
                self.asking.name(DEPLOYMENT, &made["id"].to_string());
            }
            "an address for a source" => drop(self.asking.source().await),
            "a source" => {
                let get = self.asking.uploaded().await;
                // Where storage is, is told with each address only.
                self.asking.names.insert(0, (format!("{{storage}}{GET}"), get));
            }
            "time passes" => self.until_built(&app).await,
            _ if what.starts_with("a build of") => self.asking.build_of(&app).await,
            _ if what.starts_with("the newest release of") => self.asking.newest_of(&app).await,
            _ => panic!("{what} cannot be brought about"),
        }
    }

    /// Waits until the build is over and what it released is as well.
    async fn until_built(&mut self, app: &str) {
        let build = self.own(BUILD);
        loop {
            let state = self.asking.ask("GET", &format!("/apps/{app}/builds/{build}"), &Value::Null).await;
            if state["status"] != "pending" {
                return;
            }
            self.clock.pause_until(self.clock.now() + SignedDuration::from_millis(250)).await;
        }
    }

    fn stage(&self) -> Stage {
        Stage { addresses: self.account.stage.addresses.clone(), names: self.asking.names.clone(), token: self.token.clone() }
    }
}

/// Renews what can be renewed of a host.
async fn renew(account: &Account) -> Renewal {
    let repository = folder(account.host);
    assert!(
        account.real || !is_below(&account.fixtures, repository.parent().unwrap()),
        "only a real service renews the repository's fixtures"
    );
    let (all, shapes) = (recordings::of(account.host), Shapes::of(account.host));
    let mut renewal = Renewal::default();
    let mut wanted: Vec<&Recording> = Vec::new();
    for recording in all.values() {
        match account.obstacle(recording) {
            Some(why) => drop(renewal.left.insert(recording.name.clone(), why)),
            None => wanted.push(recording),
        }
    }
    // What begins alike is brought about once; what changes something comes to a stage of its own, after all that only reads.
    let changes = |recording: &Recording| recording.request.method != "GET";
    wanted.sort_by_key(|recording| (changes(recording), recording.state.clone()));
    let mut arranging = Arranging::begin(account).await;
    let mut so_far: Vec<String> = Vec::new();
    for recording in wanted {
        if changes(recording) || !recording.state.starts_with(&so_far) {
            arranging = Arranging::begin(account).await;
            so_far = Vec::new();
        }
        for what in &recording.state[so_far.len()..] {
            arranging.happens(what).await;
        }
        so_far.clone_from(&recording.state);
        let stage = arranging.stage();
        let got = stage.ask(recording).await;
        let faults = faults_of(&got, &shapes, recording);
        if got.status != recording.response.status {
            renewal.left.insert(recording.name.clone(), format!("it {}", faults.join("; ")));
            continue;
        }
        renewal.otherwise.extend(faults.into_iter().map(|fault| format!("{}: it {fault}", recording.name)));
        write(account, &all, &stage, recording, &got, &mut renewal);
        renewal.renewed.insert(recording.name.clone());
    }
    renewal
}

fn is_below(path: &Path, folder: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    whole(path).starts_with(whole(folder))
}

/// Headers whose text is kept as it came. Of all others, which hold ids, links and what is left of an allowance, it matters that they are there.
const KEPT: [&str; 3] = ["content-type", "accept-ranges", "retry-after"];

/// Writes a recording anew.
fn write(account: &Account, all: &BTreeMap<String, Recording>, stage: &Stage, recording: &Recording, got: &Got, renewal: &mut Renewal) {
    let shapes: Value = serde_json::from_str(&std::fs::read_to_string(folder(account.host).join("shapes.json")).unwrap()).unwrap();
    let mut names = stage.names.clone();
    names.extend(stage.addresses.iter().map(|(host, address)| (in_bodies(account.host, host), address.clone())));
    let mut scrubber = Scrubber::new(all.values(), &shapes, &names, &account.secrets);
    let read = std::fs::read_to_string(folder(account.host).join(format!("{}.json", recording.name))).unwrap();
    let mut file: Map<String, Value> = serde_json::from_str(&read).unwrap();
    let body = if recording.response.is_json() {
        let found: Value = serde_json::from_slice(&got.body).unwrap();
        // The words of a refusal are kept where they name nothing.
        if got.status < 400 {
            texts(&found, &mut renewal.answered);
        }
        scrubber.body(&found, &recording.response.body, got.status >= 400)
    } else {
        // Of archives, uploads and streams only the outside is recorded anew.
        recording.response.body.clone()
    };
    let mut headers = Map::new();
    for (name, before) in &recording.response.headers {
        let Some(now) = got.header(name) else { continue };
        let says = if KEPT.contains(&name.as_str()) {
            now
        } else {
            renewal.answered.insert(now);
            before.clone()
        };
        headers.insert(name.clone(), says.into());
    }
    let mut response = Map::from_iter([("headers".to_owned(), Value::Object(headers)), ("status".to_owned(), got.status.into())]);
    if !body.is_null() {
        response.insert("body".to_owned(), body);
    }
    file.insert("response".to_owned(), Value::Object(response));
    file.insert("provenance".to_owned(), if account.real { "live" } else { "simulated" }.into());
    let text = in_form(&file);
    if let Some(secret) = scrubber.leak(&text) {
        panic!("{}/{}: {} characters that may not leave this machine; nothing is written", account.host, recording.name, secret.len());
    }
    let folder = account.fixtures.join(account.host);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{}.json", recording.name)), text).unwrap();
}

/// How the address of a host stands in bodies of recordings.
fn in_bodies(service: &str, host: &str) -> String {
    match (service, host) {
        ("github", "api") => "https://api.github.com".to_owned(),
        ("github", "web") => "https://github.com".to_owned(),
        _ => format!("{{{host}}}"),
    }
}

fn texts(value: &Value, all: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(all.insert(text.clone())),
        Value::Array(members) => members.iter().for_each(|member| texts(member, all)),
        Value::Object(members) => members.values().for_each(|member| texts(member, all)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
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
        _ => exported.get(&name.replace("LIVE_", "SLASH_HEROKU_")).cloned(),
    });
    (process, settings)
}

/// What was renewed, in words.
fn told(host: &str, renewal: &Renewal) -> String {
    let left: Vec<String> = renewal.left.iter().map(|(name, why)| format!("  {name}: {why}")).collect();
    let otherwise: Vec<String> = renewal.otherwise.iter().map(|what| format!("  {what}")).collect();
    let renewed = renewal.renewed.len();
    format!("{host}: {renewed} renewed\nnot renewed:\n{}\nanswered otherwise:\n{}\n", left.join("\n"), otherwise.join("\n"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recordings_are_renewed_and_hold_no_secret() {
    let live = from_environment("LIVE").is_some_and(|value| value == "1");
    let beside = folders::in_memory();
    let (_sandbox, settings, fixtures) = if live {
        (None, settings(from_environment), folder("github").parent().unwrap().to_owned())
    } else {
        let (process, settings) = sandbox().await;
        (Some(process), settings, beside.path().to_owned())
    };
    let mut accounts = Vec::new();
    if !settings["LIVE_GITHUB_TOKEN"].is_empty() {
        accounts.push(Account::github(&settings, fixtures.clone()).await.unwrap());
    }
    if !settings["LIVE_HEROKU_TOKEN"].is_empty() {
        accounts.push(Account::heroku(&settings, fixtures.clone()).await.unwrap());
    }
    assert!(!accounts.is_empty(), "LIVE=1 wants LIVE_GITHUB_TOKEN or LIVE_HEROKU_TOKEN and what belongs to it: see CONTRIBUTING.md");
    let mut report = String::new();
    for account in &accounts {
        let renewal = renew(account).await;
        report += &told(account.host, &renewal);
        if !live {
            looked_at(account, &renewal);
        }
    }
    // Whoever renews reads this, with `--nocapture`.
    println!("{report}");
}

/// What the sandbox gave is like what was recorded, and nothing of it is told that was not known.
#[track_caller]
fn looked_at(account: &Account, renewal: &Renewal) {
    let host = account.host;
    let (all, least) = (recordings::of(host), if host == "github" { 44 } else { 35 });
    assert!(renewal.renewed.len() >= least, "{}", told(host, renewal));
    assert_eq!(renewal.renewed.len() + renewal.left.len(), all.len(), "each is renewed or has a reason");
    assert!(renewal.otherwise.is_empty(), "{}", told(host, renewal));
    let unexpected: Vec<_> = renewal.left.iter().filter(|(_, why)| why.starts_with("it ")).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    let shapes = Shapes::of(host);
    let before: String = all.keys().map(|name| std::fs::read_to_string(folder(host).join(format!("{name}.json"))).unwrap()).collect();
    let words = std::fs::read_to_string(folder(host).join("shapes.json")).unwrap();
    let news: Vec<&String> =
        renewal.answered.iter().filter(|text| text.len() > 6 && !before.contains(*text) && !words.contains(*text)).collect();
    assert!(news.len() > 20, "the sandbox has names of its own: {news:?}");
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
    let account = Account { host: "github", stage, real: false, secrets: Vec::new(), fixtures, archive: Vec::new() };
    renew(&account).await;
}
