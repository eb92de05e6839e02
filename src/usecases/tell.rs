//! Telling: the record at the source control, the card, the asker. A chat that is down does not stop a deploy.

mod asker;
mod card;
mod moved;
mod order;
mod record;
mod riders;
mod routed;
mod story;
mod together;

use jiff::Timestamp;
use secrecy::SecretString;

use crate::domain::account::Missing;
use crate::domain::deployment::{Deployment, MessageRef, Phase, Untold, WaitingFor};
use crate::domain::message::Message;
use crate::domain::route::News;
use crate::domain::speech::{CardView, Pages};
use crate::ports::{Credentials, Lease, NoCredentials};

use super::Ports;
use super::drive::{DriveError, Hands, is_slowed, save};
use super::respite::{Respite, earliest};

use record::Login;
pub(super) use record::{report_state, send_report};

/// The pages of a deployment, for people.
pub(super) fn pages(ports: &Ports, deployment: &Deployment) -> Pages {
    let app = &deployment.target.app_name;
    Pages {
        app: ports.platform.app_page(app),
        build: deployment.build.as_ref().map(|build| ports.platform.build_page(app, build)),
        release: deployment.release.as_ref().map(|release| ports.platform.release_page(app, release)),
    }
}

/// How well the outside can be seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    /// It is looked at less often than usual.
    pub(super) slowed: bool,
    /// It cannot be looked at without these logins of the asker.
    pub(super) missing: Vec<Missing>,
}

impl Sight {
    /// With what was found when the asker's logins were asked for.
    pub(super) fn with(ports: &Ports, found: &Result<Credentials, NoCredentials>) -> Self {
        match found {
            Ok(who) => Self { slowed: is_slowed(ports, who), missing: Vec::new() },
            Err(NoCredentials::Missing(missing)) => Self { slowed: false, missing: missing.clone() },
            Err(NoCredentials::Stranger | NoCredentials::Away(_) | NoCredentials::Locked) => Self::default(),
        }
    }
}

/// What a worker remembers of telling. Lost with the process: then everything is told once more, which changes nothing. What may still
/// come late stands in the deployment, but for what is put back before the eyes of others.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// The message as the card shows it.
    shown: Option<Message>,
    /// Whether the card shows what it should, or never will.
    card_stands: bool,
    /// Whether the card is left alone for now, whatever is due: something else is told first, or nobody is told anything.
    card_is_held: bool,
    /// Where a card was that others have come to read, which a change without an answer may put back until then.
    put_back: Option<(MessageRef, Timestamp)>,
    /// The chat will not have a card, whatever we do.
    card_given_up: bool,
    /// How often a card was lost that had been shown.
    cards_lost: u32,
    /// How often the chat did not say who would read a card along.
    looks_failed: u32,
    /// The asker is to be told that their turn came.
    pub(super) turn_due: bool,
    /// The two ways on from a ref that moved, with their buttons.
    ways_on: Option<Message>,
    /// Whose end has to be told before anything more is said of this one.
    before: order::Before,
    /// Rest for the card.
    card: Respite,
    /// What all conversations have been told that want to know.
    routed: Option<News>,
    /// Rest for them.
    place: Respite,
    /// Rest for what is said below the card.
    story: Respite,
    /// Rest for words to the asker.
    word: Respite,
    /// Rest for words to those who ride along.
    rider: Respite,
    /// Rest for the source control's record.
    record: Respite,
}

impl Telling {
    /// When something that could not be told may be tried again.
    pub(super) fn again_at(&self, deployment: &Deployment) -> Option<Timestamp> {
        let card = self.card.until().or(deployment.card_again_at.filter(|_| !self.card_is_held));
        let put_back = self.put_back.as_ref().map(|(_, at)| *at).filter(|_| !self.card_is_held);
        earliest([card, put_back, self.word.until(), self.rider.until(), self.place.until(), self.story.until(), self.record.until()])
    }

    /// The source control's record is left as it is until then.
    pub(super) fn rest_of_record(&mut self, until: Timestamp) {
        self.record.rest_until(until);
    }

    /// Forgets rests that are over, whether or not there is anything left to tell.
    fn wake_up(&mut self, now: Timestamp) {
        for rest in [&mut self.card, &mut self.word, &mut self.rider, &mut self.place, &mut self.story, &mut self.record] {
            rest.is_over(now);
        }
    }
}

