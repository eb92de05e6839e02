//! Links by which people get everything that is kept about them.

use async_trait::async_trait;
use secrecy::SecretString;

use super::store::StoreError;

/// The links, as whoever opens one meets them.
///
/// Promises: looking changes nothing; what is handed out is handed out once.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Exports: Send + Sync + std::fmt::Debug {
    /// Whether a link works.
    async fn works(&self, link: &SecretString) -> Result<bool, StoreError>;

    /// Uses a link up, for everything about its person as JSON; `None`: it does not work, or not any more.
    async fn take(&self, link: &SecretString) -> Result<Option<String>, StoreError>;
}
