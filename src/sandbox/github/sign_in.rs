//! Signing in: the page on which a person agrees, and the tokens for codes and for refresh tokens, as the web host gives them.

use std::collections::BTreeSet;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use form_urlencoded::Serializer;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Github;
use super::answer::Answer;
use super::asked::Asked;
use super::world::{Budget, Token, World};
use crate::sandbox::secrets::marked;

/// How long a code lives.
const CODE_LIVES: SignedDuration = SignedDuration::from_mins(10);
/// How long an access token lives that ends by itself, in seconds.
const ACCESS_SECONDS: i64 = 28_800;
/// How long the token that renews it lives, in seconds.
const REFRESH_SECONDS: i64 = 15_897_600;
/// How many tokens one person may have of one app with one set of scopes.
const TOKENS: usize = 10;

/// The two kinds of apps that people sign in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppKind {
    /// An OAuth app: acts with scopes, on everything of the person's.
    OAuth {
        /// Whether its tokens end by themselves.
        expiring: bool,
    },
    /// A GitHub App: acts with its own permissions, where it is installed; its tokens end by themselves.
    GitHubApp,
}

/// An app that people sign in with, as its owner registers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppSeed {
    /// Its client id.
    pub client_id: &'static str,
    /// Its client secret.
    pub client_secret: String,
    /// Which kind.
    pub kind: AppKind,
    /// Where people may come back to.
    pub callback: String,
}

/// What the world knows of signing in.
#[derive(Debug, Default)]
pub(super) struct SignIns {
    pub(super) apps: Vec<App>,
    codes: Vec<Code>,
    refreshes: Vec<Refresh>,
}

#[derive(Debug)]
pub(super) struct App {
    pub(super) seed: AppSeed,
    /// The owners on whose repositories it is installed, in lower case.
    pub(super) installed_at: BTreeSet<String>,
}

#[derive(Debug)]
struct Code {
    text: String,
    client_id: &'static str,
    login: String,
    scopes: BTreeSet<String>,
    challenge: Option<String>,
    ends_at: Timestamp,
    used: bool,
}

#[derive(Debug)]
struct Refresh {
    text: String,
    client_id: &'static str,
    access: String,
    ends_at: Timestamp,
    used: bool,
}

/// By which app a token was given out, and for what.
#[derive(Clone, Debug)]
pub(super) struct GivenOut {
    pub(super) client_id: &'static str,
    /// `None`: a GitHub App's, which has no scopes.
    pub(super) scopes: Option<BTreeSet<String>>,
    pub(super) ends_at: Option<Timestamp>,
    pub(super) at: Timestamp,
}

impl SignIns {
    /// Everything secret that was handed out.
    pub(super) fn secrets(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let codes = self.codes.iter().map(|code| ("a code of a sign-in at GitHub", code.text.as_str()));
        let refreshes = self.refreshes.iter().map(|refresh| ("a refresh token of GitHub", refresh.text.as_str()));
        codes.chain(refreshes).chain(self.apps.iter().map(|app| ("a client secret at GitHub", app.seed.client_secret.as_str())))
    }

    pub(super) fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.seed.client_id == client_id)
    }

    /// The app that shows this id and this secret.
    pub(super) fn app_with(&self, client_id: &str, secret: &str) -> Option<&App> {
        self.app(client_id).filter(|app| app.seed.client_secret == secret)
    }
}

impl Github {
    /// Registers an app that people can sign in with.
    pub fn add_app(&self, seed: AppSeed) {
        self.lock().sign_ins.apps.push(App { seed, installed_at: BTreeSet::new() });
    }

    /// Installs a GitHub App on all repositories of an owner.
    pub fn install_app(&self, client_id: &str, owner: &str) -> Result<(), String> {
        let mut world = self.lock();
        let app = world.sign_ins.apps.iter_mut().find(|app| app.seed.client_id == client_id).ok_or("there is no such app")?;
        app.installed_at.insert(owner.to_lowercase());
        Ok(())
    }

    /// An app's owner registers another address to come back to.
    pub fn sends_back_to(&self, client_id: &str, callback: &str) -> Result<(), String> {
        let mut world = self.lock();
        let app = world.sign_ins.apps.iter_mut().find(|app| app.seed.client_id == client_id).ok_or("there is no such app")?;
        callback.clone_into(&mut app.seed.callback);
        Ok(())
    }

