//! A channel to throw messages into, in which chats are held to what the port promises.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value, json};
use slash_heroku::adapters::clock::SystemClock;
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::adapters::settings_bot::OneBot;
use slash_heroku::adapters::slack::{Sealer, SlackChat, SlackSettings};
use slash_heroku::domain::actor::{Origin, Person};
use slash_heroku::domain::deployment::MessageRef;
use slash_heroku::domain::names::{ChannelId, DeliveryId, UserId, WorkspaceId};
use slash_heroku::ports::{Chat, Clock};
use slash_heroku::testing::Arranged;
use slash_heroku::testing::chat::{Seen, Stage, all};

use super::{NO_FAULTS, NO_LIMIT, cleared, services_with};
use crate::contracts::recordings_live::{Settings, is_real};
use crate::contracts::recordings_simulated::client;
use crate::contracts::slack_stage::effects_of;
use crate::contracts::slack_states::{called, opened};

/// Nobody's token.
const WRONG: &str = "xoxb-not-a-token-of-any-app";

/// A channel that the app is in, and a person in it.
struct Workspace {
    /// Without `/api` at the end.
    api: String,
    token: String,
    origin: Origin,
    /// The app's conversation with the person.
    direct: String,
    /// The app's own id.
    me: String,
    clock: Arc<SystemClock>,
}

impl Workspace {
    async fn new(settings: &Settings) -> Self {
        let (api, token) = (settings["LIVE_SLACK_API"].trim_end_matches('/'), settings["LIVE_SLACK_TOKEN"].clone());
        let api = api.strip_suffix("/api").expect("LIVE_SLACK_API ends in /api").to_owned();
        let me = called(&api, &token, "auth.test", &json!({})).await;
        let user = &settings["LIVE_SLACK_USER"];
        let workspace = WorkspaceId::parse(me["team_id"].as_str().unwrap()).unwrap();
        let person = Person { workspace, user: UserId::parse(user).unwrap() };
        let origin = Origin { person, channel: ChannelId::parse(&settings["LIVE_SLACK_CHANNEL"]).unwrap(), reply: None };
        let direct = opened(user, &api, &token).await;
        let me = me["user_id"].as_str().unwrap().to_owned();
        Self { api, token, origin, direct, me, clock: Arc::new(SystemClock::default()) }
    }

    /// The adapter, with a token.
    fn chat(&self, token: &str) -> Arc<SlackChat> {
        let secret = SecretString::from("no request of anybody's is sealed here");
        let settings = SlackSettings {
            api: BaseUrl::parse(&format!("{}/api", self.api)).unwrap(),
            tokens: Arc::new(OneBot::new(SecretString::from(token.to_owned()))),
            sealer: Arc::new(Sealer::new(&[secret]).unwrap()),
            allow_loopback_response_url: false,
        };
        Arc::new(SlackChat::new(settings, Arc::<SystemClock>::clone(&self.clock)).unwrap())
    }

