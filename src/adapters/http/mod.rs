//! HTTP as the adapters use it: one configured client, checked base addresses, bounded bodies, one listener.

pub mod base_url;
pub mod call;
pub mod client;
pub mod reads;
pub mod remembered;
pub mod retry;
pub mod scrub;
pub mod server;
pub mod shelf;
pub mod spool;
#[cfg(test)]
pub mod testing;
