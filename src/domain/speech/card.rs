//! The card: the one message of a deployment, and what its asker is told directly.

use jiff::Timestamp;

use crate::domain::account::{Missing, Provider};
use crate::domain::actor::Person;
use crate::domain::command::{Because, Command, Terms, Where, Wish};
use crate::domain::deployment::{
    Deployment, DynosUp, Failure, Milestone, Phase, Promote, Rider, Standing, UNKNOWN_LOOKS_FOR, Untold, WaitingFor, Watched, Way,
};
use crate::domain::message::{Act, Audience, Button, ButtonStyle, Line, Message, Span, Tone, code, link, strong, text};
use crate::domain::names::{CheckName, CommitSha};
use crate::domain::pipeline::{Destination, PipelineKey, Place};
use crate::domain::source::CommitRef;

use super::accounts::names;
use super::forms::enter_code;
use super::help::typed;
use super::line::ship_now;
use super::paced::{allowance_wait, looked_at_less};
use super::reasons::{code_line, failure, in_short, not_done};
use super::returns::config_words;
use super::rides::{what_they_rode, with_riders};
use super::services::{GITHUB, service};
use super::stages;
use super::words::{cut, list, moment, sentence};

/// How many of the checks that were passed over are named in a headline.
const SKIPPED: usize = 5;
/// How much of their names is shown there, in characters.
const CHECK: usize = 60;

/// Pages of the platform about a deployment, as absolute addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pages {
    /// The app.
    pub app: String,
    /// The build's output, once there is a build.
    pub build: Option<String>,
    /// The release, once there is one.
    pub release: Option<String>,
}

/// What a card is made of.
#[derive(Clone, Copy, Debug)]
pub struct CardView<'a> {
    /// The deployment.
    pub deployment: &'a Deployment,
    /// The present moment.
    pub now: Timestamp,
    /// How many are ahead of it in the line of its app, while it waits there; 0: it is next.
    pub ahead: Option<usize>,
    /// Where people can see more.
    pub pages: &'a Pages,
    /// Whether it is looked at less often than it should be, since few requests are left.
    pub slowed: bool,
    /// The logins of its asker that are gone, without which nobody can look.
    pub missing: &'a [Missing],
}

/// The card, for everybody in the conversation.
pub fn card(view: &CardView<'_>) -> Message {
    let deployment = view.deployment;
    let mut message = Message::new(tone(deployment), Audience::Channel, headline(view));
    message.lines.extend(how_it_stands(view));
    message.lines.push(stages::change(deployment));
    message.lines.extend(deployment.back().map(|back| config_words(back.version, back.configs)));
    message.lines.extend(stages::notes(deployment));
    message.lines.extend(stages::stages(deployment, view.now));
    message.lines.extend(links(view));
    with_buttons(message, deployment, true)
}

/// What a conversation is told to which notices of the pipeline are routed.
pub fn routed(view: &CardView<'_>) -> Message {
    let deployment = view.deployment;
    let mut message = Message::new(tone(deployment), Audience::Channel, headline(view));
    message.lines.extend(how_it_stands(view));
    message.lines.push(stages::change(deployment));
    message.lines.extend(links(view));
    message
}

/// What the asker is told directly at the end.
pub fn ended(view: &CardView<'_>) -> Message {
    let deployment = view.deployment;
    let mut headline = vec![text(format!("Your {} of ", words(deployment).noun))];
    headline.extend(what_and_where(deployment));
    headline.extend(how_it_ended(deployment, &deployment.origin.person));
    let mut message = Message::new(tone(deployment), Audience::Asker, headline);
    message.lines.extend(how_it_stands(view));
    message.lines.extend(links(view));
    with_buttons(message, deployment, false)
}

/// What somebody who rides along is told directly at the end.
pub fn ride_ended(view: &CardView<'_>, rider: &Rider) -> Message {
    let deployment = view.deployment;
    let headline = [what_they_rode(deployment, rider), how_it_ended(deployment, &rider.person)].concat();
    let mut message = Message::new(tone(deployment), Audience::Asker, headline);
    message.lines.extend(how_it_stands(view));
    message.lines.extend(links(view));
    with_buttons(message, deployment, false)
}

