//! The question before a deploy that its asker may not have meant, and what a deploy changes, commit by commit.

use std::collections::BTreeSet;

use crate::domain::deployment::Target;
use crate::domain::doubt::Doubt;
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Tone, code, link, text};
use crate::domain::names::{CheckName, OfferId};
use crate::domain::source::{Comparison, Difference, Repository, Resolved};

use super::diff::{commit_lines, size_line};
use super::refusals::commit_words;
use super::stages::change_words;
use super::words::list;

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

/// Why a question is asked.
pub(super) fn why(doubts: &BTreeSet<Doubt>) -> String {
    let words: Vec<&str> = doubts
        .iter()
        .map(|doubt| match doubt {
            Doubt::PassesChecks => "it passes over checks",
            Doubt::BackInTime => "it goes back in time",
            Doubt::TakesAway => "it takes away commits that are live",
            Doubt::OfOthers => "it ships commits of others",
        })
        .collect();
    words.join(" and ")
}

/// Whether this was meant. `passing`: the checks that are passed over, and why; `note`: what became of a code.
pub fn sure(
    target: &Target,
    (repository, resolved): (&Repository, &Resolved),
    change: Change<'_>,
    doubts: &BTreeSet<Doubt>,
    passing: Option<(&[CheckName], &str)>,
    note: Option<Line>,
    offer: OfferId,
) -> Message {
    let mut headline = vec![text("Ship ")];
    headline.extend(commit_words(resolved));
    headline.extend([text(" to "), code(&target.app_name), text(format!(" ({})? ", target.environment))]);
    headline.push(text(format!("I ask since this is {} and {}.", target.environment, why(doubts))));
    let mut message = Message::new(Tone::Attention, Audience::Asker, headline);
    if let Some(comparison) = change.comparison {
        message.lines.push([vec![link(repository.name.as_str(), &repository.web_url), text(": ")], change_words(comparison)].concat());
    }
    message.lines.extend(commits_of(repository, change));
    if let Some((checks, because)) = passing {
        message.lines.push(vec![text(format!("Passed over: {}: {because}", list(checks)))]);
    }
    message.lines.extend(note);
    let bold = doubts.iter().any(|doubt| matches!(doubt, Doubt::PassesChecks | Doubt::BackInTime | Doubt::TakesAway));
    let style = if bold { ButtonStyle::Danger } else { ButtonStyle::Primary };
    message
        .line(vec![text(
            "Nothing has begun. The buttons are good for a minute and for you only; everything is looked at once more when you press.",
        )])
        .button(&format!("Ship {}", resolved.commit.short()), Act::Take(offer), style)
        .button("Do not ship", Act::Decline(offer), ButtonStyle::Plain)
}

/// A code that came with a deploy which is asked about.
pub fn code_kept() -> Line {
    vec![text("The code was accepted and is good for this deploy.")]
}

/// They did not mean it.
pub fn declined() -> Message {
    Message::new(Tone::Good, Audience::Asker, vec![text("Not shipped. Nothing had begun.")])
}
