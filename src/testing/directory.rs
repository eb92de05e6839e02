//! What the people of a chat are promised to be told as: [`Directory`].

use std::sync::Arc;

use async_trait::async_trait;

use super::{Arranged, LeftOut, fault_of, or_leave_out, tells_no_secret, value_of};
use crate::domain::actor::Person;
use crate::domain::fault::Fault;
use crate::domain::names::{ChannelId, GroupId, WorkspaceId};
use crate::domain::rights::{Conversation, Member, Standing};
use crate::ports::Directory;

/// What somebody is made in the chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// A member like others.
    Member,
    /// A member who looks after the workspace.
    Admin,
    /// A guest.
    Guest,
    /// Somebody whose account was closed.
    Closed,
}

/// A workspace with some people.
#[async_trait]
pub trait Stage: Send {
    /// The adapter.
    fn directory(&self) -> Arc<dyn Directory>;

    /// The workspace.
    fn workspace(&self) -> WorkspaceId;

    /// One of its people.
    fn person(&self) -> Person;

    /// Another one.
    fn other(&self) -> Person;

    /// Somebody of another workspace, whom this one sees in a conversation that is shared.
    fn outsider(&self) -> Person;

    /// Somebody of another workspace who has the same id as [`Stage::person`].
    fn namesake(&self) -> Option<Person>;

    /// Somebody whom there is not.
    fn nobody(&self) -> Person;

    /// Makes something of [`Stage::person`].
    async fn make(&mut self, what: Made) -> Arranged;

    /// Makes a group of people of the workspace.
    async fn group(&mut self, people: &[Person]) -> Result<GroupId, &'static str>;

    /// The group is no more.
    async fn no_group(&mut self) -> Arranged;

    /// A conversation of the workspace, of nobody else's, in which something can be said.
    fn conversation(&self) -> ChannelId;

    /// One between [`Stage::person`] and us, if the chat has such.
    fn conversation_of_two(&self) -> Option<ChannelId>;

    /// One that there is not.
    fn no_conversation(&self) -> ChannelId;

    /// People of another company come into [`Stage::conversation`].
    async fn share(&mut self) -> Arranged;

    /// Nothing can be said in it any more.
    async fn archive(&mut self) -> Arranged;

    /// The chat answers nothing of use to the next questions.
    async fn stumble(&mut self) -> Arranged;

    /// Everything that must not be told.
    fn secrets(&self) -> Vec<String>;
}

/// The whole suite; each part has a stage of its own.
pub async fn all<S: Stage>(mut stage: impl AsyncFnMut() -> S) -> LeftOut {
    let mut left_out = LeftOut::default();
    for what in [Made::Member, Made::Admin, Made::Guest, Made::Closed] {
        left_out.note("what people are", people(&mut stage().await, what).await);
    }
    left_out.note("the present moment", present(&mut stage().await).await);
    left_out.note("others", others(&mut stage().await).await);
    left_out.note("groups", groups(&mut stage().await).await);
    left_out.note("conversations", conversations(&mut stage().await).await);
    left_out.note("faults", faults(&mut stage().await).await);
    left_out
}

async fn told<S: Stage>(stage: &S, person: &Person, promise: &str) -> Member {
    value_of(stage.directory().member(&stage.workspace(), person).await, promise)
}

async fn people<S: Stage>(stage: &mut S, what: Made) -> Arranged {
    or_leave_out!(stage.make(what).await);
    let member = told(stage, &stage.person(), "everybody of the workspace is told").await;
    let (standing, admin) = match what {
        Made::Member => (Standing::Member, false),
        Made::Admin => (Standing::Member, true),
        Made::Guest => (Standing::Guest, false),
        Made::Closed => (Standing::Gone, false),
    };
    assert_eq!(member, Member { standing, admin }, "broken: people are told as what they are, and these are {what:?}");
    Arranged::Done
}

