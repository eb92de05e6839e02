//! What a deploy costs: the requests that count against a person's allowances, counted at the simulators.
//!
//! An answer that says "unchanged" is free, and so are storage, streams and archives. Pages of a list beyond the first, and what
//! is asked to find the repository that is linked to a pipeline, are counted apart.

mod counting;

use slash_heroku::rehearsal::{InProcess, Stage};
use slash_heroku::sandbox::script::{Player, Script};

use counting::{Account, Bill, Counter};

/// The most that a deploy may cost at Heroku and at GitHub when nothing is known yet.
const COLD: (usize, usize) = (17, 14);
/// And when pipeline and rules were seen before.
const WARM: (usize, usize) = (12, 8);
/// How much more it may cost, at both together, where the service is started again in the middle.
const RESTART: usize = 2;
/// And at GitHub, where it has not begun by then: it is judged again, and of what was read before nothing is known any more.
const JUDGED_ANEW: usize = 7;

/// Plays parts of one conversation, and gives the bill of each.
async fn bills(parts: &[&str]) -> Vec<Bill> {
    let mut stage = Stage::set().await.unwrap();
    let counter = Counter::of(&stage.world);
    let mut service = InProcess::new(&stage).unwrap();
    let slack = stage.world.slack.clone();
    let mut player = Player::new(stage.clock.clone(), slack, &mut stage.world, &mut service);
    let mut bills = Vec::new();
    for part in parts {
        let before = counter.now();
        let script = Script::parse("a part", &format!("{part}\n= no violations\n")).unwrap();
        let played = player.play_on(&script).await.unwrap();
        assert!(played.failures.is_empty(), "{part}\n{:#?}\n{:#?}", played.failures, played.seen);
        bills.push(counter.since(before));
    }
    player.play(&Script::parse("the end", "= no violations\n").unwrap()).await.unwrap();
    bills
}

#[expect(clippy::print_stdout, reason = "the counts are what the run is for")]
fn within(bill: &Bill, (heroku, github): (usize, usize), what: &str) {
    println!("{what}: {} of {heroku} at Heroku, {} of {github} at GitHub", bill.heroku(), bill.github());
    assert!(bill.heroku() <= heroku && bill.github() <= github, "{what}: at most {heroku} at Heroku and {github} at GitHub\n{bill}");
}

/// A deploy from its command to its end, with something in between.
fn deploy(wish: &str, app: &str, between: &str) -> String {
    let environment = if app.ends_with("production") { "production" } else { "staging" };
    format!("ana> deploy {wish} to {environment}\n{between}~ 4m\n= builds of {app}: 1, succeeded")
}

#[tokio::test]
async fn the_first_deploy_of_all() {
    for (wish, app) in [
        ("hubot", "hubot-staging"),
        ("hubot/topic", "hubot-staging"),
        ("hubot/v1.0", "hubot-staging"),
        ("hubot/8fcbedd", "hubot-staging"),
        ("shop/topic", "shop-staging"),
        ("web/#7", "web-staging"),
    ] {
        within(&bills(&[&deploy(wish, app, "")]).await[0], COLD, wish);
    }
    let asked = deploy("hubot", "hubot-production", "ana presses [Ship 8fcbedd]\n");
    within(&bills(&[&asked]).await[0], COLD, "to production, with its question");
    let code = "ana> deploy vault/v1.0 to production 123456\n~ 4m\n= builds of vault-production: 1, succeeded";
    within(&bills(&[code]).await[0], COLD, "with a one-time code");
}

/// A commit that is pushed, with all its checks passed.
fn pushed(repository: &str, branch: &str) -> String {
    format!(
        "* bob pushes {repository} {branch}: More\n* {repository} {branch}: ci/circleci passed\n* {repository} {branch}: run build passed\n"
    )
}

#[tokio::test]
async fn a_deploy_when_pipeline_and_rules_were_seen_before() {
    let again = |wish: &str, app: &str| format!("ana> deploy {wish} to staging\n~ 4m\n= builds of {app}: 2, succeeded, succeeded");
    for (what, first, second) in [
        ("another commit", deploy("hubot/topic", "hubot-staging", ""), again("hubot", "hubot-staging")),
        (
            "another app of the pipeline",
            deploy("hubot", "hubot-staging", ""),
            deploy("hubot", "hubot-production", "ana presses [Ship 8fcbedd]\n"),
        ),
        ("a new commit", deploy("hubot", "hubot-staging", ""), pushed("acme/hubot", "main") + &again("hubot", "hubot-staging")),
        (
            "a new commit of a branch",
            deploy("shop/topic", "shop-staging", ""),
            pushed("acme/shop", "topic") + &again("shop/topic", "shop-staging"),
        ),
        ("the same commit", deploy("shop/topic", "shop-staging", ""), again("shop/topic", "shop-staging")),
    ] {
        within(&bills(&[&first, &second]).await[1], WARM, what);
    }
}

#[tokio::test]
async fn what_a_push_and_new_names_cost_on_top() {
    let first = deploy("hubot", "hubot-staging", "");
    let again = |wish: &str| format!("ana> deploy {wish} to staging\n~ 4m\n= builds of hubot-staging: 2, succeeded, succeeded");
    // Two commits have to be compared; one that follows what runs need not be.
    let two = pushed("acme/hubot", "main") + &pushed("acme/hubot", "main") + &again("hubot");
    within(&bills(&[&first, &two]).await[1], WARM, "two new commits");
    for wish in ["hubot/v1.0", "hubot/topic", "hubot/#7"] {
        within(&bills(&[&first, &again(wish)]).await[1], (WARM.0, COLD.1), wish);
    }
}

