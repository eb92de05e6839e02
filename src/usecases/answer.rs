//! One question in, one answer out.

use secrecy::SecretString;

use crate::domain::command::{Command, Wish};
use crate::domain::message::Message;
use crate::domain::request::{Ask, Request};
use crate::domain::speech;
use crate::ports::{Addressee, Batch, Credentials, StoreError};

use super::{Ports, Trouble, deploy, line, look, plan, press, stop};

/// Answers a request that lies on disk. Safe to repeat after a crash: what must not happen twice is recorded together with
/// the request's end.
///
/// `code` is the one-time code that came with it, while this process still has it.
pub async fn answer(ports: &Ports, request: &Request, code: Option<SecretString>) -> Result<(), StoreError> {
    let who = ports.accounts.credentials(&request.origin.person).await;
    let answer = match (&request.ask, who) {
        (Ask::Command(Command::Help { about }), who) => Ok(Some(speech::help(*about, &ports.command_word, who.is_some()))),
        (Ask::Command(_) | Ask::Press { .. }, None) => Ok(Some(speech::stranger(&ports.command_word))),
        (Ask::Command(command), Some(who)) => run(ports, request, &who, command, code).await,
        (Ask::Press { act, on: _ }, Some(who)) => press::press(ports, request, &who, *act).await,
    };
    let message = match answer {
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
    if let Some(message) = message {
        say(ports, request, &message).await;
    }
    match ports.store.save(Batch { requests: vec![request.answered_now()], ..Batch::default() }).await {
        // It was marked together with what it led to.
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn say(ports: &Ports, request: &Request, message: &Message) {
    if let Err(error) = ports.chat.say(&Addressee::Answer(request.origin.clone()), message).await {
        tracing::warn!(request = %request.id, %error, "an answer could not be said");
    }
}

/// Runs a command of a person who may run commands.
pub(super) async fn run(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    command: &Command,
    code: Option<SecretString>,
) -> Result<Option<Message>, Trouble> {
    match command {
        Command::Help { about } => Ok(Some(speech::help(*about, &ports.command_word, true))),
        Command::Pipelines => look::pipelines(ports, who).await.map(Some),
        Command::Info { pipeline } => look::info(ports, request, who, pipeline).await.map(Some),
        Command::Plan(wish) => plan::plan(ports, request, who, wish).await.map(Some),
        Command::Deploy { wish, passing_checks, because } => {
            let ask = deploy::Ask { wish: Wish::clone(wish), passing_checks: *passing_checks, because: because.clone() };
            deploy::deploy(ports, request, who, ask, code).await
        }
        Command::Status { pipeline } => look::status(ports, request, who, pipeline.as_ref()).await.map(Some),
        Command::Queue(place) => line::queue(ports, request, who, place).await.map(Some),
        Command::Leave { line } => line::leave(ports, request, who, line.clone()).await.map(Some),
        Command::Cancel(place) => stop::cancel(ports, request, who, place).await.map(Some),
        Command::Releases(place) => look::releases(ports, request, who, place).await.map(Some),
    }
}
