//! What is kept about people, in terms of the desk: notes, and everything about one person.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use crate::domain::account::Account;
use crate::domain::actor::Person;
use crate::domain::deployment::Deployment;
use crate::domain::installation::{Happening, Installation};
use crate::domain::lock::Locks;
use crate::domain::names::{DeploymentId, UserId};
use crate::domain::offer::Offer;
use crate::domain::privacy::{Note, NoteKey, NoteKind, Noted};
use crate::domain::request::Request;
use crate::domain::sign_in::SignIn;
use crate::ports::{HowMuch, Keeping, NoteBatch, StoreError, Work};

use super::SledStore;
use super::accounts::person_key;
use super::desk::{Desk, Stop, Tx, TxResult, refuse};
use super::history::{Fate, Judge, Snapshot, Swept};
use super::leases;
use super::mover::Task;
use super::records::{self, Record, Shelf};
use super::removals::Gone;
use super::unnamed;
use super::writer::Job;

/// How many records are changed in one transaction.
const TOGETHER: usize = 50;
/// What the store keeps that is of no use to whoever reads it, and of use to a thief.
const LEFT_OUT: [&str; 6] = ["tokens", "reply", "link", "browser", "ways", "passcode"];

fn key_of(key: &NoteKey) -> Vec<u8> {
    match key {
        NoteKey::Upkeep => kind_of(NoteKind::Upkeep).to_vec(),
        NoteKey::Counts(month) => [kind_of(NoteKind::Counts), month.to_string().as_bytes()].concat(),
        NoteKey::Told(person) => [kind_of(NoteKind::Told), &person_key(person)].concat(),
        NoteKey::Removal(person) => [kind_of(NoteKind::Removal), &person_key(person)].concat(),
        NoteKey::Export(link) => [kind_of(NoteKind::Export), link.as_bytes()].concat(),
        NoteKey::Deed(id) => [kind_of(NoteKind::Deed), id.as_bytes().as_slice()].concat(),
        NoteKey::Rules(workspace) => [kind_of(NoteKind::Rules), workspace.as_str().as_bytes()].concat(),
        NoteKey::Mute(person) => [kind_of(NoteKind::Mute), &person_key(person)].concat(),
        // Ids of the outside hold no zero byte.
        NoteKey::Entry(workspace, id) => {
            [kind_of(NoteKind::Entry), workspace.as_str().as_bytes(), b"\0", id.as_bytes().as_slice()].concat()
        }
        NoteKey::Routes(workspace, pipeline) => {
            [kind_of(NoteKind::Routes), workspace.as_str().as_bytes(), b"\0", pipeline.as_str().as_bytes()].concat()
        }
    }
}

fn kind_of(kind: NoteKind) -> &'static [u8] {
    match kind {
        NoteKind::Upkeep => b"u",
        NoteKind::Counts => b"c",
        NoteKind::Told => b"t",
        NoteKind::Removal => b"r",
        NoteKind::Export => b"x",
        NoteKind::Deed => b"d",
        NoteKind::Rules => b"l",
        NoteKind::Entry => b"e",
        NoteKind::Mute => b"m",
        NoteKind::Routes => b"p",
    }
}

impl Record for Noted {
    const SHELF: Shelf = Shelf::Privacy;

    fn key(&self) -> Vec<u8> {
        key_of(&self.note.key())
    }

