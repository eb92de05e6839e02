//! Whether a request really comes from Slack: signature scheme v0 over the raw body, before anything is parsed.

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::hex;

/// When the request was signed, in seconds since 1970.
pub(super) const TIMESTAMP: &str = "x-slack-request-timestamp";
/// The signature.
pub(super) const SIGNATURE: &str = "x-slack-signature";

/// How far the signing time may lie from ours, to both sides, in seconds.
const WINDOW: u64 = 300;

/// Why a request is not taken for Slack's. For the log; the sender is told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// One of the two headers is missing, doubled or no text.
    #[error("a header is missing or doubled")]
    Headers,
    /// The time is not written as Slack writes it.
    #[error("the time is not a plain number")]
    Time,
    /// The time is too far away.
    #[error("the time is more than five minutes away")]
    Window,
    /// The signature is not written as Slack writes it.
    #[error("the signature is not v0= and 64 lower-case digits")]
    Form,
    /// The signature fits none of our secrets.
    #[error("the signature does not fit")]
    Mismatch,
}

/// Checks a request against every secret that is valid at the moment.
pub(super) fn verify(secrets: &[SecretString], headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Refusal> {
    let timestamp = the_only(headers, TIMESTAMP)?;
    let signature = the_only(headers, SIGNATURE)?;
    let signed_at = seconds(timestamp).ok_or(Refusal::Time)?;
    if now.as_second().abs_diff(signed_at) > WINDOW {
        return Err(Refusal::Window);
    }
    let claimed = signature.strip_prefix("v0=").and_then(hex::decode).filter(|bytes| bytes.len() == 32).ok_or(Refusal::Form)?;
    // All secrets are tried, so that the time taken does not tell which one is in use.
    let fits = secrets.iter().fold(false, |fits, secret| fits | fits_secret(secret, timestamp, body, &claimed));
    if fits { Ok(()) } else { Err(Refusal::Mismatch) }
}

fn fits_secret(secret: &SecretString, timestamp: &str, body: &[u8], claimed: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else { return false };
    mac.update(b"v0:");
    mac.update(timestamp.as_bytes());
    mac.update(b":");
    mac.update(body);
    mac.verify_slice(claimed).is_ok()
}

/// A header that is there exactly once.
fn the_only<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| Refusal::Headers),
        _ => Err(Refusal::Headers),
    }
}

