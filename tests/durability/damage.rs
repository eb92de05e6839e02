//! Damage: nothing that was not written is ever read, and nothing that is missing goes unseen.

use std::path::Path;

use slash_heroku::adapters::sled::{OpenError, SledStore};
use slash_heroku::domain::account::{Account, Provider};
use slash_heroku::ports::{AccountBatch, AccountStore, Batch, LockStore as _, Store};
use slash_heroku::testing::account_store::{login, person, visit};
use slash_heroku::testing::lock_store::{lock, none};
use tempfile::TempDir;

use super::{copy_files, open_soon, ship};
use crate::support::folders;
use crate::support::records::{app, at, deployment_id, offer, request};

/// A closed store with some of everything.
async fn closed_store() -> TempDir {
    let place = folders::in_memory();
    let store = SledStore::open(place.path()).unwrap();
    for n in 0..10 {
        ship(&store, n, &app("a")).await.unwrap();
    }
    store.accept(&request("d", 0)).await.unwrap();
    store.take_up(1, at(0), at(60)).await.unwrap();
    store.save(Batch { offers: vec![offer(1, 0)], ..Batch::default() }).await.unwrap();
    let ana = person("T1", "U1");
    let (account, sign_in) = (Account::empty(ana.clone()).with(Provider::Platform, login("1")), visit(1, &ana));
    store.save_accounts(AccountBatch { accounts: vec![account], sign_ins: vec![sign_in] }).await.unwrap();
    store.save_locks(&none("p1").taken(lock("U1", "d1"), false, at(0)).unwrap().locks, Vec::new()).await.unwrap();
    let work = slash_heroku::ports::Work::Deployment(deployment_id(1));
    store.claim(&work, at(0), at(60)).await.unwrap();
    store.close().await;
    place
}

/// Opens the trees behind the store's back, changes something, and closes them.
fn tamper(folder: &Path, change: impl FnOnce(&sled::Db)) {
    let db = sled::Config::new().path(folder).segment_size(4 * 1024 * 1024).cache_capacity(1 << 20).open().unwrap();
    change(&db);
    db.flush().unwrap();
}

fn refused_as_damaged(folder: &Path, what: &str) {
    // sled lets go of its file a moment after it was dropped.
    match SledStore::open(folder) {
        Err(OpenError::Damaged { .. }) => {}
        other => panic!("{what}: {other:?}"),
    }
}

#[tokio::test]
async fn a_flipped_bit_in_any_row_is_refused() {
    let place = closed_store().await;
    for tree in ["requests", "deployments", "lines", "offers", "accounts", "sign-ins", "locks", "leases", "index", "meta"] {
        let copy = folders::in_memory();
        copy_files(place.path(), copy.path(), |_| true);
        tamper(copy.path(), |db| {
            let tree = db.open_tree(tree).unwrap();
            let (key, row) = tree.first().unwrap().unwrap();
            let mut row = row.to_vec();
            *row.last_mut().unwrap() ^= 1;
            tree.insert(key, row).unwrap();
        });
        refused_as_damaged(copy.path(), tree);
    }
}

#[tokio::test]
async fn a_missing_row_is_refused() {
    let place = closed_store().await;
    for tree in ["requests", "deployments", "lines", "offers", "accounts", "sign-ins", "locks", "leases", "index", "meta"] {
        let copy = folders::in_memory();
        copy_files(place.path(), copy.path(), |_| true);
        tamper(copy.path(), |db| {
            db.open_tree(tree).unwrap().pop_max().unwrap().unwrap();
        });
        refused_as_damaged(copy.path(), tree);
    }
}

#[tokio::test]
async fn a_row_in_the_wrong_place_is_refused() {
    let place = closed_store().await;
    tamper(place.path(), |db| {
        let tree = db.open_tree("deployments").unwrap();
        let ((_, first), (key, _)) = (tree.first().unwrap().unwrap(), tree.last().unwrap().unwrap());
        tree.insert(key, first).unwrap();
    });
    refused_as_damaged(place.path(), "the first deployment in the last one's place");
}

#[tokio::test]
async fn an_old_row_that_came_back_is_refused() {
    let place = closed_store().await;
    let mut old = None;
    tamper(place.path(), |db| old = db.open_tree("deployments").unwrap().first().unwrap());
    let store = SledStore::open(place.path()).unwrap();
    let first = store.deployment(deployment_id(0)).await.unwrap().unwrap();
    let next = slash_heroku::domain::deployment::Deployment { builds_ordered: 1, ..first };
    store.save(Batch::deployment(next)).await.unwrap();
    store.close().await;
    let (key, row) = old.unwrap();
    tamper(place.path(), |db| {
        db.open_tree("deployments").unwrap().insert(key, row).unwrap();
    });
    refused_as_damaged(place.path(), "an old version");
}

#[tokio::test]
async fn lost_files_are_not_made_anew() {
    let place = closed_store().await;
    let gone = folders::in_memory();
    copy_files(place.path(), gone.path(), |name| name != "db");
    refused_as_damaged(gone.path(), "no database");
    assert!(!gone.path().join("db").exists(), "it was not made anew");
    let empty = folders::in_memory();
    copy_files(place.path(), empty.path(), |name| !name.starts_with("snap"));
    std::fs::write(empty.path().join("db"), b"").unwrap();
    refused_as_damaged(empty.path(), "an empty database");
}

#[tokio::test]
async fn a_cut_off_end_of_the_log_is_refused_after_a_tidy_end() {
    let place = closed_store().await;
    let old = folders::in_memory();
    copy_files(place.path(), old.path(), |_| true);
    let store = SledStore::open(place.path()).unwrap();
    ship(&store, 77, &app("a")).await.unwrap();
    store.close().await;
    std::fs::copy(place.path().join("closed"), old.path().join("closed")).unwrap();
    let said = open_soon(old.path()).unwrap_err().to_string();
    assert!(said.contains("damaged") && said.contains("restore from a backup"), "{said}");
}

#[tokio::test]
async fn flipped_bits_in_the_file_are_refused_or_harmless() {
    let place = closed_store().await;
    let bytes = std::fs::read(place.path().join("db")).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let needle = b"hubot.example.com";
    let needle = bytes.windows(needle.len()).position(|window| window == needle).expect("rows lie in the file as they are");
    let mut refused = 0;
    let spread = (1..20_usize).map(|n| used * n / 20);
    for at in spread.chain([needle, 0, used]) {
        let copy = folders::in_memory();
        copy_files(place.path(), copy.path(), |name| name != "db");
        let mut flipped = bytes.clone();
        flipped[at] ^= 4;
        std::fs::write(copy.path().join("db"), flipped).unwrap();
        match open_soon(copy.path()) {
            Err(OpenError::Damaged { .. }) => refused += 1,
            Err(other) => panic!("byte {at}: {other}"),
            Ok(store) => {
                for n in 0..10 {
                    assert!(store.deployment(deployment_id(n)).await.unwrap().is_some(), "byte {at}: deployment {n} is lost silently");
                }
                assert_eq!(store.line(&app("a")).await.unwrap().version, 10, "byte {at}");
                assert_eq!(store.unanswered().await.unwrap().len(), 1, "byte {at}");
            }
        }
    }
    assert!(refused > 0, "the flips must be able to do harm");
}
