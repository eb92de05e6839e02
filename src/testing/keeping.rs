//! What is promised where things are kept about people, [`Keeping`]: notes, what they are shown of it, and that it goes.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use super::account_store::person;
use super::records::{at, deployment, deployment_id, offer, request};
use crate::domain::actor::Person;
use crate::domain::deployment::{Deployment, DynosUp, Phase};
use crate::domain::names::UserId;
use crate::domain::notice::Mute;
use crate::domain::privacy::{Note, NoteKey, NoteKind, Noted};
use crate::ports::{Batch, Keeping, NoteBatch, Store, StoreError, Work};

/// A store, as both.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What is kept about people.
    pub keeping: Arc<dyn Keeping>,
    /// Everything else.
    pub store: Arc<dyn Store>,
}

/// A place for a store: opened again, it holds what was answered with `Ok`.
pub trait Place: Send {
    /// Opens it; whatever was open before is closed.
    fn open(&mut self) -> BoxFuture<'_, Opened>;

    /// Closes it and takes a backup of it; when that was.
    fn back_up(&mut self) -> BoxFuture<'_, Timestamp>;

    /// The backup, brought back into an empty place a minute after it was taken: without what is remembered as gone since.
    fn bring_back(&mut self) -> BoxFuture<'_, Opened>;
}

/// The whole suite; each part has a place of its own.
pub async fn all<P: Place>(mut place: impl FnMut() -> P) {
    a_new_store_is_told_from_an_old_one(&mut place()).await;
    notes_stay(&mut place()).await;
    notes_go_together_or_not_at_all(&mut place()).await;
    an_older_lease_saves_no_notes(&mut place()).await;
    what_is_over_comes_in_order(&mut place()).await;
    what_is_too_old_goes(&mut place()).await;
    a_person_is_shown_and_removed(&mut place()).await;
    whoever_was_removed_does_not_come_back(&mut place()).await;
    nothing_is_lost_where_files_are_written_anew(&mut place()).await;
}

fn over(n: u64, user: &str, asked: i64) -> Deployment {
    let mut one = deployment(n, "hubot-staging");
    one.phase = Phase::Succeeded { version: n, dynos: DynosUp::None };
    one.origin.person = person("T1", user);
    (one.asked_at, one.closed) = (at(asked), true);
    one
}

fn mute(user: &str) -> Noted {
    Noted::new(Note::Mute(Mute { person: person("T1", user), since: at(0), until: Some(at(60)) }))
}

async fn put(opened: &Opened, deployments: Vec<Deployment>) {
    opened.store.save(Batch { deployments, ..Batch::default() }).await.unwrap();
}

async fn note_of(opened: &Opened, user: &str) -> Option<Noted> {
    opened.keeping.note(&NoteKey::Mute(person("T1", user))).await.unwrap()
}

async fn save(opened: &Opened, save: Vec<Noted>) -> Result<(), StoreError> {
    opened.keeping.save_notes(NoteBatch { save, ..NoteBatch::default() }).await
}

async fn a_new_store_is_told_from_an_old_one(place: &mut impl Place) {
    let opened = place.open().await;
    assert!(opened.keeping.is_new().await.unwrap(), "broken: nothing was ever kept in a new store");
    put(&opened, vec![over(1, "U1", 0)]).await;
    assert!(!place.open().await.keeping.is_new().await.unwrap(), "broken: a store in which something was kept is no new one");
}

async fn notes_stay(place: &mut impl Place) {
    let opened = place.open().await;
    assert_eq!(note_of(&opened, "U1").await, None, "broken: there is nothing where nothing was noted");
    save(&opened, vec![mute("U1"), mute("U10")]).await.unwrap();
    let opened = place.open().await;
    let noted = note_of(&opened, "U1").await.expect("broken: what was answered with Ok is there after a start");
    assert_eq!((noted.version, &noted.note), (1, &mute("U1").note), "broken: a note is found as it was saved");
    assert_eq!(note_of(&opened, "U").await, None, "broken: a note is found by its whole key");
    assert_eq!(opened.keeping.notes(NoteKind::Mute).await.unwrap().len(), 2, "broken: all notes of a kind are found");
    assert!(opened.keeping.notes(NoteKind::Told).await.unwrap().is_empty(), "broken: and none of another kind");
    let gone = NoteBatch { remove: vec![noted], ..NoteBatch::default() };
    opened.keeping.save_notes(gone).await.unwrap();
    assert_eq!(note_of(&place.open().await, "U1").await, None, "broken: what was removed is not there any more");
}

