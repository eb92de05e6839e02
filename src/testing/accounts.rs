//! What the book of people's accounts promises: [`Accounts`].

use std::sync::Arc;

use crate::domain::actor::Person;
use crate::domain::names::{UserId, WorkspaceId};
use crate::ports::Accounts;

/// The whole suite, for a book that knows `known` with tokens that hold `markers`.
pub async fn all(accounts: Arc<dyn Accounts>, known: &Person, markers: &[&str]) {
    let credentials = accounts.credentials(known).await.expect("broken: a person who has linked accounts is known");
    let strangers = [
        Person { workspace: WorkspaceId::parse("another-workspace").unwrap(), ..known.clone() },
        Person { user: UserId::parse("another-user").unwrap(), ..known.clone() },
    ];
    for stranger in strangers {
        let found = accounts.credentials(&stranger).await;
        assert!(found.is_err(), "broken: both the workspace and the user must match: {stranger:?} is not {known:?}");
    }
    let told = format!("{accounts:?} {credentials:?}");
    assert!(markers.iter().all(|marker| !told.contains(marker)), "broken: tokens are never printed");
}
