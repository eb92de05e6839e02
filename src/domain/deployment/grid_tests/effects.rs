//! Effects that cannot be undone, and what stops a deploy on its way: codes, slots, lost sign-ins, cancels, crashes.

use super::check_move;
use super::outcomes::{announced, build_there, crashed, judged};
use crate::domain::deployment::samples::{all, at, build_id, deployment, person, release_id, running};
use crate::domain::deployment::*;
use crate::domain::release::{BuildState, DynosVerdict};

fn orders(phase: Phase, builds: u8, announcements: u8) -> Deployment {
    Deployment { builds_ordered: builds, announcements_ordered: announcements, ..deployment(phase) }
}

fn fresh_build() -> Deployment {
    orders(Phase::AboutToBuild(Standing::Fresh), 1, 1)
}

/// One step on its way, with the rules of every move checked.
#[track_caller]
fn on(one: &Deployment, outcome: Outcome, second: i64) -> Deployment {
    let next = one.after(outcome.clone(), at(second)).unwrap_or_else(|| panic!("{:?} + {outcome:?} leads nowhere", one.phase));
    check_move(one, &next, at(second));
    next
}

fn unclear(since: i64) -> Standing {
    Standing::Unclear { since: at(since) }
}

#[test]
fn a_build_without_an_answer_is_looked_for_then_ordered_once_more_then_unknown() {
    for no_answer in [Outcome::Unclear, Outcome::Interrupted] {
        let one = on(&fresh_build(), no_answer.clone(), 10);
        assert_eq!((&one.phase, one.next_step()), (&Phase::AboutToBuild(unclear(10)), Some(Step::LookForBuild)));
        assert_eq!(one.after(Outcome::NoTrace, at(69)), None, "the bound is not over");
        let again = on(&on(&one, Outcome::NoTrace, 70), Outcome::Uploaded, 71);
        assert_eq!((&again.phase, again.builds_ordered), (&Phase::AboutToBuild(Standing::Fresh), 2));
        let last = on(&again, no_answer, 80);
        assert_eq!(last.after(Outcome::NoTrace, at(139)), None);
        let unknown = on(&last, Outcome::NoTrace, 140);
        assert_eq!((&unknown.phase, unknown.builds_ordered), (&Phase::Unknown(Watched::Order), 2));
        assert_eq!(unknown.next_step(), Some(Step::LookForBuild), "looked for, never ordered again");
        assert_eq!(unknown.after(Outcome::NoTrace, at(80_000)), None);
    }
}

#[test]
fn an_announcement_without_an_answer_is_looked_for_then_made_once_more_then_failed() {
    let one = on(&orders(Phase::Announcing(Standing::Fresh), 0, 1), Outcome::Unclear, 10);
    assert_eq!((&one.phase, one.next_step()), (&Phase::Announcing(unclear(10)), Some(Step::LookForAnnouncement)));
    assert_eq!(one.after(Outcome::NoTrace, at(69)), None);
    let again = on(&one, Outcome::NoTrace, 70);
    assert_eq!((&again.phase, again.announcements_ordered), (&Phase::Announcing(Standing::Fresh), 2));
    let failed = on(&on(&again, Outcome::Unclear, 80), Outcome::NoTrace, 140);
    assert!(matches!(failed.phase, Phase::Failed { during: Stage::Announcement, why: Failure::AnnouncementUnclear }));
    let found = on(&one, announced(), 15);
    assert_eq!((&found.phase, found.announcements_ordered), (&Phase::Uploading, 1));
}

#[test]
fn looks_that_are_never_answered_are_given_up() {
    let build = on(&fresh_build(), Outcome::Unclear, 0);
    assert_eq!(build.after(Outcome::NoNews, at(599)), None);
    assert_eq!(on(&build, Outcome::NoNews, 600).phase, Phase::Unknown(Watched::Order));
    let announcement = on(&orders(Phase::Announcing(Standing::Fresh), 0, 1), Outcome::Unclear, 0);
    assert_eq!(announcement.after(Outcome::NoNews, at(599)), None);
    assert!(matches!(on(&announcement, Outcome::NoNews, 600).phase, Phase::Failed { why: Failure::AnnouncementUnclear, .. }));
}

