//! The service inside this process, on a stepped clock: what plays scripts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::adapters::clock::RandomIds;
use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::server::{self, ListenerLimits};
use crate::adapters::sled::SledStore;
use crate::config::{self, Settings, Variables};
use crate::domain::privacy::{Note, NoteKey, Noted, Upkeep};
use crate::ports::{Keeping as _, NoteBatch};
use crate::run;
use crate::sandbox::clock::SteppedClock;
use crate::sandbox::company;
use crate::sandbox::script;
use crate::sandbox::slack::ServiceAddress;
use crate::sandbox::world::World;
use crate::service::Service;
use crate::usecases::Ports;
use crate::wiring::{self, Ground, wire};

use super::settings_for;

/// A world on a stepped clock.
#[derive(Debug)]
pub struct Stage {
    /// The clock that everything on the stage shares.
    pub clock: Arc<SteppedClock>,
    /// The world.
    pub world: World,
}

impl Stage {
    /// Sets a stage.
    pub async fn set() -> anyhow::Result<Self> {
        let clock = SteppedClock::new();
        let world = World::start(clock.for_the_world(), 0).await?;
        Ok(Self { clock, world })
    }
}

/// A public address at which somebody else answers.
const OF_OTHERS: &str = "https://old.example.com";

/// How long the threads of a killed life may take to be gone, in real time.
const DYING: Duration = Duration::from_secs(10);

/// Puts something between the service and its ports, anew in each life.
pub trait Between: std::fmt::Debug + Send + Sync {
    /// Makes it. `killer` ends the life that it is made for.
    fn put(&self, ports: Ports, killer: Killer) -> Ports;
}

/// Ends one life of the service from within, as `kill -9` does: nothing of it is polled any more.
#[derive(Clone, Debug)]
pub struct Killer {
    clock: Arc<SteppedClock>,
    threads: Arc<Mutex<Threads>>,
}

#[derive(Debug)]
enum Threads {
    Running(Runtime),
    Ending(JoinHandle<()>),
    Gone,
}

impl Killer {
    fn new(clock: &Arc<SteppedClock>, runtime: Runtime) -> Self {
        Self { clock: Arc::clone(clock), threads: Arc::new(Mutex::new(Threads::Running(runtime))) }
    }

    /// Kills. The next life begins as soon as somebody tends the service.
    pub fn kill(&self) {
        let mut threads = self.lock();
        *threads = match std::mem::replace(&mut *threads, Threads::Gone) {
            // A runtime waits for its own threads, so another thread has to end it.
            Threads::Running(runtime) => Threads::Ending(std::thread::spawn(move || runtime.shutdown_timeout(DYING))),
            other @ (Threads::Ending(_) | Threads::Gone) => other,
        };
        // Nothing of this life counts any more, so that nobody waits for it to come to rest.
        drop(self.clock.another_life());
    }

    fn is_killed(&self) -> bool {
        !matches!(*self.lock(), Threads::Running(_))
    }

    /// Kills, and returns when the threads are gone.
    async fn end(&self) -> std::io::Result<()> {
        self.kill();
        let threads = std::mem::replace(&mut *self.lock(), Threads::Gone);
        let Threads::Ending(thread) = threads else { return Ok(()) };
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        joined.map_err(std::io::Error::other)?.map_err(|_| std::io::Error::other("the threads of a life did not end"))
    }

    fn lock(&self) -> MutexGuard<'_, Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service in this process, each life on threads of its own, so that it can be abandoned as a crash abandons it.
#[derive(Debug)]
pub struct InProcess {
    variables: BTreeMap<String, String>,
    clock: Arc<SteppedClock>,
    folder: TempDir,
    between: Option<Arc<dyn Between>>,
    life: Option<Life>,
    lives: u32,
    address: Option<ServiceAddress>,
    /// Where somebody else answers.
    elsewhere: String,
}

#[derive(Debug)]
struct Life {
    threads: Killer,
    service: Service,
    store: SledStore,
    stop: CancellationToken,
}

impl InProcess {
    /// A service for a stage; its store lies in memory where the machine has a folder for that.
    pub fn new(stage: &Stage) -> anyhow::Result<Self> {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.context("no folder for the store")?;
        let variables = settings_for(&stage.world).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Self {
            variables,
            clock: Arc::clone(&stage.clock),
            folder,
            between: None,
            life: None,
            lives: 0,
            address: None,
            elsewhere: stage.world.github.web_url(),
        })
    }

