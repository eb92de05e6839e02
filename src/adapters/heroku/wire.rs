//! One request to Heroku: headers, versions, repeats of reads, pages of lists.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HeaderName, HeaderValue, RANGE};
use reqwest::Client;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::call::{Answer, Call, JSON_LIMIT, bearer};
use crate::adapters::http::client::{byte_for_byte, client};
use crate::adapters::http::reads::Reads;
use crate::adapters::http::retry::Tries;
use crate::ports::{Allowances, Boundless, Clock, Fault, PortError, Service};

use super::refusal::Refused;
use super::streams::{PLACES, Streams};

/// How long one exchange with the API may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How long an output stream may be silent before we take it that this is all for now.
const SILENCE: Duration = Duration::from_secs(3);

/// How many pages of one list are read. With 200 members each, more than an account may have of anything we list.
const PAGES: usize = 60;

/// The version of the API that an answer is wanted in: the plain one, or one of those that open an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// What is published as stable.
    Plain,
    /// Has capabilities.
    Sdk,
    /// Has apps by their ids.
    Filters,
    /// Has the newer link of repositories.
    RepositoriesApi,
    /// Lets builds be stopped.
    CancelBuild,
    /// The link service has no versions.
    Unversioned,
}

impl Version {
    fn accept(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Plain => "application/vnd.heroku+json; version=3",
            Self::Sdk => "application/vnd.heroku+json; version=3.sdk",
            Self::Filters => "application/vnd.heroku+json; version=3.filters",
            Self::RepositoriesApi => "application/vnd.heroku+json; version=3.repositories-api",
            Self::CancelBuild => "application/vnd.heroku+json; version=3.cancel-build",
            Self::Unversioned => "application/json",
        })
    }
}

/// A request that can be sent again. Its body may hold an address that is a key: no derived `Debug`.
#[derive(Clone)]
pub(super) struct Ask<'a> {
    method: Method,
    segments: Vec<&'a str>,
    /// The path with its variable parts by name, for the log.
    path: &'static str,
    version: Version,
    range: Option<HeaderValue>,
    body: Option<Value>,
    code: Option<(HeaderValue, &'a SecretString)>,
}

impl<'a> Ask<'a> {
    /// A request to the API, in its plain version.
    pub(super) fn new(method: Method, segments: impl IntoIterator<Item = &'a str>, path: &'static str) -> Self {
        let segments = segments.into_iter().collect();
        Self { method, segments, path, version: Version::Plain, range: None, body: None, code: None }
    }

    /// A read.
    pub(super) fn get(segments: impl IntoIterator<Item = &'a str>, path: &'static str) -> Self {
        Self::new(Method::GET, segments, path)
    }

    /// The same in another version.
    pub(super) fn version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// The same with a range: how a list is sorted and where it begins.
    pub(super) fn range(self, range: &str) -> Self {
        Self { range: HeaderValue::from_str(range).ok(), ..self }
    }

    /// The same with a body.
    pub(super) fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// The same with a one-time code.
    pub(super) fn code(self, header: HeaderValue, code: &'a SecretString) -> Self {
        Self { code: Some((header, code)), ..self }
    }

    fn what(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl fmt::Debug for Ask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask").field("what", &self.what()).finish_non_exhaustive()
    }
}

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    /// What is on it.
    pub(super) members: Vec<T>,
    /// By what the service says it is sorted, if it says.
    pub(super) sorted_by: Option<String>,
    /// What to ask for to go on; `None`: it was the last.
    pub(super) next: Option<String>,
}

/// The way to Heroku.
#[derive(Debug)]
pub(super) struct Wire {
    api: BaseUrl,
    links: BaseUrl,
    clock: Arc<dyn Clock>,
    pub(super) allowances: Arc<dyn Allowances>,
    client: Reads,
    streams: Client,
    followed: Arc<Streams>,
}

impl Wire {
    /// Prepares the clients.
    pub(super) fn new(api: BaseUrl, links: BaseUrl, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let followed = Streams::new(api.clone(), Arc::clone(&clock), PLACES)?;
        let (client, streams) = (Reads::new(client(Some(PATIENCE))?), byte_for_byte(SILENCE)?);
        Ok(Self { api, links, clock, allowances: Arc::new(Boundless), client, streams, followed })
    }

    /// Tells what it hears of allowances.
    pub(super) fn telling(self, allowances: Arc<dyn Allowances>) -> Self {
        Self { allowances, ..self }
    }

    /// Forgets what was read with a credential.
    pub(super) fn forget(&self, token: &SecretString) {
        self.client.forget_all_of(token);
    }

    /// The client for answers that are read whole.
    pub(super) fn client(&self) -> &Client {
        self.client.client()
    }

    /// The client for output streams: each piece has to come soon.
    pub(super) fn streams(&self) -> &Client {
        &self.streams
    }

    /// The streams that are followed.
    pub(super) fn followed(&self) -> &Arc<Streams> {
        &self.followed
    }

    /// The time.
    pub(super) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Where the API lives; what it hands out must not lead anywhere less safe.
    pub(super) fn api(&self) -> &BaseUrl {
        &self.api
    }

