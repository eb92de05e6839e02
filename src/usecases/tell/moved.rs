//! A ref that moved while its deploy waited: the asker gets two ways on.

use crate::domain::command::{Because, Command, Wish};
use crate::domain::deployment::Deployment;
use crate::domain::gate::Reason;
use crate::domain::message::Message;
use crate::domain::names::CommitSha;
use crate::domain::pipeline::{PipelineKey, Place};
use crate::domain::source::AskedRef;
use crate::domain::speech;
use crate::usecases::Ports;
use crate::usecases::drive::DriveError;
use crate::usecases::offers::offer;

use super::Telling;

/// The message of a ref that moved; made once, since its buttons are kept in the store.
pub(super) async fn ways_on(
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
        | Reason::MayNotDeploy
        | Reason::Locked { .. }
        | Reason::ByRule(_) => None,
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
