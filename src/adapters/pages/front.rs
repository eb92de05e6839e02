//! What all pages have in common: whether a form is ours, which browser it is, and the header fields that keep a page to itself.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;

use super::render::{Given, html};
use crate::adapters::http::base_url::BaseUrl;
use crate::domain::speech::pages::{self, Page};

/// Everything that is the same for all requests.
#[derive(Debug)]
pub(super) struct Front {
    /// Where our own pages come from.
    origin: String,
    /// Whether that is encrypted.
    https: bool,
    policy: HeaderValue,
    /// What the cookie is called, without what says that it is this host's only.
    cookie: &'static str,
}

impl Front {
    /// For pages at `public` whose forms lead to these others as well.
    pub(super) fn new<'a>(public: &BaseUrl, others: impl IntoIterator<Item = &'a BaseUrl>, cookie: &'static str) -> Self {
        let origin = |base: &BaseUrl| base.as_url().origin().ascii_serialization();
        let others: Vec<String> = others.into_iter().map(origin).collect();
        let policy = format!(
            "default-src 'none'; style-src 'self'; form-action 'self' {}; frame-ancestors 'none'; base-uri 'none'",
            others.join(" ")
        );
        Self {
            origin: origin(public),
            https: public.as_url().scheme() == "https",
            // Origins are plain ASCII.
            policy: HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'; style-src 'self'")),
            cookie,
        }
    }

    /// The name that a browser takes from an encrypted page of exactly this host only; plain where it is not encrypted.
    fn cookie_name(&self) -> String {
        if self.https { format!("__Host-{}", self.cookie) } else { self.cookie.to_owned() }
    }

    /// Adds the cookie to an answer.
    pub(super) fn set_cookie(&self, response: &mut Response, value: &str, seconds: i64) {
        let secure = if self.https { "; Secure" } else { "" };
        let text = format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}", self.cookie_name());
        if let Ok(mut cookie) = HeaderValue::from_str(&text) {
            cookie.set_sensitive(true);
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
    }

    /// The secret that this browser keeps.
    pub(super) fn browser(&self, headers: &HeaderMap) -> Option<SecretString> {
        let name = self.cookie_name();
        let fields = headers.get_all(header::COOKIE).iter().filter_map(|field| field.to_str().ok());
        let mut pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| SecretString::from(value))
    }

    /// Whether a form was sent by a page of ours: browsers say where it stood.
    pub(super) fn is_ours(&self, headers: &HeaderMap) -> bool {
        let field = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
        match field("sec-fetch-site") {
            Some(site) => site == b"same-origin",
            None => field("origin") == Some(self.origin.as_bytes()),
        }
    }

    /// A page.
    pub(super) fn page(&self, status: StatusCode, page: &Page, given: Given<'_>) -> Response {
        match html(page, given) {
            Ok(body) => self.guarded((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()),
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    /// On to another page, by a request that changes nothing.
    pub(super) fn on_to(&self, address: &str) -> Response {
        let Ok(mut to) = HeaderValue::from_str(address) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
        to.set_sensitive(true);
        self.guarded((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
    }

    /// A form that is not ours.
    pub(super) fn foreign(&self) -> Response {
        self.page(StatusCode::FORBIDDEN, &pages::foreign(), Given::default())
    }

    /// Keeps an answer out of caches, frames, and what other pages are told of where somebody came from.
    pub(super) fn guarded(&self, mut response: Response) -> Response {
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
}
