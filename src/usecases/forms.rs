//! Forms: brought up for whoever pressed, and what is done when they are sent.

use secrecy::SecretString;

use crate::domain::actor::Person;
use crate::domain::deployment::{Deployment, Phase};
use crate::domain::form::{Draft, Reasoned, Topic};
use crate::domain::message::Message;
use crate::domain::names::DeploymentId;
use crate::domain::request::Request;
use crate::domain::speech::{self, Doing};
use crate::ports::{Asked, Credentials};

use super::deploy::{join, spend};
use super::{Ports, Trouble, WhileDoing};

/// Brings up the form for the code of a deployment.
pub(super) async fn ask_for_code(ports: &Ports, request: &Request, id: DeploymentId) -> Result<Option<Message>, Trouble> {
    let Some(deployment) = ports.deployment(id).await? else { return Ok(Some(speech::no_such_deployment())) };
    if let Some(refused) = no_code_of(&deployment, &request.origin.person, false) {
        return Ok(Some(refused));
    }
    let form = speech::code_form(&deployment);
    match ports.chat.ask(&request.origin, &request.id, &form).await.while_doing(Doing::OpeningForm)? {
        Asked::Shown => Ok(None),
        Asked::TooLate => Ok(Some(speech::form_too_late(&deployment))),
    }
}

/// Brings up the form by which something ships.
pub(super) async fn ask_what_ships(ports: &Ports, request: &Request, draft: &Draft) -> Result<Option<Message>, Trouble> {
    let form = speech::ship_form(draft, &ports.command_word);
    match ports.chat.ask(&request.origin, &request.id, &form).await.while_doing(Doing::OpeningForm)? {
        Asked::Shown => Ok(None),
        Asked::TooLate => Ok(Some(speech::ship_form_too_late(&ports.command_word))),
    }
}

/// Brings up the form for the reason of something that wants one.
pub(super) async fn ask_why(ports: &Ports, request: &Request, deployment: &Deployment, what: Reasoned) -> Result<Option<Message>, Trouble> {
    if ports.chat.has_forms() {
        let form = speech::why_form(deployment, what);
        match ports.chat.ask(&request.origin, &request.id, &form).await.while_doing(Doing::OpeningForm)? {
            Asked::Shown => return Ok(None),
            Asked::TooLate => {}
        }
    }
    Ok(Some(speech::say_why(deployment, what, &ports.command_word)))
}

/// Does what a form asks for that was sent. `code` is the code that was put into it, while this process still has it.
pub(super) async fn sent(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    topic: &Topic,
    code: Option<SecretString>,
) -> Result<Message, Trouble> {
    match topic {
        // What those ask for comes in as what it is.
        Topic::Ship(_) | Topic::ShipFrom { .. } | Topic::Why(_) => Ok(speech::went_wrong()),
        Topic::Code(id) => {
            let id = *id;
            let Some(deployment) = ports.deployment(id).await? else { return Ok(speech::no_such_deployment()) };
            if let Some(refused) = no_code_of(&deployment, &request.origin.person, true) {
                return Ok(refused);
            }
            let code = spend(ports, who, &deployment.target, request, code).await;
            join(ports, request, deployment, code).await
        }
    }
}

/// Why a deployment takes no code of a person; `None`: it waits for one.
fn no_code_of(deployment: &Deployment, person: &Person, came_with_code: bool) -> Option<Message> {
    if !matches!(deployment.phase, Phase::NeedsCode { .. }) {
        return Some(speech::no_code_wanted(deployment, came_with_code));
    }
    (deployment.origin.person != *person).then(|| speech::not_your_code(deployment))
}

#[cfg(test)]
mod tests {
    use super::super::answer;
    use super::super::testing::{Did, Outside};
    use super::*;
    use crate::domain::deployment::samples::{at, deployment, person};
    use crate::domain::message::Act;
    use crate::domain::names::DeliveryId;
    use crate::domain::request::Ask;

    /// Somebody asks something about a deployment in this phase; what was done.
    async fn asked(phase: Phase, by: &str, ask: impl FnOnce(DeploymentId) -> Ask, code: Option<&str>) -> Vec<Did> {
        let (outside, deployment) = (Outside::new(), deployment(phase));
        outside.keep(&deployment);
        let origin = crate::domain::actor::Origin { person: person(by), ..deployment.origin.clone() };
        let id = DeliveryId::parse("1").unwrap();
        let ask = ask(deployment.id);
        let request = Request { id, version: 0, origin, ask, came_with_code: code.is_some(), received_at: at(0), answered: false };
        outside.requests.lock().unwrap().insert(request.id.clone(), request.clone());
        answer(&outside.ports(), &request, code.map(SecretString::from)).await.unwrap();
        assert!(outside.requests.lock().unwrap()[&request.id].answered);
        outside.did()
    }

    fn said(did: &[Did], code: &str) -> bool {
        did.iter().any(|did| format!("{did:?}").contains(code))
    }

    #[tokio::test]
    async fn a_code_is_asked_of_whoever_wants_the_deploy_while_it_waits_for_one_and_of_nobody_else() {
        let waits = || Phase::NeedsCode { until: at(600) };
        let press = |id| Ask::Press { act: Act::EnterCode(id), on: None };
        assert!(matches!(asked(waits(), "ana", press, None).await.as_slice(), [Did::Ask(form)] if matches!(form.topic, Topic::Code(_))));
        for (phase, by, why) in [(waits(), "bob", "(not-your-code)"), (Phase::Starting, "ana", "(no-code-wanted)")] {
            let did = asked(phase.clone(), by, press, None).await;
            assert!(said(&did, why) && !did.iter().any(|did| matches!(did, Did::Ask(_))), "{did:?}");
        }
        let did = asked(Phase::Starting, "ana", |id| Ask::Form(Topic::Code(id)), Some("123456")).await;
        assert!(said(&did, "(no-code-wanted)") && !said(&did, "123456"), "{did:?}");
    }
}
