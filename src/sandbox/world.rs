//! The whole outside: Slack, GitHub and Heroku, together and seeded.

use std::sync::Arc;

use super::company;
use super::github::Github;
use super::heroku::{Heroku, HerokuPorts};
use super::serve::Servers;
use super::slack::{SlackSeed, SlackWorkspace};
use crate::ports::Clock;

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
        let ports = HerokuPorts { api: port(4), link: port(5), storage: port(6), streams: port(7), id: port(8) };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::clock::SteppedClock;
    use crate::sandbox::script::player::Outside;
    use crate::sandbox::script::{Directive, TABLE, Tally, read};

    #[tokio::test]
    async fn the_company_fits_the_simulators_and_takes_directives() {
        let clock = SteppedClock::new();
        let mut world = World::start(clock.for_the_world(), 0).await.unwrap();
        for line in [
            "acme/hubot topic: ci/circleci failed",
            "acme/hubot topic: run build pending",
            "acme/hubot main requires ci/circleci, lint by a ruleset",
            "push acme/hubot topic",
            "bob pushes acme/hubot fresh: A new branch",
            "delete acme/hubot red",
            "tag acme/hubot v2 at main",
            "open acme/hubot #9 from fresh",
            "archive acme/cron",
            "rename acme/site to acme/place",
            "ana may read acme/web",
            "ana may not see acme/shop",
            "ana may view app web-eu",
            "ana may not see app web-us",
            "hold hubot-staging build",
            "let hubot-staging go",
            "the next release of shop-staging fails",
            "the next dynos of hubot-staging crash",
            "the next dynos of hubot-staging flap",
            "the clock of github is 3 minutes ahead",
            "the clock of heroku is 4 minutes behind",
            "the build of hubot-staging says dreaming",
            "the streams of hubot-staging are cut once",
            "build slots are used up",
            "build slots are free",
            "cron-staging has 1 dynos",
            "config of hubot-staging changes: COLOUR",
            "github fails POST deployments once: cut after",
            "heroku fails POST builds twice: 503",
            "heroku fails GET /builds/*$ always: slow drip",
            "github works again",
            "heroku works again",
            "github has no token",
            "heroku has no token",
        ] {
            let directive = read(TABLE, line).unwrap();
            let done = if let Directive::Fails { vendor, rule } = &directive {
                world.fail(*vendor, rule.clone()).map(drop)
            } else {
                world.perform(&directive)
            };
            assert_eq!(done, Ok(()), "{line}");
        }
        assert_eq!(world.count(&Tally::Releases("shop-production".to_owned())).unwrap().len(), 2);
        assert_eq!(world.violations(), Vec::<String>::new());
    }
}
