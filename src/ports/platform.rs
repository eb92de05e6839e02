//! A platform that builds and runs apps, with one person's own rights.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::domain::names::{AppId, AppName, BuildId, CodeId, CommitSha, DeploymentId, PipelineId, ReleaseId, RepoName};
use crate::domain::pipeline::{App, Pipeline};
use crate::domain::release::{Access, Build, Dyno, Release, Running};

use super::source::SourceArchive;
use crate::domain::fault::PortError;

/// Where an uploaded source lies at the platform. A bearer secret: lives in memory only.
#[derive(Clone, Debug)]
pub struct UploadedSource {
    /// The address.
    pub address: SecretString,
    /// The archive's SHA-256, as 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// When it was uploaded. The address lives for about an hour.
    pub at: Timestamp,
}

/// Something of an app that prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Printed {
    /// A build.
    Build(BuildId),
    /// The release phase of a release, whatever made it.
    Release(ReleaseId),
}

/// A build to order.
#[derive(Clone, Debug)]
pub struct BuildOrder {
    /// The source.
    pub source: UploadedSource,
    /// The commit it is of.
    pub commit: CommitSha,
    /// The repository it is from.
    pub repository: RepoName,
    /// Our own id; travels with the build, and only that match counts when a build is looked for.
    pub deployment: DeploymentId,
}

/// What the platform answers to an order for a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildStart {
    /// It builds.
    Started(Build),
    /// It wants a one-time code first.
    NeedsCode,
    /// The account's concurrent builds are used up.
    NoSlot,
}

/// A way back to order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnOrder {
    /// The release to go back to.
    pub to: ReleaseId,
    /// What it runs.
    pub code: CodeId,
    /// The number of the newest release when that was asked for.
    pub newest: u64,
    /// When that was asked for, and somewhat earlier where clocks differ.
    pub since: Timestamp,
}

/// What the platform answers to an order to go back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReturnStart {
    /// There is a new release, with what the earlier one ran and its config.
    Started(Release),
    /// It wants a one-time code first.
    NeedsCode,
}

/// A release of another app to take over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionOrder {
    /// The pipeline of both.
    pub pipeline: PipelineId,
    /// The other app.
    pub from: AppId,
    /// Its release.
    pub release: ReleaseId,
    /// The commit that it was built from.
    pub commit: CommitSha,
    /// The number of the newest release of the target when that was asked for.
    pub newest: u64,
    /// When that was asked for, and somewhat earlier where clocks differ.
    pub since: Timestamp,
}

/// What the platform answers to an order to promote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromotionStart {
    /// It was taken, under this id.
    Started(BuildId),
    /// It wants a one-time code first.
    NeedsCode,
}

/// How a promotion stands in one of its targets. That it is over says nothing of how it ended: the release does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromotionSeen {
    /// There is no release yet.
    Pending,
    /// This is its release.
    Released(ReleaseId),
    /// There will be none; what was said of it.
    Refused(Option<String>),
}

/// What somebody who follows has heard. Neither is ever a result: only a look tells how something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// From now on it is listened to: there will be a reason to look when something has happened.
    Begun,
    /// There is a reason to look: what was listened to is over, or broke off, or has become silent, or is not there any more.
    /// From now on it is not listened to, until it begins again.
    Reason,
}

/// Somebody who listens to what goes on outside, so that nobody has to look for it.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Follower: Send + std::fmt::Debug {
    /// Waits until something is heard: for ever, where there is nothing to listen to. Dropping the future loses nothing;
    /// dropping the follower ends the listening at once.
    ///
    /// To be polled before the wait of the clock that it stands beside, so that a stepped clock knows of both.
    async fn heard(&mut self) -> Heard;
}

