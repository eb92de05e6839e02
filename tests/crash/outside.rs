//! The outside in front of the real one: the service may die after every call that changes something there.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use slash_heroku::domain::account::Provider;
use slash_heroku::domain::actor::{Origin, Person};
use slash_heroku::domain::checks::Checks;
use slash_heroku::domain::checkup::ChatStanding;
use slash_heroku::domain::deployment::MessageRef;
use slash_heroku::domain::form::Form;
use slash_heroku::domain::message::Message;
use slash_heroku::domain::names::{
    AnnouncementId, AppId, AppName, BuildId, CodeId, CommitSha, DeliveryId, DeploymentId, GrantId, PipelineId, RefName, ReleaseId, RepoName,
};
use slash_heroku::domain::page::Page;
use slash_heroku::domain::pipeline::{App, Pipeline};
use slash_heroku::domain::release::{Access, Build, Dyno, Release, Running};
use slash_heroku::domain::source::{AskedRef, CommitRef, Comparison, Difference, OpenPull, Report, Repository, Resolution};
use slash_heroku::ports::{
    Addressee, AnnouncementOrder, ArchiveFault, Asked, BuildOrder, BuildStart, Chat, Delivered, Extent, Follower, Granted, Identity,
    Platform, PortError, Printed, PromotionOrder, PromotionSeen, PromotionStart, Proof, ReturnOrder, ReturnStart, Revoked, ScopeAsked,
    SignInAt, SourceArchive, SourceControl, Tokens, UploadedSource, Urgency,
};

use super::deadly::{Event, Life};

/// A port of one life.
#[derive(Debug)]
pub struct Outside<P: ?Sized> {
    pub port: Arc<P>,
    pub life: Arc<Life>,
}

impl<P: ?Sized> Outside<P> {
    async fn does<T>(&self, call: &'static str, work: impl Future<Output = T>) -> T {
        self.life.event(Event::Call(call), String::new(), work).await
    }
}

#[async_trait]
impl Chat for Outside<dyn Chat> {
    async fn say(&self, to: &Addressee, message: &Message) -> Result<Delivered, PortError> {
        self.does("say", self.port.say(to, message)).await
    }

    async fn amend(&self, what: &MessageRef, message: &Message, urgency: Urgency) -> Result<(), PortError> {
        self.does("amend", self.port.amend(what, message, urgency)).await
    }

    fn has_forms(&self) -> bool {
        self.port.has_forms()
    }

    async fn ask(&self, to: &Origin, by: &DeliveryId, form: &Form) -> Result<Asked, PortError> {
        self.does("ask", self.port.ask(to, by, form)).await
    }

    async fn show_page(&self, person: &Person, page: &Page) -> Result<(), PortError> {
        self.life.look(self.port.show_page(person, page)).await
    }

    async fn standing(&self, at: &Origin, note: &Message) -> Result<ChatStanding, PortError> {
        self.life.look(self.port.standing(at, note)).await
    }
}

#[async_trait]
impl SourceControl for Outside<dyn SourceControl> {
    async fn repository(&self, token: &SecretString, name: &RepoName) -> Result<Repository, PortError> {
        self.life.look(self.port.repository(token, name)).await
    }

    async fn repository_for_deploy(&self, token: &SecretString, name: &RepoName) -> Result<Repository, PortError> {
        self.life.look(self.port.repository_for_deploy(token, name)).await
    }

    async fn resolve(&self, token: &SecretString, repository: &Repository, asked: &AskedRef) -> Result<Resolution, PortError> {
        self.life.look(self.port.resolve(token, repository, asked)).await
    }

