//! What is removed is gone from every file, and no cut on the way there loses anything else.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use slash_heroku::adapters::sled::{Opening, Restoring, SledStore, Sync, TransferError, backup, restore, restore_with};
use slash_heroku::domain::account::{Account, Provider};
use slash_heroku::domain::actor::Person;
use slash_heroku::domain::command::Because;
use slash_heroku::domain::deployment::Deployment;
use slash_heroku::domain::installation::{Happened, Tenant};
use slash_heroku::domain::line::Line;
use slash_heroku::domain::lock::Lock;
use slash_heroku::domain::names::{UserId, WorkspaceId};
use slash_heroku::domain::notice::Mute;
use slash_heroku::domain::privacy::{Deed, Did, Month, Note, NoteKind, Noted, OperatorAsks, Told, Upkeep};
use slash_heroku::ports::{
    AccountBatch, AccountStore as _, Batch, InstallationBatch, InstallationStore as _, Keeping as _, LockStore as _, NoteBatch, Store as _,
    StoreError,
};
use slash_heroku::testing::lock_store::{lock, none};
use slash_heroku::testing::{account_store, installation_store};

use super::{open_soon, over};
use crate::support::folders;
use crate::support::records::{app, at, deployment, deployment_id, offer, request};

const MARKER: &str = "UMARKED1";
const WORDS: &str = "because of the marked words";

fn marked() -> Person {
    Person { workspace: WorkspaceId::parse("T1").unwrap(), user: UserId::parse(MARKER).unwrap() }
}

fn nobody() -> UserId {
    UserId::parse("removed-1").unwrap()
}

/// One that is over; every third one is the marked person's.
fn past(n: u64) -> Deployment {
    let mut one = over(n, "a");
    one.asked_at = at(i64::try_from(n).unwrap());
    if n.is_multiple_of(3) {
        one.origin.person = marked();
        one.because = Some(WORDS.to_owned());
    }
    one
}

/// A store in which the marked person stands wherever they can.
async fn filled(store: &SledStore) -> Result<(), StoreError> {
    for n in [0, 40] {
        store.save(Batch { deployments: (n..n + 40).map(past).collect(), ..Batch::default() }).await?;
        store.at_rest().await?;
    }
    for name in ["r1", "r2"] {
        let mut asked = request(name, 0);
        asked.origin.person = marked();
        store.accept(&asked).await?;
    }
    for (taken, _) in store.take_up(9, at(0), at(60)).await? {
        store.save(Batch { requests: vec![taken.answered_now()], ..Batch::default() }).await?;
    }
    let mut one = offer(1, 60);
    one.to = marked();
    store.save(Batch { offers: vec![one], ..Batch::default() }).await?;
    // Their own lock, and one that they took over.
    for (n, (pipeline, first)) in [("p1", MARKER), ("p2", "U2")].into_iter().enumerate() {
        let held = none(pipeline).taken(lock(first, &format!("l{n}")), false, at(0)).unwrap().locks;
        let over = Lock { because: Because::parse(WORDS).ok(), ..lock(MARKER, &format!("o{n}")) };
        store.save_locks(&held.taken(over, true, at(1)).unwrap().locks, Vec::new()).await?;
    }
    let told = Told { person: marked(), version: 1, seen: Month::of(at(0)), since: None };
    let (id, because) = (deployment_id(1).0, "a letter".to_owned());
    let deed = Deed { id, at: at(0), by: "uid 0".to_owned(), did: Did::Looked, about: Some(marked()), because };
    let mute = Mute { person: marked(), since: at(0), until: None };
    let save = vec![Noted::new(Note::Told(told)), Noted::new(Note::Deed(deed)), Noted::new(Note::Mute(mute))];
    store.save_notes(NoteBatch { save, ..NoteBatch::default() }).await
}

fn is_anywhere(folder: &Path, word: &str) -> bool {
    fs::read_dir(folder).unwrap().map(Result::unwrap).any(|entry| {
        if entry.file_type().unwrap().is_dir() {
            return is_anywhere(&entry.path(), word);
        }
        let bytes = fs::read(entry.path()).unwrap_or_default();
        bytes.windows(word.len()).any(|window| window == word.as_bytes())
    })
}

