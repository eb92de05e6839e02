//! Accounts, their features and rights, one-time codes.

use serde_json::{Value, json};

use super::{Call, Handled};
use crate::sandbox::heroku::AppRight;
use crate::sandbox::heroku::http::{Answer, Refusal};
use crate::sandbox::heroku::json as shapes;
use crate::sandbox::heroku::state::World;

/// The feature that opens the newer link service.
const REPOSITORIES: &str = "dashboard-repositories-api";

pub(super) fn account(world: &mut World, call: &Call<'_>) -> Handled {
    let user = world.user(&call.who.email).map_err(|_| Refusal::not_found())?;
    Ok(Answer::json(200, &shapes::account(user)))
}

pub(super) fn rate_limits(world: &mut World, call: &Call<'_>) -> Handled {
    let user = world.user_mut(&call.who.email).map_err(|_| Refusal::not_found())?;
    Ok(Answer::json(200, &json!({"remaining": user.calls_left(call.now)})))
}

pub(super) fn feature(world: &mut World, call: &Call<'_>, name: &str) -> Handled {
    let user = world.user(&call.who.email).map_err(|_| Refusal::not_found())?;
    if name != REPOSITORIES || !(user.repositories_api || world.feature_known) {
        return Err(Refusal::not_found());
    }
    Ok(Answer::json(200, &shapes::feature(name, user.repositories_api, user.created_at)))
}

pub(super) fn capabilities(world: &mut World, call: &Call<'_>) -> Handled {
    if !["sdk", "capabilities"].contains(&call.variant) {
        return Err(Refusal::not_found());
    }
    let body = call.body()?;
    let asked = body.get("capabilities").and_then(Value::as_array).ok_or_else(|| Refusal::invalid("capabilities is required"))?;
    let user = world.user(&call.who.email).map_err(|_| Refusal::not_found())?;
    let mut answers = Vec::new();
    for one in asked {
        let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or("");
        let (capability, resource, kind) = (text("capability"), text("resource_id"), text("resource_type"));
        let app = if kind == "app" { world.app(resource) } else { None };
        let right = app.and_then(|app| user.right(app.id));
        let capable = match capability {
            "view" | "view_releases" => right.is_some(),
            "manage_dynos" | "deploy" => right == Some(AppRight::Deploy),
            _ => false,
        };
        let mut answer =
            json!({"capability": capability, "resource_id": one.get("resource_id"), "resource_type": kind, "capable": capable});
        // Nothing more is said about an app that the caller does not see.
        if let (Some(app), Some(_), Some(members)) = (app, right, answer.as_object_mut()) {
            members.insert("requires_second_factor".to_owned(), json!(app.second_factor));
            members.insert("resource_canonical_id".to_owned(), json!(app.id));
        }
        answers.push(answer);
    }
    Ok(Answer::json(200, &json!({"capabilities": answers})))
}

pub(super) fn pre_authorize(world: &mut World, call: &Call<'_>, app: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::View)?;
    world.spend_code(call, &app)?;
    world.open_for_a_while(call, &app);
    Ok(Answer::json(200, &json!({})))
}
