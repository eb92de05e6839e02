//! A service that takes a request and never answers, or answers a byte at a time for ever, holds nobody: every call comes back within
//! its limit, and says of a write that nobody knows whether it was done.
//!
//! Over real HTTP, on a clock that jumps ahead whenever nothing moves: what would wait for minutes takes none.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use slash_heroku::adapters::github::{self, GitHub, GitHubSettings, GitHubSignIn, GitHubSignInSettings};
use slash_heroku::adapters::heroku::{Heroku, HerokuSettings, HerokuSignIn, HerokuSignInSettings};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::adapters::settings_bot::OneBot;
use slash_heroku::adapters::slack::{Sealer, SlackChat, SlackDirectory, SlackInstall, SlackInstallSettings, SlackSettings};
use slash_heroku::domain::actor::{Origin, Person};
use slash_heroku::domain::deployment::MessageRef;
use slash_heroku::domain::message::{Audience, Message, Tone, text};
use slash_heroku::domain::names::{AppId, BuildId, ChannelId, CommitSha, RepoName, UserId, WorkspaceId};
use slash_heroku::domain::pipeline::Environment;
use slash_heroku::domain::source::{Report, ReportState};
use slash_heroku::ports::{
    Addressee, AnnouncementOrder, ArchiveBody, ArchiveFault, BuildOrder, Chat as _, Clock, Directory as _, Fault, InstallAt as _,
    Platform as _, PortError, Printed, SignInAt, SourceArchive, SourceControl as _, Tokens, UploadedSource, Urgency, WakeKey,
};
use slash_heroku::testing::records::deployment_id;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, interval, sleep_until, timeout};
use tokio_util::task::TaskTracker;

/// Whoever is not back by then never comes back.
const NEVER: Duration = Duration::from_secs(24 * 3600);
/// The pauses between three tries of a read, at most.
const PAUSES: u64 = 8;

/// A clock that goes as the runtime's does.
#[derive(Debug)]
struct Jumping {
    origin: Timestamp,
    began: Instant,
}

impl Jumping {
    fn begun() -> Arc<dyn Clock> {
        Arc::new(Self { origin: "2026-01-05T09:00:00Z".parse().unwrap(), began: Instant::now() })
    }
}

#[async_trait]
impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        self.origin + SignedDuration::try_from(self.began.elapsed()).unwrap()
    }

    async fn wait(&self, _: WakeKey, until: Option<Timestamp>) {
        match until {
            Some(until) => self.pause_until(until).await,
            None => std::future::pending().await,
        }
    }

    fn wake(&self, _: WakeKey) {}

    async fn pause_until(&self, until: Timestamp) {
        let after = until.duration_since(self.origin).max(SignedDuration::ZERO);
        sleep_until(self.began + Duration::try_from(after).unwrap()).await;
    }
}

/// How a server answers.
#[derive(Clone, Debug)]
enum Manner {
    /// Not at all.
    Silent,
    /// With a head, and then a byte a second of a body that never ends.
    Drips,
    /// In the same way, with what git reads as marks in a list of refs.
    DripsMarks,
    /// At once and whole.
    Says(String),
    /// By leading elsewhere.
    LeadsTo(String),
}

/// The two that never come to an end.
const ENDLESS: [Manner; 2] = [Manner::Silent, Manner::Drips];

/// A server that answers each path in its manner. Returns its address.
async fn server(manner: impl Fn(&str) -> Manner + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let manner = Arc::new(manner);
    let tasks = TaskTracker::new();
    let each = tasks.clone();
    tasks.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let manner = Arc::clone(&manner);
            // Whoever gives up closes the connection, and writing to it ends.
            each.spawn(async move { drop(answer(stream, &*manner).await) });
        }
    });
    address
}

