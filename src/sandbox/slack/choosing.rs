//! Choosing in a form: from what stands in it, or from what the app offers while somebody types.

use serde_json::{Value, json};

use super::people::{Forged, ServiceAddress};
use super::{SlackWorkspace, blocks};
use crate::sandbox::secrets::marked;

/// A field to choose in.
struct Choosing {
    key: (String, String),
    /// What there is to choose from; `None`: the app is asked.
    options: Option<Value>,
    payload: Value,
}

impl SlackWorkspace {
    /// What somebody puts into a field: typed, or chosen where it is a field to choose in. The app is asked for what it offers to what was
    /// typed, and the choice of these words is taken, or the only one.
    pub async fn put_in(&self, to: &ServiceAddress, person: &str, label: &str, value: &str) -> Result<(), String> {
        if self.choosing(person, label, value)?.is_none() {
            return self.fill_in(person, label, value);
        }
        let offered = self.offered(to, person, label, value).await?;
        let words = |option: &&Value| option.pointer("/text/text").and_then(Value::as_str) == Some(value);
        let chosen = match offered.as_slice() {
            [only] => Some(only),
            several => several.iter().find(words),
        };
        let chosen = chosen.cloned().ok_or_else(|| format!("[{label}] offers {} and not {value}", labels(&offered).join(" · ")))?;
        self.set(person, label, chosen)
    }

    /// Somebody chooses something of these words, which stands for this value, without looking what is offered.
    pub fn choose(&self, person: &str, label: &str, words: &str, value: &str) -> Result<(), String> {
        self.set(person, label, json!({"text": {"type": "plain_text", "text": words, "emoji": false}, "value": value}))
    }

    fn set(&self, person: &str, label: &str, chosen: Value) -> Result<(), String> {
        let choosing = self.choosing(person, label, "")?.ok_or_else(|| format!("[{label}] is typed and not chosen"))?;
        self.change(|state| {
            if let Some(form) = state.forms.iter_mut().find(|form| form.person == person) {
                form.values.insert(choosing.key, chosen);
            }
        });
        Ok(())
    }

    /// The words of what is offered to somebody who types this into a field to choose in.
    pub async fn offers(&self, to: &ServiceAddress, person: &str, label: &str, typed: &str) -> Result<Vec<String>, String> {
        Ok(labels(&self.offered(to, person, label, typed).await?))
    }

    async fn offered(&self, to: &ServiceAddress, person: &str, label: &str, typed: &str) -> Result<Vec<Value>, String> {
        let choosing = self.choosing(person, label, typed)?.ok_or_else(|| format!("[{label}] is typed and not chosen"))?;
        if let Some(options) = choosing.options {
            let all = options.as_array().cloned().unwrap_or_default();
            let has = |one: &Value| one.pointer("/text/text").and_then(Value::as_str).is_some_and(|words| words.contains(typed));
            return Ok(all.into_iter().filter(has).collect());
        }
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &choosing.payload.to_string()).finish();
        let answer = self.deliver(&to.at("/slack/actions"), body, &Forged::default()).await;
        let ack = super::people::ack(answer, String::new());
        let answer: Value = serde_json::from_str(&ack.body).unwrap_or_default();
        // Where the app does not answer, nothing is offered.
        if ack.status != Some(200) {
            return Ok(Vec::new());
        }
        let faults = blocks::faults_of_options(&answer);
        if !faults.is_empty() {
            self.change(|state| state.violation(format!("block_suggestion: {}", faults.join("; "))));
        }
        Ok(answer.get("options").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// A field of the form before somebody, if it is one to choose in.
    fn choosing(&self, person: &str, label: &str, typed: &str) -> Result<Option<Choosing>, String> {
        self.look(|state| {
            let form = state.forms.iter().find(|form| form.person == person).ok_or_else(|| format!("{person} sees no form"))?;
            let input = form.inputs().find(|input| input.label() == label);
            let input = input.ok_or_else(|| format!("there is no field [{label}] in that form"))?;
            let options = match input.kind() {
                "static_select" => input.element.get("options").cloned(),
                "external_select" => None,
                _ => return Ok(None),
            };
            let member = state.member(person).ok_or_else(|| format!("there is no {person}"))?;
            let seed = &self.seed;
            let mut view = form.view.clone();
            // What stands in the other fields is not told while somebody types.
            view.insert("state".to_owned(), json!({"values": {}}));
            let payload = json!({
                "type": "block_suggestion",
                "team": {"id": member.team, "domain": seed.team_domain},
                "user": {"id": member.id, "username": person, "name": person, "team_id": member.team},
                "container": {"type": "view", "view_id": view.get("id")},
                "api_app_id": seed.app_id,
                "token": marked("verification"),
                "action_id": input.action,
                "block_id": input.block,
                "value": typed,
                "view": view,
                "is_enterprise_install": false,
                "enterprise": null,
            });
            Ok(Some(Choosing { key: (input.block.clone(), input.action.clone()), options, payload }))
        })
    }
}

fn labels(options: &[Value]) -> Vec<String> {
    options.iter().filter_map(|option| Some(option.pointer("/text/text")?.as_str()?.to_owned())).collect()
}
