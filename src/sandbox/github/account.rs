//! The interface's root, the caller, and the caller's allowance.

use serde_json::{Value, json};

use super::answer::Answer;
use super::asked::{Scene, listed};
use super::guard;
use super::shapes::{full_repository, stamp, user};
use super::world::{Repository, World};

/// `GET /`.
pub(super) fn root(scene: &Scene<'_>) -> Answer {
    let mut body = json!({});
    let paths = [
        ("current_user_url", "/user"),
        ("code_search_url", "/search/code?q={query}{&page,per_page,sort,order}"),
        ("commit_search_url", "/search/commits?q={query}{&page,per_page,sort,order}"),
        ("emails_url", "/user/emails"),
        ("emojis_url", "/emojis"),
        ("events_url", "/events"),
        ("feeds_url", "/feeds"),
        ("followers_url", "/user/followers"),
        ("following_url", "/user/following{/target}"),
        ("gists_url", "/gists{/gist_id}"),
        ("issue_search_url", "/search/issues?q={query}{&page,per_page,sort,order}"),
        ("issues_url", "/issues"),
        ("keys_url", "/user/keys"),
        ("label_search_url", "/search/labels?q={query}&repository_id={repository_id}{&page,per_page}"),
        ("notifications_url", "/notifications"),
        ("organization_url", "/orgs/{org}"),
        ("organization_repositories_url", "/orgs/{org}/repos{?type,page,per_page,sort}"),
        ("organization_teams_url", "/orgs/{org}/teams"),
        ("public_gists_url", "/gists/public"),
        ("rate_limit_url", "/rate_limit"),
        ("repository_url", "/repos/{owner}/{repo}"),
        ("repository_search_url", "/search/repositories?q={query}{&page,per_page,sort,order}"),
        ("current_user_repositories_url", "/user/repos{?type,page,per_page,sort}"),
        ("starred_url", "/user/starred{/owner}{/repo}"),
        ("starred_gists_url", "/gists/starred"),
        ("topic_search_url", "/search/topics?q={query}{&page,per_page}"),
        ("user_url", "/users/{user}"),
        ("user_organizations_url", "/user/orgs"),
        ("user_repositories_url", "/users/{user}/repos{?type,page,per_page,sort}"),
        ("user_search_url", "/search/users?q={query}{&page,per_page,sort,order}"),
    ];
    if let Value::Object(object) = &mut body {
        for (key, path) in paths {
            object.insert(key.to_owned(), format!("{}{path}", scene.api).into());
        }
        let settings = format!("{}/settings/connections/applications{{/client_id}}", scene.web);
        object.insert("current_user_authorizations_html_url".to_owned(), settings.into());
        if !scene.newer {
            object.insert("authorizations_url".to_owned(), format!("{}/authorizations", scene.api).into());
            object.insert("hub_url".to_owned(), format!("{}/hub", scene.api).into());
        }
    }
    Answer::ok(&body)
}

/// `GET /user/repos`: what the caller was let into.
pub(super) fn repositories(world: &World, scene: &Scene<'_>) -> Result<Answer, Answer> {
    let login = scene.caller.login.as_ref().ok_or_else(|| Answer::error(401, "Requires authentication"))?.to_lowercase();
    let seen: Vec<&Repository> = world.repositories.iter().filter(|repository| repository.grants.contains_key(&login)).collect();
    Ok(listed(&seen, scene, 0, |repository| full_repository(repository, scene)))
}

/// `GET /user`.
pub(super) fn current(scene: &Scene<'_>) -> Result<Answer, Answer> {
    let login = scene.caller.login.as_ref().ok_or_else(|| Answer::error(401, "Requires authentication"))?;
    let mut body = user(scene, login);
    let more = json!({
        "user_view_type": "private", "name": login, "company": null, "blog": "", "location": null, "email": null, "hireable": null,
        "bio": null, "twitter_username": null, "notification_email": null, "public_repos": 0, "public_gists": 0, "followers": 0,
        "following": 0, "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z", "private_gists": 0,
        "total_private_repos": 0, "owned_private_repos": 0, "disk_usage": 0, "collaborators": 0, "two_factor_authentication": true,
    });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    Ok(Answer::ok(&body))
}

/// `GET /rate_limit`: costs nothing.
pub(super) fn rate_limit(world: &mut World, scene: &Scene<'_>) -> Answer {
    let (budget, limit) = guard::budget(world, &scene.caller.token);
    let reset = budget.turn(scene.now).as_second();
    let used = budget.used.min(limit);
    let core = json!({ "limit": limit, "used": used, "remaining": limit.saturating_sub(used), "reset": reset });
    let other = |limit: u32| json!({ "limit": limit, "used": 0, "remaining": limit, "reset": reset });
    let mut body = json!({ "resources": { "core": core, "search": other(30), "graphql": other(5000) } });
    if let (Value::Object(body), false) = (&mut body, scene.newer) {
        body.insert("rate".to_owned(), core);
    }
    Answer::ok(&body)
}

/// `GET /versions`.
pub(super) fn versions() -> Answer {
    Answer::ok(&json!(guard::VERSIONS))
}

/// `GET /repos/{owner}/{repo}`.
pub(super) fn repository(repository: &Repository, scene: &Scene<'_>) -> Answer {
    let mut body = full_repository(repository, scene);
    if let Value::Object(body) = &mut body {
        body.insert("updated_at".to_owned(), stamp(repository.pushed_at).into());
        body.insert("organization".to_owned(), user(scene, &repository.owner));
        body.insert("temp_clone_token".to_owned(), "".into());
        body.insert("subscribers_count".to_owned(), 0.into());
        body.insert("network_count".to_owned(), 0.into());
    }
    let settings = json!({
        "allow_squash_merge": true, "allow_merge_commit": true, "allow_rebase_merge": true, "allow_auto_merge": false,
        "delete_branch_on_merge": false, "allow_update_branch": false,
    });
    // Only those who may push see how pull requests are merged.
    let pusher = scene.caller.login.is_some() && repository.allows(scene.caller) >= Some(super::seed::Permission::Write);
    if let (Value::Object(body), Value::Object(settings), true) = (&mut body, settings, pusher) {
        body.extend(settings);
        if !scene.newer {
            body.insert("use_squash_pr_title_as_default".to_owned(), false.into());
        }
    }
    Answer::ok(&body)
}
