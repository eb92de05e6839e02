//! People: what they type and press goes to the service as Slack sends it, signed.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::seen::{SeenMessage, Via};
use super::state::{Content, Hook, State};
use super::views::Trigger;
use super::{SlackWorkspace, hooks, methods, render};
use crate::sandbox::secrets::marked;

/// Where the service listens: a base address such as `http://127.0.0.1:4000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAddress(String);

impl ServiceAddress {
    /// Keeps an address; a slash at the end does not matter.
    pub fn new(base: &str) -> Self {
        Self(base.trim_end_matches('/').to_owned())
    }

    /// The address of a path, which begins with a slash.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

/// How the service acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The HTTP status; `None`: there was no answer in time, or nobody listens.
    pub status: Option<u16>,
    /// The body.
    pub body: String,
    /// The id the command or press was delivered under, for delivering it again.
    pub trigger_id: String,
}

/// What is wrong with a request on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Forged {
    /// Sent instead of the true signature.
    pub signature: Option<String>,
    /// Added to the time it is signed for and says it was sent at, in seconds.
    pub off_by: i64,
    /// Appended to the body after signing.
    pub appended: String,
}

/// A button as it stood when it was pressed, so that it can be pressed again after it is gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Pressed {
    /// The message.
    pub message: SeenMessage,
    /// The button.
    pub button: Value,
}

impl SlackWorkspace {
    /// A person types the slash command with `text` in a channel (both by name). A `trigger_id` of an earlier command makes it
    /// the same delivery again. Unknown names answer with no status.
    pub async fn command(&self, to: &ServiceAddress, person: &str, channel: &str, text: &str, trigger_id: Option<&str>) -> Ack {
        self.command_forged(to, person, channel, text, trigger_id, &Forged::default()).await
    }

