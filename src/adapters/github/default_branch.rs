//! Which branch is the default one now, as git itself tells it.
//!
//! The description of a repository changes with every push, so that asking for it again counts against the allowance. Of what a
//! deploy needs of it only the default branch has to be as of now: rights, and whether the repository is read-only, GitHub judges
//! itself when the record is made, before anything is built. A list of refs counts against nothing, and begins with `HEAD` and
//! the branch that it stands for (gitprotocol-http, gitprotocol-pack: `symref`). Whatever else comes is no answer: then the
//! description is read.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::StreamExt;
use http::header::{AUTHORIZATION, HeaderValue, USER_AGENT};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use lru::LruCache;
use secrecy::SecretString;

use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::call::{Call, basic, digest, open};
use crate::domain::names::{RefName, RepoName};
use crate::domain::source::Repository;
use crate::ports::{PortError, Service};

use super::GitHub;

const PATH: &str = "/{owner}/{repo}.git/info/refs";

/// With this name any token of GitHub's is taken as the password.
const NAME: &str = "x-access-token";

/// GitHub speaks git only to clients whose name begins so.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("git/slash-heroku/", env!("CARGO_PKG_VERSION")));

/// How long the beginning of the list may take. It saves a request, and must not make people wait for that.
const CALL: Duration = Duration::from_secs(3);

/// For how long git is left alone where it gave no answer.
const QUIET: SignedDuration = SignedDuration::from_mins(10);

/// How much of the list is read, in bytes: the capabilities in its first line take some hundred, and a name 255 at most.
const BEGINNING: usize = 4096;

/// How many repositories are remembered.
const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

/// A credential, as a digest, and a repository's name in lower case.
type Place = ([u8; 32], String);

/// Where git answers: at the host of the pages. `None`: that is not plainly of the same GitHub as the interface, and a token must not be
/// shown to another.
pub fn git_at(api: &BaseUrl, web: &BaseUrl) -> Option<BaseUrl> {
    let (api_host, web_host) = (api.as_url().host_str()?, web.as_url().host_str()?);
    // `api.github.com` beside `github.com`; one host for both where GitHub is one's own; a sandbox has a port for each.
    let same = api_host == web_host || api_host.strip_prefix("api.") == Some(web_host);
    same.then(|| web.clone())
}

fn place(token: &SecretString, name: &RepoName) -> Place {
    (digest(token), name.to_string().to_ascii_lowercase())
}

/// Repositories that may be deployed from, as they were described last. Each credential knows only those that were read with it.
pub(super) struct Described {
    repositories: Mutex<LruCache<Place, Repository>>,
    /// Until when git is not asked.
    quiet: Mutex<Option<Timestamp>>,
}

impl fmt::Debug for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Described").finish_non_exhaustive()
    }
}

