//! Installing the app in a chat: what a chat gives for that, and what speaks with it.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use std::collections::BTreeSet;

use crate::domain::account::Life;
use crate::domain::fault::PortError;
use crate::domain::installation::{BotRight, Happening, Tenant};
use crate::domain::names::{ChatAppId, OrganisationId, ScopeName, UserId, WorkspaceId};

use super::sign_in::Tokens;
use super::store::StoreError;

/// A scope that is asked for, and what it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotScope {
    /// The scope, in the chat's words.
    pub scope: ScopeName,
    /// What we use it for.
    pub right: BotRight,
}

/// Tokens to speak with.
#[derive(Clone, Debug)]
pub struct BotGrant {
    /// The tokens.
    pub tokens: Tokens,
    /// How long they hold.
    pub life: Life,
    /// When they were given, by the chat's clock.
    pub at: Timestamp,
    /// The scopes that were granted, which may be fewer than were asked for, or more from before.
    pub scopes: BTreeSet<ScopeName>,
    /// What they allow.
    pub rights: BTreeSet<BotRight>,
}

/// What somebody has installed.
#[derive(Clone, Debug)]
pub struct Installed {
    /// In what.
    pub tenant: Tenant,
    /// The organisation of the workspace, if it belongs to one.
    pub within: Option<OrganisationId>,
    /// Its name, cleaned, at most 100 characters: to be shown, and not kept.
    pub name: Option<String>,
    /// The app.
    pub app: ChatAppId,
    /// The app's own user there.
    pub bot: UserId,
    /// Who installed it.
    pub by: UserId,
    /// What it speaks with.
    pub grant: BotGrant,
}

/// Installing at a chat.
///
/// Promises: a code is given once and never again, also where the answer is lost; nothing that is said by it holds a secret; no address
/// holds the app's secret; only what is asked for here is asked for.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait InstallAt: Send + Sync + std::fmt::Debug {
    /// What is asked for: no more than is used.
    fn asks_for(&self) -> Vec<BotScope>;

    /// The page on which somebody agrees, and which sends them back with `state` and a code. Holds `state`: for their browser only.
    fn agree_at(&self, state: &SecretString) -> SecretString;

    /// Gives a code for an installation. [`super::Fault::Refused`]: it is wrong, too old or used up.
    async fn exchange(&self, code: SecretString) -> Result<Installed, PortError>;

    /// Brings new tokens for old ones. [`super::Fault::SignInLost`]: the app has to be installed again; a fault that is temporary says
    /// nothing about the tokens.
    async fn renew(&self, tokens: &Tokens) -> Result<BotGrant, PortError>;

    /// Of an organisation: the workspaces that are let in.
    async fn workspaces(&self, access: &SecretString) -> Result<BTreeSet<WorkspaceId>, PortError>;

    /// Looks whether a token is still taken; changes nothing. [`super::Fault::SignInLost`]: it is refused for good; any other fault says nothing
    /// about it.
    async fn check(&self, access: &SecretString) -> Result<(), PortError>;

    /// Ends a token. Safe to repeat.
    async fn revoke(&self, access: &SecretString) -> Result<(), PortError>;
}

/// What the bot speaks with, in the workspace that a message is for.
///
/// Promises: a token is that of the workspace that was asked for and no other; one that ends by itself is renewed ahead of its end, once
/// however many ask; what fails for the moment changes nothing.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait BotTokens: Send + Sync + std::fmt::Debug {
    /// A token for a workspace. [`super::Fault::SignInLost`]: the app is not installed there, or not any more.
    async fn token(&self, workspace: &WorkspaceId) -> Result<SecretString, PortError>;

    /// The chat says that this token has run out: gives another one, if there can be one.
    async fn ran_out(&self, workspace: &WorkspaceId, token: &SecretString) -> Result<SecretString, PortError>;

    /// The chat refuses this token for good. Told in the log, with `why`, a word of the chat's; nothing more is said there from now on.
    async fn refused(&self, workspace: &WorkspaceId, token: &SecretString, why: &str);
}

/// Why an installation did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotInstalled {
    /// The chat did not give tokens.
    Outside(PortError),
    /// It could not be sealed or recorded. Told in the log.
    Broken,
}

/// What came of installing, as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// In what.
    pub tenant: Tenant,
    /// Its name, where the chat told it.
    pub name: Option<String>,
    /// It was there before: its token was replaced.
    pub again: bool,
    /// What is needed and was not granted.
    pub lacks: Vec<BotRight>,
}

/// Installing, as the pages in a browser see it, and word of what becomes of it.
///
/// Promises: asking for the page changes nothing; of an installation that could not be kept nothing is left at the chat, where it was none
/// before.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Installing: Send + Sync + std::fmt::Debug {
    /// What is asked for.
    fn asks_for(&self) -> Vec<BotScope>;

    /// The page on which somebody agrees.
    fn agree_at(&self, state: &SecretString) -> SecretString;

    /// Somebody has agreed.
    async fn install(&self, code: SecretString) -> Result<Done, NotInstalled>;
}

/// Who hears what becomes of installations.
///
/// Promises: after `Ok` it lies on disk and is done sometime, once, whatever happens and however often it is told.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Hears: Send + Sync + std::fmt::Debug {
    /// Puts word of the chat on disk, to be acted on. Returns as soon as it is on disk; calls nothing outside before.
    async fn heard(&self, happening: Happening) -> Result<(), StoreError>;
}
