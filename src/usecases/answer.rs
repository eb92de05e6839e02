//! One question in, one answer out.

use jiff::SignedDuration;
use secrecy::SecretString;

use crate::domain::account::Provider;
use crate::domain::command::{Command, Terms, Wish};
use crate::domain::lock::Freeing;
use crate::domain::message::{Act, Message};
use crate::domain::request::{Ask, Request};
use crate::domain::speech::{self, Known};
use crate::ports::{Addressee, Batch, Credentials, Fault, NoCredentials, StoreError};

use super::respite::Respite;
use super::{
    Ports, Trouble, accounts, aside, deploy, diff, doctor, forms, history, home, line, locks, look, notices, plan, press, privacy, promote,
    rights, rollback, routes, rules, stop, whereabouts,
};

/// How often an answer is tried.
const SAYINGS: u32 = 5;
/// The longest wait between two tries: the way back to a command is open for half an hour in all.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(2);
/// After this long nobody expects a deploy to begin any more.
const STALE: SignedDuration = SignedDuration::from_mins(30);

/// Answers a request that lies on disk. Safe to repeat after a crash: what must not happen twice is recorded together with
/// the request's end.
///
/// `code` is the one-time code that came with it, while this process still has it.
pub async fn answer(ports: &Ports, request: &Request, code: Option<SecretString>) -> Result<(), StoreError> {
    let on_page = match &request.ask {
        Ask::OnPage(act) => Some(home::as_asked(request, act)),
        Ask::Command(_) | Ask::Press { .. } | Ask::Form(_) | Ask::Filled(_) | Ask::Reasoned { .. } | Ask::Ship(_) => None,
    };
    match request.ask {
        Ask::Command(_) | Ask::Filled(_) => privacy::tell_changes(ports, &request.origin).await?,
        Ask::Press { .. } | Ask::OnPage(_) | Ask::Form(_) | Ask::Reasoned { .. } | Ask::Ship(_) => {
            privacy::seen(ports, &request.origin.person).await?
        }
    }
    let came_from_page = on_page.is_some();
    let request = on_page.as_ref().unwrap_or(request);
    let message = match answered(ports, request, code).await {
        Ok(message) => message,
        Err(Trouble::Refused(message)) => Some(*message),
        Err(Trouble::Outside(doing, error)) => {
            tracing::warn!(request = %request.id, ?doing, %error, "a command could not be done");
            Some(speech::trouble(doing, &error))
        }
        Err(Trouble::Store(error @ (StoreError::Failed(_) | StoreError::Damaged(_)))) => return Err(error),
        Err(Trouble::Store(error)) => {
            tracing::warn!(request = %request.id, %error, "a command could not be recorded");
            Some(speech::not_recorded())
        }
    };
    if let Some(mut message) = message {
        if request.came_with_code && !takes_code(&request.ask) {
            message = message.line(speech::code_unused());
        }
        if request.came_with_code && ports.chat.has_forms() && matches!(request.ask, Ask::Command(Command::Deploy { .. })) {
            message = message.line(speech::better_by_form());
        }
        // What was pressed on a page is told there: nobody looks into their conversation with us meanwhile.
        let told = came_from_page && home::show(ports, &request.origin, Some(message.clone())).await?;
        if !told {
            message = aside::answer(ports, &request.origin, message).await?;
            if !say(ports, request, &message).await && ports.is_stopping() {
                // The next start answers it.
                return Ok(());
            }
        }
    }
    mark(ports, request).await
}