    /// What happens where a person agrees (`login`), or not (`None`), to what an address of the page asks: where they are sent.
    pub fn agrees(&self, login: Option<&str>, address: &str) -> Result<String, String> {
        let now = self.now();
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        self.lock().decide(&query, login, now)
    }

    /// What apps act with for a person ends at once, and can be renewed where it can be at all.
    pub fn end_access(&self, login: &str) {
        let mut world = self.lock();
        let tokens = world.tokens.values_mut().filter(|token| token.login.eq_ignore_ascii_case(login));
        tokens.filter(|token| token.given_out.is_some()).for_each(|token| token.revoked = true);
    }

    /// A person withdraws what they have given to an app, on GitHub's own page.
    pub fn withdraw_app(&self, login: &str, client_id: &str) {
        self.lock().end_grant(login, client_id);
    }
}

fn value<'q>(query: &'q [(String, String)], name: &str) -> Option<&'q str> {
    query.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
}

/// An address with more in its query.
fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{address}{}{query}", if address.contains('?') { '&' } else { '?' })
}

/// `GET` and `POST /login/oauth/authorize`, `POST /login/oauth/access_token`.
pub(super) fn answer(world: &mut World, asked: &Asked, now: Timestamp) -> Option<Answer> {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/login/oauth/authorize") => Some(page(world, asked)),
        ("POST", "/login/oauth/authorize") => {
            let form: Vec<(String, String)> = form_urlencoded::parse(&asked.body).into_owned().collect();
            Some(match world.decide(&asked.query, value(&form, "as"), now) {
                Ok(to) => Answer::empty(302).with("location", to),
                Err(why) => Answer::text(404, "text/plain; charset=utf-8", why),
            })
        }
        ("POST", "/login/oauth/access_token") => {
            let answer = tokens(world, asked, now);
            world.answers.note(&asked.method, &asked.path, answer.status, &answer.body);
            Some(answer)
        }
        _ => None,
    }
}

/// The page on which a person agrees. Whoever looks says who they are: there is no sign-in before the sign-in here.
fn page(world: &World, asked: &Asked) -> Answer {
    let Some(app) = value(&asked.query, "client_id").and_then(|id| world.sign_ins.app(id)) else {
        return Answer::text(404, "text/plain; charset=utf-8", "there is no such app");
    };
    let escaped = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let query = Serializer::new(String::new()).extend_pairs(&asked.query).finish();
    let people: BTreeSet<&str> = world.tokens.values().map(|token| token.login.as_str()).collect();
    let buttons: String =
        people.iter().map(|login| format!("<button name=\"as\" value=\"{0}\">Authorize as {0}</button>\n", escaped(login))).collect();
    let scopes = value(&asked.query, "scope").unwrap_or("what its settings say");
    let body = format!(
        "<!doctype html><html lang=\"en\"><title>Authorize</title><h1>The simulated GitHub</h1>\n\
         <p>{} asks for: {}</p>\n<form method=\"post\" action=\"/login/oauth/authorize?{}\">\n{buttons}\
         <button name=\"as\" value=\"\">Cancel</button>\n</form></html>",
        escaped(app.seed.client_id),
        escaped(scopes),
        escaped(&query),
    );
    Answer::text(200, "text/html; charset=utf-8", body)
}

