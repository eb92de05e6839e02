//! The one message of a deployment, and what its asker is told directly.

use jiff::Timestamp;

use crate::domain::deployment::{Deployment, DynosUp, Failure, Phase, Stage, StageTime, WaitingFor};
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, link, strong, text};
use crate::domain::names::{CheckName, CommitSha};
use crate::domain::source::{CommitRef, Comparison, Direction};

use super::reasons::{failure, failure_in_brief};
use super::time_words::{about, clock_time, duration};
use super::words::{PLATFORM, SOURCE};

/// The longest description that the source control takes, in characters.
const DESCRIPTION: usize = 140;

/// The pages of a deployment, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pages {
    /// The app's.
    pub app: String,
    /// The build's, once there is one.
    pub build: Option<String>,
    /// The release's, once there is one.
    pub release: Option<String>,
}

/// What a card is made from.
#[derive(Debug)]
pub struct CardView<'a> {
    /// The deployment.
    pub deployment: &'a Deployment,
    /// The time.
    pub now: Timestamp,
    /// How many are ahead of it in line.
    pub ahead: Option<usize>,
    /// Its pages.
    pub pages: &'a Pages,
}

/// A commit as people call it: the short hash, and the ref where it was named by one.
pub(super) fn commit(sha: &CommitSha, named_by: &CommitRef) -> Line {
    let mut line = vec![code(sha.short())];
    match named_by {
        CommitRef::Branch(name) | CommitRef::Tag(name) => line.push(text(format!(" ({name})"))),
        CommitRef::Pull { number, branch } => line.push(text(format!(" (#{number}, {branch})"))),
        CommitRef::Commit => {}
    }
    line
}

/// `27bd10a (main) to staging (hubot-staging)`
fn what_and_where(deployment: &Deployment) -> Line {
    let target = &deployment.target;
    let mut line = commit(&deployment.cargo.commit, &deployment.cargo.named_by);
    line.push(text(format!(" to {} ({})", target.environment, target.app_name)));
    line
}

fn asker(deployment: &Deployment) -> Span {
    Span::Person(deployment.origin.person.clone())
}

/// `@ana is deploying … `
fn sentence(deployment: &Deployment, verb: &str, end: Line) -> Line {
    let mut line = vec![asker(deployment), text(format!(" {verb} "))];
    line.extend(what_and_where(deployment));
    line.extend(end);
    line
}

/// `@ana's deploy of … `
fn noun(deployment: &Deployment, end: Line) -> Line {
    let mut line = vec![text("The deploy of ")];
    line.extend(what_and_where(deployment));
    line.push(text(" by "));
    line.push(asker(deployment));
    line.extend(end);
    line
}

/// `, skipping ci/circleci: the flaky test is known`
fn skipping(deployment: &Deployment) -> Line {
    match &deployment.overriding {
        None => Vec::new(),
        Some(over) if over.skipped.is_empty() => vec![text(format!(", ready to skip checks: {}", over.because))],
        Some(over) => {
            let names: Vec<&str> = over.skipped.iter().map(CheckName::as_str).collect();
            vec![text(format!(", skipping {}: {}", names.join(", "), over.because))]
        }
    }
}

fn with(mut line: Line, more: impl Into<String>) -> Line {
    line.push(text(more));
    line
}

fn tone_and_headline(view: &CardView<'_>) -> (Tone, Line) {
    let deployment = view.deployment;
    let skipping = skipping(deployment);
    let going = |more: &str| (Tone::Working, sentence(deployment, "is deploying", with(skipping.clone(), more)));
    match &deployment.phase {
        Phase::Waiting(WaitingFor::Turn) => {
            let place = match view.ahead {
                Some(ahead) if ahead > 0 => format!(": in line, {ahead} ahead"),
                Some(_) | None => ": next in line".to_owned(),
            };
            (Tone::Waiting, sentence(deployment, "wants to deploy", with(skipping, place)))
        }
        Phase::Waiting(WaitingFor::BuildSlot { .. }) => {
            let wait = format!(": in line for a build slot at {PLATFORM}, all of the account's are in use");
            (Tone::Waiting, sentence(deployment, "wants to deploy", with(skipping, wait)))
        }
        Phase::NeedsCode { until } => {
            let wait = format!(": the app wants a one-time code, until {}", clock_time(*until, view.now));
            (Tone::Waiting, sentence(deployment, "wants to deploy", with(skipping, wait)))
        }
        Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. } => going(if deployment.cancel.is_some() { ": being stopped" } else { "" }),
        Phase::Unknown(_) => {
            let since = format!(" is unknown since {}", clock_time(deployment.since, view.now));
            (Tone::Unknown, noun(deployment, vec![text(since)]))
        }
        Phase::Succeeded { version, dynos } => {
            let (tone, more) = match dynos {
                DynosUp::Up(_) => (Tone::Good, String::new()),
                DynosUp::None => (Tone::Attention, ": the app runs no dynos".to_owned()),
                DynosUp::Overtaken(by) => (Tone::Attention, format!(": v{by} has taken over since")),
            };
            let mut end = vec![text(format!(" as v{version}"))];
            end.extend(skipping);
            (tone, sentence(deployment, "deployed", with(end, more)))
        }
        Phase::Failed { why: Failure::Gate(_) | Failure::NoCode, .. } => (Tone::Bad, noun(deployment, vec![text(" was not started")])),
        Phase::Failed { why, .. } => (Tone::Bad, noun(deployment, vec![text(format!(" failed: {}", failure_in_brief(why)))])),
        Phase::Cancelled { by, .. } => (Tone::Attention, noun(deployment, vec![text(" was stopped by "), Span::Person(by.clone())])),
        Phase::Freed { by, .. } => (
            Tone::Attention,
            noun(deployment, vec![text(" was given up by "), Span::Person(by.clone()), text(": nobody knows how it ended")]),
        ),
    }
}

