//! Who goes on next, and when time passes: decided by a seed, and by nothing else.
//!
//! Every task of a run stands still at each call of a port and at each wait. When all of them do (the runtime is about to park its
//! one thread), one that may go on is drawn and let go; when none may, time moves to the next moment at which one may.

mod standing;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use jiff::{SignedDuration, Timestamp};
use slash_heroku::ports::WakeKey;

use standing::Kind;
pub use standing::{Standing, Watch};

use crate::support::records::at;

/// A small generator of numbers, the same for a seed on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// From `first` to `last`, both included.
    pub fn between(&mut self, first: i64, last: i64) -> i64 {
        first + i64::try_from(self.below(u64::try_from(last - first + 1).unwrap())).unwrap()
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()].clone()
    }
}

/// A life of the service, or the people.
pub type Process = usize;
/// The people are never frozen, and never die.
pub const PEOPLE: Process = 0;

/// Nothing in a run may take longer than this: whoever still waits is lost.
const LIMIT: SignedDuration = SignedDuration::from_hours(3);
/// As many steps as no run needs that ends.
const STEPS: u64 = 150_000;

#[derive(Debug)]
pub struct Schedule {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: Random,
    now: Timestamp,
    tickets: u64,
    steps: u64,
    /// Who may go on, or will when thawed.
    points: Vec<Point>,
    waits: BTreeMap<u64, Waiting>,
    /// Who was let go and has not noticed yet.
    let_go: HashSet<u64>,
    kept: HashSet<(Process, WakeKey)>,
    frozen: HashMap<Process, Timestamp>,
    dead: HashSet<Process>,
    /// In how many of a thousand calls the caller alone is frozen for a while.
    freezes: u64,
    people_are_done: bool,
    end: Option<End>,
    waker: Option<Waker>,
    story: Option<Vec<String>>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing was left to do.
    Rest,
    /// Somebody waited for ever.
    Stuck,
}

#[derive(Debug)]
struct Point {
    ticket: u64,
    process: Process,
    /// An order that is on its way cannot be held back by freezing whoever sent it.
    on_its_way: bool,
    thaws: Option<Timestamp>,
    waker: Waker,
}

#[derive(Debug)]
struct Waiting {
    process: Process,
    key: Option<WakeKey>,
    until: Option<Timestamp>,
    waker: Option<Waker>,
}

