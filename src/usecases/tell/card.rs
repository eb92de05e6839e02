//! The card: shown once, changed in place, shown anew where it was lost.

use jiff::Timestamp;

use crate::domain::deployment::{Card, Deployment, EFFECT_BOUND, MessageRef, Phase, Untold};
use crate::domain::message::{Audience, Message};
use crate::domain::rights::Aside;
use crate::domain::speech::{self, CardView};
use crate::ports::{Addressee, Delivered, Fault, PortError, Urgency};
use crate::usecases::drive::DriveError;
use crate::usecases::respite::Respite;
use crate::usecases::{Ports, aside};

use super::Telling;

/// How often a card that was lost is shown anew.
const CARDS: u32 = 2;
/// How often it is looked who would read it along, before it is for its asker alone.
const LOOKS: u32 = 3;

/// Shows where the deployment stands, as far as it has changed and the chat may be asked.
pub(super) async fn show(ports: &Ports, view: &CardView<'_>, told: &mut Deployment, telling: &mut Telling) -> Result<(), DriveError> {
    let message = speech::card(view);
    let cannot_change = telling.card_given_up || told.card == Card::SaidOnce;
    if cannot_change {
        told.card_again_at = None;
    }
    let shown = cannot_change || telling.shown.as_ref() == Some(&message);
    let again = told.card_again_at.is_some_and(|at| at <= view.now);
    if shown && !again {
        telling.card_stands = told.card_again_at.is_none();
    } else if telling.card.is_over(view.now) {
        change(ports, view, message, told, telling).await?;
    } else {
        telling.card_stands = false;
    }
    told.end_shown = told.has_ended() && (shown || telling.shown_now(told));
    Ok(())
}

async fn change(
    ports: &Ports,
    view: &CardView<'_>,
    message: Message,
    told: &mut Deployment,
    telling: &mut Telling,
) -> Result<(), DriveError> {
    telling.card_stands = false;
    let looked = aside::of(ports, &told.origin).await.map_err(DriveError::Store)?;
    let nobody_knows = looked.is_err();
    let aside = match looked {
        Ok(aside) => aside,
        // Where a card stands, or cannot wait any longer, it is for its asker alone.
        Err(_) if told.card != Card::NotShown || telling.looks_failed >= LOOKS => Some(Aside::Unseen),
        Err(error) => {
            tracing::warn!(deployment = %told.id, %error, "the chat does not say who would read the card along");
            telling.looks_failed = telling.looks_failed.saturating_add(1);
            telling.card.failed(&error, view.now);
            return Ok(());
        }
    };
    let first = told.card == Card::NotShown && telling.cards_lost == 0;
    if let Card::At(place) = &told.card
        && told.card_may_come_until.is_some_and(|at| at <= view.now)
        // What may still change this one would come after it says where it goes on.
        && told.card_again_at.is_none_or(|at| at <= view.now)
        // The new one could not stand where this one does.
        && !nobody_knows
        && !is_read_by_others(aside, place, told)
    {
        // A card that was given up may stand below this one, and would be read as the newest.
        if let Err(error) = put(ports, place, &speech::card_further_down(), Urgency::Now).await {
            tracing::warn!(deployment = %told.id, %error, "a card could not be replaced by a newer one");
            if may_stand(&error) {
                telling.card_failed(&error, ports.clock.now(), told, Respite::failed);
                return Ok(());
            }
        }
        told.card_may_come_until = None;
        telling.leaves_card(told);
    }
    if let Card::At(place) = &told.card
        && is_read_by_others(aside, place, told)
    {
        if let Err(error) = put(ports, place, &speech::goes_on_aside(), Urgency::Now).await {
            tracing::warn!(deployment = %told.id, %error, "a card that others have come to read could not be taken back");
            if may_stand(&error) {
                telling.card_failed(&error, ports.clock.now(), told, Respite::failed);
                return Ok(());
            }
        }
        telling.put_back = told.card_again_at.filter(|at| view.now < *at).map(|at| (place.clone(), at));
        telling.leaves_card(told);
    }
    if let Card::At(place) = &told.card {
        match put(ports, place, &as_it_stands(&message, aside, place, told), urgency(&told.phase)).await {
            Ok(()) => {
                telling.stands_as(message, told, view.now);
                return Ok(());
            }
            Err(error) if !may_stand(&error) && telling.cards_lost < CARDS => {
                tracing::warn!(deployment = %told.id, %error, "the card is gone: there will be a new one");
                telling.cards_lost = telling.cards_lost.saturating_add(1);
                telling.leaves_card(told);
            }
            Err(error) => {
                tracing::warn!(deployment = %told.id, %error, "the card could not be changed");
                telling.card_failed(&error, ports.clock.now(), told, Respite::failed);
                return Ok(());
            }
        }
    }
    let (to, said) = match aside {
        None => (Addressee::Card(told.origin.clone()), message.clone()),
        Some(why) => (Addressee::Direct(told.origin.person.clone()), speech::card_aside(message.clone(), why, told)),
    };
    let delivered = match ports.chat.say(&to, &said).await {
        // By no other way than the command's own: then it does not move.
        Err(error) if aside.is_some() && !error.is_temporary() => {
            tracing::info!(deployment = %told.id, %error, "a card for its asker alone takes another way");
            ports.chat.say(&Addressee::Answer(told.origin.clone()), &Message { audience: Audience::Asker, ..said }).await
        }
        delivered => delivered,
    };
    if delivered.is_ok() {
        // What has not come by now can only stand above this one.
        told.card_may_come_until = told.card_may_come_until.filter(|until| view.now < *until);
    }
    match delivered {
        Ok(Delivered::Editable(place)) => {
            if let Some(why) = aside.filter(|_| first && place.channel != told.origin.channel) {
                say_where(ports, told, why).await;
            }
            told.card = Card::At(place);
            telling.stands_as(message, told, view.now);
        }
        Ok(Delivered::Final) => {
            told.card = Card::SaidOnce;
            telling.stands_as(message, told, view.now);
        }
        Err(error) => {
            tracing::warn!(deployment = %told.id, %error, "the card could not be shown");
            telling.card_failed(&error, ports.clock.now(), told, Respite::failed_to_say);
            if error.fault == Fault::Unclear {
                told.card_may_come_until = told.card_again_at;
            }
        }
    }
    Ok(())
}

