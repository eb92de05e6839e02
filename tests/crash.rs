//! The service dies at a chosen moment, and goes on in a next life: the end is the same as without, and nothing is doubled.
//!
//! It may die after every write to its store, of locks and notes too, and after every call that changes something outside, so that it
//! also dies between the two, and between two calls. Plays that together cover every step of a deploy are run at all of these points
//! and the others at a part of them, and each also with two deaths. `SLASH_HEROKU_CRASH=all` runs every play at every point, on both sides of every write, and the name of a play that one.

pub mod deadly;
pub mod ends;
mod kept;
mod outside;
pub mod plays;
mod steps;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use slash_heroku::domain::deployment::{Phase, Watched};
use slash_heroku::rehearsal::{InProcess, Stage};
use slash_heroku::sandbox::company::HEROKU_TOKEN;
use slash_heroku::sandbox::script::{Act, Played, Player, Script};
use slash_heroku::sandbox::slack::{Rendered, SeenMessage, SlackWorkspace};

use crate::contracts::traffic::Published;
use deadly::{Death, Event, Fate, Moment, Point};
use ends::End;
use plays::{CODE_OF_THE_LAST, PLAYS, Play};

/// How many are played at a time: each has a world and a service of its own.
const AT_ONCE: usize = 6;
/// Which part of the points of a play is run by default, and how many at least.
const PART: usize = 10;
const AT_LEAST: usize = 3;
/// How often each play is run with two deaths, by default and when everything is run.
const PAIRS: usize = 2;
const ALL_PAIRS: usize = 20;

/// How often a single point is played again that was not come to.
const AGAIN: usize = 3;

/// What is asked and answered, also by a service that died in between, is held to it.
static PUBLISHED: LazyLock<Published> = LazyLock::new(Published::read);

/// How a play went.
struct Performance {
    /// What was done and seen.
    transcript: String,
    /// What was not as it must be.
    faults: Vec<String>,
    /// What the service did to its store and to the outside.
    events: Vec<Event>,
    /// How many of these came before what the play is for.
    before: usize,
    /// The kinds of steps that it was to take after each record since.
    steps: BTreeSet<&'static str>,
    /// Where the service died.
    deaths: Vec<Death>,
    /// The code that was given died with the service.
    gave_another_code: bool,
    /// A login that was renewed died with the service.
    signed_in_again: bool,
    /// How many answers may have come to what was typed beside the play.
    asked_again: usize,
    /// Nobody can know whether a build was ordered.
    given_up: bool,
    end: End,
}

/// A person sees that something was not taken.
fn was_refused(seen: &[String]) -> bool {
    seen.iter().any(|line| line.contains("failed with the error") || line.contains("the button failed"))
}

/// Whether the newest message that everybody sees asks for a code.
pub fn wants_code(slack: &SlackWorkspace) -> bool {
    let cards = slack.messages();
    let card = cards.iter().rev().find(|message| message.to.is_none() && message.channel.starts_with('C'));
    card.is_some_and(|card| slack.render(card).headline.contains("waiting for a one-time code"))
}

/// How whoever is told that their login is gone is told the way out.
const WAY_OUT: &str = "log in again";

/// Whether the newest card waits for a login.
pub fn wants_login(slack: &SlackWorkspace) -> bool {
    let messages = slack.messages();
    let mut seen = messages.iter().rev().map(|message| slack.render(message));
    let card = seen.find(|seen| seen.only.is_none() && seen.below.is_none() && seen.place.starts_with('#'));
    card.is_some_and(|card| card.all().to_lowercase().contains(WAY_OUT))
}

fn is_linked(played: &Played) -> bool {
    played.seen.iter().flatten().any(|line| line.contains("Linked: your logins"))
}

/// Whether a build was put down as ordered twice and the service died before it was, both times: then nobody orders it again.
async fn ordered_twice_in_vain(fate: &Fate) -> bool {
    for id in fate.known().deployments {
        let deployment = fate.store().deployment(id).await.unwrap();
        if deployment.is_some_and(|one| one.builds_ordered == 2 && matches!(one.phase, Phase::Unknown(Watched::Order))) {
            return true;
        }
    }
    false
}

