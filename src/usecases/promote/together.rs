//! Promoting to every app of an environment: all of them may, or none is touched.

use std::collections::BTreeSet;

use secrecy::SecretString;

use crate::domain::command::Terms;
use crate::domain::deployment::{Deployment, Promote, Target, Together, Way};
use crate::domain::message::Message;
use crate::domain::names::AppName;
use crate::domain::pipeline::{Destination, PipelineKey, Place};
use crate::domain::request::Request;
use crate::domain::speech;
use crate::ports::{Batch, Credentials, StoreError, WakeKey};
use crate::usecases::deploy::{self, Code, TRIES, begun, join, noting, placed, rights_for, same_wish_in, spend};
use crate::usecases::facts::Prospect;
use crate::usecases::offers::offer;
use crate::usecases::{Ports, Trouble, confirm};

use super::{Ask, Ends, look_at, served};

pub(super) async fn promote(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: Ask<'_>,
    ends: &Ends,
    code: Option<SecretString>,
) -> Result<Option<Message>, Trouble> {
    let targets: Vec<Target> = ends.to.iter().map(|app| Target::of(&ends.pipeline, app)).collect();
    // A code is good for one app: it goes to the first that waits for one, and the others ask for theirs.
    let waiting = waiting_for_code(ports, request, &targets).await?;
    let for_code = waiting.as_ref().map(|waiting| &waiting.target).or(targets.first());
    let (code, spent_on) = match for_code {
        Some(target) => (spend(ports, who, target, request, code).await, Some(target.app.clone())),
        None => (Code::None, None),
    };
    if let (Code::Accepted, Some(waiting)) = (code, waiting) {
        return join(ports, request, waiting, code).await.map(Some);
    }
    let found = all_or_none(ports, request, who, ask, ends, targets).await;
    let (fresh, going) = found.map_err(|trouble| noting(trouble, code.note()))?;
    if let (true, Some(same)) = (fresh.is_empty(), going) {
        return join(ports, request, same, code).await.map(Some);
    }
    if let Some(question) = ask_first(ports, request, ask, ends, &fresh, code).await? {
        return Ok(Some(question));
    }
    let mut deployments = Vec::new();
    for (mut ask, prospect, way) in fresh {
        let its_own = spent_on.as_ref() == Some(&prospect.target.app);
        let code = if its_own { code } else { Code::None };
        // One that came before the question was spent for the same app.
        ask.terms.code_spent_at = ask.terms.code_spent_at.filter(|_| its_own);
        deployments.push(begun(ports, request, &ask, prospect, code, way).await?);
    }
    record(ports, request, deployments, code).await
}

/// A deployment of the asker in one of the apps that waits for a code.
async fn waiting_for_code(ports: &Ports, request: &Request, targets: &[Target]) -> Result<Option<Deployment>, StoreError> {
    for target in targets.iter().filter(|_| request.came_with_code) {
        for id in ports.store.line(&target.app).await?.everybody() {
            let deployment = ports.store.deployment(id).await?;
            let waits = deployment.filter(|one| one.waits_for_code_of(&request.origin.person, &target.app) && one.promotes().is_some());
            if waits.is_some() {
                return Ok(waits);
            }
        }
    }
    Ok(None)
}

/// What is to begin, and one that goes on already where there is one; a refusal where the gate is closed before any of them.
async fn all_or_none(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: Ask<'_>,
    ends: &Ends,
    targets: Vec<Target>,
) -> Result<(Vec<(deploy::Ask, Prospect, Way)>, Option<Deployment>), Trouble> {
    let served = served(ports, who, &ends.from).await?;
    let environment = targets.first().map_or(ends.from.environment, |target| target.environment);
    let rights = rights_for(ports, ask.terms, &targets).await?;
    let (mut fresh, mut going, mut refused) = (Vec::new(), None, Vec::new());
    for target in targets {
        let (one, prospect, way) = look_at(ports, request, who, ask, (&ends.pipeline, &ends.from, &served), (target, rights)).await?;
        if let Some(same) = same_wish_in(ports, request, &prospect.target, &prospect.resolved.commit).await? {
            going = going.or(Some(same));
        } else if prospect.verdict.is_open() {
            fresh.push((one, prospect, way));
        } else {
            ports.tally.refused(&prospect.verdict.reasons);
            refused.push((one, prospect, way));
        }
    }
    let Some((_, first, _)) = refused.first() else { return Ok((fresh, going)) };
    let now = ports.clock.now();
    let from = Place { environment: ends.from.environment, app: Some(ends.from.name.clone()) };
    if fresh.is_empty() && going.is_none() && refused.iter().all(|(_, other, _)| other.verdict == first.verdict) {
        let Prospect { resolved, verdict, rules, .. } = first;
        let pipeline = PipelineKey::Name(ends.pipeline.name.clone());
        let command = Ask { passing_checks: false, because: None, ..ask }.again(
            pipeline,
            Some(from),
            Some(Destination::Every { every_app_of: environment }),
        );
        return Err(speech::gate_closed_to_every_app(environment, resolved, verdict, &command, rules, now).into());
    }
    let closed = |(one, prospect, way): &(deploy::Ask, Prospect, Way)| {
        let Prospect { target, resolved, verdict, rules, .. } = prospect;
        speech::gate_closed(target, resolved, verdict, (&one.wish, way), rules, now, &[])
    };
    let refused = refused.iter().map(closed).collect();
    let others: Vec<AppName> = fresh.iter().map(|(_, prospect, _)| prospect.target.app_name.clone()).collect();
    let to = |app: &AppName| Destination::One(Place { environment, app: Some(app.clone()) });
    let command = |app: &AppName| ask.again(PipelineKey::Id(ends.pipeline.id.clone()), Some(from.clone()), Some(to(app)));
    let buttons = offer(ports, &request.origin.person, others.iter().map(|app| (app.to_string(), command(app)))).await?;
    Err(speech::not_together(&ends.from, environment, refused, &others, &buttons).into())
}

