//! Stores, held to what the port promises.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use slash_heroku::adapters::clock::SystemClock;
use slash_heroku::adapters::sled::{Restoring, SledStore, backup, restore_with};
use slash_heroku::domain::privacy::OperatorAsks;
use slash_heroku::ports::{AccountStore, Clock as _, LockStore, Store};
use slash_heroku::testing::store::{Place, all};
use slash_heroku::testing::{account_store, installation_store, keeping, lock_store, rights};

use crate::races::memory::Memory;
use crate::support::folders;

/// A folder for a store on sled.
struct SledPlace {
    folder: tempfile::TempDir,
    open: Option<SledStore>,
}

impl SledPlace {
    /// The store, opened anew; whatever was open before is closed.
    async fn reopened(&mut self) -> SledStore {
        if let Some(before) = self.open.take() {
            before.close().await;
        }
        let store = SledStore::open(&self.folder.path().join("store")).unwrap();
        self.open.insert(store).clone()
    }

    async fn backed_up(&mut self) -> Timestamp {
        if let Some(before) = self.open.take() {
            before.close().await;
        }
        let folder = self.folder.path();
        backup(&folder.join("store"), &folder.join("backup"), &OperatorAsks::backup(None, None)).await.unwrap();
        SystemClock::default().now()
    }

    async fn brought_back(&mut self) -> SledStore {
        if let Some(before) = self.open.take() {
            before.close().await;
        }
        let folder = self.folder.path();
        let now = SystemClock::default().now() + SignedDuration::from_mins(1);
        let how = Restoring { removals: Some(folder.join("store.removals")), however_old: false, now };
        restore_with(&folder.join("again"), &folder.join("backup"), how).await.unwrap();
        let store = SledStore::open(&folder.join("again")).unwrap();
        self.open.insert(store).clone()
    }
}

impl Place for SledPlace {
    fn open(&mut self) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async { Arc::new(self.reopened().await) as Arc<dyn Store> })
    }

    fn at_rest(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let Some(store) = &self.open else { return };
            store.at_rest().await.unwrap();
        })
    }
}

#[tokio::test]
async fn sled_keeps_the_promises_of_a_store() {
    all(|| SledPlace { folder: folders::in_memory(), open: None }).await;
}

impl lock_store::Place for SledPlace {
    fn open(&mut self) -> BoxFuture<'_, Arc<dyn LockStore>> {
        Box::pin(async { Arc::new(self.reopened().await) as Arc<dyn LockStore> })
    }
}

#[tokio::test]
async fn sled_keeps_the_promises_of_a_store_of_locks() {
    lock_store::all(|| SledPlace { folder: folders::in_memory(), open: None }).await;
}

impl account_store::Place for SledPlace {
    fn open(&mut self) -> BoxFuture<'_, Arc<dyn AccountStore>> {
        Box::pin(async { Arc::new(self.reopened().await) as Arc<dyn AccountStore> })
    }
}

#[tokio::test]
async fn sled_keeps_the_promises_of_a_store_of_accounts() {
    account_store::all(|| SledPlace { folder: folders::in_memory(), open: None }).await;
}

impl installation_store::Place for SledPlace {
    fn open(&mut self) -> BoxFuture<'_, installation_store::Opened> {
        Box::pin(async {
            let store = Arc::new(self.reopened().await);
            installation_store::Opened { installations: store.clone(), accounts: store.clone(), store }
        })
    }

    fn back_up(&mut self) -> BoxFuture<'_, Timestamp> {
        Box::pin(self.backed_up())
    }

    fn bring_back(&mut self) -> BoxFuture<'_, installation_store::Opened> {
        Box::pin(async {
            let store = Arc::new(self.brought_back().await);
            installation_store::Opened { installations: store.clone(), accounts: store.clone(), store }
        })
    }
}

#[tokio::test]
async fn sled_keeps_the_promises_of_a_store_of_installations() {
    installation_store::all(|| SledPlace { folder: folders::in_memory(), open: None }).await;
}

impl rights::Place for SledPlace {
    fn open(&mut self) -> BoxFuture<'_, rights::Opened> {
        Box::pin(async {
            let store = Arc::new(self.reopened().await);
            rights::Opened { keeping: store.clone(), installations: store }
        })
    }
}

#[tokio::test]
async fn sled_keeps_the_promises_about_rules() {
    rights::all(|| SledPlace { folder: folders::in_memory(), open: None }).await;
}

impl keeping::Place for SledPlace {
    fn open(&mut self) -> BoxFuture<'_, keeping::Opened> {
        Box::pin(async {
            let store = Arc::new(self.reopened().await);
            keeping::Opened { keeping: store.clone(), store }
        })
    }

    fn back_up(&mut self) -> BoxFuture<'_, Timestamp> {
        Box::pin(self.backed_up())
    }

    fn bring_back(&mut self) -> BoxFuture<'_, keeping::Opened> {
        Box::pin(async {
            let store = Arc::new(self.brought_back().await);
            keeping::Opened { keeping: store.clone(), store }
        })
    }
}

#[tokio::test]
async fn sled_keeps_the_promises_about_people() {
    keeping::all(|| SledPlace { folder: folders::in_memory(), open: None }).await;
}

impl Place for Memory {
    fn open(&mut self) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async {
            self.reopened();
            Arc::new(self.clone()) as Arc<dyn Store>
        })
    }
}

/// What the races run on is a store.
#[tokio::test]
async fn the_store_of_the_races_keeps_the_promises_of_a_store() {
    all(Memory::default).await;
}
