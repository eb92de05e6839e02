//! Filling the world: people, pipelines, apps and their past.

use jiff::Timestamp;
use uuid::Uuid;

use super::life::NewRelease;
use super::records::{App, BUCKET, ByStage, Closed, DynoState, Footing, Generation, Phase, Pipeline, ReleaseStatus, User, Who};
use super::state::id_of;
use super::{AppRight, Heroku, LinkService};

/// A pipeline to add.
#[derive(Clone, Debug)]
pub struct PipelineSeed {
    /// Its name. Several may have the same.
    pub name: String,
    /// `team` or `user`.
    pub owner_type: String,
    /// The team's name, or the user's email.
    pub owner: String,
}

/// An app to add.
#[derive(Clone, Debug, Default)]
pub struct AppSeed {
    /// Its name: lower-case letters, digits and hyphens, 3 to 30, unlike every other.
    pub name: String,
    /// The pipeline it is in, if any.
    pub pipeline_id: Option<Uuid>,
    /// The stage: `test`, `review`, `development`, `staging` or `production`. Without a meaning outside a pipeline.
    pub stage: String,
    /// How many web dynos it has; 0 for none.
    pub dynos: u32,
    /// Whether building and releasing need a second factor.
    pub second_factor: bool,
    /// Whether it has a release command.
    pub release_phase: bool,
    /// How long a build takes. Above 25 minutes it fails there.
    pub build_seconds: u32,
    /// How long the release command takes. Above an hour it fails there.
    pub release_seconds: u32,
    /// How long a dyno takes to come up.
    pub boot_seconds: u32,
}

/// A release of the past.
#[derive(Clone, Debug)]
pub struct ReleaseSeed {
    /// What it says of itself, for example `Deploy 1a2b3c4d`.
    pub description: String,
    /// The commit of its code; without one it changed no code.
    pub commit: Option<String>,
    /// The email of who made it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Whether its release command failed, so that it never ran.
    pub failed: bool,
}

impl Heroku {
    /// Adds a user with a token, or one more token for the user of that email. Each code works once. `repositories_api`
    /// says whether the newer link service is open to the account. Gives the account's id.
    pub fn add_user(&self, token: &str, email: &str, codes: &[&str], repositories_api: bool) -> Uuid {
        let (mut world, now) = self.world();
        let codes = codes.iter().map(|code| (*code).to_owned());
        if let Ok(user) = world.user_mut(email) {
            user.tokens.push(token.to_owned());
            user.codes.extend(codes);
            user.repositories_api = repositories_api;
            return user.id;
        }
        let id = id_of("account", email);
        world.users.push(User {
            id,
            email: email.to_owned(),
            tokens: vec![token.to_owned()],
            codes: codes.collect(),
            spent_codes: Vec::new(),
            repositories_api,
            closed: None,
            bucket: BUCKET * 1000,
            bucket_at: now,
            rights: Vec::new(),
            authorized: Vec::new(),
            created_at: now,
        });
        id
    }

    /// Makes a token worthless. `false`: nobody has it.
    pub fn revoke_token(&self, token: &str) -> bool {
        let (mut world, _) = self.world();
        let mut found = false;
        for user in &mut world.users {
            let before = user.tokens.len();
            user.tokens.retain(|known| known != token);
            found |= user.tokens.len() < before;
        }
        found
    }

    /// Suspends an account, or ends that.
    pub fn suspend(&self, email: &str, suspended: bool) -> Result<(), String> {
        self.close(email, suspended.then_some(Closed::Suspended))
    }

    /// Does nothing for an account from now on, for this reason; `None`: it does again.
    pub fn close(&self, email: &str, closed: Option<Closed>) -> Result<(), String> {
        self.world().0.user_mut(email).map(|user| user.closed = closed)
    }

    /// Gives a right on an app, in place of what was there.
    pub fn grant(&self, email: &str, app: &str, right: AppRight) -> Result<(), String> {
        let (mut world, _) = self.world();
        let app = world.known_app(app)?.id;
        let user = world.user_mut(email)?;
        user.rights.retain(|(id, _)| *id != app);
        user.rights.push((app, right));
        Ok(())
    }

    /// Takes away every right on an app.
    pub fn withdraw(&self, email: &str, app: &str) -> Result<(), String> {
        let (mut world, _) = self.world();
        let app = world.known_app(app)?.id;
        world.user_mut(email)?.rights.retain(|(id, _)| *id != app);
        Ok(())
    }

