//! The port, in terms of the desk.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::deployment::Deployment;
use crate::domain::line::Line;
use crate::domain::names::{AppId, DeliveryId, DeploymentId, OfferId, PipelineId};
use crate::domain::offer::Offer;
use crate::domain::request::Request;
use crate::ports::{Accepted, Batch, Lease, Store, StoreError, Work};

use super::SledStore;
use super::desk::{Desk, Stop, Tx, TxResult, refuse};
use super::leases;
use super::records::{self, Record, Shelf};

/// How many records are forgotten in one transaction, so that nobody waits long for a place between two.
const FORGET_TOGETHER: usize = 200;

fn save(tx: &Tx<'_>, batch: &Batch, fences_before: u64) -> TxResult<()> {
    if let Some(lease) = &batch.under {
        leases::check(tx, fences_before, lease, batch.now)?;
    }
    batch.deployments.iter().try_for_each(|record| tx.save(record))?;
    batch.lines.iter().try_for_each(|record| tx.save(record))?;
    batch.requests.iter().try_for_each(|record| tx.save(record))?;
    batch.offers.iter().try_for_each(|record| tx.save(record))
}

fn accept(tx: &Tx<'_>, request: &Request) -> TxResult<Accepted> {
    if tx.get::<Request>(Shelf::Requests, &request.key())?.is_some() {
        return Ok(Accepted::Repeated);
    }
    if request.version != 0 {
        return refuse(StoreError::Conflict(request.label()));
    }
    tx.save(request)?;
    Ok(Accepted::New)
}

/// The newest deployments that a prefix of the index finds.
fn newest(desk: &Desk, prefix: &[u8], limit: usize) -> Result<Vec<Deployment>, Stop> {
    desk.tree(Shelf::Index)?
        .scan_prefix(prefix)
        .keys()
        .rev()
        .take(limit)
        .map(|key| desk.must(records::deployment_found_by(&key?)))
        .collect()
}

/// Removes what one round takes; 0: there is nothing left.
fn forget_some(desk: &Desk, before: Timestamp) -> Result<u64, Stop> {
    let requests: Vec<Request> = some(desk, |request: &Request| request.answered && request.received_at < before)?;
    let offers: Vec<Offer> = some(desk, |offer: &Offer| offer.until < before)?;
    if requests.is_empty() && offers.is_empty() {
        return Ok(0);
    }
    desk.transact(|tx| {
        for request in &requests {
            tx.forget(request)?;
            tx.remove(Shelf::Leases, &records::lease_key(&Work::Request(request.id.clone())))?;
        }
        offers.iter().try_for_each(|offer| tx.forget(offer))
    })?;
    Ok(u64::try_from(requests.len().saturating_add(offers.len())).unwrap_or(u64::MAX))
}

fn some<T: Record>(desk: &Desk, wanted: impl Fn(&T) -> bool) -> Result<Vec<T>, Stop> {
    desk.all::<T>()?.filter(|record| record.as_ref().map_or(true, &wanted)).take(FORGET_TOGETHER).collect()
}

#[async_trait]
impl Store for SledStore {
    async fn accept(&self, request: &Request) -> Result<Accepted, StoreError> {
        let request = request.clone();
        self.ask(move |desk| desk.transact(|tx| accept(tx, &request))).await
    }

    async fn save(&self, batch: Batch) -> Result<(), StoreError> {
        self.ask(move |desk| desk.transact(|tx| save(tx, &batch, desk.fences_before))).await
    }

    async fn request(&self, id: &DeliveryId) -> Result<Option<Request>, StoreError> {
        let key = id.as_str().as_bytes().to_vec();
        self.ask(move |desk| desk.get(&key)).await
    }

    async fn unanswered(&self) -> Result<Vec<Request>, StoreError> {
        self.ask(|desk| {
            let keys = desk.tree(Shelf::Index)?.scan_prefix(records::UNANSWERED).keys();
            keys.map(|key| desk.must(records::request_found_by(&key?))).collect()
        })
        .await
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        self.ask(move |desk| desk.get(&records::deployment_key(id))).await
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
        self.ask(move |desk| newest(desk, &prefix, limit)).await
    }

    async fn deployments_of_pipeline(&self, pipeline: &PipelineId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        let prefix = records::of_pipeline(pipeline);
        self.ask(move |desk| newest(desk, &prefix, limit)).await
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
        self.ask(move |desk| desk.transact(|tx| leases::release(tx, &lease))).await
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut forgotten: u64 = 0;
        loop {
            match self.ask(move |desk| forget_some(desk, before)).await? {
                0 => return Ok(forgotten),
                some => forgotten = forgotten.saturating_add(some),
            }
        }
    }
}
