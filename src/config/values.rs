//! The kinds of values that settings have, each read from its text. Errors are ends of sentences that begin with the
//! setting's name; those of secrets never repeat the text.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

use crate::adapters::github::AppKind;
use crate::adapters::http::base_url::BaseUrl;
use crate::adapters::vault::TokenVault;
use crate::domain::actor::Person;
use crate::domain::names::{PipelineId, PipelineName, RepoName, UserId, WorkspaceId};
use crate::domain::pipeline::PipelineKey;

/// `on` or `off`.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Ok(true),
        "off" | "false" | "no" | "0" => Ok(false),
        _ => Err("has to be `on` or `off`".to_owned()),
    }
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "has to be an address and a port, like 127.0.0.1:8080 or [::1]:8080".to_owned())
}

/// People, by the ids of their workspaces and their own.
pub(super) fn people(text: &str) -> Result<BTreeSet<Person>, String> {
    let person = |one: &str| {
        let (workspace, user) = one.trim().split_once('/')?;
        Some(Person { workspace: WorkspaceId::parse(workspace).ok()?, user: UserId::parse(user).ok()? })
    };
    let all: Option<BTreeSet<Person>> = text.split(',').map(person).collect();
    all.ok_or_else(|| "has to be ids of workspaces and members, like T0123ABCD/U0123ABCD, with commas between".to_owned())
}

/// A folder that is there.
pub(super) fn folder(text: &str) -> Result<PathBuf, String> {
    let folder = PathBuf::from(text);
    if folder.is_dir() { Ok(folder) } else { Err("has to be a folder that exists and can be opened".to_owned()) }
}

/// A line of text that is shown to people.
pub(super) fn line(text: &str) -> Result<String, String> {
    let fits = text.chars().count() <= 200 && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("has to be one line of at most 200 characters".to_owned()) }
}

/// The host's port, on all addresses.
pub(super) fn port(text: &str) -> Result<SocketAddr, String> {
    match text.parse() {
        Ok(port) if port != 0 => Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)),
        _ => Err("has to be a port, 1 to 65535".to_owned()),
    }
}

pub(super) fn base_url(text: &str) -> Result<BaseUrl, String> {
    BaseUrl::parse(text).map_err(|error| error.to_string())
}

/// A token: one word of visible ASCII characters, so that it fits into a header.
pub(super) fn token(text: &str) -> Result<SecretString, String> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(SecretString::from(text))
    } else {
        Err("has to be one word of plain letters, digits and signs; is it a placeholder, or was a space copied with it?".to_owned())
    }
}

/// Where browsers reach us. Paths of our own stand behind it, and the cookie is for the whole host.
pub(super) fn public_url(text: &str) -> Result<BaseUrl, String> {
    let base = base_url(text)?;
    if base.as_url().path() == "/" { Ok(base) } else { Err("has to end with the host: nothing may stand behind it".to_owned()) }
}

/// The keys that tokens are sealed with.
pub(super) fn sealing_keys(text: &str) -> Result<TokenVault, String> {
    TokenVault::new(&SecretString::from(text)).map_err(|error| format!("cannot be used: {error}"))
}

/// The kind of app at GitHub.
pub(super) fn app_kind(text: &str) -> Result<AppKind, String> {
    match text {
        "oauth" => Ok(AppKind::OAuth { expiring: false }),
        "oauth-expiring" => Ok(AppKind::OAuth { expiring: true }),
        "github-app" => Ok(AppKind::GitHubApp),
        _ => Err("has to be `oauth`, `oauth-expiring` or `github-app`".to_owned()),
    }
}

/// The id of an app: one short word.
pub(super) fn client_id(text: &str) -> Result<String, String> {
    let fits = text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if fits { Ok(text.to_owned()) } else { Err("has to be one word of letters, digits, `-`, `.` and `_`".to_owned()) }
}

/// One signing secret, or two while they are being changed.
pub(super) fn signing_secrets(text: &str) -> Result<Vec<SecretString>, String> {
    let secrets: Vec<&str> = text.split(',').map(str::trim).collect();
    if secrets.len() > 2 {
        return Err("holds more than two secrets".to_owned());
    }
    if secrets.iter().any(|secret| secret.len() < 16) {
        return Err("holds a secret that is too short to be one: less than 16 characters".to_owned());
    }
    secrets.into_iter().map(token).collect()
}

/// A whole number of seconds, 1 to 600.
pub(super) fn drain(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=600) => Ok(Duration::from_secs(seconds)),
        Ok(_) | Err(_) => Err("has to be a whole number of seconds, 1 to 600".to_owned()),
    }
}

/// A slash command: a slash and 1 to 31 letters, digits, `-` or `_`.
pub(super) fn command(text: &str) -> Result<String, String> {
    let fits = |word: &str| {
        (1..=31).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
    };
    match text.strip_prefix('/') {
        Some(word) if fits(word) => Ok(text.to_owned()),
        Some(_) | None => Err("has to be a slash and 1 to 31 of a-z, 0-9, `-`, `_`, like /h".to_owned()),
    }
}

