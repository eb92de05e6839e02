//! Releases, what runs now, and dynos.

use secrecy::SecretString;

use crate::domain::names::{AppId, ReleaseId};
use crate::domain::release::{Dyno, Release, ReleaseState, Running};
use crate::ports::{Fault, PortError};

use super::known::Known;
use super::shapes::{DynoShape, ReleaseShape, SlugShape};
use super::wire::{Ask, Wire};

/// The path of an app's releases.
const RELEASES: &str = "/apps/{app}/releases";

/// The largest page that is asked for.
const PAGE: usize = 200;

/// How many of the newest releases are looked at first for the one that serves. Mostly it is the very first.
const NEWEST: usize = 20;

/// Reads a release as it was answered.
pub(super) async fn shape(wire: &Wire, token: &SecretString, app: &AppId, release: &ReleaseId) -> Result<ReleaseShape, PortError> {
    let ask = Ask::get(["apps", app.as_str(), "releases", release.as_str()], "/apps/{app}/releases/{release}");
    Ok(wire.read(token, &ask).await?)
}

pub(super) async fn info(wire: &Wire, token: &SecretString, app: &AppId, release: &ReleaseId) -> Result<Release, PortError> {
    let shape = shape(wire, token, app, release).await?;
    let address = shape.output_stream_url.clone();
    let release = shape.meaning();
    wire.followed().learn(release.id.as_str(), address.as_deref(), release.state == ReleaseState::Pending);
    Ok(release)
}

/// Asks for releases from the newest on. Without an order they would come as their random ids lie.
fn newest_first(app: &AppId, page: usize) -> Ask<'_> {
    Ask::get(["apps", app.as_str(), "releases"], RELEASES).range(&format!("version ..; order=desc, max={page}"))
}

pub(super) async fn newest(wire: &Wire, token: &SecretString, app: &AppId, limit: usize) -> Result<Vec<Release>, PortError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let enough = |releases: &[ReleaseShape], sorted: bool| sorted && releases.len() >= limit;
    let shapes = wire.list_until(token, newest_first(app, limit.min(PAGE)), enough).await?;
    let mut releases: Vec<Release> = shapes.into_iter().map(ReleaseShape::meaning).collect();
    releases.sort_by_key(|release| std::cmp::Reverse(release.version));
    releases.dedup_by_key(|release| release.version);
    releases.truncate(limit);
    Ok(releases)
}

pub(super) async fn running(wire: &Wire, known: &Known, token: &SecretString, app: &AppId) -> Result<Option<Running>, PortError> {
    let enough = |releases: &[ReleaseShape], _| releases.iter().any(|release| release.current);
    let releases = wire.list_until(token, newest_first(app, NEWEST), enough).await?;
    let Some(current) = releases.into_iter().filter(|release| release.current).max_by_key(|release| release.version) else {
        return Ok(None);
    };
    let Some(slug) = current.slug else { return Ok(Some(Running { version: current.version, commit: None })) };
    if let Some(commit) = known.commit_of(token, &slug.id) {
        return Ok(Some(Running { version: current.version, commit }));
    }
    let ask = Ask::get(["apps", app.as_str(), "slugs", slug.id.as_str()], "/apps/{app}/slugs/{slug}");
    let commit = match wire.read::<SlugShape>(token, &ask).await {
        Ok(found) => {
            let commit = found.commit();
            known.slug_is_of(token, &slug.id, commit.clone());
            commit
        }
        Err(refused) => match refused.error.fault {
            // The slug may be destroyed although its release serves.
            Fault::NotFound | Fault::Forbidden | Fault::Refused => None,
            Fault::SignInLost | Fault::RateLimited { .. } | Fault::Unreachable | Fault::Unclear | Fault::Nonsense => {
                return Err(refused.into());
            }
        },
    };
    Ok(Some(Running { version: current.version, commit }))
}

pub(super) async fn dynos(wire: &Wire, token: &SecretString, app: &AppId) -> Result<Vec<Dyno>, PortError> {
    let shapes: Vec<DynoShape> = wire.list(token, Ask::get(["apps", app.as_str(), "dynos"], "/apps/{app}/dynos")).await?;
    Ok(shapes.into_iter().map(DynoShape::meaning).collect())
}