/// The question, where something is worth asking about one of them that has not been answered with yes; `None`: they may begin.
async fn ask_first(
    ports: &Ports,
    request: &Request,
    ask: Ask<'_>,
    ends: &Ends,
    fresh: &[(deploy::Ask, Prospect, Way)],
    code: Code,
) -> Result<Option<Message>, Trouble> {
    let asker = &request.origin.person;
    let Some((first_ask, first, first_way)) = fresh.first() else { return Ok(None) };
    let mut doubts = BTreeSet::new();
    for (_, prospect, _) in fresh {
        doubts.extend(confirm::doubts_about(ports, asker, prospect).await);
    }
    let another = confirm::is_another(ask.terms, first, first_way);
    if !another && doubts.is_subset(&ask.terms.sure_of) {
        return Ok(None);
    }
    let now = ports.clock.now();
    // What runs in each of them is read again; one number cannot stand for all.
    let terms = Terms { live: None, ..confirm::assent(first_ask, code, first, first_way, &doubts, now) };
    let environment = first.target.environment;
    let from = Place { environment: ends.from.environment, app: Some(ends.from.name.clone()) };
    let every = Destination::Every { every_app_of: environment };
    let sure = ask.with(PipelineKey::Id(ends.pipeline.id.clone()), Some(from), Some(every), terms);
    let offer = confirm::one_offer(ports, asker, sure, now).await?;
    let rows: Vec<_> = fresh.iter().map(|(_, prospect, _)| (&prospect.target, prospect.change.as_ref())).collect();
    let because = ask.because.map_or("", |because| because.as_str());
    let skipped = &first.verdict.skipped;
    let passing = (!skipped.is_empty()).then_some((skipped.as_slice(), because));
    let note = if code == Code::Accepted { Some(speech::code_kept()) } else { code.note() };
    let anew = another.then(speech::another_was_shown);
    Ok(Some(speech::sure_of_all((&first.resolved, first_way), &rows, &doubts, passing, [anew, note], offer)))
}

/// Records all of them at once.
async fn record(ports: &Ports, request: &Request, deployments: Vec<Deployment>, code: Code) -> Result<Option<Message>, Trouble> {
    for _ in 0..TRIES {
        // Somebody may have pressed twice.
        let (mut fresh, mut going) = (Vec::new(), None);
        for deployment in &deployments {
            match same_wish_in(ports, request, &deployment.target, &deployment.cargo.commit).await? {
                Some(same) => going = Some(same),
                None => fresh.push(deployment.clone()),
            }
        }
        if let (true, Some(same)) = (fresh.is_empty(), going) {
            return join(ports, request, same, code).await.map(Some);
        }
        let all: Vec<_> = fresh.iter().map(|deployment| deployment.id).collect();
        let group = (all.len() > 1).then_some(Together { all, told: false });
        let mut batch = Batch { requests: vec![request.answered_now()], ..Batch::default() };
        for mut deployment in fresh {
            if let Way::Promote(Promote { together, .. }) = &mut deployment.way {
                together.clone_from(&group);
            }
            let line = ports.store.line(&deployment.target.app).await?;
            let (deployment, line) = placed(deployment, &line, None);
            batch.deployments.push(deployment);
            batch.lines.push(line);
        }
        let began = batch.deployments.len();
        match ports.store.save(batch).await {
            Ok(()) => {
                (0..began).for_each(|_| ports.tally.began());
                ports.clock.wake(WakeKey::Keeper);
                return Ok(code.courtesy());
            }
            Err(StoreError::Conflict(_)) => {
                let answered = ports.store.request(&request.id).await?.is_none_or(|stored| stored.answered);
                if answered {
                    return Ok(None);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(speech::not_recorded().into())
}
