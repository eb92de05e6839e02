//! What the chat tells of installations and of people in them, done: whoever has left is left alone, and nothing is kept of them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::domain::account::Account;
use crate::domain::actor::Person;
use crate::domain::installation::{After, Happened, Happening, Installation, Tenant};
use crate::domain::names::{DeliveryId, WorkspaceId};
use crate::ports::{AccountStore, Clock, Forgets as _, Hears, Ids, InstallationBatch, InstallationStore, Left, Store, StoreError, WakeKey};

use super::installed::InstalledBots;
use super::memories::Memories;
use super::orphans;
use super::visits::SignIns;

/// How long what is done is remembered, so that a repeated delivery is known: the chat repeats for a day at most.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(48);
/// How long after word of a removal something may still be recorded that was asked for before it.
const LATE: SignedDuration = SignedDuration::from_mins(10);
/// How often a record is saved again that others keep changing.
const SAVES: u32 = 5;

/// What the chat tells, and what has to be done about it.
#[derive(Clone, Debug)]
pub struct Departures {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Where installations are kept.
    pub kept: Arc<dyn InstallationStore>,
    /// Where linked logins are kept.
    pub accounts: Arc<dyn AccountStore>,
    /// Where people link their logins; `None`: nobody does here.
    pub people: Option<SignIns>,
    /// What the app speaks with; `None`: the settings say it.
    pub bots: Option<InstalledBots>,
    /// What is remembered in memory of people.
    pub memories: Memories,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where everything but what goes on was removed in this life of the process: that need not be looked for again and again.
    pub emptied: Emptied,
}

/// By which word which workspaces were emptied.
#[derive(Clone, Debug, Default)]
pub struct Emptied(Arc<Mutex<BTreeSet<(String, WorkspaceId)>>>);

impl Emptied {
    fn of(word: &DeliveryId, workspace: &WorkspaceId) -> (String, WorkspaceId) {
        (word.as_str().to_owned(), workspace.clone())
    }

    fn holds(&self, word: &DeliveryId, workspace: &WorkspaceId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&Self::of(word, workspace))
    }

    fn note(&self, word: &DeliveryId, workspace: &WorkspaceId, left: bool) {
        let mut emptied = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if left {
            emptied.insert(Self::of(word, workspace));
        } else {
            emptied.remove(&Self::of(word, workspace));
        }
    }
}

#[async_trait]
impl Hears for Departures {
    async fn heard(&self, happening: Happening) -> Result<(), StoreError> {
        if self.kept.hear(&happening).await? {
            tracing::info!(happening = %happening.id, tenant = %happening.tenant, what = what(&happening.what), "heard of an installation");
            self.clock.wake(WakeKey::Departures);
        }
        Ok(())
    }
}

/// What happened, without whom it happened to.
fn what(happened: &Happened) -> &'static str {
    match happened {
        Happened::Uninstalled => "uninstalled",
        Happened::Revoked { .. } => "revoked",
        Happened::LetIn { .. } => "let-in",
        Happened::ShutOut { .. } => "shut-out",
    }
}

/// What a sweep leaves to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// Something that was heard is not done yet, because deploys go on.
    pub left: bool,
    /// When a token has to be renewed next.
    pub due: Option<Timestamp>,
}

impl Departures {
    /// Does what was heard, as far as it can be done now; gives up installations that were refused long ago; keeps the others fit to
    /// speak. Safe to repeat and to be cut short anywhere.
    pub async fn sweep(&self) -> Result<Swept, StoreError> {
        self.give_up().await?;
        let mut left = false;
        for happening in self.kept.not_done().await? {
            left |= !self.act_on(happening).await?;
        }
        let due = match &self.bots {
            Some(bots) => {
                let due = bots.renew_ahead().await?;
                bots.look_after().await?;
                due
            }
            None => None,
        };
        let before = self.clock.now().checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        self.kept.forget_happenings(before).await?;
        Ok(Swept { left, due })
    }

