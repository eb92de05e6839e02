//! Telling: the record at the source control, the card, the asker. A chat that is down does not stop a deploy.

use crate::domain::command::{Command, Wish};
use crate::domain::deployment::{Card, Deployment, Failure, Phase, Stage, WaitingFor};
use crate::domain::gate::Reason;
use crate::domain::message::Message;
use crate::domain::names::AnnouncementId;
use crate::domain::pipeline::{PipelineKey, Place};
use crate::domain::source::{AskedRef, Report, ReportState};
use crate::domain::speech::{self, CardView, Pages};
use crate::ports::{Addressee, AnnouncementOrder, Credentials, Delivered, Fault, Lease, PortError};

use super::Ports;
use super::drive::{DriveError, Hands, save};
use super::offers::offer;

/// The pages of a deployment, for people.
pub(super) fn pages(ports: &Ports, deployment: &Deployment) -> Pages {
    let app = &deployment.target.app_name;
    Pages {
        app: ports.platform.app_page(app),
        build: deployment.build.as_ref().map(|build| ports.platform.build_page(app, build)),
        release: deployment.release.as_ref().map(|release| ports.platform.release_page(app, release)),
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
        report(ports, who, &mut told).await;
    }
    let ahead = match ports.store.line(&deployment.target.app).await {
        Ok(line) => line.place_of(deployment.id),
        Err(error) => return Err(DriveError::Store(error)),
    };
    // Its turn has just come: the next step says so, and what would be shown now would stand for a moment only.
    if ahead == Some(0) && deployment.phase == Phase::Waiting(WaitingFor::Turn) {
        return Ok(());
    }
    let pages = pages(ports, deployment);
    let view = CardView { deployment, now: ports.clock.now(), ahead, pages: &pages };
    show_card(ports, &view, &mut told, hands).await;
    tell_asker(ports, &view, &mut told).await?;
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
                let announcement = stored.announcement.clone().map(|mut announcement| {
                    if let Some(ours) = &told.announcement {
                        announcement.reported = ours.reported;
                    }
                    announcement
                });
                if stored.phase != deployment.phase {
                    hands.entered = false;
                }
                let asker_told = if stored.phase == deployment.phase { told.asker_told } else { stored.asker_told };
                *deployment = stored.clone();
                told = Deployment { announcement, card: told.card.clone(), asker_told, ..stored };
            }
        }
    }
}

/// Tells whose turn it is. A courtesy: tried once, and lost where the chat does not take it.
pub(super) async fn tell_turn(ports: &Ports, deployment: &Deployment) {
    let pages = pages(ports, deployment);
    let view = CardView { deployment, now: ports.clock.now(), ahead: None, pages: &pages };
    if let Err(error) = ports.chat.say(&Addressee::Direct(deployment.origin.person.clone()), &speech::turn(&view)).await {
        tracing::info!(deployment = %deployment.id, %error, "the next in line could not be told");
    }
}

