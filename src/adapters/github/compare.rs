//! How two commits stand to each other.

use http::StatusCode;
use secrecy::SecretString;

use crate::adapters::http::scrub;
use crate::domain::names::{CommitSha, LoginId, RepoName};
use crate::domain::source::{CommitLine, Comparison, Difference, Direction, Size};
use crate::ports::PortError;

use super::GitHub;
use super::refusal::Refusal;
use super::shapes::{Compared, ComparedCommit};

const PATH: &str = "/repos/{owner}/{repo}/compare/{basehead}";

/// How many commits a page has, and the same as a word.
const PAGE: u64 = 100;
const PAGE_WORD: &str = "100";

/// How many files are listed at most.
const FILES: usize = 300;

/// How much is shown of a message, in characters.
const SUBJECT: usize = 100;

/// How many authors are named.
const AUTHORS: usize = 10;

impl GitHub {
    pub(super) async fn comparison(
        &self,
        token: &SecretString,
        repository: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Option<Comparison>, PortError> {
        let own_page = || {
            let span = format!("{base}...{head}");
            self.settings.web.at([repository.owner(), repository.name(), "compare", &span]).into()
        };
        if let Some(commit) = self.lineage.follows(token, base, head) {
            let authors = authors(vec![commit]);
            return Ok(Some(Comparison { direction: Direction::Ahead, added: 1, dropped: 0, url: own_page(), authors }));
        }
        let Some(compared) = self.compared(token, repository, base, head, "100").await? else { return Ok(None) };
        Ok(Some(Comparison {
            direction: direction(&compared)?,
            added: compared.ahead_by,
            dropped: compared.behind_by,
            url: compared.html_url.as_deref().and_then(scrub::link).unwrap_or_else(own_page),
            authors: authors(compared.commits),
        }))
    }

    pub(super) async fn difference_between(
        &self,
        token: &SecretString,
        repository: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Option<Difference>, PortError> {
        let Some(mut compared) = self.compared(token, repository, base, head, PAGE_WORD).await? else { return Ok(None) };
        // The oldest come first.
        if compared.ahead_by > PAGE {
            let last = compared.ahead_by.div_ceil(PAGE).to_string();
            compared.commits.extend(self.page_of_comparison(token, repository, (base, head), (PAGE_WORD, &last)).await?.commits);
        }
        let size = compared.files.as_ref().map(|files| Size {
            files: u64::try_from(files.len()).unwrap_or(u64::MAX),
            added: files.iter().fold(0, |sum, file| sum.saturating_add(file.additions)),
            removed: files.iter().fold(0, |sum, file| sum.saturating_add(file.deletions)),
            at_least: files.len() >= FILES,
        });
        let span = format!("{base}...{head}");
        let page = compared.html_url.as_deref().and_then(scrub::link);
        let mut commits: Vec<CommitLine> = compared.commits.iter().filter_map(line).collect();
        commits.reverse();
        commits.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
        Ok(Some(Difference {
            comparison: Comparison {
                direction: direction(&compared)?,
                added: compared.ahead_by,
                dropped: compared.behind_by,
                url: page.unwrap_or_else(|| self.settings.web.at([repository.owner(), repository.name(), "compare", &span]).into()),
                authors: authors(compared.commits),
            },
            commits,
            size,
        }))
    }

    /// Whether `head` is `commit` or came after it.
    pub(super) async fn contains(
        &self,
        token: &SecretString,
        repository: &RepoName,
        head: &CommitSha,
        commit: &CommitSha,
    ) -> Result<bool, Refusal> {
        if head == commit {
            return Ok(true);
        }
        let Some(compared) = self.compared(token, repository, commit, head, "1").await? else { return Ok(false) };
        Ok(matches!(direction(&compared)?, Direction::Same | Direction::Ahead))
    }

    /// Changed files come with the first page only and may be long: where they are too long, the second page tells the
    /// same without them.
    async fn compared(
        &self,
        token: &SecretString,
        repository: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
        commits: &str,
    ) -> Result<Option<Compared>, Refusal> {
        let mut last = None;
        for page in ["1", "2"] {
            match self.page_of_comparison(token, repository, (base, head), (commits, page)).await {
                Ok(compared) => return Ok(Some(compared)),
                Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => return Ok(None),
                Err(refusal) if refusal.too_long => last = Some(refusal),
                Err(refusal) => return Err(refusal),
            }
        }
        Err(last.unwrap_or_else(|| Refusal::nonsense(PATH, "no page")))
    }

    async fn page_of_comparison(
        &self,
        token: &SecretString,
        repository: &RepoName,
        (base, head): (&CommitSha, &CommitSha),
        (commits, page): (&str, &str),
    ) -> Result<Compared, Refusal> {
        let mut url = self.at(repository, ["compare", &format!("{base}...{head}")]);
        url.query_pairs_mut().append_pair("per_page", commits).append_pair("page", page);
        self.get::<Compared>(token, url, PATH).await
    }
}

/// A commit, as people read of it; one without a hash is none.
fn line(commit: &ComparedCommit) -> Option<CommitLine> {
    let sha = CommitSha::parse(commit.sha.as_deref()?).ok()?;
    let message = commit.commit.as_ref().and_then(|body| body.message.as_deref()).unwrap_or_default();
    let first = message.lines().next().unwrap_or_default();
    // A merge says what it merges in the line below.
    let merged: Option<u64> = first.strip_prefix("Merge pull request #").and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    let title = merged.and_then(|_| message.lines().skip(1).find(|line| !line.trim().is_empty()));
    let squashed = || first.trim_end().strip_suffix(')')?.rsplit_once(" (#")?.1.parse().ok();
    Some(CommitLine {
        commit: sha,
        subject: scrub::clean(title.unwrap_or(first).trim(), SUBJECT),
        author: authors(vec![commit.clone()]).into_iter().next(),
        author_id: commit.author.as_ref().and_then(|author| author.id).and_then(|id| LoginId::parse(&id.to_string()).ok()),
        pull: merged.or_else(squashed).filter(|number| *number > 0),
    })
}

fn direction(compared: &Compared) -> Result<Direction, Refusal> {
    match compared.status.as_str() {
        "identical" => Ok(Direction::Same),
        "ahead" => Ok(Direction::Ahead),
        "behind" => Ok(Direction::Behind),
        "diverged" => Ok(Direction::Diverged),
        _ => Err(Refusal::nonsense(PATH, "the status is not known")),
    }
}

fn authors(commits: Vec<ComparedCommit>) -> Vec<String> {
    let mut authors: Vec<String> = Vec::new();
    for commit in commits {
        let login = commit.author.and_then(|author| author.login);
        let name = || commit.commit.and_then(|body| body.author).and_then(|author| author.name);
        let Some(author) = login.or_else(name).map(|author| scrub::clean(&author, 60)).filter(|author| !author.is_empty()) else {
            continue;
        };
        if !authors.contains(&author) {
            authors.push(author);
        }
        if authors.len() == AUTHORS {
            break;
        }
    }
    authors
}
