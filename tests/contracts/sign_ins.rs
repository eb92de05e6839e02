//! Signing in, held to what the port promises: at GitHub with three kinds of apps, and at Heroku, simulated.

use std::sync::Arc;

use async_trait::async_trait;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use slash_heroku::adapters::github::{self as adapter, GitHubSignIn, GitHubSignInSettings};
use slash_heroku::adapters::heroku::{HerokuSignIn, HerokuSignInSettings};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::domain::names::LoginId;
use slash_heroku::ports::{Clock, Identity, Proof, SignInAt};
use slash_heroku::sandbox::fault::{Fault, FaultRule};
use slash_heroku::sandbox::github::{AppKind, AppSeed, Github};
use slash_heroku::sandbox::heroku::{ClientSeed, Heroku, HerokuPorts};
use slash_heroku::sandbox::serve::Servers;
use slash_heroku::testing::Arranged;
use slash_heroku::testing::sign_in::{Back, Stage, all};

use super::recordings_replay::Jumping;
use super::recordings_simulated::client;

const OWN_KEY: &str = "the-key-that-ana-made-by-hand";
const STATE: &str = "the-state-of-this-way";
const CLIENT_SECRET: &str = "the-secret-of-our-app";
const CALLBACK: &str = "https://ship.example.com/back";

fn proof(number: u8) -> Proof {
    let verifier = format!("{number:0>43}");
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    Proof { verifier: verifier.into(), challenge }
}

/// How somebody comes back, read from where they are sent.
fn back(to: &str) -> Back {
    let (callback, query) = to.split_once('?').unwrap();
    assert_eq!(callback, CALLBACK);
    let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    assert_eq!(value("code").is_none(), value("error").is_some());
    Back { brings_state: value("state").as_deref() == Some(STATE), code: value("code").map(SecretString::from) }
}

/// Agrees, or not, as a browser does: looks at the page, then presses a button of it.
async fn pressed(page: &SecretString, as_whom: &str) -> String {
    let seen = client().get(page.expose_secret()).send().await.unwrap();
    assert_eq!(seen.status(), 200);
    assert!(seen.text().await.unwrap().contains("<form method=\"post\""));
    let form = format!("as={as_whom}");
    let sent = client().post(page.expose_secret()).header("content-type", "application/x-www-form-urlencoded").body(form);
    let sent = sent.send().await.unwrap();
    assert_eq!(sent.status(), 302);
    sent.headers()["location"].to_str().unwrap().to_owned()
}

async fn is_taken(address: String, token: &str) -> bool {
    let request = client().get(address).bearer_auth(token).header("accept", "application/vnd.heroku+json; version=3");
    match request.send().await.unwrap().status().as_u16() {
        200 => true,
        401 => false,
        other => panic!("answers {other}"),
    }
}

struct AtGitHub {
    github: Arc<Github>,
    adapter: Arc<GitHubSignIn>,
    clock: Arc<Jumping>,
    _servers: Servers,
}

impl AtGitHub {
    async fn new(kind: AppKind) -> Self {
        let (servers, clock) = (Servers::default(), Jumping::new());
        let github = Github::start(&servers, Arc::<Jumping>::clone(&clock), 0).await.unwrap();
        github.add_user(OWN_KEY, "ana");
        github.add_app(AppSeed { client_id: "Iv1.ship", client_secret: CLIENT_SECRET.to_owned(), kind, callback: CALLBACK.to_owned() });
        let settings = GitHubSignInSettings {
            api: BaseUrl::parse(&github.api_url()).unwrap(),
            web: BaseUrl::parse(&github.web_url()).unwrap(),
            client_id: "Iv1.ship".to_owned(),
            client_secret: CLIENT_SECRET.into(),
            kind: match kind {
                AppKind::OAuth { expiring } => adapter::AppKind::OAuth { expiring },
                AppKind::GitHubApp => adapter::AppKind::GitHubApp,
            },
            callback: CALLBACK.parse().unwrap(),
        };
        let adapter = Arc::new(GitHubSignIn::new(settings, Arc::<Jumping>::clone(&clock)).unwrap());
        Self { github, adapter, clock, _servers: servers }
    }

    fn fails(&self, fault: Fault) -> Arranged {
        self.github.fail(FaultRule {
            method: Some("POST".to_owned()),
            path_contains: "/login/oauth/access_token".to_owned(),
            spared: 0,
            times: 1,
            fault,
        });
        Arranged::Done
    }
}

fn away() -> Fault {
    Fault::Status { code: 503, body: "<html>away</html>".to_owned(), content_type: "text/html".to_owned(), headers: Vec::new() }
}

#[async_trait]
impl Stage for AtGitHub {
    fn sign_in(&self) -> Arc<dyn SignInAt> {
        self.adapter.clone()
    }

    fn person(&self) -> Identity {
        // What the simulator makes of a name; the real one gives numbers as they come.
        let id = slash_heroku::sandbox::github::user_id("ana").to_string();
        Identity { id: LoginId::parse(&id).unwrap(), name: "ana".to_owned() }
    }

    fn secrets(&self) -> Vec<String> {
        self.github.secrets().into_iter().map(|secret| secret.text).chain([CLIENT_SECRET.to_owned()]).collect()
    }

    fn state(&self) -> SecretString {
        STATE.into()
    }

    fn proof(&self, number: u8) -> Proof {
        proof(number)
    }

    async fn decide(&mut self, page: &SecretString, agrees: bool) -> Back {
        back(&pressed(page, if agrees { "ana" } else { "" }).await)
    }

    async fn takes(&mut self, access: &SecretString) -> bool {
        is_taken(format!("{}/user", self.github.api_url()), access.expose_secret()).await
    }

