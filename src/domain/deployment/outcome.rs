//! What can come of a step.

use crate::domain::fault::Service;
use crate::domain::gate::Verdict;
use crate::domain::names::{AnnouncementId, BuildId};
use crate::domain::release::{Build, BuildState, DynosVerdict, Release};
use crate::domain::source::Comparison;

/// What somebody outside said, cleaned and cut; `None` where they said nothing.
pub type Said = Option<String>;

/// What came of a step. The only way a deployment moves, beside a person's cancel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The app is ours.
    TurnCame,
    /// It is time to try for a build slot again.
    SlotMayBeFree,
    /// The gate was judged again.
    Judged {
        /// What it says.
        verdict: Verdict,
        /// How the commit stands to what runs now, where that was looked up again.
        change: Option<Comparison>,
    },
    /// Its checks and its ref were looked at while it waits for them.
    ChecksSeen(Verdict),
    /// The platform wants a one-time code.
    CodeNeeded,
    /// The sign-in is gone.
    SignInLost,
    /// A worker took over that cannot know whether the effect was ordered.
    Interrupted,
    /// The record at the source control is there, made now or found.
    Announced(AnnouncementId),
    /// The source control refused it.
    AnnouncementRefused(Said),
    /// The order of an effect was sent, or may have been, and no clear answer came.
    Unclear,
    /// A look found no trace of the effect.
    NoTrace,
    /// The source lies at the platform.
    Uploaded,
    /// The source cannot be had or handed over.
    SourceUnavailable(Said),
    /// The source is larger than the limit, in bytes.
    SourceTooLarge {
        /// The limit.
        limit: u64,
    },
    /// Our disk is full.
    DiskFull,
    /// There is a build with our id, made now or found.
    BuildThere(Build),
    /// The platform refused the build.
    BuildRefused(Said),
    /// There is a release of what was built before, made now or found.
    ReleaseThere(Release),
    /// The platform refused to release what was built before.
    ReleaseRefused(Said),
    /// The platform has no room for another build.
    NoBuildSlot,
    /// A service allows no more for now.
    NoAllowance(Service),
    /// It allows more again.
    AllowanceThere,
    /// The platform was asked to stop the build.
    StopSent(BuildId),
    /// The build was looked at.
    BuildSeen(BuildState),
    /// The release was looked at.
    ReleaseSeen(Release),
    /// The dynos were looked at.
    DynosSeen(DynosVerdict),
    /// The thing we follow cannot be found any more.
    Vanished,
    /// The look brought nothing: not readable now, or nothing new.
    NoNews,
}
