//! The running service: takes requests in, has them answered, drives deployments, keeps leases, drains.

mod requests;
mod upkeep;
mod visits;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::deployment::Deployment;
use crate::domain::names::{DeliveryId, DeploymentId};
use crate::domain::sign_in::SignIn;
use crate::metrics::Metrics;
use crate::ports::{Clock, Lease, StoreError, WakeKey, Work};
use crate::usecases::{Departures, DriveError, InstalledBots, Ports, SignIns, Swept, drive, mind_locks, set_right};

use requests::{Answering, Room};
pub use visits::{WholeInstalls, WholeSteps};

/// How long a lease lasts. It is renewed at a third of that.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How often the keeper looks while something goes on.
const KEEPING: SignedDuration = SignedDuration::from_secs(20);
/// How often it looks while nothing does.
const IDLING: SignedDuration = SignedDuration::from_hours(1);
/// How long answered requests and ended offers are kept, so that a repeated delivery is known.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// The service. Cheap to clone: all clones are the same service.
#[derive(Clone, Debug)]
pub struct Service(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ports: Ports,
    departures: Option<Departures>,
    metrics: Metrics,
    tasks: TaskTracker,
    /// The threads behind the door.
    workers: Handle,
    // In order, so that the same run goes the same way again.
    driven: Mutex<BTreeMap<DeploymentId, Worker>>,
    answered: Mutex<BTreeMap<DeliveryId, Answering>>,
    room: Mutex<Room>,
    /// The keeper sleeps long: whoever begins something wakes it.
    idle: AtomicBool,
    /// Somebody ends visits whose time has run out.
    ending_visits: AtomicBool,
    /// Somebody does upkeep here.
    upkeeping: AtomicBool,
    /// When that was last begun.
    upkept_at: Mutex<Timestamp>,
    failure: watch::Sender<Option<String>>,
}

/// Who works on something here.
#[derive(Clone, Debug)]
struct Worker {
    lease: Lease,
    /// Stops the work at once: its lease is lost, so somebody else does it.
    stop: CancellationToken,
}

impl Service {
    /// A service that has not begun. What it does behind the door, answering and driving, it does on the threads of `workers`;
    /// what is delivered, it puts on disk on the threads of whoever delivers.
    pub fn new(ports: Ports, metrics: Metrics, workers: Handle) -> Self {
        Self::made(ports, metrics, workers, None)
    }

    /// One that also acts on what the chat tells of installations.
    pub fn hearing(ports: Ports, metrics: Metrics, workers: Handle, departures: Departures) -> Self {
        Self::made(ports, metrics, workers, Some(departures))
    }

    /// What workspaces have given that have installed the app, where they do.
    pub fn bots(&self) -> Option<&InstalledBots> {
        self.0.departures.as_ref()?.bots.as_ref()
    }

    fn made(ports: Ports, metrics: Metrics, workers: Handle, departures: Option<Departures>) -> Self {
        let (failure, _) = watch::channel(None);
        Self(Arc::new(Inner {
            ports,
            departures,
            metrics,
            tasks: TaskTracker::new(),
            workers,
            driven: Mutex::default(),
            answered: Mutex::default(),
            room: Mutex::default(),
            idle: AtomicBool::new(false),
            ending_visits: AtomicBool::new(false),
            upkeeping: AtomicBool::new(false),
            upkept_at: Mutex::new(Timestamp::MIN),
            failure,
        }))
    }

    /// Begins: answers what was accepted and never answered, picks up what was going on, and keeps house.
    pub async fn begin(&self) -> Result<(), StoreError> {
        self.begin_privacy(self.clock().now()).await?;
        self.sweep_requests(self.clock().now()).await?;
        let keeper = self.clone();
        self.spawn(async move {
            // Without a keeper nothing is taken up and leases run out: better to end, and to be started again.
            if AssertUnwindSafe(keeper.keep()).catch_unwind().await.is_err() {
                keeper.fail("the keeper of leases panicked".to_owned());
            }
        });
        let service = self.clone();
        self.spawn(async move { service.mind_locks().await });
        if let Some(departures) = self.0.departures.clone() {
            let service = self.clone();
            self.spawn(async move { service.see_off(&departures).await });
        }
        Ok(())
    }

    /// Why the service cannot go on, if that is so.
    pub fn failure(&self) -> Option<String> {
        self.0.failure.borrow().clone()
    }

    /// Returns when the service can go on no more, with the reason.
    pub async fn failed(&self) -> String {
        let mut failure = self.0.failure.subscribe();
        loop {
            if let Some(reason) = failure.borrow_and_update().clone() {
                return reason;
            }
            if failure.changed().await.is_err() {
                return "the service is gone".to_owned();
            }
        }
    }

