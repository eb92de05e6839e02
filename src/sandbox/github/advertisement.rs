//! The list of refs that git itself gives over HTTP, as `git ls-remote` asks for it. Asking counts against no allowance.
//!
//! The form is that of gitprotocol-http and gitprotocol-pack, version 0. The words of refusals are seen ones, and described nowhere.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::Timestamp;

use super::answer::Answer;
use super::asked::{Asked, Caller};
use super::guard;
use super::world::{Repository, World};

const SERVICE: &str = "git-upload-pack";

/// What the service can do, beside saying what `HEAD` stands for.
const CAPABILITIES: &str = "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative \
                            no-progress include-tag multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want no-done";

/// The id of nothing, by which a repository without refs tells what it can do.
const NOTHING: &str = "0000000000000000000000000000000000000000";

/// `GET /{owner}/{repo}.git/info/refs`; `None`: something else was asked for.
pub(super) fn answer(world: &World, web: &str, asked: &Asked, now: Timestamp) -> Option<Answer> {
    let (Ok(answer) | Err(answer)) = told(world, web, asked, now, &repository_of(asked)?);
    Some(answer)
}

/// The repository whose list is asked for.
fn repository_of(asked: &Asked) -> Option<String> {
    match asked.segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [owner, name, "info", "refs"] if asked.reads() => Some(format!("{owner}/{}", name.strip_suffix(".git").unwrap_or(name))),
        _ => None,
    }
}

/// How git says that it is asked too often, in place of the interface's words.
pub(super) fn limited(asked: &Asked) -> Option<Answer> {
    repository_of(asked).map(|_| plain(429, "Too many requests."))
}

/// How git says that a token is not taken, in place of the interface's words.
pub(super) fn refused(asked: &Asked) -> Option<Answer> {
    repository_of(asked).map(|_| unauthorized("Invalid username or token."))
}

fn told(world: &World, web: &str, asked: &Asked, now: Timestamp, full_name: &str) -> Result<Answer, Answer> {
    if asked.parameter("service") != Some(SERVICE) {
        return Err(Answer::unknown(&asked.shown()));
    }
    // Clients of other names get a page for people.
    if !asked.header("user-agent").is_some_and(|agent| agent.starts_with("git/")) {
        return Err(plain(404, "Not Found"));
    }
    let caller = caller(world, asked, now)?;
    let absent = || if caller.login.is_none() { unauthorized("Repository not found.") } else { plain(404, "Repository not found.") };
    let repository = match world.repositories.iter().find(|repository| repository.is_named(full_name)) {
        Some(repository) => repository,
        None => {
            let present = world.present_name(full_name).filter(|repository| repository.allows(&caller).is_some()).ok_or_else(absent)?;
            let place = format!("{web}/{}.git/info/refs?service={SERVICE}", present.full_name());
            return Err(plain(301, "").with("location", place));
        }
    };
    if repository.allows(&caller).is_none() {
        return Err(absent());
    }
    if repository.saml || repository.is_walled_off_for(&caller) {
        return Err(plain(403, "The organization lets this token in nowhere: it has to be authorized."));
    }
    Ok(Answer::text(200, &format!("application/x-{SERVICE}-advertisement"), list(repository))
        .with("cache-control", "no-cache, max-age=0, must-revalidate")
        .with("expires", "Fri, 01 Jan 1980 00:00:00 GMT")
        .with("pragma", "no-cache"))
}

/// Who asks: the token is the password, whatever the name, or the name where there is no other password.
fn caller(world: &World, asked: &Asked, now: Timestamp) -> Result<Caller, Answer> {
    let Some(header) = asked.header("authorization") else { return Ok(Caller::nobody()) };
    let shown = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let shown = shown.and_then(|(_, both)| String::from_utf8(BASE64_STANDARD.decode(both.trim()).ok()?).ok());
    let token = shown.as_deref().and_then(|shown| shown.split_once(':')).map(|(name, password)| match password {
        "" | "x-oauth-basic" => name,
        password => password,
    });
    token.and_then(|token| guard::holder(world, token, now)).ok_or_else(|| unauthorized("Invalid username or token."))
}

/// Every ref with its object, `HEAD` first and tag objects with what they lead to.
fn list(repository: &Repository) -> String {
    let branches = repository.branches.iter().map(|(name, sha)| (sha.clone(), format!("refs/heads/{name}")));
    let pulls = repository.pulls.iter().map(|pull| (pull.sha.clone(), format!("refs/pull/{}/head", pull.number)));
    let tags = repository.tags.iter().flat_map(|(name, tag)| {
        let itself = (tag.object.as_ref().unwrap_or(&tag.commit).clone(), format!("refs/tags/{name}"));
        let peeled = tag.object.as_ref().map(|_| (tag.commit.clone(), format!("refs/tags/{name}^{{}}")));
        std::iter::once(itself).chain(peeled)
    });
    let default = &repository.default_branch;
    let head = repository.branches.get(default);
    let mut refs: Vec<(String, String)> = head.map(|sha| (sha.clone(), "HEAD".to_owned())).into_iter().collect();
    refs.extend(branches.chain(pulls).chain(tags));
    if refs.is_empty() {
        refs.push((NOTHING.to_owned(), "capabilities^{}".to_owned()));
    }
    let symbolic = head.map(|_| format!(" symref=HEAD:refs/heads/{default}")).unwrap_or_default();
    let mut capabilities = Some(format!("\0{CAPABILITIES}{symbolic} filter object-format=sha1 agent=git/simulated"));
    let lines = refs.into_iter().map(|(sha, name)| packet(&format!("{sha} {name}{}\n", capabilities.take().unwrap_or_default())));
    format!("{}0000{}0000", packet(&format!("# service={SERVICE}\n")), lines.collect::<String>())
}

/// A line with its length, which counts itself.
fn packet(line: &str) -> String {
    format!("{:04x}{line}", line.len().saturating_add(4))
}

fn plain(status: u16, text: &'static str) -> Answer {
    Answer::text(status, "text/plain; charset=utf-8", text)
}

fn unauthorized(text: &'static str) -> Answer {
    plain(401, text).with("www-authenticate", "Basic realm=\"GitHub\"")
}
