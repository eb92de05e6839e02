//! A service on a store of which nobody is known and that does nothing outside but speak.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use secrecy::SecretString;
use slash_heroku::adapters::clock::RandomIds;
use slash_heroku::adapters::sled::SledStore;
use slash_heroku::domain::account::Provider;
use slash_heroku::domain::actor::Person;
use slash_heroku::metrics::Metrics;
use slash_heroku::ports::{Accounts, Boundless, Clock, Credentials, MockChat, MockPlatform, MockSourceControl, NoCredentials, NoLocks};
use slash_heroku::service::Service;
use slash_heroku::usecases::{Memories, Ports, Privacy, RepositoryMap, Rights};
use tokio::runtime::Handle;

#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Accounts for Nobody {
    async fn credentials(&self, _: &Person) -> Result<Credentials, NoCredentials> {
        Err(NoCredentials::Stranger)
    }

    async fn refused(&self, _: &Person, _: Provider, _: &SecretString) -> bool {
        false
    }
}

/// The service; not begun.
pub fn unknowing(store: &SledStore, clock: Arc<dyn Clock>, chat: MockChat) -> Service {
    let metrics = Metrics::registered(&mut prometheus_client::registry::Registry::default());
    let ports = Ports {
        chat: Arc::new(chat),
        source: Arc::new(MockSourceControl::new()),
        platform: Arc::new(MockPlatform::new()),
        store: Arc::new(store.clone()),
        clock,
        ids: Arc::new(RandomIds),
        accounts: Arc::new(Nobody),
        sign_ins: None,
        repositories: Arc::new(RepositoryMap::default()),
        command_word: Arc::from("/h"),
        tally: Arc::new(metrics.clone()),
        allowances: Arc::new(Boundless),
        locks: Arc::new(NoLocks),
        privacy: Privacy::none(),
        rights: Rights::none(),
        memories: Memories::default(),
        doorbell: None,
        stopping: Arc::new(AtomicBool::new(false)),
    };
    Service::new(ports, metrics, Handle::current())
}
