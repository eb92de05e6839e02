//! One of every type that holds a secret, each with a secret in it.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Method};
use secrecy::SecretString;
use slash_heroku::adapters::clock::SystemClock;
use slash_heroku::adapters::doorbell::Bell;
use slash_heroku::adapters::github::{AppKind, GitHubSignIn, GitHubSignInSettings};
use slash_heroku::adapters::heroku::{HerokuSignIn, HerokuSignInSettings};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::adapters::http::call::{Call, authorized};
use slash_heroku::adapters::settings_bot::OneBot;
use slash_heroku::adapters::slack::{Sealer, SlackInbound, SlackInstall, SlackInstallSettings};
use slash_heroku::adapters::vault::TokenVault;
use slash_heroku::config::{self, AppSettings, BotSettings, SignInSettings, SlackSettings, Variables};
use slash_heroku::domain::account::Life;
use slash_heroku::domain::actor::{Origin, Person, ReplyAddress};
use slash_heroku::domain::command::Command;
use slash_heroku::domain::installation::Tenant;
use slash_heroku::domain::request::Ask;
use slash_heroku::ports::{
    BotGrant, BuildOrder, Credentials, Granted, Incoming, Installed, MockSecrets, Proof, Service, Submitted, Tokens, UploadedSource,
};
use slash_heroku::sandbox::company::{CODES, GITHUB_TOKEN, HEROKU_TOKEN};
use slash_heroku::sandbox::secrets::MARK;
use slash_heroku::testing::forgets::Reader;
use slash_heroku::testing::inbox::Kept;
use slash_heroku::testing::installation_store::Heard;
use slash_heroku::testing::sign_in::Back;

fn of<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).unwrap()
}

fn origin() -> Origin {
    let reply = Some(ReplyAddress::sealed(format!("http://127.0.0.1:9/commands/T1/1/{MARK}")));
    Origin { person: Person { workspace: of("T1"), user: of("U1") }, channel: of("C1"), reply }
}

/// A text that carries the mark.
fn marked() -> SecretString {
    SecretString::from(format!("gh{MARK}x"))
}

fn tokens() -> Tokens {
    Tokens { access: marked(), refresh: Some(SecretString::from(HEROKU_TOKEN)) }
}

fn base() -> BaseUrl {
    BaseUrl::parse("http://127.0.0.1:9").unwrap()
}

/// A keyring whose key is the mark, many times.
fn vault() -> TokenVault {
    let key: Vec<u8> = MARK.bytes().cycle().take(32).collect();
    TokenVault::new(&SecretString::from(format!("first:{}", STANDARD.encode(key)))).unwrap()
}

/// What is given for one who has signed in, or has installed the app.
fn granted() -> Vec<Holder> {
    let (at, life) = (jiff::Timestamp::UNIX_EPOCH, Life::Open);
    let grant = BotGrant { tokens: tokens(), life, at, scopes: BTreeSet::new(), rights: BTreeSet::new() };
    let installed = Installed {
        tenant: Tenant::Workspace(of("T1")),
        within: None,
        name: Some("acme".to_owned()),
        app: of("A1"),
        bot: of("U2"),
        by: of("U1"),
        grant: grant.clone(),
    };
    let granted = Granted { tokens: tokens(), life, scopes: BTreeSet::new(), rights: BTreeSet::new(), grant: None };
    vec![
        holder("Tokens", tokens()),
        holder("Granted", granted),
        holder("BotGrant", grant),
        holder("Installed", installed),
        holder("Proof", Proof { verifier: marked(), challenge: "shown-to-all".to_owned() }),
    ]
}