async fn answered(ports: &Ports, request: &Request, code: Option<SecretString>) -> Result<Option<Message>, Trouble> {
    match &request.ask {
        Ask::Command(Command::Login) => {
            rights::may_ask(ports, request, false).await?;
            return accounts::login(ports, request, code).await;
        }
        Ask::Command(Command::Logout) => return accounts::logout(ports, request).await,
        Ask::Command(Command::Doctor) => return Ok(Some(doctor::doctor(ports, request).await)),
        Ask::Command(Command::WhoAmI) => return accounts::whoami(ports, request).await,
        Ask::Command(Command::Mute { end }) => return notices::mute(ports, request, end.as_ref()).await.map(Some),
        Ask::Command(Command::Unmute) => return notices::unmute(ports, request).await.map(Some),
        Ask::Command(Command::Privacy { wish }) => return privacy::privacy(ports, request, *wish).await,
        // A form comes up within seconds or not at all, and shows nothing that its presser may not see.
        Ask::Press { act: Act::EnterCode(id), on: _ } => return forms::ask_for_code(ports, request, *id).await,
        Ask::Command(_) | Ask::Press { .. } | Ask::OnPage(_) | Ask::Form(_) | Ask::Filled(_) | Ask::Reasoned { .. } | Ask::Ship(_) => {}
    }
    let found = ports.accounts.credentials(&request.origin.person).await;
    let about = match &request.ask {
        Ask::Command(Command::Help { about }) => Some(*about),
        // Whoever cannot be asked, or cannot ship anything yet, is told how it goes.
        Ask::Ship(_) if !ports.chat.has_forms() || found.is_err() => Some(None),
        Ask::Command(_) | Ask::Press { .. } | Ask::OnPage(_) | Ask::Form(_) | Ask::Filled(_) | Ask::Reasoned { .. } | Ask::Ship(_) => None,
    };
    if let Some(about) = about {
        return Ok(Some(speech::help(about, &ports.command_word, known(&found))));
    }
    if !matches!(found, Err(NoCredentials::Stranger)) {
        if let Ask::Command(Command::Rules { wish }) = &request.ask {
            return rules::rules(ports, request, wish).await;
        }
        rights::may_ask(ports, request, found.is_ok()).await?;
    }
    let (ask, kept) = match &request.ask {
        ask @ (Ask::Command(command) | Ask::Filled(command)) => (ask, Some(command)),
        ask @ (Ask::Press { .. } | Ask::OnPage(_) | Ask::Form(_) | Ask::Reasoned { .. } | Ask::Ship(_)) => (ask, None),
    };
    let stale = begins_something(ask) && is_stale(ports, request);
    let who = match found {
        Ok(_) if stale => return Ok(Some(speech::asked_too_long_ago())),
        Ok(who) => who,
        Err(no) => {
            return match press::take_without_login(ports, request).await? {
                Some(done) => Ok(Some(done)),
                None => accounts::without(ports, request, no, kept.filter(|_| !stale)).await.map(Some),
            };
        }
    };
    // A code is given once: what came with one is not tried again.
    let again = if code.is_none() { Provider::ALL.len() } else { 0 };
    let (mut who, mut code) = (who, code);
    for tries_left in (0..=again).rev() {
        let (doing, error) = match done(ports, request, &who, code.take()).await {
            Err(Trouble::Outside(doing, error)) if error.fault == Fault::SignInLost => (doing, error),
            done => return done,
        };
        let at = Provider::ALL.into_iter().find(|at| at.service() == error.service);
        let another = match at {
            Some(at) => ports.accounts.refused(&request.origin.person, at, who.at(at)).await,
            None => false,
        };
        match ports.accounts.credentials(&request.origin.person).await {
            // Each service may have to be asked for another one.
            Ok(other) if another && tries_left > 0 => who = other,
            Err(no @ NoCredentials::Missing(_)) => return accounts::without(ports, request, no, kept).await.map(Some),
            Ok(_) | Err(_) => return Err(Trouble::Outside(doing, error)),
        }
    }
    Ok(None)
}

