//! Promoting: exactly the release that runs in one place goes to another, without a new build.

use secrecy::SecretString;

use crate::domain::command::{Because, Command, Terms, Wish};
use crate::domain::deployment::{Promote, Target, Way};
use crate::domain::message::Message;
use crate::domain::names::RefName;
use crate::domain::pipeline::{App, Environment, Pipeline, PipelineKey, Place};
use crate::domain::release::Release;
use crate::domain::request::Request;
use crate::domain::source::AskedRef;
use crate::domain::speech::{self, Doing};
use crate::ports::Credentials;

use super::deploy::{self, Code, noting, spend};
use super::facts::{apps_of, find_app, find_pipeline, look_ahead};
use super::{Ports, Trouble, WhileDoing};

/// How many of the newest releases are looked at for the one that serves.
const RELEASES: usize = 20;

/// A promotion as it was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub pipeline: &'a PipelineKey,
    pub from: Option<&'a Place>,
    pub to: Option<&'a Place>,
    pub passing_checks: bool,
    pub because: Option<&'a Because>,
}

impl Ask<'_> {
    fn again(&self, pipeline: PipelineKey, from: Option<Place>, to: Option<Place>) -> Command {
        Command::Promote { pipeline, from, to, passing_checks: self.passing_checks, because: self.because.cloned() }
    }
}

pub(super) async fn promote(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: Ask<'_>,
    code: Option<SecretString>,
) -> Result<Option<Message>, Trouble> {
    let found = ends(ports, request, who, ask).await;
    let unused = |trouble| noting(trouble, request.came_with_code.then(speech::code_unused));
    let (pipeline, from, to) = found.map_err(unused)?;
    let target = Target::of(&pipeline, &to);
    // A code lives for seconds: it is spent before anything else is looked at.
    let code = spend(ports, who, &target, request, code).await;
    let taken = take_over(ports, request, who, ask, (&pipeline, &from, target), code).await;
    taken.map_err(|trouble| noting(trouble, code.note()))
}

/// From where to where.
async fn ends(ports: &Ports, request: &Request, who: &Credentials, ask: Ask<'_>) -> Result<(Pipeline, App, App), Trouble> {
    let asker = &request.origin.person;
    let again = |pipeline| ask.again(pipeline, ask.from.cloned(), ask.to.cloned());
    let pipeline = find_pipeline(ports, asker, &who.platform, ask.pipeline, again).await?;
    let apps = apps_of(ports, &who.platform, &pipeline).await?;
    let key = || PipelineKey::Id(pipeline.id.clone());
    let whole = |environment| Place { environment, app: None };
    // What is only there for one pull request is promoted where that is said, and not by itself.
    let has_apps =
        |environment: &Environment| *environment != Environment::Review && apps.iter().any(|app| app.environment == *environment);
    let before = |to: Environment| Environment::ALL.into_iter().rev().filter(|one| *one < to).find(has_apps).map(whole);
    let after = |from: Environment| Environment::ALL.into_iter().filter(|one| *one > from).find(has_apps).map(whole);
    let (from, to) = match (ask.from, ask.to) {
        (Some(from), Some(to)) => (Some(from.clone()), Some(to.clone())),
        (Some(from), None) => (Some(from.clone()), after(from.environment)),
        (None, Some(to)) => (before(to.environment), Some(to.clone())),
        (None, None) => {
            let last = Environment::ALL.into_iter().rev().find(has_apps);
            let staging =
                if has_apps(&Environment::Staging) { Some(Environment::Staging) } else { last.and_then(before).map(|at| at.environment) };
            (staging.map(whole), staging.and_then(after))
        }
    };
    let (Some(from), Some(to)) = (from, to) else { return Err(speech::nowhere_to_promote(&pipeline).into()) };
    let from_again = |place| ask.again(key(), Some(place), Some(to.clone()));
    let source = find_app(ports, asker, &pipeline, &apps, Some(&from), from_again).await?;
    let to_again = |place| ask.again(key(), Some(from.clone()), Some(place));
    let target = find_app(ports, asker, &pipeline, &apps, Some(&to), to_again).await?;
    if source.id == target.id {
        return Err(speech::promoted_to_itself(&source).into());
    }
    Ok((pipeline, source, target))
}

async fn take_over(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: Ask<'_>,
    (pipeline, from, target): (&Pipeline, &App, Target),
    code: Code,
) -> Result<Option<Message>, Trouble> {
    let of = |app| async move { ports.platform.releases(&who.platform, app, RELEASES).await.while_doing(Doing::ReadingReleases) };
    let theirs = of(&from.id).await?;
    let Some(release) = theirs.iter().find(|release| release.current) else { return Ok(Some(speech::nothing_to_promote(from))) };
    let Some(id) = &release.code else { return Ok(Some(speech::nothing_to_promote(from))) };
    let commit = ports.platform.commit_of(&who.platform, &from.id, id).await.while_doing(Doing::ReadingReleases)?;
    let Some(commit) = commit else { return Ok(Some(speech::no_known_commit_of(from, release))) };
    let newest = of(&target.app).await?.iter().map(|release: &Release| release.version).max().unwrap_or(0);
    let what = AskedRef::Named(RefName::parse(commit.as_str()).map_err(|_| speech::no_known_commit_of(from, release))?);
    let to = Place { environment: target.environment, app: Some(target.app_name.clone()) };
    let wish = Wish { pipeline: PipelineKey::Id(pipeline.id.clone()), what, to: Some(to.clone()) };
    let way = Way::Promote(Promote {
        from: from.id.clone(),
        from_name: from.name.clone(),
        from_environment: from.environment,
        release: release.id.clone(),
        version: release.version,
        newest,
    });
    let from = Place { environment: from.environment, app: Some(from.name.clone()) };
    let again = |wish: Wish| ask.again(wish.pipeline, Some(from.clone()), Some(to.clone()));
    let prospect = look_ahead(ports, &request.origin.person, who, (pipeline, target), &wish, ask.passing_checks, again).await?;
    let ask = deploy::Ask { wish, passing_checks: ask.passing_checks, because: ask.because.cloned(), terms: Terms::default() };
    deploy::go(ports, request, &ask, prospect, code, way).await
}
