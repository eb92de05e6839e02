//! Leases: the right to do a piece of work, and the number that shows which one is newest.

use jiff::Timestamp;

use crate::ports::{Lease, StoreError, Work};

use super::desk::{Tx, TxResult, refuse};
use super::records::{LeaseRow, Shelf, lease_key};

impl LeaseRow {
    /// Whether it still counts. Leases up to `fences_before` are those of an instance that is gone.
    fn holds(&self, fences_before: u64, now: Timestamp) -> bool {
        self.fence > fences_before && !self.released && now < self.until
    }
}

/// Claims work; `None`: somebody else has it.
pub fn claim(tx: &Tx<'_>, fences_before: u64, work: &Work, now: Timestamp, until: Timestamp) -> TxResult<Option<Lease>> {
    let key = lease_key(work);
    if tx.get::<LeaseRow>(Shelf::Leases, &key)?.is_some_and(|row| row.holds(fences_before, now)) {
        return Ok(None);
    }
    let fence = tx.next_fence();
    tx.put(Shelf::Leases, &key, &LeaseRow { fence, until, released: false })?;
    Ok(Some(Lease { work: work.clone(), fence, until }))
}

/// Lengthens a lease; `None`: it is lost.
pub fn renew(tx: &Tx<'_>, fences_before: u64, lease: &Lease, now: Timestamp, until: Timestamp) -> TxResult<Option<Lease>> {
    if ours(tx, fences_before, lease, now)?.is_none() {
        return Ok(None);
    }
    tx.put(Shelf::Leases, &lease_key(&lease.work), &LeaseRow { fence: lease.fence, until, released: false })?;
    Ok(Some(Lease { until, ..lease.clone() }))
}

/// Gives work back. Does nothing to a lease that is lost.
pub fn release(tx: &Tx<'_>, lease: &Lease) -> TxResult<()> {
    let key = lease_key(&lease.work);
    match tx.get::<LeaseRow>(Shelf::Leases, &key)? {
        Some(row) if row.fence == lease.fence && !row.released => tx.put(Shelf::Leases, &key, &LeaseRow { released: true, ..row }),
        Some(_) | None => Ok(()),
    }
}

/// Refuses unless the lease is the newest of its work and has not ended.
pub fn check(tx: &Tx<'_>, fences_before: u64, lease: &Lease, now: Option<Timestamp>) -> TxResult<()> {
    // Without a time only the fence is judged.
    match ours(tx, fences_before, lease, now.unwrap_or(Timestamp::MIN))? {
        Some(_) => Ok(()),
        None => refuse(StoreError::LeaseLost),
    }
}

/// Whether somebody may still save under the lease of a piece of work.
pub fn may_be_held(tx: &Tx<'_>, fences_before: u64, work: &Work) -> TxResult<bool> {
    let row = tx.get::<LeaseRow>(Shelf::Leases, &lease_key(work))?;
    Ok(row.is_some_and(|row| !row.released && row.fence > fences_before))
}

fn ours(tx: &Tx<'_>, fences_before: u64, lease: &Lease, now: Timestamp) -> TxResult<Option<LeaseRow>> {
    let row = tx.get::<LeaseRow>(Shelf::Leases, &lease_key(&lease.work))?;
    Ok(row.filter(|row| row.fence == lease.fence && row.holds(fences_before, now)))
}
