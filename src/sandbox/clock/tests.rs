//! The stepped clock: wakes, steps, rests, lives.

use jiff::SignedDuration;
use tokio_util::task::TaskTracker;

use super::*;

fn at(seconds: i64) -> Timestamp {
    START.checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

fn spawn<F: Future<Output = ()> + Send + 'static>(tracker: &TaskTracker, clock: &Arc<SteppedClock>, work: F) {
    clock.task_began();
    let clock = Arc::clone(clock);
    tracker.spawn(async move {
        work.await;
        clock.task_ended();
    });
}

#[tokio::test]
async fn a_wake_before_the_wait_is_kept_once() {
    let clock = SteppedClock::new();
    clock.wake(WakeKey::Keeper);
    clock.wake(WakeKey::Keeper);
    clock.wait(WakeKey::Keeper, None).await;
    let mut second = Box::pin(clock.wait(WakeKey::Keeper, None));
    assert!(futures_util::poll!(second.as_mut()).is_pending());
}

#[tokio::test]
async fn a_wake_that_nobody_noticed_goes_to_the_next() {
    let clock = SteppedClock::new();
    let mut first = Box::pin(clock.wait(WakeKey::Keeper, None));
    assert!(futures_util::poll!(first.as_mut()).is_pending());
    clock.wake(WakeKey::Keeper);
    drop(first);
    clock.wait(WakeKey::Keeper, None).await;
}

