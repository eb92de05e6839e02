//! What is meant for everybody in a conversation, where people of other companies read along, or may: the rules let them see nothing, and so
//! it is said to whoever asked alone.

use crate::domain::actor::Origin;
use crate::domain::fault::PortError;
use crate::domain::message::{Audience, Message};
use crate::domain::rights::{Aside, aside};
use crate::domain::speech;
use crate::ports::StoreError;

use super::Ports;
use super::rights::noted_rules;

/// Whether what is asked for there is said aside. The error within: the chat cannot be asked now.
pub(super) async fn of(ports: &Ports, origin: &Origin) -> Result<Result<Option<Aside>, PortError>, StoreError> {
    let workspace = &origin.person.workspace;
    let found = match ports.rights.seen_conversation(workspace, &origin.channel, ports.clock.now()).await {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    if found.is_some_and(|at| !at.shared && !at.direct) {
        return Ok(Ok(None));
    }
    let (_, rules) = noted_rules(ports, workspace).await?;
    Ok(Ok(aside(&rules, found)))
}

/// An answer, for all or for its asker alone. Somebody waits for it: where the chat cannot be asked now, only they see it.
pub(super) async fn answer(ports: &Ports, origin: &Origin, message: Message) -> Result<Message, StoreError> {
    match message.audience {
        Audience::Asker => return Ok(message),
        Audience::Channel => {}
    }
    let why = match of(ports, origin).await? {
        Ok(why) => why,
        Err(error) => {
            tracing::warn!(%error, "the chat does not say who reads along in a conversation");
            Some(Aside::Unseen)
        }
    };
    Ok(match why {
        // Of those between two, the other one is told by whoever asked.
        None => message,
        Some(why) => speech::to_asker_alone(message, why, origin),
    })
}
