//! What the way in promises, [`Inbox`]: of whoever takes requests, and of a chat's adapter that hands them over.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use uuid::Uuid;

use super::chat::{Seen, code_form};
use super::{Arranged, LeftOut, or_leave_out};
use crate::domain::actor::Origin;
use crate::domain::command::Command;
use crate::domain::form::{Draft, FieldName, Form, Objection, Suggestion, Topic};
use crate::domain::message::{Act, Audience, ButtonStyle, Message, Tone, text};
use crate::domain::names::{DeliveryId, DeploymentId, PipelineName};
use crate::domain::pipeline::PipelineKey;
use crate::domain::request::Ask;
use crate::domain::speech::{self, KnownOfPipeline};
use crate::ports::{Inbox, Incoming, Submitted};

/// Somebody who takes requests.
#[async_trait]
pub trait Stage: Send {
    /// The way in.
    fn inbox(&self) -> Arc<dyn Inbox>;

    /// Whoever asks. Nobody that the service would do anything outside for.
    fn origin(&self) -> Origin;

    /// Whether a request lies where a crash does not reach it.
    async fn is_kept(&self, id: &DeliveryId) -> bool;

    /// How many pages were shown, once everything is at rest. Nothing is taken after that.
    async fn pages(&mut self) -> usize;

    /// How many answers were said, once everything is at rest. Nothing is taken after that.
    async fn answers(&mut self) -> usize;

    /// From now on nothing can be put there any more.
    async fn close(&mut self) -> Arranged;
}

/// Holds whoever takes requests to what [`Inbox`] promises.
pub async fn all<S: Stage>(make: impl AsyncFn() -> S) -> LeftOut {
    let mut left_out = LeftOut::default();
    what_is_accepted_is_kept(make().await).await;
    a_delivery_is_answered_once(make().await).await;
    what_is_asked_on_the_way_keeps_nothing(make().await).await;
    left_out.note("nothing can be kept", what_cannot_be_kept_is_not_accepted(make().await).await);
    left_out
}

fn delivery(name: &str) -> DeliveryId {
    DeliveryId::parse(name).unwrap()
}

fn asking(stage: &impl Stage, id: &str) -> Incoming {
    Incoming { id: delivery(id), origin: stage.origin(), ask: Ask::Command(Command::Pipelines), code: None }
}

async fn what_is_accepted_is_kept(stage: impl Stage) {
    assert!(!stage.is_kept(&delivery("one")).await, "the stage keeps what nobody asked");
    assert_eq!(stage.inbox().submit(asking(&stage, "one")).await, Submitted::Accepted, "broken: a request is accepted");
    assert!(stage.is_kept(&delivery("one")).await, "broken: what is accepted lies on disk by then");
}

async fn a_delivery_is_answered_once(mut stage: impl Stage) {
    let inbox = stage.inbox();
    let many = futures_util::future::join_all((0..10).map(|_| inbox.submit(asking(&stage, "one")))).await;
    assert!(many.contains(&Submitted::Accepted), "broken: a delivery that comes many times is accepted: {many:?}");
    assert!(!many.contains(&Submitted::Unavailable), "broken: the others are accepted or known: {many:?}");
    assert_eq!(inbox.submit(asking(&stage, "two")).await, Submitted::Accepted, "broken: another delivery is another request");
    assert_eq!(stage.answers().await, 2, "broken: a delivery that comes many times is answered once");
}

async fn what_is_asked_on_the_way_keeps_nothing(mut stage: impl Stage) {
    let (inbox, by) = (stage.inbox(), stage.origin());
    let all = inbox.suggest(&by, &Topic::Ship(Draft::default()), FieldName::Pipeline).await;
    assert_eq!(all, [], "broken: whoever may see nothing is offered nothing, and that is no fault");
    let pipeline = PipelineKey::Name(PipelineName::parse("hubot").unwrap());
    match inbox.next_form(&by, &pipeline, &Draft::default()).await {
        Ok(form) => assert!(matches!(form.topic, Topic::ShipFrom { .. }), "broken: the next form ships from what was chosen: {form:?}"),
        Err(objections) => assert!(!objections.is_empty(), "broken: where there is no next form, it is said why"),
    }
    assert!(inbox.looked_at(&by).await, "broken: while we do not shut down, who looks at a page is noticed");
    assert_eq!(stage.pages().await, 1, "broken: a page that is looked at is shown anew, once");
    assert_eq!(stage.answers().await, 0, "broken: nothing is answered of what nobody asked for");
}

