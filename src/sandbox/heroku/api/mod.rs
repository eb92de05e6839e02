//! The Platform API: who may come in, and which handler answers.

mod accounts;
mod apps;
mod builds;
mod owners;
mod pipelines;
mod promotions;
mod releases;

use axum::body::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::AppRight;
use super::http::{Answer, Asked, Refusal};
use super::records::{App, User, Who};
use super::sign_in;
use super::state::{World, digest, later};

/// A request that was let in.
#[derive(Debug)]
struct Call<'a> {
    asked: &'a Asked,
    who: Who,
    /// The variant of version 3 that was asked for: `sdk` for `3.sdk`, nothing for plain `3`.
    variant: &'a str,
    now: Timestamp,
}

impl Call<'_> {
    /// Whether the shapes of `3.sdk` are wanted.
    fn sdk(&self) -> bool {
        self.variant == "sdk"
    }

    /// The body as JSON.
    fn body(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(&self.asked.body).map_err(|_| Refusal::new(400, "bad_request", "Unable to parse data in the request body."))
    }
}

type Handled = Result<Answer, Refusal>;

/// The refusal when an account's calls are used up.
pub(super) fn rate_limited() -> Refusal {
    let message = "Your account reached the API rate limit\nPlease wait a few minutes before making new requests";
    Refusal::new(429, "rate_limit", message).with("url", json!("https://devcenter.heroku.com/articles/platform-api-reference#rate-limits"))
}

/// Answers a request.
pub(super) fn answer(world: &mut World, asked: &Asked, now: Timestamp) -> Answer {
    watch(world, asked);
    if asked.method == "POST" && asked.path == "/oauth/tokens" {
        let versioned = variant(asked.header("accept")).ok_or_else(not_acceptable);
        return versioned.and_then(|_| sign_in::tokens(world, asked, now)).unwrap_or_else(Answer::from);
    }
    let answer = match enter(world, asked, now) {
        Ok((call, calls_left)) => {
            let answer = dispatch(world, &call).unwrap_or_else(Answer::from);
            answer.with("ratelimit-remaining", calls_left.to_string())
        }
        Err(refusal) if refusal.status == 429 => Answer::from(refusal).with("ratelimit-remaining", "0"),
        Err(refusal) => refusal.into(),
    };
    // What ends in no time has ended before anybody looks again.
    world.settle(now);
    finish(world, asked, answer)
}

/// Notes what nobody may ask for.
fn watch(world: &mut World, asked: &Asked) {
    if asked.segments().contains(&"config-vars") {
        world.violations.push(format!("config vars were asked for: {} {}", asked.method, asked.path));
    }
    if asked.path.ends_with("/account/github/token") {
        world.violations.push("a person's token at the source host was asked for".to_owned());
    }
    if asked.method == "DELETE" && asked.path.ends_with("/oauth/authorizations/~") {
        world.violations.push("a person's own API key was to be deleted".to_owned());
    }
}

/// Checks version, token and number of calls.
fn enter<'a>(world: &mut World, asked: &'a Asked, now: Timestamp) -> Result<(Call<'a>, i64), Refusal> {
    let variant = variant(asked.header("accept")).ok_or_else(not_acceptable)?;
    if asked.header("authorization").is_empty() {
        let message = "There were no credentials in your `Authorization` header. Try `Authorization: Bearer <OAuth access token>` \
                       or `Authorization: Basic <base64-encoded email + \":\" + password>`.";
        return Err(Refusal::new(401, "unauthorized", message));
    }
    let token = asked.token().unwrap_or_default();
    let email = world.whose(&token, now).ok_or_else(|| Refusal::new(401, "unauthorized", "Invalid credentials provided."))?;
    let World { users, sign_ins, .. } = world;
    let held = sign_ins.authorizations.iter().find(|held| held.is_with(&token, now));
    let may_end = sign_ins.endable && asked.segments().starts_with(&["oauth", "authorizations"]);
    if held.is_some_and(|held| !held.opens(asked)) && !may_end {
        return Err(Refusal::new(403, "forbidden", "The scope of your token does not allow this."));
    }
    let user = users.iter_mut().find(|user| user.email == email).ok_or_else(Refusal::not_found)?;
    let mut calls_left = user.calls_left(now);
    let free = asked.path == "/account/rate-limits";
    if calls_left < 1 && !free {
        return Err(rate_limited());
    }
    if !free {
        user.bucket -= 1000;
        calls_left -= 1;
    }
    if let Some(closed) = user.closed {
        return Err(Refusal::closed(closed));
    }
    Ok((Call { asked, who: Who { id: user.id, email: user.email.clone() }, variant, now }, calls_left))
}