async fn notes_go_together_or_not_at_all(place: &mut impl Place) {
    let opened = place.open().await;
    save(&opened, vec![mute("U1")]).await.unwrap();
    let late = save(&opened, vec![mute("U2"), mute("U1")]).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "broken: of two who note the same at once one is told");
    assert_eq!(note_of(&opened, "U2").await, None, "broken: notes are saved together or not at all");
    let read = note_of(&opened, "U1").await.unwrap();
    save(&opened, vec![read.clone()]).await.unwrap();
    let removed = opened.keeping.save_notes(NoteBatch { save: vec![mute("U3")], remove: vec![read], ..NoteBatch::default() }).await;
    assert!(matches!(removed, Err(StoreError::Conflict(_))), "broken: what was saved since it was read is not removed");
    assert_eq!((note_of(&opened, "U1").await.map(|noted| noted.version), note_of(&opened, "U3").await), (Some(2), None));
}

async fn an_older_lease_saves_no_notes(place: &mut impl Place) {
    let opened = place.open().await;
    let work = Work::Upkeep;
    let older = opened.store.claim(&work, at(0), at(10)).await.unwrap().unwrap();
    let newer = opened.store.claim(&work, at(20), at(30)).await.unwrap().unwrap();
    let batch = |user: &str, lease: &_| NoteBatch { save: vec![mute(user)], under: Some(Clone::clone(lease)), ..NoteBatch::default() };
    let late = opened.keeping.save_notes(batch("U1", &older)).await;
    assert_eq!((late, note_of(&opened, "U1").await), (Err(StoreError::LeaseLost), None), "broken: only the newest lease saves");
    opened.keeping.save_notes(batch("U1", &newer)).await.unwrap();
    assert!(note_of(&opened, "U1").await.is_some());
}

async fn ids(opened: &Opened, after: Option<u64>, limit: usize) -> Vec<u64> {
    let found = opened.keeping.closed_after(after.map(deployment_id), limit).await.unwrap();
    found.iter().map(|one| u64::try_from(one.id.0.as_u128()).unwrap()).collect()
}

async fn what_is_over_comes_in_order(place: &mut impl Place) {
    let opened = place.open().await;
    put(&opened, vec![over(4, "U1", 4), over(1, "U1", 1), deployment(3, "hubot-staging"), over(2, "U2", 2)]).await;
    put(&opened, vec![over(5, "U1", 5)]).await;
    assert_eq!(ids(&opened, None, 10).await, [1, 2, 4, 5], "broken: what is over and told comes oldest first, and nothing else");
    let opened = place.open().await;
    assert_eq!(ids(&opened, None, 2).await, [1, 2], "broken: no more come than were asked for");
    assert_eq!(ids(&opened, Some(2), 10).await, [4, 5], "broken: those come that are behind the last one");
    assert_eq!(ids(&opened, Some(5), 10).await, [0; 0], "broken: behind the last one is nothing");
}

async fn what_is_too_old_goes(place: &mut impl Place) {
    let opened = place.open().await;
    let mut going_on = deployment(2, "hubot-staging");
    going_on.asked_at = at(2);
    put(&opened, vec![over(1, "U1", 1), going_on, over(3, "U1", 3), over(4, "U1", 4)]).await;
    assert_eq!(opened.keeping.drop_closed(at(4)).await.unwrap(), 2, "broken: so many go as are over and were asked for before");
    assert_eq!(opened.keeping.drop_closed(at(4)).await.unwrap(), 0, "broken: they go once");
    let opened = place.open().await;
    assert_eq!(ids(&opened, None, 10).await, [4], "broken: the others stay");
    assert!(opened.store.deployment(deployment_id(2)).await.unwrap().is_some(), "broken: what goes on stays, however old it is");
}

async fn is_empty_of(opened: &Opened, person: &Person) -> bool {
    opened.keeping.how_much(person).await.unwrap().is_empty()
}

