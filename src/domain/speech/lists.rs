//! What we say when somebody looks: plans, pipelines, what goes on, lines, releases.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::command::Wish;
use crate::domain::deployment::{Deployment, Phase, Target, Took, WaitingFor, waits};
use crate::domain::doubt::Doubt;
use crate::domain::fault::{Fault, PortError};
use crate::domain::gate::Verdict;
use crate::domain::lock::Lock;
use crate::domain::message::{Audience, Line, Message, Span, Tone, code, link, strong, text};
use crate::domain::names::{CheckName, RepoName};
use crate::domain::pipeline::{App, Environment, Pipeline, Place};
use crate::domain::release::{Access, Release, ReleaseState, Running};
use crate::domain::rights::Rules;
use crate::domain::source::{Direction, Repository, Resolved};

use super::card::commit;
use super::confirm::{Change, commits_of, why};
use super::locks::{LockRow, lock_line, own_lock};
use super::may::{May, what_you_may};
use super::paced::slowed;
use super::reasons::{in_short, reason_by};
use super::refusals::{as_soon_as_green, commit_words, listed, past_checks, way_on, who_does_what};
use super::rides::with_riders;
use super::routes::{RouteRow, closed_line};
use super::services::{GITHUB, HEROKU, service};
use super::stages::change_words;
use super::words::{duration, moment, usually};

/// Fewer seconds than this are over before anybody asks how long they take.
const WORTH_SAYING: u32 = 5;

fn answer(headline: Line) -> Message {
    Message::new(Tone::Info, Audience::Asker, headline)
}

/// What a deploy would be.
#[derive(Debug)]
#[expect(missing_docs, reason = "each field is the domain value of its name")]
pub struct Plan<'a> {
    pub target: &'a Target,
    pub repository: &'a Repository,
    pub overrides_link_to: Option<&'a RepoName>,
    pub resolved: &'a Resolved,
    pub access: Access,
    pub running: Option<&'a Running>,
    pub change: Change<'a>,
    pub doubts: &'a BTreeSet<Doubt>,
    pub verdict: &'a Verdict,
    pub holder: Option<&'a Deployment>,
    pub waiting: usize,
    /// What the asker holds there.
    pub own_locks: &'a [Lock],
    pub wish: &'a Wish,
    pub rules: &'a Rules,
    pub now: Timestamp,
}

/// A plan: what would happen, and everything that would stop it.
pub fn plan(plan: &Plan<'_>) -> Message {
    let mut headline = vec![text("A deploy would take ")];
    headline.extend(commit_words(plan.resolved));
    headline.extend([
        text(" of "),
        code(&plan.repository.name),
        text(" to "),
        code(&plan.target.app_name),
        text(format!(" ({}).", plan.target.environment)),
    ]);
    let mut message = answer(headline);
    message.lines.push(match plan.running {
        Some(Running { version, commit: Some(commit), code: _ }) => vec![text(format!("Runs now: v{version}, ")), code(commit.short())],
        Some(Running { code: false, .. }) => vec![text("Nothing runs there yet.")],
        Some(Running { version, commit: None, code: true }) => vec![text(format!("Runs now: v{version}, of no known commit"))],
        None => vec![text("Nothing runs there yet, or it cannot be read.")],
    });
    message.lines.extend(plan.change.comparison.map(|change| {
        let before = if change.direction == Direction::Behind { "It " } else { "Ships " };
        [vec![text(before)], change_words(change)].concat()
    }));
    message.lines.extend(commits_of(plan.repository, plan.change));
    if let Some(link) = plan.overrides_link_to {
        message.lines.push(vec![
            text(format!("{HEROKU} links the pipeline to ")),
            code(link),
            text("; this installation is set to ship another."),
        ]);
    }
    if plan.verdict.no_checks {
        message.lines.push(vec![text("No check is required, and none has ever reported on this commit.")]);
    }
    if plan.access.needs_code == Some(true) {
        message.lines.push(vec![text("The app wants a one-time code: put it at the end of the command.")]);
    }
    if let Some(holder) = plan.holder {
        let mut line = vec![text("The app is busy with ")];
        if holder.has_left() {
            line.extend(of_before(holder, plan.now));
        } else {
            line.extend(commit(&holder.cargo.commit, &holder.cargo.named_by));
        }
        line.push(text(match plan.waiting {
            0 => "; a deploy would wait in line, next.".to_owned(),
            ahead => format!("; a deploy would wait in line, behind {ahead} more."),
        }));
        message.lines.push(line);
    }
    message.lines.extend(plan.own_locks.iter().map(|lock| own_lock(&plan.target.pipeline_name, lock)));
    if plan.verdict.is_open() {
        if !plan.doubts.is_empty() {
            message.lines.push(vec![text(format!("A deploy would ask you first, since {}.", why(plan.target.environment, plan.doubts)))]);
        }
        return message.line(vec![text("Nothing stands in the way.")]);
    }
    message.tone = Tone::Bad;
    message.lines.push(vec![text("It would be stopped by:")]);
    for against in &plan.verdict.reasons {
        message.lines.extend(reason_by(against, plan.rules, plan.now));
    }
    if plan.verdict.may_be_overridden() {
        message.lines.push(vec![text("It can be shipped all the same: "), code(past_checks(plan.wish))]);
    }
    if plan.verdict.may_become_green() {
        message.lines.push(as_soon_as_green(plan.wish));
    }
    message
}

