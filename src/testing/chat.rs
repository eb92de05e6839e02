//! What a chat promises: [`Chat`].

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use uuid::Uuid;

use super::{Arranged, LeftOut, fault_of, or_leave_out, tells_no_secret, value_of};
use crate::domain::actor::{Origin, Person};
use crate::domain::deployment::MessageRef;
use crate::domain::fault::Fault;
use crate::domain::form::{Entry, Field, FieldName, Form, Topic};
use crate::domain::message::{Act, Audience, ButtonStyle, Message, Tone, code, link, text};
use crate::domain::names::{DeliveryId, DeploymentId};
use crate::domain::page::{Page, PageAct, PageButton, Part, Row};
use crate::ports::{Addressee, Asked, Chat, Clock, Delivered, Urgency};

/// A message as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// All there is to read, buttons too.
    pub text: String,
    /// The only person who sees it; `None`: everybody in the conversation.
    pub only: Option<Person>,
    /// What the chat makes of it beyond words: mentions of people, links, what a terminal would obey. Bold type does not count.
    pub effects: Vec<String>,
}

/// A chat with one conversation, in which somebody has asked for something and the adapter may speak. Several stages may share the
/// conversation, if no two speak in it at once.
#[async_trait]
pub trait Stage: Send {
    /// The adapter.
    fn chat(&self) -> Arc<dyn Chat>;

    /// The time that the adapter was given. A pause must not take long in real time.
    fn clock(&self) -> Arc<dyn Clock>;

    /// Who asked, and where.
    fn origin(&self) -> Origin;

    /// What no error may tell: the token, for one. Each of six letters or more.
    fn secrets(&self) -> Vec<String>;

    /// What has been said since the stage was set and stands now, oldest first.
    async fn seen(&mut self) -> Vec<Seen>;

    /// Whether nobody but the person who asked can see the conversation.
    fn is_alone(&self) -> bool {
        false
    }

    /// Whether forms, pages, and messages in a conversation of many that one person sees, can be looked at. Where they cannot, it is
    /// still looked that nobody else sees them.
    fn shows_what_is_for_one(&self) -> Arranged {
        Arranged::Done
    }

    /// Whether the words before a change stay to be read, as on a terminal.
    fn keeps_old_words(&self) -> bool {
        false
    }

    /// Takes a message away for good.
    async fn remove(&mut self, what: &MessageRef) -> Arranged;

    /// From now on the adapter may not speak in the conversation, and may still speak to the person who asked.
    async fn shut_out(&mut self) -> Arranged;

    /// The next message or change comes too soon: it may be made in this many seconds.
    async fn limit(&mut self, seconds: u32) -> Arranged;

    /// The next message is said, and the adapter does not hear that it was.
    async fn lose_answer(&mut self) -> Arranged;

    /// The person does something now; what it was delivered as, or why nobody can make them do it. A form may come up by it.
    async fn does_something(&mut self) -> Result<DeliveryId, &'static str> {
        Ok(DeliveryId::parse("did-something").unwrap())
    }

    /// The forms that people see now.
    async fn forms(&mut self) -> Vec<Seen> {
        Vec::new()
    }

    /// The pages that people have now, with what stands on them.
    async fn pages(&mut self) -> Vec<Seen> {
        Vec::new()
    }

    /// So much time passes that what was done opens no form any more.
    async fn dawdle(&mut self) -> Arranged {
        Arranged::Cannot("a form is never too late here")
    }

    /// From now on the adapter's own sign-in is not accepted.
    async fn withdraw_sign_in(&mut self) -> Arranged;
}

