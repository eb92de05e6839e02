//! Running deploys are followed and not polled: how soon news stand on the card, how few looks it takes, and who lets go when.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use slash_heroku::ports::Clock;
use slash_heroku::rehearsal::{InProcess, Stage};
use slash_heroku::sandbox::heroku::{AppRight, AppSeed, Held, Host, LinkService, PipelineSeed, StreamStyle};
use slash_heroku::sandbox::script::Service;

/// How long the service may take to come to rest, in real time.
const PATIENCE: Duration = Duration::from_secs(30);
/// Within how many seconds what happens outside stands on the card.
const OF_WORK: i64 = 3;
const OF_DYNOS: i64 = 15;

fn after(time: Timestamp, seconds: u32) -> Timestamp {
    time + SignedDuration::from_secs(i64::from(seconds))
}

/// How long the stages of an app's deploy take.
#[derive(Clone, Copy, Debug)]
struct Pace {
    build: u32,
    release: u32,
    boot: u32,
}

/// A stage with a pipeline of some apps, and the service on it.
struct Fleet {
    stage: Stage,
    service: InProcess,
    apps: Vec<(String, Pace)>,
}

impl Fleet {
    async fn of(paces: impl IntoIterator<Item = Pace>) -> Self {
        let stage = Stage::set().await.unwrap();
        let heroku = &stage.world.heroku;
        let seed = PipelineSeed { name: "fleet".to_owned(), owner_type: "team".to_owned(), owner: "acme".to_owned() };
        let pipeline = heroku.add_pipeline(seed);
        heroku.link(pipeline, "acme/hubot", LinkService::Newer).unwrap();
        let mut apps = Vec::new();
        for (number, pace) in paces.into_iter().enumerate() {
            let name = format!("fleet-{number}");
            let seed = AppSeed {
                name: name.clone(),
                pipeline_id: Some(pipeline),
                stage: "production".to_owned(),
                dynos: 1,
                second_factor: false,
                release_phase: true,
                build_seconds: pace.build,
                release_seconds: pace.release,
                boot_seconds: pace.boot,
            };
            heroku.add_app(seed).unwrap();
            heroku.grant("ana@example.com", &name, AppRight::Deploy).unwrap();
            apps.push((name, pace));
        }
        let mut service = InProcess::new(&stage).unwrap();
        service.start().await.unwrap();
        Self { stage, service, apps }
    }

    async fn rest(&self) {
        self.stage.clock.idle_within(PATIENCE).await.unwrap();
    }

    /// Asks for a deploy of every app.
    async fn deploys(&self) {
        for (app, _) in &self.apps {
            let text = format!("deploy fleet to production/{app}");
            self.stage.world.slack.command(&self.service.address(), "ana", "general", &text, None).await;
        }
        self.rest().await;
    }

    /// Time passes up to `until`, or until `done`.
    async fn pass(&self, until: Timestamp, mut done: impl FnMut() -> bool) {
        self.rest().await;
        while !done() && self.stage.clock.step(until) {
            self.rest().await;
        }
    }

    /// How far the card of an app has come: the stage in its last line with a time, or that it is out.
    fn shown(&self, app: &str) -> Shown {
        let slack = &self.stage.world.slack;
        let cards = slack.messages().into_iter().filter(|message| message.to.is_none()).map(|message| slack.render(&message));
        let Some(card) = cards.into_iter().find(|card| card.headline.contains(&format!("({app})"))) else { return Shown::Before };
        let has = |start: &str| card.lines.iter().any(|line| line.starts_with(start));
        match () {
            () if card.glyph == "[ok]" => Shown::Out,
            () if has("dynos") => Shown::Dynos,
            () if has("release phase") => Shown::Release,
            () => Shown::Before,
        }
    }

    /// The answers that the API gave to reads of a path that contains `what`.
    fn looks(&self, what: &str) -> usize {
        let requests = self.stage.world.heroku.requests();
        requests.iter().filter(|request| request.host == Host::Api && request.method == "GET" && request.path.contains(what)).count()
    }

