//! Side B: the simulator, asked what was recorded, has to answer as recorded: status, content type, every key, the same types.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use http::HeaderMap;
use serde_json::Value;

use super::recordings::{Answered, Recording};
use super::recordings_bodies as bodies;
use super::recordings_replay::with_token;
use super::shapes::{Shapes, kind};

/// Where the simulated service is, and what stands there for the names in the recordings.
#[derive(Debug)]
pub struct Stage {
    /// The addresses of its hosts.
    pub addresses: BTreeMap<&'static str, String>,
    /// Ids of the recordings, and the simulator's.
    pub names: Vec<(String, String)>,
    /// What stands for the token.
    pub token: String,
}

/// What was answered.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Got {
    /// A header's text.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }
}

impl Stage {
    fn translated(&self, text: &str) -> String {
        let text = self.names.iter().fold(with_token(text, &self.token), |text, (recorded, own)| text.replace(recorded, own));
        self.addresses.iter().fold(text, |text, (host, address)| text.replace(&format!("{{{host}}}"), address))
    }

    /// The body of what is asked, as it is sent.
    pub fn body(&self, recording: &Recording) -> String {
        let mut body = recording.request.body.clone();
        if let Value::Object(body) = &mut body {
            body.extend(recording.instead.clone());
        }
        let translated = match &body {
            Value::Object(_) => serde_json::from_str(&self.translated(&body.to_string())).unwrap(),
            Value::Null | Value::String(_) | Value::Array(_) | Value::Number(_) | Value::Bool(_) => body,
        };
        bodies::sent(&translated, recording.request.content_type())
    }

    /// Asks what was recorded.
    pub async fn ask(&self, recording: &Recording) -> Got {
        let asked = &recording.request;
        let query = if asked.query.is_empty() { String::new() } else { format!("?{}", asked.query) };
        let url = format!("{}{}", self.addresses[asked.host.as_str()], self.translated(&format!("{}{query}", asked.path)));
        let mut request = client().request(asked.method.parse().unwrap(), url);
        for (name, value) in asked.headers.iter().filter(|(name, _)| !["content-length", "if-none-match"].contains(&name.as_str())) {
            request = request.header(name, self.translated(value));
        }
        if asked.headers.contains_key("if-none-match") {
            // The recorded tag is of another world: here it is the one by which this answer is known. What is worked out only when
            // somebody asks stands in the second answer.
            drop(request.try_clone().unwrap().send().await.unwrap());
            let known = request.try_clone().unwrap().send().await.unwrap();
            // Without a tag the whole answer comes, which is another one than was recorded.
            if let Some(tag) = known.headers().get("etag") {
                request = request.header("if-none-match", tag.clone());
            }
        }
        if asked.host == "git" {
            request = request.header("user-agent", "git/tests");
        }
        if !asked.body.is_null() {
            request = request.body(self.body(recording));
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Got { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    /// Asks the simulator what was recorded; gives what is wrong with its answer.
    pub async fn faults(&self, shapes: &Shapes, recording: &Recording) -> Vec<String> {
        let got = self.ask(recording).await;
        faults_of(&got, shapes, recording)
    }
}

/// Whether an answer is of another kind than the recorded one, so that nothing more can be compared: another status, a refusal of another
/// name, another word.
pub fn is_another(got: &Got, recording: &Recording) -> bool {
    let before = &recording.response;
    let another_word = before.word().is_some_and(|word| got.body != word.as_bytes());
    let another_kind = Answered::kind_of(&before.body).is_some_and(|kind| {
        let found: Value = serde_json::from_slice(&got.body).unwrap_or_default();
        Answered::kind_of(&found) != Some(kind)
    });
    got.status != before.status || another_word || another_kind
}

/// What is wrong with an answer to what was recorded: status, content type, headers, keys, kinds.
pub fn faults_of(got: &Got, shapes: &Shapes, recording: &Recording) -> Vec<String> {
    let (asked, status, found) = (&recording.request, got.status, &got.body);
    let mut faults = Vec::new();
    if is_another(got, recording) {
        faults.push(format!("answers {status} {}", String::from_utf8_lossy(found)));
        return faults;
    }
    for (name, recorded) in &recording.response.headers {
        match got.header(name) {
            None => faults.push(format!("has no header {name}")),
            Some(found) if name == "content-type" && !same_media(&found, recorded) => faults.push(format!("content type is {found}")),
            Some(_) => {}
        }
    }
    if recording.response.is_json() {
        let found: Value = serde_json::from_slice(found).unwrap();
        if asked.is_described() {
            faults.extend(shapes.faults_of_answer(&asked.method, &asked.path, status, &found));
        }
        faults.extend(differences(&recording.response.body, &found));
    } else if found.is_empty() != recording.response.body.is_null() {
        faults.push(format!("has {} bytes of body", found.len()));
    }
    faults
}

/// A client that follows nothing. One for all: making one is slow. It keeps no connection, which might outlive a test's runtime.
pub fn client() -> &'static reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().user_agent("tests");
        builder.pool_max_idle_per_host(0).build().unwrap()
    });
    &CLIENT
}

/// Whether two content types are one, parameters aside.
fn same_media(one: &str, other: &str) -> bool {
    let media = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media(one) == media(other)
}

/// The keys of a body, with the kinds of what stands there; members of lists are taken together.
fn keys(body: &Value, at: &str, keys: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    keys.entry(at.to_owned()).or_default().insert(kind(body));
    match body {
        Value::Object(members) => members.iter().for_each(|(key, member)| self::keys(member, &format!("{at}.{key}"), keys)),
        Value::Array(members) => members.iter().for_each(|member| self::keys(member, &format!("{at}[]"), keys)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What a simulator's body lacks of a recorded one, and where its kinds differ. What it has beyond that is judged by the shapes.
pub fn differences(recorded: &Value, found: &Value) -> Vec<String> {
    let (mut recorded_keys, mut found_keys) = (BTreeMap::new(), BTreeMap::new());
    keys(recorded, "", &mut recorded_keys);
    keys(found, "", &mut found_keys);
    let only_null = |at: &str| found_keys.get(at).is_some_and(|kinds| kinds.iter().all(|kind| *kind == "null"));
    let below_null = |at: &str| at.match_indices(['.', '[']).any(|(end, _)| end > 0 && only_null(&at[..end]));
    recorded_keys
        .iter()
        .filter(|(at, _)| !below_null(at))
        .filter_map(|(at, kinds)| match found_keys.get(at) {
            None => Some(format!("`{at}` is missing")),
            Some(others) => {
                let clash = !kinds.contains("null") && !others.contains("null") && kinds.is_disjoint(others);
                clash.then(|| format!("`{at}` is {others:?} in place of {kinds:?}"))
            }
        })
        .collect()
}

#[test]
fn differences_are_found() {
    use serde_json::json;
    let recorded = json!({"a": [{"b": 1, "c": {"d": "x"}}], "e": null});
    assert!(differences(&recorded, &json!({"a": [{"b": 2, "c": null}], "e": "x", "more": 1})).is_empty());
    assert_eq!(
        differences(&recorded, &json!({"a": [], "e": null})),
        ["`.a[]` is missing", "`.a[].b` is missing", "`.a[].c` is missing", "`.a[].c.d` is missing"]
    );
    assert_eq!(
        differences(&recorded, &json!({"a": [{"b": "1", "c": {"d": "y"}}], "e": null})),
        ["`.a[].b` is {\"string\"} in place of {\"number\"}"]
    );
}
