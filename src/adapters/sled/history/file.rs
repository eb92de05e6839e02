//! The file of the history, as its database sees it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use redb::StorageBackend;

use crate::adapters::sled::writer::Sync;

/// A file whose syncs go through the store's own seam. It takes no lock: the folder's lock covers all files in it.
#[derive(Debug)]
pub struct SyncedFile {
    file: File,
    sync: Sync,
}

impl SyncedFile {
    /// For an open file.
    pub fn new(file: File, sync: Sync) -> Self {
        Self { file, sync }
    }
}

impl StorageBackend for SyncedFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync.sync(&self.file)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }
}
