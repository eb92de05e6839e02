//! Those who ride along: people whose wish ships with the deployment of somebody else.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::phase::Phase;
use super::{Deployment, Way};
use crate::domain::actor::Person;
use crate::domain::names::CommitSha;

/// As many ride along with one deployment, at most.
const MOST: usize = 20;

/// Somebody whose wish ships with a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rider {
    /// Who.
    pub person: Person,
    /// Since when.
    pub since: Timestamp,
    /// The commit that they asked for: the one that ships, or one that is part of it.
    pub wants: CommitSha,
    /// Whether they know how it ended, or cannot be told.
    #[serde(default)]
    pub told: bool,
}

impl Deployment {
    /// Whether others may ride along: it ships a commit, is not over, and nobody has asked to stop it.
    pub fn takes_riders(&self) -> bool {
        let goes_on = !self.has_ended() && !matches!(self.phase, Phase::Unknown(_));
        self.way == Way::Build && goes_on && self.cancel.is_none() && self.riders.len() < MOST
    }

    /// Whether somebody rides along.
    pub fn is_ridden_by(&self, person: &Person) -> bool {
        self.riders.iter().any(|rider| rider.person == *person)
    }

    /// Somebody rides along; `None`: it takes no riders, is their own, or they do already.
    pub fn ridden_by(&self, person: &Person, wants: &CommitSha, now: Timestamp) -> Option<Self> {
        if !self.takes_riders() || self.origin.person == *person || self.is_ridden_by(person) {
            return None;
        }
        let mut next = self.clone();
        next.riders.push(Rider { person: person.clone(), since: now, wants: wants.clone(), told: false });
        Some(next)
    }

    /// Somebody rides no more; `None`: they do not, or it is over.
    pub fn not_ridden_by(&self, person: &Person) -> Option<Self> {
        if self.has_ended() || !self.is_ridden_by(person) {
            return None;
        }
        let mut next = self.clone();
        next.riders.retain(|rider| rider.person != *person);
        Some(next)
    }

    /// A rider knows how it ended, or cannot be told.
    pub fn rider_was_told(&mut self, person: &Person) {
        self.riders.iter_mut().filter(|rider| rider.person == *person).for_each(|rider| rider.told = true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::samples::{all, at, deployment, person};
    use crate::domain::deployment::{Back, Cancel};
    use crate::domain::names::{CodeId, ReleaseId};

    #[test]
    fn others_ride_along_once_while_it_goes_on() {
        for phase in all() {
            let one = deployment(phase.clone());
            let wants = one.cargo.commit.clone();
            let ridden = one.ridden_by(&person("bo"), &wants, at(5));
            assert_eq!(ridden.is_some(), !one.has_ended() && !matches!(phase, Phase::Unknown(_)), "{phase:?}");
            assert_eq!(one.ridden_by(&person("ana"), &wants, at(5)), None, "nobody rides along with themselves");
            let Some(ridden) = ridden else { continue };
            assert!(ridden.is_ridden_by(&person("bo")) && ridden.phase == one.phase);
            assert_eq!((ridden.ridden_by(&person("bo"), &wants, at(6)), ridden.not_ridden_by(&person("cy"))), (None, None));
            assert_eq!(ridden.not_ridden_by(&person("bo")), Some(one));
        }
    }

    #[test]
    fn what_is_stopped_full_or_not_built_takes_nobody_along() {
        let one = deployment(Phase::Starting);
        let wants = one.cargo.commit.clone();
        let cancel = Some(Cancel { by: person("cy"), at: at(0), told: false, because: None });
        let back = Back { to: ReleaseId::parse("r").unwrap(), version: 1, code: CodeId::parse("c").unwrap(), newest: 2, configs: 0 };
        for stands in [Deployment { cancel, ..one.clone() }, Deployment { way: Way::Back(back), ..one.clone() }] {
            assert_eq!(stands.ridden_by(&person("bo"), &wants, at(5)), None);
        }
        let full = (0..MOST).fold(one, |one, n| one.ridden_by(&person(&format!("u{n}")), &wants, at(5)).unwrap());
        assert_eq!(full.ridden_by(&person("bo"), &wants, at(5)), None);
    }
}
