//! What we say when a command cannot be done: every reason, where it went wrong, and the way on.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use crate::domain::command::{Command, Terms, Wish};
use crate::domain::deployment::{Target, Way};
use crate::domain::fault::{Fault, PortError, Service};
use crate::domain::gate::Verdict;
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, link, text};
use crate::domain::names::{CommitSha, OfferId, RepoName};
use crate::domain::pipeline::{Environment, NoApp, NoPipeline, Pipeline, PipelineKey};
use crate::domain::rights::Rules;
use crate::domain::source::{AskedRef, Repository, Resolution, Resolved};

use super::reasons::reason_by;
use super::services::{GITHUB, HEROKU};
use super::words::{dated, sentence};

/// What was being done when the outside failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Reading the list of pipelines.
    ReadingPipelines,
    /// Reading the apps of a pipeline.
    ReadingApps,
    /// Reading which repository a pipeline is linked to.
    ReadingLink,
    /// Reading a repository.
    ReadingRepository,
    /// Looking up a branch, tag or commit.
    ReadingRef,
    /// Reading releases.
    ReadingReleases,
    /// Reading an output.
    ReadingOutput,
    /// Comparing commits.
    Comparing,
    /// Opening a form.
    OpeningForm,
    /// Asking the chat what a conversation is.
    ReadingConversation,
    /// Sending a message along a route.
    TestingRoute,
}

impl Doing {
    fn words(self) -> &'static str {
        match self {
            Self::ReadingPipelines => "read your pipelines",
            Self::ReadingApps => "read the pipeline's apps",
            Self::ReadingLink => "find out which repository the pipeline ships",
            Self::ReadingRepository => "read the repository",
            Self::ReadingRef => "look up what to ship",
            Self::ReadingReleases => "read the releases",
            Self::ReadingOutput => "read the output",
            Self::Comparing => "compare the commits",
            Self::OpeningForm => "open the form",
            Self::ReadingConversation => "look at that conversation",
            Self::TestingRoute => "send a message there",
        }
    }
}

fn refusal(headline: Line) -> Message {
    Message::new(Tone::Bad, Audience::Asker, headline)
}

fn with_buttons(mut message: Message, buttons: &[(String, OfferId)]) -> Message {
    for (label, id) in buttons {
        message = message.button(label, Act::Take(*id), ButtonStyle::Plain);
    }
    message
}

/// A list of names, each shown as typed.
pub(super) fn listed(names: impl IntoIterator<Item = impl ToString>) -> Line {
    let mut line = Line::new();
    for name in names {
        if !line.is_empty() {
            line.push(text(", "));
        }
        line.push(code(name));
    }
    line
}

/// To a person whom this installation does not know.
pub fn stranger(command_word: &str) -> Message {
    refusal(vec![text("This installation works for one person so far, and that is not you. Nothing was done.")]).line(vec![
        code(format!("{command_word} help")),
        text(" shows what it can do. Whoever runs it can name you in its settings. (unknown-person)"),
    ])
}

/// Whose fault it is, what they do, and what the person may do.
fn told_apart(error: &PortError) -> (&'static str, &'static str, &'static str) {
    let service = match error.service {
        Service::SourceControl => GITHUB,
        Service::Platform => HEROKU,
        Service::Chat => "The chat",
    };
    let (what, way_out) = match error.fault {
        Fault::SignInLost => (
            "does not accept the sign-in any more",
            "Log in again (`login`), or have whoever runs this installation renew the token. (sign-in-lost)",
        ),
        Fault::Forbidden => ("does not let you do that", "Ask somebody who owns it for access. (forbidden)"),
        Fault::NotFound => ("knows nothing of it, or hides it from you", "Check the name and your access. (not-found)"),
        Fault::Refused => ("refuses it", "(refused)"),
        Fault::RateLimited { .. } => ("asks us to slow down", "Try again in a few minutes. (rate-limited)"),
        Fault::Unreachable => ("cannot be reached", "Nothing was done. Try again in a moment. (unreachable)"),
        Fault::Unclear => ("did not answer in time", "Nothing was started. Try again in a moment. (no-answer)"),
        Fault::Nonsense => ("gave an answer that makes no sense", "Nothing was started. Try again in a moment. (bad-answer)"),
    };
    (service, what, way_out)
}

