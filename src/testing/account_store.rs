//! What a store of accounts promises: [`AccountStore`].

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::domain::account::{Account, Login, Provider};
use crate::domain::actor::Person;
use crate::domain::names::{SignInId, UserId, WorkspaceId};
use crate::domain::sign_in::{Digest, End, SignIn};
use crate::ports::{AccountBatch, AccountStore, StoreError};

use super::records::at;

/// A place for a store: opened again, it holds what was answered with `Ok`.
pub trait Place: Send {
    /// Opens it; whatever was open before is closed.
    fn open(&mut self) -> BoxFuture<'_, Arc<dyn AccountStore>>;
}

/// The whole suite; each part has a place of its own.
pub async fn all<P: Place>(mut place: impl FnMut() -> P) {
    accounts_stay(&mut place()).await;
    versions_count(&mut place()).await;
    the_last_login_takes_the_account_along(&mut place()).await;
    visits_are_found(&mut place()).await;
    visits_are_forgotten(&mut place()).await;
    together_or_not_at_all(&mut place()).await;
}

/// A person.
pub fn person(workspace: &str, user: &str) -> Person {
    Person { workspace: WorkspaceId::parse(workspace).unwrap(), user: UserId::parse(user).unwrap() }
}

/// A login. Built from JSON, so that a new field with a default breaks no test.
pub fn login(id: &str) -> Login {
    let login = serde_json::json!({
        "id": id, "scopes": ["repo"], "rights": ["read_source"], "grant": null, "linked_at": at(0), "life": "open", "standing": "good",
        "tokens": format!("sealed-tokens-of-{id}"),
    });
    serde_json::from_value(login).unwrap()
}

/// A visit of a person, with a link that is known by this number.
pub fn visit(n: u8, of: &Person) -> SignIn {
    SignIn::offered(SignInId(uuid::Uuid::from_u128(u128::from(n))), of.clone(), Digest::new([n; 32]), None, at(i64::from(n)))
}

fn linked(of: &Person) -> Account {
    Account::empty(of.clone()).with(Provider::Platform, login("1"))
}

fn next(mut account: Account) -> Account {
    account.version += 1;
    account
}

async fn save(store: &Arc<dyn AccountStore>, accounts: Vec<Account>, sign_ins: Vec<SignIn>) -> Result<(), StoreError> {
    store.save_accounts(AccountBatch { accounts, sign_ins }).await
}

async fn accounts_stay<P: Place>(place: &mut P) {
    let (ana, bob, other) = (person("T1", "U1"), person("T1", "U2"), person("T2", "U1"));
    let store = place.open().await;
    assert_eq!(store.account(&ana).await.unwrap(), Account::empty(ana.clone()), "broken: nobody has linked anything yet");
    save(&store, vec![linked(&ana), linked(&other).with(Provider::SourceControl, login("2"))], Vec::new()).await.unwrap();
    drop(store);
    let store = place.open().await;
    assert_eq!(store.account(&ana).await.unwrap(), next(linked(&ana)), "broken: what was saved is there after a restart");
    assert_eq!(store.account(&other).await.unwrap().logins.len(), 2, "broken: the same user in another workspace is somebody else");
    assert_eq!(store.account(&bob).await.unwrap(), Account::empty(bob), "broken: nobody has what others have");
    assert_eq!(store.accounts().await.unwrap().len(), 2, "broken: all accounts are found");
}

async fn versions_count<P: Place>(place: &mut P) {
    let ana = person("T1", "U1");
    let store = place.open().await;
    save(&store, vec![linked(&ana)], Vec::new()).await.unwrap();
    let again = save(&store, vec![linked(&ana)], Vec::new()).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "broken: of two who read the same only the first saves");
    let first = store.account(&ana).await.unwrap().with(Provider::SourceControl, login("2"));
    let second = store.account(&ana).await.unwrap().with(Provider::SourceControl, login("3"));
    save(&store, vec![first.clone()], Vec::new()).await.unwrap();
    assert!(matches!(save(&store, vec![second], Vec::new()).await, Err(StoreError::Conflict(_))), "broken: two refreshes give one pair");
    assert_eq!(store.account(&ana).await.unwrap(), next(first));
}

async fn the_last_login_takes_the_account_along<P: Place>(place: &mut P) {
    let ana = person("T1", "U1");
    let store = place.open().await;
    save(&store, vec![linked(&ana)], Vec::new()).await.unwrap();
    let without = |version| Account { version, ..Account::empty(ana.clone()) };
    assert!(matches!(save(&store, vec![without(7)], Vec::new()).await, Err(StoreError::Conflict(_))), "broken: versions count here too");
    save(&store, vec![without(1)], Vec::new()).await.unwrap();
    drop(store);
    let store = place.open().await;
    assert!(store.accounts().await.unwrap().is_empty(), "broken: an account without logins is gone");
    save(&store, vec![linked(&ana)], Vec::new()).await.expect("broken: whoever comes back begins anew");
}

