//! A clock that moves only when it is told to, so that tests wait for states and never for time.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::task::Id;

use crate::ports::{Clock, WakeKey};

/// Where every stepped clock starts: 2026-01-05T09:00:00Z, a Monday morning.
pub const START: Timestamp = Timestamp::constant(1_767_603_600, 0);

/// A shared time that stands still until somebody steps it, and knows whether the service is at rest.
///
/// The service is at rest when each of its tasks (counted by `task_began` and `task_ended`) stands in a wait. All counting
/// happens under one lock at the moment of a wake or a step, not when the woken task gets to run, so there is no instant in
/// which a woken task looks like a resting one. A task that waits for something else (an answer, a lock) is not at rest;
/// a task that waits for the clock *and* for something else at the same time counts as resting.
#[derive(Debug)]
pub struct SteppedClock {
    shared: Arc<Shared>,
    role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The simulated outside: its waits end with time like all, and are not counted.
    World,
    /// One life of the service, from its start to its end or crash.
    Life(u64),
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    now: Timestamp,
    life: u64,
    running: usize,
    tickets: u64,
    waits: BTreeMap<u64, Waiting>,
    /// Waits that were ended and whose tasks have not noticed yet.
    ended: HashMap<u64, Ended>,
    /// Tasks that were woken and have not come to wait again, with the number of ends they have not noticed.
    up: HashMap<Option<Id>, usize>,
    kept: HashSet<WakeKey>,
}

#[derive(Debug)]
struct Waiting {
    role: Role,
    key: Option<WakeKey>,
    until: Option<Timestamp>,
    task: Option<Id>,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Ended {
    task: Option<Id>,
    /// The key, if a wake and not the time ended it: an unnoticed wake must not be lost.
    woken: Option<WakeKey>,
}

/// The service did not come to rest in real time: it hangs, or a task waits for something other than the clock.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service did not come to rest within {} s of real time: {report}", .patience.as_secs())]
pub struct Restless {
    patience: Duration,
    report: String,
}

impl SteppedClock {
    /// A clock at [`START`], for the first life of a service.
    pub fn new() -> Arc<Self> {
        let state = State {
            now: START,
            life: 1,
            running: 0,
            tickets: 0,
            waits: BTreeMap::new(),
            ended: HashMap::new(),
            up: HashMap::new(),
            kept: HashSet::new(),
        };
        Arc::new(Self { shared: Arc::new(Shared { state: Mutex::new(state), changed: Notify::new() }), role: Role::Life(1) })
    }

    /// The same time for the simulated outside, whose waits do not count as the service's.
    pub fn for_the_world(&self) -> Arc<Self> {
        Arc::new(Self { shared: Arc::clone(&self.shared), role: Role::World })
    }

    /// The same time for the next life of the service. Earlier lives are over: their tasks are not counted any more, their
    /// waits never end, and kept wakes are gone, as after the death of a process.
    pub fn another_life(&self) -> Arc<Self> {
        let mut state = self.lock();
        state.life += 1;
        state.running = 0;
        state.waits.retain(|_, wait| wait.role == Role::World);
        state.ended.clear();
        state.up.clear();
        state.kept.clear();
        let role = Role::Life(state.life);
        self.announce(&state);
        drop(state);
        Arc::new(Self { shared: Arc::clone(&self.shared), role })
    }

    /// Resolves when the service is at rest at the present instant.
    pub async fn idle(&self) {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.lock().is_idle() {
                return;
            }
            changed.await;
        }
    }

    /// [`SteppedClock::idle`], given up after `patience` of real time with a report of who waits for what.
    pub async fn idle_within(&self, patience: Duration) -> Result<(), Restless> {
        tokio::time::timeout(patience, self.idle()).await.map_err(|_| Restless { patience, report: self.report() })
    }

