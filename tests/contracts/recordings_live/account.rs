//! A throw-away account at a service: what of it stands for what the recordings name, and what can be brought about there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use async_trait::async_trait;
use serde_json::Value;
use slash_heroku::adapters::clock::SystemClock;
use slash_heroku::adapters::http::base_url::is_loopback;

use crate::contracts::recordings::Recording;
use crate::contracts::recordings_simulated::{Stage, client};

/// What is to be known of one service.
#[async_trait]
pub trait Service: Sync {
    /// Its folder of recordings.
    fn host(&self) -> &'static str;

    /// Why a request cannot be made again, whatever the account has; nothing, if it can.
    fn is_of_a_moment(&self, _: &Recording) -> Option<&'static str> {
        None
    }

    /// Whether this can be brought about on a real account.
    fn can_be_so(&self, what: &str) -> bool;

    /// The names that stand in requests of recordings.
    fn names(&self) -> Vec<&'static str>;

    /// Whether what has this name comes to be with the recording's state.
    fn comes_to_be(&self, name: &str, recording: &Recording) -> bool;

    /// What comes of the call that a recording begins, where the service answers as these recordings say; and what is asked otherwise.
    async fn replayed(&self, all: &BTreeMap<String, Recording>, recording: &Recording) -> (Value, Vec<String>);

    /// How the address of one of its hosts stands in bodies of recordings.
    fn in_bodies(&self, host: &str) -> String {
        format!("{{{host}}}")
    }

    /// Looks up what has to be known before anything is brought about.
    async fn begins(&self, _: &mut Arranging) {}

    /// Brings something about.
    async fn happens(&self, what: &str, arranging: &mut Arranging);
}

/// A throw-away account.
pub struct Account {
    pub service: Box<dyn Service>,
    /// Where the service is, and what of the account stands for what recordings name.
    pub stage: Stage,
    /// What no file may hold.
    pub secrets: Vec<String>,
    /// Where files are written: `FOLDER/<host>/NAME.json`.
    pub fixtures: PathBuf,
}

/// Whether what answers there is the service itself. What runs on this machine never is.
pub fn is_real(api: &str) -> bool {
    url::Url::parse(api).is_ok_and(|url| url.scheme() == "https" && !is_loopback(&url))
}

/// Asks for JSON, as the person.
pub async fn read(url: String, token: &str, accept: &str) -> Result<Value, String> {
    let response = client().get(&url).bearer_auth(token).header("accept", accept).send().await.map_err(|error| error.to_string())?;
    let status = response.status();
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
    if status.is_success() { Ok(body) } else { Err(format!("{url} answers {status}")) }
}

impl Account {
    /// Whether it is an account at the service itself.
    pub fn is_real(&self) -> bool {
        is_real(&self.stage.addresses["api"])
    }

    /// Why a recording cannot be renewed here; nothing, if it can.
    pub fn obstacle(&self, recording: &Recording) -> Option<String> {
        if let Some(why) = &recording.not_simulated {
            return Some(format!("a service cannot be made to: {why}"));
        }
        if let Some(why) = self.service.is_of_a_moment(recording) {
            return Some(why.to_owned());
        }
        if !self.stage.addresses.contains_key(recording.request.host.as_str()) {
            let host = recording.request.host.as_str();
            return Some(match host {
                "login" => "somebody has to agree to a sign-in, in a browser".to_owned(),
                _ => format!("the address of {host} is a secret of a moment"),
            });
        }
        if let Some(what) = recording.state.iter().find(|what| !self.service.can_be_so(what)) {
            return Some(format!("nobody can bring about on a real account: {what}"));
        }
        let asked = format!("{} {} {}", recording.request.path, recording.request.query, recording.request.body);
        let missing = self.unknown_names(&asked, recording);
        // What is not found need not be there.
        (!missing.is_empty() && recording.response.status != 404).then(|| format!("the account has nothing for {}", missing.join(", ")))
    }

    /// Names of recordings that stand in a request and of which the account has none.
    fn unknown_names(&self, asked: &str, recording: &Recording) -> Vec<&'static str> {
        let there = |name: &str| self.stage.names.iter().any(|(recorded, _)| recorded == name);
        // Commits are asked for by their short hashes too.
        let short = |name: &str| if name.len() == 40 { name[..7].to_owned() } else { name.to_owned() };
        let missing = |name: &&str| asked.contains(&short(name)) && !there(name) && !self.service.comes_to_be(name, recording);
        self.service.names().into_iter().filter(missing).collect()
    }
}

/// Brings about what recordings name, one thing after the other.
pub struct Arranging {
    /// The stage as it is by now.
    pub stage: Stage,
    /// The account's own token, whatever the stage's has become.
    pub token: String,
    pub clock: SystemClock,
}

impl Arranging {
    /// Nothing was brought about yet.
    pub async fn begin(account: &Account) -> Self {
        let Stage { addresses, names, token } = &account.stage;
        let stage = Stage { addresses: addresses.clone(), names: names.clone(), token: token.clone() };
        let mut arranging = Self { stage, token: token.clone(), clock: SystemClock::default() };
        account.service.begins(&mut arranging).await;
        arranging
    }

    /// Where the service's own interface is.
    pub fn api(&self) -> String {
        self.stage.addresses["api"].clone()
    }

    /// The account's own name.
    pub fn own(&self, recorded: &str) -> String {
        self.stage.names.iter().find(|(known, _)| known == recorded).map_or_else(|| recorded.to_owned(), |(_, own)| own.clone())
    }

    /// From now on this stands for what recordings name so.
    pub fn name(&mut self, recorded: &str, own: &str) {
        self.stage.names.retain(|(known, _)| known != recorded);
        self.stage.names.push((recorded.to_owned(), own.to_owned()));
    }

    /// From now on the token is nobody's.
    pub fn lose_token(&mut self) {
        "not-a-token-of-anybody".clone_into(&mut self.stage.token);
    }
}
