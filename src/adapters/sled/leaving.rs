//! Which deployments go into the history next.
//!
//! A closed deployment stays in sled until some have come together and nobody holds its lease. The writer hands their rows to
//! the mover, and goes on; when they are on disk in the history it removes them here, in a transaction of its own.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};

use tokio::sync::oneshot;

use crate::domain::deployment::Deployment;
use crate::domain::names::DeploymentId;
use crate::ports::Work;

use super::desk::{Desk, Stop};
use super::history::{Mark, Row};
use super::leases;
use super::mover::Task;
use super::records::{self, Record as _, Shelf};

/// How many are moved in one go. Few, so that nobody waits for it; more than one, so that they share their syncs.
const TOGETHER: usize = 32;
/// How many are remembered. The others are looked for when those have gone.
const REMEMBERED: usize = 256;

/// The deployments that are to leave.
#[derive(Debug, Default)]
pub struct Leaving {
    keys: RefCell<BTreeSet<Vec<u8>>>,
    /// From this key on there are more than are remembered.
    more_from: RefCell<Option<Vec<u8>>>,
    /// The mover has some.
    under_way: Cell<bool>,
    /// What else is to be done with the history.
    others: RefCell<VecDeque<Task>>,
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
}

impl Leaving {
    /// Notes one that was closed.
    pub fn note(&self, key: Vec<u8>) {
        let mut keys = self.keys.borrow_mut();
        if keys.len() < REMEMBERED {
            keys.insert(key);
            return;
        }
        let mut more = self.more_from.borrow_mut();
        if more.as_ref().is_none_or(|first| key < *first) {
            *more = Some(key);
        }
    }

    /// Notes one whose lease was given back, if it is closed.
    pub fn note_released(&self, desk: &Desk, id: DeploymentId) -> Result<(), Stop> {
        let key = records::deployment_key(id);
        if desk.tree(Shelf::Deployments)?.contains_key(&key)? && !desk.tree(Shelf::Index)?.contains_key(records::open_key(&key))? {
            self.note(key);
        }
        Ok(())
    }

    /// Tells when nothing is on its way any more and too few for a move are left.
    pub fn when_at_rest(&self, tell: oneshot::Sender<()>) {
        self.waiting.borrow_mut().push(tell);
    }

    /// Has something else done with the history, when it is its turn.
    pub fn also(&self, task: Task) {
        self.others.borrow_mut().push_back(task);
    }

    /// What is to be done with the history next; `None`: something is under way, or there is nothing to do.
    pub fn next(&self, desk: &Desk) -> Result<Option<Task>, Stop> {
        if self.under_way.get() {
            return Ok(None);
        }
        if let Some(task) = self.others.borrow_mut().pop_front() {
            self.under_way.set(true);
            return Ok(Some(task));
        }
        Ok(self.rows(desk)?.map(Task::Take))
    }

    /// The rows to move next, oldest first; `None`: there are too few.
    fn rows(&self, desk: &Desk) -> Result<Option<Vec<Row>>, Stop> {
        if self.keys.borrow().len() < TOGETHER {
            self.look_for_more(desk)?;
        }
        let mut keys = self.keys.borrow_mut();
        if keys.len() < TOGETHER {
            // Whoever waited may be gone.
            self.waiting.borrow_mut().drain(..).for_each(|waiting| waiting.send(()).unwrap_or_default());
            return Ok(None);
        }
        let mut rows = Vec::new();
        while rows.len() < TOGETHER
            && let Some(key) = keys.pop_first()
        {
            // One that was forgotten meanwhile is not there; one that was opened again is not over.
            if let Some(row) = desk.tree(Shelf::Deployments)?.get(&key)?
                && !desk.tree(Shelf::Index)?.contains_key(records::open_key(&key))?
            {
                rows.push((key, row.to_vec()));
            }
        }
        self.under_way.set(!rows.is_empty());
        Ok(self.under_way.get().then_some(rows))
    }

    fn look_for_more(&self, desk: &Desk) -> Result<(), Stop> {
        let Some(from) = self.more_from.take() else { return Ok(()) };
        let index = desk.tree(Shelf::Index)?;
        let mut keys = self.keys.borrow_mut();
        for key in desk.tree(Shelf::Deployments)?.range(from..).keys() {
            let key = key?.to_vec();
            if keys.len() == REMEMBERED {
                *self.more_from.borrow_mut() = Some(key);
                break;
            }
            if !index.contains_key(records::open_key(&key))? {
                keys.insert(key);
            }
        }
        Ok(())
    }

    /// Remembers what the history holds after something else was done with it.
    pub fn swept(&self, desk: &Desk, mark: Option<Mark>) -> Result<(), Stop> {
        self.under_way.set(false);
        let Some(mark) = mark else { return Ok(()) };
        desk.transact(|tx| {
            tx.history_is(mark);
            Ok(())
        })
    }

    /// Removes what has come into the history, unless it was changed since or somebody still holds its lease.
    pub fn moved(&self, desk: &Desk, rows: &[Row], records: &[Deployment], mark: Mark) -> Result<(), Stop> {
        self.under_way.set(false);
        desk.transact(|tx| {
            for ((key, row), record) in rows.iter().zip(records) {
                let work = Work::Deployment(record.id);
                if tx.is_still(Shelf::Deployments, key, row)? && !leases::may_be_held(tx, desk.fences_before, &work)? {
                    tx.forget(record)?;
                    tx.remove(Shelf::Leases, &records::lease_key(&work))?;
                }
            }
            tx.history_is(mark);
            Ok(())
        })
    }
}

impl Desk {
    /// Notes the deployments among saved ones that are over and told.
    pub fn note_closed<'a>(&self, saved: impl IntoIterator<Item = &'a Deployment>) {
        saved.into_iter().filter(|record| !record.is_open()).for_each(|record| self.leaving.note(record.key()));
    }
}
