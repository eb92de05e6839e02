//! Asking for a deploy: the code is spent, the gate judged, the deployment and its place in line recorded together.

use std::collections::BTreeSet;

use secrecy::SecretString;

use crate::domain::checks::Obstacle;
use crate::domain::command::{Because, Command, Ride, Terms, Wish};
use crate::domain::deployment::{Card, Cargo, Deployment, Override, Phase, StageTime, Target, WaitingFor, Way, usual};
use crate::domain::line::Line;
use crate::domain::message::{Line as Words, Message};
use crate::domain::names::{CommitSha, DeploymentId};
use crate::domain::pipeline::{Pipeline, Place};
use crate::domain::request::Request;
use crate::domain::speech;
use crate::ports::{Batch, Credentials, StoreError, WakeKey};

use super::facts::{Prospect, Rights, find_target, look_ahead};
use super::offers::{both_ways, offer};
use super::{Ports, Trouble, confirm, rides};

/// How many past deployments the usual durations come from.
const PAST: usize = 20;
/// How often recording is tried again when somebody else moved the line in between.
pub(super) const TRIES: u32 = 50;

/// A deploy as it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub wish: Wish,
    pub passing_checks: bool,
    pub because: Option<Because>,
    pub terms: Terms,
}

impl Ask {
    pub(super) fn again(&self, wish: Wish) -> Command {
        let terms = self.terms.clone();
        Command::Deploy { wish, passing_checks: self.passing_checks, because: self.because.clone(), terms }
    }
}

/// What became of the code that came with the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    None,
    Accepted,
    Wrong,
    /// It came, and was lost or could not be handed over.
    Lost,
}

impl Code {
    pub(super) fn note(self) -> Option<Words> {
        match self {
            Self::None => None,
            Self::Accepted => Some(speech::code_used_up()),
            Self::Wrong => Some(speech::code_refused(false).headline),
            Self::Lost => Some(speech::code_lost(false).headline),
        }
    }

    /// What is said when something has begun: the request is answered by then, and the card tells the same.
    pub(super) fn courtesy(self) -> Option<Message> {
        match self {
            Self::None => None,
            Self::Accepted => Some(speech::code_spent()),
            Self::Wrong => Some(speech::code_refused(false)),
            Self::Lost => Some(speech::code_lost(false)),
        }
    }
}

/// Asks for a deploy. `Ok(None)`: the card is the answer.
pub(super) async fn deploy(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: Ask,
    code: Option<SecretString>,
) -> Result<Option<Message>, Trouble> {
    let asker = &request.origin.person;
    let found = find_target(ports, asker, &who.platform, &ask.wish, |wish| ask.again(wish)).await;
    let (pipeline, target) = found.map_err(|trouble| noting(trouble, request.came_with_code.then(speech::code_unused)))?;
    // A code lives for seconds: it is spent before anything else is looked at.
    let code = spend(ports, who, &target, request, code).await;
    let asked = ask_for(ports, request, who, &ask, (&pipeline, target), code).await;
    asked.map_err(|trouble| noting(trouble, code.note()))
}

/// Tells, with what went wrong, what became of the code.
pub(super) fn noting(trouble: Trouble, note: Option<Words>) -> Trouble {
    match (trouble, note) {
        (trouble, None) | (trouble @ Trouble::Store(_), Some(_)) => trouble,
        (Trouble::Refused(message), Some(note)) => message.line(note).into(),
        (Trouble::Outside(doing, error), Some(note)) => {
            tracing::warn!(?doing, %error, "a command could not be done");
            speech::trouble(doing, &error).line(note).into()
        }
    }
}

async fn ask_for(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: &Ask,
    (pipeline, target): (&Pipeline, Target),
    code: Code,
) -> Result<Option<Message>, Trouble> {
    let asker = &request.origin.person;
    let again = |wish| ask.again(wish);
    let rights = rights_for(ports, &ask.terms, [&target]).await?;
    let prospect = look_ahead(ports, asker, who, (pipeline, target), (&ask.wish, ask.passing_checks), rights, again).await?;
    if let Some(shown) = ask.terms.shown.as_ref().filter(|shown| **shown != prospect.resolved.commit) {
        return Err(moved_since_shown(ports, request, ask, &prospect, shown).await?.into());
    }
    if let Some(answer) = without_beginning(ports, request, who, ask, &prospect, (code, &Way::Build)).await? {
        return Ok(Some(answer));
    }
    if let Some(answer) = rides::along(ports, request, who, ask, &prospect).await? {
        return Ok(Some(answer));
    }
    let exactly = Wish { to: Some(place_of(&prospect.target)), ..ask.wish.clone() };
    let sure = |terms| Ask { terms, ..ask.clone() }.again(exactly.clone());
    if let Some(question) = confirm::first(ports, request, who, (ask, code), (&prospect, &Way::Build), sure).await? {
        return Ok(Some(question));
    }
    go(ports, request, who, ask, prospect, (code, Way::Build)).await
}

