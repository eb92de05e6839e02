//! A clock that moves only when it is told to, so that tests wait for states and never for time.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::task::Id;

use crate::ports::{Clock, Listener, Sent, StreamKey, WakeKey};

mod streams;

use streams::Streams;

/// Where every stepped clock starts: 2026-01-05T09:00:00Z, a Monday morning.
pub const START: Timestamp = Timestamp::constant(1_767_603_600, 0);

/// A shared time that stands still until somebody steps it, and knows whether the service is at rest.
///
/// The service is at rest when each of its tasks (counted by `task_began` and `task_ended`) stands in a wait. All counting
/// happens under one lock at the moment of a wake or a step, not when the woken task gets to run, so there is no instant in
/// which a woken task looks like a resting one. A task that waits for something else (an answer, a lock) is not at rest;
/// a task that waits for the clock *and* for something else at the same time counts as resting. Where the something else is a
/// stream of the simulated outside, both ends tell the clock ([`Clock::listener`], [`Clock::sends`]), and nobody is at rest while
/// anything is on its way to somebody who listens.
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
    /// Who may go on, one after the other: the next when all others rest.
    called: VecDeque<Called>,
    /// Tasks that have begun and not had their first turn, with their wakers.
    unborn: BTreeMap<u64, Option<Waker>>,
    /// Tasks whose first turn has come and that have not noticed yet.
    born: HashSet<u64>,
    /// Who sends and who listens.
    streams: Streams,
}

/// Somebody who may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Called {
    /// A wait that ends, by a wake or by time.
    Wait { ticket: u64, woken: bool },
    /// A task that begins.
    Turn(u64),
    /// A wait of somebody who has heard something.
    Heard { ticket: u64, listener: u64 },
}

#[derive(Debug)]
struct Waiting {
    role: Role,
    key: Option<WakeKey>,
    until: Option<Timestamp>,
    task: Option<Id>,
    waker: Option<Waker>,
    /// It has been called and will end when all others rest.
    called: bool,
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
            called: VecDeque::new(),
            unborn: BTreeMap::new(),
            born: HashSet::new(),
            streams: Streams::default(),
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
        state.called.clear();
        state.unborn.clear();
        state.born.clear();
        state.streams.nobody_listens();
        let role = Role::Life(state.life);
        self.announce(state);
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
        let mut state = self.lock();
        state.now = state.now.max(to);
        while let Some((_, ticket)) = state.next_due().filter(|(until, _)| *until <= state.now) {
            state.call(ticket, false);
        }
        self.announce(state);
    }

    /// Moves time to the earliest deadline if it is not after `limit`, and ends that one wait. Says whether there was one.
    /// Ending one at a time, with a rest between, keeps the order of everything that follows the same in every run.
    pub fn step(&self, limit: Timestamp) -> bool {
        let mut state = self.lock();
        let Some((until, ticket)) = state.next_due().filter(|(until, _)| *until <= limit) else { return false };
        state.now = state.now.max(until);
        state.call(ticket, false);
        self.announce(state);
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
        let (running, resting) = (state.running, state.resting());
        format!("{running} tasks run, {resting} of them wait; all waits: [{}]{}", waits.join(", "), state.streams.report())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go on whoever may, or tells that the service rests.
    fn announce(&self, mut state: MutexGuard<'_, State>) {
        let wakers = state.release();
        if state.is_idle() {
            self.shared.changed.notify_waiters();
        }
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
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
            state.streams.sender(key.as_ref().filter(|_| self.role == Role::World), true);
            state.waits.insert(ticket, Waiting { role: self.role, key, until, task, waker: None, called: false });
            self.announce(state);
        }
        Some(Wait { clock: self, ticket })
    }
}

impl State {
    fn is_idle(&self) -> bool {
        self.called.is_empty() && self.all_rest()
    }

    fn all_rest(&self) -> bool {
        !self.streams.on_their_way() && self.running <= self.resting().saturating_add(self.unborn.len())
    }

