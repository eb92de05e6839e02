//! The doors in every run of the tests: what was found before, the seeds, their mutations, and bytes of no kind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use super::{DOORS, Door, platform, seeds, source};

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn door(name: &str) -> Door {
    *DOORS.iter().find(|door| door.name == name).unwrap()
}

/// The inputs that once found something, or that reach what no seed does.
fn kept(door: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(top().join("fixtures/fuzz").join(door)) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// One change to an input.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    CutOff(Index),
    Cross(Index, Index, Index),
}

/// Pieces that mean something at some door.
const PIECES: [&str; 24] = [
    "\u{200b}",
    "“",
    "é",
    "\u{1b}[31m",
    "\r",
    "\n",
    " 123456",
    "`",
    "<",
    ">",
    "|",
    "%00",
    "&text=",
    "\"",
    "\\u0000",
    "null",
    "-1",
    "1e999",
    "[[[[[[[[",
    "\u{1e}200\n\n",
    "\nlocation: {self}/",
    "\nlink: <{self}/x>; rel=\"next\"",
    "\ntransfer-encoding: chunked",
    "{token}",
];

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, mask)| Change::Flip(at, mask)),
        (any::<Index>(), select(&PIECES[..])).prop_map(|(at, piece)| Change::Insert(at, piece.as_bytes().to_vec())),
        (any::<Index>(), vec(any::<u8>(), 1..4)).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (any::<Index>(), 1..30_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (any::<Index>(), 1..60_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        any::<Index>().prop_map(Change::CutOff),
        (any::<Index>(), any::<Index>(), any::<Index>()).prop_map(|(at, other, from)| Change::Cross(at, other, from)),
    ]
}

fn changed(mut input: Vec<u8>, change: &Change, all: &[Vec<u8>]) -> Vec<u8> {
    let place = |at: &Index, input: &[u8]| at.index(input.len() + 1);
    match change {
        Change::Flip(at, mask) => {
            let at = place(at, &input);
            input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= mask);
        }
        Change::Insert(at, piece) => {
            let at = place(at, &input);
            input.splice(at..at, piece.iter().copied());
        }
        Change::Remove(at, length) => {
            let at = place(at, &input);
            input.drain(at..(at + length).min(input.len()));
        }
        Change::Repeat(at, length) => {
            let at = place(at, &input);
            let piece = input[at..(at + length).min(input.len())].repeat(3);
            input.splice(at..at, piece);
        }
        Change::CutOff(at) => input.truncate(place(at, &input)),
        Change::Cross(at, other, from) => {
            let other = &all[other.index(all.len())];
            input.truncate(place(at, &input));
            input.extend_from_slice(&other[place(from, other)..]);
        }
    }
    input
}

/// Feeds a door: what is kept, every seed as it is, and `cases` inputs more.
fn held(name: &str, cases: u32) {
    let door = door(name);
    let all = seeds::of(name, top());
    assert!(all.len() >= 5, "the seeds of {name} were found");
    for file in kept(name) {
        (door.holds)(&std::fs::read(file).unwrap());
    }
    all.iter().for_each(|seed| (door.holds)(seed));
    let bytes = vec(any::<u8>(), 0..200).boxed();
    let mutated = (any::<Index>(), vec(change(), 1..6));
    let mutated = mutated.prop_map({
        let all = all.clone();
        move |(seed, changes)| changes.iter().fold(all[seed.index(all.len())].clone(), |input, change| changed(input, change, &all))
    });
    // The same inputs in every run: a run that fails can be run again. More of others: see CONTRIBUTING.md.
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, proptest::test_runner::TestRng::deterministic_rng(Default::default()));
    let input = prop_oneof![4 => mutated, 1 => bytes];
    runner
        .run(&input, |input| {
            (door.holds)(&input);
            Ok(())
        })
        .unwrap();
}

#[test]
fn commands() {
    held("commands", 3000);
}

#[test]
fn slack() {
    held("slack", 2000);
}

#[test]
fn source() {
    held("source", 800);
}

#[test]
fn platform() {
    held("platform", 800);
}

#[test]
fn follow() {
    held("follow", 300);
}

#[test]
fn rows() {
    held("rows", 3000);
}

#[test]
fn text() {
    held("text", 1500);
}

#[test]
fn scripts() {
    held("scripts", 500);
}

/// What is no door of its own: bytes of streams are another door's.
const ELSEWHERE: [&str; 1] = ["Platform::follow"];

#[test]
fn every_recorded_call_is_a_seed() {
    for (host, port, number) in
        [("github", "SourceControl::", source::number as fn(&str, &Value) -> Option<u8>), ("heroku", "Platform::", platform::number)]
    {
        let of_a_door = |call: &str| call.starts_with(port) || call.starts_with("SignInAt::");
        let mut calls = BTreeSet::new();
        for entry in std::fs::read_dir(top().join("fixtures").join(host)).unwrap() {
            let recording: Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
            let Some(call) = recording["call"].as_str().filter(|call| of_a_door(call) && !ELSEWHERE.contains(call)) else {
                continue;
            };
            assert!(number(call, &recording["with"]).is_some(), "recordings of {call} are no seeds: give it a number");
            calls.insert(call.to_owned());
        }
        assert!(calls.len() > 10 && calls.contains("SignInAt::renew"), "the recordings of {host} were found: {calls:?}");
    }
}

#[test]
fn every_kept_input_belongs_to_a_door() {
    let doors: BTreeSet<&str> = DOORS.iter().map(|door| door.name).collect();
    for entry in std::fs::read_dir(top().join("fixtures/fuzz")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(doors.contains(name.as_str()), "nothing reads fixtures/fuzz/{name}");
        assert!(kept(&name).len() <= 40, "few inputs are kept for {name}");
    }
}
