//! One fault at a time: what a call that failed in one way means for the deploy.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use jiff::Timestamp;

use super::*;
use crate::adapters::clock::{RandomIds, SystemClock};
use crate::domain::account::Provider;
use crate::domain::actor::Person;
use crate::domain::deployment::samples;
use crate::domain::names::BuildId;
use crate::domain::release::{Build, Dyno, DynoKind, DynoState, DynosVerdict};
use crate::ports::{Accounts, MockChat, MockPlatform, MockSourceControl, MockStore, NoCredentials, Service, UploadedSource};
use crate::usecases::RepositoryMap;

#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Accounts for Nobody {
    async fn credentials(&self, _: &Person) -> Result<Credentials, NoCredentials> {
        Err(NoCredentials::Stranger)
    }

    async fn refused(&self, _: &Person, _: Provider, _: &SecretString) -> bool {
        false
    }
}

fn ports(source: MockSourceControl, platform: MockPlatform) -> Ports {
    Ports {
        chat: Arc::new(MockChat::new()),
        source: Arc::new(source),
        platform: Arc::new(platform),
        store: Arc::new(MockStore::new()),
        clock: Arc::new(SystemClock::default()),
        ids: Arc::new(RandomIds),
        accounts: Arc::new(Nobody),
        sign_ins: None,
        allowances: Arc::new(crate::ports::Boundless),
        locks: Arc::new(crate::ports::NoLocks),
        privacy: crate::usecases::Privacy::none(),
        rights: crate::usecases::Rights::none(),
        memories: crate::usecases::Memories::default(),
        doorbell: None,
        repositories: Arc::new(RepositoryMap::default()),
        command_word: Arc::from("/h"),
        tally: super::super::testing::Outside::new(),
        stopping: Arc::new(AtomicBool::new(false)),
    }
}

fn ana() -> Credentials {
    Credentials { source: "s".into(), platform: "p".into() }
}

/// A deployment that has just come into a phase.
fn fresh(phase: Phase) -> Deployment {
    Deployment { since: Timestamp::MAX, ..samples::deployment(phase) }
}

fn uploaded() -> UploadedSource {
    UploadedSource { address: "https://storage.example/x".into(), sha256: "0".repeat(64), at: Timestamp::MAX }
}

fn entered() -> Hands {
    Hands { source: Some(uploaded()), entered: true, ..Hands::default() }
}

fn fault(service: Service, fault: Fault) -> PortError {
    PortError::new(service, fault, "planted").saying("no")
}

const FAULTS: [Fault; 8] = [
    Fault::SignInLost,
    Fault::Forbidden,
    Fault::NotFound,
    Fault::Refused,
    Fault::RateLimited { until: None },
    Fault::Unreachable,
    Fault::Unclear,
    Fault::Nonsense,
];

#[tokio::test]
async fn an_order_for_a_build_may_have_had_an_effect_only_where_the_answer_is_unclear() {
    for planted in FAULTS {
        let mut platform = MockPlatform::new();
        platform.expect_start_build().once().returning(move |_, _, _| Err(fault(Service::Platform, planted)));
        let ports = ports(MockSourceControl::new(), platform);
        let deployment = fresh(Phase::AboutToBuild(Standing::Fresh));
        let outcome = perform(&ports, &ana(), &deployment, Step::OrderBuild, &mut entered()).await;
        let expected = match planted {
            Fault::SignInLost => Outcome::SignInLost,
            Fault::Unclear | Fault::Nonsense => Outcome::Unclear,
            Fault::Unreachable | Fault::RateLimited { .. } => Outcome::NoNews,
            Fault::Forbidden | Fault::NotFound | Fault::Refused => Outcome::BuildRefused(Some("no".to_owned())),
        };
        assert_eq!(outcome, expected, "{planted:?}");
    }
}

#[tokio::test]
async fn so_may_an_order_for_a_record() {
    for planted in FAULTS {
        let mut source = MockSourceControl::new();
        source.expect_announce().once().returning(move |_, _, _| Err(fault(Service::SourceControl, planted)));
        let ports = ports(source, MockPlatform::new());
        let deployment = fresh(Phase::Announcing(Standing::Fresh));
        let outcome = perform(&ports, &ana(), &deployment, Step::Announce, &mut entered()).await;
        let expected = match planted {
            Fault::SignInLost => Outcome::SignInLost,
            Fault::Unclear | Fault::Nonsense => Outcome::Unclear,
            Fault::Unreachable | Fault::RateLimited { .. } => Outcome::NoNews,
            Fault::Forbidden | Fault::NotFound | Fault::Refused => Outcome::AnnouncementRefused(Some("no".to_owned())),
        };
        assert_eq!(outcome, expected, "{planted:?}");
    }
}

