//! When a lock ends: after a while, or at a time of day somewhere in the world.

use std::fmt;

use jiff::civil::{Date, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::names::NameError;

/// The longest that a lock may hold: in minutes, 90 days.
pub const LONGEST_HOLD: u32 = 90 * 24 * 60;

/// When a lock ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// After so many minutes, 1 to [`LONGEST_HOLD`].
    After(u32),
    /// At a time of day.
    At {
        /// The day; `None`: the first on which that time is still to come.
        day: Option<Day>,
        /// The time.
        time: ClockTime,
        /// Where; `None`: UTC.
        zone: Option<ZoneName>,
    },
}

impl Ending {
    /// The moment, seen from `now`. `None`: it is over, or further away than [`LONGEST_HOLD`].
    pub fn from(&self, now: Timestamp) -> Option<Timestamp> {
        let longest = SignedDuration::from_mins(i64::from(LONGEST_HOLD));
        let end = match self {
            Self::After(minutes) => now.checked_add(SignedDuration::from_mins(i64::from(*minutes))).ok()?,
            Self::At { day, time, zone } => {
                let zone = zone.as_ref().map_or(TimeZone::UTC, ZoneName::zone);
                let on = |day: Date| zone.to_ambiguous_timestamp(day.to_datetime(time.0)).compatible().ok();
                let today = zone.to_datetime(now).date();
                match day {
                    Some(day) => on(day.0)?,
                    None => match on(today).filter(|at| *at > now) {
                        Some(at) => at,
                        None => on(today.tomorrow().ok()?)?,
                    },
                }
            }
        };
        (end > now && end.duration_since(now) <= longest).then_some(end)
    }
}

/// A day, as `2026-12-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Date);

impl Day {
    /// Reads a day.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let day = text.parse().ok().filter(|_| plain);
        day.map(Self).ok_or_else(|| NameError { text: cut(text), expected: "a day as `2026-12-01`" })
    }

    /// When it begins, in UTC.
    pub fn begins(&self) -> Option<Timestamp> {
        TimeZone::UTC.to_ambiguous_timestamp(self.0.to_datetime(Time::midnight())).compatible().ok()
    }
}

/// A time of day to the minute, as `17:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime(Time);

impl ClockTime {
    /// Reads a time: hours of one or two digits and minutes of two.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let number = |digits: &str, lengths: &[usize]| {
            (lengths.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| digits.parse::<i8>().ok())
                .flatten()
        };
        let time = text.split_once(':').and_then(|(hour, minute)| Time::new(number(hour, &[1, 2])?, number(minute, &[2])?, 0, 0).ok());
        time.map(Self).ok_or_else(|| NameError { text: cut(text), expected: "a time as `17:00`" })
    }
}

/// A place in the world that has a time of its own, by the name that the tz database gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ZoneName(String);

impl ZoneName {
    /// Finds a zone; letters of any case.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let zone = TimeZoneDatabase::bundled().get(text).ok();
        let name = zone.as_ref().and_then(TimeZone::iana_name).map(|name| Self(name.to_owned()));
        name.ok_or_else(|| NameError { text: cut(text), expected: "a time zone as `Europe/Berlin` or `UTC`" })
    }

    /// The name that is spelled most alike, if one is.
    pub fn nearest(text: &str) -> Option<String> {
        let lower = text.to_lowercase();
        let all: Vec<String> = TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
        // A city alone says enough.
        let city = all.iter().find(|name| name.rsplit_once('/').is_some_and(|(_, city)| city.to_lowercase() == lower));
        let near = || {
            let lower_case: Vec<String> = all.iter().map(|name| name.to_lowercase()).collect();
            let found = crate::domain::pipeline::nearest(&lower, lower_case.iter().map(String::as_str))?;
            all.iter().find(|name| name.to_lowercase() == found).cloned()
        };
        city.cloned().or_else(near)
    }

    fn zone(&self) -> TimeZone {
        TimeZoneDatabase::bundled().get(&self.0).unwrap_or(TimeZone::UTC)
    }
}

fn cut(text: &str) -> String {
    text.chars().take(100).collect()
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As it is typed behind a lock.
impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(minutes) => {
                let (hours, minutes) = (minutes / 60, minutes % 60);
                match (hours, minutes) {
                    (0, minutes) => write!(f, "for {minutes}m"),
                    (hours, 0) => write!(f, "for {hours}h"),
                    (hours, minutes) => write!(f, "for {hours}h{minutes}m"),
                }
            }
            Self::At { day, time, zone } => {
                f.write_str("until ")?;
                day.iter().try_for_each(|day| write!(f, "{day} "))?;
                write!(f, "{time}")?;
                zone.iter().try_for_each(|zone| write!(f, " {zone}"))
            }
        }
    }
}

macro_rules! as_text {
    ($($Name:ident),+) => {$(
        impl TryFrom<String> for $Name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }

        impl From<$Name> for String {
            fn from(name: $Name) -> String {
                name.to_string()
            }
        }
    )+};
}
as_text!(Day, ClockTime, ZoneName);
