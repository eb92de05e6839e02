//! Every step in every state, and lives of a visit at random: who can ever come to a login by it.

use proptest::prelude::*;

use super::*;
use crate::domain::account::{Life, SealedTokens, Standing};
use crate::domain::names::{LoginId, UserId, WorkspaceId};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn digest(of: u8) -> Digest {
    Digest::new([of; 32])
}

/// The browser that opens it, and another one.
const BROWSERS: [u8; 2] = [1, 2];
const LINK: u8 = 10;
const STATE: u8 = 20;
const PASSCODE: u8 = 30;
const WRONG: u8 = 31;

fn ana() -> Person {
    Person { workspace: WorkspaceId::parse("T1").unwrap(), user: UserId::parse("U1").unwrap() }
}

fn login(id: &str) -> Login {
    Login {
        id: LoginId::parse(id).unwrap(),
        scopes: std::collections::BTreeSet::new(),
        rights: std::collections::BTreeSet::new(),
        grant: None,
        linked_at: at(0),
        life: Life::Open,
        standing: Standing::Good,
        tokens: SealedTokens::sealed("sealed".to_owned()),
    }
}

fn offered() -> SignIn {
    let kept = Some((Command::Help { about: None }, SignIn::keeps_until(at(0))));
    SignIn::offered(SignInId(uuid::Uuid::from_u128(1)), ana(), digest(LINK), kept, at(0))
}

fn opened() -> SignIn {
    offered().open(digest(BROWSERS[0]), at(1)).unwrap()
}

fn under_way() -> SignIn {
    opened().set_out(&digest(BROWSERS[0]), Provider::Platform, digest(STATE), at(2)).unwrap()
}

fn linked() -> SignIn {
    let back = under_way().come_back(&digest(BROWSERS[0]), &digest(STATE), at(3)).unwrap().0;
    back.linked(&digest(BROWSERS[0]), Provider::Platform, login("ana"), at(3)).unwrap()
}

fn shown() -> SignIn {
    linked().done(&digest(BROWSERS[0]), digest(PASSCODE), at(4)).unwrap()
}

fn over(end: End) -> SignIn {
    shown().over(end, at(5))
}

#[test]
fn the_grid_of_states_and_steps() {
    use Dead::{NoSuchWay, NothingLinked, OpenedBefore, OtherBrowser, Over, RanOut};
    let own = digest(BROWSERS[0]);
    type Step = fn(&SignIn, &Digest, Timestamp) -> Result<SignIn, Dead>;
    let steps: [(&str, Step); 5] = [
        ("open", |it, browser, now| it.open(*browser, now)),
        ("set out", |it, browser, now| it.set_out(browser, Provider::SourceControl, digest(STATE), now)),
        ("come back", |it, browser, now| it.come_back(browser, &digest(STATE), now).map(|(it, _)| it)),
        ("link", |it, browser, now| it.linked(browser, Provider::SourceControl, login("ana"), now)),
        ("done", |it, browser, now| it.done(browser, digest(PASSCODE), now)),
    ];
    let outcome = |it: &SignIn, step: Step, browser: &Digest, now| step(it, browser, now).map(|_| ()).err();
    // One row a state: what each of the five steps comes to, for the browser that has opened it.
    let grid = [
        ("offered", offered(), [None, Some(OtherBrowser), Some(OtherBrowser), Some(OtherBrowser), Some(OtherBrowser)]),
        ("opened", opened(), [Some(OpenedBefore), None, Some(NoSuchWay), None, Some(NothingLinked)]),
        ("under way", under_way(), [Some(OpenedBefore), None, None, None, Some(NothingLinked)]),
        ("linked", linked(), [Some(OpenedBefore), None, Some(NoSuchWay), None, None]),
        ("shown", shown(), [Some(OpenedBefore), None, Some(NoSuchWay), None, None]),
        ("over", over(End::Confirmed), [Some(Over(End::Confirmed)); 5]),
    ];
    for (state, it, wanted) in &grid {
        let found = steps.map(|(_, step)| outcome(it, step, &own, at(6)));
        assert_eq!(found, *wanted, "{state}");
        for (name, step) in steps {
            let late = outcome(it, step, &own, at(100_000));
            let wanted = if *state == "over" { Over(End::Confirmed) } else { RanOut };
            assert_eq!(late, Some(wanted), "{state}, {name}, too late");
            if *state != "offered" && *state != "over" && name != "open" {
                assert_eq!(outcome(it, step, &digest(BROWSERS[1]), at(6)), Some(OtherBrowser), "{state}, {name}, in another browser");
            }
        }
    }
}