#[tokio::test]
async fn how_long_it_takes_costs_nothing() {
    let held =
        |stage: &str, time: &str| format!("* hold shop-staging {stage}\nana> deploy shop to staging\n~ {time}\n* let shop-staging go\n");
    for stage in ["build", "release", "dynos"] {
        let play = format!("{}~ 4m\n= builds of shop-staging: 1, succeeded", held(stage, "24m"));
        within(&bills(&[&play]).await[0], COLD, stage);
        let again = format!("{}~ 4m\n= builds of shop-staging: 2, succeeded, succeeded", held(stage, "24m"));
        within(&bills(&[&deploy("shop", "shop-staging", ""), &again]).await[1], WARM, &format!("{stage}, seen before"));
    }
}

#[tokio::test]
async fn how_it_is_followed_costs_nothing() {
    for streams in ["never begin", "end early", "are cut once", "are cut", "drip", "fall silent"] {
        let bad = format!("* the streams of shop-staging {streams}\n");
        for stage in ["build", "release"] {
            let held = format!("{bad}* hold shop-staging {stage}\nana> deploy shop to staging\n~ 24m\n* let shop-staging go\n");
            let play = format!("{held}~ 6m\n= builds of shop-staging: 1, succeeded");
            within(&bills(&[&play]).await[0], COLD, &format!("{stage}, streams that {streams}"));
        }
    }
}

#[tokio::test]
async fn a_restart_in_the_middle() {
    let first = deploy("shop", "shop-staging", "");
    for (stage, before) in [("build", ""), ("release", ""), ("dynos", ""), ("build", first.as_str())] {
        let builds = if before.is_empty() { "1, succeeded" } else { "2, succeeded, succeeded" };
        let play = |between: &str| {
            let held = format!("* hold shop-staging {stage}\nana> deploy shop to staging\n~ 2m\n");
            format!("{held}{between}~ 2m\n* let shop-staging go\n~ 4m\n= builds of shop-staging: {builds}")
        };
        let bill = async |between: &str| {
            let parts: Vec<String> = [before.to_owned(), play(between)].into_iter().filter(|part| !part.is_empty()).collect();
            bills(&parts.iter().map(String::as_str).collect::<Vec<_>>()).await.pop().unwrap()
        };
        let without = bill("").await;
        for restart in ["* crash\n", "* stop\n* start\n"] {
            let with = bill(restart).await;
            let more = with.charged().saturating_sub(without.charged());
            assert!(more <= RESTART, "{restart} at {stage} costs {more} more\nwithout:\n{without}\nwith:\n{with}");
        }
    }
}

#[tokio::test]
async fn a_restart_while_it_waits() {
    let play = |between: &str| {
        let held = "* hold hubot-staging build\nana> deploy hubot to staging\n~ 2m\nana> deploy hubot/topic to staging\n~ 1m\n";
        format!("{held}{between}~ 1m\n* let hubot-staging go\n~ 4m\n= builds of hubot-staging: 2, succeeded, succeeded")
    };
    let without = bills(&[&play("")]).await.remove(0);
    let with = bills(&[&play("* crash\n")]).await.remove(0);
    let more = with.charged().saturating_sub(without.charged());
    assert!(more <= RESTART + JUDGED_ANEW, "it costs {more} more\nwithout:\n{without}\nwith:\n{with}");
}

#[tokio::test]
async fn a_stop_that_does_not_get_through_is_said_again_now_and_then() {
    let going = "* hold hubot-staging build\nana> deploy hubot to staging\n~ 1m";
    for fault in ["500", "rate limited", "cut before"] {
        let lost = format!("* heroku fails DELETE builds always: {fault}\nana> cancel hubot\n~ 10m");
        let bills = bills(&[going, &lost, "* heroku works again\n~ 1m\n= builds of hubot-staging: 1, failed"]).await;
        // Each try is a call to stop it and a look whether it is over by itself; the longest pause is of twenty seconds.
        within(&bills[1], (2 * (600 / 20 + 6), 8), &format!("ten minutes of lost stops by {fault}"));
    }
}

#[tokio::test]
async fn a_red_check_costs_one_try() {
    let refused = "= builds of hubot-staging: 0\n= github deployments of acme/hubot: 0";
    let bills = bills(&[&format!("ana> deploy hubot/red to staging\n{refused}"), &format!("~ 30m\n{refused}")]).await;
    within(&bills[0], COLD, "a red check");
    for (what, times) in bills[0].charged_each() {
        assert_eq!(times, 1, "{what} is asked twice\n{}", bills[0]);
    }
    assert_eq!(bills[1].of_all(), 0, "nobody comes back to it\n{}", bills[1]);
}

#[tokio::test]
async fn a_check_that_turns_red_while_a_deploy_waits_costs_one_try() {
    let waits = "* hold hubot-staging build\nana> deploy hubot to staging\n~ 2m\nana> deploy hubot/topic to staging\n~ 2m\n\
                 * acme/hubot topic: ci/circleci failed\n* let hubot-staging go\n~ 4m\n= builds of hubot-staging: 1, succeeded";
    let bills = bills(&[waits, "~ 30m\n= github deployments of acme/hubot: 1, success"]).await;
    assert_eq!(bills[1].of_all(), 0, "nobody comes back to it\n{}", bills[1]);
}

#[tokio::test]
async fn who_asks_the_same_again_is_told_without_a_charge() {
    let asked = |bill: &Bill| (bill.heroku(), bill.github(), bill.of(Account::Link));
    let bills = bills(&["ana> pipelines\nana> info hubot", "ana> pipelines\nana> info hubot"]).await;
    assert!(asked(&bills[0]).0 > 0);
    // The names of apps are asked for with a list of ids, and what one may do with each of the two with a question: neither has a tag.
    assert_eq!(asked(&bills[1]), (3, 0, 0), "{}", bills[1]);
}
