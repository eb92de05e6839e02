//! Where commits run: what each environment has, and where a change is.

use crate::domain::command::{Command, Seek};
use crate::domain::deployment::Deployment;
use crate::domain::message::Message;
use crate::domain::names::{CommitSha, RepoName};
use crate::domain::pipeline::{App, Environment, Pipeline, PipelineKey};
use crate::domain::request::Request;
use crate::domain::source::{AskedRef, Direction, Repository, Resolution, Resolved};
use crate::domain::speech::{self, ChangeRow, Distance, Doing, From, LockRow, Maker, Reached, Stand};
use crate::ports::{Credentials, Fault};

use super::facts::{apps_of, find_pipeline, no_ref, repository_of};
use super::offers::offer;
use super::{Ports, Trouble, WhileDoing};

/// How many of the newest releases are looked at for the one that serves.
const RELEASES: usize = 20;
/// How many of an app's deployments are looked at for the one that made it.
const OURS: usize = 60;

pub(super) async fn seek(ports: &Ports, request: &Request, who: &Credentials, seek: &Seek) -> Result<Message, Trouble> {
    let asker = &request.origin.person;
    match seek {
        Seek::Pipeline(key) => {
            let again = |pipeline| Command::Where(Seek::Pipeline(pipeline));
            let pipeline = find_pipeline(ports, asker, &who.platform, key, again).await?;
            whereabouts(ports, who, &pipeline).await
        }
        Seek::InPipeline { pipeline, what } => {
            let again = |pipeline| Command::Where(Seek::InPipeline { pipeline, what: what.clone() });
            let pipeline = find_pipeline(ports, asker, &who.platform, pipeline, again).await?;
            let repository = readable_repository(ports, who, &pipeline).await?;
            let resolution = ports.source.resolve(&who.source, &repository, what).await.while_doing(Doing::ReadingRef)?;
            let Resolution::Found(resolved) = resolution else {
                let key = || PipelineKey::Id(pipeline.id.clone());
                let again = |name| Command::Where(Seek::InPipeline { pipeline: key(), what: AskedRef::Named(name) });
                return Err(no_ref(ports, asker, &repository, what, &resolution, again).await?.into());
            };
            change(ports, request, who, &pipeline, &repository, &resolved).await
        }
        Seek::Change { what, repository } => search(ports, request, who, what, repository.as_ref()).await,
    }
}

/// The repository that a pipeline ships, as the asker sees it, or a refusal.
pub(super) async fn readable_repository(ports: &Ports, who: &Credentials, pipeline: &Pipeline) -> Result<Repository, Trouble> {
    let found = repository_of(ports, &who.platform, pipeline).await.while_doing(Doing::ReadingLink)?;
    let Some(link) = found else {
        return Err(speech::no_repository(pipeline, &ports.platform.pipeline_page(&pipeline.id)).into());
    };
    match ports.source.repository(&who.source, &link.name).await {
        Err(error) if matches!(error.fault, Fault::NotFound) => Err(speech::repository_hidden(pipeline, &link.name).into()),
        other => other.while_doing(Doing::ReadingRepository),
    }
}

/// What runs in an app, since when and by whom.
pub(super) async fn stand(ports: &Ports, who: &Credentials, app: &App) -> Result<Stand, Trouble> {
    let running = ports.platform.running(&who.platform, &app.id).await;
    let mut stand = Stand { app: app.clone(), page: ports.platform.app_page(&app.name), running, since: None, by: None };
    let Ok(Some(running)) = &stand.running else { return Ok(stand) };
    // Who and when is worth knowing, and not knowing it is no reason to say nothing.
    let releases = ports.platform.releases(&who.platform, &app.id, RELEASES).await.unwrap_or_default();
    let release = releases.iter().find(|release| release.version == running.version);
    let ours = ports.store.deployments_of_app(&app.id, OURS).await?;
    let made_by = |one: &&Deployment| one.release.is_some() && one.release.as_ref() == release.map(|release| &release.id);
    stand.by = match ours.iter().find(made_by) {
        Some(ours) => Some(Maker::Asker(ours.origin.person.clone(), ours.cargo.named_by.clone())),
        None => release.and_then(|release| release.by.clone()).map(Maker::Other),
    };
    stand.since = release.and_then(|release| release.created_at);
    Ok(stand)
}

