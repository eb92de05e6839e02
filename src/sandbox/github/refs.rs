//! What refs stand for: commits, refs, tags.

use serde_json::{Value, json};

use super::answer::Answer;
use super::asked::{Scene, listed};
use super::branches;
use super::graph::made_up_sha;
use super::shapes::stamp;
use super::shapes_code::{self, api_of, pointer, unsigned};
use super::world::{Commit, Repository, Tag};

/// The commit a ref stands for. An unknown ref is 422, an empty repository 409.
pub(super) fn known(repository: &Repository, text: &str) -> Result<String, Answer> {
    not_empty(repository)?;
    let unknown = || Answer::error_at(422, &format!("No commit found for SHA: {text}"), "/commits/commits#get-a-commit");
    repository.resolve(text).ok_or_else(unknown)
}

pub(super) fn not_empty(repository: &Repository) -> Result<(), Answer> {
    if repository.commits.is_empty() { Err(Answer::error(409, "Git Repository is empty.")) } else { Ok(()) }
}

/// `GET …/commits`: a commit and everything before it, newest first.
pub(super) fn commits(repository: &Repository, scene: &Scene<'_>) -> Result<Answer, Answer> {
    not_empty(repository)?;
    let wanted = scene.asked.parameter("sha").unwrap_or(&repository.default_branch);
    let head = repository.resolve(wanted).and_then(|sha| repository.position(&sha)).ok_or_else(Answer::not_found)?;
    // Commits stand in the order they were made.
    let all: Vec<&Commit> = repository.ancestors(head).into_iter().rev().filter_map(|place| repository.commits.get(place)).collect();
    Ok(listed(&all, scene, repository.id, |commit| shapes_code::commit(repository, scene, commit)))
}

/// `GET …/commits/{ref}`: in JSON, or the bare hash, which then is its own `ETag`.
pub(super) fn commit(repository: &Repository, scene: &Scene<'_>, text: &str) -> Result<Answer, Answer> {
    let sha = known(repository, text)?;
    if scene.asked.accepts("vnd.github.sha") || scene.asked.accepts("vnd.github.v3.sha") {
        let answer = Answer::text(200, "application/vnd.github.sha; charset=utf-8", sha.clone());
        return Ok(answer.with("etag", format!("\"{sha}\"")));
    }
    let commit = repository.commit(&sha).ok_or_else(Answer::not_found)?;
    let mut body = shapes_code::commit(repository, scene, commit);
    if let Value::Object(body) = &mut body {
        body.insert("stats".to_owned(), json!({ "total": 2, "additions": 1, "deletions": 1 }));
        body.insert("files".to_owned(), json!([file(repository, scene, &sha)]));
    }
    Ok(Answer::ok(&body))
}

/// The one file that every commit changes.
pub(super) fn file(repository: &Repository, scene: &Scene<'_>, sha: &str) -> Value {
    let page = shapes_code::page_of(repository, scene);
    json!({
        "sha": made_up_sha(&format!("file|{sha}")), "filename": "CHANGES.md", "status": "modified", "additions": 1, "deletions": 1,
        "changes": 2, "blob_url": format!("{page}/blob/{sha}/CHANGES.md"), "raw_url": format!("{page}/raw/{sha}/CHANGES.md"),
        "contents_url": format!("{}/contents/CHANGES.md?ref={sha}", api_of(repository, scene)),
        "patch": "@@ -1 +1 @@\n-before\n+after",
    })
}

pub(super) fn shape(repository: &Repository, scene: &Scene<'_>, name: &str, kind: &str, sha: &str) -> Value {
    let api = api_of(repository, scene);
    json!({
        "ref": format!("refs/{name}"), "node_id": format!("REF_{name}"), "url": format!("{api}/git/refs/{name}"),
        "object": { "type": kind, "sha": sha, "url": format!("{api}/git/{kind}s/{sha}") },
    })
}

pub(super) fn tag_shape(repository: &Repository, scene: &Scene<'_>, name: &str, tag: &Tag) -> Value {
    match &tag.object {
        Some(object) => shape(repository, scene, &format!("tags/{name}"), "tag", object),
        None => shape(repository, scene, &format!("tags/{name}"), "commit", &tag.commit),
    }
}

