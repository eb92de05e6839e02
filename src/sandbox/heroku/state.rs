//! The simulated world's state: plain records, looked up by walking them.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::faults::FaultRule;
use super::look::SeenRequest;
use super::{AppRight, Held, StreamStyle};

/// The largest number of calls an account can save up.
pub(super) const BUCKET: i64 = 4500;
/// How many calls an account gets back per minute.
const REFILL_PER_MINUTE: i64 = 75;

/// The addresses of the four servers, without a final slash.
#[derive(Clone, Debug, Default)]
pub(super) struct Urls {
    pub(super) api: String,
    pub(super) link: String,
    pub(super) storage: String,
    pub(super) streams: String,
}

/// One value per stage that can be held.
#[derive(Clone, Debug, Default)]
pub(super) struct ByStage<T> {
    build: T,
    release: T,
    dynos: T,
}

impl<T> ByStage<T> {
    pub(super) fn of(&self, stage: Held) -> &T {
        match stage {
            Held::Build => &self.build,
            Held::Release => &self.release,
            Held::Dynos => &self.dynos,
        }
    }

    pub(super) fn of_mut(&mut self, stage: Held) -> &mut T {
        match stage {
            Held::Build => &mut self.build,
            Held::Release => &mut self.release,
            Held::Dynos => &mut self.dynos,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) id: Uuid,
    pub(super) email: String,
    pub(super) tokens: Vec<String>,
    pub(super) codes: Vec<String>,
    pub(super) spent_codes: Vec<String>,
    pub(super) repositories_api: bool,
    pub(super) suspended: bool,
    /// Calls left, in thousandths.
    pub(super) bucket: i64,
    pub(super) bucket_at: Timestamp,
    pub(super) rights: Vec<(Uuid, AppRight)>,
    pub(super) authorized: Vec<(Uuid, Timestamp)>,
    pub(super) created_at: Timestamp,
}

impl User {
    /// Calls left at `now`; what has come back since the last look is added.
    pub(super) fn calls_left(&mut self, now: Timestamp) -> i64 {
        let passed = i64::try_from(now.duration_since(self.bucket_at).as_millis()).unwrap_or(0).max(0);
        self.bucket = self.bucket.saturating_add(passed.saturating_mul(REFILL_PER_MINUTE) / 60).min(BUCKET * 1000);
        self.bucket_at = now;
        self.bucket / 1000
    }

    /// The right on an app.
    pub(super) fn right(&self, app: Uuid) -> Option<AppRight> {
        self.rights.iter().find(|(id, _)| *id == app).map(|(_, right)| *right)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) owner_type: String,
    pub(super) owner: String,
    pub(super) created_at: Timestamp,
    pub(super) newer_link: Option<String>,
    pub(super) older_link: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct App {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) pipeline: Option<Uuid>,
    pub(super) coupling: Uuid,
    pub(super) stage: String,
    pub(super) created_at: Timestamp,
    pub(super) quantity: u32,
    pub(super) second_factor: bool,
    pub(super) release_phase: bool,
    pub(super) build_seconds: u32,
    pub(super) release_seconds: u32,
    pub(super) boot_seconds: u32,
    pub(super) next_fails: ByStage<bool>,
    pub(super) held: ByStage<bool>,
    pub(super) word: ByStage<Option<String>>,
    pub(super) preboot: bool,
    pub(super) last_version: u64,
    pub(super) current: Option<Uuid>,
}

/// Who did something.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) id: Uuid,
    pub(super) email: String,
}

