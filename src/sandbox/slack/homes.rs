//! The page that each person has with the app: looked at and pressed on by them, published anew by the app.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::methods::{Arguments, Bot};
use super::people::{Ack, Forged, ServiceAddress, ack};
use super::state::State;
use super::{SlackWorkspace, blocks, render, views};
use crate::sandbox::secrets::marked;

/// What stands on somebody's page.
#[derive(Debug)]
pub(super) struct Home {
    view: Map<String, Value>,
    /// Whether the person has seen it as it stands.
    seen: bool,
}

/// `views.publish`.
pub(super) fn publish(
    workspace: &SlackWorkspace,
    state: &mut State,
    now: Timestamp,
    arguments: &Arguments,
    bot: &Bot<'_>,
) -> Result<Value, Value> {
    let refuse = |error: &str| json!({"ok": false, "error": error});
    let invalid = |messages: &[String]| json!({"ok": false, "error": "invalid_arguments", "response_metadata": {"messages": messages}});
    let user = arguments.text("user_id");
    let member = bot.teams.iter().find_map(|team| state.member_by_id(user, team)).map(|member| (member.name.clone(), member.team.clone()));
    let (name, team) = member.ok_or_else(|| refuse("user_not_found"))?;
    let Some(view) = arguments.0.get("view").and_then(Value::as_object).cloned() else {
        return Err(invalid(&["[ERROR] missing required field: view".to_owned()]));
    };
    let faults = blocks::faults_of_home(&view);
    if !faults.is_empty() {
        return Err(invalid(&faults));
    }
    for alarm in render::alarms("", view.get("blocks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()) {
        state.violation(format!("views.publish: {alarm}"));
    }
    let mut view = views::filled_in(workspace, state, now, (&format!("VH{user}"), &team), view);
    let own =
        [("title", json!({"type": "plain_text", "text": "View Title", "emoji": true})), ("submit", Value::Null), ("close", Value::Null)];
    view.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value)));
    state.homes.insert(name, Home { view: view.clone(), seen: false });
    Ok(json!({"ok": true, "view": view}))
}

impl Home {
    fn blocks(&self) -> &[Value] {
        self.view.get("blocks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }
}

impl SlackWorkspace {
    /// Somebody opens their page with the app, or the conversation with it in its place.
    pub async fn open_home(&self, to: &ServiceAddress, person: &str, tab: &str) -> Result<Ack, String> {
        let now = self.now();
        let found = self.change(|state| {
            let (id, team) = state.member(person).map(|member| (member.id.clone(), member.team.clone()))?;
            let direct = state.direct(&id, &team)?;
            let stands = state.homes.get(person).map(|home| Value::Object(home.view.clone()));
            Some((id, team, direct, stands, state.next_ts(now)))
        });
        let (id, team, direct, stands, ts) = found.ok_or_else(|| format!("there is no {person}"))?;
        let mut event = json!({"type": "app_home_opened", "user": id, "channel": direct, "tab": tab, "event_ts": ts});
        if let (Some(fields), Some(stands)) = (event.as_object_mut(), stands) {
            fields.insert("view".to_owned(), stands);
        }
        Ok(self.happens(to, &self.place_of(&team), event).await)
    }

    /// Somebody presses a button on their page.
    pub async fn press_home(&self, to: &ServiceAddress, person: &str, label: &str) -> Result<Ack, String> {
        let (trigger_id, now) = (self.trigger(person), self.now());
        let ts = self.change(|state| state.next_ts(now));
        let payload = self.look(|state| {
            let member = state.member(person).ok_or_else(|| format!("there is no {person}"))?;
            let home = state.homes.get(person).ok_or_else(|| format!("{person} was never shown a page"))?;
            let button = render::buttons(home.blocks()).into_iter().find(|button| render::label(button).as_deref() == Some(label));
            let button = button.ok_or_else(|| format!("there is no button [{label}] on the page of {person}"))?;
            let mut action = button.as_object().cloned().unwrap_or_default();
            action.insert("action_ts".to_owned(), json!(ts));
            let holds = |block: &&Value| block.get("elements").and_then(Value::as_array).is_some_and(|all| all.contains(button));
            if let Some(id) = home.blocks().iter().find(holds).and_then(|block| block.get("block_id")) {
                action.insert("block_id".to_owned(), id.clone());
            }
            Ok::<_, String>(json!({
                "type": "block_actions",
                "user": {"id": member.id, "username": person, "name": person, "team_id": member.team},
                "api_app_id": self.seed().app_id,
                "token": marked("verification"),
                "container": {"type": "view", "view_id": home.view.get("id")},
                "trigger_id": trigger_id,
                "team": {"id": member.team, "domain": self.seed().team_domain},
                "enterprise": null,
                "is_enterprise_install": false,
                "view": home.view,
                "actions": [action],
            }))
        })?;
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
        let answer = self.deliver(&to.at("/slack/actions"), body, &Forged::default()).await;
        Ok(ack(answer, trigger_id))
    }

    /// What stands on somebody's page with the app; nothing where they have seen it as it stands.
    pub fn home_news(&self, person: &str) -> Vec<String> {
        self.change(|state| {
            let Some(home) = state.homes.get(person).filter(|home| !home.seen) else { return Vec::new() };
            let mut lines = Vec::new();
            for block in home.blocks() {
                let header = block.get("type").and_then(Value::as_str) == Some("header");
                let indent = if header { "" } else { "  " };
                lines.extend(
                    render::block_lines(block, state).into_iter().map(|line| format!("(page) {indent}{line}").trim_end().to_owned()),
                );
                let labels: Vec<String> = render::buttons(std::slice::from_ref(block)).into_iter().filter_map(render::label).collect();
                let labels: Vec<String> = labels.iter().map(|label| format!("[{label}]")).collect();
                lines.extend((!labels.is_empty()).then(|| format!("(page)   {}", labels.join(" "))));
            }
            if let Some(home) = state.homes.get_mut(person) {
                home.seen = true;
            }
            lines
        })
    }

    /// What stands on somebody's page, as a view; `None`: nothing was ever published.
    pub fn home_of(&self, person: &str) -> Option<Value> {
        self.look(|state| state.homes.get(person).map(|home| Value::Object(home.view.clone())))
    }
}
