//! Tokens that are known by their own shape, wherever they stand.

use std::ops::Range;

use crate::domain::fault::Service;
use crate::domain::secret::SecretKind;

use super::visible::Lines;
use super::{part, run};

/// What may follow a beginning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Letters, digits, and what stands between parts.
    Words,
    /// Capital letters and digits.
    Capitals,
}

/// How the tokens of a service begin.
struct Shape {
    begins: &'static str,
    /// The shortest tail that makes one.
    shortest: usize,
    /// A tail of this length is whole: it does not go on in the next line.
    whole: usize,
    of: Of,
    /// It is none within a word.
    alone: bool,
}

const fn shape(begins: &'static str, shortest: usize, whole: usize) -> Shape {
    Shape { begins, shortest, whole, of: Of::Words, alone: false }
}

const fn alone(begins: &'static str, shortest: usize, whole: usize) -> Shape {
    Shape { alone: true, ..shape(begins, shortest, whole) }
}

const fn capitals(begins: &'static str) -> Shape {
    Shape { of: Of::Capitals, ..shape(begins, 16, 16) }
}

const SHAPES: [Shape; 34] = [
    // GitHub: personal, sign-in, user, installation, refresh.
    shape("github_pat_", 6, 82),
    shape("ghp_", 6, 36),
    shape("gho_", 6, 36),
    shape("ghu_", 6, 36),
    shape("ghs_", 6, 36),
    shape("ghr_", 6, 76),
    // Heroku: keys, and the tokens of sign-ins, which are longer.
    shape("HRKU-", 6, 60),
    // Slack: of bots, people, legacy workspaces, refresh and rotation, sessions, app level, workflows.
    shape("xoxa-", 6, 60),
    shape("xoxb-", 6, 60),
    shape("xoxp-", 6, 70),
    shape("xoxe-", 6, 150),
    shape("xoxe.", 6, 150),
    shape("xoxr-", 6, 60),
    shape("xoxs-", 6, 60),
    shape("xoxc-", 6, 60),
    shape("xoxd-", 6, 150),
    shape("xapp-", 6, 90),
    shape("xwfp-", 6, 60),
    // AWS: long-lived and temporary key ids.
    capitals("AKIA"),
    capitals("ASIA"),
    // What builds of others print.
    alone("eyJ", 17, 60),
    alone("glpat-", 10, 20),
    alone("npm_", 16, 36),
    alone("pypi-", 40, 150),
    alone("rubygems_", 20, 48),
    alone("sk_live_", 10, 24),
    alone("sk_test_", 10, 24),
    alone("rk_live_", 10, 24),
    alone("whsec_", 16, 32),
    alone("SG.", 20, 66),
    alone("AIza", 30, 35),
    alone("dckr_pat_", 20, 27),
    alone("NRAK-", 20, 27),
    alone("shpat_", 20, 32),
];

/// What a token that is longer than usual goes on with.
const RANDOM: usize = 16;

/// Whether a text begins as a token does.
pub(super) fn begins(text: &str) -> bool {
    SHAPES.iter().any(|shape| text.starts_with(shape.begins))
}

pub(super) fn find(lines: &Lines, spans: &mut Vec<Range<usize>>) {
    let text = lines.joined();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let found = SHAPES.iter().filter(|shape| shape.begins.as_bytes().first() == Some(byte));
        let found = found.filter_map(|shape| tail(lines, at, shape).filter(|_| !shape.alone || !in_word(lines, at)));
        match found.max() {
            Some(end) => {
                spans.push(at..end);
                at = end;
            }
            None => at += 1,
        }
    }
}

/// Which kind of token surely stands in a text: by itself, or with a tail that is no word.
pub(super) fn surely(lines: &Lines) -> Option<SecretKind> {
    let mut spans = Vec::new();
    find(lines, &mut spans);
    spans.into_iter().find_map(|span| {
        let text = part(lines.joined(), span.clone());
        let shape = SHAPES.iter().filter(|shape| text.starts_with(shape.begins)).max_by_key(|shape| shape.begins.len())?;
        let tail = part(text, shape.begins.len()..text.len());
        (!in_word(lines, span.start) || is_random(tail)).then(|| kind(shape.begins))
    })
}

/// Whose tokens begin so.
fn kind(begins: &str) -> SecretKind {
    match begins {
        "github_pat_" | "ghp_" | "gho_" | "ghu_" | "ghs_" | "ghr_" => SecretKind::Of(Service::SourceControl),
        "HRKU-" => SecretKind::Of(Service::Platform),
        "AKIA" | "ASIA" => SecretKind::Cloud,
        of_chat if of_chat.starts_with("xox") || matches!(of_chat, "xapp-" | "xwfp-") => SecretKind::Of(Service::Chat),
        _ => SecretKind::Other,
    }
}

fn in_word(lines: &Lines, at: usize) -> bool {
    // What begins a line is no part of the word that ends the line before.
    let begins_line = at.checked_sub(1).is_some_and(|before| lines.end_behind(before) == at);
    !begins_line && part(lines.joined(), 0..at).chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// Where a token of this shape ends, if one begins here.
fn tail(lines: &Lines, at: usize, shape: &Shape) -> Option<usize> {
    let text = lines.joined();
    let start = at + shape.begins.len();
    if part(text, at..start) != shape.begins {
        return None;
    }
    let such = |at: usize, until: usize| at + run(part(text, at..until), |c| belongs(c, shape.of));
    let mut end = start;
    loop {
        let line_end = lines.end_behind(end);
        end = such(end, line_end);
        // It ends within its line, or goes on in the next one.
        let next_end = lines.end_behind(line_end);
        let more = part(text, line_end..such(line_end, next_end));
        if end < line_end || more.is_empty() || (end - start >= shape.whole && !is_random(more)) {
            break;
        }
    }
    (end - start >= shape.shortest).then_some(end)
}

fn belongs(c: char, of: Of) -> bool {
    match of {
        Of::Words => c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'),
        Of::Capitals => c.is_ascii_uppercase() || c.is_ascii_digit(),
    }
}

/// Long, and of letters and digits both: no word.
pub(super) fn is_random(word: &str) -> bool {
    word.len() >= RANDOM && word.bytes().any(|byte| byte.is_ascii_digit()) && word.bytes().any(|byte| byte.is_ascii_alphabetic())
}