/// The card: who ships what where, how it stands, what changes, how long it took, and the buttons that make sense now.
pub fn card(view: &CardView<'_>) -> Message {
    let deployment = view.deployment;
    let (tone, headline) = tone_and_headline(view);
    let mut message = Message::new(tone, Audience::Channel, headline);
    if deployment.overriding.is_none()
        && let Some(because) = &deployment.because
    {
        message.lines.push(vec![text(format!("because {because}"))]);
    }
    message.lines.extend(deployment.cargo.change.as_ref().map(change_lines).unwrap_or_default());
    if deployment.cargo.no_checks {
        message.lines.push(vec![text("No check is required, and none has ever reported on this commit.")]);
    }
    if let Some(linked) = &deployment.cargo.overrides_link_to {
        message.lines.push(vec![
            text("Ships "),
            code(&deployment.cargo.repository),
            text(format!(", as set here; {PLATFORM} links the pipeline to ")),
            code(linked),
        ]);
    }
    message.lines.extend(stages(deployment));
    if let Phase::Restarting { up: Some((up, of)), .. } = &deployment.phase {
        message.lines.push(vec![text(format!("{up} of {of} dynos up"))]);
    }
    if let Phase::Failed { why, .. } = &deployment.phase {
        message.lines.extend(failure(why));
    }
    message.lines.extend(links(view.pages));
    with_buttons(message, deployment)
}

fn with_buttons(message: Message, deployment: &Deployment) -> Message {
    let id = deployment.id;
    match &deployment.phase {
        Phase::Waiting(_)
        | Phase::NeedsCode { .. }
        | Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
            if deployment.cancel.is_none() =>
        {
            message.button("Cancel", Act::Cancel(id), ButtonStyle::Danger)
        }
        Phase::Unknown(_) => message.button("Free the app", Act::Free(id), ButtonStyle::Danger),
        Phase::Failed { during, why } => {
            let message = match during {
                Stage::Build | Stage::Release | Stage::Dynos if deployment.build.is_some() => {
                    message.button("Show output", Act::ShowOutput(id), ButtonStyle::Plain)
                }
                Stage::Build
                | Stage::Release
                | Stage::Dynos
                | Stage::Line
                | Stage::Code
                | Stage::Checks
                | Stage::Announcement
                | Stage::Source => message,
            };
            if matches!(why, Failure::Gate(_)) { message } else { message.button("Retry", Act::Retry(id), ButtonStyle::Plain) }
        }
        Phase::Cancelled { .. } | Phase::Freed { .. } => message.button("Retry", Act::Retry(id), ButtonStyle::Plain),
        Phase::Waiting(_)
        | Phase::NeedsCode { .. }
        | Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. }
        | Phase::Succeeded { .. } => message,
    }
}

/// What a deploy changes in what runs.
pub(super) fn change_lines(change: &Comparison) -> Vec<Line> {
    let commits = |many: u64| if many == 1 { "1 commit".to_owned() } else { format!("{many} commits") };
    let by = match change.authors.as_slice() {
        [] => String::new(),
        authors => format!(" by {}", authors.join(", ")),
    };
    let compare = || link("compare", &change.url);
    let line = match change.direction {
        Direction::Same => vec![text("The same commit as runs now")],
        Direction::Ahead => vec![text(format!("{}{by} · ", commits(change.added))), compare()],
        Direction::Behind => vec![text(format!("Goes back: takes away {} that run now · ", commits(change.dropped))), compare()],
        Direction::Diverged => {
            vec![text(format!("{}{by}, and takes away {} that run now · ", commits(change.added), commits(change.dropped))), compare()]
        }
    };
    vec![line]
}

