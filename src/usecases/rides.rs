//! Several people ride one deploy: the same commit ships once, and one that is part of another may ship with it.

use crate::domain::actor::Person;
use crate::domain::command::{Command, Ride, Terms, Wish};
use crate::domain::deployment::{CancelAnswer, Deployment, Phase, WaitingFor, Way};
use crate::domain::line::Line;
use crate::domain::message::Message;
use crate::domain::names::{CommitSha, DeploymentId, RepoName};
use crate::domain::notice::Notice;
use crate::domain::pipeline::PipelineKey;
use crate::domain::request::Request;
use crate::domain::source::{AskedRef, Direction};
use crate::domain::speech;
use crate::ports::{Addressee, Batch, Credentials, StoreError, WakeKey};

use super::deploy::{Ask, TRIES, place_of, same_wish_in};
use super::facts::{Prospect, Rights};
use super::look::deployments;
use super::offers::offer;
use super::{Ports, Trouble, notices};

/// With how many of a line a commit is compared.
const COMPARED: usize = 3;

/// Whether a deploy takes somebody along, or does already.
fn may_take(one: &Deployment, asker: &Person, repository: &RepoName) -> bool {
    let takes = one.takes_riders() || (one.is_ridden_by(asker) && !one.has_ended());
    takes && !one.is_orphaned() && one.origin.person != *asker && one.cargo.repository.same_as(repository)
}

/// Somebody who might ride along.
#[derive(Clone, Copy)]
struct Rider<'a> {
    person: &'a Person,
    who: &'a Credentials,
    repository: &'a RepoName,
    /// As of when their rights in the repository are, by which the gate is open.
    rights: Rights,
}

impl Rider<'_> {
    /// Whether they may record there now. Nothing is recorded for who rides along, so that nobody else would judge it; whoever cannot
    /// be seen to may goes their own way.
    async fn may_record(&self, ports: &Ports) -> bool {
        match self.rights {
            Rights::OfNow => true,
            Rights::AsSeenLast => match ports.source.repository(&self.who.source, self.repository).await {
                Ok(repository) => repository.is_open_to_records() != Some(false),
                Err(error) => {
                    tracing::info!(%error, "whether somebody may ride along cannot be read");
                    false
                }
            },
        }
    }
}

/// Rides along with a deploy of the same commit, where there is one; `None`: there is none, or none any more.
pub(super) async fn ride_the_same(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    prospect: &Prospect,
) -> Result<Option<Message>, Trouble> {
    let line = ports.store.line(&prospect.target.app).await?;
    ride_one_of(ports, rider(request, who, prospect), &prospect.resolved.commit, &line).await
}

/// The same for one that was about to be recorded.
pub(super) async fn ride_with_one_of(
    ports: &Ports,
    (who, rights): (&Credentials, Rights),
    instead: &Deployment,
    line: &Line,
) -> Result<Option<Message>, Trouble> {
    let Deployment { origin, cargo, .. } = instead;
    let rider = Rider { person: &origin.person, who, repository: &cargo.repository, rights };
    ride_one_of(ports, rider, &cargo.commit, line).await
}

fn rider<'a>(request: &'a Request, who: &'a Credentials, prospect: &'a Prospect) -> Rider<'a> {
    Rider { person: &request.origin.person, who, repository: &prospect.repository.name, rights: prospect.rights }
}

async fn ride_one_of(ports: &Ports, rider: Rider<'_>, commit: &CommitSha, line: &Line) -> Result<Option<Message>, Trouble> {
    let there = deployments(ports, line.everybody()).await?;
    match there.into_iter().find(|one| one.cargo.commit == *commit && may_take(one, rider.person, rider.repository)) {
        Some(other) => ride(ports, rider, other.id, commit, None).await,
        None => Ok(None),
    }
}

