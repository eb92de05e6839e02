//! Settings to ports: where the chat, the source control and the platform are chosen.

mod accounts;
mod installs;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use prometheus_client::registry::Registry;
use tokio::runtime::Handle;

use crate::adapters::allowances::InMemory;
use crate::adapters::console::{Console, ConsoleSettings};
use crate::adapters::doorbell::{self, Bell};
use crate::adapters::github::{self, GitHub};
use crate::adapters::heroku::{self, Heroku};
use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::server::Routes;
use crate::adapters::privacy_pages;
use crate::adapters::secrets::SystemSecrets;
use crate::adapters::slack::{self, Sealer, SlackChat, SlackDirectory, SlackInbound, SlackSettings};

use crate::config::{ChatSettings, Settings};
use crate::counted::Counted;
use crate::domain::names::ChannelId;
use crate::health;
use crate::metrics::Metrics;
use crate::ports::{
    AccountStore, Allowances, Chat, Clock, Directory, Doorbell, Forgets, Ids, Inbox, InstallationStore, Keeping, LockStore, Operating,
    Platform, Service as Outside, SourceControl, Store,
};
use crate::service::Service;
use crate::usecases::{Departures, Emptied, ExportLinks, Memories, OperatorsDesk, Ports, Privacy, RepositoryMap, Rights};

/// What differs between the real thing and a rehearsal of it.
#[derive(Debug)]
pub struct Ground {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// The store, open.
    pub store: Arc<dyn Store>,
    /// The same, as what is kept about people.
    pub keeping: Arc<dyn Keeping>,
    /// The threads behind the door.
    pub workers: Handle,
    /// The same, as the place of linked accounts.
    pub accounts: Arc<dyn AccountStore>,
    /// The same, as the place of installations.
    pub installations: Arc<dyn InstallationStore>,
    /// The same, as the place of locks.
    pub locks: Arc<dyn LockStore>,
    /// What a rehearsal puts between the service and its ports.
    pub between: Option<Between>,
    /// Where a rehearsal reaches the public address, which is made up.
    pub reached_at: Option<BaseUrl>,
}

/// Something between the service and its ports.
pub struct Between(pub Box<dyn FnOnce(Ports) -> Ports + Send>);

impl std::fmt::Debug for Between {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Between")
    }
}

/// The service, wired.
#[derive(Debug)]
pub struct Wired {
    /// The service; not begun.
    pub service: Service,
    /// What it answers over HTTP.
    pub routes: Routes,
    /// What it answers operators.
    pub operating: Arc<dyn Operating>,
    /// The terminal, where that is the chat.
    pub console: Option<Arc<Console>>,
}

