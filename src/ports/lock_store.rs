//! Where locks are kept: beside everything else, with the same promises as [`super::store`].

use async_trait::async_trait;

use crate::domain::lock::Locks;
use crate::domain::names::{PipelineId, PipelineName};
use crate::domain::rights::Entry;

use super::store::StoreError;

/// The store of locks.
///
/// Promises: `Ok` means on disk; a record is saved over the version that it was read with or not at all, so that of two people who
/// lock the same at the same time one finds the other's; a pipeline is found by its id.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait LockStore: Send + Sync + std::fmt::Debug {
    /// A pipeline's locks; none with version 0, under the name given, if it never had one.
    async fn locks(&self, pipeline: &PipelineId, name: &PipelineName) -> Result<Locks, StoreError>;

    /// The locks of all pipelines that ever had one, in some order that stays.
    async fn all_locks(&self) -> Result<Vec<Locks>, StoreError>;

    /// Saves a pipeline's locks, and puts on record what somebody did to those of others, both or neither. The caller's copy keeps its
    /// old version: add one to go on with it.
    async fn save_locks(&self, locks: &Locks, on_record: Vec<Entry>) -> Result<(), StoreError>;
}

/// A store in which nothing is ever locked: for what is tried without locks.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLocks;

#[async_trait]
impl LockStore for NoLocks {
    async fn locks(&self, pipeline: &PipelineId, name: &PipelineName) -> Result<Locks, StoreError> {
        Ok(Locks::none(pipeline.clone(), name.clone()))
    }

    async fn all_locks(&self) -> Result<Vec<Locks>, StoreError> {
        Ok(Vec::new())
    }

    async fn save_locks(&self, locks: &Locks, _: Vec<Entry>) -> Result<(), StoreError> {
        Err(StoreError::Failed(format!("nothing can be locked here, and so not pipeline {}", locks.pipeline)))
    }
}
