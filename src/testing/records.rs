//! Records to put into stores. Built from JSON, so that a new field with a default breaks no test.

use crate::domain::deployment::Deployment;
use crate::domain::names::{AppId, DeliveryId, DeploymentId, OfferId, PipelineId};
use crate::domain::offer::Offer;
use crate::domain::request::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

/// A moment, this many seconds after an arbitrary start.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap() + SignedDuration::from_secs(seconds)
}

/// A deployment's id; later numbers are younger.
pub fn deployment_id(n: u64) -> DeploymentId {
    DeploymentId(Uuid::from_u128(u128::from(n)))
}

/// An offer's id.
pub fn offer_id(n: u64) -> OfferId {
    OfferId(Uuid::from_u128(u128::from(n)))
}

/// An app's id.
pub fn app(name: &str) -> AppId {
    AppId::parse(name).unwrap()
}

/// A pipeline's id.
pub fn pipeline(name: &str) -> PipelineId {
    PipelineId::parse(name).unwrap()
}

/// A delivery.
pub fn delivery(name: &str) -> DeliveryId {
    DeliveryId::parse(name).unwrap()
}

/// A deployment to an app in the pipeline `pipe`, never stored, that begins.
pub fn deployment(n: u64, app: &str) -> Deployment {
    serde_json::from_value(json!({
        "id": deployment_id(n), "version": 0, "delivery": format!("delivery-{n}"),
        "origin": { "person": { "workspace": "T1", "user": "U1" }, "channel": "C1", "reply": null },
        "asked_at": at(0),
        "target": {
            "pipeline": "pipe", "pipeline_name": "hubot", "app": app, "app_name": "hubot-staging",
            "environment": "staging", "web_url": "https://hubot.example.com",
        },
        "cargo": {
            "repository": "acme/hubot", "repository_url": "https://git.example.com/acme/hubot", "overrides_link_to": null,
            "asked": "default", "named_by": { "branch": "main" }, "commit": "a".repeat(40), "change": null, "no_checks": false,
        },
        "overriding": null, "phase": "starting", "since": at(0), "times": [],
        "usual": { "build": null, "release": null, "dynos": null },
        "builds_ordered": 0, "announcements_ordered": 0, "slot_wanted_since": null, "code_spent_at": null,
        "announcement": null, "cancel": null, "card": "not_shown", "closed": false,
    }))
    .unwrap()
}

/// A request, never stored, not answered.
pub fn request(name: &str, received: i64) -> Request {
    serde_json::from_value(json!({
        "id": name, "version": 0,
        "origin": { "person": { "workspace": "T1", "user": "U1" }, "channel": "C1", "reply": "sealed" },
        "ask": { "command": "pipelines" }, "came_with_code": false, "received_at": at(received), "answered": false,
    }))
    .unwrap()
}

/// An offer, never stored.
pub fn offer(n: u64, until: i64) -> Offer {
    serde_json::from_value(json!({
        "id": offer_id(n), "version": 0, "command": "pipelines", "to": { "workspace": "T1", "user": "U1" },
        "until": at(until), "taken_by": null,
    }))
    .unwrap()
}
