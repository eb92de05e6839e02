//! `kill -9` of a process that writes: everything it said was saved is there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use slash_heroku::adapters::sled::{OpenError, SledStore};
use slash_heroku::domain::names::AppId;
use slash_heroku::ports::{Batch, Store};

use super::{open_soon, ship};
use crate::support::folders;
use crate::support::records::{app, deployment_id};

/// Tells the child where the store is.
const FOLDER: &str = "STORE_OF_THE_KILLED";
/// So many write at once.
const WRITERS: u64 = 4;
const ROUNDS: usize = 10;

fn app_of(writer: u64) -> AppId {
    app(&format!("app-{writer}"))
}

/// The id of a writer's deployment: no two writers share one.
fn number(writer: u64, n: u64) -> u64 {
    (writer << 32) | n
}

/// Not a test by itself: what the next one starts and kills. Started otherwise, it has nothing to do.
#[test]
fn writes_until_it_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "how the parent speaks to this child")]
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = SledStore::open(Path::new(&folder)).unwrap();
        let writers = (0..WRITERS).map(|writer| {
            let store = &store;
            async move {
                let app = app_of(writer);
                loop {
                    let next = store.line(&app).await.unwrap().version;
                    ship(store, number(writer, next), &app).await.unwrap();
                    // What is over goes into the history meanwhile.
                    let shipped = store.deployment(deployment_id(number(writer, next))).await.unwrap().unwrap();
                    store.save(Batch::deployment(shipped.closed_now())).await.unwrap();
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "saved {writer} {next}").unwrap();
                    out.flush().unwrap();
                }
            }
        });
        futures_util::future::join_all::<_>(writers.map(|writer| async {
            let _: std::convert::Infallible = writer.await;
        }))
        .await;
    });
}

/// A small generator of numbers, so that a failed run can be repeated.
fn next_random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[tokio::test]
async fn everything_acknowledged_survives_kill_9() {
    let place = folders::on_disk();
    let mut seed = 0x5eed_5eed_5eed;
    // For each writer, how many are known to be saved: said by it, or seen after an earlier kill.
    let mut saved: BTreeMap<u64, u64> = (0..WRITERS).map(|writer| (writer, 0)).collect();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["durability::kills::writes_until_it_is_killed", "--exact", "--nocapture"])
            .env(FOLDER, place.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let patience = 1 + next_random(&mut seed) % 60;
        let mut heard = 0;
        let mut hear = |line: &str| {
            let mut words = line.split_whitespace().skip_while(|word| *word != "saved").skip(1).map(|word| word.parse::<u64>().ok());
            if let (Some(Some(writer)), Some(Some(n))) = (words.next(), words.next()) {
                saved.insert(writer, n + 1);
                true
            } else {
                false
            }
        };
        while heard < patience {
            heard += u64::from(hear(&lines.next().expect("it writes until it is killed").unwrap()));
        }
        if round == 0 {
            let refused = open_soon(place.path()).unwrap_err();
            assert_eq!(refused, OpenError::InUse { folder: place.path().to_owned(), holder: Some(child.id()) });
        }
        child.kill().unwrap();
        // At once, as a supervisor would: the folder may still be held for a moment.
        let store = SledStore::open(place.path()).unwrap();
        for line in lines {
            hear(&line.unwrap());
        }
        child.wait().unwrap();
        for (writer, count) in &mut saved {
            let line = store.line(&app_of(*writer)).await.unwrap();
            assert!(line.version >= *count, "round {round}: the line of writer {writer} has {}, {count} were saved", line.version);
            assert!(line.version <= *count + 1, "round {round}: one save at most may be done and not said");
            let found = store.deployments_of_app(&app_of(*writer), usize::MAX).await.unwrap();
            assert_eq!(found.len() as u64, line.version, "round {round}: line and deployments moved together");
            for n in 0..*count {
                assert!(line.place_of(deployment_id(number(*writer, n))).is_some());
            }
            *count = line.version;
        }
        store.close().await;
    }
    let found = SledStore::check(place.path()).unwrap();
    assert!(found.over > 0, "kills must be able to hit a move: {found:?}");
}
