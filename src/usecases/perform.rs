//! Performs one step: the only place where a deploy touches the outside. Says what came of it.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::domain::deployment::{Deployment, Outcome, Phase, Stage, Standing, Step, Way};
use crate::domain::gate::{Reason, Verdict};
use crate::domain::release::{Build, BuildState, judge_dynos};
use crate::domain::speech;
use crate::ports::{
    AnnouncementOrder, ArchiveFault, BuildOrder, BuildStart, Credentials, Fault, PortError, PromotionOrder, PromotionSeen, PromotionStart,
    ReturnOrder, ReturnStart, Service,
};

use super::Ports;
use super::drive::Hands;
use super::facts::{Unjudged, change_to, judge_again, judge_checks};
use super::rights::judged_deploy;

/// How long something that cannot be read is tried again before it counts against the deploy.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);
/// How long an uploaded source is trusted to lie at the platform, which keeps it for about an hour.
const SOURCE_IS_GOOD_FOR: SignedDuration = SignedDuration::from_mins(30);
/// How far the platform's clock may be behind ours when a build is looked for.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(10);

pub(super) async fn perform(ports: &Ports, who: &Credentials, deployment: &Deployment, step: Step, hands: &mut Hands) -> Outcome {
    let app = &deployment.target.app;
    let token = &who.platform;
    match step {
        Step::WaitForTurn => turn(ports, deployment).await,
        Step::SeeChecks => see_checks(ports, who, deployment, hands).await,
        Step::WaitForSlot => {
            let now = ports.clock.now();
            let due = hands.watch.next_look(deployment, now).is_some_and(|next| next <= now);
            if due { Outcome::SlotMayBeFree } else { Outcome::NoNews }
        }
        Step::WaitForAllowance => match allowed(ports, who, deployment, hands) {
            Ok(()) => Outcome::AllowanceThere,
            Err(_) => Outcome::NoNews,
        },
        Step::WaitForAnswer | Step::WaitForCode | Step::Close => Outcome::NoNews,
        Step::Judge => judge(ports, who, deployment, hands).await,
        Step::Announce => announce(ports, who, deployment, hands).await,
        Step::LookForAnnouncement => look_for_announcement(ports, who, deployment, hands).await,
        Step::Upload => upload(ports, who, deployment, hands).await,
        Step::OrderBuild => order_build(ports, token, deployment, hands).await,
        Step::LookForBuild => {
            let since = deployment.asked_at.checked_sub(CLOCK_SKEW).unwrap_or(deployment.asked_at);
            match ports.platform.find_build(token, app, deployment.id, since).await {
                Ok(Some(build)) => Outcome::BuildThere(build),
                Ok(None) => Outcome::NoTrace,
                Err(error) => unread(&error, hands),
            }
        }
        Step::OrderReturn => order_return(ports, token, deployment, hands).await,
        Step::LookForReturn => {
            let found = match (return_order(deployment), promotion_order(deployment)) {
                (Some(order), _) => ports.platform.find_return(token, app, &order).await,
                (None, Some(order)) => ports.platform.find_promoted(token, app, &order).await,
                (None, None) => Ok(None),
            };
            match found {
                Ok(Some(release)) => Outcome::ReleaseThere(release),
                Ok(None) => Outcome::NoTrace,
                Err(error) => unread(&error, hands),
            }
        }
        Step::StopBuild(build) => match ports.platform.stop_build(token, app, &build).await {
            Ok(()) => Outcome::StopSent(build),
            Err(error) if error.fault == Fault::SignInLost => Outcome::SignInLost,
            // It may have ended by itself meanwhile: a stop that does not get through must not hide that.
            Err(error) if error.is_temporary() => match ports.platform.build(token, app, &build).await {
                Ok(Build { state: BuildState::Pending, .. }) | Err(_) => unread(&error, hands),
                // Only its answer may be lost: then the stop is what ended it.
                Ok(Build { state: BuildState::Failed, .. }) if error.fault == Fault::Unclear => Outcome::StopSent(build),
                Ok(seen) => Outcome::BuildSeen(seen.state),
            },
            // It cannot be stopped; how it ends is for the looks to tell.
            Err(error) => {
                tracing::info!(deployment = %deployment.id, %error, "the build could not be stopped");
                Outcome::StopSent(build)
            }
        },
        Step::SeeBuild(promotion) if deployment.promotes().is_some() => match ports.platform.promotion(token, app, &promotion).await {
            Ok(PromotionSeen::Pending) => Outcome::BuildSeen(BuildState::Pending),
            Ok(PromotionSeen::Released(release)) => Outcome::BuildSeen(BuildState::Succeeded { release: Some(release) }),
            Ok(PromotionSeen::Refused(said)) => Outcome::ReleaseRefused(said),
            Err(error) => unseen(&error, hands),
        },
        Step::SeeBuild(build) => match ports.platform.build(token, app, &build).await {
            Ok(build) => Outcome::BuildSeen(build.state),
            Err(error) => unseen(&error, hands),
        },
        Step::SeeRelease(release) => match ports.platform.release(token, app, &release).await {
            Ok(release) => Outcome::ReleaseSeen(release),
            Err(error) => unseen(&error, hands),
        },
        Step::SeeDynos { version } => match ports.platform.dynos(token, app).await {
            Ok(dynos) => Outcome::DynosSeen(judge_dynos(&dynos, version)),
            Err(error) => unseen(&error, hands),
        },
    }
}

