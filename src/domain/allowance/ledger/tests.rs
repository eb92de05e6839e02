//! Nobody is promised more than there is.

use super::*;
use crate::domain::deployment::samples::{at, build_id, deployment};
use crate::domain::deployment::{Announcement, Deployment, Failure, Stage};
use crate::domain::names::AnnouncementId;

const SOURCE: Limits = Limits { requests: 5000, refill: Refill::AtOnce, writes: Some(Writes { minute: 80, hour: 500 }), deploy: 10 };
const PLATFORM: Limits = Limits { requests: 3600, refill: Refill::Steady, writes: None, deploy: 10 };
const WHO: Holders = Holders { source: Holder([1; 32]), platform: Holder([2; 32]) };

fn ledger() -> Ledger {
    Ledger::new(SOURCE, PLATFORM)
}

fn id(number: u128) -> DeploymentId {
    DeploymentId(uuid::Uuid::from_u128(number))
}

fn one(number: u128, phase: Phase, reported: Option<Option<ReportState>>) -> Deployment {
    let announcement = reported.map(|reported| Announcement { id: AnnouncementId::parse("7").unwrap(), reported });
    Deployment { id: id(number), announcement, ..deployment(phase) }
}

/// A deployment that was let in has its record now.
fn announced(ledger: &mut Ledger, number: u128, now: Timestamp) {
    ledger.wrote(Service::SourceControl, WHO.source, now);
    ledger.follow(&one(number, Phase::Building { build: build_id() }, Some(None)), WHO);
}

#[test]
fn starts_leave_half_of_each_minute_to_ends() {
    let mut ledger = ledger();
    let begun: Vec<u128> = (0..200).filter(|number| ledger.begin(id(*number), WHO, at(0)).is_ok()).collect();
    assert_eq!(begun, (0..40).collect::<Vec<_>>());
    for number in begun {
        announced(&mut ledger, number, at(1));
    }
    assert_eq!(ledger.begin(id(41), WHO, at(30)), Err(Short { of: Service::SourceControl, until: at(61) }), "behind the fortieth");
    assert_eq!(ledger.begin(id(40), WHO, at(61)), Ok(()));
}

#[test]
fn what_has_begun_can_always_end() {
    let mut ledger = ledger();
    let (mut begun, mut now) = (0, 0);
    for number in 0..400 {
        if ledger.begin(id(number), WHO, at(now)).is_ok() {
            announced(&mut ledger, number, at(now));
            begun += 1;
        } else {
            ledger.over(id(number));
        }
        now += 2;
    }
    assert_eq!(begun, 248, "each has used one and is owed another");
    let ended = (0..begun).filter(|_| {
        let may = ledger.may_write(WHO.source, Purpose::End, at(now)).is_ok();
        ledger.wrote(Service::SourceControl, WHO.source, at(now));
        now += 1;
        may
    });
    assert_eq!(ended.count(), usize::try_from(begun).unwrap());
}

#[test]
fn progress_never_takes_what_is_owed() {
    let mut ledger = ledger();
    for number in 0..240_u32 {
        let now = at(i64::from(number) * 2);
        assert_eq!(ledger.begin(id(u128::from(number)), WHO, now), Ok(()));
        announced(&mut ledger, u128::from(number), now);
    }
    assert_eq!(
        (0..100)
            .filter(|second| {
                let may = ledger.may_write(WHO.source, Purpose::Progress, at(600 + second)).is_ok();
                if may {
                    ledger.wrote(Service::SourceControl, WHO.source, at(600 + second));
                }
                may
            })
            .count(),
        16,
        "240 written, 240 owed"
    );
    assert!(ledger.may_write(Holder([9; 32]), Purpose::Progress, at(600)).is_ok(), "another account");
}

#[test]
fn a_service_that_wants_to_be_left_alone_is_left_alone() {
    let mut ledger = ledger();
    ledger.shut(Service::SourceControl, WHO.source, at(90));
    assert_eq!(ledger.may_write(WHO.source, Purpose::End, at(10)), Err(at(90)));
    assert_eq!(ledger.begin(id(1), WHO, at(10)), Err(Short { of: Service::SourceControl, until: at(90) }));
    assert_eq!(ledger.may_write(WHO.source, Purpose::End, at(90)), Ok(()));
    ledger.shut(Service::Platform, WHO.platform, at(100));
    assert_eq!(ledger.pause(Service::Platform, WHO.platform, 1, at(40)), Some(SignedDuration::from_secs(60)));
}

#[test]
fn few_requests_are_spread_among_all_that_go_on() {
    let mut ledger = ledger();
    assert_eq!(ledger.pause(Service::Platform, WHO.platform, 1, at(0)), None, "nothing was heard yet");
    let pause = |ledger: &mut Ledger, left| {
        ledger.heard(Service::Platform, WHO.platform, left, None, at(0));
        ledger.pause(Service::Platform, WHO.platform, 1, at(0)).map(|pause| pause.as_secs())
    };
    assert_eq!([1800, 1799, 899, 359].map(|left| pause(&mut ledger, left)), [None, Some(5), Some(15), Some(60)]);
    for number in 0..200 {
        ledger.follow(&one(number, Phase::Building { build: build_id() }, Some(None)), WHO);
    }
    assert_eq!([1799, 899, 359, 0].map(|left| pause(&mut ledger, left)), [Some(142), Some(222), Some(333), Some(400)]);
    assert_eq!(ledger.pause(Service::Platform, WHO.platform, 1, at(1801)), None, "they have come back");
}

