//! Who a person is at the source control and at the platform.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::actor::Person;

/// A person's own tokens. Never stored in the core, never printed.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// For the source control.
    pub source: SecretString,
    /// For the platform.
    pub platform: SecretString,
}

/// The accounts that people have linked.
#[async_trait]
pub trait Accounts: Send + Sync + std::fmt::Debug {
    /// The person's tokens; `None` if this installation does not know the person. Both the workspace and the user must
    /// match.
    async fn credentials(&self, person: &Person) -> Option<Credentials>;
}
