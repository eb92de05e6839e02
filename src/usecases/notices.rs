//! A person's own notices: muted for a while, and told again.

use crate::domain::actor::Person;
use crate::domain::lock::Ending;
use crate::domain::message::Message;
use crate::domain::notice::{Mute, Notice};
use crate::domain::privacy::{Note, NoteKey, Noted};
use crate::domain::request::Request;
use crate::domain::speech;
use crate::ports::{NoteBatch, StoreError};

use super::{Ports, Trouble};

/// How often it is tried again when another of their commands was faster.
const TRIES: u32 = 5;

async fn noted_mute(ports: &Ports, person: &Person) -> Result<Option<(Noted, Mute)>, StoreError> {
    let noted = ports.privacy.keeping.note(&NoteKey::Mute(person.clone())).await?;
    Ok(noted.and_then(|noted| if let Note::Mute(mute) = &noted.note { Some((noted.clone(), mute.clone())) } else { None }))
}

/// Whether a person does not want to be told.
pub(super) async fn is_hidden(ports: &Ports, person: &Person, notice: Notice) -> Result<bool, StoreError> {
    Ok(noted_mute(ports, person).await?.is_some_and(|(_, mute)| mute.hides(notice, ports.clock.now())))
}

/// What a person has muted, if that holds.
pub(super) async fn mute_of(ports: &Ports, person: &Person) -> Result<Option<Mute>, StoreError> {
    Ok(noted_mute(ports, person).await?.map(|(_, mute)| mute).filter(|mute| mute.holds(ports.clock.now())))
}

/// `mute`: from now on, and until the end that was named.
pub(super) async fn mute(ports: &Ports, request: &Request, end: Option<&Ending>) -> Result<Message, Trouble> {
    let person = &request.origin.person;
    let now = ports.clock.now();
    // Counted from when it was asked for, so that a late answer makes it no longer.
    let until = match end {
        None => None,
        Some(end) => Some(end.from(request.received_at).ok_or_else(speech::no_such_mute)?),
    };
    let mute = Mute { person: person.clone(), since: now, until };
    for _ in 0..TRIES {
        let note = Note::Mute(mute.clone());
        let noted = match noted_mute(ports, person).await? {
            Some((stored, _)) => stored.saying(note),
            None => Noted::new(note),
        };
        match ports.privacy.keeping.save_notes(NoteBatch { save: vec![noted], ..NoteBatch::default() }).await {
            Ok(()) => return Ok(speech::muted(&mute, &ports.command_word, now)),
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(speech::not_recorded().into())
}

/// `unmute`.
pub(super) async fn unmute(ports: &Ports, request: &Request) -> Result<Message, Trouble> {
    for _ in 0..TRIES {
        let Some((noted, mute)) = noted_mute(ports, &request.origin.person).await? else { return Ok(speech::not_muted()) };
        match ports.privacy.keeping.save_notes(NoteBatch { remove: vec![noted], ..NoteBatch::default() }).await {
            Ok(()) if mute.holds(ports.clock.now()) => return Ok(speech::unmuted(&ports.command_word)),
            Ok(()) => return Ok(speech::not_muted()),
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(speech::not_recorded().into())
}
