//! What happened in the chat, written down as people would tell it: compact, and the same in every run.

use std::collections::HashMap;

use crate::sandbox::slack::{How, Rendered, SeenMessage, SlackWorkspace, Via};

/// What happened to messages in one instant.
#[derive(Debug)]
pub struct Instant {
    /// Whether a person had just typed or pressed something, so that there may be an answer.
    pub answers: bool,
    /// What happened.
    pub events: Vec<SeenMessage>,
}

/// Writes down what happens to messages, step by step.
#[derive(Debug, Default)]
pub struct Transcript {
    /// What each message looked like when it was last written down.
    known: HashMap<(String, String), Rendered>,
}

impl Transcript {
    /// Writes down what happened in one step. Each message gives its headline once for each change of it, and under the last
    /// one its lines and buttons as they are in the end. `you` did it, `home` (as `#general`) is where.
    ///
    /// What happens in one instant has no order of its own where several parts of the service act at a time: it is written in
    /// the order in which people come to see it: the answer to what was done, which is a new message in the channel or one that
    /// only one person sees; the messages that stand in the channel, older ones first; what is said below them; what only one person sees; direct
    /// messages.
    pub fn write(&mut self, slack: &SlackWorkspace, mut instants: Vec<Instant>, you: &str, home: &str) -> Vec<String> {
        for instant in &mut instants {
            self.put_in_order(slack, &mut instant.events, instant.answers);
        }
        let events: Vec<SeenMessage> = instants.into_iter().flat_map(|instant| instant.events).collect();
        let mut rows: Vec<(Key, Rendered, bool)> = Vec::new();
        let mut ends: HashMap<Key, Rendered> = HashMap::new();
        // A person's own words stand in the script already.
        for event in events.iter().filter(|event| event.via != Via::Echo) {
            let key = (event.channel.clone(), event.ts.clone());
            let seen = slack.render(event);
            let deleted = event.how == How::Deleted;
            let before = ends.get(&key).or_else(|| self.known.get(&key)).filter(|_| !deleted);
            let new_headline = before.is_none_or(|before| before.headline != seen.headline || before.glyph != seen.glyph);
            let new_inside = before.is_some_and(|before| *before != seen) && !rows.iter().any(|(other, ..)| *other == key);
            if new_headline || new_inside {
                rows.push((key.clone(), seen.clone(), deleted));
            }
            ends.insert(key, seen);
        }
        let mut lines = Vec::new();
        for (place, (key, seen, deleted)) in rows.iter().enumerate() {
            lines.push(headline(seen, *deleted, you, home));
            let is_last = !rows.iter().skip(place + 1).any(|(other, ..)| other == key);
            if let (true, false, Some(end)) = (is_last, *deleted, ends.get(key)) {
                lines.extend(end.lines.iter().map(|line| format!("  {line}")));
                lines.extend(end.button_line().map(|line| format!("  {line}")));
            }
        }
        self.known.extend(ends);
        lines
    }
}

impl Transcript {
    fn put_in_order(&self, slack: &SlackWorkspace, instant: &mut [SeenMessage], answers: bool) {
        let in_channel = |seen: &Rendered| seen.only.is_none() && !seen.place.starts_with('@');
        let mut first: HashMap<Key, Rendered> = HashMap::new();
        for event in instant.iter() {
            first.entry((event.channel.clone(), event.ts.clone())).or_insert_with(|| slack.render(event));
        }
        let is_new = |key: &Key| !self.known.contains_key(key);
        let card_answers = first.iter().any(|(key, seen)| is_new(key) && in_channel(seen) && seen.below.is_none());
        let rank = |key: &Key, seen: &Rendered| {
            let rank = match (seen.place.starts_with('@'), in_channel(seen)) {
                (true, _) => 5,
                // What is said below a card comes after what the card says.
                (false, true) if seen.below.is_some() => 3,
                (false, true) if is_new(key) => 0,
                (false, true) => 2,
                (false, false) if answers && !card_answers => 1,
                (false, false) => 4,
            };
            // The name of a new message tells who was faster, and nothing else.
            if is_new(key) { (rank, String::new(), seen.headline.clone()) } else { (rank, key.1.clone(), String::new()) }
        };
        let ranks: HashMap<&Key, (u8, String, String)> = first.iter().map(|(key, seen)| (key, rank(key, seen))).collect();
        instant.sort_by_key(|event| ranks.get(&(event.channel.clone(), event.ts.clone())).cloned());
    }
}

type Key = (String, String);

/// The first line of a message, with the marks that tell who sees it and where.
pub fn headline(seen: &Rendered, deleted: bool, you: &str, home: &str) -> String {
    let mut parts = Vec::new();
    if !seen.glyph.is_empty() {
        parts.push(seen.glyph.clone());
    }
    if deleted {
        parts.push("(deleted)".to_owned());
    }
    match seen.only.as_deref() {
        Some(only) if only == you => parts.push("(only you)".to_owned()),
        Some(only) => parts.push(format!("(only @{only})")),
        None => {}
    }
    match seen.below.as_ref().map(|below| below.for_all) {
        Some(true) => parts.push("(below, and to all)".to_owned()),
        Some(false) => parts.push("(below)".to_owned()),
        None => {}
    }
    if seen.place.starts_with('@') {
        parts.push(format!("(to {})", seen.place));
    } else if seen.place != home {
        parts.push(format!("(in {})", seen.place));
    }
    parts.push(seen.headline.clone());
    parts.join(" ").trim_end().to_owned()
}