    /// [`SlackWorkspace::command`], altered.
    pub async fn command_forged(
        &self,
        to: &ServiceAddress,
        person: &str,
        channel: &str,
        text: &str,
        trigger_id: Option<&str>,
        forged: &Forged,
    ) -> Ack {
        let trigger_id = trigger_id.map_or_else(|| self.trigger(person), str::to_owned);
        let Some((user, team, channel_id)) = self.who_and_where(person, channel) else {
            return Ack { status: None, body: format!("there is no {person} or no #{channel}"), trigger_id };
        };
        let path = self.give_hook("commands", &team, Hook::of_command(person, &channel_id, self.now()));
        let sent = self.look(|state| with_names(state, &team, text));
        let seed = &self.seed;
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("token", "verification-token"),
                ("team_id", &team),
                ("team_domain", if team == seed.team_id { &seed.team_domain } else { "elsewhere" }),
                ("channel_id", &channel_id),
                ("channel_name", if channel_id.starts_with('D') { "directmessage" } else { channel }),
                ("user_id", &user),
                ("user_name", person),
                ("command", &seed.command),
                ("text", &sent),
                ("api_app_id", &seed.app_id),
                ("is_enterprise_install", "false"),
                ("response_url", &self.hook_url(&path)),
                ("trigger_id", &trigger_id),
            ])
            .finish();
        let answer = self.deliver(&to.at("/slack/commands"), body, forged).await;
        let typed = format!("{} {text}", seed.command);
        let now = self.now();
        self.change(|state| {
            let source = match &answer {
                Ok(answer) if answer.status == 200 => acknowledged(state, now, &channel_id, person, &typed, answer),
                Ok(_) => {
                    Some(failed(state, now, &channel_id, person, &format!("{} failed with the error \"dispatch_failed\"", seed.command)))
                }
                Err(error) => Some(failed(state, now, &channel_id, person, &format!("{} failed with the error \"{error}\"", seed.command))),
            };
            if let (Some(ts), Some(hook)) = (source, state.hooks.get_mut(&path)) {
                hook.source = Some((channel_id.clone(), ts));
            }
        });
        ack(answer, trigger_id)
    }

    /// A person presses a button.
    pub async fn press(&self, to: &ServiceAddress, person: &str, pressed: &Pressed) -> Ack {
        self.press_forged(to, person, pressed, &Forged::default()).await
    }

    /// [`SlackWorkspace::press`], altered.
    pub async fn press_forged(&self, to: &ServiceAddress, person: &str, pressed: &Pressed, forged: &Forged) -> Ack {
        let trigger_id = self.trigger(person);
        let message = &pressed.message;
        let Some((user, team, channel)) = self.who_and_where(person, &message.channel) else {
            return Ack { status: None, body: format!("there is no {person}"), trigger_id };
        };
        let now = self.now();
        let hook = Hook { source: Some((channel.clone(), message.ts.clone())), of_button: true, ..Hook::of_command(person, &channel, now) };
        let path = self.give_hook("actions", &team, hook);
        let mut action = pressed.button.as_object().cloned().unwrap_or_default();
        action.insert("action_ts".to_owned(), json!(self.change(|state| state.next_ts(now))));
        let holds = |block: &&Value| block.get("elements").and_then(Value::as_array).is_some_and(|all| all.contains(&pressed.button));
        if let Some(id) = message.blocks.iter().find(holds).and_then(|block| block.get("block_id")) {
            action.insert("block_id".to_owned(), id.clone());
        }
        let seed = &self.seed;
        let mut payload = json!({
            "type": "block_actions",
            "user": {"id": user, "username": person, "name": person, "team_id": team},
            "api_app_id": seed.app_id,
            "token": marked("verification"),
            "container": {
                "type": "message", "message_ts": message.ts, "channel_id": channel, "is_ephemeral": message.to.is_some()
            },
            "trigger_id": trigger_id,
            "team": {"id": team, "domain": seed.team_domain},
            "enterprise": null,
            "is_enterprise_install": false,
            "channel": {"id": channel, "name": self.look(|state| plain_name(state, &channel))},
            "state": {"values": {}},
            "response_url": self.hook_url(&path),
            "actions": [action],
        });
        // Slack does not keep what only one person sees, and sends no copy of it.
        if let (None, Some(fields)) = (&message.to, payload.as_object_mut()) {
            fields.insert("message".to_owned(), methods::wire(self, message));
        }
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
        let answer = self.deliver(&to.at("/slack/actions"), body, forged).await;
        if !matches!(&answer, Ok(answer) if answer.status == 200) {
            self.change(|state| failed(state, now, &channel, person, "the button failed: Slack shows an error mark"));
        }
        ack(answer, trigger_id)
    }

    /// A person picks the app's shortcut at somebody's message in a channel, which says this.
    pub async fn pick(&self, to: &ServiceAddress, person: &str, channel: &str, said: &str) -> Ack {
        let trigger_id = self.trigger(person);
        let Some((user, team, channel)) = self.who_and_where(person, channel) else {
            return Ack { status: None, body: format!("there is no {person} or no {channel}"), trigger_id };
        };
        let now = self.now();
        let path = self.give_hook("actions", &team, Hook::of_command(person, &channel, now));
        let seed = &self.seed;
        let ts = self.change(|state| state.next_ts(now));
        let payload = json!({
            "type": "message_action",
            "token": marked("verification"),
            "action_ts": self.change(|state| state.next_ts(now)),
            "team": {"id": team, "domain": seed.team_domain},
            "user": {"id": user, "username": person, "name": person, "team_id": team},
            "channel": {"id": channel, "name": self.look(|state| plain_name(state, &channel))},
            "is_enterprise_install": false,
            "enterprise": null,
            "callback_id": "ship",
            "trigger_id": trigger_id,
            "response_url": self.hook_url(&path),
            "message_ts": ts,
            "message": {"type": "message", "user": "U2", "team": team, "ts": ts, "text": linked(said)},
        });
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
        let answer = self.deliver(&to.at("/slack/actions"), body, &Forged::default()).await;
        if !matches!(&answer, Ok(answer) if answer.status == 200) {
            self.change(|state| failed(state, now, &channel, person, "the shortcut failed: Slack shows an error"));
        }
        ack(answer, trigger_id)
    }

    /// Finds the newest button with this label, or with this number in its message (from 1), that the person can see.
    pub fn find_button(&self, person: &str, label: &str) -> Option<Pressed> {
        self.look(|state| {
            let mut seen = state.messages.iter().filter(|message| message.to.as_deref().is_none_or(|to| to == person)).collect::<Vec<_>>();
            seen.sort_by_key(|message| message.seq);
            seen.into_iter().rev().find_map(|message| button_of(message, label))
        })
    }

    /// The button with this label under a message as it stands now.
    pub fn button_under(&self, channel: &str, ts: &str, label: &str) -> Option<Pressed> {
        self.look(|state| state.find(channel, ts).and_then(|message| button_of(message, label)))
    }

    /// The address behind the newest link of these words that was shown to this person alone, or behind the first.
    pub fn find_link(&self, person: &str, label: &str, first: bool) -> Option<String> {
        self.look(|state| {
            let mut seen: Vec<_> = state.messages.iter().filter(|message| message.to.as_deref() == Some(person)).collect();
            seen.sort_by_key(|message| message.seq);
            let mut links = seen.into_iter().flat_map(|message| message.blocks.iter()).filter_map(|block| link_of(block, label));
            if first { links.next() } else { links.next_back() }
        })
    }

    /// Something that somebody does now, by which the app may open a form for them.
    pub(super) fn trigger(&self, person: &str) -> String {
        let now = self.now();
        self.change(|state| {
            let id = format!("{}.{}.trigger", now.as_second(), state.next());
            state.triggers.insert(id.clone(), Trigger { person: person.to_owned(), given_at: now, exchanged: false });
            id
        })
    }

    fn who_and_where(&self, person: &str, channel: &str) -> Option<(String, String, String)> {
        self.look(|state| {
            let member = state.member(person)?;
            Some((member.id.clone(), member.team.clone(), state.channel(channel)?.id.clone()))
        })
    }

    fn give_hook(&self, kind: &str, team: &str, hook: Hook) -> String {
        self.change(|state| {
            let number = state.next();
            let path = format!("/{kind}/{team}/{number}/{}", marked(number));
            state.hooks.insert(path.clone(), hook);
            path
        })
    }

    fn hook_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.hooks)
    }

    pub(super) async fn deliver(&self, url: &str, body: String, forged: &Forged) -> Result<Answer, &'static str> {
        self.send(url, body, "application/x-www-form-urlencoded", &[], forged).await
    }

    /// Tells an event; the id that it is told under stands in the answer.
    pub(super) async fn send_event(&self, url: &str, id: &str, body: String, again: Option<u32>, forged: &Forged) -> Ack {
        let number = again.map(|number| number.to_string()).unwrap_or_default();
        let more = [("X-Slack-Retry-Num", number.as_str()), ("X-Slack-Retry-Reason", "http_timeout")];
        let more = if again.is_some() { more.as_slice() } else { &[] };
        ack(self.send(url, body, "application/json", more, forged).await, id.to_owned())
    }

    async fn send(
        &self,
        url: &str,
        mut body: String,
        content_type: &str,
        more: &[(&str, &str)],
        forged: &Forged,
    ) -> Result<Answer, &'static str> {
        let time = self.now().as_second().saturating_add(forged.off_by).to_string();
        let signature = forged.signature.clone().unwrap_or_else(|| sign(&self.seed.signing_secret, &time, &body));
        body.push_str(&forged.appended);
        let request = self
            .client
            .post(url)
            .header("Content-Type", content_type)
            .header("X-Slack-Request-Timestamp", time)
            .header("X-Slack-Signature", signature)
            .body(body);
        let request = more.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let no_answer = |error: reqwest::Error| if error.is_timeout() { "operation_timeout" } else { "dispatch_failed" };
        let response = request.send().await.map_err(no_answer)?;
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let body = response.text().await.map_err(no_answer)?;
        Ok(Answer { status, content_type, body })
    }
}

