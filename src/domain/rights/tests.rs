//! The rules: what they let, what they take away, and that nobody gets a right by somebody's leaving.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::deployment::samples::{at, person};

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn group(id: &str) -> Group {
    Group { id: GroupId::parse(id).unwrap(), name: GroupName::parse("crew").unwrap() }
}

fn only(people: &[&str], groups: &[&str]) -> Who {
    Who::Only(Party { people: people.iter().map(|name| user(name)).collect(), groups: groups.iter().map(|id| group(id)).collect() })
}

fn rules(all: &[Rule]) -> Rules {
    all.iter().fold(Rules::none(person("ana").workspace), |rules, rule| {
        rules.after(Change::Set(rule.clone()), &user("ana"), None, at(0), Uuid::from_u128(1)).rules
    })
}

const DEPLOY: Doing = Doing::Deploy { to: Environment::Production, overriding: false };
const OVERRIDE: Doing = Doing::Deploy { to: Environment::Production, overriding: true };

struct Case {
    member: Option<Member>,
    groups: BTreeMap<GroupId, Option<bool>>,
    channel: &'static str,
    who: Person,
}

fn member(standing: Standing) -> Case {
    Case { member: Some(Member { standing, admin: false }), groups: BTreeMap::new(), channel: "C1", who: person("ana") }
}

impl Case {
    fn codes(&self, rules: &Rules, doing: Doing) -> Vec<&'static str> {
        let channel = ChannelId::parse(self.channel).unwrap();
        let asker = Asker { person: &self.who, member: self.member, groups: &self.groups, channel: Some(&channel) };
        judge(rules, &asker, doing).into_iter().map(Denial::code).collect()
    }

    fn in_group(mut self, id: &str, is: Option<bool>) -> Self {
        self.groups.insert(GroupId::parse(id).unwrap(), is);
        self
    }
}

#[test]
fn what_is_said_for_all_is_said_aside_where_others_read_along_or_may() {
    let (none, open) = (rules(&[]), rules(&[Rule::Outsiders { welcome: true }]));
    let shared = Conversation { shared: true, ..Conversation::OWN };
    let direct = Conversation { direct: true, ..Conversation::OWN };
    for (found, closed_says, open_says) in [
        (Some(Conversation::OWN), None, None),
        (Some(shared), Some(Aside::Shared), None),
        (Some(direct), Some(Aside::Direct), Some(Aside::Direct)),
        (None, Some(Aside::Unseen), None),
    ] {
        assert_eq!((aside(&none, found), aside(&open, found)), (closed_says, open_says), "{found:?}");
    }
}

#[test]
fn without_rules_members_may_everything_and_others_nothing() {
    let none = rules(&[]);
    for doing in [Doing::Look, Doing::StopOwn, Doing::Press, DEPLOY, OVERRIDE] {
        assert!(member(Standing::Member).codes(&none, doing).is_empty());
        assert_eq!(member(Standing::Guest).codes(&none, doing), ["guest"]);
        assert_eq!(member(Standing::Outsider).codes(&none, doing), ["outsider"]);
        assert_eq!(member(Standing::Gone).codes(&none, doing), ["account-closed"]);
    }
    let welcome = rules(&[Rule::Guests { welcome: true }, Rule::Outsiders { welcome: true }]);
    assert!(member(Standing::Guest).codes(&welcome, DEPLOY).is_empty());
    assert!(member(Standing::Outsider).codes(&welcome, DEPLOY).is_empty());
}

#[test]
fn every_reason_at_once() {
    let all = rules(&[
        Rule::Use(only(&["bo"], &[])),
        Rule::Deploy { to: Environment::Production, who: only(&["bo"], &["S1"]) },
        Rule::Override(only(&[], &[])),
        Rule::Channels(Places::Only(BTreeSet::from([ChannelId::parse("C9").unwrap()]))),
    ]);
    let guest = member(Standing::Guest).in_group("S1", Some(false));
    assert_eq!(guest.codes(&all, OVERRIDE), ["guest", "not-a-user", "not-for-environment", "may-not-override", "wrong-channel"]);
    assert_eq!(guest.codes(&all, DEPLOY), ["guest", "not-a-user", "not-for-environment", "wrong-channel"]);
    assert_eq!(guest.codes(&all, Doing::StopOwn), ["guest", "wrong-channel"]);
}

