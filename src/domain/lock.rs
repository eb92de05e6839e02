//! Locks: a person's hold on a pipeline or on one of its environments, with a reason and perhaps an end.

mod ending;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::actor::Person;
use super::command::Because;
use super::names::{ChannelId, DeliveryId, PipelineId, PipelineName, RefName, UserId, WorkspaceId};
use super::pipeline::Environment;
use super::source::CommitRef;

pub use ending::{ClockTime, Day, Ending, LONGEST_HOLD, ZoneName};

/// How long before its end a holder is reminded, at most.
const REMINDED_BEFORE: SignedDuration = SignedDuration::from_mins(15);
/// When the holder of a lock without an end is reminded first; each time after that it takes twice as long.
const FIRST_REMINDER: SignedDuration = SignedDuration::from_hours(24);
/// How long it is remembered how a lock ended.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How many ends of a pipeline's locks are remembered.
const ENDS: usize = 40;

/// What a lock is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All environments of a pipeline.
    Pipeline,
    /// One of them.
    Environment(Environment),
}

impl Scope {
    /// The scope of a place that was named or not.
    pub fn of(environment: Option<Environment>) -> Self {
        environment.map_or(Self::Pipeline, Self::Environment)
    }

    /// The environment, if it is one.
    pub fn environment(self) -> Option<Environment> {
        match self {
            Self::Pipeline => None,
            Self::Environment(environment) => Some(environment),
        }
    }

    /// Whether the two have an environment in common.
    pub fn meets(self, other: Self) -> bool {
        self == other || self == Self::Pipeline || other == Self::Pipeline
    }

    /// Whether it holds an environment.
    pub fn covers(self, environment: Environment) -> bool {
        self.meets(Self::Environment(environment))
    }
}

/// A person's hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// On what.
    pub on: Scope,
    /// The only branch that its holder means to ship there; `None`: whatever they like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<RefName>,
    /// Who holds it.
    pub holder: Person,
    /// Why.
    pub because: Option<Because>,
    /// Since when.
    pub since: Timestamp,
    /// When it was taken or changed last.
    pub set_at: Timestamp,
    /// When it ends by itself; `None`: it does not.
    pub until: Option<Timestamp>,
    /// The conversation in which it was taken.
    pub taken_in: ChannelId,
    /// The request that took or changed it last.
    pub request: DeliveryId,
    /// How often its holder was reminded of it since it was set.
    pub reminders: u32,
}

impl Lock {
    /// Whether it holds at a moment.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether what its holder ships is something else than what the lock is there for.
    pub fn is_for_another(&self, by: &CommitRef) -> bool {
        let Some(branch) = &self.branch else { return false };
        match by {
            CommitRef::Branch(name) => name != branch,
            CommitRef::Pull { branch: name, .. } => name != branch,
            CommitRef::Tag(_) | CommitRef::Commit => true,
        }
    }

    /// Its holder was reminded of it now; reminders that were missed are not made up for.
    pub fn reminded_at(&mut self, now: Timestamp) {
        self.reminders = self.reminders.saturating_add(1);
        while self.remind_at().is_some_and(|at| at <= now) && self.reminders < 30 {
            self.reminders = self.reminders.saturating_add(1);
        }
    }

    /// When its holder is to be reminded of it next: once before its end, and again and again where there is none.
    pub fn remind_at(&self) -> Option<Timestamp> {
        match self.until {
            Some(_) if self.reminders > 0 => None,
            Some(until) => {
                let quarter = until.duration_since(self.set_at).checked_div(4).unwrap_or(REMINDED_BEFORE);
                until.checked_sub(quarter.min(REMINDED_BEFORE)).ok()
            }
            None => {
                let wait = 2_i32.checked_pow(self.reminders.saturating_add(1)).unwrap_or(i32::MAX).saturating_sub(1);
                self.set_at.checked_add(FIRST_REMINDER.saturating_mul(wait)).ok()
            }
        }
    }
}

/// How a lock ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Its time was over.
    RanOut,
    /// Its holder freed it.
    Freed,
    /// Somebody else took it over.
    TakenOver {
        /// Who.
        by: Person,
        /// Why, in their words.
        because: Option<Because>,
    },
    /// Somebody else freed it.
    FreedBy {
        /// Who.
        by: Person,
        /// Why, in their words.
        #[serde(default)]
        because: Option<Because>,
    },
}

/// Whose locks are freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freeing<'a> {
    /// One's own.
    Own,
    /// Others' as well, with a reason or without.
    Anyway(Option<&'a Because>),
}

/// A lock that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The lock.
    pub lock: Lock,
    /// When.
    pub at: Timestamp,
    /// How.
    pub how: End,
    /// The request that ended it.
    pub request: Option<DeliveryId>,
    /// Whether its holder knows, or need not be told.
    pub told: bool,
}

