//! Upkeep: who asked for it is removed, what is too old goes, and the files are written anew so that nothing of it is left in them.
//!
//! One instance does it at a time. Every step may be cut off anywhere: what it is about to do is noted first, and doing it again
//! does no harm.

use jiff::{SignedDuration, Timestamp};

use crate::domain::actor::Person;
use crate::domain::deployment::{Deployment, Phase, WAITED_FOR};
use crate::domain::names::UserId;
use crate::domain::privacy::{
    CURRENT_TEXT, Counting, Counts, Month, Note, NoteKey, NoteKind, Noted, Removal, RemovalStage, Upkeep, pseudonym,
};
use crate::domain::request::Request;
use crate::domain::speech;
use crate::ports::{Addressee, Forgets as _, Lease, NoteBatch, StoreError};

use super::{Denied, Ports, home, orphans};

/// How many deployments are counted in one go.
const TOGETHER: usize = 500;
/// How many notes are removed in one go.
const NOTES_TOGETHER: usize = 50;
/// How long removals are collected before the files are written anew.
const REWRITE_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How often it is noted that everything is as it should be, where nothing has happened.
const SETTLED_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How long it is tried to tell somebody that they were removed.
const TELLING: SignedDuration = SignedDuration::from_hours(24);

/// What one round of upkeep leaves.
#[derive(Clone, Debug, Default)]
pub struct Upkept {
    /// How far it is.
    pub upkeep: Upkeep,
    /// How many people wait to be removed.
    pub waiting: usize,
}

