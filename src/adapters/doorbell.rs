//! Rings at the public address, and answers there: each process by a secret of its own, so that nobody else's answer passes for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use http::StatusCode;
use secrecy::SecretString;

use super::http::base_url::BaseUrl;
use super::http::client::{client, read_body};
use crate::ports::{Answers, Doorbell, Secrets, VaultError};

/// Where it is answered: beside the privacy page, which is public.
const PATH: [&str; 2] = ["privacy", "here"];
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// The longest answer that can be ours.
const LONGEST: usize = 200;
/// What answers are for.
const ANSWER: &str = "doorbell";

/// A bell, and whoever answers it.
pub struct Bell {
    http: reqwest::Client,
    at: BaseUrl,
    secrets: Arc<dyn Secrets>,
    /// Lives as long as the process.
    own: SecretString,
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").field("at", &self.at).finish_non_exhaustive()
    }
}

/// Why there is no bell.
#[derive(Debug, thiserror::Error)]
pub enum NoBell {
    /// No HTTP client can be built.
    #[error("no HTTP client")]
    Client(#[from] reqwest::Error),
    /// There is no randomness.
    #[error(transparent)]
    Secret(#[from] VaultError),
}

impl Bell {
    /// Rings at an address.
    pub fn new(at: BaseUrl, secrets: Arc<dyn Secrets>) -> Result<Self, NoBell> {
        let own = secrets.fresh()?;
        Ok(Self { http: client(Some(PATIENCE))?, at, secrets, own })
    }

    /// What this process answers.
    fn answer(&self, asked: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.secrets.digest(&format!("{ANSWER} {asked}"), &self.own).as_bytes())
    }
}

/// Answers the bell.
pub fn router(bell: Arc<Bell>) -> Router {
    let answer = async |State(bell): State<Arc<Bell>>, Path(asked): Path<String>| {
        // Nobody has anything longer signed.
        if asked.len() > 64 { (StatusCode::NOT_FOUND, String::new()) } else { (StatusCode::OK, bell.answer(&asked)) }
    };
    Router::new().route(&format!("/{}/{{asked}}", PATH.join("/")), get(answer)).with_state(bell)
}

#[async_trait]
impl Doorbell for Bell {
    async fn ring(&self) -> Answers {
        // Nobody has to guess it, and it is worth nothing: it may be seen.
        let Ok(asked) = self.secrets.fresh().map(|fresh| self.secrets.address("", &fresh)) else { return Answers::Nobody };
        let [first, second] = PATH;
        let answer = match self.http.get(self.at.at([first, second, &asked])).send().await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::info!(error = %error.without_url(), "nobody answers at the public address");
                return Answers::Nobody;
            }
        };
        let status = answer.status().as_u16();
        match read_body(answer, LONGEST).await {
            Ok(said) if said == self.answer(&asked).as_bytes() => Answers::Us,
            Ok(_) | Err(_) => Answers::SomebodyElse { status },
        }
    }
}

#[cfg(test)]
mod tests;
