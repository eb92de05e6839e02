//! A store in memory that keeps all the promises of one, or breaks the one that it is told to break.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use slash_heroku::adapters::sled::LIMIT;
use slash_heroku::domain::deployment::Deployment;
use slash_heroku::domain::line::Line;
use slash_heroku::domain::names::{AppId, DeliveryId, DeploymentId, OfferId, PipelineId};
use slash_heroku::domain::offer::Offer;
use slash_heroku::domain::request::Request;
use slash_heroku::ports::{Batch, Lease, Store, StoreError, Work};

/// A promise that is broken on purpose, to see that it is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Whoever saves last wins, whatever they have read.
    Versions,
    /// Whoever once had a lease may save for ever, and orders as if they had it.
    Fences,
    /// A lease is given to everybody who asks.
    Claims,
    /// A delivery that comes again is new.
    Deliveries,
}

/// What lies in the store. Cheap to clone: all clones are the same store.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    rows: Mutex<Rows>,
    broken: Option<Broken>,
}

#[derive(Debug, Default)]
pub struct Rows {
    pub deployments: BTreeMap<DeploymentId, Deployment>,
    pub lines: BTreeMap<AppId, Line>,
    pub requests: BTreeMap<DeliveryId, Request>,
    /// What was accepted and not taken up.
    pub accepted: VecDeque<Request>,
    offers: BTreeMap<OfferId, Offer>,
    leases: HashMap<Work, (Lease, bool)>,
    fence: u64,
    /// Leases up to this fence ended with their instance.
    fences_before: u64,
    /// What was seen to go wrong when something was saved.
    pub faults: Vec<String>,
}

impl Memory {
    pub fn broken(broken: Option<Broken>) -> Self {
        Self(Arc::new(Inner { rows: Mutex::default(), broken }))
    }

    pub fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.rows.lock().unwrap()
    }

    /// As after the end of the only instance: its leases have ended.
    pub fn reopened(&self) {
        let mut rows = self.rows();
        rows.fences_before = rows.fence;
    }

    fn breaks(&self, promise: Broken) -> bool {
        self.0.broken == Some(promise)
    }

    /// Stores a request that is not there yet; whether it did.
    fn stores_new(&self, request: &Request) -> bool {
        let mut rows = self.rows();
        let new = !rows.requests.contains_key(&request.id) || self.breaks(Broken::Deliveries);
        if new {
            rows.requests.insert(request.id.clone(), Request { version: 1, ..request.clone() });
        }
        new
    }
}

impl Rows {
    fn holds(&self, lease: &Lease, now: Timestamp) -> bool {
        self.leases.get(&lease.work).is_some_and(|(newest, released)| {
            newest.fence == lease.fence && lease.fence > self.fences_before && !released && now < newest.until
        })
    }

    fn version_conflict(&self, batch: &Batch) -> Option<String> {
        let deployments = batch.deployments.iter().map(|new| (self.deployments.get(&new.id).map_or(0, |old| old.version), new.version));
        let lines = batch.lines.iter().map(|new| (self.lines.get(&new.app).map_or(0, |old| old.version), new.version));
        let requests = batch.requests.iter().map(|new| (self.requests.get(&new.id).map_or(0, |old| old.version), new.version));
        let offers = batch.offers.iter().map(|new| (self.offers.get(&new.id).map_or(0, |old| old.version), new.version));
        let mut all = deployments.chain(lines).chain(requests).chain(offers);
        all.find(|(stored, read)| stored != read).map(|(stored, read)| format!("version {stored}, read {read}"))
    }

    /// Who leaves a line has ended, in the same transaction; nobody comes back; nobody overtakes.
    fn watch(&mut self, batch: &Batch) {
        for line in &batch.lines {
            let before: Vec<DeploymentId> = self.lines.get(&line.app).map(|line| line.everybody().collect()).unwrap_or_default();
            let after: Vec<DeploymentId> = line.everybody().collect();
            for left in before.iter().filter(|id| !after.contains(id)) {
                if !batch.deployments.iter().any(|deployment| deployment.id == *left && deployment.has_ended()) {
                    self.faults.push(format!("{left} left its line without an end"));
                }
            }
            let stayed: Vec<_> = before.iter().filter(|id| after.contains(id)).collect();
            if after.iter().take(stayed.len()).ne(stayed.iter().copied()) {
                self.faults.push(format!("the order of a line changed: {before:?} to {after:?}"));
            }
            for came in after.iter().filter(|id| !before.contains(id)) {
                if self.deployments.contains_key(came) {
                    self.faults.push(format!("{came} came back into a line"));
                }
            }
        }
        for deployment in &batch.deployments {
            let old = self.deployments.get(&deployment.id);
            if deployment.has_ended() && old.is_some_and(|old| !old.has_ended()) {
                let line = batch.lines.iter().find(|line| line.app == deployment.target.app);
                if line.is_none_or(|line| line.place_of(deployment.id).is_some()) {
                    self.faults.push(format!("{} ended and did not leave its line with that", deployment.id));
                }
            }
            if old.is_some_and(|old| old.has_ended() && old.phase != deployment.phase) {
                self.faults.push(format!("{} went on after its end, to {:?}", deployment.id, deployment.phase));
            }
        }
    }
}

fn is_new(request: &Request) -> Result<(), StoreError> {
    if request.version == 0 { Ok(()) } else { Err(StoreError::Conflict(request.id.to_string())) }
}

#[async_trait]
impl Store for Memory {
    async fn accept(&self, request: &Request) -> Result<(), StoreError> {
        is_new(request)?;
        self.rows().accepted.push_back(request.clone());
        Ok(())
    }

    async fn accept_claimed(&self, request: &Request, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        is_new(request)?;
        if !self.stores_new(request) {
            return Ok(None);
        }
        self.claim(&Work::Request(request.id.clone()), now, until).await
    }

