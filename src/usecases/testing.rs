//! A small outside for the tests of use cases: everything is remembered, and fails as it is told to.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::{Ports, Privacy, RepositoryMap, Rights};
use crate::domain::account::Provider;
use crate::domain::actor::{Origin, Person};
use crate::domain::checks::Checks;
use crate::domain::checkup::ChatStanding;
use crate::domain::deployment::samples::{at, person};
use crate::domain::deployment::{Deployment, MessageRef, Milestone, Phase};
use crate::domain::form::Form;
use crate::domain::gate::Reason;
use crate::domain::line::Line;
use crate::domain::message::Message;
use crate::domain::names::*;
use crate::domain::offer::Offer;
use crate::domain::page::Page;
use crate::domain::pipeline::{App, Environment, Pipeline};
use crate::domain::release::{Access, Build, BuildState, Dyno, Release, Running};
use crate::domain::request::Request;
use crate::domain::source::*;
use crate::ports::*;

/// What was said, changed or asked for, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Did {
    Card,
    Answer(Message),
    Direct(Message),
    Below { message: Message, for_all: bool },
    Amend,
    Ask(Form),
    Page(Page),
    Report(ReportState),
    FindRecord,
    Announce,
    Order,
}

#[derive(Debug)]
pub(super) struct Outside {
    now: Mutex<Timestamp>,
    did: Mutex<Vec<(i64, Did)>>,
    /// How cards, changes of cards, and words to one person fail, one after the other; then they work.
    pub card: Mutex<VecDeque<Fault>>,
    pub amend: Mutex<VecDeque<Fault>>,
    pub word: Mutex<VecDeque<Fault>>,
    pub below: Mutex<VecDeque<Fault>>,
    pub report: Mutex<VecDeque<Fault>>,
    /// What was put in the place of cards.
    pub amended: Mutex<Vec<Message>>,
    /// How many seconds a card, or a change of one, takes to be answered.
    pub call_takes: AtomicI64,
    /// The lease is taken over while the card is changed for the n-th time.
    pub loses_lease_at: AtomicU64,
    pub lost: AtomicBool,
    /// What `main` stands for.
    pub head: Mutex<CommitSha>,
    /// The checks of every commit.
    pub checks: Mutex<Checks>,
    pub deployments: Mutex<HashMap<DeploymentId, Deployment>>,
    pub offers: Mutex<HashMap<OfferId, Offer>>,
    pub requests: Mutex<HashMap<DeliveryId, Request>>,
    lines: Mutex<HashMap<AppId, Line>>,
    ids: AtomicU64,
    /// What was counted.
    pub counted: Mutex<Vec<&'static str>>,
}

pub(super) fn sha(digit: char) -> CommitSha {
    CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
}

pub(super) fn who() -> Credentials {
    Credentials { source: SecretString::from("s"), platform: SecretString::from("p") }
}

pub(super) fn lease(id: DeploymentId) -> Lease {
    Lease { work: Work::Deployment(id), fence: 1, until: at(1_000_000) }
}

impl Outside {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            now: Mutex::new(at(0)),
            did: Mutex::default(),
            card: Mutex::default(),
            amend: Mutex::default(),
            word: Mutex::default(),
            below: Mutex::default(),
            report: Mutex::default(),
            amended: Mutex::default(),
            call_takes: AtomicI64::new(0),
            loses_lease_at: AtomicU64::new(0),
            lost: AtomicBool::new(false),
            head: Mutex::new(sha('a')),
            checks: Mutex::default(),
            deployments: Mutex::default(),
            offers: Mutex::default(),
            requests: Mutex::default(),
            lines: Mutex::default(),
            ids: AtomicU64::new(100),
            counted: Mutex::default(),
        })
    }

    pub(super) fn ports(self: &Arc<Self>) -> Ports {
        Ports {
            chat: self.clone(),
            source: self.clone(),
            platform: self.clone(),
            store: self.clone(),
            clock: self.clone(),
            ids: self.clone(),
            accounts: self.clone(),
            sign_ins: None,
            allowances: Arc::new(Boundless),
            locks: Arc::new(NoLocks),
            privacy: Privacy::none(),
            rights: Rights::none(),
            memories: super::Memories::default(),
            doorbell: None,
            repositories: Arc::new(RepositoryMap::default()),
            command_word: Arc::from("/h"),
            tally: self.clone(),
            stopping: Arc::new(AtomicBool::new(false)),
        }
    }

    pub(super) fn keep(&self, deployment: &Deployment) {
        self.deployments.lock().unwrap().insert(deployment.id, deployment.clone());
        let mut lines = self.lines.lock().unwrap();
        let app = &deployment.target.app;
        let line = lines.entry(app.clone()).or_insert_with(|| Line::empty(app.clone()));
        *line = line.joined_by(deployment.id);
    }

    pub(super) fn stored(&self, id: DeploymentId) -> Deployment {
        self.deployments.lock().unwrap()[&id].clone()
    }

    /// Somebody else changed a deployment.
    pub(super) fn put(&self, deployment: &Deployment) {
        self.deployments.lock().unwrap().insert(deployment.id, deployment.clone());
    }

    /// The seconds that have passed.
    pub(super) fn second(&self) -> i64 {
        self.now().duration_since(at(0)).as_secs()
    }

    pub(super) fn pass(&self, seconds: i64) {
        let mut now = self.now.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    }

    pub(super) fn did(&self) -> Vec<Did> {
        self.did.lock().unwrap().iter().map(|(_, did)| did.clone()).collect()
    }

    /// The seconds at which something like this was done.
    pub(super) fn when(&self, like: impl Fn(&Did) -> bool) -> Vec<i64> {
        self.did.lock().unwrap().iter().filter(|(_, did)| like(did)).map(|(second, _)| *second).collect()
    }

    fn note(&self, did: Did) {
        let second = self.now().duration_since(at(0)).as_secs();
        self.did.lock().unwrap().push((second, did));
    }
}

