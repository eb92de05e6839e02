//! What a stepped clock knows of the streams between the simulated outside and the service: what is on its way, and to whom.

use std::collections::{BTreeMap, HashMap};

use crate::ports::{Sent, StreamKey, WakeKey};

/// Who sends, and who listens.
#[derive(Debug, Default)]
pub(super) struct Streams {
    senders: HashMap<StreamKey, Sender>,
    listeners: BTreeMap<u64, Listening>,
}

/// The far end of a stream.
#[derive(Debug, Default)]
struct Sender {
    sent: u64,
    ended: bool,
    /// It stands in a wait of the clock.
    rests: bool,
}

/// How somebody listens.
#[derive(Debug)]
enum Listening {
    /// Something was asked, and the answer is awaited.
    Asks,
    /// This much was heard.
    To { stream: StreamKey, heard: u64 },
    /// Not at all, for now.
    Rests,
}

impl Streams {
    /// Whether anything is on its way to somebody who listens, or about to be.
    pub(super) fn on_their_way(&self) -> bool {
        self.listeners.values().any(|listening| match listening {
            Listening::Asks => true,
            Listening::Rests => false,
            // A stream that nobody told of has been sent as a whole: its end is on its way.
            Listening::To { stream, heard } => {
                self.senders.get(stream).is_none_or(|sender| sender.ended || !sender.rests || sender.sent > *heard)
            }
        })
    }

    /// Whether a wait of the outside matters: all do, but for those of senders to whom nobody listens.
    pub(super) fn is_minded(&self, key: Option<&WakeKey>) -> bool {
        let Some(WakeKey::Stream(stream)) = key else { return true };
        self.is_heard(stream)
    }

    fn is_heard(&self, wanted: &StreamKey) -> bool {
        self.listeners.values().any(|listening| match listening {
            Listening::To { stream, .. } => stream == wanted,
            Listening::Asks | Listening::Rests => false,
        })
    }

    pub(super) fn sends(&mut self, stream: &StreamKey, what: Sent) {
        match what {
            Sent::Begun => {
                self.senders.insert(stream.clone(), Sender::default());
            }
            Sent::Bytes(more) => {
                if let Some(sender) = self.senders.get_mut(stream) {
                    sender.sent = sender.sent.saturating_add(more);
                }
            }
            Sent::Ended if self.is_heard(stream) => {
                if let Some(sender) = self.senders.get_mut(stream) {
                    sender.ended = true;
                }
            }
            Sent::Ended => {
                self.senders.remove(stream);
            }
        }
    }

    /// A sender comes to stand in its wait, or leaves it.
    pub(super) fn sender(&mut self, key: Option<&WakeKey>, rests: bool) {
        if let Some(WakeKey::Stream(stream)) = key
            && let Some(sender) = self.senders.get_mut(stream)
        {
            sender.rests = rests;
        }
    }

    pub(super) fn begins(&mut self, listener: u64) {
        self.listeners.insert(listener, Listening::Asks);
    }

    pub(super) fn asks(&mut self, listener: u64) {
        self.turns_to(listener, Listening::Asks);
    }

    pub(super) fn listens(&mut self, listener: u64, stream: &StreamKey, heard: u64) {
        self.turns_to(listener, Listening::To { stream: stream.clone(), heard });
    }

    pub(super) fn rests(&mut self, listener: u64) {
        self.turns_to(listener, Listening::Rests);
    }

    pub(super) fn leaves(&mut self, listener: u64) {
        self.rests(listener);
        self.listeners.remove(&listener);
    }

    /// The lives of all who listened are over.
    pub(super) fn nobody_listens(&mut self) {
        self.listeners.clear();
        self.senders.retain(|_, sender| !sender.ended);
    }

    /// Whoever is of an earlier life is not known any more, and changes nothing.
    fn turns_to(&mut self, listener: u64, to: Listening) {
        let Some(listening) = self.listeners.get_mut(&listener) else { return };
        let before = std::mem::replace(listening, to);
        // Nobody hears the end of a stream that is left before.
        if let Listening::To { stream, .. } = before
            && !self.is_heard(&stream)
            && self.senders.get(&stream).is_some_and(|sender| sender.ended)
        {
            self.senders.remove(&stream);
        }
    }

    /// For the message of a test that hangs.
    pub(super) fn report(&self) -> String {
        if self.listeners.is_empty() {
            return String::new();
        }
        let listeners: Vec<String> = self
            .listeners
            .values()
            .map(|listening| match listening {
                Listening::Asks => "asks".to_owned(),
                Listening::Rests => "rests".to_owned(),
                Listening::To { stream, heard } => format!("has heard {heard} of {:?}", self.senders.get(stream)),
            })
            .collect();
        format!("; listeners: [{}]", listeners.join(", "))
    }
}