/// All deployments are there once, the marked person's without them.
async fn is_removed(store: &SledStore, what: &str) {
    let found = store.deployments_of_app(&app("a"), usize::MAX).await.unwrap();
    assert_eq!(found.len(), 80, "{what}");
    let without: BTreeSet<_> = found.iter().filter(|one| one.origin.person.user == nobody()).map(|one| one.id).collect();
    assert_eq!(without, (0..80).filter(|n| n % 3 == 0).map(deployment_id).collect(), "{what}");
    assert_eq!(store.how_much(&marked()).await.unwrap(), [], "{what}");
    let Some(Noted { note: Note::Deed(deed), .. }) = store.notes(NoteKind::Deed).await.unwrap().pop() else { panic!("{what}") };
    assert_eq!(deed.about.map(|about| about.user), Some(nobody()), "{what}");
}

#[tokio::test]
async fn a_removed_person_is_in_no_file_after_it_was_written_anew() {
    let place = folders::in_memory();
    let store = SledStore::open(place.path()).unwrap();
    assert!(store.is_new().await.unwrap());
    filled(&store).await.unwrap();
    assert!(!store.is_new().await.unwrap());
    let much = store.how_much(&marked()).await.unwrap();
    let kinds: Vec<&str> = much.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, ["deployments", "history", "locks", "mutes", "offers", "operators", "requests", "told"]);
    let told = store.everything(&marked()).await.unwrap();
    assert!(told.contains(WORDS) && told.contains("\"delivery-0\"") && !told.contains("\"delivery-1\""), "{told}");

    assert_eq!(store.remove_person(&marked(), &nobody()).await.unwrap(), 27);
    is_removed(&store, "removed").await;
    assert!(is_anywhere(place.path(), MARKER) && is_anywhere(place.path(), WORDS), "old bytes lie around until the files are written anew");
    store.rewrite().await.unwrap();
    is_removed(&store, "written anew").await;
    store.take_up(9, at(0), at(60)).await.unwrap();
    for word in [MARKER, WORDS] {
        assert!(!is_anywhere(place.path(), word), "{word} is still there");
    }
    // It goes on with the new files, and again.
    store.save(Batch { deployments: (100..140).map(|n| over(n, "b")).collect(), ..Batch::default() }).await.unwrap();
    store.at_rest().await.unwrap();
    store.rewrite().await.unwrap();
    store.close().await;
    SledStore::check(place.path()).unwrap();
    let store = SledStore::open(place.path()).unwrap();
    is_removed(&store, "opened again").await;
    assert_eq!(store.deployments_of_app(&app("b"), usize::MAX).await.unwrap().len(), 40);
    let left: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("rewritten")), "{left:?}");
    store.close().await;
}

#[tokio::test]
async fn whatever_cuts_a_removal_off_it_goes_on_and_loses_nothing() {
    let mut cuts = 0;
    for cut in 0.. {
        let place = folders::in_memory();
        let (left, calls) = (Arc::new(AtomicU64::new(u64::MAX)), Arc::new(AtomicU64::new(0)));
        let sync = Sync::by({
            let (left, calls) = (Arc::clone(&left), Arc::clone(&calls));
            move |file| {
                calls.fetch_add(1, Ordering::SeqCst);
                match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left.saturating_sub(1))) {
                    Ok(0) => Err(io::Error::other("cut")),
                    Ok(_) | Err(_) => file.sync_data(),
                }
            }
        });
        let store = SledStore::open_with(place.path(), Opening { sync, ..Opening::default() }).unwrap();
        filled(&store).await.unwrap();
        left.store(cut, Ordering::SeqCst);
        let gone = async {
            store.remove_person(&marked(), &nobody()).await?;
            store.rewrite().await
        };
        let done = gone.await;
        store.close().await;
        let store = SledStore::open(place.path()).unwrap_or_else(|error| panic!("cut {cut}: {error}"));
        assert_eq!(store.deployments_of_app(&app("a"), usize::MAX).await.unwrap().len(), 80, "cut {cut}");
        store.remove_person(&marked(), &nobody()).await.unwrap();
        store.rewrite().await.unwrap();
        is_removed(&store, &format!("cut {cut}")).await;
        store.take_up(9, at(0), at(60)).await.unwrap();
        store.close().await;
        SledStore::check(place.path()).unwrap_or_else(|error| panic!("cut {cut}: {error}"));
        assert!(!is_anywhere(place.path(), MARKER), "cut {cut}");
        if done.is_ok() {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 5, "{cuts} cuts");
}

