//! What changes by itself as time passes: builds and release phases end, dynos come up or crash.
//!
//! Nothing runs in the background. Before each look at the world, everything that was due by then is carried out, each
//! at its own moment.

use jiff::Timestamp;
use uuid::Uuid;

use super::Held;
use super::records::{Build, BuildFate, BuildStatus, Dyno, DynoState, Footing, Generation, Phase, Release, ReleaseStatus, Slug, Who};
use super::state::{World, later};

/// How long a release command may run.
const RELEASE_LIMIT: u32 = 60 * 60;
/// The longest pause before a crashed dyno is started again.
const LONGEST_PAUSE: u32 = 60 * 60;
/// How long a dyno that flaps is up, and how long it is down.
const FLAP: u32 = 15;

#[derive(Clone, Copy, Debug)]
enum Event {
    BuildEnds(Uuid),
    ReleaseEnds(Uuid),
    Promotes(Uuid),
    DynoBoots(Uuid),
    DynoRestarts(Uuid),
    DynoTumbles(Uuid),
}

/// A release to make.
#[derive(Debug)]
pub(super) struct NewRelease {
    pub(super) app: Uuid,
    pub(super) description: String,
    pub(super) slug: Option<Uuid>,
    pub(super) who: Who,
    pub(super) changed_code: bool,
}

impl World {
    /// Carries out everything that was due by `now`.
    pub(super) fn settle(&mut self, now: Timestamp) {
        while let Some((at, event)) = self.next_due()
            && at <= now
        {
            match event {
                Event::BuildEnds(id) => self.build_ends(id, at),
                Event::ReleaseEnds(id) => self.release_ends(id, at),
                Event::Promotes(id) => self.promote(id, at),
                Event::DynoBoots(id) => self.dyno_boots(id, at),
                Event::DynoRestarts(id) => self.dyno_restarts(id, at),
                Event::DynoTumbles(id) => self.dyno_tumbles(id, at),
            }
        }
    }

    /// The earliest moment at which something pending changes. A crashed dyno that keeps restarting is not pending.
    pub(super) fn next_pending(&self) -> Option<Timestamp> {
        let builds = self.due_builds().map(|(at, _)| at);
        let releases = self.due_releases().map(|(at, _)| at);
        let dynos = self.dynos.iter().filter_map(|dyno| match dyno.state {
            DynoState::Starting { due } if dyno.crash_count == 0 && !self.is_held(dyno.app, Held::Dynos) => Some(due),
            DynoState::Starting { .. } | DynoState::Up | DynoState::Tottering { .. } | DynoState::Crashed { .. } => None,
        });
        let promotions = self.due_promotions().map(|(at, _)| at);
        builds.chain(releases).chain(dynos).chain(promotions).min()
    }

    fn next_due(&self) -> Option<(Timestamp, Event)> {
        let dynos = self.dynos.iter().filter(|dyno| !self.is_held(dyno.app, Held::Dynos)).filter_map(|dyno| match dyno.state {
            DynoState::Starting { due } => Some((due, Event::DynoBoots(dyno.id))),
            DynoState::Crashed { restart_at } => Some((restart_at, Event::DynoRestarts(dyno.id))),
            DynoState::Tottering { until } => Some((until, Event::DynoTumbles(dyno.id))),
            DynoState::Up => None,
        });
        let promotions = self.due_promotions().map(|(at, id)| (at, Event::Promotes(id)));
        self.due_builds().chain(self.due_releases()).chain(promotions).chain(dynos).min_by_key(|(at, _)| *at)
    }

    fn due_builds(&self) -> impl Iterator<Item = (Timestamp, Event)> {
        self.builds
            .iter()
            .filter(|build| build.status == BuildStatus::Pending && !self.is_held(build.app, Held::Build))
            .map(|build| (build.due, Event::BuildEnds(build.id)))
    }

    fn due_releases(&self) -> impl Iterator<Item = (Timestamp, Event)> {
        self.releases
            .iter()
            .filter(|release| release.status == ReleaseStatus::Pending && !self.is_held(release.app, Held::Release))
            .filter_map(|release| release.phase.as_ref().map(|phase| (phase.due, Event::ReleaseEnds(release.id))))
    }

    pub(super) fn is_held(&self, app: Uuid, stage: Held) -> bool {
        self.app_of(app).is_some_and(|app| *app.held.of(stage))
    }