/// How `head` stands to what runs in an app, where that can be read.
async fn distance(
    ports: &Ports,
    who: &Credentials,
    repository: &RepoName,
    stand: &Stand,
    head: &CommitSha,
) -> Option<crate::domain::source::Comparison> {
    let base = stand.commit()?;
    ports.source.compare(&who.source, repository, base, head).await.unwrap_or_else(|error| {
        tracing::info!(%error, "how far apart two commits are cannot be read");
        None
    })
}

async fn whereabouts(ports: &Ports, who: &Credentials, pipeline: &Pipeline) -> Result<Message, Trouble> {
    let apps = apps_of(ports, &who.platform, pipeline).await?;
    let repository = match readable_repository(ports, who, pipeline).await {
        Ok(repository) => Some(repository),
        // What runs is told all the same.
        Err(Trouble::Refused(_) | Trouble::Outside(..)) => None,
        Err(trouble @ Trouble::Store(_)) => return Err(trouble),
    };
    let head = match &repository {
        Some(repository) => match ports.source.resolve(&who.source, repository, &AskedRef::Default).await {
            Ok(Resolution::Found(head)) => Some(head.commit),
            Ok(Resolution::Unknown { .. } | Resolution::BranchAndTag { .. } | Resolution::AmbiguousHash | Resolution::EmptyRepository)
            | Err(_) => None,
        },
        None => None,
    };
    let mut stands: Vec<(Stand, Vec<Distance>)> = Vec::new();
    for app in &apps {
        let stand = stand(ports, who, app).await?;
        let mut distances = Vec::new();
        if let (Some(repository), Some(head)) = (&repository, &head) {
            let change = distance(ports, who, &repository.name, &stand, head).await;
            distances.extend(change.map(|change| Distance { from: From::Branch(repository.default_branch.clone()), change }));
            // The nearest environment before it that is no review: what would be promoted here.
            let before = |other: &&(Stand, Vec<Distance>)| {
                other.0.app.environment < app.environment && other.0.app.environment != Environment::Review
            };
            if let Some((other, commit)) = stands.iter().rev().find(before).and_then(|(other, _)| Some((other, other.commit()?)))
                && let Some(change) = distance(ports, who, &repository.name, &stand, commit).await
            {
                distances.push(Distance { from: From::App(other.app.name.clone()), change });
            }
        }
        stands.push((stand, distances));
    }
    let head = repository.as_ref().zip(head.as_ref());
    Ok(speech::whereabouts(pipeline, head, &stands, ports.clock.now()))
}

/// Where a change is live in one pipeline, and what is in the way where it is not.
async fn change(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    pipeline: &Pipeline,
    repository: &Repository,
    resolved: &Resolved,
) -> Result<Message, Trouble> {
    let (asker, now) = (&request.origin.person, ports.clock.now());
    let apps = apps_of(ports, &who.platform, pipeline).await?;
    let locks = ports.locks.locks(&pipeline.id, &pipeline.name).await?;
    let open = ports.store.open_deployments().await?;
    let mut rows = Vec::new();
    for app in &apps {
        let stand = stand(ports, who, app).await?;
        let reached = match distance(ports, who, &repository.name, &stand, &resolved.commit).await {
            None => Reached::Unknown,
            Some(change) => match change.direction {
                Direction::Same | Direction::Behind => Reached::Live,
                Direction::Ahead | Direction::Diverged => Reached::Not(change),
            },
        };
        let mut coming = Vec::new();
        for deployment in open.iter().filter(|one| one.target.app == app.id && !one.has_ended() && !one.has_left()) {
            if contains(ports, who, &repository.name, &deployment.cargo.commit, &resolved.commit).await {
                let ahead = ports.store.line(&app.id).await?.place_of(deployment.id);
                coming.push((deployment.clone(), ahead));
            }
        }
        let lock = locks.against(asker, app.environment, now);
        let lock = lock.map(|lock| LockRow { pipeline: pipeline.name.clone(), lock: lock.clone() });
        rows.push(ChangeRow { stand, reached, coming, lock });
    }
    let merged = match ports.source.resolve(&who.source, repository, &AskedRef::Default).await {
        Ok(Resolution::Found(head)) if head.commit == resolved.commit => Some(true),
        Ok(Resolution::Found(head)) => {
            let found = ports.source.compare(&who.source, &repository.name, &head.commit, &resolved.commit).await;
            found.ok().flatten().map(|found| matches!(found.direction, Direction::Same | Direction::Behind))
        }
        Ok(Resolution::Unknown { .. } | Resolution::BranchAndTag { .. } | Resolution::AmbiguousHash | Resolution::EmptyRepository)
        | Err(_) => None,
    };
    let checks = ports.source.checks(&who.source, repository, &resolved.named_by, &resolved.commit).await;
    let against = speech::checks_against(checks.as_ref().map_err(|error| error.said.clone()));
    Ok(speech::change_whereabouts(&pipeline.name, repository, resolved, (merged, &against), &rows, now))
}

