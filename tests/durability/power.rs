//! Power cuts: of the database only what a sync has put on disk is left.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use slash_heroku::adapters::sled::{Opening, SledStore, Sync};
use slash_heroku::domain::names::AppId;
use slash_heroku::ports::Store;
use tempfile::TempDir;

use super::{copy_files, is_file, ship};
use crate::support::folders;
use crate::support::records::{app, deployment_id};

/// A store, and beside it its files as they were at the last sync: what a power cut would leave.
struct Machine {
    place: TempDir,
    syncs: Arc<AtomicUsize>,
    sync_taken_out: Arc<AtomicBool>,
    acknowledged: Vec<(u64, AppId)>,
}

impl Machine {
    fn new(place: TempDir) -> Self {
        Self { place, syncs: Arc::default(), sync_taken_out: Arc::default(), acknowledged: Vec::new() }
    }

    fn folder(&self) -> PathBuf {
        self.place.path().join("store")
    }

    fn start(&self) -> SledStore {
        let (folder, left, syncs, out) = (self.folder(), self.left(), Arc::clone(&self.syncs), Arc::clone(&self.sync_taken_out));
        let sync = Sync::by(move |file| {
            if out.load(Ordering::SeqCst) {
                return Ok(());
            }
            file.sync_data()?;
            syncs.fetch_add(1, Ordering::SeqCst);
            // Of each file what its own sync has put there. sled's snapshots are left out: a power cut may take them, and the
            // log must do without.
            let database = is_file(file, &folder, "db");
            copy_files(&folder, &left, |name| match name {
                "db" | "conf" | "store" => database,
                name => name.starts_with("history") && is_file(file, &folder, name),
            });
            Ok(())
        });
        SledStore::open_with(&self.folder(), Opening { sync, ..Opening::default() }).unwrap()
    }

    /// What a power cut would leave.
    fn left(&self) -> PathBuf {
        self.place.path().join("left")
    }

    async fn ship(&mut self, store: &SledStore, n: u64, app: &AppId) {
        ship(store, n, app).await.unwrap();
        self.acknowledged.push((n, app.clone()));
    }

    /// Cuts the power: opens what is left, and looks for everything that was acknowledged.
    async fn after_a_power_cut(&self) -> Result<(), String> {
        let scratch = self.place.path().join("after");
        copy_files(&self.left(), &scratch, |_| true);
        let found = self.look(&scratch).await;
        std::fs::remove_dir_all(scratch).unwrap();
        found
    }

    async fn look(&self, folder: &Path) -> Result<(), String> {
        let store = SledStore::open(folder).map_err(|error| error.to_string())?;
        let found = self.look_into(&store).await;
        store.close().await;
        found
    }

    async fn look_into(&self, store: &SledStore) -> Result<(), String> {
        for (n, app) in &self.acknowledged {
            let found = store.deployment(deployment_id(*n)).await.map_err(|error| error.to_string())?;
            let stands = store.line(app).await.map_err(|error| error.to_string())?.place_of(deployment_id(*n)).is_some();
            if found.is_none() || !stands {
                return Err(format!("deployment {n} was acknowledged and is lost (in line: {stands})"));
            }
        }
        let open = store.open_deployments().await.map_err(|error| error.to_string())?.len();
        if open < self.acknowledged.len() { Err("the index has lost deployments".to_owned()) } else { Ok(()) }
    }
}

async fn everything_acknowledged_is_there(place: TempDir) {
    let mut machine = Machine::new(place);
    let store = machine.start();
    for n in 0..16 {
        machine.ship(&store, n, &app(&format!("app-{}", n % 3))).await;
        assert_eq!(machine.after_a_power_cut().await, Ok(()), "after {n}");
    }
    let (store_now, before) = (&store, machine.syncs.load(Ordering::SeqCst));
    let apps: Vec<AppId> = (100..164).map(|n| app(&format!("app-{n}"))).collect();
    join_all(apps.iter().zip(100..).map(|(app, n)| async move { ship(store_now, n, app).await.unwrap() })).await;
    machine.acknowledged.extend(apps.into_iter().zip(100..).map(|(app, n)| (n, app)));
    assert_eq!(machine.after_a_power_cut().await, Ok(()), "after many at once");
    assert!(machine.syncs.load(Ordering::SeqCst) - before < 64, "many share one sync");
    store.close().await;
    let store = machine.start();
    assert_eq!(machine.after_a_power_cut().await, Ok(()), "after a restart");
    machine.ship(&store, 200, &app("late")).await;
    assert_eq!(machine.after_a_power_cut().await, Ok(()), "after a restart and a change");
}

#[tokio::test]
async fn everything_acknowledged_is_there_in_memory() {
    everything_acknowledged_is_there(folders::in_memory()).await;
}

#[tokio::test]
async fn everything_acknowledged_is_there_on_disk() {
    everything_acknowledged_is_there(folders::on_disk()).await;
}

#[tokio::test]
async fn without_the_sync_the_same_look_finds_a_loss() {
    let mut machine = Machine::new(folders::in_memory());
    let store = machine.start();
    machine.ship(&store, 1, &app("a")).await;
    assert_eq!(machine.after_a_power_cut().await, Ok(()));
    machine.sync_taken_out.store(true, Ordering::SeqCst);
    machine.ship(&store, 2, &app("a")).await;
    let found = machine.after_a_power_cut().await;
    assert!(found.as_ref().is_err_and(|lost| lost.contains("deployment 2")), "the look must be able to fail: {found:?}");
}
