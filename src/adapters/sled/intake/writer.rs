//! The one thread that appends to the intake: many requests, one write, one sync, then all the answers.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::super::writer::{Gone, Notice, Sync};
use super::{End, Place, frame, path};

/// How many requests may wait; more wait for a place.
const QUEUE: usize = 1024;
/// From this size on a file is followed by the next one, in bytes.
const FILE: u64 = 16 * 1024 * 1024;
/// How much is written in one go, in bytes.
const TOGETHER: usize = 1024 * 1024;

/// What the thread is asked.
enum Ask {
    /// Put this on disk, then tell.
    Put(Vec<u8>, oneshot::Sender<()>),
    /// Begin the next file, so that the present one can be removed.
    Turn,
    /// See whether it is time to finish.
    Wake,
}

/// The way to the thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Intake(mpsc::Sender<Ask>);

impl Intake {
    /// Puts the JSON of a request on disk. `false`: the thread is gone, and it may lie there or not.
    pub async fn put(&self, body: Vec<u8>) -> bool {
        let (tell, told) = oneshot::channel();
        self.0.send(Ask::Put(body, tell)).await.is_ok() && told.await.is_ok()
    }

    /// Has the next file begun. Where many wait, a later time does as well.
    pub(super) fn turn(&self) {
        drop(self.0.try_send(Ask::Turn));
    }
}

/// The thread, in the hands of whoever ends it.
#[derive(Debug)]
pub struct Writer {
    intake: Intake,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Lets it finish what waits, and waits for that. Nothing is taken any more.
    pub fn end(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.closing.store(true, Ordering::SeqCst);
            // Where there is no place it is awake. It may be gone by itself, and has told why.
            drop(self.intake.0.try_send(Ask::Wake));
            drop(thread.join());
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

/// A file that is appended to.
pub(super) struct Appending {
    pub folder: PathBuf,
    pub file: File,
    pub place: Place,
    pub sync: Sync,
    pub end: End,
}

/// Begins a file. Its name lies on disk before anything in it counts.
pub(super) fn begin_file(folder: &Path, number: u64) -> io::Result<File> {
    let file = OpenOptions::new().create_new(true).read(true).append(true).open(path(folder, number))?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

impl Appending {
    /// Starts the thread.
    pub fn start(self, notice: Notice) -> io::Result<(Intake, Writer)> {
        let (asks, mut asked) = mpsc::channel(QUEUE);
        let (intake, closing) = (Intake(asks), Arc::<AtomicBool>::default());
        let told_to_close = Arc::clone(&closing);
        let work = move || {
            let end = catch_unwind(AssertUnwindSafe(|| self.work(&mut asked, &told_to_close)));
            let why = match end {
                Ok(Ok(())) => return,
                Ok(Err(error)) => format!("accepted requests could not be put on disk: {error}"),
                Err(_) => "the thread that puts accepted requests on disk panicked".to_owned(),
            };
            // The first reason stands.
            notice.send_if_modified(|gone| {
                let first = gone.is_none();
                gone.get_or_insert(Gone::Failed(why));
                first
            });
        };
        let thread = std::thread::Builder::new().name("intake".to_owned()).spawn(work)?;
        Ok((intake.clone(), Writer { intake, closing, thread: Some(thread) }))
    }

    fn work(mut self, asked: &mut mpsc::Receiver<Ask>, closing: &AtomicBool) -> io::Result<()> {
        let (mut bytes, mut tell) = (Vec::new(), Vec::new());
        while let Some(first) = asked.blocking_recv() {
            let mut turn = false;
            let mut next = Some(first);
            while let Some(ask) = next.take() {
                match ask {
                    Ask::Put(body, done) => {
                        frame::put(&mut bytes, self.place.file, self.place.at, &body);
                        tell.push(done);
                    }
                    Ask::Turn => {
                        // What comes behind it belongs into the next file.
                        turn = true;
                        break;
                    }
                    Ask::Wake => {}
                }
                if bytes.len() < TOGETHER {
                    next = asked.try_recv().ok();
                }
            }
            self.append(&bytes)?;
            bytes.clear();
            // Whoever waited may be gone: it lies on disk all the same.
            tell.drain(..).for_each(|done: oneshot::Sender<()>| done.send(()).unwrap_or_default());
            if closing.load(Ordering::SeqCst) {
                // What waits is still done.
                asked.close();
            }
            if self.place.at >= FILE || turn && self.place.at > 0 {
                self.place = self.place.next_file();
                self.file = begin_file(&self.folder, self.place.file)?;
                self.end.set(self.place);
            }
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.file.write_all(bytes)?;
        self.sync.sync(&self.file)?;
        self.place.at = self.place.at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.end.set(self.place);
        Ok(())
    }
}
