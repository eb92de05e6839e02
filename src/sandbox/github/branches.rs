//! Branches.

use serde_json::{Value, json};

use super::answer::Answer;
use super::asked::{Scene, listed};
use super::shapes_code::{self, api_of, page_of, pointer};
use super::world::{Repository, Required};

impl Repository {
    /// Whether branch protection or an active ruleset holds for a branch.
    pub(super) fn is_protected(&self, branch: &str) -> bool {
        self.classic.contains_key(branch) || self.rulesets.iter().any(|ruleset| ruleset.active && ruleset.branch == branch)
    }
}

/// `GET …/branches`.
pub(super) fn list(repository: &Repository, scene: &Scene<'_>) -> Answer {
    let wanted = scene.asked.parameter("protected").map(|text| text == "true");
    let names: Vec<&String> =
        repository.branches.keys().filter(|name| wanted.is_none_or(|wanted| repository.is_protected(name) == wanted)).collect();
    listed(&names, scene, repository.id, |name| short(repository, scene, name))
}

/// A branch as lists have it.
pub(super) fn short(repository: &Repository, scene: &Scene<'_>, name: &str) -> Value {
    let sha = repository.branches.get(name).cloned().unwrap_or_default();
    json!({
        "name": name, "commit": pointer(repository, scene, &sha), "protected": repository.is_protected(name),
        "protection": protection(repository, name), "protection_url": protection_url(repository, scene, name),
    })
}

/// `GET …/branches/{branch}`.
pub(super) fn one(repository: &Repository, scene: &Scene<'_>, name: &str) -> Result<Answer, Answer> {
    let page = "/branches/branches#get-a-branch";
    let head = repository.branches.get(name).and_then(|sha| repository.commit(sha));
    let head = head.ok_or_else(|| Answer::error_at(404, "Branch not found", page))?;
    let own = format!("{}/branches/{name}", api_of(repository, scene));
    Ok(Answer::ok(&json!({
        "name": name, "commit": shapes_code::commit(repository, scene, head),
        "_links": { "self": own, "html": format!("{}/tree/{name}", page_of(repository, scene)) },
        "protected": repository.is_protected(name), "protection": protection(repository, name),
        "protection_url": protection_url(repository, scene, name),
    })))
}

fn protection_url(repository: &Repository, scene: &Scene<'_>, name: &str) -> String {
    format!("{}/branches/{name}/protection", api_of(repository, scene))
}

/// What everybody may see of branch protection; rulesets do not show here.
fn protection(repository: &Repository, name: &str) -> Value {
    let required = repository.classic.get(name);
    let list = required.map(Vec::as_slice).unwrap_or_default();
    let level = if list.is_empty() { "off" } else { "non_admins" };
    json!({
        "enabled": required.is_some(),
        "required_status_checks": { "enforcement_level": level, "contexts": contexts(list), "checks": with_apps(list) },
    })
}

pub(super) fn contexts(required: &[Required]) -> Vec<Value> {
    required.iter().map(|one| one.context.clone().into()).collect()
}

pub(super) fn with_apps(required: &[Required]) -> Vec<Value> {
    required.iter().map(|one| json!({ "context": one.context, "app_id": one.app })).collect()
}
