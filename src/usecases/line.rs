//! The line: who waits, stepping out of it, and changing places in it.

use crate::domain::actor::Person;
use crate::domain::command::{Command, MoveWish, Spot, Where};
use crate::domain::deployment::{Deployment, MovedBy, Phase};
use crate::domain::line::Line;
use crate::domain::message::Message;
use crate::domain::names::{DeploymentId, RefName};
use crate::domain::pipeline::{App, NoApp, Place, pick_app};
use crate::domain::request::Request;
use crate::domain::source::{AskedRef, CommitRef};
use crate::domain::speech::{self, LineRow};
use crate::ports::{Addressee, Batch, Credentials, StoreError, WakeKey};

use super::facts::{apps_of, find_app, find_pipeline};
use super::look::deployments;
use super::offers::offer;
use super::{Ports, Trouble, rides, stop};

/// How often a change is tried again when the line has moved meanwhile.
const TRIES: u32 = 20;

pub(super) async fn queue(ports: &Ports, request: &Request, who: &Credentials, place: &Where) -> Result<Message, Trouble> {
    let asker = &request.origin.person;
    let again = |pipeline| Command::Queue(Where { pipeline, place: place.place.clone() });
    let pipeline = find_pipeline(ports, asker, &who.platform, &place.pipeline, again).await?;
    let apps = apps_of(ports, &who.platform, &pipeline).await?;
    let meant = meant(ports, request, &pipeline, &apps, place, Command::Queue).await?;
    let mut rows = Vec::new();
    for app in meant {
        let line = ports.store.line(&app.id).await?;
        rows.push(LineRow { standing: deployments(ports, line.everybody()).await?, app });
    }
    Ok(speech::queue(&pipeline, place.place.as_ref(), &rows, ports.clock.now()))
}

/// The apps that a place means: without an app, all of them.
pub(super) async fn meant(
    ports: &Ports,
    request: &Request,
    pipeline: &crate::domain::pipeline::Pipeline,
    apps: &[App],
    place: &Where,
    command: impl Fn(Where) -> Command,
) -> Result<Vec<App>, Trouble> {
    let Some(at) = &place.place else { return Ok(apps.to_vec()) };
    if at.app.is_none() && matches!(pick_app(apps, Some(at)), Err(NoApp::Several { .. })) {
        return Ok(apps.iter().filter(|app| app.environment == at.environment).cloned().collect());
    }
    let again = |at: Place| command(Where { pipeline: place.pipeline.clone(), place: Some(at) });
    find_app(ports, &request.origin.person, pipeline, apps, Some(at), again).await.map(|app| vec![app])
}

/// Steps out of the line. Only the asker's own waiting deployments.
pub(super) async fn leave(ports: &Ports, request: &Request, who: &Credentials, place: Option<Where>) -> Result<Message, Trouble> {
    let asker = &request.origin.person;
    let mut mine = Vec::new();
    let apps = match &place {
        Some(place) => {
            let again = |pipeline| Command::Leave { line: Some(Where { pipeline, place: place.place.clone() }) };
            let pipeline = find_pipeline(ports, &request.origin.person, &who.platform, &place.pipeline, again).await?;
            let apps = apps_of(ports, &who.platform, &pipeline).await?;
            Some(meant(ports, request, &pipeline, &apps, place, |line| Command::Leave { line: Some(line) }).await?)
        }
        None => None,
    };
    for deployment in ports.store.open_deployments().await? {
        let fits = apps.as_ref().is_none_or(|apps| apps.iter().any(|app| app.id == deployment.target.app));
        let own = waits(&deployment) && deployment.origin.person == *asker;
        let rides = deployment.is_ridden_by(asker) && !deployment.has_ended();
        if fits && (own || rides) {
            mine.push(deployment);
        }
    }
    match mine.as_slice() {
        [] => Ok(speech::not_waiting(place.is_some())),
        [only] => step_out(ports, asker, only.id).await,
        [_, ..] => Ok(speech::which_to_leave(&mine)),
    }
}

/// Steps out with one's own deployment, as long as it waits.
pub(super) async fn step_out(ports: &Ports, person: &Person, id: DeploymentId) -> Result<Message, Trouble> {
    let Some(deployment) = ports.deployment(id).await? else { return Ok(speech::no_such_deployment()) };
    if let Some(message) = rides::ride_no_more(ports, person, id).await? {
        return Ok(message);
    }
    if deployment.origin.person != *person {
        return Ok(speech::rides_not(&deployment));
    }
    stop::stop_where(ports, person, id, None, waits, speech::not_called).await
}

