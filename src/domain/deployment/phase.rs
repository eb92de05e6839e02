//! The phases of a deployment, each with what is known in it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::actor::Person;
use crate::domain::checks::Obstacle;
use crate::domain::command::Because;
use crate::domain::fault::Service;
use crate::domain::gate::Reason;
use crate::domain::names::{BuildId, ReleaseId};

use super::outcome::Said;

/// Where a deployment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// In line: for the app, or for the platform to have room.
    Waiting(WaitingFor),
    /// The app wants a one-time code, and there is none.
    NeedsCode {
        /// When it gives up.
        until: Timestamp,
    },
    /// It has the app; the gate is judged again.
    Starting,
    /// A record at the source control is about to be made, or may have been made.
    Announcing(Standing),
    /// The source is fetched and handed to the platform. Safe to repeat.
    Uploading,
    /// A build is about to be ordered, or may have been ordered.
    AboutToBuild(Standing),
    /// The platform builds.
    Building {
        /// The build.
        build: BuildId,
    },
    /// The build made a release; its release phase goes on, or is over before it was ever seen.
    Releasing {
        /// The build; `None`: it goes back to what was built before.
        build: Option<BuildId>,
        /// The release.
        release: ReleaseId,
        /// The release's number, once it was read.
        version: Option<u64>,
    },
    /// The release serves; its dynos come up.
    Restarting {
        /// The release.
        release: ReleaseId,
        /// The release's number.
        version: u64,
        /// Since when some of its dynos are down.
        crashed_since: Option<Timestamp>,
        /// How many are up, of how many.
        up: Option<(u64, u64)>,
    },
    /// Nobody knows. Not an end: slow looks go on for a day, and the app stays taken.
    Unknown(Watched),
    /// It runs.
    Succeeded {
        /// The release's number.
        version: u64,
        /// What serves it.
        dynos: DynosUp,
    },
    /// It did not work.
    Failed {
        /// Where it was.
        during: Stage,
        /// Why.
        why: Failure,
    },
    /// It was stopped.
    Cancelled {
        /// By whom.
        by: Person,
        /// Where it was.
        during: Stage,
    },
    /// Its app was freed by hand while nobody knew how it ended.
    Freed {
        /// By whom.
        by: Person,
        /// What was last known.
        was: Watched,
        /// Why, in their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Because>,
    },
}

/// What a waiting deployment waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// Its turn at the app.
    Turn,
    /// A word of its asker, who wanted to be asked: its turn has come, and the app is kept for it meanwhile.
    Answer {
        /// When its place goes to the next.
        until: Timestamp,
    },
    /// Its checks, beside its turn: others pass it meanwhile.
    Checks {
        /// Which are not done, as far as was seen last.
        open: Vec<Obstacle>,
        /// When it gives up.
        until: Timestamp,
    },
    /// A free build slot on the platform.
    BuildSlot {
        /// When it is tried again.
        next: Timestamp,
        /// Since when it waits.
        since: Timestamp,
    },
    /// For what a service allows the asker's account: what has begun is brought to its end first.
    Allowance {
        /// The service.
        of: Service,
        /// Since when it waits.
        since: Timestamp,
    },
}

/// How sure we are about an effect that cannot be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It has not been ordered; whoever wrote this is about to.
    Fresh,
    /// It may have been ordered: look before acting.
    Unclear {
        /// Since when we look.
        since: Timestamp,
    },
}

/// What an unknown deployment was last seen doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// A build was ordered, and no answer came.
    Order,
    /// Building.
    Build {
        /// The build.
        build: BuildId,
    },
    /// In its release phase.
    Release {
        /// The release.
        release: ReleaseId,
        /// The release's number, if it was read.
        version: Option<u64>,
    },
    /// Its dynos came up.
    Dynos {
        /// The release.
        release: ReleaseId,
        /// The release's number.
        version: u64,
    },
}

impl Watched {
    /// The stage it was in.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Order | Self::Build { .. } => Stage::Build,
            Self::Release { .. } => Stage::Release,
            Self::Dynos { .. } => Stage::Dynos,
        }
    }
}

/// What serves a release that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DynosUp {
    /// This many.
    Up(u64),
    /// None: the app is scaled to nothing.
    None,
    /// A later release has taken over before they were all seen up.
    Overtaken(u64),
}

