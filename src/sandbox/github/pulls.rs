//! Pull requests.

use serde_json::{Value, json};

use super::answer::Answer;
use super::asked::{Scene, listed};
use super::refs::known;
use super::routes::Hands;
use super::shapes::user;
use super::shapes_code::{self, api_of};
use super::world::{Pull, Repository};

const CREATE: &str = "/pulls/pulls#create-a-pull-request";

/// `GET …/pulls`, newest first.
pub(super) fn list(repository: &Repository, scene: &Scene<'_>) -> Answer {
    let state = scene.asked.parameter("state").unwrap_or("open");
    let head = scene.asked.parameter("head");
    let base = scene.asked.parameter("base");
    let found: Vec<&Pull> = repository
        .pulls
        .iter()
        .rev()
        .filter(|pull| match state {
            "all" => true,
            "closed" => !pull.open,
            _ => pull.open,
        })
        .filter(|pull| {
            let owner = if pull.from_fork { &pull.author } else { &repository.owner };
            head.is_none_or(|head| head == format!("{owner}:{}", pull.branch))
        })
        .filter(|_| base.is_none_or(|base| base == repository.default_branch))
        .collect();
    listed(&found, scene, repository.id, |pull| Value::Object(shapes_code::pull(repository, scene, pull)))
}

/// `GET …/pulls/{number}`: whether it can be merged is not known when it is asked for the first time.
pub(super) fn one(repository: &mut Repository, scene: &Scene<'_>, number: &str) -> Result<Answer, Answer> {
    let found = repository.pulls.iter_mut().find(|pull| pull.number.to_string() == number).ok_or_else(Answer::not_found)?;
    let computed = found.computed;
    found.computed = true;
    let found = repository.pulls.iter().find(|pull| pull.number.to_string() == number).ok_or_else(Answer::not_found)?;
    let mergeable = (computed && found.open).then(|| !repository.conflicts.contains(&found.branch));
    Ok(Answer::ok(&whole(repository, scene, found, mergeable)))
}

/// A pull request as its own page has it.
fn whole(repository: &Repository, scene: &Scene<'_>, found: &Pull, mergeable: Option<bool>) -> Value {
    let state = match mergeable {
        None => "unknown",
        Some(true) => "clean",
        Some(false) => "dirty",
    };
    let ahead = repository.default_head().and_then(|base| repository.standing(&base, &found.sha)).map_or(0, |it| it.ahead.len());
    let merged_by = found.merged_at.map(|_| user(scene, &repository.owner));
    let mut body = shapes_code::pull(repository, scene, found);
    let more = json!({
        "merged": found.merged_at.is_some(), "mergeable": mergeable, "rebaseable": mergeable, "mergeable_state": state,
        "merged_by": merged_by, "comments": 0, "review_comments": 0, "maintainer_can_modify": false, "commits": ahead, "additions": 1,
        "deletions": 1, "changed_files": 1,
    });
    if let Value::Object(more) = more {
        body.extend(more);
    }
    Value::Object(body)
}

/// `POST …/pulls`: into the default branch, from a branch of the same repository.
pub(super) fn create(repository: &mut Repository, scene: &Scene<'_>, hands: Hands<'_>) -> Result<Answer, Answer> {
    let object = scene.asked.object()?;
    let text = |name: &str| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let fault = |fault: Value| Answer::faults(422, "Validation Failed", &json!([fault]), CREATE);
    let wrong = |field: &str, code: &str| fault(json!({ "resource": "PullRequest", "field": field, "code": code }));
    let refused = |message: String| fault(json!({ "resource": "PullRequest", "code": "custom", "message": message }));
    let lacking = |name: &str| Answer::error_at(422, &format!("Invalid request.\n\n\"{name}\" wasn't supplied."), CREATE);
    let (head, base) = (text("head").ok_or_else(|| lacking("head"))?, text("base").ok_or_else(|| lacking("base"))?);
    let title = text("title").ok_or_else(|| wrong("title", "missing_field"))?;
    if !repository.branches.contains_key(&base) {
        return Err(wrong("base", "invalid"));
    }
    if base != repository.default_branch {
        return Err(Answer::unknown(&format!("{} into a branch that is not the default one", scene.asked.path)));
    }
    let owner = repository.owner.clone();
    let branch = head.strip_prefix(&format!("{owner}:")).unwrap_or(&head).to_owned();
    let sha = repository.branches.get(&branch).cloned().ok_or_else(|| wrong("head", "invalid"))?;
    let onto = repository.default_head().unwrap_or_default();
    if repository.contains(&onto, &sha) {
        return Err(refused(format!("No commits between {base} and {branch}")));
    }
    if repository.pulls.iter().any(|pull| pull.open && !pull.from_fork && pull.branch == branch) {
        return Err(refused(format!("A pull request already exists for {owner}:{branch}.")));
    }
    let pull = Pull {
        id: hands.numbers.fresh(),
        number: repository.pulls.iter().map(|pull| pull.number).max().unwrap_or_default().saturating_add(1),
        branch,
        sha,
        base: onto,
        author: scene.caller.login.clone().unwrap_or_default(),
        title: Some(title),
        body: text("body"),
        draft: object.get("draft").and_then(Value::as_bool).unwrap_or_default(),
        from_fork: false,
        orphaned: false,
        open: true,
        merged_at: None,
        opened_at: scene.now,
        computed: false,
    };
    let location = format!("{}/pulls/{}", api_of(repository, scene), pull.number);
    repository.pulls.push(pull);
    let made = repository.pulls.last().ok_or_else(Answer::not_found)?;
    Ok(Answer::json(201, &whole(repository, scene, made, None)).with("location", location))
}

/// `GET …/commits/{sha}/pulls`: those that brought a commit into the default branch, else merged and open ones.
pub(super) fn of_commit(repository: &Repository, scene: &Scene<'_>, text: &str) -> Result<Answer, Answer> {
    let sha = known(repository, text)?;
    let landed = repository.default_head().is_some_and(|head| repository.contains(&head, &sha));
    let own = |pull: &Pull| !repository.contains(&pull.base, &sha) && repository.contains(&pull.sha, &sha);
    let found: Vec<&Pull> = repository
        .pulls
        .iter()
        .filter(|pull| if landed { pull.merged_at.is_some() } else { pull.open || pull.merged_at.is_some() })
        .filter(|pull| own(pull))
        .collect();
    Ok(listed(&found, scene, repository.id, |pull| Value::Object(shapes_code::pull(repository, scene, pull))))
}
