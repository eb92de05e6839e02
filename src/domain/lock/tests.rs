use proptest::prelude::*;

use super::*;
use crate::domain::deployment::samples::{at, person};

fn wish(on: Scope, holder: &str, request: u32, now: Timestamp, until: Option<Timestamp>) -> Lock {
    Lock {
        on,
        branch: None,
        holder: person(holder),
        because: None,
        since: now,
        set_at: now,
        until,
        taken_in: ChannelId::parse("C1").unwrap(),
        request: DeliveryId::parse(&format!("d{request}")).unwrap(),
        reminders: 0,
    }
}

fn none() -> Locks {
    Locks::none(PipelineId::parse("p").unwrap(), PipelineName::parse("hubot").unwrap())
}

const STAGING: Scope = Scope::Environment(Environment::Staging);
const PRODUCTION: Scope = Scope::Environment(Environment::Production);

#[test]
fn a_lock_keeps_others_out_until_it_ends() {
    let locks = none().taken(wish(STAGING, "ana", 1, at(0), Some(at(60))), false, at(0)).unwrap().locks;
    assert!(locks.against(&person("bo"), Environment::Staging, at(59)).is_some());
    assert!(locks.against(&person("ana"), Environment::Staging, at(59)).is_none());
    assert!(locks.against(&person("bo"), Environment::Production, at(59)).is_none());
    assert!(locks.against(&person("bo"), Environment::Staging, at(60)).is_none());
    let over = locks.swept(at(70));
    assert!(over.held.is_empty());
    assert_eq!((over.ended[0].at, &over.ended[0].how, over.ended[0].told), (at(60), &End::RanOut, false));
}

#[test]
fn what_is_not_said_stays_as_it_was() {
    let first = Lock { because: Because::parse("a migration").ok(), ..wish(STAGING, "ana", 1, at(0), Some(at(60))) };
    let locks = none().taken(first, false, at(0)).unwrap().locks;
    let taken = locks.taken(wish(STAGING, "ana", 2, at(10), Some(at(600))), false, at(10)).unwrap();
    assert!(taken.had);
    assert_eq!((taken.lock.since, taken.lock.until), (at(0), Some(at(600))));
    assert_eq!(taken.lock.because, Because::parse("a migration").ok());
}

#[test]
fn a_lock_for_a_branch_says_what_else_is_meant() {
    let name = |name| RefName::parse(name).unwrap();
    let branch = |of| Lock { branch: Some(name(of)), ..wish(STAGING, "ana", 1, at(0), None) };
    let pull = |of| CommitRef::Pull { number: 7, branch: name(of) };
    let topic = branch("topic");
    assert!(!topic.is_for_another(&CommitRef::Branch(name("topic"))) && !topic.is_for_another(&pull("topic")));
    for other in [CommitRef::Branch(name("main")), pull("main"), CommitRef::Tag(name("topic")), CommitRef::Commit] {
        assert!(topic.is_for_another(&other), "{other:?}");
        assert!(!wish(STAGING, "ana", 1, at(0), None).is_for_another(&other), "a person's lock is for whatever they ship");
    }
    let locks = none().taken(topic, false, at(0)).unwrap().locks;
    let longer = locks.taken(wish(STAGING, "ana", 2, at(9), Some(at(60))), false, at(9)).unwrap();
    assert_eq!(longer.lock.branch, Some(name("topic")), "what is not said stays");
    let other = locks.taken(Lock { request: DeliveryId::parse("d3").unwrap(), ..branch("main") }, false, at(9)).unwrap();
    assert_eq!(other.lock.branch, Some(name("main")));
    assert!(locks.against(&person("bo"), Environment::Staging, at(9)).is_some(), "others are kept out all the same");
}

#[test]
fn a_part_of_a_wider_lock_is_not_taken_silently() {
    let locks = none().taken(wish(Scope::Pipeline, "ana", 1, at(0), None), false, at(0)).unwrap().locks;
    assert!(matches!(locks.taken(wish(STAGING, "bo", 2, at(1), None), true, at(1)), Err(NotTaken::Held(others)) if others.len() == 1));
    let taken = locks.taken(wish(Scope::Pipeline, "bo", 3, at(1), None), true, at(1)).unwrap();
    assert_eq!(taken.over[0].holder, person("ana"));
    assert_eq!(taken.locks.against(&person("ana"), Environment::Review, at(1)).unwrap().holder, person("bo"));
}

