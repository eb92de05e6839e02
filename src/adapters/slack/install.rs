//! Installing the app: the page at Slack on which an admin agrees, and the bot's tokens for codes and for refresh tokens.
//!
//! Without PKCE: Slack has it only for apps that give up their secret for good and whose refresh tokens end after 30 days. This one keeps its
//! secret, and a random state binds the way back to the browser that set out.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::api::CALL;
use super::scopes;
use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::call::{Answer, Call, JSON_LIMIT, authorized, basic, exchange};
use crate::adapters::http::retry::{Tries, date, retry_after};
use crate::adapters::http::{client, scrub};
use crate::domain::account::Life;
use crate::domain::installation::{BotRight, Tenant};
use crate::domain::names::{ChatAppId, NameError, OrganisationId, ScopeName, UserId, WorkspaceId};
use crate::ports::sign_in::ends_after;
use crate::ports::{BotGrant, BotScope, Clock, Fault, InstallAt, Installed, PortError, Service, Tokens};

/// The page on which an admin agrees: on the same host as the Web API.
pub fn authorize_beside(api: &BaseUrl) -> Url {
    let mut url = api.as_url().clone();
    url.set_path("/oauth/v2/authorize");
    url
}

const ACCESS: &str = "/oauth.v2.access";
const CHECK: &str = "/auth.test";
const REVOKE: &str = "/auth.revoke";
const TEAMS: &str = "/auth.teams.list";
/// How many pages of an organisation's workspaces are read.
const PAGES: usize = 20;

/// What has to be known to have the app installed.
#[derive(Clone, Debug)]
pub struct SlackInstallSettings {
    /// Where the Web API lives.
    pub api: BaseUrl,
    /// The page on which an admin agrees: see [`authorize_beside`].
    pub authorize: Url,
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: SecretString,
    /// Where people come back to.
    pub callback: Url,
}

/// Installing the app in Slack.
#[derive(Debug)]
pub struct SlackInstall {
    settings: SlackInstallSettings,
    clock: Arc<dyn Clock>,
    client: reqwest::Client,
}

#[derive(Deserialize)]
struct Part {
    id: String,
    name: Option<String>,
}

/// What is told where tokens are given.
#[derive(Deserialize)]
struct Given {
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    expires_in: Option<u64>,
    #[serde(default)]
    scope: String,
}

/// What is told beside them where the app was installed.
#[derive(Deserialize)]
struct Where {
    app_id: String,
    bot_user_id: String,
    authed_user: Part,
    team: Option<Part>,
    enterprise: Option<Part>,
    #[serde(default)]
    is_enterprise_install: bool,
}

#[derive(Deserialize)]
struct Teams {
    teams: Vec<Part>,
    response_metadata: Option<Cursor>,
}

#[derive(Deserialize)]
struct Cursor {
    #[serde(default)]
    next_cursor: String,
}

/// What every answer says.
#[derive(Deserialize)]
struct Said {
    ok: bool,
    error: Option<String>,
}

fn error(what: &str, fault: Fault, why: impl std::fmt::Display) -> PortError {
    PortError::new(Service::Chat, fault, format!("POST {what}: {why}"))
}

impl SlackInstall {
    /// Prepares the client; nothing is sent yet. Fails only if the system's certificates cannot be used.
    pub fn new(settings: SlackInstallSettings, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        Ok(Self { settings, clock, client: client::client(Some(CALL))? })
    }

    fn call(&self, path: &'static str, fields: &[(&str, &str)]) -> Call {
        Call::new(Service::Chat, Method::POST, self.settings.api.at([path.trim_start_matches('/')]), path).form(fields)
    }

