//! The one thread that works on the trees: many commands, one sync, then all the answers.

use std::fs::File;
use std::io;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::desk::{Desk, Stop};
use super::mover::Mover;

/// How many commands share one sync.
const TOGETHER: usize = 64;

/// Hands an answer to whoever asked. Called only after everything before it lies on disk.
pub type Answer = Box<dyn FnOnce() + Send>;

/// A piece of work. Its error is the end of the store.
pub type Work = Box<dyn FnOnce(&Desk) -> Result<Answer, String> + Send>;

/// What the thread is asked to do.
pub enum Job {
    /// Do this.
    Do(Work),
    /// Write sled's file anew.
    Rewrite(oneshot::Sender<()>),
    /// Finish.
    Close(oneshot::Sender<()>),
}

/// Why the thread has come to a rest.
pub enum Rest {
    /// There is nobody left to work for.
    Alone,
    /// Sled's file is to be written anew; whoever asked wants to know when that is done.
    Rewrite(oneshot::Sender<()>),
    /// It was told to finish.
    Close(oneshot::Sender<()>),
}

type SyncFile = dyn Fn(&File) -> io::Result<()> + Send + std::marker::Sync;

/// How a database file is made to survive a power cut. A seam for tests, which look at the files after it, leave it
/// out, or let it fail; everybody else uses the default, `fdatasync`.
#[derive(Clone)]
pub struct Sync(Arc<SyncFile>);

impl Sync {
    /// Another way than `fdatasync`.
    pub fn by(sync: impl Fn(&File) -> io::Result<()> + Send + std::marker::Sync + 'static) -> Self {
        Self(Arc::new(sync))
    }

    /// Returns once everything that was written to a file lies on disk.
    pub(super) fn sync(&self, file: &File) -> io::Result<()> {
        (self.0)(file)
    }
}

impl Default for Sync {
    fn default() -> Self {
        Self::by(File::sync_data)
    }
}

impl std::fmt::Debug for Sync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sync")
    }
}

/// Why the thread works no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It was told to finish.
    Closed,
    /// It met an error after which nothing it says could be trusted.
    Failed(String),
}

/// Where the thread tells that it is gone. It always tells before it drops what others wait for.
pub type Notice = watch::Sender<Option<Gone>>;

/// What makes changes durable.
#[derive(Debug)]
pub struct Disk {
    /// Our own descriptor of the database file.
    file: File,
    sync: Sync,
}

impl Disk {
    /// For a database file that exists.
    pub fn new(file: File, sync: Sync) -> Self {
        Self { file, sync }
    }

    /// Goes on with another file.
    pub fn goes_on_with(&mut self, file: File) {
        self.file = file;
    }

    /// Makes a file that is not the store's yet survive a power cut.
    pub fn sync(&self, file: &File) -> io::Result<()> {
        self.sync.sync(file)
    }

    /// Returns once everything that was written lies on disk. `flush` alone hands it to the kernel and no further.
    pub fn commit(&self, desk: &Desk) -> Result<(), Stop> {
        desk.db.flush()?;
        self.sync.sync(&self.file).map_err(|error| Stop::Broken(format!("the database file could not be synced: {error}")))
    }
}

impl Stop {
    /// As the last word of the store.
    pub fn final_word(self) -> String {
        match self {
            Self::Broken(why) => why,
            Self::Refused(error) => error.to_string(),
        }
    }
}

/// Works until there is nobody left to work for, or it is told to finish; an error is final.
///
/// What was answered lies on disk. Reads are jobs like any other, so that nobody sees what a power cut could take back.
pub fn work(desk: &Desk, disk: &Disk, jobs: &mut mpsc::Receiver<Job>, mover: &Mover) -> Result<Rest, String> {
    loop {
        if let Some(task) = desk.leaving.next(desk).map_err(Stop::final_word)? {
            mover.give(task);
        }
        let Some(first) = jobs.blocking_recv() else { return Ok(Rest::Alone) };
        let mut answers: Vec<Answer> = Vec::new();
        let mut rest = None;
        let mut next = Some(first);
        while let Some(job) = next.take() {
            match job {
                Job::Do(work) => answers.push(work(desk)?),
                Job::Rewrite(reply) => {
                    rest = Some(Rest::Rewrite(reply));
                    break;
                }
                Job::Close(reply) => {
                    rest = Some(Rest::Close(reply));
                    break;
                }
            }
            if answers.len() < TOGETHER {
                next = jobs.try_recv().ok();
            }
        }
        if desk.take_changed() {
            disk.commit(desk).map_err(Stop::final_word)?;
            desk.committed();
        }
        answers.into_iter().for_each(|answer| answer());
        if let Some(rest) = rest {
            return Ok(rest);
        }
    }
}
