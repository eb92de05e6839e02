//! What a store promises: [`Store`].

use std::sync::Arc;

use futures_util::future::{BoxFuture, join_all};

use super::records::{app, at, delivery, deployment, deployment_id, offer, offer_id, pipeline, request};
use crate::domain::deployment::Deployment;
use crate::domain::line::Line;
use crate::domain::request::Request;
use crate::ports::{Batch, Lease, Store, StoreError, Work};

/// One place for a store, which can be opened again and again: the last one is gone by then, as after a tidy end.
pub trait Place {
    /// Opens the store; whatever was opened before is closed first.
    fn open(&mut self) -> BoxFuture<'_, Arc<dyn Store>>;

    /// Waits until the store has done what it does by itself.
    fn at_rest(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// The whole suite; `make` gives a new and empty place for each part of it.
pub async fn all<P: Place>(make: impl Fn() -> P) {
    accepts_and_takes_up_once(make()).await;
    takes_up_the_oldest_first(make()).await;
    accepts_and_claims_at_once(make()).await;
    saves_by_version(make()).await;
    saves_whole_or_not_at_all(make()).await;
    leases_and_fences(make()).await;
    leases_end_with_their_instance(make()).await;
    finds_what_is_open(make()).await;
    finds_what_is_unanswered(make()).await;
    finds_by_app_and_pipeline(make()).await;
    keeps_what_is_over(make()).await;
    forgets_what_is_over(make()).await;
    one_of_many_wins(make()).await;
    refuses_what_is_too_large(make()).await;
    an_empty_line_is_a_line(make()).await;
}

async fn save(store: &dyn Store, deployment: &Deployment) -> Result<(), StoreError> {
    store.save(Batch::deployment(deployment.clone())).await
}

fn ids(deployments: &[Deployment]) -> Vec<u128> {
    deployments.iter().map(|deployment| deployment.id.0.as_u128()).collect()
}

fn taken(requests: Vec<(Request, Lease)>) -> Vec<String> {
    let fits = |(request, lease): &(Request, Lease)| request.version == 1 && lease.work == Work::Request(request.id.clone());
    assert!(requests.iter().all(fits), "each is stored, and claimed: {requests:?}");
    requests.into_iter().map(|(request, _)| request.id.to_string()).collect()
}

/// Accepts requests, and takes them up; leaves them claimed.
async fn take(store: &dyn Store, names: &[(&str, i64)]) {
    for (name, received) in names {
        store.accept(&request(name, *received)).await.unwrap();
    }
    let taken = taken(store.take_up(usize::MAX, at(0), at(60)).await.unwrap());
    assert_eq!(taken, names.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
}

async fn accepts_and_takes_up_once(mut place: impl Place) {
    let store = place.open().await;
    assert!(store.take_up(10, at(0), at(60)).await.unwrap().is_empty());
    store.accept(&request("d1", 0)).await.unwrap();
    store.accept(&request("d1", 0)).await.unwrap();
    assert_eq!(store.request(&delivery("d1")).await.unwrap().unwrap().version, 0, "it is there");
    assert!(store.unanswered().await.unwrap().is_empty(), "and nobody has taken it up");
    drop(store);
    let store = place.open().await;
    let (kept, lease) = store.take_up(10, at(0), at(60)).await.unwrap().remove(0);
    assert_eq!(kept, Request { version: 1, ..request("d1", 0) }, "also after a restart");
    assert_eq!(store.request(&delivery("d1")).await, Ok(Some(kept.clone())));
    assert_eq!(store.claim(&lease.work, at(59), at(120)).await, Ok(None), "whoever takes it up has it");
    store.accept(&request("d1", 0)).await.unwrap();
    assert!(store.take_up(10, at(0), at(60)).await.unwrap().is_empty(), "once");
    store.save(Batch { requests: vec![kept.answered_now()], ..Batch::default() }).await.unwrap();
    assert_eq!(store.renew(&lease, at(1), at(90)).await, Ok(None), "its lease ends with the answer");
    store.release(&lease).await.unwrap();
    store.accept(&request("d1", 0)).await.unwrap();
    store.accept(&request("d2", 0)).await.unwrap();
    assert_eq!(taken(store.take_up(1, at(0), at(60)).await.unwrap()), ["d2"], "an answered one is known as well");
    assert!(store.request(&delivery("d1")).await.unwrap().unwrap().origin.reply.is_none());
    drop(store);
    let store = place.open().await;
    store.accept(&request("d1", 0)).await.unwrap();
    assert!(store.take_up(10, at(0), at(60)).await.unwrap().is_empty(), "also after a restart");
    assert_eq!(store.request(&delivery("d3")).await, Ok(None));
    join_all((0..20).map(|_| async { store.accept(&request("d3", 0)).await.unwrap() })).await;
    let many = join_all((0..5).map(|_| async { store.take_up(10, at(0), at(60)).await.unwrap() })).await;
    assert_eq!(taken(many.concat()), ["d3"], "of many at once one is taken up, by one");
}

async fn takes_up_the_oldest_first(mut place: impl Place) {
    let store = place.open().await;
    for n in 0..300 {
        store.accept(&request(&format!("d{n}"), n)).await.unwrap();
    }
    let names = |numbers: std::ops::Range<u32>| numbers.map(|n| format!("d{n}")).collect::<Vec<_>>();
    assert_eq!(taken(store.take_up(7, at(0), at(60)).await.unwrap()), names(0..7));
    assert_eq!(taken(store.take_up(200, at(0), at(60)).await.unwrap()), names(7..207));
    drop(store);
    let store = place.open().await;
    assert_eq!(store.unanswered().await.unwrap().len(), 207, "those that were taken up stay so");
    store.accept(&request("d300", 0)).await.unwrap();
    assert_eq!(taken(store.take_up(usize::MAX, at(0), at(60)).await.unwrap()), names(207..301));
}

async fn accepts_and_claims_at_once(mut place: impl Place) {
    let store = place.open().await;
    store.accept(&request("d0", 0)).await.unwrap();
    let lease = store.accept_claimed(&request("d1", 0), at(0), at(60)).await.unwrap().unwrap();
    assert_eq!(lease.work, Work::Request(delivery("d1")));
    assert_eq!(store.accept_claimed(&request("d1", 0), at(0), at(60)).await, Ok(None));
    store.accept(&request("d1", 0)).await.unwrap();
    assert_eq!(taken(store.take_up(10, at(0), at(60)).await.unwrap()), ["d0"], "nobody else takes it up");
    assert_eq!(store.unanswered().await.unwrap().len(), 2);
    let stored = Request { version: 1, ..request("d1", 0) };
    assert!(matches!(store.accept(&stored).await, Err(StoreError::Conflict(_))), "what is stored was accepted");
    assert!(matches!(store.accept_claimed(&stored, at(0), at(60)).await, Err(StoreError::Conflict(_))));
}

async fn saves_by_version(mut place: impl Place) {
    let store = place.open().await;
    let first = deployment(1, "a");
    save(&*store, &first).await.unwrap();
    assert!(matches!(save(&*store, &first).await, Err(StoreError::Conflict(_))), "0 means that there must be none");
    let read = store.deployment(first.id).await.unwrap().unwrap();
    assert_eq!(read, Deployment { version: 1, ..first.clone() });
    let changed = Deployment { builds_ordered: 1, ..read.clone() };
    save(&*store, &changed).await.unwrap();
    assert!(matches!(save(&*store, &changed).await, Err(StoreError::Conflict(_))), "a stale worker never wins");
    let future = Deployment { version: 9, ..read };
    assert!(matches!(save(&*store, &future).await, Err(StoreError::Conflict(_))));
    let unknown = Deployment { version: 1, ..deployment(2, "a") };
    assert!(matches!(save(&*store, &unknown).await, Err(StoreError::Conflict(_))), "what is not there has no version");
    drop(store);
    let now = place.open().await.deployment(first.id).await.unwrap().unwrap();
    assert_eq!((now.version, now.builds_ordered), (2, 1));
}

async fn saves_whole_or_not_at_all(mut place: impl Place) {
    let store = place.open().await;
    save(&*store, &deployment(1, "a")).await.unwrap();
    let line = Line::empty(app("a")).joined_by(deployment_id(2));
    let batch = Batch {
        deployments: vec![deployment(2, "a"), deployment(1, "a")],
        lines: vec![line.clone()],
        requests: vec![request("d", 0)],
        offers: vec![offer(1, 0)],
        ..Batch::default()
    };
    assert!(matches!(store.save(batch).await, Err(StoreError::Conflict(_))));
    let stale_line = Batch {
        deployments: vec![deployment(2, "a")],
        lines: vec![Line { version: 7, ..line.clone() }],
        requests: vec![request("d", 0)],
        ..Batch::default()
    };
    assert!(matches!(store.save(stale_line).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.deployment(deployment_id(2)).await, Ok(None));
    assert_eq!(store.line(&app("a")).await.unwrap().version, 0);
    assert_eq!(store.request(&delivery("d")).await, Ok(None));
    assert_eq!(store.offer(offer_id(1)).await, Ok(None));
    assert_eq!(ids(&store.open_deployments().await.unwrap()), [1], "no index knows of it either");
    assert!(store.unanswered().await.unwrap().is_empty());

    let batch = Batch { deployments: vec![deployment(2, "a")], lines: vec![line.clone()], offers: vec![offer(1, 0)], ..Batch::default() };
    store.save(batch).await.unwrap();
    assert_eq!(store.line(&app("a")).await, Ok(Line { version: 1, ..line }));
    assert_eq!(store.offer(offer_id(1)).await.unwrap().unwrap().version, 1);
}

fn under(lease: &Lease, now: i64, deployment: Deployment) -> Batch {
    Batch { under: Some(lease.clone()), now: Some(at(now)), ..Batch::deployment(deployment) }
}

async fn leases_and_fences(mut place: impl Place) {
    let store = place.open().await;
    let work = Work::Deployment(deployment_id(1));
    let first = store.claim(&work, at(0), at(60)).await.unwrap().unwrap();
    assert_eq!(store.claim(&work, at(59), at(120)).await, Ok(None), "somebody has it");
    assert!(store.claim(&Work::Deployment(deployment_id(2)), at(0), at(60)).await.unwrap().is_some(), "other work is other work");
    store.save(under(&first, 10, deployment(1, "a"))).await.unwrap();

    let renewed = store.renew(&first, at(30), at(90)).await.unwrap().unwrap();
    assert_eq!((renewed.fence, renewed.until), (first.fence, at(90)));
    assert_eq!(store.claim(&work, at(70), at(120)).await, Ok(None), "it was lengthened");
    store.save(under(&first, 70, Deployment { version: 1, ..deployment(1, "a") })).await.unwrap();
    let late = under(&renewed, 90, Deployment { version: 2, ..deployment(1, "a") });
    assert_eq!(store.save(late).await, Err(StoreError::LeaseLost), "it has ended");
    assert_eq!(store.renew(&renewed, at(90), at(120)).await, Ok(None));

    let second = store.claim(&work, at(90), at(150)).await.unwrap().unwrap();
    assert!(second.fence > first.fence);
    let stale = under(&renewed, 80, Deployment { version: 2, ..deployment(1, "a") });
    assert_eq!(store.save(stale).await, Err(StoreError::LeaseLost), "only the newest saves, whatever time it says it is");
    assert_eq!(store.renew(&renewed, at(80), at(120)).await, Ok(None));
    store.release(&renewed).await.unwrap();
    store.save(under(&second, 100, Deployment { version: 2, ..deployment(1, "a") })).await.unwrap();
    assert_eq!(store.deployment(deployment_id(1)).await.unwrap().unwrap().version, 3);

    store.release(&second).await.unwrap();
    let given_back = under(&second, 100, Deployment { version: 3, ..deployment(1, "a") });
    assert_eq!(store.save(given_back).await, Err(StoreError::LeaseLost));
    let third = store.claim(&work, at(100), at(160)).await.unwrap().unwrap();
    assert!(third.fence > second.fence, "given back before its end");
    let foreign = Lease { work: Work::Request(delivery("d")), ..third };
    assert_eq!(store.save(under(&foreign, 100, deployment(9, "a"))).await, Err(StoreError::LeaseLost), "a lease is of one work");
}

async fn leases_end_with_their_instance(mut place: impl Place) {
    let work = Work::Request(delivery("d"));
    let first = place.open().await.claim(&work, at(0), at(60)).await.unwrap().unwrap();
    let store = place.open().await;
    assert_eq!(store.save(under(&first, 1, deployment(1, "a"))).await, Err(StoreError::LeaseLost));
    assert_eq!(store.renew(&first, at(1), at(60)).await, Ok(None));
    let second = store.claim(&work, at(1), at(60)).await.unwrap().unwrap();
    assert!(second.fence > first.fence);
}

async fn finds_what_is_open(mut place: impl Place) {
    let store = place.open().await;
    for n in [3, 1, 2] {
        save(&*store, &deployment(n, "a")).await.unwrap();
    }
    assert_eq!(ids(&store.open_deployments().await.unwrap()), [1, 2, 3], "oldest first");
    let second = store.deployment(deployment_id(2)).await.unwrap().unwrap();
    save(&*store, &second.closed_now()).await.unwrap();
    assert_eq!(ids(&store.open_deployments().await.unwrap()), [1, 3]);
    drop(store);
    assert_eq!(ids(&place.open().await.open_deployments().await.unwrap()), [1, 3]);
}

async fn finds_what_is_unanswered(mut place: impl Place) {
    let store = place.open().await;
    take(&*store, &[("z", 1), ("a", 3), ("m", 2), ("b", 2)]).await;
    let names = |requests: Vec<Request>| -> Vec<String> { requests.into_iter().map(|request| request.id.to_string()).collect() };
    assert_eq!(names(store.unanswered().await.unwrap()), ["z", "b", "m", "a"], "oldest first");
    let answered = store.request(&delivery("m")).await.unwrap().unwrap().answered_now();
    store.save(Batch { requests: vec![answered], ..Batch::default() }).await.unwrap();
    assert_eq!(names(store.unanswered().await.unwrap()), ["z", "b", "a"]);
}

async fn finds_by_app_and_pipeline(mut place: impl Place) {
    let store = place.open().await;
    for (n, name) in [(5, "a"), (1, "a"), (4, "b"), (3, "a"), (2, "ab")] {
        save(&*store, &deployment(n, name)).await.unwrap();
    }
    assert_eq!(ids(&store.deployments_of_app(&app("a"), 10).await.unwrap()), [5, 3, 1], "newest first, and of no other app");
    assert_eq!(ids(&store.deployments_of_app(&app("a"), 2).await.unwrap()), [5, 3]);
    assert_eq!(ids(&store.deployments_of_pipeline(&pipeline("pipe"), 4).await.unwrap()), [5, 4, 3, 2]);
    assert!(store.deployments_of_app(&app("c"), 10).await.unwrap().is_empty());
    assert!(store.deployments_of_pipeline(&pipeline("pip"), 10).await.unwrap().is_empty());
    let older = async |behind, limit| ids(&store.older_in_pipeline(&pipeline("pipe"), deployment_id(behind), limit).await.unwrap());
    assert_eq!((older(4, 2).await, older(1, 9).await), (vec![3, 2], Vec::new()), "broken: the older ones are found page by page");
    let mut moved = store.deployment(deployment_id(3)).await.unwrap().unwrap();
    moved.target.app = app("b");
    save(&*store, &moved).await.unwrap();
    assert_eq!(ids(&store.deployments_of_app(&app("a"), 10).await.unwrap()), [5, 1], "an index follows its record");
    assert_eq!(ids(&store.deployments_of_app(&app("b"), 10).await.unwrap()), [4, 3]);
}

async fn close(store: &dyn Store, n: u64) {
    let read = store.deployment(deployment_id(n)).await.unwrap().unwrap();
    save(store, &read.closed_now()).await.unwrap();
}

async fn keeps_what_is_over(mut place: impl Place) {
    let store = place.open().await;
    let app_of = |n: u64| if n.is_multiple_of(3) { "a" } else { "b" };
    for n in 1..=120 {
        save(&*store, &deployment(n, app_of(n))).await.unwrap();
        if n.is_multiple_of(2) {
            close(&*store, n).await;
        }
    }
    for n in (1..100).step_by(2) {
        close(&*store, n).await;
    }
    place.at_rest().await;
    drop(store);
    let store = place.open().await;
    let all: Vec<u128> = (1..=120).rev().collect();
    let of_a: Vec<u128> = all.iter().copied().filter(|n| n.is_multiple_of(3)).collect();
    assert_eq!(ids(&store.open_deployments().await.unwrap()), (101..120).step_by(2).collect::<Vec<u128>>());
    assert_eq!(ids(&store.deployments_of_pipeline(&pipeline("pipe"), usize::MAX).await.unwrap()), all, "whether open or over");
    let mut pages = store.deployments_of_pipeline(&pipeline("pipe"), 7).await.unwrap();
    while let Some(last) = pages.last().map(|last| last.id) {
        let next = store.older_in_pipeline(&pipeline("pipe"), last, 7).await.unwrap();
        if next.is_empty() {
            break;
        }
        pages.extend(next);
    }
    assert_eq!(ids(&pages), all, "broken: page by page they are all found, whether open or over");
    assert_eq!(ids(&store.deployments_of_app(&app("a"), usize::MAX).await.unwrap()), of_a);
    assert_eq!(ids(&store.deployments_of_app(&app("a"), 17).await.unwrap()), of_a[..17]);
    assert_eq!(store.deployment(deployment_id(7)).await.unwrap().unwrap().version, 2);
    assert_eq!(store.deployment(deployment_id(500)).await, Ok(None));

    let over = store.deployment(deployment_id(6)).await.unwrap().unwrap();
    assert!(matches!(save(&*store, &deployment(6, "a")).await, Err(StoreError::Conflict(_))), "it has not been forgotten");
    assert!(matches!(save(&*store, &Deployment { version: 1, ..over.clone() }).await, Err(StoreError::Conflict(_))));
    let mut moved = Deployment { closed: false, ..over };
    moved.target.app = app("c");
    save(&*store, &moved).await.unwrap();
    let now = store.deployment(deployment_id(6)).await.unwrap().unwrap();
    assert_eq!((now.version, now.closed), (3, false), "what is over can be taken up again");
    assert_eq!(ids(&store.deployments_of_app(&app("c"), 10).await.unwrap()), [6], "and is found as it is now");
    assert!(!ids(&store.deployments_of_app(&app("a"), usize::MAX).await.unwrap()).contains(&6), "and no more as it was");
    assert_eq!(ids(&store.deployments_of_pipeline(&pipeline("pipe"), usize::MAX).await.unwrap()), all, "once");
    close(&*store, 6).await;
    for n in 201..=260 {
        save(&*store, &deployment(n, "d").closed_now()).await.unwrap();
    }
    place.at_rest().await;
    drop(store);
    let store = place.open().await;
    assert_eq!(ids(&store.deployments_of_app(&app("c"), 10).await.unwrap()), [6]);
    assert!(!ids(&store.deployments_of_app(&app("a"), usize::MAX).await.unwrap()).contains(&6));
    assert_eq!(store.deployment(deployment_id(6)).await.unwrap().unwrap().version, 4);
    assert_eq!(store.deployments_of_pipeline(&pipeline("pipe"), usize::MAX).await.unwrap().len(), 180);

    let work = Work::Deployment(deployment_id(101));
    let lease = store.claim(&work, at(0), at(60)).await.unwrap().unwrap();
    close(&*store, 101).await;
    for n in 301..=364 {
        save(&*store, &deployment(n, "e").closed_now()).await.unwrap();
    }
    place.at_rest().await;
    let read = store.deployment(deployment_id(101)).await.unwrap().unwrap();
    store.save(under(&lease, 10, read)).await.unwrap();
    assert_eq!(store.claim(&work, at(1), at(60)).await, Ok(None), "whoever worked on it still has it");
    store.release(&lease).await.unwrap();
    assert!(store.claim(&work, at(1), at(60)).await.unwrap().unwrap().fence > lease.fence);
}

async fn forgets_what_is_over(mut place: impl Place) {
    let store = place.open().await;
    take(&*store, &[("old", 10), ("new", 100), ("open", 10)]).await;
    for name in ["old", "new"] {
        let answered = store.request(&delivery(name)).await.unwrap().unwrap().answered_now();
        store.save(Batch { requests: vec![answered], ..Batch::default() }).await.unwrap();
    }
    store.save(Batch { offers: vec![offer(1, 10), offer(2, 100)], ..Batch::default() }).await.unwrap();
    save(&*store, &deployment(1, "a")).await.unwrap();
    let work = Work::Request(delivery("old"));
    let lease = store.claim(&work, at(0), at(1000)).await.unwrap().unwrap();
    assert_eq!(store.forget(at(50)).await, Ok(2));
    assert_eq!(store.forget(at(50)).await, Ok(0));
    assert_eq!(store.request(&delivery("old")).await, Ok(None));
    assert_eq!(store.offer(offer_id(1)).await, Ok(None));
    assert!(store.request(&delivery("new")).await.unwrap().is_some());
    assert!(store.request(&delivery("open")).await.unwrap().is_some(), "what is not answered is never forgotten");
    assert!(store.offer(offer_id(2)).await.unwrap().is_some());
    assert!(store.deployment(deployment_id(1)).await.unwrap().is_some());
    let again = store.claim(&work, at(0), at(1000)).await.unwrap().unwrap();
    assert!(again.fence > lease.fence, "a fence never comes back, even where its work was forgotten");
    drop(store);
    assert_eq!(place.open().await.unanswered().await.unwrap().len(), 1);
}

async fn one_of_many_wins(mut place: impl Place) {
    let store = place.open().await;
    save(&*store, &deployment(1, "a")).await.unwrap();
    let read = store.deployment(deployment_id(1)).await.unwrap().unwrap();
    let tries = join_all((0..100).map(|n| {
        let mine = Deployment { builds_ordered: n, ..read.clone() };
        let store = &store;
        async move { (n, save(&**store, &mine).await) }
    }))
    .await;
    let won: Vec<u8> = tries.iter().filter(|(_, done)| done.is_ok()).map(|(n, _)| *n).collect();
    assert_eq!(won.len(), 1, "exactly one");
    assert!(tries.iter().all(|(_, done)| matches!(done, Ok(()) | Err(StoreError::Conflict(_)))));
    let now = store.deployment(deployment_id(1)).await.unwrap().unwrap();
    assert_eq!((now.version, now.builds_ordered), (2, won[0]));
}

async fn refuses_what_is_too_large(mut place: impl Place) {
    let store = place.open().await;
    let mut large = deployment(1, "a");
    large.target.web_url = Some("x".repeat(1_000_000));
    let refused = store.save(Batch { lines: vec![Line::empty(app("a"))], ..Batch::deployment(large.clone()) }).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { size, limit, .. }) if size > 1_000_000 && limit < size), "{refused:?}");
    assert_eq!(store.deployment(large.id).await, Ok(None));
    assert_eq!(store.line(&app("a")).await.unwrap().version, 0, "nothing of the batch was saved");
    large.target.web_url = Some("x".repeat(30_000));
    save(&*store, &large).await.unwrap();
}

async fn an_empty_line_is_a_line(mut place: impl Place) {
    let store = place.open().await;
    assert_eq!(store.line(&app("a")).await, Ok(Line::empty(app("a"))));
    let joined = Line::empty(app("a")).joined_by(deployment_id(1));
    store.save(Batch { lines: vec![joined.clone()], ..Batch::default() }).await.unwrap();
    assert_eq!(store.line(&app("a")).await, Ok(Line { version: 1, ..joined }));
    assert_eq!(store.line(&app("b")).await.unwrap().version, 0);
}