/// Begins what its asker is asked about at its turn.
pub(super) async fn ship_now(ports: &Ports, person: &Person, id: DeploymentId) -> Result<Message, Trouble> {
    for _ in 0..TRIES {
        let Some(deployment) = ports.deployment(id).await? else { return Ok(speech::no_such_deployment()) };
        if deployment.origin.person != *person {
            return Ok(speech::not_your_call(&deployment));
        }
        let Some(next) = deployment.answered(ports.clock.now()) else { return Ok(speech::not_called(&deployment)) };
        let message = speech::ships_now(&next);
        match ports.store.save(Batch::deployment(next)).await {
            Ok(()) => {
                ports.clock.wake(WakeKey::Deployment(id));
                return Ok(message);
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(speech::not_recorded().into())
}

fn waits(deployment: &Deployment) -> bool {
    matches!(deployment.phase, Phase::Waiting(_) | Phase::NeedsCode { .. })
}

/// Gives a deploy that waits another place: one's own further back, and any by the right of an admin.
pub(super) async fn change_place(ports: &Ports, request: &Request, who: &Credentials, wish: &MoveWish) -> Result<Message, Trouble> {
    let asker = &request.origin.person;
    let again = |pipeline| Command::QueueMove(MoveWish { pipeline, ..wish.clone() });
    let pipeline = find_pipeline(ports, asker, &who.platform, &wish.pipeline, again).await?;
    let apps = apps_of(ports, &who.platform, &pipeline).await?;
    let place = Where { pipeline: wish.pipeline.clone(), place: wish.place.clone() };
    let named = |line: Where| Command::QueueMove(MoveWish { pipeline: line.pipeline, place: line.place, ..wish.clone() });
    let mut fitting = Vec::new();
    for app in meant(ports, request, &pipeline, &apps, &place, named).await? {
        let line = ports.store.line(&app.id).await?;
        let waiting = deployments(ports, line.waiting.iter().copied()).await?;
        fitting.extend(waiting.into_iter().filter(|one| match &wish.what {
            AskedRef::Default => one.origin.person == *asker,
            what @ (AskedRef::Named(_) | AskedRef::Pull(_) | AskedRef::Pinned { .. }) => is_called(one, what),
        }));
    }
    match fitting.as_slice() {
        [] => Ok(speech::nobody_to_move(&pipeline, wish.what == AskedRef::Default)),
        [only] => give_place(ports, request, who, only, wish.to).await,
        [_, ..] => {
            let exactly = |one: &Deployment| {
                let what = RefName::parse(one.cargo.commit.as_str()).map_or_else(|_| wish.what.clone(), AskedRef::Named);
                let place = Some(Place { environment: one.target.environment, app: Some(one.target.app_name.clone()) });
                (speech::move_this(one), Command::QueueMove(MoveWish { pipeline: wish.pipeline.clone(), what, place, to: wish.to }))
            };
            let buttons = offer(ports, asker, fitting.iter().map(exactly)).await?;
            Ok(speech::which_to_move(&fitting, &buttons))
        }
    }
}

/// Whether a deploy ships what is called so.
fn is_called(deployment: &Deployment, what: &AskedRef) -> bool {
    let cargo = &deployment.cargo;
    match what {
        AskedRef::Default => false,
        AskedRef::Named(name) => match &cargo.named_by {
            CommitRef::Branch(by) | CommitRef::Tag(by) if by == name => true,
            CommitRef::Branch(_) | CommitRef::Tag(_) | CommitRef::Commit | CommitRef::Pull { .. } => {
                name.as_str().len() >= 7 && cargo.commit.as_str().starts_with(name.as_str())
            }
        },
        AskedRef::Pull(number) => matches!(&cargo.named_by, CommitRef::Pull { number: by, .. } if by == number),
        AskedRef::Pinned { commit, .. } => cargo.commit == *commit,
    }
}

async fn give_place(ports: &Ports, request: &Request, who: &Credentials, meant: &Deployment, to: Spot) -> Result<Message, Trouble> {
    let asker = &request.origin.person;
    let admin = match ports.rights.member(&asker.workspace, asker, ports.clock.now()).await {
        Ok(member) => Some(member.admin),
        Err(error) => {
            tracing::warn!(%error, "the chat does not say who somebody is");
            None
        }
    };
    for _ in 0..TRIES {
        let before = ports.store.line(&meant.target.app).await?;
        let Some(mut deployment) = ports.deployment(meant.id).await? else { return Ok(speech::no_such_deployment()) };
        let to = match to {
            Spot::First => 0,
            Spot::Last => usize::MAX,
            Spot::Nth(place) => usize::from(place).saturating_sub(1),
        };
        let Some(after) = before.moved(meant.id, to) else { return Ok(speech::stays_there(&deployment)) };
        let own = deployment.origin.person == *asker;
        let back = position(&after, &deployment) > position(&before, &deployment);
        if admin != Some(true) && !(own && back) {
            return Ok(speech::may_not_move(&deployment, admin.is_some()));
        }
        if !own {
            stop::may_touch(ports, who, asker, &deployment).await?;
        }
        deployment.moved = Some(MovedBy { by: asker.clone(), at: ports.clock.now() });
        let batch = Batch { deployments: vec![deployment.clone()], lines: vec![after.clone()], ..Batch::default() };
        match ports.store.save(batch).await {
            Ok(()) => {
                tell_of_it(ports, asker, &deployment, &before, &after).await?;
                return Ok(speech::moved(&deployment, after.place_of(deployment.id).unwrap_or(0)));
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(speech::not_recorded().into())
}

fn position(line: &Line, deployment: &Deployment) -> Option<usize> {
    line.waiting.iter().position(|waiting| *waiting == deployment.id)
}

/// Tells everybody whose place somebody else has changed; the cards show the same.
async fn tell_of_it(ports: &Ports, by: &Person, moved: &Deployment, before: &Line, after: &Line) -> Result<(), StoreError> {
    for one in deployments(ports, after.waiting.iter().copied()).await? {
        ports.clock.wake(WakeKey::Deployment(one.id));
        let places = before.place_of(one.id).zip(after.place_of(one.id));
        let Some(places) = places.filter(|(was, is)| was != is && one.origin.person != *by) else { continue };
        let message = speech::place_changed(&one, moved, by, places);
        if let Err(error) = ports.chat.say(&Addressee::Direct(one.origin.person.clone()), &message).await {
            tracing::warn!(deployment = %one.id, %error, "somebody could not be told of their place: the card shows it");
        }
    }
    Ok(())
}
