//! Drives one deployment to its true end: next step, perform, outcome, record, tell, again.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::domain::account::Provider;
use crate::domain::deployment::{Deployment, Failure, Outcome, Phase, Step, WaitingFor};
use crate::domain::fault::Service;
use crate::domain::names::DeploymentId;
use crate::ports::{Batch, Credentials, Lease, NoCredentials, StoreError, UploadedSource, WakeKey};

use super::Ports;
use super::perform::perform;
use super::rollback;
use super::tell::{self, EndTold, Sight, Telling};
use super::watch::{Watch, has_only_begun};

/// How long telling the end is tried before it is given up; the truth stays in the store.
const CLOSING_LASTS: SignedDuration = SignedDuration::from_hours(24);

/// How long logins are left alone that cannot be renewed for the moment.
const AWAY: SignedDuration = SignedDuration::from_secs(30);

/// For how long the work has to stay ours before something is ordered: longer than an order can take.
const ORDERING: SignedDuration = SignedDuration::from_secs(60);

/// Why driving ended before the end.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The store failed: the process has to end.
    #[error(transparent)]
    Store(StoreError),
    /// Another worker has taken over.
    #[error("another worker drives this deployment")]
    LeaseLost,
}

/// What a worker knows that must not or need not be recorded. Lost with the process, on purpose.
#[derive(Debug, Default)]
pub(super) struct Hands {
    /// The source at the platform: its address is a secret.
    pub source: Option<UploadedSource>,
    /// Whether this worker recorded the phase that the deployment stands in, so that nobody else can have acted in it.
    pub entered: bool,
    /// Whether the next in line was called, and whether the end had been told by then.
    pub called_the_next: Option<bool>,
    /// Until when a service asked to be left alone.
    pub not_before: Option<Timestamp>,
    /// What was told, and who is given a rest.
    pub telling: Telling,
    /// What is listened to and looked at.
    pub watch: Watch,
}

/// From this pause between two looks on, people are told that news come late.
const SLOW: SignedDuration = SignedDuration::from_secs(11);

/// A look at checks takes about so many requests.
const REQUESTS_FOR_CHECKS: u32 = 5;

/// Whether a person's deploys are looked at less often, since few requests are left.
pub(super) fn is_slowed(ports: &Ports, who: &Credentials) -> bool {
    ports.allowances.pause(Service::Platform, &who.platform, 1, ports.clock.now()).is_some_and(|pause| pause >= SLOW)
}

/// Before when not to look at what goes on outside, where few requests are left.
fn not_too_often(ports: &Ports, who: Option<&Credentials>, deployment: &Deployment) -> Option<Timestamp> {
    let now = ports.clock.now();
    let who = who?;
    let pause = match deployment.phase {
        Phase::Building { .. } | Phase::Releasing { .. } | Phase::Restarting { .. } => {
            ports.allowances.pause(Service::Platform, &who.platform, 1, now)
        }
        Phase::Waiting(WaitingFor::Checks { .. }) => ports.allowances.pause(Service::SourceControl, &who.source, REQUESTS_FOR_CHECKS, now),
        Phase::Waiting(WaitingFor::Turn | WaitingFor::Answer { .. } | WaitingFor::BuildSlot { .. } | WaitingFor::Allowance { .. })
        | Phase::NeedsCode { .. }
        | Phase::Starting
        | Phase::Announcing(_)
        | Phase::Uploading
        | Phase::AboutToBuild(_)
        | Phase::Unknown(_)
        | Phase::Succeeded { .. }
        | Phase::Failed { .. }
        | Phase::Cancelled { .. }
        | Phase::Freed { .. } => None,
    };
    now.checked_add(pause?).ok()
}

/// Takes a deployment off the books of allowances when nobody here drives it any more.
struct OffTheBooks<'a>(&'a Ports, DeploymentId);

impl Drop for OffTheBooks<'_> {
    fn drop(&mut self) {
        self.0.allowances.over(self.1);
    }
}

