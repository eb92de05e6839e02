//! The simulated GitHub: its REST interface, its archive host and git's list of refs, over real HTTP on loopback.
//!
//! State is plain and lies behind one mutex; time comes from the clock the world was given. It answers what a source
//! control client needs (repositories, refs, checks, rules, compare, deployments, archives), and what brings such things about (commits,
//! refs, pull requests), with every key of the published schema, and anything else with 501 and the path. It watches its callers: see [`Github::violations`].

mod account;
mod advertisement;
mod answer;
mod applications;
mod archive;
mod asked;
mod branches;
mod checks;
mod compare;
mod create_deployment;
mod deployment_statuses;
mod deployments;
mod door;
mod fault;
mod git;
mod graph;
mod guard;
mod pulls;
mod refs;
mod routes;
mod rules;
mod secrets;
mod seed;
mod seed_checks;
mod seen;
mod shapes;
mod shapes_code;
mod sign_in;
mod tarball;
mod world;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use crate::sandbox::fault::{Fault, FaultRule, Limit};
pub use seed::{Permission, RepoSeed};
pub use seed_checks::Protection;
pub use seen::{SeenDeployment, SeenRequest, SeenStatus};
pub use shapes::user_id;
pub use sign_in::{AppKind, AppSeed};

use super::fault::skewed;
use super::serve::Servers;
use crate::ports::Clock;
use world::World;

/// A GitHub of its own, with nothing in it at first.
#[derive(Debug)]
pub struct Github {
    api: String,
    web: String,
    clock: Arc<dyn Clock>,
    world: Mutex<World>,
    /// Counts how often hanging requests were let go.
    gate: tokio::sync::watch::Sender<u64>,
}

impl Github {
    /// Starts it: the interface on `port` (0 means any), the archive and web host on a port of its own.
    pub async fn start(servers: &Servers, clock: Arc<dyn Clock>, port: u16) -> std::io::Result<Arc<Self>> {
        let (api_listener, api) = Servers::listen(port).await?;
        let (web_listener, web) = Servers::listen(0).await?;
        let github = Arc::new(Self {
            api: format!("http://{api}"),
            web: format!("http://{web}"),
            clock,
            world: Mutex::new(World::default()),
            gate: tokio::sync::watch::Sender::new(0),
        });
        servers.serve(api_listener, door::api(Arc::clone(&github)));
        servers.serve(web_listener, door::web(Arc::clone(&github)));
        Ok(github)
    }

    /// The base address of the interface, without a slash at the end.
    pub fn api_url(&self) -> String {
        self.api.clone()
    }

    /// The base address of web pages and archives: another port, hence another host to a client.
    pub fn web_url(&self) -> String {
        self.web.clone()
    }

    /// Answers every request that hangs now; the work of each is done then.
    pub fn let_go_hanging(&self) {
        self.gate.send_modify(|times| *times = times.wrapping_add(1));
    }

    /// The world as it is now: what was to be done later is done.
    fn lock(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now = skewed(self.clock.now(), world.skew);
        while let Some((at, (host, asked))) = world.late.due(now) {
            self.work(&mut world, host, &asked, at);
        }
        world
    }
}
