//! Looks over the installation from where somebody stands. Everything at once; whatever is away is told and stops nothing. Each call
//! outside ends by itself, and how many there are is bounded.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use crate::domain::checkup::{Checkup, Logins, PipelineFound, PipelinesFound, SettingsFound, Shipped};
use crate::domain::fault::PortError;
use crate::domain::message::Message;
use crate::domain::pipeline::Pipeline;
use crate::domain::request::Request;
use crate::domain::speech;
use crate::ports::{Credentials, NoCredentials};

use super::Ports;
use super::facts::repository_of;

/// How many pipelines are looked at, and how many apps of each.
const PIPELINES: usize = 5;
const APPS: usize = 8;

pub(super) async fn doctor(ports: &Ports, request: &Request) -> Message {
    let found = ports.accounts.credentials(&request.origin.person).await;
    let who = found.as_ref().ok();
    let looking = speech::looking();
    let both = together(vec![
        Box::pin(async { Half::Chat(ports.chat.standing(&request.origin, &looking).await) }) as Part<'_, Half>,
        Box::pin(async { Half::Pipelines(pipelines(ports, who).await) }),
    ]);
    let (mut chat, mut seen) = (None, None);
    for half in both.await {
        match half {
            Half::Chat(found) => chat = Some(found),
            Half::Pipelines(found) => seen = found,
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
        now: ports.clock.now(),
    };
    speech::checkup(&checkup, &ports.command_word)
}

enum Half {
    Chat(Result<crate::domain::checkup::ChatStanding, PortError>),
    Pipelines(Option<Result<PipelinesFound, PortError>>),
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