#[test]
fn whoever_is_named_or_in_a_group_may() {
    let crew = rules(&[Rule::Deploy { to: Environment::Production, who: only(&["bo"], &["S1", "S2"]) }]);
    let of = |one: Option<bool>, other: Option<bool>| member(Standing::Member).in_group("S1", one).in_group("S2", other);
    assert!(of(Some(false), Some(true)).codes(&crew, DEPLOY).is_empty());
    assert!(of(None, Some(true)).codes(&crew, DEPLOY).is_empty(), "one group is enough");
    assert_eq!(of(Some(false), Some(false)).codes(&crew, DEPLOY), ["not-for-environment"]);
    assert_eq!(of(Some(false), None).codes(&crew, DEPLOY), ["people-unreadable"]);
    assert!(Case { who: person("bo"), ..of(None, None) }.codes(&crew, DEPLOY).is_empty(), "the named need no group");
    let staging = Doing::Deploy { to: Environment::Staging, overriding: true };
    assert!(of(Some(false), Some(false)).codes(&crew, staging).is_empty(), "another environment");
    let elsewhere = Person { workspace: WorkspaceId::parse("T2").unwrap(), user: user("bo") };
    let stranger = Case { who: elsewhere, ..of(Some(true), Some(true)) };
    assert_eq!(stranger.codes(&crew, DEPLOY), ["not-for-environment"], "the same id in another workspace is somebody else");
}

#[test]
fn who_cannot_be_told_may_look_and_nothing_else() {
    let unknown = Case { member: None, ..member(Standing::Member) };
    let none = rules(&[]);
    assert!(unknown.codes(&none, Doing::Look).is_empty());
    assert!(unknown.codes(&none, Doing::StopOwn).is_empty(), "what one has begun can be stopped");
    for doing in [Doing::Press, DEPLOY, OVERRIDE] {
        assert_eq!(unknown.codes(&none, doing), ["people-unreadable"]);
    }
    let crew = rules(&[Rule::Use(only(&[], &["S1"])), Rule::Deploy { to: Environment::Production, who: only(&[], &["S1"]) }]);
    assert_eq!(unknown.codes(&crew, DEPLOY), ["people-unreadable"], "once is enough");
    assert!(unknown.codes(&crew, Doing::Look).is_empty());
}

#[test]
fn groups_are_asked_for_only_where_they_matter() {
    let all = rules(&[
        Rule::Use(only(&[], &["S1"])),
        Rule::Deploy { to: Environment::Production, who: only(&[], &["S2"]) },
        Rule::Override(only(&[], &["S3"])),
    ]);
    let asked = |doing| all.groups_for(doing).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(asked(Doing::Look), ["S1"]);
    assert_eq!(asked(DEPLOY), ["S1", "S2"]);
    assert_eq!(asked(OVERRIDE), ["S1", "S2", "S3"]);
    assert!(asked(Doing::StopOwn).is_empty());
}

#[test]
fn a_change_is_on_record_and_can_be_taken_back() {
    let (crew, all) = (Rule::Override(only(&["bo"], &[])), Rule::Override(Who::Everyone));
    let change =
        |rules: &Rules, change: Change| rules.after(change, &user("ana"), Because::parse("it is time").ok(), at(5), Uuid::from_u128(9));
    let first = change(&rules(&[]), Change::Set(crew.clone()));
    assert_eq!(first.undo, Some(Change::Reset(Matter::Override)));
    let second = change(&first.rules, Change::Set(all));
    assert_eq!(second.undo, Some(Change::Set(crew.clone())));
    let Did::Rules { before, because, .. } = &second.entry.did else { panic!("{second:?}") };
    assert_eq!((before.as_ref(), because.as_ref().map(Because::as_str)), (Some(&crew), Some("it is time")));
    assert_eq!(change(&first.rules, Change::Set(crew)).undo, None, "nothing has changed");
    assert_eq!(change(&rules(&[]), Change::Reset(Matter::Use)).undo, None);
    assert_eq!(change(&first.rules, Change::Reset(Matter::Override)).rules, rules(&[]));
}

