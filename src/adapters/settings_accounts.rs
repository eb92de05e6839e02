//! One person, named by the settings, with tokens made by hand.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::account::Provider;
use crate::domain::actor::Person;
use crate::ports::{Accounts, Credentials, NoCredentials};

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
    async fn credentials(&self, person: &Person) -> Result<Credentials, NoCredentials> {
        if *person == self.person { Ok(self.credentials.clone()) } else { Err(NoCredentials::Stranger) }
    }

    async fn refused(&self, _: &Person, _: Provider, _: &SecretString) -> bool {
        false
    }
}
