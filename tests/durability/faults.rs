//! Syncs that are shared, that are waited for, and that fail.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use futures_util::future::join_all;
use slash_heroku::adapters::sled::{Opening, SledStore, Sync};
use slash_heroku::ports::{Batch, Store, StoreError};

use super::{open_soon, ship};
use crate::support::folders;
use crate::support::records::{app, deployment, deployment_id};

#[tokio::test]
async fn nobody_is_answered_before_the_sync_and_many_share_one() {
    let place = folders::in_memory();
    let (held, syncs, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
    let (entered, mut syncing) = tokio::sync::mpsc::unbounded_channel();
    let (let_go, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let sync = Sync::by({
        let (held, syncs) = (Arc::clone(&held), Arc::clone(&syncs));
        move |file| {
            syncs.fetch_add(1, Ordering::SeqCst);
            if held.swap(false, Ordering::SeqCst) {
                entered.send(()).unwrap();
                gate.lock().unwrap().recv().unwrap();
            }
            file.sync_data()
        }
    });
    let store = SledStore::open_with(place.path(), Opening { sync, ..Opening::default() }).unwrap();
    syncs.store(0, Ordering::SeqCst);
    held.store(true, Ordering::SeqCst);
    let saves = join_all((0..40).map(|n| {
        let (store, answered) = (&store, &answered);
        async move {
            store.save(Batch::deployment(deployment(n, "a"))).await.unwrap();
            answered.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let opens = async {
        syncing.recv().await.unwrap();
        assert_eq!(answered.load(Ordering::SeqCst), 0, "nothing lies on disk yet");
        let_go.send(()).unwrap();
    };
    tokio::join!(saves, opens);
    assert_eq!(answered.load(Ordering::SeqCst), 40);
    assert!(syncs.load(Ordering::SeqCst) <= 2, "one that was held, and one for all that came meanwhile");
    syncs.store(0, Ordering::SeqCst);
    store.open_deployments().await.unwrap();
    assert_eq!(syncs.load(Ordering::SeqCst), 0, "what only reads syncs nothing");
}

#[tokio::test]
async fn a_failed_sync_is_the_end() {
    let place = folders::in_memory();
    let (broken, syncs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let sync = Sync::by({
        let (broken, syncs) = (Arc::clone(&broken), Arc::clone(&syncs));
        move |file| {
            syncs.fetch_add(1, Ordering::SeqCst);
            if broken.load(Ordering::SeqCst) { Err(io::Error::other("the disk is on fire")) } else { file.sync_data() }
        }
    });
    let store = SledStore::open_with(place.path(), Opening { sync, ..Opening::default() }).unwrap();
    ship(&store, 1, &app("a")).await.unwrap();
    broken.store(true, Ordering::SeqCst);
    let said = ship(&store, 2, &app("a")).await;
    assert!(matches!(&said, Err(StoreError::Failed(why)) if why.contains("on fire")), "{said:?}");
    let syncs_then = syncs.load(Ordering::SeqCst);
    broken.store(false, Ordering::SeqCst);
    assert!(matches!(ship(&store, 3, &app("a")).await, Err(StoreError::Failed(_))), "a disk that is well again changes nothing");
    assert!(matches!(store.deployment(deployment_id(1)).await, Err(StoreError::Failed(_))), "nor is anything read");
    assert!(store.failed().await.contains("on fire"), "the process can notice");
    assert_eq!(syncs.load(Ordering::SeqCst), syncs_then, "a failed sync is never tried again");

    let store = SledStore::open(place.path()).unwrap();
    assert!(store.deployment(deployment_id(1)).await.unwrap().is_some(), "a restart recovers what was acknowledged");
    ship(&store, 4, &app("a")).await.unwrap();
}

#[tokio::test]
async fn a_panic_in_a_sync_is_the_end_too() {
    let place = folders::in_memory();
    let broken = Arc::new(AtomicBool::new(false));
    let sync = Sync::by({
        let broken = Arc::clone(&broken);
        move |file| if broken.load(Ordering::SeqCst) { std::panic::resume_unwind(Box::new("a bug")) } else { file.sync_data() }
    });
    let store = SledStore::open_with(place.path(), Opening { sync, ..Opening::default() }).unwrap();
    broken.store(true, Ordering::SeqCst);
    assert!(matches!(ship(&store, 1, &app("a")).await, Err(StoreError::Failed(_))));
    assert!(store.failed().await.contains("panicked"));
}

#[tokio::test]
async fn a_closed_store_says_so_and_lets_go() {
    let place = folders::in_memory();
    let store = SledStore::open(place.path()).unwrap();
    let other = store.clone();
    ship(&store, 1, &app("a")).await.unwrap();
    let said = open_soon(place.path()).unwrap_err().to_string();
    assert!(said.contains("in use") && said.contains("stop that one first"), "{said}");
    assert!(said.contains(&std::process::id().to_string()), "{said}");
    store.close().await;
    assert!(matches!(ship(&other, 2, &app("a")).await, Err(StoreError::Failed(_))));
    store.close().await;
    let again = open_soon(place.path()).unwrap();
    assert!(again.deployment(deployment_id(1)).await.unwrap().is_some());
    drop(again);
    SledStore::open(place.path()).unwrap();
}
