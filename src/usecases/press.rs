//! Buttons. Whoever presses is judged when they press, by their own rights and by what is true then.

use crate::domain::actor::Person;
use crate::domain::command::{Because, Command, Terms, Where, Wish};
use crate::domain::deployment::Deployment;
use crate::domain::message::{Act, Message};
use crate::domain::names::OfferId;
use crate::domain::pipeline::{PipelineKey, Place};
use crate::domain::request::{Ask, Request};
use crate::domain::source::AskedRef;
use crate::domain::speech::{self, Doing};
use crate::ports::{Batch, Credentials, Printed, StoreError};

use super::{Ports, Trouble, WhileDoing, answer, confirm, forms, line, privacy, rules, stop};

/// How many lines of output are shown.
const OUTPUT_LINES: usize = 30;

pub(super) async fn press(ports: &Ports, request: &Request, who: &Credentials, act: Act) -> Result<Option<Message>, Trouble> {
    let person = &request.origin.person;
    match act {
        Act::Cancel(id) => stop::stop_pressed(ports, request, who, id).await,
        Act::Free(id) => stop::free_pressed(ports, request, who, id).await,
        Act::ShowOutput(id) => {
            let Some(deployment) = ports.deployment(id).await? else { return Ok(Some(speech::no_such_deployment())) };
            show_output(ports, who, &deployment).await.map(Some)
        }
        Act::Retry(id) => {
            let Some(deployment) = ports.deployment(id).await? else { return Ok(Some(speech::no_such_deployment())) };
            if !deployment.has_ended() {
                return Ok(Some(speech::still_going(&deployment)));
            }
            // The new card stands where the first one stood, also where the button was pressed in a private message.
            let mut there = request.clone();
            if there.origin.person.workspace == deployment.origin.person.workspace {
                // An answer address belongs to the conversation it was given for.
                if there.origin.channel != deployment.origin.channel {
                    there.origin.reply = None;
                }
                there.origin.channel = deployment.origin.channel.clone();
            }
            answer::run(ports, &there, who, &again(&deployment, person), None).await
        }
        Act::RollBack(id) => {
            let Some(deployment) = ports.deployment(id).await? else { return Ok(Some(speech::no_such_deployment())) };
            let command = Command::Rollback { place: place_of(&deployment), to: None, because: None, terms: Terms::default() };
            answer::run(ports, request, who, &command, None).await
        }
        Act::Take(id) => take(ports, request, who, id).await,
        Act::Decline(id) => confirm::decline(ports, request, id).await.map(Some),
        Act::ShipNow(id) => line::ship_now(ports, person, id).await.map(Some),
        Act::StepOut(id) => line::step_out(ports, person, id).await.map(Some),
        Act::EnterCode(id) => forms::ask_for_code(ports, request, id).await,
    }
}

/// The command that asks for the same deploy: the same ref, as it stands now. Where its asker passed over checks, they did so for
/// one commit: for them it is that commit again. Nobody inherits it, and no other commit does.
fn again(deployment: &Deployment, presser: &Person) -> Command {
    let (target, cargo) = (&deployment.target, &deployment.cargo);
    if let Some(back) = deployment.back() {
        let because = deployment.because.as_deref().and_then(|because| Because::parse(because).ok());
        return Command::Rollback { place: place_of(deployment), to: Some(back.version), because, terms: Terms::default() };
    }
    let passing_checks = deployment.overriding.is_some() && deployment.origin.person == *presser;
    let pinned = || AskedRef::Pinned { of: cargo.named_by.clone(), commit: cargo.commit.clone() };
    if let Some(from) = deployment.promotes() {
        // Nobody inherits that checks were passed over.
        return speech::promote_command(deployment, from, PipelineKey::Id(target.pipeline.clone()), passing_checks);
    }
    let wish = Wish {
        pipeline: PipelineKey::Id(target.pipeline.clone()),
        what: if passing_checks { pinned() } else { cargo.asked.clone() },
        to: Some(Place { environment: target.environment, app: Some(target.app_name.clone()) }),
    };
    let because = deployment.because.as_deref().and_then(|because| Because::parse(because).ok());
    let terms = Terms { when_green: deployment.when_green, ask_first: deployment.ask_first, ..Terms::default() };
    Command::Deploy { wish, passing_checks, because, terms }
}

