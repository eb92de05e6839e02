//! What is worth asking before something goes to production, or under one's own lock.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::lock::Lock;
use super::pipeline::Environment;
use super::source::{CommitRef, Comparison, Direction};

/// Something about a deploy, a promotion or a rollback that its asker may not have meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Checks are passed over.
    PassesChecks,
    /// It goes back in time: everything that it ships is live already, and something that is live goes.
    BackInTime,
    /// Something that is live goes, and something new comes.
    TakesAway,
    /// Commits of other people are among those that ship.
    OfOthers,
    /// Something runs there, and what would change cannot be told.
    Unreadable,
    /// The asker holds the place for another branch.
    OtherBranch,
}

/// What is known of something that is about to ship.
#[derive(Clone, Copy, Debug)]
pub struct Prospects<'a> {
    /// Where to.
    pub to: Environment,
    /// What the commit was named by.
    pub by: &'a CommitRef,
    /// Checks are passed over.
    pub passing: bool,
    /// How it stands to what runs there.
    pub change: Option<&'a Comparison>,
    /// Whether something runs there, as far as anybody can tell.
    pub runs: bool,
    /// What the asker is called where the commits come from. Where that is not known, commits of several authors are surely not all
    /// theirs.
    pub name: Option<&'a str>,
    /// What the asker holds there.
    pub own_locks: &'a [Lock],
}

/// What is worth asking: in production, and wherever the asker holds the place.
pub fn doubts(of: &Prospects<'_>) -> BTreeSet<Doubt> {
    let production = of.to == Environment::Production;
    let held = !of.own_locks.is_empty();
    let direction = of.change.and_then(|change| match change.direction {
        Direction::Same | Direction::Ahead => None,
        Direction::Behind => Some(Doubt::BackInTime),
        Direction::Diverged => Some(Doubt::TakesAway),
    });
    let of_others = of.change.is_some_and(|change| match (change.authors.as_slice(), of.name) {
        ([], _) | ([_], None) => false,
        ([only], Some(name)) => !only.eq_ignore_ascii_case(name),
        ([_, _, ..], _) => true,
    });
    let unreadable = of.runs && of.change.is_none();
    let other_branch = of.own_locks.iter().any(|lock| lock.is_for_another(of.by));
    let all = [
        (production && of.passing).then_some(Doubt::PassesChecks),
        direction.filter(|_| production || held),
        (production && of_others).then_some(Doubt::OfOthers),
        (production && unreadable).then_some(Doubt::Unreadable),
        other_branch.then_some(Doubt::OtherBranch),
    ];
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::names::RefName;

    fn change(direction: Direction, authors: &[&str]) -> Comparison {
        let authors = authors.iter().map(|&author| author.to_owned()).collect();
        Comparison { direction, added: 1, dropped: 1, authors, url: "https://source.example.com/a...b".to_owned() }
    }

    fn branch(name: &str) -> CommitRef {
        CommitRef::Branch(RefName::parse(name).unwrap())
    }

    fn lock(branch: Option<&str>) -> Lock {
        let lock = serde_json::json!({
            "on": "pipeline", "branch": branch, "holder": { "workspace": "T1", "user": "ana" }, "because": null, "since": "2026-01-01T00:00:00Z",
            "set_at": "2026-01-01T00:00:00Z", "until": null, "taken_in": "C1", "request": "d1", "reminders": 0,
        });
        serde_json::from_value(lock).unwrap()
    }

    fn asked(to: Environment, change: Option<&Comparison>, name: Option<&str>, own_locks: &[Lock]) -> Vec<Doubt> {
        let of = Prospects { to, by: &branch("main"), passing: false, change, runs: true, name, own_locks };
        doubts(&of).into_iter().collect()
    }

    fn found(change: &Comparison, name: Option<&str>) -> Vec<Doubt> {
        asked(Environment::Production, Some(change), name, &[])
    }

    #[test]
    fn only_production_is_asked_about_where_nothing_is_held() {
        let odd = change(Direction::Diverged, &["bob"]);
        for to in Environment::ALL {
            let of =
                Prospects { to, by: &branch("main"), passing: true, change: Some(&odd), runs: true, name: Some("ana"), own_locks: &[] };
            assert_eq!(!doubts(&of).is_empty(), to == Environment::Production);
            assert_eq!(!doubts(&Prospects { change: None, passing: false, ..of }).is_empty(), to == Environment::Production);
            assert!(doubts(&Prospects { change: None, passing: false, runs: false, ..of }).is_empty(), "the first deploy changes nothing");
        }
        assert_eq!(asked(Environment::Production, None, None, &[]), [Doubt::Unreadable]);
    }

    #[test]
    fn what_is_lost_and_whose_it_is_are_worth_a_question() {
        assert_eq!(found(&change(Direction::Ahead, &["Ana"]), Some("ana")), []);
        assert_eq!(found(&change(Direction::Same, &[]), Some("ana")), []);
        assert_eq!(found(&change(Direction::Behind, &[]), None), [Doubt::BackInTime]);
        assert_eq!(found(&change(Direction::Diverged, &["ana"]), Some("ana")), [Doubt::TakesAway]);
        assert_eq!(found(&change(Direction::Ahead, &["bob"]), Some("ana")), [Doubt::OfOthers]);
        assert_eq!(found(&change(Direction::Ahead, &["bob"]), None), [], "it may be theirs");
        assert_eq!(found(&change(Direction::Ahead, &["ana", "bob"]), None), [Doubt::OfOthers]);
    }

    #[test]
    fn under_ones_own_lock_another_branch_and_what_it_takes_away_are_asked_about_everywhere() {
        let [ahead, diverged] = [Direction::Ahead, Direction::Diverged].map(|direction| change(direction, &["bob"]));
        let held = |of: Option<&str>, change| asked(Environment::Staging, change, Some("ana"), &[lock(of)]);
        assert_eq!(held(None, Some(&ahead)), []);
        assert_eq!(held(None, Some(&diverged)), [Doubt::TakesAway]);
        assert_eq!(held(Some("main"), Some(&ahead)), []);
        assert_eq!(held(Some("topic"), Some(&ahead)), [Doubt::OtherBranch]);
        assert_eq!(held(Some("topic"), Some(&diverged)), [Doubt::TakesAway, Doubt::OtherBranch]);
        assert_eq!(held(Some("topic"), None), [Doubt::OtherBranch]);
    }
}
