//! Tokens, sealed: with authenticated encryption, bound to the record that they belong to, under keys that have names.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use thiserror::Error;

use crate::domain::account::{Provider, SealedTokens};
use crate::domain::actor::Person;
use crate::domain::installation::Tenant;
use crate::ports::{Tokens, Vault, VaultError};

/// The stored form: `1.KEY.NONCE_AND_CIPHERTEXT`, the last in base64 for addresses.
const FORM: &str = "1";
const NONCE: usize = 24;
/// How many bytes a key has.
const KEY: usize = 32;

/// A key as settings name it. Never printed.
struct Key {
    name: String,
    cipher: XChaCha20Poly1305,
}

/// What is wrong with a list of keys.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeysError {
    /// None is there.
    #[error("there is no key")]
    None,
    /// One is no key.
    #[error("key {0} is none: a key is `NAME:BASE64`, the name up to 32 of a-z, 0-9 and `-`, and 32 random bytes in base64")]
    Malformed(usize),
    /// A name stands for two.
    #[error("two keys have the name `{0}`")]
    Twice(String),
}

/// The keys, and what they seal.
pub struct TokenVault {
    /// The first one seals; all open.
    keys: Vec<Key>,
}

impl std::fmt::Debug for TokenVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.keys.iter().map(|key| key.name.as_str()).collect();
        f.debug_struct("TokenVault").field("keys", &names).finish_non_exhaustive()
    }
}

/// What is sealed. Opened, it lives no longer than it takes to make secrets of it.
#[derive(Serialize, Deserialize)]
struct Content<'a> {
    access: std::borrow::Cow<'a, str>,
    refresh: Option<std::borrow::Cow<'a, str>>,
}

impl TokenVault {
    /// Keys as settings list them, with commas between, the newest first.
    pub fn new(keys: &SecretString) -> Result<Self, KeysError> {
        let parts = keys.expose_secret().split(',').map(str::trim).filter(|part| !part.is_empty());
        let mut read: Vec<Key> = Vec::new();
        for (at, part) in parts.enumerate() {
            let malformed = KeysError::Malformed(at.saturating_add(1));
            let key = read_key(part).ok_or(malformed)?;
            if read.iter().any(|known| known.name == key.name) {
                return Err(KeysError::Twice(key.name));
            }
            read.push(key);
        }
        if read.is_empty() { Err(KeysError::None) } else { Ok(Self { keys: read }) }
    }
}

fn read_key(part: &str) -> Option<Key> {
    let (name, encoded) = part.split_once(':')?;
    let named = (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(encoded.trim()).ok().filter(|bytes| named && bytes.len() == KEY)?);
    // Derived, so that the same bytes used elsewhere as well would not be the same key.
    let mut key = Zeroizing::new([0_u8; KEY]);
    Hkdf::<Sha256>::new(None, &bytes).expand(b"slash-heroku: sealing of tokens, 1", key.as_mut_slice()).ok()?;
    Some(Key { name: name.to_owned(), cipher: XChaCha20Poly1305::new_from_slice(key.as_slice()).ok()? })
}

/// What tokens are bound to. Ids hold no blanks, so that no two records read the same.
fn bound_to(person: &Person, provider: Provider) -> String {
    let provider = match provider {
        Provider::SourceControl => "source-control",
        Provider::Platform => "platform",
    };
    format!("{FORM} {} {} {provider}", person.workspace, person.user)
}

/// The same for an installation. The first word is one that no person's record begins with.
fn bound_to_tenant(tenant: &Tenant) -> String {
    match tenant {
        Tenant::Workspace(id) => format!("{FORM}/app workspace {id}"),
        Tenant::Organisation(id) => format!("{FORM}/app organisation {id}"),
    }
}

impl TokenVault {
    fn sealed(&self, tokens: &Tokens, bound: &str) -> Result<SealedTokens, VaultError> {
        let key = self.keys.first().ok_or(VaultError::NoRandomness)?;
        let mut nonce = [0_u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        let content = Content {
            access: tokens.access.expose_secret().into(),
            refresh: tokens.refresh.as_ref().map(|refresh| refresh.expose_secret().into()),
        };
        let plain = Zeroizing::new(serde_json::to_vec(&content).map_err(|_| VaultError::Foreign)?);
        let payload = Payload { msg: &plain, aad: bound.as_bytes() };
        let sealed = key.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::Foreign)?;
        let bytes = [nonce.as_slice(), &sealed].concat();
        Ok(SealedTokens::sealed(format!("{FORM}.{}.{}", key.name, BASE64_URL_SAFE_NO_PAD.encode(bytes))))
    }

    fn opened(&self, sealed: &SealedTokens, bound: &str) -> Result<Tokens, VaultError> {
        let (name, encoded) = parts(sealed).ok_or(VaultError::Foreign)?;
        let key = self.keys.iter().find(|key| key.name == name).ok_or_else(|| VaultError::KeyLost { key: name.to_owned() })?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded).map_err(|_| VaultError::Foreign)?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE>().ok_or(VaultError::Foreign)?;
        let payload = Payload { msg: ciphertext, aad: bound.as_bytes() };
        let plain = Zeroizing::new(key.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| VaultError::Foreign)?);
        let content: Content<'_> = serde_json::from_slice(&plain).map_err(|_| VaultError::Foreign)?;
        let secret = |text: std::borrow::Cow<'_, str>| SecretString::from(text.into_owned());
        Ok(Tokens { access: secret(content.access), refresh: content.refresh.map(secret) })
    }
}

