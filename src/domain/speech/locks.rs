//! What we say of locks: who holds what, how to get past them, and to holders what becomes of theirs.

use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::command::{Because, Command, Hold};
use crate::domain::deployment::Deployment;
use crate::domain::lock::{End, Ended, Lock, Scope, Taken};
use crate::domain::message::{Act, Audience, ButtonStyle, Line, Message, Span, Tone, code, text};
use crate::domain::names::{OfferId, PipelineName, RefName};
use crate::domain::pipeline::{Pipeline, PipelineKey};
use crate::domain::source::Repository;

use super::lists::standing;
use super::words::{count, dated, duration, moment};

/// A lock with the name of its pipeline.
#[derive(Clone, Debug)]
pub struct LockRow {
    /// The pipeline.
    pub pipeline: PipelineName,
    /// The lock.
    pub lock: Lock,
}

fn answer(tone: Tone, headline: Line) -> Message {
    Message::new(tone, Audience::Asker, headline)
}

/// `production of hubot`, or `hubot` alone.
fn place(pipeline: &PipelineName, on: Scope) -> Line {
    match on {
        Scope::Pipeline => vec![code(pipeline)],
        Scope::Environment(environment) => vec![text(format!("{environment} of ")), code(pipeline)],
    }
}

/// `, for topic alone`, where it is for one branch.
fn branch_behind(branch: Option<&RefName>) -> Line {
    branch.map(|branch| [text(", for "), code(branch), text(" alone")]).into_iter().flatten().collect()
}

/// What a lock is on.
fn held(pipeline: &PipelineName, lock: &Lock) -> Line {
    [place(pipeline, lock.on), branch_behind(lock.branch.as_ref())].concat()
}

fn reason_behind(because: Option<&Because>) -> Line {
    because.map(|because| text(format!(": {because}"))).into_iter().collect()
}

/// The command that frees it, as it is typed.
fn unlock_words(pipeline: &PipelineName, on: Scope) -> String {
    let on = Hold { pipeline: PipelineKey::Name(pipeline.clone()), environment: on.environment() };
    Command::Unlock { on: Some(on), anyway: false, because: None }.to_string()
}

fn lock_words(pipeline: &PipelineName, on: Scope, more: &str) -> String {
    format!("lock {}{more}", Hold { pipeline: PipelineKey::Name(pipeline.clone()), environment: on.environment() })
}

/// A lock that stands in a deploy's way: the evidence, and the way out.
pub(super) fn in_the_way(
    pipeline: &PipelineName,
    (on, branch): (Scope, Option<&RefName>),
    by: &Person,
    because: Option<&Because>,
    (since, until): (Timestamp, Option<Timestamp>),
) -> (Line, Line) {
    let mut evidence = vec![Span::Person(by.clone()), text(" holds ")];
    evidence.extend([place(pipeline, on), branch_behind(branch)].concat());
    evidence.extend([text(" since "), dated(since)]);
    evidence.extend(until.into_iter().flat_map(|until| [text(", until "), dated(until)]));
    evidence.extend(reason_behind(because));
    let way_out = vec![
        text("Wait, ask them to free it, or take it over: "),
        code(lock_words(pipeline, on, " anyway because …")),
        text(". No "),
        code("!"),
        text(" passes a lock."),
    ];
    (evidence, way_out)
}

/// One line about a lock that holds.
pub(super) fn lock_line(row: &LockRow, now: Timestamp) -> Line {
    let lock = &row.lock;
    let mut line = vec![text("Locked: ")];
    line.extend(held(&row.pipeline, lock));
    line.extend([text(" by "), Span::Person(lock.holder.clone())]);
    line.push(text(format!(" for {}", duration(now.duration_since(lock.since).as_secs()))));
    line.extend(lock.until.into_iter().flat_map(|until| [text(", until "), moment(until, now)]));
    line.extend([text(", in "), Span::Channel(lock.taken_in.clone())]);
    line.extend(reason_behind(lock.because.as_ref()));
    line
}

/// For a plan: the asker holds the place.
pub(super) fn own_lock(pipeline: &PipelineName, lock: &Lock) -> Line {
    let mut line = vec![text("You hold ")];
    line.extend(held(pipeline, lock));
    line.extend(lock.until.into_iter().flat_map(|until| [text(" until "), dated(until)]));
    line.extend(reason_behind(lock.because.as_ref()));
    line
}

