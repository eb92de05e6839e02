//! Several deployments that were asked for in one breath: whoever asked hears once how all of them ended.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Deployment, Promote, Way};
use crate::domain::names::DeploymentId;

/// How long the word on all of them waits for those that are not over.
const WAITS: SignedDuration = SignedDuration::from_hours(1);
/// How long before that the others begin to tell their own ends: rather told twice than never.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The deployments that were asked for together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Together {
    /// All of them, in the order of their apps. The first one speaks for all.
    pub all: Vec<DeploymentId>,
    /// At the first one: whether it has spoken.
    pub told: bool,
}

impl Deployment {
    /// Those that it was asked for with, where there are any.
    pub fn together(&self) -> Option<&Together> {
        self.promotes().and_then(|promote| promote.together.as_ref())
    }

    /// Who tells how all of them ended.
    pub fn speaker(&self) -> Option<DeploymentId> {
        self.together()?.all.first().copied()
    }

    /// Whether it still owes its asker the word on all of them.
    pub fn owes_word(&self) -> bool {
        self.speaker() == Some(self.id) && self.together().is_some_and(|together| !together.told)
    }

    /// Whether its end is left for the one that speaks for all to tell.
    pub fn leaves_word_to(&self, speaker: &Deployment, now: Timestamp) -> bool {
        let late = speaker.has_ended() && now.duration_since(speaker.since) >= WAITS - MARGIN;
        self.has_ended() && speaker.owes_word() && (speaker.id == self.id || !late)
    }

    /// Whether it is time to tell how all of them ended. `all`: those that there still are.
    pub fn may_speak_for(&self, all: &[Deployment], now: Timestamp) -> bool {
        let waited = now.duration_since(self.since) >= WAITS;
        self.has_ended() && self.owes_word() && (waited || all.iter().all(Deployment::has_ended))
    }

    /// The word on all of them was said.
    pub fn has_spoken(&mut self) {
        if let Way::Promote(Promote { together: Some(together), .. }) = &mut self.way {
            together.told = true;
        }
    }
}
