//! The older service that links repositories, on its own host. It knows ids only, and no versions.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::http::{Answer, Asked, Refusal};
use super::json::{repository_number, time_with_offset};
use super::records::Pipeline;
use super::state::{World, id_of};

pub(super) fn answer(world: &mut World, asked: &Asked, now: Timestamp) -> Answer {
    let segments = asked.segments();
    if asked.headers.contains_key("heroku-two-factor-code") {
        world.violations.push("a one-time code was sent to the link service".to_owned());
    }
    if let ["account", "github", "token"] = segments.as_slice() {
        world.violations.push("a person's token at the source host was asked for".to_owned());
        return Refusal::new(403, "forbidden", "Nobody may ask for this.").into();
    }
    let token = asked.token().unwrap_or_default();
    let whose = world.whose(&token, now).and_then(|email| Some((world.user(&email).ok()?.id, email)));
    let Some((user, email)) = whose else {
        return Refusal::new(401, "unauthorized", "Invalid credentials provided.").into();
    };
    let found = match (asked.method.as_str(), segments.as_slice()) {
        ("GET", ["pipelines", id, "repository"]) => {
            let pipeline = Uuid::parse_str(id).ok().and_then(|id| world.pipeline(id));
            pipeline.filter(|pipeline| world.sees(&email, pipeline)).and_then(|pipeline| repository(pipeline, user))
        }
        ("GET", ["apps", id, "github"]) => Uuid::parse_str(id).ok().and_then(|id| app_link(world, id, &email)),
        _ => return Answer::unknown(asked),
    };
    found.map_or_else(|| Refusal::not_found().into(), |found| Answer::json(200, &found))
}

fn account(user: Uuid) -> Value {
    json!({"id": id_of("link account", &user.to_string()), "heroku": {"user_id": user}, "github": {"user_id": 1_234_567}})
}

fn repository(pipeline: &Pipeline, user: Uuid) -> Option<Value> {
    let name = pipeline.older_link.as_ref()?;
    let at = time_with_offset(pipeline.created_at);
    Some(json!({
        "ci": false, "created_at": at, "creator": account(user), "id": id_of("link", &pipeline.id.to_string()), "organization": null,
        "owner": account(user), "pipeline": {"id": pipeline.id}, "repository": {"created_at": at, "id": repository_number(name),
        "name": name, "type": "github", "updated_at": at, "host": "github.com"}, "updated_at": at, "statuses": [],
    }))
}

fn app_link(world: &World, id: Uuid, email: &str) -> Option<Value> {
    let app = world.app_of(id)?;
    let user = world.user(email).ok()?;
    user.right(id)?;
    let name = world.pipeline(app.pipeline?)?.older_link.as_ref()?;
    let at = time_with_offset(app.created_at);
    Some(json!({
        "app": {"id": app.id}, "pull_requests": {"enabled": false, "auto_deploy": false}, "app_id": app.id,
        "id": id_of("app link", &app.id.to_string()), "parent": null, "auto_deploy": false, "wait_for_ci": false, "branch": null,
        "created_at": at, "owner": account(user.id), "pull_request": null, "repo": name, "repo_id": repository_number(name),
        "repo_host": "github.com", "updated_at": at,
    }))
}
