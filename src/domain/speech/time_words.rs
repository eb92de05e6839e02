//! Durations and times in words.

use jiff::{SignedDuration, Timestamp};

/// `45s`, `2m 10s`, `3h 5m`, `2d 4h`.
pub(super) fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {}m", minutes % 60),
        (_, _, _) => format!("{days}d {}h", hours % 24),
    }
}

/// How long it is from `since` to `now`, in words.
pub(super) fn age(since: Timestamp, now: Timestamp) -> String {
    duration(now.duration_since(since))
}

/// A number of seconds, rounded as people say it: `30s`, `2m`, `1h 10m`.
pub(super) fn about(seconds: u32) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", (seconds + 30) / 60),
        3_600.. => duration(SignedDuration::from_secs(i64::from(seconds / 60 * 60))),
    }
}

/// `09:30 UTC`, or with the day where it is not today's.
pub(super) fn clock_time(at: Timestamp, now: Timestamp) -> String {
    let same_day = at.strftime("%Y-%m-%d").to_string() == now.strftime("%Y-%m-%d").to_string();
    at.strftime(if same_day { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_say_them() {
        let words = |seconds| duration(SignedDuration::from_secs(seconds));
        assert_eq!(words(-3), "0s");
        assert_eq!(words(59), "59s");
        assert_eq!(words(130), "2m 10s");
        assert_eq!(words(3_700), "1h 1m");
        assert_eq!(words(100_000), "1d 3h");
        assert_eq!(about(89), "1m");
        assert_eq!(about(91), "2m");
    }
}
