//! What whoever counts promises: [`Tally`].

use std::collections::BTreeMap;

use super::account_store::person;
use super::records::at;
use crate::domain::deployment::{DynosUp, Failure, Phase, Stage as During, Standing, WaitingFor, Watched};
use crate::domain::gate::Reason;
use crate::domain::names::{BuildId, RefName, ReleaseId};
use crate::domain::source::CommitRef;
use crate::ports::Tally;

/// Somebody who counts, and what they show.
pub trait Stage {
    /// Whoever counts.
    fn tally(&self) -> &dyn Tally;

    /// How many deployments began.
    fn began(&self) -> u64;

    /// How often each reason refused a deploy, by its code.
    fn refused(&self) -> BTreeMap<String, u64>;

    /// How many deployments came to each end, whatever that is called.
    fn ended(&self) -> BTreeMap<String, u64>;

    /// Everything that is shown.
    fn shown(&self) -> String;
}

/// The whole suite; `make` gives somebody who has counted nothing.
pub fn all<S: Stage>(make: impl Fn() -> S) {
    each_beginning_counts(&make());
    each_reason_counts(&make());
    an_end_counts_once_as_what_it_is(&make());
    what_has_not_ended_is_no_end(&make());
    nobody_is_named(&make());
}

fn build() -> BuildId {
    BuildId::parse("marker-of-a-build").unwrap()
}

fn release() -> ReleaseId {
    ReleaseId::parse("marker-of-a-release").unwrap()
}

fn ends() -> [Phase; 4] {
    let by = person("marker-of-a-workspace", "marker-of-a-user");
    [
        Phase::Succeeded { version: 7, dynos: DynosUp::None },
        Phase::Failed { during: During::Build, why: Failure::AnnouncementRefused(Some("marker-of-words".to_owned())) },
        Phase::Cancelled { by: by.clone(), during: During::Build },
        Phase::Freed { by, was: Watched::Build { build: build() }, because: None },
    ]
}

fn each_beginning_counts(stage: &impl Stage) {
    stage.tally().began();
    stage.tally().began();
    assert_eq!(stage.began(), 2, "broken: each deployment that was recorded counts");
    assert_eq!((stage.refused().values().sum::<u64>(), stage.ended().values().sum::<u64>()), (0, 0), "broken: and as nothing else");
}

fn each_reason_counts(stage: &impl Stage) {
    stage.tally().refused(&[Reason::FromFork, Reason::MayNotDeploy]);
    stage.tally().refused(&[Reason::FromFork]);
    stage.tally().refused(&[]);
    let counted: BTreeMap<String, u64> = stage.refused().into_iter().filter(|(_, many)| *many > 0).collect();
    let each = [(Reason::FromFork, 2), (Reason::MayNotDeploy, 1)].map(|(reason, many)| (reason.code().to_owned(), many));
    assert_eq!(counted, BTreeMap::from(each), "broken: each reason counts, whatever else was a reason");
}

fn an_end_counts_once_as_what_it_is(stage: &impl Stage) {
    for (number, end) in ends().iter().enumerate() {
        for _ in 0..=number {
            stage.tally().ended(end);
        }
    }
    let mut counted: Vec<u64> = stage.ended().into_values().filter(|many| *many > 0).collect();
    counted.sort_unstable();
    assert_eq!(counted, [1, 2, 3, 4], "broken: each end counts once, and each kind of end for itself");
}

fn what_has_not_ended_is_no_end(stage: &impl Stage) {
    let (build, release) = (build(), release());
    for phase in [
        Phase::Waiting(WaitingFor::Turn),
        Phase::NeedsCode { until: at(0) },
        Phase::Starting,
        Phase::Announcing(Standing::Fresh),
        Phase::Uploading,
        Phase::AboutToBuild(Standing::Fresh),
        Phase::Building { build: build.clone() },
        Phase::Releasing { build: Some(build), release: release.clone(), version: None },
        Phase::Restarting { release, version: 7, crashed_since: None, up: None },
        Phase::Unknown(Watched::Order),
    ] {
        stage.tally().ended(&phase);
        assert_eq!(stage.ended().values().sum::<u64>(), 0, "broken: what has not ended counts as no end: {phase:?}");
    }
}

fn nobody_is_named(stage: &impl Stage) {
    stage.tally().began();
    stage.tally().refused(&[
        Reason::ChecksUnreadable { said: Some("marker-of-words".to_owned()) },
        Reason::RefGone { by: CommitRef::Branch(RefName::parse("marker-of-a-branch").unwrap()) },
    ]);
    ends().iter().for_each(|end| stage.tally().ended(end));
    let shown = stage.shown();
    assert!(!shown.contains("marker"), "broken: no person, no name and no text is shown: {shown}");
}
