//! Installations and what the chat tells of them: their rows, and their port in terms of the desk.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::adapters::clock::RandomIds;
use crate::domain::account::Account;
use crate::domain::actor::Person;
use crate::domain::deployment::Deployment;
use crate::domain::installation::{Happening, Installation, Tenant};
use crate::domain::names::WorkspaceId;
use crate::domain::offer::Offer;
use crate::domain::privacy::{Deed, Note, Noted, pseudonym};
use crate::domain::request::Request;
use crate::domain::sign_in::{LINK_LIVES, SignIn, Stage};
use crate::ports::{Ids as _, InstallationBatch, InstallationStore, Keeping, Left, StoreError, Work};

use super::SledStore;
use super::desk::{Desk, Stop, Tx, TxResult, refuse};
use super::history::{Fate, Judge};
use super::leases;
use super::records::{Record, Shelf, lease_key};
use super::removals::{self, Gone};

/// How many records are removed in one transaction, so that nobody waits long for a place between two.
const TOGETHER: usize = 50;

/// For how long a button that stands for a command is good: one that is good for longer was offered later.
const OFFERED: SignedDuration = SignedDuration::from_mins(15);

/// For how long a link to everything about a person is good, and a little more.
const EXPORTED: SignedDuration = SignedDuration::from_hours(1);

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(moment)
}

/// The key of an installation. Ids of the outside hold no zero byte.
pub fn tenant_key(tenant: &Tenant) -> Vec<u8> {
    match tenant {
        Tenant::Workspace(id) => [b"w\0", id.as_str().as_bytes()].concat(),
        Tenant::Organisation(id) => [b"o\0", id.as_str().as_bytes()].concat(),
    }
}

impl Record for Installation {
    const SHELF: Shelf = Shelf::Installations;

    fn key(&self) -> Vec<u8> {
        tenant_key(&self.tenant)
    }

    fn label(&self) -> String {
        format!("the installation in {}", self.tenant)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn at_version(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }
}

impl Record for Happening {
    const SHELF: Shelf = Shelf::Happenings;

    fn key(&self) -> Vec<u8> {
        self.id.as_str().as_bytes().to_vec()
    }

