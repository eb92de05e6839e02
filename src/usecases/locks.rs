//! Locks: taking, freeing and showing them; and what becomes of them by itself.

mod minding;

use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::command::{Command, Hold, LockWish};
use crate::domain::deployment::Deployment;
use crate::domain::lock::{End, Freeing, Lock, Locks, NotFreed, NotTaken, Scope};
use crate::domain::message::Message;
use crate::domain::names::RefName;
use crate::domain::pipeline::{Pipeline, PipelineKey};
use crate::domain::request::Request;
use crate::domain::rights::{Did, Entry};
use crate::domain::source::{AskedRef, CommitRef, Resolution};
use crate::domain::speech::{self, Doing, LockRow};
use crate::ports::{Credentials, StoreError, WakeKey};

use super::facts::{find_pipeline, no_ref};
use super::offers::offer;
use super::whereabouts::readable_repository;
use super::{Ports, Trouble, WhileDoing};

pub use minding::mind_locks;

/// How often it is tried again when somebody else changed the locks in between.
const TRIES: u32 = 50;

/// The locks of a pipeline that hold, as rows.
pub(super) fn rows_of(locks: &Locks, now: Timestamp) -> Vec<LockRow> {
    locks.at(now).map(|lock| LockRow { pipeline: locks.name.clone(), lock: lock.clone() }).collect()
}

