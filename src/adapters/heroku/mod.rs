//! Heroku as the platform: the Platform API, with the person's own token in each call.

mod access;
mod builds;
mod link;
mod output;
mod pipelines;
mod refusal;
mod releases;
mod shapes;
#[cfg(test)]
mod tests;
mod upload;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::client;
use crate::domain::names::{AppId, AppName, BuildId, DeploymentId, PipelineId, ReleaseId, RepoName};
use crate::domain::pipeline::{App, Pipeline};
use crate::domain::release::{Access, Build, Dyno, Release, Running};
use crate::ports::{BuildOrder, BuildStart, Clock, Platform, PortError, SourceArchive, UploadedSource};

/// How long a call may take in all.
const CALL: Duration = Duration::from_secs(10);

/// How long handing over a source may take in all.
const UPLOAD: Duration = Duration::from_secs(10 * 60);

/// How long an output may be silent before we take it that no more is there now.
const SILENCE: Duration = Duration::from_secs(3);

/// Where Heroku is.
#[derive(Clone, Debug)]
pub struct HerokuSettings {
    /// The Platform API: `https://api.heroku.com`.
    pub api: BaseUrl,
    /// The older service that links pipelines to repositories: `https://kolkrabbi.heroku.com`.
    pub link_service: BaseUrl,
    /// The pages for people: `https://dashboard.heroku.com`.
    pub dashboard: BaseUrl,
}

/// Heroku.
#[derive(Debug)]
pub struct Heroku {
    settings: HerokuSettings,
    clock: Arc<dyn Clock>,
    quick: reqwest::Client,
    transfer: reqwest::Client,
    streams: reqwest::Client,
}

impl Heroku {
    /// A Heroku at the addresses of `settings`. Fails only if the system's certificates cannot be used.
    pub fn new(settings: HerokuSettings, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        Ok(Self {
            settings,
            clock,
            quick: client::client(Some(CALL))?,
            transfer: client::client(Some(UPLOAD))?,
            streams: client::byte_for_byte(SILENCE)?,
        })
    }

    fn page<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> String {
        self.settings.dashboard.at(segments).into()
    }
}

#[async_trait]
impl Platform for Heroku {
    async fn pipelines(&self, token: &SecretString) -> Result<Vec<Pipeline>, PortError> {
        Ok(self.all_pipelines(token).await?)
    }

    async fn apps(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Vec<App>, PortError> {
        Ok(self.apps_of(token, pipeline).await?)
    }

    async fn linked_repository(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Option<RepoName>, PortError> {
        Ok(self.link_of(token, pipeline).await?)
    }

    async fn access(&self, token: &SecretString, app: &AppId) -> Access {
        self.access_to(token, app).await
    }

    async fn spend_code(&self, token: &SecretString, app: &AppId, code: SecretString) -> Result<bool, PortError> {
        self.pre_authorize(token, app, code).await
    }

    async fn upload(&self, token: &SecretString, archive: SourceArchive) -> Result<UploadedSource, PortError> {
        Ok(self.hand_over(token, archive).await?)
    }

    async fn start_build(&self, token: &SecretString, app: &AppId, order: &BuildOrder) -> Result<BuildStart, PortError> {
        self.order_build(token, app, order).await
    }

    async fn find_build(
        &self,
        token: &SecretString,
        app: &AppId,
        deployment: DeploymentId,
        since: Timestamp,
    ) -> Result<Option<Build>, PortError> {
        Ok(self.look_for_build(token, app, deployment, since).await?)
    }

    async fn build(&self, token: &SecretString, app: &AppId, build: &BuildId) -> Result<Build, PortError> {
        Ok(self.one_build(token, app, build).await?)
    }

    async fn stop_build(&self, token: &SecretString, app: &AppId, build: &BuildId) -> Result<(), PortError> {
        self.cancel_build(token, app, build).await
    }

    async fn release(&self, token: &SecretString, app: &AppId, release: &ReleaseId) -> Result<Release, PortError> {
        Ok(self.one_release(token, app, release).await?)
    }

    async fn releases(&self, token: &SecretString, app: &AppId, limit: usize) -> Result<Vec<Release>, PortError> {
        Ok(self.newest_releases(token, app, limit).await?)
    }

    async fn running(&self, token: &SecretString, app: &AppId) -> Result<Option<Running>, PortError> {
        Ok(self.current(token, app).await?)
    }

    async fn dynos(&self, token: &SecretString, app: &AppId) -> Result<Vec<Dyno>, PortError> {
        Ok(self.all_dynos(token, app).await?)
    }

    async fn output(
        &self,
        token: &SecretString,
        app: &AppId,
        build: &BuildId,
        release: Option<ReleaseId>,
        lines: usize,
    ) -> Result<Option<String>, PortError> {
        Ok(self.last_output(token, app, build, release, lines).await?)
    }

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
