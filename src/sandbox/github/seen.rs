//! What the simulated GitHub saw, for tests to look at.

use axum::body::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::Github;
use super::world::{Deployment, Repository};
use crate::sandbox::answers::SeenAnswer;

/// A request that came in, on either host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// The method.
    pub method: String,
    /// Path and query as sent; the secret of an archive link is left out.
    pub path: String,
    /// The body, as sent.
    pub body: Bytes,
    /// The status of the answer; 0 where none was given (yet).
    pub status: u16,
    /// Whether it counted against the hourly limit.
    pub charged: bool,
}

/// A deployment record.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenDeployment {
    /// Its id.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// The environment it is in now.
    pub environment: String,
    /// What was said of it.
    pub description: String,
    /// What was sent along.
    pub payload: Value,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its statuses, oldest first, with the `inactive` ones that GitHub adds.
    pub statuses: Vec<SeenStatus>,
}

/// A status of a deployment record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenStatus {
    /// `success`, `in_progress` …
    pub state: String,
    /// What was said.
    pub description: String,
    /// Link to the log; empty if none was given.
    pub log_url: String,
    /// Link to the running app; empty if none was given.
    pub environment_url: String,
    /// When it was added.
    pub created_at: Timestamp,
}

impl From<&Deployment> for SeenDeployment {
    fn from(deployment: &Deployment) -> Self {
        Self {
            id: deployment.id,
            sha: deployment.sha.clone(),
            environment: deployment.environment.clone(),
            description: deployment.description.clone().unwrap_or_default(),
            payload: deployment.payload.clone(),
            created_at: deployment.created_at,
            statuses: deployment
                .statuses
                .iter()
                .map(|status| SeenStatus {
                    state: status.state.clone(),
                    description: status.description.clone(),
                    log_url: status.log_url.clone(),
                    environment_url: status.environment_url.clone(),
                    created_at: status.at,
                })
                .collect(),
        }
    }
}

impl Github {
    /// The deployment records of a repository, oldest first; none if there is no such repository.
    pub fn deployments(&self, repo: &str) -> Vec<SeenDeployment> {
        let world = self.lock();
        let repository = world.repositories.iter().find(|repository| repository.is_named(repo));
        repository.map(|repository| repository.deployments.iter().map(SeenDeployment::from).collect()).unwrap_or_default()
    }

    /// The full names of all repositories.
    pub fn repositories(&self) -> Vec<String> {
        self.lock().repositories.iter().map(Repository::full_name).collect()
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.lock().requests.clone()
    }

    /// What the interface answered, and how much there was no room for.
    pub fn answers(&self) -> (Vec<SeenAnswer>, usize) {
        self.lock().answers.seen()
    }

    /// What no client should have done: no `User-Agent`, a token sent to the archive host, a deployment with
    /// `auto_merge` or without `production_environment`, a write that is not JSON, a secret link handed on.
    pub fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    /// How many requests hang now.
    pub fn hanging(&self) -> usize {
        self.gate.receiver_count()
    }
}