/// All pipelines.
pub fn pipelines(pipelines: &[Pipeline]) -> Message {
    if pipelines.is_empty() {
        return answer(vec![text(format!("You can see no pipelines at {HEROKU}."))]);
    }
    let mut message = answer(vec![text(match pipelines.len() {
        1 => "You can see one pipeline:".to_owned(),
        many => format!("You can see {many} pipelines:"),
    })]);
    for pipeline in pipelines {
        let shared = pipelines.iter().filter(|other| other.name == pipeline.name).count() > 1;
        let mut line = vec![code(&pipeline.name)];
        if shared {
            let owner = pipeline.owner.as_deref().unwrap_or("nobody in particular");
            line.extend([text(format!(" of {owner}, ")), code(&pipeline.id)]);
        }
        message.lines.push(line);
    }
    message
}

/// What is known of a pipeline's repository.
#[derive(Debug)]
pub enum RepositoryInfo {
    /// It can be read.
    Known {
        /// The repository.
        repository: Repository,
        /// What the platform links instead.
        overrides: Option<RepoName>,
        /// What its default branch requires.
        required: Result<Vec<CheckName>, PortError>,
    },
    /// None is linked.
    NotLinked,
    /// It cannot be read.
    Unreadable {
        /// Its name, if that much is known.
        name: Option<RepoName>,
        /// Why.
        error: PortError,
    },
}

/// An app with what goes on in it.
#[derive(Debug)]
pub struct AppRow {
    /// The app.
    pub app: App,
    /// Its page.
    pub page: String,
    /// What runs in it.
    pub holder: Option<Deployment>,
    /// How many wait.
    pub waiting: usize,
    /// What whoever asks may do with it, as the platform says.
    pub access: Access,
}

/// One pipeline. `may`: what the rules of the workspace say to a deploy of whoever asks, by environment.
pub fn info(pipeline: &Pipeline, page: &str, repository: &RepositoryInfo, apps: &[AppRow], locks: &[LockRow], may: &May<'_>) -> Message {
    let mut message = answer(vec![strong(pipeline.name.as_str()), text(" "), link(format!("at {HEROKU}"), page)]);
    match repository {
        RepositoryInfo::Known { repository, overrides, required } => {
            let mut line = vec![
                text("Ships "),
                link(repository.name.as_str(), &repository.web_url),
                text(", by default "),
                code(&repository.default_branch),
            ];
            if let Some(link) = overrides {
                line.extend([text(format!(" (set here; {HEROKU} links ")), code(link), text(")")]);
            }
            message.lines.push(line);
            message.lines.push(match required {
                Ok(names) if names.is_empty() => vec![text("Required checks: none, so all that report must pass")],
                Ok(names) => {
                    let mut line = vec![text("Required checks: ")];
                    line.extend(listed(names));
                    line
                }
                Err(_) => vec![text("Required checks: cannot be read now")],
            });
        }
        RepositoryInfo::NotLinked => {
            message.lines.push(vec![text(format!("Not linked to a {GITHUB} repository: nothing can be shipped. (no-repository)"))])
        }
        RepositoryInfo::Unreadable { name, error } => {
            let mut line = vec![text("Its repository ")];
            line.extend(name.as_ref().map(code));
            if error.fault == Fault::NotFound {
                line.push(text(" does not exist, or you may not see it. (repository-hidden)"));
            } else {
                line.push(text(format!(" cannot be read: {}.", who_does_what(error))));
            }
            message.lines.push(line);
            message.lines.extend(way_on(error));
        }
    }
    for environment in Environment::ALL {
        for row in apps.iter().filter(|row| row.app.environment == environment) {
            let mut line = vec![text(format!("{environment}: ")), link(row.app.name.as_str(), &row.page)];
            line.extend(busy(row, may.now));
            message.lines.push(line);
        }
    }
    if apps.is_empty() {
        message.lines.push(vec![text("It has no apps that you can see.")]);
    }
    message.lines.extend(locks.iter().map(|lock| lock_line(lock, may.now)));
    message.lines.extend(what_you_may(repository, apps, may));
    message
}