/// Takes away once more what a change that got no answer may have put back before the eyes of others.
pub(super) async fn take_back(ports: &Ports, told: &Deployment, telling: &mut Telling) {
    let now = ports.clock.now();
    let Some((place, _)) = telling.put_back.clone().filter(|(_, at)| *at <= now) else { return };
    telling.put_back = match put(ports, &place, &speech::goes_on_aside(), Urgency::Now).await {
        Err(error) if may_stand(&error) => {
            tracing::warn!(deployment = %told.id, %error, "a card that others have come to read may still show what it showed");
            ports.clock.now().checked_add(EFFECT_BOUND).ok().map(|again_at| (place, again_at))
        }
        Ok(()) | Err(_) => None,
    };
}

/// Whether a card stands where people of other companies have come to read along.
fn is_read_by_others(aside: Option<Aside>, place: &MessageRef, told: &Deployment) -> bool {
    aside == Some(Aside::Shared) && place.channel == told.origin.channel
}

/// Puts a message in the place of a card.
async fn put(ports: &Ports, place: &MessageRef, message: &Message, urgency: Urgency) -> Result<(), PortError> {
    match ports.chat.amend(place, message, urgency).await {
        // A token is refused in the middle of its renewal too. The card is where it was.
        Err(error) if error.fault == Fault::SignInLost => ports.chat.amend(place, message, urgency).await,
        put => put,
    }
}

/// Whether a card that could not be changed may stand where it stood, so that another one would be a second.
fn may_stand(error: &PortError) -> bool {
    error.is_temporary() || error.fault == Fault::SignInLost
}

/// A card as it is put to a place: in direct messages it says why it stands there.
fn as_it_stands(message: &Message, aside: Option<Aside>, place: &MessageRef, told: &Deployment) -> Message {
    match aside {
        Some(why) if place.channel != told.origin.channel => speech::card_aside(message.clone(), why, told),
        Some(_) | None => message.clone(),
    }
}

/// Tells the asker, where they asked, that the card stands elsewhere. The card says it as well.
async fn say_where(ports: &Ports, told: &Deployment, why: Aside) {
    let there = Addressee::Answer(told.origin.clone());
    if let Err(error) = ports.chat.say(&there, &speech::shown_aside(told, why, &ports.command_word)).await {
        tracing::info!(deployment = %told.id, %error, "the asker could not be told where the card stands");
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
    fn stands_as(&mut self, message: Message, told: &mut Deployment, now: Timestamp) {
        self.shown = Some(message);
        // What was due is done with this, and not before: a try that came to nothing leaves it due.
        told.card_again_at = told.card_again_at.filter(|at| now < *at);
        if told.card_again_at.is_none() && told.card_may_come_until.is_some_and(|until| until <= now) {
            // Another one may stand below it, and it could not be replaced now.
            told.card_again_at = now.checked_add(EFFECT_BOUND).ok();
        }
        self.card_stands = told.card_again_at.is_none();
        self.card.worked();
        told.was_told(Untold::Card);
    }

    /// From now on there is no card: another one is to be shown, whatever the one before showed.
    fn leaves_card(&mut self, told: &mut Deployment) {
        told.card = Card::NotShown;
        self.shown = None;
    }

    /// Whether the last that was to be shown is shown, or never will be.
    fn shown_now(&self, told: &Deployment) -> bool {
        self.card_stands || (told.card_again_at.is_some() && self.card.until().is_none())
    }

    /// What the chat refuses for good is not tried again: the asker is told the end all the same. `now` is when it failed: what got no
    /// answer may still come from then on.
    fn card_failed(&mut self, error: &PortError, now: Timestamp, told: &mut Deployment, rest: fn(&mut Respite, &PortError, Timestamp)) {
        if error.is_temporary() {
            rest(&mut self.card, error, now);
        } else {
            self.card_given_up = true;
            self.card_stands = true;
            told.could_not_tell(Untold::Card);
        }
        if error.fault == Fault::Unclear {
            told.card_again_at = now.checked_add(EFFECT_BOUND).ok();
        }
    }
}
