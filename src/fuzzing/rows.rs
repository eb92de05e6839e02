//! A row of the store: read whole or refused, and what was read is written as it was.

use crate::adapters::sled::held;

pub(super) fn holds(bytes: &[u8]) {
    let (kind, row) = super::first(bytes);
    held(kind, row);
}
