//! The books that the service keeps of people and of what services allow, held to what their ports promise.

use std::sync::Arc;

use slash_heroku::adapters::allowances::InMemory;
use slash_heroku::adapters::settings_accounts::OnePerson;
use slash_heroku::adapters::{github, heroku};
use slash_heroku::ports::{Boundless, Credentials};
use slash_heroku::testing::{accounts, allowances};

use super::slack_stage::ana;

#[test]
fn both_books_of_allowances_keep_their_promises() {
    allowances::all(|| Arc::new(InMemory::new(github::LIMITS, heroku::LIMITS)));
    allowances::all(|| Arc::new(Boundless));
}

#[tokio::test]
async fn the_one_person_of_the_settings_keeps_the_promises_of_accounts() {
    let credentials = Credentials { source: "marker-one".into(), platform: "marker-two".into() };
    accounts::all(Arc::new(OnePerson::new(ana(), credentials)), &ana(), &["marker-one", "marker-two"]).await;
}
