//! The page that a chat has for us and each of its people: what of theirs goes on, what they hold, and what comes of its buttons.

use crate::domain::actor::{Origin, Person};
use crate::domain::command::{Command, Hold};
use crate::domain::message::Message;
use crate::domain::page::{Page, PageAct};
use crate::domain::pipeline::PipelineKey;
use crate::domain::request::{Ask, Request};
use crate::domain::speech::{self, HomeView, Known};
use crate::ports::StoreError;

use super::answer::known;
use super::locks::rows_of;
use super::{Ports, Trouble, look, notices, rights};

/// Shows somebody their page as things are now. Nothing is kept of it, and what cannot be shown is shown when they look again.
pub async fn show_page(ports: &Ports, page_of: &Origin) -> Result<(), StoreError> {
    show(ports, page_of, None).await.map(drop)
}

/// The same, with what came of a button of it; `false`: the page could not be shown.
pub(super) async fn show(ports: &Ports, page_of: &Origin, note: Option<Message>) -> Result<bool, StoreError> {
    let page = page(ports, page_of, note).await?;
    Ok(publish(ports, &page_of.person, &page).await)
}

/// Takes from somebody's page what stands there about them.
pub(super) async fn clear(ports: &Ports, person: &Person) {
    publish(ports, person, &speech::empty_page(&ports.command_word, &ports.privacy.page)).await;
}

async fn publish(ports: &Ports, person: &Person, page: &Page) -> bool {
    let shown = ports.chat.show_page(person, page).await;
    if let Err(error) = &shown {
        tracing::info!(%error, "somebody's page could not be shown");
    }
    shown.is_ok()
}

async fn page(ports: &Ports, page_of: &Origin, note: Option<Message>) -> Result<Page, StoreError> {
    let (person, now) = (&page_of.person, ports.clock.now());
    // One's own affairs, in a conversation of one's own: as whoever links their logins.
    let refused = match rights::may_type(ports, page_of, &Command::Login).await {
        Ok(()) => None,
        Err(Trouble::Refused(refusal)) => Some(*refusal),
        Err(Trouble::Outside(doing, error)) => Some(speech::trouble(doing, &error)),
        Err(Trouble::Store(error)) => return Err(error),
    };
    if let Some(refused) = refused {
        let empty = speech::empty_page(&ports.command_word, &ports.privacy.page);
        return Ok(Page { note: Some(refused), ..empty });
    }
    let (mut rows, mut rides, mut locks) = (Vec::new(), Vec::new(), Vec::new());
    for deployment in ports.store.open_deployments().await? {
        if deployment.is_listed() && deployment.origin.person == *person {
            rows.push(look::status_row(ports, deployment).await?);
        } else if deployment.is_ridden_by(person) && !deployment.has_ended() {
            rides.push(look::status_row(ports, deployment).await?);
        }
    }
    for all in ports.locks.all_locks().await? {
        let own = rows_of(&all, now).into_iter().filter(|row| row.lock.holder == *person);
        locks.extend(own.map(|row| (all.pipeline.clone(), row)));
    }
    let mute = notices::mute_of(ports, person).await?;
    let known: Known = known(&ports.accounts.credentials(person).await);
    let privacy = &ports.privacy.page;
    let (rows, rides, locks, mute) = (rows.as_slice(), rides.as_slice(), locks.as_slice(), mute.as_ref());
    let view = HomeView { person, rows, rides, locks, mute, known, privacy, command_word: &ports.command_word, now };
    Ok(Page { note, conversation: Some(page_of.channel.clone()), ..speech::home(&view) })
}

/// What a button of a page asks for, as if it were asked for by a message or a command.
pub(super) fn as_asked(request: &Request, act: &PageAct) -> Request {
    let unlock = |on| Ask::Command(Command::Unlock { on, anyway: false, because: None });
    let ask = match act {
        PageAct::Press(act) => Ask::Press { act: *act, on: None },
        PageAct::Unlock { pipeline, on } => {
            unlock(Some(Hold { pipeline: PipelineKey::Id(pipeline.clone()), environment: on.environment() }))
        }
        PageAct::UnlockAll => unlock(None),
        PageAct::Unmute => Ask::Command(Command::Unmute),
    };
    Request { ask, ..request.clone() }
}
