//! All integration tests, as one binary.

mod contracts;
mod durability;
mod support;
