//! Locks: their rows, and their port in terms of the desk.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::lock::Locks;
use crate::domain::names::{PipelineId, PipelineName, UserId, WorkspaceId};
use crate::domain::privacy::{Note, Noted};
use crate::domain::rights::Entry;
use crate::ports::{LockStore, StoreError};

use super::SledStore;
use super::desk::{Desk, Stop};
use super::records::{Record, Shelf};

impl Record for Locks {
    const SHELF: Shelf = Shelf::Locks;

    fn key(&self) -> Vec<u8> {
        self.pipeline.as_str().as_bytes().to_vec()
    }

    fn label(&self) -> String {
        format!("the locks of pipeline {}", self.pipeline)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn at_version(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }
}

fn change(desk: &Desk, next: impl Fn(&Locks) -> Option<Locks>) -> Result<(), Stop> {
    let mut changed = Vec::new();
    for record in desk.all::<Locks>()? {
        changed.extend(next(&record?));
    }
    // Each by itself: they are few, and none depends on another.
    changed.iter().try_for_each(|locks| desk.transact(|tx| tx.save(locks)))
}

/// Removes a person: their locks are gone.
pub(super) fn remove_person(desk: &Desk, person: &Person, pseudonym: &UserId) -> Result<(), Stop> {
    change(desk, |locks| locks.without(person, pseudonym))
}

/// Removes everybody of a workspace as they were before a moment: their locks are gone, and so is what they did to others' locks.
pub(super) fn remove_workspace(desk: &Desk, workspace: &WorkspaceId, before: Timestamp) -> Result<(), Stop> {
    change(desk, |locks| locks.without_workspace(workspace, before))
}

#[async_trait]
impl LockStore for SledStore {
    async fn locks(&self, pipeline: &PipelineId, name: &PipelineName) -> Result<Locks, StoreError> {
        let (pipeline, name) = (pipeline.clone(), name.clone());
        self.ask(move |desk| Ok(desk.get(pipeline.as_str().as_bytes())?.unwrap_or_else(|| Locks::none(pipeline, name)))).await
    }

    async fn all_locks(&self) -> Result<Vec<Locks>, StoreError> {
        self.ask(|desk| desk.all()?.collect()).await
    }

    async fn save_locks(&self, locks: &Locks, on_record: Vec<Entry>) -> Result<(), StoreError> {
        let locks = locks.clone();
        let notes: Vec<Noted> = on_record.into_iter().map(|entry| Noted::new(Note::Entry(entry))).collect();
        self.ask(move |desk| {
            desk.transact(|tx| {
                tx.save(&locks)?;
                notes.iter().try_for_each(|noted| tx.save(noted))
            })
        })
        .await
    }
}