    fn label(&self) -> String {
        "a note of privacy".to_owned()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn at_version(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }
}

fn remove(tx: &Tx<'_>, noted: &Noted) -> TxResult<()> {
    match tx.get::<Noted>(Shelf::Privacy, &noted.key())? {
        Some(stored) if stored.version == noted.version => tx.forget(&stored),
        Some(_) | None => refuse(StoreError::Conflict(noted.label())),
    }
}

/// Deployments that sled holds and that are over and told, in order.
fn closed_in_sled(desk: &Desk, behind: &[u8]) -> Result<Vec<Deployment>, Stop> {
    let mut found = Vec::new();
    for record in desk.from::<Deployment>(behind)? {
        let record = record?;
        if !record.is_open() && record.key() != behind {
            found.push(record);
        }
    }
    Ok(found)
}

/// Changes what sled holds as the judge says, some at a time: a worker may hold on to an older version, and finds out.
fn sweep_sled(desk: &Desk, judge: &Judge) -> Result<u64, Stop> {
    let mut changes = Vec::new();
    for record in closed_in_sled(desk, b"")? {
        match judge.of(&record) {
            Fate::Stay => {}
            Fate::Go => changes.push((record, None)),
            Fate::Become(next) => changes.push((record, Some(next))),
            Fate::End => break,
        }
    }
    for some in changes.chunks(TOGETHER) {
        desk.transact(|tx| {
            some.iter().try_for_each(|(old, next)| match next {
                Some(next) => tx.save(next.as_ref()),
                None => {
                    tx.forget(old)?;
                    tx.remove(Shelf::Leases, &records::lease_key(&Work::Deployment(old.id)))
                }
            })
        })?;
        // One that was on its way into the history was changed since: it has to go there again.
        desk.note_closed(some.iter().filter_map(|(_, next)| next.as_deref()));
    }
    Ok(u64::try_from(changes.len()).unwrap_or(u64::MAX))
}

/// Everything about one person, by kind.
#[derive(Default)]
struct Found(BTreeMap<&'static str, Vec<Value>>);

impl Found {
    fn add<T: serde::Serialize>(&mut self, kind: &'static str, record: &T) -> Result<(), Stop> {
        let value = serde_json::to_value(record).map_err(|error| Stop::Refused(StoreError::Damaged(error.to_string())))?;
        self.0.entry(kind).or_default().push(without_secrets(value));
        Ok(())
    }

    fn add_live(&mut self, desk: &Desk, person: &Person) -> Result<(), Stop> {
        for request in desk.all::<Request>()? {
            let request = request?;
            if request.origin.person == *person {
                self.add("requests", &request)?;
            }
        }
        for offer in desk.all::<Offer>()? {
            let offer = offer?;
            if offer.to == *person {
                self.add("offers", &offer)?;
            }
        }
        if let Some(account) = desk.get::<Account>(&person_key(person))? {
            self.add("accounts", &account)?;
        }
        for sign_in in desk.all::<SignIn>()? {
            let sign_in = sign_in?;
            if sign_in.person == *person {
                self.add("sign-ins", &sign_in)?;
            }
        }
        for installation in desk.all::<Installation>()? {
            let installation = installation?;
            if installation.by == person.user && installation.serves(&person.workspace) {
                self.add("installations", &installation)?;
            }
        }
        for happening in desk.all::<Happening>()? {
            let happening = happening?;
            if happening.names(person) {
                self.add("happenings", &happening)?;
            }
        }
        for locks in desk.all::<Locks>()? {
            let locks = locks?;
            if locks.mentioned().any(|somebody| somebody == person) {
                self.add("locks", &locks.only_of(person))?;
            }
        }
        for deployment in desk.all::<Deployment>()? {
            let deployment = deployment?;
            if deployment.mentions(person) {
                self.add("deployments", &deployment)?;
            }
        }
        for noted in desk.all::<Noted>()? {
            let noted = noted?;
            let kind = match &noted.note {
                Note::Told(_) => "told",
                Note::Removal(_) => "removals",
                Note::Export(_) => "exports",
                Note::Deed(_) => "operators",
                Note::Rules(_) => "rules",
                Note::Entry(_) => "changes of rules",
                Note::Mute(_) => "mutes",
                Note::Routes(_) => "routes",
                Note::Upkeep(_) | Note::Counts(_) => continue,
            };
            if noted.note.person() == Some(person) || noted.note.named().contains(person) {
                self.add(kind, &noted)?;
            }
        }
        Ok(())
    }

    fn add_past(&mut self, history: &Snapshot, person: &Person, live: &[Vec<u8>]) -> Result<(), Stop> {
        history.read_all(|record| -> Result<(), Stop> {
            if record.mentions(person) && !live.contains(&record.key()) { self.add("history", &record) } else { Ok(()) }
        })
    }
}

/// The same without what opens something.
fn without_secrets(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let stays = |(name, value): (String, Value)| {
                let hidden = LEFT_OUT.contains(&name.as_str()) && !value.is_null();
                let value = if hidden { Value::String("(sealed, or a digest: left out)".to_owned()) } else { without_secrets(value) };
                (name, value)
            };
            Value::Object(fields.into_iter().map(stays).collect::<Map<String, Value>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_secrets).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// Takes a person out of records of a kind that are others', some at a time. `which`: those that are of their workspace and are not being
/// worked on.
fn unname<T: Record>(desk: &Desk, user: &UserId, which: impl Fn(&T) -> bool) -> Result<(), Stop> {
    let mut changed = Vec::new();
    for record in desk.all::<T>()? {
        let record = record?;
        if which(&record) {
            changed.extend(unnamed::without(&record, user)?);
        }
    }
    for some in changed.chunks(TOGETHER) {
        desk.transact(|tx| some.iter().try_for_each(|record| tx.save(record)))?;
    }
    Ok(())
}

/// Takes a person out of what others have asked for, were offered, and said.
fn unname_everywhere(desk: &Desk, person: &Person) -> Result<(), Stop> {
    let (user, there) = (&person.user, &person.workspace);
    unname(desk, user, |request: &Request| request.answered && request.origin.person.workspace == *there)?;
    unname(desk, user, |offer: &Offer| offer.to.workspace == *there)?;
    unname(desk, user, |sign_in: &SignIn| sign_in.person.workspace == *there)?;
    unname(desk, user, |happening: &Happening| happening.names(person))?;
    unname(desk, user, |_: &Locks| true)?;
    unname(desk, user, |noted: &Noted| noted.note.named().iter().any(|named| named.workspace == *there))
}

/// What a person has in sled apart from deployments, as far as it is over. Returns when it has gone.
fn remove_live(desk: &Desk, person: &Person, pseudonym: &UserId) -> Result<(), Stop> {
    let (mut requests, mut offers, mut visits, mut notes, mut stay) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for record in desk.all::<Request>()? {
        requests.extend(Some(record?).filter(|request| request.answered && request.origin.person == *person));
    }
    for record in desk.all::<Offer>()? {
        offers.extend(Some(record?).filter(|offer| offer.to == *person));
    }
    for record in desk.all::<SignIn>()? {
        visits.extend(Some(record?).filter(|sign_in| sign_in.person == *person));
    }
    for record in desk.all::<Noted>()? {
        let noted = record?;
        match &noted.note {
            Note::Told(_) | Note::Export(_) | Note::Mute(_) if noted.note.person() == Some(person) => notes.push(noted),
            Note::Deed(_) | Note::Rules(_) | Note::Entry(_) | Note::Routes(_) => {
                stay.extend(noted.note.without(person, pseudonym).map(|note| noted.saying(note)));
            }
            // What is about others; and a removal goes when they were told.
            Note::Told(_) | Note::Export(_) | Note::Mute(_) | Note::Removal(_) | Note::Upkeep(_) | Note::Counts(_) => {}
        }
    }
    let account = desk.get::<Account>(&person_key(person))?;
    let mut installed = Vec::new();
    for record in desk.all::<Installation>()? {
        let by_them = |installation: &Installation| installation.by == person.user && installation.serves(&person.workspace);
        installed.extend(Some(record?).filter(by_them).map(|installation| Installation { by: pseudonym.clone(), ..installation }));
    }
    desk.transact(|tx| {
        installed.iter().try_for_each(|installation| tx.save(installation))?;
        account.iter().try_for_each(|account| tx.forget(account))?;
        tx.remove(Shelf::Leases, &records::lease_key(&Work::Account(person.clone())))?;
        visits.iter().try_for_each(|visit| tx.forget(visit))?;
        notes.iter().try_for_each(|noted| tx.forget(noted))?;
        stay.iter().try_for_each(|noted| tx.save(noted))
    })?;
    super::locks::remove_person(desk, person, pseudonym)?;
    for some in requests.chunks(TOGETHER) {
        desk.transact(|tx| {
            some.iter().try_for_each(|request| {
                tx.forget(request)?;
                tx.remove(Shelf::Leases, &records::lease_key(&Work::Request(request.id.clone())))
            })
        })?;
    }
    for some in offers.chunks(TOGETHER) {
        desk.transact(|tx| some.iter().try_for_each(|offer| tx.forget(offer)))?;
    }
    unname_everywhere(desk, person)
}

impl SledStore {
    /// Has the history judged from its beginning to its end, some rows at a time; returns how many were changed or have gone.
    async fn sweep_history(&self, judge: &Judge) -> Result<u64, StoreError> {
        let (mut changed, mut place) = (0_u64, Some(Vec::new()));
        while let Some(behind) = place {
            let judge = judge.clone();
            let swept: Swept = self.of_history(move |tell| Task::Sweep(behind, judge, tell)).await?;
            (changed, place) = (changed.saturating_add(swept.changed), swept.next);
        }
        Ok(changed)
    }

    async fn of_history<T: Send + 'static>(&self, task: impl FnOnce(oneshot::Sender<T>) -> Task + Send + 'static) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        self.ask(move |desk| {
            desk.leaving.also(task(tell));
            Ok(())
        })
        .await?;
        match told.await {
            Ok(done) => Ok(done),
            Err(_) => Err(self.has_ended().await),
        }
    }

    /// Has all deployments that are over and told judged; returns how many were changed or have gone.
    pub(super) async fn sweep(&self, judge: Judge) -> Result<u64, StoreError> {
        let of_sled = judge.clone();
        let in_sled = self.ask(move |desk| sweep_sled(desk, &of_sled)).await?;
        // Sled first: what leaves it meanwhile has been judged by then.
        Ok(in_sled.saturating_add(self.sweep_history(&judge).await?))
    }

    /// Notes beside the store that somebody or something has gone.
    pub(super) async fn remember(&self, note: impl FnOnce(&Path) -> io::Result<()> + Send + 'static) -> Result<(), StoreError> {
        let path = Arc::clone(&self.removals);
        let noted = tokio::task::spawn_blocking(move || note(&path)).await;
        let failed =
            |detail: String| StoreError::Failed(format!("the removal could not be noted in {}: {detail}", self.removals.display()));
        noted.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
    }

    async fn found(&self, person: &Person) -> Result<Found, StoreError> {
        let about = person.clone();
        let (mut found, live, history) = self
            .ask(move |desk| {
                let mut found = Found::default();
                found.add_live(desk, &about)?;
                let live = desk.all::<Deployment>()?.map(|record| Ok(record?.key())).collect::<Result<Vec<_>, Stop>>()?;
                Ok((found, live, desk.history.snapshot()?))
            })
            .await?;
        let Some(history) = history else { return Ok(found) };
        let person = person.clone();
        let read = tokio::task::spawn_blocking(move || {
            found.add_past(&history, &person, &live)?;
            Ok(found)
        });
        let read = read.await.unwrap_or_else(|_| Err(Stop::Broken("the history cannot be read".to_owned())));
        read.map_err(|stop: Stop| match stop {
            Stop::Refused(error) => error,
            Stop::Broken(why) => StoreError::Damaged(why),
        })
    }
}

#[async_trait]
impl Keeping for SledStore {
    async fn is_new(&self) -> Result<bool, StoreError> {
        self.ask(|desk| Ok(desk.head()?.is_none_or(|head| head.history.is_none() && head.totals.values().all(|total| total.rows == 0))))
            .await
    }