/// Rides along with one deploy. `instead_of`: one's own that waits for the same and goes then. `None`: it takes nobody along any more.
async fn ride(
    ports: &Ports,
    rider: Rider<'_>,
    id: DeploymentId,
    wants: &CommitSha,
    instead_of: Option<DeploymentId>,
) -> Result<Option<Message>, Trouble> {
    if !rider.may_record(ports).await {
        return Ok(None);
    }
    let person = rider.person;
    for _ in 0..TRIES {
        let Some(other) = ports.deployment(id).await? else { return Ok(None) };
        if other.is_ridden_by(person) && !other.has_ended() {
            return Ok(Some(speech::rides(&other, wants)));
        }
        let now = ports.clock.now();
        let Some(next) = other.ridden_by(person, wants, now) else { return Ok(None) };
        let message = speech::rides(&next, wants);
        let mut batch = Batch::deployment(next);
        let own = match instead_of {
            Some(own) => ports.deployment(own).await?.filter(Deployment::waits),
            None => None,
        };
        if let Some(own) = own
            && let CancelAnswer::Stopped(stopped) = own.cancelled_by(person, speech::rides_instead(&other).as_ref(), now)
        {
            batch.lines.extend(ports.store.line(&stopped.target.app).await?.with(&stopped));
            batch.deployments.push(*stopped);
        }
        match ports.store.save(batch).await {
            Ok(()) => {
                for one in std::iter::once(id).chain(instead_of) {
                    ports.clock.wake(WakeKey::Deployment(one));
                }
                ports.clock.wake(WakeKey::Keeper);
                return Ok(Some(message));
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(speech::not_recorded().into())
}

/// Whether a deploy is better shipped by one that stands before it in the line and contains its commit: asked first, answered by a
/// button. `None`: nothing of that kind, and it goes its own way.
pub(super) async fn along(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: &Ask,
    prospect: &Prospect,
) -> Result<Option<Message>, Trouble> {
    let asker = &request.origin.person;
    let commit = &prospect.resolved.commit;
    match &ask.terms.ride {
        Ride::Alone => Ok(None),
        Ride::With(id) => {
            let own = same_wish_in(ports, request, &prospect.target, commit).await?.map(|own| own.id);
            match ride(ports, rider(request, who, prospect), *id, commit, own).await? {
                Some(message) => Ok(Some(message)),
                None => {
                    let buttons = offer(ports, asker, [(speech::DEPLOY_MINE.to_owned(), alone(ask, prospect))]).await?;
                    Ok(Some(speech::takes_nobody_along(&prospect.target, commit, &buttons)))
                }
            }
        }
        Ride::Unsaid => {
            let Some(other) = one_that_contains(ports, asker, who, prospect).await? else { return Ok(None) };
            let terms = Terms { ride: Ride::With(other.id), shown: Some(commit.clone()), ..ask.terms.clone() };
            let with = Ask { terms, ..ask.clone() }.again(exactly(ask, prospect));
            let choices = [(speech::RIDE_ALONG.to_owned(), with), (speech::DEPLOY_MINE.to_owned(), alone(ask, prospect))];
            let buttons = offer(ports, asker, choices).await?;
            Ok(Some(speech::may_ride(&other, &prospect.resolved, &buttons)))
        }
    }
}

/// The same deploy, by itself.
fn alone(ask: &Ask, prospect: &Prospect) -> Command {
    let terms = Terms { ride: Ride::Alone, shown: Some(prospect.resolved.commit.clone()), ..ask.terms.clone() };
    Ask { terms, ..ask.clone() }.again(exactly(ask, prospect))
}

fn exactly(ask: &Ask, prospect: &Prospect) -> Wish {
    Wish { to: Some(place_of(&prospect.target)), ..ask.wish.clone() }
}

/// The first in the line, of somebody else, whose commit contains this one, as far as the asker's own rights can tell.
async fn one_that_contains(
    ports: &Ports,
    asker: &Person,
    who: &Credentials,
    prospect: &Prospect,
) -> Result<Option<Deployment>, StoreError> {
    let line = ports.store.line(&prospect.target.app).await?;
    let there = deployments(ports, line.everybody()).await?;
    let commit = &prospect.resolved.commit;
    let others = there.into_iter().filter(|one| one.cargo.commit != *commit && may_take(one, asker, &prospect.repository.name));
    for other in others.take(COMPARED) {
        let compared = ports.source.compare(&who.source, &prospect.repository.name, commit, &other.cargo.commit).await;
        match compared {
            Ok(Some(change)) if change.direction == Direction::Ahead => return Ok(Some(other)),
            Ok(_) => {}
            Err(error) => tracing::info!(%error, "whether a commit is part of one that ships cannot be read"),
        }
    }
    Ok(None)
}

/// Those who wait before a new deploy with a commit that is part of it may ride along with it: each is told, by their own rights.
pub(super) async fn offer_to_those_before(ports: &Ports, began: &Deployment) -> Result<(), StoreError> {
    if began.way != Way::Build {
        return Ok(());
    }
    let line = ports.store.line(&began.target.app).await?;
    let before = line.everybody().take_while(|id| *id != began.id);
    let waiting = deployments(ports, before).await?.into_iter().filter(|one| {
        let waits = one.phase == Phase::Waiting(WaitingFor::Turn) && one.way == Way::Build;
        waits && one.origin.person != began.origin.person && one.cargo.repository.same_as(&began.cargo.repository)
    });
    for one in waiting.filter(|one| one.cargo.commit != began.cargo.commit).take(COMPARED) {
        let person = &one.origin.person;
        if notices::is_hidden(ports, person, Notice::Turn).await? {
            continue;
        }
        let Ok(who) = ports.accounts.credentials(person).await else { continue };
        match ports.source.compare(&who.source, &one.cargo.repository, &one.cargo.commit, &began.cargo.commit).await {
            Ok(Some(change)) if change.direction == Direction::Ahead => {}
            Ok(_) => continue,
            Err(error) => {
                tracing::info!(%error, "whether a commit is part of one that ships cannot be read");
                continue;
            }
        }
        let terms = Terms { ride: Ride::With(began.id), shown: Some(one.cargo.commit.clone()), ..Terms::default() };
        let what = AskedRef::Pinned { of: one.cargo.named_by.clone(), commit: one.cargo.commit.clone() };
        let pipeline = PipelineKey::Id(one.target.pipeline.clone());
        let wish = Wish { pipeline, what, to: Some(place_of(&one.target)) };
        let along = Command::Deploy { wish, passing_checks: false, because: None, terms };
        let buttons = offer(ports, person, [(speech::RIDE_ALONG.to_owned(), along)]).await?;
        if let Err(error) = ports.chat.say(&Addressee::Direct(person.clone()), &speech::ships_behind(&one, began, &buttons)).await {
            tracing::info!(deployment = %one.id, %error, "somebody could not be told that theirs may ride along");
        }
    }
    Ok(())
}

/// Rides no more; `None`: they do not ride along there.
pub(super) async fn ride_no_more(ports: &Ports, person: &Person, id: DeploymentId) -> Result<Option<Message>, Trouble> {
    for _ in 0..TRIES {
        let Some(deployment) = ports.deployment(id).await? else { return Ok(None) };
        if !deployment.is_ridden_by(person) {
            return Ok(None);
        }
        let Some(next) = deployment.not_ridden_by(person) else { return Ok(Some(speech::is_over(&deployment))) };
        let message = speech::rides_no_more(&next);
        match ports.store.save(Batch::deployment(next)).await {
            Ok(()) => {
                ports.clock.wake(WakeKey::Deployment(id));
                return Ok(Some(message));
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(speech::not_recorded().into())
}
