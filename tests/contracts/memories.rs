//! What is remembered in memory of what was read with a credential, held to what is promised of forgetting it: by each memory itself, and
//! by all of them, told as one.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use slash_heroku::adapters::allowances::InMemory;
use slash_heroku::adapters::github::{self, GitHub, GitHubSettings};
use slash_heroku::adapters::heroku::{self, Heroku, HerokuSettings};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::domain::names::{AppId, CommitSha, RepoName};
use slash_heroku::domain::source::AskedRef;
use slash_heroku::ports::{Allowances as _, Clock as _, Forgets, Platform as _, Service, SourceControl as _};
use slash_heroku::sandbox::github::{Github, Permission, RepoSeed, SeenRequest};
use slash_heroku::sandbox::heroku::{self as simulated, AppRight, AppSeed, HerokuPorts};
use slash_heroku::sandbox::serve::Servers;
use slash_heroku::testing::forgets::{By, Reader, Stage, all, readers};
use slash_heroku::usecases::Memories;

use super::recordings_replay::Jumping;

const CREDENTIALS: &[By] = &[By::Credential];

/// Something that remembers, among all memories.
struct AmongAll<S>(S);

#[async_trait]
impl<S: Stage + Sync> Stage for AmongAll<S> {
    fn memory(&self) -> Arc<dyn Forgets> {
        Arc::new(Memories::new(vec![Arc::new(Memories::default()), self.0.memory()]))
    }

    fn by(&self) -> &'static [By] {
        self.0.by()
    }

    async fn read(&mut self, reader: &Reader) {
        self.0.read(reader).await;
    }

    async fn known(&mut self, reader: &Reader) -> usize {
        self.0.known(reader).await
    }
}

/// What services say of credentials: all of these are used up.
struct Book(Arc<InMemory>, Arc<Jumping>);

impl Book {
    fn new() -> Self {
        Self(Arc::new(InMemory::new(github::LIMITS, heroku::LIMITS)), Jumping::new())
    }
}

#[async_trait]
impl Stage for Book {
    fn memory(&self) -> Arc<dyn Forgets> {
        self.0.clone()
    }

    fn by(&self) -> &'static [By] {
        CREDENTIALS
    }

    async fn read(&mut self, reader: &Reader) {
        self.0.shut(Service::SourceControl, &reader.token, self.1.now() + SignedDuration::from_hours(1));
        self.0.heard(Service::Platform, &reader.token, 0, None, self.1.now());
    }

    async fn known(&mut self, reader: &Reader) -> usize {
        let services = [Service::SourceControl, Service::Platform].into_iter();
        services.filter(|of| self.0.pause(*of, &reader.token, 1, self.1.now()).is_some()).count()
    }
}

/// A Heroku with an app that all readers may deploy to and that runs something.
struct AtHeroku {
    heroku: Arc<simulated::Heroku>,
    adapter: Arc<Heroku>,
    app: AppId,
    _servers: Servers,
}

impl AtHeroku {
    async fn new() -> Self {
        let (servers, clock) = (Servers::default(), Jumping::new());
        let heroku = simulated::Heroku::start(&servers, Arc::<Jumping>::clone(&clock), HerokuPorts::default()).await.unwrap();
        let seed = AppSeed {
            name: "remembered".to_owned(),
            pipeline_id: None,
            stage: "production".to_owned(),
            dynos: 1,
            second_factor: false,
            release_phase: false,
            build_seconds: 20,
            release_seconds: 5,
            boot_seconds: 5,
        };
        let app = heroku.add_app(seed).unwrap();
        for reader in readers() {
            let email = format!("{}@example.com", reader.person.user);
            heroku.add_user(reader.token.expose_secret(), &email, &[], true);
            heroku.grant(&email, "remembered", AppRight::Deploy).unwrap();
        }
        let base = |text: &str| BaseUrl::parse(text).unwrap();
        let settings =
            HerokuSettings { api: base(heroku.api_url()), links: base(heroku.link_url()), dashboard: base("https://dashboard.heroku.com") };
        let adapter = Arc::new(Heroku::new(settings, clock).unwrap());
        Self { heroku, adapter, app: AppId::parse(&app.to_string()).unwrap(), _servers: servers }
    }

