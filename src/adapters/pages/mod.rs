//! The pages on which people link their logins: small, rendered here, without a script and without asking anybody else for anything.
//!
//! What changes something is a form of ours that is posted, and a cookie says which browser it is. That cookie is sent along by our own
//! pages only, so whoever comes back from a service sees a page first and presses a button.

mod door;
mod front;
mod installing;
mod render;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use url::Url;

use super::http::base_url::BaseUrl;
use crate::ports::Visits;

use door::Door;
pub use installing::{InstallPagesSettings, install_router, installed_callback};

/// What the pages need.
#[derive(Clone, Debug)]
pub struct PagesSettings {
    /// Where browsers reach us.
    pub public: BaseUrl,
    /// Where people are sent to sign in: browsers look at where a form leads to in the end.
    pub services: Vec<BaseUrl>,
    /// The command as people type it in the chat.
    pub command_word: String,
}

/// Where services send people back to.
pub fn callback(public: &BaseUrl) -> Url {
    public.at(["login", "back"])
}

/// What the address of a link begins with; its secret stands behind it.
pub fn link_prefix(public: &BaseUrl) -> String {
    format!("{}/", public.at(["login"]))
}

/// The pages, below `/login`.
pub fn router(settings: &PagesSettings, visits: Arc<dyn Visits>) -> Router {
    let door = Door::new(settings, visits);
    Router::new()
        .route("/login", get(door::visit))
        .route("/login/style.css", get(door::style))
        .route("/login/back", get(door::back).post(door::take_back))
        .route("/login/to/{service}", post(door::set_out))
        .route("/login/done", post(door::done))
        .route("/login/{link}", get(door::look).post(door::open))
        .with_state(Arc::new(door))
}