    /// Lets what was held go on: what should have ended meanwhile ends now.
    pub(super) fn release_holds(&mut self, app: Uuid, now: Timestamp) {
        if let Some(app) = self.app_of_mut(app) {
            for stage in [Held::Build, Held::Release, Held::Dynos] {
                *app.held.of_mut(stage) = false;
            }
        }
        for build in self.builds.iter_mut().filter(|build| build.app == app && build.status == BuildStatus::Pending) {
            build.due = build.due.max(now);
        }
        for release in self.releases.iter_mut().filter(|release| release.app == app && release.status == ReleaseStatus::Pending) {
            if let Some(phase) = &mut release.phase {
                phase.due = phase.due.max(now);
            }
        }
        for dyno in self.dynos.iter_mut().filter(|dyno| dyno.app == app) {
            match &mut dyno.state {
                DynoState::Starting { due: at } | DynoState::Crashed { restart_at: at } | DynoState::Tottering { until: at } => {
                    *at = (*at).max(now);
                }
                DynoState::Up => {}
            }
        }
    }

    fn build_ends(&mut self, id: Uuid, at: Timestamp) {
        let Some(build) = self.builds.iter_mut().find(|build| build.id == id) else { return };
        build.updated_at = at;
        build.status = match build.fate {
            BuildFate::Succeeds => BuildStatus::Succeeded,
            BuildFate::Fails(_) => BuildStatus::Failed,
        };
        if build.status == BuildStatus::Failed {
            return;
        }
        let Build { app, who, version, version_description, .. } = build.clone();
        let slug = self.add_slug(app, version.clone(), version_description, at);
        let label: String = version.unwrap_or_default().chars().take(8).collect();
        let description = format!("Deploy {label}").trim_end().to_owned();
        let release = self.make_release(NewRelease { app, description, slug: Some(slug), who, changed_code: true }, at);
        if let Some(build) = self.builds.iter_mut().find(|build| build.id == id) {
            build.slug = Some(slug);
            build.release = Some(release);
        }
    }

    pub(super) fn add_slug(
        &mut self,
        app: Uuid,
        commit: Option<String>,
        commit_description: Option<String>,
        created_at: Timestamp,
    ) -> Uuid {
        let id = self.fresh();
        self.slugs.push(Slug { id, app, commit, commit_description, created_at });
        id
    }

    /// Makes a release: with a release command it is pending first, without one it runs at once.
    pub(super) fn make_release(&mut self, new: NewRelease, at: Timestamp) -> Uuid {
        let id = self.fresh();
        let NewRelease { app: app_id, description, slug, who, changed_code } = new;
        let (mut version, mut phase, mut footing) = (0, None, Footing::Firm);
        if let Some(app) = self.app_of_mut(app_id) {
            app.last_version += 1;
            version = app.last_version;
            if slug.is_some() {
                footing = match (std::mem::take(app.next_fails.of_mut(Held::Dynos)), std::mem::take(&mut app.next_flaps)) {
                    (true, _) => Footing::Crashes,
                    (false, true) => Footing::Flaps,
                    (false, false) => Footing::Firm,
                };
                phase = app.release_phase.then(|| Phase {
                    due: later(at, app.release_seconds.min(RELEASE_LIMIT)),
                    fails: std::mem::take(app.next_fails.of_mut(Held::Release)) || app.release_seconds > RELEASE_LIMIT,
                });
            }
        }
        let runs_command = phase.is_some();
        self.releases.push(Release {
            id,
            app: app_id,
            version,
            description,
            status: if runs_command { ReleaseStatus::Pending } else { ReleaseStatus::Succeeded },
            slug,
            who,
            created_at: at,
            updated_at: at,
            changed_code,
            phase,
            footing,
        });
        if runs_command {
            let name = format!("release.{}", one_off_number(id));
            self.add_dyno(app_id, "release", name, "bin/migrate", (id, version), at, DynoState::Up);
        } else {
            self.becomes_current(id, at);
        }
        id
    }

    fn release_ends(&mut self, id: Uuid, at: Timestamp) {
        let Some(release) = self.releases.iter_mut().find(|release| release.id == id) else { return };
        let fails = release.phase.as_ref().is_some_and(|phase| phase.fails);
        release.status = if fails { ReleaseStatus::Failed } else { ReleaseStatus::Succeeded };
        release.updated_at = at;
        self.dynos.retain(|dyno| dyno.kind != "release" || dyno.release.0 != id);
        if !fails {
            self.becomes_current(id, at);
        }
    }

