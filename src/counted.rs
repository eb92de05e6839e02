//! Ports that count their calls.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::domain::actor::{Origin, Person};
use crate::domain::checks::Checks;
use crate::domain::checkup::ChatStanding;
use crate::domain::deployment::MessageRef;
use crate::domain::form::Form;
use crate::domain::message::Message;
use crate::domain::names::{
    AnnouncementId, AppId, AppName, BuildId, CodeId, CommitSha, DeliveryId, DeploymentId, PipelineId, RefName, ReleaseId, RepoName,
};
use crate::domain::page::Page;
use crate::domain::pipeline::{App, Pipeline};
use crate::domain::release::{Access, Build, Dyno, Release, Running};
use crate::domain::source::{AskedRef, CommitRef, Comparison, Difference, OpenPull, Report, Repository, Resolution};
use crate::metrics::Metrics;
use crate::ports::{
    Addressee, AnnouncementOrder, ArchiveFault, Asked, BuildOrder, BuildStart, Chat, Delivered, Follower, Platform, PortError, Printed,
    PromotionOrder, PromotionSeen, PromotionStart, ReturnOrder, ReturnStart, Service, SourceArchive, SourceControl, UploadedSource,
    Urgency,
};

/// A port whose calls are counted by how they end.
#[derive(Debug)]
pub struct Counted<P: ?Sized> {
    port: Arc<P>,
    service: Service,
    metrics: Metrics,
}

impl<P: ?Sized> Counted<P> {
    /// Counts the calls of `port` as calls to `service`.
    pub fn new(port: Arc<P>, service: Service, metrics: &Metrics) -> Arc<Self> {
        Arc::new(Self { port, service, metrics: metrics.clone() })
    }

    fn seen<T>(&self, outcome: Result<T, PortError>) -> Result<T, PortError> {
        self.metrics.called(self.service, &outcome);
        outcome
    }
}

#[async_trait]
impl Chat for Counted<dyn Chat> {
    async fn say(&self, to: &Addressee, message: &Message) -> Result<Delivered, PortError> {
        self.seen(self.port.say(to, message).await)
    }

    async fn amend(&self, what: &MessageRef, message: &Message, urgency: Urgency) -> Result<(), PortError> {
        self.seen(self.port.amend(what, message, urgency).await)
    }

    fn has_forms(&self) -> bool {
        self.port.has_forms()
    }

    async fn ask(&self, to: &Origin, by: &DeliveryId, form: &Form) -> Result<Asked, PortError> {
        self.seen(self.port.ask(to, by, form).await)
    }

    async fn show_page(&self, person: &Person, page: &Page) -> Result<(), PortError> {
        self.seen(self.port.show_page(person, page).await)
    }

    async fn standing(&self, at: &Origin, note: &Message) -> Result<ChatStanding, PortError> {
        self.seen(self.port.standing(at, note).await)
    }
}

#[async_trait]
impl SourceControl for Counted<dyn SourceControl> {
    async fn repository(&self, token: &SecretString, name: &RepoName) -> Result<Repository, PortError> {
        self.seen(self.port.repository(token, name).await)
    }

    async fn repository_for_deploy(&self, token: &SecretString, name: &RepoName) -> Result<Repository, PortError> {
        self.seen(self.port.repository_for_deploy(token, name).await)
    }

    async fn resolve(&self, token: &SecretString, repository: &Repository, asked: &AskedRef) -> Result<Resolution, PortError> {
        self.seen(self.port.resolve(token, repository, asked).await)
    }

