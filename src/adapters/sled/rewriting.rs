//! Writing sled's file anew. sled only appends, and uses what lies in the way of old rows again when it happens to: what was
//! removed can be read in its file for a long time.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::lock::wait_until_free;
use super::opening::{self, Opened};

/// What the folders begin with in which a file is written.
const NURSERY: &str = "rewritten-";
/// What sled's notes of its own file begin with; it can do without them.
const SNAPSHOT: &str = "snap.";
/// How long the threads of a database that was let go may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

impl Opened {
    /// Copies every row into a new file and goes on with that. A power cut leaves the old file or the new one, which hold the same:
    /// nobody else works on the store meanwhile. After an error the store is not to be used any more.
    pub fn rewrite(&mut self, folder: &Path) -> Result<(), String> {
        let told = |error: io::Error| format!("the database file could not be written anew: {error}");
        // Its name is not used again in this life: the database goes on writing notes there.
        let nursery = tempfile::Builder::new().prefix(NURSERY).tempdir_in(folder).map_err(told)?.keep();
        let (fresh, place) = (nursery.join(opening::DATABASE), folder.join(opening::DATABASE));
        self.desk.move_to(opening::database_in(&nursery)).map_err(|stop| stop.final_word())?;
        let file = OpenOptions::new().read(true).write(true).open(&fresh).map_err(told)?;
        self.desk.db.flush().map_err(|error| error.to_string())?;
        self.disk.sync(&file).map_err(told)?;
        // The threads of the old one could still write their notes.
        if !wait_until_free(&place, PATIENCE).map_err(told)? {
            return Err("the old database file is still in use".to_owned());
        }
        let settled = || {
            remove_snapshots(folder)?;
            File::open(folder)?.sync_all()?;
            fs::rename(&fresh, &place)?;
            File::open(folder)?.sync_all()
        };
        settled().map_err(told)?;
        self.disk.goes_on_with(file);
        if let Some(intake) = &self.desk.intake {
            // So that requests that were taken up go from there as well.
            intake.turn();
        }
        Ok(())
    }
}

fn remove_snapshots(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(SNAPSHOT) {
            opening::remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes what earlier lives have left of this. The folder is locked.
pub fn tidy_up(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(NURSERY) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
