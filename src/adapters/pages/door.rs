//! What browsers ask for, answered: which browser it is, whether a form is ours, and the header fields that keep a page to itself.

use std::sync::Arc;

use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::PagesSettings;
use super::render::{Given, css, html, path_of};
use crate::domain::account::Provider;
use crate::domain::sign_in::{Dead, VISIT_LIVES};
use crate::domain::speech::pages::{self, Page};
use crate::ports::{NoVisit, Visits};

/// Everything that is the same for all requests.
#[derive(Debug)]
pub(super) struct Door {
    visits: Arc<dyn Visits>,
    /// Where our own pages come from.
    origin: String,
    /// Whether that is encrypted.
    https: bool,
    policy: HeaderValue,
    command_word: String,
}

type Shared = State<Arc<Door>>;

/// What a service sends along with whoever comes back.
#[derive(Deserialize)]
pub(super) struct Brought {
    state: Option<SecretString>,
    code: Option<SecretString>,
}

impl Door {
    pub(super) fn new(settings: &PagesSettings, visits: Arc<dyn Visits>) -> Self {
        let origin = |base: &crate::adapters::http::base_url::BaseUrl| base.as_url().origin().ascii_serialization();
        let services: Vec<String> = settings.services.iter().map(origin).collect();
        let policy = format!(
            "default-src 'none'; style-src 'self'; form-action 'self' {}; frame-ancestors 'none'; base-uri 'none'",
            services.join(" ")
        );
        Self {
            visits,
            origin: origin(&settings.public),
            https: settings.public.as_url().scheme() == "https",
            // Origins are plain ASCII.
            policy: HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'; style-src 'self'")),
            command_word: settings.command_word.clone(),
        }
    }

    /// The name that a browser takes from an encrypted page of exactly this host only; plain where it is not encrypted.
    fn cookie_name(&self) -> &'static str {
        if self.https { "__Host-sign-in" } else { "sign-in" }
    }

    fn cookie(&self, value: &str, seconds: i64) -> Option<HeaderValue> {
        let secure = if self.https { "; Secure" } else { "" };
        let text = format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}", self.cookie_name());
        let mut cookie = HeaderValue::from_str(&text).ok()?;
        cookie.set_sensitive(true);
        Some(cookie)
    }

    /// The secret that this browser keeps.
    fn browser(&self, headers: &HeaderMap) -> Result<SecretString, NoVisit> {
        let fields = headers.get_all(header::COOKIE).iter().filter_map(|field| field.to_str().ok());
        let mut pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie_name()).map(|(_, value)| SecretString::from(value)).ok_or(NoVisit::Unknown)
    }

    /// Whether a form was sent by a page of ours: browsers say where it stood.
    fn is_ours(&self, headers: &HeaderMap) -> bool {
        let field = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
        match field("sec-fetch-site") {
            Some(site) => site == b"same-origin",
            None => field("origin") == Some(self.origin.as_bytes()),
        }
    }

    fn page(&self, status: StatusCode, page: &Page, given: Given<'_>) -> Response {
        match html(page, given) {
            Ok(body) => self.guarded((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()),
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    /// On to another page, by a request that changes nothing.
    fn on_to(&self, address: &str) -> Response {
        let Ok(mut to) = HeaderValue::from_str(address) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
        to.set_sensitive(true);
        self.guarded((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
    }

    /// Keeps an answer out of caches, frames, and what other pages are told of where somebody came from.
    fn guarded(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        for (name, value) in [
            (header::CACHE_CONTROL, "no-store"),
            // Within the site it is needed: without it, browsers do not say where a form stood.
            (header::REFERRER_POLICY, "same-origin"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
            (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if self.https {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
        response
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
        self.page(status, &page, Given::default())
    }

    fn foreign(&self) -> Response {
        self.page(StatusCode::FORBIDDEN, &pages::foreign(), Given::default())
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
        door.page(StatusCode::OK, &pages::start(&person), given)
    });
    door.told(looked)
}

/// Opens a link for this browser.
pub(super) async fn open(State(door): Shared, Path(link): Path<String>, headers: HeaderMap) -> Response {
    if !door.is_ours(&headers) {
        return door.foreign();
    }
    let opened = door.visits.open(&SecretString::from(link)).await.map(|browser| {
        let mut response = door.on_to("/login");
        if let Some(cookie) = door.cookie(browser.expose_secret(), VISIT_LIVES.as_secs()) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    });
    door.told(opened)
}

/// The visit of this browser.
pub(super) async fn visit(State(door): Shared, headers: HeaderMap) -> Response {
    let seen = async {
        let view = door.visits.view(&door.browser(&headers)?).await?;
        Ok(door.page(StatusCode::OK, &pages::visit(&view), Given::default()))
    };
    match seen.await {
        // The visit is over: the browser need not keep anything of it.
        Err(no @ (NoVisit::Unknown | NoVisit::Dead(_))) => {
            let mut response = door.not_taken(&no);
            if let Some(cookie) = door.cookie("", 0) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        seen => door.told(seen),
    }
}

/// Sets out to a service.
pub(super) async fn set_out(State(door): Shared, Path(service): Path<String>, headers: HeaderMap) -> Response {
    if !door.is_ours(&headers) {
        return door.foreign();
    }
    let set_out = async {
        let to = Provider::ALL.into_iter().find(|known| path_of(*known) == service).ok_or(NoVisit::Unknown)?;
        let address = door.visits.set_out(&door.browser(&headers)?, to).await?;
        Ok(door.on_to(address.expose_secret()))
    };
    door.told(set_out.await)
}

/// Whoever comes back from a service sees a page, and nothing has happened: the address alone does nothing.
pub(super) async fn back(State(door): Shared, Query(brought): Query<Brought>) -> Response {
    let Some(state) = &brought.state else { return door.not_taken(&NoVisit::Unknown) };
    let mut fields = vec![("state", state.expose_secret())];
    fields.extend(brought.code.as_ref().map(|code| ("code", code.expose_secret())));
    let given = Given { fields: &fields, ..Given::default() };
    door.page(StatusCode::OK, &pages::back(brought.code.is_some()), given)
}

/// Takes what a service gave along.
pub(super) async fn take_back(State(door): Shared, headers: HeaderMap, Form(brought): Form<Brought>) -> Response {
    if !door.is_ours(&headers) {
        return door.foreign();
    }
    let taken = async {
        let state = brought.state.ok_or(NoVisit::Unknown)?;
        door.visits.come_back(&door.browser(&headers)?, &state, brought.code).await?;
        Ok(door.on_to("/login"))
    };
    door.told(taken.await)
}

/// The browser is done.
pub(super) async fn done(State(door): Shared, headers: HeaderMap) -> Response {
    if !door.is_ours(&headers) {
        return door.foreign();
    }
    let done = async {
        let browser = door.browser(&headers)?;
        let passcode = door.visits.done(&browser).await?;
        let view = door.visits.view(&browser).await?;
        let missing: Vec<Provider> = view.legs.iter().filter(|leg| !leg.linked && !leg.before).map(|leg| leg.at).collect();
        let given = Given { passcode: Some(passcode.expose_secret()), ..Given::default() };
        Ok(door.page(StatusCode::OK, &pages::passcode(&door.command_word, &missing), given))
    };
    door.told(done.await)
}

/// How the pages look.
pub(super) async fn style(State(door): Shared) -> Response {
    match css() {
        Ok(css) => {
            let mut response = door.guarded(([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css).into_response());
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
            response
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
