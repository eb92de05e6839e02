//! The lines of a card: what changes, and how long each stage took.

use jiff::Timestamp;

use crate::domain::deployment::{Deployment, Phase, Stage, StageTime, at_work_since, whole, worked};
use crate::domain::message::{Line, Span, code, link, text};
use crate::domain::source::{Comparison, Direction};

use super::services::HEROKU;
use super::words::{count, cut, duration, list, moment, range, usually};

/// What usually takes fewer seconds than this is over before anybody asks how long it will take.
const WORTH_COMPARING: u32 = 5;
/// A whole of fewer seconds than this needs no sum.
const WORTH_ADDING: u32 = 60;
/// How much of the name that an author gave themselves is shown, in characters.
const AUTHOR: usize = 40;

/// What the deploy changes: the commits that are added and taken away.
pub(super) fn change(deployment: &Deployment) -> Line {
    let cargo = &deployment.cargo;
    let mut line = vec![link(cargo.repository.as_str(), &cargo.repository_url), text(": ")];
    let Some(change) = &cargo.change else {
        line.push(text("what changes is not known, since the commit that runs there is not."));
        return line;
    };
    line.extend(change_words(change));
    line
}

/// How a commit stands to the one that runs, as the end of a sentence.
pub(super) fn change_words(change: &Comparison) -> Line {
    let dropped = count(change.dropped, "commit");
    match change.direction {
        Direction::Same => vec![text("the same commit as runs there now.")],
        Direction::Ahead => vec![added(change), text(format!("{}.", by(change)))],
        Direction::Behind => {
            vec![text("goes back in time, and "), link(format!("takes away {dropped}"), &change.url), text(" now live.")]
        }
        Direction::Diverged => vec![added(change), text(format!("{}, and takes away {dropped} now live.", by(change)))],
    }
}

fn added(change: &Comparison) -> Span {
    link(count(change.added, "commit"), &change.url)
}

fn by(change: &Comparison) -> String {
    let authors: Vec<String> = change.authors.iter().map(|name| cut(name, AUTHOR)).collect();
    if authors.is_empty() { String::new() } else { format!(" by {}", list(&authors)) }
}

/// Things about the deploy that somebody should know.
pub(super) fn notes(deployment: &Deployment) -> Vec<Line> {
    let mut notes = Vec::new();
    if deployment.cargo.no_checks {
        notes.push(vec![text("No check is required, and none has ever reported on this commit.")]);
    }
    if let Some(linked) = &deployment.cargo.overrides_link_to {
        notes.push(vec![
            text("This installation ships "),
            code(&deployment.cargo.repository),
            text(" by its own settings; "),
            text(HEROKU),
            text(" links the pipeline to "),
            code(linked),
            text("."),
        ]);
    }
    if let Some(because) = deployment.because.as_ref().filter(|_| deployment.overriding.is_none()) {
        notes.push(vec![text(format!("Because: {because}"))]);
    }
    if let Some(overriding) = deployment.overriding.as_ref().filter(|overriding| overriding.skipped.is_empty()) {
        notes.push(vec![text(format!("Checks were to be skipped, and none stood in the way: {}", overriding.because))]);
    }
    notes
}

/// One line for each stage it has been in that people may have waited for, and one for all of them.
pub(super) fn stages(deployment: &Deployment, now: Timestamp) -> Vec<Line> {
    let mut seen: Vec<Stage> = Vec::new();
    for time in &deployment.times {
        if !seen.contains(&time.stage) {
            seen.push(time.stage);
        }
    }
    seen.retain(|stage| is_worth_a_line(deployment, *stage));
    let times: Vec<(&str, Line)> = seen.into_iter().map(|stage| (word_of(deployment, stage), time_of(deployment, stage, now))).collect();
    // Where it is the same as of one stage it adds nothing.
    let whole = time_in_all(deployment, now).filter(|whole| times.iter().all(|(_, time)| time != whole));
    let times = times.into_iter().chain(whole.map(|whole| ("in all", whole)));
    times.map(|(word, time)| [vec![text(format!("{word} "))], time].concat()).collect()
}

/// Checking, recording and handing over take a moment: they are shown only while they go on and where they took long.
fn is_worth_a_line(deployment: &Deployment, stage: Stage) -> bool {
    match stage {
        Stage::Line | Stage::Code | Stage::Release | Stage::Dynos => true,
        Stage::Build if deployment.build.is_some() => true,
        Stage::Checks | Stage::Announcement | Stage::Source | Stage::Build => {
            let of_it = || deployment.times.iter().filter(|time| time.stage == stage);
            of_it().any(|time| time.ended.is_none()) || of_it().filter_map(seconds).fold(0, i64::saturating_add) >= 5
        }
    }
}

