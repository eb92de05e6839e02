//! Every sentence that we say.

mod accounts;
mod answers;
mod card;
mod codes;
mod confirm;
mod diff;
mod doctor;
mod forms;
mod help;
mod history;
mod lists;
mod locks;
mod may;
mod misunderstood;
mod notices;
pub mod operators;
mod paced;
pub mod pages;
mod privacy;
pub mod privacy_pages;
mod reasons;
mod refusals;
mod report;
mod returns;
mod rights;
mod routes;
mod services;
mod stages;
mod whereabouts;
mod words;

#[cfg(test)]
pub(crate) mod testing;

pub use accounts::*;
pub use answers::*;
pub use card::{CardView, Pages, card, ended, needs_code, promote_command, routed, turn};
pub use codes::*;
pub use confirm::{Change, code_kept, declined, sure};
pub use diff::*;
pub use doctor::{checkup, looking};
pub use forms::*;
pub use help::{Known, help};
pub use history::{history, history_of_rules};
pub use lists::*;
pub use locks::*;
pub use may::May;
pub use misunderstood::misunderstood;
pub use notices::*;
pub use privacy::*;
pub use refusals::*;
pub use report::{announcement_description, report_description};
pub use returns::*;
pub use rights::*;
pub use routes::*;
pub use whereabouts::*;