async fn contains(ports: &Ports, who: &Credentials, repository: &RepoName, head: &CommitSha, commit: &CommitSha) -> bool {
    if head == commit {
        return true;
    }
    let compared = ports.source.compare(&who.source, repository, head, commit).await;
    compared.ok().flatten().is_some_and(|found| matches!(found.direction, Direction::Same | Direction::Behind))
}

/// A change that was named without its pipeline: looked for in whatever the asker's pipelines ship.
async fn search(ports: &Ports, request: &Request, who: &Credentials, what: &AskedRef, of: Option<&RepoName>) -> Result<Message, Trouble> {
    let pipelines = ports.platform.pipelines(&who.platform).await.while_doing(Doing::ReadingPipelines)?;
    // A pipeline may be called like a commit.
    if let (AskedRef::Named(name), None) = (what, of)
        && let Some(pipeline) = pipelines.iter().find(|pipeline| pipeline.name.as_str() == name.as_str())
    {
        return whereabouts(ports, who, pipeline).await;
    }
    let mut searched: Vec<(Repository, Option<Resolved>)> = Vec::new();
    let mut found: Vec<(&Pipeline, usize)> = Vec::new();
    for pipeline in &pipelines {
        let Ok(repository) = readable_repository(ports, who, pipeline).await else { continue };
        if of.is_some_and(|of| !of.same_as(&repository.name)) {
            continue;
        }
        let place = match searched.iter().position(|(other, _)| other.name == repository.name) {
            Some(place) => place,
            None => {
                let resolution = ports.source.resolve(&who.source, &repository, what).await;
                let resolved = match resolution {
                    Ok(Resolution::Found(resolved)) => Some(resolved),
                    Ok(
                        Resolution::Unknown { .. }
                        | Resolution::BranchAndTag { .. }
                        | Resolution::AmbiguousHash
                        | Resolution::EmptyRepository,
                    )
                    | Err(_) => None,
                };
                searched.push((repository, resolved));
                searched.len().saturating_sub(1)
            }
        };
        if searched.get(place).is_some_and(|(_, resolved)| resolved.is_some()) {
            found.push((pipeline, place));
        }
    }
    match found.as_slice() {
        [] => Ok(speech::found_nowhere(what, searched.len())),
        [(pipeline, place)] => match searched.get(*place) {
            Some((repository, Some(resolved))) => change(ports, request, who, pipeline, repository, resolved).await,
            Some((_, None)) | None => Ok(speech::found_nowhere(what, searched.len())),
        },
        [_, ..] => {
            let label = |pipeline: &Pipeline| {
                let shared = pipelines.iter().filter(|other| other.name == pipeline.name).count() > 1;
                if shared { speech::pipeline_apart(pipeline) } else { pipeline.name.to_string().chars().take(30).collect() }
            };
            let choices = found.iter().map(|(pipeline, _)| {
                let key = PipelineKey::Id(pipeline.id.clone());
                (label(pipeline), Command::Where(Seek::InPipeline { pipeline: key, what: what.clone() }))
            });
            let buttons = offer(ports, &request.origin.person, choices).await?;
            Ok(speech::which_change(what, &buttons))
        }
    }
}
