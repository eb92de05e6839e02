//! Reads: what several ask for at the same time is asked for once, and what has not changed is not sent again.
//!
//! Nothing here outlives the process, and nothing is handed from one credential to another.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Client;
use secrecy::SecretString;

use super::call::{Answer, Call, CallFault, exchange};
use super::shelf::{Kept, Key, Shelf};

type Flight = Shared<BoxFuture<'static, Result<Answer, CallFault>>>;
type Flights = HashMap<Key, (u64, WeakShared<BoxFuture<'static, Result<Answer, CallFault>>>)>;

/// The way to a service for answers that are read whole.
#[derive(Clone)]
pub struct Reads {
    client: Client,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    shelf: Mutex<Shelf>,
    flights: Mutex<(u64, Flights)>,
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reads").finish_non_exhaustive()
    }
}

impl Reads {
    /// Reads and writes with `client`; nothing is known yet.
    pub fn new(client: Client) -> Self {
        Self { client, state: Arc::default() }
    }

    /// The client itself, for what is no read and goes to another host.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Reads. Whoever reads the same with the same credential at the same time gets the same answer or the same fault; the
    /// exchange goes on as long as one of them waits for it.
    ///
    /// An answer that has not changed is the one from before, with the headers of today.
    pub async fn read(&self, call: Call, limit: usize) -> Result<Answer, CallFault> {
        let key = Key::of(&call);
        self.flight(key, call, limit).await
    }

    /// Sends what may change something. A read that began before that is not handed to anybody who asks after it.
    pub async fn write(&self, call: Call, limit: usize) -> Result<Answer, CallFault> {
        let change = Change { state: &self.state, key: Key::of(&call) };
        change.part();
        exchange(&self.client, call, limit).await
    }

    /// Forgets an answer that was read and could not be understood: it may have been damaged on its way.
    pub fn forget(&self, answer: &Answer) {
        if let Some(key) = answer.kept_as {
            self.state.shelf().forget(&key);
        }
    }

    /// Forgets every answer that was read with a token; what is being read with it is not handed to anybody who asks from now on.
    pub fn forget_all_of(&self, token: &SecretString) {
        self.state.flights().1.retain(|key, _| !key.is_of(token));
        self.state.shelf().forget_all_of(token);
    }

    fn flight(&self, key: Key, call: Call, limit: usize) -> Flight {
        let mut flights = self.state.flights();
        let (last, flying) = &mut *flights;
        if let Some(flight) = flying.get(&key).and_then(|(_, flight)| flight.upgrade()) {
            tracing::debug!(service = ?call.service, what = %call.what(), "asked already: the answer is shared");
            return flight;
        }
        *last = last.wrapping_add(1);
        let landing = Landing { state: Arc::clone(&self.state), key, number: *last };
        let flight = fly(self.client.clone(), landing, call, limit).boxed().shared();
        if let Some(weak) = flight.downgrade() {
            flying.insert(key, (*last, weak));
        }
        flight
    }
}

impl State {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flights(&self) -> MutexGuard<'_, (u64, Flights)> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a flight off the list when it ends, also when everybody has left it.
struct Landing {
    state: Arc<State>,
    key: Key,
    number: u64,
}

impl Landing {
    /// Whether nobody has taken it off the list meanwhile: by a change, or because what is read so is to be forgotten.
    fn is_listed(&self) -> bool {
        self.state.flights().1.get(&self.key).is_some_and(|(number, _)| *number == self.number)
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flights = self.state.flights();
        if flights.1.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            flights.1.remove(&self.key);
        }
    }
}

/// A write: nobody joins the reads of its credential that began before it, or before it was done.
struct Change<'a> {
    state: &'a State,
    key: Key,
}

impl Change<'_> {
    fn part(&self) {
        self.state.flights().1.retain(|key, _| !key.same_credential(&self.key));
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.part();
    }
}

async fn fly(client: Client, landing: Landing, mut call: Call, limit: usize) -> Result<Answer, CallFault> {
    let Landing { state, key, .. } = &landing;
    let conditional = call.method == Method::GET;
    let kept = if conditional { state.shelf().get(key) } else { None };
    if let Some(kept) = &kept {
        call.headers.insert(IF_NONE_MATCH, kept.tag.clone());
    }
    let answer = exchange(&client, call, limit).await?;
    match (answer.status, kept) {
        (StatusCode::NOT_MODIFIED, Some(kept)) => Ok(renewed(kept.answer, answer.headers)),
        (StatusCode::NOT_MODIFIED, None) => Ok(answer),
        (status, _) if conditional && status.is_success() && landing.is_listed() => Ok(keep(state, *key, answer)),
        // Who may not see it any more has no use for what they once saw.
        (status, _) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            state.shelf().forget(key);
            Ok(answer)
        }
        _ => Ok(answer),
    }
}

/// Keeps an answer for the next time, if it says by what it is known.
fn keep(state: &State, key: Key, mut answer: Answer) -> Answer {
    let unkept = answer.header(CACHE_CONTROL.as_str()).is_some_and(|control| control.contains("no-store"));
    match answer.headers.get(ETAG).cloned().filter(|_| !unkept) {
        Some(tag) => {
            answer.kept_as = Some(key);
            state.shelf().keep(key, Kept { tag, answer: answer.clone() });
        }
        None => state.shelf().forget(&key),
    }
    answer
}

/// The answer of before with what was said of it today.
fn renewed(mut answer: Answer, today: HeaderMap) -> Answer {
    let mut name = None;
    for (next, value) in today {
        let first = next.is_some();
        name = next.or(name);
        let Some(name) = name.clone() else { continue };
        // There is no body today: these say nothing of the one that is kept.
        if [CONTENT_LENGTH, CONTENT_TYPE, CONTENT_ENCODING, TRANSFER_ENCODING].contains(&name) {
            continue;
        }
        if first {
            answer.headers.insert(name, value);
        } else {
            answer.headers.append(name, value);
        }
    }
    answer
}

#[cfg(test)]
mod tests;