#[tokio::test]
async fn a_worker_that_did_not_write_the_phase_orders_nothing() {
    // No call is expected: one would fail the test.
    let ports = ports(MockSourceControl::new(), MockPlatform::new());
    let mut hands = Hands { entered: false, ..entered() };
    let announcing = fresh(Phase::Announcing(Standing::Fresh));
    assert_eq!(perform(&ports, &ana(), &announcing, Step::Announce, &mut hands).await, Outcome::Interrupted);
    let ordering = fresh(Phase::AboutToBuild(Standing::Fresh));
    assert_eq!(perform(&ports, &ana(), &ordering, Step::OrderBuild, &mut hands).await, Outcome::Interrupted);
}

#[tokio::test]
async fn a_build_that_cannot_be_seen_any_more_has_not_failed() {
    for planted in FAULTS {
        let mut platform = MockPlatform::new();
        platform.expect_build().once().returning(move |_, _, _| Err(fault(Service::Platform, planted)));
        let ports = ports(MockSourceControl::new(), platform);
        let build = BuildId::parse("b1").unwrap();
        let deployment = fresh(Phase::Building { build: build.clone() });
        let outcome = perform(&ports, &ana(), &deployment, Step::SeeBuild(build), &mut Hands::default()).await;
        let expected = match planted {
            Fault::SignInLost => Outcome::SignInLost,
            Fault::NotFound | Fault::Forbidden => Outcome::Vanished,
            Fault::Refused | Fault::RateLimited { .. } | Fault::Unreachable | Fault::Unclear | Fault::Nonsense => Outcome::NoNews,
        };
        assert_eq!(outcome, expected, "{planted:?}");
    }
}

#[tokio::test]
async fn a_stop_that_does_not_get_through_does_not_hide_the_end_of_the_build() {
    let build = BuildId::parse("b1").unwrap();
    let succeeded = || BuildState::Succeeded { release: None };
    for (lost, state, expected) in [
        (Fault::Unreachable, BuildState::Failed, Outcome::BuildSeen(BuildState::Failed)),
        (Fault::Unreachable, succeeded(), Outcome::BuildSeen(succeeded())),
        (Fault::Unreachable, BuildState::Pending, Outcome::NoNews),
        // The stop may be what ended it, and only the answer was lost.
        (Fault::Unclear, BuildState::Failed, Outcome::StopSent(build.clone())),
        (Fault::Unclear, succeeded(), Outcome::BuildSeen(succeeded())),
        (Fault::Unclear, BuildState::Pending, Outcome::NoNews),
    ] {
        let what = format!("{lost:?}, {state:?}");
        let mut platform = MockPlatform::new();
        platform.expect_stop_build().once().returning(move |_, _, _| Err(fault(Service::Platform, lost)));
        let seen = Build { id: build.clone(), state, created_at: None };
        platform.expect_build().once().returning(move |_, _, _| Ok(seen.clone()));
        let ports = ports(MockSourceControl::new(), platform);
        let deployment = fresh(Phase::Building { build: build.clone() });
        let outcome = perform(&ports, &ana(), &deployment, Step::StopBuild(build.clone()), &mut Hands::default()).await;
        assert_eq!(outcome, expected, "{what}");
    }
}

#[tokio::test]
async fn dynos_are_judged_by_the_release_that_is_followed() {
    let mut platform = MockPlatform::new();
    platform
        .expect_dynos()
        .once()
        .returning(|_, _| Ok(vec![Dyno { name: "web.1".to_owned(), kind: DynoKind::Lasting, state: DynoState::Up, release: 4 }]));
    let ports = ports(MockSourceControl::new(), platform);
    let step = Step::SeeDynos { version: 5 };
    let release = samples::release_id();
    let deployment = fresh(Phase::Restarting { release, version: 5, crashed_since: None, up: None });
    let outcome = perform(&ports, &ana(), &deployment, step, &mut Hands::default()).await;
    assert_eq!(outcome, Outcome::DynosSeen(DynosVerdict::Starting { up: 0, of: 1 }));
}