    /// Marks a wait as one that ends when all others rest.
    fn call(&mut self, ticket: u64, woken: bool) {
        if let Some(wait) = self.waits.get_mut(&ticket).filter(|wait| !wait.called) {
            wait.called = true;
            self.called.push_back(Called::Wait { ticket, woken });
        }
    }

    /// Ends the waits of the world that were called, and the next one of the service if all of it rests.
    fn release(&mut self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        let of_the_world = |state: &Self, called: &Called| match called {
            Called::Wait { ticket, .. } => state.waits.get(ticket).is_none_or(|wait| wait.role == Role::World),
            Called::Turn(_) | Called::Heard { .. } => false,
        };
        while let Some(place) = self.called.iter().position(|called| of_the_world(self, called)) {
            if let Some(Called::Wait { ticket, woken }) = self.called.remove(place) {
                wakers.extend(self.end(ticket, woken));
            }
        }
        if self.all_rest() {
            match self.next_called().and_then(|place| self.called.remove(place)) {
                Some(Called::Wait { ticket, woken }) => wakers.extend(self.end(ticket, woken)),
                Some(Called::Heard { ticket, .. }) => wakers.extend(self.end(ticket, false)),
                Some(Called::Turn(turn)) => {
                    wakers.extend(self.unborn.remove(&turn).flatten());
                    self.born.insert(turn);
                }
                None => {}
            }
        }
        wakers
    }

    /// Who goes on next: one after the other as they were called; then those who heard something, which they do in any order, as
    /// they began to listen.
    fn next_called(&self) -> Option<usize> {
        let heard = |called: &Called| match called {
            Called::Heard { listener, .. } => Some(*listener),
            Called::Wait { .. } | Called::Turn(_) => None,
        };
        let places = self.called.iter().enumerate();
        places.min_by_key(|(place, called)| (heard(called), *place)).map(|(place, _)| place)
    }

    /// The number of the service's tasks that stand in a wait.
    fn resting(&self) -> usize {
        let counted = self.waits.values().filter(|wait| wait.role != Role::World && !self.up.contains_key(&wait.task));
        counted.map(|wait| wait.task).collect::<HashSet<_>>().len()
    }

    /// The earliest wait that ends by itself. Senders of streams that nobody listens to are left alone: it depends on real time
    /// when they learn that nobody does.
    fn next_due(&self) -> Option<(Timestamp, u64)> {
        let minded = |wait: &Waiting| wait.role != Role::World || self.streams.is_minded(wait.key.as_ref());
        let uncalled = self.waits.iter().filter(|(_, wait)| !wait.called && minded(wait));
        uncalled.filter_map(|(ticket, wait)| wait.until.map(|until| (until, *ticket))).min()
    }

    /// Ends a wait: from now on its task counts as running.
    fn end(&mut self, ticket: u64, woken: bool) -> Option<Waker> {
        let wait = self.waits.remove(&ticket)?;
        self.streams.sender(wait.key.as_ref().filter(|_| wait.role == Role::World), false);
        *self.up.entry(wait.task).or_default() += 1;
        self.ended.insert(ticket, Ended { task: wait.task, woken: wait.key.filter(|_| woken) });
        wait.waker
    }

    fn noticed(&mut self, ended: &Ended) {
        if let Some(unnoticed) = self.up.get_mut(&ended.task) {
            *unnoticed = unnoticed.saturating_sub(1);
        }
    }

