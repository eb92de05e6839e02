//! Forms in Slack: a form as a view that is opened, and what comes of one that was sent.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::render::{self, plain, sections};
use crate::adapters::http::scrub;
use crate::domain::actor::{Origin, Person, ReplyAddress};
use crate::domain::form::{self, Entry, Field, FieldName, Form, Objection, Suggestion, Topic};
use crate::domain::names::{ChannelId, DeliveryId, UserId, WorkspaceId};
use crate::domain::page::Page;
use crate::domain::speech;

/// The longest of titles and of buttons of a view.
const TITLE: usize = 24;
/// The longest of labels and hints.
const LABEL: usize = 2000;
/// The longest of what is chosen, and of its words.
const CHOICE: usize = 75;
/// The most to choose from.
const CHOICES: usize = 100;
/// What may be carried along with a view.
const CARRIED: usize = 3000;
/// What views of ours are called.
const OURS: &str = "form";
/// What pages of ours are called.
const PAGE: &str = "page";

/// What is carried along: where it was asked for, and how to answer there. It comes back with the form, so that nobody has to remember it.
#[derive(Serialize, Deserialize)]
struct Carried {
    topic: String,
    channel: ChannelId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<ReplyAddress>,
}

impl Carried {
    fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The arguments of `views.open`.
pub(super) fn opening(to: &Origin, by: &DeliveryId, form: &Form) -> Value {
    json!({ "trigger_id": by, "view": view(to, form) })
}

/// A form as a view.
fn view(to: &Origin, form: &Form) -> Value {
    let mut carried = Carried { topic: form.topic.to_string(), channel: to.channel.clone(), reply: to.reply.clone() };
    if carried.written().chars().count() > CARRIED {
        // Without it the answer takes another way.
        carried.reply = None;
    }
    let above = sections(&form.lines).into_iter().map(|text| json!({ "type": "section", "text": marked(&text) }));
    let inputs = form.fields.iter().enumerate().map(|(place, field)| input(field, place == 0));
    let blocks: Vec<Value> = above.chain(inputs).collect();
    json!({
        "type": "modal",
        "callback_id": OURS,
        "private_metadata": carried.written(),
        "title": plain(&form.title, TITLE),
        "submit": plain(&form.submit, TITLE),
        "close": plain("Not now", TITLE),
        "blocks": blocks,
    })
}

/// Somebody's own page as a view. The conversation with them comes back with whatever is pressed there.
pub(super) fn page(page: &Page) -> Value {
    let conversation = page.conversation.as_ref().map(ChannelId::as_str).unwrap_or_default();
    json!({ "type": "home", "callback_id": PAGE, "private_metadata": conversation, "blocks": render::page(page) })
}

/// The conversation of a page of ours that something was pressed on; `None`: it is no such page.
pub(super) fn conversation_of_page(view: &Value) -> Option<ChannelId> {
    let text = |name: &str| view.get(name).and_then(Value::as_str);
    let ours = (text("type"), text("callback_id")) == (Some("home"), Some(PAGE));
    ours.then(|| ChannelId::parse(text("private_metadata")?).ok()).flatten()
}

fn marked(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

fn input(field: &Field, first: bool) -> Value {
    let name = field.name.as_str();
    let mut element = match &field.entry {
        Entry::Secret { longest } | Entry::Words { longest } => {
            json!({ "type": "plain_text_input", "multiline": false, "max_length": longest })
        }
        Entry::OneOf(all) => json!({ "type": "static_select", "options": choices(all) }),
        Entry::Sought => json!({ "type": "external_select", "min_query_length": 0 }),
    };
    let begins_with = match field.entry {
        Entry::Secret { .. } => None,
        Entry::Words { .. } => field.given.as_ref().map(|given| ("initial_value", json!(given.value))),
        Entry::OneOf(_) | Entry::Sought => field.given.as_ref().and_then(choice).map(|given| ("initial_option", given)),
    };
    let own = [("action_id", json!(name)), ("focus_on_load", json!(first))];
    if let Some(element) = element.as_object_mut() {
        element.extend(own.into_iter().chain(begins_with).map(|(key, value)| (key.to_owned(), value)));
    }
    let mut block = json!({
        "type": "input",
        "block_id": name,
        "label": plain(&field.label, LABEL),
        "hint": plain(&field.hint, LABEL),
        "element": element,
    });
    if let Some(block) = block.as_object_mut().filter(|_| field.optional) {
        block.insert("optional".to_owned(), json!(true));
    }
    block
}

/// Something to choose; `None`: it cannot be put in by a choice, which would be cut.
fn choice(one: &Suggestion) -> Option<Value> {
    let fits = (1..=CHOICE).contains(&one.value.chars().count());
    fits.then(|| json!({ "text": plain(&one.label, CHOICE), "value": one.value }))
}

fn choices(all: &[Suggestion]) -> Vec<Value> {
    all.iter().filter_map(choice).take(CHOICES).collect()
}

/// The answer with what may be put into a field.
pub(super) fn suggestions(all: &[Suggestion]) -> Value {
    json!({ "options": choices(all) })
}

/// The answer that puts another form into the place of the one that was sent.
pub(super) fn instead(of: &Origin, form: &Form) -> Value {
    json!({ "response_action": "update", "view": view(of, form) })
}

/// Somebody types into a field of a form, as far as we look at it.
#[derive(Deserialize)]
pub(super) struct Seeking {
    #[serde(flatten)]
    sent: Sent,
    #[serde(default)]
    action_id: String,
    #[serde(default)]
    value: String,
}

impl Seeking {
    /// Who types, what the form is about, the field, and what was typed. `None`: it is none of our forms.
    pub(super) fn read(&self) -> Option<(Origin, Topic, FieldName, &str)> {
        let (origin, topic) = self.sent.about()?;
        Some((origin, topic, FieldName::called(&self.action_id)?, &self.value))
    }
}

/// A view that was sent, as far as we look at it.
#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    user: Option<Named>,
    #[serde(default)]
    team: Option<Named>,
    #[serde(default)]
    enterprise: Option<Named>,
    #[serde(default)]
    trigger_id: Option<String>,
    #[serde(default)]
    view: Option<View>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    #[serde(default)]
    team_id: Option<String>,
}

#[derive(Deserialize)]
struct View {
    #[serde(default)]
    callback_id: String,
    #[serde(default)]
    private_metadata: String,
    #[serde(default)]
    state: Value,
}

/// What a view of ours that was sent comes to.
pub(super) struct Read {
    /// What it was delivered as.
    pub(super) id: DeliveryId,
    /// Who sent it, and where they had asked for it.
    pub(super) origin: Origin,
    /// The first field: for what is wrong with no field.
    pub(super) first: FieldName,
    /// What comes of it, or what is wrong with it.
    pub(super) filled: Result<form::Sent, Vec<Objection>>,
}

impl Sent {
    /// Who has a form before them and where they had asked for it, and what it is about. `None`: it is a view of somebody else, or of an
    /// older version of ours.
    fn about(&self) -> Option<(Origin, Topic)> {
        let view = self.view.as_ref().filter(|view| view.callback_id == OURS)?;
        let carried: Carried = serde_json::from_str(&view.private_metadata).ok()?;
        let topic: Topic = carried.topic.parse().ok()?;
        let user = self.user.as_ref()?;
        let workspace = user.team_id.as_ref().or(self.team.as_ref().or(self.enterprise.as_ref()).map(|named| &named.id))?;
        let person = Person { workspace: WorkspaceId::parse(workspace).ok()?, user: UserId::parse(&user.id).ok()? };
        Some((Origin { person, channel: carried.channel, reply: carried.reply }, topic))
    }

