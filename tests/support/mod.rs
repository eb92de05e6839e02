//! What several tests need.

pub mod folders;
pub mod questions;
pub mod records;
pub mod service;
