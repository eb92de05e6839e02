//! The whole outside: Slack, GitHub and Heroku, together and seeded.

use std::sync::Arc;

use super::company;
use super::github::Github;
use super::heroku::{Heroku, HerokuPorts};
use super::serve::Servers;
use super::slack::{SlackSeed, SlackWorkspace};
use crate::ports::Clock;

#[path = "script/outside.rs"]
mod outside;

/// The simulated outside. It outlives the service that is tried in it, and ends when this is dropped.
#[derive(Debug)]
pub struct World {
    /// The chat.
    pub slack: Arc<SlackWorkspace>,
    /// The source control.
    pub github: Arc<Github>,
    /// The platform.
    pub heroku: Arc<Heroku>,
    _servers: Servers,
}

impl World {
    /// Starts the three with a small company in them. `first_port` 0 means any ports; otherwise eight in a row from there:
    /// Slack's API and answer addresses, GitHub's interface, one that is left free, and Heroku's four. GitHub's archives have
    /// a port of their own.
    ///
    /// With a stepped clock give [`super::clock::SteppedClock::for_the_world`].
    pub async fn start(clock: Arc<dyn Clock>, first_port: u16) -> Result<Self, WorldError> {
        let port = |offset: u16| if first_port == 0 { 0 } else { first_port.saturating_add(offset) };
        let servers = Servers::default();
        let slack = SlackWorkspace::start(&servers, Arc::clone(&clock), port(0), SlackSeed::default()).await?;
        let github = Github::start(&servers, Arc::clone(&clock), port(2)).await?;
        let ports = HerokuPorts { api: port(4), link: port(5), storage: port(6), streams: port(7) };
        let heroku = Heroku::start(&servers, Arc::clone(&clock), ports).await?;
        let world = Self { slack, github, heroku, _servers: servers };
        company::seed(&world, clock.now()).map_err(WorldError::Seed)?;
        Ok(world)
    }
}

/// Why a world could not be started.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A port could not be opened.
    #[error("a simulated service could not listen")]
    Listen(#[from] std::io::Error),
    /// The company does not fit the simulators.
    #[error("the company could not be made: {0}")]
    Seed(String),
}
