//! What holds for any bytes that lie where a row should.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::account::Account;
use crate::domain::deployment::Deployment;
use crate::domain::installation::{Happening, Installation};
use crate::domain::line::Line;
use crate::domain::lock::Locks;
use crate::domain::offer::Offer;
use crate::domain::request::Request;
use crate::domain::sign_in::SignIn;
use crate::ports::StoreError;

use super::codec;
use super::records::{LeaseRow, Record, deployment_found_by, request_found_by};

/// Panics if something does not hold for a row of the kind of this number.
pub fn held(kind: u8, row: &[u8]) {
    assert!(codec::unseal("requests", b"key", row).is_err() || row.len() >= 6, "too short for a row");
    let found = (deployment_found_by(row), request_found_by(row));
    assert!(found.0.is_none_or(|key| key.len() == 16) && found.1.is_none_or(|key| key.len() < row.len()));
    match kind % 10 {
        0 => record::<Request>(row),
        1 => record::<Deployment>(row),
        2 => record::<Line>(row),
        3 => record::<Offer>(row),
        4 => record::<Account>(row),
        5 => record::<SignIn>(row),
        6 => record::<Installation>(row),
        7 => record::<Happening>(row),
        8 => record::<Locks>(row),
        _ => drop(there_and_back::<LeaseRow>(row)),
    }
}

fn record<T: Record + Debug>(row: &[u8]) {
    let Some(record) = there_and_back::<T>(row) else { return };
    assert!(!record.label().is_empty());
    assert_eq!(record.at_version(record.version()).key(), record.key());
    drop(record.found_by());
}

/// What can be read is written as something that reads the same, under a checksum that sees a change.
fn there_and_back<T: Serialize + DeserializeOwned>(body: &[u8]) -> Option<T> {
    for schema in [0, codec::SCHEMA + 1] {
        assert!(matches!(codec::read::<T>("rows", schema, body), Err(StoreError::Damaged(_))));
    }
    let record: T = codec::read("rows", codec::SCHEMA, body).ok()?;
    let written = codec::write("rows", &record).unwrap_or_else(|error| std::panic::panic_any(error.to_string()));
    let mut row = codec::seal("rows", b"key", &written);
    let again: T = codec::open("rows", b"key", &row).unwrap_or_else(|error| std::panic::panic_any(error.to_string()));
    assert_eq!(codec::write("rows", &again).ok().as_ref(), Some(&written), "a row reads as it was written");
    let middle = row.len() / 2;
    row.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 1);
    assert!(codec::unseal("rows", b"key", &row).is_err(), "a changed row is seen");
    Some(record)
}
