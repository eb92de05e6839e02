//! What we say of ways back: which there are, what they change, why one is none, and to whom it matters.

use jiff::Timestamp;

use crate::domain::deployment::{Back, Deployment, Target};
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, strong, text};
use crate::domain::names::{CommitSha, OfferId};
use crate::domain::pipeline::{App, Environment, Pipeline};
use crate::domain::release::{Release, ReleaseState};
use crate::domain::source::{CommitLine, Comparison, Direction};

use super::card::commit;
use super::confirm::ANSWERED;
use super::stages::change_words;
use super::words::{count, cut, duration};

/// How many commits are named to who wrote them.
const NAMED: usize = 10;

/// A release to go back to, and what that would change.
#[derive(Debug)]
pub struct ReturnRow {
    /// The release.
    pub release: Release,
    /// What it was built from.
    pub commit: Option<CommitSha>,
    /// How that stands to what runs.
    pub change: Option<Comparison>,
    /// How many changes of config would be undone.
    pub configs: u64,
}

fn place(app: &App) -> Line {
    vec![code(&app.name), text(format!(" ({})", app.environment))]
}

fn with_buttons(mut message: Message, buttons: &[(String, OfferId)]) -> Message {
    for (label, id) in buttons {
        message = message.button(label, Act::Take(*id), ButtonStyle::Danger);
    }
    message
}

/// The words on the button that goes back.
pub fn roll_back_to(version: u64) -> String {
    format!("Roll back to v{version}")
}

/// What becomes of the config.
pub(super) fn config_words(version: u64, configs: u64) -> Line {
    vec![text(match configs {
        0 => format!("The config of v{version} comes back with it; it was not changed since."),
        1 => format!("The config of v{version} comes back with it: 1 change since then is undone."),
        many => format!("The config of v{version} comes back with it: {many} changes since then are undone."),
    })]
}

/// The ways back that there are, and what each changes.
pub fn ways_back(
    app: &App,
    current: &Release,
    rows: &[ReturnRow],
    expired: usize,
    buttons: &[(String, OfferId)],
    now: Timestamp,
) -> Message {
    let mut headline = place(app);
    headline.push(text(format!(" runs v{}. ", current.version)));
    headline.push(text(if rows.is_empty() {
        "No earlier code that served is left to go back to. (nothing-to-return-to)"
    } else {
        "It can go back to:"
    }));
    let mut message = Message::new(if rows.is_empty() { Tone::Bad } else { Tone::Info }, Audience::Asker, headline);
    for row in rows {
        let mut line = vec![strong(format!("v{}", row.release.version))];
        if let Some(sha) = &row.commit {
            line.extend([text(" "), code(sha.short())]);
        }
        line.push(text(format!(" · {}", row.release.description)));
        line.extend(row.release.by.as_ref().map(|by| text(format!(" · {by}"))));
        line.extend(row.release.created_at.map(|at| text(format!(" · {} ago", duration(now.duration_since(at).as_secs())))));
        message.lines.push(line);
        match &row.change {
            Some(change) => {
                let before = if change.direction == Direction::Behind { "It " } else { "It ships " };
                message.lines.push([vec![text(before)], change_words(change)].concat());
            }
            None => message.lines.push(vec![text("What that changes is not known, since one of the commits is not.")]),
        }
        message.lines.push(config_words(row.release.version, row.configs));
    }
    if expired > 0 {
        message.lines.push(vec![text(format!(
            "{} of the last ones expired: what they ran is gone.",
            count(expired.try_into().unwrap_or(u64::MAX), "release")
        ))]);
    }
    if app.environment == Environment::Production && !buttons.is_empty() {
        message = message.line(vec![text(ANSWERED)]);
    }
    with_buttons(message, buttons)
}

/// Nothing runs, or what runs cannot be told.
pub fn nothing_to_go_back_from(app: &App) -> Message {
    let mut headline = place(app);
    headline.push(text(" runs nothing that one could go back from. (nothing-runs)"));
    Message::new(Tone::Bad, Audience::Asker, headline)
}

