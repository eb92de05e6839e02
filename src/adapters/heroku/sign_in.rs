//! Signing in at Heroku: its pages for the person, and its Platform API for tokens, which names what they hang on.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::{ACCEPT, HeaderValue};
use http::{Method, StatusCode};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::call::{Answer, Call, JSON_LIMIT, authorized, exchange};
use crate::adapters::http::client::client;
use crate::adapters::http::retry::Tries;
use crate::adapters::http::scrub;
use crate::domain::account::{Life, Provider, Right};
use crate::domain::names::{GrantId, LoginId, ScopeName};
use crate::ports::sign_in::ends_after;
use crate::ports::{Clock, Extent, Fault, Granted, Identity, PortError, Proof, Revoked, ScopeAsked, Service, SignInAt, Tokens};

use super::refusal::Refused;
use super::wire::PATIENCE;

/// What is asked for: to know whose login it is, and to build and release, without config vars.
const SCOPES: [&str; 2] = ["identity", "write"];

/// What has to be known to sign people in. Where they come back to is registered at Heroku.
#[derive(Clone, Debug)]
pub struct HerokuSignInSettings {
    /// The Platform API.
    pub api: BaseUrl,
    /// The sign-in.
    pub id: BaseUrl,
    /// The pages for people.
    pub dashboard: BaseUrl,
    /// Our client id.
    pub client_id: String,
    /// Our client secret.
    pub client_secret: SecretString,
}

/// Signing in at Heroku.
#[derive(Debug)]
pub struct HerokuSignIn {
    settings: HerokuSignInSettings,
    clock: Arc<dyn Clock>,
    client: Client,
}

#[derive(Deserialize)]
struct Token {
    token: SecretString,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Told {
    access_token: Token,
    refresh_token: Option<Token>,
    authorization: Option<Named>,
}

#[derive(Deserialize)]
struct Account {
    id: String,
    email: String,
}

impl HerokuSignIn {
    /// Prepares the client; nothing is sent yet. Fails if the machine's TLS cannot be set up.
    pub fn new(settings: HerokuSignInSettings, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        Ok(Self { settings, clock, client: client(Some(PATIENCE))? })
    }

    fn call<'a>(&self, method: Method, segments: impl IntoIterator<Item = &'a str>, path: &'static str) -> Call {
        Call::new(Service::Platform, method, self.settings.api.at(segments), path)
            .header(ACCEPT, HeaderValue::from_static("application/vnd.heroku+json; version=3"))
    }

    /// Asks for tokens, once.
    async fn ask_for_tokens(&self, body: &Value, secrets: &[&SecretString]) -> Result<Granted, Refused> {
        let call = self.call(Method::POST, ["oauth", "tokens"], "/oauth/tokens").json(body);
        let answer = self.answered(call, true, secrets).await?;
        let what = "POST /oauth/tokens";
        let told: Told =
            serde_json::from_slice(&answer.body).map_err(|error| Refused::unreadable(what, &answer, &format!("{:?}", error.classify())))?;
        let now = self.clock.now();
        let until = ends_after(now, told.access_token.expires_in);
        let refresh_until = told.refresh_token.as_ref().and_then(|refresh| ends_after(now, refresh.expires_in));
        let life = Life::of(until, told.refresh_token.is_some(), refresh_until);
        let scopes = SCOPES.into_iter().filter_map(|scope| ScopeName::parse(scope).ok()).collect();
        Ok(Granted {
            tokens: Tokens { access: told.access_token.token, refresh: told.refresh_token.map(|refresh| refresh.token) },
            life,
            // Which were granted is not told: nobody can give less than was asked for.
            scopes,
            rights: rights(),
            grant: told.authorization.and_then(|grant| GrantId::parse(&grant.id).ok()),
        })
    }

    async fn answered(&self, call: Call, write: bool, secrets: &[&SecretString]) -> Result<Answer, Refused> {
        let what = call.what();
        let answer = exchange(&self.client, call, JSON_LIMIT)
            .await
            .map_err(|fault| Refused::unanswered(fault.error(Service::Platform, &what, write)))?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let secrets: Vec<&SecretString> = secrets.iter().copied().chain([&self.settings.client_secret]).collect();
        Err(Refused::read(&what, &answer, self.clock.now(), &secrets))
    }

    /// Asks with a token, again where that may help: only for what is safe to repeat.
    async fn asked(&self, method: Method, segments: &[&str], path: &'static str, token: &SecretString) -> Result<Answer, Refused> {
        let mut tries = Tries::new(self.clock.as_ref());
        loop {
            let call = self.call(method.clone(), segments.iter().copied(), path);
            let what = call.what();
            let Some(call) = authorized(call, token) else {
                let detail = format!("{what}: the token cannot stand in a header");
                return Err(Refused::unanswered(PortError::new(Service::Platform, Fault::SignInLost, detail)));
            };
            match self.answered(call, method != Method::GET, &[token]).await {
                Err(refused) if refused.error.is_temporary() && tries.pause(refused.error.fault).await => {}
                done => return done,
            }
        }
    }
}

