//! Serving a simulator on loopback.

use std::net::SocketAddr;

use axum::Router;
use axum::http::{StatusCode, Uri};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The servers of a simulated world; they end when this is dropped.
#[derive(Debug)]
pub struct Servers {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Default for Servers {
    fn default() -> Self {
        Self { tracker: TaskTracker::new(), stop: CancellationToken::new() }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Servers {
    /// Opens a loopback port: `port` 0 means any. The address is known before anything is served, so that a simulator can
    /// name itself in its answers.
    pub async fn listen(port: u16) -> std::io::Result<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    }

    /// Serves `router` until this is dropped.
    pub fn serve(&self, listener: TcpListener, router: Router) {
        let router = router.fallback(unknown);
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
            if let Err(error) = served {
                tracing::warn!(%error, "a simulator stopped serving");
            }
        });
    }
}

async fn unknown(uri: Uri) -> (StatusCode, String) {
    (StatusCode::NOT_IMPLEMENTED, format!("this simulator does not know {}", uri.path()))
}