    /// Sends a request once. Of writes: a fault is told so that it is clear whether it may have had an effect.
    pub(super) async fn once(&self, token: &SecretString, ask: &Ask<'_>, write: bool) -> Result<Answer, Refused> {
        let what = ask.what();
        let Some(bearer) = bearer(token) else {
            let detail = format!("{what}: the token cannot stand in a header");
            return Err(Refused::unanswered(PortError::new(Service::Platform, Fault::SignInLost, detail)));
        };
        let base = if ask.version == Version::Unversioned { &self.links } else { &self.api };
        let url = base.at(ask.segments.iter().copied());
        let mut call = Call::new(Service::Platform, ask.method.clone(), url, ask.path)
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, ask.version.accept());
        if let Some(range) = &ask.range {
            call = call.header(RANGE, range.clone());
        }
        if let Some((code, _)) = &ask.code {
            call = call.header(HeaderName::from_static("heroku-two-factor-code"), code.clone());
        }
        call = match &ask.body {
            Some(body) => call.json(body),
            // Not every server takes a write without a length.
            None if ask.method == Method::POST || ask.method == Method::PUT => call.header(CONTENT_LENGTH, HeaderValue::from_static("0")),
            None => call,
        };
        let answer = if write { self.client.write(call, JSON_LIMIT).await } else { self.client.read(call, JSON_LIMIT).await };
        let answer = answer.map_err(|fault| Refused::unanswered(fault.error(Service::Platform, &what, write)))?;
        self.note_allowance(&answer, token);
        if answer.status.is_success() {
            return Ok(answer);
        }
        let secrets: Vec<&SecretString> = std::iter::once(token).chain(ask.code.iter().map(|(_, code)| *code)).collect();
        Err(Refused::read(&what, &answer, self.clock.now(), &secrets))
    }

    /// Sends a write, once.
    pub(super) async fn write(&self, token: &SecretString, ask: &Ask<'_>) -> Result<Answer, Refused> {
        self.once(token, ask, true).await
    }

    /// Sends a read, again if that may help.
    pub(super) async fn read<T: DeserializeOwned>(&self, token: &SecretString, ask: &Ask<'_>) -> Result<T, Refused> {
        self.repeated(token, ask, |answer| decode(ask, answer)).await
    }

    /// Reads one page of a list.
    pub(super) async fn page<T: DeserializeOwned>(&self, token: &SecretString, ask: &Ask<'_>) -> Result<Page<T>, Refused> {
        self.repeated(token, ask, |answer| {
            let next = answer.header("next-range").map(str::to_owned);
            if answer.status == http::StatusCode::PARTIAL_CONTENT && next.is_none() {
                return Err(Refused::unreadable(&ask.what(), answer, "a part of a list without the way to the rest"));
            }
            let sorted_by = answer.header("content-range").and_then(|range| range.trim_start_matches(']').split_whitespace().next());
            let sorted_by = sorted_by.map(str::to_owned);
            Ok(Page { members: decode(ask, answer)?, sorted_by, next })
        })
        .await
    }

    /// Reads a list, page by page, until `enough` says so of what there is so far or the list ends. The `bool` that it is
    /// told: whether all pages so far were sorted as asked for, as far as the service says.
    pub(super) async fn list_until<T: DeserializeOwned>(
        &self,
        token: &SecretString,
        ask: Ask<'_>,
        mut enough: impl FnMut(&[T], bool) -> bool,
    ) -> Result<Vec<T>, Refused> {
        let wanted = ask.range.as_ref().and_then(|range| range.to_str().ok()).and_then(|range| range.split_whitespace().next());
        let wanted = wanted.map(str::to_owned);
        let mut ask = ask;
        let mut all = Vec::new();
        let mut sorted = true;
        for _ in 0..PAGES {
            let page: Page<T> = self.page(token, &ask).await?;
            all.extend(page.members);
            sorted = sorted && (page.sorted_by.is_none() || page.sorted_by == wanted);
            let Some(next) = page.next else { return Ok(all) };
            if enough(&all, sorted) {
                return Ok(all);
            }
            let next = HeaderValue::from_str(&next).ok().filter(|next| Some(next) != ask.range.as_ref());
            let Some(next) = next else { return Err(endless(&ask, "the list goes on where it began")) };
            ask.range = Some(next);
        }
        Err(endless(&ask, "the list has too many pages"))
    }

    /// Reads a list to its end.
    pub(super) async fn list<T: DeserializeOwned>(&self, token: &SecretString, ask: Ask<'_>) -> Result<Vec<T>, Refused> {
        self.list_until(token, ask, |_, _| false).await
    }

    async fn repeated<T>(
        &self,
        token: &SecretString,
        ask: &Ask<'_>,
        read: impl Fn(&Answer) -> Result<T, Refused> + Send,
    ) -> Result<T, Refused> {
        let mut tries = Tries::new(self.clock());
        loop {
            let refused = match self.once(token, ask, false).await {
                Ok(answer) => match read(&answer) {
                    Ok(read) => return Ok(read),
                    Err(refused) => {
                        self.client.forget(&answer);
                        refused
                    }
                },
                Err(refused) => refused,
            };
            let until = refused.retry_at.map(|at| Fault::RateLimited { until: Some(at) });
            if !refused.error.is_temporary() || !tries.pause(until.unwrap_or(refused.error.fault)).await {
                return Err(refused);
            }
        }
    }
}

fn decode<T: DeserializeOwned>(ask: &Ask<'_>, answer: &Answer) -> Result<T, Refused> {
    // Where it went wrong is told, what stood there is not.
    let place = |error: &serde_json::Error| format!("{:?} at {}:{}", error.classify(), error.line(), error.column());
    serde_json::from_slice(&answer.body).map_err(|error| Refused::unreadable(&ask.what(), answer, &place(&error)))
}

fn endless(ask: &Ask<'_>, why: &str) -> Refused {
    Refused::unanswered(PortError::new(Service::Platform, Fault::Nonsense, format!("{}: {why}", ask.what())))
}
