//! A large source takes no more memory than a small one.
//!
//! `SLASH_HEROKU_SOURCE_MIB=500` tries it with a source of that size; without it a smaller one has to do.

use std::fs;

use super::{Scene, comes};

/// How large the large source is, in MiB, unless told otherwise.
const LARGE: u64 = 64;
/// How much more memory it may take, in KiB.
const MORE: u64 = 15 * 1024;

/// The most memory that a process has ever had, in KiB.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_source_takes_no_more_memory_than_a_small_one() {
    #[expect(clippy::disallowed_methods, reason = "SLASH_HEROKU_SOURCE_MIB is a switch of the tests, not a setting of the product")]
    let large = std::env::var("SLASH_HEROKU_SOURCE_MIB").map_or(LARGE, |mib| mib.parse().unwrap());
    let spool = tempfile::tempdir().unwrap();
    let scene = Scene::set_with("memory", &[("SLASH_HEROKU_SPOOL", spool.path().to_str().unwrap())]).await;
    let process = scene.child.process().unwrap();
    let heroku = &scene.world.heroku;

    scene.asks("deploy hubot to staging").await;
    scene.all_end_well("hubot-staging", "acme/hubot", 1).await;
    let small = peak(process);

    scene.world.github.archive_size("acme/hubot", large << 20).unwrap();
    scene.asks("deploy hubot/topic to staging").await;
    assert!(comes(|| heroku.builds("hubot-staging").len() == 2).await, "{}", scene.story());
    scene.all_end_well("hubot-staging", "acme/hubot", 2).await;
    let with_large = peak(process);

    let sizes: Vec<u64> = heroku.uploads().iter().filter_map(|upload| upload.length).collect();
    assert!(sizes.len() == 2 && sizes[1] > large << 20, "what arrived: {sizes:?}");
    println!("a source of {} bytes: {small} KiB at most; one of {} bytes: {with_large} KiB", sizes[0], sizes[1]);
    assert!(with_large < small + MORE, "{small} KiB with a small source, {with_large} KiB with {large} MiB");
}
