//! What stays of a deployment when somebody in it is removed.

use crate::domain::actor::Person;
use crate::domain::deployment::{Card, Deployment, Failure, Override, Phase};
use crate::domain::gate::Reason;
use crate::domain::names::{ChannelId, UserId};

/// What stands where a person's own words stood.
const REMOVED: &str = "(removed)";

/// A name that stands for somebody who was removed and leads back to nobody. `seed` is random.
pub fn pseudonym(seed: uuid::Uuid) -> Option<UserId> {
    UserId::parse(&format!("removed-{}", seed.simple())).ok()
}

/// A name that stands for somebody of a workspace that the app was removed from, and leads back to nobody. `seed` is random.
pub fn departed(seed: uuid::Uuid) -> Option<UserId> {
    UserId::parse(&format!("left-{}", seed.simple())).ok()
}

/// Whether a user id is one of these names.
pub fn is_pseudonym(user: &UserId) -> bool {
    user.as_str().starts_with("removed-") || is_departed(user)
}

/// Whether a user id stands for somebody of a workspace that the app was removed from.
pub fn is_departed(user: &UserId) -> bool {
    user.as_str().starts_with("left-")
}

impl Deployment {
    /// Whether a person stands in it.
    pub fn mentions(&self, person: &Person) -> bool {
        self.mentioned().any(|somebody| somebody == person)
    }

    /// Everybody of the chat who stands in it.
    pub fn mentioned(&self) -> impl Iterator<Item = &Person> {
        let by = match &self.phase {
            Phase::Cancelled { by, .. } | Phase::Freed { by, .. } => Some(by),
            Phase::Waiting(_)
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
            | Phase::Failed { .. } => None,
        };
        let holders = self.locked_by();
        std::iter::once(&self.origin.person)
            .chain(self.cancel.as_ref().map(|cancel| &cancel.by))
            .chain(self.moved.as_ref().map(|moved| &moved.by))
            .chain(self.riders.iter().map(|rider| &rider.person))
            .chain(by)
            .chain(holders)
    }

    /// Those whose locks it met.
    fn locked_by(&self) -> impl Iterator<Item = &Person> {
        let reasons = if let Phase::Failed { why: Failure::Gate(reasons), .. } = &self.phase { reasons.as_slice() } else { &[] };
        reasons.iter().filter_map(Reason::holder)
    }

    /// The same without a person, under the name that stands for them; `None`: they do not stand in it.
    ///
    /// Of a deploy that they asked for stays what shipped where and how it ended. Their words, the conversation, the card's
    /// place and the names of authors go.
    #[must_use]
    pub fn without(&self, person: &Person, pseudonym: &UserId) -> Option<Self> {
        if !self.mentions(person) {
            return None;
        }
        let mut one = self.clone();
        let nobody = Person { workspace: person.workspace.clone(), user: pseudonym.clone() };
        let replace = |somebody: &mut Person| {
            if somebody == person {
                *somebody = nobody.clone();
            }
        };
        if let Some(cancel) = &mut one.cancel {
            if cancel.by == *person {
                cancel.because = None;
            }
            replace(&mut cancel.by);
        }
        one.moved.iter_mut().for_each(|moved| replace(&mut moved.by));
        one.riders.retain(|rider| rider.person != *person);
        match &mut one.phase {
            Phase::Freed { by, because, .. } => {
                if by == person {
                    *because = None;
                }
                replace(by);
            }
            Phase::Cancelled { by, .. } => replace(by),
            Phase::Waiting(_)
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
            | Phase::Failed { .. } => {}
        }
        if let Phase::Failed { why: Failure::Gate(reasons), .. } = &mut one.phase {
            reasons.iter_mut().for_each(|reason| reason.replace_holder(person, &nobody));
        }
        if one.origin.person == *person {
            one.origin.person = nobody;
            one.origin.reply = None;
            if let Ok(channel) = ChannelId::parse(REMOVED) {
                one.origin.channel = channel;
            }
            one.because = None;
            one.overriding = one.overriding.map(|overriding| Override { because: REMOVED.to_owned(), ..overriding });
            one.code_spent_at = None;
            one.card = Card::SaidOnce;
            (one.card_again_at, one.card_may_come_until) = (None, None);
            one.notices.clear();
            one.cargo.change.iter_mut().for_each(|change| change.authors.clear());
        }
        Some(one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::samples::{deployment, person};
    use crate::domain::privacy::samples::deployments;

    #[test]
    fn nothing_of_the_person_is_left_and_the_rest_is_as_it_was() {
        let name = pseudonym(uuid::Uuid::from_u128(7)).unwrap();
        assert!(is_pseudonym(&name));
        for one in deployments() {
            for user in ["ana", "bo"] {
                let Some(without) = one.without(&person(user), &name) else {
                    assert!(!one.mentions(&person(user)));
                    continue;
                };
                assert!(!without.mentions(&person(user)));
                let text = serde_json::to_string(&without).unwrap();
                assert!(!text.contains(&format!("\"{user}\"")), "{text}");
                if user == "ana" {
                    assert_eq!((without.card_again_at, without.card_may_come_until), (None, None), "nobody is shown a card any more");
                    for word in ["why not", "\"known\"", "\"Ana\"", "sealed", "\"C1\""] {
                        assert!(!text.contains(word), "{word} in {text}");
                    }
                }
                assert!(user != "bo" || !text.contains("its page says so"), "{text}");
                assert_eq!((&without.cargo.commit, &without.target, without.id), (&one.cargo.commit, &one.target, one.id));
                assert_eq!(without.without(&person(user), &name), None, "once is enough");
            }
        }
        assert_eq!(deployment(Phase::Starting).without(&person("cy"), &name), None);
    }
}
