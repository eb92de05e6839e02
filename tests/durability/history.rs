//! Damage to the history: what is lost, older, another's or changed is refused, or found by whoever looks at everything.

use std::fs;
use std::path::Path;

use redb::{Database, ReadableTable as _, TableDefinition};
use slash_heroku::adapters::sled::{OpenError, SledStore, backup};
use slash_heroku::domain::privacy::OperatorAsks;
use slash_heroku::ports::{Store, StoreError};
use tempfile::TempDir;

use super::{copy_files, open_soon, save_over};
use crate::support::folders;
use crate::support::records::{app, deployment_id, pipeline};

const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("history");
const INDEX: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("history-index");

/// A closed store with a hundred deployments that are over; most of them in the history.
async fn closed_store() -> TempDir {
    let place = folders::in_memory();
    let store = SledStore::open(place.path()).unwrap();
    save_over(&store, 0..100, "a").await;
    store.close().await;
    assert_eq!(SledStore::check(place.path()).unwrap().over, 96);
    place
}

fn copy(place: &TempDir) -> TempDir {
    let copy = folders::in_memory();
    copy_files(place.path(), copy.path(), |_| true);
    copy
}

fn refused_as_damaged(folder: &Path, what: &str) {
    match open_soon(folder) {
        Err(OpenError::Damaged { detail, .. }) => assert!(detail.contains("history"), "{what}: {detail}"),
        other => panic!("{what}: {other:?}"),
    }
}

/// Changes the history behind the store's back.
fn tamper(
    folder: &Path,
    change: impl FnOnce(&mut redb::Table<'_, &'static [u8], &'static [u8]>),
    table: TableDefinition<'_, &'static [u8], &'static [u8]>,
) {
    let database = Database::open(folder.join("history")).unwrap();
    let writing = database.begin_write().unwrap();
    change(&mut writing.open_table(table).unwrap());
    writing.commit().unwrap();
}

#[tokio::test]
async fn a_lost_older_or_foreign_history_is_refused() {
    let place = closed_store().await;
    let old = copy(&place);
    let store = SledStore::open(place.path()).unwrap();
    save_over(&store, 200..300, "a").await;
    store.close().await;
    let other = folders::in_memory();
    let store = SledStore::open(other.path()).unwrap();
    save_over(&store, 500..700, "a").await;
    store.close().await;

    let history = |folder: &TempDir| fs::read(folder.path().join("history")).unwrap();
    let whole = history(&place);
    let put = [
        ("an older one", history(&old)),
        ("another store's", history(&other)),
        ("an empty file", Vec::new()),
        ("half of it", whole[..whole.len() / 2].to_vec()),
        ("something else", b"Dear diary, ".repeat(1000)),
    ];
    for (what, bytes) in put {
        let copy = copy(&place);
        fs::write(copy.path().join("history"), bytes).unwrap();
        refused_as_damaged(copy.path(), what);
    }
    let copy = copy(&place);
    fs::remove_file(copy.path().join("history")).unwrap();
    refused_as_damaged(copy.path(), "none");
    assert!(!copy.path().join("history").exists(), "it is not made anew");
    open_soon(place.path()).unwrap();
}

#[tokio::test]
async fn rows_that_are_missing_or_changed_are_refused_or_told_when_read() {
    let place = closed_store().await;
    let missing = copy(&place);
    tamper(missing.path(), |rows| drop(rows.pop_first().unwrap()), RECORDS);
    refused_as_damaged(missing.path(), "a row is missing");
    let unfound = copy(&place);
    tamper(unfound.path(), |rows| drop(rows.pop_first().unwrap()), INDEX);
    refused_as_damaged(unfound.path(), "an index row is missing");
    let last = copy(&place);
    let change_last = |rows: &mut redb::Table<'_, &'static [u8], &'static [u8]>| {
        let (key, mut row) = rows.pop_last().unwrap().map(|(key, row)| (key.value().to_vec(), row.value().to_vec())).unwrap();
        *row.last_mut().unwrap() ^= 1;
        rows.insert(key.as_slice(), row.as_slice()).unwrap();
    };
    tamper(last.path(), change_last, RECORDS);
    match open_soon(last.path()) {
        Err(OpenError::Damaged { .. }) => {}
        other => panic!("the newest rows are looked at: {other:?}"),
    }

    let changed = copy(&place);
    let change_first = |rows: &mut redb::Table<'_, &'static [u8], &'static [u8]>| {
        let second = rows.get(deployment_id(1).0.as_bytes().as_slice()).unwrap().unwrap().value().to_vec();
        rows.insert(deployment_id(0).0.as_bytes().as_slice(), second.as_slice()).unwrap();
    };
    tamper(changed.path(), change_first, RECORDS);
    let store = SledStore::open(changed.path()).unwrap();
    assert!(matches!(store.deployment(deployment_id(0)).await, Err(StoreError::Damaged(_))), "another's row in its place");
    assert!(matches!(store.deployments_of_app(&app("a"), 100).await, Err(StoreError::Damaged(_))));
    assert!(store.deployment(deployment_id(1)).await.unwrap().is_some(), "the others are well");
    store.close().await;
    assert!(matches!(SledStore::check(changed.path()), Err(OpenError::Damaged { .. })));
    let file = changed.path().join("backup");
    assert!(
        backup(changed.path(), &file, &OperatorAsks::backup(None, None)).await.unwrap_err().to_string().contains("damaged"),
        "no backup is made of that"
    );
    assert!(!file.exists());
}

/// What a store says of what it should hold, if it can be opened: whether it says anything wrong.
async fn lies(folder: &Path) -> Option<String> {
    let store = match open_soon(folder) {
        Ok(store) => store,
        Err(OpenError::Damaged { .. }) => return None,
        Err(other) => panic!("{other}"),
    };
    let mut lie = None;
    for n in 0..100 {
        match store.deployment(deployment_id(n)).await {
            Ok(Some(found)) => assert_eq!(found.id, deployment_id(n)),
            Ok(None) => lie = Some(format!("deployment {n} is not there")),
            Err(_) => {}
        }
    }
    match store.deployments_of_pipeline(&pipeline("pipe"), usize::MAX).await {
        Ok(found) if found.len() != 100 => lie = Some(format!("{} of 100 are there", found.len())),
        Ok(_) | Err(_) => {}
    }
    store.close().await;
    lie
}

#[tokio::test]
async fn flipped_bits_in_the_history_are_refused_told_or_found() {
    let place = closed_store().await;
    let bytes = fs::read(place.path().join("history")).unwrap();
    let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let mut caught = 0;
    for at in (0..32).map(|n| used[(used.len() - 1) * n / 31]) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        let (read, whole) = (copy(&place), copy(&place));
        for folder in [&read, &whole] {
            fs::write(folder.path().join("history"), &flipped).unwrap();
        }
        let checked = SledStore::check(whole.path());
        caught += usize::from(checked.is_err());
        if let Some(lie) = lies(read.path()).await {
            assert!(matches!(checked, Err(OpenError::Damaged { .. })), "byte {at}: {lie}, and a look at everything finds nothing wrong");
        }
    }
    assert!(caught > 0, "the flips must be able to do harm");
}
