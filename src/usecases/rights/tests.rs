//! What is remembered of people, and for how long.

use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;

use super::super::Memories;
use super::*;
use crate::domain::deployment::samples::{at, person};
use crate::domain::fault::Service;
use crate::testing::forgets::{By, Reader, Stage, all};

/// A chat that counts what it is asked, and answers as it is told to.
#[derive(Debug)]
struct Told {
    member: Mutex<Result<Member, Fault>>,
    asked: Mutex<u32>,
    conversation: Mutex<Result<Conversation, Fault>>,
}

impl Told {
    fn new() -> Arc<Self> {
        Arc::new(Self { member: Mutex::new(Ok(ONE_OF_US)), asked: Mutex::default(), conversation: Mutex::new(Ok(Conversation::OWN)) })
    }

    fn says(&self, what: Result<Member, Fault>) {
        *self.member.lock().unwrap() = what;
    }

    fn asked(&self) -> u32 {
        *self.asked.lock().unwrap()
    }
}

#[async_trait]
impl Directory for Told {
    async fn member(&self, _: &WorkspaceId, _: &Person) -> Result<Member, PortError> {
        *self.asked.lock().unwrap() += 1;
        let said = *self.member.lock().unwrap();
        said.map_err(|fault| PortError::new(Service::Chat, fault, "told to"))
    }

    async fn conversation(&self, _: &WorkspaceId, _: &ChannelId) -> Result<Conversation, PortError> {
        *self.asked.lock().unwrap() += 1;
        let said = *self.conversation.lock().unwrap();
        said.map_err(|fault| PortError::new(Service::Chat, fault, "told to"))
    }

    async fn group(&self, _: &WorkspaceId, group: &GroupId) -> Result<BTreeSet<UserId>, PortError> {
        *self.asked.lock().unwrap() += 1;
        match group.as_str() {
            "S1" => Ok(BTreeSet::from([person("ana").user])),
            _ => Err(PortError::new(Service::Chat, Fault::NotFound, "no such group")),
        }
    }
}

#[tokio::test]
async fn what_the_chat_says_of_people_is_believed_for_five_minutes() {
    let told = Told::new();
    let rights = Rights::new(Some(Arc::<Told>::clone(&told)), BTreeSet::new());
    let ana = person("ana");
    let standing = async |second| rights.member(&ana.workspace, &ana, at(second)).await.map(|member| member.standing);
    assert_eq!(standing(0).await, Ok(Standing::Member));
    told.says(Ok(Member { standing: Standing::Guest, admin: false }));
    assert_eq!((standing(299).await, told.asked()), (Ok(Standing::Member), 1));
    assert_eq!((standing(300).await, told.asked()), (Ok(Standing::Guest), 2));
    told.says(Err(Fault::Unreachable));
    assert_eq!(standing(599).await, Ok(Standing::Guest));
    assert!(standing(601).await.is_err(), "what was believed long ago is not believed any more");
    told.says(Ok(ONE_OF_US));
    assert_eq!(standing(602).await, Ok(Standing::Member), "a fault is not remembered");
}

#[tokio::test]
async fn who_reads_along_is_believed_for_five_minutes_and_that_nobody_knows_for_one() {
    let told = Told::new();
    let rights = Rights::new(Some(Arc::<Told>::clone(&told)), BTreeSet::new());
    let (workspace, channel) = (person("ana").workspace, ChannelId::parse("C1").unwrap());
    let seen = async |second| rights.seen_conversation(&workspace, &channel, at(second)).await;
    let shared = Conversation { shared: true, ..Conversation::OWN };
    assert_eq!((seen(0).await, told.asked()), (Ok(Some(Conversation::OWN)), 1));
    *told.conversation.lock().unwrap() = Ok(shared);
    assert_eq!((seen(299).await, told.asked()), (Ok(Some(Conversation::OWN)), 1));
    assert_eq!((seen(300).await, told.asked()), (Ok(Some(shared)), 2));
    *told.conversation.lock().unwrap() = Err(Fault::Forbidden);
    assert_eq!((seen(600).await, seen(659).await, told.asked()), (Ok(None), Ok(None), 3));
    *told.conversation.lock().unwrap() = Err(Fault::Unreachable);
    assert!(seen(660).await.is_err(), "that it cannot be asked now says nothing");
    *told.conversation.lock().unwrap() = Ok(shared);
    assert_eq!(seen(661).await, Ok(Some(shared)));
    rights.forget_person(&person("ana"));
    assert!(rights.seen().conversations.is_empty());
}

