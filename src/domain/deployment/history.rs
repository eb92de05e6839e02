//! What past deployments tell about the next one.

use super::{Deployment, Phase, Stage, Usual};

/// How long each stage usually took: the median of the past deployments that succeeded, in seconds.
pub fn usual<'a>(past: impl IntoIterator<Item = &'a Deployment>) -> Usual {
    let good: Vec<&Deployment> = past.into_iter().filter(|d| matches!(d.phase, Phase::Succeeded { .. })).collect();
    let of = |stage: Stage| {
        let times = good.iter().flat_map(|deployment| &deployment.times).filter(|time| time.stage == stage);
        let mut seconds: Vec<u32> = times.filter_map(|time| u32::try_from(time.ended?.duration_since(time.began).as_secs()).ok()).collect();
        seconds.sort_unstable();
        seconds.get(seconds.len() / 2).copied()
    };
    Usual { build: of(Stage::Build), release: of(Stage::Release), dynos: of(Stage::Dynos) }
}
