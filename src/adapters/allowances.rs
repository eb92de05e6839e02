//! Allowances, kept in memory: what services say with every answer needs no store.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::domain::allowance::{Holder, Holders, Ledger, Limits, Purpose, Short};
use crate::domain::deployment::Deployment;
use crate::domain::names::DeploymentId;
use crate::ports::{Allowances, Credentials, Forgets, Service};

/// A ledger that is shared.
#[derive(Debug)]
pub struct InMemory(Mutex<Ledger>);

impl InMemory {
    /// A ledger with the limits of the source control and of the platform.
    pub fn new(source: Limits, platform: Limits) -> Self {
        Self(Mutex::new(Ledger::new(source, platform)))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn holder(token: &SecretString) -> Holder {
    Holder(Sha256::digest(token.expose_secret().as_bytes()).into())
}

fn holders(who: &Credentials) -> Holders {
    Holders { source: holder(&who.source), platform: holder(&who.platform) }
}

impl Forgets for InMemory {
    fn forget_credential(&self, token: &SecretString) {
        self.ledger().forget(holder(token));
    }
}

impl Allowances for InMemory {
    fn heard(&self, of: Service, token: &SecretString, left: u32, resets_at: Option<Timestamp>, now: Timestamp) {
        self.ledger().heard(of, holder(token), left, resets_at, now);
    }

    fn shut(&self, of: Service, token: &SecretString, until: Timestamp) {
        self.ledger().shut(of, holder(token), until);
    }

    fn wrote(&self, of: Service, token: &SecretString, now: Timestamp) {
        self.ledger().wrote(of, holder(token), now);
    }

    fn begin(&self, id: DeploymentId, who: &Credentials, now: Timestamp) -> Result<(), Short> {
        self.ledger().begin(id, holders(who), now)
    }

    fn follow(&self, deployment: &Deployment, who: &Credentials) {
        self.ledger().follow(deployment, holders(who));
    }

    fn over(&self, id: DeploymentId) {
        self.ledger().over(id);
    }

    fn may_write(&self, token: &SecretString, purpose: Purpose, now: Timestamp) -> Result<(), Timestamp> {
        self.ledger().may_write(holder(token), purpose, now)
    }

    fn pause(&self, of: Service, token: &SecretString, requests: u32, now: Timestamp) -> Option<SignedDuration> {
        self.ledger().pause(of, holder(token), requests, now)
    }
}