/// A lock was taken or changed. `going` is what goes on there.
pub fn locked(pipeline: &Pipeline, taken: &Taken, going: &[Deployment], now: Timestamp) -> Message {
    let (name, lock) = (&pipeline.name, &taken.lock);
    let mut headline = vec![Span::Person(lock.holder.clone()), text(if taken.had { " goes on holding " } else { " holds " })];
    headline.extend(held(name, lock));
    headline.extend(lock.until.into_iter().flat_map(|until| {
        let left = duration(until.duration_since(now).as_secs());
        [text(" until "), moment(until, now), text(format!(" ({left})"))]
    }));
    headline.extend(reason_behind(lock.because.as_ref()));
    let mut message = Message::new(Tone::Good, Audience::Channel, headline);
    for over in &taken.over {
        let mut line = vec![text("It was held by "), Span::Person(over.holder.clone())];
        line.push(text(format!(" for {}", duration(now.duration_since(over.since).as_secs()))));
        line.extend(reason_behind(over.because.as_ref()));
        line.push(text(". They are told."));
        message.lines.push(line);
    }
    for deployment in going {
        let mut line = vec![text("What has begun goes on: ")];
        line.extend(standing(deployment, None, now));
        message.lines.push(line);
    }
    let until = if lock.until.is_some() {
        "Nobody else deploys there until then. Free it: "
    } else {
        "Nobody else deploys there until it is freed: "
    };
    if lock.branch.is_some() {
        message.lines.push(vec![text("You are asked first before you ship anything else there.")]);
    }
    message.line(vec![text(until), code(unlock_words(name, lock.on))])
}

/// Others hold it. The buttons take it over.
pub fn held_by_others(pipeline: &Pipeline, asked: Scope, others: &[Lock], buttons: &[(String, OfferId)], now: Timestamp) -> Message {
    let mut headline = place(&pipeline.name, asked);
    headline.push(text(" is held by somebody else. Nothing was changed. (locked)"));
    let mut message = answer(Tone::Bad, headline);
    for lock in others {
        message.lines.push(lock_line(&LockRow { pipeline: pipeline.name.clone(), lock: lock.clone() }, now));
    }
    let whole = others.iter().any(|lock| lock.on == Scope::Pipeline && asked != Scope::Pipeline);
    message.lines.push(match whole {
        true => vec![text("That lock is on the whole pipeline, and can only be taken over whole. Its holder is told.")],
        false => vec![text("Ask first. Whoever is taken over is told.")],
    });
    if buttons.is_empty() {
        let on = if whole { Scope::Pipeline } else { asked };
        message.lines.push(vec![text("Take it over, and say why: "), code(lock_words(&pipeline.name, on, " anyway because …"))]);
    }
    with_buttons(message, buttons)
}

fn with_buttons(mut message: Message, buttons: &[(String, OfferId)]) -> Message {
    for (label, id) in buttons {
        message = message.button(label, Act::Take(*id), ButtonStyle::Danger);
    }
    message
}

/// The words on the button that takes a lock over.
pub fn take_over() -> String {
    "Take it over".to_owned()
}

/// The words on the button that frees a lock which is wider or narrower than what was asked for.
pub fn free_it(on: Scope) -> String {
    match on {
        Scope::Pipeline => "Free the whole pipeline".to_owned(),
        Scope::Environment(environment) => format!("Free {environment}"),
    }
}

/// What a lock was to be for is a tag or a commit.
pub fn not_a_branch(repository: &Repository, named: &RefName) -> Message {
    let headline = vec![code(named), text(" is no branch of "), code(&repository.name), text(". Nothing was locked. (not-a-branch)")];
    answer(Tone::Bad, headline).line(vec![text("A lock is for a branch, or for whatever you ship: leave it out.")])
}

/// The moment that was named is over, or too far away.
pub fn no_such_end() -> Message {
    answer(Tone::Bad, vec![text("A lock ends in the future, and within 90 days. Nothing was locked. (no-such-end)")])
}

/// The lock that this request took has ended before anybody could be told of it.
pub fn lock_over_already() -> Message {
    answer(Tone::Attention, vec![text("Your lock was taken, and has ended since. (over-already)")])
}

/// Locks were freed.
pub fn unlocked(by: &Person, freed: &[LockRow], left: &[LockRow], now: Timestamp) -> Message {
    let mut headline = vec![Span::Person(by.clone()), text(" freed ")];
    for (at, row) in freed.iter().enumerate() {
        headline.extend((at > 0).then(|| text(", ")));
        headline.extend(held(&row.pipeline, &row.lock));
    }
    let mut message = Message::new(Tone::Good, Audience::Channel, headline);
    for row in freed.iter().filter(|row| row.lock.holder != *by) {
        let mut line = vec![text("It was held by "), Span::Person(row.lock.holder.clone())];
        line.push(text(format!(" for {}", duration(now.duration_since(row.lock.since).as_secs()))));
        line.extend(reason_behind(row.lock.because.as_ref()));
        line.push(text(". They are told."));
        message.lines.push(line);
    }
    message.lines.extend(left.iter().map(|row| lock_line(row, now)));
    message
}

/// There is nothing to free.
pub fn nothing_locked(pipeline: &Pipeline, on: Scope) -> Message {
    let mut headline = vec![text("Nobody holds ")];
    headline.extend(place(&pipeline.name, on));
    headline.push(text("."));
    answer(Tone::Info, headline)
}

