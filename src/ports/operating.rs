//! What operators ask about people, for requests that do not come by the chat.

use async_trait::async_trait;

use crate::domain::privacy::OperatorAsks;

use super::store::StoreError;

/// Answers operators.
///
/// Promises: whatever is done with a person's records is on record before it is done, with who, when and why.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Operating: Send + Sync + std::fmt::Debug {
    /// Answers in words, or in JSON where everything is asked for. `system_user`: whom the system says that it is.
    async fn asked(&self, asks: &OperatorAsks, system_user: u32) -> Result<String, StoreError>;
}
