//! Making commits, and making, moving and deleting refs, without a working copy.

use serde_json::Value;

use super::answer::Answer;
use super::asked::Scene;
use super::graph::made_up_sha;
use super::refs::{not_empty, shape, tag_shape};
use super::shapes::stamp;
use super::shapes_code::{api_of, git_commit};
use super::world::{Commit, Repository, Tag};

const COMMIT: &str = "/git/commits#create-a-commit";
const CREATE: &str = "/git/refs#create-a-reference";
const MOVE: &str = "/git/refs#update-a-reference";
const DELETE: &str = "/git/refs#delete-a-reference";

/// A text that has to be there.
fn wanted<'v>(object: &'v serde_json::Map<String, Value>, name: &str, page: &str) -> Result<&'v str, Answer> {
    let text = object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| Answer::error_at(422, &format!("Invalid request.\n\n\"{name}\" wasn't supplied."), page))
}

/// `POST …/git/commits`: on no branch yet. Trees are those of commits that are there.
pub(super) fn create_commit(repository: &mut Repository, scene: &Scene<'_>) -> Result<Answer, Answer> {
    not_empty(repository)?;
    let object = scene.asked.object()?;
    let (message, tree) = (wanted(&object, "message", COMMIT)?, wanted(&object, "tree", COMMIT)?);
    if !repository.commits.iter().any(|commit| commit.tree == tree) {
        return Err(Answer::error_at(422, "Tree SHA does not exist", COMMIT));
    }
    let named = object.get("parents").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut parents = Vec::new();
    for parent in &named {
        let place = parent.as_str().and_then(|sha| repository.position(sha));
        parents.push(place.ok_or_else(|| Answer::error_at(422, "Parent SHA does not exist or is not a commit object.", COMMIT))?);
    }
    let author = scene.caller.login.clone().unwrap_or_default();
    // What is the same in everything is the same commit.
    let words = [repository.first_name.as_str(), "commit", tree, message, &author, &stamp(scene.now)].join("|");
    let sha = made_up_sha(&format!("{words}|{parents:?}"));
    if repository.commit(&sha).is_none() {
        let (tree, message) = (tree.to_owned(), message.to_owned());
        repository.commits.push(Commit { sha: sha.clone(), parents, tree, message, author, at: scene.now });
    }
    let commit = repository.commit(&sha).ok_or_else(Answer::not_found)?;
    let location = format!("{}/git/commits/{sha}", api_of(repository, scene));
    Ok(Answer::json(201, &git_commit(repository, scene, commit)).with("location", location))
}

/// `POST …/git/refs`: a new branch, or a new tag without an object of its own.
pub(super) fn create_ref(repository: &mut Repository, scene: &Scene<'_>) -> Result<Answer, Answer> {
    not_empty(repository)?;
    let object = scene.asked.object()?;
    let (full, sha) = (wanted(&object, "ref", CREATE)?, wanted(&object, "sha", CREATE)?);
    let name = full.strip_prefix("refs/").filter(|name| is_well_formed(name));
    let name = name.ok_or_else(|| Answer::error_at(422, &format!("{full} is not a valid ref name."), CREATE))?;
    if head_of(repository, name).is_some() {
        return Err(Answer::error_at(422, "Reference already exists", CREATE));
    }
    if repository.commit(sha).is_none() {
        return Err(Answer::error_at(422, "Object does not exist", CREATE));
    }
    let body = put(repository, scene, name, sha)?;
    let location = format!("{}/git/refs/{name}", api_of(repository, scene));
    Ok(Answer::json(201, &body).with("location", location))
}

/// `PATCH …/git/refs/{ref}`: to a commit that follows the one before, or to any by force.
pub(super) fn move_ref(repository: &mut Repository, scene: &Scene<'_>, name: &str) -> Result<Answer, Answer> {
    let object = scene.asked.object()?;
    let sha = wanted(&object, "sha", MOVE)?;
    let before = head_of(repository, name).ok_or_else(|| Answer::error_at(422, "Reference does not exist", MOVE))?;
    if repository.commit(sha).is_none() {
        return Err(Answer::error_at(422, "Object does not exist", MOVE));
    }
    let forced = object.get("force").and_then(Value::as_bool).unwrap_or_default();
    if !forced && !repository.contains(sha, &before) {
        return Err(Answer::error_at(422, "Update is not a fast forward", MOVE));
    }
    Ok(Answer::ok(&put(repository, scene, name, sha)?))
}

/// `DELETE …/git/refs/{ref}`. How the default branch is kept is not described: that stays unknown.
pub(super) fn delete_ref(repository: &mut Repository, scene: &Scene<'_>, name: &str) -> Result<Answer, Answer> {
    let gone = match name.split_once('/') {
        Some(("heads", branch)) if branch == repository.default_branch => return Err(Answer::unknown(&scene.asked.path)),
        Some(("heads", branch)) => repository.drop_branch(branch),
        Some(("tags", tag)) => repository.tags.remove(tag).is_some(),
        Some(_) | None => false,
    };
    if gone { Ok(Answer::empty(204)) } else { Err(Answer::error_at(422, "Reference does not exist", DELETE)) }
}

/// The commit that `heads/x` or `tags/x` stands for.
fn head_of(repository: &Repository, name: &str) -> Option<String> {
    match name.split_once('/')? {
        ("heads", branch) => repository.branches.get(branch).cloned(),
        ("tags", tag) => repository.tags.get(tag).map(|tag| tag.commit.clone()),
        _ => None,
    }
}

/// Points `heads/x` or `tags/x` at a commit, and shows it.
fn put(repository: &mut Repository, scene: &Scene<'_>, name: &str, sha: &str) -> Result<Value, Answer> {
    repository.pushed_at = scene.now;
    match name.split_once('/') {
        Some(("heads", branch)) => {
            repository.move_branch(branch, sha);
            Ok(shape(repository, scene, name, "commit", sha))
        }
        Some(("tags", tag)) => {
            let light = Tag { commit: sha.to_owned(), object: None, at: scene.now };
            let body = tag_shape(repository, scene, tag, &light);
            repository.tags.insert(tag.to_owned(), light);
            Ok(body)
        }
        // Refs of other kinds.
        Some(_) | None => Err(Answer::unknown(&scene.asked.path)),
    }
}

/// Whether git takes this as the name of a ref, below `refs/`.
fn is_well_formed(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let is_taken = |c: char| !c.is_control() && !" ~^:?*[\\".contains(c);
    parts.len() > 1
        && parts.iter().all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
        && name.chars().all(is_taken)
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
}
