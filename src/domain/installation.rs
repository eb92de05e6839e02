//! Where the app is installed: in a workspace, or in an organisation for those of its workspaces that are let in; and what the chat
//! tells of that.

use std::collections::BTreeSet;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::account::{Life, SealedTokens, Standing};
use super::actor::Person;
use super::names::{ChatAppId, DeliveryId, OrganisationId, ScopeName, UserId, WorkspaceId};

/// How long an installation whose token is refused waits for somebody to install the app anew before everything that is kept of it is
/// removed. Word of an uninstall can be lost; what is promised for after one is less than three weeks.
const WAITS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What the app is installed in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tenant {
    /// One workspace.
    Workspace(WorkspaceId),
    /// An organisation, for those of its workspaces that are let in.
    Organisation(OrganisationId),
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workspace(id) => write!(f, "workspace {id}"),
            Self::Organisation(id) => write!(f, "organisation {id}"),
        }
    }
}

/// Something that the app has to be allowed to do in a chat. Each has a reason, which [`super::speech`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BotRight {
    /// To be asked by a command.
    BeAsked,
    /// To speak where it was invited, and to change what it said.
    Speak,
    /// To see of somebody whether they are a member, a guest or of another company, and whether they look after the workspace.
    SeePeople,
    /// To speak to one person.
    SpeakDirectly,
    /// To speak in public conversations without having been invited.
    SpeakUninvited,
    /// To see who is in a group that a rule names.
    SeeGroups,
    /// To see of a public conversation whether it is shared with another company.
    SeeConversations,
    /// The same of a private one that it was invited to.
    SeePrivateConversations,
}

impl BotRight {
    /// All of them, in the order in which people are shown them.
    pub const ALL: [Self; 8] = [
        Self::BeAsked,
        Self::Speak,
        Self::SeePeople,
        Self::SpeakDirectly,
        Self::SpeakUninvited,
        Self::SeeGroups,
        Self::SeeConversations,
        Self::SeePrivateConversations,
    ];

    /// Whether nothing works without it. Without the others less works, and is said so where it comes up.
    pub fn is_needed(self) -> bool {
        match self {
            Self::BeAsked | Self::Speak | Self::SeePeople => true,
            Self::SpeakDirectly | Self::SpeakUninvited | Self::SeeGroups | Self::SeeConversations | Self::SeePrivateConversations => false,
        }
    }
}

/// One installation of the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// Where it is.
    pub tenant: Tenant,
    /// The version of this record in the store; 0: never stored.
    pub version: u64,
    /// The organisation that a workspace belongs to, if it belongs to one.
    pub within: Option<OrganisationId>,
    /// Of an organisation: the workspaces that are let in. Of a workspace: none.
    pub workspaces: BTreeSet<WorkspaceId>,
    /// The app, as the chat calls it.
    pub app: ChatAppId,
    /// The app's own user there.
    pub bot: UserId,
    /// Who installed it.
    pub by: UserId,
    /// When it was installed, by the chat's clock.
    pub installed_at: Timestamp,
    /// When the tokens were given, by the chat's clock.
    pub granted_at: Timestamp,
    /// The scopes that were granted, in the chat's words.
    pub scopes: BTreeSet<ScopeName>,
    /// What they allow.
    pub rights: BTreeSet<BotRight>,
    /// How long the token holds.
    pub life: Life,
    /// Whether it is taken.
    pub standing: Standing,
    /// The tokens, sealed for this installation.
    pub tokens: SealedTokens,
}

impl Installation {
    /// Whether it speaks for a workspace.
    pub fn serves(&self, workspace: &WorkspaceId) -> bool {
        match &self.tenant {
            Tenant::Workspace(own) => own == workspace,
            Tenant::Organisation(_) => self.workspaces.contains(workspace),
        }
    }

    /// The workspaces that it speaks for.
    pub fn serving(&self) -> BTreeSet<WorkspaceId> {
        match &self.tenant {
            Tenant::Workspace(own) => BTreeSet::from([own.clone()]),
            Tenant::Organisation(_) => self.workspaces.clone(),
        }
    }

    /// The chat takes its token no more.
    #[must_use]
    pub fn withdrawn(&self, since: Timestamp) -> Self {
        match self.standing {
            Standing::Good => Self { standing: Standing::Withdrawn { since }, ..self.clone() },
            Standing::Withdrawn { .. } => self.clone(),
        }
    }

