//! The outside of a run: builds, releases and dynos that take their time, records, codes and messages, and what must never be seen.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};
use slash_heroku::domain::deployment::MessageRef;
use slash_heroku::domain::message::{Message, Span, Tone};
use slash_heroku::domain::names::{AppId, BuildId, CommitSha, DeliveryId, DeploymentId, ReleaseId};
use slash_heroku::domain::release::{BuildState, Dyno, DynoKind, DynoState, Release, ReleaseState, Running};
use slash_heroku::domain::source::ReportState;

use super::schedule::Random;

/// What is to become of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destiny {
    Runs,
    BuildFails,
    ReleaseFails,
    DynosCrash,
}

/// A build and all that comes of it, as it was laid down when it was ordered.
#[derive(Clone, Debug)]
pub struct Built {
    pub app: AppId,
    pub deployment: DeploymentId,
    pub commit: CommitSha,
    pub created: Timestamp,
    pub destiny: Destiny,
    /// The number of its release, if there will be one.
    pub version: u64,
    built: Timestamp,
    released: Timestamp,
    up: Timestamp,
    pub stopped: bool,
}

impl Built {
    fn is_built(&self, now: Timestamp) -> bool {
        self.stopped || now >= self.built
    }

    pub fn state(&self, number: usize, now: Timestamp) -> BuildState {
        if !self.is_built(now) {
            return BuildState::Pending;
        }
        if self.stopped || self.destiny == Destiny::BuildFails {
            return BuildState::Failed;
        }
        BuildState::Succeeded { release: Some(ReleaseId::parse(&format!("release-{number}")).unwrap()) }
    }

    /// When the output of the build ends, or that of its release.
    pub fn prints_until(&self, release: bool) -> Timestamp {
        if release { self.released } else { self.built }
    }

    fn has_release(&self, now: Timestamp) -> bool {
        !self.stopped && self.destiny != Destiny::BuildFails && now >= self.built
    }

    fn release_state(&self, now: Timestamp) -> ReleaseState {
        match self.destiny {
            _ if now < self.released => ReleaseState::Pending,
            Destiny::ReleaseFails => ReleaseState::Failed,
            Destiny::Runs | Destiny::BuildFails | Destiny::DynosCrash => ReleaseState::Succeeded,
        }
    }

    fn serves(&self, now: Timestamp) -> bool {
        self.has_release(now) && self.release_state(now) == ReleaseState::Succeeded
    }

    /// Whether nothing goes on because of it any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let no_release = self.is_built(now) && (self.stopped || self.destiny == Destiny::BuildFails);
        no_release || (self.destiny == Destiny::ReleaseFails && now >= self.released) || now >= self.up
    }
}

/// A record at the source control.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub deployment: DeploymentId,
    pub states: Vec<ReportState>,
}

/// An order that arrives late.
#[derive(Clone, Debug)]
pub enum Order {
    Build { app: AppId, deployment: DeploymentId, commit: CommitSha },
    Record { deployment: DeploymentId },
}

#[derive(Debug)]
pub struct Outside {
    pub builds: Vec<Built>,
    pub records: Vec<Recorded>,
    pub heads: HashMap<&'static str, CommitSha>,
    /// The cards, by their number, each with all that it has ever shown.
    pub cards: Vec<Vec<Shown>>,
    pub answers: HashMap<DeliveryId, usize>,
    codes: HashMap<(String, AppId), Timestamp>,
    late: Vec<(Timestamp, Order)>,
    /// Orders of which one was lost or late already.
    pub unlucky: Vec<(DeploymentId, bool)>,
    /// What must never happen, and did.
    pub faults: Vec<String>,
}

/// What a card shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    pub tone: Tone,
    /// How far it says that the deployment has come.
    pub rank: u8,
}

impl Shown {
    pub fn of(message: &Message) -> Self {
        let spans = || message.lines.iter().flatten().chain(&message.headline);
        let links_to = |what: &str| spans().any(|span| matches!(span, Span::Link { url, .. } if url.contains(what)));
        let is_end = matches!(message.tone, Tone::Good | Tone::Bad | Tone::Attention | Tone::Info);
        let rank = if is_end {
            9
        } else if links_to("/release/") {
            2
        } else {
            u8::from(links_to("/build/"))
        };
        Self { tone: message.tone, rank }
    }
}

/// For how long the platform remembers a code.
const CODE_LASTS: SignedDuration = SignedDuration::from_mins(20);

#[derive(Debug)]
pub struct World(Mutex<Outside>);

impl World {
    pub fn new() -> Self {
        let head = |digit: &str| CommitSha::parse(&digit.repeat(40)).unwrap();
        Self(Mutex::new(Outside {
            builds: Vec::new(),
            records: Vec::new(),
            heads: HashMap::from([("main", head("a")), ("topic", head("b")), ("moving", head("c"))]),
            cards: Vec::new(),
            answers: HashMap::new(),
            codes: HashMap::new(),
            late: Vec::new(),
            unlucky: Vec::new(),
            faults: Vec::new(),
        }))
    }

