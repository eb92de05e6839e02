//! The requests of the running service: taken in, put on disk, answered once.

use std::collections::btree_map::Entry;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use futures_util::FutureExt;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::domain::names::DeliveryId;
use crate::domain::request::Request;
use crate::ports::{Accepted, Inbox, Incoming, StoreError, Submitted, WakeKey, Work};
use crate::usecases::{answer, give_up};

use super::{LEASE, Service, Worker};

/// How far the answer to a request has come here.
#[derive(Debug)]
pub(super) enum Answering {
    /// It is being put on disk, or about to be claimed.
    Begun,
    /// It is being answered.
    By(Worker),
    /// Nothing could be said, not even that: the next start tries again.
    GivenUp,
}

impl Service {
    /// Notes that a request is answered here. `false`: it was noted before.
    pub(super) fn begins_to_answer(&self, id: &DeliveryId) -> bool {
        let begins = match self.answered().entry(id.clone()) {
            Entry::Vacant(place) => {
                place.insert(Answering::Begun);
                true
            }
            Entry::Occupied(_) => false,
        };
        if self.0.idle.swap(false, Ordering::SeqCst) {
            self.clock().wake(WakeKey::Keeper);
        }
        begins
    }

    /// Has a request answered that is noted as begun.
    pub(super) fn have_answered(&self, request: Request, code: Option<SecretString>) {
        let service = self.clone();
        self.spawn(async move {
            let ended = AssertUnwindSafe(service.answer(&request, code)).catch_unwind().await;
            let failed = match ended {
                Ok(answered) => {
                    service.answered().remove(&request.id);
                    answered.err()
                }
                Err(_) => {
                    tracing::error!(request = %request.id, "nothing could be said to a request; the next start tries again");
                    service.answered().insert(request.id, Answering::GivenUp);
                    None
                }
            };
            if let Some(error) = failed {
                service.store_failed(&error);
            }
        });
    }

    async fn answer(&self, request: &Request, code: Option<SecretString>) -> Result<(), StoreError> {
        let ports = &self.0.ports;
        let Some(lease) = ports.store.claim(&Work::Request(request.id.clone()), self.clock().now(), self.lease_until()).await? else {
            return Ok(());
        };
        let stop = CancellationToken::new();
        self.answered().insert(request.id.clone(), Answering::By(Worker { lease: lease.clone(), stop: stop.clone() }));
        let answered = match ports.store.request(&request.id).await?.filter(|request| !request.answered) {
            None => Ok(()),
            Some(request) => match AssertUnwindSafe(stop.run_until_cancelled(answer(ports, &request, code))).catch_unwind().await {
                Ok(Some(answered)) => answered,
                Ok(None) => {
                    tracing::warn!(request = %request.id, "the lease was lost: somebody else answers");
                    Ok(())
                }
                // The same again would most likely end the same way: the person hears of it, and may ask again.
                Err(_) => {
                    tracing::error!(request = %request.id, "answering panicked");
                    give_up(ports, &request).await
                }
            },
        };
        ports.store.release(&lease).await?;
        answered
    }

    /// Renews the leases of requests whose answers take long, and takes up those whose worker is gone. Returns whether some wait
    /// for that.
    pub(super) async fn sweep_requests(&self, now: Timestamp) -> Result<bool, StoreError> {
        let by = |(id, answering): (&DeliveryId, &Answering)| match answering {
            Answering::By(worker) => Some((id.clone(), worker.clone())),
            Answering::Begun | Answering::GivenUp => None,
        };
        let answered: Vec<(DeliveryId, Worker)> = self.answered().iter().filter_map(by).collect();
        for (id, worker) in answered {
            let Some(renewed) = self.renewed(&worker, now).await? else { continue };
            if let Some(Answering::By(worker)) = self.answered().get_mut(&id)
                && worker.lease.fence == renewed.fence
            {
                worker.lease = renewed;
            }
        }
        let mut waiting = false;
        for request in self.0.ports.store.unanswered().await? {
            if self.is_draining() || self.answered().contains_key(&request.id) {
                continue;
            }
            waiting = true;
            // A younger one is about to be claimed by whoever took it, who also has the code that came with it.
            if now.duration_since(request.received_at) >= LEASE && self.begins_to_answer(&request.id) {
                self.have_answered(request, None);
            }
        }
        Ok(waiting)
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
            let begins = service.begins_to_answer(&request.id);
            let became = if service.is_draining() { Submitted::Unavailable } else { service.accept(&request).await };
            service.0.metrics.request(&request.ask, became);
            if say.send(became).is_err() {
                tracing::warn!(request = %request.id, ?became, "nobody waits any more to hear what became of a request");
            }
            match became {
                Submitted::Accepted => service.have_answered(request, code),
                Submitted::Repeated | Submitted::Unavailable if begins => drop(service.answered().remove(&request.id)),
                Submitted::Repeated | Submitted::Unavailable => {}
            }
        });
        said.await.unwrap_or(Submitted::Unavailable)
    }
}
