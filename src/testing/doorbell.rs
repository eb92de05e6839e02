//! What the public address promises to whoever rings there: [`Doorbell`].

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{Either, select};

use super::{Arranged, LeftOut, or_leave_out};
use crate::ports::{Answers, Doorbell};

/// Who stands at the public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// This very process.
    Us,
    /// The same program in another process.
    AnotherProcess,
    /// Something that says the same to whatever is asked, with this status.
    Page(u16),
    /// Somebody who says once more what this process answered last.
    Parrot,
    /// Nobody.
    Nobody,
    /// Somebody who takes what is asked and says nothing.
    Silent,
    /// Somebody whose answer never ends.
    Endless,
}

/// A public address.
#[async_trait]
pub trait Stage: Send {
    /// The bell of this process.
    fn bell(&self) -> Arc<dyn Doorbell>;

    /// From now on these stand there.
    async fn stands(&mut self, who: Stands) -> Arranged;

    /// What was asked for there, in order.
    async fn asked(&mut self) -> Vec<String>;

    /// Waits for ten seconds, of whatever time the bell goes by.
    async fn ten_seconds(&self);
}

/// The whole suite; `make` sets a new stage for each part of it.
pub async fn all<S: Stage>(make: impl AsyncFn() -> S) -> LeftOut {
    let mut left_out = LeftOut::default();
    let elsewhere = |status| Answers::SomebodyElse { status };
    for (part, who, answers) in [
        ("us", Stands::Us, Answers::Us),
        ("another process", Stands::AnotherProcess, elsewhere(200)),
        ("a page", Stands::Page(200), elsewhere(200)),
        ("nothing there", Stands::Page(404), elsewhere(404)),
        ("away", Stands::Page(503), elsewhere(503)),
        ("nobody", Stands::Nobody, Answers::Nobody),
    ] {
        left_out.note(part, it_is_known_who_answers(make().await, who, answers).await);
    }
    left_out.note("a parrot", an_earlier_answer_is_none(make().await).await);
    left_out.note("something new", something_new_is_asked_each_time(make().await).await);
    left_out.note("silence", it_ends_by_itself(make().await, Stands::Silent).await);
    left_out.note("an endless answer", it_ends_by_itself(make().await, Stands::Endless).await);
    left_out
}

async fn it_is_known_who_answers(mut stage: impl Stage, who: Stands, answers: Answers) -> Arranged {
    or_leave_out!(stage.stands(who).await);
    assert_eq!(stage.bell().ring().await, answers, "broken: nobody's word is taken for somebody else's ({who:?})");
    Arranged::Done
}

async fn an_earlier_answer_is_none(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.stands(Stands::Us).await);
    assert_eq!(stage.bell().ring().await, Answers::Us);
    or_leave_out!(stage.stands(Stands::Parrot).await);
    let answers = stage.bell().ring().await;
    assert_eq!(answers, Answers::SomebodyElse { status: 200 }, "broken: what was answered before answers nothing now");
    Arranged::Done
}

async fn something_new_is_asked_each_time(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.stands(Stands::Us).await);
    for _ in 0..3 {
        stage.bell().ring().await;
    }
    let asked = stage.asked().await;
    let different: BTreeSet<&String> = asked.iter().collect();
    assert_eq!((asked.len(), different.len()), (3, 3), "broken: what is asked for was never asked for before: {asked:?}");
    Arranged::Done
}

async fn it_ends_by_itself(mut stage: impl Stage, who: Stands) -> Arranged {
    or_leave_out!(stage.stands(who).await);
    let bell = stage.bell();
    match select(bell.ring(), pin!(stage.ten_seconds())).await {
        Either::Left((answers, _)) => assert_ne!(answers, Answers::Us, "broken: whoever has not answered is not us ({who:?})"),
        Either::Right(((), _)) => panic!("broken: ringing ends by itself within ten seconds ({who:?})"),
    }
    Arranged::Done
}