/// A read that failed while nothing depends on its answer yet.
fn unread(error: &PortError, hands: &mut Hands) -> Outcome {
    if let Fault::RateLimited { until } = error.fault {
        hands.not_before = until;
    }
    tracing::info!(%error, "a look brought nothing");
    if error.fault == Fault::SignInLost { Outcome::SignInLost } else { Outcome::NoNews }
}

/// A look at something that is known to exist.
fn unseen(error: &PortError, hands: &mut Hands) -> Outcome {
    match error.fault {
        Fault::NotFound | Fault::Forbidden => {
            tracing::warn!(%error, "what is followed cannot be seen any more");
            Outcome::Vanished
        }
        Fault::SignInLost | Fault::Refused | Fault::RateLimited { .. } | Fault::Unreachable | Fault::Unclear | Fault::Nonsense => {
            unread(error, hands)
        }
    }
}

async fn turn(ports: &Ports, deployment: &Deployment) -> Outcome {
    match ports.store.line(&deployment.target.app).await {
        Ok(line) if line.holder == Some(deployment.id) => Outcome::TurnCame,
        Ok(_) => Outcome::NoNews,
        Err(error) => {
            tracing::error!(%error, "the line cannot be read");
            Outcome::NoNews
        }
    }
}

async fn judge(ports: &Ports, who: &Credentials, deployment: &Deployment, hands: &mut Hands) -> Outcome {
    if let Err(of) = allowed(ports, who, deployment, hands) {
        return Outcome::NoAllowance(of);
    }
    let now = ports.clock.now();
    let cargo = &deployment.cargo;
    let (asker, to) = (&deployment.origin.person, deployment.target.environment);
    let judged = match judged_deploy(ports, &asker.workspace, asker, to, deployment.overriding.is_some()).await {
        Ok(judged) if judged.is_unclear() && now.duration_since(deployment.since) < PATIENCE => return Outcome::NoNews,
        Ok(judged) => judged,
        Err(error) => {
            tracing::error!(%error, "the rules of the workspace cannot be read");
            return Outcome::NoNews;
        }
    };
    let access = ports.platform.access(&who.platform, &deployment.target.app).await;
    match judge_again(ports, who, deployment, access, &judged).await {
        Ok(verdict) if verdict.is_open() && access.needs_code == Some(true) && !deployment.has_fresh_code(now) => Outcome::CodeNeeded,
        Ok(verdict) => {
            // While it waited, another deploy may have changed what runs.
            let waited = deployment.times.iter().any(|time| time.stage == Stage::Line);
            let change = if waited { change_to(ports, who, &deployment.target, &cargo.repository, &cargo.commit).await } else { None };
            Outcome::Judged { verdict, change }
        }
        Err(Unjudged::Store(error)) => {
            tracing::error!(%error, "the locks cannot be read");
            Outcome::NoNews
        }
        Err(Unjudged::Outside(error)) if error.fault == Fault::SignInLost => Outcome::SignInLost,
        Err(Unjudged::Outside(error)) if error.is_temporary() && now.duration_since(deployment.since) < PATIENCE => unread(&error, hands),
        // Fail closed: what cannot be read does not go out.
        Err(Unjudged::Outside(error)) => {
            let reasons = vec![Reason::ChecksUnreadable { said: error.said }];
            Outcome::Judged { verdict: Verdict { reasons, ..Verdict::default() }, change: None }
        }
    }
}

/// Looks at the checks that it waits for, and at its ref. The whole gate is judged when its turn comes.
async fn see_checks(ports: &Ports, who: &Credentials, deployment: &Deployment, hands: &mut Hands) -> Outcome {
    match judge_checks(ports, who, deployment).await {
        Ok(verdict) => Outcome::ChecksSeen(verdict),
        Err(error) if error.fault == Fault::SignInLost || error.is_temporary() => unread(&error, hands),
        Err(error) => {
            let reasons = vec![Reason::ChecksUnreadable { said: error.said }];
            Outcome::ChecksSeen(Verdict { reasons, ..Verdict::default() })
        }
    }
}

