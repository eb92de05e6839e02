//! A chat that fails holds up nothing, is not stormed, and is told the end all the same.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::drive::drive;
use super::super::testing::{Did, Outside, lease, who};
use super::*;
use crate::domain::command::{Command, Wish};
use crate::domain::deployment::samples::{at, build_id, deployment};
use crate::domain::deployment::{Announcement, Card, Failure, Mark, MessageRef, Stage, StageTime, Standing};
use crate::domain::gate::Reason;
use crate::domain::line::Line;
use crate::domain::names::{AnnouncementId, DeploymentId};
use crate::domain::source::{AskedRef, ReportState};
use crate::domain::speech::testing::plain;
use crate::ports::Fault;

pub(super) fn a_card() -> Card {
    let origin = deployment(Phase::Starting).origin;
    Card::At(MessageRef { workspace: origin.person.workspace, channel: origin.channel, message: "1".to_owned() })
}

/// A deployment in a phase, stored, and the outside.
pub(super) fn outside(phase: Phase, change: impl FnOnce(&mut Deployment)) -> (Arc<Outside>, Deployment) {
    let mut deployment = deployment(phase);
    change(&mut deployment);
    let outside = Outside::new();
    outside.keep(&deployment);
    (outside, deployment)
}

pub(super) async fn told(outside: &Arc<Outside>, deployment: &mut Deployment, hands: &mut Hands) {
    tell(&outside.ports(), &lease(deployment.id), Some(&who().source), &Sight::default(), deployment, hands).await.unwrap();
}

pub(super) fn building() -> Phase {
    Phase::Building { build: build_id() }
}

pub(super) fn ended() -> Phase {
    Phase::Failed { during: Stage::Build, why: Failure::Build }
}

#[tokio::test]
async fn a_chat_that_fails_is_asked_less_and_less_often_while_the_deploy_goes_on() {
    let (outside, mut deployment) = outside(building(), |deployment| deployment.card = a_card());
    outside.amend.lock().unwrap().extend([Fault::Unclear; 100]);
    let mut hands = Hands::default();
    for _ in 0..100 {
        told(&outside, &mut deployment, &mut hands).await;
        outside.pass(3);
    }
    assert!(outside.did().len() <= 10, "{:?}", outside.did());
}

#[tokio::test]
async fn a_rest_that_the_chat_asks_for_is_kept_and_waited_for() {
    let (outside, mut deployment) = outside(Phase::NeedsCode { until: at(600) }, |deployment| deployment.card = a_card());
    outside.word.lock().unwrap().push_back(Fault::RateLimited { until: Some(at(40)) });
    let mut hands = Hands::default();
    told(&outside, &mut deployment, &mut hands).await;
    assert_eq!(hands.telling.again_at(&deployment), Some(at(40)), "the next look at a deploy that needs a code is ten minutes away");
    outside.pass(40);
    told(&outside, &mut deployment, &mut hands).await;
    assert!(deployment.asker_told);
    assert_eq!(hands.telling.again_at(&deployment), None);
}

#[tokio::test]
async fn the_end_is_told_until_it_stands_on_the_card_and_at_the_record() {
    let (outside, deployment) = outside(ended(), |deployment| {
        deployment.card = a_card();
        deployment.announcement = Some(Announcement { id: AnnouncementId::parse("1").unwrap(), reported: None });
    });
    outside.amend.lock().unwrap().extend([Fault::Unreachable; 12]);
    outside.report.lock().unwrap().extend([Fault::Unclear; 3]);
    drive(&outside.ports(), &lease(deployment.id), deployment.id).await.unwrap();
    assert!(outside.stored(deployment.id).closed);
    assert_eq!(outside.when(|did| *did == Did::Amend).len(), 13, "one more than failed");
    assert_eq!(outside.when(|did| matches!(did, Did::Report(_))).len(), 4);
    assert_eq!(outside.when(|did| matches!(did, Did::Direct(_))), [0], "the asker knows at once, and once");
}

