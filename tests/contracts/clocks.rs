//! Clocks, held to what the port promises: the machine's, and the one that tests step. And ids.

use std::sync::Arc;

use jiff::SignedDuration;
use slash_heroku::adapters::clock::{RandomIds, SystemClock};
use slash_heroku::ports::Clock;
use slash_heroku::sandbox::clock::SteppedClock;
use slash_heroku::testing::clock::{all, ids};

#[tokio::test]
async fn the_clock_of_this_machine_keeps_its_promises() {
    // Its time passes by itself.
    all(|| Arc::new(SystemClock::default()), SignedDuration::from_millis(20), async |_| {}).await;
}

#[tokio::test]
async fn the_stepped_clock_keeps_its_promises() {
    let clock = std::sync::Mutex::new(SteppedClock::new());
    let make = || {
        let fresh = SteppedClock::new();
        *clock.lock().unwrap() = Arc::clone(&fresh);
        fresh as Arc<dyn Clock>
    };
    let hour = SignedDuration::from_hours(1);
    all(make, hour, async |now: &Arc<dyn Clock>| {
        let stepped = Arc::clone(&clock.lock().unwrap());
        stepped.advance_to(now.now() + hour);
    })
    .await;
}

#[test]
fn random_ids_keep_their_promises() {
    ids(&RandomIds);
}
