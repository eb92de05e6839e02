//! What would ship: the commits between what runs in two places, or between a place and a ref.

use crate::domain::command::{Command, Limit, Stretch};
use crate::domain::message::Message;
use crate::domain::pipeline::{App, Environment, Pipeline, PipelineKey, Place};
use crate::domain::request::Request;
use crate::domain::source::{AskedRef, Direction, Repository, Resolution};
use crate::domain::speech::{self, DiffEnd, Doing};
use crate::ports::Credentials;

use super::facts::{apps_of, find_app, find_pipeline, no_ref};
use super::whereabouts::{readable_repository, stand};
use super::{Ports, Trouble, WhileDoing};

pub(super) async fn diff(ports: &Ports, request: &Request, who: &Credentials, stretch: &Stretch) -> Result<Message, Trouble> {
    let asker = &request.origin.person;
    let again = |pipeline| Command::Diff(Stretch { pipeline, ..stretch.clone() });
    let pipeline = find_pipeline(ports, asker, &who.platform, &stretch.pipeline, again).await?;
    let apps = apps_of(ports, &who.platform, &pipeline).await?;
    let from = from(ports, request, &pipeline, &apps, stretch).await?;
    let repository = readable_repository(ports, who, &pipeline).await?;
    let base = stand(ports, who, &from).await?;
    let head = head(ports, request, who, (&pipeline, &repository), &apps, stretch).await?;
    let base_commit = match (&base.running, base.commit()) {
        (Err(error), _) => return Err(Trouble::Outside(Doing::ReadingReleases, Box::new(error.clone()))),
        (Ok(_), Some(commit)) => commit.clone(),
        (Ok(_), None) => return Ok(speech::no_known_commit(&from)),
    };
    let Some(head_commit) = head.commit().cloned() else {
        return Ok(match &head {
            DiffEnd::Place(there) => speech::no_known_commit(&there.app),
            DiffEnd::Ref(_) => speech::nothing_in_common(&repository),
        });
    };
    let read = |base, head| ports.source.difference(&who.source, &repository.name, base, head);
    let Some(difference) = read(&base_commit, &head_commit).await.while_doing(Doing::Comparing)? else {
        return Ok(speech::nothing_in_common(&repository));
    };
    let dropped = match difference.comparison.direction {
        Direction::Behind | Direction::Diverged => read(&head_commit, &base_commit).await.while_doing(Doing::Comparing)?,
        Direction::Same | Direction::Ahead => None,
    };
    Ok(speech::diff(&pipeline, &repository, &DiffEnd::Place(Box::new(base)), &head, &difference, dropped.as_ref(), ports.clock.now()))
}

/// The app to compare from: the one that was named, else the one that what was named would ship to.
async fn from(ports: &Ports, request: &Request, pipeline: &Pipeline, apps: &[App], stretch: &Stretch) -> Result<App, Trouble> {
    let next = match (&stretch.from, &stretch.to) {
        (None, Some(Limit::Place(to))) => {
            let mut after = Environment::ALL.into_iter().filter(|environment| *environment > to.environment);
            after
                .find(|environment| apps.iter().any(|app| app.environment == *environment))
                .map(|environment| Place { environment, app: None })
        }
        (Some(_), _) | (None, Some(Limit::Ref(_)) | None) => None,
    };
    let place = stretch.from.clone().or(next);
    let again =
        |place| Command::Diff(Stretch { pipeline: PipelineKey::Id(pipeline.id.clone()), from: Some(place), to: stretch.to.clone() });
    find_app(ports, &request.origin.person, pipeline, apps, place.as_ref(), again).await
}

/// What to compare with.
async fn head(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    (pipeline, repository): (&Pipeline, &Repository),
    apps: &[App],
    stretch: &Stretch,
) -> Result<DiffEnd, Trouble> {
    let asker = &request.origin.person;
    let with = |to| Command::Diff(Stretch { pipeline: PipelineKey::Id(pipeline.id.clone()), from: stretch.from.clone(), to: Some(to) });
    let what = match &stretch.to {
        Some(Limit::Place(place)) => {
            let app = find_app(ports, asker, pipeline, apps, Some(place), |place| with(Limit::Place(place))).await?;
            let there = stand(ports, who, &app).await?;
            return match there.running {
                Err(error) => Err(Trouble::Outside(Doing::ReadingReleases, Box::new(error))),
                Ok(_) => Ok(DiffEnd::Place(Box::new(there))),
            };
        }
        Some(Limit::Ref(what)) => what.clone(),
        None => AskedRef::Default,
    };
    match ports.source.resolve(&who.source, repository, &what).await.while_doing(Doing::ReadingRef)? {
        Resolution::Found(resolved) => Ok(DiffEnd::Ref(resolved)),
        resolution @ (Resolution::Unknown { .. }
        | Resolution::BranchAndTag { .. }
        | Resolution::AmbiguousHash
        | Resolution::EmptyRepository) => {
            let again = |name| with(Limit::Ref(AskedRef::Named(name)));
            Err(no_ref(ports, asker, repository, &what, &resolution, again).await?.into())
        }
    }
}