async fn what_cannot_be_kept_is_not_accepted(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.close().await);
    let submitted = stage.inbox().submit(asking(&stage, "late")).await;
    assert_eq!(submitted, Submitted::Unavailable, "broken: what cannot be put on disk is not accepted");
    Arranged::Done
}

/// A way in that keeps what comes and answers the same each time.
#[derive(Debug)]
pub struct Kept {
    got: Mutex<Vec<Incoming>>,
    looks: Mutex<Vec<Origin>>,
    sought: Mutex<Vec<(Origin, FieldName)>>,
    chosen: Mutex<Vec<(Origin, PipelineKey)>>,
    says: Submitted,
}

impl Kept {
    /// One that answers so.
    pub fn saying(says: Submitted) -> Arc<Self> {
        let (looks, sought, chosen) = (Mutex::default(), Mutex::default(), Mutex::default());
        Arc::new(Self { got: Mutex::default(), looks, sought, chosen, says })
    }

    /// What came since this was asked last.
    pub fn take(&self) -> Vec<Incoming> {
        taken(&self.got)
    }
}

fn taken<T>(of: &Mutex<Vec<T>>) -> Vec<T> {
    std::mem::take(&mut *of.lock().unwrap_or_else(PoisonError::into_inner))
}

fn put<T>(to: &Mutex<Vec<T>>, what: T) {
    to.lock().unwrap_or_else(PoisonError::into_inner).push(what);
}

#[async_trait]
impl Inbox for Kept {
    async fn submit(&self, incoming: Incoming) -> Submitted {
        put(&self.got, incoming);
        self.says
    }

    async fn suggest(&self, by: &Origin, _: &Topic, field: FieldName) -> Vec<Suggestion> {
        put(&self.sought, (by.clone(), field));
        vec![Suggestion::plain(OFFERED), Suggestion::plain("shop")]
    }

    async fn looked_at(&self, page_of: &Origin) -> bool {
        put(&self.looks, page_of.clone());
        true
    }

    async fn next_form(&self, by: &Origin, pipeline: &PipelineKey, draft: &Draft) -> Result<Form, Vec<Objection>> {
        put(&self.chosen, (by.clone(), pipeline.clone()));
        Ok(speech::ship_from_form(pipeline, draft, &KnownOfPipeline::default()))
    }
}

/// What is offered for the only field of a form, beside another.
const OFFERED: &str = "hubot";

/// A chat in which one person types and presses, wired to a way in of the suite's.
#[async_trait]
pub trait ChatStage: Send {
    /// Who types and where; the address for answers does not matter.
    fn origin(&self) -> Origin;

    /// The person types this where commands are typed: without whatever the chat wants before it.
    async fn types(&mut self, line: &str);

    /// What the person typed last comes once more, as chats deliver again what was not acknowledged.
    async fn delivers_again(&mut self) -> Arranged;

    /// The adapter says this in the conversation, and the person presses its only button.
    async fn presses(&mut self, message: &Message) -> Arranged;

    /// The adapter brings up this form for the person, who has just done something, and the person puts this into its only field and
    /// sends it.
    async fn fills_in(&mut self, form: &Form, value: &str) -> Arranged {
        let _ = (form, value);
        Arranged::Cannot("this chat has no forms")
    }

    /// The person looks at the page that the chat has for us and them.
    async fn looks_at_page(&mut self) -> Arranged {
        Arranged::Cannot("this chat has no pages of its people")
    }

    /// The adapter brings up this form, and the person types this into its only field, whose answers are sought; what is offered then.
    async fn seeks(&mut self, form: &Form, typed: &str) -> Result<Vec<String>, &'static str> {
        let _ = (form, typed);
        Err("this chat has no fields in which one seeks")
    }

    /// The person chooses this of what is offered for the only field of the form that came up last, and sends it.
    async fn chooses(&mut self, form: &Form, chosen: &str) -> Arranged {
        let _ = (form, chosen);
        Arranged::Cannot("this chat has no fields in which one seeks")
    }

    /// What the person sees now.
    async fn seen(&mut self) -> Vec<Seen>;
}

