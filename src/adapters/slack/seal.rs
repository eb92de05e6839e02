//! Answer addresses, sealed: what lies on disk lets nobody speak in a conversation.

use std::io::Write as _;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use hkdf::Hkdf;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use thiserror::Error;

use super::hex;
use crate::domain::actor::{Person, ReplyAddress};
use crate::domain::names::ChannelId;

/// The stored form: `2.KEY.NONCE_AND_CIPHERTEXT`, the last in base64 for addresses. Whoever was answered by an address of the first
/// form is answered in another way: Slack takes one for half an hour only.
const FORM: &str = "2";

/// Room for what stands beside an address: the moment and the tag, or the form and the name of the key.
const AROUND: usize = 48;

/// Seals and opens answer addresses with keys derived from the signing secrets. A change of secrets that keeps the old one
/// for a while keeps what it sealed readable.
pub struct Sealer {
    /// The first one seals; all open.
    keys: Vec<Key>,
}

struct Key {
    id: String,
    /// AES-256-GCM-SIV: fast where every command waits for it, and two equal nonces by chance give nothing away but that.
    cipher: LessSafeKey,
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
        source.expand(b"slash-heroku: sealing of answer addresses, 2", &mut key).ok()?;
        source.expand(b"slash-heroku: name of the sealing key, 1", &mut id).ok()?;
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, &key).ok()?);
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
        let mut nonce = [0u8; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        // In one piece, with room for what comes to it: it is made while a command waits.
        let mut whole = Vec::with_capacity(NONCE_LEN + AROUND + url.len());
        whole.extend_from_slice(&nonce);
        write!(whole, "{} {url}", now.as_second()).ok()?;
        let bound = Aad::from(bound_to(person, channel));
        let (_, open) = whole.split_first_chunk_mut::<NONCE_LEN>()?;
        let tag = key.cipher.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), bound, open).ok()?;
        whole.extend_from_slice(tag.as_ref());
        let mut text = String::with_capacity(AROUND + whole.len() * 4 / 3);
        text.extend([FORM, ".", &key.id, "."]);
        BASE64_URL_SAFE_NO_PAD.encode_string(whole, &mut text);
        Some(ReplyAddress::sealed(text))
    }

    /// Opens an address; `None` if none of our keys fits or it was sealed for somebody or somewhere else.
    pub(super) fn open(&self, sealed: &ReplyAddress, person: &Person, channel: &ChannelId) -> Option<Opened> {
        let mut parts = sealed.as_sealed().splitn(3, '.');
        let (form, id, sealed) = (parts.next()?, parts.next()?, parts.next()?);
        if form != FORM {
            return None;
        }
        let key = self.keys.iter().find(|key| key.id == id)?;
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk_mut::<NONCE_LEN>()?;
        let bound = Aad::from(bound_to(person, channel));
        let plain = key.cipher.open_in_place(Nonce::assume_unique_for_key(*nonce), bound, sealed).ok()?;
        let plain = std::str::from_utf8(plain).ok()?;
        let (at, url) = plain.split_once(' ')?;
        let sealed_at = Timestamp::from_second(at.parse().ok()?).ok()?;
        Some(Opened { url: SecretString::from(url), sealed_at })
    }
}

/// Ids hold no spaces, so that no two places read the same.
fn bound_to(person: &Person, channel: &ChannelId) -> String {
    [FORM, person.workspace.as_str(), channel.as_str(), person.user.as_str()].join(" ")
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
        let first = altered.rfind('.').unwrap() + 1;
        let other = if altered.get(first..).unwrap().starts_with('A') { "B" } else { "A" };
        altered.replace_range(first..=first, other);
        for text in [altered.as_str(), "", "2", "2.x", "2.x.y", URL, &address.replacen('2', "1", 1)] {
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
