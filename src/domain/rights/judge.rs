//! Whether the rules let somebody do something: every reason against it at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::actor::Person;
use crate::domain::names::{ChannelId, GroupId};
use crate::domain::pipeline::Environment;

use super::{Matter, Places, Rule, Rules, Who};

/// What somebody is in a workspace, as the chat says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// One of its members.
    Member,
    /// A guest, who sees some conversations only.
    Guest,
    /// Somebody of another company, in a conversation that is shared with them.
    Outsider,
    /// Nobody any more: the account was closed, or there is none.
    Gone,
}

/// What the chat says of a person in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// What they are.
    pub standing: Standing,
    /// Whether they look after the workspace.
    pub admin: bool,
}

/// What the chat says of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conversation {
    /// Whether people of other companies are in it, or may come.
    pub shared: bool,
    /// Whether nothing can be said there any more.
    pub archived: bool,
    /// Whether it is one between two: with us, or of two people, whom nobody may join.
    pub direct: bool,
}

impl Conversation {
    /// One in which nobody else reads along.
    pub const OWN: Self = Self { shared: false, archived: false, direct: false };
}

/// Why something is said to whoever asked alone, and not for everybody where they asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// People of other companies read along there, whom the rules let see nothing.
    Shared,
    /// Nobody knows whether they do.
    Unseen,
    /// It is a conversation between two.
    Direct,
}

/// Whether something is said aside; `found`: what the chat says of the conversation, where it says so.
pub fn aside(rules: &Rules, found: Option<Conversation>) -> Option<Aside> {
    let outsiders_read = rules.rule(Matter::Outsiders) == Rule::Outsiders { welcome: true };
    match found {
        Some(at) if at.direct => Some(Aside::Direct),
        Some(at) if at.shared && !outsiders_read => Some(Aside::Shared),
        None if !outsiders_read => Some(Aside::Unseen),
        Some(_) | None => None,
    }
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// To look at something that their own logins let them see.
    Look,
    /// To stop what they have begun themselves.
    StopOwn,
    /// To press a button that shows or does something.
    Press,
    /// To begin a deploy, or go on with it, or touch somebody else's.
    Deploy {
        /// Where to.
        to: Environment,
        /// Past its checks.
        overriding: bool,
    },
}

impl Doing {
    /// Whether it is refused where nobody knows who asks.
    fn fails_closed(self) -> bool {
        match self {
            Self::Look | Self::StopOwn => false,
            Self::Press | Self::Deploy { .. } => true,
        }
    }
}

/// The matters whose rules name people for something.
pub(super) fn matters(doing: Doing) -> Vec<Matter> {
    match doing {
        Doing::Look | Doing::Press => vec![Matter::Use],
        Doing::StopOwn => Vec::new(),
        Doing::Deploy { to, overriding: false } => vec![Matter::Use, Matter::Deploy(to)],
        Doing::Deploy { to, overriding: true } => vec![Matter::Use, Matter::Deploy(to), Matter::Override],
    }
}

/// Who asks, as far as that is known.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Who.
    pub person: &'a Person,
    /// What the chat says of them; `None`: it cannot be asked now.
    pub member: Option<Member>,
    /// Whether they are in a group; `None`: that cannot be told now.
    pub groups: &'a BTreeMap<GroupId, Option<bool>>,
    /// Where they ask, if that matters.
    pub channel: Option<&'a ChannelId>,
}

/// Why the rules of a workspace do not let somebody do something. Each has a stable code; the words are in [`crate::domain::speech`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// Their account in the chat is closed.
    Gone,
    /// They are a guest.
    Guest,
    /// They are of another company.
    Outsider,
    /// They are not among those who may use the service.
    NotAUser,
    /// Commands are not answered where they ask.
    WrongChannel,
    /// They are not among those who may deploy there.
    NotForEnvironment(Environment),
    /// They are not among those who may pass checks.
    MayNotOverride,
    /// The chat does not say who they are, so nobody knows.
    Unreadable,
}

impl Denial {
    /// The code that scripts, tests and the documentation know it by. Never changes.
    pub fn code(self) -> &'static str {
        match self {
            Self::Gone => "account-closed",
            Self::Guest => "guest",
            Self::Outsider => "outsider",
            Self::NotAUser => "not-a-user",
            Self::WrongChannel => "wrong-channel",
            Self::NotForEnvironment(_) => "not-for-environment",
            Self::MayNotOverride => "may-not-override",
            Self::Unreadable => "people-unreadable",
        }
    }

    /// The matter whose rule says so.
    pub fn matter(self) -> Option<Matter> {
        match self {
            Self::Guest => Some(Matter::Guests),
            Self::Outsider => Some(Matter::Outsiders),
            Self::NotAUser => Some(Matter::Use),
            Self::WrongChannel => Some(Matter::Channels),
            Self::NotForEnvironment(environment) => Some(Matter::Deploy(environment)),
            Self::MayNotOverride => Some(Matter::Override),
            Self::Gone | Self::Unreadable => None,
        }
    }
}

/// Judges. Every reason at once; none: the rules let them.
pub fn judge(rules: &Rules, asker: &Asker<'_>, doing: Doing) -> Vec<Denial> {
    let mut denials = Vec::new();
    let unknown = doing.fails_closed().then_some(Denial::Unreadable);
    denials.extend(match asker.member.map(|member| member.standing) {
        Some(Standing::Member) => None,
        Some(Standing::Guest) => (rules.rule(Matter::Guests) != Rule::Guests { welcome: true }).then_some(Denial::Guest),
        Some(Standing::Outsider) => (rules.rule(Matter::Outsiders) != Rule::Outsiders { welcome: true }).then_some(Denial::Outsider),
        Some(Standing::Gone) => Some(Denial::Gone),
        None => unknown,
    });
    for about in matters(doing) {
        let denial = match about {
            Matter::Use => Denial::NotAUser,
            Matter::Deploy(environment) => Denial::NotForEnvironment(environment),
            Matter::Override => Denial::MayNotOverride,
            Matter::Channels | Matter::Guests | Matter::Outsiders => continue,
        };
        denials.extend(match is_among(rules, about, asker) {
            Some(true) => None,
            Some(false) => Some(denial),
            None => unknown,
        });
    }
    if let (Some(channel), Rule::Channels(Places::Only(open))) = (asker.channel, rules.rule(Matter::Channels))
        && !open.contains(channel)
    {
        denials.push(Denial::WrongChannel);
    }
    let mut seen = Vec::new();
    denials.retain(|denial| {
        !seen.contains(denial) && {
            seen.push(*denial);
            true
        }
    });
    denials
}

/// Whether somebody is among those whom the rule about a matter lets; `None`: that cannot be told now.
fn is_among(rules: &Rules, about: Matter, asker: &Asker<'_>) -> Option<bool> {
    let who = match rules.rule(about) {
        Rule::Use(who) | Rule::Deploy { who, to: _ } | Rule::Override(who) => who,
        Rule::Channels(_) | Rule::Guests { .. } | Rule::Outsiders { .. } => return Some(true),
    };
    let Who::Only(party) = who else { return Some(true) };
    // An id means nothing in another workspace.
    if asker.person.workspace != rules.workspace {
        return Some(false);
    }
    if party.people.contains(&asker.person.user) {
        return Some(true);
    }
    let mut is_unclear = false;
    for group in &party.groups {
        match asker.groups.get(&group.id).copied().flatten() {
            Some(true) => return Some(true),
            Some(false) => {}
            None => is_unclear = true,
        }
    }
    (!is_unclear).then_some(false)
}
