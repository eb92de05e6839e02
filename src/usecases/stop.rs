//! Stopping what can still be stopped, and saying what cannot.

use crate::domain::actor::Person;
use crate::domain::command::{Because, Command, Where};
use crate::domain::deployment::{CancelAnswer, Deployment, Phase};
use crate::domain::form::Reasoned;
use crate::domain::message::Message;
use crate::domain::names::DeploymentId;
use crate::domain::request::Request;
use crate::domain::speech;
use crate::ports::{Batch, Credentials, StoreError, WakeKey};

use super::facts::{apps_of, find_pipeline};
use super::line::meant;
use super::tell::pages;
use super::{Ports, Trouble, forms, rights};

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
    going.retain(|deployment| !deployment.has_left() && !deployment.has_ended() && meant.iter().any(|app| app.id == deployment.target.app));
    match going.as_slice() {
        [] => Ok(speech::nothing_to_stop(&pipeline, place.place.as_ref())),
        [only] => stop_as(ports, who, &request.origin.person, only.id, because).await,
        [_, ..] => Ok(speech::which_to_stop(&going)),
    }
}

/// `free`: finds the deployment that nobody knows the end of, and gives its app away.
pub(super) async fn free_there(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    place: &Where,
    because: &Because,
) -> Result<Message, Trouble> {
    let command = |place| Command::Free { place, because: because.clone() };
    let again = |pipeline| command(Where { pipeline, place: place.place.clone() });
    let pipeline = find_pipeline(ports, &request.origin.person, &who.platform, &place.pipeline, again).await?;
    let apps = apps_of(ports, &who.platform, &pipeline).await?;
    let meant = meant(ports, request, &pipeline, &apps, place, command).await?;
    let mut unknown: Vec<Deployment> = ports.store.open_deployments().await?;
    unknown.retain(|one| !one.has_left() && matches!(one.phase, Phase::Unknown(_)) && meant.iter().any(|app| app.id == one.target.app));
    match unknown.as_slice() {
        [] => Ok(speech::nothing_to_free(&pipeline, place.place.as_ref())),
        [only] => free(ports, who, &request.origin.person, only.id, because).await,
        [_, ..] => Ok(speech::which_to_free(&unknown)),
    }
}

/// Stops a deployment for a person who may deploy to its app. Of somebody else's they say why.
pub(super) async fn stop_as(
    ports: &Ports,
    who: &Credentials,
    person: &Person,
    id: DeploymentId,
    because: Option<&Because>,
) -> Result<Message, Trouble> {
    let Some(deployment) = ports.deployment(id).await? else { return Ok(speech::no_such_deployment()) };
    may_touch(ports, who, person, &deployment).await?;
    if because.is_none() && deployment.origin.person != *person {
        return Ok(match stopping(ports, person, None, &deployment) {
            Ok(_) => speech::say_why(&deployment, Reasoned::Stop(id), &ports.command_word),
            Err(refused) => refused,
        });
    }
    stop(ports, person, id, because).await
}

/// The button that stops.
pub(super) async fn stop_pressed(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    id: DeploymentId,
) -> Result<Option<Message>, Trouble> {
    let person = &request.origin.person;
    let Some(deployment) = ports.deployment(id).await? else { return Ok(Some(speech::no_such_deployment())) };
    if deployment.origin.person == *person {
        return stop_as(ports, who, person, id, None).await.map(Some);
    }
    may_touch(ports, who, person, &deployment).await?;
    match stopping(ports, person, None, &deployment) {
        Ok(_) => forms::ask_why(ports, request, &deployment, Reasoned::Stop(id)).await,
        Err(refused) => Ok(Some(refused)),
    }
}

/// The button that frees the app of an unknown deployment.
pub(super) async fn free_pressed(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    id: DeploymentId,
) -> Result<Option<Message>, Trouble> {
    let Some(deployment) = ports.deployment(id).await? else { return Ok(Some(speech::no_such_deployment())) };
    may_touch(ports, who, &request.origin.person, &deployment).await?;
    if !matches!(deployment.phase, Phase::Unknown(_)) {
        return Ok(Some(speech::is_not_unknown(&deployment)));
    }
    forms::ask_why(ports, request, &deployment, Reasoned::Free(id)).await
}

/// Does what somebody has given the reason for.
pub(super) async fn reasoned(
    ports: &Ports,
    who: &Credentials,
    person: &Person,
    what: Reasoned,
    because: &Because,
) -> Result<Message, Trouble> {
    match what {
        Reasoned::Free(id) => free(ports, who, person, id, because).await,
        Reasoned::Stop(id) => stop_as(ports, who, person, id, Some(because)).await,
    }
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

/// What stopping makes of a deployment, and what is said of it; or why it cannot be stopped.
fn stopping(
    ports: &Ports,
    person: &Person,
    because: Option<&Because>,
    deployment: &Deployment,
) -> Result<(Box<Deployment>, Message), Message> {
    let now = ports.clock.now();
    match deployment.cancelled_by(person, because, now) {
        CancelAnswer::Stopped(next) => {
            let message = speech::stopped(&next);
            Ok((next, message))
        }
        CancelAnswer::Asked(next) => {
            let message = speech::stopping(&next);
            Ok((next, message))
        }
        CancelAnswer::AlreadyAsked => Err(speech::stopping(deployment)),
        CancelAnswer::CannotStop(stage) => Err(speech::cannot_stop(deployment, stage)),
        CancelAnswer::Unknown(watched) => Err(speech::unknown_evidence(deployment, &watched, &pages(ports, deployment), now)),
        CancelAnswer::Over => Err(speech::is_over(deployment)),
    }
}

/// Stops a deployment.
pub(super) async fn stop(ports: &Ports, person: &Person, id: DeploymentId, because: Option<&Because>) -> Result<Message, Trouble> {
    stop_where(ports, person, id, because, |_| true, speech::is_over).await
}

/// Stops a deployment as long as something holds of it; if it does not, says so with `or_else`.
pub(super) async fn stop_where(
    ports: &Ports,
    person: &Person,
    id: DeploymentId,
    because: Option<&Because>,
    holds: fn(&Deployment) -> bool,
    or_else: fn(&Deployment) -> Message,
) -> Result<Message, Trouble> {
    for _ in 0..TRIES {
        let Some(deployment) = ports.deployment(id).await? else { return Ok(speech::no_such_deployment()) };
        if !holds(&deployment) {
            return Ok(or_else(&deployment));
        }
        let (next, message) = match stopping(ports, person, because, &deployment) {
            Ok(stopping) => stopping,
            Err(refused) => return Ok(refused),
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
async fn free(ports: &Ports, who: &Credentials, person: &Person, id: DeploymentId, because: &Because) -> Result<Message, Trouble> {
    for _ in 0..TRIES {
        let Some(deployment) = ports.deployment(id).await? else { return Ok(speech::no_such_deployment()) };
        may_touch(ports, who, person, &deployment).await?;
        let Some(next) = deployment.freed_by(person, Some(because), ports.clock.now()) else {
            return Ok(speech::is_not_unknown(&deployment));
        };
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
