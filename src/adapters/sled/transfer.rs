//! Backups: what a file of one looks like, and restoring one.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::domain::account::Account;
use crate::domain::deployment::Deployment;
use crate::domain::installation::{Happened, Happening, Installation, Tenant};
use crate::domain::line::Line;
use crate::domain::lock::Locks;
use crate::domain::names::{DeliveryId, WorkspaceId};
use crate::domain::offer::Offer;
use crate::domain::privacy::Noted;
use crate::domain::request::Request;
use crate::domain::sign_in::SignIn;
use crate::ports::StoreError;

use crate::adapters::clock::{RandomIds, SystemClock};
use crate::ports::{Clock as _, Ids as _};

use super::audit::audit;
use super::codec;
use super::desk::{Stop, Tx};
use super::history::Row;
use super::lock;
use super::opening::{self, Fresh, OpenError, Opening};
use super::records::Record;
use super::removals::{BACKUPS_LIVE, Removals};
use super::restored::Restored;

/// The longest line that can be ours, in bytes: a record, what says which kind it is, and some room.
const LONGEST: u64 = 64 * 1024;
/// How many records are restored in one transaction.
const TOGETHER: usize = 64;
/// How many come into the history in one go.
const OVER_TOGETHER: usize = 1024;

/// Why a backup was not made or not restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// A file could not be used.
    #[error("{doing}: {detail}")]
    File {
        /// What was tried.
        doing: String,
        /// What the system said.
        detail: String,
    },
    /// The file to write is there already.
    #[error("{} exists already and was left as it is: name another file", .0.display())]
    Exists(PathBuf),
    /// The file is no backup, or not a whole one. Nothing was written.
    #[error("the file is not a whole backup: {0}")]
    NotWhole(String),
    /// The backup's life is over. Nothing was written.
    #[error(
        "this backup was made at {made}, more than 30 days ago: who was removed that long ago is not remembered any more, and would come back. Take a younger one; where there is none, `--however-old` takes it all the same, and whoever was removed has to be removed again"
    )]
    TooOld {
        /// When it was made.
        made: Timestamp,
    },
    /// A backup is restored only into an empty folder.
    #[error("{} is not empty: a backup is restored only into an empty folder, or one that does not exist yet", .0.display())]
    NotEmpty(PathBuf),
    /// The running service could not make the backup.
    #[error("the running service could not make the backup: {0}")]
    Service(String),
    /// No service runs on the store.
    #[error("no service runs on {}: start it with the new key before the old ones, then ask again", .0.display())]
    NobodyServes(PathBuf),
    /// Not everything could be sealed again.
    #[error("{0}")]
    NotRotated(String),
    /// No service runs on the store.
    #[error("no service runs on the store in {}: start it first", .0.display())]
    NotServed(PathBuf),
    /// The running service could not do what it was asked.
    #[error("the running service could not do it: {0}")]
    NotDone(String),
    /// The store could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TransferError {
    /// A file could not be used.
    pub(super) fn file(doing: impl Into<String>, error: &io::Error) -> Self {
        Self::File { doing: doing.into(), detail: error.to_string() }
    }
}

/// One line of a backup.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Entry<R = Value, D = Value, L = Value, O = Value, A = Value, S = Value, N = Value, I = Value, H = Value, K = Value> {
    /// The first.
    SlashHerokuBackup {
        /// The schema of the records.
        schema: u16,
        /// The last fence.
        fence: u64,
        /// When it was made. Older ones do not say.
        #[serde(default)]
        made: Option<Timestamp>,
    },
    Request(R),
    Deployment(D),
    Line(L),
    Offer(O),
    Account(A),
    SignIn(S),
    Note(N),
    Installation(I),
    Happening(H),
    Locks(K),
    /// The last.
    End {
        /// How many records.
        records: u64,
        /// The checksum of all bytes before this line.
        crc32c: u32,
    },
}

pub(super) type Written = Entry<Request, Deployment, Line, Offer, Account, SignIn, Noted, Installation, Happening, Locks>;

fn not_whole(why: impl Into<String>) -> TransferError {
    TransferError::NotWhole(why.into())
}