    /// Makes a release the running one, unless a newer one runs already, and replaces the dynos.
    pub(super) fn becomes_current(&mut self, id: Uuid, at: Timestamp) {
        let Some(Release { app: app_id, version, slug, footing, .. }) = self.release(id).cloned() else { return };
        let newest = self.app_of(app_id).and_then(|app| app.current).and_then(|id| self.release(id)).map_or(0, |current| current.version);
        if version < newest {
            return;
        }
        let Some(app) = self.app_of_mut(app_id) else { return };
        app.current = Some(id);
        let (quantity, boot, preboot) = (app.quantity, app.boot_seconds, app.preboot);
        if slug.is_none() {
            return;
        }
        if preboot && quantity > 0 {
            self.dynos.iter_mut().filter(|dyno| dyno.app == app_id && dyno.kind == "web").for_each(|dyno| dyno.retiring = true);
        } else {
            self.dynos.retain(|dyno| dyno.app != app_id || dyno.kind != "web");
        }
        for number in 1..=quantity {
            self.start_web(app_id, number, (id, version), at, boot, footing);
        }
    }

    pub(super) fn start_web(&mut self, app: Uuid, number: u32, release: (Uuid, u64), at: Timestamp, boot: u32, footing: Footing) {
        let state = DynoState::Starting { due: later(at, boot) };
        let name = match self.app_of(app).map(|app| app.generation) {
            // These have no numbers.
            Some(Generation::Fir) => {
                let random = self.fresh().simple().to_string();
                let part = |range| random.get(range).unwrap_or_default();
                format!("web-{}-{}", part(0..9), part(9..14))
            }
            Some(Generation::Cedar) | None => format!("web.{number}"),
        };
        self.add_dyno(app, "web", name, "bin/server", release, at, state);
        if let Some(dyno) = self.dynos.last_mut() {
            dyno.footing = footing;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a dyno has that many properties, and naming them in a second struct adds nothing")]
    pub(super) fn add_dyno(
        &mut self,
        app: Uuid,
        kind: &str,
        name: String,
        command: &str,
        release: (Uuid, u64),
        at: Timestamp,
        state: DynoState,
    ) {
        let id = self.fresh();
        let dyno = Dyno {
            id,
            app,
            kind: kind.to_owned(),
            name,
            command: command.to_owned(),
            release,
            created_at: at,
            updated_at: at,
            state,
            footing: Footing::Firm,
            crash_count: 0,
            retiring: false,
        };
        self.dynos.push(dyno);
    }

    fn dyno_boots(&mut self, id: Uuid, at: Timestamp) {
        let Some(dyno) = self.dynos.iter_mut().find(|dyno| dyno.id == id) else { return };
        dyno.updated_at = at;
        match dyno.footing {
            Footing::Crashes => {
                let pause = 10_u32.saturating_mul(2_u32.saturating_pow(dyno.crash_count)).min(LONGEST_PAUSE);
                return dyno.crash(at, pause);
            }
            Footing::Flaps if dyno.crash_count == 0 => return dyno.crash(at, FLAP),
            Footing::Flaps => dyno.state = DynoState::Tottering { until: later(at, FLAP) },
            Footing::Firm => dyno.state = DynoState::Up,
        }
        let app = dyno.app;
        let all_up = self.dynos.iter().filter(|dyno| dyno.app == app && dyno.kind == "web").all(|dyno| dyno.retiring || dyno.is_up());
        if all_up {
            self.dynos.retain(|dyno| dyno.app != app || !dyno.retiring);
        }
    }

    fn dyno_tumbles(&mut self, id: Uuid, at: Timestamp) {
        if let Some(dyno) = self.dynos.iter_mut().find(|dyno| dyno.id == id) {
            dyno.updated_at = at;
            dyno.crash(at, FLAP);
        }
    }

    fn dyno_restarts(&mut self, id: Uuid, at: Timestamp) {
        let Some(dyno) = self.dynos.iter_mut().find(|dyno| dyno.id == id) else { return };
        dyno.updated_at = at;
        let app = dyno.app;
        // At least a second, so that a dyno which crashes in no time does not crash without end in one look.
        let boot = self.app_of(app).map_or(1, |app| app.boot_seconds).max(1);
        if let Some(dyno) = self.dynos.iter_mut().find(|dyno| dyno.id == id) {
            dyno.state = DynoState::Starting { due: later(at, boot) };
        }
    }
}

impl Dyno {
    fn is_up(&self) -> bool {
        matches!(self.state, DynoState::Up | DynoState::Tottering { .. })
    }

    fn crash(&mut self, at: Timestamp, pause: u32) {
        self.crash_count = self.crash_count.saturating_add(1);
        self.state = DynoState::Crashed { restart_at: later(at, pause) };
    }
}

/// The number in the name of a one-off dyno.
pub(super) fn one_off_number(id: Uuid) -> u128 {
    1000 + id.as_u128() % 9000
}
