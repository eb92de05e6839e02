//! Where somebody is named in records of others: in rules that are asked for, and in words.

use crate::domain::actor::Person;
use crate::domain::command::{Because, Command, RulesWish};
use crate::domain::deployment::{Deployment, Failure, Phase};
use crate::domain::gate::Reason;
use crate::domain::names::UserId;
use crate::domain::request::{Ask, Request};
use crate::domain::rights::Change;

/// What stands in words where an id stood.
const SOMEBODY: &str = "(removed)";
/// How long a reason may be, in characters.
const LONGEST: usize = 200;

/// The same words without a person's id, as far as it stands there by itself; `None`: it does not.
pub fn without_name(words: &str, user: &UserId) -> Option<String> {
    let id = user.as_str();
    let part_of_more = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let (mut said, mut rest, mut found) = (String::new(), words, false);
    while let Some((before, after)) = rest.split_once(id) {
        let preceded = before.chars().next_back().or_else(|| said.chars().next_back());
        let alone = !preceded.is_some_and(part_of_more) && !after.starts_with(part_of_more);
        said.push_str(before);
        said.push_str(if alone { SOMEBODY } else { id });
        found |= alone;
        rest = after;
    }
    said.push_str(rest);
    found.then(|| said.chars().take(LONGEST).collect())
}

fn reworded(because: &Because, user: &UserId) -> Option<Because> {
    without_name(because.as_str(), user).and_then(|words| Because::parse(&words).ok())
}

impl Command {
    /// Whether it names a person of the asker's workspace.
    pub fn names(&self, user: &UserId) -> bool {
        let Self::Rules { wish: RulesWish::Change { change: Change::Set(rule), .. } } = self else { return false };
        rule.party().is_some_and(|party| party.people.contains(user))
    }
}

impl Request {
    /// Whether what somebody else asks for names a person.
    pub fn names(&self, person: &Person) -> bool {
        let command = match &self.ask {
            Ask::Command(command) | Ask::Filled(command) => Some(command),
            Ask::Press { .. } | Ask::OnPage(_) | Ask::Form(_) | Ask::Reasoned { .. } | Ask::Ship(_) => None,
        };
        self.origin.person.workspace == person.workspace && command.is_some_and(|command| command.names(&person.user))
    }
}

impl Deployment {
    fn has_words(&self, about: impl Fn(&str) -> bool) -> bool {
        let gate = if let Phase::Failed { why: Failure::Gate(reasons), .. } = &self.phase { reasons.as_slice() } else { &[] };
        let freed = if let Phase::Freed { because, .. } = &self.phase { because.as_ref() } else { None };
        let locked = gate.iter().filter_map(|reason| if let Reason::Locked { because, .. } = reason { because.as_ref() } else { None });
        let cancelled = self.cancel.as_ref().and_then(|cancel| cancel.because.as_ref());
        let reasons = locked.chain(freed).chain(cancelled).map(Because::as_str);
        let own = self.because.as_deref().into_iter().chain(self.overriding.as_ref().map(|overriding| overriding.because.as_str()));
        reasons.chain(own).any(about)
    }

    /// The same without a person's id in anybody's words; `None`: it does not stand there.
    #[must_use]
    pub fn unnamed(&self, user: &UserId) -> Option<Self> {
        if !self.has_words(|words| without_name(words, user).is_some()) {
            return None;
        }
        let mut one = self.clone();
        let change = |because: &mut Option<Because>| {
            if let Some(next) = because.as_ref().and_then(|because| reworded(because, user)) {
                *because = Some(next);
            }
        };
        for words in one.because.iter_mut().chain(one.overriding.as_mut().map(|overriding| &mut overriding.because)) {
            if let Some(next) = without_name(words, user) {
                *words = next;
            }
        }
        one.cancel.iter_mut().for_each(|cancel| change(&mut cancel.because));
        if let Phase::Freed { because, .. } = &mut one.phase {
            change(because);
        }
        if let Phase::Failed { why: Failure::Gate(reasons), .. } = &mut one.phase {
            for reason in reasons {
                if let Reason::Locked { because, .. } = reason {
                    change(because);
                }
            }
        }
        Some(one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::privacy::samples::deployments;

    #[test]
    fn an_id_is_found_in_words_where_it_stands_by_itself() {
        let user = UserId::parse("U2").unwrap();
        let without = |words: &str| without_name(words, &user);
        assert_eq!(without("as <@U2> said, U2"), Some("as <@(removed)> said, (removed)".to_owned()));
        assert_eq!(without("U2"), Some("(removed)".to_owned()));
        for words in ["U21 and XU2", "", "U2-b", "u2"] {
            assert_eq!(without(words), None, "{words}");
        }
        assert_eq!(without("U2U2 U2"), Some("U2U2 (removed)".to_owned()));
        assert!(without(&format!("{}U2", "x ".repeat(99))).unwrap().chars().count() <= LONGEST);
    }

    #[test]
    fn nobody_is_named_in_the_words_of_a_deployment() {
        let user = UserId::parse("U2").unwrap();
        let named = Because::parse("as <@U2> said").unwrap();
        for mut one in deployments() {
            one.because = Some(named.as_str().to_owned());
            one.overriding.iter_mut().for_each(|overriding| overriding.because = named.as_str().to_owned());
            one.cancel.iter_mut().for_each(|cancel| cancel.because = Some(named.clone()));
            if let Phase::Freed { because, .. } = &mut one.phase {
                *because = Some(named.clone());
            }
            if let Phase::Failed { why: Failure::Gate(reasons), .. } = &mut one.phase {
                for reason in reasons {
                    if let Reason::Locked { because, .. } = reason {
                        *because = Some(named.clone());
                    }
                }
            }
            let without = one.unnamed(&user).unwrap();
            let text = serde_json::to_string(&without).unwrap();
            assert!(!text.contains("U2") && text.contains("(removed)"), "{text}");
            assert_eq!(without.unnamed(&user), None);
        }
    }
}