    async fn note(&self, key: &NoteKey) -> Result<Option<Noted>, StoreError> {
        let key = key_of(key);
        self.ask(move |desk| desk.get(&key)).await
    }

    async fn notes(&self, kind: NoteKind) -> Result<Vec<Noted>, StoreError> {
        self.ask(move |desk| {
            let mut found = Vec::new();
            for noted in desk.from::<Noted>(kind_of(kind))? {
                let noted = noted?;
                if !noted.key().starts_with(kind_of(kind)) {
                    break;
                }
                found.push(noted);
            }
            Ok(found)
        })
        .await
    }

    async fn save_notes(&self, batch: NoteBatch) -> Result<(), StoreError> {
        self.ask(move |desk| {
            desk.transact(|tx| {
                if let Some(lease) = &batch.under {
                    leases::check(tx, desk.fences_before, lease, None)?;
                }
                batch.save.iter().try_for_each(|noted| tx.save(noted))?;
                batch.remove.iter().try_for_each(|noted| remove(tx, noted))
            })
        })
        .await
    }

    async fn closed_after(&self, after: Option<DeploymentId>, limit: usize) -> Result<Vec<Deployment>, StoreError> {
        self.ask(move |desk| {
            let behind = after.map(records::deployment_key).unwrap_or_default();
            let mut found = closed_in_sled(desk, &behind)?;
            if let Some(history) = desk.history.snapshot()? {
                let live = desk.tree(Shelf::Deployments)?;
                for record in history.oldest(&behind, limit)? {
                    // One that is in both places counts as it is in sled.
                    if !live.contains_key(record.key())? {
                        found.push(record);
                    }
                }
            }
            found.sort_unstable_by_key(|record| record.id);
            found.truncate(limit);
            Ok(found)
        })
        .await
    }

