//! What the product does: one question in, one answer out; and deployments driven to their ends.
//!
//! Use cases await ports, record, and tell. What to decide is in the domain.

mod accounts;
mod answer;
mod aside;
mod confirm;
mod departures;
mod deploy;
mod diff;
mod doctor;
mod drive;
mod facts;
mod forms;
mod history;
mod home;
mod installed;
mod line;
mod linked;
mod locks;
mod look;
mod memories;
mod notices;
mod offers;
mod operating;
mod orphans;
mod perform;
mod plan;
mod press;
mod privacy;
mod promote;
mod prompts;
mod respite;
mod rides;
mod rights;
mod rollback;
mod routes;
mod rules;
mod set_right;
mod stop;
mod tell;
#[cfg(test)]
mod testing;
mod upkeep;
mod visits;
mod watch;
mod whereabouts;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::deployment::Deployment;
use crate::domain::message::Message;
use crate::domain::names::{DeploymentId, RepoName};
use crate::domain::pipeline::{Pipeline, PipelineKey};
use crate::domain::speech::Doing;
use crate::ports::{
    Accounts, Allowances, Chat, Clock, Doorbell, Ids, LockStore, Platform, PortError, SourceControl, Store, StoreError, Tally,
};

pub use answer::{answer, give_up};
pub use departures::{Departures, Emptied, Swept};
pub use drive::{DriveError, drive};
pub use home::show_page;
pub use installed::{InstalledBots, Looked};
pub use linked::{Denied, LinkedAccounts};
pub use locks::mind_locks;
pub use memories::Memories;
pub use operating::OperatorsDesk;
pub use privacy::{ExportLinks, Privacy};
pub use prompts::{next_form, suggest};
pub use rights::Rights;
pub use set_right::set_right;
pub use upkeep::{Upkept, begin_upkeep, upkeep};
pub use visits::{Confirmed, SignIns};

/// Everything that the use cases need of the world.
#[derive(Clone, Debug)]
pub struct Ports {
    /// The chat.
    pub chat: Arc<dyn Chat>,
    /// The source control.
    pub source: Arc<dyn SourceControl>,
    /// The platform.
    pub platform: Arc<dyn Platform>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Who people are.
    pub accounts: Arc<dyn Accounts>,
    /// Where people link their accounts; `None`: the settings name the one person.
    pub sign_ins: Option<SignIns>,
    /// What services allow each account.
    pub allowances: Arc<dyn Allowances>,
    /// Who holds what.
    pub locks: Arc<dyn LockStore>,
    /// What is kept about people, and the page that says so.
    pub privacy: Arc<Privacy>,
    /// Who may do what, by the rules of workspaces.
    pub rights: Arc<Rights>,
    /// What is remembered in memory of people.
    pub memories: Memories,
    /// Where browsers are sent; `None`: nowhere.
    pub doorbell: Option<Arc<dyn Doorbell>>,
    /// Our own mapping of pipelines to repositories.
    pub repositories: Arc<RepositoryMap>,
    /// How people call us: the command's word in the chat.
    pub command_word: Arc<str>,
    /// Numbers.
    pub tally: Arc<dyn Tally>,
    /// Set when the process is about to end: no new step is begun.
    pub stopping: Arc<AtomicBool>,
}

impl Ports {
    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// A deployment, for people to see and to act on: none of an installation that has ended since.
    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        Ok(self.store.deployment(id).await?.filter(|one| !one.has_left()))
    }
}

/// Our own mapping of pipelines to repositories, set by hand. By id before by name.
#[derive(Clone, Debug, Default)]
pub struct RepositoryMap(HashMap<PipelineKey, RepoName>);

impl RepositoryMap {
    /// Keeps a mapping.
    pub fn new(entries: impl IntoIterator<Item = (PipelineKey, RepoName)>) -> Self {
        Self(entries.into_iter().collect())
    }

    fn of(&self, pipeline: &Pipeline) -> Option<&RepoName> {
        let by_id = self.0.get(&PipelineKey::Id(pipeline.id.clone()));
        by_id.or_else(|| self.0.get(&PipelineKey::Name(pipeline.name.clone())))
    }
}

/// Why a command was not done.
#[derive(Debug)]
enum Trouble {
    /// A refusal, in words.
    Refused(Box<Message>),
    /// The outside failed.
    Outside(Doing, Box<PortError>),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Message> for Trouble {
    fn from(message: Message) -> Self {
        Self::Refused(Box::new(message))
    }
}

/// Says what was being done when a call failed.
trait WhileDoing<T> {
    fn while_doing(self, doing: Doing) -> Result<T, Trouble>;
}

impl<T> WhileDoing<T> for Result<T, PortError> {
    fn while_doing(self, doing: Doing) -> Result<T, Trouble> {
        self.map_err(|error| Trouble::Outside(doing, Box::new(error)))
    }
}
