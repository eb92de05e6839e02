//! The word on several deployments that were asked for in one breath: said once, when all of them are over.

use crate::domain::deployment::{Deployment, Untold};
use crate::domain::notice::Notice;
use crate::domain::speech::{self, CardView};
use crate::ports::{StoreError, WakeKey};
use crate::usecases::drive::DriveError;
use crate::usecases::{Ports, notices};

use super::{Telling, asker};

/// Whether the asker is told of the end by the one that speaks for all. That one is woken: it may be the last that was missing.
pub(super) async fn leaves_word(ports: &Ports, view: &CardView<'_>) -> Result<bool, StoreError> {
    let deployment = view.deployment;
    let Some(id) = deployment.speaker().filter(|_| deployment.has_ended()) else { return Ok(false) };
    if id == deployment.id {
        return Ok(deployment.leaves_word_to(deployment, view.now));
    }
    let left = ports.store.deployment(id).await?.is_some_and(|speaker| deployment.leaves_word_to(&speaker, view.now));
    if left {
        ports.clock.wake(WakeKey::Deployment(id));
    }
    Ok(left)
}

/// Tells how all of them ended, if that is this one's to tell and it is time.
pub(super) async fn speak_for_all(
    ports: &Ports,
    view: &CardView<'_>,
    told: &mut Deployment,
    telling: &mut Telling,
) -> Result<(), DriveError> {
    let deployment = view.deployment;
    if !told.owes_word() || !deployment.has_ended() || !telling.word.is_over(view.now) {
        return Ok(());
    }
    let mut all = Vec::new();
    for id in deployment.together().into_iter().flat_map(|together| &together.all) {
        all.extend(ports.store.deployment(*id).await.map_err(DriveError::Store)?);
    }
    if !deployment.may_speak_for(&all, view.now) {
        return Ok(());
    }
    let hidden = notices::is_hidden(ports, &deployment.origin.person, Notice::End).await.map_err(DriveError::Store)?;
    if hidden && telling.card_stands {
        told.has_spoken();
        return Ok(());
    }
    match asker::say(ports, view, &speech::ended_together(deployment, &all), telling).await {
        Ok(()) => {
            told.has_spoken();
            told.was_told(Untold::Asker);
            telling.word.worked();
        }
        Err(error) if !error.is_temporary() => {
            tracing::warn!(deployment = %deployment.id, %error, "the asker cannot be told: whoever asks how it stands will see it");
            told.has_spoken();
            told.could_not_tell(Untold::Asker);
        }
        Err(error) => {
            tracing::warn!(deployment = %deployment.id, %error, "the asker could not be told yet");
            telling.word.failed_to_say(&error, ports.clock.now());
        }
    }
    Ok(())
}
