//! What is promised of whatever operators ask about people: [`Operating`].

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::privacy::{Deed, Did, OperatorAsks, Wanted};
use crate::ports::Operating;

/// Something that came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// This was put on record.
    Recorded(Deed),
    /// The person's records were looked at, or a change of them was begun.
    Done,
}

/// A place where operators ask, and one person of whom something is kept.
#[async_trait]
pub trait Stage: Send {
    /// Whoever answers.
    fn operating(&self) -> Arc<dyn Operating>;

    /// The person.
    fn person(&self) -> Person;

    /// Now. Time stands.
    fn now(&self) -> Timestamp;

    /// What came of all questions, in order.
    async fn came(&mut self) -> Vec<Came>;

    /// From now on nothing can be put on record.
    async fn lose_record(&mut self);
}

/// The whole suite; `make` sets a new stage for each question.
pub async fn all<S: Stage>(make: impl AsyncFn() -> S) {
    for did in [Did::Looked, Did::Exported, Did::Removed, Did::BackedUp] {
        it_is_on_record_before_it_is_done(make().await, did).await;
        what_cannot_be_recorded_is_not_done(make().await, did).await;
    }
}

const SYSTEM_USER: u32 = 4711;

fn asks(stage: &impl Stage, did: Did) -> OperatorAsks {
    let wanted = match did {
        Did::Looked => Wanted::Look(stage.person()),
        Did::Exported => Wanted::Export(stage.person()),
        Did::Removed => Wanted::Remove(stage.person()),
        Did::BackedUp => Wanted::Backup,
    };
    OperatorAsks { wanted, by: "olga".to_owned(), because: "they asked by letter".to_owned() }
}

async fn it_is_on_record_before_it_is_done(mut stage: impl Stage, did: Did) {
    let asks = asks(&stage, did);
    stage.operating().asked(&asks, SYSTEM_USER).await.expect("broken: operators are answered");
    let came = stage.came().await;
    let [Came::Recorded(deed), then @ ..] = came.as_slice() else { panic!("broken: it is on record before it is done: {came:?}") };
    assert!(then.iter().all(|came| *came == Came::Done), "broken: it is on record once: {came:?}");
    // A backup is taken by whoever asks for it.
    assert_eq!(then.is_empty(), did == Did::BackedUp, "broken: what was asked for is done: {came:?}");
    let about = (did != Did::BackedUp).then(|| stage.person());
    let (who, when) = ((deed.by.contains("olga"), deed.by.contains("4711")), deed.at);
    assert_eq!((deed.did, &deed.about), (did, &about), "broken: what was done, and with whose records");
    assert_eq!((who, when), ((true, true), stage.now()), "broken: who did it, by their own word and the system's, and when: {deed:?}");
    assert_eq!(deed.because, asks.because, "broken: why it was done");
}

async fn what_cannot_be_recorded_is_not_done(mut stage: impl Stage, did: Did) {
    stage.lose_record().await;
    let answer = stage.operating().asked(&asks(&stage, did), SYSTEM_USER).await;
    assert!(answer.is_err(), "broken: nothing is told of what could not be put on record: {answer:?}");
    assert_eq!(stage.came().await, [], "broken: what cannot be put on record is not done");
}
