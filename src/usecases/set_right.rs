//! Setting right what a worker told too late: the card and the record, once the work is somebody else's.

use crate::domain::account::Provider;
use crate::domain::deployment::{Card, Deployment};
use crate::domain::names::DeploymentId;
use crate::domain::speech::{self, CardView};
use crate::ports::{PortError, StoreError, Urgency};

use super::Ports;
use super::respite::Respite;
use super::tell::{Sight, pages, report_state, send_report};

/// How often it is tried; the pauses between failures grow to a minute.
const TRIES: u32 = 30;

/// Brings card and record up to what the store says, and records nothing. For a worker that has lost its work: what it told last
/// may have arrived after what whoever has the work now has told. If the deployment moves meanwhile, it is told again, so that
/// the last word is the newest one whoever says it.
pub async fn set_right(ports: &Ports, id: DeploymentId) -> Result<(), StoreError> {
    let mut respite = Respite::default();
    let mut right = None;
    for _ in 0..TRIES {
        let Some(deployment) = ports.store.deployment(id).await? else { return Ok(()) };
        if right == Some(deployment.version) || ports.is_stopping() {
            return Ok(());
        }
        match tell_as_it_is(ports, &deployment).await {
            Ok(()) => right = Some(deployment.version),
            Err(error) => {
                tracing::warn!(deployment = %id, %error, "what was told too late could not be set right yet");
                respite.failed(&error, ports.clock.now());
                if let Some(until) = respite.until() {
                    ports.clock.pause_until(until).await;
                }
            }
        }
    }
    Ok(())
}

/// Fails only with what may work later.
async fn tell_as_it_is(ports: &Ports, deployment: &Deployment) -> Result<(), PortError> {
    let found = ports.accounts.credentials(&deployment.origin.person).await;
    let Sight { slowed, missing } = Sight::with(ports, &found);
    let who = found.ok();
    if let Card::At(place) = &deployment.card {
        let ahead = match ports.store.line(&deployment.target.app).await {
            Ok(line) => line.place_of(deployment.id),
            Err(_) => None,
        };
        let pages = pages(ports, deployment);
        let card = speech::card(&CardView { deployment, now: ports.clock.now(), ahead, pages: &pages, slowed, missing: &missing });
        unless_for_good(ports.chat.amend(place, &card, Urgency::Now).await)?;
    }
    let source = match who {
        Some(who) => Some(who.source),
        None => ports.accounts.token(&deployment.origin.person, Provider::SourceControl).await,
    };
    if let (Some(announcement), Some(source)) = (&deployment.announcement, &source) {
        unless_for_good(send_report(ports, source, deployment, &announcement.id, report_state(deployment)).await)?;
    }
    Ok(())
}

fn unless_for_good(told: Result<(), PortError>) -> Result<(), PortError> {
    match told {
        Err(error) if error.is_temporary() => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
