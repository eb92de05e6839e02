//! Tests of the grammar.

use proptest::prelude::*;

use super::*;
use crate::domain::command::{Because, Hold, Limit, LockWish, MoveWish, RouteWish, RulesWish, Seek, Spot, Stretch, Terms, Where, Wish};
use crate::domain::lock::{ClockTime, Day, Ending, LONGEST_HOLD, ZoneName};
use crate::domain::names::{AppName, ChannelId, CommitSha, GroupId, GroupName, PipelineId, PipelineName, RefName, RepoName, UserId};
use crate::domain::pipeline::{Destination, Environment, PipelineKey, Place};
use crate::domain::rights::tests::any_change;
use crate::domain::rights::{Change, Group, Matter, Party, Places, Rule, Who};
use crate::domain::route::Only;
use crate::domain::source::{AskedRef, CommitRef};

fn key(name: &str) -> PipelineKey {
    PipelineKey::Name(PipelineName::parse(name).unwrap())
}

fn named(name: &str) -> AskedRef {
    AskedRef::Named(RefName::parse(name).unwrap())
}

fn place(environment: Environment, app: Option<&str>) -> Place {
    Place { environment, app: app.map(|app| AppName::parse(app).unwrap()) }
}

fn wish(name: &str, what: AskedRef, to: Option<Place>) -> Wish {
    Wish { pipeline: key(name), what, to }
}

fn deploy(wish: Wish) -> Command {
    Command::Deploy { wish, passing_checks: false, because: None, terms: Terms::default() }
}

fn wrong(text: &str) -> Misunderstood {
    parse(text).expect_err(text)
}

/// The word pointed at, and the suggestion.
fn pointed(text: &str) -> (String, Option<String>) {
    let wrong = wrong(text);
    (wrong.parts().1.to_owned(), wrong.nearest)
}

#[test]
fn nothing_at_all_asks_for_help() {
    for text in ["", "  \t ", "/h", "help", "HELP", "?"] {
        assert_eq!(parse(text), Ok(Command::Help { about: None }), "{text}");
    }
    for text in ["help deploy", "help deploy!", "/h help Deploy"] {
        assert_eq!(parse(text), Ok(Command::Help { about: Some(Verb::Deploy) }), "{text}");
    }
}

#[test]
fn refs_in_every_form() {
    use Environment::{Production, Staging};
    for (text, meant) in [
        ("deploy web", wish("web", AskedRef::Default, None)),
        ("deploy web/main", wish("web", named("main"), None)),
        ("deploy Web/Feature/X to Staging", wish("web", named("Feature/X"), Some(place(Staging, None)))),
        ("deploy web#123 to prod", wish("web", AskedRef::Pull(123), Some(place(Production, None)))),
        ("deploy web/#123 in prd", wish("web", AskedRef::Pull(123), Some(place(Production, None)))),
        ("deploy web/123456 on stg", wish("web", named("123456"), Some(place(Staging, None)))),
        ("deploy web/27bd10a to prod/Web-EU", wish("web", named("27bd10a"), Some(place(Production, Some("web-eu"))))),
        ("deploy web/fix#1", wish("web", named("fix#1"), None)),
        ("deploy <http://web.app|web.app>/v1.2", wish("web.app", named("v1.2"), None)),
        ("deploy web/<https://source.example.com/acme/web/commit/27BD10A>", wish("web", named("27bd10a"), None)),
        ("\u{a0}DEPLOY  web\u{2013}eu\tto\u{a0}“staging”", wish("web-eu", AskedRef::Default, Some(place(Staging, None)))),
        ("`deploy web`", wish("web", AskedRef::Default, None)),
        ("deploy to to staging", wish("to", AskedRef::Default, Some(place(Staging, None)))),
        ("deploy \"123456\"", wish("123456", AskedRef::Default, None)),
    ] {
        assert_eq!(parse(text), Ok(deploy(meant)), "{text}");
    }
}

