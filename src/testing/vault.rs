//! What is promised by whatever seals tokens ([`Vault`]), by what is kept sealed ([`SealedThings`]), and by whatever makes secrets
//! ([`Secrets`]).

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

use super::account_store::person;
use crate::domain::account::{Provider, SealedTokens};
use crate::domain::installation::Tenant;
use crate::domain::names::{OrganisationId, WorkspaceId};
use crate::ports::{Resealed, SealedThings, Secrets, Tokens, Vault, VaultError};

/// Vaults with keys.
pub trait Stage {
    /// With these keys alone, the newest first. The same name is the same key.
    fn with(&self, keys: &[&str]) -> Box<dyn Vault>;
}

/// The whole suite of a vault.
pub fn all(stage: &impl Stage) {
    opens_for_what_it_was_sealed_for_and_nothing_else(stage);
    the_newest_key_seals_and_all_of_them_open(stage);
    altered_it_does_not_open(stage);
    nothing_printed_tells_of_tokens(stage);
}

const PERSON: (&str, &str) = ("T1", "U1");

fn tokens() -> Tokens {
    Tokens { access: "an-access-token".into(), refresh: Some("a-refresh-token".into()) }
}

fn sealed(by: &dyn Vault) -> SealedTokens {
    by.seal(&tokens(), &person(PERSON.0, PERSON.1), Provider::SourceControl).unwrap()
}

fn opened(by: &dyn Vault, sealed: &SealedTokens) -> Result<(String, Option<String>), VaultError> {
    let tokens = by.open(sealed, &person(PERSON.0, PERSON.1), Provider::SourceControl)?;
    let text = |secret: &SecretString| secret.expose_secret().to_owned();
    Ok((text(&tokens.access), tokens.refresh.as_ref().map(text)))
}

fn whole() -> Result<(String, Option<String>), VaultError> {
    Ok(("an-access-token".to_owned(), Some("a-refresh-token".to_owned())))
}

fn opens_for_what_it_was_sealed_for_and_nothing_else(stage: &impl Stage) {
    let vault = stage.with(&["one"]);
    let of_person = sealed(&*vault);
    assert_eq!(opened(&*vault, &of_person), whole(), "broken: what was sealed opens");
    for (whose, provider) in [
        (person("T2", "U1"), Provider::SourceControl),
        (person("T1", "U2"), Provider::SourceControl),
        (person("T1", "U1"), Provider::Platform),
    ] {
        let other = vault.open(&of_person, &whose, provider).map(|_| ());
        assert_eq!(other, Err(VaultError::Foreign), "broken: it opens for {whose:?} at {provider:?}");
    }
    let workspace = |id: &str| Tenant::Workspace(WorkspaceId::parse(id).unwrap());
    let of_app = vault.seal_for(&tokens(), &workspace("T1")).unwrap();
    assert_eq!(vault.open_for(&of_app, &workspace("T1")).unwrap().access.expose_secret(), "an-access-token");
    for other in [workspace("T2"), Tenant::Organisation(OrganisationId::parse("T1").unwrap())] {
        assert_eq!(vault.open_for(&of_app, &other).map(|_| ()), Err(VaultError::Foreign), "broken: it opens for {other}");
    }
    assert_eq!(opened(&*vault, &of_app), Err(VaultError::Foreign), "broken: a person has what an installation has");
    let turned = vault.open_for(&of_person, &workspace("T1")).map(|_| ());
    assert_eq!(turned, Err(VaultError::Foreign), "broken: an installation has what a person has");
    let holds = |access: &str| vault.holds(&of_person, &access.into(), &person("T1", "U1"), Provider::SourceControl).unwrap();
    assert_eq!((holds("an-access-token"), holds("an-access-toke")), (true, false), "broken: it knows its access");
    let holds = |access: &str| vault.holds_for(&of_app, &access.into(), &workspace("T1")).unwrap();
    assert_eq!((holds("an-access-token"), holds("a-refresh-token")), (true, false), "broken: and an installation its own");
    assert_ne!(sealed(&*vault), sealed(&*vault), "broken: somebody sees that two records hold the same");
}

fn the_newest_key_seals_and_all_of_them_open(stage: &impl Stage) {
    let (old, both, new) = (stage.with(&["old"]), stage.with(&["new", "old"]), stage.with(&["new"]));
    let by_old = sealed(&*old);
    assert_eq!((opened(&*both, &by_old), both.is_behind(&by_old)), (whole(), true), "broken: an older key opens, and is told");
    let again = sealed(&*both);
    assert_eq!((opened(&*new, &again), both.is_behind(&again)), (whole(), false), "broken: the newest key seals");
    let lost = opened(&*new, &by_old).expect_err("broken: a key that is not there opens");
    assert!(matches!(&lost, VaultError::KeyLost { .. }) && lost.to_string().contains("`old`"), "broken: it is named: {lost}");
}