/// Which rights are needed to begin: who finds somebody in a line waits, or rides along.
pub(super) async fn rights_for(ports: &Ports, terms: &Terms, targets: impl IntoIterator<Item = &Target>) -> Result<Rights, StoreError> {
    if terms.when_green {
        return Ok(Rights::OfNow);
    }
    for target in targets {
        if ports.store.line(&target.app).await?.everybody().next().is_some() {
            return Ok(Rights::OfNow);
        }
    }
    Ok(Rights::AsSeenLast)
}

/// Records what was asked for, unless something is in its way or it was asked for before.
pub(super) async fn go(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: &Ask,
    prospect: Prospect,
    (code, way): (Code, Way),
) -> Result<Option<Message>, Trouble> {
    if let Some(answer) = without_beginning(ports, request, who, ask, &prospect, (code, &way)).await? {
        return Ok(Some(answer));
    }
    match record(ports, request, who, ask, prospect, (code, way)).await? {
        Recorded::New(began) => {
            ports.tally.began();
            ports.clock.wake(WakeKey::Keeper);
            rides::offer_to_those_before(ports, &began).await?;
            Ok(code.courtesy())
        }
        Recorded::Joins(same) => join(ports, request, *same, code).await.map(Some),
        Recorded::Rides(message) => Ok(Some(*message)),
        Recorded::AnsweredBefore => Ok(None),
    }
}

/// Whether somebody else's deploy of the same commit does as well: it is built, and no check is passed over by the asker alone.
fn may_ride_the_same(ask: &Ask, prospect: &Prospect, way: &Way) -> bool {
    let by_itself = ask.terms.ride == Ride::Alone || ask.passing_checks;
    *way == Way::Build && prospect.verdict.is_open() && !by_itself
}

/// Exactly this app.
pub(super) fn place_of(target: &Target) -> Place {
    Place { environment: target.environment, app: Some(target.app_name.clone()) }
}

/// What is answered where nothing new begins: it goes on already, or something is in its way.
pub(super) async fn without_beginning(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: &Ask,
    prospect: &Prospect,
    (code, way): (Code, &Way),
) -> Result<Option<Message>, Trouble> {
    if code == Code::Accepted
        && let Some(waiting) = waiting_for_code(ports, request, ask, prospect).await?
    {
        return join(ports, request, waiting, code).await.map(Some);
    }
    let rides = matches!(ask.terms.ride, Ride::With(_));
    if !rides && let Some(same) = same_wish_in(ports, request, &prospect.target, &prospect.resolved.commit).await? {
        return join(ports, request, same, code).await.map(Some);
    }
    let waits = ask.terms.when_green && prospect.verdict.not_done().is_some();
    if !prospect.verdict.is_open() && !waits {
        return Err(refused(ports, request, ask, prospect, way).await?.into());
    }
    if may_ride_the_same(ask, prospect, way) {
        return rides::ride_the_same(ports, request, who, prospect).await;
    }
    Ok(None)
}

/// The refusal of the gate; where its checks may become green, with a button that waits for that.
async fn refused(ports: &Ports, request: &Request, ask: &Ask, prospect: &Prospect, way: &Way) -> Result<Message, StoreError> {
    ports.tally.refused(&prospect.verdict.reasons);
    let Prospect { target, resolved, verdict, rules, .. } = prospect;
    let waiting = (*way == Way::Build && verdict.may_become_green()).then(|| {
        let terms = Terms { when_green: true, ask_first: ask.terms.ask_first, shown: Some(resolved.commit.clone()), ..Terms::default() };
        let wish = Wish { to: Some(place_of(target)), ..ask.wish.clone() };
        let command = Command::Deploy { wish, passing_checks: false, because: ask.because.clone(), terms };
        (speech::SHIP_WHEN_GREEN.to_owned(), command)
    });
    let buttons = offer(ports, &request.origin.person, waiting).await?;
    Ok(speech::gate_closed(target, resolved, verdict, (&ask.wish, way), rules, ports.clock.now(), &buttons))
}