/// How long it takes in all, and how long that usually takes: waits left out, which have lines of their own.
fn time_in_all(deployment: &Deployment, now: Timestamp) -> Option<Line> {
    let usual = deployment.usual.whole.filter(|took| took.most >= WORTH_ADDING);
    if deployment.has_ended() {
        let took = whole(deployment).filter(|seconds| *seconds >= WORTH_ADDING)?;
        // How long it takes to fail says nothing about the next.
        let usual = usual.filter(|_| matches!(deployment.phase, Phase::Succeeded { .. }));
        let usual = usual.map(|took| format!(", usually {}", usually(took))).unwrap_or_default();
        return Some(vec![text(format!("{}{usual}", duration(i64::from(took))))]);
    }
    if matches!(deployment.phase, Phase::Unknown(_)) || deployment.waits() {
        return None;
    }
    let (usual, since) = (usual?, at_work_since(deployment)?);
    let over = worked(deployment, now).is_some_and(|seconds| seconds > usual.most);
    let compared = if over { format!(", longer than the usual {}", range(usual)) } else { format!(", usually {}", usually(usual)) };
    Some(vec![text("since "), moment(since, now), text(compared)])
}

/// The same, as a line of its own.
pub(super) fn in_all(deployment: &Deployment, now: Timestamp) -> Option<Line> {
    time_in_all(deployment, now).map(|time| [vec![text("in all ")], time].concat())
}

fn time_of(deployment: &Deployment, stage: Stage, now: Timestamp) -> Line {
    let of_it = || deployment.times.iter().filter(|time| time.stage == stage);
    let mut line = match of_it().find(|time| time.ended.is_none()) {
        // The card stands for a while as it is: a moment stays true, a duration does not.
        Some(open) => {
            // Waiting for room is one wait, however often it is tried.
            let began = deployment.slot_wanted_since.filter(|_| stage == Stage::Line).unwrap_or(open.began);
            vec![text("since "), moment(began, now)]
        }
        None => vec![text(duration(of_it().filter_map(seconds).fold(0, i64::saturating_add)))],
    };
    if let (Stage::Dynos, Phase::Restarting { up: Some((up, of)), .. }) = (stage, &deployment.phase) {
        line.push(text(format!(", {up} of {of} up")));
    }
    if let Some(took) = deployment.usual.of(stage).filter(|took| took.most >= WORTH_COMPARING) {
        let began = of_it().find(|time| time.ended.is_none()).map(|time| time.began);
        let over = began.is_some_and(|began| now.duration_since(began).as_secs() > i64::from(took.most));
        line.push(text(if over { format!(", longer than the usual {}", range(took)) } else { format!(", usually {}", usually(took)) }));
    }
    line
}

/// That a stage is done, and how long it took.
pub(super) fn done(deployment: &Deployment, stage: Stage) -> String {
    let word = word_of(deployment, stage);
    let mut letters = word.chars();
    let begins = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{begins}{} done in {}.", letters.as_str(), duration(deployment.took(stage).as_secs()))
}

fn word_of(deployment: &Deployment, stage: Stage) -> &'static str {
    if stage == Stage::Build && deployment.promotes().is_some() { "promotion" } else { word(stage) }
}

fn seconds(time: &StageTime) -> Option<i64> {
    time.ended.map(|ended| ended.duration_since(time.began).as_secs())
}

/// When it was stopped, as the end of a sentence.
pub(super) fn stopped(stage: Stage) -> &'static str {
    match stage {
        Stage::Line => "while it waited in line",
        Stage::Code => "while it waited for a one-time code",
        Stage::Checks => "before anything was begun",
        Stage::Announcement => "while it was being recorded in the repository",
        Stage::Source => "while the source was being handed over",
        Stage::Build => "in the build",
        Stage::Release => "in the release phase",
        Stage::Dynos => "while its dynos were coming up",
    }
}

