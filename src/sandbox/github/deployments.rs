//! Reading deployment records.

use serde_json::{Value, json};

use super::answer::Answer;
use super::asked::{Scene, listed};
use super::shapes::{stamp, user};
use super::shapes_code::api_of;
use super::world::{Deployment, Repository};

pub(super) fn shape(repository: &Repository, scene: &Scene<'_>, deployment: &Deployment) -> Value {
    let api = api_of(repository, scene);
    let id = deployment.id;
    let url = format!("{api}/deployments/{id}");
    json!({
        "url": url, "id": id, "node_id": format!("DE_{id}"), "task": deployment.task, "original_environment": deployment.first_environment,
        "environment": deployment.environment, "description": deployment.description, "created_at": stamp(deployment.created_at),
        "updated_at": stamp(deployment.updated_at), "statuses_url": format!("{url}/statuses"), "repository_url": api,
        "creator": user(scene, &deployment.creator), "sha": deployment.sha, "ref": deployment.git_ref, "payload": deployment.payload,
        "transient_environment": deployment.transient, "production_environment": deployment.production,
        "performed_via_github_app": null,
    })
}

/// `GET …/deployments`, newest first; filters match what was recorded, exactly.
pub(super) fn list(repository: &Repository, scene: &Scene<'_>) -> Answer {
    let fits = |name: &str, value: &str| scene.asked.filter(name).is_none_or(|wanted| wanted == value);
    let found: Vec<&Deployment> = repository
        .deployments
        .iter()
        .rev()
        .filter(|one| {
            fits("sha", &one.sha) && fits("ref", &one.git_ref) && fits("task", &one.task) && fits("environment", &one.environment)
        })
        .collect();
    listed(&found, scene, repository.id, |deployment| shape(repository, scene, deployment))
}

/// `GET …/deployments/{id}`.
pub(super) fn one(repository: &Repository, scene: &Scene<'_>, id: &str) -> Result<Answer, Answer> {
    Ok(Answer::ok(&shape(repository, scene, find(repository, id)?)))
}

pub(super) fn find<'r>(repository: &'r Repository, id: &str) -> Result<&'r Deployment, Answer> {
    let absent = || Answer::error_at(404, "Not Found", "/deployments/deployments#get-a-deployment");
    repository.deployments.iter().find(|deployment| deployment.id.to_string() == id).ok_or_else(absent)
}
