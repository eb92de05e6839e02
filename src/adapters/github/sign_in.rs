//! Signing in at GitHub: as an OAuth app, with scopes, or as a GitHub App, with the permissions of its own settings.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::http::call::{Answer, Call, JSON_LIMIT, authorized, basic, exchange};
use crate::adapters::http::retry::Tries;
use crate::adapters::http::{client, scrub};
use crate::domain::account::{Life, Provider, Right};
use crate::domain::names::{GrantId, LoginId, ScopeName};
use crate::ports::sign_in::ends_after;
use crate::ports::{Clock, Extent, Fault, Granted, Identity, PortError, Proof, Revoked, ScopeAsked, Service, SignInAt, Tokens};

use super::CALL;
use super::refusal::{Refusal, judge};
use super::wire::JSON;

/// The two kinds of apps that people sign in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppKind {
    /// An OAuth app.
    OAuth {
        /// Whether to ask for tokens that end by themselves and are renewed.
        expiring: bool,
    },
    /// A GitHub App.
    GitHubApp,
}

/// What has to be known to sign people in.
#[derive(Clone, Debug)]
pub struct GitHubSignInSettings {
    /// The REST interface.
    pub api: BaseUrl,
    /// The pages for people.
    pub web: BaseUrl,
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: SecretString,
    /// Which kind of app it is.
    pub kind: AppKind,
    /// Where people come back to.
    pub callback: Url,
}

/// Signing in at GitHub.
#[derive(Debug)]
pub struct GitHubSignIn {
    settings: GitHubSignInSettings,
    clock: Arc<dyn Clock>,
    client: reqwest::Client,
}

/// What is answered where tokens are given, and where they are not: both with status 200.
#[derive(Deserialize)]
struct Told {
    access_token: Option<SecretString>,
    #[serde(default)]
    scope: String,
    #[serde(default, deserialize_with = "number")]
    expires_in: Option<u64>,
    refresh_token: Option<SecretString>,
    #[serde(default, deserialize_with = "number")]
    refresh_token_expires_in: Option<u64>,
    error: Option<String>,
    error_description: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
}

impl GitHubSignIn {
    /// Prepares the client; nothing is sent yet. Fails only if the system's certificates cannot be used.
    pub fn new(settings: GitHubSignInSettings, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        Ok(Self { settings, clock, client: client::client(Some(CALL))? })
    }

    /// Asks for tokens, once: whatever is shown for them is worth nothing after the first answer.
    async fn ask_for_tokens(&self, fields: &[(&str, &str)], secrets: &[&str]) -> Result<Granted, PortError> {
        let GitHubSignInSettings { client_id, client_secret, .. } = &self.settings;
        let own = [("client_id", client_id.as_str()), ("client_secret", client_secret.expose_secret())];
        let fields: Vec<(&str, &str)> = own.into_iter().chain(fields.iter().copied()).collect();
        let url = self.settings.web.at(["login", "oauth", "access_token"]);
        let call = Call::new(Service::SourceControl, Method::POST, url, "/login/oauth/access_token")
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .form(&fields);
        let what = call.what();
        let answer = exchange(&self.client, call, JSON_LIMIT).await.map_err(|fault| fault.error(Service::SourceControl, &what, true))?;
        if !answer.status.is_success() {
            return Err(self.refused_without_words(&answer, &what));
        }
        let told = told(&answer).map_err(|why| {
            // Whoever gave these tokens out has ended the old ones: what came of it is not known.
            PortError::new(Service::SourceControl, Fault::Unclear, format!("{what}: {why}, request {}", answer.request_id()))
        })?;
        let Some(access) = told.access_token else { return Err(self.refused(&told, &answer, &what, secrets)) };
        let now = self.clock.now();
        let life = Life::of(ends_after(now, told.expires_in), told.refresh_token.is_some(), ends_after(now, told.refresh_token_expires_in));
        // Asked for with blanks between, told with commas.
        let scopes: BTreeSet<ScopeName> = told.scope.split([',', ' ']).filter_map(|scope| ScopeName::parse(scope).ok()).collect();
        let rights = self.rights(&scopes);
        Ok(Granted { tokens: Tokens { access, refresh: told.refresh_token }, life, scopes, rights, grant: None })
    }

    /// What scopes allow us. Of a GitHub App's token nothing is told: what it may do stands in the app's settings.
    fn rights(&self, scopes: &BTreeSet<ScopeName>) -> BTreeSet<Right> {
        let has = |name: &str| scopes.iter().any(|scope| scope.as_str() == name);
        let whole = self.settings.kind == AppKind::GitHubApp || has("repo");
        let own = Right::ALL.into_iter().filter(|right| right.of() == Provider::SourceControl);
        own.filter(|right| {
            whole || (*right == Right::RecordDeployments && has("repo_deployment")) || (*right == Right::ReadChecks && has("repo:status"))
        })
        .collect()
    }

