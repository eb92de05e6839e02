//! The history: deployments that are over and told, on disk and not in memory, in a file of their own beside sled's.
//!
//! A row comes here as it lay in sled, with its checksum, and is looked at whenever it is read. The history's own mark says
//! how often it was written and what it holds; sled's head holds the same mark, so that a history that is lost, older or
//! another one shows at the next opening. It is written and synced before the rows leave sled: after a crash in between it
//! is ahead by one commit, and its rows are in both places, where sled's count.

mod changing;
mod file;
mod reading;

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use redb::{Builder, Database, ReadableDatabase as _, ReadableTable as _, Table, TableDefinition};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::deployment::Deployment;
use crate::ports::StoreError;

use super::codec;
use super::desk::{Stop, Total};
use super::opening;
use super::records::{Record, Shelf};
use super::writer::Sync;

pub use changing::{Fate, Judge, Swept};
use file::SyncedFile;
pub use reading::Snapshot;

/// The file's name in the folder.
const NAME: &str = "history";
/// What it is called while it is being made.
const NEWBORN: &str = "history.new";

/// In bytes. Rows are read seldom, and the system caches the file as well.
const CACHE: usize = 4 * 1024 * 1024;

/// The rows, by deployment id.
const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("history");
/// What finds them: as in sled, for apps and pipelines. Two for each row.
const INDEX: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("history-index");
/// One row: the marks.
const META: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("history-meta");
const MARKS: &[u8] = b"marks";

/// Index rows for each row.
const FOUND_BY: u64 = 2;
/// How many of the newest rows are read when it is opened.
const TAIL: usize = 64;

/// What a history holds after so many commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How often it was written.
    pub commits: u64,
    /// Its rows.
    pub total: Total,
}

/// The mark, and the one before it: sled's head holds one of the two.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Marks {
    now: Mark,
    before: Mark,
}

/// A row as it lies in sled: key and sealed record.
pub type Row = (Vec<u8>, Vec<u8>);

/// The history of one folder. It has no file before something comes into it.
#[derive(Debug, Default)]
pub struct History {
    folder: PathBuf,
    sync: Sync,
    database: RwLock<Option<Arc<Database>>>,
}

pub(super) fn told(error: impl Into<redb::Error>) -> Stop {
    let error = error.into();
    if let redb::Error::Corrupted(detail) = &error { damaged(detail) } else { Stop::Broken(format!("the history: {error}")) }
}

fn damaged(detail: &str) -> Stop {
    Stop::Refused(StoreError::Damaged(format!("the history: {detail}")))
}

fn io_error(error: &std::io::Error) -> Stop {
    Stop::Broken(format!("the history: {error}"))
}

/// The index rows of a deployment that is over.
fn found_by(record: &Deployment) -> Vec<Vec<u8>> {
    record.closed_now().found_by()
}

fn read_marks(row: Option<&[u8]>) -> Result<Marks, Stop> {
    let row = row.ok_or_else(|| damaged("it has no mark"))?;
    Ok(codec::open(NAME, MARKS, row)?)
}

impl History {
    /// Opens the history of a folder, and compares it with the mark that sled has of it. Reads no more than its end, unless
    /// it shall be `thorough`.
    pub fn open(folder: &Path, sync: Sync, known: Option<Mark>, thorough: bool) -> Result<Self, Stop> {
        let history = Self { folder: folder.to_owned(), sync, database: RwLock::default() };
        opening::remove_if_there(&folder.join(NEWBORN)).map_err(|error| io_error(&error))?;
        let path = folder.join(NAME);
        if !path.exists() {
            return if known.is_none() { Ok(history) } else { Err(damaged("its file is gone")) };
        }
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(|error| io_error(&error))?;
        if file.metadata().map_err(|error| io_error(&error))?.len() == 0 {
            // It would be made anew.
            return Err(damaged("its file is empty"));
        }
        let database = history.database_in(file, thorough)?;
        // Before anything was moved there is a file at most, with nothing in it or with the first rows.
        history.goes_on_with(database);
        history.look(known.unwrap_or_default(), thorough)?;
        Ok(history)
    }

