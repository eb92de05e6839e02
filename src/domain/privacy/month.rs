//! Months, as retention knows them: whole ones, in UTC.

use std::fmt;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// How many months a deployment is kept at most, and whatever else says when somebody used the service.
pub const KEPT_MONTHS: i32 = 24;

/// A month of a year, in UTC: `2026-05`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month(Date);

/// A text that is no month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a month like 2026-05")]
pub struct NoMonth;

impl Month {
    /// The month of a moment.
    pub fn of(moment: Timestamp) -> Self {
        Self(TimeZone::UTC.to_datetime(moment).date().first_of_month())
    }

    /// Where it begins.
    pub fn start(self) -> Timestamp {
        TimeZone::UTC.to_timestamp(self.0.to_datetime(Time::midnight())).unwrap_or(Timestamp::MIN)
    }

    /// Where the next one begins.
    pub fn end(self) -> Timestamp {
        self.later(1).start()
    }

    /// The one so many months later.
    #[must_use]
    pub fn later(self, months: i32) -> Self {
        Self(self.0.saturating_add(months.months()))
    }

    /// Whether nothing of it may be kept any more: a day before its first moment is as old as anything may be, so that a look
    /// once a day is in time.
    pub fn is_over(self, now: Timestamp) -> bool {
        let tomorrow = now.checked_add(jiff::SignedDuration::from_hours(24)).unwrap_or(now);
        self.later(KEPT_MONTHS).start() <= tomorrow
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl TryFrom<String> for Month {
    type Error = NoMonth;

    fn try_from(text: String) -> Result<Self, NoMonth> {
        let (year, month) = text.split_once('-').ok_or(NoMonth)?;
        let date = Date::new(year.parse().map_err(|_| NoMonth)?, month.parse().map_err(|_| NoMonth)?, 1);
        date.map(Self).map_err(|_| NoMonth)
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_is_read_back_and_knows_its_bounds() {
        let month = Month::of(at("2024-02-29T23:59:59Z"));
        assert_eq!(month.to_string(), "2024-02");
        assert_eq!(Month::try_from("2024-02".to_owned()), Ok(month));
        assert_eq!((month.start(), month.end()), (at("2024-02-01T00:00:00Z"), at("2024-03-01T00:00:00Z")));
        assert!(Month::try_from("2024-13".to_owned()).is_err() && Month::try_from("May".to_owned()).is_err());
    }

    #[test]
    fn nothing_is_kept_longer_than_24_months() {
        let month = Month::of(at("2024-05-01T00:00:00Z"));
        assert!(!month.is_over(at("2026-04-29T23:59:59Z")));
        assert!(month.is_over(at("2026-04-30T00:00:00Z")));
    }
}