fn busy(row: &AppRow, now: Timestamp) -> Vec<Span> {
    let Some(holder) = &row.holder else {
        return vec![text(if row.waiting == 0 { ", free".to_owned() } else { format!(", free; waiting for checks: {}", row.waiting) })];
    };
    let mut line = vec![text(", busy with ")];
    if holder.has_left() {
        line.extend(of_before(holder, now));
    } else {
        line.extend(commit(&holder.cargo.commit, &holder.cargo.named_by));
        line.extend([text(" by "), Span::Person(holder.origin.person.clone())]);
    }
    if row.waiting > 0 {
        line.push(text(format!(", {} waiting", row.waiting)));
    }
    line
}

/// What was begun in an installation that has ended since: whose and what it is, is nobody's business here, and how long it is in the way is.
fn of_before(left: &Deployment, now: Timestamp) -> Line {
    let mut line = vec![text("something from before the app was installed here")];
    if let Phase::Unknown(was) = &left.phase {
        let until = left.since.checked_add(was.may_last()).unwrap_or(left.since);
        line.extend([text(", which may run until "), moment(until, now), text(" at the latest")]);
    }
    line
}

/// A deployment with its place.
#[derive(Debug)]
pub struct StatusRow {
    /// The deployment.
    pub deployment: Deployment,
    /// How many are ahead of it.
    pub ahead: Option<usize>,
    /// How long it waits as a rule, if it waits.
    pub wait: Option<Took>,
}

/// What goes on.
///
/// `few_left`: the platform allows the asker's account so few more requests that deploys are looked at less often.
pub fn status(
    reader: &Person,
    pipeline: Option<&Pipeline>,
    rows: &[StatusRow],
    locks: &[LockRow],
    closed: &[RouteRow],
    few_left: bool,
    now: Timestamp,
) -> Message {
    let mut whose = vec![];
    if let Some(pipeline) = pipeline {
        whose = vec![text(" in "), code(&pipeline.name)];
    }
    let mut headline = match rows.iter().filter(|row| !row.deployment.has_ended()).count() {
        0 => vec![text("Nothing is running or waiting")],
        1 => vec![text("One deploy is open")],
        many => vec![text(format!("{many} deploys are open"))],
    };
    headline.extend(whose);
    headline.push(text("."));
    let mut message = answer(headline);
    message.lines.extend(few_left.then(slowed));
    for row in rows {
        message.lines.push(if row.deployment.has_ended() {
            never_told(&row.deployment, reader, now)
        } else {
            [standing(&row.deployment, row.ahead, now), wait_words(row.wait)].concat()
        });
    }
    message.lines.extend(locks.iter().map(|lock| lock_line(lock, now)));
    message.lines.extend(closed.iter().map(|route| closed_line(route, now)));
    message
}

/// One line about a deployment that is not over.
pub(super) fn standing(deployment: &Deployment, ahead: Option<usize>, now: Timestamp) -> Line {
    if deployment.has_left() {
        let app = vec![code(&deployment.target.app_name), text(": ")];
        return app.into_iter().chain(of_before(deployment, now)).collect();
    }
    let (state, more) = match &deployment.phase {
        Phase::Waiting(WaitingFor::Turn) => {
            let more = ahead.filter(|ahead| *ahead > 0).map(|ahead| format!(", {ahead} ahead")).unwrap_or_default();
            ("waiting in line", more)
        }
        Phase::Waiting(WaitingFor::Answer { .. }) => ("waiting in line", String::new()),
        Phase::Waiting(WaitingFor::Checks { .. }) => ("waiting for its checks", String::new()),
        Phase::Waiting(WaitingFor::BuildSlot { .. }) => ("waiting for a build slot", String::new()),
        Phase::Waiting(WaitingFor::Allowance { of, .. }) => ("waiting", format!(", since {} takes no more for now", service(*of))),
        Phase::NeedsCode { .. } => ("waiting for a one-time code", String::new()),
        Phase::Starting => ("being checked", String::new()),
        Phase::Announcing(_) | Phase::Uploading | Phase::AboutToBuild(_) => ("being prepared", String::new()),
        Phase::Building { .. } => ("building", String::new()),
        Phase::Releasing { .. } => ("in its release phase", String::new()),
        Phase::Restarting { up: Some((up, of)), .. } => ("restarting its dynos", format!(", {up} of {of} up")),
        Phase::Restarting { .. } => ("restarting its dynos", String::new()),
        Phase::Unknown(_) => ("unknown", String::new()),
        Phase::Succeeded { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } | Phase::Freed { .. } => ("over", String::new()),
    };
    let more = if deployment.untold.is_empty() { more } else { format!("{more}, and the chat took no message about it") };
    let since = deployment.slot_wanted_since.filter(|_| deployment.waits_for_slot()).unwrap_or(deployment.since);
    let mut line = vec![code(&deployment.target.app_name), text(": ")];
    line.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    line.extend([text(" by "), Span::Person(deployment.origin.person.clone())]);
    line.extend(with_riders(deployment));
    line.push(text(format!(", {state} for {}", duration(now.duration_since(since).as_secs()))));
    if let Phase::Waiting(WaitingFor::Answer { until }) = &deployment.phase {
        line.extend([text(", called: the answer is due by "), moment(*until, now)]);
    }
    line.push(text(more));
    line
}