    /// Drains: takes nothing more, begins no new step, lets running steps be recorded. Returns when all tasks have ended;
    /// the caller bounds the wait.
    pub async fn drain(&self) {
        self.0.ports.stopping.store(true, Ordering::SeqCst);
        self.0.metrics.draining();
        self.0.tasks.close();
        self.0.ports.clock.wake(WakeKey::Keeper);
        self.0.ports.clock.wake(WakeKey::Departures);
        self.0.ports.clock.wake(WakeKey::Locks);
        let driven: Vec<DeploymentId> = self.driven().keys().copied().collect();
        for id in driven {
            self.0.ports.clock.wake(WakeKey::Deployment(id));
        }
        self.0.tasks.wait().await;
    }

    /// Where people link their accounts, if they do.
    pub fn sign_ins(&self) -> Option<&SignIns> {
        self.0.ports.sign_ins.as_ref()
    }

    /// Whether it is draining.
    pub fn is_draining(&self) -> bool {
        self.0.ports.stopping.load(Ordering::SeqCst)
    }

    /// How many deployments this instance drives.
    pub fn driving(&self) -> usize {
        self.driven().len()
    }

    fn driven(&self) -> MutexGuard<'_, BTreeMap<DeploymentId, Worker>> {
        self.0.driven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered(&self) -> MutexGuard<'_, BTreeMap<DeliveryId, Answering>> {
        self.0.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> &dyn Clock {
        self.0.ports.clock.as_ref()
    }

