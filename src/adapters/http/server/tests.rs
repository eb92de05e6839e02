//! Connections as strangers and slow networks make them.

use std::net::SocketAddr;

use axum::routing::{get, post};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use super::*;

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Running {
    async fn new(router: Router, limits: ListenerLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        let stopped = stop.clone();
        tracker.spawn(async move { serve(listener, router, limits, stopped).await.unwrap() });
        tracker.close();
        Self { address, stop, tracker }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn ask(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request).await.unwrap();
        read_all(&mut stream).await
    }
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    // A connection that is cut while we still send may end in a reset: what came before is what counts.
    let mut piece = [0u8; 4096];
    loop {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => break,
            Ok(n) => said.extend_from_slice(&piece[..n]),
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn short() -> ListenerLimits {
    ListenerLimits { header_time: Duration::from_millis(50), request_time: Duration::from_millis(100), ..ListenerLimits::default() }
}

fn echo() -> Router {
    Router::new()
        .route("/", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/hang", get(std::future::pending::<()>))
        .route("/panic", get(panicking))
}

async fn panicking() {
    panic!("typed by a person");
}

#[tokio::test]
async fn silent_and_half_open_connections_are_closed() {
    let running = Running::new(echo(), short()).await;
    assert_eq!(read_all(&mut running.connect().await).await, "");
    let said = running.ask(b"GET / HTTP/1.1\r\nHost: a\r\n").await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused_however_they_are_sent() {
    let limits = ListenerLimits { body: 10, ..short() };
    let running = Running::new(echo(), limits).await;
    let said = running.ask(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0123456789").await;
    assert!(said.starts_with("HTTP/1.1 200") && said.ends_with("10"), "{said}");
    let said = running.ask(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 11\r\n\r\n01234567890").await;
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
    let said = running
        .ask(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n")
        .await;
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
}

#[tokio::test]
async fn a_handler_that_hangs_or_panics_is_answered_for() {
    let running = Running::new(echo(), short()).await;
    let said = running.ask(b"GET /hang HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 503"), "{said}");
    let said = running.ask(b"GET /panic HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 500") && !said.contains("typed"), "{said}");
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let running = Running::new(echo(), ListenerLimits { headers: 3, ..short() }).await;
    let said = running.ask(b"GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 431"), "{said}");
}

#[tokio::test]
async fn more_connections_than_places_wait() {
    let limits = ListenerLimits { connections: 1, ..short() };
    let running = Running::new(echo(), limits).await;
    let silent = running.connect().await;
    // Served only after the silent one was closed for its silence.
    let said = running.ask(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    drop(silent);
}

#[tokio::test]
async fn a_running_request_is_answered_during_the_drain_and_a_hanging_one_is_cut() {
    let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (at, on) = (Arc::clone(&reached), Arc::clone(&go));
    let router = Router::new().route(
        "/slow",
        get(move || async move {
            at.notify_one();
            on.notified().await;
            "done"
        }),
    );
    let limits = ListenerLimits { drain: Duration::from_secs(5), ..ListenerLimits::default() };
    let running = Running::new(router, limits).await;
    let mut stream = running.connect().await;
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    reached.notified().await;
    running.stop.cancel();
    go.notify_one();
    let said = read_all(&mut stream).await;
    assert!(said.ends_with("done"), "{said}");
    running.tracker.wait().await;
    assert!(TcpStream::connect(running.address).await.is_err(), "the port is closed");

    let reached = Arc::new(Notify::new());
    let at = Arc::clone(&reached);
    let router = Router::new().route(
        "/hang",
        get(move || async move {
            at.notify_one();
            std::future::pending::<()>().await
        }),
    );
    let limits = ListenerLimits { drain: Duration::from_millis(20), ..ListenerLimits::default() };
    let running = Running::new(router, limits).await;
    let mut stream = running.connect().await;
    stream.write_all(b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    reached.notified().await;
    running.stop.cancel();
    running.tracker.wait().await;
    assert_eq!(read_all(&mut stream).await, "");
}