fn altered_it_does_not_open(stage: &impl Stage) {
    let vault = stage.with(&["one"]);
    let it = sealed(&*vault).as_sealed().to_owned();
    for at in 0..it.len() {
        let mut bytes = it.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let altered = SealedTokens::sealed(String::from_utf8(bytes).unwrap());
        assert!(opened(&*vault, &altered).is_err(), "broken: it opens with letter {at} altered");
    }
    for at in 0..it.len() {
        let cut = SealedTokens::sealed(it[..at].to_owned());
        assert!(opened(&*vault, &cut).is_err(), "broken: it opens cut at {at}");
    }
}

fn nothing_printed_tells_of_tokens(stage: &impl Stage) {
    let vault = stage.with(&["one"]);
    let it = sealed(&*vault);
    let told = format!("{vault:?} {it:?} {}", it.as_sealed());
    assert!(!told.contains("an-access-token") && !told.contains("a-refresh-token"), "broken: {told}");
}

/// The whole suite of what makes secrets.
pub fn secrets(of: &dyn Secrets) {
    let all: BTreeSet<String> = (0..200).map(|_| of.fresh().unwrap().expose_secret().to_owned()).collect();
    assert_eq!(all.len(), 200, "broken: two secrets are the same");
    let stands = |secret: &String| secret.len() >= 43 && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    assert!(all.iter().all(stands), "broken: a secret has 256 bits, and stands in an address as it is");

    let passcode = of.passcode().unwrap();
    let digits = passcode.expose_secret();
    assert!(digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()), "broken: a passcode has eight digits");

    let [one, other] = ["one", "other"].map(SecretString::from);
    assert_eq!(of.digest("link", &one), of.digest("link", &one), "broken: a digest knows its secret");
    assert_ne!(of.digest("link", &one), of.digest("link", &other), "broken: and no other");
    assert_ne!(of.digest("link", &one), of.digest("state", &one), "broken: nor the same for something else");
    assert_ne!(of.digest("link", &SecretString::from("sone")), of.digest("links", &one), "broken: wherever the one ends");

    let address = of.address("https://deploys.example.com/link/", &one);
    assert!(address.starts_with("https://deploys.example.com/link/") && address.contains("one"), "broken: an address is of one secret");

    let [browser, other, state, later] = ["browser", "other", "state", "later"].map(SecretString::from);
    let first = of.proof(&browser, &state);
    assert_eq!(first.challenge, of.proof(&browser, &state).challenge, "broken: the same two make the same proof");
    assert_ne!(first.challenge, of.proof(&other, &state).challenge, "broken: another browser makes another");
    assert_ne!(first.challenge, of.proof(&browser, &later).challenge, "broken: so does another way");
}

/// Things that were sealed by the key `old`.
#[async_trait]
pub trait SealedStage: Send {
    /// The things, for whoever has these keys alone, the newest first. The same name is the same key.
    fn with(&mut self, keys: &[&str]) -> Arc<dyn SealedThings>;

    /// How many there are.
    fn many(&self) -> usize;

    /// Whether all of them can be used by whoever has these keys alone.
    async fn open_with(&mut self, keys: &[&str]) -> bool;
}

/// The whole suite of things that are kept sealed.
pub async fn sealed_things(mut stage: impl SealedStage) {
    assert!(stage.many() > 0 && stage.open_with(&["old"]).await, "the stage has sealed nothing");
    let strangers = stage.with(&["another"]);
    let Resealed { sealed, left } = strangers.reseal().await.unwrap();
    let lost = |error: &VaultError| matches!(error, VaultError::KeyLost { .. });
    assert!(sealed == 0 && left.len() == stage.many() && left.iter().all(lost), "broken: each that cannot be opened is told: {left:?}");
    assert!(stage.open_with(&["old"]).await, "broken: what cannot be opened stays as it is");
    let things = stage.with(&["new", "old"]);
    let all = Resealed { sealed: u64::try_from(stage.many()).unwrap(), left: Vec::new() };
    assert_eq!(things.reseal().await, Ok(all), "broken: all that was not sealed with the newest key is sealed again");
    assert_eq!(things.reseal().await, Ok(Resealed::default()), "broken: it is safe to repeat, and does nothing then");
    assert!(stage.open_with(&["new"]).await, "broken: the old key can go");
}
