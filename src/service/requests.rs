//! The requests of the running service: taken in, put on disk, answered once.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::domain::actor::Origin;
use crate::domain::form::{Draft, FieldName, Form, Objection, Suggestion, Topic};
use crate::domain::names::DeliveryId;
use crate::domain::pipeline::PipelineKey;
use crate::domain::request::Request;
use crate::ports::{Inbox, Incoming, Lease, StoreError, Submitted, WakeKey, Work};
use crate::usecases::{answer, give_up, next_form, show_page, suggest};

use super::{Service, Worker};

/// How many requests are answered at the same time. Each answer calls the outside, and holds what it found: however many come
/// at once, the others wait on disk.
const TOGETHER: usize = 32;
/// Taken up are so many at a time at least, so that they share what taking up costs.
const AT_ONCE: usize = 16;

/// How far the answer to a request has come here.
#[derive(Debug)]
pub(super) enum Answering {
    /// It is being answered.
    By(Worker),
    /// Nothing could be said, not even that: the next start tries again.
    GivenUp,
}

/// How many are being answered, and whether there are more.
#[derive(Debug, Default)]
pub(super) struct Room {
    answering: usize,
    /// Somebody takes some up.
    taking: bool,
    /// There may be some that nobody has taken up.
    more: bool,
}

impl Room {
    /// How many may be taken up now, by whoever asks; `None`: none, or somebody else does it.
    fn begin(&mut self) -> Option<usize> {
        let room = TOGETHER.saturating_sub(self.answering);
        let begins = self.more && !self.taking && room >= AT_ONCE;
        if begins {
            (self.taking, self.more) = (true, false);
        }
        begins.then_some(room)
    }

    fn one_more(&mut self) {
        self.answering = self.answering.saturating_add(1);
    }

    fn one_less(&mut self) {
        self.answering = self.answering.saturating_sub(1);
    }

    fn end(&mut self, taken: usize, room: usize) {
        self.taking = false;
        self.more |= taken >= room;
        self.answering = self.answering.saturating_add(taken);
    }
}

impl Service {
    fn room(&self) -> MutexGuard<'_, Room> {
        self.0.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up what was accepted, as long as there is room.
    async fn take_up_requests(&self) {
        loop {
            let Some(room) = self.room().begin() else { return };
            let taken = self.0.ports.store.take_up(room, self.clock().now(), self.lease_until()).await;
            let taken = taken.unwrap_or_else(|error| {
                self.store_failed(&error);
                Vec::new()
            });
            self.room().end(taken.len(), room);
            for (request, lease) in taken {
                self.have_answered(request, lease, None);
            }
        }
    }

    /// Has a request answered that was taken up under this lease.
    fn have_answered(&self, request: Request, lease: Lease, code: Option<SecretString>) {
        let stop = CancellationToken::new();
        let worker = Worker { lease: lease.clone(), stop: stop.clone() };
        self.answered().insert(request.id.clone(), Answering::By(worker));
        if self.0.idle.swap(false, Ordering::SeqCst) {
            self.clock().wake(WakeKey::Keeper);
        }
        let service = self.clone();
        self.spawn(async move {
            let ended = AssertUnwindSafe(Box::pin(service.answer(&request, &lease, &stop, code))).catch_unwind().await;
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
            service.room().one_less();
            // What finds no room any more when a drain begins lies on disk, for the next life.
            if !service.is_draining() {
                service.take_up_requests().await;
            }
        });
    }

    async fn answer(
        &self,
        request: &Request,
        lease: &Lease,
        stop: &CancellationToken,
        code: Option<SecretString>,
    ) -> Result<(), StoreError> {
        let ports = &self.0.ports;
        let answering = AssertUnwindSafe(stop.run_until_cancelled(answer(ports, request, code)));
        let answered = match answering.catch_unwind().await {
            Ok(Some(answered)) => answered,
            Ok(None) => {
                tracing::warn!(request = %request.id, "the lease was lost: somebody else answers");
                Ok(())
            }
            // The same again would most likely end the same way: the person hears of it, and may ask again.
            Err(_) => {
                tracing::error!(request = %request.id, "answering panicked");
                give_up(ports, request).await
            }
        };
        ports.store.release(lease).await?;
        answered
    }

    /// Renews the leases of requests whose answers take long, takes up those whose worker is gone and those that nobody has taken
    /// up. Returns whether some wait for that.
    pub(super) async fn sweep_requests(&self, now: Timestamp) -> Result<bool, StoreError> {
        let by = |(id, answering): (&DeliveryId, &Answering)| match answering {
            Answering::By(worker) => Some((id.clone(), worker.clone())),
            Answering::GivenUp => None,
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
            let claimed = self.0.ports.store.claim(&Work::Request(request.id.clone()), now, self.lease_until()).await?;
            // It may have been answered since it was read.
            let Some(lease) = claimed else { continue };
            match self.0.ports.store.request(&request.id).await?.filter(|request| !request.answered) {
                Some(request) => {
                    self.room().one_more();
                    self.have_answered(request, lease, None);
                }
                None => self.0.ports.store.release(&lease).await?,
            }
        }
        self.room().more = true;
        self.take_up_requests().await;
        Ok(waiting)
    }

    /// Puts a request on disk. With a lease: it is to be answered at once, because what it came with waits nowhere.
    async fn accept(&self, request: &Request) -> (Submitted, Option<Lease>) {
        let store = &self.0.ports.store;
        let accepted = if request.came_with_code {
            let claimed = store.accept_claimed(request, self.clock().now(), self.lease_until()).await;
            claimed.map(|lease| (if lease.is_some() { Submitted::Accepted } else { Submitted::Repeated }, lease))
        } else {
            store.accept(request).await.map(|()| (Submitted::Accepted, None))
        };
        accepted.unwrap_or_else(|error| {
            tracing::error!(%error, "a request could not be put on disk");
            if matches!(error, StoreError::Failed(_) | StoreError::Damaged(_)) {
                self.store_failed(&error);
            }
            (Submitted::Unavailable, None)
        })
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
        self.spawn_on(&Handle::current(), async move {
            let draining = service.is_draining();
            let (became, lease) = if draining { (Submitted::Unavailable, None) } else { service.accept(&request).await };
            service.0.metrics.request(&request.ask, became);
            if say.send(became).is_err() {
                tracing::warn!(request = %request.id, ?became, "nobody waits any more to hear what became of a request");
            }
            match (became, lease) {
                (Submitted::Accepted, Some(lease)) => {
                    service.room().one_more();
                    service.have_answered(Request { version: 1, ..request }, lease, code);
                }
                (Submitted::Accepted, None) => {
                    service.room().more = true;
                    service.take_up_requests().await;
                }
                (Submitted::Repeated | Submitted::Unavailable, _) => {}
            }
        });
        said.await.unwrap_or(Submitted::Unavailable)
    }

    async fn suggest(&self, by: &Origin, topic: &Topic, field: FieldName) -> Vec<Suggestion> {
        suggest(&self.0.ports, by, topic, field).await
    }

    async fn looked_at(&self, page_of: &Origin) -> bool {
        let (service, page_of) = (self.clone(), page_of.clone());
        let there = !service.is_draining();
        if there {
            self.spawn(async move {
                if let Err(error) = show_page(&service.0.ports, &page_of).await {
                    service.store_failed(&error);
                }
            });
        }
        there
    }

    async fn next_form(&self, by: &Origin, pipeline: &PipelineKey, draft: &Draft) -> Result<Form, Vec<Objection>> {
        next_form(&self.0.ports, by, pipeline, draft).await
    }
}