/// Drives. Returns when the deployment is over and told, or when the process is about to end.
///
/// `lease` is the right to do so; somebody beside this loop keeps it alive.
pub async fn drive(ports: &Ports, lease: &Lease, id: DeploymentId) -> Result<(), DriveError> {
    let Some(mut deployment) = load(ports, id).await? else { return Ok(()) };
    let mut hands = Hands::default();
    let _off_the_books = OffTheBooks(ports, id);
    let mut has_told = false;
    loop {
        // Asked for at each turn: they are renewed ahead of their ends, and whoever logs out is not acted for any more.
        // Behind one that is orphaned nobody stands any more, whoever may go by what name.
        let found = if deployment.is_orphaned() {
            Err(NoCredentials::Stranger)
        } else {
            ports.accounts.credentials(&deployment.origin.person).await
        };
        let away = found.as_ref().is_err_and(NoCredentials::may_pass);
        let sight = Sight::with(ports, &found);
        let who = found.ok();
        // Whoever is shut out of one service can still have the end told at the other.
        let source = match &who {
            Some(who) => Some(who.source.clone()),
            None => ports.accounts.token(&deployment.origin.person, Provider::SourceControl).await,
        };
        if away && source.is_none() {
            hands.telling.rest_of_record(again_at(ports));
        }
        if let Some(who) = &who {
            ports.allowances.follow(&deployment, who);
        }
        tell::tell(ports, lease, source.as_ref(), &sight, &mut deployment, &mut hands).await?;
        call_the_next(ports, &deployment, &mut hands).await?;
        let Some(step) = deployment.next_step() else {
            // Somebody else has closed it: what we told last may be older than the end.
            return if has_told { Err(DriveError::LeaseLost) } else { Ok(()) };
        };
        has_told = true;
        if ports.is_stopping() {
            return Ok(());
        }
        hands.watch.turn_to(&deployment);
        // Telling may have taken long. What cannot be undone is done by whoever has the work now, and by nobody else.
        if matches!(step, Step::Announce | Step::OrderBuild | Step::OrderReturn) && hands.entered {
            still_ours(ports, lease).await?;
        }
        let moved = if step == Step::Close {
            if away && source.is_none() { Moved::Not } else { close(ports, source.as_ref(), &deployment, &mut hands).await? }
        } else if asks_outside(&step) && hands.not_before.is_some_and(|not_before| ports.clock.now() < not_before)
            || hands.watch.is_idle(&deployment, &step, ports.clock.now())
        {
            Moved::Not
        } else {
            let judged = step == Step::Judge;
            let outcome = match &who {
                Some(who) => performed(ports, who, &deployment, step.clone(), &mut hands).await,
                None if away => {
                    hands.not_before = hands.not_before.max(Some(again_at(ports)));
                    Outcome::NoNews
                }
                // An earlier worker may have ordered it: that is not to be taken for nothing just because nobody can look.
                None if !hands.entered && matches!(step, Step::Announce | Step::OrderBuild | Step::OrderReturn) => Outcome::Interrupted,
                None => Outcome::SignInLost,
            };
            let begun = has_only_begun(&outcome);
            let moved = record_outcome(ports, lease, &mut deployment, outcome, &mut hands).await?;
            hands.watch.made(&step, &deployment, begun, ports.clock.now());
            hands.telling.turn_due |= judged && deployment.turn_came();
            moved
        };
        match moved {
            Moved::On => {}
            Moved::FollowedUp => match save(ports, lease, &Deployment { followed_up: true, ..deployment.clone() }, false).await? {
                Some(saved) => deployment = saved,
                None => reload(ports, &mut deployment, &mut hands).await?,
            },
            Moved::Closed => {
                if !deployment.followed_up {
                    rollback::afterwards(ports, &deployment).await.map_err(DriveError::Store)?;
                }
                let closed = deployment.closed_now();
                if save(ports, lease, &closed, false).await?.is_some() {
                    return Ok(());
                }
                reload(ports, &mut deployment, &mut hands).await?;
            }
            // The wake that tells of the end of the process may have been heard within the step.
            Moved::Not if ports.is_stopping() => return Ok(()),
            Moved::Not => {
                let not_before = hands.not_before.max(not_too_often(ports, who.as_ref(), &deployment));
                hands.watch.wait(ports, &deployment, not_before, hands.telling.again_at(&deployment)).await;
                reload(ports, &mut deployment, &mut hands).await?;
            }
        }
    }
}

