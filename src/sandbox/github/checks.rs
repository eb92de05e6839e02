//! What was reported on a commit: statuses, check runs, check suites.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::answer::Answer;
use super::asked::{Scene, linked, listed, page};
use super::refs::known;
use super::routes::Hands;
use super::shapes::{app, stamp, user};
use super::shapes_code::{api_of, page_of, short_pulls, short_repository};
use super::world::{Repository, Run, Status, Suite};

const STATUSES: &str = "/commits/statuses#create-a-commit-status";

impl Repository {
    /// The newest status of each context, newest first.
    pub(super) fn latest_statuses(&self, sha: &str) -> Vec<&Status> {
        let mut seen = BTreeSet::new();
        self.statuses.iter().rev().filter(|status| status.sha == sha && seen.insert(status.context.to_lowercase())).collect()
    }

    /// The newest run of each name in each suite, newest first.
    pub(super) fn latest_runs(&self, sha: &str) -> Vec<&Run> {
        let mut seen = BTreeSet::new();
        self.runs.iter().rev().filter(|run| run.sha == sha && seen.insert((run.suite, run.name.clone()))).collect()
    }
}

/// `GET …/commits/{ref}/status`.
pub(super) fn combined(repository: &Repository, scene: &Scene<'_>, text: &str) -> Result<Answer, Answer> {
    let sha = repository.resolve(text).ok_or_else(Answer::not_found)?;
    let latest = repository.latest_statuses(&sha);
    let has = |state: &str| latest.iter().any(|status| status.state == state);
    let state = if has("failure") || has("error") {
        "failure"
    } else if latest.is_empty() || has("pending") {
        "pending"
    } else {
        "success"
    };
    let (shown, link) = page(&latest, scene, repository.id);
    let api = api_of(repository, scene);
    let body = json!({
        "state": state, "sha": sha, "total_count": latest.len(), "repository": short_repository(repository, scene),
        "statuses": shown.iter().map(|status| short(repository, scene, status)).collect::<Vec<_>>(),
        "commit_url": format!("{api}/commits/{sha}"), "url": format!("{api}/commits/{sha}/status"),
    });
    Ok(linked(Answer::ok(&body), link))
}

fn short(repository: &Repository, scene: &Scene<'_>, status: &Status) -> Value {
    json!({
        "url": format!("{}/statuses/{}", api_of(repository, scene), status.sha), "id": status.id, "node_id": format!("SC_{}", status.id),
        "avatar_url": format!("{}/{}.png", scene.web, status.creator), "state": status.state, "description": status.description,
        "target_url": status.target_url, "context": status.context, "created_at": stamp(status.at), "updated_at": stamp(status.at),
    })
}

fn whole(repository: &Repository, scene: &Scene<'_>, status: &Status) -> Value {
    let mut shape = short(repository, scene, status);
    if let Value::Object(shape) = &mut shape {
        shape.insert("creator".to_owned(), user(scene, &status.creator));
    }
    shape
}

/// `GET …/commits/{ref}/statuses`: all of them, newest first.
pub(super) fn statuses(repository: &Repository, scene: &Scene<'_>, text: &str) -> Result<Answer, Answer> {
    let sha = repository.resolve(text).ok_or_else(Answer::not_found)?;
    let all: Vec<&Status> = repository.statuses.iter().rev().filter(|status| status.sha == sha).collect();
    Ok(listed(&all, scene, repository.id, |status| whole(repository, scene, status)))
}

/// `POST …/statuses/{sha}`.
pub(super) fn create_status(repository: &mut Repository, scene: &Scene<'_>, hands: Hands<'_>, sha: &str) -> Result<Answer, Answer> {
    let object = scene.asked.object()?;
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    if repository.commit(sha).is_none() {
        return Err(Answer::error_at(422, &format!("No commit found for SHA: {sha}"), STATUSES));
    }
    let state = text("state").unwrap_or_default();
    if !["error", "failure", "pending", "success"].contains(&state.as_str()) {
        return Err(Answer::invalid("Status", "state", "state is not included in the list", STATUSES));
    }
    let description = text("description");
    if description.as_ref().is_some_and(|words| words.chars().count() > 140) {
        return Err(Answer::invalid("Status", "description", "description is too long (maximum is 140 characters)", STATUSES));
    }
    let context = text("context").unwrap_or_else(|| "default".to_owned());
    let same = |status: &&Status| status.sha == sha && status.context.eq_ignore_ascii_case(&context);
    if repository.statuses.iter().filter(same).count() >= 1000 {
        return Err(Answer::invalid("Status", "context", "This SHA and context has reached the maximum number of statuses.", STATUSES));
    }
    let status = Status {
        id: hands.numbers.fresh(),
        sha: sha.to_owned(),
        context,
        state,
        description,
        target_url: text("target_url"),
        creator: scene.caller.login.clone().unwrap_or_default(),
        at: scene.now,
    };
    let body = whole(repository, scene, &status);
    let location = format!("{}/statuses/{sha}", api_of(repository, scene));
    repository.statuses.push(status);
    Ok(Answer::json(201, &body).with("location", location))
}

