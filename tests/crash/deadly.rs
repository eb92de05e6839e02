//! A store in front of the real one, at which the service dies.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use async_trait::async_trait;
use jiff::Timestamp;

use slash_heroku::domain::deployment::Deployment;
use slash_heroku::domain::line::Line;
use slash_heroku::domain::names::{AppId, DeliveryId, DeploymentId, OfferId, PipelineId};
use slash_heroku::domain::offer::Offer;
use slash_heroku::domain::request::Request;
use slash_heroku::ports::{Accepted, Batch, Lease, Store, StoreError, Work};
use slash_heroku::rehearsal::{Between, Killer};

/// On which side of a write the service dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// What was done outside is not recorded.
    Before,
    /// What is recorded is not done outside.
    After,
}

/// Where the service dies.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub moment: Moment,
    /// The number of the write, from 1.
    pub write: usize,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.moment == Moment::Before { "before" } else { "after" };
        write!(f, "{side} write {}", self.write)
    }
}

/// How it died.
#[derive(Clone, Debug)]
pub struct Death {
    moment: Moment,
    /// The store's method.
    write: &'static str,
    what: String,
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.moment == Moment::Before { "before" } else { "after" };
        write!(f, "{side} {} {}", self.write, self.what)
    }
}

/// When the service dies: once.
#[derive(Debug)]
pub struct Fate {
    point: Option<Point>,
    state: Mutex<State>,
}

/// What the store was given, as far as it took it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub apps: HashSet<AppId>,
    pub deployments: HashSet<DeploymentId>,
}

#[derive(Debug, Default)]
struct State {
    writes: Vec<&'static str>,
    /// What was to be accepted, whether or not it was.
    offered: Vec<DeliveryId>,
    /// The store of the newest life.
    store: Option<Weak<dyn Store>>,
    known: Known,
    death: Option<Death>,
    spared: bool,
}

impl Fate {
    pub fn new(point: Option<Point>) -> Self {
        Self { point, state: Mutex::default() }
    }

    /// How it died, if it did.
    pub fn death(&self) -> Option<Death> {
        self.state.lock().unwrap().death.clone()
    }

    /// From now on nobody dies. Returns the writes so far.
    pub fn spare(&self) -> Vec<&'static str> {
        let mut state = self.state.lock().unwrap();
        state.spared = true;
        state.writes.clone()
    }

    /// How many requests have come so far.
    pub fn offered(&self) -> usize {
        self.state.lock().unwrap().offered.len()
    }

    /// Whether one of the requests that came after the first `offered` lies on disk: what the store was given right before a death
    /// may or may not.
    pub async fn was_taken(&self, offered: usize) -> bool {
        let new = self.state.lock().unwrap().offered[offered..].to_vec();
        let store = self.store();
        for id in new {
            if store.request(&id).await.unwrap().is_some() {
                return true;
            }
        }
        false
    }

    /// The store of the newest life.
    pub fn store(&self) -> Arc<dyn Store> {
        self.state.lock().unwrap().store.as_ref().and_then(Weak::upgrade).unwrap()
    }

    pub fn known(&self) -> Known {
        self.state.lock().unwrap().known.clone()
    }

    fn note(&self, batch: &Batch) {
        let mut state = self.state.lock().unwrap();
        state.known.apps.extend(batch.deployments.iter().map(|deployment| deployment.target.app.clone()));
        state.known.deployments.extend(batch.deployments.iter().map(|deployment| deployment.id));
    }

    fn next(&self, write: &'static str) -> usize {
        let mut state = self.state.lock().unwrap();
        state.writes.push(write);
        state.writes.len()
    }

    /// Whether this is the moment; it is noted if it is.
    fn strikes(&self, moment: Moment, number: usize, write: &'static str, what: &str) -> bool {
        let mut state = self.state.lock().unwrap();
        let now = self.point.is_some_and(|point| point.moment == moment && point.write == number);
        let strikes = now && !state.spared && state.death.is_none();
        if strikes {
            state.death = Some(Death { moment, write, what: what.to_owned() });
        }
        strikes
    }
}

/// Gives each life its deadly store.
#[derive(Debug)]
pub struct Deaths(pub Arc<Fate>);

