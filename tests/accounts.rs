//! Linked logins over real HTTP and on a real store: renewed once however many want them, kept through what passes, ended where
//! they are ended, and of no use to whoever reads the store's files.

mod promises;
mod visits;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use slash_heroku::adapters::clock::SystemClock;
use slash_heroku::adapters::github::{AppKind, GitHubSignIn, GitHubSignInSettings};
use slash_heroku::adapters::heroku::{HerokuSignIn, HerokuSignInSettings};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::adapters::secrets::SystemSecrets;
use slash_heroku::adapters::sled::SledStore;
use slash_heroku::adapters::vault::TokenVault;
use slash_heroku::domain::account::Unlinked;
use slash_heroku::domain::account::{Account, Missing, Obstacle, Provider, Standing};
use slash_heroku::ports::{
    AccountBatch, AccountStore, Accounts, Clock, Forgets, MockAccountStore, Resealed, SealedThings, Secrets, SignInAt, Store, VaultError,
    WakeKey, Work,
};
use slash_heroku::sandbox::fault::{Fault, FaultRule};
use slash_heroku::sandbox::github::{self as at_github, AppSeed, Github};
use slash_heroku::sandbox::heroku::{ClientSeed, Heroku, HerokuPorts};
use slash_heroku::sandbox::serve::Servers;
use slash_heroku::testing::account_store::person;
use slash_heroku::usecases::{Denied, LinkedAccounts, Memories};

use crate::support::folders;

const CALLBACK: &str = "https://ship.example.com/back";

/// Real time, from a moment that can be moved ahead.
#[derive(Debug, Default)]
pub struct Ahead {
    by: Mutex<SignedDuration>,
    real: SystemClock,
}

impl Ahead {
    pub fn go(&self, by: SignedDuration) {
        *self.by.lock().unwrap() += by;
    }
}

#[async_trait]
impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.real.now() + *self.by.lock().unwrap()
    }

    async fn wait(&self, key: WakeKey, until: Option<Timestamp>) {
        let by = *self.by.lock().unwrap();
        self.real.wait(key, until.map(|until| until - by)).await;
    }

    fn wake(&self, key: WakeKey) {
        self.real.wake(key);
    }

    async fn pause_until(&self, until: Timestamp) {
        let by = *self.by.lock().unwrap();
        self.real.pause_until(until - by).await;
    }
}

pub fn keys(of: &[(&str, u8)]) -> SecretString {
    let keys: Vec<String> = of.iter().map(|(name, byte)| format!("{name}:{}", BASE64_STANDARD.encode([*byte; 32]))).collect();
    SecretString::from(keys.join(","))
}

/// A GitHub and a Heroku with Ana in them, our app at both, and a store.
struct Stage {
    github: Arc<Github>,
    heroku: Arc<Heroku>,
    clock: Arc<Ahead>,
    folder: tempfile::TempDir,
    services: BTreeMap<Provider, Arc<dyn SignInAt>>,
    forgotten: Arc<Forgotten>,
    _servers: Servers,
}

/// The tokens with which whatever was read is to be forgotten.
#[derive(Debug, Default)]
struct Forgotten(Mutex<Vec<String>>);

impl Forgets for Forgotten {
    fn forget_credential(&self, token: &SecretString) {
        self.0.lock().unwrap().push(token.expose_secret().to_owned());
    }
}