impl Ended {
    /// Who has ended it in its holder's place and why; `None`: its holder, or the time.
    pub fn by_another(&self) -> Option<(&Person, Option<&Because>)> {
        match &self.how {
            End::TakenOver { by, because } | End::FreedBy { by, because } => Some((by, because.as_ref())),
            End::RanOut | End::Freed => None,
        }
    }
}

/// The locks of one pipeline: those that hold, and how the last ones ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locks {
    /// The pipeline.
    pub pipeline: PipelineId,
    /// What it was called when somebody locked it last.
    pub name: PipelineName,
    /// The version of this record in the store; 0: never stored.
    pub version: u64,
    /// Those that hold, in the order in which they were taken.
    pub held: Vec<Lock>,
    /// Those that have ended, the newest last.
    pub ended: Vec<Ended>,
}

/// What came of taking a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The locks after that.
    pub locks: Locks,
    /// The lock as it stands now.
    pub lock: Lock,
    /// Whether the same person had it before.
    pub had: bool,
    /// Locks of others that ended with that.
    pub over: Vec<Lock>,
}

/// What came of freeing locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freed {
    /// The locks after that.
    pub locks: Locks,
    /// Those that were freed.
    pub freed: Vec<Lock>,
}

/// Why a lock was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Others hold it, or a part of it, or all of it.
    Held(Vec<Lock>),
    /// The same request took it before, and it has ended since.
    OverAlready,
}

/// Why a lock was not freed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFreed {
    /// Nothing is locked there.
    Nothing,
    /// These are others', or on more than what was named.
    Others(Vec<Lock>),
}

impl Locks {
    /// A pipeline that nobody holds.
    pub fn none(pipeline: PipelineId, name: PipelineName) -> Self {
        Self { pipeline, name, version: 0, held: Vec::new(), ended: Vec::new() }
    }

    /// Those that hold at a moment.
    pub fn at(&self, now: Timestamp) -> impl Iterator<Item = &Lock> {
        self.held.iter().filter(move |lock| lock.holds(now))
    }

    /// The lock that keeps a person from an environment, if there is one: somebody else's.
    pub fn against(&self, person: &Person, environment: Environment, now: Timestamp) -> Option<&Lock> {
        self.at(now).find(|lock| lock.on.covers(environment) && lock.holder != *person)
    }

    /// Takes a lock, or changes one that the same person has: what is not said stays as it was. `Err`: others hold it, or a part
    /// of it; with `anyway` theirs end, unless one is on more than what was asked for.
    ///
    /// A request that is repeated changes nothing any more.
    pub fn taken(&self, wish: Lock, anyway: bool, now: Timestamp) -> Result<Taken, NotTaken> {
        let mut locks = self.swept(now);
        if let Some(lock) = locks.held.iter().find(|lock| lock.request == wish.request && lock.on == wish.on) {
            let over = locks.ended.iter().filter(|ended| ended.request.as_ref() == Some(&wish.request));
            let over = over.map(|ended| ended.lock.clone()).collect();
            return Ok(Taken { lock: lock.clone(), had: lock.since != lock.set_at, over, locks });
        }
        if locks.ended.iter().any(|ended| ended.lock.request == wish.request) {
            return Err(NotTaken::OverAlready);
        }
        let others: Vec<Lock> = locks.held.iter().filter(|lock| lock.on.meets(wish.on) && lock.holder != wish.holder).cloned().collect();
        let wider = others.iter().any(|lock| lock.on != wish.on && lock.on == Scope::Pipeline);
        if !others.is_empty() && (!anyway || wider) {
            return Err(NotTaken::Held(others));
        }
        for lock in &others {
            let how = End::TakenOver { by: wish.holder.clone(), because: wish.because.clone() };
            locks.end(lock, how, Some(wish.request.clone()), now);
        }
        let mine = locks.held.iter().position(|lock| lock.on == wish.on);
        let before = mine.map(|place| locks.held.remove(place));
        let lock = match &before {
            Some(before) => Lock {
                since: before.since,
                branch: wish.branch.or_else(|| before.branch.clone()),
                because: wish.because.or_else(|| before.because.clone()),
                until: wish.until.or(before.until),
                ..wish
            },
            None => wish,
        };
        locks.held.push(lock.clone());
        Ok(Taken { locks, lock, had: before.is_some(), over: others })
    }

    /// Frees a person's locks: the one on an environment, or all of a pipeline's.
    pub fn freed(&self, on: Scope, by: &Person, how: Freeing<'_>, request: &DeliveryId, now: Timestamp) -> Result<Freed, NotFreed> {
        let mut locks = self.swept(now);
        let before: Vec<Lock> =
            locks.ended.iter().filter(|ended| ended.request.as_ref() == Some(request)).map(|ended| ended.lock.clone()).collect();
        if !before.is_empty() {
            return Ok(Freed { locks, freed: before });
        }
        let meant = |lock: &&Lock| on == Scope::Pipeline || lock.on == on;
        let mine: Vec<Lock> = locks.held.iter().filter(meant).filter(|lock| lock.holder == *by).cloned().collect();
        let all: Vec<Lock> = locks.held.iter().filter(meant).cloned().collect();
        let freed = match how {
            Freeing::Own => mine,
            Freeing::Anyway(_) => all,
        };
        if freed.is_empty() {
            let there: Vec<Lock> = locks.held.iter().filter(|lock| lock.on.meets(on)).cloned().collect();
            return Err(if there.is_empty() { NotFreed::Nothing } else { NotFreed::Others(there) });
        }
        for lock in &freed {
            let how = match how {
                Freeing::Anyway(because) if lock.holder != *by => End::FreedBy { by: by.clone(), because: because.cloned() },
                Freeing::Anyway(_) | Freeing::Own => End::Freed,
            };
            locks.end(lock, how, Some(request.clone()), now);
        }
        Ok(Freed { locks, freed })
    }