    /// Whether whatever was asked since then was answered as unchanged.
    fn was_known(&self, since: usize) -> bool {
        self.heroku.requests()[since..].iter().all(|request| request.status == 304)
    }
}

#[async_trait]
impl Stage for AtHeroku {
    fn memory(&self) -> Arc<dyn Forgets> {
        self.adapter.clone()
    }

    fn by(&self) -> &'static [By] {
        CREDENTIALS
    }

    async fn read(&mut self, reader: &Reader) {
        self.known(reader).await;
    }

    async fn known(&mut self, reader: &Reader) -> usize {
        let mut known = 0;
        let before = self.heroku.requests().len();
        assert_eq!(self.adapter.access(&reader.token, &self.app).await.may_deploy, Some(true));
        known += usize::from(self.was_known(before));
        let before = self.heroku.requests().len();
        self.adapter.releases(&reader.token, &self.app, 5).await.unwrap();
        known + usize::from(self.was_known(before))
    }
}

/// A GitHub with a repository of two commits that all readers may read.
struct AtGitHub {
    github: Arc<Github>,
    adapter: Arc<GitHub>,
    commits: [CommitSha; 2],
    _servers: Servers,
}

const REPOSITORY: &str = "acme/remembered";

impl AtGitHub {
    async fn new() -> Self {
        let (servers, clock) = (Servers::default(), Jumping::new());
        let github = Github::start(&servers, Arc::<Jumping>::clone(&clock), 0).await.unwrap();
        github.add_repository(RepoSeed { name: REPOSITORY, private: true, default_branch: "main" }).unwrap();
        for reader in readers() {
            let name = reader.person.user.to_string();
            github.add_user(reader.token.expose_secret(), &name);
            github.grant(&name, REPOSITORY, Permission::Admin).unwrap();
        }
        let commits = ["Begin", "Go on"].map(|said| CommitSha::parse(&github.push(REPOSITORY, "main", said, "U1").unwrap()).unwrap());
        let base = |text: &str| BaseUrl::parse(text).unwrap();
        let settings = GitHubSettings {
            api: base(&github.api_url()),
            web: base("https://github.com"),
            git: Some(base(&github.web_url())),
            archive_limit: 1 << 20,
            spool_dir: None,
        };
        let adapter = Arc::new(GitHub::new(settings, clock).unwrap());
        Self { github, adapter, commits, _servers: servers }
    }

    fn was_known(&self, since: usize) -> bool {
        self.github.requests()[since..].iter().all(|request| request.status == 304)
    }
}

#[async_trait]
impl Stage for AtGitHub {
    fn memory(&self) -> Arc<dyn Forgets> {
        self.adapter.clone()
    }

    fn by(&self) -> &'static [By] {
        CREDENTIALS
    }

    async fn read(&mut self, reader: &Reader) {
        let repository = self.adapter.repository(&reader.token, &RepoName::parse(REPOSITORY).unwrap()).await.unwrap();
        self.adapter.resolve(&reader.token, &repository, &AskedRef::Default).await.unwrap();
    }

    async fn known(&mut self, reader: &Reader) -> usize {
        let name = RepoName::parse(REPOSITORY).unwrap();
        let before = self.github.requests().len();
        let [base, head] = &self.commits;
        // Where the head has told that the other is its parent, nobody is asked.
        self.adapter.compare(&reader.token, &name, base, head).await.unwrap();
        let known = usize::from(self.was_known(before));
        let before = self.github.requests().len();
        // The description is asked for only where it is not known, and answers "unchanged" where its tag is.
        self.adapter.repository_for_deploy(&reader.token, &name).await.unwrap();
        let described = |request: &SeenRequest| request.path.starts_with("/repos/") && request.status == 200;
        known + usize::from(!self.github.requests()[before..].iter().any(described))
    }
}

#[tokio::test]
async fn what_services_say_of_a_credential_is_forgotten_as_promised() {
    all(async || Book::new()).await;
    all(async || AmongAll(Book::new())).await;
}

#[tokio::test]
async fn what_was_read_at_heroku_is_forgotten_as_promised() {
    all(AtHeroku::new).await;
}

#[tokio::test]
async fn what_was_read_at_github_is_forgotten_as_promised() {
    all(AtGitHub::new).await;
}
