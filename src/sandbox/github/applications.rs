//! What an app asks about its own tokens, with its id and its secret: whether they are good, and that they end.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use super::answer::Answer;
use super::asked::Asked;
use super::shapes::{stamp, user_at};
use super::world::World;

/// `POST` and `DELETE /applications/{client_id}/token`, `DELETE /applications/{client_id}/grant`.
pub(super) fn answer(world: &mut World, asked: &Asked, api: &str, web: &str) -> Answer {
    let answer = told(world, asked, api, web);
    world.answers.note(&asked.method, &asked.path, answer.status, &answer.body);
    answer
}

fn told(world: &mut World, asked: &Asked, api: &str, web: &str) -> Answer {
    let segments: Vec<&str> = asked.segments.iter().map(String::as_str).collect();
    let [_, client_id, of] = segments.as_slice() else { return Answer::unknown(&asked.path) };
    let Some((id, secret)) = asked.header("authorization").and_then(basic) else { return Answer::error(401, "Bad credentials") };
    let Some(app) = world.sign_ins.app_with(&id, &secret).filter(|app| app.seed.client_id == *client_id) else {
        return Answer::not_found();
    };
    let client_id = app.seed.client_id;
    let object = match asked.object() {
        Ok(object) => object,
        Err(refused) => return refused,
    };
    let page = "/apps/oauth-applications";
    let Some(access) = object.get("access_token").and_then(Value::as_str) else {
        return Answer::invalid("OauthAccess", "access_token", "access_token is required", page);
    };
    let mine = world.tokens.get(access).filter(|token| !token.revoked);
    let Some((token, given)) =
        mine.and_then(|token| Some((token, token.given_out.clone()?))).filter(|(_, given)| given.client_id == client_id)
    else {
        return Answer::not_found();
    };
    let login = token.login.clone();
    match (asked.method.as_str(), *of) {
        ("POST", "token") => {
            let scopes = given.scopes.map(|scopes| scopes.into_iter().collect::<Vec<_>>());
            Answer::ok(&json!({
                "id": 1, "url": format!("{api}/authorizations/1"), "scopes": scopes, "token": access, "token_last_eight": null,
                "hashed_token": null, "app": { "client_id": client_id, "name": "Ship", "url": web }, "note": null, "note_url": null,
                "updated_at": stamp(given.at), "created_at": stamp(given.at), "fingerprint": null,
                "user": user_at(api, web, &login), "expires_at": given.ends_at.map(stamp),
            }))
        }
        ("DELETE", "token") => {
            if let Some(token) = world.tokens.get_mut(access) {
                token.revoked = true;
            }
            Answer::empty(204)
        }
        ("DELETE", "grant") => {
            world.end_grant(&login, client_id);
            Answer::empty(204)
        }
        _ => Answer::unknown(&asked.path),
    }
}

/// The name and the password of a `Basic` header.
fn basic(header: &str) -> Option<(String, String)> {
    let bytes = BASE64_STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
}
