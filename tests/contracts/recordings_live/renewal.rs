//! Renewing: what was recorded is asked again, and what is answered is held to the recording, scrubbed, and written in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::SignedDuration;
use serde_json::{Map, Value};
use slash_heroku::ports::Clock;

use super::account::{Account, Arranging};
use crate::contracts::recordings::{self, Recording, folder, in_form};
use crate::contracts::recordings_scrubbed::Scrubber;
use crate::contracts::recordings_simulated::{Got, Stage, faults_of, is_another};
use crate::contracts::shapes::Shapes;

/// What came of renewing a host's recordings.
#[derive(Debug, Default)]
pub struct Renewal {
    pub renewed: BTreeSet<String>,
    /// What was answered otherwise than recorded: the files that were renewed all the same say how the service answers now.
    pub otherwise: Vec<String>,
    /// What was answered with another status or by another name, so that the files stay as they were.
    pub another: BTreeMap<String, String>,
    /// What was not renewed, and why.
    pub left: BTreeMap<String, String>,
    /// All texts that were answered.
    pub answered: BTreeSet<String>,
}

/// Renews what can be renewed of a host.
pub async fn renew(account: &Account) -> Renewal {
    let host = account.service.host();
    let repository = folder(host);
    assert!(
        account.is_real() || !is_below(&account.fixtures, repository.parent().unwrap()),
        "only a real service renews the repository's fixtures"
    );
    let (all, shapes) = (recordings::of(host), Shapes::of(host));
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
            account.service.happens(what, &mut arranging).await;
        }
        so_far.clone_from(&recording.state);
        let got = patiently(recording, &arranging).await;
        let faults = faults_of(&got, &shapes, recording);
        if is_another(&got, recording) {
            renewal.another.insert(recording.name.clone(), format!("it {}", faults.join("; ")));
            continue;
        }
        renewal.otherwise.extend(faults.into_iter().map(|fault| format!("{}: it {fault}", recording.name)));
        write(account, &all, &arranging.stage, recording, &got, &mut renewal);
        renewal.renewed.insert(recording.name.clone());
    }
    renewal
}

/// Recordings that a real account may answer in another way although nothing has changed: it need not have what they show.
const LACKED: [(&str, &str, &str); 5] = [
    ("heroku", "feature-on", "Heroku opens the newer link service to some accounts and not to others"),
    ("heroku", "link-newer", "Heroku opens the newer link service to some accounts and not to others"),
    ("heroku", "link-none", "a pipeline may be linked at the older link service"),
    ("heroku", "release-without-output", "an app may have been released by a command that printed something"),
    ("heroku", "releases-first-page", "an app that was released once has all its releases on one page"),
];

impl Renewal {
    /// What is not true any more of what was recorded: each difference, and each answer of another kind but those of states that an
    /// account may lack.
    pub fn broken(&self, host: &str) -> Vec<String> {
        let may_be_lacked = |name: &str| LACKED.iter().any(|(of, lacked, _)| *of == host && *lacked == name);
        let another = self.another.iter().filter(|(name, _)| !may_be_lacked(name)).map(|(name, how)| format!("{name}: {how}"));
        self.otherwise.iter().cloned().chain(another).collect()
    }
}

#[test]
fn answers_of_another_kind_break_a_renewal() {
    let another = |names: &[&str]| {
        let another = names.iter().map(|name| ((*name).to_owned(), "it answers 403 no".to_owned())).collect();
        Renewal { another, ..Renewal::default() }
    };
    assert_eq!(
        another(&["deployment-made", "link-none"]).broken("github"),
        ["deployment-made: it answers 403 no", "link-none: it answers 403 no"]
    );
    assert_eq!(another(&["build-started", "link-none"]).broken("heroku"), ["build-started: it answers 403 no"]);
    let otherwise = Renewal { otherwise: vec!["pipelines: it has no header etag".to_owned()], ..Renewal::default() };
    assert_eq!(otherwise.broken("heroku"), ["pipelines: it has no header etag"]);
    assert_eq!(Renewal::default().broken("heroku"), [""; 0]);
}

