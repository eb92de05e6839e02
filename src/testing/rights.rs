//! What is promised where rules and changes of them are kept: by [`Keeping`], for people, and by [`InstallationStore`], for workspaces.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::account_store::person;
use super::records::at;
use crate::domain::actor::Person;
use crate::domain::names::{GroupId, GroupName, UserId, WorkspaceId};
use crate::domain::pipeline::Environment;
use crate::domain::privacy::{Note, NoteKey, NoteKind, Noted};
use crate::domain::rights::{Change, Changed, Group, Party, Rule, Rules, Who};
use crate::ports::{InstallationStore, Keeping, NoteBatch, StoreError};

/// A store, as both.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What is kept about people.
    pub keeping: Arc<dyn Keeping>,
    /// Installations.
    pub installations: Arc<dyn InstallationStore>,
}

/// A place for a store: opened again, it holds what was answered with `Ok`.
pub trait Place: Send {
    /// Opens it; whatever was open before is closed.
    fn open(&mut self) -> BoxFuture<'_, Opened>;
}

/// The whole suite; each part has a place of its own.
pub async fn all<P: Place>(mut place: impl FnMut() -> P) {
    rules_stay(&mut place()).await;
    together_or_not_at_all(&mut place()).await;
    each_workspace_has_its_own(&mut place()).await;
    whoever_is_removed_is_in_none(&mut place()).await;
    a_workspace_leaves_none(&mut place()).await;
}

fn only(people: &[&str]) -> Who {
    let group = Group { id: GroupId::parse("S1").unwrap(), name: GroupName::parse("crew").unwrap() };
    Who::Only(Party { people: people.iter().map(|user| UserId::parse(user).unwrap()).collect(), groups: [group].into() })
}

fn workspace(id: &str) -> WorkspaceId {
    WorkspaceId::parse(id).unwrap()
}

/// A first change: production is for these only.
fn changed(of: &WorkspaceId, people: &[&str], by: &str, id: u128) -> Changed {
    let rule = Rule::Deploy { to: Environment::Production, who: only(people) };
    Rules::none(of.clone()).after(Change::Set(rule), &UserId::parse(by).unwrap(), None, at(id.try_into().unwrap()), Uuid::from_u128(id))
}

fn batch(changed: &Changed, over: Option<&Noted>) -> NoteBatch {
    let rules = Note::Rules(changed.rules.clone());
    let rules = over.map_or_else(|| Noted::new(rules.clone()), |noted| noted.saying(rules.clone()));
    NoteBatch { save: vec![rules, Noted::new(Note::Entry(changed.entry.clone()))], ..NoteBatch::default() }
}

async fn rules_of(opened: &Opened, of: &WorkspaceId) -> Option<Noted> {
    opened.keeping.note(&NoteKey::Rules(of.clone())).await.unwrap()
}

async fn entries(opened: &Opened) -> usize {
    opened.keeping.notes(NoteKind::Entry).await.unwrap().len()
}

async fn rules_stay(place: &mut impl Place) {
    let (opened, here) = (place.open().await, workspace("T1"));
    assert_eq!(rules_of(&opened, &here).await, None, "broken: there is nothing where nothing was set");
    let change = changed(&here, &["U1"], "U1", 1);
    opened.keeping.save_notes(batch(&change, None)).await.unwrap();
    let opened = place.open().await;
    let noted = rules_of(&opened, &here).await.expect("broken: what was answered with Ok is there after a start");
    assert_eq!((noted.version, noted.note), (1, Note::Rules(change.rules)), "broken: rules are found as they were set");
    let kept = opened.keeping.notes(NoteKind::Entry).await.unwrap();
    assert_eq!(kept.into_iter().map(|noted| noted.note).collect::<Vec<_>>(), [Note::Entry(change.entry)], "broken: so is what was done");
}

