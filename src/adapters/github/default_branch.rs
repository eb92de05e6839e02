//! Which branch is the default one now, as git itself tells it.
//!
//! The description of a repository changes with every push, so that asking for it again counts against the allowance. Of what a
//! deploy needs of it only the default branch has to be as of now: rights, and whether the repository is read-only, GitHub judges
//! itself when the record is made, before anything is built. A list of refs counts against nothing, and begins with `HEAD` and
//! the branch that it stands for (gitprotocol-http, gitprotocol-pack: `symref`). Whatever else comes is no answer: then the
//! description is read.

use std::num::NonZeroUsize;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderValue, USER_AGENT};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::adapters::http::base_url::{BaseUrl, is_loopback};
use crate::adapters::http::call::{Call, basic, beginning};
use crate::adapters::http::remembered::{Before, Remembered};
use crate::domain::names::{RefName, RepoName};
use crate::domain::source::Repository;
use crate::ports::{PortError, Service};

use super::GitHub;

const PATH: &str = "/{owner}/{repo}.git/info/refs";

/// With this name any token of GitHub's is taken as the password.
const NAME: &str = "x-access-token";

/// As makers of clients report, GitHub speaks git only to those whose name begins so; that is documented nowhere.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("git/slash-heroku/", env!("CARGO_PKG_VERSION")));

/// How long the beginning of the list may take. It saves a request, and must not make people wait for that.
const CALL: Duration = Duration::from_secs(3);

/// For how long git is left alone where it did not say what `HEAD` stands for.
const QUIET: SignedDuration = SignedDuration::from_mins(10);

/// How much of the list is read, in bytes. Its first line takes some hundred; a short list is read to its end, so that the connection
/// can be used again.
const BEGINNING: usize = 16 * 1024;

/// How many repositories are remembered.
const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

/// Where git answers: at the host of the pages. `None`: that is not plainly of the same GitHub as the API, and a token must not be shown
/// to another.
pub fn git_at(api: &BaseUrl, web: &BaseUrl) -> Option<BaseUrl> {
    let (of_api, of_web) = (api.as_url(), web.as_url());
    let (api_host, web_host) = (of_api.host_str()?, of_web.host_str()?);
    // `api.github.com` beside `github.com`; one host for both where GitHub is one's own.
    let same_host = api_host == web_host || api_host.strip_prefix("api.") == Some(web_host);
    let same_port = of_api.port_or_known_default() == of_web.port_or_known_default();
    // A sandbox has a port for each.
    let same = (same_host && same_port) || (is_loopback(of_api) && is_loopback(of_web));
    same.then(|| web.clone())
}

/// Repositories that may be deployed from, as they were described last, by their names in lower case.
#[derive(Debug)]
pub(super) struct Described {
    repositories: Remembered<String, Repository>,
    /// Until when git is not asked for one.
    quiet: Remembered<String, Timestamp>,
}

impl Default for Described {
    fn default() -> Self {
        Self { repositories: Remembered::with_room_for(MOST), quiet: Remembered::with_room_for(MOST) }
    }
}

fn key(name: &RepoName) -> String {
    name.to_string().to_ascii_lowercase()
}

impl Described {
    /// Marks the moment before a description is read.
    pub(super) fn before(&self) -> Before {
        self.repositories.before()
    }

    /// Remembers a repository under the name that was asked for, if that is its name and it may be deployed from.
    pub(super) fn learn(&self, token: &SecretString, asked: &RepoName, repository: &Repository, before: Before) {
        if repository.is_open_to_records() == Some(true) && repository.name.same_as(asked) {
            self.repositories.put(token, key(asked), repository.clone(), before);
        } else {
            self.forget_one(token, asked);
        }
    }

    /// Forgets one repository: what was said of it does not hold any more.
    pub(super) fn forget_one(&self, token: &SecretString, name: &RepoName) {
        self.repositories.forget_one(token, key(name));
    }

    /// Forgets what was read with a credential.
    pub(super) fn forget(&self, token: &SecretString) {
        self.repositories.forget(token);
        self.quiet.forget(token);
    }
}

impl GitHub {
    pub(super) async fn find_repository_for_deploy(&self, token: &SecretString, name: &RepoName) -> Result<Repository, PortError> {
        match self.described_as_now(token, name).await {
            Some(repository) => Ok(repository),
            None => self.find_repository(token, name).await,
        }
    }

    /// The repository as it was described last, if git says that its default branch is still that one.
    async fn described_as_now(&self, token: &SecretString, name: &RepoName) -> Option<Repository> {
        let git = self.settings.git.as_ref()?;
        let described = self.described.repositories.get(token, key(name))?;
        let now = self.clock.now();
        if self.described.quiet.get(token, key(name)).is_some_and(|until| now < until) {
            return None;
        }
        let before = self.described.quiet.before();
        let Some(branch) = self.head(git, token, name).await else {
            tracing::info!(minutes = QUIET.as_mins(), "git does not tell the default branch, and is left alone");
            let until = now.checked_add(QUIET).unwrap_or(now);
            self.described.quiet.put(token, key(name), until, before);
            return None;
        };
        (branch == described.default_branch).then_some(described)
    }

