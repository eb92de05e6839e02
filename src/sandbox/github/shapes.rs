//! People and repositories as JSON, with every key of the published schema.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::asked::Scene;
use super::seed::Permission;
use super::world::Repository;

/// A time as GitHub writes it: whole seconds.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The id of a person: made from the login, so that it is the same in every run.
pub fn user_id(login: &str) -> u32 {
    let digest = Sha256::digest(login.to_lowercase().as_bytes());
    digest.iter().take(3).fold(1, |number, byte| (number << 8) | u32::from(*byte))
}

pub(super) fn user(scene: &Scene<'_>, login: &str) -> Value {
    user_at(scene.api, scene.web, login)
}

/// The same, as told to an app about its own tokens.
pub(super) fn user_at(api: &str, web: &str, login: &str) -> Value {
    let id = user_id(login);
    let url = format!("{api}/users/{login}");
    json!({
        "login": login, "id": id, "node_id": format!("U_{id}"), "avatar_url": format!("{web}/{login}.png"), "gravatar_id": "",
        "url": url, "html_url": format!("{web}/{login}"), "followers_url": format!("{url}/followers"),
        "following_url": format!("{url}/following{{/other_user}}"), "gists_url": format!("{url}/gists{{/gist_id}}"),
        "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"), "subscriptions_url": format!("{url}/subscriptions"),
        "organizations_url": format!("{url}/orgs"), "repos_url": format!("{url}/repos"), "events_url": format!("{url}/events{{/privacy}}"),
        "received_events_url": format!("{url}/received_events"), "type": "User", "site_admin": false, "user_view_type": "public",
    })
}

/// The addresses of a repository's parts, below its own.
const PARTS: [(&str, &str); 36] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

/// A repository in the short form that other things carry.
pub(super) fn minimal_repository(repository: &Repository, scene: &Scene<'_>) -> Map<String, Value> {
    let name = repository.full_name();
    let url = format!("{}/repos/{name}", scene.api);
    let mut shape = Map::new();
    for (key, path) in PARTS {
        shape.insert(key.to_owned(), format!("{url}{path}").into());
    }
    let more = json!({
        "id": repository.id, "node_id": format!("R_{}", repository.id), "name": repository.name, "full_name": name,
        "private": repository.private, "owner": user(scene, &repository.owner), "html_url": format!("{}/{name}", scene.web),
        "description": null, "fork": false, "url": url,
    });
    if let Value::Object(more) = more {
        shape.extend(more);
    }
    shape
}

/// A repository in full, without what only its own page has.
pub(super) fn full_repository(repository: &Repository, scene: &Scene<'_>) -> Value {
    let mut shape = minimal_repository(repository, scene);
    let name = repository.full_name();
    let html = format!("{}/{name}", scene.web);
    let created = stamp(repository.created_at);
    let open = repository.pulls.iter().filter(|pull| pull.open).count();
    let more = json!({
        "git_url": format!("git://github.com/{name}.git"), "ssh_url": format!("git@github.com:{name}.git"),
        "clone_url": format!("{html}.git"), "svn_url": html, "mirror_url": null, "homepage": null, "language": null, "forks_count": 0,
        "stargazers_count": 0, "watchers_count": 0, "size": 1, "default_branch": repository.default_branch, "open_issues_count": open,
        "is_template": false, "topics": [], "has_issues": true, "has_projects": false, "has_wiki": false, "has_pages": false,
        "has_discussions": false, "archived": repository.archived, "disabled": false,
        "visibility": if repository.private { "private" } else { "public" }, "pushed_at": stamp(repository.pushed_at),
        "created_at": created, "updated_at": stamp(repository.pushed_at), "allow_forking": true, "web_commit_signoff_required": false,
        "license": null, "forks": 0, "open_issues": open, "watchers": 0,
    });
    if let Value::Object(more) = more {
        shape.extend(more);
    }
    if !scene.newer {
        shape.insert("has_downloads".to_owned(), false.into());
    }
    if let Some(permission) = scene.caller.login.as_ref().and_then(|_| repository.allows(scene.caller)) {
        let (push, admin) = (permission >= Permission::Write, permission >= Permission::Admin);
        let rights = json!({ "admin": admin, "maintain": admin, "push": push, "triage": push, "pull": true });
        shape.insert("permissions".to_owned(), rights);
    }
    Value::Object(shape)
}

/// An app that reports checks.
pub(super) fn app(scene: &Scene<'_>, id: u64) -> Value {
    let (slug, name) =
        if id == 15368 { ("github-actions".to_owned(), "GitHub Actions".to_owned()) } else { (format!("ci-{id}"), format!("CI {id}")) };
    json!({
        "id": id, "client_id": format!("Iv1.{id}"), "slug": slug, "node_id": format!("A_{id}"), "owner": user(scene, "ci-company"),
        "name": name, "description": null, "external_url": format!("{}/apps/{slug}", scene.web),
        "html_url": format!("{}/apps/{slug}", scene.web), "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
        "permissions": { "checks": "write", "metadata": "read" }, "events": ["check_run", "check_suite"],
    })
}
