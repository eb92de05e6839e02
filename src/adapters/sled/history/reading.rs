//! Reading the history: as it was at one moment, whatever is written meanwhile.

use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use redb::{Database, ReadOnlyTable, ReadableTable as _, ReadableTableMetadata as _};

use crate::adapters::sled::codec::{self, Unsealed};
use crate::adapters::sled::desk::{Stop, Total};
use crate::adapters::sled::records::{self, Record as _, Shelf};
use crate::domain::deployment::Deployment;

use super::{FOUND_BY, Marks, damaged, found_by, told};

/// The history at one moment.
pub struct Snapshot {
    pub(super) records: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(super) index: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(super) marks: Marks,
    /// The file may be replaced meanwhile; this one is read to its end.
    pub(super) _database: Arc<Database>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("marks", &self.marks).finish_non_exhaustive()
    }
}

fn checked<'a>(key: &[u8], row: &'a [u8]) -> Result<(Deployment, Unsealed<'a>), Stop> {
    let unsealed = codec::unseal(Shelf::Deployments.tree(), key, row)?;
    let record: Deployment = codec::read(Shelf::Deployments.tree(), unsealed.schema, unsealed.body)?;
    if record.key() == key && record.version() > 0 { Ok((record, unsealed)) } else { Err(damaged("a row lies under the wrong key")) }
}

impl Snapshot {
    /// The newest records that a prefix of the index finds, newest first, from before the index row `until`, without those whose key is
    /// to be left out.
    pub fn newest(
        &self,
        prefix: &[u8],
        until: &[u8],
        limit: usize,
        left_out: impl Fn(&[u8]) -> Result<bool, Stop>,
    ) -> Result<Vec<Deployment>, Stop> {
        let mut found = Vec::new();
        for row in self.index.range(prefix..until).map_err(told)?.rev() {
            if found.len() >= limit {
                break;
            }
            let (index_key, sealed) = row.map_err(told)?;
            codec::unseal(Shelf::Index.tree(), index_key.value(), sealed.value())?;
            let key = records::deployment_found_by(index_key.value()).ok_or_else(|| damaged("an index row names nothing"))?;
            if !left_out(key)? {
                found.push(self.must(key)?);
            }
        }
        Ok(found)
    }

    fn must(&self, key: &[u8]) -> Result<Deployment, Stop> {
        let row = self.records.get(key).map_err(told)?.ok_or_else(|| damaged("its index names a row that is not there"))?;
        Ok(checked(key, row.value())?.0)
    }

    /// The oldest records behind a key, oldest first.
    pub fn oldest(&self, behind: &[u8], limit: usize) -> Result<Vec<Deployment>, Stop> {
        let rows = self.records.range::<&[u8]>((Bound::Excluded(behind), Bound::Unbounded)).map_err(told)?;
        rows.take(limit)
            .map(|row| {
                let (key, row) = row.map_err(told)?;
                Ok(checked(key.value(), row.value())?.0)
            })
            .collect()
    }

    /// Gives every record to `each`, oldest first, then compares them with the mark.
    pub fn read_all<E: From<Stop>>(&self, mut each: impl FnMut(Deployment) -> Result<(), E>) -> Result<(), E> {
        let mut found = Total::default();
        for row in self.records.iter().map_err(told)? {
            let (key, row) = row.map_err(told)?;
            let (record, unsealed) = checked(key.value(), row.value())?;
            found.add(unsealed.checksum);
            each(record)?;
        }
        if found == self.marks.now.total { Ok(()) } else { Err(damaged("rows are missing, or older than they should be").into()) }
    }

    /// Compares the numbers of rows with the mark; reads none of them.
    pub fn look_at_counts(&self) -> Result<(), Stop> {
        let rows = self.marks.now.total.rows;
        let counts = (self.records.len().map_err(told)?, self.index.len().map_err(told)?);
        if counts == (rows, rows.saturating_mul(FOUND_BY)) { Ok(()) } else { Err(damaged("rows are missing")) }
    }

    /// Looks at the newest rows and at what finds them.
    pub fn look_at_end(&self, rows: usize) -> Result<(), Stop> {
        for row in self.records.iter().map_err(told)?.rev().take(rows) {
            let (key, row) = row.map_err(told)?;
            self.is_found(&checked(key.value(), row.value())?.0)?;
        }
        Ok(())
    }

    /// Looks at every row and at what finds it.
    pub fn look_at_everything(&self) -> Result<(), Stop> {
        self.read_all(|record| self.is_found(&record))
    }

    fn is_found(&self, record: &Deployment) -> Result<(), Stop> {
        for key in found_by(record) {
            let row = self.index.get(key.as_slice()).map_err(told)?.ok_or_else(|| damaged("its index does not name a row"))?;
            codec::unseal(Shelf::Index.tree(), &key, row.value())?;
        }
        Ok(())
    }
}