/// What a stage is called.
fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Line => "in line",
        Stage::Code => "waiting for a code",
        Stage::Checks => "checks",
        Stage::Announcement => "record",
        Stage::Source => "source",
        Stage::Build => "build",
        Stage::Release => "release phase",
        Stage::Dynos => "dynos",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::{Took, Usual, samples};
    use crate::domain::names::RepoName;
    use crate::domain::speech::testing::plain_line;

    fn changes(direction: Direction, added: u64, dropped: u64) -> String {
        let mut deployment = samples::deployment(Phase::Starting);
        let change = deployment.cargo.change.as_mut().unwrap();
        (change.direction, change.added, change.dropped) = (direction, added, dropped);
        plain_line(&super::change(&deployment))
    }

    #[test]
    fn every_direction() {
        assert_eq!(changes(Direction::Ahead, 1, 0), "acme/hubot: 1 commit by Ana and Bo.");
        assert_eq!(changes(Direction::Behind, 0, 3), "acme/hubot: goes back in time, and takes away 3 commits now live.");
        assert_eq!(changes(Direction::Diverged, 2, 1), "acme/hubot: 2 commits by Ana and Bo, and takes away 1 commit now live.");
        assert_eq!(changes(Direction::Same, 0, 0), "acme/hubot: the same commit as runs there now.");
    }

    #[test]
    fn ended_stages_have_durations_and_the_open_one_a_beginning() {
        let mut deployment =
            samples::deployment(Phase::Restarting { release: samples::release_id(), version: 12, crashed_since: None, up: Some((2, 3)) });
        let time = |stage, began, ended: Option<i64>| StageTime { stage, began: samples::at(began), ended: ended.map(samples::at) };
        deployment.times = vec![
            time(Stage::Checks, 0, Some(3)),
            time(Stage::Build, 3, Some(103)),
            time(Stage::Checks, 103, Some(105)),
            time(Stage::Build, 105, Some(135)),
            time(Stage::Source, 135, Some(136)),
            time(Stage::Dynos, 136, None),
        ];
        deployment.usual =
            Usual { build: Some(Took { least: 61, most: 118 }), release: None, dynos: Some(Took { least: 18, most: 20 }), whole: None };
        let lines: Vec<String> = stages(&deployment, samples::at(200)).iter().map(plain_line).collect();
        assert_eq!(lines, ["checks 5s", "build 2m 10s, usually 1m–2m", "dynos since 00:02 UTC, 2 of 3 up, longer than the usual 20s"]);
    }

    #[test]
    fn the_whole_is_compared_while_it_goes_on_and_where_it_went_well() {
        let words = |deployment: &Deployment, now| in_all(deployment, samples::at(now)).map(|line| plain_line(&line));
        let times = |ended: Option<i64>| {
            vec![
                StageTime { stage: Stage::Line, began: samples::at(0), ended: Some(samples::at(60)) },
                StageTime { stage: Stage::Build, began: samples::at(60), ended: ended.map(samples::at) },
            ]
        };
        let mut one = samples::deployment(Phase::Building { build: samples::build_id() });
        one.times = times(None);
        assert_eq!(words(&one, 90), None, "nobody knows how long it takes");
        one.usual.whole = Some(Took { least: 20, most: 59 });
        assert_eq!(words(&one, 90), None, "its lines are summed up at a glance");
        one.usual.whole = Some(Took { least: 61, most: 118 });
        assert_eq!(words(&one, 178).as_deref(), Some("in all since 00:01 UTC, usually 1m–2m"));
        assert_eq!(words(&one, 179).as_deref(), Some("in all since 00:01 UTC, longer than the usual 1m–2m"));
        one.times = times(Some(145));
        one.phase = Phase::Succeeded { version: 12, dynos: crate::domain::deployment::DynosUp::None };
        assert_eq!(words(&one, 9000).as_deref(), Some("in all 1m 25s, usually 1m–2m"));
        one.phase = Phase::Failed { during: Stage::Build, why: crate::domain::deployment::Failure::Build };
        assert_eq!(words(&one, 9000).as_deref(), Some("in all 1m 25s"));
        let lines = |one: &Deployment| stages(one, samples::at(9000)).iter().map(plain_line).collect::<Vec<_>>();
        one.build = Some(samples::build_id());
        assert_eq!(lines(&one), ["in line 1m", "build 1m 25s"], "said already");
        one.times.push(StageTime { stage: Stage::Release, began: samples::at(145), ended: Some(samples::at(150)) });
        assert_eq!(lines(&one), ["in line 1m", "build 1m 25s", "release phase 5s", "in all 1m 30s"]);
        one.times = times(Some(100));
        assert_eq!(words(&one, 9000), None);
    }

    #[test]
    fn what_is_odd_is_noted() {
        let mut deployment = samples::deployment(Phase::Starting);
        assert!(notes(&deployment).is_empty());
        deployment.cargo.no_checks = true;
        deployment.cargo.overrides_link_to = Some(RepoName::parse("acme/old").unwrap());
        let lines: Vec<String> = notes(&deployment).iter().map(plain_line).collect();
        assert_eq!(lines[0], "No check is required, and none has ever reported on this commit.");
        assert_eq!(lines[1], "This installation ships acme/hubot by its own settings; Heroku links the pipeline to acme/old.");
    }
}