    fn refused(&self, told: &Told, answer: &Answer, what: &str, secrets: &[&str]) -> PortError {
        let word: String =
            told.error.as_deref().unwrap_or("no token").chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect();
        let fault = match word.as_str() {
            "bad_refresh_token" => Fault::SignInLost,
            "slow_down" => Fault::RateLimited { until: None },
            // Everything else is wrong with the code, or with how we are registered: neither says anything about older tokens.
            _ => Fault::Refused,
        };
        let mut secrets = secrets.to_vec();
        secrets.push(self.settings.client_secret.expose_secret());
        let error = PortError::new(Service::SourceControl, fault, format!("{what}: {word}, request {}", answer.request_id()));
        match &told.error_description {
            Some(said) => error.saying(scrub::clean_without(said, 300, &secrets)),
            None => error,
        }
    }

    /// A refusal by status: whatever stands before the service that gives out tokens, or the service in trouble.
    fn refused_without_words(&self, answer: &Answer, what: &str) -> PortError {
        let mut error = judge(answer, what, &self.settings.client_secret, self.clock.now(), &self.settings.web).error;
        if matches!(error.fault, Fault::SignInLost | Fault::NotFound | Fault::Forbidden) {
            error.fault = Fault::Refused;
        }
        error
    }

    async fn who_once(&self, access: &SecretString) -> Result<Identity, Refusal> {
        let call = Call::new(Service::SourceControl, Method::GET, self.settings.api.at(["user"]), "/user")
            .header(ACCEPT, HeaderValue::from_static(JSON));
        let what = call.what();
        let call = authorized(call, access).ok_or_else(|| Refusal::no_token(&what))?;
        let answer = exchange(&self.client, call, JSON_LIMIT).await.map_err(|fault| Refusal::unanswered(&fault, &what, false))?;
        if answer.status != StatusCode::OK {
            return Err(judge(&answer, &what, access, self.clock.now(), &self.settings.web));
        }
        let user: User = serde_json::from_slice(&answer.body).map_err(|_| Refusal::nonsense(&what, "it is not what it should be"))?;
        let id = LoginId::parse(&user.id.to_string()).map_err(|_| Refusal::nonsense(&what, "it has no id"))?;
        Ok(Identity { id, name: scrub::clean(&user.login, 100) })
    }

    /// Sees that a token that was not found is worth nothing. Whoever asks with a wrong id or secret finds none either, and what people
    /// are told has ended would go on.
    async fn is_worth_nothing(&self, access: &SecretString) -> Result<(), PortError> {
        match self.who(access).await {
            Err(error) if error.fault == Fault::SignInLost => Ok(()),
            Err(error) => Err(error),
            Ok(_) => {
                let detail = "a login goes on that the app does not find: its client id or its secret may be wrong";
                Err(PortError::new(Service::SourceControl, Fault::Refused, detail))
            }
        }
    }

    /// Ends an access token, or the grant that it hangs on with all tokens of that person. `false`: the token is none, or none any
    /// more.
    async fn end(&self, access: &SecretString, extent: Extent) -> Result<bool, PortError> {
        let GitHubSignInSettings { client_id, client_secret, .. } = &self.settings;
        let (of, path, what) = match extent {
            Extent::Everything => ("grant", "/applications/{client_id}/grant", "DELETE /applications/{client_id}/grant"),
            Extent::TheseTokens => ("token", "/applications/{client_id}/token", "DELETE /applications/{client_id}/token"),
        };
        let Some(own) = basic(client_id, client_secret) else { return Err(Refusal::no_token(what).into()) };
        let mut tries = Tries::new(self.clock.as_ref());
        loop {
            let url = self.settings.api.at(["applications", client_id, of]);
            let call = Call::new(Service::SourceControl, Method::DELETE, url, path)
                .header(ACCEPT, HeaderValue::from_static(JSON))
                .header(AUTHORIZATION, own.clone())
                .json(&json!({ "access_token": access.expose_secret() }));
            let ended = match exchange(&self.client, call, JSON_LIMIT).await {
                Ok(answer) => match answer.status {
                    StatusCode::NO_CONTENT => Ok(true),
                    StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => Ok(false),
                    _ => Err(self.refused_without_words(&answer, what)),
                },
                Err(fault) => Err(fault.error(Service::SourceControl, what, true)),
            };
            match ended {
                Err(error) if error.is_temporary() && tries.pause(error.fault).await => {}
                ended => return ended,
            }
        }
    }
}

