//! Visits, held to what the port promises: as they are, and as steps that are taken to their ends. And logins that are kept sealed.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use slash_heroku::adapters::sled::SledStore;
use slash_heroku::adapters::vault::TokenVault;
use slash_heroku::domain::account::Provider;
use slash_heroku::domain::actor::Person;
use slash_heroku::domain::sign_in::LINK_LIVES;
use slash_heroku::ports::{AccountStore as _, Accounts as _, MockChat, SealedThings, Visits};
use slash_heroku::service::WholeSteps;
use slash_heroku::testing::account_store::person;
use slash_heroku::testing::vault::{SealedStage, sealed_things};
use slash_heroku::testing::visits::{Stage, all};
use slash_heroku::usecases::{LinkedAccounts, SignIns};

use super::keys;
use super::visits::{at_service, set};
use crate::support::service::unknowing;

/// Ana at both services, in the chat and at browsers.
struct Ana {
    at: super::Stage,
    store: SledStore,
    sign_ins: SignIns,
    visits: Arc<dyn Visits>,
}

impl Ana {
    async fn new(whole: bool) -> Self {
        let (at, store, sign_ins) = set().await;
        let visits: Arc<dyn Visits> = Arc::new(sign_ins.clone());
        let visits = if whole {
            let service = unknowing(&store, Arc::<super::Ahead>::clone(&at.clock), MockChat::new());
            Arc::new(WholeSteps { service, visits })
        } else {
            visits
        };
        Self { at, store, sign_ins, visits }
    }
}

#[async_trait]
impl Stage for Ana {
    fn visits(&self) -> Arc<dyn Visits> {
        self.visits.clone()
    }

    fn person(&self) -> Person {
        person("T1", "U1")
    }

    async fn offer(&mut self) -> SecretString {
        self.sign_ins.offer(&self.person(), None).await.unwrap()
    }

    async fn offer_to_another(&mut self) -> SecretString {
        self.sign_ins.offer(&person("T1", "U9"), None).await.unwrap()
    }

    async fn decide(&mut self, at: Provider, page: &SecretString, agrees: bool) -> (SecretString, Option<SecretString>) {
        at_service(&self.at, at, page, agrees)
    }

    async fn types(&mut self, passcode: &SecretString) {
        self.sign_ins.typed(&self.person(), passcode).await.unwrap();
    }

    async fn linked(&mut self) -> BTreeSet<Provider> {
        self.store.account(&self.person()).await.unwrap().logins.into_keys().collect()
    }

    async fn kept(&mut self) -> String {
        let (account, visits) = (self.store.account(&self.person()).await, self.store.sign_ins_of(&self.person()).await);
        format!("{account:?} {visits:?}")
    }

    async fn time_goes_on(&mut self) {
        self.at.clock.go(LINK_LIVES);
    }
}

#[tokio::test]
async fn visits_keep_their_promises() {
    for whole in [false, true] {
        all(async || Ana::new(whole).await).await;
    }
}

/// Ana's logins, sealed.
struct Sealed {
    at: super::Stage,
    linked: LinkedAccounts,
}

impl Sealed {
    fn linked(&self, names: &[&str]) -> LinkedAccounts {
        let known = [("old", 1), ("new", 2), ("another", 3)];
        let named: Vec<(&str, u8)> = names.iter().map(|name| *known.iter().find(|(known, _)| known == name).unwrap()).collect();
        LinkedAccounts { vault: Arc::new(TokenVault::new(&keys(&named)).unwrap()), ..self.linked.clone() }
    }
}

#[async_trait]
impl SealedStage for Sealed {
    fn with(&mut self, keys: &[&str]) -> Arc<dyn SealedThings> {
        Arc::new(self.linked(keys))
    }

    fn many(&self) -> usize {
        2
    }

    async fn open_with(&mut self, keys: &[&str]) -> bool {
        match self.linked(keys).credentials(&person("T1", "U1")).await {
            Ok(both) => self.at.takes(&both.source, &both.platform).await == (true, true),
            Err(_) => false,
        }
    }
}

#[tokio::test]
async fn logins_are_sealed_again_as_promised() {
    let at = super::Stage::set().await;
    let (_store, linked) = at.open_with(&keys(&[("old", 1)]));
    at.link(&linked).await;
    sealed_things(Sealed { at, linked }).await;
}