impl Forgotten {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Stage {
    async fn set() -> Self {
        let (servers, clock) = (Servers::default(), Arc::new(Ahead::default()));
        let github = Github::start(&servers, Arc::<Ahead>::clone(&clock), 0).await.unwrap();
        let heroku = Heroku::start(&servers, Arc::<Ahead>::clone(&clock), HerokuPorts::default()).await.unwrap();
        github.add_user("ana-made-this-at-github", "ana");
        heroku.add_user("ana-made-this-at-heroku", "ana@example.com", &[], true);
        let (secret, kind) = ("secret-of-our-app-at-github".to_owned(), at_github::AppKind::GitHubApp);
        github.add_app(AppSeed { client_id: "Iv1.ship", client_secret: secret.clone(), kind, callback: CALLBACK.to_owned() });
        let base = |text: &str| BaseUrl::parse(text).unwrap();
        let source = GitHubSignInSettings {
            api: base(&github.api_url()),
            web: base(&github.web_url()),
            client_id: "Iv1.ship".to_owned(),
            client_secret: secret.into(),
            kind: AppKind::GitHubApp,
            callback: CALLBACK.parse().unwrap(),
        };
        let (id, secret) = ("11110000-aaaa-4aaa-8aaa-000000000001".to_owned(), "secret-of-our-app-at-heroku".to_owned());
        heroku.add_client(ClientSeed { id: id.clone(), secret: secret.clone(), redirect_uri: CALLBACK.to_owned() });
        heroku.rotate_refresh_tokens(true);
        let platform = HerokuSignInSettings {
            api: base(heroku.api_url()),
            id: base(heroku.id_url()),
            dashboard: base("https://dashboard.heroku.com"),
            client_id: id,
            client_secret: secret.into(),
        };
        let source: Arc<dyn SignInAt> = Arc::new(GitHubSignIn::new(source, Arc::<Ahead>::clone(&clock)).unwrap());
        let platform: Arc<dyn SignInAt> = Arc::new(HerokuSignIn::new(platform, Arc::<Ahead>::clone(&clock)).unwrap());
        let services = BTreeMap::from([(Provider::SourceControl, source), (Provider::Platform, platform)]);
        Self { github, heroku, clock, folder: folders::in_memory(), services, forgotten: Arc::default(), _servers: servers }
    }

    fn open_with(&self, keys: &SecretString) -> (SledStore, LinkedAccounts) {
        let store = SledStore::open(self.folder.path()).unwrap();
        let linked = LinkedAccounts {
            store: Arc::new(store.clone()),
            accounts: Arc::new(store.clone()),
            vault: Arc::new(TokenVault::new(keys).unwrap()),
            memories: Memories::new(vec![Arc::<Forgotten>::clone(&self.forgotten)]),
            services: self.services.clone(),
            clock: Arc::<Ahead>::clone(&self.clock),
        };
        (store, linked)
    }

    fn open(&self) -> (SledStore, LinkedAccounts) {
        self.open_with(&keys(&[("first", 1)]))
    }

    /// Ana signs in at both.
    async fn link(&self, linked: &LinkedAccounts) {
        let ana = person("T1", "U1");
        let mut account = linked.accounts.account(&ana).await.unwrap();
        for (at, service) in &self.services {
            let (browser, state) = (SystemSecrets.fresh().unwrap(), SystemSecrets.fresh().unwrap());
            let proof = SystemSecrets.proof(&browser, &state);
            let page = service.agree_at(&state, &proof);
            let back = match at {
                Provider::SourceControl => self.github.agrees(Some("ana"), page.expose_secret()),
                Provider::Platform => self.heroku.agrees(Some("ana@example.com"), page.expose_secret()),
            };
            let back = back.unwrap();
            let code = back.split(['?', '&']).find_map(|part| part.strip_prefix("code=")).unwrap();
            let granted = service.exchange(code.into(), &proof).await.unwrap();
            let id = service.who(&granted.tokens.access).await.unwrap().id;
            account = account.with(*at, linked.login(&ana, *at, id, granted).unwrap());
        }
        linked.accounts.save_accounts(AccountBatch { accounts: vec![account], sign_ins: Vec::new() }).await.unwrap();
    }

    /// How often each service was asked for tokens.
    fn asked(&self) -> (usize, usize) {
        let at_github = self.github.requests().iter().filter(|request| request.path == "/login/oauth/access_token").count();
        (at_github, self.heroku.requests().iter().filter(|request| request.path == "/oauth/tokens").count())
    }

    /// The services are away for the next request for tokens.
    fn away(&self) {
        let fault = || Fault::Status { code: 503, body: "<html>".to_owned(), content_type: "text/html".to_owned(), headers: Vec::new() };
        let rule =
            |path: &str| FaultRule { method: Some("POST".to_owned()), path_contains: path.to_owned(), spared: 0, times: 1, fault: fault() };
        self.github.fail(rule("/login/oauth/access_token"));
        self.heroku.fail(rule("/oauth/tokens"));
    }

