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
    use super::*;

    #[test]
    fn they_keep_the_promises_of_secrets() {
        crate::testing::vault::secrets(&SystemSecrets);
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
    fn a_proof_is_as_the_standard_has_it() {
        // RFC 7636: 43 characters, and the challenge is the digest of exactly these.
        let proof = SystemSecrets.proof(&SecretString::from("browser"), &SecretString::from("state"));
        assert_eq!((proof.verifier.expose_secret().len(), proof.challenge.len()), (43, 43));
        assert_eq!(proof.challenge, BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(proof.verifier.expose_secret())));
    }
}