#[tokio::test]
async fn the_end_of_waiting_for_a_code_is_told_too() {
    let (outside, deployment) = outside(Phase::NeedsCode { until: at(600) }, |deployment| {
        deployment.card = a_card();
        deployment.asker_told = true;
    });
    drive(&outside.ports(), &lease(deployment.id), deployment.id).await.unwrap();
    assert!(matches!(outside.stored(deployment.id).phase, Phase::Failed { why: Failure::NoCode, .. }));
    assert_eq!(outside.when(|did| matches!(did, Did::Direct(_))), [600]);
    assert_eq!(*outside.counted.lock().unwrap(), ["ended"]);
}

#[tokio::test]
async fn the_two_ways_on_are_made_once_and_the_new_head_inherits_no_override() {
    let gate = |deployment: &Deployment| {
        let (by, asked) = (deployment.cargo.named_by.clone(), deployment.cargo.commit.clone());
        Failure::Gate(vec![Reason::RefMoved { by, asked, now: super::super::testing::sha('b') }])
    };
    let (outside, mut deployment) = outside(ended(), |deployment| {
        deployment.card = a_card();
        deployment.phase = Phase::Failed { during: Stage::Checks, why: gate(deployment) };
        deployment.overriding =
            Some(crate::domain::deployment::Override { because: "the flaky test is known".to_owned(), skipped: Vec::new() });
    });
    outside.word.lock().unwrap().extend([Fault::Unreachable; 5]);
    let mut hands = Hands::default();
    while !deployment.asker_told {
        told(&outside, &mut deployment, &mut hands).await;
        outside.pass(60);
    }
    let offers: Vec<Command> = outside.offers.lock().unwrap().values().map(|offer| offer.command.clone()).collect();
    assert_eq!(offers.len(), 2);
    for command in offers {
        let Command::Deploy { wish: Wish { what: AskedRef::Pinned { commit, .. }, .. }, passing_checks, .. } = command else {
            panic!("{command:?}")
        };
        assert_eq!(passing_checks, commit == deployment.cargo.commit);
    }
}

#[tokio::test]
async fn a_worker_that_lost_its_work_while_it_told_orders_nothing() {
    let (outside, deployment) = outside(Phase::Uploading, |deployment| deployment.card = a_card());
    // The first change is told before the upload, the second between the record of the order and the order.
    outside.loses_lease_at.store(2, Ordering::SeqCst);
    let ended = drive(&outside.ports(), &lease(deployment.id), deployment.id).await;
    assert!(matches!(outside.stored(deployment.id).phase, Phase::AboutToBuild(_)));
    assert!(matches!(ended, Err(DriveError::LeaseLost)), "{ended:?}");
    assert!(!outside.did().contains(&Did::Order));
}

#[tokio::test]
async fn a_service_that_wants_to_be_left_alone_is_left_alone_whoever_else_is_waited_for() {
    let (outside, deployment) = outside(Phase::Announcing(Standing::Unclear { since: at(0) }), |deployment| {
        deployment.card = a_card();
        deployment.announcements_ordered = 1;
    });
    outside.report.lock().unwrap().push_back(Fault::RateLimited { until: Some(at(50)) });
    outside.amend.lock().unwrap().extend([Fault::Unreachable; 3]);
    drive(&outside.ports(), &lease(deployment.id), deployment.id).await.unwrap();
    let looks = outside.when(|did| *did == Did::FindRecord);
    assert_eq!(looks.first(), Some(&0));
    assert!(looks.get(1).is_some_and(|second| *second >= 50), "{looks:?}");
}

/// The end of `deployment`, told at a moment.
pub(super) async fn told_at(outside: &Arc<Outside>, deployment: &mut Deployment, hands: &mut Hands, second: i64) {
    outside.pass(second - outside.second());
    told(outside, deployment, hands).await;
}

