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
    pub fn write(&mut self, slack: &SlackWorkspace, events: &[SeenMessage], you: &str, home: &str) -> Vec<String> {
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
    if seen.place.starts_with('@') {
        parts.push(format!("(to {})", seen.place));
    } else if seen.place != home {
        parts.push(format!("(in {})", seen.place));
    }
    parts.push(seen.headline.clone());
    parts.join(" ").trim_end().to_owned()
}
