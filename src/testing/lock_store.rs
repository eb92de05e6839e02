//! What a store of locks promises: [`LockStore`].

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::domain::lock::{Lock, Locks};
use crate::domain::names::{PipelineId, PipelineName};
use crate::ports::{LockStore, StoreError};

use super::records::at;

/// A place for a store: opened again, it holds what was answered with `Ok`.
pub trait Place: Send {
    /// Opens it; whatever was open before is closed.
    fn open(&mut self) -> BoxFuture<'_, Arc<dyn LockStore>>;
}

/// The whole suite; each part has a place of its own.
pub async fn all<P: Place>(mut place: impl FnMut() -> P) {
    locks_stay(&mut place()).await;
    of_two_one_finds_the_other(&mut place()).await;
}

/// A lock on a whole pipeline. Built from JSON, so that a new field with a default breaks no test.
pub fn lock(user: &str, request: &str) -> Lock {
    let lock = serde_json::json!({
        "on": "pipeline", "holder": { "workspace": "T1", "user": user }, "because": "it is moving", "since": at(0), "set_at": at(0),
        "until": at(60), "taken_in": "C1", "request": request, "reminders": 0,
    });
    serde_json::from_value(lock).unwrap()
}

/// A pipeline's locks, with none.
pub fn none(pipeline: &str) -> Locks {
    Locks::none(PipelineId::parse(pipeline).unwrap(), PipelineName::parse("web").unwrap())
}

async fn read(store: &Arc<dyn LockStore>, pipeline: &str) -> Locks {
    store.locks(&PipelineId::parse(pipeline).unwrap(), &PipelineName::parse("web").unwrap()).await.unwrap()
}

async fn locks_stay<P: Place>(place: &mut P) {
    let store = place.open().await;
    assert_eq!(read(&store, "p1").await, none("p1"), "broken: nobody holds anything yet");
    assert!(store.all_locks().await.unwrap().is_empty(), "broken: what was only asked for is not there");
    let taken = none("p1").taken(lock("U1", "d1"), false, at(0)).unwrap().locks;
    store.save_locks(&taken, Vec::new()).await.unwrap();
    drop(store);
    let store = place.open().await;
    assert_eq!(read(&store, "p1").await, Locks { version: 1, ..taken }, "broken: what was saved is there after a restart");
    assert_eq!(read(&store, "p").await, none("p"), "broken: a pipeline is found by its whole id");
    assert_eq!(store.all_locks().await.unwrap().len(), 1, "broken: all locks are found");
}

async fn of_two_one_finds_the_other<P: Place>(place: &mut P) {
    let store = place.open().await;
    let (ana, bob) = (read(&store, "p1").await, read(&store, "p1").await);
    store.save_locks(&ana.taken(lock("U1", "d1"), false, at(0)).unwrap().locks, Vec::new()).await.unwrap();
    let late = store.save_locks(&bob.taken(lock("U2", "d2"), false, at(0)).unwrap().locks, Vec::new()).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "broken: of two who read the same only the first saves");
    let again = read(&store, "p1").await;
    assert!(again.taken(lock("U2", "d2"), false, at(0)).is_err(), "broken: whoever comes second finds the lock of the first");
}
