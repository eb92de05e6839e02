//! Looking: pipelines, one pipeline, what goes on, the last releases.

use crate::domain::command::{Command, Where};
use crate::domain::deployment::{Deployment, waits};
use crate::domain::message::Message;
use crate::domain::names::{CheckName, DeploymentId};
use crate::domain::pipeline::{App, Environment, PipelineKey};
use crate::domain::request::Request;
use crate::domain::rights::Rules;
use crate::domain::source::{AskedRef, Resolution};
use crate::domain::speech::{self, AppRow, Doing, May, RepositoryInfo, StatusRow};
use crate::ports::{Credentials, StoreError};

use super::drive::is_slowed;
use super::facts::{apps_of, find_pipeline, find_place, repository_of};
use super::locks::rows_of;
use super::rights::judged_deploy;
use super::{Ports, Trouble, WhileDoing, privacy, routes};

/// How many releases are shown.
const RELEASES: usize = 10;

pub(super) async fn pipelines(ports: &Ports, who: &Credentials) -> Result<Message, Trouble> {
    let pipelines = ports.platform.pipelines(&who.platform).await.while_doing(Doing::ReadingPipelines)?;
    Ok(speech::pipelines(&pipelines))
}

pub(super) async fn info(ports: &Ports, request: &Request, who: &Credentials, key: &PipelineKey) -> Result<Message, Trouble> {
    let again = |pipeline| Command::Info { pipeline };
    let pipeline = find_pipeline(ports, &request.origin.person, &who.platform, key, again).await?;
    let apps = apps_of(ports, &who.platform, &pipeline).await?;
    let repository = repository_info(ports, who, &pipeline).await;
    let mut rows = Vec::new();
    for app in &apps {
        rows.push(app_row(ports, who, app).await?);
    }
    let now = ports.clock.now();
    let locks = rows_of(&ports.locks.locks(&pipeline.id, &pipeline.name).await?, now);
    let asker = &request.origin.person;
    let (mut deploy, mut override_barred) = (Vec::new(), false);
    let mut rules = Rules::none(asker.workspace.clone());
    for environment in Environment::ALL.into_iter().filter(|environment| apps.iter().any(|app| app.environment == *environment)) {
        let judged = judged_deploy(ports, &asker.workspace, asker, environment, false).await?;
        override_barred |= judged.override_barred;
        deploy.push((environment, judged.denials));
        rules = judged.rules;
    }
    let may = May { deploy, override_barred, rules: &rules, now };
    Ok(speech::info(&pipeline, &ports.platform.pipeline_page(&pipeline.id), &repository, &rows, &locks, &may))
}

async fn app_row(ports: &Ports, who: &Credentials, app: &App) -> Result<AppRow, StoreError> {
    let line = ports.store.line(&app.id).await?;
    let holder = match line.holder {
        Some(id) => ports.store.deployment(id).await?,
        None => None,
    };
    let access = ports.platform.access(&who.platform, &app.id).await;
    Ok(AppRow { app: app.clone(), page: ports.platform.app_page(&app.name), holder, waiting: line.waiting.len(), access })
}

/// What is known of a pipeline's repository: whatever cannot be read is said, and stops nothing.
async fn repository_info(ports: &Ports, who: &Credentials, pipeline: &crate::domain::pipeline::Pipeline) -> RepositoryInfo {
    let link = match repository_of(ports, &who.platform, pipeline).await {
        Ok(Some(link)) => link,
        Ok(None) => return RepositoryInfo::NotLinked,
        Err(error) => return RepositoryInfo::Unreadable { name: None, error },
    };
    let unreadable = |error| RepositoryInfo::Unreadable { name: Some(link.name.clone()), error };
    let repository = match ports.source.repository(&who.source, &link.name).await {
        Ok(repository) => repository,
        Err(error) => return unreadable(error),
    };
    let required = match ports.source.resolve(&who.source, &repository, &AskedRef::Default).await {
        Ok(Resolution::Found(head)) => ports.source.checks(&who.source, &repository, &head.named_by, &head.commit).await.map(|checks| {
            let mut names: Vec<CheckName> = checks.required.into_iter().map(|required| required.name).collect();
            names.dedup();
            names
        }),
        Ok(Resolution::Unknown { .. } | Resolution::BranchAndTag { .. } | Resolution::AmbiguousHash | Resolution::EmptyRepository) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    };
    RepositoryInfo::Known { repository, overrides: link.overrides, required }
}

