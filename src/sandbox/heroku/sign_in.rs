//! Signing in: the page on which a person agrees, and what the identity host gives for codes.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Heroku;
use super::http::{Answer, Asked, Refusal};
use super::state::World;
use crate::sandbox::secrets::marked;

/// How long a code lives.
const CODE_LIVES: SignedDuration = SignedDuration::from_secs(300);
/// How long an access token lives, in seconds.
pub(super) const ACCESS_SECONDS: i64 = 28_799;

/// The scopes that there are.
const SCOPES: [&str; 6] = ["global", "identity", "read", "write", "read-protected", "write-protected"];

/// An app that people sign in with, as its owner registers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSeed {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// Where people come back to: fixed here, and nowhere else.
    pub redirect_uri: String,
}

/// What the world knows of signing in.
#[derive(Debug, Default)]
pub(super) struct SignIns {
    pub(super) clients: Vec<ClientSeed>,
    codes: Vec<Code>,
    pub(super) authorizations: Vec<Authorization>,
    /// A refresh brings a new refresh token, and the old one ends.
    rotating: bool,
    /// Whoever holds a token may end what it hangs on, whatever its scopes.
    pub(super) endable: bool,
}

#[derive(Debug)]
struct Code {
    text: String,
    client: String,
    email: String,
    scopes: Vec<String>,
    ends_at: Timestamp,
    used: bool,
}

/// What a person has agreed to, and the tokens that hang on it.
#[derive(Clone, Debug)]
pub(super) struct Authorization {
    pub(super) id: Uuid,
    client: String,
    pub(super) email: String,
    pub(super) scopes: Vec<String>,
    made_at: Timestamp,
    access: (Uuid, String),
    ends_at: Timestamp,
    refresh: (Uuid, String),
    grant: String,
    pub(super) revoked: bool,
    /// Tokens that were replaced.
    spent: Vec<String>,
}

impl Authorization {
    /// Whether a token is its good one.
    pub(super) fn is_with(&self, token: &str, now: Timestamp) -> bool {
        !self.revoked && self.access.1 == token && now < self.ends_at
    }

    /// Whether its scopes open this.
    pub(super) fn opens(&self, asked: &Asked) -> bool {
        let has = |scope: &str| self.scopes.iter().any(|held| held == scope);
        let segments = asked.segments();
        match segments.as_slice() {
            ["account"] | ["users", "~"] => has("identity") || has("global") || has("read") || has("write"),
            ["oauth", ..] => has("global"),
            _ if asked.method == "GET" => ["global", "read", "write", "read-protected", "write-protected"].into_iter().any(has),
            _ => ["global", "write", "write-protected"].into_iter().any(has),
        }
    }

    /// As it is told to those who may see it.
    pub(super) fn shown(&self, user: Uuid) -> Value {
        let time = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        json!({
            "access_token": null, "client": { "id": self.client, "name": "Ship", "redirect_uri": null }, "created_at": time(self.made_at),
            "description": "Ship", "grant": null, "id": self.id, "refresh_token": null, "scope": self.scopes,
            "session": null, "updated_at": time(self.made_at), "user": { "id": user, "email": self.email, "full_name": null },
        })
    }
}

impl SignIns {
    /// Everything secret that was handed out.
    pub(super) fn secrets(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let codes = self.codes.iter().map(|code| ("a code of a sign-in at Heroku", code.text.as_str()));
        let tokens = self.authorizations.iter().flat_map(|held| {
            let spent = held.spent.iter().map(String::as_str);
            spent.chain([held.access.1.as_str(), held.refresh.1.as_str()]).map(|token| ("a token of a sign-in at Heroku", token))
        });
        codes.chain(tokens).chain(self.clients.iter().map(|client| ("a client secret at Heroku", client.secret.as_str())))
    }
}

impl Heroku {
    /// Registers an app that people can sign in with.
    pub fn add_client(&self, seed: ClientSeed) {
        self.world().0.sign_ins.clients.push(seed);
    }

    /// An app's owner registers another address to come back to.
    pub fn sends_back_to(&self, client: &str, redirect_uri: &str) -> Result<(), String> {
        let (mut world, _) = self.world();
        let client = world.sign_ins.clients.iter_mut().find(|known| known.id == client).ok_or("there is no such client")?;
        redirect_uri.clone_into(&mut client.redirect_uri);
        Ok(())
    }

    /// What happens where a person agrees (`email`), or not (`None`), to what an address of the page asks: where they are sent.
    pub fn agrees(&self, email: Option<&str>, address: &str) -> Result<String, String> {
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let (mut world, now) = self.world();
        world.decide(&query, email, now)
    }

