//! A throw-away app in a workspace of Slack's.

use std::collections::BTreeMap;
use std::path::PathBuf;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::Settings;
use super::account::{Account, Arranging, Service};
use crate::contracts::recordings::Recording;
use crate::contracts::recordings_simulated::Stage;
use crate::contracts::slack::{self, ANA, BOT, CHANNEL, DIRECT, MESSAGE, TEAM};
use crate::contracts::slack_states::{a_message_in, called, opened};

struct Slack;

/// The channel and the person of the settings. The app has to be in the channel, and so has the person.
pub async fn account(settings: &Settings, fixtures: PathBuf) -> Result<Account, String> {
    let (api, token) = (settings["LIVE_SLACK_API"].trim_end_matches('/'), &settings["LIVE_SLACK_TOKEN"]);
    let api = api.strip_suffix("/api").ok_or("LIVE_SLACK_API ends in /api")?.to_owned();
    let me = called(&api, token, "auth.test", &json!({})).await;
    let text = |name: &str| me[name].as_str().unwrap_or_default().to_owned();
    let mut names = vec![(TEAM.to_owned(), text("team_id")), (BOT.to_owned(), text("user_id"))];
    let (channel, person) = (&settings["LIVE_SLACK_CHANNEL"], &settings["LIVE_SLACK_USER"]);
    if !person.is_empty() {
        names.push((DIRECT.to_owned(), opened(person, &api, token).await));
        names.push((ANA.to_owned(), person.clone()));
    }
    if !channel.is_empty() {
        names.push((CHANNEL.to_owned(), channel.clone()));
    }
    // What the workspace and the app are called is nobody's business.
    let secrets = [token.clone(), text("url"), text("team")].into_iter().filter(|text| text.len() > 5).collect();
    let stage = Stage { addresses: BTreeMap::from([("api", api)]), names, token: token.clone() };
    Ok(Account { service: Box::new(Slack), stage, secrets, fixtures })
}

#[async_trait]
impl Service for Slack {
    fn host(&self) -> &'static str {
        "slack"
    }

    fn is_of_a_moment(&self, recording: &Recording) -> Option<&'static str> {
        match recording.request.host.as_str() {
            "service" => Some("Slack asks it of us, when somebody types or presses"),
            "hooks" => Some("the address for answers is a secret of a moment, which comes with a command"),
            // The account's conversation was opened when it was looked up.
            _ => (recording.name == "open").then_some("a conversation is opened once, and never again"),
        }
    }

    fn can_be_so(&self, what: &str) -> bool {
        ["a message of the app in #deploys", "a conversation with ana", "slack has no token"].contains(&what)
    }

    fn names(&self) -> Vec<&'static str> {
        vec![CHANNEL, ANA, DIRECT, MESSAGE]
    }

    fn comes_to_be(&self, name: &str, recording: &Recording) -> bool {
        // Of a message that is not found there need not be any.
        name == MESSAGE && (recording.response.body["ok"] == false || recording.state.iter().any(|what| what.starts_with("a message of")))
    }

    async fn replayed(&self, all: &BTreeMap<String, Recording>, recording: &Recording) -> (Value, Vec<String>) {
        slack::replayed(all, recording).await
    }

    async fn happens(&self, what: &str, arranging: &mut Arranging) {
        match what {
            "slack has no token" => arranging.lose_token(),
            "a conversation with ana" => {
                let id = opened(&arranging.own(ANA), &arranging.api(), &arranging.token).await;
                arranging.name(DIRECT, &id);
            }
            "a message of the app in #deploys" => {
                let ts = a_message_in(&arranging.own(CHANNEL), &arranging.api(), &arranging.token).await;
                arranging.name(MESSAGE, &ts);
            }
            _ => panic!("{what} cannot be brought about"),
        }
    }
}
