//! The logins that a person has linked: what they allow, how long they hold, and what is missing for a command.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::actor::Person;
use super::command::Needs;
use super::fault::Service;
use super::names::{GrantId, LoginId, ScopeName};

/// How long before its end an access is renewed: longer than any wait for a service that is away for a moment.
const AHEAD: SignedDuration = SignedDuration::from_mins(15);

/// A service at which people have logins that we act with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// The source control.
    SourceControl,
    /// The platform.
    Platform,
}

impl Provider {
    /// Both, in the order in which people are shown them.
    pub const ALL: [Self; 2] = [Self::SourceControl, Self::Platform];

    /// The service that it is.
    pub fn service(self) -> Service {
        match self {
            Self::SourceControl => Service::SourceControl,
            Self::Platform => Service::Platform,
        }
    }
}

/// Something that we have to be allowed to do for a person. Each has a reason, which [`super::speech`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// To read branches, commits, pull requests and the source that is shipped.
    ReadSource,
    /// To read whether commits are green and what has to be.
    ReadChecks,
    /// To record deployments.
    RecordDeployments,
    /// To know whose login it is.
    KnowWho,
    /// To see apps, and to build and release.
    Ship,
}

impl Right {
    /// All of them, in the order in which people are shown them.
    pub const ALL: [Self; 5] = [Self::ReadSource, Self::ReadChecks, Self::RecordDeployments, Self::KnowWho, Self::Ship];

    /// Where it is needed.
    pub fn of(self) -> Provider {
        match self {
            Self::ReadSource | Self::ReadChecks | Self::RecordDeployments => Provider::SourceControl,
            Self::KnowWho | Self::Ship => Provider::Platform,
        }
    }
}

/// A person's tokens for one login, sealed: opaque here, and of use to nobody without the keys.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedTokens(String);

impl SealedTokens {
    /// Keeps what was sealed.
    pub fn sealed(text: String) -> Self {
        Self(text)
    }

    /// The sealed text, for whoever has the keys.
    pub fn as_sealed(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SealedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedTokens(…)")
    }
}

/// How long an access holds by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// Until somebody withdraws it.
    Open,
    /// It ends, and only a new sign-in brings another.
    Fixed {
        /// When it ends.
        until: Timestamp,
    },
    /// It ends, and can be renewed without the person.
    Renewable {
        /// When it ends.
        until: Timestamp,
        /// Until when it can be renewed; `None`: the service does not say.
        renewable_until: Option<Timestamp>,
    },
}

impl Life {
    /// The life of an access that ends at `until`, if it ends, and that can be renewed, if `renewable`.
    pub fn of(until: Option<Timestamp>, renewable: bool, renewable_until: Option<Timestamp>) -> Self {
        match (until, renewable) {
            (None, _) => Self::Open,
            (Some(until), false) => Self::Fixed { until },
            (Some(until), true) => Self::Renewable { until, renewable_until },
        }
    }

    /// When the access ends, unless renewed.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Open => None,
            Self::Fixed { until } | Self::Renewable { until, .. } => Some(*until),
        }
    }

    /// From when on it is to be renewed, if it can be.
    pub fn ages_at(&self) -> Option<Timestamp> {
        match self {
            Self::Open | Self::Fixed { .. } => None,
            Self::Renewable { until, .. } => Some(until.checked_sub(AHEAD).unwrap_or(*until)),
        }
    }

    /// What is to be done about it at `now`.
    pub fn at(&self, now: Timestamp) -> Freshness {
        match self {
            Self::Open => Freshness::Fresh,
            Self::Fixed { until } if now < *until => Freshness::Fresh,
            Self::Fixed { .. } => Freshness::Over,
            Self::Renewable { renewable_until: Some(end), until } if now >= *end && now >= *until => Freshness::Over,
            // What cannot be renewed any more is used to its end.
            Self::Renewable { renewable_until: Some(end), .. } if now >= *end => Freshness::Fresh,
            Self::Renewable { until, .. } if now >= *until => Freshness::Stale,
            Self::Renewable { until, .. } if now >= until.checked_sub(AHEAD).unwrap_or(*until) => Freshness::Ageing,
            Self::Renewable { .. } => Freshness::Fresh,
        }
    }
}

