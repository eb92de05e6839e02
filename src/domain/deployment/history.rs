//! What past deployments tell about the next one.

use super::{Deployment, Phase, Stage, Usual};

/// How long each stage usually took: the median of the past deployments that succeeded, in seconds. Of two middle ones, the longer.
/// A stage that was begun several times counts once, as it went through at last.
pub fn usual<'a>(past: impl IntoIterator<Item = &'a Deployment>) -> Usual {
    let good: Vec<&Deployment> = past.into_iter().filter(|d| matches!(d.phase, Phase::Succeeded { .. })).collect();
    let of = |stage: Stage| {
        let last = |deployment: &&Deployment| {
            let time = deployment.times.iter().rfind(|time| time.stage == stage)?;
            u32::try_from(time.ended?.duration_since(time.began).as_secs()).ok()
        };
        let mut seconds: Vec<u32> = good.iter().filter_map(last).collect();
        seconds.sort_unstable();
        seconds.get(seconds.len() / 2).copied()
    };
    Usual { build: of(Stage::Build), release: of(Stage::Release), dynos: of(Stage::Dynos) }
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

    #[test]
    fn the_usual_time_is_the_median_of_what_went_well() {
        let past = [
            good(&[(Stage::Build, 10), (Stage::Release, 7), (Stage::Dynos, 3)]),
            good(&[(Stage::Build, 90), (Stage::Dynos, 5)]),
            good(&[(Stage::Build, 20)]),
            took(Phase::Failed { during: Stage::Build, why: Failure::Build }, &[(Stage::Build, 1)]),
        ];
        assert_eq!(usual(&past), Usual { build: Some(20), release: Some(7), dynos: Some(5) });
        assert_eq!(usual(&[]), Usual::default());
    }

    #[test]
    fn tries_for_a_slot_are_not_builds() {
        let mut tries = vec![(Stage::Build, 1); 30];
        tries.push((Stage::Build, 60));
        assert_eq!(usual(&[good(&tries), good(&[(Stage::Build, 50)]), good(&[(Stage::Build, 55)])]).build, Some(55));
    }

    #[test]
    fn a_stage_that_is_not_over_is_not_counted() {
        let mut one = good(&[(Stage::Build, 10)]);
        one.times[0].ended = None;
        assert_eq!(usual(&[one]).build, None);
    }
}
