//! Answer addresses, sealed: what lies on disk lets nobody speak in a conversation.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use thiserror::Error;

use super::hex;
use crate::domain::actor::{Person, ReplyAddress};
use crate::domain::names::ChannelId;

/// The stored form: `1.KEY.NONCE_AND_CIPHERTEXT`, the last two in hexadecimal.
const FORM: &str = "1";
const NONCE: usize = 24;

/// Seals and opens answer addresses with keys derived from the signing secrets. A change of secrets that keeps the old one
/// for a while keeps what it sealed readable.
pub struct Sealer {
    /// The first one seals; all open.
    keys: Vec<Key>,
}

struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// No key could be made.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("there is no signing secret to derive a key from")]
pub struct NoKey;

/// An address that was opened.
pub(super) struct Opened {
    /// The address: whoever has it may speak.
    pub(super) url: SecretString,
    /// When it was sealed, which is when Slack gave it to us.
    pub(super) sealed_at: Timestamp,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({} keys)", self.keys.len())
    }
}

impl Key {
    fn derived_from(secret: &SecretString) -> Option<Self> {
        let source = Hkdf::<Sha256>::new(None, secret.expose_secret().as_bytes());
        let (mut key, mut id) = ([0u8; 32], [0u8; 4]);
        source.expand(b"slash-heroku: sealing of answer addresses, 1", &mut key).ok()?;
        source.expand(b"slash-heroku: name of the sealing key, 1", &mut id).ok()?;
        let cipher = XChaCha20Poly1305::new_from_slice(&key).ok()?;
        Some(Self { id: hex::encode(&id), cipher })
    }
}

impl Sealer {
    /// Keys from the signing secrets that are valid at the moment, the newest first.
    pub fn new(secrets: &[SecretString]) -> Result<Self, NoKey> {
        let keys: Vec<Key> = secrets.iter().filter(|secret| !secret.expose_secret().is_empty()).filter_map(Key::derived_from).collect();
        if keys.is_empty() { Err(NoKey) } else { Ok(Self { keys }) }
    }

    /// Seals an address for one person in one conversation: moved to another record, it does not open. `None` only if the
    /// system has no randomness.
    pub(super) fn seal(&self, url: &str, person: &Person, channel: &ChannelId, now: Timestamp) -> Option<ReplyAddress> {
        let key = self.keys.first()?;
        let mut nonce = [0u8; NONCE];
        getrandom::fill(&mut nonce).ok()?;
        let plain = format!("{} {url}", now.as_second());
        let bound = bound_to(person, channel);
        let payload = Payload { msg: plain.as_bytes(), aad: bound.as_bytes() };
        let sealed = key.cipher.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some(ReplyAddress::sealed(format!("{FORM}.{}.{}{}", key.id, hex::encode(&nonce), hex::encode(&sealed))))
    }

    /// Opens an address; `None` if none of our keys fits or it was sealed for somebody or somewhere else.
    pub(super) fn open(&self, sealed: &ReplyAddress, person: &Person, channel: &ChannelId) -> Option<Opened> {
        let mut parts = sealed.as_sealed().splitn(3, '.');
        let (form, id, digits) = (parts.next()?, parts.next()?, parts.next()?);
        if form != FORM {
            return None;
        }
        let key = self.keys.iter().find(|key| key.id == id)?;
        let bytes = hex::decode(digits)?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE>()?;
        let bound = bound_to(person, channel);
        let plain = key.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: bound.as_bytes() }).ok()?;
        let plain = String::from_utf8(plain).ok()?;
        let (at, url) = plain.split_once(' ')?;
        let sealed_at = Timestamp::from_second(at.parse().ok()?).ok()?;
        Some(Opened { url: SecretString::from(url), sealed_at })
    }
}

/// Ids hold no spaces, so that no two places read the same.
fn bound_to(person: &Person, channel: &ChannelId) -> String {
    format!("{FORM} {} {} {}", person.workspace, channel, person.user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::{UserId, WorkspaceId};

    const URL: &str = "https://hooks.slack.com/commands/T1/2/x";

    fn sealer(secrets: &[&str]) -> Sealer {
        Sealer::new(&secrets.iter().copied().map(SecretString::from).collect::<Vec<_>>()).unwrap()
    }

    fn person(workspace: &str, user: &str) -> Person {
        Person { workspace: WorkspaceId::parse(workspace).unwrap(), user: UserId::parse(user).unwrap() }
    }

    fn channel(id: &str) -> ChannelId {
        ChannelId::parse(id).unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_767_225_600).unwrap()
    }

    fn sealed(by: &Sealer) -> ReplyAddress {
        by.seal(URL, &person("T1", "U1"), &channel("C1"), now()).unwrap()
    }

    #[test]
    fn opens_where_it_was_sealed_for_and_nowhere_else() {
        let sealer = sealer(&["one"]);
        let address = sealed(&sealer);
        assert!(!address.as_sealed().contains("hooks"));
        let opened = sealer.open(&address, &person("T1", "U1"), &channel("C1")).unwrap();
        assert_eq!((opened.url.expose_secret(), opened.sealed_at), (URL, now()));
        assert!(sealer.open(&address, &person("T2", "U1"), &channel("C1")).is_none());
        assert!(sealer.open(&address, &person("T1", "U2"), &channel("C1")).is_none());
        assert!(sealer.open(&address, &person("T1", "U1"), &channel("C2")).is_none());
    }

    #[test]
    fn two_secrets_open_and_the_first_seals() {
        let (old, both, new) = (sealer(&["old"]), sealer(&["new", "old"]), sealer(&["new"]));
        let opens = |by: &Sealer, address: &ReplyAddress| by.open(address, &person("T1", "U1"), &channel("C1")).is_some();
        assert!(opens(&both, &sealed(&old)));
        assert!(opens(&new, &sealed(&both)));
        assert!(!opens(&new, &sealed(&old)));
    }

    #[test]
    fn altered_or_foreign_text_does_not_open() {
        let sealer = sealer(&["one"]);
        let address = sealed(&sealer).as_sealed().to_owned();
        let mut altered = address.clone();
        let last = if altered.pop() == Some('0') { '1' } else { '0' };
        altered.push(last);
        for text in [altered.as_str(), "", "1", "1.x", "1.x.y", URL, &address.replacen('1', "2", 1)] {
            let address = ReplyAddress::sealed(text.to_owned());
            assert!(sealer.open(&address, &person("T1", "U1"), &channel("C1")).is_none(), "{text}");
        }
    }

    #[test]
    fn without_a_secret_there_is_no_sealer() {
        assert_eq!(Sealer::new(&[]).unwrap_err(), NoKey);
        assert_eq!(Sealer::new(&[SecretString::from("")]).unwrap_err(), NoKey);
    }
}
