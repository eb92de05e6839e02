//! Standing still: at a call of a port, frozen, or waiting on the clock of a process.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use slash_heroku::ports::{Clock, WakeKey};

use super::{Point, Process, Schedule, Waiting};

#[derive(Debug)]
pub enum Kind {
    Point,
    OnItsWay,
    Frozen { seconds: i64 },
    Wait { key: Option<WakeKey>, until: Option<Timestamp> },
}

/// Somebody who stands still.
#[derive(Debug)]
pub struct Standing<'a> {
    schedule: &'a Schedule,
    process: Process,
    kind: Kind,
    ticket: Option<u64>,
}

impl<'a> Standing<'a> {
    pub fn new(schedule: &'a Schedule, process: Process, kind: Kind) -> Self {
        Self { schedule, process, kind, ticket: None }
    }
}

impl Future for Standing<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut guard = self.schedule.lock();
        let state = &mut *guard;
        if let Some(ticket) = self.ticket {
            if state.let_go.remove(&ticket) {
                drop(guard);
                self.ticket = None;
                return Poll::Ready(());
            }
            if let Some(wait) = state.waits.get_mut(&ticket) {
                wait.waker = Some(context.waker().clone());
            }
            if let Some(point) = state.points.iter_mut().find(|point| point.ticket == ticket) {
                point.waker = context.waker().clone();
            }
            return Poll::Pending;
        }
        if state.dead.contains(&self.process) {
            return Poll::Pending;
        }
        state.tickets += 1;
        let (ticket, waker, process) = (state.tickets, context.waker().clone(), self.process);
        let on_its_way = matches!(self.kind, Kind::OnItsWay);
        match &self.kind {
            Kind::Point | Kind::OnItsWay => state.points.push(Point { ticket, process, on_its_way, thaws: None, waker }),
            Kind::Frozen { seconds } => {
                let thaws = Some(state.now + SignedDuration::from_secs(*seconds));
                state.points.push(Point { ticket, process, on_its_way, thaws, waker });
            }
            Kind::Wait { key, until } => {
                if key.as_ref().is_some_and(|key| state.kept.remove(&(process, key.clone()))) {
                    state.points.push(Point { ticket, process, on_its_way, thaws: None, waker });
                } else {
                    state.waits.insert(ticket, Waiting { process, key: key.clone(), until: *until, waker: Some(waker) });
                    if until.is_some_and(|until| until <= state.now) {
                        state.ends(ticket);
                    }
                }
            }
        }
        drop(guard);
        self.ticket = Some(ticket);
        Poll::Pending
    }
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut state = self.schedule.lock();
        let waits = state.waits.remove(&ticket).is_some();
        state.let_go.remove(&ticket);
        state.points.retain(|point| point.ticket != ticket);
        // A wake that nobody noticed must not be lost.
        if let Kind::Wait { key: Some(key), .. } = &self.kind
            && !waits
            && !state.dead.contains(&self.process)
        {
            state.kept.insert((self.process, key.clone()));
        }
    }
}

/// The clock of one process.
#[derive(Debug)]
pub struct Watch {
    pub schedule: Arc<Schedule>,
    pub process: Process,
}

#[async_trait]
impl Clock for Watch {
    fn now(&self) -> Timestamp {
        self.schedule.now()
    }

    async fn wait(&self, key: WakeKey, until: Option<Timestamp>) {
        Standing::new(&self.schedule, self.process, Kind::Wait { key: Some(key), until }).await;
    }

    fn wake(&self, key: WakeKey) {
        let mut state = self.schedule.lock();
        if state.dead.contains(&self.process) {
            return;
        }
        let waiting = state.waits.iter().find(|(_, wait)| wait.process == self.process && wait.key.as_ref() == Some(&key));
        match waiting.map(|(ticket, _)| *ticket) {
            Some(ticket) => state.ends(ticket),
            None => {
                state.kept.insert((self.process, key));
            }
        }
    }

    async fn pause_until(&self, until: Timestamp) {
        Standing::new(&self.schedule, self.process, Kind::Wait { key: None, until: Some(until) }).await;
    }

    async fn take_turn(&self, _: u64) {
        self.schedule.point(self.process).await;
    }
}
