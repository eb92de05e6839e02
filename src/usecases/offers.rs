//! Commands behind buttons.

use jiff::{SignedDuration, Timestamp};

use crate::domain::actor::Person;
use crate::domain::command::Command;
use crate::domain::names::OfferId;
use crate::domain::offer::Offer;
use crate::ports::{Batch, StoreError};

use super::Ports;

/// How long a button that stands for a command is good.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(15);

/// Keeps a command for each label and returns the labels with the ids that their buttons carry.
pub(super) async fn offer(
    ports: &Ports,
    to: &Person,
    commands: impl IntoIterator<Item = (String, Command)>,
) -> Result<Vec<(String, OfferId)>, StoreError> {
    let until = ports.clock.now().checked_add(GOOD_FOR).unwrap_or(ports.clock.now());
    offer_until(ports, to, commands, until).await
}

/// The same, good until a moment: for what people may read later.
pub(super) async fn offer_until(
    ports: &Ports,
    to: &Person,
    commands: impl IntoIterator<Item = (String, Command)>,
    until: Timestamp,
) -> Result<Vec<(String, OfferId)>, StoreError> {
    let mut batch = Batch::default();
    let mut buttons = Vec::new();
    for (label, command) in commands {
        let id = OfferId(ports.ids.fresh());
        batch.offers.push(Offer { id, version: 0, command, to: to.clone(), until, taken_by: None });
        buttons.push((label, id));
    }
    if !buttons.is_empty() {
        ports.store.save(batch).await?;
    }
    Ok(buttons)
}
