//! A deployment: one record that moves through phases until it truly ends.

mod after;
mod cancel;
mod history;
mod moves;
mod orphans;
mod outcome;
mod pace;
mod phase;
mod riders;
mod story;
mod together;

#[cfg(test)]
mod grid_tests;
#[cfg(test)]
pub(crate) mod samples;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::{Origin, Person};
use super::command::Because;
use super::names::{
    AnnouncementId, AppId, AppName, BuildId, CheckName, CodeId, CommitSha, DeliveryId, DeploymentId, PipelineId, PipelineName, ReleaseId,
    RepoName,
};
use super::pipeline::{App, Environment, Pipeline};
use super::route::Sent;
use super::source::{AskedRef, CommitRef, Comparison, ReportState};

pub use cancel::CancelAnswer;
pub use history::{at_work_since, left, usual, waits, whole, worked};
pub use moves::Step;
pub use orphans::WAITED_FOR;
pub use outcome::{Outcome, Said};
pub use pace::{
    ANSWER_WAIT, Attention, CODE_IS_GOOD_FOR, CODE_WAIT, EFFECT_BOUND, GREEN_WAIT, SLOT_PAUSE, SLOT_WAIT, UNKNOWN_LOOKS_FOR, UNKNOWN_PAUSE,
};
pub use phase::{DynosUp, Failure, Milestone, Phase, Stage, Standing, WaitingFor, Watched};
pub use riders::Rider;
pub use story::Mark;
pub use together::Together;

/// Where the one message of a deployment stands in the chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Card {
    /// Not shown yet.
    #[default]
    NotShown,
    /// A message that can be edited.
    At(MessageRef),
    /// Said by the command's own reply address or privately: cannot be edited, the end will be said anew.
    SaidOnce,
}

/// A message in a chat that we can edit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MessageRef {
    /// The workspace.
    pub workspace: super::names::WorkspaceId,
    /// The conversation, as the chat named it when the message was posted.
    pub channel: super::names::ChannelId,
    /// The message's id there.
    pub message: String,
}

/// Checks that were passed over on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Why, in the person's words.
    pub because: String,
    /// Which checks.
    pub skipped: Vec<CheckName>,
}

/// The record at the source control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Its id there.
    pub id: AnnouncementId,
    /// The last state that was reported to it.
    pub reported: Option<ReportState>,
}

/// Something that could not be told, since it was refused for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Untold {
    /// The message that everybody sees.
    Card,
    /// What the asker is told.
    Asker,
    /// The end, to the record at the source control.
    Record,
}

/// That somebody asked to stop it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// Who.
    pub by: Person,
    /// When.
    pub at: Timestamp,
    /// Whether the platform has been told.
    pub told: bool,
    /// Why, in their words, where they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
}

/// That somebody gave it another place in the line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedBy {
    /// Who.
    pub by: Person,
    /// When.
    pub at: Timestamp,
}

/// How long one stage took, or has taken so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTime {
    /// The stage.
    pub stage: Stage,
    /// When it began.
    pub began: Timestamp,
    /// When it was over.
    pub ended: Option<Timestamp>,
}

/// How long something usually takes, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TookRow", into = "TookRow")]
pub struct Took {
    /// At least.
    pub least: u32,
    /// At most.
    pub most: u32,
}

impl Took {
    /// One after the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { least: self.least.saturating_add(other.least), most: self.most.saturating_add(other.most) }
    }

    /// What is left of it after so many seconds.
    #[must_use]
    pub fn after(self, seconds: u32) -> Self {
        Self { least: self.least.saturating_sub(seconds), most: self.most.saturating_sub(seconds) }
    }
}

/// As it lies on disk: a single number where both are the same, as it was before there were two.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum TookRow {
    One(u32),
    Range { least: u32, most: u32 },
}

impl From<TookRow> for Took {
    fn from(row: TookRow) -> Self {
        match row {
            TookRow::One(both) => Self { least: both, most: both },
            TookRow::Range { least, most } => Self { least, most },
        }
    }
}

impl From<Took> for TookRow {
    fn from(Took { least, most }: Took) -> Self {
        if least == most { Self::One(least) } else { Self::Range { least, most } }
    }
}

/// How long the stages of earlier deployments of the same app usually took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usual {
    /// The build.
    pub build: Option<Took>,
    /// The release phase.
    pub release: Option<Took>,
    /// The dynos.
    pub dynos: Option<Took>,
    /// All of it, waits left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Took>,
}

impl Usual {
    /// For one stage.
    pub fn of(&self, stage: Stage) -> Option<Took> {
        match stage {
            Stage::Build => self.build,
            Stage::Release => self.release,
            Stage::Dynos => self.dynos,
            Stage::Line | Stage::Code | Stage::Checks | Stage::Announcement | Stage::Source => None,
        }
    }
}

