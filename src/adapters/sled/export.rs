//! Making a backup: the live records are written down between two changes, the history is read while others go on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write as _};
use std::path::Path;

use serde_json::Value;

use crate::adapters::clock::SystemClock;
use crate::domain::deployment::Deployment;
use crate::domain::request::Request;
use crate::ports::Clock as _;

use super::codec;
use super::desk::{Desk, Stop};
use super::history::Snapshot;
use super::records::Record;
use super::transfer::{Entry, TransferError, Written, explain};

/// Why no export was made.
#[derive(Debug)]
pub(super) enum ExportStop {
    /// The store could not be read.
    Store(Stop),
    /// The file could not be written.
    File(io::Error),
}

impl From<Stop> for ExportStop {
    fn from(stop: Stop) -> Self {
        Self::Store(stop)
    }
}

impl From<io::Error> for ExportStop {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl ExportStop {
    /// As the answer to whoever wants a backup.
    pub(super) fn told(self) -> TransferError {
        match self {
            Self::Store(stop) => explain(stop),
            Self::File(error) => TransferError::file("making the backup", &error),
        }
    }
}

/// What the store holds between two changes. The live records are written down; the history stays as it was by itself.
#[derive(Debug)]
pub(super) struct Parts {
    before: File,
    deployments: File,
    behind: File,
    history: Option<Snapshot>,
}

impl Parts {
    /// Writes the live records into nameless files beside the store. Leases end with the instance and are left out.
    pub(super) fn of(desk: &Desk, folder: &Path) -> Result<Self, ExportStop> {
        let head = desk.head()?.unwrap_or_default();
        let mut before = Lines::new(folder)?;
        before.write(&Entry::SlashHerokuBackup { schema: codec::SCHEMA, fence: head.fence, made: Some(SystemClock::default().now()) })?;
        before.requests(desk)?;
        let mut deployments = Lines::new(folder)?;
        deployments.all(desk, Entry::Deployment)?;
        let mut behind = Lines::new(folder)?;
        behind.all(desk, Entry::Line)?;
        behind.all(desk, Entry::Offer)?;
        behind.all(desk, Entry::Account)?;
        behind.all(desk, Entry::SignIn)?;
        behind.all(desk, Entry::Note)?;
        behind.all(desk, Entry::Installation)?;
        behind.all(desk, Entry::Happening)?;
        behind.all(desk, Entry::Locks)?;
        let history = desk.history.snapshot()?;
        Ok(Self { before: before.finish()?, deployments: deployments.finish()?, behind: behind.finish()?, history })
    }

    /// Puts the backup together in a nameless file. Every row of the history is looked at.
    pub(super) fn put_together(self, folder: &Path) -> Result<File, ExportStop> {
        let mut file = Lines::new(folder)?;
        BufReader::new(self.before).split(b'\n').try_for_each(|line| file.line(line?))?;
        let mut live = BufReader::new(self.deployments).split(b'\n').map(|line| -> io::Result<_> {
            let line = line?;
            let entry: Entry<Value, Deployment> = serde_json::from_slice(&line)?;
            let Entry::Deployment(record) = entry else { return Err(io::Error::other("a deployment was expected")) };
            Ok((record.id, line))
        });
        let mut next = live.next().transpose()?;
        if let Some(history) = &self.history {
            history.read_all(|over| -> Result<(), ExportStop> {
                // The same deployment in both places counts as it is in sled.
                let mut twice = false;
                while let Some((id, line)) = next.take_if(|(id, _)| *id <= over.id) {
                    twice = id == over.id;
                    file.line(line)?;
                    next = live.next().transpose()?;
                }
                if !twice {
                    file.write(&Entry::Deployment(over))?;
                }
                Ok(())
            })?;
        }
        while let Some((_, line)) = next.take() {
            file.line(line)?;
            next = live.next().transpose()?;
        }
        BufReader::new(self.behind).split(b'\n').try_for_each(|line| file.line(line?))?;
        // The first line is no record.
        file.write(&Entry::End { records: file.lines.saturating_sub(1), crc32c: file.crc })?;
        Ok(file.finish()?)
    }
}

/// A nameless file of lines.
struct Lines {
    file: BufWriter<File>,
    crc: u32,
    lines: u64,
}

impl Lines {
    fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(tempfile::tempfile_in(folder)?), crc: 0, lines: 0 })
    }

    fn write(&mut self, entry: &Written) -> io::Result<()> {
        self.line(serde_json::to_vec(entry)?)
    }

    fn line(&mut self, mut line: Vec<u8>) -> io::Result<()> {
        line.push(b'\n');
        self.crc = crc32c::crc32c_append(self.crc, &line);
        self.lines = self.lines.saturating_add(1);
        self.file.write_all(&line)
    }

    fn all<T: Record>(&mut self, desk: &Desk, entry: impl Fn(T) -> Written) -> Result<(), ExportStop> {
        desk.all::<T>()?.try_for_each(|record| Ok(self.write(&entry(record?))?))
    }

    /// Those that were taken up, and those that were not, in the order of their keys.
    fn requests(&mut self, desk: &Desk) -> Result<(), ExportStop> {
        let mut waiting = BTreeMap::new();
        if let Some(intake) = &desk.intake {
            let (accepted, _) = intake.after(desk.taken()?, usize::MAX)?;
            for request in accepted {
                if desk.get::<Request>(&request.key())?.is_none() {
                    // The first of those that were delivered twice counts. As it would be taken up.
                    waiting.entry(request.key()).or_insert(request.at_version(1));
                }
            }
        }
        for record in desk.all::<Request>()? {
            let record = record?;
            let behind = waiting.split_off(&record.key());
            std::mem::replace(&mut waiting, behind).into_values().try_for_each(|request| self.write(&Entry::Request(request)))?;
            self.write(&Entry::Request(record))?;
        }
        Ok(waiting.into_values().try_for_each(|request| self.write(&Entry::Request(request)))?)
    }

    fn finish(self) -> io::Result<File> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}