fn fails(how: &Mutex<VecDeque<Fault>>, service: Service) -> Result<(), PortError> {
    how.lock().unwrap().pop_front().map_or(Ok(()), |fault| Err(PortError::new(service, fault, "told to")))
}

#[async_trait]
impl Chat for Outside {
    async fn say(&self, to: &Addressee, message: &Message) -> Result<Delivered, PortError> {
        match to {
            Addressee::Card(origin) => {
                self.note(Did::Card);
                self.pass(self.call_takes.load(Ordering::SeqCst));
                fails(&self.card, Service::Chat)?;
                let workspace = origin.person.workspace.clone();
                Ok(Delivered::Editable(MessageRef { workspace, channel: origin.channel.clone(), message: "1".to_owned() }))
            }
            Addressee::Answer(_) => {
                self.note(Did::Answer(message.clone()));
                fails(&self.word, Service::Chat).map(|()| Delivered::Final)
            }
            Addressee::Below { for_all, .. } => {
                self.note(Did::Below { message: message.clone(), for_all: *for_all });
                fails(&self.below, Service::Chat).map(|()| Delivered::Final)
            }
            Addressee::Direct(_) | Addressee::Place(..) => {
                self.note(Did::Direct(message.clone()));
                fails(&self.word, Service::Chat).map(|()| Delivered::Final)
            }
        }
    }

    async fn amend(&self, _: &MessageRef, message: &Message, _: Urgency) -> Result<(), PortError> {
        self.note(Did::Amend);
        self.amended.lock().unwrap().push(message.clone());
        let times = u64::try_from(self.when(|did| *did == Did::Amend).len()).unwrap();
        self.lost.fetch_or(times == self.loses_lease_at.load(Ordering::SeqCst), Ordering::SeqCst);
        self.pass(self.call_takes.load(Ordering::SeqCst));
        fails(&self.amend, Service::Chat)
    }

    fn has_forms(&self) -> bool {
        true
    }

    async fn ask(&self, _: &Origin, _: &DeliveryId, form: &Form) -> Result<Asked, PortError> {
        self.note(Did::Ask(form.clone()));
        Ok(Asked::Shown)
    }

    async fn show_page(&self, _: &Person, page: &Page) -> Result<(), PortError> {
        self.note(Did::Page(page.clone()));
        Ok(())
    }

    async fn standing(&self, _: &Origin, _: &Message) -> Result<ChatStanding, PortError> {
        Ok(ChatStanding { lacks: Vec::new(), speaks_here: true, gives_addresses: true, clock: None })
    }
}

#[async_trait]
impl Clock for Outside {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    async fn wait(&self, _: WakeKey, until: Option<Timestamp>) {
        if let Some(until) = until {
            self.pause_until(until).await;
        }
    }

    fn wake(&self, _: WakeKey) {}

    async fn pause_until(&self, until: Timestamp) {
        let mut now = self.now.lock().unwrap();
        *now = until.max(*now);
    }
}

impl Ids for Outside {
    fn fresh(&self) -> uuid::Uuid {
        uuid::Uuid::from_u128(u128::from(self.ids.fetch_add(1, Ordering::SeqCst)))
    }
}

