//! How two commits stand to each other.

use http::StatusCode;
use secrecy::SecretString;

use crate::adapters::http::scrub;
use crate::domain::names::{CommitSha, RepoName};
use crate::domain::source::{Comparison, Direction};
use crate::ports::PortError;

use super::GitHub;
use super::refusal::Refusal;
use super::shapes::{Compared, ComparedCommit};

const PATH: &str = "/repos/{owner}/{repo}/compare/{basehead}";

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
            let mut url = self.at(repository, ["compare", &format!("{base}...{head}")]);
            url.query_pairs_mut().append_pair("per_page", commits).append_pair("page", page);
            match self.get::<Compared>(token, url, PATH).await {
                Ok(compared) => return Ok(Some(compared)),
                Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => return Ok(None),
                Err(refusal) if refusal.too_long => last = Some(refusal),
                Err(refusal) => return Err(refusal),
            }
        }
        Err(last.unwrap_or_else(|| Refusal::nonsense(PATH, "no page")))
    }
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
