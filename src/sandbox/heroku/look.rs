//! Looking at what happened.

use std::ops::Range;

use axum::body::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::Heroku;
use super::http::Host;
use super::records::{BuildStatus, ReleaseStatus};
use crate::sandbox::answers::SeenAnswer;

/// A build, as the world knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenBuild {
    /// Its id.
    pub id: Uuid,
    /// The label it was given for its source.
    pub version: Option<String>,
    /// The description it was given.
    pub version_description: Option<String>,
    /// The checksum it was given.
    pub checksum: Option<String>,
    /// `pending`, `succeeded` or `failed`.
    pub status: &'static str,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// Whether its source had been uploaded, could still be fetched and matched the checksum.
    pub source_received: bool,
    /// The email of who ordered it.
    pub by: String,
}

/// A release, as the world knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRelease {
    /// Its id.
    pub id: Uuid,
    /// Its number.
    pub version: u64,
    /// What it says of itself.
    pub description: String,
    /// `pending`, `succeeded`, `failed` or `expired`.
    pub status: &'static str,
    /// Whether it runs.
    pub current: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// The email of who made it.
    pub by: String,
}

/// A request that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// Which server got it.
    pub host: Host,
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, as sent.
    pub query: Option<String>,
    /// The body, as sent; of a source nothing. `None`: a fault came before it was read.
    pub body: Option<Bytes>,
    /// The status it got; 0 if it got no answer.
    pub status: u16,
    /// The email that its token belongs to, if any.
    pub token_email: Option<String>,
    /// Whether it had a one-time code.
    pub with_code: bool,
    /// When it came.
    pub at: Timestamp,
}

/// An address for a source, and what came in there. The bytes are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenUpload {
    /// The email of who asked for the address.
    pub by: String,
    /// How many bytes came in; `None`: nothing yet.
    pub length: Option<u64>,
    /// Their SHA-256, in lower-case hexadecimal digits.
    pub sha256: Option<String>,
    /// When they came in.
    pub at: Option<Timestamp>,
}

impl BuildStatus {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl ReleaseStatus {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }
}

impl Heroku {
    /// All builds of an app, oldest first. An app that does not exist has none.
    pub fn builds(&self, app: &str) -> Vec<SeenBuild> {
        let (world, _) = self.world();
        let Some(app) = world.app(app) else { return Vec::new() };
        let of_app = world.builds.iter().filter(|build| build.app == app.id);
        of_app
            .map(|build| SeenBuild {
                id: build.id,
                version: build.version.clone(),
                version_description: build.version_description.clone(),
                checksum: build.checksum.clone(),
                status: build.status.word(),
                created_at: build.created_at,
                source_received: build.source_received,
                by: build.who.email.clone(),
            })
            .collect()
    }

    /// All releases of an app, oldest first. An app that does not exist has none.
    pub fn releases(&self, app: &str) -> Vec<SeenRelease> {
        let (world, _) = self.world();
        let Some(app) = world.app(app) else { return Vec::new() };
        let of_app = world.releases.iter().filter(|release| release.app == app.id);
        of_app
            .map(|release| SeenRelease {
                id: release.id,
                version: release.version,
                description: release.description.clone(),
                status: release.status.word(),
                current: app.current == Some(release.id),
                created_at: release.created_at,
                by: release.who.email.clone(),
            })
            .collect()
    }

    /// What whoever may see its apps reads of their builds and releases: versions and descriptions.
    pub fn descriptions(&self) -> Vec<String> {
        let (world, _) = self.world();
        let of_builds = world.builds.iter().flat_map(|build| [&build.version, &build.version_description]).flatten();
        of_builds.chain(world.releases.iter().map(|release| &release.description)).cloned().collect()
    }

    /// Every request so far, in the order they came.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.world().0.requests.clone()
    }

    /// What the Platform API and the link service answered, and how much there was no room for.
    pub fn answers(&self) -> (Vec<SeenAnswer>, usize) {
        self.world().0.answers.seen()
    }

    /// How many output streams are open: who listens to them has not gone.
    pub fn open_streams(&self) -> usize {
        self.shared.open().len()
    }

    /// Which part of an output each answer of its stream has sent, in the order they began.
    pub fn streamed(&self) -> Vec<Range<usize>> {
        self.world().0.streamed.clone()
    }

    /// Every address that was given out for a source.
    pub fn uploads(&self) -> Vec<SeenUpload> {
        let (world, _) = self.world();
        let uploads = world.uploads.iter();
        uploads
            .map(|upload| SeenUpload {
                by: upload.email.clone(),
                length: upload.received.as_ref().map(|received| received.length),
                sha256: upload.received.as_ref().map(|received| received.sha256.clone()),
                at: upload.received.as_ref().map(|received| received.at),
            })
            .collect()
    }

    /// What was done that nobody may do: config vars, other people's tokens and slugs asked for, a chunked upload or one
    /// with a content type, a token sent to a host that must not have it, a one-time code used twice.
    pub fn violations(&self) -> Vec<String> {
        self.world().0.violations.clone()
    }
}