impl Vault for TokenVault {
    fn seal(&self, tokens: &Tokens, person: &Person, provider: Provider) -> Result<SealedTokens, VaultError> {
        self.sealed(tokens, &bound_to(person, provider))
    }

    fn open(&self, sealed: &SealedTokens, person: &Person, provider: Provider) -> Result<Tokens, VaultError> {
        self.opened(sealed, &bound_to(person, provider))
    }

    fn seal_for(&self, tokens: &Tokens, tenant: &Tenant) -> Result<SealedTokens, VaultError> {
        self.sealed(tokens, &bound_to_tenant(tenant))
    }

    fn open_for(&self, sealed: &SealedTokens, tenant: &Tenant) -> Result<Tokens, VaultError> {
        self.opened(sealed, &bound_to_tenant(tenant))
    }

    fn holds_for(&self, sealed: &SealedTokens, access: &SecretString, tenant: &Tenant) -> Result<bool, VaultError> {
        Ok(self.open_for(sealed, tenant)?.access.expose_secret() == access.expose_secret())
    }

    fn holds(&self, sealed: &SealedTokens, access: &SecretString, person: &Person, provider: Provider) -> Result<bool, VaultError> {
        Ok(self.open(sealed, person, provider)?.access.expose_secret() == access.expose_secret())
    }

    fn is_behind(&self, sealed: &SealedTokens) -> bool {
        parts(sealed).is_none_or(|(name, _)| self.keys.first().is_none_or(|newest| newest.name != name))
    }
}

/// The name of the key, and what it has sealed. Names of keys are checked: an altered one cannot bring words into an error.
fn parts(sealed: &SealedTokens) -> Option<(&str, &str)> {
    let mut parts = sealed.as_sealed().splitn(3, '.');
    let (form, name, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    let named = (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (form == FORM && named).then_some((name, encoded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::{UserId, WorkspaceId};
    use crate::testing::vault as suite;

    fn key(name: &str, byte: u8) -> String {
        format!("{name}:{}", BASE64_STANDARD.encode([byte; KEY]))
    }

    fn vault(keys: &[String]) -> TokenVault {
        TokenVault::new(&SecretString::from(keys.join(", "))).unwrap()
    }

    fn person(workspace: &str, user: &str) -> Person {
        Person { workspace: WorkspaceId::parse(workspace).unwrap(), user: UserId::parse(user).unwrap() }
    }

    fn tokens() -> Tokens {
        Tokens { access: "gho_access".into(), refresh: Some("ghr_refresh".into()) }
    }

    fn sealed(by: &TokenVault) -> SealedTokens {
        by.seal(&tokens(), &person("T1", "U1"), Provider::SourceControl).unwrap()
    }

    fn opened(by: &TokenVault, sealed: &SealedTokens) -> Result<(String, Option<String>), VaultError> {
        let tokens = by.open(sealed, &person("T1", "U1"), Provider::SourceControl)?;
        let text = |secret: &SecretString| secret.expose_secret().to_owned();
        Ok((text(&tokens.access), tokens.refresh.as_ref().map(text)))
    }

    struct ByName;

    impl suite::Stage for ByName {
        fn with(&self, keys: &[&str]) -> Box<dyn Vault> {
            let byte = |name: &str| name.bytes().fold(0_u8, u8::wrapping_add);
            Box::new(vault(&keys.iter().map(|name| key(name, byte(name))).collect::<Vec<_>>()))
        }
    }

    #[test]
    fn it_keeps_the_promises_of_a_vault() {
        suite::all(&ByName);
    }

    #[test]
    fn the_name_of_a_key_alone_does_not_open() {
        let by_old = sealed(&vault(&[key("old", 1)]));
        assert_eq!(opened(&vault(&[key("old", 3)]), &by_old), Err(VaultError::Foreign), "another key under the same name is told as such");
    }

    #[test]
    fn what_is_none_of_ours_does_not_open() {
        let vault = vault(&[key("one", 1)]);
        for text in ["", "1", "1.one", "1.one.", "2.one.AAAA", "1.one.AAAA"] {
            assert_eq!(opened(&vault, &SealedTokens::sealed(text.to_owned())), Err(VaultError::Foreign), "{text}");
            assert_eq!(vault.is_behind(&SealedTokens::sealed(text.to_owned())), !text.starts_with("1.one."));
        }
    }

    #[test]
    fn keys_are_checked_and_never_printed() {
        let new = |text: &str| TokenVault::new(&SecretString::from(text.to_owned())).map(|_| ()).unwrap_err();
        assert_eq!(new(""), KeysError::None);
        assert_eq!(new("one:AAAA"), KeysError::Malformed(1));
        assert_eq!(new(&format!("{},Two:{}", key("one", 1), BASE64_STANDARD.encode([1; KEY]))), KeysError::Malformed(2));
        assert_eq!(new(&format!("{},{}", key("one", 1), key("one", 2))), KeysError::Twice("one".to_owned()));
        let told = format!("{:?} {:?}", vault(&[key("one", 1)]), sealed(&vault(&[key("one", 1)])));
        assert!(told.contains("one") && !told.contains("AQEB"), "{told}");
    }
}
