//! The platform as Heroku: its API, its older link service, its storage for sources and its output streams.

mod access;
mod allowance;
mod builds;
mod follow;
mod known;
mod output;
mod pipelines;
mod promotions;
mod refusal;
mod releases;
mod shapes;
mod sign_in;
mod streams;
mod upload;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::domain::names::{AppId, AppName, BuildId, CodeId, CommitSha, DeploymentId, PipelineId, ReleaseId, RepoName};
use crate::domain::pipeline::{App, Pipeline};
use crate::domain::release::{Access, Build, Dyno, Release, Running};
use crate::ports::{
    Allowances, BuildOrder, BuildStart, Clock, Follower, Forgets, Platform, PortError, Printed, PromotionOrder, PromotionSeen,
    PromotionStart, ReturnOrder, ReturnStart, SourceArchive, UploadedSource,
};

use super::http::base_url::BaseUrl;
pub use allowance::LIMITS;
use follow::StreamFollower;
use known::Known;
pub use sign_in::{HerokuSignIn, HerokuSignInSettings};
use wire::Wire;

/// Where Heroku's services live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HerokuSettings {
    /// The Platform API, `https://api.heroku.com`.
    pub api: BaseUrl,
    /// The older service that links repositories, `https://kolkrabbi.heroku.com`.
    pub links: BaseUrl,
    /// The pages for people, `https://dashboard.heroku.com`.
    pub dashboard: BaseUrl,
}

/// Heroku, spoken to with whatever token a call brings.
#[derive(Debug)]
pub struct Heroku {
    wire: Wire,
    known: Known,
    dashboard: BaseUrl,
}

impl Heroku {
    /// Prepares the clients; nothing is sent yet. Fails if the machine's TLS cannot be set up.
    pub fn new(settings: HerokuSettings, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let HerokuSettings { api, links, dashboard } = settings;
        Ok(Self { wire: Wire::new(api, links, clock)?, known: Known::default(), dashboard })
    }

    /// Tells what it hears of allowances.
    #[must_use]
    pub fn telling(self, allowances: Arc<dyn Allowances>) -> Self {
        Self { wire: self.wire.telling(allowances), ..self }
    }

    fn page<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> String {
        self.dashboard.at(segments).into()
    }
}

impl Forgets for Heroku {
    fn forget_credential(&self, token: &SecretString) {
        self.wire.forget(token);
        self.known.forget(token);
    }
}

#[async_trait]
impl Platform for Heroku {
    async fn pipelines(&self, token: &SecretString) -> Result<Vec<Pipeline>, PortError> {
        pipelines::all(&self.wire, token).await
    }

    async fn apps(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Vec<App>, PortError> {
        pipelines::apps(&self.wire, token, pipeline).await
    }

    async fn linked_repository(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Option<RepoName>, PortError> {
        pipelines::linked_repository(&self.wire, token, pipeline).await
    }

    async fn access(&self, token: &SecretString, app: &AppId) -> Access {
        access::ask(&self.wire, &self.known, token, app).await
    }

    async fn spend_code(&self, token: &SecretString, app: &AppId, code: SecretString) -> Result<bool, PortError> {
        access::spend(&self.wire, token, app, &code).await
    }

    async fn upload(&self, token: &SecretString, archive: SourceArchive) -> Result<UploadedSource, PortError> {
        upload::upload(&self.wire, token, archive).await
    }

    async fn start_build(&self, token: &SecretString, app: &AppId, order: &BuildOrder) -> Result<BuildStart, PortError> {
        builds::start(&self.wire, token, app, order).await
    }

    async fn find_build(
        &self,
        token: &SecretString,
        app: &AppId,
        deployment: DeploymentId,
        since: Timestamp,
    ) -> Result<Option<Build>, PortError> {
        builds::find(&self.wire, token, app, deployment, since).await
    }

    async fn roll_back(&self, token: &SecretString, app: &AppId, order: &ReturnOrder) -> Result<ReturnStart, PortError> {
        releases::roll_back(&self.wire, token, app, order).await
    }

    async fn find_return(&self, token: &SecretString, app: &AppId, order: &ReturnOrder) -> Result<Option<Release>, PortError> {
        releases::find_return(&self.wire, token, app, order).await
    }

    async fn commit_of(&self, token: &SecretString, app: &AppId, code: &CodeId) -> Result<Option<CommitSha>, PortError> {
        releases::commit_of(&self.wire, &self.known, token, app, code).await
    }

    async fn promote(&self, token: &SecretString, app: &AppId, order: &PromotionOrder) -> Result<PromotionStart, PortError> {
        promotions::start(&self.wire, token, app, order).await
    }

    async fn promotion(&self, token: &SecretString, app: &AppId, promotion: &BuildId) -> Result<PromotionSeen, PortError> {
        promotions::see(&self.wire, token, app, promotion).await
    }

    async fn find_promoted(&self, token: &SecretString, app: &AppId, order: &PromotionOrder) -> Result<Option<Release>, PortError> {
        promotions::find(&self.wire, &self.known, token, app, order).await
    }

    async fn build(&self, token: &SecretString, app: &AppId, build: &BuildId) -> Result<Build, PortError> {
        builds::info(&self.wire, token, app, build).await
    }

    async fn stop_build(&self, token: &SecretString, app: &AppId, build: &BuildId) -> Result<(), PortError> {
        builds::stop(&self.wire, token, app, build).await
    }

    fn follow(&self, _: &AppId, build: &BuildId, release: Option<ReleaseId>) -> Box<dyn Follower> {
        let of = release.as_ref().map_or(build.as_str(), ReleaseId::as_str);
        Box::new(StreamFollower::new(Arc::clone(self.wire.followed()), of, release.is_some()))
    }

    async fn release(&self, token: &SecretString, app: &AppId, release: &ReleaseId) -> Result<Release, PortError> {
        releases::info(&self.wire, token, app, release).await
    }

    async fn releases(&self, token: &SecretString, app: &AppId, limit: usize) -> Result<Vec<Release>, PortError> {
        releases::newest(&self.wire, token, app, limit).await
    }

    async fn running(&self, token: &SecretString, app: &AppId) -> Result<Option<Running>, PortError> {
        releases::running(&self.wire, &self.known, token, app).await
    }

    async fn dynos(&self, token: &SecretString, app: &AppId) -> Result<Vec<Dyno>, PortError> {
        releases::dynos(&self.wire, token, app).await
    }

    async fn output(&self, token: &SecretString, app: &AppId, of: &Printed, lines: usize) -> Result<Option<String>, PortError> {
        output::last(&self.wire, token, app, of, lines).await
    }

    // By id: two pipelines may share a name.
    fn pipeline_page(&self, pipeline: &PipelineId) -> String {
        self.page(["pipelines", pipeline.as_str()])
    }

    fn app_page(&self, app: &AppName) -> String {
        self.page(["apps", app.as_str()])
    }

    fn build_page(&self, app: &AppName, build: &BuildId) -> String {
        self.page(["apps", app.as_str(), "activity", "builds", build.as_str()])
    }

    fn release_page(&self, app: &AppName, release: &ReleaseId) -> String {
        self.page(["apps", app.as_str(), "activity", "releases", release.as_str()])
    }
}
