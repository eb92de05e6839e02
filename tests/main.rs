//! All integration tests, as one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on shall stop at once"
)]

mod accounts;
mod architecture;
mod browser;
mod contracts;
mod cost;
mod crash;
mod crowd;
mod durability;
mod endurance;
mod faults;
mod following;
mod installs;
mod limits;
mod privacy;
mod processes;
mod races;
mod readme;
mod scenarios;
mod secrets;
mod supply;
mod support;
