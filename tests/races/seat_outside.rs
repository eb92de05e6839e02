//! The outside of a process's place: chat, source control and platform.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use slash_heroku::domain::actor::Origin;
use slash_heroku::domain::checks::Checks;
use slash_heroku::domain::checkup::ChatStanding;
use slash_heroku::domain::deployment::MessageRef;
use slash_heroku::domain::form::Form;
use slash_heroku::domain::message::Message;
use slash_heroku::domain::names::*;
use slash_heroku::domain::pipeline::{App, Pipeline};
use slash_heroku::domain::release::{Access, Build, BuildState, Dyno, Release, Running};
use slash_heroku::domain::source::*;
use slash_heroku::ports::*;

use super::plots::FORMER;
use super::schedule::Watch;
use super::seat::{CLUMSY, PIPELINES, SLOW, SLOWLY, Seat};
use super::world::{Built, Order, Outside, Shown};

fn name(token: &SecretString) -> &str {
    token.expose_secret()
}

#[async_trait]
impl Chat for Seat {
    async fn say(&self, to: &Addressee, message: &Message) -> Result<Delivered, PortError> {
        let shown = Shown::of(message);
        let what = || format!("says to {}: {shown:?} {:?}", whom(to), message.headline);
        self.changes(what, Service::Chat, |outside| match to {
            Addressee::Card(origin) => {
                outside.cards.push(vec![shown]);
                let message = (outside.cards.len() - 1).to_string();
                Delivered::Editable(MessageRef { workspace: origin.person.workspace.clone(), channel: origin.channel.clone(), message })
            }
            Addressee::Answer(origin) => {
                if let Some(reply) = &origin.reply {
                    *outside.answers.entry(DeliveryId::parse(reply.as_sealed()).unwrap()).or_default() += 1;
                }
                Delivered::Final
            }
            Addressee::Direct(_) | Addressee::Place(..) | Addressee::Below { .. } => Delivered::Final,
        })
        .await
    }

    async fn amend(&self, what: &MessageRef, message: &Message, _: Urgency) -> Result<(), PortError> {
        let shown = Shown::of(message);
        let tells = || format!("changes card {} to {shown:?} {:?}", what.message, message.headline);
        self.changes(tells, Service::Chat, |outside| outside.card(what).unwrap().push(shown)).await
    }

    fn has_forms(&self) -> bool {
        false
    }

    async fn ask(&self, _: &Origin, _: &DeliveryId, _: &Form) -> Result<Asked, PortError> {
        Err(PortError::new(Service::Chat, Fault::Refused, "nobody here has forms"))
    }

    async fn standing(&self, _: &Origin, _: &Message) -> Result<ChatStanding, PortError> {
        Err(PortError::new(Service::Chat, Fault::Unreachable, "nobody here asks how it stands"))
    }
}

fn whom(to: &Addressee) -> String {
    match to {
        Addressee::Card(_) => "the channel".to_owned(),
        Addressee::Answer(origin) => {
            format!("{} in answer to {:?}", origin.person.user, origin.reply.as_ref().map(|reply| reply.as_sealed()))
        }
        Addressee::Direct(person) => format!("{} directly", person.user),
        Addressee::Place(_, channel) => format!("everybody in {channel}"),
        Addressee::Below { card, .. } => format!("whoever follows card {}", card.message),
    }
}

#[async_trait]
impl SourceControl for Seat {
    async fn repository(&self, token: &SecretString, repository: &RepoName) -> Result<Repository, PortError> {
        let may_deploy = Some(name(token) != FORMER);
        self.looks("reads the repository", |_, _| Ok(Repository { may_deploy, ..as_seen_last(repository) })).await
    }

    async fn repository_for_deploy(&self, _: &SecretString, repository: &RepoName) -> Result<Repository, PortError> {
        Ok(as_seen_last(repository))
    }

    async fn resolve(&self, _: &SecretString, _: &Repository, asked: &AskedRef) -> Result<Resolution, PortError> {
        self.looks("reads a ref", |outside, _| {
            let (commit, named_by) = match asked {
                AskedRef::Default => (outside.heads["main"].clone(), CommitRef::Branch(RefName::parse("main").unwrap())),
                AskedRef::Named(name) => match outside.heads.get(name.as_str()) {
                    Some(head) => (head.clone(), CommitRef::Branch(name.clone())),
                    None => return Ok(Resolution::Unknown { nearest: None }),
                },
                AskedRef::Pull(_) => return Ok(Resolution::Unknown { nearest: None }),
                AskedRef::Pinned { of, commit } => (commit.clone(), of.clone()),
            };
            Ok(Resolution::Found(Resolved { commit, named_by, provenance: Provenance::Repository }))
        })
        .await
    }

    async fn tags(&self, _: &SecretString, _: &RepoName) -> Result<Vec<RefName>, PortError> {
        Ok(Vec::new())
    }

    async fn pulls(&self, _: &SecretString, _: &RepoName) -> Result<Vec<OpenPull>, PortError> {
        Ok(Vec::new())
    }

