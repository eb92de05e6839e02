//! What becomes of locks without that anybody asks: they end when their time is over, and holders are told of theirs.

use jiff::{SignedDuration, Timestamp};

use crate::domain::command::{Command, Hold, LockWish};
use crate::domain::lock::{End, Ended, Ending, Lock, Locks};
use crate::domain::message::Message;
use crate::domain::names::OfferId;
use crate::domain::notice::Notice;
use crate::domain::pipeline::PipelineKey;
use crate::domain::speech::{self, LockRow};
use crate::ports::{Addressee, StoreError, Work};
use crate::usecases::offers::offer_until;
use crate::usecases::{Ports, notices};

/// How long one instance has this work to itself.
const LEASE: SignedDuration = SignedDuration::from_mins(1);
/// How long it is tried to tell somebody what became of their lock.
const TELLING: SignedDuration = SignedDuration::from_hours(24);
/// How soon something is tried again that did not work.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);
/// By how much the button of a reminder prolongs, in minutes.
const LONGER: u32 = 60;
const TRIES: u32 = 50;

/// Does what is due, and says when something will be next. One instance does it at a time.
///
/// Something is told before it is noted that it was: whoever dies in between tells it again.
pub async fn mind_locks(ports: &Ports) -> Result<Option<Timestamp>, StoreError> {
    let now = ports.clock.now();
    let all = ports.locks.all_locks().await?;
    let next = |all: &[Locks]| all.iter().filter_map(Locks::due).min();
    if next(&all).is_none_or(|due| due > now) {
        return Ok(next(&all));
    }
    let soon = now.checked_add(AGAIN).ok();
    let Some(lease) = ports.store.claim(&Work::Locks, now, now.checked_add(LEASE).unwrap_or(now)).await? else { return Ok(soon) };
    let mut again = false;
    for locks in &all {
        if locks.due().is_some_and(|due| due <= now) && !ports.is_stopping() {
            again |= !mind(ports, locks).await?;
        }
    }
    ports.store.release(&lease).await?;
    let next = next(&ports.locks.all_locks().await?);
    // Never at once: what could not be done now may not be possible then either.
    Ok(if again { soon } else { next.max(soon.filter(|_| next.is_some_and(|next| next <= now))) })
}

/// Does what is due for one pipeline; `false`: something has to be tried again.
async fn mind(ports: &Ports, locks: &Locks) -> Result<bool, StoreError> {
    let now = ports.clock.now();
    let Some(locks) = saved(ports, locks, |locks| locks.swept(now)).await? else { return Ok(false) };
    let mut done = true;
    let untold: Vec<Ended> = locks.ended.iter().filter(|ended| !ended.told).cloned().collect();
    for ended in untold {
        let message = speech::lock_ended(&locks.name, &ended, now);
        if told(ports, &ended.lock, ended.at, notice_of(&ended.how), &message).await? {
            let is_told = |mut locks: Locks| {
                locks.ended.iter_mut().filter(|one| one.lock == ended.lock && one.at == ended.at).for_each(|one| one.told = true);
                locks
            };
            done &= saved(ports, &locks, |locks| is_told(locks.clone())).await?.is_some();
        } else {
            done = false;
        }
    }
    let due: Vec<Lock> = locks.at(now).filter(|lock| lock.remind_at().is_some_and(|at| at <= now)).cloned().collect();
    for lock in due {
        let row = LockRow { pipeline: locks.name.clone(), lock: lock.clone() };
        let buttons = buttons(ports, &locks, &lock).await?;
        let since = lock.remind_at().unwrap_or(now);
        if told(ports, &lock, since, Notice::LockReminder, &speech::lock_reminder(&row, &buttons, now)).await? {
            let reminded = |mut locks: Locks| {
                locks.held.iter_mut().filter(|one| **one == lock).for_each(|one| one.reminded_at(now));
                locks
            };
            done &= saved(ports, &locks, |locks| reminded(locks.clone())).await?.is_some();
        } else {
            done = false;
        }
    }
    Ok(done)
}

async fn buttons(ports: &Ports, locks: &Locks, lock: &Lock) -> Result<Vec<(String, OfferId)>, StoreError> {
    let on = Hold { pipeline: PipelineKey::Id(locks.pipeline.clone()), environment: lock.on.environment() };
    let free = (speech::free_now(), Command::Unlock { on: Some(on.clone()), anyway: false, because: None });
    let longer = LockWish { on, branch: None, end: Some(Ending::After(LONGER)), because: None, anyway: false };
    let choices = match lock.until {
        Some(_) => vec![(speech::hold_longer(), Command::Lock(longer)), free],
        None => vec![free, (speech::free_all(), Command::Unlock { on: None, anyway: false, because: None })],
    };
    let until = lock.until.or_else(|| ports.clock.now().checked_add(TELLING).ok());
    offer_until(ports, &lock.holder, choices, until.unwrap_or(Timestamp::MAX)).await
}

fn notice_of(how: &End) -> Notice {
    match how {
        End::RanOut | End::Freed => Notice::LockRanOut,
        End::TakenOver { .. } | End::FreedBy { .. } => Notice::ByOthers,
    }
}

/// Tells a holder; `false`: it has to be tried again.
async fn told(ports: &Ports, lock: &Lock, since: Timestamp, notice: Notice, message: &Message) -> Result<bool, StoreError> {
    if notices::is_hidden(ports, &lock.holder, notice).await? {
        return Ok(true);
    }
    let Err(error) = ports.chat.say(&Addressee::Direct(lock.holder.clone()), message).await else { return Ok(true) };
    tracing::warn!(%error, "somebody could not be told of their lock");
    Ok(!error.is_temporary() || ports.clock.now().duration_since(since) >= TELLING)
}

/// Saves a change of the newest locks; `None`: others keep changing them.
async fn saved(ports: &Ports, from: &Locks, change: impl Fn(&Locks) -> Locks) -> Result<Option<Locks>, StoreError> {
    for _ in 0..TRIES {
        let locks = ports.locks.locks(&from.pipeline, &from.name).await?;
        let next = change(&locks);
        if next == locks {
            return Ok(Some(locks));
        }
        match ports.locks.save_locks(&next, Vec::new()).await {
            Ok(()) => return Ok(Some(Locks { version: next.version.saturating_add(1), ..next })),
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
