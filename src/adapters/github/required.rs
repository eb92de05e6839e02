//! What is required of a commit: classic branch protection and rulesets, two mechanisms that add up.

use http::StatusCode;
use secrecy::SecretString;

use crate::domain::checks::RequiredCheck;
use crate::domain::names::{RefName, RepoName};
use crate::domain::source::{CommitRef, Repository};

use super::GitHub;
use super::checks::name;
use super::refusal::Refusal;
use super::shapes::{Branch, RequiredStatusChecks, Rule, RuleParameters};

const RULES: &str = "/repos/{owner}/{repo}/rules/branches/{branch}";

impl GitHub {
    /// The rules of the branch by which the commit was named or, where that has none, those of the default branch.
    ///
    /// What cannot be read is a fault, never "nothing required".
    pub(super) async fn required(
        &self,
        token: &SecretString,
        repository: &Repository,
        named_by: &CommitRef,
    ) -> Result<Vec<RequiredCheck>, Refusal> {
        let default = &repository.default_branch;
        let own = match named_by {
            CommitRef::Branch(branch) | CommitRef::Pull { branch, .. } if branch != default => {
                self.required_of(token, &repository.name, branch, true).await?
            }
            CommitRef::Branch(_) | CommitRef::Pull { .. } | CommitRef::Tag(_) | CommitRef::Commit => Vec::new(),
        };
        if own.is_empty() { self.required_of(token, &repository.name, default, false).await } else { Ok(own) }
    }

    /// The rules of one branch. `may_be_gone`: a branch that is not there (it was removed, or lives in a fork) has no
    /// classic protection; rulesets apply to its name all the same.
    async fn required_of(
        &self,
        token: &SecretString,
        repository: &RepoName,
        branch: &RefName,
        may_be_gone: bool,
    ) -> Result<Vec<RequiredCheck>, Refusal> {
        let url = self.at(repository, ["branches", branch.as_str()]);
        let protection = match self.get::<Branch>(token, url, "/repos/{owner}/{repo}/branches/{branch}").await {
            Ok(branch) => branch.protection,
            Err(refusal) if may_be_gone && refusal.is(StatusCode::NOT_FOUND) => None,
            Err(refusal) => return Err(refusal),
        };
        let mut required = protection.and_then(|protection| protection.required_status_checks).map(classic).unwrap_or_default();
        for check in self.ruled(token, repository, branch).await? {
            if !required.contains(&check) {
                required.push(check);
            }
        }
        Ok(required)
    }

    /// What active rulesets require.
    async fn ruled(&self, token: &SecretString, repository: &RepoName, branch: &RefName) -> Result<Vec<RequiredCheck>, Refusal> {
        let url = self.at(repository, ["rules", "branches", branch.as_str()]);
        let rules: Vec<Rule> = match self.pages(token, &url, RULES, |page: Vec<Rule>| page).await {
            Ok(rules) => rules,
            // Private repositories on free plans have no rulesets, and say so by refusing.
            Err(refusal) if refusal.is(StatusCode::FORBIDDEN) && says_upgrade(&refusal) => Vec::new(),
            Err(refusal) => return Err(refusal),
        };
        let mut required = Vec::new();
        for rule in rules.into_iter().filter(|rule| rule.kind == "required_status_checks") {
            let parameters: RuleParameters = serde_json::from_value(rule.parameters.unwrap_or_default())
                .map_err(|_| Refusal::nonsense(RULES, "a rule requires checks and does not say which"))?;
            required.extend(parameters.required_status_checks.iter().map(|check| bound(&check.context, check.integration_id)));
        }
        Ok(required)
    }
}

fn says_upgrade(refusal: &Refusal) -> bool {
    refusal.error.said.as_deref().is_some_and(|said| said.contains("Upgrade to GitHub"))
}

fn classic(checks: RequiredStatusChecks) -> Vec<RequiredCheck> {
    if checks.enforcement_level.as_deref() == Some("off") {
        return Vec::new();
    }
    let mut required: Vec<RequiredCheck> = checks.checks.iter().map(|check| bound(&check.context, check.app_id)).collect();
    for context in &checks.contexts {
        let context = name(context);
        if !required.iter().any(|check| check.name == context) {
            required.push(RequiredCheck { name: context, reporter: None });
        }
    }
    required
}

/// Missing and negative ids mean any reporter.
fn bound(context: &str, app: Option<i64>) -> RequiredCheck {
    RequiredCheck { name: name(context), reporter: app.and_then(|app| u64::try_from(app).ok()) }
}