/// How it ended, for somebody who wanted it, after what it was.
pub(super) fn how_it_ended(deployment: &Deployment, reader: &Person) -> Line {
    match &deployment.phase {
        Phase::Succeeded { version, .. } => vec![text(" is out as "), strong(format!("v{version}"))],
        Phase::Failed { why, .. } => vec![text(format!(" did not work: {}", in_short(why)))],
        Phase::Cancelled { by, .. } if by == reader => vec![text(" is stopped")],
        Phase::Cancelled { by, .. } => vec![text(" was stopped by "), Span::Person(by.clone())],
        Phase::Freed { by, .. } if by == reader => vec![text(": nobody knows how it ended. You freed the app")],
        Phase::Freed { by, .. } => {
            vec![text(": nobody knows how it ended. The app was freed by "), Span::Person(by.clone())]
        }
        Phase::Unknown(_) => vec![text(": nobody knows how it stands")],
        Phase::Waiting(_)
        | Phase::NeedsCode { .. }
        | Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. } => vec![text(" goes on")],
    }
}

/// What the asker is told privately when the app wants a one-time code: how to go on, and until when. `has_forms`: the chat can ask for
/// it in a form.
pub fn needs_code(view: &CardView<'_>, command_word: &str, has_forms: bool) -> Message {
    let deployment = view.deployment;
    let mut headline =
        vec![code(&deployment.target.app_name), text(" wants a one-time code before "), code(deployment.cargo.commit.short())];
    headline.push(text(" can go out"));
    let words = if has_forms {
        "Enter it in a form, or type the same again with the code as the last word: "
    } else {
        "Type the same again, with the code as the last word: "
    };
    let how = vec![text(words), code(typed(command_word, &format!("{} CODE", same_command(deployment))))];
    let mut message = Message::new(Tone::Waiting, Audience::Asker, headline)
        .line(how)
        .line(sentence("The code is spent at once, never stored and never shown to anybody."));
    if let Phase::NeedsCode { until } = deployment.phase {
        message.lines.push(vec![text("Without one the deploy gives up at "), moment(until, view.now), text(".")]);
    }
    if has_forms { enter_code(message, deployment) } else { message }
}

/// What the asker is told directly when the turn of their deploy has come.
pub fn turn(view: &CardView<'_>) -> Message {
    let green = if view.deployment.when_green { "The checks are done, and your turn came: " } else { "Your turn came: " };
    let mut headline = vec![text(green)];
    headline.extend(what_and_where(view.deployment));
    headline.push(text(" starts now"));
    with_buttons(Message::new(Tone::Working, Audience::Asker, headline), view.deployment, true)
}

/// The command that asks for exactly this again.
fn same_command(deployment: &Deployment) -> Command {
    let target = &deployment.target;
    if let Some(back) = deployment.back() {
        let place = Place { environment: target.environment, app: Some(target.app_name.clone()) };
        let place = Where { pipeline: PipelineKey::Name(target.pipeline_name.clone()), place: Some(place) };
        return Command::Rollback { place, to: Some(back.version), because: None, terms: Terms::default() };
    }
    if let Some(from) = deployment.promotes() {
        return promote_command(deployment, from, PipelineKey::Name(target.pipeline_name.clone()), deployment.overriding.is_some());
    }
    let because = deployment.overriding.as_ref().and_then(|overriding| Because::parse(&overriding.because).ok());
    Command::Deploy {
        wish: Wish {
            pipeline: PipelineKey::Name(target.pipeline_name.clone()),
            what: deployment.cargo.asked.clone(),
            to: Some(Place { environment: target.environment, app: Some(target.app_name.clone()) }),
        },
        passing_checks: deployment.overriding.is_some(),
        because,
        terms: Terms::default(),
    }
}