fn rights() -> BTreeSet<Right> {
    Right::ALL.into_iter().filter(|right| right.of() == Provider::Platform).collect()
}

#[async_trait]
impl SignInAt for HerokuSignIn {
    fn provider(&self) -> Provider {
        Provider::Platform
    }

    fn asks_for(&self) -> Vec<ScopeAsked> {
        let right = |scope: &str| if scope == "identity" { Right::KnowWho } else { Right::Ship };
        SCOPES.iter().map(|scope| ScopeAsked { scope: ScopeName::parse(scope).ok(), rights: BTreeSet::from([right(scope)]) }).collect()
    }

    // Heroku knows no proofs: the state and the client secret have to do.
    fn agree_at(&self, state: &SecretString, _: &Proof) -> SecretString {
        let mut url = self.settings.id.at(["oauth", "authorize"]);
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("response_type", "code")
            .append_pair("scope", &SCOPES.join(" "))
            .append_pair("state", state.expose_secret());
        SecretString::from(String::from(url))
    }

    async fn exchange(&self, code: SecretString, _: &Proof) -> Result<Granted, PortError> {
        let body = json!({
            "client": { "secret": self.settings.client_secret.expose_secret() },
            "grant": { "type": "authorization_code", "code": code.expose_secret() },
        });
        self.ask_for_tokens(&body, &[&code]).await.map_err(|refused| {
            let mut error = PortError::from(refused);
            // No token was shown, so that none is lost: it is the code that is wrong.
            if matches!(error.fault, Fault::SignInLost | Fault::NotFound | Fault::Forbidden) {
                error.fault = Fault::Refused;
            }
            error
        })
    }

    async fn who(&self, access: &SecretString) -> Result<Identity, PortError> {
        let answer = self.asked(Method::GET, &["account"], "/account", access).await?;
        let nonsense = |why: &str| PortError::from(Refused::unreadable("GET /account", &answer, why));
        let account: Account = serde_json::from_slice(&answer.body).map_err(|_| nonsense("it is not what it should be"))?;
        let id = LoginId::parse(&account.id).map_err(|_| nonsense("it has no id"))?;
        Ok(Identity { id, name: scrub::clean(&account.email, 100) })
    }

    async fn renew(&self, tokens: &Tokens) -> Result<Granted, PortError> {
        let Some(refresh) = &tokens.refresh else {
            return Err(PortError::new(Service::Platform, Fault::SignInLost, "there is nothing to renew it with"));
        };
        let body = json!({
            "client": { "secret": self.settings.client_secret.expose_secret() },
            "grant": { "type": "refresh_token" },
            "refresh_token": { "token": refresh.expose_secret() },
        });
        self.ask_for_tokens(&body, &[refresh]).await.map_err(|refused| {
            let mut error = PortError::from(refused);
            // What it hung on is gone.
            if error.fault == Fault::NotFound {
                error.fault = Fault::SignInLost;
            }
            error
        })
    }

    // Each consent is one of its own here, whosever it is.
    async fn revoke(&self, tokens: &Tokens, grant: Option<GrantId>, _: Extent) -> Result<Revoked, PortError> {
        let by_hand = || Revoked::OnlyByHand { page: self.ended_by_hand_at() };
        // Never by `~`: that is the person's own key.
        let Some(grant) = grant.filter(|grant| grant.as_str() != "~") else { return Ok(by_hand()) };
        let mut renewed = None;
        loop {
            let access = renewed.as_ref().map_or(&tokens.access, |granted: &Granted| &granted.tokens.access);
            let path = "/oauth/authorizations/{authorization}";
            match self.asked(Method::DELETE, &["oauth", "authorizations", grant.as_str()], path, access).await {
                Ok(_) => return Ok(Revoked::Gone),
                Err(refused) if refused.status == Some(StatusCode::NOT_FOUND) => return Ok(Revoked::Gone),
                Err(refused) if refused.error.fault == Fault::Forbidden => return Ok(by_hand()),
                // What is worth nothing any more has ended.
                Err(refused) if refused.error.fault == Fault::SignInLost && tokens.refresh.is_none() => return Ok(Revoked::Gone),
                // An access that has run out leads nowhere; a new one does, unless all is gone.
                Err(refused) if refused.error.fault == Fault::SignInLost && renewed.is_none() => match self.renew(tokens).await {
                    Ok(granted) => renewed = Some(granted),
                    Err(error) if error.fault == Fault::SignInLost => return Ok(Revoked::Gone),
                    Err(error) => return Err(error),
                },
                Err(refused) => return Err(refused.into()),
            }
        }
    }

    fn ended_by_hand_at(&self) -> String {
        self.settings.dashboard.at(["account", "applications"]).into()
    }
}
