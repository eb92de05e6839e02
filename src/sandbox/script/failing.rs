//! How a call fails, in the words of a script.

use super::table::number;
use crate::sandbox::fault::{Fault, Limit};

/// A way to fail, and how it is written.
type Way = (&'static str, fn() -> Fault);

const WAYS: &[Way] = &[
    ("rate limited", || Fault::RateLimited { retry_after: None, limit: Limit::Secondary }),
    ("rate limited as 429", || Fault::RateLimited { retry_after: None, limit: Limit::SecondaryAs429 }),
    ("allowance used up", || Fault::RateLimited { retry_after: None, limit: Limit::Primary }),
    ("token refused", || Fault::TokenRefused),
    ("cut before", || Fault::CutBefore),
    ("cut after", || Fault::CutAfter),
    ("cut within", || Fault::CutWithin),
    ("timed out before", || Fault::TimedOut { done: false }),
    ("timed out after", || Fault::TimedOut { done: true }),
    ("slow drip", || Fault::Drips),
    ("truncated json", || Fault::TruncatedJson),
    ("other json", || Fault::OtherJson),
    ("not json", || Fault::NotJson),
    ("hang", || Fault::Hang),
];

/// Reads a way to fail; what is none is answered with the nearest.
pub(super) fn failing(words: &str) -> Result<Fault, String> {
    if let Some((_, fault)) = WAYS.iter().find(|(way, _)| *way == words) {
        return Ok(fault());
    }
    if let Some(seconds) = words.strip_prefix("rate limited ") {
        return Ok(Fault::RateLimited { retry_after: Some(number(seconds)?), limit: Limit::Secondary });
    }
    if let Some(seconds) = words.strip_prefix("done late ") {
        return number(seconds).map(Fault::DoneLate);
    }
    let (status, page) = words.strip_suffix(" page").map_or((words, false), |status| (status, true));
    if let Ok(status) = status.parse() {
        return Ok(if page { Fault::page(status) } else { Fault::status(status) });
    }
    if words.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        return Ok(Fault::Named(words.to_owned()));
    }
    let nearest = WAYS.iter().max_by(|(a, _), (b, _)| strsim::jaro_winkler(a, words).total_cmp(&strsim::jaro_winkler(b, words)));
    let nearest = nearest.map(|(way, _)| *way).unwrap_or_default();
    Err(format!("`{words}` is no way to fail; nearest is `{nearest}`, and there are a status as `502` or `502 page`, and `done late 40`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_fail_are_read() {
        assert_eq!(failing("502"), Ok(Fault::status(502)));
        assert_eq!(failing("502 page"), Ok(Fault::page(502)));
        assert_eq!(failing("done late 90"), Ok(Fault::DoneLate(90)));
        assert_eq!(failing("rate limited"), Ok(Fault::RateLimited { retry_after: None, limit: Limit::Secondary }));
        assert_eq!(failing("rate limited 7"), Ok(Fault::RateLimited { retry_after: Some(7), limit: Limit::Secondary }));
        assert_eq!(failing("rate limited as 429"), Ok(Fault::RateLimited { retry_after: None, limit: Limit::SecondaryAs429 }));
        assert_eq!(failing("allowance used up"), Ok(Fault::RateLimited { retry_after: None, limit: Limit::Primary }));
        assert_eq!(failing("timed out after"), Ok(Fault::TimedOut { done: true }));
        assert_eq!(failing("channel_not_found"), Ok(Fault::Named("channel_not_found".to_owned())));
        assert!(failing("timed out befor").unwrap_err().contains("nearest is `timed out before`"));
        assert!(failing("done late soon").is_err());
    }
}