    /// A person ends what they have given to all apps, on Heroku's own page.
    pub fn withdraw_apps(&self, email: &str) {
        let (mut world, _) = self.world();
        world.sign_ins.authorizations.iter_mut().filter(|held| held.email == email).for_each(|held| held.revoked = true);
    }

    /// What apps act with for a person ends at once, and can be renewed.
    pub fn end_access(&self, email: &str) {
        let (mut world, now) = self.world();
        world.sign_ins.authorizations.iter_mut().filter(|held| held.email == email).for_each(|held| held.ends_at = now);
    }

    /// How many authorizations of a person's are good.
    pub fn authorizations_of(&self, email: &str) -> usize {
        self.world().0.sign_ins.authorizations.iter().filter(|held| held.email == email && !held.revoked).count()
    }

    /// Whether a refresh brings a new refresh token and ends the old one. It does not unless set.
    pub fn rotate_refresh_tokens(&self, rotating: bool) {
        self.world().0.sign_ins.rotating = rotating;
    }

    /// Whether an app may end what its token hangs on without the scope `global`. It may not unless set: that is not documented.
    pub fn apps_may_end_authorizations(&self, endable: bool) {
        self.world().0.sign_ins.endable = endable;
    }
}

fn value<'q>(query: &'q [(String, String)], name: &str) -> Option<&'q str> {
    query.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
}

/// Everything at the identity host.
pub(super) fn answer(world: &mut World, asked: &Asked, now: Timestamp) -> Answer {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/oauth/authorize") => page(world, asked),
        ("POST", "/oauth/authorize") => {
            let form: Vec<(String, String)> = form_urlencoded::parse(&asked.body).into_owned().collect();
            match world.decide(&asked.query, value(&form, "as"), now) {
                Ok(to) => Answer::text(302, "").with("location", to),
                Err(why) => Answer::text(422, why),
            }
        }
        ("POST", "/oauth/token") => {
            let form: Vec<(String, String)> = form_urlencoded::parse(&asked.body).into_owned().collect();
            let text = |name: &str| value(&form, name).unwrap_or_default();
            let found = world.grant(text("client_secret"), text("grant_type"), text("code"), text("refresh_token"), now);
            match found {
                Ok(held) => Answer::json(
                    200,
                    &json!({
                        "access_token": held.access.1, "expires_in": ACCESS_SECONDS, "refresh_token": held.refresh.1,
                        "token_type": "Bearer", "user_id": world.user(&held.email).map(|user| user.id).ok(), "session_nonce": null,
                    }),
                ),
                Err(refusal) => refusal.into(),
            }
        }
        _ => Answer::unknown(asked),
    }
}

/// The page on which a person agrees. Whoever looks says who they are: there is no sign-in before the sign-in here.
fn page(world: &World, asked: &Asked) -> Answer {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&asked.query).finish();
    let button = |email: &str| format!("<button name=\"as\" value=\"{0}\">Allow Access as {0}</button>\n", escaped(email));
    let buttons: String = world.users.iter().map(|user| button(&user.email)).collect();
    let body = format!(
        "<!doctype html><html lang=\"en\"><title>Authorize</title><h1>The simulated Heroku</h1>\n<p>Asked for: {}</p>\n\
         <form method=\"post\" action=\"/oauth/authorize?{}\">\n{buttons}<button name=\"as\" value=\"\">Deny</button>\n</form></html>",
        escaped(asked.query("scope").unwrap_or("global")),
        escaped(&query),
    );
    Answer { content_type: "text/html", ..Answer::text(200, body) }
}

