//! Every call of a deploy fails in every way, once and for an hour: the deploy ends in the state that is true outside, or stands as
//! unknown, and the app takes the next one. Whatever fails, no secret gets to where it must not be: each cell is searched for all that
//! its world has handed out, and what fails in words says the token that it was asked with.
//!
//! `SLASH_HEROKU_FAULTS=all` runs every cell, and a part of its name (`POST /apps/*/builds`) those cells; without it a part of all
//! is run that is the same in every run.

mod cells;
mod facts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;

use slash_heroku::domain::deployment::{Deployment, Phase};
use slash_heroku::rehearsal::{InProcess, Stage};
use slash_heroku::sandbox::company::{GITHUB_TOKEN, HEROKU_TOKEN};
use slash_heroku::sandbox::fault::{Fault, FaultRule, Strikes};
use slash_heroku::sandbox::github::Github;
use slash_heroku::sandbox::heroku::Heroku;
use slash_heroku::sandbox::script::{Player, Script, Service as _, Vendor};
use slash_heroku::sandbox::slack::SlackWorkspace;
use slash_heroku::sandbox::world::World;

use crate::contracts::traffic::Published;
use crate::crash::deadly::{Deaths, Fate};
use crate::crash::plays::CODE_OF_THE_LAST;
use crate::crash::{ends, together, wants_code, wants_login};
use crate::secrets;
use crate::support::questions;
use cells::{Call, FAULTS, PLAYS, Play, Strike};
use facts::{Excuses, Facts, Standing};

/// How often a question is answered that is asked again.
const ASKED_AT_MOST: usize = 3;

/// How a cell went.
struct Performance {
    transcript: Vec<String>,
    wrong: Vec<String>,
    calls: BTreeMap<Call, u32>,
    ends: Vec<Standing>,
}

/// What was said and done, and what did not go as it must.
#[derive(Default)]
struct Conversation {
    transcript: Vec<String>,
    wrong: Vec<String>,
}

impl Conversation {
    async fn go_on(&mut self, player: &mut Player<'_>, text: &str) {
        let script = Script::parse("a play", text).unwrap();
        for place in 0..script.steps.len() {
            let mut step = script.clone();
            step.steps = script.steps[place..=place].to_vec();
            self.transcript.push(script.written(&script.steps[place]).to_owned());
            match player.play_on(&step).await {
                Ok(played) => {
                    self.transcript.extend(played.seen.iter().flatten().map(|line| format!("  {line}")));
                    self.wrong.extend(played.failures.iter().map(ToString::to_string));
                }
                Err(error) => self.wrong.push(error.to_string()),
            }
        }
    }
}

/// The three services, to be looked at and broken while a play goes on.
pub struct Outside {
    pub github: Arc<Github>,
    pub heroku: Arc<Heroku>,
    pub slack: Arc<SlackWorkspace>,
}

impl Outside {
    fn of(world: &World) -> Self {
        Self { github: Arc::clone(&world.github), heroku: Arc::clone(&world.heroku), slack: Arc::clone(&world.slack) }
    }

    /// Returns how often calls are made to fail; of a clock, nothing.
    fn set_off(&self, strike: &Strike) -> Option<Strikes> {
        match strike {
            Strike::Call { call, nth, fault, for_an_hour } => {
                let (times, fault) = (if *for_an_hour { u32::MAX } else { 1 }, self.repeating_the_token(FAULTS[*fault].1(), call.to));
                let (method, path_contains) = (call.method.clone(), call.path.clone());
                let rule = FaultRule { method, path_contains, spared: nth - 1, times, fault };
                Some(match call.to {
                    "github" => self.github.fail(rule),
                    "heroku" => self.heroku.fail(rule),
                    _ => self.slack.fail_by(rule),
                })
            }
            Strike::Clock { of, minutes } => {
                let ahead = SignedDuration::from_mins(*minutes);
                match of {
                    Vendor::Github => self.github.set_clock(ahead),
                    Vendor::Heroku => self.heroku.set_clock(ahead),
                    Vendor::Slack => self.slack.set_clock(ahead),
                }
                None
            }
        }
    }

