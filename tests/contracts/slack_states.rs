//! The simulated Slack in the states that recordings name.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use slash_heroku::ports::{Clock, InstallAt as _};
use slash_heroku::sandbox::script::{Directive, TABLE, Vendor, read};
use slash_heroku::sandbox::serve::Servers;
use slash_heroku::sandbox::slack::{Forged, Order, ServiceAddress, SlackSeed, SlackWorkspace};

use super::installs::{self, CALLBACK, CLIENT_ID, CLIENT_SECRET};
use super::recordings::{self, Recording};
use super::recordings_replay::Jumping;
use super::recordings_simulated::{Stage, client};
use super::slack::{ANA, BOT, CHANNEL, DIRECT, MESSAGE, REPLY, TEAM, TRIGGER};

/// A workspace as recordings have it, and the service that people in it ask.
pub struct Workspace {
    pub service: ServiceAddress,
    slack: Arc<SlackWorkspace>,
    clock: Arc<Jumping>,
    names: Vec<(String, String)>,
    token: String,
    _servers: Servers,
}

/// Ana in #deploys, with the app in it.
pub async fn workspace() -> Workspace {
    let (servers, clock) = (Servers::default(), Jumping::new());
    let own = |text: &str| text.to_owned();
    let seed = SlackSeed { team_id: own(TEAM), bot_user_id: own(BOT), app_id: own("A0APP"), ..SlackSeed::default() };
    let token = seed.bot_token.clone();
    let slack = SlackWorkspace::start(&servers, Arc::<Jumping>::clone(&clock), 0, seed).await.unwrap();
    slack.add_user(ANA, "ana", TEAM);
    slack.add_channel(CHANNEL, "deploys", true);
    // A service that takes everything and says nothing.
    let (listener, address) = Servers::listen(0).await.unwrap();
    servers.serve(listener, Router::new().route("/{*path}", any(async || "")));
    let service = ServiceAddress::new(&format!("http://{address}"));
    Workspace { service, slack, clock, names: Vec::new(), token, _servers: servers }
}

/// Calls a method as the app.
pub async fn called(api: &str, token: &str, method: &str, body: &Value) -> Value {
    let request = client().post(format!("{api}/api/{method}")).bearer_auth(token);
    let request = request.header("content-type", "application/json; charset=utf-8").body(body.to_string());
    let answer: Value = serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
    assert_eq!(answer["ok"], true, "{method} is answered with {answer}");
    answer
}

/// Says something in a conversation as the app; gives its name.
pub async fn a_message_in(channel: &str, api: &str, token: &str) -> String {
    let said = called(api, token, "chat.postMessage", &json!({ "channel": channel, "text": "hubot is on its way" })).await;
    said["ts"].as_str().unwrap().to_owned()
}

/// Opens the conversation of the app with a person; gives its id.
pub async fn opened(user: &str, api: &str, token: &str) -> String {
    let open = called(api, token, "conversations.open", &json!({ "users": user })).await;
    open["channel"]["id"].as_str().unwrap().to_owned()
}

impl Workspace {
    fn api(&self) -> String {
        self.slack.api_address().trim_end_matches("/api/").to_owned()
    }

    fn name(&mut self, recorded: &str, own: String) {
        self.names.push((recorded.to_owned(), own));
    }

    fn name_of(&self, recorded: &str) -> String {
        let found = self.names.iter().find(|(known, _)| known == recorded);
        found.map_or_else(|| recorded.to_owned(), |(_, own)| own.clone())
    }

