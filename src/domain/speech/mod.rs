//! Every sentence that we say.

mod answers;
mod card;
mod help;
mod lists;
mod misunderstood;
mod reasons;
mod refusals;
mod words;

pub use answers::*;
pub use card::*;
pub use help::*;
pub use lists::*;
pub use misunderstood::*;
pub use refusals::*;