    /// An error in words repeats the token that it was asked with, as services now and then do.
    fn repeating_the_token(&self, fault: Fault, to: &str) -> Fault {
        let token = match to {
            "github" => GITHUB_TOKEN,
            "heroku" => HEROKU_TOKEN,
            _ => &self.slack.seed().bot_token,
        };
        match fault {
            Fault::Status { code, body, content_type, headers } => {
                let sown = body.replace("made to fail", &format!("made to fail for {token}"));
                assert_ne!(sown, body, "the token is sown");
                Fault::Status { code, body: sown, content_type, headers }
            }
            other => other,
        }
    }

    fn mend(&self) {
        self.github.mend();
        self.heroku.clear_faults();
        self.slack.mend();
    }

    fn violations(&self) -> Vec<String> {
        [self.github.violations(), self.heroku.violations(), self.slack.violations()].concat()
    }
}

/// What the fault itself makes impossible; it has struck so often.
fn excuses(play: &Play, strike: Option<&Strike>, struck: u32) -> Excuses {
    let Some(Strike::Call { call, fault, .. }) = strike else { return Excuses::default() };
    let fault = FAULTS[*fault].1();
    let (any, path) = (call.path == "/", call.path.trim_end_matches('$'));
    let ordered = any || call.is_order();
    let late = Excuses {
        // The rule is to order once more after a look for a minute; what is carried out later than that is there twice.
        builds_twice: ordered && call.to == "heroku",
        records_twice: ordered && call.to == "github",
        record_late: call.to == "github" && (any || path.ends_with("/statuses")),
        card_late: ["chat.update", "chat.postMessage"].contains(&path),
        ..Excuses::default()
    };
    let unheard = if path == "chat.postMessage" && fault.may_be_done() { struck as usize } else { 0 };
    let excuses = match fault {
        Fault::DoneLate(seconds) if seconds > 60 => late,
        Fault::RateLimited { .. } | Fault::OtherJson => Excuses { refused: Some(play.refused), ..Excuses::default() },
        Fault::TokenRefused => Excuses { no_cards: call.to == "slack", ..Excuses::default() },
        _ => Excuses::default(),
    };
    Excuses { unheard, ..excuses }
}

/// Whether what goes wrong may change how the deploys of a play end: a token that is refused, and what lasts for an hour.
fn may_end_otherwise(strike: &Strike) -> bool {
    match strike {
        Strike::Call { for_an_hour, fault, .. } => *for_an_hour || FAULTS[*fault].1() == Fault::TokenRefused,
        Strike::Clock { .. } => false,
    }
}

async fn stored(fate: &Fate) -> Vec<Deployment> {
    let store = fate.store();
    let mut deployments = Vec::new();
    for id in fate.known().deployments {
        deployments.extend(store.deployment(id).await.unwrap());
    }
    deployments.sort_by_key(|deployment| deployment.asked_at);
    deployments
}