/// `GET …/git/ref/{ref}`: exactly this one, never a hash.
pub(super) fn one(repository: &Repository, scene: &Scene<'_>, name: &str) -> Result<Answer, Answer> {
    not_empty(repository)?;
    let page = "/git/refs#get-a-reference";
    let branch = name.strip_prefix("heads/").and_then(|branch| repository.branches.get(branch));
    if let Some(sha) = branch {
        return Ok(Answer::ok(&shape(repository, scene, name, "commit", sha)));
    }
    let tag = name.strip_prefix("tags/").and_then(|tag| repository.tags.get_key_value(tag));
    let (name, tag) = tag.ok_or_else(|| Answer::error_at(404, "Not Found", page))?;
    Ok(Answer::ok(&tag_shape(repository, scene, name, tag)))
}

/// `GET …/git/matching-refs/{beginning}`: the refs that begin so, pull requests included. That they come in pages is not in the description.
pub(super) fn matching(repository: &Repository, scene: &Scene<'_>, beginning: &str) -> Result<Answer, Answer> {
    not_empty(repository)?;
    let heads = repository.branches.iter().map(|(name, sha)| shape(repository, scene, &format!("heads/{name}"), "commit", sha));
    let pulls = repository.pulls.iter().map(|pull| shape(repository, scene, &format!("pull/{}/head", pull.number), "commit", &pull.sha));
    let tags = repository.tags.iter().map(|(name, tag)| tag_shape(repository, scene, name, tag));
    let wanted = format!("refs/{beginning}");
    let fitting: Vec<Value> = heads
        .chain(pulls)
        .chain(tags)
        .filter(|found| found.get("ref").and_then(Value::as_str).is_some_and(|name| name.starts_with(&wanted)))
        .collect();
    Ok(listed(&fitting, scene, repository.id, Value::clone))
}

/// `GET …/git/tags/{sha}`: the object of an annotated tag.
pub(super) fn tag_object(repository: &Repository, scene: &Scene<'_>, sha: &str) -> Result<Answer, Answer> {
    let found = repository.tags.iter().find(|(_, tag)| tag.object.as_deref() == Some(sha));
    let (name, tag) = found.ok_or_else(Answer::not_found)?;
    let api = api_of(repository, scene);
    let commit = &tag.commit;
    Ok(Answer::ok(&json!({
        "node_id": format!("TA_{sha}"), "tag": name, "sha": sha, "url": format!("{api}/git/tags/{sha}"), "message": format!("{name}\n"),
        "tagger": { "name": "releaser", "email": "releaser@users.noreply.example", "date": stamp(tag.at) },
        "object": { "sha": commit, "type": "commit", "url": format!("{api}/git/commits/{commit}") }, "verification": unsigned(),
    })))
}

/// `GET …/tags`.
pub(super) fn tags(repository: &Repository, scene: &Scene<'_>) -> Answer {
    let api = api_of(repository, scene);
    let all: Vec<(&String, &Tag)> = repository.tags.iter().rev().collect();
    listed(&all, scene, repository.id, |(name, tag)| {
        json!({
            "name": name, "commit": pointer(repository, scene, &tag.commit), "node_id": format!("REF_tags/{name}"),
            "zipball_url": format!("{api}/zipball/refs/tags/{name}"), "tarball_url": format!("{api}/tarball/refs/tags/{name}"),
        })
    })
}

/// `GET …/commits/{sha}/branches-where-head`.
pub(super) fn branches_where_head(repository: &Repository, scene: &Scene<'_>, sha: &str) -> Result<Answer, Answer> {
    let sha = known(repository, sha)?;
    let heads: Vec<Value> = repository
        .branches
        .iter()
        .filter(|(_, head)| **head == sha)
        .map(|(name, _)| {
            let mut short = branches::short(repository, scene, name);
            if let Value::Object(short) = &mut short {
                short.remove("protection");
                short.remove("protection_url");
            }
            short
        })
        .collect();
    Ok(Answer::ok(&Value::Array(heads)))
}