#[test]
fn a_state_comes_back_once_and_the_newest_counts() {
    let own = digest(BROWSERS[0]);
    let twice = under_way().set_out(&own, Provider::Platform, digest(21), at(3)).unwrap();
    assert_eq!(twice.come_back(&own, &digest(STATE), at(4)).unwrap_err(), Dead::NoSuchWay);
    let (back, from) = twice.come_back(&own, &digest(21), at(4)).unwrap();
    assert_eq!(from, Provider::Platform);
    assert_eq!(back.come_back(&own, &digest(21), at(5)).unwrap_err(), Dead::NoSuchWay);
}

#[test]
fn the_right_passcode_gives_what_was_linked_and_ends_it() {
    let (after, typed) = shown().typed(&digest(PASSCODE), at(5));
    assert_eq!(typed, Typed::Right(BTreeMap::from([(Provider::Platform, login("ana"))])));
    assert_eq!((after.held().len(), after.leaving.len(), after.kept.is_none()), (0, 0, true));
    assert_eq!(after.typed(&digest(PASSCODE), at(6)).1, Typed::Not(Dead::Over(End::Confirmed)));
}

#[test]
fn three_wrong_passcodes_end_it_also_when_new_ones_are_shown() {
    let own = digest(BROWSERS[0]);
    let mut it = shown();
    for left in [2, 1] {
        let (after, typed) = it.typed(&digest(WRONG), at(5));
        assert_eq!(typed, Typed::Wrong { tries_left: left });
        it = after.done(&own, digest(PASSCODE), at(5)).unwrap();
    }
    let (after, typed) = it.typed(&digest(WRONG), at(5));
    assert_eq!((typed, after.is_over(at(5))), (Typed::Wrong { tries_left: 0 }, true));
    assert_eq!(after.typed(&digest(PASSCODE), at(5)).1, Typed::Not(Dead::Over(End::WrongPasscodes)));
}

#[test]
fn a_login_that_is_linked_later_needs_a_new_passcode() {
    let own = digest(BROWSERS[0]);
    let more = shown().linked(&own, Provider::SourceControl, login("bob"), at(5)).unwrap();
    assert_eq!(more.typed(&digest(PASSCODE), at(6)).1, Typed::Not(Dead::NothingLinked));
}

#[test]
fn what_is_replaced_or_linked_in_vain_is_left_to_be_ended() {
    let own = digest(BROWSERS[0]);
    let ids = |it: &SignIn| it.leaving.iter().map(|leaving| leaving.login.id.as_str().to_owned()).collect::<Vec<_>>();
    let twice = shown().linked(&own, Provider::Platform, login("bob"), at(5)).unwrap();
    assert_eq!(ids(&twice), ["ana"], "the first is not to be had by anybody");
    for end in [End::Replaced, End::RanOut, End::WrongPasscodes, End::GivenUp] {
        let it = twice.over(end, at(6));
        assert_eq!((ids(&it), it.is_due(at(6))), (vec!["ana".to_owned(), "bob".to_owned()], true));
        let some = it.left_with(it.leaving.iter().take(1).cloned().collect(), at(6));
        assert_eq!((some.is_due(at(605)), some.is_due(at(606))), (false, true), "it is tried again after a while");
        assert_eq!((some.gives_up_ending(at(86_405)), some.gives_up_ending(at(86_406))), (false, true));
        assert!(!some.left_with(Vec::new(), at(7)).is_due(at(100_000)), "and no more once it is done");
    }
    assert_eq!(ids(&twice.over(End::Confirmed, at(6))), ["ana"], "what was confirmed is the person's");
}

#[test]
fn a_command_waits_from_when_it_was_typed() {
    let until = SignIn::keeps_until(at(0));
    let again = SignIn::offered(SignInId(uuid::Uuid::from_u128(2)), ana(), digest(LINK), Some((Command::Pipelines, until)), at(1_700));
    assert_eq!(again.kept_at(at(1_799)), Some(Kept::Waits { command: Command::Pipelines, until }));
    assert_eq!(again.kept_at(at(1_800)), Some(Kept::RanOut(Command::Pipelines)));
    let late = again.over(End::RanOut, at(2_300));
    assert_eq!((late.kept_at(at(2_300)), late.goes_on()), (Some(Kept::RanOut(Command::Pipelines)), false));
    assert_eq!(late.over(End::Replaced, at(2_400)).kept_at(at(2_400)), None);
}

