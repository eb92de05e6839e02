//! Reading what was accepted, from the place up to which it was taken up.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use crate::domain::request::Request;
use crate::ports::StoreError;

use super::super::codec;
use super::super::desk::Stop;
use super::super::opening::remove_if_there;
use super::super::records::Shelf;
use super::{End, Intake, Place, frame, path};

/// How much is read in one go, in bytes.
const TOGETHER: usize = 128 * 1024;
const _: () = assert!(TOGETHER > frame::LIMIT + frame::HEADER, "a frame has to fit");

/// What reads the intake, in the hands of the store's thread.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    intake: Intake,
    end: End,
    /// The file that was read last, by its number.
    open: RefCell<Option<(u64, File)>>,
    /// The first file that is still there.
    first: Cell<u64>,
}

fn broken(error: &io::Error) -> Stop {
    Stop::Broken(format!("accepted requests could not be read: {error}"))
}

impl Reader {
    pub(super) fn new(folder: PathBuf, intake: Intake, end: End, first: u64) -> Self {
        Self { folder, intake, end, open: RefCell::default(), first: Cell::new(first) }
    }

    /// Up to where requests lie on disk.
    pub fn end(&self) -> Place {
        self.end.get()
    }

    /// The requests behind a place, oldest first, at most so many, and the place behind those.
    pub fn after(&self, from: Place, limit: usize) -> Result<(Vec<Request>, Place), Stop> {
        let (mut found, mut place, end) = (Vec::new(), from, self.end());
        while found.len() < limit && place < end {
            let (bytes, before) = (self.read(place, end)?, place);
            let mut rest = bytes.as_slice();
            while let Some(frame) = frame::read(rest, place.file, place.at).filter(|_| found.len() < limit) {
                found.push(codec::read(Shelf::Requests.tree(), codec::SCHEMA, frame.body)?);
                rest = rest.get(frame::HEADER.saturating_add(frame.body.len())..).unwrap_or_default();
                place.at = frame.end;
            }
            if place == before {
                // At the end of a file that is followed by another. Anything that lies there was a request.
                if !bytes.is_empty() || place.file == end.file {
                    return Err(StoreError::Damaged("an accepted request is not what was written".to_owned()).into());
                }
                place = place.next_file();
            }
        }
        Ok((found, place))
    }

    fn read(&self, from: Place, end: Place) -> Result<Vec<u8>, Stop> {
        let mut open = self.open.borrow_mut();
        if open.as_ref().is_none_or(|(number, _)| *number != from.file) {
            *open = Some((from.file, File::open(path(&self.folder, from.file)).map_err(|error| broken(&error))?));
        }
        let Some((_, file)) = open.as_ref() else { return Ok(Vec::new()) };
        let most = if from.file == end.file { end.at.saturating_sub(from.at) } else { u64::MAX };
        let mut bytes = vec![0; usize::try_from(most).unwrap_or(TOGETHER).min(TOGETHER)];
        let mut read = 0;
        while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, from.at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX))) {
                Ok(0) => break,
                Ok(more) => read = read.saturating_add(more),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(&error)),
            }
        }
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Removes the files before a place that lies on disk in the head.
    pub fn remove_before(&self, place: Place) {
        while self.first.get() < place.file {
            if let Err(error) = remove_if_there(&path(&self.folder, self.first.get())) {
                tracing::warn!(%error, "requests that were taken up could not be removed; the next start tries again");
            }
            self.first.set(self.first.get().saturating_add(1));
        }
    }

    /// Has the next file begun, so that this one goes when everything in it was taken up.
    pub fn turn(&self) {
        self.intake.turn();
    }

    /// Has the next file begun where everything up to `taken` is all that there is: then nothing of it stays.
    pub fn turn_if_taken(&self, taken: Place) {
        if taken == self.end() && taken.at > 0 {
            self.intake.turn();
        }
    }
}
