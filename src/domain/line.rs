//! The line of an app: which deployment holds it, which ones wait, whose turn it is.

use serde::{Deserialize, Serialize};

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
}

impl Line {
    /// A line that nobody stands in.
    pub fn empty(app: AppId) -> Self {
        Self { app, version: 0, holder: None, waiting: Vec::new() }
    }

    /// Takes the app if it is free and nobody waits, else the last place in the line. Joining twice changes nothing.
    #[must_use]
    pub fn joined_by(&self, deployment: DeploymentId) -> Self {
        let mut line = self.clone();
        if line.place_of(deployment).is_some() {
            return line;
        }
        if line.holder.is_none() && line.waiting.is_empty() {
            line.holder = Some(deployment);
        } else {
            line.waiting.push(deployment);
        }
        line
    }

    /// Leaves, from whatever place; the next one gets the app. `None` if it does not stand here, so that an end that is
    /// told twice frees nothing that belongs to somebody else.
    #[must_use]
    pub fn left_by(&self, deployment: DeploymentId) -> Option<Self> {
        self.place_of(deployment)?;
        let mut line = self.clone();
        line.waiting.retain(|waiting| *waiting != deployment);
        if line.holder == Some(deployment) {
            line.holder = None;
        }
        if line.holder.is_none() && !line.waiting.is_empty() {
            line.holder = Some(line.waiting.remove(0));
        }
        Some(line)
    }

    /// How many are ahead: 0 for the one that has the app. `None` if it does not stand here.
    pub fn place_of(&self, deployment: DeploymentId) -> Option<usize> {
        if self.holder == Some(deployment) {
            return Some(0);
        }
        let ahead = self.waiting.iter().position(|waiting| *waiting == deployment)?;
        Some(ahead.saturating_add(1))
    }

    /// Everybody in it, the holder first.
    pub fn everybody(&self) -> impl Iterator<Item = DeploymentId> {
        self.holder.into_iter().chain(self.waiting.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: u8) -> DeploymentId {
        DeploymentId(uuid::Uuid::from_u128(u128::from(n)))
    }

    fn line() -> Line {
        Line::empty(AppId::parse("app").unwrap())
    }

    #[test]
    fn an_old_end_frees_nothing_of_a_later_one() {
        let first = line().joined_by(id(1)).joined_by(id(2));
        let second = first.left_by(id(1)).unwrap();
        assert_eq!(second.holder, Some(id(2)));
        assert_eq!(second.left_by(id(1)), None);
    }

    proptest! {
        #[test]
        fn never_two_holders_nobody_lost_order_kept(moves in prop::collection::vec((any::<bool>(), 0u8..6), 0..60)) {
            let mut line = line();
            let mut model: Vec<DeploymentId> = Vec::new();
            for (joins, n) in moves {
                if joins {
                    line = line.joined_by(id(n));
                    if !model.contains(&id(n)) { model.push(id(n)); }
                } else {
                    let stood = model.contains(&id(n));
                    let left = line.left_by(id(n));
                    prop_assert_eq!(left.is_some(), stood, "left exactly once");
                    if let Some(left) = left { line = left; }
                    model.retain(|m| *m != id(n));
                }
                let order: Vec<_> = line.everybody().collect();
                prop_assert_eq!(&order, &model, "first come, first served");
                prop_assert_eq!(line.holder.is_some(), !model.is_empty(), "a free app goes to the next one");
            }
        }
    }
}
