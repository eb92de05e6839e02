//! Which repository Heroku links to a pipeline: two services know, of which the account has one or both.

use http::StatusCode;
use secrecy::SecretString;

use crate::domain::names::{PipelineId, RepoName};

use super::Heroku;
use super::refusal::Refusal;
use super::shapes::{Feature, LinkedRepository, PipelineRepository};
use super::wire::{Ask, V3_REPOSITORIES};

const FEATURE: &str = "dashboard-repositories-api";
const NEWER: &str = "/pipelines/{id}/repo";
const OLDER: &str = "/pipelines/{id}/repository";

impl Heroku {
    pub(super) async fn link_of(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Option<RepoName>, Refusal> {
        let newer = match self.has_newer(token).await {
            true => self.newer_link(token, pipeline).await,
            false => Ok(None),
        };
        let newer = match newer {
            Ok(Some(name)) => return Ok(Some(name)),
            Ok(None) => None,
            Err(refusal) => Some(refusal),
        };
        match (self.older_link(token, pipeline).await?, newer) {
            (Some(name), _) => Ok(Some(name)),
            // The one that may know it was not to be had: "not linked" would be a guess.
            (None, Some(refusal)) if refusal.error.is_temporary() => Err(refusal),
            (None, _) => Ok(None),
        }
    }

    /// Whether the account has the newer service. Not finding out means no.
    async fn has_newer(&self, token: &SecretString) -> bool {
        let ask = Ask::get(self.at(["account", "features", FEATURE]), "/account/features/{name}");
        matches!(self.get::<Feature>(token, ask).await, Ok(Feature { enabled: Some(true) }))
    }

    async fn newer_link(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Option<RepoName>, Refusal> {
        let ask = Ask::get(self.at(["pipelines", pipeline.as_str(), "repo"]), NEWER).accept(V3_REPOSITORIES);
        match self.get::<LinkedRepository>(token, ask).await {
            Ok(linked) => RepoName::parse(&linked.full_name).map(Some).map_err(|_| Refusal::nonsense(NEWER, "it is no repository")),
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    async fn older_link(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Option<RepoName>, Refusal> {
        let url = self.settings.link_service.at(["pipelines", pipeline.as_str(), "repository"]);
        match self.get::<PipelineRepository>(token, Ask::get(url, OLDER).accept("application/json")).await {
            Ok(linked) => RepoName::parse(&linked.repository.name).map(Some).map_err(|_| Refusal::nonsense(OLDER, "it is no repository")),
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}
