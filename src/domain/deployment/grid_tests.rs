//! Every phase × every outcome: the rules that each move keeps, then where each one leads.

mod effects;
mod lines;
mod lives;
mod outcomes;
mod table;

use super::samples::{all, at, build_id, deployment, ended, person, release_id, running};
use super::*;
use crate::domain::gate::{Reason, Verdict};
use crate::domain::release::{BuildState, DynosVerdict};
use outcomes::{announced, build_there, outcomes};

fn cancel(told: bool) -> Cancel {
    Cancel { by: person("bo"), at: at(0), told, because: None }
}

/// A phase under all circumstances that change where it goes: a stop that was asked for, earlier orders, an announcement.
fn circumstances(phase: &Phase) -> Vec<Deployment> {
    let mut found = Vec::new();
    for asked in [None, Some(cancel(false)), Some(cancel(true))] {
        for (orders, announced) in [(0, false), (1, false), (1, true), (2, true)] {
            let mut one = deployment(phase.clone());
            one.cancel.clone_from(&asked);
            (one.builds_ordered, one.announcements_ordered) = (orders, orders);
            one.announcement = announced.then(|| Announcement { id: AnnouncementId::parse("7").unwrap(), reported: None });
            found.push(one);
        }
    }
    found
}

fn kind(phase: &Phase) -> std::mem::Discriminant<Phase> {
    std::mem::discriminant(phase)
}

/// What holds of every move, whatever came of the step.
fn check_move(from: &Deployment, to: &Deployment, now: Timestamp) {
    assert!(!from.has_ended(), "an ended one moved: {:?}", from.phase);
    assert!(from.phase.milestone() <= to.phase.milestone(), "went back: {:?} to {:?}", from.phase, to.phase);
    let same_kind = kind(&from.phase) == kind(&to.phase);
    assert_eq!(to.since, if same_kind { from.since } else { now }, "{:?} to {:?}", from.phase, to.phase);
    assert!(to.closed == from.closed && to.version == from.version && to.id == from.id && to.cargo.commit == from.cargo.commit);
    let open: Vec<Stage> = to.times.iter().filter(|time| time.ended.is_none()).map(|time| time.stage).collect();
    assert_eq!(open, to.phase.stage().into_iter().collect::<Vec<_>>(), "{:?} to {:?}", from.phase, to.phase);
    assert!(to.times.windows(2).all(|pair| pair[0].ended == Some(pair[1].began)), "a gap or an overlap: {:?}", to.times);
    assert!(to.times.starts_with(&from.times[..from.times.len().saturating_sub(1)]), "the past was changed");
    assert!(to.builds_ordered <= from.builds_ordered.saturating_add(1) && to.builds_ordered <= 2.max(from.builds_ordered));
}

#[test]
fn whatever_it_comes_to_is_told_anew() {
    let asked = Deployment { asker_told: true, ..deployment(Phase::NeedsCode { until: at(600) }) };
    let ended = asked.after(Outcome::NoNews, at(600)).unwrap();
    assert!(ended.has_ended() && !ended.asker_told);
    assert!(!asked.with_code(at(60)).asker_told);
    let unknown = Deployment { asker_told: true, ..deployment(Phase::Unknown(Watched::Build { build: build_id() })) };
    assert!(!unknown.after(Outcome::BuildSeen(BuildState::Failed), at(600)).unwrap().asker_told);
}

#[test]
fn an_ended_one_never_moves() {
    for phase in ended() {
        for one in circumstances(&phase) {
            for outcome in outcomes() {
                assert_eq!(one.after(outcome, at(100_000)), None, "{phase:?}");
            }
            assert_eq!(one.cancelled_by(&person("ana"), None, at(1)), CancelAnswer::Over);
            assert_eq!(one.freed_by(&person("ana"), None, at(1)), None);
            assert_eq!(one.with_code(at(1)), one);
            assert_eq!(one.next_step(), Some(Step::Close));
            let closed = one.closed_now();
            assert_eq!((closed.next_step(), closed.next_look(at(1), &Attention::default())), (None, None));
            assert!(!closed.is_open());
        }
    }
}

#[test]
fn every_move_keeps_the_rules() {
    let mut moves = 0;
    for phase in running() {
        for one in circumstances(&phase) {
            assert!(one.next_step().is_some_and(|step| step != Step::Close), "{phase:?}");
            for outcome in outcomes() {
                for seconds in [0, 30, 60, 600, 3_600, 100_000] {
                    if one.builds_ordered == 2 && phase == Phase::Uploading && outcome == Outcome::Uploaded {
                        continue; // Never comes to be: see the random lives.
                    }
                    if let Some(next) = one.after(outcome.clone(), at(seconds)) {
                        assert_ne!(next, one);
                        check_move(&one, &next, at(seconds));
                        moves += 1;
                    }
                }
            }
        }
    }
    assert!(moves > 1_000, "the grid is empty: {moves}");
}

