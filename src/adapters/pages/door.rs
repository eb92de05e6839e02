//! What browsers ask for on the pages of a visit, answered.

use std::sync::Arc;

use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::PagesSettings;
use super::front::Front;
use super::render::{Given, css, path_of};
use crate::domain::account::Provider;
use crate::domain::sign_in::{Dead, VISIT_LIVES};
use crate::domain::speech::pages;
use crate::ports::{NoVisit, Visits};

/// Everything that is the same for all requests.
#[derive(Debug)]
pub(super) struct Door {
    visits: Arc<dyn Visits>,
    front: Front,
    command_word: String,
}

type Shared = State<Arc<Door>>;

/// What a service sends along with whoever comes back.
#[derive(Deserialize)]
pub(super) struct Brought {
    pub(super) state: Option<SecretString>,
    pub(super) code: Option<SecretString>,
}

impl Door {
    pub(super) fn new(settings: &PagesSettings, visits: Arc<dyn Visits>) -> Self {
        let front = Front::new(&settings.public, &settings.services, "sign-in");
        Self { visits, front, command_word: settings.command_word.clone() }
    }

    /// The secret that this browser keeps.
    fn browser(&self, headers: &HeaderMap) -> Result<SecretString, NoVisit> {
        self.front.browser(headers).ok_or(NoVisit::Unknown)
    }

    /// A step that was not taken, told.
    fn not_taken(&self, no: &NoVisit) -> Response {
        let word = &self.command_word;
        let (status, page) = match no {
            NoVisit::Unknown => (StatusCode::NOT_FOUND, pages::unknown(word)),
            NoVisit::Dead(dead @ (Dead::NoSuchWay | Dead::NothingLinked)) => (StatusCode::CONFLICT, pages::dead(*dead, word)),
            NoVisit::Dead(dead @ Dead::OtherBrowser) => (StatusCode::FORBIDDEN, pages::dead(*dead, word)),
            NoVisit::Dead(dead @ (Dead::OpenedBefore | Dead::RanOut | Dead::Over(_))) => (StatusCode::GONE, pages::dead(*dead, word)),
            NoVisit::Outside(error) => {
                tracing::warn!(%error, "somebody could not sign in");
                (StatusCode::BAD_GATEWAY, pages::outside(error))
            }
            NoVisit::Broken => (StatusCode::INTERNAL_SERVER_ERROR, pages::broken(word)),
        };
        self.front.page(status, &page, Given::default())
    }

    fn told(&self, answered: Result<Response, NoVisit>) -> Response {
        answered.unwrap_or_else(|no| self.not_taken(&no))
    }
}

/// The page under a link. Looking changes nothing: programs look at links too.
pub(super) async fn look(State(door): Shared, Path(link): Path<String>) -> Response {
    let secret = SecretString::from(link);
    let looked = door.visits.look(&secret).await.map(|person| {
        let given = Given { link: secret.expose_secret(), ..Given::default() };
        door.front.page(StatusCode::OK, &pages::start(&person), given)
    });
    door.told(looked)
}

/// Opens a link for this browser.
pub(super) async fn open(State(door): Shared, Path(link): Path<String>, headers: HeaderMap) -> Response {
    if !door.front.is_ours(&headers) {
        return door.front.foreign();
    }
    let opened = door.visits.open(&SecretString::from(link)).await.map(|browser| {
        let mut response = door.front.on_to("/login");
        door.front.set_cookie(&mut response, browser.expose_secret(), VISIT_LIVES.as_secs());
        response
    });
    door.told(opened)
}

/// The visit of this browser.
pub(super) async fn visit(State(door): Shared, headers: HeaderMap) -> Response {
    let seen = async {
        let view = door.visits.view(&door.browser(&headers)?).await?;
        Ok(door.front.page(StatusCode::OK, &pages::visit(&view), Given::default()))
    };
    match seen.await {
        // The visit is over: the browser need not keep anything of it.
        Err(no @ (NoVisit::Unknown | NoVisit::Dead(_))) => {
            let mut response = door.not_taken(&no);
            door.front.set_cookie(&mut response, "", 0);
            response
        }
        seen => door.told(seen),
    }
}

/// Sets out to a service.
pub(super) async fn set_out(State(door): Shared, Path(service): Path<String>, headers: HeaderMap) -> Response {
    if !door.front.is_ours(&headers) {
        return door.front.foreign();
    }
    let set_out = async {
        let to = Provider::ALL.into_iter().find(|known| path_of(*known) == service).ok_or(NoVisit::Unknown)?;
        let address = door.visits.set_out(&door.browser(&headers)?, to).await?;
        Ok(door.front.on_to(address.expose_secret()))
    };
    door.told(set_out.await)
}

/// Whoever comes back from a service sees a page, and nothing has happened: the address alone does nothing.
pub(super) async fn back(State(door): Shared, Query(brought): Query<Brought>) -> Response {
    let Some(state) = &brought.state else { return door.not_taken(&NoVisit::Unknown) };
    let mut fields = vec![("state", state.expose_secret())];
    fields.extend(brought.code.as_ref().map(|code| ("code", code.expose_secret())));
    let given = Given { fields: &fields, ..Given::default() };
    door.front.page(StatusCode::OK, &pages::back(brought.code.is_some()), given)
}

/// Takes what a service gave along.
pub(super) async fn take_back(State(door): Shared, headers: HeaderMap, Form(brought): Form<Brought>) -> Response {
    if !door.front.is_ours(&headers) {
        return door.front.foreign();
    }
    let taken = async {
        let state = brought.state.ok_or(NoVisit::Unknown)?;
        door.visits.come_back(&door.browser(&headers)?, &state, brought.code).await?;
        Ok(door.front.on_to("/login"))
    };
    door.told(taken.await)
}

/// The browser is done.
pub(super) async fn done(State(door): Shared, headers: HeaderMap) -> Response {
    if !door.front.is_ours(&headers) {
        return door.front.foreign();
    }
    let done = async {
        let browser = door.browser(&headers)?;
        let passcode = door.visits.done(&browser).await?;
        let view = door.visits.view(&browser).await?;
        let missing: Vec<Provider> = view.legs.iter().filter(|leg| !leg.linked && !leg.before).map(|leg| leg.at).collect();
        let given = Given { passcode: Some(passcode.expose_secret()), ..Given::default() };
        Ok(door.front.page(StatusCode::OK, &pages::passcode(&door.command_word, &missing), given))
    };
    door.told(done.await)
}

/// How the pages look.
pub(super) async fn style(State(door): Shared) -> Response {
    match css() {
        Ok(css) => {
            let mut response = door.front.guarded(([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css).into_response());
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
            response
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
