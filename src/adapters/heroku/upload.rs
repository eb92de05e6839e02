//! Hands a source over: two signed addresses, one to put it to, one for the build to get it from.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use reqwest::Body;
use secrecy::SecretString;
use tokio::sync::Mutex;
use url::Url;

use crate::adapters::http::call::{Call, exchange};
use crate::adapters::http::retry::Tries;
use crate::ports::{ArchiveBody, Fault, PortError, Service, SourceArchive, UploadedSource};

use super::refusal::Refused;
use super::shapes::SourceShape;
use super::wire::{Ask, Wire};

/// What an upload may take at least, and for each mebibyte on top.
const PATIENCE: Duration = Duration::from_secs(60);
const PER_MEBIBYTE: Duration = Duration::from_secs(2);
/// The addresses live for about an hour; nothing may come near that.
const LONGEST: Duration = Duration::from_secs(20 * 60);

/// How much of storage's answer is read, in bytes: it says nothing that we tell.
const ANSWER: usize = 64 * 1024;

/// A body that can be streamed a second time.
struct Shared {
    body: Box<dyn ArchiveBody>,
    /// Which upload may read it. A connection that was given up may go on reading for a moment.
    turn: u32,
}

/// An upload that failed, and whether a second one may succeed.
struct Missed {
    error: PortError,
    again: bool,
}

impl From<Refused> for Missed {
    fn from(refused: Refused) -> Self {
        Self { again: refused.error.is_temporary(), error: refused.into() }
    }
}

/// Uploads a source, at most twice: an address that nothing was built from does no harm.
pub(super) async fn upload(wire: &Wire, token: &SecretString, archive: SourceArchive) -> Result<UploadedSource, PortError> {
    let SourceArchive { length, sha256, body } = archive;
    let body = Arc::new(Mutex::new(Shared { body, turn: 0 }));
    let missed = match put(wire, token, length, &sha256, pieces(&body, 0)).await {
        Ok(source) => return Ok(source),
        Err(missed) => missed,
    };
    if !missed.again || !Tries::new(wire.clock()).pause(missed.error.fault).await {
        return Err(missed.error);
    }
    tracing::info!(error = %missed.error, "the source is uploaded once more");
    {
        let mut shared = body.lock().await;
        shared.turn = 1;
        if shared.body.rewind().await.is_err() {
            return Err(missed.error);
        }
    }
    put(wire, token, length, &sha256, pieces(&body, 1)).await.map_err(|missed| missed.error)
}

/// The body as a stream, as long as it is this upload's turn.
fn pieces(shared: &Arc<Mutex<Shared>>, turn: u32) -> Body {
    Body::wrap_stream(stream::unfold(Arc::clone(shared), move |shared| async move {
        let piece = {
            let mut shared = shared.lock().await;
            if shared.turn == turn { shared.body.next().await } else { Err(std::io::Error::other("another upload reads")) }
        };
        Some((piece.transpose()?, shared))
    }))
}

async fn put(wire: &Wire, token: &SecretString, length: u64, sha256: &str, body: Body) -> Result<UploadedSource, Missed> {
    let at = wire.clock().now();
    let answer = wire.write(token, &Ask::new(Method::POST, ["sources"], "/sources")).await?;
    let nonsense = |why: &str| Missed { error: error(Fault::Nonsense, why), again: false };
    let addresses = serde_json::from_slice::<SourceShape>(&answer.body).map_err(|_| nonsense("no addresses in the answer"))?.source_blob;
    let fit = |text: &str| Url::parse(text).ok().filter(|url| wire.api().may_lead_to(url));
    let (Some(put_url), Some(_)) = (fit(&addresses.put_url), fit(&addresses.get_url)) else {
        return Err(nonsense("an address that must not be opened"));
    };
    // The signature covers an empty type, storage takes no chunks, and no header of the API may go there.
    let mut call = Call::new(Service::Platform, Method::PUT, put_url, "(source upload)")
        .header(CONTENT_LENGTH, HeaderValue::from(length))
        .within(patience(length));
    call.body = Some(body);
    let what = call.what();
    let answer = exchange(wire.client(), call, ANSWER).await.map_err(|fault| {
        let error = fault.error(Service::Platform, &what, true);
        Missed { again: error.is_temporary(), error }
    })?;
    // Storage says yes without a word; a page is from something on the way, and nothing may have got through.
    let is_page = answer.header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("text/html"));
    if answer.status.is_success() && !is_page {
        return Ok(UploadedSource { address: SecretString::from(addresses.get_url), sha256: sha256.to_owned(), at });
    }
    let fault = match answer.status {
        StatusCode::TOO_MANY_REQUESTS => Fault::RateLimited { until: None },
        status if is_page || status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => Fault::Unclear,
        _ => Fault::Refused,
    };
    // A second try gets a new address: one that was refused may have run out.
    let again = answer.status != StatusCode::PAYLOAD_TOO_LARGE;
    Err(Missed { error: error(fault, &format!("storage answered {}", answer.status.as_u16())), again })
}

fn error(fault: Fault, why: &str) -> PortError {
    PortError::new(Service::Platform, fault, format!("uploading a source: {why}"))
}

fn patience(length: u64) -> Duration {
    let mebibytes = u32::try_from(length / (1024 * 1024)).unwrap_or(u32::MAX);
    PATIENCE.saturating_add(PER_MEBIBYTE.saturating_mul(mebibytes)).min(LONGEST)
}
