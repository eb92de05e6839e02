//! Releases, what runs now, and dynos.

use http::Method;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;

use crate::domain::names::{AppId, CodeId, CommitSha, ReleaseId};
use crate::domain::release::{Dyno, Release, ReleaseState, Running};
use crate::ports::{Fault, PortError, ReturnOrder, ReturnStart, Service};

use super::known::Known;
use super::shapes::{AccountShape, Code, CodeShape, DynoShape, ReleaseShape};
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
    Ok(known_release(wire, shape))
}

/// What a release means, and where its release phase can be followed from now on.
fn known_release(wire: &Wire, shape: ReleaseShape) -> Release {
    let address = shape.output_stream_url.clone();
    let release = shape.meaning();
    wire.followed().learn(release.id.as_str(), address.as_deref(), release.state == ReleaseState::Pending);
    release
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
    let code = current.code();
    let commit = match &code {
        Some(code) => commit_of_code(wire, known, token, app, code).await?,
        None => None,
    };
    Ok(Some(Running { version: current.version, commit, code: code.is_some() }))
}

pub(super) async fn commit_of(
    wire: &Wire,
    known: &Known,
    token: &SecretString,
    app: &AppId,
    code: &CodeId,
) -> Result<Option<CommitSha>, PortError> {
    commit_of_code(wire, known, token, app, &Code::of(code)).await
}

async fn commit_of_code(
    wire: &Wire,
    known: &Known,
    token: &SecretString,
    app: &AppId,
    code: &Code,
) -> Result<Option<CommitSha>, PortError> {
    let (Code::Slug(id) | Code::Image(id)) = code;
    if let Some(commit) = known.commit_of(token, id) {
        return Ok(commit);
    }
    let before = known.before();
    let found = match code {
        Code::Slug(slug) => {
            let ask = Ask::get(["apps", app.as_str(), "slugs", slug], "/apps/{app}/slugs/{slug}");
            wire.read::<CodeShape>(token, &ask).await
        }
        Code::Image(image) => {
            let ask = Ask::get(["apps", app.as_str(), "oci-images", image], "/apps/{app}/oci-images/{image}");
            // It answers a list, for an id as well as for a digest.
            wire.read::<Vec<CodeShape>>(token, &ask).await.map(|images| images.into_iter().next().unwrap_or_default())
        }
    };
    match found {
        Ok(found) => {
            let commit = found.commit();
            known.code_is_of(token, id, commit.clone(), before);
            Ok(commit)
        }
        Err(refused) => match refused.error.fault {
            // What was built may be destroyed although its release serves.
            Fault::NotFound | Fault::Forbidden | Fault::Refused => Ok(None),
            Fault::SignInLost | Fault::RateLimited { .. } | Fault::Unreachable | Fault::Unclear | Fault::Nonsense => Err(refused.into()),
        },
    }
}

pub(super) async fn roll_back(wire: &Wire, token: &SecretString, app: &AppId, order: &ReturnOrder) -> Result<ReturnStart, PortError> {
    let ask = Ask::new(Method::POST, ["apps", app.as_str(), "releases"], RELEASES).body(json!({ "release": order.to.as_str() }));
    match wire.write(token, &ask).await {
        Ok(answer) => match serde_json::from_slice::<ReleaseShape>(&answer.body) {
            Ok(shape) => Ok(ReturnStart::Started(known_release(wire, shape))),
            Err(_) => {
                // It said yes: there is a release, and only a look can tell which.
                let detail = format!("POST {RELEASES}: {} without a release, request {}", answer.status.as_u16(), answer.request_id());
                Err(PortError::new(Service::Platform, Fault::Unclear, detail))
            }
        },
        Err(refused) if refused.wants_code() => Ok(ReturnStart::NeedsCode),
        Err(refused) => Err(refused.into()),
    }
}

/// The releases after one that this person has made since.
pub(super) async fn own_since(
    wire: &Wire,
    token: &SecretString,
    app: &AppId,
    newest: u64,
    since: Timestamp,
) -> Result<Vec<Release>, PortError> {
    let me: AccountShape = wire.read(token, &Ask::get(["account"], "/account")).await?;
    let past = |releases: &[ReleaseShape], sorted: bool| sorted && releases.iter().any(|release| release.version <= newest);
    let releases = wire.list_until(token, newest_first(app, NEWEST), past).await?;
    let fits = |release: &Release| {
        release.version > newest && release.by.as_deref() == Some(me.email.as_str()) && release.created_at.is_some_and(|at| at >= since)
    };
    Ok(releases.into_iter().map(ReleaseShape::meaning).filter(fits).collect())
}

pub(super) async fn find_return(wire: &Wire, token: &SecretString, app: &AppId, order: &ReturnOrder) -> Result<Option<Release>, PortError> {
    let all = own_since(wire, token, app, order.newest, order.since).await?;
    let mut found = all.into_iter().filter(|release| release.code.as_ref() == Some(&order.code));
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(only), None) => Ok(Some(only)),
        (Some(_), Some(_)) => {
            Err(PortError::new(Service::Platform, Fault::Nonsense, format!("GET {RELEASES}: several releases fit what was ordered")))
        }
    }
}

pub(super) async fn dynos(wire: &Wire, token: &SecretString, app: &AppId) -> Result<Vec<Dyno>, PortError> {
    let shapes: Vec<DynoShape> = wire.list(token, Ask::get(["apps", app.as_str(), "dynos"], "/apps/{app}/dynos")).await?;
    Ok(shapes.into_iter().map(DynoShape::meaning).collect())
}
