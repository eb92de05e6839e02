//! What we read of GitHub's answers: only what is needed, everything else may be missing or new.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct RepositoryShape {
    pub(super) full_name: String,
    pub(super) default_branch: String,
    pub(super) html_url: Option<String>,
    #[serde(default)]
    pub(super) archived: bool,
    pub(super) permissions: Option<Permissions>,
}

#[derive(Deserialize)]
pub(super) struct Permissions {
    pub(super) push: Option<bool>,
}

/// An answer of `git/ref` and of `git/tags`: what a ref or a tag object points at.
#[derive(Deserialize)]
pub(super) struct Pointer {
    pub(super) object: Object,
}

#[derive(Deserialize)]
pub(super) struct Ref {
    #[serde(rename = "ref")]
    pub(super) name: String,
    pub(super) object: Object,
}

#[derive(Deserialize)]
pub(super) struct Object {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) sha: String,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct Pull {
    pub(super) head: Side,
    pub(super) base: Side,
    pub(super) merged_at: Option<String>,
}

/// An open pull request in a list.
#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) head: Head,
}

#[derive(Deserialize)]
pub(super) struct Head {
    #[serde(rename = "ref")]
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct Side {
    #[serde(rename = "ref")]
    pub(super) name: String,
    pub(super) sha: String,
    /// Missing when the fork was deleted.
    pub(super) repo: Option<PullRepository>,
}

#[derive(Deserialize)]
pub(super) struct PullRepository {
    pub(super) id: u64,
    pub(super) full_name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WithId {
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct Compared {
    pub(super) status: String,
    #[serde(default)]
    pub(super) ahead_by: u64,
    #[serde(default)]
    pub(super) behind_by: u64,
    pub(super) html_url: Option<String>,
    #[serde(default)]
    pub(super) commits: Vec<ComparedCommit>,
    /// Told with the first page only.
    pub(super) files: Option<Vec<ChangedFile>>,
}

#[derive(Clone, Copy, Deserialize)]
pub(super) struct ChangedFile {
    #[serde(default)]
    pub(super) additions: u64,
    #[serde(default)]
    pub(super) deletions: u64,
}

#[derive(Clone, Deserialize)]
pub(super) struct ComparedCommit {
    pub(super) sha: Option<String>,
    pub(super) author: Option<Account>,
    pub(super) commit: Option<CommitBody>,
}

#[derive(Clone, Deserialize)]
pub(super) struct Account {
    pub(super) login: Option<String>,
    pub(super) id: Option<u64>,
}

#[derive(Clone, Deserialize)]
pub(super) struct CommitBody {
    pub(super) author: Option<Author>,
    pub(super) message: Option<String>,
}

#[derive(Clone, Deserialize)]
pub(super) struct Author {
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CombinedStatus {
    pub(super) statuses: Vec<Status>,
}

#[derive(Deserialize)]
pub(super) struct Status {
    pub(super) context: String,
    pub(super) state: String,
    pub(super) target_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CheckRuns {
    pub(super) check_runs: Vec<CheckRun>,
}

#[derive(Deserialize)]
pub(super) struct CheckRun {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
    pub(super) html_url: Option<String>,
    pub(super) details_url: Option<String>,
    pub(super) check_suite: Option<WithId>,
    pub(super) app: Option<WithId>,
}

#[derive(Deserialize)]
pub(super) struct Branch {
    pub(super) name: Option<String>,
    pub(super) commit: Option<Tip>,
    pub(super) protection: Option<Protection>,
}

#[derive(Deserialize)]
pub(super) struct Tip {
    pub(super) sha: String,
    #[serde(default)]
    pub(super) parents: Vec<Parent>,
    #[serde(flatten)]
    pub(super) body: ComparedCommit,
}

#[derive(Deserialize)]
pub(super) struct Parent {
    pub(super) sha: String,
}

#[derive(Deserialize)]
pub(super) struct Protection {
    pub(super) required_status_checks: Option<RequiredStatusChecks>,
}

#[derive(Deserialize)]
pub(super) struct RequiredStatusChecks {
    pub(super) enforcement_level: Option<String>,
    #[serde(default)]
    pub(super) contexts: Vec<String>,
    #[serde(default)]
    pub(super) checks: Vec<BoundCheck>,
}

#[derive(Deserialize)]
pub(super) struct BoundCheck {
    pub(super) context: String,
    /// Missing, null or negative: any source.
    pub(super) app_id: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct Rule {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) parameters: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct RuleParameters {
    pub(super) required_status_checks: Vec<RuleCheck>,
}

#[derive(Deserialize)]
pub(super) struct RuleCheck {
    pub(super) context: String,
    pub(super) integration_id: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct Deployment {
    pub(super) id: u64,
    /// An object, or a string that holds one, as it was sent.
    #[serde(default)]
    pub(super) payload: Value,
}
