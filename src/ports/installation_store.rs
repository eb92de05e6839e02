//! Where installations and what the chat tells of them are kept: beside everything else, with the same promises as [`super::store`].

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::installation::{Happening, Installation, Tenant};
use crate::domain::names::WorkspaceId;

use super::store::StoreError;

/// Records to save together or not at all, each over the version that it was read with.
#[derive(Clone, Debug, Default)]
pub struct InstallationBatch {
    /// Installations.
    pub installations: Vec<Installation>,
    /// Installations that are no more: removed, if nobody has changed them since.
    pub gone: Vec<Installation>,
    /// Word of the chat.
    pub happenings: Vec<Happening>,
}

/// The store of installations.
///
/// Promises: `Ok` means on disk; a batch is saved whole or not at all, and over the versions that it was read with; tokens come in sealed
/// and lie there as they came; a workspace is served by its own installation where it has one, else by that of an organisation.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait InstallationStore: Send + Sync + std::fmt::Debug {
    /// An installation.
    async fn installation(&self, of: &Tenant) -> Result<Option<Installation>, StoreError>;

    /// The installation that speaks for a workspace.
    async fn installation_for(&self, workspace: &WorkspaceId) -> Result<Option<Installation>, StoreError>;

    /// All installations, in some order that stays.
    async fn installations(&self) -> Result<Vec<Installation>, StoreError>;

    /// Saves a batch. The caller's copies keep their old versions: add one to go on with them.
    async fn save_installations(&self, batch: InstallationBatch) -> Result<(), StoreError>;

    /// Puts word of the chat on disk; `false`: it was there before.
    async fn hear(&self, happening: &Happening) -> Result<bool, StoreError>;

    /// What was heard and not everything of it done, in the order in which it was heard.
    async fn not_done(&self) -> Result<Vec<Happening>, StoreError>;

    /// Removes what was heard before `before` and done; returns how many.
    async fn forget_happenings(&self, before: Timestamp) -> Result<u64, StoreError>;

    /// Remembers, outside the store, that the app was removed there at a moment, so that a restore of a backup from before leaves out what was
    /// kept of it then. Safe to repeat.
    async fn remember_departure(&self, of: &Tenant, at: Timestamp) -> Result<(), StoreError>;

    /// Removes what is kept of a workspace from before `before`, but for linked logins, and for deployments that go on with what is needed
    /// to take them to their end. Says what is left of it. Safe to repeat: what is left goes when it is over. Once nothing is left, no file
    /// of the store holds anything of it.
    async fn forget_workspace(&self, workspace: &WorkspaceId, before: Timestamp) -> Result<Left, StoreError>;
}

/// What is left of a workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Deployments that go on, or whose end is not told.
    pub deployments: usize,
    /// People whose logins are still linked.
    pub accounts: usize,
    /// Requests that are being answered.
    pub requests: usize,
}
