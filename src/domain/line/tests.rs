//! The line under any interleaving: no two holders, nobody lost, nobody starved, order kept.

use proptest::prelude::*;

use super::*;

fn id(n: u8) -> DeploymentId {
    DeploymentId(uuid::Uuid::from_u128(u128::from(n)))
}

fn line() -> Line {
    Line::empty(AppId::parse("app").unwrap())
}

#[test]
fn an_old_end_frees_nothing_of_a_later_one() {
    let first = line().joined_by(id(1)).joined_by(id(2));
    let second = first.left_by(id(1)).unwrap();
    assert_eq!(second.holder, Some(id(2)));
    assert_eq!(second.left_by(id(1)), None);
}

#[test]
fn whoever_waits_for_checks_holds_nobody_up_and_keeps_the_place() {
    let waits = line().joined_unready_by(id(1)).joined_by(id(2)).joined_by(id(3));
    assert_eq!((waits.holder, waits.place_of(id(1)), waits.place_of(id(3))), (Some(id(2)), Some(1), Some(1)));
    let green = waits.ready(id(1)).unwrap();
    assert_eq!((green.holder, green.place_of(id(3))), (Some(id(2)), Some(2)), "in the place where it stood");
    let turn = green.left_by(id(2)).unwrap();
    let again = turn.unready(id(1)).unwrap();
    assert_eq!((turn.holder, again.holder), (Some(id(1)), Some(id(3))));
    assert_eq!(again.left_by(id(3)).unwrap().ready(id(1)).unwrap().holder, Some(id(1)));
    assert_eq!((again.ready(id(2)), again.unready(id(1))), (None, None), "once");
}

#[test]
fn a_line_as_it_was_stored_before_is_one_in_which_everybody_is_ready() {
    let stored = r#"{"app":"app","version":3,"holder":null,"waiting":[]}"#;
    assert_eq!(serde_json::from_str::<Line>(stored).unwrap(), Line { version: 3, ..line() });
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Joins,
    JoinsUnready,
    Leaves,
    Ready,
    Unready,
    Moved(usize),
}

fn events() -> impl Strategy<Value = Vec<(Event, u8)>> {
    let event = prop_oneof![
        Just(Event::Joins),
        Just(Event::JoinsUnready),
        Just(Event::Leaves),
        Just(Event::Ready),
        Just(Event::Unready),
        (0usize..6).prop_map(Event::Moved)
    ];
    prop::collection::vec((event, 0u8..6), 0..80)
}

proptest! {
    #[test]
    fn never_two_holders_nobody_lost_nobody_starved_order_kept(events in events()) {
        let mut line = line();
        // Who stands in it in the order in which they came, and who of them waits for more.
        let mut came: Vec<DeploymentId> = Vec::new();
        let mut unready: BTreeSet<DeploymentId> = BTreeSet::new();
        for (event, n) in events {
            let (before, one) = (line.clone(), id(n));
            let stood = came.contains(&one);
            match event {
                Event::Joins => line = line.joined_by(one),
                Event::JoinsUnready => line = line.joined_unready_by(one),
                Event::Leaves => {
                    let left = line.left_by(one);
                    prop_assert_eq!(left.is_some(), stood, "left exactly once");
                    line = left.unwrap_or(line);
                    came.retain(|other| *other != one);
                    unready.remove(&one);
                }
                Event::Ready => {
                    let ready = line.ready(one);
                    prop_assert_eq!(ready.is_some(), unready.remove(&one));
                    line = ready.unwrap_or(line);
                }
                Event::Moved(to) => {
                    let moved = line.moved(one, to);
                    let holds = line.holder == Some(one);
                    prop_assert!(moved.is_none() || stood && !holds, "only who waits is moved");
                    line = moved.unwrap_or(line);
                    if stood && !holds {
                        let place = line.holder.and_then(|holder| came.iter().position(|other| *other == holder));
                        came.retain(|other| *other != one && Some(*other) != line.holder);
                        came.insert(to.min(came.len()), one);
                        if let (Some(place), Some(holder)) = (place, line.holder) { came.insert(place, holder); }
                    }
                }
                Event::Unready => {
                    let waits = line.unready(one);
                    prop_assert_eq!(waits.is_some(), stood && unready.insert(one));
                    line = waits.unwrap_or(line);
                }
            }
            if matches!(event, Event::Joins | Event::JoinsUnready) && !stood {
                came.push(one);
                if matches!(event, Event::JoinsUnready) { unready.insert(one); }
            }
            let kept = before.holder.filter(|holder| came.contains(holder) && !unready.contains(holder));
            let holder = kept.or_else(|| came.iter().copied().find(|one| !unready.contains(one)));
            prop_assert_eq!(line.holder, holder, "nobody is pushed out, and a free app goes to the first who can use it");
            let waiting: Vec<_> = came.iter().copied().filter(|one| Some(*one) != holder).collect();
            prop_assert_eq!(&line.waiting, &waiting, "nobody lost, nobody twice, first come, first served");
            prop_assert_eq!(&line.not_ready, &unready);
        }
        // Everybody becomes ready and gets the app, one after the other.
        for one in came.clone() { line = line.ready(one).unwrap_or(line); }
        let mut served = Vec::new();
        while let Some(holder) = line.holder {
            served.push(holder);
            line = line.left_by(holder).unwrap();
        }
        prop_assert_eq!(served.len(), came.len(), "nobody starves");
    }
}