/// Holds a chat's adapter to what has to be true of [`Incoming`]; `make` wires a new chat to the way in that it is given.
pub async fn of_a_chat<S: ChatStage>(make: impl AsyncFn(Arc<dyn Inbox>) -> S) -> LeftOut {
    let mut left_out = LeftOut::default();
    let kept = || Kept::saying(Submitted::Accepted);
    let inbox = kept();
    a_line_is_a_command(make(Arc::<Kept>::clone(&inbox)).await, &inbox).await;
    let inbox = kept();
    a_code_is_split_off(make(Arc::<Kept>::clone(&inbox)).await, &inbox).await;
    let inbox = kept();
    what_is_not_understood_is_answered_at_once(make(Arc::<Kept>::clone(&inbox)).await, &inbox).await;
    let inbox = kept();
    left_out.note("a press", a_press_is_an_act(make(Arc::<Kept>::clone(&inbox)).await, &inbox).await);
    let inbox = kept();
    left_out.note("delivered again", the_same_delivery_has_the_same_id(make(Arc::<Kept>::clone(&inbox)).await, &inbox).await);
    let inbox = kept();
    left_out.note("a form", a_form_is_read(make(Arc::<Kept>::clone(&inbox)).await, &inbox).await);
    let inbox = kept();
    left_out.note("a page", a_look_at_a_page_comes_in(make(Arc::<Kept>::clone(&inbox)).await, &inbox).await);
    let inbox = kept();
    left_out.note("a choice", a_choice_leads_on(make(Arc::<Kept>::clone(&inbox)).await, &inbox).await);
    let closed = Kept::saying(Submitted::Unavailable);
    what_was_not_taken_is_told(make(Arc::<Kept>::clone(&closed)).await, &closed).await;
    left_out
}

#[track_caller]
fn only(inbox: &Kept) -> Incoming {
    let mut got = inbox.take();
    assert_eq!(got.len(), 1, "broken: what is typed or pressed once comes once: {got:?}");
    got.remove(0)
}

async fn a_line_is_a_command(mut stage: impl ChatStage, inbox: &Kept) {
    stage.types("  Pipelines ").await;
    let first = only(inbox);
    assert_eq!(first.ask, Ask::Command(Command::Pipelines), "broken: a line is a command, whatever its letters' case");
    assert_eq!(
        (&first.origin.person, &first.origin.channel),
        (&stage.origin().person, &stage.origin().channel),
        "broken: who asked, where"
    );
    assert!(first.code.is_none(), "broken: no code is made up");
    stage.types("pipelines").await;
    assert_ne!(only(inbox).id, first.id, "broken: a second command is another delivery");
}

async fn a_code_is_split_off(mut stage: impl ChatStage, inbox: &Kept) {
    stage.types("deploy hubot to production 918273").await;
    let got = only(inbox);
    assert!(got.code.is_some(), "broken: a one-time code comes beside the command");
    let told = format!("{got:?} {:?}", got.ask);
    assert!(!told.contains("918273"), "broken: nothing but the code itself holds the code: {}", told.replace("918273", "***"));
    let seen = stage.seen().await;
    let public = seen.iter().filter(|seen| seen.only.is_none()).any(|seen| seen.text.contains("918273"));
    assert!(!public, "broken: a code is never shown to the conversation");
}

async fn what_is_not_understood_is_answered_at_once(mut stage: impl ChatStage, inbox: &Kept) {
    let before = stage.seen().await.len();
    stage.types("deplyo hubot").await;
    assert!(inbox.take().is_empty(), "broken: what is not understood is not submitted");
    let seen = stage.seen().await;
    let answers: Vec<&Seen> = seen.iter().skip(before).filter(|seen| seen.text.contains("deploy")).collect();
    assert!(!answers.is_empty(), "broken: what is not understood is answered at once, with the nearest word: {seen:#?}");
    assert!(answers.iter().all(|seen| seen.only == Some(stage.origin().person)), "broken: such an answer is for the asker: {seen:#?}");
}

