//! The parts of Heroku's answers that we read, and what they mean in our words. Everything that can be missed is optional,
//! and words that this version does not know never decide anything.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::adapters::http::scrub;
use crate::domain::names::{AppId, AppName, BuildId, CodeId, CommitSha, PipelineId, PipelineName, ReleaseId, RepoName};
use crate::domain::pipeline::{App, Environment, Pipeline};
use crate::domain::release::{Build, BuildState, Dyno, DynoKind, DynoState, Release, ReleaseState};

/// What is not of the expected type counts as not there.
fn if_fit<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// Something that is only named by its id.
#[derive(Debug, Deserialize)]
pub(super) struct Reference {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct PipelineShape {
    id: String,
    name: String,
    #[serde(default, deserialize_with = "if_fit")]
    owner: Option<OwnerShape>,
    #[serde(default, deserialize_with = "if_fit")]
    created_at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct OwnerShape {
    id: String,
    #[serde(rename = "type")]
    kind: String,
}

impl PipelineShape {
    /// `None`: its name or id is none that a command could say.
    pub(super) fn meaning(self) -> Option<Pipeline> {
        // Owners have no names here. Eight characters of an id tell two apart and fit a button.
        let owner = self.owner.map(|owner| scrub::clean(&format!("{} {}", owner.kind, owner.id.chars().take(8).collect::<String>()), 40));
        let (id, name) = (PipelineId::parse(&self.id).ok()?, PipelineName::parse(&self.name).ok()?);
        Some(Pipeline { id, name, owner, created_at: self.created_at })
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct CouplingShape {
    pub(super) app: Reference,
    pub(super) stage: String,
}

impl CouplingShape {
    /// `None`: a place for tests, or one that this version does not know.
    pub(super) fn environment(&self) -> Option<Environment> {
        match self.stage.as_str() {
            "review" => Some(Environment::Review),
            "development" => Some(Environment::Development),
            "staging" => Some(Environment::Staging),
            "production" => Some(Environment::Production),
            _ => None,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct AppShape {
    pub(super) id: String,
    name: String,
    #[serde(default, deserialize_with = "if_fit")]
    web_url: Option<String>,
}

impl AppShape {
    /// `None`: its name or id is none that a command could say.
    pub(super) fn meaning(&self, environment: Environment) -> Option<App> {
        let (id, name) = (AppId::parse(&self.id).ok()?, AppName::parse(&self.name).ok()?);
        Some(App { id, name, environment, web_url: self.web_url.as_deref().and_then(scrub::link) })
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct FeatureShape {
    pub(super) enabled: bool,
}

/// The names of a repository in a link.
#[derive(Deserialize)]
struct LinkNames {
    #[serde(default, deserialize_with = "if_fit")]
    full_name: Option<String>,
    #[serde(default, deserialize_with = "if_fit")]
    name: Option<String>,
}

/// The repository of the newer link service. No link is told in so many words: an answer without a name is none, so that it is
/// not kept for when the service says that nothing has changed.
#[derive(Debug, Deserialize)]
#[serde(try_from = "LinkNames")]
pub(super) struct NewerLinkShape(pub(super) RepoName);

impl TryFrom<LinkNames> for NewerLinkShape {
    type Error = &'static str;

    fn try_from(names: LinkNames) -> Result<Self, Self::Error> {
        let name = [names.full_name, names.name].into_iter().flatten().find_map(|name| RepoName::parse(&name).ok());
        name.map(Self).ok_or("a link without a repository's name")
    }
}

/// The repository of the older link service.
#[derive(Debug, Deserialize)]
pub(super) struct OlderLinkShape {
    pub(super) repository: NewerLinkShape,
}

#[derive(Debug, Deserialize)]
pub(super) struct CapabilitiesShape {
    pub(super) capabilities: Vec<CapabilityShape>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CapabilityShape {
    pub(super) capability: String,
    #[serde(default, deserialize_with = "if_fit")]
    pub(super) capable: Option<bool>,
    #[serde(default, deserialize_with = "if_fit")]
    pub(super) requires_second_factor: Option<bool>,
}

/// Two signed addresses. Both are keys: no `Debug`.
#[derive(Deserialize)]
pub(super) struct SourceShape {
    pub(super) source_blob: SourceAddresses,
}

#[derive(Deserialize)]
pub(super) struct SourceAddresses {
    pub(super) get_url: String,
    pub(super) put_url: String,
}

/// A build. Its stream is a key: no `Debug`.
#[derive(Deserialize)]
pub(super) struct BuildShape {
    id: BuildId,
    #[serde(default)]
    status: String,
    #[serde(default, deserialize_with = "if_fit")]
    release: Option<Reference>,
    #[serde(default, deserialize_with = "if_fit")]
    pub(super) created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "if_fit")]
    source_blob: Option<BlobShape>,
    #[serde(default, deserialize_with = "if_fit")]
    pub(super) output_stream_url: Option<String>,
}

#[derive(Deserialize)]
struct BlobShape {
    #[serde(default, deserialize_with = "if_fit")]
    version_description: Option<String>,
}

impl BuildShape {
    pub(super) fn meaning(self) -> Build {
        let state = match self.status.as_str() {
            "succeeded" => BuildState::Succeeded { release: self.release.as_ref().and_then(|release| ReleaseId::parse(&release.id).ok()) },
            "failed" | "cancelled" | "canceled" => BuildState::Failed,
            _ => BuildState::Pending,
        };
        Build { id: self.id, state, created_at: self.created_at }
    }

    /// What the order said that it builds.
    pub(super) fn description(&self) -> &str {
        self.source_blob.as_ref().and_then(|blob| blob.version_description.as_deref()).unwrap_or_default()
    }
}

/// A release. Its stream is a key: no `Debug`.
#[derive(Deserialize)]
pub(super) struct ReleaseShape {
    id: ReleaseId,
    pub(super) version: u64,
    #[serde(default)]
    status: String,
    #[serde(default)]
    pub(super) current: bool,
    #[serde(default, deserialize_with = "if_fit")]
    description: Option<String>,
    #[serde(default, deserialize_with = "if_fit")]
    user: Option<UserShape>,
    #[serde(default, deserialize_with = "if_fit")]
    created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "if_fit")]
    eligible_for_rollback: Option<bool>,
    #[serde(default, deserialize_with = "if_fit")]
    slug: Option<Reference>,
    #[serde(default, deserialize_with = "if_fit")]
    artifacts: Option<Vec<ArtifactShape>>,
    #[serde(default, deserialize_with = "if_fit")]
    pub(super) output_stream_url: Option<String>,
}

/// What was built for a release.
#[derive(Deserialize)]
struct ArtifactShape {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

/// How a promotion stands in one app.
#[derive(Deserialize)]
pub(super) struct TargetShape {
    pub(super) app: Reference,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default, deserialize_with = "if_fit")]
    pub(super) error_message: Option<String>,
    #[serde(default, deserialize_with = "if_fit")]
    release: Option<Reference>,
}

impl TargetShape {
    pub(super) fn release(&self) -> Option<ReleaseId> {
        self.release.as_ref().and_then(|release| ReleaseId::parse(&release.id).ok())
    }
}

/// Whose token it is.
#[derive(Deserialize)]
pub(super) struct AccountShape {
    pub(super) email: String,
}

#[derive(Deserialize)]
struct UserShape {
    email: String,
}

impl ReleaseShape {
    /// What it runs: a slug, or the image of an app of the Fir generation, which has no slug.
    pub(super) fn code(&self) -> Option<Code> {
        let image =
            self.artifacts.iter().flatten().find(|artifact| artifact.kind == "oci-image").map(|image| Code::Image(image.id.clone()));
        image.or_else(|| self.slug.as_ref().map(|slug| Code::Slug(slug.id.clone())))
    }

    pub(super) fn meaning(self) -> Release {
        let code = self.code().and_then(|code| code.id());
        let state = match self.status.as_str() {
            "succeeded" => ReleaseState::Succeeded,
            "failed" => ReleaseState::Failed,
            "expired" => ReleaseState::Expired,
            _ => ReleaseState::Pending,
        };
        Release {
            id: self.id,
            version: self.version,
            state,
            current: self.current,
            description: scrub::clean(self.description.as_deref().unwrap_or_default(), 200),
            by: self.user.map(|user| scrub::clean(&user.email, 100)),
            created_at: self.created_at,
            can_return: self.eligible_for_rollback,
            code,
        }
    }
}

/// What a release runs, by its id at Heroku.
pub(super) enum Code {
    /// A slug, of the Cedar generation.
    Slug(String),
    /// An OCI image, of the Fir generation.
    Image(String),
}

/// What the id of an image begins with, as the core keeps it. The id of a slug stands alone: so it was kept before there were images.
const IMAGE: &str = "oci-image/";

impl Code {
    /// The code that the core knows by this id.
    pub(super) fn of(id: &CodeId) -> Self {
        match id.as_str().strip_prefix(IMAGE) {
            Some(image) => Self::Image(image.to_owned()),
            None => Self::Slug(id.as_str().to_owned()),
        }
    }

    /// How the core knows it.
    fn id(&self) -> Option<CodeId> {
        match self {
            Self::Slug(slug) => CodeId::parse(slug).ok(),
            Self::Image(image) => CodeId::parse(&format!("{IMAGE}{image}")).ok(),
        }
    }
}

/// What a slug or an image tells of where it comes from. The link to a slug's code is not even read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct CodeShape {
    #[serde(default, deserialize_with = "if_fit")]
    commit: Option<String>,
}

impl CodeShape {
    /// `None`: it was not built from a commit.
    pub(super) fn commit(&self) -> Option<CommitSha> {
        CommitSha::parse(&self.commit.as_ref()?.to_ascii_lowercase()).ok()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct DynoShape {
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    state: String,
    #[serde(default, deserialize_with = "if_fit")]
    release: Option<VersionShape>,
}

#[derive(Debug, Deserialize)]
struct VersionShape {
    version: u64,
}

impl DynoShape {
    pub(super) fn meaning(self) -> Dyno {
        const ONCE: [&str; 3] = ["run", "release", "scheduler"];
        let by_name = self.name.split_once('.').map_or("", |(kind, _)| kind);
        let kind = if ONCE.contains(&self.kind.as_str()) || ONCE.contains(&by_name) { DynoKind::OneOff } else { DynoKind::Lasting };
        let state = match self.state.as_str() {
            "up" | "idle" => DynoState::Up,
            "starting" => DynoState::Starting,
            "crashed" => DynoState::Crashed,
            "down" => DynoState::Down,
            _ => DynoState::Unknown,
        };
        // One that does not say counts as old: it is waited for.
        let release = self.release.map_or(0, |release| release.version);
        Dyno { name: scrub::clean(&self.name, 60), kind, state, release }
    }
}