impl World {
    /// Where somebody is sent who agrees, or not, to what is asked. An error: nowhere.
    fn decide(&mut self, query: &[(String, String)], login: Option<&str>, now: Timestamp) -> Result<String, String> {
        let app = value(query, "client_id").and_then(|id| self.sign_ins.app(id)).ok_or("there is no such app")?;
        let AppSeed { client_id, kind, callback, .. } = app.seed.clone();
        let state = value(query, "state").unwrap_or_default();
        let refused = |error: &str, why: &str| {
            let docs = "https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-authorization-request-errors";
            with_query(&callback, &[("error", error), ("error_description", why), ("error_uri", docs), ("state", state)])
        };
        if value(query, "redirect_uri").is_some_and(|to| to != callback) {
            return Ok(refused("redirect_uri_mismatch", "The redirect_uri is not associated with this application."));
        }
        let (challenge, method) = (value(query, "code_challenge"), value(query, "code_challenge_method"));
        let fits = match (challenge, method) {
            (None, None) => true,
            (Some(challenge), Some("S256")) => challenge.len() == 43,
            (Some(_), _) | (None, Some(_)) => false,
        };
        if !fits {
            return Err("code_challenge and code_challenge_method=S256 belong together".to_owned());
        }
        let Some(login) = login.filter(|login| !login.is_empty()) else {
            return Ok(refused("access_denied", "The user has denied your application access."));
        };
        if !self.tokens.values().any(|token| token.login.eq_ignore_ascii_case(login)) {
            return Err(format!("there is no {login}"));
        }
        let scopes = match kind {
            AppKind::OAuth { .. } => {
                value(query, "scope").unwrap_or_default().split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
            }
            AppKind::GitHubApp => BTreeSet::new(),
        };
        let text = marked(format!("{:010x}", self.numbers.fresh()));
        self.sign_ins.codes.push(Code {
            text: text.clone(),
            client_id,
            login: login.to_owned(),
            scopes,
            challenge: challenge.map(str::to_owned),
            ends_at: now.checked_add(CODE_LIVES).unwrap_or(now),
            used: false,
        });
        Ok(with_query(&callback, &[("code", &text), ("state", state)]))
    }

    /// Ends everything that a person has given to an app.
    pub(super) fn end_grant(&mut self, login: &str, client_id: &str) {
        for token in self.tokens.values_mut().filter(|token| token.login.eq_ignore_ascii_case(login)) {
            token.revoked |= token.given_out.as_ref().is_some_and(|given| given.client_id == client_id);
        }
        let World { sign_ins, tokens, .. } = self;
        for refresh in &mut sign_ins.refreshes {
            refresh.used |= tokens.get(&refresh.access).is_some_and(|token| token.revoked);
        }
    }

    /// Gives out an access token, with one that renews it where it ends by itself.
    fn give(
        &mut self,
        client_id: &'static str,
        kind: AppKind,
        login: &str,
        scopes: &BTreeSet<String>,
        now: Timestamp,
    ) -> Map<String, Value> {
        let ends = match kind {
            AppKind::OAuth { expiring } => expiring,
            AppKind::GitHubApp => true,
        };
        let later = |seconds: i64| now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
        let begins = if kind == AppKind::GitHubApp { "ghu_" } else { "gho_" };
        let access = format!("{begins}{}", marked(format!("{:026x}", self.numbers.fresh())));
        let of_app = (kind != AppKind::GitHubApp).then(|| scopes.clone());
        let given_out = GivenOut { client_id, scopes: of_app.clone(), ends_at: ends.then(|| later(ACCESS_SECONDS)), at: now };
        let same = |token: &Token| {
            let given = token.given_out.as_ref();
            token.login == login && !token.revoked && given.is_some_and(|given| given.client_id == client_id && given.scopes == of_app)
        };
        // The eleventh ends the oldest.
        let mut others: Vec<(Timestamp, String)> = self
            .tokens
            .iter()
            .filter(|(_, token)| same(token))
            .filter_map(|(text, token)| Some((token.given_out.as_ref()?.at, text.clone())))
            .collect();
        others.sort();
        let too_many = (others.len() + 1).saturating_sub(TOKENS);
        for (_, oldest) in others.into_iter().take(too_many) {
            if let Some(token) = self.tokens.get_mut(&oldest) {
                token.revoked = true;
            }
        }
        let token = Token { login: login.to_owned(), revoked: false, budget: Budget::default(), given_out: Some(given_out) };
        self.tokens.insert(access.clone(), token);
        let mut told = Map::new();
        told.insert("access_token".to_owned(), json!(access));
        if ends {
            let refresh = format!("ghr_{}", marked(format!("{:066x}", self.numbers.fresh())));
            told.insert("expires_in".to_owned(), json!(ACCESS_SECONDS));
            told.insert("refresh_token".to_owned(), json!(refresh));
            told.insert("refresh_token_expires_in".to_owned(), json!(REFRESH_SECONDS));
            self.sign_ins.refreshes.push(Refresh { text: refresh, client_id, access, ends_at: later(REFRESH_SECONDS), used: false });
        }
        // Asked for with blanks between, told with commas.
        told.insert("scope".to_owned(), json!(scopes.iter().cloned().collect::<Vec<_>>().join(",")));
        told.insert("token_type".to_owned(), json!("bearer"));
        told
    }
}

