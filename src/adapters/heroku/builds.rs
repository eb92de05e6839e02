//! Builds: ordered, found again, followed, stopped.

use http::Method;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::de::IgnoredAny;
use serde_json::json;

use crate::domain::names::{AppId, BuildId, DeploymentId};
use crate::domain::release::{Build, BuildState};
use crate::ports::{BuildOrder, BuildStart, Fault, PortError, Service};

use super::shapes::BuildShape;
use super::wire::{Ask, Version, Wire};

/// The path of an app's builds.
const BUILDS: &str = "/apps/{app}/builds";
/// The path of one build.
const BUILD: &str = "/apps/{app}/builds/{build}";

/// By what a build carries our id.
fn mark(deployment: DeploymentId) -> String {
    format!("slash-heroku:{deployment}")
}

pub(super) async fn start(wire: &Wire, token: &SecretString, app: &AppId, order: &BuildOrder) -> Result<BuildStart, PortError> {
    let ask = Ask::new(Method::POST, ["apps", app.as_str(), "builds"], BUILDS).body(json!({"source_blob": {
        "url": order.source.address.expose_secret(),
        "version": order.commit.as_str(),
        "version_description": format!("{}:{} {}", order.repository, order.commit, mark(order.deployment)),
        "checksum": format!("SHA256:{}", order.source.sha256),
    }}));
    match wire.write(token, &ask).await {
        Ok(answer) => {
            serde_json::from_slice::<BuildShape>(&answer.body).map(|build| BuildStart::Started(known(wire, build))).map_err(|_| {
                // It said yes: there is a build, and only a look can tell which.
                let detail = format!("POST {BUILDS}: {} without a build, request {}", answer.status.as_u16(), answer.request_id());
                PortError::new(Service::Platform, Fault::Unclear, detail)
            })
        }
        Err(refused) if refused.is_no_slot() => Ok(BuildStart::NoSlot),
        Err(refused) if refused.wants_code() => Ok(BuildStart::NeedsCode),
        Err(refused) => Err(refused.into()),
    }
}

pub(super) async fn find(
    wire: &Wire,
    token: &SecretString,
    app: &AppId,
    deployment: DeploymentId,
    since: Timestamp,
) -> Result<Option<Build>, PortError> {
    let mark = mark(deployment);
    let ask = || Ask::get(["apps", app.as_str(), "builds"], BUILDS);
    let is_ours = |build: &BuildShape| build.description().split_whitespace().any(|word| word == mark);
    let newest_first = wire
        .list_until(token, ask().range("created_at ..; max=50, order=desc"), |builds: &[BuildShape], sorted| {
            let times = builds.iter().map(|build| build.created_at);
            let sorted = sorted && times.clone().all(|at| at.is_some()) && times.is_sorted_by(|one, next| one >= next);
            let past = builds.last().and_then(|build| build.created_at).is_some_and(|at| at < since);
            builds.iter().any(is_ours) || (sorted && past)
        })
        .await;
    let builds = match newest_first {
        // Builds can be sorted by their id for certain, which says nothing about time: all are read.
        Err(refused) if refused.is_bad_range() => wire.list(token, ask().range("id ..; max=200")).await?,
        other => other?,
    };
    Ok(builds.into_iter().find(is_ours).map(|build| known(wire, build)))
}

/// What a build means, and where it can be followed from now on.
fn known(wire: &Wire, shape: BuildShape) -> Build {
    let address = shape.output_stream_url.clone();
    let build = shape.meaning();
    wire.followed().learn(build.id.as_str(), address.as_deref(), build.state == BuildState::Pending);
    build
}

/// Reads a build as it was answered.
pub(super) async fn shape(wire: &Wire, token: &SecretString, app: &AppId, build: &BuildId) -> Result<BuildShape, PortError> {
    Ok(wire.read(token, &Ask::get(["apps", app.as_str(), "builds", build.as_str()], BUILD)).await?)
}

pub(super) async fn info(wire: &Wire, token: &SecretString, app: &AppId, build: &BuildId) -> Result<Build, PortError> {
    Ok(known(wire, shape(wire, token, app, build).await?))
}

pub(super) async fn stop(wire: &Wire, token: &SecretString, app: &AppId, build: &BuildId) -> Result<(), PortError> {
    let ask = Ask::new(Method::DELETE, ["apps", app.as_str(), "builds", build.as_str()], BUILD).version(Version::CancelBuild);
    let refused = match wire.write(token, &ask).await {
        Ok(answer) if answer.body.is_empty() || serde_json::from_slice::<IgnoredAny>(&answer.body).is_ok() => return Ok(()),
        Ok(answer) => {
            // Something on the way said yes: nobody knows whether the build stops.
            let detail = format!("DELETE {BUILD}: {} without JSON, request {}", answer.status.as_u16(), answer.request_id());
            return Err(PortError::new(Service::Platform, Fault::Unclear, detail));
        }
        Err(refused) => refused,
    };
    if !refused.is_wrong_state() {
        return Err(refused.into());
    }
    // The refusal's words are not published; whether it is over is told by the build itself.
    match info(wire, token, app, build).await {
        Ok(Build { state: BuildState::Succeeded { .. } | BuildState::Failed, .. }) => Ok(()),
        Ok(Build { state: BuildState::Pending, .. }) | Err(_) => Err(refused.into()),
    }
}
