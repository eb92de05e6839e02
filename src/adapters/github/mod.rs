//! GitHub as the source control: REST, with the person's own token in each call.

mod allowance;
mod archive;
mod checks;
mod compare;
mod default_branch;
mod deployments;
mod lineage;
mod provenance;
mod refs;
mod refusal;
mod required;
mod shapes;
mod sign_in;
#[cfg(test)]
mod tests;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

pub use allowance::LIMITS;
pub use default_branch::git_at;
pub use sign_in::{AppKind, GitHubSignIn, GitHubSignInSettings};

use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::client;
use crate::adapters::http::reads::Reads;
use crate::domain::checks::Checks;
use crate::domain::names::{AnnouncementId, CommitSha, RefName, RepoName};
use crate::domain::source::{AskedRef, CommitRef, Comparison, Difference, OpenPull, Report, Repository, Resolution};
use crate::ports::{Allowances, AnnouncementOrder, ArchiveFault, Boundless, Clock, Forgets, PortError, SourceArchive, SourceControl};

use default_branch::Described;
use lineage::Lineage;

/// How long a call may take in all. GitHub itself gives up after ten seconds.
const CALL: Duration = Duration::from_secs(10);

/// What has to be known about a GitHub.
#[derive(Clone, Debug)]
pub struct GitHubSettings {
    /// The REST interface: `https://api.github.com`, or `https://HOST/api/v3`.
    pub api: BaseUrl,
    /// The pages for people: `https://github.com`, or `https://HOST`.
    pub web: BaseUrl,
    /// Where git itself answers, see [`git_at`]. `None`: the repository's description is read for each deploy.
    pub git: Option<BaseUrl>,
    /// The largest archive that is taken, in bytes.
    pub archive_limit: u64,
    /// Where archives are spooled; the system's folder for temporary files, if `None`.
    pub spool_dir: Option<PathBuf>,
}

impl GitHubSettings {
    /// The largest archive where nothing else is set: 1 GiB, as large as a compressed slug may be.
    pub const ARCHIVE_LIMIT: u64 = 1024 * 1024 * 1024;
}

/// GitHub.
#[derive(Debug)]
pub struct GitHub {
    settings: GitHubSettings,
    clock: Arc<dyn Clock>,
    allowances: Arc<dyn Allowances>,
    lineage: Lineage,
    described: Described,
    quick: Reads,
    long: reqwest::Client,
}

impl GitHub {
    /// A GitHub at the addresses of `settings`. Fails only if the system's certificates cannot be used.
    pub fn new(settings: GitHubSettings, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        Ok(Self {
            settings,
            clock,
            allowances: Arc::new(Boundless),
            lineage: Lineage::default(),
            described: Described::default(),
            quick: Reads::new(client::client(Some(CALL))?),
            long: client::client(None)?,
        })
    }

    /// Tells what it hears of allowances.
    #[must_use]
    pub fn telling(self, allowances: Arc<dyn Allowances>) -> Self {
        Self { allowances, ..self }
    }
}

impl Forgets for GitHub {
    fn forget_credential(&self, token: &SecretString) {
        self.quick.forget_all_of(token);
        self.lineage.forget(token);
        self.described.forget(token);
    }
}

#[async_trait]
impl SourceControl for GitHub {
    async fn repository(&self, token: &SecretString, name: &RepoName) -> Result<Repository, PortError> {
        self.find_repository(token, name).await
    }

    async fn repository_for_deploy(&self, token: &SecretString, name: &RepoName) -> Result<Repository, PortError> {
        self.find_repository_for_deploy(token, name).await
    }

    async fn resolve(&self, token: &SecretString, repository: &Repository, asked: &AskedRef) -> Result<Resolution, PortError> {
        self.find_commit(token, repository, asked).await
    }

    async fn branches(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<RefName>, PortError> {
        self.first_branches(token, repository).await
    }

    async fn tags(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<RefName>, PortError> {
        self.first_tags(token, repository).await
    }

    async fn pulls(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<OpenPull>, PortError> {
        self.open_pulls(token, repository).await
    }

    async fn points_at(&self, token: &SecretString, repository: &RepoName, named_by: &CommitRef) -> Result<Option<CommitSha>, PortError> {
        self.pointed_at(token, repository, named_by).await
    }

    async fn checks(
        &self,
        token: &SecretString,
        repository: &Repository,
        named_by: &CommitRef,
        commit: &CommitSha,
    ) -> Result<Checks, PortError> {
        let required = self.required(token, repository, named_by).await?;
        let reported = self.reported(token, &repository.name, commit).await?;
        Ok(Checks { required, reported })
    }

    async fn compare(
        &self,
        token: &SecretString,
        repository: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Option<Comparison>, PortError> {
        self.comparison(token, repository, base, head).await
    }

    async fn difference(
        &self,
        token: &SecretString,
        repository: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Option<Difference>, PortError> {
        self.difference_between(token, repository, base, head).await
    }

    async fn announce(&self, token: &SecretString, repository: &RepoName, order: &AnnouncementOrder) -> Result<AnnouncementId, PortError> {
        self.create_deployment(token, repository, order).await
    }

    async fn find_announcement(
        &self,
        token: &SecretString,
        repository: &RepoName,
        order: &AnnouncementOrder,
    ) -> Result<Option<AnnouncementId>, PortError> {
        self.find_deployment(token, repository, order).await
    }

    async fn report(&self, token: &SecretString, repository: &RepoName, to: &AnnouncementId, report: &Report) -> Result<(), PortError> {
        self.add_status(token, repository, to, report).await
    }

    async fn archive(&self, token: &SecretString, repository: &RepoName, commit: &CommitSha) -> Result<SourceArchive, ArchiveFault> {
        self.fetch_archive(token, repository, commit).await
    }
}
