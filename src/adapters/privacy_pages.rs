//! The privacy page and its old texts, and the page on which somebody takes everything that is kept about them. Rendered here, without
//! a script, a cookie or anything from elsewhere.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use pulldown_cmark::{Event, Options, Parser, html};
use secrecy::SecretString;

use crate::domain::privacy::{CURRENT_TEXT, PrivacyPage, text_of};
use crate::domain::speech::privacy_pages::{self as words, Words};
use crate::ports::Exports;

const STYLE: &str = include_str!("privacy_pages/style.css");
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The texts, below `/privacy`.
pub fn texts(page: PrivacyPage) -> Router {
    Router::new()
        .route("/privacy", get(async |State(page): State<Arc<PrivacyPage>>| text(&page, CURRENT_TEXT)))
        .route("/privacy/{version}", get(async |State(page): State<Arc<PrivacyPage>>, Path(version): Path<u32>| text(&page, version)))
        .route("/privacy/style.css", get(async || ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)))
        .with_state(Arc::new(page))
}

/// The pages of links to everything about somebody. Finding it may take a while.
pub fn exports(exports: Arc<dyn Exports>) -> Router {
    Router::new().route("/privacy/export/{link}", get(look).post(take)).with_state(exports)
}

fn text(of: &PrivacyPage, version: u32) -> Response {
    let Some(text) = text_of(version) else { return plain(StatusCode::NOT_FOUND, words::NO_SUCH_TEXT, "") };
    let mut source = words::above_the_text(text, of);
    source.push_str(text.words);
    let without_html = |event: &Event<'_>| !matches!(event, Event::Html(_) | Event::InlineHtml(_));
    let mut body = String::new();
    html::push_html(&mut body, Parser::new_ext(&source, Options::ENABLE_TABLES).filter(without_html));
    page(StatusCode::OK, "Privacy", &body)
}

async fn look(State(exports): State<Arc<dyn Exports>>, Path(link): Path<SecretString>) -> Response {
    match exports.works(&link).await {
        Ok(true) => {
            // Posted to the same address: looking uses nothing up.
            let form = format!("<form method=\"post\"><button>{}</button></form>", words::TAKE_IT_BUTTON);
            plain(StatusCode::OK, words::TAKE_IT, &form)
        }
        Ok(false) => plain(StatusCode::NOT_FOUND, words::DEAD_LINK, ""),
        Err(error) => failed(&error),
    }
}

async fn take(State(exports): State<Arc<dyn Exports>>, Path(link): Path<SecretString>) -> Response {
    match exports.take(&link).await {
        Ok(Some(json)) => {
            let fields = [
                (header::CONTENT_TYPE, "application/json; charset=utf-8"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"slash-heroku.json\""),
            ];
            guarded((fields, json).into_response())
        }
        Ok(None) => plain(StatusCode::NOT_FOUND, words::DEAD_LINK, ""),
        Err(error) => failed(&error),
    }
}

fn failed(error: &crate::ports::StoreError) -> Response {
    tracing::error!(%error, "everything about a person could not be handed out");
    plain(StatusCode::SERVICE_UNAVAILABLE, words::NOT_NOW, "")
}

fn plain(status: StatusCode, (title, says): Words, below: &str) -> Response {
    let mut body = String::new();
    html::push_html(&mut body, Parser::new(&format!("# {title}\n\n{says}\n")));
    body.push_str(below);
    page(status, title, &body)
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let mut whole = String::new();
    let written = write!(
        whole,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><link rel=\"stylesheet\" href=\"/privacy/style.css\"></head><body><main>{body}</main></body></html>"
    );
    match written {
        Ok(()) => guarded((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], whole).into_response()),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn guarded(mut response: Response) -> Response {
    let fields = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fields {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests;
