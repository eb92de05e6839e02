//! The next step of a deployment, and where an outcome takes it.

use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::gate::Reason;
use crate::domain::names::{BuildId, ReleaseId};
use crate::domain::release::{BuildState, DynosVerdict, ReleaseState};

use super::outcome::Outcome;
use super::pace::{CODE_IS_GOOD_FOR, CODE_WAIT, CRASH_IS_REAL_AFTER, OUT_OF_REACH, SLOT_PAUSE};
use super::phase::{DynosUp, Failure, Phase, Stage, Standing, WaitingFor, Watched};
use super::{Announcement, Cancel, Deployment, StageTime};

/// An effect may be ordered this often: once, and once more after a look that found no trace of the first.
const ORDERS: u8 = 2;

/// What has to be done next. The only thing that a driver does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// See whether the app is ours.
    WaitForTurn,
    /// Try again for a build slot once it is time.
    WaitForSlot,
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

/// What can be stopped now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelAnswer {
    /// It is stopped: nothing had begun outside that could go on.
    Stopped(Box<Deployment>),
    /// It will be stopped as soon as the platform says so.
    Asked(Box<Deployment>),
    /// Somebody asked already.
    AlreadyAsked,
    /// What goes on cannot be stopped.
    CannotStop(Stage),
    /// Nobody knows what goes on; it can be freed by hand.
    Unknown(Watched),
    /// It is over.
    Over,
}

