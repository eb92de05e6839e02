//! Signing in at a service as one of its people, and what keeps the tokens that come of it.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use std::collections::BTreeSet;

use crate::domain::account::{Life, Provider, Right};
use crate::domain::fault::PortError;
use crate::domain::names::{GrantId, LoginId, ScopeName};

/// A scope that is asked for, and what it allows us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeAsked {
    /// The scope, in the service's words; `None`: the service's own settings of our app say what it may do.
    pub scope: Option<ScopeName>,
    /// What we use it for; nothing: so that the tokens end by themselves and can be renewed.
    pub rights: BTreeSet<Right>,
}

/// How much of what was granted is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything that the person has granted our app, where the service knows that.
    Everything,
    /// These tokens alone: the same person's others are in use.
    TheseTokens,
}

/// What proves to a service that whoever gives it a code is whoever set out for it (RFC 7636): made for one way, and kept nowhere.
#[derive(Clone, Debug)]
pub struct Proof {
    /// What is shown when the code is given.
    pub verifier: SecretString,
    /// What is shown at setting out: the SHA-256 of `verifier`, in unpadded base64 for addresses.
    pub challenge: String,
}

/// A person's tokens for one login.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// What calls are made with.
    pub access: SecretString,
    /// What brings the next access; `None`: nothing does, or none is needed.
    pub refresh: Option<SecretString>,
}

/// What a service grants.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The tokens.
    pub tokens: Tokens,
    /// How long the access holds.
    pub life: Life,
    /// The scopes that were granted, which may be fewer than were asked for.
    pub scopes: BTreeSet<ScopeName>,
    /// What they allow us.
    pub rights: BTreeSet<Right>,
    /// The consent that the tokens hang on, where the service names it.
    pub grant: Option<GrantId>,
}

/// Whose login it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id, which stays.
    pub id: LoginId,
    /// Its name, as its owner knows it; cleaned, at most 100 characters. Changes, and may become another's.
    pub name: String,
}

/// What became of a revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The tokens are worth nothing any more, or were so before.
    Gone,
    /// What we hold does not allow us to revoke it: only the person can, on this page.
    OnlyByHand {
        /// The page.
        page: String,
    },
}

/// Signing in at a service.
///
/// Promises: a code is given once and never again, also where the answer is lost; a token that was replaced is not used any more by
/// the adapter; nothing that is said by it holds a secret; the person's own keys, and what other apps hold of theirs, are never
/// touched.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait SignInAt: Send + Sync + std::fmt::Debug {
    /// Which service it is.
    fn provider(&self) -> Provider;

    /// What is asked for: no more than is used.
    fn asks_for(&self) -> Vec<ScopeAsked>;

    /// The page on which the person agrees, and which sends them back with `state` and a code. Holds `state`: for their browser only.
    fn agree_at(&self, state: &SecretString, proof: &Proof) -> SecretString;

    /// Gives a code for tokens. [`super::Fault::Refused`]: it is wrong, too old or used up, or does not belong to the proof.
    async fn exchange(&self, code: SecretString, proof: &Proof) -> Result<Granted, PortError>;

    /// Whose the tokens are.
    async fn who(&self, access: &SecretString) -> Result<Identity, PortError>;

    /// Brings new tokens for old ones, which may be worth nothing from then on; asked once, also where the answer is lost.
    /// [`super::Fault::SignInLost`]: the person has to sign in again; a fault that is temporary says nothing about the tokens.
    async fn renew(&self, tokens: &Tokens) -> Result<Granted, PortError>;

    /// Ends what was granted with its tokens, and those of the same person that came of another consent as far as `extent` says. Safe
    /// to repeat.
    async fn revoke(&self, tokens: &Tokens, grant: Option<GrantId>, extent: Extent) -> Result<Revoked, PortError>;

    /// The page on which a person ends it by hand.
    fn ended_by_hand_at(&self) -> String;
}

/// When a life begins that is told in seconds.
pub fn ends_after(now: Timestamp, seconds: Option<u64>) -> Option<Timestamp> {
    let seconds = i64::try_from(seconds?).ok()?;
    now.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()
}
