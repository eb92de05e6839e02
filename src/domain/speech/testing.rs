//! Messages as plain text, for tests.

use crate::domain::message::{Line, Message, Span};

pub(crate) fn plain_line(line: &Line) -> String {
    line.iter()
        .map(|span| match span {
            Span::Text(words) | Span::Strong(words) | Span::Code(words) | Span::Moment { words, .. } => words.clone(),
            Span::Person(person) => format!("@{}", person.user),
            Span::Channel(channel) => format!("#{channel}"),
            Span::Link { label, .. } => label.clone(),
        })
        .collect()
}

/// Headline and lines, one a line.
pub(crate) fn plain(message: &Message) -> String {
    let lines: Vec<String> = std::iter::once(&message.headline).chain(&message.lines).map(plain_line).collect();
    lines.join("\n")
}
