//! What we say of where commits run: what each environment has, how far apart they are, and where a change is.

use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::deployment::Deployment;
use crate::domain::fault::PortError;
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, link, strong, text};
use crate::domain::names::{AppName, CommitSha, OfferId, PipelineName, RefName};
use crate::domain::pipeline::{App, Pipeline};
use crate::domain::release::Running;
use crate::domain::source::{AskedRef, CommitRef, Comparison, Direction, Repository, Resolved};

use super::card::commit;
use super::lists::standing;
use super::locks::{LockRow, lock_line};
use super::refusals::{commit_words, who_does_what};
use super::words::{count, duration};

/// Who made what runs.
#[derive(Clone, Debug)]
pub enum Maker {
    /// Somebody of the chat, through us, who named the commit so.
    Asker(Person, CommitRef),
    /// Somebody else, in the platform's words.
    Other(String),
}

/// What runs in an app.
#[derive(Debug)]
pub struct Stand {
    /// The app.
    pub app: App,
    /// Its page.
    pub page: String,
    /// What runs.
    pub running: Result<Option<Running>, PortError>,
    /// Since when the release serves.
    pub since: Option<Timestamp>,
    /// Who made it.
    pub by: Option<Maker>,
}

impl Stand {
    /// The commit, where it is known.
    pub fn commit(&self) -> Option<&CommitSha> {
        self.running.as_ref().ok()?.as_ref()?.commit.as_ref()
    }
}

/// How far an app is from something.
#[derive(Debug)]
pub struct Distance {
    /// From what: the default branch, or an app before it.
    pub from: From,
    /// How that stands to what runs here.
    pub change: Comparison,
}

/// What a distance is measured from.
#[derive(Clone, Debug)]
pub enum From {
    /// The head of the default branch.
    Branch(RefName),
    /// What runs in an app.
    App(AppName),
}

fn answer(headline: Line) -> Message {
    Message::new(Tone::Info, Audience::Asker, headline)
}

/// `staging (hubot-staging): 8fcbedd (main), v3 by @ana for 4m`
pub(super) fn stand_words(stand: &Stand, now: Timestamp) -> Line {
    let mut line = vec![text(format!("{} (", stand.app.environment)), link(stand.app.name.as_str(), &stand.page), text("): ")];
    let running = match &stand.running {
        Err(error) => {
            line.push(text(format!("cannot be read, since {}", who_does_what(error))));
            return line;
        }
        Ok(None) => {
            line.push(text("nothing was ever released"));
            return line;
        }
        Ok(Some(running)) => running,
    };
    match (&running.commit, &stand.by) {
        (Some(sha), Some(Maker::Asker(_, named_by))) => line.extend(commit(sha, named_by)),
        (Some(sha), Some(Maker::Other(_)) | None) => line.push(code(sha.short())),
        (None, _) => line.push(text("no known commit")),
    }
    line.push(text(format!(", v{}", running.version)));
    match &stand.by {
        Some(Maker::Asker(person, _)) => line.extend([text(" by "), Span::Person(person.clone())]),
        Some(Maker::Other(name)) => line.push(text(format!(" by {name}"))),
        None => {}
    }
    line.extend(stand.since.map(|since| text(format!(" for {}", duration(now.duration_since(since).as_secs())))));
    line
}

/// `; 2 commits behind main`
fn distance_words(distance: &Distance) -> Line {
    let from = match &distance.from {
        From::Branch(name) => code(name),
        From::App(name) => code(name),
    };
    let change = &distance.change;
    let behind = || link(format!("{} behind", count(change.added, "commit")), &change.url);
    match change.direction {
        Direction::Same => vec![text("; the same as "), from],
        Direction::Ahead => vec![text("; "), behind(), text(" "), from],
        Direction::Behind => vec![text(format!("; {} ahead of ", count(change.dropped, "commit"))), from],
        Direction::Diverged => {
            vec![text("; "), behind(), text(" "), from, text(format!(" and {} that it lacks", count(change.dropped, "commit")))]
        }
    }
}

/// What runs in each environment of a pipeline. `head` is the head of the default branch, where it could be read.
pub fn whereabouts(
    pipeline: &Pipeline,
    head: Option<(&Repository, &CommitSha)>,
    stands: &[(Stand, Vec<Distance>)],
    now: Timestamp,
) -> Message {
    let mut headline = vec![strong(pipeline.name.as_str())];
    match head {
        Some((repository, sha)) => headline.extend([
            text(": "),
            code(&repository.default_branch),
            text(" of "),
            link(repository.name.as_str(), &repository.web_url),
            text(" is at "),
            code(sha.short()),
        ]),
        None => headline.push(text(": its repository cannot be read now, and so no distances")),
    }
    let mut message = answer(headline);
    for (stand, distances) in stands {
        let mut line = stand_words(stand, now);
        line.extend(distances.iter().flat_map(distance_words));
        message.lines.push(line);
    }
    if stands.is_empty() {
        message.lines.push(vec![text("It has no apps that you can see.")]);
    }
    message
}