/// The whole suite; `make` sets a new stage for each part of it.
pub async fn all<S: Stage>(make: impl AsyncFn() -> S) -> LeftOut {
    let mut left_out = LeftOut::default();
    an_answer_for_all_is_seen_by_all(make().await).await;
    a_card_can_be_changed(make().await).await;
    left_out.note("an answer for one", an_answer_for_one_is_seen_by_nobody_else(make().await).await);
    left_out.note("a card for one", what_is_for_one_never_becomes_a_card_for_all(make().await).await);
    a_direct_message_is_for_one(make().await).await;
    text_from_outside_does_nothing(make().await).await;
    nothing_is_too_long(make().await).await;
    a_place_is_told(make().await).await;
    left_out.note("a standing", its_standing_is_told(make().await).await);
    left_out.note("a standing where it is shut", a_standing_where_it_may_not_speak(make().await).await);
    left_out.note("a place that is shut", a_place_that_is_shut_is_told_as_that(make().await).await);
    left_out.note("below a card", what_is_said_below_a_card_stands_there(make().await).await);
    left_out.note("a message that is gone", a_message_that_is_gone(make().await).await);
    left_out.note("shut out", where_it_may_not_speak_the_person_hears_it(make().await).await);
    left_out.note("a short limit", a_short_limit_is_waited_out(make().await).await);
    left_out.note("a long limit", a_long_limit_comes_back(make().await).await);
    left_out.note("a limit on cards", nothing_is_waited_for_with_cards(make().await).await);
    left_out.note("a lost answer", nothing_is_said_twice(make().await).await);
    left_out.note("sign-in withdrawn", a_lost_sign_in_is_told(make().await).await);
    left_out.note("a form", a_form_comes_up_for_one(make().await).await);
    left_out.note("a page", a_page_is_shown_to_one(make().await).await);
    left_out.note("a form too late", a_form_that_is_too_late_is_told(make().await).await);
    left_out
}

/// A form that asks for a code.
pub(super) fn code_form() -> Form {
    Form {
        topic: Topic::Code(DeploymentId(Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_0001))),
        title: "A-code-please".to_owned(),
        lines: vec![vec![text("why-it-is-wanted "), code(FROM_OUTSIDE)]],
        fields: vec![Field {
            name: FieldName::Code,
            label: "The-code".to_owned(),
            hint: "where-it-goes".to_owned(),
            entry: Entry::Secret { longest: 64 },
            optional: false,
            given: None,
        }],
        submit: "Hand-over".to_owned(),
    }
}

async fn a_form_comes_up_for_one(mut stage: impl Stage) -> Arranged {
    let chat = stage.chat();
    let (by, form) = match stage.does_something().await {
        Ok(by) => (by, code_form()),
        Err(why) => return Arranged::Cannot(why),
    };
    let before = stage.seen().await;
    if !chat.has_forms() {
        let fault = fault_of(chat.ask(&stage.origin(), &by, &form).await, "a chat without forms brings up none");
        assert_eq!(fault, Fault::Refused, "broken: a chat without forms says so");
        assert_eq!(stage.seen().await, before, "broken: a chat without forms says nothing in place of one");
        return Arranged::Cannot("it has no forms");
    }
    assert_eq!(value_of(chat.ask(&stage.origin(), &by, &form).await, "a form comes up"), Asked::Shown);
    let forms = stage.forms().await;
    let [seen] = forms.as_slice() else { panic!("broken: a form comes up once: {forms:#?}") };
    is_for_one(&stage, seen, "a form is seen by nobody but whoever asked for it");
    for part in ["A-code-please", "why-it-is-wanted", "The-code", "where-it-goes"] {
        assert!(seen.text.contains(part), "broken: all of a form is shown; `{part}` is missing in {seen:#?}");
    }
    assert!(seen.effects.is_empty(), "broken: text from outside does nothing in a form either: {seen:#?}");
    let public = |seen: &[Seen]| seen.iter().filter(|seen| seen.only.is_none()).cloned().collect::<Vec<_>>();
    assert_eq!(public(&stage.seen().await), public(&before), "broken: nobody else sees that a form came up");
    // Nobody knows whether it came up the first time: it does not come up twice.
    value_of(chat.ask(&stage.origin(), &by, &form).await, "a form may be asked for again");
    assert_eq!(stage.forms().await.len(), 1, "broken: a form comes up once");
    let long =
        Form { title: "w".repeat(500), lines: vec![vec![text("<&>é🙂".repeat(2000))]; 60], submit: "s".repeat(500), ..code_form() };
    let by = match stage.does_something().await {
        Ok(by) => by,
        Err(why) => return Arranged::Cannot(why),
    };
    assert_eq!(value_of(chat.ask(&stage.origin(), &by, &long).await, "forms are cut to fit"), Asked::Shown);
    Arranged::Done
}

