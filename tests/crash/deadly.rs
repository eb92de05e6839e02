//! A store in front of the real one, and an account of all that the service does, at which it dies.

use std::collections::{BTreeSet, HashSet};
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
use slash_heroku::ports::{AccountStore, Batch, Lease, SignInAt, Store, StoreError, Work};
use slash_heroku::rehearsal::{Between, Killer};
use slash_heroku::usecases::{LinkedAccounts, Ports, Privacy, SignIns};

use super::kept::Kept;
use super::outside::Outside;
use super::steps;

/// Something that changes what the next life finds: a write to the store, or a call that changes something outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// By the store's method.
    Write(&'static str),
    /// By the port's method.
    Call(&'static str),
}

impl Event {
    /// Whether the next life finds something else after it. The leases of a life end with it, so it makes no difference whether
    /// it came to have one.
    pub fn leaves_a_trace(self) -> bool {
        !matches!(self, Self::Write("claim" | "renew" | "release" | "forget" | "forget sign-ins"))
    }
}

/// On which side of an event the service dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// What was done is not recorded, or what was recorded is not done.
    Before,
    /// What is recorded is not done outside, or what was done outside is not recorded.
    After,
}

/// Where the service dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// The number of the event, from 1.
    pub event: usize,
    pub moment: Moment,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.moment == Moment::Before { "before" } else { "after" };
        write!(f, "{side} event {}", self.event)
    }
}

/// How it died.
#[derive(Clone, Debug)]
pub struct Death {
    moment: Moment,
    event: Event,
    what: String,
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.moment == Moment::Before { "before" } else { "after" };
        write!(f, "{side} {:?} {}", self.event, self.what)
    }
}

/// When the service dies: at each of the points, one after the other.
#[derive(Debug)]
pub struct Fate {
    points: Vec<Point>,
    /// What the first point is in the play in which nobody dies, and the how manieth of its kind. Tasks that run at the same time do not
    /// always write equally often, so that in another run the same number may be something else.
    first: Option<(Event, usize)>,
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
    events: Vec<Event>,
    /// The kinds of what has to be done next by what was saved, and as which event.
    steps: Vec<(usize, &'static str)>,
    /// What was to be accepted, whether or not it was.
    offered: Vec<DeliveryId>,
    /// The store of the newest life.
    store: Option<Weak<dyn Store>>,
    /// And its linked logins, where people sign in.
    accounts: Option<Weak<dyn AccountStore>>,
    known: Known,
    deaths: Vec<Death>,
    spared: bool,
}

impl Fate {
    pub fn new(points: &[Point]) -> Self {
        Self { points: points.to_vec(), first: None, state: Mutex::default() }
    }

    /// At points of a play whose events are these when nobody dies.
    pub fn among(points: &[Point], events: &[Event]) -> Self {
        let first = points.first().and_then(|point| {
            let before = events.get(..point.event)?;
            before.last().map(|event| (*event, before.iter().filter(|other| *other == event).count()))
        });
        Self { first, ..Self::new(points) }
    }

    /// How it died so far.
    pub fn deaths(&self) -> Vec<Death> {
        self.state.lock().unwrap().deaths.clone()
    }

    /// From now on nobody dies. Returns the events so far.
    pub fn spare(&self) -> Vec<Event> {
        let mut state = self.state.lock().unwrap();
        state.spared = true;
        state.events.clone()
    }

    /// How many events there were so far.
    pub fn events(&self) -> usize {
        self.state.lock().unwrap().events.len()
    }

    /// The kinds of what was to be done next by what was saved after the first `events`.
    pub fn steps_after(&self, events: usize) -> BTreeSet<&'static str> {
        self.state.lock().unwrap().steps.iter().filter(|(event, _)| *event > events).map(|(_, kind)| *kind).collect()
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

    /// The linked logins of the newest life, where people sign in.
    pub fn accounts(&self) -> Option<Arc<dyn AccountStore>> {
        self.state.lock().unwrap().accounts.as_ref().and_then(Weak::upgrade)
    }