    /// Installations whose token was refused long ago have ended, although no word of it came.
    async fn give_up(&self) -> Result<(), StoreError> {
        let Some(bots) = &self.bots else { return Ok(()) };
        for installation in self.kept.installations().await? {
            if !installation.is_given_up(self.clock.now()) {
                continue;
            }
            tracing::warn!(tenant = %installation.tenant, "nobody has installed the app anew: what is kept of it is removed");
            let happening = self.ending(&installation, bots.ended(&installation));
            match self.end(installation, happening).await {
                // Installed anew at the last moment.
                Ok(()) | Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// `true`: everything that it asks for is done.
    async fn act_on(&self, heard: Happening) -> Result<bool, StoreError> {
        let happening = self.settled(heard).await?;
        let done = match &happening.what {
            Happened::Uninstalled => match &happening.tenant {
                Tenant::Workspace(workspace) => self.empty(workspace, &happening).await?,
                // Its workspaces were named when it ended, or it never was here.
                Tenant::Organisation(_) => true,
            },
            Happened::ShutOut { workspaces } => {
                let mut done = true;
                for workspace in workspaces {
                    done &= self.empty(workspace, &happening).await?;
                }
                done
            }
            Happened::Revoked { people, .. } => {
                let named = |account: &Account| people.contains(&account.person.user);
                for person in self.people_of(&happening, named).await? {
                    self.leave(&person).await?;
                }
                true
            }
            Happened::LetIn { .. } => true,
        };
        if done {
            tracing::info!(happening = %happening.id, tenant = %happening.tenant, "everything that was heard is done");
            self.kept.save_installations(InstallationBatch { happenings: vec![happening.done_now()], ..Default::default() }).await?;
        }
        Ok(done)
    }

    /// Lets the installation become what word makes of it. Gives back what is left to do.
    async fn settled(&self, happening: Happening) -> Result<Happening, StoreError> {
        for _ in 0..SAVES {
            let Some(installation) = self.kept.installation(&happening.tenant).await? else { return Ok(happening) };
            let saved = match installation.after(&happening) {
                After::Same => return Ok(happening),
                After::Changed { next, .. } => {
                    let batch = InstallationBatch { installations: vec![*next], ..InstallationBatch::default() };
                    self.kept.save_installations(batch).await.map(|()| happening.clone())
                }
                After::Gone => {
                    let ending = self.ending(&installation, happening.clone());
                    let next = Happening { version: ending.version.saturating_add(1), ..ending.clone() };
                    self.end(installation, ending).await.map(|()| next)
                }
            };
            match saved {
                Err(StoreError::Conflict(_)) => {}
                saved => return saved,
            }
        }
        Err(StoreError::Conflict(happening.tenant.to_string()))
    }

    /// Word of an end as it is acted on: of an organisation, with the workspaces that it was for, since nobody knows them later.
    fn ending(&self, installation: &Installation, happening: Happening) -> Happening {
        let what = match &installation.tenant {
            Tenant::Workspace(_) => Happened::Uninstalled,
            Tenant::Organisation(_) => Happened::ShutOut { workspaces: installation.workspaces.clone() },
        };
        Happening { what, ..happening }
    }

    /// The tokens go at once, and with them the installation.
    async fn end(&self, installation: Installation, happening: Happening) -> Result<(), StoreError> {
        tracing::info!(tenant = %installation.tenant, "the app is not installed any more");
        self.kept.remember_departure(&installation.tenant, happening.heard_at).await?;
        let batch = InstallationBatch { gone: vec![installation], happenings: vec![happening], ..InstallationBatch::default() };
        self.kept.save_installations(batch).await
    }

    /// Removes what is kept of a workspace from before word came. `true`: nothing is left.
    async fn empty(&self, workspace: &WorkspaceId, happening: &Happening) -> Result<bool, StoreError> {
        // Whoever has installed it since begins with what is theirs.
        let installed = self.kept.installation_for(workspace).await?;
        let left_at = match &installed {
            Some(now) if matches!(now.tenant, Tenant::Workspace(_)) => now.installed_at.min(happening.heard_at),
            Some(_) | None => happening.heard_at,
        };
        // Before anything goes: a backup from before may be all that there is tomorrow.
        self.kept.remember_departure(&Tenant::Workspace(workspace.clone()), left_at).await?;
        let now = self.clock.now();
        // Where nobody has installed it since, what was being answered when word came is from before as well.
        let late = left_at.checked_add(LATE).unwrap_or(left_at).min(now);
        let before = if installed.is_none() && self.bots.is_some() { late } else { left_at };
        let outside = (self.store.as_ref(), self.clock.as_ref(), self.ids.as_ref());
        orphans::orphan_all(outside, (workspace, before), |one| {
            installed.is_some() || one.waits() || !one.needs_its_rights(happening.heard_at, now)
        })
        .await?;
        let running = self.store.open_deployments().await?;
        for account in self.accounts.accounts().await? {
            let theirs = account.person.workspace == *workspace && account.logins.values().any(|login| login.linked_at < before);
            // Their deploys go on to their true end, with their own rights.
            if theirs && !running.iter().any(|deployment| deployment.origin.person == account.person) {
                self.leave(&account.person).await?;
            }
        }
        if let Some(people) = &self.people {
            people.end_all_in(workspace, before).await?;
        }
        let goes_on = running.iter().any(|one| one.origin.person.workspace == *workspace && one.asked_at < before);
        if goes_on && self.emptied.holds(&happening.id, workspace) {
            return Ok(false);
        }
        let left = self.kept.forget_workspace(workspace, before).await?;
        self.memories.forget_workspace(workspace);
        self.emptied.note(&happening.id, workspace, left != Left::default());
        if left != Left::default() {
            let Left { deployments, accounts, requests } = left;
            tracing::info!(%workspace, deployments, accounts, requests, "what goes on in a workspace is left until its end");
        }
        Ok(left == Left::default())
    }

    /// People with linked logins, in workspaces that word is about.
    async fn people_of(&self, happening: &Happening, which: impl Fn(&Account) -> bool) -> Result<Vec<Person>, StoreError> {
        let mut found = Vec::new();
        for account in self.accounts.accounts().await? {
            // What was linked since is not what was revoked.
            let before = account.logins.values().any(|login| login.linked_at <= happening.heard_at);
            if before && which(&account) && self.is_in(&account.person.workspace, &happening.tenant).await? {
                found.push(account.person);
            }
        }
        Ok(found)
    }

    async fn is_in(&self, workspace: &WorkspaceId, tenant: &Tenant) -> Result<bool, StoreError> {
        Ok(match tenant {
            Tenant::Workspace(own) => own == workspace,
            Tenant::Organisation(id) => self
                .kept
                .installation_for(workspace)
                .await?
                .is_some_and(|installation| installation.tenant == *tenant || installation.within.as_ref() == Some(id)),
        })
    }

    /// Ends what a person has linked.
    async fn leave(&self, person: &Person) -> Result<(), StoreError> {
        match &self.people {
            Some(people) => people.leave(person).await,
            None => Ok(()),
        }
    }
}
