//! What stands behind installing, held to what its ports promise: the page's side, the bot's tokens, what is heard, and what is sealed.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use slash_heroku::adapters::http::client::client;
use slash_heroku::adapters::settings_bot::OneBot;
use slash_heroku::adapters::vault::TokenVault;
use slash_heroku::domain::installation::{Happened, Happening, Tenant};
use slash_heroku::domain::names::{DeliveryId, WorkspaceId};
use slash_heroku::ports::{BotTokens, Clock as _, Hears, InstallationStore as _, Installing, MockChat, SealedThings};
use slash_heroku::sandbox::fault::Fault as Failing;
use slash_heroku::service::WholeInstalls;
use slash_heroku::testing::installation_store::happening;
use slash_heroku::testing::vault::{SealedStage, sealed_things};
use slash_heroku::testing::{Arranged, bot_tokens, hears, installing};
use slash_heroku::usecases::InstalledBots;

use super::{Stage, hours};
use crate::accounts::keys;
use crate::support::service::unknowing;

fn workspace(id: &str) -> WorkspaceId {
    WorkspaceId::parse(id).unwrap()
}

/// The page's side, as it is or as steps that are taken to their ends.
struct Pages {
    stage: Stage,
    installing: Arc<dyn Installing>,
}

impl Pages {
    async fn new(rotates: bool, whole: bool) -> Self {
        let stage = Stage::set(rotates).await;
        let installing: Arc<dyn Installing> = Arc::new(stage.bots.clone());
        let service = unknowing(&stage.store, Arc::<super::Ahead>::clone(&stage.clock), MockChat::new());
        let installing = if whole { Arc::new(WholeInstalls { service, installing }) } else { installing };
        Self { stage, installing }
    }
}

#[async_trait]
impl installing::Stage for Pages {
    fn installing(&self) -> Arc<dyn Installing> {
        self.installing.clone()
    }

    async fn agree(&mut self, page: &SecretString) -> SecretString {
        self.stage.code("ana", false, page)
    }

    async fn is_kept(&mut self) -> bool {
        !self.stage.store.installations().await.unwrap().is_empty()
    }

    async fn is_at_chat(&mut self) -> bool {
        // The token that settings may name is there from the start.
        let (slack, own) = (&self.stage.slack, &self.stage.slack.seed().bot_token);
        slack.secrets().iter().any(|secret| secret.text != *own && slack.takes(&secret.text))
    }

    async fn asked(&mut self) -> usize {
        self.stage.slack.requests().len()
    }

    async fn lose_place(&mut self) {
        self.stage.store.close().await;
    }
}

#[tokio::test]
async fn installing_keeps_its_promises() {
    for (rotates, whole) in [(false, false), (true, false), (false, true)] {
        installing::all(async || Pages::new(rotates, whole).await).await;
    }
}

/// What the bot speaks with: what two workspaces have given, or the one token of the settings.
struct Bots {
    stage: Stage,
    rotates: bool,
    one: Option<Arc<OneBot>>,
}

impl Bots {
    async fn installed(rotates: bool) -> Self {
        let stage = Stage::set(rotates).await;
        for who in ["ana", "bob"] {
            stage.installs(who, false).await.unwrap();
        }
        Self { stage, rotates, one: None }
    }

    async fn one() -> Self {
        let stage = Stage::set(false).await;
        let one = Arc::new(OneBot::new(stage.slack.seed().bot_token.clone().into()));
        Self { stage, rotates: false, one: Some(one) }
    }
}

#[async_trait]
impl bot_tokens::Stage for Bots {
    fn tokens(&self) -> Arc<dyn BotTokens> {
        match &self.one {
            Some(one) => one.clone(),
            None => Arc::new(self.stage.bots.clone()),
        }
    }

    fn workspaces(&self) -> Vec<WorkspaceId> {
        let all = ["T1", "T2"].map(workspace);
        all[..if self.one.is_some() { 1 } else { 2 }].to_vec()
    }

