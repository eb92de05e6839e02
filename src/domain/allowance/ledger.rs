//! The ledger of all credentials that this process acts with, at the source control and at the platform.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::meters::{Window, later};
use crate::domain::deployment::{Deployment, Phase, WaitingFor};
use crate::domain::fault::Service;
use crate::domain::names::DeploymentId;
use crate::domain::source::ReportState;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Writes that are left to others who act with the same credential.
const SPARE: usize = 4;
/// Nobody is sent away for less.
const A_MOMENT: SignedDuration = SignedDuration::from_secs(2);
/// What is left is spread over this long.
const SPREAD: i64 = 1800;
/// The longest time between two requests of one deployment that a low allowance makes.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// A credential, by a digest of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Holder(pub [u8; 32]);

/// A person's credentials at the two services that a deploy needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holders {
    /// At the source control.
    pub source: Holder,
    /// At the platform.
    pub platform: Holder,
}

/// How requests come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refill {
    /// All the time.
    Steady,
    /// All at once, at a moment that the service tells.
    AtOnce,
}

/// How much may be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writes {
    /// In any minute.
    pub minute: usize,
    /// In any hour.
    pub hour: usize,
}

/// What a service allows one credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests an hour.
    pub requests: u32,
    /// How they come back.
    pub refill: Refill,
    /// Things that may be created, where those are counted apart.
    pub writes: Option<Writes>,
    /// Requests that one deploy takes from its start to its end, looks that can wait left out.
    pub deploy: u32,
}

/// What something is created for. Ends come before starts, starts before progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To tell how it goes. Nothing is lost without it.
    Progress,
    /// To tell how it ended.
    End,
}

/// Something is not allowed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    /// By whom.
    pub of: Service,
    /// When it may be.
    pub until: Timestamp,
}

/// One credential at one service.
#[derive(Debug)]
struct Account {
    limits: Limits,
    /// Thousandths of requests that were left at a moment.
    left: i64,
    at: Timestamp,
    resets_at: Option<Timestamp>,
    shut_until: Option<Timestamp>,
    minute: Window,
    hour: Window,
}

impl Account {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            left: i64::from(limits.requests) * 1000,
            at: Timestamp::MIN,
            resets_at: None,
            shut_until: None,
            minute: Window::new(MINUTE),
            hour: Window::new(HOUR),
        }
    }

    fn size(&self) -> i64 {
        i64::from(self.limits.requests)
    }

    /// How many requests are left, as far as is known.
    fn left(&self, now: Timestamp) -> i64 {
        let left = match self.limits.refill {
            Refill::Steady => {
                let seconds = now.duration_since(self.at).as_secs().clamp(0, HOUR.as_secs());
                self.left.saturating_add(seconds.saturating_mul(self.size()).saturating_mul(1000) / HOUR.as_secs())
            }
            Refill::AtOnce if self.resets_at.is_none_or(|at| at <= now) => i64::MAX,
            Refill::AtOnce => self.left,
        };
        left.min(self.size().saturating_mul(1000)) / 1000
    }

    /// When `needed` requests will be left; `None`: they are.
    fn requests_at(&self, needed: i64, now: Timestamp) -> Option<Timestamp> {
        let missing = needed.min(self.size()).saturating_sub(self.left(now));
        if missing <= 0 {
            return None;
        }
        Some(match self.limits.refill {
            Refill::Steady => later(now, SignedDuration::from_secs(missing.saturating_mul(HOUR.as_secs()) / self.size().max(1) + 1)),
            Refill::AtOnce => self.resets_at.unwrap_or(now),
        })
    }

    fn shut(&self, now: Timestamp) -> Option<Timestamp> {
        self.shut_until.filter(|until| now < *until)
    }
}

/// A deployment that has begun outside.
#[derive(Clone, Copy, Debug)]
struct Begun {
    holders: Holders,
    /// What will still have to be created for it at the source control.
    owes: usize,
    /// Its record is still to be made.
    unannounced: bool,
}

/// What is known of all allowances.
#[derive(Debug)]
pub struct Ledger {
    source: Limits,
    platform: Limits,
    accounts: HashMap<(Service, Holder), Account>,
    begun: BTreeMap<DeploymentId, Begun>,
    /// Who waits to begin: the earliest first.
    waiting: BTreeMap<DeploymentId, Holders>,
    /// Credentials of which nothing is known any more, and with which something has begun that still has to end: what is heard of them
    /// late is not kept.
    forgotten: BTreeSet<Holder>,
}

impl Ledger {
    /// A ledger in which everything is allowed so far.
    pub fn new(source: Limits, platform: Limits) -> Self {
        Self { source, platform, accounts: HashMap::new(), begun: BTreeMap::new(), waiting: BTreeMap::new(), forgotten: BTreeSet::new() }
    }

