//! Random lives from the line to the end.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::check_move;
use super::outcomes::{announced, build_there, judged, outcomes, release};
use crate::domain::deployment::samples::{at, deployment, person, release_id};
use crate::domain::deployment::*;
use crate::domain::gate::Verdict;
use crate::domain::release::{BuildState, DynosVerdict, ReleaseState};

/// What a world in which everything works answers to a step.
pub(super) fn smooth(step: &Step) -> Outcome {
    match step {
        Step::WaitForTurn => Outcome::TurnCame,
        Step::SeeChecks => Outcome::ChecksSeen(Verdict::default()),
        Step::WaitForSlot => Outcome::SlotMayBeFree,
        Step::WaitForAllowance => Outcome::AllowanceThere,
        Step::WaitForAnswer | Step::WaitForCode => Outcome::NoNews,
        Step::Judge => judged(vec![]),
        Step::Announce | Step::LookForAnnouncement => announced(),
        Step::Upload => Outcome::Uploaded,
        Step::OrderBuild | Step::LookForBuild => build_there(),
        Step::OrderReturn | Step::LookForReturn => Outcome::ReleaseThere(release(ReleaseState::Pending)),
        Step::StopBuild(build) => Outcome::StopSent(build.clone()),
        Step::SeeBuild(_) => Outcome::BuildSeen(BuildState::Succeeded { release: Some(release_id()) }),
        Step::SeeRelease(_) => Outcome::ReleaseSeen(release(ReleaseState::Succeeded)),
        Step::SeeDynos { .. } => Outcome::DynosSeen(DynosVerdict::Up { count: 1, release: 12 }),
        Step::Close => Outcome::NoNews,
    }
}

#[test]
fn a_smooth_life_orders_each_effect_once() {
    let mut one = deployment(Phase::Waiting(WaitingFor::Turn));
    let mut steps = Vec::new();
    while let Some(step) = one.next_step().filter(|step| *step != Step::Close) {
        one = one.after(smooth(&step), at(i64::try_from(steps.len()).unwrap())).unwrap();
        steps.push(step);
    }
    assert_eq!(steps.len(), 8);
    assert!(matches!(one.phase, Phase::Succeeded { version: 12, dynos: DynosUp::Up(1) }));
    assert_eq!((one.builds_ordered, one.announcements_ordered), (1, 1));
}

/// One event in a random life.
#[derive(Clone, Debug)]
enum Event {
    /// Any outcome, even one that does not fit.
    Any(Outcome),
    /// The outcome of a step that works.
    Smooth,
    /// A person asks to stop it.
    Cancel,
    /// A person gives a code.
    Code,
    /// Its asker says that it ships.
    Answer,
}

fn events() -> impl Strategy<Value = Vec<(Event, i64)>> {
    let event = prop_oneof![
        6 => prop::sample::select(outcomes()).prop_map(Event::Any),
        4 => Just(Event::Smooth),
        1 => Just(Event::Cancel),
        1 => Just(Event::Code),
        2 => Just(Event::Answer),
    ];
    let wait = prop_oneof![Just(0), Just(5), Just(61), Just(601), Just(4_000)];
    prop::collection::vec((event, wait), 0..120)
}

proptest! {
    #[test]
    fn every_life_keeps_the_rules_and_can_end(events in events(), ask_first in any::<bool>()) {
        let mut one = Deployment { ask_first, ..deployment(Phase::Waiting(WaitingFor::Turn)) };
        let mut now = at(0);
        let mut orders = 0;
        for (event, wait) in events {
            now = now.checked_add(SignedDuration::from_secs(wait)).unwrap();
            let next = match event {
                Event::Any(outcome) => one.after(outcome, now),
                Event::Smooth => one.next_step().and_then(|step| one.after(smooth(&step), now)),
                Event::Code => Some(one.with_code(now)).filter(|next| *next != one),
                Event::Answer => one.answered(now),
                Event::Cancel => match one.cancelled_by(&person("bo"), None, now) {
                    CancelAnswer::Stopped(next) | CancelAnswer::Asked(next) => Some(*next),
                    CancelAnswer::AlreadyAsked | CancelAnswer::CannotStop(_) | CancelAnswer::Unknown(_) | CancelAnswer::Over => None,
                },
            };
            let Some(next) = next else { continue };
            check_move(&one, &next, now);
            prop_assert!(next.builds_ordered <= 2 && next.announcements_ordered <= 2, "{:?}", next);
            let sent = one.phase == Phase::AboutToBuild(Standing::Fresh) && next.phase != one.phase;
            if sent && matches!(next.phase, Phase::AboutToBuild(_) | Phase::Building { .. }) {
                orders += 1;
            }
            prop_assert!(orders <= 2, "ordered {orders} times without being refused");
            one = next;
        }
        // From wherever it is, a world that works leads to an end, unless nobody can find what was ordered.
        for _ in 0..60 {
            let Some(step) = one.next_step().filter(|step| *step != Step::Close) else { break };
            now = now.checked_add(SignedDuration::from_secs(700)).unwrap();
            if let Some(next) = one.after(smooth(&step), now) {
                check_move(&one, &next, now);
                one = next;
            }
        }
        prop_assert!(one.has_ended(), "{:?}", one.phase);
        prop_assert!(one.times.iter().all(|time| time.ended.is_some_and(|ended| ended >= time.began)));
    }
}
