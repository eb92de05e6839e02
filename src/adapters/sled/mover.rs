//! The thread that writes the history, so that nobody who asks the store waits for its syncs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use super::desk::Stop;
use super::history::{History, Row};
use super::writer::{Answer, Job};

/// The thread, in the hands of the writer.
#[derive(Debug)]
pub struct Mover {
    rows: std_mpsc::Sender<Vec<Row>>,
    thread: JoinHandle<()>,
}

impl Mover {
    /// Starts it. It does not keep the store from ending when nobody else asks any more.
    pub fn start(history: Arc<History>, jobs: mpsc::WeakSender<Job>) -> std::io::Result<Self> {
        let (rows, given) = std_mpsc::channel();
        let thread = std::thread::Builder::new().name("history".to_owned()).spawn(move || work(&history, &given, &jobs))?;
        Ok(Self { rows, thread })
    }

    /// Hands over rows. The writer has them removed from sled as soon as they are on disk.
    pub fn give(&self, rows: Vec<Row>) {
        // A thread that is gone has said so.
        drop(self.rows.send(rows));
    }

    /// Waits until what was handed over is on disk. The writer takes no jobs any more by then.
    pub fn end(self) {
        drop(self.rows);
        drop(self.thread.join());
    }
}

fn work(history: &History, given: &std_mpsc::Receiver<Vec<Row>>, jobs: &mpsc::WeakSender<Job>) {
    while let Ok(rows) = given.recv() {
        let added = catch_unwind(AssertUnwindSafe(|| history.add(&rows)));
        let job: super::writer::Work = match added.unwrap_or_else(|_| Err(Stop::Broken("the history's database panicked".to_owned()))) {
            Ok((records, mark)) => Box::new(move |desk| match desk.leaving.moved(desk, &rows, &records, mark) {
                Ok(()) => Ok(Box::new(|| ()) as Answer),
                Err(stop) => Err(stop.final_word()),
            }),
            Err(stop) => Box::new(move |_| Err(stop.final_word())),
        };
        let Some(jobs) = jobs.upgrade() else { return };
        if jobs.blocking_send(Job::Do(job)).is_err() {
            return;
        }
    }
}
