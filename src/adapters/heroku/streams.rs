//! The output streams that other answers have told of: where they are, how far they were heard, who listens to them now.
//!
//! An address is a key: it lives in memory only, is never told, and gets no token. Nothing of an output is kept.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};

use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::client::byte_for_byte;
use crate::ports::{Clock, WakeKey};

/// How many streams are listened to at a time.
pub(super) const PLACES: usize = 64;
/// How many streams are remembered. Those of work that is over are forgotten; the oldest go where there are more.
const REMEMBERED: usize = 4096;
/// How long the machine's own time lets a stream be silent. The clock of the service is stricter.
const SILENCE: Duration = Duration::from_secs(120);
/// How often a stream that has not begun is asked for once a second; then it is left alone for a while.
const EARLY: u32 = 20;
/// The longest that a stream is left alone.
const LONGEST_REST: i64 = 300;

/// Why a stream is not listened to for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// It has not begun, or is forgotten.
    NotThere,
    /// The connection broke.
    Cut,
    /// It ended.
    Ended,
    /// Nothing came for longer than is usual.
    Silent,
    /// It could not be opened, perhaps for a moment only.
    Trouble,
    /// Its address is not good any more.
    Refused,
}

/// A stream as it is remembered.
pub(super) struct Known {
    pub(super) address: SecretString,
    /// How much of it was heard. Resuming there costs nobody anything.
    pub(super) offset: u64,
    /// Whether all of it was heard.
    pub(super) ended: bool,
    /// How often it was missed since it was last listened to for long.
    pub(super) misses: u32,
    early: u32,
    /// Whether it was its address that was no good.
    refused: bool,
    pub(super) rest_until: Option<Timestamp>,
    order: u64,
}

#[derive(Default)]
struct State {
    known: HashMap<String, Known>,
    places: BTreeMap<u64, Held>,
    numbers: u64,
}

/// A place among those who listen.
#[derive(Debug)]
struct Held {
    first: bool,
    evicted: bool,
}

/// All streams.
pub(super) struct Streams {
    pub(super) client: Client,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) api: BaseUrl,
    places: usize,
    state: Mutex<State>,
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Streams").field("known", &state.known.len()).field("places", &state.places).finish_non_exhaustive()
    }
}

impl Streams {
    pub(super) fn new(api: BaseUrl, clock: Arc<dyn Clock>, places: usize) -> Result<Arc<Self>, reqwest::Error> {
        Ok(Arc::new(Self { client: byte_for_byte(SILENCE)?, clock, api, places, state: Mutex::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer has told of a build or a release: where its stream is while it runs.
    pub(super) fn learn(&self, of: &str, address: Option<&str>, runs: bool) {
        let mut state = self.lock();
        let Some(address) = address.filter(|_| runs) else {
            state.known.remove(of);
            return;
        };
        state.numbers = state.numbers.saturating_add(1);
        let order = state.numbers;
        match state.known.get_mut(of) {
            Some(known) => {
                // The address may be signed anew for each answer. Only where it was the address that was no good is it no reason
                // to go on resting.
                if known.is_at(address) {
                    return;
                }
                known.address = SecretString::from(address);
                if std::mem::take(&mut known.refused) {
                    known.rest_until = None;
                }
            }
            None => {
                if state.known.len() >= REMEMBERED
                    && let Some(oldest) = state.known.iter().min_by_key(|(_, known)| known.order).map(|(of, _)| of.clone())
                {
                    state.known.remove(&oldest);
                }
                let address = SecretString::from(address);
                let known = Known { address, offset: 0, ended: false, misses: 0, early: 0, refused: false, rest_until: None, order };
                state.known.insert(of.to_owned(), known);
            }
        }
    }

    /// Reads or changes what is known of a stream; `None`: nothing is.
    pub(super) fn known<T>(&self, of: &str, what: impl FnOnce(&mut Known) -> T) -> Option<T> {
        self.lock().known.get_mut(of).map(what)
    }

    /// Takes a place among those who listen. Release phases come first: where all places are taken, the newest of a build is
    /// given up for one.
    pub(super) fn place(self: &Arc<Self>, first: bool) -> Option<Place> {
        let mut state = self.lock();
        if state.places.values().filter(|held| !held.evicted).count() >= self.places {
            let newest = state.places.iter_mut().rev().find(|(_, held)| !held.first && !held.evicted && first);
            let (number, held) = newest?;
            held.evicted = true;
            self.clock.wake(WakeKey::Pause(*number));
        }
        state.numbers = state.numbers.saturating_add(1);
        let number = state.numbers;
        state.places.insert(number, Held { first, evicted: false });
        Some(Place { streams: Arc::clone(self), number })
    }
}

impl Known {
    fn is_at(&self, address: &str) -> bool {
        self.address.expose_secret() == address
    }

    /// Remembers that it was missed, and gives it a rest: short at first, in case that it was an accident.
    pub(super) fn missed(&mut self, why: Miss, now: Timestamp) {
        let early = why == Miss::NotThere && self.offset == 0;
        if early {
            self.early = self.early.saturating_add(1);
        } else {
            self.misses = self.misses.saturating_add(1);
        }
        self.ended = why == Miss::Ended;
        self.refused = why == Miss::Refused;
        let doubled = |first: i64, times: u32| first.saturating_mul(1_i64.checked_shl(times).unwrap_or(LONGEST_REST)).min(LONGEST_REST);
        let again = self.misses.saturating_sub(1);
        let seconds = match why {
            Miss::NotThere if early && self.early <= EARLY => 1,
            Miss::NotThere if early => doubled(60, self.early.saturating_sub(EARLY.saturating_add(1))),
            Miss::Cut if again < 2 => doubled(1, again),
            Miss::Cut => doubled(30, again.saturating_sub(2)),
            Miss::Ended => doubled(15, again),
            Miss::Trouble => doubled(2, again),
            Miss::Silent | Miss::NotThere => doubled(30, again),
            Miss::Refused => doubled(60, again),
        };
        self.rest_until = Some(now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX));
    }
}

/// A place among those who listen; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    streams: Arc<Streams>,
    number: u64,
}

impl Place {
    /// By what whoever has the place is woken when they have to give it up.
    pub(super) fn key(&self) -> WakeKey {
        WakeKey::Pause(self.number)
    }

    /// Whether it has to be given up.
    pub(super) fn is_evicted(&self) -> bool {
        self.streams.lock().places.get(&self.number).is_none_or(|held| held.evicted)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.streams.lock().places.remove(&self.number);
    }
}