/// Reads a backup to its end; gives each record to `each`. Returns the last fence. Only what is returned without an error
/// is known to be whole.
fn read(file: &mut File, mut each: impl FnMut(Restored) -> Result<(), TransferError>) -> Result<Begun, TransferError> {
    let io_error = |error: io::Error| TransferError::file("reading the backup", &error);
    file.rewind().map_err(io_error)?;
    let mut reader = BufReader::new(file);
    let (mut crc, mut records, mut header) = (0, 0_u64, None);
    let mut line = Vec::new();
    loop {
        line.clear();
        reader.by_ref().take(LONGEST).read_until(b'\n', &mut line).map_err(io_error)?;
        if line.last() != Some(&b'\n') {
            return Err(not_whole(if line.is_empty() { "it has no end" } else { "a line is cut off or too long" }));
        }
        let entry: Entry = serde_json::from_slice(&line).map_err(|error| not_whole(format!("a line is none of ours ({error})")))?;
        let sum_before = crc;
        crc = crc32c::crc32c_append(crc, &line);
        let Some(Begun { schema, fence, made }) = header else {
            header = Some(begin(&entry)?);
            continue;
        };
        let record = match entry {
            Entry::SlashHerokuBackup { .. } => return Err(not_whole("it begins twice")),
            Entry::End { records: expected, crc32c } => {
                let more = !reader.fill_buf().map_err(io_error)?.is_empty();
                return if expected == records && crc32c == sum_before && !more {
                    Ok(Begun { schema, fence, made })
                } else {
                    Err(not_whole("its checksum is wrong"))
                };
            }
            Entry::Request(value) => Restored::Request(lift(schema, &value)?),
            Entry::Deployment(value) => Restored::Deployment(Box::new(lift(schema, &value)?)),
            Entry::Line(value) => Restored::Line(lift(schema, &value)?),
            Entry::Offer(value) => Restored::Offer(lift(schema, &value)?),
            Entry::Account(value) => Restored::Account(Box::new(lift(schema, &value)?)),
            Entry::SignIn(value) => Restored::SignIn(Box::new(lift(schema, &value)?)),
            Entry::Note(value) => Restored::Note(Box::new(lift(schema, &value)?)),
            Entry::Installation(value) => Restored::Installation(Box::new(lift(schema, &value)?)),
            Entry::Happening(value) => Restored::Happening(Box::new(lift(schema, &value)?)),
            Entry::Locks(value) => Restored::Locks(Box::new(lift(schema, &value)?)),
        };
        records = records.saturating_add(1);
        each(record)?;
    }
}

/// What the first line says.
#[derive(Clone, Copy, Debug)]
struct Begun {
    schema: u16,
    fence: u64,
    made: Option<Timestamp>,
}

fn begin(entry: &Entry) -> Result<Begun, TransferError> {
    match entry {
        Entry::SlashHerokuBackup { schema, .. } if *schema > codec::SCHEMA => {
            Err(not_whole(format!("it was made by a newer version (schema {schema}, this one knows up to {})", codec::SCHEMA)))
        }
        Entry::SlashHerokuBackup { schema, fence, made } => Ok(Begun { schema: *schema, fence: *fence, made: *made }),
        Entry::Request(_)
        | Entry::Deployment(_)
        | Entry::Line(_)
        | Entry::Offer(_)
        | Entry::Account(_)
        | Entry::SignIn(_)
        | Entry::Note(_)
        | Entry::Installation(_)
        | Entry::Happening(_)
        | Entry::Locks(_)
        | Entry::End { .. } => Err(not_whole("it does not begin as one")),
    }
}

fn lift<T: Record>(schema: u16, value: &Value) -> Result<T, TransferError> {
    let body = codec::write(T::SHELF.tree(), value);
    body.and_then(|body| codec::read(T::SHELF.tree(), schema, &body)).map_err(|error| not_whole(error.to_string()))
}

/// Reads a backup to its end and looks at every record. Returns when it was made, if it says.
pub(super) fn verify(file: &mut File) -> Result<Option<Timestamp>, TransferError> {
    let mut last: Option<(&str, Vec<u8>)> = None;
    let begun = read(file, |record| {
        let (tree, key, version) = record.identity();
        // Records of a kind are in the order of their keys, so that one that is there twice shows without a list of all.
        let in_order = last.as_ref().is_none_or(|(before, last)| *before != tree || *last < key);
        if version == 0 || !in_order {
            return Err(not_whole(format!("a row of `{tree}` is there twice, in the wrong place or without a version")));
        }
        last = Some((tree, key));
        Ok(())
    })?;
    Ok(begun.made)
}

/// How to restore.
#[derive(Clone, Debug)]
pub struct Restoring {
    /// The file that remembers removals; `None`: beside the folder.
    pub removals: Option<PathBuf>,
    /// Whether a backup is taken whose life is over: some removals may not be remembered any more.
    pub however_old: bool,
    /// Now.
    pub now: Timestamp,
}

/// What a restore could not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// When the backup was made, if it says.
    pub made: Option<Timestamp>,
    /// Where removals should be remembered, if there is no such file: whoever was removed since is back then.
    pub removals_unknown: Option<PathBuf>,
}

/// Restores a backup as [`restore_with`] does, with what stands beside the folder.
pub async fn restore(folder: &Path, file: &Path) -> Result<Filled, TransferError> {
    restore_with(folder, file, Restoring { removals: None, however_old: false, now: SystemClock::default().now() }).await
}

