//! A request as the simulated GitHub reads it.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use axum::http::request::Parts;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::answer::Answer;

/// A request.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// As sent.
    pub(super) path: String,
    /// Decoded, one by one: a `%2F` does not divide.
    pub(super) segments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Who asks.
#[derive(Debug)]
pub(super) struct Caller {
    /// Empty without a token.
    pub(super) token: String,
    pub(super) login: Option<String>,
    /// What the token is for, where an app gave it out.
    pub(super) confined: Option<Confined>,
}

impl Caller {
    /// Who shows no token.
    pub(super) fn nobody() -> Self {
        Self { token: String::new(), login: None, confined: None }
    }
}

/// What a token of an app is for.
#[derive(Clone, Debug)]
pub(super) enum Confined {
    /// These scopes.
    Scopes(BTreeSet<String>),
    /// What belongs to these owners, in lower case.
    Owners(BTreeSet<String>),
}

impl Confined {
    /// Whether it reaches what is private and belongs to an owner.
    pub(super) fn reaches(&self, owner: &str) -> bool {
        match self {
            Self::Scopes(scopes) => scopes.contains("repo"),
            Self::Owners(owners) => owners.contains(&owner.to_lowercase()),
        }
    }
}

/// A request with everything around it that an answer depends on.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) api: &'a str,
    pub(super) web: &'a str,
    pub(super) now: Timestamp,
    pub(super) caller: &'a Caller,
    /// The version of the interface after 2022-11-28 was asked for.
    pub(super) newer: bool,
    pub(super) asked: &'a Asked,
}

impl Asked {
    pub(super) fn new(parts: Parts, body: Bytes) -> Self {
        let path = parts.uri.path().to_owned();
        let segments = path.strip_prefix('/').unwrap_or(&path).split('/').map(decoded).collect();
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        Self { method: parts.method.as_str().to_owned(), path, segments, query, headers: parts.headers, body }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A parameter of the query that is not empty.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A parameter of a list's filter: the word `none` stands for no filter.
    pub(super) fn filter(&self, name: &str) -> Option<&str> {
        self.parameter(name).filter(|value| *value != "none")
    }

    pub(super) fn number(&self, name: &str, otherwise: usize) -> usize {
        self.parameter(name).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
    }

    pub(super) fn accepts(&self, part: &str) -> bool {
        self.header("accept").is_some_and(|accept| accept.contains(part))
    }

    pub(super) fn reads(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }

    /// Path and query with the secret of an archive link left out.
    pub(super) fn shown(&self) -> String {
        let query: String =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(self.query.iter().filter(|(name, _)| name != "token")).finish();
        if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) }
    }

    /// The part of the path below the repository, as sent.
    pub(super) fn below_repository(&self) -> String {
        let numeric = self.path.starts_with("/repositories/");
        self.path.split('/').skip(if numeric { 3 } else { 4 }).collect::<Vec<_>>().join("/")
    }

    /// The body as an object.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Answer> {
        if self.body.is_empty() {
            return Err(Answer::error(422, "Invalid request.\n\nFor 'links/0/schema', nil is not an object."));
        }
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(Answer::error(400, "Body should be a JSON object")),
            Err(_) => Err(Answer::error(400, "Problems parsing JSON")),
        }
    }
}

/// A page of a list and the `Link` to the others.
pub(super) fn page<'l, T>(items: &'l [T], scene: &Scene<'_>, repository: u64) -> (&'l [T], Option<String>) {
    let size = scene.asked.number("per_page", 30).clamp(1, 100);
    let number = scene.asked.number("page", 1).max(1);
    let last = items.len().div_ceil(size).max(1);
    let start = number.saturating_sub(1).saturating_mul(size).min(items.len());
    let end = start.saturating_add(size).min(items.len());
    let link = |to: usize, name: &str| {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(scene.asked.query.iter().filter(|(key, _)| key != "page"))
            .append_pair("page", &to.to_string())
            .finish();
        let in_repository = scene.asked.path.starts_with("/repos/") || scene.asked.path.starts_with("/repositories/");
        let path =
            if in_repository { format!("/repositories/{repository}/{}", scene.asked.below_repository()) } else { scene.asked.path.clone() };
        format!("<{}{path}?{query}>; rel=\"{name}\"", scene.api)
    };
    let mut links = Vec::new();
    if number > 1 {
        links.push(link(number.saturating_sub(1).min(last), "prev"));
    }
    if number < last {
        links.push(link(number.saturating_add(1), "next"));
        links.push(link(last, "last"));
    }
    if number > 1 {
        links.push(link(1, "first"));
    }
    (items.get(start..end).unwrap_or_default(), (!links.is_empty()).then(|| links.join(", ")))
}

/// A list's page as an answer.
pub(super) fn listed<T>(items: &[T], scene: &Scene<'_>, repository: u64, shape: impl Fn(&T) -> Value) -> Answer {
    let (items, link) = page(items, scene, repository);
    linked(Answer::ok(&Value::Array(items.iter().map(shape).collect())), link)
}

/// Adds the `Link`, if there is one.
pub(super) fn linked(answer: Answer, link: Option<String>) -> Answer {
    match link {
        Some(link) => answer.with("link", link),
        None => answer,
    }
}

/// Takes percent-encoding off; what is not encoded rightly stays as it is.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
