//! The one configured client for everything that goes out, and bounded reading of what comes back.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(3);

/// A client that names us, keeps to time limits, follows no redirect by itself and takes no proxy from the environment.
///
/// `total` bounds a whole call, body included; `None` is for long bodies whose reading is bounded piece by piece.
pub fn client(total: Option<Duration>) -> Result<reqwest::Client, reqwest::Error> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("slash-heroku/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    match total {
        Some(total) => builder.timeout(total).build(),
        None => builder.read_timeout(Duration::from_secs(30)).build(),
    }
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