    async fn is_left_by_its_listeners(&self) {
        let left = async {
            while self.stage.world.heroku.open_streams() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, left).await.unwrap();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shown {
    Before,
    Release,
    Dynos,
    Out,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_of_ten_deploys_at_once_stand_on_their_cards_in_time() {
    let paces = (0..10).map(|number| Pace { build: 60 + 7 * number, release: 30 + 5 * number, boot: 6 + 4 * number });
    news_stand_in_time(paces).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_of_dynos_that_take_minutes_stand_on_their_cards_in_time() {
    // Some just before and just after a look, wherever looks might become rarer.
    news_stand_in_time((0..10).map(|number| Pace { build: 60, release: 30, boot: 290 + 37 * number })).await;
}

#[expect(clippy::print_stdout, reason = "the figures are what the run is for")]
async fn news_stand_in_time(paces: impl IntoIterator<Item = Pace>) {
    let fleet = Fleet::of(paces).await;
    fleet.deploys().await;
    let clock = &fleet.stage.clock;
    let mut seen: BTreeMap<(usize, Shown), Timestamp> = BTreeMap::new();
    let note = || {
        for (place, (app, _)) in fleet.apps.iter().enumerate() {
            let shown = fleet.shown(app);
            for known in [Shown::Release, Shown::Dynos, Shown::Out] {
                if shown >= known {
                    seen.entry((place, known)).or_insert_with(|| clock.now());
                }
            }
        }
        seen.len() == fleet.apps.len() * 3
    };
    fleet.pass(after(clock.now(), 1200), note).await;
    let (mut worst_of_work, mut worst_of_dynos) = (0, 0);
    for (place, (app, pace)) in fleet.apps.iter().enumerate() {
        let [build] = fleet.stage.world.heroku.builds(app).try_into().unwrap();
        let built = after(build.created_at, pace.build);
        let released = after(built, pace.release);
        let up = after(released, pace.boot);
        for (shown, truly, within) in [(Shown::Release, built, OF_WORK), (Shown::Dynos, released, OF_WORK), (Shown::Out, up, OF_DYNOS)] {
            let told = seen[&(place, shown)];
            let late = told.duration_since(truly).as_secs();
            assert!(told >= truly && late <= within, "{app}: {shown:?} was true at {truly} and told at {told}");
            let worst = if within == OF_WORK { &mut worst_of_work } else { &mut worst_of_dynos };
            *worst = late.max(*worst);
        }
    }
    println!("at the latest {worst_of_work} s after a build or release phase ended, {worst_of_dynos} s after dynos were up");
    assert_eq!(fleet.looks("/builds/"), fleet.apps.len(), "one look at each build");
    assert_eq!(fleet.stage.world.heroku.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_of_25_minutes_costs_two_looks() {
    let fleet = Fleet::of([Pace { build: 25 * 60, release: 240, boot: 20 }]).await;
    fleet.deploys().await;
    let began = fleet.stage.clock.now();
    fleet.pass(after(began, 3600), || fleet.shown("fleet-0") == Shown::Out).await;
    assert_eq!(fleet.shown("fleet-0"), Shown::Out);
    let (builds, releases, dynos) = (fleet.looks("/builds/"), fleet.looks("/releases/"), fleet.looks("/dynos"));
    println!("looks: {builds} at the build, {releases} at the release, {dynos} at the dynos");
    assert!(builds <= 2 && releases <= 2 && dynos <= 4, "{builds}, {releases}, {dynos}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_streams_the_pace_is_moderate() {
    let fleet = Fleet::of([Pace { build: 600, release: 240, boot: 20 }]).await;
    fleet.stage.world.heroku.streams(StreamStyle::NeverBegin);
    fleet.deploys().await;
    let began = fleet.stage.clock.now();
    fleet.pass(after(began, 3600), || fleet.shown("fleet-0") == Shown::Out).await;
    let truly = 600 + 240 + 20;
    let told = fleet.stage.clock.now().duration_since(began).as_secs();
    assert!(told >= truly && told <= truly + 20 + 20 + OF_DYNOS, "{told}");
    let (builds, releases) = (fleet.looks("/builds/"), fleet.looks("/releases/"));
    assert!(builds <= 35 && releases <= 17, "{builds}, {releases}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_ends_lets_go_of_the_streams() {
    let pace = Pace { build: 60, release: 30, boot: 5 };
    let mut fleet = Fleet::of([pace; 3]).await;
    let names: Vec<String> = fleet.apps.iter().map(|(name, _)| name.clone()).collect();
    for name in &names {
        fleet.stage.world.heroku.hold(name, Held::Build).unwrap();
    }
    fleet.deploys().await;
    let later = after(fleet.stage.clock.now(), 30);
    fleet.pass(later, || false).await;
    assert_eq!(fleet.stage.world.heroku.open_streams(), 3);
    // It dies: so do its connections. The next life looks first, and listens again.
    fleet.service.crash().await.unwrap();
    fleet.is_left_by_its_listeners().await;
    fleet.service.start().await.unwrap();
    let (later, looks) = (after(fleet.stage.clock.now(), 120), fleet.looks("/builds/"));
    fleet.pass(later, || false).await;
    assert_eq!((fleet.stage.world.heroku.open_streams(), fleet.looks("/builds/") - looks), (3, 3));
    // It is stopped tidily: it does not wait for what it listens to.
    fleet.service.stop().await.unwrap();
    fleet.is_left_by_its_listeners().await;
    for name in &names {
        fleet.stage.world.heroku.let_go(name).unwrap();
    }
    fleet.service.start().await.unwrap();
    let later = after(fleet.stage.clock.now(), 300);
    fleet.pass(later, || names.iter().all(|name| fleet.shown(name) == Shown::Out)).await;
    assert!(names.iter().all(|name| fleet.shown(name) == Shown::Out));
}
