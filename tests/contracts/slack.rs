//! Recordings of Slack: what we ask of it, replayed against the adapter and put to the simulator.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value, json};
use slash_heroku::adapters::http::base_url::BaseUrl;
use slash_heroku::adapters::settings_bot::OneBot;
use slash_heroku::adapters::slack::{Sealer, SlackChat, SlackSettings};
use slash_heroku::domain::actor::{Origin, Person};
use slash_heroku::domain::checkup::ChatStanding;
use slash_heroku::domain::deployment::MessageRef;
use slash_heroku::domain::form::{Draft, Entry, Field, FieldName, Form, Topic};
use slash_heroku::domain::lock::Scope;
use slash_heroku::domain::message::{Act, Audience, ButtonStyle, Message, Tone, code, text};
use slash_heroku::domain::names::{ChannelId, DeliveryId, DeploymentId, PipelineId, UserId, WorkspaceId};
use slash_heroku::domain::page::{Page, PageAct, PageButton, Part, Row};
use slash_heroku::domain::pipeline::Environment;
use slash_heroku::domain::speech;
use slash_heroku::ports::{Addressee, Asked, Chat, Delivered, Urgency};
use uuid::Uuid;

use super::directories;
use super::installs;
use super::recordings::{self, Recording};
use super::recordings_replay::{Jumping, Replay, TOKEN, outcome};
use super::shapes::Shapes;
use super::slack_inward::{Door, signing_secret};
use super::slack_states::stage;

/// The workspace, the channel, ana and her conversation with the app, as recordings have them.
pub const TEAM: &str = "T0ACME";
pub const CHANNEL: &str = "C0DEPLOY";
pub const ANA: &str = "U0ANA";
pub const DIRECT: &str = "D0ANA";
/// The app's own user.
pub const BOT: &str = "U0BOT";
/// A message of the app.
pub const MESSAGE: &str = "1763632799.000100";
/// The path of the answer address that a command came with.
pub const REPLY: &str = "/commands/T0ACME/1/INVENTED";

/// What is said in the recordings: a card with a button for everybody, or a plain answer.
pub fn message(card: bool, audience: Audience) -> Message {
    if !card {
        return Message::new(Tone::Info, audience, vec![text("There are two pipelines: hubot and shop")]);
    }
    let act = Act::Cancel(DeploymentId(Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_0001)));
    Message::new(Tone::Working, audience, vec![text("hubot is on its way to staging")]).button("Cancel", act, ButtonStyle::Danger)
}

/// A page with something to press.
pub fn page() -> Page {
    let pipeline = PipelineId::parse("01890000-0000-7000-8000-00000000000a").unwrap();
    let act = PageAct::Unlock { pipeline, on: Scope::Environment(Environment::Staging) };
    let free = PageButton { label: "Free it".to_owned(), act, style: ButtonStyle::Plain };
    let row = Row { lines: vec![vec![text("You hold "), code("hubot")]], buttons: vec![free] };
    let part = Part { title: "What you hold".to_owned(), rows: vec![row] };
    Page { note: Some(message(false, Audience::Asker)), parts: vec![part], conversation: Some(ChannelId::parse(DIRECT).unwrap()) }
}

/// What a form was asked for by, and what is asked in it.
pub const TRIGGER: &str = "1763632799.2.invented";

fn form(with: &Value) -> Form {
    if with["form"] == "ship" {
        return speech::ship_form(&Draft::default(), "/h");
    }
    let wanted = vec![code("vault-production"), text(" wants a one-time code.")];
    let field = Field {
        name: FieldName::Code,
        label: "Code".to_owned(),
        hint: "6 to 8 digits".to_owned(),
        entry: Entry::Secret { longest: 64 },
        optional: false,
        given: None,
    };
    Form {
        topic: Topic::Code(DeploymentId(Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_0001))),
        title: "One-time code".to_owned(),
        lines: vec![wanted],
        fields: vec![field],
        submit: "Hand over".to_owned(),
    }
}

/// Where somebody asked, without an address for answers.
fn origin(with: &Value) -> Origin {
    let id = |name: &str, otherwise: &str| with[name].as_str().unwrap_or(otherwise).to_owned();
    let person = Person { workspace: WorkspaceId::parse(TEAM).unwrap(), user: UserId::parse(&id("user", ANA)).unwrap() };
    Origin { person, channel: ChannelId::parse(&id("channel", CHANNEL)).unwrap(), reply: None }
}

fn of_delivered(delivered: Delivered) -> Value {
    match delivered {
        Delivered::Editable(at) => json!({ "can be changed": at }),
        Delivered::Final => json!("it was said"),
    }
}