/// Our own apps at the services, and the adapters that know them.
fn apps() -> Vec<Holder> {
    let clock = || Arc::new(SystemClock::default());
    let callback = || "https://ship.example.com/back".parse().unwrap();
    let (client_id, authorize) = (|| "client-1".to_owned(), "https://slack.example.com/oauth/v2/authorize".parse().unwrap());
    let github = GitHubSignInSettings {
        api: base(),
        web: base(),
        client_id: client_id(),
        client_secret: marked(),
        kind: AppKind::GitHubApp,
        callback: callback(),
    };
    let heroku = HerokuSignInSettings { api: base(), id: base(), dashboard: base(), client_id: client_id(), client_secret: marked() };
    let slack = SlackInstallSettings { api: base(), authorize, client_id: client_id(), client_secret: marked(), callback: callback() };
    let app = || AppSettings { id: client_id(), secret: marked() };
    let sign_in = SignInSettings { public: base(), vault: Arc::new(vault()), kind: AppKind::GitHubApp, github: app(), heroku: app() };
    let chat = |bot| SlackSettings { signing_secrets: vec![marked()], bot, api: base(), loopback_response_url: false };
    let inbound = SlackInbound {
        secrets: vec![marked()],
        inbox: Kept::saying(Submitted::Accepted),
        clock: clock(),
        hears: Arc::new(Heard::default()),
        sealer: Arc::new(Sealer::new(&[marked()]).unwrap()),
        command_word: "/h".to_owned(),
        allow_loopback_response_url: false,
    };
    let mut secrets = MockSecrets::new();
    secrets.expect_fresh().returning(|| Ok(marked()));
    vec![
        holder("GitHubSignIn", GitHubSignIn::new(github.clone(), clock()).unwrap()),
        holder("GitHubSignInSettings", github),
        holder("HerokuSignIn", HerokuSignIn::new(heroku.clone(), clock()).unwrap()),
        holder("HerokuSignInSettings", heroku),
        holder("SlackInstall", SlackInstall::new(slack.clone(), clock()).unwrap()),
        holder("SlackInstallSettings", slack),
        holder("AppSettings", app()),
        holder("SignInSettings", sign_in),
        holder("SlackSettings", chat(BotSettings::Token(marked()))),
        holder("BotSettings", BotSettings::Installed(app())),
        holder("SlackInbound", inbound),
        holder("TokenVault", vault()),
        holder("OneBot", OneBot::new(marked())),
        holder("Bell", Bell::new(base(), Arc::new(secrets)).unwrap()),
        holder("Back", Back { brings_state: true, code: Some(marked()) }),
        holder("Reader", Reader { person: origin().person, token: marked() }),
    ]
}

/// Something that holds a secret, with the name of its type.
pub type Holder = (&'static str, Box<dyn Debug + Send>);

fn holder(name: &'static str, what: impl Debug + Send + 'static) -> Holder {
    (name, Box::new(what))
}

/// One of every type that holds a secret.
pub fn holders() -> Vec<Holder> {
    let mut all = carriers();
    all.extend(granted());
    all.extend(apps());
    all
}

/// What carries secrets on their way.
fn carriers() -> Vec<Holder> {
    let source = || UploadedSource {
        address: SecretString::from(format!("https://s.example.com/uploads/1?X-Amz-Signature={MARK}")),
        sha256: "0".repeat(64),
        at: jiff::Timestamp::UNIX_EPOCH,
    };
    let order = BuildOrder {
        source: source(),
        commit: of(&"1".repeat(40)),
        repository: of("acme/hubot"),
        deployment: of("00000000-0000-0000-0000-000000000007"),
    };
    let incoming =
        Incoming { id: of("1.2.x"), origin: origin(), ask: Ask::Command(Command::Pipelines), code: Some(SecretString::from(CODES[0])) };
    let url = format!("https://user:{MARK}@api.example.com/uploads/1?X-Amz-Signature={MARK}").parse().unwrap();
    let call = Call::new(Service::Platform, Method::PUT, url, "/uploads").json(&serde_json::json!({ "url": MARK }));
    let call = authorized(call, &SecretString::from(HEROKU_TOKEN)).unwrap();
    let call = call.header(http::header::COOKIE, HeaderValue::from_static(GITHUB_TOKEN));
    let credentials = Credentials { source: SecretString::from(GITHUB_TOKEN), platform: SecretString::from(HEROKU_TOKEN) };
    let variables: Variables = [
        ("SLASH_HEROKU_SLACK_SIGNING_SECRET", "sandbox-signing-secret"),
        ("SLASH_HEROKU_SLACK_BOT_TOKEN", "sandbox-bot-token"),
        ("SLASH_HEROKU_GITHUB_TOKEN", GITHUB_TOKEN),
        ("SLASH_HEROKU_HEROKU_TOKEN", HEROKU_TOKEN),
        ("SLASH_HEROKU_PERSON_WORKSPACE", "T1"),
        ("SLASH_HEROKU_PERSON_USER", "U1"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    let settings = config::load(&variables).unwrap();
    let sealer = Sealer::new(&[SecretString::from("sandbox-signing-secret")]).unwrap();
    vec![
        holder("UploadedSource", source()),
        holder("BuildOrder", order),
        holder("Incoming", incoming),
        holder("Call", call),
        holder("Credentials", credentials),
        holder("Settings", settings),
        holder("Sealer", sealer),
        holder("Origin", origin()),
    ]
}
