//! The pages on which an admin installs the app in a workspace. Looking changes nothing; whoever comes back has to be the browser that
//! set out, which keeps the state in a cookie that our own pages only send along.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::door::Brought;
use super::front::Front;
use super::render::Given;
use crate::adapters::http::base_url::BaseUrl;
use crate::domain::speech::pages::installing as pages;
use crate::ports::{Fault, Installing, NotInstalled, Secrets};

/// How long somebody may take at the chat, in seconds: as long as its codes live.
const WAY: i64 = 600;

/// What the pages need.
#[derive(Clone, Debug)]
pub struct InstallPagesSettings {
    /// Where browsers reach us.
    pub public: BaseUrl,
    /// Where people agree: browsers look at where a form leads to in the end.
    pub chat: BaseUrl,
    /// The command as people type it in the chat.
    pub command_word: String,
}

/// Where the chat sends people back to.
pub fn installed_callback(public: &BaseUrl) -> Url {
    public.at(["slack", "installed"])
}

#[derive(Debug)]
struct Hall {
    front: Front,
    installing: Arc<dyn Installing>,
    secrets: Arc<dyn Secrets>,
    command_word: String,
}

type Shared = State<Arc<Hall>>;

/// The pages: `/slack/install` and, on the way back, `/slack/installed`.
pub fn install_router(settings: &InstallPagesSettings, installing: Arc<dyn Installing>, secrets: Arc<dyn Secrets>) -> Router {
    let front = Front::new(&settings.public, [&settings.chat], "install");
    let hall = Hall { front, installing, secrets, command_word: settings.command_word.clone() };
    Router::new()
        .route("/slack/install", get(start).post(set_out))
        .route("/slack/installed", get(back).post(take_back))
        .with_state(Arc::new(hall))
}

async fn start(State(hall): Shared) -> Response {
    let asks = hall.installing.asks_for();
    let page = pages::start(asks.iter().map(|asked| (&asked.scope, asked.right)));
    hall.front.page(StatusCode::OK, &page, Given::default())
}

async fn set_out(State(hall): Shared, headers: HeaderMap) -> Response {
    if !hall.front.is_ours(&headers) {
        return hall.front.foreign();
    }
    match hall.secrets.fresh() {
        Ok(state) => {
            let mut response = hall.front.on_to(hall.installing.agree_at(&state).expose_secret());
            hall.front.set_cookie(&mut response, state.expose_secret(), WAY);
            response
        }
        Err(error) => {
            tracing::error!(%error, "nobody can set out to install the app");
            hall.front.page(StatusCode::INTERNAL_SERVER_ERROR, &pages::broken(), Given::default())
        }
    }
}

/// Whoever comes back sees a page, and nothing has happened: the address alone does nothing.
async fn back(State(hall): Shared, Query(brought): Query<Brought>) -> Response {
    let Some(state) = &brought.state else {
        return hall.front.page(StatusCode::NOT_FOUND, &pages::no_such_way(), Given::default());
    };
    let mut fields = vec![("state", state.expose_secret())];
    fields.extend(brought.code.as_ref().map(|code| ("code", code.expose_secret())));
    let given = Given { fields: &fields, ..Given::default() };
    hall.front.page(StatusCode::OK, &pages::back(brought.code.is_some()), given)
}

async fn take_back(State(hall): Shared, headers: HeaderMap, Form(brought): Form<Brought>) -> Response {
    if !hall.front.is_ours(&headers) {
        return hall.front.foreign();
    }
    let mut response = hall.taken(hall.front.browser(&headers), brought).await;
    // Whatever came of it, this way was gone once.
    hall.front.set_cookie(&mut response, "", 0);
    response
}

impl Hall {
    async fn taken(&self, kept: Option<SecretString>, brought: Brought) -> Response {
        let told = |status, page| self.front.page(status, &page, Given::default());
        let known = |secret: &SecretString| self.secrets.digest("install", secret);
        let (Some(kept), Some(state), Some(code)) = (kept, brought.state, brought.code) else {
            return told(StatusCode::CONFLICT, pages::no_such_way());
        };
        if known(&kept) != known(&state) {
            return told(StatusCode::CONFLICT, pages::no_such_way());
        }
        match self.installing.install(code).await {
            Ok(done) => {
                let page = pages::done(&done.tenant, done.name.as_deref(), done.again, &done.lacks, &self.command_word);
                told(StatusCode::OK, page)
            }
            Err(NotInstalled::Outside(error)) if error.fault == Fault::Refused => told(StatusCode::BAD_REQUEST, pages::outside(&error)),
            Err(NotInstalled::Outside(error)) => told(StatusCode::BAD_GATEWAY, pages::outside(&error)),
            Err(NotInstalled::Broken) => told(StatusCode::INTERNAL_SERVER_ERROR, pages::broken()),
        }
    }
}

#[cfg(test)]
mod tests;