#[async_trait]
impl Accounts for Outside {
    async fn credentials(&self, asker: &Person) -> Result<Credentials, NoCredentials> {
        (*asker == person("ana")).then(who).ok_or(NoCredentials::Stranger)
    }

    async fn refused(&self, _: &Person, _: Provider, _: &SecretString) -> bool {
        false
    }
}

impl Tally for Outside {
    fn began(&self) {
        self.counted.lock().unwrap().push("began");
    }

    fn refused(&self, reasons: &[Reason]) {
        self.counted.lock().unwrap().extend(reasons.iter().map(Reason::code));
    }

    fn ended(&self, how: &Phase) {
        assert_eq!(how.milestone(), Milestone::Ended);
        self.counted.lock().unwrap().push("ended");
    }
}

#[derive(Debug)]
struct NothingHeard;

#[async_trait]
impl Follower for NothingHeard {
    async fn heard(&mut self) -> Heard {
        std::future::pending().await
    }
}

#[async_trait]
impl SourceControl for Outside {
    async fn repository(&self, _: &SecretString, name: &RepoName) -> Result<Repository, PortError> {
        Ok(Repository {
            name: name.clone(),
            default_branch: RefName::parse("main").unwrap(),
            may_deploy: Some(true),
            archived: false,
            web_url: "https://source.example.com/acme/hubot".to_owned(),
        })
    }

    async fn resolve(&self, _: &SecretString, _: &Repository, asked: &AskedRef) -> Result<Resolution, PortError> {
        let branch = |name: &RefName| CommitRef::Branch(name.clone());
        let (commit, named_by) = match asked {
            AskedRef::Default => (self.head.lock().unwrap().clone(), branch(&RefName::parse("main").unwrap())),
            AskedRef::Named(name) if name.as_str() == "main" => (self.head.lock().unwrap().clone(), branch(name)),
            AskedRef::Named(name) => (sha('f'), branch(name)),
            AskedRef::Pull(_) => return Ok(Resolution::Unknown { nearest: None }),
            AskedRef::Pinned { of, commit } => (commit.clone(), of.clone()),
        };
        Ok(Resolution::Found(Resolved { commit, named_by, provenance: Provenance::Repository }))
    }

    async fn tags(&self, _: &SecretString, _: &RepoName) -> Result<Vec<RefName>, PortError> {
        Ok(Vec::new())
    }

    async fn pulls(&self, _: &SecretString, _: &RepoName) -> Result<Vec<OpenPull>, PortError> {
        Ok(Vec::new())
    }

    async fn branches(&self, _: &SecretString, _: &RepoName) -> Result<Vec<RefName>, PortError> {
        Ok(vec![RefName::parse("main").unwrap()])
    }

    async fn points_at(&self, _: &SecretString, _: &RepoName, named_by: &CommitRef) -> Result<Option<CommitSha>, PortError> {
        let is_main = matches!(named_by, CommitRef::Branch(name) if name.as_str() == "main");
        Ok(Some(if is_main { self.head.lock().unwrap().clone() } else { sha('f') }))
    }

    async fn checks(&self, _: &SecretString, _: &Repository, _: &CommitRef, _: &CommitSha) -> Result<Checks, PortError> {
        Ok(self.checks.lock().unwrap().clone())
    }

    async fn compare(&self, _: &SecretString, _: &RepoName, _: &CommitSha, _: &CommitSha) -> Result<Option<Comparison>, PortError> {
        Ok(None)
    }

    async fn difference(&self, _: &SecretString, _: &RepoName, _: &CommitSha, _: &CommitSha) -> Result<Option<Difference>, PortError> {
        Ok(None)
    }

    async fn announce(&self, _: &SecretString, _: &RepoName, _: &AnnouncementOrder) -> Result<AnnouncementId, PortError> {
        self.note(Did::Announce);
        Ok(AnnouncementId::parse("1").unwrap())
    }

    async fn find_announcement(&self, _: &SecretString, _: &RepoName, _: &AnnouncementOrder) -> Result<Option<AnnouncementId>, PortError> {
        self.note(Did::FindRecord);
        fails(&self.report, Service::SourceControl).map(|()| None)
    }

    async fn report(&self, _: &SecretString, _: &RepoName, _: &AnnouncementId, report: &Report) -> Result<(), PortError> {
        self.note(Did::Report(report.state));
        fails(&self.report, Service::SourceControl)
    }

    async fn archive(&self, _: &SecretString, _: &RepoName, _: &CommitSha) -> Result<SourceArchive, ArchiveFault> {
        Ok(SourceArchive { length: 0, sha256: "0".repeat(64), body: Box::new(MockArchiveBody::new()) })
    }
}

