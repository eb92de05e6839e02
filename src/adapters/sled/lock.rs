//! One process at a time in a folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// The file whose lock means the folder, and in which its holder stands.
pub const LOCK: &str = "lock";

/// Holds a folder until it is dropped.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "held for its lock")] File);

/// Why a folder could not be had.
#[derive(Debug)]
pub enum NotLocked {
    /// Somebody else has it; their process id, if it can be read.
    Held(Option<u32>),
    /// The lock file could not be used.
    Io(io::Error),
}

impl From<io::Error> for NotLocked {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl FolderLock {
    /// Takes the folder. Waits a while for a holder that is going away: after a kill the kernel takes its time.
    pub fn take(folder: &Path, patience: Duration) -> Result<Self, NotLocked> {
        let path = folder.join(LOCK);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        let Some(mut file) = lock_within(file, patience)? else {
            return Err(NotLocked::Held(holder(&path)));
        };
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self(file))
    }
}

/// Whether somebody has the folder now; their process id, if it can be read.
pub fn is_held(folder: &Path) -> Result<Option<Option<u32>>, io::Error> {
    let path = folder.join(LOCK);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(holder(&path))),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Waits until nobody holds a lock on a file; false: somebody still does.
pub fn wait_until_free(path: &Path, patience: Duration) -> io::Result<bool> {
    match File::open(path) {
        Ok(file) => Ok(lock_within(file, patience)?.is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn holder(path: &Path) -> Option<u32> {
    let mut text = String::new();
    File::open(path).ok()?.take(20).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn lock_within(file: File, patience: Duration) -> io::Result<Option<File>> {
    match file.try_lock() {
        Ok(()) => return Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // The kernel wakes the one who waits; there is no lock with a deadline. A thread that waits in vain ends when the lock
    // comes after all, or with the process.
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new().name("store-lock".to_owned()).spawn(move || {
        let locked = file.lock().map(|()| file);
        // If nobody waits any more, the file is dropped here, and its lock with it.
        drop(sender.send(locked));
    })?;
    match receiver.recv_timeout(patience) {
        Ok(locked) => locked.map(Some),
        Err(mpsc::RecvTimeoutError::Timeout | mpsc::RecvTimeoutError::Disconnected) => Ok(None),
    }
}