    fn database_in(&self, file: File, thorough: bool) -> Result<Database, Stop> {
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE).set_check_integrity_on_open(thorough);
        builder.create_with_backend(SyncedFile::new(file, self.sync.clone())).map_err(told)
    }

    fn look(&self, known: Mark, thorough: bool) -> Result<(), Stop> {
        let Some(snapshot) = self.snapshot()? else { return Ok(()) };
        let Marks { now, before } = snapshot.marks;
        let ahead = before == known && now.commits == known.commits.saturating_add(1);
        if now != known && !ahead {
            return Err(damaged("it is not the one that belongs to this store, or an older one"));
        }
        snapshot.look_at_counts()?;
        if thorough { snapshot.look_at_everything() } else { snapshot.look_at_end(TAIL) }
    }

    /// What it holds.
    pub fn mark(&self) -> Result<Option<Mark>, Stop> {
        Ok(self.snapshot()?.map(|snapshot| snapshot.marks.now))
    }

    /// What it holds now, whatever is written meanwhile; `None`: nothing ever came into it.
    pub fn snapshot(&self) -> Result<Option<Snapshot>, Stop> {
        let Some(database) = self.current() else { return Ok(None) };
        let transaction = database.begin_read().map_err(told)?;
        let records = transaction.open_table(RECORDS).map_err(told)?;
        let index = transaction.open_table(INDEX).map_err(told)?;
        let meta = transaction.open_table(META).map_err(told)?;
        let marks = read_marks(meta.get(MARKS).map_err(told)?.as_ref().map(redb::AccessGuard::value))?;
        Ok(Some(Snapshot { records, index, marks, _database: database }))
    }

    /// A record.
    pub fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, Stop> {
        let Some(database) = self.current() else { return Ok(None) };
        let records = database.begin_read().map_err(told)?.open_table(RECORDS).map_err(told)?;
        let Some(row) = records.get(key).map_err(told)? else { return Ok(None) };
        Ok(Some(codec::open(Shelf::Deployments.tree(), key, row.value())?))
    }

    /// Takes rows in, over what it has of the same deployments. They are on disk when this returns. Gives back what they
    /// say, and the new mark.
    pub fn add(&self, rows: &[Row]) -> Result<(Vec<Deployment>, Mark), Stop> {
        let tree = Shelf::Deployments.tree();
        let records = rows.iter().map(|(key, row)| codec::open(tree, key, row)).collect::<Result<Vec<Deployment>, _>>()?;
        let mut transaction = self.database()?.begin_write().map_err(told)?;
        // A start after a kill would have to read the whole file otherwise.
        transaction.set_quick_repair(true);
        let mark = {
            let mut table = transaction.open_table(RECORDS).map_err(told)?;
            let mut index = transaction.open_table(INDEX).map_err(told)?;
            let mut meta = transaction.open_table(META).map_err(told)?;
            let Marks { now: before, .. } = read_marks(meta.get(MARKS).map_err(told)?.as_ref().map(redb::AccessGuard::value))?;
            let mut total = before.total;
            for ((key, row), record) in rows.iter().zip(&records) {
                let old = table.insert(key.as_slice(), row.as_slice()).map_err(told)?;
                if let Some(old) = old {
                    total.take(codec::unseal(tree, key, old.value())?.checksum);
                    let old: Deployment = codec::open(tree, key, old.value())?;
                    found_by(&old).iter().try_for_each(|key| index.remove(key.as_slice()).map(drop)).map_err(told)?;
                }
                total.add(codec::unseal(tree, key, row)?.checksum);
                found_by(record).iter().try_for_each(|key| find(&mut index, key))?;
            }
            let now = Mark { commits: before.commits.saturating_add(1), total };
            write_marks(&mut meta, Marks { now, before })?;
            now
        };
        transaction.commit().map_err(told)?;
        Ok((records, mark))
    }

    fn current(&self) -> Option<Arc<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn goes_on_with(&self, database: Database) -> Arc<Database> {
        let database = Arc::new(database);
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&database));
        database
    }

    fn database(&self) -> Result<Arc<Database>, Stop> {
        match self.current() {
            Some(database) => Ok(database),
            None => Ok(self.goes_on_with(self.make()?)),
        }
    }

    /// Makes the file under another name, so that a power cut leaves a whole one or none.
    fn make(&self) -> Result<Database, Stop> {
        self.put_in_place(|database| {
            let transaction = database.begin_write().map_err(told)?;
            transaction.open_table(RECORDS).map_err(told)?;
            transaction.open_table(INDEX).map_err(told)?;
            write_marks(&mut transaction.open_table(META).map_err(told)?, Marks::default())?;
            transaction.commit().map_err(told)
        })
    }

    /// Fills a file that nobody knows of, then gives it the history's name.
    fn put_in_place(&self, fill: impl FnOnce(&Database) -> Result<(), Stop>) -> Result<Database, Stop> {
        let (newborn, path) = (self.folder.join(NEWBORN), self.folder.join(NAME));
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        opening::remove_if_there(&newborn).map_err(|error| io_error(&error))?;
        let file = options.clone().create_new(true).open(&newborn).map_err(|error| io_error(&error))?;
        let database = self.database_in(file, false)?;
        fill(&database)?;
        drop(database);
        let settled = || {
            File::open(&newborn)?.sync_all()?;
            fs::rename(&newborn, &path)?;
            File::open(&self.folder)?.sync_all()?;
            options.open(&path)
        };
        self.database_in(settled().map_err(|error| io_error(&error))?, false)
    }
}

fn find(index: &mut Table<'_, &'static [u8], &'static [u8]>, key: &[u8]) -> Result<(), Stop> {
    index.insert(key, codec::seal(Shelf::Index.tree(), key, b"").as_slice()).map_err(told)?;
    Ok(())
}

fn write_marks(meta: &mut Table<'_, &'static [u8], &'static [u8]>, marks: Marks) -> Result<(), Stop> {
    let row = codec::seal(NAME, MARKS, &codec::write(NAME, &marks)?);
    meta.insert(MARKS, row.as_slice()).map_err(told)?;
    Ok(())
}
