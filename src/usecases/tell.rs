//! Telling: the record at the source control, the card, the asker. A chat that is down does not stop a deploy.

use jiff::{SignedDuration, Timestamp};

use crate::domain::command::{Because, Command, Wish};
use crate::domain::deployment::{Card, Deployment, Failure, Phase, Stage, WaitingFor};
use crate::domain::gate::Reason;
use crate::domain::message::Message;
use crate::domain::names::{AnnouncementId, CommitSha};
use crate::domain::pipeline::{PipelineKey, Place};
use crate::domain::source::{AskedRef, Report, ReportState};
use crate::domain::speech::{self, CardView, Pages};
use crate::ports::{Addressee, Credentials, Delivered, Fault, Lease, PortError};

use super::Ports;
use super::drive::{DriveError, Hands, save};
use super::offers::offer;
use super::perform::announcement_order;
use super::respite::{Respite, earliest};

/// How often a card that was lost is shown anew.
const CARDS: u32 = 2;
/// For how long something is said where it was asked for; after that, directly: the way there is open for half an hour.
const ANSWERED_THERE_FOR: SignedDuration = SignedDuration::from_mins(25);

/// The pages of a deployment, for people.
pub(super) fn pages(ports: &Ports, deployment: &Deployment) -> Pages {
    let app = &deployment.target.app_name;
    Pages {
        app: ports.platform.app_page(app),
        build: deployment.build.as_ref().map(|build| ports.platform.build_page(app, build)),
        release: deployment.release.as_ref().map(|release| ports.platform.release_page(app, release)),
    }
}

/// What a worker remembers of telling. Lost with the process: then everything is told once more, which changes nothing.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// The message as the card shows it.
    shown: Option<Message>,
    /// Whether the card shows what it should, or never will.
    card_stands: bool,
    /// The chat will not have a card, whatever we do.
    card_given_up: bool,
    /// How often a card was lost that had been shown.
    cards_lost: u32,
    /// The two ways on from a ref that moved, with their buttons.
    ways_on: Option<Message>,
    /// Rest for the chat.
    chat: Respite,
    /// Rest for the source control's record.
    record: Respite,
}

impl Telling {
    /// When something that could not be told may be tried again.
    pub(super) fn again_at(&self) -> Option<Timestamp> {
        earliest([self.chat.until(), self.record.until()])
    }
}

