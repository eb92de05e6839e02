//! Forms: opened by the app right after somebody asked for one, filled in and sent by that person.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::methods::{Arguments, Bot};
use super::people::{Ack, Forged, ServiceAddress};
use super::state::State;
use super::{SlackWorkspace, blocks, render};
use crate::sandbox::secrets::marked;

/// How long after it was given out what somebody did opens a form.
const TRIGGER: SignedDuration = SignedDuration::from_secs(3);

/// What somebody did that may open one form.
#[derive(Debug)]
pub(super) struct Trigger {
    pub(super) person: String,
    pub(super) given_at: Timestamp,
    pub(super) exchanged: bool,
}

/// A form on somebody's screen.
#[derive(Debug)]
pub(super) struct OpenForm {
    pub(super) person: String,
    id: String,
    hash: String,
    pub(super) view: Map<String, Value>,
    /// By block and action.
    pub(super) values: BTreeMap<(String, String), Value>,
    /// What is said at fields, by block.
    errors: BTreeMap<String, String>,
    /// What the person saw last of it.
    told: Vec<String>,
}

fn refuse<T>(error: &str) -> Result<T, Value> {
    Err(json!({"ok": false, "error": error}))
}

fn invalid<T>(messages: &[String]) -> Result<T, Value> {
    Err(json!({"ok": false, "error": "invalid_arguments", "response_metadata": {"messages": messages}}))
}

/// `views.open`.
pub(super) fn open(
    workspace: &SlackWorkspace,
    state: &mut State,
    now: Timestamp,
    arguments: &Arguments,
    bot: &Bot<'_>,
) -> Result<Value, Value> {
    let id = arguments.text("trigger_id").to_owned();
    if id.is_empty() {
        return invalid(&["[ERROR] missing required field: trigger_id".to_owned()]);
    }
    let Some(trigger) = state.triggers.get(&id) else { return refuse("invalid_trigger_id") };
    let (person, exchanged) = (trigger.person.clone(), trigger.exchanged);
    let late = now.duration_since(trigger.given_at) > TRIGGER;
    if exchanged {
        return refuse("exchanged_trigger_id");
    }
    if late {
        return refuse("expired_trigger_id");
    }
    let Some(team) = state.member(&person).map(|member| member.team.clone()).filter(|team| bot.teams.contains(team)) else {
        return refuse("invalid_trigger_id");
    };
    let Some(given) = arguments.0.get("view").and_then(Value::as_object).cloned() else {
        return invalid(&["[ERROR] missing required field: view".to_owned()]);
    };
    let faults = blocks::faults_of_view(&given);
    if !faults.is_empty() {
        return invalid(&faults);
    }
    for alarm in render::alarms("", given.get("blocks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()) {
        state.violation(format!("views.open: {alarm}"));
    }
    if let Some(trigger) = state.triggers.get_mut(&id) {
        trigger.exchanged = true;
    }
    let id = format!("V{}", state.next());
    let form = stood_up(workspace, state, now, (person.clone(), id), team, given);
    state.forms.retain(|form| form.person != person);
    let answer = json!({"ok": true, "view": form.view});
    state.forms.push(form);
    Ok(answer)
}

/// A view that was given, as it stands on somebody's screen under this id.
fn stood_up(
    workspace: &SlackWorkspace,
    state: &mut State,
    now: Timestamp,
    (person, id): (String, String),
    team: String,
    given: Map<String, Value>,
) -> OpenForm {
    let view = filled_in(workspace, state, now, (&id, &team), given);
    let hash = view.get("hash").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut form = OpenForm { person, id, hash, view, values: BTreeMap::new(), errors: BTreeMap::new(), told: Vec::new() };
    let begins = |input: Input<'_>| {
        let given = input.element.get("initial_option").or_else(|| input.element.get("initial_value"))?.clone();
        Some(((input.block, input.action), given))
    };
    form.values = form.inputs().filter_map(begins).collect();
    form
}

/// What Slack adds to a view that was given, wherever it is shown.
pub(super) fn filled_in(
    workspace: &SlackWorkspace,
    state: &mut State,
    now: Timestamp,
    (id, team): (&str, &str),
    given: Map<String, Value>,
) -> Map<String, Value> {
    let number = state.next();
    let mut view = given;
    name_blocks(&mut view, state);
    let own = [
        ("id", json!(id)),
        ("team_id", json!(team)),
        ("app_id", json!(workspace.seed.app_id)),
        ("app_installed_team_id", json!(team)),
        ("bot_id", json!("B1")),
        ("root_view_id", json!(id)),
        ("previous_view_id", Value::Null),
        ("external_id", json!("")),
        ("clear_on_close", json!(false)),
        ("notify_on_close", json!(false)),
        ("hash", json!(format!("{}.{number}", now.as_second()))),
        ("state", json!({"values": {}})),
    ];
    view.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value)));
    view
}