pub(super) struct Answer {
    status: u16,
    content_type: String,
    body: String,
}

impl Hook {
    fn of_command(person: &str, channel: &str, given_at: jiff::Timestamp) -> Self {
        Self { person: person.to_owned(), channel: channel.to_owned(), given_at, used: 0, source: None, of_button: false }
    }
}

pub(super) fn ack(answer: Result<Answer, &'static str>, trigger_id: String) -> Ack {
    match answer {
        Ok(answer) => Ack { status: Some(answer.status), body: answer.body, trigger_id },
        Err(error) => Ack { status: None, body: error.to_owned(), trigger_id },
    }
}

pub(super) fn sign(secret: &str, time: &str, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    for part in ["v0:", time, ":", body] {
        mac.update(part.as_bytes());
    }
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={hex}")
}

/// A text as Slack sends it for commands that want names by their ids: what somebody picked from the list stands in angle brackets.
fn with_names(state: &State, team: &str, text: &str) -> String {
    let named = |word: &str| {
        if let Some(name) = word.strip_prefix('@') {
            let person = state.people.iter().find(|member| member.name == name && member.team == team);
            let group = state.groups.iter().find(|group| group.handle == name && group.team == team);
            let person = person.map(|member| format!("<@{}|{name}>", member.id));
            return person.or_else(|| group.map(|group| format!("<!subteam^{}|@{name}>", group.id)));
        }
        let name = word.strip_prefix('#')?;
        let channel = state.channels.iter().find(|channel| channel.name == name && channel.team == team && channel.with.is_none());
        channel.map(|channel| format!("<#{}|{name}>", channel.id))
    };
    text.split(' ').map(|word| named(word).unwrap_or_else(|| word.to_owned())).collect::<Vec<_>>().join(" ")
}