fn missing<T>() -> Result<T, PortError> {
    Err(PortError::new(Service::Platform, Fault::NotFound, "not here"))
}

#[async_trait]
impl Platform for Outside {
    async fn pipelines(&self, _: &SecretString) -> Result<Vec<Pipeline>, PortError> {
        let (id, name) = (PipelineId::parse("pipeline-1").unwrap(), PipelineName::parse("hubot").unwrap());
        Ok(vec![Pipeline { id, name, owner: None, created_at: None }])
    }

    async fn apps(&self, _: &SecretString, _: &PipelineId) -> Result<Vec<App>, PortError> {
        let (id, name) = (AppId::parse("app-1").unwrap(), AppName::parse("hubot-staging").unwrap());
        Ok(vec![App { id, name, environment: Environment::Staging, web_url: None }])
    }

    async fn linked_repository(&self, _: &SecretString, _: &PipelineId) -> Result<Option<RepoName>, PortError> {
        Ok(Some(RepoName::parse("acme/hubot").unwrap()))
    }

    async fn access(&self, _: &SecretString, _: &AppId) -> Access {
        Access::default()
    }

    async fn spend_code(&self, _: &SecretString, _: &AppId, _: SecretString) -> Result<bool, PortError> {
        Ok(true)
    }

    async fn upload(&self, _: &SecretString, archive: SourceArchive) -> Result<UploadedSource, PortError> {
        Ok(UploadedSource { address: SecretString::from("https://files.example.com"), sha256: archive.sha256, at: self.now() })
    }

    async fn start_build(&self, _: &SecretString, _: &AppId, _: &BuildOrder) -> Result<BuildStart, PortError> {
        self.note(Did::Order);
        let id = BuildId::parse("build-1").unwrap();
        Ok(BuildStart::Started(Build { id, state: BuildState::Pending, created_at: None }))
    }

    async fn find_build(&self, _: &SecretString, _: &AppId, _: DeploymentId, _: Timestamp) -> Result<Option<Build>, PortError> {
        Ok(None)
    }

    async fn roll_back(&self, _: &SecretString, _: &AppId, _: &ReturnOrder) -> Result<ReturnStart, PortError> {
        Err(PortError::new(Service::Platform, Fault::Refused, "nobody goes back here"))
    }

    async fn promote(&self, _: &SecretString, _: &AppId, _: &PromotionOrder) -> Result<PromotionStart, PortError> {
        Err(PortError::new(Service::Platform, Fault::Refused, "nobody promotes here"))
    }

    async fn promotion(&self, _: &SecretString, _: &AppId, _: &BuildId) -> Result<PromotionSeen, PortError> {
        Ok(PromotionSeen::Pending)
    }

    async fn find_promoted(&self, _: &SecretString, _: &AppId, _: &PromotionOrder) -> Result<Option<Release>, PortError> {
        Ok(None)
    }

    async fn find_return(&self, _: &SecretString, _: &AppId, _: &ReturnOrder) -> Result<Option<Release>, PortError> {
        Ok(None)
    }

    async fn commit_of(&self, _: &SecretString, _: &AppId, _: &CodeId) -> Result<Option<CommitSha>, PortError> {
        Ok(None)
    }

    async fn build(&self, _: &SecretString, _: &AppId, build: &BuildId) -> Result<Build, PortError> {
        Ok(Build { id: build.clone(), state: BuildState::Failed, created_at: None })
    }

    async fn stop_build(&self, _: &SecretString, _: &AppId, _: &BuildId) -> Result<(), PortError> {
        Ok(())
    }

    fn follow(&self, _: &AppId, _: &BuildId, _: Option<ReleaseId>) -> Box<dyn Follower> {
        Box::new(NothingHeard)
    }

    async fn release(&self, _: &SecretString, _: &AppId, _: &ReleaseId) -> Result<Release, PortError> {
        missing()
    }

    async fn releases(&self, _: &SecretString, _: &AppId, _: usize) -> Result<Vec<Release>, PortError> {
        missing()
    }

    async fn running(&self, _: &SecretString, _: &AppId) -> Result<Option<Running>, PortError> {
        Ok(None)
    }

    async fn dynos(&self, _: &SecretString, _: &AppId) -> Result<Vec<Dyno>, PortError> {
        missing()
    }

    async fn output(&self, _: &SecretString, _: &AppId, _: &Printed, _: usize) -> Result<Option<String>, PortError> {
        missing()
    }

    fn pipeline_page(&self, _: &PipelineId) -> String {
        "https://platform.example.com/p".to_owned()
    }

    fn app_page(&self, _: &AppName) -> String {
        "https://platform.example.com/a".to_owned()
    }