/// Slack names the blocks that have no name, and says of inputs what was left to it.
fn name_blocks(view: &mut Map<String, Value>, state: &mut State) {
    for block in view.get_mut("blocks").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(block) = block.as_object_mut() else { continue };
        let number = state.next();
        block.entry("block_id").or_insert_with(|| json!(format!("b{number}")));
        if block.get("type").and_then(Value::as_str) == Some("input") {
            block.entry("optional").or_insert(json!(false));
            block.entry("dispatch_action").or_insert(json!(false));
        }
    }
}

impl OpenForm {
    fn text(&self, name: &str) -> String {
        self.view.get(name).and_then(|text| text.get("text")).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    pub(super) fn inputs(&self) -> impl Iterator<Item = Input<'_>> {
        let blocks = self.view.get("blocks").and_then(Value::as_array).into_iter().flatten();
        blocks.filter(|block| block.get("type").and_then(Value::as_str) == Some("input")).filter_map(|block| {
            let element = block.get("element")?;
            Some(Input {
                block: block.get("block_id")?.as_str()?.to_owned(),
                action: element.get("action_id")?.as_str()?.to_owned(),
                label: block.get("label")?.get("text")?.as_str()?.to_owned(),
                hint: block.get("hint").and_then(|hint| hint.get("text")).and_then(Value::as_str).unwrap_or_default().to_owned(),
                optional: block.get("optional").and_then(Value::as_bool).unwrap_or_default(),
                element,
            })
        })
    }

    /// As it stands on the screen.
    fn stands(&self, state: &State) -> Vec<String> {
        let mut lines = vec![format!("(form) {}", self.text("title"))];
        let mut inputs = self.inputs();
        for block in self.view.get("blocks").and_then(Value::as_array).into_iter().flatten() {
            if block.get("type").and_then(Value::as_str) != Some("input") {
                lines.extend(render::block_lines(block, state).into_iter().map(|line| format!("  {line}")));
                continue;
            }
            let Some(input) = inputs.next() else { continue };
            // What was typed is nobody's to repeat; what was chosen stands there.
            let chosen =
                self.values.get(&(input.block.clone(), input.action.clone())).and_then(|value| value.pointer("/text/text")?.as_str());
            let chosen = chosen.map(|chosen| format!(" [{chosen}]")).unwrap_or_default();
            lines.push(format!("  {}{chosen}: {}", input.label, input.hint).trim_end().to_owned());
            lines.extend(self.errors.get(&input.block).map(|error| format!("    ! {error}")));
        }
        lines.push(format!("  [{}] [{}]", self.text("submit"), self.text("close")));
        lines
    }

    /// What Slack itself objects to before it sends anything.
    fn missing(&self) -> BTreeMap<String, String> {
        let mut missing = BTreeMap::new();
        for input in self.inputs().filter(|input| !input.optional) {
            if !self.values.contains_key(&(input.block.clone(), input.action.clone())) {
                missing.insert(input.block, "Please complete this required field.".to_owned());
            }
        }
        missing
    }

    fn values(&self) -> Value {
        let mut values = Map::new();
        for input in self.inputs() {
            let kind = input.kind();
            let name = if kind.ends_with("_select") { "selected_option" } else { "value" };
            let value = self.values.get(&(input.block.clone(), input.action.clone())).cloned();
            let value = json!({"type": kind, name: value});
            values.entry(input.block).or_insert_with(|| json!({})).as_object_mut().map(|block| block.insert(input.action, value));
        }
        Value::Object(values)
    }
}

pub(super) struct Input<'a> {
    pub(super) block: String,
    pub(super) action: String,
    label: String,
    hint: String,
    optional: bool,
    pub(super) element: &'a Value,
}

impl Input<'_> {
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn kind(&self) -> &str {
        self.element.get("type").and_then(Value::as_str).unwrap_or_default()
    }
}

impl SlackWorkspace {
    /// What has come up on somebody's screen, or changed there, since this was asked last; a form that has closed says so.
    pub fn form_news(&self, person: &str) -> Vec<String> {
        self.change(|state| {
            let Some(place) = state.forms.iter().position(|form| form.person == person) else { return Vec::new() };
            let stands = state.forms.get(place).map(|form| form.stands(state)).unwrap_or_default();
            let Some(form) = state.forms.get_mut(place).filter(|form| form.told != stands) else { return Vec::new() };
            form.told.clone_from(&stands);
            stands
        })
    }

    /// The form on somebody's screen as it stands, and what a view made of it; `None`: they see none.
    pub fn form_of(&self, person: &str) -> Option<(Vec<String>, Value)> {
        self.look(|state| {
            let form = state.forms.iter().find(|form| form.person == person)?;
            Some((form.stands(state), Value::Object(form.view.clone())))
        })
    }

    /// Somebody types something into a field of the form on their screen.
    pub fn fill_in(&self, person: &str, label: &str, value: &str) -> Result<(), String> {
        self.change(|state| {
            let form = state.forms.iter_mut().find(|form| form.person == person).ok_or_else(|| format!("{person} sees no form"))?;
            let input = form.inputs().find(|input| input.label == label);
            let input = input.ok_or_else(|| format!("there is no field [{label}] in that form"))?;
            if input.kind() != "plain_text_input" {
                return Err(format!("[{label}] is chosen and not typed"));
            }
            let most = input.element.get("max_length").and_then(Value::as_u64).unwrap_or(3000);
            if u64::try_from(value.chars().count()).is_ok_and(|length| length > most) {
                return Err(format!("[{label}] takes at most {most} characters"));
            }
            let key = (input.block, input.action);
            form.values.insert(key, json!(value));
            Ok(())
        })
    }