/// A button showed one commit, and its ref stands for another one by now: both ways on.
async fn moved_since_shown(
    ports: &Ports,
    request: &Request,
    ask: &Ask,
    prospect: &Prospect,
    shown: &CommitSha,
) -> Result<Message, StoreError> {
    let (by, now) = (&prospect.resolved.named_by, &prospect.resolved.commit);
    let because = ask.because.clone();
    let terms = Terms { shown: None, live: None, sure_of: BTreeSet::new(), ride: Ride::Unsaid, ..ask.terms.clone() };
    let buttons =
        both_ways(ports, &request.origin.person, &prospect.target, by, (shown, now), (ask.passing_checks, because, terms)).await?;
    Ok(speech::ref_moved(&prospect.target, by, shown, now, &buttons))
}

pub(super) async fn spend(ports: &Ports, who: &Credentials, target: &Target, request: &Request, code: Option<SecretString>) -> Code {
    match code {
        None if request.came_with_code => Code::Lost,
        None => Code::None,
        Some(code) => match ports.platform.spend_code(&who.platform, &target.app, code).await {
            Ok(true) => Code::Accepted,
            Ok(false) => Code::Wrong,
            Err(error) => {
                tracing::warn!(request = %request.id, %error, "a one-time code could not be handed over");
                Code::Lost
            }
        },
    }
}

/// A deployment of the same person that waits for a code for this app: the code is for that one, also where the branch
/// has moved since, if it was asked for in the same words. Its gate is judged again, and says so.
async fn waiting_for_code(ports: &Ports, request: &Request, ask: &Ask, prospect: &Prospect) -> Result<Option<Deployment>, StoreError> {
    let app = &prospect.target.app;
    for id in ports.store.line(app).await?.everybody() {
        if let Some(deployment) = ports.store.deployment(id).await?
            && deployment.waits_for_code_of(&request.origin.person, app)
            && (deployment.cargo.asked == ask.wish.what || deployment.cargo.commit == prospect.resolved.commit)
        {
            return Ok(Some(deployment));
        }
    }
    Ok(None)
}

/// A deployment that the same person has going or waiting for the same app and commit.
pub(super) async fn same_wish_in(
    ports: &Ports,
    request: &Request,
    target: &Target,
    commit: &CommitSha,
) -> Result<Option<Deployment>, StoreError> {
    let line = ports.store.line(&target.app).await?;
    same_wish(ports, request, target, commit, &line).await
}

async fn same_wish(
    ports: &Ports,
    request: &Request,
    target: &Target,
    commit: &CommitSha,
    line: &Line,
) -> Result<Option<Deployment>, StoreError> {
    for id in line.everybody() {
        if let Some(deployment) = ports.store.deployment(id).await?
            && deployment.is_same_wish(&request.origin.person, &target.app, commit)
        {
            return Ok(Some(deployment));
        }
    }
    Ok(None)
}

/// The second asking joins the first; a code that came with it goes to it.
pub(super) async fn join(ports: &Ports, request: &Request, same: Deployment, code: Code) -> Result<Message, Trouble> {
    let line = ports.store.line(&same.target.app).await?;
    let ahead = line.place_of(same.id);
    let waits = matches!(same.phase, Phase::NeedsCode { .. });
    match code {
        Code::Accepted => {
            let mut current = same;
            for _ in 0..TRIES {
                let with_code = current.with_code(ports.clock.now());
                match ports.store.save(Batch::deployment(with_code)).await {
                    Ok(()) => break,
                    Err(StoreError::Conflict(_)) => match ports.store.deployment(current.id).await? {
                        Some(reloaded) => current = reloaded,
                        None => break,
                    },
                    Err(error) => return Err(error.into()),
                }
            }
            ports.clock.wake(WakeKey::Deployment(current.id));
            Ok(speech::code_taken(&current))
        }
        Code::Wrong => Ok(with_form(ports, speech::code_refused(waits), &same, waits)),
        Code::Lost => Ok(with_form(ports, speech::code_lost(waits), &same, waits)),
        Code::None => {
            tracing::info!(request = %request.id, deployment = %same.id, "the same wish again: joined");
            Ok(with_form(ports, speech::joined(&same, ahead), &same, waits))
        }
    }
}

/// With the way to the form, where the deployment waits for a code and the chat can ask for it.
fn with_form(ports: &Ports, message: Message, deployment: &Deployment, waits: bool) -> Message {
    if waits && ports.chat.has_forms() { speech::enter_code(message, deployment) } else { message }
}

#[derive(Debug)]
enum Recorded {
    New(Box<Deployment>),
    Joins(Box<Deployment>),
    Rides(Box<Message>),
    AnsweredBefore,
}

