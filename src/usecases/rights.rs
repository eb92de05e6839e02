//! Who may do what, by the rules of the workspace: what the chat says of people, remembered for a short while, and what the rules make of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::domain::actor::{Origin, Person};
use crate::domain::command::{Command, LockWish};
use crate::domain::deployment::Deployment;
use crate::domain::form::{Reasoned, Topic};
use crate::domain::message::Act;
use crate::domain::names::{ChannelId, GroupId, UserId, WorkspaceId};
use crate::domain::page::PageAct;
use crate::domain::pipeline::Environment;
use crate::domain::privacy::{Note, NoteKey, Noted};
use crate::domain::request::{Ask, Request};
use crate::domain::rights::{Asker, Conversation, Denial, Doing, Member, Rules, Standing, judge};
use crate::domain::speech;
use crate::ports::{Directory, Fault, Forgets, PortError, StoreError};

use super::{Ports, Trouble};

/// For how long it is believed what the chat has said of somebody.
const BELIEVED: SignedDuration = SignedDuration::from_mins(5);
/// For how long it is believed that it does not say what a conversation is: somebody may invite us.
const UNSEEN: SignedDuration = SignedDuration::from_mins(1);
/// Of how many people that is remembered, and of how many conversations.
const PEOPLE: usize = 10_000;
/// Of how many groups.
const GROUPS: usize = 200;
/// Somebody in whom whoever runs the service trusts: what they are needs no asking.
const TRUSTED: Member = Member { standing: Standing::Member, admin: true };
/// Where no chat can be asked, everybody is one of us.
const ONE_OF_US: Member = Member { standing: Standing::Member, admin: false };

/// Who is in a group.
type Users = Arc<BTreeSet<UserId>>;

/// What is known of people, beside the rules.
#[derive(Debug)]
pub struct Rights {
    /// The people of the chat; `None`: the chat knows of no others than the one who asks.
    directory: Option<Arc<dyn Directory>>,
    /// Whom the settings name: the one person that it works for, and those who may change rules in any case.
    named: BTreeSet<Person>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    members: BTreeMap<(WorkspaceId, Person), (Timestamp, Member)>,
    groups: BTreeMap<(WorkspaceId, GroupId), (Timestamp, Users)>,
    /// `None`: the chat does not let us see it.
    conversations: BTreeMap<(WorkspaceId, ChannelId), (Timestamp, Option<Conversation>)>,
}

impl Rights {
    /// For a chat, and the people whom the settings name.
    pub fn new(directory: Option<Arc<dyn Directory>>, named: BTreeSet<Person>) -> Self {
        Self { directory, named, seen: Mutex::default() }
    }