/// The app that a deployment goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its pipeline.
    pub pipeline: PipelineId,
    /// Its pipeline's name when it was asked for.
    pub pipeline_name: PipelineName,
    /// The app.
    pub app: AppId,
    /// Its name when it was asked for.
    pub app_name: AppName,
    /// Where in the pipeline it stands.
    pub environment: Environment,
    /// Where people reach it.
    pub web_url: Option<String>,
}

impl Target {
    /// An app of a pipeline, as both are now.
    pub fn of(pipeline: &Pipeline, app: &App) -> Self {
        Self {
            pipeline: pipeline.id.clone(),
            pipeline_name: pipeline.name.clone(),
            app: app.id.clone(),
            app_name: app.name.clone(),
            environment: app.environment,
            web_url: app.web_url.clone(),
        }
    }
}

/// What a deployment ships.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cargo {
    /// The repository.
    pub repository: RepoName,
    /// The repository's page.
    pub repository_url: String,
    /// What the platform links the pipeline to, where our own mapping overrides it.
    pub overrides_link_to: Option<RepoName>,
    /// What was asked for.
    pub asked: AskedRef,
    /// What it was named by.
    pub named_by: CommitRef,
    /// The commit that ships, and no other.
    pub commit: CommitSha,
    /// How it stands to what ran when it was asked for.
    pub change: Option<Comparison>,
    /// Nothing was required and nothing had reported.
    pub no_checks: bool,
}

/// How it gets there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By a build of the commit.
    #[default]
    Build,
    /// By going back to a release that served before.
    Back(Back),
    /// By taking over what runs in another app of its pipeline.
    Promote(Promote),
}

/// Taking over a release of another app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promote {
    /// The app.
    pub from: AppId,
    /// What it was called then.
    pub from_name: AppName,
    /// Where it stands.
    pub from_environment: Environment,
    /// Its release: this one and no later one.
    pub release: ReleaseId,
    /// The number of that.
    pub version: u64,
    /// The number of the newest release of the target when that was asked for: what is made has a later one.
    pub newest: u64,
    /// The others that were asked for in the same breath, where there are any.
    #[serde(default)]
    pub together: Option<Together>,
}

/// Going back to a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    /// The release to go back to.
    pub to: ReleaseId,
    /// Its number.
    pub version: u64,
    /// What it runs.
    pub code: CodeId,
    /// The number of the newest release when that was asked for: what goes back has a later one.
    pub newest: u64,
    /// How many releases between the two changed the app's config and not its code: they are undone as well.
    pub configs: u64,
}

impl Deployment {
    /// Where it goes back to, if it does.
    pub fn back(&self) -> Option<&Back> {
        match &self.way {
            Way::Build | Way::Promote(_) => None,
            Way::Back(back) => Some(back),
        }
    }

    /// What it takes over, if it does.
    pub fn promotes(&self) -> Option<&Promote> {
        match &self.way {
            Way::Build | Way::Back(_) => None,
            Way::Promote(promote) => Some(promote),
        }
    }
}

/// The life of one deploy, from being asked for to its true end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Our own id; travels to the outside.
    pub id: DeploymentId,
    /// The version of this record in the store; 0: never stored.
    pub version: u64,
    /// The request that asked for it.
    pub delivery: DeliveryId,
    /// Who asked, where, and how to answer there.
    pub origin: Origin,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Where it goes.
    pub target: Target,
    /// What it ships.
    pub cargo: Cargo,
    /// How it gets there.
    #[serde(default)]
    pub way: Way,
    /// Why, in the asker's words, where they said so.
    #[serde(default)]
    pub because: Option<String>,
    /// Checks that were passed over, and why.
    pub overriding: Option<Override>,
    /// It waits for its checks where they are not done, until [`GREEN_WAIT`] after it was asked for.
    #[serde(default)]
    pub when_green: bool,
    /// Whoever waits for the app with it is asked once its turn has come, and it begins at their word.
    #[serde(default)]
    pub ask_first: bool,
    /// Where it stands.
    pub phase: Phase,
    /// Since when it stands there.
    pub since: Timestamp,
    /// How long its stages took.
    pub times: Vec<StageTime>,
    /// How long they usually take.
    pub usual: Usual,
    /// How often a build was ordered, answered or not.
    pub builds_ordered: u8,
    /// How often a record at the source control was ordered, answered or not.
    pub announcements_ordered: u8,
    /// Since when it waits for a build slot, the tries in between included.
    pub slot_wanted_since: Option<Timestamp>,
    /// When a one-time code was last accepted for it.
    pub code_spent_at: Option<Timestamp>,
    /// The record at the source control.
    pub announcement: Option<Announcement>,
    /// Its build, once there is one.
    #[serde(default)]
    pub build: Option<BuildId>,
    /// Its release, once there is one.
    #[serde(default)]
    pub release: Option<ReleaseId>,
    /// That somebody asked to stop it.
    pub cancel: Option<Cancel>,
    /// Who gave it another place in the line last.
    #[serde(default)]
    pub moved: Option<MovedBy>,
    /// Those who ride along with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub riders: Vec<Rider>,
    /// Its message.
    pub card: Card,
    /// A change of its message got no clear answer and may still be made until then: what stands is said once more then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_again_at: Option<Timestamp>,
    /// A message got no clear answer and may still come until then, below the one that was shown in its place: then there is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_may_come_until: Option<Timestamp>,
    /// Whether the asker was told what only they are told in this phase: that a code is wanted, or the end.
    #[serde(default)]
    pub asker_told: bool,
    /// Whether its message shows the end, or never will.
    #[serde(default)]
    pub end_shown: bool,
    /// Whether what follows the end of a way back was done, while the record at the source control still waits for its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub followed_up: bool,
    /// What was told below its message, or cannot be told there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub story: Vec<Mark>,
    /// What somebody refused for good to take, and nobody has been told in another way.
    #[serde(default)]
    pub untold: Vec<Untold>,
    /// What was said where, of what conversations want to be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Sent>,
    /// Whether the end has been told: at the source control, on the card, to the asker.
    pub closed: bool,
}

