//! Adapters that break a promise: the suites notice.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt;
use slash_heroku::domain::actor::{Origin, Person};
use slash_heroku::domain::checkup::ChatStanding;
use slash_heroku::domain::deployment::MessageRef;
use slash_heroku::domain::form::Form;
use slash_heroku::domain::message::{Audience, Message};
use slash_heroku::domain::names::DeliveryId;
use slash_heroku::domain::page::Page;
use slash_heroku::ports::{Addressee, Asked, Chat, Clock, Delivered, PortError, Urgency};
use slash_heroku::testing::Arranged;
use slash_heroku::testing::chat::{Seen, Stage, all};

use super::slack_stage::{SlackStage, origin};

/// How an adapter goes wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    SaysItTwice,
    TellsAll,
    KeepsOldWords,
    AsksAgain,
    WaitsWithCards,
    ShowsNoForms,
    ShowsNoPages,
    TellsOneBelow,
}

/// Slack's adapter, and a fault of its author's.
#[derive(Debug)]
struct Faulty(Arc<dyn Chat>, Arc<dyn Clock>, Wrong);

#[async_trait]
impl Chat for Faulty {
    async fn say(&self, to: &Addressee, message: &Message) -> Result<Delivered, PortError> {
        let told = match self.2 {
            Wrong::TellsAll => Message { audience: Audience::Channel, ..message.clone() },
            _ => message.clone(),
        };
        let to = match (self.2, to) {
            (Wrong::TellsOneBelow, Addressee::Below { .. }) => &Addressee::Direct(origin().person),
            _ => to,
        };
        let said = self.0.say(to, &told).await;
        match (self.2, &said) {
            (Wrong::SaysItTwice, _) | (Wrong::AsksAgain, Err(_)) => self.0.say(to, &told).await,
            (Wrong::WaitsWithCards, Err(_)) => {
                self.1.pause_until(self.1.now() + jiff::SignedDuration::from_secs(3)).await;
                said
            }
            _ => said,
        }
    }

    async fn amend(&self, what: &MessageRef, message: &Message, urgency: Urgency) -> Result<(), PortError> {
        match self.2 {
            Wrong::KeepsOldWords => self.0.say(&Addressee::Card(origin()), message).await.map(drop),
            _ => self.0.amend(what, message, urgency).await,
        }
    }

    fn has_forms(&self) -> bool {
        self.0.has_forms()
    }

    async fn ask(&self, to: &Origin, by: &DeliveryId, form: &Form) -> Result<Asked, PortError> {
        match self.2 {
            Wrong::ShowsNoForms => Ok(Asked::Shown),
            _ => self.0.ask(to, by, form).await,
        }
    }

    async fn show_page(&self, person: &Person, page: &Page) -> Result<(), PortError> {
        match self.2 {
            Wrong::ShowsNoPages => Ok(()),
            _ => self.0.show_page(person, page).await,
        }
    }

    async fn standing(&self, at: &Origin, note: &Message) -> Result<ChatStanding, PortError> {
        self.0.standing(at, note).await
    }
}

struct Wrapped(super::chats::Slack, Wrong);

#[async_trait]
impl Stage for Wrapped {
    fn chat(&self) -> Arc<dyn Chat> {
        Arc::new(Faulty(self.0.chat(), self.0.clock(), self.1))
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.0.clock()
    }

    fn origin(&self) -> Origin {
        self.0.origin()
    }

    fn secrets(&self) -> Vec<String> {
        self.0.secrets()
    }

    async fn seen(&mut self) -> Vec<Seen> {
        self.0.seen().await
    }

    async fn remove(&mut self, what: &MessageRef) -> Arranged {
        self.0.remove(what).await
    }

    async fn shut_out(&mut self) -> Arranged {
        self.0.shut_out().await
    }

    async fn limit(&mut self, seconds: u32) -> Arranged {
        self.0.limit(seconds).await
    }

    async fn lose_answer(&mut self) -> Arranged {
        self.0.lose_answer().await
    }

    async fn withdraw_sign_in(&mut self) -> Arranged {
        self.0.withdraw_sign_in().await
    }

    async fn does_something(&mut self) -> Result<DeliveryId, &'static str> {
        self.0.does_something().await
    }

    async fn pages(&mut self) -> Vec<Seen> {
        self.0.pages().await
    }

    async fn forms(&mut self) -> Vec<Seen> {
        self.0.forms().await
    }
}

#[tokio::test]
async fn a_broken_promise_is_named() {
    for (wrong, promise) in [
        (Wrong::SaysItTwice, "what is said stands there once"),
        (Wrong::TellsAll, "an answer for the asker is seen by nobody else"),
        (Wrong::KeepsOldWords, "a change takes the place of what was said"),
        (Wrong::AsksAgain, "a limit beyond the bound is not waited out"),
        (Wrong::WaitsWithCards, "nothing is waited for"),
        (Wrong::ShowsNoForms, "a form comes up once"),
        (Wrong::ShowsNoPages, "a page is there once"),
        (Wrong::TellsOneBelow, "what is said below a card is seen by all who follow it"),
    ] {
        let suite = all(async || Wrapped(super::chats::Slack(SlackStage::asked().await.0, origin()), wrong));
        let outcome = AssertUnwindSafe(suite).catch_unwind().await;
        let panic = outcome.expect_err(&format!("nobody noticed that it {wrong:?}"));
        let said = panic.downcast_ref::<String>().unwrap();
        assert!(said.contains("broken: ") && said.contains(promise), "{wrong:?} was taken for `{said}`");
    }
}
