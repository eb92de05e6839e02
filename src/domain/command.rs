//! The commands, and the one table of them from which the parser, the help, the README and the chat manifests come.

mod rules;
mod table;
mod typed;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::doubt::Doubt;
use super::lock::Ending;
use super::names::{ChannelId, CommitSha, DeploymentId, NameError, RefName, ReleaseId, RepoName};
use super::parse::is_invisible;
use super::pipeline::{Destination, Environment, PipelineKey, Place};
use super::route::Only;
use super::source::AskedRef;

pub use rules::RulesWish;
pub use table::{COMMANDS, CommandRow, Needs};

/// What a command does: its first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Usage.
    Help,
    /// Link my logins.
    Login,
    /// Unlink them.
    Logout,
    /// Who am I to you.
    WhoAmI,
    /// What can I deploy.
    Pipelines,
    /// One pipeline.
    Info,
    /// What a deploy would do.
    Plan,
    /// Ship it.
    Deploy,
    /// What is going on.
    Status,
    /// Who waits.
    Queue,
    /// Step out of the line.
    Leave,
    /// Stop.
    Cancel,
    /// Give an app away whose deploy nobody knows the end of.
    Free,
    /// The last releases.
    Releases,
    /// What runs where, or where a change is.
    Where,
    /// What would ship.
    Diff,
    /// What runs in one place to another.
    Promote,
    /// Back to an earlier release.
    Rollback,
    /// Hold a place.
    Lock,
    /// Free it.
    Unlock,
    /// Who holds what.
    Locks,
    /// Tell me no news.
    Mute,
    /// Tell me again.
    Unmute,
    /// Tell it there.
    Route,
    /// Where it is told.
    Routes,
    /// Tell it there no more.
    Unroute,
    /// What was done.
    History,
    /// Who may do what.
    Rules,
    /// What is kept about me.
    Privacy,
    /// What is wrong here.
    Doctor,
}

/// Why somebody does what they do, in their words: 1 to 200 characters, one line, more than dots.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Because(String);

impl Because {
    /// Checks and keeps a reason; spaces around it are dropped.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        let says_something = text.chars().any(|c| !matches!(c, '.' | '…'));
        if says_something && text.chars().count() <= 200 && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError { text: text.chars().take(100).collect(), expected: "a reason: up to 200 characters on one line" })
        }
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Because {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<Because> for String {
    fn from(because: Because) -> String {
        because.0
    }
}

/// What to ship, and where to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// What.
    pub what: AskedRef,
    /// Where to, if it was said.
    pub to: Option<Place>,
}

/// Whether a deploy ships with one of somebody else that contains its commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ride {
    /// It may be asked.
    #[default]
    Unsaid,
    /// By itself.
    Alone,
    /// With this one.
    With(DeploymentId),
}

impl Ride {
    /// Whether nobody has said so.
    pub fn is_unsaid(&self) -> bool {
        *self == Self::Unsaid
    }
}

/// How something is to ship, beyond what, where to and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// It waits for its checks where they are not done yet.
    #[serde(default)]
    pub when_green: bool,
    /// Where it has to wait for the app, it begins only once its asker has said so at its turn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ask_first: bool,
    /// The commit that a button showed: no other one ships by it. Never parsed from text.
    #[serde(default)]
    pub shown: Option<CommitSha>,
    /// Whether it ships with somebody else's. Never parsed from text.
    #[serde(default, skip_serializing_if = "Ride::is_unsaid")]
    pub ride: Ride,
    /// The release that a question showed: no other one is promoted by it. Never parsed from text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseId>,
    /// The number of the release that ran there when it was asked: where another one runs, it is asked anew. Never parsed from text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<u64>,
    /// What was asked about it and answered with yes. Never parsed from text.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sure_of: BTreeSet<Doubt>,
    /// When a one-time code was accepted that came with it before something was asked. Never parsed from text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_spent_at: Option<Timestamp>,
}

impl Terms {
    /// Whether nothing is asked for beyond the plain deploy.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// A pipeline and a place in it, if one was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Where {
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// The place in it.
    pub place: Option<Place>,
}