    /// Whether both services take these.
    async fn takes(&self, source: &SecretString, platform: &SecretString) -> (bool, bool) {
        let service = |at| &self.services[&at];
        let source = service(Provider::SourceControl).who(source).await.is_ok();
        (source, service(Provider::Platform).who(platform).await.is_ok())
    }

    fn secrets(&self) -> Vec<String> {
        self.github.secrets().into_iter().chain(self.heroku.secrets()).map(|secret| secret.text).collect()
    }
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

async fn tokens(linked: &LinkedAccounts) -> (String, String) {
    let both = linked.credentials(&person("T1", "U1")).await.expect("both are linked");
    (both.source.expose_secret().to_owned(), both.platform.expose_secret().to_owned())
}

pub fn bytes_of(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { bytes_of(&path) } else { std::fs::read(path).unwrap_or_default() });
    }
    all
}

#[tokio::test]
async fn what_was_linked_works_after_a_restart_and_the_files_hold_no_token() {
    let stage = Stage::set().await;
    let (store, linked) = stage.open();
    assert!(linked.credentials(&person("T1", "U1")).await.is_err());
    stage.link(&linked).await;
    stage.clock.go(hours(9));
    let before = tokens(&linked).await;
    store.close().await;
    drop((store, linked));
    let secrets = stage.secrets();
    assert!(secrets.contains(&before.0) && secrets.contains(&before.1) && secrets.len() > 10, "codes, old and new tokens, our own secrets");
    let files = bytes_of(stage.folder.path());
    let found = aho_corasick::AhoCorasick::new(&secrets).unwrap().find(&files).map(|found| &secrets[found.pattern().as_usize()]);
    assert_eq!(found, None);
    let (_store, linked) = stage.open();
    assert_eq!(tokens(&linked).await, before);
    let both = linked.credentials(&person("T1", "U1")).await.unwrap();
    assert_eq!(stage.takes(&both.source, &both.platform).await, (true, true));
    for stranger in [person("T2", "U1"), person("T1", "U2")] {
        assert!(linked.credentials(&stranger).await.is_err(), "both the workspace and the user must match");
    }
}

#[tokio::test]
async fn linked_logins_keep_the_promises_of_accounts() {
    let stage = Stage::set().await;
    let (_store, linked) = stage.open();
    stage.link(&linked).await;
    let secrets = stage.secrets();
    let markers: Vec<&str> = secrets.iter().map(String::as_str).collect();
    slash_heroku::testing::accounts::all(Arc::new(linked), &person("T1", "U1"), &markers).await;
}

#[tokio::test]
async fn whoever_comes_too_late_to_renew_it_keeps_nobody_waiting() {
    let stage = Stage::set().await;
    let (store, linked) = stage.open();
    stage.link(&linked).await;
    stage.clock.go(hours(9));
    let ana = person("T1", "U1");
    let before = linked.accounts.account(&ana).await.unwrap();
    let mut lost = before.clone();
    for login in lost.logins.values_mut() {
        *login = login.withdrawn(stage.clock.now());
    }
    // Between two looks at it somebody else was told that it is withdrawn.
    let mut accounts = MockAccountStore::new();
    let mut looks = [before, lost].into_iter();
    accounts.expect_account().times(2).returning(move |_| Ok(looks.next().unwrap()));
    let late = LinkedAccounts { accounts: Arc::new(accounts), ..linked };
    assert!(matches!(late.access(&ana, Provider::Platform).await, Err(Denied::Missing(_))));
    let now = stage.clock.now();
    let claimed = store.claim(&Work::Account(ana), now, now + SignedDuration::from_secs(1)).await.unwrap();
    assert!(claimed.is_some(), "whoever links it anew would wait for a minute");
}

