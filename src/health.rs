//! `/health` and `/metrics`, for whoever watches the service.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;
use serde::Serialize;

use crate::metrics::{self, Metrics};

/// The content type of the OpenMetrics text format, as its specification names it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

struct Watched {
    metrics: Metrics,
    registry: Registry,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("health", &self.metrics.health()).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Answer {
    status: &'static str,
    store: &'static str,
    open: i64,
    draining: bool,
}

/// The two paths. `/health` answers 200 while the service can do its work, also while it drains, and 503 once the store has
/// failed; `/metrics` shows all of `registry`. Neither says anything about people or pipelines.
pub fn router(metrics: Metrics, registry: Registry) -> Router {
    Router::new().route("/health", get(health)).route("/metrics", get(numbers)).with_state(Arc::new(Watched { metrics, registry }))
}

async fn health(State(watched): State<Arc<Watched>>) -> Response {
    let health = watched.metrics.health();
    let (code, status) = match (health.store_failed, health.draining) {
        (true, true | false) => (StatusCode::SERVICE_UNAVAILABLE, "failed"),
        (false, true) => (StatusCode::OK, "draining"),
        (false, false) => (StatusCode::OK, "ok"),
    };
    let store = if health.store_failed { "failed" } else { "ok" };
    match serde_json::to_string(&Answer { status, store, open: health.open, draining: health.draining }) {
        Ok(body) => (code, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn numbers(State(watched): State<Arc<Watched>>) -> Response {
    match metrics::page(&watched.registry) {
        Ok(page) => ([(header::CONTENT_TYPE, OPEN_METRICS)], page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn get(router: &Router, path: &str) -> (StatusCode, String, String) {
        let request = http::Request::get(path).body(axum::body::Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let (status, kind) = (response.status(), response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn health_is_200_until_the_store_fails() {
        let mut registry = Registry::default();
        let metrics = Metrics::registered(&mut registry);
        let router = router(metrics.clone(), registry);
        metrics.open(2);
        let (status, kind, body) = get(&router, "/health").await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, "application/json"));
        assert_eq!(body, r#"{"status":"ok","store":"ok","open":2,"draining":false}"#);
        metrics.draining();
        assert_eq!(get(&router, "/health").await.2, r#"{"status":"draining","store":"ok","open":2,"draining":true}"#);
        metrics.store_failed();
        let (status, _, body) = get(&router, "/health").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body, r#"{"status":"failed","store":"failed","open":2,"draining":true}"#);
    }

    #[tokio::test]
    async fn metrics_are_open_metrics() {
        let mut registry = Registry::default();
        let metrics = Metrics::registered(&mut registry);
        let (status, kind, body) = get(&router(metrics, registry), "/metrics").await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, OPEN_METRICS));
        assert!(body.contains("# TYPE deployments_open gauge") && body.ends_with("# EOF\n"), "{body}");
    }
}