    async fn branches(&self, _: &SecretString, _: &RepoName) -> Result<Vec<RefName>, PortError> {
        Ok(Vec::new())
    }

    async fn points_at(&self, _: &SecretString, _: &RepoName, named_by: &CommitRef) -> Result<Option<CommitSha>, PortError> {
        let CommitRef::Branch(name) = named_by else { return Ok(None) };
        self.looks("reads where a branch points", |outside, _| Ok(outside.heads.get(name.as_str()).cloned())).await
    }

    async fn checks(&self, _: &SecretString, _: &Repository, _: &CommitRef, _: &CommitSha) -> Result<Checks, PortError> {
        self.looks("reads the checks", |_, _| Ok(Checks::default())).await
    }

    async fn compare(&self, _: &SecretString, _: &RepoName, _: &CommitSha, _: &CommitSha) -> Result<Option<Comparison>, PortError> {
        Ok(None)
    }

    async fn difference(&self, _: &SecretString, _: &RepoName, _: &CommitSha, _: &CommitSha) -> Result<Option<Difference>, PortError> {
        Ok(None)
    }

    async fn announce(&self, token: &SecretString, _: &RepoName, order: &AnnouncementOrder) -> Result<AnnouncementId, PortError> {
        if name(token) == FORMER {
            return Err(PortError::new(Service::SourceControl, Fault::Forbidden, "no right to record"));
        }
        let deployment = order.deployment;
        let answer = |outside: &Outside| record_id(outside.records.len() - 1);
        self.orders("orders the record", Service::SourceControl, Order::Record { deployment }, answer).await
    }

    async fn find_announcement(
        &self,
        _: &SecretString,
        _: &RepoName,
        order: &AnnouncementOrder,
    ) -> Result<Option<AnnouncementId>, PortError> {
        let deployment = order.deployment;
        self.looks("looks for the record", |outside, _| {
            Ok(outside.records.iter().position(|record| record.deployment == deployment).map(record_id))
        })
        .await
    }

    async fn report(&self, _: &SecretString, _: &RepoName, to: &AnnouncementId, report: &Report) -> Result<(), PortError> {
        let what = || format!("reports {:?} to {to:?}", report.state);
        let number: usize = to.as_str().parse().unwrap();
        self.changes(what, Service::SourceControl, |outside| outside.records[number].states.push(report.state)).await
    }

    async fn archive(&self, _: &SecretString, _: &RepoName, _: &CommitSha) -> Result<SourceArchive, ArchiveFault> {
        self.looks("fetches the source", |_, _| ()).await;
        Ok(SourceArchive { length: 0, sha256: "0".repeat(64), body: Box::new(MockArchiveBody::new()) })
    }
}

/// Hears the end of what is printed.
#[derive(Debug)]
struct Ear {
    clock: Watch,
    begun: bool,
    ends: Option<Timestamp>,
}

#[async_trait]
impl Follower for Ear {
    async fn heard(&mut self) -> Heard {
        let Some(ends) = self.ends else { return std::future::pending().await };
        if !std::mem::replace(&mut self.begun, true) {
            return Heard::Begun;
        }
        self.clock.pause_until(ends).await;
        self.ends = None;
        Heard::Reason
    }
}

fn as_seen_last(name: &RepoName) -> Repository {
    Repository {
        name: name.clone(),
        default_branch: RefName::parse("main").unwrap(),
        may_deploy: Some(true),
        archived: false,
        web_url: format!("https://source.example.com/{name}"),
    }
}

fn record_id(number: usize) -> AnnouncementId {
    AnnouncementId::parse(&number.to_string()).unwrap()
}

fn build_id(number: usize) -> BuildId {
    BuildId::parse(&format!("build-{number}")).unwrap()
}

fn build_seen((number, build): (usize, &Built), now: Timestamp) -> Build {
    Build { id: build_id(number), state: build.state(number, now), created_at: Some(build.created) }
}

#[async_trait]
impl Platform for Seat {
    async fn pipelines(&self, token: &SecretString) -> Result<Vec<Pipeline>, PortError> {
        match name(token) {
            // Without a word on the terminal.
            CLUMSY => std::panic::resume_unwind(Box::new("as it was told to")),
            SLOW => {
                let until = self.schedule.now() + SignedDuration::from_secs(SLOWLY);
                Watch { schedule: self.schedule.clone(), process: self.process }.pause_until(until).await;
            }
            _ => {}
        }
        self.looks("reads the pipelines", |_, _| {
            let pipeline = |(name, _, _): (&str, &str, slash_heroku::domain::pipeline::Environment)| Pipeline {
                id: PipelineId::parse(name).unwrap(),
                name: PipelineName::parse(name).unwrap(),
                owner: None,
                created_at: None,
            };
            Ok(PIPELINES.map(pipeline).to_vec())
        })
        .await
    }

