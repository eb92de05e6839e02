//! Logins from the side of the chat: the private link, the passcode, logging out, who somebody is; and commands that wait for logins.

use secrecy::SecretString;

use crate::domain::account::{Missing, Provider, Unlinked};
use crate::domain::actor::Person;
use crate::domain::command::{Command, Needs};
use crate::domain::deployment::Deployment;
use crate::domain::message::Message;
use crate::domain::request::Request;
use crate::domain::sign_in::Kept;
use crate::domain::speech::{self, LoginView};
use crate::ports::{Fault, NoCredentials, SignInAt, StoreError, WakeKey};

use super::answer;
use super::linked::Denied;
use super::visits::{Confirmed, SignIns};
use super::{Ports, Trouble, notices};

/// Why a person cannot go on, and the way out: where logins are missing, a link to link them. `kept`: the command that waits for that.
pub(super) async fn without(ports: &Ports, request: &Request, no: NoCredentials, kept: Option<&Command>) -> Result<Message, Trouble> {
    let word = &ports.command_word;
    match (no, &ports.sign_ins) {
        (NoCredentials::Stranger, _) | (NoCredentials::Missing(_), None) => Ok(speech::stranger(word)),
        (NoCredentials::Missing(missing), Some(sign_ins)) => {
            let address = offer(sign_ins, request, kept).await?;
            Ok(speech::link_first(&missing, &address, kept, word, ports.clock.now()))
        }
        (NoCredentials::Away(error), _) => Ok(speech::logins_away(&error)),
        (NoCredentials::Locked, _) => Ok(speech::logins_locked(word)),
    }
}

async fn offer(sign_ins: &SignIns, request: &Request, kept: Option<&Command>) -> Result<String, Trouble> {
    let link = sign_ins.offer(&request.origin.person, kept.cloned()).await.map_err(trouble)?;
    Ok(sign_ins.address_of(&link))
}

fn trouble(denied: Denied) -> Trouble {
    match denied {
        Denied::Store(error) => Trouble::Store(error),
        Denied::Missing(_) | Denied::Away(_) | Denied::Sealed(_) => {
            tracing::error!(%denied, "a sign-in could not go on");
            Trouble::Refused(Box::new(speech::went_wrong()))
        }
    }
}

/// `login`, with the passcode that came with it while this process still has it.
pub(super) async fn login(ports: &Ports, request: &Request, passcode: Option<SecretString>) -> Result<Option<Message>, Trouble> {
    let Some(sign_ins) = &ports.sign_ins else { return Ok(Some(speech::nobody_signs_in())) };
    let word = &ports.command_word;
    let Some(passcode) = passcode else {
        if request.came_with_code {
            return Ok(Some(speech::passcode_lost()));
        }
        let kept = sign_ins.kept_for(&request.origin.person).await.map_err(trouble)?;
        let address = offer(sign_ins, request, None).await?;
        return Ok(Some(speech::sign_in_link(&address, kept.as_ref(), word, ports.clock.now())));
    };
    let (at, kept, before) = match sign_ins.typed(&request.origin.person, &passcode).await.map_err(trouble)? {
        Confirmed::NoneWaits => return Ok(Some(speech::no_passcode_wanted(word))),
        Confirmed::Wrong { tries_left } => return Ok(Some(speech::wrong_passcode(tries_left, word))),
        Confirmed::Linked { at, kept, before } => (at, kept, before),
    };
    // What goes on outside can be looked at again, and records get their ends.
    wake_all(ports, &open(ports, request).await?);
    let missing = missing(ports, sign_ins, request).await?;
    let told = speech::now_linked(&at, &missing, &before, kept.as_deref(), ports.clock.now());
    let Some(Kept::Waits { command: kept, .. }) = kept.map(|kept| *kept) else { return Ok(Some(told)) };
    // Said first, so that what comes of the command stands below it. Where it cannot be said, the command speaks for itself.
    answer::say(ports, request, &told).await;
    match ports.accounts.credentials(&request.origin.person).await {
        // Boxed: a kept command is run as any other is.
        Ok(who) => {
            // What was typed behind this command was its passcode, and nothing for the kept one.
            let request = Request { came_with_code: false, ..request.clone() };
            Box::pin(answer::run(ports, &request, &who, &kept, None)).await
        }
        Err(no) => without(ports, request, no, Some(&kept)).await.map(Some),
    }
}