    fn wake(&mut self, key: WakeKey) {
        let waits = |wait: &Waiting| !wait.called && wait.key.as_ref() == Some(&key);
        match self.waits.iter().find(|(_, wait)| waits(wait)).map(|(ticket, _)| *ticket) {
            Some(ticket) => self.call(ticket, true),
            None => {
                self.kept.insert(key);
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
                self.clock.announce(guard);
            }
        }
        Poll::Pending
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut state = self.clock.lock();
        let called = state.called.iter().position(|called| match called {
            Called::Wait { ticket, .. } | Called::Heard { ticket, .. } => *ticket == self.ticket,
            Called::Turn(_) => false,
        });
        let by_a_wake = match called.and_then(|place| state.called.remove(place)) {
            Some(Called::Wait { woken, .. }) => woken,
            Some(Called::Turn(_) | Called::Heard { .. }) | None => false,
        };
        if let Some(wait) = state.waits.remove(&self.ticket) {
            state.streams.sender(wait.key.as_ref().filter(|_| wait.role == Role::World), false);
            // A wake that nobody noticed must not be lost.
            if let Some(key) = wait.key.filter(|_| by_a_wake) {
                state.wake(key);
            }
        }
        if let Some(ended) = state.ended.remove(&self.ticket) {
            state.noticed(&ended);
            if let Some(key) = ended.woken {
                state.wake(key);
            }
        }
        self.clock.announce(state);
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
        state.wake(key);
        self.announce(state);
    }

    async fn pause_until(&self, until: Timestamp) {
        if let Some(wait) = self.park(None, Some(until)) {
            wait.await;
        }
    }

    fn task_began(&self) -> u64 {
        let mut state = self.lock();
        state.tickets += 1;
        let turn = state.tickets;
        if !self.is_over(&state) && self.role != Role::World {
            state.running += 1;
            state.unborn.insert(turn, None);
            state.called.push_back(Called::Turn(turn));
            self.announce(state);
        }
        turn
    }

    async fn take_turn(&self, turn: u64) {
        Turn { clock: self, turn }.await;
    }

    fn task_ended(&self) {
        let mut state = self.lock();
        if !self.is_over(&state) && self.role != Role::World {
            state.running = state.running.saturating_sub(1);
            state.up.remove(&tokio::task::try_id());
            self.announce(state);
        }
    }

    fn listener(&self) -> Box<dyn Listener> {
        let mut state = self.lock();
        state.tickets += 1;
        let number = state.tickets;
        if !self.is_over(&state) && self.role != Role::World {
            state.streams.begins(number);
        }
        let clock = Self { shared: Arc::clone(&self.shared), role: self.role };
        Box::new(SteppedListener { clock, number })
    }

    fn sends(&self, stream: &StreamKey, what: Sent) {
        let mut state = self.lock();
        state.streams.sends(stream, what);
        self.announce(state);
    }
}

/// Somebody who listens, by the number under which the clock knows them.
#[derive(Debug)]
struct SteppedListener {
    clock: SteppedClock,
    number: u64,
}

impl SteppedListener {
    fn tell(&self, what: impl FnOnce(&mut Streams)) {
        let mut state = self.clock.lock();
        what(&mut state.streams);
        self.clock.announce(state);
    }
}

#[async_trait]
impl Listener for SteppedListener {
    fn asks(&mut self) {
        self.tell(|streams| streams.asks(self.number));
    }

    fn listens(&mut self, stream: &StreamKey, heard: u64) {
        self.tell(|streams| streams.listens(self.number, stream, heard));
    }

    fn rests(&mut self) {
        self.tell(|streams| streams.rests(self.number));
    }

    async fn turn(&mut self) {
        let wait = {
            let mut state = self.clock.lock();
            state.tickets += 1;
            let ticket = state.tickets;
            if !self.clock.is_over(&state) {
                let task = tokio::task::try_id();
                state.streams.rests(self.number);
                state.up.remove(&task);
                let waiting = Waiting { role: self.clock.role, key: None, until: None, task, waker: None, called: true };
                state.waits.insert(ticket, waiting);
                state.called.push_back(Called::Heard { ticket, listener: self.number });
                self.clock.announce(state);
            }
            Wait { clock: &self.clock, ticket }
        };
        wait.await;
    }
}

impl Drop for SteppedListener {
    fn drop(&mut self) {
        self.tell(|streams| streams.leaves(self.number));
    }
}

/// The first turn of a task.
#[derive(Debug)]
struct Turn<'a> {
    clock: &'a SteppedClock,
    turn: u64,
}

impl Future for Turn<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        if state.born.remove(&self.turn) {
            return Poll::Ready(());
        }
        if let Some(waker) = state.unborn.get_mut(&self.turn) {
            *waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests;
