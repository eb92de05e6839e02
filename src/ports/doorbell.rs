//! The service's own door, as it is met from outside.

use async_trait::async_trait;

/// Who answers at the public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// This very process.
    Us,
    /// Somebody else: another service, another installation, or a page of whatever stands before it.
    SomebodyElse {
        /// The status of their answer.
        status: u16,
    },
    /// Nobody: the name is not known, nothing listens, the seal is not trusted, or nothing came in time.
    Nobody,
}

/// The public address.
///
/// Promises: it asks for something that was never asked before and that only this process can answer; it takes nobody's word for somebody
/// else's; it ends by itself within ten seconds.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Doorbell: Send + Sync + std::fmt::Debug {
    /// Rings, and says who answered.
    async fn ring(&self) -> Answers;
}
