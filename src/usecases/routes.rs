//! Routes: set after a test, shown, taken away, and closed where the chat takes nothing any more.

use crate::domain::actor::Person;
use crate::domain::command::{Command, RouteWish};
use crate::domain::message::Message;
use crate::domain::names::{ChannelId, PipelineId, PipelineName, WorkspaceId};
use crate::domain::pipeline::{Pipeline, PipelineKey};
use crate::domain::privacy::{Note, NoteKey, NoteKind, Noted};
use crate::domain::request::Request;
use crate::domain::rights::{Did, Entry, Matter, Rule};
use crate::domain::route::{Only, Route, Routes};
use crate::domain::speech::{self, Doing, RouteRow};
use crate::ports::{Addressee, Credentials, Fault, NoteBatch, StoreError};

use super::facts::find_pipeline;
use super::offers::offer;
use super::rights::{noted_rules, to_all_of};
use super::{Ports, Trouble, WhileDoing};

/// How often a change is tried again when somebody else was faster.
const TRIES: u32 = 5;

/// The routes of a pipeline in a workspace.
pub(super) async fn routes_of(
    ports: &Ports,
    workspace: &WorkspaceId,
    pipeline: &PipelineId,
) -> Result<Option<(Noted, Routes)>, StoreError> {
    let noted = ports.privacy.keeping.note(&NoteKey::Routes(workspace.clone(), pipeline.clone())).await?;
    Ok(noted.and_then(|noted| if let Note::Routes(routes) = &noted.note { Some((noted.clone(), routes.clone())) } else { None }))
}

