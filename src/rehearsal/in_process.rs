//! The service inside this process, on a stepped clock: what plays scripts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::adapters::clock::RandomIds;
use crate::adapters::http::server::{self, ListenerLimits};
use crate::adapters::sled::SledStore;
use crate::config::{self, Settings, Variables};
use crate::run;
use crate::sandbox::clock::SteppedClock;
use crate::sandbox::script;
use crate::sandbox::slack::ServiceAddress;
use crate::sandbox::world::World;
use crate::service::Service;
use crate::wiring::{Ground, wire};

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

/// The service in this process, each life on threads of its own, so that it can be abandoned as a crash abandons it.
#[derive(Debug)]
pub struct InProcess {
    variables: BTreeMap<String, String>,
    clock: Arc<SteppedClock>,
    folder: TempDir,
    life: Option<Life>,
    lives: u32,
    address: Option<ServiceAddress>,
}

#[derive(Debug)]
struct Life {
    runtime: Runtime,
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
        Ok(Self { variables, clock: Arc::clone(&stage.clock), folder, life: None, lives: 0, address: None })
    }

    /// The store's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    async fn live(&mut self) -> anyhow::Result<()> {
        let clock = if self.lives == 0 { Arc::clone(&self.clock) } else { self.clock.another_life() };
        self.lives += 1;
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().context("no threads")?;
        let store = run::open(self.folder.path()).await?;
        let ground = Ground { clock, ids: Arc::new(RandomIds), store: Arc::new(store.clone()) };
        let settings: Settings = config::load(&self.variables.clone().into_iter().collect::<Variables>())?;
        let born = runtime.spawn(async move {
            let wired = wire(&settings, ground, Box::new(std::io::sink()))?;
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let address = listener.local_addr()?;
            anyhow::Ok((wired, listener, address))
        });
        let (wired, listener, address) = born.await.context("the service did not start")??;
        let stop = CancellationToken::new();
        let service = wired.service.clone();
        runtime.spawn(async move { service.begin().await }).await.context("the service did not begin")??;
        runtime.spawn(server::serve(listener, wired.router, ListenerLimits::default(), stop.clone()));
        self.address = Some(ServiceAddress::new(&format!("http://{address}")));
        self.life = Some(Life { runtime, service: wired.service, store, stop });
        Ok(())
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
        let Some(Life { runtime, service, store, stop }) = self.life.take() else { return Ok(()) };
        stop.cancel();
        service.drain().await;
        store.close().await;
        runtime.shutdown_background();
        Ok(())
    }

    async fn crash(&mut self) -> std::io::Result<()> {
        if let Some(Life { runtime, .. }) = self.life.take() {
            runtime.shutdown_background();
        }
        Ok(())
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        if let Some(Life { runtime, .. }) = self.life.take() {
            runtime.shutdown_background();
        }
    }
}