/// A page with a button.
fn page(words: &str, rows: usize) -> Page {
    let button = PageButton { label: "Press-on-it".to_owned(), act: PageAct::UnlockAll, style: ButtonStyle::Danger };
    let row = Row { lines: vec![vec![text(words), code(FROM_OUTSIDE)]], buttons: vec![button] };
    let note = Some(message(Audience::Asker, "what-came-of-it"));
    Page { note, parts: vec![Part { title: "The-title".to_owned(), rows: vec![row; rows] }], conversation: None }
}

async fn a_page_is_shown_to_one(mut stage: impl Stage) -> Arranged {
    let (chat, person) = (stage.chat(), stage.origin().person);
    or_leave_out!(stage.shows_what_is_for_one());
    let before = stage.seen().await;
    let shown = chat.show_page(&person, &page("at-first", 1)).await;
    if let Err(error) = shown {
        assert_eq!(error.fault, Fault::Refused, "broken: a chat without pages says so");
        assert_eq!(stage.seen().await, before, "broken: a chat without pages says nothing in place of one");
        return Arranged::Cannot("it has no pages of its people");
    }
    let pages = stage.pages().await;
    let [seen] = pages.as_slice() else { panic!("broken: a page is there once: {pages:#?}") };
    is_for_one(&stage, seen, "a page is seen by nobody but whose it is");
    for part in ["what-came-of-it", "The-title", "at-first", "Press-on-it"] {
        assert!(seen.text.contains(part), "broken: all of a page is shown; `{part}` is missing in {seen:#?}");
    }
    assert!(seen.effects.is_empty(), "broken: text from outside does nothing on a page either: {seen:#?}");
    assert_eq!(stage.seen().await, before, "broken: a page says nothing anywhere else");
    let long = page(&"then <&>é🙂".repeat(600), 200);
    value_of(chat.show_page(&person, &long).await, "pages are cut to fit");
    let pages = stage.pages().await;
    let [seen] = pages.as_slice() else { panic!("broken: a page is there once: {pages:#?}") };
    assert!(seen.text.contains("then") && !seen.text.contains("at-first"), "broken: a page takes the place of what stood there: {seen:#?}");
    Arranged::Done
}

async fn a_form_that_is_too_late_is_told(mut stage: impl Stage) -> Arranged {
    if !stage.chat().has_forms() {
        return Arranged::Cannot("it has no forms");
    }
    let by = match stage.does_something().await {
        Ok(by) => by,
        Err(why) => return Arranged::Cannot(why),
    };
    or_leave_out!(stage.dawdle().await);
    let asked = value_of(stage.chat().ask(&stage.origin(), &by, &code_form()).await, "that a form is too late is no fault");
    assert_eq!(asked, Asked::TooLate, "broken: a form that is too late is told");
    let forms = stage.forms().await;
    assert!(forms.is_empty(), "broken: a form that is too late does not come up: {forms:#?}");
    Arranged::Done
}

fn message(audience: Audience, headline: &str) -> Message {
    Message::new(Tone::Info, audience, vec![text(headline)])
}

/// The one message that says this.
#[track_caller]
fn one(seen: &[Seen], words: &str) -> Seen {
    let found: Vec<&Seen> = seen.iter().filter(|seen| seen.text.contains(words)).collect();
    assert_eq!(found.len(), 1, "broken: what is said stands there once; `{words}` stands in {found:#?} of {seen:#?}");
    found[0].clone()
}

/// Whether a message is seen by one person only.
#[track_caller]
fn is_for_one(stage: &impl Stage, seen: &Seen, promise: &str) {
    assert_eq!(seen.only, Some(stage.origin().person), "broken: {promise}");
}

/// Looks that this is seen by one person only.
async fn stands_for_one(stage: &mut impl Stage, words: &str, promise: &str) -> Arranged {
    let seen = stage.seen().await;
    let for_all: Vec<&Seen> = seen.iter().filter(|seen| seen.text.contains(words) && seen.only.is_none()).collect();
    assert!(for_all.is_empty(), "broken: {promise}: {for_all:#?}");
    or_leave_out!(stage.shows_what_is_for_one());
    is_for_one(stage, &one(&seen, words), promise);
    Arranged::Done
}

