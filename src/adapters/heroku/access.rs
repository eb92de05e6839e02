//! What a person may do with an app, and one-time codes.

use http::{HeaderName, Method};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::adapters::http::call::sensitive;
use crate::domain::names::AppId;
use crate::domain::release::Access;
use crate::ports::PortError;

use super::Heroku;
use super::shapes::Capabilities;
use super::wire::{Ask, V3_SDK};

const CODE: HeaderName = HeaderName::from_static("heroku-two-factor-code");

impl Heroku {
    /// Asks for a capability, which tells whether a second factor is wanted without touching any secret.
    ///
    /// The list of capabilities is not public, and none that is known stands for deploying: `deploy` and `operate` are
    /// rights of their own, so being able to manage dynos proves neither. Whether one may deploy is left to the real call.
    pub(super) async fn access_to(&self, token: &SecretString, app: &AppId) -> Access {
        let wanted = json!({ "capability": "manage_dynos", "resource_id": app.as_str(), "resource_type": "app" });
        let ask = Ask::new(Method::PUT, self.at(["users", "~", "capabilities"]), "/users/~/capabilities")
            .accept(V3_SDK)
            .body(json!({ "capabilities": [wanted] }));
        match self.get::<Capabilities>(token, ask).await {
            Ok(told) => Access { may_deploy: None, needs_code: told.capabilities.first().and_then(|told| told.requires_second_factor) },
            Err(refusal) => {
                tracing::debug!(why = %refusal.error, "capabilities are not told");
                Access::default()
            }
        }
    }

    /// A code works once and for half a minute: it is sent once, whatever comes of it.
    pub(super) async fn pre_authorize(&self, token: &SecretString, app: &AppId, code: SecretString) -> Result<bool, PortError> {
        let Some(header) = sensitive(code.expose_secret()) else { return Ok(false) };
        let ask = Ask::new(Method::PUT, self.at(["apps", app.as_str(), "pre-authorizations"]), "/apps/{app}/pre-authorizations")
            .secret(CODE, header);
        let answer = self.write(token, &ask).await?;
        if answer.status.is_success() {
            return Ok(true);
        }
        let refusal = self.write_refusal(&answer, &ask.what(), &[token, &code]);
        // Asking for a code again is the answer to a code that is not accepted.
        if refusal.says("invalid_two_factor_code") || refusal.wants_code() { Ok(false) } else { Err(refusal.error) }
    }
}