/// The stages that people wait for, with how long they took and usually take.
fn stages(deployment: &Deployment) -> Option<Line> {
    let mut parts: Vec<String> = Vec::new();
    for time in &deployment.times {
        let word = match time.stage {
            Stage::Line => "in line",
            Stage::Code => "waiting for a code",
            Stage::Build => "build",
            Stage::Release => "release",
            Stage::Dynos => "dynos",
            Stage::Checks | Stage::Announcement | Stage::Source => continue,
        };
        parts.push(stage_words(deployment, word, time));
    }
    (!parts.is_empty()).then(|| vec![text(parts.join(" · "))])
}

fn stage_words(deployment: &Deployment, word: &str, time: &StageTime) -> String {
    let usual = deployment.usual.of(time.stage).map(|seconds| format!("usually about {}", about(seconds)));
    // No running count: the card is edited when something happens, not every second.
    match (time.ended, usual) {
        (Some(ended), Some(usual)) => format!("{word} {} ({usual})", duration(ended.duration_since(time.began))),
        (Some(ended), None) => format!("{word} {}", duration(ended.duration_since(time.began))),
        (None, Some(usual)) => format!("{word} … ({usual})"),
        (None, None) => format!("{word} …"),
    }
}

fn links(pages: &Pages) -> Option<Line> {
    let known = [("app", Some(&pages.app)), ("build output", pages.build.as_ref()), ("release", pages.release.as_ref())];
    let mut line = Line::new();
    for (label, page) in known {
        let Some(page) = page else { continue };
        if !line.is_empty() {
            line.push(text(" · "));
        }
        line.push(link(label, page));
    }
    Some(line)
}

/// The end, for the asker alone: what a notification shows.
pub fn ended(view: &CardView<'_>) -> Message {
    let (tone, headline) = tone_and_headline(view);
    let mut message = Message::new(tone, Audience::Asker, headline);
    if let Phase::Failed { why, .. } = &view.deployment.phase {
        message.lines.extend(failure(why));
    }
    message
}

/// A code is wanted: for the asker alone.
pub fn needs_code(view: &CardView<'_>, command_word: &str) -> Message {
    let deployment = view.deployment;
    let mut headline = vec![strong(deployment.target.app_name.as_str()), text(" wants a one-time code before it takes ")];
    headline.extend(commit(&deployment.cargo.commit, &deployment.cargo.named_by));
    headline.push(text("."));
    let mut message = Message::new(Tone::Waiting, Audience::Asker, headline);
    if let Phase::NeedsCode { until } = &deployment.phase {
        message.lines.push(vec![
            text(format!("Type the same command again with the code at its end, until {}: ", clock_time(*until, view.now))),
            code(format!(
                "{command_word} deploy {}/{} to {}/{} CODE",
                deployment.target.pipeline_name, deployment.cargo.commit, deployment.target.environment, deployment.target.app_name
            )),
        ]);
    }
    message.line(vec![text(format!("The code goes to {PLATFORM} at once. It is not kept, and nobody else sees it."))])
}

fn cut(sentence: &str) -> String {
    if sentence.chars().count() <= DESCRIPTION {
        return sentence.to_owned();
    }
    sentence.chars().take(DESCRIPTION - 1).chain(['…']).collect()
}

/// What the record at the source control says of itself. Names no person and no channel.
pub fn announcement_description(deployment: &Deployment) -> String {
    let target = &deployment.target;
    cut(&format!("Ship {} to {} ({}) from chat", deployment.cargo.commit.short(), target.environment, target.app_name))
}

/// What a status of that record says. Names no person and no channel.
pub fn report_description(deployment: &Deployment) -> String {
    let app = &deployment.target.app_name;
    let sentence = match &deployment.phase {
        Phase::Waiting(_) | Phase::NeedsCode { .. } => format!("Waiting to go to {app}"),
        Phase::Starting | Phase::Announcing(_) => format!("About to go to {app}"),
        Phase::Uploading | Phase::AboutToBuild(_) | Phase::Building { .. } => format!("Building for {app}"),
        Phase::Releasing { .. } => format!("In the release phase of {app}"),
        Phase::Restarting { .. } => format!("Restarting the dynos of {app}"),
        Phase::Unknown(_) => format!("Nobody knows how it stands on {app}"),
        Phase::Succeeded { version, .. } => format!("Runs on {app} as v{version}"),
        Phase::Failed { why, .. } => format!("Did not go to {app}: {}", failure_in_brief(why)),
        Phase::Cancelled { .. } => format!("Stopped before it went to {app}"),
        Phase::Freed { .. } => format!("Given up: nobody knows how it ended on {app}"),
    };
    cut(&sentence)
}

/// A sentence about the source control for the card's readers.
pub(super) fn record_refused(said: Option<&str>) -> Line {
    match said {
        Some(said) => vec![text(format!("{SOURCE} did not take the deployment's record. It said: ")), code(said)],
        None => vec![text(format!("{SOURCE} did not take the deployment's record."))],
    }
}