async fn an_answer_for_all_is_seen_by_all(mut stage: impl Stage) {
    let to = Addressee::Answer(stage.origin());
    let open = message(Audience::Channel, "said-to-all").line(vec![text("with a line "), code("and-a-name")]).button(
        "Press me",
        Act::Cancel(DeploymentId(Uuid::from_u128(1))),
        ButtonStyle::Plain,
    );
    value_of(stage.chat().say(&to, &open).await, "an answer is said");
    let seen = one(&stage.seen().await, "said-to-all");
    assert_eq!(seen.only, None, "broken: an answer for the conversation is seen by all of it");
    for part in ["with a line", "and-a-name", "Press me"] {
        assert!(seen.text.contains(part), "broken: all of a message is said; `{part}` is missing in {seen:?}");
    }
}

async fn an_answer_for_one_is_seen_by_nobody_else(mut stage: impl Stage) -> Arranged {
    let to = Addressee::Answer(stage.origin());
    value_of(stage.chat().say(&to, &message(Audience::Asker, "said-to-one")).await, "an answer is said");
    stands_for_one(&mut stage, "said-to-one", "an answer for the asker is seen by nobody else").await
}

/// Says a card where that can be changed.
async fn card(stage: &impl Stage, headline: &str) -> MessageRef {
    let said = stage.chat().say(&Addressee::Card(stage.origin()), &message(Audience::Channel, headline)).await;
    match value_of(said, "a card is said where the adapter may speak") {
        Delivered::Editable(place) => place,
        Delivered::Final => panic!("broken: a card can be edited where the adapter may speak"),
    }
}

async fn a_card_can_be_changed(mut stage: impl Stage) {
    let place = card(&stage, "the-card-at-first").await;
    let other = card(&stage, "another-card").await;
    assert_ne!(place, other, "broken: each message has a name of its own");
    assert_eq!(one(&stage.seen().await, "the-card-at-first").only, None, "broken: a card is seen by all of the conversation");
    value_of(stage.chat().amend(&place, &message(Audience::Channel, "the-card-at-last"), Urgency::Now).await, "a card can be changed");
    let seen = stage.seen().await;
    assert_eq!(one(&seen, "the-card-at-last").only, None, "broken: a changed card is seen by all of the conversation");
    one(&seen, "another-card");
    let old = seen.iter().any(|seen| seen.text.contains("the-card-at-first"));
    assert_eq!(old, stage.keeps_old_words(), "broken: a change takes the place of what was said");
    value_of(
        stage.chat().amend(&place, &message(Audience::Channel, "the-card-at-last"), Urgency::Now).await,
        "the same change may come again",
    );
    one(&stage.seen().await, "the-card-at-last");
}

async fn what_is_for_one_never_becomes_a_card_for_all(mut stage: impl Stage) -> Arranged {
    let said = stage.chat().say(&Addressee::Card(stage.origin()), &message(Audience::Asker, "a-private-card")).await;
    value_of(said, "a card for one person is said to that person");
    stands_for_one(&mut stage, "a-private-card", "the audience decides who sees it").await
}

async fn a_direct_message_is_for_one(mut stage: impl Stage) {
    let person = stage.origin().person;
    for (audience, words) in [(Audience::Asker, "a-word-to-you"), (Audience::Channel, "another-word-to-you")] {
        let said = stage.chat().say(&Addressee::Direct(person.clone()), &message(audience, words)).await;
        value_of(said, "a direct message is said");
        let seen = one(&stage.seen().await, words);
        if !stage.is_alone() {
            is_for_one(&stage, &seen, "a direct message is seen by nobody else");
        }
    }
}

fn place_of(stage: &impl Stage) -> Addressee {
    let origin = stage.origin();
    Addressee::Place(origin.person.workspace, origin.channel)
}