    /// Whether everything that is kept of it is to be removed, because its token was refused long ago and nobody installed it anew.
    pub fn is_given_up(&self, now: Timestamp) -> bool {
        match self.standing {
            Standing::Good => false,
            Standing::Withdrawn { since } => now.duration_since(since) >= WAITS,
        }
    }

    /// What is needed and was not granted.
    pub fn lacks(&self) -> Vec<BotRight> {
        BotRight::ALL.into_iter().filter(|right| right.is_needed() && !self.rights.contains(right)).collect()
    }

    /// What word from the chat makes of it.
    pub fn after(&self, happening: &Happening) -> After {
        // What happened before it was installed, or before its tokens were given, was about others. Both moments are the chat's.
        let before = |moment: Timestamp| happening.at.as_second() < moment.as_second();
        match &happening.what {
            Happened::Uninstalled if !before(self.installed_at) => After::Gone,
            Happened::Revoked { bots, .. } if bots.contains(&self.bot) && !before(self.granted_at) => After::Gone,
            Happened::Uninstalled | Happened::Revoked { .. } => After::Same,
            Happened::LetIn { workspaces } => self.with(self.workspaces.union(workspaces).cloned().collect(), BTreeSet::new()),
            Happened::ShutOut { workspaces } if !before(self.installed_at) => {
                let out: BTreeSet<WorkspaceId> = self.workspaces.intersection(workspaces).cloned().collect();
                self.with(self.workspaces.difference(workspaces).cloned().collect(), out)
            }
            Happened::ShutOut { .. } => After::Same,
        }
    }

    fn with(&self, workspaces: BTreeSet<WorkspaceId>, out: BTreeSet<WorkspaceId>) -> After {
        match &self.tenant {
            Tenant::Organisation(_) if workspaces != self.workspaces => {
                After::Changed { next: Box::new(Self { workspaces, ..self.clone() }), out }
            }
            Tenant::Organisation(_) | Tenant::Workspace(_) => After::Same,
        }
    }
}

/// What word from the chat makes of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Nothing else than it was.
    Same,
    /// It speaks for other workspaces now.
    Changed {
        /// The installation.
        next: Box<Installation>,
        /// Those for which it speaks no more.
        out: BTreeSet<WorkspaceId>,
    },
    /// It is no more.
    Gone,
}

/// Something that happened to an installation, or to people in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// The app was removed.
    Uninstalled,
    /// Tokens were revoked.
    Revoked {
        /// Those of these users of apps.
        bots: BTreeSet<UserId>,
        /// Those that these people had given.
        people: BTreeSet<UserId>,
    },
    /// Workspaces of an organisation were let in.
    LetIn {
        /// Which.
        workspaces: BTreeSet<WorkspaceId>,
    },
    /// Workspaces of an organisation were shut out.
    ShutOut {
        /// Which.
        workspaces: BTreeSet<WorkspaceId>,
    },
}

/// Word of the chat, as it lies on disk until everything that it asks for is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    /// What the chat delivered it as. The same delivery is heard once.
    pub id: DeliveryId,
    /// The version of this record in the store; 0: never stored.
    pub version: u64,
    /// Where it happened.
    pub tenant: Tenant,
    /// When it happened, by the chat's clock.
    pub at: Timestamp,
    /// When we heard of it.
    pub heard_at: Timestamp,
    /// What happened.
    pub what: Happened,
    /// Everything that it asks for is done. Kept for a while after that, so that a repeated delivery is known.
    pub done: bool,
}

impl Happening {
    /// Whether it names a person.
    pub fn names(&self, person: &Person) -> bool {
        let there = match &self.tenant {
            Tenant::Workspace(own) => *own == person.workspace,
            Tenant::Organisation(_) => true,
        };
        match &self.what {
            Happened::Revoked { people, .. } => there && people.contains(&person.user),
            Happened::Uninstalled | Happened::LetIn { .. } | Happened::ShutOut { .. } => false,
        }
    }

