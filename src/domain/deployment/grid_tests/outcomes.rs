//! Every outcome, with every kind of data that matters.

use crate::domain::deployment::Outcome;
use crate::domain::deployment::samples::{build_id, every, not_done, release_id};
use crate::domain::fault::Service;
use crate::domain::gate::{Reason, Verdict};
use crate::domain::names::AnnouncementId;
use crate::domain::release::{Build, BuildState, DynosVerdict, Release, ReleaseState};

fn said() -> Option<String> {
    Some("no".to_owned())
}

pub(super) fn release(state: ReleaseState) -> Release {
    Release {
        id: release_id(),
        version: 12,
        state,
        current: true,
        description: String::new(),
        by: None,
        created_at: None,
        can_return: None,
        code: None,
    }
}

pub(super) fn judged(reasons: Vec<Reason>) -> Outcome {
    Outcome::Judged { verdict: Verdict { reasons, skipped: vec![], no_checks: false, override_barred: false }, change: None }
}

fn seen_checks(reasons: Vec<Reason>) -> Outcome {
    Outcome::ChecksSeen(Verdict { reasons, ..Verdict::default() })
}

pub(super) fn announced() -> Outcome {
    Outcome::Announced(AnnouncementId::parse("7").unwrap())
}

pub(super) fn build_there() -> Outcome {
    Outcome::BuildThere(Build { id: build_id(), state: BuildState::Pending, created_at: None })
}

pub(super) fn crashed() -> DynosVerdict {
    DynosVerdict::Crashed { names: vec!["web.1".to_owned()] }
}

every! {
    fn build_states() -> BuildState {
        BuildState::Pending => [BuildState::Pending],
        BuildState::Succeeded { release: None } => [BuildState::Succeeded { release: None }],
        BuildState::Succeeded { release: Some(_) } => [BuildState::Succeeded { release: Some(release_id()) }],
        BuildState::Failed => [BuildState::Failed],
    }
}

every! {
    fn release_states() -> ReleaseState {
        ReleaseState::Pending => [ReleaseState::Pending],
        ReleaseState::Succeeded => [ReleaseState::Succeeded],
        ReleaseState::Failed => [ReleaseState::Failed],
        ReleaseState::Expired => [ReleaseState::Expired],
    }
}

every! {
    fn dynos_verdicts() -> DynosVerdict {
        DynosVerdict::Up { .. } => [DynosVerdict::Up { count: 2, release: 12 }, DynosVerdict::Up { count: 2, release: 13 }],
        DynosVerdict::None => [DynosVerdict::None],
        DynosVerdict::Starting { .. } => [DynosVerdict::Starting { up: 1, of: 2 }],
        DynosVerdict::Crashed { .. } => [crashed()],
    }
}

every! {
    fn kinds() -> Outcome {
        Outcome::TurnCame => [Outcome::TurnCame],
        Outcome::SlotMayBeFree => [Outcome::SlotMayBeFree],
        Outcome::Judged { .. } => [judged(vec![]), judged(vec![Reason::FromFork]), judged(vec![Reason::ChecksPending(not_done())])],
        Outcome::ChecksSeen(_) => [
            seen_checks(vec![]),
            seen_checks(vec![Reason::ChecksPending(not_done())]),
            seen_checks(vec![Reason::ChecksFailed(not_done())]),
        ],
        Outcome::CodeNeeded => [Outcome::CodeNeeded],
        Outcome::SignInLost => [Outcome::SignInLost],
        Outcome::Interrupted => [Outcome::Interrupted],
        Outcome::Announced(_) => [announced()],
        Outcome::AnnouncementRefused(_) => [Outcome::AnnouncementRefused(said())],
        Outcome::Unclear => [Outcome::Unclear],
        Outcome::NoTrace => [Outcome::NoTrace],
        Outcome::Uploaded => [Outcome::Uploaded],
        Outcome::SourceUnavailable(_) => [Outcome::SourceUnavailable(said())],
        Outcome::SourceTooLarge { .. } => [Outcome::SourceTooLarge { limit: 1 }],
        Outcome::DiskFull => [Outcome::DiskFull],
        Outcome::BuildThere(_) => [build_there()],
        Outcome::BuildRefused(_) => [Outcome::BuildRefused(said())],
        Outcome::ReleaseThere(_) => [Outcome::ReleaseThere(release(ReleaseState::Pending))],
        Outcome::ReleaseRefused(_) => [Outcome::ReleaseRefused(said())],
        Outcome::NoBuildSlot => [Outcome::NoBuildSlot],
        Outcome::NoAllowance(_) => [Outcome::NoAllowance(Service::SourceControl), Outcome::NoAllowance(Service::Platform)],
        Outcome::AllowanceThere => [Outcome::AllowanceThere],
        Outcome::StopSent(_) => [Outcome::StopSent(build_id())],
        Outcome::BuildSeen(_) => [Outcome::BuildSeen(BuildState::Pending)],
        Outcome::ReleaseSeen(_) => [Outcome::ReleaseSeen(release(ReleaseState::Pending))],
        Outcome::DynosSeen(_) => [Outcome::DynosSeen(DynosVerdict::None)],
        Outcome::Vanished => [Outcome::Vanished],
        Outcome::NoNews => [Outcome::NoNews],
    }
}

/// Every outcome.
pub(super) fn outcomes() -> Vec<Outcome> {
    let builds = build_states().into_iter().map(Outcome::BuildSeen);
    let releases = release_states().into_iter().map(|state| Outcome::ReleaseSeen(release(state)));
    let dynos = dynos_verdicts().into_iter().map(Outcome::DynosSeen);
    kinds().into_iter().chain(builds).chain(releases).chain(dynos).collect()
}
