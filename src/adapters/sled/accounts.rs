//! Accounts and visits: their rows, and their port in terms of the desk.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::account::Account;
use crate::domain::actor::Person;
use crate::domain::names::SignInId;
use crate::domain::sign_in::{Digest, SignIn, Stage};
use crate::ports::{AccountBatch, AccountStore, StoreError, Work};

use super::SledStore;
use super::desk::{Desk, Stop, Tx, TxResult, refuse};
use super::records::{self, Record, Shelf};

/// The index rows of visits by their links begin with this.
const BY_LINK: &[u8] = b"l";
/// The index rows of visits by the browsers that have opened them begin with this.
const BY_BROWSER: &[u8] = b"b";
/// The index rows of a person's visits that were not ended, or hold what has to be ended, begin with this.
const BY_PERSON: &[u8] = b"s";

/// The key of whatever a person has one of. Ids of the outside hold no zero byte.
pub fn person_key(person: &Person) -> Vec<u8> {
    [person.workspace.as_str().as_bytes(), b"\0", person.user.as_str().as_bytes()].concat()
}

fn sign_in_key(id: SignInId) -> Vec<u8> {
    id.0.as_bytes().to_vec()
}

fn by_link(link: &Digest) -> Vec<u8> {
    [BY_LINK, link.as_bytes()].concat()
}

fn by_browser(browser: &Digest) -> Vec<u8> {
    [BY_BROWSER, browser.as_bytes()].concat()
}

fn by_person(person: &Person) -> Vec<u8> {
    [BY_PERSON, &person_key(person), b"\0"].concat()
}

impl Record for Account {
    const SHELF: Shelf = Shelf::Accounts;

    fn key(&self) -> Vec<u8> {
        person_key(&self.person)
    }

    fn label(&self) -> String {
        format!("the account of {} in {}", self.person.user, self.person.workspace)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn at_version(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }
}

impl Record for SignIn {
    const SHELF: Shelf = Shelf::SignIns;

    fn key(&self) -> Vec<u8> {
        sign_in_key(self.id)
    }

    fn label(&self) -> String {
        format!("sign-in {}", self.id)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn at_version(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }

    fn found_by(&self) -> Vec<Vec<u8>> {
        let with_id = |key: Vec<u8>| [key, sign_in_key(self.id)].concat();
        let link = with_id(by_link(&self.link));
        match &self.stage {
            Stage::Offered => vec![link, with_id(by_person(&self.person))],
            Stage::Open(visit) => vec![link, with_id(by_person(&self.person)), with_id(by_browser(&visit.browser))],
            // It holds what has to be ended, or told.
            Stage::Over { .. } if !self.leaving.is_empty() || self.kept.is_some() => vec![link, with_id(by_person(&self.person))],
            Stage::Over { .. } => vec![link],
        }
    }
}

/// Saves an account, or removes it where nothing is linked any more: with its lease, which would tell that there was one.
fn save_account(tx: &Tx<'_>, account: &Account) -> TxResult<()> {
    if !account.logins.is_empty() {
        return tx.save(account);
    }
    match tx.get::<Account>(Shelf::Accounts, &account.key())? {
        Some(stored) if stored.version == account.version => {
            tx.forget(&stored)?;
            tx.remove(Shelf::Leases, &records::lease_key(&Work::Account(account.person.clone())))
        }
        None if account.version == 0 => Ok(()),
        Some(_) | None => refuse(StoreError::Conflict(account.label())),
    }
}

/// The visit that an index row with this beginning finds.
fn first(desk: &Desk, prefix: &[u8]) -> Result<Option<SignIn>, Stop> {
    match desk.tree(Shelf::Index)?.scan_prefix(prefix).keys().next() {
        None => Ok(None),
        Some(key) => desk.must(records::deployment_found_by(&key?)).map(Some),
    }
}

/// The visits that index rows with this beginning find.
fn found(desk: &Desk, prefix: &[u8]) -> Result<Vec<SignIn>, Stop> {
    let keys = desk.tree(Shelf::Index)?.scan_prefix(prefix).keys();
    keys.map(|key| desk.must(records::deployment_found_by(&key?))).collect()
}

#[async_trait]
impl AccountStore for SledStore {
    async fn account(&self, person: &Person) -> Result<Account, StoreError> {
        let person = person.clone();
        self.ask(move |desk| Ok(desk.get(&person_key(&person))?.unwrap_or_else(|| Account::empty(person)))).await
    }

    async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.ask(|desk| desk.all()?.collect()).await
    }

    async fn sign_in(&self, id: SignInId) -> Result<Option<SignIn>, StoreError> {
        self.ask(move |desk| desk.get(&sign_in_key(id))).await
    }

    async fn sign_in_by_link(&self, link: &Digest) -> Result<Option<SignIn>, StoreError> {
        let prefix = by_link(link);
        self.ask(move |desk| first(desk, &prefix)).await
    }

    async fn sign_in_by_browser(&self, browser: &Digest) -> Result<Option<SignIn>, StoreError> {
        let prefix = by_browser(browser);
        self.ask(move |desk| first(desk, &prefix)).await
    }

    async fn sign_ins_of(&self, person: &Person) -> Result<Vec<SignIn>, StoreError> {
        let prefix = by_person(person);
        self.ask(move |desk| found(desk, &prefix)).await
    }

    async fn open_sign_ins(&self) -> Result<Vec<SignIn>, StoreError> {
        self.ask(|desk| found(desk, BY_PERSON)).await
    }

    async fn save_accounts(&self, batch: AccountBatch) -> Result<(), StoreError> {
        self.ask(move |desk| {
            desk.transact(|tx| {
                batch.accounts.iter().try_for_each(|account| save_account(tx, account))?;
                batch.sign_ins.iter().try_for_each(|sign_in| tx.save(sign_in))
            })
        })
        .await
    }

    async fn forget_sign_ins(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.ask(move |desk| {
            let over = |sign_in: &SignIn| sign_in.leaving.is_empty() && matches!(sign_in.stage, Stage::Over { at, .. } if at < before);
            let mut forgotten = Vec::new();
            for sign_in in desk.all::<SignIn>()? {
                let sign_in = sign_in?;
                if over(&sign_in) {
                    forgotten.push(sign_in);
                }
            }
            desk.transact(|tx| forgotten.iter().try_for_each(|sign_in| tx.forget(sign_in)))?;
            Ok(u64::try_from(forgotten.len()).unwrap_or(u64::MAX))
        })
        .await
    }
}
