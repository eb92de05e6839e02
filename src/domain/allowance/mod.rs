//! What services allow: how much is left, what is kept back for what has begun, and who has to wait for it.

mod ledger;
mod meters;

pub use ledger::{Holder, Holders, Ledger, Limits, Purpose, Refill, Short, Writes};
pub use meters::{Bucket, Window};
