//! The phase that an outcome leads to, and what becomes of a phase that takes too long.

use jiff::Timestamp;

use crate::domain::checks::Obstacle;
use crate::domain::fault::Service;
use crate::domain::gate::{Reason, Verdict};
use crate::domain::release::{BuildState, DynosVerdict, Release, ReleaseState};

use super::outcome::Outcome;
use super::pace::{ANSWER_WAIT, CODE_WAIT, CRASH_IS_REAL_AFTER, EFFECT_BOUND, GREEN_WAIT, SLOT_PAUSE, SLOT_WAIT};
use super::phase::{DynosUp, Failure, Phase, Stage, Standing, WaitingFor, Watched};
use super::{Deployment, Way};

/// An effect may be ordered this often: once, and once more after a look that found no trace of the first.
const ORDERS: u8 = 2;

impl Deployment {
    /// Where an outcome leads. One that does not belong to the phase counts as no news; no news for too long counts too.
    pub(super) fn phase_after(&self, outcome: Outcome, now: Timestamp) -> Option<Phase> {
        let upload_failed = |why| (self.phase == Phase::Uploading).then_some(Phase::Failed { during: Stage::Source, why });
        let fresh_order = self.phase == Phase::AboutToBuild(Standing::Fresh);
        let next = match outcome {
            Outcome::TurnCame => (self.phase == Phase::Waiting(WaitingFor::Turn)).then(|| self.at_its_turn(now)),
            Outcome::SlotMayBeFree => matches!(self.phase, Phase::Waiting(WaitingFor::BuildSlot { .. })).then_some(Phase::Starting),
            Outcome::AllowanceThere => matches!(self.phase, Phase::Waiting(WaitingFor::Allowance { .. })).then_some(Phase::Starting),
            Outcome::NoAllowance(of) => self.without_allowance(of, now),
            Outcome::Judged { verdict, change: _ } => self.after_judging(verdict),
            Outcome::ChecksSeen(verdict) => self.after_checks(verdict),
            Outcome::CodeNeeded => (fresh_order || self.phase == Phase::Starting).then(|| needs_code(now)),
            Outcome::SignInLost => self.without_sign_in(),
            Outcome::Interrupted | Outcome::Unclear => self.after_no_answer(now),
            Outcome::Announced(_) => matches!(self.phase, Phase::Announcing(_)).then(|| self.prepared()),
            Outcome::AnnouncementRefused(said) => matches!(self.phase, Phase::Announcing(_))
                .then_some(Phase::Failed { during: Stage::Announcement, why: Failure::AnnouncementRefused(said) }),
            Outcome::NoTrace => self.after_no_trace(now),
            Outcome::Uploaded => (self.phase == Phase::Uploading).then_some(Phase::AboutToBuild(Standing::Fresh)),
            Outcome::SourceUnavailable(said) => upload_failed(Failure::SourceUnavailable(said)),
            Outcome::SourceTooLarge { limit } => upload_failed(Failure::SourceTooLarge { limit }),
            Outcome::DiskFull => upload_failed(Failure::DiskFull),
            Outcome::BuildThere(build) => (self.watched() == Some(Watched::Order)).then_some(Phase::Building { build: build.id }),
            Outcome::BuildRefused(said) => fresh_order.then_some(Phase::Failed { during: Stage::Build, why: Failure::BuildRefused(said) }),
            Outcome::ReleaseThere(seen) => (self.watched() == Some(Watched::Order)).then_some(Phase::Releasing {
                build: None,
                release: seen.id,
                version: Some(seen.version),
            }),
            Outcome::ReleaseRefused(said) => {
                let ordered = matches!(self.watched(), Some(Watched::Build { .. }));
                (fresh_order || ordered).then_some(Phase::Failed { during: Stage::Release, why: Failure::ReleaseRefused(said) })
            }
            Outcome::NoBuildSlot => fresh_order.then(|| self.without_slot(now)),
            Outcome::BuildSeen(state) => self.after_build(state),
            Outcome::ReleaseSeen(release) => self.after_release(&release),
            Outcome::DynosSeen(verdict) => self.after_dynos(verdict, now),
            Outcome::Vanished => self.followed().map(Phase::Unknown),
            Outcome::StopSent(_) | Outcome::NoNews => None,
        };
        next.or_else(|| self.phase_when_late(now))
    }

