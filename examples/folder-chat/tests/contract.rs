//! The folder, held to what a chat promises.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on shall stop at once")]

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use slash_heroku::adapters::clock::SystemClock;
use slash_heroku::domain::actor::{Origin, Person};
use slash_heroku::domain::deployment::MessageRef;
use slash_heroku::domain::message::Message;
use slash_heroku::domain::names::{ChannelId, DeliveryId, UserId, WorkspaceId};
use slash_heroku::ports::{Addressee, Chat, Clock, Delivered, Inbox};
use slash_heroku::testing::chat::{self, Seen};
use slash_heroku::testing::{Arranged, inbox};
use tempfile::TempDir;

use folder_chat::FolderChat;

fn origin() -> Origin {
    let person = Person { workspace: WorkspaceId::parse("house").unwrap(), user: UserId::parse("ana").unwrap() };
    Origin { person, channel: ChannelId::parse("general").unwrap(), reply: None }
}

/// A folder, and what was written there.
struct Stage {
    folder: TempDir,
    chat: Arc<FolderChat>,
    inbox: Option<Arc<dyn Inbox>>,
    typed: Vec<String>,
}

impl Stage {
    fn new(inbox: Option<Arc<dyn Inbox>>) -> Self {
        let folder = TempDir::new().unwrap();
        let chat = Arc::new(FolderChat::in_folder(folder.path()).unwrap());
        Self { folder, chat, inbox, typed: Vec::new() }
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = Vec::new();
        for conversation in std::fs::read_dir(self.folder.path()).unwrap() {
            files.extend(std::fs::read_dir(conversation.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
        }
        files.sort_by_key(|file| file.file_name().map(ToOwned::to_owned));
        files
    }

    fn read(&self) -> Vec<Seen> {
        let seen = |file: PathBuf| {
            let text = std::fs::read_to_string(&file).unwrap();
            let conversation = file.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
            let only = conversation.strip_prefix('@').map(|user| Person { user: UserId::parse(user).unwrap(), ..origin().person });
            // In a file of plain text only control characters do anything.
            let effects = text.chars().filter(|c| c.is_control() && *c != '\n').map(|c| format!("{c:?}")).collect();
            Seen { text, only, effects }
        };
        self.files().into_iter().map(seen).collect()
    }

    async fn submit(&mut self, line: &str, delivery: usize) {
        let delivery = DeliveryId::parse(&format!("typed-{delivery}")).unwrap();
        self.chat.typed(line, &origin(), &delivery, self.inbox.as_deref().unwrap()).await.unwrap();
    }
}

#[async_trait]
impl chat::Stage for Stage {
    fn chat(&self) -> Arc<dyn Chat> {
        self.chat.clone()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock::default())
    }

    fn origin(&self) -> Origin {
        origin()
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    async fn seen(&mut self) -> Vec<Seen> {
        self.read()
    }

    async fn remove(&mut self, what: &MessageRef) -> Arranged {
        std::fs::remove_file(self.folder.path().join(what.channel.as_str()).join(format!("{}.txt", what.message))).unwrap();
        Arranged::Done
    }

    async fn shut_out(&mut self) -> Arranged {
        Arranged::Cannot("whoever may write in the folder may write in all of it")
    }

    async fn limit(&mut self, _: u32) -> Arranged {
        Arranged::Cannot("a folder takes as many files as one likes")
    }

    async fn lose_answer(&mut self) -> Arranged {
        Arranged::Cannot("nothing lies between the chat and its folder")
    }

    async fn withdraw_sign_in(&mut self) -> Arranged {
        Arranged::Cannot("nobody signs in to a folder")
    }
}

#[async_trait]
impl inbox::ChatStage for Stage {
    fn origin(&self) -> Origin {
        origin()
    }

    async fn types(&mut self, line: &str) {
        self.typed.push(line.to_owned());
        self.submit(line, self.typed.len()).await;
    }

    async fn delivers_again(&mut self) -> Arranged {
        let line = self.typed.last().unwrap().clone();
        self.submit(&line, self.typed.len()).await;
        Arranged::Done
    }

    async fn presses(&mut self, message: &Message) -> Arranged {
        let said = self.chat.say(&Addressee::Card(origin()), message).await.unwrap();
        let Delivered::Editable(place) = said else { panic!("{said:?}") };
        let (label, delivery) = (&message.buttons[0].label, DeliveryId::parse("press-1").unwrap());
        self.chat.pressed(label, &place, &origin(), &delivery, self.inbox.as_deref().unwrap()).await.unwrap();
        Arranged::Done
    }

    async fn seen(&mut self) -> Vec<Seen> {
        self.read()
    }
}

#[tokio::test]
async fn a_folder_keeps_the_promises_of_a_chat() {
    let left_out = chat::all(async || Stage::new(None)).await;
    assert_eq!(
        left_out.parts(),
        [
            "a standing where it is shut",
            "a place that is shut",
            "below a card",
            "shut out",
            "a short limit",
            "a long limit",
            "a limit on cards",
            "a lost answer",
            "sign-in withdrawn",
            "a form",
            "a page",
            "a form too late"
        ]
    );
}

#[tokio::test]
async fn a_folder_hands_in_what_people_ask_for() {
    let left_out = inbox::of_a_chat(async |inbox| Stage::new(Some(inbox))).await;
    assert_eq!(left_out.parts(), ["a form", "a page", "a choice"]);
}
