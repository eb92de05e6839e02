//! Where linked logins and visits to link them are kept: beside everything else, with the same promises as [`super::store`].

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::account::Account;
use crate::domain::actor::Person;
use crate::domain::names::SignInId;
use crate::domain::sign_in::{Digest, SignIn};

use super::store::StoreError;

/// Records to save together or not at all, each over the version that it was read with.
#[derive(Clone, Debug, Default)]
pub struct AccountBatch {
    /// Accounts. One without a login left is removed with everything that is known of it.
    pub accounts: Vec<Account>,
    /// Visits.
    pub sign_ins: Vec<SignIn>,
}

/// The store of accounts.
///
/// Promises: `Ok` means on disk; a batch is saved whole or not at all, and over the versions that it was read with; a person's
/// account is found by workspace and user together; tokens come in sealed and lie there as they came.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait AccountStore: Send + Sync + std::fmt::Debug {
    /// A person's account; an empty one with version 0, if there is none.
    async fn account(&self, person: &Person) -> Result<Account, StoreError>;

    /// All accounts, in some order that stays.
    async fn accounts(&self) -> Result<Vec<Account>, StoreError>;

    /// A visit.
    async fn sign_in(&self, id: SignInId) -> Result<Option<SignIn>, StoreError>;

    /// The visit that a link leads to.
    async fn sign_in_by_link(&self, link: &Digest) -> Result<Option<SignIn>, StoreError>;

    /// The visit that a browser has opened, by what its secret is known by; not when it is over.
    async fn sign_in_by_browser(&self, browser: &Digest) -> Result<Option<SignIn>, StoreError>;

    /// The visits of a person that were not ended, oldest first: also those whose time has run out, and those that are over and have
    /// logins left to be ended, or keep a command.
    async fn sign_ins_of(&self, person: &Person) -> Result<Vec<SignIn>, StoreError>;

    /// The same of everybody.
    async fn open_sign_ins(&self) -> Result<Vec<SignIn>, StoreError>;

    /// Saves a batch. The caller's copies keep their old versions: add one to go on with them.
    async fn save_accounts(&self, batch: AccountBatch) -> Result<(), StoreError>;

    /// Removes visits that ended before `before`; returns how many. Those that were not ended stay, and those that hold
    /// what has to be ended at its service.
    async fn forget_sign_ins(&self, before: Timestamp) -> Result<u64, StoreError>;
}