/// Tells where the deployment stands, as far as it has changed. Failures are logged and made up for later; what was told is
/// recorded.
pub(super) async fn tell(
    ports: &Ports,
    lease: &Lease,
    who: Option<&Credentials>,
    deployment: &mut Deployment,
    hands: &mut Hands,
) -> Result<(), DriveError> {
    if deployment.closed {
        return Ok(());
    }
    let mut told = deployment.clone();
    if let Some(who) = who {
        report(ports, who, &mut told, &mut hands.telling.record).await;
    }
    let line = ports.store.line(&deployment.target.app).await.map_err(DriveError::Store)?;
    // Its turn has just come: the next step says so, and what would be shown now would stand for a moment only.
    let turn_has_come = deployment.phase == Phase::Waiting(WaitingFor::Turn) && line.holder == Some(deployment.id);
    if turn_has_come {
        hands.telling.card_stands = false;
    } else if hands.telling.chat.is_over(ports.clock.now()) {
        let pages = pages(ports, deployment);
        let view = CardView { deployment, now: ports.clock.now(), ahead: line.place_of(deployment.id), pages: &pages };
        show_card(ports, &view, &mut told, &mut hands.telling).await;
        tell_asker(ports, &view, &mut told, &mut hands.telling).await?;
    } else {
        hands.telling.card_stands = false;
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

/// What was told, put on top of what somebody else has made of the deployment meanwhile.
fn with_told(stored: Deployment, told: &Deployment) -> Deployment {
    let announcement = stored.announcement.clone().map(|mut announcement| {
        if let Some(ours) = &told.announcement {
            announcement.reported = ours.reported;
        }
        announcement
    });
    // What the asker was told was about the phase that it stood in then.
    let asker_told = if stored.phase == told.phase { told.asker_told } else { stored.asker_told };
    Deployment { announcement, card: told.card.clone(), asker_told, ..stored }
}

/// Tells whose turn it is. A courtesy: tried once, and lost where the chat does not take it.
pub(super) async fn tell_turn(ports: &Ports, deployment: &Deployment, hands: &mut Hands) {
    if !hands.telling.chat.is_over(ports.clock.now()) {
        return;
    }
    let pages = pages(ports, deployment);
    let view = CardView { deployment, now: ports.clock.now(), ahead: None, pages: &pages };
    if let Err(error) = ports.chat.say(&Addressee::Direct(deployment.origin.person.clone()), &speech::turn(&view)).await {
        tracing::info!(deployment = %deployment.id, %error, "the next in line could not be told");
        hands.telling.chat.failed(&error, ports.clock.now());
    }
}

/// The state that the record at the source control should show.
pub(super) fn report_state(deployment: &Deployment) -> ReportState {
    if deployment.waits_for_slot() {
        return ReportState::Queued;
    }
    match &deployment.phase {
        Phase::Waiting(_) | Phase::NeedsCode { .. } | Phase::Starting | Phase::Announcing(_) => ReportState::Queued,
        Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. }
        | Phase::Unknown(_) => ReportState::InProgress,
        Phase::Succeeded { .. } => ReportState::Success,
        Phase::Failed { .. } => ReportState::Failure,
        Phase::Cancelled { .. } | Phase::Freed { .. } => ReportState::Error,
    }
}

async fn report(ports: &Ports, who: &Credentials, told: &mut Deployment, respite: &mut Respite) {
    let state = report_state(told);
    let Some(announcement) = &told.announcement else { return };
    if announcement.reported == Some(state) || !respite.is_over(ports.clock.now()) {
        return;
    }
    match send_report(ports, who, told, &announcement.id.clone(), state).await {
        Ok(()) => respite.worked(),
        Err(error) => {
            tracing::warn!(deployment = %told.id, %error, "the record at the source control could not be brought up to date");
            if error.is_temporary() {
                respite.failed(&error, ports.clock.now());
                return;
            }
        }
    }
    if let Some(announcement) = &mut told.announcement {
        announcement.reported = Some(state);
    }
}

pub(super) async fn send_report(
    ports: &Ports,
    who: &Credentials,
    deployment: &Deployment,
    id: &AnnouncementId,
    state: ReportState,
) -> Result<(), PortError> {
    let pages = pages(ports, deployment);
    let report = Report {
        state,
        description: speech::report_description(deployment),
        log_url: pages.build,
        environment_url: deployment.target.web_url.clone(),
    };
    ports.source.report(&who.source, &deployment.cargo.repository, id, &report).await
}

async fn show_card(ports: &Ports, view: &CardView<'_>, told: &mut Deployment, telling: &mut Telling) {
    let message = speech::card(view);
    telling.card_stands = telling.card_given_up || told.card == Card::SaidOnce || telling.shown.as_ref() == Some(&message);
    if telling.card_stands {
        return;
    }
    if let Card::At(place) = &told.card {
        match ports.chat.amend(place, &message).await {
            Ok(()) => return telling.stands_as(message),
            Err(error) if error.fault == Fault::NotFound && telling.cards_lost < CARDS => {
                tracing::warn!(deployment = %told.id, %error, "the card is gone: there will be a new one");
                telling.cards_lost = telling.cards_lost.saturating_add(1);
                told.card = Card::NotShown;
            }
            Err(error) => {
                tracing::warn!(deployment = %told.id, %error, "the card could not be changed");
                return telling.card_failed(&error, ports.clock.now());
            }
        }
    }
    match ports.chat.say(&Addressee::Card(told.origin.clone()), &message).await {
        Ok(Delivered::Editable(place)) => {
            told.card = Card::At(place);
            telling.stands_as(message);
        }
        Ok(Delivered::Final) => {
            told.card = Card::SaidOnce;
            telling.stands_as(message);
        }
        Err(error) => {
            tracing::warn!(deployment = %told.id, %error, "the card could not be shown");
            telling.card_failed(&error, ports.clock.now());
        }
    }
}

impl Telling {
    fn stands_as(&mut self, message: Message) {
        self.shown = Some(message);
        self.card_stands = true;
        self.chat.worked();
    }

    /// What the chat refuses for good is not tried again: the asker is told the end all the same.
    fn card_failed(&mut self, error: &PortError, now: Timestamp) {
        if error.is_temporary() {
            self.chat.failed(error, now);
        } else {
            self.card_given_up = true;
            self.card_stands = true;
        }
    }
}

/// What only the asker is told: that a code is wanted, that nobody knows how it stands, how it ended.
async fn tell_asker(ports: &Ports, view: &CardView<'_>, told: &mut Deployment, telling: &mut Telling) -> Result<(), DriveError> {
    let deployment = view.deployment;
    if told.asker_told {
        return Ok(());
    }
    let message = match &deployment.phase {
        Phase::NeedsCode { .. } => speech::needs_code(view, &ports.command_word),
        // Whoever stopped or freed it themselves has just been answered.
        Phase::Freed { by, .. } | Phase::Cancelled { by, during: Stage::Line | Stage::Code | Stage::Checks | Stage::Source }
            if *by == deployment.origin.person =>
        {
            told.asker_told = true;
            return Ok(());
        }
        Phase::Failed { why: Failure::Gate(reasons), .. } => match moved_ways_on(ports, deployment, reasons, telling).await? {
            Some(message) => message,
            None => speech::ended(view),
        },
        Phase::Unknown(_) | Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } | Phase::Freed { .. } => {
            speech::ended(view)
        }
        Phase::Waiting(_)
        | Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. } => return Ok(()),
    };
    // What has to be acted on is said where it was asked for, as long as that way is open.
    let fresh = view.now.duration_since(deployment.asked_at) < ANSWERED_THERE_FOR;
    let to = if fresh && wants_an_act(&deployment.phase, telling) {
        Addressee::Answer(deployment.origin.clone())
    } else {
        Addressee::Direct(deployment.origin.person.clone())
    };
    match ports.chat.say(&to, &message).await {
        Ok(_) => {
            told.asker_told = true;
            telling.chat.worked();
        }
        Err(error) if !error.is_temporary() => {
            tracing::warn!(deployment = %deployment.id, %error, "the asker cannot be told");
            told.asker_told = true;
        }
        Err(error) => {
            tracing::warn!(deployment = %deployment.id, %error, "the asker could not be told yet");
            telling.chat.failed(&error, ports.clock.now());
        }
    }
    Ok(())
}

