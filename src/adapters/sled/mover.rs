//! The thread that writes the history, so that nobody who asks the store waits for its syncs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::desk::{Desk, Stop};
use super::history::{History, Judge, Row, Swept};
use super::writer::{Answer, Job};

/// Something to do with the history. One at a time: the next is given when what came of the last one lies on disk in sled too.
#[derive(Debug)]
pub enum Task {
    /// Take these in.
    Take(Vec<Row>),
    /// Judge the rows behind a key.
    Sweep(Vec<u8>, Judge, oneshot::Sender<Swept>),
    /// Write the file anew.
    Rewrite(oneshot::Sender<()>),
}

/// The thread, in the hands of the writer.
#[derive(Debug)]
pub struct Mover {
    tasks: std_mpsc::Sender<Task>,
    thread: JoinHandle<()>,
}

impl Mover {
    /// Starts it. It does not keep the store from ending when nobody else asks any more.
    pub fn start(history: Arc<History>, jobs: mpsc::WeakSender<Job>) -> std::io::Result<Self> {
        let (tasks, given) = std_mpsc::channel();
        let thread = std::thread::Builder::new().name("history".to_owned()).spawn(move || work(&history, &given, &jobs))?;
        Ok(Self { tasks, thread })
    }

    /// Hands something over. What it leads to in sled the writer does as soon as it is on disk in the history.
    pub fn give(&self, task: Task) {
        // A thread that is gone has said so.
        drop(self.tasks.send(task));
    }

    /// Waits until what was handed over is on disk. The writer takes no jobs any more by then.
    pub fn end(self) {
        drop(self.tasks);
        drop(self.thread.join());
    }
}

fn work(history: &History, given: &std_mpsc::Receiver<Task>, jobs: &mpsc::WeakSender<Job>) {
    while let Ok(task) = given.recv() {
        let done = catch_unwind(AssertUnwindSafe(|| done(history, task)));
        let job = done.unwrap_or_else(|_| Err(Stop::Broken("the history's database panicked".to_owned())));
        let job = job.unwrap_or_else(|stop| Box::new(move |_| Err(stop.final_word())));
        let Some(jobs) = jobs.upgrade() else { return };
        if jobs.blocking_send(Job::Do(job)).is_err() {
            return;
        }
    }
}

/// Does it, and says what the writer has to do then.
fn done(history: &History, task: Task) -> Result<super::writer::Work, Stop> {
    Ok(match task {
        Task::Take(rows) => {
            let (records, mark) = history.add(&rows)?;
            then(move |desk| desk.leaving.moved(desk, &rows, &records, mark), || ())
        }
        Task::Sweep(behind, judge, tell) => {
            let (swept, mark) = history.sweep(&behind, &judge)?;
            // Whoever asked may be gone.
            then(move |desk| desk.leaving.swept(desk, mark), move || drop(tell.send(swept)))
        }
        Task::Rewrite(tell) => {
            history.rewrite()?;
            then(move |desk| desk.leaving.swept(desk, None), move || tell.send(()).unwrap_or_default())
        }
    })
}

fn then(work: impl FnOnce(&Desk) -> Result<(), Stop> + Send + 'static, answer: impl FnOnce() + Send + 'static) -> super::writer::Work {
    Box::new(move |desk| match work(desk) {
        Ok(()) => Ok(Box::new(answer) as Answer),
        Err(stop) => Err(stop.final_word()),
    })
}