/// A text as Slack keeps it: with its three signs escaped, and links between signs.
fn linked(said: &str) -> String {
    let said = said.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let word = |word: &str| if word.starts_with("https://") { format!("<{word}>") } else { word.to_owned() };
    said.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn plain_name(state: &State, channel: &str) -> String {
    if channel.starts_with('D') { "directmessage".to_owned() } else { state.channel_label(channel).trim_start_matches('#').to_owned() }
}

/// The address of a link of these words in a message.
pub fn link_in(message: &SeenMessage, label: &str) -> Option<String> {
    message.blocks.iter().find_map(|block| link_of(block, label))
}

/// The address of a link of these words in a block.
fn link_of(block: &Value, label: &str) -> Option<String> {
    let text = block.get("text")?.get("text")?.as_str()?;
    let before = text.split_once(&format!("|{label}>"))?.0;
    Some(before.rsplit_once('<')?.1.replace("&amp;", "&"))
}

fn button_of(message: &SeenMessage, label: &str) -> Option<Pressed> {
    let buttons = render::buttons(&message.blocks);
    let by_number = label.parse::<usize>().ok().and_then(|number| buttons.get(number.checked_sub(1)?).copied());
    let button = buttons.iter().copied().find(|button| render::label(button).as_deref() == Some(label)).or(by_number)?;
    Some(Pressed { message: message.clone(), button: button.clone() })
}

/// Shows what the acknowledgement of a command says, and gives the name of the message it became.
fn acknowledged(state: &mut State, now: jiff::Timestamp, channel: &str, person: &str, typed: &str, answer: &Answer) -> Option<String> {
    if answer.body.is_empty() {
        return None;
    }
    let only = Some(person.to_owned());
    let sent =
        serde_json::from_str::<Map<String, Value>>(&answer.body).ok().filter(|_| answer.content_type.starts_with("application/json"));
    // What is not declared as JSON is shown as it came.
    let Some(sent) = sent else {
        return Some(state.say(now, Via::Ack, channel, only, Content { text: answer.body.clone(), blocks: Vec::new() }));
    };
    let in_channel = sent.get("response_type").and_then(Value::as_str) == Some("in_channel");
    if in_channel {
        state.say(now, Via::Echo, channel, None, Content { text: typed.to_owned(), blocks: Vec::new() });
    }
    match hooks::words(&sent) {
        Ok(Some(said)) => {
            methods::note_habits(state, "acknowledgement", &said.text, &said.blocks);
            Some(state.say(now, Via::Ack, channel, only.filter(|_| !in_channel), said))
        }
        Ok(None) => None,
        Err((_, error)) => {
            state.violation(format!("acknowledgement: {error}"));
            Some(failed(state, now, channel, person, &format!("the command failed with the error \"{error}\"")))
        }
    }
}

fn failed(state: &mut State, now: jiff::Timestamp, channel: &str, person: &str, words: &str) -> String {
    let content = Content { text: words.to_owned(), blocks: Vec::new() };
    state.say(now, Via::Slack, channel, Some(person.to_owned()), content)
}
