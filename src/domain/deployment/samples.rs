//! Deployments for tests: one of each phase.

use super::*;
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
        overriding: None,
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
        cancel: None,
        card: Card::NotShown,
        closed: false,
    }
}

pub(crate) fn watched() -> Vec<Watched> {
    vec![
        Watched::Order,
        Watched::Build { build: build_id() },
        Watched::Release { release: release_id(), version: Some(12) },
        Watched::Release { release: release_id(), version: None },
        Watched::Dynos { release: release_id(), version: 12 },
    ]
}

pub(crate) fn failures() -> Vec<Failure> {
    let said = || Some("no such thing".to_owned());
    vec![
        Failure::Gate(vec![Reason::FromFork]),
        Failure::NoCode,
        Failure::SignInLost,
        Failure::AnnouncementRefused(said()),
        Failure::AnnouncementUnclear,
        Failure::SourceUnavailable(said()),
        Failure::SourceTooLarge { limit: 1 << 30 },
        Failure::DiskFull,
        Failure::BuildRefused(said()),
        Failure::NoBuildSlot,
        Failure::Build,
        Failure::Release,
        Failure::ReleaseExpired,
        Failure::DynosCrashed { names: vec!["web.1".to_owned()] },
    ]
}

/// Phases that have not ended.
pub(crate) fn running() -> Vec<Phase> {
    let restarting = |crashed_since, up| Phase::Restarting { release: release_id(), version: 12, crashed_since, up };
    let mut phases = vec![
        Phase::Waiting(WaitingFor::Turn),
        Phase::Waiting(WaitingFor::BuildSlot { next: at(60), since: at(0) }),
        Phase::NeedsCode { until: at(600) },
        Phase::Starting,
        Phase::Announcing(Standing::Fresh),
        Phase::Announcing(Standing::Unclear { since: at(0) }),
        Phase::Uploading,
        Phase::AboutToBuild(Standing::Fresh),
        Phase::AboutToBuild(Standing::Unclear { since: at(0) }),
        Phase::Building { build: build_id() },
        Phase::Releasing { build: build_id(), release: release_id(), version: None },
        Phase::Releasing { build: build_id(), release: release_id(), version: Some(12) },
        restarting(None, None),
        restarting(None, Some((2, 3))),
        restarting(Some(at(0)), None),
    ];
    phases.extend(watched().into_iter().map(Phase::Unknown));
    phases
}

/// Phases that have ended.
pub(crate) fn ended() -> Vec<Phase> {
    let mut phases: Vec<Phase> =
        [DynosUp::Up(3), DynosUp::None, DynosUp::Overtaken(13)].map(|dynos| Phase::Succeeded { version: 12, dynos }).into();
    phases.extend(failures().into_iter().map(|why| Phase::Failed { during: Stage::Build, why }));
    phases.push(Phase::Cancelled { by: person("ana"), during: Stage::Build });
    phases.push(Phase::Cancelled { by: person("bo"), during: Stage::Line });
    phases.extend(watched().into_iter().map(|was| Phase::Freed { by: person("bo"), was }));
    phases
}

pub(crate) fn all() -> Vec<Phase> {
    running().into_iter().chain(ended()).collect()
}