    pub fn known(&self) -> Known {
        self.state.lock().unwrap().known.clone()
    }

    fn note(&self, batch: &Batch) {
        let mut state = self.state.lock().unwrap();
        state.known.apps.extend(batch.deployments.iter().map(|deployment| deployment.target.app.clone()));
        state.known.deployments.extend(batch.deployments.iter().map(|deployment| deployment.id));
        let (event, next) = (state.events.len(), batch.deployments.iter().filter_map(Deployment::next_step));
        let kinds: Vec<_> = next.map(|step| (event, steps::kind(&step))).collect();
        state.steps.extend(kinds);
    }

    fn next(&self, event: Event) -> usize {
        let mut state = self.state.lock().unwrap();
        state.events.push(event);
        state.events.len()
    }

    /// Whether this is the moment; it is noted if it is.
    fn strikes(&self, moment: Moment, number: usize, event: Event, what: &str) -> bool {
        let mut state = self.state.lock().unwrap();
        let point = self.points.get(state.deaths.len());
        let is_here = |point: &Point| match (&self.first, state.deaths.is_empty()) {
            (Some((kind, place)), true) => {
                *kind == event && state.events.iter().take(number).filter(|other| **other == event).count() == *place
            }
            (Some(_) | None, _) => number >= point.event,
        };
        let strikes = !state.spared && point.is_some_and(|point| point.moment == moment && is_here(point));
        if strikes {
            state.deaths.push(Death { moment, event, what: what.to_owned() });
        }
        strikes
    }
}

/// Gives each life its deadly ports.
#[derive(Debug)]
pub struct Deaths(pub Arc<Fate>);

impl Between for Deaths {
    fn put(&self, ports: Ports, killer: Killer) -> Ports {
        {
            let mut state = self.0.state.lock().unwrap();
            state.store = Some(Arc::downgrade(&ports.store));
            state.accounts = ports.sign_ins.as_ref().map(|sign_ins| Arc::downgrade(&sign_ins.linked.accounts));
        }
        let life = Arc::new(Life { killer, fate: Arc::clone(&self.0), dead: AtomicBool::new(false) });
        let store: Arc<dyn Store> = Arc::new(Deadly { store: ports.store, life: Arc::clone(&life) });
        let sign_ins = ports.sign_ins.map(|sign_ins| deadly_sign_ins(sign_ins, &store, &life));
        Ports {
            // Who people are is read, and renewed, where they sign in.
            accounts: sign_ins.as_ref().map_or(ports.accounts, |sign_ins| Arc::new(sign_ins.linked.clone())),
            sign_ins,
            chat: Arc::new(Outside { port: ports.chat, life: Arc::clone(&life) }),
            source: Arc::new(Outside { port: ports.source, life: Arc::clone(&life) }),
            platform: Arc::new(Outside { port: ports.platform, life: Arc::clone(&life) }),
            store,
            locks: Arc::new(Kept { port: ports.locks, life: Arc::clone(&life) }),
            privacy: {
                let keeping = Arc::new(Kept { port: Arc::clone(&ports.privacy.keeping), life });
                Arc::new(Privacy::new(keeping, ports.privacy.secrets.clone(), ports.privacy.page.clone()))
            },
            ..ports
        }
    }
}

/// Where people sign in: the service may die between what a service grants and its record, too.
fn deadly_sign_ins(sign_ins: SignIns, store: &Arc<dyn Store>, life: &Arc<Life>) -> SignIns {
    let services = sign_ins.linked.services.into_iter().map(|(at, port)| {
        let port: Arc<dyn SignInAt> = Arc::new(Outside { port, life: Arc::clone(life) });
        (at, port)
    });
    let linked = LinkedAccounts {
        store: Arc::clone(store),
        services: services.collect(),
        accounts: Arc::new(Kept { port: sign_ins.linked.accounts, life: Arc::clone(life) }),
        ..sign_ins.linked
    };
    SignIns { linked, ..sign_ins }
}

/// One life of the service.
#[derive(Debug)]
pub struct Life {
    killer: Killer,
    fate: Arc<Fate>,
    dead: AtomicBool,
}

impl Life {
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