    /// As time has made them: those whose time is over have ended, and ends of long ago are forgotten.
    #[must_use]
    pub fn swept(&self, now: Timestamp) -> Self {
        let mut locks = self.clone();
        let over: Vec<Lock> = locks.held.iter().filter(|lock| !lock.holds(now)).cloned().collect();
        for lock in over {
            let at = lock.until.unwrap_or(now);
            locks.end(&lock, End::RanOut, None, at);
        }
        let surplus = locks.ended.len().saturating_sub(ENDS);
        let mut place = 0_usize;
        locks.ended.retain(|ended| {
            place = place.saturating_add(1);
            let old = place <= surplus || now.duration_since(ended.at) >= REMEMBERED;
            !(ended.told && old)
        });
        locks
    }

    fn end(&mut self, lock: &Lock, how: End, request: Option<DeliveryId>, at: Timestamp) {
        self.held.retain(|held| held != lock);
        let told = matches!(how, End::Freed);
        self.ended.push(Ended { lock: lock.clone(), at, how, request, told });
    }

    /// When there is something to do next that nobody asks for: a reminder, an end, something to tell.
    pub fn due(&self) -> Option<Timestamp> {
        let untold = self.ended.iter().filter(|ended| !ended.told).map(|ended| ended.at);
        let forgotten = self.ended.iter().filter_map(|ended| ended.at.checked_add(REMEMBERED).ok());
        let held = self.held.iter().flat_map(|lock| lock.until.into_iter().chain(lock.remind_at()));
        untold.chain(forgotten).chain(held).min()
    }

    /// Everybody who stands in it.
    pub fn mentioned(&self) -> impl Iterator<Item = &Person> {
        let ended = self.ended.iter().flat_map(|ended| std::iter::once(&ended.lock.holder).chain(ended.how.by()));
        self.held.iter().map(|lock| &lock.holder).chain(ended)
    }

    /// Only what is about a person: what others hold is not.
    #[must_use]
    pub fn only_of(&self, person: &Person) -> Self {
        let mut locks = self.clone();
        locks.held.retain(|lock| lock.holder == *person);
        locks.ended.retain(|ended| ended.lock.holder == *person || ended.how.by() == Some(person));
        locks
    }

    /// The same without what anybody of a workspace did before a moment; `None`: nobody of it did anything then.
    #[must_use]
    pub fn without_workspace(&self, workspace: &WorkspaceId, before: Timestamp) -> Option<Self> {
        let theirs = |person: &Person, at: Timestamp| person.workspace == *workspace && at < before;
        let mut locks = self.clone();
        locks.held.retain(|lock| !theirs(&lock.holder, lock.since));
        locks.ended.retain(|ended| {
            let ended_theirs = ended.how.by().is_some_and(|by| theirs(by, ended.at));
            !theirs(&ended.lock.holder, ended.lock.since) && !ended_theirs
        });
        (locks != *self).then_some(locks)
    }

    /// The same without a person: their locks are gone, and where they ended others', a name that leads back to nobody stands for
    /// them. `None`: they do not stand in it.
    #[must_use]
    pub fn without(&self, person: &Person, pseudonym: &UserId) -> Option<Self> {
        if !self.mentioned().any(|somebody| somebody == person) {
            return None;
        }
        let mut locks = self.clone();
        locks.held.retain(|lock| lock.holder != *person);
        locks.ended.retain(|ended| ended.lock.holder != *person);
        for ended in &mut locks.ended {
            if ended.how.by() == Some(person) {
                let by = Person { workspace: person.workspace.clone(), user: pseudonym.clone() };
                ended.how = match &ended.how {
                    End::TakenOver { .. } => End::TakenOver { by, because: None },
                    End::FreedBy { .. } => End::FreedBy { by, because: None },
                    End::RanOut => End::RanOut,
                    End::Freed => End::Freed,
                };
            }
        }
        Some(locks)
    }
}

impl End {
    /// Who ended it in place of its holder.
    pub fn by(&self) -> Option<&Person> {
        match self {
            Self::TakenOver { by, .. } | Self::FreedBy { by, .. } => Some(by),
            Self::RanOut | Self::Freed => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pipeline => f.write_str("the whole pipeline"),
            Self::Environment(environment) => environment.fmt(f),
        }
    }
}
