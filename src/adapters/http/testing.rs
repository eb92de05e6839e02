//! A clock for the tests of adapters: waiting moves it at once, and is remembered.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::ports::{Clock, WakeKey};

/// A clock that stands until somebody pauses.
#[derive(Debug)]
pub struct ProbeClock {
    state: Mutex<(Timestamp, Vec<Duration>)>,
}

impl ProbeClock {
    /// Stands at a round moment.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(("2026-11-20T10:00:00Z".parse().unwrap(), Vec::new())) })
    }

    /// The pauses that were made.
    pub fn waits(&self) -> Vec<Duration> {
        self.state.lock().unwrap().1.clone()
    }
}

#[async_trait]
impl Clock for ProbeClock {
    fn now(&self) -> Timestamp {
        self.state.lock().unwrap().0
    }

    async fn wait(&self, _key: WakeKey, until: Option<Timestamp>) {
        if let Some(until) = until {
            self.pause_until(until).await;
        }
    }

    fn wake(&self, _key: WakeKey) {}

    async fn pause_until(&self, until: Timestamp) {
        let mut state = self.state.lock().unwrap();
        let wait = until.duration_since(state.0);
        if wait > SignedDuration::ZERO {
            state.0 = until;
        }
        state.1.push(Duration::try_from(wait).unwrap_or_default());
    }
}
