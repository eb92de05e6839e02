//! A message as lines of plain text.

use crate::domain::message::{Audience, Message, Span, Tone};

/// The first line: glyph, for whom, words.
pub(super) fn headline(message: &Message) -> String {
    let whom = match message.audience {
        Audience::Asker => "(only you) ",
        Audience::Channel => "",
    };
    format!("{} {whom}{}", glyph(message.tone), line(&message.headline))
}

/// The lines below, and the output.
pub(super) fn body(message: &Message) -> Vec<String> {
    let lines = message.lines.iter().map(|spans| line(spans));
    let output = message.output.iter().flat_map(|output| output.lines()).map(|line| format!("| {}", tidy(line)));
    lines.chain(output).collect()
}

fn glyph(tone: Tone) -> &'static str {
    match tone {
        Tone::Info => "[--]",
        Tone::Working => "[..]",
        Tone::Waiting => "[||]",
        Tone::Good => "[ok]",
        Tone::Bad => "[no]",
        Tone::Attention => "[!!]",
        Tone::Unknown => "[??]",
    }
}

pub(super) fn line(spans: &[Span]) -> String {
    spans.iter().map(span).collect()
}

fn span(span: &Span) -> String {
    match span {
        Span::Text(words) | Span::Strong(words) | Span::Code(words) | Span::Moment { words, .. } => tidy(words),
        Span::Person(person) => format!("@{}", person.user),
        Span::Channel(channel) => format!("#{channel}"),
        Span::Link { label, url } => format!("{} ({})", tidy(label), tidy(url)),
    }
}

/// Text from outside without what a terminal would obey, and on one line.
pub(super) fn tidy(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control() && !turns(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::{link, text};

    #[test]
    fn foreign_text_cannot_command_the_terminal() {
        let mut message = Message::new(Tone::Bad, Audience::Asker, vec![text("a\u{1b}[31mb\nc"), link("x", "https://a.example")]);
        message.output = Some("one\r\ntwo\u{7}".to_owned());
        assert_eq!(headline(&message), "[no] (only you) a[31mb cx (https://a.example)");
        assert_eq!(body(&message), ["| one", "| two"]);
    }
}
