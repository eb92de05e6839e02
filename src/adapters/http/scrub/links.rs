//! Links that carry a user, a password or a key, and those that are keys.

use std::iter;
use std::ops::Range;

use super::visible::Lines;
use super::{part, run};

/// Words in the query of a link that make it a key to something.
const KEYS: [&str; 14] =
    ["token", "sig", "secret", "pass", "pwd", "key", "code", "credential", "auth", "x-amz", "x-goog", "session", "jwt", "awsaccesskeyid"];

/// Places whose addresses are keys: who has one may speak or read there.
const PLACES: [&str; 6] = [
    "hooks.slack.com/",
    "hooks.slack-gov.com/",
    "discord.com/api/webhooks/",
    "build-output.heroku.com/",
    "release-output.heroku.com/",
    "outlook.office.com/webhook/",
];

/// Over how many line ends a link goes on.
const GOES_ON: usize = 8;

/// Where the links of a text stand, without their schemes.
fn links(lines: &Lines) -> impl Iterator<Item = Range<usize>> {
    let text = lines.joined();
    let mut from = 0;
    iter::from_fn(move || {
        let start = from + part(text, from..text.len()).find("://")? + 3;
        from = end_of(lines, start, is_begun);
        Some(start..from)
    })
}

pub(super) fn find(lines: &Lines, spans: &mut Vec<Range<usize>>) {
    let text = lines.joined();
    for Range { start, end } in links(lines) {
        let body = part(text, start..end);
        spans.extend(user(body).map(|at| start..start + at));
        for sign in ['?', '#'] {
            spans.extend(body.split_once(sign).filter(|(_, query)| is_key(query)).map(|(before, _)| start + before.len() + 1..end));
        }
    }
    // Also without a scheme, as people write them.
    for place in PLACES {
        let mut from = 0;
        while let Some(at) = part(text, from..text.len()).find(place) {
            let start = from + at + place.len();
            let end = end_of(lines, start, |_| true);
            spans.push(start..end);
            from = end;
        }
    }
}

/// Words that name a key in the query of a link, where they stand alone or between marks.
const SURELY: [&str; 13] =
    ["token", "sig", "signature", "secret", "pass", "password", "passwd", "pwd", "apikey", "credential", "awsaccesskeyid", "jwt", "key"];
/// The shortest of them that opens something.
const SHORTEST: usize = 6;

/// Whether a link in a text surely opens something: with a user and a password, a key in its query, or by its place.
pub(super) fn opens(lines: &Lines) -> bool {
    let text = lines.joined();
    if !text.contains('/') {
        return false;
    }
    let opened = links(lines).any(|link| {
        let body = part(text, link);
        let password = user(body).is_some_and(|at| part(body, 0..at).split_once(':').is_some_and(|(_, password)| !password.is_empty()));
        password || ['?', '#'].iter().any(|sign| body.split_once(*sign).is_some_and(|(_, query)| holds_key(query)))
    });
    opened || PLACES.iter().any(|place| text.split(place).skip(1).any(|tail| run(tail, |c| !ends(c)) >= SHORTEST))
}

/// Whether a query surely holds a key.
fn holds_key(query: &str) -> bool {
    query.split(['&', ';', '#', '?']).filter_map(|pair| pair.split_once('=')).any(|(name, value)| {
        let name = name.to_ascii_lowercase();
        value.len() >= SHORTEST && name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| SURELY.contains(&word))
    })
}

/// Where a link ends: with its line at the latest, unless what has been read of it says that it goes on.
fn end_of(lines: &Lines, start: usize, goes_on: fn(&str) -> bool) -> usize {
    let text = lines.joined();
    let mut end = start;
    for _ in 0..GOES_ON {
        let line_end = lines.end_behind(end);
        end += run(part(text, end..line_end), |c| !ends(c));
        if end < line_end || !goes_on(part(text, start..end)) {
            break;
        }
    }
    end
}

/// What ends a link in running text.
fn ends(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '|')
}

/// Whether this is the beginning of a password or of a key.
fn is_begun(body: &str) -> bool {
    let authority = part(body, 0..body.find(['/', '?', '#']).unwrap_or(body.len()));
    let (_, behind) = authority.rsplit_once('@').unwrap_or(("", authority));
    let password = behind.split_once(':').is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit()));
    let key = ['?', '#'].iter().any(|sign| body.split_once(*sign).is_some_and(|(_, query)| is_key(query)));
    password || key
}

/// How much of a link stands before its host.
fn user(body: &str) -> Option<usize> {
    let authority = part(body, 0..body.find(['/', '?', '#']).unwrap_or(body.len()));
    authority.rfind('@').or_else(|| {
        // A password with a slash in it: what follows the colon is no port.
        let (_, port) = authority.split_once(':')?;
        if port.bytes().all(|byte| byte.is_ascii_digit()) { None } else { body.find('@') }
    })
}

/// Whether a query opens something.
fn is_key(query: &str) -> bool {
    query.split(['&', ';', '#', '?']).any(|pair| {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        KEYS.iter().any(|key| name.contains(key))
    })
}
