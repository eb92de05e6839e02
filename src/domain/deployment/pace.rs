//! When to look again, and how late is too late.

use jiff::{SignedDuration, Timestamp};

use super::phase::{Phase, Standing, WaitingFor, Watched};
use super::{Deployment, Untold};

/// How long we look for an effect whose order got no clear answer, before acting once more or giving it up.
pub const EFFECT_BOUND: SignedDuration = SignedDuration::from_secs(60);
/// How long a deploy waits for its checks, from when it was asked for.
pub const GREEN_WAIT: SignedDuration = SignedDuration::from_hours(4);
/// How long the app is kept for somebody who is asked at their turn.
pub const ANSWER_WAIT: SignedDuration = SignedDuration::from_mins(10);
/// How long a deploy waits for a one-time code.
pub const CODE_WAIT: SignedDuration = SignedDuration::from_mins(10);
/// For how long we trust the platform to remember a code. It keeps about 20 minutes.
pub const CODE_IS_GOOD_FOR: SignedDuration = SignedDuration::from_mins(15);
/// How long between two tries for a build slot.
pub const SLOT_PAUSE: SignedDuration = SignedDuration::from_mins(2);
/// How long a deploy waits for a build slot.
pub const SLOT_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// How long slow looks at an unknown deployment go on.
pub const UNKNOWN_LOOKS_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How long between two of them, and between two tries to tell an end where only people can help.
pub const UNKNOWN_PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// A build takes at most 25 minutes once it has begun, and may queue before.
const BUILD_LATE: SignedDuration = SignedDuration::from_mins(45);
/// A release phase is ended by the platform after an hour.
const RELEASE_LATE: SignedDuration = SignedDuration::from_mins(70);
/// Dynos get a minute to boot, and rolling replacement of many takes a while.
const DYNOS_LATE: SignedDuration = SignedDuration::from_mins(20);
/// A dyno that crashes at boot is restarted once at once; down for this long, it stays down.
pub(super) const CRASH_IS_REAL_AFTER: SignedDuration = SignedDuration::from_secs(40);

/// For how long looks for an effect may bring no news before it is given up as unclear for good.
const OUT_OF_REACH: SignedDuration = SignedDuration::from_mins(10);
/// For how long a step of the preparation may bring no news.
const PREPARING_LATE: SignedDuration = SignedDuration::from_mins(30);

const TURN_SWEEP: SignedDuration = SignedDuration::from_secs(60);

/// How long a build or a release phase that is listened to goes without a look: what is listened to may err, but rarely.
const TRUSTED_FOR: SignedDuration = SignedDuration::from_mins(15);
/// How long until the first look at a build or a release phase that has only begun.
const BEGINNING: i64 = 8;
/// The longest pause between looks at a build or a release phase that is not listened to.
const LONGEST_ALONE: i64 = 20;

impl Watched {
    /// How long it may go on outside at most, with all that comes after it: past that, the platform has ended it by itself.
    pub fn may_last(&self) -> SignedDuration {
        match self {
            Self::Order | Self::Build { .. } => BUILD_LATE.saturating_add(RELEASE_LATE).saturating_add(DYNOS_LATE),
            Self::Release { .. } => RELEASE_LATE.saturating_add(DYNOS_LATE),
            Self::Dynos { .. } => DYNOS_LATE,
        }
    }
}

/// What a worker knows of the last news of what goes on outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attention {
    /// When it was known for certain how it stands; `None`: there is a reason to look now.
    pub seen_at: Option<Timestamp>,
    /// How often it was looked at since there was the last reason to.
    pub looks: u32,
    /// Whether it is listened to, and will be heard of.
    pub listening: bool,
    /// How often word that it is to stop did not get through, since there was the last reason to look.
    pub stops_lost: u32,
}

