//! HTTP as the adapters use it: one configured client, checked base addresses, bounded bodies.

pub mod base_url;
pub mod client;
