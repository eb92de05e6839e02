//! What is told below the card: what has come to pass while people waited, and how it ended. The card shows only how it stands.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Deployment, Milestone, Phase, Stage};

/// What takes less than this is seen on the card alone.
const WORTH_A_WORD: SignedDuration = SignedDuration::from_mins(1);
/// An end that comes sooner than this after it was asked for is read on the card, which is still before everybody's eyes.
const OUT_OF_SIGHT: SignedDuration = SignedDuration::from_mins(2);

/// Something that is told below the card, once. In the order in which they come to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It has begun, after a wait in line.
    Begun,
    /// The build is done, or the promotion.
    Built,
    /// The release phase is done.
    Released,
    /// Some of its dynos are down.
    DynosDown,
    /// Somebody asked to stop it when it could not be stopped any more.
    StopTooLate,
    /// Nobody knows how it stands.
    Unknown,
    /// How it ended.
    End,
}

impl Deployment {
    /// What is to be told below the card now; empty: nothing. What was not told before the end is not told any more: the end says it all.
    pub fn chapter(&self) -> Vec<Mark> {
        let long = |stage| self.took(stage) >= WORTH_A_WORD;
        let begun = self.phase.stage().is_some_and(|now_in| now_in > Stage::Checks) && !self.waits_for_slot();
        let released = matches!(self.phase.milestone(), Milestone::Releasing | Milestone::Restarting);
        let come_to_pass = [
            (Mark::Begun, begun && long(Stage::Line)),
            (Mark::Built, self.is_past(Stage::Build) && long(Stage::Build)),
            (Mark::Released, self.is_past(Stage::Release) && long(Stage::Release)),
            (Mark::DynosDown, matches!(self.phase, Phase::Restarting { crashed_since: Some(_), .. })),
            (Mark::StopTooLate, released && self.cancel.is_some()),
            (Mark::Unknown, matches!(self.phase, Phase::Unknown(_))),
            (Mark::End, self.ends_out_of_sight()),
        ];
        come_to_pass.into_iter().filter(|(mark, passed)| *passed && !self.story.contains(mark)).map(|(mark, _)| mark).collect()
    }

    /// Whether it is over, some time after it was asked for, and something was begun outside: what was not, changes nothing for the others.
    fn ends_out_of_sight(&self) -> bool {
        let begun = self.times.iter().any(|time| time.stage > Stage::Checks);
        self.has_ended() && begun && self.since.duration_since(self.asked_at) >= OUT_OF_SIGHT
    }

    /// Whether its end is for everybody in the conversation once more: it went well or failed. Who stopped or freed it has said so there.
    pub fn ends_for_all(&self) -> bool {
        matches!(self.phase, Phase::Succeeded { .. } | Phase::Failed { .. })
    }

    /// Whether it has been in a stage and is beyond it. A build that found no room is not done.
    fn is_past(&self, stage: Stage) -> bool {
        let beyond = self.phase.stage().is_some_and(|now_in| now_in > stage);
        beyond && self.times.iter().any(|time| time.stage == stage)
    }

    /// Whether it has waited for anything before it began.
    pub fn has_waited(&self) -> bool {
        self.times.iter().any(|time| time.stage < Stage::Checks)
    }

