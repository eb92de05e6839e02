//! What one process has of the world: every port, each call of it a moment at which another may go first.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use jiff::{SignedDuration, Timestamp};
use slash_heroku::domain::pipeline::Environment;
use slash_heroku::ports::{Fault, PortError, Service};

use super::memory::Memory;
use super::schedule::{Process, Schedule};
use super::world::{Order, Outside, World};

/// The pipelines, each with its one app and where that stands.
pub const PIPELINES: [(&str, &str, Environment); 3] = [
    ("hubot", "hubot-staging", Environment::Staging),
    ("web", "web-staging", Environment::Staging),
    ("vault", "vault-production", Environment::Production),
];

/// Whoever has this name makes us panic.
pub const CLUMSY: &str = "clumsy";
/// For whoever has this name the platform takes its time.
pub const SLOW: &str = "slow";
/// So many seconds of it.
pub const SLOWLY: i64 = 150;

/// The place of one process.
#[derive(Debug)]
pub struct Seat {
    pub process: Process,
    pub schedule: Arc<Schedule>,
    pub world: Arc<World>,
    pub store: Memory,
    pub ids: Arc<AtomicU64>,
    /// In how many of a hundred calls something goes wrong on the way.
    pub bad_luck: u64,
}

/// How a call that changes something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Luck {
    Good,
    /// It never left.
    Unreachable,
    /// Done, and the answer was lost.
    LostAnswer,
    /// Not done, and nobody knows.
    LostOrder,
    /// Done in so many seconds, and nobody knows.
    Late(i64),
}

fn failed<T>(service: Service, fault: Fault) -> Result<T, PortError> {
    Err(PortError::new(service, fault, "bad luck"))
}

impl Seat {
    fn luck(&self) -> Luck {
        self.schedule.draw(|random| {
            if !random.chance(self.bad_luck) {
                return Luck::Good;
            }
            match random.below(4) {
                0 => Luck::Unreachable,
                1 => Luck::LostAnswer,
                2 => Luck::LostOrder,
                _ => Luck::Late(random.between(1, 45)),
            }
        })
    }

    pub fn outside<T>(&self, work: impl FnOnce(&mut Outside, Timestamp) -> T) -> T {
        let now = self.schedule.now();
        self.schedule.draw(|random| work(&mut self.world.at(now, random), now))
    }

    /// A call that changes nothing.
    pub async fn looks<T>(&self, what: &str, work: impl FnOnce(&mut Outside, Timestamp) -> T) -> T {
        self.schedule.point(self.process).await;
        let seen = self.outside(work);
        self.schedule.tell(self.process, || what.to_owned());
        seen
    }

    /// A call that changes something and may be repeated.
    pub async fn changes<T>(
        &self,
        what: impl FnOnce() -> String,
        service: Service,
        work: impl FnOnce(&mut Outside) -> T,
    ) -> Result<T, PortError> {
        self.schedule.may_freeze(self.process).await;
        self.schedule.point(self.process).await;
        let luck = self.luck();
        self.schedule.tell(self.process, || format!("{}{}", what(), of(luck)));
        match luck {
            Luck::Good => Ok(self.outside(|outside, _| work(outside))),
            Luck::Unreachable => failed(service, Fault::Unreachable),
            Luck::LostOrder | Luck::Late(_) => failed(service, Fault::RateLimited { until: None }),
            Luck::LostAnswer => {
                self.outside(|outside, _| work(outside));
                failed(service, Fault::Unclear)
            }
        }
    }

    /// An order that cannot be undone.
    pub async fn orders<T>(&self, what: &str, service: Service, order: Order, answer: impl FnOnce(&Outside) -> T) -> Result<T, PortError> {
        self.schedule.on_its_way(self.process).await;
        let (deployment, is_build) = match &order {
            Order::Build { deployment, .. } => (*deployment, true),
            Order::Record { deployment } => (*deployment, false),
        };
        let luck = match self.luck() {
            luck @ (Luck::Good | Luck::Unreachable | Luck::LostAnswer) => luck,
            // Lost twice would be unknown for a day: that is for the tests of the domain.
            luck @ (Luck::LostOrder | Luck::Late(_)) => self.outside(|outside, _| {
                let again = outside.unlucky.contains(&(deployment, is_build));
                outside.unlucky.push((deployment, is_build));
                if again { Luck::Good } else { luck }
            }),
        };
        self.schedule.tell(self.process, || format!("{what} of {deployment}{}", of(luck)));
        if let Order::Build { app, .. } = &order {
            let holder = self.store.rows().lines.get(app).and_then(|line| line.holder);
            if holder != Some(deployment) {
                self.outside(|outside, _| outside.faults.push(format!("{deployment} orders a build and does not hold {app}")));
            }
        }
        let now = self.schedule.now();
        let done = match luck {
            Luck::Good | Luck::LostAnswer => self.schedule.draw(|random| {
                let mut outside = self.world.at(now, random);
                outside.carry_out(order, now, random);
                if luck == Luck::Good { Ok(answer(&outside)) } else { failed(service, Fault::Unclear) }
            }),
            Luck::Unreachable => failed(service, Fault::Unreachable),
            Luck::LostOrder => failed(service, Fault::Unclear),
            Luck::Late(seconds) => {
                self.outside(|outside, now| outside.comes_late(order, now + SignedDuration::from_secs(seconds)));
                failed(service, Fault::Unclear)
            }
        };
        self.schedule.may_freeze(self.process).await;
        done
    }

    pub async fn stores<T>(&self, what: impl FnOnce() -> String, work: impl Future<Output = T>) -> T
    where
        T: std::fmt::Debug,
    {
        self.schedule.may_freeze(self.process).await;
        self.schedule.point(self.process).await;
        let done = work.await;
        self.schedule.tell(self.process, what);
        self.schedule.may_freeze(self.process).await;
        done
    }
}

fn of(luck: Luck) -> String {
    if luck == Luck::Good { String::new() } else { format!(" ({luck:?})") }
}
