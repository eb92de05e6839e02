//! Looks over the installation from where somebody stands. Everything at once; whatever is away is told and stops nothing. Each call
//! outside ends by itself, and how many there are is bounded.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use crate::domain::actor::Person;
use crate::domain::checkup::{Checkup, Door, EmptyName, Logins, Named, PipelineFound, PipelinesFound, SettingsFound, Shipped};
use crate::domain::fault::PortError;
use crate::domain::message::Message;
use crate::domain::names::WorkspaceId;
use crate::domain::pipeline::Pipeline;
use crate::domain::request::Request;
use crate::domain::rights::{Places, Rule};
use crate::domain::speech;
use crate::ports::{Answers, Credentials, NoCredentials};

use super::Ports;
use super::facts::repository_of;
use super::rights::noted_rules;

/// How many pipelines are looked at, and how many apps of each.
const PIPELINES: usize = 5;
const APPS: usize = 8;
/// How many names of rules are looked up.
const NAMES: usize = 30;

pub(super) async fn doctor(ports: &Ports, request: &Request) -> Message {
    let found = ports.accounts.credentials(&request.origin.person).await;
    let who = found.as_ref().ok();
    let looking = speech::looking();
    let both = together(vec![
        Box::pin(async { Half::Chat(ports.chat.standing(&request.origin, &looking).await) }) as Part<'_, Half>,
        Box::pin(async { Half::Pipelines(pipelines(ports, who).await) }),
        Box::pin(async { Half::Door(door(ports).await) }),
        Box::pin(async { Half::Names(empty_names(ports, &request.origin.person.workspace).await) }),
    ]);
    let (mut chat, mut seen, mut door, mut empty_names) = (None, None, None, Ok(Vec::new()));
    for half in both.await {
        match half {
            Half::Chat(found) => chat = Some(found),
            Half::Pipelines(found) => seen = found,
            Half::Door(found) => door = found,
            Half::Names(found) => empty_names = found,
        }
    }
    let page = &ports.privacy.page;
    let Some(chat) = chat else { return speech::went_wrong() };
    let came_with_address = request.origin.reply.is_some() || chat.as_ref().is_ok_and(|chat| !chat.gives_addresses);
    let checkup = Checkup {
        chat,
        came_with_address,
        logins: logins(found),
        pipelines: seen,
        settings: SettingsFound { public: page.public.is_some(), contact: page.contact.is_some(), place: page.place.is_some() },
        door,
        empty_names,
        now: ports.clock.now(),
    };
    speech::checkup(&checkup, &ports.command_word)
}

enum Half {
    Chat(Result<crate::domain::checkup::ChatStanding, PortError>),
    Pipelines(Option<Result<PipelinesFound, PortError>>),
    Door(Option<Door>),
    Names(Result<Vec<EmptyName>, PortError>),
}

/// Who answers where browsers are sent.
async fn door(ports: &Ports) -> Option<Door> {
    Some(match ports.doorbell.as_ref()?.ring().await {
        Answers::Us => Door::Ours,
        Answers::SomebodyElse { status } => Door::Others(status),
        Answers::Nobody => Door::Shut,
    })
}

/// What the rules name and is not there any more.
async fn empty_names(ports: &Ports, workspace: &WorkspaceId) -> Result<Vec<EmptyName>, PortError> {
    let rules = match noted_rules(ports, workspace).await {
        Ok((_, rules)) => rules,
        Err(error) => {
            tracing::warn!(%error, "the rules could not be read");
            return Ok(Vec::new());
        }
    };
    let mut empty = Vec::new();
    let mut left = NAMES;
    for rule in rules.kept.iter().map(|kept| &kept.rule) {
        let about = rule.matter();
        let (people, groups) = rule.party().map(|party| (&party.people, &party.groups)).unzip();
        for user in people.into_iter().flatten().take(left) {
            if !ports.rights.is_there(workspace, user).await? {
                let person = Person { workspace: workspace.clone(), user: user.clone() };
                empty.push(EmptyName { about, names: Named::Person(person) });
            }
        }
        for group in groups.into_iter().flatten().take(left) {
            if !ports.rights.is_group(workspace, &group.id).await? {
                empty.push(EmptyName { about, names: Named::Group(group.name.clone()) });
            }
        }
        let channels = if let Rule::Channels(Places::Only(channels)) = rule { Some(channels) } else { None };
        for channel in channels.into_iter().flatten().take(left) {
            match ports.rights.conversation(workspace, channel).await {
                // One that is not for us to see is no less open to commands.
                Ok(at) if at.archived => empty.push(EmptyName { about, names: Named::Channel(channel.clone()) }),
                Ok(_) | Err(_) => {}
            }
        }
        let named = people.map_or(0, BTreeSet::len) + groups.map_or(0, BTreeSet::len) + channels.map_or(0, BTreeSet::len);
        left = left.saturating_sub(named);
    }
    Ok(empty)
}

fn logins(found: Result<Credentials, NoCredentials>) -> Logins {
    match found {
        Ok(_) => Logins::Linked,
        Err(NoCredentials::Stranger) => Logins::Stranger,
        Err(NoCredentials::Missing(missing)) => Logins::Missing(missing),
        Err(NoCredentials::Away(error)) => Logins::Away(error),
        Err(NoCredentials::Locked) => Logins::Locked,
    }
}

async fn pipelines(ports: &Ports, who: Option<&Credentials>) -> Option<Result<PipelinesFound, PortError>> {
    let who = who?;
    let all = match ports.platform.pipelines(&who.platform).await {
        Ok(all) => all,
        Err(error) => return Some(Err(error)),
    };
    let parts = all.iter().take(PIPELINES).map(|pipeline| Box::pin(one(ports, who, pipeline)) as Part<'_, PipelineFound>);
    let looked_at = together(parts.collect()).await;
    Some(Ok(PipelinesFound { looked_at, left_out: all.len().saturating_sub(PIPELINES) }))
}

async fn one(ports: &Ports, who: &Credentials, pipeline: &Pipeline) -> PipelineFound {
    let ships = match repository_of(ports, &who.platform, pipeline).await {
        Ok(None) => Shipped::NotLinked,
        Err(error) => Shipped::Unreadable { name: None, error },
        Ok(Some(link)) => match ports.source.repository(&who.source, &link.name).await {
            Ok(repository) => Shipped::Known { name: repository.name, may_record: repository.may_deploy, archived: repository.archived },
            Err(error) => Shipped::Unreadable { name: Some(link.name), error },
        },
    };
    let apps = match ports.platform.apps(&who.platform, &pipeline.id).await {
        Ok(apps) => {
            let access = apps
                .into_iter()
                .take(APPS)
                .map(|app| Box::pin(async move { (app.name, ports.platform.access(&who.platform, &app.id).await) }) as Part<'_, _>);
            Ok(together(access.collect()).await)
        }
        Err(error) => Err(error),
    };
    PipelineFound { name: pipeline.name.clone(), ships, apps }
}

type Part<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Does all of it at once; what came of each, in their order.
async fn together<T>(mut parts: Vec<Part<'_, T>>) -> Vec<T> {
    let mut done: Vec<Option<T>> = parts.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut open = false;
        for (part, done) in parts.iter_mut().zip(&mut done) {
            if done.is_none() {
                match part.as_mut().poll(context) {
                    Poll::Ready(came) => *done = Some(came),
                    Poll::Pending => open = true,
                }
            }
        }
        if open { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    done.into_iter().flatten().collect()
}
