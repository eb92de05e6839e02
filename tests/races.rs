//! Races: the real service on ports in memory, where a seed decides at every call who goes on next. What was wrong is told with the
//! seed, and the seed alone brings it back: `SLASH_HEROKU_SEEDS=NUMBER` plays one and tells its story, `SLASH_HEROKU_SEEDS=FIRST..END`
//! plays others than the ordinary ones.

pub mod memory;
mod plots;
mod requests;
mod schedule;
mod seat;
mod seat_outside;
mod seat_store;
mod stage;
mod truth;
mod world;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use memory::Broken;
use plots::{KINDS, kind_of, plot, setting_of};
use stage::{Run, Setting, run};

/// The seeds of the ordinary run.
const SEEDS: Range<u64> = 0..2_500;

fn seeds() -> (Range<u64>, bool) {
    #[expect(clippy::disallowed_methods, reason = "SLASH_HEROKU_SEEDS is a switch of the tests, not a setting of the product")]
    let Ok(text) = std::env::var("SLASH_HEROKU_SEEDS") else { return (SEEDS, false) };
    match text.split_once("..") {
        Some((first, end)) => (first.parse().unwrap()..end.parse().unwrap(), false),
        None => {
            let seed: u64 = text.parse().unwrap();
            (seed..seed + 1, true)
        }
    }
}

fn told(seed: u64, setting: Setting) -> String {
    let told = run(Setting { tells: true, ..setting }, plot);
    format!("seed {seed} ({}), {setting:?}:\n{}\n{}", KINDS[kind_of(seed)], told.story.join("\n"), told.faults.join("\n"))
}

/// Plays seeds on two threads; returns those in which something was wrong.
fn played(seeds: Range<u64>, run_one: impl Fn(u64) -> Run + Sync) -> (Vec<(u64, Vec<String>)>, u64) {
    let (next, steps) = (AtomicU64::new(seeds.start), AtomicU64::new(0));
    let work = || {
        let mut wrong = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return wrong;
            }
            let run = run_one(seed);
            steps.fetch_add(run.steps, Ordering::Relaxed);
            if !run.faults.is_empty() {
                wrong.push((seed, run.faults));
            }
        }
    };
    let mut wrong: Vec<(u64, Vec<String>)> = std::thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    wrong.sort();
    (wrong, steps.into_inner())
}

#[test]
fn nothing_is_lost_doubled_or_untrue_in_any_race() {
    let (seeds, tells) = seeds();
    if tells {
        println!("{}", told(seeds.start, setting_of(seeds.start)));
    }
    let many = seeds.end - seeds.start;
    let (wrong, steps) = played(seeds, |seed| run(setting_of(seed), plot));
    println!("{many} seeds, {steps} steps");
    let story = wrong.first().map(|(seed, _)| told(*seed, setting_of(*seed))).unwrap_or_default();
    let all: Vec<String> = wrong.iter().map(|(seed, faults)| format!("{seed}: {}", faults.join("; "))).collect();
    assert!(wrong.is_empty(), "{story}\n\n{} of {many} seeds:\n{}", wrong.len(), all.join("\n"));
}

#[test]
fn a_seed_brings_the_same_run_back() {
    for seed in 0..36 {
        let setting = Setting { tells: true, ..setting_of(seed) };
        let (first, second) = (run(setting, plot), run(setting, plot));
        assert_eq!(first.story, second.story, "seed {seed}");
        assert!(first.steps > 50, "seed {seed}: {}", first.story.join("\n"));
    }
}

/// A hundred people deploy to one app at the same time, over three processes: one has the app, and the others wait or join.
#[test]
fn of_a_hundred_starts_at_once_one_has_the_app() {
    let setting = Setting { seed: 0, processes: 3, bad_luck: 0, freezes: 0, broken: None, tells: false };
    let run = run(setting, |stage| {
        let mut plot: stage::Plot<'_> = Vec::new();
        for n in 0..100 {
            // Every person asks for each of two branches, or twice for the same.
            let (slot, user, branch) = (n % 3, format!("person{}", n % 50), if n % 4 == 0 { "topic" } else { "main" });
            plot.push(Box::pin(async move { stage.ask(slot, &format!("d{n}"), &user, stage::deploy("hubot", branch), None).await }));
        }
        plot
    });
    assert!(run.faults.is_empty(), "{}", run.faults.join("\n"));
}

/// Among how many seeds a broken promise shows.
const SHOWS_WITHIN: u64 = 1_000;

#[test]
fn a_store_that_breaks_a_promise_is_found_out() {
    for broken in [Broken::Versions, Broken::Fences, Broken::Claims, Broken::Deliveries] {
        let goes_wrong = |broken, seed| !run(Setting { broken, ..setting_of(seed) }, plot).faults.is_empty();
        // Leases matter only where there are several workers.
        let alone = |seed: &u64| matches!(broken, Broken::Fences | Broken::Claims) && setting_of(*seed).processes == 1;
        let found = (0..SHOWS_WITHIN).filter(|seed| !alone(seed)).find(|seed| goes_wrong(Some(broken), *seed) && !goes_wrong(None, *seed));
        println!("{broken:?}: seed {found:?}");
        assert!(found.is_some(), "{broken:?} shows in none of {SHOWS_WITHIN} seeds");
    }
}
