//! Leaving somebody outside alone for a while after a call that failed, so that a deploy that goes on is not held up by them, and
//! they are not stormed.

use jiff::{SignedDuration, Timestamp};

use crate::ports::{Fault, PortError};

/// How long after the first failure; twice as long after each further one.
const FIRST: SignedDuration = SignedDuration::from_secs(5);
/// The longest.
const LONGEST: SignedDuration = SignedDuration::from_mins(1);

/// When somebody may be called again.
#[derive(Debug, Default)]
pub(super) struct Respite {
    until: Option<Timestamp>,
    failures: u32,
}

impl Respite {
    /// Whether they may be called now.
    pub(super) fn is_over(&mut self, now: Timestamp) -> bool {
        if self.until.is_some_and(|until| now < until) {
            return false;
        }
        self.until = None;
        true
    }

    /// When they may be called again, if something waits for that.
    pub(super) fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// They are not to be called before a moment.
    pub(super) fn rest_until(&mut self, until: Timestamp) {
        self.until = Some(until);
    }

    /// A call worked.
    pub(super) fn worked(&mut self) {
        *self = Self::default();
    }

    /// A call failed: a little longer each time, and as long as they ask for.
    pub(super) fn failed(&mut self, error: &PortError, now: Timestamp) {
        let pause = FIRST.saturating_mul(1_i32.checked_shl(self.failures.min(10)).unwrap_or(i32::MAX)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        self.until = Some(match error.fault {
            Fault::RateLimited { until: Some(asked) } => asked,
            Fault::RateLimited { until: None }
            | Fault::SignInLost
            | Fault::Forbidden
            | Fault::NotFound
            | Fault::Refused
            | Fault::Unreachable
            | Fault::Unclear
            | Fault::Nonsense => until,
        });
    }
}

/// The earlier of two moments, where there are any.
pub(super) fn earliest(moments: impl IntoIterator<Item = Option<Timestamp>>) -> Option<Timestamp> {
    moments.into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Service;

    #[test]
    fn each_failure_gives_more_rest_and_a_success_ends_it() {
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let mut respite = Respite::default();
        assert!(respite.is_over(now));
        let mut rests = Vec::new();
        for _ in 0..9 {
            respite.failed(&PortError::new(Service::Chat, Fault::Unclear, ""), now);
            assert!(!respite.is_over(now));
            rests.push(respite.until().unwrap().duration_since(now).as_secs());
        }
        assert_eq!(rests, [5, 10, 20, 40, 60, 60, 60, 60, 60]);
        assert!(respite.is_over(now + LONGEST));
        assert_eq!(respite.until(), None, "nothing to wait for any more");
        respite.worked();
        let asked = now + SignedDuration::from_secs(7);
        respite.failed(&PortError::new(Service::Chat, Fault::RateLimited { until: Some(asked) }, ""), now);
        assert_eq!(respite.until(), Some(asked));
    }
}
