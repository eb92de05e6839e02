//! Kills at any moment, by a clock that runs fast: an order without an answer is looked for for a minute before it is made
//! again, and nobody wants to wait for that.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use slash_heroku::adapters::clock::SystemClock;
use slash_heroku::adapters::sled::SledStore;
use slash_heroku::config::{self, Variables};
use slash_heroku::domain::deployment::{Deployment, Phase};
use slash_heroku::domain::names::DeploymentId;
use slash_heroku::ports::{Clock, Store as _, WakeKey};
use slash_heroku::rehearsal::{Child, settings_for};
use slash_heroku::sandbox::slack::Rendered;
use slash_heroku::sandbox::world::World;
use slash_heroku::sandbox::{github, heroku};
use slash_heroku::{logging, run};

use super::{Scene, comes, is_end};
use crate::support::folders;

/// How many times faster than the real one.
const SPEED: i32 = 20;
/// Tells the child when the fast time began, so that it has the same as the world.
const ORIGIN: &str = "ORIGIN_OF_THE_FAST_CLOCK";

/// A clock that runs fast from a moment on.
#[derive(Debug)]
struct FastClock {
    real: SystemClock,
    origin: Timestamp,
}

impl FastClock {
    fn since(origin: Timestamp) -> Self {
        Self { real: SystemClock::default(), origin }
    }

    fn real_moment(&self, fast: Timestamp) -> Timestamp {
        self.origin.checked_add(fast.duration_since(self.origin) / SPEED).unwrap_or(Timestamp::MAX)
    }
}

#[async_trait]
impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        self.origin + self.real.now().duration_since(self.origin) * SPEED
    }

    async fn wait(&self, key: WakeKey, until: Option<Timestamp>) {
        self.real.wait(key, until.map(|until| self.real_moment(until))).await;
    }

    fn wake(&self, key: WakeKey) {
        self.real.wake(key);
    }

    async fn pause_until(&self, until: Timestamp) {
        self.real.pause_until(self.real_moment(until)).await;
    }
}

/// Not a test by itself: the service that the tests below start. Started otherwise, it has nothing to do.
#[test]
fn serves_by_a_fast_clock() {
    #[expect(clippy::disallowed_methods, reason = "how the parent speaks to this child")]
    let Ok(origin) = std::env::var(ORIGIN) else { return };
    let settings = config::load(&Variables::of_process()).unwrap();
    logging::start(&settings.log).unwrap();
    let clock = Arc::new(FastClock::since(origin.parse().unwrap()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run::serve_as_child(settings, clock)).unwrap();
}

async fn fast_scene(name: &'static str) -> Scene {
    let origin = SystemClock::default().now();
    let world = World::start(Arc::new(FastClock::since(origin)), 0).await.unwrap();
    let store = folders::in_memory();
    let mut settings = settings_for(&world);
    settings.push((ORIGIN, origin.to_string()));
    let child = Child::of(std::env::current_exe().unwrap(), settings, Path::new(store.path()))
        .with_arguments(["processes::fast::serves_by_a_fast_clock", "--exact", "--nocapture"])
        .keeping_its_log();
    Scene { name, world, child, store }.started().await
}

const APP: &str = "hubot-staging";
const REPOSITORY: &str = "acme/hubot";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_never_arrived_is_made_again_after_a_kill() {
    tokio::join!(the_announcement_never_arrived(), the_build_was_never_ordered());
}

async fn the_announcement_never_arrived() {
    let mut scene = fast_scene("the announcement never arrived").await;
    let (method, path_contains) = (Some("POST".to_owned()), "/deployments".to_owned());
    // The work of a request that hangs is done only if its caller is still there.
    scene.world.github.fail(github::FaultRule { method, path_contains, spared: 0, times: 1, fault: github::Fault::Hang });
    scene.asks("deploy hubot to staging").await;
    scene.until("the order hangs", |scene| scene.world.github.hanging() == 1).await;
    scene.kill().await;
    scene.until("the order is gone", |scene| scene.world.github.hanging() == 0).await;
    scene.start().await;
    scene.all_end_well(APP, REPOSITORY, 1).await;
}

async fn the_build_was_never_ordered() {
    let mut scene = fast_scene("the build was never ordered").await;
    let (method, path_contains) = (Some("POST".to_owned()), "/builds".to_owned());
    scene.world.heroku.fail(heroku::FaultRule { method, path_contains, spared: 0, times: 1, fault: heroku::Fault::Hang });
    scene.asks("deploy hubot to staging").await;
    let is_order = |request: &heroku::SeenRequest| request.method == "POST" && request.path.ends_with("/builds");
    scene.until("the order hangs", |scene| scene.world.heroku.requests().iter().any(is_order)).await;
    scene.kill().await;
    scene.world.heroku.let_go_hanging();
    scene.start().await;
    scene.all_end_well(APP, REPOSITORY, 1).await;
}

/// What is deployed at the same time: pipeline, app, repository.
const FOUR: [(&str, &str, &str); 4] = [
    ("hubot", "hubot-staging", "acme/hubot"),
    ("web", "web-staging", "acme/web"),
    ("shop", "shop-staging", "acme/shop"),
    ("cron", "cron-staging", "acme/cron"),
];

/// A small generator of numbers, so that a failed run can be repeated.
fn next_random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % 1_000_000).unwrap()
}

