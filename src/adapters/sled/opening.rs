//! Opening a folder: one process, nothing made up for what is lost, everything looked at before it is used.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::codec;
use super::desk::Desk;
use super::intake::{self, Intake};
use super::lock::{FolderLock, NotLocked, wait_until_free};
use super::look::{self, Begun};
use super::records::Shelf;
use super::rewriting;
use super::writer::{Disk, Gone, Notice, Sync};

/// sled's file.
pub const DATABASE: &str = "db";
/// Ours, made once the store has begun: a folder that has it and no records has lost them.
const MARK: &str = "store";
/// Ours, there while a backup is being restored.
const RESTORING: &str = "restoring";

/// In bytes, of a store that is made anew. sled reads a whole one twice and writes it once to open a store, so it is as small as
/// [`codec::LIMIT`] allows. It refuses to open a store with another one than that was made with.
const SEGMENT: usize = 4 * 1024 * 1024;
const _: () = assert!(18 * (codec::LIMIT + 256) <= SEGMENT / 4, "a whole leaf may go to a side file");
/// sled's settings of a store, among them the size of its segments.
const SETTINGS: &str = "conf";
/// In bytes. sled takes about 1.6 times as much. What is live is little.
const CACHE: u64 = 8 * 1024 * 1024;

/// Why a folder was not opened. Nothing in it was mended, removed or made anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the folder {} is in use by another slash-heroku{}: stop that one first, or give this one a folder of its own",
        folder.display(), holder.map(|id| format!(" (process {id})")).unwrap_or_default())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The process that has it, where known.
        holder: Option<u32>,
    },
    /// What is there is not what was written.
    #[error("the store in {} is damaged ({detail}). Nothing was mended or removed: move the folder away and restore from a backup with `slash-heroku restore FILE`", folder.display())]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A later version of this program wrote it.
    #[error("the store in {} was written by a newer version (schema {found}, this one knows up to {known}): start that version, or restore an older backup", folder.display())]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// Its schema.
        found: u16,
        /// The latest that is known here.
        known: u16,
    },
    /// A restore did not come to its end.
    #[error("a restore into {} was cut short: empty the folder and restore again", folder.display())]
    HalfRestored {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no store, and none may be made.
    #[error("there is no store in {}", folder.display())]
    NoStore {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder or its files cannot be used.
    #[error("the store in {} cannot be opened: {detail}", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        detail: String,
    },
}

/// How to open.
#[derive(Clone, Debug)]
pub struct Opening {
    /// How changes reach the disk.
    pub sync: Sync,
    /// How long to wait for a holder of the folder that is going away.
    pub patience: Duration,
    /// What to do where there is no store.
    pub fresh: Fresh,
    /// Whether every row of the history is read as well. That takes as long as it takes.
    pub thorough: bool,
    /// The file that remembers removals; `None`: beside the folder.
    pub removals: Option<PathBuf>,
}

/// What to do where there is no store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fresh {
    /// Make one.
    Make,
    /// Make one that is refused until the restore has come to its end.
    MakeForRestore,
    /// Refuse.
    Refuse,
}

impl Default for Opening {
    fn default() -> Self {
        Self { sync: Sync::default(), patience: Duration::from_secs(3), fresh: Fresh::Make, thorough: false, removals: None }
    }
}

/// An open store. Its fields are dropped in order: the lock last.
#[derive(Debug)]
pub struct Opened {
    /// The trees.
    pub desk: Desk,
    /// What makes changes durable.
    pub disk: Disk,
    /// Where requests are accepted.
    pub intake: Intake,
    /// How many of them were not taken up when it was opened.
    pub waiting: u64,
    /// Ends the intake.
    pub writer: intake::Writer,
    _lock: FolderLock,
}

/// What a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Records that are live.
    pub live: u64,
    /// Deployments in the history.
    pub over: u64,
}

/// Whether the folder holds a store that has begun.
pub fn is_begun(folder: &Path) -> bool {
    folder.join(MARK).exists()
}

/// Opens a folder. Panics where sled does, so it belongs into a thread that catches them: see [`explain_panic`].
/// `notice` is told when the intake can go on no more.
pub fn open(folder: &Path, opening: Opening, notice: &Notice) -> Result<Opened, OpenError> {
    let io_error = |error: io::Error| OpenError::Io { folder: folder.to_owned(), detail: error.to_string() };
    let damaged = |detail: &str| OpenError::Damaged { folder: folder.to_owned(), detail: detail.to_owned() };
    if opening.fresh == Fresh::Refuse && !is_begun(folder) {
        return Err(OpenError::NoStore { folder: folder.to_owned() });
    }
    make_folder(folder).map_err(io_error)?;
    let lock = FolderLock::take(folder, opening.patience).map_err(|why| match why {
        NotLocked::Held(holder) => OpenError::InUse { folder: folder.to_owned(), holder },
        NotLocked::Io(error) => io_error(error),
    })?;
    let restoring = opening.fresh == Fresh::MakeForRestore;
    if restoring {
        write_mark(folder, RESTORING).map_err(io_error)?;
    } else if folder.join(RESTORING).exists() {
        return Err(OpenError::HalfRestored { folder: folder.to_owned() });
    }
    let (begun, database) = (is_begun(folder), folder.join(DATABASE));
    if begun && !database.exists() {
        return Err(damaged("the database file is gone"));
    }
    // Threads of a store that was just dropped may hold sled's own lock a little longer than ours.
    if !wait_until_free(&database, opening.patience).map_err(io_error)? {
        return Err(OpenError::InUse { folder: folder.to_owned(), holder: None });
    }
    rewriting::tidy_up(folder).map_err(io_error)?;
    let db = database_in(folder);
    let desk = db.and_then(Desk::new).map_err(|error| explain(folder, &error))?;
    // Read and write: the kernel syncs only through a descriptor that may write on some systems.
    let file = OpenOptions::new().read(true).write(true).open(&database).map_err(io_error)?;
    let disk = Disk::new(file, opening.sync.clone());
    let Begun { desk, intake, writer, waiting } = look::begin(desk, &disk, folder, begun, &opening, notice)?;
    let opened = Opened { desk, disk, intake, waiting, writer, _lock: lock };
    // From here on it changes. That the word of the last closing is gone has to survive before that does.
    look::take_word_back(folder).map_err(io_error)?;
    sync_folder(folder).map_err(io_error)?;
    if !begun {
        if !restoring {
            write_mark(folder, MARK).map_err(io_error)?;
        }
        sync_folder(folder).map_err(io_error)?;
    }
    Ok(opened)
}