async fn visits_are_found<P: Place>(place: &mut P) {
    let (ana, bob) = (person("T1", "U1"), person("T1", "U11"));
    let store = place.open().await;
    save(&store, Vec::new(), vec![visit(1, &ana), visit(2, &ana), visit(3, &bob)]).await.unwrap();
    drop(store);
    let store = place.open().await;
    let ids = |visits: Vec<SignIn>| visits.into_iter().map(|visit| visit.id.0.as_u128()).collect::<Vec<_>>();
    assert_eq!(ids(store.sign_ins_of(&ana).await.unwrap()), [1, 2], "broken: a person's visits are found, and nobody else's");
    assert_eq!(ids(store.open_sign_ins().await.unwrap()), [1, 2, 3], "broken: everybody's open visits are found");
    let opened = SignIn { version: 1, ..visit(2, &ana) }.open(Digest::new([8; 32]), at(3)).unwrap();
    save(&store, Vec::new(), vec![opened]).await.unwrap();
    let by_browser = store.sign_in_by_browser(&Digest::new([8; 32])).await.unwrap();
    assert_eq!(by_browser.map(|visit| visit.id.0.as_u128()), Some(2), "broken: a browser finds the visit that it has opened");
    assert_eq!(store.sign_in_by_browser(&Digest::new([2; 32])).await.unwrap(), None, "broken: a link is no browser");
    let found = store.sign_in_by_link(&Digest::new([3; 32])).await.unwrap().unwrap();
    assert_eq!(found, SignIn { version: 1, ..visit(3, &bob) }, "broken: a link leads to its visit");
    assert_eq!(store.sign_in_by_link(&Digest::new([9; 32])).await.unwrap(), None, "broken: an invented link leads nowhere");
    save(&store, Vec::new(), vec![found.over(End::Replaced, at(60))]).await.unwrap();
    assert!(store.sign_ins_of(&bob).await.unwrap().is_empty(), "broken: what has ended is not open");
    assert_eq!(ids(store.open_sign_ins().await.unwrap()), [1, 2], "broken: what has ended is not open");
    let over = store.sign_in_by_link(&Digest::new([3; 32])).await.unwrap().unwrap();
    assert_eq!(over.may_open(at(60)), Err(crate::domain::sign_in::Dead::Over(End::Replaced)), "broken: a dead link says why");
    assert_eq!(store.sign_in(over.id).await.unwrap(), Some(over.clone()));
    save(&store, Vec::new(), vec![over.leaving([(Provider::Platform, login("3"))])]).await.unwrap();
    let left = store.sign_ins_of(&bob).await.unwrap();
    assert_eq!((ids(left.clone()), left[0].leaving.len()), (vec![3], 1), "broken: what has logins left to be ended is found");
    assert_eq!(store.forget_sign_ins(at(90)).await.unwrap(), 0, "broken: nor is it forgotten before they are");
    save(&store, Vec::new(), left.iter().map(|left| left.left_with(Vec::new(), at(91))).collect()).await.unwrap();
    assert!(store.sign_ins_of(&bob).await.unwrap().is_empty(), "broken: with nothing left it is over");
    assert_eq!(store.forget_sign_ins(at(90)).await.unwrap(), 1);
}

async fn visits_are_forgotten<P: Place>(place: &mut P) {
    let ana = person("T1", "U1");
    let store = place.open().await;
    save(&store, Vec::new(), vec![visit(1, &ana), visit(2, &ana).over(End::RanOut, at(50)), visit(3, &ana).over(End::RanOut, at(70))])
        .await
        .unwrap();
    assert_eq!(store.forget_sign_ins(at(60)).await.unwrap(), 1, "broken: what ended long ago is forgotten");
    drop(store);
    let store = place.open().await;
    let mut there = Vec::new();
    for n in 1..=3 {
        there.push(store.sign_in_by_link(&Digest::new([n; 32])).await.unwrap().is_some());
    }
    assert_eq!(there, [true, false, true], "broken: what was not ended, or not long ago, stays");
}

async fn together_or_not_at_all<P: Place>(place: &mut P) {
    let ana = person("T1", "U1");
    let store = place.open().await;
    save(&store, Vec::new(), vec![visit(1, &ana)]).await.unwrap();
    let stale = visit(1, &ana).over(End::Confirmed, at(5));
    assert!(matches!(save(&store, vec![linked(&ana)], vec![stale.clone()]).await, Err(StoreError::Conflict(_))));
    assert!(store.accounts().await.unwrap().is_empty(), "broken: a batch is saved whole or not at all");
    save(&store, vec![linked(&ana)], vec![SignIn { version: 1, ..stale }]).await.unwrap();
    assert_eq!(store.accounts().await.unwrap().len(), 1);
}
