//! The store on sled: one folder, one process, one thread that writes, a sync before every answer. Deployments that are over
//! and told leave sled for a history on redb in the same folder (`history`), moved in the background (`leaving`, `mover`).
//!
//! sled's `flush` hands bytes to the kernel and no further, it keeps no checksum that covers a changed value, it does not
//! notice missing rows, and it panics where it cannot read. What this adapter does about each is told where it is done:
//! `writer` (sync, fail-stop), `codec` (checksums, sizes, schema), `desk` (versions, totals, indices in one
//! transaction), `audit` (everything in sled is looked at before it is used), `opening` (one process, panics, marks).

mod accounts;
mod admin;
mod audit;
mod codec;
mod desk;
mod export;
#[cfg(any(test, feature = "testing"))]
#[expect(clippy::panic, reason = "what does not hold is told by a panic")]
mod fuzzed;
mod history;
mod installations;
mod intake;
mod keeping;
mod leases;
mod leaving;
mod lock;
mod locks;
mod look;
mod mover;
mod opening;
mod records;
mod removals;
mod restored;
mod rewriting;
mod store;
mod transfer;
mod unnamed;
mod writer;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc as std_mpsc};

use tokio::sync::{mpsc, oneshot, watch};

use crate::ports::StoreError;

pub use admin::{AdminSocket, ask, backup, rotate_keys};
pub use codec::{LIMIT, SCHEMA};
#[cfg(any(test, feature = "testing"))]
pub use fuzzed::held;
pub use opening::{Checked, Fresh, OpenError, Opening};
pub use removals::BACKUPS_LIVE;
pub use transfer::{Filled, Restoring, TransferError, restore, restore_with};
pub use writer::Sync;

use desk::{Desk, Stop};
use export::{ExportStop, Parts};
use intake::Intake;
use mover::Mover;
use opening::Opened;
use writer::{Answer, Gone, Job, Notice, Rest};

/// How many commands may wait; more wait for a place.
const QUEUE: usize = 256;

/// The store in one folder. Cheap to clone: all clones are the same store.
///
/// A caller that goes away before its answer may find its work done or not done, never half done. When the last clone is
/// dropped, what waits is still done, and the folder is let go a moment later; [`SledStore::close`] waits for that.
#[derive(Clone, Debug)]
pub struct SledStore {
    jobs: mpsc::Sender<Job>,
    intake: Intake,
    gone: watch::Receiver<Option<Gone>>,
    folder: Arc<PathBuf>,
    removals: Arc<PathBuf>,
}

impl SledStore {
    /// Opens the store in a folder; makes folder and store where there is none. Reads and checks everything that is live,
    /// and the end of the history. Blocks meanwhile, and up to three seconds more while another process lets go of the folder.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, Opening::default())
    }

    /// Opens as [`SledStore::open`] does, in another way.
    pub fn open_with(folder: &Path, opening: Opening) -> Result<Self, OpenError> {
        let (jobs, receiver) = mpsc::channel(QUEUE);
        let (notice, gone) = watch::channel(None);
        let (opened, answer) = std_mpsc::channel();
        let (path, removals) = (folder.to_owned(), Arc::new(opening.removals.clone().unwrap_or_else(|| removals_beside(folder))));
        let back = jobs.downgrade();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || run(&path, opening, &opened, Jobs { receiver, back }, &notice))
            .map_err(|error| OpenError::Io { folder: folder.to_owned(), detail: error.to_string() })?;
        let intake = answer.recv().unwrap_or_else(|_| Err(opening::explain_panic(folder)))?;
        Ok(Self { jobs, intake, gone, folder: Arc::new(folder.to_owned()), removals })
    }

    /// Reads every record of a store that nobody has open, also of its history, and compares it with what was written.
    /// Changes nothing that counts, and blocks as long as that takes.
    pub fn check(folder: &Path) -> Result<Checked, OpenError> {
        let opening = Opening { fresh: Fresh::Refuse, thorough: true, ..Opening::default() };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut store = opening::open(folder, opening, &watch::channel(None).0)?;
            store.tidy(folder).map_err(|error| OpenError::Io { folder: folder.to_owned(), detail: error.to_string() })?;
            Ok(store.counts())
        }));
        outcome.unwrap_or_else(|_| Err(opening::explain_panic(folder)))
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
        Err(self.has_ended().await)
    }

    /// What is said when nothing is done any more.
    async fn has_ended(&self) -> StoreError {
        StoreError::Failed(match self.end().await {
            Gone::Failed(why) => why,
            Gone::Closed => "it was closed".to_owned(),
        })
    }

    /// Returns when no deployment is on its way into the history and too few for a move are left.
    pub async fn at_rest(&self) -> Result<(), StoreError> {
        let (tell, rest) = oneshot::channel();
        self.ask(move |desk| {
            desk.leaving.when_at_rest(tell);
            Ok(())
        })
        .await?;
        rest.await.map_err(|_| StoreError::Failed("it has ended".to_owned()))
    }

    /// All records as one file: as they are between two changes, put together while others go on.
    async fn export(&self) -> Result<File, TransferError> {
        let folder = Arc::clone(&self.folder);
        // What goes wrong with the file of a backup is no fault of the store.
        let parts = self.ask(move |desk| match Parts::of(desk, &folder) {
            Ok(parts) => Ok(Ok(parts)),
            Err(ExportStop::Store(stop)) => Err(stop),
            Err(ExportStop::File(error)) => Ok(Err(TransferError::file("making the backup", &error))),
        });
        let (parts, folder) = (parts.await??, Arc::clone(&self.folder));
        let put = tokio::task::spawn_blocking(move || parts.put_together(&folder)).await;
        let put = put.unwrap_or_else(|_| Err(ExportStop::File(std::io::Error::other("the history cannot be read"))));
        put.map_err(ExportStop::told)
    }
}