/// The command that promotes from and to the same places.
pub fn promote_command(deployment: &Deployment, from: &Promote, pipeline: PipelineKey, passing_checks: bool) -> Command {
    let target = &deployment.target;
    let because = deployment.because.as_deref().and_then(|because| Because::parse(because).ok());
    Command::Promote {
        pipeline,
        from: Some(Place { environment: from.from_environment, app: Some(from.from_name.clone()) }),
        to: Some(Destination::One(Place { environment: target.environment, app: Some(target.app_name.clone()) })),
        passing_checks,
        because,
        terms: Terms::default(),
    }
}

pub(super) fn tone(deployment: &Deployment) -> Tone {
    if deployment.waits_for_slot() {
        return Tone::Waiting;
    }
    match &deployment.phase {
        Phase::Waiting(_) | Phase::NeedsCode { .. } => Tone::Waiting,
        Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. } => Tone::Working,
        Phase::Unknown(_) | Phase::Freed { .. } => Tone::Unknown,
        Phase::Succeeded { dynos: DynosUp::Up(_) | DynosUp::None, .. } => Tone::Good,
        Phase::Succeeded { dynos: DynosUp::Overtaken(_), .. } => Tone::Attention,
        Phase::Failed { .. } => Tone::Bad,
        Phase::Cancelled { .. } => Tone::Info,
    }
}

/// A commit as people call it: the short hash, and the ref where it was named by one.
pub(super) fn commit(sha: &CommitSha, named_by: &CommitRef) -> Line {
    let named = match named_by {
        CommitRef::Commit => return vec![code(sha.short())],
        CommitRef::Branch(name) | CommitRef::Tag(name) => format!(" ({name})"),
        CommitRef::Pull { number, branch } => format!(" (#{number}, {branch})"),
    };
    vec![code(sha.short()), text(named)]
}

/// What it is called, in one word.
pub(super) fn noun(deployment: &Deployment) -> &'static str {
    words(deployment).noun
}

/// What it is called.
struct Words {
    noun: &'static str,
    waits: &'static str,
    goes_on: &'static str,
    done: &'static str,
    failed: &'static str,
}

fn words(deployment: &Deployment) -> Words {
    match &deployment.way {
        Way::Build => {
            Words { noun: "deploy", waits: "waits to deploy", goes_on: "is deploying", done: "deployed", failed: "could not deploy" }
        }
        Way::Back(_) => Words {
            noun: "rollback",
            waits: "waits to roll back",
            goes_on: "is rolling back",
            done: "rolled back",
            failed: "could not roll back",
        },
        Way::Promote(_) => {
            Words { noun: "promotion", waits: "waits to promote", goes_on: "is promoting", done: "promoted", failed: "could not promote" }
        }
    }
}

/// Which commit goes where.
fn what_and_where(deployment: &Deployment) -> Line {
    if let Some(back) = deployment.back() {
        let target = &deployment.target;
        let before = format!("{} ({}) to v{}, ", target.environment, target.app_name, back.version);
        return [vec![text(before)], commit(&deployment.cargo.commit, &deployment.cargo.named_by)].concat();
    }
    let mut line = commit(&deployment.cargo.commit, &deployment.cargo.named_by);
    line.extend(deployment.promotes().map(|from| text(format!(", v{} of {} ({}),", from.version, from.from_environment, from.from_name))));
    line.push(text(format!(" to {} ({})", deployment.target.environment, deployment.target.app_name)));
    line
}

