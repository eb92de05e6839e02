//! What is kept about the person who asks: shown, handed out, removed. And once a month: who was here, and what they know.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::actor::{Origin, Person};
use crate::domain::command::{Command, PrivacyWish};
use crate::domain::message::Message;
use crate::domain::names::WorkspaceId;
use crate::domain::privacy::{
    CURRENT_TEXT, Export, Month, Note, NoteKey, NoteKind, Noted, PrivacyPage, Removal, RemovalStage, Told, Upkeep, changed_since,
};
use crate::domain::request::Request;
use crate::domain::sign_in::Digest;
use crate::domain::speech;
use crate::ports::{Addressee, Exports, Forgets, Keeping, NoteBatch, NothingKept, Secrets, StoreError, WakeKey};

use super::offers::offer;
use super::{Ports, Trouble, stop};

/// How long a link to everything about a person works.
pub const LINK_LIVES: SignedDuration = SignedDuration::from_mins(15);
/// What digests of such links are for.
const LINK: &str = "export";
/// How many people are remembered who were here this month.
const REMEMBERED: usize = 10_000;

/// What privacy needs of the world, and knows of this installation.
#[derive(Debug)]
pub struct Privacy {
    /// What is kept about people.
    pub keeping: Arc<dyn Keeping>,
    /// Makes links that nobody guesses; `None`: no links are made.
    pub secrets: Option<Arc<dyn Secrets>>,
    /// Who runs this installation, and where.
    pub page: PrivacyPage,
    seen: Mutex<BTreeMap<Person, Month>>,
}

impl Privacy {
    /// For a store.
    pub fn new(keeping: Arc<dyn Keeping>, secrets: Option<Arc<dyn Secrets>>, page: PrivacyPage) -> Self {
        Self { keeping, secrets, page, seen: Mutex::default() }
    }

    /// Keeps nothing and knows nothing: for stages on which it plays no part.
    pub fn none() -> Arc<Self> {
        Arc::new(Self::new(Arc::new(NothingKept), None, PrivacyPage::default()))
    }

    fn was_here(&self, person: &Person, month: Month) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(person) == Some(&month)
    }

    fn is_here(&self, person: &Person, month: Month) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(person.clone(), month);
    }
}

impl Forgets for Privacy {
    fn forget_person(&self, person: &Person) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(person);
    }

    fn forget_workspace(&self, workspace: &WorkspaceId) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).retain(|person, _| person.workspace != *workspace);
    }
}

/// Notes that a person is here, and tells them once, privately, what has changed on the privacy page since they knew it. Where that
/// cannot be said now, it is with their next command.
pub(super) async fn tell_changes(ports: &Ports, origin: &Origin) -> Result<(), StoreError> {
    let Some((changes, told)) = changes_for(ports, &origin.person).await? else { return Ok(()) };
    match ports.chat.say(&Addressee::Answer(origin.clone()), &changes).await {
        Ok(_) => has_been_told(ports, told).await,
        Err(error) => {
            tracing::warn!(%error, "somebody could not be told that the privacy page has changed");
            Ok(())
        }
    }
}