/// Where removals are remembered unless set otherwise: beside the folder, so that it stays when the folder is moved away.
pub fn removals_beside(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".removals");
    PathBuf::from(name)
}

/// What the thread is asked, and the way on which its own mover asks it.
struct Jobs {
    receiver: mpsc::Receiver<Job>,
    back: mpsc::WeakSender<Job>,
}

/// The life of the store's thread.
fn run(folder: &Path, opening: Opening, opened: &std_mpsc::Sender<Result<Intake, OpenError>>, jobs: Jobs, notice: &Notice) {
    let Jobs { receiver: mut jobs, back } = jobs;
    let outcome = catch_unwind(AssertUnwindSafe(|| opening::open(folder, opening, notice)));
    let started = outcome.unwrap_or_else(|_| Err(opening::explain_panic(folder))).and_then(|store| {
        let mover = Mover::start(Arc::clone(&store.desk.history), back);
        mover.map(|mover| (store, mover)).map_err(|error| OpenError::Io { folder: folder.to_owned(), detail: error.to_string() })
    });
    let (mut store, mover) = match started {
        Ok(started) => started,
        Err(error) => {
            notice.send_replace(Some(Gone::Failed(error.to_string())));
            drop(opened.send(Err(error)));
            return;
        }
    };
    drop(opened.send(Ok(store.intake.clone())));
    let ended = catch_unwind(AssertUnwindSafe(|| serve(&mut store, folder, &mut jobs, &mover, notice)));
    let closing = ended.unwrap_or_else(|_| {
        notice.send_replace(Some(Gone::Failed("the database panicked".to_owned())));
        None
    });
    jobs.close();
    mover.end();
    // Dropping the database may panic too, after a fault; there is nobody left who could be told.
    drop(catch_unwind(AssertUnwindSafe(|| drop(store))));
    if let Some(reply) = closing {
        // Nobody may be waiting for it any more.
        reply.send(()).unwrap_or_default();
    }
}

/// Works; tells the end before anybody who waits is let go.
fn serve(store: &mut Opened, folder: &Path, jobs: &mut mpsc::Receiver<Job>, mover: &Mover, notice: &Notice) -> Option<oneshot::Sender<()>> {
    let (gone, closing) = loop {
        match writer::work(&store.desk, &store.disk, jobs, mover) {
            Ok(Rest::Rewrite(done)) => match store.rewrite(folder) {
                // Whoever asked may be gone.
                Ok(()) => done.send(()).unwrap_or_default(),
                Err(why) => break (Gone::Failed(why), None),
            },
            Ok(Rest::Close(reply)) => break (store.close(folder, notice), Some(reply)),
            Ok(Rest::Alone) => break (store.close(folder, notice), None),
            Err(why) => break (Gone::Failed(why), None),
        }
    };
    notice.send_replace(Some(gone));
    closing
}