#[tokio::test]
async fn what_no_way_leads_to_the_asker_for_is_noted_and_stays_listed_for_a_day() {
    let (outside, deployment) = outside(ended(), |deployment| deployment.card = a_card());
    outside.amend.lock().unwrap().push_back(Fault::Forbidden);
    outside.card.lock().unwrap().push_back(Fault::NotFound);
    outside.word.lock().unwrap().extend([Fault::NotFound, Fault::SignInLost]);
    drive(&outside.ports(), &lease(deployment.id), deployment.id).await.unwrap();
    let directly_and_there = outside.did();
    assert!(matches!(directly_and_there[..], [Did::Amend, Did::Card, Did::Direct(_), Did::Answer(_)]), "{directly_and_there:?}");
    let stored = outside.stored(deployment.id);
    assert_eq!(stored.untold, [Untold::Card, Untold::Asker]);
    assert!(stored.closed && outside.second() >= 24 * 3600);
    assert!(!stored.is_listed() && Deployment { closed: false, ..stored }.is_listed());
}

#[tokio::test]
async fn the_other_way_to_the_asker_is_good_enough() {
    let (outside, deployment) = outside(ended(), |deployment| deployment.card = a_card());
    outside.word.lock().unwrap().push_back(Fault::NotFound);
    drive(&outside.ports(), &lease(deployment.id), deployment.id).await.unwrap();
    let stored = outside.stored(deployment.id);
    assert!(stored.untold.is_empty() && stored.closed);
    assert_eq!(outside.second(), 0);
}

#[tokio::test]
async fn a_record_that_takes_no_end_is_told_on_the_card() {
    let recorded = |deployment: &mut Deployment| {
        deployment.card = a_card();
        deployment.announcement = Some(Announcement { id: AnnouncementId::parse("1").unwrap(), reported: Some(ReportState::InProgress) });
    };
    let says_so = |outside: &Outside| {
        let told = outside.did().into_iter().find_map(|did| if let Did::Direct(message) = did { Some(plain(&message)) } else { None });
        told.is_some_and(|told| told.contains("GitHub did not take how it ended"))
    };
    let (refusing, deployment) = outside(ended(), recorded);
    refusing.report.lock().unwrap().push_back(Fault::Forbidden);
    drive(&refusing.ports(), &lease(deployment.id), deployment.id).await.unwrap();
    assert!(says_so(&refusing));
    assert_eq!(refusing.stored(deployment.id).untold, [Untold::Record]);
    assert_eq!(refusing.second(), 0, "what is refused for good is not asked again");

    let (signing_in, deployment) = outside(ended(), recorded);
    signing_in.report.lock().unwrap().extend([Fault::SignInLost, Fault::SignInLost]);
    drive(&signing_in.ports(), &lease(deployment.id), deployment.id).await.unwrap();
    assert!(says_so(&signing_in));
    assert_eq!(signing_in.when(|did| matches!(did, Did::Report(_))), [0, 600, 1200], "a login may come back");
    let stored = signing_in.stored(deployment.id);
    assert!(stored.closed && stored.untold.is_empty(), "{stored:?}");

    let (gone, deployment) = outside(ended(), recorded);
    gone.report.lock().unwrap().extend(vec![Fault::SignInLost; 1000]);
    drive(&gone.ports(), &lease(deployment.id), deployment.id).await.unwrap();
    assert!(gone.stored(deployment.id).closed && (24 * 3600..24 * 3600 + 700).contains(&gone.second()), "it is given up after a day");

    let (nobody, mut deployment) = outside(ended(), recorded);
    tell(&nobody.ports(), &lease(deployment.id), None, &Sight::default(), &mut deployment, &mut Hands::default()).await.unwrap();
    assert!(says_so(&nobody), "whose sign-in is gone cannot tell the record either");

    let (taking, deployment) = outside(ended(), recorded);
    drive(&taking.ports(), &lease(deployment.id), deployment.id).await.unwrap();
    assert!(!says_so(&taking));
}

#[tokio::test]
async fn a_record_that_nobody_has_heard_of_is_looked_for_until_there_is_a_login() {
    let (outside, deployment) = outside(ended(), |deployment| {
        deployment.card = a_card();
        deployment.announcements_ordered = 1;
    });
    outside.report.lock().unwrap().extend([Fault::SignInLost, Fault::SignInLost]);
    drive(&outside.ports(), &lease(deployment.id), deployment.id).await.unwrap();
    assert_eq!(outside.when(|did| *did == Did::FindRecord), [0, 600, 1200]);
    assert!(outside.stored(deployment.id).closed);
}

