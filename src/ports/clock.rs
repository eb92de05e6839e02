//! Time, waiting and ids, so that neither the domain nor a test depends on the world's.

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::names::{AppId, DeploymentId};

/// What a waiting task can be woken by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WakeKey {
    /// News about a deployment: its turn, a code, a cancel.
    Deployment(DeploymentId),
    /// News about the line of an app.
    Line(AppId),
    /// The keeper of the house: leases, sweeps.
    Keeper,
    /// News of installations.
    Departures,
    /// News of locks.
    Locks,
    /// A pause of an adapter, by a number that nobody else uses. Only the same adapter wakes it.
    Pause(u64),
    /// The far end of a stream that a simulated outside sends.
    Stream(StreamKey),
}

/// What both ends of a stream know it by: the number that the far end gave its answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamKey(pub String);

/// What a simulated outside does with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It begins, and waits by [`WakeKey::Stream`] whenever it has nothing to send.
    Begun,
    /// So many more bytes are on their way.
    Bytes(u64),
    /// That was all.
    Ended,
}

/// Somebody who listens to the outside beside a wait of the same task, as a clock has to know them: one that is stepped must
/// not move while something is on its way to them. They begin as somebody who has asked. A real clock does not care.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Listener: Send + Sync + std::fmt::Debug {
    /// Something was asked: time stands until more is known.
    fn asks(&mut self);

    /// So many bytes of a stream have been heard in all: time stands while there are more on their way, or the stream's end.
    fn listens(&mut self, stream: &StreamKey, heard: u64);

    /// Nothing is awaited but the clock. To be said only once the wait for it stands.
    fn rests(&mut self);

    /// There is something to tell the task: waits until all others have heard what was on its way to them too, so that those
    /// who hear something at the same instant go on one after the other, always in the same order.
    async fn turn(&mut self);
}

/// A listener whom nobody minds.
#[derive(Debug)]
struct Unminded;

#[async_trait]
impl Listener for Unminded {
    fn asks(&mut self) {}
    fn listens(&mut self, _: &StreamKey, _: u64) {}
    fn rests(&mut self) {}
    async fn turn(&mut self) {}
}

/// Time and waiting. All waiting of the service goes through here.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Waits until `until` (for ever, if `None`) or until [`Clock::wake`] is called with the same key, whichever comes
    /// first. A wake that comes while nobody waits is kept and ends the next wait at once; several are kept as one.
    /// Dropping the future ends the wait and loses nothing else.
    async fn wait(&self, key: WakeKey, until: Option<Timestamp>);

    /// Wakes whoever waits for `key`, or whoever waits next.
    fn wake(&self, key: WakeKey);

    /// Pauses until `until`; nobody can wake it.
    async fn pause_until(&self, until: Timestamp);

    /// A task of the service begins; returns its turn. A stepped clock moves only while all tasks wait, and lets one task run
    /// at a time, so that every run goes the same way; a real one does not care.
    fn task_began(&self) -> u64 {
        0
    }

    /// Waits for the turn of a task that has begun: the first thing that the task does.
    async fn take_turn(&self, turn: u64) {
        let _ = turn;
    }

    /// A task of the service has ended.
    fn task_ended(&self) {}

    /// Somebody begins to listen to the outside; they do until this is dropped.
    fn listener(&self) -> Box<dyn Listener> {
        Box::new(Unminded)
    }

    /// A simulated outside tells what it does with a stream, before it does so.
    fn sends(&self, stream: &StreamKey, what: Sent) {
        let _ = (stream, what);
    }
}

/// New ids.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait Ids: Send + Sync + std::fmt::Debug {
    /// An id that nobody has had, sortable by time.
    fn fresh(&self) -> Uuid;
}
