//! Recordings: one exchange with an outside service per file, each a treaty with two sides.
//!
//! The real adapter, replayed against it, must ask exactly that and turn the answer into what the file says it means. The
//! simulator, asked the same in the state that the file names, must answer alike. `UPDATE=1` writes what calls mean, and the form.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::shapes::Shapes;
use crate::readme::{block_is, updating};

/// Where a recording comes from, in the order in which it is trusted.
pub const PROVENANCES: [&str; 4] = ["live", "published example", "written from schema", "unverified"];

/// The hosts that have recordings.
pub const HOSTS: [&str; 3] = ["github", "heroku", "slack"];

/// Files of a host's folder that are no recordings: shapes, and the vectors that the signature's own tests read.
const OTHERS: [&str; 2] = ["shapes", "signing"];

/// The order of a recording's own keys.
const KEYS: [&str; 12] =
    ["about", "provenance", "source", "call", "with", "asks", "means", "state", "instead", "not_simulated", "request", "response"];

/// One exchange.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// The file's name, without its ending.
    #[serde(skip)]
    pub name: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// One of [`PROVENANCES`].
    pub provenance: String,
    /// Where its shape comes from.
    pub source: String,
    /// The port's call that begins with this exchange. Without one the recording is a later part of another's call.
    pub call: Option<String>,
    /// The call's arguments.
    #[serde(default)]
    pub with: Value,
    /// The recordings that the call takes, in order, this one among them; only this one, if not said.
    #[serde(default)]
    pub asks: Vec<String>,
    /// What comes of the call.
    #[serde(default)]
    pub means: Value,
    /// What has to happen in the simulated world for the simulator to answer so.
    #[serde(default)]
    pub state: Vec<String>,
    /// What is put into the request's body for the simulator: where our adapter never asks in the way that brings this answer.
    #[serde(default)]
    pub instead: Map<String, Value>,
    /// Why the simulator cannot answer so.
    pub not_simulated: Option<String>,
    /// What is asked.
    pub request: Asked,
    /// What is answered.
    pub response: Answered,
}

/// A request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Which of the service's hosts.
    pub host: String,
    /// The method.
    pub method: String,
    /// The path, as it is sent.
    pub path: String,
    /// The query, as it is sent.
    #[serde(default)]
    pub query: String,
    /// The headers that matter, all of them. `{token}` stands for the token.
    pub headers: BTreeMap<String, String>,
    /// The body: JSON, or another text.
    #[serde(default)]
    pub body: Value,
}

/// An answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The headers that matter. `{api}` and such stand for the addresses of the hosts.
    pub headers: BTreeMap<String, String>,
    /// The body: JSON, or another text; `hex:` begins bytes.
    #[serde(default)]
    pub body: Value,
}

impl Recording {
    /// Whether the call is made twice, so that the second can build on the first.
    pub fn is_made_again(&self) -> bool {
        self.with["again"] == true
    }

    /// The names of the recordings that the call takes.
    pub fn takes(&self) -> Vec<&str> {
        if self.asks.is_empty() { vec![&self.name] } else { self.asks.iter().map(String::as_str).collect() }
    }
}

impl Asked {
    /// Whether shapes describe its body and its answer's: those of everything but archives, uploads and streams.
    pub fn is_described(&self) -> bool {
        ["api", "links", "login", "hooks", "service"].contains(&self.host.as_str())
    }

    /// Its content type.
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get("content-type").map(String::as_str)
    }
}

impl Answered {
    /// What kind of answer it is among those of one status, where the body says so: that it is a refusal, and by which name.
    pub fn kind_of(body: &Value) -> Option<(&Value, Option<&Value>)> {
        Some((body.get("ok").filter(|ok| ok.is_boolean())?, body.get("error")))
    }

    /// Whether it is JSON.
    pub fn is_json(&self) -> bool {
        self.headers.get("content-type").is_some_and(|kind| kind.starts_with("application/json"))
    }

    /// Its one word, if that is all it says.
    pub fn word(&self) -> Option<&str> {
        let plain = self.headers.get("content-type").is_some_and(|kind| kind.starts_with("text/plain"));
        self.body.as_str().filter(|text| plain && !text.contains(char::is_whitespace))
    }

    /// The body as bytes.
    pub fn bytes(&self, fill: impl Fn(&str) -> String) -> Vec<u8> {
        match &self.body {
            Value::Null => Vec::new(),
            Value::String(text) if text.starts_with("hex:") => {
                let digits: Vec<u8> = text.bytes().skip(4).collect();
                digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
            }
            Value::String(text) if !self.is_json() => text.clone().into_bytes(),
            body => fill(&body.to_string()).into_bytes(),
        }
    }
}

/// The folder of a host's recordings.
pub fn folder(host: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(host)
}

/// All recordings of a host, by name.
pub fn of(host: &str) -> BTreeMap<String, Recording> {
    let files = fs::read_dir(folder(host)).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path))
        .filter(|(name, _)| !OTHERS.contains(&name.as_str()))
        .map(|(name, path)| {
            let read = serde_json::from_str::<Recording>(&fs::read_to_string(&path).unwrap());
            let recording = read.unwrap_or_else(|error| panic!("fixtures/{host}/{name}.json: {error}"));
            (name.clone(), Recording { name, ..recording })
        })
        .collect()
}