/// How often somebody begins anew to sign in where the service dies under it.
const PATIENCE: usize = 5;

/// Somebody signs in, again from the beginning where that comes to nothing. How often it was tried.
async fn signed_in(player: &mut Player<'_>, fate: &Fate, script: &Script) -> anyhow::Result<(Played, usize)> {
    let mut tries = 1;
    loop {
        match player.play_on(script).await {
            // A passcode that died with the service is typed once more.
            Ok(played) if fate.deaths().is_empty() || tries >= PATIENCE || is_linked(&played) => return Ok((played, tries)),
            Err(error) if fate.deaths().is_empty() || tries >= PATIENCE => return Err(error.into()),
            Ok(_) | Err(_) => tries += 1,
        }
    }
}

/// A script of the steps of `script` that are `range`.
fn part(script: &Script, range: std::ops::Range<usize>) -> Script {
    let mut part = script.clone();
    part.steps = script.steps[range].to_vec();
    part
}

/// Plays with deaths at points among the events of the play in which nobody dies.
async fn perform(play: &Play, points: &[Point], events: &[Event]) -> anyhow::Result<Performance> {
    let fate = Arc::new(Fate::among(points, events));
    let mut stage = Stage::set().await?;
    let slack = Arc::clone(&stage.world.slack);
    let (github, heroku) = (Arc::clone(&stage.world.github), Arc::clone(&stage.world.heroku));
    let mut service = InProcess::new(&stage)?.with(deadly::Deaths(Arc::clone(&fate)));
    let mut player = Player::new(Arc::clone(&stage.clock), Arc::clone(&slack), &mut stage.world, &mut service);
    let script = Script::parse(play.name, play.text)?;
    let (mut lines, mut faults, mut before) = (Vec::new(), Vec::new(), 0);
    let (mut gave_another_code, mut signed_in_again, mut asked_again) = (false, false, 0);
    assert!(play.since.is_none_or(|line| script.steps.iter().any(|step| script.written(step) == line)), "{}: no such line", play.name);

    for place in 0..script.steps.len() {
        let step = part(&script, place..place + 1);
        let asks = matches!(script.steps[place].act, Act::Type { .. } | Act::Press { .. });
        if play.since.is_some_and(|line| script.written(&script.steps[place]) == line) {
            before = fate.events();
        }
        for asked in 1.. {
            let (died_before, offered) = (fate.deaths().len(), fate.offered());
            lines.push(script.written(&script.steps[place]).to_owned());
            let played = if matches!(script.steps[place].act, Act::SignIn { .. }) {
                let (played, tries) = signed_in(&mut player, &fate, &step).await?;
                asked_again += 2 * (tries - 1);
                played
            } else {
                player.play_on(&step).await?
            };
            lines.extend(played.seen.iter().flatten().map(|line| format!("  {line}")));
            faults.extend(played.failures.iter().map(ToString::to_string));
            lines.extend(fate.deaths().iter().skip(died_before).map(|death| format!("!! died {death}")));
            if !asks || fate.was_taken(offered).await {
                // What was taken is answered without that anybody asks again.
                break;
            }
            // Whoever sees that nothing was taken asks again.
            if !was_refused(played.seen.first().map_or(&[], Vec::as_slice)) || asked > points.len() {
                faults.push("what does not lie on disk was acknowledged".to_owned());
                break;
            }
        }
        let given = script.steps[..=place].iter().any(|step| script.written(step).ends_with(plays::FIRST_CODE));
        if let Some(code) = play.code.filter(|_| given && !fate.deaths().is_empty() && wants_code(&slack)) {
            let script = Script::parse(play.name, &format!("ana> {code}\n~ 5m\n"))?;
            let told = |message: &SeenMessage| message.to.is_some() && slack.render(message).headline.contains("wants a one-time code");
            if !slack.messages().iter().any(told) {
                faults.push("the asker was not told that a code is wanted".to_owned());
            }
            gave_another_code = true;
            // That the code was lost, and that another one is taken.
            asked_again += 2;
            lines.push(format!("ana> {code}"));
            lines.extend(player.play_on(&script).await?.seen.into_iter().flatten().map(|line| format!("  {line}")));
        }
        if play.signs_in && !fate.deaths().is_empty() && wants_login(&slack) {
            let told = |seen: Rendered| seen.place.starts_with('@') && seen.all().to_lowercase().contains(WAY_OUT);
            if !slack.messages().iter().any(|message| told(slack.render(message))) {
                faults.push("the asker was not told that their login is gone".to_owned());
            }
            signed_in_again = true;
            lines.push("ana signs in".to_owned());
            let (played, tries) = signed_in(&mut player, &fate, &Script::parse(play.name, "ana signs in\n~ 12m\n")?).await?;
            asked_again += 2 * tries;
            lines.extend(played.seen.into_iter().flatten().map(|line| format!("  {line}")));
        }
    }
    let events = fate.spare();
    let steps = fate.steps_after(before);
    let end = End::of(play, &slack, &github, &heroku);
    let given_up = fate.deaths().len() == 2 && ordered_twice_in_vain(&fate).await;

    // After all that, the app takes the next deploy: not at every point, since an empty line says nearly the same.
    if points.first().is_some_and(|point| point.event % NEXT_AT != 0) {
        faults.extend(at_rest(&fate).await);
        player.play(&part(&script, 0..0)).await?;
        faults.extend(PUBLISHED.faults_of(&stage.world));
        let (transcript, deaths) = (lines.join("\n"), fate.deaths());
        return Ok(Performance {
            transcript,
            faults,
            events,
            before,
            steps,
            deaths,
            gave_another_code,
            signed_in_again,
            asked_again,
            given_up,
            end,
        });
    }
    heroku.add_user(HEROKU_TOKEN, "ana@example.com", &[CODE_OF_THE_LAST], true);
    let next = Script::parse(play.name, &format!("ana> {}\n~ 5m\n= no violations\n", play.next))?;
    lines.push(format!("ana> {}", play.next));
    let builds = heroku.builds(play.app).len();
    let played = player.play_on(&next).await?;
    lines.extend(played.seen.iter().flatten().map(|line| format!("  {line}")));
    faults.extend(played.failures.iter().map(ToString::to_string));
    let after = heroku.builds(play.app);
    if after.len() != builds + 1 || after.last().is_none_or(|build| build.status != "succeeded") {
        faults.push(format!("the next deploy does not run: {after:?}"));
    }
    faults.extend(at_rest(&fate).await);
    let unmet = player.play(&part(&script, 0..0)).await?.failures;
    // Another life may come without the call that is made to fail.
    faults.extend(unmet.iter().filter(|_| points.is_empty()).map(ToString::to_string));
    faults.extend(PUBLISHED.faults_of(&stage.world));
    Ok(Performance {
        transcript: lines.join("\n"),
        faults,
        events,
        before,
        steps,
        deaths: fate.deaths(),
        gave_another_code,
        signed_in_again,
        asked_again,
        given_up,
        end,
    })
}

