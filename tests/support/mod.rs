//! What several tests need.

pub mod folders;
pub mod records;
