//! What whoever hears of installations promises: [`Hears`].

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::installation::Happening;
use crate::domain::names::DeliveryId;
use crate::ports::Hears;

/// Somebody who hears, and something that has happened.
#[async_trait]
pub trait Stage: Send {
    /// Whoever hears.
    fn hears(&self) -> Arc<dyn Hears>;

    /// Word of what has happened, the same each time.
    fn word(&self) -> Happening;

    /// Whether word lies where a crash does not reach it, and is not acted on yet.
    async fn waits(&mut self, id: &DeliveryId) -> bool;

    /// Lets everything be done that was heard, as after a start.
    async fn rest(&mut self);

    /// How often what the word is about was done.
    async fn done(&mut self) -> usize;

    /// From now on nothing can be put on disk.
    async fn close(&mut self);
}

/// The whole suite; `make` sets a new stage for each part of it.
pub async fn all<S: Stage>(make: impl AsyncFn() -> S) {
    what_is_heard_lies_on_disk(make().await).await;
    it_is_done_once_however_often_it_is_told(make().await).await;
    what_cannot_be_kept_is_told(make().await).await;
}

async fn what_is_heard_lies_on_disk(mut stage: impl Stage) {
    let word = stage.word();
    assert!(!stage.waits(&word.id).await, "the stage has heard of it before");
    stage.hears().heard(word.clone()).await.expect("broken: word of the chat is taken");
    assert!(stage.waits(&word.id).await, "broken: after `Ok` it lies on disk");
    assert_eq!(stage.done().await, 0, "broken: it is done later: whoever tells it waits for the disk alone");
}

async fn it_is_done_once_however_often_it_is_told(mut stage: impl Stage) {
    let word = stage.word();
    for _ in 0..3 {
        stage.hears().heard(word.clone()).await.expect("broken: what is told again is taken as well");
    }
    stage.rest().await;
    assert!(!stage.waits(&word.id).await, "broken: what was heard is done sometime");
    assert_eq!(stage.done().await, 1, "broken: it is done once");
    stage.hears().heard(word).await.expect("broken: what is told once more is taken as well");
    stage.rest().await;
    assert_eq!(stage.done().await, 1, "broken: it is done once, also where it is told again later");
}

async fn what_cannot_be_kept_is_told(mut stage: impl Stage) {
    stage.close().await;
    assert!(stage.hears().heard(stage.word()).await.is_err(), "broken: what cannot be put on disk is not taken");
}