async fn a_place_is_told(mut stage: impl Stage) {
    let said = stage.chat().say(&place_of(&stage), &message(Audience::Channel, "news-for-all")).await;
    value_of(said, "a conversation is told where the adapter may speak");
    assert_eq!(one(&stage.seen().await, "news-for-all").only, None, "broken: what a conversation is told is seen by all of it");
}

async fn its_standing_is_told(mut stage: impl Stage) -> Arranged {
    let note = message(Audience::Asker, "how-it-stands");
    let standing = value_of(stage.chat().standing(&stage.origin(), &note).await, "how a chat takes us is told");
    assert!(standing.speaks_here, "broken: where the adapter may speak, that is told: {standing:?}");
    stands_for_one(&mut stage, "how-it-stands", "what is said to find that out is for the asker alone").await
}

async fn a_standing_where_it_may_not_speak(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.shut_out().await);
    let note = message(Audience::Asker, "how-it-stands");
    let standing = value_of(stage.chat().standing(&stage.origin(), &note).await, "that the adapter may not speak is no fault");
    assert!(!standing.speaks_here, "broken: where the adapter may not speak, that is told: {standing:?}");
    let seen = stage.seen().await;
    assert!(seen.iter().all(|seen| !seen.text.contains("how-it-stands")), "broken: it is said by no other way: {seen:#?}");
    Arranged::Done
}

async fn what_is_said_below_a_card_stands_there(mut stage: impl Stage) -> Arranged {
    let card = card(&stage, "a-card-with-a-story").await;
    let before = stage.seen().await;
    let below = |for_all| Addressee::Below { card: card.clone(), for_all };
    if let Err(error) = stage.chat().say(&below(false), &message(Audience::Channel, "said-below")).await {
        assert_eq!(error.fault, Fault::Refused, "broken: a chat with nothing below its messages says so");
        assert_eq!(stage.seen().await, before, "broken: what cannot be said below a card is said nowhere else");
        return Arranged::Cannot("nothing stands below its messages");
    }
    assert_eq!(one(&stage.seen().await, "said-below").only, None, "broken: what is said below a card is seen by all who follow it");
    value_of(stage.chat().say(&below(true), &message(Audience::Channel, "said-to-all-below")).await, "the end is said below a card");
    one(&stage.seen().await, "said-to-all-below");
    one(&stage.seen().await, "a-card-with-a-story");
    Arranged::Done
}

async fn a_place_that_is_shut_is_told_as_that(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.shut_out().await);
    let said = stage.chat().say(&place_of(&stage), &message(Audience::Channel, "news-for-nobody")).await;
    let fault = fault_of(said, "where the adapter may not speak, that is told");
    assert!(matches!(fault, Fault::NotFound | Fault::Forbidden), "broken: where the adapter may not speak is told as that: {fault:?}");
    let seen = stage.seen().await;
    assert!(seen.iter().all(|seen| !seen.text.contains("news-for-nobody")), "broken: it is said nowhere else instead: {seen:#?}");
    Arranged::Done
}

/// What others may have written into names, descriptions and output.
const FROM_OUTSIDE: &str = "<!channel> <!here> <@U2> @everyone @channel <#C1> <https://evil.example|safe> https://evil.example \
                            [safe](https://evil.example) <script>x</script> *b* _i_ `c` ``` \u{1b}[31mred\u{7}\u{202e}";

