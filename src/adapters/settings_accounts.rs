//! One person, named by the settings, until people can sign in by themselves.

use async_trait::async_trait;

use crate::domain::actor::Person;
use crate::ports::{Accounts, Credentials};

/// The one person who may do things, and their tokens.
#[derive(Debug)]
pub struct OnePerson {
    person: Person,
    credentials: Credentials,
}

impl OnePerson {
    /// Knows `person` and nobody else.
    pub fn new(person: Person, credentials: Credentials) -> Self {
        Self { person, credentials }
    }
}

#[async_trait]
impl Accounts for OnePerson {
    async fn credentials(&self, person: &Person) -> Option<Credentials> {
        (*person == self.person).then(|| self.credentials.clone())
    }
}