/// What is to be done about an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// Nothing.
    Fresh,
    /// It still holds and is to be renewed now; where that fails for the moment, it is used as it is.
    Ageing,
    /// It holds no more and has to be renewed before it is used.
    Stale,
    /// It holds no more and cannot be renewed: only its owner can link the login again.
    Over,
}

/// Whether a login is taken at its service, as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was taken the last time.
    Good,
    /// The service has said that it takes it no more.
    Withdrawn {
        /// When we were told.
        since: Timestamp,
    },
}

/// A login that a person has linked. Its name is not kept: it is asked for where it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Its id at the service.
    pub id: LoginId,
    /// The scopes that were granted, in the service's words; none where the service has no such words.
    pub scopes: BTreeSet<ScopeName>,
    /// What they allow us.
    pub rights: BTreeSet<Right>,
    /// The consent that the tokens hang on, where the service names it.
    pub grant: Option<GrantId>,
    /// When it was linked.
    pub linked_at: Timestamp,
    /// How long the access holds.
    pub life: Life,
    /// Whether it is taken.
    pub standing: Standing,
    /// The tokens, sealed for this person and this service.
    pub tokens: SealedTokens,
}

impl Login {
    /// The service takes it no more.
    #[must_use]
    pub fn withdrawn(&self, since: Timestamp) -> Self {
        Self { standing: Standing::Withdrawn { since }, ..self.clone() }
    }

    /// Why it cannot be used at `now`; `None`: it can.
    fn obstacle(&self, of: Provider, now: Timestamp) -> Option<Obstacle> {
        if let Standing::Withdrawn { since } = self.standing {
            return Some(Obstacle::Withdrawn { since });
        }
        if self.life.at(now) == Freshness::Over {
            return Some(Obstacle::RanOut);
        }
        let lacks: BTreeSet<Right> = Right::ALL.into_iter().filter(|right| right.of() == of && !self.rights.contains(right)).collect();
        (!lacks.is_empty()).then_some(Obstacle::Lacks(lacks))
    }
}

/// The logins that one person has linked in one workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whose they are.
    pub person: Person,
    /// The version of this record in the store; 0: never stored.
    pub version: u64,
    /// The logins.
    pub logins: BTreeMap<Provider, Login>,
}

impl Account {
    /// Nothing linked yet.
    pub fn empty(person: Person) -> Self {
        Self { person, version: 0, logins: BTreeMap::new() }
    }

    /// With a login in place of the one that was linked at this service before.
    #[must_use]
    pub fn with(&self, provider: Provider, login: Login) -> Self {
        let mut account = self.clone();
        account.logins.insert(provider, login);
        account
    }

    /// What keeps the person from a command that needs `needs`, at `now`; nothing: they may go on.
    pub fn missing(&self, needs: Needs, now: Timestamp) -> Vec<Missing> {
        needs
            .providers()
            .iter()
            .filter_map(|provider| {
                let why = match self.logins.get(provider) {
                    None => Some(Obstacle::NeverLinked),
                    Some(login) => login.obstacle(*provider, now),
                };
                why.map(|why| Missing { provider: *provider, why })
            })
            .collect()
    }
}

/// A login that a command needs and cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Where.
    pub provider: Provider,
    /// Why.
    pub why: Obstacle,
}

/// Why a login cannot be used. The way out of each is to link it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It was never linked, or was unlinked.
    NeverLinked,
    /// The service takes it no more.
    Withdrawn {
        /// Since when we know.
        since: Timestamp,
    },
    /// Its time is over.
    RanOut,
    /// It does not allow everything that we need.
    Lacks(BTreeSet<Right>),
}

/// What became of a login that its owner unlinked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlinked {
    /// Its tokens are worth nothing any more.
    Revoked,
    /// We have forgotten them; what they hang on ends only by hand, on this page.
    OnlyByHand {
        /// The page.
        page: String,
    },
    /// We have forgotten them; whether the service has ended them is not known, and can be seen on this page.
    Unclear {
        /// The page.
        page: String,
    },
    /// They hang on the same consent as a login that is in use, and end with that one.
    WithAnother,
}

impl Unlinked {
    /// Whether trying again later may do more.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Unclear { .. } => true,
            Self::Revoked | Self::OnlyByHand { .. } | Self::WithAnother => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::names::{UserId, WorkspaceId};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn login(of: Provider, life: Life) -> Login {
        Login {
            id: LoginId::parse("1").unwrap(),
            scopes: BTreeSet::new(),
            rights: Right::ALL.into_iter().filter(|right| right.of() == of).collect(),
            grant: None,
            linked_at: at(0),
            life,
            standing: Standing::Good,
            tokens: SealedTokens::sealed("tokens-of-ana".to_owned()),
        }
    }

