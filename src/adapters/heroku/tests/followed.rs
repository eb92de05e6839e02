//! Following at the simulated platform, while time goes on second by second.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;

use super::follow::counted;
use super::*;
use crate::domain::names::{AppName, BuildId};
use crate::domain::release::BuildState;
use crate::ports::{BuildStart, Follower, Heard, MockArchiveBody, Platform, SourceArchive, WakeKey};
use crate::sandbox::clock::{START, SteppedClock};
use crate::sandbox::company::HEROKU_TOKEN;
use crate::sandbox::heroku::{Held, Host, StreamStyle};
use crate::sandbox::world::World;
use crate::testing::Arranged;
use crate::testing::platform::following::{self, Course};

/// How long a connection may take to be seen or to be gone, in real time.
const PATIENCE: Duration = Duration::from_secs(30);

fn seconds(clock: &SteppedClock) -> i64 {
    clock.now().duration_since(START).as_secs()
}

/// The simulated platform, in which a build has just been ordered.
struct Simulated {
    world: World,
    clock: Arc<SteppedClock>,
    heroku: Heroku,
    app: AppId,
    build: BuildId,
    asked: usize,
}

const NAME: &str = "hubot-staging";

impl Simulated {
    async fn new(style: StreamStyle, held: bool) -> Self {
        let clock = counted().await;
        let world = World::start(clock.for_the_world(), 0).await.unwrap();
        let (sim, token) = (&world.heroku, SecretString::from(HEROKU_TOKEN));
        sim.streams(style);
        if held {
            sim.hold(NAME, Held::Build).unwrap();
        }
        let heroku = heroku(sim.api_url(), sim.link_url(), Arc::<SteppedClock>::clone(&clock));
        let pipelines = heroku.pipelines(&token).await.unwrap();
        let hubot = pipelines.iter().find(|pipeline| pipeline.name.as_str() == "hubot").unwrap();
        let app = heroku.apps(&token, &hubot.id).await.unwrap().into_iter().find(|app| app.name == AppName::parse(NAME).unwrap()).unwrap();
        let none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned();
        let mut empty = MockArchiveBody::new();
        empty.expect_next().returning(|| Ok(None));
        empty.expect_rewind().returning(|| Ok(()));
        let source = heroku.upload(&token, SourceArchive { length: 0, sha256: none, body: Box::new(empty) }).await.unwrap();
        let BuildStart::Started(build) = heroku.start_build(&token, &app.id, &BuildOrder { source, ..order() }).await.unwrap() else {
            panic!("it does not build")
        };
        let asked = sim.requests().iter().filter(|request| request.host == Host::Api).count();
        Self { app: app.id, build: build.id, world, clock, heroku, asked }
    }

    fn follower(&self) -> Box<dyn Follower> {
        self.heroku.follow(&self.app, &self.build, None)
    }

    /// What is heard while time passes, and when, up to some second.
    async fn hears(&self, follower: &mut dyn Follower, until: i64) -> Option<(i64, Heard)> {
        tokio::select! {
            biased;
            heard = follower.heard() => Some((seconds(&self.clock), heard)),
            () = self.clock.wait(WakeKey::Keeper, None) => panic!("nobody woke it"),
            () = self.clock.step_until(START + SignedDuration::from_secs(until)) => None,
        }
    }

    /// The answers of the host of streams.
    fn statuses(&self) -> Vec<u16> {
        self.world.heroku.requests().iter().filter(|request| request.host == Host::Streams).map(|request| request.status).collect()
    }

    /// What must be so in the end.
    async fn ends(self) {
        let looked = self.world.heroku.requests().iter().filter(|request| request.host == Host::Api).count();
        assert_eq!(looked, self.asked, "following asks nothing of the API");
        assert_eq!(self.world.heroku.violations(), Vec::<String>::new());
    }
}

#[async_trait]
impl following::Stage for Simulated {
    fn follower(&self) -> Box<dyn Follower> {
        self.heroku.follow(&self.app, &self.build, None)
    }

    fn stranger(&self) -> Box<dyn Follower> {
        self.heroku.follow(&self.app, &BuildId::parse("33333333-0000-4000-8000-000000000000").unwrap(), None)
    }

    async fn hears(&mut self, follower: &mut dyn Follower) -> Option<Heard> {
        let until = seconds(&self.clock) + 30 * 60;
        Self::hears(self, follower, until).await.map(|(_, heard)| heard)
    }

    async fn finish(&mut self) {
        self.world.heroku.let_go(NAME).unwrap();
    }

