//! Pull requests.

use serde_json::{Value, json};

use super::answer::Answer;
use super::asked::{Scene, listed};
use super::refs::known;
use super::shapes::user;
use super::shapes_code;
use super::world::{Pull, Repository};

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
    Ok(Answer::ok(&Value::Object(body)))
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
