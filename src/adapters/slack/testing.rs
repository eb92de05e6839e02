//! What the tests of this adapter share: a clock that moves by its own pauses, an inbox that keeps, ids.

use std::sync::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::actor::Person;
use crate::domain::installation::Happening;
use crate::domain::names::{UserId, WorkspaceId};
use crate::ports::{Clock, Hears, Inbox, Incoming, StoreError, Submitted, WakeKey};

/// 2026-01-01.
pub(super) const NOW: i64 = 1_767_225_600;

/// A clock that a pause moves to the pause's end.
#[derive(Debug)]
pub(super) struct Jumping(pub(super) Mutex<Timestamp>);

impl Jumping {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Timestamp::from_second(NOW).unwrap()))
    }

    pub(super) fn set(&self, second: i64) {
        *self.0.lock().unwrap() = Timestamp::from_second(second).unwrap();
    }

    pub(super) fn since_start(&self) -> i64 {
        self.now().as_second() - NOW
    }
}

#[async_trait]
impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn wait(&self, _key: WakeKey, until: Option<Timestamp>) {
        if let Some(until) = until {
            self.pause_until(until).await;
        }
    }

    fn wake(&self, _key: WakeKey) {}

    async fn pause_until(&self, until: Timestamp) {
        let mut now = self.0.lock().unwrap();
        *now = until.max(*now);
    }
}

/// An inbox that keeps what it gets and answers the same each time; `None`: never answers.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) got: Mutex<Vec<Incoming>>,
    pub(super) heard: Mutex<Vec<Happening>>,
    pub(super) says: Option<Submitted>,
}

#[async_trait]
impl Inbox for Kept {
    async fn submit(&self, incoming: Incoming) -> Submitted {
        self.got.lock().unwrap().push(incoming);
        match self.says {
            Some(says) => says,
            None => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Hears for Kept {
    async fn heard(&self, happening: Happening) -> Result<(), StoreError> {
        self.heard.lock().unwrap().push(happening);
        match self.says {
            Some(Submitted::Accepted | Submitted::Repeated) => Ok(()),
            Some(Submitted::Unavailable) => Err(StoreError::Failed("the disk is gone".to_owned())),
            None => std::future::pending().await,
        }
    }
}

pub(super) fn person(workspace: &str, user: &str) -> Person {
    Person { workspace: WorkspaceId::parse(workspace).unwrap(), user: UserId::parse(user).unwrap() }
}
