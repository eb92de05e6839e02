//! Whose tokens are used: everybody's own, from signing in, or one person's, from the settings. Never both.

use std::sync::Arc;

use secrecy::SecretString;

use super::reader::Reader;
use super::table::{self as t, Setting};
use super::{CONSOLE_USER, CONSOLE_WORKSPACE, values};
use crate::adapters::github::AppKind;
use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::vault::TokenVault;
use crate::domain::actor::Person;
use crate::domain::names::{UserId, WorkspaceId};
use crate::ports::Credentials;

/// What only those installations have in which people sign in.
static OF_SIGNING_IN: [&Setting; 5] =
    [&t::SEALING_KEYS, &t::GITHUB_CLIENT_ID, &t::GITHUB_CLIENT_SECRET, &t::HEROKU_CLIENT_ID, &t::HEROKU_CLIENT_SECRET];
/// What only those have that work for one person.
static OF_ONE_PERSON: [&Setting; 2] = [&t::GITHUB_TOKEN, &t::HEROKU_TOKEN];
/// And who that is; on the console it is whoever sits there in any case.
static WHO_IT_IS: [&Setting; 2] = [&t::PERSON_WORKSPACE, &t::PERSON_USER];

/// Whose tokens are used.
#[derive(Clone, Debug)]
pub enum AccountsSettings {
    /// One person's, from the settings; nobody else may do anything.
    OnePerson {
        /// Who.
        person: Person,
        /// Their tokens.
        credentials: Credentials,
    },
    /// Everybody's own: they sign in.
    SignIn(Box<SignInSettings>),
}

/// What people need to sign in.
#[derive(Clone, Debug)]
pub struct SignInSettings {
    /// Where browsers reach this service.
    pub public: BaseUrl,
    /// What their tokens are sealed with.
    pub vault: Arc<TokenVault>,
    /// Which kind of app ours is at GitHub.
    pub kind: AppKind,
    /// Our app at GitHub.
    pub github: AppSettings,
    /// Our client at Heroku.
    pub heroku: AppSettings,
}

/// How a service knows us.
#[derive(Clone, Debug)]
pub struct AppSettings {
    /// The client id.
    pub id: String,
    /// The client secret.
    pub secret: SecretString,
}

fn workspace(text: &str) -> Result<WorkspaceId, String> {
    WorkspaceId::parse(text).map_err(|_| "has to be a workspace id, like T0123ABCD".to_owned())
}

fn user(text: &str) -> Result<UserId, String> {
    UserId::parse(text).map_err(|_| "has to be a member id, like U0123ABCD".to_owned())
}

/// Who sits at the console.
pub(super) fn at_the_console(reader: &mut Reader<'_>) -> Option<Person> {
    let workspace = reader.optional(&t::PERSON_WORKSPACE, workspace).or_else(|| WorkspaceId::parse(CONSOLE_WORKSPACE).ok());
    let user = reader.optional(&t::PERSON_USER, user).or_else(|| UserId::parse(CONSOLE_USER).ok());
    workspace.zip(user).map(|(workspace, user)| Person { workspace, user })
}

/// In a chat where only the settings can say who the one person is.
pub(super) fn of_a_chat(reader: &mut Reader<'_>) -> Option<AccountsSettings> {
    either(reader, &[OF_ONE_PERSON, WHO_IT_IS].concat(), |reader| {
        let workspace = reader.needed(&t::PERSON_WORKSPACE, workspace);
        let user = reader.needed(&t::PERSON_USER, user);
        workspace.zip(user).map(|(workspace, user)| Person { workspace, user })
    })
}

/// At the console, where it is whoever sits there.
pub(super) fn of_the_console(reader: &mut Reader<'_>, person: Person) -> Option<AccountsSettings> {
    either(reader, &OF_ONE_PERSON, |_| Some(person))
}

fn either(
    reader: &mut Reader<'_>,
    of_one: &[&'static Setting],
    person: impl FnOnce(&mut Reader<'_>) -> Option<Person>,
) -> Option<AccountsSettings> {
    let mut set = |all: &[&'static Setting]| all.iter().copied().filter(|setting| reader.is_set(setting)).collect::<Vec<_>>();
    let (by_hand, signing_in) = (set(of_one), set(&OF_SIGNING_IN));
    match (by_hand.as_slice(), signing_in.as_slice()) {
        ([], []) => {
            reader.fault(
                &t::SEALING_KEYS,
                format!(
                    "is not set, and nothing else says whose tokens to use. Either everybody signs in: set {}. Or it works for one person: \
                     set {}",
                    named(&[&[&t::PUBLIC_URL], OF_SIGNING_IN.as_slice()].concat()),
                    named(of_one)
                ),
            );
            None
        }
        ([..], []) => one_person(reader, person),
        ([], [..]) => sign_in(reader).map(|settings| AccountsSettings::SignIn(Box::new(settings))),
        (by_hand, signing_in) => {
            let others = named(signing_in);
            for setting in by_hand {
                reader.fault(
                    setting,
                    format!("is for an installation that works for one person, and people sign in by {others}: take out either"),
                );
            }
            // What is wrong with the rest is told as well.
            sign_in(reader);
            None
        }
    }
}

fn named(settings: &[&Setting]) -> String {
    settings.iter().map(|setting| setting.name).collect::<Vec<_>>().join(", ")
}

fn one_person(reader: &mut Reader<'_>, person: impl FnOnce(&mut Reader<'_>) -> Option<Person>) -> Option<AccountsSettings> {
    let person = person(reader);
    let source = reader.needed(&t::GITHUB_TOKEN, values::token);
    let platform = reader.needed(&t::HEROKU_TOKEN, values::token);
    // Nobody signs in, so that these do not matter; what is wrong with them is told all the same.
    reader.optional(&t::PUBLIC_URL, values::public_url);
    reader.optional(&t::GITHUB_APP, values::app_kind);
    Some(AccountsSettings::OnePerson { person: person?, credentials: Credentials { source: source?, platform: platform? } })
}

fn sign_in(reader: &mut Reader<'_>) -> Option<SignInSettings> {
    let public = reader.needed(&t::PUBLIC_URL, values::public_url);
    let vault = reader.needed(&t::SEALING_KEYS, values::sealing_keys);
    let kind = reader.needed(&t::GITHUB_APP, values::app_kind);
    let github = app(reader, &t::GITHUB_CLIENT_ID, &t::GITHUB_CLIENT_SECRET);
    let heroku = app(reader, &t::HEROKU_CLIENT_ID, &t::HEROKU_CLIENT_SECRET);
    Some(SignInSettings { public: public?, vault: Arc::new(vault?), kind: kind?, github: github?, heroku: heroku? })
}

fn app(reader: &mut Reader<'_>, id: &'static Setting, secret: &'static Setting) -> Option<AppSettings> {
    let id = reader.needed(id, values::client_id);
    let secret = reader.needed(secret, values::token);
    Some(AppSettings { id: id?, secret: secret? })
}
