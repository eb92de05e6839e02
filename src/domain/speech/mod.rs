//! Every sentence that we say.

mod card;
mod help;
mod misunderstood;
mod reasons;
mod report;
mod stages;
pub mod words;

#[cfg(test)]
pub(crate) mod testing;

pub use card::{CardView, Pages, card, ended, needs_code, turn};
pub use help::help;
pub use misunderstood::misunderstood;
pub use reasons::{code_line, failure, in_short, reason};
pub use report::{announcement_description, report_description};