/// What is not at rest, or of no use to anybody.
async fn at_rest(fate: &Fate) -> Vec<String> {
    let mut faults = ends::at_rest(&*fate.store(), &fate.known()).await;
    if let Some(accounts) = fate.accounts() {
        faults.extend(ends::of_no_use(&*accounts).await);
    }
    faults
}

/// At which part of the points the next deploy is played, too.
const NEXT_AT: usize = 4;

/// What a run with deaths came to.
struct Run {
    /// What was wrong, if anything was.
    wrong: Option<String>,
    /// It came to its end without coming to all of its points.
    missed: bool,
    lost_code: bool,
    lost_login: bool,
}

/// Plays with deaths and holds the end against the one without.
async fn at(play: &Play, points: &[Point], reference: &Performance) -> Run {
    let where_to = named(points);
    let performance = match perform(play, points, &reference.events).await {
        Ok(performance) => performance,
        Err(error) => {
            let wrong = Some(format!("{}, {where_to}: could not be played: {error:#}", play.name));
            return Run { wrong, missed: false, lost_code: false, lost_login: false };
        }
    };
    let mut faults = performance.faults;
    if performance.given_up {
        faults = performance.end.is_not_told_as_unknown();
    } else {
        faults.extend(performance.end.differs_from(&reference.end, performance.deaths.len(), performance.asked_again));
    }
    let died: Vec<String> = performance.deaths.iter().map(|death| format!("died {death}")).collect();
    let wrong = (!faults.is_empty()).then(|| {
        let indent = |text: &str| text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n");
        format!("{}, {where_to} ({}):\n{}\n{}", play.name, died.join(", "), indent(&faults.join("\n")), indent(&performance.transcript))
    });
    let missed = performance.deaths.len() < points.len();
    Run { wrong, missed, lost_code: performance.gave_another_code, lost_login: performance.signed_in_again }
}

