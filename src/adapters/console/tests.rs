//! A person at a terminal, played on paper.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use super::*;
use crate::domain::message::{Audience, ButtonStyle, code};
use crate::domain::names::{DeploymentId, UserId, WorkspaceId};

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn read(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

#[derive(Debug)]
struct Box_(Mutex<Vec<Incoming>>, Submitted);

#[async_trait]
impl Inbox for Box_ {
    async fn submit(&self, incoming: Incoming) -> Submitted {
        self.0.lock().unwrap().push(incoming);
        self.1
    }
}

#[derive(Debug, Default)]
struct Count(AtomicU64);

impl Ids for Count {
    fn fresh(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }
}

fn person(user: &str) -> Person {
    Person { workspace: WorkspaceId::parse("T1").unwrap(), user: UserId::parse(user).unwrap() }
}

fn console() -> (Console, Paper) {
    let paper = Paper::default();
    let settings = ConsoleSettings { person: person("ana"), channel: ChannelId::parse("terminal").unwrap() };
    (Console::new(settings, Box::new(paper.clone())), paper)
}

fn card(headline: &str) -> Message {
    Message::new(Tone::Working, Audience::Channel, vec![text(headline), code("27bd10a")])
}

fn cancel() -> Act {
    Act::Cancel(DeploymentId(Uuid::from_u128(7)))
}

#[tokio::test]
async fn a_card_moves_and_keeps_the_numbers_of_its_buttons() {
    let (console, paper) = console();
    let first = card("building ").line(vec![text("since 10:00")]).button("Cancel", cancel(), ButtonStyle::Danger);
    let said = console.say(&Addressee::Direct(person("ana")), &first).await.unwrap();
    assert_eq!(paper.read(), "[..] building 27bd10a\n     since 10:00\n     (1) Cancel\n");
    let Delivered::Editable(place) = said else { panic!("{said:?}") };
    console
        .amend(
            &place,
            &card("building ").line(vec![text("since 10:01")]).button("Cancel", cancel(), ButtonStyle::Danger),
            Urgency::Progress,
        )
        .await
        .unwrap();
    assert_eq!(paper.read(), "");
    console.amend(&place, &card("releasing ").button("Cancel", cancel(), ButtonStyle::Danger), Urgency::Progress).await.unwrap();
    assert_eq!(paper.read(), "[..] releasing 27bd10a\n");
    let retry = Act::Retry(DeploymentId(Uuid::from_u128(7)));
    console.amend(&place, &card("failed ").button("Retry", retry, ButtonStyle::Plain), Urgency::Now).await.unwrap();
    assert_eq!(paper.read(), "[..] failed 27bd10a\n     (2) Retry\n");

    let inbox = Box_(Mutex::default(), Submitted::Accepted);
    console.run(&b"1\n2\n"[..], &inbox, &Count::default(), &CancellationToken::new()).await.unwrap();
    let asks: Vec<Ask> = inbox.0.lock().unwrap().drain(..).map(|incoming| incoming.ask).collect();
    assert_eq!(asks, [Ask::Press { act: retry, on: Some(place) }]);
    assert_eq!(paper.read(), "[no] (only you) there is no button with this number\n");
}

#[tokio::test]
async fn a_line_is_a_command_of_this_person() {
    let (console, paper) = console();
    let inbox = Box_(Mutex::default(), Submitted::Accepted);
    console.run(&b"\n  help  \nhelp\n"[..], &inbox, &Count::default(), &CancellationToken::new()).await.unwrap();
    let asked = inbox.0.lock().unwrap();
    assert_eq!(asked.len(), 2);
    assert_ne!(asked[0].id, asked[1].id);
    assert_eq!(asked[0].origin.person, person("ana"));
    assert_eq!(asked[0].ask, Ask::Command(crate::domain::command::Command::Help { about: None }));
    assert_eq!(paper.read(), "");
}

#[tokio::test]
async fn what_was_not_kept_is_said() {
    let (console, paper) = console();
    let inbox = Box_(Mutex::default(), Submitted::Unavailable);
    console.run(&b"help\n"[..], &inbox, &Count::default(), &CancellationToken::new()).await.unwrap();
    assert!(paper.read().starts_with("[no] (only you) this could not be put on disk"));
}

#[tokio::test]
async fn a_stop_ends_the_reading() {
    let (console, _paper) = console();
    let inbox = Box_(Mutex::default(), Submitted::Accepted);
    let stop = CancellationToken::new();
    stop.cancel();
    console.run(&b"help\n"[..], &inbox, &Count::default(), &stop).await.unwrap();
    assert!(inbox.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn others_and_unknown_messages_are_not_found() {
    let (console, _paper) = console();
    let error = console.say(&Addressee::Direct(person("bob")), &card("x")).await.unwrap_err();
    assert_eq!(error.fault, Fault::NotFound);
    let error = console.amend(&console.place_of("99"), &card("x"), Urgency::Now).await.unwrap_err();
    assert_eq!(error.fault, Fault::NotFound);
}

#[tokio::test]
async fn what_was_not_understood_is_said_and_a_code_is_split_off() {
    let (console, paper) = console();
    let inbox = Box_(Mutex::default(), Submitted::Accepted);
    let lines = &b"deploi hubot 123456\ndeploy hubot to production 123456\n"[..];
    console.run(lines, &inbox, &Count::default(), &CancellationToken::new()).await.unwrap();
    let said = paper.read();
    assert!(said.starts_with("[no] (only you) ") && said.contains("deploi") && !said.contains("123456"), "{said}");
    let asked = inbox.0.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].code.is_some() && !format!("{:?}", asked[0]).contains("123456"));
}

#[tokio::test]
async fn a_form_asks_line_by_line_and_takes_no_command_for_a_code() {
    let (console, paper) = console();
    let inbox = Box_(Mutex::default(), Submitted::Accepted);
    let deployment = crate::domain::deployment::samples::deployment(crate::domain::deployment::Phase::Starting);
    let origin = Origin { person: person("ana"), channel: ChannelId::parse("terminal").unwrap(), reply: None };
    let by = DeliveryId::parse("1").unwrap();
    let form = speech::code_form(&deployment);
    assert_eq!(console.ask(&origin, &by, &form).await.unwrap(), Asked::Shown);
    assert!(paper.read().starts_with("[||] (only you) One-time code\n     hubot-staging wants a one-time code before"));
    console.run(&b"soon\n123 456\n"[..], &inbox, &Count::default(), &CancellationToken::new()).await.unwrap();
    let got: Vec<Incoming> = inbox.0.lock().unwrap().drain(..).collect();
    assert_eq!(
        got.iter().map(|incoming| (&incoming.ask, incoming.code.is_some())).collect::<Vec<_>>(),
        [(&Ask::Form(form.topic.clone()), true)]
    );
    let printed = paper.read();
    assert!(printed.contains("not shaped like a one-time code") && !printed.contains("123"), "{printed}");

    console.ask(&origin, &by, &form).await.unwrap();
    console.run(&b".\nhelp\n"[..], &inbox, &Count::default(), &CancellationToken::new()).await.unwrap();
    let asks: Vec<Ask> = inbox.0.lock().unwrap().drain(..).map(|incoming| incoming.ask).collect();
    assert_eq!(asks, [Ask::Command(crate::domain::command::Command::Help { about: None })]);
    let others = Origin { person: person("bob"), ..origin };
    assert_eq!(console.ask(&others, &by, &form).await.unwrap_err().fault, Fault::NotFound);
}