    async fn apps(&self, _: &SecretString, of: &PipelineId) -> Result<Vec<App>, PortError> {
        let all = PIPELINES.iter().filter(|(pipeline, _, _)| *pipeline == of.as_str());
        Ok(all
            .map(|(_, app, environment)| App {
                id: AppId::parse(app).unwrap(),
                name: AppName::parse(app).unwrap(),
                environment: *environment,
                web_url: None,
            })
            .collect())
    }

    async fn linked_repository(&self, _: &SecretString, pipeline: &PipelineId) -> Result<Option<RepoName>, PortError> {
        Ok(Some(RepoName::parse(&format!("acme/{pipeline}")).unwrap()))
    }

    async fn access(&self, token: &SecretString, app: &AppId) -> Access {
        self.looks("reads the access", |outside, now| Access {
            may_deploy: Some(true),
            needs_code: Some(outside.wants_code(name(token), app, now)),
        })
        .await
    }

    async fn spend_code(&self, token: &SecretString, app: &AppId, _: SecretString) -> Result<bool, PortError> {
        self.looks("spends a code", |outside, now| {
            outside.takes_code(name(token), app, now);
            Ok(true)
        })
        .await
    }

    async fn upload(&self, _: &SecretString, archive: SourceArchive) -> Result<UploadedSource, PortError> {
        let at = self.schedule.now();
        let source = UploadedSource { address: SecretString::from("https://files.example.com"), sha256: archive.sha256, at };
        self.changes(|| "uploads the source".to_owned(), Service::Platform, |_| source).await
    }

    async fn start_build(&self, token: &SecretString, app: &AppId, order: &BuildOrder) -> Result<BuildStart, PortError> {
        if self.outside(|outside, now| outside.wants_code(name(token), app, now)) {
            return Ok(BuildStart::NeedsCode);
        }
        let deployment = order.deployment;
        let now = self.schedule.now();
        let answer = |outside: &Outside| BuildStart::Started(build_seen(outside.build_of(deployment).unwrap(), now));
        let order = Order::Build { app: app.clone(), deployment, commit: order.commit.clone() };
        self.orders("orders the build", Service::Platform, order, answer).await
    }

    async fn find_build(&self, _: &SecretString, _: &AppId, of: DeploymentId, _: Timestamp) -> Result<Option<Build>, PortError> {
        self.looks("looks for the build", |outside, now| Ok(outside.build_of(of).map(|build| build_seen(build, now)))).await
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
        let number = Outside::build_number(build);
        self.looks("looks at the build", |outside, now| Ok(build_seen((number, &outside.builds[number]), now))).await
    }

    fn follow(&self, _: &AppId, build: &BuildId, release: Option<ReleaseId>) -> Box<dyn Follower> {
        // Some hear nothing, as where no stream begins.
        let hears = self.schedule.draw(|random| random.chance(50));
        let ends = self.outside(|outside, _| outside.builds[Outside::build_number(build)].prints_until(release.is_some()));
        let clock = Watch { schedule: self.schedule.clone(), process: self.process };
        Box::new(Ear { clock, begun: false, ends: hears.then_some(ends) })
    }

    async fn stop_build(&self, _: &SecretString, _: &AppId, build: &BuildId) -> Result<(), PortError> {
        let (number, now) = (Outside::build_number(build), self.schedule.now());
        self.changes(
            || format!("stops {build}"),
            Service::Platform,
            |outside| {
                let pending = !outside.builds[number].is_over(now) && outside.builds[number].state(number, now) == BuildState::Pending;
                outside.builds[number].stopped |= pending;
            },
        )
        .await
    }

    async fn release(&self, _: &SecretString, _: &AppId, release: &ReleaseId) -> Result<Release, PortError> {
        let seen = self.looks("looks at the release", |outside, now| outside.release(release, now)).await;
        seen.ok_or_else(|| PortError::new(Service::Platform, Fault::NotFound, "no such release"))
    }

    async fn releases(&self, _: &SecretString, _: &AppId, _: usize) -> Result<Vec<Release>, PortError> {
        Ok(Vec::new())
    }

    async fn running(&self, _: &SecretString, app: &AppId) -> Result<Option<Running>, PortError> {
        self.looks("looks at what runs", |outside, now| Ok(outside.running(app, now))).await
    }

    async fn dynos(&self, _: &SecretString, app: &AppId) -> Result<Vec<Dyno>, PortError> {
        self.looks("looks at the dynos", |outside, now| Ok(outside.dynos(app, now))).await
    }

    async fn output(&self, _: &SecretString, _: &AppId, _: &Printed, _: usize) -> Result<Option<String>, PortError> {
        Ok(None)
    }

    fn pipeline_page(&self, pipeline: &PipelineId) -> String {
        format!("https://platform.example.com/pipeline/{pipeline}")
    }

    fn app_page(&self, app: &AppName) -> String {
        format!("https://platform.example.com/app/{app}")
    }

    fn build_page(&self, _: &AppName, build: &BuildId) -> String {
        format!("https://platform.example.com/build/{build}")
    }

    fn release_page(&self, _: &AppName, release: &ReleaseId) -> String {
        format!("https://platform.example.com/release/{release}")
    }
}