/// A refusal, which comes with status 200.
fn refused(error: &str, why: &str) -> Map<String, Value> {
    let docs = "https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors";
    let pairs = [("error", error), ("error_description", why), ("error_uri", docs)];
    pairs.into_iter().map(|(key, text)| (key.to_owned(), json!(text))).collect()
}

/// `POST /login/oauth/access_token`.
fn tokens(world: &mut World, asked: &Asked, now: Timestamp) -> Answer {
    let form: Vec<(String, String)> = match asked.header("content-type") {
        Some(kind) if kind.starts_with("application/json") => match asked.object() {
            Ok(object) => object.into_iter().filter_map(|(key, value)| Some((key, value.as_str()?.to_owned()))).collect(),
            Err(refused) => return refused,
        },
        Some(_) | None => form_urlencoded::parse(&asked.body).into_owned().collect(),
    };
    let told = granted(world, &form, now).unwrap_or_else(|refused| refused);
    if asked.accepts("application/json") {
        return Answer::ok(&Value::Object(told));
    }
    let plain = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let body = Serializer::new(String::new()).extend_pairs(told.into_iter().map(|(key, value)| (key, plain(value)))).finish();
    Answer::text(200, "application/x-www-form-urlencoded; charset=utf-8", body)
}

fn granted(world: &mut World, form: &[(String, String)], now: Timestamp) -> Result<Map<String, Value>, Map<String, Value>> {
    let (id, secret) = (value(form, "client_id").unwrap_or_default(), value(form, "client_secret").unwrap_or_default());
    let wrong_app = || refused("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.");
    let AppSeed { client_id, kind, callback, .. } = world.sign_ins.app_with(id, secret).ok_or_else(wrong_app)?.seed.clone();
    match value(form, "grant_type") {
        Some("refresh_token") => {
            let bad = || refused("bad_refresh_token", "The refresh token passed is incorrect or expired.");
            let text = value(form, "refresh_token").ok_or_else(bad)?;
            let known =
                world.sign_ins.refreshes.iter_mut().find(|known| known.text == text && known.client_id == client_id).ok_or_else(bad)?;
            if known.used || now >= known.ends_at {
                return Err(bad());
            }
            known.used = true;
            let access = known.access.clone();
            // Both the old ones end at once.
            let old = world.tokens.get_mut(&access).ok_or_else(bad)?;
            old.revoked = true;
            let (login, scopes) = (old.login.clone(), old.given_out.as_ref().and_then(|given| given.scopes.clone()).unwrap_or_default());
            Ok(world.give(client_id, kind, &login, &scopes, now))
        }
        Some("authorization_code") | None => {
            let bad = || refused("bad_verification_code", "The code passed is incorrect or expired.");
            let text = value(form, "code").ok_or_else(bad)?;
            let code = world.sign_ins.codes.iter_mut().find(|code| code.text == text && code.client_id == client_id).ok_or_else(bad)?;
            if std::mem::replace(&mut code.used, true) {
                return Err(bad());
            }
            let proven = match (&code.challenge, value(form, "code_verifier")) {
                (None, None) => true,
                (Some(challenge), Some(verifier)) => *challenge == BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
                (Some(_), None) | (None, Some(_)) => false,
            };
            if now >= code.ends_at || !proven {
                return Err(bad());
            }
            if value(form, "redirect_uri").is_some_and(|to| to != callback) {
                let why = "The redirect_uri MUST match the registered callback URL for this application.";
                return Err(refused("redirect_uri_mismatch", why));
            }
            let (login, scopes) = (code.login.clone(), code.scopes.clone());
            Ok(world.give(client_id, kind, &login, &scopes, now))
        }
        Some(_) => Err(refused("unsupported_grant_type", "The grant type is not supported.")),
    }
}