/// What somebody looks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seek {
    /// What runs in a pipeline.
    Pipeline(PipelineKey),
    /// Where a change of a pipeline's repository is.
    InPipeline {
        /// The pipeline.
        pipeline: PipelineKey,
        /// The change.
        what: AskedRef,
    },
    /// Where a change is, in whichever pipelines ship it.
    Change {
        /// The change: a commit by its hash, a pull request, or whatever a link leads to.
        what: AskedRef,
        /// The repository that a link leads to.
        repository: Option<RepoName>,
    },
}

/// A place among those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spot {
    /// Before all others.
    First,
    /// Behind all others.
    Last,
    /// This one, counted from 1.
    Nth(u16),
}

/// A place in a line that is to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveWish {
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// What the deploy that is to be moved ships, as it was asked for; nothing named: the asker's own.
    pub what: AskedRef,
    /// Where it waits, if that was said.
    pub place: Option<Place>,
    /// Where it is to stand.
    pub to: Spot,
}

/// One end of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// What runs there.
    Place(Place),
    /// A ref of the pipeline's repository.
    Ref(AskedRef),
}

/// What is compared in a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// From what runs there; `None`: from where that would ship to next.
    pub from: Option<Place>,
    /// To this; `None`: to the head of the default branch.
    pub to: Option<Limit>,
}

/// A pipeline or one of its environments, as something to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// The environment; `None`: all of them.
    pub environment: Option<Environment>,
}

/// A lock as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockWish {
    /// On what.
    pub on: Hold,
    /// For this branch alone; `None`: for whatever its holder ships.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<RefName>,
    /// Until when; `None`: until it is freed.
    pub end: Option<Ending>,
    /// Why.
    pub because: Option<Because>,
    /// Also over somebody else's.
    pub anyway: bool,
}

/// A route as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteWish {
    /// Of which pipeline.
    pub pipeline: PipelineKey,
    /// Where to.
    pub to: ChannelId,
    /// What.
    pub only: Only,
}

/// What somebody wants of what is kept about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivacyWish {
    /// To see how much it is.
    Show,
    /// To have all of it.
    Export,
    /// To have it removed.
    Delete {
        /// Whether they have said so twice.
        sure: bool,
    },
}

