//! Folders for tests.

use std::path::Path;

use tempfile::TempDir;

/// A folder in memory where the machine has such a place, else wherever temporary files go.
pub fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

/// A folder on a disk: below the build's own folder.
pub fn on_disk() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}