/// Which services a step asks. Where it asks both, either may have refused.
fn asked_at(step: &Step) -> &'static [Provider] {
    match step {
        Step::Judge | Step::Upload => &Provider::ALL,
        Step::SeeChecks | Step::Announce | Step::LookForAnnouncement => &[Provider::SourceControl],
        Step::OrderBuild
        | Step::LookForBuild
        | Step::OrderReturn
        | Step::LookForReturn
        | Step::StopBuild(_)
        | Step::SeeBuild(_)
        | Step::SeeRelease(_)
        | Step::SeeDynos { .. } => &[Provider::Platform],
        Step::WaitForTurn | Step::WaitForAnswer | Step::WaitForSlot | Step::WaitForAllowance | Step::WaitForCode | Step::Close => &[],
    }
}

/// When logins that are away are asked for again.
fn again_at(ports: &Ports) -> Timestamp {
    let now = ports.clock.now();
    now.checked_add(AWAY).unwrap_or(now)
}

/// Performs a step; where a token is refused and there is another one by now, with that: what was refused was not done.
async fn performed(ports: &Ports, who: &Credentials, deployment: &Deployment, step: Step, hands: &mut Hands) -> Outcome {
    let outcome = perform(ports, who, deployment, step.clone(), hands).await;
    if outcome != Outcome::SignInLost {
        return outcome;
    }
    let person = &deployment.origin.person;
    let mut another = false;
    for at in asked_at(&step) {
        another |= ports.accounts.refused(person, *at, who.at(*at)).await;
    }
    if !another {
        return outcome;
    }
    match ports.accounts.credentials(person).await {
        Ok(who) => perform(ports, &who, deployment, step, hands).await,
        Err(no) if no.may_pass() => Outcome::NoNews,
        Err(_) => outcome,
    }
}

/// What a turn of the loop brought.
enum Moved {
    On,
    Not,
    FollowedUp,
    Closed,
}

/// Records where an outcome takes the deployment. An outcome is a fact: if somebody else changed the record in between, it
/// is applied to what they made of it.
async fn record_outcome(
    ports: &Ports,
    lease: &Lease,
    deployment: &mut Deployment,
    outcome: Outcome,
    hands: &mut Hands,
) -> Result<Moved, DriveError> {
    loop {
        let Some(moved) = deployment.after(outcome.clone(), ports.clock.now()) else { return Ok(Moved::Not) };
        tracing::debug!(deployment = %deployment.id, phase = ?moved.phase, "moved");
        let entered = moved.phase != deployment.phase;
        match save(ports, lease, &moved, entered).await? {
            Some(saved) => {
                *deployment = saved;
                if entered && matches!(deployment.phase, Phase::Waiting(WaitingFor::Checks { .. })) {
                    wake_the_line(ports, deployment).await?;
                }
                hands.entered = entered || hands.entered;
                count(ports, deployment);
                return Ok(Moved::On);
            }
            None => reload(ports, deployment, hands).await?,
        }
    }
}

fn count(ports: &Ports, deployment: &Deployment) {
    if let Phase::Failed { why: Failure::Gate(reasons), .. } = &deployment.phase {
        ports.tally.refused(reasons);
    }
    if deployment.has_ended() {
        ports.tally.ended(&deployment.phase);
    }
}