/// A release that one cannot go back to, and why. The buttons go back to those one can.
pub fn no_way_back(app: &App, version: u64, release: Option<&Release>, buttons: &[(String, OfferId)]) -> Message {
    let why = match release {
        None => "is none of its last releases. (unknown-release)",
        Some(release) if release.current => "serves now. (serves-now)",
        Some(release) => match release.state {
            ReleaseState::Failed => "failed and never served. (never-served)",
            ReleaseState::Pending => "is still in its release phase. (still-pending)",
            ReleaseState::Expired => "expired: what it ran is gone. Deploy its commit anew. (release-expired)",
            ReleaseState::Succeeded if release.code.is_none() => "ran no code. (no-code-in-it)",
            ReleaseState::Succeeded => "cannot be gone back to any more. (cannot-return)",
        },
    };
    let headline = [place(app), vec![text(format!(" was not touched: v{version} {why}"))]].concat();
    with_buttons(Message::new(Tone::Bad, Audience::Asker, headline), buttons)
}

/// Nobody knows what a release was built from.
pub fn no_known_commit_of(app: &App, release: &Release) -> Message {
    let headline = [
        place(app),
        vec![text(format!(
            " was not touched: nobody knows what v{} was built from, so that it cannot be recorded. Go back on the app's own page. (no-known-commit)",
            release.version
        ))],
    ];
    Message::new(Tone::Bad, Audience::Asker, headline.concat())
}

/// There is no environment before or after it.
pub fn nowhere_to_promote(pipeline: &Pipeline) -> Message {
    let headline = vec![
        text("Nothing was promoted: "),
        code(&pipeline.name),
        text(" has no two environments with apps in this order. Say which: "),
        code(format!("promote {} from ENV to ENV", pipeline.name)),
        text(" (nowhere-to-promote)"),
    ];
    Message::new(Tone::Bad, Audience::Asker, headline)
}

/// From an app to itself.
pub fn promoted_to_itself(app: &App) -> Message {
    let headline = [place(app), vec![text(" cannot be promoted to itself. (same-app)")]];
    Message::new(Tone::Bad, Audience::Asker, headline.concat())
}

/// Nothing runs there that was built.
pub fn nothing_to_promote(app: &App) -> Message {
    let headline = [place(app), vec![text(" runs nothing that one could promote. (nothing-runs)")]];
    Message::new(Tone::Bad, Audience::Asker, headline.concat())
}

/// Why the environment is held after a way back; at most as long as a reason may be.
pub fn held_after_return(target: &Target, back: &Back, because: Option<&str>) -> String {
    let why = because.map(|because| format!(": {because}")).unwrap_or_default();
    cut(&format!("{} was rolled back to v{}{why}", target.app_name, back.version), 200)
}

/// To somebody whose deploy was taken back.
pub fn taken_back(deployment: &Deployment, theirs: &Deployment) -> Message {
    let what = [vec![text("your deploy of ")], commit(&theirs.cargo.commit, &theirs.cargo.named_by)].concat();
    took_back(deployment, what)
}

/// To somebody whose commits were taken back, deployed by others.
pub fn commits_taken_back(deployment: &Deployment, theirs: &[CommitLine]) -> Message {
    let all = u64::try_from(theirs.len()).unwrap_or(u64::MAX);
    let mut message = took_back(deployment, vec![text(format!("{} of yours", count(all, "commit")))]);
    let line = |commit: &CommitLine| vec![code(commit.commit.short()), text(format!(" {}", cut(&commit.subject, 100)))];
    message.lines.extend(theirs.iter().take(NAMED).map(line));
    message
}

/// That `what` was taken back, where to, and why.
fn took_back(deployment: &Deployment, what: Line) -> Message {
    let mut headline = vec![Span::Person(deployment.origin.person.clone()), text(" took ")];
    headline.extend(what);
    headline.push(text(" back: "));
    headline.extend([code(&deployment.target.app_name), text(format!(" ({})", deployment.target.environment))]);
    headline.extend(deployment.back().map(|back| text(format!(" went back to v{}", back.version))));
    let mut message = Message::new(Tone::Attention, Audience::Asker, headline);
    message.lines.extend(deployment.because.as_ref().map(|because| vec![text(format!("Because: {because}"))]));
    message
}