async fn a_person_is_shown_and_removed(place: &mut impl Place) {
    let opened = place.open().await;
    let (gone, stays) = (person("T1", "U1"), person("T1", "U2"));
    assert!(is_empty_of(&opened, &gone).await, "broken: nothing is kept of whoever never asked for anything");
    put(&opened, vec![over(1, "U1", 1), over(2, "U2", 2)]).await;
    opened.store.accept(&request("d1", 0)).await.unwrap();
    let (asked, _) = opened.store.take_up(1, at(0), at(60)).await.unwrap().remove(0);
    let kept = Batch { requests: vec![asked.answered_now()], offers: vec![offer(1, 9)], ..Batch::default() };
    opened.store.save(kept).await.unwrap();
    save(&opened, vec![mute("U1"), mute("U2")]).await.unwrap();
    let opened = place.open().await;
    let much = opened.keeping.how_much(&gone).await.unwrap();
    assert_eq!(much.iter().map(|(_, many)| many).sum::<u64>(), 4, "broken: each record of theirs is counted once: {much:?}");
    let everything = opened.keeping.everything(&gone).await.unwrap();
    let read: serde_json::Value = serde_json::from_str(&everything).expect("broken: everything is JSON");
    assert!(everything.contains(&deployment_id(1).to_string()) && !everything.contains(&deployment_id(2).to_string()), "broken: {read}");

    let name = UserId::parse("removed-1").unwrap();
    assert_eq!(opened.keeping.remove_person(&gone, &name).await.unwrap(), 1, "broken: it tells in how many deployments they stood");
    let opened = place.open().await;
    assert!(is_empty_of(&opened, &gone).await, "broken: nothing leads to whoever was removed");
    let theirs = opened.store.deployment(deployment_id(1)).await.unwrap().expect("broken: what shipped stays known");
    assert_eq!(theirs.origin.person.user, name, "broken: it stands under another name");
    assert_eq!(note_of(&opened, "U1").await, None, "broken: what they said goes");
    let of_others = opened.store.deployment(deployment_id(2)).await.unwrap().unwrap();
    assert_eq!((of_others.origin.person, note_of(&opened, "U2").await.is_some()), (stays, true), "broken: what is kept of others stays");
    assert_eq!(opened.keeping.remove_person(&gone, &name).await.unwrap(), 0, "broken: asked for twice, it is done once");
}

async fn nothing_is_lost_where_files_are_written_anew(place: &mut impl Place) {
    let opened = place.open().await;
    put(&opened, vec![over(1, "U1", 1), deployment(2, "hubot-staging"), over(3, "U2", 3)]).await;
    save(&opened, vec![mute("U1")]).await.unwrap();
    opened.keeping.remove_person(&person("T1", "U2"), &UserId::parse("removed-1").unwrap()).await.unwrap();
    opened.keeping.rewrite().await.unwrap();
    opened.keeping.rewrite().await.unwrap();
    let opened = place.open().await;
    assert_eq!(ids(&opened, None, 10).await, [1, 3], "broken: what is over is there");
    assert!(opened.store.deployment(deployment_id(2)).await.unwrap().is_some(), "broken: what goes on is there");
    assert!(note_of(&opened, "U1").await.is_some(), "broken: notes are there");
}

async fn whoever_was_removed_does_not_come_back(place: &mut impl Place) {
    let opened = place.open().await;
    put(&opened, vec![over(1, "U1", 1), over(2, "U2", 2)]).await;
    save(&opened, vec![mute("U1"), mute("U2")]).await.unwrap();
    drop(opened);
    let removed_at = place.back_up().await + SignedDuration::from_secs(1);
    let opened = place.open().await;
    let (gone, stays) = (person("T1", "U1"), person("T1", "U2"));
    opened.keeping.remove_person(&gone, &UserId::parse("removed-1").unwrap()).await.unwrap();
    for _ in 0..2 {
        opened.keeping.remember_removal(&gone, removed_at).await.expect("broken: a removal may be remembered again");
    }
    drop(opened);
    let opened = place.bring_back().await;
    assert!(is_empty_of(&opened, &gone).await, "broken: an older backup does not bring back whoever was removed since");
    assert_eq!(ids(&opened, None, 10).await, [1, 2], "broken: what shipped comes back");
    assert!(!is_empty_of(&opened, &stays).await && note_of(&opened, "U2").await.is_some(), "broken: nobody else is left out");
}
