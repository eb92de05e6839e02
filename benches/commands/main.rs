//! What a command costs: acknowledged commands with the request on disk, beside a bare server and one that only appends and
//! syncs, all in one run and as ratios; first acknowledgement, memory and start with few and with a million stored deployments.
//!
//! `cargo bench --bench commands -- --write-readme` measures and puts the table into the README. `--rounds N` and
//! `--stored N` make it shorter, for a try.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a measurement takes real time, tells what it found, and stops where it cannot go on"
)]

mod limits;
mod load;
mod report;
mod service;
mod stores;

use std::time::Duration;

use load::{Figures, Sender, median};
use report::Table;
use service::{Process, Slack};
use stores::Filled;

/// Connections at the same time.
const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// How long one measurement takes, and what is thrown away before it.
const MEASURED: Duration = Duration::from_millis(1500);
const WARMING: Duration = Duration::from_millis(400);
/// How many deployments a store of a usual size holds.
const FEW: u64 = 10_000;
/// What is loaded, in the order of the table.
const NAMES: [&str; 4] = ["physical limit", "durable limit", "service", "with many stored"];

/// How it is to be run.
#[derive(Debug)]
struct Wanted {
    rounds: usize,
    stored: u64,
    write_readme: bool,
}

fn wanted(arguments: &[String]) -> Wanted {
    let after = |name: &str| arguments.iter().position(|word| word == name).map(|at| arguments[at + 1].parse::<u64>().expect("a number"));
    Wanted {
        rounds: after("--rounds").unwrap_or(7).try_into().unwrap(),
        stored: after("--stored").unwrap_or(1_000_000),
        write_readme: arguments.iter().any(|word| word == "--write-readme"),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, file] = arguments.as_slice()
        && mode == limits::MODE
    {
        return limits::serve(std::path::Path::new(file));
    }
    let wanted = wanted(&arguments);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let table = runtime.block_on(measure(&wanted));
    println!("{table}");
    if wanted.write_readme {
        table.write_into("README.md");
    }
}

async fn measure(wanted: &Wanted) -> Table {
    let slack = Slack::start().await;
    eprintln!("filling a store with {FEW} deployments, and one with {}", wanted.stored);
    let few = Filled::with(FEW).await;
    let many = Filled::with(wanted.stored).await;
    let mut table = Table::default();

    for filled in [&few, &many] {
        let mut starts = Vec::new();
        for _ in 0..wanted.rounds {
            let process = Process::start(&filled.folder(), &slack).await;
            starts.push(process.first_acknowledgement);
            process.stop();
        }
        table.add_start(filled, median(&starts));
    }

    let small = Process::start(&few.folder(), &slack).await;
    let large = Process::start(&many.folder(), &slack).await;
    table.add_memory("at rest", few.count, small.memory(), "15 MB");
    table.add_memory("at rest", many.count, large.memory(), "80 MB");
    let appended = few.folder().join("../appended");
    let servers = [Process::limit("-"), Process::limit(appended.to_str().unwrap()), small, large];
    servers.iter().for_each(|server| server.pause(true));
    let mut sender = Sender::new(&slack);
    for connections in CONNECTIONS {
        let mut rounds: [Vec<Figures>; 4] = Default::default();
        for round in 0..wanted.rounds {
            for turn in 0..servers.len() {
                // Another one first in each round.
                let at = (round + turn) % servers.len();
                servers[at].pause(false);
                let figures = sender.load(servers[at].address, connections, WARMING, MEASURED).await;
                servers[at].pause(true);
                eprintln!("{connections:>3} connections, {:<16} {figures}", NAMES[at]);
                rounds[at].push(figures);
            }
        }
        table.add_load(connections, &rounds);
    }
    let [physical, durable, small, large] = servers;
    table.add_memory("under load, at most", few.count, small.most_memory(), "40 MB");
    table.add_memory("under load, at most", many.count, large.most_memory(), "120 MB");
    [physical, durable, small, large].into_iter().for_each(Process::stop);
    drop((few, many));
    table.add_overwrites(&stores::overwritten(wanted.stored).await);
    table
}
