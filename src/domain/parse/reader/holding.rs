//! The words of locks: what to hold, for how long, and whether over somebody else's.

use crate::domain::command::{Command, Hold, LockWish};
use crate::domain::lock::{ClockTime, Day, Ending, LONGEST_HOLD, ZoneName};
use crate::domain::pipeline::{Environment, nearest};
use crate::domain::source::{AskedRef, CommitRef};

use super::{Misunderstood, Reader, Word, is_because, is_preposition};

const A_WHILE: &str = "a time as `30m`, `2h`, `1h30m` or `2 days`, at most 90 days";
const A_MOMENT: &str = "a time as `17:00`, a day before it as `2026-12-01 17:00`, and a time zone behind it as `Europe/Berlin`";
const A_BRANCH: &str = "the name of a pipeline, or of a branch behind it as in `hubot/topic`";
const A_DAY: &str = "a day as `2026-12-01`, or a moment as `2026-12-01T17:00:00Z`";
const ANYWAY: &str = "anyway";

fn is(word: &Word, what: &str) -> bool {
    word.lower() == what
}

impl Reader<'_> {
    /// What to lock, and how.
    pub(in crate::domain::parse) fn lock(&mut self) -> Result<LockWish, Misunderstood> {
        let (word, pipeline, rest) = self.key()?;
        let branch = match rest.map(|at| self.asked_ref(&word, at)).transpose()? {
            None | Some(AskedRef::Default) => None,
            Some(AskedRef::Named(branch) | AskedRef::Pinned { of: CommitRef::Branch(branch), .. }) => Some(branch),
            Some(AskedRef::Pull(_) | AskedRef::Pinned { .. }) => return Err(self.wrong(word.at, A_BRANCH, Some(&pipeline.to_string()))),
        };
        let mut on = Hold { pipeline, environment: self.environment()? };
        let (mut end, mut anyway) = (None, false);
        loop {
            if on.environment.is_none() && self.words.peek().is_some_and(is_preposition) {
                on.environment = self.environment()?;
            } else if !anyway && self.words.next_if(|word| is(word, ANYWAY)).is_some() {
                anyway = true;
            } else if end.is_none() && self.words.next_if(|word| is(word, "for")).is_some() {
                end = Some(Ending::After(self.minutes()?));
            } else if end.is_none() && self.words.next_if(|word| is(word, "until")).is_some() {
                end = Some(self.moment()?);
            } else {
                break;
            }
        }
        let because = self.because(false)?;
        match self.words.peek().cloned() {
            None if anyway && because.is_none() => Err(self.says_no_why()),
            None => Ok(LockWish { on, branch, end, because, anyway }),
            Some(word) => Err(self.not_about_a_lock(&word, &["for", "until", "because", ANYWAY])),
        }
    }

    /// Until when to be spared news.
    pub(in crate::domain::parse) fn mute(&mut self) -> Result<Option<Ending>, Misunderstood> {
        let end = if self.words.next_if(|word| is(word, "for")).is_some() {
            Some(Ending::After(self.minutes()?))
        } else if self.words.next_if(|word| is(word, "until")).is_some() {
            Some(self.moment()?)
        } else {
            None
        };
        match self.words.peek().cloned() {
            None => Ok(end),
            Some(word) => {
                let near = if end.is_none() { nearest(&word.lower(), ["for", "until"]) } else { None };
                let a_while = word.lower().starts_with(|c: char| c.is_ascii_digit()).then(|| format!("for {}", word.said));
                let expected = if end.is_none() { "`for 2h`, `until 17:00 Europe/Berlin` or nothing more" } else { "nothing more" };
                Err(self.wrong(word.at, expected, near.or(a_while.as_deref().filter(|_| end.is_none()))))
            }
        }
    }

    /// Of what to tell what was done, and up to when.
    pub(in crate::domain::parse) fn history(&mut self) -> Result<Command, Misunderstood> {
        let moment = |word: &Word| word.said.parse().ok().or_else(|| Day::parse(&word.said).ok()?.begins());
        let mut rest = self.words.clone();
        let is_before = rest.next().is_some_and(|word| is(&word, "before"));
        // A pipeline may have any name.
        let then = rest.next().filter(|_| is_before);
        let alone = then.as_ref().is_some_and(|word| moment(word).is_some());
        if let Some(word) = then.filter(|_| !alone && rest.next().is_none()) {
            return Err(self.wrong(word.at, A_DAY, None));
        }
        let pipeline = if self.is_at_end() || alone { None } else { Some(self.pipeline()?) };
        let before = if self.words.next_if(|word| is(word, "before")).is_some() {
            let Some(word) = self.words.next() else { return Err(self.missing(A_DAY, None)) };
            Some(moment(&word).ok_or_else(|| self.wrong(word.at.clone(), A_DAY, None))?)
        } else {
            None
        };
        Ok(Command::History { pipeline, before })
    }

    /// What to unlock.
    pub(in crate::domain::parse) fn unlock(&mut self) -> Result<Command, Misunderstood> {
        if self.words.peek().is_some_and(|word| is(word, "all")) && self.words.len() == 1 {
            self.words.next();
            return Ok(Command::Unlock { on: None, anyway: false, because: None });
        }
        let on = self.hold()?;
        let anyway = self.words.next_if(|word| is(word, ANYWAY)).is_some();
        let because = self.because(false)?;
        match self.words.peek().cloned() {
            None if anyway && because.is_none() => Err(self.says_no_why()),
            None => Ok(Command::Unlock { on: Some(on), anyway, because }),
            Some(word) => Err(self.not_about_a_lock(&word, &[ANYWAY])),
        }
    }

    /// A pipeline, and an environment if one is said.
    fn hold(&mut self) -> Result<Hold, Misunderstood> {
        let pipeline = self.pipeline()?;
        Ok(Hold { pipeline, environment: self.environment()? })
    }

    /// An environment, if one is said. Apps cannot be held.
    fn environment(&mut self) -> Result<Option<Environment>, Misunderstood> {
        let Some(word) = self.words.peek().filter(|word| is_preposition(word)).cloned() else { return Ok(None) };
        let at = word.at.end;
        let Some(place) = self.place("in")? else { return Ok(None) };
        match place.app {
            None => Ok(Some(place.environment)),
            Some(_) => {
                let end = self.words.peek().map_or(self.text.len(), |next| next.at.start);
                let said = self.text.get(at..end).unwrap_or_default();
                let start = at.saturating_add(said.len().saturating_sub(said.trim_start().len()));
                let environment = place.environment.to_string();
                let whole = "an environment alone: a lock holds all of its apps";
                Err(self.wrong(start..at.saturating_add(said.trim_end().len()), whole, Some(&environment)))
            }
        }
    }

    fn not_about_a_lock(&self, word: &Word, words: &[&str]) -> Misunderstood {
        let all = words.iter().copied().chain(["in"]);
        let expected = if words.len() > 1 {
            "`in ENV`, `for 2h`, `until 17:00 Europe/Berlin`, `because WHY`, `anyway` or nothing more"
        } else {
            "`in ENV`, `anyway`, `because WHY` or nothing more"
        };
        let lower = word.lower();
        if Environment::from_word(&lower).is_some() {
            return self.wrong(word.at.clone(), expected, Some(&format!("in {lower}")));
        }
        self.wrong(word.at.clone(), expected, nearest(&lower, all))
    }

    /// How long, in minutes.
    fn minutes(&mut self) -> Result<u32, Misunderstood> {
        let Some(first) = self.words.next() else { return Err(self.missing(A_WHILE, Some("2h"))) };
        let mut said = first.lower();
        if said.bytes().all(|byte| byte.is_ascii_digit())
            && let Some(unit) = self.words.next_if(|word| unit(&word.lower()).is_some())
        {
            said.push_str(&unit.lower());
        }
        minutes(&said).ok_or_else(|| self.wrong(first.at, A_WHILE, None))
    }

    /// Until when.
    fn moment(&mut self) -> Result<Ending, Misunderstood> {
        let day = self.words.peek().and_then(|word| Day::parse(&word.said).ok());
        if day.is_some() {
            self.words.next();
        }
        let Some(word) = self.words.next() else { return Err(self.missing(A_MOMENT, Some("17:00"))) };
        let time = ClockTime::parse(&word.said).map_err(|_| self.wrong(word.at.clone(), A_MOMENT, None))?;
        let zone = match self.words.peek().filter(|word| !is_because(word) && !is(word, ANYWAY)).cloned() {
            None => None,
            Some(word) => {
                let near = ZoneName::nearest(&word.said);
                let zone = ZoneName::parse(&word.said).map_err(|error| self.wrong(word.at.clone(), error.expected, near.as_deref()))?;
                self.words.next();
                Some(zone)
            }
        };
        Ok(Ending::At { day, time, zone })
    }
}

/// How many minutes a unit has.
fn unit(word: &str) -> Option<u32> {
    match word {
        "m" | "min" | "mins" | "minute" | "minutes" => Some(1),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some(60),
        "d" | "day" | "days" => Some(24 * 60),
        "w" | "week" | "weeks" => Some(7 * 24 * 60),
        _ => None,
    }
}

/// Numbers, each with its unit.
fn minutes(said: &str) -> Option<u32> {
    let (mut rest, mut total) = (said, 0_u32);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at_checked(digits)?;
        let letters = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (word, behind) = behind.split_at_checked(letters)?;
        total = total.checked_add(number.parse::<u32>().ok()?.checked_mul(unit(word)?)?)?;
        rest = behind;
    }
    (1..=LONGEST_HOLD).contains(&total).then_some(total)
}
