//! The one configured client for everything that goes out, and bounded reading of what comes back.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt as _;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(3);

/// Whom we trust, and how connections are sealed: read once for all clients, because the system's certificates are many
/// files. `None`: they could not be read, and each client says why when it is made.
static TLS: LazyLock<Option<ClientConfig>> = LazyLock::new(|| {
    let mut config = ClientConfig::with_platform_verifier().ok()?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(config)
});

/// Reads the system's certificates, so that the first client does not wait for them. Takes some time of a processor.
pub fn prepare() {
    LazyLock::force(&TLS);
}

/// A client that names us, keeps to time limits, follows no redirect by itself and takes no proxy from the environment.
///
/// `total` bounds a whole call, body included; `None` is for long bodies whose reading is bounded piece by piece, and which
/// are taken byte for byte as they come.
pub fn client(total: Option<Duration>) -> Result<reqwest::Client, reqwest::Error> {
    match total {
        Some(total) => builder().timeout(total).build(),
        None => byte_for_byte(Duration::from_secs(30)),
    }
}

/// A client for bodies that are taken as they come: nothing is unpacked on the way, and each piece of an answer, its
/// beginning included, has to come within `piece`. The caller bounds the whole.
pub fn byte_for_byte(piece: Duration) -> Result<reqwest::Client, reqwest::Error> {
    builder().no_gzip().read_timeout(piece).build()
}

fn builder() -> reqwest::ClientBuilder {
    let builder = match TLS.as_ref() {
        Some(config) => reqwest::Client::builder().tls_backend_preconfigured(config.clone()),
        None => reqwest::Client::builder(),
    };
    builder
        .user_agent(concat!("slash-heroku/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        // Services drop quiet connections after about a minute; one that dies under a write leaves it unclear.
        .pool_idle_timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyFault {
    /// More bytes than we take.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// The connection broke.
    #[error("the answer broke off")]
    Broken(#[source] reqwest::Error),
}

/// Reads a body of at most `limit` bytes.
pub async fn read_body(response: reqwest::Response, limit: usize) -> Result<Bytes, BodyFault> {
    let mut body = BytesMut::new();
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| BodyFault::Broken(error.without_url()))?;
        if body.len().saturating_add(piece.len()) > limit {
            return Err(BodyFault::TooLong(limit));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}