/// So many worlds at once.
const WORLDS: usize = 5;
/// So many kills in a round: the second one comes so soon after the first that no order can be lost twice, which nobody could tell
/// from one that may still turn up.
const KILLS: usize = 2;
/// So many kills in the ordinary run; `SLASH_HEROKU_KILLS` says how many else.
const ALL_KILLS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_deploys_end_truly_whenever_the_service_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "SLASH_HEROKU_KILLS is a switch of the tests, not a setting of the product")]
    let kills = std::env::var("SLASH_HEROKU_KILLS").map_or(ALL_KILLS, |text| text.parse().unwrap());
    let rounds_of_each = kills.div_ceil(WORLDS * KILLS);
    let worlds = (1..).take(WORLDS).map(|number| rounds(0x5eed_5eed + number, rounds_of_each));
    let deploys: usize = futures_util::future::join_all(worlds).await.into_iter().sum();
    println!("{} kills among {deploys} deploys", WORLDS * rounds_of_each * KILLS);
}

fn asked(scene: &Scene) -> usize {
    let World { slack, github, heroku, .. } = &scene.world;
    slack.requests().len() + github.requests().len() + heroku.requests().len()
}

/// How many deploys go to a pipeline in a round: one more waits in line behind the first one's.
fn of_a_round(pipeline: &str) -> usize {
    if pipeline == FOUR[0].0 { 2 } else { 1 }
}

/// Whether the round's deploys have ended for the outside, each with the last word of its GitHub deployment.
fn have_ended(scene: &Scene, rounds: usize) -> bool {
    FOUR.iter().all(|(pipeline, _, repository)| {
        let deployments = scene.world.github.deployments(repository);
        let ended =
            deployments.iter().filter(|one| one.statuses.iter().any(|status| ["success", "failure"].contains(&status.state.as_str())));
        ended.count() == rounds * of_a_round(pipeline)
    })
}

/// Rounds of five deploys at once; in each the service is killed twice, after random numbers of its calls. Returns how many deploys
/// there were.
async fn rounds(seed: u64, rounds: usize) -> usize {
    let mut scene = fast_scene("killed at any moment").await;
    let mut random = seed;
    let mut moments = Vec::new();
    for round in 0..rounds {
        let branches = ["main", "topic"];
        let (branch, other) = (branches[round % 2], branches[(round + 1) % 2]);
        for (pipeline, _, _) in FOUR {
            scene.asks(&format!("deploy {pipeline}/{branch} to staging")).await;
        }
        scene.asks(&format!("deploy hubot/{other} to staging")).await;
        for range in [200, 25] {
            let (before, patience) = (asked(&scene), next_random(&mut random) % range);
            comes(|| asked(&scene) >= before + patience || have_ended(&scene, round + 1)).await;
            moments.push(patience);
            scene.kill().await;
            scene.start().await;
        }
        let done = (round + 1) * (FOUR.len() + 1);
        let ends = |scene: &Scene| have_ended(scene, round + 1) && scene.ends_told("@ana") >= done && scene.ends_told("#general") >= done;
        scene.until(&format!("all have ended (seed {seed:x}, killed after {moments:?} calls)"), ends).await;
        let at = format!("seed {seed:x}, killed after {moments:?} calls");
        let doubled = doubled(&scene.messages(), KILLS, moments.len());
        assert_eq!(doubled, [""; 0], "{at}\n{}", scene.story());
    }
    scene.nothing_forbidden();
    let at = format!("seed {seed:x}, killed after {moments:?} calls each");
    what_the_store_says_is_true(&mut scene, rounds, &at).await;
    rounds * (FOUR.len() + 1)
}