#[test]
fn a_pipeline_may_be_named_by_its_id() {
    let id = "01234567-89ab-cdef-0123-456789abcdef";
    let command = Command::Info { pipeline: PipelineKey::Id(PipelineId::parse(id).unwrap()) };
    for text in [format!("info {id}"), format!("pipelines:info {}", id.to_uppercase()), format!("pipeline {id}")] {
        assert_eq!(parse(&text), Ok(command.clone()));
    }
}

#[test]
fn reasons_are_kept_as_they_were_said() {
    let reason = |text: &str| match parse(text) {
        Ok(Command::Deploy { because, passing_checks, .. }) => (passing_checks, because.map(String::from)),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(reason("deploy! web because  the Test is  flaky "), (true, Some("the Test is  flaky".to_owned())));
    assert_eq!(reason("deploy web to staging because “ticket 123456”"), (false, Some("ticket 123456".to_owned())));
    assert_eq!(reason("deploy! web Because: it's \"odd\""), (true, Some("it's \"odd\"".to_owned())));
    assert_eq!(reason("deploy web"), (false, None));
}

#[test]
fn the_other_commands() {
    let there =
        |text: &str| Where { pipeline: key("web"), place: Some(Place { app: None, environment: Environment::from_word(text).unwrap() }) };
    assert_eq!(parse("pipelines"), Ok(Command::Pipelines));
    assert_eq!(parse("status"), Ok(Command::Status { pipeline: None }));
    assert_eq!(parse("status web"), Ok(Command::Status { pipeline: Some(key("web")) }));
    assert_eq!(parse("leave"), Ok(Command::Leave { line: None }));
    assert_eq!(parse("leave web in dev"), Ok(Command::Leave { line: Some(there("development")) }));
    assert_eq!(parse("queue web to staging"), Ok(Command::Queue(there("staging"))));
    assert_eq!(parse("cancel web on staging"), Ok(Command::Cancel { place: there("staging"), because: None }));
    assert_eq!(parse("releases web in production"), Ok(Command::Releases(there("production"))));
    assert_eq!(parse("plan web#7 to staging"), Ok(Command::Plan(wish("web", AskedRef::Pull(7), Some(place(Environment::Staging, None))))));
}

fn rules_of(text: &str) -> Change {
    let mut mentions = Mentions::default();
    mentions.add("@ana", Mention::Person(UserId::parse("U1").unwrap()));
    mentions.add("@crew", Mention::Group(crew()));
    mentions.add("#ops", Mention::Channel(ChannelId::parse("C1").unwrap()));
    match parse_mentioning(text, &mentions) {
        Ok(Command::Rules { wish: RulesWish::Change { change, because: _ } }) => change,
        other => panic!("{text}: {other:?}"),
    }
}

fn crew() -> Group {
    Group { id: GroupId::parse("S1").unwrap(), name: GroupName::parse("crew").unwrap() }
}

#[test]
fn rules_in_every_form() {
    let both = || Party { people: [UserId::parse("U1").unwrap()].into(), groups: [crew()].into() };
    let ops = Places::Only([ChannelId::parse("C1").unwrap()].into());
    for (text, change) in [
        ("rules use everyone because x", Change::Set(Rule::Use(Who::Everyone))),
        ("rules use nobody because x", Change::Set(Rule::Use(Who::Only(Party::default())))),
        ("rules override only @ana @crew because they know", Change::Set(Rule::Override(Who::Only(both())))),
        ("RULES Deploy to Prod @crew @ana because x", Change::Set(Rule::Deploy { to: Environment::Production, who: Who::Only(both()) })),
        (
            "rules deploy staging @U1 group:S1/crew because x",
            Change::Set(Rule::Deploy { to: Environment::Staging, who: Who::Only(both()) }),
        ),
        ("rules channels only #ops because x", Change::Set(Rule::Channels(ops))),
        ("rules channels everywhere because x", Change::Set(Rule::Channels(Places::Everywhere))),
        ("rules guests yes because x", Change::Set(Rule::Guests { welcome: true })),
        ("rules outsiders no because x", Change::Set(Rule::Outsiders { welcome: false })),
        ("rules reset deploy to production because x", Change::Reset(Matter::Deploy(Environment::Production))),
        ("rules reset channels because x", Change::Reset(Matter::Channels)),
    ] {
        assert_eq!(rules_of(text), change, "{text}");
    }
    assert_eq!(parse("rules"), Ok(Command::Rules { wish: RulesWish::Show }));
}

#[test]
fn a_word_that_names_two_people_names_nobody() {
    let mut mentions = Mentions::default();
    ["U1", "U2"].into_iter().for_each(|id| mentions.add("@ana", Mention::Person(UserId::parse(id).unwrap())));
    assert_eq!(parse_mentioning("rules use @ana", &mentions).unwrap_err().parts().1, "@ana");
}

#[test]
fn what_is_sought_in_every_form() {
    let change = |what, repository: Option<&str>| {
        Ok(Command::Where(Seek::Change { what, repository: repository.map(|name| RepoName::parse(name).unwrap()) }))
    };
    assert_eq!(parse("where web"), Ok(Command::Where(Seek::Pipeline(key("web")))));
    assert_eq!(parse("where web#7"), Ok(Command::Where(Seek::InPipeline { pipeline: key("web"), what: AskedRef::Pull(7) })));
    assert_eq!(parse("where web/topic"), Ok(Command::Where(Seek::InPipeline { pipeline: key("web"), what: named("topic") })));
    assert_eq!(parse("where #7"), change(AskedRef::Pull(7), None));
    assert_eq!(parse("where 27BD10A"), change(named("27bd10a"), None));
    assert_eq!(parse("where <https://example.com/acme/web/pull/7/files>"), change(AskedRef::Pull(7), Some("acme/web")));
    assert_eq!(parse("where https://example.com/acme/web/commit/27bd10a4"), change(named("27bd10a4"), Some("acme/web")));
    let diff = |from, to| Ok(Command::Diff(Stretch { pipeline: key("web"), from, to }));
    let (staging, eu) = (place(Environment::Staging, None), place(Environment::Production, Some("web-eu")));
    assert_eq!(parse("diff web"), diff(None, None));
    assert_eq!(parse("diff web from prod/web-eu to stg"), diff(Some(eu), Some(Limit::Place(staging.clone()))));
    assert_eq!(parse("diff web to topic from staging"), diff(Some(staging), Some(Limit::Ref(named("topic")))));
    assert_eq!(parse("diff web/topic"), diff(None, Some(Limit::Ref(named("topic")))));
    assert_eq!(parse("diff web to #7"), diff(None, Some(Limit::Ref(AskedRef::Pull(7)))));
}

#[test]
fn rollbacks_in_every_form() {
    let back =
        |place, to| Ok(Command::Rollback { place: Where { pipeline: key("web"), place }, to, because: None, terms: Terms::default() });
    let eu = place(Environment::Production, Some("web-eu"));
    assert_eq!(parse("rollback web"), back(None, None));
    assert_eq!(parse("rollback web in prod/web-eu to v12"), back(Some(eu.clone()), Some(12)));
    assert_eq!(parse("rollback web to V12 in prod/web-eu"), back(Some(eu), Some(12)));
    assert_eq!(pointed("rollback web v12"), ("v12".to_owned(), Some("to v12".to_owned())));
    assert_eq!(pointed("rollback web to v0"), ("v0".to_owned(), None));
    assert_eq!(pointed("rollback web to 12").0, "12");
}

#[test]
fn locks_in_every_form() {
    let hold = |environment| Hold { pipeline: key("web"), environment };
    let lock = |environment, end, anyway| Ok(Command::Lock(LockWish { on: hold(environment), branch: None, end, because: None, anyway }));
    let at = |day: Option<&str>, zone: Option<&str>| {
        let (day, time) = (day.map(|day| Day::parse(day).unwrap()), ClockTime::parse("17:00").unwrap());
        Some(Ending::At { day, time, zone: zone.map(|zone| ZoneName::parse(zone).unwrap()) })
    };
    let production = Some(Environment::Production);
    assert_eq!(parse("lock web"), lock(None, None, false));
    assert_eq!(parse("lock web for 1h30m in prod"), lock(production, Some(Ending::After(90)), false));
    assert_eq!(parse("lock web in prod for 2 days"), lock(production, Some(Ending::After(2880)), false));
    assert_eq!(parse("Lock web In prod UNTIL 17:00 europe/berlin"), lock(production, at(None, Some("Europe/Berlin")), false));
    assert_eq!(parse("lock web until 2026-12-01 17:00"), lock(None, at(Some("2026-12-01"), None), false));
    assert_eq!(parse("unlock web in prod"), Ok(Command::Unlock { on: Some(hold(production)), anyway: false, because: None }));
    let counted = Because::parse("all is counted").ok();
    assert_eq!(
        parse("cancel web because all is counted"),
        Ok(Command::Cancel { place: Where { pipeline: key("web"), place: None }, because: counted.clone() })
    );
    assert_eq!(
        parse("unlock web in prod anyway because all is counted"),
        Ok(Command::Unlock { on: Some(hold(Some(Environment::Production))), anyway: true, because: counted })
    );
    assert_eq!(parse("unlock all"), Ok(Command::Unlock { on: None, anyway: false, because: None }));
    let because = |text: &str| match parse(text) {
        Ok(Command::Lock(LockWish { because, .. })) => because.map(String::from),
        other => panic!("{other:?}"),
    };
    assert_eq!(because("lock web until 17:00 because of the move").as_deref(), Some("of the move"));
}

#[test]
fn errors_point_at_the_word_and_suggest() {
    for (text, word, meant) in [
        ("deplyo web", "deplyo", Some("deploy")),
        ("deplyo! web because x", "deplyo!", Some("deploy!")),
        ("frobnicate", "frobnicate", None),
        ("help deplyo", "deplyo", Some("deploy")),
        ("deploy web to stagin", "stagin", Some("staging")),
        ("deploy web to Prodction/web", "Prodction", Some("production")),
        ("deploy web staging", "staging", Some("to staging")),
        ("deploy web stagin/web-eu", "stagin/web-eu", Some("to staging/web-eu")),
        ("queue web staging", "staging", Some("in staging")),
        ("deploy web to staging becuase x", "becuase", Some("because")),
        ("deploy web too staging", "too", Some("to")),
        ("diff web frmo staging", "frmo", Some("from")),
        ("diff web staging", "staging", Some("to staging")),
        ("where #0", "#0", None),
        ("promote web production", "production", Some("to production")),
        ("promote! web to production", "", Some("because …")),
        ("promote web from", "", None),
        ("lock web production", "production", Some("in production")),
        ("lock web for two hours", "two", None),
        ("lock web for 100d", "100d", None),
        ("lock web for", "", Some("2h")),
        ("lock web until noon", "noon", None),
        ("lock web until 17:00 berlin", "berlin", Some("Europe/Berlin")),
        ("lock web in prod/web-eu", "prod/web-eu", Some("production")),
        ("lock web becuase x", "becuase", Some("because")),
        ("unlock web anway", "anway", Some("anyway")),
        ("unlock web anyway", "", Some("because …")),
        ("lock web anyway for 2h", "", Some("because …")),
        ("deploy", "", None),
        ("deploy web to", "", None),
        ("deploy to staging", "to", None),
        ("deploy! web", "", Some("because …")),
        ("deploy! web because", "", None),
        ("deploy web/", "", None),
        ("deploy web/a..b to staging", "a..b", None),
        ("deploy web#abc", "abc", None),
        ("deploy web#0", "0", None),
        ("deploy web to staging/", "", None),
        ("deploy web to staging/a@b", "a@b", None),
        ("deploy we%b/main", "we%b", None),
        ("info web/main", "web/main", Some("web")),
        ("pipelines web", "web", None),
        ("status web in staging", "in", None),
        ("rules usee everyone", "usee", Some("use")),
        ("rules deploy", "", None),
        ("rules deploy to prodution @ana", "prodution", Some("production")),
        ("rules deploy to production", "", None),
        ("rules deploy to production because x", "", None),
        ("rules deploy to production everyboy", "everyboy", Some("everyone")),
        ("rules use evryone", "evryone", Some("everyone")),
        ("rules use ana", "ana", Some("@ana")),
        ("rules use only #ops", "#ops", None),
        ("rules use everyone becuase x", "becuase", Some("because")),
        ("rules use everyone", "", Some("because …")),
        ("rules reset use", "", Some("because …")),
        ("rules channels ops", "ops", Some("#ops")),
        ("rules channels @ana", "@ana", None),
        ("rules guests maybe", "maybe", None),
        ("rules guests", "", None),
        ("rules rest use", "rest", Some("reset")),
        ("rules reset", "", None),
        ("rules reset use everyone", "everyone", None),
        ("deploy web/https://source.example.com/acme/api/pull/12", "web/https://source.example.com/acme/api/pull/12", Some("web#12")),
        ("deploy web/<https://source.example.com/acme/api/tree/x/y>", "web/https://source.example.com/acme/api/tree/x/y", Some("web/x/y")),
    ] {
        assert_eq!(pointed(text), (word.to_owned(), meant.map(str::to_owned)), "{text}");
    }
}

#[test]
fn a_correction_mends_every_slip_and_works() {
    for (text, corrected) in [
        ("deplyo web to stagin", Some("deploy web to staging")),
        ("deploy web stagin becuase it is red", Some("deploy web to staging because it is red")),
        ("deploy! web", Some("deploy! web because …")),
        ("queue web prod", Some("queue web in prod")),
        ("frobnicate", None),
    ] {
        assert_eq!(wrong(text).corrected().as_deref(), corrected, "{text}");
    }
}

#[test]
fn a_reason_that_has_to_be_there_is_not_said_to_be_left_out() {
    assert_eq!(wrong("free web becuase x").expected, "`in ENV` or `because WHY`");
    assert_eq!(wrong("free web in staging becuase x").expected, "`because WHY`");
    assert_eq!(wrong("cancel web becuase x").expected, "`in ENV`, `because WHY` or nothing more");
}

#[test]
fn a_code_in_the_wrong_place_is_never_repeated() {
    let wrong = wrong("deploy web 123456 to staging");
    assert_eq!(wrong.text, "deploy web ****** to staging");
    assert!(wrong.expected.contains("code"));
    assert!(!format!("{wrong:?}").contains("123456"));
}

#[test]
fn a_pinned_commit_prints_as_the_commit_named() {
    let commit = CommitSha::parse(&"a".repeat(40)).unwrap();
    let pinned = AskedRef::Pinned { of: CommitRef::Branch(RefName::parse("main").unwrap()), commit };
    let text = deploy(wish("web", pinned, Some(place(Environment::Staging, Some("web-eu"))))).to_string();
    assert_eq!(text, format!("deploy web/{} to staging/web-eu", "a".repeat(40)));
}

fn keys() -> impl Strategy<Value = PipelineKey> {
    prop_oneof![
        "[a-z0-9._-]{1,20}".prop_map(|name| key(&name)),
        "[0-9]{6,8}".prop_map(|name| key(&name)),
        "[cbdefghijklnrtuv]{32,48}".prop_map(|name| key(&name)),
        any::<u128>().prop_map(|id| PipelineKey::Id(PipelineId::parse(&uuid::Uuid::from_u128(id).to_string()).unwrap())),
        prop_oneof![Just("to"), Just("in"), Just("because"), Just("staging"), Just("help")].prop_map(key),
    ]
}

/// Any ref that can be typed: `#12` means a pull request, and mark-up and long dashes are undone.
fn refs() -> impl Strategy<Value = AskedRef> {
    let name = "[A-Za-z0-9é#._@'\"|!/-]{1,30}";
    prop_oneof![
        Just(AskedRef::Default),
        (1..=u64::MAX).prop_map(AskedRef::Pull),
        name.prop_filter_map("not a ref", |name| {
            let number = name.strip_prefix('#').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
            if number { None } else { RefName::parse(&name).ok().map(AskedRef::Named) }
        }),
    ]
}

fn places() -> impl Strategy<Value = Option<Place>> {
    let app = prop::option::of("[a-z0-9._-]{1,20}".prop_map(|name| AppName::parse(&name).unwrap()));
    let place = (prop::sample::select(&Environment::ALL[..]), app).prop_map(|(environment, app)| Place { environment, app });
    prop::option::of(place)
}

fn destinations() -> impl Strategy<Value = Option<Destination>> {
    let every = prop::sample::select(&Environment::ALL[..]).prop_map(|every_app_of| Some(Destination::Every { every_app_of }));
    prop_oneof![places().prop_map(|place| place.map(Destination::One)), every]
}

fn reasons() -> impl Strategy<Value = Because> {
    let text = prop_oneof![
        "[^\\p{Cc}<`]{1,60}",
        "[a-z \"“”'‘’«»]{1,20}",
        "[a-z\"' ]{0,20}[ \"'][0-9]{5,9}[ \"']{0,2}",
        "[a-z ]{0,9}[cbdefghijklnrtuv]{31,49}",
    ];
    text.prop_filter_map("not a reason", |text| Because::parse(&text).ok())
}

fn wishes() -> impl Strategy<Value = Wish> {
    (keys(), refs(), places()).prop_map(|(pipeline, what, to)| Wish { pipeline, what, to })
}

fn wheres() -> impl Strategy<Value = Where> {
    (keys(), places()).prop_map(|(pipeline, place)| Where { pipeline, place })
}

/// A commit's hash that nobody takes for anything else.
fn hashes() -> impl Strategy<Value = AskedRef> {
    "[0-9][0-9a-f]{6,39}".prop_map(|hash| named(&hash))
}

fn seeks() -> impl Strategy<Value = Seek> {
    let plain = || keys().prop_filter("read as a commit", |key| !matches!(key, PipelineKey::Name(name) if seems_a_hash(name.as_str())));
    prop_oneof![
        plain().prop_map(Seek::Pipeline),
        (plain(), refs().prop_filter("no ref", |what| *what != AskedRef::Default))
            .prop_map(|(pipeline, what)| Seek::InPipeline { pipeline, what }),
        hashes().prop_map(|what| Seek::Change { what, repository: None }),
        (
            prop_oneof![
                hashes(),
                (1..=u64::MAX).prop_map(AskedRef::Pull),
                "[a-z][a-z/.-]{0,9}[a-z]".prop_filter_map("no ref", |name| { RefName::parse(&name).ok().map(AskedRef::Named) })
            ],
            "[a-zA-Z0-9]{1,9}/[a-zA-Z0-9.-]{1,9}[a-z]"
        )
            .prop_map(|(what, name)| Seek::Change { what, repository: RepoName::parse(&name).ok() }),
        (1..=u64::MAX).prop_map(|number| Seek::Change { what: AskedRef::Pull(number), repository: None }),
    ]
}

fn seems_a_hash(name: &str) -> bool {
    name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) && name.bytes().any(|byte| byte.is_ascii_digit())
}