impl Deployment {
    /// What to do next; `None`: it is over and told.
    pub fn next_step(&self) -> Option<Step> {
        let step = match &self.phase {
            Phase::Waiting(WaitingFor::Turn) => Step::WaitForTurn,
            Phase::Waiting(WaitingFor::BuildSlot { .. }) => Step::WaitForSlot,
            Phase::NeedsCode { .. } => Step::WaitForCode,
            Phase::Starting => Step::Judge,
            Phase::Announcing(Standing::Fresh) => Step::Announce,
            Phase::Announcing(Standing::Unclear { .. }) => Step::LookForAnnouncement,
            Phase::Uploading => Step::Upload,
            Phase::AboutToBuild(Standing::Fresh) => Step::OrderBuild,
            Phase::AboutToBuild(Standing::Unclear { .. }) | Phase::Unknown(Watched::Order) => Step::LookForBuild,
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
        let phase = self.phase_after(outcome, now).map(|phase| self.unless_hidden(self.unless_cancelled(phase)));
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

    /// Whether the platform still remembers a code for it.
    pub fn has_fresh_code(&self, now: Timestamp) -> bool {
        self.code_spent_at.is_some_and(|at| now.duration_since(at) < CODE_IS_GOOD_FOR)
    }

    /// Stops what can be stopped.
    pub fn cancelled_by(&self, person: &Person, now: Timestamp) -> CancelAnswer {
        match &self.phase {
            Phase::Waiting(_) | Phase::NeedsCode { .. } | Phase::Starting | Phase::Uploading if self.may_have_ordered() => {
                let mut next = self.clone();
                next.cancel = Some(Cancel { by: person.clone(), at: now, told: false });
                next.enter(Phase::Unknown(Watched::Order), now);
                CancelAnswer::Asked(Box::new(next))
            }
            Phase::Waiting(_) | Phase::NeedsCode { .. } | Phase::Starting | Phase::Uploading => {
                let mut next = self.clone();
                let during = self.phase.stage().unwrap_or(Stage::Line);
                next.cancel = Some(Cancel { by: person.clone(), at: now, told: true });
                next.enter(Phase::Cancelled { by: person.clone(), during }, now);
                CancelAnswer::Stopped(Box::new(next))
            }
            Phase::Announcing(_) | Phase::AboutToBuild(_) | Phase::Building { .. } if self.cancel.is_some() => CancelAnswer::AlreadyAsked,
            Phase::Announcing(_) | Phase::AboutToBuild(_) | Phase::Building { .. } => {
                let mut next = self.clone();
                next.cancel = Some(Cancel { by: person.clone(), at: now, told: false });
                CancelAnswer::Asked(Box::new(next))
            }
            Phase::Releasing { .. } => CancelAnswer::CannotStop(Stage::Release),
            Phase::Restarting { .. } => CancelAnswer::CannotStop(Stage::Dynos),
            Phase::Unknown(watched) => CancelAnswer::Unknown(watched.clone()),
            Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } | Phase::Freed { .. } => CancelAnswer::Over,
        }
    }

    /// Gives the app of an unknown deployment to the next one; `None` if it is not unknown.
    pub fn freed_by(&self, person: &Person, now: Timestamp) -> Option<Self> {
        let Phase::Unknown(was) = &self.phase else { return None };
        let mut next = self.clone();
        next.enter(Phase::Freed { by: person.clone(), was: was.clone() }, now);
        Some(next)
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
        let was = |stage| self.times.iter().any(|time| time.stage == stage);
        self.phase == Phase::Announcing(Standing::Fresh) && was(Stage::Line) && !was(Stage::Code)
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
                self.build = Some(build.id.clone());
                self.slot_wanted_since = None;
            }
            Outcome::BuildSeen(BuildState::Succeeded { release }) => self.release.clone_from(release),
            Outcome::CodeNeeded => self.code_spent_at = None,
            Outcome::NoBuildSlot => {
                self.slot_wanted_since.get_or_insert(now);
            }
            Outcome::TurnCame
            | Outcome::SlotMayBeFree
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
            | Outcome::BuildSeen(_)
            | Outcome::ReleaseSeen(_)
            | Outcome::DynosSeen(_)
            | Outcome::Vanished
            | Outcome::NoNews => {}
        }
    }

    /// Enters a phase and keeps the books: since when, how long, how often ordered.
    fn enter(&mut self, phase: Phase, now: Timestamp) {
        let same_kind = std::mem::discriminant(&self.phase) == std::mem::discriminant(&phase);
        match (&self.phase, &phase) {
            (from, Phase::Announcing(Standing::Fresh)) if *from != phase => {
                self.announcements_ordered = self.announcements_ordered.saturating_add(1);
            }
            (from, Phase::AboutToBuild(Standing::Fresh)) if *from != phase => {
                self.builds_ordered = self.builds_ordered.saturating_add(1);
            }
            // Refused for certain: that order does not count.
            (Phase::AboutToBuild(_), Phase::NeedsCode { .. } | Phase::Waiting(_)) => {
                self.builds_ordered = self.builds_ordered.saturating_sub(1);
            }
            _ => {}
        }
        if !same_kind {
            self.since = now;
            // What it comes to now is told anew.
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

    /// A stop that was asked for takes effect where nothing outside can go on.
    fn unless_cancelled(&self, phase: Phase) -> Phase {
        let Some(cancel) = &self.cancel else { return phase };
        let stopped = |during| Phase::Cancelled { by: cancel.by.clone(), during };
        match &phase {
            Phase::Waiting(_) | Phase::NeedsCode { .. } | Phase::Starting | Phase::Announcing(Standing::Fresh) | Phase::Uploading => {
                stopped(self.phase.stage().unwrap_or(Stage::Line))
            }
            Phase::Failed {
                during,
                why: Failure::BuildRefused(_) | Failure::Gate(_) | Failure::AnnouncementUnclear | Failure::AnnouncementRefused(_),
            } => stopped(*during),
            Phase::Failed { during: Stage::Build, why: Failure::Build } if cancel.told => stopped(Stage::Build),
            Phase::Announcing(Standing::Unclear { .. })
            | Phase::AboutToBuild(_)
            | Phase::Building { .. }
            | Phase::Releasing { .. }
            | Phase::Restarting { .. }
            | Phase::Unknown(_)
            | Phase::Succeeded { .. }
            | Phase::Failed { .. }
            | Phase::Cancelled { .. }
            | Phase::Freed { .. } => phase,
        }
    }

    /// Whether a build was ordered that got no clear answer and was never found.
    fn may_have_ordered(&self) -> bool {
        match &self.phase {
            // The order that is about to be sent is counted already.
            Phase::AboutToBuild(Standing::Fresh) => self.builds_ordered > 1,
            Phase::AboutToBuild(Standing::Unclear { .. }) => true,
            Phase::Waiting(_) | Phase::NeedsCode { .. } | Phase::Starting | Phase::Announcing(_) | Phase::Uploading => {
                self.builds_ordered > 0
            }
            Phase::Building { .. }
            | Phase::Releasing { .. }
            | Phase::Restarting { .. }
            | Phase::Unknown(_)
            | Phase::Succeeded { .. }
            | Phase::Failed { .. }
            | Phase::Cancelled { .. }
            | Phase::Freed { .. } => false,
        }
    }

    /// An order that got no answer may still turn up: ending now would hide it, and give the app away under it.
    fn unless_hidden(&self, phase: Phase) -> Phase {
        let ends = matches!(phase, Phase::Failed { .. } | Phase::Cancelled { .. });
        if ends && self.may_have_ordered() { Phase::Unknown(Watched::Order) } else { phase }
    }

    fn phase_after(&self, outcome: Outcome, now: Timestamp) -> Option<Phase> {
        let failed = |during, why| Some(Phase::Failed { during, why });
        if outcome == Outcome::SignInLost {
            return self.phase_without_sign_in();
        }
        match &self.phase {
            Phase::Waiting(WaitingFor::Turn) => (outcome == Outcome::TurnCame).then_some(Phase::Starting),
            Phase::Waiting(WaitingFor::BuildSlot { .. }) => (outcome == Outcome::SlotMayBeFree).then_some(Phase::Starting),
            Phase::NeedsCode { .. } if self.is_late(now) => failed(Stage::Code, Failure::NoCode),
            Phase::NeedsCode { .. } => None,
            Phase::Starting => self.after_judging(outcome, now),
            Phase::Announcing(standing) => self.after_announcing(*standing, outcome, now),
            Phase::Uploading => after_uploading(outcome, self.is_late(now)),
            Phase::AboutToBuild(standing) => self.after_ordering(*standing, outcome, now),
            Phase::Building { .. } | Phase::Releasing { .. } | Phase::Restarting { .. } => {
                let late = self.is_late(now);
                self.after_looking(outcome, now).or_else(|| if late { self.watched().map(Phase::Unknown) } else { None })
            }
            Phase::Unknown(_) => self.after_looking(outcome, now),
            Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } | Phase::Freed { .. } => None,
        }
    }

    fn phase_without_sign_in(&self) -> Option<Phase> {
        match self.watched() {
            // What goes on outside goes on without us.
            Some(watched) if self.phase != Phase::AboutToBuild(Standing::Fresh) => {
                (self.phase != Phase::Unknown(watched.clone())).then_some(Phase::Unknown(watched))
            }
            _ => Some(Phase::Failed { during: self.phase.stage().unwrap_or(Stage::Checks), why: Failure::SignInLost }),
        }
    }

    fn after_judging(&self, outcome: Outcome, now: Timestamp) -> Option<Phase> {
        if outcome == Outcome::CodeNeeded {
            return Some(needs_code(now));
        }
        if outcome == Outcome::NoNews && self.is_late(now) {
            let reasons = vec![Reason::ChecksUnreadable { said: None }];
            return Some(Phase::Failed { during: Stage::Checks, why: Failure::Gate(reasons) });
        }
        let Outcome::Judged { verdict, .. } = outcome else { return None };
        if !verdict.is_open() {
            return Some(Phase::Failed { during: Stage::Checks, why: Failure::Gate(verdict.reasons) });
        }
        Some(if self.announcement.is_none() { Phase::Announcing(Standing::Fresh) } else { Phase::Uploading })
    }

    fn after_announcing(&self, standing: Standing, outcome: Outcome, now: Timestamp) -> Option<Phase> {
        let failed = |why| Some(Phase::Failed { during: Stage::Announcement, why });
        match (standing, outcome) {
            (_, Outcome::Announced(_)) => Some(Phase::Uploading),
            (_, Outcome::AnnouncementRefused(said)) => failed(Failure::AnnouncementRefused(said)),
            (Standing::Fresh, Outcome::Unclear | Outcome::Interrupted) => Some(Phase::Announcing(Standing::Unclear { since: now })),
            (Standing::Fresh, Outcome::NoNews) if self.is_late(now) => Some(Phase::Announcing(Standing::Unclear { since: now })),
            (Standing::Unclear { since }, Outcome::NoNews) if now.duration_since(since) >= OUT_OF_REACH => {
                failed(Failure::AnnouncementUnclear)
            }
            (Standing::Unclear { .. }, Outcome::NoTrace) if self.is_late(now) => {
                if self.announcements_ordered < ORDERS {
                    Some(Phase::Announcing(Standing::Fresh))
                } else {
                    failed(Failure::AnnouncementUnclear)
                }
            }
            (_, _) => None,
        }
    }

    fn after_ordering(&self, standing: Standing, outcome: Outcome, now: Timestamp) -> Option<Phase> {
        match (standing, outcome) {
            (_, Outcome::BuildThere(build)) => Some(Phase::Building { build: build.id }),
            (Standing::Fresh, Outcome::BuildRefused(said)) => {
                Some(Phase::Failed { during: Stage::Build, why: Failure::BuildRefused(said) })
            }
            (Standing::Fresh, Outcome::CodeNeeded) => Some(needs_code(now)),
            (Standing::Fresh, Outcome::NoBuildSlot) => {
                let since = self.slot_wanted_since.unwrap_or(now);
                let waiting = WaitingFor::BuildSlot { next: now.checked_add(SLOT_PAUSE).unwrap_or(now), since };
                let too_long = now.duration_since(since) >= super::pace::SLOT_WAIT;
                Some(if too_long { Phase::Failed { during: Stage::Build, why: Failure::NoBuildSlot } } else { Phase::Waiting(waiting) })
            }
            (Standing::Fresh, Outcome::Unclear | Outcome::Interrupted) => Some(Phase::AboutToBuild(Standing::Unclear { since: now })),
            (Standing::Fresh, Outcome::NoNews) if self.is_late(now) => Some(Phase::AboutToBuild(Standing::Unclear { since: now })),
            (Standing::Unclear { since }, Outcome::NoNews) if now.duration_since(since) >= OUT_OF_REACH => {
                Some(Phase::Unknown(Watched::Order))
            }
            (Standing::Unclear { .. }, Outcome::NoTrace) if self.is_late(now) => {
                Some(if self.builds_ordered < ORDERS { Phase::Uploading } else { Phase::Unknown(Watched::Order) })
            }
            (_, _) => None,
        }
    }

    /// What a look at a build, a release or dynos means, whether it is followed closely or has become unknown.
    fn after_looking(&self, outcome: Outcome, now: Timestamp) -> Option<Phase> {
        match (self.watched()?, outcome) {
            (Watched::Order, Outcome::BuildThere(build)) => Some(Phase::Building { build: build.id }),
            (Watched::Build { build }, Outcome::BuildSeen(state)) => match state {
                BuildState::Succeeded { release: Some(release) } => Some(Phase::Releasing { build, release, version: None }),
                BuildState::Failed => Some(Phase::Failed { during: Stage::Build, why: Failure::Build }),
                BuildState::Succeeded { release: None } | BuildState::Pending => None,
            },
            (Watched::Release { release: id, .. }, Outcome::ReleaseSeen(release)) => match release.state {
                ReleaseState::Succeeded => Some(Phase::Restarting { release: id, version: release.version, crashed_since: None, up: None }),
                ReleaseState::Failed => Some(Phase::Failed { during: Stage::Release, why: Failure::Release }),
                ReleaseState::Expired => Some(Phase::Failed { during: Stage::Release, why: Failure::ReleaseExpired }),
                ReleaseState::Pending => {
                    let Phase::Releasing { build, version: None, .. } = &self.phase else { return None };
                    Some(Phase::Releasing { build: build.clone(), release: id, version: Some(release.version) })
                }
            },
            (Watched::Dynos { release, version }, Outcome::DynosSeen(verdict)) => self.after_dynos(release, version, verdict, now),
            (Watched::Build { .. } | Watched::Release { .. } | Watched::Dynos { .. }, Outcome::Vanished) => {
                self.watched().map(Phase::Unknown).filter(|phase| *phase != self.phase)
            }
            _ => None,
        }
    }

    fn after_dynos(&self, release: ReleaseId, version: u64, verdict: DynosVerdict, now: Timestamp) -> Option<Phase> {
        match verdict {
            DynosVerdict::Up { count, release: oldest } => {
                let dynos = if oldest > version { DynosUp::Overtaken(oldest) } else { DynosUp::Up(count) };
                Some(Phase::Succeeded { version, dynos })
            }
            DynosVerdict::None => Some(Phase::Succeeded { version, dynos: DynosUp::None }),
            DynosVerdict::Starting { up, of } => {
                let followed = matches!(self.phase, Phase::Restarting { .. }) && !self.is_late(now);
                followed.then_some(Phase::Restarting { release, version, crashed_since: None, up: Some((up, of)) })
            }
            DynosVerdict::Crashed { names } => {
                let (crashed_since, up) =
                    if let Phase::Restarting { crashed_since, up, .. } = &self.phase { (*crashed_since, *up) } else { (None, None) };
                if crashed_since.is_some_and(|since| now.duration_since(since) >= CRASH_IS_REAL_AFTER) {
                    return Some(Phase::Failed { during: Stage::Dynos, why: Failure::DynosCrashed { names } });
                }
                Some(Phase::Restarting { release, version, crashed_since: crashed_since.or(Some(now)), up })
            }
        }
    }
}

fn after_uploading(outcome: Outcome, late: bool) -> Option<Phase> {
    let failed = |why| Some(Phase::Failed { during: Stage::Source, why });
    if outcome == Outcome::NoNews && late {
        return failed(Failure::SourceUnavailable(None));
    }
    if let Outcome::SourceUnavailable(said) = outcome {
        return failed(Failure::SourceUnavailable(said));
    }
    if let Outcome::SourceTooLarge { limit } = outcome {
        return failed(Failure::SourceTooLarge { limit });
    }
    if outcome == Outcome::DiskFull {
        return failed(Failure::DiskFull);
    }
    (outcome == Outcome::Uploaded).then_some(Phase::AboutToBuild(Standing::Fresh))
}

fn needs_code(now: Timestamp) -> Phase {
    Phase::NeedsCode { until: now.checked_add(CODE_WAIT).unwrap_or(now) }
}