    /// The branch that git says `HEAD` stands for; asked once.
    async fn head(&self, git: &BaseUrl, token: &SecretString, name: &RepoName) -> Option<RefName> {
        let mut url = git.at([name.owner(), &format!("{}.git", name.name()), "info", "refs"]);
        url.query_pairs_mut().append_pair("service", "git-upload-pack");
        let call = Call::new(Service::SourceControl, Method::GET, url, PATH);
        let call = call.header(AUTHORIZATION, basic(NAME, token)?).header(USER_AGENT, AGENT).within(CALL);
        let answer = beginning(&self.long, call, BEGINNING).await.ok()?;
        if answer.status == StatusCode::OK { symbolic(first_ref(&answer.body)?) } else { None }
    }
}

/// The line of the first ref in a list, if that much of it is there: what comes after the announcement of the service and the mark that
/// ends it.
fn first_ref(list: &[u8]) -> Option<&[u8]> {
    let mut rest = list;
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        // The length counts its own four digits; zero is the mark.
        let length = usize::from_str_radix(std::str::from_utf8(length).ok()?, 16).ok()?;
        let line = if length == 0 { &[] } else { after.get(..length.checked_sub(4)?)? };
        if length != 0 && !line.starts_with(b"# service=") {
            return Some(line);
        }
        rest = after.get(line.len()..)?;
    }
}

/// The branch that `HEAD` stands for, if the line is of `HEAD` and says so.
fn symbolic(line: &[u8]) -> Option<RefName> {
    let (id_and_name, capabilities) = std::str::from_utf8(line).ok()?.split_once('\0')?;
    let (_, "HEAD") = id_and_name.split_once(' ')? else { return None };
    let target = capabilities.split_ascii_whitespace().find_map(|capability| capability.strip_prefix("symref=HEAD:refs/heads/"))?;
    RefName::parse(target).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPABILITIES: &str = "multi_ack side-band-64k symref=HEAD:refs/heads/main agent=git/2";

    fn line(text: &str) -> String {
        format!("{:04x}{text}", text.len() + 4)
    }

    fn list(first: &str) -> String {
        format!("{}0000{}{}0000", line("# service=git-upload-pack\n"), line(first), line("1111 refs/heads/main\n"))
    }

    fn told(list: impl AsRef<[u8]>) -> Option<String> {
        first_ref(list.as_ref()).and_then(symbolic).map(|branch| branch.to_string())
    }

    #[test]
    fn the_branch_that_head_stands_for_is_read() {
        assert_eq!(told(list(&format!("1111 HEAD\0{CAPABILITIES}\n"))).as_deref(), Some("main"));
        assert_eq!(told(list("1111 HEAD\0symref=HEAD:refs/heads/a/b")).as_deref(), Some("a/b"), "with no end of line");
    }

    #[test]
    fn a_token_is_shown_to_the_same_github_only() {
        for (api, web, same) in [
            ("https://api.github.com", "https://github.com", true),
            ("https://github.example.com/api/v3", "https://github.example.com", true),
            ("https://api.acme.ghe.com", "https://acme.ghe.com", true),
            ("http://127.0.0.1:1", "http://127.0.0.1:2", true),
            ("https://github.example.com/api/v3", "https://github.com", false),
            ("https://api.github.com", "https://github.example.com", false),
            ("https://api.github.com", "https://hub.com", false),
            ("http://127.0.0.1:1", "https://github.com", false),
            ("https://github.example.com/api/v3", "https://github.example.com:8443", false),
        ] {
            let base = |text: &str| BaseUrl::parse(text).unwrap();
            assert_eq!(git_at(&base(api), &base(web)), same.then(|| base(web)), "{api} {web}");
        }
    }

    #[test]
    fn nothing_else_is_taken_for_it() {
        for first in [
            "1111 refs/heads/main\0symref=HEAD:refs/heads/main\n",
            "1111 HEAD\0multi_ack\n",
            "1111 HEAD\0symref=HEAD:refs/tags/v1\n",
            "1111 HEAD\0symref=HEAD:refs/heads/\n",
            "1111 HEAD symref=HEAD:refs/heads/main\n",
            "0000 capabilities^{}\0multi_ack\n",
            "ERR access denied",
        ] {
            assert_eq!(told(list(first)), None, "{first:?}");
        }
        for page in ["<html>", "zzzz", "0003", "+004", "00", "", "0000", "00000000"] {
            assert_eq!(told(page), None, "{page:?}");
        }
    }

    #[test]
    fn a_first_line_that_is_cut_off_tells_nothing() {
        let whole = list(&format!("1111 HEAD\0{CAPABILITIES}\n"));
        let end = whole.find("agent=git/2\n").unwrap() + "agent=git/2\n".len();
        for cut in 0..whole.len() {
            let read = told(&whole.as_bytes()[..cut]);
            assert_eq!(read.is_some(), cut >= end, "after {cut} bytes");
        }
    }
}
