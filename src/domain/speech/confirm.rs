//! The question before a deploy that its asker may not have meant, and what a deploy changes, commit by commit.

use std::collections::BTreeSet;

use crate::domain::deployment::{Deployment, Promote, Target, Way};
use crate::domain::doubt::Doubt;
use crate::domain::lock::Lock;
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, link, text};
use crate::domain::names::{CheckName, OfferId};
use crate::domain::pipeline::Environment;
use crate::domain::release::Running;
use crate::domain::source::{Comparison, Difference, Repository, Resolved};

use super::diff::{commit_lines, size_line};
use super::locks::own_lock;
use super::refusals::commit_words;
use super::returns::{config_words, roll_back_to};
use super::stages::change_words;
use super::words::{count, list};

/// How many commits are listed where they are not what was asked for.
const FEW: usize = 5;

/// What a deploy changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    /// In numbers.
    pub comparison: Option<&'a Comparison>,
    /// What ships.
    pub ships: Option<&'a Difference>,
    /// What would be taken away.
    pub drops: Option<&'a Difference>,
}

/// What a change changes in files, and its commits, the newest first, with their authors and pull requests.
pub(super) fn commits_of(repository: &Repository, change: Change<'_>) -> Vec<Line> {
    let all = |side: &Difference| commit_lines(repository, &side.commits, side.comparison.added, FEW);
    let size = change.ships.and_then(|side| side.size).filter(|size| size.files > 0);
    let mut lines: Vec<Line> = size.map(size_line).into_iter().collect();
    lines.extend(change.ships.map(all).unwrap_or_default());
    if let Some(drops) = change.drops {
        lines.push(vec![text("Would be taken away:")]);
        lines.extend(all(drops));
    }
    lines
}

/// Why a question is asked, as the end of a sentence.
pub(super) fn why(environment: Environment, doubts: &BTreeSet<Doubt>) -> String {
    let place = match environment {
        Environment::Production => "this is production".to_owned(),
        Environment::Review | Environment::Development | Environment::Staging => format!("you hold {environment}"),
    };
    let words = doubts.iter().map(|doubt| match doubt {
        Doubt::PassesChecks => "it passes over checks",
        Doubt::BackInTime => "it goes back in time",
        Doubt::TakesAway => "it takes away commits that are live",
        Doubt::OfOthers => "it ships commits of others",
        Doubt::Unreadable => "what it changes cannot be told",
        Doubt::OtherBranch => "you do not ship the branch that you hold it for",
    });
    std::iter::once(place).chain(words.map(str::to_owned)).collect::<Vec<_>>().join(" and ")
}

/// What is asked about.
#[derive(Debug)]
#[expect(missing_docs, reason = "each field is the domain value of its name")]
pub struct Question<'a> {
    pub target: &'a Target,
    pub repository: &'a Repository,
    pub resolved: &'a Resolved,
    pub way: &'a Way,
    pub change: Change<'a>,
    pub doubts: &'a BTreeSet<Doubt>,
    /// The checks that are passed over, and why.
    pub passing: Option<(&'a [CheckName], &'a str)>,
    /// What the asker holds there.
    pub own_locks: &'a [Lock],
    pub running: Option<&'a Running>,
    /// Our deployment that made what runs.
    pub live: Option<&'a Deployment>,
    /// Why it is asked once more.
    pub anew: Option<Line>,
}

/// Whether this was meant. `note`: what became of a code.
pub fn sure(question: &Question<'_>, note: Option<Line>, offer: OfferId) -> Message {
    let Question { target, repository, resolved, way, change, doubts, passing, own_locks, running, live, anew } = question;
    let place = [code(&target.app_name), text(format!(" ({})", target.environment))];
    let mut headline = Line::new();
    match way {
        Way::Build => headline.extend([vec![text("Ship ")], commit_words(resolved), vec![text(" to ")]].concat()),
        Way::Promote(from) => headline.extend(promoted_words(from, resolved)),
        Way::Back(_) => headline.push(text("Roll ")),
    }
    headline.extend(place);
    match way {
        Way::Build | Way::Promote(_) => headline.push(text("?")),
        Way::Back(back) => {
            headline.extend([vec![text(format!(" back to v{}, ", back.version))], commit_words(resolved), vec![text("?")]].concat())
        }
    }
    headline.extend((!doubts.is_empty()).then(|| text(format!(" I ask since {}.", why(target.environment, doubts)))));
    let mut message = Message::new(Tone::Attention, Audience::Asker, headline);
    message.lines.extend(anew.clone());
    message.lines.extend(own_locks.iter().map(|lock| own_lock(&target.pipeline_name, lock)));
    if !own_locks.is_empty() || doubts.contains(&Doubt::Unreadable) {
        message.lines.push(what_runs(*running, *live));
    }
    if let Some(comparison) = change.comparison {
        message.lines.push([vec![link(repository.name.as_str(), &repository.web_url), text(": ")], change_words(comparison)].concat());
    }
    message.lines.extend(commits_of(repository, *change));
    if let Way::Back(back) = way {
        message.lines.push(config_words(back.version, back.configs));
    }
    with_answers(message, doubts, *passing, note, (way, resolved), offer)
}