    /// Runs a task behind the door: counted, survives its own panic, and waited for when draining.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_on(&self.0.workers, task);
    }

    fn spawn_on(&self, threads: &Handle, task: impl Future<Output = ()> + Send + 'static) {
        let clock = Arc::clone(&self.0.ports.clock);
        let turn = clock.task_began();
        let task = async move {
            let counted = Counted(clock);
            counted.0.take_turn(turn).await;
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!("a task panicked; its work is taken up again by the next start");
            }
            drop(counted);
        };
        self.0.tasks.spawn_on(task, threads);
    }

    fn store_failed(&self, error: &StoreError) {
        tracing::error!(%error, "the store failed");
        self.0.metrics.store_failed();
        self.fail(error.to_string());
    }

    /// The first reason stands.
    fn fail(&self, reason: String) {
        self.0.failure.send_if_modified(|failure| {
            let first = failure.is_none();
            failure.get_or_insert(reason);
            first
        });
    }

    fn lease_until(&self) -> Timestamp {
        later(self.clock().now(), LEASE)
    }

    /// Keeps house: renews leases, takes up deployments that nobody drives, forgets what is over.
    async fn keep(&self) {
        let mut forgot = Timestamp::MIN;
        while !self.is_draining() {
            let now = self.clock().now();
            let busy = match self.sweep(&mut forgot, now).await {
                Ok(busy) => busy,
                Err(error) => {
                    self.store_failed(&error);
                    return;
                }
            };
            let pause = if busy || !self.falls_idle() { KEEPING } else { IDLING };
            self.clock().wait(WakeKey::Keeper, Some(later(now, pause))).await;
        }
    }

    /// Ends locks whose time is over, and tells holders of theirs.
    async fn mind_locks(&self) {
        while !self.is_draining() {
            let idle = later(self.clock().now(), IDLING);
            let next = match mind_locks(&self.0.ports).await {
                Ok(due) => due.map_or(idle, |due| due.min(idle)),
                Err(error @ (StoreError::Failed(_) | StoreError::Damaged(_))) => {
                    self.store_failed(&error);
                    return;
                }
                Err(error @ (StoreError::Conflict(_) | StoreError::LeaseLost | StoreError::TooLarge { .. })) => {
                    tracing::warn!(%error, "locks are minded later");
                    later(self.clock().now(), KEEPING)
                }
            };
            self.clock().wait(WakeKey::Locks, Some(next)).await;
        }
    }

    /// Acts on what the chat tells of installations.
    async fn see_off(&self, departures: &Departures) {
        while !self.is_draining() {
            let next = match departures.sweep().await {
                Ok(Swept { left: true, .. }) => later(self.clock().now(), KEEPING),
                Ok(Swept { left: false, due }) => {
                    let idle = later(self.clock().now(), IDLING);
                    due.map_or(idle, |due| due.min(idle))
                }
                Err(error @ (StoreError::Failed(_) | StoreError::Damaged(_))) => {
                    self.store_failed(&error);
                    return;
                }
                // Somebody else was faster: what is left is done the next time.
                Err(error @ (StoreError::Conflict(_) | StoreError::LeaseLost | StoreError::TooLarge { .. })) => {
                    tracing::warn!(%error, "what was heard of installations is done later");
                    later(self.clock().now(), KEEPING)
                }
            };
            self.clock().wait(WakeKey::Departures, Some(next)).await;
        }
    }

    /// Whether the keeper may sleep long. What begins from now on wakes it.
    fn falls_idle(&self) -> bool {
        self.0.idle.store(true, Ordering::SeqCst);
        let idle = !self.answered().values().any(|answering| !matches!(answering, Answering::GivenUp));
        self.0.idle.store(idle, Ordering::SeqCst);
        idle
    }

    /// Returns whether something goes on.
    async fn sweep(&self, forgot: &mut Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        let driven: Vec<(DeploymentId, Worker)> = self.driven().iter().map(|(id, worker)| (*id, worker.clone())).collect();
        for (id, worker) in driven {
            let Some(renewed) = self.renewed(&worker, now).await? else { continue };
            // The driver may have ended meanwhile, and given the lease back.
            if let Some(worker) = self.driven().get_mut(&id).filter(|worker| worker.lease.fence == renewed.fence) {
                worker.lease = renewed;
            }
        }
        let waiting = self.sweep_requests(now).await?;
        let open = self.0.ports.store.open_deployments().await?;
        let count = open.len();
        self.0.metrics.open(count);
        for deployment in open {
            self.take_up(&deployment).await?;
        }
        if now.duration_since(*forgot) >= IDLING {
            *forgot = now;
            let before = now.checked_sub(REMEMBERED).unwrap_or(now);
            self.0.ports.store.forget(before).await?;
            if let Some(sign_ins) = &self.0.ports.sign_ins {
                sign_ins.forget().await?;
            }
        }
        let visited = self.sweep_visits(now).await?;
        let asked = self.sweep_privacy(now).await?;
        Ok(count > 0 || waiting || visited || asked)
    }

    /// Has the visits ended whose time has run out, beside everything else: their services may take their time. Returns whether some
    /// are open.
    async fn sweep_visits(&self, now: Timestamp) -> Result<bool, StoreError> {
        let Some(sign_ins) = &self.0.ports.sign_ins else { return Ok(false) };
        let open = sign_ins.linked.accounts.open_sign_ins().await?;
        let due = open.iter().any(|sign_in| sign_in.is_due(now));
        if due && !self.is_draining() && !self.0.ending_visits.swap(true, Ordering::SeqCst) {
            let (service, sign_ins) = (self.clone(), sign_ins.clone());
            self.spawn(async move {
                let swept = AssertUnwindSafe(sign_ins.sweep()).catch_unwind().await;
                service.0.ending_visits.store(false, Ordering::SeqCst);
                match swept {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => service.store_failed(&error),
                    Err(_) => tracing::error!("ending visits panicked; it is tried again"),
                }
            });
        }
        Ok(open.iter().any(SignIn::goes_on))
    }

    /// Lengthens a lease; where it is lost, the work is stopped.
    async fn renewed(&self, worker: &Worker, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        let renewed = self.0.ports.store.renew(&worker.lease, now, self.lease_until()).await?;
        if renewed.is_none() {
            worker.stop.cancel();
        }
        Ok(renewed)
    }

    async fn take_up(&self, deployment: &Deployment) -> Result<(), StoreError> {
        let id = deployment.id;
        if self.driven().contains_key(&id) || self.is_draining() {
            return Ok(());
        }
        let claimed = self.0.ports.store.claim(&Work::Deployment(id), self.clock().now(), self.lease_until()).await?;
        let Some(lease) = claimed else { return Ok(()) };
        let stop = CancellationToken::new();
        self.driven().insert(id, Worker { lease: lease.clone(), stop: stop.clone() });
        let service = self.clone();
        self.spawn(async move {
            let driving = stop.run_until_cancelled(Box::pin(drive(&service.0.ports, &lease, id)));
            let ended = AssertUnwindSafe(driving).catch_unwind().await;
            // Given back before it is off the list, so that whoever takes it up again finds it free.
            if let Err(error) = service.0.ports.store.release(&lease).await {
                service.store_failed(&error);
            }
            service.driven().remove(&id);
            match ended {
                Ok(Some(Ok(()))) => {}
                Ok(Some(Err(DriveError::LeaseLost)) | None) => service.lease_lost(id).await,
                Ok(Some(Err(DriveError::Store(error)))) => service.store_failed(&error),
                // No wake: one that panics again and again shall not keep the machine busy.
                Err(_) => tracing::error!(deployment = %id, "driving panicked; the keeper takes it up again from the record"),
            }
        });
        Ok(())
    }

    async fn lease_lost(&self, id: DeploymentId) {
        tracing::warn!(deployment = %id, "the lease was lost: taken up again, unless another worker has it");
        self.clock().wake(WakeKey::Keeper);
        if let Err(error) = set_right(&self.0.ports, id).await {
            self.store_failed(&error);
        }
    }
}

/// Ends the count of a task, also when it panics.
struct Counted(Arc<dyn Clock>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.task_ended();
    }
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
