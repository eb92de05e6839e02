//! The simulated world's state: plain records, looked up by walking them, and what stands in for ids and signatures.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::StreamStyle;
use super::http::{Asked, Host};
use super::look::SeenRequest;
use super::records::{App, Build, Dyno, Pipeline, Promotion, Release, Slug, Upload, User, Who};
use super::sign_in::SignIns;
use crate::sandbox::answers::Answers;
use crate::sandbox::fault::{Faults, Late};
use crate::sandbox::secrets::marked;

/// The addresses of the five servers, without a final slash.
#[derive(Clone, Debug, Default)]
pub(super) struct Urls {
    pub(super) api: String,
    pub(super) link: String,
    pub(super) storage: String,
    pub(super) streams: String,
    pub(super) id: String,
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
    pub(super) promotions: Vec<Promotion>,
    pub(super) sign_ins: SignIns,
    pub(super) requests: Vec<SeenRequest>,
    /// Which part of an output each answer of its stream has sent.
    pub(super) streamed: Vec<Range<usize>>,
    pub(super) answers: Answers,
    pub(super) violations: Vec<String>,
    pub(super) faults: Faults,
    /// What was asked for and is done later.
    pub(super) late: Late<(Host, Asked)>,
    /// How far this clock is ahead of everybody's.
    pub(super) skew: SignedDuration,
    pub(super) hanging: CancellationToken,
    pub(super) page_size: Option<usize>,
    pub(super) build_slots: u32,
    pub(super) slots_of_others: u32,
    pub(super) code_seconds: u32,
    pub(super) upload_seconds: u32,
    pub(super) extra_fields: bool,
    pub(super) feature_known: bool,
    /// What was ever to be said in place of a true state.
    pub(super) said: Vec<String>,
    /// Whether builds can be sorted by when they were made, which the schema does not list.
    pub(super) builds_by_time: bool,
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
            promotions: Vec::new(),
            sign_ins: SignIns::default(),
            requests: Vec::new(),
            streamed: Vec::new(),
            answers: Answers::default(),
            violations: Vec::new(),
            faults: Faults::default(),
            late: Late::default(),
            skew: SignedDuration::ZERO,
            hanging: CancellationToken::new(),
            page_size: None,
            build_slots: 300,
            slots_of_others: 0,
            code_seconds: 20 * 60,
            upload_seconds: 60 * 60,
            extra_fields: false,
            feature_known: true,
            said: Vec::new(),
            builds_by_time: true,
            streams: StreamStyle::Live,
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

    /// The e-mail address of whoever a token belongs to, if it is good.
    pub(super) fn whose(&self, token: &str, now: Timestamp) -> Option<String> {
        let own = self.users.iter().find(|user| user.tokens.iter().any(|known| known == token)).map(|user| user.email.clone());
        own.or_else(|| self.sign_ins.authorizations.iter().find(|held| held.is_with(token, now)).map(|held| held.email.clone()))
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
            Some(Pipeline { owner_type, owner, .. }) if owner_type == "team" => {
                // The id is the team's own: clients tell by it whether an app belongs to the owner of its pipeline.
                return Who { id: id_of("team", owner), email: format!("{owner}@herokumanager.com") };
            }
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

/// What follows from a text alone.
pub(super) fn digest(of: &str) -> String {
    hex(&Sha256::new().chain_update("signature of ").chain_update(of).finalize())
}

/// What stands in for a signature: it follows from what is signed, and nobody can guess it by accident.
pub(super) fn signature(of: &str) -> String {
    marked(digest(of).chars().take(54).collect::<String>())
}

/// Some seconds later.
pub(super) fn later(at: Timestamp, seconds: u32) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX)
}