/// Whether a promotion to several apps was meant. `rows`: the apps, and what would change in each.
pub fn sure_of_all(
    (resolved, way): (&Resolved, &Way),
    rows: &[(&Target, Option<&Comparison>)],
    doubts: &BTreeSet<Doubt>,
    passing: Option<(&[CheckName], &str)>,
    notes: [Option<Line>; 2],
    offer: OfferId,
) -> Message {
    let environment = rows.first().map_or(Environment::Production, |(target, _)| target.environment);
    let mut headline = match way {
        Way::Promote(from) => promoted_words(from, resolved),
        Way::Build | Way::Back(_) => [vec![text("Ship ")], commit_words(resolved), vec![text(" to ")]].concat(),
    };
    let many = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    headline.push(text(format!("{} of {environment}?", count(many, "app"))));
    headline.extend((!doubts.is_empty()).then(|| text(format!(" I ask since {}.", why(environment, doubts)))));
    let mut message = Message::new(Tone::Attention, Audience::Asker, headline);
    let [anew, note] = notes;
    message.lines.extend(anew);
    for (target, change) in rows {
        let words = change.map_or_else(|| vec![text("what changes cannot be told.")], change_words);
        message.lines.push([vec![code(&target.app_name), text(": ")], words].concat());
    }
    with_answers(message, doubts, passing, note, (way, resolved), offer)
}

fn promoted_words(from: &Promote, resolved: &Resolved) -> Line {
    let mut line = vec![text(format!("Promote v{} of ", from.version)), code(&from.from_name)];
    line.push(text(format!(" ({}), ", from.from_environment)));
    line.extend([commit_words(resolved), vec![text(", to ")]].concat());
    line
}

/// What would be replaced.
fn what_runs(running: Option<&Running>, live: Option<&Deployment>) -> Line {
    let Some(running) = running else { return vec![text("What runs there now cannot be read.")] };
    let mut line = vec![text(format!("Live there now: v{}, ", running.version))];
    match (live, &running.commit) {
        (Some(live), _) => {
            line.extend(super::card::commit(&live.cargo.commit, &live.cargo.named_by));
            line.extend([text(", by "), Span::Person(live.origin.person.clone()), text(".")]);
        }
        (None, Some(commit)) => line.extend([code(commit.short()), text(".")]),
        (None, None) => line.push(text("of no known commit.")),
    }
    line
}

fn with_answers(
    mut message: Message,
    doubts: &BTreeSet<Doubt>,
    passing: Option<(&[CheckName], &str)>,
    note: Option<Line>,
    (way, resolved): (&Way, &Resolved),
    offer: OfferId,
) -> Message {
    if let Some((checks, because)) = passing {
        message.lines.push(vec![text(format!("Passed over: {}: {because}", list(checks)))]);
    }
    message.lines.extend(note);
    let bold = doubts.iter().any(|doubt| match doubt {
        Doubt::PassesChecks | Doubt::BackInTime | Doubt::TakesAway | Doubt::Unreadable | Doubt::OtherBranch => true,
        Doubt::OfOthers => false,
    });
    let style = if bold { ButtonStyle::Danger } else { ButtonStyle::Primary };
    let short = resolved.commit.short();
    let (yes, no) = match way {
        Way::Build => (format!("Ship {short}"), "Do not ship"),
        Way::Promote(_) => (format!("Promote {short}"), "Do not promote"),
        Way::Back(back) => (roll_back_to(back.version), "Do not roll back"),
    };
    message.line(vec![text(ANSWERED)]).button(&yes, Act::Take(offer), style).button(no, Act::Decline(offer), ButtonStyle::Plain)
}

/// How answers count.
pub(super) const ANSWERED: &str =
    "Nothing has begun. The buttons are good for a minute and for you only; everything is looked at once more when you press.";

/// Something else runs there by now.
pub fn another_runs() -> Line {
    vec![text("I ask anew: something else runs there now than when I asked you.")]
}

/// It is something else by now.
pub fn another_was_shown() -> Line {
    vec![text("I ask anew: this is another release than the one that I showed you.")]
}

/// A code that came with a deploy which is asked about.
pub fn code_kept() -> Line {
    vec![text("The code was accepted and is good for this deploy.")]
}

/// They did not mean it.
pub fn declined() -> Message {
    Message::new(Tone::Good, Audience::Asker, vec![text("It stays as it is: nothing had begun.")])
}