pub(super) fn announcement_order(deployment: &Deployment) -> AnnouncementOrder {
    AnnouncementOrder {
        deployment: deployment.id,
        commit: deployment.cargo.commit.clone(),
        environment: deployment.target.environment,
        app: deployment.target.app_name.to_string(),
        description: speech::announcement_description(deployment),
    }
}

async fn announce(ports: &Ports, who: &Credentials, deployment: &Deployment, hands: &mut Hands) -> Outcome {
    if !hands.entered {
        return Outcome::Interrupted;
    }
    match ports.source.announce(&who.source, &deployment.cargo.repository, &announcement_order(deployment)).await {
        Ok(id) => Outcome::Announced(id),
        Err(error) => match error.fault {
            Fault::SignInLost => Outcome::SignInLost,
            Fault::Unclear | Fault::Nonsense => {
                tracing::warn!(deployment = %deployment.id, %error, "recording the deployment got no clear answer");
                Outcome::Unclear
            }
            Fault::Unreachable | Fault::RateLimited { .. } => pause(ports, deployment, &error, hands),
            Fault::Forbidden | Fault::NotFound | Fault::Refused => Outcome::AnnouncementRefused(error.said),
        },
    }
}

/// Whether it may begin: there has to be enough left to bring it to its end, and all that have begun.
fn allowed(ports: &Ports, who: &Credentials, deployment: &Deployment, hands: &mut Hands) -> Result<(), Service> {
    ports.allowances.begin(deployment.id, who, ports.clock.now()).map_err(|short| {
        hands.not_before = Some(short.until);
        short.of
    })
}

/// An order that certainly had no effect: wait as told, then try again.
fn pause(ports: &Ports, deployment: &Deployment, error: &PortError, hands: &mut Hands) -> Outcome {
    let now = ports.clock.now();
    // A short rest is taken on the spot; for a long one it stands back, so that people see what it waits for.
    if let Fault::RateLimited { until: Some(until) } = error.fault
        && until.duration_since(now) > PATIENCE
    {
        hands.not_before = Some(until);
        return Outcome::NoAllowance(error.service);
    }
    if now.duration_since(deployment.since) >= PATIENCE.saturating_mul(5) {
        return match deployment.phase {
            Phase::Announcing(Standing::Fresh) => Outcome::AnnouncementRefused(error.said.clone()),
            Phase::AboutToBuild(Standing::Fresh) if deployment.way != Way::Build => Outcome::ReleaseRefused(error.said.clone()),
            Phase::AboutToBuild(Standing::Fresh) => Outcome::BuildRefused(error.said.clone()),
            Phase::Waiting(_)
            | Phase::NeedsCode { .. }
            | Phase::Starting
            | Phase::Announcing(Standing::Unclear { .. })
            | Phase::Uploading
            | Phase::AboutToBuild(Standing::Unclear { .. })
            | Phase::Building { .. }
            | Phase::Releasing { .. }
            | Phase::Restarting { .. }
            | Phase::Unknown(_)
            | Phase::Succeeded { .. }
            | Phase::Failed { .. }
            | Phase::Cancelled { .. }
            | Phase::Freed { .. } => Outcome::NoNews,
        };
    }
    unread(error, hands)
}

async fn look_for_announcement(ports: &Ports, who: &Credentials, deployment: &Deployment, hands: &mut Hands) -> Outcome {
    match ports.source.find_announcement(&who.source, &deployment.cargo.repository, &announcement_order(deployment)).await {
        Ok(Some(id)) => Outcome::Announced(id),
        Ok(None) => Outcome::NoTrace,
        Err(error) => unread(&error, hands),
    }
}

async fn upload(ports: &Ports, who: &Credentials, deployment: &Deployment, hands: &mut Hands) -> Outcome {
    let now = ports.clock.now();
    if hands.source.as_ref().is_some_and(|source| now.duration_since(source.at) < SOURCE_IS_GOOD_FOR) {
        return Outcome::Uploaded;
    }
    let archive = match ports.source.archive(&who.source, &deployment.cargo.repository, &deployment.cargo.commit).await {
        Ok(archive) => archive,
        Err(ArchiveFault::TooLarge { limit }) => return Outcome::SourceTooLarge { limit },
        Err(ArchiveFault::DiskFull) => return Outcome::DiskFull,
        Err(ArchiveFault::Port(error)) => return unavailable(error, deployment, now, hands),
    };
    match ports.platform.upload(&who.platform, archive).await {
        Ok(source) => {
            hands.source = Some(source);
            Outcome::Uploaded
        }
        Err(error) => unavailable(error, deployment, now, hands),
    }
}

