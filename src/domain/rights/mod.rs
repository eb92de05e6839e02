//! Who may do what in a workspace: its rules as its admins set them, what they change, and what is on record of that.
//!
//! Without a rule everybody may do what their own logins let them do, but for guests and people of other companies, who may nothing.
//! Rules only ever take away: whoever may by the rules is still held to their own rights at the source control and the platform.

mod judge;

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::actor::Person;
use super::command::Because;
use super::lock::Scope;
use super::names::{ChannelId, GroupId, GroupName, PipelineId, PipelineName, UserId, WorkspaceId};
use super::pipeline::Environment;
use super::route::Only;

pub use judge::{Aside, Asker, Conversation, Denial, Doing, Member, Standing, aside, judge};

/// What a rule is about. There is one rule at most for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// Who may use the service at all.
    Use,
    /// Who may deploy to an environment.
    Deploy(Environment),
    /// Who may pass checks with `!`.
    Override,
    /// In which conversations commands are answered.
    Channels,
    /// Whether guests of the workspace may do what everybody may.
    Guests,
    /// Whether people of other companies may, where a conversation is shared with them.
    Outsiders,
}

impl Matter {
    /// All of them, in the order in which people are shown them.
    pub const ALL: [Self; 9] = [
        Self::Use,
        Self::Deploy(Environment::Review),
        Self::Deploy(Environment::Development),
        Self::Deploy(Environment::Staging),
        Self::Deploy(Environment::Production),
        Self::Override,
        Self::Channels,
        Self::Guests,
        Self::Outsiders,
    ];
}

impl fmt::Display for Matter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Use => f.write_str("use"),
            Self::Deploy(environment) => write!(f, "deploy to {environment}"),
            Self::Override => f.write_str("override"),
            Self::Channels => f.write_str("channels"),
            Self::Guests => f.write_str("guests"),
            Self::Outsiders => f.write_str("outsiders"),
        }
    }
}

/// A group of people in the chat, and what it was called when it was named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Group {
    /// Its id: what counts.
    pub id: GroupId,
    /// What it was called.
    pub name: GroupName,
}

/// People and groups of the workspace that a rule is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Party {
    /// People, one by one.
    pub people: BTreeSet<UserId>,
    /// Everybody in these groups, as they are when it matters.
    pub groups: BTreeSet<Group>,
}

impl Party {
    /// Whether it is for nobody.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.groups.is_empty()
    }
}

/// Whom a rule lets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Everybody.
    Everyone,
    /// These and nobody else; nobody at all, where it is empty.
    Only(Party),
}

/// Where commands are answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Places {
    /// In every conversation.
    Everywhere,
    /// In these and nowhere else. Never empty.
    Only(BTreeSet<ChannelId>),
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Who may use the service.
    Use(Who),
    /// Who may deploy to an environment.
    Deploy {
        /// The environment.
        to: Environment,
        /// Who.
        who: Who,
    },
    /// Who may pass checks.
    Override(Who),
    /// Where commands are answered.
    Channels(Places),
    /// Whether guests may do what everybody may.
    Guests {
        /// Whether they may.
        welcome: bool,
    },
    /// Whether people of other companies may.
    Outsiders {
        /// Whether they may.
        welcome: bool,
    },
}

impl Rule {
    /// What it is about.
    pub fn matter(&self) -> Matter {
        match self {
            Self::Use(_) => Matter::Use,
            Self::Deploy { to, who: _ } => Matter::Deploy(*to),
            Self::Override(_) => Matter::Override,
            Self::Channels(_) => Matter::Channels,
            Self::Guests { .. } => Matter::Guests,
            Self::Outsiders { .. } => Matter::Outsiders,
        }
    }

    /// What holds where nobody has set a rule.
    pub fn without_one(about: Matter) -> Self {
        match about {
            Matter::Use => Self::Use(Who::Everyone),
            Matter::Deploy(to) => Self::Deploy { to, who: Who::Everyone },
            Matter::Override => Self::Override(Who::Everyone),
            Matter::Channels => Self::Channels(Places::Everywhere),
            Matter::Guests => Self::Guests { welcome: false },
            Matter::Outsiders => Self::Outsiders { welcome: false },
        }
    }