async fn together_or_not_at_all(place: &mut impl Place) {
    let (opened, here) = (place.open().await, workspace("T1"));
    opened.keeping.save_notes(batch(&changed(&here, &["U1"], "U1", 1), None)).await.unwrap();
    let late = opened.keeping.save_notes(batch(&changed(&here, &["U2"], "U2", 2), None)).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "broken: of two who change rules at once one is told");
    assert_eq!(entries(&opened).await, 1, "broken: what was not done is not on record");
    let read = rules_of(&opened, &here).await;
    opened.keeping.save_notes(batch(&changed(&here, &["U2"], "U2", 2), read.as_ref())).await.unwrap();
    assert_eq!(entries(&opened).await, 2);
}

async fn each_workspace_has_its_own(place: &mut impl Place) {
    let opened = place.open().await;
    // One id may begin as another one does.
    for (at, id) in [(1, "T1"), (2, "T10")] {
        opened.keeping.save_notes(batch(&changed(&workspace(id), &["U1"], "U1", at), None)).await.unwrap();
    }
    assert_eq!(rules_of(&opened, &workspace("T1")).await.unwrap().note, Note::Rules(changed(&workspace("T1"), &["U1"], "U1", 1).rules));
    assert_eq!(rules_of(&opened, &workspace("T")).await, None, "broken: rules are those of one workspace");
    assert_eq!(opened.keeping.notes(NoteKind::Rules).await.unwrap().len(), 2);
}

async fn whoever_is_removed_is_in_none(place: &mut impl Place) {
    let opened = place.open().await;
    let gone = person("T1", "U1");
    let elsewhere = changed(&workspace("T2"), &["U1"], "U1", 2);
    opened.keeping.save_notes(batch(&changed(&workspace("T1"), &["U1", "U2"], "U1", 1), None)).await.unwrap();
    opened.keeping.save_notes(batch(&elsewhere, None)).await.unwrap();
    let much = opened.keeping.how_much(&gone).await.unwrap();
    assert_eq!(much, [("changes of rules", 1), ("rules", 1)], "broken: people see where they are named");
    assert!(opened.keeping.everything(&gone).await.unwrap().contains("production"), "broken: people get what names them");
    opened.keeping.remove_person(&gone, &UserId::parse("removed-1").unwrap()).await.unwrap();
    assert!(opened.keeping.how_much(&gone).await.unwrap().is_empty(), "broken: whoever is removed is in no rule");
    let Some(Noted { note: Note::Rules(rules), .. }) = rules_of(&opened, &workspace("T1")).await else { panic!("broken: the rules stay") };
    let people: Vec<Person> = rules.mentioned();
    assert!(people.contains(&person("T1", "U2")) && people.contains(&person("T1", "removed-1")), "broken: others stay in it");
    assert_eq!(
        rules_of(&opened, &workspace("T2")).await.unwrap().note,
        Note::Rules(elsewhere.rules),
        "broken: the same id elsewhere stays"
    );
}

async fn a_workspace_leaves_none(place: &mut impl Place) {
    let opened = place.open().await;
    for (second, id) in [(1, "T1"), (2, "T2")] {
        opened.keeping.save_notes(batch(&changed(&workspace(id), &["U1"], "U1", second), None)).await.unwrap();
    }
    opened.installations.forget_workspace(&workspace("T1"), at(100)).await.unwrap();
    let opened = place.open().await;
    assert_eq!(rules_of(&opened, &workspace("T1")).await, None, "broken: a workspace that has left leaves no rules");
    assert_eq!((rules_of(&opened, &workspace("T2")).await.is_some(), entries(&opened).await), (true, 1), "broken: others keep theirs");
    let later = changed(&workspace("T1"), &["U1"], "U1", 200);
    opened.keeping.save_notes(batch(&later, None)).await.unwrap();
    opened.installations.forget_workspace(&workspace("T1"), at(100)).await.unwrap();
    assert!(rules_of(&opened, &workspace("T1")).await.is_some(), "broken: what was set after it came back stays");
}
