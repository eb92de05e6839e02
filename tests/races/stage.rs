//! One run: processes that serve, people who ask, and what is true at its end.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::{Either, join_all, select};
use jiff::SignedDuration;
use prometheus_client::registry::Registry;
use secrecy::SecretString;
use slash_heroku::domain::actor::{Origin, Person, ReplyAddress};
use slash_heroku::domain::command::{Because, Command, Terms, Where, Wish};
use slash_heroku::domain::deployment::Phase;
use slash_heroku::domain::form::Reasoned;
use slash_heroku::domain::names::*;
use slash_heroku::domain::pipeline::{PipelineKey, Place};
use slash_heroku::domain::request::Ask;
use slash_heroku::domain::source::AskedRef;
use slash_heroku::metrics::Metrics;
use slash_heroku::ports::{Boundless, Clock as _, Inbox as _, Incoming, Submitted};
use slash_heroku::service::Service;
use slash_heroku::usecases::{Ports, Privacy, RepositoryMap};
use tokio::runtime::Handle;

use super::memory::{Broken, Memory};
use super::schedule::{End, PEOPLE, Process, Schedule, Watch};
use super::seat::{PIPELINES, Seat};
use super::world::World;

/// How a run is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub seed: u64,
    /// How many processes serve on the one store.
    pub processes: usize,
    /// In how many of a hundred calls something goes wrong on the way.
    pub bad_luck: u64,
    /// In how many of a thousand calls the caller is frozen for a while.
    pub freezes: u64,
    pub broken: Option<Broken>,
    /// Whether the story is told.
    pub tells: bool,
}

/// What a run was.
#[derive(Debug)]
pub struct Run {
    pub faults: Vec<String>,
    pub story: Vec<String>,
    pub steps: u64,
}

/// What people do in a run.
pub type Plot<'a> = Vec<Pin<Box<dyn Future<Output = ()> + 'a>>>;

pub struct Stage {
    pub setting: Setting,
    pub schedule: Arc<Schedule>,
    pub world: Arc<World>,
    pub store: Memory,
    ids: Arc<AtomicU64>,
    processes: AtomicU64,
    /// Who serves in each place; nobody while it is down.
    slots: Mutex<Vec<Option<(Process, Service)>>>,
    /// What the service said that it has.
    pub acknowledged: Mutex<HashSet<DeliveryId>>,
    /// A process was killed or frozen.
    pub disturbed: AtomicBool,
}

pub fn person(user: &str) -> Person {
    Person { workspace: WorkspaceId::parse("T1").unwrap(), user: UserId::parse(user).unwrap() }
}

fn place_of(pipeline: &str) -> Place {
    let (_, _, environment) = PIPELINES.iter().find(|(name, _, _)| *name == pipeline).unwrap();
    Place { environment: *environment, app: None }
}

pub fn key(pipeline: &str) -> PipelineKey {
    PipelineKey::Name(PipelineName::parse(pipeline).unwrap())
}

fn whole(pipeline: &str) -> Where {
    Where { pipeline: key(pipeline), place: None }
}

pub fn deploy(pipeline: &str, branch: &str) -> Ask {
    let what = AskedRef::Named(RefName::parse(branch).unwrap());
    let wish = Wish { pipeline: key(pipeline), what, to: Some(place_of(pipeline)) };
    Ask::Command(Command::Deploy { wish, passing_checks: false, because: None, terms: Terms::default() })
}

pub fn cancel(pipeline: &str) -> Ask {
    Ask::Command(Command::Cancel { place: whole(pipeline), because: Because::parse("it is in the way").ok() })
}

pub fn leave() -> Ask {
    Ask::Command(Command::Leave { line: None })
}

pub fn status() -> Ask {
    Ask::Command(Command::Status { pipeline: None })
}

/// A form that stops a deploy, filled in and sent.
pub fn stops(deployment: DeploymentId) -> Ask {
    Ask::Reasoned { what: Reasoned::Stop(deployment), because: Because::parse("it is in the way").unwrap() }
}

/// A form that frees an app, filled in and sent.
pub fn frees(deployment: DeploymentId) -> Ask {
    Ask::Reasoned { what: Reasoned::Free(deployment), because: Because::parse("its page says so").unwrap() }
}

/// How long whoever delivers waits for the word that it was taken.
const DELIVERY: SignedDuration = SignedDuration::from_secs(3);

impl Stage {
    fn new(setting: Setting) -> Self {
        Self {
            setting,
            schedule: Schedule::new(setting.seed, setting.freezes, setting.tells),
            world: Arc::new(World::new()),
            store: Memory::broken(setting.broken),
            ids: Arc::new(AtomicU64::new(1)),
            processes: AtomicU64::new(1),
            slots: Mutex::new(vec![None; setting.processes]),
            acknowledged: Mutex::default(),
            disturbed: AtomicBool::new(false),
        }
    }

    fn clock(&self) -> Watch {
        Watch { schedule: Arc::clone(&self.schedule), process: PEOPLE }
    }

    /// Waits so many milliseconds.
    pub async fn pause(&self, milliseconds: i64) {
        let until = self.schedule.now() + SignedDuration::from_millis(milliseconds);
        self.clock().pause_until(until).await;
    }

