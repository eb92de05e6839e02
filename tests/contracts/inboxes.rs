//! Ways in, held to what the port promises: the service that takes requests, and the chats that hand them in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use slash_heroku::adapters::clock::RandomIds;
use slash_heroku::adapters::console::Console;
use slash_heroku::adapters::sled::SledStore;
use slash_heroku::domain::actor::Origin;
use slash_heroku::domain::form::Form;
use slash_heroku::domain::message::Message;
use slash_heroku::domain::names::DeliveryId;
use slash_heroku::ports::{Addressee, Asked, Chat, Delivered, Inbox, MockChat, Store};
use slash_heroku::sandbox::slack::Forged;
use slash_heroku::service::Service;
use slash_heroku::testing::Arranged;
use slash_heroku::testing::chat::Seen;
use slash_heroku::testing::inbox::{ChatStage, Stage, all, of_a_chat};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::chats::{Paper, terminal};
use super::recordings_replay::Jumping;
use super::slack_stage::{SlackStage, origin};
use crate::support::folders;
use crate::support::service::unknowing;

/// The service on a real store, which knows nobody: everything is refused, by one answer.
struct Served {
    service: Service,
    store: SledStore,
    answers: Arc<AtomicUsize>,
    pages: Arc<AtomicUsize>,
    /// Whether a service that can keep nothing more is one whose store is gone, and not one that drains.
    loses_its_store: bool,
    _folder: TempDir,
}

impl Served {
    fn new(loses_its_store: bool) -> Self {
        let folder = folders::in_memory();
        let store = SledStore::open(folder.path()).unwrap();
        let mut chat = MockChat::new();
        let answers = Arc::<AtomicUsize>::default();
        let said = Arc::clone(&answers);
        chat.expect_say().returning(move |_, _| {
            said.fetch_add(1, Ordering::SeqCst);
            Ok(Delivered::Final)
        });
        let pages = Arc::<AtomicUsize>::default();
        let shown = Arc::clone(&pages);
        chat.expect_show_page().returning(move |_, _| {
            shown.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        Self { service: unknowing(&store, Jumping::new(), chat), store, answers, pages, loses_its_store, _folder: folder }
    }
}

#[async_trait]
impl Stage for Served {
    fn inbox(&self) -> Arc<dyn Inbox> {
        Arc::new(self.service.clone())
    }

    fn origin(&self) -> Origin {
        origin()
    }

    async fn is_kept(&self, id: &DeliveryId) -> bool {
        self.store.request(id).await.unwrap().is_some()
    }

    async fn pages(&mut self) -> usize {
        self.service.drain().await;
        self.pages.load(Ordering::SeqCst)
    }

    async fn answers(&mut self) -> usize {
        self.service.drain().await;
        self.answers.load(Ordering::SeqCst)
    }

    async fn close(&mut self) -> Arranged {
        if self.loses_its_store {
            self.store.close().await
        } else {
            self.service.drain().await
        }
        Arranged::Done
    }
}

#[tokio::test]
async fn the_service_keeps_the_promises_of_a_way_in() {
    for loses_its_store in [false, true] {
        assert_eq!(all(async || Served::new(loses_its_store)).await.parts(), [""; 0]);
    }
}

#[async_trait]
impl ChatStage for SlackStage {
    fn origin(&self) -> Origin {
        origin()
    }

    async fn types(&mut self, line: &str) {
        let acknowledged = self.workspace.command(&self.service, "ana", "general", line, None).await;
        self.typed = Some((line.to_owned(), acknowledged.trigger_id));
    }

    async fn delivers_again(&mut self) -> Arranged {
        let (line, delivery) = self.typed.clone().unwrap();
        self.workspace.command(&self.service, "ana", "general", &line, Some(&delivery)).await;
        Arranged::Done
    }

    async fn presses(&mut self, message: &Message) -> Arranged {
        self.chat.say(&Addressee::Card(origin()), message).await.unwrap();
        let button = self.workspace.find_button("ana", &message.buttons[0].label).unwrap();
        self.workspace.press(&self.service, "ana", &button).await;
        Arranged::Done
    }

    async fn fills_in(&mut self, form: &Form, value: &str) -> Arranged {
        let done = self.workspace.command(&self.service, "ana", "general", "pipelines", None).await;
        let by = DeliveryId::parse(&done.trigger_id).unwrap();
        assert_eq!(self.chat.ask(&origin(), &by, form).await.unwrap(), Asked::Shown);
        self.workspace.fill_in("ana", &form.fields[0].label, value).unwrap();
        self.workspace.send_form(&self.service, "ana", &Forged::default()).await.unwrap();
        assert_eq!(self.workspace.violations(), [""; 0]);
        Arranged::Done
    }

    async fn looks_at_page(&mut self) -> Arranged {
        self.workspace.open_home(&self.service, "ana", "home").await.unwrap();
        Arranged::Done
    }

    async fn seeks(&mut self, form: &Form, typed: &str) -> Result<Vec<String>, &'static str> {
        let done = self.workspace.command(&self.service, "ana", "general", "pipelines", None).await;
        let by = DeliveryId::parse(&done.trigger_id).unwrap();
        assert_eq!(self.chat.ask(&origin(), &by, form).await.unwrap(), Asked::Shown);
        Ok(self.workspace.offers(&self.service, "ana", &form.fields[0].label, typed).await.unwrap())
    }

    async fn chooses(&mut self, form: &Form, chosen: &str) -> Arranged {
        self.workspace.choose("ana", &form.fields[0].label, chosen, chosen).unwrap();
        self.workspace.send_form(&self.service, "ana", &Forged::default()).await.unwrap();
        assert_eq!(self.workspace.violations(), [""; 0]);
        Arranged::Done
    }

    async fn seen(&mut self) -> Vec<Seen> {
        SlackStage::seen(self)
    }
}

#[tokio::test]
async fn slack_hands_in_what_people_ask_for() {
    assert_eq!(of_a_chat(SlackStage::before).await.parts(), [""; 0]);
}

struct Typing {
    console: Arc<Console>,
    paper: Paper,
    inbox: Arc<dyn Inbox>,
}

#[async_trait]
impl ChatStage for Typing {
    fn origin(&self) -> Origin {
        origin()
    }

    async fn types(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.console.run(line.as_bytes(), self.inbox.as_ref(), &RandomIds, &CancellationToken::new()).await.unwrap();
    }

    async fn delivers_again(&mut self) -> Arranged {
        Arranged::Cannot("a terminal delivers a line once")
    }

    async fn presses(&mut self, message: &Message) -> Arranged {
        self.console.say(&Addressee::Card(origin()), message).await.unwrap();
        let printed = self.paper.seen().last().unwrap().text.clone();
        let (_, number) = printed.rsplit_once('(').unwrap();
        let (number, label) = number.split_once(") ").unwrap();
        assert_eq!(label, message.buttons[0].label);
        self.types(number).await;
        Arranged::Done
    }

    async fn fills_in(&mut self, form: &Form, value: &str) -> Arranged {
        self.console.ask(&origin(), &DeliveryId::parse("did-something").unwrap(), form).await.unwrap();
        self.types(value).await;
        Arranged::Done
    }

    async fn seen(&mut self) -> Vec<Seen> {
        self.paper.seen()
    }
}

#[tokio::test]
async fn the_terminal_hands_in_what_people_ask_for() {
    let left_out = of_a_chat(async |inbox| {
        let (console, paper) = terminal();
        Typing { console, paper, inbox }
    });
    assert_eq!(left_out.await.parts(), ["delivered again", "a page", "a choice"]);
}