    /// Something that changes what the next life finds.
    pub async fn event<T>(&self, event: Event, what: String, work: impl Future<Output = T>) -> T {
        self.alive().await;
        let number = self.fate.next(event);
        self.die_if(self.fate.strikes(Moment::Before, number, event, &what)).await;
        let done = work.await;
        self.die_if(self.fate.strikes(Moment::After, number, event, &what)).await;
        done
    }

    /// Something that changes nothing.
    pub async fn look<T>(&self, work: impl Future<Output = T>) -> T {
        self.alive().await;
        let read = work.await;
        self.alive().await;
        read
    }
}

#[derive(Debug)]
struct Deadly {
    store: Arc<dyn Store>,
    life: Arc<Life>,
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

impl Deadly {
    /// Notes what the store is about to be given.
    async fn offered(&self, request: &Request) {
        self.life.alive().await;
        self.life.fate.state.lock().unwrap().offered.push(request.id.clone());
    }
}

#[async_trait]
impl Store for Deadly {
    async fn accept(&self, request: &Request) -> Result<(), StoreError> {
        self.offered(request).await;
        self.life.event(Event::Write("accept"), format!("{:?}", request.ask), self.store.accept(request)).await
    }

    async fn accept_claimed(&self, request: &Request, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.offered(request).await;
        let work = self.store.accept_claimed(request, now, until);
        self.life.event(Event::Write("accept and claim"), format!("{:?}", request.ask), work).await
    }

    async fn take_up(&self, limit: usize, now: Timestamp, until: Timestamp) -> Result<Vec<(Request, Lease)>, StoreError> {
        self.life.event(Event::Write("take up"), String::new(), self.store.take_up(limit, now, until)).await
    }

    async fn save(&self, batch: Batch) -> Result<(), StoreError> {
        let (what, given) = (contents(&batch), batch.clone());
        let work = async {
            let saved = self.store.save(batch).await;
            if saved.is_ok() {
                self.life.fate.note(&given);
            }
            saved
        };
        self.life.event(Event::Write("save"), what, work).await
    }

    async fn request(&self, id: &DeliveryId) -> Result<Option<Request>, StoreError> {
        self.life.look(self.store.request(id)).await
    }

    async fn unanswered(&self) -> Result<Vec<Request>, StoreError> {
        self.life.look(self.store.unanswered()).await
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        self.life.look(self.store.deployment(id)).await
    }

    async fn open_deployments(&self) -> Result<Vec<Deployment>, StoreError> {
        self.life.look(self.store.open_deployments()).await
    }

    async fn deployments_of_app(&self, app: &AppId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        self.life.look(self.store.deployments_of_app(app, limit)).await
    }

    async fn deployments_of_pipeline(&self, pipeline: &PipelineId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        self.life.look(self.store.deployments_of_pipeline(pipeline, limit)).await
    }

    async fn older_in_pipeline(&self, pipeline: &PipelineId, behind: DeploymentId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        self.life.look(self.store.older_in_pipeline(pipeline, behind, limit)).await
    }

    async fn line(&self, app: &AppId) -> Result<Line, StoreError> {
        self.life.look(self.store.line(app)).await
    }

    async fn offer(&self, id: OfferId) -> Result<Option<Offer>, StoreError> {
        self.life.look(self.store.offer(id)).await
    }

    async fn claim(&self, work: &Work, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.life.event(Event::Write("claim"), format!("{work:?}"), self.store.claim(work, now, until)).await
    }

    async fn renew(&self, lease: &Lease, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.life.event(Event::Write("renew"), format!("{:?}", lease.work), self.store.renew(lease, now, until)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.life.event(Event::Write("release"), format!("{:?}", lease.work), self.store.release(lease)).await
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.life.event(Event::Write("forget"), String::new(), self.store.forget(before)).await
    }
}