#[test]
fn a_refusal_for_certain_is_no_order() {
    let pause = SLOT_PAUSE.as_secs();
    for refusal in [Outcome::NoBuildSlot, Outcome::CodeNeeded] {
        let mut one = fresh_build();
        for round in 0..20 {
            let now = round * 160;
            let refused = on(&one, refusal.clone(), now);
            assert_eq!(refused.builds_ordered, 0);
            let starting = if refusal == Outcome::CodeNeeded {
                assert_eq!(refused.phase, Phase::NeedsCode { until: at(now + 600) });
                refused.with_code(at(now + 1))
            } else {
                assert_eq!(refused.next_look(at(now), &Attention::default()), Some(at(now + pause)));
                on(&refused, Outcome::SlotMayBeFree, now + pause)
            };
            assert_eq!(starting.phase, Phase::Starting);
            let uploading = on(&Deployment { announcement: None, ..starting }, judged(vec![]), now + pause + 1);
            one = on(&on(&uploading, announced(), now + pause + 2), Outcome::Uploaded, now + pause + 3);
            assert_eq!(one.builds_ordered, 1);
            (one.announcement, one.announcements_ordered) = (None, 0);
        }
    }
}

#[test]
fn a_build_slot_is_waited_for_an_hour() {
    let pause = SLOT_PAUSE.as_secs();
    let first = on(&fresh_build(), Outcome::NoBuildSlot, 100);
    assert_eq!(first.phase, Phase::Waiting(WaitingFor::BuildSlot { next: at(100 + pause), since: at(100) }));
    let back = |now| Deployment { phase: Phase::AboutToBuild(Standing::Fresh), since: at(now), builds_ordered: 1, ..first.clone() };
    let again = back(3_699).after(Outcome::NoBuildSlot, at(3_699)).unwrap();
    assert_eq!(again.phase, Phase::Waiting(WaitingFor::BuildSlot { next: at(3_699 + pause), since: at(100) }), "tries in between count");
    let over = back(3_700).after(Outcome::NoBuildSlot, at(3_700)).unwrap();
    assert_eq!(over.phase, Phase::Failed { during: Stage::Build, why: Failure::NoBuildSlot });
}

#[test]
fn a_code_is_waited_for_and_spent_once() {
    let waiting = on(&deployment(Phase::Starting), Outcome::CodeNeeded, 10);
    assert_eq!((&waiting.phase, waiting.next_look(at(11), &Attention::default())), (&Phase::NeedsCode { until: at(610) }, Some(at(610))));
    assert_eq!(waiting.after(Outcome::NoNews, at(609)), None);
    assert_eq!(on(&waiting, Outcome::NoNews, 610).phase, Phase::Failed { during: Stage::Code, why: Failure::NoCode });
    let given = waiting.with_code(at(20));
    check_move(&waiting, &given, at(20));
    assert_eq!(given.phase, Phase::Starting);
    assert!(given.has_fresh_code(at(20 + 899)) && !given.has_fresh_code(at(20 + 900)));
    assert!(!on(&given, Outcome::CodeNeeded, 30).has_fresh_code(at(31)), "the platform has forgotten it");
    for phase in running().into_iter().filter(|phase| !matches!(phase, Phase::NeedsCode { .. })) {
        let given = deployment(phase.clone()).with_code(at(5));
        assert!(given.phase == phase && given.since == at(0) && given.has_fresh_code(at(6)), "{phase:?}");
    }
}

#[test]
fn a_lost_sign_in_fails_what_has_not_begun_and_nothing_else() {
    for phase in running() {
        for builds in 0..=2 {
            let one = orders(phase.clone(), builds, 1);
            let open = match &phase {
                Phase::AboutToBuild(Standing::Fresh) => builds > 1,
                Phase::AboutToBuild(Standing::Unclear { .. }) => true,
                Phase::Waiting(_) | Phase::NeedsCode { .. } | Phase::Starting | Phase::Announcing(_) | Phase::Uploading => builds > 0,
                Phase::Building { .. }
                | Phase::Releasing { .. }
                | Phase::Restarting { .. }
                | Phase::Unknown(_)
                | Phase::Succeeded { .. }
                | Phase::Failed { .. }
                | Phase::Cancelled { .. }
                | Phase::Freed { .. } => true,
            };
            let next = one.after(Outcome::SignInLost, at(1)).unwrap_or_else(|| one.clone());
            let failed = phase.stage().map(|during| Phase::Failed { during, why: Failure::SignInLost });
            assert_eq!(Some(&next.phase) == failed.as_ref(), !open, "{phase:?} to {:?}", next.phase);
            assert_eq!(matches!(next.phase, Phase::Unknown(_)), open, "{phase:?} to {:?}", next.phase);
        }
    }
}

fn asked(mut one: Deployment, told: bool) -> Deployment {
    one.cancel = Some(Cancel { by: person("bo"), at: at(0), told, because: None });
    one
}