#[test]
fn reminders_come_before_the_end_or_ever_more_seldom() {
    let short = wish(STAGING, "ana", 1, at(0), Some(at(1200)));
    assert_eq!(short.remind_at(), Some(at(900)));
    assert_eq!(wish(STAGING, "ana", 1, at(0), Some(at(36_000))).remind_at(), Some(at(36_000 - 900)));
    let days = |reminders| Lock { reminders, ..wish(STAGING, "ana", 1, at(0), None) }.remind_at();
    assert_eq!([days(0), days(1), days(2)], [1, 3, 7].map(|day| Some(at(day * 86_400))));
}

#[test]
fn times_of_day_are_those_of_their_zone() {
    let now: Timestamp = "2026-03-28T16:30:00Z".parse().unwrap();
    let end = |text: &str, zone: Option<&str>| {
        let (day, time) = text.split_once(' ').map_or((None, text), |(day, time)| (Some(Day::parse(day).unwrap()), time));
        Ending::At { day, time: ClockTime::parse(time).unwrap(), zone: zone.map(|zone| ZoneName::parse(zone).unwrap()) }.from(now)
    };
    let said = |text: &str| Some(text.parse::<Timestamp>().unwrap());
    assert_eq!(end("17:00", None), said("2026-03-28T17:00:00Z"));
    assert_eq!(end("17:00", Some("europe/berlin")), said("2026-03-29T15:00:00Z"), "over for today, and summer begins tonight");
    assert_eq!(end("18:00", Some("Europe/Berlin")), said("2026-03-28T17:00:00Z"));
    assert_eq!(end("02:30", Some("Europe/Berlin")), said("2026-03-29T01:30:00Z"), "an hour that does not exist");
    assert_eq!(end("2026-03-27 17:00", None), None, "it is over");
    assert_eq!(end("2027-03-27 17:00", None), None, "it is too far away");
    assert_eq!(Ending::After(90).from(now), said("2026-03-28T18:00:00Z"));
    assert_eq!(ZoneName::nearest("berlin").as_deref(), Some("Europe/Berlin"));
    assert_eq!(ZoneName::nearest("Europe/Berln").as_deref(), Some("Europe/Berlin"));
    assert!(ZoneName::parse("Middle/Earth").is_err());
}

#[derive(Clone, Debug)]
enum Event {
    Take {
        who: u8,
        on: Scope,
        minutes: Option<i64>,
        anyway: bool,
    },
    Free {
        who: u8,
        on: Scope,
        anyway: bool,
    },
    Pass(i64),
    Sweep,
    Tell,
    /// What was decided last is lost before it is saved, and decided again.
    Crash,
}

