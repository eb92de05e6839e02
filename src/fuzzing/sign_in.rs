//! Answers of those who give out tokens: a value or a typed error, whatever comes.

use secrecy::SecretString;
use serde_json::{Value, json};

use crate::ports::{Extent, Proof, SignInAt, Tokens};

use super::answers::{TOKEN, judged, of};

/// How many calls there are in [`made`].
pub(super) const CALLS: u8 = 6;

const GRANT: &str = "66666666-ffff-4fff-8fff-000000000001";

/// The number of a call in [`made`], by the name that recordings have for it.
pub(super) fn number(call: &str, with: &Value) -> Option<u8> {
    Some(match call {
        "SignInAt::exchange" => 0,
        "SignInAt::who" => 1,
        "SignInAt::renew" => 2,
        "SignInAt::revoke" if with.get("alone").is_some() => 3,
        "SignInAt::revoke" if with.get("refresh").is_some() => 4,
        "SignInAt::revoke" => 5,
        _ => return None,
    })
}

pub(super) async fn made(sign_in: &dyn SignInAt, call: u8) {
    let token = || SecretString::from(TOKEN);
    let tokens = |refresh: bool| Tokens { access: token(), refresh: refresh.then(token) };
    let grant = || Some(of(json!(GRANT)));
    match call % CALLS {
        0 => judged(&sign_in.exchange(token(), &Proof { verifier: token(), challenge: String::new() }).await),
        1 => judged(&sign_in.who(&token()).await),
        2 => judged(&sign_in.renew(&tokens(true)).await),
        3 => judged(&sign_in.revoke(&tokens(false), grant(), Extent::TheseTokens).await),
        4 => judged(&sign_in.revoke(&tokens(true), grant(), Extent::Everything).await),
        _ => judged(&sign_in.revoke(&tokens(false), grant(), Extent::Everything).await),
    }
}