/// Notes that a person is here who is told nothing now.
pub(super) async fn seen(ports: &Ports, person: &Person) -> Result<(), StoreError> {
    let month = Month::of(ports.clock.now());
    if ports.privacy.was_here(person, month) {
        return Ok(());
    }
    let Some(noted) = ports.privacy.keeping.note(&NoteKey::Told(person.clone())).await? else { return Ok(()) };
    let Note::Told(told) = noted.note.clone() else { return Ok(()) };
    if told.seen == month {
        return Ok(());
    }
    let save = vec![noted.saying(Note::Told(Told { seen: month, ..told }))];
    match ports.privacy.keeping.save_notes(NoteBatch { save, ..NoteBatch::default() }).await {
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What a person is to be told, and what is to be noted then.
async fn changes_for(ports: &Ports, person: &Person) -> Result<Option<(Message, Noted)>, StoreError> {
    let month = Month::of(ports.clock.now());
    if ports.privacy.was_here(person, month) {
        return Ok(None);
    }
    let keeping = &ports.privacy.keeping;
    let stored = keeping.note(&NoteKey::Told(person.clone())).await?;
    let known = if let Some(Note::Told(told)) = stored.as_ref().map(|noted| &noted.note) {
        told.version
    } else {
        let upkeep = keeping.note(&NoteKey::Upkeep).await?;
        if let Some(Note::Upkeep(upkeep)) = upkeep.as_ref().map(|noted| &noted.note) { upkeep.known_version } else { CURRENT_TEXT }
    };
    let since = stored.as_ref().and_then(|noted| if let Note::Told(told) = &noted.note { told.since } else { None });
    let since = since.or_else(|| stored.is_none().then(|| ports.clock.now()));
    let told = Note::Told(Told { person: person.clone(), version: CURRENT_TEXT, seen: month, since });
    let told = stored.as_ref().map_or_else(|| Noted::new(told.clone()), |stored| stored.saying(told.clone()));
    let changes = changed_since(known);
    if !changes.is_empty() {
        return Ok(Some((speech::page_changed(&changes, &ports.privacy.page), told)));
    }
    if stored.is_some_and(|stored| stored.note == told.note) {
        ports.privacy.is_here(person, month);
        return Ok(None);
    }
    has_been_told(ports, told).await?;
    Ok(None)
}

/// Notes what a person knows now.
async fn has_been_told(ports: &Ports, told: Noted) -> Result<(), StoreError> {
    if let Note::Told(Told { person, seen, .. }) = &told.note {
        ports.privacy.is_here(person, *seen);
    }
    match ports.privacy.keeping.save_notes(NoteBatch { save: vec![told], ..NoteBatch::default() }).await {
        // Another of their commands was first.
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// `privacy`.
pub(super) async fn privacy(ports: &Ports, request: &Request, wish: PrivacyWish) -> Result<Option<Message>, Trouble> {
    let person = &request.origin.person;
    match wish {
        PrivacyWish::Show => {
            let much = ports.privacy.keeping.how_much(person).await?;
            Ok(Some(speech::how_much(&much, &ports.privacy.page, &ports.command_word)))
        }
        PrivacyWish::Export => export(ports, person).await.map(Some),
        PrivacyWish::Delete { sure: false } => {
            let sure = Command::Privacy { wish: PrivacyWish::Delete { sure: true } };
            let buttons = offer(ports, person, [(speech::REMOVE_ME.to_owned(), sure)]).await?;
            Ok(Some(speech::sure_to_be_removed(buttons, &ports.command_word)))
        }
        PrivacyWish::Delete { sure: true } => Ok(Some(speech::removal_begun(begin_removal(ports, person).await?))),
    }
}

pub(super) async fn export(ports: &Ports, person: &Person) -> Result<Message, Trouble> {
    let (Some(secrets), Some(public)) = (&ports.privacy.secrets, &ports.privacy.page.public) else {
        return Ok(speech::no_link_possible(person, &ports.privacy.page));
    };
    let Ok(secret) = secrets.fresh() else { return Ok(speech::no_link_possible(person, &ports.privacy.page)) };
    let now = ports.clock.now();
    let until = now.checked_add(LINK_LIVES).unwrap_or(now);
    let export = Export { link: secrets.digest(LINK, &secret), person: person.clone(), until };
    let save = vec![Noted::new(Note::Export(export))];
    ports.privacy.keeping.save_notes(NoteBatch { save, ..NoteBatch::default() }).await?;
    Ok(speech::export_link(&format!("{public}/privacy/export/{}", secret.expose_secret())))
}

/// How far upkeep is, and how many people wait to be removed.
pub(super) async fn upkeep_state(ports: &Ports) -> Result<(Upkeep, usize), StoreError> {
    let keeping = &ports.privacy.keeping;
    let noted = keeping.note(&NoteKey::Upkeep).await?;
    let upkeep = noted.and_then(|noted| if let Note::Upkeep(upkeep) = noted.note { Some(upkeep) } else { None });
    Ok((upkeep.unwrap_or_default(), keeping.notes(NoteKind::Removal).await?.len()))
}

/// Begins a removal: what waits is stopped, what runs goes on to its end, and then upkeep does the rest. Returns how many run.
pub(super) async fn begin_removal(ports: &Ports, person: &Person) -> Result<u64, StoreError> {
    let mut running = 0_u64;
    for one in ports.store.open_deployments().await? {
        if one.has_ended() || one.origin.person != *person {
            continue;
        }
        let stopped = if one.waits() { Some(stop::stop(ports, person, one.id, None).await) } else { None };
        match stopped {
            Some(Ok(_)) => {}
            // It goes on then, and is waited for.
            None | Some(Err(Trouble::Refused(_) | Trouble::Outside(..))) => running = running.saturating_add(1),
            Some(Err(Trouble::Store(error))) => return Err(error),
        }
    }
    ask_to_remove(ports, person).await?;
    Ok(running)
}

/// Notes that a person is to be removed, and has it begun. Asked twice, it is done once.
pub(super) async fn ask_to_remove(ports: &Ports, person: &Person) -> Result<(), StoreError> {
    let removal = Removal { person: person.clone(), asked_at: ports.clock.now(), seed: ports.ids.fresh(), stage: RemovalStage::Asked };
    let save = vec![Noted::new(Note::Removal(removal))];
    match ports.privacy.keeping.save_notes(NoteBatch { save, ..NoteBatch::default() }).await {
        Ok(()) | Err(StoreError::Conflict(_)) => {}
        Err(error) => return Err(error),
    }
    ports.clock.wake(WakeKey::Keeper);
    Ok(())
}

/// Links to everything about a person, as whoever opens them meets them.
#[derive(Clone, Debug)]
pub struct ExportLinks(pub Ports);

impl ExportLinks {
    async fn found(&self, link: &SecretString) -> Result<Option<(Noted, Person)>, StoreError> {
        let Some(secrets) = &self.0.privacy.secrets else { return Ok(None) };
        let link: Digest = secrets.digest(LINK, link);
        let Some(noted) = self.0.privacy.keeping.note(&NoteKey::Export(link)).await? else { return Ok(None) };
        let Note::Export(export) = &noted.note else { return Ok(None) };
        let (person, until) = (export.person.clone(), export.until);
        Ok((self.0.clock.now() < until).then_some((noted, person)))
    }
}

#[async_trait]
impl Exports for ExportLinks {
    async fn works(&self, link: &SecretString) -> Result<bool, StoreError> {
        Ok(self.found(link).await?.is_some())
    }

    async fn take(&self, link: &SecretString) -> Result<Option<String>, StoreError> {
        let Some((noted, person)) = self.found(link).await? else { return Ok(None) };
        // Used before anything is handed out: of two who come at once one gets it.
        match self.0.privacy.keeping.save_notes(NoteBatch { remove: vec![noted], ..NoteBatch::default() }).await {
            Ok(()) => self.0.privacy.keeping.everything(&person).await.map(Some),
            Err(StoreError::Conflict(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
