//! The trees and what a transaction over them keeps true: checksums, totals, versions, indices.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use ::sled::transaction::{ConflictableTransactionError, TransactionError, TransactionalTree};
use ::sled::{IVec, Transactional as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::deployment::Deployment;
use crate::ports::StoreError;

use super::codec;
use super::history::{History, Mark};
use super::intake::{self, Place};
use super::leaving::Leaving;
use super::records::{Record, Shelf};

/// The schema of the store as a whole: 2 has a history, 3 an intake. A version that does not know of them would miss records
/// without a word.
pub const STORE_SCHEMA: u16 = 3;

/// The key of the one row in `meta`.
const HEAD: &[u8] = b"head";

/// Why a piece of work was not done.
#[derive(Debug)]
pub enum Stop {
    /// It may not be done. The store goes on.
    Refused(StoreError),
    /// The store cannot go on.
    Broken(String),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<::sled::Error> for Stop {
    fn from(error: ::sled::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// How many rows a tree has, and the sum of their checksums: a row that is lost, or an old one that came back, shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// Rows.
    pub rows: u64,
    /// The sum, wrapping.
    pub sum: u64,
}

impl Total {
    /// Counts a row.
    pub fn add(&mut self, checksum: u32) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(u64::from(checksum));
    }

    /// Counts a row no more.
    pub fn take(&mut self, checksum: u32) {
        self.rows = self.rows.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(u64::from(checksum));
    }
}

/// What is known about the whole store; saved in the same transaction as every change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The schema of the store.
    pub schema: u16,
    /// The fence of the last lease. One count for all work, so that a fence never comes back.
    pub fence: u64,
    /// By tree.
    pub totals: BTreeMap<String, Total>,
    /// The history's mark, once something was moved into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<Mark>,
    /// Up to where accepted requests were taken up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Place>,
}

impl Default for Head {
    fn default() -> Self {
        Self { schema: STORE_SCHEMA, fence: 0, totals: BTreeMap::new(), history: None, taken: None }
    }
}

/// What a transaction says.
pub type TxResult<T> = Result<T, ConflictableTransactionError<StoreError>>;

/// Ends a transaction without saving anything.
pub fn refuse<T>(error: StoreError) -> TxResult<T> {
    Err(ConflictableTransactionError::Abort(error))
}

/// One transaction over all trees.
pub struct Tx<'a> {
    trees: &'a [TransactionalTree],
    head: RefCell<Head>,
    history: &'a History,
    changed: &'a Cell<bool>,
}

