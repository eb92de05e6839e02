//! The record at the source control: what it should show, and that it never stays without an end.

use jiff::Timestamp;
use secrecy::SecretString;

use crate::domain::account::Provider;
use crate::domain::allowance::Purpose;
use crate::domain::deployment::{Deployment, EFFECT_BOUND, Phase, UNKNOWN_PAUSE, Untold};
use crate::domain::names::AnnouncementId;
use crate::domain::source::{Report, ReportState};
use crate::domain::speech;
use crate::ports::{Fault, PortError};
use crate::usecases::Ports;
use crate::usecases::perform::announcement_order;
use crate::usecases::respite::Respite;

use super::pages;

/// The state that the record at the source control should show.
pub(in crate::usecases) fn report_state(deployment: &Deployment) -> ReportState {
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

/// Whether the token was still taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// As far as anybody knows.
    Holds,
    /// It was refused, and there is no other one.
    Lost,
}

/// Brings the record up to date. Progress is left out where little may be written; an end is told until it is taken or refused, and
/// where the login is gone, once there is one again.
pub(super) async fn report(ports: &Ports, source: Option<&SecretString>, told: &mut Deployment, respite: &mut Respite) -> Login {
    let state = report_state(told);
    let Some(announcement) = &told.announcement else { return Login::Holds };
    if announcement.reported == Some(state) {
        return Login::Holds;
    }
    let now = ports.clock.now();
    if !respite.is_over(now) {
        return Login::Holds;
    }
    let Some(source) = source else {
        if state.is_final() {
            told.could_not_tell(Untold::Record);
        }
        return Login::Holds;
    };
    match (ports.allowances.may_write(source, purpose(state), now), purpose(state)) {
        (Ok(()), Purpose::Progress | Purpose::End) => {}
        // What is not told now is not worth a record later: by then there is something newer.
        (Err(_), Purpose::Progress) => return Login::Holds,
        (Err(until), Purpose::End) => {
            respite.rest_until(until);
            return Login::Holds;
        }
    }
    match send_report(ports, source, told, &announcement.id.clone(), state).await {
        Ok(()) => {
            respite.worked();
            told.was_told(Untold::Record);
        }
        Err(error) => {
            tracing::warn!(deployment = %told.id, %error, "the record at the source control could not be brought up to date");
            if error.is_temporary() {
                respite.failed(&error, now);
                if error.fault == Fault::Unclear && !state.is_final() {
                    // Progress that may still be told late must not stand above the end.
                    respite.rest_until(now.checked_add(EFFECT_BOUND).unwrap_or(now));
                }
                return Login::Holds;
            }
            let refused = error.fault == Fault::SignInLost;
            let another = refused && ports.accounts.refused(&told.origin.person, Provider::SourceControl, source).await;
            if refused && (another || state.is_final()) {
                respite.rest_until(after_refusal(ports, told, another).await);
            }
            if another {
                return Login::Holds;
            }
            // People are told that the record stays as it is.
            if state.is_final() {
                told.could_not_tell(Untold::Record);
                if refused {
                    return Login::Lost;
                }
            }
        }
    }
    if let Some(announcement) = &mut told.announcement {
        announcement.reported = Some(state);
    }
    Login::Holds
}

/// When the record may be tried again after a token was refused: at once with another one, and where there is none, as soon as there is.
async fn after_refusal(ports: &Ports, deployment: &Deployment, another: bool) -> Timestamp {
    let now = ports.clock.now();
    let the_same = !another && ports.accounts.token(&deployment.origin.person, Provider::SourceControl).await.is_some();
    if the_same { now.checked_add(UNKNOWN_PAUSE).unwrap_or(now) } else { now }
}

fn purpose(state: ReportState) -> Purpose {
    if state.is_final() { Purpose::End } else { Purpose::Progress }
}

pub(in crate::usecases) async fn send_report(
    ports: &Ports,
    source: &SecretString,
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
    ports.source.report(source, &deployment.cargo.repository, id, &report).await
}

/// Whether the record shows the end, or never will. An order for a record that never got an answer is looked for once more, so that
/// no record stays without an end.
pub(super) async fn has_its_end(ports: &Ports, source: Option<&SecretString>, deployment: &Deployment, respite: &mut Respite) -> bool {
    match (&deployment.announcement, source) {
        (Some(announcement), _) => announcement.reported.is_some_and(ReportState::is_final),
        (None, _) if deployment.announcements_ordered == 0 => true,
        (None, Some(source)) => close_lost_announcement(ports, source, deployment, respite).await,
        (None, None) => false,
    }
}

async fn close_lost_announcement(ports: &Ports, source: &SecretString, deployment: &Deployment, respite: &mut Respite) -> bool {
    let now = ports.clock.now();
    if !respite.is_over(now) {
        return false;
    }
    let order = announcement_order(deployment);
    let closed = match ports.source.find_announcement(source, &deployment.cargo.repository, &order).await {
        Ok(Some(id)) => send_report(ports, source, deployment, &id, report_state(deployment)).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    let Err(error) = closed else { return true };
    tracing::warn!(deployment = %deployment.id, %error, "a record at the source control may stand without an end");
    if error.fault == Fault::SignInLost {
        let another = ports.accounts.refused(&deployment.origin.person, Provider::SourceControl, source).await;
        respite.rest_until(after_refusal(ports, deployment, another).await);
        return false;
    }
    respite.failed(&error, now);
    !error.is_temporary()
}
