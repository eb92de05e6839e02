//! A ref that moved while its deploy waited: the asker gets two ways on.

use crate::domain::command::{Because, Terms};
use crate::domain::deployment::Deployment;
use crate::domain::gate::Reason;
use crate::domain::message::Message;
use crate::domain::speech;
use crate::usecases::Ports;
use crate::usecases::drive::DriveError;
use crate::usecases::offers::both_ways;

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
    let because = deployment.because.as_deref().and_then(|because| Because::parse(because).ok());
    let terms = Terms { when_green: deployment.when_green, ask_first: deployment.ask_first, ..Terms::default() };
    let how = (deployment.overriding.is_some(), because, terms);
    let buttons =
        both_ways(ports, &deployment.origin.person, &deployment.target, by, (asked, now), how).await.map_err(DriveError::Store)?;
    Ok(Some(speech::ref_moved(&deployment.target, by, asked, now, &buttons)))
}
