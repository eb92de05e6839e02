//! With what: the adapters that talk to the world, interchangeable and wired at startup.

pub mod allowances;
pub mod background;
pub mod clock;
pub mod console;
pub mod doorbell;
pub mod github;
pub mod heroku;
pub mod http;
pub mod pages;
pub mod privacy_pages;
pub mod secrets;
pub mod settings_accounts;
pub mod settings_bot;
pub mod slack;
pub mod sled;
pub mod vault;