    fn phase_when_late(&self, now: Timestamp) -> Option<Phase> {
        if !self.is_late(now) {
            return None;
        }
        let failed = |during, why| Some(Phase::Failed { during, why });
        match &self.phase {
            Phase::Waiting(WaitingFor::Checks { open, .. }) => failed(Stage::Checks, Failure::NotGreen(open.clone())),
            Phase::Waiting(WaitingFor::Answer { .. }) => failed(Stage::Line, Failure::NoAnswer),
            Phase::NeedsCode { .. } => failed(Stage::Code, Failure::NoCode),
            Phase::Starting => failed(Stage::Checks, Failure::Gate(vec![Reason::ChecksUnreadable { said: None }])),
            Phase::Announcing(Standing::Unclear { .. }) => failed(Stage::Announcement, Failure::AnnouncementUnclear),
            Phase::Uploading => failed(Stage::Source, Failure::SourceUnavailable(None)),
            Phase::Announcing(Standing::Fresh) | Phase::AboutToBuild(Standing::Fresh) => self.after_no_answer(now),
            Phase::AboutToBuild(Standing::Unclear { .. }) | Phase::Building { .. } | Phase::Releasing { .. } | Phase::Restarting { .. } => {
                self.watched().map(Phase::Unknown)
            }
            // Late only where nobody stands behind it any more.
            Phase::Unknown(was) => Some(Phase::Freed { by: self.origin.person.clone(), was: was.clone(), because: None }),
            Phase::Waiting(WaitingFor::Turn | WaitingFor::BuildSlot { .. } | WaitingFor::Allowance { .. })
            | Phase::Succeeded { .. }
            | Phase::Failed { .. }
            | Phase::Cancelled { .. }
            | Phase::Freed { .. } => None,
        }
    }

    /// It begins, or its asker is asked first who wanted that.
    fn at_its_turn(&self, now: Timestamp) -> Phase {
        if self.ask_first {
            Phase::Waiting(WaitingFor::Answer { until: now.checked_add(ANSWER_WAIT).unwrap_or(now) })
        } else {
            Phase::Starting
        }
    }

    fn after_judging(&self, verdict: Verdict) -> Option<Phase> {
        if self.phase != Phase::Starting {
            return None;
        }
        if self.may_wait_for_checks()
            && let Some(open) = verdict.not_done()
        {
            return Some(self.waiting_for(open));
        }
        if !verdict.is_open() {
            return Some(Phase::Failed { during: Stage::Checks, why: Failure::Gate(verdict.reasons) });
        }
        Some(if self.announcement.is_none() { Phase::Announcing(Standing::Fresh) } else { self.prepared() })
    }

    /// Whether it was asked to wait for its checks, and nothing of it has been recorded or ordered anywhere.
    fn may_wait_for_checks(&self) -> bool {
        self.when_green && self.announcement.is_none() && self.builds_ordered == 0
    }

    /// The phase in which it waits for checks that are not done.
    pub fn waiting_for(&self, open: Vec<Obstacle>) -> Phase {
        Phase::Waiting(WaitingFor::Checks { open, until: self.asked_at.checked_add(GREEN_WAIT).unwrap_or(self.asked_at) })
    }

    /// Green: it waits for its turn and is judged in full then. What can become green is waited for, and nothing else.
    fn after_checks(&self, verdict: Verdict) -> Option<Phase> {
        let Phase::Waiting(WaitingFor::Checks { until, .. }) = &self.phase else { return None };
        if verdict.is_open() {
            return Some(Phase::Waiting(WaitingFor::Turn));
        }
        match verdict.not_done() {
            Some(open) => Some(Phase::Waiting(WaitingFor::Checks { open, until: *until })).filter(|phase| *phase != self.phase),
            None => Some(Phase::Failed { during: Stage::Checks, why: Failure::Gate(verdict.reasons) }),
        }
    }

    /// What comes before the order: a source has to be handed over, and what was built before is there.
    fn prepared(&self) -> Phase {
        match self.way {
            Way::Build => Phase::Uploading,
            Way::Back(_) | Way::Promote(_) => Phase::AboutToBuild(Standing::Fresh),
        }
    }

    /// What goes on outside goes on without us; what has not begun does not begin.
    fn without_sign_in(&self) -> Option<Phase> {
        if matches!(self.phase, Phase::Unknown(_)) {
            return None;
        }
        let begun = self.watched().filter(|_| self.phase != Phase::AboutToBuild(Standing::Fresh));
        Some(begun.map_or_else(
            || Phase::Failed { during: self.phase.stage().unwrap_or(Stage::Checks), why: Failure::SignInLost },
            Phase::Unknown,
        ))
    }

