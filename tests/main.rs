//! All integration tests, as one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test says by its panic what went wrong; clippy sees only functions marked as tests, not their helpers"
)]

mod contracts;
mod durability;
mod support;