fn whos() -> impl Strategy<Value = Who> {
    let people = prop::collection::btree_set(prop::sample::select(vec!["ana", "bo", "cy"]).prop_map(user), 0..3);
    let groups = prop::collection::btree_set(prop::sample::select(vec!["S1", "S2"]).prop_map(group), 0..2);
    prop_oneof![Just(Who::Everyone), (people, groups).prop_map(|(people, groups)| Who::Only(Party { people, groups }))]
}

pub(crate) fn any_rule() -> impl Strategy<Value = Rule> {
    let channels = prop::collection::btree_set(prop::sample::select(vec!["C1", "C2"]).prop_map(|id| ChannelId::parse(id).unwrap()), 1..3);
    prop_oneof![
        whos().prop_map(Rule::Use),
        (prop::sample::select(&Environment::ALL[..]), whos()).prop_map(|(to, who)| Rule::Deploy { to, who }),
        whos().prop_map(Rule::Override),
        Just(Rule::Channels(Places::Everywhere)),
        channels.prop_map(|channels| Rule::Channels(Places::Only(channels))),
        any::<bool>().prop_map(|welcome| Rule::Guests { welcome }),
        any::<bool>().prop_map(|welcome| Rule::Outsiders { welcome }),
    ]
}

pub(crate) fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![any_rule().prop_map(Change::Set), prop::sample::select(&Matter::ALL[..]).prop_map(Change::Reset)]
}

fn doings() -> impl Strategy<Value = Doing> {
    let deploy = (prop::sample::select(&Environment::ALL[..]), any::<bool>()).prop_map(|(to, overriding)| Doing::Deploy { to, overriding });
    prop_oneof![Just(Doing::Look), Just(Doing::StopOwn), Just(Doing::Press), deploy]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whoever_is_removed_takes_no_right_away_with_them_and_gives_none(all in prop::collection::vec(any_rule(), 0..6), doing in doings()) {
        let before = rules(&all);
        let after = before.without(&person("bo"), &user("removed-1"));
        prop_assert!(!after.mentioned().contains(&person("bo")));
        for name in ["ana", "cy", "dee"] {
            let case = Case { who: person(name), ..member(Standing::Member).in_group("S1", Some(false)).in_group("S2", Some(false)) };
            prop_assert_eq!(case.codes(&before, doing), case.codes(&after, doing));
        }
    }

    #[test]
    fn what_was_changed_and_taken_back_is_as_it_was(all in prop::collection::vec(any_rule(), 0..6), change in any_change()) {
        let before = rules(&all);
        let changed = before.after(change.clone(), &user("ana"), None, at(0), Uuid::from_u128(1));
        if let Some(undo) = changed.undo {
            prop_assert_eq!(changed.rules.after(undo, &user("ana"), None, at(0), Uuid::from_u128(2)).rules, before);
        }
    }

    #[test]
    fn an_entry_names_nobody_who_was_removed(all in prop::collection::vec(any_rule(), 0..6), change in any_change()) {
        let entry = rules(&all).after(change, &user("bo"), Because::parse("so").ok(), at(0), Uuid::from_u128(1)).entry;
        let without = entry.without(&person("bo"), &user("removed-1"));
        prop_assert!(!without.mentioned().contains(&person("bo")));
        prop_assert!(!serde_json::to_string(&without).unwrap().contains("\"bo\""));
    }
}