    /// Asks, once, and reads what is told; `lost` are the names of refusals that mean that a token is worth nothing any more.
    async fn asked<T: DeserializeOwned>(&self, call: Call, lost: &[&str]) -> Result<(T, Timestamp), PortError> {
        let path = call.path;
        let what = call.what();
        let answer = exchange(&self.client, call, JSON_LIMIT).await.map_err(|fault| fault.error(Service::Chat, &what, true))?;
        let now = self.clock.now();
        let Ok(said) = serde_json::from_slice::<Said>(&answer.body) else { return Err(no_words(path, &answer, now)) };
        if !said.ok {
            return Err(refused(path, said.error.as_deref(), &answer, now, lost));
        }
        // What was given was given: where it cannot be read, nobody knows what came of it.
        let told = serde_json::from_slice(&answer.body).map_err(|_| error(path, Fault::Unclear, "the answer cannot be read"))?;
        Ok((told, answer.header("date").and_then(date).unwrap_or(now)))
    }

    /// Asks for tokens, once: whatever is shown for them is worth nothing after the first answer.
    async fn ask_for_tokens<T: DeserializeOwned>(&self, fields: &[(&str, &str)], lost: &[&str]) -> Result<(T, Timestamp), PortError> {
        let own = basic(&self.settings.client_id, &self.settings.client_secret);
        let own = own.ok_or_else(|| error(ACCESS, Fault::Refused, "the client id or secret cannot stand in a header"))?;
        self.asked(self.call(ACCESS, fields).header(AUTHORIZATION, own), lost).await
    }

    fn grant(&self, given: Given, at: Timestamp) -> BotGrant {
        let scopes: BTreeSet<ScopeName> = given.scope.split([',', ' ']).filter_map(|scope| ScopeName::parse(scope).ok()).collect();
        let life = Life::of(ends_after(self.clock.now(), given.expires_in), given.refresh_token.is_some(), None);
        let rights = scopes::rights(&scopes);
        BotGrant { tokens: Tokens { access: given.access_token, refresh: given.refresh_token }, life, at, scopes, rights }
    }

    /// Asks with a token, again where that may help: only for what is safe to repeat.
    async fn with_token<T: DeserializeOwned>(
        &self,
        path: &'static str,
        fields: &[(&str, &str)],
        access: &SecretString,
    ) -> Result<T, PortError> {
        let mut tries = Tries::new(self.clock.as_ref());
        loop {
            let call = authorized(self.call(path, fields), access);
            let call = call.ok_or_else(|| error(path, Fault::SignInLost, "the token cannot stand in a header"))?;
            match self.asked(call, &LOST).await {
                Err(error) if error.is_temporary() && tries.pause(error.fault).await => {}
                done => return done.map(|(told, _)| told),
            }
        }
    }
}