/// `POST /oauth/tokens` of the Platform API: takes no token.
pub(super) fn tokens(world: &mut World, asked: &Asked, now: Timestamp) -> Result<Answer, Refusal> {
    let body: Value =
        serde_json::from_slice(&asked.body).map_err(|_| Refusal::new(400, "bad_request", "Unable to parse data in the request body."))?;
    let text = |outer: &str, inner: &str| {
        body.get(outer).and_then(|outer| outer.get(inner)).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let kind = text("grant", "type");
    let held = world.grant(&text("client", "secret"), &kind, &text("grant", "code"), &text("refresh_token", "token"), now)?;
    let time = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let user = world.user(&held.email).map(|user| user.id).map_err(|_| Refusal::not_found())?;
    let session = world.fresh();
    Ok(Answer::json(
        201,
        &json!({
            "access_token": { "expires_in": ACCESS_SECONDS, "id": held.access.0, "token": held.access.1 },
            "authorization": { "id": held.id }, "client": null, "created_at": time(held.made_at), "grant": { "code": held.grant, "type": kind },
            "id": held.access.0, "refresh_token": { "expires_in": null, "id": held.refresh.0, "token": held.refresh.1 },
            "session": { "id": session }, "updated_at": time(now), "user": { "id": user },
        }),
    ))
}

/// `GET` and `DELETE /oauth/authorizations/{id}`.
pub(super) fn authorization(world: &mut World, email: &str, method: &str, id: &str) -> Result<Answer, Refusal> {
    let not_found = || Refusal::new(404, "not_found", "Couldn't find that authorization.").with("resource", json!("authorization"));
    // The person's own key, which `~` stands for, is none of these.
    let user = world.user(email).map(|user| user.id).map_err(|_| not_found())?;
    let held = world.sign_ins.authorizations.iter_mut().find(|held| held.email == email && !held.revoked && held.id.to_string() == id);
    let held = held.ok_or_else(not_found)?;
    held.revoked = method == "DELETE";
    Ok(Answer::json(200, &held.shown(user)))
}

impl World {
    /// Where somebody is sent who agrees, or not, to what is asked. An error: they stay on the page.
    fn decide(&mut self, query: &[(String, String)], email: Option<&str>, now: Timestamp) -> Result<String, String> {
        let client = value(query, "client_id").and_then(|id| self.sign_ins.clients.iter().find(|client| client.id == id));
        let ClientSeed { id: client, redirect_uri, .. } = client.ok_or("there is no such client")?.clone();
        let scopes: Vec<String> = value(query, "scope").unwrap_or("global").split([' ', ',']).map(str::to_owned).collect();
        if value(query, "response_type") != Some("code") || scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
            return Err("The requested scope is invalid, unknown, or malformed.".to_owned());
        }
        let state = value(query, "state").unwrap_or_default();
        let back = |pairs: &[(&str, &str)]| {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            format!("{redirect_uri}{}{query}", if redirect_uri.contains('?') { '&' } else { '?' })
        };
        let Some(email) = email.filter(|email| !email.is_empty()) else {
            return Ok(back(&[("error", "access_denied"), ("state", state)]));
        };
        let email = self.user(email)?.email.clone();
        let text = marked(self.fresh().simple());
        let ends_at = now.checked_add(CODE_LIVES).unwrap_or(now);
        let to = back(&[("code", &text), ("state", state)]);
        self.sign_ins.codes.push(Code { text, client, email, scopes, ends_at, used: false });
        Ok(to)
    }

    /// Gives tokens for a code or for a refresh token.
    fn grant(&mut self, secret: &str, kind: &str, code: &str, refresh: &str, now: Timestamp) -> Result<Authorization, Refusal> {
        let wrong = || Refusal::new(401, "unauthorized", "Unable to authenticate with the client secret provided.");
        let client = self.sign_ins.clients.iter().find(|client| client.secret == secret).ok_or_else(wrong)?.id.clone();
        let (access, new_refresh) = (self.new_token(), self.new_token());
        let ends_at = now.checked_add(SignedDuration::from_secs(ACCESS_SECONDS)).unwrap_or(now);
        let held = match kind {
            "authorization_code" => {
                let bad = || Refusal::new(401, "unauthorized", "Invalid authorization code.");
                let code = self.sign_ins.codes.iter_mut().find(|known| known.text == code && known.client == client).ok_or_else(bad)?;
                if std::mem::replace(&mut code.used, true) || now >= code.ends_at {
                    return Err(bad());
                }
                let (email, scopes, grant) = (code.email.clone(), code.scopes.clone(), code.text.clone());
                let id = self.fresh();
                let held = Authorization {
                    id,
                    client,
                    email,
                    scopes,
                    made_at: now,
                    access,
                    ends_at,
                    refresh: new_refresh,
                    grant,
                    revoked: false,
                    spent: Vec::new(),
                };
                self.sign_ins.authorizations.push(held.clone());
                held
            }
            "refresh_token" => {
                let bad = || Refusal::new(401, "unauthorized", "Invalid refresh token.");
                let rotating = self.sign_ins.rotating;
                let mut all = self.sign_ins.authorizations.iter_mut();
                let held = all.find(|held| held.refresh.1 == refresh && held.client == client && !held.revoked).ok_or_else(bad)?;
                held.spent.push(std::mem::replace(&mut held.access, access).1);
                if rotating {
                    held.spent.push(std::mem::replace(&mut held.refresh, new_refresh).1);
                }
                held.ends_at = ends_at;
                held.clone()
            }
            _ => return Err(Refusal::invalid("The grant type is not supported.")),
        };
        if let Some(closed) = self.user(&held.email).ok().and_then(|user| user.closed) {
            return Err(Refusal::closed(closed));
        }
        Ok(held)
    }

    fn new_token(&mut self) -> (Uuid, String) {
        let id = self.fresh();
        // As long as the real ones.
        (id, format!("HRKU-AA{}", marked(format!("{}{:.16}", id.simple(), self.fresh().simple()))))
    }
}
