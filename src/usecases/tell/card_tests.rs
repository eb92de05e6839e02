//! A card is never left in the chat without an end: what was lost, may come late or is put back late is covered.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::drive::drive;
use super::super::rights::Rights;
use super::super::testing::{Did, Outside, lease, who};
use super::tests::{a_card, building, ended, outside, told, told_at};
use super::*;
use crate::domain::deployment::samples::{at, build_id, release_id};
use crate::domain::deployment::{Card, Watched};
use crate::domain::privacy::departed;
use crate::domain::rights::Conversation;
use crate::ports::{Fault, MockDirectory, PortError, Service};

/// The same, where the chat says this of the conversation.
async fn told_where(
    outside: &Arc<Outside>,
    deployment: &mut Deployment,
    hands: &mut Hands,
    second: i64,
    found: Result<Conversation, Fault>,
) {
    let mut directory = MockDirectory::new();
    directory.expect_conversation().returning(move |_, _| found.map_err(|fault| PortError::new(Service::Chat, fault, "told to")));
    let mut ports = outside.ports();
    ports.rights = Arc::new(Rights::new(Some(Arc::new(directory)), BTreeSet::new()));
    outside.pass(second - outside.second());
    tell(&ports, &lease(deployment.id), Some(&who().source), &Sight::default(), deployment, hands).await.unwrap();
}

/// A deploy builds, and its first card got no answer; it was shown once more.
async fn shown_twice() -> (Arc<Outside>, Deployment, Hands) {
    let (outside, mut deployment) = outside(building(), |_| {});
    outside.card.lock().unwrap().push_back(Fault::Unclear);
    let mut hands = Hands::default();
    for second in [0, 30] {
        told_at(&outside, &mut deployment, &mut hands, second).await;
    }
    assert_eq!(outside.when(|did| *did == Did::Card), [0, 30]);
    (outside, deployment, hands)
}

fn releasing() -> Phase {
    Phase::Releasing { build: Some(build_id()), release: release_id(), version: None }
}

#[tokio::test]
async fn a_token_that_is_refused_once_leaves_no_card_behind() {
    let (outside, deployment) = outside(ended(), |deployment| deployment.card = a_card());
    outside.amend.lock().unwrap().push_back(Fault::SignInLost);
    drive(&outside.ports(), &lease(deployment.id), deployment.id).await.unwrap();
    assert!(matches!(outside.did()[..], [Did::Amend, Did::Amend, Did::Direct(_)]), "{:?}", outside.did());
    let stored = outside.stored(deployment.id);
    assert!(stored.untold.is_empty() && stored.closed);
    assert_eq!(stored.card, a_card());
}

#[tokio::test]
async fn what_may_still_be_shown_late_is_covered_by_what_is_true() {
    let (outside, deployment) = outside(ended(), |deployment| deployment.card = a_card());
    outside.amend.lock().unwrap().push_back(Fault::Unclear);
    drive(&outside.ports(), &lease(deployment.id), deployment.id).await.unwrap();
    let changes = outside.when(|did| *did == Did::Amend);
    assert_eq!(changes.first(), Some(&0));
    assert!(changes.len() == 3 && changes.last() >= Some(&20), "once more when it can come no more: {changes:?}");
    assert!(outside.stored(deployment.id).closed);
}

#[tokio::test]
async fn a_card_that_may_still_come_is_not_left_as_the_newest() {
    let (outside, mut deployment) = outside(building(), |_| {});
    outside.card.lock().unwrap().push_back(Fault::Unclear);
    let mut hands = Hands::default();
    for second in [0, 30, 59] {
        told_at(&outside, &mut deployment, &mut hands, second).await;
    }
    assert_eq!(outside.when(|did| *did == Did::Card), [0, 30]);
    assert_eq!(outside.when(|did| *did == Did::Amend), [0; 0], "nothing is known to have come");
    outside.amend.lock().unwrap().push_back(Fault::Unreachable);
    outside.card.lock().unwrap().push_back(Fault::Unreachable);
    for second in [61, 90, 200, 1000] {
        told_at(&outside, &mut deployment, &mut hands, second).await;
    }
    assert_eq!(outside.when(|did| *did == Did::Amend), [61, 90], "until the one before says so");
    assert_eq!(outside.when(|did| *did == Did::Card), [0, 30, 90, 200], "and then until it stands, once");
}