    /// `None`: as for [`Sent::about`].
    pub(super) fn read(&self) -> Option<Read> {
        let (origin, topic) = self.about()?;
        let state = &self.view.as_ref()?.state;
        let put_in = |name: FieldName| {
            let input = state.get("values")?.get(name.as_str())?.get(name.as_str())?;
            input.get("value").or_else(|| input.get("selected_option")?.get("value"))?.as_str()
        };
        let secret = |name: FieldName| Some(Objection::new(name, speech::secret_in_field(scrub::secret_in(put_in(name)?)?)));
        let secrets: Vec<Objection> = FieldName::ALL.into_iter().filter_map(secret).collect();
        let filled = if secrets.is_empty() { topic.filled(put_in) } else { Err(secrets) };
        Some(Read { id: DeliveryId::parse(self.trigger_id.as_deref()?).ok()?, origin, first: topic.first(), filled })
    }
}

/// The answer that keeps a view and says at its fields what is wrong.
pub(super) fn objections(objections: &[Objection]) -> Value {
    let errors: serde_json::Map<String, Value> = objections.iter().map(|one| (one.field.as_str().to_owned(), json!(one.words))).collect();
    json!({ "response_action": "errors", "errors": errors })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::message::text;
    use crate::domain::names::DeploymentId;
    use crate::domain::request::Ask;

    fn to(reply: Option<&str>) -> Origin {
        let person = Person { workspace: WorkspaceId::parse("T1").unwrap(), user: UserId::parse("U1").unwrap() };
        let reply = reply.map(|sealed| ReplyAddress::sealed(sealed.to_owned()));
        Origin { person, channel: ChannelId::parse("C1").unwrap(), reply }
    }

    fn form() -> Form {
        let hint = "six digits".to_owned();
        let entry = Entry::Secret { longest: 64 };
        let field = Field { name: FieldName::Code, label: "Code".to_owned(), hint, entry, optional: false, given: None };
        let topic = Topic::Code(DeploymentId(Uuid::from_u128(7)));
        let own = |words: &str| words.to_owned();
        Form { topic, title: own("A title"), lines: vec![vec![text("wanted")]], fields: vec![field], submit: own("Send") }
    }

    /// What comes back when somebody puts this in and sends it.
    fn sent(opened: &Value, value: Value) -> Sent {
        let mut view = opened["view"].clone();
        view["state"] = json!({ "values": { "code": { "code": { "type": "plain_text_input", "value": value } } } });
        let user = json!({ "id": "U1", "team_id": "T1" });
        serde_json::from_value(json!({ "user": user, "team": null, "trigger_id": "9.9.x", "view": view })).unwrap()
    }

    #[test]
    fn what_was_carried_along_comes_back() {
        let id = DeliveryId::parse("1.2.x").unwrap();
        for reply in [None, Some("1.key.digits")] {
            let opened = opening(&to(reply), &id, &form());
            assert_eq!(opened["trigger_id"], "1.2.x");
            let read = sent(&opened, json!("123456")).read().unwrap();
            assert_eq!((read.id.as_str(), read.origin), ("9.9.x", to(reply)));
            let form::Sent::Asks(filled) = read.filled.unwrap() else { panic!("a code asks for something") };
            assert_eq!(filled.ask, Ask::Form(form().topic));
            for nothing in [json!(null), json!(7), json!("")] {
                let read = sent(&opened, nothing).read().unwrap();
                assert_eq!(objections(&read.filled.unwrap_err())["errors"].as_object().unwrap().len(), 1);
            }
        }
    }

    #[test]
    fn an_address_that_is_too_long_is_not_carried_along() {
        let opened = opening(&to(Some(&"x".repeat(3000))), &DeliveryId::parse("1.2.x").unwrap(), &form());
        assert!(opened["view"]["private_metadata"].as_str().unwrap().chars().count() <= CARRIED);
        assert_eq!(sent(&opened, json!("123456")).read().unwrap().origin, to(None));
    }

    #[test]
    fn a_view_of_somebody_else_is_none_of_ours() {
        let opened = opening(&to(None), &DeliveryId::parse("1.2.x").unwrap(), &form());
        for (field, value) in
            [("callback_id", "theirs"), ("private_metadata", ""), ("private_metadata", "{\"topic\":\"x\",\"channel\":\"C1\"}")]
        {
            let mut opened = opened.clone();
            opened["view"][field] = json!(value);
            assert!(sent(&opened, json!("123456")).read().is_none(), "{field}");
        }
    }
}
