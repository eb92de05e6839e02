//! Handing a source over: to an address that is a secret, with its length known, and without our token.

use std::io::Error;
use std::sync::Arc;

use futures_util::stream::try_unfold;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{Method, StatusCode};
use reqwest::Body;
use secrecy::SecretString;
use tokio::sync::Mutex;
use url::Url;

use crate::adapters::http::call::{Call, JSON_LIMIT, exchange};
use crate::adapters::http::retry::Tries;
use crate::ports::{ArchiveBody, Fault, Service, SourceArchive, UploadedSource};

use super::Heroku;
use super::refusal::Refusal;
use super::shapes::Source;
use super::wire::Ask;

const PLACE: &str = "(source)";

/// The archive's bytes, and which try may read them.
struct Reader {
    turn: u64,
    body: Box<dyn ArchiveBody>,
}

impl Heroku {
    /// Nothing is done with a source until a build names it, so this is tried again as a whole.
    pub(super) async fn hand_over(&self, token: &SecretString, archive: SourceArchive) -> Result<UploadedSource, Refusal> {
        let SourceArchive { length, sha256, body } = archive;
        let reader = Arc::new(Mutex::new(Reader { turn: 0, body }));
        let mut tries = Tries::new(self.clock.as_ref());
        loop {
            let at = self.clock.now();
            match self.hand_over_once(token, length, &reader).await {
                Ok(address) => return Ok(UploadedSource { address, sha256, at }),
                Err(refusal) if refusal.again && tries.pause(refusal.error.fault).await => {}
                Err(refusal) => return Err(refusal),
            }
        }
    }

    async fn hand_over_once(&self, token: &SecretString, length: u64, reader: &Arc<Mutex<Reader>>) -> Result<SecretString, Refusal> {
        let ask = Ask::new(Method::POST, self.at(["sources"]), "/sources");
        let what = ask.what();
        let answer = self.write(token, &ask).await?;
        if !answer.status.is_success() {
            return Err(self.refusal(&answer, &what, token));
        }
        let source: Source =
            serde_json::from_slice(&answer.body).map_err(|_| Refusal::nonsense(&what, "no addresses").worth_another_try())?;
        let may_open = |url: &Url| self.settings.api.may_lead_to(url);
        let put = Url::parse(&source.source_blob.put_url).ok().filter(may_open);
        let get = Url::parse(&source.source_blob.get_url).ok().filter(may_open);
        let (Some(put), Some(_)) = (put, get) else {
            return Err(Refusal::nonsense(&what, "its addresses may not be opened"));
        };

        // The signature of the address covers an empty content type, and the storage takes no body of unknown length.
        let mut call = Call::new(Service::Platform, Method::PUT, put, PLACE).header(CONTENT_LENGTH, HeaderValue::from(length));
        call.body = Some(from_the_start(reader).await.map_err(|_| Refusal::of(Fault::Unreachable, PLACE, "our spool failed"))?);
        let what = call.what();
        let answer = exchange(&self.transfer, call, JSON_LIMIT).await.map_err(|fault| Refusal::unanswered(&fault, &what, true))?;
        let status = answer.status;
        if status.is_success() {
            return Ok(source.source_blob.get_url.into());
        }
        // What the storage says repeats what was signed: only its status is told.
        let fault = match status {
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Fault::Unclear,
            status if status.is_client_error() => Fault::Refused,
            _ => Fault::Unclear,
        };
        let refusal = Refusal::of(fault, &what, &status.as_u16().to_string());
        let lasting = matches!(status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::LENGTH_REQUIRED);
        Err(if lasting { refusal } else { refusal.worth_another_try() })
    }
}

/// The archive from its start. A stream of an earlier try that is still being torn down reads nothing any more.
async fn from_the_start(reader: &Arc<Mutex<Reader>>) -> Result<Body, Error> {
    let turn = {
        let mut reader = reader.lock().await;
        reader.turn = reader.turn.saturating_add(1);
        reader.body.rewind().await?;
        reader.turn
    };
    Ok(Body::wrap_stream(try_unfold(Arc::clone(reader), move |shared| async move {
        let piece = {
            let mut reader = shared.lock().await;
            if reader.turn != turn {
                return Err(Error::other("another try has begun"));
            }
            reader.body.next().await?
        };
        Ok(piece.map(|piece| (piece, shared)))
    })))
}