/// Tells where the deployment stands, as far as it has changed. Failures are logged and made up for later; what was told is
/// recorded. `source` is the asker's token for the source control, where there is one.
pub(super) async fn tell(
    ports: &Ports,
    lease: &Lease,
    source: Option<&SecretString>,
    sight: &Sight,
    deployment: &mut Deployment,
    hands: &mut Hands,
) -> Result<(), DriveError> {
    hands.telling.card_is_held = deployment.is_orphaned();
    let now = ports.clock.now();
    // Also where nobody is told anything: a rest that is over and stays would have the worker look again at once, for ever.
    hands.telling.wake_up(now);
    if deployment.closed || deployment.has_left() {
        return Ok(());
    }
    let mut told = deployment.clone();
    if told.is_orphaned() {
        nobody_to_tell(&mut told, &mut hands.telling);
    }
    let sight = match record::report(ports, source, &mut told, &mut hands.telling.record).await {
        Login::Holds => sight,
        Login::Lost => &Sight::with(ports, &ports.accounts.credentials(&deployment.origin.person).await),
    };
    let line = ports.store.line(&deployment.target.app).await.map_err(DriveError::Store)?;
    // Its turn has just come: the next step says so, and what would be shown now would stand for a moment only.
    let turn_has_come = deployment.phase == Phase::Waiting(WaitingFor::Turn) && line.holder == Some(deployment.id);
    let held_back = order::is_held_back(ports, deployment, &line, &mut hands.telling).await?;
    let pages = pages(ports, deployment);
    let seen = told.clone();
    let ahead = line.place_of(deployment.id);
    let view = CardView { deployment: &seen, now, ahead, pages: &pages, slowed: sight.slowed, missing: &sight.missing };
    if told.is_orphaned() {
        riders::tell(ports, &view, &mut told, &mut hands.telling).await?;
    } else if turn_has_come || held_back {
        (hands.telling.card_stands, hands.telling.card_is_held) = (false, true);
    } else {
        asker::tell_turn(ports, &view, &mut hands.telling).await?;
        card::take_back(ports, &told, &mut hands.telling).await;
        card::show(ports, &view, &mut told, &mut hands.telling).await?;
        asker::tell_asker(ports, &view, &mut told, &mut hands.telling).await?;
        riders::tell(ports, &view, &mut told, &mut hands.telling).await?;
        together::speak_for_all(ports, &view, &mut told, &mut hands.telling).await?;
        story::tell(ports, &view, &mut told, &mut hands.telling).await?;
        routed::tell(ports, &view, &mut told, &mut hands.telling).await?;
    }
    if told == *deployment {
        return Ok(());
    }
    // Somebody else may have moved it meanwhile: what was told is put on top of what they made of it.
    loop {
        match save(ports, lease, &told, false).await? {
            Some(saved) => {
                *deployment = saved;
                return Ok(());
            }
            None => {
                let stored = ports.store.deployment(told.id).await.map_err(DriveError::Store)?;
                let Some(stored) = stored else { return Ok(()) };
                if stored.phase != deployment.phase {
                    hands.entered = false;
                }
                *deployment = stored.clone();
                told = with_told(stored, &told);
            }
        }
    }
}

/// Whoever asked for it is gone: those who ride along are told, and nobody else.
fn nobody_to_tell(told: &mut Deployment, telling: &mut Telling) {
    (told.asker_told, told.end_shown) = (true, told.has_ended());
    (told.card_again_at, told.card_may_come_until) = (None, None);
    told.has_spoken();
    (telling.card_stands, telling.card_given_up) = (true, true);
}

/// What was told, put on top of what somebody else has made of the deployment meanwhile.
fn with_told(stored: Deployment, told: &Deployment) -> Deployment {
    if stored.is_orphaned() && !told.is_orphaned() {
        // Nothing of what whoever is gone was told comes back.
        return stored;
    }
    let announcement = stored.announcement.clone().map(|mut announcement| {
        if let Some(ours) = &told.announcement {
            announcement.reported = ours.reported;
        }
        announcement
    });
    // What the asker was told was about the phase that it stood in then.
    let asker_told = if stored.phase == told.phase { told.asker_told } else { stored.asker_told };
    let end_shown = if stored.phase == told.phase { told.end_shown } else { stored.end_shown };
    let mut riders = stored.riders.clone();
    for rider in &mut riders {
        rider.told |= told.riders.iter().any(|known| known.person == rider.person && known.told);
    }
    Deployment {
        announcement,
        riders,
        // Nothing but telling ever changes it.
        way: told.way.clone(),
        card: told.card.clone(),
        card_again_at: told.card_again_at,
        card_may_come_until: told.card_may_come_until,
        asker_told,
        end_shown,
        story: told.story.clone(),
        untold: told.untold.clone(),
        notices: told.notices.clone(),
        ..stored
    }
}

/// Where an end has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndTold {
    /// Wherever it takes to be told.
    Everywhere,
    /// In the chat; the record at the source control has no end yet.
    InChat,
    /// Somebody in the chat does not know it.
    NotYet,
}

/// Where the end stands. What the asker could not be told stays open, for whoever asks how it stands.
pub(super) async fn end(ports: &Ports, source: Option<&SecretString>, deployment: &Deployment, hands: &mut Hands) -> EndTold {
    if deployment.is_orphaned() {
        return if riders::are_told(deployment) { EndTold::Everywhere } else { EndTold::NotYet };
    }
    let reported = record::has_its_end(ports, source, deployment, &mut hands.telling.record).await;
    let routed = routed::are_told(deployment, &hands.telling);
    let said = deployment.asker_told && !deployment.owes_word() && !deployment.untold.contains(&Untold::Asker);
    let card_stands = hands.telling.card_stands && hands.telling.put_back.is_none();
    match routed && said && riders::are_told(deployment) && story::is_told(deployment) && card_stands {
        true if reported => EndTold::Everywhere,
        true => EndTold::InChat,
        false => EndTold::NotYet,
    }
}

#[cfg(test)]
mod card_tests;
#[cfg(test)]
mod tests;
