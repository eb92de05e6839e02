//! What is told below the card: what has come to pass, and at last the end, for everybody once more. A courtesy to those who follow: what
//! the chat does not take for good, or of which nobody knows whether it did, is not told again.

use crate::domain::deployment::{Card, Deployment, Mark, MessageRef};
use crate::domain::speech::{self, CardView};
use crate::ports::{Addressee, Fault};
use crate::usecases::drive::DriveError;
use crate::usecases::{Ports, aside};

use super::Telling;

/// Tells what is to be told next, once the card shows it.
pub(super) async fn tell(ports: &Ports, view: &CardView<'_>, told: &mut Deployment, telling: &mut Telling) -> Result<(), DriveError> {
    let chapter = told.chapter();
    if chapter.is_empty() || !telling.card_stands || !telling.story.is_over(view.now) {
        return Ok(());
    }
    let Some(card) = followed(ports, told, telling).await? else {
        // Nothing comes after it.
        told.story.extend(chapter.into_iter().filter(|mark| *mark == Mark::End));
        return Ok(());
    };
    let to = Addressee::Below { card, for_all: told.ends_for_all() };
    match ports.chat.say(&to, &speech::below(view, &chapter)).await {
        Ok(_) => telling.story.worked(),
        // What comes to pass meanwhile is told with it then.
        Err(error) if error.is_temporary() && error.fault != Fault::Unclear => {
            telling.story.failed(&error, ports.clock.now());
            return Ok(());
        }
        Err(error) => tracing::info!(deployment = %told.id, %error, "nothing could be said below the card"),
    }
    told.story.extend(chapter);
    Ok(())
}

/// The card, where it stands in the conversation that it was asked for in, and others follow it there.
async fn followed(ports: &Ports, told: &Deployment, telling: &Telling) -> Result<Option<MessageRef>, DriveError> {
    let Card::At(card) = &told.card else { return Ok(None) };
    if telling.card_given_up || card.channel != told.origin.channel {
        return Ok(None);
    }
    let aside = aside::of(ports, &told.origin).await.map_err(DriveError::Store)?;
    Ok(matches!(aside, Ok(None)).then(|| card.clone()))
}

/// Whether there is nothing more to tell, or never will be.
pub(super) fn is_told(deployment: &Deployment) -> bool {
    deployment.chapter().is_empty()
}