/// The outside failed, in half a sentence.
pub(super) fn who_does_what(error: &PortError) -> String {
    let (service, what, _) = told_apart(error);
    format!("{service} {what}")
}

/// The outside failed.
pub fn trouble(doing: Doing, error: &PortError) -> Message {
    let (service, what, way_out) = told_apart(error);
    let mut message = refusal(vec![text(format!("Could not {}: {service} {what}.", doing.words()))]);
    if let Some(said) = &error.said {
        message = message.line(vec![text("It said: "), code(said)]);
    }
    if let Fault::RateLimited { until: Some(until) } = error.fault {
        // To the minute, and not too early.
        let minute = TimestampRound::new().smallest(Unit::Minute).mode(RoundMode::Ceil);
        let until = until.round(minute).unwrap_or(until);
        return message.line(vec![text("Try again after "), dated(until), text(". (rate-limited)")]);
    }
    message.line(way_to_mend(error, way_out))
}

/// What the asker can do about it: on the page that the service names for that, where it names one.
fn way_to_mend(error: &PortError, otherwise: &str) -> Line {
    let Some(page) = &error.mend_at else { return sentence(otherwise) };
    let reason = otherwise.rsplit_once('(').map_or("", |(_, reason)| reason);
    vec![link("Mend it here", page), text(format!(" (the page is yours only), then ask again. ({reason}"))]
}

/// The same for somebody who is answered without it: nothing, where they can do nothing.
pub(super) fn way_on(error: &PortError) -> Option<Line> {
    let (_, _, way_out) = told_apart(error);
    (error.mend_at.is_some() || error.fault == Fault::SignInLost).then(|| way_to_mend(error, way_out))
}

/// The request lay here for so long that doing it now would be a surprise.
pub fn asked_too_long_ago() -> Message {
    refusal(vec![text("You asked for this while I was away, too long ago to do it unasked now. Nothing was done. (asked-too-long-ago)")])
        .line(vec![text("Type the command again if you still want it.")])
}

/// The store did not take it.
pub fn not_recorded() -> Message {
    refusal(vec![text("This could not be recorded, so nothing was done. Try again. (not-recorded)")])
}

/// An answer that could not be made, for no reason that its asker could mend.
pub fn went_wrong() -> Message {
    refusal(vec![text("Something went wrong in here, and it is not your doing. The operator's log tells more. (went-wrong)")]).line(vec![
        text("Nothing was begun that "),
        code("status"),
        text(" does not show. You may ask again."),
    ])
}

/// A pipeline's name with what tells it apart from others of that name, for a button.
pub fn pipeline_apart(pipeline: &Pipeline) -> String {
    let owner = pipeline.owner.as_deref().unwrap_or("no owner");
    format!("{} ({owner})", pipeline.name).chars().take(30).collect()
}

/// No pipeline, or several.
pub fn no_pipeline(key: &PipelineKey, no: &NoPipeline, all: &[Pipeline], buttons: &[(String, OfferId)]) -> Message {
    let message = match no {
        NoPipeline::Unknown { nearest } => {
            let mut headline = vec![text("There is no pipeline "), code(key), text(" that you can see.")];
            if let Some(nearest) = nearest {
                headline.extend([text(" Did you mean "), code(nearest), text("?")]);
            }
            let mut names: Vec<&str> = all.iter().map(|pipeline| pipeline.name.as_str()).collect();
            names.dedup();
            let message = refusal(headline);
            if names.is_empty() {
                message.line(vec![text("You can see no pipelines at all. (unknown-pipeline)")])
            } else {
                let mut line = vec![text("Yours: ")];
                line.extend(listed(names));
                line.push(text(" (unknown-pipeline)"));
                message.line(line)
            }
        }
        NoPipeline::Several(pipelines) => {
            let mut message = refusal(vec![text("Several pipelines are called "), code(key), text(". Which one? (several-pipelines)")]);
            for pipeline in pipelines {
                let made = pipeline.created_at.map(|at| format!(", made {}", at.strftime("%Y-%m-%d"))).unwrap_or_default();
                let owner = pipeline.owner.as_deref().unwrap_or("nobody in particular");
                message = message.line(vec![code(&pipeline.id), text(format!(" belongs to {owner}{made}"))]);
            }
            message.line(vec![text("Press one, or type its id in the place of the name.")])
        }
    };
    with_buttons(message, buttons)
}