/// The state that the record at the source control should show.
fn report_state(deployment: &Deployment) -> ReportState {
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

async fn report(ports: &Ports, who: &Credentials, told: &mut Deployment) {
    let state = report_state(told);
    let Some(announcement) = &told.announcement else { return };
    if announcement.reported == Some(state) {
        return;
    }
    if let Err(error) = send_report(ports, who, told, &announcement.id.clone(), state).await {
        tracing::warn!(deployment = %told.id, %error, "the record at the source control could not be brought up to date");
        if error.is_temporary() {
            return;
        }
    }
    if let Some(announcement) = &mut told.announcement {
        announcement.reported = Some(state);
    }
}

async fn send_report(
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

async fn show_card(ports: &Ports, view: &CardView<'_>, told: &mut Deployment, hands: &mut Hands) {
    let message = speech::card(view);
    if hands.shown.as_ref() == Some(&message) {
        return;
    }
    match &told.card {
        Card::NotShown => match ports.chat.say(&Addressee::Card(told.origin.clone()), &message).await {
            Ok(Delivered::Editable(place)) => {
                told.card = Card::At(place);
                hands.shown = Some(message);
            }
            Ok(Delivered::Final) => {
                told.card = Card::SaidOnce;
                hands.shown = Some(message);
            }
            Err(error) => tracing::warn!(deployment = %told.id, %error, "the card could not be shown"),
        },
        Card::At(place) => match ports.chat.amend(place, &message).await {
            Ok(()) => hands.shown = Some(message),
            Err(error) if error.fault == Fault::NotFound => {
                // The card is gone for good: a new one, the next time.
                tracing::warn!(deployment = %told.id, %error, "the card is gone");
                told.card = Card::NotShown;
            }
            Err(error) => tracing::warn!(deployment = %told.id, %error, "the card could not be changed"),
        },
        Card::SaidOnce => hands.shown = Some(message),
    }
}

/// What only the asker is told: that a code is wanted, that nobody knows how it stands, how it ended.
async fn tell_asker(ports: &Ports, view: &CardView<'_>, told: &mut Deployment) -> Result<(), DriveError> {
    let deployment = view.deployment;
    let origin = || Addressee::Answer(deployment.origin.clone());
    let direct = || Addressee::Direct(deployment.origin.person.clone());
    let (to, message): (Addressee, Message) = match &deployment.phase {
        Phase::NeedsCode { .. } if !told.asker_told => (origin(), speech::needs_code(view, &ports.command_word)),
        Phase::NeedsCode { .. } => return Ok(()),
        // Whoever stopped or freed it themselves has just been answered.
        Phase::Freed { by, .. } | Phase::Cancelled { by, during: Stage::Line | Stage::Code | Stage::Checks | Stage::Source }
            if *by == deployment.origin.person =>
        {
            told.asker_told = true;
            return Ok(());
        }
        Phase::Failed { why: Failure::Gate(reasons), .. } if !told.asker_told => match moved_buttons(ports, deployment, reasons).await? {
            Some(message) => (origin(), message),
            None => (direct(), speech::ended(view)),
        },
        Phase::Unknown(_) | Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } | Phase::Freed { .. }
            if !told.asker_told =>
        {
            (direct(), speech::ended(view))
        }
        Phase::Waiting(_)
        | Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. }
        | Phase::Unknown(_)
        | Phase::Succeeded { .. }
        | Phase::Failed { .. }
        | Phase::Cancelled { .. }
        | Phase::Freed { .. } => return Ok(()),
    };
    match ports.chat.say(&to, &message).await {
        Ok(_) => told.asker_told = true,
        Err(error) if !error.is_temporary() => {
            tracing::warn!(deployment = %deployment.id, %error, "the asker cannot be told");
            told.asker_told = true;
        }
        Err(error) => tracing::warn!(deployment = %deployment.id, %error, "the asker could not be told yet"),
    }
    Ok(())
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
    let ship = |commit: &crate::domain::names::CommitSha| Command::Deploy {
        wish: Wish {
            pipeline: PipelineKey::Id(target.pipeline.clone()),
            what: AskedRef::Pinned { of: by.clone(), commit: commit.clone() },
            to: Some(Place { environment: target.environment, app: Some(target.app_name.clone()) }),
        },
        passing_checks: deployment.overriding.is_some(),
        because: deployment.because.as_deref().and_then(|because| crate::domain::command::Because::parse(because).ok()),
    };
    let choices = [(speech::ship_as_asked(asked), ship(asked)), (speech::ship_new_head(now), ship(now))];
    let buttons = offer(ports, &deployment.origin.person, choices).await.map_err(DriveError::Store)?;
    Ok(Some(speech::ref_moved(deployment, by, asked, now, &buttons)))
}

/// Whether the end stands everywhere. An order for a record at the source control that never got an answer is looked for
/// once more, so that no record stays without an end.
pub(super) async fn is_told(ports: &Ports, who: Option<&Credentials>, deployment: &Deployment) -> bool {
    let reported = match (&deployment.announcement, who) {
        (Some(announcement), Some(_)) => announcement.reported.is_some_and(ReportState::is_final),
        (None, Some(who)) if deployment.announcements_ordered > 0 => close_lost_announcement(ports, who, deployment).await,
        (None | Some(_), _) => true,
    };
    reported && deployment.asker_told
}

async fn close_lost_announcement(ports: &Ports, who: &Credentials, deployment: &Deployment) -> bool {
    let order = AnnouncementOrder {
        deployment: deployment.id,
        commit: deployment.cargo.commit.clone(),
        environment: deployment.target.environment,
        app: deployment.target.app_name.to_string(),
        description: speech::announcement_description(deployment),
    };
    match ports.source.find_announcement(&who.source, &deployment.cargo.repository, &order).await {
        Ok(Some(id)) => send_report(ports, who, deployment, &id, report_state(deployment)).await.is_ok(),
        Ok(None) => true,
        Err(error) => !error.is_temporary(),
    }
}
