//! What is remembered in memory of people and of what was read for them, and forgotten when they leave.

use secrecy::SecretString;

use crate::domain::actor::Person;
use crate::domain::names::WorkspaceId;

/// Something that remembers in memory what it has read, so that it need not be read again.
///
/// Promises: after a call nothing is remembered any more that was read with that credential, is about that person or that workspace. What is
/// read later may be remembered again. Where nothing of that sort is remembered, nothing is to be done.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Forgets: Send + Sync + std::fmt::Debug {
    /// Whatever was read with a credential.
    fn forget_credential(&self, _token: &SecretString) {}

    /// Whatever is about a person.
    fn forget_person(&self, _person: &Person) {}

    /// Whatever is about a workspace or somebody in it.
    fn forget_workspace(&self, _workspace: &WorkspaceId) {}
}