    async fn takes_own_key(&mut self) -> bool {
        is_taken(format!("{}/user", self.github.api_url()), OWN_KEY).await
    }

    async fn time_goes_on(&mut self) -> Arranged {
        self.clock.pause_until(self.clock.now() + SignedDuration::from_hours(9)).await;
        Arranged::Done
    }

    async fn withdraw(&mut self) -> Arranged {
        self.github.withdraw_app("ana", "Iv1.ship");
        Arranged::Done
    }

    async fn stumble(&mut self) -> Arranged {
        self.fails(away())
    }

    async fn lose_answer(&mut self) -> Arranged {
        self.fails(Fault::CutAfter)
    }

    async fn asked_for_tokens(&mut self) -> usize {
        self.github.requests().iter().filter(|request| request.path == "/login/oauth/access_token").count()
    }
}

struct AtHeroku {
    heroku: Arc<Heroku>,
    adapter: Arc<HerokuSignIn>,
    clock: Arc<Jumping>,
    id: String,
    _servers: Servers,
}

impl AtHeroku {
    async fn new(rotating: bool, endable: bool) -> Self {
        let (servers, clock) = (Servers::default(), Jumping::new());
        let heroku = Heroku::start(&servers, Arc::<Jumping>::clone(&clock), HerokuPorts::default()).await.unwrap();
        let id = heroku.add_user(OWN_KEY, "ana@example.com", &[], true).to_string();
        let client_id = "11110000-aaaa-4aaa-8aaa-000000000001".to_owned();
        heroku.add_client(ClientSeed { id: client_id.clone(), secret: CLIENT_SECRET.to_owned(), redirect_uri: CALLBACK.to_owned() });
        heroku.rotate_refresh_tokens(rotating);
        heroku.apps_may_end_authorizations(endable);
        let settings = HerokuSignInSettings {
            api: BaseUrl::parse(heroku.api_url()).unwrap(),
            id: BaseUrl::parse(heroku.id_url()).unwrap(),
            dashboard: BaseUrl::parse("https://dashboard.heroku.com").unwrap(),
            client_id,
            client_secret: CLIENT_SECRET.into(),
        };
        let adapter = Arc::new(HerokuSignIn::new(settings, Arc::<Jumping>::clone(&clock)).unwrap());
        Self { heroku, adapter, clock, id, _servers: servers }
    }

    fn fails(&self, fault: Fault) -> Arranged {
        self.heroku.fail(FaultRule {
            method: Some("POST".to_owned()),
            path_contains: "/oauth/tokens".to_owned(),
            spared: 0,
            times: 1,
            fault,
        });
        Arranged::Done
    }
}

#[async_trait]
impl Stage for AtHeroku {
    fn sign_in(&self) -> Arc<dyn SignInAt> {
        self.adapter.clone()
    }

    fn person(&self) -> Identity {
        Identity { id: LoginId::parse(&self.id).unwrap(), name: "ana@example.com".to_owned() }
    }

    fn secrets(&self) -> Vec<String> {
        self.heroku.secrets().into_iter().map(|secret| secret.text).chain([CLIENT_SECRET.to_owned()]).collect()
    }

    fn state(&self) -> SecretString {
        STATE.into()
    }

    fn proof(&self, number: u8) -> Proof {
        proof(number)
    }

    async fn decide(&mut self, page: &SecretString, agrees: bool) -> Back {
        back(&pressed(page, if agrees { "ana@example.com" } else { "" }).await)
    }

    async fn takes(&mut self, access: &SecretString) -> bool {
        is_taken(format!("{}/account", self.heroku.api_url()), access.expose_secret()).await
    }

    async fn takes_own_key(&mut self) -> bool {
        is_taken(format!("{}/account", self.heroku.api_url()), OWN_KEY).await
    }

    async fn time_goes_on(&mut self) -> Arranged {
        self.clock.pause_until(self.clock.now() + SignedDuration::from_hours(9)).await;
        Arranged::Done
    }

    async fn withdraw(&mut self) -> Arranged {
        self.heroku.withdraw_apps("ana@example.com");
        Arranged::Done
    }

    async fn stumble(&mut self) -> Arranged {
        self.fails(away())
    }

    async fn lose_answer(&mut self) -> Arranged {
        self.fails(Fault::CutAfter)
    }

    async fn asked_for_tokens(&mut self) -> usize {
        self.heroku.requests().iter().filter(|request| request.path == "/oauth/tokens").count()
    }
}

/// What cannot be with tokens that do not end by themselves.
const ENDLESS: [&str; 3] = ["renewed", "renewed later", "revoked when it has run out"];

#[tokio::test]
async fn github_keeps_the_promises_of_signing_in() {
    assert_eq!(all(async || AtGitHub::new(AppKind::OAuth { expiring: false }).await).await.parts(), ENDLESS);
    assert_eq!(all(async || AtGitHub::new(AppKind::OAuth { expiring: true }).await).await.parts(), [""; 0]);
    assert_eq!(all(async || AtGitHub::new(AppKind::GitHubApp).await).await.parts(), [""; 0]);
}

#[tokio::test]
async fn heroku_keeps_the_promises_of_signing_in() {
    // Whether an app may end what its token hangs on is not documented, nor whether refresh tokens are replaced.
    let proofs = ["a code belongs to its proof"];
    assert_eq!(all(async || AtHeroku::new(false, true).await).await.parts(), proofs);
    assert_eq!(all(async || AtHeroku::new(true, true).await).await.parts(), proofs);
    let by_hand = ["a code belongs to its proof", "revoked", "revoked when it has run out", "one of two is revoked"];
    assert_eq!(all(async || AtHeroku::new(false, false).await).await.parts(), by_hand);
}
