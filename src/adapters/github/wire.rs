//! Calls to GitHub: headers, redirects, pages, and how often a read is tried.

use http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, LINK, LOCATION};
use http::{Method, StatusCode};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use url::Url;

use crate::adapters::http::call::{Answer, Call, JSON_LIMIT, authorized, exchange};
use crate::adapters::http::retry::Tries;
use crate::domain::names::RepoName;
use crate::ports::Service;

use super::GitHub;
use super::refusal::{Refusal, judge};

/// JSON, as GitHub wants to be asked for it.
pub(super) const JSON: &str = "application/vnd.github+json";

/// A bare hash in place of a whole commit.
pub(super) const SHA: &str = "application/vnd.github.sha";

const API_VERSION: HeaderName = HeaderName::from_static("x-github-api-version");

/// How many redirects one call follows.
const REDIRECTS: usize = 5;

/// How many pages one list may have.
const PAGES: usize = 50;

/// Members per page, in the order in which they are tried when a page is too long to be taken: check runs carry texts.
const PAGE_SIZES: [&str; 3] = ["100", "20", "5"];

/// How an answer is read.
pub(super) type Reader<T> = fn(&Answer) -> Result<T, Unreadable>;

/// Why an answer was not understood.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// It is broken: it may come whole the next time.
    Broken,
    /// It is whole and not what it should be.
    Strange(String),
}

/// Reads JSON.
pub(super) fn json<T: DeserializeOwned>(answer: &Answer) -> Result<T, Unreadable> {
    serde_json::from_slice(&answer.body).map_err(|error| match error.classify() {
        Category::Data => Unreadable::Strange(format!("does not fit at line {} column {}", error.line(), error.column())),
        Category::Io | Category::Syntax | Category::Eof => Unreadable::Broken,
    })
}

