//! What stands on somebody's own page.

use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::deployment::{Deployment, Phase};
use crate::domain::message::{Act, ButtonStyle, Line, code, text};
use crate::domain::names::PipelineId;
use crate::domain::notice::Mute;
use crate::domain::page::{Page, PageAct, PageButton, Part, Row};
use crate::domain::privacy::PrivacyPage;

use super::card::buttons_now;
use super::help::{Known, typed};
use super::lists::{StatusRow, never_told, standing, wait_words};
use super::locks::{LockRow, free_all, free_now, lock_line};
use super::notices::mute_line;
use super::privacy::page_line;
use super::words::moment;

/// How many rows of one kind stand there: a page holds about a hundred blocks in all.
const ROWS: usize = 8;

/// What a page is made of.
#[derive(Debug)]
pub struct HomeView<'a> {
    /// Whose it is.
    pub person: &'a Person,
    /// Their deployments that are not over, or whose end they could not be told.
    pub rows: &'a [StatusRow],
    /// Deployments of others that they ride along with.
    pub rides: &'a [StatusRow],
    /// What they hold, and in which pipeline.
    pub locks: &'a [(PipelineId, LockRow)],
    /// What they have muted, if that holds.
    pub mute: Option<&'a Mute>,
    /// Whether their logins are linked, or may be.
    pub known: Known,
    /// Where the privacy page is.
    pub privacy: &'a PrivacyPage,
    /// The command's word in the chat.
    pub command_word: &'a str,
    /// The present moment.
    pub now: Timestamp,
}

/// Somebody's own page, without a note and without the conversation that it belongs to.
pub fn home(view: &HomeView<'_>) -> Page {
    let (word, now) = (view.command_word, view.now);
    let (waiting, going): (Vec<&StatusRow>, Vec<&StatusRow>) = view.rows.iter().partition(|row| row.deployment.waits());
    let mut parts = vec![
        part("Your deploys", &going, word, |row| deploy_row(view, row), nothing_runs(view.known, word)),
        part("Your places in lines", &waiting, word, |row| deploy_row(view, row), vec![text("You wait for nothing.")]),
    ];
    if !view.rides.is_empty() {
        let rides: Vec<&StatusRow> = view.rides.iter().collect();
        parts.push(part("You ride along with", &rides, word, |row| ride_row(view, row), Line::new()));
    }
    parts.push(held(view));
    parts.push(one("Your notices", muted(view)));
    parts.push(one("Your logins", Row { lines: vec![logins(view.known, word)], ..Row::default() }));
    let mut last = about_data(word, view.privacy);
    last.lines.push(vec![text("As of "), moment(now, now), text(". It is made anew whenever you open this page.")]);
    parts.push(one(YOUR_DATA, last));
    Page { note: None, parts, conversation: None }
}

const YOUR_DATA: &str = "What is kept about you";

/// A page that says nothing about anybody.
pub fn empty_page(command_word: &str, privacy: &PrivacyPage) -> Page {
    Page { note: None, parts: vec![one(YOUR_DATA, about_data(command_word, privacy))], conversation: None }
}

fn one(title: &str, row: Row) -> Part {
    Part { title: title.to_owned(), rows: vec![row] }
}

fn part<T>(title: &str, all: &[T], word: &str, row: impl Fn(&T) -> Row, none: Line) -> Part {
    let mut rows: Vec<Row> = all.iter().take(ROWS).map(row).collect();
    if rows.is_empty() {
        rows.push(Row { lines: vec![none], buttons: Vec::new() });
    }
    if all.len() > ROWS {
        let more = vec![text(format!("And {} more: ", all.len().saturating_sub(ROWS))), code(typed(word, "status"))];
        rows.push(Row { lines: vec![more], buttons: Vec::new() });
    }
    Part { title: title.to_owned(), rows }
}

fn nothing_runs(known: Known, word: &str) -> Line {
    match known {
        Known::Linked => vec![text("Nothing of yours is running. Ship something: "), code(word)],
        Known::MayLink | Known::Stranger => vec![text("Nothing of yours is running.")],
    }
}

fn deploy_row(view: &HomeView<'_>, row: &StatusRow) -> Row {
    let deployment = &row.deployment;
    let line = if deployment.has_ended() { never_told(deployment, view.person, view.now) } else { stands(view, row) };
    Row { lines: vec![line], buttons: buttons(deployment) }
}

fn stands(view: &HomeView<'_>, row: &StatusRow) -> Line {
    [standing(&row.deployment, row.ahead, view.now), wait_words(row.wait)].concat()
}

fn ride_row(view: &HomeView<'_>, row: &StatusRow) -> Row {
    let act = PageAct::Press(Act::StepOut(row.deployment.id));
    Row { lines: vec![stands(view, row)], buttons: vec![PageButton { label: "Step out".to_owned(), act, style: ButtonStyle::Plain }] }
}

fn buttons(deployment: &Deployment) -> Vec<PageButton> {
    let code = matches!(deployment.phase, Phase::NeedsCode { .. }).then(|| PageButton {
        label: "Enter the code".to_owned(),
        act: PageAct::Press(Act::EnterCode(deployment.id)),
        style: ButtonStyle::Primary,
    });
    let waits = matches!(deployment.phase, Phase::Waiting(_));
    let others = buttons_now(deployment).into_iter().map(|button| PageButton {
        label: if waits && matches!(button.act, Act::Cancel(_)) { "Leave the line".to_owned() } else { button.label },
        act: PageAct::Press(button.act),
        style: button.style,
    });
    code.into_iter().chain(others).collect()
}

fn held(view: &HomeView<'_>) -> Part {
    let row = |(pipeline, row): &(PipelineId, LockRow)| {
        let act = PageAct::Unlock { pipeline: pipeline.clone(), on: row.lock.on };
        let free = PageButton { label: free_now(), act, style: ButtonStyle::Plain };
        Row { lines: vec![lock_line(row, view.now)], buttons: vec![free] }
    };
    let mut held = part("What you hold", view.locks, view.command_word, row, vec![text("You hold nothing.")]);
    if view.locks.len() > 1 {
        let all = PageButton { label: free_all(), act: PageAct::UnlockAll, style: ButtonStyle::Danger };
        held.rows.push(Row { lines: Vec::new(), buttons: vec![all] });
    }
    held
}

fn muted(view: &HomeView<'_>) -> Row {
    match view.mute {
        Some(mute) => {
            let again = PageButton { label: "Tell me again".to_owned(), act: PageAct::Unmute, style: ButtonStyle::Plain };
            Row { lines: vec![mute_line(mute, view.command_word, view.now)], buttons: vec![again] }
        }
        None => {
            let line = vec![text("You are told how your deploys end. Not for a while: "), code(typed(view.command_word, "mute for 2h"))];
            Row { lines: vec![line], buttons: Vec::new() }
        }
    }
}

fn logins(known: Known, word: &str) -> Line {
    match known {
        Known::Linked => vec![text("They are linked. Whose they are: "), code(typed(word, "whoami"))],
        Known::MayLink => vec![text("They are not linked yet, or not all of them. Link them: "), code(typed(word, "login"))],
        Known::Stranger => vec![text("This installation does not know you yet. Whoever runs it can add you.")],
    }
}

fn about_data(word: &str, privacy: &PrivacyPage) -> Row {
    let mut line = vec![text("How much it is: "), code(typed(word, "privacy")), text(". All of it: "), code(typed(word, "privacy export"))];
    line.extend([text(". Remove it: "), code(typed(word, "privacy delete")), text(".")]);
    Row { lines: vec![line, page_line(privacy)], buttons: Vec::new() }
}