#[tokio::test]
async fn what_is_too_old_goes_also_out_of_the_history() {
    let place = folders::in_memory();
    let store = SledStore::open(place.path()).unwrap();
    filled(&store).await.unwrap();
    assert_eq!(store.drop_closed(at(50)).await.unwrap(), 50);
    assert_eq!(store.drop_closed(at(50)).await.unwrap(), 0);
    let left = store.closed_after(None, 100).await.unwrap();
    assert_eq!(left.iter().map(|one| one.id).collect::<Vec<_>>(), (50..80).map(deployment_id).collect::<Vec<_>>());
    assert_eq!(store.closed_after(Some(deployment_id(59)), 3).await.unwrap().len(), 3);
    store.close().await;
    SledStore::check(place.path()).unwrap();
    assert_eq!(SledStore::open(place.path()).unwrap().deployments_of_app(&app("a"), 100).await.unwrap().len(), 30);
}

#[tokio::test]
async fn a_restore_removes_again_whoever_was_removed_since() {
    let place = folders::in_memory();
    let (here, there, file) = (place.path().join("here"), place.path().join("there"), place.path().join("backup"));
    let store = SledStore::open(&here).unwrap();
    filled(&store).await.unwrap();
    let upkeep = Noted::new(Note::Upkeep(Upkeep::default()));
    store.save_notes(NoteBatch { save: vec![upkeep], ..NoteBatch::default() }).await.unwrap();
    store.close().await;
    backup(&here, &file, &OperatorAsks::backup(None, None)).await.unwrap();
    let store = open_soon(&here).unwrap();
    let now = jiff_now();
    store.remove_person(&marked(), &nobody()).await.unwrap();
    store.remember_removal(&marked(), now).await.unwrap();
    store.close().await;

    let removals = Some(place.path().join("here.removals"));
    restore_with(&there, &file, Restoring { removals: removals.clone(), however_old: false, now }).await.unwrap();
    let store = SledStore::open(&there).unwrap();
    assert_eq!(store.how_much(&marked()).await.unwrap(), []);
    assert_eq!(store.deployments_of_app(&app("a"), usize::MAX).await.unwrap().len(), 80, "without them, and not gone");
    assert_eq!(
        (store.notes(NoteKind::Deed).await.unwrap().len(), store.notes(NoteKind::Upkeep).await.unwrap().len()),
        (2, 1),
        "the backup, and who was removed by it"
    );
    store.close().await;
    assert!(!is_anywhere(&there, MARKER) && !is_anywhere(&there, WORDS));

    // Nothing is known of it elsewhere; and a backup does not live for ever.
    let elsewhere = place.path().join("elsewhere");
    restore(&elsewhere, &file).await.unwrap();
    let store = SledStore::open(&elsewhere).unwrap();
    assert_eq!(store.how_much(&marked()).await.unwrap().len(), 7, "everything comes back");
    store.close().await;
    let later = now + jiff::SignedDuration::from_hours(31 * 24);
    let (folder, how) = (place.path().join("late"), Restoring { removals, however_old: false, now: later });
    let said = restore_with(&folder, &file, how.clone()).await.unwrap_err();
    assert!(matches!(said, TransferError::TooOld { .. }) && said.to_string().contains("--however-old"), "{said}");
    restore_with(&folder, &file, Restoring { however_old: true, ..how }).await.unwrap();
}

fn jiff_now() -> jiff::Timestamp {
    use slash_heroku::ports::Clock as _;
    slash_heroku::adapters::clock::SystemClock::default().now()
}