#[test]
fn only_dynos_that_are_up_or_not_wanted_are_a_success() {
    for phase in running() {
        for one in circumstances(&phase) {
            for outcome in outcomes() {
                let success = one.after(outcome.clone(), at(1)).is_some_and(|next| matches!(next.phase, Phase::Succeeded { .. }));
                let seen = matches!(outcome, Outcome::DynosSeen(DynosVerdict::Up { .. } | DynosVerdict::None));
                let after_release = matches!(phase, Phase::Restarting { .. } | Phase::Unknown(Watched::Dynos { .. }));
                assert_eq!(success, seen && after_release, "{phase:?} {outcome:?}");
            }
        }
    }
}

/// Whatever asks for a deploy, by words, a form, a button or at its turn, it stands before the gate, and one way leads through it.
#[test]
fn nothing_passes_the_gate_unjudged() {
    let stands_before = |phase: &Phase| matches!(phase, Phase::Waiting(_) | Phase::NeedsCode { .. } | Phase::Starting);
    let mut passed = 0;
    for one in running().iter().filter(|phase| stands_before(phase)).flat_map(circumstances) {
        for when_green in [false, true] {
            let one = Deployment { when_green, ..one.clone() };
            for outcome in outcomes() {
                let let_through = matches!(&outcome, Outcome::Judged { verdict, .. } if verdict.is_open()) && one.phase == Phase::Starting;
                let next = one.after(outcome.clone(), at(1)).unwrap_or_else(|| one.clone());
                // An order of before may have worked: that is looked for, and nothing more is done.
                let is_through = !stands_before(&next.phase) && !next.has_ended() && !matches!(next.phase, Phase::Unknown(_));
                assert!(let_through || !is_through, "{:?} {outcome:?}: {:?}", one.phase, next.phase);
                passed += usize::from(is_through);
            }
            assert!(one.answered(at(1)).is_none_or(|next| stands_before(&next.phase)) && stands_before(&one.with_code(at(1)).phase));
        }
    }
    assert!(passed > 0, "what is judged well goes on");
}

#[test]
fn late_means_unknown_where_something_goes_on_outside() {
    for phase in
        running().into_iter().filter(|phase| matches!(phase, Phase::Building { .. } | Phase::Releasing { .. } | Phase::Restarting { .. }))
    {
        let one = deployment(phase.clone());
        assert_eq!(one.after(Outcome::NoNews, at(60)), None);
        for outcome in [Outcome::NoNews, Outcome::DynosSeen(DynosVerdict::Starting { up: 0, of: 1 })] {
            let next = one.after(outcome, at(2 * 3_600)).unwrap();
            assert!(matches!(next.phase, Phase::Unknown(_)), "{phase:?}: {:?}", next.phase);
            assert_eq!(next.phase.stage(), phase.stage());
        }
        let news = one.after(Outcome::Vanished, at(1)).unwrap();
        assert!(matches!(news.phase, Phase::Unknown(_)), "{phase:?}");
    }
}

#[test]
fn no_phase_waits_for_news_for_ever() {
    for phase in running() {
        let waits = matches!(phase, Phase::Waiting(WaitingFor::Turn | WaitingFor::BuildSlot { .. } | WaitingFor::Allowance { .. }));
        let by_design = waits || matches!(phase, Phase::Unknown(_));
        let mut one = deployment(phase.clone());
        for minute in 1..=180 {
            one = one.after(Outcome::NoNews, at(minute * 60)).unwrap_or(one);
        }
        assert_eq!(one.has_ended() || matches!(one.phase, Phase::Unknown(_)), !waits, "{phase:?}");
        assert!(!by_design || one.phase == phase);
    }
}

#[test]
fn checks_are_waited_for_until_they_are_done_or_it_is_too_late() {
    let waits = Deployment { when_green: true, ..deployment(Phase::Starting) };
    let pending = || Verdict { reasons: vec![Reason::ChecksPending(samples::not_done())], ..Verdict::default() };
    let back = waits.after(Outcome::Judged { verdict: pending(), change: None }, at(10)).unwrap();
    assert_eq!(back.phase, Phase::Waiting(WaitingFor::Checks { open: samples::not_done(), until: at(4 * 3_600) }));
    assert_eq!(back.after(Outcome::ChecksSeen(pending()), at(4 * 3_600 - 1)), None);
    for outcome in [Outcome::ChecksSeen(pending()), Outcome::NoNews] {
        let late = back.after(outcome, at(4 * 3_600)).unwrap();
        assert_eq!(late.phase, Phase::Failed { during: Stage::Checks, why: Failure::NotGreen(samples::not_done()) });
    }
    let seen = |seconds| Attention { seen_at: Some(at(seconds)), ..Attention::default() };
    let looks = [(10, 25), (400, 430), (7_200, 7_260), (14_390, 14_400)];
    assert!(looks.into_iter().all(|(last, next)| back.next_look(at(last), &seen(last)) == Some(at(next))));
    assert_eq!(back.next_look(at(11), &Attention::default()), Some(at(11)), "whoever takes over looks at once");
    // What has been recorded somewhere does not step back, and nobody waits unasked.
    let announced = Deployment { announcement: Some(Announcement { id: AnnouncementId::parse("7").unwrap(), reported: None }), ..waits };
    for one in [announced, deployment(Phase::Starting)] {
        let closed = one.after(Outcome::Judged { verdict: pending(), change: None }, at(10)).unwrap();
        assert!(matches!(closed.phase, Phase::Failed { why: Failure::Gate(_), .. }));
    }
}