/// No app, or several.
pub fn no_app(pipeline: &Pipeline, no: &NoApp, buttons: &[(String, OfferId)]) -> Message {
    let instead = |environments: &[Environment]| {
        let mut line = vec![text("It has apps in ")];
        line.extend(listed(environments));
        line.push(text("."));
        line
    };
    let message = match no {
        NoApp::EmptyEnvironment { environment, instead: others } => {
            let message = refusal(vec![
                code(&pipeline.name),
                text(" has no app in "),
                code(environment),
                text(" that you can see. (empty-environment)"),
            ]);
            if others.is_empty() { message } else { message.line(instead(others)) }
        }
        NoApp::Unknown { environment, asked, nearest, there } => {
            let mut headline = vec![code(&pipeline.name), text(" has no app "), code(asked), text(" in "), code(environment), text(".")];
            if let Some(nearest) = nearest {
                headline.extend([text(" Did you mean "), code(nearest), text("?")]);
            }
            let mut line = vec![text("There: ")];
            line.extend(listed(there));
            line.push(text(" (unknown-app)"));
            refusal(headline).line(line)
        }
        NoApp::Several { environment, apps } => {
            let mut line = vec![text("Say "), code(format!("{environment}/APP")), text(" with one of ")];
            line.extend(listed(apps));
            line.push(text(" (several-apps)"));
            refusal(vec![code(&pipeline.name), text(" has several apps in "), code(environment), text(". Which one?")]).line(line)
        }
        NoApp::NoDefault { instead: others } => {
            let headline =
                vec![text("Where to? "), code(&pipeline.name), text(" has no environment that is meant by itself. (no-default)")];
            if others.is_empty() {
                refusal(headline).line(vec![text("It has no apps that you can see.")])
            } else {
                refusal(headline).line(instead(others))
            }
        }
    };
    with_buttons(message, buttons)
}

/// The pipeline ships no repository that we know of.
pub fn no_repository(pipeline: &Pipeline, page: &str) -> Message {
    refusal(vec![code(&pipeline.name), text(format!(" is not linked to a {GITHUB} repository. (no-repository)"))])
        .line(vec![link("Link it", page), text(", or have whoever runs this installation map it in its settings.")])
}

/// The repository is not there for this person.
pub fn repository_hidden(pipeline: &Pipeline, name: &RepoName) -> Message {
    refusal(vec![
        text("The repository "),
        code(name),
        text(" of "),
        code(&pipeline.name),
        text(" does not exist, or you may not see it. (repository-hidden)"),
    ])
    .line(vec![text(format!("If it moved, link the pipeline anew; if it is private, ask for access at {GITHUB}."))])
}

/// The button for the commit of a branch that a tag is called like.
pub fn of_branch(commit: &CommitSha) -> String {
    format!("Branch {}", commit.short())
}

/// The button for the commit of a tag that a branch is called like.
pub fn of_tag(commit: &CommitSha) -> String {
    format!("Tag {}", commit.short())
}

/// There is no such ref, or it is not clear which.
pub fn no_ref(repository: &Repository, asked: &AskedRef, resolution: &Resolution, buttons: &[(String, OfferId)]) -> Message {
    let name = || code(&repository.name);
    let message = match resolution {
        Resolution::Unknown { nearest } => {
            let what = match asked {
                AskedRef::Default => vec![text("the default branch "), code(&repository.default_branch)],
                AskedRef::Named(named) => vec![text("no branch, tag or commit "), code(named)],
                AskedRef::Pull(number) => vec![text("no pull request "), code(format!("#{number}"))],
                AskedRef::Pinned { of, commit } => vec![code(of), text(" no longer contains "), code(commit.short())],
            };
            let mut headline = match asked {
                AskedRef::Default => vec![name(), text(" lacks ")],
                AskedRef::Named(_) | AskedRef::Pull(_) => vec![name(), text(" has ")],
                AskedRef::Pinned { .. } => vec![text("In "), name(), text(", ")],
            };
            headline.extend(what);
            headline.push(text("."));
            if let Some(nearest) = nearest {
                headline.extend([text(" Did you mean "), code(nearest), text("?")]);
            }
            let pinned = matches!(asked, AskedRef::Pinned { .. });
            headline.push(text(if pinned { " Deploy what is there now. (not-on-ref)" } else { " (unknown-ref)" }));
            let way_out =
                vec![text("Name one that is there; without a name the head of "), code(&repository.default_branch), text(" ships.")];
            match (asked, nearest) {
                (AskedRef::Named(_) | AskedRef::Pull(_), None) => refusal(headline).line(way_out),
                (AskedRef::Named(_) | AskedRef::Pull(_), Some(_)) | (AskedRef::Default | AskedRef::Pinned { .. }, _) => refusal(headline),
            }
        }
        Resolution::BranchAndTag { branch, tag } => refusal(vec![
            code(asked),
            text(" is a branch (at "),
            code(branch.short()),
            text(") and a tag (at "),
            code(tag.short()),
            text("). Which of the two commits? (ambiguous-ref)"),
        ]),
        Resolution::AmbiguousHash => {
            refusal(vec![text("Several commits begin with "), code(asked), text(". Say more of the hash. (ambiguous-hash)")])
        }
        Resolution::EmptyRepository => refusal(vec![name(), text(" has no commits yet: push one first. (empty-repository)")]),
        Resolution::Found(_) => refusal(vec![text("That was found after all; try again.")]),
    };
    with_buttons(message, buttons)
}

