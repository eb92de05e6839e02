//! What the bot speaks with: one token from the settings, or what each workspace has given that has installed the app.

use std::sync::Arc;

use anyhow::Context;
use axum::Router;

use super::Ground;
use crate::adapters::pages::{self, InstallPagesSettings};
use crate::adapters::secrets::SystemSecrets;
use crate::adapters::settings_bot::OneBot;
use crate::adapters::slack::{SlackInstall, SlackInstallSettings, authorize_beside};
use crate::adapters::vault::TokenVault;
use crate::config::{AccountsSettings, BotSettings, ChatSettings, Settings, SlackSettings};
use crate::ports::BotTokens;
use crate::service::{Service, WholeInstalls};
use crate::usecases::{InstalledBots, Looked};

/// The installations, where workspaces install the app.
pub(super) fn bots(settings: &Settings, ground: &Ground) -> anyhow::Result<Option<InstalledBots>> {
    let (ChatSettings::Slack(slack), AccountsSettings::SignIn(own)) = (&settings.chat, &settings.accounts) else { return Ok(None) };
    let BotSettings::Installed(app) = &slack.bot else { return Ok(None) };
    let at = SlackInstallSettings {
        api: slack.api.clone(),
        authorize: authorize_beside(&slack.api),
        client_id: app.id.clone(),
        client_secret: app.secret.clone(),
        callback: pages::installed_callback(&own.public),
    };
    Ok(Some(InstalledBots {
        store: Arc::clone(&ground.store),
        kept: Arc::clone(&ground.installations),
        vault: Arc::<TokenVault>::clone(&own.vault),
        at: Arc::new(SlackInstall::new(at, Arc::clone(&ground.clock)).context("no HTTP client to install the app")?),
        ids: Arc::clone(&ground.ids),
        clock: Arc::clone(&ground.clock),
        looked: Looked::default(),
    }))
}

/// What the bot speaks with.
pub(super) fn tokens(slack: &SlackSettings, bots: Option<&InstalledBots>) -> anyhow::Result<Arc<dyn BotTokens>> {
    match (&slack.bot, bots) {
        (BotSettings::Token(token), _) => Ok(Arc::new(OneBot::new(token.clone()))),
        (BotSettings::Installed(_), Some(bots)) => Ok(Arc::new(bots.clone())),
        (BotSettings::Installed(_), None) => anyhow::bail!("workspaces install the app only where people sign in as themselves"),
    }
}

/// The pages on which it is installed; none where that is done by hand.
pub(super) fn pages(settings: &Settings, service: &Service, bots: Option<InstalledBots>) -> Router {
    let (ChatSettings::Slack(slack), AccountsSettings::SignIn(own), Some(bots)) = (&settings.chat, &settings.accounts, bots) else {
        return Router::new();
    };
    let on = InstallPagesSettings { public: own.public.clone(), chat: slack.api.clone(), command_word: settings.command.clone() };
    let installing = WholeInstalls { service: service.clone(), installing: Arc::new(bots) };
    pages::install_router(&on, Arc::new(installing), Arc::new(SystemSecrets))
}