    /// A process begins to serve in a place.
    pub async fn start(&self, slot: usize) {
        let process = usize::try_from(self.processes.fetch_add(1, Ordering::SeqCst)).unwrap();
        self.schedule.tell(process, || format!("begins in place {slot}"));
        if self.setting.processes == 1 {
            self.store.reopened();
        }
        let seat = Arc::new(Seat {
            process,
            schedule: Arc::clone(&self.schedule),
            world: Arc::clone(&self.world),
            store: self.store.clone(),
            ids: Arc::clone(&self.ids),
            bad_luck: self.setting.bad_luck,
        });
        let ports = Ports {
            chat: seat.clone(),
            source: seat.clone(),
            platform: seat.clone(),
            store: seat.clone(),
            clock: Arc::new(Watch { schedule: Arc::clone(&self.schedule), process }),
            ids: seat.clone(),
            accounts: seat.clone(),
            sign_ins: None,
            allowances: Arc::new(Boundless),
            locks: Arc::new(slash_heroku::ports::NoLocks),
            privacy: Privacy::none(),
            rights: slash_heroku::usecases::Rights::none(),
            memories: slash_heroku::usecases::Memories::default(),
            doorbell: None,
            repositories: Arc::new(RepositoryMap::default()),
            command_word: Arc::from("/h"),
            tally: seat,
            stopping: Arc::new(AtomicBool::new(false)),
        };
        let service = Service::new(ports, Metrics::registered(&mut Registry::default()), Handle::current());
        service.begin().await.unwrap();
        self.slots.lock().unwrap()[slot] = Some((process, service));
    }

    fn slot(&self, slot: usize) -> Option<(Process, Service)> {
        self.slots.lock().unwrap()[slot].clone()
    }

    /// Kills a process, and starts the next one in its place after a while.
    pub async fn restart(&self, slot: usize, down_for: i64) {
        self.disturbed.store(true, Ordering::SeqCst);
        if let Some((process, _)) = self.slots.lock().unwrap()[slot].take() {
            self.schedule.kill(process);
        }
        self.pause(down_for).await;
        self.start(slot).await;
    }

    pub fn freeze(&self, slot: usize, seconds: i64) {
        self.disturbed.store(true, Ordering::SeqCst);
        if let Some((process, _)) = self.slot(slot) {
            self.schedule.freeze(process, seconds);
        }
    }

    /// Asks, and delivers it again as long as nobody says that they have it.
    pub async fn ask(&self, slot: usize, id: &str, user: &str, ask: Ask, code: Option<&str>) {
        let id = DeliveryId::parse(id).unwrap();
        self.schedule.tell(PEOPLE, || format!("{user} asks ({id}): {ask:?}{}", if code.is_some() { ", with a code" } else { "" }));
        for delivery in 0..5 {
            // Whoever delivers again may come to another process.
            let to = if delivery == 0 { slot } else { (slot + delivery) % self.setting.processes };
            if let Some((_, service)) = self.slot(to) {
                let reply = Some(ReplyAddress::sealed(id.as_str().to_owned()));
                let origin = Origin { person: person(user), channel: ChannelId::parse("C1").unwrap(), reply };
                let incoming = Incoming { id: id.clone(), origin, ask: ask.clone(), code: code.map(SecretString::from) };
                let until = self.schedule.now() + DELIVERY;
                let clock = self.clock();
                match select(service.submit(incoming), clock.pause_until(until)).await {
                    Either::Left((Submitted::Accepted | Submitted::Repeated, _)) => {
                        self.acknowledged.lock().unwrap().insert(id);
                        return;
                    }
                    Either::Left((Submitted::Unavailable, _)) | Either::Right(_) => {}
                }
            }
            self.pause(1_000).await;
        }
    }

    /// The deployments that are there.
    pub fn deployments(&self) -> Vec<DeploymentId> {
        self.store.rows().deployments.keys().copied().collect()
    }

    /// One of them, if there is one.
    pub fn some_deployment(&self) -> Option<DeploymentId> {
        let all = self.deployments();
        (!all.is_empty()).then(|| self.schedule.draw(|random| random.pick(&all)))
    }

    /// Those of which nobody knows how they stand.
    pub fn unknown(&self) -> Vec<DeploymentId> {
        let rows = self.store.rows();
        let unknown = rows.deployments.values().filter(|deployment| matches!(deployment.phase, Phase::Unknown(_)));
        unknown.map(|deployment| deployment.id).collect()
    }

    /// Whether nothing is left to do.
    pub fn rests(&self) -> bool {
        let rows = self.store.rows();
        rows.deployments.values().all(|deployment| deployment.closed)
            && rows.requests.values().all(|request| request.answered)
            && !self.world.look().awaits()
    }
}

/// Runs one plot to its end.
pub fn run(setting: Setting, plot: impl for<'a> FnOnce(&'a Stage) -> Plot<'a>) -> Run {
    let stage = Arc::new(Stage::new(setting));
    let parked = Arc::clone(&stage);
    let runtime =
        tokio::runtime::Builder::new_current_thread().on_thread_park(move || parked.schedule.turn(|| parked.rests())).build().unwrap();
    let end = runtime.block_on(async {
        for slot in 0..setting.processes {
            stage.start(slot).await;
        }
        let people = async {
            join_all(plot(&stage)).await;
            stage.schedule.people_are_done();
            stage.schedule.end().await
        };
        // Also where somebody waits for ever.
        select(Box::pin(people), Box::pin(stage.schedule.end())).await.factor_first().0
    });
    let mut faults = super::truth::faults(&stage);
    if end == End::Stuck {
        faults.push("somebody waits for ever, or starves".to_owned());
    }
    let run = Run { faults, story: stage.schedule.story(), steps: stage.schedule.steps() };
    // What the runtime still holds points back to the stage.
    drop(runtime);
    run
}