#[tokio::test]
async fn what_may_still_come_is_known_to_the_next_worker() {
    let (outside, mut deployment) = outside(building(), |_| {});
    outside.card.lock().unwrap().push_back(Fault::Unclear);
    let mut hands = Hands::default();
    for second in [0, 30] {
        told_at(&outside, &mut deployment, &mut hands, second).await;
    }
    // Another worker, which remembers nothing.
    let mut next = Hands::default();
    for second in [40, 59] {
        told_at(&outside, &mut deployment, &mut next, second).await;
    }
    assert_eq!(outside.when(|did| *did == Did::Card), [0, 30]);
    for second in [61, 90] {
        told_at(&outside, &mut deployment, &mut next, second).await;
    }
    assert_eq!(outside.when(|did| *did == Did::Card), [0, 30, 61], "below what came late");
    let stored = outside.stored(deployment.id);
    assert_eq!((stored.card_again_at, stored.card_may_come_until), (None, None));
}

#[tokio::test]
async fn what_an_earlier_worker_left_open_is_shown_once_more_and_then_closed() {
    let (outside, deployment) = outside(ended(), |deployment| {
        (deployment.card, deployment.card_again_at) = (a_card(), Some(at(30)));
    });
    // The first change tells the end; the second, once it is due, fails and is made again.
    outside.amend.lock().unwrap().extend([Fault::RateLimited { until: Some(at(31)) }, Fault::Unreachable]);
    drive(&outside.ports(), &lease(deployment.id), deployment.id).await.unwrap();
    let stored = outside.stored(deployment.id);
    assert!(stored.closed && stored.card_again_at.is_none(), "{stored:?}");
    assert!(outside.when(|did| *did == Did::Amend).last() > Some(&31));
}

#[tokio::test]
async fn a_change_that_is_due_once_more_is_made_until_it_is() {
    let (outside, mut deployment) = outside(building(), |deployment| deployment.card = a_card());
    outside.amend.lock().unwrap().push_back(Fault::Unclear);
    let mut hands = Hands::default();
    for second in [0, 30] {
        told_at(&outside, &mut deployment, &mut hands, second).await;
    }
    outside.amend.lock().unwrap().push_back(Fault::Unreachable);
    for second in [60, 120, 180] {
        told_at(&outside, &mut deployment, &mut hands, second).await;
    }
    assert_eq!(outside.when(|did| *did == Did::Amend), [0, 30, 60, 120], "once more when it can come no more, and until it is shown");
    assert_eq!(hands.telling.again_at(&deployment), None);
}

#[tokio::test]
async fn what_is_due_wakes_nobody_where_it_cannot_be_shown() {
    let (outside, mut deployment) = outside(Phase::Waiting(WaitingFor::Turn), |deployment| {
        (deployment.card, deployment.card_again_at) = (a_card(), Some(at(10)));
    });
    let mut hands = Hands::default();
    told_at(&outside, &mut deployment, &mut hands, 20).await;
    assert_eq!(hands.telling.again_at(&deployment), None, "its turn has come: the next step says so");
    deployment.origin.person.user = departed(uuid::Uuid::from_u128(7)).unwrap();
    outside.put(&deployment);
    let mut orphan = Hands::default();
    told_at(&outside, &mut deployment, &mut orphan, 40).await;
    assert_eq!(orphan.telling.again_at(&deployment), None, "nobody is told anything");
}