fn not_acceptable() -> Refusal {
    let message = "The request must have an `Accept` header with the version: `application/vnd.heroku+json; version=3`.";
    Refusal::new(406, "not_acceptable", message)
}

/// The variant in `application/vnd.heroku+json; version=3.variant`; `None`: not version 3.
fn variant(accept: &str) -> Option<&str> {
    let parameters = accept.strip_prefix("application/vnd.heroku+json")?;
    let version = parameters.split(';').find_map(|part| part.trim().strip_prefix("version="))?;
    match version.split_once('.') {
        Some(("3", variant)) => Some(variant),
        Some(_) => None,
        None => (version == "3").then_some(""),
    }
}

fn dispatch(world: &mut World, call: &Call<'_>) -> Handled {
    let segments = call.asked.segments();
    match (call.asked.method.as_str(), segments.as_slice()) {
        ("GET", ["account"] | ["users", "~"]) => accounts::account(world, call),
        ("GET", ["account", "rate-limits"]) => accounts::rate_limits(world, call),
        ("GET", ["account", "features", name]) => accounts::feature(world, call, name),
        ("PUT", ["users", "~", "capabilities"]) => accounts::capabilities(world, call),
        ("PUT", ["apps", app, "pre-authorizations"]) => accounts::pre_authorize(world, call, app),
        ("GET" | "DELETE", ["oauth", "authorizations", id]) => sign_in::authorization(world, &call.who.email, &call.asked.method, id),
        ("GET", ["pipelines"]) => pipelines::list(world, call),
        ("GET", ["pipelines", id]) => pipelines::info(world, call, id),
        ("GET", ["pipelines", id, "pipeline-couplings"]) => pipelines::couplings(world, call, id),
        ("GET", ["pipelines", id, "latest-releases"]) => pipelines::latest_releases(world, call, id, false),
        ("GET", ["pipelines", id, "latest-deployments"]) => pipelines::latest_releases(world, call, id, true),
        ("GET", ["pipelines", id, "latest-builds"]) => pipelines::latest_builds(world, call, id),
        ("GET", ["pipelines", id, "repo"]) => pipelines::repository(world, call, id),
        ("POST", ["pipeline-promotions"]) => promotions::create(world, call),
        ("GET", ["pipeline-promotions", id]) => promotions::info(world, call, id),
        ("GET", ["pipeline-promotions", id, "promotion-targets"]) => promotions::targets(world, call, id),
        ("GET", ["teams"]) => owners::teams(world, call),
        ("GET", ["teams", id]) => owners::team_info(world, call, id),
        ("GET", ["apps", app, "collaborators"]) => owners::collaborators(world, call, app),
        ("GET", ["apps", app, "addons" | "addon-attachments"]) => owners::no_addons(world, call, app),
        ("GET", ["apps", app, "pipeline-couplings"]) => pipelines::coupling(world, call, app),
        ("GET", ["apps"]) => apps::list(world, call),
        ("GET", ["apps", app]) => apps::info(world, call, app),
        ("POST", ["filters", "apps"]) => apps::filter(world, call),
        ("GET", ["apps", app, "dynos"]) => apps::dynos(world, call, app),
        ("GET", ["apps", app, "dynos", dyno]) => apps::dyno(world, call, app, dyno),
        ("GET", ["apps", app, "formation"]) => apps::formation(world, call, app),
        ("POST", ["sources"]) => builds::source(world, call),
        ("POST", ["apps", app, "builds"]) => builds::create(world, call, app),
        ("GET", ["apps", app, "builds"]) => builds::list(world, call, app),
        ("GET", ["apps", app, "builds", build]) => builds::info(world, call, app, build),
        ("DELETE", ["apps", app, "builds", build]) => builds::cancel(world, call, app, build),
        ("GET", ["apps", app, "slugs", slug]) => builds::slug(world, call, app, slug),
        ("GET", ["apps", app, "oci-images", image]) => builds::image(world, call, app, image),
        ("GET", ["apps", app, "releases"]) => releases::list(world, call, app),
        ("GET", ["apps", app, "releases", release]) => releases::info(world, call, app, release),
        ("POST", ["apps", app, "releases"]) => releases::create(world, call, app),
        (_, segments) if segments.contains(&"config-vars") => Err(Refusal::new(403, "forbidden", "Nobody may ask for this.")),
        _ => Ok(Answer::unknown(call.asked)),
    }
}

