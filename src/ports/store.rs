//! The store: `Ok` means that it survives a crash of the process and a power cut.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::deployment::Deployment;
use crate::domain::installation::Tenant;
use crate::domain::line::Line;
use crate::domain::names::{AppId, DeliveryId, DeploymentId, OfferId, PipelineId};
use crate::domain::offer::Offer;
use crate::domain::request::Request;

/// Why the store did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else saved this record since it was read. Nothing of the batch was saved.
    #[error("{0} was changed by somebody else since it was read")]
    Conflict(String),
    /// The lease under which it was to be saved is not ours any more. Nothing of the batch was saved.
    #[error("the work was taken over by somebody else")]
    LeaseLost,
    /// A record is larger than the store takes. Nothing of the batch was saved.
    #[error("{record} is {size} bytes, the store takes {limit}")]
    TooLarge {
        /// Which one.
        record: String,
        /// Its size, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// What was read is not what was written: restore from a backup.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The store has stopped for good after a fault, and takes nothing any more: the process has to end.
    #[error("the store has failed and takes nothing any more: {0}")]
    Failed(String),
}

/// A piece of work that one instance at a time does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// Answering a request.
    Request(DeliveryId),
    /// Driving a deployment.
    Deployment(DeploymentId),
    /// Renewing or ending what a person has linked.
    Account(Person),
    /// Removing what is too old, and people who asked for it.
    Upkeep,
    /// Renewing or ending what the app speaks with in one installation.
    Installation(Tenant),
    /// Ending locks whose time is over, and telling holders of theirs.
    Locks,
}

/// The right to do a piece of work for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The work.
    pub work: Work,
    /// Grows with each lease of the same work: an older one saves nothing any more.
    pub fence: u64,
    /// When it ends.
    pub until: Timestamp,
}

/// Records to save together or not at all. Each carries the version it was read with, and is saved with the next one; 0
/// for a record that must not exist yet.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Deployments.
    pub deployments: Vec<Deployment>,
    /// Lines.
    pub lines: Vec<Line>,
    /// Requests.
    pub requests: Vec<Request>,
    /// Offers.
    pub offers: Vec<Offer>,
    /// Saves only if this lease is still the newest of its work and has not ended at `now`.
    pub under: Option<Lease>,
    /// The time of saving, for judging the lease.
    pub now: Option<Timestamp>,
}

impl Batch {
    /// A batch of one deployment.
    pub fn deployment(deployment: Deployment) -> Self {
        Self { deployments: vec![deployment], ..Self::default() }
    }
}

/// The store.
///
/// Promises: `Ok` means on disk; a batch is saved whole or not at all; versions as told at [`Batch`]; a delivery is
/// taken up once; of all leases of one work only the newest saves. Reads see everything that was answered with `Ok`.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Puts a request on disk, to be taken up. The same delivery may be put there again: it is taken up once.
    async fn accept(&self, request: &Request) -> Result<(), StoreError>;

    /// Puts a request on disk and takes it up at once: for one that came with something that only this process has. `None`: it
    /// was taken up before.
    async fn accept_claimed(&self, request: &Request, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError>;

    /// Takes up accepted requests, oldest first, at most `limit`, each under a lease until `until`. Of several that ask at the
    /// same time each gets others; one delivery is taken up once, however often it was accepted, as long as it is not forgotten.
    async fn take_up(&self, limit: usize, now: Timestamp, until: Timestamp) -> Result<Vec<(Request, Lease)>, StoreError>;

    /// Saves a batch; the lease of a request that is answered ends with it. The caller's copies keep their old versions: add one to go on with them.
    async fn save(&self, batch: Batch) -> Result<(), StoreError>;

    /// A request. Slow where it was not taken up yet; it has version 0 then.
    async fn request(&self, id: &DeliveryId) -> Result<Option<Request>, StoreError>;

    /// All requests that were taken up and not answered, oldest first.
    async fn unanswered(&self) -> Result<Vec<Request>, StoreError>;

    /// A deployment.
    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError>;

    /// All deployments that are open: going on, or their end not told. Oldest first.
    async fn open_deployments(&self) -> Result<Vec<Deployment>, StoreError>;

    /// The newest deployments of an app, newest first, at most `limit`.
    async fn deployments_of_app(&self, app: &AppId, limit: usize) -> Result<Vec<Deployment>, StoreError>;

    /// The newest deployments of a pipeline, newest first, at most `limit`.
    async fn deployments_of_pipeline(&self, pipeline: &PipelineId, limit: usize) -> Result<Vec<Deployment>, StoreError>;

    /// The same from behind one of them, which need not be there any more: older ones.
    async fn older_in_pipeline(&self, pipeline: &PipelineId, behind: DeploymentId, limit: usize) -> Result<Vec<Deployment>, StoreError>;

    /// The line of an app; an empty one with version 0 if there is none.
    async fn line(&self, app: &AppId) -> Result<Line, StoreError>;

    /// An offer.
    async fn offer(&self, id: OfferId) -> Result<Option<Offer>, StoreError>;

    /// Claims work until `until`; `None`: somebody else has it. The last instance's leases end when the store is opened
    /// by the next one, where only one can have it open.
    async fn claim(&self, work: &Work, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError>;

    /// Lengthens a lease; `None`: it is lost.
    async fn renew(&self, lease: &Lease, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError>;

    /// Gives work back before its lease ends. Does nothing if it is lost already.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Removes answered requests and ended offers from before `before`; returns how many.
    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError>;
}