fn scopes() -> impl Strategy<Value = Scope> {
    prop::sample::select(vec![Scope::Pipeline, STAGING, PRODUCTION])
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0u8..3, scopes(), prop::option::of(1i64..90), any::<bool>())
            .prop_map(|(who, on, minutes, anyway)| Event::Take { who, on, minutes, anyway }),
        3 => (0u8..3, scopes(), any::<bool>()).prop_map(|(who, on, anyway)| Event::Free { who, on, anyway }),
        2 => (1i64..60).prop_map(Event::Pass),
        1 => Just(Event::Sweep),
        1 => Just(Event::Tell),
        2 => Just(Event::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// No two people hold an environment, whoever asks for what and whatever is lost; no lock is lost without that it has ended,
    /// and nobody's lock ends for somebody else without that they are to be told.
    #[test]
    fn no_two_hold_the_same(events in prop::collection::vec(events(), 1..40)) {
        let names = ["ana", "bo", "cy"].map(person);
        let (mut locks, mut now, mut requests) = (none(), at(0), 0_u32);
        let mut lost: Option<(Locks, Locks)> = None;
        for event in events {
            let before = locks.clone();
            requests += 1;
            let request = DeliveryId::parse(&format!("d{requests}")).unwrap();
            match event {
                Event::Take { who, on, minutes, anyway } => {
                    let until = minutes.map(|minutes| now + SignedDuration::from_mins(minutes));
                    let wish = Lock { request: request.clone(), ..wish(on, names[usize::from(who)].user.as_str(), requests, now, until) };
                    match locks.taken(wish.clone(), anyway, now) {
                        Ok(taken) => {
                            prop_assert_eq!(&taken.locks.taken(wish, anyway, now).unwrap().locks, &taken.locks, "twice is once");
                            prop_assert!(anyway || taken.over.is_empty());
                            locks = taken.locks;
                        }
                        Err(NotTaken::Held(others)) => prop_assert!(others.iter().all(|lock| lock.holds(now) && lock.holder != wish.holder)),
                        Err(NotTaken::OverAlready) => prop_assert!(false, "it was never taken"),
                    }
                }
                Event::Free { who, on, anyway } => {
                    let who = &names[usize::from(who)];
                    let how = if anyway { Freeing::Anyway(None) } else { Freeing::Own };
                    if let Ok(freed) = locks.freed(on, who, how, &request, now) {
                        prop_assert!(anyway || freed.freed.iter().all(|lock| lock.holder == *who));
                        prop_assert_eq!(&freed.locks.freed(on, who, how, &request, now).unwrap().locks, &freed.locks, "twice is once");
                        locks = freed.locks;
                    }
                }
                Event::Pass(minutes) => now += SignedDuration::from_mins(minutes),
                Event::Sweep => locks = locks.swept(now),
                Event::Tell => locks.ended.iter_mut().for_each(|ended| ended.told = true),
                Event::Crash => {
                    if let Some((old, _)) = lost.take() {
                        locks = old;
                    }
                }
            }
            lost = Some((before, locks.clone()));
            for environment in Environment::ALL {
                let mut holders: Vec<_> = locks.at(now).filter(|lock| lock.on.covers(environment)).map(|lock| &lock.holder).collect();
                holders.dedup();
                prop_assert!(holders.len() <= 1, "{environment} is held by {holders:?}");
                for somebody in &names {
                    let kept_out = locks.against(somebody, environment, now).is_some();
                    prop_assert_eq!(kept_out, holders.first().is_some_and(|holder| *holder != somebody));
                }
            }
            prop_assert!(locks.swept(now).held.iter().all(|lock| lock.holds(now)));
            for ended in &locks.ended {
                prop_assert!(!locks.held.contains(&ended.lock), "it has ended and holds");
            }
            let due = locks.due();
            prop_assert!(locks.held.iter().filter_map(|lock| lock.until).all(|until| due.is_some_and(|due| due <= until)));
        }
    }
}

#[test]
fn of_a_workspace_that_left_what_came_later_stays() {
    let t1 = person("ana").workspace;
    let elsewhere = Lock {
        holder: Person { workspace: WorkspaceId::parse("T9").unwrap(), user: person("zoe").user },
        ..wish(STAGING, "ana", 1, at(0), None)
    };
    let before = none().taken(elsewhere, false, at(0)).unwrap().locks;
    let before = before.taken(wish(STAGING, "ana", 2, at(1), None), true, at(1)).unwrap().locks;
    let both = before.taken(wish(PRODUCTION, "bo", 3, at(10), None), false, at(10)).unwrap().locks;
    let left = both.without_workspace(&t1, at(5)).unwrap();
    assert_eq!((left.held.len(), left.held[0].holder.clone(), left.ended.len()), (1, person("bo"), 0), "and so has how they ended others'");
    assert_eq!(left.without_workspace(&t1, at(5)), None, "what came later is not looked for again and again");
    let over = left.taken(wish(PRODUCTION, "cy", 4, at(11), None), true, at(11)).unwrap().locks;
    assert_eq!(over.without_workspace(&t1, at(5)), None);
    assert!(over.without_workspace(&t1, at(12)).is_some_and(|left| left.held.is_empty() && left.ended.is_empty()));
}
