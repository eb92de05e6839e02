//! The people of chats, held to what the port promises.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Value, json};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::adapters::settings_bot::OneBot;
use slash_heroku::adapters::slack::{Sealer, SlackDirectory, SlackSettings};
use slash_heroku::domain::actor::Person;
use slash_heroku::domain::names::{ChannelId, GroupId, UserId, WorkspaceId};
use slash_heroku::domain::rights::{Conversation, Member};
use slash_heroku::ports::Directory;
use slash_heroku::sandbox::fault::Fault;
use slash_heroku::sandbox::serve::Servers;
use slash_heroku::sandbox::slack::{MemberKind, SlackSeed, SlackWorkspace};
use slash_heroku::testing::Arranged;
use slash_heroku::testing::directory::{Made, Stage, all};

use super::recordings::Recording;
use super::recordings_replay::{Jumping, outcome};
use super::slack::{ANA, CHANNEL, TEAM};

fn person(workspace: &str, user: &str) -> Person {
    Person { workspace: WorkspaceId::parse(workspace).unwrap(), user: UserId::parse(user).unwrap() }
}

/// Makes the call that a recording names, and says what came of it.
pub async fn made(settings: &SlackSettings, recording: &Recording) -> Value {
    let directory = SlackDirectory::new(settings, Jumping::new()).unwrap();
    let (workspace, with) = (WorkspaceId::parse(TEAM).unwrap(), &recording.with);
    match recording.call.as_deref().unwrap() {
        "Directory::member" => {
            let who = person(with["workspace"].as_str().unwrap_or(TEAM), with["user"].as_str().unwrap_or(ANA));
            let told = |Member { standing, admin }: Member| json!({ "standing": format!("{standing:?}"), "admin": admin });
            outcome(directory.member(&workspace, &who).await, told)
        }
        "Directory::conversation" => {
            let channel = ChannelId::parse(with["channel"].as_str().unwrap_or(CHANNEL)).unwrap();
            let told = |Conversation { shared, archived, direct: _ }: Conversation| json!({ "shared": shared, "archived": archived });
            outcome(directory.conversation(&workspace, &channel).await, told)
        }
        "Directory::group" => {
            let group = GroupId::parse(with["group"].as_str().unwrap()).unwrap();
            outcome(directory.group(&workspace, &group).await, |people| json!(people))
        }
        other => panic!("{}: there is no call {other}", recording.name),
    }
}

struct Simulated {
    slack: Arc<SlackWorkspace>,
    directory: Arc<SlackDirectory>,
    _servers: Servers,
}

impl Simulated {
    async fn new() -> Self {
        let (servers, clock, seed) = (Servers::default(), Jumping::new(), SlackSeed::default());
        let secrets = vec![SecretString::from(seed.signing_secret.clone())];
        let tokens = Arc::new(OneBot::new(SecretString::from(seed.bot_token.clone())));
        let slack = SlackWorkspace::start(&servers, Arc::<Jumping>::clone(&clock), 0, seed).await.unwrap();
        for (id, name, team) in [("U1", "ana", "T1"), ("U2", "bob", "T1"), ("U1", "mallory", "T2"), ("U7", "eve", "T2")] {
            slack.add_user(id, name, team);
        }
        slack.add_channel("C1", "general", true);
        let api = BaseUrl::parse(&slack.api_address()).unwrap();
        let sealer = Arc::new(Sealer::new(&secrets).unwrap());
        let settings = SlackSettings { api, tokens, sealer, allow_loopback_response_url: true };
        let directory = Arc::new(SlackDirectory::new(&settings, clock).unwrap());
        Self { slack, directory, _servers: servers }
    }
}

#[async_trait]
impl Stage for Simulated {
    fn directory(&self) -> Arc<dyn Directory> {
        Arc::<SlackDirectory>::clone(&self.directory)
    }

    fn workspace(&self) -> WorkspaceId {
        WorkspaceId::parse("T1").unwrap()
    }

    fn person(&self) -> Person {
        person("T1", "U1")
    }

    fn other(&self) -> Person {
        person("T1", "U2")
    }

    fn outsider(&self) -> Person {
        person("T2", "U7")
    }

    fn namesake(&self) -> Option<Person> {
        Some(person("T2", "U1"))
    }

    fn nobody(&self) -> Person {
        person("T1", "U404")
    }

    async fn make(&mut self, what: Made) -> Arranged {
        let kind = match what {
            Made::Member => MemberKind::Plain,
            Made::Admin => MemberKind::Owner,
            Made::Guest => MemberKind::SingleChannelGuest,
            Made::Closed => MemberKind::Deactivated,
        };
        assert!(self.slack.is_now("ana", kind));
        Arranged::Done
    }

    async fn group(&mut self, people: &[Person]) -> Result<GroupId, &'static str> {
        let names: Vec<&str> = people.iter().map(|one| if one.user.as_str() == "U1" { "ana" } else { "bob" }).collect();
        assert!(self.slack.group("crew", &names));
        GroupId::parse("S1").map_err(|_| "it has no id")
    }

    async fn no_group(&mut self) -> Arranged {
        assert!(self.slack.group("crew", &[]));
        Arranged::Done
    }

    fn conversation(&self) -> ChannelId {
        ChannelId::parse("C1").unwrap()
    }

    fn conversation_of_two(&self) -> Option<ChannelId> {
        ChannelId::parse("DU1").ok()
    }

    fn no_conversation(&self) -> ChannelId {
        ChannelId::parse("C404").unwrap()
    }

    async fn share(&mut self) -> Arranged {
        assert!(self.slack.share_channel("general"));
        Arranged::Done
    }

    async fn archive(&mut self) -> Arranged {
        assert!(self.slack.archive_channel("general"));
        Arranged::Done
    }

    async fn stumble(&mut self) -> Arranged {
        for method in ["users.info", "conversations.info"] {
            self.slack.fail(method, 9, Fault::Named("fatal_error".to_owned()));
        }
        Arranged::Done
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.slack.seed().bot_token.clone()]
    }
}

#[tokio::test]
async fn slack_tells_people_as_the_port_promises() {
    let left_out = all(Simulated::new).await;
    assert_eq!(left_out.parts(), [""; 0]);
}