fn named(points: &[Point]) -> String {
    points.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// A row of numbers that is another one for each play, and the same in every run.
struct Row(u64);

impl Row {
    fn of(play: usize) -> Self {
        Self(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(play as u64 + 1))
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// The points to run of `all`: a part of them.
fn chosen(row: &mut Row, all: Vec<Point>) -> Vec<Point> {
    let wanted = (all.len() / PART).max(AT_LEAST).min(all.len());
    let mut left = all;
    (0..wanted).map(|_| left.swap_remove(row.below(left.len()))).collect()
}

/// Two deaths: the second comes soon after the first, while the next life still puts things in order, or any time later.
fn pair(row: &mut Row, all: &[Point]) -> Vec<Point> {
    let first = all[row.below(all.len())];
    let later = if row.below(2) == 0 { row.below(6) } else { row.below(all.len()) };
    vec![first, Point { event: first.event + 1 + later, moment: Moment::After }]
}

/// Every point of a play; both sides of every write, or only those at which the next life finds something else: before an event it
/// is as after the one before.
fn points(events: &[Event], both_sides: bool) -> Vec<Point> {
    let numbered = (1..).zip(events);
    let sides = |(event, what): (usize, &Event)| {
        let before = Point { event, moment: Moment::Before };
        let after = Point { event, moment: Moment::After };
        let is_write = matches!(what, Event::Write(_));
        let wanted = if both_sides { [event == 1 || is_write, true] } else { [event == 1, what.leaves_a_trace()] };
        [before, after].into_iter().zip(wanted).filter_map(|(point, wanted)| wanted.then_some(point))
    };
    numbered.flat_map(sides).collect()
}

/// Runs jobs on several threads; gives back what each said.
pub fn together<J: Sync, R: Send>(jobs: &[J], work: impl AsyncFn(&J) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
                    let mut done = Vec::new();
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(job) = jobs.get(place) else { return done };
                        done.push((place, runtime.block_on(work(job))));
                    }
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, said)| said).collect()
}

