//! Shapes: which keys each call's bodies have, of which types, what may be null, which words there are.
//!
//! `fixtures/<host>/shapes.json` has `types` by name and `calls` as `METHOD /path/{place}` → `request`, a status, or both. A shape is an
//! object of shapes (a key that ends in `?` may be missing), a list of one shape, or a text: alternatives with `|` between, each
//! of them `string`, `integer`, `number`, `boolean`, `true`, `false`, `null`, `map` (any object), `any`, `'this very word'`, `@a-type`, or
//! one of these with `[]` behind it. A place in a path is one segment; `{place...}` is one or more.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

/// The shapes of one host.
pub struct Shapes {
    types: Map<String, Value>,
    calls: Map<String, Value>,
    refusals: Value,
}

impl Shapes {
    /// Reads `fixtures/<host>/shapes.json`.
    pub fn of(host: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(host).join("shapes.json");
        let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for key in ["source", "licence"] {
            assert!(file[key].as_str().is_some_and(|text| text.len() > 10), "{host}/shapes.json does not say its {key}");
        }
        let object = |key: &str| file[key].as_object().unwrap().clone();
        Self { types: object("types"), calls: object("calls"), refusals: file["refusals"].clone() }
    }

    /// What is wrong with the body of a request; nothing, if all is well.
    pub fn faults_of_request(&self, method: &str, path: &str, body: &Value) -> Vec<String> {
        let call = self.call(method, path);
        match (self.calls[&call].get("request"), body) {
            (Some(shape), body) => self.faults(shape, body, &format!("{call} request")),
            (None, Value::Null) => Vec::new(),
            (None, _) => vec![format!("{call}: has a body, which shapes.json does not know")],
        }
    }

    /// What is wrong with the body of an answer.
    pub fn faults_of_answer(&self, method: &str, path: &str, status: u16, body: &Value) -> Vec<String> {
        let call = self.call(method, path);
        let at = format!("{call} {status}");
        match self.calls[&call].get(status.to_string()) {
            Some(shape) => self.faults(shape, body, &at),
            None if status >= 300 => self.faults(&self.refusals, body, &at),
            None => vec![format!("{at}: not in shapes.json")],
        }
    }

    /// What is wrong with a value that is to be of this type.
    pub fn faults_of_type(&self, name: &str, value: &Value) -> Vec<String> {
        self.faults(&self.types[name], value, name)
    }

    /// The calls that are described, and of each whether a request body and which statuses.
    pub fn described(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.calls.iter().map(|(call, parts)| (call.as_str(), parts.as_object().unwrap().keys().map(String::as_str).collect()))
    }

    /// The call that a path belongs to: the one with the fewest places.
    pub fn call(&self, method: &str, path: &str) -> String {
        self.known_call(method, path).unwrap_or_else(|| panic!("{method} {path} is not in shapes.json"))
    }

    /// The same; `None`: the path belongs to none.
    pub fn known_call(&self, method: &str, path: &str) -> Option<String> {
        let fitting = self.calls.keys().filter(|call| {
            let (verb, template) = call.split_once(' ').unwrap();
            verb == method && fits(&template.split('/').collect::<Vec<_>>(), &path.split('/').collect::<Vec<_>>())
        });
        fitting.min_by_key(|call| call.matches('{').count()).cloned()
    }

    fn faults(&self, shape: &Value, value: &Value, at: &str) -> Vec<String> {
        match (shape, value) {
            (Value::Object(known), Value::Object(value)) => {
                let missing = known.keys().filter(|key| !key.ends_with('?') && !value.contains_key(*key));
                let missing = missing.map(|key| format!("{at}: `{key}` is missing"));
                let of_members = value.iter().flat_map(|(key, member)| match known.get(key).or_else(|| known.get(&format!("{key}?"))) {
                    Some(shape) => self.faults(shape, member, &format!("{at}.{key}")),
                    None => vec![format!("{at}: `{key}` is not known")],
                });
                missing.chain(of_members).collect()
            }
            (Value::Array(one), Value::Array(members)) => {
                members.iter().flat_map(|member| self.faults(&one[0], member, &format!("{at}[]"))).collect()
            }
            (Value::String(alternatives), _) => self.faults_of_all(alternatives, value, at),
            _ => vec![format!("{at}: {} in place of {}", kind(value), kind(shape))],
        }
    }

