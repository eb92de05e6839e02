//! The app in several workspaces, over real HTTP and on a real store: each message with the token of the workspace that it is for, renewed
//! once however many want it, kept through what passes; and nothing kept of those that have left.

mod promises;

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use slash_heroku::adapters::clock::RandomIds;
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::adapters::slack::{Sealer, SlackChat, SlackInbound, SlackInstall, SlackInstallSettings, SlackSettings, router};
use slash_heroku::adapters::sled::SledStore;
use slash_heroku::adapters::vault::TokenVault;
use slash_heroku::domain::account::{Account, Provider, Standing};
use slash_heroku::domain::actor::{Origin, Person};
use slash_heroku::domain::deployment::{Deployment, Outcome, Phase, WaitingFor};
use slash_heroku::domain::installation::{BotRight, Tenant};
use slash_heroku::domain::line::Line;
use slash_heroku::domain::lock::Lock;
use slash_heroku::domain::message::{Audience, Message, Tone, text};
use slash_heroku::domain::names::{BuildId, ChannelId, OrganisationId, WorkspaceId};
use slash_heroku::domain::privacy::{Month, Note, NoteKind, Noted, Told};
use slash_heroku::ports::{
    AccountBatch, AccountStore, Addressee, Batch, Chat, Clock, Delivered, Done, Fault, InstallationStore, Installing, Keeping as _,
    LockStore as _, NotInstalled, NoteBatch, Store, Submitted, Urgency,
};
use slash_heroku::sandbox::fault::Fault as Failing;
use slash_heroku::sandbox::serve::Servers;
use slash_heroku::sandbox::slack::{AppSeed, Order, ServiceAddress, SlackSeed, SlackWorkspace};
use slash_heroku::testing::account_store::{login, person};
use slash_heroku::testing::inbox::Kept;
use slash_heroku::testing::lock_store::{lock, none};
use slash_heroku::testing::records::{deployment, deployment_id};
use slash_heroku::usecases::{Departures, Emptied, InstalledBots, Looked};

use crate::accounts::{Ahead, bytes_of, keys};
use crate::support::folders;

const CALLBACK: &str = "https://ship.example.com/slack/installed";
const SECRET: &str = "secret-of-our-app-at-slack";

/// A Slack with two workspaces, our app there, and a service without anything behind it.
struct Stage {
    slack: Arc<SlackWorkspace>,
    clock: Arc<Ahead>,
    folder: tempfile::TempDir,
    store: SledStore,
    bots: InstalledBots,
    departures: Departures,
    chat: SlackChat,
    service: ServiceAddress,
    _servers: Servers,
}