    fn elsewhere(&self) -> Result<WorkspaceId, &'static str> {
        if self.one.is_some() { Err("the settings name a token for the one workspace there is") } else { Ok(workspace("T3")) }
    }

    async fn place_of(&mut self, token: &SecretString) -> Option<WorkspaceId> {
        let address = format!("{}auth.test", self.stage.slack.api_address());
        let client = client(Some(std::time::Duration::from_secs(30))).unwrap();
        let answer = client.post(address).bearer_auth(token.expose_secret()).send().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        answer["team_id"].as_str().map(workspace)
    }

    async fn time_goes_on(&mut self) -> Arranged {
        if !self.rotates {
            return Arranged::Cannot("the token does not end by itself");
        }
        self.stage.go(hours(13));
        Arranged::Done
    }

    async fn stumble(&mut self) -> Arranged {
        let away = Failing::Status { code: 503, body: "<html>".to_owned(), content_type: "text/html".to_owned(), headers: Vec::new() };
        self.stage.slack.fail("oauth.v2.access", 1, away);
        Arranged::Done
    }

    async fn asked(&mut self) -> usize {
        self.stage.asked()
    }

    async fn refuse(&mut self, _: &WorkspaceId) -> Arranged {
        if self.one.is_some() { Arranged::Cannot("the settings name no other token") } else { Arranged::Done }
    }
}

#[tokio::test]
async fn the_bots_tokens_keep_their_promises() {
    assert_eq!(bot_tokens::all(async || Bots::installed(true).await).await.parts(), [""; 0]);
    let stays = ["renewed", "renewed later", "run out"];
    assert_eq!(bot_tokens::all(async || Bots::installed(false).await).await.parts(), stays);
    let one = ["not installed", "renewed", "renewed later", "run out", "refused"];
    assert_eq!(bot_tokens::all(Bots::one).await.parts(), one);
}

/// Word that a workspace has removed the app, and how often that was acted on.
struct Word {
    stage: Stage,
    word: Happening,
    done: usize,
}

impl Word {
    async fn new() -> Self {
        let stage = Stage::set(false).await;
        stage.installs("ana", false).await.unwrap();
        stage.go(SignedDuration::from_secs(60));
        let now = stage.clock.now();
        let word = happening("word", Tenant::Workspace(workspace("T1")), 0, Happened::Uninstalled);
        let word = Happening { at: now, heard_at: now, ..word };
        stage.go(SignedDuration::from_secs(60));
        Self { stage, word, done: 0 }
    }
}

#[async_trait]
impl hears::Stage for Word {
    fn hears(&self) -> Arc<dyn Hears> {
        Arc::new(self.stage.departures.clone())
    }

    fn word(&self) -> Happening {
        self.word.clone()
    }

    async fn waits(&mut self, id: &DeliveryId) -> bool {
        self.stage.store.not_done().await.unwrap().iter().any(|word| word.id == *id)
    }

    async fn rest(&mut self) {
        assert!(!self.stage.departures.sweep().await.unwrap().left, "nothing holds it up");
        self.done().await;
    }

    async fn done(&mut self) -> usize {
        // What has left is installed anew, so that it is seen where it leaves once more.
        if self.stage.standing("T1").await.is_none() {
            self.done += 1;
            self.stage.installs("ana", false).await.unwrap();
        }
        self.done
    }

    async fn close(&mut self) {
        self.stage.store.close().await;
    }
}

#[tokio::test]
async fn what_is_heard_is_acted_on_as_promised() {
    hears::all(Word::new).await;
}

/// What two workspaces have given, sealed.
struct Sealed(Stage);

impl Sealed {
    fn bots(&self, names: &[&str]) -> InstalledBots {
        let known = [("old", 1), ("new", 2), ("another", 3)];
        let named: Vec<(&str, u8)> = names.iter().map(|name| *known.iter().find(|(known, _)| known == name).unwrap()).collect();
        InstalledBots { vault: Arc::new(TokenVault::new(&keys(&named)).unwrap()), ..self.0.bots.clone() }
    }
}

#[async_trait]
impl SealedStage for Sealed {
    fn with(&mut self, keys: &[&str]) -> Arc<dyn SealedThings> {
        Arc::new(self.bots(keys))
    }

    fn many(&self) -> usize {
        2
    }

    async fn open_with(&mut self, keys: &[&str]) -> bool {
        let bots = self.bots(keys);
        for id in ["T1", "T2"] {
            match bots.token(&workspace(id)).await {
                Ok(token) => assert!(self.0.slack.takes(token.expose_secret())),
                Err(_) => return false,
            }
        }
        true
    }
}

#[tokio::test]
async fn what_the_app_speaks_with_is_sealed_again_as_promised() {
    let mut stage = Sealed(Stage::set(false).await);
    stage.0.bots = stage.bots(&["old"]);
    for who in ["ana", "bob"] {
        stage.0.installs(who, false).await.unwrap();
    }
    sealed_things(stage).await;
}
