//! What the methods of the Web API do.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::seen::{Below, SeenMessage, Via};
use super::state::{Channel, Content, Member, MemberKind, State, UserGroup};
use super::{SlackWorkspace, blocks, histories, homes, installs, render, views};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Takes JSON too.
    Writes,
    /// Takes forms and queries only.
    Reads,
}

/// The methods this simulator knows.
pub(super) fn kind(method: &str) -> Option<Kind> {
    match method {
        "auth.test"
        | "auth.revoke"
        | "auth.teams.list"
        | "oauth.v2.access"
        | "conversations.info"
        | "conversations.history"
        | "conversations.replies"
        | "users.info"
        | "usergroups.users.list" => Some(Kind::Reads),
        "chat.postMessage" | "chat.update" | "chat.postEphemeral" | "chat.delete" | "conversations.open" | "views.open"
        | "views.publish" => Some(Kind::Writes),
        _ => None,
    }
}

/// The right that a method asks for.
pub(super) fn scope(method: &str) -> &'static str {
    match method {
        "chat.postMessage" | "chat.update" | "chat.postEphemeral" | "chat.delete" => "chat:write",
        "conversations.open" => "im:write",
        "conversations.info" => "channels:read",
        "conversations.history" | "conversations.replies" => "channels:history",
        "users.info" => "users:read",
        "usergroups.users.list" => "usergroups:read",
        _ => "none",
    }
}

/// The scopes of the app, as Slack tells them: those that it asks for, and two to read back what it said.
pub(super) fn scopes(state: &State) -> String {
    let asked =
        ["commands", "chat:write", "users:read", "im:write", "chat:write.public", "usergroups:read", "channels:read", "groups:read"];
    let all = asked.into_iter().chain(["channels:history", "im:history"]);
    all.filter(|scope| !state.lacking.iter().any(|lacking| lacking == scope)).collect::<Vec<_>>().join(",")
}

#[derive(Debug)]
pub(super) struct Arguments(pub(super) Map<String, Value>);

impl Arguments {
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Value::Bool(true))) || matches!(self.text(name), "true" | "1")
    }
}

/// Who speaks: with which token, in which workspaces.
pub(super) struct Bot<'a> {
    pub(super) token: &'a str,
    pub(super) teams: BTreeSet<String>,
}

impl Bot<'_> {
    /// A conversation in one of its workspaces.
    pub(super) fn channel<'s>(&self, state: &'s State, id: &str) -> Option<&'s Channel> {
        state.channels.iter().find(|known| known.id == id && self.teams.contains(&known.team))
    }
}

pub(super) type Answer = Result<Value, Value>;

pub(super) fn refuse<T>(error: &str) -> Result<T, Value> {
    Err(json!({"ok": false, "error": error}))
}