#[tokio::test]
async fn whom_the_settings_name_is_not_asked_for() {
    let told = Told::new();
    told.says(Err(Fault::Unreachable));
    let rights = Rights::new(Some(Arc::<Told>::clone(&told)), BTreeSet::from([person("ana")]));
    let ana = person("ana");
    assert_eq!(rights.member(&ana.workspace, &ana, at(0)).await.map(|member| member.admin), Ok(true));
    let elsewhere = WorkspaceId::parse("T2").unwrap();
    assert!(rights.member(&elsewhere, &ana, at(0)).await.is_err(), "they are trusted in their own workspace only");
}

#[tokio::test]
async fn a_group_is_asked_for_once_in_a_while_and_one_that_is_gone_holds_nobody() {
    let told = Told::new();
    let rights = Rights::new(Some(Arc::<Told>::clone(&told)), BTreeSet::new());
    let workspace = person("ana").workspace;
    for (second, id, many, asked) in [(0, "S1", 1, 1), (1, "S1", 1, 1), (2, "S2", 0, 2), (300, "S1", 1, 3)] {
        let group = rights.group(&workspace, &GroupId::parse(id).unwrap(), at(second)).await.unwrap();
        assert_eq!((group.len(), told.asked()), (many, asked), "{id} at {second}");
    }
}

#[tokio::test]
async fn no_more_is_remembered_than_is_said() {
    let rights = Rights::new(Some(Told::new()), BTreeSet::new());
    for number in 0..=PEOPLE {
        let somebody = person(&format!("u{number}"));
        rights.member(&somebody.workspace, &somebody, at(0)).await.unwrap();
    }
    assert_eq!(rights.seen().members.len(), 1);
}

#[tokio::test]
async fn nothing_is_remembered_of_conversations_in_a_workspace_that_has_left() {
    let rights = Rights::new(Some(Told::new()), BTreeSet::new());
    let workspaces = ["T1", "T2"].map(|id| WorkspaceId::parse(id).unwrap());
    for workspace in &workspaces {
        rights.seen_conversation(workspace, &ChannelId::parse("C1").unwrap(), at(0)).await.unwrap();
    }
    rights.forget_workspace(&workspaces[0]);
    let left: Vec<WorkspaceId> = rights.seen().conversations.keys().map(|(workspace, _)| workspace.clone()).collect();
    assert_eq!(left, workspaces[1..]);
}

/// What people are, told to be forgotten by itself or with all memories.
struct Members {
    told: Arc<Told>,
    rights: Arc<Rights>,
    with_all: bool,
}

impl Members {
    fn new(with_all: bool) -> Self {
        let told = Told::new();
        let rights = Arc::new(Rights::new(Some(Arc::<Told>::clone(&told)), BTreeSet::new()));
        Self { told, rights, with_all }
    }
}

#[async_trait]
impl Stage for Members {
    fn memory(&self) -> Arc<dyn Forgets> {
        let rights: Arc<dyn Forgets> = self.rights.clone();
        if self.with_all { Arc::new(Memories::new(vec![rights])) } else { rights }
    }

    fn by(&self) -> &'static [By] {
        &[By::Person, By::Workspace]
    }

    async fn read(&mut self, reader: &Reader) {
        self.rights.member(&reader.person.workspace, &reader.person, at(0)).await.unwrap();
    }

    async fn known(&mut self, reader: &Reader) -> usize {
        let before = self.told.asked();
        self.read(reader).await;
        usize::from(self.told.asked() == before)
    }
}

#[tokio::test]
async fn people_are_forgotten_as_promised() {
    for with_all in [false, true] {
        all(async || Members::new(with_all)).await;
    }
}
