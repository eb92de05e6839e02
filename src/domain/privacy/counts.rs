//! What is left of a month once its deployments go: numbers that lead back to nobody.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::actor::Person;
use crate::domain::deployment::{Deployment, Phase};
use crate::domain::pipeline::Environment;

use super::month::Month;

/// A number stands for at least so many people; smaller groups are put together, and a month of fewer people leaves nothing.
pub const SMALLEST_GROUP: usize = 5;

/// How a deployment ended, as far as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It ran.
    Well,
    /// It did not work.
    Badly,
    /// It was stopped, or its app was freed by hand.
    Stopped,
}

impl Ended {
    fn of(deployment: &Deployment) -> Option<Self> {
        match &deployment.phase {
            Phase::Succeeded { .. } => Some(Self::Well),
            Phase::Failed { .. } => Some(Self::Badly),
            Phase::Cancelled { .. } | Phase::Freed { .. } => Some(Self::Stopped),
            Phase::Waiting(_)
            | Phase::NeedsCode { .. }
            | Phase::Starting
            | Phase::Announcing(_)
            | Phase::Uploading
            | Phase::AboutToBuild(_)
            | Phase::Building { .. }
            | Phase::Releasing { .. }
            | Phase::Restarting { .. }
            | Phase::Unknown(_) => None,
        }
    }
}

/// What is counted together. `None`: small groups of all kinds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group {
    /// Where to and how it ended.
    pub of: Option<(Environment, Ended)>,
    /// How many deployments.
    pub deploys: u64,
}

/// The numbers of a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The month.
    pub month: Month,
    /// Its groups. None: too few people for any.
    pub groups: Vec<Group>,
}

/// Counts the deployments of a month. Knows people only while it counts.
#[derive(Debug, Default)]
pub struct Counting(BTreeMap<(Environment, Ended), (u64, BTreeSet<Person>)>);

impl Counting {
    /// Counts one.
    pub fn add(&mut self, deployment: &Deployment) {
        let Some(ended) = Ended::of(deployment) else { return };
        let (deploys, people) = self.0.entry((deployment.target.environment, ended)).or_default();
        *deploys = deploys.saturating_add(1);
        people.insert(deployment.origin.person.clone());
    }

    /// The numbers.
    pub fn of_month(self, month: Month) -> Counts {
        let (mut large, small): (Vec<_>, Vec<_>) = self.0.into_iter().partition(|(_, (_, people))| people.len() >= SMALLEST_GROUP);
        let (mut rest, mut of_rest) = (0_u64, BTreeSet::new());
        let mut join = |(deploys, people): (u64, BTreeSet<Person>)| {
            rest = rest.saturating_add(deploys);
            of_rest.extend(people);
            of_rest.len()
        };
        let mut people_in_rest = small.into_iter().map(|(_, group)| join(group)).last().unwrap_or(0);
        // The smallest of the large ones first, so that as much as possible is still told.
        large.sort_by_key(|(_, (deploys, _))| std::cmp::Reverse(*deploys));
        while (1..SMALLEST_GROUP).contains(&people_in_rest)
            && let Some((_, group)) = large.pop()
        {
            people_in_rest = join(group);
        }
        let mut groups: Vec<Group> = large.into_iter().map(|(of, (deploys, _))| Group { of: Some(of), deploys }).collect();
        groups.sort();
        if people_in_rest >= SMALLEST_GROUP {
            groups.push(Group { of: None, deploys: rest });
        }
        Counts { month, groups }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::deployment::samples::{at, deployment, person};
    use crate::domain::deployment::{DynosUp, Failure, Stage};

    fn by(user: u8, environment: Environment, well: bool) -> Deployment {
        let good = Phase::Succeeded { version: 1, dynos: DynosUp::None };
        let mut one = deployment(if well { good } else { Phase::Failed { during: Stage::Build, why: Failure::Build } });
        (one.origin.person, one.target.environment) = (person(&format!("u{user}")), environment);
        one
    }

    fn counted(deployments: &[Deployment]) -> Vec<Group> {
        let mut counting = Counting::default();
        deployments.iter().for_each(|one| counting.add(one));
        counting.of_month(Month::of(at(0))).groups
    }

    #[test]
    fn small_groups_are_put_together_and_few_people_leave_nothing() {
        let many: Vec<_> = (0..6).map(|user| by(user, Environment::Staging, true)).collect();
        let whole = |deploys| vec![Group { of: Some((Environment::Staging, Ended::Well)), deploys }];
        assert_eq!(counted(&many), whole(6));
        let one_more = [many.clone(), vec![by(9, Environment::Production, false)]].concat();
        assert_eq!(counted(&one_more), [Group { of: None, deploys: 7 }], "one person's failure hides among the others");
        assert_eq!(counted(&many[..4]), []);
        let few: Vec<_> = (0..5).map(|user| by(user, if user < 3 { Environment::Review } else { Environment::Production }, true)).collect();
        assert_eq!(counted(&few), [Group { of: None, deploys: 5 }]);
        let often: Vec<_> = (0..50).map(|_| by(1, Environment::Staging, true)).collect();
        assert_eq!(counted(&often), [], "people count, not deploys");
    }

    proptest! {
        /// Whatever there was: every number stands for five people or more, and nothing is counted twice.
        #[test]
        fn no_number_leads_back_to_few(all in prop::collection::vec((0u8..9, 0usize..4, any::<bool>()), 0..60)) {
            let all: Vec<_> = all.into_iter().map(|(user, place, well)| by(user, Environment::ALL[place], well)).collect();
            let groups = counted(&all);
            let told: u64 = groups.iter().map(|group| group.deploys).sum();
            prop_assert!(told as usize == all.len() || groups.is_empty());
            let mut hidden = all.clone();
            for group in &groups {
                if let Some((environment, ended)) = group.of {
                    let of = |one: &Deployment| one.target.environment == environment && Ended::of(one) == Some(ended);
                    let people: BTreeSet<_> = all.iter().filter(|one| of(one)).map(|one| &one.origin.person).collect();
                    prop_assert!(people.len() >= SMALLEST_GROUP);
                    hidden.retain(|one| !of(one));
                }
            }
            let people: BTreeSet<_> = hidden.iter().map(|one| &one.origin.person).collect();
            prop_assert!(groups.is_empty() || hidden.is_empty() || people.len() >= SMALLEST_GROUP);
        }
    }
}