    /// Everybody is a member and nobody an admin: for stages on which rights play no part.
    pub fn none() -> Arc<Self> {
        Arc::new(Self::new(None, BTreeSet::new()))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a person is in a workspace.
    pub(super) async fn member(&self, workspace: &WorkspaceId, person: &Person, now: Timestamp) -> Result<Member, PortError> {
        if self.named.contains(person) && person.workspace == *workspace {
            return Ok(TRUSTED);
        }
        let Some(directory) = &self.directory else { return Ok(ONE_OF_US) };
        let key = (workspace.clone(), person.clone());
        if let Some((at, member)) = self.seen().members.get(&key).copied()
            && now.duration_since(at) < BELIEVED
        {
            return Ok(member);
        }
        let member = directory.member(workspace, person).await?;
        let mut seen = self.seen();
        if seen.members.len() >= PEOPLE {
            seen.members.clear();
        }
        seen.members.insert(key, (now, member));
        Ok(member)
    }

    /// Who is in a group.
    async fn group(&self, workspace: &WorkspaceId, group: &GroupId, now: Timestamp) -> Result<Users, PortError> {
        let Some(directory) = &self.directory else { return Ok(Arc::default()) };
        let key = (workspace.clone(), group.clone());
        if let Some((at, people)) = self.seen().groups.get(&key)
            && now.duration_since(*at) < BELIEVED
        {
            return Ok(Arc::clone(people));
        }
        let people = match directory.group(workspace, group).await {
            Ok(people) => Arc::new(people),
            // Nobody is in a group that is no more.
            Err(error) if error.fault == Fault::NotFound => Arc::default(),
            Err(error) => return Err(error),
        };
        let mut seen = self.seen();
        if seen.groups.len() >= GROUPS {
            seen.groups.clear();
        }
        seen.groups.insert(key, (now, Arc::clone(&people)));
        Ok(people)
    }

    /// Whether somebody or some group is there now, whatever is remembered.
    pub(super) async fn is_there(&self, workspace: &WorkspaceId, user: &UserId) -> Result<bool, PortError> {
        let Some(directory) = &self.directory else { return Ok(true) };
        let person = Person { workspace: workspace.clone(), user: user.clone() };
        Ok(directory.member(workspace, &person).await?.standing != Standing::Gone)
    }

    /// What a conversation is now.
    pub(super) async fn conversation(&self, workspace: &WorkspaceId, channel: &ChannelId) -> Result<Conversation, PortError> {
        match &self.directory {
            Some(directory) => directory.conversation(workspace, channel).await,
            None => Ok(Conversation::OWN),
        }
    }

    /// What a conversation was lately; `None`: the chat does not let us see it.
    pub(super) async fn seen_conversation(
        &self,
        workspace: &WorkspaceId,
        channel: &ChannelId,
        now: Timestamp,
    ) -> Result<Option<Conversation>, PortError> {
        let key = (workspace.clone(), channel.clone());
        if let Some((at, found)) = self.seen().conversations.get(&key).copied()
            && now.duration_since(at) < found.map_or(UNSEEN, |_| BELIEVED)
        {
            return Ok(found);
        }
        let found = match self.conversation(workspace, channel).await {
            Ok(found) => Some(found),
            Err(error) if error.is_temporary() => return Err(error),
            Err(error) => {
                tracing::info!(%error, "the chat does not say who reads along in a conversation");
                None
            }
        };
        let mut seen = self.seen();
        if seen.conversations.len() >= PEOPLE {
            seen.conversations.clear();
        }
        seen.conversations.insert(key, (now, found));
        Ok(found)
    }

    /// Whether there is such a group now.
    pub(super) async fn is_group(&self, workspace: &WorkspaceId, group: &GroupId) -> Result<bool, PortError> {
        let Some(directory) = &self.directory else { return Ok(false) };
        match directory.group(workspace, group).await {
            Ok(_) => Ok(true),
            Err(error) if error.fault == Fault::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Forgets for Rights {
    fn forget_person(&self, person: &Person) {
        let mut seen = self.seen();
        seen.members.retain(|(_, somebody), _| somebody != person);
        // Groups are asked for again: they may have held them. And so are conversations, which may be theirs alone.
        seen.groups.clear();
        seen.conversations.clear();
    }

    fn forget_workspace(&self, workspace: &WorkspaceId) {
        let mut seen = self.seen();
        seen.members.retain(|(of, somebody), _| of != workspace && somebody.workspace != *workspace);
        // A group may hold people of another workspace.
        seen.groups.clear();
        seen.conversations.retain(|(of, _), _| of != workspace);
    }
}

/// The rules of a workspace, as they lie in the store.
pub(super) async fn noted_rules(ports: &Ports, workspace: &WorkspaceId) -> Result<(Option<Noted>, Rules), StoreError> {
    let noted = ports.privacy.keeping.note(&NoteKey::Rules(workspace.clone())).await?;
    let rules = noted.as_ref().and_then(|noted| if let Note::Rules(rules) = &noted.note { Some(rules.clone()) } else { None });
    let rules = rules.unwrap_or_else(|| Rules::none(workspace.clone()));
    Ok((noted, rules))
}

/// What the rules say to something, and the rules.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    /// The rules.
    pub rules: Rules,
    /// Every reason against it.
    pub denials: Vec<Denial>,
    /// Whether they would keep the person from passing checks.
    pub override_barred: bool,
}

impl Judged {
    /// Whether somebody cannot be told from anybody, which may pass.
    pub fn is_unclear(&self) -> bool {
        self.denials.contains(&Denial::Unreadable)
    }
}

/// What the rules of a workspace say to what somebody wants to do.
pub(super) async fn judged(
    ports: &Ports,
    workspace: &WorkspaceId,
    person: &Person,
    channel: Option<&ChannelId>,
    doing: Doing,
) -> Result<Judged, StoreError> {
    let (_, rules) = noted_rules(ports, workspace).await?;
    let now = ports.clock.now();
    let member = match ports.rights.member(workspace, person, now).await {
        Ok(member) => Some(member),
        Err(error) => {
            tracing::warn!(%error, "the chat does not say who somebody is");
            None
        }
    };
    let over = match doing {
        Doing::Deploy { to, overriding: _ } => Some(Doing::Deploy { to, overriding: true }),
        Doing::Look | Doing::StopOwn | Doing::Press => None,
    };
    let mut groups = BTreeMap::new();
    for group in rules.groups_for(over.unwrap_or(doing)) {
        let is_in = match ports.rights.group(workspace, &group, now).await {
            Ok(people) => Some(person.workspace == *workspace && people.contains(&person.user)),
            Err(error) => {
                tracing::warn!(%error, "the chat does not say who is in a group");
                None
            }
        };
        groups.insert(group, is_in);
    }
    let asker = Asker { person, member, groups: &groups, channel };
    let denials = judge(&rules, &asker, doing);
    let barred = |denials: Vec<Denial>| denials.iter().any(|denial| matches!(denial, Denial::MayNotOverride | Denial::Unreadable));
    let override_barred = over.is_some_and(|over| barred(judge(&rules, &asker, over)));
    Ok(Judged { rules, denials, override_barred })
}

/// What the rules say to a deploy there.
pub(super) async fn judged_deploy(
    ports: &Ports,
    workspace: &WorkspaceId,
    person: &Person,
    to: Environment,
    overriding: bool,
) -> Result<Judged, StoreError> {
    judged(ports, workspace, person, None, Doing::Deploy { to, overriding }).await
}

fn open(ports: &Ports, judged: &Judged) -> Result<(), Trouble> {
    if judged.denials.is_empty() {
        return Ok(());
    }
    tracing::info!(denials = ?judged.denials.iter().map(|denial| denial.code()).collect::<Vec<_>>(), "refused by the rules of the workspace");
    Err(speech::denied(&judged.denials, &judged.rules, ports.clock.now()).into())
}

/// Whether a command may be typed at all, by whom and where it was: what it does is judged when that is known.
pub(super) async fn may_type(ports: &Ports, origin: &Origin, command: &Command) -> Result<(), Trouble> {
    typed(ports, origin, command, true).await
}

/// `begins`: whether it may begin something now. Where logins are missing it is only kept, and judged again when it runs.
async fn typed(ports: &Ports, origin: &Origin, command: &Command, begins: bool) -> Result<(), Trouble> {
    let (doing, channel) = match command {
        // One's own affairs; and rules, lest admins lock themselves out.
        Command::Help { .. }
        | Command::Doctor
        | Command::Logout
        | Command::WhoAmI
        | Command::Mute { .. }
        | Command::Unmute
        | Command::Privacy { .. }
        | Command::Rules { .. } => return Ok(()),
        Command::Login => (Doing::Look, None),
        // What one has begun oneself can always be left and stopped. What is not one's own is judged when it is known.
        Command::Leave { .. } | Command::Cancel { .. } | Command::Free { .. } => (Doing::Look, Some(&origin.channel)),
        Command::Deploy { .. } | Command::Promote { .. } | Command::Rollback { to: Some(_), .. } if begins => {
            (Doing::Press, Some(&origin.channel))
        }
        Command::Deploy { .. } | Command::Promote { .. } | Command::Rollback { .. } => (Doing::Look, Some(&origin.channel)),
        // Whoever may not deploy there keeps nobody else from it, and lets nobody else in.
        Command::Lock(LockWish { on, .. }) | Command::Unlock { on: Some(on), anyway: true, because: _ } => {
            let places = on.environment.map_or(Environment::ALL.to_vec(), |only| vec![only]);
            for to in places {
                let doing = Doing::Deploy { to, overriding: false };
                open(ports, &judged(ports, &origin.person.workspace, &origin.person, Some(&origin.channel), doing).await?)?;
            }
            return Ok(());
        }
        Command::Route(wish) => return to_all_of(ports, origin, &wish.only.about()).await,
        Command::Unlock { .. }
        | Command::Locks
        | Command::Routes
        | Command::Unroute { .. }
        | Command::Where(_)
        | Command::Diff(_)
        | Command::Pipelines
        | Command::Info { .. }
        | Command::Plan(_)
        | Command::Status { .. }
        | Command::Queue(_)
        | Command::QueueMove(_)
        | Command::Releases(_)
        | Command::History { .. } => (Doing::Look, Some(&origin.channel)),
    };
    open(ports, &judged(ports, &origin.person.workspace, &origin.person, channel, doing).await?)
}

/// Whether somebody may deploy to all of these environments, or looks after the workspace.
pub(super) async fn to_all_of(ports: &Ports, origin: &Origin, places: &[Environment]) -> Result<(), Trouble> {
    let (workspace, person) = (&origin.person.workspace, &origin.person);
    let admin = ports.rights.member(workspace, person, ports.clock.now()).await.is_ok_and(|member| member.admin);
    let doings: Vec<Doing> =
        if admin { vec![Doing::Look] } else { places.iter().map(|to| Doing::Deploy { to: *to, overriding: false }).collect() };
    for doing in doings {
        open(ports, &judged(ports, workspace, person, Some(&origin.channel), doing).await?)?;
    }
    Ok(())
}

/// Whether a button may be pressed: by the rules of the workspace that it belongs to.
pub(super) async fn may_press(ports: &Ports, origin: &Origin, act: Act) -> Result<(), Trouble> {
    let person = &origin.person;
    let (of, own) = match act {
        // Whoever takes an offer asks for its command, which is judged as if it were typed.
        Act::Take(_) | Act::Decline(_) => return Ok(()),
        Act::Cancel(id) | Act::Free(id) | Act::StepOut(id) => (ports.deployment(id).await?, true),
        Act::ShowOutput(id) | Act::Retry(id) | Act::RollBack(id) | Act::ShipNow(id) | Act::EnterCode(id) => {
            (ports.deployment(id).await?, false)
        }
    };
    // Of what is not there, the press itself says so.
    let Some(deployment) = of else { return Ok(()) };
    let doing = if own && deployment.origin.person == *person { Doing::StopOwn } else { Doing::Press };
    open(ports, &judged(ports, &deployment.origin.person.workspace, person, None, doing).await?)
}

/// Whether somebody may ask for something at all. `linked`: whether their logins are there, so that it can begin.
pub(super) async fn may_ask(ports: &Ports, request: &Request, linked: bool) -> Result<(), Trouble> {
    match &request.ask {
        Ask::Command(command) | Ask::Filled(command) => typed(ports, &request.origin, command, linked).await,
        Ask::Press { act, on: _ } => may_press(ports, &request.origin, *act).await,
        // Judged as what it asks for.
        Ask::OnPage(PageAct::Press(act)) => may_press(ports, &request.origin, *act).await,
        Ask::OnPage(PageAct::Unlock { .. } | PageAct::UnlockAll) => typed(ports, &request.origin, &Command::Locks, linked).await,
        Ask::OnPage(PageAct::Unmute) => Ok(()),
        // A form is judged as the button that brought it up.
        Ask::Reasoned { what: Reasoned::Free(id), because: _ } | Ask::Form(Topic::Why(Reasoned::Free(id))) => {
            may_press(ports, &request.origin, Act::Free(*id)).await
        }
        Ask::Reasoned { what: Reasoned::Stop(id), because: _ } | Ask::Form(Topic::Why(Reasoned::Stop(id))) => {
            may_press(ports, &request.origin, Act::Cancel(*id)).await
        }
        Ask::Form(Topic::Code(id)) => may_press(ports, &request.origin, Act::EnterCode(*id)).await,
        // What ships is judged when it is asked for; the form shows what anybody may look at.
        Ask::Form(Topic::Ship(_) | Topic::ShipFrom { .. }) | Ask::Ship(_) => {
            typed(ports, &request.origin, &Command::Pipelines, linked).await
        }
    }
}

/// Whether somebody may stop or free what somebody else has begun.
pub(super) async fn may_touch(ports: &Ports, person: &Person, deployment: &Deployment) -> Result<(), Trouble> {
    let workspace = &deployment.origin.person.workspace;
    open(ports, &judged_deploy(ports, workspace, person, deployment.target.environment, false).await?)
}

#[cfg(test)]
mod tests;
