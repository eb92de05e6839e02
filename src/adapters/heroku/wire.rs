//! Calls to Heroku: versions, ranges, and how often a read is tried.

use http::header::{ACCEPT, HeaderName, HeaderValue, RANGE};
use http::{HeaderMap, Method};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use url::Url;

use crate::adapters::http::call::{Answer, Call, JSON_LIMIT, authorized, exchange};
use crate::adapters::http::retry::Tries;
use crate::ports::{Fault, Service};

use super::Heroku;
use super::refusal::{Refusal, judge};

/// How many pages one list may have.
const PAGES: usize = 50;

/// The plain version 3.
pub(super) const V3: &str = "application/vnd.heroku+json; version=3";
/// The version that lists apps by their ids.
pub(super) const V3_FILTERS: &str = "application/vnd.heroku+json; version=3.filters";
/// The version that tells what a person may do.
pub(super) const V3_SDK: &str = "application/vnd.heroku+json; version=3.sdk";
/// The version that tells a pipeline's repository.
pub(super) const V3_REPOSITORIES: &str = "application/vnd.heroku+json; version=3.repositories-api";
/// The version that stops builds.
pub(super) const V3_CANCEL_BUILD: &str = "application/vnd.heroku+json; version=3.cancel-build";

/// A request.
#[derive(Clone)]
pub(super) struct Ask {
    method: Method,
    url: Url,
    path: &'static str,
    accept: &'static str,
    range: Option<HeaderValue>,
    body: Option<Value>,
    secret: Option<(HeaderName, HeaderValue)>,
}

impl Ask {
    pub(super) fn new(method: Method, url: Url, path: &'static str) -> Self {
        Self { method, url, path, accept: V3, range: None, body: None, secret: None }
    }

    pub(super) fn get(url: Url, path: &'static str) -> Self {
        Self::new(Method::GET, url, path)
    }

    pub(super) fn accept(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    pub(super) fn range(mut self, range: &str) -> Self {
        self.range = HeaderValue::from_str(range).ok();
        self
    }

    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) fn secret(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.secret = Some((name, value));
        self
    }

    /// Method and path, for errors.
    pub(super) fn what(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl Heroku {
    /// The address of something of the Platform API.
    pub(super) fn at<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        self.settings.api.at(segments)
    }

    /// Reads one thing, up to three times.
    pub(super) async fn get<T: DeserializeOwned>(&self, token: &SecretString, ask: Ask) -> Result<T, Refusal> {
        Ok(self.page_of(token, &ask).await?.0)
    }

    /// All members of a list. Fails if a page fails, or if there is no end.
    pub(super) async fn list<T: DeserializeOwned>(&self, token: &SecretString, ask: Ask) -> Result<Vec<T>, Refusal> {
        self.list_until(token, ask, |_| false).await
    }

    /// The members of a list up to the page after which `enough` is true.
    pub(super) async fn list_until<T: DeserializeOwned>(
        &self,
        token: &SecretString,
        mut ask: Ask,
        enough: impl Fn(&[T]) -> bool + Send,
    ) -> Result<Vec<T>, Refusal> {
        let mut all: Vec<T> = Vec::new();
        for _ in 0..PAGES {
            let (page, headers): (Vec<T>, HeaderMap) = self.page_of(token, &ask).await?;
            all.extend(page);
            let next = headers.get("next-range").cloned();
            match next {
                None => return Ok(all),
                Some(_) if enough(&all) => return Ok(all),
                Some(next) if ask.range.as_ref() == Some(&next) => return Err(Refusal::nonsense(&ask.what(), "the list stands still")),
                Some(next) => ask.range = Some(next),
            }
        }
        Err(Refusal::nonsense(&ask.what(), "the list does not end"))
    }

    async fn page_of<T: DeserializeOwned>(&self, token: &SecretString, ask: &Ask) -> Result<(T, HeaderMap), Refusal> {
        let mut tries = Tries::new(self.clock.as_ref());
        loop {
            match self.read_once(token, ask).await {
                Err(refusal) if refusal.again && tries.pause(refusal.error.fault).await => {}
                done => return done,
            }
        }
    }

    async fn read_once<T: DeserializeOwned>(&self, token: &SecretString, ask: &Ask) -> Result<(T, HeaderMap), Refusal> {
        let answer = self.send(token, ask, false).await?;
        if !answer.status.is_success() {
            return Err(self.refusal(&answer, &ask.what(), token));
        }
        let what = ask.what();
        match serde_json::from_slice(&answer.body) {
            Ok(value) => Ok((value, answer.headers)),
            Err(error) => Err(match error.classify() {
                Category::Data => Refusal::nonsense(&what, &format!("does not fit at line {} column {}", error.line(), error.column())),
                Category::Io | Category::Syntax | Category::Eof => Refusal::nonsense(&what, "the answer is broken").worth_another_try(),
            }),
        }
    }

    /// Writes, once. The answer's status is for the caller to judge.
    pub(super) async fn write(&self, token: &SecretString, ask: &Ask) -> Result<Answer, Refusal> {
        self.send(token, ask, true).await
    }

    /// What an answer that is no success means.
    pub(super) fn refusal(&self, answer: &Answer, what: &str, token: &SecretString) -> Refusal {
        judge(answer, what, &[token], self.clock.now())
    }

    /// The same for a write: an answer that we do not understand may stand for an effect.
    pub(super) fn write_refusal(&self, answer: &Answer, what: &str, secrets: &[&SecretString]) -> Refusal {
        let mut refusal = judge(answer, what, secrets, self.clock.now());
        if refusal.error.fault == Fault::Nonsense {
            refusal.error.fault = Fault::Unclear;
        }
        refusal
    }

    async fn send(&self, token: &SecretString, ask: &Ask, write: bool) -> Result<Answer, Refusal> {
        let mut call = Call::new(Service::Platform, ask.method.clone(), ask.url.clone(), ask.path)
            .header(ACCEPT, HeaderValue::from_static(ask.accept));
        if let Some(range) = &ask.range {
            call = call.header(RANGE, range.clone());
        }
        if let Some(body) = &ask.body {
            call = call.json(body);
        }
        if let Some((name, value)) = &ask.secret {
            call = call.header(name.clone(), value.clone());
        }
        let what = ask.what();
        let no_token = || Refusal::of(Fault::SignInLost, &what, "the token cannot stand in a header");
        let call = authorized(call, token).ok_or_else(no_token)?;
        exchange(&self.quick, call, JSON_LIMIT).await.map_err(|fault| Refusal::unanswered(&fault, &what, write))
    }
}