    fn who(&self) -> Option<&Who> {
        match self {
            Self::Use(who) | Self::Deploy { who, to: _ } | Self::Override(who) => Some(who),
            Self::Channels(_) | Self::Guests { .. } | Self::Outsiders { .. } => None,
        }
    }

    /// The people and groups that it names.
    pub fn party(&self) -> Option<&Party> {
        self.who().and_then(|who| match who {
            Who::Only(party) => Some(party),
            Who::Everyone => None,
        })
    }

    fn people(&self) -> impl Iterator<Item = &UserId> {
        self.party().into_iter().flat_map(|party| &party.people)
    }
}

/// What an admin does to the rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A rule holds from now on, in the place of another one of its matter.
    Set(Rule),
    /// There is no rule any more: what holds without one holds.
    Reset(Matter),
}

impl Change {
    /// What it is about.
    pub fn matter(&self) -> Matter {
        match self {
            Self::Set(rule) => rule.matter(),
            Self::Reset(matter) => *matter,
        }
    }
}

/// A rule that holds, and who has set it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The rule.
    pub rule: Rule,
    /// Who has set it.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// Why, in their words.
    pub because: Option<Because>,
}

/// The rules of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Those that were set, at most one of each matter, in the order of their matters.
    pub kept: Vec<Kept>,
}

/// What comes of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The rules from now on.
    pub rules: Rules,
    /// That it was done.
    pub entry: Entry,
    /// The change that takes it back; `None`: everything is as it was before.
    pub undo: Option<Change>,
}

impl Rules {
    /// A workspace without rules.
    pub fn none(workspace: WorkspaceId) -> Self {
        Self { workspace, kept: Vec::new() }
    }

    /// The rule that was set about a matter.
    pub fn kept(&self, about: Matter) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.rule.matter() == about)
    }

    /// What holds about a matter.
    pub fn rule(&self, about: Matter) -> Rule {
        self.kept(about).map_or_else(|| Rule::without_one(about), |kept| kept.rule.clone())
    }

    /// What a change by somebody makes of them. `id` is a new one.
    pub fn after(&self, change: Change, by: &UserId, because: Option<Because>, at: Timestamp, id: Uuid) -> Changed {
        let about = change.matter();
        let before = self.kept(about).map(|kept| kept.rule.clone());
        let mut kept: Vec<Kept> = self.kept.iter().filter(|kept| kept.rule.matter() != about).cloned().collect();
        let undo = match (&change, &before) {
            (Change::Set(rule), Some(before)) if rule == before => None,
            (Change::Set(_), None) => Some(Change::Reset(about)),
            (Change::Set(_) | Change::Reset(_), Some(before)) => Some(Change::Set(before.clone())),
            (Change::Reset(_), None) => None,
        };
        if let Change::Set(rule) = &change {
            kept.push(Kept { rule: rule.clone(), by: by.clone(), at, because: because.clone() });
            kept.sort_by_key(|kept| kept.rule.matter());
        }
        let did = Did::Rules { change, before, because };
        let entry = Entry { id, workspace: self.workspace.clone(), at, by: by.clone(), did };
        Changed { rules: Self { workspace: self.workspace.clone(), kept }, entry, undo }
    }

    /// The groups that have to be asked for to judge something.
    pub fn groups_for(&self, doing: Doing) -> BTreeSet<GroupId> {
        let parties = judge::matters(doing).into_iter().filter_map(|about| self.kept(about)?.rule.party());
        parties.flat_map(|party| party.groups.iter().map(|group| group.id.clone())).collect()
    }

    /// Everybody who is named in them, and who has set them.
    pub fn mentioned(&self) -> Vec<Person> {
        let all = self.kept.iter().flat_map(|kept| std::iter::once(&kept.by).chain(kept.rule.people()));
        people_of(&self.workspace, all)
    }

    /// The same without a person: nobody gets a right by that.
    #[must_use]
    pub fn without(&self, person: &Person, pseudonym: &UserId) -> Self {
        let mut rules = self.clone();
        for kept in rules.kept.iter_mut().filter(|_| self.workspace == person.workspace) {
            if kept.by == person.user {
                kept.by = pseudonym.clone();
                kept.because = None;
            }
            remove(&mut kept.rule, &person.user);
        }
        rules
    }
}

