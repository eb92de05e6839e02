//! What a real service answered, made into what may lie in a repository: nothing but what was known before goes in.
//!
//! Whether there is a key, its kind, nulls, booleans, counts, lengths of lists and the words that shapes.json knows are kept as they
//! came. Every other text, and every id, becomes one that the recordings have already, or a placeholder; the same one wherever it
//! stands again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::recordings::Recording;

/// Shapes of tokens and of signed links.
const OF_SECRETS: [&str; 11] = ["ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "HRKU-", "xoxb-", "xoxp-", "X-Amz-", "Signature="];

/// What replaces what.
pub struct Scrubber {
    /// Texts that may stand in recordings: those of recordings, and the words of shapes.
    known: BTreeSet<String>,
    /// Texts of the account, and those of recordings in their place. The longest first.
    names: Vec<(String, String)>,
    /// What may stand nowhere, by itself or within something.
    forbidden: Vec<String>,
    texts: BTreeMap<String, String>,
    numbers: BTreeMap<u64, u64>,
    taken: BTreeSet<String>,
    count: u64,
}

impl Scrubber {
    /// Knows the texts of these recordings and of `shapes`. `names` are pairs of a recorded text and the account's own; `secrets` may
    /// stand nowhere.
    pub fn new<'r>(
        recordings: impl Iterator<Item = &'r Recording>,
        shapes: &Value,
        names: &[(String, String)],
        secrets: &[String],
    ) -> Self {
        let mut known = BTreeSet::new();
        for recording in recordings {
            texts_in(&recording.response.body, &mut known);
            texts_in(&recording.request.body, &mut known);
        }
        let mut alternatives = BTreeSet::new();
        texts_in(shapes, &mut alternatives);
        known.extend(
            alternatives
                .iter()
                .flat_map(|text| text.split('|'))
                .filter_map(|word| Some(word.strip_prefix('\'')?.trim_matches('\'').to_owned())),
        );
        known.extend(names.iter().map(|(recorded, _)| recorded.clone()));
        let mut names: Vec<(String, String)> = names.iter().map(|(recorded, own)| (own.clone(), recorded.clone())).collect();
        names.sort_by_key(|(own, _)| std::cmp::Reverse(own.len()));
        let own = names.iter().filter(|(own, recorded)| own != recorded && own.len() > 6).map(|(own, _)| own.clone());
        let forbidden = own.chain(secrets.iter().cloned()).filter(|text| !known.contains(text)).collect();
        Self { known, names, forbidden, texts: BTreeMap::new(), numbers: BTreeMap::new(), taken: BTreeSet::new(), count: 0 }
    }

    /// A text with the account's names replaced by those of recordings.
    pub fn translated(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (own, recorded)| text.replace(own.as_str(), recorded))
    }

    /// A body for a recording, after the one that was recorded before. Of refusals the words are kept where nothing speaks against it.
    pub fn body(&mut self, found: &Value, before: &Value, refusal: bool) -> Value {
        self.learn(found, before, "");
        self.value(found, Some(before), "", refusal)
    }

    /// What stands where something stood before takes its text, wherever else it stands as well.
    fn learn(&mut self, found: &Value, before: &Value, key: &str) {
        match (found, before) {
            (Value::String(found), Value::String(_)) => drop(self.text(found, before.as_str(), key, false)),
            (Value::Array(found), Value::Array(before)) => {
                found.iter().zip(before).for_each(|(found, before)| self.learn(found, before, key));
            }
            (Value::Object(found), Value::Object(before)) => {
                let both = found.iter().filter_map(|(key, found)| Some((key, found, before.get(key)?)));
                both.for_each(|(key, found, before)| self.learn(found, before, key));
            }
            _ => {}
        }
    }

    fn value(&mut self, found: &Value, before: Option<&Value>, key: &str, refusal: bool) -> Value {
        match found {
            Value::Null | Value::Bool(_) => found.clone(),
            Value::Number(number) => match number.as_u64().filter(|_| is_id(key)) {
                Some(id) => self.id(id, before.and_then(Value::as_u64)).into(),
                None => found.clone(),
            },
            Value::String(text) => Value::String(self.text(text, before.and_then(Value::as_str), key, refusal)),
            Value::Array(members) => {
                let before = before.and_then(Value::as_array);
                let of = |place: usize| before.and_then(|before| before.get(place).or_else(|| before.first()));
                Value::Array(members.iter().enumerate().map(|(place, member)| self.value(member, of(place), key, refusal)).collect())
            }
            Value::Object(members) => {
                let of = |key: &str| before.and_then(|before| before.get(key));
                let scrubbed = members.iter().map(|(key, member)| {
                    // A key may be a name as well, where an object is a map.
                    let shown = if of(key).is_some() || is_plain_key(key) { key.clone() } else { self.placeholder(key) };
                    (shown, self.value(member, of(key), key, refusal))
                });
                Value::Object(scrubbed.collect::<Map<String, Value>>())
            }
        }
    }

    fn id(&mut self, found: u64, before: Option<u64>) -> u64 {
        if let Some(known) = self.numbers.get(&found) {
            return *known;
        }
        let translated = self.translated(&found.to_string());
        let own_name = translated.parse().ok().filter(|_| translated != found.to_string());
        let free = before.filter(|before| self.numbers.values().all(|taken| taken != before));
        let placeholder = own_name.or(free).unwrap_or_else(|| {
            self.count += 1;
            91_430_000 + self.count
        });
        self.numbers.insert(found, placeholder);
        placeholder
    }

    fn text(&mut self, found: &str, before: Option<&str>, key: &str, refusal: bool) -> String {
        let translated = self.translated(found);
        if translated.is_empty() || self.known.contains(&translated) {
            return translated;
        }
        if is_time(&translated) {
            // Moments differ in each run and say nothing; which form they have does.
            return before.filter(|before| is_time(before)).map_or_else(|| "2026-11-20T10:00:00Z".to_owned(), str::to_owned);
        }
        if refusal && self.may_be_said(&translated, key) {
            return translated;
        }
        if let Some(known) = self.texts.get(found) {
            return known.clone();
        }
        let free = before.filter(|before| kind(before) == kind(&translated) && !self.taken.contains(*before)).map(str::to_owned);
        let placeholder = free.unwrap_or_else(|| self.placeholder(&translated));
        self.taken.insert(placeholder.clone());
        self.texts.insert(found.to_owned(), placeholder.clone());
        placeholder
    }

    /// Whether a refusal's own words can be kept: a short sentence without anything that could be a name, an id or a secret.
    fn may_be_said(&self, text: &str, key: &str) -> bool {
        let words = ["message", "error", "id", "documentation_url", "code"].contains(&key);
        let plain = |c: char| c.is_ascii_alphanumeric() || " .,:'()-_/#?!`\n".contains(c);
        let long = |word: &str| word.len() > 24 && word.chars().any(|c| c.is_ascii_digit());
        words && text.len() <= 300 && text.chars().all(plain) && !text.split([' ', '/']).any(long) && self.leak(text).is_none()
    }

    fn placeholder(&mut self, like: &str) -> String {
        self.count += 1;
        let count = self.count;
        match kind(like) {
            Kind::Url => format!("https://placeholder.example/{count}"),
            Kind::Hash => format!("f{count:039x}"),
            Kind::Uuid => format!("99999999-0000-4000-8000-{count:012}"),
            Kind::Mail => format!("person-{count}@example.com"),
            Kind::Other => format!("placeholder-{count}"),
        }
    }

    /// What of a text may not leave this machine.
    pub fn leak(&self, text: &str) -> Option<String> {
        let own = self.forbidden.iter().find(|secret| text.contains(secret.as_str()));
        own.cloned().or_else(|| OF_SECRETS.iter().find(|shape| text.contains(**shape)).map(|shape| (*shape).to_owned()))
    }
}