impl Deployment {
    /// Whether it has ended: nothing outside goes on because of it any more.
    pub fn has_ended(&self) -> bool {
        self.phase.milestone() == Milestone::Ended
    }

    /// Whether somebody still has to work on it: it goes on, or its end is not told yet.
    pub fn is_open(&self) -> bool {
        !self.closed
    }

    /// Whether the chat has been told how it ended, as far as it lets itself be told.
    pub fn is_end_told(&self) -> bool {
        self.has_ended() && self.asker_told && self.end_shown
    }

    /// Whether it is listed: it goes on, or its asker could not be told how it ended.
    pub fn is_listed(&self) -> bool {
        !self.has_left() && (!self.has_ended() || (!self.closed && self.untold.contains(&Untold::Asker)))
    }

    /// Somebody refused something for good.
    pub fn could_not_tell(&mut self, what: Untold) {
        if !self.untold.contains(&what) {
            self.untold.push(what);
        }
    }

    /// It was told after all.
    pub fn was_told(&mut self, what: Untold) {
        self.untold.retain(|untold| *untold != what);
    }

    /// Whether nothing of it goes on anywhere: it waits for something, in the line or for a code.
    pub fn waits(&self) -> bool {
        match self.phase {
            Phase::Waiting(_) | Phase::NeedsCode { .. } => true,
            Phase::Starting
            | Phase::Announcing(_)
            | Phase::Uploading
            | Phase::AboutToBuild(_)
            | Phase::Building { .. }
            | Phase::Releasing { .. }
            | Phase::Restarting { .. }
            | Phase::Unknown(_)
            | Phase::Succeeded { .. }
            | Phase::Failed { .. }
            | Phase::Cancelled { .. }
            | Phase::Freed { .. } => false,
        }
    }

    /// Whether it waits for a build slot, the tries in between included: to people those are one wait.
    pub fn waits_for_slot(&self) -> bool {
        self.slot_wanted_since.is_some()
            && match &self.phase {
                Phase::Waiting(WaitingFor::BuildSlot { .. })
                | Phase::Starting
                | Phase::Announcing(_)
                | Phase::Uploading
                | Phase::AboutToBuild(Standing::Fresh) => true,
                Phase::Waiting(WaitingFor::Turn | WaitingFor::Answer { .. } | WaitingFor::Checks { .. } | WaitingFor::Allowance { .. })
                | Phase::NeedsCode { .. }
                | Phase::AboutToBuild(Standing::Unclear { .. })
                | Phase::Building { .. }
                | Phase::Releasing { .. }
                | Phase::Restarting { .. }
                | Phase::Unknown(_)
                | Phase::Succeeded { .. }
                | Phase::Failed { .. }
                | Phase::Cancelled { .. }
                | Phase::Freed { .. } => false,
            }
    }

    /// Whether a one-time code that its asker gives for its app is meant for it.
    pub fn waits_for_code_of(&self, by: &Person, app: &AppId) -> bool {
        matches!(self.phase, Phase::NeedsCode { .. }) && self.origin.person == *by && self.target.app == *app
    }

    /// Whether somebody did something to it that others may ask about: it went past its checks, somebody else stopped or moved it, or
    /// its app was freed.
    pub fn is_remarkable(&self) -> bool {
        let by_others = |by: &Person| *by != self.origin.person;
        self.overriding.is_some()
            || self.cancel.as_ref().is_some_and(|cancel| by_others(&cancel.by))
            || self.moved.as_ref().is_some_and(|moved| by_others(&moved.by))
            || matches!(self.phase, Phase::Freed { .. })
    }

    /// Whether it may be what the same person asks for again.
    pub fn is_same_wish(&self, by: &Person, app: &AppId, commit: &CommitSha) -> bool {
        !self.has_ended() && self.origin.person == *by && self.target.app == *app && self.cargo.commit == *commit
    }
}