async fn present<S: Stage>(stage: &mut S) -> Arranged {
    or_leave_out!(stage.make(Made::Admin).await);
    assert!(told(stage, &stage.person(), "everybody of the workspace is told").await.admin);
    or_leave_out!(stage.make(Made::Guest).await);
    let now = told(stage, &stage.person(), "everybody of the workspace is told").await;
    assert_eq!(now.standing, Standing::Guest, "broken: an answer is of this moment");
    Arranged::Done
}

async fn others<S: Stage>(stage: &mut S) -> Arranged {
    or_leave_out!(stage.make(Made::Admin).await);
    let nobody = told(stage, &stage.nobody(), "whoever is not there is told as gone").await;
    assert_eq!(nobody, Member { standing: Standing::Gone, admin: false }, "broken: whoever is not there is gone");
    let outsider = told(stage, &stage.outsider(), "whoever is seen is told").await;
    let stranger = Member { standing: Standing::Outsider, admin: false };
    assert_eq!(outsider, stranger, "broken: people of other workspaces are outsiders");
    if let Some(namesake) = stage.namesake() {
        let namesake = told(stage, &namesake, "whoever has an id of somebody here is told").await;
        assert_eq!(namesake, stranger, "broken: nobody is taken for somebody of another workspace with the same id");
    }
    Arranged::Done
}

async fn groups<S: Stage>(stage: &mut S) -> Arranged {
    let (person, other) = (stage.person(), stage.other());
    let both = match stage.group(&[person.clone(), other.clone()]).await {
        Ok(group) => group,
        Err(why) => return Arranged::Cannot(why),
    };
    let there = value_of(stage.directory().group(&stage.workspace(), &both).await, "a group is told");
    assert!(there.contains(&person.user) && there.contains(&other.user) && there.len() == 2, "broken: a group is told whole");
    let one = match stage.group(std::slice::from_ref(&person)).await {
        Ok(group) => group,
        Err(why) => return Arranged::Cannot(why),
    };
    let there = value_of(stage.directory().group(&stage.workspace(), &one).await, "a group is told");
    assert!(there.contains(&person.user) && there.len() == 1, "broken: an answer is of this moment");
    or_leave_out!(stage.no_group().await);
    let gone = fault_of(stage.directory().group(&stage.workspace(), &one).await, "a group that is no more is not found");
    assert_eq!(gone, Fault::NotFound, "broken: a group that is no more is not found");
    Arranged::Done
}

async fn conversations<S: Stage>(stage: &mut S) -> Arranged {
    let told =
        async |stage: &S, promise: &str| value_of(stage.directory().conversation(&stage.workspace(), &stage.conversation()).await, promise);
    let own = told(stage, "a conversation is told").await;
    assert_eq!(own, Conversation::OWN, "broken: what is one's own and open is told as that");
    let none = stage.directory().conversation(&stage.workspace(), &stage.no_conversation()).await;
    assert_eq!(fault_of(none, "what is not there is not found"), Fault::NotFound, "broken: what is not there is not found");
    if let Some(direct) = stage.conversation_of_two() {
        let direct = value_of(stage.directory().conversation(&stage.workspace(), &direct).await, "one between two is told");
        assert!(direct.direct && !direct.shared, "broken: one between two is told as that");
    }
    or_leave_out!(stage.share().await);
    assert!(told(stage, "a shared one is told").await.shared, "broken: an answer is of this moment, and tells who may read along");
    or_leave_out!(stage.archive().await);
    assert!(told(stage, "an archived one is told").await.archived, "broken: where nothing can be said is told");
    Arranged::Done
}

async fn faults<S: Stage>(stage: &mut S) -> Arranged {
    or_leave_out!(stage.make(Made::Member).await);
    or_leave_out!(stage.stumble().await);
    match stage.directory().member(&stage.workspace(), &stage.person()).await {
        Ok(member) => panic!("broken: what cannot be read is never an answer; it was told as {member:?}"),
        Err(error) => tells_no_secret(&error, &stage.secrets()),
    }
    match stage.directory().conversation(&stage.workspace(), &stage.conversation()).await {
        Ok(about) => panic!("broken: what cannot be read is never an answer; it was told as {about:?}"),
        Err(error) => tells_no_secret(&error, &stage.secrets()),
    }
    Arranged::Done
}