/// What a person calls the commit.
pub(super) fn commit_words(resolved: &Resolved) -> Vec<Span> {
    super::card::commit(&resolved.commit, &resolved.named_by)
}

/// The gate said no: every reason, and the ways out.
pub fn gate_closed(
    target: &Target,
    resolved: &Resolved,
    verdict: &Verdict,
    (wish, way): (&Wish, &Way),
    rules: &Rules,
    now: Timestamp,
    buttons: &[(String, OfferId)],
) -> Message {
    let mut headline = commit_words(resolved);
    headline.extend([text(" may not go to "), code(&target.app_name), text(format!(" ({}).", target.environment))]);
    let mut message = closed(headline, verdict, || past_gate(target, wish, way), rules, now);
    if *way == Way::Build && verdict.may_become_green() {
        message = message.line(as_soon_as_green(wish));
    }
    with_buttons(message, buttons)
}

/// The same before every app of an environment, for the same reasons.
pub fn gate_closed_to_every_app(
    environment: Environment,
    resolved: &Resolved,
    verdict: &Verdict,
    promotion: &Command,
    rules: &Rules,
    now: Timestamp,
) -> Message {
    let mut headline = commit_words(resolved);
    headline.push(text(format!(" may not go to any app of {environment}.")));
    closed(headline, verdict, || past_promotion(&promotion.to_string()), rules, now)
}

fn closed(headline: Line, verdict: &Verdict, past: impl FnOnce() -> String, rules: &Rules, now: Timestamp) -> Message {
    let mut message = refusal(headline);
    for against in &verdict.reasons {
        message.lines.extend(reason_by(against, rules, now));
    }
    if verdict.may_be_overridden() {
        message = message.line(vec![text("Or ship it all the same: "), code(past())]);
    }
    message
}

/// The button that waits for checks.
pub const SHIP_WHEN_GREEN: &str = "Ship when green";

/// The command that waits for checks.
pub(super) fn as_soon_as_green(wish: &Wish) -> Line {
    let terms = Terms { when_green: true, ..Terms::default() };
    let command = Command::Deploy { wish: wish.clone(), passing_checks: false, because: None, terms };
    vec![text("Or let it wait for them: "), code(command)]
}

fn past_promotion(promotion: &str) -> String {
    format!("{} because WHY", promotion.replacen("promote ", "promote! ", 1))
}

/// The command that ships past the checks, by the same way.
fn past_gate(target: &Target, wish: &Wish, way: &Way) -> String {
    match way {
        Way::Promote(from) => past_promotion(&format!(
            "promote {} from {}/{} to {}/{}",
            target.pipeline_name, from.from_environment, from.from_name, target.environment, target.app_name
        )),
        Way::Build | Way::Back(_) => past_checks(wish),
    }
}

/// The command that ships past the checks.
pub(super) fn past_checks(wish: &Wish) -> String {
    let plain = Command::Deploy { wish: wish.clone(), passing_checks: false, because: None, terms: Terms::default() }.to_string();
    format!("{} because WHY", plain.replacen("deploy", "deploy!", 1))
}
