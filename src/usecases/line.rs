//! The line: who waits, and stepping out of it.

use crate::domain::command::{Command, Where};
use crate::domain::deployment::{Deployment, Phase};
use crate::domain::message::Message;
use crate::domain::pipeline::{App, NoApp, Place, pick_app};
use crate::domain::request::Request;
use crate::domain::speech::{self, LineRow};
use crate::ports::Credentials;

use super::facts::{apps_of, find_app, find_pipeline};
use super::look::deployments;
use super::{Ports, Trouble, stop};

pub(super) async fn queue(ports: &Ports, request: &Request, who: &Credentials, place: &Where) -> Result<Message, Trouble> {
    let asker = &request.origin.person;
    let again = |pipeline| Command::Queue(Where { pipeline, place: place.place.clone() });
    let pipeline = find_pipeline(ports, asker, &who.platform, &place.pipeline, again).await?;
    let apps = apps_of(ports, &who.platform, &pipeline).await?;
    let meant = meant(ports, request, &pipeline, &apps, place, Command::Queue).await?;
    let mut rows = Vec::new();
    for app in meant {
        let line = ports.store.line(&app.id).await?;
        rows.push(LineRow { standing: deployments(ports, line.everybody()).await?, app });
    }
    Ok(speech::queue(&pipeline, place.place.as_ref(), &rows, ports.clock.now()))
}

/// The apps that a place means: without an app, all of them.
pub(super) async fn meant(
    ports: &Ports,
    request: &Request,
    pipeline: &crate::domain::pipeline::Pipeline,
    apps: &[App],
    place: &Where,
    command: impl Fn(Where) -> Command,
) -> Result<Vec<App>, Trouble> {
    let Some(at) = &place.place else { return Ok(apps.to_vec()) };
    if at.app.is_none() && matches!(pick_app(apps, Some(at)), Err(NoApp::Several { .. })) {
        return Ok(apps.iter().filter(|app| app.environment == at.environment).cloned().collect());
    }
    let again = |at: Place| command(Where { pipeline: place.pipeline.clone(), place: Some(at) });
    find_app(ports, &request.origin.person, pipeline, apps, Some(at), again).await.map(|app| vec![app])
}

/// Steps out of the line. Only the asker's own waiting deployments.
pub(super) async fn leave(ports: &Ports, request: &Request, who: &Credentials, place: Option<Where>) -> Result<Message, Trouble> {
    let mut mine = Vec::new();
    let apps = match &place {
        Some(place) => {
            let again = |pipeline| Command::Leave { line: Some(Where { pipeline, place: place.place.clone() }) };
            let pipeline = find_pipeline(ports, &request.origin.person, &who.platform, &place.pipeline, again).await?;
            let apps = apps_of(ports, &who.platform, &pipeline).await?;
            Some(meant(ports, request, &pipeline, &apps, place, |line| Command::Leave { line: Some(line) }).await?)
        }
        None => None,
    };
    for deployment in ports.store.open_deployments().await? {
        let fits = apps.as_ref().is_none_or(|apps| apps.iter().any(|app| app.id == deployment.target.app));
        if fits && waits(&deployment) && deployment.origin.person == request.origin.person {
            mine.push(deployment);
        }
    }
    match mine.as_slice() {
        [] => Ok(speech::not_waiting(place.is_some())),
        [only] => stop::stop(ports, &request.origin.person, only.id, None).await,
        [_, ..] => Ok(speech::which_to_stop(&mine)),
    }
}

fn waits(deployment: &Deployment) -> bool {
    matches!(deployment.phase, Phase::Waiting(_) | Phase::NeedsCode { .. })
}