/// Does what somebody may ask for. What is large is boxed here and in [`run`]: nested, it would take too much of a worker's stack.
async fn done(ports: &Ports, request: &Request, who: &Credentials, code: Option<SecretString>) -> Result<Option<Message>, Trouble> {
    match &request.ask {
        Ask::Command(command) | Ask::Filled(command) => run(ports, request, who, command, code).await,
        Ask::Press { act, on: _ } => Box::pin(press::press(ports, request, who, *act)).await,
        // It was made what it asks for before.
        Ask::OnPage(_) => Ok(None),
        Ask::Form(topic) => forms::sent(ports, request, who, topic, code).await.map(Some),
        Ask::Reasoned { what, because } => stop::reasoned(ports, who, &request.origin.person, *what, because).await.map(Some),
        Ask::Ship(draft) => forms::ask_what_ships(ports, request, draft).await,
    }
}

pub(super) fn known(found: &Result<Credentials, NoCredentials>) -> Known {
    match found {
        Ok(_) | Err(NoCredentials::Away(_) | NoCredentials::Locked) => Known::Linked,
        Err(NoCredentials::Missing(_)) => Known::MayLink,
        Err(NoCredentials::Stranger) => Known::Stranger,
    }
}

/// Says that a request could not be answered, for no reason that its asker could mend, and lets it rest: unless it led to
/// something, which then speaks for itself.
pub async fn give_up(ports: &Ports, request: &Request) -> Result<(), StoreError> {
    if ports.store.request(&request.id).await?.is_none_or(|stored| stored.answered) {
        return Ok(());
    }
    say(ports, request, &speech::went_wrong()).await;
    mark(ports, request).await
}

