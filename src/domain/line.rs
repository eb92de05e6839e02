//! The line of an app: which deployment holds it, which ones wait, whose turn it is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::deployment::{Deployment, Phase, WaitingFor};
use super::names::{AppId, DeploymentId};

/// The deployments of one app that run or wait. At most one runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The app.
    pub app: AppId,
    /// The version of this record in the store; 0: never stored.
    pub version: u64,
    /// The deployment that has the app.
    pub holder: Option<DeploymentId>,
    /// Those that wait, first come first.
    pub waiting: Vec<DeploymentId>,
    /// Those of them that wait for more than their turn: whoever is ready passes them, and they keep their places.
    #[serde(default)]
    pub not_ready: BTreeSet<DeploymentId>,
    /// Those whom the holder passed: they came before it.
    #[serde(default)]
    pub passed: BTreeSet<DeploymentId>,
}

impl Line {
    /// A line that nobody stands in.
    pub fn empty(app: AppId) -> Self {
        Self { app, version: 0, holder: None, waiting: Vec::new(), not_ready: BTreeSet::new(), passed: BTreeSet::new() }
    }

    /// Takes the app if it is free and nobody waits who is ready, else the last place in the line. Joining twice changes nothing.
    #[must_use]
    pub fn joined_by(&self, deployment: DeploymentId) -> Self {
        let mut line = self.clone();
        if line.stands(deployment) {
            return line;
        }
        line.waiting.push(deployment);
        line.settled()
    }

    /// Takes the last place in the line and does not get the app before it is [`ready`](Self::ready). Joining twice changes nothing.
    #[must_use]
    pub fn joined_unready_by(&self, deployment: DeploymentId) -> Self {
        let mut line = self.clone();
        if !line.stands(deployment) {
            line.waiting.push(deployment);
            line.not_ready.insert(deployment);
        }
        line
    }

    /// Waits for nothing but its turn any more: gets the app if it is free. `None` if it did not wait for more.
    pub fn ready(&self, deployment: DeploymentId) -> Option<Self> {
        let mut line = self.clone();
        line.not_ready.remove(&deployment).then(|| line.settled())
    }

    /// Waits for more than its turn again: gives the app to the next who is ready, and stands again where it
    /// stood before. `None` if it does not stand here, or waits so already.
    pub fn unready(&self, deployment: DeploymentId) -> Option<Self> {
        let mut line = self.clone();
        if !line.stands(deployment) || !line.not_ready.insert(deployment) {
            return None;
        }
        if line.holder == Some(deployment) {
            line.holder = None;
            let before = line.waiting.iter().rposition(|waiting| line.passed.contains(waiting));
            line.waiting.insert(before.map_or(0, |before| before.saturating_add(1)), deployment);
        }
        Some(line.settled())
    }

    /// Leaves, from whatever place; the next one gets the app. `None` if it does not stand here, so that an end that is
    /// told twice frees nothing that belongs to somebody else.
    #[must_use]
    pub fn left_by(&self, deployment: DeploymentId) -> Option<Self> {
        if !self.stands(deployment) {
            return None;
        }
        let mut line = self.clone();
        line.waiting.retain(|waiting| *waiting != deployment);
        line.not_ready.remove(&deployment);
        line.passed.remove(&deployment);
        if line.holder == Some(deployment) {
            line.holder = None;
        }
        Some(line.settled())
    }

    /// Moves one that waits: to the first place of those who wait for 0, at most to the last. `None` if it does not wait, or stands there
    /// already. Whoever has the app keeps it.
    pub fn moved(&self, deployment: DeploymentId, to: usize) -> Option<Self> {
        let from = self.waiting.iter().position(|waiting| *waiting == deployment)?;
        let to = to.min(self.waiting.len().saturating_sub(1));
        if from == to {
            return None;
        }
        let mut line = self.clone();
        line.waiting.retain(|waiting| *waiting != deployment);
        line.waiting.insert(to, deployment);
        // The holder's own place stays as far from the beginning as it was.
        line.passed = line.waiting.iter().copied().take(self.passed.len()).collect();
        Some(line)
    }

    /// How the line stands once a deployment stands like this; `None`: as before.
    pub fn with(&self, deployment: &Deployment) -> Option<Self> {
        if deployment.has_ended() {
            return self.left_by(deployment.id);
        }
        match &deployment.phase {
            Phase::Waiting(WaitingFor::Checks { .. }) => self.unready(deployment.id),
            Phase::Waiting(WaitingFor::Turn | WaitingFor::Answer { .. } | WaitingFor::BuildSlot { .. } | WaitingFor::Allowance { .. })
            | Phase::NeedsCode { .. }
            | Phase::Starting
            | Phase::Announcing(_)
            | Phase::Uploading
            | Phase::AboutToBuild(_)
            | Phase::Building { .. }
            | Phase::Releasing { .. }
            | Phase::Restarting { .. }
            | Phase::Unknown(_)
            | Phase::Succeeded { .. }
            | Phase::Failed { .. }
            | Phase::Cancelled { .. }
            | Phase::Freed { .. } => self.ready(deployment.id),
        }
    }

    /// How many get the app before: 0 for the one that has it. For one that is not ready, how many stand before it, ready or not.
    /// `None` if it does not stand here.
    pub fn place_of(&self, deployment: DeploymentId) -> Option<usize> {
        if self.holder == Some(deployment) {
            return Some(0);
        }
        let before = self.waiting.iter().take_while(|waiting| **waiting != deployment);
        let counts = |waiting: &&DeploymentId| self.not_ready.contains(&deployment) || !self.not_ready.contains(waiting);
        let ahead = before.filter(counts).count().saturating_add(usize::from(self.holder.is_some()));
        self.waiting.contains(&deployment).then_some(ahead)
    }

    /// Everybody in it, the holder first.
    pub fn everybody(&self) -> impl Iterator<Item = DeploymentId> {
        self.holder.into_iter().chain(self.waiting.iter().copied())
    }

    /// Those who wait for their turn and for nothing else, in order.
    pub fn next(&self) -> impl Iterator<Item = DeploymentId> {
        self.waiting.iter().copied().filter(|waiting| !self.not_ready.contains(waiting))
    }

    fn stands(&self, deployment: DeploymentId) -> bool {
        self.holder == Some(deployment) || self.waiting.contains(&deployment)
    }

    /// A free app belongs to the first who is ready.
    fn settled(mut self) -> Self {
        if self.holder.is_none() {
            let first = self.next().next();
            self.holder = first;
            self.passed = self.waiting.iter().copied().take_while(|waiting| Some(*waiting) != self.holder).collect();
            self.waiting.retain(|waiting| Some(*waiting) != self.holder);
        }
        self
    }
}

#[cfg(test)]
mod tests;