/// Seconds as Slack writes them: digits, no sign, no space, no leading zero.
fn seconds(text: &str) -> Option<i64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        signing_secret: String,
        vectors: Vec<Vector>,
    }

    #[derive(Clone, Deserialize)]
    struct Vector {
        name: String,
        timestamp: String,
        body: String,
        signature: String,
    }

    impl Vector {
        fn headers(&self) -> HeaderMap {
            let mut headers = HeaderMap::new();
            headers.insert(TIMESTAMP, HeaderValue::from_str(&self.timestamp).unwrap());
            headers.insert(SIGNATURE, HeaderValue::from_str(&self.signature).unwrap());
            headers
        }

        fn at(&self, later: i64) -> Timestamp {
            Timestamp::from_second(self.timestamp.parse::<i64>().unwrap() + later).unwrap()
        }

        fn changed(&self, change: impl FnOnce(&mut Self)) -> Self {
            let mut changed = self.clone();
            change(&mut changed);
            changed
        }
    }

    fn held(file: &str) {
        let Vectors { signing_secret, vectors } = serde_json::from_str(file).unwrap();
        assert!(!vectors.is_empty());
        let secrets = [SecretString::from(signing_secret)];
        for vector in &vectors {
            let judge = |altered: &Vector| verify(&secrets, &altered.headers(), altered.body.as_bytes(), vector.at(0));
            let name = &vector.name;
            for later in [0, 300, -300] {
                assert_eq!(verify(&secrets, &vector.headers(), vector.body.as_bytes(), vector.at(later)), Ok(()), "{name} {later}");
            }
            for later in [301, -301] {
                let judged = verify(&secrets, &vector.headers(), vector.body.as_bytes(), vector.at(later));
                assert_eq!(judged, Err(Refusal::Window), "{name} {later}");
            }
            let other_body = [vector.changed(|v| v.body.push(' ')), vector.changed(|v| v.body.insert(0, 'x'))];
            for altered in &other_body {
                assert_eq!(judge(altered), Err(Refusal::Mismatch), "{name}: body");
            }
            let second = vector.changed(|v| v.timestamp = (v.timestamp.parse::<i64>().unwrap() + 1).to_string());
            assert_eq!(judge(&second), Err(Refusal::Mismatch), "{name}: another second");
            for time in ["0{}", "+{}", "{}.0", "-{}", "{}a"] {
                let altered = vector.changed(|v| v.timestamp = time.replace("{}", &v.timestamp));
                assert_eq!(judge(&altered), Err(Refusal::Time), "{name}: {time}");
            }
            for time in [" {}", "{} "] {
                let altered = vector.changed(|v| v.timestamp = time.replace("{}", &v.timestamp));
                assert_eq!(judge(&altered), Err(Refusal::Time), "{name}: {time:?}");
            }
            let digits = vector.signature.strip_prefix("v0=").unwrap();
            let flipped = if digits.ends_with('0') { '1' } else { '0' };
            let altered = vector.changed(|v| {
                v.signature.pop();
                v.signature.push(flipped);
            });
            assert_eq!(judge(&altered), Err(Refusal::Mismatch), "{name}: digit");
            for signature in [
                format!("v0={}", digits.to_uppercase()),
                format!("v0={}", digits.get(1..).unwrap()),
                format!("v0={digits}0"),
                format!("v0={digits}00"),
                format!("v1={digits}"),
                format!("V0={digits}"),
                format!(" v0={digits}"),
                format!("v0={digits} "),
                format!("v0= {digits}"),
                format!("sha256={digits}"),
                digits.to_owned(),
                "v0=".to_owned(),
                String::new(),
            ] {
                assert_eq!(judge(&vector.changed(|v| v.signature.clone_from(&signature))), Err(Refusal::Form), "{name}: {signature}");
            }
            for header in [TIMESTAMP, SIGNATURE] {
                let mut doubled = vector.headers();
                doubled.append(header, doubled[header].clone());
                assert_eq!(verify(&secrets, &doubled, vector.body.as_bytes(), vector.at(0)), Err(Refusal::Headers), "{name}");
                let mut missing = vector.headers();
                missing.remove(header);
                assert_eq!(verify(&secrets, &missing, vector.body.as_bytes(), vector.at(0)), Err(Refusal::Headers), "{name}");
            }
        }
    }

    #[test]
    fn every_vector_is_accepted_and_refused_when_altered() {
        held(include_str!("../../../fixtures/slack/signing.json"));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test's own switch, no setting of the product")]
    fn vectors_of_others_are_held_too() {
        if let Ok(file) = std::env::var("SLASH_HEROKU_SIGNING_VECTORS") {
            held(&std::fs::read_to_string(file).unwrap());
        }
    }

    #[test]
    fn two_secrets_are_valid_at_once_and_none_accepts_nothing() {
        let Vectors { signing_secret, vectors } = serde_json::from_str(include_str!("../../../fixtures/slack/signing.json")).unwrap();
        let vector = &vectors[0];
        let with = |secrets: &[&str]| {
            let secrets: Vec<SecretString> = secrets.iter().copied().map(SecretString::from).collect();
            verify(&secrets, &vector.headers(), vector.body.as_bytes(), vector.at(0))
        };
        assert_eq!(with(&["old", &signing_secret]), Ok(()));
        assert_eq!(with(&[&signing_secret, "new"]), Ok(()));
        assert_eq!(with(&["new"]), Err(Refusal::Mismatch));
        assert_eq!(with(&[]), Err(Refusal::Mismatch));
    }
}
