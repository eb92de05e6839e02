//! Stopping what can still be stopped, and saying what cannot.

use crate::domain::actor::Person;
use crate::domain::command::{Because, Command, Where};
use crate::domain::deployment::{CancelAnswer, Deployment};
use crate::domain::message::Message;
use crate::domain::names::DeploymentId;
use crate::domain::request::Request;
use crate::domain::speech;
use crate::ports::{Batch, Credentials, StoreError, WakeKey};

use super::facts::{apps_of, find_pipeline};
use super::line::meant;
use super::tell::pages;
use super::{Ports, Trouble, rights};

const TRIES: u32 = 50;

/// `cancel`: finds what is meant and stops it.
pub(super) async fn cancel(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    place: &Where,
    because: Option<&Because>,
) -> Result<Message, Trouble> {
    let command = |place| Command::Cancel { place, because: because.cloned() };
    let again = |pipeline| command(Where { pipeline, place: place.place.clone() });
    let pipeline = find_pipeline(ports, &request.origin.person, &who.platform, &place.pipeline, again).await?;
    let apps = apps_of(ports, &who.platform, &pipeline).await?;
    let meant = meant(ports, request, &pipeline, &apps, place, command).await?;
    let mut going: Vec<Deployment> = ports.store.open_deployments().await?;
    going.retain(|deployment| !deployment.has_ended() && meant.iter().any(|app| app.id == deployment.target.app));
    match going.as_slice() {
        [] => Ok(speech::nothing_to_stop(&pipeline, place.place.as_ref())),
        [only] => stop_as(ports, who, &request.origin.person, only.id, because).await,
        [_, ..] => Ok(speech::which_to_stop(&going)),
    }
}

/// Stops a deployment for a person who may deploy to its app.
pub(super) async fn stop_as(
    ports: &Ports,
    who: &Credentials,
    person: &Person,
    id: DeploymentId,
    because: Option<&Because>,
) -> Result<Message, Trouble> {
    let Some(deployment) = ports.store.deployment(id).await? else { return Ok(speech::no_such_deployment()) };
    may_touch(ports, who, person, &deployment).await?;
    stop(ports, person, id, because).await
}

/// Whether a person may stop or free somebody's deployment: the asker may, and whoever may deploy to the app.
pub(super) async fn may_touch(ports: &Ports, who: &Credentials, person: &Person, deployment: &Deployment) -> Result<(), Trouble> {
    if deployment.origin.person == *person {
        return Ok(());
    }
    rights::may_touch(ports, person, deployment).await?;
    let access = ports.platform.access(&who.platform, &deployment.target.app).await;
    if access.may_deploy == Some(true) { Ok(()) } else { Err(speech::may_not_touch(deployment).into()) }
}

/// Stops a deployment.
pub(super) async fn stop(ports: &Ports, person: &Person, id: DeploymentId, because: Option<&Because>) -> Result<Message, Trouble> {
    for _ in 0..TRIES {
        let Some(deployment) = ports.store.deployment(id).await? else { return Ok(speech::no_such_deployment()) };
        let (next, message) = match deployment.cancelled_by(person, because, ports.clock.now()) {
            CancelAnswer::Stopped(next) => {
                let message = speech::stopped(&next);
                (next, message)
            }
            CancelAnswer::Asked(next) => {
                let message = speech::stopping(&next);
                (next, message)
            }
            CancelAnswer::AlreadyAsked => return Ok(speech::stopping(&deployment)),
            CancelAnswer::CannotStop(stage) => return Ok(speech::cannot_stop(&deployment, stage)),
            CancelAnswer::Unknown(watched) => {
                return Ok(speech::unknown_evidence(&deployment, &watched, &pages(ports, &deployment), ports.clock.now()));
            }
            CancelAnswer::Over => return Ok(speech::is_over(&deployment)),
        };
        match save_and_wake(ports, *next).await {
            Ok(()) => return Ok(message),
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(speech::not_recorded().into())
}

/// Frees the app of an unknown deployment.
pub(super) async fn free(ports: &Ports, who: &Credentials, person: &Person, id: DeploymentId) -> Result<Message, Trouble> {
    for _ in 0..TRIES {
        let Some(deployment) = ports.store.deployment(id).await? else { return Ok(speech::no_such_deployment()) };
        may_touch(ports, who, person, &deployment).await?;
        let Some(next) = deployment.freed_by(person, ports.clock.now()) else { return Ok(speech::is_not_unknown(&deployment)) };
        let message = speech::freed(&next);
        match save_and_wake(ports, next).await {
            Ok(()) => return Ok(message),
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(speech::not_recorded().into())
}

/// Saves a deployment that a person moved; if that ended it, the line moves with it.
async fn save_and_wake(ports: &Ports, next: Deployment) -> Result<(), StoreError> {
    let id = next.id;
    let mut batch = Batch::default();
    if next.has_ended()
        && let Some(line) = ports.store.line(&next.target.app).await?.with(&next)
    {
        batch.lines.push(line);
    }
    let ended = next.has_ended().then(|| next.phase.clone());
    batch.deployments.push(next);
    ports.store.save(batch).await?;
    if let Some(how) = ended {
        ports.tally.ended(&how);
    }
    // Its worker tells the end, and then calls the next.
    ports.clock.wake(WakeKey::Deployment(id));
    ports.clock.wake(WakeKey::Keeper);
    Ok(())
}