/// A platform.
///
/// Promises: reads are repeated a bounded number of times by the adapter, writes never; every page of a list is read or
/// the read fails; no call reads config vars, other people's tokens or slugs' download links; nothing that was said by it
/// holds a secret.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Platform: Send + Sync + std::fmt::Debug {
    /// All pipelines that the person can see, by name, then by id.
    async fn pipelines(&self, token: &SecretString) -> Result<Vec<Pipeline>, PortError>;

    /// The apps of a pipeline that the person can see, by environment, then by name. Apps of tests are left out.
    async fn apps(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Vec<App>, PortError>;

    /// The repository that the platform links to the pipeline: its newer service if the account has it, else the older
    /// one; `None`: not linked.
    async fn linked_repository(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Option<RepoName>, PortError>;

    /// What the person may do with the app. Never fails: what cannot be told in advance is `None`.
    async fn access(&self, token: &SecretString, app: &AppId) -> Access;

    /// Gives a one-time code to the platform for one app. Never repeated. `Ok(false)`: the code is wrong.
    async fn spend_code(&self, token: &SecretString, app: &AppId, code: SecretString) -> Result<bool, PortError>;

    /// Hands a source to the platform. Safe to repeat.
    async fn upload(&self, token: &SecretString, archive: SourceArchive) -> Result<UploadedSource, PortError>;

    /// Orders a build. Never repeated by the adapter: [`super::Fault::Unclear`] means that it may exist,
    /// [`super::Fault::Unreachable`] and [`super::Fault::RateLimited`] that it does not.
    async fn start_build(&self, token: &SecretString, app: &AppId, order: &BuildOrder) -> Result<BuildStart, PortError>;

    /// Finds the build that carries our id among those made since `since`.
    async fn find_build(
        &self,
        token: &SecretString,
        app: &AppId,
        deployment: DeploymentId,
        since: Timestamp,
    ) -> Result<Option<Build>, PortError>;

    /// Goes back to an earlier release, by a new one. Never repeated by the adapter, as [`Platform::start_build`].
    async fn roll_back(&self, token: &SecretString, app: &AppId, order: &ReturnOrder) -> Result<ReturnStart, PortError>;

    /// Finds the release by which this person went back: nothing of ours travels with it, so it is the only one of that code that they
    /// made since, with a later number. Where several fit, the answer is [`super::Fault::Nonsense`]: nobody can tell.
    async fn find_return(&self, token: &SecretString, app: &AppId, order: &ReturnOrder) -> Result<Option<Release>, PortError>;

    /// Takes over a release of another app of the pipeline. Never repeated by the adapter, as [`Platform::start_build`].
    async fn promote(&self, token: &SecretString, app: &AppId, order: &PromotionOrder) -> Result<PromotionStart, PortError>;

    /// How a promotion stands in an app.
    async fn promotion(&self, token: &SecretString, app: &AppId, promotion: &BuildId) -> Result<PromotionSeen, PortError>;

    /// Finds the release that a promotion made, as [`Platform::find_return`] does, by the commit.
    async fn find_promoted(&self, token: &SecretString, app: &AppId, order: &PromotionOrder) -> Result<Option<Release>, PortError>;

    /// The commit that code was built from; `None`: that is not told, or the code is gone.
    async fn commit_of(&self, token: &SecretString, app: &AppId, code: &CodeId) -> Result<Option<CommitSha>, PortError>;

    /// A build.
    async fn build(&self, token: &SecretString, app: &AppId, build: &BuildId) -> Result<Build, PortError>;

    /// Asks to stop a build. `Ok` also if it was over already; only a look tells how it ended. Safe to repeat.
    async fn stop_build(&self, token: &SecretString, app: &AppId, build: &BuildId) -> Result<(), PortError>;

    /// Follows a running build, or its release phase if a release is given, by what it prints.
    ///
    /// Costs nothing of what the platform allows, and asks for nothing beyond what other answers have told: it takes no token,
    /// and before a look or an order has told where to listen there is nothing to hear. Nothing of what is printed is kept.
    /// How many are listened to at a time is bounded, release phases before builds; whoever finds no room hears nothing.
    fn follow(&self, app: &AppId, build: &BuildId, release: Option<ReleaseId>) -> Box<dyn Follower>;

    /// A release.
    async fn release(&self, token: &SecretString, app: &AppId, release: &ReleaseId) -> Result<Release, PortError>;

    /// The newest releases, newest first, at most `limit`.
    async fn releases(&self, token: &SecretString, app: &AppId, limit: usize) -> Result<Vec<Release>, PortError>;

    /// What runs now; `None` before the first release.
    async fn running(&self, token: &SecretString, app: &AppId) -> Result<Option<Running>, PortError>;

    /// All dynos of the app.
    async fn dynos(&self, token: &SecretString, app: &AppId) -> Result<Vec<Dyno>, PortError>;

    /// The last lines of what was printed: cleaned of control characters and secrets, at most `lines`. `None`: there is none, or not yet.
    async fn output(&self, token: &SecretString, app: &AppId, of: &Printed, lines: usize) -> Result<Option<String>, PortError>;

    /// The page of a pipeline, for people.
    fn pipeline_page(&self, pipeline: &PipelineId) -> String;

    /// The page of an app, for people.
    fn app_page(&self, app: &AppName) -> String;

    /// The page of a build, for people.
    fn build_page(&self, app: &AppName, build: &BuildId) -> String;

    /// The page of a release, for people.
    fn release_page(&self, app: &AppName, release: &ReleaseId) -> String;
}
