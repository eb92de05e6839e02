//! Kills at any moment, by a clock that runs fast: an order without an answer is looked for for a minute before it is made
//! again, and nobody wants to wait for that.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use slash_heroku::adapters::clock::SystemClock;
use slash_heroku::config::{self, Variables};
use slash_heroku::ports::{Clock, WakeKey};
use slash_heroku::rehearsal::{Child, settings_for};
use slash_heroku::sandbox::world::World;
use slash_heroku::sandbox::{github, heroku};
use slash_heroku::{logging, run};

use super::{Scene, comes};
use crate::support::folders;

/// How many times faster than the real one.
const SPEED: i32 = 10;
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
    runtime.block_on(run::serve_by(settings, clock)).unwrap();
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
    scene.world.github.fail(github::FaultRule { method, path_contains, times: 1, fault: github::Fault::Hang });
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
    scene.world.heroku.fail(heroku::FaultRule { method, path_contains, times: 1, fault: heroku::Fault::Hang });
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_deploys_end_truly_whenever_the_service_is_killed() {
    tokio::join!(
        rounds("seed 1", 0x5eed_0001),
        rounds("seed 2", 0x5eed_0002),
        rounds("seed 3", 0x5eed_0003),
        rounds("seed 4", 0x5eed_0004)
    );
}

fn asked(scene: &Scene) -> usize {
    let World { slack, github, heroku, .. } = &scene.world;
    slack.requests().len() + github.requests().len() + heroku.requests().len()
}

/// Whether the round's deploys have ended for the outside, each with the last word of its GitHub deployment.
fn have_ended(scene: &Scene, round: usize) -> bool {
    FOUR.iter().all(|(_, _, repository)| {
        let deployments = scene.world.github.deployments(repository);
        let ended =
            deployments.iter().filter(|one| one.statuses.iter().any(|status| ["success", "failure"].contains(&status.state.as_str())));
        ended.count() == round
    })
}

/// Rounds of four deploys at once; in each the service is killed once, after a random number of its calls.
async fn rounds(name: &'static str, mut seed: u64) {
    let mut scene = fast_scene(name).await;
    for (round, branch) in ["main", "topic", "feature/with/slash"].into_iter().enumerate() {
        let before = asked(&scene);
        for (pipeline, _, _) in FOUR {
            scene.asks(&format!("deploy {pipeline}/{branch} to staging")).await;
        }
        let patience = next_random(&mut seed) % 250;
        comes(|| asked(&scene) >= before + patience || have_ended(&scene, round + 1)).await;
        scene.kill().await;
        scene.start().await;
        let done = round + 1;
        scene.until("all four have ended", |scene| have_ended(scene, done) && scene.ends_told("@ana") >= 4 * done).await;
        for (_, app, repository) in FOUR {
            let at = format!("{name}, round {round}, killed after {patience} calls, {app}");
            assert_eq!(scene.builds(app), done, "{at}: builds\n{}", scene.story());
            assert_eq!(scene.world.github.deployments(repository).len(), done, "{at}: deployments\n{}", scene.story());
        }
        scene.nothing_forbidden();
    }
}