/// The source cannot be had or handed over, perhaps for a moment only.
fn unavailable(error: PortError, deployment: &Deployment, now: Timestamp, hands: &mut Hands) -> Outcome {
    let patient = error.is_temporary() && now.duration_since(deployment.since) < PATIENCE;
    match error.fault {
        Fault::SignInLost => Outcome::SignInLost,
        Fault::Forbidden
        | Fault::NotFound
        | Fault::Refused
        | Fault::RateLimited { .. }
        | Fault::Unreachable
        | Fault::Unclear
        | Fault::Nonsense => {
            if patient {
                unread(&error, hands)
            } else {
                Outcome::SourceUnavailable(error.said)
            }
        }
    }
}

async fn order_build(ports: &Ports, token: &SecretString, deployment: &Deployment, hands: &mut Hands) -> Outcome {
    let Some(source) = hands.source.clone().filter(|_| hands.entered) else { return Outcome::Interrupted };
    let order = BuildOrder {
        source,
        commit: deployment.cargo.commit.clone(),
        repository: deployment.cargo.repository.clone(),
        deployment: deployment.id,
    };
    match ports.platform.start_build(token, &deployment.target.app, &order).await {
        Ok(BuildStart::Started(build)) => Outcome::BuildThere(build),
        Ok(BuildStart::NeedsCode) => Outcome::CodeNeeded,
        Ok(BuildStart::NoSlot) => Outcome::NoBuildSlot,
        Err(error) => match error.fault {
            Fault::SignInLost => Outcome::SignInLost,
            Fault::Unclear | Fault::Nonsense => {
                tracing::warn!(deployment = %deployment.id, %error, "ordering the build got no clear answer");
                Outcome::Unclear
            }
            Fault::Unreachable | Fault::RateLimited { .. } => pause(ports, deployment, &error, hands),
            Fault::Forbidden | Fault::NotFound | Fault::Refused => Outcome::BuildRefused(error.said),
        },
    }
}

/// What to look for where it goes back.
fn return_order(deployment: &Deployment) -> Option<ReturnOrder> {
    let back = deployment.back()?;
    let since = deployment.asked_at.checked_sub(CLOCK_SKEW).unwrap_or(deployment.asked_at);
    Some(ReturnOrder { to: back.to.clone(), code: back.code.clone(), newest: back.newest, since })
}

/// What to take over, and how it would be known.
fn promotion_order(deployment: &Deployment) -> Option<PromotionOrder> {
    let from = deployment.promotes()?;
    Some(PromotionOrder {
        pipeline: deployment.target.pipeline.clone(),
        from: from.from.clone(),
        release: from.release.clone(),
        commit: deployment.cargo.commit.clone(),
        newest: from.newest,
        since: deployment.asked_at.checked_sub(CLOCK_SKEW).unwrap_or(deployment.asked_at),
    })
}

/// Orders a release of what was built before.
async fn order_return(ports: &Ports, token: &SecretString, deployment: &Deployment, hands: &mut Hands) -> Outcome {
    if !hands.entered {
        return Outcome::Interrupted;
    }
    let app = &deployment.target.app;
    let ordered = match (return_order(deployment), promotion_order(deployment)) {
        (Some(order), _) => ports.platform.roll_back(token, app, &order).await.map(|start| match start {
            ReturnStart::Started(release) => Outcome::ReleaseThere(release),
            ReturnStart::NeedsCode => Outcome::CodeNeeded,
        }),
        (None, Some(order)) => ports.platform.promote(token, app, &order).await.map(|start| match start {
            PromotionStart::Started(id) => Outcome::BuildThere(Build { id, state: BuildState::Pending, created_at: None }),
            PromotionStart::NeedsCode => Outcome::CodeNeeded,
        }),
        (None, None) => return Outcome::Interrupted,
    };
    match ordered {
        Ok(outcome) => outcome,
        Err(error) => match error.fault {
            Fault::SignInLost => Outcome::SignInLost,
            Fault::Unclear | Fault::Nonsense => {
                tracing::warn!(deployment = %deployment.id, %error, "ordering the release got no clear answer");
                Outcome::Unclear
            }
            Fault::Unreachable | Fault::RateLimited { .. } => pause(ports, deployment, &error, hands),
            Fault::Forbidden | Fault::NotFound | Fault::Refused => Outcome::ReleaseRefused(error.said),
        },
    }
}

#[cfg(test)]
mod tests;