fn people_of<'u>(workspace: &WorkspaceId, users: impl Iterator<Item = &'u UserId>) -> Vec<Person> {
    users.map(|user| Person { workspace: workspace.clone(), user: user.clone() }).collect()
}

fn remove(rule: &mut Rule, user: &UserId) {
    match rule {
        Rule::Use(Who::Only(party)) | Rule::Deploy { who: Who::Only(party), to: _ } | Rule::Override(Who::Only(party)) => {
            party.people.remove(user);
        }
        Rule::Use(Who::Everyone)
        | Rule::Deploy { who: Who::Everyone, to: _ }
        | Rule::Override(Who::Everyone)
        | Rule::Channels(_)
        | Rule::Guests { .. }
        | Rule::Outsiders { .. } => {}
    }
}

/// What somebody did with a right of theirs that others may ask about later. What is done to a deployment is kept with the deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// Changed the rules.
    Rules {
        /// How.
        change: Change,
        /// The rule that held before, if there was one.
        before: Option<Rule>,
        /// Why, in their words.
        because: Option<Because>,
    },
    /// Set a route, changed one or took one away.
    Routed {
        /// Of which pipeline.
        pipeline: PipelineId,
        /// What it was called then.
        name: PipelineName,
        /// Where to.
        to: ChannelId,
        /// What is told there from then on; `None`: nothing any more.
        only: Option<Only>,
        /// What was told there before.
        before: Option<Only>,
    },
    /// Ended a lock of somebody else.
    EndedLock {
        /// Of which pipeline.
        pipeline: PipelineId,
        /// What it was called then.
        name: PipelineName,
        /// On what.
        on: Scope,
        /// Whose.
        holder: Person,
        /// Whether they hold it themselves since.
        taken_over: bool,
        /// Why, in their words.
        because: Option<Because>,
    },
}

/// That somebody did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// Where.
    pub workspace: WorkspaceId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: UserId,
    /// What.
    pub did: Did,
}

impl Entry {
    /// Everybody who is named in it, and who did it.
    pub fn mentioned(&self) -> Vec<Person> {
        let rules: Vec<&Rule> = match &self.did {
            Did::Rules { change: Change::Set(rule), before, because: _ } => std::iter::once(rule).chain(before).collect(),
            Did::Rules { change: Change::Reset(_), before, because: _ } => before.iter().collect(),
            Did::Routed { .. } | Did::EndedLock { .. } => Vec::new(),
        };
        let holder = if let Did::EndedLock { holder, .. } = &self.did { Some(holder.clone()) } else { None };
        let named = rules.into_iter().flat_map(Rule::people);
        people_of(&self.workspace, std::iter::once(&self.by).chain(named)).into_iter().chain(holder).collect()
    }

    /// The same without a person, under the name that stands for them.
    #[must_use]
    pub fn without(&self, person: &Person, pseudonym: &UserId) -> Self {
        let mut entry = self.clone();
        if let Did::EndedLock { holder, .. } = &mut entry.did
            && holder == person
        {
            holder.user = pseudonym.clone();
        }
        if self.workspace != person.workspace {
            return entry;
        }
        let theirs = self.by == person.user;
        if theirs {
            entry.by = pseudonym.clone();
        }
        if let Did::EndedLock { because, .. } | Did::Rules { because, .. } = &mut entry.did
            && theirs
        {
            *because = None;
        }
        let Did::Rules { change, before, because: _ } = &mut entry.did else { return entry };
        if let Change::Set(rule) = change {
            remove(rule, &person.user);
        }
        if let Some(rule) = before {
            remove(rule, &person.user);
        }
        entry
    }
}

#[cfg(test)]
pub(crate) mod tests;