    fn nobody() -> Account {
        Account::empty(Person { workspace: WorkspaceId::parse("T1").unwrap(), user: UserId::parse("U1").unwrap() })
    }

    #[test]
    fn what_is_missing_is_told_by_service_and_reason() {
        let now = at(1_000_000);
        let both = |account: &Account| account.missing(Needs::BothAccounts, now);
        let never = |provider| Missing { provider, why: Obstacle::NeverLinked };
        assert_eq!(both(&nobody()), [never(Provider::SourceControl), never(Provider::Platform)]);
        assert_eq!(nobody().missing(Needs::Nothing, now), []);
        let one = nobody().with(Provider::Platform, login(Provider::Platform, Life::Open));
        assert_eq!(both(&one), [never(Provider::SourceControl)]);
        let whole = one.with(Provider::SourceControl, login(Provider::SourceControl, Life::Open));
        assert_eq!(both(&whole), []);
        let withdrawn = whole.with(Provider::Platform, login(Provider::Platform, Life::Open).withdrawn(at(5)));
        assert_eq!(both(&withdrawn), [Missing { provider: Provider::Platform, why: Obstacle::Withdrawn { since: at(5) } }]);
        let over = whole.with(Provider::Platform, login(Provider::Platform, Life::Fixed { until: now }));
        assert_eq!(both(&over), [Missing { provider: Provider::Platform, why: Obstacle::RanOut }]);
        let mut narrow = login(Provider::SourceControl, Life::Open);
        narrow.rights.remove(&Right::ReadChecks);
        let lacks = BTreeSet::from([Right::ReadChecks]);
        let narrow = whole.with(Provider::SourceControl, narrow);
        assert_eq!(both(&narrow), [Missing { provider: Provider::SourceControl, why: Obstacle::Lacks(lacks) }]);
    }

    #[test]
    fn every_right_belongs_to_one_service_and_each_service_has_some() {
        for provider in Provider::ALL {
            assert!(Right::ALL.iter().any(|right| right.of() == provider), "{provider:?}");
        }
    }

    #[test]
    fn tokens_are_never_printed() {
        let told = format!("{:?}", nobody().with(Provider::Platform, login(Provider::Platform, Life::Open)));
        assert!(!told.contains("tokens-of-ana"), "{told}");
    }

    #[test]
    fn an_access_is_renewed_ahead_of_its_end() {
        let life = Life::of(Some(at(28_800)), true, Some(at(1_000_000)));
        let seen = [0, 27_899, 27_900, 28_799, 28_800, 999_999, 1_000_000].map(|second| life.at(at(second)));
        use Freshness::{Ageing, Fresh, Over, Stale};
        assert_eq!(seen, [Fresh, Fresh, Ageing, Ageing, Stale, Stale, Over]);
        let open_end = Life::of(Some(at(28_800)), true, None);
        assert_eq!(open_end.at(at(9_000_000)), Stale, "where the service does not say how long, only a try tells");
    }

    proptest! {
        /// Time only takes away: an access never becomes fresher by itself, and one that has ended is never told to hold.
        #[test]
        fn time_only_takes_away(
            until in 0_i64..2_000_000,
            renewable_for in prop::option::of(0_i64..4_000_000),
            renewable: bool,
            ends: bool,
            first in 0_i64..3_000_000,
            later in 0_i64..3_000_000,
        ) {
            let life = Life::of(ends.then(|| at(until)), renewable, renewable_for.map(at));
            let (first, second) = (at(first), at(first.saturating_add(later)));
            let fell = |one: Freshness, other: Freshness| other == Freshness::Over || one <= other;
            // An access that can be renewed no more is used to its end; before that it may have been about to be renewed.
            let last_days = matches!(life, Life::Renewable { renewable_until: Some(end), .. } if first < end && second >= end);
            prop_assert!(last_days || fell(life.at(first), life.at(second)), "{life:?}");
            if life.until().is_some_and(|until| second >= until) {
                prop_assert!(matches!(life.at(second), Freshness::Stale | Freshness::Over));
            } else {
                prop_assert!(matches!(life.at(second), Freshness::Fresh | Freshness::Ageing));
            }
        }
    }
}