impl GitHub {
    /// The address of something in a repository.
    pub(super) fn at<'a>(&self, repository: &'a RepoName, rest: impl IntoIterator<Item = &'a str>) -> Url {
        self.settings.api.at(["repos", repository.owner(), repository.name()].into_iter().chain(rest))
    }

    /// One thing, as JSON.
    pub(super) async fn get<T: DeserializeOwned>(&self, token: &SecretString, url: Url, path: &'static str) -> Result<T, Refusal> {
        Ok(self.read(token, url, path, JSON, json::<T>).await?.0)
    }

    /// All members of a list. Fails if a page fails, or if there is no end.
    pub(super) async fn pages<P: DeserializeOwned, T>(
        &self,
        token: &SecretString,
        url: &Url,
        path: &'static str,
        members: fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, Refusal> {
        let mut sizes = PAGE_SIZES.iter();
        loop {
            let Some(size) = sizes.next() else { return Err(Refusal::nonsense(path, "its pages are too long")) };
            let mut first = url.clone();
            first.query_pairs_mut().append_pair("per_page", size);
            match self.pages_from(token, first, path, members).await {
                Err(refusal) if refusal.too_long => {}
                done => return done,
            }
        }
    }

    async fn pages_from<P: DeserializeOwned, T>(
        &self,
        token: &SecretString,
        first: Url,
        path: &'static str,
        members: fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, Refusal> {
        let mut all = Vec::new();
        let mut next = Some(first);
        for _ in 0..PAGES {
            let Some(url) = next else { return Ok(all) };
            let (page, answer) = self.read(token, url, path, JSON, json::<P>).await?;
            // The answer is fine by its status and lacks what other organisations hide.
            if answer.header("x-github-sso").is_some_and(|header| header.starts_with("partial-results")) {
                return Err(Refusal::nonsense(path, "a part of the list is hidden behind single sign-on"));
            }
            all.extend(members(page));
            next = self.next_page(&answer, path)?;
        }
        match next {
            None => Ok(all),
            Some(_) => Err(Refusal::nonsense(path, "the list does not end")),
        }
    }

    fn next_page(&self, answer: &Answer, path: &str) -> Result<Option<Url>, Refusal> {
        let Some(next) = next_link(answer) else { return Ok(None) };
        match Url::parse(&next) {
            Ok(url) if self.settings.api.same_origin(&url) => Ok(Some(url)),
            Ok(_) | Err(_) => Err(Refusal::nonsense(path, "the next page is elsewhere")),
        }
    }

    /// Reads, up to three times.
    pub(super) async fn read<T>(
        &self,
        token: &SecretString,
        url: Url,
        path: &'static str,
        accept: &'static str,
        reader: Reader<T>,
    ) -> Result<(T, Answer), Refusal> {
        let mut tries = Tries::new(self.clock.as_ref());
        loop {
            match self.read_once(token, url.clone(), path, accept, reader).await {
                Err(refusal) if refusal.again && tries.pause(refusal.error.fault).await => {}
                done => return done,
            }
        }
    }

    /// The same, tried once: for somebody who types and cannot wait.
    pub(super) async fn read_once<T>(
        &self,
        token: &SecretString,
        url: Url,
        path: &'static str,
        accept: &'static str,
        reader: Reader<T>,
    ) -> Result<(T, Answer), Refusal> {
        let answer = self.ask(token, url, path, accept, Kind::Read).await?;
        if !answer.status.is_success() {
            return Err(self.refusal(&answer, &format!("GET {path}"), token));
        }
        let read = reader(&answer);
        if read.is_err() {
            self.quick.forget(&answer);
        }
        match read {
            Ok(value) => Ok((value, answer)),
            Err(Unreadable::Strange(why)) => Err(Refusal::nonsense(path, &why)),
            Err(Unreadable::Broken) => Err(Refusal { again: true, ..Refusal::nonsense(path, "the answer is broken") }),
        }
    }

    /// Writes, once. The answer's status is for the caller to judge.
    pub(super) async fn write(&self, token: &SecretString, url: Url, path: &'static str, body: &Value) -> Result<Answer, Refusal> {
        self.ask(token, url, path, JSON, Kind::Write(body)).await
    }

    /// Where an archive lies now: the answer that leads there. Asked once.
    pub(super) async fn archive_place(&self, token: &SecretString, url: Url, path: &'static str) -> Result<Answer, Refusal> {
        self.ask(token, url, path, JSON, Kind::Archive).await
    }

    /// What an answer that is no success means.
    pub(super) fn refusal(&self, answer: &Answer, what: &str, token: &SecretString) -> Refusal {
        judge(answer, what, token, self.clock.now(), &self.settings.web)
    }

    /// Asks, and asks again where the repository has moved to: on this host only, with the same method.
    async fn ask(
        &self,
        token: &SecretString,
        mut url: Url,
        path: &'static str,
        accept: &'static str,
        kind: Kind<'_>,
    ) -> Result<Answer, Refusal> {
        let (method, write) = match kind {
            Kind::Read | Kind::Archive => (Method::GET, false),
            Kind::Write(_) => (Method::POST, true),
        };
        for _ in 0..=REDIRECTS {
            let mut call = Call::new(Service::SourceControl, method.clone(), url.clone(), path)
                .header(ACCEPT, HeaderValue::from_static(accept))
                .header(API_VERSION, HeaderValue::from_static("2022-11-28"));
            if let Kind::Write(body) = kind {
                call = call.json(body);
            }
            let what = call.what();
            let call = authorized(call, token).ok_or_else(|| Refusal::no_token(&what))?;
            let answer = match kind {
                Kind::Read => self.quick.read(call, JSON_LIMIT).await,
                Kind::Write(_) => self.quick.write(call, JSON_LIMIT).await,
                // Each caller needs a link of their own: it is good once.
                Kind::Archive => exchange(self.quick.client(), call, JSON_LIMIT).await,
            };
            let answer = answer.map_err(|fault| {
                self.note_unanswered(token, write);
                Refusal::unanswered(&fault, &what, write)
            })?;
            self.note_allowance(&answer, token, write);
            let arrived = matches!(kind, Kind::Archive) && answer.status == StatusCode::FOUND;
            if arrived || !is_redirect(answer.status) {
                return Ok(answer);
            }
            let Some(to) = redirected(&answer, &url).filter(|to| self.settings.api.same_origin(to)) else {
                return Err(Refusal::astray(&what, "it is redirected to elsewhere", write));
            };
            url = to;
        }
        Err(Refusal::astray(path, "it is redirected in circles", write))
    }
}

/// What is asked for.
#[derive(Clone, Copy)]
enum Kind<'a> {
    /// Something to read.
    Read,
    /// Something to write.
    Write(&'a Value),
    /// The way to an archive: a 302 is the answer and is not followed here, because it leads away from this host.
    Archive,
}

/// Whether the thing is at another address.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
}

/// The other address.
pub(super) fn redirected(answer: &Answer, from: &Url) -> Option<Url> {
    location(&answer.headers, from)
}

/// Where a `Location` header leads.
pub(super) fn location(headers: &HeaderMap, from: &Url) -> Option<Url> {
    from.join(headers.get(LOCATION)?.to_str().ok()?).ok()
}

/// The address of the next page.
pub(super) fn next_link(answer: &Answer) -> Option<String> {
    answer.headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(|links| {
        links.split('<').skip(1).find_map(|link| {
            let (url, parameters) = link.split_once('>')?;
            let is_next = parameters.split(';').any(|parameter| {
                let parameter = parameter.trim().trim_end_matches(',').trim_end();
                matches!(parameter.split_once('='), Some((name, value)) if name.trim() == "rel" && value.trim().trim_matches('"') == "next")
            });
            is_next.then(|| url.to_owned())
        })
    })
}
