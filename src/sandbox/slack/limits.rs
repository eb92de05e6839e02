//! How fast calls may come: so many a minute of each method, and about one message a second in each conversation.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Messages that one conversation takes at once; then it takes one a second.
const AT_ONCE: i64 = 5;

/// The calls of the last minute, and how full each conversation is.
#[derive(Debug, Default)]
pub(super) struct Limits {
    calls: HashMap<String, VecDeque<Timestamp>>,
    /// Thousandths of messages, and when that was.
    full: HashMap<String, (i64, Timestamp)>,
}

/// Calls of a method in a minute.
fn a_minute(method: &str) -> usize {
    match method {
        "chat.update" | "chat.delete" | "conversations.open" | "conversations.info" | "conversations.history" | "conversations.replies" => {
            50
        }
        "chat.postMessage" => 300,
        _ => 100,
    }
}

impl Limits {
    /// Takes a call, or says how many seconds it has to wait.
    pub(super) fn take(&mut self, method: &str, conversation: Option<&str>, now: Timestamp) -> Result<(), u32> {
        let calls = self.calls.entry(method.to_owned()).or_default();
        calls.retain(|at| now.duration_since(*at) < MINUTE);
        if calls.len() >= a_minute(method) {
            let oldest = calls.front().map_or(0, |at| now.duration_since(*at).as_secs());
            return Err(u32::try_from(MINUTE.as_secs().saturating_sub(oldest)).unwrap_or(1).max(1));
        }
        if let Some(conversation) = conversation.filter(|_| method == "chat.postMessage") {
            let (full, at) = self.full.get(conversation).copied().unwrap_or((0, now));
            let drained = i64::try_from(now.duration_since(at).as_millis()).unwrap_or(i64::MAX);
            let full = full.saturating_sub(drained).max(0);
            if full.saturating_add(1000) > AT_ONCE * 1000 {
                return Err(1);
            }
            self.full.insert(conversation.to_owned(), (full.saturating_add(1000), now));
        }
        calls.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_method_takes_so_many_a_minute_and_a_conversation_one_a_second() {
        let mut limits = Limits::default();
        assert_eq!((0..60).filter(|_| limits.take("chat.update", Some("C1"), at(0)).is_ok()).count(), 50);
        assert_eq!(limits.take("chat.update", Some("C1"), at(20)), Err(40));
        assert_eq!(limits.take("chat.update", Some("C1"), at(60)), Ok(()));
        let mut posted =
            |conversation, second| (0..9).filter(|_| limits.take("chat.postMessage", Some(conversation), at(second)).is_ok()).count();
        assert_eq!((posted("C1", 0), posted("C2", 0), posted("C1", 1), posted("C1", 3)), (5, 5, 1, 2));
    }
}