    async fn goes(&mut self, how: Course) -> Arranged {
        self.world.heroku.streams(match how {
            Course::EndsEarly => StreamStyle::EndEarly,
            Course::BreaksOnce => StreamStyle::Cut { once: true },
            Course::Breaks => StreamStyle::Cut { once: false },
            Course::FallsSilent => StreamStyle::Silent,
        });
        Arranged::Done
    }

    async fn are_listened_to(&mut self, many: usize) -> bool {
        let come = async {
            while self.world.heroku.open_streams() != many {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, come).await.is_ok()
    }

    async fn sent(&mut self) -> Vec<Range<usize>> {
        assert_eq!(self.world.heroku.violations(), Vec::<String>::new());
        self.world.heroku.streamed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_follows_keeps_their_promises() {
    assert_eq!(following::all(async || Simulated::new(StreamStyle::Live, true).await).await.parts(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_is_heard_in_the_second_in_which_it_comes() {
    for _ in 0..4 {
        let stage = Simulated::new(StreamStyle::Live, false).await;
        let mut follower = stage.follower();
        assert_eq!(stage.hears(&mut *follower, 100).await, Some((1, Heard::Begun)));
        assert_eq!(stage.hears(&mut *follower, 100).await, Some((4, Heard::Reason)));
        assert_eq!(stage.statuses(), [404, 200]);
        let seen = stage.heroku.build(&SecretString::from(HEROKU_TOKEN), &stage.app, &stage.build).await.unwrap();
        assert!(matches!(seen.state, BuildState::Succeeded { .. }));
        assert_eq!(stage.hears(&mut *follower, 1000).await, None, "what is known to be over is not asked for");
        assert_eq!(stage.statuses(), [404, 200]);
        assert_eq!(stage.world.heroku.violations(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_stream_is_sound_as_long_as_it_gives_signs_of_life() {
    for style in [StreamStyle::Live, StreamStyle::Drip] {
        let stage = Simulated::new(style, true).await;
        let mut follower = stage.follower();
        assert_eq!(stage.hears(&mut *follower, 100).await, Some((1, Heard::Begun)));
        assert_eq!(stage.hears(&mut *follower, 1200).await, None, "{style:?}");
        // Whoever is busy with something else for a while has lost nothing, and holds up nobody.
        let until = START + SignedDuration::from_secs(1230);
        tokio::join!(stage.clock.pause_until(until), async { assert!(stage.clock.step(until)) });
        assert_eq!(stage.hears(&mut *follower, 1300).await, None, "{style:?}");
        stage.world.heroku.let_go(NAME).unwrap();
        assert_eq!(stage.hears(&mut *follower, 1400).await, Some((1300, Heard::Reason)), "{style:?}");
        assert_eq!(stage.statuses(), [404, 200]);
        stage.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_is_a_reason_to_look_and_no_more() {
    let stage = Simulated::new(StreamStyle::Silent, true).await;
    let mut follower = stage.follower();
    assert_eq!(stage.hears(&mut *follower, 100).await, Some((1, Heard::Begun)));
    assert_eq!(stage.hears(&mut *follower, 100).await, Some((46, Heard::Reason)));
    assert_eq!(stage.hears(&mut *follower, 75).await, None);
    assert_eq!(stage.hears(&mut *follower, 100).await, Some((76, Heard::Begun)));
    stage.ends().await;

    let stage = Simulated::new(StreamStyle::Cut { once: true }, true).await;
    let mut follower = stage.follower();
    assert_eq!(stage.hears(&mut *follower, 100).await, Some((1, Heard::Begun)));
    assert_eq!(stage.hears(&mut *follower, 100).await, Some((2, Heard::Begun)));
    assert_eq!(stage.hears(&mut *follower, 100).await, None);
    assert_eq!(stage.statuses(), [404, 200, 206]);
    stage.ends().await;

    let stage = Simulated::new(StreamStyle::EndEarly, true).await;
    let mut follower = stage.follower();
    assert_eq!(stage.hears(&mut *follower, 100).await, Some((1, Heard::Begun)));
    assert_eq!(stage.hears(&mut *follower, 100).await, Some((1, Heard::Reason)));
    assert_eq!(stage.hears(&mut *follower, 100).await, Some((16, Heard::Begun)));
    assert_eq!(stage.hears(&mut *follower, 100).await, Some((16, Heard::Reason)));
    stage.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_never_begins_is_asked_for_less_and_less() {
    let stage = Simulated::new(StreamStyle::NeverBegin, true).await;
    let mut follower = stage.follower();
    assert_eq!(stage.hears(&mut *follower, 21).await, None);
    assert_eq!(stage.statuses().len(), 21);
    assert_eq!(stage.hears(&mut *follower, 1500).await, None);
    assert!(stage.statuses().len() < 30, "{}", stage.statuses().len());
    stage.ends().await;
}