/// A command, understood. Has no place for a one-time code: the edge splits that off before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// `help [COMMAND]`
    Help {
        /// The command to explain.
        about: Option<Verb>,
    },
    /// `login`: asks for a link, or, with a passcode behind it that the edge has split off, confirms what was done by one.
    Login,
    /// `logout`
    Logout,
    /// `whoami`
    WhoAmI,
    /// `doctor`
    Doctor,
    /// `pipelines`
    Pipelines,
    /// `info PIPELINE`
    Info {
        /// The pipeline.
        pipeline: PipelineKey,
    },
    /// `plan PIPELINE[/REF] [to ENV[/APP]]`
    Plan(Wish),
    /// `deploy[!] PIPELINE[/REF] [to ENV[/APP]] [when green] [ask me] [because WHY]`
    Deploy {
        /// What and where to.
        wish: Wish,
        /// `!`: pass failed, pending and missing checks. Always comes with a reason.
        passing_checks: bool,
        /// Why.
        because: Option<Because>,
        /// How.
        #[serde(default, skip_serializing_if = "Terms::is_plain")]
        terms: Terms,
    },
    /// `status [PIPELINE]`
    Status {
        /// The pipeline; `None`: all.
        pipeline: Option<PipelineKey>,
    },
    /// `queue PIPELINE [in ENV[/APP]]`
    Queue(Where),
    /// `queue move PIPELINE[/REF] [in ENV[/APP]] first | last | N`
    QueueMove(MoveWish),
    /// `leave [PIPELINE [in ENV[/APP]]]`
    Leave {
        /// Which line; `None`: the only one I stand in.
        line: Option<Where>,
    },
    /// `cancel PIPELINE [in ENV[/APP]] [because WHY]`
    Cancel {
        /// Where.
        #[serde(flatten)]
        place: Where,
        /// Why.
        #[serde(default)]
        because: Option<Because>,
    },
    /// `free PIPELINE [in ENV[/APP]] because WHY`
    Free {
        /// Where.
        #[serde(flatten)]
        place: Where,
        /// Why.
        because: Because,
    },
    /// `releases PIPELINE [in ENV[/APP]]`
    Releases(Where),
    /// `where PIPELINE`, `where PIPELINE/REF`, `where COMMIT`, `where #PR`, `where LINK`
    Where(Seek),
    /// `diff PIPELINE[/REF] [from ENV[/APP]] [to ENV[/APP] | to REF]`
    Diff(Stretch),
    /// `promote[!] PIPELINE [from ENV[/APP]] [to ENV[/APP | /*]] [because WHY]`
    Promote {
        /// The pipeline.
        pipeline: PipelineKey,
        /// From what runs there; `None`: from the last environment before the target.
        from: Option<Place>,
        /// To there; `None`: to the next environment after that.
        to: Option<Destination>,
        /// `!`: pass failed, pending and missing checks. Always comes with a reason.
        passing_checks: bool,
        /// Why.
        because: Option<Because>,
        /// What its asker was shown and said yes to.
        #[serde(default, skip_serializing_if = "Terms::is_plain")]
        terms: Terms,
    },
    /// `rollback PIPELINE [in ENV[/APP]] [to vN] [because WHY]`
    Rollback {
        /// Where.
        place: Where,
        /// The number of the release to go back to; `None`: to be shown which there are.
        to: Option<u64>,
        /// Why.
        because: Option<Because>,
        /// What its asker was shown and said yes to.
        #[serde(default, skip_serializing_if = "Terms::is_plain")]
        terms: Terms,
    },
    /// `lock PIPELINE[/BRANCH] [in ENV] [anyway] [for TIME | until TIME] [because WHY]`
    Lock(LockWish),
    /// `unlock PIPELINE [in ENV] [anyway] [because WHY]`, `unlock all`
    Unlock {
        /// What to free; `None`: all that I hold.
        on: Option<Hold>,
        /// Also what somebody else holds.
        anyway: bool,
        /// Why.
        #[serde(default)]
        because: Option<Because>,
    },
    /// `locks`
    Locks,
    /// `mute [for TIME | until TIME]`
    Mute {
        /// Until when; `None`: until it is taken back.
        end: Option<Ending>,
    },
    /// `unmute`
    Unmute,
    /// `route PIPELINE to #CHANNEL [only failures] [only ENV]`
    Route(RouteWish),
    /// `routes`
    Routes,
    /// `unroute PIPELINE [from #CHANNEL]`
    Unroute {
        /// The pipeline.
        pipeline: PipelineKey,
        /// The conversation; `None`: the only one.
        from: Option<ChannelId>,
    },
    /// `history [PIPELINE] [before DAY]`
    History {
        /// The pipeline; `None`: the workspace.
        pipeline: Option<PipelineKey>,
        /// Only what was done before this; `None`: the newest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Timestamp>,
    },
    /// `rules [WHAT WHO | reset WHAT] [because WHY]`
    Rules {
        /// What is wanted.
        wish: RulesWish,
    },
    /// `privacy [export | delete [yes]]`
    Privacy {
        /// What is wanted.
        wish: PrivacyWish,
    },
}

impl Command {
    /// Its first word.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Help { .. } => Verb::Help,
            Self::Login => Verb::Login,
            Self::Logout => Verb::Logout,
            Self::WhoAmI => Verb::WhoAmI,
            Self::Pipelines => Verb::Pipelines,
            Self::Info { .. } => Verb::Info,
            Self::Plan(_) => Verb::Plan,
            Self::Deploy { .. } => Verb::Deploy,
            Self::Status { .. } => Verb::Status,
            Self::Queue(_) | Self::QueueMove(_) => Verb::Queue,
            Self::Leave { .. } => Verb::Leave,
            Self::Cancel { .. } => Verb::Cancel,
            Self::Free { .. } => Verb::Free,
            Self::Releases(_) => Verb::Releases,
            Self::Where(_) => Verb::Where,
            Self::Diff(_) => Verb::Diff,
            Self::Promote { .. } => Verb::Promote,
            Self::Rollback { .. } => Verb::Rollback,
            Self::Lock(_) => Verb::Lock,
            Self::Unlock { .. } => Verb::Unlock,
            Self::Locks => Verb::Locks,
            Self::Mute { .. } => Verb::Mute,
            Self::Unmute => Verb::Unmute,
            Self::Route(_) => Verb::Route,
            Self::Routes => Verb::Routes,
            Self::Unroute { .. } => Verb::Unroute,
            Self::History { .. } => Verb::History,
            Self::Rules { .. } => Verb::Rules,
            Self::Privacy { .. } => Verb::Privacy,
            Self::Doctor => Verb::Doctor,
        }
    }
}
