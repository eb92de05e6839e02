//! Locks, notes and linked logins in front of the real ones: the service may die at every write of them, too.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use slash_heroku::domain::account::Account;
use slash_heroku::domain::actor::Person;
use slash_heroku::domain::deployment::Deployment;
use slash_heroku::domain::lock::Locks;
use slash_heroku::domain::names::{DeploymentId, PipelineId, PipelineName, SignInId, UserId};
use slash_heroku::domain::privacy::{NoteKey, NoteKind, Noted};
use slash_heroku::domain::rights::Entry;
use slash_heroku::domain::sign_in::{Digest, SignIn};
use slash_heroku::ports::{AccountBatch, AccountStore, HowMuch, Keeping, LockStore, NoteBatch, StoreError};

use super::deadly::{Event, Life};

/// A port of one life.
#[derive(Debug)]
pub struct Kept<P: ?Sized> {
    pub port: Arc<P>,
    pub life: Arc<Life>,
}

impl<P: ?Sized> Kept<P> {
    async fn writes<T>(&self, method: &'static str, what: String, work: impl Future<Output = T>) -> T {
        self.life.event(Event::Write(method), what, work).await
    }
}

#[async_trait]
impl LockStore for Kept<dyn LockStore> {
    async fn locks(&self, pipeline: &PipelineId, name: &PipelineName) -> Result<Locks, StoreError> {
        self.life.look(self.port.locks(pipeline, name)).await
    }

    async fn all_locks(&self) -> Result<Vec<Locks>, StoreError> {
        self.life.look(self.port.all_locks()).await
    }

    async fn save_locks(&self, locks: &Locks, on_record: Vec<Entry>) -> Result<(), StoreError> {
        self.writes("save locks", format!("at version {}", locks.version), self.port.save_locks(locks, on_record)).await
    }
}

#[async_trait]
impl Keeping for Kept<dyn Keeping> {
    async fn is_new(&self) -> Result<bool, StoreError> {
        self.life.look(self.port.is_new()).await
    }

    async fn note(&self, key: &NoteKey) -> Result<Option<Noted>, StoreError> {
        self.life.look(self.port.note(key)).await
    }

    async fn notes(&self, kind: NoteKind) -> Result<Vec<Noted>, StoreError> {
        self.life.look(self.port.notes(kind)).await
    }

    async fn save_notes(&self, batch: NoteBatch) -> Result<(), StoreError> {
        let what = format!("{} saved, {} removed", batch.save.len(), batch.remove.len());
        self.writes("save notes", what, self.port.save_notes(batch)).await
    }

    async fn closed_after(&self, after: Option<DeploymentId>, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        self.life.look(self.port.closed_after(after, limit)).await
    }

    async fn drop_closed(&self, asked_before: Timestamp) -> Result<u64, StoreError> {
        self.writes("drop closed", String::new(), self.port.drop_closed(asked_before)).await
    }

    async fn how_much(&self, person: &Person) -> Result<HowMuch, StoreError> {
        self.life.look(self.port.how_much(person)).await
    }

    async fn everything(&self, person: &Person) -> Result<String, StoreError> {
        self.life.look(self.port.everything(person)).await
    }

    async fn remove_person(&self, person: &Person, pseudonym: &UserId) -> Result<u64, StoreError> {
        self.writes("remove a person", String::new(), self.port.remove_person(person, pseudonym)).await
    }

    async fn remember_removal(&self, person: &Person, at: Timestamp) -> Result<(), StoreError> {
        self.writes("remember a removal", String::new(), self.port.remember_removal(person, at)).await
    }

    async fn rewrite(&self) -> Result<(), StoreError> {
        self.writes("rewrite", String::new(), self.port.rewrite()).await
    }
}

#[async_trait]
impl AccountStore for Kept<dyn AccountStore> {
    async fn account(&self, person: &Person) -> Result<Account, StoreError> {
        self.life.look(self.port.account(person)).await
    }

    async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.life.look(self.port.accounts()).await
    }

    async fn sign_in(&self, id: SignInId) -> Result<Option<SignIn>, StoreError> {
        self.life.look(self.port.sign_in(id)).await
    }

    async fn sign_in_by_link(&self, link: &Digest) -> Result<Option<SignIn>, StoreError> {
        self.life.look(self.port.sign_in_by_link(link)).await
    }

    async fn sign_in_by_browser(&self, browser: &Digest) -> Result<Option<SignIn>, StoreError> {
        self.life.look(self.port.sign_in_by_browser(browser)).await
    }

    async fn sign_ins_of(&self, person: &Person) -> Result<Vec<SignIn>, StoreError> {
        self.life.look(self.port.sign_ins_of(person)).await
    }

    async fn open_sign_ins(&self) -> Result<Vec<SignIn>, StoreError> {
        self.life.look(self.port.open_sign_ins()).await
    }

    async fn save_accounts(&self, batch: AccountBatch) -> Result<(), StoreError> {
        let what = format!("{} accounts, {} sign-ins", batch.accounts.len(), batch.sign_ins.len());
        self.writes("save accounts", what, self.port.save_accounts(batch)).await
    }

    async fn forget_sign_ins(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.writes("forget sign-ins", String::new(), self.port.forget_sign_ins(before)).await
    }
}