    /// Everything that it asks for is done: whom it named is forgotten.
    #[must_use]
    pub fn done_now(&self) -> Self {
        let what = match &self.what {
            Happened::Revoked { .. } => Happened::Revoked { bots: BTreeSet::new(), people: BTreeSet::new() },
            Happened::Uninstalled | Happened::LetIn { .. } | Happened::ShutOut { .. } => self.what.clone(),
        };
        Self { what, done: true, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn workspaces(of: &[&str]) -> BTreeSet<WorkspaceId> {
        of.iter().map(|id| WorkspaceId::parse(id).unwrap()).collect()
    }

    fn users(of: &[&str]) -> BTreeSet<UserId> {
        of.iter().map(|id| UserId::parse(id).unwrap()).collect()
    }

    fn installed(tenant: Tenant) -> Installation {
        Installation {
            tenant,
            version: 1,
            within: None,
            workspaces: BTreeSet::new(),
            app: ChatAppId::parse("A1").unwrap(),
            bot: UserId::parse("UBOT").unwrap(),
            by: UserId::parse("U1").unwrap(),
            installed_at: at(100),
            granted_at: at(500),
            scopes: BTreeSet::new(),
            rights: BotRight::ALL.into_iter().collect(),
            life: Life::Open,
            standing: Standing::Good,
            tokens: SealedTokens::sealed("tokens-of-the-bot".to_owned()),
        }
    }

    fn workspace() -> Installation {
        installed(Tenant::Workspace(WorkspaceId::parse("T1").unwrap()))
    }

    fn organisation() -> Installation {
        let org = Tenant::Organisation(OrganisationId::parse("E1").unwrap());
        Installation { workspaces: workspaces(&["T1", "T2"]), ..installed(org) }
    }

    fn happening(second: i64, what: Happened) -> Happening {
        let id = DeliveryId::parse("Ev1").unwrap();
        Happening { id, version: 1, tenant: workspace().tenant, at: at(second), heard_at: at(900), what, done: false }
    }

    fn bots(of: &[&str]) -> Happened {
        Happened::Revoked { bots: users(of), people: users(&["U7"]) }
    }

    #[test]
    fn what_is_uninstalled_is_gone_and_what_was_uninstalled_before_is_another() {
        let of = |second, what| workspace().after(&happening(second, what));
        assert_eq!(of(100, Happened::Uninstalled), After::Gone);
        assert_eq!(of(99, Happened::Uninstalled), After::Same, "it was installed anew since");
        assert_eq!(of(500, bots(&["U9", "UBOT"])), After::Gone);
        assert_eq!(of(499, bots(&["UBOT"])), After::Same, "other tokens were given since");
        assert_eq!(of(900, bots(&["U9"])), After::Same, "another app's, or a person's");
        assert_eq!(of(900, Happened::ShutOut { workspaces: workspaces(&["T1"]) }), After::Same, "only organisations let in and shut out");
    }

    #[test]
    fn an_organisation_lets_in_and_shuts_out() {
        assert!(organisation().serves(&WorkspaceId::parse("T2").unwrap()) && !organisation().serves(&WorkspaceId::parse("T3").unwrap()));
        let let_in = |of: &[&str]| organisation().after(&happening(900, Happened::LetIn { workspaces: workspaces(of) }));
        let After::Changed { next, out } = let_in(&["T2", "T3"]) else { panic!("one more is let in") };
        assert_eq!((next.workspaces, out), (workspaces(&["T1", "T2", "T3"]), BTreeSet::new()));
        assert_eq!(let_in(&["T2"]), After::Same);
        let shut = organisation().after(&happening(900, Happened::ShutOut { workspaces: workspaces(&["T2", "T9"]) }));
        let After::Changed { next, out } = shut else { panic!("one is shut out") };
        assert_eq!((next.workspaces, out), (workspaces(&["T1"]), workspaces(&["T2"])));
    }

    #[test]
    fn a_refused_token_is_waited_for_a_week() {
        let refused = workspace().withdrawn(at(1000));
        assert_eq!(refused.withdrawn(at(5000)), refused, "since it was first refused");
        let week = 7 * 24 * 3600;
        assert!(!refused.is_given_up(at(1000 + week - 1)) && refused.is_given_up(at(1000 + week)));
        assert!(!workspace().is_given_up(at(9_000_000)));
    }

    #[test]
    fn what_is_needed_and_missing_is_told() {
        let narrow = Installation { rights: [BotRight::Speak].into(), ..workspace() };
        assert_eq!((narrow.lacks(), workspace().lacks()), (vec![BotRight::BeAsked, BotRight::SeePeople], Vec::new()));
    }

    #[test]
    fn what_is_done_names_nobody_and_tokens_are_never_printed() {
        assert!(!format!("{:?}", happening(1, bots(&["UBOT"])).done_now()).contains("U7"));
        assert!(!format!("{:?}", workspace()).contains("tokens-of-the-bot"));
    }
}