    async fn branches(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<RefName>, PortError> {
        self.life.look(self.port.branches(token, repository)).await
    }

    async fn tags(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<RefName>, PortError> {
        self.life.look(self.port.tags(token, repository)).await
    }

    async fn pulls(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<OpenPull>, PortError> {
        self.life.look(self.port.pulls(token, repository)).await
    }

    async fn points_at(&self, token: &SecretString, repository: &RepoName, named_by: &CommitRef) -> Result<Option<CommitSha>, PortError> {
        self.life.look(self.port.points_at(token, repository, named_by)).await
    }

    async fn checks(
        &self,
        token: &SecretString,
        repository: &Repository,
        named_by: &CommitRef,
        commit: &CommitSha,
    ) -> Result<Checks, PortError> {
        self.life.look(self.port.checks(token, repository, named_by, commit)).await
    }

    async fn compare(
        &self,
        token: &SecretString,
        repository: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Option<Comparison>, PortError> {
        self.life.look(self.port.compare(token, repository, base, head)).await
    }

    async fn difference(
        &self,
        token: &SecretString,
        repository: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Option<Difference>, PortError> {
        self.life.look(self.port.difference(token, repository, base, head)).await
    }

    async fn announce(&self, token: &SecretString, repository: &RepoName, order: &AnnouncementOrder) -> Result<AnnouncementId, PortError> {
        self.does("announce", self.port.announce(token, repository, order)).await
    }

    async fn find_announcement(
        &self,
        token: &SecretString,
        repository: &RepoName,
        order: &AnnouncementOrder,
    ) -> Result<Option<AnnouncementId>, PortError> {
        self.life.look(self.port.find_announcement(token, repository, order)).await
    }

    async fn report(&self, token: &SecretString, repository: &RepoName, to: &AnnouncementId, report: &Report) -> Result<(), PortError> {
        self.does("report", self.port.report(token, repository, to, report)).await
    }

    async fn archive(&self, token: &SecretString, repository: &RepoName, commit: &CommitSha) -> Result<SourceArchive, ArchiveFault> {
        self.life.look(self.port.archive(token, repository, commit)).await
    }
}

#[async_trait]
impl Platform for Outside<dyn Platform> {
    async fn pipelines(&self, token: &SecretString) -> Result<Vec<Pipeline>, PortError> {
        self.life.look(self.port.pipelines(token)).await
    }

    async fn apps(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Vec<App>, PortError> {
        self.life.look(self.port.apps(token, pipeline)).await
    }

    async fn linked_repository(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Option<RepoName>, PortError> {
        self.life.look(self.port.linked_repository(token, pipeline)).await
    }

    async fn spend_code(&self, token: &SecretString, app: &AppId, code: SecretString) -> Result<bool, PortError> {
        self.does("spend_code", self.port.spend_code(token, app, code)).await
    }

    async fn upload(&self, token: &SecretString, archive: SourceArchive) -> Result<UploadedSource, PortError> {
        self.does("upload", self.port.upload(token, archive)).await
    }

    async fn start_build(&self, token: &SecretString, app: &AppId, order: &BuildOrder) -> Result<BuildStart, PortError> {
        self.does("start_build", self.port.start_build(token, app, order)).await
    }

    async fn find_build(
        &self,
        token: &SecretString,
        app: &AppId,
        deployment: DeploymentId,
        since: Timestamp,
    ) -> Result<Option<Build>, PortError> {
        self.life.look(self.port.find_build(token, app, deployment, since)).await
    }

    async fn roll_back(&self, token: &SecretString, app: &AppId, order: &ReturnOrder) -> Result<ReturnStart, PortError> {
        self.does("roll_back", self.port.roll_back(token, app, order)).await
    }

    async fn find_return(&self, token: &SecretString, app: &AppId, order: &ReturnOrder) -> Result<Option<Release>, PortError> {
        self.life.look(self.port.find_return(token, app, order)).await
    }

    async fn commit_of(&self, token: &SecretString, app: &AppId, code: &CodeId) -> Result<Option<CommitSha>, PortError> {
        self.life.look(self.port.commit_of(token, app, code)).await
    }

    async fn promote(&self, token: &SecretString, app: &AppId, order: &PromotionOrder) -> Result<PromotionStart, PortError> {
        self.does("promote", self.port.promote(token, app, order)).await
    }

    async fn promotion(&self, token: &SecretString, app: &AppId, promotion: &BuildId) -> Result<PromotionSeen, PortError> {
        self.life.look(self.port.promotion(token, app, promotion)).await
    }

    async fn find_promoted(&self, token: &SecretString, app: &AppId, order: &PromotionOrder) -> Result<Option<Release>, PortError> {
        self.life.look(self.port.find_promoted(token, app, order)).await
    }

    async fn build(&self, token: &SecretString, app: &AppId, build: &BuildId) -> Result<Build, PortError> {
        self.life.look(self.port.build(token, app, build)).await
    }

    async fn stop_build(&self, token: &SecretString, app: &AppId, build: &BuildId) -> Result<(), PortError> {
        self.does("stop_build", self.port.stop_build(token, app, build)).await
    }

    async fn release(&self, token: &SecretString, app: &AppId, release: &ReleaseId) -> Result<Release, PortError> {
        self.life.look(self.port.release(token, app, release)).await
    }

    async fn releases(&self, token: &SecretString, app: &AppId, limit: usize) -> Result<Vec<Release>, PortError> {
        self.life.look(self.port.releases(token, app, limit)).await
    }

    async fn running(&self, token: &SecretString, app: &AppId) -> Result<Option<Running>, PortError> {
        self.life.look(self.port.running(token, app)).await
    }

    async fn dynos(&self, token: &SecretString, app: &AppId) -> Result<Vec<Dyno>, PortError> {
        self.life.look(self.port.dynos(token, app)).await
    }

    async fn output(&self, token: &SecretString, app: &AppId, of: &Printed, lines: usize) -> Result<Option<String>, PortError> {
        self.life.look(self.port.output(token, app, of, lines)).await
    }

    fn follow(&self, app: &AppId, build: &BuildId, release: Option<ReleaseId>) -> Box<dyn Follower> {
        self.port.follow(app, build, release)
    }

    async fn access(&self, token: &SecretString, app: &AppId) -> Access {
        self.life.look(self.port.access(token, app)).await
    }

    fn pipeline_page(&self, pipeline: &PipelineId) -> String {
        self.port.pipeline_page(pipeline)
    }

    fn app_page(&self, app: &AppName) -> String {
        self.port.app_page(app)
    }

    fn build_page(&self, app: &AppName, build: &BuildId) -> String {
        self.port.build_page(app, build)
    }

    fn release_page(&self, app: &AppName, release: &ReleaseId) -> String {
        self.port.release_page(app, release)
    }
}

#[async_trait]
impl SignInAt for Outside<dyn SignInAt> {
    fn provider(&self) -> Provider {
        self.port.provider()
    }

    fn asks_for(&self) -> Vec<ScopeAsked> {
        self.port.asks_for()
    }

    fn agree_at(&self, state: &SecretString, proof: &Proof) -> SecretString {
        self.port.agree_at(state, proof)
    }

    async fn exchange(&self, code: SecretString, proof: &Proof) -> Result<Granted, PortError> {
        self.does("exchange", self.port.exchange(code, proof)).await
    }

    async fn who(&self, access: &SecretString) -> Result<Identity, PortError> {
        self.life.look(self.port.who(access)).await
    }

    async fn renew(&self, tokens: &Tokens) -> Result<Granted, PortError> {
        self.does("renew", self.port.renew(tokens)).await
    }

    async fn revoke(&self, tokens: &Tokens, grant: Option<GrantId>, extent: Extent) -> Result<Revoked, PortError> {
        self.does("revoke", self.port.revoke(tokens, grant, extent)).await
    }

    fn ended_by_hand_at(&self) -> String {
        self.port.ended_by_hand_at()
    }
}
