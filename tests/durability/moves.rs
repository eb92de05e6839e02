//! Moves into the history: cut off by a power cut at every sync, by faults, and out of the folder of an older version.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use slash_heroku::adapters::sled::{Opening, SledStore, Sync};
use slash_heroku::ports::{Batch, Store, StoreError};

use super::{is_file, over, save_over};
use crate::support::folders;
use crate::support::records::{app, deployment, deployment_id};

/// The files of a store as each one's last sync has left it.
type Left = BTreeMap<String, Vec<u8>>;

/// What each sync left, and how many deployments were acknowledged then.
#[derive(Debug, Default)]
struct Cuts {
    now: Left,
    all: Vec<(Left, u64)>,
    acknowledged: u64,
}

impl Cuts {
    fn synced(&mut self, folder: &Path, file: &File) {
        if is_file(file, folder, "db") {
            for name in ["db", "conf", "store"] {
                let Ok(bytes) = fs::read(folder.join(name)) else { continue };
                self.now.insert(name.to_owned(), bytes);
            }
        }
        for name in ["history", "history.new"] {
            if is_file(file, folder, name) {
                // It may have been called otherwise before.
                self.now.retain(|other, _| !other.starts_with("history"));
                self.now.insert(name.to_owned(), fs::read(folder.join(name)).unwrap());
            }
        }
        if self.now.contains_key("store") {
            self.all.push((self.now.clone(), self.acknowledged));
        }
    }
}

fn write_out(left: &Left) -> tempfile::TempDir {
    let place = folders::in_memory();
    for (name, bytes) in left {
        fs::write(place.path().join(name), bytes).unwrap();
    }
    place
}

/// Everything acknowledged is there once, now and after the moves have gone on to their end.
async fn everything_is_there(left: &Left, acknowledged: u64, what: &str) {
    let place = write_out(left);
    let store = SledStore::open(place.path()).unwrap_or_else(|error| panic!("{what}: {error}"));
    for moved in [false, true] {
        if moved {
            store.at_rest().await.unwrap();
        }
        let found = store.deployments_of_app(&app("a"), usize::MAX).await.unwrap();
        assert!(found.len() as u64 >= acknowledged, "{what}: {} of {acknowledged} are there", found.len());
        assert!(found.windows(2).all(|two| two[0].id > two[1].id), "{what}: each once, newest first");
        for n in 0..acknowledged {
            assert!(store.deployment(deployment_id(n)).await.unwrap().is_some(), "{what}: deployment {n} is lost");
        }
    }
    store.close().await;
    let found = SledStore::check(place.path()).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(found.live < 34, "{what}: whatever can go has gone: {found:?}");
}

/// Of two states of a file one in which some of the blocks that were written in between have reached the disk.
fn torn(before: &[u8], after: &[u8], seed: u64) -> Vec<u8> {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut torn = before.to_vec();
    torn.resize(before.len().max(after.len()), 0);
    for (block, new) in torn.chunks_mut(4096).zip(after.chunks(4096)) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        if random & 1 == 0 {
            block[..new.len()].copy_from_slice(new);
        }
    }
    torn
}

#[tokio::test]
async fn a_power_cut_at_any_sync_loses_nothing_and_leaves_nothing_twice() {
    let place = folders::in_memory();
    let (folder, cuts) = (place.path().to_owned(), Arc::<Mutex<Cuts>>::default());
    let sync = Sync::by({
        let (folder, cuts) = (folder.clone(), Arc::clone(&cuts));
        move |file| {
            file.sync_data()?;
            cuts.lock().unwrap().synced(&folder, file);
            Ok(())
        }
    });
    let store = SledStore::open_with(&folder, Opening { sync, ..Opening::default() }).unwrap();
    for n in (0..70).step_by(10) {
        let deployments = (n..n + 10).map(|n| over(n, "a")).collect();
        store.save(Batch { deployments, ..Batch::default() }).await.unwrap();
        cuts.lock().unwrap().acknowledged = n + 10;
    }
    store.at_rest().await.unwrap();
    store.close().await;
    let cuts = std::mem::take(&mut *cuts.lock().unwrap()).all;
    let moving: Vec<&(Left, u64)> = cuts.iter().skip_while(|(left, _)| !left.keys().any(|name| name.starts_with("history"))).collect();
    assert!(moving.len() > 6, "{} syncs since the first move", moving.len());
    let mut tears = 0;
    for (n, (left, acknowledged)) in moving.iter().enumerate() {
        everything_is_there(left, *acknowledged, &format!("cut {n}")).await;
        let next = moving.get(n + 1).and_then(|(next, _)| next.get("history"));
        if let (Some(before), Some(after)) = (left.get("history"), next)
            && before != after
        {
            tears += 1;
            let torn = Left::from([("history".to_owned(), torn(before, after, n as u64))]);
            let left = left.clone().into_iter().chain(torn).collect();
            everything_is_there(&left, *acknowledged, &format!("cut {n}, in the middle of writing")).await;
        }
    }
    assert!(tears > 1, "cuts must be able to hit a write");
}