/// Begins the record of upkeep, where there is none: what was kept before that was kept under the first text of the privacy page.
/// Returns whether something is under way that was cut off.
pub async fn begin_upkeep(ports: &Ports) -> Result<bool, StoreError> {
    let keeping = &ports.privacy.keeping;
    if let Some(Note::Upkeep(upkeep)) = keeping.note(&NoteKey::Upkeep).await?.map(|noted| noted.note) {
        return Ok(upkeep.dropping.is_some());
    }
    let known_version = if keeping.is_new().await? { CURRENT_TEXT } else { 1 };
    let upkeep = Noted::new(Note::Upkeep(Upkeep { known_version, ..Upkeep::default() }));
    match keeping.save_notes(NoteBatch { save: vec![upkeep], ..NoteBatch::default() }).await {
        // Another instance was first.
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The record of upkeep in the hands of whoever has its lease.
struct Keeper<'a> {
    ports: &'a Ports,
    lease: &'a Lease,
    noted: Noted,
    upkeep: Upkeep,
}

impl<'a> Keeper<'a> {
    async fn new(ports: &'a Ports, lease: &'a Lease) -> Result<Self, StoreError> {
        let noted = ports.privacy.keeping.note(&NoteKey::Upkeep).await?;
        let noted = noted.unwrap_or_else(|| Noted::new(Note::Upkeep(Upkeep::default())));
        let upkeep = if let Note::Upkeep(upkeep) = &noted.note { upkeep.clone() } else { Upkeep::default() };
        Ok(Self { ports, lease, noted, upkeep })
    }

    fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Saves how far it is, together with other notes.
    async fn save(&mut self, upkeep: Upkeep, others: NoteBatch) -> Result<(), StoreError> {
        let mut batch = NoteBatch { under: Some(self.lease.clone()), ..others };
        batch.save.push(self.noted.saying(Note::Upkeep(upkeep.clone())));
        self.ports.privacy.keeping.save_notes(batch).await?;
        self.noted = Noted { version: self.noted.version.saturating_add(1), note: Note::Upkeep(upkeep.clone()) };
        self.upkeep = upkeep;
        Ok(())
    }

    /// The same upkeep, with something that is still in the files.
    fn to_rewrite(&self) -> Upkeep {
        Upkeep { rewrite_since: self.upkeep.rewrite_since.or(Some(self.now())), ..self.upkeep.clone() }
    }
}

/// One round: as much as can be done now.
pub async fn upkeep(ports: &Ports, lease: &Lease) -> Result<Upkept, StoreError> {
    let mut keeper = Keeper::new(ports, lease).await?;
    let waiting = removals(&mut keeper).await?;
    deployments(&mut keeper).await?;
    notes(&mut keeper).await?;
    if keeper.upkeep.rewrite_since.is_some_and(|since| keeper.now().duration_since(since) >= REWRITE_AFTER) {
        ports.privacy.keeping.rewrite().await?;
        let upkeep = Upkeep { rewrite_since: None, rewritten_at: Some(keeper.now()), ..keeper.upkeep.clone() };
        keeper.save(upkeep, NoteBatch::default()).await?;
    }
    let now = keeper.now();
    if keeper.upkeep.settled_at.is_none_or(|settled| now.duration_since(settled) >= SETTLED_EVERY) {
        let upkeep = Upkeep { settled_at: Some(now), ..keeper.upkeep.clone() };
        keeper.save(upkeep, NoteBatch::default()).await?;
    }
    Ok(Upkept { upkeep: keeper.upkeep, waiting })
}

/// Removes whoever asked for it and has nothing going on any more. Returns how many wait.
async fn removals(keeper: &mut Keeper<'_>) -> Result<usize, StoreError> {
    let mut waiting = 0_usize;
    for noted in keeper.ports.privacy.keeping.notes(NoteKind::Removal).await? {
        let Note::Removal(removal) = noted.note.clone() else { continue };
        let done = match removal.stage {
            RemovalStage::Asked if has_something_going_on(keeper.ports, &removal).await? => false,
            RemovalStage::Asked => {
                let noted = remove(keeper, &noted, &removal).await?;
                told(keeper, &noted, &removal.person, keeper.now()).await?
            }
            RemovalStage::Done { at } => told(keeper, &noted, &removal.person, at).await?,
        };
        waiting = waiting.saturating_add(usize::from(!done));
    }
    Ok(waiting)
}

/// Whether something that a person began before they asked to be removed is not over: it ends truly, and then they are removed. What
/// cannot be followed with their logins, or takes too long, is not waited for.
async fn has_something_going_on(ports: &Ports, removal: &Removal) -> Result<bool, StoreError> {
    let now = ports.clock.now();
    let unanswered = ports.store.unanswered().await?;
    let of_them = |request: &Request| request.origin.person == removal.person || request.names(&removal.person);
    let asked = |request: &Request| of_them(request) && request.received_at <= removal.asked_at;
    if now.duration_since(removal.asked_at) < WAITED_FOR && unanswered.iter().any(asked) {
        return Ok(true);
    }
    let open = ports.store.open_deployments().await?;
    let needs_them = |one: &&Deployment| is_of(removal, one) && one.needs_its_asker(removal.asked_at, now);
    let waiting: Vec<&Deployment> = open.iter().filter(needs_them).collect();
    if waiting.iter().all(|one| matches!(one.phase, Phase::Unknown(_))) {
        // Nobody can look how they end where the logins are gone.
        let followed = match ports.accounts.credentials(&removal.person).await {
            Ok(_) => true,
            Err(no) => no.may_pass(),
        };
        return Ok(followed && !waiting.is_empty());
    }
    Ok(true)
}

/// Whether a deployment is one that somebody asked for before they asked to be removed.
fn is_of(removal: &Removal, one: &Deployment) -> bool {
    one.origin.person == removal.person && one.asked_at <= removal.asked_at
}

/// Takes a person out of deployments that go on: out of others' at once, and nobody stands behind their own any more.
async fn leave_deployments(ports: &Ports, removal: &Removal, name: &UserId) -> Result<(), StoreError> {
    let (store, clock) = (ports.store.as_ref(), ports.clock.as_ref());
    for one in ports.store.open_deployments().await? {
        if is_of(removal, &one) {
            orphans::orphan(store, clock, one.id, name).await?;
        } else {
            orphans::leave_out(store, clock, one.id, (&removal.person, name)).await?;
        }
    }
    Ok(())
}

async fn remove(keeper: &mut Keeper<'_>, noted: &Noted, removal: &Removal) -> Result<Noted, StoreError> {
    let (ports, person) = (keeper.ports, &removal.person);
    let name: Option<UserId> = pseudonym(removal.seed);
    let name = name.ok_or_else(|| StoreError::Conflict(removal.seed.to_string()))?;
    leave_deployments(ports, removal, &name).await?;
    unlink(ports, person).await?;
    ports.privacy.keeping.remove_person(person, &name).await?;
    // After that, so that no backup that still holds them counts as one made since.
    ports.privacy.keeping.remember_removal(person, keeper.now()).await?;
    ports.privacy.forget_person(person);
    ports.rights.forget_person(person);
    ports.memories.forget_person(person);
    let upkeep = Upkeep { removed: keeper.upkeep.removed.saturating_add(1), ..keeper.to_rewrite() };
    let done = noted.saying(Note::Removal(Removal { stage: RemovalStage::Done { at: keeper.now() }, ..removal.clone() }));
    keeper.save(upkeep, NoteBatch { save: vec![done.clone()], ..NoteBatch::default() }).await?;
    tracing::info!("a person was removed, as they or an operator asked");
    Ok(Noted { version: done.version.saturating_add(1), ..done })
}

/// Ends what a person has linked at its services, as far as that can be done: its record goes in any case.
async fn unlink(ports: &Ports, person: &Person) -> Result<(), StoreError> {
    let Some(sign_ins) = &ports.sign_ins else { return Ok(()) };
    let ended = async {
        sign_ins.give_up(person).await.map_err(Denied::Store)?;
        sign_ins.linked.unlink(person).await.map(drop)
    };
    match ended.await {
        Ok(()) => Ok(()),
        Err(Denied::Store(error @ (StoreError::Failed(_) | StoreError::Damaged(_)))) => Err(error),
        Err(denied) => {
            tracing::warn!(?denied, "what somebody had linked could not be ended at its services");
            Ok(())
        }
    }
}

/// Tells a person that they were removed, and forgets that they were; `false`: they could not be told yet.
async fn told(keeper: &mut Keeper<'_>, noted: &Noted, person: &Person, since: Timestamp) -> Result<bool, StoreError> {
    let ports = keeper.ports;
    if let Err(error) = ports.chat.say(&Addressee::Direct(person.clone()), &speech::removed()).await {
        tracing::warn!(%error, "somebody could not be told that they were removed");
        let again = error.is_temporary() && keeper.now().duration_since(since) < TELLING;
        if again {
            return Ok(false);
        }
    }
    home::clear(ports, person).await;
    let upkeep = keeper.to_rewrite();
    keeper.save(upkeep, NoteBatch { remove: vec![noted.clone()], ..NoteBatch::default() }).await?;
    Ok(true)
}

/// Counts the deployments of months whose time is over, and lets them go.
async fn deployments(keeper: &mut Keeper<'_>) -> Result<(), StoreError> {
    loop {
        if let Some(month) = keeper.upkeep.dropping {
            let dropped = keeper.ports.privacy.keeping.drop_closed(month.end()).await?;
            let dropped = keeper.upkeep.dropped.saturating_add(dropped);
            let upkeep = Upkeep { dropping: None, dropped, ..keeper.to_rewrite() };
            keeper.save(upkeep, NoteBatch::default()).await?;
        }
        if keeper.ports.is_stopping() {
            return Ok(());
        }
        let oldest = keeper.ports.privacy.keeping.closed_after(None, 1).await?;
        let Some(month) = oldest.first().map(|oldest| Month::of(oldest.asked_at)).filter(|month| month.is_over(keeper.now())) else {
            return Ok(());
        };
        let counts = if keeper.ports.privacy.keeping.note(&NoteKey::Counts(month)).await?.is_some() {
            // Whatever comes after a month was counted is too little to stand for anybody but its asker.
            None
        } else {
            Some(count(keeper.ports, month).await?).filter(|counts| !counts.groups.is_empty())
        };
        let save = counts.map(|counts| Noted::new(Note::Counts(counts))).into_iter().collect();
        let upkeep = Upkeep { dropping: Some(month), ..keeper.upkeep.clone() };
        keeper.save(upkeep, NoteBatch { save, ..NoteBatch::default() }).await?;
    }
}

async fn count(ports: &Ports, month: Month) -> Result<Counts, StoreError> {
    let (mut counting, mut after) = (Counting::default(), None);
    loop {
        let some = ports.privacy.keeping.closed_after(after, TOGETHER).await?;
        for one in &some {
            if one.asked_at >= month.end() {
                return Ok(counting.of_month(month));
            }
            counting.add(one);
        }
        match some.last() {
            Some(last) => after = Some(last.id),
            None => return Ok(counting.of_month(month)),
        }
    }
}

/// Lets notes about people go whose time is over.
async fn notes(keeper: &mut Keeper<'_>) -> Result<(), StoreError> {
    let now = keeper.now();
    let mut over = Vec::new();
    for kind in [NoteKind::Told, NoteKind::Export, NoteKind::Deed, NoteKind::Entry, NoteKind::Mute] {
        let is_over = |noted: &Noted| match &noted.note {
            Note::Told(told) => told.seen.is_over(now),
            Note::Export(export) => now.duration_since(export.until) >= REWRITE_AFTER,
            Note::Deed(deed) => Month::of(deed.at).is_over(now),
            Note::Entry(entry) => Month::of(entry.at).is_over(now),
            Note::Mute(mute) => !mute.holds(now) || Month::of(mute.since).is_over(now),
            // Rules and routes hold until somebody changes them.
            Note::Upkeep(_) | Note::Counts(_) | Note::Removal(_) | Note::Rules(_) | Note::Routes(_) => false,
        };
        over.extend(keeper.ports.privacy.keeping.notes(kind).await?.into_iter().filter(is_over));
    }
    // Whoever has not been here for as long has no use for their logins.
    let (told, others): (Vec<Noted>, Vec<Noted>) = over.into_iter().partition(|noted| matches!(noted.note, Note::Told(_)));
    for noted in told {
        unlink_whoever_is_away(keeper, &noted).await?;
    }
    for some in others.chunks(NOTES_TOGETHER) {
        let upkeep = keeper.to_rewrite();
        let batch = NoteBatch { remove: some.to_vec(), ..NoteBatch::default() };
        match keeper.save(upkeep, batch).await {
            // Somebody has changed one of them this moment: it stays, and the others go with the next round.
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Ends the logins of somebody who has not been here for long, and forgets them.
///
/// Saving what is known of them as it is decides it: whoever comes back before that stays, and whoever comes back after it finds their logins
/// ended. What is known of them goes last, so that a crash before leaves it to the next round.
async fn unlink_whoever_is_away(keeper: &mut Keeper<'_>, noted: &Noted) -> Result<(), StoreError> {
    let Note::Told(told) = &noted.note else { return Ok(()) };
    let decided = NoteBatch { save: vec![noted.clone()], ..NoteBatch::default() };
    match keeper.ports.privacy.keeping.save_notes(NoteBatch { under: Some(keeper.lease.clone()), ..decided }).await {
        Ok(()) => {}
        Err(StoreError::Conflict(_)) => return Ok(()),
        Err(error) => return Err(error),
    }
    unlink(keeper.ports, &told.person).await?;
    let gone = Noted { version: noted.version.saturating_add(1), note: noted.note.clone() };
    match keeper.save(keeper.to_rewrite(), NoteBatch { remove: vec![gone], ..NoteBatch::default() }).await {
        // They have come back meanwhile, without logins.
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