#[tokio::test]
async fn a_dropped_wait_is_forgotten() {
    let clock = SteppedClock::new();
    clock.task_began();
    let mut wait = Box::pin(clock.pause_until(at(5)));
    assert!(futures_util::poll!(wait.as_mut()).is_pending());
    assert_eq!(clock.next_deadline(), Some(at(5)));
    clock.idle().await;
    drop(wait);
    assert_eq!(clock.next_deadline(), None);
    assert!(!clock.lock().is_idle(), "the task runs on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_woken_task_counts_as_running_before_it_runs() {
    let clock = SteppedClock::new();
    let tracker = TaskTracker::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    for round in 0..200 {
        let (inner, list) = (Arc::clone(&clock), Arc::clone(&seen));
        spawn(&tracker, &clock, async move {
            inner.wait(WakeKey::Keeper, None).await;
            tokio::task::yield_now().await;
            list.lock().unwrap().push(round);
        });
        clock.idle().await;
        clock.wake(WakeKey::Keeper);
        clock.idle().await;
        assert_eq!(seen.lock().unwrap().last(), Some(&round));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stepping_ends_waits_in_order_one_at_a_time() {
    let clock = SteppedClock::new();
    let tracker = TaskTracker::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    for (name, every) in [("a", 3), ("b", 2)] {
        let (inner, list) = (Arc::clone(&clock), Arc::clone(&seen));
        spawn(&tracker, &clock, async move {
            for turn in 1..=2 {
                inner.pause_until(at(turn * every)).await;
                tokio::task::yield_now().await;
                list.lock().unwrap().push((name, inner.now().duration_since(START).as_secs()));
            }
        });
        clock.idle().await;
    }
    clock.step_until(at(5)).await;
    assert_eq!(*seen.lock().unwrap(), [("b", 2), ("a", 3), ("b", 4)]);
    assert_eq!(clock.now(), at(5));
    clock.step_until(at(60)).await;
    assert_eq!(seen.lock().unwrap().last(), Some(&("a", 6)));
    assert_eq!(clock.now(), at(60));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_waits_in_one_task_are_one_resting_task() {
    let clock = SteppedClock::new();
    let tracker = TaskTracker::new();
    let inner = Arc::clone(&clock);
    spawn(&tracker, &clock, async move {
        tokio::join!(inner.pause_until(at(1)), inner.pause_until(at(2)));
        inner.wait(WakeKey::Keeper, None).await;
    });
    let inner = Arc::clone(&clock);
    spawn(&tracker, &clock, async move { inner.wait(WakeKey::Pause(1), None).await });
    clock.step_until(at(3)).await;
    assert_eq!(clock.lock().resting(), 2);
}

#[tokio::test]
async fn an_earlier_life_is_over() {
    let clock = SteppedClock::new();
    clock.task_began();
    let mut old = Box::pin(clock.pause_until(at(1)));
    assert!(futures_util::poll!(old.as_mut()).is_pending());
    let next = clock.another_life();
    next.advance_to(at(10));
    assert!(futures_util::poll!(old.as_mut()).is_pending());
    clock.task_began();
    clock.wake(WakeKey::Keeper);
    next.idle().await;
    let mut wait = Box::pin(next.wait(WakeKey::Keeper, None));
    assert!(futures_util::poll!(wait.as_mut()).is_pending(), "what an earlier life left is gone");
    assert_eq!(next.now(), at(10));
}

#[tokio::test]
async fn a_hanging_task_is_reported() {
    let clock = SteppedClock::new();
    clock.task_began();
    let restless = clock.idle_within(Duration::from_millis(1)).await.unwrap_err();
    assert!(restless.to_string().contains("1 tasks run, 0 of them wait"), "{restless}");
}

fn stream(name: &str) -> StreamKey {
    StreamKey(name.to_owned())
}

#[tokio::test]
async fn time_stands_while_something_is_on_its_way() {
    let clock = SteppedClock::new();
    let (outside, key) = (clock.for_the_world(), stream("a"));
    let rests = || clock.lock().is_idle();
    clock.task_began();
    clock.lock().unborn.clear();
    clock.lock().called.clear();
    let mut listener = clock.listener();
    let mut wait = Box::pin(clock.wait(WakeKey::Keeper, Some(at(60))));
    assert!(futures_util::poll!(wait.as_mut()).is_pending());
    assert!(!rests(), "an answer is awaited");
    outside.sends(&key, Sent::Begun);
    listener.listens(&key, 0);
    assert!(!rests(), "the sender may have something to send");
    let mut sending = Box::pin(outside.wait(WakeKey::Stream(key.clone()), Some(at(10))));
    assert!(futures_util::poll!(sending.as_mut()).is_pending());
    assert!(rests());
    outside.sends(&key, Sent::Bytes(5));
    listener.listens(&key, 3);
    assert!(!rests(), "two bytes are on their way");
    listener.listens(&key, 5);
    assert!(rests());
    assert!(clock.step(at(60)));
    assert!(!rests(), "the sender goes on");
    sending.await;
    assert_eq!(clock.now(), at(10));
    outside.sends(&key, Sent::Ended);
    assert!(!rests(), "the end is on its way");
    listener.turn().await;
    assert!(!rests(), "the task goes on");
    drop((wait, listener));
    assert!(clock.lock().streams.report().is_empty());
}

#[tokio::test]
async fn a_sender_to_whom_nobody_listens_has_no_deadline() {
    let clock = SteppedClock::new();
    let (outside, key) = (clock.for_the_world(), stream("a"));
    outside.sends(&key, Sent::Begun);
    let mut sending = Box::pin(outside.wait(WakeKey::Stream(key.clone()), Some(at(10))));
    assert!(futures_util::poll!(sending.as_mut()).is_pending());
    assert_eq!(clock.next_deadline(), None);
    let mut listener = clock.listener();
    listener.listens(&key, 0);
    assert_eq!(clock.next_deadline(), Some(at(10)));
    // A life that is over listens no more, and holds up nobody.
    listener.asks();
    let next = clock.another_life();
    assert_eq!(next.next_deadline(), None);
    listener.listens(&key, 0);
    next.idle().await;
    outside.wake(WakeKey::Stream(key));
    sending.await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_hears_at_the_same_instant_goes_on_in_the_same_order() {
    let clock = SteppedClock::new();
    let (outside, tracker) = (clock.for_the_world(), TaskTracker::new());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keys = [stream("a"), stream("b"), stream("c")];
    keys.iter().for_each(|key| outside.sends(key, Sent::Begun));
    let mut waits: Vec<_> = keys.iter().map(|key| Box::pin(outside.wait(WakeKey::Stream(key.clone()), None))).collect();
    for wait in &mut waits {
        assert!(futures_util::poll!(wait.as_mut()).is_pending());
    }
    let mut ends = Vec::new();
    for key in &keys {
        let (inner, list, key) = (Arc::clone(&clock), Arc::clone(&seen), key.clone());
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        ends.push(end);
        let turn = clock.task_began();
        tracker.spawn(async move {
            inner.take_turn(turn).await;
            let mut listener = inner.listener();
            let heard = async {
                tokio::task::yield_now().await;
                listener.listens(&key, 0);
                ended.await.unwrap();
                listener.turn().await;
            };
            tokio::select! {
                biased;
                () = heard => {}
                () = inner.wait(WakeKey::Keeper, None) => panic!("nobody woke it"),
            }
            tokio::task::yield_now().await;
            list.lock().unwrap().push(key.0);
            inner.wait(WakeKey::Pause(1), None).await;
        });
    }
    clock.idle().await;
    keys.iter().for_each(|key| outside.sends(key, Sent::Ended));
    while let Some(end) = ends.pop() {
        end.send(()).unwrap();
    }
    clock.idle().await;
    assert_eq!(*seen.lock().unwrap(), ["a", "b", "c"]);
}