/// Saves a change of the newest routes together with what is put on record of it; `None`: others keep changing them.
async fn saved(ports: &Ports, none: &Routes, change: impl Fn(&Routes) -> (Routes, Option<Entry>)) -> Result<Option<Routes>, StoreError> {
    for _ in 0..TRIES {
        let stored = routes_of(ports, &none.workspace, &none.pipeline).await?;
        let (noted, routes) =
            stored.map_or_else(|| (Noted::new(Note::Routes(none.clone())), none.clone()), |(noted, routes)| (noted, routes));
        let (next, entry) = change(&routes);
        if next == routes {
            return Ok(Some(routes));
        }
        let mut save = vec![noted.saying(Note::Routes(next.clone()))];
        save.extend(entry.map(|entry| Noted::new(Note::Entry(entry))));
        match ports.privacy.keeping.save_notes(NoteBatch { save, ..NoteBatch::default() }).await {
            Ok(()) => return Ok(Some(next)),
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// `route`: set once a message has come through.
pub(super) async fn route(ports: &Ports, request: &Request, who: &Credentials, wish: &RouteWish) -> Result<Message, Trouble> {
    let (asker, to) = (&request.origin.person, &wish.to);
    let again = |pipeline| Command::Route(RouteWish { pipeline, ..wish.clone() });
    let pipeline = find_pipeline(ports, asker, &who.platform, &wish.pipeline, again).await?;
    let none = Routes::none(asker.workspace.clone(), pipeline.id.clone(), pipeline.name.clone());
    let before = routes_of(ports, &asker.workspace, &pipeline.id).await?.map_or_else(|| none.clone(), |(_, routes)| routes);
    let now = ports.clock.now();
    if before.to(to).is_some_and(|route| route.only == wish.only && route.closed.is_none()) {
        return Ok(speech::route_the_same(&pipeline, to, &wish.only));
    }
    if !before.has_room(to) {
        return Err(speech::too_many_routes(&pipeline).into());
    }
    let shared = may_be_told(ports, &asker.workspace, to).await?;
    deliver_test(ports, asker, &pipeline, to, &wish.only).await?;
    let route = Route { to: to.clone(), only: wish.only.clone(), by: asker.user.clone(), at: now, closed: None };
    let id = ports.ids.fresh();
    let set = saved(ports, &none, |routes| {
        if !routes.has_room(to) {
            return (routes.clone(), None);
        }
        let before = routes.to(to).map(|route| route.only.clone());
        let did = routed(&pipeline, to, Some(wish.only.clone()), before);
        let entry = Entry { id, workspace: asker.workspace.clone(), at: now, by: asker.user.clone(), did };
        (Routes { name: pipeline.name.clone(), ..routes.with(route.clone()) }, Some(entry))
    });
    match set.await? {
        Some(routes) if routes.to(to).is_some() => Ok(speech::route_set(&pipeline, to, &wish.only, shared)),
        Some(_) => Err(speech::too_many_routes(&pipeline).into()),
        None => Err(speech::not_recorded().into()),
    }
}

fn routed(pipeline: &Pipeline, to: &ChannelId, only: Option<Only>, before: Option<Only>) -> Did {
    Did::Routed { pipeline: pipeline.id.clone(), name: pipeline.name.clone(), to: to.clone(), only, before }
}

/// Whether a conversation may be told, and whether another company reads along there.
async fn may_be_told(ports: &Ports, workspace: &WorkspaceId, to: &ChannelId) -> Result<bool, Trouble> {
    let welcome = outsiders_welcome(ports, workspace).await?;
    match ports.rights.conversation(workspace, to).await {
        Ok(at) if at.archived => Err(speech::conversation_archived(to).into()),
        Ok(at) if at.shared && !welcome => Err(speech::conversation_shared(to).into()),
        Ok(at) => Ok(at.shared),
        Err(error) if error.fault == Fault::NotFound => Err(speech::conversation_closed(to, &ports.command_word).into()),
        Err(error) if error.fault == Fault::Forbidden && welcome => Ok(false),
        Err(error) if error.is_temporary() => Err(Trouble::Outside(Doing::ReadingConversation, Box::new(error))),
        Err(error) => {
            tracing::warn!(%error, "the chat does not say what a conversation is");
            Err(speech::conversation_unreadable(to).into())
        }
    }
}

/// Whether another company has come to read along where the rules let none. Where the chat does not say, it is as it was.
pub(super) async fn is_read_by_others(ports: &Ports, workspace: &WorkspaceId, to: &ChannelId) -> Result<bool, StoreError> {
    let shared = ports.rights.conversation(workspace, to).await.is_ok_and(|at| at.shared);
    Ok(shared && !outsiders_welcome(ports, workspace).await?)
}

async fn outsiders_welcome(ports: &Ports, workspace: &WorkspaceId) -> Result<bool, StoreError> {
    let (_, rules) = noted_rules(ports, workspace).await?;
    Ok(rules.rule(Matter::Outsiders) == Rule::Outsiders { welcome: true })
}

/// A real message: what cannot be delivered is not kept.
async fn deliver_test(ports: &Ports, asker: &Person, pipeline: &Pipeline, to: &ChannelId, only: &Only) -> Result<(), Trouble> {
    let place = Addressee::Place(asker.workspace.clone(), to.clone());
    match ports.chat.say(&place, &speech::route_begins(asker, pipeline, to, only)).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_temporary() => Err(Trouble::Outside(Doing::TestingRoute, Box::new(error))),
        Err(error) => {
            tracing::info!(%error, "a route that was tested does not work");
            Err(speech::conversation_closed(to, &ports.command_word).into())
        }
    }
}

/// `unroute`: by whoever has set it, and by whoever may set it.
pub(super) async fn unroute(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    key: &PipelineKey,
    from: Option<&ChannelId>,
) -> Result<Message, Trouble> {
    let asker = &request.origin.person;
    let again = |pipeline| Command::Unroute { pipeline, from: from.cloned() };
    let pipeline = find_pipeline(ports, asker, &who.platform, key, again).await?;
    let none = Routes::none(asker.workspace.clone(), pipeline.id.clone(), pipeline.name.clone());
    let routes = routes_of(ports, &asker.workspace, &pipeline.id).await?.map_or_else(|| none.clone(), |(_, routes)| routes);
    let meant: Vec<&Route> = routes.kept.iter().filter(|route| from.is_none_or(|from| route.to == *from)).collect();
    let route = match meant.as_slice() {
        [] => return Ok(speech::no_such_route(&pipeline, from, &routes.kept)),
        [only] => (*only).clone(),
        [_, ..] => {
            let choice = |(place, route): (usize, &&Route)| {
                let pipeline = PipelineKey::Id(pipeline.id.clone());
                (speech::unroute_label(place), Command::Unroute { pipeline, from: Some(route.to.clone()) })
            };
            let choices: Vec<(String, Command)> = meant.iter().enumerate().map(choice).collect();
            let buttons = offer(ports, asker, choices).await?;
            return Ok(speech::which_route(&pipeline, &meant, &buttons));
        }
    };
    if route.by != asker.user {
        to_all_of(ports, &request.origin, &route.only.about()).await?;
    }
    let id = ports.ids.fresh();
    let now = ports.clock.now();
    let taken = saved(ports, &none, |routes| {
        let before = routes.to(&route.to).map(|route| route.only.clone());
        let entry = Entry {
            id,
            workspace: asker.workspace.clone(),
            at: now,
            by: asker.user.clone(),
            did: routed(&pipeline, &route.to, None, before),
        };
        (routes.without_route(&route.to), Some(entry))
    });
    match taken.await? {
        Some(_) => Ok(speech::unrouted(&pipeline, &route.to)),
        None => Err(speech::not_recorded().into()),
    }
}

/// All routes of a workspace.
async fn all(ports: &Ports, workspace: &WorkspaceId) -> Result<Vec<Routes>, StoreError> {
    let notes = ports.privacy.keeping.notes(NoteKind::Routes).await?;
    let routes = notes.into_iter().filter_map(|noted| if let Note::Routes(routes) = noted.note { Some(routes) } else { None });
    Ok(routes.filter(|routes| routes.workspace == *workspace).collect())
}

fn rows(routes: &Routes, name: &PipelineName) -> Vec<RouteRow> {
    let row = |route: &Route| RouteRow { pipeline: name.clone(), by: routes.setter(route), route: route.clone() };
    routes.kept.iter().map(row).collect()
}

/// `routes`: those of the pipelines that the asker can see.
pub(super) async fn routes(ports: &Ports, request: &Request, who: &Credentials) -> Result<Message, Trouble> {
    let seen = ports.platform.pipelines(&who.platform).await.while_doing(Doing::ReadingPipelines)?;
    let mut found = Vec::new();
    for routes in all(ports, &request.origin.person.workspace).await? {
        if let Some(pipeline) = seen.iter().find(|pipeline| pipeline.id == routes.pipeline) {
            found.extend(rows(&routes, &pipeline.name));
        }
    }
    found.sort_by(|one, other| (&one.pipeline, one.route.at).cmp(&(&other.pipeline, other.route.at)));
    Ok(speech::routes(&found, &ports.command_word, ports.clock.now()))
}

/// The routes that the chat takes nothing for any more: of one pipeline, or of all.
pub(super) async fn closed(ports: &Ports, workspace: &WorkspaceId, pipeline: Option<&Pipeline>) -> Result<Vec<RouteRow>, StoreError> {
    let all = match pipeline {
        Some(pipeline) => routes_of(ports, workspace, &pipeline.id).await?.map(|(_, routes)| routes).into_iter().collect(),
        None => all(ports, workspace).await?,
    };
    let rows = all.iter().flat_map(|routes| rows(routes, &routes.name));
    Ok(rows.filter(|row| row.route.closed.is_some()).collect())
}

/// The chat takes nothing there, for good as it says: noted, and told to whoever has set the route, once.
pub(super) async fn close(ports: &Ports, routes: &Routes, route: &Route) -> Result<(), StoreError> {
    let now = ports.clock.now();
    if route.closed.is_some() || !mark(ports, routes, route, Some(now)).await? {
        return Ok(());
    }
    let message = speech::route_closed(&routes.name, &route.to, &ports.command_word);
    if let Err(error) = ports.chat.say(&Addressee::Direct(routes.setter(route)), &message).await {
        tracing::info!(%error, "whoever has set a route could not be told that it does not work");
    }
    Ok(())
}

/// It takes something again.
pub(super) async fn reopen(ports: &Ports, routes: &Routes, route: &Route) -> Result<(), StoreError> {
    if route.closed.is_some() {
        mark(ports, routes, route, None).await?;
    }
    Ok(())
}

/// Marks a route; whether it is still there.
async fn mark(ports: &Ports, routes: &Routes, route: &Route, closed: Option<jiff::Timestamp>) -> Result<bool, StoreError> {
    let marked = saved(ports, routes, |routes| match routes.to(&route.to) {
        Some(now) => (routes.with(Route { closed, ..now.clone() }), None),
        None => (routes.clone(), None),
    });
    Ok(marked.await?.is_some_and(|routes| routes.to(&route.to).is_some()))
}
