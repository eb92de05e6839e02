//! What whatever remembers something in memory promises of forgetting it: [`Forgets`].

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::account_store::person;
use crate::domain::actor::Person;
use crate::ports::Forgets;

/// What something is remembered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The credential that it was read with.
    Credential,
    /// The person whom it is about.
    Person,
    /// The workspace that it is about.
    Workspace,
}

/// Somebody for whom something is read.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Who.
    pub person: Person,
    /// With which credential.
    pub token: SecretString,
}

/// Something that remembers, and the outside that it reads.
#[async_trait]
pub trait Stage: Send {
    /// Whatever remembers.
    fn memory(&self) -> Arc<dyn Forgets>;

    /// By what it remembers.
    fn by(&self) -> &'static [By];

    /// Has everything read for somebody that is remembered.
    async fn read(&mut self, reader: &Reader);

    /// How much of that is still known, and would not be read as for the first time. May read it anew.
    async fn known(&mut self, reader: &Reader) -> usize;
}

/// The readers whom a stage has to know: two in a workspace, and one in another.
pub fn readers() -> [Reader; 3] {
    [("T1", "U1"), ("T1", "U2"), ("T2", "U3")].map(|(workspace, user)| reader(workspace, user))
}

/// The whole suite; `make` sets a new stage for each part of it.
pub async fn all<S: Stage>(make: impl AsyncFn() -> S) {
    let whole = known(&mut read(make().await).await).await;
    assert!(whole.iter().all(|known| *known > 0), "the stage remembers nothing: {whole:?}");
    for by in [By::Credential, By::Person, By::Workspace] {
        one_is_forgotten_and_no_other(read(make().await).await, by, &whole).await;
        of_a_stranger_there_is_nothing_to_forget(read(make().await).await, by, &whole).await;
    }
}

fn reader(workspace: &str, user: &str) -> Reader {
    Reader { person: person(workspace, user), token: format!("the-token-of-{user}").into() }
}

async fn read<S: Stage>(mut stage: S) -> S {
    for reader in &readers() {
        stage.read(reader).await;
    }
    stage
}

async fn known(stage: &mut impl Stage) -> Vec<usize> {
    let mut all = Vec::new();
    for reader in &readers() {
        all.push(stage.known(reader).await);
    }
    all
}

fn forget(memory: &dyn Forgets, by: By, whose: &Reader) {
    match by {
        By::Credential => memory.forget_credential(&whose.token),
        By::Person => memory.forget_person(&whose.person),
        By::Workspace => memory.forget_workspace(&whose.person.workspace),
    }
}

async fn one_is_forgotten_and_no_other(mut stage: impl Stage, by: By, whole: &[usize]) {
    forget(&*stage.memory(), by, &readers()[0]);
    let named = match by {
        By::Credential | By::Person => [true, false, false],
        By::Workspace => [true, true, false],
    };
    let remembers = stage.by().contains(&by);
    let left: Vec<usize> = whole.iter().zip(named).map(|(whole, named)| if remembers && named { 0 } else { *whole }).collect();
    assert_eq!(known(&mut stage).await, left, "broken: what is to be forgotten is not known any more, and what others read is ({by:?})");
}

async fn of_a_stranger_there_is_nothing_to_forget(mut stage: impl Stage, by: By, whole: &[usize]) {
    forget(&*stage.memory(), by, &reader("T9", "U9"));
    assert_eq!(known(&mut stage).await, whole, "broken: nothing is forgotten with somebody for whom nothing was read ({by:?})");
}