#[tokio::test]
async fn a_card_that_is_refused_for_good_is_tried_once() {
    let (outside, mut deployment) = outside(building(), |_| {});
    outside.card.lock().unwrap().extend([Fault::Forbidden; 100]);
    let mut hands = Hands::default();
    for _ in 0..10 {
        told(&outside, &mut deployment, &mut hands).await;
        outside.pass(60);
    }
    assert_eq!(outside.did(), [Did::Card]);
}

#[tokio::test]
async fn a_card_that_is_lost_again_and_again_is_not_shown_for_ever() {
    let (outside, mut deployment) = outside(building(), |deployment| deployment.card = a_card());
    outside.amend.lock().unwrap().extend([Fault::NotFound; 100]);
    let mut hands = Hands::default();
    for minute in 0..10 {
        deployment.phase = if minute % 2 == 0 { building() } else { Phase::Unknown(Watched::Order) };
        told(&outside, &mut deployment, &mut hands).await;
        outside.pass(60);
    }
    assert_eq!(outside.when(|did| *did == Did::Card).len(), 2);
}

#[tokio::test]
async fn a_token_that_is_refused_leaves_no_card_behind_that_was_to_be_replaced() {
    let (outside, mut deployment, mut hands) = shown_twice().await;
    outside.amend.lock().unwrap().push_back(Fault::SignInLost);
    told_at(&outside, &mut deployment, &mut hands, 61).await;
    assert_eq!(outside.when(|did| *did == Did::Amend), [61, 61], "once more, since it may have been renewed meanwhile");
    assert_eq!(outside.when(|did| *did == Did::Card), [0, 30, 61]);

    let (outside, mut deployment, mut hands) = shown_twice().await;
    outside.amend.lock().unwrap().extend([Fault::SignInLost; 2]);
    told_at(&outside, &mut deployment, &mut hands, 61).await;
    assert_eq!(outside.when(|did| *did == Did::Card), [0, 30], "no second one, where the first cannot say that it goes on elsewhere");
    assert!(matches!(deployment.card, Card::At(_)));
    assert_eq!(deployment.untold, [Untold::Card]);
}

#[tokio::test]
async fn a_card_that_may_still_be_changed_late_is_not_replaced_before() {
    let (outside, mut deployment, mut hands) = shown_twice().await;
    outside.amend.lock().unwrap().push_back(Fault::Unclear);
    deployment.phase = releasing();
    for second in [58, 63, 117] {
        told_at(&outside, &mut deployment, &mut hands, second).await;
    }
    assert_eq!(outside.when(|did| *did == Did::Card), [0, 30], "the late change would come after it said where it goes on");
    assert_eq!(hands.telling.again_at(&deployment), Some(at(118)));
    told_at(&outside, &mut deployment, &mut hands, 118).await;
    assert_eq!(outside.when(|did| *did == Did::Card), [0, 30, 118]);
    assert_eq!((deployment.card_again_at, deployment.card_may_come_until), (None, None));
}

#[tokio::test]
async fn what_others_have_come_to_read_is_taken_away_once_more_where_it_may_be_put_back() {
    let shared = || Ok(Conversation { shared: true, ..Conversation::OWN });
    // Whoever else is asked later, and whatever becomes of the deploy, it is taken away once more.
    for (later, phase) in [(shared(), building()), (Err(Fault::Unreachable), building()), (shared(), ended())] {
        let (outside, mut deployment) = outside(building(), |deployment| deployment.card = a_card());
        let mut hands = Hands::default();
        outside.amend.lock().unwrap().push_back(Fault::Unclear);
        told_at(&outside, &mut deployment, &mut hands, 0).await;
        told_where(&outside, &mut deployment, &mut hands, 30, shared()).await;
        assert_eq!(outside.when(|did| *did == Did::Amend), [0, 30], "taken away at once");
        assert_eq!(outside.when(|did| matches!(did, Did::Direct(_))).first(), Some(&30), "it goes on there");
        deployment.phase = phase;
        outside.put(&deployment);
        told_where(&outside, &mut deployment, &mut hands, 59, later).await;
        assert_eq!(hands.telling.again_at(&deployment), Some(at(60)));
        assert_ne!(end(&outside.ports(), None, &deployment, &mut hands).await, EndTold::Everywhere);
        outside.amend.lock().unwrap().push_back(Fault::Unreachable);
        told_where(&outside, &mut deployment, &mut hands, 60, later).await;
        assert!(hands.telling.put_back.is_some(), "it failed");
        told_where(&outside, &mut deployment, &mut hands, 130, later).await;
        assert_eq!(outside.when(|did| *did == Did::Amend)[..3], [0, 30, 60]);
        assert_eq!(hands.telling.put_back, None);
        let at_the_place = |second| outside.when(|did| *did == Did::Amend).contains(&second);
        assert!(at_the_place(130), "{:?}", outside.did());
    }
}

