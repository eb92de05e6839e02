//! Chats, held to what the port promises: Slack, with and without an address for answers, and the terminal.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::json;
use slash_heroku::adapters::console::{Console, ConsoleSettings};
use slash_heroku::domain::actor::Origin;
use slash_heroku::domain::deployment::MessageRef;
use slash_heroku::domain::message::{Audience, Message, Tone};
use slash_heroku::domain::names::DeliveryId;
use slash_heroku::ports::{Addressee, Chat, Clock};
use slash_heroku::sandbox::slack::{Fault, Limit};
use slash_heroku::testing::Arranged;
use slash_heroku::testing::chat::{Seen, Stage, all};

use super::recordings_replay::Jumping;
use super::recordings_simulated::client;
use super::slack_stage::{SlackStage, ana, origin};

/// The methods by which something is said or changed.
const SPEAKING: [&str; 4] = ["chat.postMessage", "chat.postEphemeral", "chat.update", "response_url"];

/// A simulated Slack, and how ana asked there.
pub struct Slack(pub SlackStage, pub Origin);

#[async_trait]
impl Stage for Slack {
    fn chat(&self) -> Arc<dyn Chat> {
        self.0.chat.clone()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.0.clock.clone()
    }

    fn origin(&self) -> Origin {
        self.1.clone()
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.0.workspace.seed().bot_token.clone(), self.0.workspace.seed().signing_secret.clone()]
    }

    async fn seen(&mut self) -> Vec<Seen> {
        let violations = self.0.workspace.violations();
        assert!(violations.is_empty(), "{violations:?}");
        self.0.seen()
    }

    async fn remove(&mut self, what: &MessageRef) -> Arranged {
        let address = format!("{}chat.delete", self.0.workspace.api_address());
        let deleted = client().post(address).bearer_auth(&self.0.workspace.seed().bot_token).header("content-type", "application/json");
        let deleted = deleted.body(json!({ "channel": what.channel, "ts": what.message }).to_string()).send().await.unwrap();
        assert!(deleted.text().await.unwrap().contains(r#""ok":true"#));
        Arranged::Done
    }

    async fn shut_out(&mut self) -> Arranged {
        assert!(self.0.workspace.invite_bot("general", false));
        Arranged::Done
    }

    async fn limit(&mut self, seconds: u32) -> Arranged {
        for method in SPEAKING {
            self.0.workspace.fail(method, 1, Fault::RateLimited { retry_after: Some(seconds), limit: Limit::Primary });
        }
        Arranged::Done
    }

    async fn lose_answer(&mut self) -> Arranged {
        for method in SPEAKING {
            self.0.workspace.fail(method, 1, Fault::CutAfter);
        }
        Arranged::Done
    }

    async fn does_something(&mut self) -> Result<DeliveryId, &'static str> {
        let acknowledged = self.0.workspace.command(&self.0.service, "ana", "general", "pipelines", None).await;
        Ok(DeliveryId::parse(&acknowledged.trigger_id).unwrap())
    }

    async fn forms(&mut self) -> Vec<Seen> {
        self.0.forms()
    }

    async fn pages(&mut self) -> Vec<Seen> {
        self.0.pages()
    }

    async fn dawdle(&mut self) -> Arranged {
        self.0.clock.pause_until(self.0.clock.now() + SignedDuration::from_secs(4)).await;
        Arranged::Done
    }

    async fn withdraw_sign_in(&mut self) -> Arranged {
        for method in SPEAKING {
            self.0.workspace.fail(method, 100, Fault::Named("token_revoked".to_owned()));
        }
        Arranged::Done
    }
}

#[tokio::test]
async fn slack_keeps_the_promises_of_a_chat() {
    let without_an_address = all(async || Slack(SlackStage::asked().await.0, origin())).await;
    assert_eq!(without_an_address.parts(), [""; 0]);
    let with_an_address = all(async || {
        let (stage, origin) = SlackStage::asked().await;
        Slack(stage, origin)
    });
    assert_eq!(with_an_address.await.parts(), [""; 0]);
}

/// What a terminal shows, in the end of a pipe.
#[derive(Clone, Default)]
pub struct Paper {
    written: Arc<Mutex<Vec<u8>>>,
    breaks: Arc<AtomicBool>,
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.written.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.breaks.swap(false, Ordering::SeqCst) { Err(std::io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
}

impl Paper {
    /// What was printed, one entry for each headline.
    pub fn seen(&self) -> Vec<Seen> {
        let text = String::from_utf8(self.written.lock().unwrap().clone()).unwrap();
        let mut seen: Vec<Seen> = Vec::new();
        for line in text.lines() {
            let begins = line.get(..4).is_some_and(|sign| sign.starts_with('[') && sign.ends_with(']'));
            match seen.last_mut() {
                Some(last) if !begins => last.text.push_str(&format!("\n{line}")),
                _ => {
                    let only = line.get(4..).is_some_and(|rest| rest.starts_with(" (only you) ")).then(ana);
                    seen.push(Seen { text: line.to_owned(), only, effects: Vec::new() });
                }
            }
        }
        for seen in &mut seen {
            seen.effects.extend(seen.text.chars().filter(|c| c.is_control() && *c != '\n').map(|c| format!("{c:?}")));
        }
        seen
    }
}

struct Terminal {
    console: Arc<Console>,
    paper: Paper,
    clock: Arc<Jumping>,
}

/// A terminal at which ana sits.
pub fn terminal() -> (Arc<Console>, Paper) {
    let paper = Paper::default();
    let settings = ConsoleSettings { person: ana(), channel: origin().channel };
    (Arc::new(Console::new(settings, Box::new(paper.clone()))), paper)
}

#[async_trait]
impl Stage for Terminal {
    fn chat(&self) -> Arc<dyn Chat> {
        self.console.clone()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    fn origin(&self) -> Origin {
        origin()
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    async fn seen(&mut self) -> Vec<Seen> {
        self.paper.seen()
    }

    async fn forms(&mut self) -> Vec<Seen> {
        // One that is shown again takes the place of the one before.
        self.paper.seen().into_iter().rfind(|seen| seen.text.contains("A-code-please")).into_iter().collect()
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn keeps_old_words(&self) -> bool {
        true
    }

    async fn remove(&mut self, _: &MessageRef) -> Arranged {
        // A terminal forgets what was said long ago.
        for _ in 0..501 {
            self.console.say(&Addressee::Direct(ana()), &Message::new(Tone::Info, Audience::Asker, Vec::new())).await.unwrap();
        }
        Arranged::Done
    }

    async fn shut_out(&mut self) -> Arranged {
        Arranged::Cannot("a terminal shows whatever is printed")
    }

    async fn limit(&mut self, _: u32) -> Arranged {
        Arranged::Cannot("a terminal takes everything at once")
    }

    async fn lose_answer(&mut self) -> Arranged {
        self.paper.breaks.store(true, Ordering::SeqCst);
        Arranged::Done
    }

    async fn withdraw_sign_in(&mut self) -> Arranged {
        Arranged::Cannot("nobody signs in to a terminal")
    }
}

#[tokio::test]
async fn the_terminal_keeps_the_promises_of_a_chat() {
    let left_out = all(async || {
        let (console, paper) = terminal();
        Terminal { console, paper, clock: Jumping::new() }
    });
    let parts = [
        "a standing where it is shut",
        "a place that is shut",
        "below a card",
        "shut out",
        "a short limit",
        "a long limit",
        "a limit on cards",
        "sign-in withdrawn",
        "a page",
        "a form too late",
    ];
    assert_eq!(left_out.await.parts(), parts);
}
