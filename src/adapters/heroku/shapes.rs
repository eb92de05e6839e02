//! What we read of Heroku's answers: only what is needed, everything else may be missing or new.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct WithId {
    pub(super) id: String,
}

#[derive(Deserialize)]
pub(super) struct PipelineShape {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) owner: Option<Owner>,
    pub(super) created_at: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Owner {
    pub(super) id: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Coupling {
    pub(super) app: WithId,
    pub(super) stage: String,
}

#[derive(Deserialize)]
pub(super) struct AppShape {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) web_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Feature {
    pub(super) enabled: Option<bool>,
}

/// The newer service's answer: a repository of GitHub.
#[derive(Deserialize)]
pub(super) struct LinkedRepository {
    pub(super) full_name: String,
}

/// The older service's answer.
#[derive(Deserialize)]
pub(super) struct PipelineRepository {
    pub(super) repository: RepositoryName,
}

#[derive(Deserialize)]
pub(super) struct RepositoryName {
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct Capabilities {
    #[serde(default)]
    pub(super) capabilities: Vec<Capability>,
}

#[derive(Deserialize)]
pub(super) struct Capability {
    pub(super) requires_second_factor: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Source {
    pub(super) source_blob: SourceBlob,
}

#[derive(Deserialize)]
pub(super) struct SourceBlob {
    pub(super) get_url: String,
    pub(super) put_url: String,
}

#[derive(Deserialize)]
pub(super) struct BuildShape {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) created_at: Option<String>,
    pub(super) release: Option<WithId>,
    pub(super) source_blob: Option<BuiltFrom>,
    /// Opens the output to anybody: never told.
    pub(super) output_stream_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct BuiltFrom {
    pub(super) version_description: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ReleaseShape {
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) current: bool,
    pub(super) description: Option<String>,
    pub(super) user: Option<User>,
    pub(super) created_at: Option<String>,
    pub(super) eligible_for_rollback: Option<bool>,
    pub(super) slug: Option<WithId>,
    /// Opens the output to anybody: never told.
    pub(super) output_stream_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) email: Option<String>,
}

/// A slug without its download link, which is not read.
#[derive(Deserialize)]
pub(super) struct Slug {
    pub(super) commit: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct DynoShape {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) state: String,
    pub(super) release: Option<DynoRelease>,
}

#[derive(Deserialize)]
pub(super) struct DynoRelease {
    pub(super) version: u64,
}
