//! Commands behind buttons.

use jiff::{SignedDuration, Timestamp};

use crate::domain::actor::Person;
use crate::domain::command::{Because, Command, Terms, Wish};
use crate::domain::deployment::Target;
use crate::domain::names::{CommitSha, OfferId};
use crate::domain::offer::Offer;
use crate::domain::pipeline::{PipelineKey, Place};
use crate::domain::source::{AskedRef, CommitRef};
use crate::domain::speech;
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

/// Both ways on from a ref that moved: the commit that was meant, and where the ref stands now. Checks were passed over for the one
/// commit, if they were: another one is judged anew.
pub(super) async fn both_ways(
    ports: &Ports,
    to: &Person,
    target: &Target,
    by: &CommitRef,
    (meant, now): (&CommitSha, &CommitSha),
    (passing_checks, because, terms): (bool, Option<Because>, Terms),
) -> Result<Vec<(String, OfferId)>, StoreError> {
    let ship = |commit: &CommitSha, passing_checks: bool| Command::Deploy {
        wish: Wish {
            pipeline: PipelineKey::Id(target.pipeline.clone()),
            what: AskedRef::Pinned { of: by.clone(), commit: commit.clone() },
            to: Some(Place { environment: target.environment, app: Some(target.app_name.clone()) }),
        },
        passing_checks,
        because: because.clone(),
        terms: terms.clone(),
    };
    let choices = [(speech::ship_as_asked(meant), ship(meant, passing_checks)), (speech::ship_new_head(now), ship(now, false))];
    offer(ports, to, choices).await
}

/// Keeps commands like [`offer`], good until a moment: for what people may read later.
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
