//! Every sentence that we say.

mod answers;
mod card;
mod help;
mod lists;
mod misunderstood;
mod reasons;
mod refusals;
mod time_words;
mod words;

pub use answers::*;
pub use card::{CardView, Pages, announcement_description, card, ended, needs_code, report_description};
pub use help::*;
pub use lists::*;
pub use misunderstood::*;
pub use refusals::*;
