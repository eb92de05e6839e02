//! The running service: takes requests in, has them answered, drives deployments, keeps leases, drains.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::deployment::Deployment;
use crate::domain::names::DeploymentId;
use crate::domain::request::Request;
use crate::metrics::Metrics;
use crate::ports::{Accepted, Clock, Inbox, Incoming, Lease, StoreError, Submitted, WakeKey, Work};
use crate::usecases::{DriveError, Ports, answer, drive};

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
    metrics: Metrics,
    tasks: TaskTracker,
    driven: Mutex<HashMap<DeploymentId, Driver>>,
    failure: watch::Sender<Option<String>>,
}

/// Who drives a deployment here.
#[derive(Debug)]
struct Driver {
    lease: Lease,
    /// Stops the driver at once: its lease is lost, so what it would record is refused anyway.
    stop: CancellationToken,
}

impl Service {
    /// A service that has not begun.
    pub fn new(ports: Ports, metrics: Metrics) -> Self {
        let (failure, _) = watch::channel(None);
        Self(Arc::new(Inner { ports, metrics, tasks: TaskTracker::new(), driven: Mutex::default(), failure }))
    }

    /// Begins: answers what was accepted and never answered, picks up what was going on, and keeps house. To be called
    /// before anything is submitted: a request that comes in meanwhile would be taken for one of the last life, and its
    /// one-time code for lost.
    pub async fn begin(&self) -> Result<(), StoreError> {
        for request in self.0.ports.store.unanswered().await? {
            self.have_answered(request, None);
        }
        let keeper = self.clone();
        self.spawn(async move {
            // Without a keeper nothing is taken up and leases run out: better to end, and to be started again.
            if AssertUnwindSafe(keeper.keep()).catch_unwind().await.is_err() {
                keeper.fail("the keeper of leases panicked".to_owned());
            }
        });
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
        let driven: Vec<DeploymentId> = self.driven().keys().copied().collect();
        for id in driven {
            self.0.ports.clock.wake(WakeKey::Deployment(id));
        }
        self.0.tasks.wait().await;
    }

    /// Whether it is draining.
    pub fn is_draining(&self) -> bool {
        self.0.ports.stopping.load(Ordering::SeqCst)
    }

    /// How many deployments this instance drives.
    pub fn driving(&self) -> usize {
        self.driven().len()
    }

    fn driven(&self) -> std::sync::MutexGuard<'_, HashMap<DeploymentId, Driver>> {
        self.0.driven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> &dyn Clock {
        self.0.ports.clock.as_ref()
    }

