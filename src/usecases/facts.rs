//! Finding what a command means, and gathering what the gate needs to know.

use secrecy::SecretString;

use crate::domain::actor::Person;
use crate::domain::checks::Checks;
use crate::domain::command::{Command, Where, Wish};
use crate::domain::deployment::{Deployment, Target};
use crate::domain::gate::{self, GateFacts, RefNow, Verdict};
use crate::domain::lock::Lock;
use crate::domain::message::Message;
use crate::domain::names::{CommitSha, PipelineName, RefName, RepoName};
use crate::domain::pipeline::{
    App, Environment, NoApp, NoPipeline, Pipeline, PipelineKey, PipelineRepository, Place, pick_app, pick_pipeline,
};
use crate::domain::release::{Access, Running};
use crate::domain::rights::Rules;
use crate::domain::source::{AskedRef, CommitRef, Comparison, Provenance, Repository, Resolution, Resolved};
use crate::domain::speech::{self, Doing};
use crate::ports::{Credentials, Fault, PortError, StoreError};

use super::offers::offer;
use super::rights::{Judged, judged_deploy};
use super::{Ports, Trouble, WhileDoing};

/// The pipeline that was meant, or a refusal that offers the ones that may be meant.
pub(super) async fn find_pipeline(
    ports: &Ports,
    asker: &Person,
    token: &SecretString,
    key: &PipelineKey,
    again: impl Fn(PipelineKey) -> Command,
) -> Result<Pipeline, Trouble> {
    let all = ports.platform.pipelines(token).await.while_doing(Doing::ReadingPipelines)?;
    match pick_pipeline(&all, key) {
        Ok(pipeline) => Ok(pipeline.clone()),
        Err(no) => {
            let choices: Vec<(String, Command)> = match &no {
                NoPipeline::Unknown { nearest: Some(nearest) } => {
                    let command = again(PipelineKey::Name(nearest.clone()));
                    vec![(nearest.to_string(), command)]
                }
                NoPipeline::Unknown { nearest: None } => Vec::new(),
                NoPipeline::Several(pipelines) => {
                    pipelines.iter().map(|p| (speech::pipeline_apart(p), again(PipelineKey::Id(p.id.clone())))).collect()
                }
            };
            let buttons = offer(ports, asker, choices).await?;
            Err(speech::no_pipeline(key, &no, &all, &buttons).into())
        }
    }
}

/// The apps of a pipeline.
pub(super) async fn apps_of(ports: &Ports, token: &SecretString, pipeline: &Pipeline) -> Result<Vec<App>, Trouble> {
    ports.platform.apps(token, &pipeline.id).await.while_doing(Doing::ReadingApps)
}

/// The app that was meant, or a refusal that offers the names.
pub(super) async fn find_app(
    ports: &Ports,
    asker: &Person,
    pipeline: &Pipeline,
    apps: &[App],
    place: Option<&Place>,
    again: impl Fn(Place) -> Command,
) -> Result<App, Trouble> {
    find_app_among(ports, asker, pipeline, apps, place, again, |_| None).await
}

/// The same, where all apps of an environment may be meant as well.
pub(super) async fn find_app_among(
    ports: &Ports,
    asker: &Person,
    pipeline: &Pipeline,
    apps: &[App],
    place: Option<&Place>,
    again: impl Fn(Place) -> Command,
    every: impl Fn(Environment) -> Option<Command>,
) -> Result<App, Trouble> {
    match pick_app(apps, place) {
        Ok(app) => Ok(app.clone()),
        Err(no) => {
            let named = |environment, app| Place { environment, app: Some(app) };
            let whole = |environment| Place { environment, app: None };
            let places: Vec<Place> = match &no {
                NoApp::EmptyEnvironment { instead, .. } | NoApp::NoDefault { instead } => instead.iter().copied().map(whole).collect(),
                NoApp::Unknown { environment, nearest: Some(nearest), .. } => vec![named(*environment, nearest.clone())],
                NoApp::Unknown { nearest: None, environment, there, .. } | NoApp::Several { environment, apps: there } => {
                    there.iter().cloned().map(|app| named(*environment, app)).collect()
                }
            };
            let label = |place: &Place| place.app.as_ref().map_or_else(|| place.environment.to_string(), ToString::to_string);
            let every = match &no {
                NoApp::Several { environment, apps } => every(*environment).map(|command| (speech::all_apps(apps.len()), command)),
                NoApp::EmptyEnvironment { .. } | NoApp::NoDefault { .. } | NoApp::Unknown { .. } => None,
            };
            let choices = places.into_iter().map(|place| (label(&place), again(place))).chain(every);
            let buttons = offer(ports, asker, choices).await?;
            Err(speech::no_app(pipeline, &no, &buttons).into())
        }
    }
}