async fn mark(ports: &Ports, request: &Request) -> Result<(), StoreError> {
    match ports.store.save(Batch { requests: vec![request.answered_now()], ..Batch::default() }).await {
        // It was marked together with what it led to.
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Says an answer; one that nobody hears is said again for a while: it may be a refusal, and nothing else tells it. `false`: it
/// could not be said.
pub(super) async fn say(ports: &Ports, request: &Request, message: &Message) -> bool {
    let mut respite = Respite::default();
    for attempt in 1..=SAYINGS {
        let error = match ports.chat.say(&Addressee::Answer(request.origin.clone()), message).await {
            Ok(_) => return true,
            Err(error) => error,
        };
        tracing::warn!(request = %request.id, %error, attempt, "an answer could not be said");
        // Where nobody knows whether it was said, it is said once more and not again and again.
        let unclear = matches!(error.fault, Fault::Unclear | Fault::Nonsense);
        let again = error.is_temporary() && !(unclear && attempt > 1);
        if !again || attempt == SAYINGS || ports.is_stopping() {
            return false;
        }
        respite.failed(&error, ports.clock.now());
        if let Some(until) = respite.until() {
            let longest = ports.clock.now().checked_add(LONGEST_WAIT).unwrap_or(until);
            ports.clock.pause_until(until.min(longest)).await;
        }
    }
    false
}

/// Whether an ask may begin something outside.
fn begins_something(ask: &Ask) -> bool {
    match ask {
        Ask::Command(command) | Ask::Filled(command) => {
            matches!(command, Command::Deploy { .. } | Command::Promote { .. } | Command::Rollback { to: Some(_), .. })
        }
        Ask::Press { act: Act::Retry(_) | Act::Take(_), on: _ } => true,
        Ask::Press {
            act:
                Act::Cancel(_)
                | Act::Free(_)
                | Act::ShowOutput(_)
                | Act::RollBack(_)
                | Act::Decline(_)
                | Act::ShipNow(_)
                | Act::StepOut(_)
                | Act::EnterCode(_),
            on: _,
        }
        | Ask::OnPage(_)
        | Ask::Form(_)
        | Ask::Reasoned { .. }
        | Ask::Ship(_) => false,
    }
}

/// Whether it was asked so long ago that nobody expects it any more: we were away.
fn is_stale(ports: &Ports, request: &Request) -> bool {
    ports.clock.now().duration_since(request.received_at) >= STALE
}

/// Whether a code that came with it is looked after by what it asks for.
fn takes_code(ask: &Ask) -> bool {
    matches!(
        ask,
        Ask::Command(Command::Deploy { .. } | Command::Promote { .. } | Command::Rollback { .. } | Command::Login)
            | Ask::Form(_)
            | Ask::Filled(_)
    )
}

/// Runs a command of a person who may run commands.
pub(super) async fn run(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    command: &Command,
    code: Option<SecretString>,
) -> Result<Option<Message>, Trouble> {
    rights::may_type(ports, &request.origin, command).await?;
    match command {
        Command::Help { about } => Ok(Some(speech::help(*about, &ports.command_word, Known::Linked))),
        Command::Login => Box::pin(accounts::login(ports, request, code)).await,
        Command::Logout => accounts::logout(ports, request).await,
        Command::WhoAmI => accounts::whoami(ports, request).await,
        Command::Doctor => Ok(Some(doctor::doctor(ports, request).await)),
        Command::Pipelines => look::pipelines(ports, who).await.map(Some),
        Command::Info { pipeline } => look::info(ports, request, who, pipeline).await.map(Some),
        Command::Plan(wish) => plan::plan(ports, request, who, wish).await.map(Some),
        Command::Deploy { wish, passing_checks, because, terms } => {
            let ask = deploy::Ask {
                wish: Wish::clone(wish),
                passing_checks: *passing_checks,
                because: because.clone(),
                terms: Terms::clone(terms),
            };
            Box::pin(deploy::deploy(ports, request, who, ask, code)).await
        }
        Command::Status { pipeline } => look::status(ports, request, who, pipeline.as_ref()).await.map(Some),
        Command::Queue(place) => line::queue(ports, request, who, place).await.map(Some),
        Command::QueueMove(wish) => line::change_place(ports, request, who, wish).await.map(Some),
        Command::Leave { line } => line::leave(ports, request, who, line.clone()).await.map(Some),
        Command::Cancel { place, because } => stop::cancel(ports, request, who, place, because.as_ref()).await.map(Some),
        Command::Free { place, because } => stop::free_there(ports, request, who, place, because).await.map(Some),
        Command::Releases(place) => look::releases(ports, request, who, place).await.map(Some),
        Command::Where(seek) => whereabouts::seek(ports, request, who, seek).await.map(Some),
        Command::Diff(stretch) => diff::diff(ports, request, who, stretch).await.map(Some),
        Command::Promote { pipeline, from, to, passing_checks, because, terms } => {
            let (from, to, because) = (from.as_ref(), to.as_ref(), because.as_ref());
            let ask = promote::Ask { pipeline, from, to, passing_checks: *passing_checks, because, terms };
            Box::pin(promote::promote(ports, request, who, ask, code)).await
        }
        Command::Rollback { place, to, because, terms } => {
            let ask = rollback::Ask { place, to: *to, because: because.as_ref(), terms };
            Box::pin(rollback::rollback(ports, request, who, ask, code)).await
        }
        Command::Lock(wish) => locks::lock(ports, request, who, wish).await.map(Some),
        Command::Unlock { on: Some(on), anyway, because } => {
            let how = if *anyway { Freeing::Anyway(because.as_ref()) } else { Freeing::Own };
            locks::unlock(ports, request, who, on, how).await.map(Some)
        }
        Command::Unlock { on: None, .. } => locks::unlock_all(ports, request).await.map(Some),
        Command::Locks => locks::locks(ports, request, who).await.map(Some),
        Command::Mute { end } => notices::mute(ports, request, end.as_ref()).await.map(Some),
        Command::Unmute => notices::unmute(ports, request).await.map(Some),
        Command::Route(wish) => routes::route(ports, request, who, wish).await.map(Some),
        Command::Routes => routes::routes(ports, request, who).await.map(Some),
        Command::Unroute { pipeline, from } => routes::unroute(ports, request, who, pipeline, from.as_ref()).await.map(Some),
        Command::History { pipeline, before } => history::history(ports, request, who, pipeline.as_ref(), *before).await.map(Some),
        Command::Rules { wish } => rules::rules(ports, request, wish).await,
        Command::Privacy { wish } => privacy::privacy(ports, request, *wish).await,
    }
}

#[cfg(test)]
mod tests;
