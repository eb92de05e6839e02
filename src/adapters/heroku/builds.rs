//! Builds: ordered once, found again by our own id, followed, stopped.

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::domain::names::{AppId, BuildId, DeploymentId, ReleaseId};
use crate::domain::release::{Build, BuildState};
use crate::ports::{BuildOrder, BuildStart, Fault, PortError, Service};

use super::Heroku;
use super::refusal::Refusal;
use super::shapes::BuildShape;
use super::wire::{Ask, V3_CANCEL_BUILD};

const BUILDS: &str = "/apps/{app}/builds";
const BUILD: &str = "/apps/{app}/builds/{id}";

/// The orders in which the newest builds are asked for, the best first. The last is a list in no useful order.
const ORDERS: [&str; 3] = ["created_at ..; max=50, order=desc", "started_at ..; max=50, order=desc", "id ..; max=1000"];

/// How far Heroku's clock may be from ours.
const SLACK: SignedDuration = SignedDuration::from_mins(10);

impl Heroku {
    pub(super) async fn order_build(&self, token: &SecretString, app: &AppId, order: &BuildOrder) -> Result<BuildStart, PortError> {
        let BuildOrder { source, commit, repository, deployment } = order;
        let ask = Ask::new(Method::POST, self.at(["apps", app.as_str(), "builds"]), BUILDS).body(json!({
            "source_blob": {
                "url": source.address.expose_secret(),
                "version": commit.as_str(),
                "version_description": format!("{repository}:{commit} {}", mark(*deployment)),
                "checksum": format!("SHA256:{}", source.sha256),
            }
        }));
        let answer = self.write(token, &ask).await?;
        let what = ask.what();
        if answer.status.is_success() {
            let shape = serde_json::from_slice::<BuildShape>(&answer.body).ok();
            return shape.and_then(build).map(BuildStart::Started).ok_or_else(|| {
                PortError::new(Service::Platform, Fault::Unclear, format!("{what}: taken, and the answer does not say what"))
            });
        }
        let refusal = self.write_refusal(&answer, &what, &[token, &source.address]);
        if refusal.wants_code() {
            return Ok(BuildStart::NeedsCode);
        }
        if refusal.is_no_slot() {
            return Ok(BuildStart::NoSlot);
        }
        Err(refusal.error)
    }

    /// Looks through the builds since `since`, newest first where Heroku orders them so, through all of them where not.
    pub(super) async fn look_for_build(
        &self,
        token: &SecretString,
        app: &AppId,
        deployment: DeploymentId,
        since: Timestamp,
    ) -> Result<Option<Build>, Refusal> {
        let mark = mark(deployment);
        let since = since.checked_sub(SLACK).unwrap_or(since);
        let url = self.at(["apps", app.as_str(), "builds"]);
        let mut refused = None;
        for order in ORDERS {
            let enough = |builds: &[BuildShape]| builds.iter().any(|build| is_marked(build, &mark)) || reaches_back(builds, since);
            match self.list_until(token, Ask::get(url.clone(), BUILDS).range(order), enough).await {
                Ok(builds) => return Ok(builds.into_iter().find(|build| is_marked(build, &mark)).and_then(build)),
                Err(refusal) if is_bad_order(&refusal) => refused = Some(refusal),
                Err(refusal) => return Err(refusal),
            }
        }
        Err(refused.unwrap_or_else(|| Refusal::nonsense(BUILDS, "no order")))
    }

    pub(super) async fn one_build(&self, token: &SecretString, app: &AppId, id: &BuildId) -> Result<Build, Refusal> {
        build(self.build_shape(token, app, id).await?).ok_or_else(|| Refusal::nonsense(BUILD, "its id is none"))
    }

    pub(super) async fn build_shape(&self, token: &SecretString, app: &AppId, id: &BuildId) -> Result<BuildShape, Refusal> {
        self.get(token, Ask::get(self.at(["apps", app.as_str(), "builds", id.as_str()]), BUILD)).await
    }

    /// Only a build that goes on can be stopped: refusing that, Heroku says that it is over.
    pub(super) async fn cancel_build(&self, token: &SecretString, app: &AppId, id: &BuildId) -> Result<(), PortError> {
        let url = self.at(["apps", app.as_str(), "builds", id.as_str()]);
        let ask = Ask::new(Method::DELETE, url, BUILD).accept(V3_CANCEL_BUILD);
        let answer = self.write(token, &ask).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        let refusal = self.write_refusal(&answer, &ask.what(), &[token]);
        let over = [StatusCode::CONFLICT, StatusCode::GONE, StatusCode::UNPROCESSABLE_ENTITY].iter().any(|status| refusal.is(*status));
        if over && !refusal.says("verification_needed") { Ok(()) } else { Err(refusal.error) }
    }
}

/// How our id stands in a build.
fn mark(deployment: DeploymentId) -> String {
    format!("slash-heroku:{deployment}")
}

fn is_marked(build: &BuildShape, mark: &str) -> bool {
    let described = build.source_blob.as_ref().and_then(|blob| blob.version_description.as_deref());
    described.is_some_and(|described| described.split_whitespace().any(|word| word == mark))
}

/// Whether the list is in falling order of time and has come to builds before `since`.
fn reaches_back(builds: &[BuildShape], since: Timestamp) -> bool {
    let times: Vec<Option<Timestamp>> = builds.iter().map(|build| time(build.created_at.as_deref())).collect();
    times.iter().all(Option::is_some) && times.is_sorted_by(|a, b| a >= b) && times.last().is_some_and(|last| *last < Some(since))
}

fn is_bad_order(refusal: &Refusal) -> bool {
    [StatusCode::RANGE_NOT_SATISFIABLE, StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY].iter().any(|status| refusal.is(*status))
}

/// A time of Heroku's, which has two spellings for the same zone.
pub(super) fn time(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok()
}

/// A status that this version does not know is not an end.
fn build(shape: BuildShape) -> Option<Build> {
    let state = match shape.status.as_str() {
        "succeeded" => BuildState::Succeeded { release: shape.release.and_then(|release| ReleaseId::parse(&release.id).ok()) },
        "failed" => BuildState::Failed,
        _ => BuildState::Pending,
    };
    Some(Build { id: BuildId::parse(&shape.id).ok()?, state, created_at: time(shape.created_at.as_deref()) })
}
