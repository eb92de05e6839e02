//! Who a person is at the source control and at the platform.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::account::{Missing, Provider};
use crate::domain::actor::Person;
use crate::domain::fault::PortError;

/// A person's own tokens. Never stored in the core, never printed.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// For the source control.
    pub source: SecretString,
    /// For the platform.
    pub platform: SecretString,
}

impl Credentials {
    /// The one for this service.
    pub fn at(&self, provider: Provider) -> &SecretString {
        match provider {
            Provider::SourceControl => &self.source,
            Provider::Platform => &self.platform,
        }
    }
}

/// Why a person's tokens cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoCredentials {
    /// This installation works for somebody else, and nobody can link a login to it.
    Stranger,
    /// These logins have to be linked, or linked again; at least one.
    Missing(Vec<Missing>),
    /// They are linked and have to be renewed, and the service that does it is away.
    Away(PortError),
    /// They are linked and cannot be opened or read here. Whoever runs the installation can mend it; linking them again does as well.
    Locked,
}

impl NoCredentials {
    /// Whether they may be there again without anybody doing anything.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Stranger | Self::Missing(_) | Self::Locked => false,
        }
    }
}

/// The accounts that people have linked.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Accounts: Send + Sync + std::fmt::Debug {
    /// The person's tokens, good at this moment as far as anybody here knows. Both the workspace and the user must match.
    async fn credentials(&self, person: &Person) -> Result<Credentials, NoCredentials>;

    /// The person's token for one service, wherever they stand at the other; `None` if it cannot be had now.
    async fn token(&self, person: &Person, at: Provider) -> Option<SecretString> {
        self.credentials(person).await.ok().map(|who| who.at(at).clone())
    }

    /// A service has refused this token, which came of [`Accounts::credentials`]. Whether there is another one now: then the same may
    /// be tried once more with it.
    async fn refused(&self, person: &Person, at: Provider, token: &SecretString) -> bool;
}
