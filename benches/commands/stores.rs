//! Stores to measure with: filled with deployments that are over, or overwritten again and again.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use slash_heroku::adapters::sled::{SledStore, restore};
use slash_heroku::domain::deployment::Deployment;
use slash_heroku::ports::{Batch, Store as _};
use tempfile::TempDir;
use uuid::Uuid;

/// A folder on the disk of the build.
fn place() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// What the files of a folder take, in bytes.
fn size(folder: &Path) -> u64 {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

/// A deployment of an app, one of a thousand, that succeeded and was told.
fn deployment(n: u64, closed: bool) -> Value {
    let (app, at) = (n % 1000, "2026-11-24T10:00:00Z");
    let time = |stage: &str| json!({ "stage": stage, "began": at, "ended": at });
    json!({
        "id": Uuid::from_u128((u128::from(n) << 32) | 0x0193_6000_0000_7000_8000_0000_0000_0000), "version": 9, "delivery": format!("{n}.bench"),
        "origin": { "person": { "workspace": "T0BENCH", "user": "U0BENCH" }, "channel": "C0BENCH", "reply": null },
        "asked_at": at,
        "target": {
            "pipeline": format!("pipeline-{}", app / 3), "pipeline_name": format!("service-{}", app / 3), "app": format!("app-{app}"),
            "app_name": format!("service-{app}-production"), "environment": "production", "web_url": format!("https://service-{app}.example.com/"),
        },
        "cargo": {
            "repository": format!("acme/service-{app}"), "repository_url": format!("https://git.example.com/acme/service-{app}"),
            "overrides_link_to": null, "asked": "default", "named_by": { "branch": "main" }, "commit": format!("{n:040x}"), "change": null,
            "no_checks": false,
        },
        "overriding": null, "phase": { "succeeded": { "version": n, "dynos": { "up": 2 } } }, "since": at,
        "times": [time("checks"), time("source"), time("build"), time("release"), time("dynos")],
        "usual": { "build": 90, "release": 12, "dynos": 20 }, "builds_ordered": 1, "announcements_ordered": 1, "slot_wanted_since": null,
        "code_spent_at": null, "announcement": { "id": n.to_string(), "reported": "success" }, "cancel": null,
        "card": { "at": { "workspace": "T0BENCH", "channel": "C0BENCH", "message": format!("1764000000.{n:06}") } }, "closed": closed,
    })
}

/// A store with so many deployments.
#[derive(Debug)]
pub struct Filled {
    place: TempDir,
    /// How many.
    pub count: u64,
    /// What its files take, in bytes.
    pub size: u64,
    /// What its records take as they would stand in a backup, in bytes.
    pub content: u64,
}

impl Filled {
    /// Fills one, by way of a backup.
    pub async fn with(count: u64) -> Self {
        let place = place();
        let (file, folder) = (place.path().join("backup"), place.path().join("store"));
        let content = write_backup(&file, count);
        restore(&folder, &file).await.unwrap();
        std::fs::remove_file(file).unwrap();
        Self { count, size: size(&folder), content, place }
    }

    /// Where it is.
    pub fn folder(&self) -> PathBuf {
        self.place.path().join("store")
    }
}

fn write_backup(file: &Path, count: u64) -> u64 {
    let mut file = BufWriter::new(File::create(file).unwrap());
    let (mut sum, mut written) = (0, 0);
    let mut write = |entry: Value, sum: &mut u32| {
        let line = format!("{entry}\n");
        *sum = crc32c::crc32c_append(*sum, line.as_bytes());
        written += line.len() as u64;
        file.write_all(line.as_bytes()).unwrap();
    };
    write(json!({ "slash_heroku_backup": { "schema": 1, "fence": 1 } }), &mut sum);
    for n in 0..count {
        write(json!({ "deployment": deployment(n, true) }), &mut sum);
    }
    let end = json!({ "end": { "records": count, "crc32c": sum } });
    write(end, &mut sum);
    file.into_inner().unwrap();
    written
}

/// What became of a store whose records were written again and again.
#[derive(Debug)]
pub struct Overwritten {
    /// How often.
    pub times: u64,
    /// What its records take, in bytes.
    pub content: u64,
    /// What its files take, in bytes.
    pub size: u64,
    /// How long it took.
    pub took: Duration,
    /// How long it took to open it again.
    pub opened: Duration,
}

/// Overwrites a thousand deployments that go on.
pub async fn overwritten(times: u64) -> Overwritten {
    const LIVE: u64 = 1000;
    const TOGETHER: usize = 64;
    let place = place();
    let store = SledStore::open(place.path()).unwrap();
    let mut live: Vec<Deployment> = (0..LIVE).map(|n| serde_json::from_value(deployment(n, false)).unwrap()).collect();
    live.iter_mut().for_each(|record| record.version = 0);
    let content = live.iter().map(|record| serde_json::to_vec(record).unwrap().len() as u64).sum();
    let begun = Instant::now();
    for _ in 0..times / LIVE {
        for some in live.chunks_mut(TOGETHER) {
            let saves = some.iter().map(|record| store.save(Batch::deployment(record.clone())));
            join_all(saves).await.into_iter().for_each(|saved| saved.unwrap());
            some.iter_mut().for_each(|record| record.version += 1);
        }
    }
    let took = begun.elapsed();
    store.close().await;
    let begun = Instant::now();
    let again = SledStore::open(place.path()).unwrap();
    let opened = begun.elapsed();
    again.close().await;
    Overwritten { times, content, size: size(place.path()), took, opened }
}