#[tokio::test]
async fn a_restore_leaves_out_whoever_has_left_since() {
    let place = folders::in_memory();
    let (here, there, file) = (place.path().join("here"), place.path().join("there"), place.path().join("backup"));
    let store = SledStore::open(&here).unwrap();
    let t1 = WorkspaceId::parse("T1").unwrap();
    for (n, id) in [(0, "T1"), (10, "T2")] {
        let of = |mut one: Deployment| {
            one.origin.person.workspace = WorkspaceId::parse(id).unwrap();
            one
        };
        let line = Line::empty(app(id)).joined_by(deployment_id(n));
        let deployments = vec![of(deployment(n, id)), of(over(n + 1, id))];
        store.save(Batch { deployments, lines: vec![line], ..Batch::default() }).await.unwrap();
        let who = account_store::person(id, "U1");
        let account = Account::empty(who.clone()).with(Provider::Platform, account_store::login("1"));
        let sign_ins = vec![account_store::visit(u8::try_from(n).unwrap() + 1, &who)];
        store.save_accounts(AccountBatch { accounts: vec![account], sign_ins }).await.unwrap();
        let installations = vec![installation_store::installation(installation_store::workspace(id))];
        store.save_installations(InstallationBatch { installations, ..InstallationBatch::default() }).await.unwrap();
        let mute = Note::Mute(Mute { person: who, since: at(0), until: None });
        store.save_notes(NoteBatch { save: vec![Noted::new(mute)], ..NoteBatch::default() }).await.unwrap();
    }
    store.close().await;
    backup(&here, &file, &OperatorAsks::backup(None, None)).await.unwrap();
    let store = open_soon(&here).unwrap();
    let now = jiff_now();
    store.remember_departure(&installation_store::workspace("T1"), now).await.unwrap();
    store.close().await;

    let removals = Some(place.path().join("here.removals"));
    let filled = restore_with(&there, &file, Restoring { removals, however_old: false, now }).await.unwrap();
    assert!(filled.made.is_some() && filled.removals_unknown.is_none());
    SledStore::check(&there).unwrap();
    let store = SledStore::open(&there).unwrap();
    let tenants: Vec<_> = store.installations().await.unwrap().into_iter().map(|one| one.tenant).collect();
    assert_eq!(tenants, [installation_store::workspace("T2")]);
    let accounts: Vec<_> = store.accounts().await.unwrap().into_iter().map(|one| one.person.workspace.to_string()).collect();
    assert_eq!(accounts, ["T2"]);
    let visits: Vec<_> = store.open_sign_ins().await.unwrap().into_iter().map(|one| one.person.workspace.to_string()).collect();
    assert_eq!((visits, store.notes(NoteKind::Mute).await.unwrap().len()), (vec!["T2".to_owned()], 1));
    let mut over = Vec::new();
    for n in [1, 11] {
        over.push(store.deployment(deployment_id(n)).await.unwrap().is_some());
    }
    assert_eq!(over, [false, true]);
    // What went on keeps its app for a while, with nobody behind it, and goes then as at any removal.
    let open: Vec<_> = store.open_deployments().await.unwrap().iter().map(|one| (one.id, one.has_left())).collect();
    assert_eq!(open, [(deployment_id(0), true), (deployment_id(10), false)]);
    let [left] = store.not_done().await.unwrap().try_into().unwrap();
    assert_eq!((left.tenant, left.what, left.heard_at), (Tenant::Workspace(t1), Happened::Uninstalled, now));
    store.close().await;

    let unknown = restore(&place.path().join("elsewhere"), &file).await.unwrap();
    assert_eq!(unknown.removals_unknown, Some(place.path().join("elsewhere.removals")), "and nothing is said to be known that is not");
}

#[tokio::test]
async fn nobody_of_a_workspace_that_left_is_named_by_what_operators_did() {
    let place = folders::in_memory();
    let store = SledStore::open(place.path()).unwrap();
    let deed = |n: u64, about: Option<Person>| {
        let because = "a letter".to_owned();
        Note::Deed(Deed { id: deployment_id(n).0, at: at(0), by: "uid 0".to_owned(), did: Did::Looked, about, because })
    };
    let other = Person { workspace: WorkspaceId::parse("T2").unwrap(), user: UserId::parse("U2").unwrap() };
    let save = [deed(1, Some(marked())), deed(2, Some(other.clone())), deed(3, None)].map(Noted::new).to_vec();
    store.save_notes(NoteBatch { save, ..NoteBatch::default() }).await.unwrap();
    for _ in 0..2 {
        store.forget_workspace(&marked().workspace, at(100)).await.unwrap();
    }
    let deeds = store.notes(NoteKind::Deed).await.unwrap();
    let about: Vec<Option<Person>> =
        deeds.into_iter().map(|noted| if let Note::Deed(deed) = noted.note { deed.about } else { panic!("no deed") }).collect();
    let [Some(gone), Some(stays), None] = about.as_slice() else { panic!("{about:?}") };
    assert!(gone.user.as_str().starts_with("removed-") && gone.workspace.as_str().starts_with("removed-"), "{gone:?}");
    assert_eq!(*stays, other, "what is others' stays as it is");
    store.rewrite().await.unwrap();
    assert!(!is_anywhere(place.path(), MARKER));
}