fn stretches() -> impl Strategy<Value = Stretch> {
    let place = || places().prop_filter_map("no place", |place| place);
    let limit = prop_oneof![
        place().prop_map(Limit::Place),
        hashes().prop_map(Limit::Ref),
        (1..=u64::MAX).prop_map(|number| Limit::Ref(AskedRef::Pull(number))),
    ];
    (keys(), prop::option::of(place()), prop::option::of(limit)).prop_map(|(pipeline, from, to)| Stretch { pipeline, from, to })
}

fn holds() -> impl Strategy<Value = Hold> {
    let environment = prop::option::of(prop::sample::select(&Environment::ALL[..]));
    (keys(), environment).prop_map(|(pipeline, environment)| Hold { pipeline, environment })
}

fn channels() -> impl Strategy<Value = ChannelId> {
    "[CG][0-9A-Z]{1,10}".prop_map(|id| ChannelId::parse(&id).unwrap())
}

fn onlys() -> impl Strategy<Value = Only> {
    let environments = prop::collection::btree_set(prop::sample::select(Environment::ALL.to_vec()), 0..4);
    (any::<bool>(), environments).prop_map(|(failures, environments)| Only { failures, environments })
}

fn endings() -> impl Strategy<Value = Ending> {
    let time = (0u8..24, 0u8..60).prop_map(|(hour, minute)| ClockTime::parse(&format!("{hour}:{minute:02}")).unwrap());
    let day = (2000u16..2100, 1u8..13, 1u8..29).prop_map(|(y, m, d)| Day::parse(&format!("{y}-{m:02}-{d:02}")).unwrap());
    let zone = prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+7"]);
    let zone = zone.prop_map(|name| ZoneName::parse(name).unwrap());
    prop_oneof![
        (1..=LONGEST_HOLD).prop_map(Ending::After),
        (prop::option::of(day), time, prop::option::of(zone)).prop_map(|(day, time, zone)| Ending::At { day, time, zone }),
    ]
}