impl Between for Deaths {
    fn put(&self, store: Arc<dyn Store>, killer: Killer) -> Arc<dyn Store> {
        self.0.state.lock().unwrap().store = Some(Arc::downgrade(&store));
        Arc::new(Deadly { store, killer, fate: Arc::clone(&self.0), dead: AtomicBool::new(false) })
    }
}

#[derive(Debug)]
struct Deadly {
    store: Arc<dyn Store>,
    killer: Killer,
    fate: Arc<Fate>,
    dead: AtomicBool,
}

impl Deadly {
    /// Returns never once this life is over.
    async fn alive(&self) {
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    async fn die_if(&self, strikes: bool) {
        if strikes {
            self.dead.store(true, Ordering::SeqCst);
            self.killer.kill();
        }
        self.alive().await;
    }

    async fn write<T>(&self, write: &'static str, what: String, work: impl Future<Output = T>) -> T {
        self.alive().await;
        let number = self.fate.next(write);
        self.die_if(self.fate.strikes(Moment::Before, number, write, &what)).await;
        let done = work.await;
        self.die_if(self.fate.strikes(Moment::After, number, write, &what)).await;
        done
    }

    async fn read<T>(&self, work: impl Future<Output = T>) -> T {
        self.alive().await;
        let read = work.await;
        self.alive().await;
        read
    }
}

/// What is in a batch, for people.
fn contents(batch: &Batch) -> String {
    let deployments = batch.deployments.iter().map(|record| {
        let told = if record.closed { ", closed" } else { "" };
        format!("{} at version {}: {:?}{told}", record.cargo.named_by, record.version, record.phase)
    });
    let lines = batch.lines.iter().map(|line| format!("a line with {}", line.everybody().count()));
    let requests = batch.requests.iter().map(|request| format!("request {}", request.id));
    let offers = batch.offers.iter().map(|offer| format!("an offer, taken: {}", offer.taken_by.is_some()));
    format!("[{}]", deployments.chain(lines).chain(requests).chain(offers).collect::<Vec<_>>().join("; "))
}

#[async_trait]
impl Store for Deadly {
    async fn accept(&self, request: &Request) -> Result<Accepted, StoreError> {
        self.alive().await;
        self.fate.state.lock().unwrap().offered.push(request.id.clone());
        self.write("accept", format!("{:?}", request.ask), self.store.accept(request)).await
    }

    async fn save(&self, batch: Batch) -> Result<(), StoreError> {
        let (what, given) = (contents(&batch), batch.clone());
        let work = async {
            let saved = self.store.save(batch).await;
            if saved.is_ok() {
                self.fate.note(&given);
            }
            saved
        };
        self.write("save", what, work).await
    }

    async fn request(&self, id: &DeliveryId) -> Result<Option<Request>, StoreError> {
        self.read(self.store.request(id)).await
    }

    async fn unanswered(&self) -> Result<Vec<Request>, StoreError> {
        self.read(self.store.unanswered()).await
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        self.read(self.store.deployment(id)).await
    }

    async fn open_deployments(&self) -> Result<Vec<Deployment>, StoreError> {
        self.read(self.store.open_deployments()).await
    }

    async fn deployments_of_app(&self, app: &AppId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        self.read(self.store.deployments_of_app(app, limit)).await
    }

    async fn deployments_of_pipeline(&self, pipeline: &PipelineId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        self.read(self.store.deployments_of_pipeline(pipeline, limit)).await
    }

    async fn line(&self, app: &AppId) -> Result<Line, StoreError> {
        self.read(self.store.line(app)).await
    }

    async fn offer(&self, id: OfferId) -> Result<Option<Offer>, StoreError> {
        self.read(self.store.offer(id)).await
    }

    async fn claim(&self, work: &Work, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.write("claim", format!("{work:?}"), self.store.claim(work, now, until)).await
    }

    async fn renew(&self, lease: &Lease, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.write("renew", format!("{:?}", lease.work), self.store.renew(lease, now, until)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.write("release", format!("{:?}", lease.work), self.store.release(lease)).await
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write("forget", String::new(), self.store.forget(before)).await
    }
}
