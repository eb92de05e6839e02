//! What was reported about a commit: statuses and check runs, two systems of which neither shows the other's.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::adapters::http::scrub;
use crate::domain::checks::{Check, CheckState};
use crate::domain::names::{CheckName, CommitSha, RepoName};

use super::GitHub;
use super::refusal::Refusal;
use super::shapes::{CheckRun, CheckRuns, CombinedStatus, Status};

impl GitHub {
    /// All reports about one commit, the newest of each. By hash, so that both systems are asked about the same.
    pub(super) async fn reported(&self, token: &SecretString, repository: &RepoName, commit: &CommitSha) -> Result<Vec<Check>, Refusal> {
        let url = self.at(repository, ["commits", commit.as_str(), "status"]);
        let statuses: Vec<Status> =
            self.pages(token, &url, "/repos/{owner}/{repo}/commits/{sha}/status", |page: CombinedStatus| page.statuses).await?;
        let mut url = self.at(repository, ["commits", commit.as_str(), "check-runs"]);
        url.query_pairs_mut().append_pair("filter", "latest");
        let runs: Vec<CheckRun> =
            self.pages(token, &url, "/repos/{owner}/{repo}/commits/{sha}/check-runs", |page: CheckRuns| page.check_runs).await?;
        Ok(statuses.into_iter().map(status).chain(newest(runs).into_iter().map(run)).collect())
    }
}

/// The newest run of each name in each suite. Runs of one name in several suites are different runs: all of them count. So
/// do runs that name no suite.
fn newest(runs: Vec<CheckRun>) -> Vec<CheckRun> {
    let mut newest = BTreeMap::new();
    for run in runs {
        let suite = run.check_suite.as_ref().map(|suite| suite.id).ok_or(run.id);
        let key = (run.name.clone(), run.app.as_ref().map(|app| app.id), suite);
        // Ids only grow; a run that is queued again has no time yet.
        if newest.get(&key).is_none_or(|known: &CheckRun| known.id < run.id) {
            newest.insert(key, run);
        }
    }
    newest.into_values().collect()
}

/// Who set a status is not told in a form that could be compared, so it counts for no check that is bound to a reporter.
fn status(status: Status) -> Check {
    let state = match status.state.as_str() {
        "success" => CheckState::Passed,
        "failure" | "error" => CheckState::Failed,
        _ => CheckState::Pending,
    };
    Check { name: name(&status.context), state, reporter: None, url: status.target_url.as_deref().and_then(scrub::link) }
}

fn run(run: CheckRun) -> Check {
    let state = match (run.status.as_str(), run.conclusion.as_deref()) {
        ("completed", Some("success" | "neutral" | "skipped")) => CheckState::Passed,
        ("completed", _) => CheckState::Failed,
        _ => CheckState::Pending,
    };
    let url = run.html_url.as_deref().and_then(scrub::link).or_else(|| run.details_url.as_deref().and_then(scrub::link));
    Check { name: name(&run.name), state, reporter: run.app.map(|app| app.id), url }
}

/// The name of a check, made fit where it is not, in the same way for reports and for requirements.
pub(super) fn name(text: &str) -> CheckName {
    let fit = || {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
        CheckName::parse(&text).ok()
    };
    CheckName::parse(text).ok().or_else(fit).unwrap_or_else(unnamed)
}

#[expect(clippy::expect_used, reason = "a fixed text that the name's own rules accept")]
fn unnamed() -> CheckName {
    CheckName::parse("(unnamed)").expect("a name")
}