    /// Nothing, if one alternative fits; else what is wrong with the one that fits best.
    fn faults_of_all(&self, alternatives: &str, value: &Value, at: &str) -> Vec<String> {
        let each = alternatives.split('|').filter_map(|alternative| self.faults_of_one(alternative, value, at));
        each.min_by_key(Vec::len).unwrap_or_else(|| {
            let found = if value.is_string() { value.to_string() } else { kind(value).to_owned() };
            vec![format!("{at}: {found} in place of {alternatives}")]
        })
    }

    /// `None`: it is of another kind.
    fn faults_of_one(&self, alternative: &str, value: &Value, at: &str) -> Option<Vec<String>> {
        if let Some(member) = alternative.strip_suffix("[]") {
            return value
                .as_array()
                .map(|members| members.iter().flat_map(|one| self.faults_of_all(member, one, &format!("{at}[]"))).collect());
        }
        let fits = match alternative {
            "any" => true,
            "null" => value.is_null(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "map" => value.is_object(),
            "true" => *value == Value::Bool(true),
            "false" => *value == Value::Bool(false),
            named if named.starts_with('@') => {
                let shape = self.types.get(&named[1..]).unwrap_or_else(|| panic!("there is no type {named}"));
                let same_kind = shape.is_string() || (shape.is_object() && value.is_object()) || (shape.is_array() && value.is_array());
                return same_kind.then(|| self.faults(shape, value, at));
            }
            word => word.starts_with('\'') && value.as_str() == Some(word.trim_matches('\'')),
        };
        fits.then(Vec::new)
    }
}

fn fits(template: &[&str], path: &[&str]) -> bool {
    match (template, path) {
        ([], []) => true,
        ([place, rest @ ..], [_, left @ ..]) if place.starts_with('{') => {
            fits(rest, left) || (place.ends_with("...}") && (1..left.len() + 1).any(|more| fits(rest, &left[more..])))
        }
        ([fixed, rest @ ..], [segment, left @ ..]) => fixed == segment && fits(rest, left),
        _ => false,
    }
}

/// The kind of a value, in a word.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

#[test]
fn shapes_find_what_is_wrong() {
    use serde_json::json;
    let shapes = Shapes {
        types: json!({"who": {"name": "string", "mail?": "string|null"}}).as_object().unwrap().clone(),
        calls: json!({"GET /a/{x}": {"200": [{"state": "'on'|'off'", "by": "@who|null", "ids?": "integer[]"}]}, "GET /a/{x...}/b": {"200": "map"}})
            .as_object()
            .unwrap()
            .clone(),
        refusals: json!({"message": "string"}),
    };
    let faults = |body: Value| {
        shapes
            .faults_of_answer("GET", "/a/1", 200, &body)
            .into_iter()
            .map(|fault| fault.replace("GET /a/{x} 200", ""))
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert!(faults(json!([{"state": "on", "by": null}, {"state": "off", "by": {"name": "ana", "mail": null}, "ids": [1]}])).is_empty());
    for (wrong, said) in [
        (json!({}), ": object in place of list"),
        (json!([{"state": "on"}]), "[]: `by` is missing"),
        (json!([{"state": "no", "by": null}]), "[].state: \"no\" in place of 'on'|'off'"),
        (json!([{"state": "on", "by": {"name": 1}}]), "[].by.name: number in place of string"),
        (json!([{"state": "on", "by": null, "more": 1}]), "[]: `more` is not known"),
        (json!([{"state": "on", "by": null, "ids": ["x"]}]), "[].ids[]: \"x\" in place of integer"),
    ] {
        assert_eq!(faults(wrong).into_iter().collect::<Vec<_>>(), [said]);
    }
    assert_eq!(shapes.call("GET", "/a/1/2/b"), "GET /a/{x...}/b");
    assert_eq!(shapes.faults_of_answer("GET", "/a/1", 404, &json!({"message": "no"})), [""; 0]);
}