/// The names by which Slack says that a token is worth nothing any more.
const LOST: [&str; 6] = ["invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "access_denied"];
/// Those of a refresh token.
const NOT_RENEWED: [&str; 4] = ["invalid_refresh_token", "token_revoked", "account_inactive", "token_expired"];

fn refused(path: &str, name: Option<&str>, answer: &Answer, now: Timestamp, lost: &[&str]) -> PortError {
    let name: String = name.unwrap_or("unnamed_error").chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(80).collect();
    let fault = match name.as_str() {
        "ratelimited" | "rate_limited" => Fault::RateLimited { until: retry_after(&answer.headers, now) },
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => Fault::Unclear,
        "team_added_to_org" | "org_login_required" => Fault::Unreachable,
        lost_one if lost.contains(&lost_one) => Fault::SignInLost,
        // The code, or how our app is registered: neither says anything about tokens.
        _ => Fault::Refused,
    };
    error(path, fault, &name).saying(name)
}

/// An answer without Slack's words: whatever stands before it, or Slack in trouble.
fn no_words(path: &str, answer: &Answer, now: Timestamp) -> PortError {
    let status = answer.status.as_u16();
    let fault = match status {
        429 => Fault::RateLimited { until: retry_after(&answer.headers, now) },
        400..=499 => Fault::Refused,
        _ => Fault::Unclear,
    };
    error(path, fault, format!("status {status} without Slack's words"))
}

fn installed(told: Where, grant: BotGrant) -> Result<Installed, NameError> {
    let Where { app_id, bot_user_id, authed_user, team, enterprise, is_enterprise_install } = told;
    let organisation = enterprise.as_ref().map(|part| OrganisationId::parse(&part.id)).transpose()?;
    let (tenant, within, part) = match (is_enterprise_install, organisation, team) {
        (true, Some(organisation), _) => (Tenant::Organisation(organisation), None, enterprise),
        (_, within, team) => {
            let id = WorkspaceId::parse(team.as_ref().map_or("", |team| &team.id))?;
            (Tenant::Workspace(id), within, team)
        }
    };
    Ok(Installed {
        tenant,
        within,
        name: part.and_then(|part| part.name).map(|name| scrub::clean(&name, 100)).filter(|name| !name.is_empty()),
        app: ChatAppId::parse(&app_id)?,
        bot: UserId::parse(&bot_user_id)?,
        by: UserId::parse(&authed_user.id)?,
        grant,
    })
}

/// Both halves of one answer.
#[derive(Deserialize)]
struct Both {
    #[serde(flatten)]
    given: Given,
    #[serde(flatten)]
    place: Where,
}

#[async_trait]
impl InstallAt for SlackInstall {
    fn asks_for(&self) -> Vec<BotScope> {
        BotRight::ALL
            .into_iter()
            .filter_map(|right| Some(BotScope { scope: ScopeName::parse(scopes::scope(right)).ok()?, right }))
            .collect()
    }

    fn agree_at(&self, state: &SecretString) -> SecretString {
        let mut url = self.settings.authorize.clone();
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("scope", &scopes::ALL.join(","))
            .append_pair("redirect_uri", self.settings.callback.as_str())
            .append_pair("state", state.expose_secret());
        SecretString::from(String::from(url))
    }

    async fn exchange(&self, code: SecretString) -> Result<Installed, PortError> {
        let fields = [("code", code.expose_secret()), ("redirect_uri", self.settings.callback.as_str())];
        let (Both { given, place }, at) = self.ask_for_tokens(&fields, &[]).await?;
        let grant = self.grant(given, at);
        installed(place, grant).map_err(|_| error(ACCESS, Fault::Unclear, "the answer names no place"))
    }

    async fn renew(&self, tokens: &Tokens) -> Result<BotGrant, PortError> {
        let Some(refresh) = &tokens.refresh else {
            return Err(error(ACCESS, Fault::SignInLost, "there is nothing to renew it with"));
        };
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())];
        let (given, at) = self.ask_for_tokens(&fields, &NOT_RENEWED).await?;
        Ok(self.grant(given, at))
    }

    async fn workspaces(&self, access: &SecretString) -> Result<BTreeSet<WorkspaceId>, PortError> {
        let (mut all, mut cursor) = (BTreeSet::new(), String::new());
        for _ in 0..PAGES {
            let fields = [("limit", "500"), ("cursor", cursor.as_str())];
            let fields = if cursor.is_empty() { fields.get(..1) } else { fields.get(..) };
            let page: Teams = self.with_token(TEAMS, fields.unwrap_or_default(), access).await?;
            all.extend(page.teams.iter().filter_map(|team| WorkspaceId::parse(&team.id).ok()));
            cursor = page.response_metadata.map(|more| more.next_cursor).unwrap_or_default();
            if cursor.is_empty() {
                break;
            }
        }
        Ok(all)
    }

    async fn check(&self, access: &SecretString) -> Result<(), PortError> {
        self.with_token::<Said>(CHECK, &[], access).await.map(|_| ())
    }

    async fn revoke(&self, access: &SecretString) -> Result<(), PortError> {
        match self.with_token::<Said>(REVOKE, &[], access).await {
            Ok(_) => Ok(()),
            // It is worth nothing already.
            Err(error) if error.fault == Fault::SignInLost => Ok(()),
            Err(error) => Err(error),
        }
    }
}