/// `GET …/commits/{ref}/check-runs`.
pub(super) fn runs(repository: &Repository, scene: &Scene<'_>, text: &str) -> Result<Answer, Answer> {
    let sha = known(repository, text)?;
    let all = scene.asked.parameter("filter") == Some("all");
    let mut found: Vec<&Run> =
        if all { repository.runs.iter().rev().filter(|run| run.sha == sha).collect() } else { repository.latest_runs(&sha) };
    let (name, status, app_id) = (scene.asked.parameter("check_name"), scene.asked.parameter("status"), scene.asked.parameter("app_id"));
    found.retain(|run| {
        name.is_none_or(|name| run.name == name)
            && status.is_none_or(|status| run.status == status)
            && app_id.is_none_or(|id| run.app.to_string() == id)
    });
    let (shown, link) = page(&found, scene, repository.id);
    let shapes: Vec<Value> = shown.iter().map(|run| run_shape(repository, scene, run)).collect();
    Ok(linked(Answer::ok(&json!({ "total_count": found.len(), "check_runs": shapes })), link))
}

fn run_shape(repository: &Repository, scene: &Scene<'_>, run: &Run) -> Value {
    let (api, page) = (api_of(repository, scene), page_of(repository, scene));
    let id = run.id;
    let done = run.status == "completed";
    json!({
        "id": id, "name": run.name, "node_id": format!("CR_{id}"), "head_sha": run.sha, "external_id": "",
        "url": format!("{api}/check-runs/{id}"), "html_url": format!("{page}/runs/{id}"), "details_url": format!("{page}/runs/{id}"),
        "status": run.status, "conclusion": run.conclusion, "started_at": stamp(run.at), "completed_at": done.then(|| stamp(run.at)),
        "output": {
            "title": null, "summary": null, "text": null, "annotations_count": 0,
            "annotations_url": format!("{api}/check-runs/{id}/annotations"),
        },
        "check_suite": { "id": run.suite }, "app": app(scene, run.app), "pull_requests": short_pulls(repository, scene, &run.sha),
    })
}

/// `GET …/commits/{ref}/check-suites`.
pub(super) fn suites(repository: &Repository, scene: &Scene<'_>, text: &str) -> Result<Answer, Answer> {
    let sha = known(repository, text)?;
    let app_id = scene.asked.parameter("app_id");
    let found: Vec<&Suite> =
        repository.suites.iter().filter(|suite| suite.sha == sha && app_id.is_none_or(|id| suite.app.to_string() == id)).collect();
    let (shown, link) = page(&found, scene, repository.id);
    let shapes: Vec<Value> = shown.iter().map(|suite| suite_shape(repository, scene, suite)).collect();
    Ok(linked(Answer::ok(&json!({ "total_count": found.len(), "check_suites": shapes })), link))
}

fn suite_shape(repository: &Repository, scene: &Scene<'_>, suite: &Suite) -> Value {
    let latest: Vec<&Run> = repository.latest_runs(&suite.sha).into_iter().filter(|run| run.suite == suite.id).collect();
    let status = if latest.is_empty() {
        "queued"
    } else if latest.iter().all(|run| run.status == "completed") {
        "completed"
    } else {
        "in_progress"
    };
    let worst = latest.iter().filter_map(|run| run.conclusion.as_deref()).find(|one| !["success", "neutral", "skipped"].contains(one));
    let conclusion = (status == "completed").then(|| worst.unwrap_or("success"));
    let branch = repository.branches.iter().find(|(_, sha)| **sha == suite.sha).map(|(name, _)| name);
    let commit = repository.commit(&suite.sha);
    let before = commit.and_then(|commit| repository.commits.get(*commit.parents.first()?)).map(|parent| &parent.sha);
    let person = commit.map(|commit| json!({ "name": commit.author, "email": "nobody@users.noreply.example" }));
    let url = format!("{}/check-suites/{}", api_of(repository, scene), suite.id);
    let at = stamp(suite.at);
    json!({
        "id": suite.id, "node_id": format!("CS_{}", suite.id), "head_branch": branch, "head_sha": suite.sha, "status": status,
        "conclusion": conclusion, "url": url, "before": before, "after": suite.sha,
        "pull_requests": short_pulls(repository, scene, &suite.sha), "app": app(scene, suite.app), "created_at": at, "updated_at": at,
        "rerequestable": true, "runs_rerequestable": true, "latest_check_runs_count": latest.len(),
        "check_runs_url": format!("{url}/check-runs"), "repository": short_repository(repository, scene),
        "head_commit": {
            "id": suite.sha, "tree_id": super::graph::made_up_sha(&format!("tree|{}", suite.sha)),
            "message": commit.map(|commit| &commit.message), "timestamp": commit.map(|commit| stamp(commit.at)), "author": person,
            "committer": person,
        },
    })
}
