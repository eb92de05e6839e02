//! An answer before it is sent, and the bodies of errors.

use bytes::Bytes;
use serde_json::{Value, json};

use super::tarball::Tarball;

/// Where the errors point to.
const DOCS: &str = "https://docs.github.com/rest";

/// An answer before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    /// Sent in place of the body: in pieces, without a length.
    pub(super) archive: Option<Box<Tarball>>,
}

impl Answer {
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), archive: None }
    }

    pub(super) fn text(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into(), archive: None }
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(super) fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn error(status: u16, message: &str) -> Self {
        Self::error_at(status, message, "")
    }

    /// An error that points to a page of the documentation.
    pub(super) fn error_at(status: u16, message: &str, page: &str) -> Self {
        let body = json!({ "message": message, "documentation_url": format!("{DOCS}{page}"), "status": status.to_string() });
        Self::json(status, &body)
    }

    pub(super) fn not_found() -> Self {
        Self::error(404, "Not Found")
    }

    /// A 422 or 409 with a list of faults.
    pub(super) fn faults(status: u16, message: &str, faults: &Value, page: &str) -> Self {
        let docs = format!("{DOCS}{page}");
        Self::json(status, &json!({ "message": message, "errors": faults, "documentation_url": docs, "status": status.to_string() }))
    }

    /// A 422 on one field.
    pub(super) fn invalid(resource: &str, field: &str, message: &str, page: &str) -> Self {
        let fault = json!([{ "resource": resource, "code": "custom", "field": field, "message": message }]);
        Self::faults(422, "Validation Failed", &fault, page)
    }

    /// What the simulator does not know.
    pub(super) fn unknown(path: &str) -> Self {
        Self::text(501, "text/plain; charset=utf-8", format!("this simulator does not know {path}"))
    }
}
