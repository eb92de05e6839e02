//! What a person may do with an app, and one-time codes.

use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::adapters::http::call::sensitive;
use crate::domain::names::AppId;
use crate::domain::release::Access;
use crate::ports::PortError;

use super::known::Known;
use super::shapes::{CapabilitiesShape, CapabilityShape};
use super::wire::{Ask, Version, Wire};

/// The one capability that is asked for. The full list of names is not published; this one is in Heroku's own clients.
const CAPABILITY: &str = "manage_dynos";

/// Asks without touching what is secret. Of a service that is a prototype: any failure means that it is not known.
pub(super) async fn ask(wire: &Wire, known: &Known, token: &SecretString, app: &AppId) -> Access {
    let now = wire.clock().now();
    if let Some(access) = known.access_to(token, app, now) {
        return access;
    }
    let before = known.before();
    // A read, although a PUT.
    let ask = Ask::new(Method::PUT, ["users", "~", "capabilities"], "/users/~/capabilities")
        .version(Version::Sdk)
        .body(json!({"capabilities": [{"capability": CAPABILITY, "resource_id": app.as_str(), "resource_type": "app"}]}));
    match wire.read::<CapabilitiesShape>(token, &ask).await {
        Ok(told) => {
            let access = told.capabilities.iter().find(|told| told.capability == CAPABILITY).map_or_else(Access::default, meaning);
            known.has_access(token, app, access, now, before);
            access
        }
        Err(refused) => {
            tracing::info!(error = %refused.error, "what the person may do is not known in advance");
            Access::default()
        }
    }
}

fn meaning(told: &CapabilityShape) -> Access {
    // The right to build is another one than this: a no says nothing about it, and Heroku refuses a build by itself.
    Access { may_deploy: told.capable.filter(|capable| *capable), needs_code: told.requires_second_factor }
}

/// Gives a code, once and never again: it is used up by the first answer.
pub(super) async fn spend(wire: &Wire, token: &SecretString, app: &AppId, code: &SecretString) -> Result<bool, PortError> {
    // What cannot stand in a header is no code.
    let Some(header) = sensitive(code.expose_secret()) else { return Ok(false) };
    let path = "/apps/{app}/pre-authorizations";
    let ask = Ask::new(Method::PUT, ["apps", app.as_str(), "pre-authorizations"], path).code(header, code);
    match wire.write(token, &ask).await {
        Ok(_) => Ok(true),
        Err(refused) if refused.is_wrong_code() => Ok(false),
        Err(refused) => Err(refused.into()),
    }
}
