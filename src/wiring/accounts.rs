//! Whose tokens are used: one person's from the settings, or everybody's own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use axum::Router;

use super::Ground;
use crate::adapters::github::{GitHubSignIn, GitHubSignInSettings};
use crate::adapters::heroku::{HerokuSignIn, HerokuSignInSettings};
use crate::adapters::pages::{self, PagesSettings};
use crate::adapters::secrets::SystemSecrets;
use crate::adapters::settings_accounts::OnePerson;
use crate::adapters::vault::TokenVault;
use crate::config::{AccountsSettings, Settings, SignInSettings};
use crate::domain::account::Provider;
use crate::domain::actor::Person;
use crate::ports::{Accounts, Clock, SignInAt};
use crate::service::{Service, WholeSteps};
use crate::usecases::{LinkedAccounts, Memories, SignIns};

/// The accounts, and where people link them, if they do.
pub(super) fn who_people_are(
    settings: &Settings,
    ground: &Ground,
    memories: &Memories,
) -> anyhow::Result<(Arc<dyn Accounts>, Option<SignIns>)> {
    match &settings.accounts {
        AccountsSettings::OnePerson { person, credentials } => Ok((Arc::new(OnePerson::new(person.clone(), credentials.clone())), None)),
        AccountsSettings::SignIn(own) => {
            let linked = LinkedAccounts {
                store: Arc::clone(&ground.store),
                accounts: Arc::clone(&ground.accounts),
                vault: Arc::<TokenVault>::clone(&own.vault),
                memories: memories.clone(),
                services: services(settings, own, &ground.clock)?,
                clock: Arc::clone(&ground.clock),
            };
            let pages = Arc::from(pages::link_prefix(&own.public));
            let sign_ins = SignIns { linked: linked.clone(), secrets: Arc::new(SystemSecrets), ids: Arc::clone(&ground.ids), pages };
            Ok((Arc::new(linked), Some(sign_ins)))
        }
    }
}

/// Whom the settings name: those who may change rules, and the one person that it works for.
pub(super) fn trusted(settings: &Settings) -> BTreeSet<Person> {
    let mut named = settings.admins.clone();
    if let AccountsSettings::OnePerson { person, credentials: _ } = &settings.accounts {
        named.insert(person.clone());
    }
    named
}

fn services(settings: &Settings, own: &SignInSettings, clock: &Arc<dyn Clock>) -> anyhow::Result<BTreeMap<Provider, Arc<dyn SignInAt>>> {
    let github = GitHubSignInSettings {
        api: settings.github.api.clone(),
        web: settings.github.web.clone(),
        client_id: own.github.id.clone(),
        client_secret: own.github.secret.clone(),
        kind: own.kind,
        callback: pages::callback(&own.public),
    };
    let heroku = HerokuSignInSettings {
        api: settings.heroku.api.clone(),
        id: settings.heroku.id.clone(),
        dashboard: settings.heroku.dashboard.clone(),
        client_id: own.heroku.id.clone(),
        client_secret: own.heroku.secret.clone(),
    };
    let github: Arc<dyn SignInAt> = Arc::new(GitHubSignIn::new(github, Arc::clone(clock)).context("no HTTP client to sign in at GitHub")?);
    let heroku: Arc<dyn SignInAt> = Arc::new(HerokuSignIn::new(heroku, Arc::clone(clock)).context("no HTTP client to sign in at Heroku")?);
    Ok(BTreeMap::from([(Provider::SourceControl, github), (Provider::Platform, heroku)]))
}

/// The pages on which people link their logins; none where nobody does.
pub(super) fn pages(settings: &Settings, service: &Service) -> Router {
    let (AccountsSettings::SignIn(own), Some(sign_ins)) = (&settings.accounts, service.sign_ins()) else { return Router::new() };
    let on = PagesSettings {
        public: own.public.clone(),
        services: vec![settings.github.web.clone(), settings.heroku.id.clone()],
        command_word: settings.command.clone(),
    };
    pages::router(&on, Arc::new(WholeSteps { service: service.clone(), visits: Arc::new(sign_ins.clone()) }))
}
