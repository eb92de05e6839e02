//! The rest of a process's place: its store, its ids, its people.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use slash_heroku::domain::account::Provider;
use slash_heroku::domain::actor::Person;
use slash_heroku::domain::deployment::{Deployment, Phase};
use slash_heroku::domain::gate::Reason;
use slash_heroku::domain::line::Line;
use slash_heroku::domain::names::{AppId, DeliveryId, DeploymentId, OfferId, PipelineId};
use slash_heroku::domain::offer::Offer;
use slash_heroku::domain::request::Request;
use slash_heroku::ports::*;

use super::seat::Seat;

#[async_trait]
impl Store for Seat {
    async fn accept(&self, request: &Request) -> Result<(), StoreError> {
        self.stores(|| format!("accepts {} from {}", request.id, request.origin.person.user), self.store.accept(request)).await
    }

    async fn accept_claimed(&self, request: &Request, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        let what = || format!("accepts {} from {} and claims it", request.id, request.origin.person.user);
        self.stores(what, self.store.accept_claimed(request, now, until)).await
    }

    async fn take_up(&self, limit: usize, now: Timestamp, until: Timestamp) -> Result<Vec<(Request, Lease)>, StoreError> {
        self.stores(|| "takes up what was accepted".to_owned(), self.store.take_up(limit, now, until)).await
    }

    async fn save(&self, batch: Batch) -> Result<(), StoreError> {
        let what = contents(&batch);
        self.stores(|| format!("saves {what}"), self.store.save(batch)).await
    }

    async fn request(&self, id: &DeliveryId) -> Result<Option<Request>, StoreError> {
        self.schedule.point(self.process).await;
        self.store.request(id).await
    }

    async fn unanswered(&self) -> Result<Vec<Request>, StoreError> {
        self.schedule.point(self.process).await;
        self.store.unanswered().await
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        self.schedule.point(self.process).await;
        self.store.deployment(id).await
    }

    async fn open_deployments(&self) -> Result<Vec<Deployment>, StoreError> {
        self.schedule.point(self.process).await;
        self.store.open_deployments().await
    }

    async fn deployments_of_app(&self, app: &AppId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        self.store.deployments_of_app(app, limit).await
    }

    async fn deployments_of_pipeline(&self, pipeline: &PipelineId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        self.store.deployments_of_pipeline(pipeline, limit).await
    }

    async fn older_in_pipeline(&self, pipeline: &PipelineId, behind: DeploymentId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        self.store.older_in_pipeline(pipeline, behind, limit).await
    }

    async fn line(&self, app: &AppId) -> Result<Line, StoreError> {
        self.schedule.point(self.process).await;
        self.store.line(app).await
    }

    async fn offer(&self, id: OfferId) -> Result<Option<Offer>, StoreError> {
        self.schedule.point(self.process).await;
        self.store.offer(id).await
    }

    async fn claim(&self, work: &Work, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.stores(|| format!("claims {work:?}"), self.store.claim(work, now, until)).await
    }

    async fn renew(&self, lease: &Lease, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.stores(|| format!("renews {:?}", lease.work), self.store.renew(lease, now, until)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.stores(|| format!("gives back {:?}", lease.work), self.store.release(lease)).await
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.schedule.point(self.process).await;
        self.store.forget(before).await
    }
}

/// What is in a batch, for the story.
fn contents(batch: &Batch) -> String {
    let deployments = batch.deployments.iter().map(|record| {
        let closed = if record.closed { ", closed" } else { "" };
        format!("{} over version {}: {:?}{closed}", record.id, record.version, record.phase)
    });
    let lines = batch.lines.iter().map(|line| {
        let waiting: Vec<String> = line.waiting.iter().map(ToString::to_string).collect();
        format!(
            "the line of {}: {} before [{}]",
            line.app,
            line.holder.map_or("nobody".to_owned(), |id| id.to_string()),
            waiting.join(", ")
        )
    });
    let requests = batch.requests.iter().map(|request| format!("request {}", request.id));
    let offers = batch.offers.iter().map(|offer| format!("offer {}", offer.id));
    deployments.chain(lines).chain(requests).chain(offers).collect::<Vec<_>>().join("; ")
}

impl Ids for Seat {
    fn fresh(&self) -> uuid::Uuid {
        uuid::Uuid::from_u128(u128::from(self.ids.fetch_add(1, std::sync::atomic::Ordering::SeqCst)))
    }
}

#[async_trait]
impl Accounts for Seat {
    async fn credentials(&self, person: &Person) -> Result<Credentials, NoCredentials> {
        let token = || SecretString::from(person.user.as_str());
        Ok(Credentials { source: token(), platform: token() })
    }

    async fn refused(&self, _: &Person, _: Provider, _: &SecretString) -> bool {
        false
    }
}

impl Tally for Seat {
    fn began(&self) {}

    fn refused(&self, _: &[Reason]) {}

    fn ended(&self, _: &Phase) {}
}