#[test]
fn looks_of_many_requests_are_rarer_and_nobody_waits_longer_than_until_all_are_back() {
    let mut ledger = ledger();
    let pause =
        |ledger: &mut Ledger, requests| ledger.pause(Service::SourceControl, WHO.source, requests, at(0)).map(|pause| pause.as_secs());
    ledger.heard(Service::SourceControl, WHO.source, 700, Some(at(3000)), at(0));
    assert_eq!([1, 5].map(|requests| pause(&mut ledger, requests)), [Some(15), Some(75)]);
    ledger.heard(Service::SourceControl, WHO.source, 100, Some(at(200)), at(0));
    assert_eq!([1, 5].map(|requests| pause(&mut ledger, requests)), [Some(60), Some(200)]);
    ledger.shut(Service::SourceControl, WHO.source, at(3000));
    assert_eq!([1, 5].map(|requests| pause(&mut ledger, requests)), [Some(3000), Some(3000)]);
}

#[test]
fn whoever_waits_for_requests_is_told_when_there_will_be_enough() {
    let mut ledger = ledger();
    ledger.heard(Service::Platform, WHO.platform, 4, None, at(0));
    assert_eq!(ledger.begin(id(1), WHO, at(0)), Err(Short { of: Service::Platform, until: at(7) }));
    assert_eq!(ledger.begin(id(2), WHO, at(0)), Err(Short { of: Service::Platform, until: at(17) }), "behind the first");
    assert_eq!(ledger.begin(id(1), WHO, at(7)), Ok(()));
    ledger.heard(Service::SourceControl, WHO.source, 3, Some(at(1800)), at(20));
    assert_eq!(ledger.begin(id(2), WHO, at(60)), Err(Short { of: Service::SourceControl, until: at(1800) }));
}

#[test]
fn what_is_over_is_off_the_books() {
    let mut ledger = ledger();
    ledger.heard(Service::Platform, WHO.platform, 25, None, at(0));
    let failed = Phase::Failed { during: Stage::Build, why: Failure::Build };
    for (number, reported) in [(1, None), (2, Some(Some(ReportState::Failure)))] {
        ledger.follow(&one(number, Phase::Building { build: build_id() }, Some(None)), WHO);
        ledger.follow(&one(number, failed.clone(), reported), WHO);
    }
    ledger.follow(&one(3, failed, Some(Some(ReportState::InProgress))), WHO);
    assert_eq!(ledger.begin(id(4), WHO, at(0)), Ok(()), "only the third is still owed something");
    assert!(ledger.begin(id(5), WHO, at(0)).is_err());
    ledger.over(id(3));
    assert_eq!(ledger.begin(id(5), WHO, at(0)), Ok(()));
}

#[test]
fn nothing_is_known_of_a_credential_that_is_forgotten_nor_what_is_heard_of_it_late() {
    let mut ledger = ledger();
    ledger.shut(Service::SourceControl, WHO.source, at(600));
    ledger.heard(Service::Platform, WHO.platform, 1, None, at(0));
    let building = one(1, Phase::Building { build: build_id() }, Some(None));
    ledger.follow(&building, WHO);
    ledger.forget(WHO.source);
    assert_eq!(ledger.may_write(WHO.source, Purpose::End, at(1)), Ok(()));
    ledger.shut(Service::SourceControl, WHO.source, at(600));
    assert_eq!(ledger.accounts.len(), 1, "an answer that was under way");
    ledger.forget(WHO.platform);
    assert_eq!((ledger.accounts.len(), ledger.forgotten.len()), (0, 2));
    let renewed = Holders { source: Holder([3; 32]), platform: Holder([4; 32]) };
    ledger.follow(&building, renewed);
    assert_eq!(ledger.forgotten.len(), 0);
    ledger.forget(renewed.platform);
    ledger.over(id(1));
    assert_eq!((ledger.accounts.len(), ledger.forgotten.len()), (0, 0));
}

#[test]
fn whoever_has_enough_waits_behind_nobody_who_has_not() {
    let mut ledger = ledger();
    ledger.heard(Service::Platform, WHO.platform, 0, None, at(0));
    assert!((0..400).all(|number| ledger.begin(id(number), WHO, at(0)).is_err()));
    let somebody_else = Holders { source: Holder([3; 32]), platform: Holder([4; 32]) };
    assert_eq!(ledger.begin(id(400), somebody_else, at(0)), Ok(()));
    let same_source = Holders { source: WHO.source, ..somebody_else };
    assert!(ledger.begin(id(401), same_source, at(0)).is_err(), "behind four hundred who will write with the same credential");
}