    /// Adds a pipeline.
    pub fn add_pipeline(&self, seed: PipelineSeed) -> Uuid {
        let (mut world, now) = self.world();
        let id = world.fresh();
        let PipelineSeed { name, owner_type, owner } = seed;
        world.pipelines.push(Pipeline { id, name, owner_type, owner, created_at: now, newer_link: None, older_link: None });
        id
    }

    /// Links a repository (`owner/name`) to a pipeline in one of the two services.
    pub fn link(&self, pipeline: Uuid, repository: &str, by: LinkService) -> Result<(), String> {
        let (mut world, _) = self.world();
        let pipeline =
            world.pipelines.iter_mut().find(|known| known.id == pipeline).ok_or_else(|| format!("there is no pipeline {pipeline}"))?;
        match by {
            LinkService::Newer => pipeline.newer_link = Some(repository.to_owned()),
            LinkService::Older => pipeline.older_link = Some(repository.to_owned()),
        }
        Ok(())
    }

    /// Adds an app with its first release, v1, which has no code and runs nothing.
    pub fn add_app(&self, seed: AppSeed) -> Result<Uuid, String> {
        let (mut world, now) = self.world();
        let fits = seed.name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
        if !fits || !(3..=30).contains(&seed.name.len()) {
            return Err(format!("{} cannot be the name of an app", seed.name));
        }
        if world.app(&seed.name).is_some() {
            return Err(format!("there is an app {} already", seed.name));
        }
        if let Some(pipeline) = seed.pipeline_id {
            world.pipeline(pipeline).ok_or_else(|| format!("there is no pipeline {pipeline}"))?;
            if !["test", "review", "development", "staging", "production"].contains(&seed.stage.as_str()) {
                return Err(format!("{} is no stage", seed.stage));
            }
        }
        let (id, coupling) = (world.fresh(), world.fresh());
        let app = App {
            id,
            name: seed.name,
            pipeline: seed.pipeline_id,
            coupling,
            stage: seed.stage,
            created_at: now,
            quantity: seed.dynos,
            second_factor: seed.second_factor,
            release_phase: seed.release_phase,
            build_seconds: seed.build_seconds,
            release_seconds: seed.release_seconds,
            boot_seconds: seed.boot_seconds,
            next_fails: ByStage::default(),
            next_flaps: false,
            held: ByStage::default(),
            word: ByStage::default(),
            streams: None,
            preboot: false,
            generation: Generation::Cedar,
            last_version: 0,
            current: None,
        };
        let who = world.owner(&app);
        world.apps.push(app);
        let first = NewRelease { app: id, description: "Initial release".to_owned(), slug: None, who, changed_code: false };
        world.make_release(first, now);
        Ok(id)
    }

    /// Adds a release of the past. One with code that did not fail is the current one from then on, and its dynos are up.
    pub fn add_release(&self, app: &str, seed: ReleaseSeed) -> Result<(Uuid, u64), String> {
        let (mut world, _) = self.world();
        let (app, owner) = {
            let app = world.known_app(app)?;
            (app.clone(), world.owner(app))
        };
        let who = world.user(&seed.by).map_or(owner, |user| Who { id: user.id, email: user.email.clone() });
        let changed_code = seed.commit.is_some();
        let running = app.current.and_then(|id| world.release(id)).and_then(|release| release.slug);
        let slug = match seed.commit {
            Some(commit) => Some(world.add_slug(app.id, Some(commit), None, seed.at)),
            None => running,
        };
        let id = world.fresh();
        let version = app.last_version + 1;
        let status = if seed.failed { ReleaseStatus::Failed } else { ReleaseStatus::Succeeded };
        let phase = (app.release_phase && slug.is_some()).then_some(Phase { due: seed.at, fails: seed.failed });
        world.releases.push(super::records::Release {
            id,
            app: app.id,
            version,
            description: seed.description,
            status,
            slug,
            who,
            created_at: seed.at,
            updated_at: seed.at,
            changed_code,
            phase,
            footing: Footing::Firm,
        });
        if let Some(app) = world.app_of_mut(app.id) {
            app.last_version = version;
        }
        if !seed.failed {
            world.becomes_current(id, seed.at);
            for dyno in world.dynos.iter_mut().filter(|dyno| dyno.release.0 == id) {
                dyno.state = DynoState::Up;
            }
        }
        Ok((id, version))
    }
}
