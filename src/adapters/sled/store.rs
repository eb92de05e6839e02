//! The port, in terms of the desk.

use std::cmp::Reverse;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::deployment::Deployment;
use crate::domain::line::Line;
use crate::domain::names::{AppId, DeliveryId, DeploymentId, OfferId, PipelineId};
use crate::domain::offer::Offer;
use crate::domain::request::Request;
use crate::ports::{Batch, Lease, Store, StoreError, Work};

use super::SledStore;
use super::codec;
use super::desk::{Desk, Stop, Tx, TxResult};
use super::leases;
use super::records::{self, Record, Shelf};

/// How many records are looked at and how many forgotten in one go, so that nobody waits long for a place between two.
const LOOK_TOGETHER: usize = 200;
const FORGET_TOGETHER: usize = 50;

fn save(tx: &Tx<'_>, batch: &Batch, fences_before: u64) -> TxResult<()> {
    if let Some(lease) = &batch.under {
        leases::check(tx, fences_before, lease, batch.now)?;
    }
    batch.deployments.iter().try_for_each(|record| tx.save(record))?;
    batch.lines.iter().try_for_each(|record| tx.save(record))?;
    for request in &batch.requests {
        tx.save(request)?;
        if request.answered {
            // There is nothing left to do under its lease.
            tx.remove(Shelf::Leases, &records::lease_key(&Work::Request(request.id.clone())))?;
        }
    }
    batch.offers.iter().try_for_each(|record| tx.save(record))
}

/// Saves a request and claims it; `None`: it was there before.
fn take_up(tx: &Tx<'_>, fences_before: u64, request: &Request, now: Timestamp, until: Timestamp) -> TxResult<Option<Lease>> {
    if tx.get::<Request>(Shelf::Requests, &request.key())?.is_some() {
        return Ok(None);
    }
    tx.save(request)?;
    leases::claim(tx, fences_before, &Work::Request(request.id.clone()), now, until)
}

/// A request that was never stored.
fn is_new(request: &Request) -> Result<(), StoreError> {
    if request.version == 0 { Ok(()) } else { Err(StoreError::Conflict(request.label())) }
}

/// The newest deployments that a prefix of the index finds, live or over, from before the index row `until`.
fn newest(desk: &Desk, prefix: &[u8], until: &[u8], limit: usize) -> Result<Vec<Deployment>, Stop> {
    let keys = desk.tree(Shelf::Index)?.range(prefix..until).keys().rev().take(limit);
    let mut found: Vec<Deployment> = keys.map(|key| desk.must(records::deployment_found_by(&key?))).collect::<Result<_, _>>()?;
    let live = desk.tree(Shelf::Deployments)?;
    if let Some(history) = desk.history.snapshot()? {
        // One that is in both places counts as it is in sled, also where that says that it belongs elsewhere now.
        found.extend(history.newest(prefix, until, limit, |key| Ok(live.contains_key(key)?))?);
        found.sort_unstable_by_key(|record| Reverse(record.id));
        found.truncate(limit);
    }
    Ok(found)
}

/// Where a round of forgetting goes on; `None`: there is nothing left.
type Place = Option<Vec<u8>>;

/// One round: looks at some records, and removes what is to be forgotten. Returns how many those were.
fn forget_some<T: Record>(
    desk: &Desk,
    from: &[u8],
    over: impl Fn(&T) -> bool,
    work: impl Fn(&T) -> Option<Work>,
) -> Result<(u64, Place), Stop> {
    let (mut forgotten, mut seen, mut place) = (Vec::new(), 0, None);
    for row in desk.from::<T>(from)? {
        let record = row?;
        if seen == LOOK_TOGETHER || forgotten.len() == FORGET_TOGETHER {
            place = Some(record.key());
            break;
        }
        seen += 1;
        if over(&record) {
            forgotten.push(record);
        }
    }
    if !forgotten.is_empty() {
        desk.transact(|tx| {
            forgotten.iter().try_for_each(|record| {
                tx.forget(record)?;
                work(record).map_or(Ok(()), |work| tx.remove(Shelf::Leases, &records::lease_key(&work)))
            })
        })?;
    }
    Ok((u64::try_from(forgotten.len()).unwrap_or(u64::MAX), place))
}

#[async_trait]
impl Store for SledStore {
    async fn accept(&self, request: &Request) -> Result<(), StoreError> {
        is_new(request)?;
        let body = codec::write(Shelf::Requests.tree(), request)?;
        let size = body.len().saturating_add(request.id.as_str().len());
        if size > codec::LIMIT {
            return Err(StoreError::TooLarge { record: request.label(), size, limit: codec::LIMIT });
        }
        if self.intake.put(body).await { Ok(()) } else { Err(self.has_ended().await) }
    }

    async fn accept_claimed(&self, request: &Request, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        is_new(request)?;
        let request = request.clone();
        self.ask(move |desk| desk.transact(|tx| take_up(tx, desk.fences_before, &request, now, until))).await
    }

