//! Asking first, where something may not be meant as it is.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::domain::account::Provider;
use crate::domain::actor::Person;
use crate::domain::command::{Command, Terms};
use crate::domain::deployment::{Deployment, Phase, Way};
use crate::domain::doubt::{Doubt, Prospects, doubts};
use crate::domain::message::Message;
use crate::domain::names::OfferId;
use crate::domain::pipeline::Environment;
use crate::domain::request::Request;
use crate::domain::source::{Difference, Direction};
use crate::domain::speech::{self, Change, Question};
use crate::ports::{Credentials, StoreError};

use super::deploy::{Ask, Code};
use super::facts::Prospect;
use super::offers::offer_until;
use super::{Ports, Trouble, accounts, press};

/// How long somebody may think about it: a minute, and what a message and a press take on their ways.
const GOOD_FOR: SignedDuration = SignedDuration::from_secs(75);
/// How many of an app's deployments are looked at for the one that runs.
const OURS: usize = 20;

/// What is worth asking about something that may go out.
pub(super) async fn doubts_about(ports: &Ports, asker: &Person, prospect: &Prospect) -> BTreeSet<Doubt> {
    let change = prospect.change.as_ref();
    let one = change.is_some_and(|change| matches!(change.authors.as_slice(), [_]));
    // Where there are several, some are others in any case.
    let name = if one && prospect.target.environment == Environment::Production {
        accounts::name_at(ports, asker, Provider::SourceControl).await
    } else {
        None
    };
    doubts(&Prospects {
        to: prospect.target.environment,
        by: &prospect.resolved.named_by,
        passing: !prospect.verdict.skipped.is_empty(),
        change,
        runs: prospect.unread || prospect.running.as_ref().is_some_and(|running| running.code),
        name: name.as_deref(),
        own_locks: &prospect.own_locks,
    })
}

/// The commits that a deploy ships and takes away, as far as they can be read.
#[derive(Debug, Default)]
pub(super) struct Commits {
    ships: Option<Difference>,
    drops: Option<Difference>,
}

impl Commits {
    pub(super) fn of<'a>(&'a self, prospect: &'a Prospect) -> Change<'a> {
        Change { comparison: prospect.change.as_ref(), ships: self.ships.as_ref(), drops: self.drops.as_ref() }
    }
}

pub(super) async fn commits(ports: &Ports, who: &Credentials, prospect: &Prospect) -> Commits {
    let base = prospect.running.as_ref().and_then(|running| running.commit.as_ref());
    let (Some(base), Some(change)) = (base, &prospect.change) else { return Commits::default() };
    let head = &prospect.resolved.commit;
    let read = |from, to| async move {
        ports.source.difference(&who.source, &prospect.repository.name, from, to).await.unwrap_or_else(|error| {
            tracing::info!(%error, "the commits between two cannot be read");
            None
        })
    };
    let (adds, takes) = match change.direction {
        Direction::Same => (false, false),
        Direction::Ahead => (true, false),
        Direction::Behind => (false, true),
        Direction::Diverged => (true, true),
    };
    Commits { ships: if adds { read(base, head).await } else { None }, drops: if takes { read(head, base).await } else { None } }
}

/// Until when an answer counts that is asked for now.
pub(super) fn good_until(now: Timestamp) -> Timestamp {
    now.checked_add(GOOD_FOR).unwrap_or(now)
}

/// What somebody is sure of who says yes now: to this commit, this release, and what ran there.
pub(super) fn assent(ask: &Ask, code: Code, prospect: &Prospect, way: &Way, doubts: &BTreeSet<Doubt>, now: Timestamp) -> Terms {
    Terms {
        shown: Some(prospect.resolved.commit.clone()),
        release: match way {
            Way::Promote(promote) => Some(promote.release.clone()),
            Way::Build | Way::Back(_) => None,
        },
        live: prospect.running.as_ref().map(|running| running.version),
        sure_of: doubts.clone(),
        code_spent_at: if code == Code::Accepted { Some(now) } else { ask.terms.code_spent_at },
        ..ask.terms.clone()
    }
}

/// Whether it is something else than what its asker was shown.
pub(super) fn is_another(terms: &Terms, prospect: &Prospect, way: &Way) -> bool {
    let release = match way {
        Way::Promote(promote) => terms.release.as_ref().is_some_and(|shown| *shown != promote.release),
        Way::Build | Way::Back(_) => false,
    };
    release || terms.shown.as_ref().is_some_and(|shown| *shown != prospect.resolved.commit)
}

/// The question, where something is worth asking that its asker has not said yes to, with a button for exactly this and what was shown
/// of it; `None`: it may begin. Where something else runs there by now, or it is something else, it is asked anew.
pub(super) async fn first(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    (ask, code): (&Ask, Code),
    (prospect, way): (&Prospect, &Way),
    again: impl Fn(Terms) -> Command,
) -> Result<Option<Message>, Trouble> {
    let doubts = doubts_about(ports, &request.origin.person, prospect).await;
    let running = prospect.running.as_ref().map(|running| running.version);
    let another = is_another(&ask.terms, prospect, way);
    let anew = another || (ask.terms.live.is_some() && ask.terms.live != running);
    if !another && (doubts.is_empty() || (!anew && doubts.is_subset(&ask.terms.sure_of))) {
        return Ok(None);
    }
    let commits = commits(ports, who, prospect).await;
    let live = live(ports, prospect).await?;
    let now = ports.clock.now();
    let sure = again(assent(ask, code, prospect, way, &doubts, now));
    let offer = one_offer(ports, &request.origin.person, sure, now).await?;
    let because = ask.because.as_ref().map_or("", |because| because.as_str());
    let skipped = &prospect.verdict.skipped;
    let note = if code == Code::Accepted { Some(speech::code_kept()) } else { code.note() };
    Ok(Some(speech::sure(
        &Question {
            target: &prospect.target,
            repository: &prospect.repository,
            resolved: &prospect.resolved,
            way,
            change: commits.of(prospect),
            doubts: &doubts,
            passing: (!skipped.is_empty()).then_some((skipped.as_slice(), because)),
            own_locks: &prospect.own_locks,
            running: prospect.running.as_ref(),
            live: live.as_ref(),
            anew: match (anew, another) {
                (false, _) => None,
                (true, true) => Some(speech::another_was_shown()),
                (true, false) => Some(speech::another_runs()),
            },
        },
        note,
        offer,
    )))
}

/// The one button that says yes.
pub(super) async fn one_offer(ports: &Ports, to: &Person, sure: Command, now: Timestamp) -> Result<OfferId, Trouble> {
    let offers = offer_until(ports, to, [(String::new(), sure)], good_until(now)).await?;
    let [(_, offer)] = offers.as_slice() else { return Err(speech::not_recorded().into()) };
    Ok(*offer)
}

/// Our deployment that made the release which runs there, if one did.
async fn live(ports: &Ports, prospect: &Prospect) -> Result<Option<Deployment>, StoreError> {
    let Some(running) = prospect.running.as_ref().filter(|_| !prospect.own_locks.is_empty()) else { return Ok(None) };
    let ours = ports.store.deployments_of_app(&prospect.target.app, OURS).await?;
    Ok(ours.into_iter().find(|one| matches!(one.phase, Phase::Succeeded { version, .. } if version == running.version)))
}

/// They did not mean it: nobody ships by that question any more.
pub(super) async fn decline(ports: &Ports, request: &Request, id: OfferId) -> Result<Message, Trouble> {
    Ok(match press::taken(ports, request, id).await? {
        Ok(_) => speech::declined(),
        Err(refused) => refused,
    })
}