/// Pipeline and app of a command that names a place.
pub(super) async fn find_place(
    ports: &Ports,
    asker: &Person,
    token: &SecretString,
    place: &Where,
    again: impl Fn(Where) -> Command,
) -> Result<(Pipeline, App), Trouble> {
    let pipeline =
        find_pipeline(ports, asker, token, &place.pipeline, |pipeline| again(Where { pipeline, place: place.place.clone() })).await?;
    let apps = apps_of(ports, token, &pipeline).await?;
    let key = place.pipeline.clone();
    let app = find_app(ports, asker, &pipeline, &apps, place.place.as_ref(), |at| again(Where { pipeline: key.clone(), place: Some(at) }))
        .await?;
    Ok((pipeline, app))
}

/// The repository that a pipeline ships: our own mapping, else what the platform links.
pub(super) async fn repository_of(
    ports: &Ports,
    token: &SecretString,
    pipeline: &Pipeline,
) -> Result<Option<PipelineRepository>, PortError> {
    let Some(ours) = ports.repositories.of(pipeline) else {
        let linked = ports.platform.linked_repository(token, &pipeline.id).await?;
        return Ok(linked.map(|name| PipelineRepository { name, overrides: None }));
    };
    // Our mapping works without the link; the link is only read to point out a difference.
    let linked = ports.platform.linked_repository(token, &pipeline.id).await.unwrap_or(None);
    let overrides = linked.filter(|linked| !linked.same_as(ours));
    Ok(Some(PipelineRepository { name: ours.clone(), overrides }))
}

/// What a deploy of a wish would be.
#[derive(Debug)]
pub(super) struct Prospect {
    pub target: Target,
    pub repository: Repository,
    /// As of when the rights in it are.
    pub rights: Rights,
    pub overrides_link_to: Option<RepoName>,
    pub resolved: Resolved,
    pub access: Access,
    pub running: Option<Running>,
    /// What runs cannot be read.
    pub unread: bool,
    pub change: Option<Comparison>,
    pub verdict: Verdict,
    /// What the asker holds there.
    pub own_locks: Vec<Lock>,
    pub rules: Rules,
}

/// The app of a wish.
pub(super) async fn find_target(
    ports: &Ports,
    asker: &Person,
    token: &SecretString,
    wish: &Wish,
    again: impl Fn(Wish) -> Command,
) -> Result<(Pipeline, Target), Trouble> {
    let pipeline = find_pipeline(ports, asker, token, &wish.pipeline, |pipeline| again(Wish { pipeline, ..wish.clone() })).await?;
    let apps = apps_of(ports, token, &pipeline).await?;
    let app = find_app(ports, asker, &pipeline, &apps, wish.to.as_ref(), |place| again(Wish { to: Some(place), ..wish.clone() })).await?;
    let target = Target::of(&pipeline, &app);
    Ok((pipeline, target))
}

/// A ref that stands for no single commit: a refusal that offers the ones that may be meant.
pub(super) async fn no_ref(
    ports: &Ports,
    asker: &Person,
    repository: &Repository,
    asked: &AskedRef,
    resolution: &Resolution,
    again: impl Fn(RefName) -> Command,
) -> Result<Message, StoreError> {
    let names: Vec<(String, RefName)> = match resolution {
        Resolution::Unknown { nearest } => nearest.iter().map(|near| (near.to_string(), near.clone())).collect(),
        Resolution::BranchAndTag { branch, tag } => {
            let by_hash = |commit: &CommitSha| RefName::parse(commit.as_str()).ok();
            let branch = by_hash(branch).map(|hash| (speech::of_branch(branch), hash));
            let tag = by_hash(tag).map(|hash| (speech::of_tag(tag), hash));
            branch.into_iter().chain(tag).collect()
        }
        Resolution::Found(_) | Resolution::AmbiguousHash | Resolution::EmptyRepository => Vec::new(),
    };
    let choices = names.into_iter().map(|(label, name)| (label, again(name)));
    let buttons = offer(ports, asker, choices).await?;
    Ok(speech::no_ref(repository, asked, resolution, &buttons))
}

/// Which rights in the repository are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// Those of now: what is found out is told, or somebody waits or rides along by it.
    OfNow,
    /// Those that were seen last do: a deploy starts at once, and the source control judges them as it records it, before anything is
    /// built.
    AsSeenLast,
}