    fn account(&mut self, of: Service, holder: Holder) -> Option<&mut Account> {
        let limits = match of {
            Service::SourceControl => self.source,
            Service::Platform => self.platform,
            // A chat has lanes of its own.
            Service::Chat => return None,
        };
        (!self.forgotten.contains(&holder)).then(|| self.accounts.entry((of, holder)).or_insert_with(|| Account::new(limits)))
    }

    /// A service said how many requests are left, and perhaps when there will be all again.
    pub fn heard(&mut self, of: Service, holder: Holder, left: u32, resets_at: Option<Timestamp>, now: Timestamp) {
        if let Some(account) = self.account(of, holder) {
            account.left = i64::from(left).saturating_mul(1000);
            account.at = now;
            account.resets_at = resets_at;
        }
    }

    /// A service wants to be left alone.
    pub fn shut(&mut self, of: Service, holder: Holder, until: Timestamp) {
        if let Some(account) = self.account(of, holder) {
            account.shut_until = account.shut_until.max(Some(until));
        }
    }

    /// Something was created, or may have been.
    pub fn wrote(&mut self, of: Service, holder: Holder, now: Timestamp) {
        if let Some(account) = self.account(of, holder) {
            account.minute.take(now);
            account.hour.take(now);
        }
    }

    /// Whether a deployment may begin now: there is enough for it and for the ends of all that have begun, and nobody waits for the same
    /// allowance who came before it.
    pub fn begin(&mut self, id: DeploymentId, holders: Holders, now: Timestamp) -> Result<(), Short> {
        if self.begun.contains_key(&id) {
            return Ok(());
        }
        let waiting_at = |same: fn(&Holders, &Holders) -> bool| self.waiting.range(..id).filter(|(_, ahead)| same(ahead, &holders)).count();
        let starting_at_platform = waiting_at(|ahead, one| ahead.platform == one.platform).saturating_add(1);
        let starting_at_source = waiting_at(|ahead, one| ahead.source == one.source).saturating_add(1);
        let at_platform = self.begun.values().filter(|begun| begun.holders.platform == holders.platform).count();
        let (at_source, owed, unannounced) =
            self.begun.values().filter(|begun| begun.holders.source == holders.source).fold((0_usize, 0_usize, 0_usize), |sum, begun| {
                (sum.0.saturating_add(1), sum.1.saturating_add(begun.owes), sum.2.saturating_add(usize::from(begun.unannounced)))
            });
        let short = self
            .requests_short(Service::Platform, holders.platform, at_platform.saturating_add(starting_at_platform), now)
            .or_else(|| self.requests_short(Service::SourceControl, holders.source, at_source.saturating_add(starting_at_source), now))
            .or_else(|| {
                // Each creates its record and, one day, its end.
                let owed = owed.saturating_add(starting_at_source.saturating_mul(2));
                self.writes_short(holders.source, owed, unannounced.saturating_add(starting_at_source), now)
            });
        match short {
            Some(short) => {
                self.waiting.insert(id, holders);
                Err(short)
            }
            None => {
                self.waiting.remove(&id);
                self.begun.insert(id, Begun { holders, owes: 2, unannounced: true });
                Ok(())
            }
        }
    }

    fn requests_short(&mut self, of: Service, holder: Holder, deployments: usize, now: Timestamp) -> Option<Short> {
        let account = self.account(of, holder)?;
        let needed = i64::try_from(deployments).unwrap_or(i64::MAX).saturating_mul(i64::from(account.limits.deploy));
        let until = account.shut(now).or_else(|| account.requests_at(needed, now))?;
        Some(Short { of, until })
    }

    fn writes_short(&mut self, holder: Holder, owed: usize, starting: usize, now: Timestamp) -> Option<Short> {
        let account = self.account(Service::SourceControl, holder)?;
        let limits = account.limits.writes?;
        // Starts take no more than half of a minute's room: as many ends may come in the same minute.
        let hour = room_for(&mut account.hour, limits.hour.saturating_sub(SPARE), owed, HOUR, now);
        let minute = room_for(&mut account.minute, limits.minute / 2, starting, MINUTE, now);
        Some(Short { of: Service::SourceControl, until: hour.max(minute)? })
    }

