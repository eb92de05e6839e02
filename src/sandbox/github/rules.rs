//! Branch protection as administrators see it, and rulesets.

use serde_json::{Value, json};

use super::answer::Answer;
use super::asked::{Scene, listed};
use super::branches::{contexts as names, with_apps};
use super::seed::Permission;
use super::shapes::stamp;
use super::shapes_code::{api_of, page_of};
use super::world::{Repository, Required, Ruleset};

const PAGE: &str = "/branches/branch-protection#get-branch-protection";

/// The checks that branch protection requires. Whoever is no administrator learns nothing.
fn classic<'r>(repository: &'r Repository, permission: Permission, branch: &str) -> Result<&'r [Required], Answer> {
    if permission < Permission::Admin {
        return Err(Answer::not_found());
    }
    if !repository.branches.contains_key(branch) {
        return Err(Answer::error_at(404, "Branch not found", PAGE));
    }
    let required = repository.classic.get(branch).ok_or_else(|| Answer::error_at(404, "Branch not protected", PAGE))?;
    Ok(required.as_slice())
}

fn checks_only<'r>(repository: &'r Repository, permission: Permission, branch: &str) -> Result<&'r [Required], Answer> {
    let required = classic(repository, permission, branch)?;
    if required.is_empty() { Err(Answer::error_at(404, "Required status checks not enabled", PAGE)) } else { Ok(required) }
}

fn policy(required: &[Required], url: &str) -> Value {
    json!({
        "url": url, "strict": false, "contexts": names(required), "checks": with_apps(required),
        "contexts_url": format!("{url}/contexts"),
    })
}

/// `GET …/branches/{branch}/protection`.
pub(super) fn protection(repository: &Repository, scene: &Scene<'_>, permission: Permission, branch: &str) -> Result<Answer, Answer> {
    let required = classic(repository, permission, branch)?;
    let url = format!("{}/branches/{branch}/protection", api_of(repository, scene));
    let off = json!({ "enabled": false });
    let mut body = json!({
        "url": url, "enforce_admins": { "url": format!("{url}/enforce_admins"), "enabled": false }, "required_linear_history": off,
        "required_signatures": { "url": format!("{url}/required_signatures"), "enabled": false },
        "allow_force_pushes": off, "allow_deletions": off, "block_creations": off, "required_conversation_resolution": off,
        "lock_branch": off, "allow_fork_syncing": off,
    });
    if let (Value::Object(body), false) = (&mut body, required.is_empty()) {
        body.insert("required_status_checks".to_owned(), policy(required, &format!("{url}/required_status_checks")));
    }
    Ok(Answer::ok(&body))
}

/// `GET …/branches/{branch}/protection/required_status_checks`.
pub(super) fn required_checks(repository: &Repository, scene: &Scene<'_>, permission: Permission, branch: &str) -> Result<Answer, Answer> {
    let required = checks_only(repository, permission, branch)?;
    let url = format!("{}/branches/{branch}/protection/required_status_checks", api_of(repository, scene));
    Ok(Answer::ok(&policy(required, &url)))
}

/// `GET …/branches/{branch}/protection/required_status_checks/contexts`.
pub(super) fn contexts(repository: &Repository, permission: Permission, branch: &str) -> Result<Answer, Answer> {
    Ok(Answer::ok(&Value::Array(names(checks_only(repository, permission, branch)?))))
}

fn rule(ruleset: &Ruleset) -> Value {
    let required: Vec<Value> = ruleset
        .required
        .iter()
        .map(|one| match one.app {
            Some(app) => json!({ "context": one.context, "integration_id": app }),
            None => json!({ "context": one.context }),
        })
        .collect();
    json!({
        "type": "required_status_checks",
        "parameters": {
            "strict_required_status_checks_policy": false, "do_not_enforce_on_create": false, "required_status_checks": required,
        },
    })
}

/// `GET …/rules/branches/{branch}`: the active rules, for any reader, also of a branch that does not exist.
pub(super) fn of_branch(repository: &Repository, scene: &Scene<'_>, branch: &str) -> Answer {
    if repository.on_free_plan {
        let message = "Upgrade to GitHub Pro or make this repository public to enable this feature.";
        return Answer::error_at(403, message, "/repos/rules#get-rules-for-a-branch");
    }
    let mut rules = Vec::new();
    for ruleset in repository.rulesets.iter().filter(|ruleset| ruleset.active && ruleset.branch == branch) {
        // A rule of another kind comes along, as it does in practice: readers have to look for theirs.
        for mut one in [json!({ "type": "deletion" }), rule(ruleset)] {
            if one.get("type").is_some_and(|kind| kind == "required_status_checks") && ruleset.required.is_empty() {
                continue;
            }
            if let Value::Object(one) = &mut one {
                one.insert("ruleset_source_type".to_owned(), "Repository".into());
                one.insert("ruleset_source".to_owned(), repository.full_name().into());
                one.insert("ruleset_id".to_owned(), ruleset.id.into());
            }
            rules.push(one);
        }
    }
    listed(&rules, scene, repository.id, Value::clone)
}

fn shape(repository: &Repository, scene: &Scene<'_>, ruleset: &Ruleset) -> serde_json::Map<String, Value> {
    let id = ruleset.id;
    let shape = json!({
        "id": id, "name": format!("{} is guarded", ruleset.branch), "target": "branch", "source_type": "Repository",
        "source": repository.full_name(), "enforcement": if ruleset.active { "active" } else { "evaluate" },
        "node_id": format!("RRS_{id}"), "created_at": stamp(ruleset.at), "updated_at": stamp(ruleset.at),
        "_links": {
            "self": { "href": format!("{}/rulesets/{id}", api_of(repository, scene)) },
            "html": { "href": format!("{}/rules/{id}", page_of(repository, scene)) },
        },
    });
    if let Value::Object(shape) = shape { shape } else { serde_json::Map::new() }
}

/// `GET …/rulesets`.
pub(super) fn rulesets(repository: &Repository, scene: &Scene<'_>) -> Answer {
    listed(&repository.rulesets, scene, repository.id, |ruleset| Value::Object(shape(repository, scene, ruleset)))
}

/// `GET …/rulesets/{id}`.
pub(super) fn ruleset(repository: &Repository, scene: &Scene<'_>, id: &str) -> Result<Answer, Answer> {
    let found = repository.rulesets.iter().find(|ruleset| ruleset.id.to_string() == id).ok_or_else(Answer::not_found)?;
    let mut body = shape(repository, scene, found);
    let include = [format!("refs/heads/{}", found.branch)];
    body.insert("conditions".to_owned(), json!({ "ref_name": { "include": include, "exclude": [] } }));
    let mut rules = vec![json!({ "type": "deletion" })];
    if !found.required.is_empty() {
        rules.push(rule(found));
    }
    body.insert("rules".to_owned(), Value::Array(rules));
    body.insert("current_user_can_bypass".to_owned(), "never".into());
    Ok(Answer::ok(&Value::Object(body)))
}
