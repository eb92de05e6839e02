//! Opening the intake: what lies behind the place up to which requests were taken up is looked at whole.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use crate::domain::request::Request;
use crate::ports::StoreError;

use super::super::codec;
use super::super::desk::Stop;
use super::super::records::Shelf;
use super::super::writer::{Notice, Sync};
use super::writer::{Appending, begin_file};
use super::{End, Intake, NAME, Place, Reader, Writer, frame, path};

/// An open intake.
pub struct Opened {
    /// Reads.
    pub reader: Reader,
    /// Ends it.
    pub writer: Writer,
    /// Puts.
    pub intake: Intake,
    /// How many requests wait to be taken up, repeated ones counted again.
    pub waiting: u64,
}

fn broken(error: &io::Error) -> Stop {
    Stop::Broken(format!("the accepted requests cannot be opened: {error}"))
}

fn damaged(what: String) -> Stop {
    Stop::Refused(StoreError::Damaged(what))
}

/// Opens the intake of a folder, of which everything before `taken` was taken up. What a power cut left of the last batch was
/// never acknowledged, and is cut off; anything else that cannot be read is damage.
pub fn open(folder: &Path, taken: Place, sync: Sync, notice: Notice) -> Result<Opened, Stop> {
    let numbers = numbers(folder).map_err(|error| broken(&error))?;
    let (file, end, waiting) = match numbers.last() {
        Some(last) => look_at_all(folder, taken, *last)?,
        None if taken == Place::FIRST => (begin_file(folder, taken.file).map_err(|error| broken(&error))?, taken, 0),
        None => return Err(damaged("the accepted requests are gone".to_owned())),
    };
    if end < taken {
        return Err(damaged("accepted requests are missing".to_owned()));
    }
    let first = numbers.first().copied().unwrap_or(taken.file).min(taken.file);
    let shared = End::at(end);
    let appending = Appending { folder: folder.to_owned(), file, place: end, sync, end: shared.clone() };
    let (intake, writer) = appending.start(notice).map_err(|error| broken(&error))?;
    let reader = Reader::new(folder.to_owned(), intake.clone(), shared, first);
    Ok(Opened { reader, writer, intake, waiting })
}

/// Looks at every request behind `taken`. Returns the last file, where it ends, and how many there are.
fn look_at_all(folder: &Path, taken: Place, last: u64) -> Result<(File, Place, u64), Stop> {
    let (mut waiting, mut end) = (0_u64, Place { file: last, at: 0 });
    for number in taken.file..=last {
        let begin = if number == taken.file { taken.at } else { 0 };
        let bytes = fs::read(path(folder, number)).map_err(|error| {
            let gone = error.kind() == io::ErrorKind::NotFound;
            if gone { damaged(format!("the accepted requests `{NAME}{number}` are gone")) } else { broken(&error) }
        })?;
        let (whole, at) = look(&bytes, number, begin)?;
        if at < len(&bytes) && number != last {
            return Err(damaged(format!("an accepted request in `{NAME}{number}` is not what was written")));
        }
        (waiting, end.at) = (waiting.saturating_add(whole), at);
    }
    let open = || {
        let file = OpenOptions::new().read(true).append(true).open(path(folder, last))?;
        // The rest was never acknowledged. What stays was perhaps never synced, and will be answered.
        file.set_len(end.at)?;
        file.sync_all()?;
        Ok(file)
    };
    Ok((open().map_err(|error| broken(&error))?, end, waiting))
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// How many requests lie in a file from a byte on, and where the last of them ends.
fn look(bytes: &[u8], number: u64, begin: u64) -> Result<(u64, u64), Stop> {
    let (mut whole, mut at) = (0_u64, begin);
    let behind = |at: u64| usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
    if begin > len(bytes) {
        return Err(damaged(format!("accepted requests in `{NAME}{number}` are missing")));
    }
    while let Some(frame) = frame::read(behind(at), number, at) {
        codec::read::<Request>(Shelf::Requests.tree(), codec::SCHEMA, frame.body)?;
        whole = whole.saturating_add(1);
        at = frame.end;
    }
    if frame::was_whole(behind(at), number, at) {
        return Err(damaged(format!("an accepted request in `{NAME}{number}` is not what was written")));
    }
    Ok((whole, at))
}

fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.strip_prefix(NAME)).and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}
