//! How a row lies on disk: schema version, checksum bound to tree and key, JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ports::StoreError;

/// The schema version of the rows that this version writes. Rows of all earlier versions are read.
pub const SCHEMA: u16 = 1;

/// The most that a row may have, key and JSON together, in bytes.
///
/// sled puts a log message larger than a quarter of a segment into a side file that it never syncs, and a message may be a
/// whole leaf of 17 rows. Eighteen such rows fit into a quarter of the smallest segments that there are, which are of 4 MiB.
pub const LIMIT: usize = 56 * 1024;

/// What the JSON of most rows fits in, in bytes: it is not moved while it is written.
const USUAL: usize = 1024;

/// Schema version (2 bytes), checksum (4 bytes), both big-endian, before the JSON.
const HEADER: usize = 6;

fn checksum(tree: &str, key: &[u8], schema: u16, body: &[u8]) -> u32 {
    let length = u64::try_from(key.len()).unwrap_or(u64::MAX).to_be_bytes();
    let parts: [&[u8]; 6] = [tree.as_bytes(), &[0], &length, key, &schema.to_be_bytes(), body];
    parts.iter().fold(0, |sum, part| crc32c::crc32c_append(sum, part))
}

/// A row of the present schema.
pub fn seal(tree: &str, key: &[u8], body: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(HEADER.saturating_add(body.len()));
    row.extend_from_slice(&SCHEMA.to_be_bytes());
    row.extend_from_slice(&checksum(tree, key, SCHEMA, body).to_be_bytes());
    row.extend_from_slice(body);
    row
}

/// The checksum that a row carries, right or not.
pub fn checksum_in(row: &[u8]) -> Option<u32> {
    let [_, _, a, b, c, d] = row.first_chunk::<HEADER>()?;
    Some(u32::from_be_bytes([*a, *b, *c, *d]))
}

/// A row, taken apart after its checksum was found right.
#[derive(Clone, Copy, Debug)]
pub struct Unsealed<'a> {
    /// The schema it was written by.
    pub schema: u16,
    /// Its checksum.
    pub checksum: u32,
    /// Its JSON.
    pub body: &'a [u8],
}

/// Takes a row apart.
pub fn unseal<'a>(tree: &str, key: &[u8], row: &'a [u8]) -> Result<Unsealed<'a>, StoreError> {
    let damaged = || StoreError::Damaged(format!("a row of `{tree}` is not what was written"));
    let ([a, b, c, d, e, f], body) = row.split_first_chunk::<HEADER>().ok_or_else(damaged)?;
    let (schema, stored) = (u16::from_be_bytes([*a, *b]), u32::from_be_bytes([*c, *d, *e, *f]));
    if checksum(tree, key, schema, body) == stored { Ok(Unsealed { schema, checksum: stored, body }) } else { Err(damaged()) }
}

/// Reads the JSON of a row that was written by any schema up to the present one.
pub fn read<T: DeserializeOwned>(tree: &str, schema: u16, body: &[u8]) -> Result<T, StoreError> {
    match schema {
        // Version 1 is the present one. A later version that changes a shape in a way serde cannot bridge by defaults lifts
        // the JSON of version 1 here, before it is read.
        1 => serde_json::from_slice(body).map_err(|error| StoreError::Damaged(format!("a row of `{tree}` cannot be read: {error}"))),
        0 => Err(StoreError::Damaged(format!("a row of `{tree}` has no schema version"))),
        newer => Err(StoreError::Damaged(format!("a row of `{tree}` was written by a newer version (schema {newer})"))),
    }
}

/// Takes a row apart and reads it.
pub fn open<T: DeserializeOwned>(tree: &str, key: &[u8], row: &[u8]) -> Result<T, StoreError> {
    let unsealed = unseal(tree, key, row)?;
    read(tree, unsealed.schema, unsealed.body)
}

/// The JSON of a row.
pub fn write<T: Serialize>(tree: &str, record: &T) -> Result<Vec<u8>, StoreError> {
    let mut body = Vec::with_capacity(USUAL);
    let written = serde_json::to_writer(&mut body, record);
    written.map_err(|error| StoreError::Damaged(format!("a row of `{tree}` cannot be written: {error}")))?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_row_belongs_to_its_tree_and_key() {
        let row = seal("lines", b"app", b"{}");
        assert_eq!(unseal("lines", b"app", &row).unwrap().body, b"{}");
        assert!(unseal("lines", b"apq", &row).is_err());
        assert!(unseal("offers", b"app", &row).is_err());
        assert!(unseal("line", b"sapp", &row).is_err());
        assert!(unseal("lines", b"app", b"").is_err());
    }

    #[test]
    fn a_newer_row_is_not_guessed_at() {
        assert!(read::<u8>("lines", 1, b"7").is_ok());
        assert!(matches!(read::<u8>("lines", SCHEMA + 1, b"7"), Err(StoreError::Damaged(said)) if said.contains("newer")));
        assert!(read::<u8>("lines", 0, b"7").is_err());
    }

    proptest! {
        #[test]
        fn every_flipped_bit_is_seen(body in prop::collection::vec(any::<u8>(), 0..64), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut row = seal("deployments", b"key", &body);
            let at = at.index(row.len());
            row[at] ^= 1 << bit;
            prop_assert!(unseal("deployments", b"key", &row).is_err());
        }
    }
}
