//! Changing the history after all: what is too old goes, people are removed, and the file is written anew so that nothing of
//! them is left in it.

use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use redb::ReadableTable as _;

use crate::adapters::sled::codec;
use crate::adapters::sled::desk::Stop;
use crate::adapters::sled::records::{Record as _, Shelf};
use crate::domain::deployment::Deployment;

use super::{History, INDEX, MARKS, META, Mark, Marks, RECORDS, find, found_by, read_marks, told, write_marks};

/// How many rows are looked at in one go. Whoever moves rows here waits that long.
const TOGETHER: usize = 2_000;

/// What is to become of a row.
#[derive(Debug)]
pub enum Fate {
    /// It stays.
    Stay,
    /// It goes.
    Go,
    /// This takes its place.
    Become(Box<Deployment>),
    /// It stays, and so does everything behind it.
    End,
}

/// Says what is to become of each row.
#[derive(Clone)]
pub struct Judge(Arc<dyn Fn(&Deployment) -> Fate + Send + Sync>);

impl Judge {
    /// By a function.
    pub fn by(judge: impl Fn(&Deployment) -> Fate + Send + Sync + 'static) -> Self {
        Self(Arc::new(judge))
    }

    /// Asks it.
    pub fn of(&self, deployment: &Deployment) -> Fate {
        (self.0)(deployment)
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}

/// What one go has done.
#[derive(Debug, Default)]
pub struct Swept {
    /// How many rows were changed or have gone.
    pub changed: u64,
    /// Behind which key to go on; `None`: that was the end.
    pub next: Option<Vec<u8>>,
}

impl History {
    /// Looks at rows behind a key and does with each what the judge says. On disk when this returns, with the new mark, if anything
    /// was changed.
    pub fn sweep(&self, behind: &[u8], judge: &Judge) -> Result<(Swept, Option<Mark>), Stop> {
        let mut swept = Swept::default();
        let Some(snapshot) = self.snapshot()? else { return Ok((swept, None)) };
        let mut changes = Vec::new();
        let mut seen = 0_usize;
        for row in snapshot.records.range::<&[u8]>((Bound::Excluded(behind), Bound::Unbounded)).map_err(told)? {
            let (key, row) = row.map_err(told)?;
            let record: Deployment = codec::open(Shelf::Deployments.tree(), key.value(), row.value())?;
            seen = seen.saturating_add(1);
            match judge.of(&record) {
                Fate::Stay => {}
                Fate::Go => changes.push((record, None)),
                Fate::Become(next) => changes.push((record, Some(next))),
                Fate::End => break,
            }
            if seen == TOGETHER {
                swept.next = Some(key.value().to_vec());
                break;
            }
        }
        drop(snapshot);
        if changes.is_empty() {
            return Ok((swept, None));
        }
        swept.changed = u64::try_from(changes.len()).unwrap_or(u64::MAX);
        Ok((swept, Some(self.change(&changes)?)))
    }

    fn change(&self, changes: &[(Deployment, Option<Box<Deployment>>)]) -> Result<Mark, Stop> {
        let tree = Shelf::Deployments.tree();
        let mut transaction = self.database()?.begin_write().map_err(told)?;
        transaction.set_quick_repair(true);
        let now = {
            let mut table = transaction.open_table(RECORDS).map_err(told)?;
            let mut index = transaction.open_table(INDEX).map_err(told)?;
            let mut meta = transaction.open_table(META).map_err(told)?;
            let Marks { now: before, .. } = read_marks(meta.get(MARKS).map_err(told)?.as_ref().map(redb::AccessGuard::value))?;
            let mut total = before.total;
            for (old, next) in changes {
                let key = old.key();
                if let Some(row) = table.remove(key.as_slice()).map_err(told)? {
                    total.take(codec::unseal(tree, &key, row.value())?.checksum);
                }
                found_by(old).iter().try_for_each(|key| index.remove(key.as_slice()).map(drop)).map_err(told)?;
                let Some(next) = next else { continue };
                let row = codec::seal(tree, &key, &codec::write(tree, next.as_ref())?);
                total.add(codec::unseal(tree, &key, &row)?.checksum);
                table.insert(key.as_slice(), row.as_slice()).map_err(told)?;
                found_by(next).iter().try_for_each(|key| find(&mut index, key))?;
            }
            let now = Mark { commits: before.commits.saturating_add(1), total };
            write_marks(&mut meta, Marks { now, before })?;
            now
        };
        transaction.commit().map_err(told)?;
        Ok(now)
    }

    /// Writes the file anew: nothing that was changed or has gone is in it any more. Takes as long as it takes; a power cut leaves
    /// the old file or the new one, and both hold the same.
    pub fn rewrite(&self) -> Result<(), Stop> {
        let Some(snapshot) = self.snapshot()? else { return Ok(()) };
        let fresh = self.put_in_place(|database| {
            let mut rows = snapshot.records.iter().map_err(told)?;
            let mut more = true;
            while more {
                let transaction = database.begin_write().map_err(told)?;
                {
                    let mut table = transaction.open_table(RECORDS).map_err(told)?;
                    let mut index = transaction.open_table(INDEX).map_err(told)?;
                    more = false;
                    for row in rows.by_ref().take(TOGETHER) {
                        let (key, row) = row.map_err(told)?;
                        let record: Deployment = codec::open(Shelf::Deployments.tree(), key.value(), row.value())?;
                        table.insert(key.value(), row.value()).map_err(told)?;
                        found_by(&record).iter().try_for_each(|key| find(&mut index, key))?;
                        more = true;
                    }
                    write_marks(&mut transaction.open_table(META).map_err(told)?, snapshot.marks)?;
                }
                transaction.commit().map_err(told)?;
            }
            Ok(())
        })?;
        self.goes_on_with(fresh);
        Ok(())
    }
}
