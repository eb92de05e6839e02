//! The simulated Slack in the states that recordings name.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use jiff::SignedDuration;
use serde_json::{Value, json};
use slash_heroku::ports::Clock;
use slash_heroku::sandbox::script::{Directive, TABLE, Vendor, read};
use slash_heroku::sandbox::serve::Servers;
use slash_heroku::sandbox::slack::{ServiceAddress, SlackSeed, SlackWorkspace};

use super::recordings::Recording;
use super::recordings_replay::Jumping;
use super::recordings_simulated::{Stage, client};
use super::slack::{ANA, BOT, CHANNEL, DIRECT, MESSAGE, REPLY, TEAM};

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

    /// Makes one thing happen: a directive of scripts, or one of the few that no script needs.
    pub async fn happens(&mut self, what: &str) -> Result<(), String> {
        if let Some(text) = what.strip_prefix("ana types `").and_then(|rest| rest.strip_suffix("` in #deploys")) {
            self.types(text).await;
            return Ok(());
        }
        match what {
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
            directive => match read(TABLE, directive)? {
                Directive::BotIn { channel, is } if self.slack.invite_bot(&channel, is) => {}
                Directive::ArchiveChannel { channel } if self.slack.archive_channel(&channel) => {}
                Directive::Fails { vendor: Vendor::Slack, path, times, how, .. } => self.slack.fail(&path, times, how),
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