impl Schedule {
    pub fn new(seed: u64, freezes: u64, tells: bool) -> Arc<Self> {
        let state = State {
            random: Random::new(seed ^ 0x5eed),
            now: at(0),
            tickets: 0,
            steps: 0,
            points: Vec::new(),
            waits: BTreeMap::new(),
            let_go: HashSet::new(),
            kept: HashSet::new(),
            frozen: HashMap::new(),
            dead: HashSet::new(),
            freezes,
            people_are_done: false,
            end: None,
            waker: None,
            story: tells.then(Vec::new),
        };
        Arc::new(Self { state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn now(&self) -> Timestamp {
        self.lock().now
    }

    pub fn steps(&self) -> u64 {
        self.lock().steps
    }

    /// Draws a number.
    pub fn draw<T>(&self, draw: impl FnOnce(&mut Random) -> T) -> T {
        draw(&mut self.lock().random)
    }

    /// Adds a line to the story, if it is told.
    pub fn tell(&self, process: Process, line: impl FnOnce() -> String) {
        let mut state = self.lock();
        if state.story.is_some() {
            let seconds = state.now.duration_since(at(0)).as_secs();
            let who = if process == PEOPLE { "people".to_owned() } else { format!("process {process}") };
            let line = format!("{seconds:>6} s  {who}: {}", line());
            state.story.as_mut().unwrap().push(line);
        }
    }

    pub fn story(&self) -> Vec<String> {
        self.lock().story.clone().unwrap_or_default()
    }

    /// Stands still until drawn.
    pub fn point(&self, process: Process) -> Standing<'_> {
        Standing::new(self, process, Kind::Point)
    }

    /// Stands still until drawn, on the way to somebody who will get it whatever becomes of the sender's time.
    pub fn on_its_way(&self, process: Process) -> Standing<'_> {
        Standing::new(self, process, Kind::OnItsWay)
    }

    /// Stands still for a while now and then: the machine goes on with something else, or with nothing of the whole process.
    pub async fn may_freeze(&self, process: Process) {
        let (alone, seconds) = {
            let mut state = self.lock();
            let freezes = state.freezes;
            if freezes == 0 || state.random.below(1000) >= freezes {
                return;
            }
            (state.random.chance(30), state.random.between(1, 240))
        };
        if alone {
            self.tell(process, || format!("!! one task is frozen for {seconds} s"));
            Standing::new(self, process, Kind::Frozen { seconds }).await;
        } else {
            self.freeze(process, seconds);
            self.point(process).await;
        }
    }

    /// Nothing of a process goes on for a while; time does.
    pub fn freeze(&self, process: Process, seconds: i64) {
        self.tell(process, || format!("!! is frozen for {seconds} s"));
        let mut state = self.lock();
        let until = state.now + SignedDuration::from_secs(seconds);
        state.frozen.insert(process, until);
    }

    /// Nothing of a process ever goes on.
    pub fn kill(&self, process: Process) {
        self.tell(process, || "!! is killed".to_owned());
        let mut state = self.lock();
        state.dead.insert(process);
        state.points.retain(|point| point.process != process);
        state.waits.retain(|_, wait| wait.process != process);
        state.kept.retain(|(of, _)| *of != process);
    }

    /// The people have done all they wanted: the run ends when the rest is done, too.
    pub fn people_are_done(&self) {
        self.lock().people_are_done = true;
    }

    /// Resolves when the run has ended.
    pub async fn end(&self) -> End {
        std::future::poll_fn(|context| {
            let mut state = self.lock();
            state.waker = Some(context.waker().clone());
            state.end.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Everybody stands still: lets one go on. `rests` says whether nothing is left to do.
    pub fn turn(&self, rests: impl Fn() -> bool) {
        let mut guard = self.lock();
        let state = &mut *guard;
        if state.end.is_some() {
            return;
        }
        loop {
            let now = state.now;
            let free = |point: &Point| {
                let frozen = state.frozen.get(&point.process).is_some_and(|until| *until > now);
                point.on_its_way || (!frozen && point.thaws.is_none_or(|thaws| thaws <= now))
            };
            let free: Vec<usize> = (0..state.points.len()).filter(|place| free(&state.points[*place])).collect();
            if !free.is_empty() {
                let chosen = state.random.pick(&free);
                let point = state.points.remove(chosen);
                state.steps += 1;
                state.let_go.insert(point.ticket);
                if state.steps > STEPS {
                    return finish(guard, End::Stuck);
                }
                drop(guard);
                point.waker.wake();
                return;
            }
            if state.people_are_done && state.points.is_empty() && rests() {
                return finish(guard, End::Rest);
            }
            let thaws = state.points.iter().filter_map(|point| {
                let frozen = state.frozen.get(&point.process).copied();
                frozen.max(point.thaws).filter(|until| *until > now)
            });
            let next = state.waits.values().filter_map(|wait| wait.until).chain(thaws).min();
            let Some(next) = next.filter(|next| next.duration_since(at(0)) < LIMIT) else { return finish(guard, End::Stuck) };
            state.now = now.max(next);
            let due: Vec<u64> =
                state.waits.iter().filter(|(_, wait)| wait.until.is_some_and(|until| until <= next)).map(|(ticket, _)| *ticket).collect();
            due.into_iter().for_each(|ticket| state.ends(ticket));
        }
    }
}

fn finish(mut state: MutexGuard<'_, State>, end: End) {
    state.end = Some(end);
    let waker = state.waker.take();
    drop(state);
    waker.into_iter().for_each(Waker::wake);
}

impl State {
    /// A wait is over: whoever waited may go on.
    fn ends(&mut self, ticket: u64) {
        let Some(wait) = self.waits.remove(&ticket) else { return };
        let waker = wait.waker.unwrap();
        self.points.push(Point { ticket, process: wait.process, on_its_way: false, thaws: None, waker });
    }
}
