//! What is said below a card, to whoever follows it there.

use crate::domain::deployment::{Mark, Phase, Stage};
use crate::domain::message::{Audience, Line, Message, Tone, text};

use super::card::{CardView, dynos_down, headline, how_it_stands, last_seen, stop_asked, tone};
use super::stages;
use super::words::{duration, moment};

/// What has come to pass, a sentence for each; or how it ended.
pub fn below(view: &CardView<'_>, chapter: &[Mark]) -> Message {
    let deployment = view.deployment;
    if chapter.contains(&Mark::End) {
        let mut message = Message::new(tone(deployment), Audience::Channel, headline(view));
        message.lines.extend(how_it_stands(view));
        message.lines.extend(stages::in_all(deployment, view.now));
        return message;
    }
    let mut line = Line::new();
    for mark in chapter {
        let between = (!line.is_empty()).then(|| text(" "));
        line.extend(between.into_iter().chain(sentence_of(view, *mark)));
    }
    let tone = if chapter.contains(&Mark::Unknown) {
        Tone::Unknown
    } else if chapter.contains(&Mark::DynosDown) || chapter.contains(&Mark::StopTooLate) {
        Tone::Attention
    } else {
        Tone::Working
    };
    Message::new(tone, Audience::Channel, line)
}

/// In the place of a card, where another one may have come that nobody can change.
pub fn card_further_down() -> Message {
    let words = "The card of this deploy stands further down. It was shown anew, because another one here may have been left behind.";
    Message::new(Tone::Info, Audience::Channel, vec![text(words)])
}

fn sentence_of(view: &CardView<'_>, mark: Mark) -> Line {
    let deployment = view.deployment;
    let at = |time| moment(time, view.now);
    match mark {
        Mark::Begun => vec![text(format!("Begun after a wait of {}.", duration(deployment.took(Stage::Line).as_secs())))],
        Mark::Built => vec![text(stages::done(deployment, Stage::Build))],
        Mark::Released => vec![text(stages::done(deployment, Stage::Release))],
        Mark::DynosDown => {
            if let Phase::Restarting { crashed_since: Some(since), .. } = deployment.phase {
                dynos_down(since, view.now)
            } else {
                Line::new()
            }
        }
        Mark::StopTooLate => stop_asked(deployment).unwrap_or_default(),
        Mark::Unknown => {
            let mut line = vec![text("How it stands is unknown since "), at(deployment.since), text(". ")];
            if let Phase::Unknown(watched) = &deployment.phase {
                line.extend(last_seen(deployment, watched));
            }
            line
        }
        Mark::End => headline(view),
    }
}