    async fn take_up(&self, limit: usize, now: Timestamp, until: Timestamp) -> Result<Vec<(Request, Lease)>, StoreError> {
        self.ask(move |desk| {
            let Some(intake) = &desk.intake else { return Ok(Vec::new()) };
            let mut from = desk.taken()?;
            loop {
                let (accepted, place) = intake.after(from, limit)?;
                if place == from {
                    return Ok(Vec::new());
                }
                let taken = desk.transact(|tx| {
                    let mut taken = Vec::new();
                    for request in &accepted {
                        if let Some(lease) = take_up(tx, desk.fences_before, request, now, until)? {
                            taken.push((request.at_version(1), lease));
                        }
                    }
                    tx.taken_until(place);
                    Ok(taken)
                })?;
                // All of them may have been delivered before.
                if !taken.is_empty() {
                    return Ok(taken);
                }
                from = place;
            }
        })
        .await
    }

    async fn save(&self, batch: Batch) -> Result<(), StoreError> {
        self.ask(move |desk| {
            desk.transact(|tx| save(tx, &batch, desk.fences_before))?;
            desk.note_closed(&batch.deployments);
            Ok(())
        })
        .await
    }

    async fn request(&self, id: &DeliveryId) -> Result<Option<Request>, StoreError> {
        let key = id.as_str().as_bytes().to_vec();
        self.ask(move |desk| match (desk.get(&key)?, &desk.intake) {
            (None, Some(intake)) => {
                let (accepted, _) = intake.after(desk.taken()?, usize::MAX)?;
                Ok(accepted.into_iter().find(|request| request.key() == key))
            }
            (stored, _) => Ok(stored),
        })
        .await
    }

    async fn unanswered(&self) -> Result<Vec<Request>, StoreError> {
        self.ask(|desk| {
            let keys = desk.tree(Shelf::Index)?.scan_prefix(records::UNANSWERED).keys();
            keys.map(|key| desk.must(records::request_found_by(&key?))).collect()
        })
        .await
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        self.ask(move |desk| desk.deployment(&records::deployment_key(id))).await
    }

    async fn open_deployments(&self) -> Result<Vec<Deployment>, StoreError> {
        self.ask(|desk| {
            let keys = desk.tree(Shelf::Index)?.scan_prefix(records::OPEN).keys();
            keys.map(|key| desk.must(records::deployment_found_by(&key?))).collect()
        })
        .await
    }

    async fn deployments_of_app(&self, app: &AppId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        let prefix = records::of_app(app);
        self.ask(move |desk| newest(desk, &prefix, &records::behind(&prefix), limit)).await
    }

    async fn deployments_of_pipeline(&self, pipeline: &PipelineId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        let prefix = records::of_pipeline(pipeline);
        self.ask(move |desk| newest(desk, &prefix, &records::behind(&prefix), limit)).await
    }

    async fn older_in_pipeline(&self, pipeline: &PipelineId, behind: DeploymentId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        let prefix = records::of_pipeline(pipeline);
        let until = [prefix.as_slice(), &records::deployment_key(behind)].concat();
        self.ask(move |desk| newest(desk, &prefix, &until, limit)).await
    }

    async fn line(&self, app: &AppId) -> Result<Line, StoreError> {
        let app = app.clone();
        self.ask(move |desk| Ok(desk.get(&records::line_key(&app))?.unwrap_or_else(|| Line::empty(app)))).await
    }

    async fn offer(&self, id: OfferId) -> Result<Option<Offer>, StoreError> {
        self.ask(move |desk| desk.get(&records::offer_key(id))).await
    }

    async fn claim(&self, work: &Work, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        let work = work.clone();
        self.ask(move |desk| desk.transact(|tx| leases::claim(tx, desk.fences_before, &work, now, until))).await
    }

    async fn renew(&self, lease: &Lease, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        let lease = lease.clone();
        self.ask(move |desk| desk.transact(|tx| leases::renew(tx, desk.fences_before, &lease, now, until))).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.ask(move |desk| {
            desk.transact(|tx| leases::release(tx, &lease))?;
            match lease.work {
                Work::Deployment(id) => desk.leaving.note_released(desk, id),
                Work::Request(_) | Work::Account(_) | Work::Upkeep | Work::Installation(_) | Work::Locks => Ok(()),
            }
        })
        .await
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        let (mut forgotten, mut place): (u64, Place) = (0, Some(Vec::new()));
        while let Some(from) = place {
            let round = move |desk: &Desk| {
                let over = |request: &Request| request.answered && request.received_at < before;
                forget_some(desk, &from, over, |request| Some(Work::Request(request.id.clone())))
            };
            let (some, next) = self.ask(round).await?;
            (forgotten, place) = (forgotten.saturating_add(some), next);
        }
        place = Some(Vec::new());
        while let Some(from) = place {
            let (some, next) = self.ask(move |desk| forget_some(desk, &from, |offer: &Offer| offer.until < before, |_| None)).await?;
            (forgotten, place) = (forgotten.saturating_add(some), next);
        }
        // What was answered is not kept in the intake for longer.
        self.ask(|desk| {
            if let Some(intake) = &desk.intake {
                intake.turn_if_taken(desk.taken()?);
            }
            Ok(())
        })
        .await?;
        Ok(forgotten)
    }
}
