//! What happened in the chat, written down as people would tell it: compact, and the same in every run.

use std::collections::HashMap;

use crate::sandbox::slack::{How, Rendered, SeenMessage, SlackWorkspace, Via};

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
    /// the order in which people come to see it. First the messages that stand in a channel, older ones first, then what only
    /// one person sees, then direct messages.
    pub fn write(&mut self, slack: &SlackWorkspace, mut instants: Vec<Vec<SeenMessage>>, you: &str, home: &str) -> Vec<String> {
        for instant in &mut instants {
            self.put_in_order(slack, instant);
        }
        let events = instants.concat();
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
    fn put_in_order(&self, slack: &SlackWorkspace, instant: &mut [SeenMessage]) {
        let mut ranks: HashMap<Key, (u8, Key, String)> = HashMap::new();
        for event in instant.iter() {
            let key = (event.channel.clone(), event.ts.clone());
            if ranks.contains_key(&key) {
                continue;
            }
            let seen = slack.render(event);
            let rank = if seen.place.starts_with('@') { 2 } else { u8::from(seen.only.is_some()) };
            // The name of a new message depends on who was faster.
            let order = if self.known.contains_key(&key) {
                (rank, (key.1.clone(), key.0.clone()), String::new())
            } else {
                (rank, new_ones_last(), seen.headline)
            };
            ranks.insert(key, order);
        }
        instant.sort_by_key(|event| ranks.get(&(event.channel.clone(), event.ts.clone())).cloned());
    }
}

type Key = (String, String);

fn new_ones_last() -> Key {
    ("~".to_owned(), String::new())
}

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
    if seen.place.starts_with('@') {
        parts.push(format!("(to {})", seen.place));
    } else if seen.place != home {
        parts.push(format!("(in {})", seen.place));
    }
    parts.push(seen.headline.clone());
    parts.join(" ").trim_end().to_owned()
}
