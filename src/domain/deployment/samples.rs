//! Deployments for tests: one of each phase.

/// Lists samples by pattern: a variant without a pattern does not compile, a sample beside its pattern panics.
macro_rules! every {
    ($(#[$doc:meta])* fn $name:ident() -> $Type:ty { $($pattern:pat => [$($sample:expr),+ $(,)?],)+ }) => {
        $(#[$doc])*
        pub(crate) fn $name() -> Vec<$Type> {
            fn none_is_missing(sample: &$Type) {
                match sample {
                    $($pattern => {})+
                }
            }
            let mut all: Vec<$Type> = Vec::new();
            $(for sample in [$($sample),+] {
                assert!(matches!(sample, $pattern), "{sample:?} is no sample of {}", stringify!($pattern));
                all.push(sample);
            })+
            all.iter().for_each(none_is_missing);
            all
        }
    };
}
pub(crate) use every;

use super::*;
use crate::domain::checks::Obstacle;
use crate::domain::fault::Service;
use crate::domain::gate::Reason;
use crate::domain::names::{BuildId, ChannelId, PipelineId, RefName, ReleaseId, UserId, WorkspaceId};
use crate::domain::source::{CommitRef, Direction};

/// A moment, in seconds after the start of the day of all samples.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_006_400 + second).unwrap()
}

pub(crate) fn person(user: &str) -> Person {
    Person { workspace: WorkspaceId::parse("T1").unwrap(), user: UserId::parse(user).unwrap() }
}

pub(crate) fn build_id() -> BuildId {
    BuildId::parse("build-1").unwrap()
}

pub(crate) fn release_id() -> ReleaseId {
    ReleaseId::parse("release-1").unwrap()
}

/// A deployment by `ana` of 27bd10a (main) to staging (hubot-staging), which stands in `phase` since the start.
pub(crate) fn deployment(phase: Phase) -> Deployment {
    let stage = phase.stage();
    Deployment {
        id: DeploymentId(uuid::Uuid::from_u128(1)),
        version: 1,
        delivery: DeliveryId::parse("d1").unwrap(),
        origin: Origin { person: person("ana"), channel: ChannelId::parse("C1").unwrap(), reply: None },
        asked_at: at(0),
        target: Target {
            pipeline: PipelineId::parse("pipeline-1").unwrap(),
            pipeline_name: PipelineName::parse("hubot").unwrap(),
            app: AppId::parse("app-1").unwrap(),
            app_name: AppName::parse("hubot-staging").unwrap(),
            environment: Environment::Staging,
            web_url: None,
        },
        cargo: Cargo {
            repository: RepoName::parse("acme/hubot").unwrap(),
            repository_url: "https://source.example.com/acme/hubot".to_owned(),
            overrides_link_to: None,
            asked: AskedRef::Named(RefName::parse("main").unwrap()),
            named_by: CommitRef::Branch(RefName::parse("main").unwrap()),
            commit: CommitSha::parse("27bd10a0000000000000000000000000000000aa").unwrap(),
            change: Some(Comparison {
                direction: Direction::Ahead,
                added: 2,
                dropped: 0,
                authors: vec!["Ana".to_owned(), "Bo".to_owned()],
                url: "https://source.example.com/acme/hubot/compare/a...b".to_owned(),
            }),
            no_checks: false,
        },
        way: Way::Build,
        overriding: None,
        when_green: false,
        ask_first: false,
        phase,
        since: at(0),
        times: stage.map(|stage| StageTime { stage, began: at(0), ended: None }).into_iter().collect(),
        usual: Usual::default(),
        builds_ordered: 0,
        announcements_ordered: 0,
        slot_wanted_since: None,
        code_spent_at: None,
        announcement: None,
        build: None,
        release: None,
        because: None,
        asker_told: false,
        end_shown: false,
        followed_up: false,
        story: Vec::new(),
        untold: Vec::new(),
        notices: Vec::new(),
        cancel: None,
        moved: None,
        riders: Vec::new(),
        card: Card::NotShown,
        card_again_at: None,
        card_may_come_until: None,
        closed: false,
    }
}

/// Checks that are not done.
pub(crate) fn not_done() -> Vec<Obstacle> {
    vec![Obstacle { name: CheckName::parse("ci").unwrap(), url: Some("https://ci.example.com/1".to_owned()) }]
}

fn said() -> Option<String> {
    Some("no such thing".to_owned())
}

every! {
    fn watched() -> Watched {
        Watched::Order => [Watched::Order],
        Watched::Build { .. } => [Watched::Build { build: build_id() }],
        Watched::Release { .. } => [
            Watched::Release { release: release_id(), version: Some(12) },
            Watched::Release { release: release_id(), version: None },
        ],
        Watched::Dynos { .. } => [Watched::Dynos { release: release_id(), version: 12 }],
    }
}

every! {
    fn failures() -> Failure {
        Failure::Gate(_) => [Failure::Gate(vec![Reason::FromFork])],
        Failure::NotGreen(_) => [Failure::NotGreen(not_done())],
        Failure::NoCode => [Failure::NoCode],
        Failure::NoAnswer => [Failure::NoAnswer],
        Failure::SignInLost => [Failure::SignInLost],
        Failure::AnnouncementRefused(_) => [Failure::AnnouncementRefused(said())],
        Failure::AnnouncementUnclear => [Failure::AnnouncementUnclear],
        Failure::SourceUnavailable(_) => [Failure::SourceUnavailable(said())],
        Failure::SourceTooLarge { .. } => [Failure::SourceTooLarge { limit: 1 << 30 }],
        Failure::DiskFull => [Failure::DiskFull],
        Failure::BuildRefused(_) => [Failure::BuildRefused(said())],
        Failure::ReleaseRefused(_) => [Failure::ReleaseRefused(Some("no".to_owned()))],
        Failure::NoBuildSlot => [Failure::NoBuildSlot],
        Failure::Build => [Failure::Build],
        Failure::Release => [Failure::Release],
        Failure::ReleaseExpired => [Failure::ReleaseExpired],
        Failure::DynosCrashed { .. } => [Failure::DynosCrashed { names: vec!["web.1".to_owned()] }],
    }
}

fn restarting(crashed_since: Option<Timestamp>, up: Option<(u64, u64)>) -> Phase {
    Phase::Restarting { release: release_id(), version: 12, crashed_since, up }
}

every! {
    /// Every phase, with every kind of data that matters for where it goes.
    fn phases() -> Phase {
        Phase::Waiting(WaitingFor::Turn) => [Phase::Waiting(WaitingFor::Turn)],
        Phase::Waiting(WaitingFor::Answer { .. }) => [Phase::Waiting(WaitingFor::Answer { until: at(600) })],
        Phase::Waiting(WaitingFor::Checks { .. }) => [Phase::Waiting(WaitingFor::Checks { open: not_done(), until: at(7_200) })],
        Phase::Waiting(WaitingFor::BuildSlot { .. }) => [Phase::Waiting(WaitingFor::BuildSlot { next: at(60), since: at(0) })],
        Phase::Waiting(WaitingFor::Allowance { .. }) => [
            Phase::Waiting(WaitingFor::Allowance { of: Service::SourceControl, since: at(0) }),
            Phase::Waiting(WaitingFor::Allowance { of: Service::Platform, since: at(0) }),
        ],
        Phase::NeedsCode { .. } => [Phase::NeedsCode { until: at(600) }],
        Phase::Starting => [Phase::Starting],
        Phase::Announcing(Standing::Fresh) => [Phase::Announcing(Standing::Fresh)],
        Phase::Announcing(Standing::Unclear { .. }) => [Phase::Announcing(Standing::Unclear { since: at(0) })],
        Phase::Uploading => [Phase::Uploading],
        Phase::AboutToBuild(Standing::Fresh) => [Phase::AboutToBuild(Standing::Fresh)],
        Phase::AboutToBuild(Standing::Unclear { .. }) => [Phase::AboutToBuild(Standing::Unclear { since: at(0) })],
        Phase::Building { .. } => [Phase::Building { build: build_id() }],
        Phase::Releasing { .. } => [
            Phase::Releasing { build: Some(build_id()), release: release_id(), version: None },
            Phase::Releasing { build: None, release: release_id(), version: Some(12) },
        ],
        Phase::Restarting { .. } => [restarting(None, None), restarting(None, Some((2, 3))), restarting(Some(at(0)), None)],
        Phase::Unknown(_) => [
            Phase::Unknown(Watched::Order),
            Phase::Unknown(Watched::Build { build: build_id() }),
            Phase::Unknown(Watched::Release { release: release_id(), version: Some(12) }),
            Phase::Unknown(Watched::Release { release: release_id(), version: None }),
            Phase::Unknown(Watched::Dynos { release: release_id(), version: 12 }),
        ],
        Phase::Succeeded { .. } => [
            Phase::Succeeded { version: 12, dynos: DynosUp::Up(3) },
            Phase::Succeeded { version: 12, dynos: DynosUp::None },
            Phase::Succeeded { version: 12, dynos: DynosUp::Overtaken(13) },
        ],
        Phase::Failed { .. } => [
            Phase::Failed { during: Stage::Build, why: Failure::Build },
            Phase::Failed { during: Stage::Checks, why: Failure::Gate(vec![Reason::FromFork]) },
        ],
        Phase::Cancelled { .. } => [
            Phase::Cancelled { by: person("ana"), during: Stage::Build },
            Phase::Cancelled { by: person("bo"), during: Stage::Line },
        ],
        Phase::Freed { .. } => [Phase::Freed { by: person("bo"), was: Watched::Order, because: None }],
    }
}

/// Phases that have not ended.
pub(crate) fn running() -> Vec<Phase> {
    phases().into_iter().filter(|phase| phase.milestone() != Milestone::Ended).collect()
}

/// Phases that have ended, each failure and each thing that can be freed among them.
pub(crate) fn ended() -> Vec<Phase> {
    let ended = phases().into_iter().filter(|phase| phase.milestone() == Milestone::Ended);
    let failed = failures().into_iter().map(|why| Phase::Failed { during: Stage::Build, why });
    let freed = watched().into_iter().map(|was| Phase::Freed { by: person("bo"), was, because: Because::parse("its page says so").ok() });
    ended.chain(failed).chain(freed).collect()
}

/// Every phase, ended or not.
pub(crate) fn all() -> Vec<Phase> {
    running().into_iter().chain(ended()).collect()
}