    /// Whether somebody sees a form with this button that sends it.
    pub fn may_send(&self, person: &str, label: &str) -> Result<(), String> {
        self.look(|state| {
            let form = state.forms.iter().find(|form| form.person == person).ok_or_else(|| format!("{person} sees no form"))?;
            let submit = form.text("submit");
            if submit == label { Ok(()) } else { Err(format!("the form of {person} is sent by [{submit}]")) }
        })
    }

    /// Somebody closes the form on their screen without sending it. Says whether there was one.
    pub fn close_form(&self, person: &str) -> bool {
        self.change(|state| {
            let before = state.forms.len();
            state.forms.retain(|form| form.person != person);
            state.forms.len() < before
        })
    }

    /// Somebody sends the form on their screen. It closes, or stays with what is wrong. `None`: they see none, or Slack itself found
    /// something missing and sent nothing.
    pub async fn send_form(&self, to: &ServiceAddress, person: &str, forged: &Forged) -> Option<Ack> {
        let now = self.now();
        let trigger_id = self.trigger(person);
        let payload = self.change(|state| {
            let (user, team) = state.member(person).map(|member| (member.id.clone(), member.team.clone()))?;
            let form = state.forms.iter_mut().find(|form| form.person == person)?;
            form.errors = form.missing();
            if !form.errors.is_empty() {
                return None;
            }
            let mut view = form.view.clone();
            view.insert("state".to_owned(), json!({"values": form.values()}));
            let seed = &self.seed;
            Some(json!({
                "type": "view_submission",
                "team": {"id": team, "domain": seed.team_domain},
                "user": {"id": user, "username": person, "name": person, "team_id": team},
                "api_app_id": seed.app_id,
                "token": marked("verification"),
                "trigger_id": trigger_id,
                "view": view,
                "response_urls": [],
                "is_enterprise_install": false,
                "enterprise": null,
            }))
        })?;
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
        let answer = self.deliver(&to.at("/slack/actions"), body, forged).await;
        let ack = super::people::ack(answer, trigger_id);
        self.change(|state| {
            let Some(form) = state.forms.iter_mut().find(|form| form.person == person) else { return };
            match after(&ack, form) {
                After::Closes => state.forms.retain(|form| form.person != person),
                After::Becomes(view) => {
                    let team = form.view.get("team_id").and_then(Value::as_str).unwrap_or_default().to_owned();
                    let told = form.told.clone();
                    let id = form.id.clone();
                    let next = stood_up(self, state, now, (person.to_owned(), id), team, view);
                    state.forms.retain(|form| form.person != person);
                    state.forms.push(OpenForm { told, ..next });
                }
                After::Stays(errors) => form.errors = errors,
                After::Wrong(what) => {
                    let first = form.inputs().next().map(|input| input.block).unwrap_or_default();
                    form.errors = BTreeMap::from([(first, "We had some trouble connecting. Try again?".to_owned())]);
                    if let Some(what) = what {
                        state.violation(format!("view_submission at {now}: {what}"));
                    }
                }
            }
        });
        Some(ack)
    }
}

enum After {
    Closes,
    Stays(BTreeMap<String, String>),
    /// Another view stands in its place.
    Becomes(Map<String, Value>),
    /// With what a service should never answer.
    Wrong(Option<String>),
}

/// What a form does after the service has answered.
fn after(ack: &Ack, form: &OpenForm) -> After {
    if ack.status != Some(200) {
        return After::Wrong(None);
    }
    if ack.body.is_empty() {
        return After::Closes;
    }
    let Ok(answer) = serde_json::from_str::<Value>(&ack.body) else { return After::Wrong(Some("an answer that is no JSON".to_owned())) };
    match answer.get("response_action").and_then(Value::as_str) {
        Some("clear") => After::Closes,
        Some("update") => {
            let view = answer.get("view").and_then(Value::as_object).cloned().unwrap_or_default();
            let faults = blocks::faults_of_view(&view);
            if faults.is_empty() { After::Becomes(view) } else { After::Wrong(Some(faults.join("; "))) }
        }
        Some("errors") => {
            let errors = answer.get("errors").and_then(Value::as_object).cloned().unwrap_or_default();
            let errors: BTreeMap<String, String> =
                errors.into_iter().filter_map(|(block, words)| Some((block, words.as_str()?.to_owned()))).collect();
            match errors.keys().find(|block| !form.inputs().any(|input| input.block == **block)) {
                Some(unknown) => After::Wrong(Some(format!("an error at {unknown}, which is no field"))),
                None if errors.is_empty() => After::Wrong(Some("errors without any".to_owned())),
                None => After::Stays(errors),
            }
        }
        other => After::Wrong(Some(format!("response_action {other:?} of {} {}, which is not simulated", form.id, form.hash))),
    }
}
