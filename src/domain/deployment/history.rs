//! What past deployments tell about the next one.

use jiff::Timestamp;

use super::{Deployment, Milestone, Phase, Stage, Took, Usual, WaitingFor};

/// How many of the newest that went well count.
const COUNTED: usize = 10;
/// From so many on the shortest and the longest are left out: something odd was the matter with them.
const MANY: usize = 5;

/// How long each stage usually took: the range of the last deployments that succeeded. `past` begins with the newest.
/// A stage that was begun several times counts once, as it went through at last.
pub fn usual<'a>(past: impl IntoIterator<Item = &'a Deployment>) -> Usual {
    let good: Vec<&Deployment> = past.into_iter().filter(|d| matches!(d.phase, Phase::Succeeded { .. })).take(COUNTED).collect();
    let of = |stage: Stage| {
        let last = |deployment: &&Deployment| {
            let time = deployment.times.iter().rfind(|time| time.stage == stage)?;
            u32::try_from(time.ended?.duration_since(time.began).as_secs()).ok()
        };
        range(good.iter().filter_map(last).collect())
    };
    let whole = range(good.iter().filter_map(|deployment| whole(deployment)).collect());
    Usual { build: of(Stage::Build), release: of(Stage::Release), dynos: of(Stage::Dynos), whole }
}

/// The range of what is usual, in seconds: of many, without what was odd.
fn range(mut seconds: Vec<u32>) -> Option<Took> {
    seconds.sort_unstable();
    let odd = usize::from(seconds.len() >= MANY);
    let usual = seconds.get(odd..seconds.len().saturating_sub(odd)).unwrap_or_default();
    Some(Took { least: *usual.first()?, most: *usual.last()? })
}

/// Since when a deployment is worked on without a wait in between, in line or for a code; `None`: it waits, or has not begun.
pub fn at_work_since(deployment: &Deployment) -> Option<Timestamp> {
    let last = deployment.times.iter().rev().take_while(|time| time.stage >= Stage::Checks).last();
    last.map(|time| time.began)
}

/// For how many seconds a deployment has been worked on up to a moment, waits left out; `None`: it has not begun.
pub fn worked(deployment: &Deployment, now: Timestamp) -> Option<u32> {
    let at_work: Vec<_> = deployment.times.iter().filter(|time| time.stage >= Stage::Checks).collect();
    let each = at_work.iter().map(|time| time.ended.unwrap_or(now).duration_since(time.began).as_secs());
    (!at_work.is_empty()).then(|| u32::try_from(each.fold(0, i64::saturating_add)).unwrap_or_default())
}

/// For how many seconds a deployment was worked on in all, waits left out; `None`: it was never begun, or goes on.
pub fn whole(deployment: &Deployment) -> Option<u32> {
    let ended = deployment.times.iter().filter_map(|time| time.ended).max()?;
    let is_over = deployment.times.iter().all(|time| time.ended.is_some());
    worked(deployment, ended).filter(|_| is_over)
}

/// How long it usually takes from now on until a deployment is out; `None`: nobody knows, or it stands still.
pub fn left(deployment: &Deployment, now: Timestamp) -> Option<Took> {
    match deployment.phase.milestone() {
        Milestone::Preparing | Milestone::Building | Milestone::Releasing | Milestone::Restarting => {}
        Milestone::Ended => return None,
    }
    if matches!(deployment.phase, Phase::NeedsCode { .. } | Phase::Unknown(_)) {
        return None;
    }
    let each = [Stage::Build, Stage::Release, Stage::Dynos].into_iter().filter_map(|stage| {
        let usual = deployment.usual.of(stage)?;
        match deployment.times.iter().rfind(|time| time.stage == stage) {
            None => Some(usual),
            Some(time) if time.ended.is_some() => None,
            Some(time) => Some(usual.after(u32::try_from(now.duration_since(time.began).as_secs()).unwrap_or_default())),
        }
    });
    each.reduce(Took::and)
}