/// Whether the message is a question to the asker, and no news.
fn wants_an_act(phase: &Phase, telling: &Telling) -> bool {
    matches!(phase, Phase::NeedsCode { .. }) || telling.ways_on.is_some()
}

/// The message of a ref that moved; made once, since its buttons are kept in the store.
async fn moved_ways_on(
    ports: &Ports,
    deployment: &Deployment,
    reasons: &[Reason],
    telling: &mut Telling,
) -> Result<Option<Message>, DriveError> {
    if telling.ways_on.is_none() {
        telling.ways_on = moved_buttons(ports, deployment, reasons).await?;
    }
    Ok(telling.ways_on.clone())
}

/// A ref that moved is answered with two ways on.
async fn moved_buttons(ports: &Ports, deployment: &Deployment, reasons: &[Reason]) -> Result<Option<Message>, DriveError> {
    let Some((by, asked, now)) = reasons.iter().find_map(|reason| match reason {
        Reason::RefMoved { by, asked, now } => Some((by, asked, now)),
        Reason::ChecksFailed(_)
        | Reason::ChecksPending(_)
        | Reason::ChecksMissing(_)
        | Reason::ChecksUnreadable { .. }
        | Reason::RefGone { .. }
        | Reason::NotOnRef { .. }
        | Reason::FromFork
        | Reason::Unreachable
        | Reason::RepositoryArchived
        | Reason::MayNotRecord
        | Reason::MayNotDeploy => None,
    }) else {
        return Ok(None);
    };
    let target = &deployment.target;
    let ship = |commit: &CommitSha, passing_checks: bool| Command::Deploy {
        wish: Wish {
            pipeline: PipelineKey::Id(target.pipeline.clone()),
            what: AskedRef::Pinned { of: by.clone(), commit: commit.clone() },
            to: Some(Place { environment: target.environment, app: Some(target.app_name.clone()) }),
        },
        passing_checks,
        because: deployment.because.as_deref().and_then(|because| Because::parse(because).ok()),
    };
    // Checks were passed over for the one commit; another one is judged anew.
    let choices =
        [(speech::ship_as_asked(asked), ship(asked, deployment.overriding.is_some())), (speech::ship_new_head(now), ship(now, false))];
    let buttons = offer(ports, &deployment.origin.person, choices).await.map_err(DriveError::Store)?;
    Ok(Some(speech::ref_moved(deployment, by, asked, now, &buttons)))
}

/// Whether the end stands everywhere. An order for a record at the source control that never got an answer is looked for
/// once more, so that no record stays without an end.
pub(super) async fn is_told(ports: &Ports, who: Option<&Credentials>, deployment: &Deployment, hands: &mut Hands) -> bool {
    let reported = match (&deployment.announcement, who) {
        (Some(announcement), Some(_)) => announcement.reported.is_some_and(ReportState::is_final),
        (None, Some(who)) if deployment.announcements_ordered > 0 => {
            close_lost_announcement(ports, who, deployment, &mut hands.telling.record).await
        }
        (None | Some(_), _) => true,
    };
    reported && deployment.asker_told && hands.telling.card_stands
}

async fn close_lost_announcement(ports: &Ports, who: &Credentials, deployment: &Deployment, respite: &mut Respite) -> bool {
    if !respite.is_over(ports.clock.now()) {
        return false;
    }
    let order = announcement_order(deployment);
    let closed = match ports.source.find_announcement(&who.source, &deployment.cargo.repository, &order).await {
        Ok(Some(id)) => send_report(ports, who, deployment, &id, report_state(deployment)).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    match closed {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(deployment = %deployment.id, %error, "a record at the source control may stand without an end");
            respite.failed(&error, ports.clock.now());
            !error.is_temporary()
        }
    }
}

#[cfg(test)]
mod tests;