impl Stage {
    async fn set(rotates: bool) -> Self {
        let (servers, clock) = (Servers::default(), Arc::new(Ahead::default()));
        let slack = SlackWorkspace::start(&servers, Arc::<Ahead>::clone(&clock), 0, SlackSeed::default()).await.unwrap();
        slack.add_user("U1", "ana", "T1");
        slack.add_user("U2", "bob", "T2");
        slack.add_channel("C1", "general", true);
        slack.add_channel_in("T2", "C2", "elsewhere", true);
        let (client_id, client_secret) = ("1111.2222".to_owned(), SECRET.to_owned());
        slack.add_app(AppSeed { client_id: client_id.clone(), client_secret, redirect: CALLBACK.to_owned(), rotates });
        let api = BaseUrl::parse(slack.api_address().trim_end_matches('/')).unwrap();
        let settings = SlackInstallSettings {
            api: api.clone(),
            authorize: slack.authorize_url().parse().unwrap(),
            client_id,
            client_secret: SECRET.into(),
            callback: CALLBACK.parse().unwrap(),
        };
        let folder = folders::in_memory();
        let store = SledStore::open(folder.path()).unwrap();
        let bots = InstalledBots {
            store: Arc::new(store.clone()),
            kept: Arc::new(store.clone()),
            vault: Arc::new(TokenVault::new(&keys(&[("one", 1)])).unwrap()),
            at: Arc::new(SlackInstall::new(settings, Arc::<Ahead>::clone(&clock)).unwrap()),
            ids: Arc::new(RandomIds),
            clock: Arc::<Ahead>::clone(&clock),
            looked: Looked::default(),
        };
        let departures = Departures {
            store: Arc::new(store.clone()),
            kept: Arc::new(store.clone()),
            accounts: Arc::new(store.clone()),
            people: None,
            bots: Some(bots.clone()),
            memories: slash_heroku::usecases::Memories::default(),
            ids: Arc::new(RandomIds),
            clock: Arc::<Ahead>::clone(&clock),
            emptied: Emptied::default(),
        };
        let secrets = vec![SecretString::from(slack.seed().signing_secret.clone())];
        let sealer = Arc::new(Sealer::new(&secrets).unwrap());
        let settings =
            SlackSettings { api, tokens: Arc::new(bots.clone()), sealer: Arc::clone(&sealer), allow_loopback_response_url: true };
        let chat = SlackChat::new(settings, Arc::<Ahead>::clone(&clock)).unwrap();
        let inbound = SlackInbound {
            secrets,
            inbox: Kept::saying(Submitted::Accepted),
            clock: Arc::<Ahead>::clone(&clock),
            hears: Arc::new(departures.clone()),
            sealer,
            command_word: "/h".to_owned(),
            allow_loopback_response_url: true,
        };
        let (listener, address) = Servers::listen(0).await.unwrap();
        servers.serve(listener, router(inbound));
        let service = ServiceAddress::new(&format!("http://{address}"));
        Self { slack, clock, folder, store, bots, departures, chat, service, _servers: servers }
    }

    /// Somebody installs the app, for their workspace or the whole organisation.
    async fn installs(&self, who: &str, whole: bool) -> Result<Done, NotInstalled> {
        let page = self.bots.agree_at(&"state".into());
        self.bots.install(self.code(who, whole, &page)).await
    }

    /// The code with which somebody comes back who has agreed.
    fn code(&self, who: &str, whole: bool, page: &SecretString) -> SecretString {
        let back = self.slack.agrees(Some(who), whole, page.expose_secret()).unwrap();
        let query = back.split_once('?').unwrap().1.as_bytes();
        form_urlencoded::parse(query).find(|(key, _)| key == "code").unwrap().1.into_owned().into()
    }

    /// Says something in a workspace's channel.
    async fn says(&self, workspace: &str) -> Result<Delivered, Fault> {
        let (user, channel) = if workspace == "T1" { ("U1", "C1") } else { ("U2", "C2") };
        let origin = Origin { person: person(workspace, user), channel: ChannelId::parse(channel).unwrap(), reply: None };
        self.chat.say(&Addressee::Card(origin), &words("hubot is on its way")).await.map_err(|error| error.fault)
    }

    /// What is spoken with in a workspace.
    async fn token(&self, workspace: &str) -> String {
        use slash_heroku::ports::BotTokens as _;
        self.bots.token(&WorkspaceId::parse(workspace).unwrap()).await.unwrap().expose_secret().to_owned()
    }

    /// Whether the store's files hold a text.
    fn files_hold(&self, text: &str) -> bool {
        bytes_of(self.folder.path()).windows(text.len()).any(|part| part == text.as_bytes())
    }

    /// How often tokens were asked for.
    fn asked(&self) -> usize {
        self.slack.requests().iter().filter(|request| request.method == "oauth.v2.access").count()
    }

    async fn standing(&self, workspace: &str) -> Option<Standing> {
        let tenant = Tenant::Workspace(WorkspaceId::parse(workspace).unwrap());
        self.store.installation(&tenant).await.unwrap().map(|installation| installation.standing)
    }

    /// A person has linked a login, in this workspace.
    async fn links(&self, who: &Person) {
        let mut own = login("1");
        own.linked_at = self.clock.now();
        let account = Account::empty(who.clone()).with(Provider::Platform, own);
        self.store.save_accounts(AccountBatch { accounts: vec![account], sign_ins: Vec::new() }).await.unwrap();
    }

    fn go(&self, by: SignedDuration) {
        self.clock.go(by);
    }
}