/// What is to become of a build.
#[derive(Clone, Debug)]
pub(super) enum BuildFate {
    Succeeds,
    /// With the lines that its output ends with.
    Fails(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BuildStatus {
    Pending,
    Succeeded,
    Failed,
}

#[derive(Clone, Debug)]
pub(super) struct Build {
    pub(super) id: Uuid,
    pub(super) app: Uuid,
    pub(super) who: Who,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) due: Timestamp,
    pub(super) status: BuildStatus,
    pub(super) fate: BuildFate,
    pub(super) url: String,
    pub(super) checksum: Option<String>,
    pub(super) version: Option<String>,
    pub(super) version_description: Option<String>,
    pub(super) source_received: bool,
    pub(super) release: Option<Uuid>,
    pub(super) slug: Option<Uuid>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReleaseStatus {
    Pending,
    Succeeded,
    Failed,
    Expired,
}

/// The release command's run.
#[derive(Clone, Debug)]
pub(super) struct Phase {
    pub(super) due: Timestamp,
    pub(super) fails: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Release {
    pub(super) id: Uuid,
    pub(super) app: Uuid,
    pub(super) version: u64,
    pub(super) description: String,
    pub(super) status: ReleaseStatus,
    pub(super) slug: Option<Uuid>,
    pub(super) who: Who,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    /// Whether it changed the code (a deploy or a rollback), which makes it a "deployment" in the API's words.
    pub(super) changed_code: bool,
    pub(super) phase: Option<Phase>,
    /// Whether its dynos crash at boot.
    pub(super) crashes: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Slug {
    pub(super) id: Uuid,
    pub(super) app: Uuid,
    pub(super) commit: Option<String>,
    pub(super) commit_description: Option<String>,
    pub(super) created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DynoState {
    Starting { due: Timestamp },
    Up,
    Crashed { restart_at: Timestamp },
}

#[derive(Clone, Debug)]
pub(super) struct Dyno {
    pub(super) id: Uuid,
    pub(super) app: Uuid,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) command: String,
    pub(super) release: (Uuid, u64),
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) state: DynoState,
    pub(super) crashes: bool,
    pub(super) crash_count: u32,
    /// An old dyno that goes when the new ones are up.
    pub(super) retiring: bool,
}

/// What came in for an upload address.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) length: u64,
    pub(super) sha256: String,
    pub(super) at: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub(super) key: Uuid,
    pub(super) email: String,
    pub(super) until: Timestamp,
    pub(super) received: Option<Received>,
}

/// Everything there is.
#[derive(Debug)]
pub(super) struct World {
    pub(super) urls: Urls,
    pub(super) users: Vec<User>,
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) apps: Vec<App>,
    pub(super) builds: Vec<Build>,
    pub(super) releases: Vec<Release>,
    pub(super) slugs: Vec<Slug>,
    pub(super) dynos: Vec<Dyno>,
    pub(super) uploads: Vec<Upload>,
    pub(super) requests: Vec<SeenRequest>,
    pub(super) violations: Vec<String>,
    pub(super) faults: Vec<FaultRule>,
    pub(super) hanging: CancellationToken,
    pub(super) page_size: Option<usize>,
    pub(super) build_slots: u32,
    pub(super) slots_of_others: u32,
    pub(super) code_seconds: u32,
    pub(super) upload_seconds: u32,
    pub(super) extra_fields: bool,
    pub(super) feature_known: bool,
    pub(super) streams: StreamStyle,
    counter: u64,
}

impl World {
    pub(super) fn new(urls: Urls) -> Self {
        Self {
            urls,
            users: Vec::new(),
            pipelines: Vec::new(),
            apps: Vec::new(),
            builds: Vec::new(),
            releases: Vec::new(),
            slugs: Vec::new(),
            dynos: Vec::new(),
            uploads: Vec::new(),
            requests: Vec::new(),
            violations: Vec::new(),
            faults: Vec::new(),
            hanging: CancellationToken::new(),
            page_size: None,
            build_slots: 300,
            slots_of_others: 0,
            code_seconds: 20 * 60,
            upload_seconds: 60 * 60,
            extra_fields: false,
            feature_known: true,
            streams: StreamStyle::EndEarly,
            counter: 0,
        }
    }

    /// A new id: the same in every run, and in no order, as the real ones.
    pub(super) fn fresh(&mut self) -> Uuid {
        self.counter = self.counter.saturating_add(1);
        id_of("fresh", &self.counter.to_string())
    }

    pub(super) fn user(&self, email: &str) -> Result<&User, String> {
        self.users.iter().find(|user| user.email == email).ok_or_else(|| format!("there is no user {email}"))
    }

    pub(super) fn user_mut(&mut self, email: &str) -> Result<&mut User, String> {
        self.users.iter_mut().find(|user| user.email == email).ok_or_else(|| format!("there is no user {email}"))
    }

    /// The app of that name or id.
    pub(super) fn app(&self, name_or_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| is_app(app, name_or_id))
    }

    pub(super) fn app_mut(&mut self, name_or_id: &str) -> Result<&mut App, String> {
        self.apps.iter_mut().find(|app| is_app(app, name_or_id)).ok_or_else(|| format!("there is no app {name_or_id}"))
    }

    pub(super) fn known_app(&self, name_or_id: &str) -> Result<&App, String> {
        self.app(name_or_id).ok_or_else(|| format!("there is no app {name_or_id}"))
    }

    pub(super) fn app_of(&self, id: Uuid) -> Option<&App> {
        self.apps.iter().find(|app| app.id == id)
    }

    pub(super) fn app_of_mut(&mut self, id: Uuid) -> Option<&mut App> {
        self.apps.iter_mut().find(|app| app.id == id)
    }

    pub(super) fn pipeline(&self, id: Uuid) -> Option<&Pipeline> {
        self.pipelines.iter().find(|pipeline| pipeline.id == id)
    }

    pub(super) fn release(&self, id: Uuid) -> Option<&Release> {
        self.releases.iter().find(|release| release.id == id)
    }

    pub(super) fn slug(&self, id: Uuid) -> Option<&Slug> {
        self.slugs.iter().find(|slug| slug.id == id)
    }

    /// The account that owns an app: its pipeline's owner. A team owns by an account of its own.
    pub(super) fn owner(&self, app: &App) -> Who {
        let email = match app.pipeline.and_then(|id| self.pipeline(id)) {
            Some(pipeline) if pipeline.owner_type == "team" => format!("{}@herokumanager.com", pipeline.owner),
            Some(pipeline) => pipeline.owner.clone(),
            None => self.users.first().map_or_else(|| "owner@example.com".to_owned(), |user| user.email.clone()),
        };
        let id = self.users.iter().find(|user| user.email == email).map_or_else(|| id_of("account", &email), |user| user.id);
        Who { id, email }
    }
}

fn is_app(app: &App, name_or_id: &str) -> bool {
    app.name == name_or_id || Uuid::parse_str(name_or_id).is_ok_and(|id| id == app.id)
}

/// An id that follows from a name.
pub(super) fn id_of(kind: &str, name: &str) -> Uuid {
    let digest = Sha256::new().chain_update(kind).chain_update([0]).chain_update(name).finalize();
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        if write!(text, "{byte:02x}").is_err() {
            text.clear();
        }
        text
    })
}

/// What stands in for a signature: it follows from what is signed, and nobody can guess it by accident.
pub(super) fn signature(of: &str) -> String {
    hex(&Sha256::new().chain_update("signature of ").chain_update(of).finalize())
}

/// Some seconds later.
pub(super) fn later(at: Timestamp, seconds: u32) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX)
}
