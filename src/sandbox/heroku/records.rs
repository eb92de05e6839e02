//! The records that the simulated world is made of.

use jiff::Timestamp;
use uuid::Uuid;

use super::{AppRight, Held, StreamStyle};

/// The largest number of calls an account can save up.
pub(super) const BUCKET: i64 = 4500;
/// How many calls an account gets back per minute.
const REFILL_PER_MINUTE: i64 = 75;

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

/// Why an account is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It was suspended.
    Suspended,
    /// Invoices are unpaid.
    Delinquent,
    /// It is used from a device that it does not know.
    DeviceNotTrusted,
}

#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) id: Uuid,
    pub(super) email: String,
    pub(super) tokens: Vec<String>,
    pub(super) codes: Vec<String>,
    pub(super) spent_codes: Vec<String>,
    pub(super) repositories_api: bool,
    /// Why Heroku does nothing for the account, if it does not.
    pub(super) closed: Option<Closed>,
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
    pub(super) next_flaps: bool,
    pub(super) held: ByStage<bool>,
    pub(super) word: ByStage<Option<String>>,
    /// How its streams go; `None`: as all do.
    pub(super) streams: Option<StreamStyle>,
    pub(super) preboot: bool,
    pub(super) generation: Generation,
    pub(super) last_version: u64,
    pub(super) current: Option<Uuid>,
}

/// What an app is built to and runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    /// Slugs.
    Cedar,
    /// OCI images.
    Fir,
}

impl Generation {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Cedar => "cedar",
            Self::Fir => "fir",
        }
    }
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
    /// Whether its dynos stay up.
    pub(super) footing: Footing,
}

#[derive(Clone, Debug)]
pub(super) struct Slug {
    pub(super) id: Uuid,
    pub(super) app: Uuid,
    pub(super) commit: Option<String>,
    pub(super) commit_description: Option<String>,
    pub(super) created_at: Timestamp,
}

/// How dynos stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Footing {
    /// They come up and stay up.
    #[default]
    Firm,
    /// They crash at boot.
    Crashes,
    /// They crash at boot, come up, crash a while later, and so on.
    Flaps,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DynoState {
    Starting {
        due: Timestamp,
    },
    Up,
    /// Up until then.
    Tottering {
        until: Timestamp,
    },
    Crashed {
        restart_at: Timestamp,
    },
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
    pub(super) footing: Footing,
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

/// A promotion, and what became of each target.
#[derive(Clone, Debug)]
pub(super) struct Promotion {
    pub(super) id: Uuid,
    pub(super) pipeline: Uuid,
    /// The app, and its release.
    pub(super) source: (Uuid, Uuid),
    pub(super) who: Who,
    pub(super) created_at: Timestamp,
    pub(super) targets: Vec<PromotionTarget>,
}

#[derive(Clone, Debug)]
pub(super) struct PromotionTarget {
    pub(super) id: Uuid,
    pub(super) app: Uuid,
    /// When it gets its release.
    pub(super) due: Timestamp,
    pub(super) release: Option<Uuid>,
    /// Why it never gets one.
    pub(super) error: Option<String>,
}