#[test]
fn nothing_secret_is_printed() {
    assert!(!format!("{:?}", shown()).contains("30, 30"));
}

/// A step of a life at random.
#[derive(Clone, Debug)]
enum Event {
    Open(u8),
    SetOut(u8, Provider, u8),
    ComeBack(u8, u8),
    Done(u8, u8),
    Type(u8),
    Wait(i64),
    Replace,
}

fn events() -> impl Strategy<Value = Event> {
    let browser = || prop::sample::select(BROWSERS.to_vec());
    let provider = prop::sample::select(Provider::ALL.to_vec());
    let state = || STATE..STATE + 3;
    let passcode = || PASSCODE..PASSCODE + 2;
    prop_oneof![
        3 => browser().prop_map(Event::Open),
        4 => (browser(), provider, state()).prop_map(|(browser, to, state)| Event::SetOut(browser, to, state)),
        4 => (browser(), state()).prop_map(|(browser, state)| Event::ComeBack(browser, state)),
        3 => (browser(), passcode()).prop_map(|(browser, code)| Event::Done(browser, code)),
        3 => passcode().prop_map(Event::Type),
        1 => (1_i64..400).prop_map(Event::Wait),
        1 => Just(Event::Replace),
    ]
}

proptest! {
    /// Whatever happens in whatever order: one browser ever gets in, what is confirmed was linked by it and shown to it, nothing
    /// happens after the end, and tokens that were linked are confirmed or still held to be revoked.
    #[test]
    fn lives_of_a_visit(events in prop::collection::vec(events(), 1..60)) {
        let (mut it, mut now) = (offered(), 0_i64);
        let (mut first, mut last_shown, mut wrong) = (None, None, 0_u8);
        for event in events {
            let (before, moment) = (it.clone(), at(now));
            let over_before = it.is_over(moment);
            match event {
                Event::Open(browser) => if let Ok(after) = it.open(digest(browser), moment) {
                    prop_assert!(first.is_none(), "a link opens once");
                    first = Some(browser);
                    it = after;
                },
                Event::SetOut(browser, to, state) => if let Ok(after) = it.set_out(&digest(browser), to, digest(state), moment) {
                    prop_assert_eq!(Some(browser), first);
                    it = after;
                },
                Event::ComeBack(browser, state) => if let Ok((after, from)) = it.come_back(&digest(browser), &digest(state), moment) {
                    prop_assert_eq!(Some(browser), first);
                    it = after.linked(&digest(browser), from, login("somebody"), moment).unwrap();
                    last_shown = None;
                    let again = it.come_back(&digest(browser), &digest(state), moment);
                    prop_assert!(!matches!(again, Ok((_, there)) if there == from), "a state is good once");
                },
                Event::Done(browser, code) => if let Ok(after) = it.done(&digest(browser), digest(code), moment) {
                    prop_assert_eq!(Some(browser), first);
                    last_shown = Some(code);
                    it = after;
                },
                Event::Type(code) => {
                    let (after, typed) = it.typed(&digest(code), moment);
                    match typed {
                        Typed::Right(logins) => {
                            prop_assert_eq!(last_shown, Some(code));
                            prop_assert_eq!(logins, it.held());
                            prop_assert!(after.is_over(moment));
                        }
                        Typed::Wrong { tries_left } => {
                            wrong += 1;
                            prop_assert!(tries_left == TRIES - wrong);
                            prop_assert_eq!(tries_left == 0, after.is_over(moment));
                        }
                        Typed::Not(_) => prop_assert_eq!(&after, &it),
                    }
                    it = after;
                }
                Event::Wait(seconds) => now += seconds,
                Event::Replace => it = it.over(End::Replaced, moment),
            }
            if over_before {
                prop_assert!(it == before || matches!(it.stage, Stage::Over { .. }), "what is over does not go on");
                prop_assert!(it.held() == before.held() || it.held().is_empty());
            }
            let confirmed = matches!(it.stage, Stage::Over { end: End::Confirmed, .. });
            let here = it.held().len() + it.leaving.len();
            prop_assert!(here >= before.held().len() + before.leaving.len() || confirmed, "nothing that was linked is lost sight of");
            prop_assert_eq!(&it.person, &ana());
        }
    }
}