fn lock_wishes() -> impl Strategy<Value = LockWish> {
    let branch = refs().prop_map(|what| if let AskedRef::Named(branch) = what { Some(branch) } else { None });
    (holds(), branch, prop::option::of(endings()), prop::option::of(reasons()), any::<bool>())
        .prop_map(|(on, branch, end, because, anyway)| LockWish { on, branch, end, anyway: anyway && because.is_some(), because })
}

fn moves() -> impl Strategy<Value = Command> {
    let spots = prop_oneof![Just(Spot::First), Just(Spot::Last), (1u16..100).prop_map(Spot::Nth)];
    (wishes(), spots).prop_map(|(wish, to)| {
        let Wish { pipeline, what, to: place } = wish;
        Command::QueueMove(MoveWish { pipeline, what, place, to })
    })
}

fn commands() -> impl Strategy<Value = Command> {
    let verbs: Vec<Verb> = COMMANDS.iter().map(|row| row.verb).collect();
    prop_oneof![
        prop::option::of(prop::sample::select(verbs)).prop_map(|about| Command::Help { about }),
        Just(Command::Pipelines),
        keys().prop_map(|pipeline| Command::Info { pipeline }),
        wishes().prop_map(Command::Plan),
        (wishes(), prop::option::of(reasons()), any::<bool>(), any::<bool>()).prop_map(|(wish, because, when_green, ask_first)| {
            Command::Deploy { wish, passing_checks: false, because, terms: Terms { when_green, ask_first, ..Terms::default() } }
        }),
        (wishes(), reasons())
            .prop_map(|(wish, why)| { Command::Deploy { wish, passing_checks: true, because: Some(why), terms: Terms::default() } }),
        prop::option::of(keys()).prop_map(|pipeline| Command::Status { pipeline }),
        prop_oneof![wheres().prop_map(Command::Queue), moves()],
        prop::option::of(wheres()).prop_map(|line| Command::Leave { line }),
        (wheres(), prop::option::of(reasons())).prop_map(|(place, because)| Command::Cancel { place, because }),
        (wheres(), reasons()).prop_map(|(place, because)| Command::Free { place, because }),
        Just(Command::Login),
        Just(Command::Logout),
        Just(Command::WhoAmI),
        Just(Command::Doctor),
        wheres().prop_map(Command::Releases),
        seeks().prop_map(Command::Where),
        stretches().prop_map(Command::Diff),
        (keys(), places(), destinations(), prop::option::of(reasons())).prop_map(|(pipeline, from, to, because)| Command::Promote {
            pipeline,
            from,
            to,
            passing_checks: false,
            because,
            terms: Terms::default(),
        }),
        (keys(), places(), destinations(), reasons()).prop_map(|(pipeline, from, to, why)| Command::Promote {
            pipeline,
            from,
            to,
            passing_checks: true,
            because: Some(why),
            terms: Terms::default(),
        }),
        (wheres(), prop::option::of(1..=u64::MAX), prop::option::of(reasons())).prop_map(|(place, to, because)| Command::Rollback {
            place,
            to,
            because,
            terms: Terms::default(),
        }),
        lock_wishes().prop_map(Command::Lock),
        (holds(), any::<bool>(), prop::option::of(reasons())).prop_map(|(on, anyway, because)| Command::Unlock {
            on: Some(on),
            anyway: anyway && because.is_some(),
            because
        }),
        Just(Command::Unlock { on: None, anyway: false, because: None }),
        Just(Command::Locks),
        prop::option::of(endings()).prop_map(|end| Command::Mute { end }),
        Just(Command::Unmute),
        (keys(), channels(), onlys()).prop_map(|(pipeline, to, only)| Command::Route(RouteWish { pipeline, to, only })),
        Just(Command::Routes),
        (keys(), prop::option::of(channels())).prop_map(|(pipeline, from)| Command::Unroute { pipeline, from }),
        (prop::option::of(keys()), prop::option::of(0_i64..4_000_000_000)).prop_map(|(pipeline, before)| {
            Command::History { pipeline, before: before.map(|second| jiff::Timestamp::from_second(second).unwrap()) }
        }),
        Just(Command::Rules { wish: RulesWish::Show }),
        (any_change(), reasons())
            .prop_map(|(change, because)| Command::Rules { wish: RulesWish::Change { change, because: Some(because) } }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_printed_reads_back_as_the_same(command in commands()) {
        let text = command.to_string();
        prop_assert_eq!(parse(&text), Ok(command), "{}", text);
    }

    #[test]
    fn nothing_printed_ends_in_a_code(command in commands(), code in prop_oneof!["[0-9]{6,8}", "[CBDEFGHIJKLNRTUVcbdefghijklnrtuv]{32,48}"]) {
        let text = command.to_string();
        prop_assert_eq!(split_code(&text), (text.as_str(), None));
        let with_code = format!("{text} {code}");
        prop_assert_eq!(split_code(&with_code), (text.as_str(), Some(code.as_str().into())));
    }

    #[test]
    fn nothing_makes_it_panic(text in any::<String>()) {
        let (rest, code) = split_code(&text);
        prop_assert!(rest.len() + code.map_or(0, |code| code.len()) <= text.len());
        points_into_the_text(rest)?;
    }

    #[test]
    fn nor_does_a_slip(command in commands(), at in any::<prop::sample::Index>(), slip in "[\\PC\u{0}-\u{1f}<>|/#!`\"\u{a0}\u{200b}]{0,3}", cut in 0usize..3) {
        let mut letters: Vec<char> = command.to_string().chars().collect();
        let at = at.index(letters.len());
        let end = (at + cut).min(letters.len());
        letters.splice(at..end, slip.chars());
        points_into_the_text(&letters.into_iter().collect::<String>())?;
    }
}

fn points_into_the_text(text: &str) -> Result<(), TestCaseError> {
    if let Err(wrong) = parse(text) {
        prop_assert!(wrong.text.get(wrong.at.clone()).is_some(), "{:?}", wrong);
        prop_assert!(!wrong.expected.is_empty());
        let (before, word, behind) = wrong.parts();
        prop_assert_eq!(format!("{before}{word}{behind}"), wrong.text.clone());
        wrong.corrected();
    }
    Ok(())
}