#[tokio::test]
async fn what_others_have_come_to_read_does_not_say_that_it_goes_on_further_down() {
    let (outside, mut deployment, mut hands) = shown_twice().await;
    told_where(&outside, &mut deployment, &mut hands, 61, Ok(Conversation { shared: true, ..Conversation::OWN })).await;
    assert_eq!(*outside.amended.lock().unwrap(), [crate::domain::speech::goes_on_aside()]);
    assert_eq!(outside.when(|did| matches!(did, Did::Direct(_))), [61]);
    assert_eq!((deployment.card_again_at, deployment.card_may_come_until), (None, None));
}

#[tokio::test]
async fn a_card_stays_to_be_replaced_while_nobody_says_who_would_read_the_new_one() {
    let (outside, mut deployment, mut hands) = shown_twice().await;
    for second in [61, 121] {
        told_where(&outside, &mut deployment, &mut hands, second, Err(Fault::Unreachable)).await;
        assert_eq!(hands.telling.again_at(&deployment), Some(at(second + 60)));
    }
    assert_eq!(outside.when(|did| *did == Did::Amend), [61, 121], "it shows how it stands meanwhile");
    told_at(&outside, &mut deployment, &mut hands, 181).await;
    assert_eq!(outside.when(|did| *did == Did::Card), [0, 30, 181]);
    assert_eq!(hands.telling.again_at(&deployment), None);
}

#[tokio::test]
async fn what_may_come_late_is_waited_for_from_when_nothing_was_answered() {
    let (outside, mut deployment) = outside(building(), |_| {});
    outside.card.lock().unwrap().push_back(Fault::Unclear);
    outside.call_takes.store(50, Ordering::SeqCst);
    let mut hands = Hands::default();
    told_at(&outside, &mut deployment, &mut hands, 0).await;
    assert_eq!((deployment.card_may_come_until, deployment.card_again_at), (Some(at(110)), Some(at(110))));
    outside.amend.lock().unwrap().push_back(Fault::Unclear);
    told_at(&outside, &mut deployment, &mut hands, 60).await;
    deployment.phase = releasing();
    told_at(&outside, &mut deployment, &mut hands, 110).await;
    assert_eq!(deployment.card_again_at, Some(at(220)), "a change that took as long");
}

#[tokio::test]
async fn a_rest_wakes_nobody_where_nobody_is_told_any_more() {
    let (outside, mut deployment) = outside(building(), |deployment| deployment.card = a_card());
    let mut hands = Hands::default();
    outside.amend.lock().unwrap().push_back(Fault::RateLimited { until: Some(at(20)) });
    told_at(&outside, &mut deployment, &mut hands, 0).await;
    assert_eq!(hands.telling.again_at(&deployment), Some(at(20)));
    deployment.origin.person.user = departed(uuid::Uuid::from_u128(7)).unwrap();
    outside.put(&deployment);
    assert!(deployment.has_left());
    told_at(&outside, &mut deployment, &mut hands, 30).await;
    assert_eq!(hands.telling.again_at(&deployment), None, "or the worker would look again at once, for ever");
}
