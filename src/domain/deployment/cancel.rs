//! What a person can do to a deployment: stop it, or free its app; and when a stop is truly an end.

use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::command::Because;

use super::phase::{Failure, Milestone, Phase, Stage, Standing, Watched};
use super::{Cancel, Deployment};

/// What can be stopped now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelAnswer {
    /// It is stopped: nothing had begun outside that could go on.
    Stopped(Box<Deployment>),
    /// It will be stopped as soon as the platform says so.
    Asked(Box<Deployment>),
    /// Somebody asked already.
    AlreadyAsked,
    /// What goes on cannot be stopped.
    CannotStop(Stage),
    /// Nobody knows what goes on; it can be freed by hand.
    Unknown(Watched),
    /// It is over.
    Over,
}

impl Deployment {
    /// Stops what can be stopped.
    pub fn cancelled_by(&self, person: &Person, because: Option<&Because>, now: Timestamp) -> CancelAnswer {
        let asked = |told| {
            let mut next = self.clone();
            next.cancel = Some(Cancel { by: person.clone(), at: now, told, because: because.cloned() });
            next
        };
        match &self.phase {
            Phase::Waiting(_) | Phase::NeedsCode { .. } | Phase::Starting | Phase::Uploading if self.order_may_turn_up() => {
                let mut next = asked(false);
                next.enter(Phase::Unknown(Watched::Order), now);
                CancelAnswer::Asked(Box::new(next))
            }
            Phase::Waiting(_) | Phase::NeedsCode { .. } | Phase::Starting | Phase::Uploading => {
                let mut next = asked(true);
                let during = self.phase.stage().unwrap_or(Stage::Line);
                next.enter(Phase::Cancelled { by: person.clone(), during }, now);
                CancelAnswer::Stopped(Box::new(next))
            }
            // A promotion that was ordered cannot be stopped.
            Phase::Building { .. } if self.promotes().is_some() => CancelAnswer::CannotStop(Stage::Release),
            Phase::Announcing(_) | Phase::AboutToBuild(_) | Phase::Building { .. } if self.cancel.is_some() => CancelAnswer::AlreadyAsked,
            Phase::Announcing(_) | Phase::AboutToBuild(_) | Phase::Building { .. } => CancelAnswer::Asked(Box::new(asked(false))),
            Phase::Releasing { .. } => CancelAnswer::CannotStop(Stage::Release),
            Phase::Restarting { .. } => CancelAnswer::CannotStop(Stage::Dynos),
            Phase::Unknown(watched) => CancelAnswer::Unknown(watched.clone()),
            Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } | Phase::Freed { .. } => CancelAnswer::Over,
        }
    }

    /// Gives the app of an unknown deployment to the next one; `None` if it is not unknown.
    pub fn freed_by(&self, person: &Person, because: Option<&Because>, now: Timestamp) -> Option<Self> {
        let Phase::Unknown(was) = &self.phase else { return None };
        let mut next = self.clone();
        next.enter(Phase::Freed { by: person.clone(), was: was.clone(), because: because.cloned() }, now);
        Some(next)
    }

    /// Where a move really leads: a stop that was asked for takes effect, and no end hides an order that may still turn up, for
    /// that would give the app away under it.
    pub(super) fn truly(&self, phase: Phase) -> Phase {
        let phase = self.unless_cancelled(phase);
        if phase.milestone() == Milestone::Ended && self.order_may_turn_up() { Phase::Unknown(Watched::Order) } else { phase }
    }

    /// Whether a build that was ordered and never answered may still turn up. Orders that were refused for certain are not
    /// counted, so before the build whatever is counted is open.
    fn order_may_turn_up(&self) -> bool {
        match &self.phase {
            Phase::Waiting(_) | Phase::NeedsCode { .. } | Phase::Starting | Phase::Announcing(_) | Phase::Uploading => {
                self.builds_ordered > 0
            }
            // The one that is being ordered now is counted already, and its answer is what moves it.
            Phase::AboutToBuild(Standing::Fresh) => self.builds_ordered > 1,
            Phase::AboutToBuild(Standing::Unclear { .. }) => true,
            Phase::Building { .. }
            | Phase::Releasing { .. }
            | Phase::Restarting { .. }
            | Phase::Unknown(_)
            | Phase::Succeeded { .. }
            | Phase::Failed { .. }
            | Phase::Cancelled { .. }
            | Phase::Freed { .. } => false,
        }
    }

    /// A stop that was asked for takes effect where nothing outside can go on.
    fn unless_cancelled(&self, phase: Phase) -> Phase {
        let Some(cancel) = &self.cancel else { return phase };
        let stopped = |during| Phase::Cancelled { by: cancel.by.clone(), during };
        match &phase {
            Phase::Waiting(_) | Phase::NeedsCode { .. } | Phase::Starting | Phase::Announcing(Standing::Fresh) | Phase::Uploading => {
                stopped(self.phase.stage().unwrap_or(Stage::Line))
            }
            Phase::Failed { during, .. } if self.phase.milestone() == Milestone::Preparing => stopped(*during),
            Phase::Failed { during: Stage::Build, why: Failure::Build } if cancel.told => stopped(Stage::Build),
            Phase::Announcing(Standing::Unclear { .. })
            | Phase::AboutToBuild(_)
            | Phase::Building { .. }
            | Phase::Releasing { .. }
            | Phase::Restarting { .. }
            | Phase::Unknown(_)
            | Phase::Succeeded { .. }
            | Phase::Failed { .. }
            | Phase::Cancelled { .. }
            | Phase::Freed { .. } => phase,
        }
    }
}