/// What was said more often than kills can explain: what is said and not recorded is said once more in the next life. An end is told
/// in its own round only, with `kills` in it, and a card that was shown anew may have been in any of them, with `all_kills`.
fn doubled(messages: &[Rendered], kills: usize, all_kills: usize) -> Vec<String> {
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut unfinished = 0;
    for message in messages.iter().filter(|message| message.only.is_none()) {
        if is_end(message) {
            let below = if message.below.is_some() { "below" } else { "" };
            *ends.entry(format!("{} {below} {} {}", message.place, message.glyph, message.headline)).or_default() += 1;
        } else if message.place == "#general" && message.below.is_none() && !message.headline.contains("stands further down") {
            unfinished += 1;
        }
    }
    let too_often = ends.into_iter().filter(|(_, times)| *times > 1 + kills).map(|(what, times)| format!("{times} times: {what}"));
    let left = (unfinished > all_kills).then(|| format!("{unfinished} cards stand at no end"));
    too_often.chain(left).collect()
}

#[test]
fn what_is_said_more_often_than_kills_can_explain_is_seen() {
    let said = |place: &str, glyph: &str, headline: &str| Rendered {
        glyph: glyph.to_owned(),
        below: None,
        only: None,
        place: place.to_owned(),
        headline: headline.to_owned(),
        lines: Vec::new(),
        buttons: Vec::new(),
    };
    let (told, card, left) =
        (said("@ana", "[ok]", "Your deploy is out as v3"), said("#general", "[ok]", "v3"), said("#general", "[..]", "v3"));
    assert_eq!(doubled(&[told.clone(), told.clone(), card.clone(), left.clone()], 1, 1), [""; 0]);
    for planted in [vec![told.clone(), told.clone(), told], vec![card.clone(), card.clone(), card], vec![left.clone(), left]] {
        assert_ne!(doubled(&planted, 1, 1), [""; 0], "{planted:?}");
    }
}

/// Every deployment in the store has ended as the outside says, and the outside has nothing that the store does not know.
async fn what_the_store_says_is_true(scene: &mut Scene, rounds: usize, at: &str) {
    scene.kill().await;
    let store = SledStore::open(scene.store.path()).unwrap();
    // It was killed as soon as the outside knew of all ends: that it has told the last of them may not be recorded yet.
    let open = store.open_deployments().await.unwrap();
    assert!(open.iter().all(Deployment::has_ended), "{at}: all have ended\n{}", scene.story());
    assert!(store.unanswered().await.unwrap().is_empty(), "{at}: all are answered");
    assert!(store.take_up(1, Timestamp::MIN, Timestamp::MIN).await.unwrap().is_empty(), "{at}: all were taken up");
    for (pipeline, app, repository) in FOUR {
        let at = format!("{at}, {app}");
        let (builds, records) = (scene.world.heroku.builds(app), scene.world.github.deployments(repository));
        let many = rounds * of_a_round(pipeline);
        assert_eq!((builds.len(), records.len()), (many, many), "{at}: builds and GitHub deployments\n{}", scene.story());
        for record in &records {
            let id = record.payload["slash_heroku"]["deployment"].as_str().unwrap();
            let stored =
                store.deployment(id.parse::<DeploymentId>().unwrap()).await.unwrap().unwrap_or_else(|| panic!("{at}: {id} is in no store"));
            let ours = builds.iter().filter(|build| build.version_description.as_ref().is_some_and(|text| text.contains(id)));
            let statuses: Vec<&str> = ours.map(|build| build.status).collect();
            let (status, last) = match &stored.phase {
                Phase::Succeeded { .. } => ("succeeded", "success"),
                Phase::Failed { .. } => ("failed", "failure"),
                other => panic!("{at}: {id} is no end: {other:?}"),
            };
            assert_eq!(statuses, [status], "{at}: the builds of {id}");
            // GitHub turns the success of an earlier one into `inactive`.
            let told = record.statuses.iter().rfind(|status| status.state != "inactive").map(|status| status.state.as_str());
            assert_eq!(told, Some(last), "{at}: what is recorded of {id}");
            let of_the_app = store.deployments_of_app(&stored.target.app, usize::MAX).await.unwrap();
            assert_eq!(of_the_app.len(), many, "{at}: what the store knows");
            assert!(store.line(&stored.target.app).await.unwrap().everybody().next().is_none(), "{at}: the line is empty");
        }
    }
    store.close().await;
}
