//! The listener: hyper's accept loop under our own limits, with an axum router on it.
//!
//! `axum::serve` is not used: it sets no timer, so that silent and half-open connections would stay for ever.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Response, StatusCode};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// What a listener takes. Times are real time: they bound the network, not the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerLimits {
    /// Connections at the same time; more wait in the system's backlog.
    pub connections: usize,
    /// How long a connection may take to send a whole header, or stay silent between two requests.
    pub header_time: Duration,
    /// How long a request may take from its header to its answer. Answered with 503 beyond it.
    pub request_time: Duration,
    /// The same for routes that call other services while they answer.
    pub patient_time: Duration,
    /// Bytes of a request's body. Answered with 413 beyond it. More than 2 MiB change nothing: axum takes no more by itself.
    pub body: usize,
    /// Header fields of a request. Answered with 431 beyond it.
    pub headers: usize,
    /// Bytes that are buffered for one connection: bounds a request's line and header. At least 8192.
    pub buffer: usize,
    /// How long running requests may take to end after the stop; what still runs then is cut off.
    pub drain: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            connections: 512,
            header_time: Duration::from_secs(15),
            request_time: Duration::from_secs(10),
            patient_time: Duration::from_secs(75),
            body: 256 * 1024,
            headers: 64,
            buffer: 64 * 1024,
            drain: Duration::from_secs(10),
        }
    }
}

/// What is served.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// What is answered from here.
    pub quick: Router,
    /// What calls other services while it is answered: see [`ListenerLimits::patient_time`].
    pub patient: Router,
}

impl From<Router> for Routes {
    fn from(quick: Router) -> Self {
        Self { quick, patient: Router::new() }
    }
}

/// The smallest buffer that hyper takes.
const LEAST_BUFFER: usize = 8192;

/// How long to hold off after an accept that failed for want of something (file handles, memory).
const BREATH: Duration = Duration::from_millis(100);

/// Serves `routes` on `listener` until `stop` is cancelled, then closes the port, lets running requests end within
/// [`ListenerLimits::drain`], cuts off the rest, and returns when no connection is left.
///
/// Errors: only what keeps the listener from being used at all.
pub async fn serve(listener: TcpListener, routes: impl Into<Routes>, limits: ListenerLimits, stop: CancellationToken) -> io::Result<()> {
    let router = guarded(routes.into(), limits);
    let places = Arc::new(Semaphore::new(limits.connections.max(1)));
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();

    while let Some((stream, place)) = next(&listener, &places, &stop).await? {
        let connection = connection(stream, router.clone(), limits, stop.clone());
        let cut = cut.clone();
        connections.spawn(async move {
            tokio::select! {
                () = connection => {}
                () = cut.cancelled() => {}
            }
            drop(place);
        });
    }
    drop(listener);

    connections.close();
    if tokio::time::timeout(limits.drain, connections.wait()).await.is_err() {
        tracing::warn!(left = connections.len(), "connections were cut off at the end of the drain");
        cut.cancel();
        connections.wait().await;
    }
    Ok(())
}

/// The next connection and its place; `None`: it is time to stop.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> io::Result<Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)>> {
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(None),
            accepted = async {
                let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
                listener.accept().await.map(|(stream, _)| (stream, place))
            } => accepted,
        };
        match accepted {
            Ok(connection) => return Ok(Some(connection)),
            Err(error) if of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                if tokio::time::timeout(BREATH, stop.cancelled()).await.is_ok() {
                    return Ok(None);
                }
            }
        }
    }
}

/// Whether a failed accept says something about the one connection only.
fn of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

/// One connection, to its end. After the stop it finishes the request it is in and takes no further one.
async fn connection(stream: TcpStream, router: Router, limits: ListenerLimits, stop: CancellationToken) {
    // Small answers go out at once; a socket that refuses this still works.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_headers(limits.headers)
        .max_buf_size(limits.buffer.max(LEAST_BUFFER));
    let serving = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The routes behind their limits.
fn guarded(routes: Routes, limits: ListenerLimits) -> Router {
    // As one layer: a router boxes what it hands on, once for each that it is given.
    let within = |time| {
        ServiceBuilder::new()
            .layer(CatchPanicLayer::custom(after_a_panic))
            .layer(RequestBodyLimitLayer::new(limits.body))
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, time))
    };
    routes.quick.layer(within(limits.request_time)).merge(routes.patient.layer(within(limits.patient_time)))
}

/// The answer after a panic. What the panic said may hold what a person typed: it is not looked at.
fn after_a_panic(_said: Box<dyn std::any::Any + Send + 'static>) -> Response<Body> {
    tracing::error!("a request made its handler panic");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

#[cfg(test)]
mod tests;
