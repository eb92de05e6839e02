//! What survives: power cuts, kills, damage, failed syncs, backups and restores.

mod backups;
mod damage;
mod faults;
mod history;
mod intake;
mod kills;
mod moves;
mod older_rows;
mod power;
mod removal;

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use slash_heroku::adapters::sled::{OpenError, Opening, SledStore};
use slash_heroku::domain::deployment::Deployment;
use slash_heroku::domain::line::Line;
use slash_heroku::domain::names::AppId;
use slash_heroku::ports::{Batch, Store, StoreError};

use crate::support::records::{deployment, deployment_id};

/// Saves deployment `n` and its place in the line in one batch, as a deploy does.
async fn ship(store: &SledStore, n: u64, app: &AppId) -> Result<(), StoreError> {
    let line: Line = store.line(app).await?;
    let batch = Batch { deployments: vec![deployment(n, app.as_str())], lines: vec![line.joined_by(deployment_id(n))], ..Batch::default() };
    store.save(batch).await
}

/// A deployment that is over and told, as it is first saved.
fn over(n: u64, app: &str) -> Deployment {
    deployment(n, app).closed_now()
}

/// Saves deployments that are over, and waits until as many of them as can be have come into the history.
async fn save_over(store: &SledStore, numbers: impl IntoIterator<Item = u64>, app: &str) {
    let deployments = numbers.into_iter().map(|n| over(n, app)).collect();
    store.save(Batch { deployments, ..Batch::default() }).await.unwrap();
    store.at_rest().await.unwrap();
}

/// Whether this is the file of that name in a folder.
fn is_file(file: &File, folder: &Path, name: &str) -> bool {
    let there = std::fs::metadata(folder.join(name));
    there.is_ok_and(|there| there.ino() == file.metadata().unwrap().ino())
}

/// Opens without waiting long for whoever has the folder.
fn open_soon(folder: &Path) -> Result<SledStore, OpenError> {
    SledStore::open_with(folder, Opening { patience: Duration::from_millis(50), ..Opening::default() })
}

/// Copies the files of a folder that `wanted` names.
fn copy_files(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_file() && wanted(&name) {
            std::fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}
