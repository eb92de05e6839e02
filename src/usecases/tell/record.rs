//! The record at the source control: what it should show, and that it never stays without an end.

use secrecy::SecretString;

use crate::domain::account::Provider;
use crate::domain::allowance::Purpose;
use crate::domain::deployment::{Deployment, EFFECT_BOUND, Phase, Untold};
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

/// Brings the record up to date. Progress is left out where little may be written; an end is told until it is taken or refused.
pub(super) async fn report(ports: &Ports, source: Option<&SecretString>, told: &mut Deployment, respite: &mut Respite) {
    let state = report_state(told);
    let Some(announcement) = &told.announcement else { return };
    if announcement.reported == Some(state) {
        return;
    }
    let now = ports.clock.now();
    if !respite.is_over(now) {
        return;
    }
    let Some(source) = source else {
        if state.is_final() {
            told.could_not_tell(Untold::Record);
        }
        return;
    };
    match (ports.allowances.may_write(source, purpose(state), now), purpose(state)) {
        (Ok(()), Purpose::Progress | Purpose::End) => {}
        // What is not told now is not worth a record later: by then there is something newer.
        (Err(_), Purpose::Progress) => return,
        (Err(until), Purpose::End) => return respite.rest_until(until),
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
                return;
            }
            let refused = error.fault == Fault::SignInLost;
            if refused && ports.accounts.refused(&told.origin.person, Provider::SourceControl, source).await {
                // With the other token, at the next turn.
                respite.rest_until(now);
                return;
            }
            // It is not asked again: people are told that the record stays as it is.
            if state.is_final() {
                told.could_not_tell(Untold::Record);
            }
        }
    }
    if let Some(announcement) = &mut told.announcement {
        announcement.reported = Some(state);
    }
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
        (Some(announcement), Some(_)) => announcement.reported.is_some_and(ReportState::is_final),
        (None, Some(source)) if deployment.announcements_ordered > 0 => close_lost_announcement(ports, source, deployment, respite).await,
        (None | Some(_), _) => true,
    }
}

async fn close_lost_announcement(ports: &Ports, source: &SecretString, deployment: &Deployment, respite: &mut Respite) -> bool {
    if !respite.is_over(ports.clock.now()) {
        return false;
    }
    let order = announcement_order(deployment);
    let closed = match ports.source.find_announcement(source, &deployment.cargo.repository, &order).await {
        Ok(Some(id)) => send_report(ports, source, deployment, &id, report_state(deployment)).await,
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