impl Tx<'_> {
    fn tree(&self, shelf: Shelf) -> TxResult<&TransactionalTree> {
        match self.trees.get(shelf.place()) {
            Some(tree) => Ok(tree),
            None => refuse(StoreError::Damaged(format!("there is no tree `{}`", shelf.tree()))),
        }
    }

    /// A row.
    pub fn get<T: DeserializeOwned>(&self, shelf: Shelf, key: &[u8]) -> TxResult<Option<T>> {
        let Some(row) = self.tree(shelf)?.get(key)? else { return Ok(None) };
        codec::open(shelf.tree(), key, &row).map(Some).or_else(refuse)
    }

    /// Whether a row is what it was.
    pub fn is_still(&self, shelf: Shelf, key: &[u8], row: &[u8]) -> TxResult<bool> {
        Ok(self.tree(shelf)?.get(key)?.is_some_and(|now| now == row))
    }

    fn put_body(&self, shelf: Shelf, key: &[u8], body: &[u8]) -> TxResult<()> {
        let row = codec::seal(shelf.tree(), key, body);
        let added = codec::checksum_in(&row);
        let old = self.tree(shelf)?.insert(key, row)?;
        self.count(shelf, key, old.as_ref(), added)
    }

    /// Saves a row.
    pub fn put<T: Serialize>(&self, shelf: Shelf, key: &[u8], value: &T) -> TxResult<()> {
        let body = codec::write(shelf.tree(), value).or_else(refuse)?;
        self.put_body(shelf, key, &body)
    }

    /// Removes a row, if it is there.
    pub fn remove(&self, shelf: Shelf, key: &[u8]) -> TxResult<()> {
        match self.tree(shelf)?.remove(key)? {
            None => Ok(()),
            Some(old) => self.count(shelf, key, Some(&old), None),
        }
    }

    fn count(&self, shelf: Shelf, key: &[u8], old: Option<&IVec>, added: Option<u32>) -> TxResult<()> {
        let taken = match old {
            None => None,
            Some(row) => Some(codec::unseal(shelf.tree(), key, row).or_else(refuse)?.checksum),
        };
        let mut head = self.head.borrow_mut();
        let count = |total: &mut Total| {
            taken.into_iter().for_each(|sum| total.take(sum));
            added.into_iter().for_each(|sum| total.add(sum));
        };
        match head.totals.get_mut(shelf.tree()) {
            Some(total) => count(total),
            None => count(head.totals.entry(shelf.tree().to_owned()).or_default()),
        }
        self.changed.set(true);
        Ok(())
    }

    /// The next fence.
    pub fn next_fence(&self) -> u64 {
        let mut head = self.head.borrow_mut();
        head.fence = head.fence.saturating_add(1);
        self.changed.set(true);
        head.fence
    }

    /// Makes fences go on after `fence`.
    pub fn fences_after(&self, fence: u64) {
        let mut head = self.head.borrow_mut();
        head.fence = head.fence.max(fence);
        self.changed.set(true);
    }

    /// Remembers what the history holds.
    pub fn history_is(&self, mark: Mark) {
        self.head.borrow_mut().history = Some(mark);
        self.changed.set(true);
    }

    /// Remembers up to where accepted requests were taken up. From then on only versions that know of an intake open the store.
    pub fn taken_until(&self, place: Place) {
        let mut head = self.head.borrow_mut();
        head.taken = Some(place);
        head.schema = STORE_SCHEMA;
        self.changed.set(true);
    }

    fn past<T: Record>(&self, key: &[u8]) -> TxResult<Option<T>> {
        if T::SHELF != Shelf::Deployments {
            return Ok(None);
        }
        self.history.get(key).or_else(|stop| match stop {
            Stop::Refused(error) => refuse(error),
            Stop::Broken(why) => refuse(StoreError::Damaged(why)),
        })
    }

    /// Saves a record over the version that it was read with, as the next one, and what finds it. One that had gone into
    /// the history comes back from there.
    pub fn save<T: Record>(&self, record: &T) -> TxResult<()> {
        let stored: Option<T> = self.get(T::SHELF, &record.key())?;
        let version = match &stored {
            Some(stored) => stored.version(),
            None => self.past(&record.key())?.as_ref().map_or(0, T::version),
        };
        if version != record.version() {
            return refuse(StoreError::Conflict(record.label()));
        }
        self.write(stored.as_ref(), &record.at_version(record.version().saturating_add(1)))
    }

    /// Puts a record that must not be there, with the version that it has.
    pub fn restore<T: Record>(&self, record: &T) -> TxResult<()> {
        match self.get::<T>(T::SHELF, &record.key())? {
            Some(_) => refuse(StoreError::Conflict(record.label())),
            None => self.write(None, record),
        }
    }

    fn write<T: Record>(&self, stored: Option<&T>, next: &T) -> TxResult<()> {
        let (key, body) = (next.key(), codec::write(T::SHELF.tree(), next).or_else(refuse)?);
        let size = key.len().saturating_add(body.len());
        if size > codec::LIMIT {
            return refuse(StoreError::TooLarge { record: next.label(), size, limit: codec::LIMIT });
        }
        self.put_body(T::SHELF, &key, &body)?;
        self.reindex(stored.map(T::found_by).unwrap_or_default(), next.found_by())
    }

    /// Removes a record and what finds it.
    pub fn forget<T: Record>(&self, record: &T) -> TxResult<()> {
        self.remove(T::SHELF, &record.key())?;
        self.reindex(record.found_by(), Vec::new())
    }

    fn reindex(&self, old: Vec<Vec<u8>>, new: Vec<Vec<u8>>) -> TxResult<()> {
        for key in old.iter().filter(|key| !new.contains(key)) {
            self.remove(Shelf::Index, key)?;
        }
        for key in new.iter().filter(|key| !old.contains(key)) {
            self.put_body(Shelf::Index, key, b"")?;
        }
        Ok(())
    }
}

/// The open trees, in the hands of the one thread that works on them.
#[derive(Debug)]
pub struct Desk {
    /// The database.
    pub db: ::sled::Db,
    trees: Vec<::sled::Tree>,
    /// Leases up to this fence were given before the store was opened, and have ended.
    pub fences_before: u64,
    /// What is over and told.
    pub history: Arc<History>,
    /// What is on its way there.
    pub leaving: Leaving,
    /// What was accepted. There is none before the store is opened whole.
    pub intake: Option<intake::Reader>,
    /// The head as it was last saved: nobody else writes it.
    known: RefCell<Option<Head>>,
    changed: Cell<bool>,
}

impl Desk {
    /// Opens the trees; makes those that are not there.
    pub fn new(db: ::sled::Db) -> Result<Self, ::sled::Error> {
        let trees = Shelf::ALL.iter().map(|shelf| db.open_tree(shelf.tree())).collect::<Result<Vec<_>, _>>()?;
        let (history, leaving) = (Arc::default(), Leaving::default());
        Ok(Self { db, trees, fences_before: 0, history, leaving, intake: None, known: RefCell::default(), changed: Cell::new(false) })
    }

