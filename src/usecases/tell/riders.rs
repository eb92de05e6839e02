//! What those who ride along are told: how it ended.

use crate::domain::deployment::Deployment;
use crate::domain::notice::Notice;
use crate::domain::speech::{self, CardView};
use crate::ports::Addressee;
use crate::usecases::drive::DriveError;
use crate::usecases::{Ports, notices};

use super::Telling;

/// Tells each of them once. Where the card shows it, whoever wants no news is not told.
pub(super) async fn tell(ports: &Ports, view: &CardView<'_>, told: &mut Deployment, telling: &mut Telling) -> Result<(), DriveError> {
    if !told.has_ended() || !telling.rider.is_over(view.now) {
        return Ok(());
    }
    let waiting: Vec<_> = told.riders.iter().filter(|rider| !rider.told).cloned().collect();
    for rider in waiting {
        let notice = if telling.card_given_up { Notice::EndUnseen } else { Notice::End };
        if notices::is_hidden(ports, &rider.person, notice).await.map_err(DriveError::Store)? {
            if telling.card_stands {
                told.rider_was_told(&rider.person);
            }
            continue;
        }
        match ports.chat.say(&Addressee::Direct(rider.person.clone()), &speech::ride_ended(view, &rider)).await {
            Ok(_) => {
                told.rider_was_told(&rider.person);
                telling.rider.worked();
            }
            Err(error) if error.is_temporary() => {
                tracing::warn!(deployment = %told.id, %error, "somebody who rides along could not be told yet");
                telling.rider.failed_to_say(&error, ports.clock.now());
                return Ok(());
            }
            Err(error) => {
                tracing::warn!(deployment = %told.id, %error, "somebody who rides along cannot be told");
                told.rider_was_told(&rider.person);
            }
        }
    }
    Ok(())
}

/// Whether all of them know.
pub(super) fn are_told(deployment: &Deployment) -> bool {
    deployment.riders.iter().all(|rider| rider.told)
}
