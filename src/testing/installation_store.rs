//! What a store of installations promises: [`InstallationStore`].

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use crate::domain::installation::{Happened, Happening, Installation, Tenant};
use crate::domain::names::{OrganisationId, WorkspaceId};
use crate::ports::{AccountBatch, AccountStore, Batch, Hears, InstallationBatch, InstallationStore, Left, Store, StoreError};

use super::account_store::{login, person, visit};
use super::records::{at, delivery, deployment, offer, request};

/// A store with everything that a workspace leaves in one.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Installations.
    pub installations: Arc<dyn InstallationStore>,
    /// Linked logins.
    pub accounts: Arc<dyn AccountStore>,
    /// Everything else.
    pub store: Arc<dyn Store>,
}

/// A place for a store: opened again, it holds what was answered with `Ok`.
pub trait Place: Send {
    /// Opens it; whatever was open before is closed.
    fn open(&mut self) -> BoxFuture<'_, Opened>;

    /// Closes it and takes a backup of it; when that was.
    fn back_up(&mut self) -> BoxFuture<'_, Timestamp>;

    /// The backup, brought back into an empty place a minute after it was taken: without what is remembered as gone since.
    fn bring_back(&mut self) -> BoxFuture<'_, Opened>;
}

/// The whole suite; each part has a place of its own.
pub async fn all<P: Place>(mut place: impl FnMut() -> P) {
    installations_stay(&mut place()).await;
    versions_count(&mut place()).await;
    a_workspace_is_served(&mut place()).await;
    word_is_heard_once(&mut place()).await;
    together_or_not_at_all(&mut place()).await;
    a_workspace_is_forgotten(&mut place()).await;
    what_has_left_does_not_come_back(&mut place()).await;
}

/// A workspace.
pub fn workspace(id: &str) -> Tenant {
    Tenant::Workspace(WorkspaceId::parse(id).unwrap())
}

/// An organisation.
pub fn organisation(id: &str) -> Tenant {
    Tenant::Organisation(OrganisationId::parse(id).unwrap())
}

/// Workspaces.
pub fn workspaces(ids: &[&str]) -> BTreeSet<WorkspaceId> {
    ids.iter().map(|id| WorkspaceId::parse(id).unwrap()).collect()
}

/// An installation, never stored. Built from JSON, so that a new field with a default breaks no test.
pub fn installation(of: Tenant) -> Installation {
    let installation = serde_json::json!({
        "tenant": of, "version": 0, "within": null, "workspaces": [], "app": "A1", "bot": "UBOT", "by": "U1", "installed_at": at(0),
        "granted_at": at(0), "scopes": ["commands"], "rights": ["be_asked"], "life": "open", "standing": "good", "tokens": "sealed-tokens",
    });
    serde_json::from_value(installation).unwrap()
}

/// Word of a chat, never stored.
pub fn happening(id: &str, of: Tenant, second: i64, what: Happened) -> Happening {
    Happening { id: delivery(id), version: 0, tenant: of, at: at(second), heard_at: at(second), what, done: false }
}

/// Somebody who hears, and keeps what they heard.
#[derive(Debug, Default)]
pub struct Heard(Mutex<Vec<Happening>>);

impl Heard {
    /// What was heard since this was last asked.
    pub fn take(&self) -> Vec<Happening> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Hears for Heard {
    async fn heard(&self, happening: Happening) -> Result<(), StoreError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(happening);
        Ok(())
    }
}

async fn save(opened: &Opened, installations: Vec<Installation>) -> Result<(), StoreError> {
    opened.installations.save_installations(InstallationBatch { installations, ..InstallationBatch::default() }).await
}

fn next(mut installation: Installation) -> Installation {
    installation.version += 1;
    installation
}

async fn installations_stay<P: Place>(place: &mut P) {
    let (one, org) =
        (installation(workspace("T1")), Installation { workspaces: workspaces(&["T1", "T2"]), ..installation(organisation("T1")) });
    let opened = place.open().await;
    assert_eq!(opened.installations.installation(&one.tenant).await.unwrap(), None, "broken: nobody has installed anything yet");
    save(&opened, vec![one.clone(), org.clone()]).await.unwrap();
    drop(opened);
    let opened = place.open().await;
    let found = opened.installations.installation(&one.tenant).await.unwrap();
    assert_eq!(found, Some(next(one)), "broken: what was saved is there after a restart");
    let found = opened.installations.installation(&org.tenant).await.unwrap();
    assert_eq!(found, Some(next(org)), "broken: an organisation is no workspace of the same id");
    assert_eq!(opened.installations.installations().await.unwrap().len(), 2, "broken: all installations are found");
}