#[tokio::test]
async fn many_who_want_it_at_once_renew_it_once() {
    let stage = Stage::set().await;
    let (_store, linked) = stage.open();
    stage.link(&linked).await;
    let before = stage.asked();
    stage.clock.go(hours(9));
    let all = join_all((0..8).map(|_| tokens(&linked))).await;
    assert!(all.iter().all(|one| *one == all[0]), "everybody gets the same, valid pair");
    assert_eq!(stage.asked(), (before.0 + 1, before.1 + 1));
    let (source, platform) = &all[0];
    assert_eq!(stage.takes(&source.as_str().into(), &platform.as_str().into()).await, (true, true));
    // What was renewed can be renewed again: the new pair lies in the store.
    stage.clock.go(hours(9));
    assert_ne!(tokens(&linked).await, all[0]);
}

#[tokio::test]
async fn a_service_that_is_away_takes_nothing_away() {
    let stage = Stage::set().await;
    let (store, linked) = stage.open();
    stage.link(&linked).await;
    let first = tokens(&linked).await;
    stage.clock.go(hours(8) - SignedDuration::from_mins(10));
    stage.away();
    let before = stage.asked();
    assert_eq!(tokens(&linked).await, first, "shortly before its end what is there is used");
    assert_eq!(stage.asked(), (before.0 + 1, before.1 + 1), "and was to be renewed");
    stage.clock.go(hours(1));
    stage.away();
    for at in Provider::ALL {
        assert!(matches!(linked.access(&person("T1", "U1"), at).await, Err(Denied::Away(error)) if error.is_temporary()));
    }
    let account = store.account(&person("T1", "U1")).await.unwrap();
    assert!(account.logins.values().all(|login| login.standing == Standing::Good), "it stays linked");
    assert_ne!(tokens(&linked).await, first, "and works when the service is back");
}

#[tokio::test]
async fn what_was_withdrawn_asks_to_be_linked_again() {
    let stage = Stage::set().await;
    let (store, linked) = stage.open();
    let ana = person("T1", "U1");
    stage.link(&linked).await;
    stage.github.withdraw_app("ana", "Iv1.ship");
    // Nobody knows before the service says so; then it is tried once more.
    let token = linked.access(&ana, Provider::SourceControl).await.unwrap();
    assert_eq!(linked.doubt(&ana, Provider::SourceControl, &token).await, Ok(false));
    let asked = stage.asked();
    let denied = linked.access(&ana, Provider::SourceControl).await.unwrap_err();
    assert!(matches!(&denied, Denied::Missing(Missing { provider: Provider::SourceControl, why: Obstacle::Withdrawn { .. } })), "{denied}");
    assert_eq!(linked.doubt(&ana, Provider::SourceControl, &token).await, Ok(false));
    assert_eq!(stage.asked(), asked, "a service that has said no is not asked again");
    // A refusal by mistake costs a renewal and nothing else.
    let token = linked.access(&ana, Provider::Platform).await.unwrap();
    assert!(linked.refused(&ana, Provider::Platform, &token).await);
    let another = linked.access(&ana, Provider::Platform).await.unwrap();
    assert_ne!(token.expose_secret(), another.expose_secret());
    // Whoever was refused with the one before takes the one that is there by now.
    let asked = stage.asked();
    assert!(linked.refused(&ana, Provider::Platform, &token).await);
    assert_eq!(stage.asked(), asked, "it is renewed once, however many were refused");
    stage.heroku.withdraw_apps("ana@example.com");
    stage.clock.go(hours(9));
    assert!(matches!(linked.access(&ana, Provider::Platform).await, Err(Denied::Missing(_))));
    store.close().await;
    drop((store, linked));
    let (_store, linked) = stage.open();
    assert!(linked.credentials(&ana).await.is_err(), "also after a restart");
    stage.link(&linked).await;
    assert!(linked.credentials(&ana).await.is_ok(), "linked again, it works again");
}

