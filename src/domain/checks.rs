//! Checks of a commit: what was reported, what is required, and what that means for a deploy.

use serde::{Deserialize, Serialize};

use super::names::CheckName;

/// How one reported check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Good enough to ship.
    Passed,
    /// Not done yet.
    Pending,
    /// Not good.
    Failed,
}

/// One reported check: the newest report of its kind and name. Names are not unique.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name.
    pub name: CheckName,
    /// How it stands.
    pub state: CheckState,
    /// The system that reported it, as an id of the source control's, where known.
    pub reporter: Option<u64>,
    /// A page about it.
    pub url: Option<String>,
}

/// A check that must have passed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RequiredCheck {
    /// Its name.
    pub name: CheckName,
    /// Only reports of this system count, if it is set.
    pub reporter: Option<u64>,
}

/// Everything that is known about a commit's checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// What the rules of the ref ask for, or those of the default branch where the ref has none. Empty: nothing
    /// is required anywhere.
    pub required: Vec<RequiredCheck>,
    /// What was reported, statuses and runs of all pages, the newest of each.
    pub reported: Vec<Check>,
}

/// A check that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// Its name.
    pub name: CheckName,
    /// A page about it.
    pub url: Option<String>,
}

/// The checks that stand in the way, by kind; all empty means go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecksVerdict {
    /// Reported as not good.
    pub failed: Vec<Obstacle>,
    /// Reported as not done.
    pub pending: Vec<Obstacle>,
    /// Required, and never reported.
    pub missing: Vec<Obstacle>,
    /// Nothing is required and nothing was ever reported.
    pub nothing_reported: bool,
}

impl ChecksVerdict {
    /// Whether no check stands in the way.
    pub fn is_green(&self) -> bool {
        self.failed.is_empty() && self.pending.is_empty() && self.missing.is_empty()
    }

    /// The names of everything in the way.
    pub fn in_the_way(&self) -> impl Iterator<Item = &CheckName> {
        self.failed.iter().chain(&self.pending).chain(&self.missing).map(|obstacle| &obstacle.name)
    }
}

impl Checks {
    /// Judges: with requirements those count and nothing else; without any, everything that was reported must pass.
    pub fn judge(&self) -> ChecksVerdict {
        let mut verdict = ChecksVerdict::default();
        if self.required.is_empty() {
            verdict.nothing_reported = self.reported.is_empty();
            self.reported.iter().for_each(|check| verdict.count(check));
            return verdict;
        }
        for required in &self.required {
            let mut reports = self.reported.iter().filter(|check| required.counts(check)).peekable();
            if reports.peek().is_none() {
                verdict.missing.push(Obstacle { name: required.name.clone(), url: None });
            }
            reports.for_each(|check| verdict.count(check));
        }
        verdict
    }
}

impl RequiredCheck {
    fn counts(&self, check: &Check) -> bool {
        self.name == check.name && self.reporter.is_none_or(|reporter| check.reporter == Some(reporter))
    }
}

impl ChecksVerdict {
    fn count(&mut self, check: &Check) {
        let list = match check.state {
            CheckState::Passed => return,
            CheckState::Pending => &mut self.pending,
            CheckState::Failed => &mut self.failed,
        };
        let obstacle = Obstacle { name: check.name.clone(), url: check.url.clone() };
        if !list.contains(&obstacle) {
            list.push(obstacle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, state: CheckState, reporter: Option<u64>) -> Check {
        Check { name: CheckName::parse(name).unwrap(), state, reporter, url: None }
    }

    fn required(name: &str, reporter: Option<u64>) -> RequiredCheck {
        RequiredCheck { name: CheckName::parse(name).unwrap(), reporter }
    }

    #[test]
    fn nothing_required_means_everything_must_pass() {
        use CheckState::{Failed, Passed, Pending};
        let checks =
            Checks { required: vec![], reported: vec![check("a", Passed, None), check("b", Pending, None), check("c", Failed, None)] };
        let verdict = checks.judge();
        assert_eq!((verdict.pending.len(), verdict.failed.len(), verdict.missing.len()), (1, 1, 0));
        assert!(Checks::default().judge().nothing_reported);
        assert!(Checks::default().judge().is_green());
    }

    #[test]
    fn required_checks_count_and_no_others() {
        let checks = Checks {
            required: vec![required("build", None), required("lint", None)],
            reported: vec![check("build", CheckState::Passed, None), check("optional", CheckState::Failed, None)],
        };
        let verdict = checks.judge();
        assert!(verdict.failed.is_empty());
        assert_eq!(verdict.missing.len(), 1);
    }

    #[test]
    fn two_reports_of_one_name_must_both_pass() {
        let checks = Checks {
            required: vec![required("build", None)],
            reported: vec![check("build", CheckState::Passed, Some(1)), check("build", CheckState::Failed, Some(2))],
        };
        assert!(!checks.judge().is_green());
    }

    #[test]
    fn only_the_bound_reporter_counts() {
        let checks = Checks { required: vec![required("build", Some(7))], reported: vec![check("build", CheckState::Passed, Some(8))] };
        assert_eq!(checks.judge().missing.len(), 1);
    }
}
