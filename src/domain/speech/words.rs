//! Small parts of sentences: lists, numbers, durations and moments.

use std::fmt;

use jiff::Timestamp;

use crate::domain::deployment::Took;
use crate::domain::message::{Line, Span, code, text};

/// A sentence of our own, in which what is typed stands in backticks. Not for text from outside.
pub fn sentence(words: &str) -> Line {
    let piece = |(at, piece): (usize, &str)| if at % 2 == 0 { text(piece) } else { code(piece) };
    words.split('`').enumerate().filter(|(_, piece)| !piece.is_empty()).map(piece).collect()
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(items: &[impl fmt::Display]) -> String {
    match items {
        [] => String::new(),
        [only] => only.to_string(),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(ToString::to_string).collect();
            format!("{} and {last}", first.join(", "))
        }
    }
}

/// `1 commit`, `2 commits`.
pub fn count(many: u64, one: &str) -> String {
    if many == 1 { format!("1 {one}") } else { format!("{many} {one}s") }
}

/// A time as people say it: `45s`, `2m 10s`, `1h 5m`, `3d`. Negative ones count as none.
pub fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, seconds) => format!("{minutes}m {seconds}s"),
        (hours @ 48.., ..) => format!("{}d", hours / 24),
        (hours, 0, _) => format!("{hours}h"),
        (hours, minutes, _) => format!("{hours}h {minutes}m"),
    }
}

/// About how long: whole minutes, and seconds in fives.
pub fn about(seconds: u32) -> String {
    let seconds = i64::from(seconds);
    let rounded = |unit: i64| (seconds.saturating_add(unit / 2) / unit).max(1).saturating_mul(unit);
    duration(if seconds < 58 { rounded(5) } else { rounded(60) })
}

/// `about 2m`, `1m–2m`.
pub fn usually(took: Took) -> String {
    let (least, most) = (about(took.least), about(took.most));
    if least == most { format!("about {most}") } else { format!("{least}–{most}") }
}

/// `2m`, `1m–2m`.
pub fn range(took: Took) -> String {
    let (least, most) = (about(took.least), about(took.most));
    if least == most { most } else { format!("{least}–{most}") }
}

/// A moment, with its day where that is not today's.
pub fn moment(at: Timestamp, now: Timestamp) -> Span {
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    let words = if day(at) == day(now) { at.strftime("%H:%M UTC").to_string() } else { day_and_time(at) };
    Span::Moment { at, words }
}

/// A moment that may be read on another day, with its day.
pub fn dated(at: Timestamp) -> Span {
    Span::Moment { at, words: day_and_time(at) }
}

fn day_and_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// At most `limit` characters; what is cut is told by `…`.
pub fn cut(words: &str, limit: usize) -> String {
    if words.chars().count() <= limit {
        return words.to_owned();
    }
    words.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_say_them() {
        let said: Vec<String> = [0, -3, 45, 60, 130, 3600, 3900, 90_000, 604_800].into_iter().map(duration).collect();
        assert_eq!(said, ["0s", "0s", "45s", "1m", "2m 10s", "1h", "1h 5m", "25h", "7d"]);
        let said: Vec<String> = [0, 3, 12, 57, 58, 89, 91, 3600].into_iter().map(about).collect();
        assert_eq!(said, ["5s", "5s", "10s", "55s", "1m", "1m", "2m", "1h"]);
        let noon = Timestamp::from_second(43_200).unwrap();
        let words = |span| if let Span::Moment { words, .. } = span { words } else { panic!("{span:?}") };
        assert_eq!(words(moment(noon, noon)), "12:00 UTC");
        assert_eq!(words(moment(noon, Timestamp::from_second(100_000).unwrap())), "1970-01-01 12:00 UTC");
        assert_eq!(words(dated(noon)), "1970-01-01 12:00 UTC");
    }

    #[test]
    fn lists_and_cuts() {
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(sentence("say `x` twice"), [text("say "), code("x"), text(" twice")]);
    }
}
