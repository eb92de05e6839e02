//! How a worker learns that there is something to look at: it listens to what goes on, and looks by itself where it hears nothing.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use jiff::Timestamp;

use crate::domain::deployment::{Attention, Deployment, Outcome, Phase, Step, WaitingFor};
use crate::domain::names::{BuildId, ReleaseId};
use crate::domain::release::BuildState;
use crate::ports::{Follower, Heard, WakeKey};

use super::Ports;
use super::respite::earliest;

/// What a worker watches, and what it knows of it. Lost with the process, on purpose: the next one looks first.
#[derive(Debug, Default)]
pub(super) struct Watch {
    of: Option<Watched>,
    attention: Attention,
    /// It was not looked at yet, and is not known to have only begun: the first look is to tell where to listen.
    unseen: bool,
    follower: Option<Box<dyn Follower>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Watched {
    Checks,
    Build(BuildId),
    Release(Option<BuildId>, ReleaseId),
    Dynos(ReleaseId),
}

fn watched(phase: &Phase) -> Option<Watched> {
    match phase {
        Phase::Building { build } => Some(Watched::Build(build.clone())),
        Phase::Releasing { build, release, .. } => Some(Watched::Release(build.clone(), release.clone())),
        Phase::Restarting { release, .. } => Some(Watched::Dynos(release.clone())),
        Phase::Waiting(WaitingFor::Checks { .. }) => Some(Watched::Checks),
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
    }
}

/// Whether an outcome tells that a build has only begun, so that a look could show nothing else.
pub(super) fn has_only_begun(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::BuildThere(build) if build.state == BuildState::Pending)
}

fn is_look(step: &Step) -> bool {
    matches!(step, Step::SeeChecks | Step::SeeBuild(_) | Step::SeeRelease(_) | Step::SeeDynos { .. })
}

impl Watch {
    /// Turns to what the deployment stands in now. `true`: that is something else than before.
    pub(super) fn turn_to(&mut self, deployment: &Deployment) -> bool {
        let of = watched(&deployment.phase);
        if of == self.of {
            return false;
        }
        *self = Self { of, unseen: true, ..Self::default() };
        true
    }

    /// When the next look is due.
    pub(super) fn next_look(&self, deployment: &Deployment, now: Timestamp) -> Option<Timestamp> {
        deployment.next_look(now, &self.attention)
    }

    /// Whether a step is a look that could show no more than what is known already, or says again too soon what did not get through.
    pub(super) fn is_idle(&self, deployment: &Deployment, step: &Step, now: Timestamp) -> bool {
        let again = matches!(step, Step::StopBuild(_)) && self.attention.stops_lost > 0;
        self.of.is_some() && (is_look(step) || again) && self.next_look(deployment, now).is_some_and(|next| next > now)
    }

    /// A step was made, after which the deployment stands like this. `begun`: what it stands in has only begun.
    pub(super) fn made(&mut self, step: &Step, deployment: &Deployment, begun: bool, now: Timestamp) {
        if self.turn_to(deployment) {
            // No dyno is up in the instant in which it is started.
            let begun = begun || matches!(self.of, Some(Watched::Dynos(_)));
            self.attention.seen_at = begun.then_some(now);
            self.unseen = !begun;
        } else if is_look(step) {
            self.attention.seen_at = Some(now);
            if !std::mem::replace(&mut self.unseen, false) {
                self.attention.looks = self.attention.looks.saturating_add(1);
            }
        } else if matches!(step, Step::StopBuild(_)) {
            let attention = &mut self.attention;
            if deployment.cancel.as_ref().is_some_and(|cancel| cancel.told) {
                (attention.seen_at, attention.looks, attention.stops_lost) = (None, 0, 0);
            } else {
                (attention.seen_at, attention.stops_lost) = (Some(now), attention.stops_lost.saturating_add(1));
            }
        }
    }

    fn follows(&mut self, ports: &Ports, deployment: &Deployment) {
        let follow = |build, release| Some(ports.platform.follow(&deployment.target.app, build, release));
        if self.follower.is_none() {
            self.follower = match &self.of {
                Some(Watched::Build(build)) => follow(build, None),
                Some(Watched::Release(Some(build), release)) => follow(build, Some(release.clone())),
                // What goes back is over soon: looks are enough.
                Some(Watched::Checks | Watched::Release(None, _) | Watched::Dynos(_)) | None => None,
            };
        }
    }

    /// Waits until there may be something to do: somebody wakes us, a look is due, or there is a reason to look. No look is due
    /// before `not_before`, and something else to do is at `or_at`.
    pub(super) async fn wait(&mut self, ports: &Ports, deployment: &Deployment, not_before: Option<Timestamp>, or_at: Option<Timestamp>) {
        self.follows(ports, deployment);
        loop {
            let look = self.next_look(deployment, ports.clock.now());
            let look = look.map(|look| not_before.map_or(look, |not_before| look.max(not_before)));
            let until = earliest([look, or_at]);
            let mut rung = pin!(ports.clock.wait(WakeKey::Deployment(deployment.id), until));
            let mut heard = self.follower.as_mut().map(|follower| follower.heard());
            // The follower first, as it asks for.
            let ended = poll_fn(|context| {
                if let Some(Poll::Ready(heard)) = heard.as_mut().map(|heard| heard.as_mut().poll(context)) {
                    return Poll::Ready(Some(heard));
                }
                rung.as_mut().poll(context).map(|()| None)
            });
            match ended.await {
                None => return,
                Some(Heard::Begun) => {
                    drop(heard);
                    self.attention.listening = true;
                }
                Some(Heard::Reason) => {
                    drop(heard);
                    self.attention = Attention::default();
                    return;
                }
            }
        }
    }
}
