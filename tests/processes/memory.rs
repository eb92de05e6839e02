//! A large source takes no more memory than a small one, and many commands and deploys no more than a few.
//!
//! `SLASH_HEROKU_SOURCE_MIB=500` tries it with a source of that size, and `SLASH_HEROKU_SOAK=40` with so many rounds; without them less has to do.

use super::{Scene, comes, figure};

/// How large the large source is, in MiB, unless told otherwise.
const LARGE: u64 = 64;
/// How much more memory it may take, in KiB.
const MORE: u64 = 15 * 1024;

/// How often commands and deploys come before it is seen how much memory they need, and how often after that.
const ROUNDS: usize = 1;
/// How many commands come in a round, beside a deploy.
const COMMANDS: usize = 25;
/// How much more it may have after the last round than after the first ones, in KiB: the store's cache fills, up to its bound.
const GROWTH: u64 = 4 * 1024;

/// The most memory that a process has ever had, in KiB.
fn peak(process: u32) -> u64 {
    figure(process, "VmHWM:")
}

/// Types until it is acknowledged: how soon that is, others test, and a machine that is busy says nothing of memory.
async fn insists(scene: &Scene, text: &str) {
    while scene.types(text).await.status != Some(200) {}
}

#[expect(clippy::print_stdout, reason = "the figures are what a long run is for")]
pub async fn it_stays_as_it_was_however_much_is_done() {
    #[expect(clippy::disallowed_methods, reason = "SLASH_HEROKU_SOAK is a switch of the tests, not a setting of the product")]
    let rounds = std::env::var("SLASH_HEROKU_SOAK").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let scene = Scene::set("soak").await;
    let mut first = None;
    for round in 1..=ROUNDS + rounds {
        let branch = if round % 2 == 0 { "main" } else { "topic" };
        insists(&scene, &format!("deploy hubot/{branch} to staging")).await;
        for _ in 0..COMMANDS {
            insists(&scene, "info hubot").await;
        }
        scene.all_end_well("hubot-staging", "acme/hubot", round).await;
        scene.until("all are answered", |scene| scene.said("acme/hubot") >= round * COMMANDS).await;
        if round == ROUNDS {
            first = Some(scene.memory());
        }
    }
    let (first, last) = (first.unwrap(), scene.memory());
    println!("{first} KiB after {ROUNDS} rounds, {last} KiB after {rounds} more");
    assert!(last < first + GROWTH, "{first} KiB after {ROUNDS} rounds, {last} KiB after {rounds} more");
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