#[test]
fn the_end_is_the_same_wherever_the_service_dies() {
    #[expect(clippy::disallowed_methods, reason = "SLASH_HEROKU_CRASH is a switch of the tests, not a setting of the product")]
    let setting = std::env::var("SLASH_HEROKU_CRASH").unwrap_or_default();
    let references: Vec<Performance> = together(PLAYS, async |play| perform(play, &[], &[]).await.unwrap());
    for (play, reference) in PLAYS.iter().zip(&references) {
        assert!(reference.faults.is_empty(), "{} without a crash:\n{}\n{}", play.name, reference.faults.join("\n"), reference.transcript);
    }
    let whole = PLAYS.iter().zip(&references).filter(|(play, _)| play.at_every_point);
    let covered: BTreeSet<&str> = whole.flat_map(|(_, reference)| &reference.steps).copied().collect();
    let missing: Vec<&&str> = steps::KINDS.iter().filter(|kind| !covered.contains(*kind)).collect();
    assert!(missing.is_empty(), "no play that is run at every point is ever to do this next: {missing:?}");
    let whole = PLAYS.iter().zip(&references).filter(|(play, _)| play.at_every_point);
    let done: Vec<Event> = whole.flat_map(|(_, reference)| reference.events[reference.before..].iter().copied()).collect();
    let missing: Vec<&Event> = steps::EVENTS.iter().filter(|event| !done.contains(event)).collect();
    assert!(missing.is_empty(), "no play that is run at every point does this: {missing:?}");
    let mut jobs: Vec<(&Play, &Performance, Vec<Point>)> = Vec::new();
    for (place, (play, reference)) in PLAYS.iter().zip(&references).enumerate() {
        let row = &mut Row::of(place);
        let (all, telling) = (points(&reference.events, true), points(&reference.events, false));
        let (counted, pairs) = (all.len(), if setting.is_empty() { PAIRS } else { ALL_PAIRS });
        let pairs: Vec<Vec<Point>> = (0..pairs).map(|_| pair(row, &telling)).collect();
        let single = match setting.as_str() {
            "all" => all,
            "" if play.at_every_point => telling.into_iter().filter(|point| point.event > reference.before).collect(),
            "" => chosen(row, telling),
            name if name == play.name => all,
            _ => continue,
        };
        println!("{}: {} of {counted} points, {} with two deaths", play.name, single.len(), pairs.len());
        let single = single.into_iter().map(|point| vec![point]);
        jobs.extend(single.chain(pairs).map(|points| (play, reference, points)));
    }
    let mut runs = together(&jobs, async |(play, reference, points)| at(play, points, reference).await);
    // Tasks that run at the same time do not always go the same way: a point is played until it is come to.
    for _ in 0..AGAIN {
        let again: Vec<usize> = (0..jobs.len()).filter(|job| jobs[*job].2.len() == 1 && runs[*job].missed).collect();
        if again.is_empty() {
            break;
        }
        println!("{} single points were not come to", again.len());
        let played = together(&again, async |job| {
            let (play, reference, points) = &jobs[*job];
            at(play, points, reference).await
        });
        for (job, run) in again.into_iter().zip(played) {
            let before = std::mem::replace(&mut runs[job], run);
            runs[job].wrong = before.wrong.or(runs[job].wrong.take());
        }
    }
    let wrong: Vec<&str> = runs.iter().filter_map(|run| run.wrong.as_deref()).collect();
    let missed: Vec<&(&Play, &Performance, Vec<Point>)> =
        jobs.iter().zip(&runs).filter(|(_, run)| run.missed).map(|(job, _)| job).collect();
    let (single, pairs): (Vec<_>, Vec<_>) = missed.into_iter().partition(|(.., points)| points.len() == 1);
    let count = |of: fn(&Run) -> bool| runs.iter().filter(|run| of(run)).count();
    let (lost_codes, lost_logins) = (count(|run| run.lost_code), count(|run| run.lost_login));
    println!(
        "{} runs; the code was lost in {lost_codes} and a login in {lost_logins}; {} second deaths came too late",
        jobs.len(),
        pairs.len()
    );
    assert!(wrong.is_empty(), "{} of {} runs:\n\n{}", wrong.len(), jobs.len(), wrong.join("\n\n"));
    // At the source control and at the platform.
    assert!((lost_codes > 0 && lost_logins > 1) || !setting.is_empty(), "no death has lost a code, or a login at either service");
    let single: Vec<String> = single.iter().map(|(play, _, points)| format!("{}, {}", play.name, named(points))).collect();
    println!("never come to: {single:#?}");
    // Where also those are played that only keep what a life has: how many of them there are at the end differs.
    assert!(single.is_empty() || !setting.is_empty(), "{} single points were never come to", single.len());
    // A second death may come too late, when all is over.
    let all_pairs = jobs.iter().filter(|(.., points)| points.len() > 1).count();
    assert!(pairs.len() * 3 <= all_pairs, "in {} of {all_pairs} runs with two deaths one of them did not come", pairs.len());
}