/// Plays with what goes wrong and, where it must not change them, the ends that it has without.
async fn perform(play: &Play, wrong: Option<(&Strike, &[Standing])>, typed: &[String], published: &Published) -> Performance {
    let strike = wrong.map(|(strike, _)| strike);
    let fate = Arc::new(Fate::new(&[]));
    let mut stage = Stage::set().await.unwrap();
    let mut service = InProcess::new(&stage).unwrap().with(Deaths(Arc::clone(&fate)));
    let outside = Outside::of(&stage.world);
    let mut player = Player::new(Arc::clone(&stage.clock), Arc::clone(&outside.slack), &mut stage.world, &mut service);
    let mut talk = Conversation::default();
    let (before, after) = play.text.split_once("* FAULT\n").unwrap();
    talk.go_on(&mut player, before).await;
    let since = (outside.github.requests().len(), outside.heroku.requests().len(), outside.slack.requests().len());
    let mut strikes = None;
    if let Some(strike) = strike {
        strikes = outside.set_off(strike);
        talk.transcript.push(format!("* {strike}"));
    }
    talk.go_on(&mut player, after).await;
    // What cannot be told because of the fault is asked about, after a while where a service keeps us waiting.
    for _ in 0..ASKED_AT_MOST {
        if questions::yes(&outside.slack).is_none() && strike.is_some_and(Strike::keeps_waiting) {
            talk.go_on(&mut player, "~ 40s\n").await;
        }
        let Some(yes) = questions::yes(&outside.slack).or_else(|| questions::called(&outside.slack)) else { continue };
        talk.go_on(&mut player, &format!("ana presses [{yes}]\n")).await;
    }
    // An allowance lasts longer than a code, and a code that may have got through is not handed over again.
    if let Some(again) = play.again {
        for pause in ["~ 2m\n", "~ 1h\n"].into_iter().take(strike.map_or(0, |strike| 1 + usize::from(strike.lasts()))) {
            if !wants_code(&outside.slack) {
                talk.go_on(&mut player, pause).await;
            }
        }
        if wants_code(&outside.slack) {
            talk.go_on(&mut player, &format!("ana> {again}\n")).await;
        }
    }
    if strike.is_some_and(Strike::lasts) {
        talk.go_on(&mut player, "~ 1h\n").await;
        outside.mend();
        talk.transcript.push("* it is mended".to_owned());
    }
    // An allowance that was used up to the end of that hour is whole an hour later.
    let rest = if strike.is_some_and(Strike::lasts) { "~ 65m\n" } else { "~ 45m\n" };
    talk.go_on(&mut player, rest).await;
    if play.signs_in && wants_login(&outside.slack) {
        talk.go_on(&mut player, "ana signs in\n~ 12m\n").await;
    }
    let calls = cells::calls(&outside, since);
    if strikes.as_ref().is_some_and(|strikes| strikes.count() == 0) {
        talk.wrong.push("no call met the fault".to_owned());
    }
    for _ in stored(&fate).await.iter().filter(|deployment| matches!(deployment.phase, Phase::Unknown(_))) {
        let why = "ana fills in [Reason] with its page shows that nothing goes on\nana sends [Free it]\n";
        talk.go_on(&mut player, &format!("ana presses [Free the app]\n{why}~ 10m\n")).await;
    }
    let deployments = stored(&fate).await;
    let (records, builds) = (outside.github.deployments(play.repository), outside.heroku.builds(play.app));
    let made = facts::Made { builds: &builds, releases: &outside.heroku.releases(play.app) };
    let facts = Facts::gather(&deployments, play.asked, &outside.slack, &records, &made, outside.violations());
    let ends = wrong.filter(|(strike, _)| !may_end_otherwise(strike)).map(|(_, ends)| ends);
    talk.wrong.extend(facts.wrong(excuses(play, strike, strikes.map_or(0, |strikes| strikes.count())), ends));

    // After all that, the app takes the next deploy.
    outside.heroku.add_user(HEROKU_TOKEN, "ana@example.com", &[CODE_OF_THE_LAST], true);
    if play.signs_in {
        talk.go_on(&mut player, "ana signs in\n").await;
    }
    talk.go_on(&mut player, &format!("ana> {}\n", play.next)).await;
    // What the fault kept from being shipped ships along, and is asked about.
    if let Some(yes) = questions::yes(&outside.slack) {
        talk.go_on(&mut player, &format!("ana presses [{yes}]\n")).await;
    }
    talk.go_on(&mut player, "~ 5m\n").await;
    let after = outside.heroku.builds(play.app);
    if after.len() != builds.len() + 1 || after.last().is_none_or(|build| build.status != "succeeded") {
        talk.wrong.push(format!("the next deploy does not run: {after:?}"));
    }
    talk.wrong.extend(ends::at_rest(&*fate.store(), &fate.known()).await);
    drop(player);
    talk.wrong.extend(published.faults_of(&stage.world));
    let pages = secrets::watched_pages(service.address().at("").trim_end_matches('/')).await;
    service.stop().await.unwrap();
    talk.wrong.extend(secrets::leaks(&stage.world, service.folder(), typed, &pages));
    Performance { transcript: talk.transcript, wrong: talk.wrong, calls, ends: facts.standings() }
}