fn words(said: &str) -> Message {
    Message::new(Tone::Working, Audience::Channel, vec![text(said.to_owned())])
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn asked_at(mut deployment: Deployment, at: Timestamp) -> Deployment {
    deployment.asked_at = at;
    deployment
}

#[tokio::test]
async fn each_message_goes_out_with_the_token_of_its_workspace() {
    let stage = Stage::set(false).await;
    assert_eq!(stage.says("T2").await, Err(Fault::SignInLost), "it is installed nowhere");
    let done = stage.installs("bob", false).await.unwrap();
    assert_eq!((done.tenant.to_string().as_str(), done.again, done.lacks.as_slice()), ("workspace T2", false, &[][..]));
    assert_eq!(stage.says("T1").await, Err(Fault::SignInLost), "another workspace's token is not used");
    assert!(stage.installs("ana", false).await.is_ok_and(|done| done.name.as_deref() == Some("acme")));
    for (workspace, channel) in [("T1", "C1"), ("T2", "C2")] {
        let Ok(Delivered::Editable(at)) = stage.says(workspace).await else { panic!("{workspace}") };
        assert_eq!(at.channel.as_str(), channel);
        stage.chat.amend(&at, &words("hubot stands"), Urgency::Now).await.unwrap();
    }
    let said = bytes_of(stage.folder.path());
    for secret in stage.slack.secrets() {
        assert!(!said.windows(secret.text.len()).any(|part| part == secret.text.as_bytes()), "{} lies in the store's files", secret.what);
    }
}

#[tokio::test]
async fn many_who_speak_at_once_renew_once_and_ahead_of_the_end() {
    let stage = Stage::set(true).await;
    stage.installs("ana", false).await.unwrap();
    assert_eq!(stage.asked(), 1);
    let swept = stage.departures.sweep().await.unwrap();
    let due = swept.due.unwrap().duration_since(stage.clock.now());
    assert!((SignedDuration::from_mins(700)..=SignedDuration::from_mins(705)).contains(&due), "{due:#}");
    stage.go(SignedDuration::from_mins(706));
    // Ahead of the end nobody waits for whoever renews.
    let all = join_all((0..6).map(|_| stage.says("T1"))).await;
    assert!(all.iter().all(|said| !matches!(said, Err(Fault::SignInLost))), "{all:?}");
    assert_eq!(stage.asked(), 2);
    stage.go(hours(13));
    let tokens: Vec<String> = join_all((0..6).map(|_| stage.token("T1"))).await;
    assert!(tokens.iter().all(|token| *token == tokens[0]) && stage.slack.takes(&tokens[0]));
    assert_eq!(stage.asked(), 3, "what has ended is renewed once, and the others wait");
    stage.go(SignedDuration::from_mins(706));
    stage.departures.sweep().await.unwrap();
    assert_eq!(stage.asked(), 4, "also where nobody speaks");
}

#[tokio::test]
async fn what_fails_for_the_moment_keeps_the_installation_and_what_is_refused_ends_it() {
    let stage = Stage::set(true).await;
    stage.installs("ana", false).await.unwrap();
    let away = || Failing::Status { code: 503, body: "<html>".to_owned(), content_type: "text/html".to_owned(), headers: Vec::new() };
    stage.go(SignedDuration::from_mins(706));
    stage.slack.fail("oauth.v2.access", 1, away());
    assert!(stage.says("T1").await.is_ok(), "the old one is good for a while");
    stage.go(hours(1));
    stage.slack.fail("oauth.v2.access", 1, away());
    assert_eq!(stage.says("T1").await, Err(Fault::Unreachable), "nothing was said, and may be later");
    assert_eq!(stage.standing("T1").await, Some(Standing::Good));
    assert!(stage.says("T1").await.is_ok());
    // Slack says that it has run out before we think so: it is renewed, and said once.
    let before = stage.asked();
    stage.slack.fail("chat.postMessage", 1, Failing::Named("token_expired".to_owned()));
    stage.go(SignedDuration::from_secs(10));
    assert!(stage.says("T1").await.is_ok());
    assert_eq!(stage.asked(), before + 1);
    for word in ["token_revoked", "account_inactive", "invalid_auth"] {
        stage.slack.fail("chat.postMessage", 1, Failing::Named(word.to_owned()));
        stage.go(SignedDuration::from_secs(10));
        assert_eq!(stage.says("T1").await, Err(Fault::SignInLost), "{word}");
        assert!(matches!(stage.standing("T1").await, Some(Standing::Withdrawn { .. })), "{word}");
        let calls = stage.slack.requests().len();
        assert_eq!(stage.says("T1").await, Err(Fault::SignInLost));
        assert_eq!(stage.slack.requests().len(), calls, "{word}: nobody asks with a token that was refused");
        stage.installs("ana", false).await.unwrap();
        assert!(stage.says("T1").await.is_ok(), "{word}: installed anew, it speaks again");
    }
}

#[tokio::test]
async fn what_has_left_is_removed_at_once_and_what_runs_when_it_is_over() {
    for order in [Order::TokensFirst, Order::RemovalFirst, Order::TokensOnly] {
        let stage = Stage::set(false).await;
        stage.installs("ana", false).await.unwrap();
        stage.installs("bob", false).await.unwrap();
        let now = stage.clock.now();
        let reason = "a-reason-that-only-acme-gave";
        let mut deployments = vec![asked_at(deployment(1, "a"), now), asked_at(deployment(2, "b").closed_now(), now)];
        deployments.iter_mut().for_each(|deployment| deployment.because = Some(reason.to_owned()));
        stage.store.save(Batch { deployments, ..Batch::default() }).await.unwrap();
        stage.go(SignedDuration::from_secs(60));
        for ack in stage.slack.uninstall(&stage.service, "T1", order).await {
            assert_eq!((ack.status, ack.body.as_str()), (Some(200), ""), "{order:?}");
        }
        let again = stage.slack.event_again(&stage.service).await.unwrap();
        assert_eq!(again.status, Some(200), "{order:?}: what comes twice is taken twice");
        assert!(stage.departures.sweep().await.unwrap().left, "{order:?}: a deploy goes on");
        assert_eq!((stage.standing("T1").await, stage.standing("T2").await), (None, Some(Standing::Good)), "{order:?}");
        assert_eq!(stage.says("T1").await, Err(Fault::SignInLost), "{order:?}");
        assert!(
            stage.store.deployment(deployment_id(1)).await.unwrap().is_some()
                && stage.store.deployment(deployment_id(2)).await.unwrap().is_none()
        );
        // It is installed anew while that deploy still runs: what is new stays.
        stage.go(SignedDuration::from_secs(60));
        stage.installs("ana", false).await.unwrap();
        let new = asked_at(deployment(3, "c").closed_now(), stage.clock.now());
        stage.store.save(Batch::deployment(new)).await.unwrap();
        stage.slack.event_again(&stage.service).await.unwrap();
        let over = stage.store.deployment(deployment_id(1)).await.unwrap().unwrap();
        assert!(over.has_left() && over.has_ended(), "{order:?}: what had not begun does not begin any more");
        stage.store.save(Batch::deployment(over.closed_now())).await.unwrap();
        assert!(stage.files_hold(reason), "what the test looks for can be found");
        assert!(!stage.departures.sweep().await.unwrap().left, "{order:?}: everything is done");
        assert!(stage.store.deployment(deployment_id(1)).await.unwrap().is_none(), "{order:?}");
        assert!(!stage.files_hold(reason), "{order:?}: something of it lies in the store's files");
        assert!(stage.store.deployment(deployment_id(3)).await.unwrap().is_some(), "{order:?}: what came after stays");
        assert_eq!(stage.standing("T1").await, Some(Standing::Good), "{order:?}: old word ends nothing new");
        assert!(stage.says("T1").await.is_ok(), "{order:?}");
    }
}

/// One that stands in a phase since it was asked for, now, in the line of its app.
async fn stands(stage: &Stage, n: u64, app: &str, phase: Phase) {
    let now = stage.clock.now();
    let one = Deployment { phase, since: now, ..asked_at(deployment(n, app), now) };
    let one = one.ridden_by(&person("T1", "U9"), &one.cargo.commit, now).unwrap_or(one);
    let line = Line::empty(one.target.app.clone()).joined_by(one.id);
    stage.store.save(Batch { deployments: vec![one], lines: vec![line], ..Batch::default() }).await.unwrap();
}

fn building() -> Phase {
    Phase::Building { build: BuildId::parse("b").unwrap() }
}

async fn found(stage: &Stage, n: u64) -> Deployment {
    stage.store.deployment(deployment_id(n)).await.unwrap().unwrap()
}

#[tokio::test]
async fn what_waits_is_stopped_and_what_is_new_has_nothing_to_do_with_what_was_before() {
    let mut stage = Stage::set(false).await;
    stage.installs("ana", false).await.unwrap();
    stands(&stage, 1, "a", Phase::Waiting(WaitingFor::Turn)).await;
    stands(&stage, 2, "b", building()).await;
    stage.go(SignedDuration::from_secs(60));
    stage.slack.uninstall(&stage.service, "T1", Order::RemovalFirst).await;
    assert!(stage.departures.sweep().await.unwrap().left);
    let (waited, runs) = (found(&stage, 1).await, found(&stage, 2).await);
    assert!(waited.has_left() && waited.has_ended() && stage.store.line(&waited.target.app).await.unwrap().holder.is_none());
    assert!(!runs.is_orphaned() && runs.phase == building(), "with the rights of whoever asked for it");

    stage.go(SignedDuration::from_secs(60));
    stage.installs("ana", false).await.unwrap();
    let runs = found(&stage, 2).await;
    assert!(runs.has_left() && matches!(runs.phase, Phase::Unknown(_)), "from the first moment on");
    let told = serde_json::to_string(&runs).unwrap();
    assert!(!told.contains("\"U1\"") && !told.contains("\"U9\""), "{told}");
    assert_eq!(stage.store.line(&runs.target.app).await.unwrap().holder, Some(runs.id), "it may still run");
    // What is new stays, however often it is looked at what is left.
    let now = stage.clock.now();
    stands(&stage, 3, "c", building()).await;
    let lock = Lock { since: now, set_at: now, ..lock("U1", "d1") };
    stage.store.save_locks(&none("p1").taken(lock, false, now).unwrap().locks, Vec::new()).await.unwrap();
    let told = Note::Told(Told { person: person("T1", "U1"), version: 5, seen: Month::of(now), since: Some(now) });
    stage.store.save_notes(NoteBatch { save: vec![Noted::new(told)], ..NoteBatch::default() }).await.unwrap();
    stage.departures.emptied = Emptied::default();
    stage.go(SignedDuration::from_secs(60));
    assert!(stage.departures.sweep().await.unwrap().left);
    assert!(!found(&stage, 3).await.is_orphaned());
    assert_eq!(stage.store.all_locks().await.unwrap().iter().map(|locks| locks.held.len()).collect::<Vec<_>>(), [1]);
    assert_eq!(stage.store.notes(NoteKind::Told).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_never_over_holds_up_no_removal() {
    let stage = Stage::set(false).await;
    stage.installs("ana", false).await.unwrap();
    stands(&stage, 1, "a", building()).await;
    stage.go(SignedDuration::from_secs(60));
    stage.slack.uninstall(&stage.service, "T1", Order::RemovalFirst).await;
    for (after, left) in [(0, false), (47, false), (1, true)] {
        stage.go(hours(after));
        assert!(stage.departures.sweep().await.unwrap().left);
        assert_eq!(found(&stage, 1).await.has_left(), left, "{after}");
    }
    // Whoever drives it looks again when nothing of it can run any more.
    let kept = found(&stage, 1).await;
    let nothing = |stage: &Stage| kept.after(Outcome::SignInLost, stage.clock.now());
    stage.go(SignedDuration::from_mins(134));
    assert_eq!(nothing(&stage), None);
    stage.go(SignedDuration::from_mins(2));
    let freed = nothing(&stage).unwrap();
    let line = stage.store.line(&freed.target.app).await.unwrap().with(&freed).unwrap();
    stage.store.save(Batch { deployments: vec![freed.closed_now()], lines: vec![line], ..Batch::default() }).await.unwrap();
    assert!(!stage.departures.sweep().await.unwrap().left, "everything is done");
    assert_eq!(stage.store.deployment(deployment_id(1)).await.unwrap(), None);
    assert!(!stage.files_hold("\"U9\""), "and nobody stands in the files");
}

#[tokio::test]
async fn a_token_that_was_refused_is_waited_for_and_then_everything_goes() {
    let stage = Stage::set(false).await;
    stage.installs("ana", false).await.unwrap();
    stage.store.save(Batch::deployment(asked_at(deployment(1, "a").closed_now(), stage.clock.now()))).await.unwrap();
    stage.slack.uninstall(&stage.service, "T1", Order::Nothing).await;
    // Nobody speaks: it is found out all the same, once a day, and only by a refusal.
    stage.departures.sweep().await.unwrap();
    assert_eq!(stage.standing("T1").await, Some(Standing::Good), "not a day has gone by");
    stage.go(hours(24));
    stage.slack.fail("auth.test", 1, Failing::Named("some_other_trouble".to_owned()));
    stage.departures.sweep().await.unwrap();
    assert_eq!(stage.standing("T1").await, Some(Standing::Good), "what is no refusal says nothing");
    stage.go(hours(24));
    stage.departures.sweep().await.unwrap();
    assert!(matches!(stage.standing("T1").await, Some(Standing::Withdrawn { .. })));
    stage.go(hours(7 * 24 - 1));
    assert!(!stage.departures.sweep().await.unwrap().left && stage.standing("T1").await.is_some());
    assert!(stage.store.deployment(deployment_id(1)).await.unwrap().is_some());
    stage.go(hours(2));
    assert!(!stage.departures.sweep().await.unwrap().left);
    assert_eq!((stage.standing("T1").await, stage.store.deployment(deployment_id(1)).await.unwrap()), (None, None));
}

#[tokio::test]
async fn an_organisation_speaks_for_whom_it_lets_in() {
    let stage = Stage::set(true).await;
    stage.slack.in_enterprise("E1", "Acme");
    assert_eq!(stage.installs("ana", true).await.unwrap().tenant, Tenant::Organisation(OrganisationId::parse("E1").unwrap()));
    assert_eq!(stage.says("T1").await, Err(Fault::SignInLost), "nobody is let in yet");
    assert_eq!(stage.slack.access(&stage.service, "T1", true).await.status, Some(200));
    stage.departures.sweep().await.unwrap();
    assert!(stage.says("T1").await.is_ok());
    // Word of this one is lost.
    stage.slack.let_in("T2", true);
    assert!(stage.says("T2").await.is_ok(), "the organisation is asked");
    stage.store.save(Batch::deployment(asked_at(deployment(1, "a").closed_now(), stage.clock.now()))).await.unwrap();
    stage.go(SignedDuration::from_secs(5));
    stage.slack.access(&stage.service, "T1", false).await;
    assert!(!stage.departures.sweep().await.unwrap().left);
    assert!(stage.store.deployment(deployment_id(1)).await.unwrap().is_none(), "what was shut out has left");
    assert_eq!(stage.says("T1").await, Err(Fault::SignInLost));
    assert!(stage.says("T2").await.is_ok());
    stage.slack.uninstall(&stage.service, "T2", Order::RemovalFirst).await;
    assert!(!stage.departures.sweep().await.unwrap().left);
    assert_eq!(stage.store.installations().await.unwrap(), []);
}

#[tokio::test]
async fn what_was_granted_and_what_lacks_is_told() {
    let stage = Stage::set(false).await;
    assert_eq!(stage.bots.asks_for().into_iter().map(|asked| asked.right).collect::<Vec<_>>(), BotRight::ALL);
    stage.links(&person("T1", "U1")).await;
    stage.slack.fail("oauth.v2.access", 1, Failing::Named("bad_client_secret".to_owned()));
    let Err(NotInstalled::Outside(error)) = stage.installs("ana", false).await else { panic!("it is refused") };
    assert_eq!((error.fault, error.said.as_deref()), (Fault::Refused, Some("bad_client_secret")));
    assert_eq!(stage.store.installations().await.unwrap(), []);
}
