//! Lanes for what goes out: how fast Slack takes messages in one conversation and changes of messages, kept on our side, so that what
//! matters gets through and nothing is sent only to be turned away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::domain::actor::Person;
use crate::domain::allowance::{Bucket, Window};
use crate::domain::names::WorkspaceId;
use crate::ports::{Forgets, Urgency};

/// About one message a second in one conversation, and a few at once.
const BURST: u32 = 4;
const BETWEEN: SignedDuration = SignedDuration::from_secs(1);
/// Some hundreds of messages a minute in a whole workspace.
const POSTS: usize = 240;
/// Changes a minute; Slack takes fifty. What only shows progress gets half of them.
const CHANGES: usize = 48;
const CHANGES_OF_PROGRESS: usize = CHANGES / 2;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// From this many conversations on, those that are not in use are forgotten.
const MANY: usize = 1000;

/// The lanes of all workspaces: what Slack takes, it takes of each.
#[derive(Debug, Default)]
pub(super) struct AllLanes(Mutex<HashMap<WorkspaceId, Arc<Lanes>>>);

impl AllLanes {
    /// Those of one workspace.
    pub(super) fn of(&self, workspace: &WorkspaceId) -> Arc<Lanes> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(workspace) {
            Some(lanes) => Arc::clone(lanes),
            None => Arc::clone(all.entry(workspace.clone()).or_insert_with(|| Arc::new(Lanes::new()))),
        }
    }
}

impl Forgets for AllLanes {
    fn forget_person(&self, person: &Person) {
        self.of(&person.workspace).keep(person, None);
    }

    fn forget_workspace(&self, workspace: &WorkspaceId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(workspace);
    }
}

/// The lanes of one bot.
#[derive(Debug)]
pub(super) struct Lanes(Mutex<State>);

#[derive(Debug)]
struct State {
    posts: Window,
    changes: Window,
    conversations: HashMap<String, Bucket>,
    /// Methods that Slack closed for a while.
    shut: HashMap<&'static str, Timestamp>,
    /// Conversations with one person that have been opened.
    opened: HashMap<Person, String>,
}

impl Lanes {
    /// Lanes in which nothing has gone yet.
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            posts: Window::new(MINUTE),
            changes: Window::new(MINUTE),
            conversations: HashMap::new(),
            shut: HashMap::new(),
            opened: HashMap::new(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the room for a change of a message, or says when there will be some.
    pub(super) fn change(&self, method: &'static str, urgency: Urgency, now: Timestamp) -> Result<(), Timestamp> {
        let mut state = self.state();
        let most = match urgency {
            Urgency::Progress => CHANGES_OF_PROGRESS,
            Urgency::Now => CHANGES,
        };
        let room = state.shut_until(method, now).max(state.changes.room_at(most, now));
        match room {
            Some(room) => Err(state.changes.send_away(room, most)),
            None => {
                state.changes.take(now);
                Ok(())
            }
        }
    }

    /// Takes the room for a message in a conversation, or says when there will be some.
    pub(super) fn post(&self, method: &'static str, conversation: &str, now: Timestamp) -> Result<(), Timestamp> {
        let mut state = self.state();
        let others = state.shut_until(method, now).max(state.posts.room_at(POSTS, now));
        let lane = state.lane(conversation, now);
        match others.max(lane.room_at(now)) {
            Some(room) => Err(lane.send_away(room)),
            None => {
                lane.take(now);
                state.posts.take(now);
                Ok(())
            }
        }
    }

    /// Takes the room for an answer to somebody who waits for it: it goes first, and others wait a little longer.
    pub(super) fn answer(&self, conversation: &str, now: Timestamp) {
        let mut state = self.state();
        state.lane(conversation, now).take(now);
        state.posts.take(now);
    }

    /// Slack takes no more calls of a method until a moment.
    pub(super) fn shut(&self, method: &'static str, until: Timestamp) {
        self.state().shut.insert(method, until);
    }

    /// The conversation with a person, if it was opened before.
    pub(super) fn opened(&self, person: &Person) -> Option<String> {
        self.state().opened.get(person).cloned()
    }

    /// Keeps the conversation with a person in mind, or forgets it.
    pub(super) fn keep(&self, person: &Person, conversation: Option<&str>) {
        let mut state = self.state();
        match conversation {
            Some(conversation) => state.opened.insert(person.clone(), conversation.to_owned()),
            None => state.opened.remove(person),
        };
    }
}

impl State {
    fn shut_until(&self, method: &'static str, now: Timestamp) -> Option<Timestamp> {
        self.shut.get(method).copied().filter(|until| now < *until)
    }

    fn lane(&mut self, conversation: &str, now: Timestamp) -> &mut Bucket {
        if self.conversations.len() >= MANY {
            self.conversations.retain(|_, lane| !lane.is_full(now));
        }
        self.conversations.entry(conversation.to_owned()).or_insert_with(|| Bucket::new(BURST, BETWEEN))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::person;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + second).unwrap()
    }

    const POST: &str = "chat.postMessage";
    const UPDATE: &str = "chat.update";

    #[test]
    fn progress_leaves_room_for_ends() {
        let lanes = Lanes::new();
        let taken = |urgency| (0..100).filter(|_| lanes.change(UPDATE, urgency, at(0)).is_ok()).count();
        assert_eq!((taken(Urgency::Progress), taken(Urgency::Now), taken(Urgency::Now)), (24, 24, 0));
        assert!(lanes.change(UPDATE, Urgency::Now, at(59)).is_err());
        assert_eq!(lanes.change(UPDATE, Urgency::Now, at(60)), Ok(()));
    }

    #[test]
    fn each_conversation_has_a_lane_and_answers_go_first() {
        let lanes = Lanes::new();
        let taken = |conversation: &str, second| (0..10).filter(|_| lanes.post(POST, conversation, at(second)).is_ok()).count();
        assert_eq!((taken("C1", 0), taken("C2", 0), taken("C1", 1)), (4, 4, 1));
        lanes.answer("C1", at(2));
        assert_eq!((taken("C1", 2), taken("C2", 2)), (0, 2));
    }

    #[test]
    fn who_is_turned_away_comes_back_one_after_the_other() {
        let lanes = Lanes::new();
        let turned_away: Vec<Timestamp> = (0..8).filter_map(|_| lanes.post(POST, "C1", at(0)).err()).collect();
        assert_eq!(turned_away, [at(1), at(2), at(3), at(4)]);
    }

    #[test]
    fn a_method_that_was_shut_opens_again() {
        let lanes = Lanes::new();
        lanes.shut(UPDATE, at(30));
        assert!(lanes.change(UPDATE, Urgency::Now, at(29)).is_err());
        assert_eq!(lanes.post(POST, "C1", at(29)), Ok(()), "another method");
        assert_eq!(lanes.change(UPDATE, Urgency::Now, at(30)), Ok(()));
    }

    #[test]
    fn a_conversation_is_opened_once_for_each_person() {
        let lanes = Lanes::new();
        lanes.keep(&person("T1", "U1"), Some("D1"));
        assert_eq!(lanes.opened(&person("T1", "U1")).as_deref(), Some("D1"));
        assert_eq!(lanes.opened(&person("T2", "U1")), None);
        lanes.keep(&person("T1", "U1"), None);
        assert_eq!(lanes.opened(&person("T1", "U1")), None);
    }
}
