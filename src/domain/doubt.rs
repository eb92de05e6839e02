//! What is worth asking before a deploy to production begins.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::pipeline::Environment;
use super::source::{Comparison, Direction};

/// Something about a deploy that its asker may not have meant.
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
}

/// What is worth asking. `passing`: checks are passed over. `name`: what the asker is called where the commits come from; where that is
/// not known, commits of several authors are surely not all theirs.
pub fn doubts(to: Environment, passing: bool, change: Option<&Comparison>, name: Option<&str>) -> BTreeSet<Doubt> {
    if to != Environment::Production {
        return BTreeSet::new();
    }
    let direction = change.and_then(|change| match change.direction {
        Direction::Same | Direction::Ahead => None,
        Direction::Behind => Some(Doubt::BackInTime),
        Direction::Diverged => Some(Doubt::TakesAway),
    });
    let of_others = change.is_some_and(|change| match (change.authors.as_slice(), name) {
        ([], _) | ([_], None) => false,
        ([only], Some(name)) => !only.eq_ignore_ascii_case(name),
        ([_, _, ..], _) => true,
    });
    let all = [passing.then_some(Doubt::PassesChecks), direction, of_others.then_some(Doubt::OfOthers)];
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(direction: Direction, authors: &[&str]) -> Comparison {
        let authors = authors.iter().map(|&author| author.to_owned()).collect();
        Comparison { direction, added: 1, dropped: 1, authors, url: "https://source.example.com/a...b".to_owned() }
    }

    fn found(change: &Comparison, name: Option<&str>) -> Vec<Doubt> {
        doubts(Environment::Production, false, Some(change), name).into_iter().collect()
    }

    #[test]
    fn only_production_is_asked_about() {
        let odd = change(Direction::Diverged, &["bob"]);
        for to in Environment::ALL {
            let asked = !doubts(to, true, Some(&odd), Some("ana")).is_empty();
            assert_eq!(asked, to == Environment::Production);
        }
        assert!(doubts(Environment::Production, false, None, None).is_empty(), "there is nothing to show");
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
}
