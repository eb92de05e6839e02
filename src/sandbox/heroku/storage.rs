//! The storage host: sources are put there, and slugs would lie there.

use axum::http::header;
use jiff::Timestamp;
use uuid::Uuid;

use super::http::{Answer, Asked};
use super::records::Received;
use super::state::{World, signature};

pub(super) fn answer(world: &mut World, asked: &Asked, now: Timestamp) -> Answer {
    let segments = asked.segments();
    if asked.headers.contains_key(header::AUTHORIZATION) || asked.headers.contains_key("heroku-two-factor-code") {
        world.violations.push("a token or code was sent to the storage host".to_owned());
        let message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header";
        return fault(400, "InvalidArgument", message);
    }
    match (asked.method.as_str(), segments.as_slice()) {
        (_, ["slugs", ..]) => {
            world.violations.push("the code of a slug was asked for".to_owned());
            fault(403, "AccessDenied", "Access Denied")
        }
        ("PUT", ["uploads", key]) => {
            if asked.headers.contains_key(header::TRANSFER_ENCODING) {
                world.violations.push("a source was uploaded in chunks".to_owned());
                let message = "A header you provided implies functionality that is not implemented";
                return fault(501, "NotImplemented", message);
            }
            if !asked.header("content-type").is_empty() {
                world.violations.push("a source was uploaded with a content type".to_owned());
                let message = "The request signature we calculated does not match the signature you provided.";
                return fault(403, "SignatureDoesNotMatch", message);
            }
            let Some(upload) = signed(asked, "put", key).and_then(|key| world.uploads.iter_mut().find(|upload| upload.key == key)) else {
                return fault(403, "AccessDenied", "Access Denied");
            };
            if now >= upload.until {
                return fault(403, "AccessDenied", "Request has expired");
            }
            let Some((length, sha256)) = asked.hashed.clone() else { return fault(400, "IncompleteBody", "The body is incomplete") };
            upload.received = Some(Received { length, sha256, at: now });
            Answer::text(200, "")
        }
        ("GET", ["uploads", key]) => {
            let Some(upload) = signed(asked, "get", key).and_then(|key| world.uploads.iter().find(|upload| upload.key == key)) else {
                return fault(403, "AccessDenied", "Access Denied");
            };
            if now >= upload.until {
                return fault(403, "AccessDenied", "Request has expired");
            }
            match &upload.received {
                None => fault(404, "NoSuchKey", "The specified key does not exist."),
                // The bytes are not kept; their hash is, and says as much to a test.
                Some(received) => Answer::text(200, received.sha256.clone()),
            }
        }
        _ => Answer::unknown(asked),
    }
}

/// The key of an upload, if the address is signed for this verb.
fn signed(asked: &Asked, verb: &str, key: &str) -> Option<Uuid> {
    let key = Uuid::parse_str(key).ok()?;
    (asked.query("X-Amz-Signature") == Some(signature(&format!("{verb} {key}")).as_str())).then_some(key)
}

/// A refusal as the storage service writes it.
fn fault(status: u16, code: &str, message: &str) -> Answer {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let mut answer = Answer::text(status, body);
    answer.content_type = "application/xml";
    answer
}