/// Holds what came of a call to what the recording says, or writes it there.
#[track_caller]
pub fn holds(host: &str, recording: &Recording, found: &Value) {
    if *found == recording.means {
        return;
    }
    let name = &recording.name;
    assert!(updating(), "{host}/{name}: comes to\n{found:#}\nand not to\n{:#}", recording.means);
    let path = folder(host).join(format!("{name}.json"));
    let mut file: Map<String, Value> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    file.insert("means".to_owned(), found.clone());
    fs::write(path, in_form(&file)).unwrap();
}

/// A recording's text: its keys in their order, and everything that fits on a line on one.
pub fn in_form(file: &Map<String, Value>) -> String {
    let members = KEYS.iter().filter_map(|key| file.get(*key).map(|value| format!("  \"{key}\": {}", laid_out(value, 2, key.len() + 4))));
    format!("{{\n{}\n}}\n", members.collect::<Vec<_>>().join(",\n"))
}

fn laid_out(value: &Value, indent: usize, before: usize) -> String {
    let line = on_one_line(value);
    if indent + before + line.len() < 140 {
        return line;
    }
    let pad = " ".repeat(indent + 2);
    let (members, open, close): (Vec<String>, _, _) = match value {
        Value::Object(members) if !members.is_empty() => {
            let member = |(key, value): (&String, &Value)| {
                format!("{pad}{}: {}", Value::from(key.as_str()), laid_out(value, indent + 2, key.len() + 4))
            };
            (members.iter().map(member).collect(), '{', '}')
        }
        Value::Array(members) if !members.is_empty() => {
            (members.iter().map(|value| format!("{pad}{}", laid_out(value, indent + 2, 0))).collect(), '[', ']')
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => return line,
    };
    format!("{open}\n{}\n{}{close}", members.join(",\n"), " ".repeat(indent))
}

fn on_one_line(value: &Value) -> String {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let member = |(key, value): (&String, &Value)| format!("{}: {}", Value::from(key.as_str()), on_one_line(value));
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::Array(members) => format!("[{}]", members.iter().map(on_one_line).collect::<Vec<_>>().join(", ")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => value.to_string(),
    }
}

#[test]
fn every_recording_is_used_and_says_where_it_comes_from() {
    for host in HOSTS {
        let recordings = of(host);
        let mut unused: BTreeSet<&str> = recordings.keys().map(String::as_str).collect();
        for (name, recording) in &recordings {
            assert!(PROVENANCES.contains(&recording.provenance.as_str()), "{host}/{name}: `{}` is no provenance", recording.provenance);
            assert!(recording.source.len() > 10 && recording.about.ends_with('.'), "{host}/{name}: source or sentence is missing");
            assert!(recording.not_simulated.is_none() || recording.state.is_empty(), "{host}/{name}: a state, and not simulated");
            match &recording.call {
                Some(_) => {
                    let takes = recording.takes();
                    assert!(takes.contains(&name.as_str()), "{host}/{name}: its own call does not take it");
                    let missing: Vec<_> = takes.iter().filter(|taken| !recordings.contains_key(**taken)).collect();
                    assert!(missing.is_empty(), "{host}/{name}: there is no {missing:?}");
                    unused.retain(|unused| !takes.contains(unused));
                }
                None => {
                    assert!(recording.asks.is_empty() && recording.means.is_null() && recording.with.is_null(), "{host}/{name}: of no call")
                }
            }
        }
        assert!(unused.is_empty(), "nothing uses {unused:?} of fixtures/{host}");
    }
}

#[test]
fn every_recording_has_its_form() {
    for host in HOSTS {
        for name in of(host).keys() {
            let path = folder(host).join(format!("{name}.json"));
            let found = fs::read_to_string(&path).unwrap();
            let wanted = in_form(&serde_json::from_str(&found).unwrap());
            if found != wanted {
                assert!(updating(), "fixtures/{host}/{name}.json is laid out in another way: run the tests with UPDATE=1");
                fs::write(path, wanted).unwrap();
            }
        }
    }
}

#[test]
fn every_recording_is_of_the_published_shape() {
    for host in HOSTS {
        let (shapes, recordings) = (Shapes::of(host), of(host));
        let mut faults = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for recording in recordings.values().filter(|recording| recording.request.is_described()) {
            let Asked { method, path, body, .. } = &recording.request;
            let call = shapes.call(method, path);
            seen.extend([format!("{call} {}", recording.response.status), format!("{call} request")]);
            let mut found = shapes.faults_of_request(method, path, body);
            if recording.response.is_json() {
                found.extend(shapes.faults_of_answer(method, path, recording.response.status, &recording.response.body));
            }
            faults.extend(found.into_iter().map(|fault| format!("{host}/{}: {fault}", recording.name)));
        }
        for (call, parts) in shapes.described() {
            let unused = parts.into_iter().map(|part| format!("{call} {part}")).filter(|part| !seen.contains(part));
            faults.extend(unused.map(|part| format!("{host}/shapes.json describes {part}, of which there is no recording")));
        }
        assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    }
}

#[test]
fn the_readme_counts_the_recordings() {
    let count = |host: &str, provenance: &str| of(host).values().filter(|recording| recording.provenance == provenance).count();
    let mut table = format!("| Recordings of | {} | Together |\n|---|{}\n", PROVENANCES.join(" | "), "---|".repeat(PROVENANCES.len() + 1));
    for (host, name) in HOSTS.into_iter().zip(["GitHub", "Heroku", "Slack"]) {
        let counts: Vec<usize> = PROVENANCES.iter().map(|provenance| count(host, provenance)).collect();
        let cells: String = counts.iter().map(|count| format!(" {count} |")).collect();
        table += &format!("| {name} |{cells} {} |\n", counts.iter().sum::<usize>());
    }
    block_is("README.md", "recordings", &table);
}
