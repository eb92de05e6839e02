//! Pipelines: which there are, what is in them, the newest of each app, the newer link service.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Handled};
use crate::sandbox::heroku::AppRight;
use crate::sandbox::heroku::http::{Answer, Refusal};
use crate::sandbox::heroku::json::repository_number;
use crate::sandbox::heroku::ranges::page;
use crate::sandbox::heroku::records::{App, Pipeline};
use crate::sandbox::heroku::state::World;

pub(super) fn list(world: &mut World, call: &Call<'_>) -> Handled {
    let name = call.asked.query("eq[name]");
    let seen = world.pipelines.iter().filter(|pipeline| world.sees(&call.who.email, pipeline));
    let named = seen.filter(|pipeline| name.is_none_or(|name| pipeline.name == name));
    let members = named.map(|pipeline| world.pipeline_json(pipeline)).collect();
    page(members, call.asked.header("range"), &["id", "name", "updated_at"], world.page_size)
}

pub(super) fn info(world: &mut World, call: &Call<'_>, id: &str) -> Handled {
    // Of several with one name, the oldest answers; which one the real one takes is unknown.
    let seen = |pipeline: &&Pipeline| world.sees(&call.who.email, pipeline);
    let named = |pipeline: &&Pipeline| pipeline.name == id || Uuid::parse_str(id).is_ok_and(|id| id == pipeline.id);
    let pipeline = world.pipelines.iter().filter(seen).find(named).ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(200, &world.pipeline_json(pipeline)))
}

/// The pipeline of an id, if the caller sees it.
fn pipeline<'a>(world: &'a World, call: &Call<'_>, id: &str) -> Result<&'a Pipeline, Refusal> {
    let pipeline = Uuid::parse_str(id).ok().and_then(|id| world.pipeline(id));
    pipeline.filter(|pipeline| world.sees(&call.who.email, pipeline)).ok_or_else(Refusal::not_found)
}

fn apps_of(world: &World, pipeline: Uuid) -> impl Iterator<Item = &App> {
    world.apps.iter().filter(move |app| app.pipeline == Some(pipeline))
}

/// All couplings, those of apps that the caller does not see as well.
pub(super) fn couplings(world: &mut World, call: &Call<'_>, id: &str) -> Handled {
    let pipeline = pipeline(world, call, id)?.id;
    let members = apps_of(world, pipeline).filter_map(|app| world.coupling_json(app)).collect();
    page(members, call.asked.header("range"), &["id"], world.page_size)
}

/// One object, in spite of the plural.
pub(super) fn coupling(world: &mut World, call: &Call<'_>, app: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::View)?;
    world.coupling_json(&app).map(|coupling| Answer::json(200, &coupling)).ok_or_else(Refusal::not_found)
}

/// The apps of a pipeline that the caller sees.
fn seen_apps(world: &World, call: &Call<'_>, id: &str) -> Result<Vec<Uuid>, Refusal> {
    let pipeline = pipeline(world, call, id)?.id;
    let user = world.user(&call.who.email).map_err(|_| Refusal::not_found())?;
    Ok(apps_of(world, pipeline).filter(|app| user.right(app.id).is_some()).map(|app| app.id).collect())
}

/// The newest release of each app; with `changed_code`, the newest that changed its code, whatever came of it.
pub(super) fn latest_releases(world: &mut World, call: &Call<'_>, id: &str, changed_code: bool) -> Handled {
    let apps = seen_apps(world, call, id)?;
    let newest = |app: &Uuid| {
        let of_app = world.releases.iter().rev().filter(|release| release.app == *app);
        of_app.clone().find(|release| release.changed_code || !changed_code).map(|release| world.release_json(release, call.sdk()))
    };
    let members = apps.iter().filter_map(newest).collect();
    page(members, call.asked.header("range"), &["id"], world.page_size)
}

pub(super) fn latest_builds(world: &mut World, call: &Call<'_>, id: &str) -> Handled {
    let apps = seen_apps(world, call, id)?;
    let newest = |app: &Uuid| world.builds.iter().rev().find(|build| build.app == *app).map(|build| world.build_json(build, call.sdk()));
    let members: Vec<Value> = apps.iter().filter_map(newest).collect();
    page(members, call.asked.header("range"), &["id"], world.page_size)
}

/// The linked repository, of the newer service: closed to accounts without its feature.
pub(super) fn repository(world: &mut World, call: &Call<'_>, id: &str) -> Handled {
    let user = world.user(&call.who.email).map_err(|_| Refusal::not_found())?;
    if call.variant != "repositories-api" || !user.repositories_api {
        return Err(Refusal::not_found());
    }
    let full_name = pipeline(world, call, id)?.newer_link.as_ref().ok_or_else(Refusal::not_found)?;
    let name = full_name.rsplit('/').next().unwrap_or(full_name);
    Ok(Answer::json(200, &json!({"id": repository_number(full_name), "name": name, "full_name": full_name})))
}
