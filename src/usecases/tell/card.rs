//! The card: shown once, changed in place, shown anew where it was lost.

use jiff::{SignedDuration, Timestamp};

use crate::domain::deployment::{Card, Deployment, Phase, Untold};
use crate::domain::message::Message;
use crate::domain::speech::{self, CardView};
use crate::ports::{Addressee, Delivered, Fault, PortError, Urgency};
use crate::usecases::Ports;

use super::Telling;

/// How often a card that was lost is shown anew.
const CARDS: u32 = 2;
/// How late a change may still be made that got no answer.
const LATE: SignedDuration = SignedDuration::from_secs(20);

/// Shows where the deployment stands, as far as it has changed and the chat may be asked.
pub(super) async fn show(ports: &Ports, view: &CardView<'_>, told: &mut Deployment, telling: &mut Telling) {
    let message = speech::card(view);
    let cannot_change = telling.card_given_up || told.card == Card::SaidOnce;
    if cannot_change {
        telling.show_again_at = None;
    }
    let shown = cannot_change || telling.shown.as_ref() == Some(&message);
    let again = telling.show_again_at.is_some_and(|at| at <= view.now);
    if shown && !again {
        telling.card_stands = telling.show_again_at.is_none();
    } else if telling.card.is_over(view.now) {
        telling.show_again_at = telling.show_again_at.filter(|_| !again);
        change(ports, view, message, told, telling).await;
    } else {
        telling.card_stands = false;
    }
    told.end_shown = told.has_ended() && (shown || telling.shown_now());
}

async fn change(ports: &Ports, view: &CardView<'_>, message: Message, told: &mut Deployment, telling: &mut Telling) {
    telling.card_stands = false;
    if let Card::At(place) = &told.card {
        match ports.chat.amend(place, &message, urgency(&told.phase)).await {
            Ok(()) => return telling.stands_as(message, told),
            Err(error) if !error.is_temporary() && telling.cards_lost < CARDS => {
                tracing::warn!(deployment = %told.id, %error, "the card is gone: there will be a new one");
                telling.cards_lost = telling.cards_lost.saturating_add(1);
                told.card = Card::NotShown;
            }
            Err(error) => {
                tracing::warn!(deployment = %told.id, %error, "the card could not be changed");
                return telling.card_failed(&error, view.now, told);
            }
        }
    }
    match ports.chat.say(&Addressee::Card(told.origin.clone()), &message).await {
        Ok(Delivered::Editable(place)) => {
            told.card = Card::At(place);
            telling.stands_as(message, told);
        }
        Ok(Delivered::Final) => {
            told.card = Card::SaidOnce;
            telling.stands_as(message, told);
        }
        Err(error) => {
            tracing::warn!(deployment = %told.id, %error, "the card could not be shown");
            telling.card_failed(&error, view.now, told);
        }
    }
}

/// What people act on or wait for goes before what only shows that it goes on.
fn urgency(phase: &Phase) -> Urgency {
    match phase {
        Phase::NeedsCode { .. }
        | Phase::Unknown(_)
        | Phase::Succeeded { .. }
        | Phase::Failed { .. }
        | Phase::Cancelled { .. }
        | Phase::Freed { .. } => Urgency::Now,
        Phase::Waiting(_)
        | Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. } => Urgency::Progress,
    }
}

impl Telling {
    fn stands_as(&mut self, message: Message, told: &mut Deployment) {
        self.shown = Some(message);
        self.card_stands = self.show_again_at.is_none();
        self.card.worked();
        told.was_told(Untold::Card);
    }

    /// Whether the last that was to be shown is shown, or never will be.
    fn shown_now(&self) -> bool {
        self.card_stands || (self.show_again_at.is_some() && self.card.until().is_none())
    }

    /// What the chat refuses for good is not tried again: the asker is told the end all the same.
    fn card_failed(&mut self, error: &PortError, now: Timestamp, told: &mut Deployment) {
        if error.is_temporary() {
            self.card.failed(error, now);
        } else {
            self.card_given_up = true;
            self.card_stands = true;
            told.could_not_tell(Untold::Card);
        }
        if error.fault == Fault::Unclear {
            self.show_again_at = now.checked_add(LATE).ok();
        }
    }
}