fn after(start: Timestamp, wait: SignedDuration) -> Timestamp {
    start.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// What has only begun is hardly over, and may soon be listened to. After a reason to look that showed nothing, the platform may
/// lag behind itself for some seconds; then slower.
fn alone(looks: u32) -> SignedDuration {
    let seconds = if looks == 0 { BEGINNING } else { 2_i64.checked_pow(looks).unwrap_or(LONGEST_ALONE) };
    SignedDuration::from_secs(seconds.min(LONGEST_ALONE))
}

/// Dynos are not heard of: the first may be up soon, and news stand on the card in a quarter of a minute, however long it takes. That
/// nothing has changed costs nothing.
fn dynos(looks: u32) -> SignedDuration {
    SignedDuration::from_secs(if looks == 0 { 3 } else { 12 })
}

/// Checks take minutes: what is done is seen soon after, and what takes an hour is asked for rarely.
fn checks(waited: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs(match waited.as_secs() {
        ..300 => 15,
        300..1800 => 30,
        _ => 60,
    })
}

/// Quick at first, then slower: whoever watches the card sees the end soon, and one that cannot be told costs little.
fn pause(since: Timestamp, now: Timestamp) -> SignedDuration {
    let seconds = now.duration_since(since).as_secs();
    SignedDuration::from_secs(match seconds {
        ..60 => 3,
        60..300 => 5,
        _ => 10,
    })
}

impl Deployment {
    /// When to look again if nothing wakes us earlier; `None`: no look would help any more.
    pub fn next_look(&self, now: Timestamp, attention: &Attention) -> Option<Timestamp> {
        match &self.phase {
            Phase::Waiting(WaitingFor::Turn) => Some(after(now, TURN_SWEEP)),
            Phase::Waiting(WaitingFor::Checks { until, .. }) => {
                Some(attention.seen_at.map_or(now, |seen| after(seen, checks(seen.duration_since(self.since))).min(*until)))
            }
            Phase::Waiting(WaitingFor::BuildSlot { next, .. }) => Some(*next),
            Phase::Waiting(WaitingFor::Allowance { .. }) => Some(after(now, SignedDuration::from_secs(1))),
            Phase::NeedsCode { until } | Phase::Waiting(WaitingFor::Answer { until }) => Some(*until),
            Phase::Starting | Phase::Announcing(_) | Phase::Uploading | Phase::AboutToBuild(_) => {
                Some(after(now, SignedDuration::from_secs(5)))
            }
            Phase::Building { .. } => Some(self.next_look_at_work(now, attention, BUILD_LATE)),
            Phase::Releasing { .. } => Some(self.next_look_at_work(now, attention, RELEASE_LATE)),
            Phase::Restarting { .. } => Some(attention.seen_at.map_or(now, |seen| after(seen, dynos(attention.looks)))),
            Phase::Unknown(was) if self.is_orphaned() => Some(after(self.since, was.may_last())),
            Phase::Unknown(_) if now < after(self.since, UNKNOWN_LOOKS_FOR) => Some(after(now, UNKNOWN_PAUSE)),
            Phase::Unknown(_) => None,
            Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } | Phase::Freed { .. } => {
                // Whether an order for a record was heard is not found out without a login.
                let unclear = self.announcement.is_none() && self.announcements_ordered > 0 && self.is_end_told();
                let only_people_can_help = unclear || [Untold::Asker, Untold::Record].iter().any(|what| self.untold.contains(what));
                (!self.closed).then(|| after(now, if only_people_can_help { UNKNOWN_PAUSE } else { pause(self.since, now) }))
            }
        }
    }

    /// Of a build or a release phase, which can be listened to. Once it is late, a look has to say so.
    fn next_look_at_work(&self, now: Timestamp, attention: &Attention, late: SignedDuration) -> Timestamp {
        let Some(seen) = attention.seen_at else { return now };
        let next = match (attention.stops_lost, attention.listening) {
            (0, true) => after(seen, TRUSTED_FOR),
            (0, false) => after(seen, alone(attention.looks)),
            // Nothing is heard of what nobody was told.
            (lost, _) => after(seen, alone(lost)),
        };
        let late = after(self.since, late);
        if late > seen { next.min(late) } else { next }
    }

    /// Whether it has stood in its phase for longer than the phase can take.
    pub(super) fn is_late(&self, now: Timestamp) -> bool {
        let waited = now.duration_since(self.since);
        match &self.phase {
            Phase::Announcing(Standing::Unclear { since }) | Phase::AboutToBuild(Standing::Unclear { since }) => {
                now.duration_since(*since) >= OUT_OF_REACH
            }
            Phase::NeedsCode { until } | Phase::Waiting(WaitingFor::Checks { until, .. } | WaitingFor::Answer { until }) => now >= *until,
            Phase::Building { .. } => waited >= BUILD_LATE,
            Phase::Releasing { .. } => waited >= RELEASE_LATE,
            Phase::Restarting { .. } => waited >= DYNOS_LATE,
            Phase::Starting | Phase::Announcing(Standing::Fresh) | Phase::Uploading | Phase::AboutToBuild(Standing::Fresh) => {
                waited >= PREPARING_LATE
            }
            Phase::Unknown(was) if self.is_orphaned() => waited >= was.may_last(),
            // Turns take as long as they take; the wait for a slot ends with the try that comes too late.
            Phase::Waiting(WaitingFor::Turn | WaitingFor::BuildSlot { .. } | WaitingFor::Allowance { .. })
            | Phase::Unknown(_)
            | Phase::Succeeded { .. }
            | Phase::Failed { .. }
            | Phase::Cancelled { .. }
            | Phase::Freed { .. } => false,
        }
    }

    /// What an unknown deployment is known to have been, for looking on.
    pub(super) fn watched(&self) -> Option<Watched> {
        match &self.phase {
            Phase::AboutToBuild(_) => Some(Watched::Order),
            Phase::Building { build } => Some(Watched::Build { build: build.clone() }),
            Phase::Releasing { release, version, .. } => Some(Watched::Release { release: release.clone(), version: *version }),
            Phase::Restarting { release, version, .. } => Some(Watched::Dynos { release: release.clone(), version: *version }),
            Phase::Unknown(watched) => Some(watched.clone()),
            Phase::Waiting(_)
            | Phase::NeedsCode { .. }
            | Phase::Starting
            | Phase::Announcing(_)
            | Phase::Uploading
            | Phase::Succeeded { .. }
            | Phase::Failed { .. }
            | Phase::Cancelled { .. }
            | Phase::Freed { .. } => None,
        }
    }
}
