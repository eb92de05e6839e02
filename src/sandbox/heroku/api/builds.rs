//! Sources, builds and slugs.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Handled};
use crate::sandbox::heroku::AppRight;
use crate::sandbox::heroku::Held;
use crate::sandbox::heroku::http::{Answer, Refusal};
use crate::sandbox::heroku::json::upload_urls;
use crate::sandbox::heroku::outputs::failure_lines;
use crate::sandbox::heroku::ranges::page;
use crate::sandbox::heroku::records::{App, Build, BuildFate, BuildStatus, Generation, Slug, Upload};
use crate::sandbox::heroku::state::{World, later};

/// How long a build may take.
const BUILD_LIMIT: u32 = 25 * 60;

pub(super) fn source(world: &mut World, call: &Call<'_>) -> Handled {
    let key = world.fresh();
    let until = later(call.now, world.upload_seconds);
    world.uploads.push(Upload { key, email: call.who.email.clone(), until, received: None });
    let (put_url, get_url) = upload_urls(&world.urls.storage, key);
    Ok(Answer::json(201, &json!({"source_blob": {"get_url": get_url, "put_url": put_url}})))
}

pub(super) fn create(world: &mut World, call: &Call<'_>, app: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::Deploy)?;
    let body = call.body()?;
    let text = |name: &str| body.pointer(&format!("/source_blob/{name}")).and_then(Value::as_str).map(str::to_owned);
    let url = text("url").filter(|url| url.starts_with("http")).ok_or_else(|| Refusal::invalid("source_blob.url is not a valid URL"))?;
    let checksum = text("checksum");
    if checksum.as_deref().is_some_and(|checksum| !is_checksum(checksum)) {
        return Err(Refusal::invalid("source_blob.checksum must be SHA256: and 64 hexadecimal digits"));
    }
    let running = world.builds.iter().filter(|build| build.status == BuildStatus::Pending).count();
    let taken = u32::try_from(running).unwrap_or(u32::MAX).saturating_add(world.slots_of_others);
    // The slots are looked at before the code: a code is not lost on a build that cannot start.
    if taken >= world.build_slots {
        return Err(Refusal::new(422, "unprocessable_entity", "Your account has reached its concurrent builds limit"));
    }
    world.second_factor(call, &app)?;
    let received = fetch(world, &url, checksum.as_deref(), call);
    let fails = world.app_mut(&app.name).is_ok_and(|app| std::mem::take(app.next_fails.of_mut(Held::Build)));
    let (fate, seconds) = match &received {
        Err(reason) => (BuildFate::Fails(vec![format!(" !     {reason}")]), app.build_seconds.min(1)),
        Ok(()) if fails => (BuildFate::Fails(failure_lines()), app.build_seconds.min(BUILD_LIMIT)),
        Ok(()) if app.build_seconds > BUILD_LIMIT => {
            (BuildFate::Fails(vec![" !     The build timed out after 25 minutes.".to_owned()]), BUILD_LIMIT)
        }
        Ok(()) => (BuildFate::Succeeds, app.build_seconds),
    };
    let build = Build {
        id: world.fresh(),
        app: app.id,
        who: call.who.clone(),
        created_at: call.now,
        updated_at: call.now,
        due: later(call.now, seconds),
        status: BuildStatus::Pending,
        fate,
        url,
        checksum,
        version: text("version"),
        version_description: text("version_description"),
        source_received: received.is_ok(),
        release: None,
        slug: None,
    };
    let answer = Answer::json(201, &world.build_json(&build, call.sdk()));
    world.builds.push(build);
    Ok(answer)
}

fn is_checksum(text: &str) -> bool {
    text.strip_prefix("SHA256:").is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Fetches a source as the build would, without any token. The error is what the build prints.
fn fetch(world: &mut World, url: &str, checksum: Option<&str>, call: &Call<'_>) -> Result<(), &'static str> {
    let upload = world.uploads.iter().find(|upload| upload_urls(&world.urls.storage, upload.key).1 == url);
    let Some(upload) = upload else {
        world.violations.push("a build was given a source that is not in storage".to_owned());
        return Err("Could not fetch the source: 403 Forbidden.");
    };
    if call.now >= upload.until {
        return Err("Could not fetch the source: the address has expired.");
    }
    let received = upload.received.as_ref().ok_or("Could not fetch the source: 404 Not Found.")?;
    let wanted = checksum.and_then(|checksum| checksum.strip_prefix("SHA256:"));
    if wanted.is_some_and(|wanted| !wanted.eq_ignore_ascii_case(&received.sha256)) {
        return Err("Could not verify source checksum.");
    }
    Ok(())
}

pub(super) fn list(world: &mut World, call: &Call<'_>, app: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::View)?.id;
    let members = world.builds.iter().filter(|build| build.app == app).map(|build| world.build_json(build, call.sdk())).collect();
    let fields: &[&str] = if world.builds_by_time { &["id", "started_at", "created_at"] } else { &["id", "started_at"] };
    page(members, call.asked.header("range"), fields, world.page_size)
}

fn find<'a>(world: &'a World, app: Uuid, id: &str) -> Result<&'a Build, Refusal> {
    let id = Uuid::parse_str(id).map_err(|_| Refusal::not_found())?;
    let found = world.builds.iter().find(|build| build.app == app && build.id == id);
    found.ok_or_else(|| Refusal::new(404, "not_found", "Couldn't find that build."))
}

pub(super) fn info(world: &mut World, call: &Call<'_>, app: &str, build: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::View)?.id;
    let build = find(world, app, build)?;
    Ok(Answer::json(200, &world.build_json(build, call.sdk())))
}

/// Stops a build, which then counts as failed. One that is over cannot be stopped.
pub(super) fn cancel(world: &mut World, call: &Call<'_>, app: &str, build: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::Deploy)?.id;
    let (id, status) = find(world, app, build).map(|build| (build.id, build.status))?;
    if status != BuildStatus::Pending {
        return Err(Refusal::new(422, "unprocessable_entity", "This build is not running and cannot be cancelled."));
    }
    if let Some(build) = world.builds.iter_mut().find(|build| build.id == id) {
        build.status = BuildStatus::Failed;
        build.updated_at = call.now;
        build.fate = BuildFate::Fails(vec![" !     Build canceled.".to_owned()]);
    }
    let build = find(world, app, build)?;
    Ok(Answer::json(200, &world.build_json(build, call.sdk())))
}

pub(super) fn slug(world: &mut World, call: &Call<'_>, app: &str, slug: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::View)?;
    let slug = built(world, &app, Generation::Cedar, slug).ok_or_else(|| Refusal::new(404, "not_found", "Couldn't find that slug."))?;
    Ok(Answer::json(200, &world.slug_json(slug)))
}

/// Answers a list.
pub(super) fn image(world: &mut World, call: &Call<'_>, app: &str, image: &str) -> Handled {
    let app = world.app_for(call, app, AppRight::View)?;
    let image =
        built(world, &app, Generation::Fir, image).ok_or_else(|| Refusal::new(404, "not_found", "Couldn't find that OCI image."))?;
    Ok(Answer::json(200, &json!([world.image_json(image)])))
}

/// What was built for an app of a generation.
fn built<'a>(world: &'a World, app: &App, generation: Generation, id: &str) -> Option<&'a Slug> {
    let found = Uuid::parse_str(id).ok().and_then(|id| world.slug(id));
    found.filter(|found| found.app == app.id && app.generation == generation)
}