/// Where a change stands in one app.
#[derive(Debug)]
pub enum Reached {
    /// What runs contains it.
    Live,
    /// It does not; how the change stands to what runs.
    Not(Comparison),
    /// Nobody can tell: what runs is of no known commit, or has nothing in common with the change.
    Unknown,
}

/// A change, as seen from one app.
#[derive(Debug)]
pub struct ChangeRow {
    /// What runs there.
    pub stand: Stand,
    /// Whether that contains the change.
    pub reached: Reached,
    /// Deployments that contain it and are on their way there, with how many are ahead of each.
    pub coming: Vec<(Deployment, Option<usize>)>,
    /// Somebody's lock on the environment.
    pub lock: Option<LockRow>,
}

/// Where a change is live in a pipeline, and what is in the way where it is not. `merged`: whether the default branch contains it, where
/// that could be read; `against`: what the checks say against it.
pub fn change_whereabouts(
    pipeline: &PipelineName,
    repository: &Repository,
    resolved: &Resolved,
    (merged, against): (Option<bool>, &[Line]),
    rows: &[ChangeRow],
    now: Timestamp,
) -> Message {
    let live = rows.iter().filter(|row| matches!(row.reached, Reached::Live)).count();
    let mut headline = commit_words(resolved);
    headline.extend([text(" of "), link(repository.name.as_str(), &repository.web_url), text(" in "), code(pipeline)]);
    headline.push(text(match (live, rows.len()) {
        (0, _) => " is live nowhere".to_owned(),
        (live, all) if live == all => " is live everywhere".to_owned(),
        (live, all) => format!(" is live in {live} of {}", count(u64::try_from(all).unwrap_or(u64::MAX), "app")),
    }));
    let mut message = answer(headline);
    for row in rows {
        let mut line = match &row.reached {
            Reached::Live => vec![strong("live"), text(" in ")],
            Reached::Not(_) => vec![strong("not live"), text(" in ")],
            Reached::Unknown => vec![strong("unknown"), text(" in ")],
        };
        line.extend(stand_words(&row.stand, now));
        if let Reached::Not(change) = &row.reached {
            line.extend([text("; "), link(count(change.added, "commit"), &change.url), text(" short of it")]);
            if change.dropped > 0 {
                line.push(text(format!(", and has {} that the change lacks", count(change.dropped, "commit"))));
            }
        }
        message.lines.push(line);
        for (deployment, ahead) in &row.coming {
            let mut line = vec![text("On its way there: ")];
            line.extend(standing(deployment, *ahead, now));
            message.lines.push(line);
        }
        if let (Reached::Not(_), Some(lock)) = (&row.reached, &row.lock) {
            message.lines.push(lock_line(lock, now));
        }
    }
    if live < rows.len() {
        match merged {
            Some(true) => message.lines.push(vec![code(&repository.default_branch), text(" contains it.")]),
            Some(false) => {
                message.lines.push(vec![code(&repository.default_branch), text(" does not contain it: a deploy of that takes it nowhere.")])
            }
            None => {}
        }
        message.lines.extend(against.iter().cloned());
    }
    message
}

/// No pipeline that the asker can see ships something of that name.
pub fn found_nowhere(what: &AskedRef, searched: usize) -> Message {
    let what = match what {
        AskedRef::Pull(_) | AskedRef::Default => vec![text("No pull request "), code(what)],
        AskedRef::Named(_) | AskedRef::Pinned { .. } => vec![text("No commit, branch or tag "), code(what)],
    };
    let mut headline = what;
    headline.push(text(format!(
        " in the {} that your pipelines ship. (found-nowhere)",
        if searched == 1 { "repository".to_owned() } else { format!("{searched} repositories") }
    )));
    Message::new(Tone::Bad, Audience::Asker, headline).line(vec![
        text("Name the pipeline with it: "),
        code("where PIPELINE/REF"),
        text("."),
    ])
}

/// Several pipelines could be meant: each has a button.
pub fn which_change(what: &AskedRef, buttons: &[(String, OfferId)]) -> Message {
    let mut message = answer(vec![code(what), text(" means something in several pipelines. In which one?")]);
    for (label, id) in buttons {
        message = message.button(label, Act::Take(*id), ButtonStyle::Plain);
    }
    message
}