    /// Puts something between the service and its ports.
    #[must_use]
    pub fn with(mut self, between: impl Between + 'static) -> Self {
        self.between = Some(Arc::new(between));
        self
    }

    /// The store's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    async fn live(&mut self) -> anyhow::Result<()> {
        let clock = if self.lives == 0 { Arc::clone(&self.clock) } else { self.clock.another_life() };
        self.lives += 1;
        let settings: Settings = config::load(&self.variables.clone().into_iter().collect::<Variables>())?;
        let store = run::open(self.folder.path(), Some(self.folder.path().join("removals"))).await?;
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().context("no threads")?;
        let on = runtime.handle().clone();
        let threads = Killer::new(&self.clock, runtime);
        let between = self.between.clone().map(|between| {
            let killer = threads.clone();
            wiring::Between(Box::new(move |ports| between.put(ports, killer)))
        });
        let public = settings.privacy.public.clone();
        let mut ground = Ground {
            clock,
            ids: Arc::new(RandomIds),
            store: Arc::new(store.clone()),
            accounts: Arc::new(store.clone()),
            installations: Arc::new(store.clone()),
            locks: Arc::new(store.clone()),
            keeping: Arc::new(store.clone()),
            workers: on.clone(),
            between,
            reached_at: None,
        };
        let elsewhere = self.elsewhere.clone();
        let born = on.spawn(async move {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let address = listener.local_addr()?;
            // Names of this world are known to nobody but its people.
            let at = match public.as_deref() {
                Some(company::PUBLIC) => format!("http://{address}"),
                Some(OF_OTHERS) => elsewhere,
                Some(_) | None => "http://127.0.0.1:9".to_owned(),
            };
            ground.reached_at = Some(BaseUrl::parse(&at)?);
            let wired = wire(&settings, ground, Box::new(std::io::sink()))?;
            anyhow::Ok((wired, listener, address))
        });
        let (wired, listener, address) = born.await.context("the service did not start")??;
        let stop = CancellationToken::new();
        let service = wired.service.clone();
        let begun = on.spawn(async move { service.begin().await }).await;
        let killed = threads.is_killed();
        on.spawn(server::serve(listener, wired.routes, ListenerLimits::default(), stop.clone()));
        self.address = Some(ServiceAddress::new(&format!("http://{address}")));
        self.life = Some(Life { threads, service: wired.service, store, stop });
        match begun {
            Ok(begun) => Ok(begun?),
            // It died while it began: whoever tends it goes on.
            Err(_) if killed => Ok(()),
            Err(error) => Err(error).context("the service did not begin"),
        }
    }
}

#[async_trait]
impl script::Service for InProcess {
    async fn start(&mut self) -> std::io::Result<()> {
        self.live().await.map_err(|error| std::io::Error::other(format!("{error:#}")))
    }

    fn address(&self) -> ServiceAddress {
        self.address.clone().unwrap_or_else(|| ServiceAddress::new("http://127.0.0.1:9"))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.variables.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    async fn stop(&mut self) -> std::io::Result<()> {
        let Some(Life { threads, service, store, stop }) = self.life.take() else { return Ok(()) };
        stop.cancel();
        service.drain().await;
        store.close().await;
        threads.end().await
    }

    async fn began_under(&mut self, version: u32) -> std::io::Result<()> {
        let store = SledStore::open(self.folder.path()).map_err(std::io::Error::other)?;
        let kept = store.note(&NoteKey::Upkeep).await.map_err(std::io::Error::other)?;
        let kept = kept.unwrap_or_else(|| Noted::new(Note::Upkeep(Upkeep::default())));
        let upkeep = if let Note::Upkeep(upkeep) = &kept.note { upkeep.clone() } else { Upkeep::default() };
        let save = vec![kept.saying(Note::Upkeep(Upkeep { known_version: version, ..upkeep }))];
        let saved = store.save_notes(NoteBatch { save, ..NoteBatch::default() }).await;
        store.close().await;
        saved.map_err(std::io::Error::other)
    }

    async fn crash(&mut self) -> std::io::Result<()> {
        let Some(Life { threads, .. }) = self.life.take() else { return Ok(()) };
        threads.end().await
    }

    async fn tend(&mut self) -> std::io::Result<bool> {
        if self.life.as_ref().is_none_or(|life| !life.threads.is_killed()) {
            return Ok(false);
        }
        self.crash().await?;
        self.start().await.map(|()| true)
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        if let Some(Life { threads, .. }) = self.life.take() {
            threads.kill();
        }
    }
}