fn texts_in(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            texts.insert(text.clone());
        }
        Value::Array(members) => members.iter().for_each(|member| texts_in(member, texts)),
        Value::Object(members) => members.values().for_each(|member| texts_in(member, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_id(key: &str) -> bool {
    key == "id" || key == "number" || key.ends_with("_id")
}

fn is_plain_key(key: &str) -> bool {
    key.len() <= 60 && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'-')
}

fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

#[derive(PartialEq, Eq)]
enum Kind {
    Url,
    Hash,
    Uuid,
    Mail,
    Other,
}

fn kind(text: &str) -> Kind {
    if text.contains("://") || (text.starts_with('{') && text.contains("}/")) {
        Kind::Url
    } else if text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Kind::Hash
    } else if text.parse::<uuid::Uuid>().is_ok() {
        Kind::Uuid
    } else if text.contains('@') {
        Kind::Mail
    } else {
        Kind::Other
    }
}

#[test]
fn only_what_was_known_before_goes_in() {
    use serde_json::json;
    let shapes = json!({ "types": { "a": { "state": "'open'|'shut'" } } });
    let names = [("acme/hubot".to_owned(), "real-owner/real-repo".to_owned()), ("91430001".to_owned(), "777123".to_owned())];
    let mut scrubber = Scrubber::new(std::iter::empty(), &shapes, &names, &["marker-token-1".to_owned()]);
    let before = json!({ "id": 91430001, "login": "ana", "html_url": "https://github.com/ana", "at": "2026-01-01T00:00:00Z", "list": [{ "id": 5 }] });
    let found = json!({
        "id": 777123, "login": "jane-real", "html_url": "https://github.com/jane-real", "at": "2027-05-05T10:11:12Z", "state": "open",
        "count": 42, "on": true, "none": null, "token": "marker-token-1", "new_text": "a private sentence",
        "full": "real-owner/real-repo", "again": "jane-real", "mail": "jane@real.example", "sha": "0123456789abcdef0123456789abcdef01234567",
        "list": [{ "id": 11 }, { "id": 12 }, { "id": 777123 }], "map": { "Jane's own": "x" },
    });
    let scrubbed = scrubber.body(&found, &before, false);
    assert_eq!(
        scrubbed,
        json!({
            "id": 91430001, "login": "ana", "html_url": "https://github.com/ana", "at": "2026-01-01T00:00:00Z", "state": "open",
            "count": 42, "on": true, "none": null, "token": scrubbed["token"], "new_text": scrubbed["new_text"],
            "full": "acme/hubot", "again": "ana", "mail": scrubbed["mail"], "sha": scrubbed["sha"],
            "list": [{ "id": 5 }, { "id": scrubbed["list"][1]["id"] }, { "id": 91430001 }], "map": scrubbed["map"],
        })
    );
    let text = scrubbed.to_string();
    for leaked in ["777123", "jane", "Jane", "real", "marker", "private", "0123456789abcdef", "2027"] {
        assert!(!text.contains(leaked), "{leaked} in {text}");
    }
    assert_eq!(scrubber.leak("with marker-token-1 in it").as_deref(), Some("marker-token-1"));
    assert_eq!(scrubber.leak("of real-owner/real-repo").as_deref(), Some("real-owner/real-repo"));
    assert_eq!(scrubber.leak("ghp_abc").as_deref(), Some("ghp_"));
    assert_eq!(scrubber.leak("nothing"), None);
}

#[test]
fn the_words_of_a_refusal_are_kept_where_they_name_nothing() {
    use serde_json::json;
    let names = [("hubot-staging".to_owned(), "secret-project-1".to_owned())];
    let mut scrubber = Scrubber::new(std::iter::empty(), &json!({}), &names, &[]);
    let mut of = |message: &str| scrubber.body(&json!({ "message": message }), &json!({ "message": "before" }), true)["message"].clone();
    assert_eq!(of("Couldn't find that app."), "Couldn't find that app.");
    assert_eq!(of("You do not have access to the app secret-project-1."), "You do not have access to the app hubot-staging.");
    assert!(!of("Ask jane@real.example for access").as_str().unwrap().contains("jane"));
}