/// Restores a backup into an empty folder, or one that does not exist. Reads the whole file before it writes anything. Whoever was
/// removed since the backup was made is not restored.
///
/// A restore that is cut short leaves a folder that is refused until it is emptied.
pub async fn restore_with(folder: &Path, file: &Path, how: Restoring) -> Result<Filled, TransferError> {
    let (folder, file) = (folder.to_owned(), file.to_owned());
    let at = folder.clone();
    tokio::task::spawn_blocking(move || restore_blocking(&folder, &file, &how))
        .await
        .unwrap_or_else(|_| Err(opening::explain_panic(&at).into()))
}

fn restore_blocking(folder: &Path, file: &Path, how: &Restoring) -> Result<Filled, TransferError> {
    let io_error = |error: io::Error| TransferError::file(format!("restoring into {}", folder.display()), &error);
    if let Some(holder) = lock::is_held(folder).map_err(io_error)? {
        return Err(OpenError::InUse { folder: folder.to_owned(), holder }.into());
    }
    if !is_empty(folder).map_err(io_error)? {
        return Err(TransferError::NotEmpty(folder.to_owned()));
    }
    let mut file = File::open(file).map_err(|error| TransferError::file(format!("opening {}", file.display()), &error))?;
    let made = verify(&mut file)?;
    if let Some(made) = made.filter(|made| how.now.duration_since(*made) > BACKUPS_LIVE && !how.however_old) {
        return Err(TransferError::TooOld { made });
    }
    let path = how.removals.clone().unwrap_or_else(|| super::removals_beside(folder));
    let mut removals = Removals::since(&path, made).map_err(|error| TransferError::file(format!("reading {}", path.display()), &error))?;
    let store = opening::open(folder, Opening { fresh: Fresh::MakeForRestore, ..Opening::default() }, &watch::channel(None).0)?;
    let put = |some: &mut Vec<Restored>| {
        let done = store.desk.transact(|tx| some.iter().try_for_each(|record| record.put(tx)));
        some.clear();
        done.map_err(explain)
    };
    let put_over = |over: &mut Vec<Row>| {
        let rows = std::mem::take(over);
        let (_, mark) = store.desk.history.add(&rows).map_err(explain)?;
        let told = |tx: &Tx<'_>| {
            tx.history_is(mark);
            Ok(())
        };
        store.desk.transact(told).map_err(explain)
    };
    let (mut some, mut over) = (Vec::new(), Vec::new());
    let Begun { fence, .. } = read(&mut file, |record| {
        let Some(record) = record.without(&mut removals) else { return Ok(()) };
        match record {
            Restored::Deployment(record) if !record.is_open() => over.push(sealed(record.as_ref())?),
            record @ (Restored::Request(_)
            | Restored::Deployment(_)
            | Restored::Line(_)
            | Restored::Offer(_)
            | Restored::Account(_)
            | Restored::SignIn(_)
            | Restored::Note(_)
            | Restored::Installation(_)
            | Restored::Happening(_)
            | Restored::Locks(_)) => some.push(record),
        }
        if some.len() >= TOGETHER {
            put(&mut some)?;
        }
        if over.len() < OVER_TOGETHER { Ok(()) } else { put_over(&mut over) }
    })?;
    // What went on in a workspace that has left is seen to its end, and goes then.
    some.extend(removals.went_on.iter().map(|(workspace, left_at)| Restored::Happening(Box::new(departure(workspace, *left_at)))));
    put(&mut some)?;
    if !over.is_empty() {
        put_over(&mut over)?;
    }
    store
        .desk
        .transact(|tx| {
            tx.fences_after(fence);
            Ok(())
        })
        .map_err(explain)?;
    store.disk.commit(&store.desk).map_err(explain)?;
    let head = store.desk.head().map_err(explain)?.unwrap_or_default();
    audit(&store.desk, &head).map_err(explain)?;
    if let Some(history) = store.desk.history.snapshot().map_err(explain)? {
        history.look_at_everything().map_err(explain)?;
    }
    opening::restored(folder).map_err(io_error)?;
    Ok(Filled { made, removals_unknown: (!path.exists()).then_some(path) })
}

fn departure(workspace: &WorkspaceId, at: Timestamp) -> Happening {
    Happening {
        id: DeliveryId::from(RandomIds.fresh()),
        version: 1,
        tenant: Tenant::Workspace(workspace.clone()),
        at,
        heard_at: at,
        what: Happened::Uninstalled,
        done: false,
    }
}

/// A record as it lies in the store.
fn sealed<T: Record>(record: &T) -> Result<Row, TransferError> {
    let (tree, key) = (T::SHELF.tree(), record.key());
    let row = codec::seal(tree, &key, &codec::write(tree, record)?);
    Ok((key, row))
}

pub(super) fn explain(stop: Stop) -> TransferError {
    TransferError::Store(match stop {
        Stop::Refused(error) => error,
        Stop::Broken(why) => StoreError::Failed(why),
    })
}

/// Whether there is nothing in a folder but what a file system puts there by itself.
fn is_empty(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == "lost+found"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}