/// Saves; where it entered a phase, its line moves with it in the same transaction. `None`: somebody else was faster.
pub(super) async fn save(ports: &Ports, lease: &Lease, next: &Deployment, entered: bool) -> Result<Option<Deployment>, DriveError> {
    loop {
        let mut batch = Batch::deployment(next.clone());
        if entered
            && (next.has_ended() || matches!(next.phase, Phase::Waiting(_)))
            && let Some(line) = ports.store.line(&next.target.app).await.map_err(DriveError::Store)?.with(next)
        {
            batch.lines.push(line);
        }
        batch.under = Some(lease.clone());
        batch.now = Some(ports.clock.now());
        match ports.store.save(batch).await {
            Ok(()) => return Ok(Some(Deployment { version: next.version.saturating_add(1), ..next.clone() })),
            Err(StoreError::Conflict(_)) => {
                // Only the line moved: try again with it. The deployment itself moved: the caller has to look.
                let stored = load(ports, next.id).await?.map(|stored| stored.version);
                if stored != Some(next.version) {
                    return Ok(None);
                }
            }
            Err(StoreError::LeaseLost) => return Err(DriveError::LeaseLost),
            Err(error @ (StoreError::TooLarge { .. } | StoreError::Damaged(_) | StoreError::Failed(_))) => {
                return Err(DriveError::Store(error));
            }
        }
    }
}

/// Whether a step asks a service that may want to be left alone for a while.
fn asks_outside(step: &Step) -> bool {
    !matches!(step, Step::WaitForTurn | Step::WaitForAnswer | Step::WaitForSlot | Step::WaitForAllowance | Step::WaitForCode | Step::Close)
}

/// Calls whoever has the app next, once the end has been told: people hear of an end before they hear of what begins after it.
/// A chat that takes its time holds up no work, only what is said of it: once the end is told after all, they are called again.
async fn call_the_next(ports: &Ports, deployment: &Deployment, hands: &mut Hands) -> Result<(), DriveError> {
    let told = Some(deployment.is_end_told());
    if !deployment.has_ended() || std::mem::replace(&mut hands.called_the_next, told) == told {
        return Ok(());
    }
    wake_the_line(ports, deployment).await
}

/// Whoever has the app now may not know it yet.
async fn wake_the_line(ports: &Ports, deployment: &Deployment) -> Result<(), DriveError> {
    let line = ports.store.line(&deployment.target.app).await.map_err(DriveError::Store)?;
    for one in line.everybody().filter(|one| *one != deployment.id || deployment.has_ended()) {
        ports.clock.wake(WakeKey::Deployment(one));
    }
    Ok(())
}

async fn still_ours(ports: &Ports, lease: &Lease) -> Result<(), DriveError> {
    let now = ports.clock.now();
    let until = now.checked_add(ORDERING).unwrap_or(now).max(lease.until);
    match ports.store.renew(lease, now, until).await.map_err(DriveError::Store)? {
        // Whoever was held up on the way back may have lost it again.
        Some(renewed) if ports.clock.now() < renewed.until => Ok(()),
        Some(_) | None => Err(DriveError::LeaseLost),
    }
}

async fn load(ports: &Ports, id: DeploymentId) -> Result<Option<Deployment>, DriveError> {
    ports.store.deployment(id).await.map_err(DriveError::Store)
}

async fn reload(ports: &Ports, deployment: &mut Deployment, hands: &mut Hands) -> Result<(), DriveError> {
    if let Some(stored) = load(ports, deployment.id).await? {
        // Somebody else moved it into a phase that we did not enter ourselves.
        if stored.phase != deployment.phase {
            hands.entered = false;
        }
        *deployment = stored;
    }
    Ok(())
}

/// Tells the end: at the source control, on the card, to the asker. Nothing that people do waits for the record.
async fn close(ports: &Ports, source: Option<&SecretString>, deployment: &Deployment, hands: &mut Hands) -> Result<Moved, DriveError> {
    match tell::end(ports, source, deployment, hands).await {
        EndTold::Everywhere => return Ok(Moved::Closed),
        EndTold::InChat if deployment.back().is_some() && !deployment.followed_up => {
            rollback::afterwards(ports, deployment).await.map_err(DriveError::Store)?;
            return Ok(Moved::FollowedUp);
        }
        EndTold::InChat | EndTold::NotYet => {}
    }
    let tried_for = ports.clock.now().duration_since(deployment.since);
    if tried_for >= CLOSING_LASTS {
        tracing::error!(deployment = %deployment.id, untold = ?deployment.untold, "the end could not be told everywhere");
        return Ok(Moved::Closed);
    }
    Ok(Moved::Not)
}