    /// Runs a task that is counted, survives its own panic, and is waited for when draining.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let clock = Arc::clone(&self.0.ports.clock);
        let turn = clock.task_began();
        self.0.tasks.spawn(async move {
            let counted = Counted(clock);
            counted.0.take_turn(turn).await;
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!("a task panicked; its work is taken up again by the next start");
            }
            drop(counted);
        });
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

    fn have_answered(&self, request: Request, code: Option<SecretString>) {
        let service = self.clone();
        self.spawn(async move {
            if let Err(error) = service.answer(&request, code).await {
                service.store_failed(&error);
            }
        });
    }

    async fn answer(&self, request: &Request, code: Option<SecretString>) -> Result<(), StoreError> {
        let ports = &self.0.ports;
        let Some(lease) = ports.store.claim(&Work::Request(request.id.clone()), self.clock().now(), self.lease_until()).await? else {
            return Ok(());
        };
        let Some(request) = ports.store.request(&request.id).await?.filter(|request| !request.answered) else { return Ok(()) };
        let answered = answer(ports, &request, code).await;
        ports.store.release(&lease).await?;
        answered
    }

    async fn accept(&self, request: &Request) -> Submitted {
        match self.0.ports.store.accept(request).await {
            Ok(Accepted::New) => Submitted::Accepted,
            Ok(Accepted::Repeated) => Submitted::Repeated,
            Err(error) => {
                tracing::error!(%error, "a request could not be put on disk");
                if matches!(error, StoreError::Failed(_) | StoreError::Damaged(_)) {
                    self.store_failed(&error);
                }
                Submitted::Unavailable
            }
        }
    }

    /// Keeps house: renews leases, takes up deployments that nobody drives, forgets what is over.
    async fn keep(&self) {
        let mut forgot = Timestamp::MIN;
        while !self.is_draining() {
            let now = self.clock().now();
            let open = match self.sweep(&mut forgot, now).await {
                Ok(open) => open,
                Err(error) => {
                    self.store_failed(&error);
                    return;
                }
            };
            let pause = if open == 0 { IDLING } else { KEEPING };
            self.clock().wait(WakeKey::Keeper, Some(later(now, pause))).await;
        }
    }

    /// Returns how many deployments are open.
    async fn sweep(&self, forgot: &mut Timestamp, now: Timestamp) -> Result<usize, StoreError> {
        let held: Vec<(DeploymentId, Lease)> = self.driven().iter().map(|(id, driver)| (*id, driver.lease.clone())).collect();
        for (id, lease) in held {
            let renewed = self.0.ports.store.renew(&lease, now, self.lease_until()).await?;
            let mut driven = self.driven();
            // The driver may have ended meanwhile, and given the lease back.
            let Some(driver) = driven.get_mut(&id).filter(|driver| driver.lease.fence == lease.fence) else { continue };
            match renewed {
                Some(renewed) => driver.lease = renewed,
                None => driver.stop.cancel(),
            }
        }
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
        }
        Ok(count)
    }

    async fn take_up(&self, deployment: &Deployment) -> Result<(), StoreError> {
        let id = deployment.id;
        if self.driven().contains_key(&id) || self.is_draining() {
            return Ok(());
        }
        let claimed = self.0.ports.store.claim(&Work::Deployment(id), self.clock().now(), self.lease_until()).await?;
        let Some(lease) = claimed else { return Ok(()) };
        let stop = CancellationToken::new();
        self.driven().insert(id, Driver { lease: lease.clone(), stop: stop.clone() });
        let service = self.clone();
        self.spawn(async move {
            let driving = stop.run_until_cancelled(drive(&service.0.ports, &lease, id));
            let ended = AssertUnwindSafe(driving).catch_unwind().await;
            // Given back before it is off the list, so that whoever takes it up again finds it free.
            if let Err(error) = service.0.ports.store.release(&lease).await {
                service.store_failed(&error);
            }
            service.driven().remove(&id);
            match ended {
                Ok(Some(ended)) => service.driven_to_an_end(id, ended),
                Ok(None) => service.driven_to_an_end(id, Err(DriveError::LeaseLost)),
                // No wake: one that panics again and again shall not keep the machine busy.
                Err(_) => tracing::error!(deployment = %id, "driving panicked; the keeper takes it up again from the record"),
            }
        });
        Ok(())
    }

    fn driven_to_an_end(&self, id: DeploymentId, ended: Result<(), DriveError>) {
        match ended {
            Ok(()) => {}
            Err(DriveError::LeaseLost) => {
                tracing::warn!(deployment = %id, "the lease was lost: taken up again, unless another worker has it");
                self.clock().wake(WakeKey::Keeper);
            }
            Err(DriveError::Store(error)) => self.store_failed(&error),
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

#[async_trait]
impl Inbox for Service {
    async fn submit(&self, incoming: Incoming) -> Submitted {
        let Incoming { id, origin, ask, code } = incoming;
        let request =
            Request { id, version: 0, origin, ask, came_with_code: code.is_some(), received_at: self.clock().now(), answered: false };
        // In a task of its own: whoever delivers may stop waiting, and what lies on disk by then is answered all the same. Whoever
        // drains waits for it from here on: what is accepted is also answered, or the drain has begun and it is not taken.
        let (say, said) = tokio::sync::oneshot::channel();
        let service = self.clone();
        self.spawn(async move {
            let became = if service.is_draining() { Submitted::Unavailable } else { service.accept(&request).await };
            service.0.metrics.request(&request.ask, became);
            if say.send(became).is_err() {
                tracing::warn!(request = %request.id, ?became, "nobody waits any more to hear what became of a request");
            }
            if became == Submitted::Accepted {
                service.have_answered(request, code);
            }
        });
        said.await.unwrap_or(Submitted::Unavailable)
    }
}