pub(super) async fn status(ports: &Ports, request: &Request, who: &Credentials, key: Option<&PipelineKey>) -> Result<Message, Trouble> {
    let again = |pipeline| Command::Status { pipeline: Some(pipeline) };
    let pipeline = match key {
        Some(key) => Some(find_pipeline(ports, &request.origin.person, &who.platform, key, again).await?),
        None => None,
    };
    let mut rows = Vec::new();
    for deployment in ports.store.open_deployments().await? {
        // Of a pipeline that one can see, whoever ships there is shown; of all others, one's own workspace.
        let shown = match &pipeline {
            Some(pipeline) => pipeline.id == deployment.target.pipeline,
            None => deployment.origin.person.workspace == request.origin.person.workspace,
        };
        if deployment.is_listed() && shown {
            rows.push(status_row(ports, deployment).await?);
        }
    }
    let now = ports.clock.now();
    let locks = match &pipeline {
        Some(pipeline) => rows_of(&ports.locks.locks(&pipeline.id, &pipeline.name).await?, now),
        None => {
            let all = ports.locks.all_locks().await?;
            let mut rows: Vec<_> = all.iter().flat_map(|locks| rows_of(locks, now)).collect();
            // What other workspaces hold is told where somebody names the pipeline.
            rows.retain(|row| row.lock.holder.workspace == request.origin.person.workspace);
            rows
        }
    };
    let reader = &request.origin.person;
    let closed = routes::closed(ports, &reader.workspace, pipeline.as_ref()).await?;
    let message = speech::status(reader, pipeline.as_ref(), &rows, &locks, &closed, is_slowed(ports, who), now);
    // Whoever looks after the workspace also sees that what is too old goes.
    let looks_after = pipeline.is_none() && ports.rights.member(&reader.workspace, reader, now).await.is_ok_and(|member| member.admin);
    if !looks_after {
        return Ok(message);
    }
    let (upkeep, waiting) = privacy::upkeep_state(ports).await?;
    Ok(match speech::retention_line(&upkeep, waiting, now) {
        Some(line) => message.line(line),
        None => message,
    })
}

pub(super) async fn status_row(ports: &Ports, deployment: Deployment) -> Result<StatusRow, StoreError> {
    let line = ports.store.line(&deployment.target.app).await?;
    let wait = if deployment.waits() {
        let standing = deployments(ports, line.everybody()).await?;
        let waits = waits(&standing, ports.clock.now());
        standing.iter().zip(waits).find(|(one, _)| one.id == deployment.id).and_then(|(_, wait)| wait)
    } else {
        None
    };
    Ok(StatusRow { ahead: line.place_of(deployment.id), wait, deployment })
}

/// The deployments behind ids, in their order.
pub(super) async fn deployments(ports: &Ports, ids: impl IntoIterator<Item = DeploymentId>) -> Result<Vec<Deployment>, StoreError> {
    let mut found = Vec::new();
    for id in ids {
        found.extend(ports.store.deployment(id).await?);
    }
    Ok(found)
}

pub(super) async fn releases(ports: &Ports, request: &Request, who: &Credentials, place: &Where) -> Result<Message, Trouble> {
    let (_, app) = find_place(ports, &request.origin.person, &who.platform, place, Command::Releases).await?;
    let releases = ports.platform.releases(&who.platform, &app.id, RELEASES).await.while_doing(Doing::ReadingReleases)?;
    let ours = ports.store.deployments_of_app(&app.id, RELEASES * 3).await?;
    Ok(speech::releases(&app, &ports.platform.app_page(&app.name), &releases, &ours, ports.clock.now()))
}