/// Makes the call that a recording names, and says what came of it.
async fn made(chat: &SlackChat, recording: &Recording, asked: &Origin) -> Value {
    let with = &recording.with;
    match recording.call.as_deref().unwrap() {
        "Chat::say" => {
            let (to, card, audience) = match with["to"].as_str().unwrap() {
                "card" => (Addressee::Card(asked.clone()), true, Audience::Channel),
                "place" => (Addressee::Place(asked.person.workspace.clone(), asked.channel.clone()), true, Audience::Channel),
                "below" | "below, and all" => {
                    let card = MessageRef {
                        workspace: asked.person.workspace.clone(),
                        channel: asked.channel.clone(),
                        message: MESSAGE.to_owned(),
                    };
                    (Addressee::Below { card, for_all: with["to"] == "below, and all" }, false, Audience::Channel)
                }
                "direct" => (Addressee::Direct(asked.person.clone()), true, Audience::Asker),
                "answer" => {
                    let audience = if with["audience"] == "channel" { Audience::Channel } else { Audience::Asker };
                    (Addressee::Answer(asked.clone()), false, audience)
                }
                other => panic!("{}: there is nobody {other}", recording.name),
            };
            outcome(chat.say(&to, &message(card, audience)).await, of_delivered)
        }
        "Chat::amend" => {
            let urgency = match with["urgency"].as_str().unwrap() {
                "now" => Urgency::Now,
                "progress" => Urgency::Progress,
                other => panic!("{}: nothing is {other}", recording.name),
            };
            let what =
                MessageRef { workspace: asked.person.workspace.clone(), channel: asked.channel.clone(), message: MESSAGE.to_owned() };
            outcome(chat.amend(&what, &message(true, Audience::Channel), urgency).await, |()| Value::Null)
        }
        "Chat::standing" => {
            let told = |ChatStanding { lacks, speaks_here, gives_addresses, clock }: ChatStanding| {
                let lacks: Vec<String> = lacks.iter().map(|right| format!("{right:?}")).collect();
                json!({ "lacks": lacks, "speaks_here": speaks_here, "gives_addresses": gives_addresses, "clock": clock })
            };
            outcome(chat.standing(asked, &message(false, Audience::Asker)).await, told)
        }
        "Chat::show_page" => outcome(chat.show_page(&asked.person, &page()).await, |()| json!("it is shown")),
        "Chat::ask" => outcome(chat.ask(asked, &DeliveryId::parse(TRIGGER).unwrap(), &form(with)).await, |asked| match asked {
            Asked::Shown => json!("it came up"),
            Asked::TooLate => json!("it is too late"),
        }),
        other => panic!("{}: there is no call {other}", recording.name),
    }
}

/// What comes of the call that a recording begins, and what the adapter asks otherwise than it is recorded.
pub async fn replayed(all: &BTreeMap<String, Recording>, recording: &Recording) -> (Value, Vec<String>) {
    let replay = Replay::of(&["api", "hooks"], recording.takes().iter().map(|name| all[*name].clone())).await;
    let sealer = Arc::new(Sealer::new(&[signing_secret()]).unwrap());
    let asked = if recording.with["reply"] == true {
        // An address for answers comes in with a command, and is sealed there.
        let door = Door::at(&sealer, Door::accepts()).await;
        door.puts(&all["command"], replay.at("hooks")).await;
        door.inbox.take().remove(0).origin
    } else {
        origin(&recording.with)
    };
    let settings = SlackSettings {
        api: BaseUrl::parse(&format!("{}/api", replay.at("api"))).unwrap(),
        tokens: Arc::new(OneBot::new(SecretString::from(TOKEN))),
        sealer,
        allow_loopback_response_url: true,
    };
    let of = |port: &str| recording.call.as_deref().is_some_and(|call| call.starts_with(port));
    let found = if of("Directory::") {
        directories::made(&settings, recording).await
    } else if of("InstallAt::") {
        let adapter = installs::adapter_at(settings.api, "https://slack.example.com/oauth/v2/authorize", Jumping::new());
        installs::made(adapter.as_ref(), recording).await
    } else {
        let chat = SlackChat::new(settings, Jumping::new()).unwrap();
        if recording.is_made_again() {
            made(&chat, recording, &asked).await;
        }
        made(&chat, recording, &asked).await
    };
    (found, replay.wrong())
}

#[tokio::test]
async fn the_adapter_keeps_its_side() {
    let all = recordings::of("slack");
    let ours = |recording: &&Recording| recording.request.host != "service" && recording.call.is_some();
    let mut wrong = Vec::new();
    for recording in all.values().filter(ours) {
        let (found, otherwise) = replayed(&all, recording).await;
        wrong.extend(otherwise.into_iter().map(|wrong| format!("slack/{}: {wrong}", recording.name)));
        recordings::holds("slack", recording, &found);
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[tokio::test]
async fn the_simulator_keeps_its_side() {
    let (shapes, all) = (Shapes::of("slack"), recordings::of("slack"));
    let mut wrong = Vec::new();
    for recording in all.values().filter(|recording| recording.request.host != "service" && recording.not_simulated.is_none()) {
        let (_workspace, stage) = stage(recording).await;
        let faults = stage.faults(&shapes, recording).await;
        wrong.extend(faults.into_iter().map(|fault| format!("slack/{}: the simulator {fault}", recording.name)));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