    /// All pages of what a method reads.
    async fn read(&self, method: &str, arguments: &[(&str, &str)]) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let asked = client().get(format!("{}/api/{method}", self.api)).bearer_auth(&self.token).query(arguments);
            let answer = asked.query(&[("limit", "15"), ("cursor", cursor.as_str())]).send().await.unwrap();
            let pause = answer.headers().get("retry-after").and_then(|seconds| seconds.to_str().ok()?.parse().ok());
            let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            if let Some(seconds) = pause.filter(|_| is_real(&self.api)) {
                self.clock.pause_until(self.clock.now() + SignedDuration::from_secs(seconds)).await;
                continue;
            }
            assert_eq!(body["ok"], true, "{method}: {body}");
            all.extend(body["messages"].as_array().unwrap().iter().cloned());
            match body["response_metadata"]["next_cursor"].as_str() {
                Some(next) if !next.is_empty() => next.clone_into(&mut cursor),
                _ => return all,
            }
        }
    }

    /// What was said in a conversation after something, oldest first, with what stands below it.
    async fn said_since(&self, channel: &str, after: &str) -> Vec<Value> {
        let mut all = BTreeMap::new();
        for message in self.read("conversations.history", &[("channel", channel), ("oldest", after)]).await {
            let name = text(&message["ts"]);
            if message["reply_count"].as_u64().is_some_and(|count| count > 0) {
                let thread = self.read("conversations.replies", &[("channel", channel), ("ts", &name)]).await;
                all.extend(thread.into_iter().map(|message| (text(&message["ts"]), message)));
            }
            all.insert(name, message);
        }
        all.into_values().collect()
    }

    /// The conversations, each with the name of its newest message.
    async fn newest(&self) -> Vec<(String, String)> {
        let mut newest = Vec::new();
        for channel in [self.origin.channel.to_string(), self.direct.clone()] {
            let asked = client().get(format!("{}/api/conversations.history", self.api)).bearer_auth(&self.token);
            let answer = asked.query(&[("channel", channel.as_str()), ("limit", "1")]).send().await.unwrap();
            let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            assert_eq!(body["ok"], true, "{body}");
            newest.push((channel, body["messages"][0]["ts"].as_str().unwrap_or("0").to_owned()));
        }
        newest
    }

    /// Takes away what the app has said since then; what stands below another goes first.
    async fn clear(&self, since: &[(String, String)]) {
        for (channel, after) in since {
            let said = self.said_since(channel, after).await;
            for message in said.iter().rev().filter(|message| message["user"] == self.me.as_str()) {
                called(&self.api, &self.token, "chat.delete", &json!({ "channel": channel, "ts": message["ts"] })).await;
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// One stage of many in the channel.
struct Real {
    workspace: Arc<Workspace>,
    chat: Arc<SlackChat>,
    /// Conversations, and the names of the messages after which the stage begins.
    begin: Vec<(String, String)>,
}

impl Real {
    async fn new(workspace: &Arc<Workspace>) -> Self {
        if is_real(&workspace.api) {
            // Slack takes about one message a second in a conversation.
            workspace.clock.pause_until(workspace.clock.now() + SignedDuration::from_secs(5)).await;
        }
        Self { workspace: Arc::clone(workspace), chat: workspace.chat(&workspace.token), begin: workspace.newest().await }
    }
}

/// All there is to read of a message, as people read it.
fn words(message: &Value) -> String {
    fn texts(value: &Value, all: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                all.extend(members.get("text").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| texts(member, all));
            }
            Value::Array(members) => members.iter().for_each(|member| texts(member, all)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    texts(&message["blocks"], &mut all);
    let text = if all.is_empty() { message["text"].as_str().unwrap_or_default().to_owned() } else { all.join("\n") };
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// What Slack makes of what is marked up, in the blocks and in what notifications show.
fn effects(message: &Value) -> Vec<String> {
    let text = message["text"].as_str().unwrap_or_default().split('<').skip(1);
    let in_text = text.map(|rest| rest.split('>').next().unwrap().to_owned());
    in_text.chain(effects_of(message["blocks"].as_array().map_or(&[], Vec::as_slice))).collect()
}

const ON_A_SCREEN: &str = "what one person sees stands on their screen, and nowhere to be read back";
const NEEDS_A_PERSON: &str = "a person has to type or press something in Slack";
const NEEDS_AN_INVITATION: &str = "an app that left a channel needs somebody to invite it again";

#[async_trait]
impl Stage for Real {
    fn chat(&self) -> Arc<dyn Chat> {
        self.chat.clone()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.workspace.clock.clone()
    }

    fn origin(&self) -> Origin {
        self.workspace.origin.clone()
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.workspace.token.clone(), WRONG.to_owned()]
    }

    fn shows_what_is_for_one(&self) -> Arranged {
        Arranged::Cannot(ON_A_SCREEN)
    }

    async fn seen(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        for (channel, after) in &self.begin {
            let only = (*channel == self.workspace.direct).then(|| self.workspace.origin.person.clone());
            let said = self.workspace.said_since(channel, after).await;
            seen.extend(said.iter().map(|message| Seen { text: words(message), only: only.clone(), effects: effects(message) }));
        }
        seen
    }

    async fn remove(&mut self, what: &MessageRef) -> Arranged {
        let of = json!({ "channel": what.channel, "ts": what.message });
        called(&self.workspace.api, &self.workspace.token, "chat.delete", &of).await;
        Arranged::Done
    }

    async fn shut_out(&mut self) -> Arranged {
        Arranged::Cannot(NEEDS_AN_INVITATION)
    }

    async fn limit(&mut self, _: u32) -> Arranged {
        Arranged::Cannot(NO_LIMIT)
    }

    async fn lose_answer(&mut self) -> Arranged {
        Arranged::Cannot(NO_FAULTS)
    }

    async fn does_something(&mut self) -> Result<DeliveryId, &'static str> {
        Err(NEEDS_A_PERSON)
    }

    async fn withdraw_sign_in(&mut self) -> Arranged {
        self.chat = self.workspace.chat(WRONG);
        Arranged::Done
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_itself_keeps_the_promises_of_a_chat() {
    let Some((_sandbox, settings)) = services_with("LIVE_SLACK_TOKEN").await else { return };
    let workspace = Arc::new(Workspace::new(&settings).await);
    let before = workspace.newest().await;
    let left_out = cleared(all(async || Real::new(&workspace).await), workspace.clear(&before)).await;
    assert_eq!(
        left_out.reasons(),
        [
            ("an answer for one", ON_A_SCREEN),
            ("a card for one", ON_A_SCREEN),
            ("a standing", ON_A_SCREEN),
            ("a standing where it is shut", NEEDS_AN_INVITATION),
            ("a place that is shut", NEEDS_AN_INVITATION),
            ("shut out", NEEDS_AN_INVITATION),
            ("a short limit", NO_LIMIT),
            ("a long limit", NO_LIMIT),
            ("a limit on cards", NO_LIMIT),
            ("a lost answer", NO_FAULTS),
            ("a form", NEEDS_A_PERSON),
            ("a page", ON_A_SCREEN),
            ("a form too late", NEEDS_A_PERSON),
        ]
    );
    assert_eq!(workspace.newest().await, before, "something is left behind");
}
