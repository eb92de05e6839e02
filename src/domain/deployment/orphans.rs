//! Deployments that nobody stands behind any more: whoever asked for them was removed, or the app was removed from their workspace.
//!
//! Nobody's rights follow such a one and nobody is told of it. It keeps its app for as long as something of it may still run outside, so
//! that no two run there at a time, and then frees it by itself.

use jiff::{SignedDuration, Timestamp};

use super::pace::UNKNOWN_LOOKS_FOR;
use super::{Deployment, Outcome, Phase, Standing};
use crate::domain::names::UserId;
use crate::domain::privacy::{is_departed, is_pseudonym};

/// How long somebody's leaving waits for a deployment to end, at most. Whatever runs ends or is unknown within hours and is looked at for a
/// day after that; this is longer than both, and far less than what is promised.
pub const WAITED_FOR: SignedDuration = SignedDuration::from_hours(48);
/// How long it waits for the end to be told, where nobody in the chat can be told.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_hours(1);

impl Deployment {
    /// Whether whoever asked for it is gone.
    pub fn is_orphaned(&self) -> bool {
        is_pseudonym(&self.origin.person.user)
    }

    /// Whether it was asked for where the app was removed since: nobody is shown it, and nobody acts on it.
    pub fn has_left(&self) -> bool {
        is_departed(&self.origin.person.user)
    }

    /// Whether its asker, who leaves since `leaving`, is still needed for it: their rights follow it to its end. Not where nobody can follow
    /// it any more, nor for longer than [`WAITED_FOR`].
    pub fn needs_its_asker(&self, leaving: Timestamp, now: Timestamp) -> bool {
        let looked_at = !matches!(self.phase, Phase::Unknown(_)) || now.duration_since(self.since) < UNKNOWN_LOOKS_FOR;
        !self.is_orphaned() && looked_at && now.duration_since(leaving) < WAITED_FOR
    }

    /// The same where nobody in the chat can be told of it any more: an end is told at the source control, and that does not take long.
    pub fn needs_its_rights(&self, leaving: Timestamp, now: Timestamp) -> bool {
        let told = self.has_ended() && now.duration_since(self.since) >= TOLD_WITHIN;
        !told && self.needs_its_asker(leaving, now)
    }

    /// The same with nobody behind it, under a name that leads back to nobody: what has not begun does not begin, and what may run outside is
    /// unknown from now on. `None`: there is nobody behind it already.
    #[must_use]
    pub fn orphaned(&self, name: &UserId, now: Timestamp) -> Option<Self> {
        if self.is_orphaned() {
            return None;
        }
        let mut next = self.without(&self.origin.person, name)?;
        if is_departed(name) {
            // The whole workspace is gone, and whoever of it stands in here.
            let workspace = &self.origin.person.workspace;
            for other in self.mentioned().filter(|other| other.workspace == *workspace) {
                next = next.without(other, name).unwrap_or(next);
            }
        }
        // Whoever works on it may be ordering it at this moment.
        if next.phase == Phase::AboutToBuild(Standing::Fresh) {
            next = next.after(Outcome::Interrupted, now).unwrap_or(next);
        }
        Some(next.after(Outcome::SignInLost, now).unwrap_or(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::Milestone;
    use crate::domain::deployment::samples::{all, at, deployment, person};
    use crate::domain::privacy::{departed, pseudonym};

    fn names() -> [UserId; 2] {
        let seed = uuid::Uuid::from_u128(7);
        [pseudonym(seed).unwrap(), departed(seed).unwrap()]
    }

    #[test]
    fn what_nobody_stands_behind_keeps_its_app_while_it_may_run_and_no_longer() {
        for phase in all() {
            for name in names() {
                let before = deployment(phase.clone());
                let one = before.orphaned(&name, at(10)).unwrap();
                assert!(one.is_orphaned() && !one.mentions(&person("ana")), "{phase:?}");
                assert_eq!((one.has_left(), one.orphaned(&name, at(11))), (is_departed(&name), None));
                assert_eq!(before.has_ended(), matches!(phase.milestone(), Milestone::Ended));
                if one.has_ended() {
                    assert!(before.has_ended() || before.phase.milestone() == Milestone::Preparing, "{phase:?}: {:?}", one.phase);
                    continue;
                }
                let Phase::Unknown(was) = one.phase.clone() else { panic!("{phase:?}: {:?}", one.phase) };
                let over = one.since + was.may_last();
                assert_eq!(one.next_look(at(11), &crate::domain::deployment::Attention::default()), Some(over));
                let nothing = |moment| one.after(Outcome::SignInLost, moment);
                assert_eq!(nothing(over - SignedDuration::from_secs(1)), None, "{phase:?}: it may still run");
                let freed = nothing(over).unwrap();
                assert!(matches!(freed.phase, Phase::Freed { .. }) && !freed.is_listed(), "{phase:?}: {:?}", freed.phase);
            }
        }
    }

    #[test]
    fn a_leaving_is_held_up_by_what_can_be_followed_and_not_for_ever() {
        let hours = |hours: i64| at(hours * 3600);
        for phase in all() {
            let one = deployment(phase.clone());
            let unknown = matches!(phase, Phase::Unknown(_));
            assert!(one.needs_its_asker(one.since, one.since), "{phase:?}");
            let after = |many| one.since.duration_since(at(0)) + SignedDuration::from_hours(many);
            let moment = |many| at(0) + after(many);
            assert_eq!(one.needs_its_asker(one.since, moment(24)), !unknown, "{phase:?}");
            assert!(!one.needs_its_asker(one.since, moment(48)), "{phase:?}");
            assert_eq!(one.needs_its_rights(one.since, moment(2)), !one.has_ended(), "{phase:?}");
            assert!(!one.orphaned(&names()[0], hours(1)).unwrap().needs_its_asker(one.since, one.since), "{phase:?}");
        }
    }
}
