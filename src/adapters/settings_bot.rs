//! One bot token, named by the settings, for the one workspace that an operator has installed the app in by hand.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::names::WorkspaceId;
use crate::ports::{BotTokens, Fault, PortError, Service};

/// What the bot speaks with wherever it was asked.
#[derive(Debug)]
pub struct OneBot {
    token: SecretString,
}

impl OneBot {
    /// Speaks with this token.
    pub fn new(token: SecretString) -> Self {
        Self { token }
    }
}

#[async_trait]
impl BotTokens for OneBot {
    async fn token(&self, _: &WorkspaceId) -> Result<SecretString, PortError> {
        Ok(self.token.clone())
    }

    async fn ran_out(&self, _: &WorkspaceId, _: &SecretString) -> Result<SecretString, PortError> {
        Err(PortError::new(Service::Chat, Fault::SignInLost, "the token in the settings has run out").saying("token_expired"))
    }

    async fn refused(&self, workspace: &WorkspaceId, _: &SecretString, why: &str) {
        tracing::error!(%workspace, why, "the chat refuses the bot token in the settings: nothing can be said there until it is replaced");
    }
}
