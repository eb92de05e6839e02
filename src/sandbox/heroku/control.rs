//! Making the world behave: what fails next, what is held, how much there is of something.

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::life::{NewRelease, one_off_number};
use super::records::{BUCKET, DynoState, Generation, ReleaseStatus};
use super::{Held, Heroku, StreamStyle};
use crate::sandbox::fault::{FaultRule, Strikes, skewed};

impl Heroku {
    /// The next build of the app fails.
    pub fn next_build_fails(&self, app: &str) -> Result<(), String> {
        self.world().0.app_mut(app).map(|app| *app.next_fails.of_mut(Held::Build) = true)
    }

    /// The release command of the next release fails. Without a release command there is nothing to fail.
    pub fn next_release_fails(&self, app: &str) -> Result<(), String> {
        let (mut world, _) = self.world();
        let app = world.app_mut(app)?;
        if !app.release_phase {
            return Err(format!("{} has no release command", app.name));
        }
        *app.next_fails.of_mut(Held::Release) = true;
        Ok(())
    }

    /// The dynos of the next release crash at boot, and again after each restart.
    pub fn next_dynos_crash(&self, app: &str) -> Result<(), String> {
        self.world().0.app_mut(app).map(|app| *app.next_fails.of_mut(Held::Dynos) = true)
    }

    /// The dynos of the next release crash at boot, come up after a while, crash again, and so on.
    pub fn next_dynos_flap(&self, app: &str) -> Result<(), String> {
        self.world().0.app_mut(app).map(|app| app.next_flaps = true)
    }

    /// Keeps a stage of the app pending until [`Heroku::let_go`].
    pub fn hold(&self, app: &str, stage: Held) -> Result<(), String> {
        self.world().0.app_mut(app).map(|app| *app.held.of_mut(stage) = true)
    }

    /// Lets everything of the app go on that was held; what should have ended meanwhile ends now.
    pub fn let_go(&self, app: &str) -> Result<(), String> {
        let (mut world, now) = self.world();
        let app = world.known_app(app)?.id;
        world.release_holds(app, now);
        world.settle(now);
        drop(world);
        self.shared.stir();
        Ok(())
    }

    /// Says `word` as the state of the app's builds, releases or dynos instead of the true one, until given `None`: a state
    /// that no list has, or `idle` for dynos.
    pub fn say_state(&self, app: &str, stage: Held, word: Option<&str>) -> Result<(), String> {
        let (mut world, _) = self.world();
        world.said.extend(word.map(str::to_owned));
        world.app_mut(app).map(|app| *app.word.of_mut(stage) = word.map(str::to_owned))
    }

    /// The words that were ever to be said in place of a true state.
    pub fn said_instead(&self) -> Vec<String> {
        self.world().0.said.clone()
    }

    /// Whether building and releasing of the app need a second factor.
    pub fn second_factor(&self, app: &str, on: bool) -> Result<(), String> {
        self.world().0.app_mut(app).map(|app| app.second_factor = on)
    }

    /// Whether builds can be sorted by when they were made: Heroku's client does, and the schema does not list it.
    pub fn builds_by_time(&self, can: bool) {
        self.world().0.builds_by_time = can;
    }

    /// Whether old dynos stay listed until the new ones are up.
    pub fn preboot(&self, app: &str, on: bool) -> Result<(), String> {
        self.world().0.app_mut(app).map(|app| app.preboot = on)
    }

    /// Makes an app one of the Fir generation: whatever was and will be built for it is an OCI image.
    pub fn of_fir(&self, app: &str) -> Result<(), String> {
        self.world().0.app_mut(app).map(|app| app.generation = Generation::Fir)
    }

    /// Scales the web dynos: new ones start on the current release, the last ones go. No release is made.
    pub fn set_dynos(&self, app: &str, quantity: u32) -> Result<(), String> {
        let (mut world, now) = self.world();
        let app = world.app_mut(app)?;
        let before = std::mem::replace(&mut app.quantity, quantity);
        let app = app.clone();
        let mut nameless = 0;
        let mut keep = |name: &str| {
            let number = name.rsplit_once('.').and_then(|(_, number)| number.parse::<u32>().ok());
            number.unwrap_or_else(|| {
                nameless += 1;
                nameless
            }) <= quantity
        };
        world.dynos.retain(|dyno| dyno.app != app.id || dyno.kind != "web" || keep(&dyno.name));
        let current = app.current.and_then(|id| world.release(id)).cloned();
        if let Some(current) = current.filter(|release| release.slug.is_some()) {
            for number in before.saturating_add(1)..=quantity {
                world.start_web(app.id, number, (current.id, current.version), now, app.boot_seconds, current.footing);
            }
        }
        Ok(())
    }

    /// Adds a `run` and a `scheduler` dyno on the current release. They outlive deploys.
    pub fn add_oneoff(&self, app: &str) -> Result<(), String> {
        let (mut world, now) = self.world();
        let app = world.known_app(app)?.clone();
        let release = app.current.and_then(|id| world.release(id)).map(|release| (release.id, release.version));
        let release = release.ok_or_else(|| format!("{} has no release yet", app.name))?;
        for kind in ["run", "scheduler"] {
            let number = one_off_number(world.fresh());
            world.add_dyno(app.id, kind, format!("{kind}.{number}"), "bin/task", release, now, DynoState::Up);
        }
        Ok(())
    }

