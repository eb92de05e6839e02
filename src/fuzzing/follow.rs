//! The stream of a build or a release: reasons to look and few of them, whatever comes; and its host is never stormed.
//!
//! An input is a byte that says who is followed and how time goes, and the answers of the stream's host, each behind a `BETWEEN`.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::Notify;

use crate::adapters::heroku::{Heroku, HerokuSettings};
use crate::domain::names::{AppId, BuildId, ReleaseId};
use crate::ports::{Clock, Follower, Heard, Platform, WakeKey};

use super::answers::{Stage, TOKEN, judged, of};

const ID: &str = "22222222-bbbb-4bbb-8bbb-000000000001";
/// What nobody may be told of the stream's address.
const SIGNATURE: &str = "Zm9vYmFyYmF6cXV4";
/// For how long it is followed.
const LASTS: SignedDuration = SignedDuration::from_hours(1);
/// How often the stream is asked for in that time: each try may lead to three others, and the next ones come ever later.
const TRIES: usize = 4 * 80;
/// How often something is heard in that time. What is a reason costs a look.
const HEARD: usize = 2 * 80;
/// A release is followed, not a build.
const RELEASE: u8 = 1;
/// Whoever waits for a sign of life waits in vain.
const SILENT: u8 = 2;
/// Time passes while somebody listens.
const PASSES: u8 = 4;

/// A clock that pauses move, for an hour; after that nothing ends any more.
#[derive(Debug)]
struct Hour {
    now: Mutex<Timestamp>,
    how: AtomicU8,
    over: Notify,
}

impl Hour {
    fn new() -> Arc<Self> {
        Arc::new(Self { now: Mutex::default(), how: AtomicU8::new(0), over: Notify::new() })
    }

    fn begin_again(&self, how: u8) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = Timestamp::UNIX_EPOCH;
        self.how.store(how, Ordering::Relaxed);
    }

    fn goes(&self, how: u8) -> bool {
        self.how.load(Ordering::Relaxed) & how != 0
    }

    fn is_over(&self, at: Timestamp) -> bool {
        let over = at.duration_since(Timestamp::UNIX_EPOCH) >= LASTS;
        if over {
            self.over.notify_one();
        }
        over
    }
}

#[async_trait]
impl Clock for Hour {
    fn now(&self) -> Timestamp {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if self.goes(PASSES) {
            *now = now.checked_add(SignedDuration::from_secs(5)).unwrap_or(*now);
        }
        self.is_over(*now);
        *now
    }

    async fn wait(&self, _: WakeKey, until: Option<Timestamp>) {
        match until.filter(|_| self.goes(SILENT)) {
            Some(until) => self.pause_until(until).await,
            // The host ends each of its answers by itself.
            None => std::future::pending().await,
        }
    }

    fn wake(&self, _: WakeKey) {}

    async fn pause_until(&self, until: Timestamp) {
        if self.is_over(until) {
            std::future::pending::<()>().await;
        }
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = until.max(*now);
    }
}

thread_local! {
    static STAGE: Stage<Heroku, Hour> = Stage::set(Hour::new(), |base, clock| {
        Heroku::new(HerokuSettings { api: base.clone(), links: base.clone(), dashboard: base }, clock)
    });
}

pub(super) fn holds(bytes: &[u8]) {
    let (how, answers) = super::first(bytes);
    STAGE.with(|stage| {
        stage.clock.begin_again(how);
        stage.answering(&told("pending"), looked(&stage.adapter, how));
        let followed = stage.answering(answers, followed(stage, how));
        let asked = stage.host.asked();
        assert!(asked.len() <= TRIES || stage.clock.goes(PASSES), "a stream is asked for {} times in an hour", asked.len());
        for asked in asked {
            let text = asked.text.to_lowercase();
            assert!(!text.contains("authorization") && !asked.text.contains(TOKEN), "a stream gets no token");
            let from = text.lines().find_map(|line| line.strip_prefix("range: ")?.strip_suffix('-')?.parse::<usize>().ok());
            assert!(from.is_none_or(|from| from <= asked.sent_before), "nothing was heard that was not sent");
        }
        assert!(!format!("{followed:?} {:?}", stage.adapter).contains(SIGNATURE), "the address of a stream is told");
        stage.answering(&told("succeeded"), looked(&stage.adapter, how));
    });
}

/// An answer that tells where the stream is.
fn told(status: &str) -> Vec<u8> {
    let address = format!("{{self}}/streams/x?signature={SIGNATURE}");
    let body = json!({ "id": ID, "version": 7, "status": status, "output_stream_url": address });
    [&[super::answers::BETWEEN], format!("200\n\n{body}").as_bytes()].concat()
}

/// Looks how a build or a release stands.
async fn looked(heroku: &Heroku, how: u8) {
    let (token, app) = (SecretString::from(TOKEN), of::<AppId>(json!(ID)));
    if how & RELEASE == 0 {
        judged(&heroku.build(&token, &app, &of(json!(ID))).await);
    } else {
        judged(&heroku.release(&token, &app, &of(json!(ID))).await);
    }
}

/// Follows for as long as the clock goes.
async fn followed(stage: &Stage<Heroku, Hour>, how: u8) -> Box<dyn Follower> {
    let (build, release) = (of::<BuildId>(json!(ID)), Some(of::<ReleaseId>(json!(ID))));
    let mut follower = stage.adapter.follow(&of(json!(ID)), &build, release.filter(|_| how & RELEASE != 0));
    let mut heard = 0_usize;
    loop {
        tokio::select! {
            biased;
            () = stage.clock.over.notified() => return follower,
            news = follower.heard() => match news {
                Heard::Begun | Heard::Reason => heard = heard.saturating_add(1),
            },
        }
        assert!(heard <= HEARD || stage.clock.goes(PASSES), "there are {heard} news of a stream in an hour");
    }
}