    /// Keeps the books of a deployment: what has begun has to be able to end.
    pub fn follow(&mut self, deployment: &Deployment, holders: Holders) {
        let id = deployment.id;
        let reported = deployment.announcement.as_ref().map(|record| record.reported.is_some_and(ReportState::is_final));
        match (&deployment.phase, reported) {
            // It may just have been let in.
            (Phase::Starting, _) => {}
            (Phase::Waiting(WaitingFor::Allowance { .. }), _) => {
                self.begun.remove(&id);
            }
            (
                Phase::Announcing(_)
                | Phase::Uploading
                | Phase::AboutToBuild(_)
                | Phase::Building { .. }
                | Phase::Releasing { .. }
                | Phase::Restarting { .. }
                | Phase::Unknown(_),
                _,
            )
            | (Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } | Phase::Freed { .. }, Some(false)) => {
                let unannounced = reported.is_none();
                self.waiting.remove(&id);
                self.begun.insert(id, Begun { holders, owes: 1 + usize::from(unannounced), unannounced });
            }
            (
                Phase::Waiting(WaitingFor::Turn | WaitingFor::Answer { .. } | WaitingFor::Checks { .. } | WaitingFor::BuildSlot { .. })
                | Phase::NeedsCode { .. },
                _,
            )
            | (Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } | Phase::Freed { .. }, None | Some(true)) => {
                self.over(id);
            }
        }
        self.let_go();
    }

    /// Nobody here works on a deployment any more.
    pub fn over(&mut self, id: DeploymentId) {
        self.begun.remove(&id);
        self.waiting.remove(&id);
        self.let_go();
    }

    /// Forgets what a service said of a credential that is worth nothing any more.
    pub fn forget(&mut self, holder: Holder) {
        self.accounts.retain(|(_, known), _| *known != holder);
        self.forgotten.insert(holder);
        self.let_go();
    }

    fn let_go(&mut self) {
        let begun = &self.begun;
        self.forgotten.retain(|holder| begun.values().any(|begun| begun.holders.source == *holder || begun.holders.platform == *holder));
    }

    /// Whether something may be created at the source control now, or when.
    pub fn may_write(&mut self, holder: Holder, purpose: Purpose, now: Timestamp) -> Result<(), Timestamp> {
        let owed =
            self.begun.values().filter(|begun| begun.holders.source == holder).fold(0_usize, |owed, begun| owed.saturating_add(begun.owes));
        let Some(account) = self.account(Service::SourceControl, holder) else { return Ok(()) };
        let shut = account.shut(now);
        let Some(limits) = account.limits.writes else { return shut.map_or(Ok(()), Err) };
        let (in_minute, in_hour) = match purpose {
            // What is owed stays untouched, and half of each minute is for starts and ends.
            Purpose::Progress => (limits.minute / 2, limits.hour.saturating_sub(SPARE).saturating_sub(owed)),
            Purpose::End => (limits.minute.saturating_sub(SPARE), limits.hour.saturating_sub(SPARE)),
        };
        let room = shut.max(account.minute.room_at(in_minute, now)).max(account.hour.room_at(in_hour, now));
        match (room, purpose) {
            (None, _) => Ok(()),
            (Some(room), Purpose::Progress) => Err(room),
            (Some(room), Purpose::End) => Err(account.minute.send_away(room, in_minute)),
        }
    }

    /// How long there should be between two looks of one deployment at a service, each of so many `requests`; `None`: as often as it
    /// likes.
    ///
    /// From half an allowance on, what is left is spread over the next half hour among all that go on, and half of what comes in is
    /// kept for people's commands and for what has to end.
    pub fn pause(&mut self, of: Service, holder: Holder, requests: u32, now: Timestamp) -> Option<SignedDuration> {
        let is_theirs = |holders: &Holders| match of {
            Service::SourceControl => holders.source == holder,
            Service::Platform => holders.platform == holder,
            Service::Chat => false,
        };
        let followed = self.begun.values().filter(|begun| is_theirs(&begun.holders)).count();
        let followed = i64::try_from(followed).unwrap_or(i64::MAX).max(1);
        let account = self.account(of, holder)?;
        if let Some(until) = account.shut(now) {
            return Some(until.duration_since(now));
        }
        let (left, size) = (account.left(now), account.size());
        if left >= size / 2 {
            return None;
        }
        let at_least = match left {
            left if left < size / 10 => 60,
            left if left < size / 4 => 15,
            _ => 5,
        };
        // Thousandths of requests a second.
        let spread = left.saturating_sub(size / 20).max(0).saturating_mul(1000) / SPREAD;
        let comes_in = size.saturating_mul(1000) / HOUR.as_secs() / 2;
        let pause = followed.saturating_mul(1000) / spread.saturating_add(comes_in).max(1);
        let pause = SignedDuration::from_secs(pause.max(at_least)).min(LONGEST_PAUSE);
        let pause = pause.saturating_mul(i32::try_from(requests).unwrap_or(i32::MAX));
        // What comes back at once is all there then.
        let whole_again = account.resets_at.filter(|_| account.limits.refill == Refill::AtOnce).map(|at| at.duration_since(now));
        Some(whole_again.map_or(pause, |whole_again| pause.min(whole_again)))
    }
}

/// When so many more will fit below `most`; `None`: they do now.
fn room_for(window: &mut Window, most: usize, more: usize, span: SignedDuration, now: Timestamp) -> Option<Timestamp> {
    match most.checked_sub(more) {
        Some(room) => window.room_at(room.saturating_add(1), now),
        // They come one after the other, as fast as the span lets them.
        None => {
            let excess = i64::try_from(more.saturating_sub(most)).unwrap_or(i64::MAX);
            let each = i64::try_from(most.max(1)).unwrap_or(i64::MAX);
            Some(later(now, SignedDuration::from_secs(excess.saturating_mul(span.as_secs()) / each).max(A_MOMENT)))
        }
    }
}

#[cfg(test)]
mod tests;
