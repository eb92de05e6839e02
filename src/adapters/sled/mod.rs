//! The store on sled: one folder, one process, one thread that writes, a sync before every answer.
//!
//! sled's `flush` hands bytes to the kernel and no further, it keeps no checksum that covers a changed value, it does not
//! notice missing rows, and it panics where it cannot read. What this adapter does about each is told where it is done:
//! `writer` (sync, fail-stop), `codec` (checksums, sizes, schema), `desk` (versions, totals, indices in one
//! transaction), `audit` (everything is looked at before it is used), `opening` (one process, panics, marks).

mod admin;
mod audit;
mod codec;
mod desk;
#[cfg(any(test, feature = "testing"))]
mod fuzzed;
mod leases;
mod lock;
mod opening;
mod records;
mod store;
mod transfer;
mod writer;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc as std_mpsc};

use tokio::sync::{mpsc, oneshot, watch};

use crate::ports::StoreError;

pub use admin::{AdminSocket, backup};
pub use codec::{LIMIT, SCHEMA};
#[cfg(any(test, feature = "testing"))]
pub use fuzzed::held;
pub use opening::{Fresh, OpenError, Opening};
pub use transfer::{TransferError, restore};
pub use writer::Sync;

use desk::{Desk, Stop};
use opening::Opened;
use writer::{Answer, Gone, Job, Notice};

/// How many commands may wait; more wait for a place.
const QUEUE: usize = 256;

/// The store in one folder. Cheap to clone: all clones are the same store.
///
/// A caller that goes away before its answer may find its work done or not done, never half done. When the last clone is
/// dropped, what waits is still done, and the folder is let go a moment later; [`SledStore::close`] waits for that.
#[derive(Clone, Debug)]
pub struct SledStore {
    jobs: mpsc::Sender<Job>,
    gone: watch::Receiver<Option<Gone>>,
    folder: Arc<PathBuf>,
}

impl SledStore {
    /// Opens the store in a folder; makes folder and store where there is none. Reads and checks everything in it. Blocks
    /// meanwhile, and up to three seconds more while another process lets go of the folder.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, Opening::default())
    }

    /// Opens as [`SledStore::open`] does, in another way.
    pub fn open_with(folder: &Path, opening: Opening) -> Result<Self, OpenError> {
        let (jobs, receiver) = mpsc::channel(QUEUE);
        let (notice, gone) = watch::channel(None);
        let (opened, answer) = std_mpsc::channel();
        let path = folder.to_owned();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || run(&path, opening, &opened, receiver, &notice))
            .map_err(|error| OpenError::Io { folder: folder.to_owned(), detail: error.to_string() })?;
        answer.recv().unwrap_or_else(|_| Err(opening::explain_panic(folder)))?;
        Ok(Self { jobs, gone, folder: Arc::new(folder.to_owned()) })
    }

    /// Whether a folder holds a store.
    pub fn is_in(folder: &Path) -> bool {
        opening::is_begun(folder)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Does what waits, then lets go of the folder. Whatever is asked after that is answered with an error.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.jobs.send(Job::Close(reply)).await.is_ok() {
            // An error means that the thread is gone already: that is what was asked for.
            drop(closed.await);
        }
    }

    /// Returns, with the reason, when the store has failed for good: the process has to end, and to start again. Never
    /// returns where it was closed.
    pub async fn failed(&self) -> String {
        match self.end().await {
            Gone::Failed(why) => why,
            Gone::Closed => std::future::pending().await,
        }
    }

    async fn end(&self) -> Gone {
        let mut gone = self.gone.clone();
        match gone.wait_for(Option::is_some).await.map(|gone| gone.clone()) {
            Ok(Some(gone)) => gone,
            // The thread always tells before it ends.
            Ok(None) | Err(_) => Gone::Failed("its thread is gone".to_owned()),
        }
    }

    /// Has `work` done by the thread, and waits until whatever it changed lies on disk.
    async fn ask<T: Send + 'static>(&self, work: impl FnOnce(&Desk) -> Result<T, Stop> + Send + 'static) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Do(Box::new(move |desk| {
            let said = match work(desk) {
                Ok(done) => Ok(done),
                Err(Stop::Refused(error)) => Err(error),
                Err(Stop::Broken(why)) => return Err(why),
            };
            // Nobody may be waiting any more; it is done all the same.
            Ok(Box::new(move || drop(reply.send(said))) as Answer)
        }));
        if self.jobs.send(job).await.is_ok()
            && let Ok(said) = answer.await
        {
            return said;
        }
        Err(StoreError::Failed(match self.end().await {
            Gone::Failed(why) => why,
            Gone::Closed => "it was closed".to_owned(),
        }))
    }

    /// All records as one file, made between two changes.
    async fn export(&self) -> Result<File, TransferError> {
        let folder = Arc::clone(&self.folder);
        // What goes wrong with the file of a backup is no fault of the store.
        self.ask(move |desk| match transfer::export(desk, &folder) {
            Ok(file) => Ok(Ok(file)),
            Err(transfer::ExportStop::Store(stop)) => Err(stop),
            Err(transfer::ExportStop::File(error)) => Ok(Err(TransferError::file("making the backup", &error))),
        })
        .await?
    }
}

/// The life of the store's thread.
fn run(folder: &Path, opening: Opening, opened: &std_mpsc::Sender<Result<(), OpenError>>, mut jobs: mpsc::Receiver<Job>, notice: &Notice) {
    let outcome = catch_unwind(AssertUnwindSafe(|| opening::open(folder, opening)));
    let store = match outcome.unwrap_or_else(|_| Err(opening::explain_panic(folder))) {
        Ok(store) => store,
        Err(error) => {
            notice.send_replace(Some(Gone::Failed(error.to_string())));
            drop(opened.send(Err(error)));
            return;
        }
    };
    drop(opened.send(Ok(())));
    let ended = catch_unwind(AssertUnwindSafe(|| serve(&store, folder, &mut jobs, notice)));
    let closing = ended.unwrap_or_else(|_| {
        notice.send_replace(Some(Gone::Failed("the database panicked".to_owned())));
        None
    });
    // Dropping the database may panic too, after a fault; there is nobody left who could be told.
    drop(catch_unwind(AssertUnwindSafe(|| drop(store))));
    if let Some(reply) = closing {
        // Nobody may be waiting for it any more.
        reply.send(()).unwrap_or_default();
    }
}

/// Works; tells the end before anybody who waits is let go.
fn serve(store: &Opened, folder: &Path, jobs: &mut mpsc::Receiver<Job>, notice: &Notice) -> Option<oneshot::Sender<()>> {
    let ended = writer::work(&store.desk, &store.disk, jobs);
    let (gone, closing) = match ended {
        Ok(closing) => {
            if let Err(error) = store.tidy(folder) {
                tracing::warn!(%error, "the store was closed, and could not leave word of it");
            }
            (Gone::Closed, closing)
        }
        Err(why) => (Gone::Failed(why), None),
    };
    notice.send_replace(Some(gone));
    closing
}