    /// Copies every row as it is into a new database and goes on with that one.
    pub fn move_to(&mut self, db: ::sled::Result<::sled::Db>) -> Result<(), Stop> {
        let db = db?;
        let mut trees = Vec::new();
        for (shelf, old) in Shelf::ALL.iter().zip(&self.trees) {
            let tree = db.open_tree(shelf.tree())?;
            for row in old {
                let (key, row) = row?;
                tree.insert(key, row)?;
            }
            trees.push(tree);
        }
        (self.db, self.trees) = (db, trees);
        Ok(())
    }

    /// A tree, for reading.
    pub fn tree(&self, shelf: Shelf) -> Result<&::sled::Tree, Stop> {
        self.trees.get(shelf.place()).ok_or_else(|| Stop::Broken(format!("there is no tree `{}`", shelf.tree())))
    }

    /// What is known about the whole store; `None`: it was never begun.
    pub fn head(&self) -> Result<Option<Head>, Stop> {
        let Some(row) = self.tree(Shelf::Meta)?.get(HEAD)? else { return Ok(None) };
        Ok(Some(codec::open(Shelf::Meta.tree(), HEAD, &row)?))
    }

    /// What everybody waits for lies on disk now: what only stood for it can go.
    pub fn committed(&self) {
        if let (Some(intake), Some(place)) = (&self.intake, self.known.borrow().as_ref().and_then(|head| head.taken)) {
            intake.remove_before(place);
        }
    }

    /// Up to where accepted requests were taken up.
    pub fn taken(&self) -> Result<Place, Stop> {
        Ok(self.head()?.and_then(|head| head.taken).unwrap_or(Place::FIRST))
    }

    /// Whether something was changed since this was last asked.
    pub fn take_changed(&self) -> bool {
        self.changed.take()
    }

    /// A row.
    pub fn get<T: Record>(&self, key: &[u8]) -> Result<Option<T>, Stop> {
        let Some(row) = self.tree(T::SHELF)?.get(key)? else { return Ok(None) };
        Ok(Some(codec::open(T::SHELF.tree(), key, &row)?))
    }

    /// A deployment, wherever it lies.
    pub fn deployment(&self, key: &[u8]) -> Result<Option<Deployment>, Stop> {
        match self.get(key)? {
            Some(live) => Ok(Some(live)),
            None => self.history.get(key),
        }
    }

    /// A row that an index says is there.
    pub fn must<T: Record>(&self, key: Option<&[u8]>) -> Result<T, Stop> {
        let found = match key {
            Some(key) => self.get(key)?,
            None => None,
        };
        found.ok_or_else(|| Stop::Refused(StoreError::Damaged(format!("the index names a row of `{}` that is not there", T::SHELF.tree()))))
    }

    /// All rows of a kind that sled holds, in the order of their keys.
    pub fn all<T: Record>(&self) -> Result<impl Iterator<Item = Result<T, Stop>> + use<T>, Stop> {
        self.from(b"")
    }

    /// Those from a key on.
    pub fn from<T: Record>(&self, key: &[u8]) -> Result<impl Iterator<Item = Result<T, Stop>> + use<T>, Stop> {
        Ok(self.tree(T::SHELF)?.range(key.to_vec()..).map(|row| {
            let (key, row) = row?;
            Ok(codec::open(T::SHELF.tree(), &key, &row)?)
        }))
    }

    /// Runs one transaction over all trees. `work` may run again, so it only reads and writes through what it is given.
    pub fn transact<T>(&self, work: impl Fn(&Tx<'_>) -> TxResult<T>) -> Result<T, Stop> {
        let trees: Vec<&::sled::Tree> = self.trees.iter().collect();
        let changed = Cell::new(false);
        let done = trees.as_slice().transaction(|trees: &Vec<TransactionalTree>| {
            changed.set(false);
            let meta = trees.get(Shelf::Meta.place());
            let known = self.known.borrow().clone();
            let stored = match (&known, meta) {
                (None, Some(meta)) => meta.get(HEAD)?,
                (Some(_), _) | (None, None) => None,
            };
            let head = match (known, stored) {
                (Some(known), _) => known,
                (None, Some(row)) => codec::open(Shelf::Meta.tree(), HEAD, &row).or_else(refuse)?,
                (None, None) => Head::default(),
            };
            let tx = Tx { trees, head: RefCell::new(head), history: &self.history, changed: &changed };
            let done = work(&tx)?;
            if let (Some(meta), true) = (meta, changed.get()) {
                let body = codec::write(Shelf::Meta.tree(), &*tx.head.borrow()).or_else(refuse)?;
                meta.insert(HEAD, codec::seal(Shelf::Meta.tree(), HEAD, &body))?;
            }
            Ok((done, tx.head.into_inner()))
        });
        match done {
            Ok((done, head)) => {
                if changed.get() {
                    *self.known.borrow_mut() = Some(head);
                }
                self.changed.set(self.changed.get() || changed.get());
                Ok(done)
            }
            Err(TransactionError::Abort(error)) => Err(Stop::Refused(error)),
            Err(TransactionError::Storage(error)) => Err(error.into()),
        }
    }
}