    /// The outside as it is at a moment.
    pub fn at(&self, now: Timestamp, random: &mut Random) -> MutexGuard<'_, Outside> {
        let mut outside = self.look();
        let (due, late): (Vec<_>, Vec<_>) = std::mem::take(&mut outside.late).into_iter().partition(|(when, _)| *when <= now);
        outside.late = late;
        due.into_iter().for_each(|(when, order)| outside.carry_out(order, when, random));
        outside
    }

    pub fn look(&self) -> MutexGuard<'_, Outside> {
        self.0.lock().unwrap()
    }
}

impl Outside {
    pub fn carry_out(&mut self, order: Order, now: Timestamp, random: &mut Random) {
        match order {
            Order::Record { deployment } => {
                if self.records.iter().any(|record| record.deployment == deployment) {
                    self.faults.push(format!("a second record of {deployment} at the source control"));
                }
                self.records.push(Recorded { deployment, states: Vec::new() });
            }
            Order::Build { app, deployment, commit } => {
                if self.builds.iter().any(|build| build.deployment == deployment) {
                    self.faults.push(format!("a second build of {deployment}"));
                }
                if let Some(other) = self.builds.iter().find(|build| build.app == app && !build.is_over(now)) {
                    self.faults.push(format!("{deployment} builds in {app} while {} goes on there", other.deployment));
                }
                let destiny = match random.below(20) {
                    0 | 1 => Destiny::BuildFails,
                    2 => Destiny::ReleaseFails,
                    3 => Destiny::DynosCrash,
                    _ => Destiny::Runs,
                };
                let mut later = |from: Timestamp, longest| from + SignedDuration::from_millis(random.between(0, longest));
                let built = later(now, 15_000);
                let released = later(built, 6_000);
                let up = later(released, 6_000);
                let version = self.builds.iter().filter(|build| build.app == app).count() as u64 + 1;
                self.builds.push(Built { app, deployment, commit, created: now, destiny, version, built, released, up, stopped: false });
            }
        }
    }

    pub fn comes_late(&mut self, order: Order, when: Timestamp) {
        self.late.push((when, order));
    }

    /// Whether something that was ordered has not arrived.
    pub fn awaits(&self) -> bool {
        !self.late.is_empty()
    }

    pub fn build_of(&self, deployment: DeploymentId) -> Option<(usize, &Built)> {
        self.builds.iter().enumerate().find(|(_, build)| build.deployment == deployment)
    }

    pub fn build_number(id: &BuildId) -> usize {
        id.as_str().trim_start_matches("build-").parse().unwrap()
    }

    pub fn release(&self, id: &ReleaseId, now: Timestamp) -> Option<Release> {
        let build = self.builds.get(id.as_str().trim_start_matches("release-").parse::<usize>().ok()?)?;
        build.has_release(now).then(|| Release {
            id: id.clone(),
            version: build.version,
            state: build.release_state(now),
            current: build.serves(now),
            description: "Deploy".to_owned(),
            by: None,
            created_at: Some(build.built),
            can_return: None,
            code: None,
        })
    }

    pub fn dynos(&self, app: &AppId, now: Timestamp) -> Vec<Dyno> {
        let serving = self.builds.iter().rev().filter(|build| build.app == *app && build.serves(now));
        let newest = serving.clone().next();
        let up = serving.clone().find(|build| now >= build.up);
        let (release, state) = match (newest, up) {
            (Some(newest), Some(up)) if newest.version == up.version => {
                (newest.version, if newest.destiny == Destiny::DynosCrash { DynoState::Crashed } else { DynoState::Up })
            }
            (Some(newest), None) => (newest.version, DynoState::Starting),
            (Some(_) | None, up) => (up.map_or(0, |up| up.version), DynoState::Up),
        };
        vec![Dyno { name: "web.1".to_owned(), kind: DynoKind::Lasting, state, release }]
    }

    pub fn running(&self, app: &AppId, now: Timestamp) -> Option<Running> {
        let build = self.builds.iter().rev().find(|build| build.app == *app && build.serves(now))?;
        Some(Running { version: build.version, commit: Some(build.commit.clone()), code: true })
    }

    pub fn wants_code(&self, person: &str, app: &AppId, now: Timestamp) -> bool {
        let given = self.codes.get(&(person.to_owned(), app.clone()));
        app.as_str() == "vault-production" && given.is_none_or(|at| now.duration_since(*at) >= CODE_LASTS)
    }

    pub fn takes_code(&mut self, person: &str, app: &AppId, now: Timestamp) {
        self.codes.insert((person.to_owned(), app.clone()), now);
    }

    pub fn card(&mut self, of: &MessageRef) -> Option<&mut Vec<Shown>> {
        self.cards.get_mut(of.message.parse::<usize>().ok()?)
    }
}
