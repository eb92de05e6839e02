//! A source control, with one person's own rights.

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::SecretString;

use crate::domain::checks::Checks;
use crate::domain::names::{AnnouncementId, CommitSha, DeploymentId, RefName, RepoName};
use crate::domain::pipeline::Environment;
use crate::domain::source::{AskedRef, CommitRef, Comparison, Difference, OpenPull, Report, Repository, Resolution};

use crate::domain::fault::PortError;

/// The bytes of an archive, spooled: can be read again from the start.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait ArchiveBody: Send + std::fmt::Debug {
    /// The next piece; `None` at the end.
    async fn next(&mut self) -> std::io::Result<Option<Bytes>>;

    /// Back to the start.
    async fn rewind(&mut self) -> std::io::Result<()>;
}

/// A commit's source: a gzipped tar.
#[derive(Debug)]
pub struct SourceArchive {
    /// Its length in bytes.
    pub length: u64,
    /// Its SHA-256, as 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Its bytes.
    pub body: Box<dyn ArchiveBody>,
}

/// Why there is no archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveFault {
    /// It is larger than the limit, in bytes.
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// Our disk has no room for it.
    DiskFull,
    /// The source control, or the way to it, failed.
    Port(PortError),
}

impl From<PortError> for ArchiveFault {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

/// A record of a deployment to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncementOrder {
    /// Our own id: the only thing of ours that travels, beside pipeline and app.
    pub deployment: DeploymentId,
    /// The commit.
    pub commit: CommitSha,
    /// The environment.
    pub environment: Environment,
    /// The app's name; told where an environment has several.
    pub app: String,
    /// One sentence; the adapter keeps it within the source control's limit.
    pub description: String,
}

/// A source control.
///
/// Promises: reads are repeated a bounded number of times by the adapter, writes never; a moved repository is followed;
/// every page of a list is read or the read fails; nothing that was said by it holds a secret.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait SourceControl: Send + Sync + std::fmt::Debug {
    /// The repository as the person sees it.
    async fn repository(&self, token: &SecretString, name: &RepoName) -> Result<Repository, PortError>;

    /// The same for a deploy, which is judged by the source control itself once more when it is announced: name and default branch
    /// are those of now, rights and whether it is read-only may be as the same person saw them last. By default the same call.
    async fn repository_for_deploy(&self, token: &SecretString, name: &RepoName) -> Result<Repository, PortError> {
        self.repository(token, name).await
    }

    /// What a ref stands for now. A branch is tried before a tag, a tag before a hash.
    async fn resolve(&self, token: &SecretString, repository: &Repository, asked: &AskedRef) -> Result<Resolution, PortError>;

    /// The first hundred branches of a repository: for people to choose from.
    async fn branches(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<RefName>, PortError>;

    /// The first hundred tags of a repository: for people to choose from.
    async fn tags(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<RefName>, PortError>;

    /// The hundred open pull requests that changed last: for people to choose from.
    async fn pulls(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<OpenPull>, PortError>;

    /// What the branch, the tag or the pull request by which a commit was named points at now; `None`: it is gone, or the commit
    /// was named by itself.
    async fn points_at(&self, token: &SecretString, repository: &RepoName, named_by: &CommitRef) -> Result<Option<CommitSha>, PortError>;

    /// What is required of the commit and what was reported: the rules of the ref it was named by or, where that has
    /// none, those of the default branch.
    async fn checks(
        &self,
        token: &SecretString,
        repository: &Repository,
        named_by: &CommitRef,
        commit: &CommitSha,
    ) -> Result<Checks, PortError>;

    /// How `head` stands to `base`; `None` if they have nothing in common or one of them is gone.
    async fn compare(
        &self,
        token: &SecretString,
        repository: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Option<Comparison>, PortError>;

    /// What `head` adds to `base`, commit by commit; `None` as for [`SourceControl::compare`].
    async fn difference(
        &self,
        token: &SecretString,
        repository: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Option<Difference>, PortError>;

    /// Makes the record of a deployment. Never repeated by the adapter: [`super::Fault::Unclear`] means that it may exist,
    /// [`super::Fault::Unreachable`] and [`super::Fault::RateLimited`] that it does not.
    async fn announce(&self, token: &SecretString, repository: &RepoName, order: &AnnouncementOrder) -> Result<AnnouncementId, PortError>;

    /// Finds the record that carries our id.
    async fn find_announcement(
        &self,
        token: &SecretString,
        repository: &RepoName,
        order: &AnnouncementOrder,
    ) -> Result<Option<AnnouncementId>, PortError>;

    /// Adds a status to the record. Safe to repeat.
    async fn report(&self, token: &SecretString, repository: &RepoName, to: &AnnouncementId, report: &Report) -> Result<(), PortError>;

    /// Fetches the commit's source into a spool. No link to it outlives the call.
    async fn archive(&self, token: &SecretString, repository: &RepoName, commit: &CommitSha) -> Result<SourceArchive, ArchiveFault>;
}
