//! What must be true at the end of every run.

use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use slash_heroku::domain::actor::Person;
use slash_heroku::domain::command::Command;
use slash_heroku::domain::deployment::{Card, Deployment, DynosUp, Failure, Phase, Watched};
use slash_heroku::domain::message::Tone;
use slash_heroku::domain::names::UserId;
use slash_heroku::domain::release::BuildState;
use slash_heroku::domain::request::Ask;
use slash_heroku::domain::source::ReportState;

use super::memory::Rows;
use super::plots::FORMER;
use super::stage::Stage;
use super::world::{Built, Destiny, Outside};

pub fn faults(stage: &Stage) -> Vec<String> {
    let rows = stage.store.rows();
    let outside = stage.world.look();
    let mut faults: Vec<String> = [rows.faults.clone(), outside.faults.clone()].concat();
    // Where calls fail or workers are frozen, what was sent before may arrive after.
    let calm = !stage.disturbed.load(Ordering::SeqCst) && stage.setting.freezes == 0 && stage.setting.bad_luck == 0;
    for deployment in rows.deployments.values() {
        let mut wrong = |what: String| faults.push(format!("{}: {what}", deployment.id));
        of_deployment(deployment, &outside, stage, &mut wrong);
    }
    for line in rows.lines.values() {
        if line.everybody().next().is_some() {
            faults.push(format!("somebody still stands in the line of {}", line.app));
        }
    }
    of_requests(&rows, &outside, stage, calm, &mut faults);
    if calm {
        for (number, card) in outside.cards.iter().enumerate() {
            if card.windows(2).any(|two| two[0].rank > two[1].rank) {
                faults.push(format!("card {number} went back: {card:?}"));
            }
        }
        for record in &outside.records {
            if record.states.windows(2).any(|two| rank(two[0]) > rank(two[1])) {
                faults.push(format!("the record of {} went back: {:?}", record.deployment, record.states));
            }
        }
    }
    faults
}

fn rank(state: ReportState) -> u8 {
    match state {
        ReportState::Queued => 0,
        ReportState::InProgress => 1,
        ReportState::Success | ReportState::Failure | ReportState::Error => 2,
    }
}

/// The end of a deployment is the one that the outside tells of, everywhere.
fn of_deployment(deployment: &Deployment, outside: &Outside, stage: &Stage, wrong: &mut impl FnMut(String)) {
    let long_after = stage.schedule.now() + SignedDuration::from_hours(1);
    let build = outside.build_of(deployment.id);
    let state = build.map(|(number, build)| build.state(number, long_after));
    let is = |destiny| build.is_some_and(|(_, build): (usize, &Built)| build.destiny == destiny && !build.stopped);
    let (fits, tone, report) = match &deployment.phase {
        Phase::Succeeded { version, dynos } => {
            let tone = if matches!(dynos, DynosUp::Overtaken(_)) { Tone::Attention } else { Tone::Good };
            (is(Destiny::Runs) && build.is_some_and(|(_, build)| build.version == *version), tone, ReportState::Success)
        }
        Phase::Failed { why, .. } => {
            let fits = match why {
                Failure::Build => state == Some(BuildState::Failed),
                Failure::Release => is(Destiny::ReleaseFails),
                Failure::DynosCrashed { .. } => is(Destiny::DynosCrash),
                Failure::AnnouncementRefused(_) => build.is_none() && deployment.origin.person.user.as_str() == FORMER,
                Failure::Gate(_) | Failure::NoCode | Failure::NoAnswer => build.is_none(),
                // Twice somebody was about to order, and twice nobody came to do it: that is given up.
                Failure::AnnouncementUnclear => build.is_none() && deployment.announcements_ordered == 2,
                other => {
                    wrong(format!("an end that nobody gave cause for: {other:?}"));
                    build.is_none()
                }
            };
            (fits, Tone::Bad, ReportState::Failure)
        }
        Phase::Cancelled { .. } => (state.is_none_or(|state| state == BuildState::Failed), Tone::Info, ReportState::Error),
        // The same with the build, or with a stop after the first time: nobody knows, until somebody frees the app.
        Phase::Freed { was: Watched::Order, .. } => {
            let given_up = deployment.builds_ordered == 2 || (deployment.builds_ordered == 1 && deployment.cancel.is_some());
            (build.is_none() && given_up, Tone::Unknown, ReportState::Error)
        }
        other => return wrong(format!("not at an end: {other:?}")),
    };
    if !fits {
        wrong(format!("{:?} is not true outside: {build:?}", deployment.phase));
    }
    let former = Person { user: UserId::parse(FORMER).unwrap(), ..deployment.origin.person.clone() };
    if deployment.is_ridden_by(&former) {
        wrong("somebody rides along who may not record there any more".to_owned());
    }
    if !deployment.closed || !deployment.asker_told {
        wrong("its end is not told".to_owned());
    }
    if let Some(record) = outside.records.iter().find(|record| record.deployment == deployment.id)
        && record.states.last() != Some(&report)
    {
        wrong(format!("its record ends with {:?} instead of {report:?}", record.states));
    }
    match &deployment.card {
        Card::At(place) => {
            let shown = outside.cards.get(place.message.parse::<usize>().unwrap()).and_then(|card| card.last());
            if shown.is_none_or(|shown| shown.tone != tone) {
                wrong(format!("its card ends as {shown:?} instead of {tone:?}"));
            }
        }
        other @ (Card::NotShown | Card::SaidOnce) => wrong(format!("it has no card: {other:?}")),
    }
}

fn of_requests(rows: &Rows, outside: &Outside, stage: &Stage, calm: bool, faults: &mut Vec<String>) {
    for id in stage.acknowledged.lock().unwrap().iter() {
        if rows.requests.get(id).is_none_or(|request| !request.answered) {
            faults.push(format!("{id} was taken and not answered"));
        }
    }
    for request in rows.requests.values() {
        let began = rows.deployments.values().filter(|deployment| deployment.delivery == request.id).count();
        let answers = outside.answers.get(&request.id).copied().unwrap_or_default();
        if began > 1 {
            faults.push(format!("{} began {began} deployments", request.id));
        }
        if began + answers == 0 && stage.setting.bad_luck == 0 {
            faults.push(format!("nothing was said to {}", request.id));
        }
        let deploys = matches!(request.ask, Ask::Command(Command::Deploy { .. }));
        if calm && !deploys && answers != 1 {
            faults.push(format!("{} was answered {answers} times", request.id));
        }
    }
}
