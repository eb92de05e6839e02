//! Promotions: ordered for one target each, looked at, found again by what they made.

use http::Method;
use secrecy::SecretString;
use serde_json::json;

use crate::adapters::http::scrub;
use crate::domain::names::{AppId, BuildId};
use crate::domain::release::Release;
use crate::ports::{Fault, PortError, PromotionOrder, PromotionSeen, PromotionStart, Service};

use super::known::Known;
use super::releases;
use super::shapes::{Reference, TargetShape};
use super::wire::{Ask, Wire};

const PROMOTIONS: &str = "/pipeline-promotions";
const TARGETS: &str = "/pipeline-promotions/{promotion}/promotion-targets";

pub(super) async fn start(wire: &Wire, token: &SecretString, app: &AppId, order: &PromotionOrder) -> Result<PromotionStart, PortError> {
    let ask = Ask::new(Method::POST, ["pipeline-promotions"], PROMOTIONS).body(json!({
        "pipeline": { "id": order.pipeline.as_str() },
        "source": { "app": { "id": order.from.as_str() }, "release": { "id": order.release.as_str() } },
        "targets": [{ "app": { "id": app.as_str() } }],
    }));
    match wire.write(token, &ask).await {
        Ok(answer) => {
            let id = serde_json::from_slice::<Reference>(&answer.body).ok().and_then(|promotion| BuildId::parse(&promotion.id).ok());
            id.map(PromotionStart::Started).ok_or_else(|| {
                let detail = format!("POST {PROMOTIONS}: {} without a promotion, request {}", answer.status.as_u16(), answer.request_id());
                PortError::new(Service::Platform, Fault::Unclear, detail)
            })
        }
        Err(refused) if refused.wants_code() => Ok(PromotionStart::NeedsCode),
        Err(refused) => Err(refused.into()),
    }
}

pub(super) async fn see(wire: &Wire, token: &SecretString, app: &AppId, promotion: &BuildId) -> Result<PromotionSeen, PortError> {
    let ask = Ask::get(["pipeline-promotions", promotion.as_str(), "promotion-targets"], TARGETS);
    let targets: Vec<TargetShape> = wire.list(token, ask).await?;
    let Some(target) = targets.into_iter().find(|target| target.app.id == app.as_str()) else {
        return Err(PortError::new(Service::Platform, Fault::NotFound, format!("GET {TARGETS}: the app is none of its targets")));
    };
    Ok(match target.release() {
        Some(release) => PromotionSeen::Released(release),
        None if target.status == "failed" => {
            PromotionSeen::Refused(target.error_message.map(|said| scrub::clean(&said, 300)).filter(|said| !said.is_empty()))
        }
        None => PromotionSeen::Pending,
    })
}

pub(super) async fn find(
    wire: &Wire,
    known: &Known,
    token: &SecretString,
    app: &AppId,
    order: &PromotionOrder,
) -> Result<Option<Release>, PortError> {
    let mut found: Option<Release> = None;
    for release in releases::own_since(wire, token, app, order.newest, order.since).await? {
        let Some(code) = &release.code else { continue };
        if releases::commit_of(wire, known, token, app, code).await?.as_ref() != Some(&order.commit) {
            continue;
        }
        if found.replace(release).is_some() {
            return Err(PortError::new(Service::Platform, Fault::Nonsense, "several releases fit what was ordered"));
        }
    }
    Ok(found)
}
