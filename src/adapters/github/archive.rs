//! A commit's source, fetched into a spool. The link to it is a secret that lives for minutes: it is asked for anew in each
//! try, opened at once without our token, and told to nobody.

use std::time::Duration;

use http::{Method, StatusCode};
use reqwest::Response;
use secrecy::SecretString;
use url::Url;

use crate::adapters::http::call::{Call, CallFault, open};
use crate::adapters::http::retry::{Tries, later, retry_after};
use crate::adapters::http::spool::{SpoolFault, spool};
use crate::domain::names::{CommitSha, RepoName};
use crate::ports::{ArchiveFault, Fault, PortError, Service, SourceArchive};

use super::GitHub;
use super::refusal::Refusal;
use super::wire::{is_redirect, location, redirected};

const PATH: &str = "/repos/{owner}/{repo}/tarball/{sha}";
const PLACE: &str = "(archive)";

/// How many hosts may hand on to one another.
const HOPS: usize = 5;

/// How long an archive may take in all.
const WHOLE: Duration = Duration::from_secs(15 * 60);

/// How a gzipped file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What came of one try.
enum Missed {
    /// Another try would not help.
    Last(ArchiveFault),
    /// Another try may.
    Again(PortError),
}

impl From<Refusal> for Missed {
    fn from(refusal: Refusal) -> Self {
        if refusal.again { Self::Again(refusal.error) } else { Self::Last(refusal.error.into()) }
    }
}

impl GitHub {
    pub(super) async fn fetch_archive(
        &self,
        token: &SecretString,
        repository: &RepoName,
        commit: &CommitSha,
    ) -> Result<SourceArchive, ArchiveFault> {
        let mut tries = Tries::new(self.clock.as_ref());
        loop {
            match self.fetch_once(token, repository, commit).await {
                Ok(archive) => return Ok(archive),
                Err(Missed::Last(fault)) => return Err(fault),
                Err(Missed::Again(error)) => {
                    if !tries.pause(error.fault).await {
                        return Err(error.into());
                    }
                }
            }
        }
    }

    async fn fetch_once(&self, token: &SecretString, repository: &RepoName, commit: &CommitSha) -> Result<SourceArchive, Missed> {
        let url = self.at(repository, ["tarball", commit.as_str()]);
        let answer = self.archive_place(token, url.clone(), PATH).await?;
        if answer.status != StatusCode::FOUND {
            return Err(self.refusal(&answer, &format!("GET {PATH}"), token).into());
        }
        let response = self.open_archive(redirected(&answer, &url)).await?;
        let mut archive = spool(response, self.settings.spool_dir.as_deref(), self.settings.archive_limit).await.map_err(unspooled)?;
        let first = archive.body.next().await.map_err(|error| unspooled(SpoolFault::Disk(error)))?.unwrap_or_default();
        archive.body.rewind().await.map_err(|error| unspooled(SpoolFault::Disk(error)))?;
        if !first.starts_with(&GZIP) {
            return Err(Missed::Again(fault(Fault::Nonsense, "what came is no archive")));
        }
        Ok(archive)
    }

    /// Opens the place of an archive, wherever it is: without our token, and encrypted.
    async fn open_archive(&self, mut place: Option<Url>) -> Result<Response, Missed> {
        for _ in 0..HOPS {
            let Some(url) = place.filter(|url| self.settings.api.may_lead_to(url)) else {
                return Err(Missed::Last(fault(Fault::Nonsense, "it leads to no address that may be opened").into()));
            };
            let call = Call::new(Service::SourceControl, Method::GET, url.clone(), PLACE).within(WHOLE);
            let response = open(&self.long, call)
                .await
                .map_err(|error: CallFault| Missed::Again(error.error(Service::SourceControl, &format!("GET {PLACE}"), false)))?;
            let status = response.status();
            if is_redirect(status) {
                place = location(response.headers(), &url);
                continue;
            }
            if status == StatusCode::OK {
                return Ok(response);
            }
            let why = match status {
                // The link may have run out; a fresh one tells.
                StatusCode::NOT_FOUND | StatusCode::GONE => Fault::NotFound,
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Fault::Forbidden,
                StatusCode::TOO_MANY_REQUESTS => {
                    let now = self.clock.now();
                    Fault::RateLimited { until: retry_after(response.headers(), now).or_else(|| later(now, 60)) }
                }
                status if status.is_server_error() => Fault::Unclear,
                _ => Fault::Nonsense,
            };
            return Err(Missed::Again(fault(why, &status.as_u16().to_string())));
        }
        Err(Missed::Last(fault(Fault::Nonsense, "it is redirected in circles").into()))
    }
}

fn fault(fault: Fault, why: &str) -> PortError {
    PortError::new(Service::SourceControl, fault, format!("GET {PLACE}: {why}"))
}

fn unspooled(error: SpoolFault) -> Missed {
    match error {
        SpoolFault::TooLarge(limit) => Missed::Last(ArchiveFault::TooLarge { limit }),
        SpoolFault::DiskFull => Missed::Last(ArchiveFault::DiskFull),
        SpoolFault::Disk(_) => Missed::Last(fault(Fault::Unreachable, &error.to_string()).into()),
        SpoolFault::Broken => Missed::Again(fault(Fault::Unclear, "the archive broke off")),
    }
}