    fn build_page(&self, _: &AppName, _: &BuildId) -> String {
        "https://platform.example.com/b".to_owned()
    }

    fn release_page(&self, _: &AppName, _: &ReleaseId) -> String {
        "https://platform.example.com/r".to_owned()
    }
}

/// Versions are held to as in a real store; whether a lease is lost is said by a switch.
#[async_trait]
impl Store for Outside {
    async fn accept(&self, request: &Request) -> Result<(), StoreError> {
        self.requests.lock().unwrap().insert(request.id.clone(), request.clone());
        Ok(())
    }

    async fn accept_claimed(&self, request: &Request, now: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.accept(request).await?;
        self.claim(&Work::Request(request.id.clone()), now, until).await
    }

    async fn take_up(&self, _: usize, _: Timestamp, _: Timestamp) -> Result<Vec<(Request, Lease)>, StoreError> {
        Ok(Vec::new())
    }

    async fn save(&self, batch: Batch) -> Result<(), StoreError> {
        if batch.under.is_some() && self.lost.load(Ordering::SeqCst) {
            return Err(StoreError::LeaseLost);
        }
        let conflict = || Err(StoreError::Conflict("it".to_owned()));
        let (mut deployments, mut lines) = (self.deployments.lock().unwrap(), self.lines.lock().unwrap());
        let (mut requests, mut offers) = (self.requests.lock().unwrap(), self.offers.lock().unwrap());
        if batch.deployments.iter().any(|new| deployments.get(&new.id).map_or(0, |old| old.version) != new.version)
            || batch.lines.iter().any(|new| lines.get(&new.app).map_or(0, |old| old.version) != new.version)
            || batch.requests.iter().any(|new| requests.get(&new.id).map_or(0, |old| old.version) != new.version)
            || batch.offers.iter().any(|new| offers.get(&new.id).map_or(0, |old| old.version) != new.version)
        {
            return conflict();
        }
        deployments.extend(batch.deployments.into_iter().map(|new| (new.id, Deployment { version: new.version + 1, ..new })));
        lines.extend(batch.lines.into_iter().map(|new| (new.app.clone(), Line { version: new.version + 1, ..new })));
        requests.extend(batch.requests.into_iter().map(|new| (new.id.clone(), Request { version: new.version + 1, ..new })));
        offers.extend(batch.offers.into_iter().map(|new| (new.id, Offer { version: new.version + 1, ..new })));
        Ok(())
    }

    async fn request(&self, id: &DeliveryId) -> Result<Option<Request>, StoreError> {
        Ok(self.requests.lock().unwrap().get(id).cloned())
    }

    async fn unanswered(&self) -> Result<Vec<Request>, StoreError> {
        Ok(Vec::new())
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        Ok(self.deployments.lock().unwrap().get(&id).cloned())
    }

    async fn open_deployments(&self) -> Result<Vec<Deployment>, StoreError> {
        Ok(self.deployments.lock().unwrap().values().filter(|deployment| !deployment.closed).cloned().collect())
    }

    async fn deployments_of_app(&self, _: &AppId, _: usize) -> Result<Vec<Deployment>, StoreError> {
        Ok(Vec::new())
    }

    async fn older_in_pipeline(&self, of: &PipelineId, behind: DeploymentId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        let all = self.deployments_of_pipeline(of, usize::MAX).await?;
        Ok(all.into_iter().filter(|one| one.id < behind).take(limit).collect())
    }

    async fn deployments_of_pipeline(&self, of: &PipelineId, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        let mut all: Vec<Deployment> =
            self.deployments.lock().unwrap().values().filter(|one| one.target.pipeline == *of).cloned().collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.id));
        all.truncate(limit);
        Ok(all)
    }

    async fn line(&self, app: &AppId) -> Result<Line, StoreError> {
        Ok(self.lines.lock().unwrap().get(app).cloned().unwrap_or_else(|| Line::empty(app.clone())))
    }

    async fn offer(&self, id: OfferId) -> Result<Option<Offer>, StoreError> {
        Ok(self.offers.lock().unwrap().get(&id).cloned())
    }

    async fn claim(&self, work: &Work, _: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        Ok(Some(Lease { work: work.clone(), fence: 1, until }))
    }

    async fn renew(&self, lease: &Lease, _: Timestamp, until: Timestamp) -> Result<Option<Lease>, StoreError> {
        Ok((!self.lost.load(Ordering::SeqCst)).then(|| Lease { until, ..lease.clone() }))
    }

    async fn release(&self, _: &Lease) -> Result<(), StoreError> {
        Ok(())
    }

    async fn forget(&self, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }
}