#[test]
fn a_stop_that_was_asked_for_ends_truly() {
    let building = || deployment(Phase::Building { build: build_id() });
    let stopped = |phase: &Phase| matches!(phase, Phase::Cancelled { by, .. } if *by == person("bo"));
    let failed = Outcome::BuildSeen(BuildState::Failed);
    assert!(stopped(&on(&asked(building(), true), failed.clone(), 1).phase));
    assert!(matches!(on(&asked(building(), false), failed.clone(), 1).phase, Phase::Failed { .. }), "it fell over by itself");
    assert!(stopped(&on(&asked(deployment(Phase::Unknown(Watched::Build { build: build_id() })), true), failed, 1).phase));

    // Whatever would go on preparing, or end for another reason before the build, was stopped.
    for outcome in [Outcome::CodeNeeded, Outcome::NoBuildSlot, Outcome::BuildRefused(None), Outcome::SignInLost] {
        assert!(stopped(&on(&asked(fresh_build(), false), outcome.clone(), 1).phase), "{outcome:?}");
    }
    for outcome in [announced(), Outcome::AnnouncementRefused(None), Outcome::SignInLost] {
        let next = on(&asked(orders(Phase::Announcing(Standing::Fresh), 0, 1), false), outcome.clone(), 1);
        assert!(stopped(&next.phase), "{outcome:?}");
        assert_eq!(next.announcement.is_some(), outcome == announced(), "kept, for its last status");
    }

    // An order without an answer is looked for, and stopped where it turns up.
    let lost = on(&asked(fresh_build(), false), Outcome::Unclear, 0);
    let unknown = on(&lost, Outcome::NoTrace, 60);
    assert_eq!(unknown.phase, Phase::Unknown(Watched::Order));
    for one in [lost, unknown] {
        let found = on(&one, build_there(), 70);
        assert_eq!(found.next_step(), Some(Step::StopBuild(build_id())));
        assert!(stopped(&on(&on(&found, Outcome::StopSent(build_id()), 71), Outcome::BuildSeen(BuildState::Failed), 80).phase));
    }
}

#[test]
fn a_cancel_while_an_order_may_turn_up_is_unknown_and_not_an_end() {
    let one = orders(Phase::Uploading, 1, 1);
    let CancelAnswer::Asked(next) = one.cancelled_by(&person("bo"), None, at(5)) else { panic!("not asked") };
    check_move(&one, &next, at(5));
    assert_eq!(next.phase, Phase::Unknown(Watched::Order));
    assert!(matches!(next.cancelled_by(&person("bo"), None, at(6)), CancelAnswer::Unknown(Watched::Order)));
    assert_eq!(on(&next, build_there(), 7).next_step(), Some(Step::StopBuild(build_id())));
}

#[test]
fn dynos_decide() {
    let one = || deployment(Phase::Restarting { release: release_id(), version: 12, crashed_since: None, up: None });
    let ends = |verdict| {
        let next = on(&one(), Outcome::DynosSeen(verdict), 5);
        let Phase::Succeeded { version: 12, dynos } = next.phase else { panic!("{:?}", next.phase) };
        dynos
    };
    assert_eq!(ends(DynosVerdict::Up { count: 3, release: 12 }), DynosUp::Up(3));
    assert_eq!(ends(DynosVerdict::Up { count: 3, release: 14 }), DynosUp::Overtaken(14));
    assert_eq!(ends(DynosVerdict::None), DynosUp::None);
    let starting = on(&one(), Outcome::DynosSeen(DynosVerdict::Starting { up: 1, of: 2 }), 5);
    assert!(matches!(starting.phase, Phase::Restarting { up: Some((1, 2)), .. }) && starting.since == at(0));
    assert_eq!(starting.after(Outcome::DynosSeen(DynosVerdict::Starting { up: 1, of: 2 }), at(6)), None, "no progress");
    let unknown = deployment(Phase::Unknown(Watched::Dynos { release: release_id(), version: 12 }));
    let seen = on(&unknown, Outcome::DynosSeen(crashed()), 700);
    assert!(matches!(on(&seen, Outcome::DynosSeen(crashed()), 740).phase, Phase::Failed { why: Failure::DynosCrashed { .. }, .. }));
}

#[test]
fn what_was_learned_is_not_forgotten() {
    let mut one = deployment(Phase::Building { build: build_id() });
    one.release = Some(release_id());
    assert_eq!(one.after(Outcome::BuildSeen(BuildState::Succeeded { release: None }), at(1)), None);
}

#[test]
fn every_phase_survives_the_disk() {
    for phase in all() {
        let one = deployment(phase);
        let read: Deployment = serde_json::from_str(&serde_json::to_string(&one).unwrap()).unwrap();
        assert_eq!(read, one);
    }
}