impl Default for Described {
    fn default() -> Self {
        Self { repositories: Mutex::new(LruCache::new(MOST)), quiet: Mutex::default() }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Described {
    /// Remembers a repository under the name that was asked for, if that is its name and it may be deployed from.
    pub(super) fn learn(&self, token: &SecretString, asked: &RepoName, repository: &Repository) {
        if repository.may_deploy == Some(true) && !repository.archived && repository.name.same_as(asked) {
            locked(&self.repositories).put(place(token, asked), repository.clone());
        }
    }

    /// Forgets one repository: what was said of it does not hold any more, or is asked anew.
    pub(super) fn forget_one(&self, token: &SecretString, name: &RepoName) {
        locked(&self.repositories).pop(&place(token, name));
    }

    /// Forgets what was read with a credential.
    pub(super) fn forget(&self, token: &SecretString) {
        let of = digest(token);
        let mut known = locked(&self.repositories);
        let theirs: Vec<Place> = known.iter().map(|(place, _)| place.clone()).filter(|(credential, _)| *credential == of).collect();
        theirs.iter().for_each(|place| {
            known.pop(place);
        });
    }

    fn of(&self, token: &SecretString, name: &RepoName) -> Option<Repository> {
        locked(&self.repositories).get(&place(token, name)).cloned()
    }

    fn is_quiet(&self, now: Timestamp) -> bool {
        locked(&self.quiet).is_some_and(|until| now < until)
    }

    fn be_quiet(&self, now: Timestamp) {
        *locked(&self.quiet) = now.checked_add(QUIET).ok();
    }
}

/// What came of asking git.
enum Told {
    /// The default branch.
    Branch(RefName),
    /// Not this: it is hidden, has moved, or is empty. The description tells more.
    Nothing,
    /// Git does not answer.
    Silence,
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
        let described = self.described.of(token, name)?;
        let now = self.clock.now();
        if self.described.is_quiet(now) {
            return None;
        }
        match self.head(git, token, name).await {
            Told::Branch(branch) => (branch == described.default_branch).then_some(described),
            Told::Nothing => None,
            Told::Silence => {
                self.described.be_quiet(now);
                None
            }
        }
    }

    /// Asks once, and reads no more of the list than its first line.
    async fn head(&self, git: &BaseUrl, token: &SecretString, name: &RepoName) -> Told {
        let Some(shown) = basic(NAME, token) else { return Told::Nothing };
        let mut url = git.at([name.owner(), &format!("{}.git", name.name()), "info", "refs"]);
        url.query_pairs_mut().append_pair("service", "git-upload-pack");
        let call = Call::new(Service::SourceControl, Method::GET, url, PATH).header(AUTHORIZATION, shown).header(USER_AGENT, AGENT);
        let Ok(response) = open(&self.long, call.within(CALL)).await else { return Told::Silence };
        match response.status() {
            StatusCode::OK => {}
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => return Told::Silence,
            _ => return Told::Nothing,
        }
        let mut beginning = BytesMut::new();
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let Ok(piece) = piece else { return Told::Silence };
            beginning.extend_from_slice(&piece);
            match first_line(&beginning) {
                First::Line(line) => return symbolic(line).map_or(Told::Nothing, Told::Branch),
                First::Strange => return Told::Nothing,
                First::Unfinished if beginning.len() >= BEGINNING => return Told::Nothing,
                First::Unfinished => {}
            }
        }
        Told::Silence
    }
}

/// The first ref of a list, as far as it has come.
#[derive(Debug, PartialEq, Eq)]
enum First<'a> {
    /// Here it is.
    Line(&'a [u8]),
    /// More has to come.
    Unfinished,
    /// This is no list of refs.
    Strange,
}

/// Skips the announcement of the service and the mark after it.
fn first_line(list: &[u8]) -> First<'_> {
    let mut rest = list;
    loop {
        let Some((length, after)) = rest.split_first_chunk::<4>() else { return First::Unfinished };
        let length = std::str::from_utf8(length).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
        // The length counts its own four digits; zero is the mark.
        let line = match length {
            Some(0) => {
                rest = after;
                continue;
            }
            Some(length @ 4..) => match after.get(..length.saturating_sub(4)) {
                Some(line) => line,
                None => return First::Unfinished,
            },
            Some(1..4) | None => return First::Strange,
        };
        if !line.starts_with(b"# service=") {
            return First::Line(line);
        }
        rest = after.get(line.len()..).unwrap_or_default();
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
        match first_line(list.as_ref()) {
            First::Line(line) => symbolic(line).map(|branch| branch.to_string()),
            First::Unfinished | First::Strange => None,
        }
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
        for page in ["<html>", "0003", "00", ""] {
            assert_eq!(told(page), None, "{page:?}");
        }
    }

    #[test]
    fn it_is_read_as_soon_as_it_has_come_and_not_before() {
        let whole = list(&format!("1111 HEAD\0{CAPABILITIES}\n"));
        let end = whole.find("agent=git/2\n").unwrap() + "agent=git/2\n".len();
        for cut in 0..whole.len() {
            let read = told(&whole.as_bytes()[..cut]);
            assert_eq!(read.is_some(), cut >= end, "after {cut} bytes");
        }
        assert_eq!(first_line(b"zzzz"), First::Strange);
    }
}
