//! What a clock promises, with whoever listens beside it, and whoever makes ids: [`Clock`], [`Listener`](crate::ports::Listener), [`Ids`].

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::join;
use futures_util::poll;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::domain::names::DeploymentId;
use crate::ports::{Clock, Ids, Sent, StreamKey, WakeKey};

fn key(number: u128) -> WakeKey {
    WakeKey::Deployment(DeploymentId(Uuid::from_u128(number)))
}

/// The whole suite. `moment` is how long the waits of it last: short for a real clock. `pass` lets that much time pass.
pub async fn all(make: impl Fn() -> Arc<dyn Clock>, moment: SignedDuration, pass: impl AsyncFn(&Arc<dyn Clock>)) {
    a_wake_is_kept_once(make()).await;
    a_key_is_its_own(make()).await;
    a_wake_ends_a_wait(make()).await;
    a_dropped_wait_loses_nothing(make()).await;
    time_ends_a_wait(make(), moment, &pass).await;
    a_pause_cannot_be_woken(make(), moment, &pass).await;
    whoever_listens_keeps_nobody_waiting(make(), moment, &pass).await;
}

async fn a_wake_is_kept_once(clock: Arc<dyn Clock>) {
    clock.wake(key(1));
    clock.wake(key(1));
    clock.wait(key(1), None).await;
    let mut second = pin!(clock.wait(key(1), None));
    assert!(poll!(second.as_mut()).is_pending(), "broken: several wakes are kept as one");
}

async fn a_key_is_its_own(clock: Arc<dyn Clock>) {
    let mut wait = pin!(clock.wait(key(1), None));
    assert!(poll!(wait.as_mut()).is_pending());
    for other in [key(2), WakeKey::Keeper, WakeKey::Pause(1)] {
        clock.wake(other);
        assert!(poll!(wait.as_mut()).is_pending(), "broken: a wait ends by a wake with the same key only");
    }
    clock.wake(key(1));
    wait.await;
    clock.wait(WakeKey::Keeper, None).await;
}

async fn a_wake_ends_a_wait(clock: Arc<dyn Clock>) {
    let far = clock.now() + SignedDuration::from_hours(24);
    let waker = Arc::clone(&clock);
    join(clock.wait(key(1), Some(far)), async move { waker.wake(key(1)) }).await;
    assert!(clock.now() < far, "broken: a wake ends a wait before its time");
    let mut next = pin!(clock.wait(key(1), None));
    assert!(poll!(next.as_mut()).is_pending(), "broken: a wake that was heard is not kept");
}

async fn a_dropped_wait_loses_nothing(clock: Arc<dyn Clock>) {
    {
        let mut dropped = pin!(clock.wait(key(1), None));
        assert!(poll!(dropped.as_mut()).is_pending());
    }
    clock.wake(key(1));
    clock.wait(key(1), None).await;
    {
        let mut unheard = pin!(clock.wait(key(1), None));
        assert!(poll!(unheard.as_mut()).is_pending());
        clock.wake(key(1));
    }
    // A wake that came while somebody waited who then went away is still a wake.
    clock.wait(key(1), None).await;
}

async fn time_ends_a_wait(clock: Arc<dyn Clock>, moment: SignedDuration, pass: impl AsyncFn(&Arc<dyn Clock>)) {
    let (before, until) = (clock.now(), clock.now() + moment);
    clock.wait(key(1), Some(before)).await;
    clock.pause_until(before).await;
    join(clock.wait(key(1), Some(until)), pass(&clock)).await;
    assert!(clock.now() >= until, "broken: a wait lasts until its time");
}

async fn a_pause_cannot_be_woken(clock: Arc<dyn Clock>, moment: SignedDuration, pass: impl AsyncFn(&Arc<dyn Clock>)) {
    let until = clock.now() + moment;
    let mut pause = pin!(clock.pause_until(until));
    assert!(poll!(pause.as_mut()).is_pending());
    for key in [key(1), WakeKey::Keeper, WakeKey::Pause(0)] {
        clock.wake(key);
    }
    assert!(poll!(pause.as_mut()).is_pending() || clock.now() >= until, "broken: nobody can wake a pause");
    join(pause, pass(&clock)).await;
    assert!(clock.now() >= until, "broken: a pause lasts until its time");
}

async fn whoever_listens_keeps_nobody_waiting(clock: Arc<dyn Clock>, moment: SignedDuration, pass: impl AsyncFn(&Arc<dyn Clock>)) {
    let stream = StreamKey("a-stream".to_owned());
    let mut listener = clock.listener();
    clock.sends(&stream, Sent::Begun);
    clock.sends(&stream, Sent::Bytes(3));
    listener.listens(&stream, 3);
    // Nobody else has anything to hear: their turn comes at once.
    listener.turn().await;
    clock.sends(&stream, Sent::Ended);
    listener.rests();
    time_ends_a_wait(Arc::clone(&clock), moment, &pass).await;
    // Whoever has asked and goes away is not waited for.
    listener.asks();
    drop(listener);
    time_ends_a_wait(clock, moment, &pass).await;
}

/// The whole suite of whoever makes ids.
pub fn ids(of: &dyn Ids) {
    let all: Vec<Uuid> = (0..5000).map(|_| of.fresh()).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "broken: an id is one that nobody has had");
    assert!(all.is_sorted(), "broken: later ids sort behind earlier ones");
    let times: Vec<_> = all.iter().map(|id| id.get_timestamp().expect("broken: an id tells its time").to_unix()).collect();
    assert!(times.is_sorted(), "broken: ids are sortable by time");
}
