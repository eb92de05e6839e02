//! What is looked at when somebody asks whether all is well here: from where they stand, and with what they may do.

use jiff::{SignedDuration, Timestamp};

use super::account::Missing;
use super::actor::Person;
use super::fault::{Fault, PortError};
use super::installation::BotRight;
use super::names::{AppName, ChannelId, GroupName, PipelineName, RepoName};
use super::release::Access;
use super::rights::Matter;

/// How far clocks may be apart: what the chat signs is good for five minutes, tokens are renewed one minute ahead of their ends.
pub const APART: SignedDuration = SignedDuration::from_secs(60);

/// How the chat takes us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatStanding {
    /// The rights that we would use and do not have.
    pub lacks: Vec<BotRight>,
    /// Whether we may speak in the conversation.
    pub speaks_here: bool,
    /// Whether each command there comes with an address for its answers.
    pub gives_addresses: bool,
    /// What time it is there, where it says so.
    pub clock: Option<Timestamp>,
}

/// How the logins of whoever asks stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logins {
    /// Both are there.
    Linked,
    /// This installation works for somebody else.
    Stranger,
    /// These are missing.
    Missing(Vec<Missing>),
    /// They could not be renewed.
    Away(PortError),
    /// They cannot be opened.
    Locked,
}

/// The repository that a pipeline ships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shipped {
    /// There is none.
    NotLinked,
    /// It cannot be read, or it cannot be told which it is.
    Unreadable {
        /// Its name, where that is known.
        name: Option<RepoName>,
        /// Why.
        error: PortError,
    },
    /// It is there.
    Known {
        /// Its name.
        name: RepoName,
        /// Whether the person may record deployments; `None`: not told.
        may_record: Option<bool>,
        /// It is read-only for everybody.
        archived: bool,
    },
}

/// A pipeline, as the person may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineFound {
    /// Its name.
    pub name: PipelineName,
    /// What it ships.
    pub ships: Shipped,
    /// Its apps, and what the person may do there.
    pub apps: Result<Vec<(AppName, Access)>, PortError>,
}

/// What the person's pipelines are like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelinesFound {
    /// Those that were looked at.
    pub looked_at: Vec<PipelineFound>,
    /// How many more there are.
    pub left_out: usize,
}

/// A rule of the workspace that names somebody or something that is not there any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmptyName {
    /// What the rule is about.
    pub about: Matter,
    /// Whom or what it names.
    pub names: Named,
}

/// What a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// Somebody.
    Person(Person),
    /// A group.
    Group(GroupName),
    /// A conversation.
    Channel(ChannelId),
}

/// Who answers at the public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// This service.
    Ours,
    /// Somebody else, with this status.
    Others(u16),
    /// Nobody.
    Shut,
}

/// Settings that somebody may have forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingsFound {
    /// Whether browsers can reach the service: for linking logins, and for taking what is kept.
    pub public: bool,
    /// Whether it is said who runs this installation.
    pub contact: bool,
    /// Whether it is said where data is processed.
    pub place: bool,
}

/// All that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkup {
    /// Of the chat.
    pub chat: Result<ChatStanding, PortError>,
    /// Whether the command came with an address for answers that is good.
    pub came_with_address: bool,
    /// Of the person's logins.
    pub logins: Logins,
    /// Of the person's pipelines; `None`: without logins nobody can look.
    pub pipelines: Option<Result<PipelinesFound, PortError>>,
    /// Of the settings.
    pub settings: SettingsFound,
    /// Who answers at the public address; `None`: there is none.
    pub door: Option<Door>,
    /// What the rules of the workspace name and is not there any more; the error: the chat does not say.
    pub empty_names: Result<Vec<EmptyName>, PortError>,
    /// When it was looked.
    pub now: Timestamp,
}

impl Checkup {
    /// How far our clock is ahead of the chat's, where that is too far; negative: behind.
    pub fn clock_is_off(&self) -> Option<SignedDuration> {
        let there = self.chat.as_ref().ok()?.clock?;
        let off = self.now.duration_since(there);
        (off.abs() > APART).then_some(off)
    }

    /// Whether a fault is one of the service's own, which the person cannot mend.
    pub fn may_pass(error: &PortError) -> bool {
        match error.fault {
            Fault::RateLimited { .. } | Fault::Unreachable | Fault::Unclear | Fault::Nonsense => true,
            Fault::SignInLost | Fault::Forbidden | Fault::NotFound | Fault::Refused => false,
        }
    }
}
