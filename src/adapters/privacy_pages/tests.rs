//! What a browser meets.

use std::sync::Mutex;

use async_trait::async_trait;
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt as _;
use secrecy::ExposeSecret as _;
use tower::ServiceExt as _;

use super::*;
use crate::ports::StoreError;

/// One link, `good`.
#[derive(Debug)]
struct OneLink(Mutex<bool>);

#[async_trait]
impl Exports for OneLink {
    async fn works(&self, link: &SecretString) -> Result<bool, StoreError> {
        Ok(link.expose_secret() == "good" && *self.0.lock().unwrap())
    }

    async fn take(&self, link: &SecretString) -> Result<Option<String>, StoreError> {
        Ok((link.expose_secret() == "good" && std::mem::take(&mut *self.0.lock().unwrap())).then(|| "{}".to_owned()))
    }
}

fn pages() -> Router {
    let page = PrivacyPage { contact: Some("<b>us</b>@example.com".to_owned()), place: Some("Oslo".to_owned()), public: None };
    texts(page).merge(exports(Arc::new(OneLink(Mutex::new(true)))))
}

async fn asked(pages: &Router, method: Method, path: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::builder().method(method).uri(path).body(axum::body::Body::empty()).unwrap();
    let response = pages.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_present_text_and_the_old_ones_are_served() {
    let pages = pages();
    let (status, headers, body) = asked(&pages, Method::GET, "/privacy").await;
    assert_eq!((status, headers[header::CONTENT_TYPE].to_str().unwrap()), (StatusCode::OK, "text/html; charset=utf-8"));
    assert!(headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'"));
    assert!(!headers.contains_key(header::SET_COOKIE));
    for part in ["<h1>Privacy</h1>", "<table>", "Oslo", "&lt;b&gt;us&lt;/b&gt;@example.com", "href=\"/privacy/1\""] {
        assert!(body.contains(part), "{part} is not in {body}");
    }
    for never in ["<script", "http-equiv", " src=", "<!--"] {
        assert!(!body.contains(never), "{never} is in the page");
    }
    let (status, _, old) = asked(&pages, Method::GET, "/privacy/1").await;
    assert!(status == StatusCode::OK && old.contains("This is an old text") && old != body);
    assert_eq!(asked(&pages, Method::GET, "/privacy/99").await.0, StatusCode::NOT_FOUND);
    assert!(asked(&pages, Method::GET, "/privacy/style.css").await.2.contains("color-scheme: light dark"));
}

#[tokio::test]
async fn a_link_is_looked_at_as_often_as_you_like_and_used_once() {
    let pages = pages();
    for _ in 0..3 {
        let (status, _, body) = asked(&pages, Method::GET, "/privacy/export/good").await;
        assert!(status == StatusCode::OK && body.contains("<button>"), "{body}");
    }
    let (status, headers, body) = asked(&pages, Method::POST, "/privacy/export/good").await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "{}"));
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    assert!(headers[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment"));
    for method in [Method::GET, Method::POST] {
        for path in ["/privacy/export/good", "/privacy/export/bad"] {
            let (status, _, body) = asked(&pages, method.clone(), path).await;
            assert!(status == StatusCode::NOT_FOUND && body.contains("does not work"), "{path}");
        }
    }
}
