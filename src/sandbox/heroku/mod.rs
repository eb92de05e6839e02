//! The simulated Heroku: the Platform API, the older service that links repositories, storage for sources, output streams, sign-in.
//!
//! Five real servers on loopback over one plain state. Time comes from the clock that it is given, and nothing runs in the
//! background: each look first carries out what was due. Written from the published schema and the notes on observed
//! behaviour; where those are unsure, the stricter or the more awkward reading is simulated.

mod api;
mod control;
mod http;
mod json;
mod life;
mod link;
mod look;
mod outputs;
mod ranges;
mod records;
mod secrets;
mod seed;
mod sign_in;
mod state;
mod storage;
mod streams;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::ports::{Clock, StreamKey, WakeKey};

use super::fault::skewed;
use super::serve::Servers;

pub use crate::sandbox::fault::{Fault, FaultRule, Limit};
pub use http::Host;
pub use look::{SeenBuild, SeenRelease, SeenRequest, SeenUpload};
pub use outputs::planted_secrets;
pub use records::Closed;
pub use seed::{AppSeed, PipelineSeed, ReleaseSeed};
pub use sign_in::ClientSeed;

use state::{Urls, World};

/// The ports to listen on; 0 means any.
#[derive(Clone, Copy, Debug, Default)]
pub struct HerokuPorts {
    /// The Platform API.
    pub api: u16,
    /// The older link service.
    pub link: u16,
    /// Storage for sources.
    pub storage: u16,
    /// Output streams.
    pub streams: u16,
    /// Sign-in.
    pub id: u16,
}

/// What somebody may do with an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AppRight {
    /// See it.
    View,
    /// See it, build and release.
    Deploy,
}

/// Which service knows the repository of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkService {
    /// The repositories endpoints of the Platform API.
    Newer,
    /// The link service on its own host.
    Older,
}

/// A stage of a deploy that can be kept pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The build.
    Build,
    /// The release command.
    Release,
    /// The dynos.
    Dynos,
}

/// How the streams of something that still runs go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamStyle {
    /// The connection stays open until the work is over, with a keep-alive every ten seconds of the clock.
    #[default]
    Live,
    /// They never begin.
    NeverBegin,
    /// What is there is sent, then a keep-alive, then the answer ends as if all were said.
    EndEarly,
    /// What is there is sent, then the connection breaks. The next streams are live, if it is only once.
    Cut {
        /// Whether only the next one is.
        once: bool,
    },
    /// A byte every half a minute, and no keep-alive.
    Drip,
    /// What is there is sent, then nothing any more, not even the end.
    Silent,
    /// They end as they should, but so many seconds before the API says so.
    Ahead(u32),
}

/// The simulated Heroku.
pub struct Heroku {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Heroku {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Heroku").field("urls", &self.shared.urls).finish_non_exhaustive()
    }
}

/// What the servers and the controls share.
#[derive(Debug)]
pub(super) struct Shared {
    urls: Urls,
    clock: Arc<dyn Clock>,
    world: Mutex<World>,
    /// The streams that are open.
    open: Mutex<BTreeSet<String>>,
}

impl Shared {
    /// The world as it is now.
    fn world(&self) -> (MutexGuard<'_, World>, Timestamp) {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now = skewed(self.clock.now(), world.skew);
        while let Some((at, (host, asked))) = world.late.due(now) {
            world.settle(at);
            http::work(&mut world, host, &asked, at);
        }
        world.settle(now);
        (world, now)
    }

    fn open(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something has changed that no stream could foresee.
    fn stir(&self) {
        let open = self.open().clone();
        open.into_iter().for_each(|stream| self.clock.wake(WakeKey::Stream(StreamKey(stream))));
    }
}

impl Heroku {
    /// Starts the five servers. They answer as long as `servers` lives.
    pub async fn start(servers: &Servers, clock: Arc<dyn Clock>, ports: HerokuPorts) -> std::io::Result<Arc<Self>> {
        let (api, api_address) = Servers::listen(ports.api).await?;
        let (link, link_address) = Servers::listen(ports.link).await?;
        let (storage, storage_address) = Servers::listen(ports.storage).await?;
        let (streams, streams_address) = Servers::listen(ports.streams).await?;
        let (id, id_address) = Servers::listen(ports.id).await?;
        let urls = Urls {
            api: format!("http://{api_address}"),
            link: format!("http://{link_address}"),
            storage: format!("http://{storage_address}"),
            streams: format!("http://{streams_address}"),
            id: format!("http://{id_address}"),
        };
        let shared = Arc::new(Shared { urls: urls.clone(), clock, world: Mutex::new(World::new(urls)), open: Mutex::default() });
        for (listener, host) in [(api, Host::Api), (link, Host::Link), (storage, Host::Storage), (streams, Host::Streams), (id, Host::Id)] {
            servers.serve(listener, http::router(Arc::clone(&shared), host));
        }
        Ok(Arc::new(Self { shared }))
    }

    /// The address of the Platform API.
    pub fn api_url(&self) -> &str {
        &self.shared.urls.api
    }

    /// The address of sign-in.
    pub fn id_url(&self) -> &str {
        &self.shared.urls.id
    }

    /// The address of the older link service.
    pub fn link_url(&self) -> &str {
        &self.shared.urls.link
    }

    /// The address of storage.
    pub fn storage_url(&self) -> &str {
        &self.shared.urls.storage
    }

    /// The address of output streams.
    pub fn streams_url(&self) -> &str {
        &self.shared.urls.streams
    }

    fn world(&self) -> (MutexGuard<'_, World>, Timestamp) {
        self.shared.world()
    }
}
