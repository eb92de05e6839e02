//! What we say of what would ship: commits, authors, pull requests, and what would be taken away.

use jiff::Timestamp;

use crate::domain::checks::Checks;
use crate::domain::gate::Reason;
use crate::domain::message::{Audience, Line, Message, Tone, code, link, strong, text};
use crate::domain::names::CommitSha;
use crate::domain::pipeline::{App, Pipeline};
use crate::domain::source::{CommitLine, Difference, Direction, Repository, Resolved, Size};

use super::reasons::reason;
use super::refusals::commit_words;
use super::stages::change_words;
use super::whereabouts::{Stand, stand_words};
use super::words::{count, cut};

/// How many commits are listed.
const LISTED: usize = 20;

/// One end of a comparison.
#[derive(Debug)]
pub enum DiffEnd {
    /// What runs somewhere.
    Place(Box<Stand>),
    /// A ref.
    Ref(Resolved),
}

impl DiffEnd {
    /// The commit, where it is known.
    pub fn commit(&self) -> Option<&CommitSha> {
        match self {
            Self::Place(stand) => stand.commit(),
            Self::Ref(resolved) => Some(&resolved.commit),
        }
    }

    fn words(&self, now: Timestamp) -> Line {
        match self {
            Self::Place(stand) => stand_words(stand, now),
            Self::Ref(resolved) => commit_words(resolved),
        }
    }
}

/// The commits that would ship.
pub fn diff(
    pipeline: &Pipeline,
    repository: &Repository,
    from: &DiffEnd,
    to: &DiffEnd,
    difference: &Difference,
    dropped: Option<&Difference>,
    now: Timestamp,
) -> Message {
    let change = &difference.comparison;
    let mut headline = vec![strong(pipeline.name.as_str()), text(": ")];
    headline.extend(match change.direction {
        Direction::Same => vec![text("nothing would ship, it is the same commit")],
        Direction::Ahead | Direction::Behind | Direction::Diverged => change_words(change),
    });
    let tone = match change.direction {
        Direction::Same | Direction::Ahead => Tone::Info,
        Direction::Behind | Direction::Diverged => Tone::Attention,
    };
    let mut message = Message::new(tone, Audience::Asker, headline);
    message.lines.push([vec![text("From ")], from.words(now)].concat());
    message.lines.push([vec![text("To ")], to.words(now)].concat());
    message.lines.extend(difference.size.filter(|size| size.files > 0).map(size_line));
    message.lines.extend(commit_lines(repository, &difference.commits, change.added, LISTED));
    if let Some(dropped) = dropped {
        message.lines.push(vec![text("Would be taken away:")]);
        message.lines.extend(commit_lines(repository, &dropped.commits, dropped.comparison.added, LISTED));
    }
    if change.direction != Direction::Same {
        message.lines.push(vec![link("The whole difference", &change.url)]);
    }
    message
}

/// How much changes in the files.
pub(super) fn size_line(size: Size) -> Line {
    let more = if size.at_least { "At least " } else { "" };
    vec![text(format!("{more}{}, {} added and {} removed", count(size.files, "file"), count(size.added, "line"), size.removed))]
}

pub(super) fn commit_lines(repository: &Repository, commits: &[CommitLine], all: u64, most: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = commits.iter().take(most).map(|commit| commit_line(repository, commit)).collect();
    let more = all.saturating_sub(u64::try_from(lines.len()).unwrap_or(u64::MAX));
    if more > 0 {
        lines.push(vec![text(format!("and {more} more"))]);
    }
    lines
}

fn commit_line(repository: &Repository, commit: &CommitLine) -> Line {
    let mut line = vec![code(commit.commit.short()), text(format!(" {}", cut(&commit.subject, 100)))];
    line.extend(commit.author.as_ref().map(|author| text(format!(" · {author}"))));
    if let Some(number) = commit.pull {
        line.extend([text(" · "), link(format!("#{number}"), format!("{}/pull/{number}", repository.web_url))]);
    }
    line
}

/// What runs there is of no known commit.
pub fn no_known_commit(app: &App) -> Message {
    Message::new(
        Tone::Bad,
        Audience::Asker,
        vec![text("What runs in "), code(&app.name), text(" is of no known commit: there is nothing to compare. (no-known-commit)")],
    )
}

/// The two have nothing in common.
pub fn nothing_in_common(repository: &Repository) -> Message {
    Message::new(
        Tone::Bad,
        Audience::Asker,
        vec![text("The two have nothing in common in "), code(&repository.name), text(", or one of them is gone. (nothing-in-common)")],
    )
}

/// What the checks of a commit have against it, each with the way out.
pub fn checks_against(checks: Result<&Checks, Option<String>>) -> Vec<Line> {
    let verdict = match checks {
        Err(said) => return reason(&Reason::ChecksUnreadable { said }),
        Ok(checks) => checks.judge(),
    };
    let kinds = [
        (verdict.failed, Reason::ChecksFailed as fn(_) -> _),
        (verdict.pending, Reason::ChecksPending),
        (verdict.missing, Reason::ChecksMissing),
    ];
    kinds.into_iter().filter(|(checks, _)| !checks.is_empty()).flat_map(|(checks, kind)| reason(&kind(checks))).collect()
}