impl Rights {
    async fn repository(self, ports: &Ports, who: &Credentials, name: &RepoName) -> Result<Repository, PortError> {
        match self {
            Self::OfNow => ports.source.repository(&who.source, name).await,
            Self::AsSeenLast => ports.source.repository_for_deploy(&who.source, name).await,
        }
    }
}

/// Everything that can be known about a wish before it begins.
pub(super) async fn look_ahead(
    ports: &Ports,
    asker: &Person,
    who: &Credentials,
    (pipeline, target): (&Pipeline, Target),
    (wish, overriding): (&Wish, bool),
    rights: Rights,
    again: impl Fn(Wish) -> Command,
) -> Result<Prospect, Trouble> {
    let found = repository_of(ports, &who.platform, pipeline).await.while_doing(Doing::ReadingLink)?;
    let Some(link) = found else {
        return Err(speech::no_repository(pipeline, &ports.platform.pipeline_page(&pipeline.id)).into());
    };
    let repository = match rights.repository(ports, who, &link.name).await {
        Err(error) if matches!(error.fault, Fault::NotFound) => return Err(speech::repository_hidden(pipeline, &link.name).into()),
        other => other.while_doing(Doing::ReadingRepository)?,
    };
    let resolution = ports.source.resolve(&who.source, &repository, &wish.what).await.while_doing(Doing::ReadingRef)?;
    let Resolution::Found(resolved) = resolution else {
        let named = |what| again(Wish { what: AskedRef::Named(what), to: wish.to.clone(), pipeline: wish.pipeline.clone() });
        return Err(no_ref(ports, asker, &repository, &wish.what, &resolution, named).await?.into());
    };
    let locks = ports.locks.locks(&pipeline.id, &pipeline.name).await?;
    let now = ports.clock.now();
    let lock = locks.against(asker, target.environment, now).map(|lock| (&locks.name, lock));
    let checks = ports.source.checks(&who.source, &repository, &resolved.named_by, &resolved.commit).await;
    let access = ports.platform.access(&who.platform, &target.app).await;
    let judged = judged_deploy(ports, &asker.workspace, asker, target.environment, overriding).await?;
    let verdict = verdict(&repository, &resolved, RefNow::Unmoved, checks.as_ref(), access, lock, (&judged, overriding));
    let own_locks = locks.at(now).filter(|lock| lock.holder == *asker && lock.on.covers(target.environment)).cloned().collect();
    let running = running(ports, who, &target).await;
    let (running, unread) = running.map_or((None, true), |running| (running, false));
    let change = change_from(ports, who, running.as_ref(), &repository.name, &resolved.commit).await;
    let (overrides_link_to, rules) = (link.overrides, judged.rules);
    Ok(Prospect { target, repository, rights, overrides_link_to, resolved, access, running, unread, change, verdict, own_locks, rules })
}

/// What runs in an app is worth knowing, and not knowing it is no reason to refuse. `Err`: it cannot be read.
async fn running(ports: &Ports, who: &Credentials, target: &Target) -> Result<Option<Running>, ()> {
    ports.platform.running(&who.platform, &target.app).await.map_err(|error| tracing::info!(%error, "what runs now cannot be read"))
}

async fn change_from(
    ports: &Ports,
    who: &Credentials,
    running: Option<&Running>,
    repository: &RepoName,
    commit: &CommitSha,
) -> Option<Comparison> {
    let base = running?.commit.as_ref()?;
    ports.source.compare(&who.source, repository, base, commit).await.unwrap_or_else(|error| {
        tracing::info!(%error, "the difference to what runs cannot be read");
        None
    })
}

/// How a commit stands to what runs in an app now, as far as that can be read.
pub(super) async fn change_to(
    ports: &Ports,
    who: &Credentials,
    target: &Target,
    repository: &RepoName,
    commit: &CommitSha,
) -> Option<Comparison> {
    let running = running(ports, who, target).await.unwrap_or(None);
    change_from(ports, who, running.as_ref(), repository, commit).await
}

fn verdict(
    repository: &Repository,
    resolved: &Resolved,
    ref_now: RefNow,
    checks: Result<&Checks, &PortError>,
    access: Access,
    lock: Option<(&PipelineName, &Lock)>,
    (judged, overriding): (&Judged, bool),
) -> Verdict {
    gate::judge(&GateFacts {
        repository,
        commit: &resolved.commit,
        named_by: &resolved.named_by,
        provenance: resolved.provenance,
        ref_now,
        checks: checks.map_err(|error| error.said.clone()),
        access,
        lock,
        overriding,
        denials: &judged.denials,
        override_barred: judged.override_barred,
    })
}