    async fn drop_closed(&self, asked_before: Timestamp) -> Result<u64, StoreError> {
        self.sweep(Judge::by(move |record| if record.asked_at < asked_before { Fate::Go } else { Fate::End })).await
    }

    async fn how_much(&self, person: &Person) -> Result<HowMuch, StoreError> {
        let found = self.found(person).await?;
        Ok(found.0.into_iter().map(|(kind, records)| (kind, u64::try_from(records.len()).unwrap_or(u64::MAX))).collect())
    }

    async fn everything(&self, person: &Person) -> Result<String, StoreError> {
        let found = self.found(person).await?;
        let told = serde_json::json!({ "person": person, "records": found.0 });
        serde_json::to_string_pretty(&told).map_err(|error| StoreError::Damaged(error.to_string()))
    }

    async fn remove_person(&self, person: &Person, pseudonym: &UserId) -> Result<u64, StoreError> {
        let (who, name) = (person.clone(), pseudonym.clone());
        self.ask(move |desk| remove_live(desk, &who, &name)).await?;
        let (who, name) = (person.clone(), pseudonym.clone());
        let become_of = move |record: &Deployment| {
            let without = record.without(&who, &name);
            let unnamed = without.as_ref().unwrap_or(record).unnamed(&who.user);
            unnamed.or(without).map_or(Fate::Stay, |next| Fate::Become(Box::new(next)))
        };
        self.sweep(Judge::by(become_of)).await
    }

    async fn remember_removal(&self, person: &Person, at: Timestamp) -> Result<(), StoreError> {
        let person = person.clone();
        self.remember(move |path| super::removals::note(path, Gone::Person(&person), at)).await
    }

    async fn rewrite(&self) -> Result<(), StoreError> {
        self.of_history(Task::Rewrite).await?;
        let (tell, told) = oneshot::channel();
        if self.jobs.send(Job::Rewrite(tell)).await.is_ok() && told.await.is_ok() {
            return Ok(());
        }
        Err(self.has_ended().await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::privacy::samples::records_of;

    #[test]
    fn what_is_sealed_or_a_digest_is_in_no_export() {
        let mut hidden = 0_usize;
        for tree in ["requests", "deployments", "accounts", "sign-ins", "privacy"] {
            for record in records_of(tree).unwrap() {
                let shown = without_secrets(record.clone());
                let text = shown.to_string();
                assert!(!text.contains("\"sealed\"") && !text.contains("[7,7,7"), "{tree}: {text}");
                hidden += usize::from(shown != record);
            }
        }
        assert!(hidden > 10, "some of them hold it");
    }
}
