//! Statuses of deployment records.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::asked::{Scene, listed};
use super::create_deployment::leak;
use super::deployments::find;
use super::routes::Hands;
use super::shapes::{stamp, user};
use super::shapes_code::api_of;
use super::world::{Deployment, DeploymentStatus, Numbers, Repository};

const PAGE: &str = "/deployments/statuses#create-a-deployment-status";
const STATES: [&str; 7] = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];

fn shape(repository: &Repository, scene: &Scene<'_>, deployment: u64, status: &DeploymentStatus) -> Value {
    let api = api_of(repository, scene);
    let url = format!("{api}/deployments/{deployment}");
    let id = status.id;
    json!({
        "url": format!("{url}/statuses/{id}"), "id": id, "node_id": format!("DES_{id}"), "state": status.state,
        "creator": user(scene, &status.creator), "description": status.description, "environment": status.environment,
        "target_url": status.log_url, "log_url": status.log_url, "environment_url": status.environment_url,
        "created_at": stamp(status.at), "updated_at": stamp(status.at), "deployment_url": url, "repository_url": api,
        "performed_via_github_app": null,
    })
}

/// `GET …/deployments/{id}/statuses`, newest first.
pub(super) fn list(repository: &Repository, scene: &Scene<'_>, id: &str) -> Result<Answer, Answer> {
    let deployment = find(repository, id)?;
    let newest_first: Vec<&DeploymentStatus> = deployment.statuses.iter().rev().collect();
    Ok(listed(&newest_first, scene, repository.id, |status| shape(repository, scene, deployment.id, status)))
}

/// `GET …/deployments/{id}/statuses/{status}`.
pub(super) fn one(repository: &Repository, scene: &Scene<'_>, id: &str, status: &str) -> Result<Answer, Answer> {
    let deployment = find(repository, id)?;
    let found = deployment.statuses.iter().find(|one| one.id.to_string() == status).ok_or_else(Answer::not_found)?;
    Ok(Answer::ok(&shape(repository, scene, deployment.id, found)))
}

/// `POST …/deployments/{id}/statuses`.
pub(super) fn create(repository: &mut Repository, scene: &Scene<'_>, hands: Hands<'_>, id: &str) -> Result<Answer, Answer> {
    let before = find(repository, id)?;
    let object = scene.asked.object()?;
    leak(&scene.asked.body, hands.violations, &scene.asked.path);
    let state = object.get("state").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !STATES.contains(&state.as_str()) {
        return Err(Answer::invalid("DeploymentStatus", "state", "state is not included in the list", PAGE));
    }
    let description = object.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    if description.chars().count() > 140 {
        let message = "description is too long (maximum is 140 characters)";
        return Err(Answer::invalid("DeploymentStatus", "description", message, PAGE));
    }
    let target = link(&object, "target_url")?;
    let log = link(&object, "log_url")?;
    let environment_url = link(&object, "environment_url")?;
    let previous = before.statuses.last().map_or(&before.environment, |status| &status.environment).clone();
    let environment = object.get("environment").and_then(Value::as_str).map_or(previous, str::to_owned);
    let status = DeploymentStatus {
        id: hands.numbers.fresh(),
        state,
        description,
        environment: environment.clone(),
        log_url: if log.is_empty() { target } else { log },
        environment_url,
        creator: scene.caller.login.clone().unwrap_or_default(),
        at: scene.now,
    };
    let deployment = before.id;
    let body = shape(repository, scene, deployment, &status);
    let location = format!("{}/deployments/{deployment}/statuses/{}", api_of(repository, scene), status.id);
    if status.state == "success" && object.get("auto_inactive").and_then(Value::as_bool).unwrap_or(true) {
        retire(&mut repository.deployments, hands.numbers, deployment, &status);
    }
    if let Some(record) = repository.deployments.iter_mut().find(|one| one.id == deployment) {
        record.environment = environment;
        record.updated_at = scene.now;
        record.statuses.push(status);
    }
    Ok(Answer::json(201, &body).with("location", location))
}

/// A link of a status: empty if absent, refused if it is not an absolute address of the web.
fn link(object: &Map<String, Value>, name: &str) -> Result<String, Answer> {
    let text = object.get(name).and_then(Value::as_str).unwrap_or_default();
    if text.is_empty() || text.starts_with("https://") || text.starts_with("http://") {
        return Ok(text.to_owned());
    }
    Err(Answer::invalid("DeploymentStatus", name, &format!("{name} must use http(s) scheme"), PAGE))
}

/// Earlier successful deployments of the same environment become inactive, unless they are transient or in production.
fn retire(deployments: &mut [Deployment], numbers: &mut Numbers, newest: u64, status: &DeploymentStatus) {
    for earlier in deployments.iter_mut().take_while(|one| one.id != newest) {
        let successful = earlier.statuses.last().is_some_and(|last| last.state == "success");
        if successful && earlier.environment == status.environment && !earlier.transient && !earlier.production {
            earlier.updated_at = status.at;
            earlier.statuses.push(DeploymentStatus {
                id: numbers.fresh(),
                state: "inactive".to_owned(),
                description: String::new(),
                environment: status.environment.clone(),
                log_url: String::new(),
                environment_url: String::new(),
                creator: status.creator.clone(),
                at: status.at,
            });
        }
    }
}