async fn text_from_outside_does_nothing(mut stage: impl Stage) {
    let mut hostile = message(Audience::Channel, &format!("from-here {FROM_OUTSIDE} to-there"))
        .line(vec![text(FROM_OUTSIDE), code(FROM_OUTSIDE)])
        .line(vec![text("the-last-line")]);
    hostile.output = Some(format!("first-line-of-output\n{FROM_OUTSIDE}\nlast-line-of-output"));
    let to = Addressee::Answer(stage.origin());
    value_of(stage.chat().say(&to, &hostile).await, "text from outside is said like any other");
    let seen = one(&stage.seen().await, "from-here");
    assert!(seen.effects.is_empty(), "broken: text from outside can neither mention people nor make links or markup: {seen:#?}");
    for part in ["to-there", "the-last-line", "first-line-of-output", "last-line-of-output"] {
        assert!(seen.text.contains(part), "broken: text from outside does not swallow ours; `{part}` is missing in {seen:#?}");
    }
    let place = card(&stage, "a-card-to-change").await;
    let changed = Message { headline: vec![text(format!("changed-to {FROM_OUTSIDE}"))], ..hostile.clone() };
    value_of(stage.chat().amend(&place, &changed, Urgency::Now).await, "text from outside is said like any other");
    let seen = one(&stage.seen().await, "changed-to");
    assert!(seen.effects.is_empty(), "broken: text from outside does nothing in a change either: {seen:#?}");
    // A link of ours is one, and leads where we say.
    let linked = Message::new(Tone::Info, Audience::Channel, vec![text("our-own "), link("page", "https://ours.example/page")]);
    value_of(stage.chat().say(&to, &linked).await, "a link is said");
    let seen = one(&stage.seen().await, "our-own");
    let leads = seen.effects.iter().chain([&seen.text]).any(|what| what.contains("https://ours.example/page"));
    assert!(leads, "broken: a link leads where it says: {seen:#?}");
}

async fn nothing_is_too_long(mut stage: impl Stage) {
    let mut long = message(Audience::Channel, &format!("long-begins {}", "w".repeat(20_000)));
    for number in 0..400 {
        long = long.line(vec![text(format!("line {number} {}", "<&>é🙂".repeat(100)))]);
    }
    long.output = Some(format!("{}\nthe-end-of-output", "o".repeat(200_000)));
    let to = Addressee::Answer(stage.origin());
    value_of(stage.chat().say(&to, &long).await, "messages are cut to fit and never refused for their length");
    one(&stage.seen().await, "long-begins");
    let place = card(&stage, "short").await;
    let longer = Message { headline: vec![text(format!("longer-now {}", "w".repeat(20_000)))], ..long };
    value_of(stage.chat().amend(&place, &longer, Urgency::Now).await, "changes are cut to fit and never refused for their length");
    one(&stage.seen().await, "longer-now");
}

async fn a_message_that_is_gone(mut stage: impl Stage) -> Arranged {
    let place = card(&stage, "soon-gone").await;
    or_leave_out!(stage.remove(&place).await);
    let changed = stage.chat().amend(&place, &message(Audience::Channel, "changed-in-vain"), Urgency::Now).await;
    assert_eq!(fault_of(changed, "a message that is gone cannot be changed"), Fault::NotFound, "broken: what is gone is not found");
    let seen = stage.seen().await;
    assert!(seen.iter().all(|seen| !seen.text.contains("changed-in-vain")), "broken: what is gone does not come back: {seen:#?}");
    Arranged::Done
}

async fn where_it_may_not_speak_the_person_hears_it(mut stage: impl Stage) -> Arranged {
    let to = Addressee::Card(stage.origin());
    value_of(stage.chat().say(&to, &message(Audience::Channel, "as-usual")).await, "a card is said");
    let usual = one(&stage.seen().await, "as-usual").text;
    or_leave_out!(stage.shut_out().await);
    let said = stage.chat().say(&to, &message(Audience::Channel, "shut-out")).await;
    value_of(said, "where the adapter may not speak, a card takes another way to the person");
    let seen = one(&stage.seen().await, "shut-out").text;
    assert!(seen.len() > usual.len() + 20, "broken: a card that took another way says so: {seen:?}");
    let private = stage.chat().say(&Addressee::Answer(stage.origin()), &message(Audience::Asker, "a-private-answer")).await;
    value_of(private, "an answer for one person takes another way as well");
    let seen = one(&stage.seen().await, "a-private-answer");
    is_for_one(&stage, &seen, "an answer that took another way is still for nobody else");
    Arranged::Done
}

fn seconds(from: jiff::Timestamp, to: jiff::Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

async fn a_short_limit_is_waited_out(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.limit(3).await);
    let began = stage.clock().now();
    let said = stage.chat().say(&Addressee::Answer(stage.origin()), &message(Audience::Channel, "after-a-wait")).await;
    value_of(said, "a limit is waited out within a bound");
    assert!(seconds(began, stage.clock().now()) >= 3, "broken: a limit is kept to");
    one(&stage.seen().await, "after-a-wait");
    Arranged::Done
}

