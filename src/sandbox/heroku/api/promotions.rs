//! Promotions: the code of one app's release becomes a release of others, each with an end of its own.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Handled};
use crate::sandbox::heroku::AppRight;
use crate::sandbox::heroku::http::{Answer, Refusal};
use crate::sandbox::heroku::json::time_with_offset;
use crate::sandbox::heroku::life::NewRelease;
use crate::sandbox::heroku::ranges::page;
use crate::sandbox::heroku::records::{App, Promotion, PromotionTarget, Release, ReleaseStatus};
use crate::sandbox::heroku::state::{World, later};

/// The id that stands at a place of a body.
fn id_at(body: &Value, place: &str) -> Option<Uuid> {
    body.pointer(place).and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok())
}

pub(super) fn create(world: &mut World, call: &Call<'_>) -> Handled {
    let body = call.body()?;
    let pipeline = id_at(&body, "/pipeline/id").and_then(|id| world.pipeline(id)).filter(|pipeline| world.sees(&call.who.email, pipeline));
    let pipeline = pipeline.ok_or_else(Refusal::not_found)?.id;
    // Ids, not names.
    let source = id_at(&body, "/source/app/id").ok_or_else(|| Refusal::invalid("source.app.id is required"))?;
    let source = world.app_for(call, &source.to_string(), AppRight::View)?;
    if source.pipeline != Some(pipeline) {
        return Err(Refusal::invalid("The source app is not in this pipeline."));
    }
    let release = source_release(world, &source, body.pointer("/source/release/id"))?;
    let targets = targets_of(world, &body, pipeline, &source)?;
    wanted_factor(world, call, &targets)?;
    let id = world.fresh();
    let mut records = Vec::new();
    for app in targets {
        let allowed = world.user(&call.who.email).ok().and_then(|user| user.right(app.id)) == Some(AppRight::Deploy);
        let error = (!allowed).then(|| "User does not have access to that app".to_owned());
        // It shows no release at first.
        records.push(PromotionTarget { id: world.fresh(), app: app.id, due: later(call.now, 1), release: None, error });
    }
    let promotion = Promotion { id, pipeline, source: (source.id, release), who: call.who.clone(), created_at: call.now, targets: records };
    let answer = Answer::json(201, &promotion_json(world, &promotion));
    world.promotions.push(promotion);
    Ok(answer)
}

/// The release that is promoted: the one that was named, or the one that runs.
fn source_release(world: &World, source: &App, named: Option<&Value>) -> Result<Uuid, Refusal> {
    let named = named.and_then(Value::as_str).map(|id| Uuid::parse_str(id).map_err(|_| Refusal::invalid("source.release.id is no id")));
    let id = named.transpose()?.or(source.current);
    let release = id.and_then(|id| world.release(id)).filter(|release| release.app == source.id);
    let release = release.ok_or_else(|| Refusal::new(404, "not_found", "Couldn't find that release."))?;
    match (release.status, release.slug) {
        (ReleaseStatus::Expired, _) => Err(Refusal::invalid("The source release has expired and cannot be promoted.")),
        (ReleaseStatus::Pending | ReleaseStatus::Failed, _) => Err(Refusal::invalid("The source release has not succeeded.")),
        (ReleaseStatus::Succeeded, None) => Err(Refusal::invalid("The source release has no code to promote.")),
        (ReleaseStatus::Succeeded, Some(_)) => Ok(release.id),
    }
}

fn targets_of(world: &World, body: &Value, pipeline: Uuid, source: &App) -> Result<Vec<App>, Refusal> {
    let targets = body.get("targets").and_then(Value::as_array).filter(|targets| !targets.is_empty());
    let targets = targets.ok_or_else(|| Refusal::invalid("targets is required"))?;
    let app = |target: &Value| {
        let app = id_at(target, "/app/id").and_then(|id| world.app_of(id));
        let app = app.ok_or_else(|| Refusal::new(404, "not_found", "Couldn't find that app.").with("resource", json!("app")))?;
        if app.pipeline != Some(pipeline) || app.id == source.id {
            return Err(Refusal::invalid("A target has to be another app of the same pipeline."));
        }
        if app.generation != source.generation {
            return Err(Refusal::invalid("The source app and its targets have to be of the same generation."));
        }
        Ok(app.clone())
    };
    targets.iter().map(app).collect()
}