async fn answer(mut stream: TcpStream, manner: &(dyn Fn(&str) -> Manner + Send + Sync)) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let path = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap().to_owned();
    match manner(&path) {
        Manner::Silent => std::future::pending().await,
        endless @ (Manner::Drips | Manner::DripsMarks) => {
            let byte = if matches!(endless, Manner::DripsMarks) { b"0" } else { b" " };
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999999\r\n\r\n").await?;
            let mut seconds = interval(Duration::from_secs(1));
            loop {
                seconds.tick().await;
                stream.write_all(byte).await?;
            }
        }
        Manner::Says(body) => {
            let length = body.len();
            let head =
                format!("HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            stream.write_all(format!("{head}{body}").as_bytes()).await
        }
        Manner::LeadsTo(place) => {
            let head = format!("HTTP/1.1 302 Found\r\nlocation: {place}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await
        }
    }
}

/// A server that answers everything in one manner.
async fn always(manner: &Manner) -> String {
    let manner = manner.clone();
    server(move |_| manner.clone()).await
}

/// What comes of a call, which has to come back within so many seconds, and no sooner than `from`: it did not fail for another reason.
async fn back<T>(what: &str, from: u64, within: u64, call: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = timeout(NEVER, call).await.unwrap_or_else(|_| panic!("{what} never comes back"));
    let took = began.elapsed();
    let expected = Duration::from_secs(from)..=Duration::from_secs(within);
    assert!(expected.contains(&took), "{what} came back after {took:?} and not within {expected:?}");
    done
}

#[track_caller]
fn unclear<T>(what: &str, done: Result<T, PortError>) {
    let Err(error) = done else { panic!("{what} went well") };
    assert_eq!(error.fault, Fault::Unclear, "{what}: nobody knows whether it was done: {error}");
}

/// Of a read: it may work later.
#[track_caller]
fn passing<T>(what: &str, done: Result<T, PortError>) {
    let Err(error) = done else { panic!("{what} went well") };
    assert!(matches!(error.fault, Fault::Unclear | Fault::Unreachable), "{what}: {error}");
}

fn at(address: &str) -> BaseUrl {
    BaseUrl::parse(address).unwrap()
}

fn token() -> SecretString {
    SecretString::from("a-token-of-ana")
}

fn tokens() -> Tokens {
    Tokens { access: token(), refresh: Some(SecretString::from("what-renews-it")) }
}

fn repository() -> RepoName {
    RepoName::parse("acme/hubot").unwrap()
}

fn commit() -> CommitSha {
    CommitSha::parse(&"c".repeat(40)).unwrap()
}

fn app() -> AppId {
    AppId::parse("01234567-89ab-4def-8123-456789abcdef").unwrap()
}

fn build() -> BuildId {
    BuildId::parse("11234567-89ab-4def-8123-456789abcdef").unwrap()
}

fn github(address: &str) -> GitHub {
    let (archive_limit, spool_dir) = (GitHubSettings::ARCHIVE_LIMIT, None::<PathBuf>);
    GitHub::new(GitHubSettings { api: at(address), web: at(address), git: Some(at(address)), archive_limit, spool_dir }, Jumping::begun())
        .unwrap()
}

fn heroku(address: &str) -> Heroku {
    Heroku::new(HerokuSettings { api: at(address), links: at(address), dashboard: at(address) }, Jumping::begun()).unwrap()
}

fn order() -> AnnouncementOrder {
    AnnouncementOrder {
        deployment: deployment_id(1),
        commit: commit(),
        environment: Environment::Staging,
        app: "hubot-staging".to_owned(),
        description: "A deploy".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn github_holds_nobody() {
    for manner in ENDLESS {
        let github = github(&always(&manner).await);
        let what = format!("GitHub, {manner:?}");
        unclear(&what, back(&what, 10, 11, github.announce(&token(), &repository(), &order())).await);
        let report = Report { state: ReportState::Success, description: String::new(), log_url: None, environment_url: None };
        let id = slash_heroku::domain::names::AnnouncementId::parse("1").unwrap();
        unclear(&what, back(&what, 10, 11, github.report(&token(), &repository(), &id, &report)).await);
        passing(&what, back(&what, 30, 30 + PAUSES, github.repository(&token(), &repository())).await);
    }
}

#[tokio::test(start_paused = true)]
async fn git_that_does_not_answer_costs_three_seconds_once() {
    let described = r#"{"full_name": "acme/hubot", "default_branch": "main", "archived": false, "permissions": {"push": true}}"#;
    for manner in [Manner::Silent, Manner::DripsMarks] {
        let silent = manner.clone();
        let address = server(move |request| match request.contains(".git/info/refs") {
            true => silent.clone(),
            false => Manner::Says(described.to_owned()),
        });
        let github = github(&address.await);
        for (shortest, longest) in [(0, 1), (3, 4), (0, 1)] {
            let what = format!("git, {manner:?}");
            let found = back(&what, shortest, longest, github.repository_for_deploy(&token(), &repository())).await;
            assert!(found.is_ok(), "{what}: {found:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_archive_that_never_comes_holds_nobody() {
    // To its place it is ten seconds, to its first byte half a minute, and to its end a quarter of an hour; each three times.
    for (manner, longest) in [(Manner::Silent, 3 * 30), (Manner::Drips, 3 * 15 * 60)] {
        let place = format!("{}/archive", always(&manner).await);
        let github = github(&server(move |_| Manner::LeadsTo(place.clone())).await);
        let what = format!("an archive, {manner:?}");
        match back(&what, longest, longest + PAUSES, github.archive(&token(), &repository(), &commit())).await {
            Err(ArchiveFault::Port(error)) => passing(&what, Err::<(), _>(error)),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn heroku_holds_nobody() {
    for manner in ENDLESS {
        let heroku = heroku(&always(&manner).await);
        let what = format!("Heroku, {manner:?}");
        let source = UploadedSource {
            address: SecretString::from("https://storage.example.com/1"),
            sha256: "0".repeat(64),
            at: Jumping::begun().now(),
        };
        let order = BuildOrder { source, commit: commit(), repository: repository(), deployment: deployment_id(1) };
        unclear(&what, back(&what, 20, 21, heroku.start_build(&token(), &app(), &order)).await);
        unclear(&what, back(&what, 20, 21, heroku.stop_build(&token(), &app(), &build())).await);
        passing(&what, back(&what, 60, 60 + PAUSES, heroku.build(&token(), &app(), &build())).await);
    }
}

/// A source of a few bytes.
#[derive(Debug)]
struct Source(bool);

#[async_trait]
impl ArchiveBody for Source {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        Ok((!std::mem::replace(&mut self.0, true)).then(|| Bytes::from_static(b"a source")))
    }

    async fn rewind(&mut self) -> std::io::Result<()> {
        self.0 = false;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_takes_a_source_and_says_nothing_holds_nobody() {
    for manner in ENDLESS {
        let place = always(&manner).await;
        let addresses = format!(r#"{{"source_blob": {{"get_url": "{place}/1", "put_url": "{place}/1"}}}}"#);
        let heroku = heroku(&server(move |_| Manner::Says(addresses.clone())).await);
        let what = format!("storage, {manner:?}");
        let archive = SourceArchive { length: 8, sha256: "0".repeat(64), body: Box::new(Source(false)) };
        // Twice: an address that nothing was built from does no harm.
        unclear(&what, back(&what, 120, 120 + PAUSES, heroku.upload(&token(), archive)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn an_output_that_goes_on_for_ever_holds_nobody() {
    let stream = format!("{}/streams/1", always(&Manner::Drips).await);
    let shown = format!(r#"{{"id": "{}", "status": "pending", "output_stream_url": "{stream}"}}"#, build());
    let heroku = heroku(&server(move |_| Manner::Says(shown.clone())).await);
    let output = back("an output", 3, 10, heroku.output(&token(), &app(), &Printed::Build(build()), 10)).await;
    assert_eq!(output, Ok(None), "it has said nothing that can be read");
}

fn person() -> Person {
    Person { workspace: WorkspaceId::parse("T1").unwrap(), user: UserId::parse("U1").unwrap() }
}

#[tokio::test(start_paused = true)]
async fn slack_holds_nobody() {
    for manner in ENDLESS {
        let what = format!("Slack, {manner:?}");
        let (tokens_of_bots, sealer) = (Arc::new(OneBot::new(token())), Arc::new(Sealer::new(&[SecretString::from("signing")]).unwrap()));
        let settings = SlackSettings { api: at(&always(&manner).await), tokens: tokens_of_bots, sealer, allow_loopback_response_url: true };
        let directory = SlackDirectory::new(&settings, Jumping::begun()).unwrap();
        let chat = SlackChat::new(settings, Jumping::begun()).unwrap();
        let channel = ChannelId::parse("C1").unwrap();
        let message = Message::new(Tone::Info, Audience::Channel, vec![text("A card")]);
        let origin = Origin { person: person(), channel: channel.clone(), reply: None };
        unclear(&what, back(&what, 10, 11, chat.say(&Addressee::Card(origin), &message)).await);
        let card = MessageRef { workspace: person().workspace, channel: channel.clone(), message: "1.1".to_owned() };
        unclear(&what, back(&what, 10, 11, chat.amend(&card, &message, Urgency::Now)).await);
        // Somebody waits for it.
        passing(&what, back(&what, 5, 15 + PAUSES, directory.conversation(&person().workspace, &channel)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_tokens_holds_nobody() {
    for manner in ENDLESS {
        let (address, what) = (always(&manner).await, format!("tokens, {manner:?}"));
        let at_github = GitHubSignInSettings {
            api: at(&address),
            web: at(&address),
            client_id: "Iv1.ship".to_owned(),
            client_secret: SecretString::from("a-secret"),
            kind: github::AppKind::GitHubApp,
            callback: "https://ship.example.com/back".parse().unwrap(),
        };
        let at_heroku = HerokuSignInSettings {
            api: at(&address),
            id: at(&address),
            dashboard: at(&address),
            client_id: "11110000-aaaa-4aaa-8aaa-000000000001".to_owned(),
            client_secret: SecretString::from("a-secret"),
        };
        let ports: [(Arc<dyn SignInAt>, u64); 2] = [
            (Arc::new(GitHubSignIn::new(at_github, Jumping::begun()).unwrap()), 10),
            (Arc::new(HerokuSignIn::new(at_heroku, Jumping::begun()).unwrap()), 20),
        ];
        for (port, limit) in ports {
            unclear(&what, back(&what, limit, limit + 1, port.renew(&tokens())).await);
        }
        let installs = SlackInstallSettings {
            api: at(&address),
            authorize: "https://slack.com/oauth/v2/authorize".parse().unwrap(),
            client_id: "1.2".to_owned(),
            client_secret: SecretString::from("a-secret"),
            callback: "https://ship.example.com/slack/installed".parse().unwrap(),
        };
        let installs = SlackInstall::new(installs, Jumping::begun()).unwrap();
        unclear(&what, back(&what, 10, 11, installs.renew(&tokens())).await);
    }
}