/// How one ended whose asker could not be told.
pub(super) fn never_told(deployment: &Deployment, reader: &Person, now: Timestamp) -> Line {
    let asker = || Span::Person(deployment.origin.person.clone());
    let mut line = vec![code(&deployment.target.app_name), text(": ")];
    line.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    line.extend([text(" by "), asker(), text(format!(", {} ", how_it_ended(&deployment.phase)))]);
    line.push(text(format!("{} ago. ", duration(now.duration_since(deployment.since).as_secs()))));
    if deployment.origin.person == *reader {
        line.push(text("The chat took no message for you then."));
    } else {
        line.extend([text("The chat takes no message for "), asker(), text(": whoever reads this may tell them.")]);
    }
    line
}

fn how_it_ended(phase: &Phase) -> String {
    match phase {
        Phase::Succeeded { version, .. } => format!("out as v{version}"),
        Phase::Failed { why, .. } => format!("did not work ({})", in_short(why)),
        Phase::Cancelled { .. } => "stopped".to_owned(),
        Phase::Freed { .. } => "freed by hand".to_owned(),
        Phase::Waiting(_)
        | Phase::NeedsCode { .. }
        | Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. }
        | Phase::Unknown(_) => "open".to_owned(),
    }
}

/// The line of one app.
#[derive(Debug)]
pub struct LineRow {
    /// The app.
    pub app: App,
    /// Everybody in it, the one that runs first.
    pub standing: Vec<Deployment>,
}

/// Lines.
pub fn queue(pipeline: &Pipeline, place: Option<&Place>, rows: &[LineRow], now: Timestamp) -> Message {
    let busy: Vec<&LineRow> = rows.iter().filter(|row| !row.standing.is_empty()).collect();
    if busy.is_empty() {
        let mut headline = vec![text("Nobody is in line in "), code(&pipeline.name)];
        headline.extend(place.into_iter().flat_map(|place| [text(" in "), code(place)]));
        headline.push(text(": every app there is free."));
        return answer(headline);
    }
    let mut message = answer(vec![text("In line in "), code(&pipeline.name), text(":")]);
    for row in busy {
        let mut place = 0_usize;
        for (deployment, wait) in row.standing.iter().zip(waits(&row.standing, now)) {
            message.lines.push([standing(deployment, Some(place), now), wait_words(wait)].concat());
            if !matches!(deployment.phase, Phase::Waiting(WaitingFor::Checks { .. })) {
                place = place.saturating_add(1);
            }
        }
    }
    message
}

/// How long one waits as a rule, where that is worth saying.
pub(super) fn wait_words(wait: Option<Took>) -> Line {
    wait.filter(|wait| wait.most >= WORTH_SAYING).map(|wait| text(format!(", {} to wait as a rule", usually(wait)))).into_iter().collect()
}

/// The last releases of an app.
pub fn releases(app: &App, page: &str, releases: &[Release], ours: &[Deployment], now: Timestamp) -> Message {
    let mut headline = vec![text("The last releases of "), link(app.name.as_str(), page), text(format!(" ({}):", app.environment))];
    if releases.is_empty() {
        headline = vec![link(app.name.as_str(), page), text(" has no releases yet.")];
    }
    let mut message = answer(headline);
    for release in releases {
        let mut line = vec![strong(format!("v{}", release.version))];
        let state = match release.state {
            ReleaseState::Succeeded if release.current => " serves",
            ReleaseState::Succeeded => "",
            ReleaseState::Pending => " in its release phase",
            ReleaseState::Failed => " failed",
            ReleaseState::Expired => " expired",
        };
        line.push(text(state));
        if let Some(deployment) = ours.iter().find(|deployment| deployment.release.as_ref() == Some(&release.id)) {
            line.push(text(" · "));
            line.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
            line.extend([text(" by "), Span::Person(deployment.origin.person.clone())]);
        } else {
            line.push(text(format!(" · {}", release.description)));
            line.extend(release.by.as_ref().map(|by| text(format!(" · {by}"))));
        }
        if let Some(at) = release.created_at {
            line.push(text(format!(" · {} ago", duration(now.duration_since(at).as_secs()))));
        }
        message.lines.push(line);
    }
    message
}