/// `lock`: takes a lock, or changes one's own.
pub(super) async fn lock(ports: &Ports, request: &Request, who: &Credentials, wish: &LockWish) -> Result<Message, Trouble> {
    let asker = &request.origin.person;
    let again = |pipeline| Command::Lock(LockWish { on: Hold { pipeline, ..wish.on.clone() }, ..wish.clone() });
    let pipeline = find_pipeline(ports, asker, &who.platform, &wish.on.pipeline, again).await?;
    let on = Scope::of(wish.on.environment);
    // Counted from when it was asked for, so that a late answer makes it no longer.
    let until = match &wish.end {
        None => None,
        Some(end) => Some(end.from(request.received_at).ok_or_else(speech::no_such_end)?),
    };
    if let Some(branch) = &wish.branch
        && let Some(refused) = no_branch(ports, request, who, &pipeline, wish, branch).await?
    {
        return Ok(refused);
    }
    for _ in 0..TRIES {
        let now = ports.clock.now();
        let locks = Locks { name: pipeline.name.clone(), ..ports.locks.locks(&pipeline.id, &pipeline.name).await? };
        let lock = Lock {
            on,
            branch: wish.branch.clone(),
            holder: asker.clone(),
            because: wish.because.clone(),
            since: now,
            set_at: now,
            until,
            taken_in: request.origin.channel.clone(),
            request: request.id.clone(),
            reminders: 0,
        };
        let taken = match locks.taken(lock, wish.anyway, now) {
            Ok(taken) => taken,
            Err(NotTaken::OverAlready) => return Ok(speech::lock_over_already()),
            Err(NotTaken::Held(others)) => return refused(ports, asker, &pipeline, wish, &others).await,
        };
        match save(ports, &locks, &taken.locks).await {
            Ok(()) => {
                let going = going_on(ports, &pipeline, on).await?;
                return Ok(speech::locked(&pipeline, &taken, &going, now));
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(speech::not_recorded().into())
}

/// A lock is for a branch that is there: refused with what may have been meant, where it is not.
async fn no_branch(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    pipeline: &Pipeline,
    wish: &LockWish,
    branch: &RefName,
) -> Result<Option<Message>, Trouble> {
    let repository = readable_repository(ports, who, pipeline).await?;
    let asked = AskedRef::Named(branch.clone());
    match ports.source.resolve(&who.source, &repository, &asked).await.while_doing(Doing::ReadingRef)? {
        Resolution::Found(resolved) if resolved.named_by == CommitRef::Branch(branch.clone()) => Ok(None),
        Resolution::BranchAndTag { .. } => Ok(None),
        Resolution::Found(_) => Ok(Some(speech::not_a_branch(&repository, branch))),
        none @ (Resolution::Unknown { .. } | Resolution::AmbiguousHash | Resolution::EmptyRepository) => {
            let again = |branch| Command::Lock(LockWish { branch: Some(branch), ..wish.clone() });
            no_ref(ports, &request.origin.person, &repository, &asked, &none, again).await.map(Some).map_err(Trouble::from)
        }
    }
}

/// Others hold it: who, since when and why, and how it is taken over: by a button, where the reason was given already.
async fn refused(ports: &Ports, asker: &Person, pipeline: &Pipeline, wish: &LockWish, others: &[Lock]) -> Result<Message, Trouble> {
    let asked = Scope::of(wish.on.environment);
    let whole = others.iter().any(|lock| lock.on == Scope::Pipeline);
    let environment = wish.on.environment.filter(|_| !whole);
    let on = Hold { pipeline: PipelineKey::Id(pipeline.id.clone()), environment };
    let over = Command::Lock(LockWish { on, anyway: true, ..wish.clone() });
    let button = wish.because.as_ref().map(|_| (speech::take_over(), over));
    let buttons = offer(ports, asker, button).await?;
    Ok(speech::held_by_others(pipeline, asked, others, &buttons, ports.clock.now()))
}

/// What has the apps there now: a lock stops nothing that has begun.
async fn going_on(ports: &Ports, pipeline: &Pipeline, on: Scope) -> Result<Vec<Deployment>, StoreError> {
    let mut going = Vec::new();
    for deployment in ports.store.open_deployments().await? {
        let there = deployment.target.pipeline == pipeline.id && on.covers(deployment.target.environment);
        if there
            && !deployment.has_ended()
            && !deployment.has_left()
            && ports.store.line(&deployment.target.app).await?.holder == Some(deployment.id)
        {
            going.push(deployment);
        }
    }
    Ok(going)
}

async fn save(ports: &Ports, before: &Locks, after: &Locks) -> Result<(), StoreError> {
    if before == after {
        return Ok(());
    }
    // What somebody did to others' locks stays on record, however many end after it.
    let new = after.ended.iter().filter(|ended| !before.ended.contains(ended));
    let on_record = new.filter_map(|ended| {
        let (by, because) = ended.by_another()?;
        let did = Did::EndedLock {
            pipeline: after.pipeline.clone(),
            name: after.name.clone(),
            on: ended.lock.on,
            holder: ended.lock.holder.clone(),
            taken_over: matches!(ended.how, End::TakenOver { .. }),
            because: because.cloned(),
        };
        Some(Entry { id: ports.ids.fresh(), workspace: by.workspace.clone(), at: ended.at, by: by.user.clone(), did })
    });
    ports.locks.save_locks(after, on_record.collect()).await?;
    ports.clock.wake(WakeKey::Locks);
    Ok(())
}

/// `unlock PIPELINE`: frees one's own, and with `anyway` also others'.
pub(super) async fn unlock(ports: &Ports, request: &Request, who: &Credentials, on: &Hold, how: Freeing<'_>) -> Result<Message, Trouble> {
    let asker = &request.origin.person;
    let (anyway, because) = match how {
        Freeing::Own => (false, None),
        Freeing::Anyway(because) => (true, because),
    };
    let again = |pipeline| Command::Unlock { on: Some(Hold { pipeline, ..on.clone() }), anyway, because: because.cloned() };
    let pipeline = find_pipeline(ports, asker, &who.platform, &on.pipeline, again).await?;
    let scope = Scope::of(on.environment);
    for _ in 0..TRIES {
        let now = ports.clock.now();
        let locks = ports.locks.locks(&pipeline.id, &pipeline.name).await?;
        let freed = match locks.freed(scope, asker, how, &request.id, now) {
            Ok(freed) => freed,
            Err(NotFreed::Nothing) => return Ok(speech::nothing_locked(&pipeline, scope)),
            Err(NotFreed::Others(there)) => {
                let own = there.iter().filter(|lock| lock.holder == *asker);
                let choices = own.map(|lock| {
                    let on = Hold { pipeline: PipelineKey::Id(pipeline.id.clone()), environment: lock.on.environment() };
                    (speech::free_it(lock.on), Command::Unlock { on: Some(on), anyway: false, because: None })
                });
                let buttons = offer(ports, asker, choices).await?;
                return Ok(speech::not_yours_to_free(&pipeline, scope, asker, &there, &buttons, now));
            }
        };
        match save(ports, &locks, &freed.locks).await {
            Ok(()) => {
                let row = |lock: &Lock| LockRow { pipeline: pipeline.name.clone(), lock: lock.clone() };
                let left: Vec<LockRow> = freed.locks.at(now).filter(|lock| lock.on.meets(scope)).map(row).collect();
                let freed: Vec<LockRow> = freed.freed.iter().map(row).collect();
                return Ok(speech::unlocked(asker, &freed, &left, now));
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(speech::not_recorded().into())
}

/// `unlock all`: frees everything that the asker holds anywhere.
pub(super) async fn unlock_all(ports: &Ports, request: &Request) -> Result<Message, Trouble> {
    let asker = &request.origin.person;
    let mut freed = Vec::new();
    for all in ports.locks.all_locks().await? {
        let mut tries = TRIES;
        let mut locks = all;
        while let Ok(after) = locks.freed(Scope::Pipeline, asker, Freeing::Own, &request.id, ports.clock.now()) {
            match save(ports, &locks, &after.locks).await {
                Ok(()) => {
                    freed.extend(after.freed.into_iter().map(|lock| LockRow { pipeline: locks.name.clone(), lock }));
                    break;
                }
                Err(StoreError::Conflict(_)) if tries > 0 => {
                    tries = tries.saturating_sub(1);
                    locks = ports.locks.locks(&locks.pipeline, &locks.name).await?;
                }
                Err(StoreError::Conflict(_)) => return Err(speech::not_recorded().into()),
                Err(error) => return Err(error.into()),
            }
        }
    }
    if freed.is_empty() {
        return Ok(speech::you_hold_nothing());
    }
    Ok(speech::unlocked(asker, &freed, &[], ports.clock.now()))
}

/// `locks`: who holds what in the pipelines that the asker can see.
pub(super) async fn locks(ports: &Ports, request: &Request, who: &Credentials) -> Result<Message, Trouble> {
    let seen = ports.platform.pipelines(&who.platform).await.while_doing(Doing::ReadingPipelines)?;
    let now = ports.clock.now();
    let mut rows = Vec::new();
    for locks in ports.locks.all_locks().await? {
        if let Some(pipeline) = seen.iter().find(|pipeline| pipeline.id == locks.pipeline) {
            rows.extend(rows_of(&locks, now).into_iter().map(|row| LockRow { pipeline: pipeline.name.clone(), ..row }));
        }
    }
    rows.sort_by(|one, other| (&one.pipeline, one.lock.on).cmp(&(&other.pipeline, other.lock.on)));
    Ok(speech::locks(&rows, &request.origin.person, now))
}
