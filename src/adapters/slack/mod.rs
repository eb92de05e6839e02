//! Slack: signed requests in, messages out, both in the domain's words.

mod api;
#[cfg(test)]
mod cards;
mod directory;
mod events;
mod fit;
mod hex;
pub mod inbound;
pub mod install;
mod lanes;
pub mod manifest;
mod markup;
pub mod outbound;
mod payload;
mod render;
mod reply_url;
mod scopes;
mod seal;
mod signature;
#[cfg(test)]
mod testing;
mod view;
mod words;

pub use directory::SlackDirectory;
pub use inbound::{SlackInbound, router};
pub use install::{SlackInstall, SlackInstallSettings, authorize_beside};
pub use outbound::{SlackChat, SlackSettings};
pub use seal::{NoKey, Sealer};
