//! Installing an app: the page on which somebody agrees, the tokens for codes and for refresh tokens, and their ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use form_urlencoded::Serializer;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::SlackWorkspace;
use super::methods::Arguments;
use super::state::State;
use crate::sandbox::secrets::marked;

/// How long a code lives.
const CODE_LIVES: SignedDuration = SignedDuration::from_mins(10);
/// How long a token lives that ends by itself, in seconds.
const ACCESS_SECONDS: i64 = 43_200;
/// How many tokens of one installation work at the same time where they end by themselves.
const ACTIVE: usize = 2;

/// An app that can be installed.
#[derive(Clone, Debug)]
pub struct AppSeed {
    /// Its client id.
    pub client_id: String,
    /// Its client secret.
    pub client_secret: String,
    /// Where people are sent back to; below it as well.
    pub redirect: String,
    /// Whether its tokens end by themselves.
    pub rotates: bool,
}

/// What an app is installed in, by its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Team(String),
    Enterprise(String),
}

#[derive(Clone, Debug)]
struct Code {
    text: String,
    place: Place,
    by: String,
    scopes: BTreeSet<String>,
    redirect: Option<String>,
    ends_at: Timestamp,
    used: bool,
}

/// Why a token works no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Revoked,
    Removed,
}

#[derive(Clone, Debug)]
struct Token {
    place: Place,
    ends_at: Option<Timestamp>,
    refresh: Option<String>,
    end: Option<End>,
}

/// What is installed, and who may speak with what.
#[derive(Debug, Default)]
pub(super) struct Installs {
    app: Option<AppSeed>,
    codes: Vec<Code>,
    tokens: BTreeMap<String, Token>,
    /// The scopes of each installation: they only ever grow.
    there: BTreeMap<Place, BTreeSet<String>>,
    /// The organisation of the workspaces, if they belong to one: its id and name.
    pub(super) enterprise: Option<(String, String)>,
    /// The workspaces that the organisation has let in.
    let_in: BTreeSet<String>,
    /// The token that came with the workspace is worth nothing any more.
    seed_gone: bool,
}

impl SlackWorkspace {
    /// Registers the app, so that it can be installed.
    pub fn add_app(&self, seed: AppSeed) {
        self.change(|state| state.installs.app = Some(seed));
    }

    /// Whether there is an app that can be installed.
    pub fn has_app(&self) -> bool {
        self.look(|state| state.installs.app.is_some())
    }

    /// All workspaces belong to an organisation from now on.
    pub fn in_enterprise(&self, id: &str, name: &str) {
        self.change(|state| state.installs.enterprise = Some((id.to_owned(), name.to_owned())));
    }

    /// The organisation lets a workspace in, or shuts it out.
    pub fn let_in(&self, team: &str, is: bool) {
        self.change(|state| if is { state.installs.let_in.insert(team.to_owned()) } else { state.installs.let_in.remove(team) });
    }

    /// The page on which somebody agrees.
    pub fn authorize_url(&self) -> String {
        format!("http://{}/oauth/v2/authorize", self.api)
    }

    /// What happens where a person agrees (by name), or not (`None`), to what an address of the page asks, for their workspace or for
    /// the whole organisation: where they are sent. An error: nowhere.
    pub fn agrees(&self, person: Option<&str>, whole_organisation: bool, address: &str) -> Result<String, String> {
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let now = self.now();
        self.change(|state| decide(state, &query, person, whole_organisation, now))
    }

    /// Whether a token is taken now.
    pub fn takes(&self, token: &str) -> bool {
        let now = self.now();
        self.look(|state| reach(self, state, token, now).is_ok())
    }

    /// Ends everything that the app has in a workspace or an organisation, as removing it does. The user of the app that lost its tokens,
    /// if it had any.
    pub(super) fn remove(&self, place: &Place) -> Option<String> {
        let home = matches!(place, Place::Team(team) if *team == self.seed.team_id);
        self.change(|state| {
            let installs = &mut state.installs;
            let seeded = home && !installs.seed_gone;
            installs.seed_gone |= home;
            let mut ended = seeded;
            for token in installs.tokens.values_mut().filter(|token| token.place == *place && token.end.is_none()) {
                token.end = Some(End::Removed);
                ended = true;
            }
            installs.there.remove(place);
            if matches!(place, Place::Enterprise(_)) {
                installs.let_in.clear();
            }
            ended.then(|| self.seed.bot_user_id.clone())
        })
    }

