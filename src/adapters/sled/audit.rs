//! What is looked at before a store is used: every checksum, every total, every index row.

use crate::domain::account::Account;
use crate::domain::deployment::Deployment;
use crate::domain::installation::{Happening, Installation};
use crate::domain::line::Line;
use crate::domain::lock::Locks;
use crate::domain::offer::Offer;
use crate::domain::privacy::Noted;
use crate::domain::request::Request;
use crate::domain::sign_in::SignIn;
use crate::ports::StoreError;

use super::codec;
use super::desk::{Desk, Head, Stop, Total};
use super::records::{LeaseRow, Record, Shelf};

fn damaged(what: String) -> Stop {
    Stop::Refused(StoreError::Damaged(what))
}

/// Reads everything that sled holds and compares it with what the head says. Notes which deployments are over.
///
/// sled by itself neither notices a changed value nor that rows are missing.
pub fn audit(desk: &Desk, head: &Head) -> Result<(), Stop> {
    let mut index = Total::default();
    audit_records(desk, head, &mut index, |_: &Request| ())?;
    audit_records(desk, head, &mut index, |record: &Deployment| desk.note_closed([record]))?;
    audit_records(desk, head, &mut index, |_: &Line| ())?;
    audit_records(desk, head, &mut index, |_: &Offer| ())?;
    audit_records(desk, head, &mut index, |_: &Account| ())?;
    audit_records(desk, head, &mut index, |_: &SignIn| ())?;
    audit_records(desk, head, &mut index, |_: &Noted| ())?;
    audit_records(desk, head, &mut index, |_: &Installation| ())?;
    audit_records(desk, head, &mut index, |_: &Happening| ())?;
    audit_records(desk, head, &mut index, |_: &Locks| ())?;
    audit_rows(desk, head, Shelf::Leases, |key, unsealed| {
        codec::read::<LeaseRow>(Shelf::Leases.tree(), unsealed.schema, unsealed.body)?;
        if key.is_empty() { Err(damaged("a lease has no key".to_owned())) } else { Ok(()) }
    })?;
    let found = audit_rows(desk, head, Shelf::Index, |_, _| Ok(()))?;
    if found == index { Ok(()) } else { Err(damaged("the index does not fit the records".to_owned())) }
}

fn audit_records<T: Record>(desk: &Desk, head: &Head, index: &mut Total, seen: impl Fn(&T)) -> Result<(), Stop> {
    audit_rows(desk, head, T::SHELF, |key, unsealed| {
        let record: T = codec::read(T::SHELF.tree(), unsealed.schema, unsealed.body)?;
        if record.key() != key || record.version() == 0 {
            return Err(damaged(format!("a row of `{}` lies under the wrong key or has no version", T::SHELF.tree())));
        }
        for key in record.found_by() {
            let row = codec::seal(Shelf::Index.tree(), &key, b"");
            index.add(codec::unseal(Shelf::Index.tree(), &key, &row)?.checksum);
        }
        seen(&record);
        Ok(())
    })?;
    Ok(())
}

fn audit_rows(
    desk: &Desk,
    head: &Head,
    shelf: Shelf,
    mut each: impl FnMut(&[u8], codec::Unsealed<'_>) -> Result<(), Stop>,
) -> Result<Total, Stop> {
    let mut found = Total::default();
    for row in desk.tree(shelf)?.iter() {
        let (key, row) = row?;
        let unsealed = codec::unseal(shelf.tree(), &key, &row)?;
        found.add(unsealed.checksum);
        each(&key, unsealed)?;
    }
    let expected = head.totals.get(shelf.tree()).copied().unwrap_or_default();
    if found == expected {
        Ok(found)
    } else {
        Err(damaged(format!(
            "`{}` should have {} rows and has {}, or some are older than they should be",
            shelf.tree(),
            expected.rows,
            found.rows
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::sled::desk::Tx;
    use crate::adapters::sled::desk::TxResult;

    /// Totals are kept true by every transaction, so only a fault of ours can make an index that does not fit.
    fn audited_after(change: impl Fn(&Tx<'_>) -> TxResult<()>) -> Result<(), Stop> {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk::new(::sled::Config::new().path(folder.path()).open().unwrap()).unwrap();
        let request: Request = serde_json::from_value(serde_json::json!({
            "id": "d", "version": 0, "ask": { "command": "pipelines" }, "came_with_code": false,
            "origin": { "person": { "workspace": "T", "user": "U" }, "channel": "C", "reply": null },
            "received_at": "2026-11-24T10:00:00Z", "answered": false,
        }))
        .unwrap();
        desk.transact(|tx| tx.save(&request)).unwrap();
        desk.transact(change).unwrap();
        let head = desk.head().unwrap().unwrap();
        audit(&desk, &head)
    }

    #[test]
    fn an_index_that_does_not_fit_its_records_is_seen() {
        assert!(audited_after(|_| Ok(())).is_ok());
        assert!(audited_after(|tx| tx.put(Shelf::Index, b"u-nobody", &())).is_err(), "it names a request that is not there");
        let lost = audited_after(|tx| {
            let request: Option<Request> = tx.get(Shelf::Requests, b"d")?;
            request.unwrap().found_by().iter().try_for_each(|key| tx.remove(Shelf::Index, key))
        });
        assert!(lost.is_err(), "it does not name one that is there");
    }
}
