//! Private keys in blocks.

use std::ops::Range;

use super::visible::Lines;
use super::{part, within};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const KEY: &str = "PRIVATE KEY";

/// How far from its dashes a block says what it is, in bytes.
const LABEL: usize = 50;

/// The blocks, as far as they are there: one without an end goes on to the end of the text, and before an end without a
/// beginning goes all that looks like a part of it.
pub(super) fn find(lines: &Lines, spans: &mut Vec<Range<usize>>) {
    let text = lines.joined();
    if !text.contains('-') {
        return;
    }
    let mut at = 0;
    let (mut begins, mut ends) = (marker(text, 0, BEGIN), marker(text, 0, END));
    loop {
        if begins.as_ref().is_some_and(|begin| begin.start < at) {
            begins = marker(text, at, BEGIN);
        }
        if ends.as_ref().is_some_and(|end| end.start < at) {
            ends = marker(text, at, END);
        }
        match (&begins, &ends) {
            (Some(begin), end) if end.as_ref().is_none_or(|end| begin.start < end.start) => {
                let until = end.as_ref().map_or(text.len(), |end| end.end);
                spans.push(begin.start..until);
                at = until;
            }
            (_, Some(end)) => {
                let before = part(text, at..end.start);
                let body = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='))).map_or(0, |at| at + 1);
                spans.push(at + body.min(before.len())..end.end);
                at = end.end;
            }
            (_, None) => return,
        }
    }
}

/// The next line of dashes that speaks of a private key.
fn marker(text: &str, from: usize, dashes: &str) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        let start = at + part(text, at..text.len()).find(dashes)?;
        let label = start + dashes.len();
        match within(part(text, label..text.len()), LABEL).find(KEY) {
            Some(key) => {
                let key = label + key + KEY.len();
                // `BLOCK` may follow before the dashes do.
                let closing = within(part(text, key..text.len()), 12).find("-----").map_or(0, |closing| closing + 5);
                return Some(start..key + closing);
            }
            None => at = label,
        }
    }
}
