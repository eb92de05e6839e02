//! Accepted requests that nobody has taken up yet: power cuts, kills, damage, failed syncs, and that nothing of them stays.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use futures_util::future::join_all;
use slash_heroku::adapters::sled::{OpenError, Opening, SledStore, Sync};
use slash_heroku::ports::{Batch, Store, StoreError};

use super::{copy_files, is_file, open_soon};
use crate::support::folders;
use crate::support::records::{at, request};

async fn accept(store: &SledStore, names: &[&str]) {
    for name in names {
        store.accept(&request(name, 0)).await.unwrap();
    }
}

/// Takes up what is there, in order.
async fn taken(store: &SledStore) -> Vec<String> {
    let taken = store.take_up(usize::MAX, at(0), at(60)).await.unwrap();
    taken.into_iter().map(|(request, _)| request.id.to_string()).collect()
}

/// The files of the intake, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = all.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("accepted-")).collect();
    files.sort();
    files
}

fn copy_of(folder: &Path) -> tempfile::TempDir {
    let copy = folders::in_memory();
    copy_files(folder, copy.path(), |_| true);
    copy
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_power_cut() {
    let place = folders::in_memory();
    let (folder, left) = (place.path().join("store"), Arc::new(Mutex::new(Vec::new())));
    let sync = Sync::by({
        let (folder, left) = (folder.clone(), Arc::clone(&left));
        move |file| {
            file.sync_data()?;
            if is_file(file, &folder, "accepted-1") {
                *left.lock().unwrap() = fs::read(folder.join("accepted-1")).unwrap();
            }
            Ok(())
        }
    });
    let store = SledStore::open_with(&folder, Opening { sync, ..Opening::default() }).unwrap();
    let mut names: Vec<String> = Vec::new();
    for (round, many) in [1, 1, 40, 3, 200].into_iter().enumerate() {
        let new: Vec<String> = (0..many).map(|n| format!("d{round}-{n}")).collect();
        join_all(new.iter().map(|name| async { store.accept(&request(name, 0)).await.unwrap() })).await;
        names.extend(new);
        let copy = copy_of(&folder);
        fs::write(copy.path().join("accepted-1"), left.lock().unwrap().as_slice()).unwrap();
        let again = SledStore::open(copy.path()).unwrap();
        let mut found = taken(&again).await;
        found.sort();
        let mut all = names.clone();
        all.sort();
        assert_eq!(found, all, "after {many} more");
    }
}

#[tokio::test]
async fn nobody_is_acknowledged_before_the_sync_and_many_share_one() {
    let place = folders::in_memory();
    let (syncs, acknowledged) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
    let (entered, mut syncing) = tokio::sync::mpsc::unbounded_channel();
    let (let_go, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let sync = Sync::by({
        let (folder, syncs) = (place.path().to_owned(), Arc::clone(&syncs));
        move |file| {
            if is_file(file, &folder, "accepted-1") && syncs.fetch_add(1, Ordering::SeqCst) == 0 {
                entered.send(()).unwrap();
                gate.lock().unwrap().recv().unwrap();
            }
            file.sync_data()
        }
    });
    let store = SledStore::open_with(place.path(), Opening { sync, ..Opening::default() }).unwrap();
    let accepts = join_all((0..40).map(|n| {
        let (store, acknowledged) = (&store, &acknowledged);
        async move {
            store.accept(&request(&format!("d{n}"), 0)).await.unwrap();
            acknowledged.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let opens = async {
        syncing.recv().await.unwrap();
        assert_eq!(acknowledged.load(Ordering::SeqCst), 0, "nothing lies on disk yet");
        let_go.send(()).unwrap();
    };
    tokio::join!(accepts, opens);
    assert_eq!(acknowledged.load(Ordering::SeqCst), 40);
    assert!(syncs.load(Ordering::SeqCst) <= 2, "one that was held, and one for all that came meanwhile");
}

#[tokio::test]
async fn what_a_power_cut_left_of_the_last_batch_is_cut_off() {
    let place = folders::in_memory();
    let store = SledStore::open(place.path()).unwrap();
    accept(&store, &["d1", "d2"]).await;
    let file = files(place.path()).remove(0);
    let acknowledged = fs::read(&file).unwrap().len();
    accept(&store, &["d3"]).await;
    // As after a kill: nobody left word of what there was.
    let killed = copy_of(place.path());
    let file = killed.path().join(file.file_name().unwrap());
    let whole = fs::read(&file).unwrap();
    for cut in acknowledged..whole.len() {
        fs::write(&file, &whole[..cut]).unwrap();
        let store = SledStore::open(killed.path()).unwrap();
        assert_eq!(fs::read(&file).unwrap().len(), acknowledged, "cut at {cut}: the rest is gone");
        store.close().await;
        fs::remove_file(killed.path().join("closed")).unwrap();
    }
    let store = SledStore::open(killed.path()).unwrap();
    accept(&store, &["d4"]).await;
    assert_eq!(taken(&store).await, ["d1", "d2", "d4"], "and it goes on there");
}

#[tokio::test]
async fn a_flipped_bit_is_refused_where_it_can_be_told_from_a_power_cut() {
    let place = folders::in_memory();
    let store = SledStore::open(place.path()).unwrap();
    accept(&store, &["d1", "d2", "d3"]).await;
    let last = fs::read(files(place.path()).remove(0)).unwrap().len();
    accept(&store, &["d4"]).await;
    let killed = copy_of(place.path());
    let file = files(killed.path()).remove(0);
    let whole = fs::read(&file).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut flipped = whole.clone();
        flipped[at] ^= 16;
        fs::write(&file, flipped).unwrap();
        let opened = open_soon(killed.path());
        if at < last {
            assert!(matches!(opened, Err(OpenError::Damaged { .. })), "byte {at} of {last}: {opened:?}");
        } else {
            // Like the end of a batch that no sync has put on disk.
            let store = opened.unwrap();
            store.close().await;
            fs::remove_file(killed.path().join("closed")).unwrap();
        }
    }
    store.close().await;
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 16;
    fs::write(files(place.path()).remove(0), flipped).unwrap();
    assert!(matches!(open_soon(place.path()), Err(OpenError::Damaged { .. })), "after a tidy end any flip is seen");
}

#[tokio::test]
async fn lost_files_are_refused() {
    let place = folders::in_memory();
    let store = SledStore::open(place.path()).unwrap();
    accept(&store, &["d1"]).await;
    taken(&store).await;
    accept(&store, &["d2"]).await;
    let gone = copy_of(place.path());
    fs::remove_file(files(gone.path()).remove(0)).unwrap();
    assert!(matches!(open_soon(gone.path()), Err(OpenError::Damaged { .. })), "requests were taken up out of it");
    let older = copy_of(place.path());
    fs::write(files(older.path()).remove(0), b"").unwrap();
    assert!(matches!(open_soon(older.path()), Err(OpenError::Damaged { .. })), "it ends before what was taken up");
}

#[tokio::test]
async fn a_failed_sync_is_the_end_and_nothing_is_acknowledged() {
    let place = folders::in_memory();
    let broken = Arc::new(AtomicBool::new(false));
    let sync = Sync::by({
        let broken = Arc::clone(&broken);
        move |file| if broken.load(Ordering::SeqCst) { Err(io::Error::other("the disk is on fire")) } else { file.sync_data() }
    });
    let store = SledStore::open_with(place.path(), Opening { sync, ..Opening::default() }).unwrap();
    accept(&store, &["d1"]).await;
    broken.store(true, Ordering::SeqCst);
    let said = store.accept(&request("d2", 0)).await;
    assert!(matches!(&said, Err(StoreError::Failed(why)) if why.contains("on fire")), "{said:?}");
    broken.store(false, Ordering::SeqCst);
    assert!(matches!(store.accept(&request("d3", 0)).await, Err(StoreError::Failed(_))), "a disk that is well again changes nothing");
    assert!(store.failed().await.contains("on fire"), "the process can notice");
    drop(store);
    let store = SledStore::open(place.path()).unwrap();
    let found = taken(&store).await;
    assert!(found.starts_with(&["d1".to_owned()]) && !found.contains(&"d3".to_owned()), "{found:?}");
}

#[tokio::test]
async fn nothing_stays_of_what_was_taken_up() {
    let place = folders::in_memory();
    let store = SledStore::open(place.path()).unwrap();
    accept(&store, &["d1", "d2"]).await;
    let first = files(place.path());
    store.forget(at(0)).await.unwrap();
    accept(&store, &["d3"]).await;
    assert_eq!(files(place.path()), first, "somebody has to take them up first");
    assert_eq!(taken(&store).await, ["d1", "d2", "d3"]);
    store.forget(at(0)).await.unwrap();
    // Whatever comes after that lies in the next file.
    accept(&store, &["d4"]).await;
    assert_eq!(taken(&store).await, ["d4"]);
    let second = files(place.path());
    assert!(second.len() == 1 && second != first, "{second:?}");
    let bytes = fs::read(&second[0]).unwrap();
    assert!(!bytes.windows(2).any(|two| two == b"d3"), "what was answered lies there no longer");
    store.close().await;
    let store = SledStore::open(place.path()).unwrap();
    accept(&store, &["d5"]).await;
    assert_eq!(taken(&store).await, ["d5"]);
    assert_eq!(store.unanswered().await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_flood_is_taken_up_in_order_across_files() {
    let place = folders::in_memory();
    let store = SledStore::open(place.path()).unwrap();
    // Some 40 KiB each: three files.
    let large = |n: usize| {
        let mut large = request(&format!("d{n:04}"), 0);
        large.origin.reply = serde_json::from_value(serde_json::Value::String("x".repeat(40_000))).unwrap();
        large
    };
    let numbers: Vec<usize> = (0..900).collect();
    for some in numbers.chunks(100) {
        for n in some {
            store.accept(&large(*n)).await.unwrap();
        }
    }
    assert_eq!(files(place.path()).len(), 3);
    let store = {
        store.close().await;
        SledStore::open(place.path()).unwrap()
    };
    let mut found = Vec::new();
    while found.len() < numbers.len() {
        let taken = store.take_up(64, at(0), at(60)).await.unwrap();
        assert!(!taken.is_empty());
        let answered = taken.iter().map(|(request, _)| request.answered_now()).collect();
        found.extend(taken.iter().map(|(request, _)| request.id.to_string()));
        store.save(Batch { requests: answered, ..Batch::default() }).await.unwrap();
    }
    assert_eq!(found, numbers.iter().map(|n| format!("d{n:04}")).collect::<Vec<_>>());
    assert_eq!(files(place.path()).len(), 1, "those that were taken up are gone");
    let mut too_large = large(0);
    too_large.origin.reply = serde_json::from_value(serde_json::Value::String("x".repeat(70_000))).unwrap();
    assert!(matches!(store.accept(&too_large).await, Err(StoreError::TooLarge { .. })));
}
