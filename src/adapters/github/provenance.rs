//! Whether a commit that was named by its hash alone is the repository's own.

use secrecy::SecretString;

use crate::domain::names::{CommitSha, RefName, RepoName};
use crate::domain::source::{Provenance, Repository};

use super::GitHub;
use super::refs::{Pointed, is_own};
use super::refusal::Refusal;
use super::shapes::{Named, Pull};

/// How many pull requests of one commit are looked at.
const PULLS: usize = 10;

impl GitHub {
    /// GitHub finds commits of forks under the repository's own name, so finding one proves nothing: it has to be in the
    /// default branch, at the head of a branch, or in a pull request from the repository itself.
    pub(super) async fn provenance(
        &self,
        token: &SecretString,
        repository: &Repository,
        commit: &CommitSha,
    ) -> Result<Provenance, Refusal> {
        let name = &repository.name;
        if self.in_branch(token, name, &repository.default_branch, commit).await? {
            return Ok(Provenance::Repository);
        }
        let heads = self.at(name, ["commits", commit.as_str(), "branches-where-head"]);
        let heads: Vec<Named> = or_none(self.get(token, heads, "/repos/{owner}/{repo}/commits/{sha}/branches-where-head").await)?;
        if !heads.is_empty() {
            return Ok(Provenance::Repository);
        }
        let mut pulls = self.at(name, ["commits", commit.as_str(), "pulls"]);
        pulls.query_pairs_mut().append_pair("per_page", &PULLS.to_string());
        let pulls: Vec<Pull> = or_none(self.get(token, pulls, "/repos/{owner}/{repo}/commits/{sha}/pulls").await)?;
        let here: Vec<&Pull> = pulls.iter().filter(|pull| goes_to(pull, name)).take(PULLS).collect();
        if here.iter().any(|pull| is_own(pull)) {
            return Ok(Provenance::Repository);
        }
        // A fork's commits are ours once they were merged.
        for pull in here.iter().filter(|pull| pull.merged_at.is_some()) {
            if let Ok(branch) = RefName::parse(&pull.base.name)
                && branch != repository.default_branch
                && self.in_branch(token, name, &branch, commit).await?
            {
                return Ok(Provenance::Repository);
            }
        }
        Ok(if here.is_empty() { Provenance::Unreachable } else { Provenance::Fork })
    }

    async fn in_branch(&self, token: &SecretString, name: &RepoName, branch: &RefName, commit: &CommitSha) -> Result<bool, Refusal> {
        match self.branch(token, name, branch).await? {
            Pointed::At(head) => self.contains(token, name, &head, commit).await,
            Pointed::Nowhere | Pointed::Empty => Ok(false),
        }
    }
}

fn goes_to(pull: &Pull, name: &RepoName) -> bool {
    let base = pull.base.repo.as_ref().and_then(|repo| repo.full_name.as_deref());
    base.is_none_or(|base| RepoName::parse(base).is_ok_and(|base| base.same_as(name)))
}

/// Nothing, where GitHub says clearly that it has nothing or may not tell: trust is not founded on what cannot be read. What the person
/// can have opened is told them.
fn or_none<T: Default>(answer: Result<T, Refusal>) -> Result<T, Refusal> {
    match answer {
        Err(refusal) if refusal.is_no() && refusal.error.mend_at.is_none() => Ok(T::default()),
        other => other,
    }
}
