//! Making calls go wrong, and the clock.

use jiff::{SignedDuration, Timestamp};

use super::Github;
use crate::sandbox::fault::{FaultRule, Strikes, skewed};

impl Github {
    /// Makes requests go wrong. The rule that was added first and fits wins.
    pub fn fail(&self, rule: FaultRule) -> Strikes {
        self.lock().faults.add(rule)
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        self.lock().faults.clear();
    }

    /// Sets its clock: `ahead` of everybody's, or behind.
    pub fn set_clock(&self, ahead: SignedDuration) {
        self.lock().skew = ahead;
    }

    /// What its clock shows.
    pub(super) fn now(&self) -> Timestamp {
        let ahead = self.lock().skew;
        skewed(self.clock.now(), ahead)
    }
}