async fn a_press_is_an_act(mut stage: impl ChatStage, inbox: &Kept) -> Arranged {
    let act = Act::ShowOutput(DeploymentId(Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_0001)));
    let message = Message::new(Tone::Bad, Audience::Channel, vec![text("something failed")]).button("Show output", act, ButtonStyle::Plain);
    or_leave_out!(stage.presses(&message).await);
    let got = only(inbox);
    match got.ask {
        Ask::Press { act: pressed, .. } => assert_eq!(pressed, act, "broken: a press does what its button says"),
        Ask::Command(_) | Ask::OnPage(_) | Ask::Form(_) | Ask::Filled(_) | Ask::Reasoned { .. } | Ask::Ship(_) => {
            panic!("broken: a press is a press: {got:?}")
        }
    }
    assert_eq!((&got.origin.person, &got.origin.channel), (&stage.origin().person, &stage.origin().channel), "broken: who pressed, where");
    Arranged::Done
}

async fn a_form_is_read(mut stage: impl ChatStage, inbox: &Kept) -> Arranged {
    let form = code_form();
    or_leave_out!(stage.fills_in(&form, "soon").await);
    assert!(inbox.take().iter().all(|got| !matches!(got.ask, Ask::Form(_))), "broken: what is objected to is not submitted");
    or_leave_out!(stage.fills_in(&form, "918 273").await);
    let got = inbox.take().into_iter().find(|got| matches!(got.ask, Ask::Form(_)));
    let Some(got) = got else { panic!("broken: a form that was sent comes in as one") };
    assert_eq!(got.ask, Ask::Form(form.topic), "broken: a form that was sent is about what it was about");
    assert!(got.code.is_some(), "broken: the code that was put into a form comes beside it");
    let told = format!("{got:?}");
    assert!(!told.contains("918273") && !told.contains("918 273"), "broken: nothing but the code itself holds the code");
    assert_eq!((&got.origin.person, &got.origin.channel), (&stage.origin().person, &stage.origin().channel), "broken: who sent it, where");
    let seen = stage.seen().await;
    let public = seen.iter().filter(|seen| seen.only.is_none()).any(|seen| seen.text.contains("918"));
    assert!(!public, "broken: what is put into a form is never shown to the conversation");
    Arranged::Done
}

async fn a_look_at_a_page_comes_in(mut stage: impl ChatStage, inbox: &Kept) -> Arranged {
    or_leave_out!(stage.looks_at_page().await);
    let looks = taken(&inbox.looks);
    let [look] = looks.as_slice() else { panic!("broken: a look at a page comes in once: {looks:?}") };
    assert_eq!(look.person, stage.origin().person, "broken: whose page it is");
    assert!(inbox.take().is_empty(), "broken: a look asks for nothing");
    Arranged::Done
}

async fn a_choice_leads_on(mut stage: impl ChatStage, inbox: &Kept) -> Arranged {
    let form = speech::ship_form(&Draft::default(), "/h");
    let offered = match stage.seeks(&form, "hub").await {
        Ok(offered) => offered,
        Err(why) => return Arranged::Cannot(why),
    };
    let sought = taken(&inbox.sought);
    let asked = sought.first().map(|(by, field)| (by.person.clone(), *field));
    assert_eq!(asked, Some((stage.origin().person, FieldName::Pipeline)), "broken: who seeks, and for which field: {sought:?}");
    assert_eq!(offered, [OFFERED], "broken: of all that may be put there, what fits is offered");
    or_leave_out!(stage.chooses(&form, OFFERED).await);
    let chosen = taken(&inbox.chosen);
    let [(by, pipeline)] = chosen.as_slice() else { panic!("broken: what was chosen leads on once: {chosen:?}") };
    assert_eq!((&by.person, pipeline.to_string().as_str()), (&stage.origin().person, OFFERED), "broken: who chose, and what");
    assert!(inbox.take().iter().all(|got| !matches!(got.ask, Ask::Ship(_))), "broken: nothing ships before all is put in");
    Arranged::Done
}

async fn the_same_delivery_has_the_same_id(mut stage: impl ChatStage, inbox: &Kept) -> Arranged {
    stage.types("pipelines").await;
    let first = only(inbox);
    or_leave_out!(stage.delivers_again().await);
    assert_eq!(only(inbox).id, first.id, "broken: what a chat delivers again has the same id");
    Arranged::Done
}

async fn what_was_not_taken_is_told(mut stage: impl ChatStage, inbox: &Kept) {
    let before = stage.seen().await.len();
    stage.types("pipelines").await;
    only(inbox);
    let seen = stage.seen().await;
    let told = seen.iter().skip(before).any(|seen| seen.only == Some(stage.origin().person));
    assert!(told, "broken: a person whose request was not taken is told: {seen:#?}");
}
