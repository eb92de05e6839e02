//! Many deploys at once by one person: nothing outside is asked for more than it allows, and all end truly.
//!
//! `SLASH_HEROKU_CROWD=200` tells how many; without it there are fewer, on an account that has less left.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use slash_heroku::ports::Clock;
use slash_heroku::rehearsal::{InProcess, Stage};
use slash_heroku::sandbox::github::Github;
use slash_heroku::sandbox::heroku::{AppRight, AppSeed, Heroku, LinkService, PipelineSeed};
use slash_heroku::sandbox::script::Service;
use slash_heroku::sandbox::slack::{Rendered, SeenMessage, SlackWorkspace};
use slash_heroku::sandbox::world::World;

/// How many come where nothing else is said, and what is left at the platform then: as much less than usual.
const FEW: usize = 40;
const LEFT_FOR_FEW: u32 = 640;
/// By then all are over, in the time of the world.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);
/// What people are told when few requests are left.
const LATE: &str = "news come later than usual";
const PATIENCE: Duration = Duration::from_secs(60);

fn name(number: usize) -> String {
    format!("crowd-{number:03}")
}

fn repository(number: usize) -> String {
    format!("acme/crowd-{}", number % 10)
}

/// Apps of their own, ten to a repository.
fn seed(world: &World, many: usize) -> Result<(), String> {
    for number in 0..many.min(10) {
        let repository = repository(number);
        world.github.add_repository(slash_heroku::sandbox::github::RepoSeed {
            name: &repository,
            private: true,
            default_branch: "main",
        })?;
        world.github.grant("ana", &repository, slash_heroku::sandbox::github::Permission::Admin)?;
        world.github.push(&repository, "main", "Begin", "ana")?;
    }
    for number in 0..many {
        let (name, owner) = (name(number), "acme".to_owned());
        let pipeline = world.heroku.add_pipeline(PipelineSeed { name: name.clone(), owner_type: "team".to_owned(), owner });
        world.heroku.link(pipeline, &repository(number), LinkService::Newer)?;
        world.heroku.add_app(AppSeed {
            name: name.clone(),
            pipeline_id: Some(pipeline),
            stage: "staging".to_owned(),
            dynos: 1,
            second_factor: false,
            release_phase: number % 4 == 0,
            build_seconds: 120 + u32::try_from(number * 37 % 240).unwrap_or_default(),
            release_seconds: 10,
            // Some take minutes, and are looked at all the time.
            boot_seconds: if number % 8 == 3 { 420 } else { 5 },
        })?;
        world.heroku.grant("ana@example.com", &name, AppRight::Deploy)?;
    }
    Ok(())
}

/// What the world saw.
struct Seen {
    cards: Vec<Rendered>,
    told: Vec<Rendered>,
}

fn seen(slack: &SlackWorkspace) -> Seen {
    let messages: Vec<Rendered> = slack.messages().iter().map(|message| slack.render(message)).collect();
    let (cards, others): (Vec<_>, Vec<_>) =
        messages.into_iter().partition(|message| message.only.is_none() && message.below.is_none() && message.place == "#general");
    Seen { cards, told: others.into_iter().filter(|message| message.headline.starts_with("Your deploy of")).collect() }
}

fn is_over(many: usize, slack: &SlackWorkspace, github: &Github) -> bool {
    let Seen { cards, told } = seen(slack);
    let finals = (0..many.min(10)).flat_map(|number| github.deployments(&repository(number)));
    let finals = finals.filter(|record| record.statuses.iter().any(|status| status.state == "success")).count();
    finals == many && told.len() == many && cards.iter().filter(|card| card.headline.contains(" deployed ")).count() == many
}

/// Every limit was kept: nobody was turned away for coming too fast.
fn turned_away(slack: &SlackWorkspace, github: &Github, heroku: &Heroku) -> Vec<String> {
    let slack = slack.requests().into_iter().filter(|request| request.error.as_deref() == Some("ratelimited"));
    let github = github.requests().into_iter().filter(|request| matches!(request.status, 403 | 429));
    let heroku = heroku.requests().into_iter().filter(|request| request.status == 429);
    let slack = slack.map(|request| format!("slack {}", request.method));
    let github = github.map(|request| format!("github {} {}", request.method, request.path));
    slack.chain(github).chain(heroku.map(|request| format!("heroku {} {} at {}", request.method, request.path, request.at))).collect()
}

/// For the message of a run that does not come to its end.
fn how_it_stands(many: usize, slack: &SlackWorkspace, github: &Github, heroku: &Heroku) -> String {
    let Seen { cards, told } = seen(slack);
    let mut lines: Vec<String> = cards.iter().map(|card| card.all()).filter(|card| !card.contains(" deployed ")).take(5).collect();
    lines.extend(turned_away(slack, github, heroku).into_iter().take(10));
    let records: Vec<_> = (0..many.min(10)).flat_map(|number| github.deployments(&repository(number))).collect();
    let ended = records.iter().filter(|record| record.statuses.iter().any(|status| status.state == "success")).count();
    lines.push(format!("{} cards, {} told, {} records, {ended} ended", cards.len(), told.len(), records.len()));
    lines.join("\n")
}

/// The most that came within a span.
fn most_within(span: SignedDuration, at: &[Timestamp]) -> usize {
    (0..at.len()).map(|end| at[..=end].iter().filter(|earlier| at[end].duration_since(**earlier) < span).count()).max().unwrap_or_default()
}

