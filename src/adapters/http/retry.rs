//! How often a read is tried, and how long to wait in between. Writes are never repeated.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

use crate::ports::{Clock, Fault};

/// How often a read is tried in all.
const TRIES: usize = 3;

/// The longest that one read waits between its tries, in all.
const PATIENCE: Duration = Duration::from_secs(20);

/// The tries of one read.
#[derive(Debug)]
pub struct Tries<'a> {
    clock: &'a dyn Clock,
    delays: ExponentialBackoff,
    waited: Duration,
}

impl<'a> Tries<'a> {
    /// A read that has not been tried yet.
    pub fn new(clock: &'a dyn Clock) -> Self {
        // A seed from the clock spreads the tries of many and stays the same under a stepped clock.
        let seed = u64::try_from(clock.now().as_nanosecond().rem_euclid(1_000_000_007)).unwrap_or_default();
        let delays = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(300))
            .with_max_delay(Duration::from_secs(3))
            .with_max_times(TRIES - 1)
            .with_jitter()
            .with_jitter_seed(seed)
            .build();
        Self { clock, delays, waited: Duration::ZERO }
    }

    /// Waits before the next try after one that ended in `fault`: as long as the service asks for, else a little longer each
    /// time. `false`: there is no next try, because three were made or the wait would be too long.
    pub async fn pause(&mut self, fault: Fault) -> bool {
        let Some(delay) = self.delays.next() else { return false };
        let now = self.clock.now();
        let delay = match fault {
            Fault::RateLimited { until: Some(until) } => Duration::try_from(until.duration_since(now)).unwrap_or_default().max(delay),
            Fault::RateLimited { until: None }
            | Fault::SignInLost
            | Fault::Forbidden
            | Fault::NotFound
            | Fault::Refused
            | Fault::Unreachable
            | Fault::Unclear
            | Fault::Nonsense => delay,
        };
        let waited = self.waited.saturating_add(delay);
        if waited > PATIENCE {
            return false;
        }
        self.waited = waited;
        let Some(until) = SignedDuration::try_from(delay).ok().and_then(|delay| now.checked_add(delay).ok()) else { return false };
        self.clock.pause_until(until).await;
        true
    }
}

/// When a `Retry-After` header lets us try again: seconds, or a date.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse::<u32>() {
        Ok(seconds) => later(now, seconds),
        Err(_) => date(text),
    }
}

/// The moment in a header that holds a date.
pub fn date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text.replace("GMT", "+0000").as_str()).ok()
}

/// `seconds` after `now`.
pub fn later(now: Timestamp, seconds: u32) -> Option<Timestamp> {
    now.checked_add(SignedDuration::from_secs(i64::from(seconds))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::http::testing::ProbeClock;

    #[tokio::test]
    async fn three_tries_with_growing_waits() {
        let clock = ProbeClock::new();
        let mut tries = Tries::new(clock.as_ref());
        assert!(tries.pause(Fault::Unclear).await);
        assert!(tries.pause(Fault::Unclear).await);
        assert!(!tries.pause(Fault::Unclear).await);
        let waits = clock.waits();
        assert_eq!(waits.len(), 2);
        assert!(waits.iter().all(|wait| *wait >= Duration::from_millis(300) && *wait < Duration::from_secs(4)), "{waits:?}");
    }

    #[tokio::test]
    async fn a_wait_that_is_asked_for_is_kept_and_capped() {
        let clock = ProbeClock::new();
        let mut tries = Tries::new(clock.as_ref());
        assert!(tries.pause(Fault::RateLimited { until: later(clock.now(), 12) }).await);
        assert_eq!(clock.waits(), [Duration::from_secs(12)]);
        assert!(!tries.pause(Fault::RateLimited { until: later(clock.now(), 12) }).await, "twenty seconds in all");
        assert_eq!(clock.waits().len(), 1);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(read("30"), Some("2026-11-20T10:00:30Z".parse().unwrap()));
        assert_eq!(read("Fri, 20 Nov 2026 10:01:00 GMT"), Some("2026-11-20T10:01:00Z".parse().unwrap()));
        assert_eq!(read("soon"), None);
    }
}