    /// Ana agrees that the app is installed.
    fn agrees(&mut self, whole: bool) -> Result<(), String> {
        if !self.slack.has_app() {
            self.slack.add_app(installs::app(false));
        }
        let adapter = installs::adapter(&self.slack, Arc::<Jumping>::clone(&self.clock));
        let back = self.slack.agrees(Some("ana"), whole, adapter.agree_at(&"state".into()).expose_secret())?;
        let query = back.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
        let code = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "code").map(|(_, code)| code.into_owned());
        self.name("INVENTED-CODE", code.ok_or("no code was given")?);
        Ok(())
    }

    /// What the app is given for what it shows.
    async fn tokens(&self, fields: &[(&str, &str)]) -> Value {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = client().post(format!("{}/api/oauth.v2.access", self.api())).basic_auth(CLIENT_ID, Some(CLIENT_SECRET));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap()
    }

    async fn types(&self, text: &str) {
        self.slack.command(&self.service, "ana", "deploys", text, None).await;
    }

    /// Ana presses the one button of a message that the app says by a method.
    async fn presses(&self, method: &str) {
        let button = json!({
            "type": "button", "action_id": "cancel-0", "value": "cancel:01890000-0000-7000-8000-000000000001", "style": "danger",
            "text": { "type": "plain_text", "text": "Cancel", "emoji": false },
        });
        let section = json!({ "type": "section", "text": { "type": "mrkdwn", "text": "hubot is on its way", "verbatim": true } });
        let blocks = json!([section, { "type": "actions", "elements": [button] }]);
        let body = json!({ "channel": CHANNEL, "user": ANA, "text": "hubot is on its way", "blocks": blocks });
        called(&self.api(), &self.token, method, &body).await;
        let pressed = self.slack.find_button("ana", "Cancel").unwrap();
        self.slack.press(&self.service, "ana", &pressed).await;
    }

    /// Ana types something, by which a form may come up.
    async fn does_something(&self) -> String {
        self.slack.command(&self.service, "ana", "deploys", "pipelines", None).await.trigger_id
    }

    /// The recorded form comes up for ana.
    async fn a_form_by(&self, trigger: &str) {
        let view = recordings::of("slack")["ask"].request.body["view"].clone();
        self.a_view_by(trigger, view).await;
    }

    async fn a_view_by(&self, trigger: &str, view: Value) {
        called(&self.api(), &self.token, "views.open", &json!({ "trigger_id": trigger, "view": view })).await;
    }

    async fn sends_a_form_with(&mut self, value: &str) {
        // To nobody: the form alone is what is looked at.
        let service = std::mem::replace(&mut self.service, ServiceAddress::new("http://127.0.0.1:9"));
        let trigger = self.does_something().await;
        self.service = service;
        self.a_form_by(&trigger).await;
        self.slack.fill_in("ana", "Code", value).unwrap();
        self.slack.send_form(&self.service, "ana", &Forged::default()).await.unwrap();
    }

    /// A view comes up for ana by something that she does where nobody hears of it.
    async fn comes_up(&mut self, view: Value) {
        let service = std::mem::replace(&mut self.service, ServiceAddress::new("http://127.0.0.1:9"));
        let trigger = self.does_something().await;
        self.service = service;
        self.a_view_by(&trigger, view).await;
    }

    /// Makes one thing happen: a directive of scripts, or one of the few that no script needs.
    pub async fn happens(&mut self, what: &str) -> Result<(), String> {
        if let Some(text) = what.strip_prefix("ana types `").and_then(|rest| rest.strip_suffix("` in #deploys")) {
            self.types(text).await;
            return Ok(());
        }
        if let Some(value) = what.strip_prefix("ana sends a form with `").and_then(|rest| rest.strip_suffix('`')) {
            self.sends_a_form_with(value).await;
            return Ok(());
        }
        let all = recordings::of("slack");
        match what {
            "ana looks in a form for `hub`" => {
                self.comes_up(all["ask-ship"].request.body["view"].clone()).await;
                self.slack.offers(&self.service, "ana", "Pipeline", "hub").await?;
            }
            "ana chooses hubot in a form" => {
                self.comes_up(all["ask-ship"].request.body["view"].clone()).await;
                self.slack.choose("ana", "Pipeline", "hubot", "hubot")?;
                self.slack.send_form(&self.service, "ana", &Forged::default()).await;
            }
            "ana sends a form that ships `topic` with `123 456`" => {
                self.comes_up(all["form-next"].response.body["view"].clone()).await;
                self.slack.choose("ana", "Branch, tag, commit or pull request", "topic", "topic")?;
                self.slack.fill_in("ana", "One-time code", "123 456")?;
                self.slack.send_form(&self.service, "ana", &Forged::default()).await;
            }
            "ana picks the shortcut at a message in #deploys" => {
                self.slack.pick(&self.service, "ana", "deploys", "please ship https://github.com/acme/hubot/pull/7").await;
            }
            "ana opens her page" => drop(self.slack.open_home(&self.service, "ana", "home").await?),
            "ana opens her conversation with the app" => drop(self.slack.open_home(&self.service, "ana", "messages").await?),
            "ana presses the button of her page" => {
                let mut view = all["page"].request.body["view"].clone();
                let direct = opened(ANA, &self.api(), &self.token).await;
                view["private_metadata"] = json!(direct);
                self.name(DIRECT, direct);
                called(&self.api(), &self.token, "views.publish", &json!({ "user_id": ANA, "view": view })).await;
                self.slack.press_home(&self.service, "ana", "Free it").await?;
            }
            "ana does something in #deploys" => {
                let trigger = self.does_something().await;
                self.name(TRIGGER, trigger);
            }
            "a form came up by it" => self.a_form_by(&self.name_of(TRIGGER)).await,
            "four seconds pass" => self.clock.pause_until(self.clock.now() + SignedDuration::from_secs(4)).await,
            "ana presses the button of a card in #deploys" => self.presses("chat.postMessage").await,
            "ana presses the button of a whisper in #deploys" => self.presses("chat.postEphemeral").await,
            "ana asked in #deploys" => {
                self.types("pipelines").await;
                let reply = self.slack.secrets().into_iter().map(|secret| secret.text).find(|text| text.starts_with("/commands/"));
                self.name(REPLY, reply.ok_or("no address for answers was given")?);
            }
            "five answers were given" => {
                let (_, path) = self.names.iter().find(|(recorded, _)| recorded == REPLY).ok_or("nobody asked")?;
                let url = format!("{}{path}", self.slack.hooks_address().trim_end_matches('/'));
                for _ in 0..5 {
                    let answer = client().post(&url).header("content-type", "application/json").body(r#"{"text":"pong"}"#);
                    assert!(answer.send().await.unwrap().status().is_success());
                }
            }
            "half an hour passes" => self.clock.pause_until(self.clock.now() + SignedDuration::from_secs(1801)).await,
            "a message of the app in #deploys" => {
                let ts = a_message_in(CHANNEL, &self.api(), &self.token).await;
                self.name(MESSAGE, ts);
            }
            "a conversation with ana" => {
                let id = opened(ANA, &self.api(), &self.token).await;
                self.name(DIRECT, id);
            }
            "messages come too fast in #deploys" => {
                self.slack.limit_rates();
                for _ in 0..5 {
                    a_message_in(CHANNEL, &self.api(), &self.token).await;
                }
            }
            "slack has no token" => self.token = "not-a-token-of-anybody".to_owned(),
            other => return self.happens_to_the_app(other).await,
        }
        Ok(())
    }

    /// What happens to the app itself.
    async fn happens_to_the_app(&mut self, what: &str) -> Result<(), String> {
        const ALL: &str = "the app is installed for all";
        match what {
            "the app can be installed" => self.slack.add_app(installs::app(false)),
            "tokens end by themselves" => self.slack.add_app(installs::app(true)),
            "dee of another company is in #deploys" => self.slack.add_user("U0DEE", "dee", "T0OTHER"),
            "the workspace belongs to an organisation" => self.slack.in_enterprise("E0ACME", "Acme Holding"),
            "ana agrees that the app is installed" => self.agrees(false)?,
            "ana agrees that the app is installed for all" => self.agrees(true)?,
            "the app is installed" | ALL => {
                self.agrees(what == ALL)?;
                let code = self.name_of("INVENTED-CODE");
                let told = self.tokens(&[("code", &code), ("redirect_uri", CALLBACK)]).await;
                self.token = told["access_token"].as_str().ok_or(format!("no token was given: {told}"))?.to_owned();
                if let Some(refresh) = told["refresh_token"].as_str() {
                    self.name("INVENTED-REFRESH", refresh.to_owned());
                }
            }
            "the code was used" => {
                let code = self.name_of("INVENTED-CODE");
                self.tokens(&[("code", &code), ("redirect_uri", CALLBACK)]).await;
            }
            "the refresh token was used" => {
                let refresh = self.name_of("INVENTED-REFRESH");
                self.tokens(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
            }
            "the token was ended" => {
                let request = client().post(format!("{}/api/auth.revoke", self.api())).bearer_auth(&self.token);
                assert!(request.send().await.unwrap().status().is_success());
            }
            "the app is removed" => drop(self.slack.uninstall(&self.service, TEAM, Order::Nothing).await),
            "the app is removed and only that is told" => drop(self.slack.uninstall(&self.service, TEAM, Order::RemovalOnly).await),
            "the app is removed and only its tokens are told" => drop(self.slack.uninstall(&self.service, TEAM, Order::TokensOnly).await),
            "ana withdraws what she gave to the app" => drop(self.slack.people_withdraw(&self.service, TEAM, &["ana"]).await),
            "ana withdrew what she gave to the app and that is told again" => {
                self.slack.people_withdraw(&ServiceAddress::new("http://127.0.0.1:9"), TEAM, &["ana"]).await;
                self.slack.event_again(&self.service).await.ok_or("nothing was told")?;
            }
            "the workspace is let in" => self.slack.let_in(TEAM, true),
            "the workspace is let in and that is told" => drop(self.slack.access(&self.service, TEAM, true).await),
            "the workspace is shut out and that is told" => drop(self.slack.access(&self.service, TEAM, false).await),
            directive => match read(TABLE, directive)? {
                Directive::Standing { person, kind } if self.slack.is_now(&person, kind) => {}
                Directive::UserGroup { handle, people }
                    if self.slack.group(&handle, &people.iter().map(String::as_str).collect::<Vec<_>>()) => {}
                Directive::BotIn { channel, is } if self.slack.invite_bot(&channel, is) => {}
                Directive::ArchiveChannel { channel } if self.slack.archive_channel(&channel) => {}
                Directive::ShareChannel { channel } if self.slack.share_channel(&channel) => {}
                Directive::CloseChannel { channel } if self.slack.close_channel(&channel) => {}
                Directive::Fails { vendor: Vendor::Slack, rule } => drop(self.slack.fail_by(rule)),
                other => return Err(format!("{other:?} does not happen in this workspace")),
            },
        }
        Ok(())
    }
}

/// A workspace in which all that a recording names has happened.
pub async fn stage(recording: &Recording) -> (Workspace, Stage) {
    let mut workspace = workspace().await;
    for what in &recording.state {
        workspace.happens(what).await.unwrap_or_else(|error| panic!("slack/{}: {error}", recording.name));
    }
    let addresses = [("api", workspace.api()), ("hooks", workspace.slack.hooks_address().trim_end_matches('/').to_owned())];
    let stage = Stage { addresses: BTreeMap::from(addresses), names: workspace.names.clone(), token: workspace.token.clone() };
    (workspace, stage)
}