#[tokio::test]
async fn a_failed_or_broken_sync_of_the_history_is_the_end() {
    for panics in [false, true] {
        let place = folders::in_memory();
        let broken = Arc::new(AtomicBool::new(false));
        let sync = Sync::by({
            let (folder, broken) = (place.path().to_owned(), Arc::clone(&broken));
            move |file| match broken.load(Ordering::SeqCst) && !is_file(file, &folder, "db") {
                true if panics => std::panic::resume_unwind(Box::new("a bug")),
                true => Err(io::Error::other("the disk is on fire")),
                false => file.sync_data(),
            }
        });
        let store = SledStore::open_with(place.path(), Opening { sync, ..Opening::default() }).unwrap();
        save_over(&store, 0..64, "a").await;
        broken.store(true, Ordering::SeqCst);
        store.save(Batch { deployments: (64..128).map(|n| over(n, "a")).collect(), ..Batch::default() }).await.unwrap();
        let said = store.failed().await;
        assert!(said.contains(if panics { "panicked" } else { "on fire" }), "{said}");
        assert!(matches!(store.deployment(deployment_id(1)).await, Err(StoreError::Failed(_))));
        store.close().await;

        let store = SledStore::open(place.path()).unwrap();
        store.at_rest().await.unwrap();
        assert_eq!(store.deployments_of_app(&app("a"), usize::MAX).await.unwrap().len(), 128, "nothing that was acknowledged is lost");
        store.close().await;
        assert_eq!(SledStore::check(place.path()).unwrap().over, 128);
    }
}

/// A folder in which everything is in sled, as versions without a history left it.
async fn older_folder(place: &Path, count: u64) -> PathBuf {
    let folder = place.join("older");
    let sync = Sync::by({
        let folder = folder.clone();
        move |file| if is_file(file, &folder, "db") { file.sync_data() } else { Err(io::Error::other("there is no history yet")) }
    });
    let store = SledStore::open_with(&folder, Opening { sync, ..Opening::default() }).unwrap();
    let open = (0..count).step_by(10).map(|n| deployment(n, "a"));
    let deployments = (0..count).filter(|n| !n.is_multiple_of(10)).map(|n| over(n, "a")).chain(open).collect();
    store.save(Batch { deployments, ..Batch::default() }).await.unwrap();
    store.failed().await;
    store.close().await;
    assert!(!folder.join("history").exists());
    folder
}

#[tokio::test]
async fn the_folder_of_an_older_version_is_opened_and_its_past_is_moved() {
    let place = folders::in_memory();
    let folder = older_folder(place.path(), 1000).await;
    assert_eq!(SledStore::check(&folder).unwrap().over, 0, "looking moves nothing");
    let store = SledStore::open(&folder).unwrap();
    assert_eq!(store.deployments_of_app(&app("a"), usize::MAX).await.unwrap().len(), 1000, "at once");
    store.at_rest().await.unwrap();
    assert_eq!(store.deployments_of_app(&app("a"), usize::MAX).await.unwrap().len(), 1000, "and afterwards");
    assert_eq!(store.open_deployments().await.unwrap().len(), 100);
    store.close().await;
    let found = SledStore::check(&folder).unwrap();
    assert_eq!((found.live, found.over), (104, 896), "28 rounds of 32, and four that wait for more");
}

#[tokio::test]
async fn work_that_is_held_stays_until_it_is_given_back() {
    let place = folders::in_memory();
    let store = SledStore::open(place.path()).unwrap();
    let work = slash_heroku::ports::Work::Deployment(deployment_id(0));
    let now = crate::support::records::at(0);
    let lease = store.claim(&work, now, crate::support::records::at(60)).await.unwrap().unwrap();
    save_over(&store, 0..32, "a").await;
    store.release(&lease).await.unwrap();
    save_over(&store, 32..63, "a").await;
    store.close().await;
    let found = SledStore::check(place.path()).unwrap();
    assert_eq!((found.live, found.over), (0, 63));
    let rows = sled::Config::new().path(place.path()).segment_size(4 << 20).open().unwrap().open_tree("leases").unwrap().len();
    assert_eq!(rows, 0, "its lease went with it");
}