/// The asker holds nothing.
pub fn you_hold_nothing() -> Message {
    answer(Tone::Info, vec![text("You hold nothing.")])
}

/// What is locked there is somebody else's, or more than what was named.
pub fn not_yours_to_free(
    pipeline: &Pipeline,
    asked: Scope,
    by: &Person,
    there: &[Lock],
    buttons: &[(String, OfferId)],
    now: Timestamp,
) -> Message {
    let mut headline = vec![text("You do not hold ")];
    headline.extend(place(&pipeline.name, asked));
    headline.push(text(if there.iter().any(|lock| lock.holder == *by) {
        " by itself. Nothing was freed. (not-yours)"
    } else {
        ". Nothing was freed. (not-yours)"
    }));
    let mut message = answer(Tone::Bad, headline);
    for lock in there {
        message.lines.push(lock_line(&LockRow { pipeline: pipeline.name.clone(), lock: lock.clone() }, now));
        if lock.holder != *by {
            let words = format!("{} anyway because …", unlock_words(&pipeline.name, lock.on));
            message.lines.push(vec![text("Free it all the same, and say why: "), code(words)]);
        }
    }
    with_buttons(message, buttons)
}

/// All locks of the pipelines that somebody can see.
pub fn locks(rows: &[LockRow], reader: &Person, now: Timestamp) -> Message {
    if rows.is_empty() {
        return answer(Tone::Info, vec![text("Nobody holds anything in the pipelines that you can see.")]);
    }
    let many = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let mut message = answer(Tone::Info, vec![text(format!("{}:", count(many, "lock")))]);
    message.lines.extend(rows.iter().map(|row| lock_line(row, now)));
    if rows.iter().any(|row| row.lock.holder == *reader) {
        message.lines.push(vec![text("Free all of yours: "), code("unlock all")]);
    }
    message
}

/// To a holder: their lock ends soon, or goes on and on.
pub fn lock_reminder(row: &LockRow, buttons: &[(String, OfferId)], now: Timestamp) -> Message {
    let lock = &row.lock;
    let mut headline = vec![text("You hold ")];
    headline.extend(held(&row.pipeline, lock));
    headline.push(text(match lock.until {
        Some(until) => format!(" for {} more", duration(until.duration_since(now).as_secs())),
        None => format!(" for {} now, without an end", duration(now.duration_since(lock.since).as_secs())),
    }));
    headline.extend(reason_behind(lock.because.as_ref()));
    let mut message = Message::new(Tone::Attention, Audience::Asker, headline);
    message.lines.push(match lock.until {
        Some(until) => {
            vec![text("It ends by itself at "), moment(until, now), text(". Longer: "), code(lock_words(&row.pipeline, lock.on, " for 2h"))]
        }
        None => vec![text("Others cannot deploy there. Free it: "), code(unlock_words(&row.pipeline, lock.on))],
    });
    for (label, id) in buttons {
        message = message.button(label, Act::Take(*id), ButtonStyle::Plain);
    }
    message
}

/// The words on the buttons of a reminder.
pub fn hold_longer() -> String {
    "Hold for another hour".to_owned()
}

/// The words on the button that frees a lock.
pub fn free_now() -> String {
    "Free it".to_owned()
}

/// The words on the button that frees all of somebody's locks.
pub fn free_all() -> String {
    "Free all that I hold".to_owned()
}

/// To a holder: their lock has ended, and not by them.
pub fn lock_ended(pipeline: &PipelineName, ended: &Ended, now: Timestamp) -> Message {
    let lock = &ended.lock;
    let mut headline = Line::new();
    match &ended.how {
        End::RanOut | End::Freed => headline.push(text("Your lock on ")),
        End::TakenOver { by, .. } => headline.extend([Span::Person(by.clone()), text(" took over your lock on ")]),
        End::FreedBy { by, .. } => headline.extend([Span::Person(by.clone()), text(" freed your lock on ")]),
    }
    headline.extend(place(pipeline, lock.on));
    match &ended.how {
        End::RanOut => headline.push(text(" has run out")),
        End::Freed => headline.push(text(" is freed")),
        End::TakenOver { because, .. } | End::FreedBy { because, .. } => headline.extend(reason_behind(because.as_ref())),
    }
    let mut line = vec![text("It began "), moment(lock.since, now), text(" and ended "), moment(ended.at, now)];
    line.extend(reason_behind(lock.because.as_ref()));
    let message = Message::new(Tone::Attention, Audience::Asker, headline).line(line);
    match ended.how {
        End::RanOut => message.line(vec![text("Still needed? "), code(lock_words(pipeline, lock.on, " for 2h"))]),
        End::Freed | End::TakenOver { .. } | End::FreedBy { .. } => message,
    }
}
