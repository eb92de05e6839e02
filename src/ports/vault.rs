//! What keeps tokens from being of use to whoever gets at the store, and what makes secrets of our own.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::account::{Provider, SealedTokens};
use crate::domain::actor::Person;
use crate::domain::installation::Tenant;
use crate::domain::sign_in::Digest;

use super::sign_in::{Proof, Tokens};
use super::store::StoreError;

/// Why tokens could not be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// They were sealed with a key that is not among ours: put it back into the settings, or have the login linked again.
    #[error("the tokens were sealed with the key `{key}`, which is not in the settings: put it back, or link the login again")]
    KeyLost {
        /// The name of the key.
        key: String,
    },
    /// They are not what was sealed, or were sealed for another person or service.
    #[error("the tokens are not those that were sealed for this record")]
    Foreign,
    /// The system has no randomness.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

/// Seals tokens for one login of one person, or for one installation of the app.
///
/// Promises: what was sealed opens for the same person and service, or for the same installation, and nothing else; altered, it does not open; the newest key
/// seals and all of them open; nothing that is printed tells of tokens or keys.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Vault: Send + Sync + std::fmt::Debug {
    /// Seals.
    fn seal(&self, tokens: &Tokens, person: &Person, provider: Provider) -> Result<SealedTokens, VaultError>;

    /// Opens.
    fn open(&self, sealed: &SealedTokens, person: &Person, provider: Provider) -> Result<Tokens, VaultError>;

    /// Whether this is the access among the sealed tokens.
    fn holds(&self, sealed: &SealedTokens, access: &SecretString, person: &Person, provider: Provider) -> Result<bool, VaultError>;

    /// Seals what the app speaks with in one installation.
    fn seal_for(&self, tokens: &Tokens, tenant: &Tenant) -> Result<SealedTokens, VaultError>;

    /// Opens what was sealed for one installation.
    fn open_for(&self, sealed: &SealedTokens, tenant: &Tenant) -> Result<Tokens, VaultError>;

    /// Whether this is the access among what was sealed for one installation.
    fn holds_for(&self, sealed: &SealedTokens, access: &SecretString, tenant: &Tenant) -> Result<bool, VaultError>;

    /// Whether it was sealed with another key than the newest, so that it has to be sealed again before that key may go.
    fn is_behind(&self, sealed: &SealedTokens) -> bool;
}

/// What came of sealing again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many were sealed again with the newest key.
    pub sealed: u64,
    /// Why others could not be, one for each: they stay as they are.
    pub left: Vec<VaultError>,
}

impl Resealed {
    /// Adds more of both.
    pub fn add(&mut self, sealed: u64, left: Vec<VaultError>) {
        self.sealed = self.sealed.saturating_add(sealed);
        self.left.extend(left);
    }
}

/// Something that is kept sealed.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait SealedThings: Send + Sync + std::fmt::Debug {
    /// Seals again what was not sealed with the newest key. Safe to repeat, and while others use it.
    async fn reseal(&self) -> Result<Resealed, StoreError>;
}

/// Makes secrets and knows them again.
///
/// Promises: nobody can guess a secret; no two digests of different secrets are the same.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Secrets: Send + Sync + std::fmt::Debug {
    /// A new secret: at least 256 random bits, in letters that stand in addresses and cookies as they are.
    fn fresh(&self) -> Result<SecretString, VaultError>;

    /// The address of a link: what all links begin with, and the secret of this one. Shown to the person whose link it is, and to
    /// nobody else.
    fn address(&self, begins: &str, secret: &SecretString) -> String;

    /// A new passcode of eight digits, short enough to be typed.
    fn passcode(&self) -> Result<SecretString, VaultError>;

    /// What a secret is known by. `for_what` keeps one that is used for something from being taken for something else.
    fn digest(&self, for_what: &str, secret: &SecretString) -> Digest;

    /// The proof for one way to a service and back, made of what the browser keeps and what the way brings back: always the
    /// same for the same two, so that it has to be kept nowhere.
    fn proof(&self, browser: &SecretString, state: &SecretString) -> Proof;
}
