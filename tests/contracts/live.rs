//! The suites of the ports at the real services: `LIVE=1` with throw-away credentials, told in CONTRIBUTING.md. Without it at a sandbox
//! that runs as a process of its own.
//!
//! The stages know nothing but the services' public interfaces and the account's token. What cannot be brought about so, they say.

mod github;
mod heroku;
mod slack;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt as _;
use slash_heroku::testing::LeftOut;

use super::recordings_live::{Settings, services};

/// Why nobody brings these about on a real account.
const NO_FAULTS: &str = "nobody can make a service fail";
const NO_LIMIT: &str = "nobody should use up an account's allowance";

/// The services, unless there is no token of this one: then it is left out, which a sandbox never is.
async fn services_with(token: &str) -> Option<(Option<tokio::process::Child>, Settings)> {
    let (sandbox, settings) = services().await;
    if settings[token].is_empty() {
        assert!(sandbox.is_none(), "a sandbox says what stands for {token}");
        let any = ["LIVE_GITHUB_TOKEN", "LIVE_HEROKU_TOKEN", "LIVE_SLACK_TOKEN"].iter().any(|token| !settings[token].is_empty());
        assert!(any, "LIVE=1 wants a token of a service and what belongs to it: see CONTRIBUTING.md");
        return None;
    }
    Some((sandbox, settings))
}

/// Runs a suite, and clears away what its stages made, however it went.
async fn cleared(suite: impl Future<Output = LeftOut>, clear: impl Future<Output = ()>) -> LeftOut {
    let outcome = AssertUnwindSafe(suite).catch_unwind().await;
    let clearing = AssertUnwindSafe(clear).catch_unwind().await;
    // What the suite found comes first.
    let left_out = outcome.unwrap_or_else(|panic| resume_unwind(panic));
    clearing.unwrap_or_else(|panic| resume_unwind(panic));
    left_out
}

#[tokio::test]
async fn what_a_suite_made_is_cleared_away_however_it_went() {
    let times = Cell::new(0);
    let clear = async || times.set(times.get() + 1);
    assert_eq!(cleared(async { LeftOut::default() }, clear()).await, LeftOut::default());
    let failed = cleared(async { panic!("broken: a promise") }, async {
        clear().await;
        panic!("it cannot be cleared away");
    });
    let panic = AssertUnwindSafe(failed).catch_unwind().await.unwrap_err();
    assert_eq!((panic.downcast_ref(), times.get()), (Some(&"broken: a promise"), 2));
    let uncleared = cleared(async { LeftOut::default() }, async { panic!("it cannot be cleared away") });
    assert!(AssertUnwindSafe(uncleared).catch_unwind().await.is_err(), "what is left behind is told");
}
