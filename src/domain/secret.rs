//! Secrets that people type where none belongs: what one looks like.

use super::fault::Service;

/// What something that was typed looks like. Never the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// A token or key of a service that we speak with.
    Of(Service),
    /// An access key of a cloud account.
    Cloud,
    /// A link with a password or a key in it.
    Link,
    /// A private key.
    PrivateKey,
    /// A token or a password of whatever it may be.
    Other,
}