    fn label(&self) -> String {
        format!("happening {}", self.id)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn at_version(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }
}

/// The installation that speaks for a workspace: its own before its organisation's. There are few, so that looking at all costs little.
fn serving(desk: &Desk, workspace: &WorkspaceId) -> Result<Option<Installation>, Stop> {
    if let Some(own) = desk.get(&tenant_key(&Tenant::Workspace(workspace.clone())))? {
        return Ok(Some(own));
    }
    for installation in desk.all::<Installation>()? {
        let installation = installation?;
        if installation.serves(workspace) {
            return Ok(Some(installation));
        }
    }
    Ok(None)
}

fn remove(tx: &Tx<'_>, gone: &Installation) -> TxResult<()> {
    match tx.get::<Installation>(Shelf::Installations, &gone.key())? {
        Some(stored) if stored.version == gone.version => {
            tx.forget(&stored)?;
            tx.remove(Shelf::Leases, &lease_key(&Work::Installation(gone.tenant.clone())))
        }
        None => Ok(()),
        Some(_) => refuse(StoreError::Conflict(gone.label())),
    }
}

/// All records of a kind for which something holds.
fn those<T: Record>(desk: &Desk, which: impl Fn(&T) -> bool) -> Result<Vec<T>, Stop> {
    let mut found = Vec::new();
    for record in desk.all::<T>()? {
        let record = record?;
        if which(&record) {
            found.push(record);
        }
    }
    Ok(found)
}

/// Removes records that are still as they were read, with their leases where those go with them.
fn forget<T: Record>(desk: &Desk, all: &[T], work: impl Fn(&T) -> Option<Work>) -> Result<(), Stop> {
    for some in all.chunks(TOGETHER) {
        desk.transact(|tx| {
            for record in some {
                if tx.get::<T>(T::SHELF, &record.key())?.is_some_and(|now| now.version() == record.version()) {
                    tx.forget(record)?;
                    work(record).map_or(Ok(()), |work| tx.remove(Shelf::Leases, &lease_key(&work)))?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Whether somebody may still save under the lease of a piece of work.
fn is_held(desk: &Desk, work: &Work) -> Result<bool, Stop> {
    desk.transact(|tx| leases::may_be_held(tx, desk.fences_before, work))
}

/// Removes what sled holds of a workspace but for deployments and logins; says what is left.
fn forget_live(desk: &Desk, workspace: &WorkspaceId, before: Timestamp) -> Result<Left, Stop> {
    let (mut asked, mut answering) = (Vec::new(), 0_usize);
    for request in those(desk, |record: &Request| record.origin.person.workspace == *workspace && record.received_at < before)? {
        // Whoever answers it now gives it back first.
        if is_held(desk, &Work::Request(request.id.clone()))? {
            answering = answering.saturating_add(1);
        } else {
            asked.push(request);
        }
    }
    forget(desk, &asked, |record| Some(Work::Request(record.id.clone())))?;
    let offered = those(desk, |record: &Offer| record.to.workspace == *workspace && record.until < later(before, OFFERED))?;
    forget(desk, &offered, |_| None)?;
    let visits = those(desk, |record: &SignIn| {
        // One that holds logins is ended first: they are revoked then.
        let before = record.until < later(before, LINK_LIVES);
        record.person.workspace == *workspace && before && matches!(record.stage, Stage::Offered | Stage::Over { .. })
    })?;
    forget(desk, &visits, |_| None)?;
    let notes = those(desk, |record: &Noted| {
        let about_them = record.note.person().is_some_and(|person| person.workspace == *workspace);
        match &record.note {
            Note::Told(told) => about_them && told.since.is_none_or(|since| since < before),
            Note::Mute(mute) => about_them && mute.since < before,
            Note::Export(export) => about_them && export.until < later(before, EXPORTED),
            Note::Removal(removal) => about_them && removal.asked_at < before,
            Note::Routes(routes) => routes.workspace == *workspace && routes.kept.iter().all(|route| route.at < before),
            Note::Rules(rules) => rules.workspace == *workspace && rules.kept.iter().all(|kept| kept.at < before),
            Note::Entry(entry) => entry.at < before && entry.mentioned().iter().any(|person| person.workspace == *workspace),
            // What operators did is kept as long as is promised.
            Note::Deed(_) | Note::Upkeep(_) | Note::Counts(_) => false,
        }
    })?;
    forget(desk, &notes, |_| None)?;
    // What operators did is kept as long as is promised, without whose records it was.
    for noted in those(desk, |record: &Noted| record.note.deed_about(workspace).is_some_and(|deed| deed.at < before))? {
        let name = pseudonym(RandomIds.fresh());
        let gone = name.and_then(|user| Some(Person { workspace: WorkspaceId::parse(user.as_str()).ok()?, user }));
        if let Note::Deed(deed) = &noted.note {
            let nobody = noted.saying(Note::Deed(Deed { about: gone, ..deed.clone() }));
            desk.transact(|tx| tx.save(&nobody))?;
        }
    }
    // What was set before and since stands in one record.
    for record in desk.all::<Noted>()? {
        let noted = record?;
        if let Some(next) = noted.note.set_since(workspace, before).map(|note| noted.saying(note)) {
            desk.transact(|tx| tx.save(&next))?;
        }
    }
    super::locks::remove_workspace(desk, workspace, before)?;
    let theirs = |record: &Deployment| record.origin.person.workspace == *workspace && record.asked_at < before;
    let open = those(desk, |record: &Deployment| theirs(record) && record.is_open())?.len();
    let linked = |record: &Account| record.logins.values().any(|login| login.linked_at < before);
    let accounts = those(desk, |record: &Account| record.person.workspace == *workspace && linked(record))?.len();
    Ok(Left { deployments: open, accounts, requests: answering })
}

#[async_trait]
impl InstallationStore for SledStore {
    async fn installation(&self, of: &Tenant) -> Result<Option<Installation>, StoreError> {
        let key = tenant_key(of);
        self.ask(move |desk| desk.get(&key)).await
    }

    async fn installation_for(&self, workspace: &WorkspaceId) -> Result<Option<Installation>, StoreError> {
        let workspace = workspace.clone();
        self.ask(move |desk| serving(desk, &workspace)).await
    }

    async fn installations(&self) -> Result<Vec<Installation>, StoreError> {
        self.ask(|desk| desk.all()?.collect()).await
    }

    async fn save_installations(&self, batch: InstallationBatch) -> Result<(), StoreError> {
        self.ask(move |desk| {
            desk.transact(|tx| {
                batch.installations.iter().try_for_each(|installation| tx.save(installation))?;
                batch.gone.iter().try_for_each(|gone| remove(tx, gone))?;
                batch.happenings.iter().try_for_each(|happening| tx.save(happening))
            })
        })
        .await
    }

    async fn hear(&self, happening: &Happening) -> Result<bool, StoreError> {
        let happening = happening.clone();
        self.ask(move |desk| {
            desk.transact(|tx| match tx.get::<Happening>(Shelf::Happenings, &happening.key())? {
                Some(_) => Ok(false),
                None => tx.save(&happening).map(|()| true),
            })
        })
        .await
    }

    async fn not_done(&self) -> Result<Vec<Happening>, StoreError> {
        self.ask(|desk| {
            let mut all = those(desk, |happening: &Happening| !happening.done)?;
            all.sort_by(|one, other| (one.heard_at, &one.id).cmp(&(other.heard_at, &other.id)));
            Ok(all)
        })
        .await
    }

    async fn forget_happenings(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.ask(move |desk| {
            let over = those(desk, |happening: &Happening| happening.done && happening.heard_at < before)?;
            forget(desk, &over, |_| None)?;
            Ok(u64::try_from(over.len()).unwrap_or(u64::MAX))
        })
        .await
    }

    async fn remember_departure(&self, of: &Tenant, at: Timestamp) -> Result<(), StoreError> {
        let of = of.clone();
        self.remember(move |path| removals::note(path, Gone::Tenant(&of), at)).await
    }

    async fn forget_workspace(&self, workspace: &WorkspaceId, before: Timestamp) -> Result<Left, StoreError> {
        let whose = workspace.clone();
        let left = self.ask(move |desk| forget_live(desk, &whose, before)).await?;
        let whose = workspace.clone();
        let goes = move |record: &Deployment| record.origin.person.workspace == whose && record.asked_at < before && !record.is_open();
        let gone = self.sweep(Judge::by(move |record| if goes(record) { Fate::Go } else { Fate::Stay })).await?;
        tracing::debug!(%workspace, gone, "deployments of a workspace have gone");
        if left == Left::default() {
            Keeping::rewrite(self).await?;
        }
        Ok(left)
    }
}