pub(super) fn headline(view: &CardView<'_>) -> Line {
    let deployment = view.deployment;
    let asker = || Span::Person(deployment.origin.person.clone());
    let says = |verb: &str, end: Line| {
        let mut line = vec![asker(), text(format!(" {verb} "))];
        line.extend(what_and_where(deployment));
        line.extend(with_riders(deployment));
        line.extend(end);
        line.extend(skipping(deployment));
        line
    };
    if deployment.waits_for_slot() {
        return says(words(deployment).waits, vec![text(": no room for another build yet")]);
    }
    match &deployment.phase {
        Phase::Waiting(WaitingFor::Turn) => {
            let place = match view.ahead {
                None => String::new(),
                Some(0) => ": next in line".to_owned(),
                Some(ahead) => format!(": {ahead} ahead"),
            };
            says(words(deployment).waits, vec![text(place)])
        }
        Phase::Waiting(WaitingFor::Answer { .. }) => says(words(deployment).waits, vec![text(": its turn has come")]),
        Phase::Waiting(WaitingFor::Checks { .. }) => says(words(deployment).waits, vec![text(" when its checks are done")]),
        Phase::Waiting(WaitingFor::Allowance { of, .. }) => {
            says(words(deployment).waits, vec![text(format!(": {} takes no more for now", service(*of)))])
        }
        Phase::Waiting(WaitingFor::BuildSlot { .. }) => says(words(deployment).waits, vec![text(": no room for another build yet")]),
        Phase::NeedsCode { .. } => says(words(deployment).goes_on, vec![text(": waiting for a one-time code")]),
        Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { .. } => says(words(deployment).goes_on, Line::new()),
        Phase::Unknown(_) => says(
            words(deployment).goes_on,
            vec![text(": how it stands is "), strong("unknown"), text(" since "), moment(deployment.since, view.now)],
        ),
        Phase::Succeeded { version, .. } => says(words(deployment).done, vec![text(" as "), strong(format!("v{version}"))]),
        Phase::Failed { why, .. } => says(words(deployment).failed, vec![text(format!(": {}", in_short(why)))]),
        Phase::Cancelled { by, .. } => by_hand(deployment, by, "stopped", ""),
        Phase::Freed { by, .. } => by_hand(deployment, by, "freed the app of", ": nobody knows how it ended"),
    }
}

fn by_hand(deployment: &Deployment, by: &Person, verb: &str, end: &str) -> Line {
    let mut line = vec![Span::Person(by.clone()), text(format!(" {verb} the {} of ", words(deployment).noun))];
    line.extend(what_and_where(deployment));
    if *by != deployment.origin.person {
        line.push(text(" by "));
        line.push(Span::Person(deployment.origin.person.clone()));
    }
    line.push(text(end));
    line
}

fn skipping(deployment: &Deployment) -> Option<Span> {
    let overriding = deployment.overriding.as_ref().filter(|overriding| !overriding.skipped.is_empty())?;
    Some(text(format!(", skipping {}: {}", few(&overriding.skipped), overriding.because)))
}

/// Checks by name, as many as leave room for the reason.
fn few(checks: &[CheckName]) -> String {
    let mut named: Vec<String> = checks.iter().take(SKIPPED).map(|name| cut(name.as_str(), CHECK)).collect();
    let more = checks.len().saturating_sub(SKIPPED);
    named.extend((more > 0).then(|| format!("{more} more")));
    list(&named)
}