/// A part of the cells that is the same in every run: orders that cannot be undone fail in every way, every clock is off, and of each
/// other call one cell is drawn.
fn share(mut left: Vec<(&'static Play, Strike)>) -> Vec<(&'static Play, Strike)> {
    let mut met = BTreeSet::new();
    let always = left.extract_if(.., |(_, strike)| (strike.orders() || strike.is_of_a_clock()) && met.insert(strike.to_string()));
    let mut cells: Vec<_> = always.collect();
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut met = BTreeSet::new();
    while !left.is_empty() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = left.swap_remove((seed >> 33) as usize % left.len());
        if drawn.1.call().is_some_and(|call| met.insert(call.clone())) {
            cells.push(drawn);
        }
    }
    cells
}

#[test]
fn whatever_fails_the_end_is_true() {
    #[expect(clippy::disallowed_methods, reason = "SLASH_HEROKU_FAULTS is a switch of the tests, not a setting of the product")]
    let setting = std::env::var("SLASH_HEROKU_FAULTS").unwrap_or_default();
    secrets::watch();
    let (typed, published) = (secrets::typed_codes(), Published::read());
    let clean = together(PLAYS, async |play| perform(play, None, &typed, &published).await);
    let (mut cells, mut known) = (Vec::new(), BTreeSet::new());
    let mut ends = BTreeMap::new();
    for (play, clean) in PLAYS.iter().zip(clean) {
        ends.insert(play.name, clean.ends);
        assert!(clean.wrong.is_empty(), "{} without a fault:\n{}\n{}", play.name, clean.wrong.join("\n"), clean.transcript.join("\n"));
        println!("{}: {} calls, {} in all", play.name, clean.calls.len(), clean.calls.values().sum::<u32>());
        cells.extend(cells::strikes(play, &clean.calls, &known).into_iter().map(|strike| (play, strike)));
        known.extend(clean.calls.into_keys());
    }
    let all = cells.len();
    match setting.as_str() {
        "" => {
            cells = share(cells);
            let ways: BTreeSet<&str> = cells.iter().filter_map(|(_, strike)| strike.way()).collect();
            assert_eq!(ways, FAULTS.iter().map(|(way, _)| *way).collect(), "each way to fail is met");
        }
        "all" => {}
        part => cells.retain(|(play, strike)| format!("{}: {strike}", play.name).contains(part)),
    }
    let wrong: Vec<String> = together(&cells, async |(play, strike)| {
        let went = perform(play, Some((strike, &ends[play.name])), &typed, &published).await;
        let indent = |lines: &[String]| lines.iter().map(|line| format!("    {line}\n")).collect::<String>();
        let told = format!("{}: {strike}\n{}{}", play.name, indent(&went.wrong), indent(&went.transcript));
        // All cells take a while: whoever waits reads here.
        (!went.wrong.is_empty()).then(|| println!("{told}")).map(|()| told)
    })
    .into_iter()
    .flatten()
    .collect();
    println!("{} of {all} cells", cells.len());
    assert!(wrong.is_empty(), "{} of {} cells:\n\n{}", wrong.len(), cells.len(), wrong.join("\n"));
    let seen = secrets::watch();
    assert!(seen.leaks.is_empty(), "{:#?}", seen.leaks);
}
