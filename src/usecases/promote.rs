//! Promoting: exactly the release that runs in one place goes to another, without a new build.

mod together;

use secrecy::SecretString;

use crate::domain::command::{Because, Command, Terms, Wish};
use crate::domain::deployment::{Promote, Target, Way};
use crate::domain::message::Message;
use crate::domain::names::{CommitSha, RefName};
use crate::domain::pipeline::{App, Destination, Environment, Pipeline, PipelineKey, Place};
use crate::domain::release::Release;
use crate::domain::request::Request;
use crate::domain::source::AskedRef;
use crate::domain::speech::{self, Doing};
use crate::ports::Credentials;

use super::deploy::{self, Code, noting, spend};
use super::facts::{Prospect, Rights, apps_of, find_app, find_app_among, find_pipeline, look_ahead};
use super::{Ports, Trouble, WhileDoing, confirm};

/// How many of the newest releases are looked at for the one that serves.
const RELEASES: usize = 20;

/// A promotion as it was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub pipeline: &'a PipelineKey,
    pub from: Option<&'a Place>,
    pub to: Option<&'a Destination>,
    pub passing_checks: bool,
    pub because: Option<&'a Because>,
    pub terms: &'a Terms,
}

impl Ask<'_> {
    fn again(&self, pipeline: PipelineKey, from: Option<Place>, to: Option<Destination>) -> Command {
        self.with(pipeline, from, to, self.terms.clone())
    }

    fn with(&self, pipeline: PipelineKey, from: Option<Place>, to: Option<Destination>, terms: Terms) -> Command {
        Command::Promote { pipeline, from, to, passing_checks: self.passing_checks, because: self.because.cloned(), terms }
    }
}

/// From where to where.
#[derive(Debug)]
struct Ends {
    pipeline: Pipeline,
    from: App,
    to: Vec<App>,
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
    let ends = found.map_err(unused)?;
    let [only] = ends.to.as_slice() else { return together::promote(ports, request, who, ask, &ends, code).await };
    let target = Target::of(&ends.pipeline, only);
    // A code lives for seconds: it is spent before anything else is looked at.
    let code = spend(ports, who, &target, request, code).await;
    let taken = take_over(ports, request, who, ask, &ends, target, code).await;
    taken.map_err(|trouble| noting(trouble, code.note()))
}

async fn ends(ports: &Ports, request: &Request, who: &Credentials, ask: Ask<'_>) -> Result<Ends, Trouble> {
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
    let after = |from: Environment| Environment::ALL.into_iter().filter(|one| *one > from).find(has_apps).map(whole).map(Destination::One);
    let (from, to) = match (ask.from, ask.to) {
        (Some(from), Some(to)) => (Some(from.clone()), Some(to.clone())),
        (Some(from), None) => (Some(from.clone()), after(from.environment)),
        (None, Some(to)) => (before(to.environment()), Some(to.clone())),
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
    let to = match &to {
        Destination::One(place) => {
            let to_again = |place| ask.again(key(), Some(from.clone()), Some(Destination::One(place)));
            let every = |every_app_of| Some(ask.again(key(), Some(from.clone()), Some(Destination::Every { every_app_of })));
            vec![find_app_among(ports, asker, &pipeline, &apps, Some(place), to_again, every).await?]
        }
        Destination::Every { every_app_of } => {
            let there: Vec<App> = apps.iter().filter(|app| app.environment == *every_app_of && app.id != source.id).cloned().collect();
            if there.is_empty() {
                let to_again = |place| ask.again(key(), Some(from.clone()), Some(Destination::One(place)));
                vec![find_app(ports, asker, &pipeline, &apps, Some(&whole(*every_app_of)), to_again).await?]
            } else {
                there
            }
        }
    };
    if to.iter().any(|target| target.id == source.id) {
        return Err(speech::promoted_to_itself(&source).into());
    }
    Ok(Ends { pipeline, from: source, to })
}

/// What runs in the app that is promoted from.
#[derive(Debug)]
struct Served {
    release: Release,
    commit: CommitSha,
}

async fn served(ports: &Ports, who: &Credentials, from: &App) -> Result<Served, Trouble> {
    let releases = ports.platform.releases(&who.platform, &from.id, RELEASES).await.while_doing(Doing::ReadingReleases)?;
    let Some(release) = releases.into_iter().find(|release| release.current) else { return Err(speech::nothing_to_promote(from).into()) };
    let Some(id) = &release.code else { return Err(speech::nothing_to_promote(from).into()) };
    let commit = ports.platform.commit_of(&who.platform, &from.id, id).await.while_doing(Doing::ReadingReleases)?;
    match commit {
        Some(commit) => Ok(Served { release, commit }),
        None => Err(speech::no_known_commit_of(from, &release).into()),
    }
}

/// What promoting that to one app would be.
async fn look_at(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: Ask<'_>,
    (pipeline, from, served): (&Pipeline, &App, &Served),
    (target, rights): (Target, Rights),
) -> Result<(deploy::Ask, Prospect, Way), Trouble> {
    let theirs = ports.platform.releases(&who.platform, &target.app, RELEASES).await.while_doing(Doing::ReadingReleases)?;
    let newest = theirs.iter().map(|release| release.version).max().unwrap_or(0);
    let what = RefName::parse(served.commit.as_str()).map_err(|_| speech::no_known_commit_of(from, &served.release))?;
    let to = Place { environment: target.environment, app: Some(target.app_name.clone()) };
    let wish = Wish { pipeline: PipelineKey::Id(pipeline.id.clone()), what: AskedRef::Named(what), to: Some(to.clone()) };
    let way = Way::Promote(Promote {
        from: from.id.clone(),
        from_name: from.name.clone(),
        from_environment: from.environment,
        release: served.release.id.clone(),
        version: served.release.version,
        newest,
        together: None,
    });
    let from = Place { environment: from.environment, app: Some(from.name.clone()) };
    let again = |wish: Wish| ask.again(wish.pipeline, Some(from.clone()), Some(Destination::One(to.clone())));
    let one = deploy::Ask { wish, passing_checks: ask.passing_checks, because: ask.because.cloned(), terms: ask.terms.clone() };
    let wanted = (&one.wish, one.passing_checks);
    let prospect = look_ahead(ports, &request.origin.person, who, (pipeline, target), wanted, rights, again).await?;
    Ok((one, prospect, way))
}

async fn take_over(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: Ask<'_>,
    ends: &Ends,
    target: Target,
    code: Code,
) -> Result<Option<Message>, Trouble> {
    let served = served(ports, who, &ends.from).await?;
    let rights = deploy::rights_for(ports, ask.terms, [&target]).await?;
    let (one, prospect, way) = look_at(ports, request, who, ask, (&ends.pipeline, &ends.from, &served), (target, rights)).await?;
    if let Some(answer) = deploy::without_beginning(ports, request, who, &one, &prospect, (code, &way)).await? {
        return Ok(Some(answer));
    }
    let from = Place { environment: ends.from.environment, app: Some(ends.from.name.clone()) };
    let to = Destination::One(deploy::place_of(&prospect.target));
    let sure = |terms| ask.with(PipelineKey::Id(ends.pipeline.id.clone()), Some(from.clone()), Some(to.clone()), terms);
    if let Some(question) = confirm::first(ports, request, who, (&one, code), (&prospect, &way), sure).await? {
        return Ok(Some(question));
    }
    deploy::go(ports, request, who, &one, prospect, (code, way)).await
}
