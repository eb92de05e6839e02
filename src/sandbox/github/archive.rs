//! Archives: the redirect at the interface, the second hop at the archive host, and a word for people who follow links.

use jiff::{SignedDuration, Timestamp};

use super::answer::Answer;
use super::asked::{Asked, Scene};
use super::graph::made_up_sha;
use super::routes::Hands;
use super::tarball::Tarball;
use super::world::{Download, Repository, World};
use crate::sandbox::secrets::marked;

/// How long a link to a private archive is good for.
const LIFE: SignedDuration = SignedDuration::from_mins(5);

/// `GET …/tarball/{ref}`: a redirect to the archive host. For a private repository it carries a secret that is good once,
/// for five minutes.
pub(super) fn redirect(repository: &Repository, scene: &Scene<'_>, hands: Hands<'_>, name: &str) -> Result<Answer, Answer> {
    let name = if name.is_empty() { repository.default_branch.as_str() } else { name };
    if repository.resolve(name).is_none() {
        return Err(Answer::not_found());
    }
    let path = format!("/{}/legacy.tar.gz/{}", repository.full_name(), repository.expanded(name));
    let query = if repository.private {
        let secret = marked(made_up_sha(&format!("download|{path}|{}", hands.numbers.fresh()))).to_uppercase();
        let expires_at = scene.now.checked_add(LIFE).unwrap_or(scene.now);
        hands.downloads.push(Download { secret: secret.clone(), path: path.clone(), expires_at });
        format!("?token={secret}")
    } else {
        String::new()
    };
    Ok(Answer::text(302, "text/html;charset=utf-8", "")
        .with("location", format!("{}{path}{query}", scene.web))
        .with("cache-control", "public, must-revalidate, max-age=0"))
}

/// Everything at the web and archive host.
pub(super) fn from_web(world: &mut World, asked: &Asked, now: Timestamp) -> Answer {
    let segments: Vec<&str> = asked.segments.iter().map(String::as_str).collect();
    let (owner, name, rest) = match segments.as_slice() {
        [owner, name, rest @ ..] if asked.reads() => (*owner, *name, rest),
        _ => return Answer::unknown(&asked.path),
    };
    let full_name = format!("{owner}/{name}");
    let World { repositories, downloads, .. } = world;
    let repository = repositories.iter().find(|repository| repository.is_named(&full_name));
    match rest {
        ["legacy.tar.gz", git_ref @ ..] => match repository {
            Some(repository) => archive(repository, downloads, asked, now, &git_ref.join("/")),
            None => Answer::text(404, "text/plain; charset=utf-8", "404: Not Found"),
        },
        [] | ["commit" | "compare" | "pull" | "tree" | "runs" | "deployments", ..] if repository.is_some() => {
            Answer::text(200, "text/plain; charset=utf-8", format!("Here GitHub would show {}.\n", asked.path))
        }
        _ => Answer::unknown(&asked.path),
    }
}

/// The archive, to whoever needs no secret or has a good one, which is used up.
fn archive(repository: &Repository, downloads: &mut Vec<Download>, asked: &Asked, now: Timestamp, git_ref: &str) -> Answer {
    // A forwarded token is not wanted here, and has been seen to be refused.
    if asked.header("authorization").is_some() {
        return Answer::text(401, "text/plain; charset=utf-8", "401: Unauthorized");
    }
    let absent = || Answer::text(404, "text/plain; charset=utf-8", "404: Not Found");
    if repository.private {
        let secret = asked.parameter("token").unwrap_or_default();
        let good = |one: &Download| one.secret == secret && one.path == asked.path && now < one.expires_at;
        let Some(place) = downloads.iter().position(good) else { return absent() };
        downloads.swap_remove(place);
    }
    let Some(commit) = repository.resolve(git_ref).and_then(|sha| repository.commit(&sha)) else { return absent() };
    let short: String = commit.sha.chars().take(7).collect();
    let file = format!("{}-{}-{short}.tar.gz", repository.owner, repository.name);
    let mut answer = Answer::text(200, "application/x-gzip", "")
        .with("content-disposition", format!("attachment; filename={file}"))
        .with("etag", format!("W/\"{}\"", made_up_sha(&format!("archive|{}", commit.sha))));
    answer.archive = Some(Box::new(Tarball::of(repository, commit)));
    answer
}