/// The deployment as it begins, before it has its place in the line.
pub(super) async fn begun(
    ports: &Ports,
    request: &Request,
    ask: &Ask,
    prospect: Prospect,
    code: Code,
    way: Way,
) -> Result<Deployment, StoreError> {
    let now = ports.clock.now();
    let id = DeploymentId(ports.ids.fresh());
    let mut past = ports.store.deployments_of_app(&prospect.target.app, PAST).await?;
    // What is built takes other times than what is only released.
    past.retain(|one| std::mem::discriminant(&one.way) == std::mem::discriminant(&way));
    let Prospect {
        target,
        repository,
        overrides_link_to,
        resolved,
        change,
        verdict,
        access: _,
        running: _,
        unread: _,
        own_locks: _,
        rules: _,
        rights: _,
    } = prospect;
    let because = ask.because.as_ref().map(|because| because.as_str().to_owned());
    Ok(Deployment {
        id,
        version: 0,
        delivery: request.id.clone(),
        origin: request.origin.clone(),
        asked_at: now,
        target,
        cargo: Cargo {
            repository: repository.name,
            repository_url: repository.web_url,
            overrides_link_to,
            asked: ask.wish.what.clone(),
            named_by: resolved.named_by,
            commit: resolved.commit,
            change,
            no_checks: verdict.no_checks,
        },
        way,
        when_green: ask.terms.when_green,
        ask_first: ask.terms.ask_first,
        overriding: ask.passing_checks.then(|| Override { because: because.clone().unwrap_or_default(), skipped: verdict.skipped }),
        because,
        phase: Phase::Waiting(WaitingFor::Turn),
        since: now,
        times: Vec::new(),
        usual: usual(&past),
        builds_ordered: 0,
        announcements_ordered: 0,
        slot_wanted_since: None,
        code_spent_at: if code == Code::Accepted { Some(now) } else { ask.terms.code_spent_at },
        announcement: None,
        build: None,
        release: None,
        cancel: None,
        moved: None,
        riders: Vec::new(),
        card: Card::NotShown,
        card_again_at: None,
        card_may_come_until: None,
        asker_told: false,
        end_shown: false,
        followed_up: false,
        story: Vec::new(),
        untold: Vec::new(),
        notices: Vec::new(),
        closed: false,
    })
}

/// Gives it its place in the line. `open`: the checks that it waits for first.
pub(super) fn placed(mut deployment: Deployment, line: &Line, open: Option<&[Obstacle]>) -> (Deployment, Line) {
    let id = deployment.id;
    let line = if open.is_some() { line.joined_unready_by(id) } else { line.joined_by(id) };
    deployment.phase = match open {
        Some(open) => deployment.waiting_for(open.to_vec()),
        None if line.holder == Some(id) => Phase::Starting,
        None => Phase::Waiting(WaitingFor::Turn),
    };
    let began = |stage| StageTime { stage, began: deployment.since, ended: None };
    deployment.times = deployment.phase.stage().map(began).into_iter().collect();
    (deployment, line)
}

async fn record(
    ports: &Ports,
    request: &Request,
    who: &Credentials,
    ask: &Ask,
    prospect: Prospect,
    (code, way): (Code, Way),
) -> Result<Recorded, Trouble> {
    let open = if ask.terms.when_green { prospect.verdict.not_done() } else { None };
    let shared = may_ride_the_same(ask, &prospect, &way);
    let rights = prospect.rights;
    let deployment = begun(ports, request, ask, prospect, code, way).await?;
    for _ in 0..TRIES {
        let line = ports.store.line(&deployment.target.app).await?;
        if let Some(same) = same_wish(ports, request, &deployment.target, &deployment.cargo.commit, &line).await? {
            return Ok(Recorded::Joins(Box::new(same)));
        }
        // Somebody else may have asked for it in the same moment.
        if shared && let Some(message) = rides::ride_with_one_of(ports, (who, rights), &deployment, &line).await? {
            return Ok(Recorded::Rides(Box::new(message)));
        }
        let (deployment, line) = placed(deployment.clone(), &line, open.as_deref());
        let requests = vec![request.answered_now()];
        let batch = Batch { deployments: vec![deployment.clone()], lines: vec![line], requests, ..Batch::default() };
        match ports.store.save(batch).await {
            Ok(()) => return Ok(Recorded::New(Box::new(deployment))),
            Err(StoreError::Conflict(_)) => {
                let answered = ports.store.request(&request.id).await?.is_none_or(|stored| stored.answered);
                if answered {
                    return Ok(Recorded::AnsweredBefore);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(speech::not_recorded().into())
}
