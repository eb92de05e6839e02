//! What takes very long, or comes very often: a build that outlasts every lease keeps its app, and after many deploys nothing of
//! them is held any more.

use std::sync::Arc;

use slash_heroku::domain::deployment::Phase;
use slash_heroku::rehearsal::{InProcess, Stage};
use slash_heroku::sandbox::clock::SteppedClock;
use slash_heroku::sandbox::heroku::Host;
use slash_heroku::sandbox::script::{Player, Script};

use crate::crash::deadly::{Deaths, Fate};
use crate::crash::ends;

/// How many deploys come one after the other; `SLASH_HEROKU_SOAK` names another number.
const DEPLOYS: usize = 120;
/// After how many of them it is counted what is held.
const ROUND: usize = 40;

/// How many tasks of the service there are, and in how many waits they stand.
fn held(clock: &SteppedClock) -> (String, usize) {
    let report = clock.report();
    let (tasks, waits) = report.split_once(';').unwrap();
    (tasks.to_owned(), waits.matches(" until ").count())
}

async fn plays(player: &mut Player<'_>, text: &str) {
    let played = player.play_on(&Script::parse("endurance", text).unwrap()).await.unwrap();
    assert!(played.failures.is_empty(), "{:?}", played.failures);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_of_three_hours_keeps_its_app_at_each_minute() {
    let fate = Arc::new(Fate::new(&[]));
    let mut stage = Stage::set().await.unwrap();
    let mut service = InProcess::new(&stage).unwrap().with(Deaths(Arc::clone(&fate)));
    let (heroku, slack) = (Arc::clone(&stage.world.heroku), Arc::clone(&stage.world.slack));
    let mut player = Player::new(Arc::clone(&stage.clock), slack, &mut stage.world, &mut service);
    plays(&mut player, "* hold hubot-staging build\nana> deploy hubot to staging\n").await;
    let store = fate.store();
    let open = store.open_deployments().await.unwrap();
    let [first] = &open[..] else { panic!("one is asked for: {open:?}") };
    plays(&mut player, "ana> deploy hubot/topic to staging\n").await;
    let before = heroku.requests().iter().filter(|request| request.host == Host::Api).count();
    for minute in 1..=180 {
        plays(&mut player, "~ 1m\n").await;
        let line = store.line(&first.target.app).await.unwrap();
        assert_eq!(line.holder, Some(first.id), "minute {minute}");
        assert_eq!(heroku.builds("hubot-staging").len(), 1, "minute {minute}");
        let now = store.deployment(first.id).await.unwrap().unwrap();
        assert!(matches!(now.phase, Phase::Building { .. } | Phase::Unknown(_)), "minute {minute}: {:?}", now.phase);
    }
    let looks = heroku.requests().iter().filter(|request| request.host == Host::Api).count() - before;
    assert!(looks <= 30, "{looks} looks in three hours: it is followed, and then looked at every ten minutes");
    plays(&mut player, "* let hubot-staging go\n~ 30m\n= builds of hubot-staging: 2, succeeded, succeeded\n= no violations\n").await;
    assert_eq!(ends::at_rest(&*store, &fate.known()).await, Vec::<String>::new());
    player.play(&Script::parse("an end", "").unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_held_of_many_deploys_that_are_over() {
    #[expect(clippy::disallowed_methods, reason = "SLASH_HEROKU_SOAK is a switch of the tests, not a setting of the product")]
    let deploys = std::env::var("SLASH_HEROKU_SOAK").ok().and_then(|many| many.parse().ok()).unwrap_or(DEPLOYS);
    let fate = Arc::new(Fate::new(&[]));
    let mut stage = Stage::set().await.unwrap();
    let mut service = InProcess::new(&stage).unwrap().with(Deaths(Arc::clone(&fate)));
    let (clock, slack, heroku) = (Arc::clone(&stage.clock), Arc::clone(&stage.world.slack), Arc::clone(&stage.world.heroku));
    let mut player = Player::new(Arc::clone(&clock), slack, &mut stage.world, &mut service);
    let mut base = None;
    for number in 1..=deploys {
        let (what, app) = [("hubot", "hubot-staging"), ("hubot/topic", "hubot-staging"), ("shop", "shop-staging")][number % 3];
        let (builds, pipeline) = (heroku.builds(app).len(), what.split('/').next().unwrap());
        plays(&mut player, &format!("ana> deploy {what} to staging\n~ 1h\n")).await;
        assert_eq!(heroku.builds(app).len(), builds + 1, "deploy {number} of {pipeline} runs");
        if number % ROUND != 0 {
            continue;
        }
        assert_eq!(ends::at_rest(&*fate.store(), &fate.known()).await, Vec::<String>::new(), "after {number}");
        let now = held(&clock);
        assert_eq!(*base.get_or_insert_with(|| now.clone()), now, "after {number}: {}", clock.report());
    }
    assert!(base.is_some(), "it was counted");
    player.play(&Script::parse("an end", "= no violations\n").unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_of_each_line_is_of_the_app_whose_turn_came() {
    let mut stage = Stage::set().await.unwrap();
    let mut service = InProcess::new(&stage).unwrap();
    let (heroku, slack) = (Arc::clone(&stage.world.heroku), Arc::clone(&stage.world.slack));
    let mut player = Player::new(Arc::clone(&stage.clock), slack, &mut stage.world, &mut service);
    let apps = ["hubot-staging", "shop-staging"];
    let builds = || apps.map(|app| heroku.builds(app).len());
    for app in apps {
        plays(&mut player, &format!("* hold {app} build\n")).await;
    }
    for what in ["hubot", "shop", "hubot/topic", "shop/feature/with/slash"] {
        plays(&mut player, &format!("ana> deploy {what} to staging\n")).await;
    }
    assert_eq!(builds(), [1, 1], "one waits for each app");
    plays(&mut player, "* let shop-staging go\n~ 5m\n").await;
    assert_eq!(builds(), [1, 2], "the turn of one app is nobody's of another");
    plays(&mut player, "* let hubot-staging go\n~ 5m\n").await;
    assert_eq!(builds(), [2, 2]);
    player.play(&Script::parse("an end", "= no violations\n").unwrap()).await.unwrap();
}
