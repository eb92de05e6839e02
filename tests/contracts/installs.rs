//! Installing, held to what the port promises: at the simulated Slack, with tokens that stay and tokens that end by themselves.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::adapters::slack::{SlackInstall, SlackInstallSettings};
use slash_heroku::domain::names::WorkspaceId;
use slash_heroku::ports::{BotGrant, Clock, InstallAt, Tokens};
use slash_heroku::sandbox::fault::Fault;
use slash_heroku::sandbox::serve::Servers;
use slash_heroku::sandbox::slack::{AppSeed, Order, ServiceAddress, SlackSeed, SlackWorkspace};
use slash_heroku::testing::Arranged;
use slash_heroku::testing::install::{Stage, all};
use slash_heroku::testing::sign_in::Back;

use super::recordings::Recording;
use super::recordings_replay::{Jumping, TOKEN, outcome};
use super::recordings_simulated::client;

pub const CLIENT_ID: &str = "1111.2222";
pub const CLIENT_SECRET: &str = "the-secret-of-our-app";
pub const CALLBACK: &str = "https://ship.example.com/slack/installed";
const STATE: &str = "the-state-of-this-way";

/// The adapter, at a simulated workspace.
pub fn adapter(slack: &SlackWorkspace, clock: Arc<dyn Clock>) -> Arc<SlackInstall> {
    adapter_at(BaseUrl::parse(slack.api_address().trim_end_matches('/')).unwrap(), &slack.authorize_url(), clock)
}