    /// The earliest time at which a wait ends by itself.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.lock().next_due().map(|(until, _)| until)
    }

    /// Moves time to `to` (never backwards) and ends all waits that are due by then, earliest first.
    pub fn advance_to(&self, to: Timestamp) {
        let mut wakers = Vec::new();
        let mut state = self.lock();
        state.now = state.now.max(to);
        while let Some((_, ticket)) = state.next_due().filter(|(until, _)| *until <= state.now) {
            wakers.extend(state.end(ticket, false));
        }
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Moves time to the earliest deadline if it is not after `limit`, and ends that one wait. Says whether there was one.
    /// Ending one at a time, with a rest between, keeps the order of everything that follows the same in every run.
    pub fn step(&self, limit: Timestamp) -> bool {
        let mut state = self.lock();
        let Some((until, ticket)) = state.next_due().filter(|(until, _)| *until <= limit) else { return false };
        state.now = state.now.max(until);
        let waker = state.end(ticket, false);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Lets time pass until `until`: rest, next deadline, rest, and so on. At the end it is `until` and the service rests.
    pub async fn step_until(&self, until: Timestamp) {
        self.idle().await;
        while self.step(until) {
            self.idle().await;
        }
        self.advance_to(until);
        self.idle().await;
    }

    /// Who is counted and who waits for what, for the message of a test that hangs.
    pub fn report(&self) -> String {
        let state = self.lock();
        let waits: Vec<String> = state
            .waits
            .values()
            .map(|wait| format!("{:?} until {:?}", wait.key.as_ref(), wait.until.map(|until| until.to_string())))
            .collect();
        format!("{} tasks run, {} of them wait; all waits: [{}]", state.running, state.resting(), waits.join(", "))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self, state: &State) {
        if state.is_idle() {
            self.shared.changed.notify_waiters();
        }
    }

    fn is_over(&self, state: &State) -> bool {
        matches!(self.role, Role::Life(life) if life != state.life)
    }

    /// Registers a wait; `None` if it ends at once.
    fn park(&self, key: Option<WakeKey>, until: Option<Timestamp>) -> Option<Wait<'_>> {
        let mut state = self.lock();
        state.tickets += 1;
        let ticket = state.tickets;
        if !self.is_over(&state) {
            if key.as_ref().is_some_and(|key| state.kept.remove(key)) || until.is_some_and(|until| until <= state.now) {
                return None;
            }
            let task = tokio::task::try_id();
            state.up.remove(&task);
            state.waits.insert(ticket, Waiting { role: self.role, key, until, task, waker: None });
            self.announce(&state);
        }
        Some(Wait { clock: self, ticket })
    }
}

impl State {
    fn is_idle(&self) -> bool {
        self.running <= self.resting()
    }

    /// The number of the service's tasks that stand in a wait.
    fn resting(&self) -> usize {
        let counted = self.waits.values().filter(|wait| wait.role != Role::World && !self.up.contains_key(&wait.task));
        counted.map(|wait| wait.task).collect::<HashSet<_>>().len()
    }

    fn next_due(&self) -> Option<(Timestamp, u64)> {
        self.waits.iter().filter_map(|(ticket, wait)| wait.until.map(|until| (until, *ticket))).min()
    }

    /// Ends a wait: from now on its task counts as running.
    fn end(&mut self, ticket: u64, woken: bool) -> Option<Waker> {
        let wait = self.waits.remove(&ticket)?;
        *self.up.entry(wait.task).or_default() += 1;
        self.ended.insert(ticket, Ended { task: wait.task, woken: wait.key.filter(|_| woken) });
        wait.waker
    }

    fn noticed(&mut self, ended: &Ended) {
        if let Some(unnoticed) = self.up.get_mut(&ended.task) {
            *unnoticed = unnoticed.saturating_sub(1);
        }
    }

    fn wake(&mut self, key: WakeKey) -> Option<Waker> {
        let ticket = self.waits.iter().find(|(_, wait)| wait.key.as_ref() == Some(&key)).map(|(ticket, _)| *ticket);
        match ticket {
            Some(ticket) => self.end(ticket, true),
            None => {
                self.kept.insert(key);
                None
            }
        }
    }
}

/// A wait that stands in the clock's list until it ends or is dropped.
#[derive(Debug)]
struct Wait<'a> {
    clock: &'a SteppedClock,
    ticket: u64,
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut guard = self.clock.lock();
        let state = &mut *guard;
        if let Some(ended) = state.ended.remove(&self.ticket) {
            state.noticed(&ended);
            // The task may go on to stand in another wait that it has already polled: it is polled once more to say so.
            if state.waits.values().any(|wait| wait.task == ended.task) {
                context.waker().wake_by_ref();
            }
            return Poll::Ready(());
        }
        if let Some(wait) = state.waits.get_mut(&self.ticket) {
            wait.waker = Some(context.waker().clone());
            if state.up.get(&wait.task) == Some(&0) {
                state.up.remove(&wait.task);
                self.clock.announce(state);
            }
        }
        Poll::Pending
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut state = self.clock.lock();
        state.waits.remove(&self.ticket);
        let Some(ended) = state.ended.remove(&self.ticket) else { return };
        state.noticed(&ended);
        let waker = ended.woken.and_then(|key| state.wake(key));
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[async_trait]
impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    async fn wait(&self, key: WakeKey, until: Option<Timestamp>) {
        if let Some(wait) = self.park(Some(key), until) {
            wait.await;
        }
    }

    fn wake(&self, key: WakeKey) {
        let mut state = self.lock();
        if self.is_over(&state) {
            return;
        }
        let waker = state.wake(key);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn pause_until(&self, until: Timestamp) {
        if let Some(wait) = self.park(None, Some(until)) {
            wait.await;
        }
    }

    fn task_began(&self) {
        let mut state = self.lock();
        if !self.is_over(&state) && self.role != Role::World {
            state.running += 1;
        }
    }

    fn task_ended(&self) {
        let mut state = self.lock();
        if !self.is_over(&state) && self.role != Role::World {
            state.running = state.running.saturating_sub(1);
            state.up.remove(&tokio::task::try_id());
            self.announce(&state);
        }
    }
}

#[cfg(test)]
mod tests {
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
}