async fn versions_count<P: Place>(place: &mut P) {
    let opened = place.open().await;
    let one = installation(workspace("T1"));
    save(&opened, vec![one.clone()]).await.unwrap();
    let again = save(&opened, vec![one.clone()]).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "broken: of two who read the same only the first saves");
    let gone = |version| InstallationBatch { gone: vec![Installation { version, ..one.clone() }], ..InstallationBatch::default() };
    let stale = opened.installations.save_installations(gone(7)).await;
    assert!(matches!(stale, Err(StoreError::Conflict(_))), "broken: versions count here too");
    opened.installations.save_installations(gone(1)).await.unwrap();
    opened.installations.save_installations(gone(1)).await.expect("broken: what is gone can go again");
    drop(opened);
    let opened = place.open().await;
    assert_eq!(opened.installations.installations().await.unwrap(), [], "broken: what is gone is gone");
    save(&opened, vec![one]).await.expect("broken: whoever comes back begins anew");
}

async fn a_workspace_is_served<P: Place>(place: &mut P) {
    let opened = place.open().await;
    let org = Installation { workspaces: workspaces(&["T1", "T2"]), ..installation(organisation("E1")) };
    save(&opened, vec![installation(workspace("T1")), org]).await.unwrap();
    let mut served = Vec::new();
    for id in ["T1", "T2", "T3", "E1"] {
        let found = opened.installations.installation_for(&WorkspaceId::parse(id).unwrap()).await.unwrap();
        served.push(found.map(|found| found.tenant));
    }
    let wanted = [Some(workspace("T1")), Some(organisation("E1")), None, None];
    assert_eq!(served, wanted, "broken: a workspace is served by its own installation, else by its organisation's, else by none");
}

async fn word_is_heard_once<P: Place>(place: &mut P) {
    let opened = place.open().await;
    let hear = |opened: Opened, happening: Happening| async move { opened.installations.hear(&happening).await.unwrap() };
    let second = happening("Ev1", workspace("T1"), 2, Happened::Uninstalled);
    let first = happening("Ev2", workspace("T2"), 1, Happened::Uninstalled);
    assert!(hear(opened.clone(), second.clone()).await && hear(opened.clone(), first).await);
    assert!(!hear(opened.clone(), happening("Ev1", workspace("T1"), 9, Happened::Uninstalled)).await, "broken: word is heard once");
    drop(opened);
    let opened = place.open().await;
    let ids = |all: Vec<Happening>| all.iter().map(|happening| happening.id.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(opened.installations.not_done().await.unwrap()), ["Ev2", "Ev1"], "broken: what was heard is there, in its order");
    let done = Happening { version: 1, ..second }.done_now();
    let batch = InstallationBatch { happenings: vec![done], ..InstallationBatch::default() };
    opened.installations.save_installations(batch).await.unwrap();
    assert_eq!(ids(opened.installations.not_done().await.unwrap()), ["Ev2"], "broken: what is done is not done again");
    assert_eq!(opened.installations.forget_happenings(at(2)).await.unwrap(), 0, "broken: what is not done, or not old, is not forgotten");
    let again = happening("Ev1", workspace("T1"), 9, Happened::Uninstalled);
    assert!(!hear(opened.clone(), again).await, "broken: what is done is known when it is told again");
    assert_eq!(opened.installations.forget_happenings(at(3)).await.unwrap(), 1, "broken: what was done long ago is forgotten");
}

async fn together_or_not_at_all<P: Place>(place: &mut P) {
    let opened = place.open().await;
    let heard = happening("Ev1", workspace("T1"), 1, Happened::Uninstalled);
    assert!(opened.installations.hear(&heard).await.unwrap());
    let batch = |version| InstallationBatch {
        installations: vec![installation(workspace("T1"))],
        gone: Vec::new(),
        happenings: vec![Happening { version, ..heard.done_now() }],
    };
    assert!(matches!(opened.installations.save_installations(batch(0)).await, Err(StoreError::Conflict(_))));
    assert_eq!(opened.installations.installations().await.unwrap(), [], "broken: a batch is saved whole or not at all");
    opened.installations.save_installations(batch(1)).await.unwrap();
    assert_eq!(opened.installations.installations().await.unwrap().len(), 1);
}

