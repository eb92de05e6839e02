//! Releases, and going back to one.

use serde_json::Value;
use uuid::Uuid;

use super::{Call, Handled};
use crate::sandbox::heroku::AppRight;
use crate::sandbox::heroku::http::{Answer, Refusal};
use crate::sandbox::heroku::life::NewRelease;
use crate::sandbox::heroku::ranges::page;
use crate::sandbox::heroku::records::{App, Release, ReleaseStatus};
use crate::sandbox::heroku::state::World;

pub(super) fn list(world: &mut World, call: &Call<'_>, app: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::View)?.id;
    let of_app = world.releases.iter().filter(|release| release.app == app);
    let members = of_app.map(|release| world.release_json(release, call.sdk())).collect();
    page(members, call.asked.header("range"), &["id", "version"], world.page_size)
}

/// A release by its id, or by its version as a bare number.
fn find<'a>(world: &'a World, app: &App, id_or_version: &str) -> Result<&'a Release, Refusal> {
    let id = Uuid::parse_str(id_or_version).ok();
    let version = id_or_version.parse::<u64>().ok();
    let mut of_app = world.releases.iter().filter(|release| release.app == app.id);
    let found = of_app.find(|release| Some(release.id) == id || Some(release.version) == version);
    found.ok_or_else(|| Refusal::new(404, "not_found", "Couldn't find that release."))
}

pub(super) fn info(world: &mut World, call: &Call<'_>, app: &str, release: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::View)?;
    let release = find(world, &app, release)?;
    Ok(Answer::json(200, &world.release_json(release, call.sdk())))
}

/// Releases a slug, or goes back to an earlier release: one path, told apart by the body.
pub(super) fn create(world: &mut World, call: &Call<'_>, app: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::Deploy)?;
    let body = call.body()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let (slug, description) = match (text("release"), text("slug")) {
        (Some(release), _) => {
            let release = find(world, &app, release)?;
            let slug = match (release.status, release.slug) {
                (ReleaseStatus::Expired, _) => return Err(Refusal::invalid("Cannot roll back to an expired release.")),
                (ReleaseStatus::Failed | ReleaseStatus::Pending, _) => {
                    return Err(Refusal::invalid("Cannot roll back to a release that has not succeeded."));
                }
                (ReleaseStatus::Succeeded, None) => return Err(Refusal::invalid("Cannot roll back to a release without code.")),
                (ReleaseStatus::Succeeded, Some(slug)) => slug,
            };
            (slug, format!("Rollback to v{}", release.version))
        }
        (None, Some(slug)) => {
            let known = Uuid::parse_str(slug).ok().and_then(|id| world.slug(id));
            let slug = known.ok_or_else(|| Refusal::invalid("slug is unknown"))?;
            (slug.id, text("description").unwrap_or("Deploy").to_owned())
        }
        (None, None) => return Err(Refusal::invalid("slug or release is required")),
    };
    world.second_factor(call, &app)?;
    let new = NewRelease { app: app.id, description, slug: Some(slug), who: call.who.clone(), changed_code: true };
    let id = world.make_release(new, call.now);
    let release = world.release(id).ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(201, &world.release_json(release, call.sdk())))
}
