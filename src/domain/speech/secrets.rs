//! What we say to whoever has typed a secret where none belongs. Never what they typed.

use crate::domain::fault::Service;
use crate::domain::message::{Audience, Message, Tone, text};
use crate::domain::secret::SecretKind;

use super::services::service;

/// What it looks like.
fn looks_like(kind: SecretKind) -> String {
    match kind {
        SecretKind::Of(Service::Chat) => "a token of the chat".to_owned(),
        SecretKind::Of(of) => format!("a token or key of {}", service(of)),
        SecretKind::Cloud => "the access key of a cloud account".to_owned(),
        SecretKind::Link => "a link with a password or a key in it".to_owned(),
        SecretKind::PrivateKey => "a private key".to_owned(),
        SecretKind::Other => "a password or a token".to_owned(),
    }
}

/// Where it is ended.
fn ended_where(kind: SecretKind) -> String {
    match kind {
        SecretKind::Of(Service::SourceControl) => {
            format!(
                "at {}, in your settings: the tokens among the developer settings, or the applications",
                service(Service::SourceControl)
            )
        }
        SecretKind::Of(Service::Platform) => {
            format!("at {}, in the settings of your account: the API key, or the applications", service(Service::Platform))
        }
        SecretKind::Of(Service::Chat) => "in the chat, in the settings of the app whose token it is".to_owned(),
        SecretKind::Cloud => "in that account, among the access keys of its user".to_owned(),
        SecretKind::Link => "where the link leads to: change its password or key".to_owned(),
        SecretKind::PrivateKey => "wherever its public half opens something".to_owned(),
        SecretKind::Other => "where it comes from".to_owned(),
    }
}

/// What was typed holds what looks like a secret: nothing of it was kept, nothing was done.
pub fn secret_typed(kind: SecretKind) -> Message {
    let headline = format!(
        "In what you typed is something that looks like {}. Nothing was done, and nothing of it is kept here. (secret-typed)",
        looks_like(kind)
    );
    Message::new(Tone::Bad, Audience::Asker, vec![text(headline)])
        .line(vec![text(format!("The chat has it all the same. End it now, {}.", ended_where(kind)))])
        .line(vec![text(
            "Then ask again without it: nothing that I do needs one. One-time codes and passcodes stand at the end, and look otherwise.",
        )])
}

/// The same at a field of a form, which stays open.
pub fn secret_in_field(kind: SecretKind) -> String {
    format!(
        "This looks like it holds {}. Nothing was done, and nothing of it is kept here; the chat has it all the same: end it {}. (secret-typed)",
        looks_like(kind),
        ended_where(kind)
    )
}