/// A workspace leaves: what is kept of it goes, but for what goes on; nothing of others goes.
async fn a_workspace_is_forgotten<P: Place>(place: &mut P) {
    let opened = place.open().await;
    let Opened { installations, accounts, store } = &opened;
    let mut elsewhere = deployment(3, "c").closed_now();
    elsewhere.origin.person.workspace = WorkspaceId::parse("T2").unwrap();
    let mut later = deployment(4, "d").closed_now();
    later.asked_at = at(200);
    let deployments = vec![deployment(1, "a"), deployment(2, "b").closed_now(), elsewhere, later];
    let requests = vec![request("one", 5), request("later", 200)];
    let batch = Batch { deployments, requests, offers: vec![offer(1, 50), offer(2, 5_000)], ..Batch::default() };
    store.save(batch).await.unwrap();
    let account = crate::domain::account::Account::empty(person("T1", "U1"));
    let linked = account.with(crate::domain::account::Provider::Platform, login("1"));
    let sign_ins = vec![visit(1, &person("T1", "U1")), visit(2, &person("T2", "U1"))];
    accounts.save_accounts(AccountBatch { accounts: vec![linked], sign_ins }).await.unwrap();
    let t1 = WorkspaceId::parse("T1").unwrap();
    let left = installations.forget_workspace(&t1, at(100)).await.unwrap();
    assert_eq!(left, Left { deployments: 1, accounts: 1, requests: 0 }, "broken: what goes on and what is linked is left, and told");
    drop(opened);
    let Opened { installations, accounts, store } = &place.open().await;
    let mut there = Vec::new();
    for n in 1..=4 {
        there.push(store.deployment(super::records::deployment_id(n)).await.unwrap().is_some());
    }
    assert_eq!(there, [true, false, true, true], "broken: what is over goes; what goes on, others', and what came later stays");
    let mut asked = Vec::new();
    for name in ["one", "later"] {
        asked.push(store.request(&delivery(name)).await.unwrap().is_some());
    }
    assert_eq!(asked, [false, true], "broken: requests from before go");
    let mut offered = Vec::new();
    for n in 1..=2 {
        offered.push(store.offer(super::records::offer_id(n)).await.unwrap().is_some());
    }
    assert_eq!(offered, [false, true], "broken: offers from before go");
    assert!(accounts.sign_ins_of(&person("T1", "U1")).await.unwrap().is_empty(), "broken: links that nobody has opened go");
    assert_eq!(accounts.sign_ins_of(&person("T2", "U1")).await.unwrap().len(), 1, "broken: what is others' stays");
    let closed = crate::domain::deployment::Deployment { version: 1, ..deployment(1, "a").closed_now() };
    store.save(Batch::deployment(closed)).await.unwrap();
    let left = installations.forget_workspace(&t1, at(100)).await.unwrap();
    assert_eq!(left, Left { deployments: 0, accounts: 1, requests: 0 }, "broken: what was going on goes when it is over");
    assert!(store.deployment(super::records::deployment_id(1)).await.unwrap().is_none());
}

async fn what_has_left_does_not_come_back<P: Place>(place: &mut P) {
    let opened = place.open().await;
    save(&opened, vec![installation(workspace("T1")), installation(workspace("T2"))]).await.unwrap();
    drop(opened);
    let left_at = place.back_up().await + SignedDuration::from_secs(1);
    let opened = place.open().await;
    for _ in 0..2 {
        let remembered = opened.installations.remember_departure(&workspace("T1"), left_at).await;
        remembered.expect("broken: that the app was removed may be remembered again");
    }
    drop(opened);
    let opened = place.bring_back().await;
    let tenants: Vec<Tenant> = opened.installations.installations().await.unwrap().into_iter().map(|one| one.tenant).collect();
    assert_eq!(tenants, [workspace("T2")], "broken: an older backup does not bring back what has left since, and nothing else is left out");
}
