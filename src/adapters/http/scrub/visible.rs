//! What of a text can be seen, and its lines as one text, because what is too long for a line goes on in the next.

use std::ops::Range;
use std::str::Chars;

use super::{HIDDEN, part, tokens};

/// Drops terminal sequences, control characters, and characters that turn or hide text. Line ends and carriage returns stay.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => sequence(&mut chars),
            '\u{9b}' => control(&mut chars),
            // Both ends of a line are one.
            '\r' if chars.as_str().starts_with('\n') => {}
            '\n' | '\r' => out.push(c),
            '\t' => out.push(' '),
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Takes the rest of a sequence that begins with an escape.
fn sequence(chars: &mut Chars<'_>) {
    if tokens::begins(chars.as_str()) {
        return;
    }
    match chars.next() {
        Some('[') => control(chars),
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                let closed = c == '\u{1b}' && chars.as_str().starts_with('\\');
                if closed {
                    chars.next();
                }
                if closed || c == '\u{7}' {
                    break;
                }
            }
        }
        Some('(' | ')' | '*' | '+' | '#' | '%') if !tokens::begins(chars.as_str()) => drop(chars.next()),
        Some(_) | None => {}
    }
}

/// Takes the rest of a control sequence: parameters, and the letter that says what they are for. A sequence that is not one
/// must not take the first letter of a token, by which it is known.
fn control(chars: &mut Chars<'_>) {
    while !tokens::begins(chars.as_str()) && chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {}
}

/// A text with its line ends taken out and remembered.
pub(super) struct Lines {
    joined: String,
    /// Where in the joined text a line ended, and how.
    ends: Vec<(usize, char)>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let (mut joined, mut ends) = (String::with_capacity(text.len()), Vec::new());
        for c in text.chars() {
            if matches!(c, '\n' | '\r') {
                ends.push((joined.len(), c));
            } else {
                joined.push(c);
            }
        }
        Self { joined, ends }
    }

    pub(super) fn joined(&self) -> &str {
        &self.joined
    }

    /// Where each line lies.
    pub(super) fn each(&self) -> impl Iterator<Item = Range<usize>> {
        let mut start = 0;
        let ends = self.ends.iter().map(|(at, _)| *at).chain(std::iter::once(self.joined.len()));
        ends.map(move |end| std::mem::replace(&mut start, end)..end)
    }

    /// Where the line that goes on at a place ends.
    pub(super) fn end_behind(&self, at: usize) -> usize {
        let next = self.ends.partition_point(|(end, _)| *end <= at);
        self.ends.get(next).map_or(self.joined.len(), |(end, _)| *end)
    }

    /// The text again, with a mark in place of each span. The spans are in order and apart; line ends within them go.
    pub(super) fn without(&self, spans: Vec<Range<usize>>) -> String {
        let mut out = String::with_capacity(self.joined.len());
        let mut ends = self.ends.iter().peekable();
        let (mut at, end) = (0, self.joined.len());
        for span in spans.into_iter().chain(std::iter::once(end..end)) {
            while let Some((end, c)) = ends.next_if(|(end, _)| *end <= span.start) {
                if *end >= at {
                    out.push_str(part(&self.joined, at..*end));
                    out.push(*c);
                    at = *end;
                }
            }
            out.push_str(part(&self.joined, at..span.start));
            out.push_str(if span.is_empty() { "" } else { HIDDEN });
            at = span.end;
        }
        out
    }
}
