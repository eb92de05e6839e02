//! HTTP as the adapters use it: one configured client, checked base addresses, bounded bodies, one listener.

pub mod base_url;
pub mod client;
pub mod server;