#[tokio::test]
async fn whoever_unlinks_ends_it_at_the_services_too() {
    let stage = Stage::set().await;
    let (store, linked) = stage.open();
    let ana = person("T1", "U1");
    stage.link(&linked).await;
    let (source, platform) = tokens(&linked).await;
    let became = linked.unlink(&ana).await.unwrap();
    let page = "https://dashboard.heroku.com/account/applications".to_owned();
    assert_eq!(became, BTreeMap::from([(Provider::SourceControl, Unlinked::Revoked), (Provider::Platform, Unlinked::OnlyByHand { page })]));
    assert_eq!(stage.takes(&source.as_str().into(), &platform.as_str().into()).await, (false, true));
    assert_eq!(store.account(&ana).await.unwrap(), Account::empty(ana.clone()));
    assert!(linked.credentials(&ana).await.is_err());
    assert_eq!(linked.unlink(&ana).await.unwrap(), BTreeMap::new());
    // Where the service allows it, and also when it has run out.
    stage.heroku.apps_may_end_authorizations(true);
    stage.link(&linked).await;
    stage.clock.go(hours(9));
    let became = linked.unlink(&ana).await.unwrap();
    assert!(became.values().all(|became| *became == Unlinked::Revoked), "{became:?}");
    assert_eq!(stage.heroku.authorizations_of("ana@example.com"), 1, "the one that could be ended by hand only");
    let (source, platform) = ("ana-made-this-at-github".into(), "ana-made-this-at-heroku".into());
    assert_eq!(stage.takes(&source, &platform).await, (true, true), "her own keys are never touched");
    assert!(stage.heroku.violations().is_empty());
}

#[tokio::test]
async fn what_was_read_with_a_token_is_forgotten_with_it() {
    let stage = Stage::set().await;
    let (_store, linked) = stage.open();
    stage.link(&linked).await;
    let first = tokens(&linked).await;
    assert_eq!(stage.forgotten.take(), [""; 0]);
    stage.clock.go(hours(9));
    let second = tokens(&linked).await;
    assert_eq!(stage.forgotten.take(), [first.0, first.1], "what was renewed is another one");
    linked.unlink(&person("T1", "U1")).await.unwrap();
    assert_eq!(stage.forgotten.take(), [second.0, second.1]);
}

#[tokio::test]
async fn what_is_unlinked_while_it_is_renewed_stays_unlinked() {
    let stage = Stage::set().await;
    let (store, linked) = stage.open();
    let ana = person("T1", "U1");
    stage.heroku.apps_may_end_authorizations(true);
    stage.link(&linked).await;
    stage.clock.go(hours(9));
    let (_, became) = tokio::join!(linked.credentials(&ana), linked.unlink(&ana));
    assert_eq!(became.unwrap().len(), 2);
    assert_eq!(store.account(&ana).await.unwrap(), Account::empty(ana));
    assert_eq!(stage.heroku.authorizations_of("ana@example.com"), 0, "nothing is left there either");
}

#[tokio::test]
async fn keys_can_be_changed_and_a_lost_one_is_told() {
    let stage = Stage::set().await;
    let ana = person("T1", "U1");
    let (store, linked) = stage.open();
    stage.link(&linked).await;
    store.close().await;
    drop((store, linked));
    let (store, linked) = stage.open_with(&keys(&[("second", 2), ("first", 1)]));
    // Also while others use and renew them.
    stage.clock.go(hours(9));
    let ((first, again), all) =
        tokio::join!(async { (linked.reseal().await, linked.reseal().await) }, join_all((0..8).map(|_| tokens(&linked))));
    assert!(first.is_ok_and(|all| all.left.is_empty()) && again.is_ok());
    assert_eq!(linked.reseal().await, Ok(Resealed::default()));
    let before = all[0].clone();
    assert_eq!(tokens(&linked).await, before);
    store.close().await;
    drop((store, linked));
    let (store, linked) = stage.open_with(&keys(&[("second", 2)]));
    assert_eq!(tokens(&linked).await, before);
    store.close().await;
    drop((store, linked));
    let (_store, linked) = stage.open_with(&keys(&[("third", 3)]));
    let lost = Denied::Sealed(VaultError::KeyLost { key: "second".to_owned() });
    assert_eq!(linked.access(&ana, Provider::Platform).await.unwrap_err(), lost);
    assert!(lost.to_string().contains("`second`, which is not in the settings"));
    let left = vec![VaultError::KeyLost { key: "second".to_owned() }; 2];
    assert_eq!(linked.reseal().await, Ok(Resealed { sealed: 0, left }));
    // Linking again mends it.
    stage.link(&linked).await;
    assert!(linked.credentials(&ana).await.is_ok());
}
