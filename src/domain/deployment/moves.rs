//! The next step of a deployment, and how an outcome moves it: facts learned, phases entered, books kept.

use jiff::Timestamp;

use crate::domain::names::{BuildId, ReleaseId};
use crate::domain::release::BuildState;

use super::outcome::Outcome;
use super::pace::CODE_IS_GOOD_FOR;
use super::phase::{Phase, Stage, Standing, WaitingFor, Watched};
use super::{Announcement, Deployment, StageTime, Way};

/// What has to be done next. The only thing that a driver does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// See whether the app is ours.
    WaitForTurn,
    /// Look whether its checks are done.
    SeeChecks,
    /// Try again for a build slot once it is time.
    WaitForSlot,
    /// See whether it may begin now.
    WaitForAllowance,
    /// Wait for the asker's word, or for the end of the patience.
    WaitForAnswer,
    /// Wait for a code, or for the end of the patience.
    WaitForCode,
    /// Judge the gate again.
    Judge,
    /// Make the record at the source control. Cannot be undone.
    Announce,
    /// See whether that record was made.
    LookForAnnouncement,
    /// Fetch the source and hand it to the platform.
    Upload,
    /// Order the build. Cannot be undone.
    OrderBuild,
    /// See whether a build with our id exists.
    LookForBuild,
    /// Order a release of what was built before: an earlier one of the app, or one of another app. Cannot be undone.
    OrderReturn,
    /// See whether that release was made.
    LookForReturn,
    /// Ask the platform to stop the build.
    StopBuild(BuildId),
    /// Look at the build.
    SeeBuild(BuildId),
    /// Look at the release.
    SeeRelease(ReleaseId),
    /// Look at the dynos of a release.
    SeeDynos {
        /// The release's number.
        version: u64,
    },
    /// Tell the end everywhere.
    Close,
}