/// Opens sled's database in a folder, or makes it there.
pub fn database_in(folder: &Path) -> ::sled::Result<::sled::Db> {
    ::sled::Config::new().path(folder).segment_size(segment_of(folder)).cache_capacity(CACHE).open()
}

/// The size that the segments of a store have, or will have. What cannot be read there sled refuses by itself.
fn segment_of(folder: &Path) -> usize {
    let settings = fs::read(folder.join(SETTINGS)).unwrap_or_default();
    let said = String::from_utf8_lossy(&settings);
    let size = said.lines().find_map(|line| line.strip_prefix("segment_size: "));
    size.and_then(|size| size.trim().parse().ok()).unwrap_or(SEGMENT)
}

impl Opened {
    /// How much it holds, as its head says.
    pub fn counts(&self) -> Checked {
        let Ok(Some(head)) = self.desk.head() else { return Checked::default() };
        let shelves = Shelf::ALL.into_iter().filter(|shelf| !matches!(shelf, Shelf::Leases | Shelf::Index | Shelf::Meta));
        let rows = |shelf: Shelf| head.totals.get(shelf.tree()).map_or(0, |total| total.rows);
        let live = shelves.map(rows).fold(self.waiting, u64::saturating_add);
        Checked { live, over: head.history.map_or(0, |mark| mark.total.rows) }
    }

    /// Leaves word of what there is, for the next opening. Nothing is accepted any more, and nothing may be changed after that.
    pub fn tidy(&mut self, folder: &Path) -> io::Result<()> {
        self.writer.end();
        look::leave_word(&self.desk, folder)
    }

    /// Closes, and says how. Of an intake that has failed on the way nobody knows what lies in it: no word is left then.
    pub fn close(&mut self, folder: &Path, notice: &Notice) -> Gone {
        self.writer.end();
        if let Some(failed) = notice.borrow().clone() {
            return failed;
        }
        if let Err(error) = self.tidy(folder) {
            tracing::warn!(%error, "the store was closed, and could not leave word of it");
        }
        Gone::Closed
    }
}

/// Ends a restore: from now on the store counts.
pub fn restored(folder: &Path) -> io::Result<()> {
    write_mark(folder, MARK)?;
    sync_folder(folder)?;
    fs::remove_file(folder.join(RESTORING))?;
    sync_folder(folder)
}

/// What a panic inside sled means while it opens a folder.
pub fn explain_panic(folder: &Path) -> OpenError {
    OpenError::Damaged { folder: folder.to_owned(), detail: "the database cannot be read".to_owned() }
}

fn explain(folder: &Path, error: &::sled::Error) -> OpenError {
    let folder = folder.to_owned();
    match error {
        // sled tells a held lock only by its words.
        ::sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => OpenError::InUse { folder, holder: None },
        ::sled::Error::Io(error) => OpenError::Io { folder, detail: error.to_string() },
        ::sled::Error::Unsupported(_)
        | ::sled::Error::ReportableBug(_)
        | ::sled::Error::Corruption { .. }
        | ::sled::Error::CollectionNotFound(_) => OpenError::Damaged { folder, detail: error.to_string() },
    }
}

/// Makes the folder and what is missing above it, for its owner only, and makes their names survive a power cut.
fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    missing.into_iter().try_for_each(sync_parent)
}

/// Removes a file, if there is one.
pub fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write_mark(folder: &Path, name: &str) -> io::Result<()> {
    let mut file = File::create(folder.join(name))?;
    writeln!(file, "slash-heroku, schema {}", codec::SCHEMA)?;
    file.sync_all()
}

/// Makes all files of the folder, their names and the folder's own name survive a power cut.
fn sync_folder(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_file() || kind.is_dir() {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()?;
    sync_parent(folder)
}

/// Makes a new name in the folder above survive a power cut.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.canonicalize()?.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_opened_with_the_segments_that_it_was_made_with() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(segment_of(folder.path()), SEGMENT);
        let larger = SEGMENT * 2;
        let db = ::sled::Config::new().path(folder.path()).segment_size(larger).open().unwrap();
        db.insert("a", "b").unwrap();
        drop(db);
        assert!(wait_until_free(&folder.path().join(DATABASE), Duration::from_secs(10)).unwrap());
        assert_eq!(segment_of(folder.path()), larger);
        assert_eq!(database_in(folder.path()).unwrap().get("a").unwrap().as_deref(), Some(b"b".as_slice()));
    }
}
