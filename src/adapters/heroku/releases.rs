//! Releases, what runs, and the dynos that run it.

use http::StatusCode;
use secrecy::SecretString;

use crate::adapters::http::scrub;
use crate::domain::names::{AppId, CommitSha, ReleaseId};
use crate::domain::release::{Dyno, DynoKind, DynoState, Release, ReleaseState, Running};

use super::Heroku;
use super::builds::time;
use super::refusal::Refusal;
use super::shapes::{DynoShape, ReleaseShape, Slug};
use super::wire::Ask;

const RELEASES: &str = "/apps/{app}/releases";
const RELEASE: &str = "/apps/{app}/releases/{id}";

/// The most releases asked for at once.
const MOST: usize = 200;

impl Heroku {
    pub(super) async fn one_release(&self, token: &SecretString, app: &AppId, id: &ReleaseId) -> Result<Release, Refusal> {
        release(self.release_shape(token, app, id).await?).ok_or_else(|| Refusal::nonsense(RELEASE, "its id is none"))
    }

    pub(super) async fn release_shape(&self, token: &SecretString, app: &AppId, id: &ReleaseId) -> Result<ReleaseShape, Refusal> {
        self.get(token, Ask::get(self.at(["apps", app.as_str(), "releases", id.as_str()]), RELEASE)).await
    }

    pub(super) async fn newest_releases(&self, token: &SecretString, app: &AppId, limit: usize) -> Result<Vec<Release>, Refusal> {
        let shapes = self.releases_until(token, app, limit.clamp(1, MOST), |shapes| shapes.len() >= limit).await?;
        Ok(shapes.into_iter().take(limit).filter_map(release).collect())
    }

    /// The release that serves is not always the newest: a later one may be on its way, or have failed.
    pub(super) async fn current(&self, token: &SecretString, app: &AppId) -> Result<Option<Running>, Refusal> {
        let shapes = self.releases_until(token, app, 20, |shapes| shapes.iter().any(|shape| shape.current)).await?;
        let Some(current) = shapes.into_iter().find(|shape| shape.current) else { return Ok(None) };
        let commit = match current.slug {
            Some(slug) => self.commit_of(token, app, &slug.id).await?,
            None => None,
        };
        Ok(Some(Running { version: current.version, commit }))
    }

    pub(super) async fn all_dynos(&self, token: &SecretString, app: &AppId) -> Result<Vec<Dyno>, Refusal> {
        let shapes: Vec<DynoShape> = self.list(token, Ask::get(self.at(["apps", app.as_str(), "dynos"]), "/apps/{app}/dynos")).await?;
        Ok(shapes.into_iter().map(dyno).collect())
    }

    /// Releases from the newest back, `at_once` in a page. The order that is not asked for is by random ids.
    async fn releases_until(
        &self,
        token: &SecretString,
        app: &AppId,
        at_once: usize,
        enough: impl Fn(&[ReleaseShape]) -> bool + Send,
    ) -> Result<Vec<ReleaseShape>, Refusal> {
        let ask = Ask::get(self.at(["apps", app.as_str(), "releases"]), RELEASES).range(&format!("version ..; order=desc, max={at_once}"));
        let mut shapes = self.list_until(token, ask, enough).await?;
        shapes.sort_by_key(|shape: &ReleaseShape| std::cmp::Reverse(shape.version));
        Ok(shapes)
    }

    /// The commit of a slug: none for a slug that is gone, or was not built from one.
    async fn commit_of(&self, token: &SecretString, app: &AppId, slug: &str) -> Result<Option<CommitSha>, Refusal> {
        let ask = Ask::get(self.at(["apps", app.as_str(), "slugs", slug]), "/apps/{app}/slugs/{id}");
        match self.get::<Slug>(token, ask).await {
            Ok(slug) => Ok(slug.commit.and_then(|commit| CommitSha::parse(&commit).ok())),
            Err(refusal) if refusal.is(StatusCode::NOT_FOUND) || refusal.is(StatusCode::GONE) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

/// A status that this version does not know is not an end.
fn release(shape: ReleaseShape) -> Option<Release> {
    let state = match shape.status.as_deref() {
        Some("succeeded") => ReleaseState::Succeeded,
        Some("failed") => ReleaseState::Failed,
        Some("expired") => ReleaseState::Expired,
        Some(_) | None => ReleaseState::Pending,
    };
    Some(Release {
        id: ReleaseId::parse(&shape.id).ok()?,
        version: shape.version,
        state,
        current: shape.current,
        description: scrub::clean(shape.description.as_deref().unwrap_or_default(), 200),
        by: shape.user.and_then(|user| user.email).map(|email| scrub::clean(&email, 100)),
        created_at: time(shape.created_at.as_deref()),
        can_return: shape.eligible_for_rollback,
    })
}

fn dyno(shape: DynoShape) -> Dyno {
    // Older names are `web.1`, newer ones `web-1234abcde-123ab`: only the part before is the type.
    let kind = shape.kind.as_deref().unwrap_or_else(|| shape.name.split(['.', '-']).next().unwrap_or_default());
    let kind = if matches!(kind, "run" | "release" | "scheduler") { DynoKind::OneOff } else { DynoKind::Lasting };
    let state = match shape.state.as_str() {
        "up" | "idle" => DynoState::Up,
        "starting" => DynoState::Starting,
        "crashed" => DynoState::Crashed,
        "down" => DynoState::Down,
        _ => DynoState::Unknown,
    };
    Dyno { name: scrub::clean(&shape.name, 100), kind, state, release: shape.release.map_or(0, |release| release.version) }
}