/// Does what a bot asks that speaks in these workspaces, with this token.
pub(super) fn perform(workspace: &SlackWorkspace, method: &str, arguments: &Arguments, bot: &Bot<'_>) -> Answer {
    let now = workspace.now();
    let answer = workspace.change(|state| match method {
        "auth.test" => Ok(auth_test(workspace, bot)),
        "auth.revoke" => Ok(installs::revoke(state, bot.token)),
        "auth.teams.list" => Ok(installs::teams(&bot.teams)),
        "chat.postMessage" => {
            let content = content(state, method, arguments, 40_000)?;
            let channel = place(state, bot, arguments.text("channel"))?;
            let text = content.text.clone();
            let below = below(state, method, arguments, &channel);
            let ts = state.say_below(now, Via::Api, &channel, None, below, content);
            let stands = state.find(&channel, &ts).map(|message| wire(workspace, message)).unwrap_or_default();
            if text.chars().count() > 4000 {
                state.violation(format!("{method}: text of more than 4,000 characters"));
            }
            Ok(json!({"ok": true, "channel": channel, "ts": ts, "message": stands}))
        }
        "chat.postEphemeral" => {
            let content = content(state, method, arguments, 40_000)?;
            let channel = member_channel(state, bot, arguments.text("channel"), "is_archived")?;
            let user = arguments.text("user");
            let to = bot.teams.iter().find_map(|team| state.member_by_id(user, team)).map(|member| member.name.clone());
            let Some(to) = to else { return refuse("user_not_in_channel") };
            let ts = state.say(now, Via::Api, &channel, Some(to), content);
            Ok(json!({"ok": true, "message_ts": ts}))
        }
        "chat.update" => {
            let (channel, ts) = (arguments.text("channel").to_owned(), arguments.text("ts").to_owned());
            let content = content(state, method, arguments, 4000)?;
            own_message(state, bot, &channel, &ts, "cant_update_message")?;
            let text = content.text.clone();
            state.edit(Via::Api, &channel, &ts, content);
            let mut stands = state.find(&channel, &ts).map(|message| wire(workspace, message)).unwrap_or_default();
            // Of a message that was changed, the name stands beside it only.
            stands.as_object_mut().map(|fields| fields.remove("ts"));
            Ok(json!({"ok": true, "channel": channel, "ts": ts, "text": text, "message": stands}))
        }
        "chat.delete" => {
            let (channel, ts) = (arguments.text("channel"), arguments.text("ts"));
            own_message(state, bot, channel, ts, "cant_delete_message")?;
            state.delete(Via::Api, channel, ts);
            Ok(json!({"ok": true, "channel": channel, "ts": ts}))
        }
        "conversations.open" => {
            let user = arguments.text("users");
            if user.is_empty() {
                return refuse("users_list_not_supplied");
            }
            let known = state.channels.iter().any(|channel| channel.id == format!("D{user}"));
            match bot.teams.iter().find_map(|team| state.direct(user, team)) {
                Some(id) if known => Ok(json!({"ok": true, "no_op": true, "already_open": true, "channel": {"id": id}})),
                Some(id) => Ok(json!({"ok": true, "channel": {"id": id}})),
                None => refuse("user_not_found"),
            }
        }
        "views.open" => views::open(workspace, state, now, arguments, bot),
        "views.publish" => homes::publish(workspace, state, now, arguments, bot),
        "conversations.info" => match bot.channel(state, arguments.text("channel")) {
            Some(channel) if channel.private && !channel.bot_in => refuse("channel_not_found"),
            Some(channel) => Ok(json!({"ok": true, "channel": channel_info(state, workspace, channel)})),
            None => refuse("channel_not_found"),
        },
        "conversations.history" => histories::history(workspace, state, arguments, bot),
        "conversations.replies" => histories::replies(workspace, state, arguments, bot),
        "users.info" => {
            let user = arguments.text("user");
            let own = state.people.iter().find(|member| member.id == user && bot.teams.contains(&member.team));
            match own.or_else(|| state.people.iter().find(|member| member.id == user)) {
                Some(member) => Ok(json!({"ok": true, "user": user_info(state, member, own.is_none())})),
                None => refuse("user_not_found"),
            }
        }
        "usergroups.users.list" => {
            let team = arguments.text("team_id");
            let here = |group: &&UserGroup| bot.teams.contains(&group.team) && (team.is_empty() || group.team == team);
            match state.groups.iter().filter(here).find(|group| group.id == arguments.text("usergroup")) {
                Some(group) => Ok(json!({"ok": true, "users": group.users})),
                None => refuse("no_such_subteam"),
            }
        }
        _ => refuse("unknown_method"),
    });
    if method == "views.open" && answer.is_ok() {
        // A form is no event, and seen all the same.
        workspace.news.send_modify(|_| {});
    }
    answer
}

/// The message that another one is said below.
fn below(state: &mut State, method: &str, arguments: &Arguments, channel: &str) -> Option<Below> {
    let ts = Some(arguments.text("thread_ts")).filter(|ts| !ts.is_empty())?.to_owned();
    let for_all = arguments.is_on("reply_broadcast");
    match state.find(channel, &ts) {
        // Slack takes it, and nobody knows where it ends up.
        None => state.violation(format!("{method}: said below {ts}, which is not there")),
        Some(SeenMessage { below: Some(_), .. }) => state.violation(format!("{method}: said below {ts}, which stands below another")),
        Some(_) => {}
    }
    Some(Below { ts, for_all })
}

