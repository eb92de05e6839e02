//! The last lines of an output stream. Its address is a key, is read afresh each time, and gets no token.

use std::time::Duration;

use bytes::BytesMut;
use futures_util::StreamExt;
use http::header::LOCATION;
use http::{Method, StatusCode};
use reqwest::Response;
use secrecy::SecretString;
use url::Url;

use crate::adapters::http::call::{Call, CallFault, open};
use crate::adapters::http::retry::Tries;
use crate::adapters::http::scrub::last_lines;
use crate::domain::names::AppId;
use crate::ports::{Fault, PortError, Printed, Service};

use super::wire::Wire;
use super::{builds, releases};

/// How long a stream is read. One that goes on has then said what it had.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much is read at most, in bytes. An output comes from its beginning, and only its end is wanted.
const LIMIT: usize = 64 * 1024 * 1024;
/// How much of the end is kept, in bytes.
const TAIL: usize = 256 * 1024;
/// Running and finished streams lie on different hosts: how often one leads to the other.
const REDIRECTS: usize = 3;
/// What the stream's address is called in the log.
const PATH: &str = "(output stream)";

pub(super) async fn last(wire: &Wire, token: &SecretString, app: &AppId, of: &Printed, lines: usize) -> Result<Option<String>, PortError> {
    let address = match of {
        Printed::Release(release) => releases::shape(wire, token, app, release).await?.output_stream_url,
        Printed::Build(build) => builds::shape(wire, token, app, build).await?.output_stream_url,
    };
    let Some(address) = address else { return Ok(None) };
    let Some(response) = opened(wire, &address).await? else { return Ok(None) };
    let text = last_lines(&tail(response).await, lines);
    Ok((!text.is_empty()).then_some(text))
}

/// Opens a stream. `None`: nothing has been said yet, or it is forgotten.
async fn opened(wire: &Wire, address: &str) -> Result<Option<Response>, PortError> {
    let mut tries = Tries::new(wire.clock());
    let mut url = safe(wire, address)?;
    let mut redirects = 0;
    loop {
        let call = Call::new(Service::Platform, Method::GET, url.clone(), PATH).within(PATIENCE);
        let fault = match open(wire.streams(), call).await {
            Ok(response) => match response.status() {
                // 204: nothing follows. 404: it has not begun, or is too old. 416: nothing lies there.
                StatusCode::NO_CONTENT | StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::RANGE_NOT_SATISFIABLE => return Ok(None),
                status if status.is_success() => return Ok(Some(response)),
                status if status.is_redirection() && redirects < REDIRECTS => {
                    redirects += 1;
                    let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| url.join(to).ok());
                    url = safe(wire, to.as_ref().map_or("", Url::as_str))?;
                    continue;
                }
                status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                    error(Fault::Unclear, &format!("answered {}", status.as_u16()))
                }
                status => return Err(error(Fault::Refused, &format!("answered {}", status.as_u16()))),
            },
            Err(fault @ (CallFault::NotSent(_) | CallFault::NoAnswer(_) | CallFault::TooLong(_))) => {
                fault.error(Service::Platform, PATH, false)
            }
        };
        if !tries.pause(fault.fault).await {
            return Err(fault);
        }
    }
}

fn safe(wire: &Wire, address: &str) -> Result<Url, PortError> {
    let url = Url::parse(address).ok().filter(|url| wire.api().may_lead_to(url));
    url.ok_or_else(|| error(Fault::Nonsense, "an address that must not be opened"))
}

fn error(fault: Fault, why: &str) -> PortError {
    PortError::new(Service::Platform, fault, format!("reading an output stream: {why}"))
}

/// Reads to the end, to silence, or to the limits; a break is no fault: streams break as a matter of course.
async fn tail(response: Response) -> String {
    let mut kept = BytesMut::new();
    let (mut read, mut whole) = (0_usize, true);
    let mut pieces = response.bytes_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        read = read.saturating_add(piece.len());
        kept.extend_from_slice(&piece);
        if kept.len() > TAIL.saturating_mul(2) {
            drop(kept.split_to(kept.len().saturating_sub(TAIL)));
            whole = false;
        }
        if read >= LIMIT {
            break;
        }
    }
    let text = String::from_utf8_lossy(&kept).into_owned();
    if whole {
        return text;
    }
    // The first line has lost its beginning, by which a secret in it would be known.
    text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
}