fn place_of(deployment: &Deployment) -> Where {
    let target = &deployment.target;
    let place = Place { environment: target.environment, app: Some(target.app_name.clone()) };
    Where { pipeline: PipelineKey::Id(target.pipeline.clone()), place: Some(place) }
}

async fn show_output(ports: &Ports, who: &Credentials, deployment: &Deployment) -> Result<Message, Trouble> {
    let (app, name) = (&deployment.target.app, &deployment.target.app_name);
    // What came last says most. Whoever goes back or promotes has built nothing.
    let release = deployment.release.iter().map(|release| (Printed::Release(release.clone()), ports.platform.release_page(name, release)));
    let build = deployment.build.iter().map(|build| (Printed::Build(build.clone()), ports.platform.build_page(name, build)));
    for (of, page) in release.chain(build) {
        let output = ports.platform.output(&who.platform, app, &of, OUTPUT_LINES).await.while_doing(Doing::ReadingOutput)?;
        if let Some(output) = output {
            return Ok(speech::output(deployment, output, &page));
        }
    }
    Ok(speech::no_output(deployment))
}

/// Takes an offer.
async fn take(ports: &Ports, request: &Request, who: &Credentials, id: OfferId) -> Result<Option<Message>, Trouble> {
    match taken(ports, request, id).await? {
        // Boxed: a taken command may itself offer commands.
        Ok(command) => Box::pin(answer::run(ports, request, who, &command, None)).await,
        Err(refused) => Ok(Some(refused)),
    }
}

/// Takes an offer of something that needs no login; `None`: it is no such offer.
pub(super) async fn take_without_login(ports: &Ports, request: &Request) -> Result<Option<Message>, Trouble> {
    let Ask::Press { act: Act::Take(id), on: _ } = &request.ask else { return Ok(None) };
    let offered = ports.store.offer(*id).await?.map(|offer| offer.command);
    let command = match offered {
        Some(command @ (Command::Privacy { .. } | Command::Rules { .. })) => command,
        Some(_) | None => return Ok(None),
    };
    match (taken(ports, request, *id).await?, command) {
        (Ok(_), Command::Privacy { wish }) => privacy::privacy(ports, request, wish).await,
        (Ok(_), Command::Rules { wish }) => rules::rules(ports, request, &wish).await,
        (Ok(_), _) => Ok(None),
        (Err(refused), _) => Ok(Some(refused)),
    }
}

/// Takes an offer: once, by the person it was made to, in time. What it stands for, or why not.
pub(super) async fn taken(ports: &Ports, request: &Request, id: OfferId) -> Result<Result<Command, Message>, Trouble> {
    let Some(mut offer) = ports.store.offer(id).await? else { return Ok(Err(speech::offer_gone())) };
    if offer.to != request.origin.person {
        return Ok(Err(speech::offer_not_yours()));
    }
    match &offer.taken_by {
        // The same press again after a crash goes on.
        Some(press) if *press == request.id => {}
        Some(_) => return Ok(Err(speech::offer_taken())),
        None if ports.clock.now() >= offer.until => return Ok(Err(speech::offer_gone())),
        None => {
            offer.taken_by = Some(request.id.clone());
            match ports.store.save(Batch { offers: vec![offer.clone()], ..Batch::default() }).await {
                Ok(()) => {}
                Err(StoreError::Conflict(_)) => return Ok(Err(speech::offer_taken())),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(Ok(offer.command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::samples::{deployment, person};
    use crate::domain::deployment::{Override, Phase};

    #[test]
    fn a_retry_inherits_no_override_but_for_its_own_asker_and_commit() {
        let mut deployment = deployment(Phase::Starting);
        let wish = |command| {
            let Command::Deploy { wish, passing_checks, .. } = command else { panic!("{command:?}") };
            (wish.what, passing_checks)
        };
        let plain = (deployment.cargo.asked.clone(), false);
        assert_eq!(wish(again(&deployment, &person("ana"))), plain);
        deployment.overriding = Some(Override { because: "known".to_owned(), skipped: Vec::new() });
        assert_eq!(wish(again(&deployment, &person("bob"))), plain);
        let (what, passing_checks) = wish(again(&deployment, &person("ana")));
        assert!(passing_checks);
        assert!(matches!(what, AskedRef::Pinned { commit, .. } if commit == deployment.cargo.commit));
    }
}