    async fn branches(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<RefName>, PortError> {
        self.seen(self.port.branches(token, repository).await)
    }

    async fn tags(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<RefName>, PortError> {
        self.seen(self.port.tags(token, repository).await)
    }

    async fn pulls(&self, token: &SecretString, repository: &RepoName) -> Result<Vec<OpenPull>, PortError> {
        self.seen(self.port.pulls(token, repository).await)
    }

    async fn points_at(&self, token: &SecretString, repository: &RepoName, named_by: &CommitRef) -> Result<Option<CommitSha>, PortError> {
        self.seen(self.port.points_at(token, repository, named_by).await)
    }

    async fn checks(
        &self,
        token: &SecretString,
        repository: &Repository,
        named_by: &CommitRef,
        commit: &CommitSha,
    ) -> Result<Checks, PortError> {
        self.seen(self.port.checks(token, repository, named_by, commit).await)
    }

    async fn compare(
        &self,
        token: &SecretString,
        repository: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Option<Comparison>, PortError> {
        self.seen(self.port.compare(token, repository, base, head).await)
    }

    async fn difference(
        &self,
        token: &SecretString,
        repository: &RepoName,
        base: &CommitSha,
        head: &CommitSha,
    ) -> Result<Option<Difference>, PortError> {
        self.seen(self.port.difference(token, repository, base, head).await)
    }

    async fn announce(&self, token: &SecretString, repository: &RepoName, order: &AnnouncementOrder) -> Result<AnnouncementId, PortError> {
        self.seen(self.port.announce(token, repository, order).await)
    }

    async fn find_announcement(
        &self,
        token: &SecretString,
        repository: &RepoName,
        order: &AnnouncementOrder,
    ) -> Result<Option<AnnouncementId>, PortError> {
        self.seen(self.port.find_announcement(token, repository, order).await)
    }

    async fn report(&self, token: &SecretString, repository: &RepoName, to: &AnnouncementId, report: &Report) -> Result<(), PortError> {
        self.seen(self.port.report(token, repository, to, report).await)
    }

    async fn archive(&self, token: &SecretString, repository: &RepoName, commit: &CommitSha) -> Result<SourceArchive, ArchiveFault> {
        let archive = self.port.archive(token, repository, commit).await;
        match &archive {
            // Too large for us, or no room here: the call itself went well.
            Ok(_) | Err(ArchiveFault::TooLarge { .. } | ArchiveFault::DiskFull) => self.metrics.called(self.service, &Ok(())),
            Err(ArchiveFault::Port(error)) => self.metrics.called::<()>(self.service, &Err(error.clone())),
        }
        archive
    }
}

#[async_trait]
impl Platform for Counted<dyn Platform> {
    async fn pipelines(&self, token: &SecretString) -> Result<Vec<Pipeline>, PortError> {
        self.seen(self.port.pipelines(token).await)
    }

    async fn apps(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Vec<App>, PortError> {
        self.seen(self.port.apps(token, pipeline).await)
    }

    async fn linked_repository(&self, token: &SecretString, pipeline: &PipelineId) -> Result<Option<RepoName>, PortError> {
        self.seen(self.port.linked_repository(token, pipeline).await)
    }

    async fn spend_code(&self, token: &SecretString, app: &AppId, code: SecretString) -> Result<bool, PortError> {
        self.seen(self.port.spend_code(token, app, code).await)
    }

    async fn upload(&self, token: &SecretString, archive: SourceArchive) -> Result<UploadedSource, PortError> {
        self.seen(self.port.upload(token, archive).await)
    }

    async fn start_build(&self, token: &SecretString, app: &AppId, order: &BuildOrder) -> Result<BuildStart, PortError> {
        self.seen(self.port.start_build(token, app, order).await)
    }

    async fn find_build(
        &self,
        token: &SecretString,
        app: &AppId,
        deployment: DeploymentId,
        since: Timestamp,
    ) -> Result<Option<Build>, PortError> {
        self.seen(self.port.find_build(token, app, deployment, since).await)
    }

    async fn roll_back(&self, token: &SecretString, app: &AppId, order: &ReturnOrder) -> Result<ReturnStart, PortError> {
        self.seen(self.port.roll_back(token, app, order).await)
    }

    async fn find_return(&self, token: &SecretString, app: &AppId, order: &ReturnOrder) -> Result<Option<Release>, PortError> {
        self.seen(self.port.find_return(token, app, order).await)
    }

    async fn commit_of(&self, token: &SecretString, app: &AppId, code: &CodeId) -> Result<Option<CommitSha>, PortError> {
        self.seen(self.port.commit_of(token, app, code).await)
    }

    async fn promote(&self, token: &SecretString, app: &AppId, order: &PromotionOrder) -> Result<PromotionStart, PortError> {
        self.seen(self.port.promote(token, app, order).await)
    }

    async fn promotion(&self, token: &SecretString, app: &AppId, promotion: &BuildId) -> Result<PromotionSeen, PortError> {
        self.seen(self.port.promotion(token, app, promotion).await)
    }

    async fn find_promoted(&self, token: &SecretString, app: &AppId, order: &PromotionOrder) -> Result<Option<Release>, PortError> {
        self.seen(self.port.find_promoted(token, app, order).await)
    }

    async fn build(&self, token: &SecretString, app: &AppId, build: &BuildId) -> Result<Build, PortError> {
        self.seen(self.port.build(token, app, build).await)
    }

    async fn stop_build(&self, token: &SecretString, app: &AppId, build: &BuildId) -> Result<(), PortError> {
        self.seen(self.port.stop_build(token, app, build).await)
    }

    async fn release(&self, token: &SecretString, app: &AppId, release: &ReleaseId) -> Result<Release, PortError> {
        self.seen(self.port.release(token, app, release).await)
    }

    async fn releases(&self, token: &SecretString, app: &AppId, limit: usize) -> Result<Vec<Release>, PortError> {
        self.seen(self.port.releases(token, app, limit).await)
    }

    async fn running(&self, token: &SecretString, app: &AppId) -> Result<Option<Running>, PortError> {
        self.seen(self.port.running(token, app).await)
    }

    async fn dynos(&self, token: &SecretString, app: &AppId) -> Result<Vec<Dyno>, PortError> {
        self.seen(self.port.dynos(token, app).await)
    }

    async fn output(&self, token: &SecretString, app: &AppId, of: &Printed, lines: usize) -> Result<Option<String>, PortError> {
        self.seen(self.port.output(token, app, of, lines).await)
    }

    // No call: nothing of it ends well or badly.
    fn follow(&self, app: &AppId, build: &BuildId, release: Option<ReleaseId>) -> Box<dyn Follower> {
        self.port.follow(app, build, release)
    }

    // It does not say how it ended.
    async fn access(&self, token: &SecretString, app: &AppId) -> Access {
        self.port.access(token, app).await
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
#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::actor::Person;
    use crate::domain::message::{Audience, Tone};
    use crate::domain::names::{UserId, WorkspaceId};
    use crate::metrics;
    use crate::ports::Fault;

    #[derive(Debug)]
    struct Silent;

    #[async_trait]
    impl Chat for Silent {
        async fn say(&self, _: &Addressee, _: &Message) -> Result<Delivered, PortError> {
            Ok(Delivered::Final)
        }

        async fn amend(&self, _: &MessageRef, _: &Message, _: Urgency) -> Result<(), PortError> {
            Err(PortError::new(Service::Chat, Fault::NotFound, "gone"))
        }

        fn has_forms(&self) -> bool {
            false
        }

        async fn ask(&self, _: &Origin, _: &DeliveryId, _: &Form) -> Result<Asked, PortError> {
            Err(PortError::new(Service::Chat, Fault::Refused, "no forms"))
        }

        async fn standing(&self, _: &Origin, _: &Message) -> Result<ChatStanding, PortError> {
            Err(PortError::new(Service::Chat, Fault::Unreachable, "silent"))
        }
    }

    #[tokio::test]
    async fn calls_are_counted_by_how_they_end() {
        let mut registry = prometheus_client::registry::Registry::default();
        let chat: Arc<dyn Chat> = Arc::new(Silent);
        let chat = Counted::new(chat, Service::Chat, &Metrics::registered(&mut registry));
        let workspace = WorkspaceId::parse("T1").unwrap();
        let person = Person { workspace: workspace.clone(), user: UserId::parse("U1").unwrap() };
        let message = Message::new(Tone::Info, Audience::Asker, Vec::new());
        chat.say(&Addressee::Direct(person), &message).await.unwrap();
        let channel = crate::domain::names::ChannelId::parse("C1").unwrap();
        chat.amend(&MessageRef { workspace, channel, message: "1".to_owned() }, &message, Urgency::Now).await.unwrap_err();
        let page = metrics::page(&registry).unwrap();
        for outcome in ["ok", "not_found"] {
            assert!(page.contains(&format!("outside_calls_total{{service=\"chat\",outcome=\"{outcome}\"}} 1")), "{page}");
        }
    }
}