/// Two deploys of one app: the first has ended and is not told, the second has just begun.
fn two_of_one_app(outside: &Arc<Outside>, first: &Deployment) -> Deployment {
    let mut second = deployment(Phase::Announcing(Standing::Fresh));
    second.id = DeploymentId(uuid::Uuid::from_u128(77));
    second.card = Card::At(MessageRef { message: "2".to_owned(), ..place(first) });
    outside.keep(&second);
    second
}

fn place(deployment: &Deployment) -> MessageRef {
    let Card::At(place) = &deployment.card else { panic!("{deployment:?}") };
    place.clone()
}

#[tokio::test]
async fn nothing_is_said_of_the_next_before_the_end_of_the_one_before() {
    let (outside, mut first) = outside(ended(), |deployment| deployment.card = a_card());
    let mut second = two_of_one_app(&outside, &first);
    let (mut hands, mut next) = (Hands::default(), Hands::default());
    next.telling.turn_due = true;
    outside.amend.lock().unwrap().extend([Fault::RateLimited { until: Some(at(40)) }]);
    told_at(&outside, &mut first, &mut hands, 0).await;
    told_at(&outside, &mut second, &mut next, 5).await;
    assert_eq!(outside.did().len(), 2, "the change that failed, and the end to the asker: {:?}", outside.did());
    assert!(next.telling.again_at(&second).is_some(), "it looks again");
    told_at(&outside, &mut first, &mut hands, 40).await;
    assert!(outside.stored(first.id).is_end_told());
    told_at(&outside, &mut second, &mut next, 41).await;
    assert_eq!(outside.when(|did| matches!(did, Did::Direct(_))), [0, 41], "its turn came");
    assert_eq!(outside.when(|did| *did == Did::Amend), [0, 40, 41]);
}

#[tokio::test]
async fn an_end_that_cannot_be_told_holds_back_the_next_for_a_while_only() {
    let (outside, mut first) = outside(ended(), |deployment| deployment.card = a_card());
    let mut second = two_of_one_app(&outside, &first);
    let (mut hands, mut next) = (Hands::default(), Hands::default());
    outside.amend.lock().unwrap().extend([Fault::RateLimited { until: Some(at(3600)) }]);
    told_at(&outside, &mut first, &mut hands, 0).await;
    for second_of_time in [10, 100, 899] {
        told_at(&outside, &mut second, &mut next, second_of_time).await;
    }
    assert_eq!(outside.when(|did| *did == Did::Amend), [0]);
    told_at(&outside, &mut second, &mut next, 901).await;
    assert_eq!(outside.when(|did| *did == Did::Amend), [0, 901]);
}

#[tokio::test]
async fn who_waits_in_line_knows_whose_end_comes_first() {
    let (outside, mut first) = outside(building(), |deployment| deployment.card = a_card());
    let mut second = two_of_one_app(&outside, &first);
    second.phase = Phase::Waiting(WaitingFor::Turn);
    let line = Line::empty(first.target.app.clone()).joined_by(first.id).joined_by(second.id);
    assert_eq!(line.holder, Some(first.id));
    let mut next = Hands::default();
    told_at(&outside, &mut second, &mut next, 0).await;
    assert_eq!(outside.when(|did| *did == Did::Amend), [0], "that it waits is told at any time");
    first.phase = ended();
    outside.put(&first);
    second.phase = Phase::Announcing(Standing::Fresh);
    told_at(&outside, &mut second, &mut next, 1).await;
    assert_eq!(outside.when(|did| *did == Did::Amend), [0]);
}

#[tokio::test]
async fn progress_that_was_turned_away_is_merged_into_the_newest() {
    let (outside, mut deployment) = outside(building(), |deployment| deployment.card = a_card());
    let mut hands = Hands::default();
    outside.amend.lock().unwrap().push_back(Fault::RateLimited { until: Some(at(60)) });
    let watched = crate::domain::deployment::samples::release_id;
    let phases = [
        building(),
        Phase::Releasing { build: Some(build_id()), release: watched(), version: None },
        Phase::Releasing { build: Some(build_id()), release: watched(), version: Some(3) },
        Phase::Restarting { release: watched(), version: 3, crashed_since: None, up: None },
        Phase::Restarting { release: watched(), version: 3, crashed_since: None, up: Some((1, 2)) },
    ];
    for (second, phase) in (0..).step_by(10).zip(phases) {
        deployment.phase = phase;
        told_at(&outside, &mut deployment, &mut hands, second).await;
    }
    assert_eq!(outside.when(|did| *did == Did::Amend), [0]);
    told_at(&outside, &mut deployment, &mut hands, 60).await;
    told_at(&outside, &mut deployment, &mut hands, 61).await;
    assert_eq!(outside.when(|did| *did == Did::Amend), [0, 60], "one change shows it all");
}