async fn run(many: usize, left: Option<u32>) {
    let stage = Stage::set().await.unwrap();
    let World { slack, github, heroku, .. } = &stage.world;
    let (slack, github, heroku) = (Arc::clone(slack), Arc::clone(github), Arc::clone(heroku));
    seed(&stage.world, many).unwrap();
    slack.limit_rates();
    github.limit_creating();
    if let Some(left) = left {
        heroku.calls_left("ana@example.com", left).unwrap();
    }
    let mut service = InProcess::new(&stage).unwrap();
    service.start().await.unwrap();
    let start = stage.clock.now();
    for number in 0..many {
        let command = format!("deploy {} to staging", name(number));
        assert_eq!(slack.command(&service.address(), "ana", "general", &command, None).await.status, Some(200));
    }
    let end = start.checked_add(LONGEST).unwrap();
    let mut steps = 0_usize;
    let (mut asked_for_status, mut heard) = (false, 0);
    loop {
        stage.clock.idle_within(PATIENCE).await.unwrap();
        let now = stage.clock.now();
        let quiet = stage.clock.next_deadline().is_none_or(|next| next.duration_since(now).as_secs() >= 10);
        if (quiet || steps.is_multiple_of(100)) && is_over(many, &slack, &github) {
            break;
        }
        let says_late = |event: &SeenMessage| slack.render(event).all().contains(LATE);
        if !asked_for_status && slack.events_since(heard).iter().any(says_late) {
            asked_for_status = true;
            slack.command(&service.address(), "ana", "quiet", "status", None).await;
            continue;
        }
        heard = slack.seen();
        steps += 1;
        let goes_on = stage.clock.step(end);
        assert!(goes_on, "not over after {LONGEST:#}:\n{}", how_it_stands(many, &slack, &github, &heroku));
    }
    let took = stage.clock.now().duration_since(start);
    let violations: Vec<String> = [slack.violations(), github.violations(), heroku.violations()].concat();
    assert_eq!(violations, Vec::<String>::new());
    assert_eq!(turned_away(&slack, &github, &heroku), Vec::<String>::new());

    let Seen { cards, told } = seen(&slack);
    assert_eq!((cards.len(), told.len()), (many, many), "one card each, and each end told once");
    for number in 0..many {
        let builds: Vec<&str> = heroku.builds(&name(number)).iter().map(|build| build.status).collect();
        assert_eq!(builds, ["succeeded"], "{}", name(number));
    }
    let records: Vec<_> = (0..many.min(10)).flat_map(|number| github.deployments(&repository(number))).collect();
    assert_eq!(records.len(), many);
    let is_final = |state: &str| matches!(state, "success" | "failure" | "error");
    assert!(records.iter().all(|record| record.statuses.iter().filter(|status| is_final(&status.state)).count() == 1));

    let all = slack.events();
    let ever = |words: &str| all.iter().filter(|event| slack.render(event).all().contains(words)).count();
    let (paced, slowed) = (ever("takes no more for now"), ever(LATE));
    let status = all.iter().map(|event| slack.render(event)).find(|seen| seen.headline.contains("deploys are open"));
    let created: Vec<Timestamp> = {
        let ours = |state: &str| state != "inactive";
        let statuses =
            records.iter().flat_map(|record| record.statuses.iter().filter(|status| ours(&status.state)).map(|status| status.created_at));
        let mut created: Vec<Timestamp> = records.iter().map(|record| record.created_at).chain(statuses).collect();
        created.sort();
        created
    };
    let methods = |method: &str| slack.requests().iter().filter(|request| request.method == method).count();
    let counts = format!(
        "{many} deploys in {took:#} of their time, {steps} steps\n\
         heroku: {} requests\ngithub: {} requests; {} created, at most {} a minute and {} an hour\n\
         slack: {} posts, {} changes, {} answers, {} conversations opened\nseen waiting: {paced} times; seen slowed: {slowed} times",
        heroku.requests().len(),
        github.requests().iter().filter(|request| request.charged).count(),
        created.len(),
        most_within(SignedDuration::from_mins(1), &created),
        most_within(SignedDuration::from_hours(1), &created),
        methods("chat.postMessage"),
        methods("chat.update"),
        methods("response_url"),
        methods("conversations.open"),
    );
    #[expect(clippy::print_stdout, reason = "the counts are what the run is for")]
    {
        println!("{counts}");
    }
    assert!(paced > 0, "starts were paced, and nobody was told");
    // A full account has enough for two hundred that are followed by their streams: only one that has less left is looked at less.
    if left.is_some() {
        assert!(slowed > 0, "looks were slowed, and nobody was told");
        let status = status.expect("status was answered").all();
        assert!(status.contains(LATE), "{status}");
    }
    service.stop().await.unwrap();
}

#[test]
fn many_at_once_stay_inside_what_is_allowed_and_end_truly() {
    #[expect(clippy::disallowed_methods, reason = "a switch of the tests, not a setting of the product")]
    let many = std::env::var("SLASH_HEROKU_CROWD").ok().map(|many| many.parse().expect("SLASH_HEROKU_CROWD is a number"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    match many {
        None => runtime.block_on(run(FEW, Some(LEFT_FOR_FEW))),
        Some(many) => runtime.block_on(run(many, None)),
    }
}