/// How long each deployment of a line has to wait for its turn as a rule, in the order of the line, which begins with whoever has the app;
/// `None`: it has its turn, nobody knows, or it waits for its checks and is passed by the others meanwhile.
pub fn waits(standing: &[Deployment], now: Timestamp) -> Vec<Option<Took>> {
    let mut ahead: Option<Option<Took>> = None;
    let wait_of = |deployment: &Deployment| {
        if matches!(deployment.phase, Phase::Waiting(WaitingFor::Checks { .. })) {
            return None;
        }
        let takes = left(deployment, now);
        let wait = ahead.flatten();
        // Of one of whom nobody knows how long it takes nobody knows how long the next one waits.
        ahead = Some(match ahead {
            None => takes,
            Some(ahead) => ahead.zip(takes).map(|(ahead, takes)| ahead.and(takes)),
        });
        wait
    };
    standing.iter().map(wait_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::samples::{at, deployment};
    use crate::domain::deployment::{DynosUp, Failure, StageTime};

    fn took(phase: Phase, stages: &[(Stage, i64)]) -> Deployment {
        let time = |(stage, seconds): &(Stage, i64)| StageTime { stage: *stage, began: at(0), ended: Some(at(*seconds)) };
        Deployment { times: stages.iter().map(time).collect(), ..deployment(phase) }
    }

    fn good(stages: &[(Stage, i64)]) -> Deployment {
        took(Phase::Succeeded { version: 1, dynos: DynosUp::None }, stages)
    }

    fn both(seconds: u32) -> Option<Took> {
        Some(Took { least: seconds, most: seconds })
    }

    #[test]
    fn the_usual_time_is_the_range_of_what_went_well() {
        let past = [
            good(&[(Stage::Build, 10), (Stage::Release, 7), (Stage::Dynos, 3)]),
            good(&[(Stage::Build, 90), (Stage::Dynos, 5)]),
            good(&[(Stage::Build, 20)]),
            took(Phase::Failed { during: Stage::Build, why: Failure::Build }, &[(Stage::Build, 1)]),
        ];
        let (build, whole) = (Some(Took { least: 10, most: 90 }), Some(Took { least: 20, most: 95 }));
        assert_eq!(usual(&past), Usual { build, release: both(7), dynos: Some(Took { least: 3, most: 5 }), whole });
        assert_eq!(usual(&[]), Usual::default());
    }

    #[test]
    fn of_many_the_odd_ones_and_those_of_long_ago_do_not_count() {
        let builds = [60, 4, 3000, 70, 80, 75, 65, 70, 70, 70, 7, 7, 7];
        let past: Vec<Deployment> = builds.iter().map(|seconds| good(&[(Stage::Build, *seconds)])).collect();
        assert_eq!(usual(&past).build, Some(Took { least: 60, most: 80 }));
    }

    #[test]
    fn tries_for_a_slot_are_not_builds() {
        let mut tries = vec![(Stage::Build, 1); 30];
        tries.push((Stage::Build, 60));
        let past = [good(&tries), good(&[(Stage::Build, 50)]), good(&[(Stage::Build, 55)])];
        assert_eq!(usual(&past).build, Some(Took { least: 50, most: 60 }));
    }

    #[test]
    fn the_whole_is_what_was_worked_on_and_not_what_was_waited_for() {
        let waited = |stage, began, ended| StageTime { stage, began: at(began), ended: Some(at(ended)) };
        let mut one = good(&[]);
        one.times = vec![
            waited(Stage::Line, 0, 500),
            waited(Stage::Checks, 500, 502),
            waited(Stage::Line, 502, 800),
            waited(Stage::Checks, 800, 803),
            waited(Stage::Build, 803, 863),
        ];
        assert_eq!((whole(&one), at_work_since(&one)), (Some(65), Some(at(800))));
        assert_eq!((whole(&good(&[(Stage::Line, 500)])), at_work_since(&good(&[(Stage::Line, 500)]))), (None, None));
        one.times[4].ended = None;
        assert_eq!((whole(&one), worked(&one, at(833))), (None, Some(35)));
    }

    #[test]
    fn what_is_left_is_what_has_not_gone_by() {
        let usual = Usual { build: Some(Took { least: 60, most: 120 }), release: both(10), dynos: None, whole: None };
        let mut one = Deployment { usual, ..deployment(Phase::Starting) };
        assert_eq!(left(&one, at(0)), Some(Took { least: 70, most: 130 }));
        one.phase = Phase::Building { build: crate::domain::deployment::samples::build_id() };
        one.times = vec![StageTime { stage: Stage::Build, began: at(0), ended: None }];
        assert_eq!(left(&one, at(50)), Some(Took { least: 20, most: 80 }));
        assert_eq!(left(&one, at(500)), Some(Took { least: 10, most: 10 }), "longer than usual is not less than nothing");
        one.phase = Phase::Succeeded { version: 1, dynos: DynosUp::None };
        assert_eq!(left(&one, at(500)), None);
    }

    #[test]
    fn a_range_is_read_as_it_was_written_and_as_it_was_before() {
        for (took, row) in [(Took { least: 7, most: 7 }, "7"), (Took { least: 7, most: 9 }, r#"{"least":7,"most":9}"#)] {
            assert_eq!(serde_json::to_string(&took).unwrap(), row);
            assert_eq!(serde_json::from_str::<Took>(row).unwrap(), took);
        }
    }

    #[test]
    fn a_stage_that_is_not_over_is_not_counted() {
        let mut one = good(&[(Stage::Build, 10)]);
        one.times[0].ended = None;
        assert_eq!(usual(&[one]).build, None);
    }
}