impl Deployment {
    /// What to do next; `None`: it is over and told.
    pub fn next_step(&self) -> Option<Step> {
        let step = match &self.phase {
            Phase::Waiting(WaitingFor::Turn) => Step::WaitForTurn,
            Phase::Waiting(WaitingFor::Checks { .. }) => Step::SeeChecks,
            Phase::Waiting(WaitingFor::BuildSlot { .. }) => Step::WaitForSlot,
            Phase::Waiting(WaitingFor::Allowance { .. }) => Step::WaitForAllowance,
            Phase::Waiting(WaitingFor::Answer { .. }) => Step::WaitForAnswer,
            Phase::NeedsCode { .. } => Step::WaitForCode,
            Phase::Starting => Step::Judge,
            Phase::Announcing(Standing::Fresh) => Step::Announce,
            Phase::Announcing(Standing::Unclear { .. }) => Step::LookForAnnouncement,
            Phase::Uploading => Step::Upload,
            Phase::AboutToBuild(Standing::Fresh) => match self.way {
                Way::Build => Step::OrderBuild,
                Way::Back(_) | Way::Promote(_) => Step::OrderReturn,
            },
            Phase::AboutToBuild(Standing::Unclear { .. }) | Phase::Unknown(Watched::Order) => match self.way {
                Way::Build => Step::LookForBuild,
                Way::Back(_) | Way::Promote(_) => Step::LookForReturn,
            },
            Phase::Building { build } if self.cancel.as_ref().is_some_and(|cancel| !cancel.told) => Step::StopBuild(build.clone()),
            Phase::Building { build } | Phase::Unknown(Watched::Build { build }) => Step::SeeBuild(build.clone()),
            Phase::Releasing { release, .. } | Phase::Unknown(Watched::Release { release, .. }) => Step::SeeRelease(release.clone()),
            Phase::Restarting { version, .. } | Phase::Unknown(Watched::Dynos { version, .. }) => Step::SeeDynos { version: *version },
            Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } | Phase::Freed { .. } => {
                return (!self.closed).then_some(Step::Close);
            }
        };
        Some(step)
    }

    /// Where an outcome takes it; `None`: nothing changed.
    pub fn after(&self, outcome: Outcome, now: Timestamp) -> Option<Self> {
        if self.has_ended() {
            return None;
        }
        let mut next = self.clone();
        next.learn(&outcome, now);
        let phase = self.phase_after(outcome, now).map(|phase| self.truly(phase));
        if let Some(phase) = phase {
            next.enter(phase, now);
        }
        (next != *self).then_some(next)
    }

    /// A code was accepted for its app. Goes on if that was what it waited for.
    #[must_use]
    pub fn with_code(&self, now: Timestamp) -> Self {
        let mut next = self.clone();
        if self.has_ended() {
            return next;
        }
        next.code_spent_at = Some(now);
        if matches!(self.phase, Phase::NeedsCode { .. }) {
            next.enter(Phase::Starting, now);
        }
        next
    }

    /// Its asker, who is asked at its turn, says that it ships; `None`: nobody is asked, or it is too late.
    pub fn answered(&self, now: Timestamp) -> Option<Self> {
        let Phase::Waiting(WaitingFor::Answer { until }) = &self.phase else { return None };
        if now >= *until {
            return None;
        }
        let mut next = self.clone();
        next.enter(Phase::Starting, now);
        Some(next)
    }

    /// Whether the platform still remembers a code for it.
    pub fn has_fresh_code(&self, now: Timestamp) -> bool {
        self.code_spent_at.is_some_and(|at| now.duration_since(at) < CODE_IS_GOOD_FOR)
    }

    /// Its end has been told everywhere: whatever allowed to answer is forgotten.
    #[must_use]
    pub fn closed_now(&self) -> Self {
        let mut closed = self.clone();
        closed.closed = true;
        closed.origin.reply = None;
        closed
    }

    /// Whether it is about to begin outside after it waited in line for its app, and nothing else has been said of it since.
    pub fn turn_came(&self) -> bool {
        let waited = self.times.first().is_some_and(|time| time.stage == Stage::Line);
        let was_told = self.ask_first || self.times.iter().any(|time| time.stage == Stage::Code);
        self.phase == Phase::Announcing(Standing::Fresh) && waited && !was_told
    }

    /// Facts that stay, whatever the phase makes of the outcome.
    fn learn(&mut self, outcome: &Outcome, now: Timestamp) {
        match outcome {
            Outcome::Announced(id) if self.announcement.is_none() => {
                self.announcement = Some(Announcement { id: id.clone(), reported: None });
            }
            Outcome::Judged { verdict, change } => {
                if change.is_some() {
                    self.cargo.change.clone_from(change);
                }
                self.cargo.no_checks = verdict.no_checks;
                if let Some(overriding) = &mut self.overriding {
                    overriding.skipped.clone_from(&verdict.skipped);
                }
            }
            Outcome::StopSent(_) => {
                if let Some(cancel) = &mut self.cancel {
                    cancel.told = true;
                }
            }
            Outcome::BuildThere(build) => {
                // What is promoted was built elsewhere.
                self.build = (self.way == Way::Build).then(|| build.id.clone());
                self.slot_wanted_since = None;
            }
            Outcome::ReleaseThere(seen) => self.release = Some(seen.id.clone()),
            Outcome::BuildSeen(BuildState::Succeeded { release: Some(release) }) => self.release = Some(release.clone()),
            Outcome::CodeNeeded => self.code_spent_at = None,
            Outcome::NoBuildSlot => {
                self.slot_wanted_since.get_or_insert(now);
            }
            Outcome::TurnCame
            | Outcome::ChecksSeen(_)
            | Outcome::SlotMayBeFree
            | Outcome::NoAllowance(_)
            | Outcome::AllowanceThere
            | Outcome::SignInLost
            | Outcome::Interrupted
            | Outcome::Announced(_)
            | Outcome::AnnouncementRefused(_)
            | Outcome::Unclear
            | Outcome::NoTrace
            | Outcome::Uploaded
            | Outcome::SourceUnavailable(_)
            | Outcome::SourceTooLarge { .. }
            | Outcome::DiskFull
            | Outcome::BuildRefused(_)
            | Outcome::ReleaseRefused(_)
            | Outcome::BuildSeen(_)
            | Outcome::ReleaseSeen(_)
            | Outcome::DynosSeen(_)
            | Outcome::Vanished
            | Outcome::NoNews => {}
        }
    }

    /// Enters a phase and keeps the books: since when, how long, how often ordered.
    pub(super) fn enter(&mut self, phase: Phase, now: Timestamp) {
        let same_kind = std::mem::discriminant(&self.phase) == std::mem::discriminant(&phase);
        if self.phase != phase && phase == Phase::Announcing(Standing::Fresh) {
            self.announcements_ordered = self.announcements_ordered.saturating_add(1);
        }
        if self.phase != phase && phase == Phase::AboutToBuild(Standing::Fresh) {
            self.builds_ordered = self.builds_ordered.saturating_add(1);
        }
        // Refused for certain: that order does not count.
        if self.phase == Phase::Announcing(Standing::Fresh) && matches!(phase, Phase::Waiting(_)) {
            self.announcements_ordered = self.announcements_ordered.saturating_sub(1);
        }
        if self.phase == Phase::AboutToBuild(Standing::Fresh) && matches!(phase, Phase::NeedsCode { .. } | Phase::Waiting(_)) {
            self.builds_ordered = self.builds_ordered.saturating_sub(1);
        }
        if !same_kind {
            self.since = now;
            // What the asker was told was about another phase.
            self.asker_told = false;
        }
        let (from, to) = (self.phase.stage(), phase.stage());
        if from != to || self.times.is_empty() {
            if let Some(open) = self.times.last_mut().filter(|time| time.ended.is_none()) {
                open.ended = Some(now);
            }
            if let Some(stage) = to {
                self.times.push(StageTime { stage, began: now, ended: None });
            }
        }
        self.phase = phase;
    }
}
