//! Making a deployment record: `POST …/deployments` with all its answers.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::asked::Scene;
use super::deployments::shape;
use super::routes::Hands;
use super::world::{Deployment, Repository};

const PAGE: &str = "/deployments/deployments#create-a-deployment";

pub(super) fn create(repository: &mut Repository, scene: &Scene<'_>, hands: Hands<'_>) -> Result<Answer, Answer> {
    let object = scene.asked.object()?;
    watch(&object, hands.violations, scene);
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    let truth = |name: &str| object.get(name).and_then(Value::as_bool);
    let Some(git_ref) = text("ref").filter(|name| !name.is_empty()) else {
        return Err(Answer::error_at(422, "Invalid request.\n\n\"ref\" wasn't supplied.", PAGE));
    };
    if repository.commits.is_empty() {
        return Err(Answer::error_at(409, "Git Repository is empty.", PAGE));
    }
    let unknown = || Answer::error_at(422, &format!("No ref found for: {git_ref}"), PAGE);
    let sha = repository.resolve(&git_ref).ok_or_else(unknown)?;
    if truth("auto_merge").unwrap_or(true) {
        merge(repository, scene, &git_ref)?;
    }
    let required = required(&object)?;
    unmet(repository, &sha, &git_ref, required.as_deref())?;
    let environment = text("environment").filter(|name| !name.is_empty()).unwrap_or_else(|| "production".to_owned());
    let deployment = Deployment {
        id: hands.numbers.fresh(),
        sha,
        git_ref,
        task: text("task").unwrap_or_else(|| "deploy".to_owned()),
        payload: object.get("payload").filter(|payload| !payload.is_null()).cloned().unwrap_or_else(|| json!({})),
        first_environment: environment.clone(),
        production: truth("production_environment").unwrap_or(environment == "production"),
        environment,
        description: text("description"),
        creator: scene.caller.login.clone().unwrap_or_default(),
        transient: truth("transient_environment").unwrap_or(false),
        created_at: scene.now,
        updated_at: scene.now,
        statuses: Vec::new(),
    };
    let body = shape(repository, scene, &deployment);
    repository.deployments.push(deployment);
    Ok(Answer::json(201, &body))
}

/// Notes what a client should not do here.
fn watch(object: &Map<String, Value>, violations: &mut Vec<String>, scene: &Scene<'_>) {
    let path = &scene.asked.path;
    if object.get("auto_merge") != Some(&Value::Bool(false)) {
        violations.push(format!("POST {path}: auto_merge is true, or left out, which is the same"));
    }
    if !object.get("production_environment").is_some_and(Value::is_boolean) {
        violations.push(format!("POST {path}: production_environment is left out"));
    }
    leak(&scene.asked.body, violations, path);
}

/// Notes a link to an archive, which is a secret, in what was sent.
pub(super) fn leak(body: &[u8], violations: &mut Vec<String>, path: &str) {
    if String::from_utf8_lossy(body).contains("/legacy.tar.gz/") {
        violations.push(format!("POST {path}: a link to an archive was handed on"));
    }
}

/// Merges the default branch into a branch that lacks some of it. Then there is no deployment: the answer is 202 or 409.
fn merge(repository: &mut Repository, scene: &Scene<'_>, git_ref: &str) -> Result<(), Answer> {
    let plain = git_ref.strip_prefix("refs/").unwrap_or(git_ref);
    let branch = plain.strip_prefix("heads/").unwrap_or(plain).to_owned();
    let (Some(ours), Some(theirs)) = (repository.branches.get(&branch).cloned(), repository.default_head()) else { return Ok(()) };
    if repository.contains(&ours, &theirs) {
        return Ok(());
    }
    let from = repository.default_branch.clone();
    if repository.conflicts.contains(&branch) {
        return Err(Answer::error_at(409, &format!("Conflict merging {from} into {git_ref}."), PAGE));
    }
    let author = scene.caller.login.clone().unwrap_or_default();
    let sha = repository.add_commit(&branch, &[ours, theirs], &format!("Merge {from} into {branch}"), &author, scene.now);
    repository.move_branch(&branch, &sha);
    Err(Answer::json(202, &json!({ "message": format!("Auto-merged {from} into {git_ref} on deployment.") })))
}

/// The contexts that are asked for; `None` means all that were reported.
fn required(object: &Map<String, Value>) -> Result<Option<Vec<String>>, Answer> {
    match object.get("required_contexts") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(names)) => Ok(Some(names.iter().filter_map(Value::as_str).map(str::to_owned).collect())),
        Some(_) => Err(Answer::error_at(422, "Invalid request.\n\n\"required_contexts\" is not an array.", PAGE)),
    }
}

/// Refuses if a context is not `success`. One that was never reported counts as unmet and is not named.
fn unmet(repository: &Repository, sha: &str, git_ref: &str, required: Option<&[String]>) -> Result<(), Answer> {
    let statuses = repository.latest_statuses(sha).into_iter().map(|status| (status.context.clone(), status.state.clone()));
    let runs = repository.latest_runs(sha).into_iter().map(|run| {
        let done = run.conclusion.clone().filter(|_| run.status == "completed");
        (run.name.clone(), done.unwrap_or_else(|| "pending".to_owned()))
    });
    let wanted = |name: &String| required.is_none_or(|required| required.contains(name));
    let reported: Vec<(String, String)> = statuses.chain(runs).filter(|(name, _)| wanted(name)).collect();
    let red = reported.iter().any(|(_, state)| state != "success");
    let missing = required.unwrap_or_default().iter().any(|name| !reported.iter().any(|(reported, _)| reported == name));
    if !red && !missing {
        return Ok(());
    }
    let contexts: Vec<Value> = reported.iter().map(|(context, state)| json!({ "context": context, "state": state })).collect();
    let faults = json!([{ "contexts": contexts, "resource": "Deployment", "field": "required_contexts", "code": "invalid" }]);
    Err(Answer::faults(409, &format!("Conflict: Commit status checks failed for {git_ref}."), &faults, PAGE))
}