/// An ETag for what was read, 304 where it is the same as before, fields that no list has where the world wants them.
fn finish(world: &World, asked: &Asked, mut answer: Answer) -> Answer {
    if world.extra_fields
        && let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body)
    {
        surprise(&mut body);
        answer.body = Bytes::from(body.to_string());
    }
    if asked.method != "GET" || !(200..300).contains(&answer.status) {
        return answer;
    }
    let tag = format!("\"{}\"", digest(&String::from_utf8_lossy(&answer.body)));
    if asked.header("if-none-match") == tag {
        answer.status = 304;
        answer.body = Bytes::new();
    }
    answer.with("etag", tag)
}

fn surprise(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(surprise);
            members.insert("something_new".to_owned(), json!({"nobody": ["expects", 1, null]}));
        }
        Value::Array(members) => members.iter_mut().for_each(surprise),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl World {
    /// Whether a user sees a pipeline: by a right on one of its apps, or as its owner.
    pub(super) fn sees(&self, email: &str, pipeline: &super::records::Pipeline) -> bool {
        let of_apps = |user: &User| self.apps.iter().any(|app| app.pipeline == Some(pipeline.id) && user.right(app.id).is_some());
        pipeline.owner == email || self.user(email).is_ok_and(of_apps)
    }

    /// An app that the caller may at least see, or do `needed` with. One that is there but closed is named in the refusal.
    fn app_for(&self, call: &Call<'_>, name_or_id: &str, needed: AppRight) -> Result<App, Refusal> {
        let not_found = || Refusal::new(404, "not_found", "Couldn't find that app.").with("resource", json!("app"));
        let app = self.app(name_or_id).ok_or_else(not_found)?;
        match self.user(&call.who.email).ok().and_then(|user| user.right(app.id)) {
            None => Err(Refusal::new(403, "forbidden", format!("You do not have access to the app {}.", app.name))),
            Some(right) if right < needed => {
                Err(Refusal::new(403, "forbidden", "You need to have the deploy or operate permission on this app."))
            }
            Some(_) => Ok(app.clone()),
        }
    }

    /// Demands a second factor where the app wants one: given shortly before, or with this request.
    fn second_factor(&mut self, call: &Call<'_>, app: &App) -> Result<(), Refusal> {
        let user = self.user(&call.who.email).map_err(|_| Refusal::not_found())?;
        if !app.second_factor || user.authorized.iter().any(|(id, until)| *id == app.id && call.now < *until) {
            return Ok(());
        }
        self.spend_code(call, app)
    }

    /// Takes the one-time code of a request.
    fn spend_code(&mut self, call: &Call<'_>, app: &App) -> Result<(), Refusal> {
        let code = call.asked.header("heroku-two-factor-code");
        let url = json!("https://devcenter.heroku.com/articles/two-factor-authentication");
        if code.is_empty() {
            let message = "A second authentication factor or pre-authorization is required for this request. \
                           Your account has either two-factor or a YubiKey registered.";
            return Err(Refusal::new(403, "two_factor", message).with("url", url).with("app", json!({"name": app.name})));
        }
        let user = self.user_mut(&call.who.email).map_err(|_| Refusal::not_found())?;
        if let Some(place) = user.codes.iter().position(|known| known == code) {
            let code = user.codes.swap_remove(place);
            user.spent_codes.push(code);
            return Ok(());
        }
        let twice = user.spent_codes.iter().any(|known| known == code);
        // A wrong code that comes again was repeated by a machine as well.
        user.spent_codes.push(code.to_owned());
        if twice {
            self.violations.push(format!("a one-time code came twice: {} {}", call.asked.method, call.asked.path));
        }
        Err(Refusal::new(403, "invalid_two_factor_code", "Supplied two-factor auth code is invalid.").with("url", url))
    }

    /// Notes that an app is open to a user for a while.
    fn open_for_a_while(&mut self, call: &Call<'_>, app: &App) {
        let until = later(call.now, self.code_seconds);
        if let Ok(user) = self.user_mut(&call.who.email) {
            user.authorized.retain(|(id, _)| *id != app.id);
            user.authorized.push((app.id, until));
        }
    }
}