    /// How long it was in a stage, all times together that are over.
    pub fn took(&self, stage: Stage) -> SignedDuration {
        let times = self.times.iter().filter(|time| time.stage == stage);
        times.filter_map(|time| Some(time.ended?.duration_since(time.began))).fold(SignedDuration::ZERO, SignedDuration::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, build_id, deployment, person, release_id};
    use super::super::{Cancel, DynosUp, Failure, StageTime, WaitingFor, Watched};
    use super::*;

    fn stood(phase: Phase, stages: &[(Stage, i64, Option<i64>)]) -> Deployment {
        let time = |(stage, began, ended): &(Stage, i64, Option<i64>)| StageTime { stage: *stage, began: at(*began), ended: ended.map(at) };
        Deployment { asked_at: at(0), times: stages.iter().map(time).collect(), ..deployment(phase) }
    }

    fn releasing() -> Phase {
        Phase::Releasing { build: Some(build_id()), release: release_id(), version: Some(2) }
    }

    fn restarting(crashed: Option<i64>) -> Phase {
        Phase::Restarting { release: release_id(), version: 2, crashed_since: crashed.map(at), up: None }
    }

    #[test]
    fn what_took_long_is_told_when_it_is_done() {
        let builds = stood(Phase::Building { build: build_id() }, &[(Stage::Build, 0, None)]);
        assert_eq!(builds.chapter(), []);
        let mut one = stood(releasing(), &[(Stage::Build, 0, Some(60)), (Stage::Release, 60, None)]);
        assert_eq!(one.chapter(), [Mark::Built]);
        one.story.push(Mark::Built);
        assert_eq!(one.chapter(), [], "each is told once");
        assert_eq!(stood(releasing(), &[(Stage::Build, 0, Some(59)), (Stage::Release, 59, None)]).chapter(), []);
        let both = stood(restarting(None), &[(Stage::Build, 0, Some(70)), (Stage::Release, 70, Some(150)), (Stage::Dynos, 150, None)]);
        assert_eq!(both.chapter(), [Mark::Built, Mark::Released], "what was not told yet is told with what comes after it");
        let full = Phase::Waiting(WaitingFor::BuildSlot { next: at(100), since: at(90) });
        let full = stood(full, &[(Stage::Build, 0, Some(90)), (Stage::Line, 90, None)]);
        assert_eq!(full.chapter(), [], "a build that found no room is not done");
    }

    #[test]
    fn a_long_wait_is_told_when_it_is_over() {
        let waited = |phase, stage, seconds| stood(phase, &[(Stage::Line, 0, Some(seconds)), (stage, seconds, None)]);
        assert_eq!(waited(Phase::Uploading, Stage::Source, 60).chapter(), [Mark::Begun]);
        assert_eq!(waited(Phase::Uploading, Stage::Source, 59).chapter(), []);
        assert_eq!(waited(Phase::Starting, Stage::Checks, 60).chapter(), [], "it may be refused yet");
        assert_eq!(waited(Phase::NeedsCode { until: at(99) }, Stage::Code, 60).chapter(), []);
        let tries = Deployment { slot_wanted_since: Some(at(0)), ..waited(Phase::Uploading, Stage::Source, 60) };
        assert_eq!(tries.chapter(), [], "there may be no room again");
        assert_eq!(Deployment { phase: Phase::Building { build: build_id() }, ..tries }.chapter(), [Mark::Begun]);
    }

    #[test]
    fn trouble_is_told_however_soon_it_comes() {
        assert_eq!(stood(restarting(Some(5)), &[]).chapter(), [Mark::DynosDown]);
        assert_eq!(stood(Phase::Unknown(Watched::Order), &[]).chapter(), [Mark::Unknown]);
        let cancel = Cancel { by: person("bob"), at: at(1), told: false, because: None };
        let stopped = |phase| Deployment { cancel: Some(cancel.clone()), ..stood(phase, &[]) };
        assert_eq!(stopped(Phase::Building { build: build_id() }).chapter(), []);
        assert_eq!(stopped(releasing()).chapter(), [Mark::StopTooLate]);
    }

    #[test]
    fn the_end_is_told_once_and_only_where_the_card_may_be_out_of_sight() {
        let out = |since| Deployment {
            since: at(since),
            ..stood(Phase::Succeeded { version: 2, dynos: DynosUp::None }, &[(Stage::Build, 0, Some(100))])
        };
        assert_eq!(out(119).chapter(), []);
        let mut late = out(120);
        assert_eq!(late.chapter(), [Mark::End], "what was not told before is not told after it");
        late.story.push(Mark::End);
        assert_eq!(late.chapter(), []);
    }

    #[test]
    fn an_end_is_told_where_something_was_begun_and_to_all_where_nobody_has_said_it_there() {
        let ends = |phase, stage| {
            let late = Deployment { since: at(500), ..stood(phase, &[(stage, 0, Some(1))]) };
            (!late.chapter().is_empty(), late.ends_for_all())
        };
        assert_eq!(ends(Phase::Succeeded { version: 2, dynos: DynosUp::None }, Stage::Dynos), (true, true));
        assert_eq!(ends(Phase::Failed { during: Stage::Build, why: Failure::Build }, Stage::Build), (true, true));
        assert_eq!(ends(Phase::Cancelled { by: person("ana"), during: Stage::Build }, Stage::Build), (true, false));
        assert!(!ends(Phase::Failed { during: Stage::Checks, why: Failure::Gate(Vec::new()) }, Stage::Checks).0);
        assert!(!ends(Phase::Cancelled { by: person("ana"), during: Stage::Line }, Stage::Line).0);
    }
}