#[test]
fn slow_looks_at_an_unknown_one_go_on_for_a_day_and_may_find_the_truth() {
    let unknown = |watched| deployment(Phase::Unknown(watched));
    let order = unknown(Watched::Order);
    assert_eq!(order.next_look(at(0), &Attention::default()), Some(at(600)));
    assert_eq!(order.next_look(at(24 * 3_600), &Attention::default()), None);
    assert_eq!(order.after(Outcome::NoTrace, at(90_000)), None, "never ordered again");
    let found = order.after(build_there(), at(9)).unwrap();
    assert_eq!(found.phase, Phase::Building { build: build_id() });
    let dynos = unknown(Watched::Dynos { release: release_id(), version: 12 });
    let up = dynos.after(Outcome::DynosSeen(DynosVerdict::Up { count: 1, release: 12 }), at(9)).unwrap();
    assert!(matches!(up.phase, Phase::Succeeded { version: 12, .. }));
}

#[test]
fn an_order_without_an_answer_is_never_hidden_by_another_end() {
    for phase in running().into_iter().filter(|phase| phase.milestone() == Milestone::Preparing) {
        for mut one in circumstances(&phase) {
            one.builds_ordered = if phase == Phase::AboutToBuild(Standing::Fresh) { 2 } else { 1 };
            for outcome in outcomes() {
                let next = one.after(outcome.clone(), at(100_000)).unwrap_or_else(|| one.clone());
                assert!(!next.has_ended(), "{phase:?} {outcome:?}: {:?}", next.phase);
            }
            if let CancelAnswer::Stopped(next) = one.cancelled_by(&person("ana"), None, at(1)) {
                panic!("{phase:?}: {:?}", next.phase);
            }
        }
    }
}

#[test]
fn cancel_in_each_phase() {
    for phase in all() {
        let one = deployment(phase.clone());
        let answer = one.cancelled_by(&person("bo"), None, at(5));
        let fits = match (&phase, &answer) {
            (Phase::Waiting(_) | Phase::NeedsCode { .. } | Phase::Starting | Phase::Uploading, CancelAnswer::Stopped(next)) => {
                check_move(&one, next, at(5));
                matches!(&next.phase, Phase::Cancelled { by, during } if *by == person("bo") && Some(*during) == phase.stage())
            }
            (Phase::Announcing(_) | Phase::AboutToBuild(_) | Phase::Building { .. }, CancelAnswer::Asked(next)) => {
                assert_eq!(next.cancelled_by(&person("ana"), None, at(6)), CancelAnswer::AlreadyAsked);
                next.phase == phase && next.cancel == Some(Cancel { by: person("bo"), at: at(5), told: false, because: None })
            }
            (Phase::Releasing { .. }, CancelAnswer::CannotStop(Stage::Release))
            | (Phase::Restarting { .. }, CancelAnswer::CannotStop(Stage::Dynos))
            | (Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } | Phase::Freed { .. }, CancelAnswer::Over) => true,
            (Phase::Unknown(watched), CancelAnswer::Unknown(answered)) => {
                let why = Because::parse("its page says so").unwrap();
                let freed = one.freed_by(&person("bo"), Some(&why), at(5)).unwrap();
                check_move(&one, &freed, at(5));
                freed.phase == Phase::Freed { by: person("bo"), was: watched.clone(), because: Some(why) } && watched == answered
            }
            _ => false,
        };
        assert!(fits, "{phase:?}: {answer:?}");
    }
}

