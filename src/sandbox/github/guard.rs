//! What every request to the interface has to pass: `User-Agent`, version, token, hourly limit.

use jiff::{SignedDuration, Timestamp};

use super::answer::Answer;
use super::asked::{Asked, Caller, Confined};
use super::world::{Budget, World};

/// Requests an hour with a token.
pub(super) const HOURLY: u32 = 5000;
/// Requests an hour without one.
const HOURLY_ANONYMOUS: u32 = 60;

/// The versions of the interface, oldest first.
pub(super) const VERSIONS: [&str; 2] = ["2022-11-28", "2026-03-10"];

/// The version asked for; the oldest if none is.
pub(super) fn version(asked: &Asked) -> Result<&'static str, Answer> {
    let wanted = asked.header("x-github-api-version").unwrap_or("2022-11-28");
    let known = VERSIONS.into_iter().find(|version| *version == wanted);
    known.ok_or_else(|| Answer::error(400, &format!("\"{wanted}\" is not a supported version of the API.")))
}

/// Requests without a `User-Agent` are turned away before anything else, and not in JSON.
pub(super) fn user_agent(asked: &Asked) -> Result<(), Answer> {
    match asked.header("user-agent") {
        Some(name) if !name.trim().is_empty() => Ok(()),
        Some(_) | None => {
            let text = "\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header.\r\n";
            Err(Answer::text(403, "text/html", text))
        }
    }
}

/// Who asks; a token that is unknown or revoked is refused.
pub(super) fn caller(world: &World, asked: &Asked, now: Timestamp) -> Result<Caller, Answer> {
    let Some(header) = asked.header("authorization") else { return Ok(Caller::nobody()) };
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
    let caller = if known { holder(world, token.trim(), now) } else { None };
    caller.ok_or_else(|| Answer::error(401, "Bad credentials"))
}

/// Whose token it is, if it is good.
pub(super) fn holder(world: &World, token: &str, now: Timestamp) -> Option<Caller> {
    let entry = world.tokens.get(token).filter(|entry| entry.is_good(now))?;
    let confined = entry.given_out.as_ref().map(|given| match &given.scopes {
        Some(scopes) => Confined::Scopes(scopes.clone()),
        None => Confined::Owners(world.sign_ins.app(given.client_id).map(|app| app.installed_at.clone()).unwrap_or_default()),
    });
    Some(Caller { token: token.to_owned(), login: Some(entry.login.clone()), confined })
}

/// The allowance that a caller's requests are taken from, and its size.
pub(super) fn budget<'w>(world: &'w mut World, token: &str) -> (&'w mut Budget, u32) {
    match world.tokens.get_mut(token) {
        Some(entry) => (&mut entry.budget, HOURLY),
        None => (&mut world.anonymous, HOURLY_ANONYMOUS),
    }
}

/// The hourly limit is used up.
pub(super) fn exhausted(caller: &Caller) -> Answer {
    let whom = match &caller.login {
        Some(login) => format!("user ID {}", super::shapes::user_id(login)),
        None => "127.0.0.1".to_owned(),
    };
    let message = format!("API rate limit exceeded for {whom}. If you reach out to support, please include the request ID.");
    Answer::error_at(403, &message, "/using-the-rest-api/rate-limits-for-the-rest-api")
}

/// Too many requests in a short time, with the status 403 or 429: both are documented.
pub(super) fn too_fast(status: u16) -> Answer {
    let message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    Answer::error_at(status, message, "/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits")
}

/// Things that one token may create in a minute and in an hour.
const CREATED: [(usize, SignedDuration); 2] = [(80, SignedDuration::from_mins(1)), (500, SignedDuration::from_hours(1))];

impl super::Github {
    /// Watches how much is created, from now on: eighty things a minute and five hundred an hour by one token, and no more.
    pub fn limit_creating(&self) {
        self.lock().created = Some(Vec::new());
    }
}

/// Whether a caller creates too much, where that is watched: then how many seconds to wait.
pub(super) fn creates_too_much(world: &mut World, token: &str, asked: &Asked, now: Timestamp) -> Option<u32> {
    let creates = asked.method == "POST" && asked.segments.iter().any(|segment| segment == "deployments" || segment == "statuses");
    let created = world.created.as_mut().filter(|_| creates)?;
    let within = |span: &SignedDuration| created.iter().filter(|(by, at)| by == token && now.duration_since(*at) < *span).count();
    if CREATED.iter().any(|(most, span)| within(span) >= *most) {
        return Some(60);
    }
    created.push((token.to_owned(), now));
    None
}

/// The headers that tell of the hourly limit, or that it is used up.
pub(super) fn limit_headers(world: &mut World, token: &str, now: Timestamp, nothing_left: bool) -> Vec<(String, String)> {
    let (budget, limit) = budget(world, token);
    let reset = budget.turn(now);
    let used = if nothing_left { limit } else { budget.used.min(limit) };
    [
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-remaining", limit.saturating_sub(used).to_string()),
        ("x-ratelimit-used", used.to_string()),
        ("x-ratelimit-reset", reset.as_second().to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}
