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
    driven: Mutex<HashMap<DeploymentId, Lease>>,
    failure: watch::Sender<Option<String>>,
}

impl Service {
    /// A service that has not begun.
    pub fn new(ports: Ports, metrics: Metrics) -> Self {
        let (failure, _) = watch::channel(None);
        Self(Arc::new(Inner { ports, metrics, tasks: TaskTracker::new(), driven: Mutex::default(), failure }))
    }

    /// Begins: answers what was accepted and never answered, picks up what was going on, and keeps house.
    pub async fn begin(&self) -> Result<(), StoreError> {
        for request in self.0.ports.store.unanswered().await? {
            self.have_answered(request, None);
        }
        let keeper = self.clone();
        self.spawn(async move { keeper.keep().await });
        Ok(())
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

    fn driven(&self) -> std::sync::MutexGuard<'_, HashMap<DeploymentId, Lease>> {
        self.0.driven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> &dyn Clock {
        self.0.ports.clock.as_ref()
    }

    /// Runs a task that is counted, survives its own panic, and is waited for when draining.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let clock = Arc::clone(&self.0.ports.clock);
        clock.task_began();
        self.0.tasks.spawn(async move {
            let counted = Counted(clock);
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!("a task panicked; its work is taken up again from the record");
            }
            drop(counted);
        });
    }

    fn fail(&self, error: &StoreError) {
        tracing::error!(%error, "the store failed");
        self.0.metrics.store_failed();
        self.0.failure.send_replace(Some(error.to_string()));
    }

    fn lease_until(&self) -> Timestamp {
        later(self.clock().now(), LEASE)
    }

    fn have_answered(&self, request: Request, code: Option<SecretString>) {
        let service = self.clone();
        self.spawn(async move {
            if let Err(error) = service.answer(&request, code).await {
                service.fail(&error);
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
                    self.fail(&error);
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
                    self.fail(&error);
                    return;
                }
            };
            let pause = if open == 0 { IDLING } else { KEEPING };
            self.clock().wait(WakeKey::Keeper, Some(later(now, pause))).await;
        }
    }

    /// Returns how many deployments are open.
    async fn sweep(&self, forgot: &mut Timestamp, now: Timestamp) -> Result<usize, StoreError> {
        let held: Vec<(DeploymentId, Lease)> = self.driven().iter().map(|(id, lease)| (*id, lease.clone())).collect();
        for (id, lease) in held {
            match self.0.ports.store.renew(&lease, now, self.lease_until()).await? {
                Some(renewed) => {
                    if let Some(lease) = self.driven().get_mut(&id) {
                        *lease = renewed;
                    }
                }
                None => tracing::warn!(deployment = %id, "a lease was lost"),
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
        self.driven().insert(id, lease.clone());
        let service = self.clone();
        self.spawn(async move {
            let guard = Driven { service: service.clone(), id };
            let ended = drive(&service.0.ports, &lease, id).await;
            drop(guard);
            service.driven_to_an_end(id, ended);
            if let Err(error) = service.0.ports.store.release(&lease).await {
                service.fail(&error);
            }
        });
        Ok(())
    }

    fn driven_to_an_end(&self, id: DeploymentId, ended: Result<(), DriveError>) {
        match ended {
            Ok(()) => {}
            Err(DriveError::LeaseLost) => tracing::warn!(deployment = %id, "another worker has taken over"),
            Err(DriveError::Store(error)) => self.fail(&error),
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

/// Takes a deployment off the list of those driven here, also when its driver panics.
struct Driven {
    service: Service,
    id: DeploymentId,
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.service.driven().remove(&self.id);
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
        // In a task of its own: whoever delivers may stop waiting, and what lies on disk by then is answered all the same.
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