/// A person as their own workspace tells them, or another one.
fn user_info(state: &State, member: &Member, stranger: bool) -> Value {
    let is = |kinds: &[MemberKind]| kinds.contains(&member.kind);
    let mut user = json!({
        "id": member.id, "team_id": member.team, "name": member.name, "deleted": is(&[MemberKind::Deactivated]),
        "color": "9f69e7", "real_name": member.name, "tz": "Europe/Amsterdam", "tz_label": "Central European Time", "tz_offset": 3600,
        "profile": {"real_name": member.name, "display_name": member.name, "team": member.team},
        "is_bot": false, "is_app_user": false, "updated": 1_767_603_600
    });
    let Some(fields) = user.as_object_mut() else { return user };
    if stranger {
        fields.insert("is_stranger".to_owned(), json!(true));
        return user;
    }
    let guest = is(&[MemberKind::Guest, MemberKind::SingleChannelGuest]);
    // Of a closed account little is told.
    if member.kind != MemberKind::Deactivated {
        fields.extend([
            ("is_admin".to_owned(), json!(is(&[MemberKind::Admin, MemberKind::Owner]))),
            ("is_owner".to_owned(), json!(is(&[MemberKind::Owner]))),
            ("is_primary_owner".to_owned(), json!(false)),
            ("is_restricted".to_owned(), json!(guest)),
            ("is_ultra_restricted".to_owned(), json!(is(&[MemberKind::SingleChannelGuest]))),
        ]);
    }
    if let Some((id, name)) = &state.installs.enterprise {
        let teams: Vec<&str> = state.people.iter().filter(|other| other.name == member.name).map(|other| other.team.as_str()).collect();
        let of = json!({
            "id": member.id, "enterprise_id": id, "enterprise_name": name, "is_admin": false, "is_owner": false, "teams": teams
        });
        fields.insert("enterprise_user".to_owned(), of);
    }
    user
}

fn auth_test(workspace: &SlackWorkspace, bot: &Bot<'_>) -> Value {
    let seed = &workspace.seed;
    let team = bot.teams.first().unwrap_or(&seed.team_id);
    json!({
        "ok": true, "url": format!("https://{}.slack.com/", seed.team_domain), "team": seed.team_domain, "user": "slash-heroku",
        "team_id": team, "user_id": seed.bot_user_id, "bot_id": "B1", "is_enterprise_install": false
    })
}

/// The words of a call, checked; `longest` is what the method takes as text.
fn content(state: &mut State, method: &str, arguments: &Arguments, longest: usize) -> Result<Content, Value> {
    let text = arguments.text("text").to_owned();
    let given = match arguments.0.get("blocks") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(blocks)) => blocks.clone(),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => return refuse("invalid_blocks_format"),
    };
    let has_attachments = arguments.0.get("attachments").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if text.is_empty() && given.is_empty() && !has_attachments {
        return refuse("no_text");
    }
    let faults = blocks::faults(&given);
    if !faults.is_empty() {
        return Err(json!({"ok": false, "error": "invalid_blocks", "errors": faults, "response_metadata": {"messages": faults}}));
    }
    if text.chars().count() > longest {
        return refuse("msg_too_long");
    }
    if has_attachments {
        state.violation(format!("{method}: attachments, which are not simulated"));
    }
    if arguments.is_on("link_names") || arguments.text("parse") == "full" {
        state.violation(format!("{method}: names in the text would become mentions"));
    }
    note_habits(state, method, &text, &given);
    Ok(Content { text, blocks: given })
}