/// One code is given for all targets that want one; which of them it opens beyond this request is not known, so none.
fn wanted_factor(world: &mut World, call: &Call<'_>, targets: &[App]) -> Result<(), Refusal> {
    let user = world.user(&call.who.email).map_err(|_| Refusal::not_found())?;
    let open = |app: &App| user.authorized.iter().any(|(id, until)| *id == app.id && call.now < *until);
    match targets.iter().find(|app| app.second_factor && !open(app)).cloned() {
        Some(app) => world.spend_code(call, &app),
        None => Ok(()),
    }
}

fn find<'a>(world: &'a World, call: &Call<'_>, id: &str) -> Result<&'a Promotion, Refusal> {
    let id = Uuid::parse_str(id).map_err(|_| Refusal::not_found())?;
    let promotion = world.promotions.iter().find(|promotion| promotion.id == id).ok_or_else(Refusal::not_found)?;
    let seen = world.pipeline(promotion.pipeline).is_some_and(|pipeline| world.sees(&call.who.email, pipeline));
    if seen { Ok(promotion) } else { Err(Refusal::not_found()) }
}

pub(super) fn info(world: &mut World, call: &Call<'_>, id: &str) -> Handled {
    Ok(Answer::json(200, &promotion_json(world, find(world, call, id)?)))
}

pub(super) fn targets(world: &mut World, call: &Call<'_>, id: &str) -> Handled {
    let promotion = find(world, call, id)?;
    let members = promotion.targets.iter().map(|target| target_json(world, promotion.id, target)).collect();
    page(members, call.asked.header("range"), &["id"], world.page_size)
}

/// How a target stands, and why it failed.
fn standing<'a>(world: &World, target: &'a PromotionTarget) -> (&'static str, Option<&'a str>) {
    match (&target.error, target.release.and_then(|id| world.release(id)).map(|release| release.status)) {
        (Some(error), _) => ("failed", Some(error)),
        (None, None | Some(ReleaseStatus::Pending)) => ("pending", None),
        (None, Some(ReleaseStatus::Failed)) => ("failed", Some("release command failed")),
        (None, Some(ReleaseStatus::Succeeded | ReleaseStatus::Expired)) => ("succeeded", None),
    }
}

/// It is completed when no target is pending, which says nothing of how they ended.
fn promotion_json(world: &World, promotion: &Promotion) -> Value {
    let pending = promotion.targets.iter().any(|target| standing(world, target).0 == "pending");
    let (app, release) = promotion.source;
    let at = time_with_offset(promotion.created_at);
    json!({
        "created_at": at, "id": promotion.id, "pipeline": {"id": promotion.pipeline},
        "source": {"app": {"id": app}, "release": {"id": release}}, "status": if pending { "pending" } else { "completed" },
        "updated_at": at,
    })
}

fn target_json(world: &World, promotion: Uuid, target: &PromotionTarget) -> Value {
    let (status, error) = standing(world, target);
    json!({
        "app": {"id": target.app}, "error_message": error, "id": target.id, "pipeline_promotion": {"id": promotion},
        "release": target.release.map(|id| json!({"id": id})), "status": status,
    })
}

impl World {
    /// The targets of promotions that still have no release, with when they get one.
    pub(in crate::sandbox::heroku) fn due_promotions(&self) -> impl Iterator<Item = (Timestamp, Uuid)> {
        let targets = self.promotions.iter().flat_map(|promotion| &promotion.targets);
        targets.filter(|target| target.release.is_none() && target.error.is_none()).map(|target| (target.due, target.id))
    }

    /// Makes the release of a target.
    pub(in crate::sandbox::heroku) fn promote(&mut self, id: Uuid, at: Timestamp) {
        let found = self.promotions.iter().find_map(|promotion| {
            let target = promotion.targets.iter().find(|target| target.id == id)?;
            Some((promotion.source, promotion.who.clone(), target.app))
        });
        let Some(((source, release), who, app)) = found else { return };
        let source = self.app_of(source).map(|app| app.name.clone()).unwrap_or_default();
        let Some(Release { version, slug: Some(slug), .. }) = self.release(release).cloned() else { return };
        let Some(slug) = self.slug(slug).cloned() else { return };
        let commit: String = slug.commit.clone().unwrap_or_default().chars().take(8).collect();
        let description = format!("Promote {source} v{version} {commit}").trim_end().to_owned();
        let slug = self.add_slug(app, slug.commit, slug.commit_description, at);
        let made = self.make_release(NewRelease { app, description, slug: Some(slug), who, changed_code: true }, at);
        let targets = self.promotions.iter_mut().flat_map(|promotion| &mut promotion.targets);
        targets.filter(|target| target.id == id).for_each(|target| target.release = Some(made));
    }
}