/// Why a deployment could not be judged again.
#[derive(Debug)]
pub(super) enum Unjudged {
    /// Something outside could not be read.
    Outside(PortError),
    /// The store could not be read.
    Store(StoreError),
}

impl From<PortError> for Unjudged {
    fn from(error: PortError) -> Self {
        Self::Outside(error)
    }
}

impl From<StoreError> for Unjudged {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Judges a recorded deployment again, right before it starts.
pub(super) async fn judge_again(
    ports: &Ports,
    who: &Credentials,
    deployment: &Deployment,
    access: Access,
    judged: &Judged,
) -> Result<Verdict, Unjudged> {
    let cargo = &deployment.cargo;
    // One that has waited was promised a judgement; one that is recorded is judged by nobody else any more.
    let was_promised = deployment.has_waited() || deployment.announcement.is_some();
    let rights = if was_promised { Rights::OfNow } else { Rights::AsSeenLast };
    let repository = rights.repository(ports, who, &cargo.repository).await?;
    if deployment.back().is_some() {
        return Ok(judge_return(ports, &repository, &deployment.target, &deployment.origin.person, &cargo.commit, (access, judged)).await?);
    }
    let ref_now = ref_now(ports, who, &repository, &cargo.asked, &cargo.named_by, &cargo.commit).await?;
    let checks = ports.source.checks(&who.source, &repository, &cargo.named_by, &cargo.commit).await?;
    let target = &deployment.target;
    let locks = ports.locks.locks(&target.pipeline, &target.pipeline_name).await?;
    let lock = locks.against(&deployment.origin.person, target.environment, ports.clock.now()).map(|lock| (&locks.name, lock));
    let resolved = Resolved { commit: cargo.commit.clone(), named_by: cargo.named_by.clone(), provenance: Provenance::Repository };
    Ok(verdict(&repository, &resolved, ref_now, Ok(&checks), access, lock, (judged, deployment.overriding.is_some())))
}

/// Judges what may change while a deployment waits for its checks, as far as the repository tells: its ref and the checks.
pub(super) async fn judge_checks(ports: &Ports, who: &Credentials, deployment: &Deployment) -> Result<Verdict, PortError> {
    let cargo = &deployment.cargo;
    let repository = ports.source.repository(&who.source, &cargo.repository).await?;
    let ref_now = ref_now(ports, who, &repository, &cargo.asked, &cargo.named_by, &cargo.commit).await?;
    let checks = ports.source.checks(&who.source, &repository, &cargo.named_by, &cargo.commit).await?;
    Ok(gate::judge(&GateFacts {
        repository: &repository,
        commit: &cargo.commit,
        named_by: &cargo.named_by,
        provenance: Provenance::Repository,
        ref_now,
        checks: Ok(&checks),
        access: Access::default(),
        lock: None,
        overriding: false,
        denials: &[],
        override_barred: false,
    }))
}

/// Judges a way back. What served before needs no checks.
pub(super) async fn judge_return(
    ports: &Ports,
    repository: &Repository,
    target: &Target,
    asker: &Person,
    commit: &CommitSha,
    (access, judged): (Access, &Judged),
) -> Result<Verdict, StoreError> {
    let locks = ports.locks.locks(&target.pipeline, &target.pipeline_name).await?;
    let lock = locks.against(asker, target.environment, ports.clock.now()).map(|lock| (&locks.name, lock));
    let resolved = Resolved { commit: commit.clone(), named_by: CommitRef::Commit, provenance: Provenance::Repository };
    let verdict = verdict(repository, &resolved, RefNow::Unmoved, Ok(&Checks::default()), access, lock, (judged, false));
    Ok(Verdict { no_checks: false, ..verdict })
}

/// What became of the ref since the commit was chosen.
async fn ref_now(
    ports: &Ports,
    who: &Credentials,
    repository: &Repository,
    asked: &AskedRef,
    named_by: &CommitRef,
    commit: &CommitSha,
) -> Result<RefNow, PortError> {
    if matches!(asked, AskedRef::Pinned { .. }) {
        let still = matches!(ports.source.resolve(&who.source, repository, asked).await?, Resolution::Found(_));
        return Ok(if still { RefNow::Unmoved } else { RefNow::LeftBehind });
    }
    if *named_by == CommitRef::Commit {
        return Ok(RefNow::Unmoved);
    }
    Ok(match ports.source.points_at(&who.source, &repository.name, named_by).await? {
        Some(now) if now == *commit => RefNow::Unmoved,
        Some(now) => RefNow::Moved(now),
        None => RefNow::Gone,
    })
}
