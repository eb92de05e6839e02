//! Apps, their dynos and their formation.

use serde_json::Value;
use uuid::Uuid;

use super::{Call, Handled};
use crate::sandbox::heroku::AppRight;
use crate::sandbox::heroku::http::{Answer, Refusal};
use crate::sandbox::heroku::ranges::page;
use crate::sandbox::heroku::state::World;

const SORTED_BY: [&str; 3] = ["id", "name", "updated_at"];

pub(super) fn list(world: &mut World, call: &Call<'_>) -> Handled {
    let user = world.user(&call.who.email).map_err(|_| Refusal::not_found())?;
    let seen = world.apps.iter().filter(|app| user.right(app.id).is_some());
    let members = seen.map(|app| world.app_json(app, call.sdk())).collect();
    page(members, call.asked.header("range"), &SORTED_BY, world.page_size)
}

pub(super) fn info(world: &mut World, call: &Call<'_>, app: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::View)?;
    Ok(Answer::json(200, &world.app_json(&app, call.sdk())))
}

/// Apps by ids, in pages although it is a POST. Those that the caller does not see are left out.
pub(super) fn filter(world: &mut World, call: &Call<'_>) -> Handled {
    if call.variant != "filters" {
        return Err(Refusal::not_found());
    }
    let body = call.body()?;
    let ids = body.pointer("/in/id").and_then(Value::as_array).ok_or_else(|| Refusal::invalid("in is required"))?;
    let ids: Vec<Uuid> = ids.iter().filter_map(Value::as_str).filter_map(|id| Uuid::parse_str(id).ok()).collect();
    let user = world.user(&call.who.email).map_err(|_| Refusal::not_found())?;
    let seen = world.apps.iter().filter(|app| ids.contains(&app.id) && user.right(app.id).is_some());
    let members = seen.map(|app| world.filtered_app_json(app)).collect();
    page(members, call.asked.header("range"), &SORTED_BY, world.page_size)
}

pub(super) fn dynos(world: &mut World, call: &Call<'_>, app: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::View)?.id;
    let members = world.dynos.iter().filter(|dyno| dyno.app == app).map(|dyno| world.dyno_json(dyno)).collect();
    page(members, call.asked.header("range"), &["id", "name"], world.page_size)
}

pub(super) fn dyno(world: &mut World, call: &Call<'_>, app: &str, dyno: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::View)?.id;
    let named = |id: Uuid, name: &str| name == dyno || Uuid::parse_str(dyno).is_ok_and(|wanted| wanted == id);
    let found = world.dynos.iter().find(|known| known.app == app && named(known.id, &known.name));
    let found = found.ok_or_else(|| Refusal::new(404, "not_found", "Couldn't find that dyno."))?;
    Ok(Answer::json(200, &world.dyno_json(found)))
}

pub(super) fn formation(world: &mut World, call: &Call<'_>, app: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::View)?;
    page(world.formation_json(&app), call.asked.header("range"), &["id"], world.page_size)
}
