//! The simulated Slack, wired to the real adapters of a chat: one that speaks, one that listens.

use std::sync::Arc;

use secrecy::SecretString;
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::adapters::settings_bot::OneBot;
use slash_heroku::adapters::slack::{Sealer, SlackChat, SlackInbound, SlackSettings, router};
use slash_heroku::domain::actor::{Origin, Person};
use slash_heroku::domain::names::{ChannelId, UserId, WorkspaceId};
use slash_heroku::ports::{Clock, Inbox, Submitted};
use slash_heroku::sandbox::serve::Servers;
use slash_heroku::sandbox::slack::{SeenMessage, ServiceAddress, SlackSeed, SlackWorkspace, Via};
use slash_heroku::testing::chat::Seen;
use slash_heroku::testing::inbox::Kept;
use slash_heroku::testing::installation_store::Heard;

use super::recordings_replay::Jumping;

/// A workspace with ana in it and one channel, and the adapters at it.
pub struct SlackStage {
    pub clock: Arc<Jumping>,
    pub workspace: Arc<SlackWorkspace>,
    pub chat: Arc<SlackChat>,
    pub service: ServiceAddress,
    /// What ana typed last, and as which delivery.
    pub typed: Option<(String, String)>,
    _servers: Servers,
}

pub fn ana() -> Person {
    Person { workspace: WorkspaceId::parse("T1").unwrap(), user: UserId::parse("U1").unwrap() }
}

pub fn origin() -> Origin {
    Origin { person: ana(), channel: ChannelId::parse("C1").unwrap(), reply: None }
}

impl SlackStage {
    /// A workspace whose requests go to `inbox`.
    pub async fn before(inbox: Arc<dyn Inbox>) -> Self {
        let (servers, clock) = (Servers::default(), Jumping::new());
        let seed = SlackSeed::default();
        let secrets = vec![SecretString::from(seed.signing_secret.clone())];
        let tokens = Arc::new(OneBot::new(SecretString::from(seed.bot_token.clone())));
        let workspace = SlackWorkspace::start(&servers, Arc::<Jumping>::clone(&clock), 0, seed).await.unwrap();
        workspace.add_user("U1", "ana", "T1");
        workspace.add_user("U2", "bob", "T1");
        workspace.add_channel("C1", "general", true);
        let sealer = Arc::new(Sealer::new(&secrets).unwrap());
        let api = BaseUrl::parse(&workspace.api_address()).unwrap();
        let settings = SlackSettings { api, tokens, sealer: Arc::clone(&sealer), allow_loopback_response_url: true };
        let chat = Arc::new(SlackChat::new(settings, Arc::<Jumping>::clone(&clock)).unwrap());
        let (listener, address) = Servers::listen(0).await.unwrap();
        let inbound = SlackInbound {
            secrets,
            inbox,
            hears: Arc::new(Heard::default()),
            clock: Arc::<Jumping>::clone(&clock) as Arc<dyn Clock>,
            sealer,
            command_word: "/h".to_owned(),
            allow_loopback_response_url: true,
        };
        servers.serve(listener, router(inbound));
        let service = ServiceAddress::new(&format!("http://{address}"));
        Self { clock, workspace, chat, service, typed: None, _servers: servers }
    }

    /// A workspace in which ana has asked, with the address for answers that her command came with.
    pub async fn asked() -> (Self, Origin) {
        let inbox = Kept::saying(Submitted::Accepted);
        let stage = Self::before(Arc::<Kept>::clone(&inbox)).await;
        let acknowledged = stage.workspace.command(&stage.service, "ana", "general", "pipelines", None).await;
        assert_eq!(acknowledged.status, Some(200));
        let origin = inbox.take().remove(0).origin;
        assert!(origin.reply.is_some());
        (stage, origin)
    }

    /// What stands in the workspace.
    pub fn seen(&self) -> Vec<Seen> {
        self.workspace.messages().iter().map(|message| self.as_seen(message)).collect()
    }

    /// The form that ana sees.
    pub fn forms(&self) -> Vec<Seen> {
        let form = self.workspace.form_of("ana");
        form.map(|(lines, view)| Seen { text: lines.join("\n"), only: Some(ana()), effects: effects_of(&[view]) }).into_iter().collect()
    }

    /// The page that ana has.
    pub fn pages(&self) -> Vec<Seen> {
        let page = self.workspace.home_of("ana");
        let lines = self.workspace.home_news("ana").join("\n");
        page.map(|view| Seen { text: lines, only: Some(ana()), effects: effects_of(&[view]) }).into_iter().collect()
    }

    fn as_seen(&self, message: &SeenMessage) -> Seen {
        let direct = self.workspace.channel_name(&message.channel).starts_with('@');
        let only = (direct || message.to.is_some()).then(ana);
        // A person's own words are the person's.
        let effects = if message.via == Via::Echo { Vec::new() } else { effects(message) };
        Seen { text: self.workspace.render(message).all(), only, effects }
    }
}

/// What Slack makes of what is marked up: everything between angle brackets.
fn effects(message: &SeenMessage) -> Vec<String> {
    let text = message.text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap().to_owned());
    text.chain(effects_of(&message.blocks)).collect()
}

pub fn effects_of(blocks: &[serde_json::Value]) -> Vec<String> {
    fn marked_up(value: &serde_json::Value, texts: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(members) => {
                if let (Some("mrkdwn"), Some(text)) = (members.get("type").and_then(|kind| kind.as_str()), members.get("text")) {
                    texts.push(text.as_str().unwrap().to_owned());
                    assert_eq!(members.get("verbatim"), Some(&true.into()), "addresses and names in it would become links and mentions");
                }
                members.values().for_each(|member| marked_up(member, texts));
            }
            serde_json::Value::Array(members) => members.iter().for_each(|member| marked_up(member, texts)),
            _ => {}
        }
    }
    let mut texts = Vec::new();
    blocks.iter().for_each(|block| marked_up(block, &mut texts));
    texts.iter().flat_map(|text| text.split('<').skip(1)).map(|rest| rest.split('>').next().unwrap().to_owned()).collect()
}