    /// What an installation is in.
    pub(super) fn place_of(&self, team: &str) -> Place {
        self.look(|state| match &state.installs.enterprise {
            Some((id, _)) if state.installs.there.contains_key(&Place::Enterprise(id.clone())) => Place::Enterprise(id.clone()),
            _ => Place::Team(team.to_owned()),
        })
    }

    /// What was handed out and must stay where it was given to.
    pub(super) fn secrets_of_installs(&self) -> Vec<(&'static str, String)> {
        self.look(|state| {
            let installs = &state.installs;
            let app = installs.app.iter().map(|app| ("a client secret of Slack", app.client_secret.clone()));
            let codes = installs.codes.iter().map(|code| ("a code of an installation", code.text.clone()));
            let tokens = installs.tokens.iter().flat_map(|(text, token)| {
                let refresh = token.refresh.iter().map(|refresh| ("a refresh token of Slack", refresh.clone()));
                refresh.chain([("a bot's token", text.clone())])
            });
            app.chain(codes).chain(tokens).collect()
        })
    }
}

/// The workspaces that a token speaks in; an error by its name.
pub(super) fn reach(workspace: &SlackWorkspace, state: &State, token: &str, now: Timestamp) -> Result<BTreeSet<String>, &'static str> {
    let seed = workspace.seed();
    if token == seed.bot_token {
        let home = BTreeSet::from([seed.team_id.clone()]);
        return if state.installs.seed_gone { Err("account_inactive") } else { Ok(home) };
    }
    let known = state.installs.tokens.get(token).ok_or("invalid_auth")?;
    match (known.end, known.ends_at) {
        (Some(End::Revoked), _) => Err("token_revoked"),
        (Some(End::Removed), _) => Err("account_inactive"),
        (None, Some(ends_at)) if now >= ends_at => Err("token_expired"),
        (None, _) => Ok(match &known.place {
            Place::Team(team) => BTreeSet::from([team.clone()]),
            Place::Enterprise(_) => state.installs.let_in.clone(),
        }),
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

/// `GET /oauth/v2/authorize`. Whoever looks says who they are: there is no sign-in before it here.
pub(super) async fn page(Shared(workspace): Shared<Arc<SlackWorkspace>>, uri: Uri) -> Response {
    let query = uri.query().unwrap_or_default().to_owned();
    let escaped = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let people: Vec<String> = workspace.look(|state| state.people.iter().map(|member| member.name.clone()).collect());
    let mut buttons: String =
        people.iter().map(|name| format!("<button name=\"as\" value=\"{0}\">Allow as {0}</button>\n", escaped(name))).collect();
    if workspace.look(|state| state.installs.enterprise.is_some()) {
        let whole = |name: &String| format!("<button name=\"all\" value=\"{0}\">Allow for all as {0}</button>\n", escaped(name));
        buttons.extend(people.iter().map(whole));
    }
    let body = format!(
        "<!doctype html><html lang=\"en\"><title>Authorize</title><h1>The simulated Slack</h1>\n\
         <form method=\"post\" action=\"/oauth/v2/authorize?{}\">\n{buttons}\
         <button name=\"as\" value=\"\">Cancel</button>\n</form></html>",
        escaped(&query),
    );
    Html(body).into_response()
}

/// `POST /oauth/v2/authorize`.
pub(super) async fn decided(Shared(workspace): Shared<Arc<SlackWorkspace>>, uri: Uri, body: Bytes) -> Response {
    let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let whole = value(&form, "all");
    match workspace.agrees(whole.or(value(&form, "as")), whole.is_some(), &uri.to_string()) {
        Ok(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Err(why) => (StatusCode::BAD_REQUEST, why).into_response(),
    }
}

fn decide(
    state: &mut State,
    query: &[(String, String)],
    person: Option<&str>,
    whole_organisation: bool,
    now: Timestamp,
) -> Result<String, String> {
    let app = state.installs.app.clone().ok_or("there is no app that can be installed")?;
    if value(query, "client_id") != Some(app.client_id.as_str()) {
        return Err("invalid_client_id".to_owned());
    }
    let redirect = value(query, "redirect_uri");
    if redirect.is_some_and(|to| !to.starts_with(&app.redirect)) {
        return Err("bad_redirect_uri".to_owned());
    }
    let back = redirect.unwrap_or(&app.redirect).to_owned();
    let own = value(query, "state").unwrap_or_default();
    let scopes: BTreeSet<String> = value(query, "scope").unwrap_or_default().split([',', ' ']).map(str::to_owned).collect();
    if scopes.iter().any(String::is_empty) {
        return Err("no_scopes".to_owned());
    }
    let Some(person) = person else { return Ok(with_query(&back, &[("error", "access_denied"), ("state", own)])) };
    let member = state.member(person).ok_or(format!("there is no {person}"))?;
    let (by, team) = (member.id.clone(), member.team.clone());
    let place = match (&state.installs.enterprise, whole_organisation) {
        (Some((id, _)), true) => Place::Enterprise(id.clone()),
        (None, true) => return Err("the workspace belongs to no organisation".to_owned()),
        (_, false) => Place::Team(team),
    };
    let text = marked(format!("{:010x}.{}", state.next(), now.as_second()));
    let ends_at = now.checked_add(CODE_LIVES).unwrap_or(now);
    state.installs.codes.push(Code { text: text.clone(), place, by, scopes, redirect: redirect.map(str::to_owned), ends_at, used: false });
    Ok(with_query(&back, &[("code", &text), ("state", own)]))
}

/// The id and the secret that an app shows: in its header, or among the arguments.
fn shown(headers: &HeaderMap, arguments: &Arguments) -> (String, String) {
    let basic = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    let decoded = basic.and_then(|encoded| String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok());
    match decoded.as_deref().and_then(|both| both.split_once(':')) {
        Some((id, secret)) => (id.to_owned(), secret.to_owned()),
        None => (arguments.text("client_id").to_owned(), arguments.text("client_secret").to_owned()),
    }
}

/// `oauth.v2.access`.
pub(super) fn access(workspace: &SlackWorkspace, headers: &HeaderMap, arguments: &Arguments) -> Result<Value, Value> {
    let now = workspace.now();
    let refuse = |error: &str| Err(json!({"ok": false, "error": error}));
    let (id, secret) = shown(headers, arguments);
    workspace.change(|state| {
        let Some(app) = state.installs.app.clone().filter(|app| app.client_id == id) else { return refuse("invalid_client_id") };
        if app.client_secret != secret {
            return refuse("bad_client_secret");
        }
        match arguments.text("grant_type") {
            "refresh_token" => {
                let refresh = arguments.text("refresh_token").to_owned();
                let held = state.installs.tokens.values_mut().find(|token| token.refresh.as_deref() == Some(refresh.as_str()));
                let Some(held) = held else { return refuse("invalid_refresh_token") };
                if held.end.is_some() {
                    return refuse("token_revoked");
                }
                // Good once.
                held.refresh = None;
                let place = held.place.clone();
                Ok(granted(workspace, state, &app, &place, None, now))
            }
            "" | "authorization_code" => {
                let text = arguments.text("code").to_owned();
                let Some(code) = state.installs.codes.iter_mut().find(|code| code.text == text) else { return refuse("invalid_code") };
                if std::mem::replace(&mut code.used, true) {
                    return refuse("code_already_used");
                }
                let code = code.clone();
                if now >= code.ends_at {
                    return refuse("invalid_code");
                }
                if code.redirect.as_deref() != Some(arguments.text("redirect_uri")).filter(|to| !to.is_empty()) {
                    return refuse("bad_redirect_uri");
                }
                state.installs.there.entry(code.place.clone()).or_default().extend(code.scopes.iter().cloned());
                if code.place == Place::Team(workspace.seed().team_id.clone()) {
                    // Whatever was there before is replaced.
                    state.installs.seed_gone = true;
                }
                if !app.rotates {
                    for token in state.installs.tokens.values_mut().filter(|token| token.place == code.place && token.end.is_none()) {
                        token.end = Some(End::Revoked);
                    }
                }
                Ok(granted(workspace, state, &app, &code.place, Some(&code.by), now))
            }
            _ => refuse("invalid_grant_type"),
        }
    })
}

/// Gives out a token, with one that renews it where it ends by itself.
fn granted(workspace: &SlackWorkspace, state: &mut State, app: &AppSeed, place: &Place, by: Option<&str>, now: Timestamp) -> Value {
    let number = state.next();
    let (text, refresh, ends_at) = if app.rotates {
        let ends_at = now.checked_add(SignedDuration::from_secs(ACCESS_SECONDS)).unwrap_or(now);
        (format!("xoxe.xoxb-1-{}", marked(number)), Some(format!("xoxe-1-{}", marked(format!("{number}r")))), Some(ends_at))
    } else {
        (format!("xoxb-{}", marked(number)), None, None)
    };
    // The oldest end where too many are active.
    let mut active: Vec<(Timestamp, String)> = state
        .installs
        .tokens
        .iter()
        .filter(|(_, token)| token.place == *place && token.end.is_none())
        .filter_map(|(text, token)| Some((token.ends_at.filter(|ends_at| now < *ends_at)?, text.clone())))
        .collect();
    active.sort();
    let too_many = (active.len() + 1).saturating_sub(ACTIVE);
    for (_, oldest) in active.into_iter().take(too_many) {
        if let Some(token) = state.installs.tokens.get_mut(&oldest) {
            token.end = Some(End::Revoked);
        }
    }
    let token = Token { place: place.clone(), ends_at, refresh: refresh.clone(), end: None };
    state.installs.tokens.insert(text.clone(), token);
    let seed = workspace.seed();
    let scopes: Vec<&str> = state.installs.there.get(place).into_iter().flatten().map(String::as_str).collect();
    let named = |id: &str, name: &str| json!({"id": id, "name": name});
    let enterprise = state.installs.enterprise.as_ref().map_or(Value::Null, |(id, name)| named(id, name));
    let team = match place {
        Place::Team(id) if *id == seed.team_id => named(id, &seed.team_domain),
        Place::Team(id) => named(id, "elsewhere"),
        Place::Enterprise(_) => Value::Null,
    };
    let mut told = json!({
        "ok": true, "app_id": seed.app_id, "scope": scopes.join(","), "token_type": "bot", "access_token": text,
        "bot_user_id": seed.bot_user_id, "team": team, "enterprise": enterprise,
        "is_enterprise_install": matches!(place, Place::Enterprise(_)),
    });
    if let Some(told) = told.as_object_mut() {
        if let Some(by) = by {
            told.insert("authed_user".to_owned(), json!({"id": by}));
        }
        if let Some(refresh) = refresh {
            told.insert("refresh_token".to_owned(), json!(refresh));
            told.insert("expires_in".to_owned(), json!(ACCESS_SECONDS));
        }
    }
    told
}

/// `auth.revoke`: of an app whose tokens do not end by themselves, it ends the installation as well.
pub(super) fn revoke(state: &mut State, token: &str) -> Value {
    let rotates = state.installs.app.as_ref().is_some_and(|app| app.rotates);
    if let Some(known) = state.installs.tokens.get_mut(token) {
        known.end = Some(End::Revoked);
        let place = known.place.clone();
        if !rotates {
            state.installs.there.remove(&place);
        }
    } else {
        state.installs.seed_gone = true;
    }
    json!({"ok": true, "revoked": true})
}

/// `auth.teams.list`.
pub(super) fn teams(teams: &BTreeSet<String>) -> Value {
    let teams: Vec<Value> = teams.iter().map(|id| json!({"id": id, "name": id.to_lowercase()})).collect();
    json!({"ok": true, "teams": teams, "response_metadata": {"next_cursor": ""}})
}
