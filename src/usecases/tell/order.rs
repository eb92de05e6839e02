//! The order in which the deploys of one app are told: nothing is said of one that has begun before the end of the one before it is.

use jiff::SignedDuration;

use crate::domain::deployment::{Deployment, Phase, WaitingFor};
use crate::domain::line::Line;
use crate::domain::names::DeploymentId;
use crate::usecases::Ports;
use crate::usecases::drive::DriveError;

use super::Telling;

/// How long an end that cannot be told holds back what comes after it.
const HELD_BACK: SignedDuration = SignedDuration::from_mins(15);
/// How often it is looked whether the end has been told; whoever tells it also wakes those who wait.
const SWEEP: SignedDuration = SignedDuration::from_secs(10);

/// Whose end comes first.
#[derive(Debug, Default)]
pub(super) enum Before {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// Nobody's.
    Nobody,
    /// This one's.
    One(DeploymentId),
}

/// Whether an earlier end has to be told first.
pub(super) async fn is_held_back(ports: &Ports, deployment: &Deployment, line: &Line, telling: &mut Telling) -> Result<bool, DriveError> {
    if let Before::Unknown = telling.before {
        telling.before = earlier(ports, deployment).await?;
    }
    if matches!(deployment.phase, Phase::Waiting(WaitingFor::Turn | WaitingFor::Answer { .. } | WaitingFor::Checks { .. })) {
        if let Some(holder) = line.holder.filter(|holder| *holder != deployment.id) {
            telling.before = Before::One(holder);
        }
        // That it waits, and for whom, may be said at any time.
        return Ok(false);
    }
    let Before::One(before) = telling.before else { return Ok(false) };
    let now = ports.clock.now();
    let earlier = ports.store.deployment(before).await.map_err(DriveError::Store)?;
    let holds = earlier.is_some_and(|earlier| is_untold(&earlier) && now.duration_since(earlier.since) < HELD_BACK);
    if holds {
        telling.card.rest_until(now.checked_add(SWEEP).unwrap_or(now));
    } else {
        telling.before = Before::Nobody;
        telling.card.worked();
    }
    Ok(holds)
}

/// Whether an end is still to be told in the chat.
fn is_untold(earlier: &Deployment) -> bool {
    earlier.has_ended() && !earlier.is_orphaned() && !earlier.closed && !earlier.is_end_told()
}

/// The last deployment of the same app whose end was not told when this process began to work on a later one.
async fn earlier(ports: &Ports, deployment: &Deployment) -> Result<Before, DriveError> {
    let open = ports.store.open_deployments().await.map_err(DriveError::Store)?;
    let untold =
        open.into_iter().filter(|other| other.id != deployment.id && other.target.app == deployment.target.app && is_untold(other));
    Ok(untold.max_by_key(|other| other.since).map_or(Before::Nobody, |other| Before::One(other.id)))
}