    /// Somebody sets a config var: a release with the same code, the release command, new dynos.
    pub fn config_change(&self, app: &str, key: &str) -> Result<(), String> {
        let (mut world, now) = self.world();
        let app = world.known_app(app)?.clone();
        let slug = app.current.and_then(|id| world.release(id)).and_then(|release| release.slug);
        let who = world.owner(&app);
        let new = NewRelease { app: app.id, description: format!("Set {key} config vars"), slug, who, changed_code: false };
        world.make_release(new, now);
        world.settle(now);
        Ok(())
    }

    /// Destroys the code of every release of the app but the current one and those still pending.
    pub fn expire_old_releases(&self, app: &str) -> Result<(), String> {
        let (mut world, now) = self.world();
        let (app, current) = world.known_app(app).map(|app| (app.id, app.current))?;
        for release in world.releases.iter_mut().filter(|release| release.app == app && Some(release.id) != current) {
            if release.status == ReleaseStatus::Succeeded || release.status == ReleaseStatus::Failed {
                release.status = ReleaseStatus::Expired;
                release.updated_at = now;
            }
        }
        Ok(())
    }

    /// Destroys the code of every release of the app, although one of them serves.
    pub fn lose_code(&self, app: &str) -> Result<(), String> {
        let (mut world, _) = self.world();
        let app = world.known_app(app)?.id;
        world.slugs.retain(|slug| slug.app != app);
        Ok(())
    }

    /// The app and its first release were made at this time, not now.
    pub fn made_at(&self, app: &str, at: Timestamp) -> Result<(), String> {
        let (mut world, _) = self.world();
        let app = world.app_mut(app)?;
        app.created_at = at;
        let id = app.id;
        for release in world.releases.iter_mut().filter(|release| release.app == id && release.version == 1) {
            (release.created_at, release.updated_at) = (at, at);
        }
        Ok(())
    }

    /// How many builds may run at a time; 300 unless set.
    pub fn build_slots(&self, slots: u32) {
        self.world().0.build_slots = slots;
    }

    /// Builds of apps that nobody here sees take this many of the slots, until [`Heroku::free_slots`].
    pub fn use_up_slots(&self, slots: u32) {
        self.world().0.slots_of_others = slots;
    }

    /// Frees what [`Heroku::use_up_slots`] took.
    pub fn free_slots(&self) {
        self.world().0.slots_of_others = 0;
    }

    /// How long an app stays open after a one-time code was given for it; 20 minutes unless set.
    pub fn forget_code_after(&self, seconds: u32) {
        self.world().0.code_seconds = seconds;
    }

    /// How long addresses for sources live from now on; an hour unless set.
    pub fn uploads_expire_after(&self, seconds: u32) {
        self.world().0.upload_seconds = seconds;
    }

    /// Makes lists come in pages of at most `size`, whatever is asked for.
    pub fn page_size(&self, size: usize) {
        self.world().0.page_size = Some(size.max(1));
    }

    /// Sets the number of calls an account has left, at most 4,500.
    pub fn calls_left(&self, email: &str, calls: u32) -> Result<(), String> {
        let (mut world, now) = self.world();
        let user = world.user_mut(email)?;
        user.bucket = i64::from(calls).min(BUCKET) * 1000;
        user.bucket_at = now;
        Ok(())
    }

    /// Whether answers have fields that no list has.
    pub fn extra_fields(&self, on: bool) {
        self.world().0.extra_fields = on;
    }

    /// Whether accounts without the newer link service are told so (the default), or that there is no such feature.
    pub fn feature_known(&self, known: bool) {
        self.world().0.feature_known = known;
    }

    /// How the streams of work that still runs go, beside those of apps for which something else was said.
    pub fn streams(&self, style: StreamStyle) {
        self.world().0.streams = style;
    }

    /// How the streams of one app go.
    pub fn streams_of(&self, app: &str, style: StreamStyle) -> Result<(), String> {
        self.world().0.app_mut(app).map(|app| app.streams = Some(style))
    }

    /// Adds a fault. Rules are tried in the order they came.
    pub fn fail(&self, rule: FaultRule) -> Strikes {
        self.world().0.faults.add(rule)
    }

    /// Forgets all faults that were not used up.
    pub fn clear_faults(&self) {
        self.world().0.faults.clear();
    }

    /// Sets its clock: `ahead` of everybody's, or behind. What is pending keeps its times.
    pub fn set_clock(&self, ahead: SignedDuration) {
        self.world().0.skew = ahead;
    }

    /// Ends every request that hangs: its connection is closed without an answer, and nothing was done.
    pub fn let_go_hanging(&self) {
        let (mut world, _) = self.world();
        std::mem::replace(&mut world.hanging, CancellationToken::new()).cancel();
    }

    /// The earliest moment from now on at which something pending changes by itself: a build or a release command ends, a
    /// dyno comes up or crashes for the first time. `None`: nothing is due, or it is held.
    pub fn next_event_at(&self) -> Option<Timestamp> {
        let (world, _) = self.world();
        world.next_pending().map(|at| skewed(at, -world.skew))
    }
}
