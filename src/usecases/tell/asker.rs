//! What only the asker is told: that a code is wanted, that their turn came, that nobody knows how it stands, how it ended.

use jiff::SignedDuration;

use crate::domain::deployment::{Card, Deployment, Failure, Milestone, Phase, Stage, Untold, WaitingFor};
use crate::domain::message::Message;
use crate::domain::notice::Notice;
use crate::domain::speech::{self, CardView};
use crate::ports::{Addressee, PortError};
use crate::usecases::drive::DriveError;
use crate::usecases::{Ports, notices};

use super::{Telling, moved, together};

/// For how long something is said where it was asked for; after that, directly: the way there is open for half an hour.
const ANSWERED_THERE_FOR: SignedDuration = SignedDuration::from_mins(25);

/// Tells whose turn it is. A courtesy: once it is under way, it is not said any more.
pub(super) async fn tell_turn(ports: &Ports, view: &CardView<'_>, telling: &mut Telling) -> Result<(), DriveError> {
    if !telling.turn_due || !telling.word.is_over(view.now) {
        return Ok(());
    }
    telling.turn_due = false;
    let deployment = view.deployment;
    if deployment.phase.milestone() != Milestone::Preparing {
        return Ok(());
    }
    if notices::is_hidden(ports, &deployment.origin.person, Notice::Turn).await.map_err(DriveError::Store)? {
        return Ok(());
    }
    if let Err(error) = ports.chat.say(&Addressee::Direct(deployment.origin.person.clone()), &speech::turn(view)).await {
        tracing::info!(deployment = %deployment.id, %error, "the next in line could not be told");
        telling.turn_due = error.is_temporary();
        telling.word.failed(&error, view.now);
    }
    Ok(())
}

/// Tells the asker what this phase is for them to know, once.
pub(super) async fn tell_asker(ports: &Ports, view: &CardView<'_>, told: &mut Deployment, telling: &mut Telling) -> Result<(), DriveError> {
    let deployment = view.deployment;
    if told.asker_told {
        return Ok(());
    }
    if together::leaves_word(ports, view).await.map_err(DriveError::Store)? {
        told.asker_told = true;
        return Ok(());
    }
    let message = match &deployment.phase {
        Phase::NeedsCode { .. } => speech::needs_code(view, &ports.command_word, ports.chat.has_forms()),
        // Whoever stopped or freed it themselves has just been answered.
        Phase::Freed { by, .. } | Phase::Cancelled { by, during: Stage::Line | Stage::Code | Stage::Checks | Stage::Source }
            if *by == deployment.origin.person =>
        {
            told.asker_told = true;
            return Ok(());
        }
        Phase::Failed { why: Failure::Gate(reasons), .. } => match moved::ways_on(ports, deployment, reasons, telling).await? {
            Some(message) => message,
            None => speech::ended(view),
        },
        Phase::Unknown(_) | Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } | Phase::Freed { .. } => {
            speech::ended(view)
        }
        Phase::Waiting(WaitingFor::Answer { .. }) => speech::called(view),
        Phase::Waiting(WaitingFor::Turn | WaitingFor::Checks { .. } | WaitingFor::BuildSlot { .. } | WaitingFor::Allowance { .. })
        | Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. } => return Ok(()),
    };
    if notices::is_hidden(ports, &deployment.origin.person, notice_of(told, telling)).await.map_err(DriveError::Store)? {
        // The card says it first. Where that turns out not to work, it is told all the same.
        told.asker_told = telling.card_stands;
        return Ok(());
    }
    if !telling.word.is_over(view.now) {
        return Ok(());
    }
    match say(ports, view, &message, telling).await {
        Ok(()) => {
            told.asker_told = true;
            told.was_told(Untold::Asker);
            telling.word.worked();
        }
        Err(error) if !error.is_temporary() => {
            tracing::warn!(deployment = %deployment.id, %error, "the asker cannot be told: whoever asks how it stands will see it");
            told.asker_told = true;
            told.could_not_tell(Untold::Asker);
        }
        Err(error) => {
            tracing::warn!(deployment = %deployment.id, %error, "the asker could not be told yet");
            telling.word.failed_to_say(&error, ports.clock.now());
        }
    }
    Ok(())
}

/// By the ways there are, the best one first: what has to be acted on where it was asked for, as long as that way is open, and news
/// directly. Where one is closed for good, the other may not be.
pub(super) async fn say(ports: &Ports, view: &CardView<'_>, message: &Message, telling: &Telling) -> Result<(), PortError> {
    let deployment = view.deployment;
    let fresh = view.now.duration_since(deployment.asked_at) < ANSWERED_THERE_FOR;
    let there = Addressee::Answer(deployment.origin.clone());
    let directly = Addressee::Direct(deployment.origin.person.clone());
    let ways = if fresh && wants_an_act(&deployment.phase, telling) { [there, directly] } else { [directly, there] };
    let [best, other] = &ways;
    match ports.chat.say(best, message).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_temporary() => Err(error),
        Err(error) => {
            tracing::info!(deployment = %deployment.id, %error, "one way to the asker is closed");
            ports.chat.say(other, message).await.map(|_| ())
        }
    }
}

/// What the asker is told by this phase.
fn notice_of(told: &Deployment, telling: &Telling) -> Notice {
    let end = match &told.card {
        Card::At(_) if !telling.card_given_up => Notice::End,
        Card::At(_) | Card::NotShown | Card::SaidOnce => Notice::EndUnseen,
    };
    match &told.phase {
        Phase::Cancelled { by, .. } | Phase::Freed { by, .. } if *by != told.origin.person => Notice::ByOthers,
        Phase::Failed { .. } if telling.ways_on.is_some() => Notice::ToActOn,
        Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } | Phase::Freed { .. } => end,
        Phase::Waiting(_)
        | Phase::NeedsCode { .. }
        | Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. }
        | Phase::Unknown(_) => Notice::ToActOn,
    }
}

/// Whether the message is a question to the asker, and no news.
fn wants_an_act(phase: &Phase, telling: &Telling) -> bool {
    matches!(phase, Phase::NeedsCode { .. }) || telling.ways_on.is_some()
}
