//! The real time, and real waiting.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::ports::{Clock, Ids, WakeKey};

/// The clock of this machine.
#[derive(Debug, Default)]
pub struct SystemClock {
    bells: Mutex<HashMap<WakeKey, Arc<Notify>>>,
}

impl SystemClock {
    fn bell(&self, key: WakeKey) -> Arc<Notify> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        // A bell that only this map holds has nobody waiting; it may still hold a kept wake, so they go only when there are
        // very many, and whoever waits for a deployment looks again by itself. The keeper's stays: idle, it sleeps long.
        if bells.len() > 4096 {
            bells.retain(|key, bell| *key == WakeKey::Keeper || Arc::strong_count(bell) > 1);
        }
        Arc::clone(bells.entry(key).or_default())
    }
}

#[expect(clippy::disallowed_methods, reason = "the one home of the real time")]
fn system_now() -> Timestamp {
    Timestamp::now()
}

#[expect(clippy::disallowed_methods, reason = "the one home of real waiting")]
async fn sleep_until(until: Timestamp) {
    loop {
        let left = until.duration_since(system_now());
        let Ok(left) = Duration::try_from(left) else { return };
        if left.is_zero() {
            return;
        }
        // The machine's clock may be set: never sleep long on one reading.
        tokio::time::sleep(left.min(Duration::from_secs(60))).await;
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        system_now()
    }

    async fn wait(&self, key: WakeKey, until: Option<Timestamp>) {
        let bell = self.bell(key);
        match until {
            None => bell.notified().await,
            Some(until) => {
                tokio::select! {
                    () = bell.notified() => {}
                    () = sleep_until(until) => {}
                }
            }
        }
    }

    fn wake(&self, key: WakeKey) {
        self.bell(key).notify_one();
    }

    async fn pause_until(&self, until: Timestamp) {
        sleep_until(until).await;
    }
}

/// Random ids that sort by time.
#[derive(Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "the one home of new ids")]
    fn fresh(&self) -> Uuid {
        Uuid::now_v7()
    }
}
