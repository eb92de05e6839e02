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
    /// A pause of an adapter, by a number that nobody else uses. Nobody wakes it.
    Pause(u64),
}

/// Time and waiting. All waiting of the service goes through here.
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
}

/// New ids.
pub trait Ids: Send + Sync + std::fmt::Debug {
    /// An id that nobody has had, sortable by time.
    fn fresh(&self) -> Uuid;
}