/// Why a deployment did not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The gate closed between asking and starting.
    Gate(Vec<Reason>),
    /// These checks were not done in time.
    NotGreen(Vec<Obstacle>),
    /// No code was given in time.
    NoCode,
    /// Its asker wanted to be asked at its turn, and did not answer in time.
    NoAnswer,
    /// The sign-in was withdrawn.
    SignInLost,
    /// The source control refused to record it.
    AnnouncementRefused(Said),
    /// The source control never answered clearly.
    AnnouncementUnclear,
    /// The source could not be fetched or handed over.
    SourceUnavailable(Said),
    /// The source is larger than the limit, in bytes.
    SourceTooLarge {
        /// The limit.
        limit: u64,
    },
    /// Our own disk is full.
    DiskFull,
    /// The platform refused the build.
    BuildRefused(Said),
    /// The platform refused to release what was built before.
    ReleaseRefused(Said),
    /// The platform had no room for too long.
    NoBuildSlot,
    /// The build did not work.
    Build,
    /// The release phase did not work; the release before goes on serving.
    Release,
    /// The release was destroyed before it served.
    ReleaseExpired,
    /// Dynos of the release fell over, and stayed so.
    DynosCrashed {
        /// Their names.
        names: Vec<String>,
    },
}

impl Failure {
    /// The code that scripts, tests and the documentation know it by. Never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gate(_) => "gate-closed",
            Self::NotGreen(_) => "not-green-in-time",
            Self::NoCode => "no-code",
            Self::NoAnswer => "no-answer",
            Self::SignInLost => "sign-in-lost",
            Self::AnnouncementRefused(_) => "record-refused",
            Self::AnnouncementUnclear => "record-unclear",
            Self::SourceUnavailable(_) => "source-unavailable",
            Self::SourceTooLarge { .. } => "source-too-large",
            Self::DiskFull => "disk-full",
            Self::BuildRefused(_) => "build-refused",
            Self::ReleaseRefused(_) => "release-refused",
            Self::NoBuildSlot => "no-build-slot",
            Self::Build => "build-failed",
            Self::Release => "release-failed",
            Self::ReleaseExpired => "release-expired",
            Self::DynosCrashed { .. } => "dynos-crashed",
        }
    }
}

/// The part of a deploy that a time or a failure belongs to, as people see it on the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// In line.
    Line,
    /// Waiting for a code.
    Code,
    /// The gate.
    Checks,
    /// The record at the source control.
    Announcement,
    /// The source.
    Source,
    /// The build.
    Build,
    /// The release phase.
    Release,
    /// The dynos.
    Dynos,
}

/// How far a deployment has come. Never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Milestone {
    /// Nothing is built. Waits for turns, codes and build slots may follow each other here.
    Preparing,
    /// There is a build, or may be one that nobody can find.
    Building,
    /// There is a release.
    Releasing,
    /// The release serves.
    Restarting,
    /// Over.
    Ended,
}

impl Phase {
    /// How far it has come.
    pub fn milestone(&self) -> Milestone {
        match self {
            Self::Waiting(_) | Self::NeedsCode { .. } | Self::Starting | Self::Announcing(_) | Self::Uploading | Self::AboutToBuild(_) => {
                Milestone::Preparing
            }
            Self::Building { .. } | Self::Unknown(Watched::Order | Watched::Build { .. }) => Milestone::Building,
            Self::Releasing { .. } | Self::Unknown(Watched::Release { .. }) => Milestone::Releasing,
            Self::Restarting { .. } | Self::Unknown(Watched::Dynos { .. }) => Milestone::Restarting,
            Self::Succeeded { .. } | Self::Failed { .. } | Self::Cancelled { .. } | Self::Freed { .. } => Milestone::Ended,
        }
    }

    /// The stage it belongs to; `None` once it is over.
    pub fn stage(&self) -> Option<Stage> {
        match self {
            Self::Waiting(_) => Some(Stage::Line),
            Self::NeedsCode { .. } => Some(Stage::Code),
            Self::Starting => Some(Stage::Checks),
            Self::Announcing(_) => Some(Stage::Announcement),
            Self::Uploading => Some(Stage::Source),
            Self::AboutToBuild(_) | Self::Building { .. } => Some(Stage::Build),
            Self::Releasing { .. } => Some(Stage::Release),
            Self::Restarting { .. } => Some(Stage::Dynos),
            Self::Unknown(watched) => Some(watched.stage()),
            Self::Succeeded { .. } | Self::Failed { .. } | Self::Cancelled { .. } | Self::Freed { .. } => None,
        }
    }
}