async fn a_long_limit_comes_back(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.limit(7200).await);
    let began = stage.clock().now();
    let said = stage.chat().say(&Addressee::Answer(stage.origin()), &message(Audience::Channel, "far-too-soon")).await;
    match fault_of(said, "a limit beyond the bound is not waited out") {
        Fault::RateLimited { until: Some(until) } => {
            assert!(until >= began + SignedDuration::from_secs(7000), "broken: when it may be tried again is told: {until}");
        }
        other => panic!("broken: a limit beyond the bound comes back as such, and not as {other:?}"),
    }
    let seen = stage.seen().await;
    assert!(seen.iter().all(|seen| !seen.text.contains("far-too-soon")), "broken: what was refused was not said: {seen:#?}");
    Arranged::Done
}

async fn nothing_is_waited_for_with_cards(mut stage: impl Stage) -> Arranged {
    let place = card(&stage, "a-card-in-haste").await;
    or_leave_out!(stage.limit(3).await);
    let began = stage.clock().now();
    let changed = stage.chat().amend(&place, &message(Audience::Channel, "changed-in-haste"), Urgency::Now).await;
    let fault = fault_of(changed, "for changes of cards nothing is waited for");
    assert!(matches!(fault, Fault::RateLimited { .. }), "broken: a limit comes back as such, and not as {fault:?}");
    or_leave_out!(stage.limit(3).await);
    let said = stage.chat().say(&Addressee::Card(stage.origin()), &message(Audience::Channel, "said-in-haste")).await;
    let fault = fault_of(said, "for cards nothing is waited for");
    assert!(matches!(fault, Fault::RateLimited { .. }), "broken: a limit comes back as such, and not as {fault:?}");
    assert_eq!(stage.clock().now(), began, "broken: for cards and their changes nothing is waited for");
    let seen = stage.seen().await;
    assert!(seen.iter().all(|seen| !seen.text.contains("in-haste") || seen.text.contains("a-card-in-haste")), "broken: {seen:#?}");
    Arranged::Done
}

async fn nothing_is_said_twice(mut stage: impl Stage) -> Arranged {
    or_leave_out!(stage.lose_answer().await);
    let said = stage.chat().say(&Addressee::Answer(stage.origin()), &message(Audience::Channel, "said-and-not-heard")).await;
    assert_eq!(fault_of(said, "without an answer nobody knows"), Fault::Unclear, "broken: without an answer it is unclear");
    one(&stage.seen().await, "said-and-not-heard");
    or_leave_out!(stage.lose_answer().await);
    let said = stage.chat().say(&Addressee::Card(stage.origin()), &message(Audience::Channel, "a-card-not-heard")).await;
    assert_eq!(fault_of(said, "without an answer nobody knows"), Fault::Unclear, "broken: without an answer it is unclear");
    one(&stage.seen().await, "a-card-not-heard");
    Arranged::Done
}

async fn a_lost_sign_in_is_told(mut stage: impl Stage) -> Arranged {
    let place = card(&stage, "while-signed-in").await;
    or_leave_out!(stage.withdraw_sign_in().await);
    let changed = stage.chat().amend(&place, &message(Audience::Channel, "when-signed-out"), Urgency::Now).await;
    let error = changed.expect_err("broken: without a sign-in nothing is done");
    assert_eq!(error.fault, Fault::SignInLost, "broken: a lost sign-in is told as such");
    tells_no_secret(&error, &stage.secrets());
    let standing = stage.chat().standing(&stage.origin(), &message(Audience::Asker, "when-signed-out")).await;
    let error = standing.expect_err("broken: without a sign-in nobody knows how it stands");
    assert_eq!(error.fault, Fault::SignInLost, "broken: a lost sign-in is told as such");
    tells_no_secret(&error, &stage.secrets());
    let seen = stage.seen().await;
    assert!(seen.iter().all(|seen| !seen.text.contains("when-signed-out")), "broken: without a sign-in nothing is done: {seen:#?}");
    Arranged::Done
}