#[test]
fn a_stop_takes_effect_where_nothing_goes_on_outside() {
    let mut one = deployment(Phase::Announcing(Standing::Fresh));
    one.cancel = Some(cancel(false));
    let next = one.after(announced(), at(1)).unwrap();
    assert!(matches!(next.phase, Phase::Cancelled { .. }) && next.announcement.is_some(), "the record gets its final status");

    let mut one = deployment(Phase::Building { build: build_id() });
    one.cancel = Some(cancel(false));
    assert_eq!(one.next_step(), Some(Step::StopBuild(build_id())));
    let told = one.after(Outcome::StopSent(build_id()), at(1)).unwrap();
    assert_eq!(told.next_step(), Some(Step::SeeBuild(build_id())));
    assert!(matches!(told.after(Outcome::BuildSeen(BuildState::Failed), at(2)).unwrap().phase, Phase::Cancelled { .. }));
    let succeeded = Outcome::BuildSeen(BuildState::Succeeded { release: Some(release_id()) });
    assert!(matches!(told.after(succeeded, at(2)).unwrap().phase, Phase::Releasing { .. }), "too late to stop is told, not hidden");
}

#[test]
fn a_crash_counts_once_it_lasts() {
    let crashed = || Outcome::DynosSeen(DynosVerdict::Crashed { names: vec!["web.1".to_owned()] });
    let one = deployment(Phase::Restarting { release: release_id(), version: 12, crashed_since: None, up: None });
    let first = one.after(crashed(), at(10)).unwrap();
    assert_eq!(first.after(crashed(), at(49)), None);
    let starting = first.after(Outcome::DynosSeen(DynosVerdict::Starting { up: 0, of: 1 }), at(20)).unwrap();
    assert!(matches!(starting.phase, Phase::Restarting { crashed_since: None, .. }));
    let last = first.after(crashed(), at(50)).unwrap();
    assert!(matches!(last.phase, Phase::Failed { why: Failure::DynosCrashed { .. }, .. }));
}

#[test]
fn what_is_listened_to_is_hardly_looked_at_and_the_rest_at_a_moderate_pace() {
    let building = Deployment { since: at(0), ..deployment(Phase::Building { build: build_id() }) };
    let seen = |at, looks, listening| Attention { seen_at: Some(at), looks, listening, stops_lost: 0 };
    assert_eq!(building.next_look(at(7), &Attention::default()), Some(at(7)), "there is a reason to look");
    assert_eq!(building.next_look(at(7), &seen(at(3), 4, true)), Some(at(903)));
    let pauses = (0..8).map(|looks| building.next_look(at(0), &seen(at(0), looks, false)).unwrap().duration_since(at(0)).as_secs());
    assert_eq!(pauses.collect::<Vec<_>>(), [8, 2, 4, 8, 16, 20, 20, 20]);
    let lost = (1..7).map(|stops_lost| Attention { stops_lost, ..seen(at(0), 4, true) });
    let pauses = lost.map(|attention| building.next_look(at(0), &attention).unwrap().duration_since(at(0)).as_secs());
    assert_eq!(pauses.collect::<Vec<_>>(), [2, 4, 8, 16, 20, 20], "whatever is listened to was not told to stop");
    // A look has to say that it is late.
    assert_eq!(building.next_look(at(2_600), &seen(at(2_600), 9, true)), Some(at(2_700)));
    let restarting = Phase::Restarting { release: release_id(), version: 4, crashed_since: None, up: None };
    let restarting = Deployment { since: at(0), ..deployment(restarting) };
    assert_eq!(restarting.next_look(at(0), &seen(at(0), 0, false)), Some(at(3)));
    assert_eq!(restarting.next_look(at(3), &seen(at(3), 1, false)), Some(at(15)));
    assert_eq!(restarting.next_look(at(400), &seen(at(400), 30, false)), Some(at(412)));
}

#[test]
fn whoever_wants_to_be_asked_begins_at_their_word_and_is_passed_without_one() {
    let waits = Deployment { ask_first: true, ..deployment(Phase::Waiting(WaitingFor::Turn)) };
    let called = waits.after(Outcome::TurnCame, at(100)).unwrap();
    check_move(&waits, &called, at(100));
    assert_eq!(called.phase, Phase::Waiting(WaitingFor::Answer { until: at(700) }));
    assert_eq!(called.next_look(at(101), &Attention::default()), Some(at(700)));
    assert_eq!((called.after(Outcome::TurnCame, at(699)), waits.answered(at(101))), (None, None), "asked once, and not before");
    let begun = called.answered(at(699)).unwrap();
    check_move(&called, &begun, at(699));
    assert_eq!((begun.phase, begun.since), (Phase::Starting, at(699)));
    assert_eq!(called.answered(at(700)), None, "too late");
    let passed = called.after(Outcome::NoNews, at(700)).unwrap();
    assert_eq!(passed.phase, Phase::Failed { during: Stage::Line, why: Failure::NoAnswer });
    let plain = deployment(Phase::Waiting(WaitingFor::Turn));
    assert_eq!(plain.after(Outcome::TurnCame, at(100)).unwrap().phase, Phase::Starting, "whoever did not ask is not asked");
}