/// Notes what Slack lets pass and we never want.
pub(super) fn note_habits(state: &mut State, method: &str, text: &str, given: &[Value]) {
    if text.is_empty() && !given.is_empty() {
        state.violation(format!("{method}: blocks without text, so that notifications and screen readers have nothing"));
    }
    for alarm in render::alarms(text, given) {
        state.violation(format!("{method}: {alarm}"));
    }
}

/// Where a message goes: a channel the app is in, or a person.
fn place(state: &mut State, bot: &Bot<'_>, channel: &str) -> Result<String, Value> {
    if channel.starts_with(['U', 'W']) {
        return bot.teams.iter().find_map(|team| state.direct(channel, team)).map_or_else(|| refuse("channel_not_found"), Ok);
    }
    member_channel(state, bot, channel, "is_archived")
}

fn member_channel(state: &State, bot: &Bot<'_>, channel: &str, archived: &str) -> Result<String, Value> {
    match bot.channel(state, channel) {
        None => refuse("channel_not_found"),
        Some(known) if known.private && !known.bot_in => refuse("channel_not_found"),
        Some(known) if known.archived => refuse(archived),
        Some(known) if !known.bot_in => refuse("not_in_channel"),
        Some(known) => Ok(known.id.clone()),
    }
}

fn own_message(state: &State, bot: &Bot<'_>, channel: &str, ts: &str, not_ours: &str) -> Result<(), Value> {
    match bot.channel(state, channel) {
        None => return refuse("channel_not_found"),
        Some(known) if known.archived => return refuse("is_inactive"),
        Some(_) => {}
    }
    match state.find(channel, ts) {
        // What only one person sees is not kept by Slack and cannot be changed by its name.
        None | Some(SeenMessage { to: Some(_), .. }) => refuse("message_not_found"),
        Some(SeenMessage { via: Via::Echo, .. }) => refuse(not_ours),
        Some(_) => Ok(()),
    }
}

/// A message as Slack returns it.
pub(super) fn wire(workspace: &SlackWorkspace, message: &SeenMessage) -> Value {
    let seed = &workspace.seed;
    let mut value = json!({
        "type": "message", "user": seed.bot_user_id, "bot_id": "B1", "app_id": seed.app_id, "team": seed.team_id, "ts": message.ts,
        "text": message.text,
        "bot_profile": {
            "id": "B1", "app_id": seed.app_id, "name": "slash-heroku", "deleted": false, "updated": 1_767_603_600, "team_id": seed.team_id,
            "icons": {
                "image_36": "https://slack.example/36.png", "image_48": "https://slack.example/48.png", "image_72": "https://slack.example/72.png"
            }
        }
    });
    if let (Some(fields), Some(below)) = (value.as_object_mut(), &message.below) {
        fields.insert("thread_ts".to_owned(), json!(below.ts));
        fields.extend(below.for_all.then(|| ("subtype".to_owned(), json!("thread_broadcast"))));
    }
    if let (Some(fields), false) = (value.as_object_mut(), message.blocks.is_empty()) {
        fields.insert("blocks".to_owned(), Value::Array(message.blocks.clone()));
    }
    value
}

fn channel_info(state: &State, workspace: &SlackWorkspace, channel: &Channel) -> Value {
    if let Some(person) = &channel.with {
        let user = state.people.iter().find(|member| member.name == *person).map(|member| member.id.clone());
        return json!({"id": channel.id, "created": 1_767_603_600, "is_archived": false, "is_im": true, "is_org_shared": false, "user": user});
    }
    json!({
        "id": channel.id, "name": channel.name, "name_normalized": channel.name, "created": 1_767_603_600, "creator": "U0",
        "is_channel": true, "is_group": false, "is_im": false, "is_mpim": false, "is_private": channel.private, "is_archived": channel.archived,
        "is_general": channel.name == "general", "is_member": channel.bot_in, "is_shared": channel.shared, "is_ext_shared": channel.shared,
        "is_org_shared": false, "is_pending_ext_shared": false, "pending_shared": [], "previous_names": [], "unlinked": 0,
        "context_team_id": workspace.seed.team_id, "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0}
    })
}