    fn after_no_answer(&self, now: Timestamp) -> Option<Phase> {
        let unclear = Standing::Unclear { since: now };
        if self.phase == Phase::Announcing(Standing::Fresh) {
            return Some(Phase::Announcing(unclear));
        }
        (self.phase == Phase::AboutToBuild(Standing::Fresh)).then_some(Phase::AboutToBuild(unclear))
    }

    /// A look found nothing. Within the bound that means little; after it, the effect is ordered once more.
    fn after_no_trace(&self, now: Timestamp) -> Option<Phase> {
        let (Phase::Announcing(Standing::Unclear { since }) | Phase::AboutToBuild(Standing::Unclear { since })) = &self.phase else {
            return None;
        };
        if now.duration_since(*since) < EFFECT_BOUND {
            return None;
        }
        Some(if matches!(self.phase, Phase::AboutToBuild(_)) {
            if self.builds_ordered < ORDERS { self.prepared() } else { Phase::Unknown(Watched::Order) }
        } else if self.announcements_ordered < ORDERS {
            Phase::Announcing(Standing::Fresh)
        } else {
            Phase::Failed { during: Stage::Announcement, why: Failure::AnnouncementUnclear }
        })
    }

    fn without_slot(&self, now: Timestamp) -> Phase {
        let since = self.slot_wanted_since.unwrap_or(now);
        if now.duration_since(since) >= SLOT_WAIT {
            return Phase::Failed { during: Stage::Build, why: Failure::NoBuildSlot };
        }
        Phase::Waiting(WaitingFor::BuildSlot { next: now.checked_add(SLOT_PAUSE).unwrap_or(now), since })
    }

    /// Nothing was ordered, or what was ordered was turned away at the door.
    fn without_allowance(&self, of: Service, now: Timestamp) -> Option<Phase> {
        let may_wait = matches!(self.phase, Phase::Starting | Phase::Announcing(Standing::Fresh) | Phase::AboutToBuild(Standing::Fresh));
        may_wait.then_some(Phase::Waiting(WaitingFor::Allowance { of, since: now }))
    }

    /// What is looked at closely; `None` where nothing is known to exist outside, or only slow looks go on.
    fn followed(&self) -> Option<Watched> {
        matches!(self.phase, Phase::Building { .. } | Phase::Releasing { .. } | Phase::Restarting { .. }).then(|| self.watched())?
    }

    fn after_build(&self, state: BuildState) -> Option<Phase> {
        let Watched::Build { build } = self.watched()? else { return None };
        match state {
            BuildState::Succeeded { release: Some(release) } => {
                let build = (self.way == Way::Build).then_some(build);
                Some(Phase::Releasing { build, release, version: None })
            }
            BuildState::Failed => Some(Phase::Failed { during: Stage::Build, why: Failure::Build }),
            BuildState::Succeeded { release: None } | BuildState::Pending => None,
        }
    }

    fn after_release(&self, seen: &Release) -> Option<Phase> {
        let Watched::Release { release, .. } = self.watched()? else { return None };
        match seen.state {
            ReleaseState::Succeeded => Some(Phase::Restarting { release, version: seen.version, crashed_since: None, up: None }),
            ReleaseState::Failed => Some(Phase::Failed { during: Stage::Release, why: Failure::Release }),
            ReleaseState::Expired => Some(Phase::Failed { during: Stage::Release, why: Failure::ReleaseExpired }),
            ReleaseState::Pending => {
                let Phase::Releasing { build, version: None, .. } = &self.phase else { return None };
                Some(Phase::Releasing { build: build.clone(), release, version: Some(seen.version) })
            }
        }
    }

    fn after_dynos(&self, verdict: DynosVerdict, now: Timestamp) -> Option<Phase> {
        let Watched::Dynos { release, version } = self.watched()? else { return None };
        match verdict {
            DynosVerdict::Up { count, release: oldest } => {
                let dynos = if oldest > version { DynosUp::Overtaken(oldest) } else { DynosUp::Up(count) };
                Some(Phase::Succeeded { version, dynos })
            }
            DynosVerdict::None => Some(Phase::Succeeded { version, dynos: DynosUp::None }),
            DynosVerdict::Starting { up, of } => {
                let followed = self.followed().is_some() && !self.is_late(now);
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

fn needs_code(now: Timestamp) -> Phase {
    Phase::NeedsCode { until: now.checked_add(CODE_WAIT).unwrap_or(now) }
}