async fn missing(ports: &Ports, sign_ins: &SignIns, request: &Request) -> Result<Vec<Missing>, Trouble> {
    let account = sign_ins.linked.accounts.account(&request.origin.person).await?;
    Ok(account.missing(Needs::BothAccounts, ports.clock.now()))
}

/// `logout`.
pub(super) async fn logout(ports: &Ports, request: &Request) -> Result<Option<Message>, Trouble> {
    let Some(sign_ins) = &ports.sign_ins else { return Ok(Some(speech::nobody_signs_in())) };
    let person = &request.origin.person;
    let before = sign_ins.give_up(person).await?;
    let mut became = sign_ins.linked.unlink(person).await.map_err(trouble)?;
    // What could not be ended is told, also of a login that was replaced before.
    for (at, before) in before.into_iter().filter(|(_, before)| *before != Unlinked::Revoked) {
        became
            .entry(at)
            .and_modify(|became| {
                if *became == Unlinked::Revoked {
                    before.clone_into(became)
                }
            })
            .or_insert(before);
    }
    if became.is_empty() {
        return Ok(Some(speech::nothing_to_unlink(&ports.command_word)));
    }
    let mut going = open(ports, request).await?;
    going.retain(|deployment| !deployment.has_ended());
    let told = speech::logged_out(&became, &going, &ports.command_word, ports.clock.now());
    wake_all(ports, &going);
    Ok(Some(told))
}

/// The deploys of whoever asks that are not over, or whose ends are not told everywhere.
async fn open(ports: &Ports, request: &Request) -> Result<Vec<Deployment>, StoreError> {
    let mut open = ports.store.open_deployments().await?;
    open.retain(|deployment| deployment.origin.person == request.origin.person);
    Ok(open)
}

fn wake_all(ports: &Ports, deployments: &[Deployment]) {
    for deployment in deployments {
        ports.clock.wake(WakeKey::Deployment(deployment.id));
    }
}

/// The name of a login at its service; `None`: it cannot be asked for now.
async fn name_of(ports: &Ports, person: &Person, service: &dyn SignInAt, sign_ins: &SignIns) -> Option<String> {
    let at = service.provider();
    let access = sign_ins.linked.access(person, at).await.ok()?;
    match service.who(&access).await {
        Ok(who) => Some(who.name),
        Err(error) if error.fault == Fault::SignInLost && ports.accounts.refused(person, at, &access).await => {
            let another = sign_ins.linked.access(person, at).await.ok()?;
            service.who(&another).await.ok().map(|who| who.name)
        }
        Err(_) => None,
    }
}

/// What somebody is called at a service, where people link their logins; `None`: that is not known, or cannot be asked for now.
pub(super) async fn name_at(ports: &Ports, person: &Person, at: Provider) -> Option<String> {
    let sign_ins = ports.sign_ins.as_ref()?;
    let service = sign_ins.linked.services.get(&at)?;
    name_of(ports, person, service.as_ref(), sign_ins).await
}

/// `whoami`.
pub(super) async fn whoami(ports: &Ports, request: &Request) -> Result<Option<Message>, Trouble> {
    let (person, word, now) = (&request.origin.person, &ports.command_word, ports.clock.now());
    let mute = notices::mute_of(ports, person).await?;
    let Some(sign_ins) = &ports.sign_ins else {
        return match ports.accounts.credentials(person).await {
            Ok(_) => Ok(Some(speech::you_are_the_one(person, mute.as_ref(), word, now))),
            Err(no) => without(ports, request, no, None).await.map(Some),
        };
    };
    let account = sign_ins.linked.accounts.account(person).await?;
    let mut logins = Vec::new();
    for (at, service) in &sign_ins.linked.services {
        if !account.logins.contains_key(at) {
            continue;
        }
        logins.push(LoginView { at: *at, name: name_of(ports, person, service.as_ref(), sign_ins).await });
    }
    // Asking may have shown that one is not taken any more, or has renewed one.
    let account = sign_ins.linked.accounts.account(person).await?;
    let now = ports.clock.now();
    let missing = account.missing(Needs::BothAccounts, now);
    Ok(Some(speech::who_you_are(&account, &logins, &missing, mute.as_ref(), word, now)))
}
