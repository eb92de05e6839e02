//! What whoever follows a build promises: [`Follower`]. A suite of its own, as time has to go on while somebody listens.

use std::ops::Range;

use async_trait::async_trait;

use super::super::{Arranged, LeftOut, or_leave_out};
use crate::ports::{Follower, Heard};

/// How it goes with what is listened to while a build goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It ends, as if the build were over.
    EndsEarly,
    /// The connection breaks in the middle, once.
    BreaksOnce,
    /// It breaks in the middle, each time.
    Breaks,
    /// After what was printed so far nothing comes any more.
    FallsSilent,
}

/// A platform with a build that goes on until it may end, and of which an answer has told where to listen.
#[async_trait]
pub trait Stage: Send {
    /// Somebody who follows the build.
    fn follower(&self) -> Box<dyn Follower>;

    /// Somebody who follows a build of which nothing has told where to listen.
    fn stranger(&self) -> Box<dyn Follower>;

    /// What somebody hears next while time goes on; `None`: nothing for half an hour.
    async fn hears(&mut self, follower: &mut dyn Follower) -> Option<Heard>;

    /// From now on the build may come to its end.
    async fn finish(&mut self);

    /// How it goes from now on for whoever begins to listen.
    async fn goes(&mut self, how: Course) -> Arranged;

    /// Waits, for long in real time, until so many are listened to; says whether it came to that.
    async fn are_listened_to(&mut self, many: usize) -> bool;

    /// Which part of what the build has printed was sent to whoever listens, by connection, in order.
    async fn sent(&mut self) -> Vec<Range<usize>>;
}

/// The whole suite; `make` sets a new stage for each part of it.
pub async fn all<S: Stage>(make: impl AsyncFn() -> S) -> LeftOut {
    let mut left_out = LeftOut::default();
    of_what_nothing_has_told_nothing_is_heard(make().await).await;
    the_end_is_a_reason_to_look(make().await).await;
    dropping_a_follower_ends_the_listening(make().await).await;
    for (part, how) in [("ends early", Course::EndsEarly), ("breaks for good", Course::Breaks), ("silence", Course::FallsSilent)] {
        left_out.note(part, what_goes_wrong_is_a_reason_to_look(make().await, how).await);
    }
    left_out.note("breaks once", after_a_break_it_goes_on_where_it_was(make().await).await);
    left_out
}

async fn begun<S: Stage>(stage: &mut S) -> Box<dyn Follower> {
    let mut follower = stage.follower();
    let heard = stage.hears(&mut *follower).await;
    assert_eq!(heard, Some(Heard::Begun), "broken: it says so once it is listened to");
    follower
}

async fn of_what_nothing_has_told_nothing_is_heard(mut stage: impl Stage) {
    let mut stranger = stage.stranger();
    assert_eq!(stage.hears(&mut *stranger).await, None, "broken: before anything has told where to listen there is nothing to hear");
}

async fn the_end_is_a_reason_to_look(mut stage: impl Stage) {
    let mut follower = begun(&mut stage).await;
    // Nobody waits for what it hears any more by then, which loses nothing.
    assert_eq!(stage.hears(&mut *follower).await, None, "broken: where all goes on there is no reason to look");
    stage.finish().await;
    assert_eq!(stage.hears(&mut *follower).await, Some(Heard::Reason), "broken: the end is a reason to look");
}

async fn dropping_a_follower_ends_the_listening(mut stage: impl Stage) {
    let (follower, another) = (begun(&mut stage).await, begun(&mut stage).await);
    assert!(stage.are_listened_to(2).await, "the stage sees who listens");
    drop(follower);
    assert!(stage.are_listened_to(1).await, "broken: dropping a follower ends the listening at once, and no other");
    drop(another);
    assert!(stage.are_listened_to(0).await, "broken: dropping a follower ends the listening at once");
}

async fn what_goes_wrong_is_a_reason_to_look(mut stage: impl Stage, how: Course) -> Arranged {
    or_leave_out!(stage.goes(how).await);
    let mut follower = begun(&mut stage).await;
    let mut heard = stage.hears(&mut *follower).await;
    // What breaks may be gone on with for a while.
    while how == Course::Breaks && heard == Some(Heard::Begun) {
        heard = stage.hears(&mut *follower).await;
    }
    assert_eq!(heard, Some(Heard::Reason), "broken: when it is not listened to any more there is a reason to look ({how:?})");
    Arranged::Done
}

async fn after_a_break_it_goes_on_where_it_was(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.goes(Course::BreaksOnce).await);
    let mut follower = begun(&mut stage).await;
    let mut heard = vec![Heard::Begun];
    while let Some(next) = stage.hears(&mut *follower).await {
        heard.push(next);
        assert!(heard.len() < 10, "broken: after a break it is listened to again: {heard:?}");
    }
    assert!(heard.len() > 1 && heard.ends_with(&[Heard::Begun]), "broken: after a break it is listened to again, and says so: {heard:?}");
    stage.finish().await;
    assert_eq!(stage.hears(&mut *follower).await, Some(Heard::Reason), "broken: the end is a reason to look, also after a break");
    let sent = stage.sent().await;
    assert!(sent.len() > 1 && sent.iter().any(|part| part.start > 0), "broken: it goes on where it was: {sent:?}");
    let mut heard = 0;
    for part in &sent {
        assert_eq!(part.start, heard, "broken: nothing is heard twice, and nothing is lost: {sent:?}");
        heard = part.end;
    }
    Arranged::Done
}
