//! The record of a deployment at GitHub, and its statuses.

use http::StatusCode;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::adapters::http::call::Answer;
use crate::adapters::http::scrub;
use crate::domain::names::{AnnouncementId, DeploymentId, RepoName};
use crate::domain::pipeline::Environment;
use crate::domain::source::{Report, ReportState};
use crate::ports::{AnnouncementOrder, Fault, PortError, Service};

use super::GitHub;
use super::refusal::Refusal;
use super::shapes::Deployment;

const DEPLOYMENTS: &str = "/repos/{owner}/{repo}/deployments";
const STATUSES: &str = "/repos/{owner}/{repo}/deployments/{id}/statuses";

/// The longest description that GitHub takes, in characters.
const DESCRIPTION: usize = 140;

/// Under what our payload stands.
const KEY: &str = "slash_heroku";

impl GitHub {
    /// Only 201 is a success: 202 says that a branch was merged and no deployment made.
    pub(super) async fn create_deployment(
        &self,
        token: &SecretString,
        repository: &RepoName,
        order: &AnnouncementOrder,
    ) -> Result<AnnouncementId, PortError> {
        let body = json!({
            "ref": order.commit.as_str(),
            "task": "deploy",
            // The commit was judged as it is: nothing may be merged into it, and the checks were ours to judge.
            "auto_merge": false,
            "required_contexts": [],
            "environment": order.environment.word(),
            "production_environment": order.environment == Environment::Production,
            "description": scrub::clean(&order.description, DESCRIPTION),
            "payload": { KEY: { "deployment": order.deployment.to_string(), "app": order.app } },
        });
        let answer = self.write(token, self.at(repository, ["deployments"]), DEPLOYMENTS, &body).await?;
        let what = format!("POST {DEPLOYMENTS}");
        if answer.status != StatusCode::CREATED {
            // It may have become read-only, or a right may be gone: whoever tries again hears so before.
            self.described.forget_one(token, repository);
        }
        match answer.status {
            StatusCode::CREATED => made(&answer).ok_or_else(|| {
                PortError::new(Service::SourceControl, Fault::Unclear, format!("{what}: made, and the answer does not say what"))
            }),
            StatusCode::ACCEPTED => {
                let mut error = self.refusal(&answer, &what, token).error;
                error.fault = Fault::Refused;
                Err(error)
            }
            _ => Err(unclear_if_senseless(self.refusal(&answer, &what, token))),
        }
    }

    /// Looks through all records of the commit and environment for ours.
    pub(super) async fn find_deployment(
        &self,
        token: &SecretString,
        repository: &RepoName,
        order: &AnnouncementOrder,
    ) -> Result<Option<AnnouncementId>, PortError> {
        let mut url = self.at(repository, ["deployments"]);
        url.query_pairs_mut().append_pair("sha", order.commit.as_str()).append_pair("environment", order.environment.word());
        let deployments: Vec<Deployment> = self.pages(token, &url, DEPLOYMENTS, |page: Vec<Deployment>| page).await?;
        let ours = deployments.iter().find(|deployment| is_ours(&deployment.payload, order.deployment));
        Ok(ours.and_then(|deployment| AnnouncementId::parse(&deployment.id.to_string()).ok()))
    }

    pub(super) async fn add_status(
        &self,
        token: &SecretString,
        repository: &RepoName,
        to: &AnnouncementId,
        report: &Report,
    ) -> Result<(), PortError> {
        let state = match report.state {
            ReportState::Queued => "queued",
            ReportState::InProgress => "in_progress",
            ReportState::Success => "success",
            ReportState::Failure => "failure",
            ReportState::Error => "error",
        };
        let mut body = json!({ "state": state, "description": scrub::clean(&report.description, DESCRIPTION) });
        for (key, link) in [("log_url", &report.log_url), ("environment_url", &report.environment_url)] {
            // Anything but an absolute address of the web is refused together with the status.
            if let (Some(link), Some(body)) = (link.as_deref().and_then(scrub::link), body.as_object_mut()) {
                body.insert(key.to_owned(), Value::String(link));
            }
        }
        let answer = self.write(token, self.at(repository, ["deployments", to.as_str(), "statuses"]), STATUSES, &body).await?;
        // Anything else that looks like a success comes from something on the way: nothing was added.
        if answer.status == StatusCode::CREATED {
            return Ok(());
        }
        Err(unclear_if_senseless(self.refusal(&answer, &format!("POST {STATUSES}"), token)))
    }
}

/// A write whose answer we do not understand may have had its effect.
fn unclear_if_senseless(refusal: Refusal) -> PortError {
    let mut error = refusal.error;
    if error.fault == Fault::Nonsense {
        error.fault = Fault::Unclear;
    }
    error
}

fn made(answer: &Answer) -> Option<AnnouncementId> {
    let deployment: Value = serde_json::from_slice(&answer.body).ok()?;
    AnnouncementId::parse(&deployment.get("id")?.as_u64()?.to_string()).ok()
}

fn is_ours(payload: &Value, deployment: DeploymentId) -> bool {
    let unpacked = payload.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let payload = unpacked.as_ref().unwrap_or(payload);
    let id = payload.get(KEY).and_then(|ours| ours.get("deployment")).and_then(Value::as_str);
    id.and_then(|id| id.parse::<DeploymentId>().ok()) == Some(deployment)
}