/// What there is to know about the phase, beyond the headline.
pub(super) fn how_it_stands(view: &CardView<'_>) -> Vec<Line> {
    let deployment = view.deployment;
    let at = |time| moment(time, view.now);
    let mut lines = match &deployment.phase {
        Phase::Waiting(WaitingFor::Checks { open, until }) => {
            let mut line = not_done(open, " yet");
            line.extend([text(". Others pass it meanwhile; it gives up at "), at(*until), text(".")]);
            vec![line]
        }
        Phase::Waiting(WaitingFor::Answer { until }) => vec![vec![
            Span::Person(deployment.origin.person.clone()),
            text(" is asked whether it ships. The app is kept for it until "),
            at(*until),
            text("; then its place goes to the next."),
        ]],
        Phase::Waiting(WaitingFor::BuildSlot { next, .. }) => {
            vec![vec![text("It is tried again at "), at(*next), text(".")]]
        }
        Phase::Waiting(WaitingFor::Allowance { of, since }) => vec![allowance_wait(*of, at(*since))],
        Phase::NeedsCode { until } => vec![vec![
            Span::Person(deployment.origin.person.clone()),
            text(" was told privately how to go on. It gives up at "),
            at(*until),
            text("."),
        ]],
        Phase::Announcing(Standing::Unclear { .. }) => {
            vec![sentence("Whether it was recorded in the repository is not clear yet: looking.")]
        }
        Phase::AboutToBuild(Standing::Unclear { .. }) => {
            vec![vec![text(format!("Whether the {} was taken is not clear yet: looking.", order(deployment)))]]
        }
        Phase::Restarting { crashed_since: Some(since), .. } => vec![dynos_down(*since, view.now)],
        Phase::Unknown(watched) => vec![last_seen(deployment, watched), looking_on(view)],
        Phase::Succeeded { dynos: DynosUp::None, .. } => vec![sentence("The app is scaled to no dynos, so there was none to wait for.")],
        Phase::Succeeded { version, dynos: DynosUp::Overtaken(later) } => {
            vec![vec![text(format!("v{later} took over before all dynos of v{version} were seen up."))]]
        }
        Phase::Failed { why, .. } => {
            let when = if deployment.when_green { "Judged again while it waited to start" } else { "Judged again right before the start" };
            let closed_gate = matches!(why, Failure::Gate(_)).then(|| code_line(sentence(when), why.code()));
            closed_gate.into_iter().chain(failure(why)).collect()
        }
        Phase::Cancelled { during, .. } => {
            let because = deployment.cancel.as_ref().and_then(|cancel| cancel.because.as_ref());
            let because = because.map(|because| format!(" Because: {because}")).unwrap_or_default();
            vec![vec![text(format!("It was stopped {}.{because}", stages::stopped(*during)))]]
        }
        Phase::Freed { was, because, .. } => {
            let because = because.as_ref().map(|because| vec![text(format!("It was freed because {because}"))]);
            std::iter::once(last_seen(deployment, was)).chain(because).collect()
        }
        Phase::Waiting(WaitingFor::Turn)
        | Phase::Starting
        | Phase::Announcing(Standing::Fresh)
        | Phase::Uploading
        | Phase::AboutToBuild(Standing::Fresh)
        | Phase::Building { .. }
        | Phase::Releasing { .. }
        | Phase::Restarting { crashed_since: None, .. }
        | Phase::Succeeded { dynos: DynosUp::Up(_), .. } => Vec::new(),
    };
    lines.extend(record_without_end(view));
    lines.extend(looked_at_less(view.slowed, deployment));
    lines.extend(stop_asked(deployment));
    lines
}

pub(super) fn dynos_down(since: Timestamp, now: Timestamp) -> Line {
    vec![text("Some of its dynos are down since "), moment(since, now), text(": looking whether they come back.")]
}

/// The record in the repository says something else than this.
fn record_without_end(view: &CardView<'_>) -> Option<Line> {
    if !view.deployment.has_ended() || !view.deployment.untold.contains(&Untold::Record) {
        return None;
    }
    let stays = "the deployment there stays as it was last reported";
    if view.missing.iter().any(|missing| missing.provider == Provider::SourceControl) {
        let gone = format!(
            "{GITHUB} was not told how it ended, since the login of the person who asked is gone there: {stays}. Once they log in again ("
        );
        return Some(vec![text(gone), code("login"), text(") within a day, it is told.")]);
    }
    Some(vec![text(format!("{GITHUB} did not take how it ended: {stays}."))])
}

/// What is ordered outside.
fn order(deployment: &Deployment) -> &'static str {
    match &deployment.way {
        Way::Build => "build",
        Way::Back(_) | Way::Promote(_) => words(deployment).noun,
    }
}

pub(super) fn last_seen(deployment: &Deployment, watched: &Watched) -> Line {
    match watched {
        Watched::Order => {
            let order = order(deployment);
            vec![text(format!("A {order} was ordered, no answer came, and no {order} of ours was found."))]
        }
        Watched::Build { .. } => sentence("It was last seen building."),
        Watched::Release { version: Some(version), .. } => vec![text(format!("It was last seen in the release phase of v{version}."))],
        Watched::Release { version: None, .. } => sentence("It was last seen in its release phase."),
        Watched::Dynos { version, .. } => vec![text(format!("v{version} was released; its dynos were not all seen up."))],
    }
}