/// A number of bytes with a unit.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || "has to be a whole number with B, kB, MB, GB, KiB, MiB or GiB, like 1GiB".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(factor) {
        Some(0) => Err("has to be more than nothing".to_owned()),
        Some(bytes) => Ok(bytes),
        None => Err("is larger than any archive".to_owned()),
    }
}

/// `pipeline=owner/name`, with commas between.
pub(super) fn repositories(text: &str) -> Result<Vec<(PipelineKey, RepoName)>, String> {
    let mut found: Vec<(PipelineKey, RepoName)> = Vec::new();
    for (number, pair) in text.split(',').map(str::trim).enumerate().filter(|(_, pair)| !pair.is_empty()) {
        let place = number.saturating_add(1);
        let (pipeline, repository) =
            pair.split_once('=').ok_or_else(|| format!("has to be like `pipeline=owner/name`; entry {place} has no `=`"))?;
        let pipeline = pipeline_key(pipeline.trim()).map_err(|error| format!("is wrong in entry {place}: {error}"))?;
        let repository = RepoName::parse(repository.trim()).map_err(|error| format!("is wrong in entry {place}: {error}"))?;
        if found.iter().any(|(known, _)| *known == pipeline) {
            return Err(format!("names the pipeline {pipeline} twice"));
        }
        found.push((pipeline, repository));
    }
    Ok(found)
}

/// A pipeline's id is a UUID; everything else is a name.
fn pipeline_key(text: &str) -> Result<PipelineKey, String> {
    if uuid::Uuid::try_parse(text).is_ok() {
        PipelineId::parse(&text.to_ascii_lowercase()).map(PipelineKey::Id).map_err(|error| error.to_string())
    } else {
        PipelineName::parse(text).map(PipelineKey::Name).map_err(|error| error.to_string())
    }
}

/// What is logged: a level for us, then `part=level`. Other parts say warnings unless named, and never more than `debug`:
/// beyond that, libraries write what passes through them.
pub(super) fn log_filter(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let mut filter = vec!["warn".to_owned()];
    for directive in text.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        let (part, level) = directive.split_once('=').unwrap_or(("slash_heroku", directive));
        let level = level.to_ascii_lowercase();
        if !LEVELS.contains(&level.as_str()) {
            return Err("has to be one of error, warn, info, debug, trace, or `part=level`, with commas between".to_owned());
        }
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':')) {
            return Err("names a part that is no name of a Rust module".to_owned());
        }
        let ours = part == "slash_heroku" || part.starts_with("slash_heroku::");
        if level == "trace" && !ours {
            return Err("asks for `trace` of a library; `debug` is the most, so that nothing secret gets into the log".to_owned());
        }
        filter.push(format!("{part}={level}"));
    }
    let filter = filter.join(",");
    EnvFilter::try_new(&filter).map_err(|error| format!("cannot be used: {error}"))?;
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        assert_eq!(bytes("1GiB"), Ok(1 << 30));
        assert_eq!(bytes("500 MB"), Ok(500_000_000));
        assert_eq!(bytes("12b"), Ok(12));
        for wrong in ["", "1", "GiB", "0MB", "-1MB", "1.5GB", "99999999999GiB", "é", "1é"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_command_has_a_slash() {
        assert!(command("/h").is_ok());
        for wrong in ["h", "/", "/H", "/h h", "//", &format!("/{}", "a".repeat(32))] {
            assert!(command(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn repositories_by_name_or_id() {
        let id = "01234567-89ab-cdef-0123-456789abcdef";
        let found = repositories(&format!("hubot = acme/hubot, {id}=acme/web,")).unwrap();
        assert_eq!(found[0].0, PipelineKey::Name(PipelineName::parse("hubot").unwrap()));
        assert_eq!(found[1].0, PipelineKey::Id(PipelineId::parse(id).unwrap()));
        assert_eq!(repositories("a=b/c,d").unwrap_err(), "has to be like `pipeline=owner/name`; entry 2 has no `=`");
        assert!(repositories("a=b").is_err());
        assert!(repositories("a=b/c,a=b/d").is_err());
    }

    #[test]
    fn a_filter_is_ours_first_and_keeps_libraries_quiet() {
        assert_eq!(log_filter("info"), Ok("warn,slash_heroku=info".to_owned()));
        assert_eq!(log_filter("debug, hyper=info"), Ok("warn,slash_heroku=debug,hyper=info".to_owned()));
        for wrong in ["infoo", "hyper=trace", "=info", "a b=info", "slash_heroku=loud"] {
            assert!(log_filter(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn two_signing_secrets_at_most() {
        let one = "0123456789abcdef";
        assert_eq!(signing_secrets(one).unwrap().len(), 1);
        assert_eq!(signing_secrets(&format!("{one}, {one}")).unwrap().len(), 2);
        for wrong in ["short".to_owned(), format!("{one},"), format!("{one},{one},{one}"), format!("{one} {one}")] {
            assert!(signing_secrets(&wrong).is_err(), "{wrong}");
        }
    }
}