    async fn take_up(&self, limit: usize, now: Timestamp, until: Timestamp) -> Result<Vec<(Request, Lease)>, StoreError> {
        let mut taken = Vec::new();
        while taken.len() < limit {
            let Some(request) = self.rows().accepted.pop_front() else { break };
            if self.stores_new(&request)
                && let Some(lease) = self.claim(&Work::Request(request.id.clone()), now, until).await?
            {
                taken.push((Request { version: 1, ..request }, lease));
            }
        }
        Ok(taken)
    }

    async fn save(&self, batch: Batch) -> Result<(), StoreError> {
        let mut rows = self.rows();
        if let Some(lease) = &batch.under
            && !rows.holds(lease, batch.now.unwrap_or(Timestamp::MIN))
            && !self.breaks(Broken::Fences)
        {
            return Err(StoreError::LeaseLost);
        }
        if let Some(conflict) = rows.version_conflict(&batch).filter(|_| !self.breaks(Broken::Versions)) {
            return Err(StoreError::Conflict(conflict));
        }
        for deployment in &batch.deployments {
            // What else is in a record is small.
            let size = deployment.target.web_url.as_ref().map_or(0, |url| url.len() + 1_000);
            if size > LIMIT {
                return Err(StoreError::TooLarge { record: deployment.id.to_string(), size, limit: LIMIT });
            }
        }
        rows.watch(&batch);
        rows.deployments.extend(batch.deployments.into_iter().map(|new| (new.id, Deployment { version: new.version + 1, ..new })));
        rows.lines.extend(batch.lines.into_iter().map(|new| (new.app.clone(), Line { version: new.version + 1, ..new })));
        for request in batch.requests.iter().filter(|request| request.answered) {
            rows.leases.remove(&Work::Request(request.id.clone()));
        }
        rows.requests.extend(batch.requests.into_iter().map(|new| (new.id.clone(), Request { version: new.version + 1, ..new })));
        rows.offers.extend(batch.offers.into_iter().map(|new| (new.id, Offer { version: new.version + 1, ..new })));
        Ok(())
    }

    async fn request(&self, id: &DeliveryId) -> Result<Option<Request>, StoreError> {
        let rows = self.rows();
        Ok(rows.requests.get(id).or_else(|| rows.accepted.iter().find(|request| request.id == *id)).cloned())
    }

    async fn unanswered(&self) -> Result<Vec<Request>, StoreError> {
        let mut found: Vec<Request> = self.rows().requests.values().filter(|request| !request.answered).cloned().collect();
        found.sort_by(|a, b| (a.received_at, a.id.as_str()).cmp(&(b.received_at, b.id.as_str())));
        Ok(found)
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        Ok(self.rows().deployments.get(&id).cloned())
    }

    async fn open_deployments(&self) -> Result<Vec<Deployment>, StoreError> {
        Ok(self.rows().deployments.values().filter(|deployment| deployment.is_open()).cloned().collect())
    }

    async fn deployments_of_app(&self, app: &AppId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        let rows = self.rows();
        Ok(rows.deployments.values().rev().filter(|deployment| deployment.target.app == *app).take(limit).cloned().collect())
    }

    async fn deployments_of_pipeline(&self, pipeline: &PipelineId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        let rows = self.rows();
        Ok(rows.deployments.values().rev().filter(|deployment| deployment.target.pipeline == *pipeline).take(limit).cloned().collect())
    }

    async fn older_in_pipeline(&self, pipeline: &PipelineId, behind: DeploymentId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        let rows = self.rows();
        let older = rows.deployments.values().rev().filter(|deployment| deployment.id < behind);
        Ok(older.filter(|deployment| deployment.target.pipeline == *pipeline).take(limit).cloned().collect())
    }

    async fn line(&self, app: &AppId) -> Result<Line, StoreError> {
        Ok(self.rows().lines.get(app).cloned().unwrap_or_else(|| Line::empty(app.clone())))
    }

    async fn offer(&self, id: OfferId) -> Result<Option<Offer>, StoreError> {
        Ok(self.rows().offers.get(&id).cloned())
    }

    async fn claim(&self, work: &Work, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        let mut rows = self.rows();
        let taken = rows.leases.get(work).is_some_and(|(lease, _)| rows.holds(lease, now));
        if taken && !self.breaks(Broken::Claims) {
            return Ok(None);
        }
        rows.fence += 1;
        let lease = Lease { work: work.clone(), fence: rows.fence, until };
        rows.leases.insert(work.clone(), (lease.clone(), false));
        Ok(Some(lease))
    }

    async fn renew(&self, lease: &Lease, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        let mut rows = self.rows();
        if !rows.holds(lease, now) && !self.breaks(Broken::Fences) {
            return Ok(None);
        }
        let renewed = Lease { until, ..lease.clone() };
        if rows.holds(lease, now) {
            rows.leases.insert(lease.work.clone(), (renewed.clone(), false));
        }
        Ok(Some(renewed))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        if let Some((_, released)) = self.rows().leases.get_mut(&lease.work).filter(|(newest, _)| newest.fence == lease.fence) {
            *released = true;
        }
        Ok(())
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut rows = self.rows();
        let counted = rows.requests.len() + rows.offers.len();
        let forgotten: Vec<DeliveryId> =
            rows.requests.values().filter(|request| request.answered && request.received_at < before).map(|one| one.id.clone()).collect();
        for id in forgotten {
            rows.requests.remove(&id);
            rows.leases.remove(&Work::Request(id));
        }
        rows.offers.retain(|_, offer| offer.until >= before);
        Ok((counted - rows.requests.len() - rows.offers.len()) as u64)
    }
}
