//! Asking first, where a deploy may not be meant as it is.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::domain::account::Provider;
use crate::domain::actor::Person;
use crate::domain::command::Terms;
use crate::domain::doubt::{Doubt, doubts};
use crate::domain::message::Message;
use crate::domain::names::OfferId;
use crate::domain::pipeline::{Environment, Place};
use crate::domain::request::Request;
use crate::domain::source::{Difference, Direction};
use crate::domain::speech::{self, Change};
use crate::ports::Credentials;

use super::deploy::{Ask, Code};
use super::facts::Prospect;
use super::offers::offer_until;
use super::{Ports, Trouble, accounts, press};

/// How long somebody may think about it: a minute, and what a message and a press take on their ways.
const GOOD_FOR: SignedDuration = SignedDuration::from_secs(75);

/// What is worth asking about a deploy that may go out.
pub(super) async fn doubts_about(ports: &Ports, asker: &Person, prospect: &Prospect) -> BTreeSet<Doubt> {
    let change = prospect.change.as_ref();
    let one = change.is_some_and(|change| matches!(change.authors.as_slice(), [_]));
    // Where there are several, some are others in any case.
    let name = if one && prospect.target.environment == Environment::Production {
        accounts::name_at(ports, asker, Provider::SourceControl).await
    } else {
        None
    };
    doubts(prospect.target.environment, !prospect.verdict.skipped.is_empty(), change, name.as_deref())
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

/// The question, with a button for this commit and what was shown of it.
pub(super) async fn question(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    (ask, code): (&Ask, Code),
    prospect: &Prospect,
    doubts: BTreeSet<Doubt>,
) -> Result<Message, Trouble> {
    let commits = commits(ports, who, prospect).await;
    let Prospect { target, repository, resolved, verdict, .. } = prospect;
    let now = ports.clock.now();
    let mut sure = ask.clone();
    sure.wish.to = Some(Place { environment: target.environment, app: Some(target.app_name.clone()) });
    sure.terms = Terms {
        when_green: ask.terms.when_green,
        ask_first: ask.terms.ask_first,
        shown: Some(resolved.commit.clone()),
        sure_of: doubts.clone(),
        ride: ask.terms.ride,
        code_spent_at: if code == Code::Accepted { Some(now) } else { ask.terms.code_spent_at },
    };
    let until = now.checked_add(GOOD_FOR).unwrap_or(now);
    let offers = offer_until(ports, &request.origin.person, [(String::new(), sure.again(sure.wish.clone()))], until).await?;
    let [(_, offer)] = offers.as_slice() else { return Err(speech::not_recorded().into()) };
    let because = ask.because.as_ref().map_or("", |because| because.as_str());
    let passing = (!verdict.skipped.is_empty()).then_some((verdict.skipped.as_slice(), because));
    let note = if code == Code::Accepted { Some(speech::code_kept()) } else { code.note() };
    Ok(speech::sure(target, (repository, resolved), commits.of(prospect), &doubts, passing, note, *offer))
}

/// They did not mean it: nobody ships by that question any more.
pub(super) async fn decline(ports: &Ports, request: &Request, id: OfferId) -> Result<Message, Trouble> {
    Ok(match press::taken(ports, request, id).await? {
        Ok(_) => speech::declined(),
        Err(refused) => refused,
    })
}
