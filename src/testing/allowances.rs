//! What a book of allowances promises: [`Allowances`].

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use uuid::Uuid;

use crate::domain::allowance::Purpose;
use crate::domain::fault::Service;
use crate::domain::names::DeploymentId;
use crate::ports::{Allowances, Credentials};

/// The whole suite; `make` gives a book in which nothing is written.
pub fn all(make: impl Fn() -> Arc<dyn Allowances>) {
    nothing_is_short_at_first(&*make());
    no_credential_is_printed(&*make());
    one_credential_is_not_another(&*make());
    what_is_shut_opens_again(&*make());
}

const MARKERS: [&str; 2] = ["marker-of-a-source-token", "marker-of-a-platform-token"];

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn credentials(suffix: &str) -> Credentials {
    let [source, platform] = MARKERS.map(|marker| SecretString::from(format!("{marker}{suffix}")));
    Credentials { source, platform }
}

fn deployment(number: u128) -> DeploymentId {
    DeploymentId(Uuid::from_u128(number))
}

fn nothing_is_short_at_first(book: &dyn Allowances) {
    let who = credentials("");
    assert!(book.begin(deployment(1), &who, now()).is_ok(), "broken: where nothing was heard, a first deployment may begin");
    for purpose in [Purpose::Progress, Purpose::End] {
        assert_eq!(book.may_write(&who.source, purpose, now()), Ok(()), "broken: where nothing was written, something may be");
    }
}

fn no_credential_is_printed(book: &dyn Allowances) {
    let who = credentials("");
    book.heard(Service::SourceControl, &who.source, 10, None, now());
    book.heard(Service::Platform, &who.platform, 10, Some(now() + SignedDuration::from_hours(1)), now());
    book.shut(Service::SourceControl, &who.source, now() + SignedDuration::from_secs(60));
    book.wrote(Service::SourceControl, &who.source, now());
    let begun = book.begin(deployment(1), &who, now());
    let told = format!("{book:?} {begun:?} {:?}", book.pause(Service::Platform, &who.platform, 1, now()));
    assert!(MARKERS.iter().all(|marker| !told.contains(marker)), "broken: a credential is known by a digest only");
}

fn one_credential_is_not_another(book: &dyn Allowances) {
    let (one, other) = (credentials("-one"), credentials("-other"));
    book.heard(Service::Platform, &one.platform, 0, None, now());
    book.shut(Service::SourceControl, &one.source, now() + SignedDuration::from_hours(1));
    for _ in 0..600 {
        book.wrote(Service::SourceControl, &one.source, now());
    }
    assert!(book.begin(deployment(1), &other, now()).is_ok(), "broken: what one credential has used up another has not");
    assert_eq!(book.may_write(&other.source, Purpose::Progress, now()), Ok(()), "broken: nor has it written anything");
}

fn what_is_shut_opens_again(book: &dyn Allowances) {
    let who = credentials("");
    let until = now() + SignedDuration::from_secs(90);
    book.shut(Service::SourceControl, &who.source, until);
    if let Err(when) = book.may_write(&who.source, Purpose::Progress, now()) {
        assert!(when >= until, "broken: whoever is told to wait is told for how long: {when}");
    }
    assert_eq!(
        book.may_write(&who.source, Purpose::Progress, until + SignedDuration::from_secs(1)),
        Ok(()),
        "broken: what was shut opens again"
    );
}