/// Wires everything. `terminal` is where the console prints, if that is the chat.
pub fn wire(settings: &Settings, ground: Ground, terminal: Box<dyn Write + Send>) -> anyhow::Result<Wired> {
    let bots = installs::bots(settings, &ground)?;
    let clock = Arc::clone(&ground.clock);
    let mut registry = Registry::default();
    let metrics = Metrics::registered(&mut registry);
    let github = github::GitHubSettings {
        api: settings.github.api.clone(),
        web: settings.github.web.clone(),
        git: github::git_at(&settings.github.api, &settings.github.web),
        archive_limit: settings.source.limit,
        spool_dir: Some(settings.source.spool.clone()),
    };
    let heroku = heroku::HerokuSettings {
        api: settings.heroku.api.clone(),
        links: settings.heroku.links.clone(),
        dashboard: settings.heroku.dashboard.clone(),
    };
    let sealer = match &settings.chat {
        ChatSettings::Slack(slack) => Some(Arc::new(Sealer::new(&slack.signing_secrets).context("nothing can seal reply addresses")?)),
        ChatSettings::Console { .. } => None,
    };
    let mut remembering: Vec<Arc<dyn Forgets>> = Vec::new();
    let (chat, console, directory): (Arc<dyn Chat>, _, Option<Arc<dyn Directory>>) = match (&settings.chat, &sealer) {
        (ChatSettings::Slack(slack), Some(sealer)) => {
            let slack = SlackSettings {
                api: slack.api.clone(),
                tokens: installs::tokens(slack, bots.as_ref())?,
                sealer: Arc::clone(sealer),
                allow_loopback_response_url: slack.loopback_response_url,
            };
            let directory = SlackDirectory::new(&slack, Arc::clone(&clock)).context("no HTTP client for the people of the chat")?;
            let chat = Arc::new(SlackChat::new(slack, Arc::clone(&clock)).context("no HTTP client for the chat")?);
            remembering.push(Arc::<SlackChat>::clone(&chat));
            (chat, None, Some(Arc::new(directory)))
        }
        (ChatSettings::Console { person }, _) => {
            let channel = ChannelId::parse("terminal").context("the terminal has no name")?;
            let console = Arc::new(Console::new(ConsoleSettings { person: person.clone(), channel }, terminal));
            (Arc::<Console>::clone(&console), Some(console), None)
        }
        (ChatSettings::Slack(_), None) => anyhow::bail!("nothing can seal reply addresses"),
    };
    let book = Arc::new(InMemory::new(github::LIMITS, heroku::LIMITS));
    let allowances: Arc<dyn Allowances> = Arc::<InMemory>::clone(&book);
    let github = GitHub::new(github, Arc::clone(&clock)).context("no HTTP client for GitHub")?;
    let github = Arc::new(github.telling(Arc::clone(&allowances)));
    let heroku = Heroku::new(heroku, Arc::clone(&clock)).context("no HTTP client for Heroku")?;
    let heroku = Arc::new(heroku.telling(Arc::clone(&allowances)));
    let source: Arc<dyn SourceControl> = Arc::<GitHub>::clone(&github);
    let platform: Arc<dyn Platform> = Arc::<Heroku>::clone(&heroku);
    let rights = Arc::new(Rights::new(directory, accounts::trusted(settings)));
    let privacy = Arc::new(Privacy::new(Arc::clone(&ground.keeping), Some(Arc::new(SystemSecrets)), settings.privacy.clone()));
    let others: [Arc<dyn Forgets>; 5] = [book, github, heroku, Arc::<Rights>::clone(&rights), Arc::<Privacy>::clone(&privacy)];
    remembering.extend(others);
    let memories = Memories::new(remembering);
    let (people, sign_ins) = accounts::who_people_are(settings, &ground, &memories)?;
    let Ground { clock: _, ids, store, accounts, installations, keeping: _, locks, workers, between, reached_at } = ground;
    let bell = bell(settings, reached_at)?;
    let ports = Ports {
        chat: Counted::new(chat, Outside::Chat, &metrics),
        source: Counted::new(source, Outside::SourceControl, &metrics),
        platform: Counted::new(platform, Outside::Platform, &metrics),
        store,
        clock: Arc::clone(&clock),
        ids,
        accounts: people,
        sign_ins,
        allowances,
        locks,
        privacy,
        rights,
        memories: memories.clone(),
        doorbell: bell.clone().map(|bell| -> Arc<dyn Doorbell> { bell }),
        repositories: Arc::new(RepositoryMap::new(settings.repositories.iter().cloned())),
        command_word: Arc::from(settings.command.as_str()),
        tally: Arc::new(metrics.clone()),
        stopping: Arc::new(AtomicBool::new(false)),
    };
    let ports = match between {
        Some(Between(put)) => put(ports),
        None => ports,
    };
    let departures = Departures {
        store: Arc::clone(&ports.store),
        kept: installations,
        accounts,
        people: ports.sign_ins.clone(),
        bots: bots.clone(),
        memories,
        ids: Arc::clone(&ports.ids),
        clock: Arc::clone(&clock),
        emptied: Emptied::default(),
    };
    let export_page = privacy_pages::exports(Arc::new(ExportLinks(ports.clone())));
    let operating = Arc::new(OperatorsDesk(ports.clone()));
    let service = Service::hearing(ports, metrics.clone(), workers, departures.clone());
    let mut router = health::router(metrics, registry).merge(privacy_pages::texts(settings.privacy.clone()));
    if let Some(bell) = bell {
        router = router.merge(doorbell::router(bell));
    }
    if let (ChatSettings::Slack(slack), Some(sealer)) = (&settings.chat, sealer) {
        let inbox: Arc<dyn Inbox> = Arc::new(service.clone());
        router = router.merge(slack::router(SlackInbound {
            secrets: slack.signing_secrets.clone(),
            inbox,
            clock,
            hears: Arc::new(departures),
            sealer,
            command_word: settings.command.clone(),
            allow_loopback_response_url: slack.loopback_response_url,
        }));
    }
    let patient = accounts::pages(settings, &service).merge(installs::pages(settings, &service, bots));
    Ok(Wired { service, routes: Routes { quick: router, patient: patient.merge(export_page) }, operating, console })
}

/// The bell at the public address, if there is one.
fn bell(settings: &Settings, reached_at: Option<BaseUrl>) -> anyhow::Result<Option<Arc<Bell>>> {
    let Some(public) = &settings.privacy.public else { return Ok(None) };
    let at = match reached_at {
        Some(at) => at,
        None => BaseUrl::parse(public).context("the public address is none")?,
    };
    Ok(Some(Arc::new(Bell::new(at, Arc::new(SystemSecrets)).context("nobody can ring at the public address")?)))
}