/// The adapter, where the Web API is here and the page there.
pub fn adapter_at(api: BaseUrl, authorize: &str, clock: Arc<dyn Clock>) -> Arc<SlackInstall> {
    let settings = SlackInstallSettings {
        api,
        authorize: authorize.parse().unwrap(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.into(),
        callback: CALLBACK.parse().unwrap(),
    };
    Arc::new(SlackInstall::new(settings, clock).unwrap())
}

fn of_grant(grant: &BotGrant) -> Value {
    let open = |secret: &SecretString| secret.expose_secret().to_owned();
    json!({
        "access": open(&grant.tokens.access), "refresh": grant.tokens.refresh.as_ref().map(open), "life": grant.life, "at": grant.at,
        "scopes": grant.scopes, "rights": grant.rights,
    })
}

/// Makes the call that a recording names, and says what came of it.
pub async fn made(adapter: &dyn InstallAt, recording: &Recording) -> Value {
    let tokens = Tokens { access: TOKEN.into(), refresh: Some("INVENTED-REFRESH".into()) };
    match recording.call.as_deref().unwrap() {
        "InstallAt::exchange" => {
            let code = recording.with["code"].as_str().unwrap();
            outcome(adapter.exchange(code.into()).await, |installed| {
                json!({
                    "tenant": installed.tenant, "within": installed.within, "name": installed.name, "app": installed.app,
                    "bot": installed.bot, "by": installed.by, "grant": of_grant(&installed.grant),
                })
            })
        }
        "InstallAt::renew" => outcome(adapter.renew(&tokens).await, |grant| of_grant(&grant)),
        "InstallAt::check" => outcome(adapter.check(&tokens.access).await, |()| Value::Null),
        "InstallAt::revoke" => outcome(adapter.revoke(&tokens.access).await, |()| Value::Null),
        "InstallAt::workspaces" => outcome(adapter.workspaces(&tokens.access).await, |workspaces| json!(workspaces)),
        other => panic!("{}: there is no call {other}", recording.name),
    }
}

/// The app, as it is registered there.
pub fn app(rotates: bool) -> AppSeed {
    let (client_id, client_secret) = (CLIENT_ID.to_owned(), CLIENT_SECRET.to_owned());
    AppSeed { client_id, client_secret, redirect: CALLBACK.to_owned(), rotates }
}

struct AtSlack {
    slack: Arc<SlackWorkspace>,
    adapter: Arc<SlackInstall>,
    clock: Arc<Jumping>,
    _servers: Servers,
}

impl AtSlack {
    async fn new(rotates: bool, in_enterprise: bool) -> Self {
        let (servers, clock) = (Servers::default(), Jumping::new());
        let slack = SlackWorkspace::start(&servers, Arc::<Jumping>::clone(&clock), 0, SlackSeed::default()).await.unwrap();
        slack.add_user("U1", "ana", "T1");
        slack.add_app(app(rotates));
        if in_enterprise {
            slack.in_enterprise("E1", "Acme");
        }
        let adapter = adapter(&slack, Arc::<Jumping>::clone(&clock));
        Self { slack, adapter, clock, _servers: servers }
    }

    fn fails(&self, fault: Fault) -> Arranged {
        self.slack.fail("oauth.v2.access", 1, fault);
        Arranged::Done
    }

    /// Agrees, or not, as a browser does: looks at the page, then presses a button of it.
    async fn pressed(&self, page: &SecretString, form: &'static str) -> Back {
        let seen = client().get(page.expose_secret()).send().await.unwrap();
        assert_eq!(seen.status(), 200);
        assert!(seen.text().await.unwrap().contains("<form method=\"post\""));
        let sent = client().post(page.expose_secret()).header("content-type", "application/x-www-form-urlencoded").body(form);
        let sent = sent.send().await.unwrap();
        assert_eq!(sent.status(), 302);
        let to = sent.headers()["location"].to_str().unwrap().to_owned();
        let (callback, query) = to.split_once('?').unwrap();
        assert_eq!(callback, CALLBACK);
        let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        assert_eq!(value("code").is_none(), value("error").is_some());
        Back { brings_state: value("state").as_deref() == Some(STATE), code: value("code").map(SecretString::from) }
    }
}

#[async_trait]
impl Stage for AtSlack {
    fn install(&self) -> Arc<dyn InstallAt> {
        self.adapter.clone()
    }

    fn workspace(&self) -> WorkspaceId {
        WorkspaceId::parse("T1").unwrap()
    }

    fn secrets(&self) -> Vec<String> {
        self.slack.secrets().into_iter().map(|secret| secret.text).collect()
    }

    fn state(&self) -> SecretString {
        STATE.into()
    }

    async fn decide(&mut self, page: &SecretString, agrees: bool) -> Back {
        self.pressed(page, if agrees { "as=ana" } else { "as=" }).await
    }

    async fn decide_for_all(&mut self, page: &SecretString) -> Result<Back, &'static str> {
        if self.slack.agrees(Some("ana"), true, page.expose_secret()).is_err() {
            return Err("the workspace belongs to no organisation");
        }
        Ok(self.pressed(page, "all=ana").await)
    }

    async fn let_in(&mut self) {
        self.slack.let_in("T1", true);
    }

    async fn takes(&mut self, access: &SecretString) -> bool {
        let request = client().post(format!("{}auth.test", self.slack.api_address())).bearer_auth(access.expose_secret());
        let answer: Value = serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
        assert_eq!(self.slack.takes(access.expose_secret()), answer["ok"] == true);
        answer["ok"] == true
    }

    async fn time_goes_on(&mut self) -> Arranged {
        self.clock.pause_until(self.clock.now() + SignedDuration::from_hours(13)).await;
        Arranged::Done
    }

    async fn remove(&mut self) -> Arranged {
        self.slack.uninstall(&ServiceAddress::new("http://127.0.0.1:9"), "T1", Order::Nothing).await;
        Arranged::Done
    }

    async fn stumble(&mut self) -> Arranged {
        let fault =
            Fault::Status { code: 503, body: "<html>away</html>".to_owned(), content_type: "text/html".to_owned(), headers: Vec::new() };
        self.fails(fault)
    }

    async fn lose_answer(&mut self) -> Arranged {
        self.fails(Fault::CutAfter)
    }

    async fn asked_for_tokens(&mut self) -> usize {
        self.slack.requests().iter().filter(|request| request.method == "oauth.v2.access").count()
    }

    async fn addresses(&mut self) -> Vec<String> {
        let mut all = self.slack.addresses();
        all.push(self.adapter.agree_at(&STATE.into()).expose_secret().to_owned());
        all
    }
}

#[tokio::test]
async fn slack_keeps_the_promises_of_installing() {
    let alone = ["an organisation", "renewed", "renewed later"];
    assert_eq!(all(async || AtSlack::new(false, false).await).await.parts(), alone);
    assert_eq!(all(async || AtSlack::new(true, true).await).await.parts(), [""; 0]);
}
