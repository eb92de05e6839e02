//! The end of an output. Its address opens it to anybody: it is read anew each time, opened at once, and told to nobody.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures_util::StreamExt;
use http::{Method, StatusCode};
use reqwest::Response;
use secrecy::SecretString;
use url::Url;

use crate::adapters::http::call::{Call, open};
use crate::adapters::http::retry::Tries;
use crate::adapters::http::scrub;
use crate::domain::names::{AppId, BuildId, ReleaseId};
use crate::ports::{Fault, Service};

use super::Heroku;
use super::refusal::Refusal;

const PLACE: &str = "(output)";

/// How many hosts may hand on to one another: a finished output lies elsewhere than one that goes on.
const HOPS: usize = 4;

/// How long one output is read.
const WHOLE: Duration = Duration::from_secs(10);

/// How much of an output is read, in bytes.
const MOST: usize = 64 * 1024 * 1024;

/// How much of its end is kept, in bytes.
const KEPT: usize = 1024 * 1024;

impl Heroku {
    pub(super) async fn last_output(
        &self,
        token: &SecretString,
        app: &AppId,
        build: &BuildId,
        release: Option<ReleaseId>,
        lines: usize,
    ) -> Result<Option<String>, Refusal> {
        let place = match release {
            Some(release) => self.release_shape(token, app, &release).await?.output_stream_url,
            None => self.build_shape(token, app, build).await?.output_stream_url,
        };
        let Some(place) = place else { return Ok(None) };
        let mut tries = Tries::new(self.clock.as_ref());
        loop {
            match self.open_output(&place).await {
                Ok(None) => return Ok(None),
                Ok(Some(response)) => {
                    let text = scrub::last_lines(&tail(response).await, lines);
                    return Ok((!text.is_empty()).then_some(text));
                }
                Err(refusal) if refusal.again && tries.pause(refusal.error.fault).await => {}
                Err(refusal) => return Err(refusal),
            }
        }
    }

    /// Opens an output, without our token. `None`: it has not begun, or is gone.
    async fn open_output(&self, place: &str) -> Result<Option<Response>, Refusal> {
        let mut place = Url::parse(place).ok();
        for _ in 0..HOPS {
            let Some(url) = place.filter(|url| self.settings.api.may_lead_to(url)) else {
                return Err(Refusal::nonsense(PLACE, "it leads to no address that may be opened"));
            };
            let call = Call::new(Service::Platform, Method::GET, url.clone(), PLACE).within(WHOLE);
            let response = open(&self.streams, call).await.map_err(|fault| Refusal::unanswered(&fault, PLACE, false))?;
            match response.status() {
                StatusCode::OK | StatusCode::PARTIAL_CONTENT => return Ok(Some(response)),
                // A link that has run out is refused by the storage.
                StatusCode::NO_CONTENT | StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN => return Ok(None),
                status if status.is_redirection() => {
                    let to = response.headers().get(http::header::LOCATION).and_then(|to| to.to_str().ok());
                    place = to.and_then(|to| url.join(to).ok());
                }
                status if status.is_server_error() => {
                    return Err(Refusal::of(Fault::Unclear, PLACE, &status.as_u16().to_string()).worth_another_try());
                }
                status => return Err(Refusal::nonsense(PLACE, &status.as_u16().to_string())),
            }
        }
        Err(Refusal::nonsense(PLACE, "it is redirected in circles"))
    }
}

/// What there is now: an output that goes on is read until it is silent, or long enough.
async fn tail(response: Response) -> String {
    let mut kept = BytesMut::new();
    let mut read: usize = 0;
    let mut cut = false;
    let mut pieces = response.bytes_stream();
    // A break, or silence, ends the reading; what came before is worth showing.
    while let Some(Ok(piece)) = pieces.next().await {
        read = read.saturating_add(piece.len());
        // It is kept alive by single zeros.
        kept.extend(piece.iter().filter(|byte| **byte != 0));
        if kept.len() > KEPT.saturating_mul(2) {
            kept.advance(kept.len().saturating_sub(KEPT));
            cut = true;
        }
        if read > MOST {
            break;
        }
    }
    let text = String::from_utf8_lossy(&kept);
    match text.split_once('\n') {
        Some((_, rest)) if cut => rest.to_owned(),
        Some(_) | None => text.into_owned(),
    }
}
