//! Commits and pull requests as JSON, with every key of the published schema.

use serde_json::{Map, Value, json};

use super::asked::Scene;
use super::shapes::{full_repository, minimal_repository, stamp, user, user_id};
use super::world::{Commit, Pull, Repository};

/// The address of a repository at the interface.
pub(super) fn api_of(repository: &Repository, scene: &Scene<'_>) -> String {
    format!("{}/repos/{}", scene.api, repository.full_name())
}

/// The address of a repository's page.
pub(super) fn page_of(repository: &Repository, scene: &Scene<'_>) -> String {
    format!("{}/{}", scene.web, repository.full_name())
}

fn signature(commit: &Commit) -> Value {
    let mail = format!("{}+{}@users.noreply.example", user_id(&commit.author), commit.author.replace(' ', "."));
    json!({ "name": commit.author, "email": mail, "date": stamp(commit.at) })
}

/// What is known of a signature: there is none.
pub(super) fn unsigned() -> Value {
    json!({ "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null })
}

pub(super) fn commit(repository: &Repository, scene: &Scene<'_>, commit: &Commit) -> Value {
    let (api, page) = (api_of(repository, scene), page_of(repository, scene));
    let sha = &commit.sha;
    let parents = parents(repository, scene, commit, "commits");
    json!({
        "sha": sha, "node_id": format!("C_{sha}"), "url": format!("{api}/commits/{sha}"), "html_url": format!("{page}/commit/{sha}"),
        "comments_url": format!("{api}/commits/{sha}/comments"),
        "commit": {
            "author": signature(commit), "committer": signature(commit), "message": commit.message, "comment_count": 0,
            "tree": tree(repository, scene, commit), "url": format!("{api}/git/commits/{sha}"), "verification": unsigned(),
        },
        "author": user(scene, &commit.author), "committer": user(scene, &commit.author), "parents": parents,
    })
}

/// A commit as git itself knows it.
pub(super) fn git_commit(repository: &Repository, scene: &Scene<'_>, commit: &Commit) -> Value {
    let sha = &commit.sha;
    json!({
        "sha": sha, "node_id": format!("C_{sha}"), "url": format!("{}/git/commits/{sha}", api_of(repository, scene)),
        "html_url": format!("{}/commit/{sha}", page_of(repository, scene)), "author": signature(commit), "committer": signature(commit),
        "tree": tree(repository, scene, commit), "message": commit.message, "parents": parents(repository, scene, commit, "git/commits"),
        "verification": unsigned(),
    })
}

fn tree(repository: &Repository, scene: &Scene<'_>, commit: &Commit) -> Value {
    let tree = &commit.tree;
    json!({ "sha": tree, "url": format!("{}/git/trees/{tree}", api_of(repository, scene)) })
}

/// A commit's parents, with their addresses below `part`.
fn parents(repository: &Repository, scene: &Scene<'_>, commit: &Commit, part: &str) -> Vec<Value> {
    let (api, page) = (api_of(repository, scene), page_of(repository, scene));
    let parents = commit.parents.iter().filter_map(|place| repository.commits.get(*place));
    parents
        .map(|parent| {
            let sha = &parent.sha;
            json!({ "sha": sha, "url": format!("{api}/{part}/{sha}"), "html_url": format!("{page}/commit/{sha}") })
        })
        .collect()
}

/// A commit in the form that lists of refs have.
pub(super) fn pointer(repository: &Repository, scene: &Scene<'_>, sha: &str) -> Value {
    json!({ "sha": sha, "url": format!("{}/commits/{sha}", api_of(repository, scene)) })
}

/// A pull request as lists have it.
pub(super) fn pull(repository: &Repository, scene: &Scene<'_>, pull: &Pull) -> Map<String, Value> {
    let (api, page) = (api_of(repository, scene), page_of(repository, scene));
    let number = pull.number;
    let url = format!("{api}/pulls/{number}");
    let issue = format!("{api}/issues/{number}");
    let statuses = format!("{api}/statuses/{}", pull.sha);
    let base_sha = repository.default_head().unwrap_or_default();
    let whole = full_repository(repository, scene);
    let (owner, head_repository) = head_of(repository, scene, pull, &whole);
    let opened = stamp(pull.opened_at);
    let of_commit = || repository.commit(&pull.sha).map(|commit| commit.message.clone()).unwrap_or_default();
    let title = pull.title.clone().unwrap_or_else(of_commit);
    let closed = (!pull.open).then(|| stamp(pull.merged_at.unwrap_or(pull.opened_at)));
    let shape = json!({
        "url": url, "id": pull.id, "node_id": format!("PR_{}", pull.id), "html_url": format!("{page}/pull/{number}"),
        "diff_url": format!("{page}/pull/{number}.diff"), "patch_url": format!("{page}/pull/{number}.patch"), "issue_url": issue,
        "commits_url": format!("{url}/commits"), "review_comments_url": format!("{url}/comments"),
        "review_comment_url": format!("{api}/pulls/comments{{/number}}"), "comments_url": format!("{issue}/comments"),
        "statuses_url": statuses, "number": number, "state": if pull.open { "open" } else { "closed" }, "locked": false,
        "title": title, "user": user(scene, &pull.author), "body": pull.body, "labels": [], "milestone": null, "active_lock_reason": null,
        "created_at": opened, "updated_at": opened, "closed_at": closed, "merged_at": pull.merged_at.map(stamp), "assignees": [],
        "requested_reviewers": [], "requested_teams": [], "draft": pull.draft, "author_association": "CONTRIBUTOR", "auto_merge": null,
    });
    let links = json!({
        "self": { "href": url }, "html": { "href": format!("{page}/pull/{number}") }, "issue": { "href": issue },
        "comments": { "href": format!("{issue}/comments") }, "review_comments": { "href": format!("{url}/comments") },
        "review_comment": { "href": format!("{api}/pulls/comments{{/number}}") }, "commits": { "href": format!("{url}/commits") },
        "statuses": { "href": statuses },
    });
    let more = json!({
        "head": {
            "label": format!("{owner}:{}", pull.branch), "ref": pull.branch, "sha": pull.sha, "user": user(scene, &owner),
            "repo": head_repository,
        },
        "base": {
            "label": format!("{}:{}", repository.owner, repository.default_branch), "ref": repository.default_branch, "sha": base_sha,
            "user": user(scene, &repository.owner), "repo": whole,
        },
    });
    let mut shape = if let Value::Object(shape) = shape { shape } else { Map::new() };
    if let Value::Object(more) = more {
        shape.extend(more);
    }
    shape.insert("_links".to_owned(), links);
    if !scene.newer {
        let merge = super::graph::made_up_sha(&format!("test merge|{}|{base_sha}", pull.sha));
        shape.insert("merge_commit_sha".to_owned(), merge.into());
        shape.insert("assignee".to_owned(), Value::Null);
    }
    shape
}

/// Whose branch a pull request comes from, and its repository.
fn head_of(repository: &Repository, scene: &Scene<'_>, pull: &Pull, whole: &Value) -> (String, Value) {
    if !pull.from_fork {
        return (repository.owner.clone(), whole.clone());
    }
    if pull.orphaned {
        return (pull.author.clone(), Value::Null);
    }
    let mut fork = whole.clone();
    if let Value::Object(fork) = &mut fork {
        let name = format!("{}/{}", pull.author, repository.name);
        fork.insert("id".to_owned(), pull.id.saturating_add(1_000_000).into());
        fork.insert("fork".to_owned(), true.into());
        fork.insert("owner".to_owned(), user(scene, &pull.author));
        fork.insert("url".to_owned(), format!("{}/repos/{name}", scene.api).into());
        fork.insert("html_url".to_owned(), format!("{}/{name}", scene.web).into());
        fork.insert("full_name".to_owned(), name.into());
    }
    (pull.author.clone(), fork)
}

/// The pull requests of a commit in the short form that check runs have.
pub(super) fn short_pulls(repository: &Repository, scene: &Scene<'_>, sha: &str) -> Vec<Value> {
    let own = json!({ "id": repository.id, "url": api_of(repository, scene), "name": repository.name });
    let fitting = repository.pulls.iter().filter(|pull| pull.open && !pull.from_fork && pull.sha == sha);
    fitting
        .map(|pull| {
            json!({
                "id": pull.id, "number": pull.number, "url": format!("{}/pulls/{}", api_of(repository, scene), pull.number),
                "head": { "ref": pull.branch, "sha": pull.sha, "repo": own },
                "base": { "ref": repository.default_branch, "sha": repository.default_head().unwrap_or_default(), "repo": own },
            })
        })
        .collect()
}

/// The repository in the short form, as a value.
pub(super) fn short_repository(repository: &Repository, scene: &Scene<'_>) -> Value {
    Value::Object(minimal_repository(repository, scene))
}