#[async_trait]
impl SignInAt for GitHubSignIn {
    fn provider(&self) -> Provider {
        Provider::SourceControl
    }

    fn asks_for(&self) -> Vec<ScopeAsked> {
        let rights: BTreeSet<Right> = Right::ALL.into_iter().filter(|right| right.of() == Provider::SourceControl).collect();
        match self.settings.kind {
            AppKind::GitHubApp => vec![ScopeAsked { scope: None, rights }],
            AppKind::OAuth { expiring } => {
                // There is no narrower scope by which private source can be read.
                let all = [("repo", rights)].into_iter().chain(expiring.then(|| ("offline_access", BTreeSet::new())));
                all.map(|(scope, rights)| ScopeAsked { scope: ScopeName::parse(scope).ok(), rights }).collect()
            }
        }
    }

    fn agree_at(&self, state: &SecretString, proof: &Proof) -> SecretString {
        let mut url = self.settings.web.at(["login", "oauth", "authorize"]);
        let asked = self.asks_for();
        let scopes: Vec<&str> = asked.iter().filter_map(|asked| asked.scope.as_ref()).map(ScopeName::as_str).collect();
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", self.settings.callback.as_str())
            .extend_pairs((!scopes.is_empty()).then(|| ("scope", scopes.join(" "))))
            .append_pair("state", state.expose_secret())
            .append_pair("code_challenge", &proof.challenge)
            .append_pair("code_challenge_method", "S256")
            // Whoever has several logins is asked which.
            .append_pair("prompt", "select_account");
        SecretString::from(String::from(url))
    }

    async fn exchange(&self, code: SecretString, proof: &Proof) -> Result<Granted, PortError> {
        let (code, verifier) = (code.expose_secret(), proof.verifier.expose_secret());
        let callback = self.settings.callback.as_str();
        self.ask_for_tokens(&[("code", code), ("redirect_uri", callback), ("code_verifier", verifier)], &[code, verifier]).await
    }

    async fn who(&self, access: &SecretString) -> Result<Identity, PortError> {
        let mut tries = Tries::new(self.clock.as_ref());
        loop {
            match self.who_once(access).await {
                Err(refusal) if refusal.again && tries.pause(refusal.error.fault).await => {}
                done => return done.map_err(PortError::from),
            }
        }
    }

    async fn renew(&self, tokens: &Tokens) -> Result<Granted, PortError> {
        let Some(refresh) = &tokens.refresh else {
            return Err(PortError::new(Service::SourceControl, Fault::SignInLost, "there is nothing to renew it with"));
        };
        let refresh = refresh.expose_secret();
        self.ask_for_tokens(&[("grant_type", "refresh_token"), ("refresh_token", refresh)], &[refresh]).await
    }

    async fn revoke(&self, tokens: &Tokens, _: Option<GrantId>, extent: Extent) -> Result<Revoked, PortError> {
        let ended = self.end(&tokens.access, extent).await?;
        // An access that has run out does not lead to the grant any more, a new one does; and whether an access takes along what renews
        // it is not documented, where it does not end with the grant.
        if tokens.refresh.is_some() && (!ended || extent == Extent::TheseTokens) {
            match self.renew(tokens).await {
                Ok(renewed) => {
                    self.end(&renewed.tokens.access, extent).await?;
                    return Ok(Revoked::Gone);
                }
                Err(error) if error.fault == Fault::SignInLost => {}
                Err(error) => return Err(error),
            }
        }
        if !ended {
            self.is_worth_nothing(&tokens.access).await?;
        }
        Ok(Revoked::Gone)
    }

    fn ended_by_hand_at(&self) -> String {
        self.settings.web.at(["settings", "connections", "applications", &self.settings.client_id]).into()
    }
}

/// Reads tokens or a refusal, as JSON or as a form: some put a form before what was asked for.
fn told(answer: &Answer) -> Result<Told, &'static str> {
    let form = answer.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !form {
        return serde_json::from_slice(&answer.body).map_err(|_| "the answer cannot be read");
    }
    let fields = form_urlencoded::parse(&answer.body).map(|(key, value)| (key.into_owned(), json!(value)));
    serde_json::from_value(serde_json::Value::Object(fields.collect())).map_err(|_| "the form in the answer cannot be read")
}

/// A number, also where a form makes a text of it.
fn number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(from)?;
    Ok(value.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok())))
}
