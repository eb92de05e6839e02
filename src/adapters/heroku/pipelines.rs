//! Pipelines, their apps, and the repository that is linked to one.

use std::collections::HashMap;

use http::Method;
use secrecy::SecretString;
use serde_json::json;

use crate::domain::names::{PipelineId, RepoName};
use crate::domain::pipeline::{App, Environment, Pipeline};
use crate::ports::{Fault, PortError};

use super::shapes::{AppShape, CouplingShape, FeatureShape, NewerLinkShape, OlderLinkShape, PipelineShape};
use super::wire::{Ask, Version, Wire};

/// The feature of an account that opens the newer link service.
const REPOSITORIES: &str = "dashboard-repositories-api";

pub(super) async fn all(wire: &Wire, token: &SecretString) -> Result<Vec<Pipeline>, PortError> {
    let shapes: Vec<PipelineShape> = wire.list(token, Ask::get(["pipelines"], "/pipelines")).await?;
    let seen = shapes.len();
    let mut pipelines: Vec<Pipeline> = shapes.into_iter().filter_map(PipelineShape::meaning).collect();
    if pipelines.len() < seen {
        tracing::warn!(left_out = seen.saturating_sub(pipelines.len()), "pipelines have names that no command can say");
    }
    pipelines.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    pipelines.dedup_by(|one, other| one.id == other.id);
    Ok(pipelines)
}

pub(super) async fn apps(wire: &Wire, token: &SecretString, pipeline: &PipelineId) -> Result<Vec<App>, PortError> {
    let ask = Ask::get(["pipelines", pipeline.as_str(), "pipeline-couplings"], "/pipelines/{pipeline}/pipeline-couplings");
    let couplings: Vec<CouplingShape> = wire.list(token, ask).await?;
    let places: HashMap<String, Environment> =
        couplings.into_iter().filter_map(|coupling| Some((coupling.environment()?, coupling.app.id))).map(|(at, id)| (id, at)).collect();
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<&String> = places.keys().collect();
    ids.sort();
    // Couplings have no names. A read, although a POST; what the person does not see is not in the answer.
    let ask = Ask::new(Method::POST, ["filters", "apps"], "/filters/apps")
        .version(Version::Filters)
        .range("id ..; max=200")
        .body(json!({"in": {"id": ids}}));
    let shapes: Vec<AppShape> = wire.list(token, ask).await?;
    let mut apps: Vec<App> = shapes.iter().filter_map(|shape| shape.meaning(*places.get(&shape.id)?)).collect();
    apps.sort_by(|one, other| (one.environment, &one.name).cmp(&(other.environment, &other.name)));
    apps.dedup_by(|one, other| one.id == other.id);
    Ok(apps)
}

/// What the newer service answered.
enum Newer {
    Linked(RepoName),
    /// It has nothing for this account or pipeline: the older one decides.
    Nothing,
    /// It may know a link, and did not say.
    Silent(PortError),
}

pub(super) async fn linked_repository(wire: &Wire, token: &SecretString, pipeline: &PipelineId) -> Result<Option<RepoName>, PortError> {
    let newer = match newer_link(wire, token, pipeline).await? {
        Newer::Linked(name) => return Ok(Some(name)),
        Newer::Nothing => None,
        Newer::Silent(error) => Some(error),
    };
    let ask = Ask::get(["pipelines", pipeline.as_str(), "repository"], "/pipelines/{pipeline}/repository").version(Version::Unversioned);
    match wire.read::<OlderLinkShape>(token, &ask).await {
        Ok(link) => Ok(Some(link.repository.0)),
        // "Not linked" is true only if the newer service did not fail to tell.
        Err(refused) if refused.error.fault == Fault::NotFound => newer.map_or(Ok(None), Err),
        Err(refused) => Err(refused.into()),
    }
}

/// Fails only if the token is not taken any more: then the older service would not take it either.
async fn newer_link(wire: &Wire, token: &SecretString, pipeline: &PipelineId) -> Result<Newer, PortError> {
    let ask = Ask::get(["account", "features", REPOSITORIES], "/account/features/{feature}");
    match wire.read::<FeatureShape>(token, &ask).await {
        Ok(feature) if feature.enabled => {}
        Ok(_) => return Ok(Newer::Nothing),
        Err(refused) => return unlinked(refused.into()),
    }
    let ask = Ask::get(["pipelines", pipeline.as_str(), "repo"], "/pipelines/{pipeline}/repo").version(Version::RepositoriesApi);
    match wire.read::<NewerLinkShape>(token, &ask).await {
        Ok(link) => Ok(Newer::Linked(link.0)),
        Err(refused) => unlinked(refused.into()),
    }
}

fn unlinked(error: PortError) -> Result<Newer, PortError> {
    match error.fault {
        Fault::SignInLost => Err(error),
        Fault::RateLimited { .. } | Fault::Unreachable | Fault::Unclear | Fault::Nonsense => {
            tracing::info!(%error, "the newer link service does not answer; the older one is asked");
            Ok(Newer::Silent(error))
        }
        Fault::Forbidden | Fault::NotFound | Fault::Refused => Ok(Newer::Nothing),
    }
}
