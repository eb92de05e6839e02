//! The rules of a workspace: shown to whoever may look, changed by admins, on record.

use crate::domain::command::{Because, Command, RulesWish};
use crate::domain::message::Message;
use crate::domain::privacy::{Note, Noted};
use crate::domain::request::Request;
use crate::domain::rights::{Change, Doing};
use crate::domain::speech;
use crate::ports::{NoteBatch, StoreError};

use super::offers::offer;
use super::rights::{judged, noted_rules};
use super::{Ports, Trouble};

/// How often a change is tried again when somebody else was faster.
const TRIES: u32 = 5;

/// `rules`.
pub(super) async fn rules(ports: &Ports, request: &Request, wish: &RulesWish) -> Result<Option<Message>, Trouble> {
    let person = &request.origin.person;
    let admin = match ports.rights.member(&person.workspace, person, ports.clock.now()).await {
        Ok(member) => Some(member.admin),
        Err(error) => {
            tracing::warn!(%error, "the chat does not say who somebody is");
            None
        }
    };
    match wish {
        RulesWish::Show => {
            let judged = judged(ports, &person.workspace, person, None, Doing::Look).await?;
            if admin != Some(true) && !judged.denials.is_empty() {
                return Ok(Some(speech::denied(&judged.denials, &judged.rules, ports.clock.now())));
            }
            Ok(Some(speech::rules(&judged.rules, admin, &ports.command_word, ports.clock.now())))
        }
        RulesWish::Change { .. } if admin != Some(true) => Ok(Some(speech::no_admin(admin.is_some()))),
        RulesWish::Change { change, because } => self::change(ports, request, change, because.as_ref()).await.map(Some),
    }
}

async fn change(ports: &Ports, request: &Request, change: &Change, because: Option<&Because>) -> Result<Message, Trouble> {
    let person = &request.origin.person;
    if let Some(refused) = unknown_names(ports, request, change).await {
        return Ok(refused);
    }
    for _ in 0..TRIES {
        let (noted, rules) = noted_rules(ports, &person.workspace).await?;
        let changed = rules.after(change.clone(), &person.user, because.cloned(), ports.clock.now(), ports.ids.fresh());
        let Some(undo) = changed.undo else { return Ok(speech::rules_the_same(&rules, change.matter())) };
        let note = Note::Rules(changed.rules.clone());
        let save = vec![
            noted.map_or_else(|| Noted::new(note.clone()), |noted| noted.saying(note.clone())),
            Noted::new(Note::Entry(changed.entry)),
        ];
        match ports.privacy.keeping.save_notes(NoteBatch { save, ..NoteBatch::default() }).await {
            Ok(()) => {}
            Err(StoreError::Conflict(_)) => continue,
            Err(error) => return Err(error.into()),
        }
        let back = Command::Rules { wish: RulesWish::Change { change: undo, because: Because::parse(speech::TAKEN_BACK).ok() } };
        let buttons = offer(ports, person, [(speech::TAKE_BACK.to_owned(), back)]).await?;
        let take_back = buttons.first().map(|(_, id)| *id);
        return Ok(speech::rules_changed(&changed.rules, change, take_back, &ports.command_word));
    }
    Ok(speech::not_recorded())
}

/// What a rule names and is not there: a rule for nobody by a slip would shut everybody out.
async fn unknown_names(ports: &Ports, request: &Request, change: &Change) -> Option<Message> {
    let workspace = &request.origin.person.workspace;
    let party = match change {
        Change::Set(rule) => rule.party()?,
        Change::Reset(_) => return None,
    };
    let mut unknown = Vec::new();
    for user in &party.people {
        match ports.rights.is_there(workspace, user).await {
            Ok(true) => {}
            Ok(false) => unknown.push(format!("@{user}")),
            Err(error) => return Some(unreadable(&error)),
        }
    }
    for group in &party.groups {
        match ports.rights.is_group(workspace, &group.id).await {
            Ok(true) => {}
            Ok(false) => unknown.push(format!("@{}", group.name)),
            Err(error) => return Some(unreadable(&error)),
        }
    }
    (!unknown.is_empty()).then(|| speech::nobody_there(&unknown))
}

fn unreadable(error: &crate::ports::PortError) -> Message {
    tracing::warn!(%error, "the chat does not say who is there");
    speech::names_unreadable()
}