/// What was said below the card, with its moment and whether for all.
fn below(outside: &Outside) -> Vec<(i64, bool)> {
    let of_all = |all: bool| outside.when(move |did| matches!(did, Did::Below { for_all, .. } if *for_all == all));
    let mut said: Vec<_> = of_all(false).into_iter().map(|at| (at, false)).chain(of_all(true).into_iter().map(|at| (at, true))).collect();
    said.sort_unstable();
    said
}

fn time(stage: Stage, began: i64, ended: Option<i64>) -> StageTime {
    StageTime { stage, began: at(began), ended: ended.map(at) }
}

/// A release phase goes on after a long build.
fn after_a_long_build() -> (Arc<Outside>, Deployment) {
    let releasing = Phase::Releasing { build: Some(build_id()), release: crate::domain::deployment::samples::release_id(), version: None };
    outside(releasing, |deployment| {
        deployment.card = a_card();
        deployment.asked_at = at(0);
        deployment.times = vec![time(Stage::Build, 0, Some(90)), time(Stage::Release, 90, None)];
    })
}

#[tokio::test]
async fn what_has_come_to_pass_is_said_below_the_card_once_and_after_the_card_shows_it() {
    let (outside, mut deployment) = after_a_long_build();
    outside.amend.lock().unwrap().push_back(Fault::RateLimited { until: Some(at(20)) });
    outside.below.lock().unwrap().push_back(Fault::RateLimited { until: Some(at(40)) });
    let mut hands = Hands::default();
    for second in [0, 10, 20, 30, 40, 50] {
        told_at(&outside, &mut deployment, &mut hands, second).await;
    }
    assert_eq!(outside.when(|did| *did == Did::Amend), [0, 20]);
    assert_eq!(below(&outside), [(20, false), (40, false)], "the first found no room");
    assert_eq!(outside.stored(deployment.id).story, [Mark::Built]);
    // Another worker, which remembers nothing.
    told_at(&outside, &mut deployment, &mut Hands::default(), 60).await;
    assert_eq!(below(&outside).len(), 2);
    (deployment.phase, deployment.since) = (ended(), at(150));
    outside.put(&deployment);
    told_at(&outside, &mut deployment, &mut hands, 150).await;
    told_at(&outside, &mut deployment, &mut hands, 160).await;
    assert_eq!(below(&outside)[2..], [(150, true)], "and the end to all");
}

#[tokio::test]
async fn what_may_have_been_said_below_the_card_is_not_said_again() {
    let (outside, mut deployment) = after_a_long_build();
    outside.below.lock().unwrap().push_back(Fault::Unclear);
    let mut hands = Hands::default();
    for second in [0, 100, 1000] {
        told_at(&outside, &mut deployment, &mut hands, second).await;
    }
    assert_eq!(below(&outside), [(0, false)]);
}

#[tokio::test]
async fn nothing_is_said_below_a_card_that_stands_elsewhere_or_nowhere() {
    let elsewhere =
        || Card::At(MessageRef { channel: crate::domain::names::ChannelId::parse("D9").unwrap(), ..place(&after_a_long_build().1) });
    for card in [elsewhere(), Card::SaidOnce] {
        let (outside, mut deployment) = after_a_long_build();
        (deployment.card, deployment.phase, deployment.since) = (card, ended(), at(150));
        outside.put(&deployment);
        drive(&outside.ports(), &lease(deployment.id), deployment.id).await.unwrap();
        assert!(below(&outside).is_empty() && outside.stored(deployment.id).closed);
    }
}