fn looking_on(view: &CardView<'_>) -> Line {
    let looks_end = view.deployment.since.checked_add(UNKNOWN_LOOKS_FOR).unwrap_or(view.now);
    let stays = ". The app stays taken until the end is known, or until somebody who has seen the pages below frees it.";
    if view.now >= looks_end {
        return vec![text(format!("We have looked for a day and look no more{stays}"))];
    }
    if view.missing.is_empty() {
        return vec![text(format!("We look again every ten minutes{stays}"))];
    }
    let gone = names(view.missing.iter().map(|missing| missing.provider));
    let gone = format!("Nobody can look, since the login of the person who asked is gone at {gone}. Once they log in again (");
    vec![text(gone), code("login"), text(format!(") we look at once{stays}"))]
}

pub(super) fn stop_asked(deployment: &Deployment) -> Option<Line> {
    let cancel = deployment.cancel.as_ref().filter(|_| !deployment.has_ended())?;
    let words = match deployment.phase.milestone() {
        Milestone::Preparing | Milestone::Building if cancel.told => " asked to stop it, and the build is being stopped.",
        Milestone::Preparing | Milestone::Building => " asked to stop it.",
        Milestone::Releasing | Milestone::Restarting | Milestone::Ended => " asked to stop it, too late: a release cannot be stopped.",
    };
    Some(vec![Span::Person(cancel.by.clone()), text(words)])
}

fn links(view: &CardView<'_>) -> Option<Line> {
    let pages = view.pages;
    let target = &view.deployment.target;
    let live = matches!(view.deployment.phase, Phase::Succeeded { .. });
    let all = [
        pages.build.as_ref().map(|url| link("build output", url)),
        pages.release.as_ref().map(|url| link("release", url)),
        Some(&pages.app).filter(|url| !url.is_empty()).map(|url| link(target.app_name.as_str(), url)),
        target.web_url.as_ref().filter(|_| live).map(|url| link("open", url)),
    ];
    let mut line = Line::new();
    for page in all.into_iter().flatten() {
        if !line.is_empty() {
            line.push(text(" · "));
        }
        line.push(page);
    }
    (!line.is_empty()).then_some(line)
}

/// The buttons that make sense now to whoever asked.
pub(super) fn buttons_now(deployment: &Deployment) -> Vec<Button> {
    with_buttons(Message::new(Tone::Info, Audience::Asker, Line::new()), deployment, true).buttons
}

/// The buttons that make sense now. `holding`: also the one that stops it.
fn with_buttons(message: Message, deployment: &Deployment, holding: bool) -> Message {
    let id = deployment.id;
    let retry = |message: Message| message.button("Retry", Act::Retry(id), ButtonStyle::Plain);
    let message =
        if matches!(deployment.phase, Phase::Waiting(WaitingFor::Answer { .. })) { ship_now(message, deployment) } else { message };
    match &deployment.phase {
        Phase::Waiting(_)
        | Phase::NeedsCode { .. }
        | Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Building { .. }
            if holding && deployment.cancel.is_none() =>
        {
            message.button("Cancel", Act::Cancel(id), ButtonStyle::Plain)
        }
        Phase::Unknown(_) => message.button("Free the app", Act::Free(id), ButtonStyle::Danger),
        Phase::Failed { why, .. } => match why {
            Failure::DynosCrashed { .. } => retry(message.button("Show output", Act::ShowOutput(id), ButtonStyle::Primary).button(
                "Roll back",
                Act::RollBack(id),
                ButtonStyle::Danger,
            )),
            Failure::Build | Failure::Release => retry(message.button("Show output", Act::ShowOutput(id), ButtonStyle::Primary)),
            Failure::Gate(_)
            | Failure::NotGreen(_)
            | Failure::NoCode
            | Failure::NoAnswer
            | Failure::SignInLost
            | Failure::AnnouncementRefused(_)
            | Failure::AnnouncementUnclear
            | Failure::SourceUnavailable(_)
            | Failure::DiskFull
            | Failure::BuildRefused(_)
            | Failure::ReleaseRefused(_)
            | Failure::NoBuildSlot
            | Failure::ReleaseExpired => retry(message),
            // The same commit stays too large.
            Failure::SourceTooLarge { .. } => message,
        },
        Phase::Cancelled { .. } | Phase::Freed { .. } => retry(message),
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

#[cfg(test)]
mod tests;
