//! What conversations are told that a team has routed notices to: how it ended, once in each.

use crate::domain::deployment::{Card, Deployment};
use crate::domain::route::{News, Sent};
use crate::domain::speech::{self, CardView};
use crate::ports::Addressee;
use crate::usecases::drive::DriveError;
use crate::usecases::{Ports, routes};

use super::Telling;

/// Tells all that want to know, as far as the chat may be asked. Where the card stands, it says it itself.
pub(super) async fn tell(ports: &Ports, view: &CardView<'_>, told: &mut Deployment, telling: &mut Telling) -> Result<(), DriveError> {
    let Some(news) = News::of(&told.phase) else { return Ok(()) };
    if telling.routed == Some(news) || !telling.place.is_over(view.now) {
        return Ok(());
    }
    let workspace = &told.origin.person.workspace.clone();
    let found = routes::routes_of(ports, workspace, &told.target.pipeline).await.map_err(DriveError::Store)?;
    let mut all = true;
    let Some((_, routes)) = found else {
        telling.routed = Some(news);
        return Ok(());
    };
    for route in &routes.kept {
        let sent = Sent { to: route.to.clone(), news };
        let stands_there = matches!(&told.card, Card::At(place) if place.channel == route.to && place.workspace == *workspace);
        if stands_there || told.notices.contains(&sent) || !route.only.wants(news, told.target.environment) {
            continue;
        }
        if routes::is_read_by_others(ports, workspace, &route.to).await.map_err(DriveError::Store)? {
            told.notices.push(sent);
            routes::close(ports, &routes, route).await.map_err(DriveError::Store)?;
            continue;
        }
        match ports.chat.say(&Addressee::Place(workspace.clone(), route.to.clone()), &speech::routed(view)).await {
            Ok(_) => {
                telling.place.worked();
                told.notices.push(sent);
                routes::reopen(ports, &routes, route).await.map_err(DriveError::Store)?;
            }
            Err(error) if error.is_temporary() => {
                tracing::info!(deployment = %told.id, %error, "a conversation could not be told yet");
                telling.place.failed_to_say(&error, ports.clock.now());
                all = false;
            }
            Err(error) => {
                tracing::warn!(deployment = %told.id, %error, "a conversation that notices are routed to takes none");
                told.notices.push(sent);
                routes::close(ports, &routes, route).await.map_err(DriveError::Store)?;
            }
        }
    }
    if all {
        telling.routed = Some(news);
    }
    Ok(())
}

/// Whether all are told how it ended.
pub(super) fn are_told(deployment: &Deployment, telling: &Telling) -> bool {
    News::of(&deployment.phase) == telling.routed
}
