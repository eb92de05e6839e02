//! Secrets of our own: random, known by their digests.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

use crate::domain::sign_in::Digest;
use crate::ports::{Proof, Secrets, VaultError};

/// How many passcodes there are.
const PASSCODES: u64 = 100_000_000;

/// Secrets made of the system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemSecrets;

impl Secrets for SystemSecrets {
    fn fresh(&self) -> Result<SecretString, VaultError> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| VaultError::NoRandomness)?;
        Ok(SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice())))
    }

    fn address(&self, begins: &str, secret: &SecretString) -> String {
        format!("{begins}{}", secret.expose_secret())
    }

    fn passcode(&self) -> Result<SecretString, VaultError> {
        // Numbers beyond the last whole round are drawn again: no passcode comes up more often than another.
        let whole = u64::MAX - u64::MAX % PASSCODES;
        loop {
            let drawn = getrandom::u64().map_err(|_| VaultError::NoRandomness)?;
            if drawn < whole {
                return Ok(SecretString::from(format!("{:08}", drawn % PASSCODES)));
            }
        }
    }

    fn digest(&self, for_what: &str, secret: &SecretString) -> Digest {
        // The length stands first, so that no purpose and secret read as another pair.
        let length = u64::try_from(for_what.len()).unwrap_or(u64::MAX).to_be_bytes();
        let digest = Sha256::new().chain_update(length).chain_update(for_what).chain_update(secret.expose_secret());
        Digest::new(digest.finalize().into())
    }

    fn proof(&self, browser: &SecretString, state: &SecretString) -> Proof {
        // A key of any length is taken.
        let mac = Hmac::<Sha256>::new_from_slice(browser.expose_secret().as_bytes());
        let bytes = mac
            .map(|mac| mac.chain_update(b"slash-heroku: proof of a way, 1 ").chain_update(state.expose_secret()).finalize().into_bytes());
        let verifier = BASE64_URL_SAFE_NO_PAD.encode(bytes.unwrap_or_default());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        Proof { verifier: SecretString::from(verifier), challenge }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let all: BTreeSet<String> = (0..200).map(|_| SystemSecrets.fresh().unwrap().expose_secret().to_owned()).collect();
        assert_eq!(all.len(), 200);
        assert!(all.iter().all(|secret| secret.len() == 43 && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')));
    }

    #[test]
    fn a_passcode_is_a_one_time_code_to_whoever_splits_commands() {
        for _ in 0..50 {
            let passcode = SystemSecrets.passcode().unwrap();
            let typed = format!("login {}", passcode.expose_secret());
            let (rest, code) = crate::domain::parse::split_code(&typed);
            assert_eq!((rest, code.as_deref()), ("login", Some(passcode.expose_secret())));
        }
    }

    #[test]
    fn a_digest_knows_a_secret_for_its_purpose() {
        let [one, other] = ["one", "other"].map(SecretString::from);
        let digest = |purpose: &str, secret: &SecretString| SystemSecrets.digest(purpose, secret);
        assert_eq!(digest("link", &one), digest("link", &one));
        assert_ne!(digest("link", &one), digest("link", &other));
        assert_ne!(digest("link", &one), digest("state", &one));
        assert_ne!(digest("link", &SecretString::from("sone")), digest("links", &one));
    }

    #[test]
    fn a_proof_is_that_of_one_browser_and_one_way() {
        let [browser, other, state, later] = ["browser", "other", "state", "later"].map(SecretString::from);
        let proof = |browser: &SecretString, state: &SecretString| SystemSecrets.proof(browser, state);
        let first = proof(&browser, &state);
        assert_eq!(first.challenge, proof(&browser, &state).challenge);
        assert_ne!(first.challenge, proof(&other, &state).challenge);
        assert_ne!(first.challenge, proof(&browser, &later).challenge);
        // RFC 7636: 43 characters, and the challenge is the digest of exactly these.
        assert_eq!((first.verifier.expose_secret().len(), first.challenge.len()), (43, 43));
        assert_eq!(first.challenge, BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(first.verifier.expose_secret())));
    }
}
