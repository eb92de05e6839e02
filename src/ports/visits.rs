//! Visits to link logins, as the pages in a browser see them.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::account::Provider;
use crate::domain::actor::Person;
use crate::domain::fault::PortError;
use crate::domain::sign_in::{Dead, View};

/// Why a step of a visit was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoVisit {
    /// There is no such link, or no such visit.
    Unknown,
    /// It does not take this step, or takes none any more.
    Dead(Dead),
    /// The service did not give tokens; the visit goes on.
    Outside(PortError),
    /// It could not be recorded, or not be sealed: nothing was linked. Told in the log.
    Broken,
}

impl From<Dead> for NoVisit {
    fn from(dead: Dead) -> Self {
        Self::Dead(dead)
    }
}

/// Visits to link logins.
///
/// Promises: looking changes nothing; a link opens once; only the browser that opened a visit goes on with it; nothing that a visit
/// links is anybody's before the person types its passcode in the chat; no answer tells whether a guessed secret was nearly right.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Visits: Send + Sync + std::fmt::Debug {
    /// Whom a link is for, if it may be opened.
    async fn look(&self, link: &SecretString) -> Result<Person, NoVisit>;

    /// Opens a link; gives what this browser has to keep and show from now on.
    async fn open(&self, link: &SecretString) -> Result<SecretString, NoVisit>;

    /// The page of the visit that this browser has opened.
    async fn view(&self, browser: &SecretString) -> Result<View, NoVisit>;

    /// Sets out to a service; gives the address to go to.
    async fn set_out(&self, browser: &SecretString, to: Provider) -> Result<SecretString, NoVisit>;

    /// Comes back with what the service gave along: no code, if the person did not agree. Says from where.
    async fn come_back(&self, browser: &SecretString, state: &SecretString, code: Option<SecretString>) -> Result<Provider, NoVisit>;

    /// The browser is done; gives the passcode to type in the chat.
    async fn done(&self, browser: &SecretString) -> Result<SecretString, NoVisit>;
}
