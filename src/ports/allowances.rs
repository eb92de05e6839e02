//! What services allow each credential, as all deploys of this process share it.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::domain::allowance::{Purpose, Short};
use crate::domain::deployment::Deployment;
use crate::domain::fault::Service;
use crate::domain::names::DeploymentId;

use super::Credentials;

/// The shared book of allowances. Never waits and never fails.
///
/// Promises: a credential is known by a digest only; nothing of it is stored or printed. Adapters tell what they hear and what they
/// create; use cases ask before they begin, report or look.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Allowances: Send + Sync + std::fmt::Debug {
    /// A service said how many requests are left, and perhaps when there will be all of them again.
    fn heard(&self, of: Service, token: &SecretString, left: u32, resets_at: Option<Timestamp>, now: Timestamp) {
        let _ = (of, token, left, resets_at, now);
    }

    /// A service wants to be left alone until a moment.
    fn shut(&self, of: Service, token: &SecretString, until: Timestamp) {
        let _ = (of, token, until);
    }

    /// Something was created there, or may have been.
    fn wrote(&self, of: Service, token: &SecretString, now: Timestamp) {
        let _ = (of, token, now);
    }

    /// Whether a deployment may begin. Whoever may not waits behind those who came before.
    fn begin(&self, id: DeploymentId, who: &Credentials, now: Timestamp) -> Result<(), Short> {
        let _ = (id, who, now);
        Ok(())
    }

    /// Keeps the books of a deployment that is worked on here.
    fn follow(&self, deployment: &Deployment, who: &Credentials) {
        let _ = (deployment, who);
    }

    /// A deployment is not worked on here any more.
    fn over(&self, id: DeploymentId) {
        let _ = id;
    }

    /// Whether something may be created at the source control, or when.
    fn may_write(&self, token: &SecretString, purpose: Purpose, now: Timestamp) -> Result<(), Timestamp> {
        let _ = (token, purpose, now);
        Ok(())
    }

    /// How long there should be between two looks at a service, each of so many `requests`; `None`: as often as anybody likes.
    fn pause(&self, of: Service, token: &SecretString, requests: u32, now: Timestamp) -> Option<SignedDuration> {
        let _ = (of, token, requests, now);
        None
    }
}

/// Allows everything: for whoever counts nothing.
#[derive(Clone, Copy, Debug)]
pub struct Boundless;

impl Allowances for Boundless {}