#[test]
fn what_an_account_may_lack_is_recorded_and_has_a_reason() {
    for (host, name, why) in LACKED {
        assert!(recordings::of(host).contains_key(name), "there is no {host}/{name}");
        assert!(why.len() > 20, "{host}/{name}: why may it be lacked?");
    }
}

/// Asks what was recorded; where that comes too soon and the recording is of something else, again at the moment that is named.
async fn patiently(recording: &Recording, arranging: &Arranging) -> Got {
    let mut got = arranging.stage.ask(recording).await;
    for _ in 0..5 {
        let pause = got.header("retry-after").and_then(|seconds| seconds.parse().ok()).filter(|seconds| *seconds <= 60);
        let Some(seconds) = pause.filter(|_| got.status == 429 && recording.response.status != 429) else { break };
        arranging.clock.pause_until(arranging.clock.now() + SignedDuration::from_secs(seconds)).await;
        got = arranging.stage.ask(recording).await;
    }
    got
}

fn is_below(path: &Path, folder: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    whole(path).starts_with(whole(folder))
}

/// Headers whose text is kept as it came. Of all others, which hold ids, links and what is left of an allowance, it matters that they are there.
const KEPT: [&str; 3] = ["content-type", "accept-ranges", "retry-after"];

/// Writes a recording anew.
fn write(account: &Account, all: &BTreeMap<String, Recording>, stage: &Stage, recording: &Recording, got: &Got, renewal: &mut Renewal) {
    let host = account.service.host();
    let shapes: Value = serde_json::from_str(&std::fs::read_to_string(folder(host).join("shapes.json")).unwrap()).unwrap();
    let mut names = stage.names.clone();
    names.extend(stage.addresses.iter().map(|(part, address)| (account.service.in_bodies(part), address.clone())));
    let mut scrubber = Scrubber::new(all.values(), &shapes, &names, &account.secrets);
    let read = std::fs::read_to_string(folder(host).join(format!("{}.json", recording.name))).unwrap();
    let mut file: Map<String, Value> = serde_json::from_str(&read).unwrap();
    let body = if recording.response.is_json() {
        let found: Value = serde_json::from_slice(&got.body).unwrap();
        // The words of a refusal are kept where they name nothing.
        let refusal = got.status >= 400 || found["ok"] == false;
        if !refusal {
            texts(&found, &mut renewal.answered);
        }
        scrubber.body(&found, &recording.response.body, refusal)
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
    file.insert("provenance".to_owned(), if account.is_real() { "live" } else { "simulated" }.into());
    let text = in_form(&file);
    if let Some(secret) = scrubber.leak(&text) {
        panic!("{}/{}: {} characters that may not leave this machine; nothing is written", host, recording.name, secret.len());
    }
    let folder = account.fixtures.join(host);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{}.json", recording.name)), text).unwrap();
}

fn texts(value: &Value, all: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(all.insert(text.clone())),
        Value::Array(members) => members.iter().for_each(|member| texts(member, all)),
        Value::Object(members) => members.values().for_each(|member| texts(member, all)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What was renewed, in words.
pub fn told(host: &str, renewal: &Renewal) -> String {
    let left: Vec<String> = renewal.left.iter().map(|(name, why)| format!("  {name}: {why}")).collect();
    let otherwise: Vec<String> = renewal.otherwise.iter().map(|what| format!("  {what}")).collect();
    let another: Vec<String> = renewal
        .another
        .iter()
        .map(|(name, how)| {
            let why = LACKED.iter().find(|(of, lacked, _)| *of == host && lacked == name);
            why.map_or_else(|| format!("  {name}: {how}"), |(_, _, why)| format!("  {name}: {how} ({why})"))
        })
        .collect();
    let renewed = renewal.renewed.len();
    format!(
        "{host}: {renewed} renewed\nnot renewed:\n{}\nanswered with another status or by another name:\n{}\nanswered otherwise:\n{}\n",
        left.join("\n"),
        another.join("\n"),
        otherwise.join("\n")
    )
}
